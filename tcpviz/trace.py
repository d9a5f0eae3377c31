"""The Trace: what happened on a connection, step by step, whoever wrote it down.

A simulation, a capture and live sockets all write Steps; every picture, player, table and check
reads only the immutable Trace. It knows no producer and no picture.

Time is integer nanoseconds from the start of the trace. Numbers in segments are absolute; each End
keeps the ISS that relative numbers are counted from.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, Literal, NamedTuple

from tcpviz.segment import ACK, FIN, SYN, Segment, add, distance, relative
from tcpviz.states import TRANSITIONS, State
from tcpviz.steps import End, Fate, Flight, Kind, Span, Step, Wait, spans, waits
from tcpviz.trace_json import end_from, end_json, segment_from, segment_json, step_from, step_json
from tcpviz.units import readable
from tcpviz.words import say

SCHEMA: Final = "tcpviz.trace/1"


@dataclass(frozen=True)
class Trace:
    """An immutable record of one connection (or of one scenario), in order of time.

    `start` is the time of the first step in ns since the epoch where a capture knows it.
    `notes` are sentences a reader must know to read it right (a cut file, clocks that disagree).
    `rules` are those of a simulation that are not the standard's, in words. `until` is when it was
    stopped, in ns, with something still to come; None where it ran out.
    """

    ends: tuple[End, ...]
    steps: tuple[Step, ...]
    title: str = ""
    source: Literal["simulation", "capture", "kernel"] = "simulation"
    start: int = 0
    notes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    until: int | None = None

    display: ClassVar[Callable[["Trace"], dict[str, str]]]
    """How a notebook shows a Trace; the package sets it to draw the sequence chart."""

    def __str__(self) -> str:
        return "\n".join(transcript(self))

    def __repr__(self) -> str:
        ends = ", ".join(end.name for end in self.ends)
        return f"<Trace {self.title or self.source}: {len(self.steps)} steps of {ends}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return Trace.display(self)

    def end(self, name: str) -> End:
        """The end of that name. KeyError names the ends there are."""
        for end in self.ends:
            if end.name == name:
                return end
        raise KeyError(f"no end {name!r} in this trace: it has {[end.name for end in self.ends]}")

    def other(self, name: str) -> End:
        """The end at the other side of a connection of two."""
        return next(end for end in self.ends if end.name != name)

    def of(self, name: str) -> tuple[Step, ...]:
        """What one end did and met; not what died on its way to it."""
        return self._of.get(name, ())

    @cached_property
    def _of(self) -> dict[str, tuple[Step, ...]]:
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            if step.kind is not Kind.LOSE:
                found.setdefault(step.end, []).append(step)
        return {name: tuple(steps) for name, steps in found.items()}

    @property
    def infers(self) -> bool:
        """Whether nobody saw some of its states: they are inferred from the segments."""
        return any(step.inferred and step.state is not None for step in self.steps)

    @property
    def duration(self) -> int:
        """Time of the last step in ns."""
        return self.steps[-1].time if self.steps else 0

    @cached_property
    def flights(self) -> tuple[Flight, ...]:
        """Every segment's way, in order of departure (of arrival, where nobody saw it leave)."""
        ways: dict[int, list[Step]] = {}
        for step in self.steps:
            if step.flight is not None:
                ways.setdefault(step.flight, []).append(step)
        sent: dict[tuple[str, int], _Sent] = {}
        known = all(end.observed for end in self.ends)
        return tuple([self._flight(number, ways[number], sent, known) for number in sorted(ways)])

    def _flight(
        self, number: int, steps: list[Step], before: dict[tuple[str, int], "_Sent"], known: bool
    ) -> Flight:
        segment, sent, lost, sender = steps[0].segment, None, None, ""
        assert segment is not None  # a step with a flight has its segment
        arrived: tuple[int, ...] = ()
        for step in reversed(steps):
            kind = step.kind
            if kind is Kind.DEPART:
                sent, sender = step.time, step.end
            elif kind is Kind.ARRIVE:
                arrived = step.time, *arrived
            elif kind is Kind.LOSE:
                lost = step.time
        sender = sender or self.other(next(s.end for s in steps if s.end)).name
        receiver = self.other(sender).name
        # What was only seen to arrive twice, the network may have duplicated.
        key = sender, segment.incarnation
        mine = before.get(key) or before.setdefault(key, _Sent(set(), []))
        again = sent is not None and mine.repeats(segment)
        fate: Fate = "unknown"
        if known:
            fate = "delivered" if arrived else "lost" if lost is not None else "unknown"
        return Flight(number, sender, receiver, segment, sent, arrived, lost, fate, again)

    def before(self, name: str) -> State | None:
        """The state of an end before its first step; None where that does not tell.

        What a capture saw first tells of it: who answers a SYN was in LISTEN, though no call of the
        user was seen.

        >>> from tcpviz import SCENARIOS, simulate
        >>> simulate(SCENARIOS["handshake"]).before("client")
        <State.CLOSED: 'CLOSED'>
        """
        first = next(iter(self.of(name)), None)
        if first is None or not first.edges:
            return first.state if first else None
        return next((edge.source for edge in TRANSITIONS if edge.id == first.edges[0]), None)

    def spans(self, name: str) -> tuple[Span, ...]:
        """The states one end passed through, each with its stretch of time."""
        return self._spans.get(name, ())

    @cached_property
    def _spans(self) -> dict[str, tuple[Span, ...]]:
        return {name: tuple(spans(steps)) for name, steps in self._of.items()}

    def waits(self, name: str) -> tuple[Wait, ...]:
        """The timers that ran at one end, in order of starting, and how each ended."""
        return self._waits.get(name, ())

    @cached_property
    def _waits(self) -> dict[str, tuple[Wait, ...]]:
        until = self.duration
        return {name: tuple(waits(steps, until)) for name, steps in self._of.items()}

    def notation(self, flight: Flight, *, absolute: bool = True) -> str:
        """A segment in RFC notation, its numbers absolute or counted from the ISSs."""
        if absolute:
            return str(flight.segment)
        s = flight.segment
        return s.notation(self.base(flight.sender, s.seq), self.base(flight.receiver, s.ack))

    def base(self, name: str, number: int) -> int:
        """The ISS that a number of this end counts from: that of its connection, of several."""
        counts = {relative(number, iss): iss for iss in self.isses[name]}
        return counts[min(counts, key=lambda count: (count < 0, abs(count)))]

    @cached_property
    def isses(self) -> dict[str, tuple[int, ...]]:
        """The ISSs of each end, the last one first; a SYN that it never sent does not count."""
        found = {end.name: {end.iss: True} for end in self.ends}
        syns = [flight for flight in self.flights if flight.segment.ctl & SYN]
        answered = {add(f.segment.ack, -1) for f in syns if f.segment.ctl & ACK}
        for flight in syns:
            counts = bool(flight.segment.ctl & ACK) or flight.segment.seq in answered
            if flight.sent is not None or (counts and not self.end(flight.sender).observed):
                found[flight.sender][flight.segment.seq] = True
        return {name: tuple(isses) for name, isses in found.items()}

    def table(self, *, absolute: bool | None = None) -> tuple["Row", ...]:
        """The transcript's lines as rows; ValueError for a trace that has not two ends.

        Numbers are absolute for a simulation, and counted from the ISSs for everything observed.
        """
        return tuple(_rows(self, absolute))

    def to_json(self) -> dict[str, Any]:
        """The trace as plain JSON data; `steps` point at `segments`.

        `seq` and `ack` count from the SYN of their direction, and are null where it was not seen.
        """
        return {
            "schema": SCHEMA,
            "title": self.title,
            "source": self.source,
            "start_ns": self.start,
            "ends": [end_json(end) for end in self.ends],
            "segments": [
                segment_json(each, self.end(each.sender), self.end(each.receiver))
                for each in self.flights
            ],
            "steps": [step_json(step) for step in self.steps],
            "notes": list(self.notes),
            **({"rules": list(self.rules)} if self.rules else {}),
            **({} if self.until is None else {"until_ns": self.until}),
        }

    @classmethod
    def from_json(cls, data: Any) -> "Trace":
        """Read what `to_json` wrote. ValueError says what is wrong and where."""
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise ValueError(f'not a trace: expected "schema": "{SCHEMA}"')
        where = "ends"
        try:
            ends = tuple(map(end_from, data["ends"]))
            segments = []
            for index, entry in enumerate(data["segments"]):
                where = f"segments[{index}]"
                segments.append(segment_from(entry))
            steps = []
            for index, entry in enumerate(data["steps"]):
                where = f"steps[{index}]"
                steps.append(step_from(entry, segments))
            where = "header"
            return cls(
                ends,
                tuple(steps),
                str(data["title"]),
                data["source"],
                int(data["start_ns"]),
                tuple(data["notes"]),
                tuple(data.get("rules", ())),
                int(data["until_ns"]) if "until_ns" in data else None,
            )
        except (KeyError, TypeError, ValueError, IndexError, StopIteration) as problem:
            raise ValueError(f"not a trace: {where}: {problem!r}") from None

    def dumps(self) -> str:
        """The trace as JSON text, the same bytes for the same trace."""
        return json.dumps(self.to_json(), indent=1)


class _Sent(NamedTuple):
    """What one end has sent so far in one connection, and the number after the highest."""

    segments: set[tuple[int, int, int]]
    highest: list[int]  # none or one

    def repeats(self, segment: Segment) -> bool:
        """Whether it was sent before, perhaps cut into other pieces; it counts as sent now."""
        if not segment.span:
            return False
        key = (segment.seq, segment.ctl & (SYN | FIN | ACK), segment.length)
        known, after = key in self.segments, add(segment.seq, segment.span)
        self.segments.add(key)
        old = bool(self.highest) and distance(segment.seq, self.highest[0]) < 0
        if not self.highest or segment.ctl & SYN or distance(after, self.highest[0]) > 0:
            self.highest[:] = [after]
        return known or (old and segment.length > 0 and not segment.ctl & SYN)


def transcript(trace: Trace, *, absolute: bool | None = None) -> Iterator[str]:
    """The lines of a trace of two ends in the notation of the RFC's figures, one event a line.

    Between the states of both ends stands the segment; `...` is the network, as in RFC 9293 Figure
    7. A segment that arrives before anything else happens has one line. Numbers are absolute for a
    simulation, as in the RFC's figures, and counted from the ISSs for everything observed. States
    in parentheses are inferred, also those before the first event.
    """
    rows = list(_rows(trace, absolute))
    width = max((len(row.segment) for row in rows), default=0)
    wide = 14 if trace.infers else 12  # the longest state, in parentheses
    line = f"{{:>10}}  {{:>{wide}}}  {{:3}} {{:{width}}} {{:3}}  {{:{wide}}}  {{}}"
    left, right = (end.name for end in trace.ends)
    yield line.format(say("column_at"), left, "", "", "", right, "").rstrip()
    for row in rows:
        yield line.format(*row).rstrip()
    if trace.infers:
        yield say("inferred")
    yield from trace.notes


class Row(NamedTuple):
    """A line of a transcript: what happened at a time, and the states of both ends after it.

    The marks at the `near` and the `far` side of the segment say which way it goes, and whether it
    leaves, arrives, or both.
    """

    at: str
    left: str
    near: str
    segment: str
    far: str
    right: str
    remarks: str


def _rows(trace: Trace, absolute: bool | None) -> Iterator[Row]:
    if absolute is None:
        absolute = trace.source == "simulation"
    left, right = (end.name for end in trace.ends)
    states = {end.name: "" for end in trace.ends}
    for name in states:
        if any(step.inferred for step in trace.of(name)[:1]):
            states[name] = _shown(trace.before(name), inferred=True)
    texts = {flight.number: trace.notation(flight, absolute=absolute) for flight in trace.flights}
    if any(states.values()):
        yield Row(say("before"), states[left], "", "", "", states[right], "")
    for step, arrival in _merged(trace):
        for each in (step, arrival):
            if each and each.state is not None:
                states[each.end] = _shown(each.state, inferred=each.inferred)
        near, far = _arrows(trace, step, arrival, left)
        yield Row(
            readable(step.time),
            states[left],
            near,
            texts[step.flight] if step.flight is not None else "",
            far,
            states[right],
            "; ".join(_remarks(trace, step, arrival)),
        )


def _shown(state: State | None, *, inferred: bool) -> str:
    """A state as the transcript shows it, in parentheses where nobody saw it."""
    return "" if state is None else f"({state})" if inferred else state


def _merged(trace: Trace) -> Iterator[tuple[Step, Step | None]]:
    """Each step, a departure together with its arrival where nothing happens in between."""
    steps = list(trace.steps)
    index = 0
    while index < len(steps):
        step, after = steps[index], steps[index + 1] if index + 1 < len(steps) else None
        whole = (
            after is not None
            and step.kind is Kind.DEPART
            and after.kind is Kind.ARRIVE
            and step.flight == after.flight
        )
        yield step, after if whole else None
        index += 2 if whole else 1


def _arrows(trace: Trace, step: Step, arrival: Step | None, left: str) -> tuple[str, str]:
    """The marks beside the end at the left and beside the end at the right."""
    if step.flight is None:
        return "", ""
    to_right = trace.flights[step.flight].sender == left
    arrow = "-->" if to_right else "<--"
    leaves, arrives = {
        Kind.DEPART: (arrow, arrow if arrival else "..."),
        Kind.ARRIVE: ("...", arrow),
        Kind.LOSE: ("...", "X"),
    }[step.kind]
    return (leaves, arrives) if to_right else (arrives, leaves)


def _remarks(trace: Trace, step: Step, arrival: Step | None) -> Iterator[str]:
    if step.kind is Kind.CALL:
        yield f"{step.end}: {step.text}"
    elif step.kind is Kind.TIMEOUT:
        yield f"{step.end}: {say('expired', timer=step.text)}"
    if step.flight is not None:
        flight = trace.flights[step.flight]
        if step.kind is Kind.LOSE:
            yield say("lost_unseen") if step.inferred else say("lost")
        elif step.kind is Kind.ARRIVE and flight.sent is None and trace.end(flight.sender).observed:
            yield say("unsent")
        elif step.kind is Kind.ARRIVE and step.time in flight.arrived[1:]:
            yield say("copy")
        if step.kind is Kind.DEPART and flight.again:
            yield say("again")
    if arrival:
        yield say("arrives", time=readable(arrival.time))
    for each in (step, arrival):
        if each and each.says:
            yield f"{each.end}: {each.says}"


Trace.display = lambda trace: {"text/plain": str(trace)}
