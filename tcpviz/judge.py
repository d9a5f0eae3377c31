"""SEGMENT ARRIVES, the judging half (RFC 9293 §3.10.7.3 and §3.10.7.4): what a segment means here.

Pure: a TCB and a segment in, a Reading out. Nothing is applied before everything is judged.
"""

from typing import Final, NamedTuple

from tcpviz.segment import ACK, FIN, RST, SYN, Segment, add, distance
from tcpviz.states import Event, State
from tcpviz.tcb import Tcb

_RECEIVING: Final = (State.SYN_RECEIVED, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2)


class Reading(NamedTuple):
    """The judgement of a segment, before anything is applied.

    `reply` answers and ends the matter. `una` and `nxt` are the new SND.UNA and RCV.NXT, `text` the
    octets of new data, `events` what the segment means for the state, `owed` says that something
    must be acknowledged. `first` is sent before that. `over` says that the event ends the
    connection at once.
    """

    events: tuple[Event, ...] = ()
    una: int | None = None
    nxt: int | None = None
    text: int = 0
    owed: bool = False
    reply: Segment | None = None
    over: bool = False
    first: tuple[Segment, ...] = ()


def read_syn_sent(tcb: Tcb, segment: Segment) -> Reading:
    """§3.10.7.3: ACK, RST, security, SYN, in this order."""
    acks = bool(segment.ctl & ACK)
    if acks and not tcb.acknowledges(segment) and not _acked_already(tcb, segment):
        return Reading(reply=None if segment.ctl & RST else reset_for(segment))
    if segment.ctl & RST:
        unknown = tcb.rules.reset_needs_number and segment.seq != 0
        return Reading((Event.RCV_RST,), over=True) if acks and not unknown else Reading()
    if not segment.ctl & SYN:
        four = tcb.rules.four_segment_handshake and acks
        return Reading(una=segment.ack) if four else Reading()
    nxt = add(segment.seq, 1)
    if acks:
        return Reading((Event.RCV_SYN_ACK,), segment.ack, nxt, owed=_answers_syn_ack(tcb))
    if tcb.rules.four_segment_handshake and tcb.snd_una == tcb.snd_nxt:
        return Reading((Event.RCV_SYN_ACK,), nxt=nxt, owed=True)
    return Reading((Event.RCV_SYN,), nxt=nxt)


def _acked_already(tcb: Tcb, segment: Segment) -> bool:
    """In the handshake of four segments our SYN may be acknowledged before theirs comes."""
    return tcb.rules.four_segment_handshake and segment.ack == tcb.snd_una == tcb.snd_nxt


def _answers_syn_ack(tcb: Tcb) -> bool:
    return not tcb.rules.two_way_handshake


def read(tcb: Tcb, segment: Segment) -> Reading:
    """§3.10.7.4, the other states: eight checks in the RFC's order."""
    if _reopens(tcb, segment):
        return Reading((Event.RCV_SYN,), nxt=add(segment.seq, 1))
    if _stray_at_minisocket(tcb, segment):
        return Reading(reply=None if segment.ctl & RST else reset_for(segment))
    if not tcb.acceptable(segment):  # first
        return _read_unacceptable(tcb, segment)
    if segment.ctl & RST:  # second
        return _read_reset(tcb, segment)
    if segment.ctl & SYN and not tcb.crossing(segment):  # fourth
        return _read_syn(tcb, segment)
    if not segment.ctl & ACK:  # fifth
        return Reading()
    if tcb.state is State.SYN_RECEIVED and not tcb.acknowledges(segment):
        reset = reset_for(segment)
        if not tcb.rules.stray_ack_goes_on or segment.length:
            return Reading(reply=reset)
        return _read_text(tcb, segment)._replace(first=(reset,))
    if distance(segment.ack, tcb.snd_nxt) > 0:  # never sent
        return Reading(reply=tcb.ack())
    if tcb.rules.old_ack_challenged and distance(segment.ack, tcb.snd_una) < -tcb.settings.window:
        return Reading(reply=tcb.ack())  # too old to be true (RFC 5961 §5)
    return _read_text(tcb, segment)


def _reopens(tcb: Tcb, segment: Segment) -> bool:
    """MAY-2: a SYN beyond all that was received, in the window or not."""
    allowed = tcb.state is State.TIME_WAIT and tcb.rules.reopen_from_time_wait
    new = distance(segment.seq, tcb.rcv_nxt) >= tcb.rules.time_wait_minisocket
    return allowed and new and segment.ctl & (SYN | ACK | RST) == SYN


def _stray_at_minisocket(tcb: Tcb, segment: Segment) -> bool:
    """Linux, SYN-RECEIVED: an ACK of anything but our SYN, looked at before the window."""
    kept = tcb.rules.syn_received_minisocket and tcb.state is State.SYN_RECEIVED
    passive = kept and tcb.opened != "active"
    return bool(passive and segment.ctl & ACK and segment.ack != tcb.snd_nxt)


def _read_unacceptable(tcb: Tcb, segment: Segment) -> Reading:
    """The first check: an ACK says what is expected; a RST is met with silence."""
    if segment.ctl & RST:
        return Reading()
    same_syn = segment.seq == tcb.irs and segment.ctl & (SYN | ACK) == SYN
    if tcb.state is State.SYN_RECEIVED and tcb.rules.syn_ack_again and same_syn:
        return Reading(reply=tcb.syn(SYN | ACK))
    if tcb.rules.two_way_handshake and tcb.opened == "passive" and same_syn:
        return Reading(reply=tcb.syn(SYN | ACK))  # nobody else would send it again
    return Reading(reply=tcb.ack())


def _read_reset(tcb: Tcb, segment: Segment) -> Reading:
    """The second check: at RCV.NXT a RST ends the connection, beside it RFC 5961 asks again."""
    if tcb.state is State.TIME_WAIT and tcb.rules.time_wait_ignores_rst:
        return Reading()
    if tcb.state is State.TIME_WAIT and tcb.rules.time_wait_minisocket:
        return Reading((Event.RCV_RST,), over=True) if segment.seq == tcb.rcv_nxt else Reading()
    half_open = tcb.state is State.SYN_RECEIVED and tcb.opened != "active"
    asks = tcb.rules.challenge_acks and not (
        (half_open and tcb.rules.syn_received_minisocket) or _left_behind(tcb)
    )
    if segment.seq == tcb.rcv_nxt or not asks:
        return Reading((Event.RCV_RST,), over=True)
    return Reading(reply=tcb.ack())


def _read_syn(tcb: Tcb, segment: Segment) -> Reading:
    """The fourth check: a passive SYN-RECEIVED starts again; else the SYN is challenged.

    A SYN whose own number came before is not in the window, whatever it carries.
    """
    if distance(segment.seq, tcb.rcv_nxt) < 0:
        return _read_unacceptable(tcb, segment)
    if tcb.state is State.SYN_RECEIVED and tcb.opened == "passive":
        last = reset_for(segment) if tcb.rules.syn_resets_syn_received else None
        return Reading((Event.RCV_SYN,), reply=last, over=True)
    if _left_behind(tcb):
        return Reading((Event.RCV_SYN_IN_WINDOW,), reply=reset_for(segment), over=True)
    if tcb.rules.challenge_acks or (tcb.state is State.SYN_RECEIVED and tcb.opened != "active"):
        return Reading(reply=tcb.ack())
    return Reading((Event.RCV_SYN_IN_WINDOW,), reply=tcb.segment(RST | ACK), over=True)


def _read_text(tcb: Tcb, segment: Segment) -> Reading:
    """The fifth check's meaning for the state, then the text and the FIN (seventh, eighth)."""
    if tcb.state is State.TIME_WAIT:
        again = bool(segment.ctl & FIN) and tcb.rules.fin_restarts_2msl
        expected = segment.seq == tcb.rcv_nxt and not segment.span
        owed = not expected or tcb.rules.time_wait_answers_all
        return Reading((Event.RCV_FIN,) if again else (), owed=owed)
    una = segment.ack if tcb.acknowledges(segment) else None
    established = tcb.state is State.SYN_RECEIVED and una is not None
    events = [Event.RCV_ACK_OF_SYN] if established else []
    fin_acked = (una if una is not None else tcb.snd_una) == tcb.snd_nxt
    receiving = tcb.state in _RECEIVING
    start = add(segment.seq, bool(segment.ctl & SYN))
    in_order = receiving and distance(start, tcb.rcv_nxt) <= 0
    fin = in_order and bool(segment.ctl & FIN)
    if tcb.state is State.FIN_WAIT_1 and fin_acked:
        events.append(Event.RCV_FIN_ACK_OF_FIN if fin else Event.RCV_ACK_OF_FIN)
    elif tcb.state in (State.CLOSING, State.LAST_ACK) and fin_acked:
        events.append(Event.RCV_ACK_OF_FIN)
    elif fin:
        events.append(Event.RCV_FIN)
    nxt = add(segment.seq, segment.span) if in_order and segment.span else None
    text = distance(nxt, tcb.rcv_nxt) - fin if nxt is not None else 0
    owed = receiving and bool(segment.length or segment.ctl & FIN)
    owed |= tcb.rules.answer_crossing and tcb.crossing(segment)
    return Reading(tuple(events), una, nxt, max(0, text), owed)


def reset_for(segment: Segment) -> Segment:
    """The RST that answers a segment nobody can place (§3.10.7.1); RST is never answered so."""
    if segment.ctl & ACK:
        return Segment(segment.ack, 0, RST)
    return Segment(0, add(segment.seq, segment.span), RST | ACK)


def rest_of(segment: Segment) -> Segment | None:
    """What a SYN carries besides: text and FIN, to be taken in ESTABLISHED (§3.10.7.2)."""
    if not segment.length and not segment.ctl & FIN:
        return None
    return segment._replace(seq=add(segment.seq, 1), ctl=segment.ctl & ~SYN, options=())


def restarts(tcb: Tcb, segment: Segment) -> bool:
    """Linux: whatever carries an ACK; the FIN of the RFC is an event of its own."""
    kept = tcb.state is State.TIME_WAIT and tcb.rules.time_wait_minisocket
    return kept and segment.ctl & (ACK | RST) == ACK


def unwelcome(tcb: Tcb, segment: Segment) -> bool:
    """Whether a segment brings what a user who has left will never read (SHLD-3).

    That is data which has not come before; for Linux's FIN-WAIT-2 also what lies beyond a gap.
    """
    if segment.length and read(tcb, segment).text > 0:
        return True
    if not _left_behind(tcb) or not tcb.acceptable(segment) or segment.ctl & (SYN | RST):
        return False
    new = distance(add(segment.seq, segment.span), tcb.rcv_nxt) if segment.span else 0
    return bool(segment.ctl & ACK) and new > 0 and not (segment.ctl & FIN and new == 1)


def _left_behind(tcb: Tcb) -> bool:
    """Linux, FIN-WAIT-2 of a user who has left."""
    return tcb.orphan and tcb.state is State.FIN_WAIT_2 and tcb.rules.fin_wait_2_minisocket
