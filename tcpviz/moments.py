"""The moments of a Trace: what is known just before a step, and what comes of it.

Reads only the Trace. It knows no question, no scenario and no picture.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tcpviz.segment import ACK, FIN, RST, SYN, names
from tcpviz.states import TRANSITIONS, Edge, State
from tcpviz.steps import Flight, Kind, Step, Timer
from tcpviz.trace import Trace
from tcpviz.words import say

_EDGES: Final = {edge.id: edge for edge in TRANSITIONS}
_USUAL: Final = (
    "CLOSED: active OPEN",
    "LISTEN: rcv SYN",
    "SYN-SENT: rcv SYN,ACK",
    "SYN-RECEIVED: rcv ACK of SYN",
)
_TOLD: Final = SYN | ACK | FIN | RST


class Moment(NamedTuple):
    """One step of a trace at an end that was watched, and what stands around it.

    `at` is its place among the trace's steps, `before` the state of that end until then, `timers`
    what ran there. `sent` are the segments that leave at once because of the step; in a capture,
    the next one to leave before anything else arrives.
    """

    trace: Trace
    at: int
    before: State | None
    timers: tuple[Timer, ...]
    sent: tuple[Step, ...]

    @property
    def step(self) -> Step:
        """The step itself."""
        return self.trace.steps[self.at]

    @property
    def simulated(self) -> bool:
        """Whether all that happened is known, also that nothing happened."""
        return self.trace.source == "simulation"

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The moves that the step takes."""
        return tuple(_EDGES[name] for name in self.step.edges)

    @property
    def opening(self) -> bool:
        """Whether it is one of the steps that every handshake of three segments has."""
        return any(name in _USUAL for name in self.step.edges)

    @property
    def arrived(self) -> int:
        """SYN, ACK, FIN and RST of the segment that arrives; 0 where none does."""
        segment = self.step.segment if self.step.kind is Kind.ARRIVE else None
        return segment.ctl & _TOLD if segment else 0

    @property
    def flight(self) -> Flight | None:
        """The way of the step's segment."""
        flights = self.trace.flights
        return next((each for each in flights if each.number == self.step.flight), None)

    @property
    def full(self) -> str:
        """The queue that is full when the segment comes, or ""."""
        queues = [say(f"queue_{name}") for name in ("SYN", "accept")]
        answers = [f"full_{name}" for name in ("nothing", "RST", "cookie")]
        told = {say(answer, queue=queue): queue for answer in answers for queue in queues}
        return told.get(self.step.says, "")

    @property
    def situation(self) -> str:
        """What is about to happen, in words that do not tell what comes of it."""
        state = self.before or say("ask_unknown_state")
        values: dict[str, object] = {"end": self.step.end, "state": state}
        if self.step.kind is Kind.ARRIVE:
            flight = self.flight
            assert flight is not None
            absolute = self.simulated
            values["segment"] = self.trace.notation(flight, absolute=absolute)
        told = say(f"ask_{self.step.kind}", text=self.step.text, **values)
        return f"{say('ask_full', queue=self.full)} {told}" if self.full else told

    def control(self, step: Step) -> str:
        """A segment that leaves, as a choice names it: its control bits, and data if it has some.

        >>> from tcpviz.scenarios import SCENARIOS
        >>> from tcpviz.simulate import simulate
        >>> sent = next(m for m in moments(simulate(SCENARIOS["handshake"])) if m.sent)
        >>> sent.control(sent.sent[0])
        'SYN'
        """
        assert step.segment is not None
        bits = ",".join(names(step.segment.ctl & _TOLD))
        octets = step.segment.length
        return say("ask_data", control=bits, octets=octets) if octets else bits


def moments(trace: Trace) -> Iterator[Moment]:
    """The steps at which something happens to an end that was watched; departures are answers."""
    watched = {end.name for end in trace.ends if end.observed}
    known: State | None = State.CLOSED if trace.source == "simulation" else None
    states = dict.fromkeys(watched, known)
    timers: dict[str, tuple[Timer, ...]] = dict.fromkeys(watched, ())
    for index, step in enumerate(trace.steps):
        if step.end not in watched or step.kind is Kind.LOSE:
            continue
        if step.kind is not Kind.DEPART:
            yield Moment(trace, index, states[step.end], timers[step.end], _answers(trace, index))
        if step.state is not None:
            states[step.end] = step.state
        timers[step.end] = step.timers


def _answers(trace: Trace, index: int) -> tuple[Step, ...]:
    """What leaves because of a step."""
    step, found = trace.steps[index], []
    simulated = trace.source == "simulation"
    for later in trace.steps[index + 1 :]:
        if simulated and (later.end, later.kind, later.time) != (step.end, Kind.DEPART, step.time):
            break
        if later.end != step.end:
            continue
        if later.kind is Kind.DEPART:
            found.append(later)
        if not simulated:
            break
    return tuple(found)
