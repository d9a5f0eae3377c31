"""Lines, boxes and text at exact places, written as DOT, and how wide text is.

Knows how a pinned graph makes Graphviz draw just that. Must not know what a picture shows. Measures
are points, y grows downward, and what is drawn later lies over what was drawn before.
"""

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import graphviz
from graphviz.quoting import quote

from tcpviz.pictures import theme
from tcpviz.pictures.engine import label, tooltip

Point = tuple[float, float]
Face = Literal["", "bold", "italic"]
Align = Literal["left", "centre", "right"]

_FACES: Final = {"": theme.FONT, "bold": "Helvetica-Bold", "italic": "Helvetica-Oblique"}
_SPLINES: Final = 100  # lines in one edge: older Graphviz reads values of 16384 characters at most
_LINE_END: Final = {"left": r"\l", "centre": r"\n", "right": r"\r"}
_WIDTHS: Final = {
    char: width
    for width, chars in {
        0.222: "ijl'",
        0.278: " !,./:;I[]\\ft",
        0.333: "()-`r|{}",
        0.389: '*"^',
        0.5: "ckszvxyJ",
        0.556: "0123456789abdeghnopqu#$?_L",
        0.611: "FTZ+<=>~",
        0.667: "&ABEKPSVXY",
        0.722: "wCDHNRU",
        0.778: "GOQ",
        0.833: "Mm",
        1.0: "W%@",
    }.items()
    for char in chars
}
_WIDER: Final = {"": 1.0, "bold": 1.07, "italic": 1.12}  # often another family stands in
_SLACK: Final = 1.06  # a reader's font may be a little wider than Helvetica
LINE: Final = 1.2  # the height of a line, in sizes


def text_width(text: str, size: float, face: Face = "") -> float:
    """About how wide a line is in Helvetica or a font of its widths, in pt, with some slack.

    >>> round(text_width("SYN,ACK", 10))
    47
    """
    ems = sum(
        _WIDTHS.get(char) or (1.0 if unicodedata.east_asian_width(char) in "WF" else 0.7)
        for char in text
    )
    return ems * size * _SLACK * _WIDER[face]


def wrapped(text: str, width: float, size: float) -> list[str]:
    """The text in lines of at most this width; no text is one empty line.

    >>> wrapped("error: connection reset", 100, 10)
    ['error: connection', 'reset']
    """
    letters = len(text)
    while True:
        lines = textwrap.wrap(text, max(letters, 1)) or [""]
        widest = max(text_width(line, size) for line in lines)
        if widest <= width or letters <= 1:
            return lines
        letters = int(letters * width / widest)


class Box(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: "Box", gap: float = 0) -> bool:
        """Whether two rectangles come closer than `gap`."""
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.top < other.bottom + gap
            and other.top < self.bottom + gap
        )

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> "Box":
        """The rectangle of this size with its centre at a point."""
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


class Pen(NamedTuple):
    """How a line is drawn; `head` and `tail` are Graphviz's arrow shapes."""

    color: str = theme.INK
    width: float = 1.0
    style: str = "solid"
    head: str = "none"
    tail: str = "none"
    size: float = 0.7


class Drawing:
    """What has been drawn so far."""

    def __init__(self) -> None:
        """Start with an empty sheet."""
        self._graph = graphviz.Digraph(
            node_attr={
                "shape": "box",
                "label": "",
                "margin": "0",
                "fixedsize": "true",
                "style": "filled",
                "penwidth": "0",
                "color": theme.PAPER,
                "fillcolor": theme.PAPER,
                "fontname": theme.FONT,
                "fontsize": f"{theme.SMALL:g}",
                "fontcolor": theme.INK,
            },
            edge_attr={"dir": "both", **_strokes(Pen())},
        )
        self._nodes = 0
        self._anchor = ""

    def source(self, width: float, height: float) -> str:
        """The DOT text of a sheet of this size."""
        self._graph.attr(
            "graph",
            bgcolor=theme.PAPER,
            notranslate="true",
            pad="0",
            viewport=f"{width:.0f},{height:.0f},1,{width / 2:.2f},{-height / 2:.2f}",
        )
        source: str = self._graph.source
        return source

    def line(
        self,
        strokes: Iterable[Sequence[Point]],
        pen: Pen,
        *,
        classes: str = "",
        name: str = "",
        tip: str = "",
    ) -> None:
        """Draw lines through points as one thing: the tail begins the first, the head ends all.

        A line with a head stops short of it, as Graphviz draws them.
        """
        drawn = [_without_repeats(stroke) for stroke in strokes]
        if not drawn:
            return
        splines = []
        for index, stroke in enumerate(drawn):
            ends, points = "", stroke
            if index == 0 and pen.tail != "none":
                ends += f"s,{_xy(stroke[0])} "
                points = _shortened(points[::-1], pen.tail, pen)[::-1]
            if index == len(drawn) - 1 and pen.head != "none":
                ends += f"e,{_xy(stroke[-1])} "
                points = _shortened(points, pen.head, pen)
            splines.append(ends + " ".join(_bezier(points)))
        if not self._anchor:  # drawn over the nodes before it, under those after it
            self._anchor = self._node({"style": "invis", "pos": "0,0"})
        drawn_with = {key: value for key, value in _strokes(pen).items() if value != _PLAIN[key]}
        for first in range(0, len(splines), _SPLINES):
            attributes = {
                "pos": ";".join(splines[first : first + _SPLINES]),
                **drawn_with,
                **_marks(classes, "" if first else name, tip),
            }
            edge = f"{self._anchor} -> {self._anchor}"
            self._graph.body.append(f"\t{edge} [{_listed(attributes)}]\n")

    def box(
        self,
        box: Box,
        fill: str,
        *,
        outline: str = "",
        dashed: bool = False,
        classes: str = "",
        name: str = "",
        tip: str = "",
    ) -> None:
        """Draw a filled rectangle."""
        attributes = {**_place(box), "fillcolor": fill}
        if outline:
            attributes |= {"color": outline, "penwidth": "0.8"}
        if dashed:
            attributes["style"] = "filled,dashed"
        self._node({**attributes, **_marks(classes, name, tip)})
        self._anchor = ""

    def text(
        self,
        box: Box,
        lines: Sequence[str],
        *,
        align: Align = "centre",
        size: float = theme.SMALL,
        face: Face = "",
        color: str = theme.INK,
        classes: str = "",
        name: str = "",
        tip: str = "",
    ) -> None:
        """Write lines into a rectangle of paper, which hides what is behind them."""
        end = _LINE_END[align]
        attributes = {**_place(box), "label": "".join(label(line) + end for line in lines)}
        if size != theme.SMALL:
            attributes["fontsize"] = f"{size:g}"
        if color != theme.INK:
            attributes["fontcolor"] = color
        if face:
            attributes["fontname"] = _FACES[face]
        self._node({**attributes, **_marks(classes, name, tip)})
        self._anchor = ""

    def _node(self, attributes: dict[str, str]) -> str:
        name = f"n{self._nodes}"
        self._nodes += 1
        self._graph.body.append(f"\t{name} [{_listed(attributes)}]\n")
        return name


def _listed(attributes: dict[str, str]) -> str:
    # The package's own node() and edge() examine every value, which takes longer than Graphviz
    # takes to draw it; only label and tooltip hold text from outside.
    return " ".join(
        f"{key}={quote(value)}" if key in ("label", "tooltip") else f'{key}="{value}"'
        for key, value in attributes.items()
    )


def _strokes(pen: Pen) -> dict[str, str]:
    return {
        "color": pen.color,
        "penwidth": f"{pen.width:g}",
        "style": pen.style,
        "arrowhead": pen.head,
        "arrowtail": pen.tail,
        "arrowsize": f"{pen.size:g}",
    }


_PLAIN: Final = _strokes(Pen())


def _marks(classes: str, name: str, tip: str) -> dict[str, str]:
    marks = {"class": classes, "id": name, "tooltip": tip and tooltip(tip)}
    return {key: mark for key, mark in marks.items() if mark}


def _place(box: Box) -> dict[str, str]:
    centre = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    return {
        "pos": _xy(centre),
        "width": f"{(box.right - box.left) / 72:.4f}",
        "height": f"{(box.bottom - box.top) / 72:.4f}",
    }


def _xy(point: Point) -> str:
    return f"{point[0]:.2f},{-point[1]:.2f}"


def _without_repeats(stroke: Sequence[Point]) -> list[Point]:
    """At least two points, none twice in a row."""
    kept = [stroke[0]]
    kept.extend(point for point in stroke[1:] if point != kept[-1])
    return kept if len(kept) > 1 else [*kept, (kept[0][0], kept[0][1] + 0.01)]


def _shortened(stroke: Sequence[Point], head: str, pen: Pen) -> list[Point]:
    """The stroke without the last bit, which its head covers."""
    (x0, y0), (x1, y1) = stroke[-2:]
    length = max(abs(complex(x1 - x0, y1 - y0)), 0.01)
    kept = max(length - 10 * pen.size * _HEADS.get(head, 1), 0.01) / length
    return [*stroke[:-1], (x0 + (x1 - x0) * kept, y0 + (y1 - y0) * kept)]


_HEADS: Final = {"tee": 0.25, "dot": 0.8, "odot": 0.8}  # lengths in ten sizes; others have 1


def _bezier(stroke: Sequence[Point]) -> Iterable[str]:
    """Straight lines as the cubic Bezier curves that Graphviz reads."""
    yield _xy(stroke[0])
    for (x0, y0), (x1, y1) in pairwise(stroke):
        yield _xy((x0 + (x1 - x0) / 3, y0 + (y1 - y0) / 3))
        yield _xy((x0 + (x1 - x0) * 2 / 3, y0 + (y1 - y0) * 2 / 3))
        yield _xy((x1, y1))
