"""Lines, boxes and text at exact places, written as DOT.

Knows how a pinned graph makes Graphviz draw just that, and quickly. Must not know what a picture
shows. Measures are points, y grows downward.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, islice, pairwise
from math import ceil, floor
from typing import Final, Literal

import graphviz

from tcpviz.pictures import theme, xdot
from tcpviz.pictures.engine import label, tooltip
from tcpviz.pictures.lettering import LINE, Face, text_width
from tcpviz.pictures.marks import Mark
from tcpviz.pictures.xdot import Box, Pen, Point

__all__ = ["Align", "Box", "Drawing", "Pen", "Point"]

Align = Literal["left", "centre", "right"]
Shape = Literal["rectangle", "rounded", "ellipse"]

_LINE_END: Final = {"left": r"\l", "centre": r"\n", "right": r"\r"}
_SIDES: Final = {"left": -1, "centre": 0, "right": 1}


class _Parts:
    """The parts of one layer: what they consist of, and how many shapes have which mark."""

    def __init__(self) -> None:
        self.operations: list[xdot.Operation] = []
        self.runs: list[tuple[Mark | None, int]] = []

    def add(self, mark: Mark | None, operations: Sequence[xdot.Operation]) -> None:
        """Put a part on top."""
        self.operations += operations
        self.runs.append((mark, len(operations)))

    def keep(self, sheet: Box) -> None:
        """Leave out what is off the sheet."""
        each, operations, runs = iter(self.operations), [], []
        for mark, count in self.runs:
            kept = [one for one in islice(each, count) if xdot.touches(one[1], sheet)]
            operations += kept
            if kept:
                runs.append((mark, len(kept)))
        self.operations, self.runs = operations, runs


class Drawing:
    """What has been drawn so far, in layers: the ground, and parts that lie over it.

    A part has a class or an id, by which it is found again, or a head. Of the ground, the lines lie
    below, over them papers, over them texts; then come the parts that are lines, and over them
    those that are boxes and texts. All this is written as background, which takes Graphviz a fifth
    of the time; `marks` are to be put back into the picture that it draws. Only text that
    cannot be background is a node, over all.
    """

    def __init__(self) -> None:
        """Start with an empty sheet; `prefix` keeps the ids of two charts on it apart."""
        self.prefix = ""
        self._lines: dict[xdot.Settings, list[str]] = defaultdict(list)
        self._papers: dict[xdot.Settings, list[str]] = defaultdict(list)
        self._texts: dict[xdot.Settings, list[str]] = defaultdict(list)
        self._strokes = _Parts()
        self._boxes = _Parts()
        self._nodes: list[str] = []
        self._numbers = xdot.Numbers()
        self._reached: list[float] = []  # x, y, x, y ...

    @property
    def marks(self) -> tuple[tuple[Mark | None, int], ...]:
        """The marks of the shapes of the background, in order, each with how many have it."""
        ground = (self._lines, self._papers, self._texts)
        shapes = sum(len(operations) for layer in ground for operations in layer.values())
        return (None, shapes), *self._strokes.runs, *self._boxes.runs

    def source(self, width: float, height: float, top: float = 0) -> str:
        """The DOT text of a sheet of this size; what lies above `top` is not on it."""
        self._clip(Box(0, top, width, top + height))
        written: list[str] = []
        now: dict[str, str] = {}
        for layer in (self._lines, self._papers, self._texts):
            for settings, operations in layer.items():
                xdot.change(settings, now, written)
                written += operations
        last: xdot.Settings = ()
        for settings, operation in chain(self._strokes.operations, self._boxes.operations):
            if settings is not last:
                last = settings
                xdot.change(settings, now, written)
            written.append(operation)
        some = range(0, len(written), _TOGETHER)
        ground = _LINE_BREAK.join([" ".join(written[at : at + _TOGETHER]) for at in some])
        view = f"{width:.0f},{height:.0f},1,{width / 2:.2f},{-top - height / 2:.2f}"
        sheet = f'\tgraph [viewport="{view}" _background="{ground} "]\n'
        nodes = [_NODES, *self._nodes] if self._nodes else []
        source: str = graphviz.Digraph(body=[_SHEET, sheet, *nodes]).source
        return source

    def _clip(self, sheet: Box) -> None:
        """Leave out what is off the sheet: Graphviz would, and the marks would not fit."""
        if not self._reached:
            return
        xs, ys = self._reached[::2], self._reached[1::2]
        left, top, right, bottom = sheet
        if left <= min(xs) and top <= min(ys) and max(xs) <= right and max(ys) <= bottom:
            return
        for layer in (self._lines, self._papers, self._texts):
            for operations in layer.values():
                operations[:] = [each for each in operations if xdot.touches(each, sheet)]
        self._strokes.keep(sheet)
        self._boxes.keep(sheet)

    def line(
        self,
        strokes: Iterable[Sequence[Point]],
        pen: Pen,
        *,
        classes: str = "",
        name: str = "",
        tip: str = "",
        text: tuple[Point, Sequence[str]] | None = None,
        over: bool = False,
    ) -> None:
        """Draw lines through points as one thing, a head at the end of the last.

        A line with a head stops short of it. A text goes with it, around a point and in the colour
        of its pen. What has a class or an id may lie `over` the boxes drawn before.
        """
        settings, numbers = xdot.line_settings(pen), self._numbers
        if not (classes or name or pen.head != "none"):
            written = []
            for points in strokes:
                self._reached += *points[0], *points[-1]
                written.append(xdot.stroke("L", points, numbers))
            if written:
                self._lines[settings] += written
            return
        operations: list[xdot.Operation] = []
        points = ()
        for stroke in strokes:
            if points:
                operations.append((settings, xdot.stroke("L", points, numbers)))
            points = _without_repeats(stroke)
            self._reached += *points[0], *points[-1]
        if not points:
            return
        if pen.head == "none":
            operations.append((settings, xdot.stroke("L", points, numbers)))
        else:
            points, head = xdot.headed(points, pen, numbers)
            operations.append((settings, xdot.stroke("L", points, numbers)))
            operations.append((xdot.head_settings(pen), head))
        if text and text[1]:
            (x, y), lines = text
            if _is_plain(lines):
                box = Box(x, y, x, y)
                font = xdot.font_settings(theme.SMALL, "", pen.color)
                said = self._written(box, lines, "centre", theme.SMALL)
                operations += [(font, line) for line in said]
            else:
                width = max(text_width(line, theme.SMALL) for line in lines)
                box = Box.around(x, y, width, len(lines) * theme.SMALL * LINE)
                self.text(box, lines, color=pen.color, classes=classes, name=f"{name}_text")
        mark = self._mark("edge", classes, name, tip)
        (self._boxes if over else self._strokes).add(mark, operations)

    def curve(
        self,
        points: tuple[Point, ...],
        end: Point,
        pen: Pen,
        classes: str,
        name: str,
        tip: str = "",
    ) -> None:
        """Draw a Bezier curve with a head that reaches to the end."""
        self._reached += *points[0], *end
        self._strokes.add(self._mark("edge", classes, name, tip), xdot.curve(points, end, pen))

    def paper(self, box: Box) -> None:
        """Hide the lines of the ground behind a rectangle, by a line as thick as it is high."""
        left, top, right, bottom = box
        y, half = round((top + bottom) / 2), ceil((bottom - top) / 2)
        self._reached += left, y
        self._papers[_paper(2 * half)].append(f"L 2 {floor(left)} {-y} {ceil(right)} {-y}")

    def box(
        self,
        box: Box,
        fill: str,
        outline: Pen,
        *,
        shape: Shape = "rectangle",
        text: tuple[Sequence[str], float, str] = ((), theme.SMALL, theme.INK),
        classes: str = "",
        name: str = "",
        tip: str = "",
    ) -> None:
        """Draw a filled shape, and in the middle of it lines of text of a size and a colour."""
        if shape == "rounded":
            drawn = xdot.rounded(box)
        else:
            draw = xdot.ellipse if shape == "ellipse" else xdot.rectangle
            drawn = draw(box, self._numbers)
        left, top, right, bottom = box
        self._reached += (left + right) / 2, (top + bottom) / 2
        operations = [(xdot.shape_settings(fill, outline), drawn)]
        lines, size, color = text
        if lines:
            font = xdot.font_settings(size, "", color)
            operations += [(font, line) for line in self._written(box, lines, "centre", size)]
        self._boxes.add(self._mark("node", classes, name, tip), operations)

    def frame(self, box: Box, pen: Pen, classes: str) -> None:
        """Draw a rounded outline around what was drawn before."""
        outline = "B" + xdot.rounded(box)[1:]
        self._boxes.add(self._mark("node", classes, "", ""), [(xdot.line_settings(pen), outline)])

    def text(
        self,
        box: Box,
        lines: Sequence[str],
        *,
        align: Align = "centre",
        size: float = theme.SMALL,
        face: Face = "",
        color: str = theme.INK,
        fill: str = theme.PAPER,
        classes: str = "",
        name: str = "",
        tip: str = "",
    ) -> None:
        """Write lines into a rectangle; a part hides with its fill what is behind."""
        if not _is_plain(lines):
            end = _LINE_END[align]
            written = "".join([label(line) + end for line in lines])
            attributes = f' label="{written}"{_label(size, face, color, fill)}'
            self._node(box, attributes, classes, name, tip)
            return
        font = xdot.font_settings(size, face, color)
        if not (classes or name):
            self._texts[font] += self._written(box, lines, align, size)
            return
        operations = [(xdot.fill_settings(fill), xdot.rectangle(box, self._numbers))]
        operations += [(font, line) for line in self._written(box, lines, align, size)]
        self._boxes.add(self._mark("node", classes, name, tip), operations)

    def _written(self, box: Box, lines: Sequence[str], align: Align, size: float) -> list[str]:
        """The operations that write lines into a rectangle; their heights are whole."""
        left, top, right, bottom = box
        side = _SIDES[align]
        at = left if side < 0 else right if side > 0 else (left + right) / 2
        x = self._numbers[at]
        step = size * LINE
        rest = (len(lines) - 1) * step
        y = (top + bottom - rest) / 2 + round(0.4 * size)
        self._reached += at, y, at, y + rest
        written = []
        for line in lines:
            if line:
                octets = len(line) if line.isascii() else len(line.encode())
                shown = line.replace('"', r"\"")
                written.append(f"T {x} {round(-y)} {side} 0 {octets} -{shown}")
            y += step
        return written

    def _mark(
        self, kind: Literal["edge", "node"], classes: str, name: str, tip: str
    ) -> Mark | None:
        """What finds a part again: those that have no name get a number."""
        if name:
            return Mark(kind, classes, self.prefix + name, tip)
        if not classes:
            return None
        number = len(self._strokes.runs) + len(self._boxes.runs)
        return Mark(kind, classes, f"part{number}", tip)

    def _node(self, box: Box, attributes: str, classes: str, name: str, tip: str) -> None:
        """Draw a node that fills a rectangle; Graphviz takes sizes in inches."""
        left, top, right, bottom = box
        name = name and self.prefix + name
        self._nodes.append(
            f'\t{name or "n" + str(len(self._nodes))} [pos="{(left + right) / 2:.7g},'
            f'{(top + bottom) / -2:.7g}" width={(right - left) / 72:.5g} '
            f"height={(bottom - top) / 72:.5g}{attributes}{_marks(classes, name, tip)}]\n"
        )


@cache
def _paper(height: int) -> xdot.Settings:
    return xdot.line_settings(Pen(theme.PAPER, height))


_TOGETHER: Final = 32  # operations
_LINE_BREAK: Final = "\\\n"  # within a value; some versions read at most 16384 characters without
_SHEET: Final = (  # some version may draw nothing where there is no node
    f'\tgraph [bgcolor="{theme.PAPER}" notranslate=true pad=0]\n\tsheet [pos="0,0" style=invis]\n'
)
_NODES: Final = (
    '\tnode [shape=box label="" margin=0 fixedsize=true style=filled penwidth=0 '
    f'color="{theme.PAPER}" fillcolor="{theme.PAPER}" '
    f'fontname="{theme.FACES[""]}" fontsize={theme.SMALL:g} fontcolor="{theme.INK}"]\n'
)


@cache
def _label(size: float, face: Face, color: str, fill: str) -> str:
    """The attributes of a node with text."""
    attributes = f" fontsize={size:g}" if size != theme.SMALL else ""
    attributes += f' fontname="{theme.FACES[face]}"' if face else ""
    attributes += f' fillcolor="{fill}"' if fill != theme.PAPER else ""
    return attributes + (f' fontcolor="{color}"' if color != theme.INK else "")


def _marks(classes: str, name: str, tip: str) -> str:
    marks = f' class="{classes}"' if classes else ""
    if name:
        marks += f' id="{name}"'
    return f'{marks} tooltip="{tooltip(tip)}"' if tip else marks


def _is_plain(lines: Iterable[str]) -> bool:
    """Whether text can be background: no two versions count the octets of a backslash alike."""
    text = "".join(lines)
    return text.isprintable() and "\\" not in text


def _without_repeats(stroke: Sequence[Point]) -> Sequence[Point]:
    """At least two points, none twice in a row."""
    if len(stroke) == 2 and stroke[0] != stroke[1]:
        return stroke
    kept = [stroke[0], *(point for before, point in pairwise(stroke) if point != before)]
    return kept if len(kept) > 1 else [*kept, (kept[0][0], kept[0][1] + 0.01)]
