"""Why an end moves, stays, sends or is silent at a moment, and why it does not do otherwise.

Each reason is true of the run: it is chosen by what arrives, where, and what came of it.
"""

from typing import Final

from tcpviz.moments import Moment
from tcpviz.segment import ACK, FIN, RST, SYN
from tcpviz.states import Edge, Event, State
from tcpviz.steps import Kind
from tcpviz.tcb import DELAYED_ACK
from tcpviz.words import say

_S, _E = State, Event

SYNCHRONIZED: Final = tuple(State)[tuple(State).index(_S.ESTABLISHED) :]
_FIN_LEFT: Final = (_S.FIN_WAIT_1, _S.FIN_WAIT_2, _S.CLOSING, _S.LAST_ACK, _S.TIME_WAIT)
_MOVES: Final[dict[tuple[State, Event], str]] = {
    (_S.LISTEN, _E.RCV_SYN): "moves_syn",
    (_S.LISTEN, _E.SEND): "moves_send_opens",
    (_S.LISTEN, _E.ACTIVE_OPEN): "moves_listener_opens",
    (_S.SYN_SENT, _E.RCV_SYN): "moves_crossing",
    (_S.SYN_RECEIVED, _E.RCV_SYN): "moves_second_syn",
    (_S.SYN_RECEIVED, _E.RCV_FIN): "moves_stray_fin",
    (_S.SYN_SENT, _E.RCV_RST): "moves_refused",
    (_S.ESTABLISHED, _E.RCV_FIN): "moves_fin",
    (_S.FIN_WAIT_1, _E.RCV_FIN): "moves_fins_cross",
    (_S.FIN_WAIT_1, _E.RCV_ACK_OF_FIN): "moves_half_closed",
    (_S.FIN_WAIT_2, _E.RCV_FIN): "moves_both_closed",
    (_S.CLOSING, _E.RCV_ACK_OF_FIN): "moves_closing_over",
    (_S.LAST_ACK, _E.RCV_ACK_OF_FIN): "moves_last_ack",
    (_S.TIME_WAIT, _E.RCV_FIN): "moves_fin_again",
    (_S.TIME_WAIT, _E.RCV_SYN): "moves_reopens",
    (_S.CLOSE_WAIT, _E.CLOSE): "moves_close_last",
    (_S.LISTEN, _E.CLOSE): "moves_close_early",
    (_S.SYN_SENT, _E.CLOSE): "moves_close_early",
}
"""The reason of a move, where the event alone does not give it."""
_EVENTS: Final[dict[Event, str]] = {
    _E.ACTIVE_OPEN: "moves_open",
    _E.CLOSE: "moves_close_first",
    _E.RCV_SYN_ACK: "moves_syn_ack",
    _E.RCV_ACK_OF_SYN: "moves_ack_of_syn",
    _E.RCV_FIN_ACK_OF_FIN: "moves_merged",
    _E.TIME_WAIT_TIMEOUT: "moves_time_wait_over",
    _E.ABORT: "moves_abort",
    _E.ABORT_AND_WAIT: "moves_abort_and_wait",
    _E.USER_TIMEOUT: "moves_user_timeout",
    _E.R2_TIMEOUT: "moves_given_up",
    _E.FIN_WAIT_2_TIMEOUT: "moves_orphan",
    _E.RCV_SYN_IN_WINDOW: "moves_syn_in_window",
}
_RESETS: Final = {
    _S.LISTEN: "moves_rst_listener",
    _S.TIME_WAIT: "moves_rst_reopened",
}
_LOOKS: Final = {
    _E.RCV_SYN: SYN,
    _E.RCV_SYN_ACK: SYN | ACK,
    _E.RCV_ACK_OF_SYN: ACK,
    _E.RCV_ACK_OF_FIN: ACK,
    _E.RCV_FIN: FIN | ACK,
    _E.RCV_FIN_ACK_OF_FIN: FIN | ACK,
}
"""The control bits of what brings an event, so far as bits tell."""


def cited(edge: Edge) -> str:
    """The section of RFC 9293, or whose rule it is."""
    return f"§{edge.section}" if edge.section[0].isdigit() else edge.section


def moves(moment: Moment) -> str:
    """Why the end is in its new state: a sentence for each move, and whether Figure 5 has it."""
    if moment.two_way:
        return say("moves_two_way")
    if moment.before is _S.LISTEN and moment.arrived == ACK:
        return say("moves_cookie")
    edges = moment.edges
    over = len(edges) > 1 and edges[-1].event is _E.TIME_WAIT_TIMEOUT
    keys = ["moves_no_wait"] if over else [_move(edge, moment) for edge in edges]
    told = [say(key) for key in keys]
    if any(not edge.drawn and not edge.rare for edge in edges):
        told.append(say("why_not_drawn"))
    return " ".join(told)


def _move(edge: Edge, moment: Moment) -> str:
    """The key of the words for one move."""
    if (edge.source, edge.event) in _MOVES:
        return _MOVES[edge.source, edge.event]
    if edge.event is _E.RCV_RST:
        own = "moves_rst_crossing" if edge.source is _S.SYN_RECEIVED else "moves_rst"
        return _RESETS.get(edge.target, own)
    if edge.event is _E.R2_TIMEOUT and moment.probing:
        return "moves_unanswered"
    if edge.event is _E.ABORT and moment.unread:
        return "why_unread"
    if edge.event is _E.ABORT and moment.step.kind is Kind.ARRIVE:
        return "why_after_close"
    return _EVENTS[edge.event]


def not_stays(moment: Moment) -> str:
    """Why an end that moves does not stay where it is; the key of the words.

    Where another rule or another user would let it stay, they say so.
    """
    before, event = moment.before, moment.edges[0].event
    if before is _S.LISTEN and moment.arrived == ACK:
        return "not_stays_cookie"
    if event is _E.RCV_SYN_IN_WINDOW:
        return "not_stays_before_5961"
    if event is _E.ABORT and moment.arrived:
        return "not_stays_after_close"
    if event is _E.R2_TIMEOUT and moment.probing:
        return "not_stays_unanswered"
    return _NOT_STAYS.get((before, event), "why_moves") if before else "why_moves"


_NOT_STAYS: Final = {
    (_S.SYN_RECEIVED, _E.RCV_FIN): "not_stays_stray",
    (_S.TIME_WAIT, _E.RCV_SYN): "not_stays_reopens",
}


def stays(moment: Moment) -> str:
    """Why a segment that often moves an end does not move it."""
    if moment.full:
        return say("stays_full")
    if moment.arrived & RST:
        return say(_reset_stays(moment))
    if moment.before is _S.SYN_SENT:
        return say("stays_unknown_ack" if moment.arrived & ACK else "stays_syn_sent")
    if moment.arrived & ACK:
        return say("stays_syn_ack_again")
    if moment.before is _S.SYN_RECEIVED:
        return say("stays_syn_again")
    return say("stays_challenge" if moment.sent else "stays_syn_dropped")


def _reset_stays(moment: Moment) -> str:
    """Why a RST ends nothing; the key of the words."""
    if moment.sent:
        return "stays_beside"
    return "stays_1337" if moment.before is _S.TIME_WAIT else "stays_outside"


def looks_like(event: Event, moment: Moment) -> bool:
    """Whether what arrives has the control bits of an event that it does not bring."""
    if event is _E.RCV_RST:
        return bool(moment.arrived & RST)
    if event is _E.RCV_ACK_OF_SYN and _crosses(moment):
        return True
    return bool(moment.arrived) and _LOOKS.get(event) == moment.arrived


def _crosses(moment: Moment) -> bool:
    """Whether the SYN,ACK of a simultaneous open comes."""
    crossed = any("SYN-SENT: rcv SYN" in s.edges for s in moment.trace.of(moment.step.end))
    return moment.arrived == SYN | ACK and moment.before is _S.SYN_RECEIVED and crossed


def turned_away(moment: Moment) -> str:
    """Why what looks like an event is none here; the key of the words."""
    if moment.full:
        return "stays_cookie" if moment.sent else "stays_full"
    if moment.arrived & RST:
        return _reset_stays(moment)
    if moment.before is _S.LISTEN:
        return "away_two_way" if moment.two_way else "away_four"
    if moment.before is _S.TIME_WAIT:
        return "away_reopens"
    if moment.before is _S.SYN_SENT:
        return "stays_unknown_ack" if moment.arrived & ACK else "away_syn_after_ack"
    if moment.before is _S.FIN_WAIT_1:
        return "away_fin_too"
    if _crosses(moment):
        return "away_crossing"
    return "away_not_acceptable"


def why_sent(moment: Moment, controls: list[str]) -> str:
    """The key of the words for what is sent."""
    arrived, before = moment.arrived, moment.before
    if moment.full:
        return "why_full_cookie" if controls else "why_full"
    if moment.step.kind is Kind.CALL:
        return _why_called(moment, controls)
    if not controls:
        return _why_silent(moment)
    if "RST" in controls[0]:
        return "why_stray_read" if len(controls) > 1 else _why_reset(moment)
    if arrived == SYN and before in SYNCHRONIZED and controls == ["ACK"]:
        return "why_challenge"
    if arrived & RST:
        return "why_challenges_rst"
    if controls == ["SYN,ACK"]:
        return "why_reopens" if before is _S.TIME_WAIT else "why_syn_ack"
    if len(controls) > 1 and before is _S.LISTEN:
        return "away_four"
    if before is _S.SYN_SENT and controls[0] != "ACK":
        return "why_rides"
    if controls != ["ACK"]:
        return "why_answer"
    if before is _S.SYN_SENT:
        return "why_third"
    if arrived & SYN:
        return "why_answers_crossing" if moment.edges else "stays_syn_ack_again"
    span = moment.step.segment.span if moment.step.segment else 0
    return "why_ack" if span else "why_not_expected"


def _why_called(moment: Moment, controls: list[str]) -> str:
    """The key of the words for what a call sends."""
    call = moment.step.text
    if not controls:
        return {
            _E.CLOSE: "why_close_silent",
            _E.ABORT: "why_abort_silent",
            _E.RECEIVE: "why_receive_silent",
        }.get(_E(call) if call in tuple(_E) else _E.CRASH, "why_call_silent")
    if "RST" in controls[0]:
        return "why_unread" if moment.unread else "why_abort"
    if "FIN" in controls[-1]:
        delayed = any(timer.name == DELAYED_ACK for timer in moment.timers)
        return "why_fin_with_ack" if delayed else "why_fin"
    if "SYN" in controls[0]:
        return "why_syn"
    return "why_half_close" if moment.before is _S.CLOSE_WAIT else "why_data"


def _why_silent(moment: Moment) -> str:
    """The key of the words for an answer that is not given at once."""
    arrived = moment.arrived
    if any(timer.name == DELAYED_ACK for timer in moment.step.timers):
        return "why_delayed"
    if arrived & RST:
        return "why_rst_silent"
    if arrived & SYN and arrived & ACK:
        return "why_figure_7"
    if arrived & SYN:
        return "moves_second_syn" if moment.edges else "stays_syn_dropped"
    return "why_silent" if arrived == ACK else "why_silent_otherwise"


def _why_reset(moment: Moment) -> str:
    """The key of the words for a RST that answers."""
    if moment.before is _S.CLOSED:
        return "why_closed"
    if moment.arrived == SYN:
        return "moves_syn_in_window"
    if moment.before in (_S.LISTEN, _S.SYN_SENT, _S.SYN_RECEIVED):
        return "why_reset_unknown"
    return "why_after_close"


def not_silent(moment: Moment, right: str) -> str:
    """Why silence is the wrong answer; the key of the words."""
    if moment.step.kind is Kind.CALL:
        return "why_not_nothing_call"
    if "RST" in right:
        return "why_not_nothing_rst"
    if moment.arrived & RST:
        return "why_not_nothing_challenge"
    if _crosses(moment):
        return "why_not_nothing_crossing"
    span = moment.step.segment.span if moment.step.segment else 0
    return "why_not_nothing" if span else "why_not_nothing_stray"


def not_ack(moment: Moment, right: str) -> str:
    """Why a bare ACK is the wrong answer; the key of the words."""
    if moment.step.kind is Kind.CALL:
        return "why_not_ack_call"
    if moment.before is _S.CLOSED:
        return "why_not_ack_closed"
    if moment.arrived & RST:
        return "why_not_ack_of_rst"
    if "RST" in right:
        return _not_ack_but_reset(moment, right)
    if right != say("ask_nothing"):
        reopens = moment.before is _S.TIME_WAIT and moment.arrived == SYN
        return "why_not_ack_reopens" if reopens else "why_not_ack_alone"
    if moment.full:
        return "why_not_ack_full"
    if any(timer.name == DELAYED_ACK for timer in moment.step.timers):
        return "myth_never_delayed"
    if _crosses(moment):
        return "why_not_ack_figure_7"
    return "why_not_ack_silent"


def _not_ack_but_reset(moment: Moment, right: str) -> str:
    """Why a RST, and not an ACK, answers what comes; the key of the words."""
    if any(edge.event is _E.RCV_SYN_IN_WINDOW for edge in moment.edges):
        return "why_not_ack_before_5961"
    if right != "RST":  # and an ACK after it
        return "why_not_ack_stray" if " + " in right else "why_not_ack_rst"
    return "why_not_ack_after_close" if moment.edges else "why_not_ack_rst"


def not_fin(moment: Moment) -> str:
    """Why a FIN is the wrong answer; the key of the words."""
    return "why_not_fin_again" if moment.before in _FIN_LEFT else "why_not_fin"


def not_rst(moment: Moment) -> str:
    """Why a RST is the wrong answer; the key of the words."""
    if moment.step.kind is not Kind.CALL:
        return "why_not_rst"
    return "why_not_rst_abort" if moment.step.text == _E.ABORT else "why_not_rst_call"
