"""The state diagram: RFC 9293 Figure 5, and in it the way that each end of a Trace took.

Knows how a way through the states is drawn. Must not know what moves a state (the arrows are those
of states.TRANSITIONS), what of them is shown (diagram_view), where anything stands (figure_5) or
who wrote the Trace.
"""

import re
from collections import defaultdict
from math import ceil
from typing import Final, NamedTuple

from tcpviz.pictures import routes, theme
from tcpviz.pictures.diagram_text import alt, foot, row, table, told
from tcpviz.pictures.diagram_view import View, of_figure, of_trace
from tcpviz.pictures.drawing import Align, Box, Drawing, Pen
from tcpviz.pictures.figure_5 import (
    BOXES,
    EDGES,
    HALF_WIDTH,
    SHEETS,
    WIDTH,
    Part,
    Place,
    Stand,
    box_at,
    labels,
    lines,
    places,
)
from tcpviz.pictures.lettering import shortened, text_width, wrapped
from tcpviz.pictures.paths import Move, Path
from tcpviz.pictures.picture import Picture
from tcpviz.states import State
from tcpviz.trace import Trace
from tcpviz.words import kept, say

__all__ = ["state_diagram"]


class _Look(NamedTuple):
    """How an end is drawn; where both may run, `aside` of the middle, and numbers at `spot`.

    A spot is a share of the route, and a distance not to be exceeded.
    """

    pen: Pen
    aside: float
    spot: tuple[float, float]


_LOOKS: Final = (
    _Look(Pen(theme.BLUE, 2.25, "solid", "normal", size=0.8), -3, (0.3, 18)),
    _Look(Pen(theme.ORANGE, 2.25, "dashed", "normal", size=0.8), 3, (0.63, 38)),
)
_NUMBERS: Final = tuple(Pen(look.pen.color) for look in _LOOKS)
_FRAMES: Final = tuple(look.pen._replace(width=1.5, head="none") for look in _LOOKS)
_QUIET: Final = Pen(theme.LINE, head="normal")  # an edge that no end took
_OMITTED: Final = Pen(theme.LINE, 0.75, head="vee", size=0.6)  # nor has Figure 5 its arrow
_AGAIN: Final = -9  # pt from the way that was taken to the same way ahead
_AHEAD: Final = Pen(theme.INK, 1.5, "dotted", "normal")  # an edge that can be taken next
_FADED: Final = Pen(theme.FADED, head="normal")  # not what a focus is on
_NUMBERED: Final = 2  # numbers on a route; of more the first, and how many come after it
_BOX: Final = Pen()  # the frame of a state that no end was in


def state_diagram(
    trace: Trace | None = None,
    *,
    end: str | None = None,
    at: int | None = None,
    focus: str | None = None,
    part: Part | None = None,
    omitted: bool = False,
) -> Picture:
    """Draw RFC 9293 Figure 5, and in it the moves that the ends of `trace` made.

    Without a trace it is the figure itself: the usual way of an active opener and closer is solid,
    that of a passive one dashed. With a trace each end's way is drawn so, the moves numbered in
    order of time, and each end's name stands in the state it is in when the trace ends, or at the
    time `at` in ns. A move that Figure 5 omits is drawn where the trace takes it.

    `end` shows one end alone. `focus` names an end too: how it came where it is, and dotted every
    move that it can make from there, whatever Figure 5 omits; the rest is faded. Without a trace
    `focus` names a state. `part` is "open" or "close", that part of the figure alone. `omitted` is
    a layer with all moves that Figure 5 omits, but for the rare ones of `states.TRANSITIONS`; with
    it come the notes of Figure 5 and the sections of the RFC. No box ever moves.

    Simplified: "create TCB" and "delete TCB" are left out of the labels.

    Raises KeyError for an end that the trace does not have; ValueError for arguments that do not go
    together, and for a step that takes an edge TCP does not have.

    >>> print(state_diagram().text.splitlines()[1])
    CLOSED        -> LISTEN        passive OPEN                RFC 9293 3.10.1
    >>> print(state_diagram(focus="CLOSE-WAIT").text.splitlines()[1])
    CLOSE-WAIT    -> LAST-ACK      CLOSE, snd FIN              RFC 9293 3.10.4
    """
    if part not in SHEETS:
        raise ValueError(f"part: {part!r} is not 'open' or 'close'")
    if trace is None:
        view = of_figure(end, at, focus, part, omitted=omitted)
    else:
        view = of_trace(trace, end, at, focus, part, omitted=omitted)
    _, top, bottom = SHEETS[part]
    drawing = Drawing()
    lowest = _draw(drawing, view, top, bottom)
    dot = drawing.source(WIDTH, lowest - top, top)  # one size, whatever the trace
    marks = drawing.marks
    return Picture(
        view.title,
        dot,
        lambda: told(view),
        alt(view),
        marks,
        lambda: table(view),
        trace.dumps if trace else None,
    )


def _draw(drawing: Drawing, view: View, top: float, bottom: float) -> float:
    """Draw all, and return where it ends."""
    takers = {name: [p for p in view.paths if name in p.edges] for name in view.edges}
    first = tuple(sorted(view.edges, key=lambda name: not takers[name]))
    label_of = labels(first, notes=view.notes)

    def height(name: str) -> float:  # what matters most lies on top
        return len(takers[name]) or (0.5 if name in view.ahead | view.behind else 0)

    for name in sorted(takers, key=height):
        _draw_edge(drawing, name, takers[name], label_of.get(name), view)
    for path in view.paths:
        _draw_numbers(drawing, path, takers, view.part)
    for name, box in BOXES.items():
        if name in SHEETS[view.part].boxes:
            _draw_box(drawing, name, box, view)
    _draw_legend(drawing, view, top)
    return _draw_foot(drawing, view, bottom)


def _draw_edge(
    drawing: Drawing, edge: str, takers: list[Path], label: Box | None, view: View
) -> None:
    """One arrow for each end that took the edge, a quiet one where none did, and one label."""
    did = {move.did for path in takers for move in path.moves if move.edge is EDGES[edge]}
    name, tip, text = _written(edge, did.pop() if len(did) == 1 else (), notes=view.notes)
    place = places(view.part)[edge]
    color = theme.INK if takers[1:] else theme.QUIET
    if edge in view.ahead and not takers:
        drawing.curve(*routes.arrow(place.route, 7), _AHEAD, "ahead", name, tip)
        color = theme.INK
    elif not takers:
        faded = view.state is not None and edge not in view.behind
        pen = _FADED if faded else _QUIET if EDGES[edge].drawn else _OMITTED
        kind = "faded" if faded else "quiet"
        drawing.curve(*routes.arrow(place.route, 7), pen, kind, name, tip)
        if faded:
            return
    waits: list[str] = []  # a label that stands there only because of those steps
    for path in takers:
        steps = [f"s{move.step}" for move in path.moves if move.edge is EDGES[edge]]
        classes = ["taken", path.mark, *steps] if steps else ["usual"]
        if steps and not EDGES[edge].drawn:
            classes.append("omitted")
            waits += ["omitted", *steps]
        way = routes.arrow(_route(place, path, takers), 8)
        part = f"{name}_{path.mark}" if steps else name
        drawing.curve(*way, _LOOKS[path.nth].pen, " ".join(classes), part, tip)
        color = color if takers[1:] else _color(path)
    if edge in view.ahead and takers:  # it can go there again
        again = routes.beside(place.route, _AGAIN)
        drawing.curve(*routes.arrow(again, 7), _AHEAD, "ahead", f"{name}_again", tip)
    if label:
        align: Align = "left" if "w" in place.corner else "right"
        drawing.text(label, text, align=align, color=color, classes=" ".join(dict.fromkeys(waits)))


@kept
def _written(edge: str, did: tuple[str, ...], *, notes: bool) -> tuple[str, str, tuple[str, ...]]:
    """The id of an edge's arrow, its tooltip and its label, or what a run did instead."""
    name = "edge_" + re.sub(r"\W+", "_", edge).strip("_")
    return name, row(EDGES[edge], did), did or lines(EDGES[edge], notes=notes)


def _color(path: Path) -> str:
    return _LOOKS[path.nth].pen.color


def _route(place: Place, path: Path, takers: list[Path]) -> routes.Route:
    """The route of an edge, or of this end beside the other end's."""
    both = len(takers) > 1 or (place.shared and path.moves)
    return routes.beside(place.route, _LOOKS[path.nth].aside) if both else place.route


def _draw_numbers(
    drawing: Drawing, path: Path, takers: dict[str, list[Path]], part: Part | None
) -> None:
    """The numbers of an end's moves, on its routes; on white where they were inferred."""
    look = _LOOKS[path.nth]
    on_route: dict[routes.Route, list[Move]] = defaultdict(list)
    for move in path.moves:
        name = move.edge.id
        on_route[_route(places(part)[name], path, takers[name])].append(move)
    for route, moves in on_route.items():
        numbers = [str(move.number) for move in moves]
        text = ",".join(numbers)
        if len(numbers) > _NUMBERED:
            text = f"{numbers[0]} +{len(numbers) - 1}"
        inferred = any(move.inferred for move in moves)
        alone = route == places(part)[moves[0].edge.id].route
        at = routes.along(route, *(_LOOKS[0] if alone else look).spot)
        fill, ink = (theme.PAPER, look.pen.color) if inferred else (look.pen.color, theme.PAPER)
        width = max(12, 2 * ceil(text_width(text, theme.TINY) / 2 + 2))
        drawing.box(
            Box.around(round(at.real), round(at.imag), width, 12),
            fill,
            _NUMBERS[path.nth],
            shape="ellipse",
            text=([text], theme.TINY, ink),
            classes=" ".join(["number", "taken", path.mark, *(f"s{m.step}" for m in moves)]),
        )


def _draw_box(drawing: Drawing, name: str, box: Stand, view: View) -> None:
    """A state, a frame for each end that was in it, and the names of those that are in it now."""
    visitors = [path for path in view.paths if name in path.boxes]
    here = [path for path in view.paths if path.box == name]
    if view.state is State.CLOSED is box.state:  # it has two boxes; ways lead on from the first
        here = [path for path in view.paths if path.box]
    is_focus = not view.paths and box.state is view.state
    ends = {box_at(places(view.part)[edge].route[-1]) for edge in view.ahead}
    quiet = (
        not visitors
        and not is_focus
        and name not in ends
        and (view.state is not None or any(path.box for path in view.paths))
    )
    pen = _LOOKS[visitors[0].nth].pen if visitors else _BOX
    width = 2.5 if here or is_focus else 1.5 if visitors else 1
    frame = (theme.FADED if view.state else theme.LINE) if quiet else pen.color
    fill = theme.PAPER if quiet else theme.TINTS[box.state]
    rows = _rows(here)
    classes = ["state"]
    classes += ["visited"] if visitors else []
    classes += ["current"] if here or is_focus else []
    classes += [path.mark for path in visitors]
    drawing.box(
        Box.around(box.x, box.y, 2 * HALF_WIDTH, 2 * box.half),
        fill,
        Pen(frame, width, pen.style),
        shape="rounded",
        text=(
            [box.state, *("" for _ in rows)],
            theme.FONT_SIZE,
            theme.QUIET if quiet else theme.INK,
        ),
        classes=" ".join(classes),
        name=name,
        tip=box.state,
    )
    for path in visitors[1:]:  # around the first one's frame
        drawing.frame(
            Box.around(box.x, box.y, 2 * HALF_WIDTH + 8, 2 * box.half + 8),
            _FRAMES[path.nth],
            f"frame visited {path.mark}",
        )
    for nth, names in enumerate(rows):
        y = box.y + (8 if len(rows) == 1 else 1 + 12 * nth)
        _draw_names(drawing, box.x, y, names)


def _draw_names(drawing: Drawing, x: float, y: float, ends: dict[str, Path]) -> None:
    """The names of the ends that are in a state, each on its colour, side by side."""
    widths = [text_width(name, theme.TINY) + _AROUND for name in ends]
    left = x - (sum(widths) + _APART * (len(widths) - 1)) / 2
    for (name, path), width in zip(ends.items(), widths, strict=True):
        box = Box(left, y - 5.5, left + width, y + 5.5)
        drawing.text(
            box,
            [name],
            size=theme.TINY,
            color=theme.PAPER,
            fill=_color(path),
            classes=f"names {path.mark}",
        )
        left += width + _APART


_APART: Final = 4  # pt between two names
_AROUND: Final = 8  # pt of colour beside a name


def _rows(ends: list[Path]) -> list[dict[str, Path]]:
    """The names of ends as they stand in a box: in one row where they fit."""
    width = 2 * HALF_WIDTH - 10 - _AROUND
    together = {path.name: path for path in ends}
    wide = sum(text_width(name, theme.TINY) for name in together)
    if len(ends) == len(together) and wide + (_AROUND + _APART) * (len(ends) - 1) <= width:
        return [together] if ends else []
    return [{_fit(path.name, width, theme.TINY): path} for path in ends]


def _draw_legend(drawing: Drawing, view: View, top: float) -> None:
    """The title, and whose line is whose."""
    _write(drawing, view.title, 12, top + 16, theme.INK, theme.FONT_SIZE)
    x, y = 12.0, top + 34
    entries = []
    for path in view.paths:
        name = path.name if path.states else say("diagram_unknown", end=path.name)
        if view.state is not None:
            name = say("diagram_came", end=name)
        entries.append((name, _LOOKS[path.nth].pen, _color(path)))
    if view.behind:
        entries.append((say("diagram_behind"), _QUIET, theme.QUIET))
    if view.state is not None:
        entries.append((say("diagram_ahead"), _AHEAD, theme.INK))
    if view.notes and view.state is None:
        entries.append((say("diagram_left_out"), _OMITTED, theme.QUIET))
    for name, pen, color in entries:
        drawing.line([[(x, y), (x + 36, y)]], pen)
        width = min(_LEGEND - 44, WIDTH - 12 - x - 42)
        _write_in_two(drawing, name, Box(x + 42, y - 7, x + 42 + width, y + 7), color)
        x += _LEGEND


_LEGEND: Final = 240  # pt from one line of the legend to the next


def _draw_foot(drawing: Drawing, view: View, bottom: float) -> float:
    """What must be known to read the numbers, then the notes; returns where the sheet ends."""
    moves = [move for path in view.paths for move in path.moves]
    if moves:
        remarks = [say("diagram_numbers")]
        remarks += [say("diagram_inferred")] if any(move.inferred for move in moves) else []
        box = Box(12, bottom - 17, WIDTH - 12, bottom - 3)
        _write_in_two(drawing, " ".join(remarks), box, theme.QUIET)
    if not view.notes:
        return bottom
    lowest = bottom
    for left, right, paragraphs in foot(view, WIDTH - 12):
        y = bottom + 8.0
        for paragraph in paragraphs:
            for line in paragraph:
                _write(drawing, line, left, y, theme.INK, theme.SMALL, right - left)
                y += _LINE
            y += _LINE / 3
        lowest = max(lowest, y)
    return ceil(lowest)


_LINE: Final = 1.25 * theme.SMALL


def _write(
    drawing: Drawing,
    text: str,
    left: float,
    y: float,
    color: str,
    size: float,
    width: float = WIDTH - 24,
) -> None:
    box = Box(left, y - 7, left + width, y + 7)
    drawing.text(box, [_fit(text, width, size)], align="left", size=size, color=color)


def _write_in_two(drawing: Drawing, text: str, box: Box, color: str) -> None:
    """Write small text on one line, or on two where it is wider than its box."""
    first, *rest = wrapped(text, box.right - box.left, theme.SMALL)
    lines = [first, _fit(" ".join(rest), box.right - box.left, theme.SMALL)] if rest else [first]
    drawing.text(box, lines, align="left", color=color)


def _fit(text: str, width: float, size: float) -> str:
    """The text on one line, cut where it would be wider than `width`."""
    return shortened(" ".join(text.split()), width, size)
