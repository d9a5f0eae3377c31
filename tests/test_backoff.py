"""Waits that are compared: which of a trace are one backoff."""

from itertools import combinations, pairwise
from pathlib import Path

import pytest

from tcpviz import read
from tcpviz.pictures import sequence_chart
from tcpviz.pictures.backoff import backoffs
from tcpviz.pictures.panel import time_axis
from tcpviz.pictures.sequence_chart import arranged
from tcpviz.pictures.ways import Labels
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.steps import Kind
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
    seconds = [round((until - since) / S) for since, until in series]
    assert seconds == [1, 1, 1, 1, 1, 2, 4, 8, 16, 34]


def test_equal_waits_before_it_belong_to_a_backoff() -> None:
    """Five of 1 s, and then twice as long each time; equal ones alone are no backoff."""
    (series,) = backoffs(simulate(SCENARIOS["linux_syn_timeouts"]))
    seconds = [(until - since) // S for since, until in series]
    assert seconds == [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_timer_is_a_shorter_line_than_one_that_was_set_for_less(name: str) -> None:
    """Of one name at one end; equal ones with nothing in them but their start are equal lines."""
    trace = simulate(SCENARIOS[name])
    _, ruler = arranged(trace, Labels(trace, absolute=True))
    drawn: dict[tuple[str, str], list[tuple[int, float, bool]]] = {}
    for end in trace.ends:
        for wait in trace.waits(end.name):
            since, until = wait.timer.since, wait.until
            if not wait.expired:
                continue
            tall = ruler.axis.y(until) - ruler.axis.y(since)
            alone = not any(
                since < step.time < until for step in trace.steps if step.kind is not Kind.LOSE
            )
            drawn.setdefault((end.name, wait.timer.name), []).append((until - since, tall, alone))
    for waits in drawn.values():
        for (some, tall, alone), (other, high, too) in combinations(sorted(waits), 2):
            assert tall <= high + 1, "the longer wait is not the shorter line"
            assert some < other or not (alone and too) or abs(tall - high) <= 1


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.pcapng")), ids=lambda path: path.stem)
def test_nor_is_a_captured_wait(path: Path) -> None:
    """The waits between the departures of one segment, in each series that grows."""
    for trace in read(path):
        axis = time_axis(trace)
        for series in backoffs(trace):
            waits = sorted(
                (until - since, axis.y(until) - axis.y(since)) for since, until in series
            )
            assert all(shorter <= longer + 1 for (_, shorter), (_, longer) in pairwise(waits))


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
