"""What differs between two Traces of a connection: segments, their fates and times, states.

Knows Traces. Must not know how anything is drawn. Two segments are the same if the same end sends
them with the same control bits, the same numbers counted from the ISSs and as much data.
"""

from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from tcpviz.segment import ACK, FIN, RST, SYN, relative
from tcpviz.states import State
from tcpviz.steps import Flight, Span, Timer
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

_SIDES: Final = ("compare_left", "compare_right")
_Key = tuple[bool, int, int, int, int, int]


class Mark(NamedTuple):
    """Where a difference is seen: in the trace at the left (0) or right (1), at an end, when."""

    side: int
    end: str
    time: int


class Difference(NamedTuple):
    """One difference in words, and where it is seen."""

    time: int
    text: str
    marks: tuple[Mark, ...]


def known_until(trace: Trace) -> int | None:
    """The last time in ns at which anybody looked; None for a run in which nothing is left to come.

    A capture ends, and a run may have been stopped, while the connection goes on.
    """
    running = any(wait.expired is None for end in trace.ends for wait in trace.waits(end.name))
    flying = any(flight.lost is None and not flight.arrived for flight in trace.flights)
    if trace.source == "simulation" and not running and not flying:
        return trace.until
    return trace.duration if trace.until is None else trace.until


def aligned(one: Trace, other: Trace) -> tuple[Trace, Trace]:
    """Both traces, the one that begins sooner moved so that both send their first SYN together."""
    by = _begin(other) - _begin(one)
    return _moved(one, max(by, 0)), _moved(other, max(-by, 0))


def _begin(trace: Trace) -> int:
    """When the first SYN is seen, or else anything."""
    syns = [step.time for step in trace.steps if step.segment and step.segment.ctl & SYN]
    return syns[0] if syns else trace.steps[0].time if trace.steps else 0


def _moved(trace: Trace, by: int) -> Trace:
    if not by:
        return trace
    steps = tuple(
        step._replace(
            time=step.time + by,
            timers=tuple(Timer(t.name, t.since + by, t.until + by) for t in step.timers),
        )
        for step in trace.steps
    )
    until = None if trace.until is None else trace.until + by
    return replace(trace, steps=steps, until=until)


def differences(
    one: Trace, other: Trace, *, tolerance: int, absolute: bool
) -> tuple[Difference, ...]:
    """Every difference, in order of time; times differ if by more than `tolerance` ns.

    A difference in time goes on until the next one is told. What one trace has after the other one
    ends is told as that: nobody looked there.
    """
    pairs = _pairs(one, other)
    known = known_until(one), known_until(other)
    found = [*_of_segments((one, other), pairs, absolute, known)]
    found += _of_times((one, other), pairs, tolerance, absolute)
    for mine, theirs in zip(one.ends, other.ends, strict=True):
        if mine.observed and theirs.observed:
            found += _of_states((one, other), (mine.name, theirs.name), known)
            found += _of_waits((one, other), (mine.name, theirs.name), tolerance, known)
    return tuple(sorted(found, key=lambda each: each.time))


_Known = tuple[int | None, int | None]
"""The last time at which anybody looked, in each trace."""


def _alone(side: int, time: int, known: _Known) -> str:
    """Which trace alone has what is at this time, and whether the other one has ended before."""
    end = known[1 - side]
    if end is None or time <= end:
        return say(_SIDES[side])
    return say("compare_after", side=say(_SIDES[side]), other=say(_SIDES[1 - side]))


def _key(trace: Trace, flight: Flight) -> _Key:
    segment = flight.segment
    seq_from = trace.base(flight.sender, segment.seq)
    ack_from = trace.base(flight.receiver, segment.ack)
    return (
        flight.sender == trace.ends[0].name,
        segment.incarnation,
        segment.ctl & (SYN | FIN | RST | ACK),
        relative(segment.seq, seq_from),
        relative(segment.ack, ack_from) if segment.ctl & ACK else 0,
        segment.length,
    )


_Pairs = list[tuple[Flight | None, Flight | None]]


def _pairs(one: Trace, other: Trace) -> _Pairs:
    """The flights of both, the nth of its kind with the nth of the other trace."""
    waiting: dict[_Key, list[Flight]] = {}
    for flight in other.flights:
        waiting.setdefault(_key(other, flight), []).append(flight)
    found: _Pairs = []
    for flight in one.flights:
        same = waiting.get(_key(one, flight))
        found.append((flight, same.pop(0) if same else None))
    return [*found, *((None, flight) for rest in waiting.values() for flight in rest)]


def _mark(side: int, flight: Flight) -> Mark:
    end = flight.sender if flight.sent is not None else flight.receiver
    return Mark(side, end, flight.seen)


def _name(trace: Trace, flight: Flight, absolute: bool) -> str:
    """A segment in a few words: its control bits and numbers."""
    return trace.notation(flight, absolute=absolute)


def _of_segments(
    traces: tuple[Trace, Trace], pairs: _Pairs, absolute: bool, known: _Known
) -> Iterator[Difference]:
    """Segments that one trace alone has, and those that come to different ends."""
    for mine, theirs in pairs:
        if mine is None or theirs is None:
            side = 0 if mine else 1
            flight = mine or theirs
            assert flight is not None
            text = say(
                "compare_only",
                side=_alone(side, flight.seen, known),
                segment=_name(traces[side], flight, absolute),
                end=flight.sender,
                time=readable(flight.seen),
            )
            yield Difference(flight.seen, text, (_mark(side, flight),))
            continue
        fates = _fate(mine), _fate(theirs)
        if fates[0] != fates[1] and "unknown" not in (mine.fate, theirs.fate):
            text = say(
                "compare_fate",
                segment=_name(traces[0], mine, absolute),
                end=mine.sender,
                time=readable(mine.seen),
                one=fates[0],
                other=fates[1],
            )
            yield Difference(mine.seen, text, (_mark(0, mine), _mark(1, theirs)))


def _fate(flight: Flight) -> str:
    if len(flight.arrived) > 1:
        return say("fate_twice", count=len(flight.arrived))
    return say("fate_lost") if flight.fate == "lost" else say("fate_delivered")


def _of_times(
    traces: tuple[Trace, Trace], pairs: _Pairs, tolerance: int, absolute: bool
) -> Iterator[Difference]:
    """Where the second trace falls behind the first, or catches up; segments of other delays.

    Told is how much later a segment leaves, wherever that is not what was told last.
    """
    lag = 0
    for mine, theirs in pairs:
        if mine is None or theirs is None or mine.sent is None or theirs.sent is None:
            continue
        what = {"segment": _name(traces[0], mine, absolute), "end": mine.sender}
        marks = _mark(0, mine), _mark(1, theirs)
        late = theirs.sent - mine.sent
        if abs(late - lag) > tolerance:
            lag = late
            key = "compare_later" if late > 0 else "compare_earlier"
            key = key if abs(late) > tolerance else "compare_together"
            yield Difference(mine.sent, say(key, **what, by=readable(abs(late))), marks)
        if mine.arrived and theirs.arrived:
            longer = theirs.arrived[0] - theirs.sent - (mine.arrived[0] - mine.sent)
            if abs(longer) > tolerance:
                key = "compare_longer" if longer > 0 else "compare_shorter"
                yield Difference(mine.sent, say(key, **what, by=readable(abs(longer))), marks)


def _from_before(
    trace: Trace, end: str, mine: tuple[Span, ...], theirs: tuple[Span, ...]
) -> tuple[Span, ...]:
    """The states of an end, with that before its first step if the other trace shows how it came.

    A simulation shows the call that leads to LISTEN; a capture only what follows from LISTEN.
    """
    before = trace.before(end)
    if not mine or not theirs or before in (None, mine[0].state) or before != theirs[0].state:
        return mine
    assert before is not None
    return (Span(before, 0, mine[0].since, mine[0].inferred), *mine)


def _of_states(
    traces: tuple[Trace, Trace], ends: tuple[str, str], known: _Known
) -> Iterator[Difference]:
    """States that an end passes through in one trace alone."""
    one, other = (trace.spans(end) for trace, end in zip(traces, ends, strict=True))
    spans = (
        _from_before(traces[0], ends[0], one, other),
        _from_before(traces[1], ends[1], other, one),
    )
    first, second = ([span.state for span in each] for each in spans)
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    for what, *bounds in matcher.get_opcodes():
        if what == "equal":
            continue
        for side in (0, 1):
            for span in spans[side][bounds[2 * side] : bounds[2 * side + 1]]:
                yield _state_alone(side, ends[side], span.state, span.since, known)


def _of_waits(
    traces: tuple[Trace, Trace], ends: tuple[str, str], tolerance: int, known: _Known
) -> Iterator[Difference]:
    """TIME-WAIT that lasts longer in one trace: when it ends, no segment need tell of it."""
    if any(trace.source != "simulation" for trace in traces):
        return  # a capture does not see it end
    waits = [
        [span for span in trace.spans(end) if span.state is State.TIME_WAIT]
        for trace, end in zip(traces, ends, strict=True)
    ]
    for spans in zip(*waits, strict=False):
        lasts = [span.until - span.since for span in spans if span.until is not None]
        if len(lasts) == len(spans) and abs(lasts[0] - lasts[1]) > tolerance:
            side = int(lasts[1] > lasts[0])
            time = spans[side].since + min(lasts)
            yield _state_alone(side, ends[side], State.TIME_WAIT, time, known)


def _state_alone(side: int, end: str, state: State, time: int, known: _Known) -> Difference:
    where = _alone(side, time, known)
    text = say("compare_state", side=where, end=end, state=state, time=readable(time))
    return Difference(time, text, (Mark(side, end, time),))
