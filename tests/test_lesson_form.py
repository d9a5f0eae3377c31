"""Every check of a chapter's form fails on the fault it is there for; a whole chapter passes."""

import re

import nbformat
import pytest
from lesson_form import CHECKS, FOLD, LARGEST
from links import faults
from small_lesson import PLAYERS, lesson, player, run, text

from tcpviz import SCENARIOS
from tcpviz.panels import panel


def found(notebook):
    """The names of the checks that find a fault, with what they say."""
    return {check.__name__: list(check(notebook)) for check in CHECKS if list(check(notebook))}


def test_a_whole_chapter_passes():
    """The small chapter, in which each fault is planted below, has none."""
    assert found(lesson()) == {}


def at(notebook, words):
    """The place of the first cell whose source has these words."""
    return next(n for n, cell in enumerate(notebook.cells) if words in cell.source)


def say_instead(old, new):
    """Put other words in the place of the first that are like these."""

    def plant(notebook):
        cell = notebook.cells[at(notebook, old)]
        cell.source = cell.source.replace(old, new, 1)

    return plant


def drop(words):
    """Take away the first cell that has these words."""
    return lambda notebook: notebook.cells.pop(at(notebook, words))


def show(words, **data):
    """Have the first cell with these words show something else."""

    def plant(notebook):
        cell = notebook.cells[at(notebook, words)]
        cell.outputs[0].data.update({k.replace("_", "/"): value for k, value in data.items()})

    return plant


def mark(words, **metadata):
    """Give the first cell with these words other metadata."""
    return lambda notebook: notebook.cells[at(notebook, words)].metadata.update(metadata)


def insert(words, *cells):
    """Put cells before the first that has these words."""

    def plant(notebook):
        place = at(notebook, words)
        notebook.cells[place:place] = [nbformat.from_dict(cell) for cell in cells]

    return plant


def picture(old, new):
    """Change the HTML of the panel's picture."""

    def plant(notebook):
        data = notebook.cells[at(notebook, "panel(")].outputs[0].data
        data["text/html"] = re.sub(old, new, data["text/html"])

    return plant


def count_none(notebook):
    notebook.cells[at(notebook, "panel(")].execution_count = None


def complain(notebook):
    cell = notebook.cells[at(notebook, "answer = ...")]
    cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="old"))


def silence(notebook):
    notebook.cells[at(notebook, "panel(")].outputs = []


FAULTS = {
    "a title that asks nothing": ("it_opens_with_a_question", say_instead("first?", "first")),
    "no minutes": ("it_opens_with_a_question", say_instead("About 30 minutes", "A while")),
    "an hour": ("it_opens_with_a_question", say_instead("30 minutes", "60 minutes")),
    "two objectives": ("it_opens_with_a_question", say_instead("- **read** a close;\n", "")),
    "no summary": ("it_ends_with_what_was_learned", drop("## Summary")),
    "another verb": ("it_ends_with_what_was_learned", say_instead("**explained**", "**drawn**")),
    "no way on": ("it_ends_with_what_was_learned", say_instead("(02-handshake.ipynb)", "()")),
    "no Explain": ("rounds_are_whole", say_instead("**Explain**", "Explain")),
    "Explain before Observe": (
        "rounds_are_whole",
        say_instead("**Observe**: what", "**Explain**: what"),
    ),
    "two rounds": ("rounds_are_whole", say_instead("Predict", "predict")),
    "a puzzle after Predict": (
        "predictions_come_before_runs",
        say_instead("in handshake?", "in handshake?\n\nThen turn it."),
    ),
    "no run before Observe": (
        "predictions_come_before_runs",
        drop('Player(SCENARIOS["handshake"]'),
    ),
    "an answer to be read": (
        "what_decides_is_folded",
        insert("**Observe**", run("count()", "count\n3")),
    ),
    "an answer in the one line that stays": (
        "what_decides_is_folded",
        insert("**Observe**", run("count()", "3", jupyter={"outputs_hidden": True})),
    ),
    "what was seen stands open": ("what_was_seen_is_folded", say_instead(f"{FOLD}\n\n", "")),
    "a fold of another name": ("what_was_seen_is_folded", say_instead("what was seen", "it")),
    "a fold that stands open": (
        "what_was_seen_is_folded",
        say_instead(FOLD, FOLD.replace("s><", "s open><")),
    ),
    "a fold without an end": ("what_was_seen_is_folded", say_instead("\n\n</details>", "")),
    "Explain outside the fold": (
        "what_was_seen_is_folded",
        say_instead("\n\n**Explain**", "\n\n</details>\n\n**Explain**"),
    ),
    "a heading in the fold": (
        "what_was_seen_is_folded",
        say_instead("\n\n</details>", "\n\n## Next\n\n</details>"),
    ),
    "a Player after Observe": (
        "players_ask_after_a_prediction",
        insert("## Try", player(*PLAYERS[0])),
    ),
    "two Players for one Predict": (
        "players_ask_after_a_prediction",
        insert("**Observe**", player(*PLAYERS[0])),
    ),
    "two Players": ("players_ask_after_a_prediction", drop('Player(SCENARIOS["lost_fin"]')),
    "two panels, one in the page": (
        "it_has_one_panel",
        insert("## Make", run("panel(page)", panel(SCENARIOS["handshake"], "lose"))),
    ),
    "no panel": ("it_has_one_panel", drop("panel(")),
    "two panels": (
        "it_has_one_panel",
        insert("## Make", run("again", lesson().cells[11].outputs[0].data)),
    ),
    "a panel without a picture": ("it_has_one_panel", show("panel(", text_html="<b>0</b>")),
    "no exercise": ("it_has_an_exercise", drop("answer = ...")),
    "an answered exercise": (
        "it_has_an_exercise",
        show("answer = ...", text_plain="Yes: that is what happens."),
    ),
    "no solution": ("it_has_an_exercise", drop("answer = SCEN")),
    "a wrong solution": ("it_has_an_exercise", show("answer = SCEN", text_plain="Not yet: x.")),
    "a solution to be seen": ("it_has_an_exercise", mark("answer = SCEN", jupyter={})),
    "a solution whose first line tells": (
        "it_has_an_exercise",
        say_instead("# A solution: look when you have yours.\n", ""),
    ),
    "nothing for the instructor": ("it_has_an_exercise", drop("**For the teacher**")),
    "an instructor's note to be seen": (
        "it_has_an_exercise",
        say_instead("<details><summary>open</summary>", ""),
    ),
    "an instructor's note that does not say so": (
        "it_has_an_exercise",
        say_instead("**For the teacher**: ", ""),
    ),
    "nine lines": ("steps_are_small", say_instead("panel(", "1\n" * 8 + "panel(")),
    "sixty-one words": ("steps_are_small", say_instead("Turn it.", "word " * 61)),
    "a time of nowhere": ("times_come_from_the_run", say_instead("Turn it.", "Wait 17 s.")),
    "a cell not run": ("code_has_run_and_shows_something", count_none),
    "a warning": ("code_has_run_and_shows_something", complain),
    "a cell that shows nothing": ("code_has_run_and_shows_something", silence),
    "no alt": ("pictures_are_told", picture(' alt="[^"]*"', "")),
    "a short alt": ("pictures_are_told", picture('alt="[^"]*"', 'alt="a chart"')),
    "a picture from elsewhere": (
        "pictures_are_told",
        picture('src="[^"]*"', 'src="https://example.org/a.svg"'),
    ),
    "no text twin": ("pictures_are_told", show("panel(", text_plain="<Picture>")),
    "a folder": (
        "nothing_of_the_machine_is_stored",
        show("answer = ...", text_plain="in /home/me: not answered yet"),
    ),
    "an unknown tag": ("nothing_of_the_machine_is_stored", mark("panel(", tags=["sollution"])),
    "unknown metadata": ("nothing_of_the_machine_is_stored", mark("panel(", collapsed=True)),
    "the machine's metadata": (
        "nothing_of_the_machine_is_stored",
        lambda notebook: notebook.metadata.update(vscode={}),
    ),
    "a large output": (
        "it_is_not_too_large",
        show("panel(", text_plain="a line\n" * (LARGEST // 8)),
    ),
    "a heading twice": ("headings_are_different", say_instead("## Run 2", "## Run 1")),
}


@pytest.mark.parametrize(("check", "plant"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(check, plant):
    """The check that is there for it names the fault, in at least one sentence."""
    notebook = lesson()
    plant(notebook)
    assert check in found(notebook)


def test_no_check_is_untested():
    """Each check has a fault planted for it."""
    assert {check.__name__ for check in CHECKS} == {check for check, _ in FAULTS.values()}


def test_small_faults_are_found_alone():
    """A fault is found by its own check and not by every one: the checks are about one thing."""
    many = {}
    for name, (_, plant) in FAULTS.items():
        notebook = lesson()
        plant(notebook)
        many[name] = len(found(notebook))
    assert max(many.values()) <= 3
    assert sum(count == 1 for count in many.values()) > len(many) / 2


# Links.

BINDER = "https://mybinder.org/v2/gh/tcpviz/tcpviz/main?urlpath=lab/tree/notebooks"
LINKS = {
    "other.ipynb": "",
    "other.ipynb#A-heading": "",
    "page.md#a-heading-code": "",
    "page.md#here": "",
    "https://www.rfc-editor.org/rfc/rfc9293": "",
    f"{BINDER}/other.ipynb": "",
    "https://mybinder.org/badge_logo.svg": "",
    "missing.ipynb": "there is no such file",
    "other.ipynb#a-heading": "there is no such heading",
    "page.md#A-heading": "there is no such heading",
    "../../outside.md": "there is no such file",
    "http://www.rfc-editor.org": "not an address of the net",
    f"{BINDER}/missing.ipynb": "there is no such notebook",
    "https://mybinder.org/v2/gh/tcpviz?urlpath=lab/tree/notebooks/other.ipynb": "no repository "
    "and branch",
}


@pytest.mark.parametrize(("url", "fault"), LINKS.items(), ids=LINKS)
@pytest.mark.parametrize("kind", [".ipynb", ".md"])
def test_a_link_that_leads_nowhere_is_found(tmp_path, url, fault, kind):
    """Files, headings and notebooks on Binder: what is not there is named, with the reason."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (tmp_path.parent / "outside.md").touch()
    (folder / "page.md").write_text('# A heading: `code`\n\n<a id="here"></a>\n')
    other = nbformat.v4.new_notebook(cells=[text("# A heading")])
    nbformat.write(other, folder / "other.ipynb")
    path = folder / f"with_links{kind}"
    source = f"See [it]({url})."
    if kind == ".md":
        path.write_text(source)
    else:
        nbformat.write(nbformat.v4.new_notebook(cells=[text(source), run("1", "1")]), path)
    assert list(faults(path, tmp_path)) == ([f"{url}: {fault}"] if fault else [])


def test_links_in_html_are_followed(tmp_path):
    """A badge that is written in HTML is a link too."""
    (tmp_path / "page.md").write_text('<a href="a.md"><img src="b.svg"></a>\n')
    assert [fault.split(":")[0] for fault in faults(tmp_path / "page.md", tmp_path)] == [
        "a.md",
        "b.svg",
    ]
