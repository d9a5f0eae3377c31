"""The timers beside one lifeline of a sequence chart: the lane of each, its line, what is on it.

Knows what one end waited for, and which heights its calls take. Must not know states and bars.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.drawing import Box, Drawing, Pen, Point
from tcpviz.pictures.notes import ROW, Note, said, timed
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.steps import Step, Timer, Wait
from tcpviz.units import readable
from tcpviz.words import say

PENS: Final = {  # of a timer that expired, was stopped, is still running
    True: Pen(theme.PURPLE, 1.25, "solid", "dot", size=0.5),
    False: Pen(theme.PURPLE, 0.75, "solid", "odot", size=0.5),
    None: Pen(theme.PURPLE, 0.75, "solid", "vee", size=0.6),
}
_DOT: Final = 2.0  # pt: half of the mark at a timer's end
_AROUND: Final = 4.5  # pt of a timer's line over and under what is written in it, at least
_ASIDE: Final = 60  # pt that a timer's name may be away from it
_MANY: Final = 40  # timers: of so many, each has what there is room for in it
_START: Final = Pen(theme.PURPLE, 2)
_EXPIRY: Final = Pen(theme.PURPLE, 0.75, "dotted")


class Bracket(NamedTuple):
    """A timer that ran: in which lane it is drawn, and what is written on it."""

    wait: Wait
    lane: int
    note: Note


@dataclass(frozen=True)
class Brackets:
    """The timers of one end that ran; `called` are the heights of its calls, from the top down."""

    waits: Sequence[Wait]
    axis: TimeAxis
    top: float
    called: Sequence[float]
    narrow: bool

    def y(self, time: int) -> float:
        """The height of a time on the sheet."""
        return self.top + self.axis.y(time)

    def _until(self, wait: Wait) -> int:
        """Where its line ends: of one that is still running, where the axis does."""
        return self.axis.last if wait.expired is None else wait.until

    @cached_property
    def placed(self) -> tuple[Bracket, ...]:
        """Each of them in the first lane that is free."""
        free: list[float] = []
        found = []
        for wait in self.waits:
            top, bottom = self.y(wait.timer.since), self.y(self._until(wait))
            lane = next((n for n, until in enumerate(free) if until <= top + 0.01), len(free))
            free[lane : lane + 1] = [bottom]
            found.append(Bracket(wait, lane, self._label(wait)))
        for number, each in enumerate(found):
            full = each.note.lines == said(each.wait, narrow=self.narrow)
            if not full and (len(found) < _MANY or not each.note.lines):
                aside = self._aside(each, found)
                if len(aside.lines) > len(each.note.lines):
                    found[number] = each._replace(note=aside)
        return tuple(found)

    def _aside(self, bracket: Bracket, others: list[Bracket]) -> Note:
        """What is written under or over a timer that has no room in it, where its lane is free."""
        top, bottom = self.y(bracket.wait.timer.since), self.y(self._until(bracket.wait))
        taken = [(y, y) for y in self.called]
        taken += [(self.top + band.top, self.top + band.bottom) for band in self.axis.breaks]
        for other in others:
            since, until = self.y(other.wait.timer.since), self.y(self._until(other.wait))
            if other.lane == bracket.lane and other is not bracket:
                taken.append((since, until))
                at, tall = other.note.y, other.note.height / 2
                taken.append((at - tall, at + tall))
            if other.wait.expired:
                taken.append((until, until))
        wait, narrow = bracket.wait, self.narrow
        for lines in dict.fromkeys((said(wait, narrow=narrow), timed(wait, narrow=narrow))):
            half = len(lines) * ROW / 2
            for shift in range(3, _ASIDE, 3):
                for y in (bottom + shift + half, top - shift - half):
                    above, below = y - half, y + half
                    inside = self.top <= above and below <= self.top + self.axis.height
                    if inside and all(below + 1 < high or low < above - 1 for high, low in taken):
                        return Note(y, y, lines)
        return Note(bottom, bottom, ())

    def _label(self, wait: Wait) -> Note:
        """What is written on a timer: in the first part of it that has the room, or the longest."""
        lines = said(wait, narrow=self.narrow)
        parts = [
            (self.y(since) + _AROUND, self.y(until) - _AROUND)
            for since, until in self.axis.visible(wait.timer.since, self._until(wait))
        ]
        tall = len(lines) * ROW
        longest = max(parts, key=lambda part: part[1] - part[0], default=(0, 0))
        top, bottom = next((part for part in parts if part[1] - part[0] >= tall), longest)
        lines = lines[: max(int((bottom - top) / ROW), 0)]
        half = len(lines) * ROW / 2
        middle = (top + bottom) / 2
        calls = self.called
        calls = calls[bisect_left(calls, top - 2) : bisect_right(calls, bottom + 2)]
        if not (lines and calls):
            return Note(middle, middle, lines)
        heights = [middle + shift * (bottom - top) / 8 for shift in (0, -1, 1, -2, 2, -3, 3)]
        free = (
            y
            for y in heights
            if top <= y - half and y + half <= bottom
            if not any(abs(y - call) < half + 2 for call in calls)
        )
        return Note(middle, next(free, middle), lines)

    @cached_property
    def halves(self) -> list[int]:
        """Half the width of each lane in pt."""
        halves = [7] * (1 + max((each.lane for each in self.placed), default=-1))
        for each in self.placed:
            halves[each.lane] = max(halves[each.lane], each.note.width // 2 + 4)
        return halves

    def draw(
        self,
        drawing: Drawing,
        edge: float,
        xs: Sequence[float],
        steps: Iterable[tuple[int, Step]],
        side: str,
    ) -> None:
        """Draw them: `edge` is the x of the bar's outer side, `xs` are the middles of the lanes."""
        begins: dict[Timer, int] = {}
        ends: dict[Timer, int] = {}
        running: tuple[Timer, ...] = ()
        for number, step in steps:
            if step.timers == running:
                continue
            for timer in step.timers:
                begins.setdefault(timer, number)
            for timer in running:
                if timer not in step.timers:
                    ends.setdefault(timer, number)
            running = step.timers
        stopped = say("timer_stopped")
        starts, expiries = [], []
        for wait, lane, _ in self.placed:
            x, begin = xs[lane], self.y(wait.timer.since)
            starts.append([(x - 3, begin + 1), (x + 3, begin + 1)])
            if wait.expired:
                end = self.y(wait.until)
                expiries.append([(edge, end), (x, end)])
        drawing.line(starts, _START)
        drawing.line(expiries, _EXPIRY)
        for number, (wait, lane, note) in enumerate(self.placed):
            x = xs[lane]
            box = Box.around(x, note.y, note.width, note.height)
            strokes: list[list[Point]] = []
            for since, until in self.axis.visible(wait.timer.since, self._until(wait)):
                top, bottom = self.y(since), self.y(until)
                if note.lines and top < note.y < bottom:  # the line leaves room for the text in it
                    strokes.append([(x, top), (x, box.top)])
                    top = box.bottom
                strokes.append([(x, top), (x, bottom)])
            if wait.expired is not None and strokes:  # the middle of the mark is the moment
                (_, (_, bottom)) = strokes[-1]
                strokes[-1] = [strokes[-1][0], (x, bottom + _DOT)]
            if note.lines:
                drawing.paper(box)
            over = f"s{ends[wait.timer]}" if wait.timer in ends else ""
            lines, middle = note.lines, note.y
            if wait.expired is False and lines[-1:] == (stopped,):
                lines, middle = lines[:-1], note.y - ROW / 2
                y = middle + (len(lines) + 1) * ROW / 2
                drawing.text(
                    Box.around(x, y, 1, 1),  # the paper is there already
                    [stopped],
                    color=PENS[False].color,
                    classes=f"stopped {over}",
                )
            drawing.line(
                strokes,
                PENS[wait.expired],
                classes=f"wait s{begins[wait.timer]} {over}".rstrip(),
                name=f"wait_{side}_{number}",
                tip=f"{wait.timer.name} {readable(wait.timer.until - wait.timer.since)}",
                text=((x, middle), lines),
            )
