"""The paper under a chart: title, time axis with its ticks, breaks, and the notes at the foot.

Knows the time axis. Must not know what is drawn upon it.
"""

from collections.abc import Iterable
from math import ceil
from typing import Final

from tcpviz.pictures import theme
from tcpviz.pictures.drawing import Box, Drawing, Pen
from tcpviz.pictures.lettering import LINE, Face, shortened, text_width, wrapped
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.units import readable
from tcpviz.words import say

EDGE: Final = 10  # pt of paper around all
TITLE: Final = 20  # pt for a title
ROW: Final = theme.SMALL * LINE
TALLEST: Final = 14_400.0  # pt: the highest page that PDF knows
_BAND: Final = Pen(theme.QUIET, 0.75, "dashed")  # around what says what is not drawn


class Ruler:
    """The ticks of an axis that begins at y `top` of the sheet, written at its left edge."""

    def __init__(self, axis: TimeAxis, top: float) -> None:
        """Find the ticks."""
        self.axis = axis
        self.top = top
        self.ticks = {readable(time, 9): top + axis.y(time) for time in axis.ticks()}
        widest = max((text_width(tick, theme.SMALL) for tick in self.ticks), default=0)
        self.x = EDGE + ceil(widest) + 6

    @property
    def bottom(self) -> float:
        """Where the axis ends on the sheet."""
        return self.top + self.axis.height

    def draw(self, drawing: Drawing, width: float) -> None:
        """Draw the axis, and a line across the sheet at each tick."""
        grid = [[(self.x - 3, y), (width - EDGE, y)] for y in self.ticks.values()]
        drawing.line(grid, Pen(theme.GRID, 0.75))
        drawing.line([[(self.x, self.top), (self.x, self.bottom)]], Pen(theme.QUIET, 1))
        for tick, y in self.ticks.items():
            box = Box(EDGE, y - 6, self.x - 6, y + 6)
            drawing.text(box, [tick], align="right", color=theme.QUIET)

    def draw_breaks(self, drawing: Drawing, width: float) -> None:
        """A band across the sheet, its ends beyond it, says what is not drawn."""
        for number, each in enumerate(self.axis.breaks):
            drawing.box(
                Box(-2, self.top + each.top, width + 2, self.top + each.bottom),
                theme.PAPER,
                _BAND,
                text=(
                    [say("not_drawn", time=readable(each.omitted, 9))],
                    theme.SMALL,
                    theme.QUIET,
                ),
                classes="break",
                name=f"break_{number}",
            )


def draw_title(drawing: Drawing, title: str, left: float, right: float, top: float = EDGE) -> None:
    """Write a title on one line, cut where there is no room."""
    if title:
        shown = shortened(" ".join(title.split()), right - left, 12, "bold")
        drawing.text(Box(left, top, right, top + 16), [shown], align="left", size=12, face="bold")


def draw_notes(
    drawing: Drawing,
    notes: Iterable[tuple[str, Face]],
    y: float,
    width: float,
    color: str = theme.QUIET,
) -> float:
    """Write sentences one under the other; returns where they end."""
    for note, face in notes:
        lines = wrapped(note, width - 2 * EDGE, theme.SMALL)
        box = Box(EDGE, y, width - EDGE, y + len(lines) * ROW)
        drawing.text(box, lines, align="left", color=color, face=face)
        y = box.bottom + 3
    return y
