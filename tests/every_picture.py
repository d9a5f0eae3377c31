"""Every kind of picture that there is beyond the plain chart and the plain diagram."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Final

from tcpviz.explore import Exploration, explore
from tcpviz.pictures import (
    Picture,
    compare,
    joint_state_map,
    sequence_chart,
    server_view,
    state_diagram,
    timelines,
)
from tcpviz.population import Member, Population, populate
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.states import State
from tcpviz.timeline import count
from tcpviz.trace import Trace
from tcpviz.units import MS


def of_trace(trace: Trace, other: Trace) -> dict[str, Picture]:
    """What is drawn of one trace, or of two."""
    return {
        "options": sequence_chart(trace, options=True),
        "variables": sequence_chart(trace, variables=True),
        "compare": compare(trace, other),
        "omitted": state_diagram(trace, omitted=True),
        "open": state_diagram(trace, part="open"),
        "close": state_diagram(trace, part="close", omitted=True),
        "end": state_diagram(trace, focus=trace.ends[1].name),
        "server": server_view([trace, other], end=trace.ends[1].name),
    }


OFFERS: Final = replace(
    SCENARIOS["lost_syn"],
    name="",
    options=(("MSS", 1460), ("SACK-permitted", True), ("TS", (7, 0)), ("WS", 10)),
    server_options=(("MSS", 536), ("SACK-permitted", True)),
)
"""A SYN and a SYN,ACK that offer all options there are, the SYN twice."""


@cache
def explored() -> Exploration:
    """What can happen where nothing but a crash goes wrong: half-open, and failures."""
    return explore(losses=0, duplicates=0, old=0, spurious=0, allow=["crash"])


@cache
def crowd() -> Population:
    """Some that leak and some that close."""
    leak, sound = SCENARIOS["close_wait"], SCENARIOS["open_and_close"]
    return populate([Member(n * 120 * MS, sound if n % 3 == 1 else leak) for n in range(9)])


def of_nothing() -> Iterator[tuple[str, Picture]]:
    """Maps, counts, a server of many, and the figure with a focus."""
    found = explored()
    half = found.map[State.CLOSED, State.ESTABLISHED]
    yield "map", joint_state_map(found)
    yield "map of a way", joint_state_map(found, path=half.trace)
    yield "server of many", server_view(crowd())
    lines = {state: count(list(crowd()), state, "server") for state in ("CLOSE-WAIT", "TIME-WAIT")}
    yield "timelines", timelines(lines, limits={"A": 3, "B": 12})
    yield "options offered", sequence_chart(simulate(OFFERS), options=True)
    for state in ("SYN-SENT", "CLOSE-WAIT"):
        yield state, state_diagram(focus=state)
