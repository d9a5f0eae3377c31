"""The model does what 25 recordings of Linux show, and the comparison is one that can fail."""

import copy
import json
import random
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
from tests.conformance.shape import BadRecording, UnknownWord
from tests.conformance.sysctls import checked, rules_of, with_options
from tests.conformance.wire import delay

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
        ({"a.json": "[]"}, "none of its JSON files is a recording"),
    ],
)
def test_a_folder_without_recordings_is_one_line_and_status_2(tmp_path, capsys, files, says):
    """There is nothing to count."""
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    status, out, err = run(tmp_path, capsys)
    assert (status, out, len(err)) == (2, [], 1)
    assert says in err[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "a.json: Expecting"),
        ("[" * 100_000, "a.json: maximum recursion depth"),
        ('{"segments": []}', "a.json: recording: no 'calls'"),
        ('{"calls": [], "segments": []}', "a.json: recording: no 'addresses'"),
        ('{"calls": [{"op": "listen"}], "segments": []}', "a.json: calls[0]: no 't'"),
        ('{"calls": 3, "segments": []}', "a.json: calls: 3 is not a list"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_the_others_to_be_judged(tmp_path, capsys, text, says):
    """One line that names the file and the field, the counts of the rest, and status 2."""
    (tmp_path / "a.json").write_text(text, "utf-8")
    (tmp_path / "b.json").write_text(json.dumps(data("normal")), "utf-8")
    status, out, err = run(tmp_path, capsys)
    assert (status, len(err)) == (2, 1)
    assert says in err[0]
    assert out == ["1 agree, 0 documented, 0 out of scope, 0 differ"]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("segments", 4, "seq"), "x", "segments[4].seq: 'x' is not a whole number"),
        (("segments", 3, "ack"), "12", "segments[3].ack: '12' is not a whole number"),
        (("segments", 1, "t_tx"), float("inf"), "segments[1].t_tx: inf is not a number"),
        (("segments", 1, "t_tx"), float("nan"), "segments[1].t_tx: nan is not a number"),
        (("segments", 0, "opts"), [["MSS", []]], "segments[0].opts[0][1]: [] is not a whole"),
        (("segments", 0, "opts"), [[{}, 1]], "segments[0].opts[0]: [{}, 1] is not a name"),
        (("segments", 0, "flags"), ["SYN", "NO"], "segments[0].flags[1]: 'NO' is not one of"),
        (("calls", 0, "connection"), {}, "calls[0].connection: {} is not a whole number"),
        (("calls", 0, "op"), "whistle", "calls[0].op: 'whistle' is not one of listen,"),
        (("calls", 0, "t"), -1, "calls[0].t: -1 is not a number from 0 to 1000000"),
        (("one_way_delay_s",), -0.05, "one_way_delay_s: -0.05 is not a number from 0 to 1000"),
        (("addresses", "client"), 7, "addresses.client: 7 is not an address and port"),
        (("poll", 0, "local"), None, "poll[0].local: None is not an address and port"),
        (("trace", 0, "sport"), 7000, "trace[0].sport: 7000 is not a port"),
        (("sysctls", "server", "tcp_synack_retries"), "x", "tcp_synack_retries: 'x' is not a"),
        (("sysctls", "client", "tcp_syn_retries"), 0, "tcp_syn_retries: 0 is not a whole number"),
    ],
)
def test_a_field_that_cannot_be_is_named(path, value, says):
    """Whatever stands there, the error says which field it is and what should stand there."""
    changed = copy.deepcopy(data("normal"))
    *way, last = path
    place = changed
    for step in way:
        place = place[step]
    place[last] = value
    with pytest.raises(BadRecording) as problem:
        read(changed, "normal")
    assert says in str(problem.value)


def without(name, index):
    """A recording without one segment."""
    changed = copy.deepcopy(data(name))
    del changed["segments"][index]
    return changed


@pytest.mark.parametrize("name", ["normal", "half_close", "close_unread", "kill_server"])
def test_an_ack_of_data_that_is_missing_differs_where_nobody_talks(name):
    """Linux delays ACKs only at an end that has answered data with data."""
    segments = data(name)["segments"]
    data_at = next(i for i, s in enumerate(segments) if s["len"])
    sender = segments[data_at]["from"]
    ack = next(
        i
        for i, s in enumerate(segments)
        if i > data_at and s["from"] not in (sender, "injected") and s["flags"] == ["ACK"]
    )
    assert result(without(name, ack)).verdict == "differ"


def dialogue(*, quick):
    """A recording of two that answer each other within 10 ms; `quick`: the second ACK is bare."""
    made = copy.deepcopy(data("normal"))
    a, b = made["addresses"]["client"], made["addresses"]["server"]
    calls, segments = [], []

    def call(time, end, op, **values):
        calls.append({"t": time, "end": end, "op": op, "connection": 1, **values})

    def sent(time, end, flags, seq, ack, octets=0):
        way = (a, b) if end == "client" else (b, a)
        numbers = {"seq": seq, "ack": ack, "seq_raw": 1000 + seq, "ack_raw": 1000 + (ack or 0)}
        segments.append(
            {"t_tx": time, "t_rx": time + 0.05, "from": end, "src": way[0], "dst": way[1]}
            | {"flags": flags.split(","), "len": octets, "fate": "delivered", **numbers}
        )

    calls.append({"t": 0.1, "end": "server", "op": "listen", "connection": None, "backlog": 16})
    call(0.2, "client", "connect")
    sent(0.2, "client", "SYN", 0, None)
    sent(0.25, "server", "SYN,ACK", 0, 1)
    sent(0.3, "client", "ACK", 1, 1)
    call(0.35, "server", "accept", result="ok")
    for turn, begins in enumerate((0.5, 1.0)):
        mine = 1 + 5 * turn
        call(begins, "client", "send", bytes=5, result="ok")
        sent(begins, "client", "PSH,ACK", mine, mine, 5)
        if turn == 0 or quick:
            sent(begins + 0.0501, "server", "ACK", mine, mine + 5)
        call(begins + 0.06, "server", "send", bytes=5, result="ok")
        sent(begins + 0.06, "server", "PSH,ACK", mine, mine + 5, 5)
        sent(begins + 0.1101, "client", "ACK", mine + 5, mine + 5)
    made.update(calls=calls, segments=segments, trace=[], poll=[])
    return made


def test_an_end_in_a_dialogue_may_delay_its_ack_but_not_its_first():
    """The second ACK rides on the answer, which is documented; without the first it differs."""
    assert result(dialogue(quick=True)).verdict == "agree"
    made = result(dialogue(quick=False))
    assert made.verdict == "documented"
    assert [note.reason.split(":")[0] for note in made.notes] == ["delayed-ack"]
    first = dialogue(quick=True)
    bare = [i for i, s in enumerate(first["segments"]) if s["flags"] == ["ACK"]][1]
    assert first["segments"][bare]["from"] == "server"
    del first["segments"][bare]
    assert result(first).verdict == "differ"


@pytest.mark.parametrize(
    "change",
    [{"flags": ["FIN", "RST"]}, {"len": 1}, {"seq": 3, "seq_raw": 3}, {"ack": 9, "ack_raw": 9}],
)
def test_the_rst_of_a_crash_is_the_one_at_snd_nxt(change):
    """Another flag, number or length is no RST that ending a socket sends."""
    index = next(i for i, s in enumerate(data("halfopen_syn")["segments"]) if "RST" in s["flags"])
    assert result(falsified("halfopen_syn", index, **change)).verdict == "differ"


def test_out_of_order_excuses_no_nonsense():
    """Data that comes after the FIN excuses ACKs and what is sent again, no RST and nothing new."""
    changed = copy.deepcopy(data("normal"))
    mine = [s for s in changed["segments"] if s["from"] == "client"]
    late = next(s for s in mine if s["len"])
    fin = next(s for s in mine if "FIN" in s["flags"])
    late["t_rx"] = fin["t_rx"] + 0.02
    for each in changed["segments"]:
        if each["t_tx"] > fin["t_rx"] and each is not late:
            each.update(flags=["RST"], len=77, seq=5)
    assert result(changed).verdict == "differ"


def test_octets_are_bounded():
    """A send of less than nothing cannot be; one without an end is bulk data, out of scope."""
    changed = copy.deepcopy(data("normal"))
    send = next(call for call in changed["calls"] if call["op"] == "send")
    send["bytes"] = -5
    with pytest.raises(BadRecording, match="bytes: -5 is not a whole number from 0"):
        read(changed, "normal")
    send["bytes"] = 1 << 33
    with pytest.raises(UnknownWord, match="bytes: 8589934592 is bulk data"):
        read(changed, "normal")


def ways(value, at=()):
    """Every place in a JSON value."""
    yield at
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, (dict, list)):
            yield from ways(each, (*at, key))
        else:
            yield (*at, key)


def test_a_field_of_another_kind_ends_in_one_line_never_in_a_traceback(tmp_path, capsys):
    """Any field, gone or made another thing: at most one line, and a count or status 2."""
    dice = random.Random(9293)
    places = [at for at in ways(data("linger2")) if at]
    strange = [None, -1, 0, 1 << 40, 1e300, "", "x", "9" * 30, [], {}, True, [[]], 1.5, "5 bytes"]
    for _ in range(150):
        changed = copy.deepcopy(data("linger2"))
        *path, last = dice.choice(places)
        place = changed
        for step in path:
            place = place[step]
        if dice.random() < 0.2:
            del place[last]
        else:
            place[last] = dice.choice(strange)
        (tmp_path / "a.json").write_text(json.dumps(changed), "utf-8")
        status, out, err = run(tmp_path, capsys)
        assert (status == 2) == (len(err) == 1)
        assert len(err) < 2
        assert len(out) <= 2
        assert out or "none of its JSON files" in err[0]


def test_no_folder_at_all_is_one_line_and_status_2(tmp_path, capsys):
    """A path that is not there, and a call without one."""
    status, _, err = run(tmp_path / "nowhere", capsys)
    assert (status, len(err)) == (2, 1)
    assert main([]) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"op": "option", "name": "TCP_MAGIC"}, "calls[0].name: 'TCP_MAGIC' is not one of"),
        (
            {"op": "option", "name": "TCP_LINGER2", "value_s": -1},
            "calls[0]: no rule says that a TCP_LINGER2 below 0 resets FIN-WAIT-2",
        ),
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


@pytest.mark.parametrize(
    ("sysctl", "value", "rule", "means"),
    [
        ("tcp_keepalive_intvl", "2", "keepalive_interval", 2 * S),
        ("tcp_keepalive_probes", "3", "keepalive_probes", 3),
        ("tcp_early_retrans", "0", "tail_loss_probe", False),
        ("tcp_invalid_ratelimit", "0", "ack_throttle", 0),
        ("tcp_rto_min_us", "5000", "rto_floor", 5 * MS),
        ("tcp_retries1", "5", "r1", 5),
        ("tcp_rto_max_ms", "1000", "rto_most", 1 * S),
        ("net.ipv4.tcp_fin_timeout", "7", "fin_wait_2", 7 * S),
        ("tcp_retries2", "0", "r2", 1),
    ],
)
def test_every_sysctl_that_is_followed_changes_its_rule(sysctl, value, rule, means):
    """In the units of Linux. Data is sent once more even where tcp_retries2 is 0."""
    assert getattr(rules_of(checked("sysctls.client", {sysctl: value})), rule) == means


def test_tcp_keepalive_time_is_when_keep_alives_begin():
    """SO_KEEPALIVE without TCP_KEEPIDLE waits as long as the sysctl says."""
    changed = copy.deepcopy(data("keepalive"))
    calls = [c for c in changed["calls"] if c.get("name") != "TCP_KEEPIDLE"]
    assert len(calls) == len(changed["calls"]) - 1
    changed["calls"] = calls
    assert result(changed).verdict == "differ"
    changed["sysctls"]["client"]["tcp_keepalive_time"] = "1"
    assert result(changed).verdict == "agree"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tcp_frto": "0"}, "tcp_frto: no rule says what '0' changes"),
        ({"tcp_syncookies": 2}, "tcp_syncookies: no rule says what 2 changes"),
        ({"tcp_magic": "1"}, "tcp_magic: no such sysctl is known here"),
    ],
)
def test_a_sysctl_without_a_rule_is_told(tmp_path, capsys, given, says):
    """It puts the recording out of scope, in one line; what changes nothing does not."""
    changed = copy.deepcopy(data("normal"))
    changed["sysctls"]["client"].update(given)
    (tmp_path / "a.json").write_text(json.dumps(changed), "utf-8")
    status, out, _ = run(tmp_path, capsys)
    assert status == 0
    assert out[0].startswith(f"a: out of scope: sysctls.client.{says}")
    idle = {"tcp_frto": "2", "tcp_rmem": "4096 131072 6291456", "tcp_tw_reuse": "1"}
    assert checked("sysctls.client", idle) == {}


def test_no_retries_of_a_syn_ack_are_none_and_not_any_number():
    """tcp_synack_retries = 0: the request is gone when the first RTO expires."""
    calls = [LISTEN, OPEN, At(500 * MS, "client", "ABORT")]
    lost = [Lose("server", "SYN,ACK", None)]
    rules = rules_of({"tcp_synack_retries": 0})
    trace = simulate(Scenario(calls=calls, network=lost, rules=rules))
    sent = [s for s in trace.of("server") if s.kind is Kind.DEPART]
    assert [str(s.segment.control) for s in sent] == ["SYN,ACK"]
    assert trace.of("server")[-1].edges == ("SYN-RECEIVED: Timeout=R2",)


def test_tcp_linger2_of_0_means_the_sysctl():
    """As Linux reads it; and no FIN-WAIT-2 is shorter than three and a half RTOs."""
    linger2 = [{"name": "TCP_LINGER2", "value_s": 0}]
    assert with_options(LINUX, linger2) == LINUX
    changed = copy.deepcopy(data("linger2"))
    changed["calls"][3]["value_s"] = 0
    changed["sysctls"]["client"]["tcp_fin_timeout"] = "2"
    assert result(changed).verdict == "agree"


def test_an_option_is_of_one_connection_and_a_refused_one_of_none():
    """Another connection's TCP_LINGER2 changes nothing here, nor one that failed."""
    for change in ({"connection": 2}, {"result": "EINVAL"}):
        changed = copy.deepcopy(data("linger2"))
        changed["calls"][3].update(change)
        assert result(changed).verdict == "differ"


@pytest.mark.parametrize("told", [0, 0.5])
def test_the_ordinary_delay_is_what_the_segments_show(told):
    """one_way_delay_s holds unless the fastest segment was slower or faster than that."""
    changed = copy.deepcopy(data("normal"))
    changed["one_way_delay_s"] = told
    assert 50 * MS < delay(read(changed, "normal")) < 51 * MS
    assert delay(read(data("normal"), "normal")) == 50 * MS
