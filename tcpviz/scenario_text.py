"""A Scenario as the Python that makes it: for handouts, and to begin one's own from.

Knows the fields of a Scenario. Must not know what they mean.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from tcpviz.rules import LINUX, RFC9293, Rules
from tcpviz.scenario import Scenario
from tcpviz.units import MS, S

_WIDTH: Final = 88  # of a line, where it can be kept
_DURATIONS: Final = {
    *("delay", "rto", "msl", "delayed_ack", "until", "user_timeout", "keepalive"),
    *("time", "after", "by"),
}


def python(scenario: Scenario) -> str:
    """The lines that make the scenario, with what differs from the defaults.

    They use the public names of tcpviz, and give an equal Scenario.

    >>> from tcpviz.scenario import Lose
    >>> print(python(Scenario("", network=[Lose("client", "SYN")], delay=20 * MS)))
    Scenario(
        network=[Lose("client", "SYN")],
        delay=20 * MS,
    )
    """
    lines = ["Scenario("]
    for item in fields(scenario):
        value = getattr(scenario, item.name)
        if value == item.default:
            continue
        if isinstance(value, tuple) and not isinstance(value, Rules):
            lines += _listed(item.name, [_written(item.name, entry) for entry in value])
        else:
            lines.append(f"    {item.name}={_written(item.name, value)},")
    return "\n".join([*lines, ")"])


def _listed(name: str, entries: list[str]) -> Iterator[str]:
    """A list on one line, or with a line for each entry."""
    line = f"    {name}=[{', '.join(entries)}],"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield f"    {name}=["
        yield from (f"        {entry}," for entry in entries)
        yield "    ],"


def _written(name: str, value: Any) -> str:
    if isinstance(value, Rules):
        if value in (RFC9293, LINUX):
            return "LINUX" if value == LINUX else "RFC9293"
        return f"RFC9293._replace({_named(value.differences())})"
    if hasattr(value, "_fields"):  # a call, a reaction, a fault
        defaults = value._field_defaults
        given = value._asdict()
        must = [_written(field, given[field]) for field in given if field not in defaults]
        may = {field: given[field] for field in defaults if given[field] != defaults[field]}
        return f"{type(value).__name__}({', '.join([*must, *filter(None, [_named(may)])])})"
    if isinstance(value, str):
        return _quoted(value)
    if name in _DURATIONS and isinstance(value, int):
        return _duration(value)
    if isinstance(value, tuple):
        entries = [_written("", entry) for entry in value]
        return f"({', '.join(entries)}{',' if len(entries) == 1 else ''})"
    return repr(value)


def _named(values: Mapping[str, Any]) -> str:
    return ", ".join([f"{name}={_written(name, value)}" for name, value in values.items()])


def _quoted(text: str) -> str:
    """The text between double quotes, where Python can have it so."""
    plain = str(text)  # a State or an Event is written as what it says
    literal = repr(plain)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in plain else literal


def _duration(time: int) -> str:
    """Nanoseconds with the largest unit that leaves a whole number."""
    for unit, name in ((S, "S"), (MS, "MS")):
        if time and time % unit == 0:
            return f"{time // unit} * {name}"
    return str(time)
