"""From a frame to its TCP header, and the compact rows in which a capture keeps segments.

It knows link layers, IPv4, IPv6 and TCP's header (RFC 9293 §3.1) and nothing of connections.
Checksums are not verified: captures of a sender with checksum offload hold unfinished ones.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from struct import Struct, unpack_from
from typing import Final, NamedTuple

from tcpviz.captures.packets import INBOUND, OUTBOUND
from tcpviz.segment import Option, Segment

ETHERNET: Final = 1
_NULL, _LOOP, _SLL, _SLL2 = 0, 108, 113, 276
_RAW: Final = {12, 14, 101, 228, 229}
_TYPE_AT: Final = {ETHERNET: 12, _SLL: 14}
_IP_AT: Final = {_NULL: 4, _LOOP: 4, _SLL2: 20} | dict.fromkeys(_RAW, 0)
_TAGS: Final = {b"\x81\x00", b"\x88\xa8", b"\x91\x00"}
_EXTENSIONS: Final = {0, 43, 60, 135, 139, 140}
_FRAGMENT, _AUTHENTICATION = 44, 51
TCP: Final = 6
LATER_FRAGMENT: Final = 0x1FFF
ipv4_fields: Final = Struct(">HHHxB").unpack_from
"""Total length, identification, fragment, protocol: from the third octet of an IPv4 header on."""

LEAST: Final = 16
"""The TCP octets needed to know a segment: up to and with the window."""


def tcp_header(
    link: int, data: bytes, start: int, end: int, wire: int
) -> tuple[bytes, int, int, int] | str:
    """The four-tuple, where TCP's header begins, its length with data, the IP identification.

    A frame begins at `start`; it was captured up to `end` and went on the wire up to `wire`. A
    string is the reason why there is no TCP segment in it that can be read.
    """
    at = _network_header(link, data, start, end)
    if isinstance(at, str):
        return at
    if at >= end:
        return "cut before TCP"
    version = data[at] >> 4
    if version == 4:
        return _over_ipv4(data, at, end, wire)
    if version == 6:
        return _over_ipv6(data, at, end, wire)
    return "not IP"


def _network_header(link: int, data: bytes, at: int, end: int) -> int | str:
    """Where the IP header begins; or the reason, in a word or two, why there is none to read."""
    if link in _TYPE_AT:
        at += _TYPE_AT[link]
        while at < end and data[at : at + 2] in _TAGS:
            at += 4
        if data[at : at + 2] not in (b"\x08\x00", b"\x86\xdd"):
            return "not IP" if end - at >= 2 else "cut before TCP"
        return at + 2
    if link == _SLL2 and data[at : at + 2] in _TAGS:
        at += 20
        while at < end and data[at + 2 : at + 4] in _TAGS:
            at += 4
        return at + 4
    if link not in _IP_AT:
        return f"link type {link}"
    return at + _IP_AT[link]


def cooked_direction(link: int, data: bytes, at: int, end: int) -> int:
    """Which way a Linux cooked header says the packet went (0: it does not say)."""
    if link == _SLL and end - at >= 16:
        kind = data[at + 1]
    elif link == _SLL2 and end - at >= 20:
        kind = data[at + 10]
    else:
        return 0
    return OUTBOUND if kind == 4 else INBOUND


def _over_ipv4(data: bytes, at: int, end: int, wire: int) -> tuple[bytes, int, int, int] | str:
    if end - at < 20:
        return "cut before TCP"
    total, ident, fragment, protocol = ipv4_fields(data, at + 2)
    if protocol != TCP:
        return "not TCP"
    if fragment & LATER_FRAGMENT:
        return "fragment"
    tcp = at + (data[at] & 15) * 4
    # A total length of 0 is a segment that the network card was still to cut up.
    length = (at + total if total else wire) - tcp
    if tcp < at + 20 or length < LEAST:
        return "malformed"
    if end - tcp < LEAST:
        return "cut before TCP"
    return data[at + 12 : at + 20] + data[tcp : tcp + 4], tcp, length, ident


def _over_ipv6(data: bytes, at: int, end: int, wire: int) -> tuple[bytes, int, int, int] | str:
    if end - at < 40:
        return "cut before TCP"
    payload, header = unpack_from(">HB", data, at + 4)
    tcp = at + 40
    stop = tcp + payload if payload else wire
    while header != TCP:
        if tcp + 8 > end:
            return "cut before TCP"
        if header == _FRAGMENT:
            if unpack_from(">H", data, tcp + 2)[0] & 0xFFF8:
                return "fragment"
            length = 8
        elif header == _AUTHENTICATION:
            length = (data[tcp + 1] + 2) * 4
        elif header in _EXTENSIONS:
            length = (data[tcp + 1] + 1) * 8
        else:
            return "not TCP"
        header = data[tcp]
        tcp += length
    if stop - tcp < LEAST:
        return "malformed"
    if end - tcp < LEAST:
        return "cut before TCP"
    return data[at + 8 : at + 40] + data[tcp : tcp + 4], tcp, stop - tcp, 0


def backwards(four_tuple: bytes) -> bytes:
    """The four-tuple of the segments that go the other way."""
    half = (len(four_tuple) - 4) // 2
    there, back = four_tuple[:half], four_tuple[half:-4]
    return back + there + four_tuple[-2:] + four_tuple[-4:-2]


def addresses(four_tuple: bytes) -> tuple[bytes, bytes]:
    """The two IP addresses of a four-tuple, sender first."""
    half = (len(four_tuple) - 4) // 2
    return four_tuple[:half], four_tuple[half:-4]


def ports(four_tuple: bytes) -> tuple[int, int]:
    """The two ports of a four-tuple, sender first."""
    sender, receiver = unpack_from(">HH", four_tuple, len(four_tuple) - 4)
    return sender, receiver


def socket_name(address: bytes, port: int) -> str:
    """An address and a port as people write them.

    >>> socket_name(bytes([10, 0, 0, 1]), 80), socket_name(bytes(15) + bytes([1]), 80)
    ('10.0.0.1:80', '[::1]:80')
    """
    if len(address) == 4:
        return f"{IPv4Address(address)}:{port}"
    return f"[{IPv6Address(address)}]:{port}"


_ROW: Final = Struct("<QIHHBBB")
pack_row: Final = _ROW.pack
"""Time, octets of data, interface, IP identification, backward, direction, octets of header: a row
as bytes; as many octets of the TCP header, from the sequence number on, follow it."""


class Row(NamedTuple):
    """One TCP segment as one interface saw it. `backward` is its direction in the conversation."""

    time: int
    length: int
    interface: int
    ident: int
    backward: int
    direction: int
    header: bytes  # from the sequence number on, as far as it was captured

    @property
    def seq(self) -> int:
        """SEG.SEQ."""
        return int.from_bytes(self.header[:4], "big")

    @property
    def ack(self) -> int:
        """SEG.ACK, whatever the ACK bit says."""
        return int.from_bytes(self.header[4:8], "big")

    @property
    def ctl(self) -> int:
        """The control bits."""
        return self.header[9]

    @property
    def span(self) -> int:
        """SEG.LEN: SYN and FIN count one each."""
        return self.length + (self.ctl >> 1 & 1) + (self.ctl & 1)

    @property
    def unchanging(self) -> tuple[int, int, int, bytes]:
        """What no network changes on the way: all of the header but its checksum."""
        return self.backward, self.ident, self.length, self.header[:12] + self.header[14:]

    @property
    def essence(self) -> tuple[int, int, bytes]:
        """Its numbers, control bits and length: what even a middlebox leaves alone."""
        return self.backward, self.length, self.header[:10]

    @property
    def segment(self) -> Segment:
        """The Segment in it, with the options as far as they were captured."""
        header = self.header
        ack = self.ack if self.ctl & 0x10 else 0
        window = int.from_bytes(header[10:12], "big")
        return Segment(self.seq, ack, self.ctl, self.length, window, tuple(_options(header[16:])))

    @property
    def packed(self) -> bytes:
        """The row as bytes."""
        return pack_row(*self[:6], len(self.header)) + self.header


def rows(store: bytes | bytearray) -> Iterator[Row]:
    """The rows packed in `store`."""
    at, size, unpack = 0, len(store), _ROW.unpack_from
    while at < size:
        time, length, interface, ident, backward, direction, octets = unpack(store, at)
        at += _ROW.size
        header = store[at : at + octets]
        at += octets
        yield Row(time, length, interface, ident, backward, direction, bytes(header))


def first_time(store: bytes | bytearray) -> int:
    """The time of the first row packed in `store`."""
    time: int = _ROW.unpack_from(store)[0]
    return time


def _options(data: bytes) -> Iterator[Option]:
    """TCP's options in header order (RFC 9293 §3.2, RFC 7323, RFC 2018); a cut one ends them."""
    at = 0
    while at < len(data) and data[at] != 0:
        if data[at] == 1:
            at += 1
            continue
        length = data[at + 1] if at + 1 < len(data) else 0
        if length < 2 or at + length > len(data):
            return
        yield _option(data[at], data[at + 2 : at + length])
        at += length


def _option(kind: int, value: bytes) -> Option:
    if kind == 2 and len(value) == 2:
        return "MSS", int.from_bytes(value, "big")
    if kind == 3 and len(value) == 1:
        return "WS", value[0]
    if kind == 4 and not value:
        return "SACK-permitted", True
    if kind == 5 and value and len(value) % 8 == 0:
        return "SACK", unpack_from(f">{len(value) // 4}I", value)
    if kind == 8 and len(value) == 8:
        return "TS", unpack_from(">II", value)
    return "MPTCP" if kind == 30 else f"kind-{kind}", value.hex()
