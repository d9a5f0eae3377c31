"""Rows of a table of sockets, and how two texts of the kernel are read into them.

Pure parsing of what netlink sock_diag and /proc/net/tcp answer: it opens nothing and knows no
descriptor. Linux's spellings (`SYN_RECV`, hexadecimal codes) live in this room only.
"""

import socket
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, overload

from tcpviz.states import State
from tcpviz.units import MS, readable
from tcpviz.words import say

LINUX_NAMES: Final = {
    State.ESTABLISHED: "ESTAB",
    State.SYN_SENT: "SYN-SENT",
    State.SYN_RECEIVED: "SYN-RECV",
    State.FIN_WAIT_1: "FIN-WAIT-1",
    State.FIN_WAIT_2: "FIN-WAIT-2",
    State.TIME_WAIT: "TIME-WAIT",
    State.CLOSED: "UNCONN",
    State.CLOSE_WAIT: "CLOSE-WAIT",
    State.LAST_ACK: "LAST-ACK",
    State.LISTEN: "LISTEN",
    State.CLOSING: "CLOSING",
}
"""The states in the order of their numbers in Linux, from 1, as `ss` spells them."""
_STATES: Final = dict(enumerate(LINUX_NAMES, 1))
_STATES[12] = State.SYN_RECEIVED  # TCP_NEW_SYN_RECV, a request that is not yet a socket
PSUTIL_NAMES: Final = {
    {"ESTAB": "ESTABLISHED", "UNCONN": "CLOSE"}.get(name, name)
    .replace("-", "_")
    .replace("WAIT_1", "WAIT1")
    .replace("WAIT_2", "WAIT2"): state
    for state, name in LINUX_NAMES.items()
}
"""The states as /proc's readers and psutil spell them."""
_TIMERS: Final = ("", "RTO", "keep-alive", "2MSL", "zero-window probe", "delayed ACK")
_DIAG: Final = struct.Struct("!4xHH16s16s")  # ports and addresses come in network order
_DIAG_TAIL: Final = struct.Struct("=4x2I5I")
_DIAG_OFFSET: Final = 40


class Address(NamedTuple):
    """An IP address and a port; of an IPv4 address mapped into IPv6, the IPv4 address.

    >>> str(Address("127.0.0.1", 80)), str(Address("::1", 80))
    ('127.0.0.1:80', '[::1]:80')
    """

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port or '*'}"


class Owner(NamedTuple):
    """A process that holds a socket, and under which of its descriptors.

    >>> str(Owner(4711, "python"))
    '4711/python'
    """

    pid: int
    name: str
    descriptors: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.pid}/{self.name}"


class Socket(NamedTuple):
    """One socket as the kernel tells of it at one instant.

    `timer` is what runs (`2MSL` is Linux's 60 s; in FIN-WAIT-2, without a process, it is
    tcp_fin_timeout) and `left` the ns until it expires. `receive_queue` counts octets not yet read,
    an EOF as one; in LISTEN, connections not yet accepted. `send_queue` counts octets not yet
    acknowledged. `backlog` is the limit of a listener's queue. What a way of looking cannot tell is
    None. `cookie` is the kernel's own name for the socket, which no other ever gets (0: not told).
    """

    local: Address
    remote: Address
    state: State
    timer: str = ""
    left: int | None = None
    receive_queue: int | None = None
    send_queue: int | None = None
    backlog: int | None = None
    uid: int | None = None
    inode: int = 0
    cookie: int = 0
    owners: tuple[Owner, ...] = ()

    @property
    def four_tuple(self) -> tuple[str, int, str, int]:
        """What names a connection (RFC 9293 §3.3.1, both socket addresses)."""
        return (*self.local, *self.remote)

    @property
    def linux(self) -> str:
        """The state as `ss` spells it."""
        return LINUX_NAMES[self.state]


@dataclass(frozen=True, repr=False)
class Table(Sequence[Socket]):
    """Sockets at one instant; `way` says who told: sock_diag, /proc/net/tcp, psutil, a recording.

    >>> print(Table((Socket(Address("::1", 80), Address("::", 0), State.LISTEN),), "recording"))
    local     remote  state   timer  left  recv-Q  send-Q  owner
    [::1]:80  [::]:*  LISTEN                    ?       ?
    """

    rows: tuple[Socket, ...]
    way: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Socket: ...

    @overload
    def __getitem__(self, index: slice) -> "Table": ...

    def __getitem__(self, index: int | slice) -> "Socket | Table":
        if isinstance(index, slice):
            return Table(self.rows[index], self.way)
        return self.rows[index]

    @property
    def states(self) -> Counter[State]:
        """How many there are in each state."""
        return Counter(row.state for row in self.rows)

    def __repr__(self) -> str:
        found = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return f"<{len(self)} sockets: {found or '-'}>"

    def __str__(self) -> str:
        heads = [say(f"sockets_{key}") for key in _COLUMNS]
        lines = [heads]
        for row in self.rows:
            state = row.state + (f" ({row.linux})" if row.linux != row.state else "")
            left = "" if row.left is None else readable(row.left, 1)
            queues = ("?" if q is None else str(q) for q in (row.receive_queue, row.send_queue))
            owners = ", ".join(map(str, row.owners))
            lines.append([str(row.local), str(row.remote), state, row.timer, left, *queues, owners])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        sides = "<<<<>>><"
        return "\n".join(
            "  ".join(
                f"{cell:{side}{width}}"
                for cell, side, width in zip(line, sides, widths, strict=True)
            ).rstrip()
            for line in lines
        )


_COLUMNS: Final = ("local", "remote", "state", "timer", "left", "recv", "send", "owner")


def ordered(rows: Iterable[Socket]) -> tuple[Socket, ...]:
    """Rows in the order of their four-tuples, each socket once, as it was told last."""
    last = {(row.four_tuple, row.cookie or row.inode): row for row in rows}
    return tuple(last[key] for key in sorted(last))


def from_diag(message: bytes) -> Socket:
    """Read one inet_diag_msg of netlink's sock_diag."""
    family, number, timer, _ = message[:4]
    sport, dport, source, destination = _DIAG.unpack_from(message)
    low, high, expires, received, sent, uid, inode = _DIAG_TAIL.unpack_from(message, _DIAG_OFFSET)
    state = _STATES[number]
    listens = state is State.LISTEN
    return Socket(
        Address(_host(family, source), sport),
        Address(_host(family, destination), dport),
        state,
        *_timer(state, timer, expires * MS),
        receive_queue=received,
        send_queue=0 if listens else sent,
        backlog=sent if listens else None,
        uid=uid if inode else None,  # of what no process holds, both ways tell something else
        inode=inode,
        cookie=high << 32 | low,
    )


def from_proc(lines: Iterable[str], ticks: int) -> Iterator[Socket]:
    """Read /proc/net/tcp or tcp6, without its heading; `ticks` is the clock ticks of a second.

    A line that is not of the form of the kernel's is left out.
    """
    for line in lines:
        fields = line.split()
        try:
            state = _STATES[int(fields[3], 16)]
            sent, received = (int(queue, 16) for queue in fields[4].split(":"))
            timer, expires = (int(part, 16) for part in fields[5].split(":"))
            yield Socket(
                _from_hex(fields[1]),
                _from_hex(fields[2]),
                state,
                *_timer(state, timer, expires * 1_000_000_000 // ticks),
                receive_queue=received,
                send_queue=sent,
                uid=int(fields[7]) if int(fields[9]) else None,
                inode=int(fields[9]),
            )
        except (IndexError, KeyError, ValueError):
            continue


def _timer(state: State, number: int, left: int) -> tuple[str, int | None]:
    name = _TIMERS[number] if number < len(_TIMERS) else str(number)
    if name == "2MSL" and state is State.FIN_WAIT_2:
        name = "FIN-WAIT-2"
    # A timer that is due and has not run yet is told as a negative number of 32 bits.
    return (name, 0 if left > 0x7FFFFFFF * MS else left) if name else ("", None)


def _host(family: int, octets: bytes) -> str:
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, octets[:4])
    if octets[:12] == b"\0" * 10 + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, octets[12:])
    return socket.inet_ntop(socket.AF_INET6, octets)


def _from_hex(text: str) -> Address:
    host, port = text.split(":")
    words = [int(host[i : i + 8], 16) for i in range(0, len(host), 8)]
    octets = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    family = socket.AF_INET if len(octets) == 4 else socket.AF_INET6
    return Address(_host(family, octets), int(port, 16))


def to_json(table: Table) -> dict[str, Any]:
    """The table as plain JSON data; only what is known, times in ns."""
    rows = []
    for row in table.rows:
        entry = {key: value for key, value in row._asdict().items() if value}
        entry["owners"] = [list(owner) for owner in row.owners]
        rows.append(entry)
    return {"way": table.way, "rows": rows}


def from_json(data: dict[str, Any]) -> Table:
    """Read back what `to_json` wrote; a number that was 0 is 0 again."""
    rows = []
    for entry in data["rows"]:
        given = {"receive_queue": 0, "send_queue": 0, **entry}
        given["local"], given["remote"] = Address(*entry["local"]), Address(*entry["remote"])
        given["state"] = State(entry["state"])
        owners = entry.get("owners", [])
        given["owners"] = tuple(Owner(pid, name, tuple(fds)) for pid, name, fds in owners)
        rows.append(Socket(**given))
    return Table(tuple(rows), data["way"])
