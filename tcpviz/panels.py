"""Controls that make a Scenario and show what comes of it.

Knows ipywidgets and where a control's value goes. Must not know TCP: the scenario says what
happens, `simulate` runs it, the sequence chart draws it.
"""

import html
from collections.abc import Callable
from typing import Any, Final

import ipywidgets as widgets

from tcpviz.pictures import Picture, sequence_chart
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


class Panel:
    """Controls over the sequence chart of the scenario that `scenario` makes of their values.

    Each control is an ipywidget, given by the name of the argument that takes its value; a changed
    value simulates and draws anew. Where a page trusts no widgets, or none are running, the panel
    shows as the chart of the values at that time. Values of which no scenario can be made show the
    sentence of the ScenarioError; only those at the start raise it.

    >>> panel = handshake_panel()
    >>> panel.controls["lose"].value = "SYN"
    >>> [flight.segment.control for flight in panel.trace.flights if flight.fate == "lost"]
    ['SYN']
    """

    def __init__(self, scenario: Callable[..., Scenario], **controls: Any) -> None:
        self.scenario = scenario
        self.controls = controls
        self.chart = widgets.HTML(self.picture.html())
        self.view = widgets.VBox([*controls.values(), self.chart])
        for control in controls.values():
            control.observe(self._draw, names="value")

    @property
    def trace(self) -> Trace:
        """The run that the controls ask for now."""
        values = {name: control.value for name, control in self.controls.items()}
        return simulate(self.scenario(**values))

    @property
    def picture(self) -> Picture:
        """The sequence chart of that run."""
        return sequence_chart(self.trace)

    def _draw(self, change: Any) -> None:
        try:
            self.chart.value = self.picture.html()
        except ScenarioError as error:  # raised in a callback, it would be seen by nobody
            self.chart.value = html.escape(str(error))

    def __repr__(self) -> str:
        values = (f"{name}={control.value!r}" for name, control in self.controls.items())
        return f"<Panel {', '.join(values)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # Jupyter shows the first that the page allows: the widgets, or else the picture.
        return {**self.view._repr_mimebundle_(), **self.picture._repr_mimebundle_()}


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
