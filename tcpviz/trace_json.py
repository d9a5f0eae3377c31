"""Steps and segments as plain JSON data, both ways.

Knows what they are made of. Must not know the Trace that holds them.
"""

from collections.abc import Iterable
from typing import Any

from tcpviz.segment import Option, Segment, bits
from tcpviz.states import State
from tcpviz.steps import Kind, Step, Timer, Variables


def step_json(step: Step) -> dict[str, Any]:
    """A step as plain data, without what is empty; its segment is a number."""
    entry: dict[str, Any] = {"at_ns": step.time, "end": step.end, "kind": step.kind}
    if step.state is not None:
        entry["state"] = step.state
    if step.flight is not None:
        entry["segment"] = step.flight
    for field in ("text", "says", "inferred"):
        if getattr(step, field):
            entry[field] = getattr(step, field)
    if step.edges:
        entry["edges"] = list(step.edges)
    if step.timers:
        entry["timers"] = [timer._asdict() for timer in step.timers]
    if step.variables:
        entry["variables"] = step.variables._asdict()
    return entry


def step_from(entry: dict[str, Any], segments: list[Segment]) -> Step:
    """Read what `step_json` wrote."""
    flight = entry.get("segment")
    variables = entry.get("variables")
    return Step(
        int(entry["at_ns"]),
        str(entry["end"]),
        Kind(entry["kind"]),
        State(entry["state"]) if "state" in entry else None,
        None if flight is None else segments[flight],
        flight,
        str(entry.get("text", "")),
        str(entry.get("says", "")),
        tuple(entry.get("edges", ())),
        tuple(Timer(**timer) for timer in entry.get("timers", ())),
        Variables(**variables) if variables else None,
        bool(entry.get("inferred", False)),
    )


def segment_from(entry: dict[str, Any]) -> Segment:
    """Read the absolute numbers of a segment of a trace."""
    return Segment(
        int(entry["seq_absolute"]),
        int(entry["ack_absolute"] or 0),
        bits(",".join(entry["flags"])),
        int(entry["length"]),
        int(entry["window"]),
        tuple(_options(entry["options"])),
        int(entry.get("incarnation", 0)),
    )


def _options(entries: Iterable[Any]) -> Iterable[Option]:
    for name, value in entries:
        yield (name, tuple(value) if isinstance(value, list) else value)
