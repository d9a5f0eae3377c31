"""What the JSON of a trace must be like before a Trace is made of it.

Knows the fields that Trace.to_json writes and what can stand in each: a trace of which this finds
no fault can be printed and drawn. Must not know how.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final

from tcpviz.segment import ACK, CONTROL_BITS, NUMBERS, bits
from tcpviz.states import TRANSITIONS, State
from tcpviz.steps import Kind
from tcpviz.trace import SCHEMA

_LATEST: Final = 1 << 63
_EDGES: Final = {edge.id for edge in TRANSITIONS}
_SOURCES: Final = ("simulation", "capture", "kernel")

_Rule = tuple[Callable[[Any], bool], str]
_Fields = dict[str, _Rule]


def fault(data: Any) -> str:
    """The first thing that is wrong with the JSON of a trace, and where; "" if it is right."""
    return next(_faults(data), "")


def _faults(data: Any) -> Iterator[str]:
    """What is wrong. Each check relies on those before it, so that only the first fault is sure."""
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        yield f'not a trace: expected "schema": "{SCHEMA}"'
    yield from _misfits(data, _TRACE)
    for name, fields in (("ends", _END), ("segments", _SEGMENT), ("steps", _STEP)):
        for index, entry in enumerate(data[name]):
            yield from _misfits(entry, fields, f"{name}[{index}]")
    yield from _contradictions(data)


def _contradictions(data: dict[str, Any]) -> Iterator[str]:
    """Fields that are right alone and cannot be together."""
    names = [end["name"] for end in data["ends"]]
    if len(set(names)) != 2 or "" in names:
        yield "ends: expected two, each with a name of its own"
    for index, end in enumerate(data["ends"]):
        if end.get("iss", 0) is None and end.get("syn_seen", True):
            yield f"ends[{index}].iss: null goes only with syn_seen false"
    for index, segment in enumerate(data["segments"]):
        where = f"segments[{index}]"
        if segment["from"] not in names:
            yield f"{where}.from: {segment['from']!r} is none of the ends"
        if (segment["ack_absolute"] is None) is bool(bits(",".join(segment["flags"])) & ACK):
            yield f"{where}.ack_absolute: a number goes with the flag ACK, and only with it"
    seen: dict[int, list[Kind]] = {index: [] for index in range(len(data["segments"]))}
    for index, step in enumerate(data["steps"]):
        where, kind, number = f"steps[{index}]", Kind(step["kind"]), step.get("segment")
        if (number is None) is (kind in _OF_SEGMENTS):
            yield f"{where}: {kind} {'needs a' if number is None else 'has no'} segment"
        sender = ""
        if number is not None:
            if number not in seen:
                yield f"{where}.segment: there is no segments[{number}]"
            seen[number].append(kind)
            sender = data["segments"][number]["from"]
        alone = kind is Kind.LOSE and step["end"] and seen[number] == [kind]
        if alone:  # nobody saw it leave
            seen[number] = [Kind.ARRIVE]
        if step["end"] not in _places(Kind.ARRIVE if alone else kind, sender, names):
            yield f"{where}.end: {step['end']!r} is not where a step of kind {kind} can be"
    for number, kinds in seen.items():
        if not kinds or kinds[0] is Kind.LOSE or Kind.DEPART in kinds[1:]:
            yield f"segments[{number}]: expected a step where it departs, then what became of it"
    for index, (one, two) in enumerate(pairwise(data["steps"]), 1):
        if one["at_ns"] > two["at_ns"]:
            yield f"steps[{index}].at_ns: earlier than the step before"


_OF_SEGMENTS: Final = {Kind.DEPART, Kind.ARRIVE, Kind.LOSE}


def _places(kind: Kind, sender: str, names: list[str]) -> list[str]:
    """The ends where a step of this kind can be, if it is of a segment: one of this sender."""
    if kind is Kind.LOSE:
        return [""]
    if kind in _OF_SEGMENTS:
        return [name for name in names if (name == sender) is (kind is Kind.DEPART)]
    return names


def _misfits(data: Any, fields: _Fields, where: str = "") -> Iterator[str]:
    """Fields of an object that are missing or hold what they cannot; `?` marks optional ones."""
    if not isinstance(data, dict):
        yield f"{where}: expected an object"
        return
    for field, (fits, wanted) in fields.items():
        name = field.removesuffix("?")
        path = f"{where}.{name}".removeprefix(".")
        if name in data:
            if not fits(data[name]):
                yield f"{path}: expected {wanted}"
        elif name == field:
            yield f"{path}: missing; expected {wanted}"


def _whole(value: Any, below: int = _LATEST) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below


def _list(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _object(fields: _Fields) -> Callable[[Any], bool]:
    return lambda value: not any(_misfits(value, fields)) and len(value) == len(fields)


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_option(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not _is_text(value[0]):
        return False
    return _is_text(value[1]) or isinstance(value[1], int) or _list(_whole)(value[1])


_TEXT: Final = (_is_text, "text")
_BOOL: Final = (lambda value: isinstance(value, bool), "true or false")
_TIME: Final = (_whole, "a time in ns, 0 or more")
_COUNT: Final = (_whole, "a whole number, 0 or more")
_NUMBER: Final = (lambda value: _whole(value, NUMBERS), "a number of 32 bits")
_NUMBER_OR_NULL: Final = (
    lambda value: value is None or _whole(value, NUMBERS),
    "a number of 32 bits or null",
)

_TRACE: Final[_Fields] = {
    "title": _TEXT,
    "source": (_one_of(*_SOURCES), f"one of {', '.join(_SOURCES)}"),
    "start_ns": _TIME,
    "ends": (_list(lambda value: isinstance(value, dict)), "a list of objects"),
    "segments": (_list(lambda value: isinstance(value, dict)), "a list of objects"),
    "steps": (_list(lambda value: isinstance(value, dict)), "a list of objects"),
    "notes": (_list(_is_text), "a list of texts"),
    "rules?": (_list(_is_text), "a list of texts"),
    "until_ns?": _TIME,
}
_END: Final[_Fields] = {
    "name": _TEXT,
    "address?": _TEXT,
    "iss?": _NUMBER_OR_NULL,
    "counted_from?": _NUMBER,
    "syn_seen?": _BOOL,
    "observed?": _BOOL,
}
_SEGMENT: Final[_Fields] = {
    "from": _TEXT,
    "flags": (_list(_one_of(*CONTROL_BITS)), f"a list of {', '.join(CONTROL_BITS)}"),
    "seq_absolute": _NUMBER,
    "ack_absolute": _NUMBER_OR_NULL,
    "length": _COUNT,
    "window": _COUNT,
    "options": (_list(_is_option), "a list of [name, value]"),
    "incarnation?": _COUNT,
}
_TIMER: Final[_Fields] = {"name": _TEXT, "since": _TIME, "until": _TIME}
_VARIABLES: Final[_Fields] = {"snd_una": _NUMBER, "snd_nxt": _NUMBER, "rcv_nxt": _NUMBER}
_STEP: Final[_Fields] = {
    "at_ns": _TIME,
    "end": _TEXT,
    "kind": (_one_of(*Kind), f"one of {', '.join(Kind)}"),
    "state?": (_one_of(*State), f"one of {', '.join(State)}"),
    "segment?": _COUNT,
    "text?": _TEXT,
    "says?": _TEXT,
    "inferred?": _BOOL,
    "edges?": (_list(_one_of(*_EDGES)), "a list of moves such as 'SYN-SENT: rcv SYN,ACK'"),
    "timers?": (_list(_object(_TIMER)), f"a list of objects with {', '.join(_TIMER)}"),
    "variables?": (_object(_VARIABLES), f"an object with {', '.join(_VARIABLES)}"),
}
