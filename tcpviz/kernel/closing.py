"""Experiments on this machine's kernel: closing, and what keeps a connection from it.

Each returns an Observation and gives back all it took, as `labs` does: descriptors, children,
sockets. Where a machine cannot show it, the recording is shown.
"""

import contextlib
import errno
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tcpviz.kernel.holds import (
    PATIENCE,
    address,
    missing_is_unavailable,
    pair,
    peer,
    reset,
    taken,
    undisturbed,
    until,
)
from tcpviz.kernel.observation import Observation, lab, seen
from tcpviz.kernel.sockets import Asking, asking, with_owners
from tcpviz.kernel.table import Address, Socket
from tcpviz.states import State
from tcpviz.words import say

_SEGMENTS_IN: Final = 140  # where TCP_INFO counts the segments that came (Linux 4.2)
_QUIET: Final = 0.05  # seconds of silence after which a peer is taken to hear nothing
_ANSWER: Final = 100_000  # octets, far more than a window of the least size lets through
_WAITS: Final = "waits"
_EOF: Final = 'gives b""'
_Ends = tuple[Address, Address]
_STAYS: Final = "import sys; sys.stdin.read()"


@lab
def goodbyes() -> Observation:
    """Leave a connection in six ways, and look at what the peer gets and hears of each."""
    heads = ("call", "count", "heard", "client", "server")
    says, numbers = [say("bye", **{head: say(f"bye_{head}") for head in heads})], {}
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        for call, leave in _WAYS.items():
            client, server = pair(stack)
            mine, other = address(client), address(server)
            if call == _UNREAD:
                _send_unread(diag, server, client)
            before = _segments(server)
            leave(stack, client)
            heard = _hears(server)
            states = _settled(diag, mine, other)
            came = _segments(server) - before
            numbers[call] = [came, heard, *states]
            what = {"client": states[0], "server": states[1]}
            says.append(say("bye", call=call, count=came, heard=heard, **what))
    return Observation("goodbyes", tuple(says), (), numbers)


def _copy(stack: contextlib.ExitStack, client: socket.socket) -> None:
    taken(stack, client.dup, reset)
    client.close()


_UNREAD: Final = "close(), data unread"
_WAYS: Final[dict[str, Callable[[contextlib.ExitStack, socket.socket], None]]] = {
    "shutdown(SHUT_RD)": lambda _, client: client.shutdown(socket.SHUT_RD),
    "shutdown(SHUT_WR)": lambda _, client: client.shutdown(socket.SHUT_WR),
    "close()": lambda _, client: client.close(),
    "close(), a dup() open": _copy,
    _UNREAD: lambda _, client: client.close(),
    "close(), SO_LINGER 0": lambda _, client: reset(client),
}


def _send_unread(diag: Asking, server: socket.socket, client: socket.socket) -> None:
    """Data that the client's kernel has, has acknowledged, and nobody reads."""
    server.sendall(b"hello")
    names = address(server), address(client)

    def acknowledged() -> Socket | None:
        row = diag.lookup(*names)
        return row if row and row.send_queue == 0 else None

    until(acknowledged, "the ACK of the data")


def _segments(connection: socket.socket) -> int:
    """How many segments have come to this end so far."""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SEGMENTS_IN + 4)
    if len(told) < _SEGMENTS_IN + 4:
        raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
    (count,) = struct.unpack_from("=I", told, _SEGMENTS_IN)
    return int(count)


def _hears(server: socket.socket) -> str:
    """What a recv() of the peer comes to, a moment later."""
    if not select.select([server], [], [], _QUIET)[0]:
        return _WAITS
    try:
        return f"gives {len(octets)} octets" if (octets := server.recv(100)) else _EOF
    except OSError as problem:
        return f"raises {errno.errorcode[problem.errno or 0]}"


def _settled(diag: Asking, client: Address, server: Address) -> list[State]:
    """The states of both ends once no FIN waits for its ACK any more, which may be delayed.

    Two looks must agree: a socket that the kernel is just making smaller is not found.
    """
    passing = {State.FIN_WAIT_1, State.LAST_ACK}

    def look() -> list[State]:
        return [_state(diag.lookup(client, server)), _state(diag.lookup(server, client))]

    def still() -> list[State] | None:
        states = look()
        time.sleep(0.002)
        return states if states == look() and passing.isdisjoint(states) else None

    return until(still, "the ACK of the FIN")


@lab
def answer_lost() -> Observation:
    """Answer a request of which some octets were not read, and close: at once, or with patience.

    The client can take little at a time, so that most of the answer is still to be sent. The hasty
    close draws a RST (RFC 9293 §3.6.1), the patient one reads to the end first.
    """
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        hasty = _answered(stack, patient=False)
        patient = _answered(stack, patient=True)

    def fewer() -> bool | None:
        return hasty[0] < _ANSWER or None

    until(fewer, "an answer cut short")
    numbers = {"sent": _ANSWER, "hasty": list(hasty), "patient": list(patient)}
    says = (
        say("lost_hasty", sent=f"{_ANSWER:,}", heard=hasty[1]),
        say("lost_patient", count=f"{patient[0]:,}", heard=patient[1]),
    )
    return Observation("answer_lost", says, (), numbers)


def _answered(stack: contextlib.ExitStack, *, patient: bool) -> tuple[int, str]:
    """How many octets of the answer the client gets, and how its reading ends."""
    client, server = pair(stack, small=True)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * _ANSWER)
    client.settimeout(PATIENCE)
    client.sendall(b"request and more")
    server.recv(7)
    server.setblocking(False)
    if server.send(bytes(_ANSWER)) < _ANSWER:
        raise OSError(errno.EOPNOTSUPP, "no send buffer of that size")
    if patient:
        server.shutdown(socket.SHUT_WR)
    else:
        server.close()
    got, heard = 0, _EOF
    try:
        while octets := client.recv(1 << 16):
            got += len(octets)
    except OSError as problem:
        heard = f"raises {errno.errorcode.get(problem.errno or 0, str(problem))}"
    client.close()
    if patient:
        server.settimeout(PATIENCE)
        while server.recv(100):
            pass
    return got, heard


@lab
def kept_open() -> Observation:
    """close() a connection in CLOSE-WAIT while somebody else has a descriptor of it too."""
    says: list[str] = []
    numbers: dict[str, Any] = {}
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())

        def closed(name: str, server: socket.socket, ends: _Ends) -> None:
            server.close()
            (row,) = with_owners((until(lambda: diag.lookup(*ends), "the socket"),))
            mine = [owner.pid == os.getpid() for owner in row.owners]
            numbers[name] = [row.state, len(mine), sum(mine)]
            says.append(say(f"kept_{name}", state=row.state))

        def over(name: str, ends: _Ends) -> None:
            numbers[f"{name} over"] = _gone(diag, ends)
            says.append(say(f"kept_{name}_over", state=numbers[f"{name} over"]))

        server, ends = _left(stack, diag)
        copy = taken(stack, server.dup, reset)
        closed("copy", server, ends)
        copy.close()
        over("copy", ends)

        server, ends = _left(stack, diag)
        child = _child(stack, server)
        closed("child", server, ends)
        child.kill()
        child.wait()
        over("child", ends)

        server, ends = _left(stack, diag)
        taken(stack, server.dup, reset)
        server.shutdown(socket.SHUT_WR)
        over("shutdown", ends)
    return Observation("kept_open", tuple(says), (), numbers)


def _left(stack: contextlib.ExitStack, diag: Asking) -> tuple[socket.socket, _Ends]:
    """The server's end of a connection that the client has closed: CLOSE-WAIT, EOF not yet read."""
    client, server = pair(stack)
    ends = address(server), peer(server)
    client.close()

    def shown() -> Socket | None:
        row = diag.lookup(*ends)
        return row if row and row.state is State.CLOSE_WAIT else None

    until(shown, str(State.CLOSE_WAIT))
    return server, ends


def _child(stack: contextlib.ExitStack, connection: socket.socket) -> "subprocess.Popen[bytes]":
    """A process that inherits the connection, and does nothing with it until it ends."""

    def begin() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _STAYS],
            stdin=subprocess.PIPE,
            pass_fds=(connection.fileno(),),
            start_new_session=True,  # a Ctrl-C is ours to answer
        )

    def end(child: "subprocess.Popen[bytes]") -> None:
        with undisturbed():
            child.kill()
            child.wait()
            assert child.stdin is not None
            child.stdin.close()

    return taken(stack, begin, end)


def _gone(diag: Asking, ends: _Ends) -> State:
    """CLOSED, once the last FIN is acknowledged."""

    def gone() -> State | None:
        return State.CLOSED if diag.lookup(*ends) is None else None

    return until(gone, str(State.CLOSED))


@lab
def ways_out() -> Observation:
    """What brings a connection out of CLOSE-WAIT, and what gives its descriptor back."""
    says, numbers = [], {}
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        for call, leave in _OUT.items():
            server, ends = _left(stack, diag)
            number = server.fileno()
            leave(server)
            if call not in _STAY:
                _gone(diag, ends)
            row = diag.lookup(*ends)
            queue = row.receive_queue if row else None
            again = _writes(server) if call == "send()" else ""
            held = server.fileno() == number
            numbers[call] = {"state": _state(row), "queue": queue, "held": held, "again": again}
            words = {"call": call, "state": _state(row), "held": say(f"out_held_{held}")}
            says.append(say("out", **words))
            if queue is not None:
                says[-1] += say("out_queue", count=queue)
            if again:
                says[-1] += say("out_again", error=again)
    return Observation("ways_out", tuple(says), (), numbers)


_OUT: Final[dict[str, Callable[[socket.socket], object]]] = {
    "nothing": lambda _: None,
    "recv()": lambda server: server.recv(100),
    "send()": lambda server: server.send(b"are you there?"),
    "shutdown(SHUT_WR)": lambda server: server.shutdown(socket.SHUT_WR),
    "close()": lambda server: server.close(),
}
_STAY: Final = ("nothing", "recv()")


def _writes(connection: socket.socket) -> str:
    """The error of another write; "" if it is taken."""
    try:
        connection.send(b"hello?")
    except OSError as problem:
        return errno.errorcode[problem.errno or 0]
    return ""


@lab
def descriptors_held(connections: int = 10) -> Observation:
    """Leave so many connections in CLOSE-WAIT, then in TIME-WAIT, and count descriptors."""
    if not 1 <= connections <= 50:
        raise ValueError(f"connections: {connections!r} is not from 1 to 50")
    says, tables = [], []
    numbers: dict[str, Any] = {}
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        for state in (State.CLOSE_WAIT, State.TIME_WAIT):
            before = _open_descriptors()
            made = [_passive(stack, diag, state) for _ in range(connections)]
            held = _open_descriptors() - before
            rows = [row for ends in made if (row := diag.lookup(*ends)) and row.state is state]
            timers = sorted({row.timer for row in rows})
            numbers[state] = [len(rows), held, timers]
            timer = " ".join(filter(None, timers)) or say("held_none")
            says.append(say("held", state=state, count=len(rows), held=held, timer=timer))
            tables.append((str(state), seen(rows, diag.way)))
    return Observation("descriptors_held", tuple(says), tuple(tables), numbers)


def _passive(stack: contextlib.ExitStack, diag: Asking, state: State) -> _Ends:
    """The server's end of a connection in that state; in TIME-WAIT the server has closed first."""
    if state is State.CLOSE_WAIT:
        return _left(stack, diag)[1]
    client, server = pair(stack)
    ends = address(server), peer(server)
    server.close()
    client.recv(1)
    client.close()

    def shown() -> Socket | None:
        row = diag.lookup(*ends)
        return row if row and row.state is State.TIME_WAIT else None

    until(shown, str(State.TIME_WAIT))
    return ends


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _state(row: Socket | None) -> State:
    return State.CLOSED if row is None else row.state
