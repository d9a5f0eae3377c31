"""A server's view: many connections on one axis, read back out of the SVG."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from test_sequence_chart import Ruler, group, groups, height, words

from tcpviz.captures import read_capture
from tcpviz.listener import Listener
from tcpviz.pictures.server_view import MOST, server_view
from tcpviz.population import Member, Population, populate
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.states import State
from tcpviz.steps import End
from tcpviz.timeline import count
from tcpviz.trace import Trace
from tcpviz.units import MS


def leaky(size: int) -> Population:
    """Every third connection is closed by the server, the others pile up in CLOSE-WAIT."""
    leak, sound = SCENARIOS["close_wait"], SCENARIOS["open_and_close"]
    return populate([Member(n * 120 * MS, sound if n % 3 == 1 else leak) for n in range(size)])


@pytest.mark.parametrize("size", [1, 3, 24, 60])
def test_every_connection_has_its_column(size: int) -> None:
    """A bar for each of its states, and none where there is no connection."""
    crowd = leaky(size)
    svg = server_view(crowd).svg
    for number, trace in enumerate(crowd):
        spans = [each for each in groups(svg, f"c{number}") if "span" in (each.get("class") or "")]
        held = [s for s in trace.spans("server") if s.state not in (State.CLOSED, State.LISTEN)]
        assert len(spans) == len(held)


def test_times_can_be_measured() -> None:
    """The bars begin when the states do, by nothing but the ticks."""
    crowd = leaky(12)
    svg = server_view(crowd).svg
    ruler = Ruler(svg)
    for number, trace in enumerate(crowd):
        for index, span in enumerate(trace.spans("server")):
            if span.state in (State.CLOSED, State.LISTEN):
                continue
            top, _ = height(group(svg, f"span_{number}_{index}"))
            assert ruler.time(top) == pytest.approx(span.since, abs=0.4 * ruler.scale)


def test_the_counts_are_those_of_the_timeline() -> None:
    """What is said about the peak is what counting over time says."""
    crowd = leaky(24)
    found = server_view(crowd)
    line = count(list(crowd), "CLOSE-WAIT", "server")
    assert f"CLOSE-WAIT: {line.peak} at most" in found.alt
    assert "CLOSE-WAIT at the end: 16." in found.alt
    assert len(found.text.splitlines()) == 24 + 4


def test_what_may_be_cookies_is_not_counted_as_a_fact() -> None:
    """Of a SYN,ACK that is neither answered nor sent again nothing may be kept: at most so many."""
    captures = Path(__file__).parents[1] / "notebooks" / "captures"
    flood = [c.trace() for c in read_capture(captures / "synflood_cookies.pcapng").connections]
    found = server_view(flood)
    assert "≤12" in words(ET.fromstring(found.svg)).replace(" ", "")
    assert "SYN cookie" in found.alt
    assert "SYN cookie" in found.text
    assert "≤" not in server_view(leaky(9)).svg


def test_the_picture_says_what_its_columns_are() -> None:
    """A title, what the numbers above the bars are, and that those at the right are counts."""
    svg = words(ET.fromstring(server_view(leaky(6)).svg))
    for told in ("6 connections at the server", "how many are in", "LAST-ACK"):
        assert told.replace(" ", "") in svg.replace(" ", "")


def test_a_full_queue_shows_what_it_drops() -> None:
    """Who never got in has no bar but a cross for every SYN."""
    crowd = populate(
        [Member(n * 10 * MS, SCENARIOS["open_and_close"]) for n in range(4)],
        Listener(0, accepts=None),
    )
    svg = server_view(crowd).svg
    assert groups(svg, "dropped")
    assert not [each for each in groups(svg, "c3") if "span" in (each.get("class") or "")]


def test_ports_are_names_where_they_are_known() -> None:
    """Captured connections are told apart by their clients' ports, at their true times."""
    trace = simulate(SCENARIOS["handshake"])
    ends = [(End("client", f"192.0.2.1:4000{n}"), End("server", "192.0.2.2:80")) for n in range(2)]
    first, second = (replace(trace, ends=pair, start=5 + n * MS) for n, pair in enumerate(ends))
    found = server_view([first, second])
    assert [line.split()[0] for line in found.text.splitlines()[:2]] == [":40000", ":40001"]
    assert "SYN-RECEIVED 50 ms" in found.text
    assert "SYN-RECEIVED 51 ms" in found.text


@pytest.mark.parametrize("size", [0, MOST + 1])
def test_too_many_are_refused_in_one_sentence(size: int) -> None:
    """Nobody can tell 61 bars apart; none at all is no picture."""
    with pytest.raises(ValueError, match=f"1 to {MOST} connections; these are {size}"):
        server_view([simulate(SCENARIOS["handshake"])] * size)


def test_an_end_that_is_none_is_named() -> None:
    """The error says which ends there are."""
    with pytest.raises(KeyError, match="no end 'router'"):
        server_view([simulate(SCENARIOS["handshake"])], end="router")


def test_same_connections_same_bytes() -> None:
    """Nothing of the process gets into the picture; ids are unique."""
    one, other = server_view(leaky(9), title="x"), server_view(leaky(9), title="x")
    assert one.svg == other.svg
    ids = [each.get("id") for each in groups(one.svg, "span")]
    assert len(ids) == len(set(ids))


def test_connections_without_any_state_are_thin_lines() -> None:
    """Nothing happened, nothing fails."""
    empty = Trace((End("client"), End("server")), ())
    found = server_view([empty])
    assert not groups(found.svg, "span")
    assert "nothing" in found.text


def test_any_times_make_a_page_of_sensible_height() -> None:
    """Few waits or many, short or long: the sheet stays within some pages."""
    random = Random(4)
    for scale in (1, MS, 1000 * MS):
        members = [
            Member(random.randrange(1 + 10 ** random.randrange(9)) * scale, SCENARIOS[name])
            for name in random.choices(["close_wait", "no_answer", "open_and_close"], k=20)
        ]
        svg = server_view(populate(members)).svg
        assert float(svg.split('height="')[1].split("pt")[0]) < 3000, scale


def test_the_words_of_a_hostile_title_are_text() -> None:
    """A title is drawn as it is."""
    title = '<script>alert("x")</script> \\N'
    svg = server_view(leaky(3), title=title).svg
    assert title.replace(" ", "") in words(ET.fromstring(svg)).replace(" ", "")


@pytest.mark.parametrize("size", [24, 60])
def test_many_connections_fit_on_a_page(size: int) -> None:
    """As wide as an A4 page lies, with names at round numbers, and bars that do not touch."""
    svg = server_view(leaky(size)).svg
    root = ET.fromstring(svg)
    assert float(root.get("width", "").removesuffix("pt")) <= 842
    named = [text for text in ET.fromstring(svg).itertext() if text.strip().isdecimal()]
    assert named[: 3 if size == 24 else 2] == (["0", "2", "4"] if size == 24 else ["0", "5"])
