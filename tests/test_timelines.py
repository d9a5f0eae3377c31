"""Counts over time: exact to what a picture can show, legible, told in text."""

import re
from itertools import combinations, pairwise
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpviz import read
from tcpviz.pictures.lettering import text_width
from tcpviz.pictures.timelines import _COLUMNS, WIDTH, outline, timelines
from tcpviz.population import Listener, Member, populate
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.timeline import Timeline, count
from tcpviz.units import MS, S

SVG = "{http://www.w3.org/2000/svg}"
EMPTY = Timeline()


@pytest.fixture(scope="module")
def leak():
    """Five clients of a server that never closes, and that accepts none."""
    members = [Member(number * 400 * MS, SCENARIOS["close_wait"]) for number in range(5)]
    return populate(members, Listener(2, accepts=None))


def busy(changes):
    """A line that goes up and down at random times within a minute."""
    dice = Random(5)
    begins = [dice.randrange(60 * S) for _ in range(changes // 2)]
    return Timeline.counted(begins, [begin + dice.randrange(2 * S) for begin in begins])


def parts(svg, kind):
    """The groups of a class by id."""
    groups = ET.fromstring(svg).iter(f"{SVG}g")
    return {g.get("id"): g for g in groups if kind in g.get("class", "").split()}


def corners(group):
    """The points of a drawn line, in order."""
    return [
        tuple(map(float, point.split(",")))
        for line in group.iter(f"{SVG}polyline")
        for point in line.get("points").split()
    ]


def boxes(svg):
    """Every line of text with the rectangle it takes."""
    for text in ET.fromstring(svg).iter(f"{SVG}text"):
        line, size = "".join(text.itertext()), float(text.get("font-size"))
        width, x, y = text_width(line, size), float(text.get("x")), float(text.get("y"))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
        yield line, (left, y - 0.78 * size, left + width, y + 0.2 * size)


# ---- what the line covers ------------------------------------------------------------------------


changes = st.lists(st.integers(0, 700), max_size=60)


@settings(max_examples=60, deadline=None)
@given(begins=changes, ends=changes)
def test_few_steps_are_drawn_where_they_are(begins, ends):
    """Where each column has one time the line is the step function itself."""
    line = Timeline.counted(begins, [end + 1 for end in ends])
    drawn = list(outline(line, _COLUMNS, 0, _COLUMNS))
    assert drawn[0] == (0, line.at(0))
    assert drawn[-1] == (_COLUMNS, line.at(_COLUMNS))
    for (x0, y0), (x1, y1) in pairwise(drawn):
        assert x0 <= x1
        assert x0 == x1 or y0 == y1, "no slopes"
    for time in range(_COLUMNS):
        levels = [y0 for (x0, y0), (x1, _) in pairwise(drawn) if x0 <= time < x1]
        assert levels == [line.at(time)]


def test_many_steps_are_covered_exactly():
    """In each half point the line reaches from the least count in it to the most, no further."""
    line, until = busy(20_000), 63 * S
    drawn = list(outline(line, until, 0, _COLUMNS))
    assert len(drawn) <= 4 * _COLUMNS + 2
    steps = dict.fromkeys(range(_COLUMNS), ())
    for time, level in line.points:
        steps[time * _COLUMNS // until] += (level,)
    level = line.at(0)
    for column, levels in steps.items():
        here = [y for x, y in drawn if column <= x < column + 1]
        if levels:
            low, high = min(level, *levels), max(level, *levels)
            assert (min(here), max(here)) == (low, high)
            assert here[0] == level
            assert here[-1] == levels[-1]
            level = levels[-1]


def test_a_hundred_thousand_connections_are_one_small_picture():
    """How much is drawn is bounded by the width, not by the count."""
    few, many = (timelines({"some": busy(changes)}).svg for changes in (20_000, 200_000))
    assert len(many) < 1.5 * len(few) < 150_000


def test_a_ruler_reads_the_counts(leak):
    """Coordinates of the SVG give back each time and count."""
    line = leak.count("CLOSE-WAIT", "server")
    svg = timelines({"CLOSE-WAIT": line}, until=2 * S).svg
    (drawn,) = parts(svg, "series").values()
    marks = {words: box for words, box in boxes(svg) if box[2] < 64 or " " in words}
    left, right = (sum(marks[words][::2]) / 2 for words in ("0 ms", "2 s"))
    low, high = (marks[words][3] for words in ("0", "3"))
    (_, zero), *_ = corners(drawn)
    steps = [
        (round((x - left) / (right - left) * 2 * S, -6), round((zero - y) / (low - high) * 3, 2))
        for (x0, _), (x, y) in pairwise(corners(drawn))
        if x == x0
    ]
    assert [count for _, count in steps] == pytest.approx([1, 2, 3], abs=0.03)
    for (time, _), (wanted, _) in zip(steps, line.points, strict=True):
        assert abs(time - wanted) < 5 * MS, "half a point's worth"


# ---- what is written -----------------------------------------------------------------------------


def pictures(leak):
    """Of one, two and three lines; few and many steps; lines that end together."""
    crowd = {"CLOSE-WAIT at the server": leak.count("CLOSE-WAIT", "server")}
    yield timelines(crowd)
    both = crowd | {"accept queue": leak.accept_queue}
    yield timelines(both, limits={"backlog + 1": 3}, title="A leak")
    three = both | {"SYN-RECEIVED at the server": leak.count("SYN-RECEIVED", "server")}
    yield timelines(three, limits={"backlog": 2, "backlog + 1": 3, "descriptors": 5}, until=3 * S)
    yield timelines({"a": busy(50_000), "b": busy(300)}, limits={"ports": 28_232})
    yield timelines({"a": busy(400), "b": busy(300), "c": busy(40)})
    yield timelines({"nothing": EMPTY})
    yield timelines({"x" * 200: EMPTY, "a name that is longer than the margin": busy(9)})


def test_no_text_touches_another_or_a_line(leak):
    """Ticks, names and peaks keep clear of each other, of all lines and of the rim."""
    for picture in pictures(leak):
        placed = list(boxes(picture.svg))
        height = float(re.search(r'height="(\d+)pt"', picture.svg).group(1))
        for (one, a), (other, b) in combinations(placed, 2):
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, f"{one} touches {other} in {picture.title}"
        for line, (left, top, right, bottom) in placed:
            assert left >= 0, line
            assert right <= WIDTH, line
            assert top >= 0, line
            assert bottom <= height, line
        for name, group in (parts(picture.svg, "series") | parts(picture.svg, "limit")).items():
            for (x0, y0), (x1, y1) in pairwise(corners(group)):
                for words, box in placed:
                    apart = (
                        box[2] < min(x0, x1)
                        or max(x0, x1) < box[0]
                        or box[3] < min(y0, y1)
                        or max(y0, y1) < box[1]
                    )
                    assert apart, f"{name} crosses {words} in {picture.title}"


def test_lines_differ_in_more_than_colour(leak):
    """Solid, dashed, dotted; a ring, a square, a dot at the peak and beside the name."""
    *_, three = (p for p in pictures(leak) if "series_2" in p.svg)
    series = parts(three.svg, "series").values()
    dashes = {next(group.iter(f"{SVG}polyline")).get("stroke-dasharray") for group in series}
    assert len(dashes) == 3
    signs = parts(three.svg, "sign")
    assert set(signs) == {f"{kind}_{nth}" for kind in ("peak", "sign") for nth in range(3)}
    for nth in range(3):
        looks = []
        for kind in ("peak", "sign"):
            shape = next(e for e in signs[f"{kind}_{nth}"].iter() if e.get("fill"))
            looks.append((shape.tag, shape.get("fill")))
        assert looks[0] == looks[1]


def test_peaks_and_limits_are_said(leak):
    """In the picture, in the text and in the alt text."""
    lines = {"CLOSE-WAIT": leak.count("CLOSE-WAIT", "server")}
    picture = timelines(lines, limits={"backlog + 1": 3})
    peak = "3 at most, at 1.1 s"
    assert peak in picture.svg
    assert f"CLOSE-WAIT: {peak}; 3 at the end." in picture.text
    assert f"CLOSE-WAIT: {peak}; 3 at the end." in picture.alt
    assert "backlog + 1: 3" in picture.svg
    assert "Limit: backlog + 1, 3." in picture.alt
    (limit,) = parts(picture.svg, "limit").values()
    assert {y for _, y in corners(limit)} == {
        min(y for _, y in corners(next(iter(parts(picture.svg, "series").values()))))
    }


def test_the_text_is_a_table_of_the_ticks(leak):
    """Each row has a tick of the time axis and the counts at that time."""
    line = leak.count("CLOSE-WAIT", "server")
    picture = timelines({"CLOSE-WAIT": line, "queue": leak.accept_queue}, until=2 * S)
    rows = [re.split(r"  +", row.strip()) for row in picture.text.splitlines()[3:]]
    assert rows[0] == ["at", "CLOSE-WAIT", "queue"]
    assert len(rows) > 4
    for time, *counts in rows[1:]:
        assert f">{time}</text>" in picture.svg
        number, unit = time.split()
        at = int(float(number) * {"ms": MS, "s": S}[unit])
        assert counts == [str(line.at(at)), str(leak.accept_queue.at(at))]


def test_traces_of_any_source_can_be_counted():
    """A capture's connections, counted by `timeline.count`, draw as well."""
    trace = simulate(SCENARIOS["close_wait"])
    picture = timelines({"CLOSE-WAIT": count([trace, trace], "CLOSE-WAIT", "server")})
    assert "2 at most, at 300 ms" in picture.svg


def test_names_are_only_text():
    """Any name and title is drawn as it is."""
    name = '<b>"\\N & 服务器'
    picture = timelines({name: busy(6)}, limits={"<script>": 7}, title='a\\n"b<i>')
    found = {"".join(t.itertext()) for t in ET.fromstring(picture.svg).iter(f"{SVG}text")}
    assert {name, "<script>: 7", 'a\\n"b<i>'} <= found
    assert "<script>" not in picture.svg


def test_what_cannot_be_drawn_is_one_clear_error():
    """Too many lines, none, no Timeline, a limit or an end that is no number."""
    with pytest.raises(ValueError, match="series: 4 are not one to 3 counts"):
        timelines(dict.fromkeys("abcd", EMPTY))
    with pytest.raises(ValueError, match="series: 0 are not one"):
        timelines({})
    with pytest.raises(ValueError, match=r"series\['a'\]: 3 is not a Timeline"):
        timelines({"a": 3})
    with pytest.raises(ValueError, match=r"limits\['b'\]: -1 is not a number"):
        timelines({"a": EMPTY}, limits={"b": -1})
    with pytest.raises(ValueError, match="until: 0 is not a time in ns after 0"):
        timelines({"a": EMPTY}, until=0)


def test_same_counts_same_bytes(leak):
    """A picture is a function of what it shows."""
    once, again = ([(p.dot, p.text, p.alt) for p in pictures(leak)] for _ in range(2))
    assert once == again


def test_a_count_of_what_may_be_cookies_is_only_at_most_so_many():
    """Of the flood the line of SYN-RECEIVED says so wherever it has a number; others are sure."""
    captures = Path(__file__).parents[1] / "notebooks" / "captures"
    flood = read(captures / "synflood_cookies.pcapng")
    picture = timelines(
        {state: count(flood, state, "server") for state in ("SYN-RECEIVED", "ESTABLISHED")}
    )
    assert "SYN-RECEIVED: ≤ 13 at most" in picture.text
    assert "ESTABLISHED: 1 at most" in picture.text
    written = ["".join(t.itertext()) for t in ET.fromstring(picture.svg).iter(f"{SVG}text")]
    assert "≤ 13" in written
    assert any("SYN cookie" in text for text in written)
    assert "SYN cookie" in picture.alt
    assert "≤" not in timelines({"a": busy(6)}).svg
