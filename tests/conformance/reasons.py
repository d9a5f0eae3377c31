"""What the suite's own TCP does, FreeBSD's, where RFC 9293 or the model's default says otherwise.

A reason says what that TCP makes of a segment in a situation which it recognizes by the end, the
segment and what the model did. It covers a difference only if that, exactly, is what the case asks;
the case then goes on from there. No reason knows a case by its name.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from tcpviz.endpoint import RESET, Outcome
from tcpviz.judge import reset_for
from tcpviz.rules import RFC9293, Rules
from tcpviz.segment import ACK, FIN, RST, SYN, distance
from tcpviz.states import Event, State
from tcpviz.tcb import DELAYED_ACK
from tcpviz.units import MS

from .host import ACTIVE_WINDOW, PASSIVE_WINDOW, Instead, Situation

FREEBSD: Final = RFC9293._replace(time_wait_ignores_rst=True, reopen_from_time_wait=True)
"""The rules of the model in which FreeBSD differs from the standard, for `variant` FreeBSD."""


def rules_of(mode: str, variant: str | None) -> Rules:
    """The model's rules that a case chooses."""
    rules = FREEBSD if variant == "FreeBSD" else RFC9293
    return rules._replace(challenge_acks=mode != "rfc793")


class Reason(NamedTuple):
    """A documented reason for a difference: what the other TCP does instead, and why."""

    name: str
    text: str
    instead: Instead
    out_of_scope: bool = False


def _syn_ack_to_a_listener(at: Situation) -> Outcome | None:
    wrong = at.segment.ctl & (SYN | ACK | RST) == SYN | ACK
    reset = at.plain.sent == (reset_for(at.segment),)
    return Outcome(at.before) if at.before.state is State.LISTEN and wrong and reset else None


def _syn_fin_dropped(at: Situation) -> Outcome | None:
    both = at.segment.ctl & (SYN | FIN | RST) == SYN | FIN
    return Outcome(at.before) if both and at.shown else None


def _time_wait_ignores_resets(at: Situation) -> Outcome | None:
    here = at.before.state is State.TIME_WAIT and at.segment.ctl & RST
    if not here or not at.before.acceptable(at.segment):
        return None
    ended = [edge.event for edge in at.plain.edges] == [Event.RCV_RST]
    challenged = at.plain == Outcome(at.before, (at.before.ack(),))
    return Outcome(at.before) if ended or challenged else None


def _time_wait_wants_acks(at: Situation) -> Outcome | None:
    bare = not at.segment.ctl & (SYN | ACK | RST) and not at.before.acceptable(at.segment)
    answered = at.plain == Outcome(at.before, (at.before.ack(),))
    here = at.before.state is State.TIME_WAIT
    return Outcome(at.before) if here and bare and answered else None


def _time_wait_drops_old_syns(at: Situation) -> Outcome | None:
    syn = at.segment.ctl & (SYN | ACK | RST) == SYN
    old = distance(at.segment.seq, at.before.rcv_nxt) <= 0
    here = at.variant == "FreeBSD" and at.before.state is State.TIME_WAIT
    return Outcome(at.before) if here and syn and old else None


def _time_wait_acks_syn_acks(at: Situation) -> Outcome | None:
    syn_ack = at.segment.ctl & (SYN | ACK | RST) == SYN | ACK
    here = at.variant == "FreeBSD" and at.before.state is State.TIME_WAIT
    reset = [edge.event for edge in at.plain.edges] == [Event.RCV_SYN_IN_WINDOW]
    return Outcome(at.before, (at.before.ack(),)) if here and syn_ack and reset else None


def _fin_answered_by_fin(at: Situation) -> Outcome | None:
    crossed = at.before.state is State.FIN_WAIT_1 and at.plain.end.state is State.CLOSING
    if not crossed or at.plain.sent != (at.plain.end.ack(),):
        return None
    fin = at.plain.end.unacked[-1]
    again = fin._replace(ack=at.plain.end.rcv_nxt, ctl=fin.ctl | ACK)
    return at.plain._replace(sent=(again,)) if fin.ctl & FIN else None


def _old_number_new_ack(at: Situation) -> Outcome | None:
    bare = at.segment.ctl == ACK and not at.segment.length
    answered = at.plain == Outcome(at.before, (at.before.ack(),))
    if at.before.acceptable(at.segment) or not (bare and answered):
        return None
    if distance(at.segment.seq, at.before.rcv_nxt) >= 0:
        return None
    taken = at.before.arrive(at.segment._replace(seq=at.before.rcv_nxt), at.now)
    if taken.end == at.before:
        return None
    over = taken.end.state is State.CLOSED
    return taken if over else taken._replace(sent=(*taken.sent, taken.end.ack()))


def _late_reset_is_told(at: Situation) -> Outcome | None:
    late = at.before.state in (State.CLOSING, State.LAST_ACK)
    ended = [edge.event for edge in at.plain.edges] == [Event.RCV_RST] and not at.plain.says
    return at.plain._replace(says=RESET) if late and ended and not at.before.orphan else None


def _ack_of_data_waits(at: Situation) -> Outcome | None:
    acked = at.plain.sent == (at.plain.end.ack(),) and at.plain.text > 0
    finished = any(edge.event is Event.RCV_FIN for edge in at.plain.edges)
    if not acked or finished:
        return None
    return at.plain._replace(end=at.plain.end.armed(DELAYED_ACK, at.now, _DELACK), sent=())


_DELACK: Final = 40 * MS


def _edge_of(window: int) -> Callable[[Situation], Outcome | None]:
    """As if the window were that one, for a number that lies at one's edge and not the other's."""

    def instead(at: Situation) -> Outcome | None:
        ours = at.before.settings.window
        place = distance(at.segment.seq, at.before.rcv_nxt)
        if ours == window or not min(ours, window) <= place < max(ours, window):
            return None
        settings = at.before.settings
        other = at.before._replace(settings=settings._replace(window=window))
        outcome = other.arrive(at.segment, at.now)
        return outcome._replace(end=outcome.end._replace(settings=settings))

    return instead


REASONS: Final = (
    Reason(
        "SYN,ACK to a listener",
        "§3.10.7.2 answers any ACK that reaches LISTEN by a RST, a SYN,ACK too. FreeBSD drops a "
        "SYN,ACK there without a word.",
        _syn_ack_to_a_listener,
    ),
    Reason(
        "TIME-WAIT ignores RST",
        "RFC 1337, the model's rule `time_wait_ignores_rst`: FreeBSD lets no RST end TIME-WAIT, "
        "and challenges none there. By §3.10.7.4, the default, a RST at RCV.NXT ends it.",
        _time_wait_ignores_resets,
    ),
    Reason(
        "TIME-WAIT wants an ACK",
        "§3.10.7.4 answers whatever is outside the window by an ACK before it looks at the ACK "
        "bit. FreeBSD's TIME-WAIT drops a segment that has neither ACK nor SYN, wherever it lies.",
        _time_wait_wants_acks,
    ),
    Reason(
        "TIME-WAIT drops an old SYN",
        "Variant FreeBSD: where a SYN in TIME-WAIT does not open a new connection (its number is "
        "not beyond RCV.NXT), it is dropped. §3.10.7.4 answers it by an ACK, or, in the window and "
        "without challenges, by a RST; and RFC 9293's MAY-2 already lets RCV.NXT itself open.",
        _time_wait_drops_old_syns,
    ),
    Reason(
        "SYN,FIN dropped",
        "FreeBSD can be told (drop_synfin) to drop a segment with both SYN and FIN before it is "
        "looked at. The notation does not say for which cases it was; RFC 9293 knows no such rule. "
        "Silence alone is no sign of it: the case must go on to ask for a segment that shows that "
        "the end was left as it was.",
        _syn_fin_dropped,
    ),
    Reason(
        "TIME-WAIT acknowledges SYN,ACK",
        "Variant FreeBSD without challenges: a SYN,ACK in TIME-WAIT is only acknowledged. The "
        "fourth check of RFC 793 answers a SYN in the window by a RST and ends the connection.",
        _time_wait_acks_syn_acks,
    ),
    Reason(
        "FIN answered by FIN",
        "FreeBSD answers a FIN that crosses its own by that FIN once more, with the new ACK number "
        "in it, where §3.10.7.4 (eighth check) sends a bare ACK. A retransmission may always be.",
        _fin_answered_by_fin,
    ),
    Reason(
        "old number, new ACK",
        "The suite ends many cases with an ACK of our FIN whose SEQ lies before RCV.NXT, usually "
        "by one: the peer's FIN is not counted. FreeBSD cuts off what is old and takes the ACK; "
        "the first check of §3.10.7.4 turns the segment away and answers it.",
        _old_number_new_ack,
    ),
    Reason(
        "late reset is told",
        "§3.10.7.4 tells the user nothing of a RST in CLOSING and LAST-ACK, since it has called "
        "CLOSE. With sockets only the sending side was shut, the descriptor is open, and SO_ERROR "
        "shows ECONNRESET.",
        _late_reset_is_told,
    ),
    Reason(
        "ACK of data waits",
        "A delayed ACK (§3.8.6.3): FreeBSD lets the ACK of data wait 40 ms for a ride; the model "
        "sends it at once unless a scenario delays it.",
        _ack_of_data_waits,
    ),
    *(
        Reason(
            "window edge",
            "Out of scope: the segment lies between the right edges of the two windows that the "
            f"suite's end may have ({PASSIVE_WINDOW} and {ACTIVE_WINDOW} octets), and which window "
            "it is decides.",
            _edge_of(window),
            out_of_scope=True,
        )
        for window in (PASSIVE_WINDOW, ACTIVE_WINDOW)
    ),
)

FAST_OPEN: Final = Reason(
    "fast open",
    "Out of scope: data that a SYN carries under TCP Fast Open.",
    lambda _: None,
    out_of_scope=True,
)
RETRANSMISSION: Final = Reason(
    "retransmission timing",
    "Out of scope: when data or a FIN is sent again. That a SYN is, and when, is compared.",
    lambda _: None,
    out_of_scope=True,
)
