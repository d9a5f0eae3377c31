"""The state diagram: RFC 9293 Figure 5, and in it the way that each end of a Trace took.

Knows how a way through the states is drawn and told. Must not know what moves a state (the arrows
are those of states.TRANSITIONS), where anything stands (figure_5) or who wrote the Trace.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import ceil
from typing import Final, NamedTuple

from tcpviz.pictures import routes, theme
from tcpviz.pictures.drawing import Box, Drawing, Pen
from tcpviz.pictures.figure_5 import (
    BOXES,
    EDGES,
    HALF_WIDTH,
    HEIGHT,
    WIDTH,
    Place,
    Stand,
    labels,
    lines,
    places,
)
from tcpviz.pictures.lettering import text_width
from tcpviz.pictures.paths import Move, Path, paths_of, usual_paths
from tcpviz.pictures.picture import Picture
from tcpviz.states import Edge
from tcpviz.trace import Trace
from tcpviz.units import readable
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
_BOX: Final = Pen()  # the frame of a state that no end was in


def state_diagram(
    trace: Trace | None = None, *, end: str | None = None, omitted: bool = False
) -> Picture:
    """Draw RFC 9293 Figure 5, and in it the moves that the ends of `trace` made.

    Without a trace it is the figure itself: the usual way of an active opener and closer is solid,
    that of a passive one dashed. With a trace each end's way is drawn so, the moves numbered in
    order of time; `end` shows one end alone. A move that Figure 5 omits is drawn where the trace
    takes it; `omitted` draws them all, but for the rare ones of `states.TRANSITIONS`. No box ever
    moves.

    Simplified: "create TCB" and "delete TCB" are left out of the labels.

    Raises KeyError for an `end` that the trace does not have; ValueError for an `end` without a
    trace, and for a step that takes an edge TCP does not have.

    >>> print(state_diagram().text.splitlines()[1])
    CLOSED        -> LISTEN        passive OPEN                RFC 9293 3.10.1
    """
    if trace is None:
        if end is not None:
            raise ValueError(f"end={end!r}: there are no ends without a trace")
        paths, title = usual_paths(), say("diagram")
    else:
        paths = paths_of(trace, end)
        names = ", ".join(path.name for path in paths)
        title = say("diagram_of", title=trace.title, ends=names).removeprefix(": ")
    taken = frozenset().union(*(path.edges for path in paths))
    edges = [
        name
        for name, edge in EDGES.items()
        if edge.drawn or name in taken or (omitted and not edge.rare)
    ]
    rows = (_row(EDGES[name]) for name in edges) if trace is None else _history(trace, paths)
    text = "\n".join([title, *rows])
    drawing = _drawn(title, edges, paths)
    dot = drawing.source(WIDTH, HEIGHT)  # one size, whatever is drawn
    return Picture(title, dot, lambda: text, _alt(edges, paths), drawing.marks)


# -- words -----------------------------------------------------------------------------------------


@kept
def _row(edge: Edge) -> str:
    what = ", ".join(lines(edge)).replace(", (", " (")
    omitted = "" if edge.drawn else "  " + say("diagram_not_in_figure")
    return f"{edge.source:13} -> {edge.target:12}  {what:26}  RFC 9293 {edge.section}{omitted}"


def _history(trace: Trace, paths: tuple[Path, ...]) -> Iterator[str]:
    """The moves in order, then where each end is."""
    width = max((len(path.name) for path in paths), default=0)
    moves = sorted((move for path in paths for move in path.moves), key=lambda move: move.number)
    for move in moves:
        inferred = "  " + say("diagram_inferred_move") if move.inferred else ""
        when = f"{move.number:3}  {readable(move.time):>10}  {move.end:{width}}"
        yield f"{when}  {_row(move.edge)}{inferred}"
    for path in paths:
        yield say(
            "diagram_ends_in" if path.states else "diagram_unknown",
            end=path.name,
            state=path.states[-1] if path.states else "",
        )
    yield from trace.notes


def _alt(edges: list[str], paths: Iterable[Path]) -> str:
    sentences = [say("diagram_alt", drawn=len(edges))]
    for path in paths:
        key = "diagram_alt_now" if path.box else "diagram_alt_path"
        sentences.append(
            say(key, end=path.name, states=", ".join(path.states), state=path.states[-1])
            if path.states
            else say("diagram_unknown", end=path.name) + "."
        )
    return " ".join(sentences)


# -- drawing ---------------------------------------------------------------------------------------


def _drawn(title: str, edges: Iterable[str], paths: tuple[Path, ...]) -> Drawing:
    drawing = Drawing()
    label_of = labels(tuple(edges))
    takers = {name: [path for path in paths if name in path.edges] for name in edges}
    for name in sorted(takers, key=lambda name: len(takers[name])):  # taken ones lie on top
        _draw_edge(drawing, name, takers[name], label_of[name])
    for path in paths:
        _draw_numbers(drawing, path, takers)
    for name, box in BOXES.items():
        _draw_box(drawing, name, box, paths)
    _draw_legend(drawing, title, paths)
    return drawing


def _draw_edge(drawing: Drawing, edge: str, takers: list[Path], label: Box) -> None:
    """One arrow for each end that took the edge, a quiet one where none did, and one label."""
    name, tip, text = _written(edge)
    place = places()[edge]
    if not takers:
        drawing.curve(*routes.arrow(place.route, 7), _QUIET, "quiet", name, tip)
    for path in takers:
        steps = [f"s{move.step}" for move in path.moves if move.edge is EDGES[edge]]
        classes = ["taken", path.mark, *steps] if steps else ["usual"]
        way = routes.arrow(_route(place, path, takers), 8)
        part = f"{name}_{path.mark}" if steps else name
        drawing.curve(*way, _LOOKS[path.nth].pen, " ".join(classes), part, tip)
    drawing.text(
        label,
        text,
        align="left" if "w" in place.corner else "right",
        color=theme.QUIET if not takers else theme.INK if takers[1:] else _color(takers[0]),
    )


@kept
def _written(edge: str) -> tuple[str, str, tuple[str, ...]]:
    """The id of an edge's arrow, its tooltip and its label."""
    text = lines(EDGES[edge])
    name = "edge_" + re.sub(r"\W+", "_", edge).strip("_")
    return name, _row(EDGES[edge]), text


def _color(path: Path) -> str:
    return _LOOKS[path.nth].pen.color


def _route(place: Place, path: Path, takers: list[Path]) -> routes.Route:
    """The route of an edge, or of this end beside the other end's."""
    both = len(takers) > 1 or (place.shared and path.moves)
    return routes.beside(place.route, _LOOKS[path.nth].aside) if both else place.route


def _draw_numbers(drawing: Drawing, path: Path, takers: dict[str, list[Path]]) -> None:
    """The numbers of an end's moves, on its routes; on white where they were inferred."""
    look = _LOOKS[path.nth]
    on_route: dict[routes.Route, list[Move]] = defaultdict(list)
    for move in path.moves:
        name = move.edge.id
        on_route[_route(places()[name], path, takers[name])].append(move)
    for route, moves in on_route.items():
        numbers = [str(move.number) for move in moves]
        text = ",".join(numbers) if len(numbers) < 3 else f"{numbers[0]}…{numbers[-1]}"
        inferred = any(move.inferred for move in moves)
        alone = route == places()[moves[0].edge.id].route
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


def _draw_box(drawing: Drawing, name: str, box: Stand, paths: tuple[Path, ...]) -> None:
    """A state, a frame for each end that was in it, and the names of those that are in it now."""
    visitors = [path for path in paths if name in path.boxes]
    here = [path.name for path in paths if path.box == name]
    quiet = not visitors and any(path.box for path in paths)
    pen = _LOOKS[visitors[0].nth].pen if visitors else _BOX
    width = 2.5 if here else 1.5 if visitors else 1
    fill = theme.PAPER if quiet else theme.TINTS[box.state]
    rows = _rows(here)
    classes = ["state"]
    classes += ["visited"] if visitors else []
    classes += ["current"] if here else []
    classes += [path.mark for path in visitors]
    drawing.box(
        Box.around(box.x, box.y, 2 * HALF_WIDTH, 2 * box.half),
        fill,
        Pen(theme.LINE if quiet else pen.color, width, pen.style),
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
    for nth, row in enumerate(rows):
        y = box.y + (7 if len(rows) == 1 else 1 + 11 * nth)
        around = Box.around(box.x, y, 2 * HALF_WIDTH - 8, 10)
        drawing.text(around, [row], size=theme.TINY, fill=fill, classes="names")


def _rows(names: list[str]) -> list[str]:
    """The names of ends as they stand in a box: in one row where they fit."""
    width = 2 * HALF_WIDTH - 8
    together = ", ".join(names)
    if names and text_width(together, theme.TINY) <= width:
        return [together]
    return [_fit(name, width, theme.TINY) for name in names]


def _draw_legend(drawing: Drawing, title: str, paths: tuple[Path, ...]) -> None:
    """The title, whose line is whose, and what must be known to read the numbers."""
    _write(drawing, title, 12, 16, theme.INK, theme.FONT_SIZE)
    for nth, path in enumerate(paths):
        x = 12 + nth * 240
        drawing.line([[(x, 34), (x + 36, 34)]], _LOOKS[path.nth].pen)
        name = path.name if path.states else say("diagram_unknown", end=path.name)
        _write(drawing, name, x + 42, 34, _color(path), theme.SMALL, 190)
    moves = [move for path in paths for move in path.moves]
    if moves:
        notes = [say("diagram_numbers")]
        notes += [say("diagram_inferred")] if any(move.inferred for move in moves) else []
        _write(drawing, " ".join(notes), 12, HEIGHT - 14, theme.QUIET, theme.SMALL)


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


def _fit(text: str, width: float, size: float) -> str:
    """The text, cut where it would be wider than `width`."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"
