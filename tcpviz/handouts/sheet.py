"""What stands on a printed handout, in order: the document that sheet.typ sets.

Knows what a student must not see yet. Must not know what anything looks like.

A student predicts first: what follows a **Predict**, up to the next section with code, cell that
asks, or exercise, stands in an end part, "The runs". In its place is room for the answer, or a
question of the Player under the chart of what had happened before it. Code is printed where its
output is, for it can tell as much; a function that is to be read stands at the question. A later
question of the same run tells what the first one asked, and is answered by what follows: it stands
at the run, and then a page ends.

Of a panel the picture is printed at which it stands, and that of each choice which the text before
or after it names *in italics*.
"""

import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tcpviz.handouts.chapter import (
    SOLUTION,
    Asked,
    Cell,
    Chapter,
    Image,
    Shown,
    Token,
    Turned,
    plain,
)
from tcpviz.pictures import paper
from tcpviz.pictures.cut import sheets
from tcpviz.words import language, say

_COLUMNS: Final = 140  # more cannot be read, however small
_ROOM: Final = 2  # lines to write on after a question
_MUCH_ROOM: Final = 6  # after an exercise
_TOLD: Final = ("Observe", "Explain")
_WORDS: Final = (
    *("student", "teacher", "name", "page", "licence", "because", "solution", "happens", "refuted"),
    *("runs", "runs_first", "run", "see_run", "asked_on"),
)

Block: TypeAlias = dict[str, Any]
_TURN: Final[Block] = {"kind": "turn"}
"""What follows is on another page."""
Links: TypeAlias = Mapping[str, str]
"""Where the handout of a notebook is, by the name of the notebook's file."""


@dataclass
class _Round:
    """What follows a prediction: the blocks that a student sees only afterwards."""

    title: str
    blocks: list[Block] = field(default_factory=list)


def document(chapter: Chapter, links: Links, *, teacher: bool) -> dict[str, Any]:
    """The handout as JSON data: `blocks` from the first page on, then `runs`, then the `summary`.

    The summary says what was found: it would answer what a student is still to predict.
    """
    made = _Sheet(links, teacher=teacher)
    cells = chapter.cells_for(teacher=teacher)
    before: int | None = None
    none = Cell(frozenset())
    for place, cell in enumerate(cells):
        sooner, *_ = [*cells[place - 1 : place], none]
        after, *_ = rest = [*cells[place + 1 :], none]
        if _is_open(cell) or _is_open(after) or _introduces(cell):
            made.close()
        headed = cell.prose and cell.prose[0]["type"] == "heading"
        if cell is cells[-1] and headed and not teacher:
            made.close()
            before = len(made.blocks)
        made.named = _italics([*sooner.prose, *after.prose])
        if cell.prose:
            made.prose(cell, leads=_is_open(after), shows=_shows(rest))
        elif teacher:
            made.blocks += made.boxed(cell, [_code(cell), *made.outputs(cell)])
        else:
            made.code(cell)
    made.close()
    return {
        "title": chapter.title,
        "teacher": teacher,
        "language": language(),
        "words": {name: say(f"handout_{name}") for name in _WORDS},
        "blocks": made.blocks[:before],
        "summary": [] if before is None else made.blocks[before:],
        "runs": [{"title": each.title, "blocks": each.blocks} for each in made.runs],
    }


class _Sheet:
    """A handout in the making."""

    def __init__(self, links: Links, *, teacher: bool) -> None:
        self.links = links
        self.teacher = teacher
        self.blocks: list[Block] = []
        self.runs: list[_Round] = []
        self.round: _Round | None = None
        self.section = ""
        self.named: set[str] = set()

    def prose(self, cell: Cell, *, leads: bool, shows: bool) -> None:
        """Put each block of text where it belongs: before a prediction, or after the run.

        `leads` to an exercise, or is the head of a section that `shows` something; one that only
        tells stays with the run before it.
        """
        tokens: list[Token] = []

        def put() -> None:
            if tokens:  # a prediction stays with what follows
                asks = leads or _marks(tokens[-1], "Predict")
                block = {"kind": "prose", "tokens": self.tree(tokens), "sticky": asks}
                run = self.round.blocks if self.round else None
                (run or self.blocks).extend(self.boxed(cell, [block]))
                tokens.clear()

        for token in cell.prose:
            heading, asks = token["type"] == "heading", _marks(token, "Predict")
            if heading or (asks and self.round):
                put()
                if asks or shows:
                    self.close()
            if heading:
                self.section = plain(token["children"])
            tokens.append(token)
            if asks and not self.teacher:
                put()
                self.round = _Round(self.section)
        put()

    def code(self, cell: Cell) -> None:
        """Put a cell of code where a student finds it, and its outputs where they may be seen."""
        if _is_open(cell):
            self.blocks += [_code(cell), {"kind": "room", "lines": _MUCH_ROOM, "because": False}]
        elif not self.round:
            self.blocks += [_code(cell), *self.outputs(cell)]
        elif self.round.blocks:
            self.round.blocks += [_code(cell), *self.outputs(cell)]
        elif "def " in cell.code or any(each.asked for each in cell.shown):
            self.blocks.append(_code(cell))
            self.ask(cell.shown)
            self.round.blocks += self.outputs(cell, asked=True)
        else:
            self.ask(cell.shown)
            self.round.blocks += [_code(cell), *self.outputs(cell)]

    def ask(self, shown: Sequence[Shown]) -> None:
        """Ask before the run, and say where it is."""
        assert self.round
        self.runs.append(self.round)
        questions = [each.asked for each in shown if each.asked]
        for first, *later in questions:
            self.blocks += self.asked(first)
            for each in later:
                self.round.blocks += [*self.asked(each), _TURN]
        if not questions:
            self.blocks.append({"kind": "room", "lines": _ROOM, "because": False})
        self.blocks.append({"kind": "see", "run": len(self.runs)})

    def close(self) -> None:
        """End a round; one in which nothing was run still wants an answer."""
        if self.round and not self.round.blocks:
            self.blocks.append({"kind": "room", "lines": _ROOM, "because": False})
        self.round = None

    def outputs(self, cell: Cell, *, asked: bool = False) -> list[Block]:
        """What a cell has shown; its questions too, where they have not been asked before."""
        blocks: list[Block] = []
        for shown in cell.shown:
            if not asked:
                blocks += [block for each in shown.asked for block in self.question(each)]
            if shown.images:
                blocks += map(_picture, shown.images)
                turned = [each for each in shown.turned if self.names(each)]
                if turned:  # and only then the choice of the first picture counts
                    blocks[-len(shown.images) : -len(shown.images)] = [
                        _caption(each)
                        for each in shown.turned
                        if each.stands and each.control in {other.control for other in turned}
                    ]
                for each in turned:
                    blocks += [_caption(each), _picture(each.image)]
            else:
                blocks.append({"kind": "output", "text": _narrow(shown.text)})
        return blocks

    def names(self, turned: Turned) -> bool:
        """Whether the text at the panel names this choice, and it is another one than at first."""
        return not turned.stands and turned.choice.partition(" (")[0] in self.named

    def asked(self, asked: Asked) -> list[Block]:
        """A question under the chart of what had happened before it."""
        return [{**_picture(asked.before), "sticky": True}, *self.question(asked)]

    def question(self, asked: Asked) -> list[Block]:
        """A question of a Player; for a teacher with what is right, and why not the others."""
        choices = []
        for choice in asked.question.choices:
            row: dict[str, Any] = {"text": choice.text}
            if self.teacher:
                row |= {"why": choice.why, "right": choice.right, "run": choice.refutation}
            choices.append(row)
        block = {"kind": "question", "prompt": asked.question.prompt, "choices": choices}
        room = {"kind": "room", "lines": _ROOM, "because": True}
        return [block] if self.teacher else [block, room]

    def boxed(self, cell: Cell, blocks: list[Block]) -> list[Block]:
        """Set what only teachers get apart from the rest."""
        if not cell.tags:
            return blocks
        return [{"kind": "box", "solution": SOLUTION in cell.tags, "blocks": blocks}]

    def tree(self, tokens: Iterable[Token]) -> list[Token]:
        """The tree as it is set: entities are characters, links lead to handouts."""
        kept = []
        for token in tokens:
            new = dict(token)
            if token["type"] == "text":
                new["raw"] = html.unescape(token["raw"])
            elif token["type"] == "link":
                new["url"] = _led(token["attrs"]["url"], self.links)
            elif token["type"] in ("inline_html", "block_html"):
                is_break = token["raw"].replace(" ", "").startswith("<br")
                new = {"type": "linebreak" if is_break else "blank_line"}
            if "children" in token:
                new["children"] = self.tree(token["children"])
            if new["type"] != "blank_line":
                kept.append(new)
        return kept


def _is_open(cell: Cell) -> bool:
    """Whether it is the cell in which an answer is to be put."""
    return any(shown.text.endswith(say("ex_unanswered")) for shown in cell.shown)


def _introduces(cell: Cell) -> bool:
    """Whether its first words lead to a prediction, rather than away from a run."""
    for token in cell.prose:
        if token["type"] == "heading" or any(_marks(token, mark) for mark in _TOLD):
            return False
        if _marks(token, "Predict"):
            return True
    return False


def _shows(rest: Iterable[Cell]) -> bool:
    """Whether code comes before the next heading."""
    for cell in rest:
        if cell.prose and any(token["type"] == "heading" for token in cell.prose):
            return False
        if cell.code:
            return True
    return False


def _marks(token: Token, mark: str) -> bool:
    """Whether a paragraph begins with this word in bold."""
    first, *_ = token.get("children") or [{"type": ""}]
    return (
        token["type"] == "paragraph"
        and first["type"] == "strong"
        and plain(first["children"]).rstrip(".:") == mark
    )


def _italics(tokens: Iterable[Token]) -> set[str]:
    """What stands in italics, each by itself."""
    found = set()
    for token in tokens:
        inside = token.get("children", [])
        found |= {plain(inside)} if token["type"] == "emphasis" else _italics(inside)
    return found


def _led(url: str, links: Links) -> str:
    """Where a link leads from a handout: to another one, or into the net; "" is nowhere."""
    return url if url.startswith("https:") else links.get(url.partition("#")[0], "")


def _code(cell: Cell) -> Block:
    return {"kind": "code", "text": _narrow(cell.code)}


def _caption(turned: Turned) -> Block:
    told = say("handout_turned", control=turned.control, choice=turned.choice)
    return {"kind": "caption", "text": told}


def _narrow(text: str) -> str:
    """Lines that fit on a page; what is broken goes on with a deeper indent."""
    lines = []
    for line in text.expandtabs().split("\n"):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        short = len(line) <= _COLUMNS
        lines += [line] if short else textwrap.wrap(line, _COLUMNS, subsequent_indent=indent)
    return "\n".join(lines)


def _picture(image: Image) -> Block:
    """A picture; one that is too high for a page is more than one."""
    parts = sheets(paper.printable(image.svg))
    pictures = []
    for number, part in enumerate(parts, start=1):
        of = say("picture_part", number=number, count=len(parts)) if len(parts) > 1 else ""
        pictures.append({"svg": part, "alt": f"{image.alt} {of}".rstrip()})
    return {"kind": "pictures", "pictures": pictures}
