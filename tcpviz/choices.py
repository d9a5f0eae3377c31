"""What a question to predict is: its choices, of which one is right, and their order.

Plain values. Knows that a refutation is a named scenario; must not know how a question is found.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.trace import Trace
from tcpviz.words import say


class Choice(NamedTuple):
    """One answer, and why it is right or wrong, with the section of RFC 9293.

    `refutation` names a scenario whose run shows the wrong answer failing, or doing harm;
    `refuted_at` is the step at which it comes to the same situation.
    """

    text: str
    why: str
    right: bool = False
    refutation: str | None = None
    refuted_at: int = 0

    @property
    def run(self) -> Trace | None:
        """The run that refutes the answer, where the model has one."""
        return simulate(SCENARIOS[self.refutation]) if self.refutation else None


class Question(NamedTuple):
    """Something to predict: the player stops before `step`, an index into the trace's steps."""

    step: int
    kind: str
    prompt: str
    choices: tuple[Choice, ...]

    @property
    def right(self) -> Choice:
        """The choice that is what happened."""
        return next(choice for choice in self.choices if choice.right)

    def as_data(self) -> dict[str, Any]:
        """The question as JSON data; `right` is the index of that choice, counted from 0."""
        choices = []
        for choice in self.choices:
            more = {"refutation": choice.refutation} if choice.refutation else {}
            choices.append({"text": choice.text, "why": choice.why, **more})
        right = self.choices.index(self.right)
        return {
            "step": self.step,
            "kind": self.kind,
            "prompt": self.prompt,
            "choices": choices,
            "right": right,
        }


class Asked(NamedTuple):
    """A question and how much there is to learn from it; the heavier is asked first."""

    question: Question
    weight: int


def wrong(text: str, why: str, refutation: str | None = None, **values: object) -> Choice:
    """A distractor; `why` is the key of its words."""
    return Choice(str(text), say(why, **values), refutation=refutation)


def ask(
    step: int,
    kind: str,
    prompt: str,
    right: tuple[str, str],
    others: Iterable[Choice],
    weight: int = 0,
    most: int = 3,
) -> Asked | None:
    """A question of one right answer and the first distractors that differ; None with too few.

    The order of the choices follows from their text, so that it is always the same and tells
    nothing. A distractor with a misconception's words goes before those of the table.
    """
    chosen = {str(right[0]): Choice(str(right[0]), right[1], right=True)}
    for choice in others:
        if len(chosen) <= most:
            chosen.setdefault(choice.text, choice)
    if len(chosen) < 3:
        return None
    taught = min(2, sum(choice.refutation is not None for choice in chosen.values()))

    def place(choice: Choice) -> bytes:
        return sha256(f"{step} {kind} {prompt} {choice.text}".encode()).digest()

    choices = tuple(sorted(chosen.values(), key=place))
    return Asked(Question(step, kind, prompt, choices), weight + taught)
