"""The sequence chart: a Trace of two ends with time to scale.

Puts the parts of the chart on one sheet. Knows no producer of traces.
"""

from dataclasses import replace

from tcpviz.pictures.drawing import Drawing
from tcpviz.pictures.panel import Panel, draw_key, notes, time_axis, worth_its_height
from tcpviz.pictures.picture import Picture
from tcpviz.pictures.sheet import EDGE, TITLE, Ruler, draw_notes, draw_title
from tcpviz.pictures.summary import summary
from tcpviz.pictures.trace_table import trace_table
from tcpviz.pictures.variables import told as told_variables
from tcpviz.pictures.ways import Labels, told_options
from tcpviz.trace import Trace, transcript
from tcpviz.words import say


def sequence_chart(
    trace: Trace,
    *,
    absolute: bool | None = None,
    options: bool = False,
    variables: bool = False,
    until: int | None = None,
) -> Picture:
    """Draw what happened between two ends, y = time to scale, the slope of an arrow = its delay.

    Sequence numbers are absolute for a simulation, as in the figures of RFC 9293, and counted from
    the ISSs for everything observed; `absolute` decides otherwise. `options` are those of SYNs,
    `variables` are SND.UNA, SND.NXT and RCV.NXT wherever they change. Long waits are left out at a
    drawn break that says how long. `until` is the number of a step: what had happened before it is
    drawn, and nothing tells what came then. ValueError for a trace that has not two ends.

    Simplified: a simulated loss half way is drawn a little before or after the middle where its
    cross would lie on another arrow; the transcript keeps the time. Segments that leave and arrive
    together run 5 pt apart between their ends, which are exact, the one sent first above.
    """
    if len(trace.ends) != 2:
        raise ValueError(f"a sequence chart shows two ends; this trace has {len(trace.ends)}")
    part = until is not None
    if part:
        steps = trace.steps[:until]
        until_ns = steps[-1].time if steps else 0
        trace = replace(trace, steps=steps, until=until_ns, title="")  # a title may tell the end
    labels = _labels(trace, absolute, options=options)
    absolute = labels.absolute
    drawing, width, height = _drawn(trace, labels, variables)

    def told() -> str:
        lines = list(transcript(trace, absolute=absolute))
        lines += told_options(labels) if options else ()
        lines += told_variables(trace, labels.absolute) if variables else ()
        return "\n".join(lines)

    return Picture(
        trace.title or say("chart_title"),
        drawing.source(width, height),
        told,
        say("chart_until" if part else "chart_alt", told=summary(trace, part=part)),
        drawing.marks,
        lambda: trace_table(trace, absolute=absolute),
        trace.dumps,
    )


def moments(trace: Trace) -> tuple[float, ...]:
    """How far down each step is on the sheet of the trace's chart, in pt."""
    _, ruler = arranged(trace, _labels(trace))
    return tuple(ruler.top + ruler.axis.y(step.time) for step in trace.steps)


def _labels(trace: Trace, absolute: bool | None = None, *, options: bool = False) -> Labels:
    """The labels, their numbers as the RFC's figures have them where nothing was observed."""
    if absolute is None:
        absolute = trace.source == "simulation"
    return Labels(trace, absolute, options)


def _head(trace: Trace) -> float:
    """Where the names of the ends begin, below the title."""
    return EDGE + (TITLE if trace.title else 0)


def _drawn(trace: Trace, labels: Labels, variables: bool) -> tuple[Drawing, float, float]:
    """The whole chart, its width and its height."""
    head = _head(trace)
    panel, ruler = arranged(trace, labels, variables=variables)
    left = ruler.x + 10
    width = left + panel.width + EDGE

    drawing = Drawing()
    draw_title(drawing, trace.title, EDGE, width - EDGE)
    ruler.draw(drawing, width)
    panel.draw(drawing, left)
    ruler.draw_breaks(drawing, width)
    panel.draw_heads(drawing, left, head)
    bottom = draw_key(drawing, [panel], ruler.bottom + 8, width)
    bottom = draw_notes(drawing, notes(trace, absolute=labels.absolute), bottom, width)
    return drawing, width, bottom + EDGE


def arranged(trace: Trace, labels: Labels, *, variables: bool = False) -> tuple[Panel, Ruler]:
    """The chart and its ruler, at the scale where room for labels is worth the height it takes."""
    top = _head(trace) + Panel.above(trace)

    def at(larger: float) -> tuple[float, float, tuple[Panel, Ruler]]:
        axis = time_axis(trace, roomy=labels.options, larger=larger)
        panel = Panel(trace, axis, top, labels, variables=variables)
        ruler = Ruler(axis, top)
        return panel.crowded(ruler.x + 10), axis.height, (panel, ruler)

    return worth_its_height(at)
