"""The views that `tcpviz draw` offers: which picture, of how many traces, with which options.

Knows what goes with what. Must not know how a source is read, or a picture written.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

from tcpviz.arguments import part, time
from tcpviz.explore import explore
from tcpviz.pictures import (
    Picture,
    compare,
    joint_state_map,
    sequence_chart,
    server_view,
    state_diagram,
    timelines,
)
from tcpviz.pictures.server_view import connections
from tcpviz.states import State
from tcpviz.timeline import count
from tcpviz.trace import Trace

__all__ = ["ViewError", "add_options", "draw", "takes"]

_COUNTED: Final = (State.ESTABLISHED, State.CLOSE_WAIT, State.TIME_WAIT)


class ViewError(ValueError):
    """What was asked for cannot be drawn; the message is one line."""


class _View(NamedTuple):
    """How it is drawn, of how many traces, which options it has, and what it shows."""

    draw: Callable[..., Picture]
    takes: Literal["one", "two", "all"]
    options: tuple[str, ...]
    shows: str


def _chart(trace: Trace, **how: Any) -> Picture:
    return sequence_chart(trace, **how)


def _states(trace: Trace, **how: Any) -> Picture:
    return state_diagram(trace, **how)


def _map(trace: Trace) -> Picture:
    """Its way among all that one loss and one duplicate can lead to."""
    found = explore(losses=1, duplicates=1, old=0, spurious=0)
    return joint_state_map(found, path=trace)


def _compare(one: Trace, other: Trace, **how: Any) -> Picture:
    return compare(one, other, **how)


def _server(*traces: Trace, end: str = "") -> Picture:
    return server_view(traces, end=end or _passive(traces))


def _timelines(*traces: Trace, end: str = "") -> Picture:
    end = end or _passive(traces)
    lines = {str(state): count(traces, state, end) for state in _COUNTED}
    return timelines(lines, title=connections(len(traces), end))


def _passive(traces: Sequence[Trace]) -> str:
    """The end at the right of the first trace."""
    return traces[0].ends[-1].name


_VIEWS: Final = {
    "chart": _View(
        _chart, "one", ("absolute", "options", "variables"), "the sequence chart, time to scale"
    ),
    "states": _View(
        _states,
        "one",
        ("at", "end", "focus", "omitted", "part"),
        "the way of each end through the state diagram",
    ),
    "map": _View(_map, "one", (), "its way through the pairs of states that there can be"),
    "compare": _View(_compare, "two", ("absolute",), "two charts side by side, what differs"),
    "server": _View(_server, "all", ("end",), "one end of all connections side by side"),
    "timelines": _View(_timelines, "all", ("end",), "how many connections are in a state"),
}


def takes(view: str) -> Literal["one", "two", "all"]:
    """How many traces it draws."""
    return _VIEWS[view].takes


def add_options(parser: ArgumentParser) -> None:
    """Give a command the choice of views, and their options."""
    told = "; ".join(f"{name}: {view.shows}" for name, view in _VIEWS.items())
    parser.add_argument("--view", choices=_VIEWS, default="chart", help=f"{told} (default: chart)")
    numbers = parser.add_mutually_exclusive_group()
    for name, value in (("absolute", True), ("relative", False)):
        numbers.add_argument(
            f"--{name}",
            action="store_const",
            const=value,
            dest="absolute",
            help="chart, compare: numbers " + ("as they are" if value else "from the ISSs"),
        )
    for name, does in (
        ("options", "chart: the options of SYNs"),
        ("variables", "chart: SND.UNA, SND.NXT and RCV.NXT"),
        ("omitted", "states: also the moves that Figure 5 omits"),
    ):
        parser.add_argument(f"--{name}", action="store_const", const=True, help=does)
    for name, kind, metavar, does in (
        ("end", str, "END", "states, server, timelines: of this end"),
        ("focus", str, "END", "states: where this end is, how it came, where it can go"),
        ("part", part, "PART", "states: open or close, this part of the figure"),
        ("at", time, "TIME", "states: until this time, such as 250ms or 1.5s"),
    ):
        parser.add_argument(f"--{name}", type=kind, metavar=metavar, help=does)


def draw(arguments: Namespace, traces: Sequence[Trace]) -> Picture:
    """The picture that was asked for. ViewError where options do not go together or with these."""
    view = _VIEWS[arguments.view]
    given = {
        name: value
        for name in sorted({name for each in _VIEWS.values() for name in each.options})
        if (value := getattr(arguments, name)) is not None
    }
    for name, value in given.items():
        if name not in view.options:
            having = ", ".join(each for each in _VIEWS if name in _VIEWS[each].options)
            option = "relative" if name == "absolute" and not value else name
            raise ViewError(f"--{option} does not go with --view {arguments.view}, but: {having}")
    try:
        return view.draw(*traces, **given)
    except KeyError as problem:
        raise ViewError(str(problem.args[0])) from None
    except ValueError as problem:
        raise ViewError(str(problem)) from None
