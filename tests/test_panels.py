"""Panels: a changed control makes another scenario, run and drawn at once."""

import re

import ipywidgets as widgets
import pytest

from tcpviz.panels import Panel, handshake_panel
from tcpviz.scenario import At, Scenario, ScenarioError
from tcpviz.states import State
from tcpviz.units import MS

LOSSES = ["", "SYN", "SYN,ACK", "ACK"]


def lost(trace):
    """The control bits of each segment that died."""
    return [flight.segment.control for flight in trace.flights if flight.fate == "lost"]


def repeated(trace):
    """Who sent what a second time."""
    return [(each.sender, each.segment.control) for each in trace.flights if each.again]


def alt(page):
    """What the image says to those who do not see it."""
    return re.search(r'<img alt="([^"]*)"', page)[1]


def source(page):
    """The image itself."""
    return re.search(r' src="(data:image/svg[^"]*)"', page)[1]


@pytest.mark.parametrize("segment", LOSSES)
def test_the_segment_that_is_chosen_is_the_one_that_is_lost(segment):
    """The control loses the segment it names, once, and the handshake completes all the same."""
    panel = handshake_panel()
    panel.controls["lose"].value = segment
    assert lost(panel.trace) == ([segment] if segment else [])
    assert [panel.trace.spans(end)[-1].state for end in ("client", "server")] == [
        State.ESTABLISHED,
        State.ESTABLISHED,
    ]


def test_each_change_redraws_the_chart():
    """No two choices show the same chart, and going back shows the first chart again."""
    panel = handshake_panel()
    first = panel.chart.value
    pages = []
    for segment in LOSSES[1:]:
        panel.controls["lose"].value = segment
        pages.append(panel.chart.value)
    assert len({source(page) for page in [first, *pages]}) == len(LOSSES)
    assert len({alt(page) for page in [first, *pages]}) == len(LOSSES)
    panel.controls["lose"].value = ""
    assert panel.chart.value == first


def test_who_repeats_what():
    """What is lost decides which end's timer sends again (RFC 9293, 3.8.1)."""
    panel = handshake_panel()
    assert repeated(panel.trace) == []
    panel.controls["lose"].value = "SYN"
    assert repeated(panel.trace) == [("client", "SYN")]
    panel.controls["lose"].value = "SYN,ACK"
    assert repeated(panel.trace) == [("client", "SYN"), ("server", "SYN,ACK")]
    panel.controls["lose"].value = "ACK"
    assert repeated(panel.trace) == [("server", "SYN,ACK")]


def test_the_delay_is_the_time_on_the_wire():
    """The slider's milliseconds are how long each segment travels."""
    panel = handshake_panel()
    panel.controls["delay"].value = 80
    ways = {flight.arrived[0] - flight.sent for flight in panel.trace.flights}
    assert ways == {80 * MS}


def test_every_setting_can_be_drawn():
    """No position of the two controls is one that cannot be run and shown."""
    panel = handshake_panel()
    slider = panel.controls["delay"]
    for delay in range(slider.min, slider.max + 1, 50):
        slider.value = delay
        for segment in LOSSES:
            panel.controls["lose"].value = segment
            assert panel.chart.value == panel.picture.html()


def test_without_widgets_the_panel_is_a_picture():
    """Beside the widgets' view stand the chart as an image with alt text, and the transcript."""
    panel = handshake_panel()
    shown = panel._repr_mimebundle_()
    assert shown["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.view.model_id
    assert shown["text/html"] == panel.chart.value
    assert alt(shown["text/html"])
    assert shown["text/plain"] == str(panel.picture)
    assert "<SEQ=100><CTL=SYN>" in shown["text/plain"]


def test_two_panels_show_the_same():
    """What a panel shows holds nothing of this process: no address, no random id."""
    one, other = handshake_panel(), handshake_panel()
    assert repr(one) == repr(other) == "<Panel lose='', delay=50>"
    assert one.chart.value == other.chart.value


def test_a_teacher_can_make_a_panel():
    """Any function that makes a Scenario, with any controls, makes a panel."""

    def nobody_listens(delay):
        return Scenario("refused", calls=[At(0, "client", "active OPEN")], delay=delay * MS)

    panel = Panel(nobody_listens, delay=widgets.IntSlider(value=30, max=100))
    assert panel.trace.duration == 60 * MS
    panel.controls["delay"].value = 10
    assert panel.trace.duration == 20 * MS
    assert panel.chart.value == panel.picture.html()


def test_a_setting_that_makes_no_scenario_is_told():
    """The sentence that says what is wrong stands where the chart stood, and goes away again."""

    def opens_late(time):
        return Scenario(calls=[At(time, "client", "active OPEN")])

    panel = Panel(opens_late, time=widgets.IntText(0))
    chart = panel.chart.value
    panel.controls["time"].value = -1
    assert panel.chart.value == "calls[0].time: -1 is not a time in ns, 0 or more"
    panel.controls["time"].value = 0
    assert panel.chart.value == chart
    with pytest.raises(ScenarioError, match="time"):
        Panel(opens_late, time=widgets.IntText(-1))
