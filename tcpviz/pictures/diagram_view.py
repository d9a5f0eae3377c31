"""What a state diagram shows: which edges of Figure 5 and beyond, whose way, on what the focus is.

Knows moves and paths. Must not know how that is drawn or told.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from tcpviz.pictures.figure_5 import EDGES, Part, edges_on
from tcpviz.pictures.paths import Path, opened, paths_of, usual_paths
from tcpviz.states import State
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say


class View(NamedTuple):
    """What a diagram shows: the edges it draws, by id, and the paths through them.

    With a focus, `state` is the one it is on, `ahead` the edges that lead on from there and
    `behind` those of Figure 5 that lead there; a focus on an end has its path instead. What comes
    after `at` is not shown.
    """

    title: str
    part: Part | None
    edges: tuple[str, ...]
    paths: tuple[Path, ...]
    state: State | None = None
    ahead: frozenset[str] = frozenset()
    behind: frozenset[str] = frozenset()
    notes: bool = False
    trace: Trace | None = None
    at: int | None = None  # ns


def of_figure(
    end: str | None, at: int | None, focus: str | None, part: Part | None, *, omitted: bool
) -> View:
    """What is shown without a trace."""
    for name, value in (("end", end), ("at", at)):
        if value is not None:
            raise ValueError(f"{name}={value!r}: there are no ends and no times without a trace")
    title = say(f"diagram_{part}" if part else "diagram")
    if focus is None:
        paths = usual_paths(part)
        return View(title, part, _drawn(paths, part, omitted=omitted), paths, notes=omitted)
    if focus not in list(State):
        raise ValueError(f"focus={focus!r}: without a trace it is one of {', '.join(State)}")
    state = State(focus)
    ahead = frozenset(
        name for name in edges_on(part) if EDGES[name].source is state and not EDGES[name].rare
    )
    behind = frozenset(
        name for name in edges_on(part) if EDGES[name].target is state and EDGES[name].drawn
    )
    edges = _drawn((), part, ahead, omitted=omitted)
    title = say("diagram_from", state=state)
    return View(title, part, edges, (), state, ahead, behind, notes=omitted)


def of_trace(
    trace: Trace,
    end: str | None,
    at: int | None,
    focus: str | None,
    part: Part | None,
    *,
    omitted: bool,
) -> View:
    """What is shown of a trace."""
    if focus is not None and end is not None:
        raise ValueError(f"end={end!r}: focus={focus!r} shows one end alone already")
    if at is not None:
        trace = replace(trace, steps=tuple(step for step in trace.steps if step.time <= at))
    paths = paths_of(trace, end if focus is None else focus, part)
    state, ahead = None, frozenset[str]()
    if focus is not None and paths[0].states:
        state, how = paths[0].states[-1], opened(paths[0])
        ahead = frozenset(
            name
            for name in edges_on(part)
            for edge in (EDGES[name],)
            if edge.source is state
            and not edge.rare
            and not (how and edge.opened not in (None, how))
        )
        title = say("diagram_on", title=trace.title, end=focus, state=state)
    else:
        names = ", ".join(path.name for path in paths)
        title = say("diagram_of", title=trace.title, ends=names)
    title = title.removeprefix(": ")
    if at is not None:
        title = say("diagram_at", title=title, time=readable(at))
    edges = _drawn(paths, part, ahead, omitted=omitted)
    return View(title, part, edges, paths, state, ahead, notes=omitted, trace=trace, at=at)


def _drawn(
    paths: Iterable[Path], part: Part | None, ahead: Iterable[str] = (), *, omitted: bool
) -> tuple[str, ...]:
    """The ids of the edges that are drawn."""
    wanted = edges_on(part)
    taken = frozenset(ahead).union(*(path.edges for path in paths))
    return tuple(
        name
        for name, edge in EDGES.items()
        if name in wanted and (edge.drawn or name in taken or (omitted and not edge.rare))
    )
