"""Compare a recording with the traces the model made of it: segments, their order, states.

What a timer of the kernel does may come late, and then whatever it causes; how late at most is
reckoned along the model's causes. A difference says what was recorded and what the model did.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from tcpviz.scenario import ENDS, Name
from tcpviz.segment import ACK, NUMBERS, SYN, Segment
from tcpviz.states import TRANSITIONS, State
from tcpviz.steps import Kind, Step, Timer
from tcpviz.trace import Trace
from tcpviz.units import MS, readable

from .recorded import Pair, Recording, Seen, Sent

NOISE: Final = 1 * MS
_EDGES: Final = {edge.id: edge for edge in TRANSITIONS}
Key = tuple[int, int, int | None, int, int | None, int]


class Left(NamedTuple):
    """A segment that left an end of the model; `late` is how much later a kernel may send it."""

    pair: Pair
    sender: Name
    segment: Segment
    key: Key
    time: int
    late: int
    cause: Step


class Difference(NamedTuple):
    """Something recorded that the model does not do, or the other way round, or otherwise."""

    kind: str  # segment, order, state
    pair: Pair
    end: Name
    recorded: Sent | Seen | None
    model: Left | Seen | None
    trace: Trace
    text: str

    def __str__(self) -> str:
        return f"{self.end} of {self.pair[0]} to {self.pair[1]}: {self.text}"


def compare(recording: Recording, traces: dict[Pair, Trace]) -> Iterator[Difference]:
    """Every difference, segments first."""
    matched: list[tuple[Sent, Left]] = []
    for pair, trace in traces.items():
        bases = _bases(recording, pair)
        lefts = list(_departures(pair, trace, bases))
        for end in ENDS:
            yield from _segments(recording, pair, end, trace, lefts, matched)
        for end in ENDS:
            yield from _states(recording, pair, end, trace)
    yield from _order(matched, traces)


# -- segments --------------------------------------------------------------------------------------


def _bases(recording: Recording, pair: Pair) -> dict[Name, int]:
    """The number that relative numbers of each end are counted from."""
    bases: dict[Name, int] = {}
    for sent in recording.sent:
        if sent.pair == pair and sent.seq is not None:
            bases.setdefault(sent.sender, (sent.segment.seq - sent.seq) % NUMBERS)
    return bases


def _key(segment: Segment, sender: Name, bases: dict[Name, int]) -> Key:
    other: Name = "server" if sender == "client" else "client"
    seq = (segment.seq - bases[sender]) % NUMBERS if sender in bases else None
    ack = (segment.ack - bases[other]) % NUMBERS if other in bases else None
    acks = bool(segment.ctl & ACK)
    return (
        segment.ctl,
        segment.seq,
        seq,
        segment.ack if acks else 0,
        ack if acks else None,
        segment.length,
    )


def _recorded_key(sent: Sent, bases: dict[Name, int]) -> Key:
    segment, known = sent.segment, sent.sender in bases
    other: Name = "server" if sent.sender == "client" else "client"
    seq = sent.seq if known or sent.seq is not None else None
    if known and seq is None:  # a RST that answers a SYN has the number 0, relative to nothing
        seq = (segment.seq - bases[sent.sender]) % NUMBERS
    acks = bool(segment.ctl & ACK)
    ack = sent.ack if acks and other in bases else None
    return (segment.ctl, segment.seq, seq, segment.ack if acks else 0, ack, segment.length)


def _departures(pair: Pair, trace: Trace, bases: dict[Name, int]) -> Iterator[Left]:
    """What left the ends of the model, with how late a kernel may be with it."""
    late_at: dict[tuple[str, int], int] = {}
    of_flight: dict[int, int] = {}
    running: dict[str, tuple[Timer, ...]] = {}
    late, cause = 0, trace.steps[0] if trace.steps else None
    for step in trace.steps:
        if step.kind is Kind.DEPART and step.segment and step.flight is not None and cause:
            of_flight[step.flight] = late
            sender: Name = "client" if step.end == "client" else "server"
            key = _key(step.segment, sender, bases)
            yield Left(pair, sender, step.segment, key, step.time, late, cause)
        elif step.kind is Kind.ARRIVE and step.flight is not None:
            late, cause = of_flight.get(step.flight, 0) + NOISE // 4, step
        elif step.kind is Kind.TIMEOUT:
            timer = next(t for t in running[step.end] if t.name == step.text)
            armed = late_at.get((step.end, timer.since), 0)
            late, cause = armed + wheel(timer.until - timer.since), step
        elif step.kind is Kind.CALL:
            late, cause = 0, step
        if step.state is not None:
            running[step.end] = step.timers
            late_at[step.end, step.time] = max(late, late_at.get((step.end, step.time), 0))


def wheel(duration: int) -> int:
    """How late a timer of the kernel may be: the wheel counts ticks of 4 ms, long times coarsely.

    >>> from tcpviz.units import S
    >>> wheel(64 * S) / S
    8.01
    """
    return duration // 8 + 10 * MS


def _segments(
    recording: Recording,
    pair: Pair,
    end: Name,
    trace: Trace,
    lefts: list[Left],
    matched: list[tuple[Sent, Left]],
) -> Iterator[Difference]:
    bases = _bases(recording, pair)
    theirs = [s for s in recording.sent if (s.pair, s.sender) == (pair, end) and not s.injected]
    ours = [left for left in lefts if left.sender == end]
    keys = [_recorded_key(sent, bases) for sent in theirs]
    matcher = SequenceMatcher(None, keys, [left.key for left in ours], autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            matched += zip(theirs[a:b], ours[c:d], strict=True)
            continue
        for sent in theirs[a:b]:
            text = f"recorded {_words(_recorded_key(sent, bases))} at {readable(sent.time)}"
            near = ", ".join(_words(left.key) for left in ours[c:d])
            text += f", where the model sends {near}" if near else ", which the model does not send"
            yield Difference("segment", pair, end, sent, None, trace, text)
        for left in ours[c:d]:
            if left.time + left.late + NOISE >= recording.last:
                continue  # the recording ends before it is due
            text = f"the model sends {_words(left.key)} at {readable(left.time)}, not recorded"
            yield Difference("segment", pair, end, None, left, trace, text)


def _words(key: Key) -> str:
    ctl, raw, seq, _, ack, length = key
    return Segment(raw if seq is None else seq, ack or 0, ctl, length).notation()


def _order(matched: list[tuple[Sent, Left]], traces: dict[Pair, Trace]) -> Iterator[Difference]:
    """Segments that left in another order, though they did not leave at nearly the same time."""
    matched = sorted(matched, key=lambda each: each[0].time)
    for index, (first, left) in enumerate(matched):
        for second, right in matched[index + 1 :]:
            gap = second.time - first.time
            if right.time < left.time and gap > NOISE + left.late + right.late:
                text = (
                    f"recorded {first.segment.control} before {second.segment.control} of"
                    f" {second.sender}, {readable(gap)} apart; the model sends it after"
                )
                trace = traces[first.pair]
                yield Difference("order", first.pair, first.sender, first, left, trace, text)
                break


# -- states ----------------------------------------------------------------------------------------


def _states(recording: Recording, pair: Pair, end: Name, trace: Trace) -> Iterator[Difference]:
    if (pair, end) not in recording.states and not any(p == pair for p, _ in recording.states):
        return  # nobody looked at this connection
    theirs = list(_bare(recording.states.get((pair, end), ())))
    lates = dict[int, int]()
    for left in _departures(pair, trace, {}):
        lates[left.cause.time] = max(left.late, lates.get(left.cause.time, 0))
    ours = list(_bare(_entered(trace, end)))
    for what, a, b, c, d in SequenceMatcher(
        None, [s.state for s in theirs], [s.state for s in ours], autojunk=False
    ).get_opcodes():
        if what == "equal":
            continue
        for index in range(a, b):
            seen = theirs[index]
            text = f"recorded {seen.state} at {readable(seen.time)}, where the model is in"
            text += f" {_state_at(ours, seen.time)}"
            yield Difference("state", pair, end, seen, None, trace, text)
        for index in range(c, d):
            seen = ours[index]
            after = ours[index + 1].time if index + 1 < len(ours) else recording.last
            due = seen.time + _late(trace, end, seen.time) + NOISE >= recording.last
            if due or after - seen.time == 0:
                continue  # not due in the recording, or over at once
            text = f"the model is in {seen.state} at {readable(seen.time)}, not recorded"
            yield Difference("state", pair, end, None, seen, trace, text)


def _bare(states: Iterator[Seen] | tuple[Seen, ...]) -> Iterator[Seen]:
    """Without LISTEN, which is another socket (I-6): no connection, as CLOSED."""
    before = State.CLOSED
    for time, state in states:
        state = State.CLOSED if state is State.LISTEN else state
        if state is not before:
            yield Seen(time, state)
        before = state


def _entered(trace: Trace, end: Name) -> Iterator[Seen]:
    """Every state that an end of the model entered, also those it left at once."""
    for step in trace.steps:
        if step.end == end and step.kind is not Kind.DEPART:
            for edge in step.edges:
                yield Seen(step.time, _EDGES[edge].target)


def _state_at(states: list[Seen], time: int) -> State:
    return next((s.state for s in reversed(states) if s.time <= time), State.CLOSED)


def _late(trace: Trace, end: Name, time: int) -> int:
    """How late a kernel may be with what happens at that time at that end."""
    before: dict[str, Step] = {}
    for step in trace.steps:
        if step.end == end and step.time == time and step.kind is Kind.TIMEOUT:
            timer = next(t for t in before[end].timers if t.name == step.text)
            return wheel(timer.until - timer.since) * 2
        if step.state is not None:
            before[step.end] = step
    return 0


_ = SYN
