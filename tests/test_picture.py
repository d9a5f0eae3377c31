"""A picture: how it is shown, told, printed, saved, and put beside another."""

import html
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tcpviz import read
from tcpviz.pictures import EngineError, Picture, beside, compare, paper, server_view, timelines
from tcpviz.pictures.cut import PAGE, sheets
from tcpviz.pictures.picture import SUFFIXES
from tcpviz.pictures.sequence_chart import sequence_chart
from tcpviz.pictures.state_diagram import state_diagram
from tcpviz.scenario import At, Scenario
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.timeline import Timeline
from tcpviz.trace import Trace
from tcpviz.units import MS, S
from tcpviz.words import say

CAPTURES = Path(__file__).parents[1] / "notebooks" / "captures"
SAVES = """
import sys
from tcpviz import SCENARIOS, sequence_chart, simulate, state_diagram
trace = simulate(SCENARIOS["lost_syn"])
for picture in (sequence_chart(trace), state_diagram(trace)):
    for variant, print_it in (("screen", picture), ("print", picture.for_print())):
        for suffix in sys.argv[2:]:
            print_it.save(f"{sys.argv[1]}/{len(picture.dot)}.{variant}{suffix}")
"""


WAYS = re.compile(
    r"-->|<--|\.\.\.|(?<= )X(?= )|\b(client|server) (sends|receives) |\bof (client|server) "
)
"""How a transcript and a table say which way a segment goes."""


def chart(name: str = "lost_syn") -> Picture:
    return sequence_chart(simulate(SCENARIOS[name]))


def test_pictures_side_by_side_have_one_scale() -> None:
    """The room that each takes is in proportion to its own width."""
    trace = simulate(SCENARIOS["handshake"])
    pictures = (sequence_chart(trace), state_diagram(trace))
    shown = beside(pictures)._repr_mimebundle_()["text/html"]
    for picture in pictures:
        width = re.search(r'viewBox="0\.00 0\.00 (\d+)\.00', picture.svg)
        assert width
        assert f"flex:{width[1]} 1 0" in shown


def test_nothing_internal_is_shown_as_a_title() -> None:
    """A reader who hovers meets the picture's title and tooltips, no names of nodes."""
    picture = sequence_chart(simulate(SCENARIOS["handshake"]))
    assert re.findall(r"<title>(.*?)</title>", picture.svg) == ["handshake"]
    assert "<!--" not in picture.svg


def test_every_export_has_the_same_bytes_from_run_to_run(tmp_path: Path) -> None:
    """Two processes that hash differently write equal files: no date, no address, no order."""
    pytest.importorskip("typst")
    saved = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", SAVES, str(folder), *SUFFIXES]
        subprocess.run(command, env=environment, check=True, timeout=60)
        saved.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(saved[0]) == 4 * len(SUFFIXES)
    assert saved[0] == saved[1]


def test_a_png_has_so_many_pixels_to_a_point(tmp_path: Path) -> None:
    """Two unless `scale` says otherwise; a scale that makes no picture is an error."""
    pytest.importorskip("typst")
    picture = chart()
    points = [int(n) for n in re.findall(r'<svg width="(\d+)pt" height="(\d+)pt"', picture.svg)[0]]
    for scale in (None, 1, 3):
        how = {"scale": scale} if scale else {}
        data = picture.save(tmp_path / "x.png", **how).read_bytes()
        assert struct.unpack(">II", data[16:24]) == tuple((scale or 2) * n for n in points)
    for wrong in (0, "2", None, True, float("nan")):
        with pytest.raises(ValueError, match=f"scale: {wrong!r} is not a number between"):
            picture.save(tmp_path / "x.png", scale=wrong)


@pytest.mark.parametrize("scale", [0.7, 1.2, 1.5, 2.5])
def test_a_png_is_drawn_on_whole_pixels(scale: float) -> None:
    """A sheet that ends within a pixel is widened to its end, or rows would be squeezed out."""
    pytest.importorskip("typst")
    svg = chart().svg
    points = [int(n) for n in re.findall(r'<svg width="(\d+)pt" height="(\d+)pt"', svg)[0]]
    wanted = [math.ceil(scale * n) for n in points]
    sizes = re.findall(r'width="([\d.]+)pt" height="([\d.]+)pt"', paper.whole(svg, scale))[0]
    assert [float(size) * scale for size in sizes] == pytest.approx(wanted, abs=1e-3)
    assert struct.unpack(">II", paper.png(svg, scale)[16:24]) == tuple(wanted)


def test_a_pdf_is_drawn_with_the_font_that_comes_with_us(tmp_path: Path) -> None:
    """Every font in it is ours and embedded; the page has the picture's size; no date is told."""
    pytest.importorskip("typst")
    picture = sequence_chart(read(CAPTURES / "lost_fin.pcapng")[0])
    data = picture.save(tmp_path / "x.pdf").read_bytes()
    fonts = set(re.findall(rb"/FontName/\w+\+(\S+?)/", data.replace(b" ", b"")))
    assert {name.split(b"-")[0] for name in fonts} == {b"tcpvizSans"}
    assert data.count(b"/FontFile2") == len(fonts) == 3
    width, height = re.findall(r'<svg width="(\d+)pt" height="(\d+)pt"', picture.svg)[0]
    assert f"/MediaBox[0 0 {width} {height}]".encode() in data
    assert not re.search(rb"CreationDate|ModDate", data)


A4 = 595.28, 841.89
SPARED = 2 * 22.7  # pt of both margins


def lines(svg: str) -> list[tuple[float, float, str]]:
    """The upper and the lower edge of each line of text of a picture, in pt."""
    found = re.findall(r'<text[^>]* y="([\d.-]+)"[^>]* font-size="([\d.]+)"[^>]*>([^<]*)<', svg)
    return [(float(y) - float(s), float(y) + float(s) / 4, html.unescape(t)) for y, s, t in found]


def read_back(pdf: Path) -> tuple[list[tuple[float, float]], list[tuple[str, float]]]:
    """The sizes of the pages of a PDF, and its words with their heights, all in pt."""
    command = ["pdftotext", "-bbox", pdf, "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pages = re.findall(r'<page width="([\d.]+)" height="([\d.]+)"', told)
    words = re.findall(r'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">(.*?)</word>', told)
    sizes = [(float(width), float(height)) for width, height in pages]
    return sizes, [(html.unescape(word), float(foot) - float(top)) for top, foot, word in words]


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="no pdftotext on PATH")
def test_the_pdf_of_every_scenario_is_read_on_a4(tmp_path: Path) -> None:
    """Lettering of 6.5 pt or more, measured in the PDF; no word of the picture is left out.

    A PDF of one page is taken to be printed as large as A4 allows, upright or turned.
    """
    pytest.importorskip("typst")
    _, words = read_back(chart("handshake").save(tmp_path / "x.pdf"))
    tall = {height for word, height in words if word == "ms"}  # of 9.5 pt
    point = min(tall) / 9.5
    paged = []
    for name in SCENARIOS:
        picture = chart(name)
        pages, words = read_back(picture.save(tmp_path / "x.pdf"))
        fit = 1.0
        if len(pages) == 1:
            (size,) = pages
            room = [side - SPARED for side in A4]
            fit = max(min(a / b for a, b in zip(r, size, strict=True)) for r in (room, room[::-1]))
        else:
            paged.append(name)
            assert all(sorted(size) == pytest.approx(A4, abs=0.01) for size in pages)
        assert min(height for _, height in words) / point * min(fit, 1) >= 6.49, name
        drawn = Counter(word.strip(",") for *_, t in lines(picture.svg) for word in t.split())
        assert set(drawn - Counter(word.strip(",") for word, _ in words)) <= {""}, name
    assert {"user_timeout", "linux_syn_timeouts", "no_answer"} <= set(paged)
    assert "normal" not in paged


@pytest.mark.parametrize("name", ["user_timeout", "short_time_wait", "crowd"])
def test_every_line_is_whole_on_some_page(name: str) -> None:
    """Also where there is no height at which no line of text stands."""
    sends = [At(S + n * 100 * MS, "client", "SEND", 9) for n in range(300)]
    opens = [At(0, "server", "passive OPEN"), At(0, "client", "active OPEN")]
    crowd = Scenario(calls=(*opens, *sends))
    svg = sequence_chart(simulate(crowd if name == "crowd" else SCENARIOS[name])).svg
    parts = [html.unescape(part) for part in sheets(svg, *PAGE)]
    assert len(parts) > 1
    boxes = [re.search(r'viewBox="0 ([\d.-]+) [\d.]+ ([\d.]+)"', part) for part in parts]
    spans = [(float(box[1]), float(box[1]) + float(box[2])) for box in boxes if box]
    heads = [0.0] + [26.0] * (len(parts) - 1)
    for top, foot, text in lines(svg):
        assert any(
            since + head - 1 <= top and foot <= until + 1 and text in part
            for (since, until), head, part in zip(spans, heads, parts, strict=True)
        ), text


def test_without_typst_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One sentence; the other formats need nothing."""
    monkeypatch.setitem(sys.modules, "typst", None)
    for suffix in (".pdf", ".png"):
        with pytest.raises(EngineError, match=r"not installed \(pip install typst\)$"):
            chart().save(tmp_path / f"x{suffix}")
    assert not list(tmp_path.iterdir())
    assert chart().save(tmp_path / "x.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_another_suffix_is_an_error_that_names_those_there_are(tmp_path: Path) -> None:
    """And nothing is written."""
    with pytest.raises(ValueError, match=re.escape(", ".join(SUFFIXES))):
        chart().save(tmp_path / "x.gif")
    assert not list(tmp_path.iterdir())


def test_the_table_marks_states_that_nobody_saw() -> None:
    """Of a capture, states are in parentheses, the caption says why; a simulation has neither."""
    caption, _, first, *_ = ET.fromstring(
        sequence_chart(read(CAPTURES / "lost_fin.pcapng")[0]).table
    )
    assert [cell.text or "" for cell in first] == ["before", "(CLOSED)", "", "(LISTEN)", ""]
    assert say("inferred") in (caption.text or "")
    assert "(STATE)" not in chart().table


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_table_tells_what_the_transcript_tells(name: str) -> None:
    """A row for a line, with the same words, below headers that say what each column is."""
    trace = simulate(SCENARIOS[name])
    table = ET.fromstring(sequence_chart(trace).table)
    caption, head, *rows = list(table)
    assert (caption.tag, caption.text) == ("caption", "\n".join((name, *trace.notes)))
    assert [cell.attrib for cell in head] == [{"scope": "col"}] * 5
    assert head[1].text == say("column_state", end="client")
    assert all([cell.tag for cell in row] == ["th", "td", "td", "td", "td"] for row in rows)
    assert {row[0].get("scope") for row in rows} == {"row"}
    _, *lines = str(trace).splitlines()
    for row, line in zip(rows, lines, strict=False):
        told = "  ".join(cell.text or "" for cell in row)
        assert WAYS.sub("", f"{told} ").split() == WAYS.sub("", f"{line} ").split()
    assert trace.notes == tuple(lines[len(rows) :])


def test_a_notebook_gets_the_table_and_the_transcript_once_each() -> None:
    """The table to unfold in HTML, the transcript as plain text; without a table, the text."""
    bundle = chart()._repr_mimebundle_()
    assert list(bundle) == ["text/html", "text/plain"]
    assert chart().table in bundle["text/html"]
    assert bundle["text/plain"] == chart().text
    assert len(bundle["text/html"]) < 1.5 * len(chart().svg) + 2 * len(chart().table)
    bare = replace(chart(), tabulate=None)
    assert f"<pre>{html.escape(bare.text.splitlines()[0])}" in bare.html()
    assert ET.fromstring(state_diagram().table)[1][0].text == "from"


def test_the_table_says_in_words_who_sends_and_who_receives() -> None:
    """Whole, apart, and lost; to the right and to the left."""
    rows = ET.fromstring(chart("close_before_established").table)
    told = [row[2].text or "" for row in rows[2:]]
    assert "client sends <SEQ=100><CTL=SYN>" in told
    assert "server sends <SEQ=300><ACK=101><CTL=SYN,ACK>" in told
    assert "client receives <SEQ=300><ACK=101><CTL=SYN,ACK>" in told
    assert "<SEQ=100><CTL=SYN> of client" in [
        row[2].text for row in ET.fromstring(chart().table)[2:]
    ]
    server_loses = ET.fromstring(chart("lost_syn_ack").table)[2:]
    assert "<SEQ=300><ACK=101><CTL=SYN,ACK> of server" in [row[2].text for row in server_loses]


def tables(picture: Picture) -> list[list[list[str]]]:
    """The text of each table: its caption alone, its head, its rows."""
    found = []
    for table in ET.fromstring(f"<all>{picture.table}</all>"):
        caption, head, *rows = list(table)
        assert {cell.get("scope") for cell in head} == {"col"}
        assert {row[0].get("scope") for row in rows} <= {"row"}
        assert {len(row) for row in rows} <= {len(head)}
        cells = [[cell.text or "" for cell in row] for row in (head, *rows)]
        found.append([[caption.text or ""], *cells])
    return found


def test_a_comparison_has_a_table_of_its_differences_and_one_of_each_trace() -> None:
    """A row for each difference that its text tells, also for those that no circle numbers."""
    one, other = (simulate(SCENARIOS[name]) for name in ("half_open", "port_reuse"))
    picture = compare(one, other)
    found, left, right = tables(picture)
    told = picture.text.split("\n\n")[0].splitlines()
    assert found[0][0].splitlines()[-1] == told[0]
    assert [f"{number}  {text}" for number, _, text in found[2:]] == told[1:]
    for table, trace, side in ((left, one, "left"), (right, other, "right")):
        assert table[0] == [f"{side}: {trace.title}"]
        assert len(table) == 2 + len(trace.table())


def test_the_alternative_text_of_a_comparison_tells_what_the_sheet_tells() -> None:
    """Twelve differences, and how many more; or that there is none."""
    one, other = (simulate(SCENARIOS[name]) for name in ("half_open", "port_reuse"))
    picture = compare(one, other)
    *_, differences = re.findall(r"Differences: (\d+)", picture.text)
    listed = [line.split("  ", 1)[1] for line in picture.text.splitlines()[1:13]]
    assert all(line in picture.alt for line in listed)
    assert picture.alt.endswith(f"and {int(differences) - 12} more: see the text.")
    assert say("compare_same") in compare(one, one).alt


def test_a_servers_view_has_a_table_of_its_connections_and_one_of_the_counts() -> None:
    """From when to when each was in which state; and the numbers at the right of the picture."""
    leak, sound = (simulate(SCENARIOS[name]) for name in ("close_wait", "open_and_close"))
    connections, counts = tables(server_view([leak, sound]))
    head, first, second = connections[1:]
    assert head[:4] == ["connection", "LISTEN", "SYN-RECEIVED", "ESTABLISHED"]
    assert first[head.index("CLOSE-WAIT")] == "from 300 ms"
    assert second[head.index("CLOSE-WAIT")] == "300 ms to 360 ms"
    assert counts[1] == ["at", "SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK"]
    assert ["300 ms", "0", "0", "2", "0"] in counts[2:]
    assert ["400 ms", "0", "0", "1", "1"] in counts[2:]
    svg = server_view([leak, sound]).svg
    assert all(f">{each[0]}<" in svg for each in counts[2:]), "the times are those of the axis"


def test_a_servers_view_of_a_capture_says_what_nobody_saw() -> None:
    """Times of states that are inferred stand in parentheses, and the caption says why."""
    connections, _ = tables(server_view([read(CAPTURES / "lost_fin.pcapng")[0]]))
    assert say("table_inferred") in connections[0][0]
    assert connections[2][1].startswith("(")


def test_timelines_have_a_table_of_counts() -> None:
    """A row for each time on the axis, a column for each line; the caption tells the peaks."""
    lines = {"in the queue": Timeline.counted([0, 10**9], [3 * 10**9]), "out": Timeline(())}
    picture = timelines(lines, limits={"backlog": 5})
    (table,) = tables(picture)
    assert table[0][0].splitlines() == picture.text.splitlines()[: 1 + len(lines) + 1]
    assert table[1] == ["at", "in the queue", "out"]
    assert ["1 s", "2", "0"] in table[2:]
    assert len(table[2:]) == len(picture.text.splitlines()) - 5


@pytest.mark.parametrize("draw", [sequence_chart, state_diagram])
def test_a_picture_of_a_trace_is_saved_as_its_json(
    draw: Callable[[Trace], Picture], tmp_path: Path
) -> None:
    """Which draws it again; one that shows no trace, or several, says so and writes nothing."""
    trace = simulate(SCENARIOS["lost_fin"])
    assert list(read(draw(trace).save(tmp_path / "x.json"))) == [trace]
    assert list(read(draw(trace).for_print().save(tmp_path / "x.json"))) == [trace]
    for picture in (state_diagram(), compare(trace, trace), server_view([trace])):
        with pytest.raises(ValueError, match=r"y\.json: \.json holds a trace, and this picture"):
            picture.save(tmp_path / "y.json")
    assert not (tmp_path / "y.json").exists()
