"""What stands outside one lifeline of a sequence chart: states, timers, calls.

Knows one end of a Trace and its side of the picture. Must not know what is between the lifelines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.drawing import LINE, Align, Box, Drawing, Face, Pen, Point, text_width, wrapped
from tcpviz.pictures.placement import spread
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.states import TRANSITIONS, State
from tcpviz.steps import Kind, Step, Timer, Wait
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

BAR: Final = 20.0
_SOURCES: Final = {edge.id: edge.source for edge in TRANSITIONS}
_ROW: Final = theme.SMALL * LINE + 1.5
_CALL: Final = 100.0  # pt: the width of what is written about a call
_CALL_LINES: Final = 4
_TIMER: Final = 24  # characters of a timer's name


class Stretch(NamedTuple):
    """A state of the bar in sheet coordinates; `step` is the one that began it, None the start."""

    state: State
    top: float
    bottom: float
    inferred: bool
    step: int | None
    tip: str


class Note(NamedTuple):
    """Text that belongs to height `at` and is written around height `y`."""

    at: float
    y: float
    lines: tuple[str, ...]
    face: Face
    classes: str


@dataclass(frozen=True)
class Margin:
    """One lifeline and what stands outside it; `sign` is -1 at the left and 1 at the right.

    `top` is where the axis begins on the sheet.
    """

    trace: Trace
    end: str
    axis: TimeAxis
    top: float
    sign: Literal[-1, 1]

    def y(self, time: int) -> float:
        """The height of a time on the sheet."""
        return self.top + self.axis.y(time)

    @property
    def color(self) -> str:
        """The end's colour: blue at the left, orange at the right."""
        return theme.BLUE if self.sign < 0 else theme.ORANGE

    @cached_property
    def width(self) -> float:
        """What it needs beside the bar, in pt."""
        return self._calls_at + (6 + self._call_width if self.calls else 0)

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """The states of the bar, from before the first step to after the last."""
        begins: dict[tuple[int, State], tuple[int, Step]] = {}
        for number, step in enumerate(self.trace.steps):
            if step.end == self.end and step.state is not None:
                begins.setdefault((step.time, step.state), (number, step))
        found: list[Stretch] = []
        bottom = self.top + self.axis.height
        for span in self.trace.spans(self.end):
            number, step = begins[span.since, span.state]
            top = self.y(span.since)
            before = _SOURCES.get(step.edges[0], span.state) if step.edges else span.state
            if not found and before is not span.state:
                found.append(Stretch(before, self.top, top, step.inferred, None, before))
            until = bottom if span.until is None else self.y(span.until)
            tip = f"{span.state}, {readable(span.since)}"
            begin = self.top if not found else top
            found.append(Stretch(span.state, begin, until, span.inferred, number, tip))
        return tuple(found)

    @cached_property
    def names(self) -> tuple[Note, ...]:
        """The names of the states, each beside the beginning of its stretch."""
        wanted = [
            (stretch.top - self.top + (9 if stretch.step is not None else 16), _ROW)
            for stretch in self.stretches
        ]
        return tuple(
            Note(
                self.top + at,
                self.top + y,
                (stretch.state,),
                "italic" if stretch.inferred else "bold",
                f"name s{stretch.step}" if stretch.step is not None else "name",
            )
            for stretch, (at, _), y in zip(
                self.stretches, wanted, spread(wanted, self.axis), strict=True
            )
            if y is not None
        )

    @cached_property
    def calls(self) -> tuple[Note, ...]:
        """The calls of the user of TCP, and what the user is told."""
        blocks = [
            (number, step.time, _lines(text), face)
            for number, step in enumerate(self.trace.steps)
            if step.end == self.end
            for text, face in _told(step)
            if text.strip()
        ]
        wanted = [
            (self.axis.y(time), len(lines) * theme.SMALL * LINE + 2) for _, time, lines, _ in blocks
        ]
        return tuple(
            Note(self.y(time), self.top + y, lines, face, f"call s{number}")
            for (number, time, lines, face), y in zip(
                blocks, spread(wanted, self.axis), strict=True
            )
            if y is not None
        )

    @cached_property
    def waits(self) -> tuple[tuple[Wait, int, tuple[str, ...], float], ...]:
        """The timers that ran: each with its lane, its label's lines and that label's height."""
        free: list[float] = []
        found = []
        for wait in self.trace.waits(self.end):
            top, bottom = self.y(wait.timer.since), self.y(wait.until)
            lane = next((n for n, until in enumerate(free) if until <= top + 0.01), len(free))
            free[lane : lane + 1] = [bottom]
            found.append((wait, lane, *self._label(wait)))
        return tuple(found)

    def _label(self, wait: Wait) -> tuple[tuple[str, ...], float]:
        """What is written on a timer, where the longest part of it that is drawn has the room."""
        parts = list(self.axis.visible(wait.timer.since, wait.until))
        if not parts:
            return (), 0
        since, until = max(parts, key=lambda part: part[1] - part[0])
        top, bottom = self.y(since) + 6, self.y(until) - 6
        name, time = wait.timer.name[:_TIMER], readable(wait.timer.until - wait.timer.since)
        lines = [name, time] if len(name) > 6 else [f"{name} {time}"]
        if wait.expired is False:
            lines.append(say("timer_stopped"))
        while len(lines) * theme.SMALL * LINE > bottom - top:
            lines.pop()
            if not lines:
                return (), 0
        half = len(lines) * theme.SMALL * LINE / 2
        middle = (top + bottom) / 2
        heights = [middle + shift * (bottom - top) / 8 for shift in (0, -1, 1, -2, 2, -3, 3)]
        calls = [note.at for note in self.calls]
        return tuple(lines), next(
            (
                y
                for y in heights
                if y - half >= top
                and y + half <= bottom
                and not any(abs(y - call) < half + 2 for call in calls)
            ),
            middle,
        )

    @cached_property
    def _leader(self) -> float:
        moved = any(abs(note.y - note.at) > 2 for note in self.names)
        return 16.0 if moved else 5.0

    @cached_property
    def _lanes_at(self) -> float:
        widest = max((text_width(n.lines[0], theme.SMALL, n.face) for n in self.names), default=0)
        return self._leader + widest + 8

    @cached_property
    def _lane_widths(self) -> list[float]:
        widths = [14.0] * (1 + max((lane for _, lane, _, _ in self.waits), default=-1))
        for _, lane, lines, _ in self.waits:
            for line in lines:
                widths[lane] = max(widths[lane], text_width(line, theme.SMALL) + 8)
        return widths

    @cached_property
    def _calls_at(self) -> float:
        return self._lanes_at + sum(self._lane_widths)

    @cached_property
    def _call_width(self) -> float:
        return max(text_width(line, theme.SMALL, n.face) for n in self.calls for line in n.lines)

    def draw(self, drawing: Drawing, edge: float) -> None:
        """Draw it; `edge` is the x of the bar's outer side."""
        self._draw_calls(drawing, edge)
        self._draw_waits(drawing, edge)
        self._draw_bar(drawing, edge)
        for note in self.names:
            out = self._leader - 1
            if abs(note.y - note.at) > 2:
                points = [self._at(edge, 0, note.at), self._at(edge, out, note.y)]
                drawing.line([points], Pen(theme.QUIET, 0.6))
            self._write(drawing, edge, self._leader, note, theme.INK)

    def _draw_calls(self, drawing: Drawing, edge: float) -> None:
        for note in self.calls:
            points = [self._at(edge, 0, note.at)]
            if abs(note.y - note.at) > 2:
                points.append(self._at(edge, self._calls_at - 8, note.at))
            points.append(self._at(edge, self._calls_at + 2, note.y))
            drawing.line([points], Pen(self.color, 0.8, "dotted"), classes=note.classes)
        for note in self.calls:
            self._write(drawing, edge, self._calls_at + 5, note, self.color)

    def _draw_waits(self, drawing: Drawing, edge: float) -> None:
        begins: dict[Timer, int] = {}
        for number, step in enumerate(self.trace.steps):
            if step.end == self.end:
                for timer in step.timers:
                    begins.setdefault(timer, number)
        for number, (wait, lane, lines, y) in enumerate(self.waits):
            out = self._lanes_at + sum(self._lane_widths[:lane]) + self._lane_widths[lane] / 2
            name = f"wait_{'left' if self.sign < 0 else 'right'}_{number}"
            strokes = [
                [self._at(edge, out, self.y(since)), self._at(edge, out, self.y(until))]
                for since, until in self.axis.visible(wait.timer.since, wait.until)
            ]
            head = {True: "dot", False: "odot", None: "none"}[wait.expired]
            pen = Pen(theme.PURPLE, 1.3 if wait.expired else 0.8, "solid", head, "tee", 0.45)
            classes = f"wait s{begins[wait.timer]}"
            tip = f"{wait.timer.name} {readable(wait.timer.until - wait.timer.since)}"
            if wait.expired:
                points = [self._at(edge, 0, self.y(wait.until))]
                points.append(self._at(edge, out, self.y(wait.until)))
                drawing.line([points], Pen(theme.PURPLE, 0.8, "dotted"), classes=classes)
            drawing.line(strokes, pen, classes=classes, name=name, tip=tip)
            if lines:
                note = Note(y, y, lines, "", classes)
                wide = max(text_width(line, theme.SMALL) for line in lines)
                self._write(drawing, edge, out - wide / 2, note, theme.PURPLE, "centre")

    def _draw_bar(self, drawing: Drawing, edge: float) -> None:
        if not self.stretches:  # nothing is known of its states
            middle = edge - self.sign * BAR / 2
            line = [(middle, self.top), (middle, self.top + self.axis.height)]
            drawing.line([line], Pen(theme.QUIET, 1, "dashed"), classes="lifeline")
        left = min(edge, edge - self.sign * BAR)
        side = "left" if self.sign < 0 else "right"
        for number, stretch in enumerate(self.stretches):
            drawing.box(
                Box(left, stretch.top, left + BAR, max(stretch.bottom, stretch.top + 0.2)),
                theme.TINTS[stretch.state],
                outline=theme.QUIET,
                dashed=stretch.inferred,
                classes="span" if stretch.step is None else f"span s{stretch.step}",
                name=f"span_{side}_{number}",
                tip=stretch.tip,
            )

    def _at(self, edge: float, out: float, y: float) -> Point:
        return edge + self.sign * out, y

    def _write(
        self,
        drawing: Drawing,
        edge: float,
        out: float,
        note: Note,
        color: str,
        align: Align | None = None,
    ) -> None:
        width = max(text_width(line, theme.SMALL, note.face) for line in note.lines)
        height = len(note.lines) * theme.SMALL * LINE
        near = edge + self.sign * out
        drawing.text(
            Box.around(near + self.sign * width / 2, note.y, width, height),
            note.lines,
            align=align or ("right" if self.sign < 0 else "left"),
            face=note.face,
            color=color,
            classes=note.classes,
        )


def _lines(text: str) -> tuple[str, ...]:
    lines = wrapped(text, _CALL, theme.SMALL)
    cut = [f"{lines[_CALL_LINES - 1]}…"] if len(lines) > _CALL_LINES else []
    return (*lines[: _CALL_LINES - len(cut)], *cut)


def _told(step: Step) -> Iterator[tuple[str, Face]]:
    """What passes between TCP and its user at a step."""
    if step.kind is Kind.CALL:
        yield step.text, ""
    yield step.says, "italic"


def roles(trace: Trace, end: str) -> Iterator[str]:
    """The parts an end plays: who opens, and who closes first."""
    states = {step.state for step in trace.of(end)}
    edges = {edge for step in trace.of(end) for edge in step.edges}
    if State.SYN_SENT in states:
        yield say("active_opener")
    elif "CLOSED: passive OPEN" in edges or states & {State.LISTEN, State.SYN_RECEIVED}:
        yield say("passive_opener")
    if State.FIN_WAIT_1 in states:
        yield say("active_closer")
