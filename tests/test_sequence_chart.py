"""The sequence chart: measured back out of its SVG, and each step found in it."""

import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

import pytest

from tcpviz.captures import read_capture
from tcpviz.pictures import theme
from tcpviz.pictures.sequence_chart import arranged, sequence_chart
from tcpviz.pictures.ways import Labels
from tcpviz.scenarios import SCENARIOS
from tcpviz.segment import ACK, FIN, SYN, Segment
from tcpviz.simulate import simulate
from tcpviz.states import FIGURE_5, State
from tcpviz.steps import End, Kind, Step
from tcpviz.trace import Trace
from tcpviz.units import MS, S, readable

SVG = "{http://www.w3.org/2000/svg}"
CLIENT, SERVER = End("client", "192.0.2.1:40000", 100), End("server", "192.0.2.2:80", 300)
SYN_100 = Segment(100, 0, SYN)
RECORDINGS = sorted((Path(__file__).parents[1] / "notebooks" / "captures").glob("*.pcap*"))
each_scenario = pytest.mark.parametrize("name", SCENARIOS)
tree = lru_cache(maxsize=4)(ET.fromstring)  # a picture is searched many times, one after another


@cache
def chart_of(name: str) -> tuple[Trace, str]:
    """The trace of a named scenario and its chart."""
    trace = simulate(SCENARIOS[name])
    return trace, sequence_chart(trace).svg


def groups(svg: str, word: str) -> list[ET.Element]:
    """The groups of a picture that have this class."""
    found = tree(svg).iter(f"{SVG}g")
    return [group for group in found if word in (group.get("class") or "").split()]


def group(svg: str, name: str) -> ET.Element:
    """The one group with this id."""
    (found,) = (g for g in tree(svg).iter(f"{SVG}g") if g.get("id") == name)
    return found


def ground(svg: str, tag: str) -> list[ET.Element]:
    """What lies below everything that has a class."""
    (sheet,) = groups(svg, "graph")
    return sheet.findall(f"{SVG}{tag}")


def words(element: ET.Element) -> str:
    """The text in a part of the picture, its lines joined."""
    return " ".join("".join(text.itertext()).strip() for text in element.iter(f"{SVG}text"))


def points(element: ET.Element) -> list[tuple[float, float]]:
    """The first and the last point of every line in a group."""
    found = []
    for line in element.iter(f"{SVG}polyline"):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", line.get("points") or "")]
        found += [(numbers[0], numbers[1]), (numbers[-2], numbers[-1])]
    return found


def height(element: ET.Element) -> tuple[float, float]:
    """The top and the bottom of a rectangle."""
    (polygon,) = element.iter(f"{SVG}polygon")
    ys = [float(pair.split(",")[1]) for pair in (polygon.get("points") or "").split()]
    return min(ys), max(ys)


def edges(svg: str) -> tuple[float, float]:
    """The x of the sides of the bars that face each other."""
    sides = []
    for name in ("span_left_0", "span_right_0"):
        (polygon,) = group(svg, name).iter(f"{SVG}polygon")
        sides.append([float(pair.split(",")[0]) for pair in (polygon.get("points") or "").split()])
    return max(sides[0]), min(sides[1])


class Ruler:
    """Reads times off a picture as a person does: by the ticks, never across a break."""

    def __init__(self, svg: str) -> None:
        grid = [line for line in ground(svg, "polyline") if line.get("stroke") == theme.GRID]
        ys = [float((line.get("points") or "").split(",")[-1]) for line in grid]
        units = {"ms": MS, "s": S}
        ticks = [re.fullmatch(r"([\d.]+) (m?s)", text.text or "") for text in ground(svg, "text")]
        times = [round(float(tick[1]) * units[tick[2]]) for tick in ticks if tick]
        self.ticks = list(zip(times, ys, strict=True))
        self.bands = [height(band) for band in groups(svg, "break")]
        self.scale = next(
            (late - early) / (below - above)
            for (early, above), (late, below) in pairwise(self.ticks)
            if not self.broken(above, below)
        )

    def broken(self, above: float, below: float) -> bool:
        """Whether a break lies between two heights."""
        above, below = sorted((above, below))
        return any(above < band[0] < below for band in self.bands)

    def time(self, y: float) -> float:
        """The time at a height, in ns."""
        tick, at = min(
            (tick for tick in self.ticks if not self.broken(tick[1], y)),
            key=lambda tick: abs(tick[1] - y),
        )
        return tick + (y - at) * self.scale


@each_scenario
def test_departures_and_arrivals_can_be_measured(name: str) -> None:
    """With nothing but the axis, every delivered segment's two times come back within 0.5 ms."""
    trace, svg = chart_of(name)
    ruler, (left, right) = Ruler(svg), edges(svg)
    for flight in trace.flights:
        if flight.sent is None or not flight.arrived:
            continue
        line = points(group(svg, f"flight_{flight.number}"))
        start, stop = (left, right) if flight.sender == "client" else (right, left)
        (x0, y0), (x1, y1) = line[-2:]  # the head covers the last bit: go on to the lifeline
        assert line[0][0] == pytest.approx(start, abs=0.1)
        assert ruler.time(line[0][1]) == pytest.approx(flight.sent, abs=0.5 * MS)
        arrival = y1 + (stop - x1) * (y1 - y0) / (x1 - x0)
        assert ruler.time(arrival) == pytest.approx(flight.arrived[0], abs=0.5 * MS)


def half_a_pixel(ruler: Ruler) -> float:
    """What half a pixel of the screen is worth, in ns: there are 96 to 72 pt."""
    return 0.5 * 72 / 96 * ruler.scale


def ends_of(svg: str, name: str) -> list[tuple[float, float]]:
    """The first and last point of a way, which its head covers."""
    return points(group(svg, name))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_recordings_can_be_measured(path: Path) -> None:
    """Every way of every segment gives its times back within half a pixel, also through breaks."""
    for connection in read_capture(path).connections[:3]:
        trace = connection.trace()
        if not all(trace.spans(end.name) for end in trace.ends):
            continue  # an end that was never heard of has no bar
        svg = sequence_chart(trace).svg
        ruler, (left, right) = Ruler(svg), edges(svg)
        for flight in trace.flights:
            to_right = flight.sender == trace.ends[0].name
            start, stop = (left, right) if to_right else (right, left)
            for copy, time in enumerate(flight.arrived):
                name = f"flight_{flight.number}" + (f"_copy{copy}" if copy else "")
                line = ends_of(svg, name)
                (x0, y0), (x1, y1) = line[-2:]
                arrival = y1 + (stop - x1) * (y1 - y0) / (x1 - x0)
                assert ruler.time(arrival) == pytest.approx(time, abs=half_a_pixel(ruler)), name
                if flight.sent is not None:
                    assert line[0][0] == pytest.approx(start, abs=0.1)
                    sent = ruler.time(line[0][1])
                    assert sent == pytest.approx(flight.sent, abs=half_a_pixel(ruler)), name


def test_the_ruler_notices_half_a_pixel() -> None:
    """What is a pixel off is not taken for right."""
    svg = sequence_chart(simulate(SCENARIOS["normal"])).svg
    ruler = Ruler(svg)
    y = points(group(svg, "flight_0"))[0][1]
    assert abs(ruler.time(y + 72 / 96)) > half_a_pixel(ruler)


@each_scenario
def test_states_can_be_measured(name: str) -> None:
    """Each rectangle of a bar begins when its state does."""
    trace, svg = chart_of(name)
    ruler = Ruler(svg)
    drawn = [
        ruler.time(height(span)[0])
        for span in groups(svg, "span")
        if re.search(r"\bs\d+", span.get("class") or "")
        and height(span)[0] > height(group(svg, "span_left_0"))[0]
    ]
    spans = [span.since for end in trace.ends for span in trace.spans(end.name)]
    assert all(any(abs(time - since) < 0.5 * MS for since in spans) for time in drawn)
    assert drawn


@each_scenario
def test_every_step_is_found_by_its_class(name: str) -> None:
    """Calls, departures, arrivals, losses and moves can be lit up."""
    trace, svg = chart_of(name)
    for number, step in enumerate(trace.steps):
        if step.flight is not None or step.kind is Kind.CALL or step.edges:
            assert groups(svg, f"s{number}"), (number, step)
    for flight in trace.flights:
        assert groups(svg, f"f{flight.number}")


@each_scenario
def test_ids_are_unique_and_without_hyphens(name: str) -> None:
    """A script finds each part by its id; old Graphviz garbles hyphens."""
    names = re.findall(r' id="([^"]*)"', chart_of(name)[1])
    assert len(names) == len(set(names))
    assert not [one for one in names if "-" in one]


@each_scenario
def test_same_trace_same_bytes(name: str) -> None:
    """Nothing of the process gets into a picture; a trace that went through JSON draws the same."""
    trace = simulate(SCENARIOS[name])
    picture = sequence_chart(trace)
    assert sequence_chart(simulate(SCENARIOS[name])).dot == picture.dot
    assert sequence_chart(Trace.from_json(trace.to_json())).dot == picture.dot


@each_scenario
def test_a_break_says_what_it_leaves_out(name: str) -> None:
    """The duration in each band is the one the axis leaves out."""
    trace, svg = chart_of(name)
    panel, _ruler = arranged(trace, Labels(trace, absolute=True))
    for number, wait in enumerate(panel.axis.breaks):
        assert words(group(svg, f"break_{number}")) == f"{readable(wait.omitted, 9)} not drawn"


@each_scenario
def test_every_picture_tells_all_in_text(name: str) -> None:
    """The twin is the transcript; the alternative text names both ends and where they end up."""
    trace = simulate(SCENARIOS[name])
    picture = sequence_chart(trace)
    assert picture.text == str(trace)
    for end in trace.ends:
        ending = rf"{end.name}[^.]* ends? in {trace.spans(end.name)[-1].state}\."
        assert re.search(ending, picture.alt)
    lost = [flight for flight in trace.flights if flight.fate == "lost"]
    assert ("Lost on the way: " in picture.alt) == bool(lost)


def flight(*steps: Step, ends: tuple[End, End] = (CLIENT, SERVER)) -> Trace:
    """A trace of these steps."""
    return Trace(ends, steps, "one flight")


def depart(time: int, number: int = 0, segment: Segment = SYN_100, end: str = "client") -> Step:
    return Step(time, end, Kind.DEPART, State.SYN_SENT, segment, number)


def arrive(time: int, number: int = 0, segment: Segment = SYN_100, end: str = "server") -> Step:
    return Step(time, end, Kind.ARRIVE, State.SYN_RECEIVED, segment, number)


def lose(time: int, number: int = 0, segment: Segment = SYN_100) -> Step:
    return Step(time, "", Kind.LOSE, None, segment, number)


def test_a_lost_segment_ends_in_a_cross_where_it_died() -> None:
    """After 3/4 of the usual delay it stands at 3/4 of the width; dashed, and it says lost."""
    trace = flight(depart(0), arrive(40 * MS), depart(50 * MS, 1), lose(80 * MS, 1))
    svg = sequence_chart(trace).svg
    left, right = edges(svg)
    cross = points(group(svg, "flight_1_cross"))
    x = sum(point[0] for point in cross) / len(cross)
    y = sum(point[1] for point in cross) / len(cross)
    assert (x - left) / (right - left) == pytest.approx(0.75, abs=0.01)
    assert Ruler(svg).time(y) == pytest.approx(80 * MS, abs=0.5 * MS)
    assert "stroke-dasharray" in ET.tostring(group(svg, "flight_1"), encoding="unicode")
    assert words(group(svg, "flight_1_label")) == "SYN seq 100 2nd time, lost"


def test_a_loss_nobody_saw_dies_half_way() -> None:
    """The time of an inferred loss is not known, and not drawn."""
    lost = lose(3 * S, 1)._replace(inferred=True)
    svg = sequence_chart(flight(depart(0), arrive(40 * MS), depart(50 * MS, 1), lost)).svg
    left, right = edges(svg)
    cross = points(group(svg, "flight_1_cross"))
    x = sum(point[0] for point in cross) / len(cross)
    assert (x - left) / (right - left) == pytest.approx(0.5, abs=0.01)
    assert not groups(svg, "break")


def test_where_no_delay_is_known_no_slope_is_drawn() -> None:
    """Of SYNs that nobody saw arrive nobody knows when they died: level, and said to be unseen."""
    lost = lose(25 * MS)._replace(inferred=True)
    svg = sequence_chart(flight(depart(0), lost, depart(S, 1))).svg
    for number in (0, 1):
        (_, y0), (_, y1) = points(group(svg, f"flight_{number}"))
        assert y0 == y1
    assert words(group(svg, "flight_0_label")) == "SYN seq 100 lost unseen"


def test_a_segment_that_reaches_a_dead_host_crosses_the_whole_way() -> None:
    """Its time on the way is the delay, also where no other segment tells it."""
    trace = simulate(SCENARIOS["given_up_in_syn_sent"])
    svg = sequence_chart(trace).svg
    left, right = edges(svg)
    for way in trace.flights:
        cross = points(group(svg, f"flight_{way.number}_cross"))
        x = sum(point[0] for point in cross) / len(cross)
        assert (x - left) / (right - left) > 0.9


def test_a_duplicate_has_an_arrow_of_its_own() -> None:
    """Dotted, from the one departure to the later arrival."""
    svg = sequence_chart(flight(depart(0), arrive(40 * MS), arrive(70 * MS))).svg
    copy = group(svg, "flight_0_copy1")
    assert points(copy)[0] == points(group(svg, "flight_0"))[0]
    assert "stroke-dasharray" in ET.tostring(copy, encoding="unicode")
    assert {"f0", "s0", "s2"} <= set((copy.get("class") or "").split())
    assert words(group(svg, "flight_0_copy1_label")) == "duplicate"


def test_of_what_nobody_sent_only_the_arrival_is_drawn() -> None:
    """A short level stub with dots before it, hollow: no slope is claimed; the key says so."""
    trace = flight(depart(0), arrive(40 * MS), arrive(90 * MS, 1, Segment(90, 0, SYN)))
    svg = sequence_chart(trace).svg
    _left, right = edges(svg)
    (x0, y0), (x1, y1) = points(group(svg, "flight_1"))
    assert right - 50 < x0 < x1 < right
    assert y0 == y1
    assert Ruler(svg).time(y1) == pytest.approx(90 * MS, abs=0.5 * MS)
    tail = points(group(svg, "flight_1_tail"))
    assert tail[0][1] == tail[1][1] == y0
    assert words(group(svg, "flight_1_label")) == "SYN seq 90 old or forged"
    assert "nobody was seen to send it" in svg


def test_a_segment_still_on_its_way_is_neither_lost_nor_delivered() -> None:
    """Where the trace ends before it arrives, it has no cross and no head, and says so."""
    svg = sequence_chart(flight(depart(0), arrive(40 * MS), depart(50 * MS, 1))).svg
    assert not list(group(svg, "flight_1").iter(f"{SVG}polygon"))
    assert 'id="flight_1_cross"' not in svg
    assert words(group(svg, "flight_1_label")) == "SYN seq 100 2nd time, on its way"


def test_long_charts_stay_within_what_every_graphviz_reads() -> None:
    """No value in the DOT text is longer than the 16384 characters that older versions take."""
    steps = []
    for number in range(400):
        segment = Segment(101 + number, 301, ACK, 1)
        steps += [depart(number * S, number, segment), arrive(number * S + MS, number, segment)]
    dot = sequence_chart(flight(*steps)).dot
    values = re.findall(r'"[^"]*"', dot)
    assert max(len(part) for value in values for part in value.split("\\\n")) < 16_384


def test_an_arrow_in_flight_keeps_its_slope_on_both_sides_of_a_break() -> None:
    """A segment that takes ten seconds is cut by the break, and both parts are as steep."""
    trace = flight(
        depart(0), arrive(50 * MS), depart(60 * MS, 1), arrive(110 * MS, 1),
        depart(120 * MS, 2), arrive(10 * S, 2)
    )  # fmt: skip
    svg = sequence_chart(trace).svg
    (a, b), (c, d), (e, f), (g, h) = points(group(svg, "flight_2"))
    assert (c - a) / (d - b) == pytest.approx((g - e) / (h - f), rel=0.1)
    assert c < e, "it went on while nothing was drawn"


def one_sided() -> Trace:
    """What a client's capture knows of a handshake."""
    syn_ack, ack = Segment(300, 101, SYN | ACK), Segment(101, 301, ACK)
    steps = (
        depart(0),
        arrive(100 * MS, 1, syn_ack, "client")._replace(state=State.ESTABLISHED),
        depart(100 * MS + 40_000, 2, ack)._replace(state=State.ESTABLISHED),
    )
    ends = (CLIENT, SERVER._replace(observed=False))
    return Trace(ends, tuple(step._replace(inferred=True) for step in steps), source="capture")


def test_one_end_alone_claims_neither_delay_nor_arrival() -> None:
    """The far half is level and has no head, the far end has no states."""
    picture = sequence_chart(one_sided())
    for number in range(3):
        far = group(picture.svg, f"flight_{number}_far")
        assert not list(far.iter(f"{SVG}polygon"))
        (near_x, near_y), (far_x, far_y) = points(far)
        assert near_y == far_y
        assert near_x < far_x
        assert max(x for x, _ in points(group(picture.svg, f"flight_{number}"))) < near_x
    assert not [span for span in groups(picture.svg, "span") if "right" in (span.get("id") or "")]
    assert "not observed" in [text.text for text in ground(picture.svg, "text")]
    assert "What happened at server was not observed." in picture.alt


def test_one_end_alone_is_exact_about_what_it_saw() -> None:
    """Where labels give way to each other, the arrows still meet the lifeline at their time."""
    svg = sequence_chart(one_sided()).svg
    ruler = Ruler(svg)
    assert ruler.time(points(group(svg, "flight_2"))[0][1]) == pytest.approx(100 * MS, abs=MS)
    labels = [group(svg, f"flight_{number}_label") for number in (1, 2)]
    above, below = (height(label) for label in labels)
    assert above[1] <= below[0]


def test_inferred_states_look_inferred() -> None:
    """Names in italics, rectangles dashed; seen states are neither."""
    inferred = sequence_chart(one_sided()).svg
    seen = sequence_chart(flight(depart(0), arrive(40 * MS))).svg
    for svg, inferred_marks in ((inferred, True), (seen, False)):
        names = [text for part in groups(svg, "name") for text in part.iter(f"{SVG}text")]
        (name,) = (
            ET.tostring(text, encoding="unicode") for text in names if text.text == State.SYN_SENT
        )
        span = ET.tostring(groups(svg, "span")[0], encoding="unicode")
        assert ("italic" in name or "oblique" in name) == inferred_marks
        assert ("stroke-dasharray" in span) == inferred_marks


def test_numbers_are_those_of_the_figures_or_counted_from_the_iss() -> None:
    """A simulation shows absolute numbers, a capture relative ones; the caller may decide."""
    ack = depart(0, 0, Segment(101, 301, ACK, 5))
    simulated = flight(ack, arrive(40 * MS, 0, Segment(101, 301, ACK, 5)))
    captured = replace(simulated, source="capture")
    absolute, relative = "ACK 5 octets seq 101 ack 301", "ACK 5 octets seq 1 ack 1"
    for trace, option, text in (
        (simulated, None, absolute), (simulated, False, relative),
        (captured, None, relative), (captured, True, absolute),
    ):  # fmt: skip
        picture = sequence_chart(trace, absolute=option)
        assert words(group(picture.svg, "flight_0_label")) == text
        assert ("<SEQ=101>" in picture.text) == (text == absolute)


@pytest.mark.parametrize(
    "engine",
    [
        "wasm",
        pytest.param(
            "dot",
            marks=[pytest.mark.exe, pytest.mark.skipif(not shutil.which("dot"), reason="no dot")],
        ),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "<SEQ=100><CTL=SYN>",
        r"\N \G \l",
        'say "x"',
        "a & b &lt;",
        "tail\\",
        'a\\"b\\\\"',
        "三次握手 é😀",
        "]]>-->",
        "T 9 9 0 0 1 -x",
        "$(x) %s {y}",
    ],
)
def test_any_text_survives(engine: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Title, name, address, call, what the user is told, and note are drawn as they are."""
    monkeypatch.setenv("TCPVIZ_ENGINE", engine)
    ends = (CLIENT._replace(name=text, address=text), SERVER)
    call = Step(0, text, Kind.CALL, State.SYN_SENT, text=text, says=text)
    trace = Trace(ends, (call, depart(0, end=text), arrive(40 * MS)), text, notes=(text,))
    svg = sequence_chart(trace).svg
    drawn = re.sub(r"\s", "", words(ET.fromstring(svg)))
    assert drawn.count(re.sub(r"\s", "", text)) == 6, "whole, if on two lines"


def test_text_that_cannot_be_shown_whole_is_cut_and_harmless() -> None:
    """Control characters and endless names do not break the picture."""
    name = "x" * 500 + "\x00\ud800"
    call = Step(0, name, Kind.CALL, State.SYN_SENT, text="y" * 5000, says="\x1b")
    trace = Trace((CLIENT._replace(name=name), SERVER), (call,), "z" * 5000)
    width = float(ET.fromstring(sequence_chart(trace).svg).get("viewBox", "").split()[2])
    assert width < 1500


def test_a_crowd_is_counted_on_one_label() -> None:
    """Twenty segments side by side: one label says how many; the FIN among them has its own."""
    steps = []
    for number in range(20):
        segment = Segment(101 + number, 301, ACK | (FIN if number == 19 else 0), 1)
        steps.append(depart(number * 1000, number, segment))
        steps.append(arrive(50 * MS + number * 1000, number, segment))
    svg = sequence_chart(flight(*sorted(steps, key=lambda step: step.time))).svg
    labels = {words(each) for each in groups(svg, "flight") if words(each)}
    assert labels == {"ACK 1 octet seq 101 ack 301 and 18 more", "FIN,ACK 1 octet seq 120 ack 301"}


def test_a_chart_has_two_ends() -> None:
    """Anything else is refused in one sentence."""
    for ends in ((CLIENT,), (CLIENT, SERVER, End("third"))):
        with pytest.raises(ValueError, match=f"two ends; this trace has {len(ends)}"):
            sequence_chart(Trace(ends, ()))


def test_a_trace_without_steps_is_an_empty_chart() -> None:
    """Nothing happened, nothing fails."""
    picture = sequence_chart(Trace((CLIENT, SERVER), ()))
    assert not groups(picture.svg, "flight")
    assert "No segment passes between client and server" in picture.alt


def test_clocks_that_disagree_draw_an_arrow_upwards() -> None:
    """A negative delay in a capture is shown as it was recorded."""
    trace = Trace(
        (CLIENT, SERVER), (arrive(0), depart(10 * MS), depart(20 * MS, 1), arrive(70 * MS, 1))
    )
    first, last = points(group(sequence_chart(trace).svg, "flight_0"))
    assert first[1] > last[1]


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2)."""
    shares = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@each_scenario
def test_text_is_legible(name: str) -> None:
    """Every text reaches 4.5:1 on paper, and every colour is written #rrggbb."""
    _, svg = chart_of(name)
    for text in tree(svg).iter(f"{SVG}text"):
        assert 1.05 / (luminance(text.get("fill", "#000000")) + 0.05) >= 4.5, text.text
    colors = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
    assert all(re.fullmatch(r"#[0-9a-f]{6}|none|black|transparent", color) for color in colors)


def test_states_that_follow_each_other_differ_in_grey() -> None:
    """Along every arrow of Figure 5 the tints differ by a tenth of their contrast or more."""
    for edge in FIGURE_5:
        lighter, darker = sorted(
            (luminance(theme.TINTS[edge.target]), luminance(theme.TINTS[edge.source])), reverse=True
        )
        assert (lighter + 0.05) / (darker + 0.05) > 1.1, edge.id
