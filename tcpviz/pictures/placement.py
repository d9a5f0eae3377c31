"""Keeping text apart: columns of notes that do not touch, labels that find a free place.

Knows rectangles, lines and the time axis. Must not know what is written.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tcpviz.pictures.drawing import Box, Point
from tcpviz.pictures.time_axis import TimeAxis

Stroke = tuple[Point, Point]
_BUCKET: Final = 40.0  # pt: only what shares such a slice of the sheet is compared

_NEAR: Final = 4.0  # pt: a line so near to a label counts as hidden by it


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
        here = _fitting(order[start:stop], wanted, ranks, bottom - piece.top)
        start = stop
        heights = []
        least = piece.top
        for index in here:
            y, size = wanted[index]
            heights.append(max(y, least + size / 2))
            least = heights[-1] + size / 2
        most = bottom
        for index, y in zip(reversed(here), reversed(heights), strict=True):
            size = wanted[index][1]
            found[index] = min(y, most - size / 2)
            most = min(y, most - size / 2) - size / 2
    return found


def _fitting(
    indexes: list[int], wanted: Sequence[tuple[float, float]], ranks: Sequence[int], room: float
) -> list[int]:
    """Those that there is room for, in order."""
    left = room - sum(wanted[index][1] for index in indexes)
    dropped = set()
    for index in sorted(indexes, key=lambda index: (-ranks[index], -index)):
        if left >= 0:
            break
        left += wanted[index][1]
        dropped.add(index)
    return [index for index in indexes if index not in dropped]


class Board:
    """Where labels may stand: what is taken already, and which lines pass where."""

    def __init__(self) -> None:
        """Nothing is taken."""
        self._boxes: dict[int, list[Box]] = {}
        self._strokes: dict[int, list[tuple[int, Stroke]]] = {}

    def take(self, box: Box) -> None:
        """Keep labels out of a rectangle."""
        for bucket in _buckets(box.top, box.bottom):
            self._boxes.setdefault(bucket, []).append(box)

    def pass_through(self, number: int, strokes: Iterable[Stroke]) -> None:
        """Lines of this number pass here; a label may hide them, better not."""
        for stroke in strokes:
            for bucket in _buckets(*sorted((stroke[0][1], stroke[1][1]))):
                self._strokes.setdefault(bucket, []).append((number, stroke))

    def place(self, number: int, candidates: Iterable[tuple[float, Box]]) -> Box | None:
        """Take the best of the (cost, rectangle), given from the cheapest up; None if none is free.

        To hide a line of another number costs 1 more.
        """
        best, least = None, float("inf")
        for cost, box in candidates:
            if cost >= least:
                break
            if self._is_free(box):
                cost_here = cost + self._hidden(number, box)
                if cost_here < least:
                    best, least = box, cost_here
        if best:
            self.take(best)
        return best

    def _is_free(self, box: Box) -> bool:
        left, top, right, bottom = box.left - 1, box.top - 1, box.right + 1, box.bottom + 1
        for bucket in _buckets(box.top, box.bottom):
            for x0, y0, x1, y1 in self._boxes.get(bucket, ()):
                if left < x1 and x0 < right and top < y1 and y0 < bottom:
                    return False
        return True

    def _hidden(self, number: int, box: Box) -> int:
        near = Box(box.left - _NEAR, box.top - _NEAR, box.right + _NEAR, box.bottom + _NEAR)
        found = set()
        for bucket in _buckets(near.top, near.bottom):
            for other, stroke in self._strokes.get(bucket, ()):
                if other != number and other not in found and crosses(stroke, near):
                    found.add(other)
        return len(found)


def crosses(stroke: Stroke, box: Box) -> bool:
    """Whether a straight stroke passes through a rectangle.

    >>> crosses(((0, 0), (10, 10)), Box(4, 4, 6, 6)), crosses(((0, 0), (10, 10)), Box(6, 0, 9, 4))
    (True, False)
    """
    (x0, y0), (x1, y1) = stroke
    if max(y0, y1) < box.top or min(y0, y1) > box.bottom:
        return False
    if x0 > x1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    left, right = max(x0, box.left), min(x1, box.right)
    if left > right:
        return False
    slope = (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0
    ends = (y0 + (left - x0) * slope, y0 + (right - x0) * slope) if slope else (y0, y1)
    return min(ends) <= box.bottom and max(ends) >= box.top


def _buckets(top: float, bottom: float) -> range:
    return range(int(top // _BUCKET), int(bottom // _BUCKET) + 1)
