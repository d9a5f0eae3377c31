"""Drawing what is between the lifelines of a sequence chart: arrows, and labels that keep clear.

Knows the ways of the segments. Must not know what stands outside the lifelines.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain
from math import ceil, hypot
from typing import Final

from tcpviz.pictures import theme
from tcpviz.pictures.drawing import Box, Drawing, Pen, Point
from tcpviz.pictures.lettering import LINE, text_width
from tcpviz.pictures.placement import Board, Stroke, spread
from tcpviz.pictures.ways import Lines, Space, Way
from tcpviz.words import say

CLEAR: Final = 12  # pt between a lifeline and a label: room for an arrow's head
CROSS: Final = 5  # pt: half of the cross of a lost segment
_ROW: Final = theme.FONT_SIZE * LINE + 1
_ELBOW: Final = 30.0
_OVER: Final = 5.0  # pt that a label may stand out above the axis
_CROWD: Final = 3  # so many arrows side by side get labels of their own
_ASIDE: Final = (0, -4, 4, -8, 8, -12, 12, -16, 16)  # pt from the mark of a lost segment
_MARKED: Final = ("lost", "unsent", "on the way")  # there is room beyond the end of these
_PENS: Final = {
    "delivered": Pen(width=1.25, head="normal"),
    "lost": Pen(theme.RED, 1.25, "dashed"),
    "copy": Pen(width=1.25, style="dotted", head="normal"),
    "old": Pen(theme.QUIET, 3, head="normal", size=0.8),
    "unsent": Pen(theme.QUIET, 3, head="normal", tail="odot", size=0.8),
    "dropped": Pen(width=1.25),
    "on the way": Pen(width=1.25, style="dotted"),
    "departure": Pen(width=1.25, head="vee"),
    "arrival": Pen(width=1.25, head="normal"),
}
_GUESS: Final = Pen(theme.QUIET, 1, "dotted")
_HOLLOW: Final = Pen(theme.PAPER, 1.5)  # along the middle of what comes from another time
_HEAD: Final = 13.0  # pt of such a way that its head covers
_TAIL: Final = 7.0
_CROSSING: Final = Pen(theme.RED, 1.75)


def draw_sample(drawing: Drawing, x: float, y: float) -> None:
    """Draw a hollow arrow to explain it."""
    drawing.line([[(x, y), (x + 14, y)]], _PENS["old"]._replace(size=0.6), name="key_old")
    drawing.line([[(x, y), (x + 4, y)]], _HOLLOW, name="key_old_hollow")


def draw_arrows(drawing: Drawing, space: Space) -> None:
    """Draw all arrows and their labels, which lie over all arrows."""
    two_sided = all(end.observed for end in space.trace.ends)
    labels = _labels(space) if two_sided else _labels_in_rows(space)
    for way in space.ways:
        classes, tip, label = _classes(way), space.tip(way.flight), labels.get(way.name)
        if two_sided:
            _draw_way(drawing, way, classes, tip="" if label else tip)
        else:
            _draw_half(drawing, way, label, classes, tip)
        if label:
            box, lines = label
            drawing.text(
                box,
                lines,
                size=theme.FONT_SIZE,
                color=theme.RED if way.fashion in ("lost", "dropped") else theme.INK,
                classes=classes,
                name=f"{way.name}_label",
                tip=tip,
            )


def _classes(way: Way) -> str:
    steps = "".join([f" s{number}" for number in way.steps])
    return f"flight f{way.flight.number}{steps}"


def _draw_way(drawing: Drawing, way: Way, classes: str, tip: str) -> None:
    drawing.line(way.strokes, _PENS[way.fashion], classes=classes, name=way.name, tip=tip)
    if way.fashion in ("old", "unsent"):
        drawing.line(_inside(way), _HOLLOW, classes=classes, name=f"{way.name}_hollow")
    if way.fashion in ("lost", "dropped"):
        box = _mark(way)
        cross = [
            [(box.left, box.top), (box.right, box.bottom)],
            [(box.left, box.bottom), (box.right, box.top)],
        ]
        drawing.line(cross, _CROSSING, classes=classes, name=f"{way.name}_cross")


def _mark(way: Way) -> Box:
    """Where a segment died, was dropped, or came out of the network."""
    x, y = way.strokes[0][0] if way.fashion == "unsent" else way.strokes[-1][1]
    if way.fashion == "dropped":
        x, y = _along(way.strokes[-1], -2 * CROSS)
    return Box.around(x, y, 2 * CROSS, 2 * CROSS)


def _along(stroke: Stroke, by: float) -> Point:
    """So many pt from the beginning of a stroke, or, if negative, from its end."""
    (x0, y0), (x1, y1) = stroke
    length = max(hypot(x1 - x0, y1 - y0), abs(by), 0.01)
    part = by / length if by > 0 else 1 + by / length
    return x0 + (x1 - x0) * part, y0 + (y1 - y0) * part


def _inside(way: Way) -> list[list[Point]]:
    """The middle of a way, without what its head and tail cover."""
    strokes = [list(stroke) for stroke in way.strokes]
    strokes[-1][1] = _along(way.strokes[-1], -_HEAD)
    if way.fashion == "unsent":
        strokes[0][0] = _along((strokes[0][0], strokes[0][1]), _TAIL)
    return strokes


def _draw_half(
    drawing: Drawing, way: Way, label: tuple[Box, Lines] | None, classes: str, tip: str
) -> None:
    """One end saw it: a line up to the label, and dots without a slope where nobody knows.

    It bends where its label had to give way.
    """
    (start, y), (stop, _) = way.strokes[0]
    near, far = (start, stop) if way.fashion == "departure" else (stop, start)
    inward = 1 if far > near else -1
    box = label[0] if label else Box.around((near + far) / 2, y, 0, 0)
    row = (box.top + box.bottom) / 2
    before, beyond = (box.left, box.right) if inward > 0 else (box.right, box.left)
    known = [(near, y), (near + inward * _ELBOW, row), (before - inward * 2, row)]
    if abs(row - y) < 0.5:
        del known[1]
    if way.fashion == "arrival":
        known.reverse()
    drawing.line([known], _PENS[way.fashion], classes=classes, name=way.name, tip=tip)
    guess = [(beyond, row), (far + inward * 6, row)]
    drawing.line([guess], _GUESS, classes=classes, name=f"{way.name}_far")


def _labels_in_rows(space: Space) -> dict[str, tuple[Box, Lines]]:
    """Labels in the middle, one under the other."""
    sizes = [max(_ROW, _height(way.texts[0])) for way in space.ways]
    wanted = [
        (way.strokes[0][0][1] - space.top, size + 2)
        for way, size in zip(space.ways, sizes, strict=True)
    ]
    rows = spread(wanted, space.axis, [way.rank for way in space.ways])
    x = (space.left + space.right) / 2
    return {
        way.name: (Box.around(x, space.top + row, _width(way.texts[0]), size), way.texts[0])
        for way, row, size in zip(space.ways, rows, sizes, strict=True)
        if row is not None
    }


def _labels(space: Space) -> dict[str, tuple[Box, Lines]]:
    """Labels on their arrows, each where it hides least; none where there is no room."""
    board = Board()
    left, right = space.left, space.right
    bottom = space.top + space.axis.height
    board.take(Box(left, space.top - _OVER - 60, right, space.top - _OVER))
    board.take(Box(left, bottom, right, bottom + 60))
    for band in space.axis.breaks:
        board.take(Box(left, space.top + band.top, right, space.top + band.bottom))
    for way in space.ways:
        board.pass_through(way.flight.number, way.strokes)
        if way.fashion in ("lost", "unsent", "dropped"):
            board.take(_mark(way))
    wishes = [wish for group in _alongside(space.ways) for wish in _wishes(group)]
    found: dict[str, tuple[Box, Lines]] = {}
    for way, part in sorted(wishes, key=lambda wish: (wish[0].rank, wish[0].flight.number)):
        texts = way.texts[:-1] if way.fashion in _MARKED else ()  # the last tells too little
        beyond = ((lines, _beyond(space, way, lines)) for lines in texts)
        upon = ((lines, _upon(space, way, lines, part)) for lines in way.texts)
        for lines, candidates in chain(beyond, upon):
            box = board.place(way.flight.number, candidates)
            if box:
                found[way.name] = box, lines
                break
    return found


def _alongside(ways: Sequence[Way]) -> Iterator[list[Way]]:
    """Ways of one direction that begin and end within a label's height of each other."""
    open_groups: dict[str, list[Way]] = {}
    for way in ways:
        group = open_groups.get(way.flight.sender)
        if group and _near(way, group[-1]):
            group.append(way)
        else:
            if group:
                yield group
            open_groups[way.flight.sender] = [way]
    yield from open_groups.values()


def _near(way: Way, other: Way) -> bool:
    (_, begin), (_, end) = way.strokes[0][0], way.strokes[-1][1]
    (_, begins), (_, ends) = other.strokes[0][0], other.strokes[-1][1]
    return abs(begin - begins) < _ROW - 2 and abs(end - ends) < _ROW - 2


def _wishes(group: list[Way]) -> Iterator[tuple[Way, float]]:
    """Which ways get a label, and at which part of the way it is best.

    A crowd side by side shares one label that counts it; who opens and closes has one of its own.
    """
    many = [way for way in group if way.rank == 1]
    if len(many) > _CROWD:
        first, *others = many
        count = say("more", count=len(others))
        texts = *((*lines, count) for lines in first.texts), (f"{first.texts[-1][0]} {count}",)
        shared = first._replace(texts=texts)
        group = [shared if way is first else way for way in group if way not in others]
    for place, way in enumerate(group):
        yield way, (place + 0.5) / len(group)


@lru_cache(maxsize=1024)
def _width(lines: Lines) -> int:
    """The width of a label, even: it has a middle, and so less to be written."""
    return 2 * ceil(max(text_width(line, theme.FONT_SIZE) for line in lines) / 2) + 4


def _height(lines: Lines) -> int:
    return 2 * ceil(len(lines) * theme.FONT_SIZE * LINE / 2)


def _beyond(space: Space, way: Way, lines: Lines) -> Iterator[tuple[float, Box]]:
    """Beside the mark, where there is nothing of the way; costs what it is aside of the mark."""
    (x0, _), (x1, _) = way.strokes[0]
    mark, width = _mark(way), _width(lines)
    right = (x1 > x0) != (way.fashion == "unsent")
    x = round(mark.right + CROSS if right else mark.left - CROSS - width)
    if x < space.left + CLEAR or x + width > space.right - CLEAR:
        return
    for aside in _ASIDE:
        y = round((mark.top + mark.bottom) / 2 + aside)
        yield abs(aside) / 40, Box.around(x + width // 2, y, width, _height(lines))


def _upon(space: Space, way: Way, lines: Lines, best: float) -> Iterator[tuple[float, Box]]:
    """Upon the way, from the best part of it on; costs what it is away from that."""
    width, height = _width(lines), _height(lines)
    least, most = space.left + CLEAR + width // 2, space.right - CLEAR - width // 2
    if least > most:
        return
    (x0, y0), (x1, y1) = max(way.strokes, key=_length) if way.strokes[1:] else way.strokes[0]
    if way.fashion == "old":  # it matters where it arrives
        (x0, y0), (x1, y1) = way.strokes[-1]
    stays = abs(x1 - x0) > width
    outmost: set[float] = set()
    for part in _parts(best):
        x, y = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
        inside = min(max(x, least), most)
        if stays:  # on the arrow
            if inside != x:
                if inside in outmost:
                    continue
                outmost.add(inside)
            y = y0 + (y1 - y0) * (inside - x0) / (x1 - x0)
        yield 3 * abs(part - best), Box.around(round(inside), round(y), width, height)


@cache
def _parts(best: float) -> list[float]:
    """Parts of a way, the nearest to the best first."""
    return sorted((part / 20 for part in range(2, 19)), key=lambda part: abs(part - best))


def _length(stroke: Stroke) -> float:
    (x0, y0), (x1, y1) = stroke
    return abs(x1 - x0) + abs(y1 - y0)
