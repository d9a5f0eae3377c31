"""The operations of xdot, in which Graphviz takes a ready drawing as a picture's background.

Knows how shapes and their settings are written. Must not know layers, or what a picture shows.
Measures are points, y grows downward; in xdot it grows upward.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from math import hypot
from typing import Final, Literal, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.lettering import Face

Point = tuple[float, float]
Settings = tuple[tuple[str, str], ...]
Operation = tuple[Settings, str]  # what must be set for it, and itself


class Numbers(dict[float, str]):
    """How the measures of one sheet are written: many occur again and again."""

    def __missing__(self, number: float) -> str:
        self[number] = written = f"{number:.2f}" if number % 1 else str(int(number))
        return written


class Box(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> "Box":
        """The rectangle of this size with its centre at a point."""
        across, down = width / 2, height / 2
        return tuple.__new__(cls, (x - across, y - down, x + across, y + down))


class Pen(NamedTuple):
    """How a line is drawn; `head` is one of Graphviz's arrow shapes."""

    color: str = theme.INK
    width: float = 1.0
    style: str = "solid"
    head: str = "none"
    size: float = 0.7


@cache
def line_settings(pen: Pen) -> Settings:
    """What must be set for a line."""
    width = f"setlinewidth({pen.width:g})"
    return (
        ("color", f"c 7 -{pen.color}"),
        ("width", f"S {len(width)} -{width}"),
        ("style", f"S {len(pen.style)} -{pen.style}"),
    )


@cache
def shape_settings(fill: str, pen: Pen) -> Settings:
    """What must be set for a filled shape and its outline."""
    return ("fill", f"C 7 -{fill}"), *line_settings(pen)


@cache
def fill_settings(fill: str) -> Settings:
    """Without an outline: a line of no width has any colour."""
    _color, *outline = line_settings(Pen(width=0))
    return ("fill", f"C 7 -{fill}"), *outline


@cache
def head_settings(pen: Pen) -> Settings:
    """A head is filled and has a solid outline, whatever its line has."""
    return shape_settings(pen.color, pen._replace(style="solid"))


@cache
def font_settings(size: float, face: Face, color: str) -> Settings:
    """What must be set for text."""
    font = theme.FACES[face]
    return ("color", f"c 7 -{color}"), ("font", f"F {size:g} {len(font)} -{font}")


def change(settings: Settings, now: dict[str, str], written: list[str]) -> None:
    """Write those settings that are not in force already."""
    for what, setting in settings:
        if now.get(what) != setting:
            now[what] = setting
            written.append(setting)


def stroke(kind: Literal["b", "B", "L"], points: Sequence[Point], numbers: Numbers) -> str:
    """A line through points (`L`), or a Bezier curve (`B`), which may be filled (`b`)."""
    if len(points) == 2:  # as most have
        (x0, y0), (x1, y1) = points
        return f"{kind} 2 {numbers[x0]} {numbers[-y0]} {numbers[x1]} {numbers[-y1]}"
    return f"{kind} {len(points)} " + " ".join([f"{numbers[x]} {numbers[-y]}" for x, y in points])


@cache  # few routes, drawn often
def curve(points: tuple[Point, ...], end: Point, pen: Pen) -> tuple[Operation, Operation]:
    """A Bezier curve, and the head of it, which reaches to its end."""
    numbers = Numbers()
    (x0, y0), (x1, y1) = points[-1], end
    length = hypot(x1 - x0, y1 - y0)
    ends = head(end, (x1 - x0) / length, (y1 - y0) / length, pen, numbers)
    return (line_settings(pen), stroke("B", points, numbers)), (head_settings(pen), ends)


def rectangle(box: Box, numbers: Numbers) -> str:
    """A filled rectangle."""
    left, top, right, bottom = box
    x0, y0, x1, y1 = numbers[left], numbers[-top], numbers[right], numbers[-bottom]
    return f"P 4 {x0} {y0} {x1} {y0} {x1} {y1} {x0} {y1}"


def ellipse(box: Box, numbers: Numbers) -> str:
    """A filled ellipse."""
    left, top, right, bottom = box
    center = f"{numbers[(left + right) / 2]} {numbers[-(top + bottom) / 2]}"
    return f"E {center} {numbers[(right - left) / 2]} {numbers[(bottom - top) / 2]}"


@lru_cache(maxsize=64)  # the boxes of states
def rounded(box: Box) -> str:
    """A filled rectangle whose corners are nearly quarters of a circle, clockwise."""
    left, top, right, bottom = box
    points: list[Point] = [(left + _RADIUS, top)]
    for x, y, inward, downward in (
        (right, top, -1, 1),
        (right, bottom, -1, -1),
        (left, bottom, 1, -1),
        (left, top, 1, 1),
    ):
        bend = [
            (x + inward * _RADIUS, y),
            (x + inward * _HANDLE, y),
            (x, y + downward * _HANDLE),
            (x, y + downward * _RADIUS),
        ]
        if inward == downward:
            bend.reverse()
        points += [points[-1], bend[0], *bend]
    return stroke("b", points, Numbers())


def headed(points: Sequence[Point], pen: Pen, numbers: Numbers) -> tuple[Sequence[Point], str]:
    """A stroke without the last bit, and the head that covers this."""
    (x0, y0), end = points[-2:]
    across, down = end[0] - x0, end[1] - y0
    length = hypot(across, down) or 0.01
    drawn = head(end, across / length, down / length, pen, numbers)
    rest = length - _LENGTHS[pen.head] * pen.size
    kept = (rest if rest > 0.01 else 0.01) / length
    x = x0 + across * kept
    if abs(across) > length / 2:
        x = round(x)
        kept = (x - x0) / across
    return (*points[:-1], (x, y0 + down * kept)), drawn


def head(end: Point, ahead_x: float, ahead_y: float, pen: Pen, numbers: Numbers) -> str:
    """What ends a stroke, outline and all, at a point; it points ahead by 1 pt along both axes."""
    x, y = end
    _color, width, _style, kind, size = pen
    if kind in ("dot", "odot"):
        radius = 4 * size
        center = f"{numbers[x - radius * ahead_x]} {numbers[radius * ahead_y - y]}"
        return f"{'E' if kind == 'dot' else 'e'} {center} {radius:g} {radius:g}"
    back, half, reach = round(_MITER * width), _HALVES[kind] * size, 10 * size
    x, y = x - back * ahead_x, y - back * ahead_y  # the tip
    base_x, base_y = x - reach * ahead_x, y - reach * ahead_y
    aside_x, aside_y = half * ahead_y, half * ahead_x
    corners = (  # they hardly occur again
        f"{base_x - aside_x:.2f} {-base_y - aside_y:.2f} {x:.2f} {-y:.2f} "
        f"{base_x + aside_x:.2f} {aside_y - base_y:.2f}"
    )
    if kind == "vee":
        third = reach / 3
        return f"P 4 {corners} {x - third * ahead_x:.2f} {third * ahead_y - y:.2f}"
    return f"P 3 {corners}"


def touches(operation: str, sheet: Box) -> bool:
    """Whether anything of an operation lies on the sheet; of text, where it is written.

    >>> touches("L 2 -5 -5 5 -5", Box(0, 0, 9, 9)), touches("T 5 -12 0 0 2 -no", Box(0, 0, 9, 9))
    (True, False)
    """
    kind, *rest = operation.split(" ")
    numbers = [float(number) for number in rest[: 4 if kind in "EeT" else None]]
    if kind in "EeT":
        x, y, wide, high = numbers if kind != "T" else (*numbers[:2], 0.0, 0.0)
        numbers = [0.0, x - wide, y - high, x + wide, y + high]
    xs, ys = numbers[1::2], [-number for number in numbers[2::2]]
    left, top, right, bottom = sheet
    return left <= max(xs) and min(xs) <= right and top <= max(ys) and min(ys) <= bottom


_LENGTHS: Final = {"normal": 10, "vee": 10, "dot": 8, "odot": 8}  # of a head of size 1
_RADIUS: Final = 12  # pt, of a rounded corner
_HANDLE: Final = 5  # pt from the corner to the handles of its curve
_HALVES: Final = {"normal": 3.5, "vee": 4.5}  # half the width of a head of size 1
_MITER: Final = 1.5  # so many pen widths does the outline stand out over the tip
