"""A host with sockets around the model's end: calls, segments and looks, as a case describes them.

It knows what sockets add to RFC 9293 (a listener that stays beside its children, descriptors,
SO_ERROR), and nothing of what a case expects.
"""

import re
from collections.abc import Callable
from itertools import count
from typing import Any, Final, NamedTuple

from tcpviz.endpoint import GIVEN_UP, REFUSED, RESET, USER_TIMED_OUT, Endpoint, Outcome
from tcpviz.rules import Rules
from tcpviz.segment import ACK, NUMBERS, RST, Segment, bits
from tcpviz.states import Event, State
from tcpviz.steps import Timer
from tcpviz.tcb import Settings

ISS: Final = 1_000_000
IRS: Final = 5_000_000
"""The ISNs that a case counts from; which they are must not matter."""

ACTIVE_WINDOW: Final = 65700
PASSIVE_WINDOW: Final = 65535
"""The receive windows of the suite's end, where its stimuli at the right edge lie: an active
opener's buffer is a whole number of segments of 1460 octets."""

_ERRORS: Final = {
    RESET: "ECONNRESET",
    REFUSED: "ECONNREFUSED",
    USER_TIMED_OUT: "ETIMEDOUT",
    GIVEN_UP: "ETIMEDOUT",
}
_UNOPENED: Final = (State.CLOSED, State.LISTEN, State.SYN_SENT)
_OPENING: Final = (State.SYN_SENT, State.SYN_RECEIVED)
_NOTHING_TO_COME: Final = (State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK, State.TIME_WAIT)


class Situation(NamedTuple):
    """A segment at an end: the end before it, and what the model makes of it.

    `shown` says whether the case asks for a segment later on, which shows what became of the end.
    """

    before: Endpoint
    segment: Segment
    plain: Outcome
    now: int
    variant: str | None
    shown: bool


Instead = Callable[[Situation], Outcome | None]
"""What another TCP makes of the same segment at the same end; None: no such situation."""


class Socket:
    """What a descriptor names, and what the kernel keeps: an end and its pending error."""

    def __init__(self, end: Endpoint) -> None:
        self.end = end
        self.error = "0"
        self.listens = False
        self.child = False
        self.blocks = True
        self.resets = False  # SO_LINGER with no time to linger
        self.opening = ""  # the result that a blocking connect must still come to


class Sent(NamedTuple):
    """A segment that left: when, by itself (a timer), and its numbers as the case counts them."""

    at: int
    timer: bool
    segment: Segment
    seq: int
    ack: int | None


class Host:
    """One host and its clock; `sent` collects what it sends until somebody takes it."""

    def __init__(self, rules: Rules, variant: str | None = None) -> None:
        self.rules = rules
        self.variant = variant
        self.now = 0
        self.files: dict[int, Socket] = {}
        self.sockets: list[Socket] = []
        self.sent: list[Sent] = []
        self.visited: set[State] = {State.CLOSED}
        self.fast_open = False
        self.situation: Situation | None = None

    # -- time ----------------------------------------------------------------------------------

    def wait(self, until: int, *, stop: bool = False) -> None:
        """Let the timers expire that are due; with `stop`, only until something leaves."""
        while not (stop and self.sent):
            due = [(s.end.deadline, s) for s in self.sockets if s.end.deadline]
            timer, socket = min(due, key=lambda d: d[0].until, default=(None, None))
            if timer is None or socket is None or timer.until > until:
                self.now = max(self.now, until)
                return
            self.now = timer.until
            self._expire(socket, timer)

    def next_deadline(self) -> int | None:
        """When the next timer expires."""
        due = [socket.end.deadline.until for socket in self.sockets if socket.end.deadline]
        return min(due, default=None)

    def _expire(self, socket: Socket, timer: Timer) -> None:
        self._take(socket, socket.end.expire(timer, self.now), timer=True)

    # -- calls ---------------------------------------------------------------------------------

    def call(self, step: dict[str, Any]) -> str:
        """Make a call; what it returns, as the notation writes it."""
        name = step["call"]
        if name == "socket":
            return self._new_file(self._new_socket(PASSIVE_WINDOW))
        socket = self.files.get(step["fd"])
        if socket is None:
            if not self._accept_as_implied(step["fd"]):
                return "-1 EBADF"
            socket = self.files[step["fd"]]
        result: str = getattr(self, f"_{name}")(socket, step)
        return result

    def open(self, socket: Socket) -> None:
        """An active OPEN of that socket."""
        settings = socket.end.settings._replace(window=ACTIVE_WINDOW)
        socket.end = Endpoint(settings)
        self._take(socket, socket.end.call(Event.ACTIVE_OPEN, self.now))

    def unopened(self) -> Socket | None:
        """A socket that was never opened, for the connect that a case leaves out."""
        fresh = (s for s in self.files.values() if not s.listens and not s.end.opens)
        return next(fresh, None)

    def _new_socket(self, window: int) -> Socket:
        socket = Socket(Endpoint(Settings((ISS,), window=window, rules=self.rules, reads=False)))
        self.sockets.append(socket)
        return socket

    def _new_file(self, socket: Socket) -> str:
        number = self._free()
        self.files[number] = socket
        return str(number)

    def _free(self) -> int:
        """The lowest descriptor that names nothing."""
        return next(number for number in count(3) if number not in self.files)

    def _bind(self, socket: Socket, step: dict[str, Any]) -> str:
        return "0"

    def _listen(self, socket: Socket, step: dict[str, Any]) -> str:
        if socket.end.state not in (State.CLOSED, State.LISTEN):
            return "-1 EINVAL"
        if not socket.listens:
            self._take(socket, socket.end.call(Event.PASSIVE_OPEN, self.now))
        socket.listens = True
        return "0"

    def _connect(self, socket: Socket, step: dict[str, Any]) -> str:
        if socket.listens:
            return "-1 EOPNOTSUPP"
        if socket.end.state is not State.CLOSED:
            return "-1 EALREADY" if socket.end.state in _OPENING else "-1 EISCONN"
        self.open(socket)
        if not socket.blocks:
            return "-1 EINPROGRESS"
        socket.opening = step["result"]
        return socket.opening

    def connected(self, socket: Socket) -> str:
        """What a blocking connect has come to."""
        if socket.end.state in _OPENING:
            return "nothing yet"
        if socket.error != "0":
            return f"-1 {socket.error}"
        return "0" if socket.end.state is not State.CLOSED else "-1 ECONNABORTED"

    def _accept(self, socket: Socket, step: dict[str, Any]) -> str:
        if not socket.listens:
            return "-1 EINVAL"
        child = self._ready()
        if child is None:
            return _AGAIN
        child.child = False
        return self._new_file(child)

    def _ready(self) -> Socket | None:
        """The first connection that can be accepted."""
        opening = (*_UNOPENED, State.SYN_RECEIVED)
        return next((c for c in self._children() if c.end.state not in opening), None)

    def _accept_as_implied(self, number: int) -> bool:
        """An accept that blocks is left out of a case: the next descriptor, used, shows it."""
        child = self._ready()
        if child is None or number != self._free():
            return False
        child.child = False
        self._new_file(child)
        return True

    def _children(self) -> list[Socket]:
        """The connections that wait to be accepted."""
        return [socket for socket in self.sockets if socket.child]

    def _shutdown(self, socket: Socket, step: dict[str, Any]) -> str:
        if socket.end.state in _UNOPENED:
            return "-1 ENOTCONN"
        if step["how"] != "RD":
            self._take(socket, socket.end.call(Event.CLOSE, self.now))
        return "0"

    def _close(self, socket: Socket, step: dict[str, Any]) -> str:
        del self.files[step["fd"]]
        if socket.listens:  # what was not accepted goes with it
            for child in self._children():
                self._take(child, self._farewell(child))
            self.sockets.remove(socket)
            return "0"
        event = Event.ABORT if socket.resets else Event.CLOSE_HALF_DUPLEX
        if socket.end.state is not State.CLOSED:
            self._take(socket, socket.end.call(event, self.now))
        return "0"

    def _farewell(self, child: Socket) -> Outcome:
        known = child.end.state is not State.SYN_RECEIVED  # no socket was made for it yet
        return child.end.call(Event.ABORT if known else Event.CRASH, self.now)

    def _setsockopt(self, socket: Socket, step: dict[str, Any]) -> str:
        if step["option"] == "SO_LINGER":
            numbers = [int(number) for number in re.findall(r"\d+", str(step["value"]))]
            socket.resets = numbers[:1] != [0] and numbers[1:2] == [0]  # on, and no time at all
        self.fast_open |= step["option"] == "TCP_FASTOPEN"
        return "0"

    def _fcntl(self, socket: Socket, step: dict[str, Any]) -> str:
        socket.blocks = step["what"] != "non-blocking"
        return "0"

    def _read(self, socket: Socket, step: dict[str, Any]) -> str:
        if socket.end.unread:
            octets = min(socket.end.unread, step["bytes"])
            left = socket.end.unread - octets
            self._take(socket, socket.end.call(Event.RECEIVE, self.now))
            socket.end = socket.end._replace(unread=left)
            return str(octets)
        if (error := self.so_error(socket)) != "0":
            return f"-1 {error}"
        if socket.end.state in _NOTHING_TO_COME:
            return "0"
        if socket.end.state in (State.CLOSED, State.LISTEN):
            return "0" if socket.end.opens else "-1 ENOTCONN"
        return _AGAIN

    def _write(self, socket: Socket, step: dict[str, Any]) -> str:
        if (error := self.so_error(socket)) != "0":
            return f"-1 {error}"
        if socket.end.state in (State.CLOSED, State.LISTEN):
            return "-1 ENOTCONN"
        outcome = socket.end.call(Event.SEND, self.now, step["bytes"])
        if outcome.says:
            return "-1 EPIPE"
        self._take(socket, outcome)
        return str(step["bytes"])

    _recv, _send = _read, _write

    # -- segments ------------------------------------------------------------------------------

    def arrive(
        self, step: dict[str, Any], instead: Instead | None = None, *, shown: bool = False
    ) -> None:
        """A segment comes in; `instead` says what another TCP would make of it."""
        socket = self._receiver()
        iss = socket.end.iss if socket.end.variables else ISS
        segment = Segment(
            (step["seq"] + IRS) % NUMBERS,
            ((step["ack"] or 0) + iss) % NUMBERS,
            bits(",".join(step["flags"])),
            step["len"],
        )
        before = socket.end
        if not any(s.listens for s in self.files.values()):  # nobody would take the new connection
            rules = before.rules._replace(reopen_from_time_wait=False)
            before = before._replace(settings=before.settings._replace(rules=rules))
        plain = before.arrive(segment, self.now)
        self.situation = Situation(before, segment, plain, self.now, self.variant, shown)
        outcome = instead(self.situation) if instead else None
        self._take(socket, outcome or plain)

    def _receiver(self) -> Socket:
        """The connection that a segment is for, else the listener, else nobody's end."""
        for socket in reversed(self.sockets):
            if socket.end.state not in (State.CLOSED, State.LISTEN):
                return socket
        listener = next((s for s in self.files.values() if s.listens), None)
        if listener is None:
            return Socket(Endpoint(Settings((ISS,), rules=self.rules)))
        child = Socket(listener.end)
        child.child = True
        self.sockets.append(child)
        return child

    def _take(self, socket: Socket, outcome: Outcome, *, timer: bool = False) -> None:
        """What an event made of a socket's end."""
        was = socket.end
        if was.state is State.TIME_WAIT and outcome.end.state is State.SYN_RECEIVED:
            socket.end = Endpoint(was.settings)  # its descriptor keeps what is over
            socket = self._new_socket(PASSIVE_WINDOW)
            socket.child = True
        socket.end = outcome.end
        self.visited.update(edge.target for edge in outcome.edges)
        if error := _ERRORS.get(outcome.says):
            refused = was.state is State.SYN_SENT and outcome.says == RESET
            socket.error = "ECONNREFUSED" if refused else error
        if socket.child and socket.end.state in (State.LISTEN, State.CLOSED):
            self.sockets.remove(socket)  # the listener listens on
        for segment in outcome.sent:
            self.sent.append(self._counted(was, outcome.end, segment, timer=timer))

    def _counted(self, was: Endpoint, end: Endpoint, segment: Segment, *, timer: bool) -> Sent:
        """A segment as the case counts: from the ISNs, but from 0 where there is no number."""
        iss = end.iss if end.variables else was.iss if was.variables else ISS
        nobody = not was.variables and segment.ctl & (RST | ACK) == RST | ACK
        seq = segment.seq if nobody else (segment.seq - iss) % NUMBERS
        ack = (segment.ack - IRS) % NUMBERS if segment.ctl & ACK else None
        return Sent(self.now, timer, segment, seq, ack)

    # -- looks ---------------------------------------------------------------------------------

    def so_error(self, socket: Socket) -> str:
        """SO_ERROR, which is cleared by being read."""
        error, socket.error = socket.error, "0"
        return error

    def main(self) -> Socket:
        """The socket that a look without a descriptor means: the newest connection."""
        opened = [s for s in self.sockets if s.end.opens or s.error != "0"]
        return (opened or self.sockets or [Socket(Endpoint())])[-1]

    def count(self, state: State) -> int:
        """How many ends are in that state; CLOSED are only those that a descriptor names."""
        if state is State.CLOSED:
            return sum(s.end.state is state for s in self.files.values())
        return sum(s.end.state is state for s in self.sockets)


_AGAIN: Final = "-1 EWOULDBLOCK"
