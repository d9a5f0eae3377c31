"""Real sockets: what the kernel is asked, how its answers are read, and the labs on loopback."""

import contextlib
import errno
import functools
import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import record_labs

from tcpviz import kernel
from tcpviz.kernel import closing, datagrams, eleven, holds, labs, observation, orphans
from tcpviz.kernel import server as servers
from tcpviz.kernel.sockets import asking, by_diag, by_proc
from tcpviz.kernel.table import (
    Address,
    Owner,
    Socket,
    Table,
    from_diag,
    from_json,
    from_proc,
    to_json,
)
from tcpviz.kernel.watch import certain
from tcpviz.pictures import sequence_chart, state_diagram
from tcpviz.states import State
from tcpviz.steps import Kind
from tcpviz.trace_shape import fault
from tcpviz.units import MS, S

tables = importlib.import_module("tcpviz.kernel.sockets")  # a function has its name in the room
ROOT = Path(__file__).parent.parent
LIVE = [state for state in State if state is not State.CLOSED]
linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="asks a Linux kernel; elsewhere see the recordings"
)


# reading the kernel's answers


def test_a_line_of_proc_is_read():
    """Addresses are in the byte order of the machine, timers in ticks, queues in hexadecimal."""
    host = "7F000001" if sys.byteorder == "big" else "0100007F"
    line = (
        f"  12: {host}:1F90 {host}:D431 06 00000000:00000002 03:0000176C 00000000  1000   0 77 3 0"
    )
    assert list(from_proc([line], 100)) == [
        Socket(
            Address("127.0.0.1", 8080),
            Address("127.0.0.1", 54321),
            State.TIME_WAIT,
            "2MSL",
            59_960 * MS,
            receive_queue=2,
            send_queue=0,
            uid=1000,
            inode=77,
        )
    ]


def test_an_ipv4_address_mapped_into_ipv6_is_an_ipv4_address():
    """A dual-stack server's connection has the four-tuple that its client sees."""
    words = struct.unpack("=4I", socket.inet_pton(socket.AF_INET6, "::ffff:10.0.0.1"))
    mapped = "".join(f"{word:08X}" for word in words)
    line = f" 0: {mapped}:0050 {mapped}:0051 01 0:0 00:0 0 0 0 5"
    (row,) = from_proc([line], 100)
    assert row.four_tuple == ("10.0.0.1", 80, "10.0.0.1", 81)


@pytest.mark.parametrize(
    "line", ["", "sl local", "0: zz:0 0:0 01 0:0 00:0 0 0 0 5", "0: 0:0 0:0 7F 0:0 00:0 0 0 0 5"]
)
def test_a_line_that_is_not_the_kernels_is_left_out(line):
    """A form or a state that is not known gives no row and no error."""
    assert list(from_proc([line], 100)) == []


def diag_message(state, timer=0, expires=0, received=0, sent=0, family=socket.AF_INET):
    """An inet_diag_msg as the kernel writes it."""
    host = socket.inet_pton(socket.AF_INET, "127.0.0.1").ljust(16, b"\0")
    return (
        struct.pack("=4B", family, state, timer, 0)
        + struct.pack("!HH", 80, 4000)
        + host * 2
        + struct.pack("=I2I", 0, 7, 1)
        + struct.pack("=5I", expires, received, sent, 1000, 99)
    )


def test_a_diag_message_is_read():
    """State, timer in ms, queues, owner and the kernel's own name of the socket."""
    row = from_diag(diag_message(8, 1, 200, 1, 5))
    assert (row.state, row.linux) == (State.CLOSE_WAIT, "CLOSE-WAIT")
    assert (row.timer, row.left) == ("RTO", 200 * MS)
    assert (row.receive_queue, row.send_queue, row.backlog) == (1, 5, None)
    assert (row.uid, row.inode, row.cookie) == (1000, 99, (1 << 32) + 7)


def test_the_second_queue_of_a_listener_is_its_limit():
    """sock_diag tells the backlog in the place of the send queue."""
    row = from_diag(diag_message(10, received=3, sent=128))
    assert (row.receive_queue, row.send_queue, row.backlog) == (3, 0, 128)


def test_a_timer_that_is_overdue_has_nothing_left():
    """The kernel tells it as a negative number."""
    assert from_diag(diag_message(1, 1, (1 << 32) - 5)).left == 0


def test_the_timer_of_an_orphan_in_fin_wait_2_is_not_2msl():
    """It is tcp_fin_timeout that runs there, although the kernel keeps both in one place."""
    assert from_diag(diag_message(5, 3, 1000)).timer == "FIN-WAIT-2"
    assert from_diag(diag_message(6, 3, 1000)).timer == "2MSL"


def test_a_request_is_syn_received():
    """Number 12 is Linux's own for a connection that is not yet a socket."""
    assert from_diag(diag_message(12)).linux == "SYN-RECV"


def test_a_table_comes_back_from_json():
    """What the recordings hold is what was seen."""
    row = from_diag(diag_message(8, 1, 200, 0, 5))._replace(owners=(Owner(4, "x", (5, 6)),))
    table = Table((row, row._replace(local=Address("::1", 9))), "sock_diag")
    assert from_json(json.loads(json.dumps(to_json(table)))) == table


# both ways of asking


@linux
def test_both_ways_tell_the_same_rows():
    """sock_diag and /proc/net/tcp agree on every state held still, field by field."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(kernel.hold(state)) for state in LIVE]
        ports = {each.local.port for each in held} | {each.remote.port for each in held}

        def seen(way):
            return [row for row in way() if ports & {row.local.port, row.remote.port}]

        for _ in range(50):  # until nothing moved between two looks, with the other in between
            diag, proc, again = seen(by_diag), seen(by_proc), seen(by_diag)
            if [row._replace(left=None) for row in diag] == [r._replace(left=None) for r in again]:
                break
            time.sleep(0.02)
    assert {row.state for row in diag} == set(LIVE)
    assert len(diag) == len(proc)
    for one, other in zip(diag, proc, strict=True):
        left, right = one.left, other.left
        assert (left is None) == (right is None)
        assert abs((left or 0) - (right or 0)) < S / 2
        assert one._replace(left=None, cookie=0, backlog=None) == other._replace(left=None)


@linux
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_lookup_finds_the_one_socket(host):
    """The exact four-tuple, IPv4 or IPv6, and not the listener that has the same port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        if family == socket.AF_INET6:
            pytest.skip("this host has no IPv6 loopback")
        raise
    with listener, socket.create_connection(listener.getsockname()[:2]) as client, asking() as diag:
        mine, other = Address(*client.getsockname()[:2]), Address(*client.getpeername()[:2])
        assert diag.lookup(mine, other).state is State.ESTABLISHED
        assert diag.lookup(other, mine).state is State.ESTABLISHED
        assert diag.lookup(mine, Address(host, 1)) is None
        rows = sorted(row.state for row in diag.dump(other.port))
        # The port may have been another's, whose TIME-WAIT goes on.
        assert [row for row in rows if row != "TIME-WAIT"] == ["ESTABLISHED"] * 2 + ["LISTEN"]


@linux
@pytest.mark.parametrize("way", ["sock_diag", "/proc/net/tcp"])
def test_who_holds_a_socket_is_told(way):
    """The process and every descriptor of it: a dup() keeps a socket open."""
    with socket.create_server(("127.0.0.1", 0)) as listener, listener.dup() as second:
        table = kernel.sockets(listener.getsockname()[1], way=way)
        (row,) = [row for row in table if row.state is State.LISTEN]
        (owner,) = row.owners
        assert owner.pid == os.getpid()
        assert owner.descriptors == tuple(sorted((listener.fileno(), second.fileno())))


def test_a_way_that_there_is_not_is_named():
    """One sentence with the ways there are."""
    with pytest.raises(ValueError, match=r"way: 'netstat' is not one of sock_diag, /proc/net/tcp"):
        kernel.sockets(way="netstat")


@linux
def test_proc_is_asked_where_sock_diag_may_not_be(monkeypatch):
    """Under a filter of system calls the table and the labs go on."""
    monkeypatch.setattr(tables, "_NETLINK_SOCK_DIAG", 31)  # there is no such protocol
    assert kernel.sockets().way == "/proc/net/tcp"
    assert kernel.who_waits().table().way == "/proc/net/tcp"
    with kernel.hold("CLOSE-WAIT") as held:
        assert held.look().state is State.CLOSE_WAIT


def psutil_of(*connections):
    """A psutil that lists these."""
    names = SimpleNamespace(name=lambda: "server")
    return SimpleNamespace(
        net_connections=lambda kind: list(connections), Process=lambda pid: names, Error=KeyError
    )


def test_elsewhere_psutil_is_asked(monkeypatch):
    """Its rows have states and owners; timers and queues are not known, and are not made up."""
    ends = {"laddr": ("10.0.0.1", 80), "raddr": ("10.0.0.2", 4000)}
    found = [
        SimpleNamespace(status="CLOSE_WAIT", pid=7, fd=3, **ends),
        SimpleNamespace(status="LISTEN", pid=None, fd=-1, laddr=("::", 80), raddr=()),
        SimpleNamespace(status="NONE", pid=None, fd=-1, laddr=("::", 81), raddr=()),
    ]
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "psutil", psutil_of(*found))
    rows = list(kernel.sockets())
    assert [(str(r.local), str(r.remote), r.state, r.receive_queue) for r in rows] == [
        ("10.0.0.1:80", "10.0.0.2:4000", "CLOSE-WAIT", None),
        ("[::]:80", "[::]:*", "LISTEN", None),
    ]
    assert rows[0].owners == (Owner(7, "server", (3,)),)


@pytest.mark.parametrize("name", ["net_connections", "connections"])
def test_where_psutil_may_not_list_all_it_lists_its_own(monkeypatch, name):
    """As on macOS without root; who may not be looked into is passed by, and the way says so."""
    ends = {"laddr": ("10.0.0.1", 80), "raddr": ("10.0.0.2", 4000)}
    mine = SimpleNamespace(status="CLOSE_WAIT", fd=3, **ends)

    def denied(*_):
        raise KeyError(7)

    processes = [
        SimpleNamespace(pid=7, name=lambda: "server", **{name: lambda kind: [mine]}),
        SimpleNamespace(pid=8, name=lambda: "other", **{name: denied}),
    ]
    psutil = SimpleNamespace(
        net_connections=denied, process_iter=lambda: iter(processes), Error=KeyError
    )
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    table = kernel.sockets(80)
    assert table.way == "psutil, own processes"
    assert [(row.state, row.owners) for row in table] == [
        ("CLOSE-WAIT", (Owner(7, "server", (3,)),))
    ]


@linux
@pytest.mark.parametrize("psutil", ["psutil", "psutil, own processes"])
def test_psutil_tells_the_same_states(psutil):
    """The real one, asked for the same sockets, agrees with the kernel's own answer."""
    pytest.importorskip("psutil")
    with kernel.hold("CLOSE-WAIT") as held:
        (told,), (real,) = (
            [row for row in kernel.sockets(held.local.port, way=way) if row[:2] == held.seen[:2]]
            for way in (psutil, "sock_diag")
        )
    assert told[:3] == real[:3]
    assert [owner.pid for owner in told.owners] == [owner.pid for owner in real.owners]


def test_every_state_of_psutil_is_known():
    """The eleven states under the names that psutil gives them."""
    names = "ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK"
    assert set(tables.PSUTIL_NAMES) == {*names.split(), "LISTEN", "CLOSING"}


def test_without_any_way_one_sentence_says_so(monkeypatch):
    """No sock_diag, no /proc, no psutil: what would help is named."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(kernel.Unavailable, match="pip install psutil"):
        kernel.sockets()


# states held still


@linux
@pytest.mark.parametrize("state", LIVE)
def test_a_state_is_held_still(state):
    """The kernel shows it, and afterwards nothing of it is left but TIME-WAIT itself."""
    with kernel.hold(state) as held:
        time.sleep(0.02)
        assert held.look().state is state
    rows = by_diag(held.local.port)
    left = [row.state for row in rows if row.state is State.LISTEN or held.remote in row[:2]]
    assert left == ([state] if state is State.TIME_WAIT else [])


@pytest.mark.parametrize("state", ["LISTEN", "TIME-WAIT"])
def test_no_state_is_held_on_another_system(monkeypatch, state):
    """There is no recording of a socket one holds: one sentence says why."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(observation.platform, "system", lambda: "Darwin")
    with pytest.raises(kernel.Unavailable, match="runs Darwin"), kernel.hold(state):
        pass
    with pytest.raises(kernel.Unavailable, match="runs Darwin"), kernel.watch(80):
        pass


def test_closed_cannot_be_held():
    """It is the absence of a socket."""
    with pytest.raises(ValueError, match="absence"), kernel.hold("CLOSED"):
        pass


# the labs


@functools.cache
def live(lab):
    """A lab, or a leak by this handler, as it is by default; run once."""
    return kernel.leak(lab) if lab in record_labs.HANDLERS else lab()


@linux
def test_before_accept():
    """The kernel has finished the handshake, and taken data, before anybody calls accept()."""
    seen = kernel.before_accept()
    assert not seen.recorded
    assert dict(seen.numbers) == {
        "server": "ESTABLISHED",
        "queued": 1,
        "octets": 5,
        "after": "ESTABLISHED",
    }


@linux
@pytest.mark.parametrize(("backlog", "complete"), [(0, 1), (2, 3)])
def test_accept_queue_full(backlog, complete):
    """A queue of `backlog` holds one more; who comes later stays in SYN-SENT; nobody is refused."""
    seen = kernel.accept_queue_full(backlog, 5)
    assert dict(seen.numbers) == {
        "established": complete,
        "syn_sent": 5 - complete,
        "refused": 0,
    }
    assert seen.table()[0].receive_queue == complete


@linux
def test_refused():
    """Where nobody listens the SYN is answered at once, and nothing stays."""
    assert dict(kernel.refused().numbers) == {"error": "ECONNREFUSED", "left": 0}


@linux
def test_to_itself():
    """One socket is both ends: its local and remote address are the same."""
    (row,) = kernel.to_itself().table()
    assert (row.state, row.local) == (State.ESTABLISHED, row.remote)


@linux
def test_who_waits():
    """TIME-WAIT is with whoever closes first, in either role."""
    assert dict(kernel.who_waits().numbers) == {"client": ["client"], "server": ["server"]}


@linux
def test_countdown():
    """The kernel's own timer begins at 60 s and loses what has passed."""
    seen = kernel.countdown(0.2)
    assert (seen["timer"], seen["whole"]) == ("2MSL", 60)
    (_, first), (elapsed, last) = seen["looks"][0], seen["looks"][-1]
    assert elapsed >= 0.2 * S
    assert abs(first - last - elapsed) < 50 * MS  # the kernel counts in ticks


@linux
def test_address_in_use():
    """Linux wants SO_REUSEADDR of the one that binds and of the listener before."""
    seen = dict(kernel.address_in_use().numbers)
    assert seen == {"without": "EADDRINUSE", "with": "", "only_now": "EADDRINUSE"}


@linux
def test_exhaustion():
    """Eleven ports take eleven connections; loopback heals after about a second, if it may."""
    seen = live(kernel.exhaustion)
    assert not seen.recorded
    assert (seen["connected"], seen["error"], seen["time_wait"]) == (11, "EADDRNOTAVAIL", 11)
    assert {row.timer for row in seen.table()} == {"2MSL"}
    assert len({row.local.port for row in seen.table()}) == 11
    if seen["tcp_tw_reuse"] == 2:
        assert seen["healed"]
        assert seen["healed_after"] > 0.5 * S


@linux
def test_fin_timeout():
    """It ends FIN-WAIT-2 in its time, and leaves the peer and the length of TIME-WAIT alone."""
    seen = live(kernel.fin_timeout)
    assert not seen.recorded
    assert 0 < seen["fin_wait_2"] <= 1 * S
    assert seen["peer"] == State.CLOSE_WAIT
    assert 59 * S < seen["time_wait"] <= 60 * S
    assert [row.timer for row in seen.table()] == ["FIN-WAIT-2", "", "2MSL"]


@linux
def test_goodbyes():
    """Which calls send what, and what the peer hears: its recv() waits, sees EOF, or a reset."""
    here, waits = ["ESTABLISHED", "ESTABLISHED"], [0, "waits"]
    fin = [1, 'gives b""', "FIN-WAIT-2", "CLOSE-WAIT"]
    rst = [1, "raises ECONNRESET", "CLOSED", "CLOSED"]
    assert dict(live(kernel.goodbyes).numbers) == {
        "shutdown(SHUT_RD)": waits + here,
        "shutdown(SHUT_WR)": fin,
        "close()": fin,
        "close(), a dup() open": waits + here,
        "close(), data unread": rst,
        "close(), SO_LINGER 0": rst,
    }


@linux
def test_answer_lost():
    """The RST of a hasty close takes what was still to be sent; who reads to the end loses none."""
    seen = live(kernel.answer_lost)
    assert seen["hasty"][0] < seen["sent"] == seen["patient"][0]
    assert [seen["hasty"][1], seen["patient"][1]] == ["raises ECONNRESET", 'gives b""']


@linux
def test_kept_open():
    """CLOSE-WAIT outlives a close() while another descriptor, or another process, holds it."""
    seen = live(kernel.kept_open)
    assert seen["copy"] == ["CLOSE-WAIT", 1, 1]
    assert seen["child"] == ["CLOSE-WAIT", 1, 0]  # and the one process is not this one
    assert {seen[f"{who} over"] for who in ("copy", "child", "shutdown")} == {"CLOSED"}


@linux
def test_ways_out():
    """Reading ends nothing; a FIN and a RST end the state; only close() frees the descriptor."""
    seen = live(kernel.ways_out)
    found = {call: (way["state"], way["held"]) for call, way in seen.numbers.items()}
    assert found == {
        "nothing": ("CLOSE-WAIT", True),
        "recv()": ("CLOSE-WAIT", True),
        "send()": ("CLOSED", True),
        "shutdown(SHUT_WR)": ("CLOSED", True),
        "close()": ("CLOSED", False),
    }
    assert [seen[call]["queue"] for call in ("nothing", "recv()")] == [1, 0]
    assert seen["send()"]["again"] == "EPIPE"


@linux
def test_descriptors_held():
    """CLOSE-WAIT holds a descriptor each and has no timer; TIME-WAIT has a timer, and none."""
    seen = live(kernel.descriptors_held)
    assert seen["CLOSE-WAIT"] == [10, 10, [""]]
    assert seen["TIME-WAIT"] == [10, 0, ["2MSL"]]


@linux
def test_diagnosis():
    """Every way of asking finds as many, and the one process; psutil knows no queues."""
    pytest.importorskip("psutil")
    seen = live(kernel.diagnosis)
    assert dict(seen.numbers) == {
        "sock_diag": [5, 1, 0],
        "/proc/net/tcp": [5, 1, 0],
        "psutil": [5, 1, None],
    }


@linux
@pytest.mark.parametrize("handler", [kernel.forgets, kernel.raises], ids=["forgets", "raises"])
def test_a_server_that_does_not_close_leaks_until_emfile(handler):
    """Each request, or each that raises, leaves a CLOSE-WAIT, until accept() has no descriptor."""
    seen = kernel.leak(handler, descriptors=16)
    served, every = seen["served"], 3 if handler is kernel.raises else 1
    assert seen["close_wait"] == [number // every for number in range(1, served + 1)]
    left = served // every
    assert seen["descriptors"] == [16 - left + count for count in seen["close_wait"]]
    assert seen["error"] == "EMFILE"
    assert seen["raised"] == ({"ValueError": left} if handler is kernel.raises else {})
    mine = [row for row in seen.table() if row.state is State.CLOSE_WAIT and row.inode]
    assert len(mine) == left
    assert len({row.owners for row in mine}) == left  # one process, each its own descriptor


@linux
@pytest.mark.parametrize("handler", [kernel.closes, kernel.finishes], ids=["with", "finally"])
def test_the_same_load_leaves_nothing_where_the_server_closes(handler):
    """Requests still raise, but there is no CLOSE-WAIT, and as many descriptors as before."""
    seen = kernel.leak(handler, descriptors=16)
    assert seen["close_wait"] == [0] * 70
    assert len(set(seen["descriptors"])) == 1
    assert (seen["answered"], seen["error"]) == (47, "")
    assert seen["raised"] == {"ValueError": 23}


@linux
def test_a_handler_of_ones_own_is_served():
    """Its source runs in the server's process; what it raises is told by name."""

    def upper(connection):
        connection.sendall(connection.recv(100).upper())
        raise RuntimeError

    with kernel.serve(upper) as server:
        assert server.request(b"abc")[:2] == (b"ABC", "RuntimeError")


@linux
def test_a_handler_may_print_and_a_full_server_goes_on_saying_so():
    """What it prints is nobody's; after EMFILE each request gets that error at once."""

    def chatty(connection):
        print("hello", connection.recv(100))

    with kernel.serve(chatty, descriptors=8) as server:
        errors = [server.request(b"x").error for _ in range(8)]
    assert errors[0] == ""
    assert set(errors[4:]) == {"EMFILE"}


@linux
def test_a_handler_that_ends_its_process_is_no_hang():
    """One sentence, at once."""

    def leaves(connection):
        raise SystemExit

    with (
        kernel.serve(leaves) as server,
        pytest.raises(kernel.Unavailable, match="ended before it had answered"),
    ):
        server.request(b"x")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"handler": print}, "source cannot be found"),
        ({"handler": lambda connection: None}, "written with def"),
        ({"handler": kernel.forgets, "descriptors": 3}, "descriptors: 3 is not from 8 to 256"),
    ],
)
def test_a_server_that_cannot_be_is_refused(arguments, message):
    """One sentence says what is wrong."""
    with pytest.raises(ValueError, match=message), kernel.serve(**arguments):
        pass


@pytest.mark.parametrize(
    "call",
    [
        lambda: kernel.exhaustion(0),
        lambda: kernel.countdown(100),
        lambda: kernel.fin_timeout(60),
        lambda: kernel.accept_queue_full(0, 1000),
        lambda: kernel.leak(requests=0),
        lambda: kernel.descriptors_held(0),
        lambda: kernel.diagnosis(100),
        lambda: kernel.watch(80, every=0),
        lambda: kernel.udp_nobody(17),
        lambda: kernel.udp_wire(("1",) * 17),
    ],
    ids=[
        *("ports", "seconds", "seconds of FIN-WAIT-2", "clients", "requests", "held", "asked"),
        *("interval", "datagrams", "deliveries"),
    ],
)
def test_a_lab_is_bounded(call):
    """What would take too long, or too much, is refused."""
    with pytest.raises(ValueError, match=r"from|more than|at most"):
        call()


# without a connection


@linux
def test_every_state():
    """Ten states are held and looked at in two ways; CLOSED is the absence of a socket."""
    seen = kernel.every_state()
    assert not seen.recorded
    assert seen["states"] == LIVE
    assert "SYN-RECEIVED  SYN-RECV    03" in seen.says
    assert seen.says[-1].startswith("CLOSED        no socket")


@linux
def test_udp_to_nobody():
    """A plain socket hears of nothing; a connected one of the ICMP message, with its next call."""
    seen = kernel.udp_nobody()
    assert not seen.recorded
    assert dict(seen.numbers) == {"errors": 0, "error": "ECONNREFUSED"}


@linux
def test_without_icmp_the_recording_is_shown(monkeypatch):
    """A sandbox whose loopback sends none cannot show it."""
    monkeypatch.setattr(datagrams, "PATIENCE", 0.01)
    monkeypatch.setattr(datagrams.select, "POLLERR", 0)
    monkeypatch.setattr(datagrams.socket.socket, "connect", lambda *_: None)
    monkeypatch.setattr(datagrams.socket.socket, "send", lambda *_: 5)
    assert "no ICMP message came back" in kernel.udp_nobody().recorded


@linux
def test_udp_over_a_bad_wire():
    """What the wire is told to do to datagrams, the receiver gets, and the sender is not told."""
    seen = kernel.udp_wire()
    assert not seen.recorded
    assert dict(seen.numbers) == {
        "sent": ["1", "2", "3", "4"],
        "came": ["2", "1", "1", "old", "4"],
        "errors": 0,
    }
    assert "Never received: 3." in seen.says
    assert "Received more than once: 1." in seen.says
    assert str(kernel.udp_wire(("1",), ("1",))).endswith("Each was received once, and in order.")


def test_a_wire_delivers_only_what_was_sent():
    """Another name is told, with those that there are."""
    with pytest.raises(ValueError, match="'7' was not sent; there are 1, 2, 3, 4, old"):
        kernel.udp_wire(("7",))


# nothing is left behind


def held_by_this_process():
    """Its descriptors by what they are, its threads, and its children, also those that ended."""
    descriptors = Counter()
    for descriptor in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):  # the one of the listing itself has gone
            descriptors[str(descriptor.readlink()).partition(":")[0]] += 1
    children = 0
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if process.name.isdigit():
                stat = (process / "stat").read_text().rpartition(")")[2].split()
                children += int(stat[1]) == os.getpid()
    return descriptors, len(list(Path("/proc/self/task").iterdir())), children


def held_by_nobody():
    """Sockets that no process has a descriptor of; TIME-WAIT is not one, and ends by itself."""
    rows = (row for row in by_diag() if not row.inode and row.state is not State.TIME_WAIT)
    return {(row.four_tuple, row.cookie) for row in rows}


@contextlib.contextmanager
def nothing_left(patience=10):
    """As many descriptors, threads and children afterwards as before, and no new orphan stays.

    Orphans of other programs on this machine come and go, and a reset socket takes a moment.
    """
    before, orphans = held_by_this_process(), held_by_nobody()
    yield
    assert held_by_this_process() == before
    new = held_by_nobody() - orphans
    end = time.monotonic() + patience
    while new and time.monotonic() < end:
        time.sleep(0.01)
        new &= held_by_nobody()
    assert not new


def watched():
    """A connection watched from open to close."""
    with contextlib.ExitStack() as stack:
        client, server = holds.pair(stack)
        with kernel.watch(server.getsockname()[1]) as seen:
            client.close()
            server.close()
    return seen


LABS = {
    "every_state": kernel.every_state,  # it reads all of /proc/net/tcp: before others fill that
    "before_accept": kernel.before_accept,
    "accept_queue_full": lambda: kernel.accept_queue_full(0, 2),
    "refused": kernel.refused,
    "to_itself": kernel.to_itself,
    "who_waits": kernel.who_waits,
    "countdown": lambda: kernel.countdown(0.002),
    "address_in_use": kernel.address_in_use,
    "exhaustion": lambda: kernel.exhaustion(heal=False),
    "udp_nobody": kernel.udp_nobody,
    "udp_wire": kernel.udp_wire,
    "fin_timeout": lambda: kernel.fin_timeout(wait=False),
    "leak": lambda: kernel.leak(requests=3, descriptors=8),
    "goodbyes": kernel.goodbyes,
    "answer_lost": kernel.answer_lost,
    "kept_open": kernel.kept_open,
    "ways_out": kernel.ways_out,
    "descriptors_held": lambda: kernel.descriptors_held(2),
    "diagnosis": lambda: kernel.diagnosis(1),
    "watch": watched,
}


@linux
@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_fifty_runs_leave_nothing_behind(lab):
    """The same number of descriptors, threads and children as before, and no socket more."""
    with nothing_left():
        for _ in range(50):
            seen = lab()
            assert not getattr(seen, "recorded", "")


class Interrupt(BaseException):
    """Ctrl-C, where the test says."""


def interrupt(*_, **__):
    raise Interrupt


@linux
@pytest.mark.parametrize(
    ("lab", "where", "name"),
    [
        ("before_accept", labs, "until"),
        ("accept_queue_full", labs, "seen"),
        ("who_waits", labs, "until"),
        ("countdown", labs, "until"),
        ("address_in_use", labs, "_bind"),
        ("exhaustion", labs, "_close_both"),
        ("every_state", eleven, "sockets"),
        ("udp_nobody", datagrams, "_wait_for_icmp"),
        ("udp_wire", datagrams, "_send"),
        ("goodbyes", closing, "_hears"),
        ("goodbyes", closing, "until"),
        ("answer_lost", closing, "until"),
        ("kept_open", closing, "with_owners"),
        ("kept_open", closing, "_gone"),
        ("ways_out", closing, "_writes"),
        ("descriptors_held", closing, "_open_descriptors"),
        ("diagnosis", servers, "sockets"),
        ("fin_timeout", orphans, "until"),
        ("leak", servers.Server, "states"),
        ("leak", servers.Server, "_heard"),
        ("leak", servers.Server, "_settle"),
        ("watch", kernel.Watch, "_run"),
    ],
)
def test_an_interrupted_lab_leaves_nothing_behind(monkeypatch, lab, where, name):
    """Wherever a Ctrl-C strikes, what was taken is given back."""
    monkeypatch.setattr(where, name, interrupt)
    monkeypatch.setattr(threading, "excepthook", lambda *_: None)
    # A watch is struck in its thread, and still ends.
    struck = contextlib.nullcontext() if lab == "watch" else pytest.raises(Interrupt)
    with nothing_left(), struck:
        LABS[lab]()


@linux
@pytest.mark.parametrize(
    ("lab", "where", "name"),
    [
        ("before_accept", socket.socket, "_accept"),
        ("exhaustion", socket.socket, "_accept"),
        ("goodbyes", socket, "dup"),
        ("kept_open", socket, "dup"),
        ("kept_open", subprocess, "_fork_exec"),
        ("leak", subprocess, "_fork_exec"),
        ("diagnosis", subprocess.Popen, "wait"),
    ],
)
def test_a_ctrl_c_between_taking_and_noting_leaves_nothing_behind(monkeypatch, lab, where, name):
    """A signal comes when the system has given and Python has not yet got: it waits a moment."""
    real = getattr(where, name)

    def struck(*arguments, **options):
        given = real(*arguments, **options)
        signal.raise_signal(signal.SIGINT)
        return given

    monkeypatch.setattr(where, name, struck)
    with nothing_left(), pytest.raises(KeyboardInterrupt):
        LABS[lab]()


@linux
def test_a_ctrl_c_is_kept_back_and_not_lost():
    """It is raised once the moment is over, by whatever handler there was; elsewhere nothing is."""
    done = []
    usual = signal.getsignal(signal.SIGINT)

    def moment():
        with holds.undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append("all")

    with pytest.raises(KeyboardInterrupt):
        moment()
    assert (done, signal.getsignal(signal.SIGINT)) == (["all"], usual)
    other = threading.Thread(target=lambda: done.append(kernel.to_itself()["octets"]))
    other.start()
    other.join()
    assert done == ["all", 4]


def leak_a_thread(stack):
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    stack.callback(thread.join)
    stack.callback(over.set)


def leak_a_child(stack):
    child = subprocess.Popen([sys.executable, "-c", ""])  # it ends; nobody has waited for it
    stack.callback(child.wait)


def leak_an_orphan(stack):
    """Both ends without a descriptor: one closed, one in a queue where nobody accepts it."""
    client = stack.enter_context(socket.socket())
    client.connect(stack.listener.getsockname())
    client.close()


@linux
@pytest.mark.parametrize(
    "plant",
    [
        lambda stack: stack.enter_context(open("/dev/null")),  # noqa: PTH123, SIM115
        lambda stack: stack.enter_context(socket.socket()),
        leak_a_thread,
        leak_a_child,
        leak_an_orphan,
    ],
    ids=["descriptor", "socket", "thread", "child", "orphan"],
)
def test_what_is_left_behind_is_noticed(plant):
    """Whatever it is: the check above fails on each that is planted."""
    with contextlib.ExitStack() as stack:
        stack.listener = holds.listener(stack)
        with pytest.raises(AssertionError), nothing_left(patience=0.1):
            plant(stack)


@linux
@pytest.mark.parametrize(
    ("lab", "where", "name"),
    [
        *((lab, holds, "reset") for lab in ("before_accept", "refused", "goodbyes", "every_state")),
        ("leak", servers, "_end"),
        ("diagnosis", servers, "_end"),
        ("udp_wire", socket.socket, "__exit__"),
    ],
)
def test_a_lab_that_gives_nothing_back_is_noticed(monkeypatch, lab, where, name):
    """Where a lab keeps what it took, one run is enough to see it."""
    back = getattr(where, name)
    with contextlib.ExitStack() as later:

        def keep(*arguments):
            later.callback(back, *arguments)

        monkeypatch.setattr(where, name, keep)
        with pytest.raises(AssertionError), nothing_left(patience=0.1):
            LABS[lab]()


@linux
def test_a_real_ctrl_c_ends_the_server_too():
    """The child hears nothing of the signal and ends with its parent's `with`."""
    program = (
        "import time\n"
        "from tcpviz.kernel import *\n"
        "with serve(forgets) as server:\n"
        "    server.request(b'x')\n"
        "    print(server.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as process:
        child = int(process.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
    assert not Path(f"/proc/{child}").exists()


@linux
def test_a_killed_parent_takes_the_server_with_it():
    """Even where nothing can be tidied up, the child sees its input end."""
    program = (
        "import time\n"
        "from tcpviz.kernel import *\n"
        "with serve(forgets) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        child = int(process.stdout.readline())
        process.kill()
    end = time.monotonic() + 20
    while alive(child) and time.monotonic() < end:
        time.sleep(0.01)
    assert not alive(child)


def alive(pid):
    """Whether the process still runs; one that nobody has waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


# where it cannot be shown


@pytest.mark.parametrize("lab", record_labs.LABS, ids=lambda lab: lab.__name__)
def test_on_another_system_the_recording_is_shown(monkeypatch, lab):
    """It says that it is one, on what it was made and why it is shown, before anything else."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(observation.platform, "system", lambda: "Darwin")
    seen = lab()
    first, *rest = str(seen).splitlines()
    assert first.startswith("A recording, made on Linux ")
    assert first.endswith("because this machine runs Darwin, and this asks a Linux kernel.")
    assert tuple(rest) == seen.says
    assert repr(seen) == f"<Observation {lab.__name__} (recorded)>"


@pytest.mark.parametrize("handler", record_labs.HANDLERS, ids=lambda handler: handler.__name__)
def test_the_leak_too_has_its_recordings(monkeypatch, handler):
    """One for each handler that comes with the package."""
    monkeypatch.setattr(sys, "platform", "win32")
    seen = kernel.leak(handler)
    assert seen.recorded
    assert bool(seen["error"]) == (handler in (kernel.forgets, kernel.raises))


def test_what_was_never_recorded_is_not_shown(monkeypatch):
    """A handler of one's own has no recording: that is said."""
    monkeypatch.setattr(sys, "platform", "darwin")

    def mine(connection):
        connection.close()

    with pytest.raises(kernel.Unavailable, match=r"of this mine\(\) there is no recording"):
        kernel.leak(mine)


def test_a_handler_of_the_same_name_is_not_taken_for_the_recorded_one(monkeypatch):
    """The code decides, not the name: comments, docstring and annotations are not code."""
    monkeypatch.setattr(sys, "platform", "darwin")

    def forgets(connection):
        request = connection.recv(100)
        connection.sendall(b"You said " + request)
        connection.recv(100)

    assert kernel.leak(forgets).recorded

    def forgets(connection):
        connection.close()

    with pytest.raises(kernel.Unavailable, match="there is no recording"):
        kernel.leak(forgets)


@linux
@pytest.mark.parametrize("code", [errno.ENOPROTOOPT, errno.EPERM])
def test_a_kernel_that_lacks_an_option_shows_the_recording(monkeypatch, code):
    """Linux before 6.3 has no IP_LOCAL_PORT_RANGE; a sandbox may forbid it."""

    def lacking(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(labs, "_connect_and_close", lacking)
    assert os.strerror(code) in kernel.exhaustion().recorded
    assert "not used" not in kernel.exhaustion().recorded
    assert "what this lab was called with is not used" in kernel.exhaustion(5).recorded


@linux
def test_a_kernel_that_behaves_otherwise_shows_the_recording(monkeypatch):
    """What does not come within 2 s is not waited for any longer."""
    monkeypatch.setattr(holds, "PATIENCE", 0.01)
    monkeypatch.setattr(labs, "_close_both", lambda first, second: None)
    assert "did not show TIME-WAIT" in kernel.who_waits().recorded


@linux
def test_a_name_that_the_socket_module_lacks_is_a_missing_facility(monkeypatch):
    """Not every system has every option; any other missing name is a mistake and is raised."""
    monkeypatch.delattr(socket, "TCP_DEFER_ACCEPT")
    with (
        pytest.raises(kernel.Unavailable, match="no TCP_DEFER_ACCEPT"),
        kernel.hold("SYN-RECEIVED"),
    ):
        pass
    with pytest.raises(AttributeError), holds.missing_is_unavailable():
        _ = held_by_this_process.nothing


@linux
def test_a_mistake_is_not_taken_for_a_missing_facility(monkeypatch):
    """Any other error is an error."""

    def broken(*_, **__):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(labs, "_bind", broken)
    with pytest.raises(OSError, match="broken"):
        kernel.address_in_use()


@linux
@pytest.mark.parametrize(
    "lab", [*record_labs.LABS, *record_labs.HANDLERS], ids=lambda lab: lab.__name__
)
def test_the_recordings_say_what_the_labs_say(lab):
    """The sentences are the same in each run, so that a notebook's output can be compared."""
    seen = live(lab)
    assert not seen.recorded
    assert observation.recording(seen.name, "x").says == seen.says


def test_there_is_a_recording_of_every_lab_and_no_other():
    """What `record_labs` makes is what the package has."""
    names = {lab.__name__ for lab in record_labs.LABS}
    names |= {f"leak_{handler.__name__}" for handler in record_labs.HANDLERS}
    assert {path.stem for path in observation.RECORDINGS.iterdir()} == names


# watching over time


@linux
def test_a_watched_connection_is_a_trace():
    """States as seen, each from the look that saw it first; the calls of the program beside."""
    with contextlib.ExitStack() as stack:
        client, server = holds.pair(stack)
        with kernel.watch(server.getsockname()[1], every=MS) as seen:
            settle(seen)
            seen.called("client", "CLOSE")
            client.close()
            settle(seen, 80)  # until the ACK of the FIN is no longer delayed
            seen.called("server", "CLOSE")
            server.close()
            settle(seen)
    (trace,) = seen.traces
    assert trace.source == "kernel"
    assert [span.state for span in trace.spans("server")] == ["ESTABLISHED", "CLOSE-WAIT", "CLOSED"]
    states = [span.state for span in trace.spans("client")]
    assert states == ["ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"]
    assert {step.text for step in trace.steps} == {"STATUS", "CLOSE"}
    assert {step.kind for step in trace.steps} == {Kind.CALL}
    assert trace.flights == ()
    assert fault(trace.to_json()) == ""
    assert trace.of("client")[-1].timers[0].name == "2MSL"
    assert "looks" in trace.notes[0]
    assert "TIME-WAIT" in sequence_chart(trace).text
    assert "FIN-WAIT-2    -> TIME-WAIT" in state_diagram(trace).text
    assert [count for _, count in seen.count("CLOSE-WAIT").points] == [1, 0]


def settle(seen, looks=5):
    """Let some looks pass."""
    end = seen.looks + looks
    while seen.looks < end:
        time.sleep(0.001)


@linux
def test_what_was_not_seen_is_inferred_only_where_it_is_certain():
    """Between ESTABLISHED and TIME-WAIT there was FIN-WAIT-1; what else, nobody knows."""
    with contextlib.ExitStack() as stack:
        client, server = holds.pair(stack)
        with kernel.watch(server.getsockname()[1], every=10 * S) as seen:
            client.close()
            server.recv(1)
            server.close()
    (trace,) = seen.traces
    found = [(step.state, step.inferred) for step in trace.of("client")]
    assert found == [("ESTABLISHED", False), ("FIN-WAIT-1", True), ("TIME-WAIT", False)]
    assert [step.state for step in trace.of("server")] == ["ESTABLISHED", "CLOSED"]


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [
        ("ESTABLISHED", "ESTABLISHED", []),
        ("SYN-SENT", "CLOSE-WAIT", []),  # out of SYN-RECEIVED too, at times
        ("SYN-RECEIVED", "FIN-WAIT-2", ["FIN-WAIT-1"]),
        ("ESTABLISHED", "CLOSED", []),
        ("TIME-WAIT", "ESTABLISHED", ["SYN-RECEIVED"]),
        ("LAST-ACK", "ESTABLISHED", []),
    ],
)
def test_certain_states(before, after, between):
    """Only what every way of the table leads through."""
    found = list(certain(State(before), State(after)))
    if (before, after) == ("SYN-SENT", "CLOSE-WAIT"):
        found = [state for state in found if state is not State.ESTABLISHED]
    assert found == between


@linux
def test_a_population_is_counted_over_time():
    """Of five connections that the client closes, five wait in CLOSE-WAIT, and then none."""
    with contextlib.ExitStack() as stack:
        listener = holds.listener(stack)
        pairs = []
        for _ in range(5):
            client = holds.tcp(stack)
            client.connect(listener.getsockname())
            pairs.append((client, listener.accept()[0]))
            stack.callback(holds.reset, pairs[-1][1])
        with kernel.watch(listener.getsockname()[1]) as seen:
            settle(seen)
            for client, _ in pairs:
                client.close()
            settle(seen)
            for _, server in pairs:
                server.close()
            settle(seen)
    waiting = seen.count("CLOSE-WAIT")
    assert (waiting.peak, waiting.points[-1][1]) == (5, 0)
    assert seen.count("ESTABLISHED").at(waiting.points[-1][0]) == 0


@linux
def test_a_watch_follows_no_more_than_it_was_told():
    """Beyond `most` connections it says so, in each trace."""
    with contextlib.ExitStack() as stack:
        listener = holds.listener(stack)
        for _ in range(3):
            holds.tcp(stack).connect(listener.getsockname())
        with kernel.watch(listener.getsockname()[1], most=2) as seen:
            settle(seen)
    assert len(seen.traces) == 2
    assert "More than 2 connections" in seen.traces[0].notes[1]


@linux
def test_a_watch_ends_by_itself():
    """After `seconds` nobody looks any more, and the thread has gone."""
    threads = threading.active_count()
    with contextlib.ExitStack() as stack:
        _, server = holds.pair(stack)
        with kernel.watch(server.getsockname()[1], seconds=0.02) as seen:
            end = time.monotonic() + 20
            while threading.active_count() > threads and time.monotonic() < end:
                time.sleep(0.005)
            assert threading.active_count() == threads
    assert "the time for it was up" in seen.traces[0].notes[1]
