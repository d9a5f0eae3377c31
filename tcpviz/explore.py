"""Does it always work? Every behaviour of a network within budgets, or a shortest failing run.

Where `simulate` runs one scenario once, `explore` takes the two ends of a scenario and visits every
order of calls and deliveries, with every loss, duplicate, old segment and spurious timeout that the
budgets allow. It reports what it finds. Knows no picture.

Time is abstracted: a segment may be as slow as it likes, a call may come whenever TCP accepts it.
RTO expires freely when nothing is in flight, and while something is at the cost of one spurious
timeout. 2MSL is over when nothing is in flight and no RTO of the peer runs, which is what it is
for; 2MSL no longer than the peer's RTO may be over at any time, and one of 0 is over at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Final, Literal

from tcpviz.exploring.replay import replay
from tcpviz.exploring.search import AGREEMENT, NETWORK, STRANDED, Run, Search
from tcpviz.exploring.side import (
    ALLOWED,
    NO_GHOST,
    NO_OLD_DATA,
    ORDERLY_CLOSE,
    TIME_WAIT_LASTS,
    host,
    leftovers,
)
from tcpviz.scenario import RESTART, At, Scenario
from tcpviz.states import State
from tcpviz.trace import Trace
from tcpviz.words import say

PROPERTIES: Final[tuple[str, ...]] = (
    NO_GHOST,
    NO_OLD_DATA,
    STRANDED,
    AGREEMENT,
    ORDERLY_CLOSE,
    TIME_WAIT_LASTS,
)
"""What is looked for, by name; `words.py` says each in a sentence."""

OPEN_AND_CLOSE: Final = Scenario(
    "open and close",
    "The server opens and waits, the client opens, and each closes when it likes.",
    calls=(
        At(0, "server", "passive OPEN"),
        At(0, "client", "active OPEN"),
        At(0, "client", "CLOSE"),
        At(0, "server", "CLOSE"),
    ),
    client_iss=(100, 110),
    server_iss=(300, 310),
)
"""What `explore` explores unless told otherwise. Every open has a higher ISS than the last."""


class Found:
    """A run that the search found: its moves, and the Trace that they make with a clock."""

    def __init__(self, moves: Run, write: Callable[[Run], Trace]) -> None:
        self.moves = moves
        self._write = write

    @cached_property
    def trace(self) -> Trace:
        """The run as a Trace that draws like any other."""
        return self._write(self.moves)


class Failure(Found):
    """The shortest run that breaks a property.

    `onward` are moves after it, where it takes them to see what is wrong: the trace has them too.
    """

    def __init__(self, moves: Run, write: Callable[[Run], Trace], onward: Run = ()) -> None:
        super().__init__(moves, write)
        self.onward = onward

    @cached_property
    def trace(self) -> Trace:
        """The run and its onward moves as a Trace."""
        return self._write(self.moves + self.onward)

    def __repr__(self) -> str:
        return f"<Failure {say('explore_fails', count=len(self.moves))}>"


Kind = Literal["never", "reachable", "quiet"]


class Cell(Found):
    """A pair of states: never met, reachable, or quiet, and a shortest run that shows it.

    It is quiet where nothing may be in flight and no timer run: the two stay there until a user
    calls. The run of a quiet cell ends quiet.
    """

    def __init__(self, kind: Kind, moves: Run, write: Callable[[Run], Trace]) -> None:
        super().__init__(moves, write)
        self.kind = kind

    def __repr__(self) -> str:
        return f"<Cell {self.kind}>"


@dataclass(frozen=True)
class Exploration:
    """What a search found. `bound` says what stopped it, where it is not `complete`.

    `states` are the joint states visited: both ends, everything in flight, what is left of the
    budgets. `map` has a Cell for each pair of client's and server's State.
    """

    states: int
    bound: str
    budgets: dict[str, int]
    failures: dict[str, Failure]
    map: dict[tuple[State, State], Cell]

    @property
    def complete(self) -> bool:
        """Whether everything within the budgets was visited."""
        return not self.bound

    def holds(self, name: str) -> bool:
        """Whether a property holds: the search was complete and found no run that breaks it."""
        if name not in PROPERTIES:
            raise ValueError(f"name: {name!r} is not one of {', '.join(PROPERTIES)}")
        return self.complete and name not in self.failures

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> Iterator[str]:
        budgets = _in_words(self.budgets)
        key = "explore_complete" if self.complete else "explore_stopped"
        yield say(key, states=f"{self.states:,}", budgets=budgets, bound=self.bound)
        width = max(map(len, PROPERTIES))
        for name in PROPERTIES:
            if name in self.failures:
                result = say("explore_fails", count=len(self.failures[name].moves))
            else:
                result = say("explore_holds" if self.complete else "explore_unseen")
            yield f"{name:{width}}  {result}"
        yield say("explore_orderly_is")
        kinds = [cell.kind for cell in self.map.values()]
        counts = {kind: kinds.count(kind) for kind in ("never", "reachable", "quiet")}
        yield say("explore_cells", cells=len(kinds), **counts)


def explore(
    scenario: Scenario = OPEN_AND_CLOSE,
    *,
    losses: int = 1,
    duplicates: int = 1,
    old: int = 1,
    spurious: int = 1,
    allow: Iterable[str] | Mapping[str, int] = (),
    most: int = 2_000_000,
) -> Exploration:
    """Visit everything that can happen to the two ends of a scenario, shortest runs first.

    The scenario gives the calls of each end in their order, its reactions, and the settings; its
    times are left open, and the network is the explorer's. `losses`, `duplicates` and `spurious`
    (RTO expires although something is in flight) say how often each may happen; `old` how many
    segments of an earlier connection may turn up, at either end at any time: a SYN or SYN,ACK, an
    ACK, data, a FIN or a RST, with the numbers of the ISS before. `allow` adds moves of the ends,
    once each or as often as a mapping says: ABORT, crash (the TCB is gone, nothing is sent), give
    up (RTO expires for the last time, USER TIMEOUT), user timeout (at any time), reopen (the calls
    are made again after the connection is gone). At most `most` joint states are visited.

    With one of each fault the scenario given by default has some 320,000 joint states, which takes
    about ten seconds. Every call, reopen and fault more multiplies that. A search that reaches
    `most` (by default 2,000,000, about a minute) says so in `bound` and is not `complete`: give it
    smaller budgets, or more. A budget bounds what can be found: that data of an earlier connection
    reaches a server that is ESTABLISHED with nobody takes `old=2`, a SYN and the data.

    ValueError (of another kind of thing, TypeError) names the argument that cannot be.

    >>> explore(losses=0, duplicates=0, old=0, spurious=0).states
    160
    """
    if not isinstance(scenario, Scenario):
        raise TypeError(f"scenario: {scenario!r} is not a Scenario")
    for index, call in enumerate(scenario.calls):
        if call.call == RESTART:
            raise ValueError(
                f"calls[{index}].call: explore knows no restart: a crashed end may open again"
            )
    if scenario.network:
        raise ValueError("scenario: its network must be empty: explore tries what a network can do")
    counts = dict(zip(NETWORK, (losses, duplicates, old, spurious), strict=True))
    for name, count in counts.items():
        _require(name, count, 0)
    _require("most", most, 1)
    budgets = counts | _allowed(allow)
    hosts = host(scenario, "client"), host(scenario, "server")
    visit = Search(hosts, (leftovers(scenario, "client"), leftovers(scenario, "server")), budgets)
    found = visit.visit(most)
    note = say("explore_within", budgets=_in_words(budgets))

    def writes(title: str, *more: str) -> Callable[[Run], Trace]:
        return lambda moves: replay(hosts, moves, title, (note, *more)).trace

    failures = {
        name: Failure(found.failures[name], writes(say(_key(name))))
        for name in PROPERTIES
        if name in found.failures
    }
    if found.round:
        ever = say("explore_round", count=len(found.round))
        run = found.failures[STRANDED]
        failures[STRANDED] = Failure(run, writes(say(_key(STRANDED)), ever), found.round)
    cells = {
        cell: _cell(found.reached.get(cell), found.rested.get(cell), writes(" / ".join(cell)))
        for cell in product(State, State)
    }
    bound = "" if found.complete else f"most: {most} states"
    return Exploration(found.states, bound, budgets, failures, cells)


def _cell(reached: Run | None, rested: Run | None, write: Callable[[Run], Trace]) -> Cell:
    if rested is not None:
        return Cell("quiet", rested, write)
    return Cell("never", (), write) if reached is None else Cell("reachable", reached, write)


def _allowed(allow: Iterable[str] | Mapping[str, int]) -> dict[str, int]:
    """How often each allowed move may happen."""
    if isinstance(allow, str):
        allow = (allow,)
    if not isinstance(allow, Iterable):
        raise TypeError(f"allow: {allow!r} is not one or more of {', '.join(ALLOWED)}")
    counts = dict(allow) if isinstance(allow, Mapping) else dict.fromkeys(allow, 1)
    for name, count in counts.items():
        if name not in ALLOWED:
            raise ValueError(f"allow: {name!r} is not one of {', '.join(ALLOWED)}")
        _require(f"allow[{name!r}]", count, 0)
    return {name: counts[name] for name in ALLOWED if name in counts}


def _require(name: str, count: Any, least: int) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or not least <= count < 1 << 24:
        raise ValueError(f"{name}: {count!r} is not a whole number, {least} or more")


def _in_words(budgets: Mapping[str, int]) -> str:
    """Budgets as a list for people; of what may never happen nothing is said."""
    words = (
        say(_key(name if name in NETWORK else "allowed"), name=name, count=count)
        for name, count in budgets.items()
        if count
    )
    return say("list_comma").join(words) or say("explore_faultless")


def _key(name: str) -> str:
    return "explore_" + name.lower().replace(" ", "_").replace("-", "_")
