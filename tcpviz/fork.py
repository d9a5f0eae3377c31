"""Fork: the same Scenario up to one moment, and something else from there on.

Knows how a step of the run becomes a fault of the network or a call of a user. Must not know
pictures, nor who asks.
"""

from dataclasses import replace
from typing import Final, Literal, get_args

from tcpviz.scenario import (
    ENDS,
    At,
    Delay,
    Duplicate,
    Fault,
    Inject,
    Lose,
    Name,
    Scenario,
    ScenarioError,
)
from tcpviz.simulate import simulate
from tcpviz.states import Event
from tcpviz.steps import Kind, Step
from tcpviz.trace import Trace
from tcpviz.units import MS, readable
from tcpviz.words import say

What = Literal["lose", "delay", "duplicate", "close", "abort", "crash"]
_CALLS: Final = {"close": Event.CLOSE, "abort": Event.ABORT, "crash": Event.CRASH}
_LATER: Final = 200 * MS
_JUST_AFTER: Final = 1
"""In ns: so late that all which happens at the instant of the fork has happened."""


class ForkError(ValueError):
    """What cannot be forked; the message is one sentence."""


def fork(
    scenario: Scenario | Trace,
    step: int,
    what: What,
    end: Name | None = None,
    by: int = _LATER,
) -> Scenario:
    """The scenario in which something else happens at the `step` of its run.

    `lose`, `delay` and `duplicate` befall the segment of that step; `by` ns is how much later it,
    or its copy, arrives. `close`, `abort` and `crash` come just after the step, at its end or at
    `end`. The run of the new scenario equals that of the old one up to there. Faults that wait for
    segments that are not sent any more are left out. ForkError says what cannot be: a trace has no
    scenario, and what was recorded cannot happen in another way.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> fork(SCENARIOS["handshake"], 4, "lose").network
    (Lose(end='server', which='any', nth=1),)
    >>> fork(SCENARIOS["handshake"], 4, "crash").name
    'handshake: server crashes at 50 ms'
    """
    if isinstance(scenario, Trace):
        recorded = scenario.source != "simulation"
        raise ForkError(say("fork_recorded" if recorded else "fork_no_scenario"))
    if what not in get_args(What):
        raise ForkError(say("fork_what", what=what, known=", ".join(get_args(What))))
    trace = simulate(scenario)
    if not 0 <= step < len(trace.steps):
        raise ForkError(say("fork_no_step", step=step, count=len(trace.steps)))
    here = trace.steps[step]
    if what in _CALLS:
        return _called(scenario, here, what, end)
    fault, name = _fault(trace, here, what, by)
    return _heard(replace(scenario, name=_named(scenario, name), describe=""), fault)


def parting(old: Trace, new: Trace) -> int:
    """The index of the first step in which two runs differ; the number of steps if none does."""
    pairs = enumerate(zip(old.steps, new.steps, strict=False))
    shorter = min(len(old.steps), len(new.steps))
    return next((index for index, (one, other) in pairs if one != other), shorter)


def _called(scenario: Scenario, here: Step, what: str, end: Name | None) -> Scenario:
    """A user calls, or a host crashes, just after the step."""
    who: Name | None = end or next((name for name in ENDS if name == here.end), None)
    if who is None:
        raise ForkError(say("fork_no_end", what=what))
    call = At(here.time + _JUST_AFTER, who, _CALLS[what])
    name = _named(scenario, say(f"fork_{what}", end=who, time=readable(here.time)))
    try:
        forked = replace(scenario, calls=(*scenario.calls, call), name=name, describe="")
    except ScenarioError as problem:
        raise ForkError(str(problem)) from None
    return _heard(forked)


def _fault(trace: Trace, here: Step, what: str, by: int) -> tuple[Fault, str]:
    """The fault that befalls the segment of this step and no other, and its name."""
    if here.segment is None:
        raise ForkError(say("fork_no_segment", what=what, time=readable(here.time)))
    flight = next(each for each in trace.flights if each.number == here.flight)
    control = here.segment.control
    if flight.sent is None:
        raise ForkError(say("fork_unsent", what=what, control=control))
    if flight.lost is not None:
        raise ForkError(say("fork_lost_already", what=what, control=control))
    sent = [s.flight for s in trace.of(flight.sender) if s.kind is Kind.DEPART]
    nth = sent.index(flight.number) + 1
    sender: Name = "client" if flight.sender == "client" else "server"
    faults: dict[str, Fault] = {
        "lose": Lose(sender, "any", nth),
        "delay": Delay(sender, "any", by, nth),
        "duplicate": Duplicate(sender, "any", by, nth),
    }
    name = say(f"fork_{what}", end=sender, control=control, time=readable(flight.sent))
    return faults[what], name


def _heard(scenario: Scenario, *new: Fault) -> Scenario:
    """The scenario with these faults, and with those of its own that still find their segment.

    Which of them do can depend on one another, so they are tried until no further one does.
    """
    try:
        whole = replace(scenario, network=(*scenario.network, *new))
    except ScenarioError as problem:
        raise ForkError(str(problem)) from None
    if _runs(whole):
        return whole
    kept = {i for i, fault in enumerate(scenario.network) if isinstance(fault, Inject)}
    growing = True
    while growing:
        growing = False
        for index in sorted(set(range(len(scenario.network))) - kept):
            if _runs(_with(scenario, kept | {index}, new)):
                kept.add(index)
                growing = True
    return _with(scenario, kept, new)


def _with(scenario: Scenario, kept: set[int], new: tuple[Fault, ...]) -> Scenario:
    old = [fault for index, fault in enumerate(scenario.network) if index in kept]
    return replace(scenario, network=(*old, *new))


def _runs(scenario: Scenario) -> bool:
    try:
        simulate(scenario)
    except ScenarioError:
        return False
    return True


def _named(scenario: Scenario, what: str) -> str:
    return say("fork_name", name=scenario.name, what=what) if scenario.name else what
