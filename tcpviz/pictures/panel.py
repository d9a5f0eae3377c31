"""Two lifelines and all that belongs to them: one sequence chart without the paper under it.

Knows one Trace of two ends and a time axis, which others may share. Must not know the sheet.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil
from operator import itemgetter
from statistics import median_high, median_low
from typing import Final, Literal, TypeVar

from tcpviz.pictures import theme
from tcpviz.pictures.arrow_labels import CLEAR, CROSS, CROWD, MANY, Layout, lay_out
from tcpviz.pictures.arrows import draw_arrows, draw_sample
from tcpviz.pictures.backoff import backoffs, longer
from tcpviz.pictures.bars import BAR, FOOT, chevron, draw_foot, lasts
from tcpviz.pictures.brackets import PENS
from tcpviz.pictures.conditions import conditions
from tcpviz.pictures.differences import known_until
from tcpviz.pictures.drawing import Align, Box, Drawing, Pen
from tcpviz.pictures.lettering import Face, text_width
from tcpviz.pictures.margins import Margin
from tcpviz.pictures.notes import PARTS, roles
from tcpviz.pictures.sheet import EDGE, ROW, TALLEST
from tcpviz.pictures.time_axis import ROOM, TimeAxis
from tcpviz.pictures.ways import Labels, Lines, Space, typical_delay
from tcpviz.segment import ACK, SYN
from tcpviz.steps import End, Kind, Step
from tcpviz.trace import Trace
from tcpviz.units import MS, readable
from tcpviz.words import say

_DELAY: Final = 45.0  # pt for the usual one-way delay
_ROOMY: Final = 70.0  # ... where labels have more lines
_ROWS: Final = 60.0  # pt for each label of more lines, where one stands under the other
_LONGEST: Final = 124.0  # ... at most: less than a wait that is broken
_GAP: Final = (260, 380)  # pt between the lifelines, at least and at most
_OFFERED: Final = (276, 440)  # ... with options
_WIDEST: Final = 600  # ... for a label that cannot be narrower
_NARROW: Final = (150, 200)  # ... where two charts stand side by side
_LARGER: Final = (1, 1.5, 2, 2.75)  # scales to try where arrows crowd
_WORTH: Final = 100.0  # pt of height that one more label well placed is worth
_LITTLE: Final = 0.2  # of its height a chart grows at least at the next scale
_BACKOFF: Final = 4  # waits, each longer than the one before: what a chart is about
_APART: Final = 6.0  # pt between the segments of a train, where the height allows
_NAME: Final = 40  # characters of an end's name or address
_EXPIRY: Final = {"expired": True, "stopped": False, "running": None}  # marks of timers
_HEAD: Final = 24  # pt for the name of an end, with the room around it
_Roles = list[tuple[str, int]]  # the parts of an end, and the steps that make it so


def time_axis(*traces: Trace, roomy: bool = False, larger: float = 1) -> TimeAxis:
    """The axis of these charts: the first known one-way delay, or the usual wait, sets its scale.

    `larger` is by how much it is drawn larger than usual, to give room to many arrows at a time.

    Where one end alone was observed, the delay is unknown and half a round trip stands for it. What
    would be higher than TALLEST is drawn to a smaller scale.
    """
    steps = traces[0].steps
    if traces[1:]:
        steps = tuple(sorted((step for trace in traces for step in trace.steps), key=_time))
    times = [step.time for step in steps if not (step.kind is Kind.LOSE and step.inferred)]
    times = sorted(times + [trace.until for trace in traces if trace.until is not None])
    delays = [typical_delay(trace) or 0 for trace in traces]
    typical = next(filter(None, delays), None)
    length = (_ROOMY if roomy else _DELAY) * larger
    apart = min(filter(None, map(_apart, traces, delays)), default=None)
    if not typical:
        typical, length = _wait(steps, times), 2 * length
    length = max(min(length, _LONGEST), min(_APART * typical / apart, TALLEST) if apart else 0)
    series = [waits for trace in traces for waits in backoffs(trace)]
    both = all(end.observed for trace in traces for end in trace.ends)
    room = _ROWS if roomy and not both else ROOM
    return TimeAxis.within(
        times,
        typical,
        length=length,
        tallest=TALLEST,
        series=series,
        room=room,
        compared=any(longer(waits) >= _BACKOFF for waits in series),
    )


_Arranged = TypeVar("_Arranged")


def worth_its_height(at: Callable[[float], tuple[float, float, _Arranged]]) -> _Arranged:
    """What `at` arranges at the scale where room for labels is worth the height it takes.

    It tells how crowded that is, how high in pt, and what it is.
    """
    tried: list[tuple[float, _Arranged]] = []
    for larger in _LARGER:
        crowded, height, arranged = at(larger)
        tried.append((crowded + height / _WORTH, arranged))
        if crowded <= _LITTLE * height / _WORTH:
            break
    return min(tried, key=itemgetter(0))[1]


def _time(step: Step) -> int:
    return step.time


def _apart(trace: Trace, delay: int) -> int | None:
    """How far apart in ns the segments of a train leave, usually; None where there is no train."""
    found = []
    for end in trace.ends:
        times = [f.sent for f in trace.flights if f.sender == end.name and f.sent is not None]
        found += [later - sooner for sooner, later in pairwise(times) if 0 < later - sooner < delay]
    return median_low(found) if len(found) > CROWD else None


def _wait(steps: Sequence[Step], times: Sequence[int]) -> int:
    """How long something usually takes, in ns, where no delay is known."""
    kinds = (Kind.DEPART, Kind.ARRIVE)
    trips = [
        after.time - step.time
        for step, after in pairwise(s for s in steps if s.kind in kinds)
        if step.kind is Kind.DEPART and after.kind is Kind.ARRIVE and after.time > step.time
    ]
    waits = [after - time for time, after in pairwise(times) if after > time]
    return median_high(trips or waits or [100 * MS])


class Panel:
    """The chart of one trace; its axis begins at y `top`, and `above` is what its heads need."""

    def __init__(
        self,
        trace: Trace,
        axis: TimeAxis,
        top: float,
        labels: Labels,
        *,
        variables: bool = False,
        narrow: bool = False,
        more: int = 0,
    ) -> None:
        """Find the measures; `narrow` leaves room for another beside it.

        `more` are pt between the lifelines, for labels that are too close.
        """
        self.trace = trace
        self.axis = axis
        self.top = top
        self.labels = labels
        self._layouts: dict[float, tuple[Space, Layout]] = {}
        self._roles = _roles(trace)
        self.heads = _heads(trace, self._roles)
        held = conditions(trace)
        signs: tuple[Literal[-1, 1], ...] = (-1, 1)
        self.margins = [
            Margin(
                trace,
                end.name,
                axis,
                top,
                sign,
                held[end.name],
                variables and end.observed,
                labels.absolute,
                narrow,
            )
            for end, sign in zip(trace.ends, signs, strict=True)
        ]
        halves = [
            max(ceil(_wide(line, row) / 2) for row, line in enumerate(lines))
            for lines in self.heads
        ]
        self.gap = max(_gap(trace, labels, narrow) + more, sum(halves) - BAR + 12)
        outside = [
            max(margin.width, half) for margin, half in zip(self.margins, halves, strict=True)
        ]
        self.before = outside[0]
        self.width = sum(outside) + 2 * BAR + self.gap

    @staticmethod
    def above(*traces: Trace) -> int:
        """The pt that the heads of the highest of these need over the axis."""
        rows = max(_rows(trace, end) for trace in traces for end in trace.ends)
        return _HEAD + ceil(ROW * (rows - 1))

    @property
    def unsent(self) -> bool:
        """Whether nobody was seen to send some segment, though both ends were watched."""
        both = all(end.observed for end in self.trace.ends)
        return both and any(flight.sent is None for flight in self.trace.flights)

    @property
    def hollow(self) -> bool:
        """Whether there is a segment that is not of the connection it meets, for all one knows."""
        known = self.trace.source == "simulation"
        return bool(self.labels.remarks.old) or (self.unsent and known)

    @property
    def foot(self) -> str:
        """Why a bar is open at its foot: the key of what is said about it, "" if none is."""
        if not any(lasts(margin.stretches) for margin in self.margins):
            return ""
        ran_out = known_until(self.trace) is None
        return "key_lasts" if ran_out else "key_goes_on"

    def crowded(self, x: float) -> float:
        """How much it lacks room for labels if its left edge is at x; 0 where each stands well."""
        return self._laid_out(x)[1].crowded

    def _laid_out(self, x: float) -> tuple[Space, Layout]:
        """What is between the bars, and the labels in it."""
        if x not in self._layouts:
            left, right = self.bars(x)
            space = Space(self.trace, self.axis, self.top, left + BAR, right, self.labels)
            self._layouts[x] = space, lay_out(space)
        return self._layouts[x]

    def draw(self, drawing: Drawing, x: float) -> None:
        """Draw it from its left edge on."""
        left, right = self.bars(x)
        self.margins[0].draw(drawing, left)
        self.margins[1].draw(drawing, right + BAR)
        space, layout = self._laid_out(x)
        draw_arrows(drawing, space, layout.labels)

    def draw_heads(self, drawing: Drawing, x: float, top: float) -> None:
        """Write over the lifelines whose they are, from y `top` on."""
        for lines, margin, bar in zip(self.heads, self.margins, self.bars(x), strict=True):
            for row, line in enumerate(lines):
                y = top + 9 if not row else top + 12 + row * ROW
                played = self._roles[margin.end]
                if row and line == _parts(played):
                    self._draw_roles(drawing, played, bar + BAR / 2, y)
                    continue
                drawing.text(
                    Box.around(bar + BAR / 2, y, _wide(line, row), 16 if not row else ROW),
                    [line],
                    size=theme.SMALL if row else 13,
                    face="" if row else "bold",
                    color=theme.QUIET if row else margin.color,
                )

    def _draw_roles(self, drawing: Drawing, played: _Roles, middle: float, y: float) -> None:
        """The parts an end plays, side by side, each with the step from which on it does."""
        seam = middle - _wide(_parts(played), 1) / 2 + _wide(played[0][0], 1)
        for nth, (role, step) in enumerate(played):
            text = f", {role}" if nth else role
            wide = _wide(text, 1)
            left = seam if nth else seam - wide
            align: Align = "left" if nth else "right" if played[1:] else "centre"
            drawing.text(
                Box(left, y - 0.5, left + wide, y + 0.5),
                [text],
                align=align,
                color=theme.QUIET,
                classes=f"role s{step}",
            )

    def bars(self, x: float) -> tuple[float, float]:
        """The left sides of both bars, of a panel whose left edge is at x."""
        left = x + self.before
        return left, left + BAR + self.gap


def draw_key(drawing: Drawing, panels: Sequence[Panel], y: float, width: float) -> float:
    """The key to the marks that are drawn already; returns where it ends."""
    drawn = " ".join([f"{mark.classes} {mark.name} " for mark, _ in drawing.marks if mark])
    margins = [margin for panel in panels for margin in panel.margins]
    expired = {bracket.wait.expired for margin in margins for bracket in margin.timers.placed}
    marks = [(each, say(f"key_{each}")) for each, how in _EXPIRY.items() if how in expired]
    marks += [("way", say("key_one_way"))] if "one_way " in drawn else []
    if "_hollow " in drawn and any(panel.hollow for panel in panels):
        marks.append(("hollow", say("key_hollow")))
    if "_tail " in drawn:
        marks.append(("unsent", say("key_unsent")))
    feet = dict.fromkeys(panel.foot for panel in panels if panel.foot)
    marks += [("foot", say(key)) for key in feet]
    y += FOOT / 2 if feet else 0
    x = EDGE
    for head, text in marks:
        after = 28 if head == "unsent" else 18
        wide = text_width(text, theme.SMALL)
        if x > EDGE and x + after + wide > width - EDGE:
            x, y = EDGE, y + ROW + 4
        if head == "way":
            drawing.line([chevron(x + 7, y + 6, 1)], Pen(theme.QUIET, 1))
        elif head == "foot":
            box = Box(x + 2, y - 2, x + 12, y + 6)
            drawing.box(box, theme.GRID, Pen(theme.QUIET, 0.75), classes="key")
            draw_foot(drawing, box, theme.GRID, "key", f"key_foot_{text == say('key_lasts'):d}")
        elif head in ("hollow", "unsent"):
            draw_sample(drawing, x, y + 6, unsent=head == "unsent")
        else:
            drawing.line([[(x, y + 6), (x + 14, y + 6)]], PENS[_EXPIRY[head]])
        box = Box(x + after, y, x + after + wide, y + ROW)
        drawing.text(box, [text], align="left", color=theme.QUIET)
        x = ceil(box.right) + 18
    return y + ROW + 4 if marks else y


def notes(*traces: Trace, absolute: bool | None = None) -> Iterator[tuple[str, Face]]:
    """What must be known to read the charts of these traces right."""
    for trace in traces:
        if not (trace.source == "simulation" if absolute is None else absolute):
            several = [name for name, isses in trace.isses.items() if len(isses) > 1]
            if several:
                yield say("key_isses", ends=say("list_comma").join(several)), ""
    if any(step.inferred and step.state for trace in traces for step in trace.steps):
        yield say("key_inferred"), "italic"
    for note in dict.fromkeys(note for trace in traces for note in (*_lives(trace), *trace.notes)):
        yield note, ""


def _lives(trace: Trace) -> Iterator[str]:
    """What its 2MSL timer takes for an MSL, if a segment lives longer."""
    waits = [wait.timer for end in trace.ends for wait in trace.waits(end.name)]
    lasts = [timer.until - timer.since for timer in waits if timer.name == "2MSL"]
    lives = [
        time - way.sent for way in trace.flights if way.sent is not None for time in way.arrived
    ]
    if lasts and 2 * max(lives, default=0) > min(lasts):
        told = {"timer": min(lasts), "msl": min(lasts) // 2, "life": max(lives)}
        yield say("key_lives", **{name: readable(time) for name, time in told.items()})


def _gap(trace: Trace, labels: Labels, narrow: bool) -> int:
    """Room between the lifelines for the longest label, for that of a lost segment in one half."""
    if not all(end.observed for end in trace.ends):
        narrow = False  # labels stand in rows, each on one line
    least, most = _NARROW if narrow else _OFFERED if labels.options else _GAP
    gap = fits = least
    widest: dict[str, int] = {}  # of each sender, where there are many: they stand side by side
    offers: dict[str, int] = {}  # the widest options of each opener
    lost = say("lost")
    many = len(trace.flights) > MANY
    for flight in trace.flights:
        delivered = flight.arrived and flight.sent is not None
        wide = [_widest(lines) for lines in labels.of(flight, "" if delivered else lost)]
        narrowest = min(wide)
        fit = narrowest + 2 * CLEAR + 4
        fits = fit if fit > fits else fits
        offered = labels.options and flight.segment.ctl & SYN
        if not delivered:
            short = wide[1] if offered else narrowest
            room = 2 * (short + CLEAR + 3 * CROSS)
        else:
            short = narrowest if narrow else wide[1 if labels.remarks.again(flight) else 0]
            room = short + 2 * CLEAR
        if offered and not flight.segment.ctl & ACK:
            offers[flight.sender] = short
        if many and short > widest.get(flight.sender, 0):
            widest[flight.sender] = short
            room = max(room, sum(widest.values()) + 6 * CLEAR)
        if offers:
            room = max(room, sum(offers.values()) + 10 * CLEAR)
        gap = room if room > gap else gap
    return max(min(gap, most), min(fits, _WIDEST))


def _widest(lines: Lines) -> int:
    return ceil(max([text_width(line, theme.FONT_SIZE) for line in lines])) + 4


def _roles(trace: Trace) -> dict[str, _Roles]:
    return {end.name: list(roles(trace, end.name)) for end in trace.ends}


def _heads(trace: Trace, played: Mapping[str, _Roles]) -> list[list[str]]:
    """The lines over each lifeline: who it is, where, and its part."""
    found = []
    for end in trace.ends:
        parts = _parts(played[end.name]) if end.observed else say("not_observed")
        found.append([_short(line) for line in (end.name, end.address, parts) if line])
    return found


def _rows(trace: Trace, end: End) -> int:
    """How many lines stand over its lifeline."""
    plays = not end.observed or any(span.state in PARTS for span in trace.spans(end.name))
    return bool(end.name) + bool(end.address) + plays


def _parts(played: _Roles) -> str:
    """The parts an end plays, on one line."""
    return ", ".join([role for role, _ in played])


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _NAME else text[: _NAME - 1] + "…"


def _wide(line: str, row: int) -> float:
    return text_width(line, theme.SMALL) if row else text_width(line, 13, "bold")
