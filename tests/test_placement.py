"""Keeping text apart: what is moved, what is dropped, what is chosen."""

from itertools import pairwise
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from tcpviz.pictures.drawing import Box
from tcpviz.pictures.placement import Board, Place, spread
from tcpviz.pictures.time_axis import TimeAxis
from tcpviz.units import MS

AXIS = TimeAxis.through([0, 100 * MS], 100 * MS, length=100)  # one piece
LONG = TimeAxis.through([0, 10_000 * MS], 100 * MS, length=100)  # two, and a break


def test_what_has_room_stays_where_it_wants_to_be() -> None:
    """Nothing moves without need."""
    assert spread([(20, 10), (50, 10), (70, 10)], AXIS) == [20, 50, 70]


def test_what_touches_moves_down() -> None:
    """The first keeps its place, the next stand under it in order."""
    assert spread([(20, 10), (21, 10), (22, 10)], AXIS) == [20, 30, 40]


def test_at_the_end_of_a_piece_things_move_up() -> None:
    """Nothing is pushed into a break or off the sheet."""
    end = LONG.breaks[0].top
    assert spread([(end - 6, 10), (end - 5, 10)], LONG) == [end - 15, end - 5]


def test_where_there_is_no_room_the_least_important_goes() -> None:
    """Of two ranks, the higher number is left out first, and the last of it before the first."""
    height = AXIS.height / 3
    assert spread([(0, height)] * 4, AXIS, [0, 1, 1, 0]).count(None) == 1
    assert spread([(0, height)] * 4, AXIS, [0, 1, 1, 0])[2] is None


@given(st.lists(st.tuples(st.floats(0, LONG.height), st.floats(5, 30)), max_size=30))
def test_nothing_ever_touches(wanted: list[tuple[float, float]]) -> None:
    """Whatever is asked for, what is placed keeps apart, on the sheet and out of the break."""
    placed = [
        (y - size / 2, y + size / 2)
        for y, (_, size) in zip(spread(wanted, LONG), wanted, strict=True)
        if y is not None
    ]
    band = (LONG.breaks[0].top, LONG.breaks[0].bottom)
    for (_, bottom), (top, _) in pairwise(sorted([*placed, band])):
        assert bottom <= top + 1e-6
    assert all(top > -1e-6 and bottom < LONG.height + 1e-6 for top, bottom in placed)


def test_a_label_takes_the_cheapest_free_place() -> None:
    """What is taken is not offered again; None says that nothing is free."""
    board = Board()
    near, far = Place(0, Box(0, 0, 10, 10)), Place(1, Box(0, 50, 10, 60))
    chosen = []
    for _ in range(3):
        _cost, place = board.cheapest("a", [near, far], inf)
        chosen.append(place)
        if place:
            board.put(place)
    assert chosen == [near, far, None]
    board.lift(near)
    assert board.cheapest("a", [near, far], inf) == (0, near)


def test_a_label_would_rather_hide_its_own_arrow() -> None:
    """A place on another's line costs more than a place a little away; some of its own is free."""
    near, far = Place(0, Box(0, 0, 10, 10)), Place(0.5, Box(0, 50, 10, 60))
    for name, chosen in (("a", near), ("b", far)):
        board = Board()
        board.pass_through("a", [((-15, 5), (25, 5))])
        assert board.cheapest(name, [near, far], inf)[1] == chosen


def test_a_leader_would_rather_cross_nothing() -> None:
    """Of two places as far away, the one whose leader crosses no other line."""
    box, other = Box(0, 0, 10, 10), Box(100, 0, 110, 10)
    crossing = Place(0, box, 9, ((5, 10), (5, 30)))
    free = Place(0.5, other, 9, ((105, 10), (105, 30)))
    board = Board()
    board.pass_through("b", [((0, 25), (20, 25))])
    assert board.cheapest("a", [crossing, free], inf)[1] == free


def test_a_label_would_rather_not_stand_upon_what_leads_from_another() -> None:
    """Nor on the dots before what nobody was seen to send, until that label is gone."""
    near, far = Place(0, Box(0, 0, 10, 10)), Place(0.5, Box(0, 50, 10, 60))
    led = Place(0, Box(60, 0, 70, 10), 5, ((60, 5), (-20, 5)))
    board = Board()
    board.put(led)
    assert board.cheapest("a", [near, far], inf)[1] == far
    board.lift(led)
    assert board.cheapest("a", [near, far], inf)[1] == near
