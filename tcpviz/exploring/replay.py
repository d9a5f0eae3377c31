"""A run of an exploration with its clock given back: moves in, a Trace out.

The search says what happens in which order. When it happens follows from what each needs: a timer
expires at its deadline and nothing that stops it comes later, a segment takes its time, a user is
a little slow. Knows no rule of TCP and no search.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final, NamedTuple

from tcpviz.exploring.side import Change, Host, Move, Sent, Side, happen
from tcpviz.segment import SYN
from tcpviz.steps import End, Kind, Step, Timer
from tcpviz.trace import Trace
from tcpviz.units import MS, US
from tcpviz.words import say

_PACES: Final = (
    (50 * MS, 30 * MS),
    (50 * MS, 10 * MS),
    (20 * MS, 4 * MS),
    (5 * MS, 1 * MS),
    (500 * US, 100 * US),
    (20, 2),
)
"""The shortest way from end to end, and the least time between two events, to try in turn."""

_PATIENCE: Final = sorted(
    product((2, 3, 8, 32), repeat=4), key=lambda longer: (sum(longer), longer)
)
"""How many halves of what was told the RTO and the MSL of each end may be, in turn."""


class _Event(NamedTuple):
    """What a move did at one end (a loss: nothing), its flight, and the flights that left."""

    move: Move
    flight: int | None = None
    change: Change | None = None
    departed: tuple[int, ...] = ()


class Replay(NamedTuple):
    """A run on real Endpoints: the sides it ends in, when each move happened, and the Trace."""

    sides: tuple[Side, Side]
    times: tuple[int, ...]
    trace: Trace


def replay(
    hosts: tuple[Host, Host], moves: Sequence[Move], title: str = "", notes: tuple[str, ...] = ()
) -> Replay:
    """Run the moves on real Endpoints at times that they allow.

    Timers of the same length on both sides may not allow the order of two timeouts. Then some are
    made longer; a trace shows the timers that ran. Where that is not enough, some expire late, and
    the trace says so.
    """
    for longer in _PATIENCE:
        told = _patient(hosts[0], *longer[:2]), _patient(hosts[1], *longer[2:])
        rough = _run(told, moves, range(len(moves)))
        for delay, gap in _PACES:
            times = _times(rough, delay, gap)
            if times is not None:
                return _written(told, _run(told, moves, times), times, title, notes)
    rough = _run(hosts, moves, range(len(moves)))
    times = _times(rough, *_PACES[0], punctual=False)
    assert times is not None  # without deadlines later is always possible
    return _written(hosts, _run(hosts, moves, times), times, title, (*notes, say("explore_late")))


def _patient(here: Host, rto: int, msl: int) -> Host:
    told = here.settings
    return here._replace(settings=told._replace(rto=told.rto * rto // 2, msl=told.msl * msl // 2))


def _run(hosts: tuple[Host, Host], moves: Sequence[Move], times: Iterable[int]) -> list[_Event]:
    """The moves on real Endpoints, each at its time."""
    sides = {host.name: host.side for host in hosts}
    flying: dict[str, list[tuple[Sent | None, int]]] = {name: [] for name in sides}  # by receiver
    flights = 0
    events = []
    for move, now in zip(moves, times, strict=True):
        flight = None
        if move.what == "old":
            flight, flights = flights, flights + 1
        elif move.sent is not None:
            flight = next(number for sent, number in flying[move.end] if sent == move.sent)
            if move.what != "copy":
                flying[move.end].remove((move.sent, flight))
        if move.what == "lose":
            events.append(_Event(move, flight))
            continue
        change = happen(hosts[move.end == "server"], sides[move.end], move, now)
        sides[move.end] = change.side
        departed = tuple(range(flights, flights + len(change.sent)))
        flights += len(departed)
        flying["server" if move.end == "client" else "client"] += zip(
            change.sent, departed, strict=True
        )
        events.append(_Event(move, flight, change, departed))
    return events


def _times(
    events: list[_Event], delay: int, gap: int, *, punctual: bool = True
) -> tuple[int, ...] | None:
    """The earliest times that satisfy every event, or None where there are none.

    The run was made with the events' numbers for times: a timer tells since which event it runs.
    """
    after: list[tuple[int, int, int]] = []  # this event is so much later than that one
    sent: dict[int, int] = {}
    running: dict[str, tuple[Timer, ...]] = {"client": (), "server": ()}
    for here, event in enumerate(events):
        move = event.move
        expires = move.what in ("expire", "give up")
        if here:
            after.append((here, here - 1, 0 if expires else gap))
        if event.flight in sent:
            way = delay // 2 if move.what == "lose" else delay
            after.append((here, sent[event.flight], way))
        sent |= dict.fromkeys(event.departed, here)
        if event.change is None:
            continue
        left = event.change.side.end.deadlines
        for timer in running[move.end]:
            if timer in left:
                continue
            lasted = timer.until - timer.since
            if expires and timer.name == (move.timer or "RTO"):
                after += [(here, timer.since, lasted), (timer.since, here, -lasted)]
            else:
                after.append((timer.since, here, 1 - lasted))
        running[move.end] = left
    for timer in (*running["client"], *running["server"]):
        after.append((timer.since, len(events) - 1, timer.since - timer.until))
    if not punctual:  # timers may be late
        after = [each for each in after if each[2] >= 0]
    times = [0] * len(events)
    for _ in range(len(events) + 1):
        changed = False
        for later, earlier, by in after:
            if times[later] < times[earlier] + by:
                times[later] = times[earlier] + by
                changed = True
        if not changed:
            return tuple(times)
    return None


_KINDS: Final = {
    "deliver": Kind.ARRIVE,
    "copy": Kind.ARRIVE,
    "old": Kind.ARRIVE,
    "expire": Kind.TIMEOUT,
    "give up": Kind.TIMEOUT,
    "user timeout": Kind.TIMEOUT,
}


def _written(
    hosts: tuple[Host, Host],
    events: list[_Event],
    times: tuple[int, ...],
    title: str,
    notes: tuple[str, ...],
) -> Replay:
    """The steps of a run."""
    sides = {host.name: host.side for host in hosts}
    steps: list[Step] = []
    isses: dict[str, int] = {}
    for event, now in zip(events, times, strict=True):
        move, change = event.move, event.change
        segment = move.sent.segment if move.sent else None
        if change is None:
            steps.append(Step(now, "", Kind.LOSE, None, segment, event.flight))
            continue
        sides[move.end] = change.side
        end = change.side.end
        kind = _KINDS.get(move.what, Kind.CALL)
        seen = Step(now, move.end, kind, end.state, timers=end.deadlines, variables=end.variables)
        steps.append(
            seen._replace(
                segment=segment,
                flight=event.flight,
                text=_text(hosts[move.end == "server"], move),
                says=change.outcome.says,
                edges=tuple(edge.id for edge in change.outcome.edges),
            )
        )
        for sent, flight in zip(change.sent, event.departed, strict=True):
            steps.append(seen._replace(kind=Kind.DEPART, segment=sent.segment, flight=flight))
            if sent.segment.ctl & SYN:
                isses[move.end] = sent.segment.seq
    ends = tuple(End(h.name, "", isses.get(h.name, 0), h.name in isses) for h in hosts)
    trace = Trace(ends, tuple(steps), title, notes=notes)
    return Replay((sides["client"], sides["server"]), times, trace)


def _text(here: Host, move: Move) -> str:
    """What the user called, or which timer expired."""
    if move.call is not None:
        return move.call.text
    if move.what == "reopen":
        return here.program[0].text
    if move.sent is not None:
        return ""
    return {"give up": "RTO", "user timeout": "USER TIMEOUT"}.get(
        move.what, move.timer or move.what
    )
