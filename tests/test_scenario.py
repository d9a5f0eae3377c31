"""Scenarios: data that can be stored, and that says what is wrong with it."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from tcpviz import (
    MS,
    SCENARIOS,
    At,
    Delay,
    Duplicate,
    Inject,
    Lose,
    On,
    S,
    Scenario,
    ScenarioError,
    simulate,
)
from tcpviz.rules import LINUX, RFC9293
from tcpviz.scenario import Refuse
from tcpviz.states import TRANSITIONS, State
from tcpviz.steps import Kind
from tcpviz.units import MIN

OPEN = (At(0, "server", "passive OPEN"), At(0, "client", "active OPEN"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_named_scenario_survives_json(name: str) -> None:
    """Written and read back it is the same scenario, and gives the same trace."""
    scenario = SCENARIOS[name]
    copy = Scenario.from_json(json.loads(json.dumps(scenario.to_json())))
    assert copy == scenario
    assert simulate(copy).dumps() == simulate(scenario).dumps()


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_named_scenario_says_what_it_shows(name: str) -> None:
    """Each has its own name and a sentence."""
    assert SCENARIOS[name].name == name
    assert re.fullmatch(r".*[^.]\.", SCENARIOS[name].describe)


def test_every_edge_of_the_table_is_taken_by_a_named_scenario() -> None:
    """No move is without an example, drawn in Figure 5 or not; no step takes another."""
    taken = {
        edge
        for scenario in SCENARIOS.values()
        for s in simulate(scenario).steps
        for edge in s.edges
    }
    assert taken == {edge.id for edge in TRANSITIONS}


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_move_starts_where_the_last_one_ended(name: str) -> None:
    """Along each end's steps the moves form one path, and the state is where it leads."""
    edges = {edge.id: edge for edge in TRANSITIONS}
    trace = simulate(SCENARIOS[name])
    for end in trace.ends:
        state = "CLOSED"
        for step in trace.of(end.name):
            for edge in step.edges:
                assert edges[edge].source == state
                state = edges[edge].target
            assert step.state == state


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_an_edge_sends_leaves_at_once_or_is_a_delayed_ack(name: str) -> None:
    """The segment that Figure 5 writes beside an arrow is the one that departs."""
    edges = {edge.id: edge for edge in TRANSITIONS}
    trace = simulate(SCENARIOS[name])
    for step in trace.steps:
        for wanted in (edges[edge].sends for edge in step.edges if edges[edge].sends):
            left = [
                d.segment.control
                for d in trace.steps
                if d.kind is Kind.DEPART and (d.end, d.time) == (step.end, step.time) and d.segment
            ]
            if name == "syn_cookie":  # the SYN,ACK left before, and nothing of it was kept
                left.append("SYN,ACK")
            delayed = any(timer.name == "delayed ACK" for timer in step.timers)
            if name == "four_segment_handshake":  # its SYN and its ACK travel apart
                left = [",".join(left)]
            assert delayed or any(set(wanted.split(",")) <= set(c.split(",")) for c in left)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"calls": [At(-1, "client", "CLOSE")]}, r"calls\[0\]\.time: -1"),
        ({"calls": [At(1.5, "client", "CLOSE")]}, r"calls\[0\]\.time: 1.5"),
        ({"calls": [At(0, "clinet", "CLOSE")]}, r"calls\[0\]\.end: 'clinet' is not one of client"),
        ({"calls": [At(0, "client", "SHUT")]}, r"calls\[0\]\.call: 'SHUT'"),
        ({"calls": [At(0, "client", "SEND")]}, r"calls\[0\]\.octets"),
        ({"calls": [At(0, "client", "SEND", 1 << 31)]}, r"calls\[0\]\.octets: 2147483648"),
        ({"calls": [At(0, "client", "CLOSE", 5)]}, r"calls\[0\]\.octets"),
        ({"calls": ["CLOSE"]}, r"calls\[0\]: 'CLOSE' is not one of At"),
        ({"calls": 5}, r"calls: 5 is not a list"),
        (
            {"reactions": [On("server", "CLOSEWAIT", "CLOSE")]},
            r"reactions\[0\]\.state: 'CLOSEWAIT'",
        ),
        ({"reactions": [On("server", "CLOSE-WAIT", "CLOSE", -5)]}, r"reactions\[0\]\.after: -5"),
        ({"network": [Lose("client", "SIN")]}, r"network\[0\]\.which: 'SIN'"),
        ({"network": [Lose("client", "SYN", 0)]}, r"network\[0\]\.nth: 0"),
        ({"network": [Delay("client", "SYN", -1)]}, r"network\[0\]\.by: -1"),
        ({"network": [Inject(0, "server", "SYN 90")]}, r"network\[0\]\.segment: 'SYN 90'"),
        ({"network": [Inject(0, "server", 90)]}, r"network\[0\]\.segment: 90"),
        ({"network": [Refuse("server", "SYN", queue="syn")]}, r"network\[0\]\.queue: 'syn'"),
        ({"network": [Refuse("server", "SYN", answer="FIN")]}, r"network\[0\]\.answer: 'FIN'"),
        (
            {"network": [Refuse("server", "ACK", answer="cookie")]},
            r"network\[0\]\.which: 'ACK' is not a SYN",
        ),
        ({"delay": -1}, "delay: -1"),
        ({"delay": 0.05}, "delay: 0.05"),
        ({"delay": True}, "delay: True"),
        ({"rto": 0}, "rto: 0"),
        ({"msl": "30 s"}, "msl: '30 s'"),
        ({"until": 0}, "until: 0"),
        ({"client_iss": []}, "client_iss"),
        ({"server_iss": [2**32]}, "server_iss"),
        ({"server_iss": 300}, "server_iss: 300 is not a list"),
    ],
)
def test_a_bad_scenario_gets_one_sentence_that_names_the_field(
    fields: dict[str, Any], complaint: str
) -> None:
    """Each mistake is found when the scenario is made, and named."""
    with pytest.raises(ScenarioError, match=complaint):
        Scenario(**fields)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ([], "not a scenario"),
        ({"schema": "tcpviz.scenario/9"}, "not a scenario"),
        ({"schema": "tcpviz.scenario/1", "dealy": 5}, "dealy: a scenario has no such field"),
        ({"schema": "tcpviz.scenario/1", "calls": {}}, r"calls: {} is not a list"),
        ({"schema": "tcpviz.scenario/1", "calls": [5]}, r"calls\[0\]: 5 is not an object"),
        ({"schema": "tcpviz.scenario/1", "calls": [{"time": 0}]}, r"calls\[0\]: .*end"),
        ({"schema": "tcpviz.scenario/1", "calls": [{"tiem": 0}]}, r"calls\[0\]: .*tiem"),
        (
            {"schema": "tcpviz.scenario/1", "network": [{"fault": "eat"}]},
            r"network\[0\]\.fault: 'eat'",
        ),
        ({"schema": "tcpviz.scenario/1", "network": [{}]}, r"network\[0\]\.fault"),
        ({"schema": "tcpviz.scenario/1", "client_iss": 7}, "client_iss: 7 is not a list"),
        ({"schema": "tcpviz.scenario/1", "name": 7}, "name: 7"),
    ],
)
def test_bad_json_gets_one_sentence_that_names_the_place(data: Any, complaint: str) -> None:
    """A scenario file with a mistake says where the mistake is."""
    with pytest.raises(ScenarioError, match=complaint):
        Scenario.from_json(data)


def test_losing_a_segment_that_is_never_sent_is_a_mistake() -> None:
    """The error says which fault waits in vain, and what that end does send."""
    with pytest.raises(
        ScenarioError, match=r"network\[0\]: client never sends FIN number 1; .*SYN"
    ):
        simulate(Scenario(calls=OPEN, network=[Lose("client", "FIN")]))


def test_a_run_without_end_stops_at_until_and_says_so() -> None:
    """With every SYN lost the RTO doubles until the scenario's end."""
    trace = simulate(SCENARIOS["no_answer"])
    assert [f.sent for f in trace.flights] == [0, 1 * S, 3 * S, 7 * S, 15 * S]
    assert trace.notes == ("stopped at 20 s, with timers still running or segments on the way",)


def test_a_run_that_never_rests_is_refused() -> None:
    """An application that opens again at once, for ever, is a scenario without an end."""
    scenario = Scenario(
        calls=[At(0, "client", "passive OPEN")],
        reactions=[On("client", "LISTEN", "CLOSE"), On("client", "CLOSED", "passive OPEN")],
    )
    with pytest.raises(ScenarioError, match="until: there are more than"):
        simulate(scenario)


def test_at_the_same_instant_the_wire_goes_first_then_the_timer_then_the_call() -> None:
    """An ACK that arrives just as the RTO would expire stops it; a CLOSE then comes after both."""
    trace = simulate(Scenario(calls=(*OPEN, At(100 * MS, "client", "CLOSE")), rto=100 * MS))
    at_once = [s.kind for s in trace.of("client") if s.time == 100 * MS]
    assert at_once[:2] == [Kind.ARRIVE, Kind.DEPART]
    assert Kind.TIMEOUT not in at_once
    assert at_once[2:] == [Kind.CALL, Kind.DEPART]


def test_a_timer_goes_before_a_call_of_the_same_instant() -> None:
    """The RTO expires at 1 s; a CLOSE at 1 s comes after the retransmission."""
    trace = simulate(
        Scenario(calls=(*OPEN, At(1 * S, "client", "CLOSE")), network=[Lose("client", "SYN")])
    )
    at_once = [s.kind for s in trace.of("client") if s.time == 1 * S]
    assert at_once == [Kind.TIMEOUT, Kind.DEPART, Kind.CALL]


def test_what_is_due_at_until_still_happens() -> None:
    """`until` is the last instant of the run, not the first after it."""
    trace = simulate(Scenario(calls=OPEN, until=150 * MS))
    assert (trace.duration, trace.notes) == (150 * MS, ())


def test_a_segment_may_be_duplicated_and_delayed() -> None:
    """Both copies are late."""
    faults = [Duplicate("client", "ACK", 30 * MS), Delay("client", "ACK", 10 * MS)]
    trace = simulate(Scenario(calls=OPEN, network=faults))
    assert trace.flights[2].arrived == (160 * MS, 190 * MS)


def test_an_application_whose_connection_is_gone_does_not_call() -> None:
    """A reaction to ESTABLISHED is dropped when a RST has ended the connection meanwhile."""
    trace = simulate(
        Scenario(
            calls=OPEN,
            reactions=[
                On("client", "ESTABLISHED", "ABORT", 10 * MS),
                On("server", "ESTABLISHED", "SEND", 50 * MS, 10),
            ],
        )
    )
    assert [s.text for s in trace.of("server") if s.kind is Kind.CALL] == ["passive OPEN"]


def test_a_call_in_the_wrong_state_is_a_step_with_the_rfcs_error() -> None:
    """A second OPEN changes nothing and says that the connection exists."""
    trace = simulate(Scenario(calls=(*OPEN, At(200 * MS, "client", "active OPEN"))))
    wrong = trace.of("client")[-1]
    assert (wrong.says, wrong.state) == ("error: connection already exists", "ESTABLISHED")


def test_a_duplicate_is_one_flight_that_arrives_twice() -> None:
    """Duplicated is not retransmitted: one departure, two arrivals."""
    trace = simulate(Scenario(calls=OPEN, network=[Duplicate("client", "ACK", 30 * MS)]))
    ack = trace.flights[2]
    assert (ack.sent, ack.arrived, ack.again) == (100 * MS, (150 * MS, 180 * MS), False)


def test_faults_count_what_was_sent_even_if_another_fault_lost_it() -> None:
    """The second SYN is the second SYN although the first was lost."""
    trace = simulate(
        Scenario(calls=OPEN, network=[Lose("client", "SYN", 1), Lose("client", "SYN", 2)])
    )
    assert [f.fate for f in trace.flights[:3]] == ["lost", "lost", "delivered"]


def refused(*refusals: Refuse, **fields: Any) -> tuple[Scenario, list[str]]:
    """An opening with these refusals, and what the server's steps on arrivals came to."""
    scenario = Scenario(calls=OPEN, network=refusals, until=5 * S, **fields)
    arrivals = [s for s in simulate(scenario).steps if s.kind is Kind.ARRIVE and s.end == "server"]
    return scenario, [f"{s.segment.control}: {s.state} {s.says}".strip() for s in arrivals]


def test_a_refused_segment_arrives_and_is_not_read() -> None:
    """The step says why; the state stays, and so do the variables and the timers."""
    _, came = refused(Refuse("server", "SYN", queue="SYN"), Refuse("server", "ACK"))
    assert came == [
        "SYN: LISTEN dropped: the SYN queue is full",
        "SYN: SYN-RECEIVED",
        "ACK: SYN-RECEIVED dropped: the accept queue is full",
        "ACK: ESTABLISHED",
    ]
    steps = simulate(Scenario(calls=OPEN, network=[Refuse("server", "ACK")])).steps
    before, after = (
        next(s for s in steps if s.end == "server" and s.segment and s.segment.control == ctl)
        for ctl in ("SYN", "ACK")
    )
    assert (after.timers, after.variables, after.edges) == (before.timers, before.variables, ())


def test_a_refusal_with_a_reset_ends_what_has_begun() -> None:
    """In SYN-RECEIVED the server aborts; a SYN is answered as in CLOSED, and LISTEN goes on."""
    _, came = refused(Refuse("server", "ACK", answer="RST"))
    assert came[-1] == "ACK: CLOSED reset: the accept queue is full"
    _, came = refused(Refuse("server", "SYN", answer="RST"))
    assert came == ["SYN: LISTEN reset: the accept queue is full"]
    trace = simulate(Scenario(calls=OPEN, network=[Refuse("server", "SYN", answer="RST")]))
    assert [str(f.segment) for f in trace.flights][1:] == ["<SEQ=0><ACK=101><CTL=RST,ACK>"]


def test_a_cookie_keeps_nothing_until_it_comes_back() -> None:
    """No state, no timer, no second SYN,ACK; only the ACK with its numbers opens the connection.

    A forged ACK is answered by a RST, which the client challenges, by then with a third ACK.
    """
    scenario, came = refused(Refuse("server", "SYN", None, "SYN", "cookie"))
    assert came == ["SYN: LISTEN SYN queue full: answered with a SYN cookie", "ACK: ESTABLISHED"]
    steps = [s for s in simulate(scenario).steps if s.end == "server" and s.state == "LISTEN"]
    assert all(s.timers == () and s.variables is None for s in steps)
    forged = Inject(120 * MS, "server", "<SEQ=101><ACK=302><CTL=ACK>")
    _, came = refused(Refuse("server", "SYN", answer="cookie"), forged)
    assert came[1:] == ["ACK: LISTEN", "ACK: ESTABLISHED", "ACK: ESTABLISHED"]


def test_refusals_count_what_reaches_the_listener() -> None:
    """A bare ACK in ESTABLISHED is none; of two refusals for one segment the first is meant."""
    both = (Refuse("server", "ACK"), Refuse("server", "any", 2, answer="RST"))
    assert refused(*both)[1][1] == "ACK: SYN-RECEIVED dropped: the accept queue is full"
    asks = (On("server", "ESTABLISHED", "SEND", 50 * MS, 10),)
    with pytest.raises(ScenarioError, match="no ACK number 2 reaches the listener of server"):
        refused(Refuse("server", "ACK", 2), reactions=asks)
    with pytest.raises(ScenarioError, match="no SYN number 1 reaches the listener of client"):
        refused(Refuse("client", "SYN", None))


def test_a_refusal_may_cut_short_what_another_fault_waits_for() -> None:
    """The reset keeps the client from sending the FIN that is to be lost."""
    faults = (Refuse("server", "ACK", answer="RST"), Lose("client", "FIN"))
    closes = (On("client", "ESTABLISHED", "CLOSE", 150 * MS),)
    scenario, _ = refused(*faults, reactions=closes)
    assert Scenario.from_json(json.loads(json.dumps(scenario.to_json()))) == scenario
    assert simulate(scenario).flights[-1].segment.control == "RST"


def test_the_same_scenario_gives_the_same_trace() -> None:
    """Byte for byte."""
    scenario = SCENARIOS["duplicated_fin"]
    assert simulate(scenario).dumps() == simulate(scenario).dumps()


def test_an_application_does_not_call_on_the_connection_after_its_own() -> None:
    """A CLOSE meant for the first connection leaves the second alone."""
    trace = simulate(
        Scenario(
            calls=(*OPEN, At(300 * MS, "client", "ABORT"), At(400 * MS, "client", "active OPEN")),
            reactions=[
                On("client", "ESTABLISHED", "CLOSE", 350 * MS),
                On("server", "CLOSED", "passive OPEN"),
            ],
            until=700 * MS,
        )
    )
    calls = [(s.time, s.text) for s in trace.of("client") if s.kind is Kind.CALL]
    assert calls == [(0, "active OPEN"), (300 * MS, "ABORT"), (400 * MS, "active OPEN")]


def _old_data(name: str) -> list[tuple[str, str]]:
    return [(s.end, s.says) for s in simulate(SCENARIOS[name]).steps if "old data" in s.says]


OLD = ["same_iss", "short_time_wait", "no_quiet_time"]


@pytest.mark.parametrize("name", OLD)
def test_data_of_the_connection_before_is_told_where_it_is_taken_in(name: str) -> None:
    """Once, at the end that takes it; that new data is lost in its place is told by nobody."""
    assert _old_data(name) == [("server", "old data of client accepted")]


def test_a_ghost_that_takes_old_data_is_told() -> None:
    """What the network injects was sent before the run."""
    assert _old_data("two_way_ghost") == [("server", "old data accepted")]


def test_a_ghost_of_a_duplicated_syn_takes_old_data_of_its_own_incarnation() -> None:
    """Both the SYN and the data are of the client's only incarnation, but not this connection's."""
    two_way = RFC9293._replace(two_way_handshake=True)
    trace = simulate(
        Scenario(
            calls=(*OPEN, At(200 * MS, "client", "SEND", 10), At(300 * MS, "client", "CLOSE")),
            reactions=[
                On("server", "CLOSE-WAIT", "CLOSE"),
                On("server", "CLOSED", "passive OPEN"),
            ],
            network=[Duplicate("client", "SYN", 9 * S), Duplicate("client", "data", 8840 * MS)],
            msl=1 * S,
            server_iss=[300, 300],
            rules=two_way,
        )
    )
    told = [(s.time, s.says) for s in trace.steps if "old data" in s.says]
    assert told == [(9090 * MS, "old data of client accepted")]


FRESH = sorted(set(SCENARIOS) - {*OLD, "two_way_ghost"})


@pytest.mark.parametrize("name", FRESH)
def test_no_other_named_scenario_delivers_old_data(name: str) -> None:
    """Retransmitted, duplicated or late data of one connection is never old."""
    assert _old_data(name) == []


@pytest.mark.parametrize(("name", "answer"), [("two_msl", "ACK"), ("one_msl", "RST")])
def test_a_fin_may_come_two_lifetimes_after_the_last_ack_left(name: str, answer: str) -> None:
    """No segment lives longer than 3 s; only a wait of twice as long still knows the connection."""
    trace = simulate(SCENARIOS[name])
    lives = [f.arrived[0] - f.sent for f in trace.flights if f.arrived and f.sent is not None]
    assert max(lives) == 3 * S
    late = [f for f in trace.flights if f.sender == "client"][-1]
    assert (late.segment.control, late.sent) == (answer, 6310 * MS)


def test_retransmitted_and_duplicated_data_of_one_connection_is_not_old() -> None:
    """However often it is sent, and however late it comes, also after the sender has gone."""
    trace = simulate(
        Scenario(
            calls=(*OPEN, At(200 * MS, "client", "SEND", 10), At(1300 * MS, "client", "crash")),
            network=[Delay("client", "data", 2 * S), Delay("client", "data", 2 * S, 2)],
        )
    )
    assert max(s.variables.rcv_nxt for s in trace.of("server") if s.variables) == 111
    assert not [s for s in trace.steps if "old data" in s.says]


@pytest.mark.parametrize(
    "name",
    [
        "simultaneous_open",
        "literal_simultaneous_open",
        "linux_simultaneous_open",
        "four_segment_handshake",
        "old_duplicate_syn",
        "half_open",
        "port_reuse",
        "port_reuse_refused",
        "lost_ack",
    ],
)
def test_data_of_a_connection_is_its_own_however_it_was_opened(name: str) -> None:
    """Both ends send on entering ESTABLISHED, each time, and nothing of it is old."""
    scenario = replace(
        SCENARIOS[name],
        reactions=[
            *(On(end, "ESTABLISHED", "SEND", 0, 10) for end in ("client", "server")),
            *SCENARIOS[name].reactions,
        ],
    )
    trace = simulate(scenario)
    assert len({(s.end, s.time) for s in trace.steps if s.text == "SEND"}) >= 2
    assert not [s for s in trace.steps if "old data" in s.says]


def reopened_in_the_past(**fields: Any) -> Scenario:
    """The client's first SYN is slow: it meets the server's after the client has listened."""
    told = {
        "calls": [
            At(0, "client", "active OPEN"),
            At(1 * MS, "client", "CLOSE"),
            At(2 * MS, "client", "passive OPEN"),
            At(1500 * MS, "server", "active OPEN"),
            At(1600 * MS, "client", "CLOSE"),
        ],
        "network": [Delay("client", "SYN", 1600 * MS), Lose("client", "SYN,ACK")],
        "until": 10 * MIN,
        **fields,
    }
    return Scenario(**told)


def test_an_endless_exchange_of_acks_gives_the_trace_so_far_and_says_which() -> None:
    """MAY-12 without a throttle: ACKs answer ACKs, which a note names; the bare standard's end."""
    challenging = RFC9293._replace(old_ack_challenged=True)
    trace = simulate(reopened_in_the_past(rules=challenging))
    assert trace.notes == (
        "stopped at 16.85 s in an endless exchange of ACKs: <SEQ=387602><ACK=301><CTL=ACK> of the"
        " client and <SEQ=301><ACK=101><CTL=ACK> of the server have answered each other 1000 times",
    )
    assert [str(trace.flights[n].segment) for n in (-1, -2)] == [
        "<SEQ=387602><ACK=301><CTL=ACK>",
        "<SEQ=301><ACK=101><CTL=ACK>",
    ]
    plain = simulate(reopened_in_the_past())
    assert len(plain.flights) < 100  # two retransmissions a round, and R2 is off
    assert "endless" not in plain.notes[0]


def test_linux_comes_to_rest_where_the_standard_does_not() -> None:
    """Its throttle thins the exchange out, and R2 of SYN-RECEIVED ends it."""
    trace = simulate(reopened_in_the_past(rules=LINUX))
    assert trace.notes == ()
    assert {trace.spans(end)[-1].state for end in ("client", "server")} == {State.CLOSED}
    assert trace.duration < 3 * MIN


@pytest.mark.parametrize(("delay", "endless"), [(20 * MS, False), (0, True)])
def test_an_exchange_that_a_timer_will_end_is_waited_for(delay: int, endless: bool) -> None:
    """I-12: two ends in TIME-WAIT answer each other until 2MSL; for ever where it takes no time."""
    trace = simulate(
        Scenario(
            calls=[*OPEN, At(500 * MS, "client", "CLOSE"), At(500 * MS, "server", "CLOSE")],
            network=[
                Delay("client", "FIN", 20 * MS),
                Delay("server", "FIN", 20 * MS),
                Inject(1 * S, "client", "<SEQ=302><ACK=102><CTL=ACK>"),
            ],
            rules=RFC9293._replace(time_wait_answers_all=True),
            delay=delay,
        )
    )
    assert len(trace.flights) > 2000
    assert [note.split(":")[0] for note in trace.notes] == (
        ["stopped at 1 s in an endless exchange of ACKs"] if endless else []
    )


def test_a_notebook_shows_the_sentence_and_no_traceback(tmp_path):
    """The mistake is in the reader's own cell: IPython prints what is wrong and where, no more."""
    pytest.importorskip("IPython")
    code = "from tcpviz import *; Scenario('', calls=[At(0, 'clent', 'active OPEN')])"
    options = [f"--ipython-dir={tmp_path}", "--HistoryManager.enabled=False", "--colors=NoColor"]
    told = subprocess.run(
        [sys.executable, "-m", "IPython", *options, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = "ScenarioError: calls[0].end: 'clent' is not one of client, server"
    assert (told.stdout + told.stderr).strip() == sentence
