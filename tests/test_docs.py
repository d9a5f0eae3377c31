"""What docs/ shows is what the code says and draws today."""

import ast
import json
import re
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tcpviz import read
from tcpviz.rules import Rules
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate

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
    """Each with what it shows, a picture that has an alternative text, its lines and its text."""
    text = "\n".join(
        (DOCS / name).read_text("utf-8") for name in ("gallery.md", "gallery-edges.md")
    )
    shown = re.findall(
        r"^## (\w+)\n\n[^\n]+\n\n!\[[^\n]{40,}\]\(gallery/(\w+)\.svg\)\n\n```python\n(.+?)\n```\n\n"
        r"<details><summary>(\w+) in text</summary>\n\n```\n(.+?)\n```$",
        text,
        re.MULTILINE | re.DOTALL,
    )
    assert [name for name, *_ in shown] == list(SCENARIOS)
    for name, file, lines, title, told in shown:
        assert name == file == title
        assert f'"{name}"' in lines
        assert told == str(simulate(SCENARIOS[name])).rstrip()


def test_the_gallery_is_not_heavier_than_a_reader_can_load():
    """All pictures together; each is loaded when it comes into view."""
    pictures = [path.stat().st_size for path in (DOCS / "gallery").iterdir()]
    assert len(pictures) == len(SCENARIOS)
    assert sum(pictures) < 4_000_000
    assert max(pictures) < 100_000


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


def written(data: dict[str, Any]) -> dict[str, set[str]]:
    """The fields that the JSON of a trace has, by the kind of object."""
    parts = {"trace": [data], "end": data["ends"]}
    parts |= {"segment": data["segments"], "step": data["steps"]}
    return {thing: set().union(*objects) for thing, objects in parts.items()}


def test_the_page_on_json_names_every_field_and_no_other():
    """What all scenarios and some captures are written with is what the page explains."""
    captures = sorted((ROOT / "notebooks" / "captures").glob("*.pcapng"))
    one_sided = ROOT / "tests" / "data" / "recordings" / "lost_fin.client.pcapng"
    found: dict[str, set[str]] = {thing: set() for thing in BUILD["TRACE_JSON"]}
    for source in (*SCENARIOS, *captures[:4], one_sided):
        for thing, fields in written(read(source)[0].to_json()).items():
            found[thing] |= fields
    assert found == {thing: set(fields) for thing, fields in BUILD["TRACE_JSON"].items()}


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
