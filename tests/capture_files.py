"""Capture files made byte by byte, for the tests of captures."""

from struct import pack

from tcpviz.segment import ACK, NUMBERS, SYN

CLIENT, SERVER = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
START = 1_700_000_000_000_000_000


def tcp(
    sport=40000, dport=80, seq=100, ack=0, ctl=SYN, length=0, window=64240, options=b"", urgent=0
):
    """A TCP segment with `length` octets of data."""
    offset = (20 + len(options)) // 4 << 4
    header = pack(
        ">HHIIBBHHH", sport, dport, seq % NUMBERS, ack % NUMBERS, offset, ctl, window, 0, urgent
    )
    return header + options + bytes(length)


def ipv4(payload, source=CLIENT, target=SERVER, ident=1, protocol=6, fragment=0, options=b""):
    """An IPv4 packet."""
    first = 0x45 + len(options) // 4
    total = 20 + len(options) + len(payload)
    header = pack(">BBHHHBBH", first, 0, total, ident, fragment, 64, protocol, 0)
    return header + source + target + options + payload


def ipv6(payload, source=CLIENT, target=SERVER, protocol=6, extensions=b""):
    """An IPv6 packet; `extensions` bring their own next headers, the first is `protocol`."""
    length = len(extensions) + len(payload)
    addresses = source.rjust(16, b"\0") + target.rjust(16, b"\0")
    return pack(">IHBB", 6 << 28, length, protocol, 64) + addresses + extensions + payload


def segment(forward=True, *, ident=1, **fields):
    """An IPv4 packet from the client to the server, or back."""
    if not forward:
        fields = {"sport": 80, "dport": 40000} | fields
    ends = (CLIENT, SERVER) if forward else (SERVER, CLIENT)
    return ipv4(tcp(**fields), *ends, ident=ident)


def ethernet(packet, kind=0x0800):
    """An Ethernet frame."""
    return bytes(12) + pack(">H", kind) + packet


def pcap(frames, link=101, order="<", nano=False, snaplen=65535):
    """A pcap file of (time in ns, frame)."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = [pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for time, frame in frames:
        seconds, fraction = divmod(time, 1_000_000_000)
        kept = frame[:snaplen]
        fraction //= 1 if nano else 1000
        out.append(pack(f"{order}IIII", seconds, fraction, len(kept), len(frame)) + kept)
    return b"".join(out)


def option(code, value, order="<"):
    """A pcapng option."""
    return pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(kind, body, order="<"):
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    length = pack(f"{order}I", 12 + len(body))
    return pack(f"{order}I", kind) + length + body + length


def section(order="<"):
    """A pcapng section header."""
    return block(0x0A0D0D0A, pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(name="", link=101, order="<", snaplen=0, options=b"\x09\x00\x01\x00\x09\0\0\0"):
    """A pcapng interface, times in ns unless `options` say otherwise."""
    if name:
        options = option(2, name.encode(), order) + options
    return block(1, pack(f"{order}HHI", link, 0, snaplen) + options, order)


def packet(time, frame, number=0, order="<", flags=None):
    """A pcapng enhanced packet block; `time` in units of its interface."""
    head = pack(f"{order}III", number, time >> 32, time & 0xFFFFFFFF)
    lengths = pack(f"{order}II", len(frame), len(frame))
    tail = b"" if flags is None else option(2, pack(f"{order}I", flags), order)
    return block(6, head + lengths + frame + bytes(-len(frame) % 4) + tail, order)


def handshake(isn=100, iss=300, ident=1):
    """The three packets of a handshake, each with whether it goes forward."""
    return [
        (True, segment(seq=isn, ident=ident)),
        (False, segment(False, seq=iss, ack=isn + 1, ctl=SYN | ACK, ident=ident)),
        (True, segment(seq=isn + 1, ack=iss + 1, ctl=ACK, ident=ident + 1)),
    ]


def crossing(frames, names=("client", "server"), *, delay=50_000_000, ahead=0, missed=()):
    """A pcapng file of (time from START, whether it goes forward, frame), seen at both ends.

    The second interface's clock is `ahead`; the arrivals of the frames numbered `missed` are not
    in the file. `delay` and `ahead` are in ns, or tell them for a time.
    """
    seen = []
    for number, (time, forward, frame) in enumerate(frames):
        way = delay(time) if callable(delay) else delay
        near, far = (0, 1) if forward else (1, 0)
        seen.append((time, near, frame))
        if number not in missed:
            seen.append((time + way, far, frame))
    data = section() + b"".join(interface(name) for name in names)
    for time, face, frame in sorted(seen, key=lambda each: each[0]):
        wrong = 0 if face == 0 else ahead(time) if callable(ahead) else ahead
        data += packet(START + time + wrong, frame, face)
    return data
