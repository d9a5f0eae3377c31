"""One look for every picture: fonts, colours, line styles and measures.

Colours are Okabe and Ito's, safe for colour-blind readers, or tints of them, always as #rrggbb
(older Graphviz reads nothing shorter). Nothing is told by colour alone: see the line styles.
Measures are points.
"""

from typing import Final

from tcpviz.states import State

FONT: Final = "Helvetica,Arial,Liberation Sans,DejaVu Sans,sans-serif"
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
