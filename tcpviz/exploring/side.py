"""One end of an exploration: an Endpoint, its application, and whose SYN it took.

`happen` is all that can happen at an end, for the search (which has no clock) and for the replay
(which has one). It knows no network; what TCP does it asks the Endpoint.
"""

from typing import Final, NamedTuple

from tcpviz.endpoint import GIVEN_UP, IS_CLOSING, NOT_OPEN, Endpoint, Outcome
from tcpviz.scenario import Name, On, Scenario
from tcpviz.segment import ACK, FIN, RST, SYN, Segment, add, distance
from tcpviz.states import Event, State
from tcpviz.steps import Timer
from tcpviz.tcb import RTO, Settings

EARLIER: Final = 0
"""The incarnation of what an earlier connection left in the network; the ends count from 1."""
_NOBODY: Final = -1

NO_GHOST: Final = "no ghost"
NO_OLD_DATA: Final = "no old data"
ORDERLY_CLOSE: Final = "orderly close"
"""Broken where a RST ends one of _CLOSE at an end whose SYN a peer of this run has acknowledged.
Then each end had the other's SYN and an ACK of its own, which is what ESTABLISHED means (§3.5), and
one of them has called CLOSE. An open that an end took back before (CLOSE in SYN-SENT forgets the
TCB, §3.10.4) was never a connection that could be closed: the RST tells the peer just that
(§3.5.2), and so it tells an end that opened with nobody. What came after an ABORT, a crash, giving
up or a timeout of the user was no orderly close either; that the search looks after."""
TIME_WAIT_LASTS: Final = "TIME-WAIT lasts"

ALLOWED: Final = ("ABORT", "crash", "give up", "user timeout", "reopen")
"""Moves of an end that the base search leaves out."""

_ISSES: Final = 32
_APART: Final = 10


class Sent(NamedTuple):
    """A segment and the incarnation of the end that sent it."""

    segment: Segment
    incarnation: int


class Call(NamedTuple):
    """A call that an application will make: of its program, or for having `entered` a state."""

    text: str
    octets: int = 0
    entered: str = ""


class Move(NamedTuple):
    """One choice of a run: `what` happens at `end`.

    `what` is deliver, copy (deliver, and a duplicate stays in flight), lose, old, call, expire, or
    one of ALLOWED; then comes the segment, the call or the name of the timer that it happens to.
    """

    what: str
    end: Name
    sent: Sent | None = None
    call: Call | None = None
    timer: str = ""


class Side(NamedTuple):
    """One end: its TCP, the calls its application will make, and whose SYN it took."""

    end: Endpoint
    calls: tuple[Call, ...]  # in this order
    due: tuple[Call, ...] = ()  # reactions, in any order
    partner: int = _NOBODY


class Host(NamedTuple):
    """What does not change at one end: its settings and its application."""

    name: Name
    settings: Settings
    program: tuple[Call, ...]
    reactions: tuple[On, ...]

    @property
    def side(self) -> Side:
        """The end before anything happens."""
        return Side(Endpoint(self.settings), self.program)


class Change(NamedTuple):
    """What a move made of a side, what it sent, and the properties that this breaks."""

    side: Side
    outcome: Outcome
    sent: tuple[Sent, ...] = ()
    broken: tuple[str, ...] = ()


def host(scenario: Scenario, name: Name) -> Host:
    """One end as the scenario tells it. The calls keep their order and lose their times.

    Every open of a run gets an ISS as far from the last as the first two of the scenario are
    apart; where there is but one, a little more than a connection uses.
    """
    settings = scenario.settings(name)
    isses, apart = settings.iss, _isses_apart(scenario, settings)
    more = tuple(add(isses[-1], apart * n) for n in range(1, _ISSES - len(isses) + 1))
    calls = sorted((call for call in scenario.calls if call.end == name), key=lambda c: c.time)
    program = tuple(Call(call.call, call.octets) for call in calls)
    reactions = tuple(on for on in scenario.reactions if on.end == name)
    return Host(name, settings._replace(iss=isses + more), program, reactions)


def leftovers(scenario: Scenario, name: Name) -> tuple[Sent, ...]:
    """What an earlier connection of the same two ends may have left on its way to `name`.

    One of each kind that an end could be taken in by: the segments of a connection in which each
    end sent a few octets and closed, and a RST where it was reset instead. Their numbers are those
    of the ISSs before this run's, lower by as much as these are apart.
    """
    mine, peers = (scenario.settings(end) for end in _facing(name))
    seq = add(peers.iss[0], -_isses_apart(scenario, peers))
    ack = add(mine.iss[0], 1 - _isses_apart(scenario, mine))
    octets = max(_octets(scenario), default=0) or 1
    nxt = add(seq, 1)
    syn = Segment(seq, 0, SYN) if name == "server" else Segment(seq, ack, SYN | ACK)
    rest = (
        Segment(nxt, ack, ACK),
        Segment(nxt, ack, ACK, octets),
        Segment(add(nxt, octets), ack, FIN | ACK),
        Segment(nxt, 0, RST),
    )
    return tuple(Sent(segment, EARLIER) for segment in (syn, *rest))


def _facing(name: Name) -> tuple[Name, Name]:
    return ("client", "server") if name == "client" else ("server", "client")


def _isses_apart(scenario: Scenario, settings: Settings) -> int:
    if len(settings.iss) > 1:
        return distance(settings.iss[1], settings.iss[0])
    return _APART + sum(_octets(scenario))


def _octets(scenario: Scenario) -> list[int]:
    return [c.octets for c in scenario.calls] + [on.octets for on in scenario.reactions]


def timeless(end: Endpoint) -> Endpoint:
    """The end with its times forgotten: which timers run, and not since when or how long."""
    names = sorted({timer.name for timer in end.deadlines})
    return end._replace(
        rto=0,
        first_rto=0,
        timed=-1,
        tries=0,
        probes=0,
        deadlines=tuple(Timer(name, 0, 0) for name in names),
    )


def calls_possible(side: Side) -> list[Call]:
    """The calls that the application may make now; it makes none that TCP would refuse."""
    found = [*side.calls[:1], *dict.fromkeys(side.due)]
    return [call for call in found if not _reply(side.end, call)]


def suffers(side: Side, what: str) -> bool:
    """Whether one of the ALLOWED moves can happen at this end now."""
    end = side.end
    if what == "reopen":
        return end.state is State.CLOSED and end.opens > 0 and not side.calls
    if what == "give up" and not any(timer.name == RTO for timer in end.deadlines):
        return False
    return end.state not in (State.CLOSED, State.LISTEN)


def happen(here: Host, side: Side, move: Move, now: int) -> Change:
    """One move at one end."""
    calls, due = side.calls, side.due
    call = move.call
    if call is not None and call.entered:
        at = due.index(call)
        due = due[:at] + due[at + 1 :]
    elif call is not None:
        calls = calls[1:]
    elif move.what == "reopen":
        calls = here.program[1:]
    elif move.what == "crash":
        calls = due = ()
    outcome = _outcome(here, side, move, now)
    end = outcome.end
    for edge in outcome.edges:
        due += tuple(
            Call(on.call, on.octets, on.state) for on in here.reactions if on.state == edge.target
        )
    while calls and _reply(end, calls[0]) in _NEVER:
        calls = calls[1:]
    due = tuple(sorted(call for call in due if _reply(end, call) not in _NEVER))
    after = Side(end, calls, due, _partner(side, move, outcome))
    sent = tuple(Sent(segment, end.opens) for segment in outcome.sent)
    return Change(after, outcome, sent, tuple(_broken(side, after, move, outcome)))


_NEVER: Final = (NOT_OPEN, IS_CLOSING)
"""Replies to a call that will be no better later: the application has no use for it any more."""


def _reply(end: Endpoint, call: Call) -> str:
    outcome = end.call(Event(call.text), 0, call.octets)
    return "" if outcome.edges else outcome.says  # what is told of SENDs is no reply to the call


def _outcome(here: Host, side: Side, move: Move, now: int) -> Outcome:
    end = side.end
    if move.sent is not None:
        return end.arrive(move.sent.segment, now)
    if move.call is not None:
        return end.call(Event(move.call.text), now, move.call.octets)
    if move.what == "expire":
        timer = next(timer for timer in end.deadlines if timer.name == move.timer)
        return end.expire(timer, now)
    if move.what == "ABORT":
        return end.call(Event.ABORT, now)
    if move.what == "reopen":
        first = here.program[0]
        return end.call(Event(first.text), now, first.octets)
    if move.what == "crash":
        return end.call(Event.CRASH, now)
    if move.what == "user timeout":
        return end.call(Event.USER_TIMEOUT, now)
    return end._give_up(Event.R2_TIMEOUT, GIVEN_UP)


def _partner(before: Side, move: Move, outcome: Outcome) -> int:
    """Which incarnation of the peer sent the SYN that this end has taken."""
    if outcome.end.state in (State.CLOSED, State.LISTEN):
        return _NOBODY
    took = any(edge.event in (Event.RCV_SYN, Event.RCV_SYN_ACK) for edge in outcome.edges)
    return move.sent.incarnation if move.sent is not None and took else before.partner


def _broken(before: Side, after: Side, move: Move, outcome: Outcome) -> list[str]:
    """The properties that this one step of one end breaks."""
    found = []
    if any(edge.target is State.ESTABLISHED for edge in outcome.edges) and after.partner == EARLIER:
        found.append(NO_GHOST)
    if move.sent is not None and _delivered(before.end, after.end, move.sent.segment):
        sender = move.sent.incarnation
        if sender == EARLIER or sender != before.partner:
            found.append(NO_OLD_DATA)
    for edge in outcome.edges:
        established = before.end.snd_una != before.end.iss and before.partner > EARLIER
        if edge.event is Event.RCV_RST and edge.source in _CLOSE and established:
            found.append(ORDERLY_CLOSE)
        if edge.event is Event.RCV_RST and edge.source is State.TIME_WAIT:
            found.append(TIME_WAIT_LASTS)
    return found


_CLOSE: Final = (
    State.FIN_WAIT_1,
    State.FIN_WAIT_2,
    State.CLOSE_WAIT,
    State.CLOSING,
    State.LAST_ACK,
)


def _delivered(before: Endpoint, after: Endpoint, segment: Segment) -> bool:
    """Whether octets of the segment were taken."""
    if not segment.length or before.state in _NO_TEXT or after.state in _NO_TEXT:
        return False
    return distance(after.rcv_nxt, before.rcv_nxt) > bool(segment.ctl & FIN)


_NO_TEXT: Final = (State.CLOSED, State.LISTEN, State.SYN_SENT)
