"""The machine's sockets by state and owner, for a terminal: offenders first, and what to do.

Lays out lines of a given width from Tables; it asks no kernel and knows no terminal. States stand
here as `ss` spells them.
"""

import contextlib
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple

from tcpviz.kernel.table import LINUX_NAMES, Socket, Table
from tcpviz.states import State
from tcpviz.units import S
from tcpviz.words import say

_ORDER: Final = (
    State.CLOSE_WAIT,
    State.LISTEN,
    State.SYN_SENT,
    State.SYN_RECEIVED,
    State.ESTABLISHED,
    State.FIN_WAIT_1,
    State.FIN_WAIT_2,
    State.CLOSING,
    State.LAST_ACK,
    State.TIME_WAIT,
    State.CLOSED,
)
_SPELLED: Final = (State.ESTABLISHED, State.SYN_RECEIVED, State.CLOSED)
"""The states that Linux calls by another name than the RFC."""
_NARROW: Final = 40
_FEWEST: Final = 3
_LEAST: Final = 9
_GIVES_WAY: Final = ("service", "change", "oldest")
"""Columns that a narrow terminal goes without, the first first."""
_NUMBERS: Final = ("count", "change", "oldest")
_WIDE: Final = 100


class Group(NamedTuple):
    """Sockets of one state and one owner, and the service that most of them belong to."""

    state: State
    owner: str
    service: str
    number: int
    change: int = 0
    oldest: int | None = None  # ns for which one of them has been seen in the state
    unread: int = 0  # whose EOF, or data, nobody has read
    whose: str = ""  # "queue", "hidden" or "kernel" where no process is known


class Memory:
    """What earlier looks have seen: since when a socket is in its state, and how many were."""

    def __init__(self) -> None:
        self.since: dict[object, int] = {}
        self.first: dict[tuple[State, str], int] | None = None

    def groups(self, table: Table, now: int) -> list[Group]:
        """The sockets in groups, CLOSE-WAIT first and the largest group of each state first."""
        keys = {row: (row.four_tuple, row.cookie, row.state) for row in table}
        self.since = {key: self.since.get(key, now) for key in keys.values()}
        together: dict[tuple[State, str], list[Socket]] = {}
        for row in table:
            together.setdefault((row.state, _owner(row, table)), []).append(row)
        counts = {key: len(rows) for key, rows in together.items()}
        if self.first is None:
            self.first = counts
        listening = {row.local.port for row in table if row.state is State.LISTEN}
        found = [
            Group(
                *key,
                _services(rows, listening),
                len(rows),
                len(rows) - self.first.get(key, 0),
                now - min(self.since[keys[row]] for row in rows),
                sum(bool(row.receive_queue) for row in rows),
                _whose(rows[0], table),
            )
            for key, rows in together.items()
        ]
        return sorted(found, key=lambda g: (_ORDER.index(g.state), -g.number, g.owner))


def lines(
    table: Table,
    groups: Iterable[Group],
    width: int,
    *,
    height: int | None = None,
    live: bool = False,
) -> list[str]:
    """What to print, at most `width` columns wide (and never less than 40).

    Where there is a `height`, groups that have no room are counted; in a very low terminal the
    explanation is cut too. `live` adds what takes two looks to know.
    """
    width = max(_NARROW, width)
    shown = list(groups)
    above = [*_wrapped(_heading(table), width), ""]
    below = ["", *_explained(shown, min(width, _WIDE), live)]
    rest = 0
    if height is not None:
        most = height - len(above) - 1
        room = max(1, min(most, max(_FEWEST, most - len(below))))
        if len(shown) > room:
            rest = len(shown) - room + 1
            shown = shown[: len(shown) - rest]
    more = [say("live_more", count=rest)] if rest else []
    return [*above, *_grid(shown, width, live), *more, *below][:height]


def _explained(groups: list[Group], width: int, live: bool) -> Iterator[str]:
    """What CLOSE-WAIT means and where to begin, and how Linux spells what the RFC calls else."""
    leaks = [group for group in groups if group.state is State.CLOSE_WAIT]
    if leaks:
        worst = leaks[0]
        count = sum(group.number for group in leaks)
        meaning = [say("live_meaning", count=count)]
        grown = sum(group.change for group in leaks)
        if live and grown > 0:
            meaning.append(say("live_grows", count=grown))
        yield from _wrapped(" ".join(meaning), width)
        yield from _wrapped(say(_advice(worst), owner=worst.owner, count=worst.number), width)
    else:
        yield from _wrapped(say("live_none"), width)
    spelled = [state for state in _SPELLED if any(group.state is state for group in groups)]
    if spelled:
        pairs = ", ".join(
            say("live_spelled", linux=LINUX_NAMES[state], rfc=state) for state in spelled
        )
        yield from _wrapped(say("live_names", pairs=pairs), width)


def to_json(table: Table, time: int) -> dict[str, Any]:
    """One look as plain JSON data: `time` in ns since the epoch, states in the RFC's words."""
    return {
        "time_ns": time,
        "way": table.way,
        "sockets": [
            {
                "local": str(row.local),
                "remote": str(row.remote),
                "state": row.state,
                "linux": row.linux,
                "timer": row.timer or None,
                "left_ns": row.left,
                "receive_queue": row.receive_queue,
                "send_queue": row.send_queue,
                "uid": row.uid,
                "owners": [{"pid": o.pid, "name": o.name} for o in row.owners],
            }
            for row in table
        ],
    }


def _heading(table: Table) -> str:
    states = table.states
    parts = [f"{LINUX_NAMES[state]} {states[state]}" for state in _ORDER if states[state]]
    key = "live_one" if len(table) == 1 else "live_sockets"
    return say(key, count=len(table), way=table.way, states=", ".join(parts) or "-")


def _advice(worst: Group) -> str:
    if worst.whose in ("queue", "hidden"):
        return f"live_do_{worst.whose}"
    return "live_do_unread" if worst.unread == worst.number else "live_do"


def _owner(row: Socket, table: Table) -> str:
    if row.owners:
        first, others = row.owners[0], len(row.owners) - 1
        return say("live_others", first=first, count=others) if others else str(first)
    whose = _whose(row, table)
    if whose == "hidden" and row.uid is not None:
        return say("live_user", user=_user(row.uid))
    return say(f"live_{whose}")


def _whose(row: Socket, table: Table) -> str:
    """Who has it, if no process is known: another user, the listener's queue, the kernel."""
    if row.owners:
        return ""
    if row.inode or table.way.startswith("psutil"):
        return "hidden"
    return "queue" if row.state in (State.ESTABLISHED, State.CLOSE_WAIT) else "kernel"


@cache
def _user(uid: int) -> str:
    """The name of a user; its number where there is none."""
    with contextlib.suppress(ImportError, KeyError):
        return str(import_module("pwd").getpwuid(uid).pw_name)
    return str(uid)


def _services(rows: list[Socket], listening: set[int]) -> str:
    """The port of ours that they came to, or else whom they went to; of several, the commonest."""
    found = Counter(
        f":{row.local.port}"
        if row.local.port in listening or not row.remote.port
        else f"-> {row.remote}"
        for row in rows
    )
    first = found.most_common(1)[0][0]
    others = len(found) - 1
    return say("live_others", first=first, count=others) if others else first


def _grid(groups: list[Group], width: int, live: bool) -> Iterator[str]:
    keys = ["count", "state", "owner", "service"]
    if live:
        keys[1:1] = ["change"]
        keys.append("oldest")
    rows = [[say(f"live_{key}") for key in keys]]
    for group in groups:
        cells = {
            "count": str(group.number),
            "change": f"{group.change:+d}" if group.change else "",
            "state": LINUX_NAMES[group.state],
            "owner": group.owner,
            "service": group.service,
            "oldest": "" if group.oldest is None else f"{group.oldest // S} s",
        }
        rows.append([cells[key] for key in keys])
    widths = dict(zip(keys, (max(map(len, c)) for c in zip(*rows, strict=True)), strict=True))
    for key in _GIVES_WAY:
        room = width - sum(widths.values()) - 2 * (len(widths) - 1)
        for long in ("service", "owner"):  # what is too long for the line is cut, and shows it
            spare = min(max(0, -room), max(0, widths.get(long, 0) - _LEAST))
            if spare:
                widths[long] -= spare
                room += spare
        if room >= 0:
            break
        widths.pop(key, None)
    for row in rows:
        cells_ = dict(zip(keys, row, strict=True))
        yield "  ".join(
            f"{_cut(cells_[key], size):{'>' if key in _NUMBERS else '<'}{size}}"
            for key, size in widths.items()
        ).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 2]}.."


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False)
