"""The ways of segments between two lifelines: where each stroke lies, and what its label says.

Knows the flights of a Trace and the time axis. Must not know how anything is drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import dist
from statistics import median_low
from typing import Final, Literal, NamedTuple

from tcpviz.pictures.drawing import Box, Point
from tcpviz.pictures.placement import Stroke, crosses
from tcpviz.pictures.remarks import Remarks
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.segment import ACK, FIN, RST, SYN, Segment, relative
from tcpviz.states import Event
from tcpviz.steps import Flight, Kind
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import kept, say

Lines = tuple[str, ...]
Fashion = Literal[
    "delivered", "lost", "copy", "old", "unsent", "dropped", "on the way", "departure", "arrival"
]
"""How a way is drawn; the last two are what one end alone saw."""


_OPTIONS: Final = 34  # characters of options on one line
_STUB: Final = 36.0  # pt of a way that nobody saw begin
_DIES: Final = (0.5, 0.6, 0.4, 0.7, 0.3)  # of the way: where a lost segment is clear of others
_CROSSED: Final = 14.0  # pt around its end that are to be clear
_ASIDE: Final = 5.0  # pt from a way to the next that leaves and arrives with it
_UNDER: Final = 24.0  # pt from a level way, and its label, to the answer under it
_SPREADS: Final = 20.0  # pt on which such ways part, and on which they come together again
_DOOR: Final = 0.96  # of the way: where a segment dies that reaches a host that is down


class Way(NamedTuple):
    """One journey of one flight on the sheet: straight strokes in the direction of travel.

    `texts` are its label and narrower ones for a crowd; `steps` are the numbers of the steps that
    tell of it. `side` is where its label belongs, over it (-1) or under it (1), 0 anywhere.
    """

    flight: Flight
    fashion: Fashion
    strokes: tuple[Stroke, ...]
    texts: tuple[Lines, ...]
    steps: tuple[int, ...]
    copy: int = 0
    side: Literal[-1, 0, 1] = 0

    @property
    def name(self) -> str:
        """An id for the picture, unique in its trace."""
        return f"flight_{self.flight.number}" + (f"_copy{self.copy}" if self.copy else "")

    @property
    def rank(self) -> int:
        """Whose label comes first where there is no room for all: 0 is about the connection."""
        if self.fashion == "copy":  # dotted, beside its original
            return 2
        if self.flight.segment.ctl & (SYN | FIN | RST):
            return 0
        return 1 if self.fashion in ("delivered", "departure", "arrival") else 0


def typical_delay(trace: Trace) -> int | None:
    """The middle one of the one-way delays in ns, or None where no delay is known.

    Where no segment was seen at both ends, those that died on the way died half way, and those for
    a host that was down at its door.
    """
    sent = [(flight, flight.sent) for flight in trace.flights if flight.sent is not None]
    delays = [way.arrived[0] - time for way, time in sent if way.arrived]
    if not delays:
        inferred = guessed(trace)
        delays = [
            (1 if _down(trace, way.receiver, way.lost) else 2) * (way.lost - time)
            for way, time in sent
            if way.lost is not None and way.number not in inferred
        ]
    forward = [delay for delay in delays if delay > 0]
    return median_low(forward) if forward else None


def _down(trace: Trace, end: str, time: int) -> bool:
    """Whether the host of an end was down then."""
    before = [step for step in trace.of(end) if step.time <= time]
    return bool(before) and before[-1].text == Event.CRASH


def guessed(trace: Trace) -> set[int | None]:
    """The flights that are known to be lost, but not when."""
    return {step.flight for step in trace.steps if step.kind is Kind.LOSE and step.inferred}


@dataclass(frozen=True)
class Labels:
    """What is written on arrows: numbers `absolute` or counted from the ISSs, `options` of SYNs."""

    trace: Trace
    absolute: bool
    options: bool = False

    @cached_property
    def remarks(self) -> Remarks:
        """What is remarkable about segments beyond their headers."""
        return Remarks(self.trace)

    @cached_property
    def _known(self) -> dict[tuple[int, str], tuple[Lines, ...]]:
        return {}

    def notation(self, flight: Flight) -> str:
        """The segment in RFC notation."""
        return self.trace.notation(flight, absolute=self.absolute)

    def of(self, flight: Flight, remark: str = "") -> tuple[Lines, ...]:
        """A label: all on one line, on two, on three; options on more."""
        key = flight.number, remark
        if key not in self._known:
            self._known[key] = self._written(flight, remark)
        return self._known[key]

    def _written(self, flight: Flight, remark: str) -> tuple[Lines, ...]:
        segment = flight.segment
        seq, ack = segment.seq, segment.ack
        if not self.absolute:
            seq = relative(seq, self.trace.base(flight.sender, seq))
            ack = relative(ack, self.trace.base(flight.receiver, ack))
        control = segment.control or say("no_control")
        what = f"{control} {_octets(segment.length)}" if segment.length else control
        where = f"seq {seq} ack {ack}" if segment.ctl & ACK else f"seq {seq}"
        whole = f"{what} {where}"
        offered = _options(segment) if self.options else ()
        again = self.remarks.again(flight)
        if not (again or remark):
            texts: tuple[Lines, ...] = (whole,), (what, where)
            return tuple((*lines, *offered) for lines in texts) if offered else texts
        said = say("list_comma").join(filter(None, (again, remark)))
        one = say("list_comma").join((whole, said))
        texts = (one,), (whole, said), (what, where, said)
        if again and remark:
            texts = *texts[:2], (whole, again, remark), (what, where, again, remark)
        return tuple((*lines, *offered) for lines in texts) if offered else texts


@kept
def _octets(count: int) -> str:
    return say("octet" if count == 1 else "octets", count=count)


def _answers(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    """What is lost nobody knows when, under what it answers, both level for no delay is known.

    It leaves where that arrives, and would lie upon it.
    """
    tips = [way.strokes[-1][1] for way in ways if way.fashion == "unsent"]

    def under(way: Way) -> Way:
        (x, y), (end, level) = way.strokes[0]
        answers = any(x == at and 0 <= y - height < _UNDER for at, height in tips)
        if way.fashion != "lost" or level != y or not answers:
            return way
        turn = x + (_UNDER if end > x else -_UNDER), y + _UNDER
        return way._replace(strokes=(((x, y), turn), (turn, (end, y + _UNDER))))

    return tuple(map(under, ways)) if tips else ways


def _side_by_side(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    """Ways that leave and arrive together, run beside each other between their common ends.

    The one sent first is over the others; where each begins and ends stays exact.
    """
    together: dict[tuple[Stroke, ...], list[Way]] = {}
    for way in ways:
        if way.fashion in ("delivered", "dropped") and not way.strokes[1:]:
            together.setdefault(way.strokes, []).append(way)
    moved: dict[str, Way] = {}
    for (stroke, *_), same in together.items():
        if len(same) == 1 or dist(*stroke) < 3 * _SPREADS:
            continue
        for place, way in enumerate(same):
            side: Literal[-1, 0, 1] = -1 if way is same[0] else 1 if way is same[-1] else 0
            bent = _bent(stroke, (place - (len(same) - 1) / 2) * _ASIDE)
            moved[way.name] = way._replace(strokes=bent, side=side)
    return tuple(moved.get(way.name, way) for way in ways)


def _bent(stroke: Stroke, below: float) -> tuple[Stroke, ...]:
    """A way with the same ends that runs so many pt under the straight one."""
    start, end = complex(*stroke[0]), complex(*stroke[1])
    along = (end - start) / abs(end - start)
    aside = along * (1j if along.real > 0 else -1j) * below
    points = start, start + along * _SPREADS + aside, end - along * _SPREADS + aside, end
    return tuple(pairwise((point.real, point.imag) for point in points))


def told_options(labels: Labels) -> Iterator[str]:
    """The options of every SYN in lines of text."""
    for flight in labels.trace.flights:
        if options := _options(flight.segment):
            name = labels.notation(flight)
            yield say("options_of", segment=name, end=flight.sender)
            yield say("list_comma").join(options)


def _options(segment: Segment) -> Lines:
    """The options of a SYN, on two lines at most."""
    if not segment.ctl & SYN or not segment.options:
        return ()
    said = []
    for name, value in segment.options:
        if value is True:
            said.append(name)
        elif isinstance(value, tuple):
            said.append(f"{name} {'/'.join(map(str, value))}")
        else:
            said.append(f"{name} {value}")
    line = say("list_comma").join(said)
    if len(line) <= _OPTIONS:
        return (line,)
    half = (len(said) + 1) // 2
    return say("list_comma").join(said[:half]), say("list_comma").join(said[half:])


@dataclass(frozen=True)
class Space:
    """The space between two lifelines: from x `left` to x `right`; its time begins at y `top`."""

    trace: Trace
    axis: TimeAxis
    top: float
    left: float
    right: float
    labels: Labels

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """Every way of every flight, in the order of the flights."""
        two_sided = all(end.observed for end in self.trace.ends)
        of = self._of_both if two_sided else self._of_one
        found = tuple(way for flight in self.trace.flights for way in of(flight))
        if not two_sided:
            return found
        found = _side_by_side(found)
        clear = (self._clear(way, found) if way.fashion == "lost" else way for way in found)
        return _answers(tuple(clear))

    def _clear(self, way: Way, others: tuple[Way, ...]) -> Way:
        """A loss half way, where nobody knows better; on another arrow it would cross that out.

        The other ways are tried nearest first; where none is clear it stays half way.
        """
        flight, (x, _) = way.flight, way.strokes[-1][1]
        half = abs(x - (self.left + self.right) / 2) < 1
        if flight.sent is None or not half:
            return way
        for part in _DIES:
            strokes = self._stroke(
                flight, flight.sent, flight.sent + round(part * (self._delay or 0)), 0, part
            )
            x, y = strokes[-1][1]
            box = Box.around(x, y, _CROSSED, _CROSSED)
            if not any(
                crosses(stroke, box)
                for each in others
                if each is not way
                for stroke in each.strokes
            ):
                return way._replace(strokes=strokes)
        return way

    def tip(self, flight: Flight) -> str:
        """The segment in RFC notation and when it was seen."""
        text = self.labels.notation(flight)
        times = [readable(time) for time in (flight.sent, *flight.arrived[:1]) if time is not None]
        told = f"{text} {' → '.join(times)}"
        first = self.labels.remarks.first.get(flight.number)
        if first is None:
            return told
        return say("list_comma").join((told, say("first_sent", time=readable(first))))

    def _of_one(self, flight: Flight) -> Iterator[Way]:
        """What one end alone saw; strokes are level, for nobody knows the delay."""
        departed = flight.sent is not None
        times = (flight.sent,) if flight.sent is not None else flight.arrived
        for copy, time in enumerate(times):
            texts = self._texts(flight, say("copy_short") if copy else "")
            steps = self._steps(flight, time)
            stroke = self._stroke(flight, time, time, 0, 1)
            yield Way(flight, "departure" if departed else "arrival", stroke, texts, steps, copy)

    def _of_both(self, flight: Flight) -> Iterator[Way]:
        if flight.sent is None:
            yield from self._unsent(flight)
            return
        sent, remarks = flight.sent, self.labels.remarks
        for copy, time in enumerate(flight.arrived):
            fashion: Fashion = "copy" if copy else "delivered"
            texts = ((say("copy_short"),),) if copy else self._texts(flight, "")
            if flight.number in remarks.old:
                fashion, texts = "old", self._texts(flight, say("old_short"))[1:]
            elif flight.number in remarks.dropped and not copy:
                fashion, texts = "dropped", self._texts(flight, say("dropped_short"))
            steps = self._steps(flight, sent, time)
            stroke = self._stroke(flight, sent, time, 0, 1)
            yield Way(flight, fashion, stroke, texts, steps, copy)
        if flight.arrived:
            return
        half = (self._delay or 0) // 2  # level where no delay is known
        if flight.lost is None:
            stroke = self._stroke(flight, sent, sent + half, 0, 0.5)
            texts = self._texts(flight, say("on_the_way"))[1:]
            yield Way(flight, "on the way", stroke, texts, self._steps(flight, sent))
            return
        died, part = flight.lost, 0.5
        if flight.number in self._guessed:
            died = sent + half
        elif self._delay:
            part = min(max((died - sent) / self._delay, 0.15), _DOOR)
        stroke = self._stroke(flight, sent, died, 0, part)
        key = "lost_short" if flight.number in self._guessed else "lost"
        texts = self._texts(flight, say(key))[1:]
        yield Way(flight, "lost", stroke, texts, self._steps(flight, sent, flight.lost))

    def _unsent(self, flight: Flight) -> Iterator[Way]:
        """Nobody saw it leave: the last of its way is drawn, level, for its delay is unknown."""
        for copy, time in enumerate(flight.arrived):
            stroke = self._stroke(flight, time, time, 1 - _STUB / (self.right - self.left), 1)
            simulated = self.trace.source == "simulation"
            key = "unsent_short" if simulated else "unsent_seen"
            texts = self._texts(flight, say(key))[1:]
            yield Way(flight, "unsent", stroke, texts, self._steps(flight, time), copy)
        if flight.lost is not None:  # at the door of a host that is down
            begin = 1 - _STUB / (self.right - self.left)
            stroke = self._stroke(flight, flight.lost, flight.lost, begin, _DOOR)
            texts = self._texts(flight, say("lost"))[1:]
            yield Way(flight, "lost", stroke, texts, self._steps(flight, flight.lost))

    def _texts(self, flight: Flight, remark: str) -> tuple[Lines, ...]:
        return self.labels.of(flight, remark)

    def _steps(self, flight: Flight, *times: int) -> tuple[int, ...]:
        numbers, flown = self._numbers, flight.number
        return tuple(sorted({number for time in times for number in numbers[flown, time]}))

    @cached_property
    def _delay(self) -> int | None:
        return typical_delay(self.trace)

    @cached_property
    def _guessed(self) -> set[int | None]:
        return guessed(self.trace)

    @cached_property
    def _numbers(self) -> dict[tuple[int, int], list[int]]:
        found: dict[tuple[int, int], list[int]] = {}
        for number, step in enumerate(self.trace.steps):
            if step.flight is not None:
                found.setdefault((step.flight, step.time), []).append(number)
        return found

    def _stroke(
        self, flight: Flight, since: int, until: int, leaves: float, reaches: float
    ) -> tuple[Stroke, ...]:
        """The way from one part of the width at `since` to another at `until`, cut at breaks.

        Backwards in time where two clocks disagree.
        """
        to_right = flight.sender == self.trace.ends[0].name
        begin, end = (self.left, self.right) if to_right else (self.right, self.left)
        start, stop = begin + (end - begin) * leaves, begin + (end - begin) * reaches
        if since <= until:
            parts = self.axis.visible(since, until)
        else:
            parts = [(late, early) for early, late in self.axis.visible(until, since)][::-1]
        top, y = self.top, self.axis.y
        if since == until or not parts or parts[0] == (since, until):
            return (((start, top + y(since)), (stop, top + y(until))),)

        def point(time: int) -> Point:
            return start + (stop - start) * (time - since) / (until - since), top + y(time)

        return tuple((point(early), point(late)) for early, late in parts)
