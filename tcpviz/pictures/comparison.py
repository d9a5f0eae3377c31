"""Two sequence charts on one time axis: what would be beside what is, a model beside a kernel.

Puts two panels on one sheet and marks their differences by numbers. Knows no producer of traces.
"""

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Final

from tcpviz.pictures import theme
from tcpviz.pictures.bars import BAR
from tcpviz.pictures.differences import Difference, aligned, differences, known_until
from tcpviz.pictures.drawing import Box, Drawing, Pen
from tcpviz.pictures.panel import Panel, draw_key, notes, time_axis, worth_its_height
from tcpviz.pictures.picture import Picture
from tcpviz.pictures.placement import spread
from tcpviz.pictures.sheet import EDGE, TITLE, Ruler, draw_notes, draw_title
from tcpviz.pictures.table import Table
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.pictures.trace_table import trace_table
from tcpviz.pictures.ways import Labels
from tcpviz.trace import Trace, transcript
from tcpviz.units import MS, readable
from tcpviz.words import say

_APART: Final = 14  # pt between the charts
_SIZE: Final = 15  # pt: the circle of a number
_LISTED: Final = 12  # differences that are numbered and told on the sheet, and in its alt
_OUTLINE: Final = Pen(theme.INK, 1.5)


def compare(
    one: Trace, other: Trace, *, tolerance: int = 10 * MS, absolute: bool | None = None
) -> Picture:
    """Draw two traces side by side on one time axis, and number what differs between them.

    They are aligned at their first SYN. Times that differ by no more than `tolerance` ns are the
    same. Sequence numbers are absolute where both are simulations, else counted from the ISSs;
    `absolute` decides otherwise. ValueError for a trace that has not two ends.
    """
    for trace in (one, other):
        if len(trace.ends) != 2:
            raise ValueError(f"a comparison shows two ends; a trace has {len(trace.ends)}")
    if absolute is None:
        absolute = one.source == other.source == "simulation"
    traces = aligned(one, other)
    found = differences(*traces, tolerance=tolerance, absolute=absolute)
    drawing, width, height = _drawn(traces, found, absolute)
    titles = [trace.title or say(key) for trace, key in zip(traces, _SIDES, strict=True)]
    counted = say("compare_count", count=len(found)) if found else say("compare_same")
    first = [f"{each.text}." for each in found[:_LISTED]]
    if len(found) > _LISTED:
        first.append(f"{say('compare_more', count=len(found) - _LISTED)}.")

    def told() -> str:
        listed = [counted, *(f"{n}  {each.text}" for n, each in enumerate(found, 1))]
        for trace, title, key in zip(traces, titles, _TITLES, strict=True):
            listed += ["", say(key, title=title), *transcript(trace, absolute=absolute)]
        return "\n".join(listed)

    def tables() -> list[Table]:
        rows = tuple((f"{n}", readable(each.time), each.text) for n, each in enumerate(found, 1))
        columns = say("column_number"), say("column_at"), say("column_difference")
        named = [
            replace(trace, title=say(key, title=name))
            for trace, name, key in zip(traces, titles, _TITLES, strict=True)
        ]
        both = [trace_table(trace, absolute=absolute) for trace in named]
        return [Table(f"{title}\n{counted}", columns, rows), *both]

    title = say("compare_title", one=titles[0], other=titles[1])
    return Picture(
        title,
        drawing.source(width, height),
        told,
        say("compare_alt", told=" ".join([counted, *first])),
        drawing.marks,
        tables,
    )


_PREFIXES: Final = ("left_", "right_")  # of ids
_SIDES: Final = ("compare_left", "compare_right")
_TITLES: Final = ("compare_one", "compare_other")


def _drawn(
    traces: tuple[Trace, Trace], found: Sequence[Difference], absolute: bool
) -> tuple[Drawing, float, float]:
    panels, ruler, lefts = _arranged(traces, absolute)
    width = lefts[1] + panels[1].width + EDGE

    drawing = Drawing()
    ruler.draw(drawing, width)
    middle = lefts[1] - _APART / 2
    drawing.line([[(middle, EDGE), (middle, ruler.bottom)]], Pen(theme.LINE, 0.75))
    for side, (panel, left) in enumerate(zip(panels, lefts, strict=True)):
        drawing.prefix = _PREFIXES[side]
        title = panel.trace.title or say(_SIDES[side])
        draw_title(drawing, title, left, left + panel.width)
        panel.draw(drawing, left)
    drawing.prefix = ""
    ruler.draw_breaks(drawing, width)
    for side, (panel, left) in enumerate(zip(panels, lefts, strict=True)):
        panel.draw_heads(drawing, left, EDGE + TITLE)
        _draw_numbers(drawing, panel, left, side, found)
    bottom = draw_key(drawing, panels, ruler.bottom + 8, width)
    listed = [f"{number}  {each.text}" for number, each in enumerate(found[:_LISTED], 1)]
    if not found:
        listed = [say("compare_same")]
    if len(found) > _LISTED:
        listed.append(say("compare_more", count=len(found) - _LISTED))
    bottom = draw_notes(drawing, [(line, "") for line in listed], bottom, width, theme.INK)
    bottom = draw_notes(drawing, notes(*traces), bottom + 4, width)
    return drawing, width, bottom + EDGE


_Arranged = tuple[list[Panel], Ruler, list[float]]  # the charts, their ruler, their left edges
_MORE: Final = (0, 40, 80)  # pt between the lifelines of either, where labels are too close
_SHEET: Final = 1150.0  # pt: as wide as is readable on A4 turned
_WORTH: Final = 80.0  # pt of width that one more label well placed is worth


def _arranged(traces: tuple[Trace, Trace], absolute: bool) -> _Arranged:
    """Both charts at the scale, and so wide, that is worth the room it gives labels."""
    top = EDGE + TITLE + Panel.above(*traces)
    labels = [Labels(trace, absolute) for trace in traces]

    def at(larger: float) -> tuple[float, float, _Arranged]:
        axis = time_axis(*traces, larger=larger)
        ruler = Ruler(axis, top)
        tried: list[tuple[float, _Arranged]] = []
        for more in _MORE:
            panels = [
                Panel(trace, _known(trace, axis), top, label, narrow=True, more=more)
                for trace, label in zip(traces, labels, strict=True)
            ]
            lefts = [ruler.x + 10.0]
            lefts.append(lefts[0] + panels[0].width + _APART)
            if more and lefts[1] + panels[1].width + EDGE > _SHEET:
                break
            crowded = sum(panel.crowded(left) for panel, left in zip(panels, lefts, strict=True))
            tried.append((crowded + 2 * more / _WORTH, (panels, ruler, lefts)))
            if crowded <= 2 * (_MORE[1] - _MORE[0]) / _WORTH:
                break
        crowded, found = min(tried, key=itemgetter(0))
        return crowded, axis.height, found

    return worth_its_height(at)


def _known(trace: Trace, axis: TimeAxis) -> TimeAxis:
    """As much of the axis as is known of this trace: its bars end there."""
    end = known_until(trace)
    return axis if end is None else axis.until(end)


def _draw_numbers(
    drawing: Drawing, panel: Panel, left: float, side: int, found: Sequence[Difference]
) -> None:
    """The numbers of the differences, each in the bar of the end where it is seen."""
    for end, x in zip(panel.trace.ends, panel.bars(left), strict=True):
        here = [
            (number, mark.time)
            for number, each in enumerate(found[:_LISTED], 1)
            for mark in each.marks
            if (mark.side, mark.end) == (side, end.name)
        ]
        wanted = [(panel.axis.y(time) + _SIZE / 2, _SIZE + 1.0) for _, time in here]
        for (number, _), y in zip(here, spread(wanted, panel.axis), strict=True):
            if y is not None:
                drawing.box(
                    Box.around(x + BAR / 2, panel.top + y, _SIZE, _SIZE),
                    theme.PAPER,
                    _OUTLINE,
                    shape="ellipse",
                    text=([str(number)], theme.SMALL, theme.INK),
                    classes=f"difference d{number}",
                    name=f"difference_{number}_{side}_{panel.trace.ends.index(end)}",
                    tip=found[number - 1].text,
                )
