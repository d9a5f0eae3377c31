"""Where RFC 9293 Figure 5 stands on the canvas: boxes, routes and labels in its own arrangement.

Knows positions, and what the labels say as far as they take room. Must not know colours, DOT or a
Trace: nothing that happens moves anything. Positions are points from the top left corner, y
downwards.
"""

from collections import Counter
from functools import cache
from typing import Final, Literal, NamedTuple

from tcpviz.pictures.drawing import Box
from tcpviz.pictures.lettering import text_width
from tcpviz.pictures.routes import Route, across, down
from tcpviz.pictures.theme import SMALL
from tcpviz.states import DIRECT, TRANSITIONS, Edge, Event, State
from tcpviz.words import kept, say

__all__ = ["AGAIN", "BOXES", "EDGES", "HALF_WIDTH", "SHEETS", "TOP", "WIDTH", "Part", "Place"]
__all__ += ["Stand", "box_at", "edges_on", "labels", "lines", "places"]

Part = Literal["open", "close"]
"""The half of the figure that opens a connection, or the one that closes it."""


class Stand(NamedTuple):
    """A state's box: its centre and half its height."""

    state: State
    x: float
    y: float
    half: float = 20

    def touches(self, point: complex) -> bool:
        """Whether a point is on the border (or inside)."""
        return abs(point.real - self.x) <= HALF_WIDTH and abs(point.imag - self.y) <= self.half


class Place(NamedTuple):
    """Where an edge runs, from border to border, and the point one corner of its label is at.

    A `shared` route, or a part of it, is that of other edges too; their labels are a stack that has
    room for so many `rows`.
    """

    route: Route
    x: float
    y: float
    corner: Literal["nw", "ne", "sw", "se"]
    shared: bool = False
    rows: int = 6

    def label(self, text: tuple[str, ...]) -> Box:
        """The rectangle of the label."""
        width = max(text_width(line, SMALL) for line in text)
        height = _LINE * len(text)
        left = self.x if "w" in self.corner else self.x - width
        top = self.y if "n" in self.corner else self.y - height
        return Box(left, top, left + width, top + height)


class Sheet(NamedTuple):
    """What of the figure is drawn: these boxes, between these heights of the whole canvas."""

    boxes: frozenset[str]
    top: float
    bottom: float


EDGES: Final = {edge.id: edge for edge in (*TRANSITIONS, *DIRECT)}
WIDTH: Final = 640
_HEIGHT: Final = 734
HALF_WIDTH: Final = 56
_LINE: Final = 1.2 * SMALL

_L, _C, _R = 130, 330, 530  # the columns
_TOP, _LISTEN, _SYN, _ESTAB, _FIN, _ACK, _END = 70, 154, 260, 356, 442, 534, 626  # the rows
_W, _E, _H = -HALF_WIDTH, HALF_WIDTH, 20  # from the middle of a box to its sides
_SYN_H, _FIN_H = 28, 24  # these two rows have taller boxes
_BESIDE, _OVER = 13, 10  # from a line to its label: a number has room on the line
_OUT = 50  # from the middle to the lines below LISTEN and above ESTABLISHED
_RAILS = 14, 28, 629  # lines that many share, at the left and at the right

TOP: Final = "state_CLOSED"
AGAIN: Final = "state_CLOSED_again"
BOXES: Final = {
    TOP: Stand(State.CLOSED, _C, _TOP),
    "state_LISTEN": Stand(State.LISTEN, _C, _LISTEN),
    "state_SYN_RECEIVED": Stand(State.SYN_RECEIVED, _L, _SYN, _SYN_H),
    "state_SYN_SENT": Stand(State.SYN_SENT, _R, _SYN, _SYN_H),
    "state_ESTABLISHED": Stand(State.ESTABLISHED, _C, _ESTAB),
    "state_FIN_WAIT_1": Stand(State.FIN_WAIT_1, _L, _FIN, _FIN_H),
    "state_CLOSE_WAIT": Stand(State.CLOSE_WAIT, _R, _FIN, _FIN_H),
    "state_FIN_WAIT_2": Stand(State.FIN_WAIT_2, _L, _ACK),
    "state_CLOSING": Stand(State.CLOSING, _C, _ACK),
    "state_LAST_ACK": Stand(State.LAST_ACK, _R, _ACK),
    "state_TIME_WAIT": Stand(State.TIME_WAIT, _C, _END),
    AGAIN: Stand(State.CLOSED, _R, _END),
}
SHEETS: Final[dict[Part | None, Sheet]] = {
    None: Sheet(frozenset(BOXES), 0, _HEIGHT),
    "open": Sheet(
        frozenset(name for name, box in BOXES.items() if box.y <= _ESTAB), 0, _ESTAB + 54
    ),
    "close": Sheet(
        frozenset(name for name, box in BOXES.items() if box.y >= _ESTAB), _ESTAB - 78, _HEIGHT
    ),
}

_FIGURE_5: Final = {
    "CLOSED: passive OPEN": Place(
        down(_C - 44, _TOP + _H, _LISTEN - _H), _C - 44 - _BESIDE, _TOP + 49, "se"
    ),
    "CLOSED: active OPEN": Place(
        across(_C + _E, _TOP + 1, _R + 18, _SYN - _SYN_H), _R + 18 + _BESIDE, _LISTEN - 12, "nw"
    ),
    "LISTEN: CLOSE": Place(
        down(_C - 17, _LISTEN - _H, _TOP + _H), _C - 17 + _BESIDE, _TOP + 49, "sw"
    ),
    "LISTEN: rcv SYN": Place(
        down(_C - _OUT, _LISTEN + _H, _SYN - 18, _L + _E),
        _C - _OUT - _BESIDE,
        _SYN - 18 - _OVER,
        "se",
    ),
    "LISTEN: SEND": Place(
        down(_C + _OUT, _LISTEN + _H, _SYN - 18, _R + _W),
        _C + _OUT + _BESIDE,
        _SYN - 18 - _OVER,
        "sw",
    ),
    "SYN-SENT: CLOSE": Place(
        down(_R - 40, _SYN - _SYN_H, _TOP + 14, _C + _E), _R - 40 + _BESIDE, _LISTEN - 6, "nw"
    ),
    "SYN-SENT: rcv SYN": Place(across(_R + _W, _SYN, _L + _E), _C - 26, _SYN - 5, "sw"),
    "SYN-SENT: rcv SYN,ACK": Place(
        across(_R + _W, _SYN + 18, _C + _OUT, _ESTAB - _H),
        _C + _OUT + _BESIDE,
        _SYN + 18 + _OVER,
        "nw",
    ),
    "SYN-RECEIVED: rcv RST (passive)": Place(
        down(_L - 10, _SYN - _SYN_H, _LISTEN - 6, _C + _W), _L - 24, _LISTEN - 11, "sw"
    ),
    "SYN-RECEIVED: rcv ACK of SYN": Place(
        across(_L + _E, _SYN + 18, _C - _OUT, _ESTAB - _H),
        _C - _OUT - _BESIDE,
        _SYN + 18 + _OVER,
        "ne",
    ),
    "SYN-RECEIVED: CLOSE": Place(
        down(_L + 16, _SYN + _SYN_H, _FIN - _FIN_H), _L + 16 + _BESIDE, _ESTAB - 12, "nw"
    ),
    "ESTABLISHED: CLOSE": Place(
        down(_C - 40, _ESTAB + _H, _FIN - 14, _L + _E),
        _C - 40 - _BESIDE,
        _FIN - 14 - _OVER,
        "se",
    ),
    "ESTABLISHED: rcv FIN": Place(
        down(_C + 40, _ESTAB + _H, _FIN - 14, _R + _W),
        _C + 40 + _BESIDE,
        _FIN - 14 - _OVER,
        "sw",
    ),
    "FIN-WAIT-1: rcv FIN": Place(
        across(_L + _E, _FIN + 3, _C - 40, _ACK - _H), _L + 92 + _BESIDE, _FIN + 3 + _OVER, "nw"
    ),
    "FIN-WAIT-1: rcv ACK of FIN": Place(
        down(_L, _FIN + _FIN_H, _ACK - _H), _L + _BESIDE, _FIN + 43, "nw"
    ),
    "FIN-WAIT-2: rcv FIN": Place(
        down(_L, _ACK + _H, _END + 4, _C + _W), _L + _BESIDE, _END + 4 - _OVER, "sw"
    ),
    "CLOSING: rcv ACK of FIN": Place(
        down(_C + 20, _ACK + _H, _END - _H), _C + 20 + _BESIDE, _ACK + 40, "nw"
    ),
    "CLOSE-WAIT: CLOSE": Place(down(_R, _FIN + _FIN_H, _ACK - _H), _R - _BESIDE, _FIN + 38, "ne"),
    "LAST-ACK: rcv ACK of FIN": Place(
        down(_R, _ACK + _H, _END - _H), _R - _BESIDE, _ACK + 40, "ne"
    ),
    "TIME-WAIT: Timeout=2MSL": Place(
        across(_C + _E, _END, _R + _W), _C + _E + 8, _END + _OVER, "nw"
    ),
}

_OTHERS: Final = {
    "FIN-WAIT-1: rcv FIN,ACK of FIN": Place(
        across(_L + _E, _FIN + 17, _L + 92, _END - 10, _C + _W), _L + 92 + _BESIDE, _ACK + 34, "nw"
    ),
    "TIME-WAIT: rcv FIN": Place(
        down(_C - 30, _END + _H, _END + 40, _C - 50, _END + _H), _C - 58, _END + 24, "ne"
    ),
    "TIME-WAIT: rcv SYN": Place(
        down(_C - 8, _END + _H, _END + 54, _RAILS[0], _SYN - 12, _L + _W),
        _L,
        _END + 54 - _OVER,
        "sw",
    ),
    "LISTEN: active OPEN": Place(
        across(_C + _E, _LISTEN, _R - 51, _SYN - _SYN_H), _C + _E + 12, _LISTEN + _OVER, "nw"
    ),
    "LISTEN: rcv SYN, to ESTABLISHED": Place(
        down(_C - 38, _LISTEN + _H, _ESTAB - _H), _C - 38 + _BESIDE, _SYN + 18, "nw"
    ),
    "LISTEN: rcv ACK of SYN, to ESTABLISHED": Place(
        down(_C - 38, _LISTEN + _H, _ESTAB - _H), _C - 38 + _BESIDE, _SYN + 18, "nw"
    ),
    "TIME-WAIT: rcv SYN, to ESTABLISHED": Place(
        down(_C - 8, _END + _H, _END + 54, _RAILS[0], _ESTAB, _C + _W),
        _L,
        _END + 54 - _OVER,
        "sw",
    ),
    "TIME-WAIT: active OPEN, to SYN-SENT": Place(
        down(_C + 10, _END + _H, _END + 82, _RAILS[2], _SYN + 24, _R + _E),
        _C + _E + 8,
        _END + 82 - _OVER,
        "sw",
    ),
    "SYN-RECEIVED: rcv FIN": Place(
        across(_L + _E, _SYN + 8, _R - 70, _FIN - 8, _R + _W), _R - 70 + _BESIDE, _SYN + 44, "nw"
    ),
    "SYN-RECEIVED: rcv SYN (passive)": Place(
        down(_L + 20, _SYN - _SYN_H, _LISTEN + 8, _C + _W),
        _L + 20 + _BESIDE,
        _LISTEN + 8 + _OVER,
        "nw",
    ),
}

_EXITS: Final = {  # the route to CLOSED that a reset, an ABORT and a timeout share
    State.LISTEN: Place(
        down(_C + 44, _LISTEN - _H, _TOP + _H), _C + 44 + _BESIDE, _TOP + 31, "nw", rows=2
    ),
    State.SYN_SENT: Place(
        across(_R + _E, _SYN + 18, _RAILS[2], _TOP - 15, _C + _E), _RAILS[2] - 8, _SYN + 34, "ne"
    ),
    State.SYN_RECEIVED: Place(
        across(_L + _W, _SYN + 18, _RAILS[1], _TOP, _C + _W), _RAILS[1] + 8, _SYN + 34, "nw"
    ),
    State.ESTABLISHED: Place(
        across(_C + _E, _ESTAB, _RAILS[2], _END, _R + _E),
        _RAILS[2] - 8,
        _ESTAB + _OVER,
        "ne",
        rows=3,
    ),
    State.FIN_WAIT_1: Place(
        across(_L + _W, _FIN + 12, _RAILS[1], _TOP, _C + _W), _RAILS[1] + 8, _FIN + 31, "nw", rows=3
    ),
    State.FIN_WAIT_2: Place(
        across(_L + _W, _ACK + 8, _RAILS[1], _TOP, _C + _W), _RAILS[0] + 8, _ACK + 27, "nw"
    ),
    State.CLOSE_WAIT: Place(
        across(_R + _E, _FIN + 12, _RAILS[2], _END, _R + _E), _RAILS[2] - 8, _FIN + 31, "ne", rows=3
    ),
    State.CLOSING: Place(
        across(_C + _E, _ACK, _R - 92, _END - 11, _R + _W), _C + _E + 6, _ACK - _OVER, "sw"
    ),
    State.LAST_ACK: Place(
        across(_R + _E, _ACK + 8, _RAILS[2], _END, _R + _E), _RAILS[2] - 8, _ACK + 27, "ne", rows=3
    ),
    State.TIME_WAIT: Place(
        down(_C + 30, _END + _H, _END + 75, _R, _END + _H), _C + _E + 8, _END + 24, "nw", rows=4
    ),
}

_WAITS: Final = {  # the route to TIME-WAIT of who aborts and waits; its label is that of the exit
    state: _EXITS[state]._replace(route=route)
    for state, route in {
        State.SYN_RECEIVED: across(
            _L + _W, _SYN + 24, _RAILS[0] - 9, _END + 82, _C - 24, _END + _H
        ),
        State.FIN_WAIT_1: across(_L + _W, _FIN + 18, _RAILS[0], _END + 82, _C - 24, _END + _H),
        State.FIN_WAIT_2: across(_L + _W, _ACK + 14, _RAILS[0], _END + 82, _C - 24, _END + _H),
        State.ESTABLISHED: across(_C + _E, _ESTAB - 8, _RAILS[2], _END + 82, _C + 10, _END + _H),
        State.CLOSE_WAIT: across(_R + _E, _FIN + 18, _RAILS[2], _END + 82, _C + 10, _END + _H),
    }.items()
}

_DETOURS: Final[dict[Part | None, dict[State, Route]]] = {  # to the one CLOSED that a part has
    None: {},
    "open": {State.ESTABLISHED: across(_C + _E, _ESTAB, _RAILS[2], _TOP - 15, _C + _E)},
    "close": {
        State.FIN_WAIT_1: across(_L + _W, _FIN + 12, _RAILS[0], _END + 87, _R + 16, _END + _H),
        State.FIN_WAIT_2: across(_L + _W, _ACK + 8, _RAILS[0], _END + 87, _R + 16, _END + _H),
    },
}


@cache
def places(part: Part | None = None) -> dict[str, Place]:
    """Where each edge of TRANSITIONS stands, by its id; in a part some take another way."""
    found = {**_FIGURE_5, **_OTHERS}
    for name, edge in EDGES.items():
        if name not in found:
            exits = _WAITS if edge.target is State.TIME_WAIT else _EXITS
            place = exits[edge.source]
            if exits is _EXITS:
                place = place._replace(route=_DETOURS[part].get(edge.source, place.route))
            found[name] = place._replace(shared=True)
    return found


@cache
def edges_on(part: Part | None) -> frozenset[str]:
    """The edges that begin and end on a sheet, by id."""
    boxes = SHEETS[part].boxes
    return frozenset(
        name
        for name, place in places(part).items()
        if {box_at(place.route[0]), box_at(place.route[-1])} <= boxes
    )


@kept
def labels(edges: tuple[str, ...], *, notes: bool = False) -> dict[str, Box]:
    """Where the labels of these edges stand, by id; those of one exit in a stack.

    The first ones have a place in it before others; those that there is no room for are left out.
    """
    written: Counter[State] = Counter()
    found = {}
    for name in edges:
        edge, place = EDGES[name], places()[name]
        text = lines(edge, notes=notes)
        if place.shared:
            above = written[edge.source]
            if above + len(text) > place.rows:
                continue
            written[edge.source] += len(text)
            place = place._replace(y=place.y + _LINE * (above if "n" in place.corner else -above))
        found[name] = place.label(text)
    return found


@kept
def lines(edge: Edge, *, notes: bool = False) -> tuple[str, ...]:
    """An edge's label as Figure 5 writes it: the event, its side condition, what is sent.

    Where several labels stand below each other, each takes one line if it can. With `notes` it
    refers to the notes of Figure 5.
    """
    written = [str(edge.event)]
    if edge.opened:
        key = "diagram_reopened" if edge.opened == "reopened" else "diagram_opened"
        written.append(say(key, how=edge.opened))
    if edge.sends:
        written.append(f"snd {edge.sends}")
    if notes and (number := _note(edge)):
        at = 0 if edge.opened else -1
        written[at] = f"{written[at]} {say('diagram_see_note', number=number)}"
    if places()[edge.id].shared and not edge.rare and not edge.opened:
        return (", ".join(written),)
    return tuple(written)


def _note(edge: Edge) -> int:
    """The note of Figure 5 that tells of an edge; what Note 3 tells of is not marked one by one."""
    if edge.opened and edge.event is Event.RCV_RST:
        return 1
    return 2 if edge.event is Event.RCV_FIN_ACK_OF_FIN else 0


@cache
def box_at(point: complex) -> str:
    """The box whose border a route touches in this point."""
    return next(name for name, box in BOXES.items() if box.touches(point))
