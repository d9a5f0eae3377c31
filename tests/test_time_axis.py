"""The time axis: one scale, exact breaks, round ticks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpviz.pictures.time_axis import BAND, LEAD, LONGEST, PAGE, TAIL, TimeAxis, round_step
from tcpviz.units import MS, S

times = st.lists(st.integers(0, 100 * S), min_size=1, max_size=30).map(sorted)
delays = st.sampled_from([1, 40_000, 50 * MS, 3 * S])


def axis_of(*moments: int, delay: int = 50 * MS, length: float = 50) -> TimeAxis:
    return TimeAxis.through(moments, delay, length=length)


def test_without_long_waits_the_axis_is_one_straight_line() -> None:
    """50 ms are 50 pt everywhere, with room before the first moment and after the last."""
    axis = axis_of(0, 50 * MS, 100 * MS)
    assert [axis.y(time * MS) for time in (0, 25, 100)] == pytest.approx(
        [LEAD, LEAD + 25, LEAD + 100]
    )
    assert axis.breaks == ()
    assert axis.height == pytest.approx(LEAD + 100 + TAIL)


def test_a_long_wait_is_broken_and_the_break_says_exactly_how_long() -> None:
    """What is drawn and what the break leaves out add up to the wait, to the nanosecond."""
    axis = axis_of(0, 60 * S)
    (wait,) = axis.breaks
    above, below = axis.pieces
    assert (above.until - 0) + wait.omitted + (60 * S - below.since) == 60 * S
    assert wait.omitted % (50 * MS) == 0, "a round number to read"
    assert wait.bottom - wait.top == BAND


def test_a_wait_that_fits_is_not_broken() -> None:
    """The longest wait that is drawn whole is LONGEST pt."""
    longest = int(LONGEST) * MS
    assert axis_of(0, longest).breaks == ()
    assert len(axis_of(0, 2 * longest).breaks) == 1


def test_no_moment_falls_into_a_break() -> None:
    """There are at least some 38 pt on either side of a break."""
    axis = axis_of(0, 1 * S, 3 * S, 3 * S + 50 * MS, 70 * S)
    for moment in (0, 1 * S, 3 * S, 3 * S + 50 * MS, 70 * S):
        for wait in axis.breaks:
            assert not wait.top - 30 < axis.y(moment) < wait.bottom + 30


def test_a_crowd_keeps_room_for_what_is_written_beside_it() -> None:
    """Ten moments in one microsecond keep more of the waits around them than one does."""
    lone, crowd = axis_of(0, 10 * S, 20 * S), axis_of(0, *[10 * S] * 10, 20 * S)
    assert crowd.height > lone.height + 50


@given(times, delays)
def test_outside_breaks_one_scale_holds_for_the_whole_chart(moments: list[int], delay: int) -> None:
    """Two moments of one piece are as far apart as their times say, in every piece."""
    axis = TimeAxis.through(moments, delay, length=44)
    for piece in axis.pieces:
        span = axis.y(piece.until) - axis.y(piece.since)
        assert span == pytest.approx((piece.until - piece.since) * 44 / delay)


@given(times, delays)
def test_later_is_lower(moments: list[int], delay: int) -> None:
    """The axis never runs back, and every moment is on the sheet."""
    axis = TimeAxis.through(moments, delay, length=44)
    heights = [axis.y(moment) for moment in moments]
    assert all(0 <= height <= axis.height for height in heights)
    assert all(lower >= upper for upper, lower in pairwise(heights))


@given(times, delays)
def test_every_nanosecond_is_drawn_or_left_out_by_a_break(moments: list[int], delay: int) -> None:
    """The visible parts of any stretch and the omitted ones are the stretch."""
    axis = TimeAxis.through(moments, delay, length=44)
    drawn = sum(end - begin for begin, end in axis.visible(moments[0], moments[-1]))
    assert drawn + sum(wait.omitted for wait in axis.breaks) == moments[-1] - moments[0]


@given(times, delays)
def test_ticks_are_round_and_no_break_cuts_their_labels(moments: list[int], delay: int) -> None:
    """Ticks are multiples of one 1-2-5 step and keep clear of bands."""
    axis = TimeAxis.through(moments, delay, length=44)
    for piece in axis.pieces[:50]:
        for tick in axis.ticks_of(piece):
            assert tick % axis.step == 0 or len(axis.ticks_of(piece)) == 1
            assert tick >= 0
            assert piece.top + 5 < axis.y(tick) < axis.bottom(piece) - 5


def test_a_moment_is_visible_as_a_moment() -> None:
    """A stretch without length is one part where it is drawn, none inside a break."""
    axis = axis_of(0, 60 * S)
    assert list(axis.visible(0, 0)) == [(0, 0)]
    assert list(axis.visible(30 * S, 30 * S)) == []


def doubling(count: int) -> tuple[list[int], list[tuple[int, int]]]:
    """A second, two, four ...: the moments, with what happens 25 ms after each, and the waits."""
    ends = [((1 << n) - 1) * S for n in range(count + 1)]
    return sorted([*ends, *(end + 25 * MS for end in ends)]), list(pairwise(ends))


def test_waits_that_double_are_drawn_twice_as_long() -> None:
    """Each is broken, and still its length can be compared, within half a round step."""
    moments, waits = doubling(3)
    axis = TimeAxis.through(moments, 50 * MS, length=45, series=[waits])
    one, two, three = (axis.y(until) - axis.y(since) for since, until in waits)
    assert len(axis.breaks) == 3
    assert two == pytest.approx(2 * one, abs=15)
    assert three == pytest.approx(4 * one, abs=15)
    for (since, until), cut in zip(waits, axis.breaks, strict=True):
        drawn = sum(end - begin for begin, end in axis.visible(since, until))
        assert drawn + cut.omitted == until - since


@pytest.mark.parametrize("count", range(2, 9))
def test_of_a_long_series_a_longer_wait_is_a_longer_line(count: int) -> None:
    """Where a page has no room for the proportion, the order is kept, and the page nearly too."""
    moments, waits = doubling(count)
    plain = TimeAxis.through(moments, 50 * MS, length=45)
    axis = TimeAxis.through(moments, 50 * MS, length=45, series=[waits])
    drawn = [axis.y(until) - axis.y(since) for since, until in waits]
    assert all(shorter + 5 < longer for shorter, longer in pairwise(drawn))
    assert axis.height < max(PAGE, 1.5 * plain.height) + 5 * count


def test_a_wait_that_is_not_of_the_series_stays_as_short_as_it_was() -> None:
    """A 60 s TIME-WAIT after two waits that double."""
    moments, waits = doubling(2)
    moments += [moments[-1] + 60 * S]
    axes = [TimeAxis.through(moments, 50 * MS, length=45, series=each) for each in ([], [waits])]
    plain, axis = (axis.y(moments[-1]) - axis.y(moments[-2]) for axis in axes)
    assert axis == plain


def test_steps_are_one_two_five() -> None:
    """Each step is the next of its kind."""
    assert [round_step(n) for n in (0.1, 1, 1.5, 3, 6, 11, 999)] == [1, 1, 2, 5, 10, 20, 1000]


def test_nothing_happened() -> None:
    """An empty chart has an axis as well."""
    axis = axis_of()
    assert axis.height == pytest.approx(LEAD + TAIL)
