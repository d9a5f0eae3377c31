"""Each live state held still by a real kernel, on loopback, without privileges.

A handshake on loopback is over before anybody could look; what is held here lasts until the `with`
ends. On the way out every connection is reset, so that nothing is left: except the TIME-WAIT of
`hold("TIME-WAIT")`, which is the kernel's own and lasts its 60 s.
"""

import contextlib
import errno
import functools
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from tcpviz.kernel.sockets import Asking, Unavailable, asking
from tcpviz.kernel.table import Address, Socket
from tcpviz.states import State

HOST: Final = "127.0.0.1"
PATIENCE: Final = 2.0
"""Seconds after which the kernel is taken not to show what was waited for."""
_RESET: Final = b"\1\0\0\0\0\0\0\0"  # SO_LINGER: on, 0 s
_MISSING: Final = {
    errno.EPERM,
    errno.EACCES,
    errno.ENOPROTOOPT,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EPROTONOSUPPORT,
    errno.EAFNOSUPPORT,
    errno.EADDRNOTAVAIL,
}

_T = TypeVar("_T")


class Held:
    """A socket that is held in a state; `look` asks the kernel for it anew."""

    def __init__(self, diag: Asking, state: State, local: Address, remote: Address) -> None:
        self.diag, self.state, self.local, self.remote = diag, state, local, remote
        self.seen = self._wait()

    def look(self) -> Socket | None:
        """The socket as sock_diag tells of it now, or None where it is gone."""
        if self.state is State.LISTEN:
            rows = self.diag.dump(self.local.port)
            return next((row for row in rows if row.state is State.LISTEN), None)
        return self.diag.lookup(self.local, self.remote)

    def _wait(self) -> Socket:
        def shown() -> Socket | None:
            row = self.look()
            return row if row and row.state is self.state else None

        return until(shown, str(self.state))

    def __repr__(self) -> str:
        return f"<Held {self.seen.state}>"


@contextlib.contextmanager
def hold(state: str) -> Iterator[Held]:
    """Hold a real socket in any state but CLOSED, which is the absence of one.

    ValueError for another word; Unavailable where this machine cannot show it.

    >>> import sys
    >>> if sys.platform == "linux":
    ...     with hold("CLOSE-WAIT") as held:
    ...         assert held.look().linux == "CLOSE-WAIT"
    """
    wanted = State(state)
    if wanted is State.CLOSED:
        raise ValueError("CLOSED is the absence of a socket: there is nothing to hold")
    with contextlib.ExitStack() as stack:
        with missing_is_unavailable():
            diag = stack.enter_context(asking())
            local, remote = _HOLDS[wanted](stack)
            held = Held(diag, wanted, local, remote)
        yield held


@contextlib.contextmanager
def missing_is_unavailable() -> Iterator[None]:
    """Tell a facility that this kernel lacks, or forbids, from a mistake."""
    try:
        yield
    except OSError as problem:
        if problem.errno in _MISSING:
            raise Unavailable(f"this system does not allow it: {problem.strerror}") from None
        raise
    except AttributeError as problem:
        if problem.obj is not socket:  # it has some of its names on Linux only
            raise
        raise Unavailable(f"this system has no {problem.name}") from None


def until(shown: Callable[[], _T | None], what: str) -> _T:
    """What `shown` gives as soon as it gives something; Unavailable after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while True:
        found = shown()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise Unavailable(f"this kernel did not show {what} within {PATIENCE:.0f} s")
        time.sleep(0.0005)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let a Ctrl-C wait until the end. What is done here takes no longer than a moment.

    It is raised in the main thread only, so another one has nothing to keep back.
    """
    usual = signal.getsignal(signal.SIGINT)
    if usual is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        for number in came[:1]:
            signal.raise_signal(number)


def taken(
    stack: contextlib.ExitStack, make: Callable[[], _T], give_back: Callable[[_T], object]
) -> _T:
    """What `make` makes, and its return is noted before a Ctrl-C can come in between."""
    with undisturbed():
        made = make()
        stack.callback(give_back, made)
    return made


def tcp(stack: contextlib.ExitStack) -> socket.socket:
    """A socket that is reset and closed when the stack ends, whatever becomes of it before."""
    return taken(stack, functools.partial(socket.socket, socket.AF_INET, socket.SOCK_STREAM), reset)


def accept(stack: contextlib.ExitStack, server: socket.socket) -> socket.socket:
    """The next connection of a listener; it is given back as that of `tcp` is."""
    server.settimeout(PATIENCE)
    return taken(stack, lambda: server.accept()[0], reset)


def reset(connection: socket.socket) -> None:
    """Close with a RST (RFC 9293's ABORT), so that no state of it stays behind."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()


def listener(
    stack: contextlib.ExitStack, backlog: int = 8, *, small: bool = False, reuse: bool = False
) -> socket.socket:
    """A listener on a port of loopback that the kernel chose."""
    made = tcp(stack)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
    if small:  # what is accepted inherits it
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    made.bind((HOST, 0))
    made.listen(backlog)
    return made


def pair(
    stack: contextlib.ExitStack, *, small: bool = False, reuse: bool = False
) -> tuple[socket.socket, socket.socket]:
    """Client and server of one established connection; `small` has little room for data.

    `reuse` is SO_REUSEADDR of the server's listener.
    """
    server = listener(stack, small=small, reuse=reuse)
    client = tcp(stack)
    if small:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client.settimeout(PATIENCE)
    client.connect(server.getsockname())
    accepted = accept(stack, server)
    server.close()
    return client, accepted


def address(connection: socket.socket) -> Address:
    """The socket address of this end."""
    return Address(*connection.getsockname())


def peer(connection: socket.socket) -> Address:
    """The socket address of the other end."""
    return Address(*connection.getpeername())


def _fill(sender: socket.socket) -> None:
    """Send until neither end has room: what follows has to wait, a FIN too."""
    sender.setblocking(False)
    full = 0
    while full < 3:  # the window may open once more when the receiver's kernel has moved things
        try:
            sender.send(bytes(1 << 16))
            full = 0
        except BlockingIOError:
            full += 1
            time.sleep(0.0005)


def _ends(connection: socket.socket) -> tuple[Address, Address]:
    return address(connection), peer(connection)


def _listen(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    return address(listener(stack)), Address("", 0)


def _syn_sent(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    server = listener(stack, 0)
    target = address(server)
    clients = [tcp(stack) for _ in range(2)]
    for client in clients:  # the first takes the queue's one place, and the next SYN is dropped
        client.setblocking(False)
        client.connect_ex(target)
        _settled(client)
    return address(clients[1]), target


def _settled(client: socket.socket) -> None:
    """Give the kernel a moment to finish what it does by itself."""
    end = time.monotonic() + 0.01
    while time.monotonic() < end:
        try:
            client.getpeername()
        except OSError:
            time.sleep(0.0005)
        else:
            return


def _syn_received(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    server = listener(stack)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
    client = tcp(stack)
    client.settimeout(PATIENCE)
    client.connect(server.getsockname())  # and says nothing: the listener waits for data
    return address(server), address(client)


def _established(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    client, _ = pair(stack)
    return _ends(client)


def _fin_wait_1(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    client, _ = pair(stack, small=True)
    ends = _ends(client)
    _fill(client)
    client.shutdown(socket.SHUT_WR)
    return ends


def _fin_wait_2(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    client, _ = pair(stack)
    ends = _ends(client)
    client.shutdown(socket.SHUT_WR)
    return ends


def _close_wait(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    client, server = pair(stack)
    ends = _ends(server)
    client.shutdown(socket.SHUT_WR)
    return ends


def _closing(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    client, server = pair(stack, small=True)
    ends = _ends(client)
    for end in (client, server):
        _fill(end)
        end.shutdown(socket.SHUT_WR)
    _drain(client)  # and with the data the FIN of the server, while our own is still waiting
    return ends


def _drain(receiver: socket.socket) -> None:
    receiver.settimeout(PATIENCE)
    while receiver.recv(1 << 16):
        pass


def _last_ack(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    client, server = pair(stack, small=True)
    ends = _ends(server)
    client.shutdown(socket.SHUT_WR)
    _drain(server)
    _fill(server)
    server.shutdown(socket.SHUT_WR)
    return ends


def _time_wait(stack: contextlib.ExitStack) -> tuple[Address, Address]:
    client, server = pair(stack)
    ends = _ends(client)
    client.close()
    server.settimeout(PATIENCE)
    server.recv(1)
    server.close()
    return ends


_HOLDS: Final[dict[State, Callable[[contextlib.ExitStack], tuple[Address, Address]]]] = {
    State.LISTEN: _listen,
    State.SYN_SENT: _syn_sent,
    State.SYN_RECEIVED: _syn_received,
    State.ESTABLISHED: _established,
    State.FIN_WAIT_1: _fin_wait_1,
    State.FIN_WAIT_2: _fin_wait_2,
    State.CLOSE_WAIT: _close_wait,
    State.CLOSING: _closing,
    State.LAST_ACK: _last_ack,
    State.TIME_WAIT: _time_wait,
}
