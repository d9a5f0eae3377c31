"""A population the slow way: every end of every connection moved by one clock, event by event.

Written apart from the package's own walk, to be compared with it. It knows calls, reactions, `Lose`
of any segment, and `Inject`; what it writes of each connection is what every Step says.
"""

import heapq
from dataclasses import dataclass, field
from typing import Any

from tcpviz.endpoint import Endpoint
from tcpviz.listener import Listener
from tcpviz.population import Member
from tcpviz.scenario import Inject, Lose
from tcpviz.segment import ACK, RST, SYN, Segment
from tcpviz.states import Event, State

WIRE, TIMER, CALL = range(3)
Line = tuple[int, str, str, State | None, Segment | None]


@dataclass
class Connection:
    """One member: its ends by its own clock, what it wrote, and what its hosts hold for it."""

    member: Member
    client: Endpoint
    server: Endpoint
    lines: list[Line] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=lambda: {"client": 0, "server": 0})
    cookie: Endpoint | None = None
    in_syn_queue: bool = False
    has_port: bool = False
    over: bool = False


class World:
    """All connections, the listener and the ports."""

    def __init__(self, members: list[Member], listener: Listener, ports: int | None) -> None:
        self.listener, self.ports = listener, ports
        self.due: list[tuple[int, int, int, int, Any]] = []
        self.order = 0
        self.syn_queue = 0
        self.accept_queue: list[int] = []
        self.accepting = 1 if isinstance(listener.accepts, int) else 0
        self.accepted: list[tuple[int, int]] = []
        self.all: list[Connection] = []
        for k, (start, scenario) in enumerate(members):
            ends = (Endpoint(scenario.settings(name)) for name in ("client", "server"))
            self.all.append(Connection(members[k], *ends))
            for call in scenario.calls:
                self.later(start + call.time, CALL, k, (call.end, call.call, call.octets, None))
            for fault in scenario.network:
                if isinstance(fault, Inject):
                    arrives = (fault.end, Segment.parse(fault.segment))
                    self.later(start + fault.time, WIRE, k, arrives)
        if isinstance(listener.accepts, tuple):
            for time in listener.accepts:
                self.later(time, CALL, len(members), None)
        while self.step():
            pass

    def later(self, time: int, rank: int, k: int, what: Any) -> None:
        """Let something happen to a member at its time."""
        self.order += 1
        heapq.heappush(self.due, (time, rank, k, self.order, what))

    def step(self) -> bool:
        """Let the first thing happen; False when there is none."""
        timers = [
            (one.member.start + timer.until, TIMER, k, name)
            for k, one in enumerate(self.all)
            for name in ("client", "server")
            if (timer := getattr(one, name).deadline)
            and not one.over
            and timer.until <= one.member.scenario.until
        ]
        first = min(timers, key=lambda each: each[:3], default=None)
        if first and (not self.due or first[:3] < self.due[0][:3]):
            now, _, k, name = first
            end = getattr(self.all[k], name)
            outcome = end.expire(end.deadline, now - self.all[k].member.start)
            self.write(k, name, "timeout", None, outcome, now)
            return True
        if not self.due:
            return False
        now, rank, k, _, what = heapq.heappop(self.due)
        if k == len(self.all):
            self.accepting += 1
            self.accept(now)
        elif self.all[k].over or now - self.all[k].member.start > self.all[k].member.scenario.until:
            pass
        elif rank == WIRE and what[0] == "lost":
            self.all[k].lines.append((now, "", "lose", None, what[1]))
        elif rank == WIRE:
            self.arrive(k, *what, now)
        else:
            self.call(k, *what, now)
        return True

    def call(self, k: int, name: str, call: str, octets: int, entered: Any, now: int) -> None:
        """The user of an end calls; an active OPEN needs a port."""
        one = self.all[k]
        if entered not in (None, State.CLOSED) and getattr(one, name).state is State.CLOSED:
            return
        if name == "client" and call == Event.ACTIVE_OPEN and not one.has_port:
            if self.ports == 0:
                one.lines.append((now, name, "call", State.CLOSED, None))
                one.over = True
                return
            one.has_port = True
            self.ports = None if self.ports is None else self.ports - 1
        outcome = getattr(one, name).call(Event(call), now - one.member.start, octets)
        self.write(k, name, "call", None, outcome, now)

    def arrive(self, k: int, name: str, segment: Segment, now: int) -> None:
        """A segment arrives; at the server, the listener may have no room."""
        one = self.all[k]
        local = now - one.member.start
        outcome = getattr(one, name).arrive(segment, local)
        state, after = getattr(one, name).state, outcome.end.state
        if name == "client":
            return self.write(k, name, "arrive", segment, outcome, now)
        unread = outcome._replace(end=one.server, sent=(), edges=())
        room = len(self.accept_queue) <= self.listener.backlog
        if state is State.LISTEN and after is State.SYN_RECEIVED:
            answer = self.judge_syn()
            if answer == "cookie":
                one.cookie = outcome.end
                outcome = unread._replace(sent=outcome.sent)
            elif answer == "drop":
                outcome = unread
            else:
                self.syn_queue += 1
                one.in_syn_queue = True
        elif state is State.LISTEN and one.cookie and self.fits(one.cookie, segment):
            if not room:
                return self.write(k, name, "arrive", segment, unread, now)
            one.server = one.cookie
            outcome = one.server.arrive(segment, local)
            self.accept_queue.append(k)
        elif state is State.LISTEN and after is State.ESTABLISHED:  # a handshake of two segments
            if room:
                self.accept_queue.append(k)
            else:
                outcome = unread
        elif one.in_syn_queue and any("ACK of SYN" in edge.id for edge in outcome.edges):
            if room:
                self.accept_queue.append(k)
            elif self.listener.abort_on_overflow:
                answer = Endpoint().arrive(segment, local).sent  # as where nobody listens
                outcome = one.server.call(Event.ABORT, local)._replace(sent=answer)
            else:
                outcome = unread
        self.write(k, name, "arrive", segment, outcome, now)
        self.accept(now)
        return None

    def judge_syn(self) -> str:
        """Whether a SYN gets in, is dropped, or is answered by a cookie."""
        full = self.syn_queue >= self.listener.backlog + 1
        if full and not self.listener.cookies:
            return "drop"
        if len(self.accept_queue) >= self.listener.backlog + 1:
            return "drop"
        if full:
            return "cookie"
        most = self.listener.syn_backlog
        free = most - self.syn_queue
        return "drop" if not self.listener.cookies and free < most // 4 else "in"

    def fits(self, cookie: Endpoint, segment: Segment) -> bool:
        """Whether the ACK brings this cookie back."""
        plain = segment.ctl & (SYN | ACK | RST) == ACK
        return plain and (segment.seq, segment.ack) == (cookie.rcv_nxt, cookie.snd_nxt)

    def accept(self, now: int) -> None:
        """The application takes the oldest."""
        while self.accept_queue and self.accepting:
            self.accepted.append((self.accept_queue.pop(0), now))
            if self.listener.accepts != 0:
                self.accepting -= 1
            if isinstance(self.listener.accepts, int) and self.listener.accepts:
                self.later(now + self.listener.accepts, CALL, len(self.all), None)

    def write(self, k: int, name: str, kind: str, segment: Any, outcome: Any, now: int) -> None:
        """Write down what happened, give back what is free, send and react."""
        one = self.all[k]
        setattr(one, name, outcome.end)
        state = outcome.end.state
        one.lines.append((now, name, kind, state, segment))
        if one.in_syn_queue and one.server.state is not State.SYN_RECEIVED:
            one.in_syn_queue = False
            self.syn_queue -= 1
        if one.has_port and one.client.state is State.CLOSED:
            one.has_port = False
            self.ports = None if self.ports is None else self.ports + 1
        scenario = one.member.scenario
        for leaving in outcome.sent:
            one.lines.append((now, name, "depart", state, leaving))
            one.sent[name] += 1
            lost = Lose(name, "any", one.sent[name]) in scenario.network or any(
                isinstance(fault, Lose) and fault == Lose(name, leaving.control, None)
                for fault in scenario.network
            )
            to = "lost" if lost else {"client": "server", "server": "client"}[name]
            delay = scenario.delay // 2 if lost else scenario.delay
            self.later(now + delay, WIRE, k, (to, leaving))
        for edge in outcome.edges:
            for on in scenario.reactions:
                if on.end == name and on.state == edge.target:
                    self.later(now + on.after, CALL, k, (name, on.call, on.octets, on.state))
