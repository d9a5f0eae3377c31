"""SND.UNA, SND.NXT and RCV.NXT of one end as a table beside its lifeline, a row for each change.

Knows the variables in the steps of a Trace and the time axis. Must not know the rest of the chart.
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Final, Literal, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.drawing import Box, Drawing, Pen
from tcpviz.pictures.lettering import LINE, text_width
from tcpviz.pictures.placement import spread
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.segment import relative
from tcpviz.states import State
from tcpviz.steps import Step, Variables
from tcpviz.trace import Trace

_NAMES: Final = ("SND.UNA", "SND.NXT", "RCV.NXT")
_UNKNOWN: Final = "?"
_ROW: Final = theme.SMALL * LINE + 1.5
_GAP: Final = 8  # pt between two columns
_AWAY: Final = 14  # pt between the table and what stands nearer to the bar
_LEADER: Final = Pen(theme.QUIET, 0.6)


class Row(NamedTuple):
    """Three numbers that hold from height `at` on, written around height `y`; which are new."""

    at: float
    y: float
    numbers: tuple[str, ...]
    new: tuple[bool, ...]
    step: int


@dataclass(frozen=True)
class VariableTable:
    """The table of one end; `top` is where the axis begins on the sheet."""

    trace: Trace
    end: str
    axis: TimeAxis
    top: float
    absolute: bool

    @cached_property
    def rows(self) -> list[Row]:
        """Every change, in order; the first row is for the names."""
        last: tuple[str, ...] = ()
        changes: dict[int, tuple[tuple[str, ...], tuple[bool, ...], int]] = {}
        for number, step in enumerate(self.trace.steps):
            if step.end != self.end or not step.state:
                continue
            numbers = self._numbers(step.variables, step) if step.variables else ()
            if numbers and numbers != last:
                first = changes.get(step.time)
                new = [not last or one != was for one, was in zip(numbers, last or numbers)]  # noqa: B905
                if first:
                    new = [one or was for one, was in zip(new, first[1], strict=True)]
                changes[step.time] = numbers, tuple(new), first[2] if first else number
            last = numbers
        wanted = [(9.0, _ROW), *((self.axis.y(time), _ROW) for time in changes)]
        found = spread(wanted, self.axis, [0] + [1] * len(changes))
        return [
            Row(self.top + self.axis.y(time), self.top + y, *change)
            for (time, change), y in zip(changes.items(), found[1:], strict=True)
            if y is not None
        ]

    def _numbers(self, variables: Variables, step: Step) -> tuple[str, ...]:
        una, nxt, rcv = variables
        unknown = step.state is State.SYN_SENT and not rcv
        if not self.absolute:
            mine, theirs = self.trace.end(self.end).iss, self.trace.other(self.end).iss
            una, nxt, rcv = relative(una, mine), relative(nxt, mine), relative(rcv, theirs)
        return str(una), str(nxt), _UNKNOWN if unknown else str(rcv)

    @cached_property
    def _column(self) -> int:
        texts = {number for row in self.rows for number in row.numbers} | set(_NAMES)
        return ceil(max(text_width(text, theme.SMALL, "bold") for text in texts))

    @property
    def width(self) -> int:
        """What it needs beyond everything else, in pt."""
        return _AWAY + 3 * self._column + 2 * _GAP

    def draw(self, drawing: Drawing, x: float, sign: Literal[-1, 1]) -> None:
        """Draw it outward from x."""
        left = x + _AWAY if sign > 0 else x - self.width
        columns = [left + index * (self._column + _GAP) for index in range(3)]
        for column, name in zip(columns, _NAMES, strict=True):
            box = Box.around(column + self._column / 2, self.top + 9, self._column, _ROW)
            drawing.text(box, [name], align="right", color=theme.QUIET)
        near = left - 3 if sign > 0 else columns[2] + self._column + 3
        for row in self.rows:
            if abs(row.y - row.at) > 2:
                drawing.line([[(near - sign * 7, row.at), (near, row.y)]], _LEADER)
            drawing.paper(Box(left, row.y - 6, columns[2] + self._column, row.y + 6))
            for column, number, new in zip(columns, row.numbers, row.new, strict=True):
                drawing.text(
                    Box.around(column + self._column / 2, row.y, self._column, _ROW),
                    [number],
                    align="right",
                    face="bold" if new else "",
                    color=theme.INK if new else theme.QUIET,
                )
