"""How many there are over time: connections in a state, ports in use, places taken in a queue.

A Timeline is a step function counted from stretches of time. It reads Traces, whoever wrote them,
and knows no producer and no picture. Times are integer nanoseconds.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tcpviz.segment import SYN
from tcpviz.states import State
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say


@dataclass(frozen=True, repr=False)
class Timeline:
    """A count over time: each point is a time and the count from then on; before the first, 0.

    It is `unsure` where nothing tells whether all were kept that it counts: there are at most so
    many.

    >>> line = Timeline.counted([0, 10, 20], [15, 30])
    >>> line.points
    ((0, 1), (10, 2), (15, 1), (20, 2), (30, 1))
    >>> line.peak, line.peak_time, line.at(14), line.at(15), line.at(-1)
    (2, 10, 2, 1, 0)
    """

    points: tuple[tuple[int, int], ...] = ()
    unsure: bool = False

    @classmethod
    def counted(
        cls, begins: Iterable[int], ends: Iterable[int], *, unsure: bool = False
    ) -> "Timeline":
        """The count of what began at these times and ended at those; the rest goes on for ever."""
        change = Counter(begins)
        change.subtract(Counter(ends))
        points, level = [], 0
        for time in sorted(change):
            if change[time]:
                level += change[time]
                points.append((time, level))
        return cls(tuple(points), unsure)

    @classmethod
    def levels(cls, written: Iterable[tuple[int, int]]) -> "Timeline":
        """The counts that were written down in order of time; the last of an instant holds."""
        points: list[tuple[int, int]] = []
        for time, level in dict(written).items():
            if level != (points[-1][1] if points else 0):
                points.append((time, level))
        return cls(tuple(points))

    @property
    def peak(self) -> int:
        """The most there are at any time."""
        return max((count for _, count in self.points), default=0)

    @property
    def peak_time(self) -> int:
        """When there are so many for the first time, in ns; 0 where there is never one."""
        return max(self.points, key=lambda point: point[1], default=(0, 0))[0]

    def at(self, time: int) -> int:
        """How many there are at a time in ns, what happens at that instant included."""
        index = bisect_right(self.points, time, key=lambda point: point[0])
        return self.points[index - 1][1] if index else 0

    def __repr__(self) -> str:
        at = readable(self.peak_time)
        return f"<Timeline {say('line_peak', count=self.written(self.peak), time=at)}>"

    def written(self, count: int) -> str:
        """A count of it as it is written.

        >>> Timeline().written(1200), Timeline(unsure=True).written(12)
        ('1,200', '≤ 12')
        """
        return say("view_at_most", count=f"{count:,}") if self.unsure and count else f"{count:,}"


Stretch = tuple[int, int | None]
"""From when, and until when in ns; None where it goes on when the trace ends."""


def stretches(trace: Trace, end: str, state: State) -> list[Stretch]:
    """When one end is in a state."""
    return [(span.since, span.until) for span in trace.spans(end) if span.state is state]


def maybe_cookie(trace: Trace, end: str) -> bool:
    """Whether SYN-RECEIVED is concluded from one SYN,ACK: after a SYN cookie nothing is kept."""
    spans = trace.spans(end)
    if not spans or spans[-1].state is not State.SYN_RECEIVED or not spans[-1].inferred:
        return False
    sent = [f for f in trace.flights if f.sender == end and f.segment.ctl & SYN]
    return len(sent) == 1


def count(traces: Sequence[Trace], state: str, end: str) -> Timeline:
    """How many of these connections have `end` in `state`, at each time.

    Times count from the start of the trace that starts first. A connection whose trace stops in the
    state stays in it. The count is unsure where it has SYN-RECEIVED that is concluded from one
    SYN,ACK, which may have been a SYN cookie. ValueError for a state that is none; KeyError for an
    end that a trace lacks.

    >>> from tcpviz.scenarios import SCENARIOS
    >>> from tcpviz.simulate import simulate
    >>> leak = simulate(SCENARIOS["close_wait"])
    >>> count([leak, leak], "CLOSE-WAIT", "server").points
    ((300000000, 2),)
    """
    first = min((trace.start for trace in traces), default=0)
    begins, ends = [], []
    for trace in traces:
        shift = trace.start - first
        for since, until in stretches(trace, trace.end(end).name, State(state)):
            begins.append(shift + since)
            if until is not None:
                ends.append(shift + until)
    unsure = state == State.SYN_RECEIVED and any(maybe_cookie(trace, end) for trace in traces)
    return Timeline.counted(begins, ends, unsure=unsure)
