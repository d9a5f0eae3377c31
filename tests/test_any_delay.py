"""Charts of networks that nobody drew by hand: whatever is late, every label stays on the sheet."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tcpviz.pictures import Picture, compare, sequence_chart
from tcpviz.scenario import Delay, ScenarioError
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.units import MS, S

SVG = "{http://www.w3.org/2000/svg}"
names = st.sampled_from(sorted(SCENARIOS))
delays = st.integers(1, 2000).map(lambda number: number * MS)


def off_the_sheet(picture: Picture) -> list[str]:
    """The texts that do not stand on the sheet, by their heights."""
    svg = ET.fromstring(picture.svg)
    high = float((svg.get("viewBox") or "").split()[3])
    (shift,) = (float(y) for y in re.findall(r"translate\(\S+ (\S+)\)", picture.svg)[:1])
    texts = [(text, float(text.get("y", 0)) + shift) for text in svg.iter(f"{SVG}text")]
    return [text.text or "" for text, y in texts if not 8 < y < high]


@settings(max_examples=60, deadline=None)
@given(
    names,
    st.sampled_from(["client", "server"]),
    st.sampled_from(["SYN", "SYN,ACK", "ACK", "FIN", "RST"]),
    st.sampled_from([20 * MS, 300 * MS, 2 * S, 10 * S]),
)
@example("simultaneous_open", "server", "SYN,ACK", 10 * S)
@example("duplicated_fin", "server", "FIN", 10 * S)
def test_one_segment_that_is_late(name: str, end: str, segment: str, late: int) -> None:
    """A named scenario in which one more segment comes late, by up to 10 s."""
    scenario = SCENARIOS[name]
    try:
        trace = simulate(replace(scenario, network=(*scenario.network, Delay(end, segment, late))))
    except ScenarioError:
        return  # there is no such segment to be late
    chart = sequence_chart(trace)
    assert off_the_sheet(chart) == []
    assert all(f'id="flight_{each.number}_label"' in chart.svg for each in trace.flights)


@settings(max_examples=30, deadline=None)
@given(names, delays, delays)
@example("normal", 1 * MS, 800 * MS)
@example("simultaneous_close", 1 * MS, 300 * MS)
def test_a_fast_network_beside_a_slow_one(name: str, one: int, other: int) -> None:
    """One axis for both: what is short in one is long in the other."""
    try:
        fast, slow = (simulate(replace(SCENARIOS[name], delay=delay)) for delay in (one, other))
    except ScenarioError:
        return  # at this delay some fault of the network meets nothing
    assert off_the_sheet(compare(fast, slow)) == []
