"""Sources: names, captures and JSON, from whatever a user points at to Traces."""

import gzip
import json
from pathlib import Path

import pytest

import tcpviz
from tcpviz import SCENARIOS, SourceError, read, simulate
from tcpviz.captures import read_capture
from tcpviz.sources import json_lines

HERE = Path(__file__).parent
CAPTURES = HERE.parent / "notebooks" / "captures"
ONE_SIDED = HERE / "data" / "recordings"
SEVERAL = CAPTURES / "acceptq_overflow.pcapng"


def written(path, data):
    """A JSON file."""
    path.write_text(json.dumps(data), "utf-8")
    return path


def refusal(source):
    """What `read` says to a source that it refuses."""
    with pytest.raises(SourceError) as refused:
        read(source)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_a_name_is_a_scenario():
    """The name of a scenario gives its one trace."""
    assert list(read("lost_syn")) == [simulate(SCENARIOS["lost_syn"])]


def test_a_name_goes_before_a_file_and_a_path_before_a_name(tmp_path, monkeypatch):
    """`normal` is the scenario whatever lies in the folder; ./normal and Path are the file."""
    monkeypatch.chdir(tmp_path)
    Path("normal").write_bytes(SEVERAL.read_bytes())
    assert [len(read(source)) for source in ("normal", "./normal", Path("normal"))] == [1, 4, 4]


def test_a_capture_gives_a_trace_for_each_connection():
    """The traces of a capture are those of its connections, in order."""
    traces = read(SEVERAL)
    assert [trace.title for trace in traces] == [f"{SEVERAL.name} #{n}" for n in (1, 2, 3, 4)]
    assert list(traces) == [connection.trace() for connection in traces.capture.connections]
    assert [trace.title[-1] for trace in traces[1:3]] == ["2", "3"]
    assert traces[-1] == traces[3]
    assert repr(traces) == "<Traces of acceptq_overflow.pcapng: 4>"


def test_a_trace_of_a_capture_is_made_when_it_is_asked_for(monkeypatch):
    """Reading a capture makes no trace; asking for one makes that one."""
    made = []
    monkeypatch.setattr("tcpviz.captures.Connection.trace", lambda self: made.append(self.number))
    traces = read(SEVERAL)
    assert (len(traces), made) == (4, [])
    traces[2]
    assert made == [3]


def test_a_capture_may_be_gzipped(tmp_path):
    """What a file is, its octets tell, not its suffix."""
    path = tmp_path / "odd.json"
    path.write_bytes(gzip.compress(SEVERAL.read_bytes()))
    assert len(read(path)) == 4


def test_a_cut_capture_gives_what_there_is_and_a_warning(tmp_path):
    """The segments before the cut are there, and the warning says where it is."""
    path = tmp_path / "cut.pcapng"
    path.write_bytes(SEVERAL.read_bytes()[:-10])
    traces = read(path)
    assert len(traces) == 4
    assert [warning.startswith("stopped at byte") for warning in traces.warnings] == [True]


def test_an_empty_capture_says_so():
    """A capture of nothing is no mistake."""
    traces = read(ONE_SIDED / "long_syn_timeout.server.pcapng")
    assert (len(traces), traces.warnings) == (0, ("it holds no packets",))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_file_runs(name, tmp_path):
    """A scenario from its JSON gives the same trace as from its name."""
    assert list(read(written(tmp_path / "s", SCENARIOS[name].to_json()))) == list(read(name))


@pytest.mark.parametrize(
    "source", [*SCENARIOS, *sorted(CAPTURES.glob("*.pcapng")), *sorted(ONE_SIDED.glob("*.pcapng"))]
)
def test_json_gives_back_the_traces(source, tmp_path):
    """What is written as JSON is read back as it was: all traces of a source, and each alone."""
    traces = read(source)
    path = tmp_path / "t.json"
    path.write_text("\n".join(json_lines(traces)), "utf-8")
    assert list(read(path)) == list(traces)
    assert read(path).warnings == traces.warnings
    for trace in traces[:2]:
        path.write_text(trace.dumps(), "utf-8")
        assert list(read(path)) == [trace]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_as_windows_writes_it(encoding, tmp_path):
    """PowerShell's redirection adds a byte order mark, or writes UTF-16."""
    path = tmp_path / "t.json"
    path.write_text("\r\n" + read("normal")[0].dumps(), encoding)
    assert list(read(path)) == list(read("normal"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"x", "neither pcap nor pcapng"),
        (b"hello world\n", "neither pcap nor pcapng"),
        (b'{"a": ', "not JSON: Expecting value: line 1"),
        (b'{"a": "\xff"}', "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" + b"1" * 5000 + b"]", "a number in its JSON has too many digits"),
        (b"\xff\xfe\0", "neither pcap nor pcapng"),
        (b"\xff\xfe{\0\0", "not JSON: octet 4 is no UTF-16-LE"),
        (b"[1]", "schema"),
        (b'{"schema": "tcpviz.trace/2"}', "schema"),
        (b'{"schema": []}', "schema"),
        (b'{"schema": "tcpviz.scenario/1", "msl": -1}', "msl"),
        (b'{"schema": "tcpviz.trace/1"}', "title: missing"),
        (b'{"schema": "tcpviz.traces/1"}', "expected lists"),
        (b'{"schema": "tcpviz.traces/1", "connections": [1]}', "connections[0]: not a trace"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(content, says, tmp_path):
    """A file that is nothing we know is refused by name, with the reason."""
    path = tmp_path / "thing"
    path.write_bytes(content)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert "codec" not in message
    assert "sys." not in message
    assert says in message


def test_what_is_not_there_is_refused_in_one_line(tmp_path):
    """A missing file, a folder and no name at all are refused as the system says it."""
    assert refusal(tmp_path / "no" / "x.pcap").endswith("No such file or directory")
    assert refusal(tmp_path).startswith(f"{tmp_path}: ")
    assert refusal("").startswith("'': ")


@pytest.mark.parametrize("source", [None, 5, 0, b"normal", True, SCENARIOS["normal"]])
def test_what_is_no_name_and_no_path_is_refused(source):
    """A number is no descriptor of an open file, and None no file of that name."""
    with pytest.raises(TypeError, match=f"a path or '-'; this is a {type(source).__name__}$"):
        read(source)
    with pytest.raises(TypeError, match=f"a binary file; this is a {type(source).__name__}$"):
        read_capture(source)


def test_a_misspelt_scenario_is_suggested():
    """A word that is no file may be a scenario's name with a slip."""
    assert refusal("hanshake").endswith("no scenario of that name; did you mean handshake?")
    assert "lost_syn or" in refusal("lost-syn")
    assert refusal("qqq") == "qqq: no such file, and no scenario of that name"


def mutate(data, path, value):
    """Put a value into JSON data, at a path such as steps/0/at_ns; `...` takes it away."""
    *way, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    for key in way:
        data = data[key]
    if value is ...:
        del data[last]
    else:
        data[last] = value


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("title", 5, "title: expected text"),
        ("source", "rumour", "source: expected one of simulation, capture, kernel"),
        ("start_ns", 10**30, "start_ns: expected a time"),
        ("notes", "x", "notes: expected a list"),
        ("ends", {}, "ends: expected a list"),
        ("ends/1", 5, "ends: expected a list of objects"),
        ("ends/1", ..., "ends: expected two"),
        ("ends/1/name", "client", "ends: expected two, each with a name of its own"),
        ("ends/0/iss", -1, "ends[0].iss: expected a number of 32 bits"),
        ("ends/0/iss", None, "ends[0].iss: null goes only with syn_seen false"),
        ("ends/0/counted_from", -1, "ends[0].counted_from: expected a number"),
        ("ends/0/shoe", 43, "ends"),
        ("segments/0/from", "nobody", "segments[0].from: 'nobody' is none of the ends"),
        ("segments/0/flags", ["SNY"], "segments[0].flags: expected a list of FIN"),
        ("segments/0/flags", ["ACK"], "segments[0].ack_absolute: a number goes with the flag ACK"),
        ("segments/1/ack_absolute", -1, "segments[1].ack_absolute: expected a number"),
        ("segments/0/seq_absolute", True, "segments[0].seq_absolute: expected a number"),
        ("segments/0/length", 1.5, "segments[0].length: expected a whole number"),
        ("segments/0/options", [["MSS"]], "segments[0].options: expected a list"),
        ("segments/0", ..., "steps"),
        ("steps/2", [1], "steps: expected a list of objects"),
        ("steps/2/kind", "vanish", "steps[2].kind: expected one of call, depart"),
        ("steps/2/end", "server", "steps[2].end: 'server' is not where"),
        ("steps/2/end", [], "steps[2].end: expected text"),
        ("steps/2/segment", 99, "steps[2].segment: there is no segments[99]"),
        ("steps/2/segment", -1, "steps[2].segment: expected a whole number"),
        ("steps/2/segment", ..., "steps[2]: depart needs a segment"),
        ("steps/0/segment", 0, "steps[0]: call has no segment"),
        ("steps/2/at_ns", ..., "steps[2].at_ns: missing"),
        ("steps/2/at_ns", 10**18, "steps[3].at_ns: earlier than the step before"),
        ("steps/2/state", "DOZING", "steps[2].state: expected one of CLOSED"),
        ("steps/2/edges", ["a: b"], "steps[2].edges: expected a list of moves"),
        ("steps/2/timers", [{"name": "RTO"}], "steps[2].timers: expected a list of objects"),
        ("steps/2/variables", {}, "steps[2].variables: expected an object"),
        ("steps/2", ..., "segments[0]: expected a step where it departs"),
    ],
)
def test_a_spoilt_trace_is_refused_at_the_field_that_is_wrong(path, value, says, tmp_path):
    """A field that cannot be, or cannot go with another, is named; nothing half right is drawn."""
    data = read("lost_syn")[0].to_json()
    mutate(data, path, value)
    assert says in refusal(written(tmp_path / "t.json", data))


def test_a_trace_shows_as_its_sequence_chart():
    """In a notebook a trace is its chart, and its text is the transcript."""
    trace = read(CAPTURES / "normal.pcapng")[0]
    shown = trace._repr_mimebundle_()
    assert shown["text/plain"] == str(trace)
    assert shown == tcpviz.pictures.sequence_chart(trace)._repr_mimebundle_()
    assert shown["text/html"].startswith("<figure")


def test_progress_knows_how_far_it_is():
    """A reader of a file is told the octets read, and of how many."""
    told = []
    read(SEVERAL, lambda done, size: told.append((done, size)))
    size = SEVERAL.stat().st_size
    assert told[-1] == (size, size)
