"""What the Player sends to a page: all of the run, once, and no more."""

import json
import re

import pytest
from asked import asking_player

from tcpviz import SCENARIOS, Trace, simulate
from tcpviz.fork import ForkError
from tcpviz.pictures.figure_5 import BOXES
from tcpviz.player import Player
from tcpviz.player_data import SHARED, player_data
from tcpviz.scenario import ENDS, At, Scenario
from tcpviz.states import Event, State
from tcpviz.static import SCRIPT, STYLE
from tcpviz.units import S
from tcpviz.words import ENGLISH

NAMES = sorted(SCENARIOS)


def octets(data):
    return len(json.dumps(data, separators=(",", ":")).encode())


@pytest.mark.parametrize("name", NAMES)
def test_a_step_costs_at_most_200_bytes(name):
    """With the segments and edges it brings, a step of any named scenario is that small."""
    trace = simulate(SCENARIOS[name])
    data = player_data(trace, absolute=True)
    assert len(data["steps"]) == len(trace.steps)
    varying = sum(octets(data[part]) for part in ("steps", "flights", "edges"))
    assert varying <= 200 * len(trace.steps)


def beside_the_pictures(trace):
    """How long the page's data is without the two SVGs: words, states, TCBs, transcript, all."""
    run = Player(trace).run
    return octets({key: part for key, part in run.items() if key not in ("chart", "diagram")})


def test_one_more_step_of_a_long_run_costs_at_most_200_bytes():
    """So much the page grows by with each further step, beyond the one SVG."""
    opens = At(0, "server", Event.PASSIVE_OPEN), At(0, "client", Event.ACTIVE_OPEN)
    sends = [At((2 + nth) * S, ENDS[nth % 2], Event.SEND, octets=100) for nth in range(60)]
    short, long = (simulate(Scenario(calls=(*opens, *sends[:count]))) for count in (10, 60))
    steps = len(long.steps) - len(short.steps)
    assert steps == 250
    assert beside_the_pictures(long) - beside_the_pictures(short) <= 200 * steps


def test_one_more_step_of_a_run_costs_200_bytes_on_the_average():
    """The same over all named scenarios, in which nearly every step moves a state."""
    grown = steps = 0
    for name in NAMES:
        trace = simulate(SCENARIOS[name])
        begun = Trace(trace.ends, trace.steps[:2], title=trace.title)
        grown += beside_the_pictures(trace) - beside_the_pictures(begun)
        steps += len(trace.steps) - 2
    assert grown <= 200 * steps


def test_relative_numbers_count_from_the_connection_of_the_segment():
    """Where a second connection has other ISSs, the page knows those of both."""
    data = player_data(simulate(SCENARIOS["port_reuse"]), absolute=True)
    syns = [flight for flight in data["flights"] if "SYN" in flight["ctl"]]
    assert [flight["seq"] for flight in syns] == [100, 300, 500100, 65839]
    client, server = (sorted(isses) for _, isses, *_ in data["ends"])
    assert (client, server) == ([100, 500100], [300, 65839])


@pytest.mark.parametrize("name", NAMES)
def test_the_changes_add_up_to_the_trace(name):
    """Whoever applies the changes in order has each end's state, timers and variables."""
    trace = simulate(SCENARIOS[name])
    data = json.loads(json.dumps(player_data(trace, absolute=True)))
    boxes = list(data["boxes"])
    now = [{"w": [], "v": None} for _ in data["ends"]]
    time = None
    for row, step in zip(data["steps"], trace.steps, strict=True):
        time = row.get("t", time)
        assert time == step.time
        assert row.get("f") == step.flight
        if not step.end:
            continue
        end = now[row["e"]]
        end |= {key: row[key] for key in ("s", "w", "v") if key in row}
        if "s" in end:
            assert data["boxes"][boxes[end["s"]]][0] == step.state
        assert end["w"] == [[timer.name, timer.until] for timer in step.timers]
        if step.variables is None:
            assert end["v"] is None
        elif step.state not in (State.CLOSED, State.LISTEN, State.SYN_SENT):
            assert end["v"] == list(step.variables)


@pytest.mark.parametrize("name", NAMES)
def test_a_move_leads_to_the_box_where_its_arrow_ends(name):
    """A frame around a state stands where the diagram has it; CLOSED has two places."""
    trace = simulate(SCENARIOS[name])
    data = player_data(trace, absolute=True)
    svg = Player(trace).diagram.svg
    for name_, (state, x, y, half) in data["boxes"].items():
        assert BOXES[name_] == (state, x, y, half)
        assert f'id="{name_}"' in svg


def test_it_is_text_where_there_is_only_text():
    """`str` and text/plain are the transcript of the run, which nbval compares."""
    trace = simulate(SCENARIOS["lost_fin"])
    player = Player(trace)
    assert str(player) == str(trace) == player._repr_mimebundle_()["text/plain"]
    assert repr(player) == "<Player lost_fin: 22 steps of client, server>"


def test_the_same_run_has_the_same_bytes():
    """Nothing in the page depends on when or how often it was made."""
    first, second = (Player(simulate(SCENARIOS["lost_fin"])) for _ in range(2))
    assert first._repr_mimebundle_() == second._repr_mimebundle_()
    assert json.dumps(first.run) == json.dumps(second.run)


def test_where_nothing_may_run_there_are_both_pictures():
    """What a sanitiser leaves is two images with their text, in a style of their own."""
    html = Player(simulate(SCENARIOS["lost_fin"])).html()
    images = re.findall(r'<img alt="([^"]+)" src="data:image/svg\+xml;base64,', html)
    assert [alt.split()[0] for alt in images] == ["Sequence", "State"]
    assert not re.search(r"\sid=", html.split("<script")[0])


def test_a_trace_cannot_leave_its_script():
    """A name out of a capture is data, whatever it says."""
    trace = simulate(SCENARIOS["handshake"])
    evil = "</script><script>alert(1)</script><!--"
    html = Player(Trace(trace.ends, trace.steps, title=evil)).html()
    assert html.count("</script") == html.count("<script") == 2
    assert "alert(1)</script" not in html
    data = re.search(r'json">(.*?)</script>', html, re.DOTALL)[1]
    assert json.loads(data)["data"]["title"] == evil


def test_the_script_has_its_words_from_python():
    """Each word the script says is in words.py, and each player's word there is said."""
    known = {key.removeprefix("player_") for key in ENGLISH if key.startswith("player_")}
    assert set(re.findall(r'\bsay\("(\w+)"', SCRIPT)) <= known
    mentioned = {key for key in known if f'"{key}"' in SCRIPT}
    from_python = {"rfc", "rule_of", "no_rule", "poster", "poster_next"}
    made = {key for key in known if key.startswith(("call_", "fork_"))}
    assert known - from_python - made == mentioned - made


def test_the_script_asks_nobody():
    """No address stands in it but the name of SVG; it loads nothing."""
    addresses = re.findall(r"\w+://[^\"'\s]*", SCRIPT + STYLE)
    assert addresses == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"\bimport\b(?!ed)[\s(]|fetch\(|@import|url\(", SCRIPT + STYLE)


def test_the_widget_has_the_same_run():
    """Among other widgets it is the same player, and its text holds no address in memory."""
    player = Player(simulate(SCENARIOS["handshake"]))
    assert player.widget.run == player.run
    assert player.widget is player.widget
    assert repr(player.widget) == "<Player handshake>"
    assert player.widget._esm == SCRIPT


def test_a_scenario_can_fork_and_a_trace_cannot():
    """Where the scenario is known, the run that loses this segment is another Player."""
    player = Player(SCENARIOS["handshake"])
    assert str(player) == str(simulate(SCENARIOS["handshake"]))
    forked = player.forked(2, "lose")
    assert [flight.fate for flight in forked.trace.flights][:1] == ["lost"]
    with pytest.raises(ForkError, match="fork the scenario"):
        Player(player.trace).forked(2, "lose")


def test_the_kernel_answers_a_page(monkeypatch):
    """A page that asks gets the run, or a sentence where that cannot be; never a traceback."""
    player = Player(SCENARIOS["handshake"])
    told = []
    monkeypatch.setattr(player.bridge, "send", told.append)
    for step, what, end in ((2, "lose", None), (0, "lose", None), (3, "crash", "server")):
        question = {"step": step, "what": what, "end": end, "ask": str(step)}
        player.bridge._handle_custom_msg(question, [])
    assert [message["ask"] for message in told] == ["2", "0", "3"]
    assert told[0]["run"] == player.forked(2, "lose").run
    assert told[0]["beside"]["text"].startswith("Differences: ")
    assert "lost right" in told[0]["beside"]["alt"]
    assert told[1]["error"].startswith("There is no segment to lose")
    assert "crashes" in told[2]["run"]["data"]["title"]


def test_what_is_stored_needs_no_widget():
    """A notebook that is saved keeps a player as HTML; the way to the kernel stands beside it."""
    trace, scenario = Player(simulate(SCENARIOS["handshake"])), Player(SCENARIOS["handshake"])
    for player in (trace, scenario):
        assert set(player._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert trace.bridge is None
    name = scenario.bridge.name
    assert f'"forks":"{name}"' in scenario.html()
    assert (
        name
        == Player(SCENARIOS["handshake"]).bridge.name
        != Player(SCENARIOS["refused"]).bridge.name
    )


def test_questions_come_in_order_with_their_refutations():
    """A question knows its step; a wrong answer the run that refutes it, which is there once."""
    run = asking_player().run
    first, second = run["data"]["questions"]
    assert [first["step"], second["step"]] == [4, 5]
    assert [choice.get("run") for choice in first["choices"]] == [
        "two_way_ghost",
        None,
        "refused",
    ]
    assert {name: other["data"]["title"] for name, other in run["runs"].items()} == {
        "refused": "refused",
        "two_way_ghost": "two_way_ghost",
    }


def test_of_a_run_that_refutes_only_what_is_new_travels():
    """Its pictures are lines, most of them of this run's; put together they are its own."""
    run = asking_player().run
    mine = "\n".join(run[part] for part in ("chart", "diagram", "text")).split("\n")
    lines = [*dict.fromkeys(mine), *run["lines"]]
    whole = Player(simulate(SCENARIOS["refused"])).run
    for part in ("chart", "diagram", "text"):
        numbers = run["runs"]["refused"][part]
        assert "\n".join(lines[number] for number in numbers) == whole[part]
    data = {key: run["data"][key] for key in SHARED} | run["runs"]["refused"]["data"]
    assert data == whole["data"]
    others = [Player(simulate(SCENARIOS[name])).run for name in run["runs"]]
    assert len(json.dumps(run["lines"])) < len(json.dumps(others)) / 2


def test_a_trace_without_questions_asks_none():
    """The page gets no questions and no other runs."""
    run = Player(simulate(SCENARIOS["handshake"])).run
    assert "questions" not in run["data"]
    assert "runs" not in run


def test_it_shows_two_ends():
    """A trace of another number of ends is refused in a sentence."""
    trace = simulate(SCENARIOS["handshake"])
    with pytest.raises(ValueError, match="two ends"):
        Player(Trace(trace.ends[:1], ()))
