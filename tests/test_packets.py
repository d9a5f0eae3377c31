"""Container files and headers: every format is read alike, and no file does harm."""

import gzip
import io
import json
import os
import random
import tracemalloc
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from struct import pack

import capture_files as make
import pytest

from tcpviz.captures import CaptureError, read_capture
from tcpviz.captures.packets import CHUNK
from tcpviz.segment import ACK, SYN, Segment
from tcpviz.trace_shape import fault

RECORDINGS = Path(__file__).parent.parent / "notebooks" / "captures"
SYN_OPTIONS = bytes.fromhex("020405b4 0402 080a 0000000100000002 01 030307")
READ_OPTIONS = (("MSS", 1460), ("SACK-permitted", True), ("TS", (1, 2)), ("WS", 7))
PACKET = make.ipv4(make.tcp(options=SYN_OPTIONS, length=3))
EXPECTED = Segment(100, 0, SYN, 3, 64240, READ_OPTIONS)


def read(data):
    return read_capture(io.BytesIO(data))


def only(data):
    """The one segment in a file, with the time it was seen at."""
    (connection,) = read(data).connections
    trace = connection.trace()
    (flight,) = trace.flights
    return flight.segment, trace.start


def vlan(inner, *tags):
    return b"".join(pack(">HH", tag, 5) for tag in tags) + pack(">H", 0x0800) + inner


@pytest.mark.parametrize(
    ("link", "frame"),
    [
        (1, make.ethernet(PACKET)),
        (1, make.ethernet(PACKET + bytes(9))),  # Ethernet pads short frames
        (1, bytes(12) + vlan(PACKET, 0x8100)),
        (1, bytes(12) + vlan(PACKET, 0x88A8, 0x8100)),
        (1, bytes(12) + vlan(PACKET, 0x9100, 0x8100, 0x8100)),
        (113, pack(">HHH8sH", 0, 1, 6, b"", 0x0800) + PACKET),
        (113, pack(">HHH8s", 0, 1, 6, b"") + vlan(PACKET, 0x8100)),
        (276, pack(">HHIHBB8s", 0x0800, 0, 2, 1, 0, 6, b"") + PACKET),
        (276, pack(">HHIHBB8s", 0x8100, 0, 2, 1, 0, 6, b"") + b"\0\5\x08\0" + PACKET),
        (0, b"\2\0\0\0" + PACKET),
        (0, b"\0\0\0\2" + PACKET),
        (108, b"\0\0\0\2" + PACKET),
        (101, PACKET),
        (12, PACKET),
        (14, PACKET),
        (228, PACKET),
        (1, make.ethernet(make.ipv4(PACKET[20:], options=bytes(8)))),
        (229, make.ipv6(PACKET[20:])),
        (1, make.ethernet(make.ipv6(PACKET[20:]), 0x86DD)),
        (0, b"\x1e\0\0\0" + make.ipv6(PACKET[20:])),
        (
            101,
            make.ipv6(  # hop-by-hop, routing, first fragment, authentication, destination
                PACKET[20:],
                protocol=0,
                extensions=bytes((43, 0)) + bytes(6)
                + bytes((44, 1)) + bytes(14)
                + bytes((51, 0, 0, 1)) + bytes(4)
                + bytes((60, 1)) + bytes(10)
                + bytes((6, 0)) + bytes(6),
            ),
        ),
        *(  # mobility, host identity, shim6
            (101, make.ipv6(PACKET[20:], protocol=kind, extensions=bytes((6, 0)) + bytes(6)))
            for kind in (135, 139, 140)
        ),
    ],
)  # fmt: skip
def test_every_link_layer_gives_the_same_segment(link, frame):
    """Below the IP header nothing matters, and neither do IP options and extension headers."""
    assert only(make.pcap([(make.START, frame)], link)) == (EXPECTED, make.START)


def test_frames_written_by_scapy_are_read_alike(tmp_path):
    """An independent writer's headers mean what we take them for."""
    from scapy.layers.inet import IP, TCP
    from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
    from scapy.layers.l2 import CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, Loopback
    from scapy.utils import wrpcap

    options = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 2)), ("NOP", None), ("WScale", 7)]
    segment = TCP(sport=4, dport=80, seq=100, flags="S", window=64240, options=options) / b"abc"
    four = IP(src="10.0.0.1", dst="10.0.0.2") / segment
    six = IPv6(src="fe80::1", dst="fe80::2") / IPv6ExtHdrDestOpt() / segment
    four_links = [Ether(), Ether() / Dot1Q(vlan=3), Ether() / Dot1AD(vlan=3) / Dot1Q(vlan=4)]
    frames = [link / four for link in (*four_links, CookedLinux(), CookedLinuxV2(), Loopback())]
    frames += [link / six for link in (Ether(), CookedLinux(), CookedLinuxV2())]
    for number, frame in enumerate(frames):
        path = tmp_path / f"{number}.pcap"
        wrpcap(str(path), [frame])
        (connection,) = read_capture(path).connections
        (flight,) = connection.trace().flights
        assert flight.segment == EXPECTED, frame.summary()
        assert "80" in connection.ends[1].address


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nano", "time"), [(False, make.START + 7000), (True, make.START + 7)])
def test_pcap_of_either_byte_order_and_resolution(order, nano, time):
    """Both byte orders, microseconds and nanoseconds give the exact time."""
    assert only(make.pcap([(time, PACKET)], order=order, nano=nano)) == (EXPECTED, time)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "ticks"),
    [(0, 1), (3, 1000), (6, 10**6), (9, 10**9), (12, 10**12), (0x94, 2**20), (0x9E, 2**30)],
)
def test_pcapng_time_of_any_resolution_and_offset(order, resolution, ticks):
    """Decimal and binary resolutions and an offset in seconds come out to the nanosecond."""
    count = 10_000_000 * ticks + ticks // 3
    options = make.option(9, bytes((resolution,)), order)
    options += make.option(14, pack(f"{order}q", 1_600_000_000), order)
    data = make.section(order) + make.interface(order=order, options=options)
    expected = int(Fraction(count * 10**9, ticks)) + 1_600_000_000 * 10**9
    assert only(data + make.packet(count, PACKET, order=order)) == (EXPECTED, expected)


def test_pcapng_without_a_resolution_counts_microseconds():
    """An interface that does not say has a resolution of 1 us."""
    data = make.section() + make.interface(options=b"")
    assert only(data + make.packet(make.START // 1000, PACKET))[1] == make.START


def test_pcapng_blocks_of_every_kind():
    """Simple and obsolete packets are read, unknown blocks skipped; each interface has its link."""
    times = make.START >> 32, make.START & 0xFFFFFFFF
    obsolete = pack("<HHIIII", 1, 0, *times, len(PACKET), len(PACKET)) + PACKET
    blocks = [
        make.section(),
        make.interface("a", 1),
        make.interface("b", 101),
        make.block(0x0BAD, b"whatever it is"),
        make.packet(make.START, make.segment(), 1),
        make.block(2, obsolete),
        make.block(3, pack("<I", len(PACKET) + 14) + make.ethernet(PACKET)),
        make.block(5, bytes(12)),
    ]
    capture = read(b"".join(blocks))
    assert (capture.packets, capture.skipped, capture.warnings) == (3, {}, ())
    (connection,) = capture.connections
    plain = Segment(100, 0, SYN, 0, 64240)
    assert {flight.segment for flight in connection.trace().flights} == {plain, EXPECTED}


def test_pcapng_sections_number_their_own_interfaces():
    """In a second section, of another byte order, interface 0 is another one."""
    data = make.section() + make.interface("a", 101) + make.packet(make.START, PACKET)
    data += make.section(">") + make.interface("b", 1, ">")
    data += make.packet(make.START + 5, make.ethernet(PACKET), 0, ">")
    capture = read(data)
    assert (capture.packets, capture.skipped, capture.warnings) == (2, {}, ())


@pytest.mark.filterwarnings("ignore:Field type should not be:DeprecationWarning")
def test_times_equal_those_of_python_pcapng():
    """Every recording has the packets and the times that python-pcapng finds in it."""
    from pcapng import FileScanner
    from pcapng.blocks import EnhancedPacket

    for path in sorted(RECORDINGS.glob("*.pcapng")):
        with path.open("rb") as stream:
            blocks = [each for each in FileScanner(stream) if isinstance(each, EnhancedPacket)]
        ticks = sorted(each.timestamp_high << 32 | each.timestamp_low for each in blocks)
        capture = read_capture(path)
        traces = [connection.trace() for connection in capture.connections]
        seen = [
            step.time + trace.start
            for trace in traces
            for step in trace.steps
            if step.kind in ("depart", "arrive")
        ]
        assert capture.packets == len(blocks)
        assert sorted(seen) == ticks, path.name


def test_gzip_of_one_and_of_several_members():
    """A gzipped capture is read as the capture itself, also when joined and padded."""
    data = make.pcap([(make.START, PACKET)])
    joined = gzip.compress(data[:30]) + gzip.compress(data[30:]) + bytes(512)
    assert only(gzip.compress(data)) == only(joined) == (EXPECTED, make.START)


def test_damaged_gzip_gives_what_was_there():
    """A gzip file that is cut gives the packets before the cut, and one that is noise an error."""
    chance = random.Random(1)
    frames = [make.segment(seq=i, ctl=ACK) + chance.randbytes(300) for i in range(99)]
    data = make.pcap([(make.START + i, frame) for i, frame in enumerate(frames)])
    whole = gzip.compress(data)
    capture = read(whole[: len(whole) // 2])
    assert 0 < capture.packets < 99
    assert "gzip data is damaged: it ends in the middle" in capture.warnings[0]
    with pytest.raises(CaptureError, match="gzip"):
        read(b"\x1f\x8b" + bytes(50))


def test_a_pipe_needs_no_seeking():
    """Standard input is a pipe: it is read once, from front to end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as sink:
        sink.write(make.pcap([(make.START, PACKET)]))
    with os.fdopen(reading, "rb") as source:
        assert not source.seekable()
        assert read_capture(source).packets == 1


def test_a_dash_is_standard_input(monkeypatch):
    """The name `-` reads standard input, and errors say so."""
    stdin = io.TextIOWrapper(io.BytesIO(make.pcap([(make.START, PACKET)])))
    monkeypatch.setattr("sys.stdin", stdin)
    assert repr(read_capture("-")) == "<Capture standard input: 1 connections, 1 packets>"
    with pytest.raises(CaptureError, match=r"^standard input: it is empty$"):
        read_capture("-")


def test_progress_is_told_to_the_last_byte(tmp_path):
    """Progress ends with all bytes read, of the bytes there are."""
    path = tmp_path / "long.pcap"
    frames = [(make.START + i, make.segment(seq=i, length=1200)) for i in range(2000)]
    path.write_bytes(make.pcap(frames))
    told = []
    read_capture(path, lambda done, size: told.append((done, size)))
    assert len(told) == 3
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_records_across_chunks_are_whole():
    """Where the file is read in pieces, no packet is lost at the seams."""
    sizes = [1000 + number % 7 for number in range(2500)]
    frames = [make.segment(seq=i, ctl=ACK, length=size) for i, size in enumerate(sizes)]
    plain = make.pcap([(make.START + i, frame) for i, frame in enumerate(frames)])
    blocks = [make.packet(make.START + i, frame) for i, frame in enumerate(frames)]
    for data in (plain, make.section() + make.interface() + b"".join(blocks)):
        assert len(data) > 2 * CHUNK
        (connection,) = read(data).connections
        assert [flight.segment.seq for flight in connection.trace().flights] == list(range(2500))


def test_a_section_header_across_chunks_is_whole():
    """A section may begin just before the end of a piece that was read."""
    for before in range(4, 32, 4):
        filled = make.section() + make.block(9, bytes(CHUNK - 28 - 12 - before))
        assert len(filled) == CHUNK - before
        data = filled + make.section(">") + make.interface(order=">")
        capture = read(data + make.packet(make.START, PACKET, order=">"))
        assert (capture.packets, capture.warnings) == (1, ())


def test_a_stream_that_fails_is_an_error_of_one_line():
    """An input error while reading is told like every other error."""

    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(CaptureError, match=r"^capture: Input/output error$"):
        read_capture(Broken())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"x", "neither pcap nor pcapng"),
        (b"A text file.\n", "neither pcap nor pcapng"),
        (make.pcap([])[:20], "cut short"),
        (make.section()[:20], "cut short or garbled"),
    ],
)
def test_what_is_no_capture_is_an_error_of_one_line(data, says):
    """The message names the file and says what is wrong, in one line."""
    with pytest.raises(CaptureError, match=says) as caught:
        read(data)
    assert str(caught.value).startswith("capture: ")
    assert "\n" not in str(caught.value)


def test_what_cannot_be_opened_is_an_error_of_one_line(tmp_path):
    """A missing file and a folder are errors that name them."""
    for path in (tmp_path / "missing.pcap", tmp_path):
        with pytest.raises(CaptureError, match=str(path)):
            read_capture(path)


def test_a_capture_without_packets_says_so():
    """No packets is no error: the file is whole; but it is said."""
    for data in (make.pcap([]), make.section() + make.interface()):
        assert read(data).warnings == ("it holds no packets",)
    udp = make.ipv4(bytes(20), protocol=17)
    assert read(make.pcap([(make.START, udp)])).warnings == ("it holds no TCP segments",)


def test_what_is_not_tcp_is_counted_by_reason():
    """What is skipped is counted, and nothing else is lost for it."""
    arp = make.ethernet(bytes(28), 0x0806)
    later = make.ethernet(make.ipv4(bytes(40), fragment=100))
    frames = [
        arp,
        make.ethernet(make.ipv4(bytes(20), protocol=17)),
        later,
        later,
        make.ethernet(make.ipv6(bytes(20), protocol=58), 0x86DD),
        make.ethernet(make.ipv4(make.tcp()[:12] + b"\x10" + make.tcp()[13:])),
        make.ethernet(PACKET)[:40],
        make.ethernet(PACKET),
    ]
    capture = read(make.pcap([(make.START, frame) for frame in frames], 1))
    assert capture.packets == 8
    assert capture.skipped == {
        "not IP": 1, "not TCP": 2, "fragment": 2, "malformed": 1, "cut before TCP": 1,
    }  # fmt: skip
    assert len(capture.connections) == 1
    other = read(make.pcap([(make.START, PACKET)], 147))
    assert other.skipped == {"link type 147": 1}


def test_a_first_fragment_is_read():
    """The first fragment holds the header: it is a segment, as long as it is."""
    data = make.pcap([(make.START, make.ipv4(PACKET[20:], fragment=0x2000))])
    assert only(data)[0] == EXPECTED


def test_a_snap_length_keeps_what_is_left():
    """A cut packet keeps its length, its numbers, and the options that are whole."""
    whole = {}
    for kept in range(36, len(PACKET) + 1):
        segment, _ = only(make.pcap([(make.START, PACKET)], snaplen=kept))
        assert (segment.seq, segment.ctl, segment.length, segment.window) == (100, SYN, 3, 64240)
        assert segment.options == READ_OPTIONS[: len(segment.options)]
        whole.setdefault(len(segment.options), kept)
    assert whole == {0: 36, 1: 44, 2: 46, 3: 56, 4: 60}
    assert segment == EXPECTED


def test_a_segment_the_network_card_still_had_to_cut_has_its_length():
    """A total length of 0 (segmentation offload) is taken from the frame."""
    segment = make.tcp(ctl=ACK, ack=1, length=300)
    for frame, at in ((make.ipv4(segment), 2), (make.ipv6(segment), 4)):
        unfinished = frame[:at] + b"\0\0" + frame[at + 2 :]
        assert only(make.pcap([(make.START, unfinished)]))[0].length == 300


def test_strange_options_do_no_harm():
    """An option of length 0 or past the end ends the options; unknown ones are kept in hex."""
    cases = {
        "0200 0000": (),
        "01010550": (),
        "fe04abcd": (("kind-254", "abcd"),),
        "1e04 1234": (("MPTCP", "1234"),),
        "050a 0000000100000002 0000": (("SACK", (1, 2)),),
        "00040204": (),
    }
    for options, expected in cases.items():
        packet = make.ipv4(make.tcp(options=bytes.fromhex(options)))
        assert only(make.pcap([(make.START, packet)]))[0].options == expected


def _pieces(container):
    """A capture of a handshake, record by record."""
    packets = [frame for _, frame in make.handshake()]
    if container == "pcap":
        head = make.pcap([])
        return [head] + [make.pcap([(make.START, each)])[len(head) :] for each in packets]
    heads = [make.section(), make.interface("eth0")]
    return heads + [make.packet(make.START + i, each) for i, each in enumerate(packets)]


def test_a_fraction_of_a_second_that_is_none_stops_the_reading():
    """A million microseconds are no fraction: the record is garbled."""
    for nano, limit in ((False, 10**6), (True, 10**9)):
        good = make.pcap([(make.START, PACKET)], nano=nano)
        for fraction, packets in ((limit - 1, 2), (limit, 1)):
            record = pack("<IIII", 1_700_000_000, fraction, len(PACKET), len(PACKET)) + PACKET
            capture = read(good + record)
            assert capture.packets == packets
            assert bool(capture.warnings) == (packets == 1)


@pytest.mark.parametrize("container", ["pcap", "pcapng"])
def test_every_prefix_gives_an_error_or_what_was_there(container):
    """Cut anywhere: the whole packets before the cut, and a warning where the last one began."""
    pieces = _pieces(container)
    starts = list(accumulate(map(len, pieces), initial=0))
    data = b"".join(pieces)
    for length in range(len(pieces[0])):
        with pytest.raises(CaptureError):
            read(data[:length])
    for length in range(len(pieces[0]), len(data) + 1):
        capture = read(data[:length])
        whole = sum(end <= length for end in starts[1:])
        assert capture.packets == max(0, whole - (len(pieces) - 3))
        cut = [warning for warning in capture.warnings if "cut short" in warning]
        if length in starts:
            assert not cut
        else:
            assert len(cut) == 1
            assert f"at byte {starts[whole]}:" in cut[0]


@pytest.mark.parametrize("source", ["pcap", "pcapng", "duplicates", "halfopen_syn", "lost_fin"])
def test_garbled_bytes_never_crash(source):
    """Any change of bytes gives the one kind of error, or connections that can be shown."""
    chance = random.Random(source)
    made = source.startswith("pcap")
    data = b"".join(_pieces(source)) if made else (RECORDINGS / f"{source}.pcapng").read_bytes()
    outcomes = set()
    for _ in range(400):
        garbled = bytearray(data)
        for _ in range(chance.choice((1, 1, 1, 2, 8))):
            value = chance.choice((0, 255, chance.randrange(256)))
            garbled[chance.randrange(len(garbled))] = value
        try:
            capture = read(bytes(garbled))
        except CaptureError:
            outcomes.add("error")
            continue
        outcomes.add("warning" if capture.warnings else "read")
        for connection in capture.connections:
            assert repr(connection)
            trace = connection.trace()
            assert str(trace)
            assert trace.steps[0].time == 0
            assert fault(json.loads(trace.dumps())) == ""
    assert outcomes == {"error", "warning", "read"}


@pytest.mark.parametrize(
    "data",
    [
        make.pcap([]) + pack("<IIII", 1, 1, 0xFFFFFFFF, 0xFFFFFFFF),
        make.pcap([]) + pack("<IIII", 1, 1, 0x00FFFFFF, 0x00FFFFFF),
        make.section() + pack("<II", 6, 0xFFFFFFFC),
        make.section() + pack("<II", 6, 0x00FFFFFC),
        make.section() + make.block(6, pack("<IIIII", 0, 0, 0, 0xFFFFFFFF, 1)),
        make.section() + make.interface() + make.block(6, pack("<IIIII", 0, 0, 0, 0xFFFFFF, 1)),
        make.section() + make.interface() + make.block(3, pack("<I", 0xFFFFFFFF)),
        make.section() + make.interface() + make.packet(1 << 63, PACKET, 7),
    ],
)
def test_a_length_in_a_file_takes_no_memory(data):
    """A record that claims gigabytes costs nothing: reading stops there, with a warning."""
    tracemalloc.start()
    try:
        capture = read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert capture.warnings
    assert peak < 4 << 20


def test_gzip_is_inflated_piece_by_piece():
    """A file that inflates a thousandfold is never held as a whole."""
    data = gzip.compress(make.pcap([(make.START, bytes(60_000))] * 500))
    assert len(data) < 100_000
    tracemalloc.start()
    try:
        assert read(data).packets == 500
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_garbled_block_stops_the_reading():
    """What follows a garbled block is not guessed at: a warning says where reading stopped."""
    good = make.section() + make.interface() + make.packet(make.START, PACKET)
    bad = [
        make.section().replace(b"\x4d\x3c\x2b\x1a", b"\0\0\0\0"),
        pack("<II", 6, 13) + bytes(40),
        make.packet(make.START, PACKET)[:-4] + bytes(4),
        make.block(1, b""),
        make.packet(make.START, PACKET, 9),
    ]
    for block in bad:
        capture = read(good + block + make.packet(make.START, PACKET))
        assert capture.packets == 1
        assert f"stopped at byte {len(good)}:" in capture.warnings[0]
    assert read(make.section() + make.block(3, bytes(8))).packets == 0


def test_headers_cut_or_malformed_are_counted():
    """However short a packet is cut, and whatever its lengths say, it is counted, not guessed."""
    four, six = PACKET, make.ipv6(PACKET[20:], protocol=0, extensions=bytes((6, 0)) + bytes(6))
    for packet, least in ((four, 36), (six, 64)):
        for kept in range(least):
            assert read(make.pcap([(make.START, packet[:kept])])).skipped == {"cut before TCP": 1}
        assert read(make.pcap([(make.START, packet[:least])])).skipped == {}
    short = make.ipv4(b"")[:2] + b"\0\x15" + PACKET[4:]
    shorter = six[:4] + b"\0\x09" + six[6:]
    headless = b"\x44" + PACKET[1:]
    for packet in (short, shorter, headless):
        assert read(make.pcap([(make.START, packet)])).skipped == {"malformed": 1}
    later = make.ipv6(PACKET[20:], protocol=44, extensions=bytes((6, 0, 0, 8)) + bytes(4))
    assert read(make.pcap([(make.START, later)])).skipped == {"fragment": 1}
    tagged = pack(">HHIHBB8s", 0x8100, 0, 2, 1, 0, 6, b"") + b"\0\5\x81\0\0\6\x08\0" + PACKET
    assert read(make.pcap([(make.START, tagged)], 276)).skipped == {}
    assert read(make.pcap([(make.START, b"\x50" + bytes(60))])).skipped == {"not IP": 1}


def test_a_time_that_no_clock_shows_is_that_of_the_packet_before():
    """A time before 1970, or centuries ahead, comes from a garbled file."""
    data = make.section() + make.interface(options=b"")
    data += make.interface(options=make.option(14, pack("<q", -1_600_000_000)))
    data += make.packet(make.START // 1000, PACKET)
    for late in (make.packet((1 << 64) - 1, PACKET), make.packet(1000, PACKET, 1)):
        (connection,) = read(data + late).connections
        assert (connection.start, connection.trace().duration) == (make.START, 0)


def test_interfaces_without_end_stop_the_reading():
    """A file of nothing but interfaces is read to a limit."""
    capture = read(make.section() + make.interface(options=b"") * 10_001)
    assert "stopped" in capture.warnings[0]
