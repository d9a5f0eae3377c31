"""Exercises: a check runs the simulation and shows the first difference, or what is still missing.

No answer is stored anywhere: what is right comes out of a run each time. An answer that is not
there yet (None, "" or ...) passes quietly and tells nothing. It knows Scenarios and Traces, and no
widget.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from tcpviz.goals import GOALS, Goal
from tcpviz.scenario import ENDS, Scenario, ScenarioError
from tcpviz.segment import Segment
from tcpviz.simulate import simulate
from tcpviz.states import State
from tcpviz.steps import Flight
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

_UNANSWERED: Final = (None, "", ...)
_SPELLINGS: Final = {
    **{state.replace("-", ""): state for state in State},
    "SYNRCVD": State.SYN_RECEIVED,
    "SYNRECV": State.SYN_RECEIVED,
    "SYNRCND": State.SYN_RECEIVED,
    "SYNSEND": State.SYN_SENT,
    "ESTAB": State.ESTABLISHED,
}
"""States as people and systems spell them, without hyphens, blanks and underscores."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found: `passed` is None while there is no answer. `trace` is the run it used."""

    passed: bool | None
    text: str
    trace: Trace | None = None

    def __bool__(self) -> bool:
        return self.passed is True

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text}


@dataclass(frozen=True, repr=False)
class Exercise:
    """Construct a scenario that makes something happen; whether it does, a simulation tells.

    >>> EXERCISES["both_time_wait"].check(...)
    not answered yet
    >>> from tcpviz.scenarios import SCENARIOS
    >>> EXERCISES["both_time_wait"].check(SCENARIOS["simultaneous_close"])
    Yes: that is what happens.
    """

    name: str
    goal: Goal

    @property
    def prompt(self) -> str:
        """What is to be done, in the language that is spoken now."""
        return say(f"exercise_{self.name}")

    def check(self, answer: Any) -> Verdict:
        """Run the scenario that was handed in, and say what it lacks."""
        if _blank(answer):
            return _unanswered()
        if not isinstance(answer, Scenario):
            return Verdict(False, say("ex_scenario", kind=type(answer).__name__))
        try:
            return check(simulate(answer), self.goal)
        except ScenarioError as problem:
            return Verdict(False, say("ex_cannot_run", problem=problem))

    def __repr__(self) -> str:
        return self.prompt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.prompt}


def check(trace: Any, expect: Goal) -> Verdict:
    """Whether a run shows what is expected; else what it lacks.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> from tcpviz.goals import both_time_wait
    >>> check(simulate(SCENARIOS["handshake"]), expect=both_time_wait)
    Not yet: neither end comes to TIME-WAIT.
    """
    if _blank(trace):
        return _unanswered()
    if not isinstance(trace, Trace):
        return Verdict(False, say("ex_trace", kind=type(trace).__name__))
    lacks = expect(trace)
    if lacks:
        return Verdict(False, say("ex_not_yet", lacks=lacks), trace)
    return Verdict(True, say("ex_yes"), trace)


def check_segments(scenario: Scenario, answer: Any) -> Verdict:
    """Compare segments in RFC notation, one a line or a list of them, with those that are sent.

    A segment may name its sender, `server: <SEQ=300>...`. Lines left blank, or `...`, are not
    answered yet.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> check_segments(SCENARIOS["handshake"], ["<SEQ=100><CTL=SYN>", "<SEQ=300><CTL=SYN>"])
    Segment 2 differs: you wrote <SEQ=300><CTL=SYN>, the server sends \
<SEQ=300><ACK=101><CTL=SYN,ACK> (ACK, CTL).
    """
    if isinstance(answer, str):
        answer = [line.strip() for line in answer.strip().splitlines()]
    if _blank(answer) or (isinstance(answer, Sequence) and all(map(_blank, answer))):
        return _unanswered()
    if not isinstance(answer, Sequence) or not all(
        _blank(each) or isinstance(each, str) for each in answer
    ):
        return Verdict(False, say("ex_lines"))
    trace = simulate(scenario)
    sent = [flight for flight in trace.flights if flight.sent is not None]
    for number, (line, flight) in enumerate(zip_longest(answer, sent), 1):
        if _blank(line) and flight is not None:
            return Verdict(None if line is not None else False, _so_far(number - 1), trace)
        if not _blank(line):
            wrong = _difference(number, line, flight)
            if wrong:
                return Verdict(False, wrong, trace)
    return Verdict(True, say("ex_segments", count=len(sent)), trace)


def check_states(scenario: Scenario, end: str, answer: Any) -> Verdict:
    """Compare the states that one end passes through, in order, with those of the run.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> check_states(SCENARIOS["handshake"], "client", ["SYN-SENT", "SYN-RECEIVED"])
    State 2 differs: after SYN-SENT the client goes to ESTABLISHED at 100 ms, not to SYN-RECEIVED.
    """
    if isinstance(answer, str):
        answer = answer.replace("->", ",").replace("\n", ",").split(",") if answer else answer
    if _blank(answer) or (isinstance(answer, Iterable) and not list(answer)):
        return _unanswered()
    if not isinstance(answer, Sequence):
        return Verdict(False, say("ex_states"))
    trace = simulate(scenario)
    spans = trace.spans(trace.end(end).name)
    given = [_state(each) for each in answer if not _blank(each)]
    if not given:
        return _unanswered()
    if given[0] is State.CLOSED and spans and spans[0].state is not State.CLOSED:
        del given[0]  # where everything begins
    before = ""
    for number, (state, span) in enumerate(zip_longest(given, spans), 1):
        if isinstance(state, str) and not isinstance(state, State):
            return Verdict(False, state)
        if span is None:
            return Verdict(False, say("ex_state_more", end=end, last=before, wrong=state), trace)
        if state is None:
            open_end = any(map(_blank, answer))
            return Verdict(
                None if open_end else False, say("ex_state_fewer", count=number - 1), trace
            )
        if state is not span.state:
            key = "ex_state" if before else "ex_state_first"
            at = readable(span.since)
            words = {"number": number, "before": before, "end": end, "time": at, "wrong": state}
            return Verdict(False, say(key, state=span.state, **words), trace)
        before = state
    return Verdict(True, say("ex_states_right", end=end, count=len(spans)), trace)


def check_state_at(scenario: Scenario, time: int, answer: Any) -> Verdict:
    """Compare the states of both ends at a time in ns, {"client": ..., "server": ...}.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> check_state_at(SCENARIOS["handshake"], 120_000_000, {"client": "ESTABLISHED",
    ...     "server": "ESTABLISHED"})
    At 120 ms the server is in SYN-RECEIVED, not in ESTABLISHED.
    """
    if _blank(answer) or (isinstance(answer, Mapping) and all(map(_blank, answer.values()))):
        return _unanswered()
    if not isinstance(answer, Mapping) or not set(answer) <= set(ENDS):
        return Verdict(False, say("ex_mapping", ends=", ".join(ENDS)))
    trace = simulate(scenario)
    for end in ENDS:
        if _blank(answer.get(end)):
            continue
        state = _state(answer[end])
        if not isinstance(state, State):
            return Verdict(False, state)
        real = _state_at(trace, end, time)
        if state is not real:
            words = {"time": readable(time), "end": end, "state": real, "wrong": state}
            return Verdict(False, say("ex_state_at", **words), trace)
    if any(_blank(answer.get(end)) for end in ENDS):
        return Verdict(None, say("ex_half"), trace)
    return Verdict(True, say("ex_yes"), trace)


def predict(scenario: Scenario, ask: Callable[[Trace], Any], answer: Any) -> Verdict:
    """Compare a prediction with what `ask` reads off the run.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> predict(SCENARIOS["handshake"], lambda trace: len(trace.flights), 4)
    You said 4; in the run it is 3. The verdict's .trace shows why.
    """
    if _blank(answer):
        return _unanswered()
    trace = simulate(scenario)
    right = ask(trace)
    if isinstance(answer, str) and isinstance(right, State):
        answer = _state(answer)
    if answer == right:
        return Verdict(True, say("ex_predicted", answer=answer), trace)
    return Verdict(False, say("ex_refuted", answer=answer, right=right), trace)


def _unanswered() -> Verdict:
    return Verdict(None, say("ex_unanswered"))


def _blank(answer: Any) -> bool:
    return any(answer is blank for blank in _UNANSWERED) or (
        isinstance(answer, str) and answer.strip() in ("", "...")
    )


def _state(given: Any) -> State | str:
    """The state that is meant, or a sentence that says it is none."""
    plain = "".join(char for char in str(given).upper() if char.isalnum())
    return _SPELLINGS.get(plain) or say("ex_no_state", word=given, states=", ".join(State))


def _so_far(count: int) -> str:
    return say("ex_so_far", count=count) if count else say("ex_unanswered")


def _difference(number: int, line: str, flight: Flight | None) -> str:
    """What is wrong with the segment of that number, or ""."""
    named, _, text = line.rpartition(":")
    text = text.strip()
    try:
        segment = Segment.parse(text)
    except ValueError as problem:
        return say("ex_notation", number=number, problem=problem)
    if flight is None:
        return say("ex_segment_more", number=number, wrong=segment)
    real = flight.segment
    values = (("SEQ", "seq"), ("ACK", "ack"), ("CTL", "ctl"), ("DATA", "length"))
    fields = [name for name, field in values if getattr(segment, field) != getattr(real, field)]
    words = {"number": number, "wrong": segment, "end": flight.sender, "right": real}
    if fields:
        return say("ex_segment", fields=", ".join(fields), **words)
    if named.strip() and named.strip() != flight.sender:
        return say("ex_sender", named=named.strip(), **words)
    return ""


def _state_at(trace: Trace, end: str, time: int) -> State:
    spans = [span for span in trace.spans(end) if span.since <= time]
    return spans[-1].state if spans else State.CLOSED


EXERCISES: Final[dict[str, Exercise]] = {
    goal.__name__: Exercise(goal.__name__, goal) for goal in GOALS
}
"""The course's "make it happen" exercises, in the order of its chapters."""
