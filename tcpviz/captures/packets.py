"""Capture files as a stream of frames: pcap, pcapng and gzip of either, read once.

It knows containers only: not what is inside a frame, nor what a connection is. A file that is cut
or garbled gives the frames before the fault and a warning that says where; nothing in a file can
make it hold more than one block in memory.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from struct import Struct, error, unpack_from
from typing import BinaryIO, Final, NamedTuple

Progress = Callable[[int, int | None], None]
"""Told the bytes read so far and the bytes there are (None where the stream does not say)."""

CHUNK: Final = 1 << 20
LARGEST: Final = 1 << 24
"""No record or block is longer than this; a length beyond it means that the file is garbled."""

MOST_INTERFACES: Final = 10_000

INBOUND: Final = 1
OUTBOUND: Final = 2


class CaptureError(ValueError):
    """A file that cannot be read as a capture; the message is one line saying what and where."""


class Interface(NamedTuple):
    """Where frames were captured: its name (if the file tells it) and its link type.

    `number` counts the places of capture: two sections that name the same interface share it.
    """

    number: int
    name: str
    link: int
    snaplen: int = 0
    multiply: int = 1000
    divide: int = 1
    offset: int = 0


Frame = tuple[int, Interface, bytes, int, int, int, int]
"""Time in ns since the epoch, interface, buffer, start and end in it, length on the wire, and the
direction (INBOUND, OUTBOUND, or 0 where the file does not say)."""


def chunks(stream: BinaryIO, size: int | None, progress: Progress | None) -> Iterator[bytes]:
    """The bytes of a stream (which need not be seekable), reporting progress."""
    done = 0
    while chunk := stream.read(CHUNK):
        yield chunk
        done += len(chunk)
        if progress:
            progress(done, size)


def frames(
    pieces: Iterable[bytes], places: list[Interface], warnings: list[str]
) -> Iterator[Frame]:
    """The frames of a capture file; `places` and `warnings` fill while it is read.

    CaptureError where the file is empty or no capture at all.
    """
    pieces = iter(pieces)
    head = _at_least(4, pieces)
    if head.startswith(b"\x1f\x8b"):
        pieces = _unzipped(chain((head,), pieces), warnings)
        head = _at_least(4, pieces)
    if not head:
        raise CaptureError(warnings.pop() if warnings else "it is empty")
    pieces = chain((head,), pieces)
    if head.startswith(_SECTION):
        yield from _pcapng(pieces, places, warnings)
    elif head[:4] in _PCAP:
        yield from _pcap(pieces, places, warnings)
    else:
        raise CaptureError(f"it is neither pcap nor pcapng (it begins with {head[:4].hex(' ')})")


def _at_least(count: int, pieces: Iterator[bytes]) -> bytes:
    """So many bytes, or all there are."""
    taken: list[bytes] = []
    while count > 0 and (piece := next(pieces, None)) is not None:
        taken.append(piece)
        count -= len(piece)
    return b"".join(taken)


def _unzipped(pieces: Iterable[bytes], warnings: list[str]) -> Iterator[bytes]:
    """Inflate gzip, member after member, never more than one chunk at a time."""
    unzip = zlib.decompressobj(wbits=31)
    begun = False
    try:
        for piece in pieces:
            left = piece
            while left:
                if not begun and not left.strip(b"\0"):
                    break  # padding after the last member
                begun = True
                yield unzip.decompress(left, CHUNK)
                left = unzip.unconsumed_tail
                if unzip.eof:
                    left, unzip, begun = unzip.unused_data, zlib.decompressobj(wbits=31), False
        if begun:
            yield unzip.flush()
            if not unzip.eof:
                warnings.append("gzip data is damaged: it ends in the middle")
    except zlib.error as problem:
        warnings.append(f"gzip data is damaged: {problem}")


# pcap

_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_LINK: Final = 0x03FFFFFF  # the bits above tell of frame check sequences


def _pcap(pieces: Iterator[bytes], places: list[Interface], warnings: list[str]) -> Iterator[Frame]:
    data = _at_least(24, pieces)
    if len(data) < 24:
        raise CaptureError("its pcap header is cut short")
    order, scale = _PCAP[data[:4]]
    snaplen, link = unpack_from(f"{order}II", data, 16)
    place = Interface(0, "", link & _LINK, snaplen)
    places.append(place)
    header = Struct(f"{order}IIII").unpack_from
    fractions = 1_000_000_000 // scale
    at, base, size = 24, 0, len(data)
    while True:
        while size - at >= 16:
            seconds, fraction, captured, wire = header(data, at)
            if captured > LARGEST or fraction >= fractions:
                warnings.append(f"stopped at byte {base + at}: the packet record there is garbled")
                return
            start = at + 16
            end = start + captured
            if end > size:
                break
            at = end
            yield seconds * 1_000_000_000 + fraction * scale, place, data, start, end, wire, 0
        piece = _at_least(CHUNK, pieces)
        if not piece:
            break
        data, base, at = data[at:] + piece, base + at, 0
        size = len(data)
    if at < size:
        warnings.append(f"stopped at byte {base + at}: the last packet record is cut short")


# pcapng

_SECTION: Final = b"\x0a\x0d\x0d\x0a"
_INTERFACE: Final = 1
_OBSOLETE_PACKET: Final = 2
_SIMPLE_PACKET: Final = 3
_ENHANCED_PACKET: Final = 6
_IF_NAME, _IF_TSRESOL, _IF_TSOFFSET = 2, 9, 14
_PACKET_FLAGS: Final = 2
_LATEST: Final = (1 << 62) - 1  # in the year 2116; two such times still add up in 64 bits


class _Garbled(Exception):
    """A block does not hold what its type promises."""


def _pcapng(
    pieces: Iterator[bytes], places: list[Interface], warnings: list[str]
) -> Iterator[Frame]:
    data = _at_least(28, pieces)
    order = _byte_order(data, 0)
    if order is None:
        raise CaptureError("its pcapng section header is cut short or garbled")
    numbers: dict[tuple[str, int, int], int] = {}
    section = _Section(order, places, numbers)
    at, base, size = 0, 0, len(data)
    while True:
        while size - at >= 12:
            if data.startswith(_SECTION, at):
                order = _byte_order(data, at)
                if order is None:
                    if size - at < 28:
                        break
                    warnings.append(f"stopped at byte {base + at}: garbled section header")
                    return
                section = _Section(order, places, numbers)
            kind, length = section.start(data, at)
            end = at + length
            if length < 12 or length % 4 or length > LARGEST:
                warnings.append(f"stopped at byte {base + at}: garbled block length {length}")
                return
            if end > size:
                break
            if data[end - 4 : end] != data[at + 4 : at + 8]:
                warnings.append(f"stopped at byte {base + at}: a block's two lengths differ")
                return
            try:
                if kind == _ENHANCED_PACKET:
                    yield section.enhanced(data, at, end)
                elif kind == _INTERFACE:
                    section.interface(data, at, end)
                elif kind == _SIMPLE_PACKET:
                    yield section.simple(data, at, end)
                elif kind == _OBSOLETE_PACKET:
                    yield section.obsolete(data, at, end)
            except (_Garbled, error):
                warnings.append(f"stopped at byte {base + at}: the block there is garbled")
                return
            at = end
        piece = _at_least(CHUNK, pieces)
        if not piece:
            break
        data, base, at = data[at:] + piece, base + at, 0
        size = len(data)
    if at < size:
        warnings.append(f"stopped at byte {base + at}: the last block is cut short")


def _byte_order(data: bytes, at: int) -> str | None:
    """The byte order a section header declares; None where it declares none."""
    if len(data) - at < 28:
        return None
    return {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(data[at + 8 : at + 12])


class _Section:
    """One section: its byte order and its own numbering of interfaces."""

    def __init__(
        self, order: str, places: list[Interface], numbers: dict[tuple[str, int, int], int]
    ) -> None:
        self.order = order
        self.places = places
        self.numbers = numbers  # of named interfaces, which sections may have in common
        self.names: Counter[tuple[str, int]] = Counter()
        self.own: list[Interface] = []
        self.start = Struct(f"{order}II").unpack_from
        self.packet = Struct(f"{order}IIIII").unpack_from
        self.time = 0

    def interface(self, data: bytes, at: int, end: int) -> None:
        if end - at < 20:
            raise _Garbled
        link, _, snaplen = unpack_from(f"{self.order}HHI", data, at + 8)
        name, resolution, offset = "", 6, 0
        for code, value in self.options(data, at + 16, end - 4):
            if code == _IF_NAME:
                name = value.rstrip(b"\0").decode("utf-8", "replace")
            elif code == _IF_TSRESOL and value:
                resolution = value[0]
            elif code == _IF_TSOFFSET and len(value) == 8:
                offset = unpack_from(f"{self.order}q", value)[0]
        multiply = 1_000_000_000
        divide = 1 << (resolution & 0x7F) if resolution & 0x80 else 10**resolution
        if multiply % divide == 0:
            multiply, divide = multiply // divide, 1
        number = len(self.places)
        if name:
            self.names[name, link] += 1
            number = self.numbers.setdefault((name, link, self.names[name, link]), number)
        if max(number, len(self.own)) == MOST_INTERFACES:
            raise _Garbled
        place = Interface(number, name, link, snaplen, multiply, divide, offset * 1_000_000_000)
        self.own.append(place)
        if number == len(self.places):
            self.places.append(place)

    def options(self, data: bytes, at: int, end: int) -> Iterator[tuple[int, bytes]]:
        while end - at >= 4:
            code, length = unpack_from(f"{self.order}HH", data, at)
            if code == 0 or at + 4 + length > end:
                return
            yield code, data[at + 4 : at + 4 + length]
            at += 4 + (length + 3 & ~3)

    def enhanced(self, data: bytes, at: int, end: int) -> Frame:
        number, high, low, captured, wire = self.packet(data, at + 8)
        return self.frame(number, high << 32 | low, data, at + 28, captured, wire, end)

    def obsolete(self, data: bytes, at: int, end: int) -> Frame:
        number, _, high, low, captured, wire = unpack_from(f"{self.order}HHIIII", data, at + 8)
        return self.frame(number, high << 32 | low, data, at + 28, captured, wire, end)

    def simple(self, data: bytes, at: int, end: int) -> Frame:
        """A packet without a time of its own: it gets that of the packet before it."""
        if not self.own or end - at < 16:
            raise _Garbled
        place = self.own[0]
        wire = unpack_from(f"{self.order}I", data, at + 8)[0]
        captured = min(wire, end - 4 - (at + 12), place.snaplen or wire)
        return self.time, place, data, at + 12, at + 12 + captured, wire, 0

    def frame(
        self, number: int, ticks: int, data: bytes, start: int, captured: int, wire: int, end: int
    ) -> Frame:
        stop = start + captured
        if stop > end - 4 or number >= len(self.own):
            raise _Garbled
        place = self.own[number]
        time = ticks * place.multiply // place.divide + place.offset
        if not 0 <= time <= _LATEST:
            time = self.time
        self.time = time
        direction = 0
        options = start + (captured + 3 & ~3)
        if end - options > 8:
            for code, value in self.options(data, options, end - 4):
                if code == _PACKET_FLAGS and len(value) == 4:
                    direction = unpack_from(f"{self.order}I", value)[0] & 3
        return time, place, data, start, stop, wire, direction
