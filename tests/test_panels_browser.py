"""A panel with every picture ready, in real JupyterLab, in a notebook that nobody has run."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from chromium import FLAGS, PROGRAM
from playwright.sync_api import sync_playwright
from test_lab_browser import NAME, SECOND, environment, jupyterlab

sys.path.insert(0, str(Path(__file__).parent.parent / "notebooks"))
from build import build

SOURCE = """from tcpviz import SCENARIOS
from tcpviz.panels import panel

panel(SCENARIOS["open_and_close"], "closer", "delayed_ack")"""
SHOWN = ".jp-NotebookPanel .widget-html img"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on PATH"),
]


def alts(page):
    """What the pictures say that can be seen now."""
    return page.eval_on_selector_all(
        SHOWN, "all => all.filter(img => img.checkVisibility()).map(img => img.alt)"
    )


def test_a_ready_panel_changes_without_a_kernel(tmp_path):
    """Trusted and reopened, with no kernel at all, each choice shows its own chart at once."""
    folder, home = tmp_path / "notebooks", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    path = folder / NAME
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SOURCE)])
    nbformat.write(notebook, path)
    first = build(path)
    assert build(path) == first
    path.write_text(first, encoding="utf-8")
    command = [sys.executable, "-m", "jupyter", "trust", path]
    subprocess.run(command, env=environment(home), capture_output=True, check=True)
    with jupyterlab(folder, home) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1300, "height": 2400}).new_page()
        page.goto(address)
        page.wait_for_selector(SHOWN, timeout=60 * SECOND)
        page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        page.wait_for_function("!jupyterapp.shell.currentWidget.sessionContext.session")
        seen = [alts(page)]
        for closer in ("server", "both", "nobody", "client"):
            page.click(f".widget-toggle-buttons button:text-is('{closer}')")
            page.wait_for_function(
                "([where, old]) => ![...document.querySelectorAll(where)].some("
                "img => img.checkVisibility() && img.alt === old)",
                arg=[SHOWN, seen[-1][0]],
            )
            page.wait_for_selector(SHOWN)
            seen.append(alts(page))
            page.screenshot(path=tmp_path / f"{closer}.png")
        browser.close()
    assert all(len(each) == 2 for each in seen)
    assert "server waits in TIME-WAIT" in seen[1][0]
    assert "client and server wait" in seen[2][0] or "server" in seen[2][0]
    assert len({each[0] for each in seen}) == 4
    assert seen[-1] == seen[0]
