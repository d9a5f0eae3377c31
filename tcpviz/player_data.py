"""What a page has to know of a Trace to play it: each step, and what it changes, as small JSON.

Knows the Trace, where the pictures have what is to be found again, and the words. Must not know
how a page shows it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from tcpviz.pictures import theme
from tcpviz.pictures.figure_5 import BOXES, EDGES, HALF_WIDTH, TOP, box_at, places
from tcpviz.pictures.sequence_chart import moments
from tcpviz.segment import ACK, Segment, names
from tcpviz.states import Edge, State
from tcpviz.steps import End, Flight, Kind, Step
from tcpviz.trace import Trace
from tcpviz.words import say, spoken

_KINDS: Final = list(Kind)
_NO_PEER: Final = (State.CLOSED, State.LISTEN, State.SYN_SENT)  # RCV.NXT means nothing yet
_WORDS: Final = "player_"


def player_data(trace: Trace, *, absolute: bool) -> dict[str, Any]:
    """The trace for a page: ends, flights, edges, boxes and steps; numbers are absolute.

    A step holds only what it changes: `t` is the time, `s` the box its end is in, `m` the edges it
    took, `w` the timers that run and until when, `v` SND.UNA, SND.NXT and RCV.NXT; null where there
    is no TCB. Times are ns, heights pt.
    """
    taken = list(dict.fromkeys(name for step in trace.steps for name in step.moves))
    places_of = {end.name: index for index, end in enumerate(trace.ends)}
    return {
        "title": trace.title or say("chart_title"),
        "absolute": absolute,
        "ends": [
            [end.name, list(trace.isses[end.name]), end.syn_seen, _begins(trace, end), end.observed]
            for end in trace.ends
        ],
        "boxes": {name: [box.state, box.x, box.y, box.half] for name, box in BOXES.items()},
        "half": HALF_WIDTH,
        "colors": [theme.BLUE, theme.ORANGE],
        "edges": [_edge(EDGES[name]) for name in taken],
        "flights": [_flight(trace, flight, places_of, absolute) for flight in trace.flights],
        "steps": list(_steps(trace, taken, places_of)),
        "words": spoken(_WORDS),
    }


class Pack:
    """Runs for one page, what they have in common once: lines of pictures and text, and data.

    `first` is a run that the page has whole.
    """

    def __init__(self, first: dict[str, Any] | None = None) -> None:
        self._lines: dict[str, int] = {}
        self.shared: dict[str, Any] = {}
        if first:
            self.add(first)
        self._known = len(self._lines)

    def add(self, run: dict[str, Any]) -> dict[str, Any]:
        """The run, with numbers of lines in the place of texts; its data without what is shared."""
        data = run["data"]
        for key in SHARED:
            self.shared.setdefault(key, data[key])
        packed = {key: value for key, value in data.items() if self.shared.get(key) != value}
        texts = {
            key: [self._lines.setdefault(line, len(self._lines)) for line in run[key].split("\n")]
            for key in _TEXTS
        }
        return {**run, "data": packed, **texts}

    @property
    def lines(self) -> list[str]:
        """The lines that the numbers mean, after those of the first run."""
        return list(self._lines)[self._known :]


SHARED: Final = ("words", "boxes", "half", "colors", "absolute")
_TEXTS: Final = ("chart", "diagram", "text")


def _edge(edge: Edge) -> list[str]:
    """Source, target, event, and whose rule it is."""
    key = "player_rfc" if edge.section[:1].isdigit() else "player_rule_of"
    key = key if edge.section else "player_no_rule"
    return [edge.source, edge.target, edge.event, say(key, section=edge.section)]


def _flight(
    trace: Trace, flight: Flight, places_of: dict[str, int], absolute: bool
) -> dict[str, Any]:
    """A segment's header and what became of it; what is usual is left out."""
    segment = flight.segment
    row: dict[str, Any] = {
        "e": places_of[flight.sender],
        "n": trace.notation(flight, absolute=absolute),
        "seq": segment.seq,
        "ctl": ",".join(names(segment.ctl)),
        "win": segment.window,
    }
    if segment.ctl & ACK:
        row["ack"] = segment.ack
    if segment.length:
        row["len"] = segment.length
    if segment.options:
        row["opt"] = _options(segment)
    if flight.again:
        row["again"] = 1
    if flight.fate != "delivered":
        row["fate"] = flight.fate
    return row


def _options(segment: Segment) -> str:
    """The options in header order."""
    shown = []
    for name, value in segment.options:
        if isinstance(value, bool):
            shown.append(name)
        elif isinstance(value, tuple):
            shown.append(f"{name} {'/'.join(map(str, value))}")
        else:
            shown.append(f"{name} {value}")
    return ", ".join(shown)


def _begins(trace: Trace, end: End) -> str | None:
    """The box an end is in before its first step; None where that is not known."""
    step = next((step for step in trace.of(end.name) if step.state is not None), None)
    if step is None:
        return None
    if step.edges:
        return box_at(places()[step.moves[0]].route[0])
    return _box(step.state, TOP)


def _box(state: State | None, before: str | None) -> str | None:
    """The box of a state; of the two that CLOSED has, the one where the end has been."""
    if state is State.CLOSED:
        return before if before and BOXES[before].state is State.CLOSED else TOP
    return f"state_{state.name}" if state is not None else None


def _steps(
    trace: Trace, taken: Sequence[str], places_of: dict[str, int]
) -> Iterator[dict[str, Any]]:
    """Every step, with what it changes at its end."""
    boxes = list(BOXES)
    now: dict[str, dict[str, Any]] = {
        end.name: {"s": _begins(trace, end), "w": [], "v": None} for end in trace.ends
    }
    time = None
    for step, y in zip(trace.steps, moments(trace), strict=True):
        row: dict[str, Any] = {"y": round(y, 1), "k": _KINDS.index(step.kind)}
        if step.time != time:
            row["t"] = time = step.time
        if step.end and step.kind is not Kind.LOSE:
            row["e"] = places_of[step.end]
        if step.flight is not None:
            row["f"] = step.flight
        row |= {key: str(text) for key, text in (("x", step.text), ("u", step.says)) if text}
        if step.edges:
            row["m"] = [taken.index(name) for name in step.moves]
        if step.inferred:
            row["i"] = 1
        if step.end and step.state is not None:
            before = now[step.end]
            after = _after(step, before["s"])
            row |= {key: value for key, value in after.items() if value != before[key]}
            if "s" in row:
                row["s"] = boxes.index(row["s"])
            now[step.end] = after
        yield row


def _after(step: Step, box: str | None) -> dict[str, Any]:
    """Box, timers and variables of an end after a step."""
    box = box_at(places()[step.moves[-1]].route[-1]) if step.edges else _box(step.state, box)
    timers = [[timer.name, timer.until] for timer in step.timers]
    if step.variables is None:
        return {"s": box, "w": timers, "v": None}
    una, nxt, received = step.variables
    return {
        "s": box,
        "w": timers,
        "v": [una, nxt, None if step.state in _NO_PEER else received],
    }
