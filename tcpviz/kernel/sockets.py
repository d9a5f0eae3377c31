"""This machine's TCP sockets: by netlink sock_diag, by /proc/net/tcp, elsewhere by psutil.

Every look opens what it needs and closes it. Unprivileged: who owns another user's socket is not
told. It knows nothing of time; `table` knows what the answers look like.
"""

import contextlib
import importlib
import os
import platform
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol, Self

from tcpviz.kernel.table import (
    PSUTIL_NAMES,
    Address,
    Owner,
    Socket,
    Table,
    from_diag,
    from_proc,
    ordered,
)
from tcpviz.words import say

_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_REQUEST, _DUMP = 0x1, 0x300
_ERROR, _DONE = 2, 3
_ENOENT: Final = -2
_HEADER: Final = struct.Struct("=IHHII")
_ASKED: Final = struct.Struct("=BBBxI")  # family, protocol, extensions; a bit for each state
_PORTS: Final = struct.Struct("!HH")
_ANY_SOCKET: Final = b"\0" * 40 + b"\xff" * 8  # INET_DIAG_NOCOOKIE
_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)
_PROC: Final = ("/proc/net/tcp", "/proc/net/tcp6")


class Unavailable(Exception):
    """This machine cannot show it; the message is one sentence that says why."""


class Asking(Protocol):
    """A way to ask the kernel for sockets, over and over."""

    way: str

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """Give back what is held open."""

    def dump(self, port: int | None = None) -> tuple[Socket, ...]:
        """All sockets, or those that have `port` at either end."""

    def lookup(self, local: Address, remote: Address) -> Socket | None:
        """The one socket of a four-tuple, or None where there is none."""


class Diag:
    """An open way to ask sock_diag; cheap enough to ask many times. Close it, or use `with`."""

    way = "sock_diag"

    def __init__(self) -> None:
        try:
            self.netlink = socket.socket(
                socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG
            )
            self.netlink.settimeout(2)
        except (AttributeError, OSError) as problem:
            raise Unavailable(f"sock_diag cannot be asked here: {problem}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back."""
        self.netlink.close()

    def dump(self, port: int | None = None) -> tuple[Socket, ...]:
        """All sockets, or those that have `port` at either end."""
        found: list[Socket] = []
        for family in _FAMILIES:
            found += [
                from_diag(message)
                for message in self._ask(family, _DUMP, _ANY_SOCKET)
                if port is None or port in _PORTS.unpack_from(message, 4)
            ]
        return ordered(found)

    def lookup(self, local: Address, remote: Address) -> Socket | None:
        """The one socket of a four-tuple, or None where there is none."""
        family = socket.AF_INET6 if ":" in local.host else socket.AF_INET
        asked = (
            _PORTS.pack(local.port, remote.port)
            + b"".join(
                socket.inet_pton(family, each.host).ljust(16, b"\0") for each in (local, remote)
            )
            + _ANY_SOCKET[36:]
        )
        for message in self._ask(family, 0, asked):
            row = from_diag(message)
            if (row.local, row.remote) == (local, remote):  # no listener in its place
                return row
        return None

    def _ask(self, family: int, flags: int, which: bytes) -> Iterator[bytes]:
        body = _ASKED.pack(family, socket.IPPROTO_TCP, 0, 0xFFFFFFFF) + which
        size = _HEADER.size + len(body)
        try:
            self.netlink.send(
                _HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _REQUEST | flags, 0, 0) + body
            )
            while True:
                answer = self.netlink.recv(1 << 16)
                for kind, message in _messages(answer):
                    if kind == _ERROR:
                        number = struct.unpack_from("=i", message)[0]
                        if number == _ENOENT:  # no such socket, or no such family on this host
                            return
                        raise OSError(-number, os.strerror(-number))  # noqa: TRY301
                    if kind == _DONE:
                        return
                    yield message
                if not flags:
                    return
        except OSError as problem:
            raise Unavailable(f"sock_diag gives no answer here: {problem}") from None


def _messages(answer: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(answer):
        size, kind, *_ = _HEADER.unpack_from(answer, offset)
        if size < _HEADER.size:
            return
        yield kind, answer[offset + _HEADER.size : offset + size]
        offset += (size + 3) & ~3


class Proc:
    """The same questions put to /proc/net/tcp, where sock_diag may not be asked."""

    way = "/proc/net/tcp"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was kept open."""

    def close(self) -> None:
        """Nothing was kept open."""

    def dump(self, port: int | None = None) -> tuple[Socket, ...]:
        """All sockets, or those that have `port` at either end."""
        return by_proc(port)

    def lookup(self, local: Address, remote: Address) -> Socket | None:
        """The one socket of a four-tuple, or None where there is none."""
        rows = (row for row in by_proc(local.port) if (row.local, row.remote) == (local, remote))
        return next(rows, None)


def require_linux() -> None:
    """Unavailable on any other system."""
    if not sys.platform.startswith("linux"):
        raise Unavailable(say("not_linux", system=platform.system() or sys.platform))


def asking() -> Asking:
    """The better of both ways that works here; close it, or use `with`."""
    require_linux()
    try:
        with Diag() as tried:
            tried.lookup(Address("127.0.0.1", 1), Address("127.0.0.1", 1))
        return Diag()
    except Unavailable:
        by_proc()
        return Proc()


def by_diag(port: int | None = None) -> tuple[Socket, ...]:
    """What netlink's sock_diag tells: 0.4 ms for all sockets."""
    with Diag() as diag:
        return diag.dump(port)


def by_proc(port: int | None = None) -> tuple[Socket, ...]:
    """What /proc/net/tcp and tcp6 tell: the same sockets, more slowly, without cookies."""
    ticks = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
    found: list[Socket] = []
    read = 0
    for name in _PROC:
        with contextlib.suppress(OSError):
            lines = Path(name).read_text("ascii").splitlines()[1:]
            read += 1
            found += from_proc(lines, ticks)
    if not read:
        raise Unavailable("/proc/net/tcp cannot be read here")
    return ordered(
        row for row in found if port is None or port in (row.local.port, row.remote.port)
    )


def by_psutil(port: int | None = None) -> tuple[Socket, ...]:
    """What psutil tells, on any system: states and owners, no timer and no queue."""
    psutil = _psutil()
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError) as problem:
        raise Unavailable(f"psutil may not list the sockets of this system: {problem}") from None
    names: dict[int | None, str] = {}
    for each in connections:
        if each.pid is not None and each.pid not in names:
            names[each.pid] = "?"
            with contextlib.suppress(psutil.Error, OSError):
                names[each.pid] = psutil.Process(each.pid).name()
    return _from_psutil(((each, each.pid, names.get(each.pid, "")) for each in connections), port)


def by_own_psutil(port: int | None = None) -> tuple[Socket, ...]:
    """What psutil tells of the processes that this user may look into, as on macOS without root."""
    psutil = _psutil()
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            # before psutil 6 it had another name
            ask = getattr(process, "net_connections", None) or process.connections
            found += [(each, process.pid, process.name()) for each in ask("tcp")]
    return _from_psutil(found, port)


def _psutil() -> Any:
    try:
        return importlib.import_module("psutil")
    except ImportError:
        raise Unavailable(
            "this system has no sock_diag and no /proc/net/tcp; with the package psutil "
            "(pip install psutil) its sockets can be listed"
        ) from None


def _from_psutil(
    told: Iterable[tuple[Any, int | None, str]], port: int | None
) -> tuple[Socket, ...]:
    """Rows of what psutil told of each connection, with the process that holds it."""
    found = []
    for each, pid, name in told:
        state = PSUTIL_NAMES.get(each.status)
        if state is None or not each.laddr:
            continue
        owners = () if pid is None else (Owner(pid, name, (each.fd,) if each.fd >= 0 else ()),)
        local = Address(*each.laddr[:2])
        remote = Address(*each.raddr[:2]) if each.raddr else Address(_unset(local), 0)
        if port is None or port in (local.port, remote.port):
            found.append(Socket(local, remote, state, owners=owners))
    return tuple(sorted(found, key=lambda row: row.four_tuple))


def _unset(local: Address) -> str:
    return "::" if ":" in local.host else "0.0.0.0"  # noqa: S104 - what an unset address is called


WAYS: Final[dict[str, Callable[[int | None], tuple[Socket, ...]]]] = {
    "sock_diag": by_diag,
    "/proc/net/tcp": by_proc,
    "psutil": by_psutil,
    "psutil, own processes": by_own_psutil,
}
"""In the order in which they are tried."""


def sockets(port: int | None = None, *, way: str | None = None, owners: bool = True) -> Table:
    """This machine's TCP sockets, or those that have `port` at either end, by four-tuple.

    `way` is one of WAYS; None is the first that works. Who owns a socket is found through /proc and
    only for processes that this user may look into. Unavailable says why where no way works;
    ValueError for a way that there is not.
    """
    if way is not None and way not in WAYS:
        raise ValueError(f"way: {way!r} is not one of {', '.join(WAYS)}")
    reasons = []
    for name in [way] if way else _usual():
        try:
            rows = WAYS[name](port)
        except Unavailable as reason:
            reasons.append(str(reason))
            continue
        if owners and not name.startswith("psutil"):
            rows = with_owners(rows)
        return Table(rows, name)
    raise Unavailable(reasons[-1])


def _usual() -> Iterable[str]:
    return list(WAYS) if sys.platform.startswith("linux") else list(WAYS)[2:]


def with_owners(rows: tuple[Socket, ...]) -> tuple[Socket, ...]:
    """The rows with the processes that hold each socket, as far as this user may know."""
    wanted = {f"socket:[{row.inode}]": row.inode for row in rows if row.inode}
    if not wanted:
        return rows
    # There may be tens of thousands of links; a Path for each would take many times as long.
    holders: dict[int, list[Owner]] = {}
    for process in sorted(int(p) for p in os.listdir("/proc") if p.isdigit()):  # noqa: PTH208
        held: dict[int, list[int]] = {}
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(f"/proc/{process}/fd"):  # noqa: PTH208
                with contextlib.suppress(OSError):
                    link = os.readlink(f"/proc/{process}/fd/{descriptor}")  # noqa: PTH115
                    inode = wanted.get(link)
                    if inode is not None:
                        held.setdefault(inode, []).append(int(descriptor))
        if held:
            name = "?"
            with contextlib.suppress(OSError):
                name = Path(f"/proc/{process}/comm").read_text("utf-8", "replace").rstrip("\n")
            for inode, descriptors in held.items():
                owner = Owner(process, name, tuple(sorted(descriptors)))
                holders.setdefault(inode, []).append(owner)
    return tuple(row._replace(owners=tuple(holders.get(row.inode, ()))) for row in rows)
