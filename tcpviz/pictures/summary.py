"""A Trace told in one paragraph, for those who do not see its picture.

Knows the Trace and the words. Must not know any picture.
"""

from collections.abc import Iterator

from tcpviz.states import State
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say


def summary(trace: Trace) -> str:
    """Who opened, what was lost, who waited in TIME-WAIT and in which state each end ended."""
    return " ".join(_sentences(trace))


def _sentences(trace: Trace) -> Iterator[str]:
    names = [end.name for end in trace.ends]
    time = readable(trace.duration)
    yield say("sum_segments", ends=_list(names), count=len(trace.flights), time=time)
    observed = [end for end in trace.ends if end.observed]
    for end in trace.ends:
        if not end.observed:
            yield say("sum_not_observed", end=end.name)
    passed = {end.name: [span.state for span in trace.spans(end.name)] for end in observed}
    openers = [name for name, states in passed.items() if State.SYN_SENT in states]
    if openers:
        key = "sum_opens" if len(openers) == 1 else "sum_open_both"
        yield say(key, ends=_list(openers))
    lost = [flight for flight in trace.flights if flight.fate == "lost"]
    if lost:
        segments = _list([f"{flight.segment.control} ({flight.sender})" for flight in lost[:5]])
        if len(lost) > 5:
            segments = say("sum_more", list=segments, count=len(lost) - 5)
        yield say("sum_lost", segments=segments)
    again = sum(flight.again for flight in trace.flights)
    if again:
        yield say("sum_again", count=again)
    for name, states in passed.items():
        if State.TIME_WAIT in states:
            yield say("sum_time_wait", end=name)
        if states:
            yield say("sum_ends_in", end=name, state=states[-1])


def _list(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return say("list_and", first=say("list_comma").join(words[:-1]), last=words[-1])
