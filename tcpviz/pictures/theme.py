"""One look for every picture: fonts, colours, line styles and measures; on screen and in print.

Colours are Okabe and Ito's, safe for colour-blind readers, or tints of them, always as #rrggbb
(older Graphviz reads nothing shorter). Nothing is told by colour alone: see the line styles.
Measures are points.
"""

import re
from functools import cache
from typing import Final

from tcpviz.states import State

FONT: Final = "Helvetica,Arial,Liberation Sans,DejaVu Sans,sans-serif"
PRINTED: Final = "tcpviz Sans"  # ours, as wide as Helvetica: in PDF and PNG
FACES: Final = {"": "Helvetica", "bold": "Helvetica-Bold", "italic": "Helvetica-Oblique"}
"""What Graphviz is told: it measures and writes a short name faster, and FONT replaces it."""
WRITTEN: Final = "Helvetica,sans-Serif"  # what Graphviz writes for these
FONT_SIZE: Final = 11.0
SMALL: Final = 9.5

INK: Final = "#1a1a2e"
QUIET: Final = "#5c6070"  # axes, addresses, notes; 6:1 on white
PAPER: Final = "#ffffff"
BLUE: Final = "#00568f"  # the active opener; Okabe-Ito blue, darkened for text
ORANGE: Final = "#a84300"  # the passive end; vermillion, darkened for text
RED: Final = "#b3261e"  # what was lost
PURPLE: Final = "#7b3f98"  # timers
"""Text colours reach 4.5:1 on PAPER."""

# sequence chart
GRID: Final = "#edeff3"  # behind everything, at round times
TINTS: Final = {
    State.CLOSED: "#eef0f4",
    State.LISTEN: "#bcc5d6",
    State.SYN_SENT: "#f3da80",
    State.SYN_RECEIVED: "#e2a746",
    State.ESTABLISHED: "#9ad2bb",
    State.FIN_WAIT_1: "#d5e9f9",
    State.FIN_WAIT_2: "#8cc0e6",
    State.CLOSE_WAIT: "#f7d8c6",
    State.CLOSING: "#b3b5dd",
    State.LAST_ACK: "#df9f7d",
    State.TIME_WAIT: "#b991c9",
}
"""Fills of states, under INK; states that follow each other differ in grey as well."""

# state diagram
LINE: Final = "#868b9b"  # an edge nobody took: quiet, and still 3:1 on PAPER
FADED: Final = "#ccd0d8"  # what a focus is not on
TINY: Final = 8.5  # names in boxes

# joint-state map
REACHABLE: Final = "#dde6f2"  # a pair of states that can be, under INK
QUIET_CELL: Final = "#f3cf7a"  # one where all can rest; hatched as well
# print
_GREYS: Final = {BLUE: "#111111", ORANGE: "#4a4a4a", QUIET: "#6b6b6b"}  # as light as each other
_PAINTED: Final = re.compile(
    r'''[cC]\ 7\ -(?P<color>\#[0-9a-f]{6})                      # a setting of xdot
    | color="(?P<of_node>\#[0-9a-f]{6})"
    | T\ -?[\d.]+\ -?[\d.]+\ -?[01]\ 0\ (?P<octets>\d+)\ -     # text of xdot follows
    | (?:label|tooltip)="(?:[^"\\]|\\.)*"''',
    re.DOTALL | re.VERBOSE,
)
"""What has a colour in DOT text, and what is text and may only look so."""


def printed(dot: str) -> str:
    """The DOT text in greys; its texts stay as they are."""
    parts: list[str] = []
    kept = at = 0
    while found := _PAINTED.search(dot, at):
        at = found.end()
        if found["octets"]:
            at = _after(dot, at, int(found["octets"]))
        elif kind := found.lastgroup:
            parts += dot[kept : found.start(kind)], grey(found[kind])
            kept = found.end(kind)
    return "".join((*parts, dot[kept:]))


def _after(dot: str, at: int, octets: int) -> int:
    """Where a text of so many octets ends; the backslash before a quote is none of them."""
    while octets:
        at += dot[at] == "\\"
        octets -= len(dot[at].encode())
        at += 1
    return at


@cache
def grey(color: str) -> str:
    """The grey that a colour is printed in: as light as the colour is, so contrasts stay.

    >>> grey(PAPER), grey(PURPLE)
    ('#ffffff', '#595959')
    """
    if color in _GREYS:
        return _GREYS[color]
    light = lightness(color)
    level = round(
        255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)
    )
    return f"#{level:02x}{level:02x}{level:02x}"


def lightness(color: str) -> float:
    """The relative luminance of a colour, as WCAG defines it for contrast: black 0, white 1."""
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
