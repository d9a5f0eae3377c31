"""A Trace told in one paragraph, for those who do not see its picture.

Knows the Trace and the words. Must not know any picture.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tcpviz.segment import FIN, RST
from tcpviz.states import Event, State
from tcpviz.steps import Flight, Kind, Span
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

_MANY: Final = 5  # of a kind; of the others it says only how many there are
_ORDINARY: Final = {Event.PASSIVE_OPEN, Event.ACTIVE_OPEN, Event.SEND, Event.RECEIVE, Event.CLOSE}
"""What a user calls and the sentences tell anyway."""

_NEVER: Final = ("sum_never", "sum_never_closes")

_Passed = dict[str, tuple[Span, ...]]  # the states that each end passed
_Happened = tuple[str, int]  # what, and when


def summary(trace: Trace, *, part: bool = False) -> str:
    """Who opens, what is exchanged, lost and sent again, who closes, how it ends, what still runs.

    Each with its time, so that the chart can be followed without seeing it. Of a `part` nothing is
    said that what follows may change.
    """
    spans = {end.name: trace.spans(end.name) for end in trace.ends}
    parts = (_opening, _exchange, _faults, _told, _closing, _ending)
    told = [sentence for tell in parts for sentence in tell(trace, spans)]
    never = {say(key, end=end.name) for key in _NEVER for end in trace.ends} if part else ()
    return " ".join([sentence for sentence in told if sentence not in never])


def _opening(trace: Trace, passed: _Passed) -> Iterator[str]:
    names = _list(end.name for end in trace.ends)
    count = len(trace.flights)
    key = "sum_segments" if count > 1 else "sum_segment" if count else "sum_silence"
    yield say(key, ends=names, count=count, time=readable(trace.duration))
    for end in trace.ends:
        if not end.observed:
            yield say("sum_not_observed", end=end.name)
    if any(step.inferred and step.state for step in trace.steps):
        yield say("sum_inferred")
    spans = {end.name: passed[end.name] for end in trace.ends if end.observed}
    opens = {name: _in(State.SYN_SENT, spans[name]) for name in spans}
    for name, found in spans.items():
        if _in(State.LISTEN, found):
            yield say("sum_listens", end=name)
    if all(opens.values()) and len(opens) == 2 and _overlap(*opens.values()):
        yield say("sum_open_both", ends=names)
    else:
        for name, begun in opens.items():
            if begun:
                yield say("sum_opens", end=name, times=_times(span.since for span in begun))
    if not any(opens.values()) and any(
        s[:1] and s[0].state is State.ESTABLISHED for s in spans.values()
    ):
        yield say("sum_was_open")
    for name, found in spans.items():
        open_at = [span.since for span in _in(State.ESTABLISHED, found)]
        if open_at:
            yield say("sum_established", end=name, times=_times(open_at))
        elif opens[name]:
            yield say("sum_never", end=name)


def _exchange(trace: Trace, _: _Passed) -> Iterator[str]:
    octets = {end.name: 0 for end in trace.ends}
    for flight in trace.flights:
        octets[flight.sender] += 0 if flight.again else flight.segment.length
    said = [
        say("sum_octets" if count > 1 else "sum_octet", end=name, count=count)
        for name, count in octets.items()
        if count
    ]
    if said:
        yield say("sum_data", data=_list(said))


def _faults(trace: Trace, _: _Passed) -> Iterator[str]:
    watched = {end.name for end in trace.ends if end.observed}
    found: dict[str, list[Flight]] = {
        "sum_lost": [flight for flight in trace.flights if flight.fate == "lost"],
        "sum_copied": [flight for flight in trace.flights if flight.arrived[1:]],
        "sum_again": [flight for flight in trace.flights if flight.again],
        "sum_unsent": [f for f in trace.flights if f.sent is None and f.sender in watched],
    }
    for key, flights in found.items():
        if flights:
            yield say(key, segments=_grouped((_of(f), f.seen) for f in flights))


def _told(trace: Trace, _: _Passed) -> Iterator[str]:
    """What befalls an end, and what its user is told."""
    for step in trace.steps:
        if step.kind is Kind.CALL and step.text not in _ORDINARY:
            yield say("sum_call", end=step.end, call=step.text, time=readable(step.time))
    said = [(say("sum_says", end=s.end, words=s.says), s.time) for s in trace.steps if s.says]
    if said:
        yield say("sum_told", told=_grouped(said))


def _closing(trace: Trace, passed: _Passed) -> Iterator[str]:
    fins = [f for f in trace.flights if f.segment.ctl & FIN and not f.again]
    by: dict[str, list[Flight]] = {}
    for fin in sorted(fins, key=lambda fin: fin.seen):
        by.setdefault(fin.sender, []).append(fin)
    firsts = [found[0] for found in by.values()]
    if len(firsts) == 2 and firsts[0].arrived and firsts[1].seen < firsts[0].arrived[0]:
        times = _list(say("sum_at", what=f.sender, times=readable(f.seen)) for f in firsts)
        yield say("sum_close_both", ends=times)
    else:
        for nth, (name, found) in enumerate(by.items()):
            key = "sum_closes" if nth else "sum_closes_first"
            yield say(key, end=name, times=_times(f.seen for f in found))
    resets = [(flight.sender, flight.seen) for flight in trace.flights if flight.segment.ctl & RST]
    if resets:
        yield say("sum_resets", ends=_grouped(resets))
    for end in trace.ends:
        spans = passed[end.name]
        if end.observed and spans and spans[-1].state is State.CLOSE_WAIT and end.name not in by:
            yield say("sum_never_closes", end=end.name)


def _ending(trace: Trace, passed: _Passed) -> Iterator[str]:
    ends: dict[str, list[str]] = {}
    for end in trace.ends:
        spans = passed[end.name]
        for span in _in(State.TIME_WAIT, spans):
            if span.until is not None:
                time, since = readable(span.until - span.since), readable(span.since)
                yield say("sum_time_wait", end=end.name, time=time, since=since)
        if spans:
            ends.setdefault(spans[-1].state, []).append(end.name)
    for state, names in ends.items():
        yield say(
            "sum_ends_in" if len(names) == 1 else "sum_end_in", ends=_list(names), state=state
        )
    running = [
        say("sum_timer", timer=timer.name, end=end.name)
        for end in trace.ends
        for last in trace.of(end.name)[-1:]
        for timer in last.timers
    ]
    if running:
        yield say("sum_running", timers=_list(running))
    if all(end.observed for end in trace.ends):
        under_way = [
            f for f in trace.flights if not f.arrived and f.lost is None and f.sent is not None
        ]
        if under_way:
            yield say("sum_under_way", segments=_grouped((_of(f), f.seen) for f in under_way))


def _in(state: State, spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if span.state is state]


def _overlap(some: list[Span], others: list[Span]) -> bool:
    """Whether a stretch of one end and a stretch of the other have an instant in common."""
    return any(
        a.since <= (b.until if b.until is not None else a.since)
        and b.since <= (a.until if a.until is not None else b.since)
        for a in some
        for b in others
    )


def _of(flight: Flight) -> str:
    """A segment and whose it is."""
    control, octets = flight.segment.control or say("no_control"), flight.segment.length
    if octets:
        return say("sum_octets" if octets > 1 else "sum_octet", end=flight.sender, count=octets)
    return say("sum_of", segment=control, end=flight.sender)


def _grouped(happened: Iterable[_Happened]) -> str:
    """What happened, each with all its times."""
    times: dict[str, list[int]] = {}
    for what, time in happened:
        times.setdefault(what, []).append(time)
    return _list(say("sum_at", what=what, times=_times(at)) for what, at in times.items())


def _times(times: Iterable[int]) -> str:
    return _list(dict.fromkeys(map(readable, times)))


def _list(words: Iterable[str]) -> str:
    """One, two and three; of many the first few and how many more."""
    given = list(words)
    if len(given) > _MANY:
        return say("sum_more", list=say("list_comma").join(given[:_MANY]), count=len(given) - _MANY)
    if len(given) < 2:
        return "".join(given)
    return say("list_and", first=say("list_comma").join(given[:-1]), last=given[-1])
