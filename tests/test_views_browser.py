"""The pictures of many traces and the richer charts in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import FLAGS, PROGRAM
from test_pictures_browser import CHECK

from tcpviz.captures import read_capture
from tcpviz.pictures.comparison import compare
from tcpviz.pictures.sequence_chart import sequence_chart
from tcpviz.pictures.server_view import server_view
from tcpviz.population import Member, populate
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.units import MS

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on PATH"),
]
CAPTURES = sorted((Path(__file__).parents[1] / "notebooks" / "captures").glob("*.pcap*"))


@pytest.fixture(scope="module")
def page() -> Iterator["sync_api.Page"]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.route("**/*", lambda route: route.abort())
        yield page
        browser.close()


def faults(page: "sync_api.Page", pictures: dict[str, str]) -> dict[str, list[str]]:
    """What is wrong with each of these SVGs, by name."""
    page.set_content("".join(f"<div>{svg}</div>" for svg in pictures.values()))
    found = page.evaluate(f"[...document.querySelectorAll('div > svg')].map({CHECK})")
    assert len(found) == len(pictures)
    return {name: faults for name, faults in zip(pictures, found, strict=True) if faults}


def test_charts_with_variables(page: "sync_api.Page") -> None:
    """The tables keep clear of everything else."""
    charts = {
        name: sequence_chart(simulate(SCENARIOS[name]), variables=True).svg for name in SCENARIOS
    }
    assert faults(page, charts) == {}


def test_recordings_with_options_and_variables(page: "sync_api.Page") -> None:
    """Labels of many lines keep clear as well."""
    pictures = {}
    for path in CAPTURES:
        for number, connection in enumerate(read_capture(path).connections[:3]):
            chart = sequence_chart(connection.trace(), options=True, variables=True)
            pictures[f"{path.stem} {number}"] = chart.svg
    assert faults(page, pictures) == {}


def test_comparisons(page: "sync_api.Page") -> None:
    """Two charts on one sheet, with numbers in their bars."""
    normal = simulate(SCENARIOS["open_and_close"])
    names = ["lost_fin", "half_open", "simultaneous_close", "user_timeout", "same_iss", "refused"]
    pictures = {name: compare(normal, simulate(SCENARIOS[name])).svg for name in names}
    for path in CAPTURES:
        trace = read_capture(path).connections[0].trace()
        pictures[path.stem] = compare(trace, normal).svg
    assert faults(page, pictures) == {}


def test_server_views(page: "sync_api.Page") -> None:
    """Names, letters and counts of few and of sixty connections."""
    scenarios = [SCENARIOS[name] for name in ("close_wait", "open_and_close", "half_close")]
    pictures = {}
    for size in (1, 3, 12, 60):
        crowd = populate([Member(n * 70 * MS, scenarios[n % 3]) for n in range(size)])
        for end in ("client", "server"):
            pictures[f"{size} {end}"] = server_view(crowd, end=end, title="A server").svg
    for path in CAPTURES:
        traces = [connection.trace() for connection in read_capture(path).connections[:60]]
        pictures[path.stem] = server_view(traces).svg
    assert faults(page, pictures) == {}
