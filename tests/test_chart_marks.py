"""What a sequence chart says beyond states and numbers: again, old, dropped, down, half-open."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from test_sequence_chart import CLIENT, SERVER, SVG, depart, flight, group, groups, height, words

from tcpviz import read
from tcpviz.pictures.conditions import Condition, conditions
from tcpviz.pictures.panel import Panel, time_axis
from tcpviz.pictures.remarks import Remarks
from tcpviz.pictures.sequence_chart import sequence_chart
from tcpviz.pictures.sheet import TALLEST
from tcpviz.pictures.variables import VariableTable
from tcpviz.pictures.ways import Labels
from tcpviz.population import Member, populate
from tcpviz.scenario import At, Refuse, Scenario
from tcpviz.scenarios import SCENARIOS
from tcpviz.segment import ACK, SYN, Segment
from tcpviz.simulate import simulate
from tcpviz.states import State
from tcpviz.steps import Kind, Step, Variables
from tcpviz.trace import Trace
from tcpviz.units import MS, S

OPEN = (At(0, "server", "passive OPEN"), At(0, "client", "active OPEN"))


def labels(trace: Trace, **options: bool) -> list[str]:
    """What is written on the arrows, in the order of the flights."""
    svg = sequence_chart(trace, **options).svg
    found = {each.number: f'id="flight_{each.number}_label"' for each in trace.flights}
    return [words(group(svg, f"flight_{n}_label")) for n, mark in found.items() if mark in svg]


def test_a_retransmission_says_how_often_and_after_which_timer() -> None:
    """The third SYN of an unanswered open names the RTO that has doubled."""
    trace = simulate(SCENARIOS["no_answer"])
    written = labels(trace)
    assert written[0] == "SYN seq 100 lost"
    assert written[2] == "SYN seq 100 3rd time, after RTO 2 s lost"


def test_a_retransmission_says_when_the_first_was_sent() -> None:
    """Its tooltip names the segment that it repeats."""
    svg = sequence_chart(simulate(SCENARIOS["lost_fin"])).svg
    assert "first sent at 250 ms" in svg


def test_a_capture_shows_the_wait_for_it_knows_no_timer() -> None:
    """What was measured is said, and no timer is claimed."""
    trace = replace(flight(depart(0), depart(1012 * MS, 1)), source="capture")
    assert Remarks(trace).again(trace.flights[1]) == "2nd time, after 1.012 s"


def test_a_probe_names_its_timer() -> None:
    """A keep-alive looks like any old ACK."""
    assert "keep-alive" in labels(simulate(SCENARIOS["keep_alive"]))[3]


def test_one_octet_is_not_one_octets() -> None:
    """Counts are words as well."""
    trace = simulate(Scenario(calls=(*OPEN, At(200 * MS, "client", "SEND", 1))))
    assert "ACK 1 octet seq 101 ack 301" in labels(trace)


def test_old_duplicates_are_hollow_and_say_so() -> None:
    """Data of an earlier incarnation that arrives in a later one; nothing else is old."""
    trace = simulate(SCENARIOS["same_iss"])
    (number,) = Remarks(trace).old
    assert trace.flights[number].segment.incarnation == 0
    svg = sequence_chart(trace).svg
    assert words(group(svg, f"flight_{number}_label")).endswith("old duplicate")
    assert 'id="key_old"' in svg
    assert re.findall(r'id="flight_(\d+)_hollow"', svg) == [str(number)]
    for name in ("normal", "lost_last_ack", "port_reuse", "half_open"):
        assert not Remarks(simulate(SCENARIOS[name])).old, name


def test_a_delayed_segment_of_a_closed_connection_is_old() -> None:
    """Both ends have left it, and neither has begun another."""
    states = [State.ESTABLISHED, State.CLOSED, State.CLOSED]
    ack = Segment(101, 301, ACK, 5)
    steps = (
        Step(0, "server", Kind.CALL, State.ESTABLISHED),
        Step(0, "client", Kind.DEPART, states[0], ack, 0),
        Step(10 * MS, "client", Kind.CALL, states[1], text="ABORT"),
        Step(20 * MS, "server", Kind.CALL, State.CLOSED, text="ABORT"),
        Step(50 * MS, "server", Kind.ARRIVE, states[2], ack, 0),
    )
    assert Remarks(Trace((CLIENT, SERVER), steps)).old == {0}
    early = (*steps[:2], steps[4]._replace(state=State.ESTABLISHED, time=5 * MS), *steps[2:4])
    assert not Remarks(Trace((CLIENT, SERVER), early)).old


@pytest.mark.parametrize(("answer", "drawn"), [("nothing", True), ("RST", False)])
def test_what_a_full_queue_drops_ends_in_a_cross(answer: str, drawn: bool) -> None:
    """A segment that is answered was not dropped."""
    refusal = Refuse("server", "ACK", 1, "accept", answer)
    trace = simulate(replace(SCENARIOS["handshake"], network=(refusal,)))
    svg = sequence_chart(trace).svg
    assert ('id="flight_2_cross"' in svg) is drawn
    assert ("ACK seq 101 ack 301, dropped" in labels(trace)) is drawn


def plights(name: str, end: str) -> list[Condition]:
    return conditions(simulate(SCENARIOS[name]))[end]


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_a_user_is_told_is_written_whole(name: str) -> None:
    """Nothing of it is among what is only counted; wide, or beside another chart."""
    trace = simulate(SCENARIOS[name])
    for narrow in (False, True):
        panel = Panel(trace, time_axis(trace), 0, Labels(trace, absolute=True), narrow=narrow)
        for margin in panel.margins:
            written = {"".join(note.lines).replace(" ", "") for note in margin.calls}
            said = {step.says.replace(" ", "") for step in trace.of(margin.end) if step.says}
            assert said <= written


def test_a_crashed_host_is_down_until_it_does_something() -> None:
    """Its bar is hatched from the crash to the restart, and says so."""
    assert plights("half_open", "client")[0] == ("down", 300 * MS, 400 * MS)
    svg = sequence_chart(simulate(SCENARIOS["half_open"])).svg
    assert groups(svg, "down")
    assert "host down" in svg


def test_half_open_lasts_until_the_end_that_is_left_learns_of_it() -> None:
    """From the crash to the RST (Figures 9 and 10); its bar is half a bar."""
    assert plights("half_open", "server")[0] == ("half-open", 300 * MS, 550 * MS)
    assert plights("half_open_data", "server")[0] == ("half-open", 300 * MS, 600 * MS)
    svg = sequence_chart(simulate(SCENARIOS["half_open_data"])).svg
    (half,) = (each for each in groups(svg, "half_open") if each.get("id"))
    assert height(half)[0] == pytest.approx(height(group(svg, "down_left_0_0"))[0], abs=0.01)


@pytest.mark.parametrize(
    "name", ["normal", "simultaneous_close", "abort", "refused", "close_before_established"]
)
def test_what_its_peer_is_about_to_tell_is_not_half_open(name: str) -> None:
    """Neither an opening, nor a closing, nor a RST on its way."""
    for held in conditions(simulate(SCENARIOS[name])).values():
        assert "half-open" not in {each.plight for each in held}


def test_the_half_open_mark_begins_with_the_abort_whether_or_not_it_waits() -> None:
    """The server's peer is gone at 400 ms, be it in CLOSED or in TIME-WAIT."""
    for name in ("abort_in_fin_wait_1", "abort_and_wait_in_fin_wait_1"):
        assert plights(name, "server")[0][:2] == ("half-open", 400 * MS)


@pytest.mark.parametrize("name", ["data_after_close", "linux_close_wait"])
def test_no_direction_is_open_to_an_end_that_has_left_for_good(name: str) -> None:
    """After a half-duplex CLOSE data is answered by a RST: nothing says that it may come."""
    for end in ("client", "server"):
        assert not {"sends", "receives"} & {each.plight for each in plights(name, end)}


def test_no_direction_is_open_to_an_end_that_is_closed() -> None:
    """A forged FIN leads to CLOSE-WAIT, while the other end never was in the connection."""
    assert "sends" not in {each.plight for each in plights("stray_ack", "server")}
    assert "one_way" not in sequence_chart(simulate(SCENARIOS["stray_ack"])).svg
    assert plights("abort_in_fin_wait_2", "server") == [("sends", 250 * MS, 400 * MS)]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_direction_still_open_is_one(name: str) -> None:
    """Where both ends have closed none is left; never are two open the other way."""
    trace = simulate(SCENARIOS[name])
    ways = [
        (each, sign * (1 if each.plight == "sends" else -1))
        for sign, held in zip((1, -1), conditions(trace).values(), strict=True)
        for each in held
        if each.plight in ("sends", "receives")
    ]
    for one, way in ways:
        for other, its in ways:
            begin = max(one.since, other.since)
            stop = min(e.until if e.until is not None else trace.duration for e in (one, other))
            assert way == its or begin >= stop


def test_a_half_closed_connection_shows_the_direction_that_is_left() -> None:
    """Marks in both bars point the way of the data: from CLOSE-WAIT to FIN-WAIT."""
    trace = simulate(SCENARIOS["half_close"])
    held = conditions(trace)
    assert [each.plight for each in held["client"]] == ["receives", "receives"]
    assert held["server"] == [("sends", 300 * MS, 560 * MS)]
    svg = sequence_chart(trace).svg
    marks = [each for each in groups(svg, "one_way") if each.get("id")]
    assert len(marks) == 3
    for mark in marks:
        points = re.findall(r'points="([^"]*)"', ET.tostring(mark, encoding="unicode"))
        xs = [[float(p.split(",")[0]) for p in each.split()] for each in points]
        assert all(x[1] < x[0] and x[1] < x[2] for x in xs), "to the left, to the client"
    assert "the only direction still open for data" in svg


def test_options_of_a_syn_stand_in_its_label() -> None:
    """MSS, WS, SACK-permitted and TS, on request, and of a SYN only."""
    offered = (("MSS", 1460), ("SACK-permitted", True), ("TS", (7, 0)), ("WS", 10))
    syn = Segment(100, 0, SYN, options=offered)
    trace = flight(
        depart(0, 0, syn),
        Step(50 * MS, "server", Kind.ARRIVE, State.SYN_RECEIVED, syn, 0),
    )
    assert labels(trace) == ["SYN seq 100"]
    assert labels(trace, options=True) == ["SYN seq 100 MSS 1460, SACK-permitted TS 7/0, WS 10"]
    bare = flight(depart(0, 0, syn._replace(ctl=ACK)))
    assert "MSS" not in "".join(labels(bare, options=True))
    assert sequence_chart(trace, options=True).text.splitlines()[-2:] == [
        "options of <SEQ=100><CTL=SYN> from client:",
        "MSS 1460, SACK-permitted, TS 7/0, WS 10",
    ]


def test_variables_stand_where_they_change() -> None:
    """A row for each change, at its height; what is new is bold; unknown is not a number."""
    trace = simulate(SCENARIOS["handshake"])
    assert ">UNA<" not in sequence_chart(trace).svg
    svg = sequence_chart(trace, variables=True).svg
    assert svg.count(">UNA<") == 2
    axis = time_axis(trace)
    table = VariableTable(trace, "client", axis, 0, True)
    assert [row.numbers for row in table.rows] == [("100", "101", "?"), ("101", "101", "301")]
    assert [row.at for row in table.rows] == [axis.y(0), axis.y(100 * MS)]
    assert table.rows[1].new == (True, False, True)
    lines = sequence_chart(trace, variables=True).text.splitlines()
    at = lines.index("variables of client:")
    assert [line.split() for line in lines[at + 1 : at + 4]] == [
        ["at", "SND.UNA", "SND.NXT", "RCV.NXT"],
        ["0", "ms", "100", "101", "?"],
        ["100", "ms", "101", "101", "301"],
    ]
    relative = VariableTable(trace, "server", axis, 0, False)
    assert [row.numbers for row in relative.rows] == [("0", "1", "1"), ("1", "1", "1")]


def test_variables_nobody_saw_are_not_drawn() -> None:
    """The far end of a capture has no table."""
    steps = tuple(
        step._replace(variables=Variables(100, 101, 0)) for step in (depart(0), depart(S, 1))
    )
    ends = (CLIENT, SERVER._replace(observed=False))
    trace = Trace(ends, steps, source="capture")
    assert sequence_chart(trace, variables=True).svg.count(">UNA<") == 1


def test_one_instant_has_a_tick() -> None:
    """A member that found no port: all that happened happened at once, and late."""
    crowd = populate([Member(12_300 * MS, SCENARIOS["handshake"])] * 2, ports=1)
    svg = sequence_chart(crowd[1]).svg
    assert ">12.3 s<" in svg
    assert "insufficient" in svg


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_piece_has_a_tick(name: str) -> None:
    """No part of the axis between two breaks is without a time."""
    axis = time_axis(simulate(SCENARIOS[name]))
    assert all(axis.ticks_of(piece) for piece in axis.pieces)


def test_a_long_chart_fits_on_the_highest_page() -> None:
    """A thousand messages a second apart: bounded, to scale, and each is there."""
    calls = [At((2 * n + 1) * S, "client", "SEND", 10) for n in range(500)]
    trace = simulate(Scenario(calls=(*OPEN, *calls), delay=MS))
    assert time_axis(trace).height <= TALLEST
    svg = sequence_chart(trace).svg
    assert len(trace.flights) > 1000
    for number in range(len(trace.flights)):
        assert f'id="flight_{number}"' in svg
    assert svg.count("_label") > 900


def test_a_chart_of_ordinary_length_keeps_its_scale() -> None:
    """A one-way delay is 45 pt, whatever else there is."""
    for name in ("handshake", "given_up"):
        axis = time_axis(simulate(SCENARIOS[name]))
        assert axis.y(50 * MS) - axis.y(0) == pytest.approx(45)


def test_a_state_that_lasts_leaves_its_bar_open() -> None:
    """Of a leak nothing ends CLOSE-WAIT, and the key says so; what is CLOSED is closed below."""
    leak = sequence_chart(simulate(SCENARIOS["close_wait"])).svg
    assert len([each for each in groups(leak, "foot") if each.get("id")]) == 4  # two parts each
    assert "nothing in this run ends the state" in leak
    done = sequence_chart(simulate(SCENARIOS["normal"])).svg
    assert not groups(done, "foot")
    assert "open at its foot" not in done


def test_of_what_was_stopped_the_chart_claims_no_rest() -> None:
    """With a timer still running the state goes on; nobody knows for how long."""
    svg = sequence_chart(simulate(SCENARIOS["no_answer"])).svg
    assert "the state goes on where the chart ends" in svg
    assert "nothing in this run ends the state" not in svg


def test_a_host_that_is_up_again_has_a_state() -> None:
    """After the restart the client is CLOSED, as it was called before."""
    svg = sequence_chart(simulate(SCENARIOS["half_open_data"])).svg
    trace = simulate(SCENARIOS["half_open_data"])
    restart = next(n for n, step in enumerate(trace.steps) if step.text == "restart")
    assert any("CLOSED" in words(each) for each in groups(svg, f"s{restart}"))


def test_the_marks_of_an_open_direction_keep_their_distance() -> None:
    """From one state to the next as within one, and off the ends of a bar."""
    svg = sequence_chart(simulate(SCENARIOS["half_close"])).svg
    ys: list[float] = []
    for name in ("receives_left_0_0", "receives_left_1_0"):
        drawn = ET.tostring(group(svg, name), encoding="unicode")
        found = [each.split() for each in re.findall(r'points="([^"]*)"', drawn)]
        ys += [float(each[1].split(",")[1]) for each in found]
    assert len(ys) > 2
    assert {round(below - above) for above, below in pairwise(ys)} == {36}


def test_the_axis_goes_on_to_where_a_run_was_stopped() -> None:
    """Nothing happens in the last 5 s, and yet they pass; a run that ran out ends as it did."""
    trace = simulate(SCENARIOS["no_answer"])
    assert (trace.duration, trace.until) == (15025 * MS, 20 * S)
    assert Trace.from_json(trace.to_json()).until == 20 * S
    axis = time_axis(trace)
    assert axis.last >= 20 * S
    assert 20 * S in axis.ticks()
    assert simulate(SCENARIOS["normal"]).until is None


DRAWN = {
    "the only direction still open for data": "one_way",
    "of an earlier connection, or forged": "flight_.*_hollow",
    "nobody was seen to send it: no slope is known": "flight_.*_tail",
    "open at its foot: nothing in this run ends the state": "foot",
    "open at its foot: the state goes on where the chart ends": "foot",
}
CAPTURES = Path(__file__).parents[1] / "notebooks" / "captures"


@pytest.mark.parametrize("name", [*SCENARIOS, *(path.name for path in CAPTURES.glob("*.pcapng"))])
def test_the_key_explains_only_what_is_drawn(name: str) -> None:
    """A direction that is open for 0.1 ms has no mark, and the key none either."""
    trace = simulate(SCENARIOS[name]) if name in SCENARIOS else read(CAPTURES / name)[0]
    svg = sequence_chart(trace).svg
    written = set(re.findall(r">([^<]+)</text>", svg))
    ids = set(re.findall(r' id="(?!key)([^"]+)"', svg))
    classes = {each for some in re.findall(r' class="([^"]+)"', svg) for each in some.split()}
    for text in written & set(DRAWN):
        assert any(re.fullmatch(DRAWN[text], each) for each in ids | classes), text


def test_a_timer_that_was_stopped_says_so_however_short_it_ran() -> None:
    """The keep-alive of the server ran for 50 ms of its two hours."""
    svg = sequence_chart(simulate(SCENARIOS["keep_alive"])).svg
    fates = [
        wait.expired is False
        for end in ("client", "server")
        for wait in simulate(SCENARIOS["keep_alive"]).waits(end)
    ]
    assert svg.count(">stopped</text>") == sum(fates) == 3


def test_a_timer_is_named_where_it_begins() -> None:
    """The USER TIMEOUT of 300 s runs through ten pieces; its name stands in the first."""
    svg = sequence_chart(simulate(SCENARIOS["user_timeout"])).svg
    bands = [height(band)[0] for band in groups(svg, "break")]
    named = [
        text
        for wait in groups(svg, "wait")
        for text in wait.iter(f"{SVG}text")
        if text.text == "USER TIMEOUT"
    ]
    assert len(named) == 3
    assert all(float(text.get("y") or 0) < min(bands) for text in named)


def test_the_name_of_a_moment_has_a_line_to_it() -> None:
    """The server listens and crashes at 0 ms: LISTEN is none of what follows below."""
    svg = sequence_chart(simulate(SCENARIOS["given_up_in_syn_sent"])).svg
    leaders = [each for each in groups(svg, "name") if list(each.iter(f"{SVG}polyline"))]
    assert len(leaders) == 3


def test_a_two_msl_timer_that_is_too_short_says_what_it_takes_for_an_msl() -> None:
    """In `one_msl` a segment lives for 3 s, and TIME-WAIT is over after as long."""
    told = "2MSL 3 s reckons with an MSL of 1.5 s; here a segment lives for 3 s"
    assert told in words(ET.fromstring(sequence_chart(simulate(SCENARIOS["one_msl"])).svg))
    assert "reckons with" not in sequence_chart(simulate(SCENARIOS["two_msl"])).svg


def test_where_an_end_has_several_isses_the_key_says_what_numbers_count_from() -> None:
    """Two ACKs are `seq 1 ack 1` in a half-open connection and in the one after it."""
    trace = read(CAPTURES / "halfopen_syn.pcapng")[0]
    told = "seq and ack count from the ISS of their connection; several ISSs: client, server"
    assert told in words(ET.fromstring(sequence_chart(trace).svg))
    assert "several ISSs" not in sequence_chart(trace, absolute=True).svg
    assert "several ISSs" not in sequence_chart(read(CAPTURES / "normal.pcapng")[0]).svg


def test_what_is_only_concluded_is_not_called_dropped() -> None:
    """The last ACK of a client that a full accept queue ignored: nobody saw what became of it."""
    trace = read(CAPTURES / "acceptq_overflow.pcapng")[3]
    written = labels(trace)
    assert written[-1] == "ACK seq 6 ack 1"
    assert "dropped" not in " ".join(written)
