"""Lines, boxes and text at exact places, written as DOT.

Knows how a pinned graph makes Graphviz draw just that, and quickly. Must not know what a picture
shows. Measures are points, y grows downward.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, pairwise
from math import ceil, floor
from typing import Final, Literal, NamedTuple

import graphviz

from tcpviz.pictures import theme
from tcpviz.pictures.engine import label, tooltip
from tcpviz.pictures.lettering import LINE, Face, text_width
from tcpviz.pictures.marks import Mark

Point = tuple[float, float]
Align = Literal["left", "centre", "right"]


# Graphviz measures and writes a short name faster; the picture gets all families of the theme.
_FACES: Final = {"": "Helvetica", "bold": "Helvetica-Bold", "italic": "Helvetica-Oblique"}
_LINE_END: Final = {"left": r"\l", "centre": r"\n", "right": r"\r"}
_SIDES: Final = {"left": -1, "centre": 0, "right": 1}


class Box(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

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


_Settings = tuple[tuple[str, str], ...]
_Operation = tuple[_Settings, str, Mark | None]  # its settings, itself, and the mark of its shape


class Drawing:
    """What has been drawn so far, in layers: the ground, and parts that lie over it.

    A part has a class or an id, by which it is found again, or a head. Of the ground, the lines lie
    below, over them papers, over them texts; then come the parts that are lines, and over them
    those that are boxes and texts. All this is written as background, which takes Graphviz a fifth
    of the time; `marks` are to be put back into the picture that it draws. Only where a thing must
    be an edge or a node is it one, over all.
    """

    def __init__(self) -> None:
        """Start with an empty sheet."""
        self._lines: list[_Operation] = []
        self._papers: list[_Operation] = []
        self._texts: list[_Operation] = []
        self._strokes: list[_Operation] = []
        self._boxes: list[_Operation] = []
        self._parts: list[str] = []

    @property
    def _operations(self) -> Iterator[_Operation]:
        return chain(self._lines, self._papers, self._texts, self._strokes, self._boxes)

    @property
    def marks(self) -> tuple[Mark | None, ...]:
        """The mark of each shape of the background, in order."""
        return tuple(mark for _, _, mark in self._operations)

    def source(self, width: float, height: float) -> str:
        """The DOT text of a sheet of this size."""
        ground = _LINE_BREAK.join(_written(self._operations))
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

        A line with a head stops short of it. A text goes with it, around a point and in the colour
        of its pen.
        """
        settings = _pen(pen)
        if not (classes or name or pen.head != "none"):
            for points in strokes:
                self._lines.append((settings, f"L {len(points)} {_spaced(points)}", None))
            return
        drawn = [_without_repeats(stroke) for stroke in strokes]
        if not drawn:
            return
        mark = self._mark("edge", classes, name, tip)
        ends: list[tuple[str, Sequence[Point]]] = []
        if pen.tail != "none":
            ends.append((pen.tail, drawn[0][::-1]))
            drawn[0] = _shortened(drawn[0][::-1], pen.tail, pen)[::-1]
        if pen.head != "none":
            ends.append((pen.head, drawn[-1]))
            drawn[-1] = _shortened(drawn[-1], pen.head, pen)
        for stroke in drawn:
            self._strokes.append((settings, f"L {len(stroke)} {_spaced(stroke)}", mark))
        for head, stroke in ends:
            self._strokes.append((_head_pen(pen), _head(head, stroke, pen), mark))
        if text and text[1]:
            (x, y), lines = text
            if _is_plain(lines):
                box = Box.around(x, y, 0, 0)
                self._write(self._strokes, mark, box, lines, "centre", theme.SMALL, "", pen.color)
            else:
                width = max(text_width(line, theme.SMALL) for line in lines)
                box = Box.around(x, y, width, len(lines) * theme.SMALL * LINE)
                self.text(box, lines, color=pen.color, classes=classes, name=f"{name}_text")

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
        self._papers.append((_PAPER, _rectangle(Box(left, top, right, bottom)), None))

    def box(
        self,
        box: Box,
        fill: str,
        *,
        outline: str,
        dashed: bool = False,
        text: str = "",
        classes: str = "",
        name: str = "",
        tip: str = "",
    ) -> None:
        """Draw a filled rectangle, and in the middle of it a text in the colour of its outline."""
        mark = self._mark("node", classes, name, tip)
        settings = _filled(fill, Pen(outline, 0.75, "dashed" if dashed else "solid"))
        self._boxes.append((settings, _rectangle(box), mark))
        if text:
            self._write(self._boxes, mark, box, [text], "centre", theme.SMALL, "", outline)

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
        if not _is_plain(lines):
            end = _LINE_END[align]
            written = "".join([label(line) + end for line in lines])
            self.node(box, f' label="{written}"{_label(size, face, color)}', classes, name, tip)
        elif classes or name:
            mark = self._mark("node", classes, name, tip)
            self._boxes.append((_NO_OUTLINE, _rectangle(box), mark))
            self._write(self._boxes, mark, box, lines, align, size, face, color)
        else:
            self._write(self._texts, None, box, lines, align, size, face, color)

    def _write(
        self,
        layer: list[_Operation],
        mark: Mark | None,
        box: Box,
        lines: Sequence[str],
        align: Align,
        size: float,
        face: Face,
        color: str,
    ) -> None:
        left, top, right, bottom = box
        side = _SIDES[align]
        x = left if side < 0 else right if side > 0 else (left + right) / 2
        y = (top + bottom - (len(lines) - 1) * size * LINE) / 2 + round(0.4 * size)
        settings = _font(size, face, color)
        for line in lines:
            if line:
                octets = len(line) if line.isascii() else len(line.encode())
                shown = line.replace('"', r"\"")
                layer.append((settings, f"T {x:.7g} {-y:.7g} {side} 0 {octets} -{shown}", mark))
            y += size * LINE

    def _mark(
        self, kind: Literal["edge", "node"], classes: str, name: str, tip: str
    ) -> Mark | None:
        """What finds a part again: those that have no name get a number."""
        if not (classes or name):
            return None
        return Mark(kind, classes, name or f"part{len(self._strokes) + len(self._boxes)}", tip)

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
    f'fontname="Helvetica" fontsize={theme.SMALL:g} fontcolor="{theme.INK}"]\n'
    f'\tedge [dir=both arrowhead=none arrowtail=none color="{theme.INK}" '
    f'fontname="Helvetica" fontsize={theme.SMALL:g}]\n'
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
def _pen(pen: Pen) -> _Settings:
    width = f"setlinewidth({pen.width:g})"
    return (
        ("color", f"c 7 -{pen.color} "),
        ("width", f"S {len(width)} -{width} "),
        ("style", f"S {len(pen.style)} -{pen.style} "),
    )


@cache
def _filled(fill: str, pen: Pen) -> _Settings:
    return ("fill", f"C 7 -{fill} "), *_pen(pen)


_PAPER: Final = _filled(theme.PAPER, Pen(theme.PAPER))
_NO_OUTLINE: Final = _filled(theme.PAPER, Pen(theme.PAPER, 0))


@cache
def _head_pen(pen: Pen) -> _Settings:
    """A head is filled and has a solid outline, whatever its line has."""
    return _filled(pen.color, pen._replace(style="solid"))


@cache
def _font(size: float, face: Face, color: str) -> _Settings:
    font = _FACES[face]
    return ("color", f"c 7 -{color} "), ("font", f"F {size:g} {len(font)} -{font} ")


def _written(operations: Iterable[_Operation]) -> Iterator[str]:
    """Each operation after those of its settings that are not in force already."""
    last: _Settings = ()
    now: dict[str, str] = {}
    for settings, operation, _ in operations:
        if settings is not last:
            last = settings
            for what, setting in settings:
                if now.get(what) != setting:
                    now[what] = setting
                    yield setting
        yield f"{operation} "


def _is_plain(lines: Iterable[str]) -> bool:
    """Whether text can be background: no two versions count the octets of a backslash alike."""
    text = "".join(lines)
    return text.isprintable() and "\\" not in text


def _rectangle(box: Box) -> str:
    left, top, right, bottom = box
    return (
        f"P 4 {left:.7g} {-top:.7g} {right:.7g} {-top:.7g} "
        f"{right:.7g} {-bottom:.7g} {left:.7g} {-bottom:.7g}"
    )


def _head(head: str, stroke: Sequence[Point], pen: Pen) -> str:
    """What ends a stroke, outline and all, at its last point."""
    (x0, y0), (x1, y1) = stroke[-2:]
    length = max(abs(complex(x1 - x0, y1 - y0)), 0.01)
    ahead_x, ahead_y = (x1 - x0) / length, (y1 - y0) / length

    def point(back: float, aside: float) -> str:
        x, y = x1 - back * ahead_x - aside * ahead_y, y1 - back * ahead_y + aside * ahead_x
        return f"{x:.2f} {-y:.2f}"

    if head in ("dot", "odot"):
        radius = 4 * pen.size
        center = point(radius + pen.width / 2, 0)
        return f"{'E' if head == 'dot' else 'e'} {center} {radius:g} {radius:g}"
    reach, half, back = 10 * pen.size, _HALVES[head] * pen.size, _MITER * pen.width
    corners = [point(back + reach, half), point(back, 0), point(back + reach, -half)]
    if head == "vee":
        corners.append(point(back + reach / 3, 0))
    return f"P {len(corners)} {' '.join(corners)}"


_HALVES: Final = {"normal": 3.5, "vee": 4.5}  # half the width of a head of size 1
_MITER: Final = 1.5  # so many pen widths does the outline stand out over the tip


def _spaced(points: Iterable[Point]) -> str:
    return " ".join([f"{x:.7g} {-y:.7g}" for x, y in points])


def _without_repeats(stroke: Sequence[Point]) -> Sequence[Point]:
    """At least two points, none twice in a row."""
    if len(stroke) == 2 and stroke[0] != stroke[1]:
        return stroke
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


_HEADS: Final = {"dot": 0.8, "odot": 0.8}  # lengths in ten sizes; others have 1
