"""What stands outside one lifeline of a sequence chart: states, timers, calls.

Knows one end of a Trace and its side of the picture. Must not know what is between the lifelines.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final, Literal, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.bars import (
    BAR,
    Stretch,
    draw_bar,
    draw_conditions,
    draw_foot,
    lasts,
    stretches,
)
from tcpviz.pictures.conditions import Condition
from tcpviz.pictures.drawing import Align, Box, Drawing, Pen, Point
from tcpviz.pictures.notes import ROW, Note, call_lines, in_two, timed, told
from tcpviz.pictures.placement import spread
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.pictures.variables import VariableTable
from tcpviz.steps import Kind, Step, Timer, Wait
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

_CALL: Final = (56.0, 50.0)  # pt: the width of what is written about a call, or where it is narrow
_STRAYS: Final = 40.0  # pt that a call may be written below its time
PENS: Final = {  # of a timer that expired, was stopped, is still running
    True: Pen(theme.PURPLE, 1.25, "solid", "dot", size=0.5),
    False: Pen(theme.PURPLE, 0.75, "solid", "odot", size=0.5),
    None: Pen(theme.PURPLE, 0.75, "solid", "vee", size=0.6),
}
_DOT: Final = 2.0  # pt: half of the mark at a timer's end
_AROUND: Final = 4.5  # pt of a timer's line over and under what is written in it, at least
_ASIDE: Final = 60  # pt that a timer's name may be away from it
_MANY: Final = 40  # timers: of so many, each has what there is room for in it
_SAID: Final = {"down": "host_down", "half-open": "half_open"}
_LEADER: Final = Pen(theme.QUIET, 0.6)
_START: Final = Pen(theme.PURPLE, 2)
_EXPIRY: Final = Pen(theme.PURPLE, 0.75, "dotted")


class Bracket(NamedTuple):
    """A timer that ran: in which lane it is drawn, and what is written on it."""

    wait: Wait
    lane: int
    note: Note


@dataclass(frozen=True)
class Margin:
    """One lifeline and what stands outside it; `sign` is -1 at the left and 1 at the right.

    `top` is where the axis begins on the sheet.
    """

    trace: Trace
    end: str
    axis: TimeAxis
    top: float
    sign: Literal[-1, 1]
    conditions: list[Condition]
    variables: bool = False
    absolute: bool = True
    narrow: bool = False

    def y(self, time: int) -> float:
        """The height of a time on the sheet."""
        return self.top + self.axis.y(time)

    @property
    def color(self) -> str:
        """The end's colour: blue at the left, orange at the right."""
        return theme.BLUE if self.sign < 0 else theme.ORANGE

    @cached_property
    def _steps(self) -> list[tuple[int, Step]]:
        """The steps of this end, with their numbers in the trace."""
        end = self.end
        return [(nth, step) for nth, step in enumerate(self.trace.steps) if step.end == end]

    @property
    def width(self) -> int:
        """What it needs beside the bar, in pt."""
        return self._calls_end + (self._table.width if self.variables else 0)

    @cached_property
    def _calls_end(self) -> int:
        return self._lanes[-1] + (6 + max(note.width for note in self.calls) if self.calls else 0)

    @cached_property
    def _table(self) -> VariableTable:
        return VariableTable(self.trace, self.end, self.axis, self.top, self.absolute)

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """The states of the bar, from before the first step to after the last."""
        return stretches(self.trace, self.end, self.axis, self.top)

    @cached_property
    def names(self) -> tuple[Note, ...]:
        """The names of the states, each beside the beginning of its stretch, and of conditions."""
        wanted: list[Note] = []
        for each in self.stretches:
            lines = in_two(each.state) if self.narrow else (each.state,)
            half = len(lines) * ROW / 2
            moment = each.bottom < each.top + 0.5  # its name needs a line to it
            at = each.top - self.top + half + (3 if each.step is not None else 10)
            for y in self._called[bisect_right(self._called, each.top + 1) :]:
                call = y - self.top
                if abs(call - at) < half + 1:  # not upon the line that leads to it
                    below = call + 2 * half + 2 < each.bottom - self.top
                    at = call + (half + 1.5 if below else -half - 1.5)
            classes = "" if each.step is None else f"name s{each.step}"
            leads = each.top - self.top if moment else at
            wanted.append(Note(leads, at, lines, "italic" if each.inferred else "bold", classes))
        for held in self.conditions:
            if held.plight in _SAID:
                at, step = self.axis.y(held.since) + 9.5, self._since(held.since)
                classes = "" if step is None else f"name s{step}"
                wanted.append(Note(at, at, (say(_SAID[held.plight]),), "", classes))
            if held.plight == "down" and held.until is not None:
                wanted += self._after(held.until)
        ranks = [0] * len(self.stretches) + [1] * (len(wanted) - len(self.stretches))
        sizes = [(note.y, len(note.lines) * ROW + 1.5) for note in wanted]
        return self._spread(wanted, sizes, ranks)

    def _spread(
        self, wanted: list[Note], sizes: list[tuple[float, float]], ranks: Sequence[int] = ()
    ) -> tuple[Note, ...]:
        """The notes on the sheet, so that none touches another; those that there is room for."""
        found, top = [], self.top
        for note, y in zip(wanted, spread(sizes, self.axis, ranks), strict=True):
            if y is not None:
                at, _, lines, face, classes = note
                found.append(Note(top + at, top + y, lines, face, classes))
        return tuple(found)

    def _after(self, restart: int) -> Iterator[Note]:
        """The name of the state in which a host is up again, if the bar does not begin there."""
        y = self.y(restart)
        for each in self.stretches:
            if each.top < y - 1 and y + ROW < each.bottom:
                at, step = self.axis.y(restart) + 9.5, self._since(restart)
                classes = "" if step is None else f"name s{step}"
                yield Note(at, at, (each.state,), "italic" if each.inferred else "bold", classes)

    def _since(self, time: int) -> int | None:
        """The first step at a time or after it, which makes known what holds from then on."""
        steps = enumerate(self.trace.steps)
        return next((number for number, step in steps if step.time >= time), None)

    @cached_property
    def calls(self) -> tuple[Note, ...]:
        """The calls of the user of TCP, and what the user is told."""
        blocks = [
            (number, step.time, call_lines(text, _CALL[self.narrow]), face)
            for number, step in self._steps
            if step.says or step.kind is Kind.CALL
            for text, face in told(step)
            if text.strip()
        ]
        found: list[Note] = []
        least, left = 0.0, 0
        for number, time, lines, face in blocks:
            at, half = self.axis.y(time), len(lines) * ROW / 2 + 1
            if found and least + half > at + (_STRAYS if not left else 2):
                more = (say("more", count=left + 1),)
                if left:  # they are counted where the first of them would be
                    found[-1] = found[-1]._replace(lines=more)
                else:
                    found.append(Note(at, at, more, "italic", f"call s{number}"))
                    least = max(at, least + ROW / 2 + 1) + ROW / 2 + 1
                left += 1
                continue
            left, least = 0, max(at, least + half) + half
            found.append(Note(at, at, lines, face, f"call s{number}"))
        return self._spread(found, [(note.at, len(note.lines) * ROW + 2) for note in found])

    def _until(self, wait: Wait) -> int:
        """Where its line ends: of one that is still running, where the axis does."""
        return self.axis.last if wait.expired is None else wait.until

    @cached_property
    def waits(self) -> tuple[Bracket, ...]:
        """The timers that ran."""
        free: list[float] = []
        found = []
        for wait in self.trace.waits(self.end):
            top, bottom = self.y(wait.timer.since), self.y(self._until(wait))
            lane = next((n for n, until in enumerate(free) if until <= top + 0.01), len(free))
            free[lane : lane + 1] = [bottom]
            found.append(Bracket(wait, lane, self._label(wait)))
        for number, each in enumerate(found):
            if each.note.lines != _said(each.wait) and (len(found) < _MANY or not each.note.lines):
                aside = self._aside(each, found)
                if len(aside.lines) > len(each.note.lines):
                    found[number] = each._replace(note=aside)
        return tuple(found)

    def _aside(self, bracket: Bracket, others: list[Bracket]) -> Note:
        """What is written under or over a timer that has no room in it, where its lane is free."""
        top, bottom = self.y(bracket.wait.timer.since), self.y(self._until(bracket.wait))
        taken = [(y, y) for y in self._called]
        taken += [(self.top + band.top, self.top + band.bottom) for band in self.axis.breaks]
        for other in others:
            since, until = self.y(other.wait.timer.since), self.y(self._until(other.wait))
            if other.lane == bracket.lane and other is not bracket:
                taken.append((since, until))
                at, tall = other.note.y, other.note.height / 2
                taken.append((at - tall, at + tall))
            if other.wait.expired:
                taken.append((until, until))
        for lines in dict.fromkeys((_said(bracket.wait), timed(bracket.wait))):
            half = len(lines) * ROW / 2
            for shift in range(3, _ASIDE, 3):
                for y in (bottom + shift + half, top - shift - half):
                    above, below = y - half, y + half
                    inside = self.top <= above and below <= self.top + self.axis.height
                    if inside and all(below + 1 < high or low < above - 1 for high, low in taken):
                        return Note(y, y, lines)
        return Note(bottom, bottom, ())

    @cached_property
    def _called(self) -> list[float]:
        """The heights of the calls, from the top down."""
        return [note.at for note in self.calls]

    def _label(self, wait: Wait) -> Note:
        """What is written on a timer: in the first part of it that has the room, or the longest."""
        lines = _said(wait)
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
        calls = self._called
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
    def _lanes(self) -> list[int]:
        """The middle of each lane, and the end of the last."""
        halves = [7] * (1 + max((wait.lane for wait in self.waits), default=-1))
        for wait in self.waits:
            halves[wait.lane] = max(halves[wait.lane], wait.note.width // 2 + 4)
        begin = max([_out(note) + note.width for note in self.names], default=5) + 8
        ends = list(accumulate(halves, lambda end, half: end + 2 * half, initial=begin))
        return [*(end + half for end, half in zip(ends, halves, strict=False)), ends[-1]]

    def draw(self, drawing: Drawing, edge: float) -> None:
        """Draw it; `edge` is the x of the bar's outer side."""
        self._draw_calls(drawing, edge)
        self._draw_waits(drawing, edge)
        self._draw_bar(drawing, edge)
        if self.variables:
            self._table.draw(drawing, edge + self.sign * self._calls_end, self.sign)
        for note in self.names:
            if abs(note.y - note.at) > 2:
                points = [self._at(edge, 0, note.at), self._at(edge, _out(note) - 1, note.y)]
                drawing.line([points], _LEADER, classes=note.classes)
            drawing.paper(self._write(drawing, edge, _out(note), note, theme.INK))

    def _draw_calls(self, drawing: Drawing, edge: float) -> None:
        out = self._lanes[-1]
        strokes = []
        for note in self.calls:
            points = [self._at(edge, 0, note.at)]
            if abs(note.y - note.at) > 2:
                points.append(self._at(edge, out - 8, note.at))
            points.append(self._at(edge, out + 2, note.y))
            strokes.append(points)
            self._write(drawing, edge, out + 5, note, self.color)
        drawing.line(strokes, Pen(self.color, 0.75, "dotted"))

    def _draw_waits(self, drawing: Drawing, edge: float) -> None:
        begins: dict[Timer, int] = {}
        ends: dict[Timer, int] = {}
        running: tuple[Timer, ...] = ()
        for number, step in self._steps:
            if step.timers == running:
                continue
            for timer in step.timers:
                begins.setdefault(timer, number)
            for timer in running:
                if timer not in step.timers:
                    ends.setdefault(timer, number)
            running = step.timers
        lanes, stopped = self._lanes, say("timer_stopped")
        xs = [edge + self.sign * lane for lane in lanes]
        starts, expiries = [], []
        for wait, lane, _ in self.waits:
            x, begin = xs[lane], self.y(wait.timer.since)
            starts.append([(x - 3, begin + 1), (x + 3, begin + 1)])
            if wait.expired:
                end = self.y(wait.until)
                expiries.append([(edge, end), (x, end)])
        drawing.line(starts, _START)
        drawing.line(expiries, _EXPIRY)
        for number, (wait, lane, note) in enumerate(self.waits):
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
                name=f"wait_{self._side}_{number}",
                tip=f"{wait.timer.name} {readable(wait.timer.until - wait.timer.since)}",
                text=((x, middle), lines),
            )

    def _draw_bar(self, drawing: Drawing, edge: float) -> None:
        if not self.stretches:  # nothing is known of its states
            middle = edge - self.sign * BAR // 2
            line = [(middle, self.top), (middle, self.top + self.axis.height)]
            drawing.line([line], Pen(theme.QUIET, 1, "dashed"))
        left = min(edge, edge - self.sign * BAR)
        draw_bar(drawing, left, self.stretches, self._side)
        draw_conditions(drawing, left, self.conditions, self.axis, self.top, self.sign, self._side)
        if lasts(self.stretches):
            last = self.stretches[-1]
            box = Box(left, last.top, left + BAR, last.bottom)
            classes = "foot" if last.step is None else f"foot s{last.step}"
            fill = theme.TINTS[last.state]
            if any(held.plight == "half-open" and held.until is None for held in self.conditions):
                box = box._replace(**{"left" if self.sign > 0 else "right": left + BAR / 2})
            draw_foot(drawing, box, fill, classes, f"foot_{self._side}")

    @property
    def _side(self) -> str:
        return "left" if self.sign < 0 else "right"

    def _at(self, edge: float, out: int, y: float) -> Point:
        return edge + self.sign * out, y

    def _write(self, drawing: Drawing, edge: float, out: int, note: Note, color: str) -> Box:
        box = Box.around(
            edge + self.sign * (out + note.width // 2), note.y, note.width, note.height
        )
        align: Align = "right" if self.sign < 0 else "left"
        drawing.text(
            box, note.lines, align=align, face=note.face, color=color, classes=note.classes
        )
        return box


def _said(wait: Wait) -> tuple[str, ...]:
    """A timer's name, how long it is set, and whether it was stopped."""
    return (*timed(wait), *([say("timer_stopped")] if wait.expired is False else []))


def _out(note: Note) -> int:
    """How far from the bar a name stands: there is room for a line to one that was moved."""
    return 16 if abs(note.y - note.at) > 2 else 5
