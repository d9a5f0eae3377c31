"""The Player: a run to step through in the page itself, with no kernel.

Knows how the Player travels: as HTML that comes to life where scripts may run and is a picture
where not, as a widget, as text. Must not know how it moves (static/player.js) nor what a step
changes (player_data).
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Protocol

from tcpviz.pictures import beside, sequence_chart, state_diagram
from tcpviz.player_data import player_data
from tcpviz.scenario import Scenario
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.static import SCRIPT, STYLE
from tcpviz.trace import Trace


class Choice(Protocol):
    """An answer to pick: `why` says what is right or wrong with it, `refutation` is run if asked.

    A refutation is a Scenario or the name of one.
    """

    text: str
    why: str
    right: bool
    refutation: Scenario | str | None


class Question(Protocol):
    """What is asked before the step of that index is shown."""

    step: int
    prompt: str
    choices: Sequence[Choice]


class Player:
    """Step, scrub and play through a Trace: chart, state diagram, variables and caption together.

    It steps in the page: where no kernel is, in an exported HTML file and offline as well. Where
    scripts are not trusted, it is the two pictures. `str` is the transcript.

    `questions` are asked before the step they are about is shown; see `tcpviz.questions`.

    Raises ValueError for a trace that has not two ends, as the sequence chart does.

    >>> from tcpviz import SCENARIOS, simulate
    >>> Player(simulate(SCENARIOS["handshake"]))
    <Player handshake: 8 steps of client, server>
    """

    def __init__(self, trace: Trace, *, questions: Iterable[Question] = ()) -> None:
        self.trace = trace
        self.questions = tuple(sorted(questions, key=lambda question: question.step))
        absolute = trace.source == "simulation"
        self.chart = sequence_chart(trace, absolute=absolute)
        self.diagram = state_diagram(trace)
        self.data = player_data(trace, absolute=absolute)

    @cached_property
    def run(self) -> dict[str, Any]:
        """All that the page needs, as JSON data: `chart` and `diagram` are SVG."""
        return {"chart": self.chart.svg, "diagram": self.diagram.svg, **self._rest}

    @property
    def _rest(self) -> dict[str, Any]:
        """What is not in the pictures."""
        rest: dict[str, Any] = {"data": self.data, "text": self.chart.text}
        if self.questions:
            runs: dict[str, Scenario] = {}
            asked = [_asked(question, runs) for question in self.questions]
            rest["data"] = {**self.data, "questions": asked}
            rest["runs"] = [Player(simulate(scenario)).run for scenario in runs.values()]
        return rest

    @cached_property
    def widget(self) -> Any:
        """The Player as an ipywidget, to stand among other widgets."""
        from tcpviz.player_widget import PlayerWidget

        return PlayerWidget(run=self.run)

    def html(self) -> str:
        """The two pictures, and the script that puts the Player in their place."""
        posters = beside([self.chart, self.diagram])._repr_mimebundle_()["text/html"]
        data = json.dumps(self._rest, separators=(",", ":"), ensure_ascii=False)
        return (
            f'<div class="tcpviz-poster-1">{posters}'
            f'<script type="application/json">{data.replace("<", chr(92) + "u003c")}</script></div>'
            f"<style>{STYLE}</style>"
            f'<script type="module">{SCRIPT}</script>'
        )

    def __str__(self) -> str:
        return self.chart.text

    def __repr__(self) -> str:
        return repr(self.trace).replace("<Trace", "<Player", 1)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self.html(), "text/plain": str(self)}


def _asked(question: Question, runs: dict[str, Scenario]) -> dict[str, Any]:
    """A question as JSON data; `run` is the place of a choice's refutation among `runs`."""
    choices = []
    for choice in question.choices:
        row: dict[str, Any] = {"text": choice.text, "why": choice.why, "right": choice.right}
        if choice.refutation is not None:
            scenario = choice.refutation
            if isinstance(scenario, str):
                scenario = SCENARIOS[scenario]
            runs.setdefault(scenario.name, scenario)
            row["run"] = list(runs).index(scenario.name)
        choices.append(row)
    return {"step": question.step, "prompt": question.prompt, "choices": choices}
