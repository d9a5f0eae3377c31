"""Keeping text apart: what is moved, what is dropped, what is chosen."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tcpviz.pictures.drawing import Box
from tcpviz.pictures.placement import Board, spread
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
    near, far = Box(0, 0, 10, 10), Box(0, 50, 10, 60)
    assert [board.place(0, [(0, near), (1, far)]) for _ in range(3)] == [near, far, None]


def test_a_label_would_rather_hide_its_own_arrow() -> None:
    """A place on another's line costs more than a place a little away; its own line is free."""
    near, far = Box(0, 0, 10, 10), Box(0, 50, 10, 60)
    for number, chosen in ((1, near), (2, far)):
        board = Board()
        board.pass_through(1, [((-5, 5), (15, 5))])
        assert board.place(number, [(0, near), (0.5, far)]) == chosen
