"""How the tests are run: files beside each other, the slowest first, and open to a Ctrl-C."""

import os
import signal
from pathlib import Path

import pytest

# In this order they are given to the next process that is free; then come all others.
SLOWEST = [
    f"tests/test_{name}.py"
    for name in (
        *("player_browser", "explore", "pictures_browser", "handouts", "lab_browser", "kernel"),
        *("notebooks", "quality", "loss", "panels_browser", "theme", "question_reasons"),
        *("sequence_chart", "hostile_text"),
    )
]
collect_ignore = ["conftest.py"]  # notebooks/ has one too, and examples are looked for by name
MOST = 4  # every process reads all tests first


def pytest_configure():
    """Hear Ctrl-C, also in a run that a shell has put into the background: some tests send one."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """A process for each processor; none beside this one where files or tests are named."""
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return 0 if named else min(os.cpu_count() or 1, MOST)


def pytest_collection_modifyitems(config, items):
    """Begin with the slowest files where several processes share them, so that all end together."""
    if hasattr(config, "workerinput"):
        rank = {config.rootpath / name: number for number, name in enumerate(SLOWEST)}
        items.sort(key=lambda item: rank.get(Path(item.path), len(rank)))
