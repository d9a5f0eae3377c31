"""The notebooks: built the same each time, honest in what they store, and in the form of a lesson.

nbval runs their cells and compares the outputs; this tests what nbval does not look at.
"""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from lesson_form import CHECKS
from links import faults
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tcpviz.words import say

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
IDS = [path.stem for path in NOTEBOOKS]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)

_spec = importlib.util.spec_from_file_location("build_notebooks", FOLDER / "build.py")
build = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build)


def read(path):
    """The notebook in that file."""
    return nbformat.read(path, as_version=4)


def code_cells(path):
    """Its cells of code, in order."""
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def outputs(path):
    """What its cells have shown, in order."""
    return [output for cell in code_cells(path) for output in cell.outputs]


# Building.


RECORDED = say("lab_recorded", kernel="", why="").split(",")[0] + ","


def without_label(text, *labels):
    """A notebook's file without the lines that say whether a lab ran here or is from a file."""
    either = "|".join(map(re.escape, labels or (RECORDED, say("lab_seen"))))
    return re.sub(rf'^ +"(?:{either}).*\n', "", text, flags=re.MULTILINE)


def test_a_rebuild_gives_the_same_bytes(tmp_path):
    """From the sources of the cells alone, the builder makes every notebook as it is committed.

    Where labs cannot be run, as on another system than Linux, all but the lines that say so.
    """
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*.ipynb"):
        notebook = read(path)
        notebook.metadata = {}
        for number, cell in enumerate(notebook.cells):
            cell.id = f"other-{number}"
            cell.metadata = {"collapsed": True, **cell.metadata}
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], 7
        nbformat.write(notebook, path)
    command = [sys.executable, tmp_path / "build.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{path.name}: rebuilt" for path in NOTEBOOKS]
    built = {path: (tmp_path / path.name).read_bytes().decode() for path in NOTEBOOKS}
    recorded = [path.name for path, new in built.items() if new != without_label(new, RECORDED)]
    for path, new in built.items():
        stored = path.read_bytes().decode()
        if path.name in recorded:
            assert without_label(new) == without_label(stored), path.name
        else:
            assert new == stored, path.name
    if recorded:
        pytest.skip(f"compared but for the label: labs not run here, in {', '.join(recorded)}")


def test_a_committed_notebook_shows_labs_that_ran():
    """What is stored was seen on a kernel when the notebook was built; none is from a file."""
    stored = {path.name: path.read_text("utf-8") for path in NOTEBOOKS}
    assert [name for name, text in stored.items() if text != without_label(text, RECORDED)] == []


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of notebooks of its own for the builder."""
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    return tmp_path


def write(folder, *sources):
    """A notebook of these cells, not run."""
    path = folder / "small.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return path


def test_check_tells_and_touches_nothing(folder, capsys):
    """With --check a stale notebook is an exit code of 1 and stays as it is; a fresh one is 0."""
    path = write(folder, "1 + 1")
    stale = path.read_bytes()
    assert build.main(["--check"]) == 1
    assert capsys.readouterr().out == "small.ipynb: would change\n"
    assert path.read_bytes() == stale
    assert build.main([]) == 0
    assert build.main(["--check"]) == 0
    assert capsys.readouterr().out == "small.ipynb: rebuilt\nsmall.ipynb: unchanged\n"
    assert [output.data["text/plain"] for output in outputs(path)] == ["2"]


def test_widgets_are_numbered_and_their_state_is_kept(folder):
    """A widget's random id becomes its place in the order of making, wherever it stands."""
    path = write(folder, "import ipywidgets\nipywidgets.VBox([ipywidgets.IntSlider(3)])")
    assert build.main([]) == 0
    [output] = outputs(path)
    model = output.data["application/vnd.jupyter.widget-view+json"]["model_id"]
    state = read(path).metadata.widgets[build.WIDGET_STATE].state
    assert sorted(state) == [f"{number:032x}" for number in range(1, len(state) + 1)]
    assert state[model].model_name == "VBoxModel"
    [child] = state[model].state.children
    assert state[child.removeprefix("IPY_MODEL_")].state.value == 3


def test_what_is_live_without_a_kernel_is_stored_so(folder):
    """A panel that has all its runs is HTML and leaves no widget behind; another keeps its own."""
    ready, asks = (
        f"from tcpviz import SCENARIOS\nfrom tcpviz.panels import panel\n"
        f"panel(SCENARIOS['handshake'], {names})"
        for names in ("'rules'", "'rtt', 'msl'")
    )
    path = write(folder, ready, asks)
    assert build.main([]) == 0
    [html, widget] = [output.data for output in outputs(path)]
    view = "application/vnd.jupyter.widget-view+json"
    assert view not in html
    assert '"panel":' in html["text/html"]
    state = read(path).metadata.widgets[build.WIDGET_STATE].state
    assert widget[view]["model_id"] in state
    labels = [model.state.get("description") for model in state.values()]
    assert sorted(filter(None, labels)) == ["MSL", "Round trip"]


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        (["1", "1 / 0"], "cell-02: ZeroDivisionError: division by zero"),
        (["import sys\nprint('old', file=sys.stderr)"], "cell-01 writes to stderr: old"),
    ],
    ids=["error", "stderr"],
)
def test_what_a_reader_should_not_meet_stops_the_build(folder, capsys, sources, sentence):
    """An error and a warning are one line that names the cell; the notebook is not written."""
    path = write(folder, *sources)
    before = path.read_bytes()
    assert build.main([]) == 1
    assert capsys.readouterr().err == f"tcpviz: small.ipynb: {sentence}\n"
    assert path.read_bytes() == before


def test_names_choose_the_notebooks(folder, capsys):
    """With names only those are built, and a name that is none is one line; nothing is built."""
    path = write(folder, "1 + 1")
    shutil.copy(path, folder / "other.ipynb")
    assert build.main(["other"]) == 0
    assert capsys.readouterr().out == "other.ipynb: rebuilt\n"
    assert code_cells(path)[0].outputs == []
    assert build.main(["small", "smal"]) == 1
    told = capsys.readouterr()
    assert told.err == "tcpviz: no notebook 'smal'; there are: other, small\n"
    assert told.out == ""


def test_a_file_that_is_no_notebook_is_named(folder, capsys):
    """Garbage under the name of a notebook is one line, no traceback."""
    (folder / "broken.ipynb").write_text("{")
    assert build.main([]) == 1
    told = capsys.readouterr().err
    assert told.startswith("tcpviz: broken.ipynb: not a notebook: ")
    assert told.count("\n") == 1


def compared(folder, cell):
    """Run that cell as nbval does among our notebooks, and give its exit code and what it says."""
    for name in ("conftest.py", "sanitize.cfg"):
        shutil.copy(FOLDER / name, folder)
    nbformat.write(new_notebook(cells=[cell]), folder / "shown.ipynb")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", folder],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("kind", "code"), [("text/html", 0), ("text/plain", 1)])
def test_nbval_compares_text_and_leaves_pictures_out(tmp_path, kind, code):
    """Another drawing of the same picture passes; another text fails."""
    source = (
        "class Shown:\n"
        "    def _repr_mimebundle_(self, include=None, exclude=None):\n"
        "        return {'text/html': '<b>1</b>', 'text/plain': '1'}\n"
        "Shown()"
    )
    stored = {"text/html": "<b>1</b>", "text/plain": "1"} | {kind: "other"}
    cell = new_code_cell(source, execution_count=1)
    cell.outputs = [new_output("execute_result", stored, execution_count=1)]
    done = compared(tmp_path, cell)
    assert done.returncode == code, done.stdout


@pytest.mark.parametrize(
    ("findings", "code"),
    [("CLOSE-WAIT 3\nall of it", 0), ("CLOSE-WAIT 4\nall of it", 1), ("CLOSE-WAIT 3", 1)],
)
def test_nbval_leaves_out_that_a_lab_was_not_run_here(tmp_path, findings, code):
    """A recording in the place of a live lab passes if it found the same, and else fails."""
    label = say("lab_recorded", kernel="Linux 9.9", why="this is another system (really)")
    cell = new_code_cell(f"print({label + chr(10) + findings!r})", execution_count=1)
    seen = say("lab_seen") + "\nCLOSE-WAIT 3\nall of it\n"
    cell.outputs = [new_output("stream", name="stdout", text=seen)]
    done = compared(tmp_path, cell)
    assert done.returncode == code, done.stdout


def test_a_rebuild_without_labs_differs_by_their_label_alone():
    """The line is found in the file of a notebook, also as the last before the findings."""
    labels = say("lab_seen"), say("lab_recorded", kernel="Linux 9.9", why='it says "no"')
    cells = [new_code_cell("run()"), new_code_cell("run()")]
    for cell, label in zip(cells, labels, strict=True):
        text = f"{label}\nCLOSE-WAIT 3\nall of it"
        cell.outputs = [new_output("execute_result", {"text/plain": text}, execution_count=1)]
        cell.id = "cell-01"
    live, shown = (nbformat.writes(new_notebook(cells=[cell])) for cell in cells)
    assert live == without_label(live, RECORDED)
    assert without_label(shown) == without_label(live) != live


# What is stored.


def test_there_are_notebooks():
    """The tests below are about something."""
    assert FOLDER / "02-handshake.ipynb" in NOTEBOOKS


@each_notebook
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_has_the_form_of_a_chapter(path, check):
    """The check finds no fault; test_lesson_form.py shows that it finds those that are there."""
    assert list(check(read(path))) == []


def test_the_readme_lists_every_chapter():
    """In order: its number, the question that is its title, its file and its address on Binder."""
    row = r"^\| (..) \| \[(.+\?)\]\(notebooks/(.+)\.ipynb\) \| .+ \| \[open\]\(.+/(.+)\.ipynb\) \|$"
    rows = re.findall(row, (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    titles = [(path.stem, read(path).cells[0].source.splitlines()[0]) for path in NOTEBOOKS]
    assert [(file, f"# {question}") for _, question, file, _ in rows] == titles
    assert all(file == binder and file[:2] == number for number, _, file, binder in rows)


@pytest.mark.parametrize("path", [*NOTEBOOKS, *PAGES], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    """Every relative link names a file, and a heading of it; those to Binder a notebook."""
    assert list(faults(path, ROOT)) == []


@each_notebook
def test_widget_state_is_saved(path):
    """Where a cell shows widgets, a trusted page opens them live: their state is in the file."""
    data = json.loads(path.read_text(encoding="utf-8"))
    saved = data["metadata"].get("widgets", {}).get(build.WIDGET_STATE, {}).get("state", {})
    for output in outputs(path):
        view = output.get("data", {}).get("application/vnd.jupyter.widget-view+json")
        assert view is None or view["model_id"] in saved


def test_a_player_is_stored_as_html_alone(tmp_path):
    """What is live as HTML is stored without its widget: that shows nothing without a kernel."""
    sources = ["from tcpviz import SCENARIOS\nfrom tcpviz.player import Player"]
    sources += ['Player(SCENARIOS["handshake"])', "import ipywidgets\nipywidgets.IntSlider()"]
    path = tmp_path / "player.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    built = nbformat.reads(build.build(path), as_version=4)
    player, slider = (cell.outputs[0].data for cell in built.cells[1:])
    assert set(player) == {"text/html", "text/plain"}
    assert build.WIDGET_VIEW in slider
    models = built.metadata.widgets[build.WIDGET_STATE].state
    assert {model["model_name"] for model in models.values()} == {
        "IntSliderModel",
        "LayoutModel",
        "SliderStyleModel",
    }
