"""Reading 200,000 packets into connections: tcpviz, dpkt and scapy, interleaved in one run.

Each of the three reads the whole file and sorts every TCP segment by its four-tuple, keeping its
time and its header. Prints medians and ratios, and the peak memory of tcpviz (traced in a run of
its own: tracing slows it). Run it as `python benchmarks/captures.py [packets] [rounds]`; by default
it takes about a minute. A round of scapy is slow and long enough, so that it has one. What is under
way is told on stderr.
"""

import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from struct import Struct, pack

sys.path.insert(0, str(Path(__file__).parent.parent))

from tcpviz.captures import read_capture

_RECORD = Struct("<IIII")
_IP = Struct(">BBHHHBBH4s4s")
_TCP = Struct(">HHIIBBHHH")
_ETHERNET = bytes(12) + b"\x08\x00"
_TIMESTAMPS = b"\x01\x01\x08\x0a" + bytes(8)


def synthetic(packets: int) -> bytes:
    """A pcap of connections of ten segments each, many of them at the same time."""
    script = [  # from the client?, seq, ack, control bits, octets of data
        (True, 0, 0, 0x02, 0),
        (False, 0, 1, 0x12, 0),
        (True, 1, 1, 0x10, 0),
        (True, 1, 1, 0x18, 120),
        (False, 1, 121, 0x18, 900),
        (True, 121, 901, 0x10, 0),
        (True, 121, 901, 0x11, 0),
        (False, 901, 122, 0x10, 0),
        (False, 901, 122, 0x11, 0),
        (True, 122, 902, 0x10, 0),
    ]
    server = bytes((10, 0, 0, 2))
    out = bytearray(pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    together = 100
    for number in range(packets):
        batch, inside = divmod(number, together * len(script))
        step, lane = divmod(inside, together)
        connection = batch * together + lane
        client, port = bytes((10, 1, connection >> 14 & 255, 1)), 1024 + (connection & 0x3FFF)
        out_, seq, ack, bits, length = script[step]
        ends = (client, server, port, 443) if out_ else (server, client, 443, port)
        isns = (connection * 64_000, connection * 96_000)
        seq += isns[not out_]
        ack = ack + isns[out_] if bits & 0x10 else 0
        tcp = _TCP.pack(
            ends[2], ends[3], seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x80, bits, 64240, 0, 0
        )
        total = 20 + len(tcp) + len(_TIMESTAMPS) + length
        ip = _IP.pack(0x45, 0, total, number & 0xFFFF, 0x4000, 64, 6, 0, ends[0], ends[1])
        frame = _ETHERNET + ip + tcp + _TIMESTAMPS + bytes(length)
        out += _RECORD.pack(
            1_700_000_000 + number // 5000, number % 5000 * 200, len(frame), len(frame)
        )
        out += frame
    return bytes(out)


def ours(path: Path) -> int:
    """Connections found by tcpviz."""
    return len(read_capture(path).connections)


def with_dpkt(path: Path) -> int:
    """Connections found with dpkt's objects, the way its documentation reads a file."""
    import dpkt

    found: dict[tuple[object, ...], list[object]] = {}
    with path.open("rb") as stream:
        for at, data in dpkt.pcap.Reader(stream):
            ip = dpkt.ethernet.Ethernet(data).data
            if isinstance(ip, dpkt.ip.IP) and isinstance(ip.data, dpkt.tcp.TCP):
                tcp = ip.data
                key = (
                    min((ip.src, tcp.sport), (ip.dst, tcp.dport)),
                    max((ip.src, tcp.sport), (ip.dst, tcp.dport)),
                )
                fields = at, tcp.seq, tcp.ack, tcp.flags, tcp.win, len(tcp.data), tcp.opts
                found.setdefault(key, []).append(fields)
    return len(found)


def with_scapy(path: Path) -> int:
    """Connections found with scapy's PcapReader, packet after packet."""
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Ether  # noqa: F401 - registers the link type
    from scapy.utils import PcapReader

    found: dict[tuple[object, ...], list[object]] = {}
    with PcapReader(str(path)) as reader:
        for packet in reader:
            if TCP in packet:
                ip, tcp = packet[IP], packet[TCP]
                key = (
                    min((ip.src, tcp.sport), (ip.dst, tcp.dport)),
                    max((ip.src, tcp.sport), (ip.dst, tcp.dport)),
                )
                length = ip.len - ip.ihl * 4 - tcp.dataofs * 4
                fields = packet.time, tcp.seq, tcp.ack, tcp.flags, tcp.window, length, tcp.options
                found.setdefault(key, []).append(fields)
    return len(found)


def seconds(work: Callable[[Path], int], path: Path, expected: int) -> float:
    """How long one reading takes; it must find what is there."""
    begin = time.perf_counter()
    count = work(path)
    taken = time.perf_counter() - begin
    assert count == expected, f"{work.__name__} found {count} connections, not {expected}"
    return taken


def told(text: str, end: str = "\n") -> None:
    """Say at once what is under way; the result alone goes to stdout."""
    print(text, end=end, file=sys.stderr, flush=True)


def main(packets: int = 200_000, rounds: int = 3) -> None:
    """Measure and print."""
    told(f"writing {packets} packets")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "synthetic.pcap"
        path.write_bytes(synthetic(packets))
        expected = -(-packets // 10) if packets % 1000 == 0 else ours(path)
        readers = {"tcpviz": ours, "dpkt": with_dpkt, "scapy": with_scapy}
        slice_path = Path(folder) / "warm.pcap"
        slice_path.write_bytes(synthetic(1000))
        for work in readers.values():  # imports and first calls
            work(slice_path)
        taken: dict[str, list[float]] = {name: [] for name in readers}
        for number in range(rounds):
            for name, work in readers.items():
                if name == "scapy" and number:
                    continue
                told(f"round {number + 1} of {rounds}: {name} ... ", end="")
                taken[name].append(seconds(work, path, expected))
                told(f"{taken[name][-1]:.2f} s")
        medians = {name: statistics.median(times) for name, times in taken.items()}
        print(f"{packets} packets, {expected} connections, median of {rounds} rounds (scapy: 1)")
        for name, median in medians.items():
            ratio = median / medians["tcpviz"]
            each = median / packets * 1e6
            print(f"{name:>8} {median:8.3f} s {each:7.2f} us a packet {ratio:7.1f} x")
        told("memory of tcpviz, traced")
        tracemalloc.start()
        read_capture(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        size = path.stat().st_size
        print(f"peak memory of tcpviz: {peak / 1e6:.1f} MB, {peak / packets:.0f} octets a packet")
        print(f"(the file: {size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
