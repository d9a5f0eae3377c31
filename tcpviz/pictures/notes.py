"""What is written beside a lifeline of a sequence chart: names, timers, calls, roles, in lines.

Knows one end of a Trace and how long a line may be. Must not know where it stands.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import ceil
from typing import Final, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.lettering import LINE, Face, text_width, wrapped
from tcpviz.states import State
from tcpviz.steps import Kind, Step, Wait
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

ROW: Final = theme.SMALL * LINE
"""The height of a line in pt."""
_BROKEN: Final = "ESTABLISHED", "ESTAB-LISHED"  # the one long name without a hyphen of its own
_CALL_LINES: Final = 6
_TIMER: Final = 24  # characters of a timer's name
_COLUMN: Final = 40.0  # pt for what is written on a timer, where it is narrow


class Note(NamedTuple):
    """Text that belongs to height `at` and is written around height `y`."""

    at: float
    y: float
    lines: tuple[str, ...]
    face: Face = ""
    classes: str = ""

    @property
    def width(self) -> int:
        """The width of the longest line in pt, even: it has a middle, and so less to be written."""
        return _wide(self.lines, self.face)

    @property
    def height(self) -> int:
        """The height of all lines in pt, even."""
        return 2 * ceil(len(self.lines) * ROW / 2)


@lru_cache(maxsize=1024)
def _wide(lines: tuple[str, ...], face: Face) -> int:
    return 2 * ceil(max((text_width(line, theme.SMALL, face) for line in lines), default=0) / 2)


def timed(wait: Wait, *, narrow: bool = False) -> tuple[str, ...]:
    """A timer's name, and how long it is set; a word to a line where it is narrow."""
    name, time = wait.timer.name[:_TIMER], readable(wait.timer.until - wait.timer.since)
    if narrow and text_width(f"{name} {time}", theme.SMALL) > _COLUMN:
        return *name.split(), time
    return (name, time) if len(name) > 6 else (f"{name} {time}",)


def said(wait: Wait, *, narrow: bool) -> tuple[str, ...]:
    """A timer's name, how long it is set, and whether it was stopped."""
    stopped = [say("timer_stopped")] if wait.expired is False else []
    return (*timed(wait, narrow=narrow), *stopped)


def in_two(state: str) -> tuple[str, ...]:
    """A long name on two lines.

    >>> in_two("LAST-ACK"), in_two("ESTABLISHED"), in_two("CLOSED")
    (('LAST-', 'ACK'), ('ESTAB-', 'LISHED'), ('CLOSED',))
    """
    first, hyphen, rest = state.replace(*_BROKEN).partition("-")
    return (first + hyphen, rest) if rest else (state,)


@lru_cache(maxsize=256)
def call_lines(text: str, width: float) -> tuple[str, ...]:
    """A call in lines of that width in pt, cut where they are too many."""
    lines = wrapped(text, width, theme.SMALL)
    cut = [f"{lines[_CALL_LINES - 1]}…"] if len(lines) > _CALL_LINES else []
    return (*lines[: _CALL_LINES - len(cut)], *cut)


def told(step: Step) -> Iterator[tuple[str, Face]]:
    """What passes between TCP and its user at a step."""
    if step.kind is Kind.CALL:
        yield step.text, ""
    if step.says:
        yield step.says, "italic"


PARTS: Final = (State.LISTEN, State.SYN_SENT, State.SYN_RECEIVED, State.FIN_WAIT_1)
"""The states that make an end play a part."""


def roles(trace: Trace, end: str) -> Iterator[tuple[str, int]]:
    """The parts an end plays, who opens and who closes first, and the step that makes each so."""
    first: dict[str | None, int] = {}  # the step of each state, and of each edge
    state = None
    for number, step in enumerate(trace.steps):
        if step.end == end and (step.state is not state or step.edges):
            state = step.state
            first.setdefault(state, number)
            for edge in step.edges:
                first.setdefault(edge, number)
    passive = [first[each] for each in (State.LISTEN, State.SYN_RECEIVED) if each in first]
    if State.SYN_SENT in first:
        yield say("active_opener"), first[State.SYN_SENT]
    elif passive:
        yield say("passive_opener"), first.get("CLOSED: passive OPEN", min(passive))
    if State.FIN_WAIT_1 in first:
        yield say("active_closer"), first[State.FIN_WAIT_1]
