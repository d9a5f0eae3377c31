"""Labels of sequence charts, measured in the SVG: each at its own arrow, none hides another's."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from math import hypot
from pathlib import Path

import pytest

from tcpviz import read
from tcpviz.pictures import sequence_chart
from tcpviz.scenario import At, Scenario
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.trace import Trace
from tcpviz.units import MS

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parents[1]
CAPTURES = [
    *sorted((ROOT / "notebooks" / "captures").glob("*.pcap*")),
    *sorted((ROOT / "tests" / "data" / "recordings").glob("*.pcap*")),
]
OTHERS, ALL = 0.10, 0.55  # the shares of an arrow that labels of others, that all may hide
LONGEST = 80.0  # pt: a leader

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass
class Arrow:
    """What belongs to one way of one segment."""

    dots: list[Point] = field(default_factory=list)  # along it, a pt apart
    mark: list[Point] = field(default_factory=list)  # of its cross or of the dots before it
    leader: list[Point] = field(default_factory=list)
    label: Box | None = None
    text: str = ""


def traces() -> Iterator[tuple[str, Trace]]:
    """Every scenario, and what comes with the course, merged and as each end alone saw it."""
    for name, scenario in SCENARIOS.items():
        yield name, simulate(scenario)
    for path in CAPTURES:
        for number, trace in enumerate(read(path)[:5]):
            if len(trace.flights) < 150:
                yield f"{path.name} {number}", trace


def corners(shape: ET.Element) -> list[Point]:
    """The points of a shape."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", shape.get("points") or "")]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def dots(group: ET.Element) -> list[Point]:
    """Points along all lines of a group."""
    found = []
    for line in group.iter(f"{SVG}polyline"):
        ends = corners(line)
        for (x0, y0), (x1, y1) in pairwise(ends):
            count = max(int(hypot(x1 - x0, y1 - y0)), 2)
            found += [
                (x0 + (x1 - x0) * step / count, y0 + (y1 - y0) * step / count)
                for step in range(count + 1)
            ]
    return found


def arrows(svg: str) -> dict[str, Arrow]:
    """The arrows of a chart by their ids."""
    found: dict[str, Arrow] = {}
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        part = re.fullmatch(r"(flight_\d+(?:_copy\d+)?)(_\w+)?", group.get("id") or "")
        if not part:
            continue
        arrow = found.setdefault(part[1], Arrow())
        if part[2] is None:
            arrow.dots = dots(group)
        elif part[2] in ("_cross", "_tail"):
            arrow.mark += dots(group)
        elif part[2] == "_leader":
            arrow.leader = dots(group)
        elif part[2] == "_label":
            around = [point for shape in group.iter(f"{SVG}polygon") for point in corners(shape)]
            xs, ys = zip(*around, strict=True)
            arrow.label = min(xs), min(ys), max(xs), max(ys)
            arrow.text = " ".join(text.text or "" for text in group.iter(f"{SVG}text"))
    return found


@cache
def charts() -> dict[str, dict[str, Arrow]]:
    """The arrows of all charts."""
    return {name: arrows(sequence_chart(trace).svg) for name, trace in traces()}


def inside(box: Box, point: Point) -> bool:
    return box[0] < point[0] < box[2] and box[1] < point[1] < box[3]


def hidden(chart: dict[str, Arrow]) -> Iterator[tuple[str, float, float]]:
    """Of each arrow, what labels of others hide, and what all of them hide."""
    for name, arrow in chart.items():
        others = [each.label for other, each in chart.items() if each.label and other != name]
        of_others = {dot for dot in arrow.dots if any(inside(box, dot) for box in others)}
        own = {dot for dot in arrow.dots if arrow.label and inside(arrow.label, dot)}
        yield name, len(of_others) / len(arrow.dots), len(of_others | own) / len(arrow.dots)


def distance(box: Box, points: list[Point]) -> tuple[float, float]:
    """From a label to an arrow: of its edge (what is near 0 touches), then of its middle."""
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    edge = min(
        hypot(max(box[0] - x, 0, x - box[2]), max(box[1] - y, 0, y - box[3])) for x, y in points
    )
    centre = min(hypot(x - middle[0], y - middle[1]) for x, y in points)
    return (0.0 if edge < 0.5 else edge), centre


def astray(chart: dict[str, Arrow]) -> Iterator[tuple[str, str]]:
    """Labels without a leader that are nearer to another arrow than to their own."""
    for name, arrow in chart.items():
        if arrow.label is None or arrow.leader:
            continue
        edge, centre = distance(arrow.label, arrow.dots + arrow.mark)
        for other, each in chart.items():
            if other != name:
                found = distance(arrow.label, each.dots + each.mark)
                touching = edge == found[0] == 0.0
                if (touching and found[1] < centre - 1) or found[0] < edge - 0.5:
                    yield name, other


def test_labels_hide_little_of_the_arrows() -> None:
    """At most a tenth of an arrow is hidden by labels of others, 55 % by all of them."""
    measured = {
        (chart, name): (others, both)
        for chart, found in charts().items()
        for name, others, both in hidden(found)
    }
    assert len(measured) > 1000
    worst = {key: each for key, each in measured.items() if each[0] > OTHERS or each[1] > ALL}
    assert worst == {}


def test_every_label_is_nearest_to_its_own_arrow() -> None:
    """Or a thin line leads to it."""
    found = {name: list(astray(chart)) for name, chart in charts().items()}
    assert {name: each for name, each in found.items() if each} == {}


def test_a_leader_is_short_and_goes_from_the_label_to_its_arrow() -> None:
    """Few labels need one: not two in a hundred. Dots of the arrow itself may be longer."""
    arrows = [arrow for chart in charts().values() for arrow in chart.values()]
    led = [arrow for arrow in arrows if arrow.leader]
    assert 0 < len(led) < len(arrows) / 50
    for arrow in led:
        (x0, y0), (x1, y1) = arrow.leader[0], arrow.leader[-1]
        level = y0 == y1 and "forged" in arrow.text
        assert hypot(x1 - x0, y1 - y0) < (2 * LONGEST if level else LONGEST)
        assert min(hypot(x - x1, y - y1) for x, y in arrow.dots + arrow.mark) < 2
        assert arrow.label is not None
        assert distance(arrow.label, [(x0, y0)])[0] == 0


def test_numbers_are_never_left_out() -> None:
    """Every way of every segment has a label that tells seq, and ack where there is one."""
    told = [
        (name, number, arrow.text)
        for name, chart in charts().items()
        for number, arrow in chart.items()
    ]
    short = [each for each in told if "seq" not in each[2] and "duplicate" not in each[2]]
    assert short == []
    assert [each for each in told if "ACK" in each[2] and " ack " not in each[2]] == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_timer_is_named(name: str) -> None:
    """However short it ran, its name stands in its bracket or beside it."""
    svg = sequence_chart(simulate(SCENARIOS[name])).svg
    waits = [
        group
        for group in ET.fromstring(svg).iter(f"{SVG}g")
        if re.fullmatch(r"wait_(left|right)_\d+", group.get("id") or "")
    ]
    assert [group.get("id") for group in waits if not list(group.iter(f"{SVG}text"))] == []


def test_the_measures_find_what_is_planted() -> None:
    """A label moved onto another's arrow hides it, and is astray."""
    chart = arrows(sequence_chart(simulate(SCENARIOS["handshake"])).svg)
    assert list(astray(chart)) == []
    assert max(others for _, others, _ in hidden(chart)) <= OTHERS
    chart["flight_0"].label = chart["flight_1"].label
    assert ("flight_0", "flight_1") in astray(chart)
    assert max(others for _, others, _ in hidden(chart)) > OTHERS


def train(count: int, apart: int) -> Trace:
    """A client that sends so many segments, so many ns apart."""
    opens = At(0, "server", "passive OPEN"), At(0, "client", "active OPEN")
    sends = [At(200 * MS + number * apart, "client", "SEND", 10) for number in range(count)]
    return simulate(Scenario(calls=(*opens, *sends)))


@pytest.mark.parametrize(("count", "apart"), [(25, 1 * MS), (100, 5 * MS), (200, MS // 2)])
def test_a_train_of_segments_can_be_read_by_zooming(count: int, apart: int) -> None:
    """Its arrows are some points apart, and what calls are not told one by one are counted."""
    svg = sequence_chart(train(count, apart)).svg
    chart = arrows(svg)
    begins = [chart[f"flight_{number}"].dots[0][1] for number in (3, 4, 5)]
    assert all(later - sooner > 5.5 for sooner, later in pairwise(begins))
    calls = re.findall(r">(SEND|and (\d+) more)</text>\s*</g>", svg.replace("\n", ""))
    told = [int(more or 1) for _, more in calls]
    assert sum(told) == count
    assert all(both <= 0.67 for _, _, both in hidden(chart))


def test_in_a_long_chart_every_label_stands_on_its_arrow_and_leaves_a_third_of_it() -> None:
    """Five hundred requests and answers: those of each end form a column of labels."""
    chart = arrows(sequence_chart(train(500, 100 * MS)).svg)
    assert len(chart) > 1000
    assert all(arrow.label for arrow in chart.values())
    assert max(both for _, _, both in hidden_nearby(chart)) < 0.67


def hidden_nearby(chart: dict[str, Arrow]) -> Iterator[tuple[str, float, float]]:
    """The same as `hidden`, of a long chart: only arrows next to each other are compared."""
    names = list(chart)
    for at in range(0, len(names), 20):
        part = {name: chart[name] for name in names[max(at - 5, 0) : at + 25]}
        inner = set(names[at : at + 20])
        yield from (each for each in hidden(part) if each[0] in inner)


@pytest.mark.parametrize("how", ["abort", "reset", "syn_in_window", "user_timeout", "crash"])
def test_a_lost_segment_never_crosses_out_another(how: str) -> None:
    """Two ACKs meet half way and one is lost there: its cross stands clear of the other."""
    (chart,) = (chart for name, chart in charts().items() if name == f"{how}_in_closing")
    crosses = [(number, arrow) for number, arrow in chart.items() if arrow.mark]
    lost = [(number, arrow) for number, arrow in crosses if "lost" in arrow.text]
    assert lost
    for number, arrow in lost:
        xs, ys = zip(*arrow.mark, strict=True)
        box = min(xs), min(ys), max(xs), max(ys)
        others = [dot for other, each in chart.items() if other != number for dot in each.dots]
        assert not any(box[0] < x < box[2] and box[1] < y < box[3] for x, y in others)


@pytest.mark.parametrize("how", ["abort", "reset", "syn_in_window", "user_timeout", "crash"])
def test_the_label_of_a_lost_segment_stands_at_its_cross(how: str) -> None:
    """Beyond the arrow that it meets, where no leader has to cross that."""
    chart = charts()[f"{how}_in_closing"]
    (lost,) = [arrow for arrow in chart.values() if arrow.mark and arrow.text.endswith("lost")][-1:]
    assert lost.label
    assert not lost.leader
    assert distance(lost.label, lost.mark)[0] < 8


def test_what_is_lost_does_not_lie_upon_what_it_answers() -> None:
    """A SYN that nobody was seen to send, and the SYN,ACK to it, both without a known slope."""
    for number in range(5):
        chart = charts()[f"synflood_cookies.pcapng {number}"]
        stub, answer = chart["flight_0"], chart["flight_1"]
        assert answer.dots[-1][1] - stub.dots[-1][1] > 10
        assert hypot(answer.dots[0][0] - stub.dots[-1][0], 0) < 20, "it leaves where that arrives"


@pytest.mark.parametrize("name", ["short_time_wait", "no_quiet_time", "one_msl", "clocked_iss"])
def test_a_label_beside_a_hollow_way_shaves_neither_side_of_it(name: str) -> None:
    """Its own label neither: it stands clear of both lines, or well upon them."""
    svg = ET.fromstring(sequence_chart(simulate(SCENARIOS[name])).svg)
    ids = {group.get("id") or "": group for group in svg.iter(f"{SVG}g")}
    hollow = [
        each.removesuffix("_hollow") for each in ids if re.fullmatch(r"flight.*_hollow", each)
    ]
    chart = arrows(sequence_chart(simulate(SCENARIOS[name])).svg)
    boxes = [arrow.label for arrow in chart.values() if arrow.label]
    assert hollow
    for each in hollow:
        for left, top, right, bottom in boxes:
            for x, y in chart[each].dots:
                if top < y < bottom:
                    assert not left - 1.5 < x < left + 1.5, each
                    assert not right - 1.5 < x < right + 1.5, each


def test_labels_of_neighbours_keep_a_distance_where_there_is_room() -> None:
    """The old SYN stands between a SYN,ACK and an ACK: three labels, not a block."""
    boxes = sorted(arrow.label[1::2] for arrow in charts()["second_syn"].values() if arrow.label)
    assert all(below[0] - above[1] > 5 for above, below in pairwise(boxes))


def test_what_arrives_long_after_is_named_where_it_leaves_too() -> None:
    """An old duplicate whose way is cut has its numbers at both ends."""
    svg = sequence_chart(simulate(SCENARIOS["short_time_wait"])).svg
    root = ET.fromstring(svg)
    begins = next(g for g in root.iter(f"{SVG}g") if (g.get("id") or "").endswith("_begins_label"))
    assert "ACK 10 octets seq 101 ack 301" in " ".join(begins.itertext())
    assert "old" not in " ".join(begins.itertext()), "it is not old yet"


@pytest.mark.parametrize("name", ["four_segment_handshake", "lost_syn_ack", "stray_ack"])
def test_what_leaves_and_arrives_together_is_two_lines_in_sending_order(name: str) -> None:
    """Both begin and end at the same moments; between, the first sent runs over the second."""
    chart = charts()[name]
    pairs = [
        (first, second)
        for first, second in pairwise(chart.values())
        if first.dots[0] == second.dots[0]
    ]
    assert len(pairs) == 1
    for first, second in pairs:
        middles = [each.dots[len(each.dots) // 2] for each in (first, second)]
        assert 3 < middles[1][1] - middles[0][1] < 8
        assert first.label
        assert second.label
        assert first.label[3] < second.label[1], "in sending order"


def test_the_dots_before_what_nobody_sent_lead_to_its_label() -> None:
    """Where arrows crowd at its tip, it stands further off, and no leader crosses them aslant."""
    chart = charts()["syn_in_window_while_crossing"]
    (old,) = [arrow for arrow in chart.values() if "old or forged" in arrow.text]
    assert old.leader
    assert len({y for _, y in old.leader}) == 1
    assert old.leader[-1] == pytest.approx(old.mark[0], abs=1)
