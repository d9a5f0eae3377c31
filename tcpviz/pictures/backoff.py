"""Waits that are compared with each other: a timer that is set longer and longer as it expires.

Knows the waits and departures of a Trace. Must not know where anything is drawn.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tcpviz.steps import Wait
from tcpviz.trace import Trace

Stretches = list[tuple[int, int]]
_LONGER: Final = (1.5, 4)  # times the wait before, at least and at most
_EQUAL: Final = 0.05  # of a wait: what a captured one may differ from one that is as long


def backoffs(trace: Trace) -> Iterator[Stretches]:
    """Each series of waits, from and until in ns, none shorter than the one before, some longer.

    Where no timer is known, of what was captured, the waits between the departures of one segment.
    """
    for end in trace.ends:
        waits = trace.waits(end.name)
        found = _of_timers(waits) if waits else _of_segments(trace, end.name)
        yield from (series for series in found if _backs_off(series))


def longer(series: Stretches) -> int:
    """How many waits of a series are of a length of their own."""
    lengths = [until - since for since, until in series]
    return 1 + sum(not _equal(*pair) for pair in pairwise(lengths))


def _of_timers(waits: tuple[Wait, ...]) -> Iterator[Stretches]:
    """A timer that expired and was set again at once, not for less; the last may still run."""
    last: dict[str, tuple[Wait, Stretches]] = {}
    for wait in waits:
        timer = wait.timer
        before, series = last.get(timer.name, (None, []))
        if not (
            before
            and before.expired
            and before.until == timer.since
            and _grows(before.until - before.timer.since, timer.until - timer.since)
        ):
            yield series
            series = []
        if not series or wait.until - timer.since >= series[0][1] - series[0][0]:
            series.append((timer.since, wait.until))
        last[timer.name] = wait, series
    yield from (series for _, series in last.values())


def _of_segments(trace: Trace, end: str) -> Iterator[Stretches]:
    """A segment that was sent again and again."""
    sent: dict[tuple[int, ...], list[int]] = {}
    for flight in trace.flights:
        segment = flight.segment
        if flight.sender == end and flight.sent is not None and segment.span:
            key = segment.incarnation, segment.seq, segment.ctl, segment.length
            sent.setdefault(key, []).append(flight.sent)
    for times in sent.values():
        series: Stretches = []
        for since, until in pairwise(times):
            if series and not _grows(series[-1][1] - series[-1][0], until - since):
                yield series
                series = []
            if until > since:
                series.append((since, until))
        yield series


def _grows(before: int, after: int) -> bool:
    least, most = _LONGER
    return _equal(before, after) or least * before <= after <= most * before


def _equal(before: int, after: int) -> bool:
    return abs(after - before) <= _EQUAL * before


def _backs_off(series: Stretches) -> bool:
    return len(series) > 1 and longer(series) > 1
