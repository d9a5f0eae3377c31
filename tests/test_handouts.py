"""The handouts: what students and teachers get, on which page, and that nothing is cut."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import typst
from chromium import FLAGS, PROGRAM
from lesson_form import asks, code, tagged, told
from playwright.sync_api import sync_playwright
from small_lesson import FIRST, FOR_TEACHERS, PLAYERS, SECRET, lesson, player, run, text

from tcpviz import SCENARIOS, sequence_chart, simulate
from tcpviz.handouts import __main__ as command
from tcpviz.handouts.chapter import plain, read
from tcpviz.handouts.make import _SHEET, fonts, handouts, html, pdf
from tcpviz.handouts.sheet import document
from tcpviz.panels import panel
from tcpviz.pictures import paper
from tcpviz.pictures.cut import LETTERS
from tcpviz.player import Player
from tcpviz.words import say

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
WIDE = "<SEQ=300><ACK=101><CTL=SYN,ACK>" * 6
EVERYTHING = f"""# Every kind of Markdown

A *slanted*, **bold**, ~~struck~~ word, `{WIDE}`, 1 &lt; 2, a [chapter](small.ipynb#Run-1),
a [page](../README.md), <https://example.org>, ![a picture](missing.png) and a<br>line.
Next "line" with a $ and a # and a \\*.

1. one
   - a
   - b
2. two

> quoted

```python
x < 1  # {"x" * 120}
```

| what | how long it is, and what else there is to say about it | how |
|---|:-:|--:|
| `a_very_long_name_of_a_setting_of_linux` | {"many words " * 12} | {"few " * 9} |

<details>folded</details>

---

### Deep

Last."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the small chapter, and one with everything that Markdown and outputs can be."""
    folder = tmp_path_factory.mktemp("notebooks")
    nbformat.write(lesson(), folder / "small.ipynb")
    cells = [text(EVERYTHING), run("print(wide)", f"{WIDE}\n{'word ' * 60}\n\tend")]
    drawn = [sequence_chart(simulate(SCENARIOS[n])) for n in ("short_time_wait", "handshake")]
    cells += [run("chart", chart) for chart in drawn]
    cells.append(run("panel", panel(SCENARIOS["handshake"], "lose")))
    for number, cell in enumerate(cells[1:], start=1):
        cell.execution_count = number
        cell.outputs[0].execution_count = number
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "wide.ipynb")
    return folder


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    """The folder of their handouts."""
    into = tmp_path_factory.mktemp("handouts")
    list(handouts(folder, into))
    return into


@pytest.fixture(scope="module")
def small(folder):
    """The small chapter."""
    return read(folder / "small.ipynb")


LINKS = {"small.ipynb": "small.student.pdf"}


def sheet(chapter, *, teacher):
    """What is set on paper."""
    return document(chapter, LINKS, teacher=teacher)


def kinds(blocks):
    """What stands in a handout, in order."""
    return [each["kind"] for each in blocks]


# -- what is made ----------------------------------------------------------------------------------


def test_there_are_four_for_each_chapter(made):
    """A page and a PDF, for a student and for the instructor, named after the notebook."""
    assert sorted(path.name for path in made.iterdir()) == [
        f"{name}.{reader}.{suffix}"
        for name in ("small", "wide")
        for reader in ("instructor", "student")
        for suffix in ("html", "pdf")
    ]
    for path in made.glob("*.pdf"):
        assert path.read_bytes().startswith(b"%PDF-")
        assert int(re.search(rb"/Count (\d+)", path.read_bytes())[1]) >= 1


def test_a_second_run_gives_the_same_bytes(folder, made, tmp_path):
    """Neither a date nor a random number is in them, also in a process of its own."""
    arguments = ["--notebooks", folder, "--into", tmp_path]
    start = [sys.executable, "-m", "tcpviz.handouts", *arguments]
    done = subprocess.run(start, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 8
    for path in made.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


# -- who gets what ---------------------------------------------------------------------------------


def test_a_student_gets_no_solution(made, small):
    """Neither the code of a solution, nor what it shows, nor a word for the teacher."""
    student = json.dumps(sheet(small, teacher=False), ensure_ascii=False)
    instructor = json.dumps(sheet(small, teacher=True), ensure_ascii=False)
    for secret in (SECRET, "Yes: that is what happens.", "the client closes twice"):
        assert secret not in student
        assert secret in instructor
    page, full = ((made / f"small.{r}.html").read_text() for r in ("student", "instructor"))
    for secret in ("simultaneous_close", "Yes: that is what happens.", "the client closes twice"):
        assert secret not in page
        assert secret in full


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_chapter_gives_its_solutions_away(path):
    """What is tagged for teachers is in the handouts of instructors, and in no student's."""
    chapter = read(path)
    cells = chapter.notebook.cells
    hidden = [*tagged(cells, "solution"), *tagged(cells, "instructor")]
    for teacher in (False, True):
        data = json.dumps(document(chapter, {}, teacher=teacher), ensure_ascii=False)
        page = html(chapter, {}, teacher=teacher).decode()
        marked = re.findall(r'class="[^"]*celltag_(?:solution|instructor)', page)
        assert len(marked) == (len(hidden) if teacher else 0)
        for cell in tagged(hidden, "solution"):
            assert (json.dumps(cell.source, ensure_ascii=False)[1:-1] in data) == teacher


def test_a_student_predicts_before_the_run(small):
    """In the place of each run there are the questions; the runs, then the summary, end it."""
    made = sheet(small, teacher=False)
    rounds = ["prose", "code", "pictures", "question", "room", "see"]
    rest = ["prose", "code", "pictures", "prose", "code", "room"]
    told = ["pictures", "pictures", "prose"]
    assert kinds(made["blocks"]) == ["prose", *3 * rounds, *rest]
    assert kinds(made["summary"]) == ["prose"]
    assert [kinds(each["blocks"]) for each in made["runs"]] == 3 * [told]
    assert [each["title"] for each in made["runs"]] == ["Run 1", "Run 2", "Run 3"]
    shown = json.dumps(made["blocks"])
    assert "Predict" in shown
    assert "Observe" not in shown
    assert "Explain" not in shown


def test_a_student_is_not_told_which_choice_is_right(small):
    """The choices have their words and nothing else; no reason is printed, not even at the end."""
    made = sheet(small, teacher=False)
    asked = [each for each in made["blocks"] if each["kind"] == "question"]
    assert len(asked) == 3
    assert {key for each in asked for choice in each["choices"] for key in choice} == {"text"}
    for name, kind in PLAYERS:
        [question] = Player(SCENARIOS[name], questions=[kind]).questions
        assert question.prompt in [each["prompt"] for each in asked]
        assert not [
            c.why for c in question.choices if c.why in json.dumps(made, ensure_ascii=False)
        ]


def test_a_teacher_is_told_why(small):
    """Right choice, why each other one is wrong, and the run that refutes it: all in its place."""
    made = sheet(small, teacher=True)
    assert made["runs"] == []
    [first, *_] = [each for each in made["blocks"] if each["kind"] == "question"]
    [question] = Player(SCENARIOS["handshake"], questions=["established"]).questions
    for row, choice in zip(first["choices"], question.choices, strict=True):
        run = row.pop("run")
        assert row == {"text": choice.text, "why": choice.why, "right": choice.right}
        assert run in (choice.refutation, None)  # a run that is shown need not be named
    boxes = [each for each in made["blocks"] if each["kind"] == "box"]
    assert [each["solution"] for each in boxes] == [True, False]
    assert kinds(boxes[0]["blocks"]) == ["code", "output"]
    shown = ["question", "pictures", "pictures", "prose"]
    assert kinds(made["blocks"])[:7] == ["prose", "prose", "code", *shown]


def stored(path, *cells):
    """The chapter of these cells, as if they had been run."""
    for number, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
        for output in cell.outputs:
            output.execution_count = number
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    return read(path)


def test_a_prediction_without_a_run_has_room_for_the_answer(tmp_path):
    """Where nothing is run, and where what is run is no Player, there are lines to write on.

    The code stands with what it shows; a section that only tells goes with the run before it.
    """
    chapter = stored(
        tmp_path / "a.ipynb",
        text("# A?\n\n**Predict**: who?\n\n## B\n\nRead.\n\n**Predict**: why?"),
        run("1", "1"),
        text("**Observe**: 1."),
        run("2", "2"),
        text("**Explain**: it is.\n\n## C\n\nLater."),
    )
    made = sheet(chapter, teacher=False)
    assert kinds(made["blocks"]) == ["prose", "room", "prose", "room", "see"]
    assert made["summary"] == []  # the last cell goes on with the run
    assert [kinds(each["blocks"]) for each in made["runs"]] == [
        ["code", "output", "prose", "code", "output", "prose", "prose"]
    ]
    assert made["runs"][0]["title"] == "B"


def test_an_exercise_is_no_part_of_a_run(tmp_path):
    """What stands right before it stays with it, also without a heading of its own."""
    chapter = stored(
        tmp_path / "a.ipynb",
        text("# A?\n\n**Predict**: who?"),
        run("1", "1"),
        text("**Observe**: 1.\n\n**Explain**: it is."),
        text("Make one."),
        run("answer = ...", say("ex_unanswered")),
    )
    made = sheet(chapter, teacher=False)
    assert kinds(made["blocks"]) == ["prose", "room", "see", "prose", "code", "room"]
    assert made["blocks"][3]["sticky"]  # what is asked is on the page of the code
    assert [kinds(each["blocks"]) for each in made["runs"]] == [["code", "output", "prose"]]


def words(blocks):
    """The text of blocks."""
    return " ".join(plain(each["tokens"]) for each in blocks if each["kind"] == "prose")


def test_what_introduces_a_prediction_stands_before_it(tmp_path):
    """Also without a heading: a cell that asks stays whole, unless it first tells of a run.

    A section that runs something closes the round, what is told before its heading does not.
    """
    chapter = stored(
        tmp_path / "a.ipynb",
        text("# A?\n\n**Predict**: who?"),
        run("1", "1"),
        text("**Explain**: one."),
        text("More comes.\n\n**Predict**: why?"),
        run("2", "2"),
        text("**Observe**: two.\n\n**Predict**: how?"),
        run("3", "3"),
        text("It is three.\n\n## B\n\nRead."),
        run("4", "4"),
        text("## Told\n\nAs a word."),
    )
    made = sheet(chapter, teacher=False)
    asked = words(made["blocks"])
    for here in ("More comes.", "who?", "why?", "how?", "Read."):
        assert here in asked
    told = [words(each["blocks"]) for each in made["runs"]]
    assert told == ["Explain: one.", "Observe: two.", "It is three."]


def test_links_lead_from_handout_to_handout(folder, made):
    """A chapter's link leads to its handout for the same reader; other files do not come along."""
    tokens = json.dumps(sheet(read(folder / "wide.ipynb"), teacher=False))
    assert re.findall(r'"url": "([^"]*)"', tokens.replace('"attrs": {"url"', "")) == [
        "small.student.pdf",
        "",
        "https://example.org",
    ]
    page = (made / "wide.instructor.html").read_text()
    assert 'href="small.instructor.html#Run-1"' in page


# -- pictures --------------------------------------------------------------------------------------


def pictures(chapter, *, teacher):
    """Where each picture of a handout lies on its page, in pt."""
    given = {"document": json.dumps(document(chapter, {}, teacher=teacher))}
    found = typst.query(_SHEET, "<picture>", field="value", sys_inputs=given, font_paths=fonts())
    return json.loads(found)


@pytest.mark.parametrize("teacher", [False, True], ids=["student", "instructor"])
def test_what_belongs_together_is_on_one_page(tmp_path, teacher):
    """A listing of 24 lines and a teacher's note, wherever they come to stand.

    Its lines are looked for on each page: all are on one.
    """
    listed = "\n".join(f"listed {n}" for n in range(20))
    note = "**For the teacher**: noted 0.\n\n" + "\n\n".join(f"noted {n}." for n in range(1, 9))
    for above in (22, 26, 30, 34):
        filled = "\n\n".join("Filled." for _ in range(above))
        cells = [text(f"# A?\n\n{filled}"), run("1", listed), text(filled)]
        chapter = stored(tmp_path / "a.ipynb", *cells, text(note, tags=["instructor"]))
        (tmp_path / "a.pdf").write_bytes(pdf(chapter, {}, teacher=teacher))
        command = ["pdftotext", "a.pdf", "-"]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        for what, count in (("listed", 20), ("noted", 9 * teacher)):
            found = [len(re.findall(rf"{what} \d", page)) for page in done.stdout.split("\f")]
            assert max(found) == sum(found) == count, above


def test_a_question_is_on_the_page_that_is_named(tmp_path):
    """With its last choice and the room to answer it, wherever its chart comes to stand."""
    ends = [text("**Observe**: so.")]
    for above in range(1, 26, 3):
        filled = "\n\n".join("Filled." for _ in range(above))
        asks = player("open_and_close", "time-wait")
        first = text(f"# A?\n\n{filled}\n\n**Predict**: who?")
        made = pdf(stored(tmp_path / "a.ipynb", first, asks, *ends), {}, teacher=False)
        (tmp_path / "a.pdf").write_bytes(made)
        command = ["pdftotext", "a.pdf", "-"]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        pages = [" ".join(page.split()) for page in done.stdout.split("\f")]
        marks = ("waits in TIME-WAIT", "neither", say("handout_because"), "Then look at run 1")
        [number] = [n for n, page in enumerate(pages, start=1) if marks[0] in page]
        assert all(mark in pages[number - 1] for mark in marks), above
        assert f"{say('handout_asked_on')}{number} " in " ".join(pages)


def test_the_summary_is_on_one_page(tmp_path):
    """No few lines of it are alone on the last one."""
    ends = "\n\n".join(f"Ending {n}." for n in range(8))
    for above in (22, 26, 30):
        filled = "\n\n".join("Filled." for _ in range(above))
        chapter = stored(tmp_path / "a.ipynb", text(f"# A?\n\n{filled}"), text(f"## B\n\n{ends}"))
        (tmp_path / "a.pdf").write_bytes(pdf(chapter, {}, teacher=False))
        command = ["pdftotext", "a.pdf", "-"]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        assert max(page.count("Ending") for page in done.stdout.split("\f")) == 8, above


def test_a_path_is_not_broken_after_its_first_slash(tmp_path):
    """It goes to the next line as a whole."""
    for filled in range(50, 64):
        chapter = stored(tmp_path / "a.ipynb", text(f"# A?\n\n{'a ' * filled}/proc/net/tcp so."))
        (tmp_path / "a.pdf").write_bytes(pdf(chapter, {}, teacher=False))
        command = ["pdftotext", "a.pdf", "-"]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        assert "/proc/net/tcp" in done.stdout, filled


def test_a_diagram_stands_at_its_run(folder):
    """What follows a picture in the chapter follows it on paper: none drifts to a later page."""
    source = _SHEET.decode()
    assert "float" not in source
    for teacher in (False, True):
        made = sheet(read(folder / "small.ipynb"), teacher=teacher)
        at = [
            (each["page"], each["y"])
            for each in pictures(read(folder / "small.ipynb"), teacher=teacher)
        ]
        assert at == sorted(at)
        assert len(at) == len(list(svgs(made)))


def svgs(made):
    """The pictures of a document, in order."""
    runs = [block for each in made["runs"] for block in each["blocks"]]
    for each in (*made["blocks"], *runs, *made["summary"]):
        inside = each["blocks"] if each["kind"] == "box" else [each]
        yield from (p["svg"] for block in inside for p in block.get("pictures", ()))


WIDEST = 940  # pt: what can be read on A4, turned
CHAPTERS = ["small", "wide", *(path.stem for path in NOTEBOOKS)]


@pytest.fixture(params=CHAPTERS)
def chapter(request, folder):
    """Each chapter of the course, and the two of these tests."""
    own = folder / f"{request.param}.ipynb"
    return read(own if own.exists() else NOTEBOOKS[0].parent / own.name)


@pytest.mark.parametrize("teacher", [False, True], ids=["student", "instructor"])
def test_every_picture_lies_on_its_page(chapter, teacher):
    """Inside the margins of A4, and lettered so that it can be read."""
    found = pictures(chapter, teacher=teacher)
    drawn = list(svgs(document(chapter, {}, teacher=teacher)))
    assert len(found) == len(drawn) > 0
    for at, svg in zip(found, drawn, strict=True):
        assert at["x"] >= 28
        assert at["x"] + at["width"] <= 595.3 - 28
        assert at["y"] >= 62
        assert at["y"] + at["height"] <= 841.9 - 56
        letters = min(float(size) for size in re.findall(r'font-size="([\d.]+)"', svg))
        width, height = map(float, re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg).groups())
        scale = max(at["width"], at["height"]) / max(width, height)
        # Two charts on one axis can be no narrower than they are.
        assert scale * letters >= (LETTERS - 0.01 if width < WIDEST else 5.8)


@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="no pdftoppm on PATH")
@pytest.mark.parametrize("teacher", [False, True], ids=["student", "instructor"])
def test_nothing_reaches_the_edge_of_a_page(chapter, teacher, tmp_path):
    """Every page has ink, and none in the outer 9 mm: no code, table or picture runs off it."""
    (tmp_path / "made.pdf").write_bytes(pdf(chapter, {}, teacher=teacher))
    command = ["pdftoppm", "-r", "50", "-gray", "made.pdf", "page"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    pages = sorted(tmp_path.glob("page-*.pgm"))
    assert pages
    for page in pages:
        _, size, _, pixels = page.read_bytes().split(b"\n", 3)
        width, height = map(int, size.split())
        rows = [pixels[at : at + width] for at in range(0, width * height, width)]
        assert min(pixels) < 128, page.name
        edge = int(9 / 25.4 * 50)
        for row in rows:
            assert min(row[:edge]) > 250, page.name
            assert min(row[-edge:]) > 250, page.name


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="no pdftotext on PATH")
@pytest.mark.parametrize("teacher", [False, True], ids=["student", "instructor"])
def test_the_text_of_a_page_can_be_copied_and_no_heading_ends_it(chapter, teacher, tmp_path):
    """Notation is copied as it is typed; what a heading stands over begins on the same page."""
    (tmp_path / "made.pdf").write_bytes(pdf(chapter, {}, teacher=teacher))
    command = ["pdftotext", "-layout", "made.pdf", "-"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    told = done.stdout.decode()
    assert not re.search("[\u200b\xad]|[0-9]> <(SEQ|ACK|CTL)", told)
    if chapter.name == "small":
        assert "<SEQ=100><CTL=SYN>" in told
    headings = {plain(t["children"]) for cell in chapter.cells for t in cell.prose if is_title(t)}
    headings |= {say("handout_solution"), say("handout_runs")}
    for page in told.split("\f")[:-1]:
        lines = [line.strip() for line in page.splitlines() if line.strip()]
        foot = max(n for n, line in enumerate(lines) if re.search(r"\d+ of \d+$", line))
        assert lines[foot - 1] not in headings
        leads = ("Run ", say("handout_asked_on"), "For the teacher:")
        assert not lines[foot - 1].startswith(leads)


def is_title(token):
    """Whether it is a heading."""
    return token["type"] == "heading"


# -- the page --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", ["student", "instructor"])
@pytest.mark.parametrize("name", ["small", "wide"])
def test_a_page_names_nothing_to_load(made, name, reader):
    """No script, style, font or picture of elsewhere; no widget that waits for a kernel."""
    page = (made / f"{name}.{reader}.html").read_text()
    assert re.findall(
        r'<(?:script|link|img|iframe|source)[^>]*(?:src|href)="(?!data:)[^"]*"', page
    ) == (['<img alt="a picture" src="missing.png"'] if name == "wide" else [])
    for word in ("cdnjs", "require.js", "MathJax", "unpkg", "widget-view", "@import", "url(http"):
        assert word not in page


@pytest.mark.browser
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium on PATH")
@pytest.mark.parametrize("reader", ["student", "instructor"])
def test_a_page_plays_offline(made, tmp_path, reader):
    """Opened from the disk it asks nothing of the outside; each Player asks, and judges answers."""
    asked, errors = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
        page.goto((made / f"small.{reader}.html").as_uri())
        for number in range(3):  # each comes to life when it is seen
            page.locator(".output_html").nth(number).scroll_into_view_if_needed()
            page.wait_for_function(f"document.querySelectorAll('.tcpviz-player').length > {number}")
        page.focus(".tcpviz-player input[type=range]")
        page.keyboard.press("End")
        page.wait_for_selector(".tcpviz-asks form")
        page.check(".tcpviz-asks form input >> nth=0")
        page.click(".tcpviz-asks form button")
        page.wait_for_selector(".tcpviz-answer")
        page.screenshot(path=tmp_path / "page.png", full_page=True)
        hidden = page.query_selector_all(".celltag_solution, .celltag_instructor")
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert errors == []
    assert len(hidden) == (2 if reader == "instructor" else 0)


# -- what can go wrong -----------------------------------------------------------------------------


def fails(capsys, *arguments):
    """The one line that the command ends with."""
    assert command.main([str(each) for each in arguments]) == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert told.err.startswith("tcpviz: ")
    return told.err.removeprefix("tcpviz: ").rstrip("\n")


def test_names_choose_the_chapters(folder, tmp_path, capsys):
    """With a name only those handouts are made; a name that is none is one line."""
    into = tmp_path / "made"
    assert command.main(["wide", "--notebooks", str(folder), "--into", str(into)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    said = fails(capsys, "wid", "--notebooks", folder, "--into", into)
    assert said == "no notebook 'wid'; there are: small, wide"


def test_no_notebooks_are_one_line(tmp_path, capsys):
    """An empty or missing folder is named."""
    for folder in (tmp_path, tmp_path / "missing"):
        assert fails(capsys, "--notebooks", folder) == f"{folder}: no notebooks there"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"execution_count": None}, "cell 3 has not been run"),
        ({"outputs": [nbformat.v4.new_output("error", ename="E", evalue="e")]}, "cell 3 has ended"),
    ],
    ids=["not-run", "error"],
)
def test_a_notebook_that_was_not_run_to_its_end_is_one_line(tmp_path, capsys, change, sentence):
    """File and cell are named, and nothing is written."""
    notebook = lesson()
    notebook.cells[2].update(change)
    nbformat.write(notebook, tmp_path / "small.ipynb")
    into = tmp_path / "made"
    said = fails(capsys, "--notebooks", tmp_path, "--into", into)
    assert said.startswith(f"{tmp_path / 'small.ipynb'}: {sentence}")
    assert not into.exists()


def test_a_file_that_is_no_notebook_is_one_line(tmp_path, capsys):
    """Garbage under the name of a notebook is named."""
    (tmp_path / "broken.ipynb").write_text("{")
    assert "broken.ipynb: not a notebook: " in fails(capsys, "--notebooks", tmp_path)


@pytest.mark.parametrize("package", ["typst", "nbconvert"])
def test_a_missing_package_is_one_line(folder, tmp_path, capsys, monkeypatch, package):
    """What makes the handouts is named, and the command that brings it."""
    there = command.handouts.__globals__["importlib"].util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == package else there(name)
    )
    said = fails(capsys, "--notebooks", folder, "--into", tmp_path)
    assert said.startswith(f"handouts are made by {package}, which is not installed")
    assert list(tmp_path.iterdir()) == []


def test_the_first_cell_is_the_head_of_every_handout(small):
    """Its question is the title in the head of each page, and the first words of the first."""
    for teacher in (False, True):
        made = sheet(small, teacher=teacher)
        assert f"# {made['title']}" == FIRST.splitlines()[0]
        assert made["blocks"][0]["tokens"][0]["type"] == "heading"


def test_what_the_fixture_holds():
    """The tests above are about something: Players that ask, an open exercise, a note."""
    cells = code(lesson())
    assert sum(map(asks, cells)) == 3
    assert [told(cell) for cell in cells if "..." in cell.source] == [say("ex_unanswered")]
    assert FOR_TEACHERS in [cell.source for cell in lesson().cells]
    assert paper.FONTS.is_dir()
