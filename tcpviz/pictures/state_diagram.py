"""The state diagram: RFC 9293 Figure 5, and in it the way that each end of a Trace took.

Knows how a way through the states is drawn and told. Must not know what moves a state (the arrows
are those of states.TRANSITIONS), where anything stands (figure_5) or who wrote the Trace.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import graphviz

from tcpviz.pictures import routes, theme
from tcpviz.pictures.drawing import text_width
from tcpviz.pictures.engine import label, tooltip
from tcpviz.pictures.figure_5 import BOXES, HALF_WIDTH, HEIGHT, WIDTH, Box, box_at, lines, places
from tcpviz.pictures.paths import Move, Path, paths_of, usual_paths
from tcpviz.pictures.picture import Picture
from tcpviz.states import TRANSITIONS, Edge
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

__all__ = ["state_diagram"]


class _Look(NamedTuple):
    """How an end is drawn; where both may run, `aside` of the middle, and numbers at `spot`.

    A spot is a share of the route, and a distance not to be exceeded.
    """

    colour: str
    style: str
    aside: float
    spot: tuple[float, float]


_LOOKS: Final = (
    _Look(theme.BLUE, "solid", -3.5, (0.3, 18)),
    _Look(theme.ORANGE, "dashed", 3.5, (0.63, 38)),
)


def state_diagram(
    trace: Trace | None = None, *, end: str | None = None, omitted: bool = False
) -> Picture:
    """Draw RFC 9293 Figure 5, and in it the moves that the ends of `trace` made.

    Without a trace it is the figure itself: the usual way of an active opener and closer is solid,
    that of a passive one dashed. With a trace each end's way is drawn so, the moves numbered in
    order of time; `end` shows one end alone. A move that Figure 5 omits is drawn where the trace
    takes it; `omitted` draws them all. No box and no label ever moves.

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
    edges = [edge for edge in TRANSITIONS if edge.drawn or omitted or edge.id in taken]
    rows = map(_row, edges) if trace is None else _history(trace, paths)
    text = "\n".join([title, *rows])
    return Picture(title, _dot(title, edges, paths), text, _alt(edges, paths))


# -- words -----------------------------------------------------------------------------------------


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


def _alt(edges: list[Edge], paths: Iterable[Path]) -> str:
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


def _dot(title: str, edges: list[Edge], paths: tuple[Path, ...]) -> str:
    graph = graphviz.Digraph(
        graph_attr={
            "bgcolor": theme.PAPER,
            "outputorder": "edgesfirst",
            # One size, whatever is drawn: the canvas and its centre.
            "notranslate": "true",
            "pad": "0",
            "viewport": f"{WIDTH},{HEIGHT},1,{routes.xy(complex(WIDTH, HEIGHT) / 2)}",
        },
        node_attr={"shape": "box", "fixedsize": "true", "margin": "0", "fontname": theme.FONT},
    )
    takers = {edge.id: [path for path in paths if edge.id in path.edges] for edge in edges}
    for edge in sorted(edges, key=lambda edge: len(takers[edge.id])):  # taken ones lie on top
        _draw_edge(graph, edge, takers[edge.id])
    for path in paths:
        _draw_numbers(graph, path, takers)
    for name, box in BOXES.items():
        _draw_box(graph, name, box, paths)
    _draw_legend(graph, title, paths)
    return str(graph.source)


def _draw_edge(graph: graphviz.Digraph, edge: Edge, takers: list[Path]) -> None:
    """One arrow for each end that took the edge, a quiet one where none did, and one label."""
    place = places()[edge.id]
    name = "edge_" + re.sub(r"\W+", "_", edge.id).strip("_")
    common = {
        "tail_name": box_at(place.route[0]),
        "head_name": box_at(place.route[-1]),
        "tooltip": tooltip(_row(edge)),
    }
    if not takers:
        quiet = {"color": theme.LINE, "arrowsize": "0.7", "pos": routes.arrow(place.route, 7)}
        graph.edge(**common, **quiet, id=name, **{"class": "quiet"})
    marks: list[str] = []
    for path in takers:
        steps = [f"s{move.step}" for move in path.moves if move.edge == edge]
        classes = ["taken", path.mark, *steps] if steps else ["usual"]
        graph.edge(
            **common,
            **_stroke(path),
            id=f"{name}_{path.mark}" if steps else name,
            pos=routes.arrow(_route(edge, path, takers), 8),
            **{"class": " ".join(classes)},
        )
        marks += [mark for mark in classes if mark not in marks]
    colours = [_LOOKS[path.nth].colour for path in takers] or [theme.QUIET]
    text = lines(edge)
    justify = r"\l" if "w" in place.corner else r"\r"
    _node(
        graph,
        f"label {name}",
        *place.label(text),
        shape="plaintext",
        label="".join(label(line) + justify for line in text),
        fontsize=str(theme.SMALL),
        fontcolor=theme.INK if len(colours) > 1 else colours[0],
        classes=["label", *marks],
    )


def _route(edge: Edge, path: Path, takers: list[Path]) -> routes.Route:
    """The route of an edge, or of this end beside the other end's."""
    place = places()[edge.id]
    both = len(takers) > 1 or (place.shared and path.moves)
    return routes.beside(place.route, _LOOKS[path.nth].aside) if both else place.route


def _draw_numbers(graph: graphviz.Digraph, path: Path, takers: dict[str, list[Path]]) -> None:
    """The numbers of an end's moves, on its routes; on white where they were inferred."""
    look = _LOOKS[path.nth]
    on_route: dict[routes.Route, list[Move]] = defaultdict(list)
    for move in path.moves:
        on_route[_route(move.edge, path, takers[move.edge.id])].append(move)
    for route, moves in on_route.items():
        numbers = [str(move.number) for move in moves]
        text = ",".join(numbers) if len(numbers) < 3 else f"{numbers[0]}…{numbers[-1]}"
        inferred = any(move.inferred for move in moves)
        alone = route == places()[moves[0].edge.id].route
        _node(
            graph,
            f"number {path.mark} {numbers[0]}",
            routes.along(route, *(_LOOKS[0] if alone else look).spot),
            max(12, 4 + text_width(text, theme.TINY)),
            12,
            style="filled,rounded",
            label=label(text),
            color=look.colour,
            fillcolor=theme.PAPER if inferred else look.colour,
            fontcolor=look.colour if inferred else theme.PAPER,
            fontsize=str(theme.TINY),
            classes=["number", "taken", path.mark, *(f"s{move.step}" for move in moves)],
        )


def _draw_box(graph: graphviz.Digraph, name: str, box: Box, paths: tuple[Path, ...]) -> None:
    """A state, a frame for each end that was in it, and the names of those that are in it now."""
    centre = complex(box.x, box.y)
    visitors = [path for path in paths if name in path.boxes]
    here = [path.name for path in paths if path.box == name]
    marks = [path.mark for path in visitors]
    quiet = not visitors and any(path.box for path in paths)
    look = _LOOKS[visitors[0].nth] if visitors else None
    rows = _rows(here)
    _node(
        graph,
        name,
        centre,
        2 * HALF_WIDTH,
        2 * box.half,
        id=name,
        label=label(box.state) + (r"\n" + len(rows) * r"\n" if rows else ""),
        tooltip=tooltip(box.state),
        style="filled,rounded" + (f",{look.style}" if look else ""),
        color=look.colour if look else theme.LINE if quiet else theme.INK,
        fillcolor=theme.PAPER if quiet else theme.TINTS[box.state],
        fontcolor=theme.QUIET if quiet else theme.INK,
        fontsize=str(theme.FONT_SIZE),
        penwidth="2.4" if here else "1.4" if visitors else "1",
        classes=[
            "state",
            *(["visited"] if visitors else []),
            *(["current"] if here else []),
            *marks,
        ],
    )
    for path in visitors[1:]:  # around the first one's frame
        _node(
            graph,
            f"frame {name} {path.mark}",
            centre,
            2 * HALF_WIDTH + 7,
            2 * box.half + 7,
            style=f"rounded,{_LOOKS[path.nth].style}",
            label="",
            color=_LOOKS[path.nth].colour,
            penwidth="1.4",
            classes=["frame", "visited", path.mark],
        )
    for nth, row in enumerate(rows):
        below = 7 if len(rows) == 1 else 1 + 11 * nth
        _node(
            graph,
            f"names {name} {nth}",
            centre + 1j * below,
            2 * HALF_WIDTH,
            10,
            shape="plaintext",
            label=label(row),
            fontsize=str(theme.TINY),
            fontcolor=theme.INK,
            classes=["names"],
        )


def _rows(names: list[str]) -> list[str]:
    """The names of ends as they stand in a box: in one row where they fit."""
    width = 2 * HALF_WIDTH - 8
    together = ", ".join(names)
    if names and text_width(together, theme.TINY) <= width:
        return [together]
    return [_fit(name, width, theme.TINY) for name in names]


def _draw_legend(graph: graphviz.Digraph, title: str, paths: tuple[Path, ...]) -> None:
    """The title, whose line is whose, and what must be known to read the numbers."""
    _note(graph, "title", title, 12 + 16j, theme.INK, theme.FONT_SIZE)
    _node(graph, "legend", 12 + 34j, 1, 1, style="invis", label="")  # its lines need a node
    for nth, path in enumerate(paths):
        x = 12 + nth * 240
        sample = routes.arrow(routes.across(x, 34, x + 40), 8)
        graph.edge("legend", "legend", pos=sample, **_stroke(path), **{"class": "legend"})
        name = path.name if path.states else say("diagram_unknown", end=path.name)
        _note(graph, f"legend {nth}", name, x + 42 + 34j, _LOOKS[path.nth].colour, theme.SMALL, 190)
    moves = [move for path in paths for move in path.moves]
    if moves:
        notes = [say("diagram_numbers")]
        notes += [say("diagram_inferred")] if any(move.inferred for move in moves) else []
        _note(graph, "notes", " ".join(notes), 12 + 1j * (HEIGHT - 14), theme.QUIET, theme.SMALL)


def _note(
    graph: graphviz.Digraph,
    name: str,
    text: str,
    left: complex,
    colour: str,
    size: float,
    width: float = WIDTH - 24,
) -> None:
    _node(
        graph,
        name,
        left + width / 2,
        width,
        14,
        shape="plaintext",
        label=label(_fit(text, width, size)) + r"\l",
        fontsize=str(size),
        fontcolor=colour,
        classes=["note"],
    )


def _fit(text: str, width: float, size: float) -> str:
    """The text, cut where it would be wider than `width`."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def _stroke(path: Path) -> dict[str, str]:
    look = _LOOKS[path.nth]
    return {"color": look.colour, "style": look.style, "penwidth": "2.2", "arrowsize": "0.8"}


def _node(
    graph: graphviz.Digraph,
    name: str,
    centre: complex,
    width: float,
    height: float,
    *,
    classes: Iterable[str] = (),
    **attributes: Any,
) -> None:
    """A node pinned in its place; Graphviz takes sizes in inches."""
    size = {"width": f"{width / 72:.4f}", "height": f"{height / 72:.4f}"}
    mark = {"class": " ".join(classes)} if classes else {}
    graph.node(name, pos=routes.xy(centre), **size, **attributes, **mark)
