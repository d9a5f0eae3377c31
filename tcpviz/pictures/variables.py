"""SND.UNA, SND.NXT and RCV.NXT of one end as a table beside its lifeline, a row for each change.

Knows the variables in the steps of a Trace and the time axis. Must not know the rest of the chart.
"""

from collections.abc import Iterator
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
from tcpviz.steps import Step
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

_NAMES: Final = ("SND.UNA", "SND.NXT", "RCV.NXT")
_UNKNOWN: Final = "?"
_ROW: Final = theme.SMALL * LINE + 1.5
_HEAD: Final = 2 * theme.SMALL * LINE  # pt of the names over the columns
_GAP: Final = 8  # pt between two columns
_AWAY: Final = 14  # pt between the table and what stands nearer to the bar
_LEADER: Final = Pen(theme.QUIET, 0.6)


class Change(NamedTuple):
    """What SND.UNA, SND.NXT and RCV.NXT are from `time` ns on, and which of them are new."""

    time: int
    numbers: tuple[str, ...]
    new: tuple[bool, ...]


def changes(trace: Trace, end: str, absolute: bool) -> list[Change]:
    """The variables of one end wherever they change; of one instant, what holds after it."""
    found: list[Change] = []
    last: tuple[str, ...] = ()
    for step in trace.of(end):
        numbers = _numbers(trace, step, absolute)
        if numbers and numbers != last:
            before = found.pop() if found and found[-1].time == step.time else None
            was = last or ("",) * len(numbers)
            new = [one != other for one, other in zip(numbers, was, strict=True)]
            if before:
                new = [one or other for one, other in zip(new, before.new, strict=True)]
            found.append(Change(step.time, numbers, tuple(new)))
        last = numbers
    return found


def _numbers(trace: Trace, step: Step, absolute: bool) -> tuple[str, ...]:
    """The variables after a step, RCV.NXT unknown before the peer's SYN; none in CLOSED."""
    if not step.variables:
        return ()
    una, nxt, rcv = step.variables
    unknown = step.state is State.SYN_SENT and not rcv
    if not absolute:
        mine, theirs = trace.base(step.end, una), trace.base(trace.other(step.end).name, rcv)
        una, nxt, rcv = relative(una, mine), relative(nxt, mine), relative(rcv, theirs)
    return str(una), str(nxt), _UNKNOWN if unknown else str(rcv)


def told(trace: Trace, absolute: bool) -> Iterator[str]:
    """The tables of both ends in lines of text."""
    line = "{:>10}  {:>10}  {:>10}  {:>10}"
    for end in trace.ends:
        found = changes(trace, end.name, absolute)
        if found:
            yield say("variables_of", end=end.name)
            yield line.format(say("column_at"), *_NAMES)
            for each in found:
                yield line.format(readable(each.time), *each.numbers)


def _in_two(name: str) -> tuple[str, str]:
    """A variable's name on two lines.

    >>> _in_two("SND.UNA")
    ('SND.', 'UNA')
    """
    whose, what = name.split(".")
    return f"{whose}.", what


class Row(NamedTuple):
    """Three numbers that hold from height `at` on, written around height `y`; which are new."""

    at: float
    y: float
    numbers: tuple[str, ...]
    new: tuple[bool, ...]


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
        """Every change, in order, that there is room for; the names stand above them."""
        found = changes(self.trace, self.end, self.absolute)
        wanted = [(_HEAD / 2, _HEAD), *((self.axis.y(each.time), _ROW) for each in found)]
        heights = spread(wanted, self.axis, [0] + [1] * len(found))[1:]
        return [
            Row(self.top + self.axis.y(each.time), self.top + y, each.numbers, each.new)
            for each, y in zip(found, heights, strict=True)
            if y is not None
        ]

    @cached_property
    def _column(self) -> int:
        texts = {number for row in self.rows for number in row.numbers}
        texts |= {line for name in _NAMES for line in _in_two(name)}
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
            box = Box.around(column + self._column / 2, self.top + _HEAD / 2, self._column, _HEAD)
            drawing.text(box, _in_two(name), align="right", color=theme.QUIET)
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
