"""The way of a Trace through the joint states: which pair of states its two ends are in, in order.

Knows Steps and moves. Must not know how anything is drawn.
"""

from typing import Final, NamedTuple

from tcpviz.states import DIRECT, TRANSITIONS, State
from tcpviz.trace import Trace
from tcpviz.words import say

__all__ = ["Pair", "Stop", "walk"]

Pair = tuple[State, State]
_EDGES: Final = {edge.id: edge for edge in (*TRANSITIONS, *DIRECT)}


class Stop(NamedTuple):
    """A pair of states, since when in ns, and the name of the end that moved into it."""

    pair: Pair
    time: int
    end: str = ""


def walk(trace: Trace) -> tuple[Stop, ...]:
    """The pairs of states that the two ends pass through, in order; each move is one stop.

    Who did nothing yet is CLOSED. ValueError where an end was not observed.
    """
    for end in trace.ends:
        if not end.observed:
            raise ValueError(f"path: {say('diagram_unknown', end=end.name)}")
    names = [end.name for end in trace.ends]
    if len(names) != 2:
        raise ValueError(f"path: a walk has two ends, not {len(names)}")
    now = [_first(trace, name) for name in names]
    stops = [Stop((now[0], now[1]), 0)]
    for step in trace.steps:
        if step.end not in names:
            continue
        nth = names.index(step.end)
        passed = [_EDGES[name].target for name in step.moves if name in _EDGES]
        passed += [step.state] if step.state is not None else []
        for state in passed:
            if state is not now[nth]:
                now[nth] = state
                stops.append(Stop((now[0], now[1]), step.time, step.end))
    return tuple(stops)


def _first(trace: Trace, name: str) -> State:
    """The state an end is in before its first step."""
    for step in trace.of(name):
        if step.edges and step.edges[0] in _EDGES:
            return _EDGES[step.edges[0]].source
        if step.state is not None:
            return step.state
    return State.CLOSED
