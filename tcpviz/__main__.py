"""The command line: parse, call, print.

Knows how results are laid out for a terminal. Nothing of TCP is decided here.
"""

import argparse
import io
import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Final, NoReturn

from tcpviz.arguments import file, interval, port, scale
from tcpviz.captures import Connection
from tcpviz.kernel import Unavailable, live, sockets
from tcpviz.pictures import EngineError
from tcpviz.pictures.picture import SUFFIXES
from tcpviz.scenarios import SCENARIOS
from tcpviz.sources import SourceError, Traces, json_lines, read
from tcpviz.terminal import Progress, printable
from tcpviz.trace import Trace
from tcpviz.units import S
from tcpviz.views import ViewError, add_options, draw, takes
from tcpviz.words import say

_WIDTH: Final = 100
_COLUMNS: Final = ("start", "opened", "closed_first", "ended", "resent", "lost")
_SOURCE: Final = """
SOURCE is the name of a scenario (see `tcpviz scenarios`), a capture (pcap or pcapng, also gzipped),
or a JSON file of a scenario or of traces; - is standard input. A file that has the name of a
scenario is written ./NAME.
"""


class _Refusal(Exception):
    """What was asked for cannot be done; the message is one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line; the whole usage is in --help."""
        self.exit(2, f"{self.prog}: {printable(message)} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 2 where input or output is at fault."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # any locale prints anything
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not arguments.command:
        parser.print_help(sys.stderr)
        return 2
    try:
        for line in arguments.command(arguments):
            print(line)
        if sys.stdout:
            sys.stdout.flush()
    except (SourceError, EngineError, Unavailable, ViewError, _Refusal) as problem:
        _tell(str(problem))
        return 2
    except BrokenPipeError:  # the reader has read enough
        _forget_output()
        return 141
    except OSError as problem:
        _tell(f"standard output: {problem.strerror or problem}")
        _forget_output()
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _scenarios(_: argparse.Namespace) -> Iterator[str]:
    column = max(map(len, SCENARIOS)) + 2
    for name, scenario in SCENARIOS.items():
        lines = textwrap.wrap(scenario.describe, _WIDTH - column, break_on_hyphens=False)
        yield f"{name:{column}}{lines[0]}"
        yield from (" " * column + line for line in lines[1:])


def _connections(arguments: argparse.Namespace) -> Iterator[str]:
    traces = _read(arguments.file)
    capture = traces.capture
    if capture is None:
        raise _Refusal(f"{traces.name}: not a capture; `tcpviz show` prints what is in it")
    skipped = ", ".join(f"{count} {reason}" for reason, count in capture.skipped.items())
    begin = min((connection.start for connection in capture.connections), default=0)
    there = _told("connections", len(traces)), _told("packets", capture.packets)
    heading = say("shell_capture", name=capture.name, connections=there[0], packets=there[1])
    heading += f" {say('shell_not_read', skipped=skipped)}" if skipped else ""
    yield printable(heading)
    if traces:
        yield say("shell_begin", date=_date(begin))
        yield ""
        yield from map(printable, _table(capture.connections, begin))


def _table(connections: Iterable[Connection], begin: int) -> Iterator[str]:
    """A line for each connection; its ends stand below it where a line would be too long."""
    rows = [("#", *(say(f"shell_{name}") for name in _COLUMNS))]
    ends = [say("shell_ends")]
    for each in connections:
        rows.append(
            (
                str(each.number),
                f"{(each.start - begin) / S:.3f}",
                each.opened,
                each.closed_first or "-",
                each.ended,
                str(each.retransmissions),
                "?" if each.losses is None else str(each.losses),
            )
        )
        ends.append(" -> ".join(end.address or end.name for end in each.ends))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = [f"{{:{side}{width}}}" for side, width in zip(">><<<>>", widths, strict=True)]
    line = "  ".join(aligned)
    narrow = sum(widths) + 2 * len(widths) + max(map(len, ends)) <= _WIDTH
    for row, pair in zip(rows, ends, strict=True):
        if narrow:
            yield f"{line.format(*row)}  {pair}"
        else:
            yield line.format(*row).rstrip()
            yield f"{'':{widths[0]}}  {pair}"


def _show(arguments: argparse.Namespace) -> Iterator[str]:
    source, number = arguments.source, arguments.connection
    traces = _read(source)
    if arguments.json:
        chosen = traces if number is None else traces[_index(traces, number) :][:1]
        first = 1 if number is None else number
        seen = sys.stdout is not None and sys.stdout.isatty()
        with Progress(f"writing {source}") as progress:
            yield from json_lines(chosen, first, None if seen else progress)
    elif not traces and number is None:
        _tell(f"{traces.name}: no connection to show")
    else:
        trace = traces[_index(traces, number)]
        yield from map(printable, _heading(trace))
        yield from map(printable, str(trace).splitlines())
        _tell_of_more(traces, number)


def _heading(trace: Trace) -> Iterator[str]:
    """Where and when, for a trace that happened somewhere."""
    if any(end.address for end in trace.ends):
        ends = ", ".join(f"{end.name} {end.address}" for end in trace.ends)
        yield f"{trace.title}: {ends}, {_date(trace.start)}"
        yield ""


def _draw(arguments: argparse.Namespace) -> Iterator[str]:
    output = arguments.output
    if output.suffix.lower() not in SUFFIXES:
        raise _Refusal(f"{output}: the file to draw must end in {', '.join(SUFFIXES)}")
    picture = draw(arguments, _chosen(arguments))
    if arguments.print:
        picture = picture.for_print()
    try:
        picture.save(output, scale=arguments.scale)
    except OSError as problem:
        raise _Refusal(f"{output}: {problem.strerror or problem}") from None
    except ValueError as problem:  # it names the file
        raise _Refusal(str(problem)) from None
    yield from ()


def _chosen(arguments: argparse.Namespace) -> list[Trace]:
    """The traces to be drawn: one, two, or all that the sources hold."""
    view, sources, numbers = arguments.view, arguments.source, arguments.connection or []
    wanted = takes(view)
    pairs: list[tuple[str, int | None]]
    if wanted == "all" and not numbers:
        return [trace for source in sources for trace in _some(_read(source))]
    if len(sources) == 1 and (numbers[1:] or wanted == "all"):
        pairs = [(sources[0], number) for number in numbers]
    elif len(numbers) in (0, len(sources)):
        pairs = list(zip(sources, numbers or [None] * len(sources), strict=True))
    else:
        given, there = _count(len(numbers), "time"), _count(len(sources), "source")
        raise _Refusal(f"--connection is given {given}, for {there}")
    most = {"one": 1, "two": 2, "all": len(pairs)}[wanted]
    if len(pairs) != most:
        raise _Refusal(f"--view {view} draws {_count(most, 'connection')}, not {len(pairs)}")
    read_already: dict[str, Traces] = {}
    chosen = []
    for source, number in pairs:
        traces = read_already[source] = read_already.get(source) or _read(source)
        chosen.append(traces[_index(traces, number)])
        _tell_of_more(traces, number)
    return chosen


def _some(traces: Traces) -> Traces:
    """These, if there are any."""
    _index(traces, None)
    return traces


def _watch(arguments: argparse.Namespace) -> Iterator[str]:
    """The sockets once, or again and again: drawn over the last ones where a terminal can."""
    memory, on_screen = live.Memory(), _is_screen()
    erase = "\x1b[2J"
    while True:
        table, now = sockets(arguments.port), time.time_ns()
        if arguments.json:
            yield json.dumps(live.to_json(table, now))
        else:
            size = shutil.get_terminal_size((_WIDTH, 0))
            again = not arguments.once
            # The last two lines are for how to end it, and for the cursor.
            height = max(1, size.lines - 2) if on_screen and again else None
            groups = memory.groups(table, now)
            found = live.lines(table, groups, size.columns, height=height, live=again)
            text = [printable(line) for line in found]
            if again and on_screen:
                text.append(say("live_stop", interval=arguments.interval))
                yield f"{erase}\x1b[H" + "\n".join(f"{line}\x1b[K" for line in text) + "\x1b[J"
                erase = ""
            else:
                yield from ([_date(now), *text, ""] if again else text)
        if arguments.once:
            return
        if sys.stdout:
            sys.stdout.flush()
        time.sleep(arguments.interval)


def _is_screen() -> bool:
    """Whether output goes to a terminal that can be drawn over."""
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _read(source: str) -> Traces:
    """Read a source, showing progress, and pass its warnings on."""
    with Progress(f"reading {source}") as progress:
        traces = read(source, progress)
    for warning in traces.warnings:
        _tell(f"warning: {traces.name}: {warning}")
    return traces


def _index(traces: Traces, number: int | None) -> int:
    """Where the connection of this number is; without a number, the first."""
    number = 1 if number is None else number
    if 1 <= number <= len(traces):
        return number - 1
    there = _count(len(traces), "connection")
    raise _Refusal(f"{traces.name}: there is no connection {number}; it holds {there}")


def _tell_of_more(traces: Traces, number: int | None) -> None:
    if number is None and len(traces) > 1:
        _tell(f"this is connection 1 of {len(traces)}; --connection N chooses another")


def _tell(message: str) -> None:
    if sys.stderr:
        print(f"tcpviz: {printable(message)}", file=sys.stderr)


def _told(what: str, number: int) -> str:
    """So many of something, in the words of results."""
    return say(f"shell_{what}_one" if number == 1 else f"shell_{what}", count=number or say("no"))


def _count(number: int, thing: str) -> str:
    """So many of something, in a message."""
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"


def _date(ns: int) -> str:
    when = datetime.fromtimestamp(ns // S, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S}.{ns % S // 1_000_000:03} UTC"


def _forget_output() -> None:
    """Keep the interpreter from complaining at its end about what it can no longer write."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tcpviz",
        description="Show how TCP connections open and close: simulated, or captured.",
        epilog="`tcpviz COMMAND --help` tells more, with examples.",
    )
    try:
        version = metadata.version("tcpviz")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    parser.add_argument("-V", "--version", action="version", version=f"tcpviz {version}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)

    def command(name: str, does: str, examples: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=does,
            description=does,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    scenarios = command("scenarios", "List the named scenarios.", "")
    scenarios.set_defaults(command=_scenarios)

    connections = command(
        "connections",
        "List the connections in a capture.",
        "examples:\n"
        "  tcpviz connections capture.pcapng\n"
        "  tcpdump -c 100 -w - tcp | tcpviz connections -\n",
    )
    connections.add_argument("file", metavar="FILE", help="a capture; - is standard input")
    connections.set_defaults(command=_connections)

    show = command(
        "show",
        "Print a connection segment by segment, in the notation of RFC 9293.",
        f"{_SOURCE}\n"
        "examples:\n"
        "  tcpviz show lost_syn\n"
        "  tcpviz show capture.pcapng --connection 3\n"
        "  tcpviz show capture.pcapng --json > connections.json\n",
    )
    show.add_argument("source", metavar="SOURCE", help="what to show, see below")
    _add_connection(show, "default: the first; with --json, all of them")
    show.add_argument("--json", action="store_true", help="print JSON, times in ns")
    show.set_defaults(command=_show)

    drawing = command(
        "draw",
        "Draw a connection, or several: to scale, as ways through states, side by side, counted.",
        f"{_SOURCE}\n"
        "examples:\n"
        "  tcpviz draw normal -o normal.svg\n"
        "  tcpviz draw capture.pcapng --connection 3 --view states -o states.svg\n"
        "  tcpviz draw normal lost_fin --view compare -o differences.pdf\n"
        "  tcpviz draw capture.pcapng --view server -o clients.svg\n"
        "  tcpviz draw lost_syn --print -o handout.pdf\n",
    )
    drawing.add_argument("source", nargs="+", metavar="SOURCE", help="what to draw, see below")
    drawing.add_argument(
        "-o",
        "--output",
        required=True,
        type=file,
        metavar="FILE",
        help="where to; .svg, .pdf and .png are the picture, .html the picture with its table, "
        ".txt its text twin, .dot its Graphviz source, .json the trace",
    )
    add_options(drawing)
    drawing.add_argument("--print", action="store_true", help="draw in greys")
    drawing.add_argument(
        "--scale", type=scale, default=2, metavar="N", help="pixels to a point of a .png (2)"
    )
    _add_connection(drawing, "default: the first; server, timelines: all", action="append")
    drawing.set_defaults(command=_draw)

    watch = command(
        "watch",
        "Watch this machine's TCP sockets by state and owner: those in CLOSE-WAIT come first.",
        "On other systems than Linux it needs the package psutil (the extra `watch`).\n\n"
        "examples:\n"
        "  tcpviz watch\n"
        "  tcpviz watch --port 8080 --interval 0.5\n"
        "  tcpviz watch --once --json\n",
    )
    watch.add_argument("--once", action="store_true", help="look once, and end")
    watch.add_argument(
        "--interval",
        type=interval,
        default=2.0,
        metavar="SECONDS",
        help="from look to look (default: 2)",
    )
    watch.add_argument("--port", type=port, metavar="N", help="only with this port at either end")
    watch.add_argument("--json", action="store_true", help="a line of JSON for each look")
    watch.set_defaults(command=_watch)
    return parser


def _add_connection(parser: argparse.ArgumentParser, default: str, action: str = "store") -> None:
    which = f"number of the connection, as `tcpviz connections` counts them ({default})"
    parser.add_argument("--connection", type=int, action=action, metavar="N", help=which)


if __name__ == "__main__":
    sys.exit(main())
