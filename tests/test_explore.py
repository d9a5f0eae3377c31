"""Explorations: everything that can happen within budgets, and runs that show what was found."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tcpviz import At, Lose, On, Scenario
from tcpviz.explore import OPEN_AND_CLOSE, PROPERTIES, explore
from tcpviz.exploring.replay import replay
from tcpviz.exploring.search import Search
from tcpviz.exploring.side import Call, Move, Sent, happen, host, leftovers, timeless
from tcpviz.pictures.sequence_chart import sequence_chart
from tcpviz.segment import ACK, RST, SYN, Segment
from tcpviz.states import State
from tcpviz.steps import Kind
from tcpviz.tcb import RTO
from tests.naive_exploration import visit

try:
    from tcpviz.rules import Rules
except ImportError:
    Rules = None

NONE = {"losses": 0, "duplicates": 0, "old": 0, "spurious": 0}
PASSIVE, ACTIVE = At(0, "server", "passive OPEN"), At(0, "client", "active OPEN")
CLIENT_CLOSES, SERVER_CLOSES = At(0, "client", "CLOSE"), At(0, "server", "CLOSE")
WITH_DATA = replace(
    OPEN_AND_CLOSE,
    calls=(PASSIVE, ACTIVE, At(0, "client", "SEND", 1), CLIENT_CLOSES, SERVER_CLOSES),
)
SERVER_ANSWERS = replace(
    OPEN_AND_CLOSE,
    calls=(PASSIVE, ACTIVE, CLIENT_CLOSES),
    reactions=(On("server", "CLOSE-WAIT", "CLOSE"),),
)
NEVER_CLOSES = replace(OPEN_AND_CLOSE, calls=(PASSIVE, ACTIVE, CLIENT_CLOSES))
BOTH_OPEN = replace(
    OPEN_AND_CLOSE,
    calls=(ACTIVE, At(0, "server", "active OPEN"), CLIENT_CLOSES, SERVER_CLOSES),
)
OPENS = Call("active OPEN")
NO_TIME_WAIT = replace(OPEN_AND_CLOSE, msl=0)
SAME_ISN = replace(WITH_DATA, client_iss=(100, 100), server_iss=(300, 300))

SMALL = {
    "no fault": (OPEN_AND_CLOSE, {}),
    "a loss": (OPEN_AND_CLOSE, {"losses": 1}),
    "two losses": (OPEN_AND_CLOSE, {"losses": 2}),
    "a duplicate": (OPEN_AND_CLOSE, {"duplicates": 1}),
    "an old segment": (OPEN_AND_CLOSE, {"old": 1}),
    "spurious timeouts": (OPEN_AND_CLOSE, {"spurious": 2}),
    "a loss and a spurious timeout": (OPEN_AND_CLOSE, {"losses": 1, "spurious": 1}),
    "data": (WITH_DATA, {"losses": 1}),
    "the server answers": (SERVER_ANSWERS, {"losses": 1, "spurious": 1, "allow": "ABORT"}),
    "never closes": (NEVER_CLOSES, {"losses": 1}),
    "both open": (BOTH_OPEN, {"losses": 1}),
    "both open, old": (BOTH_OPEN, {"old": 1}),
    "no TIME-WAIT": (NO_TIME_WAIT, {"losses": 1}),
    "short TIME-WAIT": (replace(OPEN_AND_CLOSE, msl=400_000_000), {"losses": 1}),
    "same ISN": (SAME_ISN, {"old": 1}),
    "crash": (OPEN_AND_CLOSE, {"allow": {"crash": 1, "reopen": 1}}),
    "give up": (SERVER_ANSWERS, {"losses": 1, "spurious": 1, "allow": "give up"}),
    "user timeout": (OPEN_AND_CLOSE, {"losses": 1, "allow": "user timeout"}),
    "delayed ACKs": (replace(OPEN_AND_CLOSE, delayed_ack=40_000_000), {"losses": 1}),
}


@pytest.fixture(scope="module")
def base():
    """The RFC's rules, with one of each fault."""
    return explore()


def test_the_joint_states_of_a_handshake_are_those_found_by_hand():
    """Eleven: the client may be refused before the server listens, or they become ESTABLISHED."""
    found = explore(replace(OPEN_AND_CLOSE, calls=(PASSIVE, ACTIVE)), **NONE)
    by_hand = {
        ("CLOSED", "CLOSED"): "quiet",  # at the start, and after a refusal
        ("CLOSED", "LISTEN"): "quiet",  # at the start, and after a refusal
        ("SYN-SENT", "CLOSED"): "reachable",  # with the SYN in flight, or the RST
        ("SYN-SENT", "LISTEN"): "reachable",  # with the SYN in flight, or the RST
        ("SYN-SENT", "SYN-RECEIVED"): "reachable",
        ("ESTABLISHED", "SYN-RECEIVED"): "reachable",
        ("ESTABLISHED", "ESTABLISHED"): "quiet",
    }
    met = {cell: found.map[cell].kind for cell in found.map if found.map[cell].kind != "never"}
    assert met == by_hand
    assert found.states == 11
    assert len(found.map) == 121


@pytest.mark.parametrize(
    "budgets",
    [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0)],
)
def test_a_naive_search_finds_as_many_joint_states(budgets):
    """Written without numbering, memory and levels, the search visits the same pairs of states."""
    found = explore(**dict(zip(NONE, budgets, strict=True)))
    settings = [host(OPEN_AND_CLOSE, name).settings for name in ("client", "server")]
    naive = visit(settings, *budgets)
    assert found.states == len(naive)
    cells = {(joint[0][0].state, joint[1][0].state) for joint in naive}
    assert cells == {cell for cell, what in found.map.items() if what.kind != "never"}


def test_the_rules_of_the_rfc_hold_but_for_time_wait(base):
    """With one fault of each kind only RFC 1337's hazard is found, in a search that is complete."""
    assert base.complete
    assert base.bound == ""
    assert list(base.failures) == ["TIME-WAIT lasts"]
    assert [name for name in PROPERTIES if base.holds(name)] == list(PROPERTIES[:-1])
    assert str(base).splitlines()[-3].endswith("fails, after 11 moves at the earliest")


def test_a_duplicate_of_the_last_ack_ends_time_wait():
    """RFC 1337: the end that is CLOSED already answers it with a RST, which TIME-WAIT accepts."""
    found = explore(**NONE | {"duplicates": 1})
    trace = found.failures["TIME-WAIT lasts"].trace
    *_, last = trace.steps
    assert (last.edges, last.state) == (("TIME-WAIT: rcv RST",), State.CLOSED)
    [copied] = [flight for flight in trace.flights if len(flight.arrived) == 2]
    assert str(copied.segment) == "<SEQ=102><ACK=302><CTL=ACK>"


def test_reordering_alone_ends_time_wait():
    """With no fault at all a FIN that overtakes an ACK makes a second last ACK, and so the RST."""
    found = explore(**NONE)
    assert list(found.failures) == ["TIME-WAIT lasts"]
    trace = found.failures["TIME-WAIT lasts"].trace
    last_acks = [f for f in trace.flights if str(f.segment) == "<SEQ=102><ACK=302><CTL=ACK>"]
    assert [len(flight.arrived) for flight in last_acks] == [1, 1]


def test_without_time_wait_a_rst_ends_an_orderly_close():
    """Whoever is CLOSED at once answers the peer's FIN, or what was late, with a RST."""
    found = explore(NO_TIME_WAIT, **NONE | {"losses": 1})
    assert list(found.failures) == ["orderly close"]
    last = found.failures["orderly close"].trace.steps[-1]
    assert last.edges == ("LAST-ACK: rcv RST",)
    assert "error: connection reset" in last.says or not last.says


def test_an_orderly_close_is_ended_by_a_rst_in_any_state_of_closing():
    """Of a two-way handshake's server, ESTABLISHED with a client that had gone: FIN-WAIT-1."""
    found = explore(variant(OPEN_AND_CLOSE, two_way_handshake=True), **NONE)
    last = found.failures["orderly close"].trace.steps[-1]
    assert last.edges == ("FIN-WAIT-1: rcv RST",)


def test_an_open_that_was_taken_back_was_never_closed_in_order(base):
    """CLOSE in SYN-SENT: the RST for the SYN,ACK ends FIN-WAIT-1, but no acknowledged SYN."""
    opens = Move("call", "server", call=Call("passive OPEN")), Move("call", "client", call=OPENS)
    syn, synced = Sent(Segment(100, 0, SYN), 1), Sent(Segment(300, 101, SYN | ACK), 1)
    moves = [
        *opens,
        Move("deliver", "server", syn),
        Move("call", "client", call=Call("CLOSE")),
        Move("call", "server", call=Call("CLOSE")),
        Move("deliver", "client", synced),
        Move("deliver", "server", Sent(Segment(101, 0, RST), 1)),
    ]
    hosts = host(OPEN_AND_CLOSE, "client"), host(OPEN_AND_CLOSE, "server")
    assert replay(hosts, moves).trace.steps[-1].edges == ("FIN-WAIT-1: rcv RST",)
    assert base.holds("orderly close")
    assert "Orderly: both SYNs were acknowledged" in str(base)


def test_2msl_outlasts_what_is_in_flight_and_the_retransmissions_of_the_peer():
    """No TIME-WAIT is over while the peer is in LAST-ACK; a shorter one may be."""
    cell = State.CLOSED, State.LAST_ACK
    assert explore(**NONE | {"losses": 2}).map[cell].kind == "never"
    assert explore(SMALL["short TIME-WAIT"][0], **NONE | {"losses": 2}).map[cell].kind != "never"


def test_the_same_isn_lets_old_segments_in():
    """Old data is delivered, and an old SYN,ACK makes an end ESTABLISHED with nobody."""
    found = explore(SAME_ISN, **NONE | {"old": 1})
    assert not found.holds("no old data")
    last = found.failures["no old data"].trace.flights[-2]
    assert (last.sent, last.segment.length) == (None, 1)
    assert [step.state for step in found.failures["no ghost"].trace.steps][-1] is State.ESTABLISHED
    clocked = explore(WITH_DATA, **NONE | {"old": 1})
    assert clocked.holds("no old data")
    assert clocked.holds("no ghost")


def test_an_application_that_never_closes_strands_its_peer():
    """The run ends where nothing can happen any more: FIN-WAIT-2 and CLOSE-WAIT."""
    found = explore(NEVER_CLOSES)
    assert ends_in(found.failures["nobody stranded"].trace) == ("FIN-WAIT-2", "CLOSE-WAIT")
    assert found.complete


@pytest.mark.parametrize("what", ["crash", "give up", "user timeout", "ABORT"])
def test_an_end_that_goes_without_a_word_leaves_the_other_behind(what):
    """FIN-WAIT-2 is stranded; with an application that waits for the peer, so is ESTABLISHED."""
    found = explore(**NONE | {"losses": 1}, allow=[what])
    assert ends_in(found.failures["nobody stranded"].trace) == ("FIN-WAIT-2", "CLOSED")
    assert found.holds("orderly close")
    waits = explore(SERVER_ANSWERS, **NONE | {"losses": 1}, allow=[what])
    assert ends_in(waits.failures["quiet agreement"].trace) == ("CLOSED", "ESTABLISHED")


def test_a_crashed_end_that_opens_again_finds_the_half_open_connection():
    """Figure 9: the challenge ACK brings a RST, and both can open anew; nobody else is harmed."""
    found = explore(SERVER_ANSWERS, **NONE, allow=("crash", "reopen"))
    assert found.map[State.SYN_SENT, State.ESTABLISHED].kind == "reachable"
    trace = found.map[State.SYN_SENT, State.ESTABLISHED].trace
    assert "crash" in [step.text for step in trace.of("client")]


def test_old_syn_in_a_simultaneous_open_is_a_hole_of_the_rules():
    """An end that takes an old SYN while opening actively may accept the peer's later segments."""
    found = explore(BOTH_OPEN, **NONE | {"old": 1})
    assert found.complete
    assert not found.holds("no ghost")
    assert not found.holds("nobody stranded")


def test_a_lost_segment_needs_no_budget_for_its_timeout():
    """RTO is free when nothing is in flight, without which a lost FIN would strand its sender."""
    assert explore(**NONE | {"losses": 2}).holds("nobody stranded")
    moves = [move for cell in explore(**NONE).map.values() for move in cell.moves]
    assert {move.what for move in moves} == {"call", "deliver"}


@pytest.mark.parametrize("name", SMALL)
def test_a_run_with_its_clock_ends_in_the_joint_state_that_was_found(name):
    """Replayed on real Endpoints each run has the states and variables of the search, and draws."""
    scenario, options = SMALL[name]
    found = explore(scenario, **NONE | options)
    hosts = host(scenario, "client"), host(scenario, "server")
    runs = [(cell, each) for cell, each in found.map.items() if each.kind != "never"]
    runs += [(None, each) for each in found.failures.values()]
    for cell, each in runs:
        sides = {h.name: h.side for h in hosts}
        for move in each.moves:
            if move.what != "lose":
                after = happen(hosts[move.end == "server"], sides[move.end], move, 0).side
                sides[move.end] = after._replace(end=timeless(after.end))
        real = replay(hosts, each.moves)
        for mine, theirs in zip(sides.values(), real.sides, strict=True):
            assert without_settings(mine) == without_settings(theirs)
        if cell:
            assert tuple(side.end.state for side in real.sides) == cell
        clock_is_kept(each.trace)
    for failure in found.failures.values():
        assert "<svg" in sequence_chart(failure.trace).svg


def test_a_run_whose_timeouts_have_no_clock_is_written_with_a_note():
    """Two RTOs that started together cannot each be the longer; one of the two is late then."""
    hosts = host(BOTH_OPEN, "client"), host(BOTH_OPEN, "server")
    opens = [Move("call", h.name, call=h.program[0]) for h in hosts]
    lost = [
        Move("lose", "server", Sent(Segment(100, 0, SYN), 1)),
        Move("lose", "client", Sent(Segment(300, 0, SYN), 1)),
    ]
    again = [Move("expire", name, timer=RTO) for name in ("client", "server")]
    fine = replay(hosts, [*opens, *lost, *again])
    assert fine.trace.notes == ()
    late = [again[1]] * 9 + [again[0]] * 9 + [again[1]] * 9
    [note] = replay(hosts, [*opens, *lost, *late]).trace.notes
    assert note.startswith("A timer expires later than it should")


def without_settings(side):
    """A side without its times; what it was told may have been made longer."""
    return side._replace(end=timeless(side.end)._replace(settings=None))


def clock_is_kept(trace):
    """Time goes forward, timers expire at their deadlines and none is overdue."""
    times = [step.time for step in trace.steps]
    assert times == sorted(times)
    running = {end.name: () for end in trace.ends}
    for step in trace.steps:
        for timer in (timer for timers in running.values() for timer in timers):
            assert timer.until >= step.time
        if step.kind is Kind.TIMEOUT and step.text != "USER TIMEOUT":
            assert step.time in {t.until for t in running[step.end] if t.name == step.text}
        if step.end:
            running[step.end] = step.timers
    for flight in trace.flights:
        assert flight.sent is None or all(at > flight.sent for at in flight.arrived)


def test_every_property_that_fails_shows_it_in_its_last_step():
    """The title says what is wrong, the notes what was allowed."""
    found = explore(SAME_ISN, **NONE | {"old": 1})
    titles = {name: failure.trace.title for name, failure in found.failures.items()}
    assert titles["no old data"] == "Data of an earlier incarnation is delivered"
    trace = found.failures["no ghost"].trace
    assert trace.notes == ("A shortest run. What was allowed: old segments 1.",)
    assert [step.kind for step in trace.steps if step.end][-2:] == [Kind.ARRIVE, Kind.DEPART]


def test_a_bound_stops_the_search_and_says_so():
    """Not complete, not known to hold; a failure found within the bound is one all the same."""
    found = explore(**NONE | {"duplicates": 1}, most=1500)
    assert (found.complete, found.states, found.bound) == (False, 1500, "most: 1500 states")
    assert not found.holds("no ghost")
    assert "TIME-WAIT lasts" in found.failures
    assert "not seen to fail" in str(found)
    assert list(explore(most=1).failures) == []


def test_two_searches_find_the_same_whatever_the_hash_seed():
    """Runs, their traces and the summary are the same bytes."""
    program = (
        "from tcpviz.explore import explore;"
        "f = explore(losses=1, duplicates=1, old=1, spurious=0, allow=('crash',), most=30000);"
        "print(f, *(each.trace for each in f.failures.values()), *f.map.values());"
        "print(*(each.trace for each in f.map.values() if each.kind != 'never'))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ
            | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent.parent)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"losses": -1}, "losses: -1 is not a whole number, 0 or more"),
        ({"old": 1.5}, "old: 1.5 is not a whole number, 0 or more"),
        ({"spurious": True}, "spurious: True is not a whole number, 0 or more"),
        ({"most": 0}, "most: 0 is not a whole number, 1 or more"),
        ({"allow": "sleep"}, "allow: 'sleep' is not one of ABORT, crash, give up, user timeout"),
        ({"allow": {"crash": -1}}, "allow['crash']: -1 is not a whole number, 0 or more"),
        ({"allow": 5}, "allow: 5 is not one or more of ABORT, crash"),
        ({"scenario": 5}, "scenario: 5 is not a Scenario"),
        (
            {"scenario": Scenario(calls=(ACTIVE, At(0, "server", "restart")))},
            "calls[1].call: explore knows no restart",
        ),
        (
            {"scenario": Scenario(network=(Lose("client", "SYN"),))},
            "scenario: its network must be empty",
        ),
    ],
)
def test_a_bad_argument_is_named(options, message):
    """One error that says which and what it should be."""
    with pytest.raises((ValueError, TypeError)) as problem:
        explore(**options)
    assert str(problem.value).startswith(message)


def test_only_the_properties_there_are_can_be_asked_for(base):
    """A name with a slip does not quietly hold."""
    with pytest.raises(ValueError, match="name: 'no goat' is not one of no ghost, no old data"):
        base.holds("no goat")


def test_what_an_earlier_connection_leaves_has_its_numbers():
    """Lower than this run's by as much as the ISSs are apart; equal where they are equal."""
    to_server = [str(sent.segment) for sent in leftovers(WITH_DATA, "server")]
    assert to_server == [
        "<SEQ=90><CTL=SYN>",
        "<SEQ=91><ACK=291><CTL=ACK>",
        "<SEQ=91><ACK=291><CTL=ACK><DATA=1>",
        "<SEQ=92><ACK=291><CTL=FIN,ACK>",
        "<SEQ=91><CTL=RST>",
    ]
    assert str(leftovers(SAME_ISN, "client")[0].segment) == "<SEQ=300><ACK=101><CTL=SYN,ACK>"


def test_nobody_is_asked_twice_what_a_segment_means():
    """An end's answer to a move is worked out once for all joint states."""
    hosts = host(OPEN_AND_CLOSE, "client"), host(OPEN_AND_CLOSE, "server")
    search = Search(hosts, ((), ()), {**NONE, "losses": 1, "duplicates": 1})
    found = search.visit(10**6)
    assert len(search.changes) < found.states / 10


def ends_in(trace):
    """The last state of each end; one to which nothing happened is CLOSED."""
    spans = [trace.spans(end.name) for end in trace.ends]
    return tuple(each[-1].state if each else State.CLOSED for each in spans)


def variant(scenario, **rules):
    """The scenario with some rules of its ends changed."""
    return replace(scenario, rules=Rules(**rules))


def has_rule(name):
    """Mark for a test of a rule; the ends do not have all of them yet."""
    there = Rules is not None and name in Rules._fields
    return pytest.mark.skipif(not there, reason=f"no rule {name}")


@has_rule("time_wait_ignores_rst")
def test_rfc_1337_keeps_time_wait():
    """An end that ignores RST in TIME-WAIT stays for its 2MSL, whatever comes."""
    found = explore(variant(OPEN_AND_CLOSE, time_wait_ignores_rst=True))
    assert found.complete
    assert list(found.failures) == []


@has_rule("two_way_handshake")
def test_a_two_way_handshake_finds_a_ghost_and_delivers_it_old_data():
    """An old SYN makes a server ESTABLISHED with nobody, and old data finds it."""
    found = explore(variant(WITH_DATA, two_way_handshake=True), **NONE | {"old": 2})
    assert ends_in(found.failures["no ghost"].trace) == ("CLOSED", "ESTABLISHED")
    assert not found.holds("no old data")


@has_rule("four_segment_handshake")
def test_a_handshake_of_four_segments_strands_an_end_that_closes_early():
    """Its SYN goes alone, so that a RST answering it has SEQ=0, which FIN-WAIT-1 turns away."""
    found = explore(variant(OPEN_AND_CLOSE, four_segment_handshake=True), old=0)
    assert found.complete
    assert list(found.failures) == ["nobody stranded", "TIME-WAIT lasts"]
    assert ends_in(found.failures["nobody stranded"].trace) == ("CLOSED", "FIN-WAIT-1")


@has_rule("four_segment_handshake")
def test_who_is_stranded_with_a_timer_running_is_shown_one_turn_of_it():
    """The RTO, the bare SYN, the RST of number 0 that is dropped; then all is as before."""
    four = variant(OPEN_AND_CLOSE, four_segment_handshake=True)
    failure = explore(four, **NONE | {"losses": 1}).failures["nobody stranded"]
    assert [move.what for move in failure.onward] == ["expire", "deliver", "deliver"]
    assert [str(step.segment) for step in failure.trace.steps[-4:]] == [
        "<SEQ=300><CTL=SYN>",
        "<SEQ=300><CTL=SYN>",
        "<SEQ=0><ACK=301><CTL=RST,ACK>",
        "<SEQ=0><ACK=301><CTL=RST,ACK>",
    ]
    assert "shown by 3 more moves" in failure.trace.notes[-1]
    assert repr(failure) == "<Failure fails, after 8 moves at the earliest>"


@pytest.mark.parametrize("name", ["four segments", "TIME-WAITs", "nothing more"])
def test_what_is_shown_of_a_stranded_run_comes_back_to_where_it_was(name):
    """After the onward moves the joint state is one that they led through; or there are none."""
    scenario, options = {
        "four segments": (variant(OPEN_AND_CLOSE, four_segment_handshake=True), {"losses": 1}),
        "TIME-WAITs": (variant(OPEN_AND_CLOSE, time_wait_answers_all=True), {}),
        "nothing more": (NEVER_CLOSES, {}),
    }[name]
    failure = explore(scenario, **NONE | options).failures["nobody stranded"]
    hosts = host(scenario, "client"), host(scenario, "server")
    passed = []
    for count in range(len(failure.onward) + 1):
        run = replay(hosts, failure.moves + failure.onward[:count])
        flying = sorted(str(f.segment) for f in run.trace.flights if not f.arrived and not f.lost)
        passed.append(([without_settings(side) for side in run.sides], flying))
    assert (passed[-1] in passed[:-1]) == (name != "nothing more")
    clock_is_kept(failure.trace)


@has_rule("time_wait_answers_all")
def test_two_time_waits_that_answer_everything_answer_each_other_for_ever():
    """After a simultaneous close each ACK brings another, and 2MSL is never over."""
    found = explore(variant(OPEN_AND_CLOSE, time_wait_answers_all=True), **NONE)
    assert not found.holds("nobody stranded")


@has_rule("challenge_acks")
def test_without_challenge_acks_the_base_search_finds_nothing_new():
    """RFC 5961 is about attackers: clocked ISNs keep old segments out of the window."""
    found = explore(variant(OPEN_AND_CLOSE, challenge_acks=False))
    assert list(found.failures) == ["TIME-WAIT lasts"]


@has_rule("old_ack_challenged")
def test_acks_of_old_acks_go_round_where_a_port_is_opened_again():
    """MAY-12: two ends that met through an old SYN answer each other's ACKs, and never rest.

    Without the rule they fall silent, and go on sending the same again: only R2 ends that.
    """
    reopened = replace(
        OPEN_AND_CLOSE,
        calls=(
            *(ACTIVE, CLIENT_CLOSES, At(1, "client", "passive OPEN"), At(2, "client", "CLOSE")),
            *(At(0, "server", "active OPEN"), SERVER_CLOSES),
        ),
        client_iss=(100, 200_100),
        server_iss=(300, 310),
    )
    round_and_round = explore(variant(reopened, old_ack_challenged=True), **NONE)
    silent = explore(reopened, **NONE)
    found = [each.failures["nobody stranded"] for each in (round_and_round, silent)]
    assert [ends_in(each.trace) for each in found] == [("FIN-WAIT-1", "SYN-RECEIVED")] * 2
    assert len(found[0].trace.flights) < len(found[1].trace.flights)
