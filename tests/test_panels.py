"""Panels: a changed control makes another scenario, run and drawn at once."""

import json
import re
from dataclasses import replace

import ipywidgets as widgets
import pytest

from tcpviz.controls import CONTROLS, ControlError
from tcpviz.panels import Panel, ReadyPanel, handshake_panel, panel
from tcpviz.pictures import sequence_chart
from tcpviz.scenario import At, Lose, Scenario, ScenarioError
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.states import State
from tcpviz.units import MS, S

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
    """No two choices show the same run, all of it, and going back shows the first again."""
    panel = handshake_panel()
    player = panel.shown
    runs = []
    for segment in [*LOSSES, ""]:
        panel.controls["lose"].value = segment
        assert panel.shown is player  # the page keeps its place
        runs.append(player.run)
        assert player.run["at"] == len(panel.trace.steps)
    assert len({run["chart"] for run in runs}) == len(LOSSES)
    assert len({run["text"] for run in runs}) == len(LOSSES)
    assert runs[-1] == runs[0]


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
            assert panel.shown.run["chart"] == panel.picture.chart.svg


def test_without_widgets_the_panel_is_a_picture():
    """Beside the widgets' view stand both pictures as images with alt text, and the transcript."""
    panel = handshake_panel()
    shown = panel._repr_mimebundle_()
    assert shown["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.view.model_id
    assert shown["text/html"].count("<img ") == 2
    assert "<script" not in shown["text/html"]
    assert alt(shown["text/html"])
    assert shown["text/plain"] == str(panel.picture)
    assert "<SEQ=100><CTL=SYN>" in shown["text/plain"]


def test_two_panels_show_the_same():
    """What a panel shows holds nothing of this process: no address, no random id."""
    one, other = handshake_panel(), handshake_panel()
    assert repr(one) == repr(other) == "<Panel lose='', delay=50>"
    assert one.html() == other.html()


def test_a_teacher_can_make_a_panel():
    """Any function that makes a Scenario, with any controls, makes a panel."""

    def nobody_listens(delay):
        return Scenario("refused", calls=[At(0, "client", "active OPEN")], delay=delay * MS)

    panel = Panel(nobody_listens, delay=widgets.IntSlider(value=30, max=100))
    assert panel.trace.duration == 60 * MS
    panel.controls["delay"].value = 10
    assert panel.trace.duration == 20 * MS
    assert panel.shown.run["text"] == str(panel.trace)


def test_a_setting_that_makes_no_scenario_is_told():
    """The sentence that says what is wrong stands where the run stood, and goes away again."""

    def opens_late(time):
        return Scenario(calls=[At(time, "client", "active OPEN")])

    panel = Panel(opens_late, time=widgets.IntText(0))
    run = panel.shown.run
    panel.controls["time"].value = -1
    told = "-1 is not a time in ns, 0 or more"
    assert panel.shown.value == f"These settings do not go together: {told}."
    assert panel.view.children[-1] is panel.shown
    panel.controls["time"].value = 0
    assert panel.shown.run == run
    assert panel.view.children[-1] is panel.shown
    with pytest.raises(ScenarioError, match="time"):
        Panel(opens_late, time=widgets.IntText(-1))


NORMAL = SCENARIOS["open_and_close"]


def waiting(trace):
    """The ends that pass through TIME-WAIT."""
    ends = ("client", "server")
    return [end for end in ends if State.TIME_WAIT in {s.state for s in trace.spans(end)}]


def packed(shown):
    """What the page of a panel is given beside its picture."""
    page = shown.html()
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])


def reached(data, *chosen):
    """The run that a page shows for these choices, each by its place."""
    at = 0
    for (_, _, labels, _), index in zip(data["panel"], chosen, strict=True):
        at = at * len(labels) + index
    return data["runs"][data["order"][at]]


def whole(data, numbers):
    """A picture or text out of its lines."""
    return "\n".join(data["lines"][number] for number in numbers)


@pytest.mark.parametrize("name", [*SCENARIOS][:50])
def test_at_first_a_panel_shows_the_scenario_itself(name):
    """Whatever the controls, until one is moved the run is that of the scenario."""
    made = panel(SCENARIOS[name], *CONTROLS, draw=sequence_chart)
    assert made.trace == simulate(SCENARIOS[name])


@pytest.mark.parametrize("closer", ["client", "server"])
def test_who_closes_first_waits(closer):
    """The control that says who closes first says who waits in TIME-WAIT."""
    made = panel(NORMAL, "closer", draw=sequence_chart)
    made.controls["closer"].value = closer
    assert waiting(made.trace) == [closer]


def test_both_close_and_nobody_closes():
    """Both wait where both close at once; where nobody closes, both stay ESTABLISHED."""
    made = panel(NORMAL, "closer", "rtt", draw=sequence_chart)
    made.controls["closer"].value = "both"
    made.controls["rtt"].value = 400 * MS
    assert waiting(made.trace) == ["client", "server"]
    made.controls["closer"].value = "nobody"
    assert made.trace.spans("server")[-1].state is State.ESTABLISHED


def test_a_scenario_in_which_nobody_closes_can_be_closed():
    """The times that the controls show are those that hold when somebody closes."""
    made = panel(SCENARIOS["handshake"], "closer", "closes_after", draw=sequence_chart)
    made.controls["closer"].value = "server"
    fin = next(f for f in made.trace.flights if f.segment.control == "FIN,ACK")
    assert (fin.sender, fin.sent) == ("server", made.controls["closes_after"].value + 150 * MS)


def test_the_delayed_ack_decides_between_three_and_four():
    """A server that closes within the delay of its ACK closes in three segments."""
    made = panel(NORMAL, "delayed_ack", "answers_after", draw=sequence_chart)
    made.controls["answers_after"].value = 20 * MS
    assert len(made.trace.flights) == 7
    made.controls["delayed_ack"].value = 40 * MS
    assert len(made.trace.flights) == 6
    made.controls["answers_after"].value = 100 * MS
    assert len(made.trace.flights) == 7


def test_each_control_turns_its_field():
    """Times are as long as the controls say, and the rules are the named ones."""
    made = panel(NORMAL, "rtt", "msl", "rules", "closes_after", "lose", draw=sequence_chart)
    made.controls["rtt"].value = 200 * MS
    assert {f.arrived[0] - f.sent for f in made.trace.flights} == {100 * MS}
    made.controls["msl"].value = 5 * S
    (wait,) = [w for w in made.trace.waits("client") if w.timer.name == "2MSL"]
    assert wait.timer.until - wait.timer.since == 10 * S
    made.controls["closes_after"].value = 1 * S
    fin = next(f for f in made.trace.flights if f.segment.control == "FIN,ACK")
    assert fin.sent == 1200 * MS
    made.controls["lose"].value = ("client", "SYN", 1)
    assert lost(made.trace) == ["SYN"]
    made.controls["rules"].value = "rules_four"
    made.controls["lose"].value = ""
    assert [f.segment.control for f in made.trace.flights][:3] == ["SYN", "ACK", "SYN"]


def test_every_segment_of_the_run_can_be_lost():
    """The control offers each segment once, by its name, and loses that one."""
    made = panel(NORMAL, "lose", draw=sequence_chart)
    labels = [label for label, _ in made.controls["lose"].options]
    assert labels[:3] == ["nothing", "SYN of the client", "SYN,ACK of the server"]
    assert labels[-1] == "ACK of the client, number 2"
    for _, value in made.controls["lose"].options[1:]:
        made.controls["lose"].value = value
        assert lost(made.trace) == [value[1]]


def test_a_half_duplex_close_stays_one():
    """Whoever neither sends nor reads any more goes on so when the other is told to close late."""
    made = panel(SCENARIOS["linux_close_wait"], "answers_after", "rtt", draw=sequence_chart)
    made.controls["answers_after"].value = made.controls["answers_after"].options[-1][1]
    calls = [
        step.text for step in made.trace.of("client") if step.text in ("CLOSE", "half-duplex CLOSE")
    ]
    assert calls == ["half-duplex CLOSE"]
    assert made.trace.spans("client")[-1].state is State.CLOSED  # Linux forgets FIN-WAIT-2
    assert made.trace.spans("server")[-1].state is State.CLOSE_WAIT


def test_who_never_answers_leaves_close_wait_open():
    """A server that never closes stays in CLOSE-WAIT."""
    made = panel(NORMAL, "answers_after", draw=sequence_chart)
    made.controls["answers_after"].value = made.controls["answers_after"].options[-1][1]
    assert made.trace.spans("server")[-1].state is State.CLOSE_WAIT


def test_few_settings_are_all_ready():
    """For each setting the page has the very run that the kernel would give, whole."""
    made = panel(NORMAL, "closer", "lose")
    assert isinstance(made, ReadyPanel)
    data, seen = packed(made), set()
    assert [row[3] for row in data["panel"]] == [0, 0]
    for first, closer in enumerate(("client", "server", "both", "nobody")):
        made.controls["closer"].value = closer
        for second, (_, value) in enumerate(made.controls["lose"].options):
            made.controls["lose"].value = value
            run = reached(data, first, second)
            try:
                kernel = {**made.picture.run, "at": len(made.trace.steps)}
            except ScenarioError:
                assert run["html"].startswith("These settings do not go together:")
                continue
            seen.add(kernel["chart"])
            for part in ("chart", "diagram", "text"):
                run[part] = whole(data, run[part])
            assert {**run, "data": {**data["shared"], **run["data"]}} == kernel
    assert len(seen) > 20


def test_what_runs_have_in_common_travels_once():
    """All runs of a panel together are less than half of as many Players."""
    made = panel(NORMAL, "closer", "delayed_ack")
    data = packed(made)
    assert len(data["order"]) == 28
    assert len(set(data["lines"])) == len(data["lines"])
    alone = len(json.dumps(made.picture.run))
    assert len(json.dumps(data)) < len(data["runs"]) * alone / 2


def test_many_settings_ask_the_kernel():
    """Beyond forty runs the panel runs what is asked for, when it is asked for."""
    made = panel(NORMAL, "rtt", "msl", draw=sequence_chart)
    assert not isinstance(made, ReadyPanel)
    made.controls["rtt"].value = 20 * MS
    assert made.shown.value == made.picture.html()


def test_a_ready_panel_looks_the_same_each_time():
    """Nothing of this process is in what it shows where there are no widgets."""
    one, other = panel(NORMAL, "closer"), panel(NORMAL, "closer")
    assert repr(one) == repr(other) == "<ReadyPanel closer='client'>"
    shown, again = one._repr_mimebundle_(), other._repr_mimebundle_()
    assert shown["text/plain"] == again["text/plain"]
    assert shown["text/html"] == again["text/html"]
    assert shown["text/html"].count("<img alt=") == 2
    assert set(shown) == {"text/html", "text/plain"}  # a saved notebook keeps it


def test_a_panel_shows_whatever_draws_a_trace():
    """`draw` may give a widget of its own, a picture, or anything that a notebook shows."""
    made = panel(NORMAL, "rtt", "msl", draw=lambda trace: widgets.Label(str(trace.duration)))
    assert isinstance(made.shown, widgets.Label)
    made.controls["msl"].value = 1 * S
    assert made.view.children[-1].value == str(made.trace.duration)
    ready = panel(NORMAL, "closer", draw=sequence_chart)
    data = packed(ready)
    assert reached(data, 0)["html"] == ready.picture.html()
    ready.controls["closer"].value = "server"
    assert reached(data, 1)["html"] == ready.picture.html()


def test_settings_that_do_not_go_together_are_told():
    """A fault of the scenario that finds its segment no more is one sentence, no traceback."""
    loses = replace(NORMAL, network=(Lose("server", "ACK", 1),))
    made = panel(loses, "rtt", "delayed_ack", "answers_after", draw=sequence_chart)
    made.controls["answers_after"].value = 0
    made.controls["delayed_ack"].value = 40 * MS
    assert made.shown.value.startswith("These settings do not go together: server never sends ACK")
    assert "These settings" in made._repr_mimebundle_()["text/plain"]
    made.controls["delayed_ack"].value = 0
    assert "<img" in made.shown.value


def test_what_can_be_lost_is_what_the_run_sends():
    """Where another control makes another run, its segments are offered, and what was lost stays.

    A segment that is not sent there any more is not lost: the run is that of the other controls.
    """
    made = panel(NORMAL, "rtt", "lose", "delayed_ack", "answers_after", draw=sequence_chart)
    lose = made.controls["lose"]

    def offered():
        return [value for _, value in lose.options]

    assert ("server", "ACK", 1) in offered()
    assert made.shown.value == made.picture.html()
    lose.value = ("client", "SYN", 1)
    made.controls["answers_after"].value = 0
    made.controls["delayed_ack"].value = 40 * MS
    assert ("server", "ACK", 1) not in offered()
    assert ("server", "FIN,ACK", 1) in offered()
    assert lose.value == ("client", "SYN", 1)
    assert lost(made.trace) == ["SYN"]
    made.controls["delayed_ack"].value = 0
    lose.value = ("server", "ACK", 1)
    assert lost(made.trace) == ["ACK"]
    made.controls["delayed_ack"].value = 40 * MS
    assert (lose.value, lost(made.trace)) == ("", [])
    assert made.shown.value == made.picture.html()


def test_a_ready_panel_has_the_losses_of_all_its_runs():
    """Also of those that the scenario itself does not make; each of the others it loses once."""
    made = panel(SCENARIOS["handshake"], "closer", "lose", draw=sequence_chart)
    assert isinstance(made, ReadyPanel)
    assert made.controls["closer"].value == "nobody"
    fins = [value for _, value in made.controls["lose"].options if value and "FIN" in value[1]]
    assert fins == [("client", "FIN,ACK", 1), ("server", "FIN,ACK", 1)]
    data = packed(made)
    assert data["yields"] == 1
    which = [value for _, value in made.controls["lose"].options].index(fins[0])
    assert [bool(reached(data, closer, which).get("cannot")) for closer in range(4)] == [
        *(False, False, False),
        True,
    ]


def test_every_control_has_a_name_and_a_meaning():
    """Each has a label, a longer one to hover over, and its unit in each of its values."""
    made = panel(NORMAL, *CONTROLS, draw=sequence_chart)
    for name, control in made.controls.items():
        assert control.description
        assert len(control.tooltip) > len(control.description)
        if name in ("rtt", "closes_after"):
            assert all(label.endswith("s") for label, _ in control.options)


def test_an_unknown_control_is_told():
    """A control that there is not, or twice the same, is one sentence."""
    with pytest.raises(ControlError, match="no control 'colour': it has rtt, lose"):
        panel(NORMAL, "colour")
    with pytest.raises(ControlError, match="rtt is there twice"):
        panel(NORMAL, "rtt", "rtt")
