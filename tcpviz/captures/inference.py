"""The states an end passed through, concluded from the segments seen leaving and reaching it.

Every move is an edge of TRANSITIONS. It knows one end at a time and nothing of captures. Timers are
not seen, so none is concluded: TIME-WAIT stays until something is seen to end it.

A capture may have missed segments: what an end sends proves what it must have received before.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tcpviz.segment import ACK, FIN, RST, SYN, Segment, add, distance
from tcpviz.states import Event, Opened, State, transition
from tcpviz.steps import Variables
from tcpviz.words import say


class Passing(NamedTuple):
    """A segment at one end: it `arrives` there, or leaves from there."""

    arrives: bool
    segment: Segment


class Conclusion(NamedTuple):
    """The end after one segment: its state (None: not to be known) and the edges it took."""

    state: State | None
    edges: tuple[str, ...] = ()
    variables: Variables | None = None
    says: str = ""


def conclude(passings: Sequence[Passing]) -> list[Conclusion]:
    """The state of one end after each segment that passed it, in order of time."""
    tcb = _Tcb(passings)
    return [tcb.after(index) for index in range(len(passings))]


def first_state(passings: Sequence[Passing]) -> State | None:
    """The state before the first segment, so that what follows makes sense."""
    begin = next((p for p in passings if p.segment.ctl & (SYN | RST) == SYN), None)
    earlier = passings[: passings.index(begin)] if begin else passings
    if any(not segment.ctl & RST for _, segment in earlier):
        return None if begin is None and earlier[0].segment.ctl & RST else State.ESTABLISHED
    if begin is None:
        return None
    if begin.segment.ctl & ACK:
        return State.SYN_SENT if begin.arrives else State.SYN_RECEIVED
    return _before_syn(passings) if begin.arrives else State.CLOSED


def _before_syn(passings: Sequence[Passing]) -> State | None:
    """The state of an end that a SYN reached, by what the end sent afterwards."""
    sent = [segment for arrives, segment in passings if not arrives]
    if own := next((segment for segment in sent if segment.ctl & SYN), None):
        return State.LISTEN if own.ctl & ACK else State.CLOSED
    acks = {segment.ack for segment in sent if _proves_synchronized(segment)}
    if not acks:
        return State.CLOSED if sent else None
    arrived = (segment for arrives, segment in passings if arrives and not segment.ctl & RST)
    accepted = any(add(segment.seq, segment.span) in acks for segment in arrived)
    return State.LISTEN if accepted else None


def _proves_synchronized(sent: Segment) -> bool:
    """Whether only an end that has the SYN of the other sends this."""
    return sent.ctl & (SYN | ACK | RST) == ACK


class _Tcb:
    """One end, walked through what passes it."""

    def __init__(self, passings: Sequence[Passing]) -> None:
        self.passings = passings
        self.state = first_state(passings)
        self.opened: Opened = "active"
        if self.state in (State.LISTEN, State.SYN_RECEIVED):
            self.opened = "passive"
        self.iss: int | None = None
        self.una: int | None = None  # SND.UNA, SND.NXT and RCV.NXT, as far as they are known
        self.nxt: int | None = None
        self.rcv: int | None = None
        self.fin: int | None = None  # the number of our FIN
        self.their_fin: int | None = None
        self.ignores = False  # an ACK of our SYN came and did not count: a later one may not
        self.unsure = False  # it is told that a later one came
        self.edges: list[str] = []
        self.says = ""
        self.last_syn_ack = {  # by our ISS
            segment.seq: index
            for index, (arrives, segment) in enumerate(passings)
            if not arrives and segment.ctl & (SYN | ACK) == SYN | ACK
        }
        self.alive = _goes_on(passings)

    def after(self, index: int) -> Conclusion:
        """What is to be concluded from the segment of that index, after all those before."""
        arrives, segment = self.passings[index]
        self.edges, self.says = [], ""
        self.goes_on = self.alive[index]
        if arrives:
            self._arrives(index, segment)
        else:
            self._departs(segment)
        known = None
        if self.una is not None and self.nxt is not None and self.rcv is not None:
            known = Variables(self.una, self.nxt, self.rcv)
        return Conclusion(self.state, tuple(self.edges), known, self.says)

    def _take(self, event: Event) -> bool:
        edge = transition(self.state, event, self.opened) if self.state is not None else None
        if edge is None or (self.goes_on and edge.target in (State.LISTEN, State.CLOSED)):
            return False
        self.edges.append(edge.id)
        self.state = edge.target
        if edge.target is State.ESTABLISHED and self.iss is not None and self.una == self.iss:
            self.una = add(self.iss, 1)  # our SYN was acknowledged, also if that was not seen
        if edge.target in (State.LISTEN, State.CLOSED):
            self.una = self.nxt = self.rcv = self.fin = self.their_fin = None
            self.ignores = self.unsure = False
        return True

    # leaving

    def _departs(self, segment: Segment) -> None:
        if segment.ctl & RST:
            self._resets(segment)
            return
        if self.state in (State.CLOSED, State.LISTEN) and segment.ctl & (SYN | ACK) == SYN:
            self.opened = "active"
            self._take(Event.ACTIVE_OPEN)
        elif segment.ctl & ACK:
            self._catch_up(segment)
        if segment.ctl & SYN:
            self.iss = segment.seq
            self.una = segment.seq if self.una is None else self.una
        if self.state in (State.CLOSED, State.LISTEN, None):
            return
        end = add(segment.seq, segment.span)
        if self.una is None:
            self.una = segment.seq
        if self.nxt is None or distance(end, self.nxt) > 0:
            self.nxt = end
        if segment.ctl & FIN:
            if self.fin is None and self.state is not State.SYN_SENT:
                self._take(Event.CLOSE)
            self.fin = add(end, -1)
        if segment.ctl & ACK:
            self._received_up_to(segment.ack)

    def _catch_up(self, segment: Segment) -> None:
        """Whoever sends this has received what it answers, also if the capture missed that."""
        synchronized = _proves_synchronized(segment)
        if self.state is State.CLOSED and synchronized:
            self.state = None  # it was not CLOSED: what it was instead is not known
        if self.state is State.LISTEN or (self.state is State.SYN_SENT and not synchronized):
            self._take(Event.RCV_SYN)
        elif self.state is State.SYN_SENT:
            self._take(Event.RCV_SYN_ACK)
        if self.state is State.SYN_RECEIVED and synchronized:
            more = self.rcv is not None and distance(segment.ack, self.rcv) > 0
            # A bare ACK may be a challenge; in a simultaneous open it answers the other's SYN,ACK.
            if segment.length or more or self.opened == "active":
                self._take(Event.RCV_ACK_OF_SYN)

    def _resets(self, segment: Segment) -> None:
        """An RST leaves: an ABORT, unless it only answers what this end does not know."""
        if self.state is State.LISTEN or self.state is State.SYN_SENT:
            return
        if self.nxt is None or segment.seq == self.nxt:
            self._take(Event.ABORT)

    # arriving

    def _arrives(self, index: int, segment: Segment) -> None:
        if segment.ctl & RST:
            self._reset(segment)
        elif self.state is not None and self._unknown_here(index, segment):
            unsynchronized = (State.CLOSED, State.LISTEN, State.SYN_SENT)
            if self.state not in unsynchronized and self._take(Event.USER_TIMEOUT):
                self.says = say("gone_before")
        elif self.state is State.LISTEN:
            if segment.ctl & (SYN | ACK) == SYN and self._accepts(index, segment):
                self._take(Event.RCV_SYN)
                self._learn(segment)
        elif self.state is State.SYN_SENT:
            self._answers_syn(index, segment)
        elif self.state is State.CLOSED:
            self._listens_again(index, segment)
        elif self.state is not None:
            self._in_a_connection(index, segment)

    def _listens_again(self, index: int, segment: Segment) -> None:
        """Who accepts a SYN when its connection has ended listens again; nobody saw since when."""
        if segment.ctl & (SYN | ACK) == SYN and self._accepts(index, segment):
            self.opened = "passive"
            self.state = State.LISTEN  # by a call that is not claimed
            self._take(Event.RCV_SYN)
            self._learn(segment)

    def _reset(self, segment: Segment) -> None:
        """Only an RST with the very next number counts; another is challenged (§3.10.7.4)."""
        if self.state is State.SYN_SENT:
            if segment.ctl & ACK and self.nxt is not None and segment.ack == self.nxt:
                self._take(Event.RCV_RST)
        elif self.state is not State.LISTEN and self.rcv in (None, segment.seq):
            self._take(Event.RCV_RST)

    def _unknown_here(self, index: int, segment: Segment) -> bool:
        """Whether an RST answers it as one that belongs to no connection here (§3.10.7.1)."""
        if index + 1 == len(self.passings):
            return False
        arrives, answer = self.passings[index + 1]
        if arrives or not answer.ctl & RST:
            return False
        if segment.ctl & ACK:
            return not answer.ctl & ACK and answer.seq == segment.ack
        return answer.seq == 0 and answer.ack == add(segment.seq, segment.span)

    def _accepts(self, index: int, syn: Segment) -> bool:
        """Whether the end answers this SYN, and not only a later one."""
        for later in range(index + 1, len(self.passings)):
            arrives, segment = self.passings[later]
            if arrives:
                if segment.ctl & SYN:
                    return False
            elif segment.ctl & SYN:
                return segment.ack in (add(syn.seq, 1), add(syn.seq, syn.span))
            elif _proves_synchronized(segment):  # the capture missed our SYN,ACK
                return distance(segment.ack, syn.seq) > 0
        return False

    def _learn(self, segment: Segment) -> None:
        """A SYN tells where the other's numbers begin."""
        self.rcv = add(segment.seq, segment.span)

    def _answers_syn(self, index: int, segment: Segment) -> None:
        acks = bool(segment.ctl & ACK) and self.iss is not None
        if acks and self.iss is not None and distance(segment.ack, self.iss) <= 0:
            return
        if not segment.ctl & SYN:
            acceptable = acks and self.nxt is not None and distance(segment.ack, self.nxt) <= 0
            if acceptable and segment.span:
                # The other sends data only after our ACK of its SYN,ACK: both were missed.
                self._take(Event.RCV_SYN_ACK)
                self._in_a_connection(index, segment)
            return
        self._learn(segment)
        if acks or segment.ctl & ACK:
            self.una = segment.ack
            self._take(Event.RCV_SYN_ACK)
        else:
            self._take(Event.RCV_SYN)

    def _in_a_connection(self, index: int, segment: Segment) -> None:
        if segment.ctl & SYN and self.state is not State.SYN_RECEIVED:
            return  # an old or a new SYN: it is challenged, and moves nothing
        acked_fin = False
        if segment.ctl & ACK and (self.nxt is None or distance(segment.ack, self.nxt) <= 0):
            if self.una is None or distance(segment.ack, self.una) > 0:
                self.una = segment.ack
            last = -1 if self.iss is None else self.last_syn_ack.get(self.iss, -1)
            if self.state is State.SYN_RECEIVED:
                if index < last:  # its SYN,ACK leaves again
                    self.ignores |= self.iss is not None and distance(segment.ack, self.iss) > 0
                elif not self.ignores or self.goes_on:
                    self._take(Event.RCV_ACK_OF_SYN)
                elif not self.unsure:
                    self.says, self.unsure = say("ack_unsure"), True
            acked_fin = self.fin is not None and distance(segment.ack, self.fin) > 0
        if segment.ctl & FIN:
            self.their_fin = add(segment.seq, segment.span - 1)
        before = self.rcv
        if self.rcv is None:
            self.rcv = segment.seq
        if distance(segment.seq, self.rcv) <= 0:
            end = add(segment.seq, segment.span)
            if distance(end, self.rcv) > 0:
                self.rcv = end
        their_fin = (
            self.their_fin is not None
            and (before is None or distance(before, self.their_fin) <= 0)
            and distance(self.rcv, self.their_fin) > 0
        )
        if acked_fin and their_fin and self._take(Event.RCV_FIN_ACK_OF_FIN):
            return
        if acked_fin:
            self._take(Event.RCV_ACK_OF_FIN)
        if their_fin or (segment.ctl & FIN and self.state is State.TIME_WAIT):
            self._take(Event.RCV_FIN)

    def _received_up_to(self, ack: int) -> None:
        """Our own ACK tells what we have received, also what the capture missed."""
        if self.rcv is None or distance(ack, self.rcv) > 0:
            missed_fin = self.their_fin is not None and distance(ack, self.their_fin) > 0
            self.rcv = ack
            if missed_fin:
                self._take(Event.RCV_FIN)


def _goes_on(passings: Sequence[Passing]) -> list[bool]:
    """For each segment whether the end still sends, after it, as only a connection does.

    What seemed to end the connection did not then: an RST may not have been accepted.
    """
    found: list[bool] = []
    alive = False
    for arrives, segment in reversed(passings):
        found.append(alive)
        if not arrives:
            alive = _proves_synchronized(segment) or (alive and not segment.ctl & SYN)
    return found[::-1]
