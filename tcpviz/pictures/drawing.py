"""Lines, boxes and text at exact places, written as DOT, and how wide text is.

Knows how a pinned graph makes Graphviz draw just that, and quickly. Must not know what a picture
shows. Measures are points, y grows downward.
"""

import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain, pairwise
from math import ceil, floor
from typing import Final, Literal, NamedTuple

import graphviz

from tcpviz.pictures import theme
from tcpviz.pictures.engine import drawable, label, tooltip

Point = tuple[float, float]
Face = Literal["", "bold", "italic"]
Align = Literal["left", "centre", "right"]


class _Widths(dict[str, float]):
    """How wide a character is, in sizes."""

    def __missing__(self, char: str) -> float:
        return 1.0 if unicodedata.east_asian_width(char) in "WF" else 0.7


_FACES: Final = {"": theme.FONT, "bold": "Helvetica-Bold", "italic": "Helvetica-Oblique"}
_LINE_END: Final = {"left": r"\l", "centre": r"\n", "right": r"\r"}
_SIDES: Final = {"left": -1, "centre": 0, "right": 1}
_WIDTHS: Final = _Widths(
    {
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
)
_WIDER: Final = {"": 1.0, "bold": 1.07, "italic": 1.12}  # often another family stands in
_SLACK: Final = 1.06  # a reader's font may be a little wider than Helvetica
LINE: Final = 1.2  # the height of a line, in sizes


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, face: Face = "") -> float:
    """About how wide a line is in Helvetica or a font of its widths, in pt, with some slack.

    >>> round(text_width("SYN,ACK", 10))
    47
    """
    return sum(map(_WIDTHS.__getitem__, text)) * size * _SLACK * _WIDER[face]


def wrapped(text: str, width: float, size: float) -> list[str]:
    """The text in lines of at most this width; no text is one empty line.

    >>> wrapped("error: connection reset", 100, 10)
    ['error: connection', 'reset']
    """
    if text == " ".join(text.split()) and text_width(text, size) <= width:
        return [text]
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
    """What has been drawn so far: the ground, and parts that lie over it.

    A part has a class or an id, by which it is found again, or a head: a line becomes an edge, a
    box or a text a node, and all nodes lie over all edges. Whatever has none is ground, which takes
    Graphviz a fifth of the time: first its lines, over them its papers, over them its texts.
    """

    def __init__(self) -> None:
        """Start with an empty sheet."""
        self._lines: list[tuple[str, str]] = []
        self._papers: list[tuple[str, str]] = []
        self._texts: list[tuple[str, str]] = []
        self._parts: list[str] = []

    def source(self, width: float, height: float) -> str:
        """The DOT text of a sheet of this size."""
        ground = _LINE_BREAK.join(_operations(chain(self._lines, self._papers, self._texts)))
        view = f"{width:.0f},{height:.0f},1,{width / 2:.2f},{-height / 2:.2f}"
        sheet = f'\tgraph [viewport="{view}" _background="{ground}"]\n'
        source: str = graphviz.Digraph(body=[_DEFAULTS, sheet, *self._parts]).source
        return source

    def line(
        self,
        strokes: Iterable[Sequence[Point]],
        pen: Pen,
        *,
        classes: str = "",
        name: str = "",
        tip: str = "",
        text: tuple[Point, Sequence[str]] | None = None,
    ) -> None:
        """Draw lines through points as one thing: the tail begins the first, the head ends all.

        A line with a head stops short of it, as Graphviz draws them. A text goes with it, around a
        point and in the colour of its pen.
        """
        if not (classes or name or pen.head != "none"):
            settings = _pen(pen)
            for points in strokes:
                self._lines.append((settings, f"L {len(points)} {_spaced(points)}"))
            return
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
            splines.append(ends + _bezier(points))
        written = ""
        if text and text[1]:
            written = r"\n".join(map(label, text[1]))
            written = f' label="{written}" lp="{_xy(text[0])}"'
        self.edge(f";{_LINE_BREAK}".join(splines), pen, classes, name, tip, written)

    def edge(
        self,
        spline: str,
        pen: Pen,
        classes: str,
        name: str,
        tip: str = "",
        more: str = "",
        ends: str = "sheet -> sheet",
    ) -> None:
        """Draw a line as Graphviz writes it in `pos`."""
        self._parts.append(
            f'\t{ends} [pos="{spline}"{_edge(pen)}{_marks(classes, name, tip)}{more}]\n'
        )

    def paper(self, box: Box) -> None:
        """Hide the lines of the ground behind a rectangle."""
        left, top = floor(box.left), floor(box.top)
        right, bottom = ceil(box.right), ceil(box.bottom)
        corners = f"{left} {-top} {right} {-top} {right} {-bottom} {left} {-bottom}"
        self._papers.append((_PAPER, f"P 4 {corners}"))

    def box(
        self,
        box: Box,
        fill: str,
        *,
        outline: str = "",
        dashed: bool = False,
        text: str = "",
        classes: str = "",
        name: str = "",
        tip: str = "",
    ) -> None:
        """Draw a filled rectangle, and in the middle of it a text in the colour of its outline."""
        attributes = f' fillcolor="{fill}"'
        if outline:
            attributes += f' color="{outline}" penwidth=0.75'
        if dashed:
            attributes += ' style="filled,dashed"'
        if text:
            attributes += f' label="{label(text)}" fontcolor="{outline}"'
        self.node(box, attributes, classes, name, tip)

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
        """Write lines into a rectangle; a part hides with it what is behind."""
        # In the ground, no two versions of Graphviz count the octets of a backslash alike.
        if not (classes or name or "\\" in "".join(lines)):
            left, top, right, bottom = box
            side = _SIDES[align]
            x = left if side < 0 else right if side > 0 else (left + right) / 2
            y = (top + bottom - (len(lines) - 1) * size * LINE) / 2 + round(0.4 * size)
            settings = _font(size, face, color)
            for line in map(drawable, lines):
                octets, shown = len(line.encode()), line.replace('"', r"\"")
                self._texts.append((settings, f"T {x:.7g} {-y:.7g} {side} 0 {octets} -{shown}"))
                y += size * LINE
            return
        end = _LINE_END[align]
        written = "".join([label(line) + end for line in lines])
        self.node(box, f' label="{written}"{_label(size, face, color)}', classes, name, tip)

    def node(self, box: Box, attributes: str, classes: str, name: str, tip: str = "") -> None:
        """Draw a node that fills a rectangle; Graphviz takes sizes in inches."""
        left, top, right, bottom = box
        self._parts.append(
            f'\t{name or "n" + str(len(self._parts))} [pos="{(left + right) / 2:.7g},'
            f'{(top + bottom) / -2:.7g}" width={(right - left) / 72:.5g} '
            f"height={(bottom - top) / 72:.5g}{attributes}{_marks(classes, name, tip)}]\n"
        )


_LINE_BREAK: Final = "\\\n"  # within a value; some versions read at most 16384 characters without
_DEFAULTS: Final = (
    f'\tgraph [bgcolor="{theme.PAPER}" notranslate=true outputorder=edgesfirst pad=0]\n'
    '\tnode [shape=box label="" margin=0 fixedsize=true style=filled penwidth=0 '
    f'color="{theme.PAPER}" fillcolor="{theme.PAPER}" '
    f'fontname="{theme.FONT}" fontsize={theme.SMALL:g} fontcolor="{theme.INK}"]\n'
    f'\tedge [dir=both arrowhead=none arrowtail=none color="{theme.INK}" '
    f'fontname="{theme.FONT}" fontsize={theme.SMALL:g}]\n'
    '\tsheet [pos="0,0" style=invis]\n'
)


@cache
def _edge(pen: Pen) -> str:
    """The attributes of an edge."""
    attributes = f' color="{pen.color}" fontcolor="{pen.color}" penwidth={pen.width:g}'
    attributes += f" style={pen.style}" if pen.style != "solid" else ""
    attributes += f" arrowhead={pen.head}" if pen.head != "none" else ""
    attributes += f" arrowtail={pen.tail}" if pen.tail != "none" else ""
    return attributes + f" arrowsize={pen.size:g}"


@cache
def _label(size: float, face: Face, color: str) -> str:
    """The attributes of a node with text."""
    attributes = f" fontsize={size:g}" if size != theme.SMALL else ""
    attributes += f' fontname="{_FACES[face]}"' if face else ""
    return attributes + (f' fontcolor="{color}"' if color != theme.INK else "")


def _marks(classes: str, name: str, tip: str) -> str:
    marks = f' class="{classes}"' if classes else ""
    if name:
        marks += f' id="{name}"'
    return f'{marks} tooltip="{tooltip(tip)}"' if tip else marks


# The ground is written in xdot, the operations of Graphviz's own `_background`.


@cache
def _pen(pen: Pen) -> str:
    width = f"setlinewidth({pen.width:g})"
    return f"c 7 -{pen.color} S {len(width)} -{width} S {len(pen.style)} -{pen.style}"


_PAPER: Final = f"C 7 -{theme.PAPER} {_pen(Pen(theme.PAPER))}"


@cache
def _font(size: float, face: Face, color: str) -> str:
    font = _FACES[face]
    return f"c 7 -{color} F {size:g} {len(font)} -{font}"


def _operations(marks: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Each mark with its settings, where they are not those of the mark before."""
    last = ""
    for settings, mark in marks:
        if settings != last:
            yield f"{settings} "
            last = settings
        yield f"{mark} "


def _xy(point: Point) -> str:
    return f"{point[0]:.7g},{-point[1]:.7g}"


def _spaced(points: Iterable[Point]) -> str:
    return " ".join([f"{x:.7g} {-y:.7g}" for x, y in points])


def _without_repeats(stroke: Sequence[Point]) -> Sequence[Point]:
    """At least two points, none twice in a row."""
    kept = [stroke[0], *(point for before, point in pairwise(stroke) if point != before)]
    return kept if len(kept) > 1 else [*kept, (kept[0][0], kept[0][1] + 0.01)]


def _shortened(stroke: Sequence[Point], head: str, pen: Pen) -> list[Point]:
    """The stroke without the last bit, which its head covers."""
    (x0, y0), (x1, y1) = stroke[-2:]
    length = max(abs(complex(x1 - x0, y1 - y0)), 0.01)
    kept = max(length - 10 * pen.size * _HEADS.get(head, 1), 0.01) / length
    x = x0 + (x1 - x0) * kept
    if abs(x1 - x0) > length / 2:
        x = round(x)
        kept = (x - x0) / (x1 - x0)
    return [*stroke[:-1], (x, y0 + (y1 - y0) * kept)]


_HEADS: Final = {"tee": 0.25, "dot": 0.8, "odot": 0.8}  # lengths in ten sizes; others have 1


def _bezier(stroke: Sequence[Point]) -> str:
    """Straight lines as the cubic Bezier curves that Graphviz reads."""
    # A point that both controls share makes a straight line too, and numbers are what Graphviz
    # takes longest to read and to write: those of the start are often whole.
    written = _xy(stroke[0])
    for start, stop in pairwise(map(_xy, stroke)):
        written += f" {start} {start} {stop}"
    return written
