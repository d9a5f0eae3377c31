"""The model does what 25 recordings of Linux show, and the comparison is one that can fail."""

import copy
import json
from functools import cache
from pathlib import Path

import pytest

from tcpviz.rules import LINUX, RFC9293
from tcpviz.scenario import At, Lose, Scenario
from tcpviz.simulate import simulate
from tcpviz.states import Event, State
from tcpviz.steps import Kind
from tcpviz.units import MS, S
from tests.conformance.compare import wheel
from tests.conformance.recorded import read
from tests.conformance.recordings import judge, main
from tests.conformance.replay import rules_of

RECORDINGS = Path(__file__).parent / "data" / "recordings"
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))
SHOWN = {
    "answer_crossing": "simultaneous_open",
    "syn_ack_again": "duplicates",
    "ack_throttle": "duplicates",
    "reset_carries_ack": "linger0_abort",
    "syn_after_reset": "halfopen_syn",
    "fin_ack_delays": "close_3seg",
    "rto_floor": "lost_fin",
    "tail_loss_probe": "acceptq_overflow",
    "linear_syn_timeouts": "long_syn_timeout",
    "r2_syn": "long_syn_timeout",
    "fin_wait_2": "close_wait_leak",
}
"""The rules of Linux that a recording shows."""


MORE = RECORDINGS.parent / "recordings_more"
"""Recordings made the same way, of what the 25 do not show."""
MORE_NAMES = sorted(path.stem for path in MORE.glob("*.json"))
SHOWN_BY_MORE = {
    "nagle": "nagle_close",
    "reopen_from_time_wait": "server_tw_reopen",
    "r2_syn_ack": "synack_retries2",
    "r2_orphan": "orphan_retries2",
    "keepalive_resets": "keepalive",
    "fin_wait_2": "linger2",
    "syn_resets_syn_received": "rst_syn_received",
    "user_timeout_late": "user_timeout_1000",
}


@cache
def data(name):
    folder = RECORDINGS if (RECORDINGS / f"{name}.json").exists() else MORE
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def result(given, **rules):
    return judge(read(given, given["scenario"]), lambda r: r._replace(**rules))


@pytest.mark.parametrize("name", NAMES)
def test_the_model_does_what_was_recorded(name):
    """No recording differs; two part from the model in a documented way."""
    documented = {"close_3seg", "halfopen_syn"}
    assert result(data(name)).verdict == ("documented" if name in documented else "agree")


@pytest.mark.parametrize("name", MORE_NAMES)
def test_the_model_does_what_was_recorded_beyond_the_25(name):
    """Losses, queues, options, sysctls, injected segments: nothing differs either."""
    documented = {"three_lossy", "fig10"}
    assert result(data(name)).verdict == ("documented" if name in documented else "agree")


@pytest.mark.parametrize("rule", SHOWN_BY_MORE)
def test_without_another_rule_of_linux_another_recording_differs(rule):
    """What the 25 do not show of Linux, these do."""
    standard = {rule: getattr(RFC9293, rule)}
    assert result(data(SHOWN_BY_MORE[rule]), **standard).verdict == "differ"


def test_the_command_prints_only_what_is_not_plain_agreement_and_counts(capsys):
    """One line per documented recording with the reason, then the counts; status 0."""
    assert main([str(RECORDINGS)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{len(NAMES) - 2} agree, 2 documented, 0 out of scope, 0 differ"
    assert [line.split(": ")[:2] for line in lines[:-1]] == [
        ["close_3seg", "documented"],
        ["halfopen_syn", "documented"],
    ]


@pytest.mark.parametrize("rule", SHOWN)
def test_without_a_rule_of_linux_a_recording_differs(rule):
    """Each rule that a recording shows is needed: with the standard's choice the model differs."""
    assert result(data(SHOWN[rule]), **{rule: getattr(RFC9293, rule)}).verdict == "differ"


def test_tw_buckets_and_fin_timeout_come_from_the_sysctls():
    """A sysctl is input: as if it had its default, the recording that changed it differs."""
    for name, sysctl in [
        ("no_timewait_lost_last_ack", "tcp_max_tw_buckets"),
        ("close_wait_leak", "tcp_fin_timeout"),
    ]:
        changed = copy.deepcopy(data(name))
        del changed["sysctls"]["client"][sysctl]
        assert result(changed).verdict == "differ"


def falsified(name, index, **fields):
    """A recording in which one segment has other fields."""
    changed = copy.deepcopy(data(name))
    changed["segments"][index].update(fields)
    return changed


@pytest.mark.parametrize("name", ["normal", "half_close", "lost_fin", "simultaneous_close"])
@pytest.mark.parametrize(
    ("field", "value"),
    [("flags", ["RST"]), ("seq", 99), ("seq_raw", 99), ("ack", 99), ("ack_raw", 99), ("len", 3)],
)
def test_one_wrong_field_of_one_segment_is_found(name, field, value):
    """Whichever segment after the SYN has a wrong flag, number or length: it differs."""
    for index in range(2, len(data(name)["segments"])):
        assert result(falsified(name, index, **{field: value})).verdict == "differ", index


@pytest.mark.parametrize("name", NAMES)
def test_a_segment_more_or_less_is_found(name):
    """Without its last delivered segment, or with it twice, a recording is no longer matched."""
    segments = data(name)["segments"]
    last = max(i for i, s in enumerate(segments) if s["from"] != "injected")
    if segments[last]["fate"] == "lost" or segments[last]["flags"] == ["SYN"]:
        pytest.skip("the wire's loss would be taken away with it")
    late = max(each["t"] for each in data(name)["poll"]) + 30
    fewer, more = copy.deepcopy(data(name)), copy.deepcopy(data(name))
    del fewer["segments"][last]
    fewer["calls"].append({"t": late, "end": "client", "op": "restart", "connection": None})
    again = {**segments[last], "t_tx": segments[last]["t_tx"] + 0.002}
    more["segments"].insert(last + 1, again)
    assert result(fewer).verdict == "differ"
    assert result(more).verdict == "differ"


def test_another_order_is_found():
    """Two segments of different ends that change places, more than 1 ms apart, are found."""
    changed = copy.deepcopy(data("port_exhaustion"))
    first, second = (i for i, s in enumerate(changed["segments"]) if s["flags"] == ["SYN"])
    client = [s["src"] for s in changed["segments"]]
    for each in changed["segments"]:
        if each["src"] == client[second] or each["dst"] == client[second]:
            each["t_tx"] -= 0.44
            each["t_rx"] -= 0.44
    assert first < second
    assert result(changed).verdict == "differ"


@pytest.mark.parametrize("name", ["normal", "half_close", "simultaneous_close", "refused"])
def test_a_wrong_state_is_found(name):
    """A state that the kernel did not trace, or another one in its place: it differs."""
    for index, entry in enumerate(data(name)["trace"]):
        if entry["dport"] == "0" or entry["newstate"] in ("TCP_SYN_RECV", "TCP_CLOSE"):
            continue
        changed = copy.deepcopy(data(name))
        wrong = "TCP_CLOSING" if entry["newstate"] != "TCP_CLOSING" else "TCP_CLOSE_WAIT"
        changed["trace"][index]["newstate"] = wrong
        assert result(changed).verdict == "differ", index


def test_a_time_wait_that_was_not_there_is_found():
    """The dumps count: TIME-WAIT that they do not show makes a difference."""
    changed = copy.deepcopy(data("normal"))
    changed["poll"] = [
        {**each, "state": None} if each["state"] == "TIME_WAIT" else each
        for each in changed["poll"]
    ]
    assert result(changed).verdict == "differ"


# -- what cannot be read ---------------------------------------------------------------------------


def run(folder, capsys):
    status = main([str(folder)])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err.splitlines()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no folder with recordings"),
        ({"a.json": "{"}, "a.json"),
        ({"a.json": "[]"}, "none of its JSON files is a recording"),
        ({"a.json": '{"calls": [], "segments": []}'}, "no 'addresses'"),
        ({"a.json": '{"calls": [{"op": "listen"}], "segments": []}'}, "no 't'"),
        ({"a.json": '{"calls": 3, "segments": []}'}, "a.json"),
    ],
)
def test_a_folder_that_cannot_be_read_is_one_line_and_status_2(tmp_path, capsys, files, says):
    """No recordings, broken JSON, missing fields: status 2 and one line that says where."""
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    status, out, err = run(tmp_path, capsys)
    assert (status, out, len(err)) == (2, [], 1)
    assert says in err[0]


def test_no_folder_at_all_is_one_line_and_status_2(tmp_path, capsys):
    """A path that is not there, and a call without one."""
    status, _, err = run(tmp_path / "nowhere", capsys)
    assert (status, len(err)) == (2, 1)
    assert main([]) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"op": "whistle"}, "calls[0].op: 'whistle' is not one of listen,"),
        ({"op": "option", "name": "TCP_MAGIC"}, "calls[0].name: 'TCP_MAGIC' is not one of"),
        ({"op": "shutdown", "how": "UP"}, "calls[0].how: 'UP' is not one of WR, RDWR"),
    ],
)
def test_an_unknown_word_is_one_line_and_out_of_scope(tmp_path, capsys, change, says):
    """A word without a meaning here puts a recording out of scope; the line says it and where."""
    changed = copy.deepcopy(data("normal"))
    changed["calls"][0].update(change)
    (tmp_path / "strange.json").write_text(json.dumps(changed), "utf-8")
    status, out, _ = run(tmp_path, capsys)
    assert status == 0
    assert out[0].startswith(f"strange: out of scope: {says}")
    assert out[1:] == ["0 agree, 0 documented, 1 out of scope, 0 differ"]


def test_a_recording_that_differs_makes_status_1(tmp_path, capsys):
    """One line says which segment of which end, and what the model sends instead."""
    changed = falsified("normal", 3, len=4)
    (tmp_path / "wrong.json").write_text(json.dumps(changed), "utf-8")
    status, out, _ = run(tmp_path, capsys)
    assert (status, len(out)) == (1, 2)
    assert out[0].startswith("wrong: differ: client of 10.9.1.1:40000 to 10.9.1.2:7000: recorded")
    assert "<DATA=4>" in out[0]


# -- timers ----------------------------------------------------------------------------------------

# Measured on Linux 6.18, in seconds from the first sending; the last entry is the giving up.
SYN_LINEAR_4 = [0, 1.0, 2.03, 3.05, 4.08, 5.1, 7.11, 11.18, 19.37, 35.5, 69.03, 134.57]
SYN_LINEAR_0 = [0, 1.02, 3.04, 7.14, 15.33, 31.46, 64.22, 129.76]
SYN_ACK = [0, 1.01, 3.02, 7.21, 15.41, 31.53, 64.82]
FIN = [0, 0.31, 0.63, 1.27, 2.52, 5.14, 10.26, 20.25, 40.22, 81.18, 161.05]


def schedule(scenario, end, control):
    """When an end sends a segment, counted from the first time, and when it gives up."""
    trace = simulate(scenario)
    assert not trace.notes
    sent = [
        step.time
        for step in trace.steps
        if step.kind is Kind.DEPART and step.end == end and step.segment.control == control
    ]
    over = next(
        step.time
        for step in trace.steps
        if step.time > sent[-1] and step.end == end and step.edges
        if step.state in (State.CLOSED, State.LISTEN)
    )
    return [time - sent[0] for time in (*sent, over)]


def as_measured(modelled, measured):
    """Never early, and late by no more than the wheel of the kernel's timers, step by step."""
    assert len(modelled) == len(measured)
    late, before = 5 * MS, 0
    for ours, theirs in zip(modelled, measured, strict=True):
        late += wheel(ours - before)
        before = ours
        assert ours - 10 * MS <= theirs * S <= ours + late, (ours, theirs)


OPEN = At(0, "client", Event.ACTIVE_OPEN)
LISTEN = At(0, "server", Event.PASSIVE_OPEN)


@pytest.mark.parametrize(("linear", "measured"), [(4, SYN_LINEAR_4), (0, SYN_LINEAR_0)])
def test_syns_are_sent_again_and_given_up_as_measured(linear, measured):
    """tcp_syn_retries = 6 counts beyond the linear timeouts."""
    rules = rules_of({"tcp_syn_linear_timeouts": linear, "tcp_syn_retries": 6})
    lost = [Lose("client", "SYN", None)]
    scenario = Scenario(calls=[LISTEN, OPEN], network=lost, rules=rules)
    as_measured(schedule(scenario, "client", "SYN"), measured)


def test_syn_acks_are_sent_again_and_forgotten_as_measured():
    """Five retransmissions, and the request is gone after another doubling."""
    lost = [Lose("server", "SYN,ACK", None), Lose("client", "SYN", 2), Lose("client", "SYN", 3)]
    rules = LINUX._replace(r2_syn=1, linear_syn_timeouts=0)
    scenario = Scenario(calls=[LISTEN, OPEN], network=lost[:2], rules=rules, server_rules=LINUX)
    as_measured(schedule(scenario, "server", "SYN,ACK"), SYN_ACK)


def test_a_fin_in_last_ack_is_sent_again_and_given_up_as_measured():
    """A tail loss probe after RTT + 200 ms, eight retransmissions, then the orphan is given up."""
    calls = [
        LISTEN,
        OPEN,
        At(1 * S, "client", Event.CLOSE_HALF_DUPLEX),
        At(2 * S, "server", Event.CLOSE_HALF_DUPLEX),
    ]
    lost = [Lose("server", "FIN,ACK", None)]
    scenario = Scenario(calls=calls, network=lost, rules=LINUX, delay=50 * MS)
    as_measured(schedule(scenario, "server", "FIN,ACK"), FIN)


def test_sysctls_make_rules():
    """Without sysctls the rules are LINUX; each sysctl changes the rule that it is about."""
    assert rules_of({}) == LINUX
    changed = rules_of({"tcp_rfc1337": 1, "tcp_orphan_retries": 3, "tcp_synack_retries": 2})
    assert changed.differences().items() >= {
        ("time_wait_ignores_rst", True),
        ("r2_orphan", 3),
        ("r2_syn_ack", 2),
    }
