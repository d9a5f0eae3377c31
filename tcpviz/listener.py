"""A listening socket: its SYN queue and its accept queue, by the rules of Linux.

RFC 9293 knows no queues: LISTEN takes every SYN (§3.10.7.2). It knows no segment, no time and no
Scenario; it is asked whether one more gets in, and says which queue is full and what the answer is.
"""

from typing import NamedTuple


class Listener(NamedTuple):
    """A listening socket by the rules of Linux, and the application that accepts from it.

    The accept queue holds `backlog` + 1 connections (`backlog` is the smaller of listen's argument
    and somaxconn). A SYN that finds it full is dropped. So is an ACK that would end the handshake:
    the server stays in SYN-RECEIVED and sends its SYN,ACK again, or with `abort_on_overflow` it
    aborts.

    The SYN queue holds `backlog` + 1 as well (Linux 6.14 and later; before, `backlog`). A SYN
    beyond it is dropped, or with `cookies` answered by a SYN cookie, which keeps nothing. Without
    cookies Linux also keeps the last quarter of `syn_backlog` (tcp_max_syn_backlog) for peers it
    remembers; here it remembers none.

    `accepts` is how long in ns the application is busy between one accept and the next; or the
    times of its accepts, each of which waits for a connection; or None: it never accepts.
    """

    backlog: int = 128
    syn_backlog: int = 128
    cookies: bool = False
    abort_on_overflow: bool = False
    accepts: int | tuple[int, ...] | None = 0


class Full(NamedTuple):
    """Which queue has no place, `SYN` or `accept`, and the answer: `nothing`, `RST`, `cookie`."""

    queue: str
    answer: str


class Queues:
    """The two queues at work: how many wait for an ACK, and how many for the application."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.syn = 0
        self.accept = 0

    def rcv_syn(self) -> Full | None:
        """A SYN reaches LISTEN: it gets in (None), or it does not. The checks are in Linux's order.

        >>> queues = Queues(Listener(backlog=0, cookies=True))
        >>> queues.rcv_syn(), queues.rcv_syn()
        (None, Full(queue='SYN', answer='cookie'))
        """
        backlog, most, cookies = (
            self.listener.backlog,
            self.listener.syn_backlog,
            self.listener.cookies,
        )
        full = self.syn > backlog
        if full and not cookies:
            return Full("SYN", "nothing")
        if self.accept > backlog:
            return Full("accept", "nothing")
        if full:
            return Full("SYN", "cookie")
        if not cookies and self.syn > most - most // 4:
            return Full("SYN", "nothing")
        self.syn += 1
        return None

    def rcv_ack(self, *, of_cookie: bool = False) -> Full | None:
        """The ACK of the SYN,ACK: the connection goes over to the accept queue (None), or not.

        Where only a cookie knows the connection, there is nothing to abort.
        """
        if self.accept > self.listener.backlog:
            aborts = self.listener.abort_on_overflow and not of_cookie
            return Full("accept", "RST" if aborts else "nothing")
        if not of_cookie:
            self.syn -= 1
        self.accept += 1
        return None
