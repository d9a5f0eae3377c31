"""Classes, ids and tooltips for what Graphviz draws as background, which can carry none itself.

Knows in which order Graphviz writes SVG. Must not know what a picture shows.
"""

import html
from collections.abc import Sequence
from itertools import groupby
from typing import Final, Literal, NamedTuple

from tcpviz.pictures.engine import EngineError

_SHAPES: Final = ("<polyline", "<polygon", "<path", "<ellipse", "<text")


class Mark(NamedTuple):
    """How a part of a picture is found again: its classes, its id, and the tooltip it shows."""

    kind: Literal["edge", "node"]
    classes: str
    name: str
    tip: str


def marked(lines: list[str], marks: Sequence[Mark | None]) -> list[str]:
    """The lines of an SVG, the first shapes put into groups that carry the marks: one for each.

    Neighbours with the same mark share a group. EngineError if the shapes are not so many.
    """
    if not marks:
        return lines
    sheet = next((at for at, line in enumerate(lines) if line.startswith("<polygon")), len(lines))
    begin, end = sheet + 1, sheet + 1 + len(marks)
    shapes = lines[begin:end]
    more = lines[end : end + 1]
    if len(shapes) < len(marks) or not all(line.startswith(_SHAPES) for line in shapes):
        raise EngineError(f"Graphviz drew fewer than the {len(marks)} shapes it was given")
    if more and more[0].startswith(_SHAPES):
        raise EngineError(f"Graphviz drew more than the {len(marks)} shapes it was given")
    grouped: list[str] = []
    numbers = iter(shapes)
    for mark, same in groupby(marks):
        own = [next(numbers) for _ in same]
        if mark is None:
            grouped += own
            continue
        classes = f"{mark.kind} {mark.classes}".rstrip()
        grouped.append(f'<g id="{mark.name}" class="{classes}">')
        if mark.tip:
            tip = html.escape(mark.tip)
            grouped += [f'<g id="a_{mark.name}"><a xlink:title="{tip}">', *own, "</a>", "</g>"]
        else:
            grouped += own
        grouped.append("</g>")
    return [*lines[:begin], *grouped, *lines[end:]]
