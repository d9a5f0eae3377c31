"""Text of any kind comes out as text, wherever a picture goes; in a real browser nothing runs."""

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import every_picture
import pytest
from chromium import FLAGS, PROGRAM

from tcpviz.pictures import Picture, sequence_chart, state_diagram, theme
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.steps import Kind
from tcpviz.trace import Trace

needs_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on PATH")
SCRIPTS = (
    "<script>window.ran = 1</script>",
    '"><img src=x onerror="window.ran=1">',
    "javascript:window.ran=1",
    "</title></desc><script>window.ran=1</script>",
    "</details></table><svg onload=window.ran=1>",
)
HARMLESS = (
    r"\N \G \E \L \l \n \\",
    "quotes \" and ' and `",
    "&lt; &amp; &#60; & <b>",
    "two\nlines\r\nand\ttabs",
    "controls \x00\x07\x1b[31m\x7f\ufffe\ud800",
    "汉字 传输控制协议",
    "ارتباط ✈ 🦜 é",
    "c 7 -#ff0000 T 5 5 0 0 3 -abc",
    "{{{0}} {end} %s %(x)s $HOME",
    "]]> --> <!-- <![CDATA[",
)


SHAPES = {"text", "polygon", "polyline", "path", "ellipse"}
SEEN = """() => {
  for (const part of document.querySelectorAll('a, text, img, summary'))
    part.dispatchEvent(new MouseEvent('click', {bubbles: true}));
  return {
    ran: window.ran,
    scripts: document.scripts.length,
    alt: document.querySelector('img').alt,
    wide: document.querySelector('img').naturalWidth,
    told: document.querySelector('details').textContent,
    title: document.querySelector('svg > title').textContent,
  };
}"""


def hostile(text: str) -> Trace:
    """A connection in which every text that can come from outside is this one."""
    trace = simulate(SCENARIOS["half_open"])
    names = {end.name: f"{text}{number}" for number, end in enumerate(trace.ends)}
    steps = [
        step._replace(
            end=names.get(step.end, ""),
            text=text if step.kind is Kind.CALL else step.text,
            says=text if step.kind is not Kind.DEPART else "",
            timers=tuple(timer._replace(name=text) for timer in step.timers),
        )
        for step in trace.steps
    ]
    ends = [end._replace(name=names[end.name], address=text) for end in trace.ends]
    return replace(trace, ends=tuple(ends), steps=tuple(steps), title=text, notes=(text,))


def drawn(text: str) -> list[Picture]:
    """Every picture of it, on screen and for print."""
    trace = hostile(text)
    others = every_picture.of_trace(trace, trace).values()
    pictures = [sequence_chart(trace), state_diagram(trace), *others]
    return [*pictures, *(picture.for_print() for picture in pictures)]


def spaced(text: str) -> str:
    """The text with one blank between words, as it is where lines are wrapped."""
    return " ".join(text.split())


@pytest.mark.parametrize("text", [*SCRIPTS, *HARMLESS])
def test_svg_dot_and_table_hold_it_as_text(text: str) -> None:
    """The SVG is well-formed, has no script, link or handler, and its title is the text."""
    shown = spaced(re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "\ufffd", text))
    for picture in drawn(text):
        root = ET.fromstring(picture.svg)
        kinds = {element.tag.split("}")[1] for element in root.iter()}
        assert kinds <= {
            *["svg", "title", "desc", "g", "a", "text", "polygon", "polyline", "path", "ellipse"]
        }
        names = {name.split("}")[-1] for element in root.iter() for name in element.attrib}
        assert not {name for name in names if name.startswith("on") or name == "href"}
        assert shown in spaced("".join(root[0].itertext()))
        assert shown in spaced(f"{picture.title} {picture.text}")  # a server's tells states alone
        table = re.sub("<[^>]*>", "", picture.table)
        assert shown in spaced(html.unescape(table)) or not picture.table
        assert set(re.findall(r"<(\w+)", picture.table)) <= {"table", "caption", "tr", "th", "td"}
        figure = picture.html().split("<details>")[0]
        assert re.fullmatch(r'<figure [^"<>]*"[^"<>]*"><img( \w+="[^"<>]*")+>', figure)


@pytest.mark.parametrize(
    "text",
    [
        'color="#ff0000" c 7 -#ff0000',
        "T 5 -5 0 0 200 -abc C 7 -#00ff00",
        r'label="x" fillcolor="#123456" \ \" color="#ff0000" C 7 -#0000ff',
        '汉字 "c 7 -#ff0000" é c 7 -#00ff00',
        '" c 7 -#ff0000 label="',
        "x" * 70 + " c 7 -#ff0000",
    ],
)
def test_text_that_looks_like_a_colour_is_printed_as_it_is(text: str) -> None:
    """In titles, labels, notes, tooltips: in grey everything is as on screen but its colours."""
    trace = hostile(text)
    pictures = {"chart": sequence_chart(trace), **every_picture.of_trace(trace, trace)}
    for kind, picture in pictures.items():
        seen, printed = ET.fromstring(picture.svg), ET.fromstring(picture.for_print().svg)
        for one, other in zip(seen.iter(), printed.iter(), strict=True):
            assert (one.tag, one.text) == (other.tag, other.text), kind
            for name in one.attrib.keys() - {"fill", "stroke"}:
                assert one.get(name) == other.get(name), kind
            for name in one.attrib.keys() & {"fill", "stroke"}:
                color = one.get(name, "")
                grey = theme.grey(color) if color.startswith("#") else color
                assert other.get(name) == grey, kind


@pytest.mark.parametrize("text", [*SCRIPTS, *HARMLESS])
def test_pdf_and_png_hold_it(text: str, tmp_path: Path) -> None:
    """They are made, whatever it is, and the same each time."""
    pytest.importorskip("typst")
    for picture in drawn(text)[:2]:
        for suffix, magic in ((".pdf", b"%PDF-"), (".png", b"\x89PNG")):
            files = [picture.save(tmp_path / f"{n}{suffix}", scale=0.5) for n in (1, 2)]
            first, second = (file.read_bytes() for file in files)
            assert first.startswith(magic)
            assert first == second


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """A page that reaches nothing outside, and that counts what it tried to fetch or say."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        page = browser.new_page()
        page.route("**/*", lambda route: route.abort())
        yield page
        browser.close()


@needs_browser
@pytest.mark.browser
def test_nothing_runs_in_a_browser_and_all_is_there(page: Any) -> None:
    """The SVG within a page and the figure of a notebook: no script, and the text to be read."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    for text in (*SCRIPTS, *HARMLESS):
        for picture in drawn(text)[:2]:
            page.set_content(picture.page() + picture.svg, wait_until="load")
            seen = page.evaluate(SEEN)
            assert seen["ran"] is None
            assert seen["scripts"] == 0
            assert seen["wide"] > 100  # the image is drawn: its data is a sound SVG
            assert spaced(seen["alt"]) == spaced(picture.alt)
            assert spaced(seen["title"]) == spaced(picture.title)
            assert spaced(picture.title) in spaced(seen["told"])
    assert [url for url in asked if not url.startswith("data:image/svg+xml;base64,")] == []


@needs_browser
@pytest.mark.browser
def test_the_check_sees_a_script_that_runs(page: Any) -> None:
    """Unescaped, each of the hostile texts but the bare address would have run."""
    for text in SCRIPTS:
        page.goto("about:blank")
        page.set_content(f"<title></title>{text}", wait_until="load")
        page.wait_for_timeout(50)
        assert (page.evaluate("window.ran") == 1) == (not text.startswith("javascript:"))
