"""One end of a connection: user calls, SEGMENT ARRIVES and timeouts (RFC 9293 §3.10).

An Endpoint is a value. Each event gives a new one and what came of it; nothing is changed in
place. It keeps its own deadlines but has no clock, no I/O and no randomness: `now` is always given,
in integer nanoseconds. A segment is judged first, whole, and applied after. All moves are edges of
`states.TRANSITIONS`, and only `_take` moves the state.

Simplifications: data is an octet count, sent at once whatever the windows; what arrives out of
order is dropped and acknowledged, not kept; data and FIN that ride on a SYN wait to be sent again.
"""

from typing import Final, NamedTuple

from tcpviz.segment import ACK, FIN, NUMBERS, RST, SYN, Segment, add, distance
from tcpviz.states import Edge, Event, Opened, State, transition
from tcpviz.steps import Timer, Variables
from tcpviz.units import MS, S

RTO: Final = "RTO"
TWO_MSL: Final = "2MSL"
DELAYED_ACK: Final = "delayed ACK"

_ISN_TICK: Final = 4_000
"""§3.4.1: the clock that new ISSs are taken from ticks about every 4 microseconds."""

NOT_OPEN: Final = "error: connection does not exist"
EXISTS: Final = "error: connection already exists"
IS_CLOSING: Final = "error: connection closing"
RESET: Final = "error: connection reset"
REFUSED: Final = "error: connection refused"


_USER_HAS_LEFT: Final = (State.CLOSING, State.LAST_ACK, State.TIME_WAIT)
_MAY_SEND: Final = (State.SYN_SENT, State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT)
_RECEIVING: Final = (State.SYN_RECEIVED, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2)


class Settings(NamedTuple):
    """What one end is told from outside; durations in ns. A delayed ACK of 0 is off.

    `iss` are the initial send sequence numbers in order of use; after the last one the clock of
    §3.4.1 goes on from it. `msl` is 30 s, which makes 2MSL the 60 s of Linux; §3.4.2 takes 2 min.
    """

    iss: tuple[int, ...] = (0,)
    rto: int = 1 * S
    msl: int = 30 * S
    delayed_ack: int = 0 * MS
    window: int = 65535


class Outcome(NamedTuple):
    """What an event made of an Endpoint: its new value, segments sent, edges taken, user told."""

    end: "Endpoint"
    sent: tuple[Segment, ...] = ()
    edges: tuple[Edge, ...] = ()
    says: str = ""


class Reading(NamedTuple):
    """The judgement of a segment, before anything is applied.

    `reply` answers and ends the matter. `una` and `nxt` are the new SND.UNA and RCV.NXT, `events`
    what the segment means for the state, `owed` says that something must be acknowledged.
    """

    events: tuple[Event, ...] = ()
    una: int | None = None
    nxt: int | None = None
    owed: bool = False
    reply: Segment | None = None


class Endpoint(NamedTuple):
    """One end: its state and TCB (§3.3.1), retransmission queue and deadlines, as one value."""

    settings: Settings = Settings()
    state: State = State.CLOSED
    opened: Opened | None = None
    opens: int = 0  # how many ISSs were used
    iss: int = 0
    irs: int = 0
    snd_una: int = 0
    snd_nxt: int = 0
    rcv_nxt: int = 0
    unacked: tuple[Segment, ...] = ()
    queued: tuple[int, ...] = ()  # SENDs, in octets, that wait for ESTABLISHED
    closing: bool = False  # a CLOSE that waits for them
    rto: int = 0
    deadlines: tuple[Timer, ...] = ()

    @property
    def variables(self) -> Variables | None:
        """SND.UNA, SND.NXT and RCV.NXT, where there is a TCB with numbers in it."""
        if self.state in (State.CLOSED, State.LISTEN):
            return None
        return Variables(self.snd_una, self.snd_nxt, self.rcv_nxt)

    @property
    def deadline(self) -> Timer | None:
        """The timer that expires first."""
        return min(self.deadlines, key=lambda timer: timer.until, default=None)

    # -- user calls, §3.10.1 to §3.10.5 --------------------------------------------------------

    def call(self, event: Event, now: int, octets: int = 0) -> Outcome:
        """OPEN, SEND, CLOSE or ABORT. A call that the state does not allow gets the RFC's error."""
        if event in (Event.PASSIVE_OPEN, Event.ACTIVE_OPEN):
            return self._open(event, now)
        if self.state is State.CLOSED:
            return Outcome(self, says=NOT_OPEN)
        if event is Event.SEND:
            return self._send(octets, now)
        if event is Event.CLOSE:
            return self._close(now)
        if event is Event.ABORT:
            end, edge = self._take(Event.ABORT)
            rst = (Segment(self.snd_nxt, 0, RST),) if edge.sends else ()
            return Outcome(end._deleted(), rst, (edge,))
        raise ValueError(f"not a call of TCP's user: {event}")

    def _open(self, event: Event, now: int) -> Outcome:
        if transition(self.state, event, self.opened) is None:
            return Outcome(self, says=EXISTS)
        end, edge = self._take(event)
        if event is Event.PASSIVE_OPEN:
            return Outcome(end._replace(opened="passive"), edges=(edge,))
        return end._synchronize(now, "active", (edge,), SYN)

    def _send(self, octets: int, now: int) -> Outcome:
        if self.state is State.LISTEN:
            end, edge = self._replace(queued=(octets,))._take(Event.SEND)
            return end._synchronize(now, "active", (edge,), SYN)
        if self.closing or self.state not in _MAY_SEND:
            return Outcome(self, says=IS_CLOSING)
        return self._replace(queued=(*self.queued, octets))._flush(now)

    def _close(self, now: int) -> Outcome:
        if transition(self.state, Event.CLOSE) is None or self.closing:
            return Outcome(self, says=IS_CLOSING)
        if self.state is State.SYN_RECEIVED and self.queued:
            return Outcome(self._replace(closing=True))
        end, edge = self._take(Event.CLOSE)
        if not edge.sends:
            return Outcome(end._deleted(), edges=(edge,))
        return end._transmit(now, FIN | ACK)._replace(edges=(edge,))

    # -- SEGMENT ARRIVES, §3.10.7 --------------------------------------------------------------

    def arrive(self, segment: Segment, now: int) -> Outcome:
        """A segment arrives: judge it by the state, then apply the judgement."""
        if self.state is State.CLOSED:
            return Outcome(self, () if segment.ctl & RST else (_reset(segment),))
        if self.state is State.LISTEN:
            return self._arrive_listening(segment, now)
        syn_sent = self.state is State.SYN_SENT
        reading = self._read_syn_sent(segment) if syn_sent else self._read(segment)
        return self._apply(reading, segment, now)

    def _arrive_listening(self, segment: Segment, now: int) -> Outcome:
        """§3.10.7.2: RST, then ACK, then SYN; anything else is dropped."""
        if segment.ctl & RST:
            return Outcome(self)
        if segment.ctl & ACK:
            return Outcome(self, (_reset(segment),))
        if not segment.ctl & SYN:
            return Outcome(self)
        end, edge = self._take(Event.RCV_SYN)
        end = end._replace(irs=segment.seq, rcv_nxt=add(segment.seq, 1))
        return end._synchronize(now, "passive", (edge,), SYN | ACK)

    def _read_syn_sent(self, segment: Segment) -> Reading:
        """§3.10.7.3: ACK, RST, security, SYN, in this order."""
        acks = bool(segment.ctl & ACK)
        if acks and not self._acknowledges(segment):
            return Reading(reply=None if segment.ctl & RST else _reset(segment))
        if segment.ctl & RST:
            return Reading((Event.RCV_RST,)) if acks else Reading()
        if not segment.ctl & SYN:
            return Reading()
        nxt = add(segment.seq, 1)
        if acks:
            return Reading((Event.RCV_SYN_ACK,), segment.ack, nxt, owed=True)
        return Reading((Event.RCV_SYN,), nxt=nxt)

    def _read(self, segment: Segment) -> Reading:
        """§3.10.7.4, the other states: eight checks in the RFC's order."""
        if not self._acceptable(segment):  # first
            return Reading(reply=None if segment.ctl & RST else self._ack())
        if segment.ctl & RST:  # second; a RST beside RCV.NXT is challenged (RFC 5961)
            exact = segment.seq == self.rcv_nxt
            return Reading((Event.RCV_RST,)) if exact else Reading(reply=self._ack())
        if segment.ctl & SYN and not self._crossing(segment):  # fourth
            back = transition(self.state, Event.RCV_SYN, self.opened)
            if self.state is State.SYN_RECEIVED and back:
                return Reading((Event.RCV_SYN,))
            return Reading(reply=self._ack())
        if not segment.ctl & ACK:  # fifth
            return Reading()
        if self.state is State.SYN_RECEIVED and not self._acknowledges(segment):
            return Reading(reply=_reset(segment))
        behind = distance(segment.ack, self.snd_una)
        if distance(segment.ack, self.snd_nxt) > 0 or behind < -self.settings.window:
            return Reading(reply=self._ack())  # never sent, or too old to be true (RFC 5961 §5)
        una = segment.ack if self._acknowledges(segment) else None
        return self._read_text(segment, una)

    def _read_text(self, segment: Segment, una: int | None) -> Reading:
        """The fifth check's meaning for the state, then the text and the FIN (seventh, eighth)."""
        events = [Event.RCV_ACK_OF_SYN] if self.state is State.SYN_RECEIVED else []
        fin_acked = (una if una is not None else self.snd_una) == self.snd_nxt
        if self.state is State.TIME_WAIT:
            again = bool(segment.ctl & FIN)
            return Reading((Event.RCV_FIN,) if again else (), owed=segment.span > 0)
        receiving = self.state in _RECEIVING
        start = add(segment.seq, bool(segment.ctl & SYN))
        in_order = distance(start, self.rcv_nxt) <= 0
        fin = receiving and in_order and bool(segment.ctl & FIN)
        if self.state is State.FIN_WAIT_1 and fin_acked:
            events.append(Event.RCV_FIN_ACK_OF_FIN if fin else Event.RCV_ACK_OF_FIN)
        elif self.state in (State.CLOSING, State.LAST_ACK) and fin_acked:
            events.append(Event.RCV_ACK_OF_FIN)
        elif fin:
            events.append(Event.RCV_FIN)
        nxt = None
        if receiving and in_order and segment.span:
            nxt = add(segment.seq, segment.span)
        owed = receiving and bool(segment.length or segment.ctl & FIN)
        return Reading(tuple(events), una, nxt, owed)

    def _acceptable(self, segment: Segment) -> bool:
        """Table 6 of §3.10.7.4: some of the segment lies in the receive window.

        Two retransmissions that the table turns away are let in: the peer's SYN,ACK when the SYNs
        crossed, without which Figure 7 could not happen, and its FIN in TIME-WAIT, whose check
        restarts the 2MSL timeout.
        """
        if self._crossing(segment):
            return True
        first = distance(segment.seq, self.rcv_nxt)
        if self.state is State.TIME_WAIT and segment.ctl & FIN and first + segment.span == 0:
            return True
        last = first + max(segment.span, 1) - 1
        return 0 <= first < self.settings.window or 0 <= last < self.settings.window

    def _crossing(self, segment: Segment) -> bool:
        """The SYN,ACK of a simultaneous open (Figure 7): it repeats the SYN already taken."""
        return (
            self.state is State.SYN_RECEIVED
            and self.opened == "active"
            and segment.seq == self.irs
            and segment.ctl & (SYN | ACK | RST) == SYN | ACK
        )

    def _acknowledges(self, segment: Segment) -> bool:
        """SND.UNA < SEG.ACK =< SND.NXT: it acknowledges something new that was sent."""
        new = distance(segment.ack, self.snd_una)
        return 0 < new <= (self.snd_nxt - self.snd_una) % NUMBERS

    def _apply(self, reading: Reading, segment: Segment, now: int) -> Outcome:
        """Do what the judgement says: acknowledge, advance, move, answer."""
        if reading.reply:
            return self._answer(reading.reply)
        if Event.RCV_RST in reading.events or (
            self.state is State.SYN_RECEIVED and Event.RCV_SYN in reading.events
        ):
            return self._end(reading.events[0])
        end = self if reading.una is None else self._acknowledged(reading.una, now)
        if self.state is State.SYN_SENT and reading.nxt is not None:
            end = end._replace(irs=segment.seq)
        if reading.nxt is not None:
            end = end._replace(rcv_nxt=reading.nxt)
        edges: tuple[Edge, ...] = ()
        for event in reading.events:
            end, edge = end._take(event)
            edges += (edge,)
        if end.state is State.CLOSED:
            return Outcome(end._deleted(), edges=edges)
        if end.state is State.TIME_WAIT and edges:
            end = end._replace(deadlines=())._arm(TWO_MSL, now, 2 * self.settings.msl)
        if Event.RCV_SYN in reading.events:  # crossing SYNs: the same SYN again, now with an ACK
            syn = Segment(end.iss, end.rcv_nxt, SYN | ACK, window=end.settings.window)
            return Outcome(end, (syn,), edges)
        flushed = end._flush(now)
        if flushed.sent or not reading.owed:
            return flushed._replace(edges=edges + flushed.edges)
        return end._owe(now, reading)._replace(edges=edges)

    def _owe(self, now: int, reading: Reading) -> Outcome:
        """Acknowledge now, or later, where the application may give the ACK a ride (§3.8.6.3)."""
        pending = any(timer.name == DELAYED_ACK for timer in self.deadlines)
        patient = (
            self.settings.delayed_ack > 0
            and reading.nxt is not None
            and Event.RCV_SYN_ACK not in reading.events
            and self.state not in (State.TIME_WAIT, State.CLOSING)
        )
        if patient and not pending:
            return Outcome(self._arm(DELAYED_ACK, now, self.settings.delayed_ack))
        return self._answer(self._ack())

    def _end(self, event: Event) -> Outcome:
        """A RST (or, in a passive SYN-RECEIVED, a SYN) ends the connection."""
        end, edge = self._take(event)
        says = REFUSED if self.state is State.SYN_RECEIVED else RESET
        if end.state is State.LISTEN or self.state in _USER_HAS_LEFT:
            says = ""
        return Outcome(end._deleted(), edges=(edge,), says=says)

    # -- timeouts, §3.10.8 ---------------------------------------------------------------------

    def expire(self, timer: Timer, now: int) -> Outcome:
        """A deadline has come: retransmit, acknowledge what was delayed, or leave TIME-WAIT."""
        end = self._disarm(timer.name)
        if timer.name == TWO_MSL:
            end, edge = end._take(Event.TIME_WAIT_TIMEOUT)
            return Outcome(end._deleted(), edges=(edge,))
        if timer.name == DELAYED_ACK:
            return end._answer(self._ack())
        oldest = self.unacked[0]
        if self.state is not State.SYN_SENT:  # a retransmission carries the newest ACK
            oldest = oldest._replace(ack=self.rcv_nxt, ctl=oldest.ctl | ACK)
        end = end._replace(rto=2 * self.rto)  # RFC 6298 §5.5
        return end._arm(RTO, now, end.rto)._answer(oldest)

    # -- parts ---------------------------------------------------------------------------------

    def _take(self, event: Event) -> "tuple[Endpoint, Edge]":
        """Move along the edge that `event` takes; the only place that moves a state."""
        edge = transition(self.state, event, self.opened)
        if edge is None:
            raise AssertionError(f"no edge for {event} in {self.state}")
        return self._replace(state=edge.target), edge

    def _synchronize(self, now: int, opened: Opened, edges: tuple[Edge, ...], ctl: int) -> Outcome:
        """Choose an ISS and send the SYN or SYN,ACK."""
        isses = self.settings.iss
        iss = isses[self.opens] if self.opens < len(isses) else add(isses[-1], now // _ISN_TICK)
        end = self._replace(opened=opened, opens=self.opens + 1, iss=iss, snd_una=iss, snd_nxt=iss)
        return end._transmit(now, ctl)._replace(edges=edges)

    def _transmit(self, now: int, ctl: int, octets: int = 0) -> Outcome:
        """Send a segment that occupies sequence space: queue it and see that its RTO runs."""
        ack = self.rcv_nxt if ctl & ACK else 0
        segment = Segment(self.snd_nxt, ack, ctl, octets, self.settings.window)
        end = self._replace(
            snd_nxt=add(self.snd_nxt, segment.span), unacked=(*self.unacked, segment)
        )
        if not self.unacked:
            end = end._replace(rto=end.settings.rto)._arm(RTO, now, end.settings.rto)
        return end._answer(segment)

    def _flush(self, now: int) -> Outcome:
        """Send what waited for ESTABLISHED: the SENDs, then the CLOSE."""
        if self.state not in (State.ESTABLISHED, State.CLOSE_WAIT):
            return Outcome(self)
        flushed = Outcome(self._replace(queued=(), closing=False))
        for octets in self.queued:
            data = flushed.end._transmit(now, ACK, octets)
            flushed = Outcome(data.end, flushed.sent + data.sent)
        if self.closing:
            fin = flushed.end._close(now)
            flushed = Outcome(fin.end, flushed.sent + fin.sent, fin.edges)
        return flushed

    def _acknowledged(self, una: int, now: int) -> "Endpoint":
        """Advance SND.UNA, drop what it covers, restart or stop the RTO (RFC 6298 §5)."""
        left = tuple(s for s in self.unacked if distance(add(s.seq, s.span), una) > 0)
        end = self._replace(snd_una=una, unacked=left, rto=self.settings.rto)._disarm(RTO)
        return end._arm(RTO, now, end.rto) if left else end

    def _ack(self) -> Segment:
        """<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, the RFC's answer to nearly everything."""
        return Segment(self.snd_nxt, self.rcv_nxt, ACK, window=self.settings.window)

    def _answer(self, segment: Segment) -> Outcome:
        """Send one segment; if it acknowledges, no delayed ACK is owed any more."""
        end = self._disarm(DELAYED_ACK) if segment.ctl & ACK else self
        return Outcome(end, (segment,))

    def _arm(self, name: str, now: int, duration: int) -> "Endpoint":
        timer = Timer(name, now, now + duration)
        return self._replace(deadlines=(*self._disarm(name).deadlines, timer))

    def _disarm(self, name: str) -> "Endpoint":
        return self._replace(deadlines=tuple(t for t in self.deadlines if t.name != name))

    def _deleted(self) -> "Endpoint":
        """Forget the TCB; what is left is the state, and how many ISSs were used."""
        opened: Opened | None = "passive" if self.state is State.LISTEN else None
        return Endpoint(self.settings, self.state, opened, self.opens)


def _reset(segment: Segment) -> Segment:
    """The RST that answers a segment nobody can place (§3.10.7.1); RST is never answered so."""
    if segment.ctl & ACK:
        return Segment(segment.ack, 0, RST)
    return Segment(0, add(segment.seq, segment.span), RST | ACK)
