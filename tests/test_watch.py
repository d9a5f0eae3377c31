"""`tcpviz watch`: what it says of a machine's sockets, at any width, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from test_cli import ended, program, run  # noqa: F401  # a fixture

from tcpviz import __main__, kernel
from tcpviz.kernel import live
from tcpviz.kernel.table import Address, Owner, Socket, Table
from tcpviz.states import State
from tcpviz.units import S

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="asks a Linux kernel for its sockets"
)
SERVER = (Owner(4711, "server", (3,)),)


def sock(state, peer=4000, owners=SERVER, inode=1, **more):
    """A socket of a server on port 80."""
    remote = Address("0.0.0.0", 0) if state is State.LISTEN else Address("10.0.0.2", peer)
    return Socket(
        Address("10.0.0.1", 80), remote, state, owners=owners, inode=inode, cookie=peer, **more
    )


LEAK = Table(
    (
        sock(State.LISTEN),
        sock(State.ESTABLISHED, 4000),
        *(sock(State.CLOSE_WAIT, 5000 + n, receive_queue=0) for n in range(7)),
        sock(State.TIME_WAIT, 6000, (), 0),
    ),
    "sock_diag",
)


def text(table, width=80, memory=None, now=0, **more):
    """What is printed of a table."""
    groups = (memory or live.Memory()).groups(table, now)
    return "\n".join(live.lines(table, groups, width, **more))


def test_close_wait_comes_first_with_what_to_do():
    """The offender's name, what the state means, and where to look."""
    seen = text(LEAK)
    rows = seen.splitlines()
    assert rows[0].startswith("10 sockets, told by sock_diag: CLOSE-WAIT 7, LISTEN 1, ESTAB 1")
    assert rows[3].split() == ["7", "CLOSE-WAIT", "4711/server", ":80"]
    assert "the peer has closed and the program here has not" in seen
    assert "Begin with 4711/server, which holds 7" in " ".join(rows)
    assert "ESTAB is RFC 9293's ESTABLISHED" in " ".join(rows)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"receive_queue": 1}, "has not even read that the peer is done"),
        ({"receive_queue": 0}, "skips close(), often an exception"),
        ({"owners": (), "inode": 0}, "does not call accept()"),
        ({"owners": ()}, "processes that this user may not look into"),
    ],
    ids=["unread", "unclosed", "unaccepted", "unknown"],
)
def test_the_advice_follows_what_was_seen(row, words):
    """A forgotten read, a forgotten close, a forgotten accept and somebody else's process."""
    table = Table((sock(State.CLOSE_WAIT, **row),), "sock_diag")
    assert words in " ".join(text(table).split("\n"))


def test_of_another_users_process_the_user_is_named():
    """Whose it is is told by the socket, which process it is only to that user or to root."""
    rows = (sock(State.CLOSE_WAIT, 1, (), uid=0), sock(State.CLOSE_WAIT, 2, (), uid=4_000_000_000))
    seen = text(Table(rows, "sock_diag"))
    assert [line.split()[2:4] for line in seen.splitlines()[3:5]] == [
        ["(user", "4000000000)"],
        ["(user", "root)"],
    ]
    assert "may not look into (user 4000000000): run it as their user" in " ".join(seen.split("\n"))


def test_growth_is_said_where_it_was_watched():
    """A number that grows is the leak; one that stays, or was looked at once, is not called so."""
    memory = live.Memory()
    memory.groups(LEAK, 0)
    more = Table((*LEAK, sock(State.CLOSE_WAIT, 7000)), "sock_diag")
    words = "grown by 1 since the first look"
    assert words in " ".join(text(more, memory=memory, live=True).split("\n"))
    assert words not in " ".join(text(more, memory=memory).split("\n"))
    assert "grown" not in text(LEAK, memory=memory, live=True)


def test_without_close_wait_that_is_said():
    """And nothing is advised."""
    seen = text(Table((sock(State.LISTEN),), "sock_diag"))
    assert "No socket in CLOSE-WAIT." in seen
    assert "forgotten" not in seen  # a descriptor kept after shutdown() has no such state
    assert "Begin with" not in seen


def test_no_sockets_at_all():
    """An empty machine has an empty table."""
    assert text(Table((), "sock_diag")).splitlines()[0] == "0 sockets, told by sock_diag: -"


@pytest.mark.parametrize("width", [40, 50, 80, 120])
@pytest.mark.parametrize("seen_twice", [False, True])
def test_no_line_is_wider_than_the_terminal(width, seen_twice):
    """Long names are cut, and show it; the process number stays."""
    long = (Owner(4711, "a-very-long-name-of-a-program-indeed"),) * 3
    table = Table((*LEAK, sock(State.CLOSE_WAIT, 1, long), sock(State.SYN_SENT, 2, long)), "psutil")
    seen = text(table, width, live=seen_twice).splitlines()
    assert max(map(len, seen)) <= width
    assert any("4711/" in line and (".." in line or width > 50) for line in seen)


def test_a_narrower_terminal_than_forty_columns_gets_forty():
    """Less than that cannot be read."""
    assert text(LEAK, 10) == text(LEAK, 40)


def test_growth_and_age_take_two_looks():
    """How many more than at first, and for how long one has been seen in its state."""
    memory = live.Memory()
    memory.groups(LEAK, 0)
    more = Table((*LEAK, *(sock(State.CLOSE_WAIT, 7000 + n) for n in range(3))), "sock_diag")
    first = memory.groups(more, 12 * S)[0]
    assert (first.number, first.change, first.oldest) == (10, 3, 12 * S)
    line = next(iter(text(more, memory=memory, now=13 * S, live=True).splitlines()[3:]))
    assert line.split() == ["10", "+3", "CLOSE-WAIT", "4711/server", ":80", "13", "s"]


@pytest.mark.parametrize("width", [40, 80])
def test_what_does_not_fit_is_counted(width):
    """The first lines are the important ones; of the rest the number is told."""
    owners = [(Owner(1000 + n, "worker"),) for n in range(40)]
    table = Table((*LEAK, *(sock(State.LISTEN, n, o) for n, o in enumerate(owners))), "sock_diag")
    for height in range(1, 60):
        seen = text(table, width, height=height).splitlines()
        assert len(seen) <= height
        if 8 <= height < 24:
            assert any(line.endswith(" more lines") for line in seen)
        if height >= 24:
            assert any("CLOSE-WAIT  4711/" in line for line in seen)
            counted = any(line.endswith(" more lines") for line in seen)
            assert counted == (len(text(table, width).splitlines()) > height)


# the command


@linux
def test_a_real_leak_is_shown(run):  # noqa: F811
    """The server that forgets close() stands in the first line, by number and name."""
    with kernel.serve(kernel.forgets) as server:
        for _ in range(5):
            server.request(b"x")
        code, out, err = run("watch", "--once", "--port", server.port)
        assert (code, err) == (0, "")
        first = out[out.index("count") :].splitlines()[1].split()
        assert first[:2] == ["5", "CLOSE-WAIT"]
        assert first[2].startswith(f"{server.pid}/")
        assert first[3] == f":{server.port}"


@linux
def test_json_has_every_socket(run):  # noqa: F811
    """One line for each look; times in ns, states in the RFC's words and in Linux's."""
    with kernel.hold("SYN-RECEIVED") as held:
        code, out, err = run("watch", "--once", "--json", "--port", held.local.port)
    assert (code, err, out.count("\n")) == (0, "", 1)
    look = json.loads(out)
    (row,) = [row for row in look["sockets"] if row["state"] == "SYN-RECEIVED"]
    assert (row["linux"], row["local"], row["timer"]) == ("SYN-RECV", str(held.local), "RTO")
    assert 0 < row["left_ns"] < 10 * S
    assert look["way"] == "sock_diag"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--interval", "0"), "'0' is not from 0.05 to 86400 seconds"),
        (("--interval", "nan"), "'nan' is not from"),
        (("--interval", "x"), "'x' is not from"),
        (("--port", "0"), "'0' is not a port (1 to 65535)"),
        (("--port", "http"), "'http' is not a port"),
    ],
    ids=str,
)
def test_bad_options_are_named(run, arguments, message):  # noqa: F811
    """One line, and code 2."""
    code, out, err = run("watch", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_machine_that_cannot_be_asked(run, monkeypatch):  # noqa: F811
    """One sentence that says what would help, and code 2."""

    def none(port):
        raise kernel.Unavailable("no way here")

    monkeypatch.setattr(__main__, "sockets", none)
    assert run("watch") == (2, "", "tcpviz: no way here\n")


def test_a_hostile_process_name_does_not_reach_the_terminal(run, monkeypatch):  # noqa: F811
    """A program may call itself anything."""
    row = sock(State.CLOSE_WAIT, owners=(Owner(1, "\x1b[2J"),))
    monkeypatch.setattr(__main__, "sockets", lambda port: Table((row,), "sock_diag"))
    _, out, _ = run("watch", "--once")
    assert "\x1b" not in out
    assert r"\x1b[2J" in out


@linux
def test_ctrl_c_ends_it_quietly():
    """In a pipe each look is printed whole; then code 130 and not a word."""
    with program("watch", "--interval", "0.05", "--port", "9") as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == b""
    assert first.endswith(b" UTC\n")
    assert b"\x1b" not in first + rest


@linux
def test_a_reader_that_has_enough_ends_it():
    """`tcpviz watch | head` is no error."""
    with program("watch", "--interval", "0.05", "--json") as process:
        process.stdout.readline()
        process.stdout.close()
        process.wait(timeout=60)
        assert process.stderr.read() == b""
    assert process.returncode == 141


@linux
@pytest.mark.parametrize(("columns", "rows"), [(40, 24), (80, 24), (80, 7), (40, 3)])
def test_on_a_terminal_it_draws_over_itself(columns, rows):
    """The screen is cleared once, every look begins at its top, and no line is too wide.

    Nor are there so many that the screen scrolls and loses the first.
    """
    import pty

    ours, theirs = pty.openpty()
    sizes = {"COLUMNS": str(columns), "LINES": str(rows), "TERM": "xterm"}
    options = {"stdout": theirs, "stderr": subprocess.STDOUT, "env": sizes}
    with program("watch", "--interval", "0.05", **options) as process:
        os.close(theirs)
        out, end = b"", time.monotonic() + 60
        while out.count(b"\x1b[H") < 3 and time.monotonic() < end:
            out += os.read(ours, 1 << 16)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    os.close(ours)
    assert process.returncode == 130
    assert out.count(b"\x1b[2J") == 1
    frame, after = out.split(b"\x1b[H")[1].split(b"\x1b[J")
    assert after in (b"\n", b"\r\n")
    lines = frame.replace(b"\x1b[K", b"").decode().splitlines()
    assert len(lines) + 1 <= rows
    assert max(map(len, lines)) <= columns
    assert lines[-1] == "every 0.05 s; Ctrl-C ends it"


@linux
def test_once_ends_by_itself():
    """One look, in whatever width the terminal has."""
    code, out, err = ended("watch", "--once", env={"COLUMNS": "120"})
    assert (code, err) == (0, "")
    assert "told by" in out
