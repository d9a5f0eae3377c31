"""Run a recording again in the model: the same calls and the same network, but the model's TCPs.

Input are the calls, the one-way delay, what the wire did to which segment, the ISNs and the
sysctls. One member of a population per four-tuple, one listener for all. What segments there are
and when they leave is the model's.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from tcpviz.listener import Listener
from tcpviz.population import Member, Population, populate
from tcpviz.rules import Rules
from tcpviz.scenario import (
    ENDS,
    RESTART,
    At,
    Name,
    Refuse,
    Scenario,
    ScenarioError,
)
from tcpviz.simulate import simulate
from tcpviz.states import Event, State
from tcpviz.steps import Kind
from tcpviz.tcb import Settings
from tcpviz.trace import Trace
from tcpviz.units import MS, S

from .recorded import Call, Pair, Recording
from .sysctls import option_value, rules_of, with_options
from .wire import delay, isns, network, segment_size

_RTO_MIN: Final = 200 * MS
_GRACE: Final = 100 * MS
"""The model runs on so long after the recording ends, so that nothing late is missed."""
_UNSENT: Final = re.compile(r"members\[(\d+)\]\.scenario: network\[(\d+)\]: \w+ never sends")
Change = Callable[[Rules], Rules]
_Amendment = tuple[int, set[int], list[At]]
"""What to mend from when on: calls to leave out, by index, and calls to add."""


@dataclass(frozen=True)
class Recorded(Scenario):
    """A Scenario whose ends have options of their own, as sockets have."""

    timeouts: tuple[tuple[Name, int, int], ...] = ()

    def settings(self, end: Name) -> Settings:
        """What one end is told, its TCP_USER_TIMEOUT and keep-alive among it."""
        settings = super().settings(end)
        for name, user, keep in self.timeouts:
            if name == end:
                settings = settings._replace(user_timeout=user, keepalive=keep)
        return settings


class Replayed(NamedTuple):
    """The model's trace of each connection; whether a connect ended a TIME-WAIT."""

    traces: dict[Pair, Trace]
    replaced: bool


def replay(recording: Recording, change: Change = lambda rules: rules) -> Replayed:
    """Run a recording in the model."""
    plan = _Plan(recording, change)
    while True:
        traces = plan.run()
        amended = {pair for pair, trace in traces.items() if plan.amend(pair, trace)}
        if not amended:
            return Replayed(traces, plan.replaced)


class _Plan:
    """What is put into the model; amended where what a call means depends on the state."""

    def __init__(self, recording: Recording, change: Change) -> None:
        self.recording = recording
        self.replaced = False
        self.pairs = list(dict.fromkeys([*(s.pair for s in recording.sent)]))
        self.pairs += sorted({pair for pair, _ in recording.states} - set(self.pairs))
        self.change = change
        self.listening = {end: _listening(recording.calls, end) for end in ENDS}
        self.calls = {pair: list(self._calls(pair)) for pair in self.pairs}
        self.added: dict[Pair, list[At]] = {pair: [] for pair in self.pairs}
        self.dropped: dict[Pair, set[int]] = {pair: set() for pair in self.pairs}

    def run(self) -> dict[Pair, Trace]:
        """Everything at once: one Member for each four-tuple.

        What the wire did to a segment that is only sent because a queue was full, it can do only
        once that is known: such faults are put off. One that never happens shows as a difference.
        """
        whole = [self._scenario(pair) for pair in self.pairs]
        first = list(whole)
        while True:
            try:
                crowd = populate([Member(0, each) for each in first], self._listener())
                break
            except ScenarioError as problem:
                found = _UNSENT.match(str(problem))
                if not found:
                    raise
                member, fault = int(found[1]), int(found[2])
                network = first[member].network
                first[member] = replace(
                    first[member], network=network[:fault] + network[fault + 1 :]
                )
        return {
            pair: _refused(crowd, index, scenario)
            for index, (pair, scenario) in enumerate(zip(self.pairs, whole, strict=True))
        }

    def _rules(self, end: Name, pair: Pair) -> Rules:
        """The sysctls of an end, and what the socket of this connection sets for itself."""
        rules = with_options(rules_of(self.recording.sysctls[end]), self._options(end, pair))
        rto = 2 * delay(self.recording) + _RTO_MIN
        return self.change(rules._replace(fin_wait_2=max(rules.fin_wait_2, 7 * rto // 2)))

    def _options(self, end: Name, pair: Pair) -> Iterator[dict[str, Any]]:
        """What an end's socket was told; an option that was refused changes nothing."""
        for call in self.recording.calls:
            mine = call.connection is None or self._pair_of(call) == pair
            refused = str(call.values.get("result", "ok")).startswith("E")
            if call.op == "option" and call.end == end and mine and not refused:
                yield call.values

    def _timeouts(self, pair: Pair) -> Iterator[tuple[Name, int, int]]:
        for end in ENDS:
            sysctl = self.recording.sysctls[end].get("tcp_keepalive_time", 7200)
            user, keep, idle = 0, False, sysctl * S
            for values in self._options(end, pair):
                name, value = values["name"], option_value(values)
                user = value if name == "TCP_USER_TIMEOUT" else user
                keep = bool(value) if name == "SO_KEEPALIVE" else keep
                idle = value if name == "TCP_KEEPIDLE" else idle
            if user or keep:
                yield end, user, idle if keep else 0

    def _listener(self) -> Listener:
        calls, sysctls = self.recording.calls, self.recording.sysctls["server"]
        listens = [call for call in calls if call.op == "listen" and call.end == "server"]
        most = sysctls.get("somaxconn", 4096)
        backlog = listens[0].values.get("backlog", 128) if listens else 128
        took = (c for c in calls if c.op == "accept" and c.values.get("result", "ok") == "ok")
        accepts = tuple(c.time for c in took)
        return Listener(
            min(backlog, most) if backlog >= 0 else most,  # below 0 is the most to Linux
            sysctls.get("tcp_max_syn_backlog", 128),
            bool(sysctls.get("tcp_syncookies", 1)),
            bool(sysctls.get("tcp_abort_on_overflow", 0)),
            accepts,
        )

    def _pair_of(self, call: Call) -> Pair | None:
        return self.recording.pairs.get(call.connection) if call.connection is not None else None

    def _scenario(self, pair: Pair) -> Scenario:
        recording = self.recording
        kept = [at for i, (at, _) in enumerate(self.calls[pair]) if i not in self.dropped[pair]]
        sent = [each for each in recording.sent if each.pair == pair]
        return Recorded(
            name=recording.name,
            calls=sorted([*kept, *self.added[pair]], key=lambda at: at.time),
            network=list(network(recording, sent)),
            delay=delay(recording),
            client_iss=isns(sent, "client"),
            server_iss=isns(sent, "server"),
            until=recording.last + _GRACE,
            rules=self._rules("client", pair),
            server_rules=self._rules("server", pair),
            receivers=ENDS,
            timeouts=tuple(self._timeouts(pair)),
            options=(("MSS", segment_size(sent)),),
        )

    # -- calls ---------------------------------------------------------------------------------

    def _calls(self, pair: Pair) -> Iterator[tuple[At, Call]]:
        """The recorded calls in the words of RFC 9293, each with where it comes from."""
        lingers: set[tuple[Name, int | None]] = set()
        segment = segment_size([s for s in self.recording.sent if s.pair == pair])
        for call in self.recording.calls:
            if call.op == "option" and call.values["name"] == "SO_LINGER":
                aborts = bool(call.values.get("onoff", 1)) and option_value(call.values) == 0
                (lingers.add if aborts else lingers.discard)((call.end, call.connection))
            for event, octets in self._events(call, pair, (call.end, call.connection) in lingers):
                whole, rest = divmod(octets, segment)
                for size in [segment] * whole + [rest] * (rest > 0 or not whole):
                    yield At(call.time, call.end, event, size), call

    def _events(self, call: Call, pair: Pair, aborts: bool) -> Iterator[tuple[str, int]]:
        op, ours = call.op, self._pair_of(call) == pair
        result = str(call.values.get("result", "ok"))
        if op == "listen":
            yield Event.PASSIVE_OPEN, 0
        elif op == "crash":
            yield Event.CRASH, 0
        elif op == "restart":
            yield RESTART, 0
        elif op == "kill process":
            if ours or call.connection is None:
                yield Event.CLOSE_HALF_DUPLEX, 0
        elif not ours:
            return
        elif op == "connect":
            yield Event.ACTIVE_OPEN, 0
        elif op == "send" and (result == "ok" or result[:1].isdigit()):
            yield Event.SEND, call.values["bytes"]
        elif op == "receive" and self._read_all(call, pair):
            yield Event.RECEIVE, 0
        elif op == "shutdown" and call.values["how"] == "RDWR":
            yield Event.RECEIVE, 0  # what is unread is no reason to abort, what comes later is
            yield Event.CLOSE_HALF_DUPLEX, 0
        elif op == "shutdown":
            yield Event.CLOSE, 0
        elif op == "close":
            yield Event.ABORT if aborts else Event.CLOSE_HALF_DUPLEX, 0

    def _read_all(self, call: Call, pair: Pair) -> bool:
        """Whether nothing is left unread by this receive; the model knows no half measures."""
        octets = sum(
            int(str(each.values["result"]).split()[0])
            for each in self.recording.calls
            if (each.op, each.end, each.connection) == ("receive", call.end, call.connection)
            and each.time <= call.time
            and str(each.values.get("result", "")).endswith("bytes")
        )
        came = {
            (s.segment.seq, s.segment.length)
            for s in self.recording.sent
            if s.pair == pair
            and s.sender != call.end
            and not s.injected
            and any(time <= call.time for time in s.arrived)
            and self._since(call, pair) <= s.time
        }
        return octets > 0 and octets >= sum(length for _, length in came)

    def _since(self, call: Call, pair: Pair) -> int:
        """When the connection of this call was asked for."""
        opened = (c for c in self.recording.calls if c.op == "connect")
        return next((c.time for c in opened if c.connection == call.connection), 0) - 1 * MS

    # -- what depends on the state -------------------------------------------------------------

    def amend(self, pair: Pair, trace: Trace) -> bool:
        """Mend the first thing that the plan could not know; whether there was one."""
        found = [*self._stray_calls(pair, trace), *self._listener_gone(pair, trace)]
        found += self._listener_there(pair, trace)
        found += self._time_wait_replaced(pair, trace)
        if not found:
            return False
        _, strays, added = min(found, key=lambda each: each[0])
        self.dropped[pair] |= strays
        self.added[pair] += added
        return True

    def _stray_calls(self, pair: Pair, trace: Trace) -> Iterator[_Amendment]:
        """A call on a connection that is over must not meet the listener, or a later connection."""
        for index, (at, call) in enumerate(self.calls[pair]):
            if call.op in ("listen", "crash", "restart", "connect"):
                continue
            if index in self.dropped[pair]:
                continue
            if call.op == "kill process" and call.connection is None:
                queued = _passive(trace, at.end) and not self._accepted(pair, at.time)
                over = queued or _state_before(trace, at) in (State.LISTEN, State.CLOSED)
            else:
                over = _is_over(trace, at, self._since(call, pair))
            if over:
                yield at.time, {index}, []

    def _accepted(self, pair: Pair, until: int) -> bool:
        """Whether an application has taken the connection from the accept queue by then."""
        accepts = (c for c in self.recording.calls if c.op == "accept" and c.time <= until)
        return any(self._pair_of(call) == pair for call in accepts)

    def _time_wait_replaced(self, pair: Pair, trace: Trace) -> Iterator[_Amendment]:
        """A connect from the port of a TIME-WAIT is the end of it; no OPEN of the model's does."""
        for at, call in self.calls[pair]:
            if call.op == "connect" and _state_before(trace, at) is State.TIME_WAIT:
                before = at.time - 1
                forget = [At(before, at.end, Event.CRASH), At(before, at.end, RESTART)]
                if forget[0] not in self.added[pair]:
                    self.replaced = True
                    yield before, set(), forget

    def _listener_there(self, pair: Pair, trace: Trace) -> Iterator[_Amendment]:
        """I-6: the listener stays while a child lives, so it is there when the child is gone."""
        for step in trace.steps:
            end = next((end for end in ENDS if end == step.end), None)
            if not end or not step.edges or step.state is not State.CLOSED:
                continue
            again = At(step.time, end, Event.PASSIVE_OPEN)
            listens = any(since <= step.time < until for since, until in self.listening[end])
            if listens and again not in self.added[pair]:
                yield step.time, set(), [again]

    def _listener_gone(self, pair: Pair, trace: Trace) -> Iterator[_Amendment]:
        """Closing the listener ends what nobody has accepted: with a RST, or unheard of."""
        for end in ENDS:
            for _, until in self.listening[end]:
                at = At(until, end, Event.CLOSE)
                state = _state_before(trace, at)
                if any(each.time == until and each.end == end for each in self.added[pair]):
                    continue
                waits = _passive(trace, end) and not self._accepted(pair, until)
                if state is State.LISTEN:
                    yield until, set(), [at]
                elif state is State.SYN_RECEIVED and waits:
                    yield until, set(), [At(until, end, Event.CRASH), At(until, end, RESTART)]
                elif state is not State.CLOSED and waits:
                    yield until, set(), [At(until, end, Event.ABORT)]


def _refused(crowd: Population, index: int, whole: Scenario) -> Trace:
    """The trace of a member, with everything that the wire did where a queue was full."""
    met = crowd.scenario(index)
    if len(met.network) == len(whole.network):
        return crowd[index]
    refusals = tuple(fault for fault in met.network if isinstance(fault, Refuse))
    try:
        return simulate(replace(whole, network=whole.network + refusals))
    except ScenarioError:
        return crowd[index]


def _listening(calls: tuple[Call, ...], end: Name) -> list[tuple[int, int]]:
    """From when to when there is a listener at an end."""
    spans: list[tuple[int, int]] = []
    since: int | None = None
    for call in calls:
        if call.end != end:
            continue
        closes = call.op == "close" and call.values.get("what") == "listener"
        kills = call.op == "kill process" and call.connection is None
        if call.op == "listen" and since is None:
            since = call.time
        elif since is not None and (closes or kills or call.op == "crash"):
            spans.append((since, call.time))
            since = None
    return [*spans, (since, 1 << 62)] if since is not None else spans


def _state_before(trace: Trace, at: At) -> State:
    """The state in which a call meets its end."""
    state = State.CLOSED
    for step in trace.steps:
        if step.time > at.time or (step.time == at.time and step.kind is Kind.CALL):
            break
        if step.end == at.end and step.state is not None:
            state = step.state
    return state


def _is_over(trace: Trace, at: At, since: int) -> bool:
    """Whether the connection begun at `since` has come and gone at that end."""
    alive = False
    for step in trace.steps:
        if step.time > at.time or (step.time == at.time and step.kind is Kind.CALL):
            break
        if step.end != at.end or step.state is None or step.time < since:
            continue
        gone = step.state in (State.CLOSED, State.LISTEN)
        if alive and gone:
            return True
        alive = alive or not (gone or step.state is State.SYN_RECEIVED)
    return _state_before(trace, at) is State.LISTEN


def _passive(trace: Trace, end: Name) -> bool:
    calls = [step.text for step in trace.steps if step.kind is Kind.CALL and step.end == end]
    return Event.PASSIVE_OPEN in calls
