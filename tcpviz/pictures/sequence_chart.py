"""The sequence chart: a Trace of two ends with time to scale.

Puts the parts of the chart on one sheet. Knows no producer of traces.
"""

from itertools import pairwise
from math import ceil
from statistics import median_high
from typing import Final

from tcpviz.pictures import theme
from tcpviz.pictures.arrows import CLEAR, CROSS, draw_arrows
from tcpviz.pictures.drawing import Box, Drawing, Pen
from tcpviz.pictures.lettering import LINE, Face, text_width, wrapped
from tcpviz.pictures.margins import BAR, Margin, roles
from tcpviz.pictures.picture import Picture
from tcpviz.pictures.summary import summary
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.pictures.ways import Space, label_texts, typical_delay
from tcpviz.steps import Kind
from tcpviz.trace import Trace, transcript
from tcpviz.units import readable
from tcpviz.words import say

_DELAY: Final = 45.0  # pt for the usual one-way delay
_GAP: Final = (276, 440)  # pt between the lifelines, at least and at most
_EDGE: Final = 10  # pt of paper around all
_NAME: Final = 40  # characters of an end's name or address
_ROW: Final = theme.SMALL * LINE
_BAND: Final = Pen(theme.QUIET, 0.75, "dashed")  # around what says what is not drawn


def sequence_chart(trace: Trace, *, absolute: bool | None = None) -> Picture:
    """Draw what happened between two ends, y = time to scale, the slope of an arrow = its delay.

    Sequence numbers are absolute for a simulation, as in the figures of RFC 9293, and counted from
    the ISSs for everything observed; `absolute` decides otherwise. Long waits are left out at a
    drawn break that says how long. ValueError for a trace that has not two ends.
    """
    if len(trace.ends) != 2:
        raise ValueError(f"a sequence chart shows two ends; this trace has {len(trace.ends)}")
    if absolute is None:
        absolute = trace.source == "simulation"
    drawing, width, height = _drawn(trace, absolute)
    return Picture(
        trace.title or say("chart_title"),
        drawing.source(width, height),
        lambda: "\n".join(transcript(trace, absolute=absolute)),
        say("chart_alt", told=summary(trace)),
        drawing.marks,
    )


def time_axis(trace: Trace) -> TimeAxis:
    """The axis of a trace's chart: the usual one-way delay, or else the usual wait, sets its scale.

    Where one end alone was observed, the delay is unknown and half a round trip stands for it.
    """
    times = [step.time for step in trace.steps if not (step.kind is Kind.LOSE and step.inferred)]
    delay = typical_delay(trace)
    if delay:
        return TimeAxis.through(times, delay, length=_DELAY)
    kinds = (Kind.DEPART, Kind.ARRIVE)
    trips = [
        after.time - step.time
        for step, after in pairwise(s for s in trace.steps if s.kind in kinds)
        if step.kind is Kind.DEPART and after.kind is Kind.ARRIVE and after.time > step.time
    ]
    waits = [after - time for time, after in pairwise(times) if after > time]
    return TimeAxis.through(times, median_high(trips or waits or [1]), length=2 * _DELAY)


def moments(trace: Trace) -> tuple[float, ...]:
    """How far down each step is on the sheet of the trace's chart, in pt."""
    axis, top = time_axis(trace), _top(trace)
    return tuple(top + axis.y(step.time) for step in trace.steps)


def _drawn(trace: Trace, absolute: bool) -> tuple[Drawing, float, float]:
    """The whole chart, its width and its height."""
    axis = time_axis(trace)
    heads = [_head(trace, index) for index in (0, 1)]
    title = _title(trace)
    top = _top(trace)
    margins = [
        Margin(trace, trace.ends[0].name, axis, top, -1),
        Margin(trace, trace.ends[1].name, axis, top, 1),
    ]
    half = [max(ceil(_wide(line, row) / 2) for row, line in enumerate(lines)) for lines in heads]
    ticks = {readable(time, 9): top + axis.y(time) for time in axis.ticks()}
    ruler = _EDGE + ceil(max((text_width(tick, theme.SMALL) for tick in ticks), default=0)) + 6
    left = ruler + 10 + max(margins[0].width, half[0])
    gap = max(_gap(trace, absolute), half[0] + half[1] - BAR + 12)
    right = left + BAR + gap
    width = right + BAR + max(margins[1].width, half[1]) + _EDGE
    bottom = top + axis.height

    drawing = Drawing()
    if trace.title:
        box = Box(_EDGE, _EDGE, width - _EDGE, _EDGE + 16)
        shown = _fitting(" ".join(trace.title.split()), width - 2 * _EDGE, 12)
        drawing.text(box, [shown], align="left", size=12, face="bold")
    _draw_axis(drawing, ticks, top, bottom, ruler, width)
    margins[0].draw(drawing, left)
    margins[1].draw(drawing, right + BAR)
    draw_arrows(drawing, Space(trace, axis, top, left + BAR, right, absolute))
    _draw_breaks(drawing, axis, top, width)
    for lines, margin, x in zip(heads, margins, (left + BAR / 2, right + BAR / 2), strict=True):
        _draw_head(drawing, lines, x, _EDGE + title, margin.color)
    expired = {bracket.wait.expired for margin in margins for bracket in margin.waits}
    bottom = _draw_foot(drawing, trace, expired, bottom + 8, width)
    return drawing, width, bottom + _EDGE


def _title(trace: Trace) -> int:
    """How far down the title reaches."""
    return 20 if trace.title else 0


def _top(trace: Trace) -> int:
    """Where the axis begins."""
    rows = max(len(_head(trace, index)) for index in (0, 1))
    return _EDGE + _title(trace) + 24 + ceil(_ROW * (rows - 1))


def _gap(trace: Trace, absolute: bool) -> int:
    """Room between the lifelines for the longest label, for that of a lost segment in one half."""
    gap = _GAP[0]
    for flight in trace.flights:
        if flight.sent is None or not flight.arrived:
            three = label_texts(trace, flight, absolute, say("lost"))[2]
            room = 2 * (_widest(three) + CLEAR + 3 * CROSS)
        else:
            whole = label_texts(trace, flight, absolute)[1 if flight.again else 0]
            room = _widest(whole[:1]) + 2 * CLEAR
        gap = max(gap, room)
    return min(gap, _GAP[1])


def _widest(lines: tuple[str, ...]) -> int:
    return ceil(max(text_width(line, theme.FONT_SIZE) for line in lines)) + 4


def _head(trace: Trace, index: int) -> list[str]:
    """The lines over a lifeline: who it is, where, and its part."""
    end = trace.ends[index]
    parts = ", ".join(roles(trace, end.name)) if end.observed else say("not_observed")
    return [_short(line) for line in (end.name, end.address, parts) if line]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _NAME else text[: _NAME - 1] + "…"


def _fitting(text: str, width: float, size: float) -> str:
    while text_width(text, size, "bold") > width:
        text = text[:-2].rstrip() + "…"
    return text


def _wide(line: str, row: int) -> float:
    return text_width(line, theme.SMALL) if row else text_width(line, 13, "bold")


def _draw_head(drawing: Drawing, lines: list[str], x: float, top: float, color: str) -> None:
    for row, line in enumerate(lines):
        y = top + 9 if not row else top + 12 + row * _ROW
        drawing.text(
            Box.around(x, y, _wide(line, row), 16 if not row else _ROW),
            [line],
            size=theme.SMALL if row else 13,
            face="" if row else "bold",
            color=theme.QUIET if row else color,
        )


def _draw_axis(
    drawing: Drawing, ticks: dict[str, float], top: float, bottom: float, x: int, width: int
) -> None:
    grid = [[(x - 3, y), (width - _EDGE, y)] for y in ticks.values()]
    drawing.line(grid, Pen(theme.GRID, 0.75))
    drawing.line([[(x, top), (x, bottom)]], Pen(theme.QUIET, 1))
    for tick, y in ticks.items():
        box = Box(_EDGE, y - 6, x - 6, y + 6)
        drawing.text(box, [tick], align="right", color=theme.QUIET)


def _draw_breaks(drawing: Drawing, axis: TimeAxis, top: float, width: float) -> None:
    """A band across the sheet, its ends beyond it, says what is not drawn."""
    for number, each in enumerate(axis.breaks):
        drawing.box(
            Box(-2, top + each.top, width + 2, top + each.bottom),
            theme.PAPER,
            _BAND,
            text=([say("not_drawn", time=readable(each.omitted, 9))], theme.SMALL, theme.QUIET),
            classes="break",
            name=f"break_{number}",
        )


def _draw_foot(
    drawing: Drawing, trace: Trace, expired: set[bool | None], y: float, width: float
) -> float:
    """The key to the marks that occur, and the trace's notes; returns where they end."""
    marks = [("dot", say("key_expired"))] if True in expired else []
    marks += [("odot", say("key_stopped"))] if False in expired else []
    x = _EDGE
    for head, text in marks:
        pen = Pen(theme.PURPLE, 1.25 if head == "dot" else 0.75, "solid", head, size=0.5)
        drawing.line([[(x, y + 6), (x + 14, y + 6)]], pen)
        box = Box(x + 18, y, x + 18 + text_width(text, theme.SMALL), y + _ROW)
        drawing.text(box, [text], align="left", color=theme.QUIET)
        x = ceil(box.right) + 18
    y += _ROW + 4 if marks else 0
    notes: list[tuple[str, Face]] = [(note, "") for note in trace.notes]
    if any(step.inferred and step.state for step in trace.steps):
        notes.insert(0, (say("key_inferred"), "italic"))
    for note, face in notes:
        lines = wrapped(note, width - 2 * _EDGE, theme.SMALL)
        box = Box(_EDGE, y, width - _EDGE, y + len(lines) * _ROW)
        drawing.text(box, lines, align="left", color=theme.QUIET, face=face)
        y = box.bottom + 3
    return y
