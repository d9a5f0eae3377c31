"""What state names do not tell of an end: its host is down, its peer is gone, it is half closed.

Knows the states of a Trace. Must not know where anything is drawn.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, Literal, NamedTuple

from tcpviz.states import Event, State
from tcpviz.steps import Kind, Span
from tcpviz.trace import Trace

Plight = Literal["down", "half-open", "sends", "receives"]
_OPEN: Final = {
    State.ESTABLISHED,
    State.FIN_WAIT_1,
    State.FIN_WAIT_2,
    State.CLOSE_WAIT,
    State.CLOSING,
    State.LAST_ACK,
}
_NEW: Final = {State.CLOSED, State.LISTEN, State.SYN_SENT, State.SYN_RECEIVED}
_GONE: Final = {State.CLOSED, State.LISTEN, State.SYN_SENT}
_WAITS: Final = f": {Event.ABORT_AND_WAIT}"  # in the id of an edge to a TIME-WAIT without a peer
_CLOSED: Final = {  # it has sent its FIN
    State.FIN_WAIT_1,
    State.FIN_WAIT_2,
    State.CLOSING,
    State.LAST_ACK,
    State.TIME_WAIT,
}
_ONE_WAY: Final[dict[State, Plight]] = {
    State.CLOSE_WAIT: "sends",
    State.FIN_WAIT_1: "receives",
    State.FIN_WAIT_2: "receives",
}


class Condition(NamedTuple):
    """From `since` to `until` in ns (None: when the trace ends) this holds for an end.

    `sends` and `receives`: of a half-closed connection, the direction that is still open.
    """

    plight: Plight
    since: int
    until: int | None


def conditions(trace: Trace) -> dict[str, list[Condition]]:
    """What holds for each end of two, and when."""
    spans = [_known(trace, end.name) for end in trace.ends]
    found, unread = {}, _unread(trace)
    for end, mine, others in zip(trace.ends, spans, reversed(spans), strict=True):
        alone = _half_open(trace, mine, others)
        one_way = _one_way(mine, others, alone, unread)
        found[end.name] = [*_down(trace, end.name), *_lasting(trace, end.name, alone), *one_way]
    return found


def _known(trace: Trace, end: str) -> tuple[Span, ...]:
    """The states of an end; one that is CLOSED at its first step was so from the start."""
    spans = trace.spans(end)
    if trace.source != "simulation" or (spans and spans[0].state is not State.CLOSED):
        return spans
    if not spans:
        return (Span(State.CLOSED, 0, None, inferred=False),)
    return spans[0]._replace(since=0), *spans[1:]


def _unread(trace: Trace) -> float:
    """When an end leaves for good: what still comes for it is answered by a RST (SHLD-3)."""
    left = (step.time for step in trace.steps if step.text == Event.CLOSE_HALF_DUPLEX)
    return min(left, default=_end(None))


def _one_way(
    spans: tuple[Span, ...], others: tuple[Span, ...], half_open: list[Condition], unread: float
) -> Iterator[Condition]:
    """Half-closed, as long as the one end may still send and the other reads what it sends."""
    for span in spans:
        if span.state not in _ONE_WAY:
            continue
        stops = [_end(span.until), max(unread, span.since)]
        if _ONE_WAY[span.state] == "receives":  # until the peer closes as well
            stops += [
                max(other.since, span.since)
                for other in others
                if other.state in _CLOSED and _end(other.until) > span.since
            ]
        stops += [
            alone.since
            for alone in half_open
            if alone.since < _end(span.until) and span.since < _end(alone.until)
        ]
        until = min(stops)
        if until > span.since:
            stop = None if until == _end(None) else int(until)
            yield Condition(_ONE_WAY[span.state], span.since, stop)


def _end(until: int | None) -> float:
    return float("inf") if until is None else until


def _down(trace: Trace, end: str) -> Iterator[Condition]:
    """From a crash to whatever the host does next."""
    since: int | None = None
    for step in trace.of(end):
        if since is not None:
            yield Condition("down", since, step.time)
            since = None
        if step.kind is Kind.CALL and step.text == Event.CRASH:
            since = step.time
    if since is not None:
        yield Condition("down", since, None)


def _half_open(trace: Trace, spans: tuple[Span, ...], others: tuple[Span, ...]) -> list[Condition]:
    """Open while the peer knows nothing of it (§3.5.1)."""
    found: list[Condition] = []
    began = 0
    waits = {step.time for step in trace.steps for name in step.edges if _WAITS in name}
    for mine in spans:
        if mine.state not in _OPEN:
            began = mine.since if mine.state in _NEW else began
            continue
        for other, after in zip_longest(others, others[1:]):
            aborted = other.state is State.TIME_WAIT and other.since in waits
            if other.state not in _GONE and not aborted:
                continue
            if other.state is State.SYN_SENT and other.since <= began:
                continue
            since = max(mine.since, other.since)
            if other.since <= mine.since and after and after.state not in _GONE:
                continue  # it is about to join
            until = min(_end(mine.until), _end(other.until))
            if since >= until:
                continue
            stop = None if until == float("inf") else int(until)
            if found and found[-1].until == since:
                since = found.pop().since
            found.append(Condition("half-open", since, stop))
    return found


def _lasting(trace: Trace, end: str, found: list[Condition]) -> list[Condition]:
    """Those of them that last longer than it takes to be told so."""
    told: dict[int, int] = {}  # when the first of the segments departs that arrive at a time
    for flight in trace.flights if found else ():
        if flight.receiver == end and flight.sent is not None:
            for time in flight.arrived:
                told[time] = min(told.get(time, flight.sent), flight.sent)
    return [
        each
        for each in found
        if each.until is None or 2 * told.get(each.until, each.until) > each.since + each.until
    ]
