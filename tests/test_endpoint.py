"""One end, state by state: what moves it, and what leaves it as it is (RFC 9293 §3.10)."""

from typing import Any

import pytest

from tcpviz.endpoint import Endpoint, Outcome
from tcpviz.rules import LINUX, RFC9293, Rules
from tcpviz.scenarios import SCENARIOS
from tcpviz.segment import Segment
from tcpviz.simulate import simulate
from tcpviz.states import Event, State
from tcpviz.steps import Kind, Timer
from tcpviz.tcb import Settings
from tcpviz.units import MS, S

SETTINGS = Settings(iss=(100,))


def arrive(end: Endpoint, text: str, now: int = 0) -> Outcome:
    """A segment in RFC notation arrives."""
    return end.arrive(Segment.parse(text), now)


def call(end: Endpoint, event: str, **more: Any) -> Outcome:
    """The user calls."""
    return end.call(Event(event), 0, **more)


def sent(outcome: Outcome) -> list[str]:
    """What was sent, in RFC notation."""
    return [str(segment) for segment in outcome.sent]


def listen() -> Endpoint:
    return call(Endpoint(SETTINGS), "passive OPEN").end


def syn_sent() -> Endpoint:
    return call(Endpoint(SETTINGS), "active OPEN").end


def syn_received() -> Endpoint:
    return arrive(listen(), "<SEQ=300><CTL=SYN>").end


def syn_received_active() -> Endpoint:
    return arrive(syn_sent(), "<SEQ=300><CTL=SYN>").end


def established() -> Endpoint:
    return arrive(syn_sent(), "<SEQ=300><ACK=101><CTL=SYN,ACK>").end


def fin_wait_1() -> Endpoint:
    return call(established(), "CLOSE").end


def fin_wait_2() -> Endpoint:
    return arrive(fin_wait_1(), "<SEQ=301><ACK=102><CTL=ACK>").end


def closing() -> Endpoint:
    return arrive(fin_wait_1(), "<SEQ=301><ACK=101><CTL=FIN,ACK>").end


def time_wait() -> Endpoint:
    return arrive(fin_wait_2(), "<SEQ=301><ACK=102><CTL=FIN,ACK>").end


def close_wait() -> Endpoint:
    return arrive(established(), "<SEQ=301><ACK=101><CTL=FIN,ACK>").end


def last_ack() -> Endpoint:
    return call(close_wait(), "CLOSE").end


MAKERS = {
    State.CLOSED: lambda: Endpoint(SETTINGS),
    State.LISTEN: listen,
    State.SYN_SENT: syn_sent,
    State.SYN_RECEIVED: syn_received,
    State.ESTABLISHED: established,
    State.FIN_WAIT_1: fin_wait_1,
    State.FIN_WAIT_2: fin_wait_2,
    State.CLOSE_WAIT: close_wait,
    State.CLOSING: closing,
    State.LAST_ACK: last_ack,
    State.TIME_WAIT: time_wait,
}
SYNCHRONIZED = list(State)[4:]


@pytest.mark.parametrize("state", State)
def test_each_maker_makes_its_state(state: State) -> None:
    """The tests below start where they say they do."""
    assert MAKERS[state]().state is state


# == user calls ==============================================================================


@pytest.mark.parametrize("state", [s for s in State if s not in ("CLOSED", "LISTEN")])
@pytest.mark.parametrize("how", ["active OPEN", "passive OPEN"])
def test_a_second_open_is_an_error_and_changes_nothing(state: State, how: str) -> None:
    """OPEN on a connection that exists says so (§3.10.1)."""
    end = MAKERS[state]()
    assert call(end, how) == Outcome(end, says="error: connection already exists")


@pytest.mark.parametrize("what", ["SEND", "CLOSE", "ABORT"])
def test_closed_calls_find_no_connection(what: str) -> None:
    """Without a TCB every call but OPEN says that the connection does not exist."""
    end = Endpoint(SETTINGS)
    assert call(end, what) == Outcome(end, says="error: connection does not exist")


@pytest.mark.parametrize("state", ["FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "LAST-ACK", "TIME-WAIT"])
@pytest.mark.parametrize("what", ["SEND", "CLOSE"])
def test_after_close_send_and_close_are_errors(state: str, what: str) -> None:
    """Who has closed cannot send or close again (§3.10.2, §3.10.4)."""
    end = MAKERS[State(state)]()
    assert call(end, what, octets=1) == Outcome(end, says="error: connection closing")


@pytest.mark.parametrize("state", [s for s in State if s is not State.CLOSED])
def test_abort_deletes_the_tcb_and_resets_a_peer_that_may_hold_one(state: State) -> None:
    """ABORT leads to CLOSED from every state, with a RST where §3.10.5 asks for one."""
    end = MAKERS[state]()
    outcome = call(end, "ABORT")
    assert outcome.end.state is State.CLOSED
    assert outcome.end.deadlines == ()
    expects_rst = state in ("SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT")
    assert sent(outcome) == ([f"<SEQ={end.snd_nxt}><CTL=RST>"] if expects_rst else [])


def test_syn_sent_send_waits_for_established() -> None:
    """Data sent in SYN-SENT is queued and travels with the third segment."""
    waiting = call(syn_sent(), "SEND", octets=10)
    assert waiting.sent == ()
    opened = arrive(waiting.end, "<SEQ=300><ACK=101><CTL=SYN,ACK>")
    assert sent(opened) == ["<SEQ=101><ACK=301><CTL=ACK><DATA=10>"]


def test_syn_received_close_with_data_pending_waits_for_established() -> None:
    """A CLOSE behind queued data is queued too (§3.10.4), and goes through FIN-WAIT-1 later."""
    waiting = call(call(syn_received(), "SEND", octets=10).end, "CLOSE")
    assert waiting.end.state is State.SYN_RECEIVED
    assert call(waiting.end, "SEND", octets=1).says == "error: connection closing"
    opened = arrive(waiting.end, "<SEQ=301><ACK=101><CTL=ACK>")
    assert opened.end.state is State.FIN_WAIT_1
    assert sent(opened) == [
        "<SEQ=101><ACK=301><CTL=ACK><DATA=10>",
        "<SEQ=111><ACK=301><CTL=FIN,ACK>",
    ]


# == CLOSED and LISTEN =======================================================================


def test_closed_answers_whatever_is_not_a_rst_with_a_rst() -> None:
    """§3.10.7.1: a RST that the sender will accept, silence for a RST."""
    end = Endpoint(SETTINGS)
    assert sent(arrive(end, "<SEQ=7><CTL=SYN><DATA=5>")) == ["<SEQ=0><ACK=13><CTL=RST,ACK>"]
    assert sent(arrive(end, "<SEQ=7><ACK=9><CTL=ACK>")) == ["<SEQ=9><CTL=RST>"]
    assert arrive(end, "<SEQ=7><CTL=RST>") == Outcome(end)


def test_listen_answers_an_ack_with_a_rst_and_ignores_rst_and_fin() -> None:
    """§3.10.7.2, the checks before and after SYN."""
    end = listen()
    assert sent(arrive(end, "<SEQ=7><ACK=9><CTL=SYN,ACK>")) == ["<SEQ=9><CTL=RST>"]
    assert arrive(end, "<SEQ=7><CTL=RST>") == Outcome(end)
    assert arrive(end, "<SEQ=7><CTL=FIN>") == Outcome(end)


def test_listen_syn_chooses_the_next_iss_each_time() -> None:
    """A listener that was reset uses a new ISS for the next SYN (Figure 8)."""
    end = call(Endpoint(Settings(iss=(300, 400))), "passive OPEN").end
    first = arrive(end, "<SEQ=90><CTL=SYN>")
    assert sent(first) == ["<SEQ=300><ACK=91><CTL=SYN,ACK>"]
    back = arrive(first.end, "<SEQ=91><CTL=RST>").end
    assert back.state is State.LISTEN
    assert sent(arrive(back, "<SEQ=100><CTL=SYN>")) == ["<SEQ=400><ACK=101><CTL=SYN,ACK>"]


def test_the_iss_clock_goes_on_where_the_list_ends() -> None:
    """§3.4.1, MUST-8: a later open takes its ISS from a clock of 4 microseconds."""
    end = call(syn_sent(), "ABORT").end
    assert sent(end.call(Event.ACTIVE_OPEN, 4 * S)) == ["<SEQ=1000100><CTL=SYN>"]


# == SYN-SENT ================================================================================


def test_syn_sent_an_unacceptable_ack_draws_a_rst_and_changes_nothing() -> None:
    """A SYN,ACK for another SYN is answered by a RST with its ACK number (Figure 8)."""
    end = syn_sent()
    outcome = arrive(end, "<SEQ=300><ACK=91><CTL=SYN,ACK>")
    assert sent(outcome) == ["<SEQ=91><CTL=RST>"]
    assert outcome.end == end
    assert arrive(end, "<SEQ=300><ACK=91><CTL=RST,ACK>") == Outcome(end)


def test_syn_sent_a_rst_counts_only_with_an_acceptable_ack() -> None:
    """Refused: the RST acknowledges our SYN. A RST without ACK proves nothing."""
    end = syn_sent()
    refused = arrive(end, "<SEQ=0><ACK=101><CTL=RST,ACK>")
    assert refused.end.state is State.CLOSED
    assert refused.says == "error: connection reset"
    assert arrive(end, "<SEQ=0><CTL=RST>") == Outcome(end)


def test_syn_sent_an_ack_without_syn_is_dropped_and_stops_no_timer() -> None:
    """Judged first, applied after: what is dropped must not touch the retransmission timer."""
    end = syn_sent()
    assert arrive(end, "<SEQ=300><ACK=101><CTL=ACK>") == Outcome(end)


@pytest.mark.parametrize("name", ["syn_in_window_while_crossing", "refused_while_crossing"])
def test_syn_received_only_a_rst_refuses(name: str) -> None:
    """§3.10.7.4: a SYN in the window resets what was opened actively; a RST refuses it."""
    said = [s.says for s in simulate(SCENARIOS[name]).steps if s.end == "client" and s.says]
    words = "refused" if name == "refused_while_crossing" else "reset"
    assert said == [f"error: connection {words}"]


def test_syn_sent_an_ack_of_the_iss_itself_acknowledges_nothing() -> None:
    """SEG.ACK =< ISS is unacceptable, ISS included: a RST answers it."""
    outcome = arrive(syn_sent(), "<SEQ=300><ACK=100><CTL=SYN,ACK>")
    assert sent(outcome) == ["<SEQ=100><CTL=RST>"]
    assert outcome.end == syn_sent()


# == SYN-RECEIVED ============================================================================


def test_syn_received_an_unacceptable_ack_draws_a_rst_and_changes_nothing() -> None:
    """Fifth check: a RST with the ACK's number; the end stays."""
    end = syn_received()
    outcome = arrive(end, "<SEQ=301><ACK=999><CTL=ACK>")
    assert sent(outcome) == ["<SEQ=999><CTL=RST>"]
    assert outcome.end == end


def test_syn_received_a_fin_with_the_ack_moves_twice() -> None:
    """One segment may acknowledge the SYN and close: ESTABLISHED, then CLOSE-WAIT."""
    outcome = arrive(syn_received(), "<SEQ=301><ACK=101><CTL=FIN,ACK>")
    assert [edge.target for edge in outcome.edges] == ["ESTABLISHED", "CLOSE-WAIT"]


def test_syn_received_rst_returns_a_passive_end_to_listen_unheard() -> None:
    """Note 1, MUST-11: the user of a passive open need not be told."""
    outcome = arrive(syn_received(), "<SEQ=301><CTL=RST>")
    assert (outcome.end.state, outcome.says) == (State.LISTEN, "")


def test_syn_received_rst_refuses_an_active_end() -> None:
    """In simultaneous open the RST means that the connection was refused."""
    outcome = arrive(syn_received_active(), "<SEQ=301><CTL=RST>")
    assert (outcome.end.state, outcome.says) == (State.CLOSED, "error: connection refused")


def test_syn_received_a_second_syn_in_the_window_returns_to_listen() -> None:
    """Fourth check: a passive end starts again; the duplicate of the first SYN only gets an ACK."""
    assert arrive(syn_received(), "<SEQ=301><CTL=SYN>").end.state is State.LISTEN
    again = arrive(syn_received(), "<SEQ=300><CTL=SYN>")
    assert again.end == syn_received()
    assert sent(again) == ["<SEQ=101><ACK=301><CTL=ACK>"]


# == the synchronized states =================================================================


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_a_segment_outside_the_window_is_answered_by_an_ack_only(state: State) -> None:
    """First check: nothing changes, the answer says what is expected."""
    end = MAKERS[state]()
    outcome = arrive(end, "<SEQ=99999><ACK=101><CTL=ACK><DATA=1>")
    assert sent(outcome) == [f"<SEQ={end.snd_nxt}><ACK={end.rcv_nxt}><CTL=ACK>"]
    assert outcome.end == end


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_a_rst_outside_the_window_is_met_with_silence(state: State) -> None:
    """First check, for a RST: dropped without a word."""
    end = MAKERS[state]()
    assert arrive(end, "<SEQ=99999><CTL=RST>") == Outcome(end)


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_a_rst_beside_rcv_nxt_is_challenged(state: State) -> None:
    """RFC 5961: in the window but not exact, an ACK asks the sender to confirm."""
    end = MAKERS[state]()
    outcome = arrive(end, f"<SEQ={end.rcv_nxt + 5}><CTL=RST>")
    assert sent(outcome) == [f"<SEQ={end.snd_nxt}><ACK={end.rcv_nxt}><CTL=ACK>"]
    assert outcome.end == end


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_a_rst_at_rcv_nxt_ends_the_connection_and_is_never_answered(state: State) -> None:
    """Second check: CLOSED; a user that still holds the connection is told."""
    outcome = arrive(MAKERS[state](), f"<SEQ={MAKERS[state]().rcv_nxt}><CTL=RST>")
    assert outcome.end.state is State.CLOSED
    assert outcome.sent == ()
    told = state in ("ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT")
    assert outcome.says == ("error: connection reset" if told else "")


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_a_syn_in_the_window_is_challenged(state: State) -> None:
    """Fourth check with RFC 5961: an ACK, whatever the SYN's number."""
    end = MAKERS[state]()
    outcome = arrive(end, f"<SEQ={end.rcv_nxt + 5}><CTL=SYN>")
    assert sent(outcome) == [f"<SEQ={end.snd_nxt}><ACK={end.rcv_nxt}><CTL=ACK>"]
    assert outcome.end == end


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_without_challenges_a_syn_in_the_window_ends_any_state_and_is_told(state: State) -> None:
    """Fourth check of RFC 793: a RST, CLOSED, and the user hears of it whatever the state."""
    plain = SETTINGS._replace(rules=Rules(challenge_acks=False))
    end = MAKERS[state]()._replace(settings=plain)
    outcome = arrive(end, f"<SEQ={end.rcv_nxt}><CTL=SYN>")
    assert sent(outcome) == [f"<SEQ={end.snd_nxt}><ACK={end.rcv_nxt}><CTL=RST,ACK>"]
    assert (outcome.end.state, outcome.says) == (State.CLOSED, "error: connection reset")


@pytest.mark.parametrize("state", SYNCHRONIZED)
@pytest.mark.parametrize("challenge", [True, False])
def test_a_syn_before_the_window_is_not_in_it_whatever_it_carries(
    state: State, challenge: bool
) -> None:
    """Fourth check: the FIN of SYN,FIN may lie in the window while the SYN does not."""
    rules = Rules(challenge_acks=challenge)
    end = MAKERS[state]()._replace(settings=SETTINGS._replace(rules=rules))
    outcome = arrive(end, f"<SEQ={end.rcv_nxt - 1}><CTL=SYN,FIN>")
    assert sent(outcome) == [f"<SEQ={end.snd_nxt}><ACK={end.rcv_nxt}><CTL=ACK>"]
    assert outcome.end == end


def test_syn_received_the_same_syn_with_data_is_still_the_same_syn() -> None:
    """Fourth check: its number came before, so a passive end does not start again."""
    again = arrive(syn_received(), "<SEQ=300><CTL=SYN><DATA=3>")
    assert again.end == syn_received()
    assert sent(again) == ["<SEQ=101><ACK=301><CTL=ACK>"]


def test_time_wait_is_reopened_by_a_syn_beyond_the_window_too() -> None:
    """MAY-2 asks for a larger number, not for one in the window."""
    rules = Rules(reopen_from_time_wait=True)
    end = time_wait()._replace(settings=SETTINGS._replace(rules=rules))
    for beyond in (0, 1, 65535, 70000):
        outcome = arrive(end, f"<SEQ={end.rcv_nxt + beyond}><CTL=SYN>")
        assert outcome.end.state is State.SYN_RECEIVED
    assert arrive(end, f"<SEQ={end.rcv_nxt - 1}><CTL=SYN>").end == end


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_a_segment_without_ack_is_dropped(state: State) -> None:
    """Fifth check: the ACK bit is off."""
    end = MAKERS[state]()
    assert arrive(end, f"<SEQ={end.rcv_nxt}><CTL=FIN>") == Outcome(end)


@pytest.mark.parametrize("state", SYNCHRONIZED[:-1])
def test_an_ack_of_what_was_never_sent_is_answered_and_dropped(state: State) -> None:
    """Fifth check: SEG.ACK beyond SND.NXT changes nothing."""
    end = MAKERS[state]()
    outcome = arrive(end, f"<SEQ={end.rcv_nxt}><ACK={end.snd_nxt + 50}><CTL=FIN,ACK>")
    assert sent(outcome) == [f"<SEQ={end.snd_nxt}><ACK={end.rcv_nxt}><CTL=ACK>"]
    assert outcome.end == end


@pytest.mark.parametrize("state", SYNCHRONIZED[:-1])
def test_an_ack_one_beyond_snd_nxt_is_already_too_much(state: State) -> None:
    """The edge of the fifth check: SND.NXT may be acknowledged, SND.NXT + 1 may not."""
    end = MAKERS[state]()
    outcome = arrive(end, f"<SEQ={end.rcv_nxt}><ACK={end.snd_nxt + 1}><CTL=ACK>")
    assert sent(outcome) == [f"<SEQ={end.snd_nxt}><ACK={end.rcv_nxt}><CTL=ACK>"]
    assert outcome.end == end


def test_an_ack_from_long_ago_is_answered_and_its_data_not_taken() -> None:
    """RFC 5961 §5: an ACK older than a window cannot be the peer's; its text is dropped."""
    settings = SETTINGS._replace(rules=RFC9293._replace(old_ack_challenged=True))
    end = established()._replace(settings=settings)
    end = call(end, "SEND", octets=200_000).end
    end = arrive(end, "<SEQ=301><ACK=200101><CTL=ACK>").end
    outcome = arrive(end, "<SEQ=301><ACK=101><CTL=ACK><DATA=10>")
    assert outcome.end == end
    assert sent(outcome) == ["<SEQ=200101><ACK=301><CTL=ACK>"]


def test_a_duplicate_ack_does_not_restart_the_rto() -> None:
    """Only an ACK of something new is progress (RFC 6298 §5.3)."""
    end = call(established(), "SEND", octets=10).end
    assert arrive(end, "<SEQ=301><ACK=101><CTL=ACK>", now=500 * MS).end == end


def test_established_data_out_of_order_is_acknowledged_but_not_taken() -> None:
    """A gap is not bridged, but acknowledged (MAY-13); a FIN behind the gap is no FIN yet."""
    outcome = arrive(established(), "<SEQ=310><ACK=101><CTL=FIN,ACK><DATA=5>")
    assert outcome.end == established()
    assert sent(outcome) == ["<SEQ=101><ACK=301><CTL=ACK>"]


def test_established_a_retransmission_that_overlaps_is_taken_once() -> None:
    """Octets already received are skipped, the new ones advance RCV.NXT."""
    end = arrive(established(), "<SEQ=301><ACK=101><CTL=ACK><DATA=10>").end
    assert arrive(end, "<SEQ=301><ACK=101><CTL=ACK><DATA=15>").end.rcv_nxt == 316


@pytest.mark.parametrize("maker", [close_wait, closing, last_ack])
def test_a_repeated_fin_is_acknowledged_and_changes_nothing(maker: Any) -> None:
    """After the peer's FIN the same FIN again only gets its ACK again."""
    end = maker()
    outcome = arrive(end, "<SEQ=301><ACK=101><CTL=FIN,ACK>")
    assert outcome.end == end
    assert sent(outcome) == [f"<SEQ={end.snd_nxt}><ACK=302><CTL=ACK>"]


@pytest.mark.parametrize("maker", [fin_wait_1, closing, last_ack])
def test_an_ack_that_does_not_cover_our_fin_moves_nothing(maker: Any) -> None:
    """Only the acknowledgment of the FIN itself leads on."""
    end = maker()
    assert arrive(end, f"<SEQ={end.rcv_nxt}><ACK=101><CTL=ACK>") == Outcome(end)


def test_fin_wait_1_a_fin_that_acknowledges_ours_skips_fin_wait_2() -> None:
    """Note 2: the close in three segments."""
    outcome = arrive(fin_wait_1(), "<SEQ=301><ACK=102><CTL=FIN,ACK>")
    assert [edge.target for edge in outcome.edges] == ["TIME-WAIT"]
    assert sent(outcome) == ["<SEQ=102><ACK=302><CTL=ACK>"]


def test_fin_wait_2_receives_data_and_only_then_the_fin() -> None:
    """Half-close: the other direction is still open."""
    data = arrive(fin_wait_2(), "<SEQ=301><ACK=102><CTL=ACK><DATA=10>")
    assert data.end.state is State.FIN_WAIT_2
    assert sent(data) == ["<SEQ=102><ACK=311><CTL=ACK>"]
    assert arrive(data.end, "<SEQ=311><ACK=102><CTL=FIN,ACK>").end.state is State.TIME_WAIT


def test_close_wait_ignores_text() -> None:
    """After its FIN the peer has nothing more to say."""
    end = close_wait()
    assert arrive(end, "<SEQ=302><ACK=101><CTL=ACK><DATA=5>") == Outcome(end)


def test_a_crossing_syn_ack_with_rst_is_a_rst_from_outside_the_window() -> None:
    """What Figure 7 lets in is a SYN,ACK, not a RST that looks like one."""
    end = syn_received_active()
    assert arrive(end, "<SEQ=300><ACK=101><CTL=SYN,RST,ACK>") == Outcome(end)


# == TIME-WAIT ===============================================================================


def test_time_wait_the_fin_again_is_acknowledged_and_starts_the_wait_again() -> None:
    """The last ACK was lost: it is sent again, and 2MSL runs from now."""
    outcome = arrive(time_wait(), "<SEQ=301><ACK=102><CTL=FIN,ACK>", now=5 * S)
    assert sent(outcome) == ["<SEQ=102><ACK=302><CTL=ACK>"]
    assert outcome.end.deadlines == (Timer("2MSL", 5 * S, 65 * S),)


def test_time_wait_another_old_fin_is_answered_but_the_wait_goes_on() -> None:
    """Only the peer's own last FIN restarts 2MSL; an older duplicate is merely acknowledged."""
    outcome = arrive(time_wait(), "<SEQ=290><ACK=102><CTL=FIN,ACK>", now=5 * S)
    assert sent(outcome) == ["<SEQ=102><ACK=302><CTL=ACK>"]
    assert outcome.end == time_wait()


def test_time_wait_a_bare_ack_is_not_answered() -> None:
    """Else two ends in TIME-WAIT would acknowledge each other for ever."""
    end = time_wait()
    assert arrive(end, "<SEQ=302><ACK=102><CTL=ACK>") == Outcome(end)


def test_time_wait_ends_after_2msl() -> None:
    """MUST-13: the timeout deletes the TCB after 2MSL."""
    end = time_wait()
    (timer,) = end.deadlines
    assert timer == Timer("2MSL", 0, 60 * S)
    assert end.expire(timer, timer.until).end.state is State.CLOSED


# == timers ==================================================================================


def test_the_rto_doubles_and_the_retransmission_carries_the_newest_ack() -> None:
    """RFC 6298 §5.5; and a FIN sent again acknowledges what came meanwhile."""
    end = call(established(), "CLOSE").end
    end = arrive(end, "<SEQ=301><ACK=101><CTL=ACK><DATA=7>").end
    first = end.expire(end.deadlines[0], 1 * S)
    assert sent(first) == ["<SEQ=101><ACK=308><CTL=FIN,ACK>"]
    assert first.end.deadlines == (Timer("RTO", 1 * S, 3 * S),)


def test_progress_stops_the_rto_or_starts_it_afresh() -> None:
    """RFC 6298 §5.2 and §5.3."""
    end = call(call(established(), "SEND", octets=10).end, "CLOSE").end
    half = arrive(end, "<SEQ=301><ACK=111><CTL=ACK>", now=200 * MS).end
    assert half.deadlines == (Timer("RTO", 200 * MS, 1200 * MS),)
    assert arrive(half, "<SEQ=301><ACK=112><CTL=ACK>", now=300 * MS).end.deadlines == ()


def test_progress_ends_the_backoff() -> None:
    """The doubled RTO is forgotten as soon as something new is acknowledged."""
    end = call(call(established(), "SEND", octets=10).end, "CLOSE").end
    end = end.expire(end.deadlines[0], 1 * S).end
    assert end.deadlines == (Timer("RTO", 1 * S, 3 * S),)
    half = arrive(end, "<SEQ=301><ACK=111><CTL=ACK>", now=1100 * MS).end
    assert half.deadlines == (Timer("RTO", 1100 * MS, 2100 * MS),)


def patient() -> Endpoint:
    """ESTABLISHED, with a delayed ACK of 40 ms."""
    end = call(Endpoint(SETTINGS._replace(delayed_ack=40 * MS)), "active OPEN").end
    return arrive(end, "<SEQ=300><ACK=101><CTL=SYN,ACK>").end


def test_a_delayed_ack_waits_and_then_goes_alone() -> None:
    """SHLD-18: with nothing to send the ACK leaves when its timer expires."""
    waiting = arrive(patient(), "<SEQ=301><ACK=101><CTL=FIN,ACK>", now=10 * MS)
    assert waiting.sent == ()
    (timer,) = waiting.end.deadlines
    assert timer == Timer("delayed ACK", 10 * MS, 50 * MS)
    expired = waiting.end.expire(timer, timer.until)
    assert sent(expired) == ["<SEQ=101><ACK=302><CTL=ACK>"]
    assert expired.end.deadlines == ()


def test_a_delayed_ack_rides_on_the_fin_of_a_quick_application() -> None:
    """The close in three: CLOSE comes before the delay ends, and stops its timer."""
    waiting = arrive(patient(), "<SEQ=301><ACK=101><CTL=FIN,ACK>").end
    closed = call(waiting, "CLOSE")
    assert sent(closed) == ["<SEQ=101><ACK=302><CTL=FIN,ACK>"]
    assert [timer.name for timer in closed.end.deadlines] == ["RTO"]


def test_a_second_segment_is_acknowledged_at_once() -> None:
    """SHLD-19: at least every second segment gets its ACK without delay."""
    waiting = arrive(patient(), "<SEQ=301><ACK=101><CTL=ACK><DATA=5>").end
    assert sent(arrive(waiting, "<SEQ=306><ACK=101><CTL=ACK><DATA=5>")) == [
        "<SEQ=101><ACK=311><CTL=ACK>"
    ]


def test_the_last_ack_is_never_delayed() -> None:
    """In TIME-WAIT and CLOSING nothing more will be sent that an ACK could ride on."""
    end = call(patient(), "CLOSE").end
    assert sent(arrive(end, "<SEQ=301><ACK=101><CTL=FIN,ACK>")) == ["<SEQ=102><ACK=302><CTL=ACK>"]
    half = arrive(end, "<SEQ=301><ACK=102><CTL=ACK>").end
    assert sent(arrive(half, "<SEQ=301><ACK=102><CTL=FIN,ACK>")) == ["<SEQ=102><ACK=302><CTL=ACK>"]


def test_the_acknowledgment_of_the_syn_is_never_delayed() -> None:
    """The third segment leaves at once."""
    end = call(Endpoint(SETTINGS._replace(delayed_ack=40 * MS)), "active OPEN").end
    assert sent(arrive(end, "<SEQ=300><ACK=101><CTL=SYN,ACK>")) == ["<SEQ=101><ACK=301><CTL=ACK>"]


# -- rules that recordings of Linux ask for ----------------------------------------------------


def linux(end: Endpoint) -> Endpoint:
    """The same end, by the rules of Linux from here on."""
    return end._replace(settings=end.settings._replace(rules=LINUX))


def test_a_syn_ack_that_answers_the_syn_again_starts_its_rto_again() -> None:
    """By the rule of Linux, that is; the standard's ACK leaves the RTO as it was."""
    again = arrive(linux(syn_received()), "<SEQ=300><CTL=SYN>", 600 * MS)
    assert sent(again) == ["<SEQ=100><ACK=301><CTL=SYN,ACK>"]
    assert again.end.deadlines == (Timer("RTO", 600 * MS, 1600 * MS),)
    ack = arrive(syn_received(), "<SEQ=300><CTL=SYN>", 600 * MS)
    assert sent(ack) == ["<SEQ=101><ACK=301><CTL=ACK>"]
    assert ack.end.deadlines == (Timer("RTO", 0, 1 * S),)


def test_time_wait_takes_a_syn_however_far_beyond_by_rule() -> None:
    """MAY-2 asks for a number beyond the last one, not for one in the window."""
    reopened = arrive(linux(time_wait()), "<SEQ=2000000000><CTL=SYN>").end
    assert (reopened.state, reopened.irs) == (State.SYN_RECEIVED, 2_000_000_000)
    old = arrive(linux(time_wait()), "<SEQ=301><CTL=SYN>")
    assert (old.end.state, sent(old)) == (State.TIME_WAIT, ["<SEQ=102><ACK=302><CTL=ACK>"])
    assert arrive(time_wait(), "<SEQ=2000000000><CTL=SYN>").end.state is State.TIME_WAIT


@pytest.mark.parametrize("control", ["SYN,ACK", "RST,ACK", "ACK"])
def test_whatever_acknowledges_another_syn_hastens_ours_by_rule(control: str) -> None:
    """A wrong ACK number is enough, also on a RST that gets no answer."""
    end = arrive(linux(syn_sent()), f"<SEQ=300><ACK=90><CTL={control}>", 50 * MS).end
    assert end.deadlines == (Timer("RTO", 50 * MS, 58 * MS),)
    assert arrive(syn_sent(), "<SEQ=300><ACK=90><CTL=ACK>").end.deadlines[0].until == 1 * S


def test_data_that_nobody_will_read_is_answered_by_the_rst_of_that_segment() -> None:
    """SHLD-3: after a half-duplex CLOSE new data draws <SEQ=SEG.ACK><CTL=RST>, and all is over."""
    left = arrive(call(established(), "half-duplex CLOSE").end, "<SEQ=301><ACK=102><CTL=ACK>").end
    for end in (left, linux(left)):
        over = arrive(end, "<SEQ=301><ACK=102><CTL=ACK><DATA=5>")
        assert (over.end.state, sent(over)) == (State.CLOSED, ["<SEQ=102><CTL=RST>"])


@pytest.mark.parametrize(("data", "wait"), [("<DATA=5>", 40 * MS), ("", 4 * MS)])
def test_the_ack_of_a_fin_waits_long_only_after_data_has_come(data: str, wait: int) -> None:
    """What this end has sent itself makes no difference."""
    end = call(linux(established()), "SEND", octets=10).end
    end = arrive(end, f"<SEQ=301><ACK=111><CTL=ACK>{data}").end
    fin = arrive(end, f"<SEQ={end.rcv_nxt}><ACK=111><CTL=FIN,ACK>", 1 * S).end
    assert fin.deadlines == (Timer("delayed ACK", 1 * S, 1 * S + wait),)


def test_numbers_wrap_around() -> None:
    """A connection whose numbers pass 2**32 opens, sends and closes like any other."""
    end = call(Endpoint(Settings(iss=(2**32 - 1,))), "active OPEN").end
    opened = arrive(end, "<SEQ=4294967295><ACK=0><CTL=SYN,ACK>")
    assert sent(opened) == ["<SEQ=0><ACK=0><CTL=ACK>"]
    closed = call(opened.end, "CLOSE").end
    assert arrive(closed, "<SEQ=0><ACK=1><CTL=FIN,ACK>").end.state is State.TIME_WAIT


def test_an_endpoint_is_a_value() -> None:
    """Equal histories give equal, hashable ends; an event leaves the old value as it was."""
    before = established()
    after = call(before, "CLOSE").end
    assert before == established() != after
    assert hash(before) == hash(established())


# == the user leaves (MAY-1), and what may not outlive a connection ==========================


def ends_with(rules: Rules, **more: Any) -> Settings:
    return SETTINGS._replace(rules=rules, **more)


def test_a_connection_after_a_half_duplex_close_is_nobodys_orphan() -> None:
    """The host that left in SYN-SENT opens again: the new connection has a user, who is told."""
    left = call(syn_sent(), "half-duplex CLOSE").end
    assert left == Endpoint(SETTINGS)._replace(opens=1)
    again = call(left, "active OPEN").end
    assert call(again, "USER TIMEOUT").says == "error: connection aborted due to user timeout"


def test_time_wait_outlives_a_user_who_leaves_with_data_unread() -> None:
    """Nothing is lost by then that the peer could be told of: TIME-WAIT goes on."""
    end = call(Endpoint(SETTINGS._replace(reads=False)), "active OPEN").end
    end = arrive(end, "<SEQ=300><ACK=101><CTL=SYN,ACK>").end
    end = call(arrive(end, "<SEQ=301><ACK=101><CTL=ACK><DATA=5>").end, "CLOSE").end
    end = arrive(end, "<SEQ=306><ACK=102><CTL=FIN,ACK>").end
    assert (end.state, end.unread) == (State.TIME_WAIT, 5)
    left = call(end, "half-duplex CLOSE")
    assert (left.end.state, left.end.deadlines, left.sent) == (State.TIME_WAIT, end.deadlines, ())


def test_a_second_half_duplex_close_is_an_error_and_restarts_nothing() -> None:
    """Who has left cannot leave again."""
    end = call(Endpoint(ends_with(LINUX)), "active OPEN").end
    end = arrive(end, "<SEQ=300><ACK=101><CTL=SYN,ACK>").end
    end = call(end, "half-duplex CLOSE").end
    end = arrive(end, "<SEQ=301><ACK=102><CTL=ACK>").end
    assert [timer.name for timer in end.deadlines] == ["FIN-WAIT-2"]
    again = end.call(Event.CLOSE_HALF_DUPLEX, 5 * S)
    assert again == Outcome(end, says="error: connection closing")


def test_an_orphan_has_nobody_to_tell_of_a_reset() -> None:
    """A half-duplex CLOSE, then a RST: the user has gone, and is told no "connection reset"."""
    rst = "<SEQ=301><CTL=RST>"
    assert arrive(fin_wait_1(), rst).says == "error: connection reset"
    orphan = call(established(), "half-duplex CLOSE").end
    assert orphan.state is State.FIN_WAIT_1
    gone = arrive(orphan, rst)
    assert (gone.end.state, gone.says) == (State.CLOSED, "")


def test_data_for_an_orphan_that_is_not_yet_established_draws_a_rst() -> None:
    """SHLD-3 also where the CLOSE still waits behind queued data in SYN-RECEIVED."""
    end = call(call(syn_received(), "SEND", octets=10).end, "half-duplex CLOSE").end
    outcome = arrive(end, "<SEQ=301><ACK=101><CTL=ACK><DATA=5>")
    assert sent(outcome) == ["<SEQ=101><CTL=RST>"]
    assert outcome.end.state is State.CLOSED


def test_an_orphan_has_nobody_to_tell_of_a_user_timeout() -> None:
    """The user has gone."""
    left = call(established(), "half-duplex CLOSE").end
    assert call(left, "USER TIMEOUT").says == ""


def test_without_time_wait_nothing_of_the_connection_is_kept() -> None:
    """CLOSED is the absence of a TCB, also where TIME-WAIT was left at once."""
    end = call(Endpoint(SETTINGS._replace(msl=0)), "active OPEN").end
    end = call(arrive(end, "<SEQ=300><ACK=101><CTL=SYN,ACK>").end, "CLOSE").end
    last = arrive(end, "<SEQ=301><ACK=102><CTL=FIN,ACK>")
    assert sent(last) == ["<SEQ=102><ACK=302><CTL=ACK>"]
    assert last.end == Endpoint(SETTINGS._replace(msl=0), opens=1)


def test_an_aborter_that_waits_holds_nothing_to_retransmit() -> None:
    """ABORT flushes the queues, also where TIME-WAIT follows it (§3.5.2)."""
    end = call(Endpoint(ends_with(RFC9293._replace(time_wait_after_abort=True))), "active OPEN").end
    end = call(arrive(end, "<SEQ=300><ACK=101><CTL=SYN,ACK>").end, "SEND", octets=10).end
    aborted = call(end, "ABORT").end
    assert (aborted.state, aborted.unacked) == (State.TIME_WAIT, ())
    assert [timer.name for timer in aborted.deadlines] == ["2MSL"]


def test_the_syn_ack_of_a_simultaneous_open_comes_again_with_the_options_agreed() -> None:
    """A retransmission says what the first one said (RFC 7323: both sides must offer)."""
    offers = (("MSS", 1460), ("window scale", 7))
    end = call(Endpoint(SETTINGS._replace(options=offers)), "active OPEN").end
    first = arrive(end, "<SEQ=300><CTL=SYN>")  # offers nothing
    assert first.sent[0].options == (("MSS", 1460),)
    again = first.end.expire(first.end.deadlines[0], 1 * S)
    assert again.sent == first.sent


def test_r1_of_zero_tells_nobody_of_trouble() -> None:
    """SHLD-20: 0 is off, also where the first retransmission is a probe that does not count."""
    end = call(Endpoint(ends_with(LINUX._replace(r1=0))), "active OPEN").end
    end = call(arrive(end, "<SEQ=300><ACK=101><CTL=SYN,ACK>").end, "CLOSE").end
    assert end.expire(end.deadlines[0], 1 * S).says == ""


def test_an_ack_in_fin_wait_1_puts_off_the_next_keep_alive() -> None:
    """MUST-26: none is sent while segments have come within the interval (RFC 9293 3.8.4)."""
    trace = simulate(SCENARIOS["given_up_in_fin_wait_2"])
    came = max(step.time for step in trace.of("client") if step.kind is Kind.ARRIVE)
    first = next(step.time for step in trace.of("client") if step.kind is Kind.TIMEOUT)
    assert first - came == 10 * S
