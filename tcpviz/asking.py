"""Questions about one step: what is sent, the next state, the ACK number, what the user hears.

The right answer is read off the Trace. The others come from TRANSITIONS, from what an end could
send, and from what people commonly believe: a table of that stands at the top.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tcpviz import asking_why, endpoint
from tcpviz.choices import Asked, Choice, ask, wrong
from tcpviz.moments import Moment
from tcpviz.segment import ACK, FIN, RST, SYN, add, relative
from tcpviz.states import FIGURE_5, TRANSITIONS, Edge, Event, State
from tcpviz.steps import Kind
from tcpviz.tcb import DELAYED_ACK, RTO
from tcpviz.units import S, readable
from tcpviz.words import say

_S, _E = State, Event

_ORDINARY: Final = 3
"""How much lighter a question about the usual handshake is, which nearly every trace has."""

BELIEVED_STATES: Final[dict[tuple[State, Event | None, State], tuple[str, str | None]]] = {
    (_S.LISTEN, _E.RCV_SYN, _S.ESTABLISHED): ("myth_two", "two_way_ghost"),
    (_S.SYN_SENT, _E.RCV_SYN, _S.ESTABLISHED): ("myth_crossing", "simultaneous_open"),
    (_S.SYN_RECEIVED, _E.RCV_ACK_OF_SYN, _S.SYN_RECEIVED): ("myth_accept", "handshake"),
    (_S.SYN_RECEIVED, _E.RCV_RST, _S.CLOSED): ("myth_listener", "old_duplicate_syn"),
    (_S.ESTABLISHED, _E.CLOSE, _S.CLOSED): ("myth_close_ends", "close_wait"),
    (_S.ESTABLISHED, _E.RCV_FIN, _S.CLOSED): ("myth_fin_both", "half_close"),
    (_S.ESTABLISHED, _E.RCV_FIN, _S.TIME_WAIT): ("myth_passive_waits", "open_and_close"),
    (_S.FIN_WAIT_1, _E.RCV_FIN_ACK_OF_FIN, _S.CLOSING): ("myth_merged", "close_in_three"),
    (_S.FIN_WAIT_1, _E.RCV_FIN, _S.TIME_WAIT): ("myth_no_closing", "simultaneous_close"),
    (_S.FIN_WAIT_2, _E.RCV_FIN, _S.CLOSED): ("myth_no_time_wait", "no_time_wait"),
    (_S.FIN_WAIT_2, _E.FIN_WAIT_2_TIMEOUT, _S.TIME_WAIT): ("myth_fin_timeout", "linux_close_wait"),
    (_S.LAST_ACK, _E.RCV_ACK_OF_FIN, _S.TIME_WAIT): ("myth_passive_waits", "open_and_close"),
    (_S.TIME_WAIT, None, _S.CLOSED): ("myth_any_rst_waiting", "time_wait_ignores_rst"),
    (_S.ESTABLISHED, None, _S.CLOSED): ("myth_any_rst", "reset_beside_the_number"),
}
"""Wrong next states by where an end is and what happens (None: nothing that moves it)."""


def states(moment: Moment) -> Iterator[Asked | None]:
    """Which state now."""
    step, before = moment.step, moment.before
    if before is None or step.state is None or step.kind is Kind.DEPART:
        return
    moved = moment.edges
    if not moved and not moment.arrived & (RST | SYN):
        return
    event = moved[0].event if moved else None
    if event in (_E.CRASH, _E.PASSIVE_OPEN) or before is step.state is _S.CLOSED:
        return
    # What it passes through at this instant is not wrong either.
    now = [s for s in moment.trace.of(step.end) if s.time == step.time]
    passed = {edge.target for edge in moved} | {s.state for s in now} | {step.state}
    if moment.two_way:  # where it passes through, everybody else stays
        passed.remove(_S.SYN_RECEIVED)
    text = asking_why.moves(moment) if moved else asking_why.stays(moment)
    others = [c for c in _other_states(moment, event) if State(c.text) not in passed]
    weight = (
        3 + 2 * (event not in (_E.TIME_WAIT_TIMEOUT, _E.ACTIVE_OPEN)) - (step.kind is Kind.CALL)
    )
    weight -= _ORDINARY * moment.opening
    prompt = say("ask_state", told=moment.situation, end=step.end)
    yield ask(moment.at, "state", prompt, (step.state, text), others, weight)


def _other_states(moment: Moment, event: Event | None) -> Iterator[Choice]:
    """Believed states first, then where other events lead, then the state it is in."""
    before = moment.before
    assert before is not None
    for (source, when, state), (why, run) in BELIEVED_STATES.items():
        if (source, when) == (before, event) and (event or moment.arrived & RST):
            yield wrong(state, why, run)
    if not event and moment.arrived == SYN and before in asking_why.SYNCHRONIZED:
        yield wrong(_S.CLOSED, "stays_challenge")
    if moment.two_way:
        yield wrong(_S.SYN_RECEIVED, "away_two_way")
    if event is _E.ABORT_AND_WAIT:
        yield wrong(_S.CLOSED, "away_abort_waits")
    leaving = {edge.target: edge for edge in reversed(TRANSITIONS) if edge.source is before}
    where = {edge.target for edge in leaving.values() if edge.opened}  # it depends on the OPEN
    for drawn in FIGURE_5:
        if drawn.source is before and drawn.event is not event and drawn.target not in where:
            yield _elsewhere(moment, drawn, drawn.target)
    if moment.edges:
        edge = moment.edges[0]
        yield wrong(
            before,
            asking_why.not_stays(moment),
            event=edge.event,
            state=before,
            target=edge.target,
            section=asking_why.cited(edge),
        )
    for state in _OFTEN_NAMED:
        other = leaving.get(state)
        if other and other.event is not event and state not in where:
            yield _elsewhere(moment, other, state)
        elif not other and state is not before:
            yield wrong(state, "why_no_edge", state=before, other=state)


def _elsewhere(moment: Moment, edge: Edge, text: str) -> Choice:
    """What another event makes of an end: or one that looks like what comes, and is not."""
    if asking_why.looks_like(edge.event, moment):
        return wrong(text, asking_why.turned_away(moment))
    return wrong(text, "why_other_event", event=edge.event, section=asking_why.cited(edge))


_OFTEN_NAMED: Final = (_S.CLOSED, _S.TIME_WAIT, _S.ESTABLISHED, _S.LISTEN)


def sends(moment: Moment) -> Iterator[Asked | None]:
    """What does it send."""
    step, before = moment.step, moment.before
    if before is None or step.kind not in (Kind.ARRIVE, Kind.CALL):
        return
    controls = [moment.control(each) for each in moment.sent]
    if not moment.simulated and not (controls and moment.arrived & (SYN | FIN | RST)):
        return  # what a capture saw nobody send may still have come later
    again = [s for s in moment.trace.of(step.end) if s.time == step.time and s.kind is Kind.DEPART]
    if moment.simulated and len(again) != len(controls):
        return  # something else happens at the same instant
    if step.text in (_E.PASSIVE_OPEN, _E.CRASH, "restart", _E.USER_TIMEOUT):
        return
    right = " + ".join(controls) or say("ask_nothing")
    why = asking_why.why_sent(moment, controls)
    believed = list(_believed(moment, right))
    others = [*believed, *_legal(moment, right)]
    dull = moment.arrived == ACK and not controls and before is not _S.SYN_RECEIVED
    weight = 2 if dull else 5
    if step.kind is Kind.CALL:
        weight = 6 if believed else 4
    if before is not _S.CLOSED and moment.arrived & (SYN | RST):
        weight += 1
    if moment.full or (moment.arrived == SYN and before in asking_why.SYNCHRONIZED):
        weight += 3
    weight -= _ORDINARY * moment.opening
    key = "ask_sends" if moment.simulated else "ask_sends_next"
    prompt = say(key, told=moment.situation, end=step.end)
    yield ask(moment.at, "sends", prompt, (right, say(why)), others, weight)


def _believed(moment: Moment, right: str) -> Iterator[Choice]:
    """What people commonly believe is sent here."""
    step, before, arrived = moment.step, moment.before, moment.arrived
    nothing = say("ask_nothing")
    if moment.full and right == nothing:
        yield wrong("RST", "myth_backlog", "accept_queue_full")
    elif moment.full:
        yield wrong(nothing, "myth_cookies", "syn_cookie")
    elif arrived & RST:
        yield wrong("RST", "myth_rst_answered")
    elif arrived == SYN and before is _S.LISTEN:
        yield wrong("ACK + SYN", "myth_four")
    elif arrived == SYN and before is _S.TIME_WAIT and "RST" not in right:
        yield wrong("RST", "myth_tw_recycle", "port_reuse")
    elif arrived == SYN and before in asking_why.SYNCHRONIZED:
        if "RST" not in right:
            yield wrong("RST", "myth_syn_resets", "half_open")
        if before is not _S.TIME_WAIT:
            yield wrong("SYN,ACK", "myth_syn_opens", "half_open")
    elif arrived == SYN | ACK and before is _S.SYN_SENT and "RST" not in right and right != "ACK":
        yield wrong("ACK", "myth_third_bare", "send_opens")
    elif arrived & FIN and before is _S.ESTABLISHED:
        yield wrong("FIN,ACK", "myth_kernel_fin", "close_wait")
        if right == nothing:
            yield wrong("ACK", "myth_never_delayed", "close_in_three")
    elif arrived == ACK and right == nothing and step.segment and not step.segment.length:
        yield wrong("ACK", "myth_ack_of_ack", "handshake")
    if step.kind is not Kind.CALL:
        return
    if any(timer.name == DELAYED_ACK for timer in moment.timers):
        yield wrong("ACK + FIN,ACK", "myth_always_four", "close_in_three")
    if step.text == _E.SEND and before is _S.CLOSE_WAIT:
        yield wrong(nothing, "myth_fin_both", "half_close")
    if step.text == _E.CLOSE_HALF_DUPLEX:
        if "RST" in right:
            yield wrong("FIN,ACK", "myth_close_fin", "close_with_data_unread")
        else:
            yield wrong(say("ask_reads_no_more"), "myth_shut_rd", "data_after_close")


def _legal(moment: Moment, right: str) -> Iterator[Choice]:
    """Other segments that an end may send in this state, by the table, and always."""
    rst = "RST" in right  # with or without an ACK is not worth a question
    for edge in TRANSITIONS:
        if edge.source is moment.before and edge.sends and not edge.rare:
            sent = "FIN,ACK" if edge.sends == "FIN" else edge.sends
            if sent == "ACK":  # many segments are answered so, whatever they move
                yield wrong(sent, asking_why.not_ack(moment, right))
            elif not (rst and sent == "RST"):
                yield _elsewhere(moment, edge, sent)
    yield wrong(say("ask_nothing"), asking_why.not_silent(moment, right))
    yield wrong("ACK", asking_why.not_ack(moment, right))
    if not rst:
        yield wrong("RST", asking_why.not_rst(moment))
    yield wrong("FIN,ACK", asking_why.not_fin(moment))


def numbers(moment: Moment) -> Iterator[Asked | None]:
    """What is the ACK number."""
    step, segment = moment.step, moment.step.segment
    if step.kind is not Kind.ARRIVE or len(moment.sent) != 1 or not segment or not segment.span:
        return
    answer = moment.sent[0].segment
    if answer is None or not answer.ctl & ACK or answer.ack != add(segment.seq, segment.span):
        return
    sender = moment.trace.other(step.end)
    mine = moment.trace.end(step.end)
    if not (sender.syn_seen and mine.syn_seen):
        return
    trace = moment.trace
    bases = trace.base(sender.name, answer.ack), trace.base(mine.name, segment.ack)
    base = (0, 0) if moment.simulated else bases

    def number(value: int) -> str:
        return str(relative(value, base[0]))

    control = segment.ctl & (SYN | FIN)
    why = say("why_number_control" if control else "why_number_data", octets=segment.length)
    others = [wrong(number(segment.seq), "myth_same_number")]
    if segment.length:
        key = "myth_one_more" if not control else "myth_control_free"
        shift = segment.span + (1 if not control else -1)
        others.append(wrong(number(add(segment.seq, shift)), key))
        others.append(wrong(number(add(segment.seq, 1)), "myth_counts_segments"))
    if segment.ctl & ACK:
        text = str(relative(segment.ack, base[1]))
        others.append(wrong(text, "myth_own_number"))
    others.append(wrong(number(add(segment.seq, 2)), "myth_one_more"))
    prompt = say("ask_number", told=moment.situation, end=step.end)
    weight = (5 if control else 3) - _ORDINARY * moment.opening
    yield ask(moment.at, "number", prompt, (number(answer.ack), why), others, weight)


def users(moment: Moment) -> Iterator[Asked | None]:
    """What does the user hear."""
    told, before = moment.step.says, moment.before
    refused = before is _S.SYN_RECEIVED and moment.arrived & RST and moment.step.state is _S.LISTEN
    if not moment.simulated or (told not in _TOLD and not refused):
        return
    silent = say("ask_silent")
    others = [wrong(silent, "why_not_silent")] if told else []
    if moment.step.kind is Kind.TIMEOUT:
        others.append(wrong(endpoint.RESET, "why_nobody_reset"))
    if told in (endpoint.GIVEN_UP, endpoint.USER_TIMED_OUT):
        others.append(wrong(endpoint.TROUBLE, _why_not_trouble(moment)))
    elif told == endpoint.TROUBLE:
        others.append(wrong(endpoint.GIVEN_UP, "why_not_r2", "given_up"))
    else:
        if told != endpoint.RESET:
            others.append(wrong(endpoint.RESET, "why_not_reset"))
        elif before is not _S.SYN_SENT:  # there, sockets say so, and who answers it is not wrong
            others.append(wrong(endpoint.REFUSED, "why_not_refused"))
        others.append(wrong(endpoint.IS_CLOSING, "why_not_closing"))
        others.append(wrong(endpoint.USER_TIMED_OUT, "why_somebody"))
    # Of R1 and R2 the RFC says when its user is told, and not in which words (§3.8.3).
    key = "ask_user" if moment.arrived else "ask_user_timer"
    prompt = say(key, told=moment.situation, end=moment.step.end)
    yield ask(moment.at, "user", prompt, (told or silent, say(_why_told(moment))), others, 7)


def _why_not_trouble(moment: Moment) -> str:
    """The key of the words against R1 where all is given up."""
    if moment.probing:
        return "why_not_r1_probes"
    if any(s.says == endpoint.TROUBLE for s in moment.trace.of(moment.step.end)):
        return "why_not_r1"
    timeout = moment.step.says == endpoint.USER_TIMED_OUT
    return "why_not_r1_timeout" if timeout else "why_not_r1_first"


def _why_told(moment: Moment) -> str:
    """The key of the words for what the user is told."""
    told = moment.step.says
    if told == endpoint.GIVEN_UP and moment.probing:
        return "why_told_unanswered"
    if told == endpoint.RESET and not moment.arrived & RST:
        return "why_told_syn"
    if told == endpoint.RESET and moment.before is _S.SYN_SENT:
        return "why_told_syn_sent"
    return {
        endpoint.RESET: "why_told_reset",
        endpoint.REFUSED: "why_told_refused",
        endpoint.GIVEN_UP: "why_told_given_up",
        endpoint.USER_TIMED_OUT: "why_told_timeout",
        endpoint.TROUBLE: "why_told_trouble",
    }.get(told, "myth_listener")


_TOLD: Final = (
    endpoint.RESET,
    endpoint.REFUSED,
    endpoint.GIVEN_UP,
    endpoint.USER_TIMED_OUT,
    endpoint.TROUBLE,
)


def retransmissions(moment: Moment) -> Iterator[Asked | None]:
    """When is the next retransmission."""
    step = moment.step
    timer = next((t for t in moment.timers if t.name == RTO), None)
    if step.kind is not Kind.TIMEOUT or step.text != RTO or timer is None or not moment.sent:
        return
    segment = moment.sent[0].segment
    assert segment is not None
    mine = (s for s in moment.trace.steps[: moment.at] if s.end == step.end)
    tries = [s for s in mine if s.kind is Kind.DEPART and s.segment and s.segment.span]
    if [s.segment.seq for s in tries if s.segment and s.time >= timer.since] != [segment.seq]:
        return  # the timer runs for another segment too, or this one was sent again meanwhile
    wait, last, others = timer.until - timer.since, 0, []
    for prior, each in pairwise(moment.trace.of(step.end)):
        if each.kind is Kind.TIMEOUT and each.time == timer.since:
            last = next((t.until - t.since for t in prior.timers if t.name == RTO), 0)
    if last:
        others.append(wrong(readable(last), "myth_same_wait", "no_answer"))
        others.append(wrong(readable(2 * last), "myth_always_doubles", "linux_syn_timeouts"))
    else:
        flights = moment.trace.flights
        trip = next(
            (2 * (f.arrived[0] - f.sent) for f in flights if f.arrived and f.sent is not None), 0
        )
        if trip:
            others.append(wrong(readable(trip), "myth_round_trip"))
        others.append(wrong(readable(3 * S), "myth_three_seconds"))
    others.append(wrong(readable(4 * wait), "why_not_so_long"))
    others.append(wrong(say("ask_never"), "myth_application_retries", "lost_fin"))
    others = [choice for choice in others if choice.text != readable(wait)]
    history = (
        say("ask_waited", waits=readable(last), count=moment.tries + 1)
        if last
        else say("ask_first_wait")
    )
    octets = say("ask_octets", octets=segment.length)
    what = octets if segment.length else segment.control
    fate = say("ask_takes_no_ack" if _turned_off(moment) else "ask_no_ack")
    prompt = say("ask_retransmission", end=step.end, what=what, fate=fate, history=history)
    why = say("why_doubled" if wait == 2 * last else "why_rto")
    yield ask(moment.at, "retransmission", prompt, (readable(wait), why), others, 6, 4)


def _turned_off(moment: Moment) -> bool:
    """Whether an ACK of what is sent again has come before, and was not taken."""
    again = moment.sent[0].segment
    return again is not None and any(
        step.kind is Kind.ARRIVE
        and step.end == moment.step.end
        and step.segment is not None
        and step.segment.ctl & ACK
        and step.segment.ack == add(again.seq, again.span)
        for step in moment.trace.steps[: moment.at]
    )
