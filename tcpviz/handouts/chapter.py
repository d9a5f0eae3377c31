"""A chapter as it is stored: its prose as a tree, its code, and what its cells have shown.

Knows the file of a notebook, and how pictures and Players travel in HTML. Runs nothing, and must
not know what a handout looks like.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from math import prod
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from tcpviz.choices import Choice, Question
from tcpviz.words import say

SOLUTION: Final = "solution"
INSTRUCTOR: Final = "instructor"
FOR_TEACHERS: Final = frozenset({SOLUTION, INSTRUCTOR})
"""The tags of the cells that a student's handout does not have."""

_FOLD: Final = re.compile(r"<details>\s*<summary>[^<]*</summary>|</details>")
_SVG: Final = "data:image/svg+xml;base64,"

Token: TypeAlias = dict[str, Any]
"""A node of the tree that mistune makes of Markdown."""


class Problem(Exception):
    """What keeps a handout from being made; the message is one line that says what and where."""


class Image(NamedTuple):
    """A drawn picture, and what it shows in words."""

    svg: str
    alt: str


class Asked(NamedTuple):
    """A question of a Player, and the chart of what had happened before it."""

    question: Question
    before: Image


class Turned(NamedTuple):
    """A panel with one control at this choice, and the others as at first (`stands`: this too)."""

    control: str
    choice: str
    image: Image
    stands: bool


@dataclass(frozen=True)
class Shown:
    """An output: its pictures, or else its text.

    `asked` are the questions of a Player, `turned` the pictures of a panel for each choice.
    """

    text: str
    images: tuple[Image, ...] = ()
    asked: tuple[Asked, ...] = ()
    turned: tuple[Turned, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A cell: the tree of its prose, or its code and what that has shown."""

    tags: frozenset[str]
    prose: tuple[Token, ...] = ()
    code: str = ""
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """A notebook: `name` is its file's without suffix, `title` its first heading."""

    name: str
    title: str
    cells: tuple[Cell, ...]
    notebook: Any

    def cells_for(self, *, teacher: bool) -> tuple[Cell, ...]:
        """The cells that this reader gets."""
        return tuple(cell for cell in self.cells if teacher or not cell.tags & FOR_TEACHERS)


def read(path: Path) -> Chapter:
    """The chapter of that file. Problem if it is no notebook, or has not been run to its end."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        reason = " ".join(str(error).split())[:200]
        raise Problem(say("handout_no_notebook", file=path, reason=reason)) from None
    cells = []
    for number, cell in enumerate(notebook.cells, start=1):
        tags = frozenset(cell.metadata.get("tags", ()))
        if cell.cell_type == "markdown":
            cells.append(Cell(tags, prose=parsed(cell.source)))
        elif cell.cell_type == "code" and cell.source.strip():
            if cell.execution_count is None:
                raise Problem(say("handout_not_run", file=path, number=number))
            if any(output.output_type == "error" for output in cell.outputs):
                raise Problem(say("handout_error", file=path, number=number))
            shown = tuple(filter(None, map(_shown, cell.outputs)))
            cells.append(Cell(tags, code=cell.source, shown=shown))
    tokens = (token for cell in cells for token in cell.prose)
    title = next((plain(t["children"]) for t in tokens if t["type"] == "heading"), path.stem)
    return Chapter(path.stem, title, tuple(cells), notebook)


def parsed(markdown: str) -> tuple[Token, ...]:
    """The tree of a text in Markdown, without blank lines between its blocks.

    What is folded in a notebook (`<details>`) is unfolded: paper cannot be opened.
    """
    import mistune

    tree = mistune.create_markdown(renderer="ast", plugins=["table", "strikethrough"])(markdown)
    assert isinstance(tree, list)
    return tuple(t for t in tree if t["type"] != "blank_line" and not _folds(t))


def _folds(token: Token) -> bool:
    """Whether it is only the HTML in which other blocks are folded."""
    return token["type"] == "block_html" and bool(_FOLD.fullmatch(token["raw"].strip()))


def plain(tokens: list[Token]) -> str:
    """The words of a tree.

    >>> plain(parsed("# Why *three*?")[0]["children"])
    'Why three?'
    """
    breaks = {"softbreak": " ", "linebreak": " "}
    return "".join(
        breaks.get(token["type"]) or token.get("raw") or plain(token.get("children", []))
        for token in tokens
    )


def _shown(output: Any) -> Shown | None:
    """What an output shows on paper; None if that is nothing."""
    if output.output_type == "stream":
        return Shown(output.text.rstrip("\n"))
    page = _Page(output.data.get("text/html", ""))
    text = output.data.get("text/plain", "").rstrip("\n")
    return page.shown(text) if text or page.images else None


class _Page(HTMLParser):
    """The pictures of an output in HTML, and the data of its Player or panel."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.images: list[Image] = []
        self.data: dict[str, Any] = {}
        self._script: list[str] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        source = values.get("src") or ""
        if tag == "img" and source.startswith(_SVG):
            svg = base64.b64decode(source.removeprefix(_SVG)).decode()
            self.images.append(Image(svg, values.get("alt") or ""))
        if tag == "script" and values.get("type") == "application/json":
            self._script = []

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._script.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._script is not None:
            self.data = json.loads("".join(self._script))
            self._script = None

    def shown(self, text: str) -> Shown:
        """What is to be seen; the charts before the questions are the first pictures."""
        questions = [*map(_question, self.data.get("data", {}).get("questions", ()))]
        asked = tuple(map(Asked, questions, self.images))
        turned = tuple(_turned(self.data)) if "panel" in self.data else ()
        return Shown(text, tuple(self.images[len(asked) :]), asked, turned)


def _turned(data: dict[str, Any]) -> Iterator[Turned]:
    """The first picture of each run that a panel has ready when one of its controls is turned."""
    controls = data["panel"]
    weights = [
        prod(len(control[2]) for control in controls[n:]) for n in range(1, len(controls) + 1)
    ]
    start = sum(control[3] * weight for control, weight in zip(controls, weights, strict=True))
    for (name, _, choices, first), weight in zip(controls, weights, strict=True):
        for index, choice in enumerate(choices):
            run = data["runs"][data["order"][start + (index - first) * weight]]
            if "html" in run:
                images = _Page(run["html"]).images
            else:
                svg = "\n".join(data["lines"][number] for number in run["chart"])
                images = [Image(svg, svg.partition("<desc>")[2].partition("</desc>")[0])]
            if images:
                yield Turned(name, choice, images[0], index == first)


def _question(asked: dict[str, Any]) -> Question:
    """A question as `player` writes it."""
    choices = (Choice(c["text"], c["why"], c["right"], c.get("run")) for c in asked["choices"])
    return Question(asked["step"], "", asked["prompt"], tuple(choices))
