"""Captures: from a file to connections, and from a connection to its Trace when it is asked for.

A connection is told apart by its four-tuple and its incarnation. What is kept of a packet is its
TCP header in a compact row; Segments and Steps are made by `Connection.trace()` alone.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from os import fstat
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from tcpviz.captures.headers import (
    ETHERNET,
    LATER_FRAGMENT,
    TCP,
    backwards,
    cooked_direction,
    first_time,
    ipv4_fields,
    pack_row,
    rows,
    tcp_header,
)
from tcpviz.captures.incarnations import incarnations
from tcpviz.captures.inference import Passing, conclude
from tcpviz.captures.outcome import Outcome, outcome, without_acknowledged_losses
from tcpviz.captures.packets import CaptureError, Interface, Progress, chunks, frames
from tcpviz.captures.vantage import Survey, View, Way, survey, view, ways
from tcpviz.segment import SYN
from tcpviz.steps import End, Kind, Step
from tcpviz.trace import Trace
from tcpviz.words import say

__all__ = ["Capture", "CaptureError", "Connection", "read_capture"]


class _Conversation:
    """All segments between two sockets, as rows, whatever the incarnation."""

    __slots__ = ("four_tuple", "isns", "store")

    def __init__(self, four_tuple: bytes) -> None:
        self.four_tuple = four_tuple
        self.store = bytearray()
        self.isns: set[bytes] = set()


@dataclass(frozen=True, repr=False)
class Capture:
    """What a capture file holds: its connections in the order of their first packet.

    `packets` counts all there are in the file, `skipped` those that are no TCP segments, or none
    that could be read, by reason. `warnings` say where reading stopped, if it did.
    """

    name: str
    connections: tuple["Connection", ...]
    warnings: tuple[str, ...]
    packets: int
    skipped: dict[str, int]

    def __repr__(self) -> str:
        return f"<Capture {self.name}: {len(self.connections)} connections, {self.packets} packets>"


def read_capture(source: str | Path | BinaryIO, progress: Progress | None = None) -> Capture:
    """Read a pcap or pcapng file (also gzipped; `-` is standard input) into connections.

    `progress` is told the bytes read so far and the bytes there are (None where nobody knows). A
    cut or garbled file gives what could be read and a warning. CaptureError, with a one-line
    message, where there is nothing to be read; TypeError for what is no file at all.
    """
    if source == "-":
        return _read(sys.stdin.buffer, "standard input", progress)
    if isinstance(source, str | Path):
        try:
            with Path(source).open("rb") as stream:
                return _read(stream, str(source), progress)
        except OSError as problem:
            raise CaptureError(f"{source}: {problem.strerror or problem}") from None
    if not hasattr(source, "read"):
        kind = type(source).__name__
        raise TypeError(f"read_capture() takes a path, '-' or a binary file; this is a {kind}")
    name = getattr(source, "name", None)
    return _read(source, str(name) if isinstance(name, str | Path) else "capture", progress)


def _read(stream: BinaryIO, where: str, progress: Progress | None) -> Capture:
    places: list[Interface] = []
    warnings: list[str] = []
    skipped: Counter[str] = Counter()
    try:
        source = frames(chunks(stream, _size(stream), progress), places, warnings)
        packets, conversations = _converse(source, skipped)
    except CaptureError as problem:
        raise CaptureError(f"{where}: {problem}") from None
    except OSError as problem:
        raise CaptureError(f"{where}: {problem.strerror or problem}") from None
    name = Path(where).name
    if not packets:
        warnings.append("it holds no packets")
    elif not conversations:
        warnings.append("it holds no TCP segments")
    connections = _connections(name, conversations, places)
    return Capture(name, connections, tuple(warnings), packets, dict(skipped))


def _size(stream: BinaryIO) -> int | None:
    """The bytes in a file; None for a pipe and the like."""
    try:
        status = fstat(stream.fileno())
    except (OSError, AttributeError):
        return None
    return status.st_size if S_ISREG(status.st_mode) else None


def _converse(
    source: Iterable[tuple[int, Interface, bytes, int, int, int, int]], skipped: Counter[str]
) -> tuple[int, list[_Conversation]]:
    """Sort the segments of all frames into conversations. This is the loop that has to be fast."""
    flows: dict[bytes, tuple[_Conversation, int, bytearray]] = {}
    conversations: list[_Conversation] = []
    packets = 0
    for time, place, data, start, end, wire, marked in source:
        packets += 1
        direction, ip = marked, start + 14
        total = 0
        # The usual frame without a call: IPv4 without options, over Ethernet without tags.
        if (
            place.link == ETHERNET
            and end - ip >= 40
            and data[start + 12 : start + 15] == b"\x08\x00\x45"
        ):
            total, ident, fragment, protocol = ipv4_fields(data, ip + 2)
        if total >= 40 and protocol == TCP and not fragment & LATER_FRAGMENT:
            four_tuple, tcp, length = data[ip + 12 : ip + 24], ip + 20, total - 20
        else:
            found = tcp_header(place.link, data, start, end, start + wire)
            if isinstance(found, str):
                skipped[found] += 1
                continue
            four_tuple, tcp, length, ident = found
            direction = marked or cooked_direction(place.link, data, start, end)
        octets = data[tcp + 12] >> 2 & 60
        if not 20 <= octets <= length:
            skipped["malformed"] += 1
            continue
        stop = tcp + octets
        header = data[tcp + 4 : stop if stop < end else end]
        flow = flows.get(four_tuple)
        if flow is None:
            conversation = _Conversation(four_tuple)
            conversations.append(conversation)
            flows[backwards(four_tuple)] = (conversation, 1, conversation.store)
            flow = flows[four_tuple] = (conversation, 0, conversation.store)
        flow[2].extend(
            pack_row(time, length - octets, place.number, ident, flow[1], direction, len(header))
            + header
        )
        if header[9] & SYN:
            flow[0].isns.add(bytes((flow[1],)) + header[:4])
    return packets, conversations


def _connections(
    name: str, conversations: list[_Conversation], places: list[Interface]
) -> tuple["Connection", ...]:
    known = Survey({}, None, None, {}, {})
    if len(places) > 1 or any(place.name for place in places):
        found = ((each.four_tuple, list(rows(each.store))) for each in conversations)
        known = survey(found, places)
    pieces: list[tuple[_Conversation, bytes | bytearray, View | None]] = []
    for each in conversations:
        if len({isn[0] for isn in each.isns}) == len(each.isns):
            pieces.append((each, each.store, None))
            continue
        seen = list(rows(each.store))
        where = view(each.four_tuple, seen, known)
        found_ways, _ = ways(seen, where, known)
        pieces += (
            (each, b"".join(row.packed for way in part for row in way.rows), where)
            for part in incarnations(found_ways, both_ends=where.faces is not None)
        )
    found_first = sorted(pieces, key=lambda piece: first_time(piece[1]))
    return tuple(
        Connection(number, name, each, store, known, where)
        for number, (each, store, where) in enumerate(found_first, 1)
    )


class Connection:
    """One incarnation of a connection in a capture. Its Trace is made when asked for, and not kept.

    `number` counts from 1 in the order of first packets; `start` is the time of its first, in ns
    since the epoch.
    """

    def __init__(
        self,
        number: int,
        source: str,
        conversation: _Conversation,
        store: bytes | bytearray,
        known: Survey,
        where: View | None,
    ) -> None:
        self.number = number
        self.source = source
        self._four_tuple = conversation.four_tuple
        self._store = store
        self._known = known
        self._where = where
        self.start = first_time(store)

    def __repr__(self) -> str:
        one, two = (f"{end.name} {end.address}" for end in self.ends)
        return f"<Connection {self.number}: {one}, {two}: {self.opened}, {self.ended}>"

    def _observed(self) -> tuple[list[Way], View, list[str]]:
        seen = list(rows(self._store))
        where = self._where or view(self._four_tuple, seen, self._known)
        found, notes = ways(seen, where, self._known)
        if where.faces is not None:
            found = without_acknowledged_losses(found)
            if any(way.sent is not None and not way.arrived and way.lost is None for way in found):
                notes.append(say("fate_unknown"))
        return found, where, notes

    @cached_property
    def _outcome(self) -> Outcome:
        found, where, _ = self._observed()
        return outcome(self._four_tuple, found, where)

    @property
    def ends(self) -> tuple[End, End]:
        """The active opener, named client, and the other end, named server."""
        return self._outcome.ends

    @property
    def opened(self) -> str:
        """How it opened: by a handshake, refused, without an answer, before the capture ..."""
        return say(f"opened_{self._outcome.opened}")

    @property
    def closed_first(self) -> str:
        """The end whose FIN came first, "both" where they crossed, "" where there is none.

        "?" where the first one may have passed before the capture.
        """
        first = self._outcome.closed_first
        return say(f"closed_{first}") if first in ("both", "unknown") else first

    @property
    def ended(self) -> str:
        """How it ended, as far as the capture goes."""
        return say(f"ended_{self._outcome.ended}", end=self._outcome.ended_by)

    @property
    def retransmissions(self) -> int:
        """How many segments were seen to leave again."""
        return self._outcome.retransmissions

    @property
    def losses(self) -> int | None:
        """How many segments died in the network; None where only one end was watched."""
        return self._outcome.losses

    def trace(self) -> Trace:
        """The connection step by step, times in ns from its first step.

        Every state is inferred, and no call is claimed: nobody saw one. Where both ends were
        watched, a segment that never arrived gets a LOSE step, drawn half the typical delay after
        its departure: where it died is not known.
        """
        found, _, notes = self._observed()
        sums = self._outcome
        begin = min(way.first for way in found)
        if not sums.opener_seen:
            notes.append(say("opener_unseen"))
        steps = tuple(_steps(found, sums, begin))
        if sums.opened == "before" and any(step.state is not None for step in steps):
            notes.append(say("established_assumed"))
        return Trace(
            sums.ends,
            steps,
            f"{self.source} #{self.number}".strip(),
            "capture",
            begin,
            tuple(notes),
        )


def _steps(found: list[Way], sums: Outcome, begin: int) -> Iterator[Step]:
    """The ways of one connection as Steps in order of time, with the states concluded."""
    names = sums.names
    events: list[tuple[int, int, int, Kind]] = []
    segments = [way.row.segment for way in found]
    for flight, way in enumerate(found):
        if way.sent is not None:
            events.append((way.sent, way.first, flight, Kind.DEPART))
        events += [(time, way.first, flight, Kind.ARRIVE) for time in way.arrived]
        if way.lost is not None:
            events.append((way.lost, way.first, flight, Kind.LOSE))
    events.sort(key=lambda event: (event[:3], event[3] is not Kind.DEPART))
    passings: tuple[list[Passing], list[Passing]] = ([], [])
    for _, _, flight, kind in events:
        if kind is not Kind.LOSE:
            end = found[flight].backward ^ (kind is Kind.ARRIVE)
            passings[end].append(Passing(kind is Kind.ARRIVE, segments[flight]))
    conclusions = [iter(conclude(each)) for each in passings]
    for time, _, flight, kind in events:
        segment = segments[flight]
        if kind is Kind.LOSE:
            yield Step(time - begin, "", kind, None, segment, flight, inferred=True)
            continue
        end = found[flight].backward ^ (kind is Kind.ARRIVE)
        state, edges, variables, says = next(conclusions[end])
        yield Step(
            time - begin,
            names[end],
            kind,
            state,
            segment,
            flight,
            says=says,
            edges=edges,
            variables=variables,
            inferred=True,
        )
