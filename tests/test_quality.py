"""The repository itself: what the linters say, and what no file may hold."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)],
    ids=" ".join,
)
def test_the_linters_have_nothing_to_say(command):
    """ruff finds no fault in code or layout, and mypy --strict none in the types."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def files():
    """Every file of the repository; what lies in a dotted folder was left there by some tool."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name in {".ci", ".github"} or not name.startswith((".", "__pycache__"))
        ]
        for name in names:
            yield Path(folder, name)


def test_no_file_names_a_package_index():
    """Where packages come from is the user's own setting: no file names a host for it."""
    hosts = [
        b".".join(parts)
        for parts in [
            (b"pypi", b"org"),
            (b"files", b"pythonhosted"),
            (b"registry", b"npmjs"),
            (b"conda", b"anaconda", b"org"),
        ]
    ]
    found = [
        f"{path.relative_to(ROOT)}: {host.decode()}"
        for path in files()
        for host in hosts
        if host in path.read_bytes()
    ]
    assert found == []


def test_the_search_reaches_every_folder():
    """What is searched includes the outer files, the hidden one that CI runs, and the package."""
    searched = {path.relative_to(ROOT).as_posix() for path in files()}
    assert {"lab.py", "requirements.lock", ".ci/run", "tcpviz/states.py"} <= searched


def test_every_test_states_its_claim():
    """Each test has a docstring, which says in a sentence what holds if it passes."""
    silent = [
        f"{path.name}: {node.name}"
        for path in sorted((ROOT / "tests").glob("test_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.parametrize("script", [".ci/run", "lab.py", "binder/postBuild"])
def test_the_scripts_can_be_run(script):
    """What a person or a service starts by its path is executable."""
    assert os.access(ROOT / script, os.X_OK)
