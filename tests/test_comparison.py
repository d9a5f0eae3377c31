"""Two charts on one axis: what differs is found, numbered and told; what does not is not."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from test_sequence_chart import Ruler, group, groups, height, points, words

from tcpviz.captures import read_capture
from tcpviz.pictures.comparison import compare
from tcpviz.pictures.differences import aligned, differences
from tcpviz.scenario import At, Delay, Duplicate, Lose, On, Scenario
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.trace import Trace
from tcpviz.units import MS, S, readable

RECORDINGS = Path(__file__).parents[1] / "notebooks" / "captures"
MODEL = Scenario(
    calls=(At(0, "server", "passive OPEN"), At(0, "client", "active OPEN")),
    reactions=(On("client", "ESTABLISHED", "CLOSE", 250 * MS), On("server", "CLOSE-WAIT", "CLOSE")),
)


def told(one: Trace, other: Trace, tolerance: int = 10 * MS) -> list[str]:
    """The differences in words."""
    both = aligned(one, other)
    return [each.text for each in differences(*both, tolerance=tolerance, absolute=True)]


def run(*network: object) -> Trace:
    return simulate(replace(MODEL, network=network))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_trace_does_not_differ_from_itself(name: str) -> None:
    """Not even if it begins later."""
    trace = simulate(SCENARIOS[name])
    assert told(trace, trace) == []


def test_a_lost_segment_differs_in_its_fate_its_repetition_and_all_that_is_late() -> None:
    """Each said once: what goes on to be late is not told again."""
    assert told(run(), run(Lose("client", "FIN"))) == [
        "<SEQ=101><ACK=301><CTL=FIN,ACK> from client, at 350 ms: delivered left, lost right",
        "<SEQ=301><ACK=102><CTL=ACK> from server leaves 1 s later right, and so on from here",
        "only right: <SEQ=101><ACK=301><CTL=FIN,ACK> from client, at 1.35 s",
    ]


def test_what_is_told_of_times_is_what_the_charts_show() -> None:
    """By how much a segment leaves later, not by how much more than the one told before."""
    kernel = read_capture(RECORDINGS / "lost_fin.pcapng").connections[0].trace()
    both = aligned(simulate(SCENARIOS["linux_lost_fin"]), kernel)
    pairs = [simulate(SCENARIOS[name]) for name in ("simultaneous_close", "open_and_close")]
    told_of = 0
    for one, other in (both, aligned(pairs[0], pairs[1])):
        for each in differences(one, other, tolerance=10 * MS, absolute=False):
            left, right = each.marks[0], each.marks[-1]
            if "and so on" in each.text:
                told_of += 1
                late = right.time - left.time
                by = f"{readable(abs(late))} {'later' if late > 0 else 'earlier'}"
                assert by in each.text or (abs(late) <= 10 * MS and "same time again" in each.text)
    assert told_of > 4


def test_segments_of_one_incarnation_are_paired() -> None:
    """Whatever ISS the second connection takes: told once for each end, as what differs first."""
    one, other = (simulate(SCENARIOS[name]) for name in ("same_iss", "clocked_iss"))
    found = differences(*aligned(one, other), tolerance=10 * MS, absolute=True)
    assert [each.text for each in found] == [
        "client takes ISS 100 left, 250100 right",
        "server takes ISS 300 left, 262800 right",
        "<SEQ=301><ACK=111><CTL=ACK> from server is <SEQ=262801><ACK=250101><CTL=ACK> right",
    ]
    assert min(each.time for each in found) >= S


@pytest.mark.parametrize(
    ("run_of", "recording"),
    [
        ("half_open", "halfopen_syn"),
        ("old_duplicate_syn", "fig8_old_duplicate_syn"),
        ("half_close", "half_close"),
        ("open_and_close", "normal"),
    ],
)
def test_no_segment_is_only_left_and_again_only_right(run_of: str, recording: str) -> None:
    """A capture knows no connections of an end: they do not part what is printed alike."""
    kernel = read_capture(RECORDINGS / f"{recording}.pcapng").connections[0].trace()
    both = aligned(simulate(SCENARIOS[run_of]), kernel)
    found = [each.text for each in differences(*both, tolerance=10 * MS, absolute=False)]
    alone = [
        {re.split(" from |: ", text)[1] for text in found if text.startswith(f"only {side}")}
        for side in ("left", "right")
    ]
    assert found
    assert not alone[0] & alone[1]
    assert not any("FIN" in text for each in alone for text in each), "both sides close"


def test_other_data_is_told_and_not_all_numbers_after_it() -> None:
    """Left alone has data: each FIN, and the ACK of it, is in both all the same."""
    calls = (*MODEL.calls, At(100 * MS, "client", "SEND", 5))
    found = told(simulate(replace(MODEL, calls=calls)), run())
    assert len(found) == 2
    assert "only left: <SEQ=101><ACK=301><CTL=ACK><DATA=5> from client" in found[0]
    assert "only left: <SEQ=301><ACK=106><CTL=ACK> from server" in found[1]
    more = (*MODEL.calls, At(100 * MS, "client", "SEND", 7))
    assert told(simulate(replace(MODEL, calls=calls)), simulate(replace(MODEL, calls=more))) == [
        "<SEQ=101><ACK=301><CTL=ACK><DATA=5> from client"
        " is <SEQ=101><ACK=301><CTL=ACK><DATA=7> right"
    ]


def test_options_of_syns_are_compared_where_both_traces_have_some() -> None:
    """MSS alone beside all four; a simulation without options says nothing of them."""
    plain, usual = (
        read_capture(RECORDINGS / f"{name}.pcapng").connections[0].trace()
        for name in ("normal_plain", "normal")
    )
    listed = compare(plain, usual).text.splitlines()
    usually = "MSS 1460, SACK-permitted, TS, WS 10"
    assert listed[1] == f"1  options of the SYN from client: MSS 1460 left, {usually} right"
    assert not any("options" in each for each in told(run(), usual))


def test_every_number_in_a_chart_is_explained_below_it() -> None:
    """Of more differences than are told on the sheet the rest has no number in it either."""
    one, other = simulate(SCENARIOS["simultaneous_close"]), simulate(SCENARIOS["open_and_close"])
    svg = compare(one, other).svg
    assert groups(svg, "d12")
    assert not groups(svg, "d13")
    assert "and 1 more" in svg


def test_a_duplicate_and_a_delay_are_differences() -> None:
    """A copy is a fate; a longer way is told with what it makes late."""
    assert (
        "delivered left, delivered 2 times right" in told(run(), run(Duplicate("client", "SYN")))[0]
    )
    late = told(run(), run(Delay("server", "SYN,ACK", 30 * MS)))
    assert late[0].endswith("is 30 ms longer on its way right")
    assert "leaves 30 ms later right" in late[1]


def test_the_tolerance_is_where_a_difference_begins() -> None:
    """30 ms are the same where 30 ms are tolerated, and not where 29 are."""
    both = run(), run(Delay("server", "SYN,ACK", 30 * MS))
    assert told(*both, tolerance=30 * MS) == []
    assert told(*both, tolerance=29 * MS) != []


def test_a_state_that_one_trace_alone_has_is_told() -> None:
    """Without TIME-WAIT the client is in no such state, and answers the FIN by a RST."""
    found = told(simulate(SCENARIOS["no_time_wait"]), simulate(SCENARIOS["lost_last_ack"]))
    assert found[0] == "only right: client is in TIME-WAIT, from 410 ms"
    assert any("only left: <SEQ=102><CTL=RST>" in each for each in found)


def test_a_wait_that_lasts_longer_is_told_from_where_it_is_alone() -> None:
    """TIME-WAIT ends without a segment: that it ends sooner is a difference all the same."""
    ended, kept = (simulate(SCENARIOS[n]) for n in ("duplicated_fin", "time_wait_ignores_rst"))
    assert told(ended, kept) == ["only right: client is in TIME-WAIT, from 530 ms"]
    assert told(kept, ended) == ["only left: client is in TIME-WAIT, from 530 ms"]


def test_traces_are_aligned_at_their_first_syn() -> None:
    """A model that calls later sends later; the picture takes that away."""
    calls = tuple(call._replace(time=call.time + 3 * S) for call in MODEL.calls)
    late = simulate(replace(MODEL, calls=calls))
    one, other = aligned(run(), late)
    assert one.flights[0].sent == other.flights[0].sent == 3 * S
    assert told(run(), late) == []
    timers = {timer.since for step in one.steps for timer in step.timers}
    assert min(timers) == 3 * S, "timers move with the steps"


def test_a_model_beside_the_kernel() -> None:
    """A recording of Linux and a simulation of the same calls: Linux's first RTO is 12 ms late."""
    kernel = read_capture(RECORDINGS / "lost_syn.pcapng").connections[0].trace()
    reactions = (
        On("client", "ESTABLISHED", "CLOSE", 250 * MS),
        On("server", "CLOSE-WAIT", "CLOSE", 150 * MS),
    )
    model = simulate(replace(MODEL, reactions=reactions, network=(Lose("client", "SYN"),)))
    found = compare(kernel, model)
    assert found.text.splitlines()[0] == "Differences: 2."
    assert "<SEQ=0><CTL=SYN> from client leaves 12.189 ms earlier right" in found.text
    assert "2  only right, after left ends: client is in CLOSED, from 61.6 s" in found.text


def test_bars_end_where_a_capture_ends() -> None:
    """Its last state stays open at its foot; what the other one shows later is told and drawn."""
    names = ("normal.pcapng", "close_3seg.pcapng")
    long, short = (read_capture(RECORDINGS / name).connections[0].trace() for name in names)
    picture = compare(long, short)
    svg, ruler = picture.svg, Ruler(picture.svg)
    for side in ("left", "right"):
        bars = [each for each in groups(svg, "span") if f"right_span_{side}" in each.attrib["id"]]
        foot = max(height(each)[1] for each in bars)
        assert 0 <= ruler.time(foot) - short.duration < 40 * ruler.scale
    open_feet = [each.get("id") for each in groups(svg, "foot")]
    assert "right_foot_left_on" in open_feet
    assert points(group(svg, "right_foot_left_on"))[0][1] == pytest.approx(foot, abs=0.1)
    later = [line for line in picture.text.splitlines() if "only left, after right ends: " in line]
    assert [line.split("from ")[-1] for line in later] == [
        "server, at 744.349 ms",
        "794.584 ms",
    ]
    for line in later:
        (number,) = groups(svg, f"d{line.split()[0]}")
        assert words(number) == line.split()[0]
    assert "after" not in compare(long, long).text.split("\n\n")[0]


def test_a_run_that_was_ended_is_known_to_its_end_alone() -> None:
    """One in which nothing is left to come is known for ever: it is not said to end."""
    ended = simulate(replace(MODEL, until=5 * S))
    assert told(ended, run()) == ["only right, after left ends: client is in CLOSED, from 60.45 s"]
    assert told(run(), ended) == ["only left, after right ends: client is in CLOSED, from 60.45 s"]
    assert told(ended, ended) == []


def test_states_of_one_moment_are_named_in_their_order() -> None:
    """A name on two lines stands over that of the state that follows at once, on one line."""
    reactions = (MODEL.reactions[0], On("server", "CLOSE-WAIT", "ABORT"))
    trace = simulate(replace(MODEL, reactions=reactions))
    states = [(span.state, span.since) for span in trace.spans("server")][-2:]
    assert [state for state, _ in states] == ["CLOSE-WAIT", "CLOSED"]
    assert states[0][1] == states[1][1]
    svg = compare(trace, trace).svg.replace("&#45;", "-")
    heights = {
        name: [float(y) for y in re.findall(rf'y="([\d.]+)"[^>]*>{name}<', svg)]
        for name in ("CLOSE-", "WAIT", "CLOSED")
    }
    first = heights["CLOSE-"][0]
    after = min(y for y in heights["CLOSED"] if y > first - 30)
    assert first < min(y for y in heights["WAIT"] if y > first) < after


def test_both_charts_have_one_scale_and_the_same_breaks() -> None:
    """One ruler measures both; each segment of either is found under its side."""
    one, other = run(), run(Lose("client", "FIN"))
    svg = compare(one, other).svg
    ruler = Ruler(svg)
    for side, trace in (("left", one), ("right", other)):
        for flight in trace.flights:
            y = points(group(svg, f"{side}_flight_{flight.number}"))[0][1]
            assert ruler.time(y) == pytest.approx(flight.sent, abs=0.4 * ruler.scale)


@pytest.mark.parametrize(
    "names",
    [("two_way_ghost", "three_way_no_ghost"), ("simultaneous_open", "literal_simultaneous_open")],
)
def test_labels_stand_at_their_arrows_where_two_charts_share_a_sheet(
    names: tuple[str, ...],
) -> None:
    """No label of a SYN,ACK is higher than where its arrow begins, or lower than where it ends."""
    one, other = (simulate(SCENARIOS[name]) for name in names)
    svg = compare(one, other).svg
    for side, trace in (("left", one), ("right", other)):
        for flight in trace.flights:
            if flight.segment.control != "SYN,ACK":
                continue
            ys = [y for _, y in points(group(svg, f"{side}_flight_{flight.number}"))]
            label = group(svg, f"{side}_flight_{flight.number}_label")
            written = [float(text.get("y", "")) for text in label.iter() if text.get("y")]
            assert min(ys) < min(written)
            assert max(written) < max(ys) + 15


def test_numbers_stand_at_the_differences_and_in_the_list() -> None:
    """Each number of the list is in a bar, beginning when the difference does."""
    one, other = run(), run(Lose("client", "FIN"))
    picture = compare(one, other)
    ruler = Ruler(picture.svg)
    listed = differences(*aligned(one, other), tolerance=10 * MS, absolute=True)
    for number, each in enumerate(listed, 1):
        drawn = groups(picture.svg, f"d{number}")
        assert len(drawn) == len(each.marks)
        assert {words(one) for one in drawn} == {str(number)}
        assert f"{number}  {each.text}" in picture.text
        assert each.text in picture.svg.replace("&lt;", "<").replace("&gt;", ">")
    assert ruler.ticks
    assert height(group(picture.svg, "break_0"))


def test_the_text_twin_has_both_transcripts() -> None:
    """Who cannot see the picture reads both, and first what differs."""
    one, other = run(), run(Lose("client", "FIN"))
    lines = compare(one, other).text
    assert str(one) in lines
    assert str(other) in lines
    assert compare(one, one).text.startswith("No difference.")


def test_ids_are_unique_and_the_bytes_are_the_same() -> None:
    """Two charts on one sheet, and no id twice."""
    svg = compare(run(), run(Lose("client", "FIN"))).svg
    names = re.findall(r' id="([^"]*)"', svg)
    assert len(names) == len(set(names))
    assert svg == compare(run(), run(Lose("client", "FIN"))).svg


def test_a_comparison_has_two_ends() -> None:
    """Anything else is refused in one sentence."""
    trace = run()
    with pytest.raises(ValueError, match="two ends; a trace has 1"):
        compare(trace, Trace(trace.ends[:1], ()))


def test_traces_without_steps_do_not_differ() -> None:
    """Nothing happened, nothing fails."""
    empty = Trace(run().ends, ())
    assert compare(empty, empty).text.startswith("No difference.")
    assert "only left" in compare(run(), empty).text
