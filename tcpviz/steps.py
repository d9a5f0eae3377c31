"""What a Trace is made of: Steps, and what can be read off them.

Plain values. Time is integer nanoseconds from the start of the trace; sequence numbers are
absolute.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Literal, NamedTuple

from tcpviz.segment import SYN, Segment
from tcpviz.states import State, direct


class Kind(StrEnum):
    """What a Step tells of."""

    CALL = "call"  # the user of TCP calls
    DEPART = "depart"  # a segment leaves an end
    ARRIVE = "arrive"  # a segment reaches an end
    LOSE = "lose"  # a segment dies in the network
    TIMEOUT = "timeout"  # a timer expires


class Timer(NamedTuple):
    """A running timer: its name (`RTO`, `2MSL`, `delayed ACK`), start and expiry in ns."""

    name: str
    since: int
    until: int


class Variables(NamedTuple):
    """The sequence variables of a TCB (RFC 9293 §3.3.1), absolute."""

    snd_una: int
    snd_nxt: int
    rcv_nxt: int


class Step(NamedTuple):
    """One thing that happened at one end, or in the network, at one instant.

    `state`, `timers` and `variables` are those of that end after the step. A segment keeps one
    `flight` number from its departure to its arrivals or its loss. `edges` are the ids of the
    moves taken (usually none or one; two when one segment acknowledges our SYN and carries a FIN).
    A loss is at no end; if nobody saw the segment leave, at the end it was meant for, whose host is
    down. `text` is the call or the timer's name, `says` what the user is told. An `inferred` step's
    state was concluded from segments, not seen.
    """

    time: int
    end: str  # "" in the network
    kind: Kind
    state: State | None = None
    segment: Segment | None = None
    flight: int | None = None
    text: str = ""
    says: str = ""
    edges: tuple[str, ...] = ()
    timers: tuple[Timer, ...] = ()
    variables: Variables | None = None
    inferred: bool = False

    @property
    def moves(self) -> tuple[str, ...]:
        """The ids of its moves, a state that the end skips left out (see states.DIRECT).

        A capture may have missed what came between two edges: these stay two.
        """
        if len(self.edges) != 2 or self.inferred:
            return self.edges
        begins = self.segment is not None and bool(self.segment.ctl & SYN)
        skipping = direct(*self.edges, by_syn=begins)
        return (skipping.id,) if skipping else self.edges


class End(NamedTuple):
    """One end: its name in pictures, its address, and the ISS its numbers are counted from.

    Where the SYN was not seen (`syn_seen` is false), `iss` is the number before the first one seen.
    `observed` is false for the far end of a one-sided capture: what happened there is not known.
    """

    name: str
    address: str = ""
    iss: int = 0
    syn_seen: bool = True
    observed: bool = True


Fate = Literal["delivered", "lost", "unknown"]


class Flight(NamedTuple):
    """A segment's way from one end to the other; times in ns, None where nobody saw it."""

    number: int
    sender: str
    receiver: str
    segment: Segment
    sent: int | None
    arrived: tuple[int, ...]  # more than one where the network duplicated it
    lost: int | None
    fate: Fate
    again: bool  # it was sent before and is a retransmission

    @property
    def seen(self) -> int:
        """When it left; where nobody saw that, when it first arrived or died."""
        times = (self.sent, *self.arrived, self.lost)
        return next(time for time in times if time is not None)


class Span(NamedTuple):
    """A stretch of time that one end spends in a state; `until` is None when the trace ends."""

    state: State
    since: int
    until: int | None
    inferred: bool


class Wait(NamedTuple):
    """A stretch of time a timer ran; it `expired`, or was stopped (None: still running)."""

    timer: Timer
    until: int
    expired: bool | None


def spans(steps: Iterable[Step]) -> list[Span]:
    """The states that an end passed through, whose steps these are."""
    begun: list[Step] = []
    state = None
    for step in steps:
        if step.state is not state and step.state is not None:
            state = step.state
            begun.append(step)
    times = *(step.time for step in begun[1:]), None
    return [
        Span(step.state, step.time, until, step.inferred)
        for step, until in zip(begun, times, strict=True)
        if step.state is not None
    ]


def waits(steps: Sequence[Step], until: int) -> list[Wait]:
    """The timers that ran at an end, whose steps these are, in order of starting.

    What is still running after the last of them runs `until` then, in ns.
    """
    found: dict[Timer, Wait] = {}
    for step, after in pairwise(steps):
        for timer in step.timers:
            if timer not in after.timers:
                expired = after.kind is Kind.TIMEOUT and after.text == timer.name
                found[timer] = Wait(timer, after.time, expired)
    for timer in steps[-1].timers if steps else ():
        found[timer] = Wait(timer, until, expired=None)
    return sorted(found.values(), key=_begun)


def _begun(wait: Wait) -> tuple[int, int]:
    return wait.timer[1:]
