"""The time axis of a chart: from nanoseconds to points, one scale, with breaks in long waits.

Knows numbers only. Must not know what happened at a time, nor how anything is drawn.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil, floor
from statistics import median
from typing import Final, NamedTuple

LEAD: Final = 30.0  # pt drawn before the first time
TAIL: Final = 34.0  # pt drawn after the last
LONGEST: Final = 140.0  # pt: a longer wait is broken
KEPT: Final = 38.0  # pt drawn at least on either side of a break
SAVED: Final = 110.0  # pt: a break leaves out at least as much
PAGE: Final = 1400.0  # pt: so high waits may make a chart to be in proportion to each other
BAND: Final = 22.0  # pt: the height of a break
ROOM: Final = 13.0  # pt that one time wants for what is written beside it
MOST_ROOM: Final = 130.0  # pt added for that on either side, at most
TICKS: Final = 30.0  # pt between two ticks, at least
_NOISE: Final = 1e-3  # of a step: what sums of pt may be short of


class Piece(NamedTuple):
    """A stretch of time in ns that is drawn to scale, and where it begins in pt."""

    since: int
    until: int
    top: float


class Break(NamedTuple):
    """What is not drawn between two pieces, in ns, and the band in pt that says so."""

    omitted: int
    top: float
    bottom: float


Series = Sequence[tuple[int, int]]
"""Stretches of time in ns whose lengths are to be compared by eye."""


@dataclass(frozen=True)
class TimeAxis:
    """Time in ns to y in pt: `scale` pt per ns in every piece, and a band between two pieces.

    >>> axis = TimeAxis.through([0, 50_000_000, 60_000_000_000], 50_000_000, length=50)
    >>> [axis.y(time) for time in (0, 50_000_000)], axis.breaks[0].omitted
    ([30.0, 80.0], 59850000000)
    """

    scale: float
    step: int
    pieces: tuple[Piece, ...]

    @classmethod
    def within(
        cls,
        times: Sequence[int],
        typical: int,
        *,
        length: float,
        tallest: float,
        series: Sequence[Series] = (),
        room: float = ROOM,
        compared: bool = True,
    ) -> "TimeAxis":
        """The axis that draws `typical` ns as `length` pt, or less if it would be too tall."""
        axis = cls.through(
            times, typical, length=length, series=series, room=room, compared=compared
        )
        while axis.height > tallest:
            length *= min(tallest / axis.height, 0.95)
            axis = cls.through(
                times, typical, length=length, series=series, room=room, compared=compared
            )
        return axis

    @classmethod
    def through(
        cls,
        times: Sequence[int],
        typical: int,
        *,
        length: float,
        series: Sequence[Series] = (),
        room: float = ROOM,
        compared: bool = True,
    ) -> "TimeAxis":
        """The axis for these times in ns, in order, that draws `typical` ns as `length` pt.

        A wait longer than LONGEST pt, and than the typical one, is broken. A time that occurs n
        times wants n times `room`: the pieces of a crowd keep more of the waits around it. Waits
        that are a series, each a stretch of time that ends where the next begins, are drawn in
        proportion to each other, though broken: as their lengths where PAGE allows it, else as a
        power of their lengths. Where they are not `compared` they only make the axis a little
        longer: the longer wait is still the longer line.
        """
        scale = length / max(typical, 1)
        step = round_step(TICKS / scale)
        crowds = list(_crowds(times or [0], scale, max(LONGEST, 1.13 * length), room))
        within = [_gaps(each, crowds) for each in series]
        more = {gap: 0.0 for gaps in within for gap in gaps}
        axis = cls._of(crowds, scale, step, more)
        if more:
            axis = cls._of(crowds, scale, step, _stretched(axis, series, within, compared=compared))
        return axis

    @classmethod
    def _of(
        cls, crowds: Sequence["_Crowd"], scale: float, step: int, more: Mapping[int, float]
    ) -> "TimeAxis":
        """The axis that keeps so many pt `more` of some waits, counted from the first."""
        fine = _round_step_below(_round_step_below(step))
        begins = [crowds[0].first - ceil(LEAD / scale)]
        ends = []
        for gap, (above, below) in enumerate(pairwise(crowds)):
            since, until = above.last + above.kept, below.first - below.kept
            if gap in more:
                since, until = _cut_exactly(since, until, more[gap] / scale, fine)
            else:
                since, until = _cut(since, until, step)
            if (until - since) * scale >= SAVED:
                ends.append(since)
                begins.append(until)
        ends.append(crowds[-1].last + ceil(TAIL / scale))
        pieces: list[Piece] = []
        for begin, end in zip(begins, ends, strict=True):
            last = pieces[-1] if pieces else None
            top = last.top + (last.until - last.since) * scale + BAND if last else 0.0
            pieces.append(Piece(begin, end, top))
        return cls(scale, step, tuple(pieces))

    def until(self, time: int) -> "TimeAxis":
        """The same axis, which ends as it does after its last time, after this one in ns."""
        pieces = [piece for piece in self.pieces if piece.since < time] or [self.pieces[0]]
        end = max(time, pieces[-1].since) + ceil(TAIL / self.scale)
        pieces[-1] = pieces[-1]._replace(until=min(pieces[-1].until, end))
        return TimeAxis(self.scale, self.step, tuple(pieces))

    @cached_property
    def _begins(self) -> list[int]:
        return [piece.since for piece in self.pieces]

    @cached_property
    def y(self) -> Callable[[int], float]:
        """Where a time in ns is drawn, in pt from the top. Inside a break: inside its band."""
        return _Heights(self.pieces, self._begins, self.scale).__getitem__

    def bottom(self, piece: Piece) -> float:
        """Where a piece ends, in pt."""
        return piece.top + (piece.until - piece.since) * self.scale

    @property
    def height(self) -> float:
        """The height of the whole axis in pt."""
        return self.bottom(self.pieces[-1])

    @property
    def last(self) -> int:
        """The last time that is drawn, in ns."""
        return self.pieces[-1].until

    @cached_property
    def breaks(self) -> tuple[Break, ...]:
        """The breaks, from the top down."""
        return tuple(
            Break(below.since - above.until, self.bottom(above), below.top)
            for above, below in pairwise(self.pieces)
        )

    def visible(self, since: int, until: int) -> list[tuple[int, int]]:
        """The parts of a stretch of time that are drawn, in order; a moment is a part as well."""
        found = []
        for nth in range(bisect_right(self._begins, since, 1) - 1, len(self.pieces)):
            begins, ends, _ = self.pieces[nth]
            if begins <= since <= until <= ends:
                return [(since, until)]
            if begins > until:
                break
            begin, end = since if since > begins else begins, until if until < ends else ends
            if begin < end:
                found.append((begin, end))
        return found

    def ticks(self) -> Iterator[int]:
        """The round times in ns that get a tick: none before 0, none that a break would cut."""
        for piece in self.pieces:
            yield from self.ticks_of(piece)

    def ticks_of(self, piece: Piece) -> range:
        """The ticks of one piece; where the step leaps over it, the roundest time in it."""
        clear = ceil(7 / self.scale)
        first, step = max(piece.since + clear, 0), self.step
        while True:
            found = range(-(-first // step) * step, piece.until - clear, step)
            if found or step == 1:
                return found[:1] if step != self.step else found
            step = _round_step_below(step)


class _Heights(dict[int, float]):
    """Where times in ns are drawn on an axis; most are asked for again and again."""

    def __init__(self, pieces: Sequence[Piece], begins: Sequence[int], scale: float) -> None:
        self._pieces, self._begins, self._scale = pieces, begins, scale

    def __missing__(self, time: int) -> float:
        index = bisect_right(self._begins, time, 1) - 1
        since, until, top = self._pieces[index]
        self[time] = y = top + (time - since) * self._scale
        if time > until and index + 1 < len(self._pieces):
            after = self._pieces[index + 1].since
            y = top + (until - since) * self._scale + BAND * (time - until) / (after - until)
            self[time] = y
        return y


def round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that is not less.

    >>> round_step(3), round_step(34_000_000)
    (5, 50000000)
    """
    decade = 1
    while decade * 10 < least:
        decade *= 10
    return next(decade * digit for digit in (1, 2, 5, 10) if decade * digit >= least)


def _round_step_below(step: int) -> int:
    """The round step before a round step.

    >>> _round_step_below(1000), _round_step_below(500), _round_step_below(200)
    (500, 200, 100)
    """
    return step * 2 // 5 if str(step)[0] == "5" else step // 2


class _Crowd(NamedTuple):
    """Times with no long wait among them: the first, the last, and the ns to keep around them."""

    first: int
    last: int
    kept: int


def _crowds(times: Sequence[int], scale: float, longest: float, room: float) -> Iterator[_Crowd]:
    """The crowds of all times, in order."""
    start = 0
    for index in range(1, len(times) + 1):
        if index < len(times) and (times[index] - times[index - 1]) * scale <= longest:
            continue
        first, last = times[start], times[index - 1]
        wanted = (index - start) * room - (last - first) * scale
        kept = min(max(wanted / 2, KEPT), MOST_ROOM)
        yield _Crowd(first, last, ceil(kept / scale))
        start = index


def _cut(since: int, until: int, step: int) -> tuple[int, int]:
    """The stretch to leave out, shortened to round times."""
    return -(-since // step) * step, until // step * step


def _cut_exactly(since: int, until: int, less: float, step: int) -> tuple[int, int]:
    """The stretch to leave out, shorter by so many ns, and a multiple of a small step long."""
    begin = -(-(since + round(less / 2)) // step) * step
    steps = floor((until - since - less) / step + _NOISE)  # equal waits leave out the same
    return begin, begin + max(steps, 0) * step


def _gaps(series: Series, crowds: Sequence[_Crowd]) -> list[int]:
    """The longest gap between two crowds within each wait of a series; -1 where there is none."""
    begins = [crowd.last for crowd in crowds[:-1]]
    found = []
    for since, until in series:
        first, last = bisect_left(begins, since), bisect_left(begins, until)
        inside = [gap for gap in range(first, last) if crowds[gap + 1].first <= until]
        longest = max(inside, key=lambda gap: crowds[gap + 1].first - begins[gap], default=-1)
        found.append(longest)
    return found


def _stretched(
    axis: TimeAxis, series: Sequence[Series], within: Sequence[Sequence[int]], *, compared: bool
) -> dict[int, float]:
    """How many pt more to keep of each gap, for the waits to be as long as they are in time."""
    powers = [power / 20 for power in range(20, 0, -1)]
    most = max(PAGE, 1.5 * axis.height) if compared else 1.25 * axis.height
    for power in powers:
        more = {gap: 0.0 for gaps in within for gap in gaps}
        for waits, gaps in zip(series, within, strict=True):
            drawn = [axis.y(until) - axis.y(since) for since, until in waits]
            wanted = [(until - since) ** power for since, until in waits]
            cut = [pt for gap, pt in zip(gaps, drawn, strict=True) if gap >= 0]
            usual = 2 * median(cut or drawn)  # in a longer one something else happens
            some = zip(drawn, wanted, strict=True)
            unit = max(pt / share for pt, share in some if pt <= usual)
            for gap, pt, share in zip(gaps, drawn, wanted, strict=True):
                more[gap] = max(more[gap], unit * share - pt)
        if axis.height + sum(more.values()) <= most:
            return more
    return dict.fromkeys(more, 0.0)
