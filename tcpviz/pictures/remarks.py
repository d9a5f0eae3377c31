"""What a chart says about segments beyond their headers: the third time, after which timer, old.

Knows the steps of a Trace and the words. Must not know where anything is drawn.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple

from tcpviz.segment import ACK, FIN, SYN
from tcpviz.states import State
from tcpviz.steps import Flight, Kind, Step, Timer
from tcpviz.trace import Trace
from tcpviz.units import MS, readable
from tcpviz.words import say

_NOWHERE: Final = (State.CLOSED, State.LISTEN)
_LISTENS: Final = (State.LISTEN, State.SYN_RECEIVED)
_PROBE: Final = "keep-alive"


class _Cause(NamedTuple):
    """The timer that has just expired at an end, and how long it ran in ns, if that is known."""

    time: int
    timer: str
    ran: int | None


@dataclass
class _Walk:
    """What is known of one end on the way through the steps."""

    left: int = 0  # connections it has left
    state: State | None = None
    peer: int = 0  # the incarnation whose SYN it took last
    cause: _Cause | None = None
    timers: tuple[Timer, ...] = ()

    def see(self, step: Step) -> None:
        """Take note of a step at this end."""
        if step.kind is Kind.TIMEOUT:
            now = (step.text, step.time)
            ran = [t.until - t.since for t in self.timers if (t.name, t.until) == now]
            self.cause = _Cause(step.time, step.text, ran[-1] if ran else None)
        elif step.kind is not Kind.DEPART or (self.cause and self.cause.time != step.time):
            self.cause = None
        if step.kind is not Kind.DEPART:
            self.timers = step.timers
        if step.state is not self.state:
            self.left += step.state in _NOWHERE and self.state not in (*_NOWHERE, None)
            self.state = step.state


class Remarks:
    """What is remarkable about the flights of a Trace, each found by its number."""

    def __init__(self, trace: Trace) -> None:
        """Walk through the trace once."""
        self.old: set[int] = set()
        self.dropped: set[int] = set()
        self._again: dict[int, str] = {}
        self.first: dict[int, int] = {}
        ends = {end.name: _Walk() for end in trace.ends}
        known: dict[int, tuple[int, int]] = {}  # connections both ends had left at a departure
        counts: Counter[tuple[object, ...]] = Counter()
        times: dict[tuple[object, ...], tuple[int, int]] = {}  # the first and the last departure
        for number, step in enumerate(trace.steps):
            if step.kind is Kind.LOSE:
                continue
            if step.end and step.flight is not None:
                flight = trace.flights[step.flight]
                pair = ends[flight.sender], ends[flight.receiver]
                if step.kind is Kind.DEPART:
                    ends[step.end].see(step)
                    known[flight.number] = pair[0].left, pair[1].left
                    self._depart(trace, flight, pair[0].cause, counts, times)
                    continue
                before = known.get(flight.number)
                if before and self._is_old(flight, before, pair):
                    self.old.add(flight.number)
                if _is_dropped(trace, number, step):
                    self.dropped.add(flight.number)
                if flight.segment.ctl & SYN and step.edges:
                    pair[1].peer = flight.segment.incarnation
            if step.end:
                ends[step.end].see(step)

    def again(self, flight: Flight) -> str:
        """How often it has been sent and after which timer; of a first segment, only a probe's."""
        return self._again.get(flight.number, "")

    @staticmethod
    def _is_old(flight: Flight, before: tuple[int, int], pair: tuple[_Walk, _Walk]) -> bool:
        """Its connection is over for its receiver: both have left it, or there is a later one."""
        sender, receiver = pair
        both = sender.left > before[0] and receiver.left > before[1]
        return both or flight.segment.incarnation < receiver.peer

    def _depart(
        self,
        trace: Trace,
        flight: Flight,
        cause: _Cause | None,
        counts: Counter[tuple[object, ...]],
        times: dict[tuple[object, ...], tuple[int, int]],
    ) -> None:
        segment, sent = flight.segment, flight.sent or 0
        if not segment.span:
            if cause and cause.timer == _PROBE:
                self._again[flight.number] = _PROBE
            return
        ctl = segment.ctl & (SYN | FIN | ACK)
        key = flight.sender, segment.incarnation, segment.seq, ctl, segment.length
        counts[key] += 1
        first, last = times.get(key, (sent, sent))
        times[key] = first, sent
        if not flight.again:
            return
        parts = [nth_time(counts[key]) if counts[key] > 1 else say("again")]
        if counts[key] > 1:
            self.first[flight.number] = first
        if cause:
            ran = [readable(cause.ran)] if cause.ran is not None else []
            parts.append(say("after_timer", timer=" ".join((cause.timer, *ran))))
        elif trace.source != "simulation" and sent > last:  # no timer was seen, but the wait was
            parts.append(say("after_timer", timer=readable(_measured(sent - last))))
        self._again[flight.number] = say("list_comma").join(parts)


def _is_dropped(trace: Trace, number: int, step: Step) -> bool:
    """Whether a listener's host dropped what arrived: it says so, and does nothing."""
    if not step.says or step.edges or step.inferred or step.state not in _LISTENS:
        return False
    after = trace.steps[number + 1] if number + 1 < len(trace.steps) else None
    answered = after and after.end == step.end and after.time == step.time
    return not (answered and after and after.kind is Kind.DEPART)


def _measured(time: int) -> int:
    """A measured time in ns to whole ms, which is more than a chart can show, if it is many.

    >>> _measured(318_536_000), _measured(1_019_970_000), _measured(999_999)
    (319000000, 1020000000, 999999)
    """
    return round(time / MS) * MS if time >= 10 * MS else time


def nth_time(count: int) -> str:
    """How often something was sent, in words.

    >>> [nth_time(count) for count in (2, 3, 11, 22)]
    ['2nd time', '3rd time', '11th time', '22nd time']
    """
    digit = count % 10 if count // 10 % 10 != 1 else 0
    key = f"time_nth_{digit}" if digit in (1, 2, 3) else "time_nth"
    return say(key, count=count)
