"""Pictures cut for paper: no line of text lost or told twice, and who is who over each part."""

import html
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tcpviz import SCENARIOS, read, sequence_chart, simulate, state_diagram
from tcpviz.pictures.cut import HEIGHT, LETTERS, WIDTH, sheets

CAPTURES = Path(__file__).parents[1] / "notebooks" / "captures"
TEXT = re.compile(r'<text[^>]* y="([\d.]+)"[^>]* font-size="([\d.]+)"[^>]*>([^<]*)<')
HIGH = ("short_time_wait", "port_reuse_refused", "one_msl", "lost_ack", "half_close.pcapng")


@cache
def chart(name):
    """The chart of a scenario or of a recording."""
    recorded = name.endswith(".pcapng")
    trace = read(CAPTURES / name)[0] if recorded else simulate(SCENARIOS[name])
    return sequence_chart(trace).svg


def box(svg):
    """Where a picture begins, its width and its height."""
    _, top, width, height = map(float, re.search(r'viewBox="([^"]*)"', svg)[1].split())
    return top, width, height


def scale(svg):
    """How small a part may be drawn and still be read."""
    return LETTERS / min(float(size) for _, size, _ in TEXT.findall(svg))


def lines(svg):
    """The lines of text that are seen whole: what they say, by upper and lower edge.

    The name of an end, over its bar, has a colon.
    """
    top, _, height = box(svg)
    texts = [(float(y), float(size), said) for y, size, said in TEXT.findall(html.unescape(svg))]
    found = [(y - size, y, f"{said}:" if size == 13 else said) for y, size, said in texts]
    return [(upper, y, said) for upper, y, said in found if top <= upper and y <= top + height]


@pytest.mark.parametrize("name", ["handshake", "open_and_close", "lost_fin"])
def test_what_fits_on_a_page_is_not_cut(name):
    """The picture is given back as it is, a state diagram too."""
    for svg in (chart(name), state_diagram(simulate(SCENARIOS[name])).svg):
        assert sheets(svg) == [svg]


@pytest.mark.parametrize("name", HIGH)
def test_each_part_can_be_read_on_a_page(name):
    """In the room of a page its smallest lettering has 6.5 pt."""
    parts = sheets(chart(name))
    assert len(parts) > 1
    for part in parts:
        _, width, height = box(part)
        smallest = min(float(size) for _, size, _ in TEXT.findall(part))
        assert min(WIDTH / width, HEIGHT / height) * smallest >= LETTERS - 0.01


@pytest.mark.parametrize("height", range(300, 700, 40))
@pytest.mark.parametrize("name", HIGH)
def test_no_last_part_is_a_strip(name, height):
    """It has a fifth of a page: one event of a long run is not left alone."""
    *others, last = sheets(chart(name), height=height)
    assert not others or box(last)[2] >= 0.2 * height / max(scale(part) for part in others)


@pytest.mark.parametrize("name", HIGH)
def test_every_line_of_text_is_on_one_part(name):
    """None is lost, cut, or told twice, such as what a break leaves out; the names are on each."""
    svg, names = chart(name), {"client:", "server:"}
    parts = [lines(part) for part in sheets(svg)]
    told = [said for part in parts for _, _, said in part if said not in names]
    assert sorted(told) == sorted(said for _, _, said in lines(svg) if said not in names)
    for part in parts:
        assert sorted(said for _, _, said in part if said in names) == sorted(names)


@pytest.mark.parametrize("name", HIGH)
def test_the_names_stand_over_what_follows(name):
    """They are above all else that a later part shows; nothing of before is left beside them."""
    names = {"client:", "server:"}
    for part in sheets(chart(name))[1:]:
        top, _, _ = box(part)
        foot = max(y for _, y, said in lines(part) if said in names)
        assert top < foot < min(y for _, y, said in lines(part) if said not in names)
        veil = re.findall(r'<rect x="[-\d.]+" y="([-\d.]+)" [^>]*height="([\d.]+)"', part)
        [(above, high)] = [tuple(map(float, each)) for each in veil]
        assert above <= top - 10
        assert foot < above + high < foot + 20


@pytest.mark.parametrize("name", HIGH)
def test_the_parts_are_the_whole(name):
    """From top to foot, each begins where the one before ended."""
    svg = chart(name)
    spans = []
    for number, part in enumerate(sheets(svg)):
        top, _, height = box(part)
        spans.append((top + 26 * bool(number), top + height))
    assert spans[0][0] == 0
    assert spans[-1][1] == box(svg)[2]
    assert all(foot == pytest.approx(top, abs=0.01) for (_, foot), (top, _) in pairwise(spans))


def test_a_cut_falls_below_a_break():
    """Where there is one in the second half of a page; the band is on the part above."""
    first, second, *_ = sheets(chart("short_time_wait"))
    assert max(lines(first), key=lambda line: line[1])[2].endswith("not drawn")
    assert not min(lines(second))[2].endswith("not drawn")


def test_without_a_break_the_fewest_arrows_are_cut():
    """In the recording, whose chart has no break, not one."""
    for part in sheets(chart("half_close.pcapng")):
        top, _, height = box(part)
        for points in re.findall(
            r'class="edge flight[^>]*>\s*<polyline[^>]*points="([^"]*)"', part
        ):
            heights = [float(point.split(",")[1]) for point in points.split()]
            assert top < min(heights)
            assert max(heights) < top + height
