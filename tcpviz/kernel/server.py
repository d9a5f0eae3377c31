"""A real server in a process of its own, with few descriptors: where a forgotten close() shows.

The handler's source goes to a fresh Python, so that it can stand in a notebook. The child holds to
its standard input: when that ends, for whatever reason, it resets its connections and ends too.
"""

import ast
import contextlib
import inspect
import json
import os
import select
import socket
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from tcpviz.kernel.holds import (
    HOST,
    PATIENCE,
    address,
    missing_is_unavailable,
    taken,
    tcp,
    undisturbed,
)
from tcpviz.kernel.observation import Observation, recording
from tcpviz.kernel.sockets import (
    WAYS,
    Asking,
    Unavailable,
    asking,
    require_linux,
    sockets,
    with_owners,
)
from tcpviz.kernel.table import Address, Socket, Table
from tcpviz.states import State
from tcpviz.words import say

_CHILD: Final = """
import errno, json, os, resource, select, socket, struct, sys
told = json.loads(sys.stdin.readline())
names = {"socket": socket}
ours, sys.stdout = sys.stdout, sys.stderr  # what a handler prints is nobody's
exec(told["source"], names)
handler = names[told["name"]]
def tell(**what):
    what["descriptors"] = len(os.listdir("/proc/self/fd")) - 1
    print(json.dumps(what), file=ours, flush=True)
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
resource.setrlimit(resource.RLIMIT_NOFILE, (told["descriptors"],) * 2)
tell(port=listener.getsockname()[1])
sessions = []
watched = [sys.stdin, listener]
while True:
    if sys.stdin in select.select(watched, [], [])[0]:
        break
    try:
        connection, _ = listener.accept()
    except OSError as problem:
        watched.remove(listener)
        print(json.dumps({"error": errno.errorcode[problem.errno]}), file=ours, flush=True)
        continue
    sessions.append(connection)
    connection.settimeout(5)
    raised = ""
    try:
        handler(connection)
    except Exception as problem:
        raised = type(problem).__name__
    try:
        tell(raised=raised)
    except OSError:  # not one is left to count the others with
        used = told["descriptors"]
        print(json.dumps({"raised": raised, "descriptors": used}), file=ours, flush=True)
for connection in sessions:
    if connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""


def forgets(connection: socket.socket) -> None:
    """Answer, hear the client hang up, and forget to hang up."""
    request = connection.recv(100)
    connection.sendall(b"You said " + request)
    connection.recv(100)  # b"": the client has closed; and here a close() is missing


def raises(connection: socket.socket) -> None:
    """Close properly, unless a request is not the number it should be."""
    number = int(connection.recv(100))  # ValueError: what stands below is skipped
    connection.sendall(str(number + 1).encode())
    connection.close()


def closes(connection: socket.socket) -> None:
    """Do the same inside `with`: however it is left, the connection is closed."""
    with connection:
        number = int(connection.recv(100))
        connection.sendall(str(number + 1).encode())


def finishes(connection: socket.socket) -> None:
    """Do the same with try and finally."""
    try:
        number = int(connection.recv(100))
        connection.sendall(str(number + 1).encode())
    finally:
        connection.close()


class Answer(NamedTuple):
    """What came of one request: the octets that came back, and what the server told of itself."""

    octets: bytes
    raised: str
    error: str
    descriptors: int | None


class Server:
    """A running server: its port, its process, and requests to it."""

    def __init__(self, process: "subprocess.Popen[bytes]", diag: Asking) -> None:
        self.process, self.diag = process, diag
        self.tail = b""
        self.error = ""
        self.port = int(self._heard()["port"])

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self.process.pid

    def request(self, octets: bytes) -> Answer:
        """Connect, send, take the answer, hang up; and wait until the server has noticed.

        A server that has no descriptor left accepts nobody any more, and answers with that error.
        """
        if self.error:
            return Answer(b"", "", self.error, None)
        with contextlib.ExitStack() as stack:
            client = tcp(stack)
            client.settimeout(PATIENCE)
            client.connect((HOST, self.port))
            name = address(client)
            client.sendall(octets)
            stdout = self.process.stdout
            assert stdout is not None
            readable = select.select([client.fileno(), stdout.fileno()], [], [], PATIENCE)[0]
            heard = self._heard() if readable == [stdout.fileno()] else None
            client.setblocking(False)
            came = b""
            with contextlib.suppress(BlockingIOError, ConnectionResetError):
                came = client.recv(1 << 16)
            client.close()
            heard = heard or self._heard()
            self.error = heard.get("error", "")
            self._settle(name)
        return Answer(came, heard.get("raised", ""), self.error, heard.get("descriptors"))

    def states(self) -> Counter[State]:
        """How many of its connections the kernel has in each state; the listener is not one."""
        return Counter(row.state for row in self._rows() if row.state is not State.LISTEN)

    def table(self) -> Table:
        """Its sockets with their owners."""
        return Table(with_owners(self._rows()), self.diag.way)

    def _rows(self) -> tuple[Socket, ...]:
        return tuple(r for r in self.diag.dump(self.port) if r.local.port == self.port)

    def _settle(self, client: Address) -> None:
        """Wait until the FIN of the client has been taken in."""
        end = time.monotonic() + PATIENCE
        passing = (State.ESTABLISHED, State.SYN_RECEIVED, State.LAST_ACK)
        while time.monotonic() < end:
            row = self.diag.lookup(Address(HOST, self.port), client)
            if row is None or row.state not in passing:
                return
            time.sleep(0.0005)

    def _heard(self) -> dict[str, Any]:
        """The next line that the child says."""
        stdout = self.process.stdout
        assert stdout is not None
        end = time.monotonic() + PATIENCE + 5  # a handler of somebody's may be slow
        while b"\n" not in self.tail:
            if not select.select([stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise Unavailable("the server's handler did not come back in time")
            octets = os.read(stdout.fileno(), 1 << 16)
            if not octets:
                raise Unavailable("the process of the server ended before it had answered")
            self.tail += octets
        line, _, self.tail = self.tail.partition(b"\n")
        heard: dict[str, Any] = json.loads(line)
        return heard


Handler = Callable[[socket.socket], object]


@contextlib.contextmanager
def serve(handler: Handler, *, descriptors: int = 24) -> Iterator[Server]:
    """Run a server that calls `handler(connection)` for each connection, one after another.

    It keeps every connection in a list, as a server with sessions does: otherwise Python itself
    would close what nobody refers to any more. `descriptors` is its RLIMIT_NOFILE. The handler may
    use `socket` and Python's own names, no others of yours. Unavailable where this cannot be.
    """
    try:
        source = textwrap.dedent(inspect.getsource(handler))
    except (OSError, TypeError):
        raise ValueError("handler: its source cannot be found; write it with def") from None
    if not source.startswith("def "):
        raise ValueError("handler: expected a function written with def")
    if not 8 <= descriptors <= 256:
        raise ValueError(f"descriptors: {descriptors!r} is not from 8 to 256")
    require_linux()
    told = {"source": source, "name": handler.__name__, "descriptors": descriptors}
    with contextlib.ExitStack() as stack:
        with missing_is_unavailable():
            diag = stack.enter_context(asking())
            process = taken(stack, _begin, _end)
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()
        yield Server(process, diag)


def _begin() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C is ours to answer
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    with undisturbed():
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=PATIENCE)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def leak(handler: Handler = forgets, *, requests: int = 70, descriptors: int = 24) -> Observation:
    """Send `requests` to a server with few descriptors and count its CLOSE-WAIT after each.

    Stops at the first request for which the server finds no descriptor (EMFILE). `numbers` hold
    `close_wait` and `descriptors` after each request, `answered`, `raised` and `error`. Every third
    request is `seven`, which a handler that expects a number cannot read; the others are `7`.
    """
    if not 1 <= requests <= 500:
        raise ValueError(f"requests: {requests!r} is not from 1 to 500")
    name = handler.__name__
    try:
        with serve(handler, descriptors=descriptors) as server:
            return _measured(server, name, requests, descriptors)
    except Unavailable as reason:
        if _body(handler) not in map(_body, (forgets, raises, closes, finishes)):
            raise Unavailable(f"{reason}; and of this {name}() there is no recording") from None
        return recording(f"leak_{name}", str(reason))


def _body(handler: Handler) -> str:
    """What a handler does, whatever its comments and its docstring say."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(handler))).body
    assert isinstance(function, ast.FunctionDef)
    function.body = function.body[ast.get_docstring(function) is not None :]
    function.returns = None
    for argument in function.args.args:
        argument.annotation = None
    return ast.dump(function)


def diagnosis(requests: int = 5) -> Observation:
    """Ask who holds the CLOSE-WAITs of a server that forgets: as `ss` does, and in two other ways.

    `numbers` hold, by the way of asking, the count, the number of processes, and how many have not
    read the EOF (None where that is not told).
    """
    if not 1 <= requests <= 15:
        raise ValueError(f"requests: {requests!r} is not from 1 to 15")
    try:
        with serve(forgets) as server:
            for _ in range(requests):
                server.request(b"hello")
            found = [
                sockets(server.port, way=way) for way in WAYS if way != "psutil, own processes"
            ]
    except Unavailable as reason:
        return recording("diagnosis", str(reason))
    says, numbers, tables = [], {}, []
    for table in found:
        rows = [row for row in table if row.state is State.CLOSE_WAIT]
        owners = {owner.pid for row in rows for owner in row.owners}
        told = None not in {row.receive_queue for row in rows}
        unread = sum(bool(row.receive_queue) for row in rows) if told else None
        numbers[table.way] = [len(rows), len(owners), unread]
        words = {"way": table.way, "count": len(rows), "owners": len(owners)}
        says.append(say("asked", unread=unread if told else say("asked_unknown"), **words))
        tables.append((say("asked_table", way=table.way), table))
    return Observation("diagnosis", tuple(says), tuple(tables), numbers)


def _measured(server: Server, name: str, requests: int, limit: int) -> Observation:
    waiting: list[int] = []
    used: list[int] = []
    raised: Counter[str] = Counter()
    answered, error = 0, ""
    for number in range(1, requests + 1):
        answer = server.request(b"7" if number % 3 else b"seven")
        if answer.error:
            error = answer.error
            break
        answered += bool(answer.octets)
        raised.update(filter(None, [answer.raised]))
        waiting.append(server.states()[State.CLOSE_WAIT])
        used.append(answer.descriptors or 0)
    served = len(waiting)
    says = [say("leak_limit", limit=limit)]
    marks = sorted({1, served // 2, served} - {0})
    says += [say("leak_count", requests=n, count=waiting[n - 1], used=used[n - 1]) for n in marks]
    says += [say("leak_raised", count=count, what=what) for what, count in raised.items()]
    if error:
        says.append(say("leak_error", request=served + 1, error=error))
    else:
        says.append(say("leak_fine", count=waiting[-1] if waiting else 0))
    numbers = {
        "close_wait": waiting,
        "descriptors": used,
        "served": served,
        "answered": answered,
        "raised": dict(raised),
        "error": error,
        "limit": limit,
    }
    tables = ((say("leak_table"), server.table()),)
    return Observation(f"leak_{name}", tuple(says), tables, numbers)
