"""One end of a connection: user calls, SEGMENT ARRIVES and timeouts (RFC 9293 §3.10).

An Endpoint is a value. Each event gives a new one and what came of it; nothing is changed in
place. It keeps its own deadlines but has no clock, no I/O and no randomness: `now` is always given,
in integer nanoseconds. A segment is judged first, whole, and applied after.

Simplifications: data is an octet count, sent at once whatever the windows; what arrives out of
order is dropped and acknowledged, not kept; options are agreed upon in the handshake and no more.
"""

from itertools import accumulate
from typing import Final, NamedTuple, Self

from tcpviz.judge import Reading, read, read_syn_sent, reset_for, rest_of, restarts, unwelcome
from tcpviz.options import agreed, mss_of
from tcpviz.segment import ACK, FIN, RST, SYN, Segment, add
from tcpviz.states import Edge, Event, Opened, State
from tcpviz.steps import Timer
from tcpviz.tcb import DELAYED_ACK, FIN_WAIT_2, KEEPALIVE, RTO, TWO_MSL, USER_TIMEOUT, Tcb

NOT_OPEN: Final = "error: connection does not exist"
EXISTS: Final = "error: connection already exists"
IS_CLOSING: Final = "error: connection closing"
RESET: Final = "error: connection reset"
REFUSED: Final = "error: connection refused"
USER_TIMED_OUT: Final = "error: connection aborted due to user timeout"
GIVEN_UP: Final = "error: connection aborted, no answer (R2)"
TROUBLE: Final = "trouble: no answer yet (R1)"

_USER_HAS_LEFT: Final = (State.CLOSING, State.LAST_ACK, State.TIME_WAIT)
_MAY_SEND: Final = (State.SYN_SENT, State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT)
_KEPT_ALIVE: Final = (State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSE_WAIT)
_FINISHING: Final = (State.FIN_WAIT_1, State.FIN_WAIT_2)
_TAKES_TEXT: Final = (State.ESTABLISHED, *_FINISHING)


class Outcome(NamedTuple):
    """What an event made of an Endpoint: its new value, segments sent, edges taken, user told."""

    end: "Endpoint"
    sent: tuple[Segment, ...] = ()
    edges: tuple[Edge, ...] = ()
    says: str = ""
    text: int = 0  # octets of new data taken in

    def forgotten(self) -> "Outcome":
        """CLOSED is the absence of a TCB: nothing of it is kept."""
        return self._replace(end=self.end.deleted()) if self.end.state is State.CLOSED else self


class Endpoint(Tcb):
    """One end, with what it does: every method gives a new value and leaves this one alone."""

    __slots__ = ()

    # -- user calls, §3.10.1 to §3.10.5 --------------------------------------------------------

    def call(self, event: Event, now: int, octets: int = 0) -> Outcome:
        """A call of the user, or what happens to a host (crash) or a user (USER TIMEOUT).

        A call that the state does not allow gets the RFC's error. ValueError for anything else.
        """
        if event in (Event.PASSIVE_OPEN, Event.ACTIVE_OPEN):
            return self._open(event, now)
        calls = {
            Event.SEND: self._send,
            Event.RECEIVE: self._receive,
            Event.CLOSE: self._close,
            Event.CLOSE_HALF_DUPLEX: self._leave,
            Event.ABORT: self._abort,
            Event.USER_TIMEOUT: self._time_out,
            Event.CRASH: self._crash,
        }
        if event not in calls:
            raise ValueError(f"not a call of TCP's user: {event}")
        if self.state is State.CLOSED:
            return Outcome(self, says="" if event is Event.CRASH else NOT_OPEN)
        return calls[event](now, octets)

    def _open(self, event: Event, now: int) -> Outcome:
        active = event is Event.ACTIVE_OPEN
        if active and self.state is State.TIME_WAIT and self.reusable(now):
            over, edge = self.take(Event.TIME_WAIT_TIMEOUT)
            opened = over.deleted()._replace(before=self.variables)._open(event, now)
            return opened._replace(edges=(edge, *opened.edges))
        if self.state is not State.CLOSED and not (active and self.state is State.LISTEN):
            return Outcome(self, says=EXISTS)
        end, edge = self.take(event)
        if event is Event.PASSIVE_OPEN:
            return Outcome(end._replace(opened="passive"), edges=(edge,))
        return end._synchronize(now, "active", (edge,), SYN)

    def _send(self, now: int, octets: int) -> Outcome:
        if self.state is State.LISTEN:
            end, edge = self._replace(queued=(octets,)).take(Event.SEND)
            return end._synchronize(now, "active", (edge,), SYN)
        if self.closing or self.state not in _MAY_SEND:
            return Outcome(self, says=IS_CLOSING)
        return self._replace(queued=(*self.queued, octets))._flush(now)

    def _receive(self, now: int, octets: int) -> Outcome:
        """§3.10.3: hand over what has come; a RECEIVE with nothing to wait for is an error."""
        finished = self.state in (State.CLOSE_WAIT, *_USER_HAS_LEFT)
        if finished and not (self.state is State.CLOSE_WAIT and self.unread):
            return Outcome(self, says=IS_CLOSING)
        return Outcome(self._replace(unread=0))

    def _close(self, now: int, octets: int) -> Outcome:
        if self.closing or self.state in (*_FINISHING, *_USER_HAS_LEFT):
            return Outcome(self, says=IS_CLOSING)
        if self.state is State.SYN_RECEIVED and self.queued:
            return Outcome(self._replace(closing=True))
        end, edge = self.take(Event.CLOSE)
        if not edge.sends:
            told = IS_CLOSING if self.queued and not self.orphan else ""
            return Outcome(end.deleted(), (), (edge,), told)
        end, octets = end._replace(queued=()), sum(self.queued)  # what Nagle held back goes with it
        return end._transmit(now, FIN | ACK, octets)._replace(edges=(edge,))

    def _leave(self, now: int, octets: int) -> Outcome:
        """MAY-1: CLOSE, and read no more. Data that is lost so is answered by a RST (SHLD-3)."""
        if self.orphan:
            return Outcome(self, says=IS_CLOSING)
        if self.unread and self.state not in _USER_HAS_LEFT:
            return self._replace(orphan=True)._abort(now, octets)
        if self.state in (*_FINISHING, *_USER_HAS_LEFT):
            return self._replace(orphan=True)._settle(now, ())
        return self._replace(orphan=True)._close(now, octets)

    def _abort(self, now: int, octets: int) -> Outcome:
        end, edge = self.take(Event.ABORT)
        if edge.sends and self.rules.time_wait_after_abort:
            end, edge = self.take(Event.ABORT_AND_WAIT)
        rst = self.segment(RST | ACK if self.rules.reset_carries_ack else RST)
        sent = (rst,) if edge.sends else ()
        told = RESET if self.queued and not self.orphan else ""  # of the SENDs that still wait
        if end.state is State.TIME_WAIT:
            end = end._replace(unacked=(), queued=(), closing=False)
            return end._settle(now, (edge,))._replace(sent=sent, says=told).forgotten()
        return Outcome(end.deleted(), sent, (edge,), told)

    def _time_out(self, now: int, octets: int) -> Outcome:
        return self._give_up(Event.USER_TIMEOUT, "" if self.orphan else USER_TIMED_OUT)

    def _crash(self, now: int, octets: int) -> Outcome:
        """§3.5.1: the host loses everything it knew, and nobody is told."""
        return self._give_up(Event.CRASH, "")

    # -- SEGMENT ARRIVES, §3.10.7 --------------------------------------------------------------

    def arrive(self, segment: Segment, now: int) -> Outcome:
        """A segment arrives: judge it by the state, then apply the judgement."""
        if self.state is State.CLOSED:
            return Outcome(self, () if segment.ctl & RST else (reset_for(segment),))
        if self.state is State.LISTEN:
            return self._arrive_listening(segment, now)
        end = self._replace(probes=0) if self.probes else self
        if end.settings.keepalive and end.state in _KEPT_ALIVE:
            end = end.armed(KEEPALIVE, now, end.settings.keepalive)
        if end.orphan and unwelcome(end, segment):
            # SHLD-3: nobody will read it, which a RST in answer says
            return end._abort(now, 0)._replace(sent=(reset_for(segment),))
        if restarts(end, segment):
            end = end.armed(TWO_MSL, now, 2 * end.settings.msl)
        reading = (read_syn_sent if end.state is State.SYN_SENT else read)(end, segment)
        outcome = end._apply(reading, segment, now)
        again = end.rules.syn_after_reset if end.unacked and not end.tries else 0
        wrong = segment.ctl & ACK and end.state is State.SYN_SENT and not end.acknowledges(segment)
        if again and wrong:
            return outcome._replace(end=outcome.end.armed(RTO, now, again))
        return outcome

    def _arrive_listening(self, segment: Segment, now: int) -> Outcome:
        """§3.10.7.2: RST, then ACK, then SYN; anything else is dropped."""
        if segment.ctl & RST:
            return Outcome(self)
        if segment.ctl & ACK:
            return Outcome(self, (reset_for(segment),))
        if not segment.ctl & SYN or (segment.ctl & FIN and self.rules.listen_drops_syn_fin):
            return Outcome(self)
        end, edge = self.take(Event.RCV_SYN)
        return end._accept_syn(segment, now, "passive", (edge,))

    def _accept_syn(
        self, segment: Segment, now: int, opened: Opened, edges: tuple[Edge, ...]
    ) -> Outcome:
        """Take the peer's SYN and answer it with our own."""
        end = self._meet(segment)
        if not self.rules.four_segment_handshake:
            outcome = end._synchronize(now, opened, edges, SYN | ACK)
        else:
            outcome = end._synchronize(now, opened, edges, SYN)
            ack = outcome.end.ack()._replace(seq=outcome.end.iss)
            outcome = outcome._replace(sent=(ack, *outcome.sent))
        if not self.rules.two_way_handshake:
            return outcome
        end, edge = outcome.end.acknowledged(outcome.end.snd_nxt, now).take(Event.RCV_ACK_OF_SYN)
        return outcome._replace(end=end, edges=(*edges, edge))

    def _meet(self, syn: Segment) -> Self:
        """With what the peer's SYN says; what rides on it is held."""
        return self._replace(
            irs=syn.seq,
            rcv_nxt=add(syn.seq, 1),
            options=agreed(self.settings.options, syn.options),
            mss=mss_of(syn),
            held=rest_of(syn),
        )

    def _apply(self, reading: Reading, segment: Segment, now: int) -> Outcome:
        """Do what the judgement says: acknowledge, advance, move, answer."""
        if reading.over:
            return self._end(reading.events[0], reading.reply, now)
        if reading.reply:
            answering = self.turning_away(segment, reading.reply, now)
            return answering._answer(reading.reply) if answering else Outcome(self)
        if self.state is State.TIME_WAIT and Event.RCV_SYN in reading.events:
            return self._reopen(segment, now)
        end = self if reading.una is None else self.acknowledged(reading.una, now)
        if self.state is State.SYN_SENT and reading.nxt is not None:
            end = end._meet(segment)
        elif reading.nxt is not None:
            end = end._replace(rcv_nxt=reading.nxt)
        if reading.text:
            unread = 0 if self.settings.reads else self.unread + reading.text
            end = end._replace(unread=unread, received=True)
        edges: tuple[Edge, ...] = ()
        for event in reading.events:
            end, edge = end.take(event)
            edges += (edge,)
        if Event.RCV_SYN in reading.events:  # crossing SYNs: the same SYN again, now with an ACK
            return Outcome(end, (end.syn(SYN | ACK),), edges)
        settled = end._settle(now, edges)
        if settled.end.state is State.CLOSED and end.state is not State.TIME_WAIT:
            return settled
        outcome = settled.end._go_on(reading, now, settled.edges).forgotten()
        first = reading.first
        return outcome._replace(sent=(*first, *outcome.sent)) if first else outcome

    def _go_on(self, reading: Reading, now: int, edges: tuple[Edge, ...]) -> Outcome:
        """After a segment was taken in: what the SYN carried, what waited, what is owed."""
        end, text = self, reading.text
        if self.held and self.state in _TAKES_TEXT and self.snd_una != self.iss:
            held = self.held._replace(ack=self.snd_una, ctl=self.held.ctl | ACK)
            more = self._replace(held=None).arrive(held, now)
            end, edges, text = more.end, edges + more.edges, text + more.text
            reading = reading._replace(owed=True)
        if end.state is State.ESTABLISHED and end.settings.keepalive:
            end = end.armed(KEEPALIVE, now, end.settings.keepalive)
        flushed = end._flush(now)
        if flushed.sent or not reading.owed:
            return Outcome(flushed.end, flushed.sent, edges + flushed.edges, "", text)
        owing = end._owe(now, reading)
        return Outcome(owing.end, owing.sent, edges, "", text)

    def _owe(self, now: int, reading: Reading) -> Outcome:
        """Acknowledge now, or later, where the application may give the ACK a ride (§3.8.6.3)."""
        pending = any(timer.name == DELAYED_ACK for timer in self.deadlines)
        wait = self.settings.delayed_ack
        if self.state is State.CLOSE_WAIT and Event.RCV_FIN in reading.events:
            wait = max(wait, self.rules.fin_ack_delays[self.received])
        patient = (
            wait > 0
            and reading.nxt is not None
            and Event.RCV_SYN_ACK not in reading.events
            and self.state not in (State.TIME_WAIT, State.CLOSING, State.CLOSED)
        )
        if patient and not pending:
            return Outcome(self.armed(DELAYED_ACK, now, wait))
        return self._answer(self.ack())

    def _settle(self, now: int, edges: tuple[Edge, ...]) -> Outcome:
        """What a state does on being entered: CLOSED forgets, the waiting states start to wait."""
        if self.state is State.CLOSED and edges:
            return Outcome(self.deleted(), edges=edges)
        forgets = self.rules.no_room_for_time_wait
        if self.state is State.TIME_WAIT and edges:
            if not forgets and self.settings.msl:
                end = self._replace(deadlines=(), orphan=False)
                return Outcome(end.armed(TWO_MSL, now, 2 * self.settings.msl), edges=edges)
            end, edge = self.take(Event.TIME_WAIT_TIMEOUT)
            return Outcome(end._replace(deadlines=()), edges=(*edges, edge))
        if self.state is State.FIN_WAIT_2 and self.orphan:
            if forgets:
                end, edge = self.take(Event.FIN_WAIT_2_TIMEOUT)
                return Outcome(end.deleted(), edges=(*edges, edge))
            if limit := self.rules.fin_wait_2:
                return Outcome(self.armed(FIN_WAIT_2, now, limit), edges=edges)
        return Outcome(self, edges=edges)

    def _reopen(self, segment: Segment, now: int) -> Outcome:
        """MAY-2: a new connection straight out of TIME-WAIT, its numbers beyond the old ones."""
        end, edge = self.take(Event.RCV_SYN)
        fresh = end.deleted()._replace(before=self.variables)
        return fresh._accept_syn(segment, now, "reopened", (edge,))

    def _end(self, event: Event, last: Segment | None, now: int) -> Outcome:
        """A RST (or a SYN that cannot be) ends the connection, perhaps with a last word."""
        end, edge = self.take(event)
        if end.state is State.TIME_WAIT and self.before:  # the SYN that reopened it was old
            una, nxt, rcv = self.before
            end = end.deleted()._replace(snd_una=una, snd_nxt=nxt, rcv_nxt=rcv)
            return end._settle(now, (edge,))
        refused = event is Event.RCV_RST and self.state is State.SYN_RECEIVED
        says = REFUSED if refused else RESET
        unheard = event is Event.RCV_RST and self.state in _USER_HAS_LEFT
        if end.state is State.LISTEN or unheard or self.orphan:
            says = ""
        return Outcome(end.deleted(), (last,) if last else (), (edge,), says)

    # -- timeouts, §3.10.8 ---------------------------------------------------------------------

    def expire(self, timer: Timer, now: int) -> Outcome:
        """A deadline has come: retransmit, give up, acknowledge what was delayed, or forget."""
        end = self.disarmed(timer.name)
        if timer.name == TWO_MSL:
            end, edge = end.take(Event.TIME_WAIT_TIMEOUT)
            return Outcome(end.deleted(), edges=(edge,))
        if timer.name == FIN_WAIT_2:
            return end._give_up(Event.FIN_WAIT_2_TIMEOUT, "")
        if timer.name == USER_TIMEOUT:
            return end._time_out(now, 0)
        if timer.name == DELAYED_ACK:
            return end._answer(self.ack())
        return end._probe(now) if timer.name == KEEPALIVE else end._retransmit(now)

    def _retransmit(self, now: int) -> Outcome:
        """Send the oldest segment again and double the RTO (RFC 6298 §5.5), until R2 (§3.8.3)."""
        if self.given_up:
            return self._give_up(Event.R2_TIMEOUT, "" if self.orphan else GIVEN_UP)
        end = self.retransmitting(now)
        told = TROUBLE if 0 < end.tries == self.rules.r1 and not self.orphan else ""
        return end._answer(self.again)._replace(says=told)

    def _probe(self, now: int) -> Outcome:
        """§3.8.4: a keep-alive asks for an ACK with a number that is not expected."""
        if self.unacked:  # its retransmissions ask already
            return Outcome(self.armed(KEEPALIVE, now, self.settings.keepalive))
        if self.probes >= self.rules.keepalive_probes:
            rst = (self.segment(RST | ACK),) if self.rules.keepalive_resets else ()
            return self._give_up(Event.R2_TIMEOUT, GIVEN_UP)._replace(sent=rst)
        end = self._replace(probes=self.probes + 1)
        probe = self.ack()._replace(seq=add(self.snd_nxt, -1))
        return end.armed(KEEPALIVE, now, self.rules.keepalive_interval)._answer(probe)

    def _give_up(self, event: Event, says: str) -> Outcome:
        """The connection is over for this end; the other is not told."""
        end, edge = self.take(event)
        return Outcome(end.deleted(), edges=(edge,), says=says)

    # -- parts ---------------------------------------------------------------------------------

    def _synchronize(self, now: int, opened: Opened, edges: tuple[Edge, ...], ctl: int) -> Outcome:
        """Choose an ISS and send the SYN or SYN,ACK."""
        iss = self.next_iss(now)
        offered = self.options if ctl & ACK else self.settings.options
        end = self._replace(
            opened=opened,
            opens=self.opens + 1,
            iss=iss,
            snd_una=iss,
            snd_nxt=iss,
            first_rto=self.settings.rto,
            timed=now if self.rules.rto_floor else -1,
        )
        syn = end.segment(ctl)._replace(options=offered)
        return end.waiting_for_ack(syn, now=now)._answer(syn)._replace(edges=edges)

    def _transmit(self, now: int, ctl: int, octets: int = 0) -> Outcome:
        """Send a segment that occupies sequence space."""
        segment = self.segment(ctl, octets)
        return self.waiting_for_ack(segment, now=now)._answer(segment)

    def _flush(self, now: int) -> Outcome:
        """Send what waited for ESTABLISHED: the SENDs, then the CLOSE."""
        idle = not self.queued and not self.closing
        if idle or self.state not in (State.ESTABLISHED, State.CLOSE_WAIT):
            return Outcome(self)
        sizes, rest = self.sendable()
        starts = accumulate(sizes, add, initial=self.snd_nxt)
        data = [self.segment(ACK, n)._replace(seq=s) for n, s in zip(sizes, starts, strict=False)]
        end = self._replace(queued=rest, closing=False)
        end = end.waiting_for_ack(*data, now=now).disarmed(DELAYED_ACK) if data else end
        flushed = Outcome(end, tuple(data))
        if self.closing:
            fin = flushed.end._close(now, 0)
            flushed = Outcome(fin.end, flushed.sent + fin.sent, fin.edges)
        return flushed

    def _answer(self, segment: Segment) -> Outcome:
        """Send one segment; if it acknowledges, no delayed ACK is owed any more."""
        end = self.disarmed(DELAYED_ACK) if segment.ctl & ACK else self
        return Outcome(end, (segment,))
