"""Many connections on one time axis: what a server sees of its clients, a bar for each connection.

Knows Traces and the time axis; a connection is a thin line while there is none, a bar while it has
a state. Must not know what makes traces.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import ceil
from statistics import median_high
from typing import Final, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.drawing import Box, Drawing, Pen, Point
from tcpviz.pictures.lettering import text_width
from tcpviz.pictures.picture import Picture
from tcpviz.pictures.remarks import Remarks
from tcpviz.pictures.sheet import EDGE, ROW, TITLE, Ruler, draw_notes, draw_title
from tcpviz.pictures.table import Table
from tcpviz.pictures.time_axis import TimeAxis, round_step
from tcpviz.states import State
from tcpviz.steps import Kind, Span
from tcpviz.timeline import maybe_cookie
from tcpviz.trace import Trace
from tcpviz.units import MS, readable
from tcpviz.words import say

MOST: Final = 60
"""Connections that can be told apart on one sheet."""
_NONE: Final = (State.CLOSED, State.LISTEN)
_SHORT: Final = {
    State.SYN_SENT: "SS",
    State.SYN_RECEIVED: "SR",
    State.ESTABLISHED: "E",
    State.FIN_WAIT_1: "F1",
    State.FIN_WAIT_2: "F2",
    State.CLOSE_WAIT: "CW",
    State.CLOSING: "CG",
    State.LAST_ACK: "LA",
    State.TIME_WAIT: "TW",
}
"""What stands in a bar that is too narrow for the name of its state."""
_COLUMN: Final = 26.0  # pt from one connection to the next, where a page has the room
_NARROW: Final = 7.0  # ... where it has not
_PAGE: Final = 800.0  # pt: an A4 page across
_WIDE: Final = 18.0  # pt: a bar
_WRITTEN: Final = 15.0  # pt: a bar with letters in it
_HEIGHT: Final = 420.0  # pt for all waits but the long ones
_OFTEN: Final = 20  # times the usual wait is a long one
_TALLEST: Final = 1600.0  # pt
_HEAD: Final = 16.0  # pt
_LETTERS: Final = 11.0  # pt of a bar that letters need
_COUNTED: Final = (
    State.SYN_RECEIVED,
    State.ESTABLISHED,
    State.FIN_WAIT_2,
    State.CLOSE_WAIT,
    State.LAST_ACK,
    State.TIME_WAIT,
)
_LINE: Final = Pen(theme.LINE, 0.75)
_SEEN: Final = Pen(theme.QUIET, 0.75)
_INFERRED: Final = Pen(theme.QUIET, 0.75, "dashed")
_PILED: Final = Pen(theme.INK, 1.5)  # around CLOSE-WAIT, that waits for the application
_DROPPED: Final = Pen(theme.RED, 1.5)


class _Column(NamedTuple):
    """One connection: what it is called, the states of the end, and what was dropped there when."""

    name: str
    title: str
    spans: tuple[Span, ...]
    dropped: tuple[int, ...]
    times: tuple[int, ...]
    cookie: bool  # nothing may be kept of it


def server_view(traces: Iterable[Trace], *, end: str = "server", title: str = "") -> Picture:
    """Draw the states of one end of many connections side by side, y = time to scale.

    A Population is such a row of traces. Times count from the trace that starts first. ValueError
    for no connection and for more than MOST; KeyError for an end that a trace lacks.
    """
    found = list(traces)
    if not 0 < len(found) <= MOST:
        raise ValueError(
            f"a server's view shows 1 to {MOST} connections; these are {len(found)}:"
            " draw some of them, or count them over time"
        )
    columns = list(_columns(found, end))
    title = title or connections(len(found), end)
    drawing, width, height = _drawn(columns, found, title)
    return Picture(
        title,
        drawing.source(width, height),
        lambda: "\n".join(_told(columns)),
        " ".join(_alt(columns, end)),
        drawing.marks,
        lambda: [_table(columns, title), _counts(columns)],
    )


def _columns(traces: Sequence[Trace], end: str) -> Iterator[_Column]:
    first = min(trace.start for trace in traces)
    addresses = [trace.other(trace.end(end).name).address for trace in traces]
    ports = [address.rpartition(":")[2] for address in addresses]
    named = all(port.isdecimal() for port in ports) and len(set(ports)) == len(ports)
    for number, trace in enumerate(traces):
        shift = trace.start - first
        dropped = Remarks(trace).dropped
        yield _Column(
            f":{ports[number]}" if named else str(number),
            trace.title or say("pop_member", number=number),
            tuple(
                span._replace(
                    since=span.since + shift,
                    until=None if span.until is None else span.until + shift,
                )
                for span in trace.spans(end)
            ),
            tuple(
                step.time + shift
                for step in trace.steps
                if step.kind is Kind.ARRIVE and step.end == end and step.flight in dropped
            ),
            (*(span.since + shift for span in trace.spans(end)), trace.duration + shift),
            maybe_cookie(trace, end),
        )


def _axis(columns: Sequence[_Column]) -> TimeAxis:
    """To a scale that shows all but the longest waits on about a page."""
    times = sorted({t for c in columns for t in (*c.times, *c.dropped)}) or [0]
    waits = [after - time for time, after in pairwise(times)]
    if not waits:
        return TimeAxis.through(times, 100 * MS, length=_HEIGHT / 4)
    usual = _OFTEN * median_high(waits)
    busy = sum(wait for wait in waits if wait <= usual)
    return TimeAxis.within(times, busy, length=_HEIGHT, tallest=_TALLEST)


def _count(columns: Sequence[_Column], state: State, time: int) -> int:
    """How many connections are in the state, what happens at that instant included."""
    return sum(
        span.state is state and span.since <= time and (span.until is None or time < span.until)
        for column in columns
        for span in column.spans
    )


def _peak(columns: Sequence[_Column], state: State) -> tuple[int, int]:
    """The most connections that are in the state at once, and since when."""
    begins = sorted({s.since for c in columns for s in c.spans if s.state is state})
    counts = [(_count(columns, state, time), time) for time in begins]
    return max(counts, key=lambda each: (each[0], -each[1]), default=(0, 0))


def _counted(columns: Sequence[_Column], state: State, count: int, time: int) -> str:
    """A count as it is written: at most so many, where nothing may be kept of some."""
    sure = _count([column for column in columns if not column.cookie], state, time)
    return f"{count}" if sure == count else say("view_at_most", count=count)


def _cookies(columns: Sequence[_Column]) -> list[str]:
    count = sum(column.cookie for column in columns)
    return [say("view_cookies", count=count)] if count else []


def _drawn(
    columns: Sequence[_Column], traces: Sequence[Trace], title: str
) -> tuple[Drawing, float, float]:
    axis = _axis(columns)
    ruler = Ruler(axis, EDGE + TITLE + ROW + _HEAD + 4)
    names = max(text_width(column.name, theme.SMALL) for column in columns)
    left = ruler.x + 12
    counted = [state for state in _COUNTED if _peak(columns, state)[0]]
    each = ceil(text_width(State.ESTABLISHED, theme.SMALL)) + 10
    room = (_PAGE - left - 8 - len(counted) * each - EDGE) / len(columns)
    wide = max(min(max(_COLUMN, ceil(names) + 6), room), _NARROW)
    named = round_step((names + 6) / wide)
    bar = min(_WIDE, wide - 2)
    counts = left + len(columns) * wide + 8
    width = max(counts + len(counted) * each + EDGE, 420)

    drawing = Drawing()
    draw_title(drawing, title, EDGE, width - EDGE)
    ruler.draw(drawing, width)
    for number, column in enumerate(columns):
        x = left + (number + 0.5) * wide
        _draw_column(drawing, column, number, x, bar, ruler)
        if number % named == 0:
            box = Box.around(x, ruler.top - 4 - _HEAD / 2, wide, ROW)
            drawing.text(box, [column.name], color=theme.QUIET)
    heading = Box(EDGE, ruler.top - 4 - _HEAD - ROW, counts, ruler.top - 4 - _HEAD)
    drawing.text(heading, [say("view_connections")], align="left")
    if counted:
        heading = heading._replace(left=counts + 8, right=counts + len(counted) * each)
        drawing.text(heading, [say("view_counts")], align="left")
    for index, state in enumerate(counted):
        box = Box(counts + index * each, ruler.top - 4 - _HEAD, counts + (index + 1) * each, 0)
        drawing.text(box._replace(bottom=ruler.top - 4), [state], align="right", color=theme.QUIET)
        for time in axis.ticks():
            y, count = ruler.top + axis.y(time), _count(columns, state, time)
            row = Box(box.left, y - 6, box.right, y + 6)
            if count:
                drawing.paper(row._replace(left=box.right - 24))
                text = _counted(columns, state, count, time)
                drawing.text(row, [text], align="right", face="bold")
    ruler.draw_breaks(drawing, width)
    bottom = _draw_key(drawing, columns, ruler.bottom + 8, width, letters=bar >= _WRITTEN)
    notes = list(dict.fromkeys(note for trace in traces for note in trace.notes))
    if any(span.inferred for column in columns for span in column.spans):
        notes.insert(0, say("view_inferred"))
    notes[1:1] = _cookies(columns)
    bottom = draw_notes(drawing, [(note, "") for note in notes], bottom, width)
    return drawing, width, bottom + EDGE


def _draw_column(
    drawing: Drawing, column: _Column, number: int, x: float, bar: float, ruler: Ruler
) -> None:
    """The states of one connection, with letters in them where there is room for them."""
    axis, top = ruler.axis, ruler.top
    drawing.line([[(x, top), (x, ruler.bottom)]], _LINE)
    for index, span in enumerate(column.spans):
        if span.state in _NONE:
            continue
        until = axis.last if span.until is None else span.until
        y0, y1 = top + axis.y(span.since), top + axis.y(until)
        pen = _INFERRED if span.inferred else _SEEN
        if span.state is State.CLOSE_WAIT:
            pen = _PILED._replace(style=pen.style, width=1.5 if bar >= _WRITTEN else 0.75)
        drawing.box(
            Box.around(x, (y0 + y1) / 2, bar, max(y1 - y0, 0.5)),
            theme.TINTS[span.state],
            pen,
            classes=f"span c{number}",
            name=f"span_{number}_{index}",
            tip=f"{column.name} {span.state}, {readable(span.since)}",
        )
    for index, span in enumerate(column.spans):
        parts = (
            []
            if span.state in _NONE or bar < _WRITTEN
            else list(axis.visible(span.since, axis.last if span.until is None else span.until))
        )
        for since, until in parts[:1]:
            y0, y1 = top + axis.y(since), top + axis.y(until)
            if y1 - y0 >= _LETTERS:
                drawing.box(
                    Box.around(x, y0 + _LETTERS / 2 + 0.5, bar - 4, _LETTERS - 3),
                    theme.TINTS[span.state],
                    Pen(theme.TINTS[span.state], 0),
                    text=([_SHORT[span.state]], theme.TINY, theme.INK),
                    classes=f"name c{number}",
                    name=f"name_{number}_{index}",
                )
    for index, time in enumerate(column.dropped):
        y = top + axis.y(time)
        drawing.line(
            _cross(x, y, min(4, bar / 2)),
            _DROPPED,
            classes=f"dropped c{number}",
            name=f"dropped_{number}_{index}",
            over=True,
        )


def _cross(x: float, y: float, by: float = 4) -> list[list[Point]]:
    return [[(x - by, y - by), (x + by, y + by)], [(x - by, y + by), (x + by, y - by)]]


def _draw_key(
    drawing: Drawing, columns: Sequence[_Column], y: float, width: float, *, letters: bool
) -> float:
    """What the letters and fills mean; returns where it ends."""
    states = {span.state for column in columns for span in column.spans}
    x: float = EDGE

    def place(needed: float) -> tuple[float, float]:
        nonlocal x, y
        if x > EDGE and x + needed > width - EDGE:
            x, y = EDGE, y + ROW + 6
        at = x
        x += needed + 16
        return at, y

    for state in (state for state in State if state in states and state not in _NONE):
        wide = text_width(state, theme.SMALL)
        left, top = place(24 + wide)
        drawing.box(
            Box(left, top, left + _WIDE, top + ROW + 1),
            theme.TINTS[state],
            _PILED if state is State.CLOSE_WAIT else _SEEN,
            text=([_SHORT[state]] if letters else (), theme.TINY, theme.INK),
            classes="key",
        )
        box = Box(left + 23, top, left + 24 + wide, top + ROW)
        drawing.text(box, [state], align="left", color=theme.QUIET)
    if any(column.dropped for column in columns):
        wide = text_width(say("view_dropped"), theme.SMALL)
        left, top = place(24 + wide)
        drawing.line(_cross(left + 9, top + 6), _DROPPED)
        box = Box(left + 23, top, left + 24 + wide, top + ROW)
        drawing.text(box, [say("view_dropped")], align="left", color=theme.QUIET)
    return y + ROW + 8


def _told(columns: Sequence[_Column]) -> Iterator[str]:
    """One line for each connection: its states with their times."""
    wide = max(len(column.name) for column in columns)
    for column in columns:
        states = [f"{span.state} {readable(span.since)}" for span in column.spans]
        states += [f"{say('view_dropped')} {readable(time)}" for time in column.dropped]
        told = say("list_comma").join(states) or say("view_nothing")
        yield f"{column.name:>{wide}}  {told}"
    for state in _COUNTED:
        count, time = _peak(columns, state)
        if count:
            yield say("view_peak", state=state, count=count, time=readable(time))
    yield from _cookies(columns)


def _table(columns: Sequence[_Column], title: str) -> Table:
    """A row for each connection: when it was in which state."""
    spans = sorted((s for c in columns for s in c.spans), key=lambda span: span.since)
    states = list(dict.fromkeys([span.state for span in spans]))  # as they were met
    dropped = [say("view_dropped")] if any(column.dropped for column in columns) else []

    def row(column: _Column) -> Iterator[str]:
        yield column.name
        for state in states:
            yield say("list_comma").join(_stay(s) for s in column.spans if s.state is state)
        if dropped:
            yield say("list_comma").join(map(readable, column.dropped))

    inferred = any(span.inferred for span in spans)
    caption = "\n".join([title, *([say("table_inferred")] if inferred else [])])
    names = say("column_connection"), *states, *dropped
    return Table(caption, names, tuple(tuple(row(column)) for column in columns))


def connections(count: int, end: str) -> str:
    """How many there are at an end, in words."""
    return say("view_title_one" if count == 1 else "view_title", end=end, count=count)


def _stay(span: Span) -> str:
    """From when to when; in parentheses where nobody saw it."""
    if span.until is None:
        told = say("table_from", since=readable(span.since))
    else:
        told = say("table_stay", since=readable(span.since), until=readable(span.until))
    return f"({told})" if span.inferred else told


def _counts(columns: Sequence[_Column]) -> Table:
    """How many connections are in the states that are counted, at the ticks of the time axis."""
    states = [state for state in _COUNTED if _peak(columns, state)[0]]
    rows = (
        (readable(time), *(str(_count(columns, state, time)) for state in states))
        for time in _axis(columns).ticks()
    )
    return Table(say("table_counts"), (say("column_at"), *states), tuple(rows))


def _alt(columns: Sequence[_Column], end: str) -> Iterator[str]:
    yield say("view_alt", what=connections(len(columns), end))
    for state in _COUNTED:
        count, time = _peak(columns, state)
        if count:
            yield say("view_peak", state=state, count=count, time=readable(time))
    lasting = sum(
        bool(column.spans) and column.spans[-1].state is State.CLOSE_WAIT for column in columns
    )
    if lasting:
        yield say("view_stay", state=State.CLOSE_WAIT, count=lasting)
    yield from _cookies(columns)
