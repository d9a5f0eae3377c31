"""The states of a TCP connection and every move between them (RFC 9293, Figure 5 and §3.10).

This table is the only truth about moves: the endpoint takes its edges from here and the state
diagram is drawn from here. It knows nothing of segments' numbers, of time or of pictures.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Final, Literal, NamedTuple, get_args


class State(StrEnum):
    """A state of one end of a connection (RFC 9293 §3.3.2). CLOSED is the absence of a TCB."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Event(StrEnum):
    """What can move a state, in the words of Figure 5 and §3.10."""

    PASSIVE_OPEN = "passive OPEN"
    ACTIVE_OPEN = "active OPEN"
    SEND = "SEND"
    RECEIVE = "RECEIVE"
    CLOSE = "CLOSE"
    CLOSE_HALF_DUPLEX = "half-duplex CLOSE"
    ABORT = "ABORT"
    ABORT_AND_WAIT = "ABORT, wait"
    RCV_SYN = "rcv SYN"
    RCV_SYN_ACK = "rcv SYN,ACK"
    RCV_ACK_OF_SYN = "rcv ACK of SYN"
    RCV_FIN = "rcv FIN"
    RCV_ACK_OF_FIN = "rcv ACK of FIN"
    RCV_FIN_ACK_OF_FIN = "rcv FIN,ACK of FIN"
    RCV_RST = "rcv RST"
    RCV_SYN_IN_WINDOW = "rcv stray SYN"
    TIME_WAIT_TIMEOUT = "Timeout=2MSL"
    USER_TIMEOUT = "USER TIMEOUT"
    R2_TIMEOUT = "Timeout=R2"
    FIN_WAIT_2_TIMEOUT = "Timeout=FIN-WAIT-2"
    CRASH = "crash"


Opened = Literal["passive", "active", "reopened"]
"""How an end came to SYN-RECEIVED: by a passive OPEN, an active one, or out of TIME-WAIT."""


class Edge(NamedTuple):
    """One move of one end: in `source`, on `event`, go to `target` and send a segment `sends`.

    `sends` is the CTL of that segment as Figure 5 prints it (its FIN travels as FIN,ACK: every
    segment after the SYN carries ACK). `section` is that of RFC 9293, or names whose rule it is.
    `opened` is the side condition of Note 1: the edge holds only for an end that reached
    SYN-RECEIVED that way. `drawn` says whether Figure 5 has the arrow; `rare` that it takes a
    crash, a give-up timer or a rule that is not the default.
    """

    source: State
    event: Event
    sends: str
    target: State
    section: str
    drawn: bool = True
    opened: Opened | None = None
    rare: bool = False

    @property
    def id(self) -> str:
        """A name for the edge, unique in TRANSITIONS.

        >>> TRANSITIONS[0].id
        'CLOSED: passive OPEN'
        """
        return _named(self.source, self.event, self.opened)


@cache  # every step names its moves
def _named(source: State, event: Event, opened: Opened | None) -> str:
    condition = f" ({opened})" if opened else ""
    return f"{source}: {event}{condition}"


_S, _E = State, Event

FIGURE_5: Final = (
    Edge(_S.CLOSED, _E.PASSIVE_OPEN, "", _S.LISTEN, "3.10.1"),
    Edge(_S.CLOSED, _E.ACTIVE_OPEN, "SYN", _S.SYN_SENT, "3.10.1"),
    Edge(_S.LISTEN, _E.CLOSE, "", _S.CLOSED, "3.10.4"),
    Edge(_S.LISTEN, _E.RCV_SYN, "SYN,ACK", _S.SYN_RECEIVED, "3.10.7.2"),
    Edge(_S.LISTEN, _E.SEND, "SYN", _S.SYN_SENT, "3.10.2"),
    Edge(_S.SYN_SENT, _E.CLOSE, "", _S.CLOSED, "3.10.4"),
    Edge(_S.SYN_SENT, _E.RCV_SYN, "SYN,ACK", _S.SYN_RECEIVED, "3.10.7.3"),
    Edge(_S.SYN_SENT, _E.RCV_SYN_ACK, "ACK", _S.ESTABLISHED, "3.10.7.3"),
    Edge(_S.SYN_RECEIVED, _E.RCV_RST, "", _S.LISTEN, "3.10.7.4", opened="passive"),
    Edge(_S.SYN_RECEIVED, _E.RCV_ACK_OF_SYN, "", _S.ESTABLISHED, "3.10.7.4"),
    Edge(_S.SYN_RECEIVED, _E.CLOSE, "FIN", _S.FIN_WAIT_1, "3.10.4"),
    Edge(_S.ESTABLISHED, _E.CLOSE, "FIN", _S.FIN_WAIT_1, "3.10.4"),
    Edge(_S.ESTABLISHED, _E.RCV_FIN, "ACK", _S.CLOSE_WAIT, "3.10.7.4"),
    Edge(_S.FIN_WAIT_1, _E.RCV_FIN, "ACK", _S.CLOSING, "3.10.7.4"),
    Edge(_S.FIN_WAIT_1, _E.RCV_ACK_OF_FIN, "", _S.FIN_WAIT_2, "3.10.7.4"),
    Edge(_S.FIN_WAIT_2, _E.RCV_FIN, "ACK", _S.TIME_WAIT, "3.10.7.4"),
    Edge(_S.CLOSING, _E.RCV_ACK_OF_FIN, "", _S.TIME_WAIT, "3.10.7.4"),
    Edge(_S.CLOSE_WAIT, _E.CLOSE, "FIN", _S.LAST_ACK, "3.10.4"),
    Edge(_S.LAST_ACK, _E.RCV_ACK_OF_FIN, "", _S.CLOSED, "3.10.7.4"),
    Edge(_S.TIME_WAIT, _E.TIME_WAIT_TIMEOUT, "", _S.CLOSED, "3.10.8"),
)
"""The twenty arrows of RFC 9293 Figure 5, in reading order."""


def _omitted() -> tuple[Edge, ...]:
    """The moves that the text of §3.10 makes and Figure 5 leaves out."""
    single = [
        # Note 2 of Figure 5.
        Edge(_S.FIN_WAIT_1, _E.RCV_FIN_ACK_OF_FIN, "ACK", _S.TIME_WAIT, "3.10.7.4", drawn=False),
        # A retransmitted FIN is acknowledged again and restarts the 2MSL timeout.
        Edge(_S.TIME_WAIT, _E.RCV_FIN, "ACK", _S.TIME_WAIT, "3.10.7.4", drawn=False),
        # MAY-2: a new connection may be accepted directly from TIME-WAIT (§3.6.1).
        Edge(_S.TIME_WAIT, _E.RCV_SYN, "SYN,ACK", _S.SYN_RECEIVED, "3.6.1", drawn=False),
        Edge(_S.LISTEN, _E.ACTIVE_OPEN, "SYN", _S.SYN_SENT, "3.10.1", drawn=False),
        Edge(_S.SYN_RECEIVED, _E.RCV_SYN, "", _S.LISTEN, "3.10.7.4", False, "passive"),
        # The eighth check, where the fifth does not drop a segment whose ACK it cannot accept.
        Edge(_S.SYN_RECEIVED, _E.RCV_FIN, "ACK", _S.CLOSE_WAIT, "3.10.7.4", drawn=False, rare=True),
        Edge(_S.SYN_SENT, _E.RCV_RST, "", _S.CLOSED, "3.10.7.3", drawn=False),
        Edge(_S.SYN_RECEIVED, _E.RCV_RST, "", _S.CLOSED, "3.10.7.4", False, "active"),
        # MAY-2 again: the SYN that reopened it was an old duplicate.
        Edge(_S.SYN_RECEIVED, _E.RCV_RST, "", _S.TIME_WAIT, "3.6.1", False, "reopened", rare=True),
    ]
    synchronized = list(State)[list(State).index(_S.ESTABLISHED) :]
    resets = [Edge(s, _E.RCV_RST, "", _S.CLOSED, "3.10.7.4", drawn=False) for s in synchronized]
    answered = {_S.SYN_RECEIVED, _S.ESTABLISHED, _S.FIN_WAIT_1, _S.FIN_WAIT_2, _S.CLOSE_WAIT}
    alive = [state for state in State if state is not _S.CLOSED]
    aborts = [
        Edge(s, _E.ABORT, "RST" if s in answered else "", _S.CLOSED, "3.10.5", drawn=False)
        for s in alive
    ]
    timeouts = [Edge(s, _E.USER_TIMEOUT, "", _S.CLOSED, "3.10.8", drawn=False) for s in alive]
    return (*single, *resets, *aborts, *timeouts)


def _rare() -> tuple[Edge, ...]:
    """The moves of misfortune, of give-up timers, and of rules that are not the default."""

    def each(
        states: Iterable[State], event: Event, sends: str, target: State, section: str
    ) -> list[Edge]:
        return [Edge(s, event, sends, target, section, drawn=False, rare=True) for s in states]

    alive = [state for state in State if state is not _S.CLOSED]
    # RFC 793's answer to a SYN in the window; RFC 5961 challenges it instead.
    strays = each(alive[3:], _E.RCV_SYN_IN_WINDOW, "RST", _S.CLOSED, "3.10.7.4")
    strays.append(strays[0]._replace(source=_S.SYN_RECEIVED, opened="active"))
    # Note 3 of Figure 5, against which §3.10.5 says CLOSED.
    waits = each(alive[2:7], _E.ABORT_AND_WAIT, "RST", _S.TIME_WAIT, "3.5.2")
    # R2 is for who has something unacknowledged; in FIN-WAIT-2 a keep-alive may have.
    given_up = each(alive[1:-1], _E.R2_TIMEOUT, "", _S.CLOSED, "3.8.3")
    orphan = each([_S.FIN_WAIT_2], _E.FIN_WAIT_2_TIMEOUT, "", _S.CLOSED, "Linux")
    crashes = each(alive, _E.CRASH, "", _S.CLOSED, "3.5.1")
    return (*strays, *waits, *given_up, *orphan, *crashes)


TRANSITIONS: Final[tuple[Edge, ...]] = FIGURE_5 + _omitted() + _rare()
"""Every move there is: Figure 5's arrows first, then those it omits, the rare ones last."""


class Direct(Edge):
    """A move by which an end skips a state that TCP would pass: the end is in it at no time."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """A name for the move; no edge of TRANSITIONS has it.

        >>> DIRECT[0].id
        'LISTEN: rcv SYN, to ESTABLISHED'
        """
        return f"{self.source}: {self.event}, to {self.target}"


def _direct(source: State, event: Event, sends: str, target: State, whose: str) -> Direct:
    return Direct(source, event, sends, target, whose, drawn=False, rare=True)


DIRECT: Final = (
    # A handshake of two, and a SYN cookie: nothing is kept of the SYN before the ACK comes.
    _direct(_S.LISTEN, _E.RCV_SYN, "SYN,ACK", _S.ESTABLISHED, ""),
    _direct(_S.LISTEN, _E.RCV_ACK_OF_SYN, "", _S.ESTABLISHED, "Linux"),
    _direct(_S.TIME_WAIT, _E.RCV_SYN, "SYN,ACK", _S.ESTABLISHED, ""),
    # No TIME-WAIT; no FIN-WAIT-2 for an orphan; a port taken back out of TIME-WAIT.
    _direct(_S.FIN_WAIT_1, _E.RCV_FIN_ACK_OF_FIN, "ACK", _S.CLOSED, "Linux"),
    _direct(_S.FIN_WAIT_1, _E.RCV_ACK_OF_FIN, "", _S.CLOSED, "Linux"),
    _direct(_S.FIN_WAIT_2, _E.RCV_FIN, "ACK", _S.CLOSED, "Linux"),
    _direct(_S.CLOSING, _E.RCV_ACK_OF_FIN, "", _S.CLOSED, "Linux"),
    _direct(_S.TIME_WAIT, _E.ACTIVE_OPEN, "SYN", _S.SYN_SENT, "Linux"),
)
"""What rules other than the standard's make of two edges of TRANSITIONS in one step.

The section is empty where the rule is nobody's: a broken variant's.
"""


def direct(first: str, last: str, *, by_syn: bool) -> Direct | None:
    """The move that an end makes in one step instead of these two, by a SYN or by something else.

    None where it does pass the state between them.

    >>> direct("FIN-WAIT-2: rcv FIN", "TIME-WAIT: Timeout=2MSL", by_syn=False).id
    'FIN-WAIT-2: rcv FIN, to CLOSED'
    """
    known = {edge.id: edge for edge in TRANSITIONS if edge.id in (first, last)}
    if len(known) < 2:
        return None
    begin, end = known[first], known[last]
    moves = [
        move
        for move in DIRECT
        if (move.source, move.target) == (begin.source, end.target)
        and move.event in (begin.event, end.event)
        and (by_syn or move.event is not Event.RCV_SYN)
    ]
    return moves[0] if moves else None


_BY_CAUSE: Final = {
    (edge.source, edge.event, opened): edge
    for edge in TRANSITIONS
    for opened in ((edge.opened,) if edge.opened else (None, *get_args(Opened)))
}


def transition(state: State, event: Event, opened: Opened | None = None) -> Edge | None:
    """The edge that `event` takes from `state`, or None where that event moves nothing.

    >>> transition(State.ESTABLISHED, Event.RCV_FIN).target
    <State.CLOSE_WAIT: 'CLOSE-WAIT'>
    >>> transition(State.SYN_RECEIVED, Event.RCV_RST, "passive").target
    <State.LISTEN: 'LISTEN'>
    """
    return _BY_CAUSE.get((state, event, opened))
