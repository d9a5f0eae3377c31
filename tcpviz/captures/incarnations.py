"""Telling the incarnations of a connection apart: the same four sockets, another ISN.

It knows ways and numbers only. A SYN of a new ISN that an end was seen to send (or, where a single
end was watched, any) begins a new incarnation; a late segment belongs to the incarnation whose
numbers it fits best. A SYN that is answered by an ACK of the connection before, which the other end
still has, belongs to the story of that connection, and so does what follows (RFC 9293 Figure 9).
"""

from collections.abc import Iterable
from typing import Final

from tcpviz.captures.headers import Row
from tcpviz.captures.vantage import Way
from tcpviz.segment import ACK, RST, SYN, add, distance

NEAREST: Final = 8
"""A late segment is sought among so many latest incarnations."""


class _Incarnation:
    def __init__(self, *, unsent: bool) -> None:
        self.ways: list[Way] = []
        self.unsent = unsent  # begun by a SYN that nobody was seen to send
        self.opened = [False, False]  # per end: it sent a SYN
        self.answered = False
        self.next: list[int | None] = [None, None]  # per end: the number it will send next
        self.earlier: list[int | None] = [None, None]  # ... before a half-open end was found out

    def add(self, way: Way) -> None:
        row, end = way.row, way.backward
        self.ways.append(way)
        after, known = add(row.seq, row.span), self.next[end]
        if row.ctl & RST:
            return
        if row.ctl & SYN:
            self.opened[end] = True
            self.answered = self.answered or bool(row.ctl & ACK)
        if row.ctl & SYN or known is None or distance(after, known) > 0:
            self.next[end] = after

    def misfit(self, row: Row) -> int:
        """How far a segment's numbers are from those expected: 0 fits exactly."""
        off = _misfit(row, self.next)
        return off if self.earlier == [None, None] else min(off, _misfit(row, self.earlier))

    def finds_half_open(self, syn: "_Incarnation", way: Way) -> bool:
        """Whether this way answers the other one's SYN by the ACK of this connection."""
        row, end = way.row, way.backward
        asked = syn.ways[0]
        came = asked.arrived[0] if asked.arrived else asked.first
        return (
            row.ctl & (SYN | ACK | RST) == ACK
            and not row.span
            and asked.backward != end
            and not (syn.unsent or syn.opened[end])
            and (row.seq, row.ack) == (self.next[end], self.next[1 - end])
            and came <= way.first
        )

    def take_in(self, syn: "_Incarnation") -> None:
        """The story goes on with what the other one began."""
        self.ways += syn.ways
        self.earlier, self.next = self.next, syn.next
        self.opened, self.answered = syn.opened, False


def _misfit(row: Row, following: list[int | None]) -> int:
    expected, acknowledged = following[row.backward], following[1 - row.backward]
    off = 0
    if expected is not None and not (row.ctl & RST and row.seq == 0):
        off += abs(distance(row.seq, expected))
    if acknowledged is not None and row.ctl & ACK:
        off += abs(distance(row.ack, acknowledged))
    return off


def incarnations(ways: Iterable[Way], *, both_ends: bool) -> list[list[Way]]:
    """The ways of a conversation, in order of time, by the incarnation they belong to."""
    found: list[_Incarnation] = []
    of_syn: dict[tuple[int, int], _Incarnation] = {}  # by end and ISN
    for way in ways:
        row, end = way.row, way.backward
        unsent = both_ends and way.sent is None
        chosen: _Incarnation | None = None
        if row.ctl & (SYN | ACK | RST) == SYN:
            chosen = of_syn.get((end, row.seq)) or _of_new_syn(found, end, unsent=unsent)
        elif row.ctl & (SYN | ACK) == SYN | ACK:
            chosen = of_syn.get((1 - end, add(row.ack, -1)), found[-1] if found else None)
        else:
            latest = reversed(found[-NEAREST:])
            chosen = min(latest, key=lambda each: each.misfit(row), default=None)
            syn = found[-1] if found else None
            if chosen and syn and syn is not chosen and chosen.finds_half_open(syn, way):
                chosen.take_in(found.pop())
                of_syn = {key: chosen if of is syn else of for key, of in of_syn.items()}
        if chosen is None:
            chosen = _Incarnation(unsent=unsent)
            found.append(chosen)
        if row.ctl & SYN:
            of_syn.setdefault((end, row.seq), chosen)
        chosen.add(way)
    return [sorted(each.ways, key=lambda way: way.first) for each in found]


def _of_new_syn(found: list[_Incarnation], end: int, *, unsent: bool) -> _Incarnation | None:
    """The incarnation that a SYN of a new ISN belongs to; None where it begins one."""
    if not found:
        return None
    latest = found[-1]
    if unsent:
        return latest  # an old duplicate: part of the connection that it disturbs
    if latest.unsent:
        latest.unsent = False
        return latest  # the connection that an old duplicate came before
    if latest.opened[1 - end] and not latest.opened[end] and not latest.answered:
        return latest  # simultaneous open
    return None
