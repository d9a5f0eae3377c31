"""The way of each end through the state diagram, read off a Trace.

Knows moves, states, and in which of the diagram's boxes an end was. Must not know how that is
drawn.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice, takewhile
from typing import Final, NamedTuple

from tcpviz.pictures.figure_5 import AGAIN, TOP, Part, box_at, edges_on, places
from tcpviz.segment import ACK, SYN
from tcpviz.states import DIRECT, TRANSITIONS, Edge, Event, Opened, State, transition
from tcpviz.steps import Kind
from tcpviz.trace import Trace
from tcpviz.words import say

__all__ = ["Move", "Path", "opened", "paths_of", "usual_paths"]


_KNOWN: Final = {edge.id: edge for edge in (*TRANSITIONS, *DIRECT)}


class Move(NamedTuple):
    """An edge that an end took in a step of the trace; `number` counts the moves told of.

    `did` is its label where the run did not what Figure 5 writes: each SYN and each ACK apart.
    """

    edge: Edge
    number: int
    end: str
    step: int
    time: int  # ns
    inferred: bool
    did: tuple[str, ...] = ()


class Path(NamedTuple):
    """The way of an end: its `edges`, its moves in order, its states in order.

    `boxes` are those it was in as far as a trace tells; `box` is where it is when the trace ends,
    "" where its states are not known. A path that is of no trace has neither boxes nor moves.
    `nth` is the end's place among the ends of its trace.
    """

    name: str
    nth: int
    edges: frozenset[str]
    states: tuple[State, ...]
    moves: tuple[Move, ...] = ()
    boxes: frozenset[str] = frozenset()
    box: str = ""

    @property
    def mark(self) -> str:
        """The class of what belongs to this end.

        >>> Path("10.0.0.1:80", 0, frozenset(), ()).mark
        'end_10_0_0_1_80'
        """
        return _mark(self.name)


@lru_cache(maxsize=256)
def _mark(name: str) -> str:
    return "end_" + re.sub(r"\W", "_", name)


def paths_of(trace: Trace, only: str | None = None, part: Part | None = None) -> tuple[Path, ...]:
    """The path of each end of a trace, or of the one named, as far as it is on the sheet.

    KeyError names the ends there are, ValueError a step that takes an edge TCP does not have.
    """
    if only is not None:
        trace.end(only)
    moves = _moves(trace, only)
    return tuple(
        _path(trace, nth, tuple(move for move in moves if move.end == end.name), part)
        for nth, end in enumerate(trace.ends)
        if only in (None, end.name)
    )


def _moves(trace: Trace, only: str | None) -> list[Move]:
    moves: list[Move] = []
    for index, step in enumerate(trace.steps):
        for name in step.moves if only in (None, step.end) else ():
            if name not in _KNOWN:
                raise ValueError(f"steps[{index}] takes an edge that TCP does not have: {name!r}")
            number = len(moves) + 1
            edge, did = _KNOWN[name], _did(trace, index, _KNOWN[name])
            moves.append(Move(edge, number, step.end, index, step.time, step.inferred, did))
    return moves


def _did(trace: Trace, index: int, edge: Edge) -> tuple[str, ...]:
    """The label of a move that another call or another segment makes than in Figure 5; else ().

    A SYN travels without its ACK, a half-duplex CLOSE resets as ABORT does.
    """
    step, event, sends = trace.steps[index], edge.event, edge.sends
    if event is Event.ABORT and step.text == Event.CLOSE_HALF_DUPLEX:
        event = Event.CLOSE_HALF_DUPLEX
    if event is Event.RCV_SYN_ACK and step.segment and step.segment.ctl & (SYN | ACK) == SYN:
        event = Event.RCV_SYN
    if sends == "SYN,ACK":
        now = takewhile(lambda each: each.time == step.time, islice(trace.steps, index, None))
        answers = [
            each.segment
            for each in now
            if each.end == step.end and each.kind is Kind.DEPART and each.segment
        ]
        if answers and not any(each.ctl & (SYN | ACK) == SYN | ACK for each in answers):
            sends = say("list_comma").join(f"snd {each.control}" for each in answers)
            return str(event), sends
    if event is edge.event:
        return ()
    did = (str(event), f"snd {sends}") if sends else (str(event),)
    # several labels below each other: one line each
    return (", ".join(did),) if places()[edge.id].shared and not edge.rare else did


def _path(trace: Trace, nth: int, moves: tuple[Move, ...], part: Part | None) -> Path:
    name = trace.ends[nth].name
    states = [span.state for span in trace.spans(name)]
    if moves and states[:1] != [moves[0].edge.source]:
        states.insert(0, moves[0].edge.source)  # no step showed the state before the first move
    box = _box(states[-1], part) if states else ""
    place_of = places(part)
    if box == TOP and moves and moves[-1].edge.target is State.CLOSED:
        box = box_at(place_of[moves[-1].edge.id].route[-1])  # CLOSED has two boxes
    on_sheet = edges_on(part)
    moves = tuple(move for move in moves if move.edge.id in on_sheet)
    routes = [place_of[move.edge.id].route for move in moves]
    boxes = {box_at(point) for route in routes for point in (route[0], route[-1])}
    boxes |= {_box(state) for state in states if state is not State.CLOSED} | {box} - {""}
    edges = frozenset(move.edge.id for move in moves)
    return Path(name, nth, edges, tuple(states), moves, frozenset(boxes), box)


def _box(state: State, part: Part | None = None) -> str:
    return AGAIN if state is State.CLOSED and part == "close" else f"state_{state.name}"


def opened(path: Path) -> Opened | None:
    """How an end that is in SYN-RECEIVED came there."""
    if path.states[-1:] != (State.SYN_RECEIVED,):
        return None
    before = path.states[-2] if len(path.states) > 1 else None
    return _OPENED.get(before) if before else None


_OPENED: Final[dict[State, Opened]] = {
    State.LISTEN: "passive",
    State.SYN_SENT: "active",
    State.TIME_WAIT: "reopened",
}


def usual_paths(part: Part | None = None) -> tuple[Path, ...]:
    """The two ways most connections go, where the active opener closes first."""
    e = Event
    active = (e.ACTIVE_OPEN, e.RCV_SYN_ACK, e.CLOSE, e.RCV_ACK_OF_FIN, e.RCV_FIN)
    passive = (e.PASSIVE_OPEN, e.RCV_SYN, e.RCV_ACK_OF_SYN, e.RCV_FIN, e.CLOSE, e.RCV_ACK_OF_FIN)
    return (
        _usual(say("diagram_active"), 0, (*active, e.TIME_WAIT_TIMEOUT), part),
        _usual(say("diagram_passive"), 1, passive, part),
    )


def _usual(name: str, nth: int, events: Iterable[Event], part: Part | None) -> Path:
    state, edges = State.CLOSED, []
    for event in events:
        edge = transition(state, event)
        assert edge is not None  # Figure 5 has these ways
        state = edge.target
        if edge.id in edges_on(part):
            edges.append(edge)
    states = (edges[0].source, *(edge.target for edge in edges))
    return Path(name, nth, frozenset(edge.id for edge in edges), states)
