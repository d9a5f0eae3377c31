"""How long a step takes in a JupyterLab page: ours, against ways through the kernel, in one run.

    python benchmarks/player.py

In one page, in turns at random, some keys of each: a key in the Player; a key on an ipywidgets
slider whose value the kernel makes into a new run and its sequence chart (`what-if`: simulate,
draw, send, show); a key on the slider of a panel, which shows a Player of the new run (`panel`);
and a key on a slider whose value the kernel only sends back (`echo`). Times are in ms, from the
key's event in the page to the change of the DOM, and to the end of the task after the frame that
paints it. JupyterLab's server sends with Nagle's algorithm, which holds a part of every answer
until the browser's delayed ACK: once as it is shipped, once with TCP_NODELAY. After a pause Linux
acknowledges the next 16 segments at once, some four keys' worth, so the first keys of each turn
stand apart from those that follow key upon key, as when one drags a slider or steps through a run.
Then a stored notebook with one player and one with ten are opened by turns: until a player is
there, and a step. Needs Chromium, JupyterLab and Playwright.
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from chromium import FLAGS, PROGRAM
from jupyter import KERNEL_IS_READY, environment, jupyterlab

from tcpviz import SCENARIOS, simulate
from tcpviz.player import Player

ROUNDS = 10  # turns of each way
KEYS = 16  # of one turn
FIRST = 4  # keys of a turn whose answers are acknowledged at once
STEPS = 20  # of the run, there and back: a slider that is at its end is silent
PAUSE = 400  # ms before a turn
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
SETTING = """
import ipywidgets as widgets
from tcpviz import MS, SCENARIOS, sequence_chart, simulate
from tcpviz.player import Player
from dataclasses import replace

def slider(act, label):
    control = widgets.IntSlider(min=0, max=10_000)
    control.add_class(label)
    shown = widgets.HTML("begin")
    shown.add_class(label + "-shown")
    control.observe(lambda change: setattr(shown, "value", act(change.new)), "value")
    return widgets.VBox([control, shown])

def redrawn(value):
    scenario = replace(SCENARIOS["lost_fin"], delay=(50 + value % 100) * MS)
    return sequence_chart(simulate(scenario)).svg
"""
PANEL = """
from tcpviz.panels import panel
made = panel(SCENARIOS["lost_fin"], "rtt", "msl")
made.view.add_class("panel")
made
"""
CELLS = (
    SETTING,
    'Player(simulate(SCENARIOS["lost_fin"]))',
    'slider(redrawn, "what-if")',
    'slider(str, "echo")',
    PANEL,
)
SERVER = """
import socket, sys
from tornado.iostream import IOStream
if sys.argv.pop(1) == "on":  # and stays: Tornado turns it off again after each request
    plain, choose = IOStream.__init__, IOStream.set_nodelay
    def eager(self, *args, **kwargs):
        plain(self, *args, **kwargs)
        if self.socket.family in (socket.AF_INET, socket.AF_INET6):
            choose(self, True)
    IOStream.__init__, IOStream.set_nodelay = eager, lambda self, value: choose(self, True)
from jupyterlab.labapp import main
main()
"""
WAYS = {  # what has the keys, and what changes
    "player": (".tcpviz-player input[type=range]", ".tcpviz-clock"),
    "what-if": (".what-if .noUi-handle", ".what-if-shown"),
    "panel": (".panel .noUi-handle", ".panel > :last-child"),
    "echo": (".echo .noUi-handle", ".echo-shown"),
}
WATCH = """
target => {
  window.measured = new Promise((resolve, reject) => {
    setTimeout(reject, 10_000, "nothing changed");
    let pressed;
    window.addEventListener("keydown", event => (pressed = event.timeStamp),
                            {capture: true, once: true});
    const watch = new MutationObserver(() => {
      const changed = performance.now();
      watch.disconnect();
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () =>
          resolve([changed - pressed, performance.now() - pressed]);
        channel.port2.postMessage(0);
      });
    });
    watch.observe(target, {childList: true, subtree: true, characterData: true});
  });
}
"""


def opened(browser: Browser, address: str) -> Page:
    """The notebook, all of it run."""
    page = browser.new_page(viewport={"width": 1300, "height": 4000})
    page.goto(address)
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=60_000)
    page.wait_for_function(KERNEL_IS_READY, timeout=60_000)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_selector(WAYS["echo"][0], timeout=60_000)
    page.wait_for_selector(WAYS["player"][0])
    page.wait_for_timeout(2000)
    # JupyterLab's shortcuts would take the sliders' keys: they get what the Player gives itself.
    page.eval_on_selector_all(
        ".noUi-handle", "all => all.forEach(e => e.dataset.lmSuppressShortcuts = 'true')"
    )
    return page


Times = dict[str, list[tuple[float, float]]]


def pressed(
    page: Page, focus: object, target: object, key: str, pause: float = 0
) -> tuple[float, float]:
    """Milliseconds from the key to the DOM, and to the painted frame."""
    focus.focus()
    page.wait_for_timeout(pause + random.uniform(20, 60))  # not in step with anything
    page.evaluate(WATCH, target)
    page.keyboard.press(key)
    changed, painted = page.evaluate("window.measured")
    return changed, painted


def measured(page: Page) -> tuple[Times, Times]:
    """Every way, by turns: the first keys after a pause, and those that follow them."""
    parts = {
        name: [page.query_selector(selector) for selector in selectors]
        for name, selectors in WAYS.items()
    }
    first: Times = {name: [] for name in WAYS}
    next_: Times = {name: [] for name in WAYS}
    for turn in range(ROUNDS + 1):
        for name in random.sample(list(WAYS), len(WAYS)):
            for nth in range(KEYS):
                there = STEPS if name == "player" else 1
                key = "ArrowLeft" if (turn * KEYS + nth) // there % 2 else "ArrowRight"
                each = pressed(page, *parts[name], key, 0 if nth else PAUSE)
                if turn:  # the first warms up
                    (first if nth < FIRST else next_)[name].append(each)
    return first, next_


def told(times: list[float]) -> str:
    """The median and the 95th percentile."""
    return f"{statistics.median(times):8.2f} {statistics.quantiles(times, n=20)[-1]:8.2f}"


def report(title: str, times: Times) -> None:
    """One table: medians, p95, and how many times the Player's median."""
    print(f"\n{title}; {len(times['echo'])} keys each")
    print(f"{'':10} {'DOM: median, p95':>17}   {'painted: median, p95':>20}   DOM / player")
    ours = statistics.median([changed for changed, _ in times["player"]])
    for name, pairs in times.items():
        dom, painted = ([pair[place] for pair in pairs] for place in (0, 1))
        ratio = statistics.median(dom) / ours
        print(f"{name:10} {told(dom):>17}   {told(painted):>20}   {ratio:12.1f}")
    painted = {name: statistics.median([p for _, p in pairs]) for name, pairs in times.items()}
    for name in ("what-if", "panel"):
        print(f"a {name} is painted {painted[name] - painted['echo']:.1f} ms after the bare echo")


HOW = ("the first keys after a pause", "key upon key")


def many(browser: Browser) -> None:
    """A notebook with one player and one with ten, stored and trusted, opened by turns."""
    output = {"text/html": Player(simulate(SCENARIOS["lost_fin"])).html(), "text/plain": "run"}
    shown = nbformat.v4.new_output("execute_result", output, execution_count=1)
    ready: dict[int, list[float]] = {1: [], 10: []}
    steps: dict[int, list[float]] = {1: [], 10: []}
    with tempfile.TemporaryDirectory() as folder:
        for count in ready:
            path = Path(folder, f"{count}.ipynb")
            cells = [
                nbformat.v4.new_code_cell("player", execution_count=1, outputs=[shown])
                for _ in range(count)
            ]
            nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), path)
            command = [sys.executable, "-m", "jupyter", "trust", path]
            subprocess.run(command, check=True, env=environment(Path(folder)), capture_output=True)
        with jupyterlab(folder, Path(folder), "NAME") as address:
            for _ in range(6):
                for count, times in ready.items():
                    page = browser.new_page(viewport={"width": 1300, "height": 1000})
                    begun = time.perf_counter()
                    page.goto(address.replace("NAME", f"{count}.ipynb"))
                    page.wait_for_selector(WAYS["player"][0], timeout=60_000)
                    times.append((time.perf_counter() - begun) * 1e3)
                    page.wait_for_timeout(1000)
                    parts = [page.query_selector(selector) for selector in WAYS["player"]]
                    for _ in range(20):
                        steps[count].append(pressed(page, *parts, "ArrowRight")[0])
                    page.close()
    print("\nplayers in a notebook: opened until one is there; a step, key to DOM: median, p95")
    for count, times in ready.items():  # the first opening fills JupyterLab's caches
        print(f"{count:3} {statistics.median(times[1:]):8.1f}   {told(steps[count])}")


def main() -> None:
    """Run all and print it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        for nodelay in ("off", "on"):
            with tempfile.TemporaryDirectory() as name:
                notebook = nbformat.v4.new_notebook(
                    cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS],
                    metadata=KERNEL,
                )
                nbformat.write(notebook, Path(name, "benchmark.ipynb"))
                program = ("-c", SERVER, nodelay)
                with jupyterlab(Path(name), Path(name), "benchmark.ipynb", program) as address:
                    page = opened(browser, address)
                    where = f"JupyterLab, TCP_NODELAY {nodelay}"
                    for how, times in zip(HOW, measured(page), strict=True):
                        report(f"{where}, {how}", times)
                    page.close()
        many(browser)
        browser.close()


if __name__ == "__main__":
    main()
