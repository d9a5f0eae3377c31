"""The controls of a panel: which field of a Scenario each one turns, with units and sane ranges.

Every control is a choice among a few values, so that a panel can have all its runs ready. Knows
ipywidgets and the Scenario; must not know how a run is shown.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, NamedTuple

import ipywidgets as widgets

from tcpviz.mistake import Mistake
from tcpviz.rules import LINUX, RFC9293, Rules
from tcpviz.scenario import ENDS, At, Lose, Name, On, Scenario
from tcpviz.simulate import simulate
from tcpviz.states import Event, State
from tcpviz.steps import Kind
from tcpviz.trace import Trace
from tcpviz.units import MS, readable
from tcpviz.words import say

_CLOSES: Final = (Event.CLOSE, Event.CLOSE_HALF_DUPLEX)
_VARIANTS: Final[dict[str, Rules]] = {
    "rules_rfc": RFC9293,
    "rules_linux": LINUX,
    "rules_two": RFC9293._replace(two_way_handshake=True),
    "rules_four": RFC9293._replace(four_segment_handshake=True),
    "rules_reopen": RFC9293._replace(reopen_from_time_wait=True),
    "rules_1337": RFC9293._replace(time_wait_ignores_rst=True),
    "rules_793": RFC9293._replace(challenge_acks=False),
}
_TIMES: Final = {
    "rtt": tuple(ms * MS for ms in (2, 10, 20, 50, 100, 200, 400, 800, 1200, 2000)),
    "msl": tuple(ms * MS for ms in (0, 500, 1000, 5000, 15_000, 30_000, 60_000, 120_000)),
    "delayed_ack": tuple(ms * MS for ms in (0, 10, 20, 40, 100, 200, 500)),
    "closes_after": tuple(ms * MS for ms in (0, 50, 100, 150, 300, 1000, 2000)),
    "answers_after": tuple(ms * MS for ms in (0, 10, 20, 40, 60, 100, 200, 500, 2000)),
}
_NEVER: Final = -1
"""The time of a call that is never made."""

Value = Any


class Application(NamedTuple):
    """Who closes first, how long after ESTABLISHED, and how long after CLOSE-WAIT the other."""

    closer: str
    closes_after: int
    answers_after: int


def _application(trace: Trace) -> Application:
    """What the users of a run did, as far as these three tell it."""
    calls = [s for s in trace.steps if s.kind is Kind.CALL and s.text in _CLOSES and not s.says]
    if not calls:
        return Application("nobody", 150 * MS, 60 * MS)
    since: dict[tuple[State, str], int] = {
        (span.state, end): span.since for end in ENDS for span in reversed(trace.spans(end))
    }
    first = calls[0]
    other = next((s for s in calls[1:] if s.end != first.end), None)
    waited = since.get((State.CLOSE_WAIT, other.end)) if other else None
    both = other is not None and (waited is None or other.time < waited)
    answers = other.time - waited if other and waited is not None and not both else _NEVER
    opened = since.get((State.ESTABLISHED, first.end), first.time)
    return Application("both" if both else first.end, max(0, first.time - opened), answers)


def _closing(scenario: Scenario, wanted: Application) -> Scenario:
    """The scenario with these closes in place of its own."""
    closers: tuple[Name, ...] = tuple(e for e in ENDS if wanted.closer in (e, "both"))
    every: tuple[At | On, ...] = (*scenario.calls, *scenario.reactions)
    how = {each.end: each.call for each in every if each.call in _CLOSES}
    calls = tuple(call for call in scenario.calls if call.call not in _CLOSES)
    kept = tuple(on for on in scenario.reactions if on.call not in _CLOSES)
    after = dict.fromkeys(ENDS, wanted.closes_after)
    if wanted.closer == "both":  # a passive opener is ESTABLISHED later: the FINs cross so
        after["client"] = max(wanted.closes_after, scenario.delay // 2)
        after["server"] = after["client"] - scenario.delay // 2
    close = {end: how.get(end, Event.CLOSE) for end in ENDS}  # half-duplex, if it was
    first = tuple(On(e, State.ESTABLISHED, close[e], after[e]) for e in closers)
    others = [e for e in ENDS if closers and e not in closers]
    if wanted.answers_after == _NEVER:
        others = []
    last = tuple(On(e, State.CLOSE_WAIT, close[e], wanted.answers_after) for e in others)
    return replace(scenario, calls=calls, reactions=(*kept, *first, *last))


def losses(trace: Trace) -> list[tuple[str, Value]]:
    """What `lose` offers: each segment of a run that may be lost, named as people name it."""
    found: dict[tuple[str, str], int] = {}
    options: list[tuple[str, Value]] = [(say("panel_nothing"), "")]  # None: none is chosen
    for flight in trace.flights:
        if flight.sent is None or flight.again or flight.lost is not None:
            continue
        which = "data" if flight.segment.length else flight.segment.control
        nth = found[flight.sender, which] = found.get((flight.sender, which), 0) + 1
        label = say(
            "panel_segment" if nth == 1 else "panel_segment_nth",
            end=flight.sender,
            control=which,
            nth=nth,
        )
        options.append((label, (flight.sender, which, nth)))
    return options


def _lose(scenario: Scenario, value: Value) -> Scenario:
    return replace(scenario, network=(*scenario.network, Lose(*value)))


_APPLY: Final[dict[str, Callable[[Scenario, Value], Scenario]]] = {
    "rtt": lambda scenario, value: replace(scenario, delay=value // 2),
    "msl": lambda scenario, value: replace(scenario, msl=value),
    "delayed_ack": lambda scenario, value: replace(scenario, delayed_ack=value),
    "rules": lambda scenario, value: replace(scenario, rules=_VARIANTS[value]),
    "lose": _lose,
}
CONTROLS: Final = (
    "rtt",
    "lose",
    "msl",
    "delayed_ack",
    "closer",
    "closes_after",
    "answers_after",
    "rules",
)
"""What a panel can turn, by name."""


class ControlError(Mistake):
    """A control that there is not; the message is one sentence."""


def control(name: str, scenario: Scenario) -> Any:
    """The widget of that name, standing at what the scenario has."""
    if name not in CONTROLS:
        raise ControlError(say("panel_no_control", name=name, known=", ".join(CONTROLS)))
    trace = simulate(scenario)
    now = _application(trace)
    start: dict[str, Value] = {
        "rtt": 2 * scenario.delay,
        "msl": scenario.msl,
        "delayed_ack": scenario.delayed_ack,
        **now._asdict(),
    }
    what = {
        "description": say(f"control_{name}"),
        "tooltip": say(f"control_{name}_long"),
        "style": {"description_width": "14em"},
        "layout": {"width": "34em"},
    }
    if name == "lose":
        return widgets.Dropdown(options=losses(trace), value="", **what)
    if name == "closer":
        options = [(say(f"closer_{who}"), who) for who in (*ENDS, "both", "nobody")]
        return widgets.Dropdown(options=options, value=start[name], **what)
    if name == "rules":
        rules: list[tuple[str, Value]] = [(say(key), key) for key in _VARIANTS]
        names = [key for key, known in _VARIANTS.items() if known == scenario.rules]
        own = next(iter(names), "rules_own")
        if not names:
            rules.insert(0, (say(own), own))
        return widgets.Dropdown(options=rules, value=own, **what)
    never = name == "answers_after"
    times = sorted({*_TIMES[name], start[name]} - {_NEVER})
    waits = [(_time(name, time), time) for time in times]
    waits += [(say("panel_never"), _NEVER)] if never else []
    return widgets.SelectionSlider(options=waits, value=start[name], **what)


def _time(name: str, time: int) -> str:
    off = time == 0 and name in ("delayed_ack", "msl")
    return say("panel_off") if off else readable(time)


def turned(scenario: Scenario, start: dict[str, Value], values: dict[str, Value]) -> Scenario:
    """The scenario with every control that was moved applied; the others leave it as it is."""
    moved = {name: value for name, value in values.items() if value != start[name]}
    users = {name: value for name, value in moved.items() if name in Application._fields}
    did = _application(simulate(scenario)) if users else None
    for name in _in_order(moved):
        scenario = _APPLY[name](scenario, moved[name])
    return _closing(scenario, did._replace(**users)) if did else scenario


def _in_order(names: Iterable[str]) -> list[str]:
    return [name for name in CONTROLS if name in names and name in _APPLY]
