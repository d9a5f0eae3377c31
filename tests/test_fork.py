"""Forks: the old run up to one moment, and another from there on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpviz.fork import ForkError, fork, parting
from tcpviz.scenario import Lose
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.states import State
from tcpviz.steps import Kind
from tcpviz.units import MS

WHATS = ("lose", "delay", "duplicate", "close", "abort", "crash")
NORMAL = SCENARIOS["open_and_close"]


def place(trace, kind, control):
    """The index of the first step of that kind with that segment."""
    return next(
        index
        for index, step in enumerate(trace.steps)
        if step.kind is kind and step.segment and step.segment.control == control
    )


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SCENARIOS)), st.sampled_from(WHATS), st.data())
def test_up_to_the_fork_nothing_changes(name, what, data):
    """Whatever is forked where, the new run repeats the old one up to that moment."""
    old = simulate(SCENARIOS[name])
    step = data.draw(st.integers(0, len(old.steps) - 1))
    try:
        new = simulate(fork(SCENARIOS[name], step, what))
    except ForkError:
        here = old.steps[step]
        flight = next((f for f in old.flights if f.number == here.flight), None)
        if what in ("lose", "delay", "duplicate"):
            assert flight is None or flight.sent is None or flight.lost is not None
        else:
            assert here.end == ""
        return
    here = old.steps[step]
    if what in ("lose", "delay", "duplicate"):
        sent = (s.flight == here.flight and s.kind is Kind.DEPART for s in old.steps)
        assert parting(old, new) > list(sent).index(True)
        assert old != new
    else:
        assert parting(old, new) >= max(step + 1, sum(s.time <= here.time for s in old.steps))
        calls = [s for s in new.steps if s.time == here.time + 1 and s.kind is Kind.CALL]
        crashes = (s for s in old.steps if s.text == "crash" and s.time <= here.time)
        down = any(s.end == here.end for s in crashes)  # also later in the same instant
        assert calls or down


def test_to_lose_this_segment():
    """The segment of the step is lost, wherever on its way it was pointed at, and no other."""
    old = simulate(NORMAL)
    for kind in (Kind.DEPART, Kind.ARRIVE):
        forked = fork(NORMAL, place(old, kind, "FIN,ACK"), "lose")
        lost = [flight for flight in simulate(forked).flights if flight.fate == "lost"]
        assert [flight.segment.control for flight in lost] == ["FIN,ACK"]
        assert forked.network == (Lose("client", "any", 3),)


def test_to_delay_and_to_duplicate_this_segment():
    """It arrives so much later, or twice so far apart."""
    step = place(simulate(NORMAL), Kind.DEPART, "SYN,ACK")
    late = simulate(fork(NORMAL, step, "delay", by=70 * MS)).flights[1]
    assert (late.arrived[0] - late.sent) == 120 * MS
    twice = simulate(fork(NORMAL, step, "duplicate", by=30 * MS)).flights[1]
    assert twice.arrived[1] - twice.arrived[0] == 30 * MS


def test_to_close_now():
    """The server closes first when it is told to, and so TIME-WAIT is the server's."""
    step = place(simulate(NORMAL), Kind.ARRIVE, "ACK")
    new = simulate(fork(NORMAL, step, "close"))
    assert State.TIME_WAIT in {span.state for span in new.spans("server")}
    other = simulate(fork(NORMAL, step, "close", end="client"))
    assert State.TIME_WAIT in {span.state for span in other.spans("client")}


def test_to_crash_this_end():
    """A host that crashes forgets, and the FIN that comes is answered by nobody."""
    step = place(simulate(NORMAL), Kind.DEPART, "FIN,ACK")
    new = simulate(fork(NORMAL, step, "crash", end="server"))
    assert new.spans("server")[-1].state is State.CLOSED
    assert any(flight.again for flight in new.flights)


def test_a_fork_can_be_forked():
    """What comes of a fork is a scenario like any other: the FIN is lost twice."""
    once = fork(NORMAL, place(simulate(NORMAL), Kind.DEPART, "FIN,ACK"), "lose")
    run = simulate(once)
    again = next(f for f in run.flights if f.again)
    step = next(i for i, s in enumerate(run.steps) if s.flight == again.number)
    twice = simulate(fork(once, step, "lose"))
    assert [f.segment.control for f in twice.flights if f.fate == "lost"] == ["FIN,ACK"] * 2
    assert parting(run, twice) > step


def test_faults_that_find_nothing_any_more_are_left_out():
    """Where the client never sends a second ACK, the scenario's loss of it goes away."""
    lossy = SCENARIOS["lost_last_ack"]
    step = place(simulate(lossy), Kind.DEPART, "SYN")
    forked = fork(lossy, step, "close", end="client")
    assert lossy.network != ()
    assert forked.network == ()
    assert simulate(forked).flights


def test_a_fork_says_what_it_is():
    """The name tells what was changed and when; the old description does not fit any more."""
    step = place(simulate(NORMAL), Kind.DEPART, "FIN,ACK")
    assert fork(NORMAL, step, "lose").name == "open_and_close: FIN,ACK of 250 ms lost"
    assert fork(NORMAL, step, "crash").name == "open_and_close: client crashes at 250 ms"
    assert fork(NORMAL, step, "lose").describe == ""


def test_two_runs_part_where_they_first_differ():
    """Equal runs never part; a run that merely ends earlier parts at its end."""
    whole = simulate(NORMAL)
    assert parting(whole, whole) == len(whole.steps)
    short = type(whole)(whole.ends, whole.steps[:4])
    assert parting(whole, short) == 4


@pytest.mark.parametrize(
    ("name", "step", "what", "sentence"),
    [
        ("handshake", 0, "lose", "no segment to lose at 0 ms"),
        ("handshake", 99, "lose", "no step 99: the run has 8"),
        ("handshake", -1, "close", "no step -1"),
        ("handshake", 4, "explode", "'explode' is none of lose, delay"),
        ("lost_syn", 3, "duplicate", "This SYN is lost already"),
        ("lost_syn", 3, "close", "say at which end to close"),
        ("old_duplicate_syn", 3, "lose", "Nobody sends this SYN"),
    ],
)
def test_what_cannot_be_forked_is_one_sentence(name, step, what, sentence):
    """The sentence says what is not there."""
    with pytest.raises(ForkError, match=sentence):
        fork(SCENARIOS[name], step, what)


def test_bad_times_and_ends_are_one_sentence():
    """What a Scenario does not take, a fork does not either."""
    with pytest.raises(ForkError, match="by: -1 is not a duration"):
        fork(NORMAL, 4, "delay", by=-1)
    with pytest.raises(ForkError, match="end: 'router' is not one of"):
        fork(NORMAL, 4, "crash", end="router")


def test_a_recording_cannot_be_forked():
    """A capture happened; a simulated trace does not know its scenario. Both are told kindly."""
    run = simulate(NORMAL)
    with pytest.raises(ForkError, match="fork the scenario"):
        fork(run, 4, "lose")
    recorded = type(run)(run.ends, run.steps, source="capture")
    with pytest.raises(ForkError, match="recorded, not simulated"):
        fork(recorded, 4, "lose")
