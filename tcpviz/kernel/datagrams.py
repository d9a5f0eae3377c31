"""Experiments on loopback without any connection: what UDP tells its sender, and what it does not.

The network of `udp_wire` is a small program between the two sockets, which loses, repeats, reorders
and keeps back what it is told to. Nothing of a datagram is left when a lab ends.
"""

import contextlib
import errno
import select
import socket
from typing import Final

from tcpviz.kernel.holds import HOST, PATIENCE, missing_is_unavailable
from tcpviz.kernel.observation import Observation, lab
from tcpviz.kernel.sockets import Unavailable
from tcpviz.words import say

_MOST: Final = 16
OLD: Final = "old"
"""The datagram of an earlier conversation that the wire has kept back."""


@lab
def udp_nobody(count: int = 3) -> Observation:
    """Send datagrams to a port where nobody is; then once more with connect() called before.

    A UDP connect() sends nothing: it is a note in this kernel about one peer. Of an ICMP message
    Linux tells such a socket, and any other only if it asks (IP_RECVERR). ValueError beyond 16
    datagrams.
    """
    if not 2 <= count <= _MOST:
        raise ValueError(f"count: {count!r} is not from 2 to {_MOST}")
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        nobody = _udp(stack)
        nobody.connect(nobody.getsockname())  # holds the port and takes nothing from others
        port = nobody.getsockname()
        plain = _udp(stack)
        errors = sum(_send(plain, b"hello", port) for _ in range(count - 1))
        asking = _udp(stack)
        asking.connect(port)
        octets = asking.send(b"hello")
        _wait_for_icmp(asking)
        try:
            asking.send(b"hello")
        except OSError as problem:
            error = errno.errorcode.get(problem.errno or 0, str(problem))
        else:
            raise Unavailable("this kernel told the socket of no ICMP message")
        errors += _send(plain, b"hello", port)  # whatever came back meanwhile, it was not told
        says = (
            say("mail_plain", count=count, errors=errors),
            say("mail_first", octets=octets),
            say("mail_then", error=error),
        )
        return Observation("udp_nobody", says, (), {"errors": errors, "error": error})


@lab
def udp_wire(
    arrive: tuple[str, ...] = ("2", "1", "1", OLD, "4"),
    send: tuple[str, ...] = ("1", "2", "3", "4"),
) -> Observation:
    """Send datagrams over a wire that delivers those named in `arrive`, in that order.

    "old" is one that was sent to the program which had the receiver's port before. ValueError for
    more than 16, and for a name that was not sent.
    """
    for each in arrive:
        if each not in (*send, OLD):
            raise ValueError(f"arrive: {each!r} was not sent; there are {', '.join(send)}, {OLD}")
    if not 1 <= len(send) <= _MOST or len(arrive) > _MOST:
        raise ValueError(f"send and arrive: from 1 to {_MOST} and at most {_MOST}")
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        wire = _udp(stack)
        sender = _udp(stack)
        sender.connect(wire.getsockname())
        before = _udp(stack)
        target = before.getsockname()
        errors = _send(sender, OLD.encode())
        kept = {OLD: wire.recv(100)}
        before.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
        receiver = _udp(stack, target)  # another takes the port over, and the first one ends
        before.close()
        for name in send:
            errors += _send(sender, name.encode())
            kept[name] = wire.recv(100)
        for name in arrive:
            wire.sendto(kept[name], target)
        came = tuple(receiver.recv(100).decode() for _ in arrive)
        return _told(send, came, errors)


def _told(sent: tuple[str, ...], came: tuple[str, ...], errors: int) -> Observation:
    never = [name for name in sent if name not in came]
    twice = [name for name in dict.fromkeys(came) if came.count(name) > 1]
    old = [OLD] if OLD in came else []
    says = [
        say("wire_sent", sent=", ".join(sent), errors=errors),
        say("wire_came", came=", ".join(came) or "-"),
    ]
    for key, names in (("wire_never", never), ("wire_twice", twice), ("wire_old", old)):
        if names:
            says.append(say(key, names=", ".join(names)))
    if came == sent:
        says.append(say("wire_all"))
    numbers = {"sent": list(sent), "came": list(came), "errors": errors}
    return Observation("udp_wire", tuple(says), (), numbers)


def _udp(stack: contextlib.ExitStack, shared: tuple[str, int] | None = None) -> socket.socket:
    """A UDP socket that is closed when the stack ends, on a port of its own or a shared one."""
    made = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    if shared:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
    made.bind(shared or (HOST, 0))
    made.settimeout(PATIENCE)
    return made


def _send(sender: socket.socket, octets: bytes, to: tuple[str, int] | None = None) -> int:
    """Send, and count the error that is raised, if one is."""
    try:
        sender.sendto(octets, to) if to else sender.send(octets)
    except OSError:
        return 1
    return 0


def _wait_for_icmp(asking: socket.socket) -> None:
    """Until the kernel has an error for that socket; sending is what shows it."""
    poll = select.poll()
    poll.register(asking, select.POLLERR)
    if not poll.poll(PATIENCE * 1000):
        raise Unavailable(f"no ICMP message came back within {PATIENCE:.0f} s")
