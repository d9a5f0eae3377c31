"""What docs/ shows is what the code says and draws today."""

import ast
import json
import re
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tcpviz.rules import Rules
from tcpviz.scenarios import SCENARIOS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BUILD = runpy.run_path(str(DOCS / "build.py"))
ISSUES = [f"I-{number}" for number in range(1, 15)]
REQUIREMENTS = json.loads((ROOT / "tests" / "data" / "requirements.json").read_text("utf-8"))[
    "requirements"
]


@pytest.mark.parametrize("name", BUILD["PAGES"])
def test_a_page_is_made_by_this_version(name, monkeypatch):
    """Byte for byte; `python docs/build.py` makes the pages again."""
    monkeypatch.setenv("TCPVIZ_ENGINE", "wasm")
    assert BUILD["page"](name).encode() == (DOCS / name).read_bytes()


def test_docs_holds_nothing_else():
    """Each page is compared with a fresh one; beside them lies what makes them."""
    files = {path.relative_to(DOCS) for path in DOCS.rglob("*") if path.is_file()}
    found = {path.as_posix() for path in files if "__pycache__" not in path.parts}
    assert found == {*BUILD["PAGES"], "build.py"}


def test_the_gallery_shows_every_named_scenario():
    """The taught ones with a picture that has an alternative text, the others folded."""
    text = (DOCS / "gallery.md").read_text("utf-8")
    shown = re.findall(
        r"^## (\w+)\n\n.+\n\n!\[.{40,}\]\(gallery/(\w+)\.svg\)\n\n```python$", text, re.MULTILINE
    )
    folded = re.findall(r"^<details><summary>(\w+): ", text, re.MULTILINE)
    assert [*(name for name, file in shown if name == file), *folded] == list(SCENARIOS)


def test_every_rule_is_on_the_page():
    """In the order of the code, each once, and with both choices or a number in its text."""
    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "rules.md").read_text("utf-8"), re.MULTILINE)
    assert rows == list(Rules._fields)


@pytest.mark.parametrize("issue", ISSUES)
def test_every_known_issue_is_a_rule_or_a_sentence(issue):
    """One or the other: a rule that names the issue, or why there is no choice to make."""
    assert bool(BUILD["settles"](issue)) != (issue in BUILD["NO_RULE"])
    page = (DOCS / "rules.md").read_text("utf-8")
    assert len(re.findall(rf"^\| {issue} \| .+ \| .+ \|$", page, re.MULTILINE)) == 1


def test_no_rule_settles_an_issue_that_is_not_listed():
    """What a rule's text names stands in the list of issues."""
    named = set(re.findall(r"\bI-\d+", (ROOT / "tcpviz" / "rules.py").read_text("utf-8")))
    assert named <= set(BUILD["ISSUES"]) == set(ISSUES)


@cache
def docstrings(file: str) -> dict[str, str]:
    """The tests of a file, with what they claim."""
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_docstring(node) or "" for node in functions}


@pytest.mark.parametrize("entry", REQUIREMENTS, ids=lambda entry: f"{entry['id']}:{entry['says']}")
def test_a_requirement_that_is_held_names_the_test_that_claims_it(entry: dict[str, Any]):
    """The test exists, and its docstring has the requirement's label or the claim given for it."""
    assert entry["verdict"] in ("held", "not held", "out of scope")
    assert bool(entry["test"]) == (entry["verdict"] == "held")
    assert entry["note"] or entry["verdict"] == "held", "it says why"
    if entry["test"]:
        file, name = entry["test"].split("::")
        claim = entry.get("claim", entry["id"])
        assert re.search(rf"{re.escape(claim)}(?!\d)", docstrings(file)[name])


def test_requirements_are_listed_once():
    """A label may have several parts, each with its own words."""
    listed = [(entry["id"], entry["says"]) for entry in REQUIREMENTS]
    assert len(listed) == len(set(listed)) == 74
