"""Whether a JSON file has the shape of a recording, field by field, before anybody reads it.

It knows which field is a number, within which bounds, and which a word; not what they mean. The
bounds leave room for anything that two hosts can do and none for a run without an end.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from tcpviz.scenario import ENDS
from tcpviz.segment import CONTROL_BITS, NUMBERS

_LONGEST: Final = 1_000_000
"""Seconds: eleven days, more than any timer of TCP takes."""
_MANY: Final = 100_000
BULK: Final = 1 << 18
"""Octets of one send. The model has no send window, which more than this would wait for."""

Check = Callable[[str, Any], None]
"""Raises BadRecording, with where the value stands, if the value cannot be what it should."""


class BadRecording(ValueError):
    """What cannot be read, and where."""


class UnknownWord(ValueError):
    """A setting that no rule follows, or what the model leaves out."""


def check(data: Any) -> None:
    """BadRecording names the first field that is not what the notation says."""
    _RECORDING("", data)
    hosts = [data["addresses"][end].rsplit(":", 1)[0] for end in ENDS]
    if hosts[0] == hosts[1]:
        raise BadRecording(f"addresses: both ends are {hosts[0]}")
    for index, each in enumerate(data["segments"]):
        where = f"segments[{index}]"
        if not {each["src"].rsplit(":", 1)[0], each["dst"].rsplit(":", 1)[0]} & {*hosts}:
            raise BadRecording(f"{where}: neither src nor dst is an end's address")
        if each["t_tx"] is None and each["t_rx"] is None:
            raise BadRecording(f"{where}: it neither left nor arrived")
    for index, call in enumerate(data["calls"]):
        if call["op"] == "send":
            _send(f"calls[{index}].bytes", call.get("bytes"))


def _send(where: str, octets: Any) -> None:
    _whole(0, NUMBERS * NUMBERS)(where, octets)
    if octets > BULK:
        raise UnknownWord(f"{where}: {octets} is bulk data; the model has no send window")


def shown(value: Any) -> str:
    """A value as it stands in an error: short."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _number(least: float, most: float = _LONGEST) -> Check:
    def number(where: str, value: Any) -> None:
        if (
            type(value) not in (int, float)
            or not math.isfinite(value)
            or not least <= value <= most
        ):
            raise BadRecording(f"{where}: {shown(value)} is not a number from {least} to {most}")

    return number


def _whole(least: int, most: int) -> Check:
    def whole(where: str, value: Any) -> None:
        if type(value) is not int or not least <= value <= most:
            words = f"is not a whole number from {least} to {most}"
            raise BadRecording(f"{where}: {shown(value)} {words}")

    return whole


def _text(pattern: str, meant: str) -> Check:
    def text(where: str, value: Any) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise BadRecording(f"{where}: {shown(value)} is not {meant}")

    return text


def _one_of(words: Sequence[str]) -> Check:
    def one_of(where: str, value: Any) -> None:
        if not isinstance(value, str) or value not in words:
            raise BadRecording(f"{where}: {shown(value)} is not one of {', '.join(words)}")

    return one_of


def _or_null(known: Check) -> Check:
    def or_null(where: str, value: Any) -> None:
        if value is not None:
            known(where, value)

    return or_null


def _list(item: Check, least: int = 0) -> Check:
    def items(where: str, value: Any) -> None:
        if not isinstance(value, list) or not least <= len(value) <= _MANY:
            raise BadRecording(f"{where}: {shown(value)} is not a list of {least} or more")
        for index, each in enumerate(value):
            item(f"{where}[{index}]", each)

    return items


def _object(needed: dict[str, Check], known: dict[str, Check] | None = None) -> Check:
    def fields(where: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise BadRecording(f"{where or 'recording'}: {shown(value)} is not an object")
        prefix = f"{where}." if where else ""
        for name, check in {**needed, **(known or {})}.items():
            if name in value:
                check(f"{prefix}{name}", value[name])
            elif name in needed:
                raise BadRecording(f"{where or 'recording'}: no {name!r}")

    return fields


def _option(where: str, value: Any) -> None:
    """One TCP option, [name, value]; only the MSS is looked into."""
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        raise BadRecording(f"{where}: {shown(value)} is not a name and a value")
    if value[0] == "MSS":
        _whole(0, 65535)(f"{where}[1]", value[1])


def _sysctls(where: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise BadRecording(f"{where}: {shown(value)} is not an object")
    for name, each in value.items():
        if type(each) not in (int, str):
            raise BadRecording(f"{where}.{name}: {shown(each)} is neither a number nor a text")


_TIME: Final = _number(0)
_ANY: Final = _text(r"(?s).{0,1000}", "a text")
_END: Final = _one_of(ENDS)
_ADDRESS: Final = _text(r".{1,100}:\d{1,5}", "an address and port, 10.9.1.1:40000")
_HOST: Final = _text(r".{1,100}", "an address")
_PORT: Final = _text(r"\d{1,5}", "a port")
_SEQ: Final = _or_null(_whole(-NUMBERS, NUMBERS))
_RAW: Final = _or_null(_whole(0, NUMBERS - 1))
_RESULT: Final = _text(r"\d{1,9}( bytes)?|(?!.* bytes$).{1,100}", "a result, ok or 5 bytes")
_VALUE: Final = _number(-_LONGEST * 1000, _LONGEST * 1000)

_CALL: Final = _object(
    {"t": _TIME, "end": _END, "op": _ANY},
    {
        "connection": _or_null(_whole(0, _MANY)),
        "backlog": _whole(-(1 << 31), (1 << 31) - 1),
        "result": _RESULT,
        "how": _ANY,
        "name": _ANY,
        "what": _ANY,
        "onoff": _whole(0, 1),
        **dict.fromkeys(("value", "value_s", "value_ms", "linger_s"), _VALUE),
    },
)
_SEGMENT: Final = _object(
    {
        "src": _ADDRESS,
        "dst": _ADDRESS,
        "from": _one_of((*ENDS, "injected")),
        "flags": _list(_one_of(tuple(CONTROL_BITS))),
        "seq": _SEQ,
        "ack": _SEQ,
        "len": _whole(0, 65535),
        "t_tx": _or_null(_TIME),
        "t_rx": _or_null(_TIME),
        "fate": _ANY,
    },
    {"seq_raw": _RAW, "ack_raw": _RAW, "t_rx_all": _list(_TIME, 1), "opts": _list(_option)},
)
_TRACED: Final = _object(
    {"t": _TIME},
    {
        "side": _END,
        "saddr": _HOST,
        "daddr": _HOST,
        "sport": _PORT,
        "dport": _PORT,
        "oldstate": _ANY,
        "newstate": _ANY,
    },
)
_POLLED: Final = _object(
    {"t": _TIME, "side": _END, "local": _ADDRESS, "remote": _ADDRESS, "state": _or_null(_ANY)},
    {"timer": _or_null(_ANY)},
)
_CHANGE: Final = ("side", "saddr", "daddr", "sport", "dport", "oldstate")


def _traced(where: str, value: Any) -> None:
    """An event of the kernel; a change of state says whose."""
    _TRACED(where, value)
    if "newstate" in value and (missing := [name for name in _CHANGE if name not in value]):
        raise BadRecording(f"{where}: no {missing[0]!r}")


_RECORDING: Final = _object(
    {
        "calls": _list(_CALL),
        "segments": _list(_SEGMENT),
        "addresses": _object(dict.fromkeys(ENDS, _ADDRESS)),
        "one_way_delay_s": _number(0, 1000),
    },
    {
        "sysctls": _object({}, dict.fromkeys(ENDS, _sysctls)),
        "trace": _list(_traced),
        "poll": _list(_POLLED),
    },
)
