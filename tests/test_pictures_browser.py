"""Every picture in a real browser: no text on text, none cut, none crossed by a line."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from string import Formatter

import every_picture
import pytest
from chromium import FLAGS, PROGRAM

from tcpviz import read
from tcpviz.pictures import Picture, beside, compare, sequence_chart, server_view, state_diagram
from tcpviz.population import Member, populate
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.trace import Trace
from tcpviz.units import MS
from tcpviz.words import ENGLISH, LANGUAGES, use

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on PATH"),
]
ROOT = Path(__file__).parents[1]
CAPTURES = [
    *sorted((ROOT / "notebooks" / "captures").glob("*.pcap*")),
    *sorted((ROOT / "tests" / "data" / "recordings").glob("*.pcap*")),
]

# What a text hides is not crossing it: a line is behind a text if a filled shape that reaches
# around the text was drawn later than the line and before the text. Texts of one part belong
# together; those of the ground, which has no parts, are each alone.
CHECK = """
svg => {
  const found = [], sheet = svg.getBoundingClientRect();
  const overlap = (a, b, by) => a.left + by < b.right && b.left + by < a.right
                             && a.top + by < b.bottom && b.top + by < a.bottom;
  const thick = shape => shape.getAttribute('stroke-width') > 5;  // a level line, for a paper
  const covered = shape => {
    if (!thick(shape)) return shape.getBoundingClientRect();
    const matrix = shape.getScreenCTM(), half = shape.getAttribute('stroke-width') * matrix.d / 2;
    const start = shape.getPointAtLength(0).matrixTransform(matrix);
    const end = shape.getPointAtLength(shape.getTotalLength()).matrixTransform(matrix);
    return {left: start.x, right: end.x, top: start.y - half, bottom: end.y + half};
  };
  const order = new Map([...svg.querySelectorAll('*')].map((element, index) => [element, index]));
  const written = [...svg.querySelectorAll('text')].filter(text => text.textContent.trim());
  const papers = [...svg.querySelectorAll('polygon, path, ellipse, polyline')].filter(shape =>
    !['none', 'transparent'].includes(shape.getAttribute('fill')) || thick(shape))
    .map(shape => ({around: covered(shape), at: order.get(shape)})).reverse();
  const texts = written.map(text => {
    const part = text.closest('g[id]'), box = text.getBoundingClientRect();
    const paper = papers.find(({around, at}) => at < order.get(text)
          && around.left <= box.left + 2 && box.right <= around.right + 2
          && around.top <= box.top + 3 && box.bottom <= around.bottom + 3);
    const group = !part || part.classList.contains('graph') ? text : part;
    return {group, box, words: text.textContent, over: paper ? paper.at : -1};
  });
  for (const [index, a] of texts.entries()) {
    if (a.box.left < sheet.left - 0.5 || a.box.right > sheet.right + 0.5
        || a.box.top < sheet.top - 0.5 || a.box.bottom > sheet.bottom + 0.5)
      found.push(`cut: ${a.words}`);
    for (const b of texts.slice(index + 1))
      if (a.group !== b.group && overlap(a.box, b.box, 1))
        found.push(`on each other: ${a.words} | ${b.words}`);
  }
  for (const line of svg.querySelectorAll('g.edge path, g.edge polyline, g.graph > polyline')) {
    if (thick(line)) continue;
    const reach = line.getBoundingClientRect();
    const open = texts.filter(text =>
      text.over < order.get(line) && overlap(text.box, reach, 1.5));
    if (!open.length) continue;
    const length = line.getTotalLength(), matrix = line.getScreenCTM();
    for (let at = 0; at <= length; at += 3) {
      const point = line.getPointAtLength(at).matrixTransform(matrix);
      const dot = {left: point.x, right: point.x, top: point.y, bottom: point.y};
      for (const text of open)
        if (overlap(text.box, dot, 1.5) && text.group !== line.closest('g.edge')) {
          found.push(`crossed: ${text.words} by ${line.closest('g[id]').id}`);
          open.splice(open.indexOf(text), 1);
          break;
        }
    }
  }
  for (const head of svg.querySelectorAll('g.flight.edge polygon')) {
    const box = head.getBoundingClientRect(), mine = head.closest('g.edge').classList[2];
    for (const text of texts)
      if (text.over > order.get(head) && overlap(text.box, box, 1.5)
          && !text.group.classList.contains(mine))
        found.push(`head hidden: ${text.words} over ${head.closest('g.edge').id}`);
  }
  return found;
}
"""


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


def test_sequence_charts_of_all_scenarios(page: "sync_api.Page") -> None:
    """No label of any named scenario's chart touches, leaves the sheet or is crossed."""
    charts = {name: sequence_chart(simulate(SCENARIOS[name])).svg for name in SCENARIOS}
    assert faults(page, charts) == {}


def test_state_diagrams_of_all_scenarios(page: "sync_api.Page") -> None:
    """The same of the state diagrams, and of the bare figure."""
    diagrams = {name: state_diagram(simulate(SCENARIOS[name])).svg for name in SCENARIOS}
    assert faults(page, {"bare": state_diagram().svg, **diagrams}) == {}


def test_every_other_picture(page: "sync_api.Page") -> None:
    """Options, variables, two beside each other, parts, focuses, maps, counts, crowds."""
    pictures = {name: picture.svg for name, picture in every_picture.of_nothing()}
    for name in ("lost_last_ack", "simultaneous_close", "stray_ack", "half_open"):
        other = simulate(SCENARIOS["normal"])
        drawn = every_picture.of_trace(simulate(SCENARIOS[name]), other)
        pictures |= {f"{name} {kind}": picture.svg for kind, picture in drawn.items()}
    assert faults(page, pictures) == {}


def test_names_and_titles_of_several_lines(page: "sync_api.Page") -> None:
    """They come from outside; where they are drawn they take one line."""
    trace = simulate(SCENARIOS["lost_last_ack"])
    names = {end.name: f"{end.name}\nof two lines" for end in trace.ends}
    steps = tuple(step._replace(end=names.get(step.end, "")) for step in trace.steps)
    ends = tuple(end._replace(name=names[end.name]) for end in trace.ends)
    named = replace(trace, ends=ends, steps=steps, title="one\ntwo")
    for told in (replace(trace, title="one\ntwo\nthree"), named):
        focus = told.ends[0].name
        pictures = {
            "diagram": state_diagram(told).svg,
            "focus": state_diagram(told, focus=focus).svg,
            "chart": sequence_chart(told).svg,
        }
        assert faults(page, pictures) == {}


def doubled(text: str) -> str:
    """A text whose words are twice as long; what is filled in stays as it is."""
    return "".join(
        re.sub("[A-Za-z]+", lambda word: 2 * word[0], before)
        + (f"{{{field}{f':{spec}' if spec else ''}}}" if field is not None else "")
        for before, field, spec, _conversion in Formatter().parse(text)
    )


def test_a_language_of_long_words(page: "sync_api.Page", monkeypatch: pytest.MonkeyPatch) -> None:
    """All kinds of pictures hold words twice as long as the English ones."""
    monkeypatch.setitem(LANGUAGES, "xx", {key: doubled(text) for key, text in ENGLISH.items()})
    every_picture.explored.cache_clear()  # it may have been told in English
    use("xx")
    try:
        traces = {name: simulate(SCENARIOS[name]) for name in list(SCENARIOS)[::2]}
        pictures = {name: sequence_chart(trace) for name, trace in traces.items()}
        pictures |= dict(every_picture.of_nothing())
        for name in ("lost_last_ack", "half_open"):
            trace = simulate(SCENARIOS[name])
            pictures[f"{name} compared"] = compare(trace, simulate(SCENARIOS["normal"]))
            pictures[f"{name} told"] = sequence_chart(trace, options=True, variables=True)
            pictures[f"{name} moves"] = state_diagram(trace, omitted=True)
            pictures[f"{name} close"] = state_diagram(trace, part="close", omitted=True)
            pictures[f"{name} focus"] = state_diagram(trace, focus="client")
        pictures["figure"] = state_diagram(omitted=True)
        assert faults(page, {name: each.svg for name, each in pictures.items()}) == {}
    finally:
        use("en")
        every_picture.explored.cache_clear()


@pytest.mark.parametrize("draw", [sequence_chart, state_diagram])
def test_recordings_seen_from_both_ends_and_from_one(
    page: "sync_api.Page", draw: Callable[[Trace], Picture]
) -> None:
    """Every connection that comes with the course, merged, and as each end alone saw it."""
    traces = {(path.name, at): t for path in CAPTURES for at, t in enumerate(read(path)[:5])}
    assert len(traces) > 80
    assert faults(page, {str(key): draw(trace).svg for key, trace in traces.items()}) == {}


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
        for number, trace in enumerate(read(path)[:3]):
            chart = sequence_chart(trace, options=True, variables=True)
            pictures[f"{path.stem} {number}"] = chart.svg
    assert faults(page, pictures) == {}


def test_comparisons(page: "sync_api.Page") -> None:
    """Two charts on one sheet, with numbers in their bars."""
    normal = simulate(SCENARIOS["open_and_close"])
    names = ["lost_fin", "half_open", "simultaneous_close", "user_timeout", "same_iss", "refused"]
    pictures = {name: compare(normal, simulate(SCENARIOS[name])).svg for name in names}
    for path in filter(read, CAPTURES):
        pictures[path.stem] = compare(read(path)[0], normal).svg
    assert faults(page, pictures) == {}


WIDTHS = """
() => [...document.querySelectorAll('img')].map(image => [
  image.getBoundingClientRect().width, image.getBoundingClientRect().top,
  document.documentElement.scrollWidth])
"""


def shown(page: "sync_api.Page", html: str, wide: int) -> list[list[float]]:
    """Of each image on a page that is so wide: its width, its top, and what the page takes."""
    page.set_viewport_size({"width": wide, "height": 900})
    page.set_content(f'<body style="margin:8px">{html}</body>')
    page.wait_for_function("[...document.images].every(image => image.complete)")
    found: list[list[float]] = page.evaluate(WIDTHS)
    page.set_viewport_size({"width": 1600, "height": 1000})
    return found


def lettering(picture: Picture, wide: float) -> float:
    """The smallest lettering in px of a picture that is shown so wide."""
    sizes = map(float, re.findall(r'font-size="([\d.]+)"', picture.svg))
    return min(sizes) * wide / float(picture.svg.split('width="', 1)[1].split("pt")[0])


def test_a_comparison_is_read_on_a_small_screen(page: "sync_api.Page") -> None:
    """9 px at least: whole on a page of 1280 px; on a phone it scrolls, and the page does not."""
    normal = simulate(SCENARIOS["normal"])
    for name in ("lost_fin", "user_timeout", "given_up_in_fin_wait_2"):
        picture = compare(normal, simulate(SCENARIOS[name]))
        for screen in (1280, 400):
            [[wide, _, taken]] = shown(page, picture.html(), screen)
            assert lettering(picture, wide) >= 9
            assert taken <= screen
            assert wide <= screen or screen == 400


def test_pictures_side_by_side_are_read_on_a_small_screen(page: "sync_api.Page") -> None:
    """Beside each other where both can be read so; else one below the other."""
    trace = simulate(SCENARIOS["normal"])
    pictures = sequence_chart(trace), state_diagram(trace)
    row = beside(pictures)._repr_mimebundle_()["text/html"]
    for screen, together in ((1800, True), (1200, False)):
        found = shown(page, row, screen)
        tops = {top for _, top, _ in found}
        assert (len(tops) == 1) == together
        for picture, (wide, _, taken) in zip(pictures, found, strict=True):
            assert lettering(picture, wide) >= 9
            assert taken <= screen


def test_server_views(page: "sync_api.Page") -> None:
    """Names, letters and counts of few and of sixty connections."""
    scenarios = [SCENARIOS[name] for name in ("close_wait", "open_and_close", "half_close")]
    pictures = {}
    for size in (1, 3, 12, 60):
        crowd = populate([Member(n * 70 * MS, scenarios[n % 3]) for n in range(size)])
        for end in ("client", "server"):
            pictures[f"{size} {end}"] = server_view(crowd, end=end, title="A server").svg
    for path in filter(read, CAPTURES):
        pictures[path.stem] = server_view(read(path)[:60]).svg
    assert faults(page, pictures) == {}


def test_print_has_the_same_shapes_in_the_same_places() -> None:
    """What holds of a picture on screen, holds of it on paper: its colours alone differ."""
    for name in SCENARIOS:
        for picture in (sequence_chart(simulate(SCENARIOS[name])), state_diagram()):
            shapes = [re.sub("#[0-9a-f]{6}", "", p.svg) for p in (picture, picture.for_print())]
            assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("sound", "planted", "fault"),
    [
        (r'y="[\d.]+"(?=[^>]*>LISTEN<)', 'y="84"', "on each other: CLOSED | LISTEN"),
        (r'x="[\d.]+"(?=[^>]*>LISTEN<)', 'x="800"', "cut: LISTEN"),
        (r"(</g>\s*</svg>)", r'<polyline points="0,96 806,96" stroke="black"/>\1', "crossed: 0 ms"),
    ],
)
def test_the_check_finds_what_is_planted_in_a_chart(
    page: "sync_api.Page", sound: str, planted: str, fault: str
) -> None:
    """One text moved onto another or off the sheet, or one line through a text, is found."""
    svg = sequence_chart(simulate(SCENARIOS["normal"])).svg
    assert re.sub(sound, planted, svg, count=1) != svg
    found = faults(page, {"sound": svg, "planted": re.sub(sound, planted, svg, count=1)})
    assert list(found) == ["planted"]
    assert any(each.startswith(fault) for each in found["planted"])


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ('<g id="a"><text x="50" y="52">planted</text></g>', "on each other"),
        ('<g id="a"><text x="160" y="20">planted</text></g>', "cut"),
        ('<g id="a" class="edge"><path d="M0,48L200,48" stroke="black"/></g>', "crossed"),
        ('<g id="a" class="graph"><polyline points="0,48 200,48" stroke="black"/></g>', "crossed"),
        ('<g id="a" class="graph"><text x="50" y="52">planted</text></g>', "on each other"),
    ],
)
def test_the_check_finds_what_is_planted(page: "sync_api.Page", part: str, fault: str) -> None:
    """A check that cannot fail says nothing."""
    sound = '<g id="t"><text x="40" y="50">sound</text></g>'
    around = '<svg width="200" height="100" overflow="visible">{}</svg>'
    pictures = {"sound": around.format(sound), "planted": around.format(sound + part)}
    (found,) = faults(page, pictures).items()
    assert found[0] == "planted"
    assert found[1][0].startswith(fault)
