"""The transmission control block of one end, as a value (RFC 9293 §3.3.1).

What it holds, what can be asked of it, and the changes that events are made of: each gives a new
value. Only `take` moves the state. It knows neither calls nor segments' meaning.
"""

from itertools import takewhile
from typing import Final, NamedTuple, Self

from tcpviz.options import DEFAULT_MSS
from tcpviz.rules import RFC9293, Rules
from tcpviz.segment import ACK, FIN, NUMBERS, RST, SYN, Option, Segment, add, distance
from tcpviz.states import Edge, Event, Opened, State, transition
from tcpviz.steps import Timer, Variables
from tcpviz.units import MS, S

RTO: Final = "RTO"
TWO_MSL: Final = "2MSL"
DELAYED_ACK: Final = "delayed ACK"
USER_TIMEOUT: Final = "USER TIMEOUT"
KEEPALIVE: Final = "keep-alive"
FIN_WAIT_2: Final = "FIN-WAIT-2"

_ISN_TICK: Final = 4_000
"""§3.4.1: the clock that new ISSs are taken from ticks about every 4 microseconds."""
_REOPENS_AT: Final = 65_537
"""How far beyond the last number sent a connection reopened from TIME-WAIT starts."""


class Settings(NamedTuple):
    """What one end is told from outside; durations in ns, 0 is off.

    `iss` are the initial send sequence numbers in order of use; after the last one the clock of
    §3.4.1 goes on from it. It does not look back: two opens within 4 µs get the same ISS, and after
    more than 250 octets a ms one may lie among the old numbers (no quiet time, §3.4.3). `msl` is
    30 s, which makes 2MSL the 60 s of Linux; §3.4.2 takes 2 min. `user_timeout` is the timeout of
    OPEN (§3.9.1.1), `keepalive` the idle time before a keep-alive (§3.8.4). `reads` is false for a
    user who has data only when it calls RECEIVE. `options` are offered with the SYN.
    """

    iss: tuple[int, ...] = (0,)
    rto: int = 1 * S
    msl: int = 30 * S
    delayed_ack: int = 0 * MS
    window: int = 65535
    rules: Rules = RFC9293
    user_timeout: int = 0
    keepalive: int = 0
    reads: bool = True
    options: tuple[Option, ...] = ()


class Tcb(NamedTuple):
    """One end: its state and variables, retransmission queue and deadlines, as one value."""

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
    before: Variables | None = None  # of the TIME-WAIT that a SYN reopened
    held: Segment | None = None  # text and FIN that rode on a SYN, until ESTABLISHED
    unread: int = 0  # octets the user has not received
    orphan: bool = False  # the user has gone: a half-duplex CLOSE
    received: bool = False  # data has come
    options: tuple[Option, ...] = ()  # what both ends agreed to
    mss: int = (
        DEFAULT_MSS  # the largest segment that the peer takes (§3.7.1); our own MTU is not modelled
    )
    rto: int = 0
    first_rto: int = 0  # what the RTO falls back to
    timed: int = -1  # when the SYN left, for measuring the round trip; -1: not measured
    tries: int = 0  # retransmissions in a row; a tail loss probe does not count
    probes: int = 0  # keep-alives in a row
    deadlines: tuple[Timer, ...] = ()
    challenged: int = -1  # when an ACK last answered what was turned away; -1: never

    @property
    def rules(self) -> Rules:
        """The rules in force at this end."""
        return self.settings.rules

    @property
    def variables(self) -> Variables | None:
        """SND.UNA, SND.NXT and RCV.NXT, where there is a TCB with numbers in it."""
        if self.state in (State.CLOSED, State.LISTEN):
            return None
        return Variables(self.snd_una, self.snd_nxt, self.rcv_nxt)

    @property
    def deadline(self) -> Timer | None:
        """The timer that expires first."""
        if len(self.deadlines) < 2:
            return self.deadlines[0] if self.deadlines else None
        return min(self.deadlines, key=lambda timer: timer.until)

    @property
    def r2(self) -> int:
        """R2 (§3.8.3): how many retransmissions there may be in this state; 0: any number.

        Below 0 there may be none.
        """
        rules = self.rules
        if self.state is State.SYN_SENT:
            return rules.r2_syn
        if self.state is State.SYN_RECEIVED and self.opened == "active":
            left = rules.r2_syn - rules.linear_syn_timeouts
            return rules.r2_syn and (left if left > 0 else -1)
        if self.state is State.SYN_RECEIVED:
            return rules.r2_syn_ack
        return (rules.r2_orphan if self.orphan else 0) or rules.r2

    @property
    def given_up(self) -> bool:
        """Whether R2 is reached, as a count or, of data and FIN, as a time."""
        r2, tries, first = self.r2, self.tries, self.first_rto
        counts = self.state in (State.SYN_SENT, State.SYN_RECEIVED) or r2 <= 0
        if counts or not self.rules.r2_as_time:
            return r2 != 0 and tries >= r2
        since = self._backed_off(first, tries) - first  # the first retransmission
        limit = self._backed_off(self.rules.rto_floor or first, r2)
        return tries > 0 and since >= limit

    def _backed_off(self, rto: int, times: int) -> int:
        """How long it takes for that RTO to expire, double and expire again, so many times."""
        return sum(self._limited(rto << n) for n in range(times + 1))

    def _limited(self, rto: int) -> int:
        return min(rto, self.rules.rto_most or rto)

    @property
    def again(self) -> Segment:
        """The oldest segment that is not acknowledged, as it is sent again: with the newest ACK."""
        oldest = self.unacked[0]
        if self.state is State.SYN_SENT:
            return oldest
        if oldest.ctl & SYN:
            oldest = oldest._replace(options=self.options)
            if self.rules.four_segment_handshake:
                return oldest
        return oldest._replace(ack=self.rcv_nxt, ctl=oldest.ctl | ACK)

    def sendable(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What of the SENDs that wait may leave now, segment by segment, and what goes on waiting.

        Nagle's algorithm (§3.7.4, as Linux has it): less than a segment waits for the ACK of the
        last small one, or for the FIN that will take it along.
        """
        if not self.rules.nagle:
            return self.queued, ()
        whole, rest = divmod(sum(self.queued), self.mss)
        small = any(0 < segment.length < self.mss for segment in self.unacked)
        now, later = ((), (rest,)) if small or self.closing else ((rest,), ())
        full = (self.mss,) * whole
        return (full + now, later) if rest else (full, ())

    def acceptable(self, segment: Segment) -> bool:
        """Table 6 of §3.10.7.4: some of the segment lies in the receive window.

        Two retransmissions that the table turns away are let in by rules: the peer's SYN,ACK when
        the SYNs crossed, without which Figure 7 could not happen, and its FIN in TIME-WAIT, whose
        check restarts the 2MSL timeout.
        """
        if self.crossing(segment):
            return self.rules.crossing_syn_ack
        first = distance(segment.seq, self.rcv_nxt)
        fin_again = self.state is State.TIME_WAIT and segment.ctl & FIN
        if fin_again and self.rules.fin_restarts_2msl and first + segment.span == 0:
            return True
        last = first + max(segment.span, 1) - 1
        return 0 <= first < self.settings.window or 0 <= last < self.settings.window

    def crossing(self, segment: Segment) -> bool:
        """The SYN,ACK of a simultaneous open (Figure 7): it repeats the SYN already taken."""
        return (
            self.state is State.SYN_RECEIVED
            and self.opened == "active"
            and segment.seq == self.irs
            and segment.ctl & (SYN | ACK | RST) == SYN | ACK
        )

    def acknowledges(self, segment: Segment) -> bool:
        """SND.UNA < SEG.ACK =< SND.NXT: it acknowledges something new that was sent."""
        new = distance(segment.ack, self.snd_una)
        return 0 < new <= (self.snd_nxt - self.snd_una) % NUMBERS

    def ack(self) -> Segment:
        """<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, the RFC's answer to nearly everything."""
        return self.segment(ACK)

    def syn(self, ctl: int) -> Segment:
        """Our SYN, or SYN,ACK, the first time or again."""
        return self.segment(ctl)._replace(seq=self.iss, options=self.options)

    def segment(self, ctl: int, octets: int = 0) -> Segment:
        """A segment from SND.NXT on, as this end would send it now."""
        ack = self.rcv_nxt if ctl & ACK else 0
        window = self.settings.window
        return Segment(self.snd_nxt, ack, ctl, octets, window, (), max(0, self.opens - 1))

    def reusable(self, now: int) -> bool:
        """Whether TIME-WAIT has lasted long enough for an active OPEN to cut it short."""
        after = self.rules.reuse_after
        since = [timer.since for timer in self.deadlines if timer.name == TWO_MSL]
        return bool(after and since and now - since[0] >= after)

    def next_iss(self, now: int) -> int:
        """The ISS of the next connection: from the list, beyond TIME-WAIT, or from the clock."""
        isses = self.settings.iss
        if self.opens < len(isses):
            return isses[self.opens]
        if self.before:
            return add(self.before.snd_nxt, _REOPENS_AT)
        return add(isses[-1], now // _ISN_TICK)

    # -- changes -------------------------------------------------------------------------------

    def take(self, event: Event) -> tuple[Self, Edge]:
        """Move along the edge that `event` takes; the only place that moves a state."""
        edge = transition(self.state, event, self.opened)
        if edge is None:
            raise AssertionError(f"no edge for {event} in {self.state}")
        return self._replace(state=edge.target), edge

    def armed(self, name: str, now: int, duration: int) -> Self:
        """With that timer running from now, and no other of its name."""
        timer = Timer(name, now, now + duration)
        return self._replace(deadlines=(*_without(self.deadlines, name), timer))

    def disarmed(self, name: str) -> Self:
        """Without that timer."""
        deadlines = _without(self.deadlines, name)
        return self if deadlines == self.deadlines else self._replace(deadlines=deadlines)

    def waiting_for_ack(self, segment: Segment, *more: Segment, now: int) -> Self:
        """With more segments that must be acknowledged; the RTO and the user timeout run."""
        nxt = add(self.snd_nxt, segment.span + sum(each.span for each in more))
        unacked = (*self.unacked, segment, *more)
        if self.unacked:
            return self._replace(snd_nxt=nxt, unacked=unacked)
        rto = self.first_rto
        end = self._replace(
            snd_nxt=nxt,
            unacked=unacked,
            rto=rto,
            tries=-1 if self.rules.tail_loss_probe and not segment.ctl & SYN else 0,
            deadlines=(*_without(self.deadlines, RTO), Timer(RTO, now, now + rto)),
        )
        late = self.rules.user_timeout_late and not segment.ctl & SYN
        return end if late else end.given_time(now)

    def given_time(self, now: int) -> Self:
        """With the USER TIMEOUT running from now, if there is one."""
        limit = self.settings.user_timeout
        return self.armed(USER_TIMEOUT, now, limit) if limit else self

    def retransmitting(self, now: int) -> Self:
        """As it is after sending the oldest segment once more; its RTO doubles (RFC 6298 §5.5)."""
        syn_sent = self.state is State.SYN_SENT
        linear = self.tries < (self.rules.linear_syn_timeouts if syn_sent else 0)
        rto = self.rto if linear else self._limited(self.rto * 2)
        end = self._replace(rto=rto, tries=self.tries + 1, timed=-1)
        first = end.tries == 1 and not self.unacked[0].ctl & SYN
        end = end.given_time(now) if first and self.rules.user_timeout_late else end
        return end.armed(RTO, now, end.rto)

    def turning_away(self, segment: Segment, reply: Segment, now: int) -> Self | None:
        """As it is after answering a segment that is turned away; None where no answer is due yet.

        RFC 5961 §7 throttles such ACKs, so that two ends do not answer each other for ever.
        """
        again = reply.ctl & SYN and self.unacked
        end = self.armed(RTO, now, self.rto) if again else self
        throttled = not reply.ctl & RST and (segment.ctl & SYN or not segment.span)
        if not throttled or not self.rules.ack_throttle:
            return end
        if self.challenged >= 0 and now - self.challenged < self.rules.ack_throttle:
            return None
        return end._replace(challenged=now)

    def acknowledged(self, una: int, now: int) -> Self:
        """Advance SND.UNA, drop what it covers, restart or stop the RTO (RFC 6298 §5)."""
        rto = self.first_rto
        if self.timed >= 0:  # the handshake's round trip is the only one measured
            rto = now - self.timed + self.rules.rto_floor
        acked = takewhile(lambda s: distance(add(s.seq, s.span), una) <= 0, self.unacked)
        left = self.unacked[sum(1 for _ in acked) :]
        deadlines = _without(_without(self.deadlines, RTO), USER_TIMEOUT)
        end = self._replace(
            snd_una=una,
            unacked=left,
            rto=rto,
            first_rto=rto,
            timed=-1,
            tries=0,
            deadlines=(*deadlines, Timer(RTO, now, now + rto)) if left else deadlines,
        )
        return end.given_time(now) if left and not self.rules.user_timeout_late else end

    def deleted(self) -> Self:
        """Forget the TCB; what is left is the state, and how many ISSs were used."""
        opened: Opened | None = "passive" if self.state is State.LISTEN else None
        return type(self)(self.settings, self.state, opened, self.opens)


def _without(deadlines: tuple[Timer, ...], name: str) -> tuple[Timer, ...]:
    return tuple([timer for timer in deadlines if timer.name != name]) if deadlines else ()
