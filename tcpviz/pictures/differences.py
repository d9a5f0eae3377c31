"""What differs between two Traces of a connection: segments, their fates and times, states.

Knows Traces. Must not know how anything is drawn. Two segments are the same if the same end sends
them with the same control bits, the same numbers counted from the ISSs and as much data; of the
rest, those that do the same after other data, whose numbers differ by it.
"""

from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from tcpviz.segment import ACK, FIN, RST, SYN, Segment, relative
from tcpviz.states import State
from tcpviz.steps import Flight, Span, Timer
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

_SIDES: Final = ("compare_left", "compare_right")
_Key = tuple[bool, int, int, int, int, int]
_BITS: Final = SYN | FIN | RST | ACK


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
    ends is told as that: nobody looked there. ISSs are told only if numbers are `absolute`, options
    only if both traces have any: a simulation may not tell of them.
    """
    pairs = _pairs(one, other)
    known = known_until(one), known_until(other)
    found = [*_of_segments((one, other), pairs, absolute, known)]
    found += _of_times((one, other), pairs, tolerance, absolute)
    found += _of_numbers((one, other), pairs, absolute)
    found += _of_syns((one, other), pairs, absolute)
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


def _counted(trace: Trace, flight: Flight) -> tuple[int, int]:
    """SEG.SEQ and SEG.ACK counted from the ISSs; 0 for one that means nothing."""
    segment = flight.segment
    seq = relative(segment.seq, trace.base(flight.sender, segment.seq))
    if not segment.ctl & ACK:
        return seq, 0
    return seq, relative(segment.ack, trace.base(flight.receiver, segment.ack))


class _Keys:
    """What two segments must have in common to be the same, or to do the same."""

    def __init__(self, trace: Trace, *, connections: bool) -> None:
        """`connections` tells those of an end apart, which no header does."""
        self._trace, self._connections = trace, connections
        self._ends: dict[tuple[str, int], int] = {}  # where the data of a connection ends
        for flight in trace.flights:
            if flight.segment.ctl & FIN:
                seq = flight.segment.seq
                base = trace.base(flight.sender, seq)
                self._ends[flight.sender, base] = relative(seq, base) + flight.segment.length

    def same(self, flight: Flight) -> _Key:
        """Its bits, its numbers, its octets."""
        return self._key(flight, *_counted(self._trace, flight), flight.segment.length)

    def alike(self, flight: Flight) -> _Key:
        """Its bits, whether its numbers are before or after the FINs, whether it has data."""
        segment = flight.segment
        seq = self._phase(flight.sender, segment.seq)
        ack = self._phase(flight.receiver, segment.ack) if segment.ctl & ACK else 0
        return self._key(flight, seq, ack, min(segment.length, 1))

    def _key(self, flight: Flight, seq: int, ack: int, length: int) -> _Key:
        first = flight.sender == self._trace.ends[0].name
        connection = flight.segment.incarnation if self._connections else 0
        return first, connection, flight.segment.ctl & _BITS, seq, ack, length

    def _phase(self, name: str, number: int) -> int:
        """0 up to the SYN, 1 in the data and at the FIN, 2 after it."""
        base = self._trace.base(name, number)
        counted = relative(number, base)
        end = self._ends.get((name, base))
        return min(counted, 0) if counted < 1 else 2 if end is not None and counted > end else 1


_Pairs = list[tuple[Flight | None, Flight | None]]


def _pairs(one: Trace, other: Trace) -> _Pairs:
    """The flights of both, the nth of its kind with the nth of the other trace.

    Those that are the same come first, and then of the rest those that do the same. Of one kind
    the later one goes with the later one, unless fewer would be the same.
    """
    connections = one.source == other.source == "simulation"
    mine, theirs = (_Keys(trace, connections=connections) for trace in (one, other))
    found: dict[int, Flight] = {}
    for left, right in ((mine.same, theirs.same), (mine.alike, theirs.alike)):
        taken = {flight.number for flight in found.values()}
        waiting: dict[_Key, list[Flight]] = {}
        for flight in other.flights:
            if flight.number not in taken:
                waiting.setdefault(right(flight), []).append(flight)
        for flight in one.flights:
            if flight.number not in found and (same := waiting.get(left(flight))):
                found[flight.number] = same.pop(0)
    kinds: dict[_Key, list[Flight]] = {}
    for flight in one.flights:
        if flight.number in found:
            kinds.setdefault(mine.alike(flight), []).append(flight)
    for flights in kinds.values():
        crossed = [found[flight.number] for flight in flights]
        straight = sorted(crossed, key=_number)
        counts = [
            sum(mine.same(each) == theirs.same(its) for each, its in zip(flights, way, strict=True))
            for way in (crossed, straight)
        ]
        if counts[1] >= counts[0]:
            found |= {flight.number: its for flight, its in zip(flights, straight, strict=True)}
    taken = {flight.number for flight in found.values()}
    pairs: _Pairs = [(flight, found.get(flight.number)) for flight in one.flights]
    return [*pairs, *((None, each) for each in other.flights if each.number not in taken)]


def _number(flight: Flight) -> int:
    return flight.number


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


def _options(segment: Segment) -> str:
    """Its options without timestamps, which no two connections share."""
    told = [
        name if value is True or name == "TS" else f"{name} {value}"
        for name, value in segment.options
    ]
    return say("list_comma").join(told) or say("compare_no_options")


def _of_numbers(traces: tuple[Trace, Trace], pairs: _Pairs, absolute: bool) -> Iterator[Difference]:
    """Segments that do the same with more data, or with numbers no other data accounts for."""
    after = [_after_data(trace) for trace in traces]
    for mine, theirs in pairs:
        if mine is None or theirs is None:
            continue
        both = tuple(zip(traces, (mine, theirs), strict=True))
        apart = _counted(*both[0]) != _counted(*both[1])
        same = after[0][mine.number] == after[1][theirs.number]
        if mine.segment.length != theirs.segment.length or (apart and not same):
            names = [_name(*each, absolute) for each in both]
            text = say("compare_numbers", segment=names[0], other=names[1], end=mine.sender)
            yield Difference(mine.seen, text, (_mark(0, mine), _mark(1, theirs)))


def _after_data(trace: Trace) -> dict[int, tuple[int, int]]:
    """The numbers of each flight, counted from the end of all data that was sent before it."""
    ends: dict[tuple[str, int], int] = {}
    found = {}
    for flight in trace.flights:
        segment = flight.segment
        seq, ack = _counted(trace, flight)
        sent = flight.sender, trace.base(flight.sender, segment.seq)
        got = flight.receiver, trace.base(flight.receiver, segment.ack)
        ack -= ends.get(got, 0) if segment.ctl & ACK else 0
        found[flight.number] = seq - ends.get(sent, 0), ack
        if segment.length:
            ends[sent] = max(ends.get(sent, 0), seq - 1 + segment.length)
    return found


def _of_syns(traces: tuple[Trace, Trace], pairs: _Pairs, absolute: bool) -> Iterator[Difference]:
    """Other ISSs, and other options in a SYN, each told once."""
    offered = all(any(f.segment.options for f in trace.flights) for trace in traces)
    told = set()
    for mine, theirs in pairs:
        if mine is None or theirs is None or not mine.segment.ctl & SYN:
            continue
        both = mine.segment, theirs.segment
        what: list[tuple[str, list[str]]] = []
        if absolute:
            what.append(("compare_iss", [str(segment.seq) for segment in both]))
        if offered:
            what.append(("compare_options", [_options(segment) for segment in both]))
        for key, (left, right) in what:
            if left != right and (mine.sender, key, left, right) not in told:
                told.add((mine.sender, key, left, right))
                text = say(key, end=mine.sender, one=left, other=right)
                yield Difference(mine.seen, text, (_mark(0, mine), _mark(1, theirs)))


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
