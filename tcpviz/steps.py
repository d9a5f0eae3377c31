"""What a Trace is made of: Steps, and what can be read off them.

Plain values. Time is integer nanoseconds from the start of the trace; sequence numbers are
absolute.
"""

from enum import StrEnum
from typing import Literal, NamedTuple

from tcpviz.segment import Segment
from tcpviz.states import State


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
