"""Experiments on this machine's kernel: opening and TIME-WAIT, on loopback, over in a moment.

Each returns an Observation, and gives back all it took, also when it is interrupted: descriptors,
threads, sockets. Only TIME-WAIT stays where it is the subject: no process holds it, and the kernel
ends it after 60 s. Where a machine cannot show it, the recording is shown.
"""

import contextlib
import errno
import random
import socket
import struct
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from tcpviz.kernel.holds import (
    HOST,
    PATIENCE,
    accept,
    address,
    missing_is_unavailable,
    pair,
    tcp,
    until,
)
from tcpviz.kernel.holds import listener as listen_on_loopback
from tcpviz.kernel.observation import Observation, lab, seen
from tcpviz.kernel.sockets import Asking, Unavailable, asking
from tcpviz.kernel.table import Address, Socket, Table
from tcpviz.states import State
from tcpviz.units import S
from tcpviz.words import say

_IP_LOCAL_PORT_RANGE: Final = 51  # Linux 6.3; the socket module has no name for it
_SYSCTL: Final = Path("/proc/sys/net/ipv4")


@lab
def before_accept() -> Observation:
    """Connect and send before the server calls accept(): the kernel has done the handshake."""
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        server = listen_on_loopback(stack)
        client = tcp(stack)
        client.settimeout(PATIENCE)
        client.connect(server.getsockname())
        client.sendall(b"hello")
        ends = address(client), address(server)

        def arrived() -> Socket | None:
            row = diag.lookup(ends[1], ends[0])
            return row if row and row.receive_queue else None

        waiting = until(arrived, "the data at the server")
        rows = [_listener(diag, server), waiting, diag.lookup(*ends)]
        queued = rows[0].receive_queue if rows[0] else None
        accepted = accept(stack, server)
        accepted.settimeout(PATIENCE)
        octets = len(accepted.recv(100))
        after = diag.lookup(ends[1], ends[0])
        before, then = (_state(row) for row in (waiting, after))
        numbers = {"server": before, "queued": queued, "octets": octets, "after": then}
        says = (
            say("accept_before", client=_state(rows[2]), server=before),
            say("accept_queued", count=queued, octets=waiting.receive_queue),
            say("accept_after", octets=octets, server=then),
        )
        return Observation(
            "before_accept", says, ((say("accept_table"), seen(rows, diag.way)),), numbers
        )


@lab
def accept_queue_full(backlog: int = 0, clients: int = 3) -> Observation:
    """Connect more clients, one after another, than the accept queue holds; nobody accepts.

    The queue holds `backlog` + 1 (and at most somaxconn + 1). ValueError beyond 64 clients.
    """
    if not 1 <= clients <= 64 or not 0 <= backlog <= 64:
        raise ValueError("accept_queue_full: at most 64 clients, backlog from 0 to 64")
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        server = listen_on_loopback(stack, backlog)
        target = address(server)
        rows: list[Socket | None] = []
        for number in range(clients):
            client = tcp(stack)
            client.setblocking(False)
            client.connect_ex(target)
            # On loopback a handshake that is not refused is over within the call; look twice.
            end = time.monotonic() + (0.02 if number > backlog else PATIENCE)
            row = diag.lookup(address(client), target)
            while time.monotonic() < end and _state(row) != State.ESTABLISHED:
                time.sleep(0.001)
                row = diag.lookup(address(client), target)
            rows.append(row)
        states = Table(tuple(row for row in rows if row)).states
        complete, waiting = states[State.ESTABLISHED], states[State.SYN_SENT]
        queue = _listener(diag, server)
        numbers = {
            "established": complete,
            "syn_sent": waiting,
            "refused": rows.count(None),
        }
        says = (
            say("queue_complete", backlog=backlog, count=complete),
            say("queue_waiting", count=waiting),
        )
        table = seen([queue, *rows], diag.way)
        return Observation("accept_queue_full", says, ((say("queue_table"), table),), numbers)


@lab
def refused() -> Observation:
    """Connect to a port that nobody listens on."""
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        nobody = tcp(stack)
        nobody.bind((HOST, 0))  # bound, so that nobody else takes it; but it does not listen
        target = address(nobody)
        before = {(row.four_tuple, row.cookie) for row in diag.dump(target.port)}
        client = tcp(stack)
        client.settimeout(PATIENCE)
        code = client.connect_ex(target)
        after = {(row.four_tuple, row.cookie) for row in diag.dump(target.port)}
        left = after - before  # the port may have been another's, whose TIME-WAIT goes on
        name = errno.errorcode.get(code, str(code))
        says = (say("refused_error", error=name), say("refused_left", count=len(left)))
        return Observation("refused", says, (), {"error": name, "left": len(left)})


@lab
def to_itself() -> Observation:
    """A socket that connects to its own address: its SYN meets itself, a simultaneous open."""
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        alone = tcp(stack)
        alone.bind((HOST, 0))
        alone.settimeout(PATIENCE)
        alone.connect(alone.getsockname())
        alone.sendall(b"echo")
        row, heard = diag.lookup(address(alone), address(alone)), len(alone.recv(100))
        numbers = {"state": _state(row), "octets": heard}
        says = (say("itself", state=_state(row), octets=heard),)
        return Observation(
            "to_itself", says, ((say("itself_table"), seen([row], diag.way)),), numbers
        )


@lab
def who_waits() -> Observation:
    """Close once with the client first, once with the server first, and see TIME-WAIT."""
    says, tables = [], []
    numbers: dict[str, Any] = {}
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        for first in ("client", "server"):
            client, server = pair(stack)
            ends = {"client": address(client), "server": address(server)}
            _close_both(*((client, server) if first == "client" else (server, client)))
            rows = _rows_of(diag, ends)
            waiting = [name for name, row in rows.items() if row and row.state is State.TIME_WAIT]
            numbers[first] = waiting
            says.append(say("waits_who", first=first, waits=" and ".join(waiting)))
            tables.append((say("waits_table", first=first), seen(rows.values(), diag.way)))
        return Observation("who_waits", tuple(says), tuple(tables), numbers)


@lab
def countdown(seconds: float = 2.0) -> Observation:
    """Watch the kernel count TIME-WAIT down; `looks` are pairs of elapsed and left, in ns."""
    if not 0 < seconds <= 70:
        raise ValueError(f"seconds: {seconds!r} is not from 0 to 70")
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        client, server = pair(stack)
        ends = {"client": address(client), "server": address(server)}
        _close_both(client, server)
        rows: list[Socket] = []
        looks: list[tuple[int, int]] = []
        begin = time.monotonic_ns()
        row = _rows_of(diag, ends)["client"]
        while row:
            now = time.monotonic_ns() - begin
            rows.append(row)
            looks.append((now, row.left or 0))
            if now >= seconds * S:
                break
            time.sleep(min(seconds / 4, 0.5))
            row = diag.lookup(ends["client"], ends["server"])
        first, last = looks[0], looks[-1]
        numbers = {"looks": looks, "timer": rows[0].timer, "whole": round(first[1] / S)}
        says = (
            say("count_first", left=round(first[1] / S)),
            say("count_then", elapsed=round(last[0] / S), left=round(last[1] / S)),
        )
        return Observation(
            "countdown", says, ((say("count_table"), seen(rows, diag.way)),), numbers
        )


@lab
def address_in_use() -> Observation:
    """Restart a server whose old connection is in TIME-WAIT: bind() fails without SO_REUSEADDR.

    Linux asks it of both: of the socket that binds, and of the listener from which the one in
    TIME-WAIT came.
    """
    says, tables = [], []
    numbers: dict[str, Any] = {}
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        for before in (True, False):
            client, server = pair(stack, reuse=before)
            ends = {"client": address(client), "server": address(server)}
            _close_both(server, client)
            row = _rows_of(diag, ends)["server"]
            if before:
                says.append(say("bind_held", state=_state(row)))
                tables.append((say("bind_table"), seen([row], diag.way)))
                numbers["without"] = _bind(ends["server"], reuse=False)
                says.append(say("bind_without", result=numbers["without"] or say("bind_fine")))
            name, key = ("with", "bind_with") if before else ("only_now", "bind_only_now")
            numbers[name] = _bind(ends["server"], reuse=True)
            says.append(say(key, result=numbers[name] or say("bind_fine")))
        return Observation("address_in_use", tuple(says), tuple(tables), numbers)


def _bind(name: Address, *, reuse: bool) -> str:
    """Listen on that address for a moment; gives the error's name, or ""."""
    with contextlib.ExitStack() as stack:
        again = tcp(stack)
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        try:
            again.bind(name)
            again.listen()
        except OSError as problem:
            return errno.errorcode.get(problem.errno or 0, str(problem))
    return ""


class _Used(NamedTuple):
    """What became of the connects from a narrow range of ports."""

    connected: int
    error: str
    waiting: Table
    healed: float | None


@lab
def exhaustion(ports: int = 11, *, heal: bool = True) -> Observation:
    """Use up `ports` local ports towards one server: the next connect has none.

    Only the sockets of the lab are narrowed (IP_LOCAL_PORT_RANGE, Linux 6.3 and later). With `heal`
    it goes on trying for up to 3 s: on loopback, tcp_tw_reuse = 2 lets a port in TIME-WAIT be taken
    again after a second.
    """
    if not 1 <= ports <= 100:
        raise ValueError(f"ports: {ports!r} is not from 1 to 100")
    with missing_is_unavailable():
        # Another program of this machine may take one of the ports in between: then once more.
        used = next((u for u in (_use_up(ports, heal) for _ in range(4)) if u), None)
    if used is None:
        raise Unavailable(say("ports_taken", count=ports))
    reuse = _sysctl("tcp_tw_reuse")
    numbers = {
        "connected": used.connected,
        "error": used.error,
        "time_wait": len(used.waiting),
        "healed": used.healed is not None,
        "healed_after": used.healed and int(used.healed * S),
        "tcp_tw_reuse": reuse,
    }
    says = [
        say("ports_used", ports=ports, count=used.connected),
        say("ports_error", number=used.connected + 1, error=used.error),
        say("ports_waiting", count=len(used.waiting)),
    ]
    if heal and used.healed is not None:
        says.append(say("ports_healed", reuse=reuse))
    elif heal:
        says.append(say("ports_not_healed", reuse=reuse))
    tables = ((say("ports_table"), used.waiting),)
    return Observation("exhaustion", tuple(says), tables, numbers)


def _use_up(ports: int, heal: bool) -> _Used | None:
    """One try on a range that nobody uses now; None where somebody else came in between."""
    with contextlib.ExitStack() as stack:
        diag = stack.enter_context(asking())
        server = listen_on_loopback(stack, ports + 8)
        target = address(server)
        low = _free_range(diag, ports)
        high = low + ports - 1
        connected, error = 0, ""
        for _ in range(ports + 1):
            error = _connect_and_close(server, low, high)
            if error:
                break
            connected += 1
        found = (row for row in diag.dump(target.port) if row.remote == target)
        waiting = Table(tuple(r for r in found if r.state is State.TIME_WAIT), diag.way)
        if connected != ports or len(waiting) != ports:
            return None
        healed = None
        if heal:
            begin = time.monotonic()
            while healed is None and time.monotonic() < begin + 3:
                time.sleep(0.05)
                if not _connect_and_close(server, low, high):
                    healed = time.monotonic() - begin
        return _Used(connected, error, waiting, healed)


def _connect_and_close(server: socket.socket, low: int, high: int) -> str:
    """One connection that the client closes first; gives the error's name where it fails."""
    with contextlib.ExitStack() as stack:
        client = tcp(stack)
        limits = struct.pack("=I", high << 16 | low)
        client.setsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE, limits)
        client.settimeout(PATIENCE)
        try:
            client.connect(server.getsockname())
        except OSError as problem:
            if problem.errno == errno.EADDRNOTAVAIL:
                return "EADDRNOTAVAIL"
            raise
        _close_both(client, accept(stack, server))
    return ""


def _free_range(diag: Asking, ports: int) -> int:
    """Where so many ports begin that nobody uses, inside the range that the system allows."""
    first, last = map(int, (_SYSCTL / "ip_local_port_range").read_text("ascii").split())
    taken = {row.local.port for row in diag.dump()}
    starts = list(range(first, last - ports + 2, ports))
    random.shuffle(starts)
    for low in starts:
        if taken.isdisjoint(range(low, low + ports)):
            return low
    raise Unavailable(say("ports_taken", count=ports))


def _sysctl(name: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int((_SYSCTL / name).read_text("ascii"))
    return None


def _close_both(first: socket.socket, second: socket.socket) -> None:
    """One end closes; the other hears of it and closes too."""
    first.close()
    second.settimeout(PATIENCE)
    second.recv(1)
    second.close()


def _rows_of(diag: Asking, ends: dict[str, Address]) -> dict[str, Socket | None]:
    """Both ends as they are when one is in TIME-WAIT and the other has gone."""

    def settled() -> dict[str, Socket | None] | None:
        client, server = ends["client"], ends["server"]
        rows = {"client": diag.lookup(client, server), "server": diag.lookup(server, client)}
        states = sorted(_state(row) for row in rows.values())
        return rows if states == [State.CLOSED, State.TIME_WAIT] else None

    return until(settled, str(State.TIME_WAIT))


def _listener(diag: Asking, server: socket.socket) -> Socket | None:
    name = address(server)
    listeners = (row for row in diag.dump(name.port) if row.state is State.LISTEN)
    return next((row for row in listeners if row.local == name), None)


def _state(row: Socket | None) -> State:
    return State.CLOSED if row is None else row.state
