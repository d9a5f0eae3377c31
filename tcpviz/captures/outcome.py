"""What a table of connections says of one: its ends, how it opened, who closed first, how it ended.

Read off the ways of its segments, without making Segments or Steps. Its words are in words.py.
"""

from typing import NamedTuple

from tcpviz.captures.headers import addresses, ports, socket_name
from tcpviz.captures.vantage import View, Way, opener
from tcpviz.segment import ACK, FIN, RST, SYN, add, distance
from tcpviz.steps import End


class Outcome(NamedTuple):
    """A connection in short. `opened` and `ended` are the last parts of keys in words.py."""

    ends: tuple[End, End]
    names: tuple[str, str]  # of end 0 and end 1 of the conversation
    opener_seen: bool
    opened: str
    closed_first: str
    ended: str
    ended_by: str
    retransmissions: int
    losses: int | None


def outcome(four_tuple: bytes, found: list[Way], where: View) -> Outcome:
    """Sum up one incarnation from the ways of its segments."""
    client, seen = opener(four_tuple, (way.row for way in found))
    opened = _opened(found, client)
    if opened == "simultaneous" and where.client is not None:
        client = where.client
    names = ("client", "server") if client == 0 else ("server", "client")
    named = zip(addresses(four_tuple), ports(four_tuple), strict=True)
    ends = [
        End(
            names[end],
            socket_name(address, port),
            *_first_number(found, end),
            observed=where.faces is not None or where.local == end,
        )
        for end, (address, port) in enumerate(named)
    ]
    ended, ended_by = _ended(found)
    return Outcome(
        (ends[client], ends[1 - client]),
        names,
        seen,
        opened,
        _closed_first(found, names),
        ended,
        names[ended_by],
        _retransmissions(found),
        None if where.faces is None else sum(way.lost is not None for way in found),
    )


def _first_number(found: list[Way], end: int) -> tuple[int, bool]:
    """The ISS of an end, and whether its SYN was seen.

    Of several SYNs, the last one that was acknowledged: an old duplicate's is not the one the
    connection went on with. Without any, the number before the first one seen.
    """
    own = [way for way in found if way.backward == end]
    syns = [way for way in own if way.row.ctl & SYN]
    if syns:
        numbers = {way.row.seq for way in syns}
        acked = (
            add(way.row.ack, -1)
            for way in reversed(found)
            if way.backward != end and way.row.ctl & ACK and not way.row.ctl & RST
        )
        sent = next((way for way in syns if way.sent is not None), syns[0])
        return next((number for number in acked if number in numbers), sent.row.seq), True
    seen = [way.row.seq for way in own if not way.row.ctl & RST]
    acks = [way.row.ack for way in found if way.backward != end and way.row.ctl & ACK]
    # An end that only refused has no numbers of its own: its RST carries SEQ 0 (§3.10.7.1).
    return (add((seen or acks)[0], -1) if seen or acks else 0), False


def _opened(found: list[Way], client: int) -> str:
    syns = {way.backward for way in found if way.row.ctl & (SYN | ACK | RST) == SYN}
    if len(syns) == 2:
        return "simultaneous"
    answered = any(way.row.ctl & (SYN | ACK) == SYN | ACK for way in found)
    if not syns and not answered:
        return "before"
    if any(way.backward == client and way.row.ctl & (SYN | ACK | RST) == ACK for way in found):
        return "handshake"
    if answered:
        return "unfinished"
    refused = any(way.backward != client and way.row.ctl & RST for way in found)
    return "refused" if refused else "unanswered"


def _closed_first(found: list[Way], names: tuple[str, str]) -> str:
    fins: dict[int, Way] = {}
    for way in found:
        if way.row.ctl & FIN and not way.row.ctl & RST:
            fins.setdefault(way.backward, way)
    if len(fins) < 2:
        return "".join(names[end] for end in fins)
    for end in (0, 1):
        fin, other = fins[end].row, fins[1 - end].row
        if other.ctl & ACK and distance(other.ack, add(fin.seq, fin.span)) >= 0:
            return names[end]
    return "both"


def _ended(found: list[Way]) -> tuple[str, int]:
    """How it ended, and by which end. Only an RST with the number expected next counts."""
    after: list[int | None] = [None, None]
    acked: list[int | None] = [None, None]  # what each end acknowledged last
    fins: dict[int, int] = {}  # the number after each end's FIN
    reset: int | None = None
    answered = synchronized = False
    for way in found:
        row, end = way.row, way.backward
        if row.ctl & RST:
            known = after[end] is None and acked[1 - end] is None
            if reset is None and (known or row.seq in (after[end], acked[1 - end])):
                reset = end
            continue
        number = add(row.seq, row.span)
        before = after[end]
        if before is None or row.ctl & SYN or distance(number, before) > 0:
            after[end] = number
        if row.ctl & ACK:
            acked[end] = row.ack
        answered = answered or bool(row.ctl & ACK)
        if row.ctl & SYN:
            reset = None
        elif row.ctl & ACK:
            synchronized = True
        if row.ctl & FIN:
            fins[end] = number
    if len(fins) == 2 and (reset is None or _all_acknowledged(fins, acked)):
        return "fin", 0
    if reset is not None and answered:
        return "reset", reset
    if fins:
        return "half", min(fins)
    return ("open" if synchronized else "never"), 0


def _all_acknowledged(fins: dict[int, int], acked: list[int | None]) -> bool:
    """Whether each end acknowledged the other's FIN."""
    return all(
        ack is not None and distance(ack, fins[end]) >= 0
        for end, ack in ((0, acked[1]), (1, acked[0]))
    )


def _retransmissions(found: list[Way]) -> int:
    """How often a segment was seen to leave that had been seen before, as Trace counts it."""
    before: set[tuple[int, int, int, int]] = set()
    count = 0
    for way in found:
        row = way.row
        key = way.backward, row.seq, row.ctl & (SYN | FIN | ACK), row.length
        count += way.sent is not None and row.span > 0 and key in before
        before.add(key)
    return count
