"""The bar of a lifeline: one rectangle for each state, and what becomes of the connection in it.

Knows the states of one end and the time axis. Must not know what stands beside the bar.
"""

from collections.abc import Iterator
from math import ceil
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
_INSET: Final = 9.0  # pt from the end of a bar to the middle of such a mark, at least
FOOT: Final = 5.0  # pt below the axis that the sides of a bar go on


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
    state = None
    for number, step in enumerate(trace.steps):
        if step.end == end and step.state is not state:
            state = step.state
            if state is not None:
                begins.setdefault((step.time, state), number)
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
    if not found and trace.source == "simulation":  # it has not done anything yet
        closed = State.CLOSED
        found.append(Stretch(closed, top, top + axis.height, inferred=False, step=None, tip=closed))
    return tuple(found)


def draw_bar(drawing: Drawing, left: float, parts: tuple[Stretch, ...], side: str) -> None:
    """One rectangle for each state; `side` names it in ids."""
    for number, part in enumerate(parts):
        bottom, least = part.bottom, part.top + 0.2
        drawing.box(
            Box(left, part.top, left + BAR, bottom if bottom > least else least),
            theme.TINTS[part.state],
            _INFERRED if part.inferred else _SEEN,
            classes="span" if part.step is None else f"span s{part.step}",
            name=f"span_{side}_{number}",
            tip=part.tip,
        )


def lasts(parts: tuple[Stretch, ...]) -> bool:
    """Whether it is still in some state where the chart ends."""
    return bool(parts) and parts[-1].state is not State.CLOSED


def draw_foot(drawing: Drawing, box: Box, fill: str, classes: str, name: str) -> None:
    """Leave a bar open where it ends: its state lasts."""
    left, _, right, y = box
    drawing.line(
        [[(left + 0.4, y), (right - 0.4, y)]], Pen(fill, 2), classes=classes, name=name, over=True
    )
    sides = [[(x, y), (x, y + FOOT)] for x in (left, right)]
    drawing.line(sides, _SEEN, classes=classes, name=f"{name}_on")


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
    """Marks at equal distances, whatever the states; a short bar has one in its middle."""
    least, most = box.top + _INSET, box.bottom - _INSET
    heights = [_WAYS * nth for nth in range(ceil(least / _WAYS), int(most // _WAYS) + 1)]
    for y in heights or ([(least + most) / 2] if least <= most else []):
        yield chevron((box.left + box.right) / 2, y, way)


def _hatch(box: Box) -> Iterator[list[Point]]:
    """Lines that fall from the left to the right, cut by the rectangle."""
    left, top, right, bottom = box
    y = top - (right - left) + _HATCHES
    while y < bottom:
        begin, end = max(y, top), min(y + right - left, bottom)
        if end > begin:
            yield [(left + begin - y, begin), (left + end - y, end)]
        y += _HATCHES
