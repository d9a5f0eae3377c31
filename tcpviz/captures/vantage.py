"""From where a conversation was watched, and so what is known of each segment's way.

A file that saw both ends gives departures, arrivals and losses; one that saw a single end gives
what passed there and claims no more. It knows rows and interfaces, not states and not Steps.

What decides where an interface stands: packets that crossed (whatever the clocks say, the two
directions' delays add up to more than zero); at a single end the direction that packets are marked
with, or the turnaround, the time from a segment to its acknowledgment, which is short only where
the acknowledgment comes from; then the names `client` and `server` of interfaces, which are taken
to mean the active opener's end and the other. Interfaces that packets cross in less than 1 ms may
be two of one host: they are, where an end needs longer for every answer than such a short way.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from itertools import combinations
from operator import attrgetter
from statistics import median_low
from typing import Final, NamedTuple

from tcpviz.captures.headers import Row, addresses, ports
from tcpviz.captures.packets import INBOUND, OUTBOUND, Interface
from tcpviz.segment import ACK, RST, SYN, add, distance
from tcpviz.units import MS
from tcpviz.words import say

MOST_COMPARED: Final = 8
TWICE_WITHIN: Final = 1 * MS
NEAR: Final = 1 * MS
CLEARLY_LONGER: Final = 3
ALWAYS: Final = (float("-inf"), float("inf"))
UNKNOWN_DELAY: Final = 50 * MS


class Survey(NamedTuple):
    """What the whole file tells of its interfaces: who stands where, and when each one captured."""

    hosts: dict[bytes, int]  # IP address -> the interface at which it stands
    client: int | None
    server: int | None
    captured: dict[int, tuple[int, int]]  # interface -> times of its first and last row
    near: dict[frozenset[int], bool]  # interfaces less than 1 ms apart -> they are of one host

    @property
    def named(self) -> bool:
        """Whether the interfaces of both ends are known by their names."""
        return self.client is not None and self.server is not None


class View(NamedTuple):
    """Where one conversation was watched from. End 0 sends the rows that are not backward."""

    faces: tuple[int, int] | None  # the interface at each end, where both were watched
    local: int = 0  # else the one end that was
    client: int | None = None  # the end that stands at an interface named client
    note: str = ""


class Way(NamedTuple):
    """One segment's way: when it was seen to leave and to arrive, and when it died.

    `lost` is an estimate: the segment was not seen to arrive where it would have been.
    """

    backward: int
    sent: int | None
    arrived: tuple[int, ...]
    lost: int | None
    rows: tuple[Row, ...]

    @property
    def row(self) -> Row:
        """The segment as it was seen first."""
        return self.rows[0]

    @property
    def first(self) -> int:
        """When it was first seen."""
        return self.arrived[0] if self.sent is None else self.sent


def survey(conversations: Iterable[tuple[bytes, list[Row]]], places: list[Interface]) -> Survey:
    """Learn from all conversations which interface stands at which address."""
    votes: dict[bytes, Counter[int]] = defaultdict(Counter)
    captured: dict[int, tuple[int, int]] = {}
    near: Counter[frozenset[int]] = Counter()  # the more, the more speaks for one host
    for four_tuple, all_rows in conversations:
        seen: dict[int, list[Row]] = defaultdict(list)
        for row in all_rows:
            seen[row.interface].append(row)
            first, last = captured.get(row.interface, (row.time, row.time))
            captured[row.interface] = min(first, row.time), max(last, row.time)
        ends = addresses(four_tuple)
        if len(seen) < 2 or ends[0] == ends[1]:
            continue
        for one, two in combinations(sorted(seen)[:MOST_COMPARED], 2):
            nearer = _nearer_to_end_0(seen[one], seen[two])
            if nearer is not None:
                faces = (one, two) if nearer == 0 else (two, one)
                votes[ends[0]][faces[0]] += 1
                votes[ends[1]][faces[1]] += 1
                apart = _slow_answers(*(seen[face] for face in faces))
                if apart is not None:
                    near[frozenset(faces)] += apart
    hosts = {
        address: max(sorted(counts), key=lambda number: counts[number])
        for address, counts in votes.items()
    }
    names = {place.name.lower(): place.number for place in reversed(places)}
    one_host = {faces: count > 0 for faces, count in near.items()}
    return Survey(hosts, names.get("client"), names.get("server"), captured, one_host)


def _nearer_to_end_0(one: list[Row], two: list[Row]) -> int | None:
    """Which of two interfaces (0, 1) is nearer to end 0; None where no packet crossed both."""
    delays = _delays(one, two)
    if not delays[0] and not delays[1]:
        return None
    # Without packets both ways the clocks have to be believed.
    there = median_low(delays[0]) if delays[0] else 0
    back = median_low(delays[1]) if delays[1] else 0
    return 0 if there >= back else 1


def _delays(one: Iterable[Row], two: Iterable[Row]) -> tuple[list[int], list[int]]:
    """From interface one to two, for the packets of each direction that both saw exactly once."""
    once: list[dict[tuple[int, int, int, bytes], int | None]] = [{}, {}]
    for times, seen in zip(once, (one, two), strict=True):
        for row in seen:
            key = row.unchanging
            times[key] = None if key in times else row.time
    delays: tuple[list[int], list[int]] = ([], [])
    for key, time in once[0].items():
        other = once[1].get(key)
        if time is not None and other is not None:
            delays[key[0]].append(other - time)
    return delays


def _slow_answers(zero: list[Row], one: list[Row]) -> int | None:
    """Whether two interfaces, nearer to end 0 and to end 1, seem to be of one host.

    None where they are too far apart; else 1 where an end takes much longer to answer than packets
    take from one to the other, -1 where both answer at once, 0 where that was not seen.
    """
    there, back = _delays(zero, one)
    crossing = (median_low(there) if there else 0) - (median_low(back) if back else 0)
    if crossing >= NEAR:
        return None
    answers = [gap for gap in (_turnarounds(zero)[0], _turnarounds(one)[1]) if gap is not None]
    if any(gap > max(NEAR, 10 * crossing) for gap in answers):
        return 1
    return -1 if len(answers) == 2 else 0


def opener(four_tuple: bytes, seen: Iterable[Row]) -> tuple[int, bool]:
    """The end that opened actively, and whether that was seen.

    Where no SYN was seen, the lower port is taken for the passive end's; where the ports are
    equal, the end that was first seen to send opened.
    """
    answered = None
    for row in seen:
        if row.ctl & SYN and not row.ctl & RST:
            if not row.ctl & ACK:
                return row.backward, True
            if answered is None:
                answered = 1 - row.backward
    if answered is not None:
        return answered, True
    first, second = ports(four_tuple)
    return (1 if first < second else 0), False


def view(four_tuple: bytes, seen: list[Row], known: Survey) -> View:
    """Where this conversation was watched from, by the evidence named above."""
    ends = addresses(four_tuple)
    first, second = (known.hosts.get(address) for address in ends)
    active, _ = opener(four_tuple, seen)
    client, server = known.client, known.server
    used = {row.interface for row in seen}
    if first is not None and second is not None and first != second:
        one_host = None if known.named else known.near.get(frozenset((first, second)))
        if not one_host:
            named = {client: 0, server: 1}.get(first)
            note = "" if one_host is None else say("near")
            return View((first, second), client=named, note=note)
        local = _local([row for row in seen if row.interface == first])
        if local is None:
            return View(None, active, note=say("vantage_unknown"))
        return View(None, local)
    if client is not None and server is not None:
        swapped = first == server or second == client if first != second else active == 1
        elsewhere = server in known.hosts.values() and (first if swapped else second) != server
        if elsewhere and used == {client}:  # another host stands at the server's interface
            return View(None, int(swapped), client=int(swapped))
        return View((server, client), client=1) if swapped else View((client, server), client=0)
    for end, host in enumerate((first, second)):
        if used == {host}:
            return View(None, end)
    local = _local(seen)
    if local is None and used in ({client}, {server}):
        local = active if used == {client} else 1 - active
    if local is None:
        return View(None, active, note=say("vantage_unknown"))
    named = {client: local, server: 1 - local}.get(next(iter(used)))
    return View(None, local, named)


def _local(seen: list[Row]) -> int | None:
    """The one end that was watched, by the packets' marks or their turnaround."""
    marked = Counter(
        row.backward if row.direction == OUTBOUND else 1 - row.backward
        for row in seen
        if row.direction in (INBOUND, OUTBOUND)
    )
    if len(marked) == 1:  # a router or a loopback device marks packets both ways
        return next(iter(marked))
    zero, one = _turnarounds(seen)
    if zero is None or one is None or max(zero, one) <= CLEARLY_LONGER * min(zero, one):
        return None
    return 0 if zero < one else 1


def _turnarounds(seen: Iterable[Row]) -> tuple[int | None, int | None]:
    """For each end, the shortest time from a segment to the other's acknowledgment of just it."""
    shortest: list[int | None] = [None, None]
    waiting: list[tuple[int, int] | None] = [None, None]
    for row in seen:
        other = waiting[1 - row.backward]
        if other and row.ctl & ACK and row.ack == other[1]:
            so_far = shortest[row.backward]
            gap = row.time - other[0]
            shortest[row.backward] = gap if so_far is None else min(gap, so_far)
            waiting[1 - row.backward] = None
        if row.span:
            waiting[row.backward] = row.time, add(row.seq, row.span)
    return shortest[0], shortest[1]


def ways(seen: list[Row], where: View, known: Survey) -> tuple[list[Way], list[str]]:
    """Every segment's way in order of time, and notes on how it was concluded."""
    seen, notes = _once(sorted(seen, key=lambda row: row.time), one_end=where.faces is None)
    notes += [where.note] * bool(where.note)
    if where.faces is None:
        found = [
            Way(row.backward, row.time, (), None, (row,))
            if row.backward == where.local
            else Way(row.backward, None, (row.time,), None, (row,))
            for row in seen
        ]
        return found, notes
    at = [[row for row in seen if row.interface == face] for face in where.faces]
    shift = _clock_shift(*at)
    if shift:
        notes.append(say("clocks"))
    if len(seen) > len(at[0]) + len(at[1]):
        notes.append(say("seen_elsewhere"))
    captured = [ALWAYS if known.named else known.captured[face] for face in where.faces]
    shifts = max(-shift, 0), max(shift, 0)  # forward, lest a time becomes negative
    found = sorted(_pair(at, shifts, captured), key=lambda way: way.first)
    if any(
        way.sent is not None and row.time + shifts[1 - way.backward] < way.sent
        for way in found
        for row in way.rows[1:]
    ):
        notes.append(say("clock_set"))
    return found, notes


def _once(seen: list[Row], *, one_end: bool) -> tuple[list[Row], list[str]]:
    """Without the second copies, where (nearly) every packet was captured twice at one place.

    Copies within 1 ms, of at least half of the packets, are the capture's doing (a loopback
    device, several devices of `one_end`); a network duplicates now and then, not always.
    """
    kept: list[Row] = []
    twice: list[Row] = []
    last: dict[tuple[int, tuple[int, int, int, bytes]], int] = {}
    for row in seen:
        key = 0 if one_end else row.interface, row.unchanging
        if key in last and row.time - last[key] <= TWICE_WITHIN:
            twice.append(row)
        else:
            last[key] = row.time
            kept.append(row)
    if not twice or 2 * len(twice) < len(kept):
        return seen, []
    return kept, [say("captured_twice")]


def _clock_shift(zero: list[Row], one: list[Row]) -> int:
    """What to add to the times of end 1, where its clock puts an arrival before its departure.

    Half the sum of the shortest delays is taken for the true delay either way.
    """
    there, back = _delays(zero, one)
    if there and back:
        shortest = min(there), -max(back)
        return (shortest[1] - shortest[0]) // 2 if min(shortest) < 0 else 0
    if there:
        return max(0, -min(there))
    return min(0, -max(back)) if back else 0


def _pair(
    at: list[list[Row]], shifts: tuple[int, int], captured: list[tuple[float, float]]
) -> Iterator[Way]:
    """Departures with their arrivals; among identical packets, by the delay typical of the way.

    `at` are the rows of each end, `shifts` what to add to their times; `captured` is from when
    until when each end's interface was watched.
    """
    there, back = _delays(*at)
    shift = shifts[1] - shifts[0]
    medians = [
        median_low(there) + shift if there else None,
        median_low([-delay for delay in back]) - shift if back else None,
    ]
    for end, own in enumerate(medians):
        typical = own if own is not None else medians[1 - end]
        here, far = shifts[end], shifts[1 - end]
        sent = [row for row in at[end] if row.backward == end]
        reached = [row for row in at[1 - end] if row.backward == end]
        arrivals, strays = _matched(sent, reached, (typical or 0) + here - far)
        yield from (Way(end, None, (row.time + far,), None, (row,)) for row in strays)
        recut = _Octets(strays)
        delay = UNKNOWN_DELAY if typical is None else max(typical, 0)
        for row, arrived in zip(sent, arrivals, strict=True):
            time = row.time + here
            lost = None
            if not arrived and not recut.overlap(row):
                begin, stop = captured[1 - end]
                if begin <= time + delay - far <= stop:
                    lost = time + delay // 2
            times = tuple(max(each.time + far, time) for each in arrived)
            yield Way(end, time, times, lost, (row, *arrived))


def _matched(
    sent: list[Row], reached: list[Row], typical: int
) -> tuple[list[list[Row]], list[Row]]:
    """The arrivals of each departure, and the arrivals that nobody was seen to send.

    What found no match is compared once more without the parts that some middleboxes rewrite (the
    options, the IP identification).
    """
    arrivals: list[list[Row]] = [[] for _ in sent]
    strays = reached
    for key in (attrgetter("unchanging"), attrgetter("essence")):
        departures: dict[Hashable, tuple[list[int], list[int]]] = {}
        for index, row in enumerate(sent):
            if not arrivals[index]:
                times, indices = departures.setdefault(key(row), ([], []))
                times.append(row.time)
                indices.append(index)
        left, strays = strays, []
        for row in left:
            if (alike := departures.get(key(row))) is None:
                strays.append(row)
            else:
                arrivals[alike[1][_nearest(alike[0], row.time - typical)]].append(row)
    return arrivals, strays


def _nearest(times: list[int], time: int) -> int:
    """The index of the time nearest to this one; `times` ascend."""
    after = bisect_left(times, time)
    if after == len(times) or (after and time - times[after - 1] <= times[after] - time):
        return after - 1
    return after


class _Octets:
    """The octets that arrived in segments nobody sent so: network cards cut and join segments."""

    def __init__(self, strays: list[Row]) -> None:
        data = [row for row in strays if row.length]
        self.base = data[0].seq if data else 0
        self.stretches = sorted((distance(row.seq, self.base), row.length) for row in data)

    def overlap(self, row: Row) -> bool:
        """Whether some of the segment's octets are among them."""
        begin = distance(row.seq, self.base)
        before = bisect_left(self.stretches, (begin + row.length, 0))
        if not row.length or not before:
            return False
        start, length = self.stretches[before - 1]
        return start + length > begin
