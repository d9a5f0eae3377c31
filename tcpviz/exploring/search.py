"""Visiting the joint states of two ends and what is in flight between them, shortest runs first.

Knows what a network may do (deliver in any order, lose, duplicate, bring up what is old) and when
a timer may expire; what an end makes of it, `side` says. An end with what is in flight to it is a
half of a joint state. Halves, segments and moves are numbered, each distinct value once: whatever
can happen to a half is worked out once for all joint states that share it, and a joint state is one
number.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Generic, NamedTuple, TypeVar

from tcpviz.exploring.side import (
    ALLOWED,
    ORDERLY_CLOSE,
    Host,
    Move,
    Sent,
    Side,
    calls_possible,
    happen,
    suffers,
    timeless,
)
from tcpviz.states import State
from tcpviz.tcb import RTO, TWO_MSL

STRANDED: Final = "nobody stranded"
AGREEMENT: Final = "quiet agreement"
NETWORK: Final = ("losses", "duplicates", "old", "spurious")
"""What the network does within a budget; a spurious timeout is its slowness."""

Cell = tuple[State, State]
Run = tuple[Move, ...]

_RESTING: Final = (State.CLOSED, State.LISTEN)
_FREE: Final = 0
_RTO_ROW: Final = -1
_2MSL_ROW: Final = -2
_UNSEEN: Final = -1
_HALF: Final = 24
_LEFT: Final = 16
"""Bits of a joint state's number: its two halves, then what is left of the budgets."""

_HALF_MASK: Final = (1 << _HALF) - 1
_LEFT_MASK: Final = (1 << _LEFT) - 1

_T = TypeVar("_T")


class Visit(NamedTuple):
    """What a search found; a run is the moves that lead there from the start.

    `round` is how it goes on for ever where somebody is stranded: to a joint state and, by its last
    moves, to the same again.
    """

    states: int
    complete: bool
    failures: dict[str, Run]
    round: Run
    reached: dict[Cell, Run]
    rested: dict[Cell, Run]


class _Half(NamedTuple):
    """One end, and the numbers of the segments in flight to it, sorted."""

    side: int
    wire: tuple[int, ...]


class _Row(NamedTuple):
    """What a move costs, the half after it, what was sent (0: nothing), the move, broken."""

    cost: int
    half: int
    out: int
    move: int
    breaks: tuple[str, ...]


class _Numbered(Generic[_T]):
    """Values and their numbers, in order of appearance."""

    def __init__(self) -> None:
        self.numbers: dict[_T, int] = {}
        self.values: list[_T] = []

    def __call__(self, value: _T) -> int:
        found = self.numbers.setdefault(value, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found


class _Ahead(NamedTuple):
    """What the search needs to know of a half at every visit."""

    rows: list[_Row]
    state: State
    empty: bool  # nothing in flight to it
    timers: bool  # some timer runs
    retransmits: bool  # RTO is one of them
    calls: bool  # its application still has a call to make
    leaves: _Row | None  # TIME-WAIT that is left at once
    long: bool  # its 2MSL outlasts the peer's RTO


class Search:
    """A search over everything that can happen to two hosts within budgets.

    `old` is what may turn up at each end from an earlier connection. `budgets` says how often each
    of NETWORK and of the allowed moves may happen.
    """

    def __init__(
        self,
        hosts: tuple[Host, Host],
        old: tuple[tuple[Sent, ...], tuple[Sent, ...]],
        budgets: Mapping[str, int],
    ) -> None:
        self.hosts = hosts
        self.old = old
        self.costs = {name: index for index, name in enumerate(budgets, 1)}
        self.sides: _Numbered[Side] = _Numbered()
        self.sents: _Numbered[Sent] = _Numbered()
        self.moves: _Numbered[Move] = _Numbered()
        self.outs: _Numbered[tuple[int, ...]] = _Numbered()
        self.outs(())
        self.halves: tuple[_Numbered[_Half], _Numbered[_Half]] = (_Numbered(), _Numbered())
        self.changes: dict[tuple[int, int], tuple[int, int, tuple[str, ...]]] = {}
        ways, self.spent = _ways_to_spend(tuple(budgets.values()))
        spoils = [name in ALLOWED and name != "reopen" for name in budgets]
        self.orderly = [
            not any(bad and n < m for bad, n, m in zip(spoils, way, ways[0], strict=True))
            for way in ways
        ]

    def visit(self, most: int) -> Visit:
        """Visit joint states level by level, `most` of them."""
        starts = [
            halves(_Half(self.sides(host.side), ()))
            for halves, host in zip(self.halves, self.hosts, strict=True)
        ]
        start = (starts[0] << _HALF | starts[1]) << _LEFT
        index = {start: 0}
        order = [start]
        came, by = array("l", [0]), array("l", [-1])
        free, until = array("l"), array("l", [0])  # joint states one free move on, for each
        freely = array("l")  # the moves that lead there
        ahead: tuple[dict[int, _Ahead], dict[int, _Ahead]] = ({}, {})
        joined: tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]] = ({}, {})
        broken: dict[str, tuple[int, int]] = {}
        reached: dict[Cell, int] = {}
        rested: dict[Cell, int] = {}
        complete = True
        spurious, orderly = self.costs["spurious"], self.orderly
        for here, joint in enumerate(order):  # grows
            spent = self.spent[joint & _LEFT_MASK]
            numbers = joint >> _LEFT + _HALF, joint >> _LEFT & _HALF_MASK
            try:
                ends = ahead[0][numbers[0]], ahead[1][numbers[1]]
            except KeyError:
                ends = self._ahead(ahead[0], 0, numbers[0]), self._ahead(ahead[1], 1, numbers[1])
            client, server = ends
            empty = client.empty and server.empty
            cell = client.state, server.state
            if cell not in reached:
                reached[cell] = here
            if empty and not client.timers and not server.timers:
                rested.setdefault(cell, here)
                agreed = (cell[0] is State.ESTABLISHED) is (cell[1] is State.ESTABLISHED)
                if not agreed and not client.calls and not server.calls:
                    broken.setdefault(AGREEMENT, (here, -1))
            for which in (0, 1):
                mine, peer, peers = ends[which], ends[1 - which], numbers[1 - which]
                if peer.leaves and not (which == 0 and mine.leaves):
                    continue
                join = joined[1 - which]
                for told, half, out, move, breaks in (mine.leaves,) if mine.leaves else mine.rows:
                    cost = told
                    if told == _RTO_ROW:
                        cost = _FREE if empty else spurious
                    elif told == _2MSL_ROW:
                        if mine.long and (peer.retransmits or not empty):
                            continue
                        cost = _FREE
                    left = spent[cost]
                    if left < 0:
                        continue
                    for name in breaks:
                        if name != ORDERLY_CLOSE or orderly[left]:
                            broken.setdefault(name, (here, move))
                    facing = peers
                    if out:
                        try:
                            facing = join[peers, out]
                        except KeyError:
                            facing = join[peers, out] = self._join(1 - which, peers, out)
                    both = facing << _HALF | half if which else half << _HALF | facing
                    after = both << _LEFT | left
                    number = index.get(after)
                    if number is None:
                        if len(order) >= most:
                            complete = False
                            number = _UNSEEN
                        else:
                            number = index[after] = len(order)
                            order.append(after)
                            came.append(here)
                            by.append(move)
                    if cost == _FREE:
                        free.append(number)
                        freely.append(move)
            until.append(len(free))
        stranded = self._stranded(order, free, until)
        around: list[int] = []
        if stranded is not None:
            broken[STRANDED] = (stranded, -1)
            around = _round(stranded, free, freely, until)

        def run(where: int, last: int = -1) -> Run:
            moves = [last] if last >= 0 else []
            while where:
                moves.append(by[where])
                where = came[where]
            return tuple(self.moves.values[move] for move in reversed(moves))

        return Visit(
            len(order),
            complete,
            {name: run(*where) for name, where in broken.items()},
            tuple(self.moves.values[move] for move in around),
            {cell: run(where) for cell, where in reached.items()},
            {cell: run(where) for cell, where in rested.items()},
        )

    def _ahead(self, known: dict[int, _Ahead], which: int, number: int) -> _Ahead:
        """What can happen to a half, and what to know of it."""
        if number in known:
            return known[number]
        side, wire = self.halves[which].values[number]
        value = self.sides.values[side]
        timers = {timer.name for timer in value.end.deadlines}
        msl = self.hosts[which].settings.msl
        rows = list(self._rows(which, side, wire))
        known[number] = _Ahead(
            rows,
            value.end.state,
            not wire,
            bool(timers),
            RTO in timers,
            bool(value.calls or value.due),
            next((row for row in rows if row.cost == _2MSL_ROW and not msl), None),
            2 * msl > self.hosts[1 - which].settings.rto,
        )
        return known[number]

    def _rows(self, which: int, side: int, wire: tuple[int, ...]) -> Iterator[_Row]:
        """All that can happen at one end, given what is in flight to it."""
        name, value = self.hosts[which].name, self.sides.values[side]

        def row(cost: int, move: Move, flying: tuple[int, ...] = wire) -> _Row:
            known = self.moves(move)
            after, out, broken = self._change(which, side, known)
            return _Row(cost, self.halves[which](_Half(after, flying)), out, known, broken)

        for each in dict.fromkeys(wire):
            at, sent = wire.index(each), self.sents.values[each]
            rest = wire[:at] + wire[at + 1 :]
            yield row(_FREE, Move("deliver", name, sent), rest)
            yield row(self.costs["duplicates"], Move("copy", name, sent))
            lost = self.moves(Move("lose", name, sent))
            yield _Row(self.costs["losses"], self.halves[which](_Half(side, rest)), 0, lost, ())
        for call in calls_possible(value):
            yield row(_FREE, Move("call", name, call=call))
        for timer in value.end.deadlines:
            cost = {RTO: _RTO_ROW, TWO_MSL: _2MSL_ROW}.get(timer.name, _FREE)
            yield row(cost, Move("expire", name, timer=timer.name))
        for sent in self.old[which]:
            yield row(self.costs["old"], Move("old", name, sent))
        for what, cost in self.costs.items():
            if what not in NETWORK and suffers(value, what):
                yield row(cost, Move(what, name))

    def _change(self, which: int, side: int, move: int) -> tuple[int, int, tuple[str, ...]]:
        """What a move makes of an end: the end after it, what it sent, what it broke."""
        key = side, move
        found = self.changes.get(key)
        if found is None:
            value = self.sides.values[side], self.moves.values[move]
            change = happen(self.hosts[which], *value, 0)
            after = self.sides(change.side._replace(end=timeless(change.side.end)))
            out = self.outs(tuple(self.sents(sent) for sent in change.sent))
            found = self.changes[key] = after, out, change.broken
        return found

    def _join(self, which: int, number: int, out: int) -> int:
        """A half to which something more is in flight; the order does not matter."""
        side, wire = self.halves[which].values[number]
        return self.halves[which](_Half(side, tuple(sorted(wire + self.outs.values[out]))))

    def _stranded(self, order: list[int], free: "array[int]", until: "array[int]") -> int | None:
        """The first joint state from which the two cannot come to rest without another fault.

        One where nothing can happen any more goes before one where nothing is in flight, and that
        before one that only leads there. What was not visited is given the benefit of the doubt.
        """
        rests = [
            [self.sides.values[half.side].end.state in _RESTING for half in halves.values]
            for halves in self.halves
        ]
        fine = bytearray(
            rests[0][joint >> _LEFT + _HALF] and rests[1][joint >> _LEFT & _HALF_MASK]
            for joint in order
        )
        fine.append(1)  # at -1, which is _UNSEEN
        doubtful = [here for here in range(len(order) - 1, -1, -1) if not fine[here]]
        while True:  # most moves lead forward, so that nearly all is settled the first time
            still = []
            for here in doubtful:
                for onward in free[until[here] : until[here + 1]]:
                    if fine[onward]:
                        fine[here] = 1
                        break
                else:
                    still.append(here)
            if len(still) == len(doubtful):
                break
            doubtful = still

        def goes_on(here: int) -> tuple[bool, bool, int]:
            numbers = order[here] >> _LEFT + _HALF, order[here] >> _LEFT & _HALF_MASK
            flying = any(h.values[n].wire for h, n in zip(self.halves, numbers, strict=True))
            return until[here] != until[here + 1], flying, here

        return min(still, key=goes_on, default=None)


def _round(start: int, free: "array[int]", freely: "array[int]", until: "array[int]") -> list[int]:
    """Free moves from a joint state to the nearest that comes again, and once around to it."""

    def way(here: int, there: Callable[[int], object]) -> list[tuple[int, int]]:
        """The shortest way on to a joint state: each with the edge that leads to it."""
        came = {here: (-1, -1)}
        order = [here]

        def back(passed: int) -> Iterator[tuple[int, int]]:
            while passed != here:
                yield passed, came[passed][1]
                passed = came[passed][0]

        for before in order:  # grows
            for edge in range(until[before], until[before + 1]):
                onward = free[edge]
                if there(onward):
                    steps = [(onward, edge), *back(before)]
                    return steps[::-1]
                if onward != _UNSEEN and onward not in came:
                    came[onward] = before, edge
                    order.append(onward)
        return []

    def around(here: int) -> list[tuple[int, int]]:
        return way(here, here.__eq__)

    first = [] if around(start) else way(start, lambda here: here != _UNSEEN and around(here))
    turn = around(first[-1][0] if first else start)
    return [freely[edge] for _, edge in (*first, *turn)] if turn else []


def _ways_to_spend(budget: tuple[int, ...]) -> tuple[list[tuple[int, ...]], list[list[int]]]:
    """What can be left of the budgets, and the number of what each cost leaves (-1: too dear)."""
    left = _Numbered[tuple[int, ...]]()
    left(budget)
    spent = []
    for counts in left.values:  # grows
        less = ((*counts[:i], n - 1, *counts[i + 1 :]) for i, n in enumerate(counts))
        spent.append([left(counts), *(left(each) if min(each) >= 0 else -1 for each in less)])
    return left.values, spent
