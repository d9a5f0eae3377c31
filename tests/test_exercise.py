"""Exercises: what is right comes out of a run, and no answer yet is no mistake."""

from dataclasses import replace

import pytest

from tcpviz.exercise import (
    EXERCISES,
    check,
    check_segments,
    check_state_at,
    check_states,
    predict,
)
from tcpviz.scenario import At, Inject, Lose, On, Scenario
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.states import State
from tcpviz.units import MS, S

HANDSHAKE = SCENARIOS["handshake"]
SEGMENTS = ["<SEQ=100><CTL=SYN>", "<SEQ=300><ACK=101><CTL=SYN,ACK>", "<SEQ=101><ACK=301><CTL=ACK>"]
BLANKS = [None, "", "  ", ..., "..."]
OPENS = [At(0, "server", "passive OPEN"), At(0, "client", "active OPEN")]
FORGED = [
    Inject(20 * MS, "server", "<SEQ=90><CTL=SYN>"),
    Inject(40 * MS, "server", "<SEQ=91><ACK=301><CTL=ACK>"),
]
SERVER_CLOSES = [On("server", "ESTABLISHED", "CLOSE", 100 * MS)]
SOLVED = {
    "undrawn_move": "abort",
    "old_syn_turned_away": "old_duplicate_syn",
    "simultaneous_open": "simultaneous_open",
    "ghost": Scenario(calls=OPENS[:1], network=FORGED),
    "half_close": "half_close",
    "close_in_three": Scenario(
        calls=OPENS,
        reactions=[*SERVER_CLOSES, On("client", "CLOSE-WAIT", "CLOSE", 20 * MS)],
        delayed_ack=200 * MS,
    ),
    "reset_close": "abort",
    "close_wait_leak": Scenario(calls=OPENS, reactions=SERVER_CLOSES),
    "both_time_wait": "simultaneous_close",
    "lost_last_ack": "lost_last_ack",
    "rst_in_time_wait": "duplicated_fin",
    "four_tuple_reused": "port_reuse",
    "old_data_delivered": "short_time_wait",
}
NEARLY = {
    "undrawn_move": ("open_and_close", "all moves of this run are arrows"),
    "old_syn_turned_away": ("three_way_no_ghost", "do not both become ESTABLISHED"),
    "simultaneous_open": ("handshake", "no SYN meets an end that has sent its own"),
    "ghost": ("handshake", "the client did something too"),
    "half_close": ("close_in_four", "no data arrives"),
    "close_in_three": ("close_in_four", "there are 4 segments"),
    "reset_close": ("refused", "never ESTABLISHED at both ends"),
    "close_wait_leak": ("open_and_close", "CLOSE-WAIT is left again"),
    "both_time_wait": ("open_and_close", "only the client comes to TIME-WAIT"),
    "lost_last_ack": ("no_time_wait", "neither end comes to TIME-WAIT"),
    "rst_in_time_wait": ("time_wait_ignores_rst", "none that ends TIME-WAIT"),
    "four_tuple_reused": ("open_and_close", "become ESTABLISHED: 1"),
    "old_data_delivered": ("clocked_iss", "of its own connection"),
}


# make it happen


def test_every_exercise_is_tested_both_ways():
    """Each is solved by a named scenario, and each has one that comes near."""
    assert set(EXERCISES) == set(SOLVED) == set(NEARLY)


@pytest.mark.parametrize(("name", "scenario"), SOLVED.items(), ids=SOLVED)
def test_an_exercise_is_solved_by_a_run_that_shows_it(name, scenario):
    """The verdict is drawn from the run, which it keeps."""
    answer = SCENARIOS.get(scenario) if isinstance(scenario, str) else scenario
    verdict = EXERCISES[name].check(answer)
    assert verdict
    assert verdict.passed is True
    assert verdict.trace == simulate(answer)


@pytest.mark.parametrize(("name", "near"), NEARLY.items(), ids=NEARLY)
def test_an_exercise_says_what_is_missing(name, near):
    """Not how to get there: the sentence names what the run lacks."""
    scenario, lacks = near
    verdict = EXERCISES[name].check(SCENARIOS[scenario])
    assert verdict.passed is False
    assert repr(verdict).startswith("Not yet: ")
    assert lacks in repr(verdict)


@pytest.mark.parametrize(
    ("name", "scenario", "lacks"),
    [
        ("close_in_three", "close_in_three", "the client sends the first FIN"),
        ("close_wait_leak", "close_wait", "it is the server that stays in CLOSE-WAIT"),
        ("ghost", "two_way_ghost", "the rules are others than RFC 9293's: "),
    ],
)
def test_an_answer_to_another_task_is_told_so(name, scenario, lacks):
    """What the named run shows is not what the chapter asks for: another end, other rules."""
    verdict = EXERCISES[name].check(SCENARIOS[scenario])
    assert verdict.passed is False
    assert lacks in repr(verdict)


@pytest.mark.parametrize("blank", BLANKS, ids=repr)
@pytest.mark.parametrize("name", EXERCISES)
def test_an_unanswered_exercise_tells_nothing(name, blank):
    """The same few words for all, and no trace."""
    verdict = EXERCISES[name].check(blank)
    assert (verdict.passed, repr(verdict), verdict.trace) == (None, "not answered yet", None)
    assert verdict._repr_mimebundle_() == {"text/plain": "not answered yet"}


def test_a_scenario_that_does_nothing_solves_nothing():
    """Every goal wants something to happen."""
    assert [name for name, each in EXERCISES.items() if each.check(Scenario())] == []


def test_an_exercise_shows_its_prompt():
    """In a notebook and in a shell the same text."""
    exercise = EXERCISES["both_time_wait"]
    assert repr(exercise) == "Make both ends wait in TIME-WAIT."
    assert exercise._repr_mimebundle_() == {"text/plain": repr(exercise)}


def test_what_is_not_a_scenario_is_said_so():
    """A kind word in place of a traceback."""
    assert repr(EXERCISES["ghost"].check(7)) == "Hand in a Scenario; this is of type int."
    assert repr(check(7, expect=EXERCISES["ghost"].goal)).startswith("Hand in a Trace")


def test_a_scenario_that_cannot_be_run_is_no_traceback():
    """The simulation's own sentence says which field it is."""
    lost = Scenario(calls=[At(0, "client", "active OPEN")], network=[Lose("client", "FIN")])
    verdict = EXERCISES["ghost"].check(lost)
    assert verdict.passed is False
    assert repr(verdict).startswith("This scenario cannot be run yet. network[0]")


def test_a_leak_that_is_only_cut_off_is_none():
    """CLOSE-WAIT at the end of a run that stops before the close proves nothing."""
    late = Scenario(
        calls=[At(0, "server", "passive OPEN"), At(0, "client", "active OPEN")],
        reactions=[
            On("client", "ESTABLISHED", "CLOSE", 10 * MS),
            On("server", "CLOSE-WAIT", "CLOSE", 50 * S),
        ],
        until=20 * S,
    )
    assert "cut off" in repr(EXERCISES["close_wait_leak"].check(late))


def test_a_last_ack_that_is_never_sent_again_does_not_do():
    """Losing every ACK of TIME-WAIT leaves the peer without one."""
    early = replace(SCENARIOS["lost_last_ack"], until=500 * MS)
    assert "no other reaches the peer" in repr(EXERCISES["lost_last_ack"].check(early))


# segments


def test_all_segments_right():
    """As a list or as lines, with or without their senders."""
    lines = "\n".join(
        f"{end}: {each}" for end, each in zip(("client", "server", "client"), SEGMENTS, strict=True)
    )
    for answer in (SEGMENTS, tuple(SEGMENTS), lines):
        verdict = check_segments(HANDSHAKE, answer)
        assert (verdict.passed, repr(verdict)) == (True, "Yes: all 3 segments.")


@pytest.mark.parametrize("blank", [*BLANKS, [], [None, ...], ["", "..."]], ids=repr)
def test_segments_not_answered(blank):
    """Nothing of the run is told."""
    verdict = check_segments(HANDSHAKE, blank)
    assert (verdict.passed, repr(verdict), verdict.trace) == (None, "not answered yet", None)


def test_segments_half_answered():
    """What is there is right; what comes next is not told."""
    verdict = check_segments(HANDSHAKE, [SEGMENTS[0], ..., ...])
    assert verdict.passed is None
    assert repr(verdict) == "right so far: 1; the next is not answered yet"


@pytest.mark.parametrize(
    ("number", "wrong", "fields"),
    [
        (1, "<SEQ=1><CTL=SYN>", "(SEQ)"),
        (2, "<SEQ=300><ACK=100><CTL=SYN,ACK>", "(ACK)"),
        (2, "<SEQ=300><CTL=SYN>", "(ACK, CTL)"),
        (3, "<SEQ=101><ACK=301><CTL=ACK><DATA=5>", "(DATA)"),
    ],
    ids=["seq", "ack", "ctl", "data"],
)
def test_the_first_wrong_segment_is_shown(number, wrong, fields):
    """With what was expected, who sends it, and which fields differ; the later ones are not."""
    answer = list(SEGMENTS)
    answer[number - 1 :] = [wrong] * (4 - number)
    verdict = check_segments(HANDSHAKE, answer)
    assert verdict.passed is False
    assert f"Segment {number} differs: you wrote {wrong}, the " in repr(verdict)
    assert SEGMENTS[number - 1] in repr(verdict)
    assert fields in repr(verdict)
    assert not any(later in repr(verdict) for later in SEGMENTS[number:])


def test_one_segment_too_many():
    """Nobody sends it."""
    verdict = check_segments(HANDSHAKE, [*SEGMENTS, SEGMENTS[2]])
    assert repr(verdict).startswith("Segment 4 is one too many")


def test_segments_that_cannot_be_read():
    """The notation is shown, not a traceback."""
    assert "Segment 1 cannot be read" in repr(check_segments(HANDSHAKE, "SYN"))
    assert "one a line" in repr(check_segments(HANDSHAKE, 7))
    assert "not by the server" in repr(check_segments(HANDSHAKE, ["server: " + SEGMENTS[0]]))


# states


@pytest.mark.parametrize(
    "answer",
    [
        ["SYN-SENT", "ESTABLISHED"],
        ["CLOSED", "SYN-SENT", "ESTABLISHED"],
        "SYN_SENT -> ESTAB",
        "syn_send\nestablished",
        [State.SYN_SENT, State.ESTABLISHED],
    ],
    ids=str,
)
def test_states_right(answer):
    """However they are spelled: the RFC's way, the system's, or an article's."""
    verdict = check_states(HANDSHAKE, "client", answer)
    assert repr(verdict) == "Yes: the 2 states of the client, in order."


@pytest.mark.parametrize("blank", [*BLANKS, [], [...]], ids=repr)
def test_states_not_answered(blank):
    """Nothing of the run is told."""
    verdict = check_states(HANDSHAKE, "client", blank)
    assert (verdict.passed, repr(verdict), verdict.trace) == (None, "not answered yet", None)


@pytest.mark.parametrize(
    ("answer", "words", "passed"),
    [
        (["LISTEN"], "begins in SYN-SENT at 0 ms, not in LISTEN", False),
        (["SYN-SENT", "CLOSED"], "after SYN-SENT the client goes to ESTABLISHED at 100 ms", False),
        (["SYN-SENT", "ESTABLISHED", "CLOSED"], "never comes to CLOSED", False),
        (["SYN-SENT"], "there is more to come", False),
        (["SYN-SENT", ...], "there is more to come", None),
        (["OPEN"], "'OPEN' is no state of TCP", False),
        (7, "Write the states as a list", False),
    ],
    ids=str,
)
def test_states_wrong(answer, words, passed):
    """The first difference, and the time at which the run differs."""
    verdict = check_states(HANDSHAKE, "client", answer)
    assert verdict.passed is passed
    assert words in repr(verdict)


def test_the_states_at_a_time():
    """Half a round trip after the client, the server is ESTABLISHED too, and not before."""
    both = {"client": "ESTABLISHED", "server": "ESTABLISHED"}
    assert check_state_at(HANDSHAKE, 160 * MS, both)
    wrong = check_state_at(HANDSHAKE, 120 * MS, both)
    assert repr(wrong) == "At 120 ms the server is in SYN-RECEIVED, not in ESTABLISHED."
    half = check_state_at(HANDSHAKE, 120 * MS, {"client": "ESTABLISHED", "server": ...})
    assert (half.passed, repr(half)) == (None, "right so far; the other end is not answered yet")
    for blank in (*BLANKS, {}, {"client": ...}):
        assert repr(check_state_at(HANDSHAKE, 120 * MS, blank)) == "not answered yet"
    assert "Give a state for each" in repr(check_state_at(HANDSHAKE, 0, {"peer": "CLOSED"}))
    assert "no state" in repr(check_state_at(HANDSHAKE, 0, {"client": "OPEN"}))


# predictions


def test_a_prediction_is_compared_with_the_run():
    """A wrong one gets the run that refutes it."""
    assert predict(HANDSHAKE, lambda trace: len(trace.flights), 3)
    wrong = predict(HANDSHAKE, lambda trace: len(trace.flights), 4)
    assert wrong.passed is False
    assert "in the run it is 3" in repr(wrong)
    assert wrong.trace == simulate(HANDSHAKE)
    last = SCENARIOS["close_wait"]
    assert predict(last, lambda trace: trace.spans("server")[-1].state, "close_wait")


@pytest.mark.parametrize("blank", BLANKS, ids=repr)
def test_no_prediction_runs_nothing(blank):
    """The run is not even made: nothing can leak."""

    def never(trace):
        raise AssertionError

    assert repr(predict(HANDSHAKE, never, blank)) == "not answered yet"
