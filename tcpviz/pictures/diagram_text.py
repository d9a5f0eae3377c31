"""The state diagram told in words: its text twin, its alt text, the notes at its foot.

Knows what a view of Figure 5 shows. Must not know how anything is drawn.
"""

from collections.abc import Iterator
from typing import Final

from tcpviz.pictures.diagram_view import View
from tcpviz.pictures.figure_5 import EDGES, lines
from tcpviz.pictures.lettering import wrapped
from tcpviz.pictures.table import Table
from tcpviz.pictures.theme import SMALL
from tcpviz.states import Edge, State
from tcpviz.units import readable
from tcpviz.words import kept, say

Paragraphs = list[list[str]]


def told(view: View) -> str:
    """The text twin: the moves in order and where they led, or the edges that are drawn."""
    return "\n".join([view.title, *_lines(view)])


def _lines(view: View) -> Iterator[str]:
    if view.trace is not None:
        yield from _history(view)
    elif view.state is None:
        yield from (row(EDGES[name]) for name in view.edges)
    if view.state is not None:
        if view.trace is not None:
            yield say("diagram_ahead_of", end=view.paths[0].name)
        yield from (row(EDGES[name]) for name in view.edges if name in view.ahead)
        if view.behind:
            yield say("diagram_behind_of", state=view.state)
            yield from (row(EDGES[name]) for name in view.edges if name in view.behind)
    if view.notes:
        yield from _notes(view)
    if view.trace is not None:
        yield from view.trace.notes


def table(view: View) -> Table:
    """The moves in order, or the edges that are drawn, or those that lead on from a state."""
    ways = (say("column_from"), say("column_to"), say("column_move"), "RFC 9293")
    if view.trace is None:
        shown = view.edges if view.state is None else [n for n in view.edges if n in view.ahead]
        return Table(view.title, ways, tuple(_cells(EDGES[name]) for name in shown))
    moves = sorted((m for path in view.paths for m in path.moves), key=lambda move: move.number)
    rows = [(str(m.number), readable(m.time), m.end, *_cells(m.edge, m.did)) for m in moves]
    columns = say("column_number"), say("column_at"), say("column_end"), *ways
    return Table("\n".join((view.title, *view.trace.notes)), columns, tuple(rows))


def _cells(edge: Edge, did: tuple[str, ...] = ()) -> tuple[str, ...]:
    return edge.source, edge.target, say("list_comma").join(did or lines(edge)), edge.section


@kept
def row(edge: Edge, did: tuple[str, ...] = ()) -> str:
    """An edge in one line; `did` is what a run did instead of what Figure 5 writes."""
    what = ", ".join(did or lines(edge)).replace(", (", " (")
    omitted = "" if edge.drawn else "  " + say("diagram_not_in_figure")
    rule = f"RFC 9293 {edge.section}"
    if not edge.section[:1].isdigit():
        rule = say("diagram_rule_of" if edge.section else "diagram_no_rule", whose=edge.section)
    return f"{edge.source:13} -> {edge.target:12}  {what:26}  {rule}{omitted}"


def _history(view: View) -> Iterator[str]:
    """The moves in order, then where each end is."""
    width = max((len(path.name) for path in view.paths), default=0)
    moves = sorted((m for path in view.paths for m in path.moves), key=lambda move: move.number)
    stood: dict[str, State] = {}
    for move in moves:
        source, before = move.edge.source, stood.get(move.end, move.edge.source)
        if (before, source) == (State.CLOSED, State.LISTEN):
            yield " " * 5 + say("diagram_opened_unseen", end=move.end)
        stood[move.end] = move.edge.target
        inferred = "  " + say("diagram_inferred_move") if move.inferred else ""
        when = f"{move.number:3}  {readable(move.time):>10}  {move.end:{width}}"
        yield f"{when}  {row(move.edge, move.did)}{inferred}"
    stands = "diagram_ends_in" if view.at is None else "diagram_is_in"
    for path in view.paths:
        yield say(
            stands if path.states else "diagram_unknown",
            end=path.name,
            state=path.states[-1] if path.states else "",
        )


def alt(view: View) -> str:
    """What the picture shows, in one paragraph."""
    key = f"diagram_alt_{view.part}" if view.part else "diagram_alt"
    sentences = [say(key, drawn=len(view.edges))]
    for path in view.paths:
        if not path.states:
            sentences.append(say("diagram_unknown", end=path.name) + ".")
            continue
        key = "diagram_alt_path"
        if path.box:
            key = "diagram_alt_now" if view.at is None else "diagram_alt_then"
        time = readable(view.at or 0)
        states = say("list_comma").join(path.states)
        sentences.append(say(key, end=path.name, states=states, state=path.states[-1], time=time))
    if view.state is not None:
        ways = [EDGES[name] for name in view.edges if name in view.ahead]
        onward = [
            say("diagram_alt_way", state=edge.target, what=" ".join(lines(edge)[:1]))
            for edge in ways
        ]
        if onward:
            listed = say("list_comma").join(onward)
            sentences.append(say("diagram_alt_ahead", state=view.state, ways=listed))
        else:
            sentences.append(say("diagram_alt_nowhere", state=view.state))
    return " ".join(sentences)


# -- the layer of what Figure 5 omits --------------------------------------------------------------

_COLUMN: Final = 336  # pt, the notes; right of them the sections
_GAP: Final = 18  # pt between notes and sections
_NUMBER: Final = 44  # pt for the number of a section


def foot(view: View, right: float) -> tuple[tuple[float, float, Paragraphs], ...]:
    """The columns below the figure: from x to x, paragraphs of lines; notes, then sections."""
    middle = 12 + _COLUMN
    number = middle + _GAP
    event = number + _NUMBER
    notes = [wrapped(note, _COLUMN - 4, SMALL) for note in _notes(view)]
    sections, events = [say("diagram_sections")], [""]
    for section, ruled in _sections(view):
        told = wrapped(ruled, right - event, SMALL)
        events += told
        sections += [section, *[""] * (len(told) - 1)]
    return (12, middle, notes), (number, right, [sections]), (event, right, [events])


def _notes(view: View) -> list[str]:
    """The notes of Figure 5 that tell of what is drawn."""
    keys = {None: ("1", "2", "3"), "open": ("1", "3"), "close": ("2", "3_close")}
    return [say(f"diagram_note_{key}") for key in keys[view.part]]


def _sections(view: View) -> Iterator[tuple[str, str]]:
    """Each section of the RFC with the events of the edges that it rules."""
    found: dict[str, dict[str, None]] = {}
    for name in view.edges:
        edge = EDGES[name]
        found.setdefault(edge.section, {})[edge.event] = None
    for section in sorted(found, key=_order):
        yield section, say("list_comma").join(found[section])


def _order(section: str) -> tuple[bool, list[int]]:
    """Sections in the order of the RFC; other sources last."""
    numbers = section.split(".")
    if not all(number.isdigit() for number in numbers):
        return True, []
    return False, [int(number) for number in numbers]
