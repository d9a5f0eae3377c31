"""Compare a recording with the traces the model made of it: segments, their order, states.

What a timer of the kernel does may come late, and then whatever it causes; how late at most is
reckoned along the model's causes. A difference says what was recorded and what the model did.
"""

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from tcpviz.scenario import ENDS, Name
from tcpviz.segment import ACK, NUMBERS, Segment
from tcpviz.states import TRANSITIONS, State
from tcpviz.steps import Kind, Step, Timer
from tcpviz.trace import Trace
from tcpviz.units import MS, readable

from .recorded import Pair, Recording, Seen, Sent

NOISE: Final = 1 * MS
"""Beyond this a difference between two times is no noise of the recorder."""
_TICK: Final = 4 * MS
_INSTANT: Final = 1
"""A state of the model that lasts no longer cannot be seen."""
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


class Happening(NamedTuple):
    """A step of the model, and how much later a kernel may do it."""

    step: Step
    late: int
    cause: Step


def compare(recording: Recording, traces: dict[Pair, Trace]) -> Iterator[Difference]:
    """Every difference, segments first."""
    matched: list[tuple[Sent, Left]] = []
    for pair, trace in traces.items():
        happenings = list(_happenings(trace))
        for end in ENDS:
            yield from _segments(recording, pair, end, trace, happenings, matched)
        for end in ENDS:
            yield from _states(recording, pair, end, trace, happenings)
    yield from _order(matched, traces)


def _happenings(trace: Trace) -> Iterator[Happening]:
    """The steps, with how late a kernel may be with each: its timers, and what they cause."""
    armed: dict[tuple[str, int], int] = {}
    of_flight: dict[int, int] = {}
    running: dict[str, tuple[Timer, ...]] = {}
    late, cause = 0, None
    for step in trace.steps:
        if step.kind is Kind.DEPART and step.flight is not None:
            of_flight[step.flight] = late
        elif step.kind is Kind.ARRIVE and step.flight is not None:
            late, cause = of_flight.get(step.flight, 0) + NOISE // 4, step
        elif step.kind is Kind.TIMEOUT:
            timer = next(t for t in running[step.end] if t.name == step.text)
            late = armed.get((step.end, timer.since), 0) + wheel(timer.until - timer.since)
            cause = step
        elif step.kind is Kind.CALL:
            late, cause = 0, step
        if step.state is not None:
            running[step.end] = step.timers
            armed[step.end, step.time] = max(late, armed.get((step.end, step.time), 0))
        yield Happening(step, late, cause or step)


def wheel(duration: int) -> int:
    """How late a timer of the kernel may be: its wheel counts ticks of 4 ms, long times coarsely.

    An RTO comes from a round trip in whole ticks and doubles what was rounded: 1/32 more.

    >>> [wheel(ms * MS) // MS for ms in (200, 1000, 64000)]
    [18, 71, 4056]
    """
    ticks, grain = duration // _TICK, 1
    while ticks >= 63:
        ticks, grain = ticks // 8, grain * 8
    return (grain + 2) * _TICK + duration // 32


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


def _segments(
    recording: Recording,
    pair: Pair,
    end: Name,
    trace: Trace,
    happenings: list[Happening],
    matched: list[tuple[Sent, Left]],
) -> Iterator[Difference]:
    bases = _bases(recording, pair)
    theirs = [s for s in recording.sent if (s.pair, s.sender) == (pair, end) and not s.injected]
    ours = [
        Left(pair, end, step.segment, _key(step.segment, end, bases), step.time, late, cause)
        for step, late, cause in happenings
        if step.kind is Kind.DEPART and step.end == end and step.segment
    ]
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
            if _still_due(recording, pair, end, left.time, left.late):
                continue
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


def _states(
    recording: Recording, pair: Pair, end: Name, trace: Trace, happenings: list[Happening]
) -> Iterator[Difference]:
    if not any(seen_pair == pair for seen_pair, _ in recording.states):
        return  # nobody looked at this connection
    theirs = list(_bare(recording.states.get((pair, end), ())))
    entered = [
        (Seen(step.time, _EDGES[edge].target), late)
        for step, late, _ in happenings
        if step.end == end and step.kind is not Kind.DEPART
        for edge in step.edges
    ]
    ours = list(_bare(seen for seen, _ in entered))
    lates = dict(entered)
    names = [seen.state for seen in theirs], [seen.state for seen in ours]
    for what, a, b, c, d in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        for seen in theirs[a:b]:
            there = next((s.state for s in reversed(ours) if s.time <= seen.time), State.CLOSED)
            text = f"recorded {seen.state} at {readable(seen.time)}, the model is in {there}"
            yield Difference("state", pair, end, seen, None, trace, text)
        for seen, after in zip(ours[c:d], [*ours[c + 1 :], None], strict=False):
            at_once = after is not None and after.time - seen.time <= _INSTANT
            if at_once or _still_due(recording, pair, end, seen.time, lates.get(seen, 0)):
                continue
            text = f"the model is in {seen.state} at {readable(seen.time)}, not recorded"
            yield Difference("state", pair, end, None, seen, trace, text)


def _still_due(recording: Recording, pair: Pair, end: Name, time: int, late: int) -> bool:
    """Whether the recording may have ended before it: not where the end had gone for good."""
    if time > recording.last:
        return True
    seen = recording.states.get((pair, end), ())
    over = bool(seen) and seen[-1].state is State.CLOSED and late > NOISE
    return not over and time + late + NOISE >= recording.last


def _bare(states: Iterable[Seen]) -> Iterator[Seen]:
    """Without LISTEN, which is another socket (I-6): no connection, as CLOSED."""
    before = State.CLOSED
    for time, state in states:
        bare = State.CLOSED if state is State.LISTEN else state
        if bare is not before:
            yield Seen(time, bare)
        before = bare
