"""The notebook in real JupyterLab, in headless Chromium, as a reader meets it."""

import json
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from chromium import FLAGS, PROGRAM
from jupyter import KERNEL_IS_READY, SECOND, environment, jupyterlab
from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import sync_playwright

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
NAME = "02-handshake.ipynb"
CODE = ".jp-NotebookPanel .jp-CodeCell"
IMAGES = f"{CODE} .jp-OutputArea-output img"
CONTROL = f"{CODE} .widget-toggle-buttons"
RUN = ".widget-vbox .tcpviz-player pre"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on PATH"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The home of a user who is new here."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A clone's notebooks."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(NOTEBOOKS, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def page(folder, home):
    """The notebook, opened in a fresh JupyterLab; no cell of it has run here."""
    with jupyterlab(folder, home, NAME) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        # So tall that JupyterLab, which draws only the cells in view, draws all of them.
        context = browser.new_context(viewport={"width": 1300, "height": 12_000})
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(CODE, timeout=60 * SECOND)
        yield page
        browser.close()


def trusted(page):
    """Whether JupyterLab trusts the code cells: one answer for all, or both."""
    return page.evaluate(
        "[...new Set([...jupyterapp.shell.currentWidget.content.model.cells]"
        ".filter(cell => cell.type === 'code').map(cell => cell.trusted))]"
    )


def images(page):
    """Each picture that is shown: its alt text and whether the browser could draw it."""
    return page.eval_on_selector_all(
        IMAGES, "all => all.map(img => [img.alt, img.complete && img.naturalWidth > 0])"
    )


def cells(page):
    """The number in front of each code cell: `[1]:` when it has run, `[*]:` while it runs.

    A cell whose source is hidden, as a solution's is, shows none.
    """
    return page.eval_on_selector_all(
        f"{CODE} .jp-InputPrompt", "all => all.map(prompt => prompt.textContent)"
    )


def test_a_clone_shows_its_pictures_unrun_and_untrusted(page, tmp_path):
    """Where nothing is trusted and nothing has run, every picture of the file is there, with alt.

    The control stands there as the chart of its first setting.
    """
    stored = json.loads((NOTEBOOKS / NAME).read_text(encoding="utf-8"))
    saved = json.dumps(stored["cells"]).count("<img ")
    with suppress(TooLate):  # pictures come in one after the other; the asserts say what is missing
        page.wait_for_function(f"document.querySelectorAll('{IMAGES}').length === {saved}")
    page.screenshot(path=tmp_path / "untrusted.png")
    assert trusted(page) == [False]
    assert len(images(page)) == saved > 0
    assert all(alt and drawn for alt, drawn in images(page))
    assert not page.query_selector(CONTROL)


def test_it_runs_and_the_control_redraws(page, tmp_path):
    """Every cell runs without an error; a press on a segment's name loses it in the chart."""
    page.wait_for_function(KERNEL_IS_READY, timeout=60 * SECOND)
    page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.wait_for_function(f"!document.querySelector('{IMAGES}')")
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_selector(CONTROL, timeout=60 * SECOND)
    page.wait_for_function(
        f"[...document.querySelectorAll('{CODE} .jp-InputPrompt')]"
        ".every(prompt => /^(\\[\\d+\\]:)?$/.test(prompt.textContent))",
        timeout=60 * SECOND,
    )
    numbers = [f"[{number}]:" for number in range(1, len(cells(page)) + 1)]
    assert [told or number for told, number in zip(cells(page), numbers, strict=True)] == numbers
    assert not page.query_selector_all(f"{CODE} [data-mime-type*='error']")
    assert not page.query_selector_all(f"{CODE} [data-mime-type*='stderr']")
    assert all(alt and drawn for alt, drawn in images(page))
    page.screenshot(path=tmp_path / "run.png")

    told = f"document.querySelector('{RUN}').textContent"
    page.wait_for_selector(RUN, state="attached")
    seen = [page.evaluate(told)]
    for name in ("SYN", "SYN,ACK", "ACK", "nothing"):
        page.click(f"{CONTROL} button:text-is('{name}')")
        page.wait_for_function(f"old => {told} !== old", arg=seen[-1])
        seen.append(page.evaluate(told))
        page.query_selector(".widget-vbox").screenshot(path=tmp_path / f"lose_{name}.png")
    assert len(set(seen)) == 4
    assert seen[-1] == seen[0]


def test_a_trusted_notebook_opens_with_its_control(page, folder, home, tmp_path):
    """Where the notebook is trusted, as on Binder, the control is there before any cell has run."""
    command = [sys.executable, "-m", "jupyter", "trust", folder / NAME]
    subprocess.run(command, env=environment(home), capture_output=True, check=True)
    again = page.context.new_page()
    again.goto(f"{page.url}?reset")
    again.wait_for_selector(CONTROL, timeout=60 * SECOND)
    again.wait_for_selector(RUN, state="attached")
    again.screenshot(path=tmp_path / "trusted.png")
    assert trusted(again) == [True]
