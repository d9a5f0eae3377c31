"""Real connections watched over time: into a Trace for each, and counts of them all.

A look now and then sees a state, never a segment. What passed between two looks is told only where
every way leads through it, and is marked inferred. Each look is what RFC 9293 §3.10.6 calls STATUS,
and the Trace says so.
"""

import threading
import time
from collections.abc import Iterable
from functools import cache
from typing import Final, Self

from tcpviz.kernel.sockets import Unavailable, asking
from tcpviz.kernel.table import Address, Socket
from tcpviz.states import FIGURE_5, TRANSITIONS, State
from tcpviz.steps import End, Kind, Step, Timer
from tcpviz.timeline import Timeline, count
from tcpviz.trace import Trace
from tcpviz.units import MS, S, readable
from tcpviz.words import say

STATUS: Final = "STATUS"
_Looks = list[tuple[int, Socket | None]]


class Watch:
    """The connections of one server port, looked at every so often while the `with` lasts.

    `traces` has one Trace for each four-tuple, from when it was first seen; `count` counts them
    over time. Times count in ns from the beginning of the watch.
    """

    def __init__(self, port: int, every: int, most: int, seconds: float) -> None:
        self.port, self.every, self.most = port, every, most
        self.seconds = seconds
        self.start = self.began = 0
        self.looks = 0
        self.stopped = ""
        self.changes: dict[tuple[Address, Address], dict[str, _Looks]] = {}
        self.over: set[object] = set()
        self.calls: list[tuple[int, str, str]] = []
        self._over = threading.Event()
        self._once = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="tcpviz watch", daemon=True)

    def __enter__(self) -> Self:
        self._diag = asking()
        self.start, self.began = time.time_ns(), time.monotonic_ns()
        try:
            self.look()
            self._thread.start()
        except BaseException:
            self._diag.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        try:
            self._thread.join()
            if not self.stopped:
                self.look()
        except Unavailable as reason:
            self.stopped = str(reason)
        finally:
            self._diag.close()

    def called(self, end: str, call: str) -> None:
        """Write down that the program that holds `end` ("client" or "server") calls something."""
        self.calls.append((time.monotonic_ns() - self.began, end, call))

    def look(self) -> None:
        """Look once; called over and over by itself."""
        with self._once:
            now = time.monotonic_ns() - self.began
            seen: dict[tuple[tuple[Address, Address], str], Socket] = {}
            for row in self._diag.dump(self.port):
                if row.state is State.LISTEN:
                    continue
                is_server = row.local.port == self.port
                ends = (row.remote, row.local) if is_server else (row.local, row.remote)
                seen[ends, "server" if is_server else "client"] = row
            if not self.looks:  # what is over when the watch begins is no part of it
                ended = (row for row in seen.values() if row.state is State.TIME_WAIT)
                self.over = {row.cookie or row.four_tuple for row in ended}
            for (ends, name), row in seen.items():
                if (row.cookie or row.four_tuple) in self.over:
                    continue
                if ends not in self.changes:
                    if len(self.changes) >= self.most:
                        self.stopped = say("watch_most", count=self.most)
                        continue
                    self.changes[ends] = {}
                self.changes[ends].setdefault(name, [])
            for ends, sides in self.changes.items():
                for name, looks in sides.items():
                    latest = seen.get((ends, name))
                    if latest is None and looks and looks[-1][1] is not None:
                        # A dump in several pieces may miss one that moves: ask for it by name.
                        latest = self._diag.lookup(*(ends if name == "client" else ends[::-1]))
                    _note(looks, now, latest)
            self.looks += 1

    def _run(self) -> None:
        while not self._over.wait(self.every / S):
            if time.monotonic_ns() > self.began + self.seconds * S:
                self.stopped = say("watch_long")
                return
            try:
                self.look()
            except Unavailable as reason:
                self.stopped = str(reason)
                return

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Each connection that was seen, in the order in which they were seen first."""
        return tuple(self._trace(ends, sides) for ends, sides in self.changes.items())

    def count(self, state: str, end: str = "server") -> Timeline:
        """How many connections have `end` in `state`, at each time."""
        return count(self.traces, state, end)

    def _trace(self, ends: tuple[Address, Address], sides: dict[str, _Looks]) -> Trace:
        names = zip(("client", "server"), ends, strict=True)
        listed = tuple(End(n, str(a), syn_seen=False, observed=n in sides) for n, a in names)
        steps = [
            Step(at, end, Kind.CALL, _state_at(sides.get(end, []), at), text=call)
            for at, end, call in self.calls
            if end in sides
        ]
        for name in sorted(sides):
            steps += _steps(name, sides[name])
        steps.sort(key=lambda step: step.time)
        notes = [say("watch_how", count=self.looks, every=readable(self.every))]
        if self.stopped:
            notes.append(self.stopped)
        title = f"{ends[0]} -> {ends[1]}"
        return Trace(listed, tuple(steps), title, "kernel", self.start, tuple(notes))


def watch(port: int, *, every: int = 2 * MS, most: int = 1000, seconds: float = 60.0) -> Watch:
    """Watch the connections to a server's port on this machine, while a `with` lasts.

    What was in TIME-WAIT already when it begins is over, and left out. A look every `every` ns; at
    most `most` connections are followed, and no longer than `seconds`.
    Unavailable where sock_diag cannot be asked.

    >>> import sys
    >>> if sys.platform == "linux":
    ...     with watch(9, seconds=1) as seen:
    ...         pass
    ...     assert seen.traces == ()
    """
    if every <= 0 or most <= 0 or seconds <= 0:
        raise ValueError("every, most and seconds: each is more than 0")
    return Watch(port, every, most, seconds)


def _note(looks: _Looks, now: int, row: Socket | None) -> None:
    """Keep a look if it tells something new: another state, another timer, another socket."""
    before = looks[-1][1] if looks else None
    if row is None and not looks:
        return
    new = before is None if row is not None else before is not None
    if row is not None and before is not None:
        new = (row.state, row.timer, row.cookie) != (before.state, before.timer, before.cookie)
    if new:
        looks.append((now, row))


def _state_at(looks: _Looks, time: int) -> State | None:
    states = [_state(row) for at, row in looks if at <= time]
    return states[-1] if states else None


def _state(row: Socket | None) -> State:
    return State.CLOSED if row is None else row.state


def _steps(name: str, looks: _Looks) -> Iterable[Step]:
    """What one end was seen in, and what it must have passed through."""
    before: Socket | None = None
    first = True
    for at, row in looks:
        state = _state(row)
        another = not first and row and (not before or row.cookie != before.cookie)
        said = say("watch_new") if another else ""
        was = None if first or another else _state(before)
        for passed in certain(was, state) if was else ():
            yield Step(
                at, name, Kind.CALL, passed, text=STATUS, edges=_edge(was, passed), inferred=True
            )
            was = passed
        seen = Step(at, name, Kind.CALL, state, text=STATUS, says=said, edges=_edge(was, state))
        if row is not None and row.timer and row.left is not None:
            seen = seen._replace(timers=(Timer(row.timer, at, at + row.left),))
        yield seen
        before, first = row, False


_MOVES: Final = {
    (edge.source, edge.target)
    for edge in TRANSITIONS
    if not edge.rare and edge.source != edge.target
}


@cache
def certain(before: State, after: State) -> tuple[State, ...]:
    """The states that every way from one to the other leads through, in order.

    A connection that was gone in between would be another one; so no way leads through CLOSED.

    >>> certain(State.ESTABLISHED, State.LAST_ACK), certain(State.ESTABLISHED, State.TIME_WAIT)
    ((<State.CLOSE_WAIT: 'CLOSE-WAIT'>,), (<State.FIN_WAIT_1: 'FIN-WAIT-1'>,))
    """
    ways: list[tuple[State, ...]] = []
    pending: list[tuple[State, ...]] = [(before,)]
    while pending:
        way = pending.pop()
        for source, target in _MOVES:
            if source is not way[-1] or target in way:
                continue
            if target is after:
                ways.append(way[1:])
            elif target not in (State.CLOSED, State.LISTEN):
                pending.append((*way, target))
    if not ways or before is after:
        return ()
    shared = set.intersection(*map(set, ways))
    return tuple(state for state in min(ways, key=len) if state in shared)


def _edge(before: State | None, after: State) -> tuple[str, ...]:
    """The move between two states, where there is only one that is not rare."""
    moves = [e for e in TRANSITIONS if (e.source, e.target) == (before, after) and not e.rare]
    return (moves[0].id,) if len(moves) == 1 and moves[0] in FIGURE_5 else ()
