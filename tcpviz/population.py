"""Many connections of one server in one simulation, and how many of them are where, when.

The walk visits only the points where connections meet (a SYN at LISTEN, an ACK that ends
SYN-RECEIVED, a port taken or given back), in order of time; each way to go is simulated once.
Nothing is approximated: every connection can be opened as the Trace that `simulate` gives.

Simplifications: an application calls when its Scenario says, accepted or not; a port is free when
its client end is CLOSED, whatever the server's end does; a SYN that reopens TIME-WAIT passes by the
listener's queues.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from random import Random
from typing import Any, Final, NamedTuple

from tcpviz.listener import Listener, Queues
from tcpviz.runs import RANK, Point, Run, shifted
from tcpviz.scenario import ENDS, Lose, Name, Scenario, ScenarioError
from tcpviz.simulate import simulate
from tcpviz.states import State
from tcpviz.steps import Kind
from tcpviz.timeline import Stretch, Timeline, stretches
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say


class Member(NamedTuple):
    """One connection of the population: its Scenario begins at `start`, in ns."""

    start: int
    scenario: Scenario


class _Walk:
    """All members at once: the points of their runs in order of time."""

    def __init__(self, members: tuple[Member, ...], listener: Listener, ports: int | None) -> None:
        self.members = members
        self.runs = _first_runs(members)
        self.queues = Queues(listener)
        self.waiting: deque[int] = deque()  # who is in the accept queue, in order
        self.calls = int(isinstance(listener.accepts, int))  # accepts that wait for somebody
        self.free = ports
        self.without_port: list[int] = []
        self.admitted: dict[int, int] = {}
        self.accepted: dict[int, int] = {}
        self.queued: list[tuple[int, int]] = []  # how long the accept queue was from when on
        self.heap = [
            (member.start + run.points[0].time, run.points[0].rank, index, 0)
            for index, (member, run) in enumerate(zip(members, self.runs, strict=True))
            if run.points
        ]
        if isinstance(listener.accepts, tuple):
            self.heap += [(time, RANK[Kind.CALL], len(members), 0) for time in listener.accepts]
        heapq.heapify(self.heap)
        self._walk()

    def _walk(self) -> None:
        heap, runs, members = self.heap, self.runs, self.members
        while heap:
            now, _, member, index = heap[0]
            if member == len(members):
                heapq.heappop(heap)
                self.calls += 1
                self._accept(now)
                continue
            point = runs[member].points[index]
            other = self._meet(runs[member], point, member, now)
            if other is None:
                index += 1
            else:  # the same run up to here, so its next point has the same index
                runs[member] = other
            points = runs[member].points
            if index < len(points):
                time = members[member].start + points[index].time
                heapq.heapreplace(heap, (time, points[index].rank, member, index))
            else:
                heapq.heappop(heap)
            self._accept(now)

    def _meet(self, run: Run, point: Point, member: int, now: int) -> Run | None:
        """What happens at the point, and the run that goes on from it where it is another one."""
        what = point.what
        if what == "SYN":
            full = self.queues.rcv_syn()
            return run.refused(point, full) if full else None
        if what in ("ACK", "cookie"):
            full = self.queues.rcv_ack(of_cookie=what == "cookie")
            if full:
                return run.refused(point, full)
            self.waiting.append(member)
            self.admitted.setdefault(member, now)
            self.queued.append((now, len(self.waiting)))
        elif what == "gone":
            self.queues.syn -= 1
        elif self.free is not None:
            if what == "port" and not self.free:
                self.without_port.append(member)
                return run.without_port(point)
            self.free += 1 if what == "closed" else -1
        return None

    def _accept(self, now: int) -> None:
        """The application takes what waits, the oldest first."""
        busy = self.queues.listener.accepts
        while self.waiting and self.calls:
            self.accepted.setdefault(self.waiting.popleft(), now)
            self.queues.accept -= 1
            self.queued.append((now, len(self.waiting)))
            if busy:  # who is never busy waits on
                self.calls -= 1
            if busy and isinstance(busy, int):
                heapq.heappush(self.heap, (now + busy, RANK[Kind.CALL], len(self.members), 0))


def _first_runs(members: tuple[Member, ...]) -> list[Run]:
    """The run of each member as if it were alone, simulated once for equal Scenarios."""
    runs: dict[Scenario, Run] = {}
    known: dict[int, Run] = {}  # by identity: a Scenario is slow to hash
    for index, (_, scenario) in enumerate(members):
        if id(scenario) in known:
            continue
        if scenario not in runs:
            try:
                runs[scenario] = Run(scenario, simulate(scenario))
            except ScenarioError as problem:
                raise ScenarioError(f"members[{index}].scenario: {problem}") from None
        known[id(scenario)] = runs[scenario]
    return [known[id(scenario)] for _, scenario in members]


@dataclass(frozen=True, repr=False)
class Population:
    """What became of the connections of one server; `population[k]` is the Trace of one of them.

    `admitted` and `accepted` say when, in ns, a member entered the accept queue and when the
    application took it; who never did is not in them. `without_port` are those whose OPEN found no
    port. `accept_queue` is the queue's length.
    """

    members: tuple[Member, ...]
    listener: Listener
    admitted: dict[int, int]
    accepted: dict[int, int]
    without_port: tuple[int, ...]
    accept_queue: Timeline
    runs: tuple[Run, ...]

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, index: int) -> Trace:
        """The Trace of one member at its true times."""
        index = range(len(self))[index]
        trace = self.runs[index].trace
        name = say("pop_member", number=index)
        title = f"{name}: {trace.title}" if trace.title else name
        return shifted(trace, self.members[index].start, title)

    def __iter__(self) -> Iterator[Trace]:
        return (self[index] for index in range(len(self)))

    def scenario(self, index: int) -> Scenario:
        """The Scenario of one member with the refusals it met: `simulate` runs it the same way.

        Times count from the member's own start. Who found no port has its own Scenario unchanged.
        """
        return self.runs[index].scenario

    @cached_property
    def refused(self) -> tuple[int, ...]:
        """The members of whom the listener refused a segment, perhaps let in by a later one."""
        return tuple(
            index
            for index, (member, run) in enumerate(zip(self.members, self.runs, strict=True))
            if len(run.scenario.network) > len(member.scenario.network)
        )

    @property
    def steps(self) -> int:
        """How many Steps all traces have together."""
        return sum(len(run.trace.steps) * len(starts) for run, starts in self._alike.items())

    @cached_property
    def _alike(self) -> dict[Run, list[int]]:
        """When the members of each distinct run start."""
        found: dict[Run, list[int]] = {}
        for member, run in zip(self.members, self.runs, strict=True):
            found.setdefault(run, []).append(member.start)
        return found

    def count(self, state: str, end: str) -> Timeline:
        """How many members have `end` in `state`, at each time.

        ValueError names an end or a state that there is not.
        """
        if end not in ENDS:
            raise ValueError(f"end: {end!r} is not one of {', '.join(ENDS)}")
        if state not in list(State):
            raise ValueError(f"state: {state!r} is not one of {', '.join(State)}")
        return self._counted(lambda run: stretches(run.trace, end, State(state)))

    @property
    def ports_in_use(self) -> Timeline:
        """How many ports of the client's host are taken, at each time."""
        return self._counted(lambda run: [run.port] if run.port else [])

    def _counted(self, stretches: Callable[[Run], Iterable[Stretch]]) -> Timeline:
        """The count of what each member does in these stretches of its run."""
        begins: list[int] = []
        ends: list[int] = []
        for run, starts in self._alike.items():
            for since, until in stretches(run):
                begins += [start + since for start in starts]
                if until is not None:
                    ends += [start + until for start in starts]
        return Timeline.counted(begins, ends)

    def __repr__(self) -> str:
        return f"<Population {say('pop_members', count=len(self))}, {self.steps} steps>"

    def __str__(self) -> str:
        line = "{:<34} {:>9}  {}"
        counts = [
            ("pop_all", len(self)),
            ("pop_admitted", len(self.admitted)),
            ("pop_refused", len(self.refused)),
            ("pop_no_port", len(self.without_port)),
        ]
        peaks = [
            *(
                (say("pop_state", state=state, end=end), self.count(state, end))
                for state, end in _SHOWN
            ),
            (say("pop_queue"), self.accept_queue),
            (say("pop_ports"), self.ports_in_use),
        ]
        lines = [line.format(say(key), count, "").rstrip() for key, count in counts]
        for name, found in peaks:
            at = say("pop_at", time=readable(found.peak_time)) if found.peak else ""
            lines.append(line.format(name, found.peak, at).rstrip())
        return "\n".join(lines)


_SHOWN: Final = (
    (State.SYN_RECEIVED, "server"),
    (State.CLOSE_WAIT, "server"),
    (State.TIME_WAIT, "client"),
    (State.TIME_WAIT, "server"),
)


def populate(
    members: Iterable[Member],
    listener: Listener = Listener(),  # noqa: B008 - a frozen value
    ports: int | tuple[int, int] | None = None,
) -> Population:
    """Run all members against one listener and from one client host with so many ports.

    `ports` is a count or the first and last port of the range (Linux: 32768, 60999); None is
    without end. ScenarioError names what cannot be run, `members[3].start`.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> crowd = populate([Member(0, SCENARIOS["close_wait"])] * 3, Listener(0, accepts=None))
    >>> sorted(crowd.admitted), crowd.refused, crowd.count("ESTABLISHED", "server").peak
    ([0], (1, 2), 1)
    """
    _require(isinstance(members, Iterable), "members", "a list of Members", members)
    all_members = tuple(members)
    for index, member in enumerate(all_members):
        where = f"members[{index}]"
        _require(isinstance(member, Member), where, "a Member", member)
        _require(_whole(member.start), f"{where}.start", "a time in ns, 0 or more", member.start)
        fine = isinstance(member.scenario, Scenario)
        _require(fine, f"{where}.scenario", "a Scenario", member.scenario)
    listener = _checked(listener)
    walk = _Walk(all_members, listener, _how_many(ports))
    return Population(
        all_members,
        listener,
        walk.admitted,
        walk.accepted,
        tuple(walk.without_port),
        Timeline.levels(walk.queued),
        tuple(walk.runs),
    )


def lossy(scenario: Scenario, rate: float, random: Random) -> Scenario:
    """The scenario in a network that loses each segment with probability `rate`.

    What the dice lose stands in the Scenario as `Lose`. They are cast for each segment that is sent
    when the connection is alone; what a full queue makes an end send beyond that is not lost.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> lossy(SCENARIOS["handshake"], 0.2, Random(1)).network
    (Lose(end='client', which='any', nth=1),)
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate: {rate!r} is not a probability below 1")
    cast = 0
    while True:
        sent = _senders(scenario)
        lost = next((n for n in range(cast, len(sent)) if random.random() < rate), None)
        if lost is None:
            return scenario
        cast = lost + 1
        fault = Lose(sent[lost], "any", sent[:cast].count(sent[lost]))
        scenario = replace(scenario, network=(*scenario.network, fault))


@lru_cache(maxsize=1024)
def _senders(scenario: Scenario) -> tuple[Name, ...]:
    """Who sends each segment, in order of departure."""
    steps = simulate(scenario).steps
    return tuple(name for s in steps for name in ENDS if s.kind is Kind.DEPART and s.end == name)


def _checked(listener: Listener) -> Listener:
    """The listener, if it can be."""
    _require(isinstance(listener, Listener), "listener", "a Listener", listener)
    for name in ("backlog", "syn_backlog"):
        value = getattr(listener, name)
        _require(_whole(value), f"listener.{name}", "a number, 0 or more", value)
    for name in ("cookies", "abort_on_overflow"):
        value = getattr(listener, name)
        _require(isinstance(value, bool), f"listener.{name}", "True or False", value)
    accepts = listener.accepts
    if isinstance(accepts, (list, tuple)):
        accepts = tuple(accepts)
    fine = all(map(_whole, accepts)) if isinstance(accepts, tuple) else accepts is None
    wanted = "None, a duration in ns, or the times of the accepts in ns"
    _require(fine or _whole(accepts), "listener.accepts", wanted, accepts)
    return listener._replace(accepts=accepts)


def _how_many(ports: Any) -> int | None:
    """The count of ports that a range holds."""
    wanted = "a count, or the first and last port"
    if isinstance(ports, tuple):
        fine = len(ports) == 2 and all(map(_whole, ports)) and ports[0] <= ports[1] < 1 << 16
        _require(fine, "ports", wanted, ports)
        return int(ports[1]) - int(ports[0]) + 1
    _require(ports is None or _whole(ports), "ports", wanted, ports)
    return None if ports is None else int(ports)


def _require(fine: bool, where: str, wanted: str, value: Any) -> None:
    if not fine:
        raise ScenarioError(f"{where}: {value!r} is not {wanted}")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
