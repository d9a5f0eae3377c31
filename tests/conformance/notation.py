"""Read a file of state-event cases: what its steps are, and one clear error where it is not so."""

import json
import re
from pathlib import Path
from typing import Any, Final, NamedTuple

from tcpviz.segment import CONTROL_BITS, NUMBERS
from tcpviz.states import State
from tcpviz.units import MS, S

MODES: Final = ("default", "rfc5961", "rfc793")
VARIANTS: Final = (None, "STANDARD", "FreeBSD")

CALLS: Final = {
    "socket": (),
    "bind": ("fd",),
    "listen": ("fd", "backlog"),
    "connect": ("fd",),
    "accept": ("fd",),
    "close": ("fd",),
    "shutdown": ("fd", "how"),
    "setsockopt": ("fd", "option", "value"),
    "fcntl": ("fd", "what"),
    "read": ("fd", "bytes"),
    "recv": ("fd", "bytes"),
    "write": ("fd", "bytes"),
    "send": ("fd", "bytes"),
}
"""The calls of sockets, each with its arguments."""

IDLE_OPTIONS: Final = (
    "SO_REUSEADDR",
    "SO_REUSEPORT",
    "SO_DEBUG",
    "SO_KEEPALIVE",
    "SO_RCVBUF",
    "SO_SNDBUF",
    "TCP_NODELAY",
)
"""Options that change nothing which a case shows."""
OPTIONS: Final = (*IDLE_OPTIONS, "SO_LINGER", "TCP_FASTOPEN")

_WORDS: Final = {
    ("shutdown", "how"): ("RD", "WR", "RDWR"),
    ("fcntl", "what"): ("non-blocking", "blocking"),
    ("setsockopt", "option"): OPTIONS,
}
_NAMES: Final = {
    "CLOSE": State.CLOSED,
    "SYN_RCVD": State.SYN_RECEIVED,
    "SYN_RECV": State.SYN_RECEIVED,
    "FIN_WAIT1": State.FIN_WAIT_1,
    "FIN_WAIT2": State.FIN_WAIT_2,
}
_TIME: Final = re.compile(r"(?P<plus>\+?)(?P<s>\d{1,6})(\.(?P<part>\d{1,9}))?")
_RESULT: Final = re.compile(r"\d+|-1 E[A-Z]+")
_SEGMENT: Final = ("dir", "flags", "seq", "ack", "len")


class NotationError(Exception):
    """The file is not in the notation; says where."""


class Case(NamedTuple):
    """One case: where the end is to be, what happens to it and what it must show."""

    id: str
    state: State
    stimulus: str
    mode: str
    variant: str | None
    steps: tuple[dict[str, Any], ...]


def state(name: Any) -> State | None:
    """The state that a socket interface's name for it means, None for any other word.

    >>> state("SYN_RCVD"), state("TIME-WAIT")
    (<State.SYN_RECEIVED: 'SYN-RECEIVED'>, <State.TIME_WAIT: 'TIME-WAIT'>)
    """
    word = str(name).replace("-", "_")
    if word in _NAMES:
        return _NAMES[word]
    return State.__members__.get(word)


def moment(text: str) -> tuple[bool, int]:
    """Whether a time is counted from the step before, and the time in ns.

    >>> moment("+0.10"), moment("2.00")
    ((True, 100000000), (False, 2000000000))
    """
    found = _TIME.fullmatch(text)
    if not found:
        raise NotationError(f'"t" is "+0.10" or "2.00" (seconds), not {text!r}')
    part = int((found["part"] or "0").ljust(9, "0"))
    return bool(found["plus"]), int(found["s"]) * S + part


def load(path: str) -> tuple[Case, ...]:
    """The cases of a file. NotationError says in one line what cannot be read, and where."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NotationError(f"{path}: cannot be read: {reason}") from None
    cases = data.get("cases") if isinstance(data, dict) else None
    if not isinstance(cases, list):
        raise NotationError(f'{path}: no list "cases" in it')
    try:
        return tuple(_case(case, number) for number, case in enumerate(cases))
    except NotationError as error:
        raise NotationError(f"{path}: {error}") from None


def _case(case: Any, number: int) -> Case:
    """Read one case; the error names it."""
    name = case.get("id") if isinstance(case, dict) else None
    where = name if isinstance(name, str) else f"case {number}"
    if not isinstance(case, dict):
        raise NotationError(f"{where}: a case is an object, not {case!r:.40}")
    allowed = {*Case._fields, "linux_6_18", "linux_class"}
    if unknown := sorted(set(case) - allowed):
        raise NotationError(f"{where}: unknown field {unknown[0]!r}")
    if missing := [field for field in ("id", "state", "mode", "steps") if field not in case]:
        raise NotationError(f"{where}: no field {missing[0]!r}")
    target = state(case["state"])
    if not isinstance(name, str) or target is None:
        raise NotationError(f"{where}: unknown state {case['state']!r}")
    for field, known in (("mode", MODES), ("variant", VARIANTS)):
        if case.get(field) not in known:
            raise NotationError(f"{where}: unknown {field} {case[field]!r}")
    if not isinstance(case["steps"], list):
        raise NotationError(f'{where}: "steps" is a list')
    steps = []
    for index, step in enumerate(case["steps"]):
        try:
            steps.append(_step(step))
        except NotationError as error:
            raise NotationError(f"{where}: step {index}: {error}") from None
    stimulus = str(case.get("stimulus", ""))
    return Case(name, target, stimulus, case["mode"], case.get("variant"), tuple(steps))


def _step(step: Any) -> dict[str, Any]:
    """Check one step and give it back, times read."""
    kinds = ("call", "dir", "assert_state", "assert_so_error", "assert_count")
    kind = next((kind for kind in kinds if isinstance(step, dict) and kind in step), None)
    if kind is None:
        raise NotationError(f"neither a call, a segment nor an assert: {json.dumps(step):.60}")
    if kind == "call":
        wanted = _call(step)
    elif kind == "dir":
        wanted = _segment(step)
    else:
        wanted = _look(step, kind)
    optional = {"t", "opts"} if kind == "dir" else {"t"} if kind == "call" else {"t", "fd"}
    if unknown := sorted(set(step) - set(wanted) - optional):
        raise NotationError(f"unknown field {unknown[0]!r}")
    if missing := [field for field in wanted if field not in step]:
        raise NotationError(f"no field {missing[0]!r}")
    time = step.get("t", "+0.00")
    if not isinstance(time, str):
        raise NotationError(f'"t" is "+0.10" or "2.00" (seconds), not {time!r}')
    for field in ("fd", "bytes", "backlog", "len"):
        if field in step and (type(step[field]) is not int or not 0 <= step[field] < NUMBERS):
            raise NotationError(f"{field!r} is a count, not {step[field]!r}")
    return {**step, "t": moment(time)}


def _call(step: dict[str, Any]) -> tuple[str, ...]:
    name = step["call"]
    if not isinstance(name, str) or name not in CALLS:
        raise NotationError(f"unknown call {name!r}")
    if not isinstance(step.get("result"), str) or not _RESULT.fullmatch(step["result"]):
        raise NotationError(f'"result" is "3" or "-1 ERROR", not {step.get("result")!r}')
    for argument in CALLS[name]:
        words = _WORDS.get((name, argument))
        if words and argument in step and step[argument] not in words:
            raise NotationError(f"unknown {argument} {step[argument]!r}")
    return ("call", "result", *CALLS[name])


def _segment(step: dict[str, Any]) -> tuple[str, ...]:
    if step["dir"] not in ("in", "out"):
        raise NotationError(f'"dir" is "in" or "out", not {step["dir"]!r}')
    flags = step.get("flags")
    if not isinstance(flags, list) or any(flag not in list(CONTROL_BITS) for flag in flags):
        raise NotationError(f"unknown flags {flags!r}")
    for field in ("seq", "ack"):
        value = step.get(field)
        number = type(value) is int and -NUMBERS < value < NUMBERS
        needed = step["dir"] == "in" and (field == "seq" or "ACK" in flags)
        if not number and (value is not None or needed):
            raise NotationError(f"{field!r} is a sequence number, not {value!r}")
    return _SEGMENT


def _look(step: dict[str, Any], kind: str) -> tuple[str, ...]:
    asked = step[kind]
    if kind == "assert_so_error":
        if asked not in ("0", 0) and not re.fullmatch(r"E[A-Z]+", str(asked)):
            raise NotationError(f"unknown error {asked!r}")
        return (kind,)
    if state(asked) is None:
        raise NotationError(f"unknown state {asked!r}")
    if kind == "assert_state":
        return (kind,)
    if type(step.get("n")) is not int:
        raise NotationError(f'"n" is a count, not {step.get("n")!r}')
    return (kind, "n")


TOLERANCE: Final = 75 * MS
"""How far a segment may leave beside its time: the suite's own tolerance."""
