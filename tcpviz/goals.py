"""What a run can be asked to show: each goal reads a Trace and says what is still missing.

A goal never says how to get there. It knows no Scenario and runs nothing.
"""

from collections.abc import Callable
from typing import Final

from tcpviz.segment import ACK, FIN, RST, SYN
from tcpviz.states import FIGURE_5, Event, State, transition
from tcpviz.steps import Kind, Step
from tcpviz.trace import Trace
from tcpviz.words import say

Goal = Callable[[Trace], str]
"""Says what a run still lacks, in half a sentence; "" if it shows what was asked for."""
_ENDS: Final = ("client", "server")


def undrawn_move(trace: Trace) -> str:
    """An end takes a move that Figure 5 does not draw (RFC 9293 §3.10)."""
    taken = {edge for step in trace.steps for edge in step.edges}
    return "" if taken - {edge.id for edge in FIGURE_5} else say("goal_all_drawn")


def old_syn_turned_away(trace: Trace) -> str:
    """An old SYN is answered, a RST takes the server back to LISTEN, then a new one opens."""
    old = [f.number for f in trace.flights if f.sent is None and f.segment.ctl == SYN]
    met = [s for s in trace.steps if s.flight in old and _took(s, State.LISTEN, Event.RCV_SYN)]
    if not met:
        return say("goal_no_old_syn")
    away = transition(State.SYN_RECEIVED, Event.RCV_RST, "passive")
    back = [i for i, s in enumerate(trace.steps) if away and away.id in s.edges]
    if not back:
        return say("goal_not_turned_away")
    later = trace.steps[back[0] :]
    opened = {s.end for s in later if s.state is State.ESTABLISHED}
    return "" if len(opened) == 2 else say("goal_not_open_after")


def both_time_wait(trace: Trace) -> str:
    """Both ends come to TIME-WAIT (RFC 9293 Figure 13)."""
    waiting = [end for end in _ENDS if _visits(trace, end, State.TIME_WAIT)]
    if not waiting:
        return say("goal_none_wait")
    return "" if len(waiting) == 2 else say("goal_one_waits", end=waiting[0])


def close_wait_leak(trace: Trace) -> str:
    """The run ends with the client in CLOSE-WAIT and nothing left to move it."""
    if not any(_visits(trace, end, State.CLOSE_WAIT) for end in _ENDS):
        return say("goal_no_close_wait")
    if trace.notes:  # it was cut off
        return say("goal_stopped")
    stays = [end for end in _ENDS if _last(trace, end) is State.CLOSE_WAIT]
    if "client" in stays:
        return ""
    return say("goal_other_leaks", end=stays[0]) if stays else say("goal_left_close_wait")


def lost_last_ack(trace: Trace) -> str:
    """The ACK of the last FIN is lost, and TIME-WAIT sends it again."""
    left = [s for s in trace.steps if s.kind is Kind.DEPART and s.state is State.TIME_WAIT]
    acks = [trace.flights[s.flight] for s in left if s.flight is not None]
    if not acks:
        return say("goal_none_wait")
    if acks[0].segment.ctl != ACK or acks[0].fate != "lost":
        return say("goal_last_ack_arrives")
    return "" if any(f.fate == "delivered" for f in acks[1:]) else say("goal_never_again")


def rst_in_time_wait(trace: Trace) -> str:
    """A RST reaches an end in TIME-WAIT and ends it (RFC 1337)."""
    if not any(_visits(trace, end, State.TIME_WAIT) for end in _ENDS):
        return say("goal_none_wait")
    if _takes(trace, State.TIME_WAIT, Event.RCV_RST):
        return ""
    sent = any(flight.segment.ctl & RST for flight in trace.flights)
    return say("goal_rst_elsewhere") if sent else say("goal_no_rst")


def old_data_delivered(trace: Trace) -> str:
    """Data of an earlier connection is taken for data of this one."""
    marks = (say("old_data", number="\0", end="\0").split("\0")[0], say("old_data_injected"))
    if any(mark in step.says for step in trace.steps for mark in marks):
        return ""
    data = any(flight.segment.length for flight in trace.flights)
    return say("goal_no_old_data") if data else say("goal_no_data")


def four_tuple_reused(trace: Trace) -> str:
    """Two connections, one after the other, between the same two socket addresses."""
    times = min(sum(span.state is State.ESTABLISHED for span in trace.spans(end)) for end in _ENDS)
    return "" if times > 1 else say("goal_reused", count=times)


def ghost(trace: Trace) -> str:
    """The server is ESTABLISHED with a client that opened nothing (RFC 9293's rules, §3.4.1)."""
    if trace.rules:
        return say("goal_rules", rules=say("list_comma").join(trace.rules))
    if not _visits(trace, "server", State.ESTABLISHED):
        return say("goal_server_not_open")
    opened = any(span.state is not State.CLOSED for span in trace.spans("client"))
    return say("goal_client_opened") if opened else ""


def simultaneous_open(trace: Trace) -> str:
    """The SYNs of both ends cross (RFC 9293 Figure 7)."""
    crossed = [s.end for s in trace.steps if _took(s, State.SYN_SENT, Event.RCV_SYN)]
    both = all(end in crossed and _visits(trace, end, State.ESTABLISHED) for end in _ENDS)
    return "" if both else say("goal_syns_cross")


def close_in_three(trace: Trace) -> str:
    """A close of three segments, none lost: the server's FIN, FIN with the ACK, ACK."""
    first = next((f for f in trace.flights if f.segment.ctl & FIN), None)
    if first is None:
        return say("goal_no_fin")
    count = len(trace.flights) - first.number
    three = count == 3 and all(f.fate == "delivered" for f in trace.flights)
    closed = _takes(trace, State.FIN_WAIT_1, Event.RCV_FIN_ACK_OF_FIN)
    if not (three and closed):
        return say("goal_three", count=count)
    return "" if first.sender == "server" else say("goal_first_fin", end=first.sender)


def half_close(trace: Trace) -> str:
    """An end that has sent its FIN still receives data."""
    waits = (State.FIN_WAIT_1, State.FIN_WAIT_2)
    for step in trace.steps:
        arrives = step.kind is Kind.ARRIVE and step.state in waits
        if arrives and step.segment and step.segment.length:
            return ""
    return say("goal_no_half_close")


def reset_close(trace: Trace) -> str:
    """An established connection ends with a RST and no FIN."""
    if not all(_visits(trace, end, State.ESTABLISHED) for end in _ENDS):
        return say("goal_not_open")
    controls = [flight.segment.ctl for flight in trace.flights]
    if any(ctl & FIN for ctl in controls):
        return say("goal_fin_sent")
    if not any(ctl & RST for ctl in controls):
        return say("goal_no_rst")
    return "" if _takes(trace, State.ESTABLISHED, Event.RCV_RST) else say("goal_rst_no_end")


GOALS: Final[tuple[Goal, ...]] = (
    undrawn_move,
    old_syn_turned_away,
    simultaneous_open,
    ghost,
    half_close,
    close_in_three,
    reset_close,
    close_wait_leak,
    both_time_wait,
    lost_last_ack,
    rst_in_time_wait,
    four_tuple_reused,
    old_data_delivered,
)


def _visits(trace: Trace, end: str, state: State) -> bool:
    return any(span.state is state for span in trace.spans(end))


def _last(trace: Trace, end: str) -> State | None:
    spans = trace.spans(end)
    return spans[-1].state if spans else None


def _took(step: Step, state: State, event: Event) -> bool:
    edge = transition(state, event)
    return edge is not None and edge.id in step.edges


def _takes(trace: Trace, state: State, event: Event) -> bool:
    return any(_took(step, state, event) for step in trace.steps)
