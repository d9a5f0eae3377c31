"""Classes, ids and tooltips for what Graphviz draws as background, which can carry none itself.

Knows in which order Graphviz writes SVG. Must not know what a picture shows.
"""

import html
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, Literal, NamedTuple

from tcpviz.pictures.engine import EngineError, drawable

_SHAPES: Final = {"<po", "<pa", "<el", "<te"}  # polyline, polygon, path, ellipse, text
_shape: Final = itemgetter(slice(3))


class Mark(NamedTuple):
    """How a part of a picture is found again: its classes, its id, and the tooltip it shows."""

    kind: Literal["edge", "node"]
    classes: str
    name: str
    tip: str


def marked(lines: list[str], marks: Sequence[tuple[Mark | None, int]]) -> list[str]:
    """The lines of an SVG, the first shapes put into groups that carry the marks.

    Each mark is that of the next so many shapes. EngineError if the shapes are not so many.
    """
    count = sum([shapes for _, shapes in marks])
    sheet = next((at for at, line in enumerate(lines) if line.startswith("<polygon")), len(lines))
    at, end = sheet + 1, sheet + 1 + count
    if len(lines) < end or not set(map(_shape, lines[at:end])) <= _SHAPES:
        raise EngineError(f"Graphviz drew fewer than the {count} shapes it was given")
    if lines[end : end + 1] and lines[end][:3] in _SHAPES:
        raise EngineError(f"Graphviz drew more than the {count} shapes it was given")
    grouped = _without_internals(lines[:at])
    for mark, shapes in marks:
        own = lines[at : at + shapes]
        at += shapes
        if mark is None:
            grouped += own
            continue
        kind, classes, name, tip = mark
        grouped.append(f'<g id="{name}" class="{kind}{classes and " "}{classes}">')
        if tip:
            grouped.append(f'<g id="a_{name}"><a xlink:title="{html.escape(drawable(tip))}">')
            own += "</a>", "</g>", "</g>"
        else:
            own.append("</g>")
        grouped += own
    return grouped + _without_internals(lines[end:])


def _without_internals(lines: list[str]) -> list[str]:
    """Graphviz titles every part with its internal name."""
    return [line for line in lines if not line.startswith(("<!--", "<title>"))]
