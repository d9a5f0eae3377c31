"""Controls that make a Scenario and show what comes of it.

Knows ipywidgets and where a control's value goes. Must not know TCP: the scenario says what
happens, `simulate` runs it, the sequence chart draws it.
"""

import html
from collections.abc import Callable
from math import prod
from typing import Any, Final

import ipywidgets as widgets

from tcpviz.controls import ControlError, control, turned
from tcpviz.pictures import Row, beside, sequence_chart, state_diagram
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
"""What shows a run: it gives an ipywidget, or an object that a notebook shows as text/html."""
_MOST_READY: Final = 40


class Panel:
    """Controls over the picture of the scenario that `scenario` makes of their values.

    `draw` makes the picture, the sequence chart if nothing else is said. Each control is an
    ipywidget, given by the name of the argument that takes its value; a changed value simulates and
    draws anew. Where a page trusts no widgets, or none are running, the panel shows as the picture
    of the values at that time. Values of which no scenario can be made show the sentence of the
    ScenarioError; only those at the start raise it.

    >>> panel = handshake_panel()
    >>> panel.controls["lose"].value = "SYN"
    >>> [flight.segment.control for flight in panel.trace.flights if flight.fate == "lost"]
    ['SYN']
    """

    def __init__(
        self, scenario: Callable[..., Scenario], *, draw: Draw = sequence_chart, **controls: Any
    ) -> None:
        self.scenario = scenario
        self.controls = controls
        self.draw = draw
        self.chart = _shown(self.picture)
        self.view = widgets.VBox([*controls.values(), self.chart])
        for each in controls.values():
            each.observe(self._draw, names="value")

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
        """The picture of that run."""
        return self.draw(self.trace)

    def _draw(self, change: Any) -> None:
        try:
            new = _shown(self.picture)
        except ScenarioError as error:  # raised in a callback, it would be seen by nobody
            new = _told(error)
        if isinstance(new, widgets.HTML) and isinstance(self.chart, widgets.HTML):
            self.chart.value = new.value  # the page keeps its place
            new.close()
        else:
            self.chart = new
            self.view.children = (*self.controls.values(), new)

    def __repr__(self) -> str:
        values = (f"{name}={value!r}" for name, value in self.values.items())
        return f"<{type(self).__name__} {', '.join(values)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # Jupyter shows the first that the page allows: the widgets, or else the picture.
        try:
            shown = self.picture._repr_mimebundle_()
        except ScenarioError as error:
            shown = {
                "text/html": _told(error).value,
                "text/plain": say("panel_cannot", problem=error),
            }
        return {**self.view._repr_mimebundle_(), **_but_widgets(shown)}


class ReadyPanel(Panel):
    """A panel that has every picture ready: it needs no kernel to change.

    Its controls are choices among few values. Each links, in the page, to a stack of what its
    values show, and so on inwards.
    """

    def __init__(
        self, scenario: Callable[..., Scenario], *, draw: Draw = sequence_chart, **controls: Any
    ) -> None:
        self.scenario = scenario
        self.controls = controls
        self.draw = draw
        _ = self.picture  # what it stands at first must be possible
        self.links: list[Any] = []
        self.chart = self._stack({})
        self.view = widgets.VBox([*controls.values(), self.chart])

    def _stack(self, chosen: dict[str, Any]) -> Any:
        """What the page shows once these values are chosen: a stack by the next control."""
        name = next((name for name in self.controls if name not in chosen), None)
        if name is None:
            try:
                return _shown(self.draw(simulate(self.scenario(**chosen))))
            except ScenarioError as error:
                return _told(error)
        each = self.controls[name]
        children = [self._stack({**chosen, name: value}) for _, value in each.options]
        stack = widgets.Stack(children, selected_index=each.index)
        self.links.append(widgets.jslink((each, "index"), (stack, "selected_index")))
        return stack


def panel(scenario: Scenario, *names: str, draw: Draw | None = None) -> Panel:
    """Controls over a scenario, by name, standing at what the scenario has.

    `rtt`, `lose`, `msl`, `delayed_ack`, `closer`, `closes_after`, `answers_after` and `rules`; by
    default the first two. `draw` shows a run: by default the chart beside the state diagram. Where
    the values of all controls together are at most 40, every run is ready and no kernel is needed.
    ControlError for a name that is none.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> panel(SCENARIOS["open_and_close"], "closer", draw=sequence_chart)
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

    ready = prod(len(each.options) for each in controls.values()) <= _MOST_READY
    return (ReadyPanel if ready else Panel)(made, draw=draw or _both, **controls)


def _both(trace: Trace) -> Row:
    return beside([sequence_chart(trace), state_diagram(trace)])


def _shown(picture: Any) -> Any:
    """The widget in which a page shows what `draw` made."""
    if isinstance(picture, widgets.Widget):
        return picture
    return widgets.HTML(picture._repr_mimebundle_()["text/html"])


def _told(error: ScenarioError) -> Any:
    """A sentence in the place of a picture."""
    return widgets.HTML(html.escape(say("panel_cannot", problem=error)))


def _but_widgets(bundle: dict[str, Any]) -> dict[str, Any]:
    return {kind: data for kind, data in bundle.items() if "widget-view" not in kind}


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
