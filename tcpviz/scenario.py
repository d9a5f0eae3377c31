"""A Scenario: what happens around two TCPs, as frozen data that can be printed, stored, handed out.

What the users of TCP call and when, how an application reacts on reaching a state, what the network
does to which segment, delays and timers. It knows no event loop; times are integer ns: `50 * MS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Final, Literal, NamedTuple, get_args

from tcpviz.mistake import Mistake
from tcpviz.options import complaint
from tcpviz.rules import LINUX, RFC9293, Rules
from tcpviz.segment import ACK, FIN, NUMBERS, PSH, Option, Segment, bits
from tcpviz.states import Event, State
from tcpviz.tcb import Settings
from tcpviz.units import MIN, MS, S

SCHEMA: Final = "tcpviz.scenario/1"
Name = Literal["client", "server"]
ENDS: Final[tuple[Name, ...]] = get_args(Name)
QUEUES: Final = ("SYN", "accept")
ANSWERS: Final = ("nothing", "RST", "cookie")
RESTART: Final = "restart"
CALLS: Final = (
    Event.PASSIVE_OPEN,
    Event.ACTIVE_OPEN,
    Event.SEND,
    Event.RECEIVE,
    Event.CLOSE,
    Event.CLOSE_HALF_DUPLEX,
    Event.ABORT,
    Event.USER_TIMEOUT,
    Event.CRASH,
    RESTART,
)
"""What a user calls (§3.10.1 to §3.10.5), and what befalls a user or a host.

A half-duplex CLOSE reads no more (MAY-1, what close() does; CLOSE alone is shutdown()). A host that
has crashed knows nothing and hears nothing until its restart.
"""
_NAMED_RULES: Final = {"RFC9293": RFC9293, "LINUX": LINUX}


class ScenarioError(Mistake):
    """A Scenario that cannot be run; the message names the field."""


class At(NamedTuple):
    """At `time`, the user of `end` calls; `octets` goes with SEND."""

    time: int
    end: Name
    call: str
    octets: int = 0


class On(NamedTuple):
    """Each time `end` enters `state`, its application calls, `after` ns later.

    An application whose connection has ended meanwhile makes no more calls on it.
    """

    end: Name
    state: str
    call: str
    after: int = 0
    octets: int = 0


class Lose(NamedTuple):
    """The network loses the `nth` segment `which` that `end` sends (None: every one).

    `which` is the control bits as CTL prints them (`SYN`, `SYN,ACK`, `ACK` for a bare
    acknowledgment, `FIN` or `FIN,ACK`, `RST`), or `data`, or `any`. It dies half way.
    """

    end: Name
    which: str
    nth: int | None = 1


class Delay(NamedTuple):
    """The network delays the `nth` segment `which` that `end` sends `by` this much more."""

    end: Name
    which: str
    by: int
    nth: int | None = 1


class Duplicate(NamedTuple):
    """The network delivers the `nth` segment `which` that `end` sends twice, `by` ns apart."""

    end: Name
    which: str
    by: int = 20 * MS
    nth: int | None = 1


class Inject(NamedTuple):
    """At `time` the network delivers to `end` a segment that its peer sent long ago, or never.

    The segment is written as in the RFC's figures: `<SEQ=90><CTL=SYN>`.
    """

    time: int
    end: Name
    segment: str


class Refuse(NamedTuple):
    """The `nth` segment `which` that reaches the listener of `end` finds its `queue` full.

    Only what arrives in LISTEN or SYN-RECEIVED reaches a listener and is counted. Its host drops
    the segment unread (`nothing`), aborts the connection (`RST`), or answers a SYN and keeps
    nothing of it (`cookie`): the ACK that brings the cookie back opens the connection then.
    """

    end: Name
    which: str
    nth: int | None = 1
    queue: str = "accept"
    answer: str = "nothing"


Fault = Lose | Delay | Duplicate | Inject | Refuse
_FAULTS: Final[dict[str, type[Fault]]] = {
    "lose": Lose,
    "delay": Delay,
    "duplicate": Duplicate,
    "inject": Inject,
    "refuse": Refuse,
}


_LISTS: Final = (
    "calls",
    "reactions",
    "network",
    "client_iss",
    "server_iss",
    "receivers",
    "options",
)


@dataclass(frozen=True)
class Scenario:
    """What happens around two TCPs. Everything is data; times and durations are in ns.

    `delay` is the one-way delay. `rto` is the first retransmission timeout, which doubles (RFC
    6298). `delayed_ack`, `user_timeout` and `keepalive` of 0 are off. An ISS is taken from its
    tuple at each open. `rules` are in force at both ends, or at the client where `server_rules` are
    given. The ends named in `receivers` get their data by calling RECEIVE, the others as it comes.
    `options` (MSS, WS, SACK-permitted, TS) are offered with each SYN; those of the server alone are
    `server_options`. The run ends when nothing is left to happen, at the latest at `until`.
    ScenarioError names a bad field.

    >>> Scenario(calls=[At(0, "client", "HANG UP")])
    Traceback (most recent call last):
      ...
    tcpviz.scenario.ScenarioError: calls[0].call: 'HANG UP' is not one of passive OPEN, \
active OPEN, SEND, RECEIVE, CLOSE, half-duplex CLOSE, ABORT, USER TIMEOUT, crash, restart
    """

    name: str = ""
    describe: str = ""
    calls: tuple[At, ...] = ()
    reactions: tuple[On, ...] = ()
    network: tuple[Fault, ...] = ()
    delay: int = 50 * MS
    rto: int = 1 * S
    msl: int = 30 * S
    delayed_ack: int = 0
    client_iss: tuple[int, ...] = (100,)
    server_iss: tuple[int, ...] = (300,)
    until: int = 60 * MIN
    rules: Rules = RFC9293
    server_rules: Rules | None = None
    user_timeout: int = 0
    keepalive: int = 0
    receivers: tuple[Name, ...] = ()
    options: tuple[Option, ...] = ()
    server_options: tuple[Option, ...] | None = None

    def __post_init__(self) -> None:
        several = _LISTS if self.server_options is None else (*_LISTS, "server_options")
        for name in several:  # a list reads better where a scenario is written
            given = getattr(self, name)
            _require(isinstance(given, (list, tuple)), name, "a list", given)
            object.__setattr__(self, name, tuple(given))
        _check(self)

    def settings(self, end: Name) -> Settings:
        """What one end is told."""
        iss = self.client_iss if end == "client" else self.server_iss
        rules = self.rules if end == "client" else self.server_rules or self.rules
        own = None if end == "client" else self.server_options
        return Settings(
            iss,
            self.rto,
            self.msl,
            self.delayed_ack,
            rules=rules,
            user_timeout=self.user_timeout,
            keepalive=self.keepalive,
            reads=end not in self.receivers,
            options=self.options if own is None else own,
        )

    def to_json(self) -> dict[str, Any]:
        """The scenario as plain JSON data; only what differs from the defaults."""
        data: dict[str, Any] = {"schema": SCHEMA}
        for item in fields(self):
            value = getattr(self, item.name)
            if value == item.default:
                continue
            if item.name == "network":
                value = [{"fault": _fault_name(fault), **fault._asdict()} for fault in value]
            elif item.name in ("calls", "reactions"):
                value = [entry._asdict() for entry in value]
            elif isinstance(value, Rules):
                value = _rules_name(value) or value.differences()
            data[item.name] = list(value) if isinstance(value, tuple) else value
        return data

    @classmethod
    def from_json(cls, data: Any) -> "Scenario":
        """Read what `to_json` wrote, or a person. ScenarioError says what is wrong and where."""
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise ScenarioError(f'not a scenario: expected "schema": "{SCHEMA}"')
        given = {key: value for key, value in data.items() if key != "schema"}
        known = {item.name for item in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise ScenarioError(f"{unknown[0]}: a scenario has no such field")
        for name, kind in (("calls", At), ("reactions", On), ("network", None)):
            entries = given.get(name)
            if isinstance(entries, list):
                given[name] = [_entry(f"{name}[{i}]", e, kind) for i, e in enumerate(entries)]
        for name in ("rules", "server_rules"):
            if name in given:
                given[name] = _rules_from(name, given[name])
        for name in ("options", "server_options"):
            if isinstance(given.get(name), list):
                given[name] = [_tuples(option) for option in given[name]]
        return cls(**given)


def matches(segment: Segment, which: str) -> bool:
    """Whether a fault for segments `which` is meant for this one.

    >>> from tcpviz.segment import SYN
    >>> matches(Segment(300, 101, SYN | ACK), "SYN,ACK"), matches(Segment(100, 0, SYN), "SYN,ACK")
    (True, False)
    """
    if which == "any":
        return True
    if which == "data":
        return segment.length > 0
    wanted = bits(which)
    if wanted & FIN:
        wanted |= ACK
    return segment.ctl & ~PSH == wanted and not (wanted == ACK and segment.length)


def _check(scenario: Scenario) -> None:
    """Find the first field that cannot be."""
    for name in ("name", "describe"):
        text = getattr(scenario, name)
        _require(isinstance(text, str), name, "a text", text)
    for name in ("delay", "msl", "delayed_ack", "user_timeout", "keepalive", "rto", "until"):
        time, least = getattr(scenario, name), int(name in ("rto", "until"))
        _require(_whole(time, least), name, f"a duration in whole ns, {least} or more", time)
    for name in ("rules", "server_rules"):
        _check_rules(name, getattr(scenario, name))
    for index, end in enumerate(scenario.receivers):
        _require(end in ENDS, f"receivers[{index}]", f"one of {', '.join(ENDS)}", end)
    for name in ("options", "server_options"):
        if wrong := complaint(getattr(scenario, name) or ()):
            raise ScenarioError(f"{name}{wrong}")
    for name in ("client_iss", "server_iss"):
        isses = getattr(scenario, name)
        fine = isses and all(_whole(iss) and iss < NUMBERS for iss in isses)
        _require(fine, name, "one or more numbers of 32 bits", list(isses))
    for index, call in enumerate(scenario.calls):
        _fields(f"calls[{index}]", call, At)
    for index, reaction in enumerate(scenario.reactions):
        _fields(f"reactions[{index}]", reaction, On)
    for index, fault in enumerate(scenario.network):
        _fields(f"network[{index}]", fault, *_FAULTS.values())


def _check_rules(where: str, rules: Any) -> None:
    """Each rule has a value of the kind of its default."""
    if rules is None and where == "server_rules":
        return
    _require(isinstance(rules, Rules), where, "a set of Rules, such as RFC9293, LINUX", rules)
    for name, value, default in zip(rules._fields, rules, RFC9293, strict=True):
        if isinstance(default, bool):
            _require(isinstance(value, bool), f"{where}.{name}", "True or False", value)
        elif isinstance(default, int):
            fine = _whole(value) or (name.startswith("r2") and value == -1)
            _require(fine, f"{where}.{name}", "a whole number, 0 or more", value)
        else:
            pair = isinstance(value, tuple) and len(value) == 2 and all(map(_whole, value))
            _require(pair, f"{where}.{name}", "two durations in ns", value)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _rules_from(where: str, data: Any) -> Any:
    """Rules from JSON: the name of a set, or what differs from RFC9293, by name."""
    if isinstance(data, str):
        _require(data in _NAMED_RULES, where, f"one of {', '.join(_NAMED_RULES)}", data)
        return _NAMED_RULES[data]
    if not isinstance(data, dict):
        return data
    for name in data:
        _require(name in Rules._fields, f"{where}.{name}", "the name of a rule", name)
    given: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in data.items()}
    return RFC9293._replace(**given)


def _rules_name(rules: Rules) -> str | None:
    return next((name for name, known in _NAMED_RULES.items() if known == rules), None)


def _fields(where: str, entry: Any, *kinds: type) -> None:
    """Check one call, reaction or fault, field by field."""
    names = ", ".join(kind.__name__ for kind in kinds)
    _require(type(entry) in kinds, where, f"one of {names}", entry)
    for field, value in entry._asdict().items():
        fine, wanted = _FIELDS[field]
        _require(fine(value), f"{where}.{field}", wanted, value)
    octets = getattr(entry, "octets", 0)
    sends = getattr(entry, "call", "") == Event.SEND
    _require(bool(octets) == sends, f"{where}.octets", "octets with SEND, and only with it", octets)
    if isinstance(entry, Refuse) and entry.answer == "cookie":
        only = "a SYN, the only segment that a cookie answers"
        _require("SYN" in entry.which.split(","), f"{where}.which", only, entry.which)


def _require(fine: Any, where: str, wanted: str, value: Any) -> None:
    if not fine:
        raise ScenarioError(f"{where}: {value!r} is not {wanted}")


def _whole(value: Any, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _reads(notation: Callable[[Any], Any], text: Any) -> bool:
    try:
        return bool(notation(text))
    except (ValueError, AttributeError, TypeError):
        return False


_FIELDS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "time": (_whole, "a time in ns, 0 or more"),
    "after": (_whole, "a duration in ns, 0 or more"),
    "by": (_whole, "a duration in ns, 0 or more"),
    "octets": (lambda octets: _whole(octets) and octets < 1 << 24, "0 to 16777215 octets"),
    "nth": (lambda nth: nth is None or _whole(nth, 1), "1 or more, or None for every one"),
    "end": (lambda end: end in ENDS, f"one of {', '.join(ENDS)}"),
    "call": (lambda call: call in CALLS, f"one of {', '.join(CALLS)}"),
    "state": (lambda state: state in list(State), f"one of {', '.join(State)}"),
    "which": (
        lambda which: which in ("any", "data") or _reads(bits, which),
        "data, any, or control bits such as SYN,ACK",
    ),
    "queue": (lambda queue: queue in QUEUES, f"one of {', '.join(QUEUES)}"),
    "answer": (lambda answer: answer in ANSWERS, f"one of {', '.join(ANSWERS)}"),
    "segment": (partial(_reads, Segment.parse), "a segment in RFC notation, <SEQ=90><CTL=SYN>"),
}


def _fault_name(fault: Fault) -> str:
    return next(name for name, kind in _FAULTS.items() if isinstance(fault, kind))


def _entry(where: str, entry: Any, kind: Any) -> Any:
    """One call, reaction or fault from JSON."""
    _require(isinstance(entry, dict), where, "an object with its fields", entry)
    given = dict(entry)
    if kind is None:
        name = given.pop("fault", None)
        _require(name in list(_FAULTS), f"{where}.fault", f"one of {', '.join(_FAULTS)}", name)
        kind = _FAULTS[name]
    try:
        return kind(**given)
    except TypeError as problem:
        raise ScenarioError(f"{where}: {str(problem).split('__new__() ')[-1]}") from None
