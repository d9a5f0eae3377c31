"""Ends, steps and segments as plain JSON data, both ways.

Knows what they are made of. Must not know the Trace that holds them.
"""

from collections.abc import Iterable
from typing import Any

from tcpviz.segment import ACK, NUMBERS, Option, Segment, bits, names
from tcpviz.states import State
from tcpviz.steps import End, Flight, Kind, Step, Timer, Variables


def end_json(end: End) -> dict[str, Any]:
    """An end; without its SYN it has no ISS to tell, but a number that its text counts from."""
    if end.syn_seen:
        return end._asdict()
    return {**end._asdict(), "iss": None, "counted_from": end.iss}


def end_from(entry: dict[str, Any]) -> End:
    """Read what `end_json` wrote."""
    fields = dict(entry)
    counted_from = fields.pop("counted_from", 0)
    if fields.get("iss") is None:
        fields["iss"] = counted_from
    return End(**fields)


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


def segment_json(flight: Flight, sender: End, receiver: End) -> dict[str, Any]:
    """A segment and its way; numbers count from the SYN of their direction, if that was seen."""
    segment = flight.segment
    acks = bool(segment.ctl & ACK)
    again = {"incarnation": segment.incarnation} if segment.incarnation else {}
    return {
        "from": flight.sender,
        "flags": list(names(segment.ctl)),
        "seq": (segment.seq - sender.iss) % NUMBERS if sender.syn_seen else None,
        "ack": (segment.ack - receiver.iss) % NUMBERS if acks and receiver.syn_seen else None,
        "seq_absolute": segment.seq,
        "ack_absolute": segment.ack if acks else None,
        "length": segment.length,
        "window": segment.window,
        "options": [list(option) for option in segment.options],
        "sent_ns": flight.sent,
        "arrived_ns": flight.arrived[0] if flight.arrived else None,
        "duplicates_arrived_ns": list(flight.arrived[1:]),
        "unsent": flight.sent is None and sender.observed,
        "fate": flight.fate,
        "retransmission": flight.again,
        **again,
    }


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
