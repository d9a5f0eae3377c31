"""The moments of a Trace: what is known just before a step, and what comes of it.

Reads only the Trace. It knows no question, no scenario and no picture.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tcpviz.segment import ACK, FIN, RST, SYN, names
from tcpviz.states import TRANSITIONS, Edge, Event, State
from tcpviz.steps import Flight, Kind, Step, Timer
from tcpviz.tcb import KEEPALIVE, RTO
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


_ASKS_TO_SEND: Final = (Event.SEND, Event.ACTIVE_OPEN, Event.PASSIVE_OPEN)
_OPENS_OR_LEAVES: Final = (Event.ACTIVE_OPEN, Event.PASSIVE_OPEN, Event.CLOSE_HALF_DUPLEX)
_STILL_HEARS: Final = (State.FIN_WAIT_1, State.FIN_WAIT_2)
BEGINNINGS: Final = {
    edge.id
    for edge in TRANSITIONS
    if edge.target in (State.SYN_SENT, State.SYN_RECEIVED) and edge.source is not State.SYN_SENT
}
"""The moves by which a connection begins."""


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
    def two_way(self) -> bool:
        """Whether a SYN alone makes a listener ESTABLISHED, the broken rule."""
        return (
            self.before is State.LISTEN
            and self.arrived == SYN
            and self.step.state is State.ESTABLISHED
        )

    @property
    def unread(self) -> int:
        """How many octets its user has not read, where it reads by calling RECEIVE."""
        octets, known = 0, 0
        for step in self.trace.steps[: self.at]:
            if step.end != self.step.end:
                continue
            number = step.variables.rcv_nxt if step.variables else 0
            if step.kind is Kind.ARRIVE and step.segment and number != known and not step.says:
                octets += step.segment.length
            if (step.text == Event.RECEIVE and step.says) or not BEGINNINGS.isdisjoint(step.edges):
                octets = 0
            known = number
        return octets

    @property
    def kin(self) -> tuple[object, ...]:
        """What a moment of another run must share to be the same situation."""
        what = self.control(self.step) if self.arrived else self.step.text
        left = bool(self.arrived) and self.half_duplex
        return self.before, self.step.kind, what, self.full, bool(self.unread), left, self.old_data

    @property
    def half_duplex(self) -> bool:
        """Whether its user has left by a half-duplex CLOSE, and nothing was opened since."""
        calls = (s for s in reversed(self.trace.steps[: self.at]) if s.end == self.step.end)
        last = next((s.text for s in calls if s.text in _OPENS_OR_LEAVES), "")
        return last == Event.CLOSE_HALF_DUPLEX

    @property
    def old_data(self) -> bool:
        """Whether it is data sent before this end's connection began, or by nobody in this run."""
        if not self.arrived or not self.step.segment or not self.step.segment.length:
            return False
        flight = self.flight
        if flight is None or flight.sent is None:
            return True
        return any(
            s.end == self.step.end and s.time > flight.sent and not BEGINNINGS.isdisjoint(s.edges)
            for s in self.trace.steps[: self.at]
        )

    @property
    def situation(self) -> str:
        """What is about to happen, in words that do not tell what comes of it."""
        state = self.before or say("ask_unknown_state")
        values: dict[str, object] = {"end": self.step.end, "state": state}
        if self.step.kind is Kind.ARRIVE:
            flight = self.flight
            assert flight is not None
            text = self.trace.notation(flight, absolute=self.simulated)
            if "=-" in text:  # it is older than the SYN that numbers are counted from
                text = self.trace.notation(flight)
            values["segment"] = text
        expired = self.step.kind is Kind.CALL and self.step.text == Event.USER_TIMEOUT
        key = "ask_user_timeout" if expired else f"ask_{self.step.kind}"
        told = say(key, text=self._called, **values)
        return "".join([*self._facts, told])

    @property
    def _called(self) -> str:
        """The call or the timer: with how much is sent, or how often it was sent in vain."""
        text = self.step.text
        mine = [step for step in self.trace.steps if step.end == self.step.end]
        if text == Event.SEND:
            later = mine[mine.index(self.step) :]
            sent = (s.segment.length for s in later if s.kind is Kind.DEPART and s.segment)
            octets = next(filter(None, sent), 0)
            return say("ask_data", control=text, octets=octets) if octets else text
        if self.step.kind is Kind.TIMEOUT and text == RTO:
            tries = self.tries
            return say("ask_after_tries", timer=text, count=tries) if tries else text
        if self.probing:
            probes = self.in_a_row(KEEPALIVE)
            return say("ask_after_probes", timer=text, count=probes) if probes else text
        return text

    @property
    def probing(self) -> bool:
        """Whether it is the keep-alive timer that expires."""
        return self.step.kind is Kind.TIMEOUT and self.step.text == KEEPALIVE

    @property
    def tries(self) -> int:
        """How often in a row its RTO has expired before, with nothing that came between."""
        return self.in_a_row(RTO)

    def in_a_row(self, timer: str) -> int:
        """How often in a row a timer has expired before, with nothing that came between."""
        count = 0
        for step in self.trace.of(self.step.end):
            if step is self.step:
                break
            if step.kind in (Kind.ARRIVE, Kind.CALL):
                count = 0
            count += step.kind is Kind.TIMEOUT and step.text == timer
        return count

    @property
    def _facts(self) -> Iterator[str]:
        """What else must be known to foretell what comes of it."""
        if self.full:
            yield say("ask_full", queue=self.full)
        if self.step.text == Event.CLOSE_HALF_DUPLEX:
            yield say("ask_unread" if self.unread else "ask_all_read", octets=self.unread)
        if self.arrived and self.half_duplex and self.before in _STILL_HEARS:
            yield say("ask_half_duplex")
        mine = [s for s in self.trace.steps[: self.at] if s.end == self.step.end]
        cookies = {say("full_cookie", queue=say(f"queue_{name}")) for name in ("SYN", "accept")}
        if self.before is State.LISTEN and self.arrived == ACK:
            yield from (say("ask_cookie") for s in mine[-2:] if s.says in cookies)
        if self.before in (State.SYN_SENT, State.SYN_RECEIVED) and self.arrived:
            last = next((s for s in reversed(mine) if s.text in _ASKS_TO_SEND), None)
            if last and last.text == Event.SEND:
                yield say("ask_data_waits")

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
