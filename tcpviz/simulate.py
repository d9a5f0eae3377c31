"""Run a Scenario: two Endpoints, a network between them, one clock; out comes a Trace.

The loop knows nothing of TCP: it takes the earliest of arrival, deadline and call, and of those at
the same instant the wire first, then the timer, then the call. Same scenario, same trace.
"""

import heapq
from collections import Counter
from typing import Any, Final, Literal, NamedTuple

from tcpviz.endpoint import Endpoint, Outcome
from tcpviz.scenario import (
    ENDS,
    RESTART,
    Delay,
    Inject,
    Lose,
    Name,
    Refuse,
    Scenario,
    ScenarioError,
    matches,
)
from tcpviz.segment import ACK, RST, SYN, Segment
from tcpviz.states import Event, State
from tcpviz.steps import End, Kind, Step, Timer
from tcpviz.tcb import KEEPALIVE, RTO
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

_MOST_STEPS: Final = 100_000
_MOST_ROUNDS: Final = 1_000
"""How often the same ACK answers the same ACK before the exchange is called endless."""
_WIRE, _TIMER, _CALL = range(3)
"""Who goes first among things that happen at the same instant."""
_REOPENS: Final = (State.TIME_WAIT, State.SYN_RECEIVED)
_TAKES_A_SYN: Final = (Event.RCV_SYN, Event.RCV_SYN_ACK)


class _Due(NamedTuple):
    """Something that will happen: a segment at an end (at "", its death), or a call of a user."""

    time: int
    rank: int
    order: int
    end: Name | Literal[""]
    segment: Segment | None = None
    flight: int = -1
    call: str = ""
    octets: int = 0
    entered: str | None = None  # the state whose entering made the application call
    life: int = 0  # which connection of the end it was


def simulate(scenario: Scenario) -> Trace:
    """Run the scenario and write down every step.

    ScenarioError if the network is told to lose, delay or duplicate a segment that is never sent,
    or if the run does not end.

    >>> from tcpviz.scenario import At
    >>> trace = simulate(Scenario(calls=[At(0, "client", "active OPEN")]))
    >>> [str(flight.segment) for flight in trace.flights]
    ['<SEQ=100><CTL=SYN>', '<SEQ=0><ACK=101><CTL=RST,ACK>']
    """
    if not isinstance(scenario, Scenario):
        raise ScenarioError(f"scenario: {scenario!r} is not a Scenario")
    return _Run(scenario).trace()


def _rules(scenario: Scenario) -> tuple[str, ...]:
    """The rules in force that are not the standard's, in words; whose, where the ends differ."""
    told = {name: scenario.settings(name).rules.told() for name in ENDS}
    alike = len(set(told.values())) == 1
    rules = [
        rule if alike else say("rule_of", end=name, rule=rule)
        for name in (ENDS[:1] if alike else ENDS)
        for rule in told[name]
    ]
    if scenario.delayed_ack:
        rules.append(say("rule_delayed_ack", time=readable(scenario.delayed_ack)))
    if not scenario.msl:
        rules.append(say("rule_no_msl"))
    return tuple(rules)


class _Run:
    """The one event loop, and what it has written so far."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.ends = {name: Endpoint(scenario.settings(name)) for name in ENDS}
        self.due: list[_Due] = []
        self.steps: list[Step] = []
        self.notes: tuple[str, ...] = ()
        self.stopped: int | None = None
        self.flights = 0
        self.scheduled = 0
        self.down: set[str] = set()  # hosts between a crash and their restart
        self.matched: Counter[int] = Counter()  # segments each fault has been meant for
        self.cookies: dict[Name, Outcome] = {}  # the answer to a SYN that only its cookie knows
        self.rounds: Counter[tuple[Name, Segment, Segment]] = Counter()
        self.first_round = 0
        self.circling: dict[Name, Segment] = {}  # what each end sends of an endless exchange
        self.lives: Counter[Name] = Counter()  # connections that each end has left behind
        self.peers: dict[Name, int | None] = {}  # the incarnation whose SYN each end took
        self.senders: dict[int, int | None] = {}  # ... which its sender had taken, by flight
        for call in scenario.calls:
            self._schedule(call.time, _CALL, call.end, call=call.call, octets=call.octets)
        for fault in scenario.network:
            if isinstance(fault, Inject):
                segment = Segment.parse(fault.segment)
                self._schedule(fault.time, _WIRE, fault.end, segment=segment)
        self._run()
        self._check_faults()

    def trace(self) -> Trace:
        ends = tuple(End(name, "", *self._iss(name)) for name in ENDS)
        name, rules = self.scenario.name, _rules(self.scenario)
        return Trace(
            ends, tuple(self.steps), name, notes=self.notes, rules=rules, until=self.stopped
        )

    def _schedule(self, time: int, rank: int, end: Name | Literal[""], **what: Any) -> None:
        self.scheduled += 1
        heapq.heappush(self.due, _Due(time, rank, self.scheduled, end, **what))

    def _run(self) -> None:
        while True:
            timer, owner = self._deadline()
            first = self.due[0] if self.due else None
            if first is None and timer is None:
                return
            expires = timer is not None and (
                first is None or (timer.until, _TIMER) < (first.time, first.rank)
            )
            now = timer.until if timer and expires else self.due[0].time
            if now > self.scenario.until:
                self.stopped = self.scenario.until
                self.notes = (say("stopped", time=readable(self.stopped)),)
                return
            if self._goes_round():
                return
            if len(self.steps) >= _MOST_STEPS:
                raise ScenarioError(f"until: there are more than {_MOST_STEPS} steps before it")
            if timer and expires:
                outcome = self.ends[owner].expire(timer, now)
                self._write(now, owner, Kind.TIMEOUT, outcome, text=timer.name)
            else:
                self._happen(heapq.heappop(self.due))

    def _goes_round(self) -> bool:
        """Whether ACKs have answered ACKs so often that it is endless; a note says which.

        A call may end it, or a timer: 2MSL, or an RTO if there is an R2. These are waited for,
        unless nothing takes any time.
        """
        if not self.circling:
            return False
        moves_on = self.steps[-1].time > self.first_round
        ahead = any(due.call for due in self.due)
        for end in self.ends.values():
            helpless = (KEEPALIVE,) if end.r2 else (KEEPALIVE, RTO)
            ahead = ahead or any(timer.name not in helpless for timer in end.deadlines)
        if ahead and moves_on and len(self.steps) < _MOST_STEPS:
            return False
        time = readable(self.steps[-1].time)
        self.notes = (say("endless", time=time, rounds=_MOST_ROUNDS, **self.circling),)
        return True

    def _count_round(self, due: _Due, name: Name, segment: Segment, outcome: Outcome) -> None:
        """Count how often the same ACK draws the same ACK, and this the first one again."""
        if segment.span or len(outcome.sent) != 1 or outcome.sent[0].span:
            return
        answer, peer = outcome.sent[0], _peer(name)
        self.first_round = self.first_round if self.rounds else due.time
        self.rounds[name, segment, answer] += 1
        back = self.rounds[peer, answer, segment]
        going = min(back, self.rounds[name, segment, answer]) >= _MOST_ROUNDS
        self.circling = {name: answer, peer: segment} if going else {}

    def _deadline(self) -> tuple[Timer | None, Name]:
        """The timer that expires first, and whose it is."""
        client, server = self.ends["client"].deadline, self.ends["server"].deadline
        if server and (not client or server.until < client.until):
            return server, "server"
        return client, "client"

    def _happen(self, due: _Due) -> None:
        """A segment arrives or dies, or a user calls."""
        if due.segment is not None:
            flight = self._new_flight() if due.flight < 0 else due.flight
            if not due.end or due.end in self.down:
                door = due.end if due.flight < 0 else ""  # nobody saw it leave: whose is it?
                self.steps.append(Step(due.time, door, Kind.LOSE, None, due.segment, flight))
                return
            outcome = self._arrive(due.end, due.segment, due.time)
            outcome = self._with_old_data(due, due.end, flight, outcome)
            self._count_round(due, due.end, due.segment, outcome)
            self._write(due.time, due.end, Kind.ARRIVE, outcome, due.segment, flight)
        elif due.end:
            gone = due.life < self.lives[due.end]
            if gone and due.entered not in (None, State.CLOSED):
                return
            self._call(due, due.end)

    def _with_old_data(self, due: _Due, name: Name, flight: int, outcome: Outcome) -> Outcome:
        """Say so if the text taken in is not from the connection that this end is in.

        Two ends are in one connection if each took the SYN of the other's incarnation. What the
        network injects is from before the run.
        """
        segment, injected = due.segment, due.flight < 0
        assert segment is not None
        first = outcome.edges[0] if outcome.edges else None
        if first and first.event in _TAKES_A_SYN and first.target is not State.LISTEN:
            self.peers[name] = None if injected else segment.incarnation
        if not outcome.text:
            return outcome
        mine = outcome.end.opens - 1
        if injected:
            old = say("old_data_injected")
        elif (self.peers.get(name), self.senders[flight]) != (segment.incarnation, mine):
            old = say("old_data", end=_peer(name))
        else:
            return outcome
        return outcome._replace(says="; ".join(filter(None, (outcome.says, old))))

    def _call(self, due: _Due, name: Name) -> None:
        """A user calls, or something befalls a host; a host that is down can only restart."""
        end = self.ends[name]
        if due.call == RESTART:
            self.down.discard(name)
        elif name in self.down:
            return
        if due.call == Event.CRASH:
            self.down.add(name)
        same = due.call == RESTART
        outcome = Outcome(end) if same else end.call(Event(due.call), due.time, due.octets)
        self._write(due.time, name, Kind.CALL, outcome, text=due.call)

    def _write(
        self,
        now: int,
        name: Name,
        kind: Kind,
        outcome: Outcome,
        segment: Segment | None = None,
        flight: int | None = None,
        text: str = "",
    ) -> None:
        """Write the step and the departures it caused, and let the application react."""
        end = self.ends[name] = outcome.end
        state, timers, numbers = end.state, end.deadlines, end.variables
        edges = tuple([edge.id for edge in outcome.edges])
        self.steps.append(
            Step(
                now, name, kind, state, segment, flight, text, outcome.says, edges, timers, numbers
            )
        )
        for left in outcome.sent:
            number = self._new_flight()
            self.steps.append(
                Step(now, name, Kind.DEPART, state, left, number, "", "", (), timers, numbers)
            )
            self.senders[number] = self.peers.get(name)
            self._send(now, name, left, number)
        if outcome.edges:  # the two are somewhere else now
            self.rounds.clear()
            self.circling = {}
        for edge in outcome.edges:
            if edge.target is State.CLOSED or (edge.source, edge.target) == _REOPENS:
                self.lives[name] += 1
        for edge in outcome.edges:
            for on in self.scenario.reactions:
                if on.end == name and on.state == edge.target:
                    what = {"call": on.call, "octets": on.octets, "entered": on.state}
                    self._schedule(now + on.after, _CALL, name, life=self.lives[name], **what)

    def _arrive(self, name: Name, segment: Segment, now: int) -> Outcome:
        """The end reads the segment, unless its host refuses it or reads a SYN cookie out of it."""
        end = self.ends[name]
        refusal = self._refusal(name, segment)
        if refusal:
            return self._refuse(refusal, segment, now)
        kept = self.cookies.get(name)
        brought = kept.end.variables if kept and end.state is State.LISTEN else None
        ack = segment.seq, segment.ack, segment.ctl & (SYN | ACK | RST)
        if kept and brought and ack == (brought.rcv_nxt, brought.snd_nxt, ACK):
            outcome = kept.end.arrive(segment, now)
            return outcome._replace(edges=kept.edges + outcome.edges)
        return end.arrive(segment, now)

    def _refusal(self, name: Name, segment: Segment) -> Refuse | None:
        """The refusal that the scenario has for this arrival, if it reaches the listener."""
        state, found = self.ends[name].state, None
        for index, fault in enumerate(self.scenario.network):
            if not isinstance(fault, Refuse) or fault.end != name:
                continue
            begun = state is State.SYN_RECEIVED and fault.answer != "cookie"
            if not (begun or state is State.LISTEN) or not matches(segment, fault.which):
                continue
            self.matched[index] += 1
            if found is None and fault.nth in (None, self.matched[index]):
                found = fault
        return found

    def _refuse(self, refusal: Refuse, segment: Segment, now: int) -> Outcome:
        """A queue is full: drop the segment, answer with RST, or answer a SYN with a cookie."""
        end = self.ends[refusal.end]
        says = say(f"full_{refusal.answer}", queue=say(f"queue_{refusal.queue}"))
        if refusal.answer == "cookie":
            self.cookies[refusal.end] = end.arrive(segment, now)
            return Outcome(end, self.cookies[refusal.end].sent, says=says)
        if refusal.answer == "RST" and end.state is State.SYN_RECEIVED:
            over = end.call(Event.ABORT, now)
            return over._replace(sent=Endpoint().arrive(segment, now).sent, says=says)
        if refusal.answer == "RST":  # answered as in CLOSED, whether anything has begun or not
            return Outcome(end, Endpoint().arrive(segment, now).sent, says=says)
        return Outcome(end, says=says)

    def _new_flight(self) -> int:
        self.flights += 1
        return self.flights - 1

    def _send(self, now: int, sender: Name, segment: Segment, flight: int) -> None:
        """Hand a segment to the network, which does to it what the scenario says."""
        receiver: Name | Literal[""] = _peer(sender)
        arrivals = [now + self.scenario.delay]
        lost = False
        for index, fault in enumerate(self.scenario.network):
            if isinstance(fault, (Inject, Refuse)) or fault.end != sender:
                continue
            if not matches(segment, fault.which):
                continue
            self.matched[index] += 1  # also when another fault has lost it: it was sent
            if fault.nth not in (None, self.matched[index]):
                continue
            if isinstance(fault, Lose):
                lost = True
            elif isinstance(fault, Delay):
                arrivals = [arrival + fault.by for arrival in arrivals]
            else:
                arrivals.append(arrivals[0] + fault.by)
        if lost:
            receiver, arrivals = "", [now + self.scenario.delay // 2]
        for arrival in arrivals:
            self._schedule(arrival, _WIRE, receiver, segment=segment, flight=flight)

    def _check_faults(self) -> None:
        """A fault that waits for a segment that is never sent is a mistake of the scenario.

        A refusal changes what is sent after it, so beside one only refusals are held to this.
        """
        refuses = any(isinstance(fault, Refuse) for fault in self.scenario.network)
        for index, fault in enumerate(self.scenario.network):
            if isinstance(fault, Inject) or self.matched[index] >= (fault.nth or 1):
                continue
            if isinstance(fault, Refuse):
                raise ScenarioError(
                    f"network[{index}]: no {fault.which} number {fault.nth or 1} reaches"
                    f" the listener of {fault.end}"
                )
            if refuses:
                continue
            sent = [s.segment for s in self.steps if s.kind is Kind.DEPART and s.end == fault.end]
            raise ScenarioError(
                f"network[{index}]: {fault.end} never sends {fault.which} number {fault.nth or 1};"
                f" it sends {', '.join(each.control for each in sent if each) or 'nothing'}"
            )

    def _iss(self, name: Name) -> tuple[int, bool]:
        """The ISS that relative numbers are counted from, that of the last SYN sent; if one was."""
        for step in reversed(self.steps):
            left = step.segment if step.end == name and step.kind is Kind.DEPART else None
            if left and left.ctl & SYN:
                return left.seq, True
        return 0, False


def _peer(name: Name) -> Name:
    return "server" if name == "client" else "client"
