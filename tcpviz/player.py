"""The Player: a run to step through in the page itself, with no kernel.

Knows how the Player travels: as HTML that comes to life where scripts may run and is a picture
where not, as a widget among others, as text. Must not know how it moves (static/player.js) nor
what a step changes (player_data).
"""

import json
from collections.abc import Iterable
from functools import cached_property
from hashlib import sha256
from html import escape
from typing import Any, Final

from tcpviz.choices import Question
from tcpviz.fork import ForkError, What, fork
from tcpviz.pictures import beside, compare, sequence_chart, state_diagram
from tcpviz.player_data import Pack, player_data
from tcpviz.questions import Pin
from tcpviz.questions import questions as asked_of
from tcpviz.scenario import Name, Scenario, ScenarioError
from tcpviz.scenario_text import python
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.static import SCRIPT, STYLE
from tcpviz.trace import Trace
from tcpviz.words import say


class Player:
    """Step, scrub and play through a Trace: chart, state diagram, variables and caption together.

    It steps in the page: where no kernel is, in an exported HTML file and offline as well. Where
    scripts are not trusted, it is the two pictures. `str` is the transcript.

    `questions` are asked before the step they are about is shown: those that `tcpviz.questions`
    made, or what pins them there: a step's number, a kind of question, or a pair of both. Given a
    Scenario, it plays its run, and where a kernel is there the reader can ask what would happen if
    a segment were lost or an end crashed at the moment shown.

    Raises ValueError for a trace that has not two ends, as the sequence chart does, and
    QuestionError for a pin at which nothing can be asked.

    >>> from tcpviz import SCENARIOS
    >>> player = Player(SCENARIOS["lost_ack"], questions=["established"])
    >>> player
    <Player lost_ack: 24 steps of client, server>
    >>> [question.right.text for question in player.questions]
    ['client']
    """

    def __init__(
        self, played: Trace | Scenario, *, questions: Iterable[Question | Pin] = ()
    ) -> None:
        self.scenario = played if isinstance(played, Scenario) else None
        self.trace = trace = simulate(played) if isinstance(played, Scenario) else played
        given = list(questions)
        pins = [each for each in given if not isinstance(each, Question)]
        made = [each for each in given if isinstance(each, Question)]
        made += asked_of(trace, pin=pins) if pins else ()
        self.questions = tuple(sorted(made, key=lambda question: question.step))
        absolute = trace.source == "simulation"
        self.chart = sequence_chart(trace, absolute=absolute)
        self.diagram = state_diagram(trace)
        self.data = player_data(trace, absolute=absolute)

    @cached_property
    def run(self) -> dict[str, Any]:
        """All that the page needs, as JSON data: `chart` and `diagram` are SVG."""
        return {"chart": self.chart.svg, "diagram": self.diagram.svg, **self._rest}

    @cached_property
    def _rest(self) -> dict[str, Any]:
        """What is not in the pictures; once, because it runs and draws every run that refutes."""
        rest: dict[str, Any] = {"data": self.data, "text": self.chart.text}
        if self.questions:
            asked = [_asked(question) for question in self.questions]
            rest["data"] = {**self.data, "questions": asked}
            names = {row["run"] for one in asked for row in one["choices"] if "run" in row}
            pictures = {"chart": self.chart.svg, "diagram": self.diagram.svg}
            pack = Pack({**pictures, **rest})
            runs = {name: pack.add(Player(simulate(SCENARIOS[name])).run) for name in sorted(names)}
            rest |= {"runs": runs, "lines": pack.lines}
        if self.scenario:
            rest["forks"] = sha256(python(self.scenario).encode()).hexdigest()[:16]
        return rest

    @cached_property
    def widget(self) -> Any:
        """The Player as an ipywidget, to stand among other widgets."""
        from tcpviz.player_widget import PlayerWidget

        _ = self.bridge
        return PlayerWidget(run=self.run)

    @cached_property
    def bridge(self) -> Any:
        """What a page asks the kernel through, if this plays a Scenario; else None."""
        from tcpviz.player_widget import Bridge

        if not self.scenario:
            return None
        bridge = Bridge(name=self._rest["forks"])
        bridge.on_msg(self._answer)
        return bridge

    def _answer(self, widget: Any, message: dict[str, Any], buffers: Any) -> None:
        """What a reader asks of the kernel: the run that forks here, or why there is none."""
        try:
            forked = self.forked(message["step"], message["what"], message["end"])
        except (ForkError, ScenarioError) as problem:  # nobody would see it raised here
            widget.send({"error": str(problem), "ask": message["ask"]})
        else:
            _ = forked.bridge
            both = compare(self.trace, forked.trace, tolerance=0)
            told = {"chart": both.svg, "alt": both.alt, "text": str(both)}
            widget.send({"run": forked.run, "beside": told, "ask": message["ask"]})

    def forked(self, step: int, what: What, end: Name | None = None) -> "Player":
        """A Player of the run in which something else happens at a step; see `tcpviz.fork`.

        ForkError where there is no scenario to fork, or nothing there that could happen so.
        """
        return Player(fork(self.scenario or self.trace, step, what, end))

    def html(self) -> str:
        """The two pictures, and the script that puts the Player in their place."""
        return alive(self.poster(), self._rest)

    def poster(self) -> str:
        """The two pictures alone; where there are questions, folded under these.

        Each stands under the chart of what had happened before it, and only the first is unfolded:
        what a later one tells may answer it.
        """
        pictures: str = beside([self.chart, self.diagram])._repr_mimebundle_()["text/html"]
        if not self.questions:
            return pictures
        first, *later = map(self._before, self.questions)
        folded = [_folded("player_poster_next", each) for each in later]
        return "".join([first, *folded, _folded("player_poster", pictures)])

    def _before(self, question: Question) -> str:
        """A question as it stands where nothing can be locked, under the run before it."""
        absolute = bool(self.data["absolute"])
        chart = sequence_chart(self.trace, absolute=absolute, until=question.step)
        choices = "".join(f"<li>{escape(choice.text)}</li>" for choice in question.choices)
        return f"{chart.image()}<p>{escape(question.prompt)}</p><ul>{choices}</ul>"

    def __str__(self) -> str:
        return self.chart.text

    def __repr__(self) -> str:
        return repr(self.trace).replace("<Trace", "<Player", 1)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # As HTML, and not as a widget: a notebook that is saved keeps it, and it opens again.
        _ = self.bridge
        return {"text/html": self.html(), "text/plain": str(self)}


def alive(poster: str, data: dict[str, Any]) -> str:
    """HTML that is a picture, and where scripts may run what the Player's script makes of data."""
    packed = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return (
        f'<div class="tcpviz-poster-1">{poster}'
        f'<script type="application/json">{packed.replace("<", chr(92) + "u003c")}</script></div>'
        f"<style>{STYLE}</style>"
        f'<script type="module">{SCRIPT}</script>'
    )


def _asked(question: Question) -> dict[str, Any]:
    """A question as JSON data; a choice's `run` names the run that refutes it, from `at` on."""
    choices = []
    for choice in question.choices:
        row: dict[str, Any] = {"text": choice.text, "why": choice.why, "right": choice.right}
        if choice.refutation:
            row |= {"run": choice.refutation, "at": choice.refuted_at}
        choices.append(row)
    asked = {"step": question.step, "prompt": question.prompt, "choices": choices}
    return {**asked, "timed": 1} if question.kind in _TIMED else asked


_TIMED: Final = ("retransmission", "duration")
"""Questions about how long a timer runs."""


def _folded(name: str, content: str) -> str:
    """What is shown on demand, under the word of that name."""
    return f"<details><summary>{escape(say(name))}</summary>{content}</details>"
