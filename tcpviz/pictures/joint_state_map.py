"""The joint-state map: which pairs of states the two ends can be in, all of them on one sheet.

Knows how such pairs are drawn, and the way of one Trace through them. Must not know how they were
found.
"""

from collections.abc import Sequence
from typing import Final

from tcpviz.pictures import theme
from tcpviz.pictures.drawing import Box, Drawing, Pen, Point
from tcpviz.pictures.joint_states import (
    STATES,
    Cell,
    Explored,
    Failure,
    alt_of,
    failures_of,
    in_two,
    is_half_open,
    table,
    told,
)
from tcpviz.pictures.lettering import shortened, text_width, wrapped
from tcpviz.pictures.picture import Picture
from tcpviz.pictures.walks import Pair, Stop, walk
from tcpviz.trace import Trace
from tcpviz.words import say

__all__ = ["joint_state_map"]


_WIDE, _HIGH = 66.0, 44.0  # a cell
_LEFT, _NAMES = 12.0, 88.0  # the names of rows, from x on, so wide
_X = _LEFT + _NAMES + 4
WIDTH: Final = _X + _WIDE * len(STATES) + 12
_FILLS: Final = {"never": theme.PAPER, "reachable": theme.REACHABLE, "quiet": theme.QUIET_CELL}
_FRAMES: Final = {
    "never": Pen(theme.GRID),
    "reachable": Pen(theme.LINE),
    "quiet": Pen(theme.INK, 1.75),
}
_HATCH: Final = Pen(theme.QUIET, 0.6)
_WALKS: Final = (
    Pen(theme.BLUE, 2.25, "solid", "normal", size=0.6),
    Pen(theme.ORANGE, 2.25, "dashed", "normal", size=0.6),
)
_DOT: Final = 3.5  # pt, its radius
_LINE: Final = 1.25 * theme.SMALL


def joint_state_map(exploration: Explored, *, path: Trace | None = None) -> Picture:
    """Draw which pairs of states an exploration found: the client's down, the server's across.

    A pair is never met, reachable, or quiet: nothing in flight, no timer running, so the two stay
    there until a user calls. The number is that of the moves of a shortest run. A pair is marked
    half-open (RFC 9293, 3.5.1) where one end takes the connection for open and the other has none
    or a new one; with a letter where the shortest run ends that breaks a property.

    `path` draws the way of one Trace from pair to pair: down and up where its first end moves, a
    solid line, across where the second does, a dashed one.

    Raises ValueError for a `path` one of whose ends was not observed, or that lacks an end.

    >>> from tcpviz.explore import explore
    >>> found = explore(losses=0, duplicates=0, old=0, spurious=0)
    >>> print(joint_state_map(found).text.splitlines()[7][:57])
    SYN-SENT          1       2      .         3            .
    """
    way = walk(path) if path is not None else ()
    failures = failures_of(exploration.failures)
    summary = str(exploration).split("\n", 1)[0]
    title = say("map")
    if path is not None:
        title = say("map_path", title=path.title).removesuffix(": ")
    drawing = Drawing()
    y = _draw_head(drawing, title, summary)
    for row, client in enumerate(STATES):
        for column, server in enumerate(STATES):
            pair = client, server
            at = _X + _WIDE * column, y + _HIGH * row
            letters = "".join(failure.letter for failure in failures if failure.pair == pair)
            _draw_cell(drawing, at, pair, exploration.map[pair], letters)
    if path is not None:
        _draw_walk(drawing, way, [end.name for end in path.ends], y)
    half = any(cell.kind != "never" for pair, cell in exploration.map.items() if is_half_open(pair))
    foot = y + _HIGH * len(STATES) + 12
    strays = any(exploration.map[stop.pair].kind == "never" for stop in way)
    said = [say("map_strays")] if strays else []
    bottom = _draw_foot(drawing, foot, failures, path, half_open=half)
    for line in wrapped(say("map_strays"), WIDTH - 12 - _X, theme.SMALL) if strays else ():
        _write(drawing, line, _X, bottom + 2)
        bottom += _LINE
    text = "\n".join([title, *told(exploration.map, summary, failures, way), *said])
    alt = " ".join([*alt_of(exploration.map, summary, failures, way), *said])
    return Picture(
        title,
        drawing.source(WIDTH, bottom),
        lambda: text,
        alt,
        drawing.marks,
        lambda: table(exploration.map, title, summary, failures),
    )


# -- drawing ---------------------------------------------------------------------------------------


def _draw_head(drawing: Drawing, title: str, summary: str) -> float:
    """The title, how far the search went, the names of rows and columns; returns where they end."""
    y = 16.0
    for line in _few(title, theme.FONT_SIZE):
        _write(drawing, line, _LEFT, y, theme.FONT_SIZE)
        y += 17
    for line in wrapped(summary, WIDTH - 24, theme.SMALL):
        _write(drawing, line, _LEFT, y, color=theme.QUIET)
        y += _LINE
    y += 6
    across = shortened(say("map_columns"), WIDTH - _X - 12, theme.SMALL)
    _write(drawing, across, _X, y, color=theme.ORANGE)
    rows = shortened(say("map_rows"), _NAMES, theme.SMALL)
    _write(drawing, rows, _LEFT, y + 22, color=theme.BLUE)
    top = y + 38
    frame = Pen(theme.LINE, 0.75)
    for index, state in enumerate(STATES):
        x, down = _X + _WIDE * (index + 0.5), top + _HIGH * (index + 0.5)
        narrow = text_width(state, theme.TINY) > _WIDE - 6 and "-" in state
        lines = tuple(in_two(state)) if narrow else (state,)
        words = (lines, theme.TINY, theme.INK), ((state,), theme.TINY, theme.INK)
        above = Box.around(x, top - 18, _WIDE - 3, 26)
        aside = Box(_LEFT, down - _HIGH / 2 + 1.5, _LEFT + _NAMES, down + _HIGH / 2 - 1.5)
        drawing.box(above, theme.TINTS[state], frame, text=words[0], classes="column name")
        drawing.box(aside, theme.TINTS[state], frame, text=words[1], classes="row name")
    return top


def _draw_cell(drawing: Drawing, at: Point, pair: Pair, cell: Cell, letters: str) -> None:
    """A cell: its fill, its number, what is wrong with it. The right and the middle stay free."""
    left, top = at
    name = "_".join(state.name for state in pair)
    fill, kind = _FILLS[cell.kind], cell.kind
    tip = " / ".join(pair) + ": " + say(f"map_{kind}")
    box = Box(left + 1.5, top + 1.5, left + _WIDE - 1.5, top + _HIGH - 1.5)
    drawing.box(box, fill, _FRAMES[kind], classes=f"cell {kind}", name=f"cell_{name}", tip=tip)
    if kind == "never":
        return
    if kind == "quiet":
        drawing.line(_hatching(box), _HATCH, classes="hatch", name=f"hatch_{name}", over=True)
    number = str(len(cell.moves))
    paper = theme.PAPER if kind == "quiet" else fill
    width = text_width(number, theme.FONT_SIZE) + 5
    place = Box(left + 4, top + 4, left + 4 + width, top + 17)
    size = theme.FONT_SIZE
    drawing.text(place, [number], size=size, fill=paper, classes="moves", name=f"moves_{name}")
    if letters:
        width = text_width(letters, theme.SMALL, "bold") + 5
        place = Box(place.right + 2, top + 4, place.right + 2 + width, top + 17)
        drawing.text(
            place,
            [letters],
            face="bold",
            color=theme.PAPER,
            fill=theme.RED,
            classes="failure",
            name=f"failure_{name}",
        )
    if is_half_open(pair):
        words = shortened(say("map_half_open"), _WIDE - 12, theme.TINY)
        place = Box(left + 4, top + 30, left + 7 + text_width(words, theme.TINY), top + 41)
        size = theme.TINY
        drawing.text(
            place, [words], size=size, fill=paper, classes="half_open", name=f"half_{name}"
        )


def _hatching(box: Box) -> list[tuple[Point, Point]]:
    """Slanted lines over a rectangle."""
    left, top, right, bottom = box
    height = bottom - top
    strokes = []
    start = left - height + _HATCHED
    while start < right:
        begin, end = max(start, left), min(start + height, right)
        strokes.append(((begin, bottom - (begin - start)), (end, bottom - (end - start))))
        start += _HATCHED
    return strokes


_HATCHED: Final = 7.0  # pt between two lines


def _draw_walk(drawing: Drawing, way: Sequence[Stop], names: Sequence[str], top: float) -> None:
    """A line from cell to cell, a dot in each; the first one is open."""
    spots = [_spot(stop.pair, top) for stop in way]
    for number, (stop, begin, end) in enumerate(zip(way[1:], spots, spots[1:], strict=False), 1):
        pen = _WALKS[names.index(stop.end)]
        leg = _leg(begin, end)
        tip = f"{number}: {stop.end} {' / '.join(stop.pair)}"
        drawing.line([leg], pen, classes="walk", name=f"walk_{number}", tip=tip, over=True)
    for spot in dict.fromkeys(spots):
        fill = theme.PAPER if spot == spots[0] else theme.INK
        size = 2 * _DOT + (3 if spot == spots[-1] else 0)
        box = Box.around(*spot, size, size)
        drawing.box(box, fill, Pen(theme.INK, 1.25), shape="ellipse", classes="stop")


def _leg(begin: Point, end: Point) -> list[Point]:
    """The line between two dots; the way back, up or to the left, runs beside the way there."""
    (x0, y0), (x1, y1) = begin, end
    across, down = _sign(x1 - x0), _sign(y1 - y0)
    first, last = (x0 + across * _DOT, y0 + down * _DOT), (x1 - across * _DOT, y1 - down * _DOT)
    if across + down > 0:
        return [first, last]
    aside_x, aside_y = _ASIDE * (down != 0), -_ASIDE * (across != 0)
    return [
        first,
        (x0 + across * _TURN + aside_x, y0 + down * _TURN + aside_y),
        (x1 - across * _TURN + aside_x, y1 - down * _TURN + aside_y),
        last,
    ]


_ASIDE, _TURN = 5.0, 14.0  # how far beside, and where it gets there


def _spot(pair: Pair, top: float) -> Point:
    """Where the walk passes a cell: what is written there keeps clear of it."""
    row, column = map(STATES.index, pair)
    return _X + _WIDE * (column + 1) - 11, top + _HIGH * row + _HIGH / 2 + 2


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def _draw_foot(
    drawing: Drawing,
    y: float,
    failures: tuple[Failure, ...],
    path: Trace | None,
    *,
    half_open: bool,
) -> float:
    """What the signs mean; returns where the sheet ends."""
    x, right = _X, WIDTH - 12
    for kind in ("never", "reachable", "quiet"):
        words = shortened(say(f"map_{kind}"), right - _X - 36, theme.SMALL)
        x, y = _next(x, y, 36 + text_width(words, theme.SMALL), 22)
        box = Box(x, y, x + 30, y + 18)
        pen = _FRAMES[kind] if kind != "never" else Pen(theme.LINE, 0.75)
        drawing.box(box, _FILLS[kind], pen, classes=f"key {kind}")
        if kind == "quiet":
            drawing.line(_hatching(box), _HATCH, classes="hatch", name="hatch_key", over=True)
        if kind != "never":
            number = Box(x + 4, y + 3, x + 17, y + 15)
            fill = theme.PAPER if kind == "quiet" else _FILLS[kind]
            drawing.text(number, [say("map_number")], fill=fill, classes="key moves")
        x = _write(drawing, words, x + 36, y + 9) + 22
    words = shortened(say("map_moves"), right - _X, theme.SMALL)
    x, y = _next(x, y, text_width(words, theme.SMALL), 22)
    _write(drawing, words, x, y + 9)
    y += 30
    if half_open:
        for line in wrapped(say("map_half_open_is"), right - _X, theme.SMALL):
            _write(drawing, line, _X, y)
            y += _LINE
        y += 18 - _LINE
    for letter, sentence, moves, _ in failures:
        box = Box(_X, y - 6, _X + 14, y + 6)
        drawing.text(
            box, [letter], face="bold", color=theme.PAPER, fill=theme.RED, classes="key failure"
        )
        words = say("map_failure", sentence=sentence, count=moves)
        for line in wrapped(words, WIDTH - _X - 34, theme.SMALL):
            _write(drawing, line, _X + 20, y)
            y += _LINE
        y += 18 - _LINE
    if path is not None:
        x = _X
        for nth, end in enumerate(path.ends):
            words = shortened(say("map_walks", end=end.name), right - _X - 42, theme.SMALL)
            x, y = _next(x, y, 42 + text_width(words, theme.SMALL), _LINE + 3)
            drawing.line([[(x, y + 2), (x + 36, y + 2)]], _WALKS[nth])
            x = _write(drawing, words, x + 42, y + 2) + 22
        y += _LINE + 3
    return round(y + 6)


def _few(text: str, size: float) -> list[str]:
    """A text on two lines at most."""
    first, *rest = wrapped(text, WIDTH - 2 * _LEFT, size)
    lines = [first, " ".join(rest)] if rest else [first]
    return [shortened(line, WIDTH - 2 * _LEFT, size) for line in lines]


def _next(x: float, y: float, width: float, height: float) -> Point:
    """Where the next of a row begins: on the row below where this one has no room for it."""
    return (_X, y + height) if x > _X and x + width > WIDTH - 12 else (x, y)


def _write(
    drawing: Drawing,
    text: str,
    x: float,
    y: float,
    size: float = theme.SMALL,
    color: str = theme.INK,
) -> float:
    """Write a line from x on; returns where it ends."""
    width = text_width(text, size)
    drawing.text(Box(x, y - 7, x + width, y + 7), [text], align="left", size=size, color=color)
    return x + width
