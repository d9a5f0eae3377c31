"""From a name or a file to Traces: scenarios, captures, and JSON of scenarios and traces.

Knows how the kinds of source are told apart, and the JSON of several traces, both ways. Must not
know pictures, nor how anything is printed.
"""

import codecs
import json
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, overload

from tcpviz import scenario as scenario_file
from tcpviz import trace as trace_file
from tcpviz.captures import Capture, CaptureError, Connection, Progress, read_capture
from tcpviz.mistake import Mistake
from tcpviz.scenario import Scenario, ScenarioError
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.trace import Trace
from tcpviz.trace_shape import fault

SCHEMA: Final = "tcpviz.traces/1"
_MARKS: Final = {  # UTF-16 as PowerShell writes it
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class SourceError(Mistake):
    """A source that gives no trace; the message is one line saying what is wrong and where."""


@dataclass(frozen=True, eq=False, repr=False)
class Traces(Sequence[Trace]):
    """The traces of one source, in order; those of a capture are made each time they are asked for.

    `warnings` say where reading stopped, if it did. `capture` is where connections come from, if
    it was a capture.
    """

    name: str
    items: tuple[Trace | Connection, ...]
    warnings: tuple[str, ...] = ()
    capture: Capture | None = None

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> Trace: ...

    @overload
    def __getitem__(self, index: slice) -> "Traces": ...

    def __getitem__(self, index: int | slice) -> "Trace | Traces":
        if isinstance(index, slice):
            return Traces(self.name, self.items[index], self.warnings, self.capture)
        item = self.items[index]
        return item.trace() if isinstance(item, Connection) else item

    def __repr__(self) -> str:
        return f"<Traces of {self.name}: {len(self)}>"


def read(source: str | Path, progress: Progress | None = None) -> Traces:
    """Read a named scenario, a capture, or the JSON of a scenario or of traces.

    `-` is standard input. The name of a scenario goes before a file of that name: write `./normal`,
    or Path("normal"), for the file. What a file holds is told by its first octets, not by its
    suffix. `progress` is told the octets of a capture that are read, and how many there are (None
    where nobody knows). SourceError where there is nothing to be read; TypeError where the source
    is neither text nor a Path.

    >>> read("handshake")[0].title
    'handshake'
    """
    if not isinstance(source, str | Path):  # open() would take a number for a descriptor
        kind = type(source).__name__
        raise TypeError(f"read() takes the name of a scenario, a path or '-'; this is a {kind}")
    if isinstance(source, str) and source in SCENARIOS:
        return Traces(source, (simulate(SCENARIOS[source]),))
    name = "standard input" if str(source) == "-" else str(source) or "''"
    try:
        with _opened(source) as stream:
            if _looks_like_json(stream.peek()):
                return _from_json(stream.read(), name)
            return _from_capture(stream, source, progress)
    except CaptureError as problem:  # it names the file
        raise SourceError(str(problem)) from None
    except (SourceError, ScenarioError) as problem:
        raise SourceError(f"{name}: {problem}") from None
    except OSError as problem:
        raise SourceError(f"{name}: {_reason(source, problem)}") from None


def json_lines(traces: Traces, first: int = 1, progress: Progress | None = None) -> Iterator[str]:
    """The lines of the JSON of these traces, numbered from `first`; `read` reads them back.

    One trace at a time is made. `progress` is told the traces written and how many there are.
    """
    yield "{"
    yield f' "schema": {json.dumps(SCHEMA)},'
    yield f' "source": {json.dumps(traces.name)},'
    yield f' "warnings": {json.dumps(traces.warnings)},'
    yield ' "connections": ['
    last = first + len(traces) - 1
    for number, trace in enumerate(traces, first):
        lines = json.dumps({"number": number, **trace.to_json()}, indent=1).splitlines()
        yield from (f"  {line}" for line in lines[:-1])
        yield "  }" if number == last else "  },"
        if progress:
            progress(number - first + 1, len(traces))
    yield " ]"
    yield "}"


def _opened(source: str | Path) -> AbstractContextManager[BufferedReader]:
    if str(source) != "-":
        return open(source, "rb")  # noqa: PTH123 - Path("") would be the folder
    if sys.stdin is None:
        raise SourceError("it is closed")
    assert isinstance(sys.stdin.buffer, BufferedReader)
    return nullcontext(sys.stdin.buffer)


def _reason(source: str | Path, problem: OSError) -> str:
    """Why a file cannot be read; where it may be a misspelt name, which name was meant."""
    word = str(source).replace("-", "_")
    if not isinstance(problem, FileNotFoundError) or not word.isidentifier():
        return problem.strerror or str(problem)
    close = get_close_matches(word.lower(), SCENARIOS)
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"no such file, and no scenario of that name{meant}"


def _looks_like_json(head: bytes) -> bool:
    """Whether a file that begins so is JSON: no capture begins with a brace or a bracket."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "ignore").lstrip()[:1] in ("{", "[")
    return head.lstrip()[:1] in (b"{", b"[")


def _from_capture(stream: BufferedReader, source: str | Path, progress: Progress | None) -> Traces:
    status = os.fstat(stream.fileno())
    size = status.st_size if stat.S_ISREG(status.st_mode) else None

    def told(done: int, _: int | None) -> None:
        if progress:
            progress(done, size)

    capture = read_capture("-" if str(source) == "-" else stream, told)
    return Traces(capture.name, capture.connections, capture.warnings, capture)


def _from_json(text: bytes, name: str) -> Traces:
    """The traces of a JSON file, by its schema."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as problem:
        raise SourceError(f"not JSON: {problem}") from None
    except UnicodeDecodeError as problem:
        encoding = problem.encoding.upper()
        raise SourceError(f"not JSON: octet {problem.start} is no {encoding}") from None
    except ValueError:  # Python converts no number that long
        raise SourceError("a number in its JSON has too many digits") from None
    except RecursionError:
        raise SourceError("its JSON is nested too deeply") from None
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema == scenario_file.SCHEMA:
        return Traces(name, (simulate(Scenario.from_json(data)),))
    if schema == trace_file.SCHEMA:
        return Traces(name, (_trace(data),))
    if schema == SCHEMA:
        warnings, entries = data.get("warnings", []), data.get("connections")
        if not isinstance(entries, list) or not isinstance(warnings, list):
            raise SourceError("expected lists under connections and warnings")
        traces = tuple(_trace(entry, f"connections[{i}]: ") for i, entry in enumerate(entries))
        return Traces(name, traces, tuple(map(str, warnings)))
    known = f"{scenario_file.SCHEMA}, {trace_file.SCHEMA}, {SCHEMA}"
    raise SourceError(f'its "schema" is none of {known}')


def _trace(data: Any, where: str = "") -> Trace:
    if wrong := fault(data):
        raise SourceError(f"{where}{wrong}")
    try:
        return Trace.from_json(data)
    except ValueError as problem:
        raise SourceError(f"{where}{problem}") from None
