"""Waits that are compared: which of a trace are one backoff."""

from itertools import pairwise
from pathlib import Path

import pytest

from tcpviz import read
from tcpviz.pictures import sequence_chart
from tcpviz.pictures.backoff import backoffs
from tcpviz.pictures.panel import time_axis
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.units import S

CAPTURES = Path(__file__).parents[1] / "notebooks" / "captures"


def test_a_timer_that_is_set_for_longer_each_time_is_a_backoff() -> None:
    """1, 2, 4 and 8 s; the 16 s that had hardly begun when the run was stopped are none."""
    (series,) = backoffs(simulate(SCENARIOS["no_answer"]))
    assert [until - since for since, until in series] == [1 * S, 2 * S, 4 * S, 8 * S]


def test_one_retransmission_is_no_backoff() -> None:
    """Nor is a timer that was stopped, nor TIME-WAIT."""
    for name in ("normal", "lost_syn", "lost_fin", "keep_alive"):
        assert list(backoffs(simulate(SCENARIOS[name]))) == []


def test_of_a_capture_the_departures_of_one_segment_tell() -> None:
    """Linux sends its SYN every second at first, then waits about twice as long each time."""
    (series,) = backoffs(read(CAPTURES / "long_syn_timeout.pcapng")[0])
    assert [round((until - since) / S) for since, until in series] == [1, 2, 4, 8, 16, 34]


def test_a_timer_that_still_runs_has_a_mark_at_its_end() -> None:
    """It goes on below the last moment, and the key says what its head means."""
    chart = sequence_chart(simulate(SCENARIOS["no_answer"])).svg
    assert ">timer still running at the end<" in chart
    assert (
        ">timer still running at the end<" not in sequence_chart(simulate(SCENARIOS["normal"])).svg
    )


GIVEN_UP = sorted(name for name in SCENARIOS if name.startswith("given_up_in_"))


@pytest.mark.parametrize("name", [each for each in GIVEN_UP if each != "given_up_in_fin_wait_2"])
def test_where_backoff_is_not_the_subject_nothing_happens_on_little_paper(name: str) -> None:
    """Three waits until R2: a longer one is a longer line, and none is longer than 300 pt."""
    trace = simulate(SCENARIOS[name])
    axis = time_axis(trace)
    (series,) = backoffs(trace)
    drawn = [axis.y(until) - axis.y(since) for since, until in series]
    assert all(shorter + 5 < longer for shorter, longer in pairwise(drawn))
    assert max(drawn) < 300


def test_where_it_is_the_subject_a_doubled_wait_is_told_by_eye() -> None:
    """Of an open that nobody answers, each wait is at least 1.5 times as long as the one before."""
    trace = simulate(SCENARIOS["no_answer"])
    axis = time_axis(trace)
    (series,) = backoffs(trace)
    drawn = [axis.y(until) - axis.y(since) for since, until in series]
    assert all(1.5 * shorter < longer for shorter, longer in pairwise(drawn))
