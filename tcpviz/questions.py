"""Questions to predict, made from any Trace: the decisive steps, each with one right answer.

Chooses among what can be asked of a trace; must not know how a question is made.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from tcpviz import asking, asking_whole
from tcpviz.choices import Asked, Choice, Question
from tcpviz.moments import moments
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.trace import Trace
from tcpviz.words import kept, say

__all__ = ["KINDS", "Choice", "Question", "QuestionError", "questions"]

_MAKERS: Final = (
    asking_whole.handshakes,
    asking_whole.proofs,
    asking_whole.established,
    asking_whole.time_waits,
    asking_whole.durations,
    asking_whole.again,
    asking_whole.close_waits,
    asking_whole.silences,
    asking_whole.data,
    asking.sends,
    asking.states,
    asking.numbers,
    asking.users,
    asking.retransmissions,
)
KINDS: Final = (
    "handshake",
    "proof",
    "established",
    "time-wait",
    "duration",
    "timer",
    "close-wait",
    "silence",
    "data",
    "sends",
    "state",
    "number",
    "user",
    "retransmission",
)
"""What can be asked, by the word that pins it."""
Pin = int | str | tuple[int, str]
"""Where to ask: a step, a kind of question, or a kind at a step."""
_MOST: Final = 5
_LESS_EACH_TIME: Final = 3


class QuestionError(ValueError):
    """A pin at which nothing can be asked; the message is one sentence."""


def questions(trace: Trace, pin: Sequence[Pin] = ()) -> tuple[Question, ...]:
    """The questions to predict of a trace, in order; each stops before its step.

    About five, at most one a step, of as many kinds as there are, the most instructive first
    chosen. An author pins others: `pin` lists steps (each gives what is best asked there), kinds
    (each gives all of that kind), and pairs of both. Nothing is asked that the trace does not know.
    QuestionError where a pin asks for what is not there.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> from tcpviz.simulate import simulate
    >>> trace = simulate(SCENARIOS["server_closes_first"])
    >>> [question.right.text for question in questions(trace, pin=["time-wait"])]
    ['server']
    """
    asked = _all(trace)
    chosen = _pinned(asked, pin) if pin else _decisive(asked)
    made = (_finished(each.question, trace) for each in chosen)
    return tuple(sorted(made, key=lambda q: (q.step, q.kind)))


def _all(trace: Trace) -> list[Asked]:
    """Everything that can be asked."""
    made = (each for moment in moments(trace) for make in _MAKERS for each in make(moment))
    return [each for each in made if each]


def _finished(question: Question, trace: Trace) -> Question:
    """The question with the rules it is under, and only such refutations as refute."""
    prompt = question.prompt
    if trace.rules:
        prompt = say("ask_rules", rules=say("list_comma").join(trace.rules), prompt=prompt)
    kin = next(each.kin for each in moments(trace) if each.at == question.step)
    choices = tuple(_refuted(choice, question, kin, trace) for choice in question.choices)
    return question._replace(prompt=prompt, choices=choices)


def _refuted(choice: Choice, question: Question, kin: tuple[object, ...], shown: Trace) -> Choice:
    """The choice, with where its run comes to the same; without the run if it does not.

    The run that is shown is none, whatever its name: it will refute the answer by going on.
    """
    if choice.refutation is None:
        return choice
    same = _LIKE_IT if choice.refutation in _HARM else question.right.text
    at = _known(choice.refutation).get((question.kind, kin, same))
    if at is None or _run(choice.refutation).steps == shown.steps:
        return choice._replace(refutation=None)
    return choice._replace(refuted_at=at)


_HARM: Final = {"two_way_ghost", "no_time_wait"}
"""Runs in which what the wrong answer says does happen, and what comes of it."""
_LIKE_IT: Final = ""


@kept
def _run(name: str) -> Trace:
    """A named run."""
    return simulate(SCENARIOS[name])


@kept
def _known(name: str) -> dict[tuple[str, tuple[object, ...], str], int]:
    """Where a named run comes to which situation, and how it goes on: the answer, or just so."""
    trace = _run(name)
    found: dict[tuple[str, tuple[object, ...], str], int] = {}
    for moment in moments(trace):
        for kind in KINDS if name in _HARM else ():
            found.setdefault((kind, moment.kin, _LIKE_IT), moment.at)
        for make in _MAKERS:
            for asked in make(moment):
                if asked:
                    right = asked.question.right.text
                    found.setdefault((asked.question.kind, moment.kin, right), moment.at)
    return found


def _decisive(asked: list[Asked]) -> list[Asked]:
    """The heaviest questions, one a step; each further one of a kind weighs less."""
    chosen: list[Asked] = []
    left = list(asked)
    kinds: Counter[str] = Counter()
    while left and len(chosen) < _MOST:
        best = max(left, key=lambda a: a.weight - _LESS_EACH_TIME * kinds[a.question.kind])
        chosen.append(best)
        kinds[best.question.kind] += 1
        left = [each for each in left if each.question.step != best.question.step]
    return chosen


def _pinned(asked: list[Asked], pin: Sequence[Pin]) -> list[Asked]:
    """What an author asks for, each question once."""
    chosen: list[Asked] = []
    for what in pin:
        there = [a for a in asked if what in _pins(a.question)]
        if not there:
            steps = sorted({a.question.step for a in asked})
            raise QuestionError(
                say(
                    "ask_no_pin", pin=what, kinds=", ".join(KINDS), steps=", ".join(map(str, steps))
                )
            )
        if isinstance(what, int):
            there = [max(there, key=lambda a: a.weight)]
        chosen += [each for each in there if each not in chosen]
    return chosen


def _pins(question: Question) -> tuple[Pin, ...]:
    return question.step, question.kind, (question.step, question.kind)
