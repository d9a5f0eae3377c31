"""Counts over time: connections in a state, ports in use, places taken in a queue.

Knows how step functions are drawn and told, to scale, few or many. Must not know what they count.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.drawing import Box, Drawing, Pen, Shape
from tcpviz.pictures.lettering import text_width, wrapped
from tcpviz.pictures.picture import Picture
from tcpviz.pictures.placement import Stroke, crosses, spread
from tcpviz.pictures.table import Table
from tcpviz.pictures.time_axis import Piece, TimeAxis, round_step
from tcpviz.timeline import Timeline
from tcpviz.units import readable
from tcpviz.words import say

__all__ = ["outline", "timelines"]

WIDTH: Final = 640.0
_LEFT, _RIGHT = 64.0, 448.0  # the axes, in pt
_TOP, _HIGH = 42.0, 220.0
_SAMPLES, _NAMES = 462.0, 492.0  # where a sample of each line stands, and its name begins
_COLUMNS: Final = 2 * int(_RIGHT - _LEFT)  # half a point each: what a projector can show
_PENS: Final = (
    Pen(theme.BLUE, 1.75),
    Pen(theme.ORANGE, 1.75, "dashed"),
    Pen(theme.PURPLE, 2, "dotted"),
)
_BESIDE: Final = 1.5  # pt that a line lies over where it belongs, for each line before it
_LIMIT: Final = Pen(theme.INK, 1)
_GRID: Final = Pen(theme.GRID)
_AXIS: Final = Pen(theme.QUIET, 0.75)
_LEADER: Final = Pen(theme.LINE, 0.5)
_LINE: Final = 1.2 * theme.SMALL
_TOGETHER: Final = 40  # points: some versions of Graphviz read no longer lines


class _Scale(NamedTuple):
    """From ns and counts to points; `step` and `rise` are those of the ticks."""

    until: int
    most: int
    step: int
    rise: int

    def x(self, time: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * time / self.until

    def y(self, count: float) -> float:
        return _TOP + _HIGH * (1 - count / self.most)

    @property
    def times(self) -> range:
        return range(0, self.until + 1, self.step)


class _Label(NamedTuple):
    """What stands beside the end of a line, which is at this height; `nth` has the look of it."""

    y: float
    lines: tuple[str, ...]
    pen: Pen
    nth: int | None = None


class _Peak(NamedTuple):
    """The most there are in a line, as it is written too, and when for the first time, in ns."""

    most: int
    time: int
    written: str

    def __str__(self) -> str:
        if not self.most:
            return say("line_none")
        return say("line_peak", count=self.written, time=readable(self.time))


def timelines(
    series: Mapping[str, Timeline],
    *,
    limits: Mapping[str, int] | None = None,
    until: int | None = None,
    title: str = "",
) -> Picture:
    """Draw one to three counts over time, each under its name, time to scale from left to right.

    `limits` are drawn as level lines, by name: a backlog, the number of ports or of descriptors.
    The picture begins at 0 and ends at `until` in ns, or a little after the last change. Where more
    happens than a picture can show, the line covers exactly what lies between the least and the
    most of each half point. Simplified: each further line is drawn 1.5 pt higher than its count,
    so that equal counts are seen beside each other.

    ValueError names what cannot be drawn.

    >>> from tcpviz.timeline import Timeline
    >>> picture = timelines({"in the queue": Timeline.counted([0, 10**9], [3 * 10**9])})
    >>> print(picture.text.splitlines()[1])
    in the queue: 2 at most, at 1 s; 1 at the end.
    """
    limits = limits or {}
    _check(series, limits, until)
    peaks = {
        name: _Peak(line.peak, line.peak_time, line.written(line.peak))
        for name, line in series.items()
    }
    scale = _scaled(series, max([1, *limits.values(), *(p.most for p in peaks.values())]), until)
    title = title or say("line_title")
    drawing = Drawing()
    _write(drawing, title, Box(12, 9, WIDTH - 12, 23), theme.FONT_SIZE, theme.INK)
    _draw_axes(drawing, scale)
    strokes: list[Stroke] = []
    labels = []
    for name, limit in limits.items():
        ends = (_LEFT, scale.y(limit)), (_RIGHT, scale.y(limit))
        drawing.line([ends], _LIMIT, classes="limit")
        strokes.append(ends)
        words = _in_margin(say("line_limit", name=name, count=f"{limit:,}"))
        labels.append(_Label(scale.y(limit), words, _LIMIT))
    for nth, (name, line) in enumerate(series.items()):
        lift = _BESIDE * nth  # what is the same is seen beside it
        drawn = [
            (x, scale.y(level) - lift) for x, level in outline(line, scale.until, _LEFT, _RIGHT)
        ]
        parts = [drawn[at : at + _TOGETHER + 1] for at in range(0, len(drawn) - 1, _TOGETHER)]
        tip = f"{name}: {peaks[name]}"
        drawing.line(parts, _PENS[nth], classes="series", name=f"series_{nth}", tip=tip)
        strokes += pairwise(drawn)
        words = *_in_margin(name), *_in_margin(str(peaks[name]))
        labels.append(_Label(drawn[-1][1], words, _PENS[nth], nth))
    _draw_peaks(drawing, tuple(peaks.values()), scale, strokes)
    _draw_names(drawing, labels)
    told = tuple(_sentences(series, peaks, limits, scale))
    alt = " ".join([say("line_alt", title=title), *told])
    high = _TOP + _HIGH + 38
    for note in _unsure(series):
        _write(drawing, note, Box(12, high, WIDTH - 12, high + 14), theme.SMALL, theme.QUIET)
        high += 18
    dot = drawing.source(WIDTH, high)

    def tell() -> str:
        return "\n".join([title, *told, *_table(series, scale)])

    def table() -> Table:
        return Table("\n".join([title, *told]), (say("column_at"), *series), _rows(series, scale))

    return Picture(title, dot, tell, alt, drawing.marks, table)


def outline(line: Timeline, until: int, left: float, right: float) -> Iterator[tuple[float, int]]:
    """The corners (x, count) of a step function between x `left` at time 0 and `right` at `until`.

    Each column half a point wide that has more than two steps in it becomes one upright stroke
    through all counts that occur in it.
    """
    width = (right - left) / _COLUMNS
    level = line.at(0)
    yield left, level
    column, found = -1, list[tuple[int, int]]()
    for time, count in (*line.points, (until, -1)):
        if time <= 0 and time < until:
            continue
        at = time * _COLUMNS // until
        if found and (at != column or time >= until):
            yield from _column(found, level, left + width * column, right, until, left)
            level = found[-1][1]
            found = []
        if time >= until:
            break
        column = at
        found.append((time, count))
    yield right, level


def _column(
    found: Sequence[tuple[int, int]],
    before: int,
    start: float,
    right: float,
    until: int,
    left: float,
) -> Iterator[tuple[float, int]]:
    """The corners of one column, entered at the count `before`."""
    if len(found) <= 2:
        for time, count in found:
            x = left + (right - left) * time / until
            yield x, before
            yield x, count
            before = count
        return
    x = start + (right - left) / _COLUMNS / 2
    counts = [before, *(count for _, count in found)]
    yield x, before
    yield x, max(counts)
    yield x, min(counts)
    yield x, counts[-1]


def _check(series: Mapping[str, Timeline], limits: Mapping[str, int], until: int | None) -> None:
    if not 1 <= len(series) <= len(_PENS):
        raise ValueError(f"series: {len(series)} are not one to {len(_PENS)} counts")
    for name, line in series.items():
        if not isinstance(line, Timeline):
            raise ValueError(f"series[{name!r}]: {line!r} is not a Timeline")  # noqa: TRY004
    for name, limit in limits.items():
        if not _whole(limit):
            raise ValueError(f"limits[{name!r}]: {limit!r} is not a number, 0 or more")
    if until is not None and not (_whole(until) and until > 0):
        raise ValueError(f"until: {until!r} is not a time in ns after 0")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _scaled(series: Mapping[str, Timeline], most: int, until: int | None) -> _Scale:
    """The scales of both axes: room over the highest line, and after the last change."""
    if until is None:
        last = max((line.points[-1][0] for line in series.values() if line.points), default=0)
        until = max(last + last // 12, 1_000)
    rise = round_step(most / 5)
    step = round_step(until / 7)
    while text_width(readable(until // step * step), theme.SMALL) + 12 > (
        (_RIGHT - _LEFT) * step / until
    ):
        step = round_step(step + 1)
    return _Scale(until, most + -(-most // 9), step, rise)


# -- drawing ---------------------------------------------------------------------------------------


def _draw_axes(drawing: Drawing, scale: _Scale) -> None:
    """Both axes with their ticks and a grid behind everything."""
    bottom = _TOP + _HIGH
    for time in scale.times:
        x = scale.x(time)
        drawing.line([[(x, _TOP), (x, bottom)]], _GRID)
        drawing.line([[(x, bottom), (x, bottom + 4)]], _AXIS)
        box = Box.around(x, bottom + 12, 60, 12)
        drawing.text(box, [readable(time)], color=theme.QUIET)
    for count in range(0, scale.most + 1, scale.rise):
        y = scale.y(count)
        drawing.line([[(_LEFT, y), (_RIGHT, y)]], _GRID)
        drawing.line([[(_LEFT - 4, y), (_LEFT, y)]], _AXIS)
        box = Box(12, y - 6, _LEFT - 8, y + 6)
        drawing.text(box, [f"{count:,}"], align="right", color=theme.QUIET)
    drawing.line([[(_LEFT, _TOP), (_LEFT, bottom), (_RIGHT, bottom)]], _AXIS)
    box = Box(_LEFT, bottom + 20, _RIGHT, bottom + 34)
    drawing.text(box, [say("line_time")], align="right", color=theme.QUIET)


def _draw_peaks(
    drawing: Drawing, peaks: Sequence[_Peak], scale: _Scale, strokes: Sequence[Stroke]
) -> None:
    """A sign at the first peak of each line, and its count where that hides nothing."""
    signs = [
        (nth, peak, Box.around(scale.x(peak.time), scale.y(peak.most), 7, 7))
        for nth, peak in enumerate(peaks)
        if peak.most and peak.time <= scale.until
    ]
    taken = [sign for _, _, sign in signs]
    for nth, peak, sign in signs:
        _draw_sign(drawing, nth, sign, f"peak_{nth}")
        text = peak.written
        for box in _beside(sign, text_width(text, theme.SMALL) + 4):
            inside = box.left > _LEFT and box.right < _RIGHT and box.top >= _TOP - 8
            free = not any(_touch(other, box) for other in taken)
            if inside and free and not any(crosses(stroke, box) for stroke in strokes):
                color = _PENS[nth].color
                drawing.text(box, [text], color=color, classes="count", name=f"count_{nth}")
                taken.append(box)
                break


def _draw_sign(drawing: Drawing, nth: int, box: Box, name: str) -> None:
    """What tells the lines apart where their dashes run together: ring, square, dot."""
    pen = Pen(_PENS[nth].color, 1.25)
    fill = pen.color if nth == 2 else theme.PAPER
    shape: Shape = "rectangle" if nth == 1 else "ellipse"
    drawing.box(box, fill, pen, shape=shape, classes="sign", name=name)


def _beside(ring: Box, width: float) -> Iterator[Box]:
    """Places for a number near a ring, the best first."""
    x, left, right = (ring.left + ring.right) / 2, ring.left - 2 - width, ring.right + 2
    above, below = ring.top - 13, ring.bottom + 1
    for x0, y0 in (
        (x - width / 2, above),
        (left, above + 4),
        (right, above + 4),
        (left, ring.top - 3),
        (right, ring.top - 3),
        (right, below),
        (left, below),
    ):
        yield Box(x0, y0, x0 + width, y0 + 12)


def _touch(one: Box, other: Box) -> bool:
    """Whether two rectangles have a point in common."""
    return (
        one.left < other.right
        and other.left < one.right
        and one.top < other.bottom
        and other.top < one.bottom
    )


def _draw_names(drawing: Drawing, labels: Sequence[_Label]) -> None:
    """The names beside the ends of the lines; one that ends alone is joined to its own."""
    axis = TimeAxis(1, 1, (Piece(0, int(_HIGH + 36), 0.0),))
    top = _TOP - 12
    wanted = [(label.y - top, len(label.lines) * _LINE + 6) for label in labels]
    ends = [label.y for label in labels]
    for label, y in zip(labels, spread(wanted, axis), strict=True):
        if y is None:  # many limits of long names
            continue
        middle, half = top + y, len(label.lines) * _LINE / 2
        first = middle - half + _LINE / 2
        if ends.count(label.y) == 1:
            drawing.line([[(_RIGHT + 2, label.y), (_SAMPLES - 4, first)]], _LEADER)
        drawing.line([[(_SAMPLES, first), (_NAMES - 6, first)]], label.pen)
        if label.nth is not None:
            sign = Box.around((_SAMPLES + _NAMES - 6) / 2, first, 7, 7)
            _draw_sign(drawing, label.nth, sign, f"sign_{label.nth}")
        box = Box(_NAMES, middle - half, WIDTH - 6, middle + half)
        drawing.text(box, label.lines, align="left", color=label.pen.color)


def _in_margin(text: str) -> tuple[str, ...]:
    """A text in lines that fit beside the picture."""
    return tuple(wrapped(text, WIDTH - 8 - _NAMES, theme.SMALL)[:3])


def _write(drawing: Drawing, text: str, box: Box, size: float, color: str) -> None:
    """One line of text, as much of it as there is room for."""
    line = wrapped(text, box.right - box.left, size)[:1]
    drawing.text(box, line, align="left", size=size, color=color)


# -- words -----------------------------------------------------------------------------------------


def _sentences(
    series: Mapping[str, Timeline],
    peaks: Mapping[str, _Peak],
    limits: Mapping[str, int],
    scale: _Scale,
) -> Iterator[str]:
    """The peaks, where the lines end, and the limits."""
    for name, line in series.items():
        yield say(
            "line_told", name=name, peak=peaks[name], count=line.written(line.at(scale.until))
        )
    for name, limit in limits.items():
        yield say("line_limit_told", name=name, count=f"{limit:,}")
    yield from _unsure(series)


def _unsure(series: Mapping[str, Timeline]) -> Iterator[str]:
    """Why some counts are only known to be at most so many."""
    if any(line.unsure and line.peak for line in series.values()):
        yield say("line_unsure")


def _table(series: Mapping[str, Timeline], scale: _Scale) -> Iterator[str]:
    """The counts at the ticks of the time axis, in lines of text."""
    widths = [max(len(name), 7) for name in series]
    for at, *cells in ((say("column_at"), *series), *_rows(series, scale)):
        aligned = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
        yield "  ".join((f"{at:>10}", *aligned))


def _rows(series: Mapping[str, Timeline], scale: _Scale) -> tuple[tuple[str, ...], ...]:
    """The counts at the ticks of the time axis."""
    return tuple(
        (readable(time), *(line.written(line.at(time)) for line in series.values()))
        for time in scale.times
    )
