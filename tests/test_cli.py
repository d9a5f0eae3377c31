"""The command line: what is printed where, and with which exit code."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import capture_files as made
import pytest

from tcpviz import (
    MS,
    SCENARIOS,
    __main__,
    compare,
    explore,
    joint_state_map,
    read,
    sequence_chart,
    server_view,
    state_diagram,
    terminal,
)
from tcpviz.__main__ import main

HERE = Path(__file__).parent
CAPTURES = HERE.parent / "notebooks" / "captures"
NORMAL = str(CAPTURES / "normal.pcapng")
SEVERAL = str(CAPTURES / "acceptq_overflow.pcapng")
NO_PACKETS = str(HERE / "data" / "recordings" / "long_syn_timeout.server.pcapng")
MORE = "tcpviz: this is connection 1 of 4; --connection N chooses another\n"


@pytest.fixture
def run(capsys):
    """Run a command; gives its exit code, standard output and standard error."""

    def _run(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            code = leaving.code
        return code, *capsys.readouterr()

    return _run


def program(*arguments, **options):
    """Start the command line as a user does."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)} | options.pop("env", {})
    command = [sys.executable, "-m", "tcpviz", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, preexec_fn=_HEAR_CTRL_C, **options)  # noqa: PLW1509  # no threads here


def _hear_ctrl_c():
    """A run in the background ignores Ctrl-C, and its children with it; a terminal's does not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


_HEAR_CTRL_C = None if os.name == "nt" else _hear_ctrl_c


def ended(*arguments, data=None, **options):
    """Run the program to its end; gives its exit code, standard output and standard error."""
    with program(*arguments, stdin=subprocess.PIPE, **options) as process:
        out, err = process.communicate(data, timeout=60)
    return process.returncode, out.decode(), err.decode()


# scenarios, help


def test_scenarios_lists_every_name_with_what_it_shows(run):
    """The table names each scenario and fits a terminal."""
    code, out, err = run("scenarios")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == list(SCENARIOS)
    words = " ".join(out.split())
    assert all(scenario.describe in words for scenario in SCENARIOS.values())
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("command", ["connections", "show", "draw"])
def test_help_has_examples_and_they_can_be_parsed(run, command):
    """Each command's help shows calls that the command line understands."""
    code, out, _ = run(command, "--help")
    assert code == 0
    examples = out.split("examples:\n")[1].splitlines()
    for example in examples:
        words = example.split("tcpviz ")[1].split(" > ")[0].split()
        assert __main__._parser().parse_args(words).command


def test_without_a_command_the_help_is_shown(run):
    """A bare `tcpviz` says what there is, on standard error, and did nothing."""
    code, out, err = run()
    assert (code, out) == (2, "")
    assert all(command in err for command in ("scenarios", "connections", "show", "draw"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fly"], "invalid choice: 'fly'"),
        (["show"], "SOURCE"),
        (["show", "normal", "--connection", "x"], "invalid int value: 'x'"),
        (["draw", "normal"], "-o"),
        (["draw", "normal", "-o", "x.svg", "--view", "side"], "invalid choice: 'side'"),
        (["draw", "normal", "-o", "no.svg/"], "no.svg/ is a folder"),
        (["draw", "normal", "-o", ""], "'' is no name of a file"),
        (["draw", "normal", "-o", "x.svg", "--at", "5"], "'5' is not a time such as 250ms"),
        (["draw", "normal", "-o", "x.svg", "--part", "end"], "'end' is not open or close"),
        (["draw", "normal", "-o", "x.svg", "--absolute", "--relative"], "not allowed with"),
        (["show", "normal", "\x1b[2J"], "unrecognized arguments: \\x1b[2J"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(run, arguments, says):
    """A wrong argument: exit code 2 and one line that points to --help."""
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert "--help" in err


# connections


def test_connections_tells_how_each_connection_went(run):
    """One line: number, start, how it opened, who closed first, how it ended, losses, ends."""
    assert run("connections", NORMAL) == (
        0,
        "normal.pcapng: 1 connection in 22 packets\n"
        "Time 0 is 2026-11-22 16:37:04.246 UTC. A ? is what the capture cannot know.\n"
        "\n"
        "#  start s  opened     closed first  ended          resent  lost  client -> server\n"
        "1    0.000  handshake  client        FIN from both       0     0"
        "  10.9.1.1:40000 -> 10.9.1.2:7000\n",
        "",
    )


def test_connections_tells_what_it_cannot_know(run):
    """One end's capture does not know losses."""
    _, out, _ = run("connections", HERE / "data" / "recordings" / "lost_fin.client.pcapng")
    assert out.splitlines()[-1].split()[-4] == "?"


def test_wide_addresses_stand_on_a_line_of_their_own(run, tmp_path):
    """Long IPv6 addresses do not push the table out of the window."""
    ends = bytes(range(0x20, 0x30)), bytes(range(0x40, 0x50))
    syn = made.ipv6(made.tcp(sport=40000), *ends)
    path = tmp_path / "six.pcap"
    path.write_bytes(made.pcap([(made.START, syn)]))
    code, out, err = run("connections", path)
    assert (code, err) == (0, "")
    first, second = out.splitlines()[-2:]
    assert first.split()[:2] == ["1", "0.000"]
    assert second == (
        "   [2021:2223:2425:2627:2829:2a2b:2c2d:2e2f]:40000"
        " -> [4041:4243:4445:4647:4849:4a4b:4c4d:4e4f]:80"
    )


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.pcapng")), ids=lambda path: path.stem)
def test_every_recording_has_a_table_that_fits(run, path):
    """A line, or two, for each connection, 100 columns at most, columns aligned."""
    code, out, err = run("connections", path)
    assert (code, err) == (0, "")
    heading, _, _, *rows = out.splitlines()
    assert max(map(len, rows)) <= 100
    per_row = 1 + (rows[1].lstrip() == "client -> server")
    count = int(heading.split(": ")[1].split()[0])
    assert len(rows) == per_row * (count + 1)
    numbers = [row.split()[0] for row in rows[per_row::per_row]]
    assert numbers == [str(number) for number in range(1, count + 1)]


def test_packets_that_were_not_read_are_counted(run, tmp_path):
    """What is no TCP is counted by reason."""
    frames = [(made.START, made.segment()), (made.START, made.ipv4(b"x" * 20, protocol=17))]
    path = tmp_path / "mixed.pcap"
    path.write_bytes(made.pcap(frames))
    _, out, _ = run("connections", path)
    assert out.splitlines()[0] == "mixed.pcap: 1 connection in 2 packets (not read: 1 not TCP)"


def test_connections_wants_a_capture(run):
    """A scenario is no capture, and the line says what to do with it."""
    assert run("connections", "normal") == (
        2,
        "",
        "tcpviz: normal: not a capture; `tcpviz show` prints what is in it\n",
    )


# show


def test_show_prints_the_transcript(run):
    """The transcript of a scenario, and nothing else."""
    assert run("show", "lost_syn") == (0, f"{read('lost_syn')[0]}\n", "")


def test_show_says_where_a_captured_connection_was(run):
    """A captured connection has a heading: its ends' addresses and its date."""
    code, out, err = run("show", NORMAL)
    heading = "normal.pcapng #1: client 10.9.1.1:40000, server 10.9.1.2:7000, 2026-11-22 16:37:04"
    assert (code, err) == (0, "")
    assert out.startswith(heading)
    assert out.endswith(f"\n\n{read(NORMAL)[0]}\n")


def test_show_prints_the_first_connection_and_says_how_many_more(run):
    """Without --connection the first is shown, with a hint; with it, that one without a hint."""
    _, first, hint = run("show", SEVERAL)
    assert (first.split(":")[0], hint) == ("acceptq_overflow.pcapng #1", MORE)
    _, third, hint = run("show", SEVERAL, "--connection", 3)
    assert (third.split(":")[0], hint) == ("acceptq_overflow.pcapng #3", "")


@pytest.mark.parametrize("number", [0, -1, 5])
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_connection_that_is_not_there(run, number, more):
    """A number out of range: exit code 2, and the line says how many there are."""
    assert run("show", SEVERAL, "--connection", number, *more) == (
        2,
        "",
        f"tcpviz: acceptq_overflow.pcapng: there is no connection {number};"
        " it holds 4 connections\n",
    )


def test_json_has_every_connection_with_its_ends_and_segments(run):
    """--json prints all connections under a schema version, for programs."""
    code, out, err = run("show", SEVERAL, "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert (data["schema"], data["source"]) == ("tcpviz.traces/1", "acceptq_overflow.pcapng")
    assert [each["number"] for each in data["connections"]] == [1, 2, 3, 4]
    first = data["connections"][0]
    assert [end["address"] for end in first["ends"]] == ["10.9.28.1:40000", "10.9.28.2:7000"]
    told = ("from", "flags", "seq", "ack", "length", "sent_ns", "fate")
    assert [first["segments"][0][key] for key in told] == (
        ["client", ["SYN"], 0, None, 0, 0, "delivered"]
    )
    assert 50_000_000 < first["segments"][0]["arrived_ns"] < 51_000_000
    chosen = json.loads(run("show", SEVERAL, "--json", "--connection", 3)[1])
    assert chosen["connections"] == [data["connections"][2]]


def test_json_of_a_lost_segment_and_of_one_nobody_watched(run):
    """What was not seen to arrive is lost only where somebody watched."""

    def fates(path):
        segments = json.loads(run("show", path, "--json")[1])["connections"][0]["segments"]
        return {segment["fate"] for segment in segments}

    assert fates(CAPTURES / "lost_fin.pcapng") == {"delivered", "lost"}
    assert fates(HERE / "data" / "recordings" / "lost_fin.client.pcapng") == {"unknown"}


def test_an_empty_capture_is_shown_as_empty(run):
    """A capture of no packets is no mistake; the warning says what it is."""
    warning = f"tcpviz: warning: {Path(NO_PACKETS).name}: it holds no packets\n"
    code, out, err = run("show", NO_PACKETS)
    assert (code, out) == (0, "")
    assert err.startswith(warning)
    code, out, err = run("show", NO_PACKETS, "--json")
    assert (code, json.loads(out)["connections"], err) == (0, [], warning)


def test_a_truncated_capture_is_shown_as_far_as_it_goes(run, tmp_path):
    """What could be read is on standard output; the warning says where reading stopped."""
    path = tmp_path / "cut.pcapng"
    path.write_bytes(Path(NORMAL).read_bytes()[:1000])
    code, out, err = run("show", path)
    assert (code, err.count("\n")) == (0, 1)
    assert "<CTL=SYN,ACK>" in out
    assert err.startswith("tcpviz: warning: cut.pcapng: stopped at byte ")


def test_a_terminal_gets_no_control_characters(run, tmp_path):
    """What a file name or a file brings along is printed as an escape, not obeyed."""
    path = tmp_path / "evil\x1b[2J\u202e.pcapng"
    try:
        path.write_bytes(Path(NORMAL).read_bytes())
    except OSError:
        pytest.skip("this file system has no such names")
    for command in ("connections", "show"):
        code, out, err = run(command, path)
        assert (code, err) == (0, "")
        assert out.startswith("evil\\x1b[2J\\u202e.pcapng")


@pytest.mark.parametrize("text", ["\x1b[2J", "two\nlines", "\ud800", "\x01\x9b"])
def test_control_characters_in_a_trace_do_no_harm(run, tmp_path, text):
    """A trace of any texts is printed on one line each, drawn, and saved so that it reads back."""
    data = read(NORMAL)[0].to_json() | {"title": text}
    data["steps"][1]["says"] = data["ends"][0]["address"] = text
    path = tmp_path / "t.json"
    path.write_text(json.dumps(data), "utf-8")
    code, out, err = run("show", path)
    assert (code, err) == (0, "")
    assert all(line.isprintable() for line in out.splitlines())
    for view in ("chart", "states"):
        for suffix in (".svg", ".dot", ".txt", ".json"):
            output = tmp_path / f"out{suffix}"
            assert run("draw", path, "-o", output, "--view", view) == (0, "", "")
        ET.parse(tmp_path / "out.svg")
    assert list(read(tmp_path / "out.json")) == list(read(path))


# draw

ONE = {"chart": sequence_chart, "states": state_diagram}


@pytest.mark.parametrize("view", ["chart", "states"])
def test_draw_writes_what_the_suffix_says(run, tmp_path, view):
    """.svg is the picture, .dot its source, .txt its text twin."""
    picture = ONE[view](read("normal")[0])
    for suffix, content in ((".svg", picture.svg), (".dot", picture.dot), (".txt", picture.text)):
        path = tmp_path / f"out{suffix}"
        assert run("draw", "normal", "-o", path, "--view", view) == (0, "", "")
        assert path.read_text("utf-8").strip() == content.strip()


def test_draw_writes_the_trace(run, tmp_path):
    """.json is the trace, and draws the same picture."""
    saved, one, two = (tmp_path / name for name in ("t.json", "1.svg", "2.svg"))
    assert run("draw", SEVERAL, "--connection", 2, "-o", saved) == (0, "", "")
    assert list(read(saved)) == [read(SEVERAL)[1]]
    run("draw", SEVERAL, "--connection", 2, "-o", one)
    run("draw", saved, "-o", two)
    assert one.read_bytes() == two.read_bytes()


def test_draw_takes_the_first_connection_and_says_how_many_more(run, tmp_path):
    """Without --connection the first is drawn, with a hint."""
    path = tmp_path / "out.txt"
    assert run("draw", SEVERAL, "-o", path) == (0, "", MORE)
    assert path.read_text("utf-8") == f"{read(SEVERAL)[0]}\n"


@pytest.mark.parametrize("view", ["chart", "states"])
def test_draw_writes_for_the_screen_and_for_print(run, tmp_path, view):
    """.pdf and .png are what `save` writes, in greys with --print, larger with --scale."""
    pytest.importorskip("typst")
    picture = ONE[view](read("normal")[0])
    for suffix in (".pdf", ".png", ".html", ".svg"):
        path, wanted = tmp_path / f"out{suffix}", tmp_path / f"wanted{suffix}"
        for options, other in (((), picture), (("--print",), picture.for_print())):
            assert run("draw", "normal", "-o", path, "--view", view, *options) == (0, "", "")
            assert path.read_bytes() == other.save(wanted).read_bytes()
    path = tmp_path / "large.png"
    assert run("draw", "normal", "-o", path, "--view", view, "--scale", "3") == (0, "", "")
    assert path.read_bytes() == picture.save(tmp_path / "wanted.png", scale=3).read_bytes()


@pytest.mark.parametrize("scale", ["0", "21", "nan", "big"])
def test_a_scale_that_draws_nothing_is_told(run, tmp_path, scale):
    """One line, and no file."""
    code, out, err = run("draw", "normal", "-o", tmp_path / "x.png", "--scale", scale)
    assert (code, out) == (2, "")
    assert f"--scale: {scale} is not a number between 0.1 and 20" in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--relative"], lambda one, _: sequence_chart(one, absolute=False)),
        (["--absolute", "--options"], lambda one, _: sequence_chart(one, options=True)),
        (["--variables"], lambda one, _: sequence_chart(one, variables=True)),
        (
            ["--view", "states", "--focus", "client", "--at", "0.26s"],
            lambda one, _: state_diagram(one, focus="client", at=260 * MS),
        ),
        (
            ["--view", "states", "--part", "close", "--omitted", "--end", "server"],
            lambda one, _: state_diagram(one, part="close", omitted=True, end="server"),
        ),
        (
            ["--view", "map"],
            lambda one, _: joint_state_map(explore(old=0, spurious=0), path=one),
        ),
        (["lost_fin", "--view", "compare"], compare),
        (
            ["lost_fin", "--view", "compare", "--relative"],
            lambda *both: compare(*both, absolute=False),
        ),
        (["lost_fin", "--view", "server"], lambda *both: server_view(both)),
        (
            ["lost_fin", "--view", "server", "--end", "client"],
            lambda *both: server_view(both, end="client"),
        ),
    ],
)
def test_draw_has_every_view_with_its_options(run, tmp_path, arguments, wanted):
    """What is written is what Python draws with the same arguments."""
    path = tmp_path / "x.svg"
    assert run("draw", "normal", *arguments, "-o", path) == (0, "", "")
    picture = wanted(read("normal")[0], read("lost_fin")[0])
    assert path.read_text("utf-8") == picture.svg.rstrip("\n") + "\n"


def test_draw_counts_connections_over_time(run, tmp_path):
    """All of a capture, or those that are named."""
    path = tmp_path / "x.txt"
    assert run("draw", SEVERAL, "--view", "timelines", "-o", path) == (0, "", "")
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == "4 connections at the server"
    assert [line.split(":")[0] for line in lines[1:4]] == ["ESTABLISHED", "CLOSE-WAIT", "TIME-WAIT"]
    named = ["--connection", 2, "--connection", 3]
    assert run("draw", SEVERAL, "--view", "timelines", *named, "-o", path) == (0, "", "")
    assert path.read_text("utf-8").startswith("2 connections at the server\n")


def test_draw_compares_two_connections_of_one_capture(run, tmp_path):
    """--connection is given twice; with two sources it goes with each."""
    path = tmp_path / "x.txt"
    pair = ["--connection", 1, "--connection", 3]
    assert run("draw", SEVERAL, "--view", "compare", *pair, "-o", path) == (0, "", "")
    traces = read(SEVERAL)
    assert path.read_text("utf-8") == f"{compare(traces[0], traces[2]).text}\n"
    firsts = [*pair[:2], *pair[:2]]
    assert run("draw", SEVERAL, "normal", "--view", "compare", *firsts, "-o", path) == (0, "", "")
    assert path.read_text("utf-8") == f"{compare(traces[0], read('normal')[0]).text}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["normal", "--focus", "client"], "--focus does not go with --view chart, but: states"),
        (
            ["normal", "--view", "map", "--relative"],
            "--relative does not go with --view map, but: chart, compare",
        ),
        (["normal", "--view", "states", "--focus", "cleint"], "no end 'cleint' in this trace"),
        (["normal", "--view", "states", "--focus", "client", "--end", "client"], "one end alone"),
        (["normal", "--view", "server", "--end", "x"], "no end 'x' in this trace"),
        (["normal", "--view", "compare"], "--view compare draws 2 connections, not 1"),
        (["normal", "lost_fin"], "--view chart draws 1 connection, not 2"),
        (["a", "b", "c", "--connection", 1], "--connection is given 1 time, for 3 sources"),
        (["normal"] * 61 + ["--view", "server"], "a server's view shows 1 to 60 connections"),
    ],
)
def test_what_does_not_go_together_is_told_in_one_line(run, tmp_path, arguments, says):
    """Options of another view, ends that are not there, too few sources: nothing is written."""
    code, out, err = run("draw", *arguments, "-o", tmp_path / "x.svg")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_the_trace_of_a_picture_that_shows_none_is_told_in_one_line(run, tmp_path):
    """.json goes with a chart and a diagram alone."""
    for view, sources in (("compare", ["normal", "normal"]), ("server", ["normal"])):
        code, _, err = run("draw", *sources, "--view", view, "-o", tmp_path / "x.json")
        assert (code, err.count("\n")) == (2, 1)
        assert "x.json: .json holds a trace" in err


def test_suffixes_may_be_capitals(run, tmp_path):
    """As some systems write them."""
    for suffix in ("svg", "txt", "dot", "json", "html"):
        small, large = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix.upper()}"
        for path in (small, large):
            assert run("draw", "normal", "-o", path) == (0, "", "")
        assert small.read_bytes() == large.read_bytes()


SUFFIXES = ".svg, .pdf, .png, .html, .txt, .dot, .json"


@pytest.mark.parametrize(
    ("source", "output", "says"),
    [
        ("normal", "x.gif", f"x.gif: the file to draw must end in {SUFFIXES}"),
        ("normal", "x", f"x: the file to draw must end in {SUFFIXES}"),
        ("normal", "no/x.dot", "no/x.dot: No such file or directory"),
        ("normal", "no/x.json", "no/x.json: No such file or directory"),
        ("normal", "folder.dot", "folder.dot: Is a directory"),
        ("nothing", "x.dot", "nothing: no such file, and no scenario of that name"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows has other words")
def test_what_cannot_be_drawn_is_told_in_one_line(run, tmp_path, monkeypatch, source, output, says):
    """A wrong suffix, a place that cannot be written to: exit code 2 and one line."""
    monkeypatch.chdir(tmp_path)
    Path("folder.dot").mkdir()
    assert run("draw", source, "-o", output) == (2, "", f"tcpviz: {says}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.dot"]


def test_an_empty_capture_cannot_be_drawn(run, tmp_path):
    """There is no picture of nothing."""
    for view in ("chart", "server", "timelines"):
        code, out, err = run("draw", NO_PACKETS, "--view", view, "-o", tmp_path / "x.svg")
        assert (code, out) == (2, "")
        assert err.endswith("there is no connection 1; it holds no connections\n")
    assert list(tmp_path.iterdir()) == []


def test_without_graphviz_the_line_says_what_to_install(run, tmp_path, monkeypatch):
    """No engine: one line and exit code 2; the pictures that need none are still written."""
    monkeypatch.setenv("TCPVIZ_ENGINE", "dot")
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, err = run("draw", "normal", "-o", tmp_path / "x.svg")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "Graphviz" in err
    assert run("draw", "normal", "-o", tmp_path / "x.dot") == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["x.dot"]


# progress


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self):
        """It is."""
        return True


def watched(monkeypatch, stream, seconds):
    """Let work be told at these times; gives what is written while it lasts."""
    clock = iter([0.0, *(second for second in seconds for _ in "12")])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", stream)
    with terminal.Progress("reading big.pcap") as progress:
        for done in range(1, len(seconds) + 1):
            progress(done, 4)
    return stream.getvalue()


def test_quick_work_passes_without_a_word(monkeypatch):
    """A file that is read within a second says nothing."""
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        with terminal.Progress("reading") as progress:
            monkeypatch.setattr(terminal.time, "monotonic", lambda due=progress.due: due - 0.01)
            progress(1, 2)
        assert stream.getvalue() == ""
        monkeypatch.undo()


def test_a_terminal_sees_one_line_that_changes_and_goes(monkeypatch):
    """Long work rewrites its line, and wipes it at the end."""
    shown = watched(monkeypatch, Terminal(), [1.1, 1.4])
    wiped = " " * len("tcpviz: reading big.pcap: 50%")
    assert shown == (f"\rtcpviz: reading big.pcap: 25%\rtcpviz: reading big.pcap: 50%\r{wiped}\r")


def test_a_log_gets_a_line_now_and_then(monkeypatch):
    """Where standard error is a file, a line every five seconds is enough."""
    shown = watched(monkeypatch, io.StringIO(), [1.1, 6.2])
    assert shown == "tcpviz: reading big.pcap: 25%\ntcpviz: reading big.pcap: 50%\n"


# as a program


def test_standard_input_may_be_a_capture_or_json():
    """`-` reads what comes through a pipe."""
    code, out, err = ended("connections", "-", data=Path(NORMAL).read_bytes())
    assert (code, err) == (0, "")
    assert out.startswith("standard input: 1 connection in 22 packets\n")
    trace = read("handshake")[0]
    assert ended("show", "-", data=trace.dumps().encode()) == (0, f"{trace}\n", "")


@pytest.mark.parametrize("kind", ["text", "one octet", "missing", "folder", "nothing", "bad JSON"])
def test_bad_input_is_exit_code_2_and_one_line(tmp_path, kind):
    """No traceback, whatever the source is."""
    path = {"nothing": Path(os.devnull), "folder": tmp_path}.get(kind, tmp_path / "file")
    content = {"text": b"hello world\n", "one octet": b"x", "bad JSON": b'{"schema": 1}'}
    if kind in content:
        path.write_bytes(content[kind])
    code, out, err = ended("show", path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"tcpviz: {path}: ")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
def test_a_reader_who_has_read_enough_is_no_error():
    """`tcpviz show x --json | head -1` prints one line and complains of nothing."""
    with program("show", str(CAPTURES / "synflood_cookies.pcapng"), "--json") as process:
        assert process.stdout.readline() == b"{\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_in_one_line():
    """Output that cannot be written is an error of one line."""
    with Path("/dev/full").open("wb") as full, program("scenarios", stdout=full) as process:
        err = process.stderr.read()
    assert (process.returncode, err) == (
        2,
        b"tcpviz: standard output: No space left on device\n",
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows interrupts otherwise")
def test_an_interrupt_ends_quietly():
    """Ctrl-C while reading: exit code 130 and no traceback."""
    with program("show", "-", stdin=subprocess.PIPE) as process:
        process.stdin.write(Path(NORMAL).read_bytes()[:-10])
        process.stdin.flush()
        # The reader waits for more once it has taken what the pipe held.
        _wait_until_reading(process)
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.stdout.read() == b""
    assert process.returncode == 130


def _wait_until_reading(process):
    """Fill the pipe beyond what it holds: that succeeds only when the program reads it."""
    process.stdin.write(bytes(1 << 20))
    process.stdin.flush()


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "utf-16"])
def test_any_encoding_prints_everything(encoding):
    """A console that lacks a character gets an escape in its place, never a traceback."""
    with program("scenarios", env={"PYTHONIOENCODING": encoding}) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert "half_close" in out.decode(encoding)
