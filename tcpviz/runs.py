"""One connection of many: the ways its run can go, and where it meets the other connections.

Connections influence each other only through what their hosts share. A run is the same up to the
point where it is refused something, so each way to go is simulated once and asked for by name. It
knows no queue and no other connection; times are integer nanoseconds from the connection's start.
"""

from dataclasses import replace
from typing import Final, Literal, NamedTuple

from tcpviz.listener import Full
from tcpviz.scenario import Refuse, Scenario, matches
from tcpviz.segment import PSH, SYN, Segment, names
from tcpviz.simulate import simulate
from tcpviz.states import Event, State, transition
from tcpviz.steps import Kind, Step, Timer
from tcpviz.timeline import Stretch
from tcpviz.trace import Trace

NO_PORT: Final = "error: insufficient resources"
"""RFC 9293 §3.10.1, of an OPEN for which there is no room; sockets call it EADDRNOTAVAIL."""

RANK: Final = {Kind.ARRIVE: 0, Kind.TIMEOUT: 1, Kind.CALL: 2}
"""Who goes first at the same instant, as in `simulate`; then the member that stands first."""

What = Literal["port", "SYN", "ACK", "cookie", "gone", "closed"]
"""What is met: a port to take; LISTEN, by a SYN; the accept queue, by the ACK of a SYN,ACK or
straight from LISTEN (the ACK that brings a cookie, the SYN of a handshake of two segments); then
the place in the SYN queue that is given back unused, and the port."""


class Point(NamedTuple):
    """A point where a connection meets the others; `time` counts from its own start."""

    time: int
    rank: int
    what: What
    step: int


class Run:
    """One way that a Scenario can go, and, as they are asked for, those where a queue is full."""

    def __init__(self, scenario: Scenario, trace: Trace) -> None:
        self.scenario = scenario
        self.trace = trace
        self.points = meetings(trace)
        self.others: dict[tuple[int, Full | None], Run] = {}

    @property
    def port(self) -> Stretch | None:
        """How long it holds a port, if it gets one."""
        since = next((point.time for point in self.points if point.what == "port"), None)
        until = next((point.time for point in self.points if point.what == "closed"), None)
        return None if since is None else (since, until)

    def refused(self, point: Point, full: Full) -> "Run":
        """The run that is the same up to this point, where the segment finds a queue full."""
        key = (point.step, full)
        if key not in self.others:
            refusal = _refusal(self.trace, point.step, full)
            scenario = replace(self.scenario, network=(*self.scenario.network, refusal))
            self.others[key] = Run(scenario, simulate(scenario))
        return self.others[key]

    def without_port(self, point: Point) -> "Run":
        """The run that is the same up to this point, where no port is free; then it is over."""
        key = (point.step, None)
        if key not in self.others:
            opening = self.trace.steps[point.step]
            failed = Step(
                opening.time,
                opening.end,
                opening.kind,
                State.CLOSED,
                text=opening.text,
                says=NO_PORT,
            )
            steps = (*self.trace.steps[: point.step], failed)
            self.others[key] = Run(self.scenario, replace(self.trace, steps=steps, notes=()))
        return self.others[key]


def meetings(trace: Trace) -> tuple[Point, ...]:
    """Where this run meets the others, in order."""
    rcv_syn = transition(State.LISTEN, Event.RCV_SYN)
    rcv_ack = transition(State.SYN_RECEIVED, Event.RCV_ACK_OF_SYN)
    assert rcv_syn
    assert rcv_ack
    found: list[Point] = []
    client, waiting, held = State.CLOSED, False, False
    for index, step in enumerate(trace.steps):
        if step.kind not in RANK or step.state is None:
            continue
        what: What | None = None
        if step.end == "client":
            if step.state is not State.CLOSED and not held:
                what, held = "port", True
            elif client is not State.CLOSED and step.state is State.CLOSED:
                what = "closed"
            client = step.state
        elif rcv_ack.id in step.edges and (waiting or rcv_syn.id in step.edges):
            what, waiting = "ACK" if waiting else "cookie", False
        elif rcv_syn.id in step.edges:
            what, waiting = "SYN", True
        elif waiting and step.state is not State.SYN_RECEIVED:
            what, waiting = "gone", False
        if what is not None:
            found.append(Point(step.time, RANK[step.kind], what, index))
    given = [point for point in found if point.what == "closed"]
    last = given[-1:] if client is State.CLOSED else []  # a client that opens again keeps its port
    return tuple(p for p in found if p.what != "closed" or p in last)


def _refusal(trace: Trace, index: int, full: Full) -> Refuse:
    """The fault that refuses the segment which arrives at the server in that step."""
    segment = trace.steps[index].segment
    assert segment is not None  # a queue is only met by a segment
    data = segment.length and not segment.ctl & SYN
    which = "data" if data else ",".join(names(segment.ctl & ~PSH))
    reached: list[Segment] = []
    before = State.CLOSED
    for step in trace.steps[: index + 1]:
        if step.end != "server" or step.state is None:
            continue
        begun = before is State.SYN_RECEIVED and full.answer != "cookie"
        if step.kind is Kind.ARRIVE and step.segment and (begun or before is State.LISTEN):
            reached.append(step.segment)
        before = step.state
    nth = sum(matches(each, which) for each in reached)
    return Refuse("server", which, nth, full.queue, full.answer)


def shifted(trace: Trace, by: int, title: str) -> Trace:
    """The trace of the same scenario, begun that much later."""
    steps = tuple(
        step._replace(
            time=step.time + by,
            timers=tuple(Timer(t.name, t.since + by, t.until + by) for t in step.timers),
        )
        for step in trace.steps
    )
    return replace(trace, steps=steps, title=title)
