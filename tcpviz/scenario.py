"""A Scenario: what happens around two TCPs, as frozen data that can be printed, stored, handed out.

What the users of TCP call and when, how an application reacts on reaching a state, what the
network does to which segment, the delays and the timers. It knows no event loop; times are integer
nanoseconds, written with units: `50 * MS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, NamedTuple, get_args

from tcpviz.endpoint import Settings
from tcpviz.segment import ACK, FIN, NUMBERS, PSH, Segment, bits
from tcpviz.states import Event, State
from tcpviz.units import MIN, MS, S

SCHEMA: Final = "tcpviz.scenario/1"
Name = Literal["client", "server"]
ENDS: Final[tuple[Name, ...]] = get_args(Name)
QUEUES: Final = ("SYN", "accept")
ANSWERS: Final = ("nothing", "RST", "cookie")
CALLS: Final = (Event.PASSIVE_OPEN, Event.ACTIVE_OPEN, Event.SEND, Event.CLOSE, Event.ABORT)


class ScenarioError(ValueError):
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


_LISTS: Final = ("calls", "reactions", "network", "client_iss", "server_iss")


@dataclass(frozen=True)
class Scenario:
    """What happens around two TCPs. Everything is data; times and durations are in ns.

    `delay` is the one-way delay. `rto` is the first retransmission timeout, which doubles (RFC
    6298). `delayed_ack` of 0 is off. An ISS is taken from its tuple at each open. The run ends
    when nothing is left to happen, at the latest at `until`. ScenarioError names a bad field.

    >>> Scenario(calls=[At(0, "client", "OPEN")])
    Traceback (most recent call last):
      ...
    tcpviz.scenario.ScenarioError: calls[0].call: 'OPEN' is not one of passive OPEN, active OPEN, \
SEND, CLOSE, ABORT
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

    def __post_init__(self) -> None:
        for name in _LISTS:  # a list reads better where a scenario is written
            given = getattr(self, name)
            _require(isinstance(given, (list, tuple)), name, "a list", given)
            object.__setattr__(self, name, tuple(given))
        _check(self)

    def settings(self, end: Name) -> Settings:
        """What one end is told."""
        iss = self.client_iss if end == "client" else self.server_iss
        return Settings(iss, self.rto, self.msl, self.delayed_ack)

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
    for name, least in (("delay", 0), ("msl", 0), ("delayed_ack", 0), ("rto", 1), ("until", 1)):
        time = getattr(scenario, name)
        _require(_whole(time, least), name, f"a duration in whole ns, {least} or more", time)
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


def _selects(which: Any) -> bool:
    try:
        return which in ("any", "data") or bits(which) > 0
    except (ValueError, AttributeError, TypeError):
        return False


def _notation(text: Any) -> bool:
    try:
        return bool(Segment.parse(text))
    except (ValueError, AttributeError):
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
    "which": (_selects, "data, any, or control bits such as SYN,ACK"),
    "queue": (lambda queue: queue in QUEUES, f"one of {', '.join(QUEUES)}"),
    "answer": (lambda answer: answer in ANSWERS, f"one of {', '.join(ANSWERS)}"),
    "segment": (_notation, "a segment in RFC notation, <SEQ=90><CTL=SYN>"),
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
