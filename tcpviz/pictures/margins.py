"""What stands outside one lifeline of a sequence chart: states, timers, calls.

Knows one end of a Trace and its side of the picture. Must not know what is between the lifelines.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final, Literal

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
from tcpviz.pictures.brackets import Brackets
from tcpviz.pictures.conditions import Condition
from tcpviz.pictures.drawing import Align, Box, Drawing, Pen, Point
from tcpviz.pictures.notes import ROW, Note, call_lines, in_two, told
from tcpviz.pictures.placement import spread
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.pictures.variables import VariableTable
from tcpviz.steps import Kind, Step
from tcpviz.trace import Trace
from tcpviz.words import say

_CALL: Final = (56.0, 50.0)  # pt: the width of what is written about a call, or where it is narrow
_WIDER: Final = (1, 1.5, 2.25)  # times that, tried until all that a user is told is written
_MOMENT: Final = 0.5  # pt: what lasts no longer is gone as it comes
_STRAYS: Final = 40.0  # pt that a call may be written below its time
_SAID: Final = {"down": "host_down", "half-open": "half_open"}
_LEADER: Final = Pen(theme.QUIET, 0.6)


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
        began = 0.0
        for each in self.stretches:
            lines = in_two(each.state) if self.narrow else (each.state,)
            half = len(lines) * ROW / 2
            moment = each.bottom < each.top + _MOMENT  # its name needs a line to it
            at = each.top - self.top + half + (3 if each.step is not None else 10)
            for y in self._called[bisect_right(self._called, each.top + 1) :]:
                call = y - self.top
                if abs(call - at) < half + 1:  # not upon the line that leads to it
                    below = call + 2 * half + 2 < each.bottom - self.top
                    at = call + (half + 1.5 if below else -half - 1.5)
            classes = "" if each.step is None else f"name s{each.step}"
            if wanted and each.top - began < _MOMENT:  # below each other, as they follow
                last = wanted[-1]
                under = last.y + len(last.lines) * ROW / 2 + half + 1.5
                at = max(at, last.y, min(under, each.bottom - self.top - half))
            began = each.top
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
        """The calls of the user of TCP, and what the user is told: wider where that has no room."""
        first: tuple[Note, ...] = ()
        for wider in _WIDER:
            width = wider * _CALL[self.narrow]
            blocks = [
                Note(self.axis.y(step.time), 0, call_lines(text, width), face, f"call s{number}")
                for number, step in self._steps
                if step.says or step.kind is Kind.CALL
                for text, face in told(step)
                if text.strip()
            ]
            found = self._of_calls(blocks)
            first = first or found
            whole = [note for note in found if not note.lines[-1].endswith("…")]
            written = {(note.classes, note.lines) for note in whole}
            if all((each.classes, each.lines) in written for each in blocks if each.face):
                return found
        return first

    def _of_calls(self, blocks: list[Note]) -> tuple[Note, ...]:
        """Those that there is room for, and how many more there are."""
        found: list[Note] = []
        least, left = 0.0, 0
        for block in blocks:
            at, half = block.at, len(block.lines) * ROW / 2 + 1
            if found and least + half > at + (_STRAYS if not left else 2):
                more = (say("more", count=left + 1),)
                if left:  # they are counted where the first of them would be
                    found[-1] = found[-1]._replace(lines=more)
                else:
                    found.append(Note(at, at, more, "italic", block.classes))
                    least = max(at, least + ROW / 2 + 1) + ROW / 2 + 1
                left += 1
                continue
            left, least = 0, max(at, least + half) + half
            found.append(block._replace(y=at))
        return self._spread(found, [(note.at, len(note.lines) * ROW + 2) for note in found])

    @cached_property
    def timers(self) -> Brackets:
        """The timers that ran."""
        waits = self.trace.waits(self.end)
        return Brackets(waits, self.axis, self.top, self._called, self.narrow)

    @cached_property
    def _called(self) -> list[float]:
        """The heights of the calls, from the top down."""
        return [note.at for note in self.calls]

    @cached_property
    def _lanes(self) -> list[int]:
        """The middle of each lane, and the end of the last."""
        halves = self.timers.halves
        begin = max([_out(note) + note.width for note in self.names], default=5) + 8
        ends = list(accumulate(halves, lambda end, half: end + 2 * half, initial=begin))
        return [*(end + half for end, half in zip(ends, halves, strict=False)), ends[-1]]

    def draw(self, drawing: Drawing, edge: float) -> None:
        """Draw it; `edge` is the x of the bar's outer side."""
        self._draw_calls(drawing, edge)
        xs = [edge + self.sign * lane for lane in self._lanes]
        self.timers.draw(drawing, edge, xs, self._steps, self._side)
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


def _out(note: Note) -> int:
    """How far from the bar a name stands: there is room for a line to one that was moved."""
    return 16 if abs(note.y - note.at) > 2 else 5
