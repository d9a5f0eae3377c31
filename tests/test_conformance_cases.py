"""State-event cases: all that are given, what a case can hold, and that a wrong model is seen."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tcpviz import endpoint, judge, tcb
from tcpviz.endpoint import Endpoint, Outcome
from tcpviz.judge import Reading
from tcpviz.segment import ACK, FIN, RST, SYN, add
from tcpviz.states import Event, State
from tests.conformance import __main__ as command
from tests.conformance import document
from tests.conformance.notation import NotationError, load
from tests.conformance.reasons import REASONS
from tests.conformance.report import Note, Result, report
from tests.conformance.state_event import main, results
from tests.conformance.state_event import run as case_run

CASES = Path(__file__).parent / "data" / "state_event" / "cases.json"

# == the given cases =========================================================================


def test_every_given_case_agrees_or_differs_for_a_documented_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """0 differ; a line for each case that does not agree, the counts last, status 0."""
    assert command.main(["state_event", str(CASES)]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == "168 agree, 46 documented, 0 out of scope, 0 differ"
    assert len(lines) == 46
    assert all(line.endswith("]") for line in lines)


def test_the_command_runs_from_a_shell() -> None:
    """`python -m tests.conformance state_event FILE` is the command that the documents name."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.conformance", "state_event", str(CASES)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout.endswith(" 0 differ\n")


# == a wrong model is seen ===================================================================

_arrive, _listening = Endpoint.arrive, Endpoint._arrive_listening
_ack, _acked = tcb.Tcb.ack, tcb.Tcb.acknowledged
_text, _reset, _syn = judge._read_text, judge._read_reset, judge._read_syn
_outside, _sent_syn, _over = judge._read_unacceptable, judge.read_syn_sent, Endpoint._end
_close, _settle, _start = Endpoint._close, Endpoint._settle, Endpoint._synchronize


def _no_fin_ack(end: Any, segment: Any) -> Reading:
    reading = _text(end, segment)
    return reading._replace(owed=False) if segment.ctl & FIN else reading


def _in_state(state: State, otherwise: Any) -> Any:
    def arrive(end: Endpoint, segment: Any, now: int) -> Outcome:
        return Outcome(end) if end.state is state else otherwise(end, segment, now)

    return arrive


WRONG = {
    "no challenge ACK": (
        judge,
        "_read_reset",
        lambda t, s: r if (r := _reset(t, s)).over else Reading(),
    ),
    "any RST in the window accepted": (
        judge,
        "_read_reset",
        lambda t, s: Reading((Event.RCV_RST,), over=True),
    ),
    "no RST accepted": (judge, "_read_reset", lambda t, s: Reading()),
    "RST outside the window accepted": (
        judge,
        "_read_unacceptable",
        lambda t, s: Reading((Event.RCV_RST,), over=True) if s.ctl & RST else _outside(t, s),
    ),
    "RST challenged outside the window": (
        judge,
        "_read_unacceptable",
        lambda t, s: Reading(reply=t.ack()),
    ),
    "silent outside the window": (judge, "_read_unacceptable", lambda t, s: Reading()),
    "CLOSED is silent": (Endpoint, "arrive", _in_state(State.CLOSED, _arrive)),
    "LISTEN is silent": (
        Endpoint,
        "_arrive_listening",
        lambda e, s, now: Outcome(e) if s.ctl & ACK else _listening(e, s, now),
    ),
    "LISTEN ignores SYN": (
        Endpoint,
        "_arrive_listening",
        lambda e, s, now: Outcome(e) if s.ctl & SYN else _listening(e, s, now),
    ),
    "SYN-SENT is silent to a wrong ACK": (
        endpoint,
        "read_syn_sent",
        lambda t, s: Reading() if (r := _sent_syn(t, s)).reply else r,
    ),
    "SYN-SENT takes any RST": (
        endpoint,
        "read_syn_sent",
        lambda t, s: Reading((Event.RCV_RST,), over=True) if s.ctl & RST else _sent_syn(t, s),
    ),
    "TIME-WAIT is silent": (Endpoint, "arrive", _in_state(State.TIME_WAIT, _arrive)),
    "LAST-ACK is silent": (Endpoint, "arrive", _in_state(State.LAST_ACK, _arrive)),
    "wrong ACK number": (
        tcb.Tcb,
        "ack",
        lambda t: _ack(t)._replace(ack=add(t.rcv_nxt, 1)),
    ),
    "wrong number in an ACK": (
        tcb.Tcb,
        "ack",
        lambda t: _ack(t)._replace(seq=t.snd_una),
    ),
    "FIN not acknowledged": (judge, "_read_text", _no_fin_ack),
    "SYN in the window ignored": (judge, "_read_syn", lambda t, s: Reading()),
    "SYN in the window challenged always": (
        judge,
        "_read_syn",
        lambda t, s: Reading(reply=t.ack()),
    ),
    "SYN before the window resets": (
        judge,
        "_read_syn",
        lambda t, s: _syn(t, s._replace(seq=t.rcv_nxt)),
    ),
    "TIME-WAIT never reopens": (judge, "_reopens", lambda t, s: False),
    "TIME-WAIT reopens by any SYN": (
        judge,
        "_reopens",
        lambda t, s: t.state is State.TIME_WAIT and bool(s.ctl & SYN),
    ),
    "user is not told of a reset": (
        Endpoint,
        "_end",
        lambda e, event, last, now: _over(e, event, last, now)._replace(says=""),
    ),
    "no TIME-WAIT": (
        Endpoint,
        "_settle",
        lambda e, now, edges: (
            Outcome(e._replace(state=State.CLOSED).deleted(), edges=edges)
            if e.state is State.TIME_WAIT
            else _settle(e, now, edges)
        ),
    ),
    "CLOSE-WAIT sends no FIN": (
        Endpoint,
        "_close",
        lambda e, now, n: Outcome(e) if e.state is State.CLOSE_WAIT else _close(e, now, n),
    ),
    "SYN is never sent again": (Endpoint, "_retransmit", lambda e, now: Outcome(e)),
    "SYN is sent twice": (
        Endpoint,
        "_synchronize",
        lambda e, *a: (o := _start(e, *a))._replace(sent=o.sent * 2),
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_model_differs_and_no_reason_hides_it(
    what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each change of the model makes given cases differ, and the command says so."""
    place, name, change = WRONG[what]
    assert callable(getattr(place, name))
    monkeypatch.setattr(place, name, change)
    assert main([str(CASES)]) == 1
    assert not capsys.readouterr().out.endswith(", 0 differ\n")


def test_a_case_that_asks_for_one_wrong_thing_differs() -> None:
    """In each given case each segment in turn is asked for with one field wrong: never excused."""
    asked = 0
    for case in load(str(CASES)):
        for index, step in enumerate(case.steps):
            if step.get("dir") != "out":
                continue
            asked += 1
            wrong = [{"len": step["len"] + 1}, {"flags": [*step["flags"], "URG"]}]
            wrong += [{f: step[f] + 1} for f in ("seq", "ack") if step[f] is not None]
            steps = list(case.steps)
            steps[index] = {**step, **wrong[asked % len(wrong)]}
            assert case_run(case._replace(steps=tuple(steps))).verdict == "differ", (case.id, index)
    assert asked == 772


def test_each_documented_reason_is_needed_and_each_is_written_about() -> None:
    """A reason that covers no given case would only hide defects."""
    used = {note.reason for result in results(load(str(CASES))) for note in result.notes}
    assert used == {reason.name for reason in REASONS if not reason.out_of_scope}
    text = document.section()
    assert all(reason.name in text and reason.text in text for reason in REASONS)


# == what a case can hold ====================================================================


def call(name: str, result: str = "0", t: str = "+0.00", **more: Any) -> dict[str, Any]:
    return {"call": name, "result": result, "t": t, **more}


def seg(way: str, flags: str, seq: Any, ack: Any = None, n: int = 0, t: str = "+0.00") -> Any:
    kind = {">": "in", "<": "out"}[way]
    return {"dir": kind, "flags": flags.split(","), "seq": seq, "ack": ack, "len": n, "t": t}


SOCKET = [call("socket", "3"), call("fcntl", what="non-blocking", fd=3)]
CONNECT = [call("connect", "-1 EINPROGRESS", fd=3), seg("<", "SYN", 0)]
ESTABLISHED = [*SOCKET, *CONNECT, seg(">", "SYN,ACK", 0, 1, t="+0.10"), seg("<", "ACK", 1, 1)]
LISTEN = [call("socket", "3"), call("bind", fd=3), call("listen", fd=3, backlog=1)]
CHILD = [*LISTEN, seg(">", "SYN", 0), seg("<", "SYN,ACK", 0, 1), seg(">", "ACK", 1, 1, t="+0.10")]


def run(
    tmp_path: Path, steps: list[Any], state: str = "CLOSED", mode: str = "default", **more: Any
) -> Result:
    """What comes of one hand-made case."""
    case = {"id": "mine", "state": state, "mode": mode, "steps": steps, **more}
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"cases": [case]}), encoding="utf-8")
    return results(load(str(file)))[0]


FITTING = {
    "active OPEN": ("ESTABLISHED", [*ESTABLISHED, {"assert_state": "ESTABLISHED"}]),
    "passive OPEN": (
        "ESTABLISHED",
        [*CHILD, call("accept", "4", fd=3), {"assert_count": "ESTABLISHED", "n": 1}],
    ),
    "the listener stays": (
        "LISTEN",
        [*CHILD, {"assert_count": "LISTEN", "n": 1}, {"assert_count": "SYN_RCVD", "n": 0}],
    ),
    "a second connection after the first": (
        "LISTEN",
        [
            *CHILD,
            call("accept", "4", fd=3),
            seg(">", "RST", 1),
            {"assert_so_error": "ECONNRESET", "fd": 4},
            {"assert_count": "CLOSED", "n": 1},
            seg(">", "SYN", 9),
            seg("<", "SYN,ACK", 0, 10),
        ],
    ),
    "nobody to accept": ("LISTEN", [*LISTEN, call("accept", "-1 EWOULDBLOCK", fd=3)]),
    "an accept that is left out": (
        "LAST-ACK",
        [
            *CHILD,
            seg(">", "FIN,ACK", 1, 1),
            seg("<", "ACK", 1, 2),
            call("close", fd=4),
            seg("<", "FIN,ACK", 1, 2),
            seg(">", "ACK", 2, 2),
        ],
    ),
    "close of a listener resets what nobody accepted": (
        "ESTABLISHED",
        [*CHILD, call("close", fd=3), seg("<", "RST", 1)],
    ),
    "a connect that blocks": (
        "ESTABLISHED",
        [
            call("socket", "3"),
            call("connect", "0", fd=3),
            seg("<", "SYN", 0),
            seg(">", "SYN,ACK", 0, 1),
            seg("<", "ACK", 1, 1),
        ],
    ),
    "a connect that is left out, late and after other calls": (
        "SYN-SENT",
        [
            call("socket", "3", "+0.30"),
            call("setsockopt", fd=3, option="SO_REUSEADDR", value="1", t="+0.20"),
            seg("<", "SYN", 0, t="+0.50"),
            seg(">", "SYN", 0, t="+0.10"),
            seg("<", "SYN,ACK", 0, 1),
        ],
    ),
    "an absolute time": (
        "SYN-SENT",
        [*SOCKET, *CONNECT, seg("<", "SYN", 0, t="1.00"), seg("<", "SYN", 0, t="3.00")],
    ),
    "SYN sent again, by the time between": (
        "SYN-SENT",
        [*SOCKET, *CONNECT, seg("<", "SYN", 0, t="+1.00"), seg("<", "SYN", 0, t="+2.00")],
    ),
    "refused": (
        "SYN-SENT",
        [
            *SOCKET,
            *CONNECT,
            seg(">", "RST,ACK", 0, 1),
            {"assert_so_error": "ECONNREFUSED"},
            {"assert_so_error": "0"},
        ],
    ),
    "data both ways": (
        "ESTABLISHED",
        [
            *ESTABLISHED,
            call("read", "-1 EAGAIN", fd=3, bytes=9),
            seg(">", "ACK", 1, 1, 5),
            seg("<", "ACK", 1, 6),
            call("read", "3", fd=3, bytes=3),
            call("recv", "2", fd=3, bytes=3),
            call("send", "7", fd=3, bytes=7),
            seg("<", "PSH,ACK", 1, 6, 7),
            call("write", "1", fd=3, bytes=1),
            seg("<", "ACK", 8, 6, 1),
            seg(">", "FIN,ACK", 6, 9),
            seg("<", "ACK", 9, 7),
            call("read", "0", fd=3, bytes=3),
        ],
    ),
    "close with data unread": (
        "ESTABLISHED",
        [
            *ESTABLISHED,
            seg(">", "ACK", 1, 1, 5),
            seg("<", "ACK", 1, 6),
            call("close", fd=3),
            seg("<", "RST", 1),
        ],
    ),
    "no time to linger": (
        "ESTABLISHED",
        [
            *ESTABLISHED,
            call("setsockopt", fd=3, option="SO_LINGER", value="1,0"),
            call("close", fd=3),
            seg("<", "RST", 1),
        ],
    ),
    "shutdown": (
        "FIN-WAIT-1",
        [*ESTABLISHED, call("shutdown", fd=3, how="WR"), seg("<", "FIN,ACK", 1, 1)],
    ),
    "calls that cannot be": (
        "CLOSED",
        [
            *SOCKET,
            call("shutdown", "-1 ENOTCONN", fd=3, how="WR"),
            call("write", "-1 ENOTCONN", fd=3, bytes=1),
            call("accept", "-1 EINVAL", fd=3),
            call("close", fd=3),
            call("close", "-1 EBADF", fd=3),
        ],
    ),
    "numbers below the ISN": (
        "SYN-RECEIVED",
        [*LISTEN, seg(">", "SYN", 4294967295), seg("<", "SYN,ACK", 0, 0)],
    ),
    "nobody there": ("CLOSED", [seg(">", "SYN", 5), seg("<", "RST,ACK", 0, 6)]),
}


@pytest.mark.parametrize("what", FITTING)
def test_a_case_that_describes_the_model_agrees(what: str, tmp_path: Path) -> None:
    """Each kind of step is carried out."""
    state, steps = FITTING[what]
    assert run(tmp_path, steps, state) == Result("mine")


NOT_FITTING = {
    "flags": ([*SOCKET, CONNECT[0], seg("<", "SYN,ACK", 0, 0)], "expected <SEQ=0><ACK=0>"),
    "sequence number": ([*SOCKET, CONNECT[0], seg("<", "SYN", 1)], "sent <SEQ=0><CTL=SYN>"),
    "ACK number": ([*ESTABLISHED[:-1], seg("<", "ACK", 1, 2)], "sent <SEQ=1><ACK=1>"),
    "length": ([*ESTABLISHED[:-1], seg("<", "ACK", 1, 1, 3)], "expected <SEQ=1><ACK=1><CTL=ACK>"),
    "time": ([*SOCKET, *CONNECT, seg("<", "SYN", 0, t="+2.00")], "after 1.00 s, not 2.00 s"),
    "silence": ([*SOCKET, *CONNECT, seg("<", "SYN", 0)], "silent, expected <SEQ=0><CTL=SYN>"),
    "noise": ([*SOCKET, CONNECT[0]], "at the end: sent, unasked, <SEQ=0><CTL=SYN>"),
    "state": ([*ESTABLISHED, {"assert_state": "CLOSE_WAIT"}], "in ESTABLISHED, expected CLOSE-W"),
    "error": ([*ESTABLISHED, {"assert_so_error": "ECONNRESET"}], "SO_ERROR 0, expected ECONN"),
    "count": ([*ESTABLISHED, {"assert_count": "TIME_WAIT", "n": 1}], "0 in TIME_WAIT, expected 1"),
    "result": ([*LISTEN, call("accept", "4", fd=3)], "accept returned -1 EWOULDBLOCK, expected 4"),
    "descriptor": ([call("socket", "4")], "socket returned 3, expected 4"),
    "connect": (
        [call("socket", "3"), call("connect", "0", fd=3), seg("<", "SYN", 0)],
        "connect came to nothing yet, expected 0",
    ),
}


@pytest.mark.parametrize("what", NOT_FITTING)
def test_what_a_case_asks_is_compared(what: str, tmp_path: Path) -> None:
    """Whatever a step says wrongly is a difference, with what was and what was expected."""
    steps, text = NOT_FITTING[what]
    result = run(tmp_path, steps)
    assert result.verdict == "differ"
    assert text in result.notes[-1].text


def test_the_state_of_a_case_must_be_reached(tmp_path: Path) -> None:
    """A case of a state is none if the end never is in it."""
    result = run(tmp_path, ESTABLISHED, "FIN-WAIT-2")
    assert result.notes == (Note("at the end: was never in FIN-WAIT-2"),)


def _steps(name: str) -> list[dict[str, Any]]:
    """The steps of a given case, as they stand in the file."""
    cases = json.loads(CASES.read_text("utf-8"))["cases"]
    return next(case["steps"] for case in cases if case["id"] == name)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("rcv-syn-fin-with-data-closed", "CLOSED"),
        ("rcv-syn-fin-with-data-listen-dropping-disabled", "LISTEN"),
        ("rcv-syn-fin-time-wait-using-shutdown-outside-left-insecure-drop-STANDARD", "TIME-WAIT"),
    ],
)
def test_a_syn_fin_is_not_dropped_where_nothing_shows_it(
    tmp_path: Path, name: str, state: str
) -> None:
    """Without its answer such a case asks for a silence that might be a defect: it differs."""
    steps = _steps(name)
    stimulus = max(i for i, s in enumerate(steps) if s.get("flags") == ["SYN", "FIN"])
    assert steps.pop(stimulus + 1)["dir"] == "out"
    assert run(tmp_path, steps, state).verdict == "differ"


def test_a_syn_at_an_absolute_time_is_no_connect_that_was_left_out(tmp_path: Path) -> None:
    """Without its first SYN a case of SYN-SENT has none of whom the second could come."""
    steps = _steps("rcv-rst-with-data-syn-sent")
    assert run(tmp_path, steps, "SYN-SENT").verdict == "agree"
    assert steps.pop(2)["flags"] == ["SYN"]
    assert run(tmp_path, steps, "SYN-SENT").verdict == "differ"


def test_the_mode_chooses_the_answer_to_a_syn(tmp_path: Path) -> None:
    """rfc793 switches the challenge ACK off, and nothing else does."""
    challenged = [*ESTABLISHED, seg(">", "SYN", 1, t="+0.10"), seg("<", "ACK", 1, 1)]
    reset = [*ESTABLISHED, seg(">", "SYN", 1, t="+0.10"), seg("<", "RST,ACK", 1, 1)]
    for mode in ("default", "rfc5961"):
        assert run(tmp_path, challenged, mode=mode).verdict == "agree"
        assert run(tmp_path, reset, mode=mode).verdict == "differ"
    assert run(tmp_path, reset, mode="rfc793").verdict == "agree"
    assert run(tmp_path, challenged, mode="rfc793").verdict == "differ"


def test_after_a_documented_difference_the_rest_is_still_compared(tmp_path: Path) -> None:
    """FreeBSD's FIN in answer to a FIN is documented; a wrong answer after it is not."""
    closing = [
        *ESTABLISHED,
        call("shutdown", fd=3, how="WR"),
        seg("<", "FIN,ACK", 1, 1),
        seg(">", "FIN,ACK", 1, 1),
        seg("<", "FIN,ACK", 1, 2),
        seg(">", "SYN", 70000, t="+0.10"),
    ]
    right = run(tmp_path, [*closing, seg("<", "ACK", 2, 2)], "CLOSING")
    assert (right.verdict, [n.reason for n in right.notes]) == (
        "documented",
        ["FIN answered by FIN"],
    )
    wrong = run(tmp_path, [*closing, seg("<", "ACK", 2, 3)], "CLOSING")
    assert (wrong.verdict, [n.reason for n in wrong.notes]) == (
        "differ",
        ["FIN answered by FIN", ""],
    )


def test_a_number_between_the_two_right_edges_is_out_of_scope(tmp_path: Path) -> None:
    """Which window the end has decides, and only there: outside both the model must be right."""
    listener = [*CHILD, seg(">", "RST", 65600, t="+0.10"), seg("<", "ACK", 1, 1)]
    assert run(tmp_path, listener).verdict == "out of scope"
    outside = [*CHILD, seg(">", "RST", 65701, t="+0.10"), seg("<", "ACK", 1, 1)]
    assert run(tmp_path, outside).verdict == "differ"


def test_when_a_fin_is_sent_again_is_out_of_scope_but_not_that_it_is_a_fin(tmp_path: Path) -> None:
    """Another RTO is no difference of connection management; another segment is."""
    closed = [*ESTABLISHED, call("shutdown", fd=3, how="WR"), seg("<", "FIN,ACK", 1, 1)]
    early = [*closed, seg("<", "FIN,ACK", 1, 1, t="+0.30")]
    assert run(tmp_path, early).verdict == "out of scope"
    unasked = [*closed, {**seg(">", "ACK", 1, 2), "t": "+1.50"}]
    assert run(tmp_path, unasked).verdict == "out of scope"
    assert run(tmp_path, [*closed, seg("<", "ACK", 2, 1, t="+0.30")]).verdict == "differ"


def test_fast_open_is_out_of_scope(tmp_path: Path) -> None:
    """A case that switches it on says nothing about the model."""
    steps = [
        *LISTEN,
        call("setsockopt", fd=3, option="TCP_FASTOPEN", value="1"),
        seg("<", "SYN", 5),
    ]
    assert run(tmp_path, steps).verdict == "out of scope"


# == bad files ===============================================================================

BAD_STEPS = {
    "unknown call": (call("ioctl", fd=3), "step 0: unknown call 'ioctl'"),
    "unknown field": ({**SOCKET[0], "colour": 1}, "step 0: unknown field 'colour'"),
    "missing field": (call("close"), "step 0: no field 'fd'"),
    "unknown option": (call("setsockopt", fd=3, option="X", value=1), "unknown option 'X'"),
    "unknown flag": (seg(">", "SIN", 0), "unknown flags ['SIN']"),
    "no number": (seg(">", "SYN", None), "'seq' is a sequence number, not None"),
    "no time": (seg(">", "SYN", 0, t="soon"), 'is "+0.10" or "2.00" (seconds), not \'soon\''),
    "unknown state": ({"assert_state": "OPEN"}, "unknown state 'OPEN'"),
    "unknown error": ({"assert_so_error": "oops"}, "unknown error 'oops'"),
    "no count": ({"assert_count": "CLOSED"}, "'n\" is a count".replace("'", '"')),
    "bad result": (call("socket", "three"), "not 'three'"),
    "no step": ({"sleep": 1}, "neither a call, a segment nor an assert"),
    "no object": (7, "neither a call, a segment nor an assert"),
    "wrong way": ({**seg(">", "SYN", 0), "dir": "up"}, '"dir" is "in" or "out"'),
}


@pytest.mark.parametrize("what", BAD_STEPS)
def test_a_step_that_is_not_in_the_notation_is_one_line_that_says_where(
    what: str, tmp_path: Path
) -> None:
    """File, case and step are named; nothing is run."""
    step, text = BAD_STEPS[what]
    with pytest.raises(NotationError) as error:
        run(tmp_path, [step])
    message = str(error.value)
    assert text in message
    assert "cases.json: mine: step 0: " in message
    assert "\n" not in message


BAD_FILES = {
    "no JSON": ("{", "cannot be read"),
    "no object": ("[]", 'no list "cases"'),
    "no cases": ("{}", 'no list "cases"'),
    "no case": ('{"cases": [1]}', "case 0: a case is an object, not 1"),
    "no id": ('{"cases": [{"state": "CLOSED"}]}', "case 0: no field 'id'"),
    "unknown mode": (
        '{"cases": [{"id": "a", "state": "LISTEN", "mode": "x", "steps": []}]}',
        "a: unknown mode 'x'",
    ),
    "unknown variant": (
        '{"cases":[{"id":"a","state":"LISTEN","mode":"default","variant":"x","steps":[]}]}',
        "a: unknown variant 'x'",
    ),
    "unknown state": (
        '{"cases": [{"id": "a", "state": "OPEN", "mode": "default", "steps": []}]}',
        "a: unknown state 'OPEN'",
    ),
    "no steps": (
        '{"cases": [{"id": "a", "state": "LISTEN", "mode": "default", "steps": 1}]}',
        '"steps" is a list',
    ),
    "unknown field": ('{"cases": [{"id": "a", "weather": 1}]}', "a: unknown field 'weather'"),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_file_is_status_2_and_one_line(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the file and what is wrong; nothing goes to the report."""
    content, text = BAD_FILES[what]
    file = tmp_path / "bad.json"
    file.write_text(content, encoding="utf-8")
    assert main([str(file)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"{file}: ")
    assert text in err


def test_a_missing_file_and_a_wrong_command_are_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, and no traceback."""
    assert main([str(tmp_path / "none.json")]) == 2
    assert main([]) == 2
    assert command.main(["weather"]) == 2
    assert command.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 4


def test_the_report_counts_each_case_once_by_its_worst_difference(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Undocumented before documented before out of scope."""
    why, edge = Note("x", "why"), Note("y", "edge", out_of_scope=True)
    found = [
        Result("a"),
        Result("b", (edge,)),
        Result("c", (why, edge)),
        Result("d", (why, Note("z"))),
    ]
    assert report(found) == 1
    assert capsys.readouterr().out.splitlines() == [
        "b: out of scope: y [edge]",
        "c: documented: x [why]; y [edge]",
        "d: differ: x [why]; z",
        "1 agree, 1 documented, 1 out of scope, 1 differ",
    ]
    assert report(found[:3]) == 0
