"""Questions about a whole connection: how many segments, who first, who waits, for how long.

The right answer is read off the Trace, and only where both ends were watched if it is about both.
"""

from collections.abc import Iterator
from typing import Final

from tcpviz.choices import Asked, ask, wrong
from tcpviz.moments import BEGINNINGS, Moment
from tcpviz.segment import ACK, FIN, RST, SYN
from tcpviz.states import Event, State
from tcpviz.steps import Flight, Kind, Step, Variables
from tcpviz.tcb import TWO_MSL
from tcpviz.trace import Trace
from tcpviz.units import MIN, readable
from tcpviz.words import say


def handshakes(moment: Moment) -> Iterator[Asked | None]:
    """How many segments does the handshake take."""
    trace = moment.trace
    first = _first(trace, Kind.DEPART, SYN)
    opens = moment.step.text in (Event.ACTIVE_OPEN, Event.SEND)
    if not first or not opens or not _both_watched(trace) or not moment.sent:
        return
    if trace.steps[first[0]] is not moment.sent[0]:
        return
    since = [_entered(trace, end.name, State.ESTABLISHED) for end in trace.ends]
    if None in since or not all(_clean(flight) for flight in trace.flights[:4]):
        return
    done = max(time for time in since if time is not None)
    sent = [f for f in trace.flights if f.arrived and f.arrived[0] <= done]
    if not all(_clean(flight) for flight in trace.flights[: len(sent)]):
        return
    right = say("ask_segments", count=len(sent))
    early = [s for s in trace.steps if s.kind is Kind.CALL and s.time <= done]
    both = len({s.end for s in early if s.text == Event.ACTIVE_OPEN}) > 1
    others = [
        wrong(say("ask_segments", count=2), "myth_two"),
        wrong(say("ask_segments", count=4), "why_not_four_crossing")
        if both
        else wrong(say("ask_segments", count=4), "myth_four"),
        wrong(say("ask_segments", count=3), "myth_three_only", "simultaneous_open")
        if both
        else wrong(say("ask_segments", count=3), "why_not_three_apart", "handshake"),
        wrong(say("ask_segments", count=5), "myth_certain"),
    ]
    crossed = "why_crossing" if len(sent) == 4 else "why_six"
    why = say("why_three" if len(sent) == 3 else crossed if both else "why_four_segments")
    prompt = say("ask_handshake_both" if both else "ask_handshake")
    yield ask(moment.at, "handshake", prompt, (right, why), others, 2)


def proofs(moment: Moment) -> Iterator[Asked | None]:
    """What does a segment of the handshake prove to who gets it."""
    step = moment.step
    events = [edge.event for edge in moment.edges]
    if step.kind is not Kind.ARRIVE or not moment.simulated or _PROVING.isdisjoint(events):
        return
    words = {"end": step.end, "peer": moment.trace.other(step.end).name}
    answers = bool(moment.arrived & ACK)  # of its own SYN, or it would not move it
    came, heard = (say(f"ask_proves_{what}", **words) for what in ("came", "heard"))
    right = (heard, say("why_heard", **words)) if answers else (came, say("why_came", **words))
    ghost = "three_way_no_ghost" if step.end == "server" else None
    others = [
        wrong(came, "why_not_came", **words)
        if answers
        else wrong(heard, "myth_heard", ghost, **words),
        wrong(say("ask_proves_certain"), "myth_certain_now", "lost_ack"),
        wrong(say("ask_proves_user", **words), "myth_asks_user"),
    ]
    prompt = say("ask_proves", told=moment.situation, end=step.end)
    yield ask(moment.at, "proof", prompt, right, others, _ONLY_PINNED)


_PROVING: Final = {Event.RCV_SYN, Event.RCV_SYN_ACK, Event.RCV_ACK_OF_SYN}
_ONLY_PINNED: Final = -20
"""A weight that leaves a question to authors who ask for it."""


def established(moment: Moment) -> Iterator[Asked | None]:
    """Who is ESTABLISHED first."""
    trace = moment.trace
    since = {end.name: _entered(trace, end.name, State.ESTABLISHED) for end in trace.ends}
    if not _both_watched(trace) or None in since.values():
        return
    first = min(time for time in since.values() if time is not None)
    if _first(trace, Kind.ARRIVE, SYN) != (moment.at, moment.step) or moment.step.time > first:
        return
    names = [name for name, time in since.items() if time == first]
    together = say("ask_together")
    others = [
        wrong(name, "why_not_first", "handshake" if name == "server" else None) for name in since
    ]
    others.append(wrong(together, "myth_together", "handshake"))
    right = names[0] if len(names) == 1 else together
    why = say("why_first" if len(names) == 1 else "why_together")
    prompt = say("ask_established", told=moment.situation)
    yield ask(moment.at, "established", prompt, (right, why), others, 1)


def time_waits(moment: Moment) -> Iterator[Asked | None]:
    """Who keeps TIME-WAIT."""
    trace, step = moment.trace, moment.step
    if not moment.arrived & FIN or not _both_watched(trace):
        return
    later = trace.steps[moment.at :]
    earlier = [s for s in trace.steps[: moment.at] if s.kind is Kind.ARRIVE]
    if any(s.segment and s.segment.ctl & FIN for s in earlier):
        return  # asked only before the first FIN arrives
    end = next((i for i, s in enumerate(later) if _opens(s)), len(later))
    waiting = [e.name for e in trace.ends if _waits_in(later[:end], e.name)]
    names = [each.name for each in trace.ends]
    both = say("ask_both")
    if not waiting:
        return  # it was cut short, which nobody can predict
    right = both if len(waiting) == 2 else waiting[0]
    if right == step.end or (right != both and moment.before is State.FIN_WAIT_1):
        return  # nor can anybody foretell what cuts it short at one end alone
    runs = {"client": "server_closes_first", "server": "open_and_close"}
    others = [wrong(each, _blame(moment, each), runs.get(each)) for each in names]
    others.append(wrong(both, "why_not_both", "open_and_close"))
    others.append(wrong(say("ask_nobody"), "myth_no_time_wait", "no_time_wait"))
    prompt = say("ask_time_wait", told=moment.situation)
    why = say("why_both" if len(waiting) == 2 else "why_time_wait", end=trace.other(step.end).name)
    yield ask(moment.at, "time-wait", prompt, (right, why), others, 8)


def _blame(moment: Moment, name: str) -> str:
    """Why one end alone is the wrong answer: it closed last, or is not the only one to wait."""
    if moment.before is State.FIN_WAIT_1:
        return "why_not_alone"
    return "myth_role" if name in ("client", "server") else "why_closed_last"


def durations(moment: Moment) -> Iterator[Asked | None]:
    """How long does TIME-WAIT last."""
    if State.TIME_WAIT not in [edge.target for edge in moment.edges] or moment.before is None:
        return
    timer = next((t for t in moment.step.timers if t.name == TWO_MSL), None)
    if moment.before not in _CLOSED_IT or not moment.arrived or timer is None:
        return
    wait = timer.until - timer.since
    flights = moment.trace.flights
    trips = [f.arrived[0] - f.sent for f in flights if f.arrived and f.sent is not None]
    others = [wrong(say("ask_msl", time=readable(wait // 2)), "myth_one_msl", "one_msl")]
    if trips and 2 * min(trips) != wait:
        others.append(wrong(say("ask_trip", time=readable(2 * min(trips))), "myth_round_trip_wait"))
    others.append(wrong(say("ask_until_close"), "myth_leak", "open_and_close"))
    if wait != 4 * MIN:
        others.append(wrong(say("ask_rfc_msl", time=readable(4 * MIN)), "myth_four_minutes"))
    right = say("ask_two_msl", time=readable(wait))
    prompt = say("ask_duration", told=moment.situation, msl=readable(wait // 2))
    yield ask(moment.at, "duration", prompt, (right, say("why_two_msl")), others, 3, 4)


_CLOSED_IT: Final = (State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSING)
"""Where FINs lead to TIME-WAIT; an ABORT, or a RST after MAY-2, has other reasons to wait."""


def again(moment: Moment) -> Iterator[Asked | None]:
    """What becomes of the 2MSL timer when the FIN comes again."""
    old = next((t for t in moment.timers if t.name == TWO_MSL), None)
    if moment.before is not State.TIME_WAIT or not moment.arrived & FIN or old is None:
        return
    new = next((t for t in moment.step.timers if t.name == TWO_MSL), None)
    key = "stops" if new is None else "runs_on" if new == old else "restarts"
    prompt = say("ask_timer", told=moment.situation)
    others = [
        wrong(say(f"ask_timer_{each}"), f"why_timer_not_{each}", run)
        for each, run in (("restarts", None), ("runs_on", "lost_last_ack"), ("stops", None))
        if each != key
    ]
    right = (say(f"ask_timer_{key}"), say(f"why_timer_{key}"))
    yield ask(moment.at, "timer", prompt, right, others, 6)


def close_waits(moment: Moment) -> Iterator[Asked | None]:
    """What will end CLOSE-WAIT."""
    if not moment.edges or moment.edges[-1].target is not State.CLOSE_WAIT:
        return
    later = [s for s in moment.trace.steps[moment.at + 1 :] if s.end == moment.step.end]
    left = next((s for s in later if s.state is not State.CLOSE_WAIT), None)
    if left and not any(name.startswith("CLOSE-WAIT: CLOSE") for name in left.edges):
        return
    prompt = say("ask_close_wait", told=moment.situation, end=moment.step.end)
    others = [
        wrong(say("ask_after_two_msl"), "myth_close_wait_timer", "close_wait"),
        wrong(say("ask_peer_gone"), "myth_peer_gone", "linux_close_wait"),
        wrong(say("ask_sysctl"), "myth_sysctl", "linux_close_wait"),
    ]
    right = (say("ask_own_close"), say("why_own_close"))
    yield ask(moment.at, "close-wait", prompt, right, others, 9 if left is None else 3)


def silences(moment: Moment) -> Iterator[Asked | None]:
    """What does the other end notice of a crash."""
    trace, step = moment.trace, moment.step
    if step.text != Event.CRASH or step.kind is not Kind.CALL or not moment.simulated:
        return
    other = trace.other(step.end).name
    known = [s.state for s in trace.steps[: moment.at] if s.end == other]
    flying = {s.flight for s in trace.steps[: moment.at] if s.kind is Kind.DEPART}
    landed = {s.flight for s in trace.steps[: moment.at] if s.kind in (Kind.ARRIVE, Kind.LOSE)}
    if not known or known[-1] not in _QUIET or flying - landed:
        return
    state = known[-1]
    right = (say("ask_notices_nothing", state=state), say("why_notices_nothing"))
    others = [
        wrong(say("ask_notices_rst"), "myth_notices_rst", "half_open_data"),
        wrong(say("ask_notices_fin"), "myth_notices_fin", "keep_alive"),
        wrong(say("ask_notices_soon"), "myth_notices_soon", "crash_in_established"),
    ]
    prompt = say("ask_silence", end=step.end, state=state, other=other)
    yield ask(moment.at, "silence", prompt, right, others, 9)


_QUIET: Final = (State.ESTABLISHED, State.CLOSE_WAIT)


def data(moment: Moment) -> Iterator[Asked | None]:
    """What becomes of the data."""
    step, segment = moment.step, moment.step.segment
    if not moment.simulated or not moment.arrived or not segment or not segment.length:
        return
    if moment.before is None or segment.ctl & SYN:
        return
    reset = any(s.segment and s.segment.ctl & RST for s in moment.sent)
    taken = _advances(moment)
    key = "taken" if taken else "reset" if reset else "dropped"
    old = taken and step.says != ""
    ends = ("taken", "dropped", "reset")
    runs = {"taken": "clocked_iss", "dropped": "short_time_wait", "reset": "half_close"}
    if key == "reset":
        runs = {"taken": "data_after_close", "dropped": "data_after_close"}
    elif key == "dropped":
        runs = {"taken": "clocked_iss"}
    elif not old:
        runs = {}
        if moment.before in (State.FIN_WAIT_1, State.FIN_WAIT_2):
            runs = {"reset": "half_close"}
    closed = moment.before is State.CLOSED
    others = [
        wrong(say(f"ask_data_{e}"), _why_not(e, key, closed), runs.get(e)) for e in ends if e != key
    ]
    why = "why_data_old" if old else f"why_data_{key}"
    right, why = (
        say(f"ask_data_{key}"),
        say("why_data_closed" if key == "reset" and closed else why),
    )
    if key == "reset" and moment.before is State.SYN_RECEIVED:  # it was no part of the handshake
        why = say("why_data_stray")
        others = [
            wrong(say("ask_data_taken"), "myth_two", "two_way_ghost"),
            wrong(say("ask_data_dropped"), "why_data_stray_told"),
        ]
    strange = old or key != "taken" or moment.before is not State.ESTABLISHED
    known = _variables(moment)
    expects = say("ask_expects", number=known.rcv_nxt) if known else ""
    key = "ask_data_old" if moment.old_data else "ask_data_fate"
    prompt = say(key, told=moment.situation, expects=expects)
    yield ask(moment.at, "data", prompt, (right, why), others, 8 if strange else 2)


def _why_not(fate: str, happens: str, closed: bool) -> str:
    """The words against another fate of the data than what happens to it."""
    if fate == "taken" and happens == "dropped":
        return "why_data_not_expected"
    if fate == "taken" and closed:
        return "why_data_not_taken_closed"
    silent = fate == "dropped" and happens == "reset"
    return "why_data_not_silent" if silent else f"why_data_not_{fate}"


def _advances(moment: Moment) -> bool:
    """Whether the end expects the number after this text now, and did not before."""
    now, old = moment.step.variables, _variables(moment)
    return bool(now and old and now.rcv_nxt != old.rcv_nxt)


def _variables(moment: Moment) -> Variables | None:
    """What the end knew of its TCB just before."""
    mine = [s for s in moment.trace.steps[: moment.at] if s.end == moment.step.end]
    return mine[-1].variables if mine else None


def _first(trace: Trace, kind: Kind, ctl: int) -> tuple[int, Step] | None:
    steps = enumerate(trace.steps)
    return next(
        ((i, s) for i, s in steps if s.kind is kind and s.segment and s.segment.ctl & ctl), None
    )


def _clean(flight: Flight) -> bool:
    """Sent once, arrived once: nothing went wrong with it."""
    return flight.sent is not None and len(flight.arrived) == 1 and not flight.again


def _both_watched(trace: Trace) -> bool:
    return len(trace.ends) == 2 and all(end.observed for end in trace.ends)


def _entered(trace: Trace, name: str, state: State) -> int | None:
    return next((span.since for span in trace.spans(name) if span.state is state), None)


def _waits_in(steps: tuple[Step, ...], name: str) -> bool:
    return any(s.end == name and s.state is State.TIME_WAIT for s in steps)


def _opens(step: Step) -> bool:
    """A new connection begins: from here on, TIME-WAIT may be another's."""
    return not BEGINNINGS.isdisjoint(step.edges)
