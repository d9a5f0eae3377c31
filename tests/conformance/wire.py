"""What the wire of a recording did, as the faults of a Scenario, and what else is input.

Which segments there are is the model's; that the second FIN of an end was lost is the wire's.
"""

from collections.abc import Iterator
from typing import Final

from tcpviz.scenario import Delay, Duplicate, Fault, Inject, Lose, Name, matches
from tcpviz.segment import FIN, PSH, SYN, names
from tcpviz.units import MS

from .recorded import Recording, Sent

_JITTER: Final = 5 * MS
"""Beyond this a delay is not the wire's ordinary one."""
_LEAST: Final = 48
"""Linux sends no smaller segments, whatever the peer's MSS (tcp_min_snd_mss)."""


def delay(recording: Recording) -> int:
    """The ordinary one-way delay: as written, unless what arrived contradicts it."""
    ways = [min(s.arrived) - s.left for s in recording.sent if s.left is not None and s.arrived]
    fastest = max(0, min(ways, default=recording.delay))
    return fastest if abs(fastest - recording.delay) > _JITTER else recording.delay


def network(recording: Recording, sent: list[Sent]) -> Iterator[Fault]:
    """What the wire did, to the nth such segment that an end sent."""
    ordinary = delay(recording)
    for index, each in enumerate(sent):
        if each.left is None:
            for time in each.arrived:
                to: Name = "server" if each.sender == "client" else "client"
                # A segment without control bits has no notation; PSH means nothing here.
                segment = each.segment._replace(ctl=each.segment.ctl or PSH)
                yield Inject(time, to, str(segment))
            continue
        which, nth = _which(sent[: index + 1])
        if not each.arrived:
            if not recording.crashed(each):  # the model's crash sends no RST
                yield Lose(each.sender, which, nth)
            continue
        first = min(each.arrived)
        if first - each.left - ordinary > _JITTER:
            yield Delay(each.sender, which, first - each.left - ordinary, nth)
        for copy in sorted(each.arrived)[1:]:
            yield Duplicate(each.sender, which, copy - first, nth)


def _which(sent: list[Sent]) -> tuple[str, int]:
    """How a fault names the last of these segments."""
    last = sent[-1]
    data = last.segment.length and not last.segment.ctl & (SYN | FIN)
    which = "data" if data else ",".join(names(last.segment.ctl)) or "any"
    same = [s for s in sent if s.sender == last.sender and not s.injected]
    return which, sum(matches(s.segment, which) for s in same)


def isns(sent: list[Sent], end: Name) -> tuple[int, ...]:
    """The ISNs that an end chose, in order."""
    ours = [s.segment for s in sent if s.sender == end and not s.injected]
    return tuple(dict.fromkeys(s.seq for s in ours if s.ctl & SYN)) or (0,)


def segment_size(sent: list[Sent]) -> int:
    """The largest segment that may be sent; a SEND of more is cut."""
    offered = [dict(s.options) for s in sent if s.segment.ctl & SYN and not s.injected]
    stamps = 12 * all("TS" in each for each in offered)
    sizes = [each["MSS"] - stamps for each in offered if "MSS" in each]
    longest = max((s.segment.length for s in sent), default=0)
    return max(_LEAST, min(sizes, default=max(536, longest)))
