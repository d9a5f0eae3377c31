"""Keeping text apart: columns of notes that do not touch, labels that find a free place.

Knows rectangles, lines and the time axis. Must not know what is written.
"""

from collections.abc import Iterable, Sequence
from math import dist, hypot, inf
from typing import Final, NamedTuple

from tcpviz.pictures.drawing import Box, Point
from tcpviz.pictures.time_axis import TimeAxis

Stroke = tuple[Point, Point]
_Line = tuple[str, Stroke, float, float, float]  # name, stroke, its least and most y, length
_BUCKET: Final = 40.0  # pt: only what shares such a slice of the sheet is compared

_NEAR: Final = 4.0  # pt: a line so near to a label of another is taken for its own
_OVER_OTHER: Final = 1.5  # the cost of hiding anything of another line
_BESIDE_OTHER: Final = 0.7  # ... of standing near it
_CLOSE: Final = 7.0  # pt between two labels that are told apart at a glance
_BESIDE_LABEL: Final = 0.4  # the cost of standing nearer to one
_LED_ACROSS: Final = 2.5  # ... of a leader that crosses it
_HIDES: Final = 200.0  # ... of hiding all of it
_FAIR: Final = 9.0  # ... of hiding a fifth of another, good enough among many
_ENOUGH: Final = 0.42  # the share of its own line that a label may hide
_HIDDEN: Final = 12.0  # the cost of hiding all the rest


class Place(NamedTuple):
    """Where a label may stand, what that costs, how many pt it is away, what leads to its line."""

    cost: float
    box: Box
    away: float = 0.0
    leader: Stroke | None = None


def spread(
    wanted: Sequence[tuple[float, float]], axis: TimeAxis, ranks: Sequence[int] = ()
) -> list[float | None]:
    """Heights for things that want these (height, size), so that none touches another or a break.

    Things move down, and up again only from the end of a piece of the axis. Where a piece has no
    room for all, the last of the highest rank get None.
    """
    ranks = ranks or [0] * len(wanted)
    found: list[float | None] = [None] * len(wanted)
    order = sorted(range(len(wanted)), key=lambda index: wanted[index][0])
    start = 0
    for piece in axis.pieces:
        bottom = axis.bottom(piece)
        stop = start
        while stop < len(order) and (piece is axis.pieces[-1] or wanted[order[stop]][0] < bottom):
            stop += 1
        if stop == start:
            continue
        here = _fitting(order[start:stop], wanted, ranks, bottom - piece.top)
        start = stop
        least = piece.top
        heights = []
        for index in here:
            y, size = wanted[index]
            highest = least + size / 2
            y = y if y > highest else highest
            heights.append(y)
            least = y + size / 2
        most = bottom
        while here:
            index, y = here.pop(), heights.pop()
            half = wanted[index][1] / 2
            found[index] = y = y if y < most - half else most - half
            most = y - half
    return found


def _fitting(
    indexes: list[int], wanted: Sequence[tuple[float, float]], ranks: Sequence[int], room: float
) -> list[int]:
    """Those that there is room for, in order."""
    left = room - sum([wanted[index][1] for index in indexes])
    if left >= 0:
        return indexes
    dropped = set()
    for index in sorted(indexes, key=lambda index: (-ranks[index], -index)):
        if left >= 0:
            break
        left += wanted[index][1]
        dropped.add(index)
    return [index for index in indexes if index not in dropped]


class Board:
    """Where labels may stand, from one height to another: what is taken, which lines pass where."""

    def __init__(self, top: float = -inf, bottom: float = inf) -> None:
        """Nothing is taken."""
        self._top, self._bottom = top, bottom
        self._boxes: dict[int, list[Box]] = {}
        self._labels: dict[int, list[Box]] = {}
        self._lines: dict[int, list[_Line]] = {}
        self._hidden: dict[str, float] = {}
        self._leaders: dict[int, list[Place]] = {}  # labels that something leads to their lines
        self._known: dict[tuple[Box, float], dict[str, float]] = {}  # shares found before

    def take(self, box: Box) -> None:
        """Keep labels out of a rectangle."""
        for bucket in _buckets(box.top, box.bottom):
            self._boxes.setdefault(bucket, []).append(box)

    def pass_through(
        self, name: str, strokes: Sequence[Stroke], rails: Sequence[Stroke] = ()
    ) -> None:
        """A line of this name passes here; a label may hide some of it, better not.

        Of a broad line the `rails` are what a label beside it must not shave off.
        """
        self._known.clear()
        length = sum([dist(*stroke) for stroke in strokes]) or 1.0
        for stroke in (*strokes, *rails):
            (_, y0), (_, y1) = stroke
            line = (name, stroke, y0, y1, length) if y0 < y1 else (name, stroke, y1, y0, length)
            for bucket in _buckets(line[2], line[3]):
                self._lines.setdefault(bucket, []).append(line)

    def cheapest(
        self, name: str, candidates: Iterable[Place], most: float, *, fair: bool = False
    ) -> tuple[float, Place | None]:
        """The best of the places, given from the cheapest up, that costs less than this.

        What it hides of lines adds to the cost of a label of the line `name`. The first place that
        is `fair` may be taken at once.
        """
        best, least = None, most
        for place in candidates:
            if place.cost >= least:
                break
            if self._is_free(place.box):
                found = place.cost + self._cost(name, place, least - place.cost)
                if found < least:
                    best, least = place, found
                    if fair and found <= place.cost + _FAIR:
                        break
        return least, best

    def cost(self, name: str, place: Place) -> float:
        """What a label that stands here hides of other lines, and too much of its own."""
        return self._cost(name, place, inf, stands=True)

    def put(self, place: Place) -> None:
        """A label stands here, and hides what it hides."""
        box = place.box
        self.take(box)
        for bucket in _buckets(box.top, box.bottom):
            self._labels.setdefault(bucket, []).append(box)
        for bucket in _passed(place):
            self._leaders.setdefault(bucket, []).append(place)
        for name, share in self._shares(box).items():
            self._hidden[name] = self._hidden.get(name, 0.0) + share

    def lift(self, place: Place) -> None:
        """A label does not stand here any more."""
        box = place.box
        for bucket in _buckets(box.top, box.bottom):
            self._boxes[bucket].remove(box)
            self._labels[bucket].remove(box)
        for bucket in _passed(place):
            self._leaders[bucket].remove(place)
        for name, share in self._shares(box).items():
            self._hidden[name] -= share

    def _is_free(self, box: Box) -> bool:
        if box.top < self._top or box.bottom > self._bottom:
            return False
        left, top, right, bottom = box.left - 1, box.top - 1, box.right + 1, box.bottom + 1
        for bucket in _buckets(box.top, box.bottom):
            for x0, y0, x1, y1 in self._boxes.get(bucket, ()):
                if left < x1 and x0 < right and top < y1 and y0 < bottom:
                    return False
        return True

    def _shares(self, box: Box, away: float = _NEAR) -> dict[str, float]:
        """How much of each line a rectangle hides; nothing of a line that comes so near."""
        if (box, away) in self._known:
            return self._known[box, away]
        found: dict[str, float] = {}
        self._known[box, away] = found
        left, top, right, bottom = box
        near = Box(left - away, top - away, right + away, bottom + away)
        _, top, _, bottom = near
        for bucket in _buckets(top, bottom):
            for name, stroke, high, low, length in self._lines.get(bucket, ()):
                if high <= bottom and low >= top and crosses(stroke, near):
                    share = within(stroke, box) / length
                    if share >= found.get(name, 0.0):
                        found[name] = share
        return found

    def _crowded(self, place: Place) -> float:
        """What it costs that other labels are near, or that a leader runs under a label."""
        left, top, right, bottom = place.box
        left, top, right, bottom = left - _CLOSE, top - _CLOSE, right + _CLOSE, bottom + _CLOSE
        cost = 0.0
        found = {box for b in _buckets(top, bottom) for box in self._labels.get(b, ())}
        for box in found:
            if left < box.right and box.left < right and top < box.bottom and box.top < bottom:
                cost += _BESIDE_LABEL if box != place.box else 0.0
        if place.leader:
            high, low = sorted((place.leader[0][1], place.leader[1][1]))
            under = {box for b in _buckets(high, low) for box in self._labels.get(b, ())}
            cost += _LED_ACROSS * sum(
                crosses(place.leader, box) for box in under if box != place.box
            )
        if self._leaders:
            led = {each for b in _buckets(top, bottom) for each in self._leaders.get(b, ())}
            cost += _LED_ACROSS * sum(
                crosses(each.leader, place.box)
                for each in led
                if each.leader and each.box != place.box
            )
        return cost

    def _crossed(self, name: str, leader: Stroke) -> int:
        """How many other lines it crosses."""
        top, bottom = sorted((leader[0][1], leader[1][1]))
        lines = {each for bucket in _buckets(top, bottom) for each in self._lines.get(bucket, ())}
        return sum(other != name and meet(leader, stroke) for other, stroke, *_ in lines)

    def _cost(self, name: str, place: Place, most: float, *, stands: bool = False) -> float:
        cost = 0.0
        hidden = self._hidden
        own = hidden.get(name, 0.0)
        away = place.away if place.away > _NEAR else _NEAR
        for other, share in self._shares(place.box, away).items():
            if other == name:
                own += 0.0 if stands else share
            elif share:
                cost += _OVER_OTHER * (4 if place.away else 1)
                cost += _HIDES * (hidden.get(other, 0.0) + (0.0 if stands else share)) ** 2
            else:
                cost += _BESIDE_OTHER
            if cost >= most:
                return cost
        cost += self._crowded(place)
        if place.leader:
            cost += _LED_ACROSS * self._crossed(name, place.leader)
        return cost + _HIDDEN * (own - _ENOUGH) if own > _ENOUGH else cost


def crosses(stroke: Stroke, box: Box) -> bool:
    """Whether a straight stroke passes through a rectangle.

    >>> crosses(((0, 0), (10, 10)), Box(4, 4, 6, 6)), crosses(((0, 0), (10, 10)), Box(6, 0, 9, 4))
    (True, False)
    """
    left, top, right, bottom = box
    (x0, y0), (x1, y1) = stroke
    if x0 > x1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    if x1 < left or x0 > right:
        return False
    slope = (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0
    begin = y0 + (left - x0) * slope if x0 < left else y0
    end = y0 + (right - x0) * slope if slope and x1 > right else y1
    return (begin <= bottom or end <= bottom) and (begin >= top or end >= top)


def meet(some: Stroke, other: Stroke) -> bool:
    """Whether two straight strokes have a point in common.

    >>> meet(((0, 0), (2, 2)), ((0, 2), (2, 0))), meet(((0, 0), (2, 2)), ((0, 2), (0, 1)))
    (True, False)
    """

    def sides(line: Stroke, points: Stroke) -> float:
        (x0, y0), (x1, y1) = line
        one, two = ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) for x, y in points)
        return one * two

    return sides(some, other) <= 0 and sides(other, some) <= 0


def within(stroke: Stroke, box: Box) -> float:
    """How many pt of a straight stroke lie in a rectangle.

    >>> within(((0, 0), (8, 0)), Box(4, -1, 6, 1)), within(((0, 0), (0, 9)), Box(1, 1, 2, 2))
    (2.0, 0.0)
    """
    left, top, right, bottom = box
    (x0, y0), (x1, y1) = stroke
    since, until = 0.0, 1.0
    across, down = x1 - x0, y1 - y0
    if across:
        one, other = (left - x0) / across, (right - x0) / across
        enters, leaves = (one, other) if across > 0 else (other, one)
        since = enters if enters > since else since
        until = leaves if leaves < until else until
    elif not left < x0 < right:
        return 0.0
    if down:
        one, other = (top - y0) / down, (bottom - y0) / down
        enters, leaves = (one, other) if down > 0 else (other, one)
        since = enters if enters > since else since
        until = leaves if leaves < until else until
    elif not top < y0 < bottom:
        return 0.0
    return (until - since) * hypot(across, down) if until > since else 0.0


def _buckets(top: float, bottom: float) -> range:
    return range(int(top // _BUCKET), int(bottom // _BUCKET) + 1)


def _passed(place: Place) -> range:
    """The buckets that what leads from a label passes."""
    if not place.leader:
        return range(0)
    (_, y0), (_, y1) = place.leader
    return _buckets(min(y0, y1), max(y0, y1))
