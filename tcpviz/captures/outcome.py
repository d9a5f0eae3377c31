"""What the segments of one connection tell together, and what a table of connections says of it.

Its ends, how it opened, who closed first, how it ended, and which losses cannot have been. Read off
the ways of its segments, without making Segments or Steps. Its words are in words.py.
"""

from bisect import bisect_left, bisect_right
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
    ended, ended_by = _ended(found, before=opened == "before")
    return Outcome(
        (ends[client], ends[1 - client]),
        names,
        seen,
        opened,
        "unknown" if ended == "half_unknown" else _closed_first(found, names),
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


def _ended(found: list[Way], *, before: bool) -> tuple[str, int]:
    """How it ended, and by which end. Only an RST with the number expected next counts.

    Of a connection from before the capture a FIN may have passed before, too: a single one half-
    closed it only if the other end still sent data.
    """
    after: list[int | None] = [None, None]
    acked: list[int | None] = [None, None]  # what each end acknowledged last
    fins: dict[int, int] = {}  # the number after each end's FIN
    reset: int | None = None
    answered = synchronized = before
    syn_acks: set[int] = set()
    with_data: set[int] = set()
    for way in found:
        row, end = way.row, way.backward
        if row.ctl & RST:
            unknown = after[end] is None and acked[1 - end] is None
            if reset is None and (unknown or row.seq in (after[end], acked[1 - end])):
                reset = end
            continue
        number = add(row.seq, row.span)
        highest = after[end]
        if highest is None or row.ctl & SYN or distance(number, highest) > 0:
            after[end] = number
        if row.ctl & ACK:
            acked[end] = row.ack
        answered = answered or bool(row.ctl & ACK)
        if row.ctl & SYN:
            reset = None
            syn_acks |= {end} if row.ctl & ACK else set()
        elif row.ctl & ACK:
            synchronized = True
        with_data |= {end} if row.length else set()
        if row.ctl & FIN:
            fins[end] = number
    if len(fins) == 2 and (reset is None or _all_acknowledged(fins, acked)):
        return "fin", 0
    if reset is not None and answered:
        return "reset", reset
    if fins:
        closer = min(fins)
        return ("half" if not before or 1 - closer in with_data else "half_unknown"), closer
    return ("open" if synchronized or len(syn_acks) == 2 else "never"), 0


def _all_acknowledged(fins: dict[int, int], acked: list[int | None]) -> bool:
    """Whether each end acknowledged the other's FIN."""
    return all(
        ack is not None and distance(ack, fins[end]) >= 0
        for end, ack in ((0, acked[1]), (1, acked[0]))
    )


def _retransmissions(found: list[Way]) -> int:
    """How often a segment was seen to leave that had been seen before, or octets that had left."""
    before: set[tuple[int, int, int, int]] = set()
    after: list[int | None] = [None, None]  # per end: the number after the highest one it sent
    count = 0
    for way in found:
        row, highest = way.row, after[way.backward]
        key = way.backward, row.seq, row.ctl & (SYN | FIN | ACK), row.length
        if way.sent is not None and row.span:
            below = row.length > 0 and highest is not None and distance(row.seq, highest) < 0
            count += key in before or (below and not row.ctl & SYN)
            number = add(row.seq, row.span)
            if row.ctl & SYN or highest is None or distance(number, highest) > 0:
                after[way.backward] = number
        before.add(key)
    return count


def without_acknowledged_losses(found: list[Way]) -> list[Way]:
    """The ways, without losses that the receiver contradicts: their fate is unknown.

    An ACK of all of a segment, sent after its departure and before any copy of it was seen to
    arrive, tells that a copy did arrive and that the capture missed it.
    """
    doubtful = _acknowledged(found, 0) | _acknowledged(found, 1)
    return [way._replace(lost=None) if way in doubtful else way for way in found]


def _acknowledged(found: list[Way], end: int) -> set[Way]:
    """The ways of segments of this end that seem lost, but not to the receiver."""
    own = [way for way in found if way.backward == end and way.row.span]
    lost = [way for way in own if way.lost is not None]
    if not lost:
        return set()
    base = lost[0].row.seq
    last = {way: distance(way.row.seq, base) + way.row.span - 1 for way in own}
    newest = max(last[way] for way in own if way.sent is not None)
    times: list[int] = []
    acked: list[int] = []  # ascending: what was acknowledged of that which this end sent
    for way in found:
        number = distance(way.row.ack, base) - 1
        new = number <= newest and (not acked or number > acked[-1])
        if new and way.backward != end and way.row.ctl & ACK:
            times.append(way.first)
            acked.append(number)
    missing = sorted({last[way] for way in lost})
    came: dict[int, int] = {}  # when a segment with that missing number first arrived
    arrivals = [(time, last[way], way.row.span) for way in own for time in way.arrived]
    for time, stop, span in sorted(arrivals):
        at = bisect_right(missing, stop - span)
        while at < len(missing) and missing[at] <= stop:
            came[missing.pop(at)] = time
    doubtful = set()
    for way in lost:
        at = bisect_left(acked, last[way])
        known = at < len(acked) and way.first <= times[at]
        if known and not came.get(last[way], times[at] + 1) <= times[at]:
            doubtful.add(way)
    return doubtful
