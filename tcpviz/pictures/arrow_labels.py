"""Labels on the arrows of a sequence chart: each at its own arrow, clear of all others.

Knows the ways of the segments and where they pass. Must not know how anything is drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import ceil, hypot, inf
from typing import Final, NamedTuple

from tcpviz.pictures import theme
from tcpviz.pictures.drawing import Box, Point
from tcpviz.pictures.lettering import LINE, text_width
from tcpviz.pictures.placement import Board, Place, Stroke, spread
from tcpviz.pictures.ways import Lines, Space, Way
from tcpviz.words import say

CLEAR: Final = 12  # pt between a lifeline and a label: room for an arrow's head
CROSS: Final = 5  # pt: half of the cross of a lost segment
TAIL: Final = 20.0  # pt of dots before what nobody was seen to send
MANY: Final = 60  # ways: in a longer chart labels stand on their arrows, and the scale stays
_ROW: Final = theme.FONT_SIZE * LINE + 1
_OVER: Final = 5.0  # pt that a label may stand out above the axis
CROWD: Final = 3  # so many arrows side by side get labels of their own
_TRAIN: Final = 60.0  # pt of a longer crowd get a label each
_ASIDE: Final = (0, -4, 4, -8, 8, -12, 12)  # pt from a mark
_MARKED: Final = ("lost", "unsent", "on the way")  # there is room beyond the end of these
_LESS: Final = 0.15  # the cost of each more line, or word less
_GOOD: Final = 0.75  # the cost of a label that needs no better place
_ROUNDS: Final = 3
_MISSING: Final = 5.0  # the cost of no label
_TOUCHES: Final = 4.0  # pt: what is so near needs no leader
_RAIL: Final = 2.5  # pt from the middle of a hollow way to where labels keep clear
_OFF: Final = (2, 6, 12, 20, 30, 44)  # pt between a way and a label beside it
_PARTS: Final = tuple(part / 10 for part in range(1, 10))  # of a way, where one may stand beside
_FURTHER: Final = 12  # pt by which the dots before what nobody was seen to send may be longer
_FURTHER_OFF: Final = 0.3  # the cost of that
_STEEP: Final = 2.0  # of a way: labels stand left and right of it
_BESIDE: Final = 0.6  # the cost of standing beside a way


BEGINS: Final = "_begins"  # after the name of a way: its label where it begins


class Label(NamedTuple):
    """Lines of text in a rectangle, and the stroke that leads to their arrow if they are aside."""

    box: Box
    lines: Lines
    leader: Stroke | None = None


class _Placed(NamedTuple):
    place: Place
    lines: Lines


class Layout(NamedTuple):
    """The labels of a space by the names of their ways, and what their places cost beyond reason.

    Where there are more arrows than room, an axis of a larger scale costs less.
    """

    labels: dict[str, Label]
    crowded: float = 0.0


def lay_out(space: Space) -> Layout:
    """Find the labels a place: on their arrows or beside them, or in rows if one end saw all."""
    if all(end.observed for end in space.trace.ends):
        return _labels_on_arrows(space)
    return Layout(_labels_in_rows(space))


def _labels_on_arrows(space: Space) -> Layout:
    """Labels on their arrows or beside them, each where it hides least; none where no room is."""
    board = _board(space)
    middles = _side_by_side(space) if len(space.ways) > MANY else {}
    wishes = [wish for group in _alongside(space.ways) for wish in _wishes(group, middles)]
    wishes.sort(key=_choice)
    found: dict[str, _Placed] = {}
    for way, part in wishes:
        _place(board, space, way, part, found)
    few = wishes if len(space.ways) <= MANY else []
    bad = 0.0
    for _ in range(_ROUNDS):  # those that came later may have made a place a bad one
        bad, moved = 0.0, False
        for way, part in few:
            before = found.get(way.name)
            wrong = _misplaced(board, way, before)
            bad += wrong
            if before and wrong:
                board.lift(before.place)
                _place(board, space, way, part, found)
                moved = moved or found[way.name].place.box != before.place.box
        if not moved:
            break
    else:
        bad = sum(_misplaced(board, way, found.get(way.name)) for way, _ in few)
    for way in space.ways if few else ():
        if way.fashion == "old" and way.strokes[1:]:  # far from where its label is best
            begins = way._replace(strokes=way.strokes[:1], texts=space.labels.of(way.flight))
            begun: dict[str, _Placed] = {}
            _place(board, space, begins, 0.5, begun)
            found |= {f"{name}{BEGINS}": placed for name, placed in begun.items()}
    labels = {name: Label(place.box, lines, place.leader) for name, (place, lines) in found.items()}
    return Layout(labels, bad)


def _choice(wish: tuple[Way, float]) -> tuple[int, bool, int]:
    """Who chooses a place first: what is about the connection, then what has few to choose from."""
    way, _ = wish
    return way.rank, way.fashion not in _MARKED, way.flight.number


def _misplaced(board: Board, way: Way, placed: _Placed | None) -> float:
    """What is wrong with the place of a label; 0 where it is good."""
    if placed is None:
        return _MISSING
    cost = board.cost(way.name, placed.place) + placed.place.away / 15
    return cost if cost > _GOOD else 0.0


def _board(space: Space) -> Board:
    """What labels must keep clear of, and the arrows."""
    board = Board(space.top - _OVER, space.top + space.axis.height)
    left, right = space.left, space.right
    for band in space.axis.breaks:
        board.take(Box(left, space.top + band.top, right, space.top + band.bottom))
    for way in space.ways:
        board.pass_through(way.name, way.strokes, tuple(_rails(way)))
        if way.fashion in ("lost", "unsent", "dropped"):
            board.take(mark(way))
    return board


def _rails(way: Way) -> Iterator[Stroke]:
    """Both sides of a hollow way."""
    for (x0, y0), (x1, y1) in way.strokes if way.fashion == "old" else ():
        x, y = (_RAIL, 0) if abs(y1 - y0) > abs(x1 - x0) else (0, _RAIL)
        yield (x0 - x, y0 - y), (x1 - x, y1 - y)
        yield (x0 + x, y0 + y), (x1 + x, y1 + y)


def _place(board: Board, space: Space, way: Way, part: float, found: dict[str, _Placed]) -> None:
    """Put its label where it costs least."""
    least, best, name = inf, None, way.name
    many = len(space.ways) > MANY
    places = [_beyond, _upon, _beside] if way.fashion in _MARKED else [_upon, _beside]
    if way.side and not many:
        places = [_beside]
    enough = inf if many else _LESS
    for less, lines in enumerate(way.texts):
        extra = less * _LESS
        for candidates in places[:-1] if many else places:
            offered = candidates(space, way, lines, part)
            cost, place = board.cheapest(name, offered, least - extra, fair=many)
            if place:
                least, best = cost + extra, _Placed(place, lines)
            if least < extra + enough:
                break
        if least < extra + enough:
            break
    if best:
        if many:
            board.take(best.place.box)
        else:
            board.put(best.place)
        found[name] = best


def _leader(way: Way, box: Box) -> Stroke:
    """From a label that stands aside to the nearest of its arrow, not to its ends."""
    points = [_along_part(stroke, step / 40) for stroke in way.strokes for step in range(4, 37, 4)]
    x, y = end = min(points, key=lambda point: _apart(box, point))
    return (min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)), end


def _along_part(stroke: Stroke, part: float) -> Point:
    (x0, y0), (x1, y1) = stroke
    return x0 + (x1 - x0) * part, y0 + (y1 - y0) * part


def _apart(box: Box, point: Point) -> float:
    """How far a point is outside a rectangle."""
    x, y = point
    return hypot(max(box.left - x, 0, x - box.right), max(box.top - y, 0, y - box.bottom))


def mark(way: Way) -> Box:
    """Where a segment died or was dropped, or the dots before what nobody was seen to send."""
    if way.fashion == "unsent":
        (x0, y), (x1, _) = way.strokes[0]
        return Box.around(x0 - (TAIL if x1 > x0 else -TAIL) / 2, y, TAIL, 2)
    x, y = way.strokes[-1][1]
    if way.fashion == "dropped":
        x, y = along(way.strokes[-1], -2 * CROSS)
    return Box.around(x, y, 2 * CROSS, 2 * CROSS)


def along(stroke: Stroke, by: float) -> Point:
    """So many pt from the beginning of a stroke, or, if negative, from its end."""
    (x0, y0), (x1, y1) = stroke
    length = max(hypot(x1 - x0, y1 - y0), abs(by), 0.01)
    part = by / length if by > 0 else 1 + by / length
    return x0 + (x1 - x0) * part, y0 + (y1 - y0) * part


def _labels_in_rows(space: Space) -> dict[str, Label]:
    """Labels in the middle, one under the other."""
    sizes = [max(_ROW, _height(way.texts[0])) for way in space.ways]
    wanted = [
        (way.strokes[0][0][1] - space.top, size + 2)
        for way, size in zip(space.ways, sizes, strict=True)
    ]
    rows = spread(wanted, space.axis, [way.rank for way in space.ways])
    x = (space.left + space.right) / 2
    return {
        way.name: Label(Box.around(x, space.top + row, _width(way.texts[0]), size), way.texts[0])
        for way, row, size in zip(space.ways, rows, sizes, strict=True)
        if row is not None
    }


def _alongside(ways: Sequence[Way]) -> Iterator[list[Way]]:
    """Ways of one direction that begin and end within a label's height of each other."""
    open_groups: dict[str, list[Way]] = {}
    for way in ways:
        group = open_groups.get(way.flight.sender)
        if group and _near(way, group[-1]) and _begin(way) - _begin(group[0]) < _TRAIN:
            group.append(way)
        else:
            if group:
                yield group
            open_groups[way.flight.sender] = [way]
    yield from open_groups.values()


def _begin(way: Way) -> float:
    return way.strokes[0][0][1]


def _near(way: Way, other: Way) -> bool:
    (_, begin), (_, end) = way.strokes[0][0], way.strokes[-1][1]
    (_, begins), (_, ends) = other.strokes[0][0], other.strokes[-1][1]
    return abs(begin - begins) < _ROW - 2 and abs(end - ends) < _ROW - 2


def _side_by_side(space: Space) -> dict[str, float]:
    """Of each end, the part of its ways where the labels of both have room beside each other."""
    widest: dict[str, int] = {}
    for way in space.ways:
        sender = way.flight.sender
        widest[sender] = max(widest.get(sender, 0), _width(way.texts[0]))
    gap = space.right - space.left
    rest = gap - sum(widest.values()) - CLEAR
    return {end: min((rest + width) / 2 / gap, 0.5) for end, width in widest.items()}


def _wishes(group: list[Way], middles: Mapping[str, float]) -> Iterator[tuple[Way, float]]:
    """Which ways get a label, and at which part of the way it is best.

    A crowd side by side shares one label that counts it; who opens and closes has one of its own.
    """
    many = [way for way in group if way.rank == 1]
    if len(many) > CROWD:
        first, *others = many
        count = say("more", count=len(others))
        texts = *((*lines, count) for lines in first.texts), (f"{first.texts[-1][0]} {count}",)
        shared = first._replace(texts=texts)
        group = [shared if way is first else way for way in group if way not in others]
    for place, way in enumerate(group):
        yield way, middles.get(way.flight.sender) or (place + 0.5) / len(group)


@lru_cache(maxsize=1024)
def _width(lines: Lines) -> int:
    """The width of a label, even: it has a middle, and so less to be written."""
    return 2 * ceil(max([text_width(line, theme.FONT_SIZE) for line in lines]) / 2) + 4


def _height(lines: Lines) -> int:
    return 2 * ceil(len(lines) * theme.FONT_SIZE * LINE / 2)


def _beyond(space: Space, way: Way, lines: Lines, _: float) -> Iterator[Place]:
    """Beside the mark, where there is nothing of the way; costs what it is aside of the mark."""
    (x0, _), (x1, _) = way.strokes[0]
    at, width = mark(way), _width(lines)
    right = (x1 > x0) != (way.fashion == "unsent")
    x = round(at.right + CROSS if right else at.left - CROSS - width)
    if x < space.left + CLEAR or x + width > space.right - CLEAR:
        return
    for aside in _ASIDE:
        y = round((at.top + at.bottom) / 2 + aside)
        yield Place(
            abs(aside) / 40,
            Box.around(x + width // 2, y, width, _height(lines)),
            max(CROSS, abs(aside) - _height(lines) / 2),
        )
    if way.fashion == "unsent":  # its dots may come from further off: nobody knows where it was
        level, tip = (at.top + at.bottom) / 2, at.right if right else at.left
        for far in range(_FURTHER, round(space.right - space.left), _FURTHER):
            beyond = x + far if right else x - far
            if space.left + CLEAR <= beyond <= space.right - CLEAR - width:
                box = Box.around(beyond + width // 2, round(level), width, _height(lines))
                dots = (box.left if right else box.right, level), (tip, level)
                yield Place(_FURTHER_OFF + far / 100, box, CROSS, dots)


def _beside(space: Space, way: Way, lines: Lines, best: float) -> Iterator[Place]:
    """Over or under the way, touching it or further off; costs what it is away from it."""
    width, height = _width(lines), _height(lines)
    least, most = space.left + CLEAR + width // 2, space.right - CLEAR - width // 2
    if least > most:
        return
    (x0, y0), (x1, y1) = stroke = _stroke_of(way)
    slope = abs((y1 - y0) / (x1 - x0)) if x1 != x0 else 1.0
    places = ((_BESIDE + off / 25 + abs(part - best), part, off) for off in _OFF for part in _PARTS)
    for cost, part, off in sorted(places):
        x, y = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
        inside = round(min(max(x, least), most))
        if slope > _STEEP:
            box = Box.around(x, y, width, height)
            yield from _aside(way, stroke, box, cost, off, (least, most))
            continue
        clear = max(min(slope * width, abs(y1 - y0)), abs(inside - x) * slope) / 2 + height / 2
        for side in (way.side,) if way.side else (-1, 1):
            at = round(y + side * (clear + off))
            box = Box.around(inside, at, width, height)
            yield Place(cost, box, off, _leader(way, box) if off > _TOUCHES else None)


def _aside(
    way: Way, stroke: Stroke, box: Box, cost: float, off: int, between: tuple[float, float]
) -> Iterator[Place]:
    """Left or right of a steep stroke, where the box is upon it; its middle is between two x."""
    (x0, y0), (x1, y1) = stroke
    width, height = box.right - box.left, box.bottom - box.top
    clear = width / 2 + abs((x1 - x0) / (y1 - y0)) * height / 2 + _RAIL
    middle, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    for side in (-1, 1):
        x = min(max(middle + side * (clear + off), between[0]), between[1])
        if side * (x - middle) > clear:
            at = Box.around(round(x), round(y), width, height)
            far = abs(x - middle) - clear
            yield Place(cost, at, off, _leader(way, at) if far > _ASIDE[-1] else None)


def _stroke_of(way: Way) -> Stroke:
    """The stroke that a label stands at: of an old way the last, it matters where it arrives."""
    return way.strokes[-1] if way.fashion == "old" else max(way.strokes, key=_length)


def _upon(space: Space, way: Way, lines: Lines, best: float) -> Iterator[Place]:
    """Upon the way, from the best part of it on; costs what it is away from that."""
    width, height = _width(lines), _height(lines)
    least, most = space.left + CLEAR + width // 2, space.right - CLEAR - width // 2
    if least > most:
        return
    (x0, y0), (x1, y1) = _stroke_of(way)
    stays = abs(x1 - x0) > width
    outmost: set[float] = set()
    for part in _parts(best):
        x, y = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
        inside = least if x < least else most if x > most else x
        if stays:  # on the arrow
            if inside != x:
                if inside in outmost:
                    continue
                outmost.add(inside)
            y = y0 + (y1 - y0) * (inside - x0) / (x1 - x0)
        elif way.fashion == "old" and inside != x:
            continue  # it would shave one side of it
        yield Place(3 * abs(part - best), Box.around(round(inside), round(y), width, height))


@lru_cache(maxsize=64)
def _parts(best: float) -> list[float]:
    """Parts of a way, the best first, then the nearest to it."""
    return [best, *sorted((part / 20 for part in range(2, 19)), key=lambda part: abs(part - best))]


def _length(stroke: Stroke) -> float:
    (x0, y0), (x1, y1) = stroke
    return abs(x1 - x0) + abs(y1 - y0)
