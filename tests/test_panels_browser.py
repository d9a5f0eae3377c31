"""A panel with every picture ready, in real JupyterLab, in a notebook that nobody has run."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import nbformat
import pytest
from chromium import FLAGS, PROGRAM
from jupyter import KERNEL_IS_READY, SECOND, environment, jupyterlab
from playwright.sync_api import sync_playwright

from tcpviz.words import say

sys.path.insert(0, str(Path(__file__).parent.parent / "notebooks"))
from build import build

SOURCE = """from tcpviz import SCENARIOS
from tcpviz.panels import panel

panel(SCENARIOS["open_and_close"], "closer", "delayed_ack")"""
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
SHOWN = ".tcpviz-pane > svg"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on PATH"),
]


LIVE = """from tcpviz import SCENARIOS
from tcpviz.panels import panel

panel(SCENARIOS["open_and_close"], "rtt", "lose")"""


def told(page):
    """The run that is shown, as text."""
    return page.eval_on_selector(".tcpviz-player .tcpviz-text pre", "pre => pre.textContent")


def test_a_ready_panel_changes_without_a_kernel(tmp_path):
    """Trusted and reopened, with no kernel at all, each choice shows its own chart at once."""
    folder, home = tmp_path / "notebooks", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    path = folder / "panel.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SOURCE)])
    nbformat.write(notebook, path)
    first = build(path)
    assert build(path) == first
    path.write_text(first, encoding="utf-8")
    command = [sys.executable, "-m", "jupyter", "trust", path]
    subprocess.run(command, env=environment(home), capture_output=True, check=True)
    with jupyterlab(folder, home, path.name) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1300, "height": 2400}).new_page()
        page.goto(address)
        page.wait_for_selector(SHOWN, timeout=60 * SECOND)
        page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        page.wait_for_function("!jupyterapp.shell.currentWidget.sessionContext.session")
        assert page.query_selector_all(".jp-NotebookPanel .widget-box") == []
        seen = [told(page)]
        heard = page.query_selector(".tcpviz-unseen[role=status]")
        for closer in ("server", "both", "nobody", "client"):
            page.select_option(".tcpviz-panel select >> nth=0", label=closer)
            seen.append(told(page))
            assert heard.evaluate("one => one.isConnected")
            assert page.text_content(".tcpviz-player .tcpviz-caption") in heard.text_content()
            page.screenshot(path=tmp_path / f"{closer}.png")
        page.focus(".tcpviz-player input[type=range]")
        page.keyboard.press("Home")
        assert "step 0 of" in page.text_content(".tcpviz-clock")
        browser.close()
    assert "server: CLOSE" in seen[1]
    assert "client: 2MSL expires" in seen[2]
    assert "server: 2MSL expires" in seen[2]
    assert "CLOSE" not in seen[3].replace("CLOSED", "")
    assert len(set(seen)) == 4
    assert seen[-1] == seen[0]


def test_a_live_panel_is_turned_by_keys(tmp_path):
    """In JupyterLab the arrows turn a slider and a list of a panel, and the run follows."""
    path = tmp_path / "live.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LIVE)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    with jupyterlab(tmp_path, tmp_path, path.name) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1300, "height": 2400}).new_page()
        page.goto(address)
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=60 * SECOND)
        page.wait_for_function(KERNEL_IS_READY, timeout=60 * SECOND)
        page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_selector(SHOWN, timeout=60 * SECOND)
        page.wait_for_timeout(2000)  # JupyterLab takes the focus when it is done
        handle = page.locator(".noUi-handle")
        assert handle.get_attribute("aria-label") == say("control_rtt")
        assert handle.get_attribute("aria-valuetext") == "100 ms"
        page.evaluate(AXE)
        found = page.evaluate("axe.run('.tcpviz-controls')")["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
        changed = "before => document.querySelector('.tcpviz-text pre').textContent !== before"
        for control, key in (
            (".noUi-handle", "ArrowRight"),
            (".widget-dropdown select", "ArrowDown"),
        ):
            before = told(page)
            page.focus(control)
            page.keyboard.press(key)
            page.wait_for_function(changed, arg=before)
        assert handle.get_attribute("aria-valuetext") == "200 ms"
        browser.close()
