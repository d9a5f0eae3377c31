"""The form of a chapter: each check names the faults of a notebook, in sentences.

test_lesson_form.py shows each of them fail on a planted fault; test_notebooks.py applies them to
every notebook of the course.
"""

import json
import re
from itertools import pairwise

import nbformat

from tcpviz.words import say

WIDGET = "application/vnd.jupyter.widget-view+json"
TAGS = {"solution", "instructor"}
MARKS = ("Predict", "Observe", "Explain")
FOLD = "<details><summary>Open it after the run: what was seen, and why</summary>"
LARGEST = 1_500_000  # octets of a file
TIME = re.compile(r"(?<![\w.])\d+(?:\.\d+)? (?:ns|us|ms|s)\b")


# -- what a notebook is made of --------------------------------------------------------------------


def prose(notebook):
    """Its cells of text."""
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def code(notebook):
    """Its cells of code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tagged(cells, tag):
    """Those of the cells that have the tag."""
    return [cell for cell in cells if tag in cell.metadata.get("tags", ())]


def told(cell):
    """What the outputs of a cell say in plain text."""
    outputs = cell.get("outputs", ())
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)


def pages(cell):
    """What the outputs of a cell show as HTML."""
    return [html for o in cell.get("outputs", ()) if (html := o.get("data", {}).get("text/html"))]


def live(cell):
    """The data of what the outputs of a cell bring to life in a page: Players and panels."""
    data = re.findall(r'<script type="application/json">(.*?)</script>', "".join(pages(cell)))
    return [json.loads(each) for each in data]


def asks(cell):
    """Whether a cell shows a Player that asks."""
    return any(each.get("data", {}).get("questions") for each in live(cell))


def turns(cell):
    """Whether a cell shows controls: in the page, or as widgets."""
    widgets = any(WIDGET in output.get("data", {}) for output in cell.outputs)
    return widgets or any("panel" in each for each in live(cell))


def marks(cell):
    """The words of a round that a cell's paragraphs begin with, in order."""
    found = re.findall(rf"^\*\*({'|'.join(MARKS)})\*\*", cell.source, re.MULTILINE)
    return found if cell.cell_type == "markdown" else []


def paragraphs(cell):
    """The blocks of a cell of text."""
    return re.split(r"\n\s*\n", cell.source.strip())


# -- the checks ------------------------------------------------------------------------------------


def it_opens_with_a_question(notebook):
    """The first cell: a question as title, chapter and minutes in italics, three objectives."""
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not re.match(r"# [^\n]+\?\n", first.source):
        yield "the first cell does not begin with a question as its title"
    minutes = re.search(r"^\*.*About (\d+) minutes\.\*$", first.source, re.MULTILINE)
    if not minutes or not 20 <= int(minutes[1]) <= 40:
        yield "the first cell does not say in italics how long it takes, from 20 to 40 minutes"
    if "At the end you can" not in first.source or len(objectives(first)) != 3:
        yield "the first cell does not say in three items what the reader can do at the end"


def objectives(cell):
    """The verbs in bold that a cell's items begin with."""
    return re.findall(r"^- \*\*(\w+)\*\*", cell.source, re.MULTILINE)


def it_ends_with_what_was_learned(notebook):
    """The last cell: a summary that takes up each verb, and a link to what comes next."""
    first, last = notebook.cells[0], notebook.cells[-1]
    if not last.source.startswith("## Summary\n") or "You have" not in last.source:
        yield "the last cell is no summary of what the reader has done"
    verbs = list(zip(objectives(first), objectives(last), strict=False))
    if len(objectives(last)) != 3 or not all(done.startswith(verb) for verb, done in verbs):
        yield f"the summary does not take up the verbs: {objectives(first)}, {objectives(last)}"
    if not re.search(r"\]\([\w-]+\.ipynb\)", paragraphs(last)[-1]):
        yield "the last sentence does not lead to a chapter"


def rounds_are_whole(notebook):
    """At least three rounds of Predict, Observe, Explain, in this order."""
    found = [mark for cell in prose(notebook) for mark in marks(cell)]
    if found != [*MARKS] * (len(found) // 3):
        nth = next((n for n, mark in enumerate(found) if mark != MARKS[n % 3]), len(found) - 1)
        yield f"round {nth // 3 + 1} is not Predict, Observe, Explain"
    if len(found) < 9:
        yield "there are fewer than three rounds"


def predictions_come_before_runs(notebook):
    """Predict is the last paragraph of its cell, and a run stands between it and Observe."""
    ran = False
    for cell in notebook.cells:
        for mark in marks(cell):
            if mark == "Predict" and not re.match(r"\*\*Predict\*\*", paragraphs(cell)[-1]):
                yield f"{cell.id}: the cell goes on after Predict"
            if mark == "Predict":
                ran = False
            if mark == "Observe" and not ran:
                yield f"{cell.id}: nothing was run since Predict"
        ran |= cell.cell_type == "code" and bool(cell.outputs)


def what_decides_is_folded(notebook):
    """Text that decides a prediction is not to be seen before its cell is run; JupyterLab unfolds.

    Folded, JupyterLab still shows the first line. A Player keeps its own secret.
    """
    last = ""
    for cell in notebook.cells:
        last = (marks(cell) or [last])[-1]
        shown = cell.get("outputs") and not pages(cell) and not turns(cell)
        if last == "Predict" and shown and not cell.metadata.get("tags"):
            if not cell.metadata.get("jupyter", {}).get("outputs_hidden"):
                yield f"{cell.id}: the answer can be read before the cell is run"
            if len(told(cell).splitlines()) < 2:
                yield f"{cell.id}: folded, its first line is the answer"


def what_was_seen_is_folded(notebook):
    """Observe and Explain stand under one summary, closed, and nothing else stands with them."""
    for cell in prose(notebook):
        blocks, inside = paragraphs(cell), False
        for block in blocks:
            mark = re.match(rf"\*\*({'|'.join(MARKS)})\*\*", block)
            if block.startswith("<details"):
                inside = block == FOLD
            elif block == "</details>":
                inside = False
            elif inside and (block.startswith("#") or (mark and mark[1] == "Predict")):
                yield f"{cell.id}: folded with what was seen: {block.splitlines()[0]}"
            elif mark and mark[1] != "Predict" and not inside:
                yield f"{cell.id}: {mark[1]} can be read before the cell is run"
        if blocks.count(FOLD) > blocks.count("</details>"):
            yield f"{cell.id}: what is folded has no end"


def players_ask_after_a_prediction(notebook):
    """At least three rounds stand on a Player that asks, each with Predict right before it."""
    last, players = "", 0
    for cell in notebook.cells:
        last = (marks(cell) or [last])[-1]
        if asks(cell):
            players += 1
            if last != "Predict":
                yield f"{cell.id}: a Player asks, and no Predict leads to it"
            last = ""
    if players < 3:
        yield f"{players} Players ask, not three"


def it_has_one_panel(notebook):
    """One cell shows controls, and where none can be shown a picture."""
    panels = [cell for cell in code(notebook) if turns(cell)]
    if len(panels) != 1:
        yield f"there are {len(panels)} panels, not one"
    if not all(any("<img " in page for page in pages(cell)) for cell in panels):
        yield "the panel has no picture for a page without widgets"


def it_has_an_exercise(notebook):
    """An unanswered check, then its solution that passes, hidden, then what to say about errors."""
    open_ = [n for n, cell in enumerate(notebook.cells) if _unanswered(cell)]
    if not open_:
        yield "there is no exercise"
    for nth in open_:
        after = notebook.cells[nth + 1 : nth + 3]
        if [cell.metadata.get("tags", []) for cell in after] != [["solution"], ["instructor"]]:
            yield f"{notebook.cells[nth].id}: no solution follows, or nothing for the instructor"
    for cell in tagged(notebook.cells, "solution"):
        if cell.cell_type != "code" or not told(cell).split("\n")[-1].startswith("Yes"):
            yield f"{cell.id}: the solution is not said to be right"
        if cell.metadata.get("jupyter") != {"source_hidden": True, "outputs_hidden": True}:
            yield f"{cell.id}: the solution can be seen"
        if not cell.source.startswith("# "):
            yield f"{cell.id}: its first line, which JupyterLab shows, is the solution"
    for cell in tagged(notebook.cells, "instructor"):
        if cell.cell_type != "markdown" or not cell.source.startswith("**For the teacher**: "):
            yield f"{cell.id}: what is for the instructor does not say so"
        if not re.fullmatch(r".*\n\n<details><summary>.*</details>", cell.source, re.DOTALL):
            yield f"{cell.id}: what is for the instructor can be seen"


def _unanswered(cell):
    """Whether it is the cell in which a reader puts an answer."""
    return re.search(r"= \.\.\.(\s|$)", cell.source) and told(cell).endswith(say("ex_unanswered"))


def steps_are_small(notebook):
    """At most eight lines of code in a cell; sixty words of prose in another, tables apart."""
    for cell in code(notebook):
        if len(cell.source.splitlines()) > 8:
            yield f"{cell.id}: more than eight lines"
    for cell in prose(notebook)[1:-1]:
        lines = [line for line in cell.source.splitlines() if not line.startswith(("|", "#", "<"))]
        count = len(" ".join(lines).split())
        if count > 60 and "instructor" not in cell.metadata.get("tags", ()):
            yield f"{cell.id}: {count} words"


def choices(cell):
    """What the controls of a panel offer that has all its runs in the page, a line each."""
    lists = [control for each in live(cell) for control in each.get("panel", ())]
    return "\n".join(choice for _, _, offered, _ in lists for choice in offered)


def times_come_from_the_run(notebook):
    """Every time that the text names stands in an output too, or is a panel's to choose."""
    shown = "\n".join(f"{told(cell)}\n{choices(cell)}" for cell in code(notebook))
    for cell in prose(notebook):
        for time in TIME.findall(cell.source):
            if not re.search(rf"(?<![\d.]){re.escape(time)}\b", shown):
                yield f"{cell.id}: {time} is in no output"


def code_has_run_and_shows_something(notebook):
    """Counts are 1 to n: nbval compares no cell without one. Each cell has a visible result."""
    counts = [cell.execution_count for cell in code(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the cells have not run in order: {counts}"
    for cell in code(notebook):
        if not cell.outputs:
            yield f"{cell.id}: no visible result"
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"{cell.id}: it complains"


def pictures_are_told(notebook):
    """Each image is in the page itself, says what it shows, and has a text twin."""
    images = 0
    for cell in code(notebook):
        for page in pages(cell):
            for tag in re.findall(r"<img [^>]*>", page):
                images += 1
                if not re.search(r'\balt="[^"]{40,}"', tag):
                    yield f"{cell.id}: an image does not say what it shows"
                if not re.search(r'\bsrc="data:image/svg\+xml;base64,', tag):
                    yield f"{cell.id}: an image is not in the page"
            if "<img " in page and len(told(cell).splitlines()) < 2:
                yield f"{cell.id}: an image has no text twin"
    if not images:
        yield "there is no picture"


def nothing_of_the_machine_is_stored(notebook):
    """No address of an object, no folder, no version, no unknown metadata or tag."""
    if not set(notebook.metadata) <= {"kernelspec", "language_info", "widgets"}:
        yield f"metadata: {sorted(notebook.metadata)}"
    if "version" in notebook.metadata.get("language_info", {}):
        yield "metadata: the version of Python"
    for cell in notebook.cells:
        if not set(cell.metadata) <= {"jupyter", "tags"}:
            yield f"{cell.id}: metadata {sorted(cell.metadata)}"
        if not set(cell.metadata.get("tags", ())) <= TAGS:
            yield f"{cell.id}: tags {cell.metadata.tags}"
        if re.search(r" at 0x[0-9a-f]+|/(?:home|root|tmp|Users)/", told(cell)):
            yield f"{cell.id}: it tells about this machine"


def it_is_not_too_large(notebook):
    """The file loads quickly, on Binder too."""
    size = len(nbformat.writes(notebook).encode())
    if size > LARGEST:
        yield f"{size:,} octets, more than {LARGEST:,}"


def headings_are_different(notebook):
    """Each heading can be linked to."""
    found = [
        h for cell in prose(notebook) for h in re.findall(r"^#+ .*", cell.source, re.MULTILINE)
    ]
    for one, other in pairwise(sorted(found)):
        if one == other:
            yield f"twice: {one}"


CHECKS = (
    it_opens_with_a_question,
    it_ends_with_what_was_learned,
    rounds_are_whole,
    predictions_come_before_runs,
    what_decides_is_folded,
    what_was_seen_is_folded,
    players_ask_after_a_prediction,
    it_has_one_panel,
    it_has_an_exercise,
    steps_are_small,
    times_come_from_the_run,
    code_has_run_and_shows_something,
    pictures_are_told,
    nothing_of_the_machine_is_stored,
    it_is_not_too_large,
    headings_are_different,
)
