"""What is known about pairs of states, told in words: the joint-state map's table and paragraph.

Knows which pairs were found and what is wrong with some. Must not know how they were found, nor how
a map is drawn.
"""

from collections.abc import Iterator, Mapping, Sequence, Sized
from typing import Final, NamedTuple, Protocol

from tcpviz.pictures.table import Table
from tcpviz.pictures.walks import Pair, Stop, walk
from tcpviz.states import State
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

STATES: Final = tuple(State)


class Found(Protocol):
    """A run that a search found."""

    @property
    def moves(self) -> Sized:
        """The moves, in order."""

    @property
    def trace(self) -> Trace:
        """The Trace that they make."""


class Cell(Found, Protocol):
    """What was found out about a pair of states: `never`, `reachable` or `quiet`."""

    @property
    def kind(self) -> str:
        """One of these three."""


class Explored(Protocol):
    """What a search found; its first line of text says how far it went."""

    @property
    def map(self) -> Mapping[Pair, Cell]:
        """What was found out about each pair of client's and server's State."""

    @property
    def failures(self) -> Mapping[str, Found]:
        """The shortest run that breaks each broken property."""


class Failure(NamedTuple):
    """A failing run: its letter, its sentence, how many moves it has, and where it ends."""

    letter: str
    sentence: str
    moves: int
    pair: Pair


_OPEN: Final = (State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSE_WAIT)
_GONE: Final = (State.CLOSED, State.LISTEN, State.SYN_SENT)
_EARLY: Final = {State.FIN_WAIT_1, State.SYN_SENT}  # a CLOSE in SYN-RECEIVED: not half-open


def failures_of(found: Mapping[str, Found]) -> tuple[Failure, ...]:
    """The failing runs in order, each with a letter."""
    return tuple(
        Failure(letter, failure.trace.title, len(failure.moves), walk(failure.trace)[-1].pair)
        for letter, failure in zip("ABCDEFGHIJKLM", found.values(), strict=False)
    )


def is_half_open(pair: Pair) -> bool:
    """Whether one end takes the connection for open and the other knows nothing of it."""
    one, other = pair
    if {*pair} == _EARLY:
        return False
    return (one in _OPEN and other in _GONE) or (other in _OPEN and one in _GONE)


def in_two(state: State) -> Iterator[str]:
    """A name in at most two lines, cut after its first hyphen."""
    first, hyphen, rest = state.partition("-")
    yield first + hyphen
    if rest:
        yield rest


def told(
    cells: Mapping[Pair, Cell],
    summary: str,
    failures: tuple[Failure, ...],
    way: Sequence[Stop],
) -> Iterator[str]:
    """The map as a table: a row for each state of the client."""
    yield summary
    yield say("map_table")
    heads = [[*in_two(state), ""][:2] for state in STATES]
    widths = [max(5, *map(len, head)) for head in heads]
    for line in (0, 1):
        yield _table_row("", [head[line] for head in heads], widths)
    for client in STATES:
        yield _table_row(client, list(_signs(cells, client, failures)), widths)
    for letter, sentence, moves, _ in failures:
        yield f"{letter}  {say('map_failure', sentence=sentence, count=moves)}"
    if way:
        yield say("map_way")
        for number, (pair, time, end) in enumerate(way):
            never = f"  ({say('map_never')})" if cells[pair].kind == "never" else ""
            yield f"{number:3}  {readable(time):>10}  {end:10}  {' / '.join(pair)}{never}"


def table(
    cells: Mapping[Pair, Cell], title: str, summary: str, failures: tuple[Failure, ...]
) -> Table:
    """The map with headers: a row for each state of the client, a column for each of the server."""
    marks = [
        f"{f.letter}: " + say("map_failure", sentence=f.sentence, count=f.moves) for f in failures
    ]
    return Table(
        "\n".join((title, summary, say("map_table"), *marks)),
        (f"{say('map_rows')} {say('map_columns')}", *STATES),
        tuple((client, *_signs(cells, client, failures)) for client in STATES),
    )


def _signs(
    cells: Mapping[Pair, Cell], client: State, failures: tuple[Failure, ...]
) -> Iterator[str]:
    """What is known of each pair with this state of the client."""
    for server in STATES:
        pair = client, server
        letters = "".join(failure.letter for failure in failures if failure.pair == pair)
        yield _sign_of(cells[pair], pair) + letters


def _table_row(name: str, row: Sequence[str], widths: Sequence[int]) -> str:
    cells = "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
    return f"{name:13}{cells}".rstrip()


def _sign_of(cell: Cell, pair: Pair) -> str:
    """A cell in the table: how many moves, `q` for quiet, `h` for half-open."""
    if cell.kind == "never":
        return "."
    quiet, half = "q" if cell.kind == "quiet" else "", "h" if is_half_open(pair) else ""
    return f"{len(cell.moves)}{quiet}{half}"


def alt_of(
    cells: Mapping[Pair, Cell],
    summary: str,
    failures: tuple[Failure, ...],
    way: Sequence[Stop],
) -> Iterator[str]:
    """The map in one paragraph."""
    kinds = [cell.kind for cell in cells.values()]
    counts = {kind: kinds.count(kind) for kind in ("never", "reachable", "quiet")}
    yield say("map_alt", summary=summary, **counts)
    quiet = [" / ".join(pair) for pair, cell in cells.items() if cell.kind == "quiet"]
    if quiet:
        yield say("map_alt_quiet", pairs=say("list_comma").join(quiet))
    half = [
        " / ".join(pair)
        for pair, cell in cells.items()
        if cell.kind != "never" and is_half_open(pair)
    ]
    if half:
        yield say("map_alt_half", pairs=say("list_comma").join(half))
    for failure in failures:
        yield say("map_failure", sentence=failure.sentence, count=failure.moves)
    if way:
        pairs = say("list_comma").join(" / ".join(stop.pair) for stop in way)
        yield say("map_alt_way", pairs=pairs)
