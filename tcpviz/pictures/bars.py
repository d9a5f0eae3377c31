"""The bar of a lifeline: one rectangle for each state, and what becomes of the connection in it.

Knows the states of one end and the time axis. Must not know what stands beside the bar.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.conditions import Condition
from tcpviz.pictures.drawing import Box, Drawing, Pen, Point
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.states import TRANSITIONS, State
from tcpviz.trace import Trace
from tcpviz.units import readable

BAR: Final = 18  # pt: a quarter of an inch, in which Graphviz takes widths
_SOURCES: Final = {edge.id: edge.source for edge in TRANSITIONS}
_SEEN: Final = Pen(theme.QUIET, 0.75)
_INFERRED: Final = Pen(theme.QUIET, 0.75, "dashed")
_HATCH: Final = Pen(theme.QUIET, 0.75)
_WAY: Final = Pen(theme.QUIET, 1)
_HATCHES: Final = 7.0  # pt from one line of a host that is down to the next
_WAYS: Final = 36.0  # pt from one mark of an open direction to the next
_POINT: Final = 3.0  # pt: half of such a mark


class Stretch(NamedTuple):
    """A state of the bar in sheet coordinates; `step` is the one that began it, None the start."""

    state: State
    top: float
    bottom: float
    inferred: bool
    step: int | None
    tip: str


def stretches(trace: Trace, end: str, axis: TimeAxis, top: float) -> tuple[Stretch, ...]:
    """The states of an end, from before its first step to after its last."""
    begins: dict[tuple[int, State], int] = {}
    for number, step in enumerate(trace.steps):
        if step.end == end and step.state is not None:
            begins.setdefault((step.time, step.state), number)
    found: list[Stretch] = []
    for span in trace.spans(end):
        number = begins[span.since, span.state]
        step = trace.steps[number]
        y = top + axis.y(span.since)
        before = _SOURCES.get(step.edges[0], span.state) if step.edges else span.state
        if not found and before is not span.state:
            found.append(Stretch(before, top, y, step.inferred, None, before))
        until = top + (axis.height if span.until is None else axis.y(span.until))
        tip = f"{span.state}, {readable(span.since)}"
        begin = top if not found else y
        found.append(Stretch(span.state, begin, until, span.inferred, number, tip))
    return tuple(found)


def draw_bar(drawing: Drawing, left: float, parts: tuple[Stretch, ...], side: str) -> None:
    """One rectangle for each state; `side` names it in ids."""
    for number, part in enumerate(parts):
        drawing.box(
            Box(left, part.top, left + BAR, max(part.bottom, part.top + 0.2)),
            theme.TINTS[part.state],
            _INFERRED if part.inferred else _SEEN,
            classes="span" if part.step is None else f"span s{part.step}",
            name=f"span_{side}_{number}",
            tip=part.tip,
        )


def draw_conditions(
    drawing: Drawing,
    left: float,
    held: list[Condition],
    axis: TimeAxis,
    top: float,
    sign: Literal[-1, 1],
    side: str,
) -> None:
    """A host that is down is hatched, of a half-open bar half is left, marks tell the open way."""
    for number, each in enumerate(held):
        until = axis.last if each.until is None else each.until
        name = f"{each.plight.replace('-', '_')}_{side}_{number}"
        for part, (since, end) in enumerate(axis.visible(each.since, until)):
            box = Box(left, top + axis.y(since), left + BAR, top + axis.y(end))
            own = f"{name}_{part}"
            if each.plight == "half-open":
                inner = box._replace(**{"right" if sign > 0 else "left": left + BAR / 2})
                drawing.box(inner, theme.PAPER, _INFERRED, classes="half_open", name=own)
            elif each.plight == "down":
                drawing.box(box, theme.PAPER, _INFERRED, classes="down", name=own)
                hatched = list(_hatch(box))
                if hatched:
                    drawing.line(hatched, _HATCH, classes="down", name=f"{own}_hatch", over=True)
            else:
                way = sign if each.plight == "receives" else -sign
                marks = list(_chevrons(box, way))
                if marks:
                    drawing.line(marks, _WAY, classes="one_way", name=own, over=True)


def chevron(x: float, y: float, way: int) -> list[Point]:
    """The mark of a direction: it points to the right (1) or to the left (-1)."""
    point = way * _POINT
    return [(x - point, y - 2 * _POINT), (x + point, y), (x - point, y + 2 * _POINT)]


def _chevrons(box: Box, way: int) -> Iterator[list[Point]]:
    count = int((box.bottom - box.top - 4 * _POINT) // _WAYS)
    if box.bottom - box.top < 5 * _POINT:
        return
    first = (box.top + box.bottom - count * _WAYS) / 2
    for index in range(count + 1):
        yield chevron((box.left + box.right) / 2, first + index * _WAYS, way)


def _hatch(box: Box) -> Iterator[list[Point]]:
    """Lines that fall from the left to the right, cut by the rectangle."""
    left, top, right, bottom = box
    y = top - (right - left) + _HATCHES
    while y < bottom:
        begin, end = max(y, top), min(y + right - left, bottom)
        if end > begin:
            yield [(left + begin - y, begin), (left + end - y, end)]
        y += _HATCHES
