"""Controls that make a Scenario and show what comes of it.

Knows ipywidgets, where a control's value goes, and how the runs of all values travel with a page.
Must not know TCP: the scenario says what happens, `simulate` runs it, a Player or a picture shows
it.
"""

import html
import json
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, Final

import ipywidgets as widgets

from tcpviz.controls import ControlError, control, losses, turned
from tcpviz.player import Player, alive
from tcpviz.player_data import Pack
from tcpviz.scenario import At, Lose, Scenario, ScenarioError
from tcpviz.simulate import simulate
from tcpviz.states import Event
from tcpviz.trace import Trace
from tcpviz.units import MS
from tcpviz.words import say

_LOSSES: Final = {
    "SYN": Lose("client", "SYN"),
    "SYN,ACK": Lose("server", "SYN,ACK"),
    "ACK": Lose("client", "ACK"),
}


Draw = Callable[[Trace], Any]
"""What shows a run: a Player, a picture, an ipywidget, or whatever a notebook shows as HTML."""
_MOST_READY: Final = 40


class Panel:
    """Controls over a Player of the scenario that `scenario` makes of their values.

    `draw` shows the run, the Player if nothing else is said; the Player stands at the end, where
    the whole run is to be seen. Each control is an ipywidget, given by the name of the argument
    that takes its value; a changed value simulates and shows anew. Where a page trusts no widgets,
    or none are running, the panel is the picture of the values at that time. Values of which no
    scenario can be made show the sentence of the ScenarioError; only those at the start raise it.

    >>> panel = handshake_panel()
    >>> panel.controls["lose"].value = "SYN"
    >>> [flight.segment.control for flight in panel.trace.flights if flight.fate == "lost"]
    ['SYN']
    """

    def __init__(
        self, scenario: Callable[..., Scenario], *, draw: Draw = Player, **controls: Any
    ) -> None:
        self.scenario = scenario
        self.controls = controls
        self.draw = draw
        _ = self.picture  # what it stands at first must be possible

    @cached_property
    def view(self) -> Any:
        """The ipywidget of all: the controls, and below them the run."""
        for each in self.controls.values():
            each.observe(self._draw, names="value")
        box = widgets.VBox([*self.controls.values(), self._keys, _widget(self._possible)])
        return box.add_class("tcpviz-controls")  # by which the script of `_keys` finds them

    @cached_property
    def _keys(self) -> Any:
        from tcpviz.player_widget import Keys

        return Keys()

    @property
    def shown(self) -> Any:
        """The ipywidget that shows the run."""
        return self.view.children[-1]

    @property
    def trace(self) -> Trace:
        """The run that the controls ask for now."""
        return simulate(self.scenario(**self.values))

    @property
    def values(self) -> dict[str, Any]:
        """What the controls stand at, by name."""
        return {name: each.value for name, each in self.controls.items()}

    @property
    def picture(self) -> Any:
        """What `draw` makes of that run."""
        return self.draw(self.trace)

    @property
    def _possible(self) -> Any:
        """The same, or the sentence that says why there is none: raised, nobody would see it."""
        try:
            return self.picture
        except ScenarioError as error:
            return _told(error)

    def _draw(self, change: Any) -> None:
        shown = _widget(self._possible, self.shown)
        self.view.children = (*self.view.children[:-1], shown)

    def __repr__(self) -> str:
        values = (f"{name}={value!r}" for name, value in self.values.items())
        return f"<{type(self).__name__} {', '.join(values)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # Jupyter shows the first that the page allows: the widgets, or else the HTML.
        return {
            **self.view._repr_mimebundle_(),
            "text/html": self.html(),
            "text/plain": self._text(),
        }

    def html(self) -> str:
        """The panel where no widgets are: the run of the values at this time, as a picture."""
        return self._poster()

    def _poster(self) -> str:
        picture = self._possible
        return picture.poster() if isinstance(picture, Player) else _html(picture)

    def _text(self) -> str:
        return html.unescape(str(self._possible))


class ReadyPanel(Panel):
    """A panel that has the runs of all values ready in the page: it needs no kernel to change.

    Its controls are choices among few values. It is HTML and no widget, so that a notebook that is
    saved or exported keeps it; its `view` is the ipywidget all the same.
    """

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self.html(), "text/plain": self._text()}

    def html(self) -> str:
        """The run of the values at this time as a picture, and all runs where scripts may run."""
        data = {
            "panel": [
                [each.description, each.tooltip, [label for label, _ in each.options], each.index]
                for each in self.controls.values()
            ],
            **self._runs(),
        }
        if "lose" in self.controls:
            data["yields"] = list(self.controls).index("lose")
        return alive(self._poster(), data)

    def _runs(self) -> dict[str, Any]:
        """Each run that some values give, once; and by the order of the values, which they give."""
        pack = Pack()
        numbers: dict[str, int] = {}
        order = []
        for chosen in _every(self.controls):
            try:
                run = _run(self.draw(simulate(self.scenario(**chosen))), pack)
            except ScenarioError as error:
                run = {"html": _told(error), "cannot": 1}
            order.append(numbers.setdefault(json.dumps(run), len(numbers)))
        return {
            "lines": pack.lines,
            "shared": pack.shared,
            "runs": list(map(json.loads, numbers)),
            "order": order,
        }


def _run(shown: Any, pack: Pack) -> dict[str, Any]:
    """What a page needs of one run beside what the others brought along."""
    if not isinstance(shown, Player):
        return {"html": _html(shown)}
    return {**pack.add(shown.run), "at": len(shown.trace.steps)}


def panel(scenario: Scenario, *names: str, draw: Draw = Player) -> Panel:
    """Controls over a scenario, by name, standing at what the scenario has.

    `rtt`, `lose`, `msl`, `delayed_ack`, `closer`, `closes_after`, `answers_after` and `rules`; by
    default the first two. `draw` shows a run: by default the Player. Where the values of all
    controls together are at most 40, the page has every run ready and needs no kernel. `lose`
    offers the segments of the run that the other controls make; of one that is not sent there any
    more, nothing is lost. ControlError for a name that is none.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> panel(SCENARIOS["open_and_close"], "closer")
    <ReadyPanel closer='client'>
    """
    names = names or ("rtt", "lose")
    for name in names:
        if names.count(name) > 1:
            raise ControlError(say("panel_twice", name=name))
    controls = {name: control(name, scenario) for name in names}
    start = {name: each.value for name, each in controls.items()}

    def made(**values: Any) -> Scenario:
        return turned(scenario, start, values)

    if "lose" not in controls:
        return (ReadyPanel if _few(controls.values()) else Panel)(made, draw=draw, **controls)
    lose = controls["lose"]
    others = {name: each for name, each in controls.items() if name != "lose"}
    offered = lose.options
    if _few(others.values()):
        lose.options = _losses(made(**chosen, lose="") for chosen in _every(others))
        if _few(controls.values()):
            return ReadyPanel(made, draw=draw, **controls)

    def renew(_: Any) -> None:
        now = _losses([made(**{**{name: c.value for name, c in others.items()}, "lose": ""})])
        if now != list(lose.options):
            chosen = lose.value
            lose.options = now  # and nothing is lost
            if chosen in (value for _, value in now):
                lose.value = chosen

    lose.options = offered
    for each in others.values():
        each.observe(renew, names="value")
    return Panel(made, draw=draw, **controls)


def _few(controls: Iterable[Any]) -> bool:
    return prod(len(each.options) for each in controls) <= _MOST_READY


def _every(controls: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """All the values that some controls can have together, in order."""
    for values in product(*([value for _, value in c.options] for c in controls.values())):
        yield dict(zip(controls, values, strict=True))


def _losses(scenarios: Iterable[Scenario]) -> list[tuple[str, Any]]:
    """The segments that can be lost in some of these runs."""
    found: dict[tuple[str, Any], None] = {}
    for each in scenarios:
        try:
            found |= dict.fromkeys(losses(simulate(each)))
        except ScenarioError:  # its own faults do not find their segments any more
            found |= {(say("panel_nothing"), ""): None}
    return list(found)


def _widget(shown: Any, old: Any = None) -> Any:
    """The ipywidget in which a page shows what `draw` made: the old one where that can, renewed."""
    if isinstance(shown, widgets.Widget):
        return shown
    if isinstance(shown, Player):
        widget = old if hasattr(old, "run") else shown.widget
        widget.run = {**shown.run, "at": len(shown.trace.steps)}
    else:
        widget = old if isinstance(old, widgets.HTML) else widgets.HTML()
        widget.value = _html(shown)
    return widget


def _html(shown: Any) -> str:
    if isinstance(shown, str):
        return shown
    bundle: dict[str, str] = shown._repr_mimebundle_()
    return bundle.get("text/html") or f"<pre>{html.escape(bundle['text/plain'])}</pre>"


def _told(error: ScenarioError) -> str:
    """A sentence in the place of a picture: what cannot be, and not in which field it stands."""
    return html.escape(say("panel_cannot", problem=re.sub(r"^\w+\[\d+\][.\w]*: ", "", str(error))))


def handshake_panel() -> Panel:
    """The three-way handshake (RFC 9293, Figure 6), and the loss of each of its segments.

    Two controls: `lose` (a segment, or "") and `delay` (one way, in ms). Beyond half an RTO, a SYN
    is sent again although it is only its answer that is late.
    """
    return Panel(
        _handshake,
        lose=widgets.ToggleButtons(
            # None would mean that no button is pressed.
            options=[(say("panel_nothing"), ""), *((name, name) for name in _LOSSES)],
            description=say("panel_lose"),
            style={"button_width": "6em"},
        ),
        delay=widgets.IntSlider(
            value=50,
            min=10,
            max=600,
            step=10,
            description=say("panel_delay"),
            style={"description_width": "initial"},
            layout={"width": "28em"},
        ),
    )


def _handshake(lose: str, delay: int) -> Scenario:
    return Scenario(
        say("panel_lost", segment=lose) if lose else say("panel_whole"),
        calls=(At(0, "server", Event.PASSIVE_OPEN), At(0, "client", Event.ACTIVE_OPEN)),
        network=(_LOSSES[lose],) if lose else (),
        delay=delay * MS,
    )
