"""The rules where RFC 9293 leaves room: both choices of each, and what a scenario tells an end."""

import json
import sys
from itertools import pairwise
from typing import Any

import pytest
from test_endpoint import (
    MAKERS,
    SETTINGS,
    arrive,
    call,
    close_wait,
    established,
    fin_wait_1,
    fin_wait_2,
    linux,
    listen,
    sent,
    syn_received,
    syn_received_active,
    syn_sent,
    time_wait,
)

from tcpviz import MS, At, Inject, Lose, On, S, Scenario, ScenarioError, simulate
from tcpviz.endpoint import Endpoint, Outcome
from tcpviz.rules import LINUX, RFC9293, Rules
from tcpviz.scenarios import SCENARIOS
from tcpviz.segment import ACK, SYN, Segment
from tcpviz.states import Event, State
from tcpviz.steps import Kind, Timer
from tcpviz.trace import Trace
from tcpviz.units import MIN

OPEN = (At(0, "server", "passive OPEN"), At(0, "client", "active OPEN"))
ROUND_TRIP = 100 * MS


def under(end: Endpoint, **rules: Any) -> Endpoint:
    """The same end, with other rules."""
    return end._replace(settings=end.settings._replace(rules=RFC9293._replace(**rules)))


def run(**fields: Any) -> Trace:
    """A handshake on a network of 50 ms, and what is said here."""
    return simulate(Scenario(**{"calls": OPEN, **fields}))


def left(trace: Trace, end: str) -> list[int]:
    """When segments left an end."""
    return [step.time for step in trace.of(end) if step.kind is Kind.DEPART]


def final(trace: Trace, end: str) -> tuple[str, int]:
    """The last state of an end, and since when."""
    span = trace.spans(end)[-1]
    return str(span.state), span.since


def test_each_rule_is_tested() -> None:
    """There is a test of both choices for every field of Rules."""
    tests = vars(sys.modules[__name__])
    assert [rule for rule in Rules._fields if f"test_rule_{rule}" not in tests] == []


# == what arrives ==============================================================================


def test_rule_challenge_acks() -> None:
    """RFC 5961 asks again where the first standard reset."""
    for end in (established(), time_wait()):
        ack = [f"<SEQ={end.snd_nxt}><ACK={end.rcv_nxt}><CTL=ACK>"]
        without = under(end, challenge_acks=False)
        rst, syn = f"<SEQ={end.rcv_nxt + 5}><CTL=RST>", f"<SEQ={end.rcv_nxt + 5}><CTL=SYN>"
        assert (arrive(end, rst).end, sent(arrive(end, rst))) == (end, ack)
        assert (arrive(without, rst).end.state, sent(arrive(without, rst))) == ("CLOSED", [])
        assert (arrive(end, syn).end, sent(arrive(end, syn))) == (end, ack)
        assert arrive(without, syn).end.state is State.CLOSED
        assert [s.control for s in arrive(without, syn).sent] == ["RST,ACK"]
    crossing = syn_received_active()  # as the fourth check says, if it was opened actively
    assert arrive(crossing, "<SEQ=306><CTL=SYN>").end == crossing
    without = under(crossing, challenge_acks=False)
    assert arrive(without, "<SEQ=306><CTL=SYN>").end.state is State.CLOSED


@pytest.mark.parametrize(("behind", "old"), [(65535, False), (65536, True)])
def test_rule_old_ack_challenged(behind: int, old: bool) -> None:
    """MAY-12: an ACK more than a window behind SND.UNA is answered and its text dropped.

    Without it is merely old. In SYN-RECEIVED a stray ACK draws a RST with the rule too.
    """
    end = call(established(), "SEND", octets=200_000).end
    end = arrive(end, "<SEQ=301><ACK=200101><CTL=ACK>").end
    text = f"<SEQ=301><ACK={200_101 - behind}><CTL=ACK><DATA=10>"
    assert arrive(end, text).text == 10
    challenged = arrive(under(end, old_ack_challenged=True), text)
    assert challenged.text == (0 if old else 10)
    ack = 301 if old else 311
    assert sent(challenged) == [f"<SEQ=200101><ACK={ack}><CTL=ACK>"]
    stray = "<SEQ=301><ACK=4000000000><CTL=ACK>"
    reset = arrive(under(syn_received(), old_ack_challenged=True), stray)
    assert sent(reset) == ["<SEQ=4000000000><CTL=RST>"]


def test_rule_crossing_syn_ack() -> None:
    """I-1, MUST-10: Figure 7's SYN,ACK is let in, or turned away; both establish both ends."""
    crossing = "<SEQ=300><ACK=101><CTL=SYN,ACK>"
    end = syn_received_active()
    assert arrive(end, crossing).end.state is State.ESTABLISHED
    literal = under(end, crossing_syn_ack=False)
    assert arrive(literal, crossing).end == literal
    assert sent(arrive(literal, crossing)) == ["<SEQ=101><ACK=301><CTL=ACK>"]
    for name, segments in (("simultaneous_open", 4), ("literal_simultaneous_open", 6)):
        trace = simulate(SCENARIOS[name])
        assert {final(trace, end.name)[0] for end in trace.ends} == {"ESTABLISHED"}
        assert len(trace.flights) == segments


def test_rule_answer_crossing() -> None:
    """Figure 7 ends in silence; Linux acknowledges the SYN,ACK that crossed."""
    crossing = "<SEQ=300><ACK=101><CTL=SYN,ACK>"
    assert sent(arrive(syn_received_active(), crossing)) == []
    answering = under(syn_received_active(), answer_crossing=True)
    assert sent(arrive(answering, crossing)) == ["<SEQ=101><ACK=301><CTL=ACK>"]


def test_rule_fin_restarts_2msl() -> None:
    """I-2: the FIN again is acknowledged either way; TIME-WAIT starts again only by this rule."""
    again = "<SEQ=301><ACK=102><CTL=FIN,ACK>"
    for restarts, since in ((True, 5 * S), (False, 0)):
        outcome = arrive(under(time_wait(), fin_restarts_2msl=restarts), again, now=5 * S)
        assert sent(outcome) == ["<SEQ=102><ACK=302><CTL=ACK>"]
        assert outcome.end.deadlines == (Timer("2MSL", since, since + 60 * S),)


def test_rule_time_wait_after_abort() -> None:
    """I-3: who sends a RST is CLOSED (§3.10.5), or waits (§3.5.2, Note 3 of Figure 5)."""
    for maker in (syn_received, established, fin_wait_1, fin_wait_2, close_wait):
        assert call(maker(), "ABORT").end.state is State.CLOSED
        waits = call(under(maker(), time_wait_after_abort=True), "ABORT")
        assert (waits.end.state, [s.control for s in waits.sent]) == (State.TIME_WAIT, ["RST"])
    for maker in (listen, syn_sent):  # no RST, nothing to wait for
        assert call(under(maker(), time_wait_after_abort=True), "ABORT").end.state is State.CLOSED


def test_rule_reset_needs_number() -> None:
    """I-4: in SYN-SENT a RST must acknowledge the SYN; by this rule its number must be 0 too."""
    literal = under(syn_sent(), reset_needs_number=True)
    for text, strict in (
        ("<SEQ=0><ACK=101><CTL=RST,ACK>", True),
        ("<SEQ=9><ACK=101><CTL=RST,ACK>", False),
    ):
        assert arrive(syn_sent(), text).end.state is State.CLOSED
        assert (arrive(literal, text).end.state is State.CLOSED) == strict


def test_rule_syn_ack_again() -> None:
    """I-5: the same SYN again draws an ACK by the first check, or the SYN,ACK again."""
    again = "<SEQ=300><CTL=SYN>"
    assert sent(arrive(syn_received(), again)) == ["<SEQ=101><ACK=301><CTL=ACK>"]
    linux = under(syn_received(), syn_ack_again=True)
    assert sent(arrive(linux, again)) == ["<SEQ=100><ACK=301><CTL=SYN,ACK>"]
    assert arrive(linux, again).end == linux


def test_rule_time_wait_ignores_rst() -> None:
    """I-11: a RST ends TIME-WAIT early, or RFC 1337 keeps it."""
    rst = "<SEQ=302><CTL=RST>"
    assert arrive(time_wait(), rst).end.state is State.CLOSED
    keeps = under(time_wait(), time_wait_ignores_rst=True)
    assert arrive(keeps, rst) == Outcome(keeps)
    ends = {
        name: final(simulate(SCENARIOS[name]), "client")[1]
        for name in ("duplicated_fin", "time_wait_ignores_rst")
    }
    assert ends == {"duplicated_fin": 530 * MS, "time_wait_ignores_rst": 60_430 * MS}


def test_rule_time_wait_answers_all() -> None:
    """I-12: a bare ACK in order is taken in silence, or acknowledged as the fifth check reads."""
    bare = "<SEQ=302><ACK=102><CTL=ACK>"
    assert arrive(time_wait(), bare) == Outcome(time_wait())
    literal = under(time_wait(), time_wait_answers_all=True)
    assert sent(arrive(literal, bare)) == ["<SEQ=102><ACK=302><CTL=ACK>"]


def test_rule_stray_ack_goes_on() -> None:
    """I-13: the RST for a stray ACK ends the matter, or the FIN is looked at after it."""
    stray = "<SEQ=301><ACK=999><CTL=FIN,ACK>"
    dropped = arrive(syn_received(), stray)
    assert (dropped.end, sent(dropped)) == (syn_received(), ["<SEQ=999><CTL=RST>"])
    goes_on = arrive(under(syn_received(), stray_ack_goes_on=True), stray)
    assert goes_on.end.state is State.CLOSE_WAIT
    assert sent(goes_on) == ["<SEQ=999><CTL=RST>", "<SEQ=101><ACK=302><CTL=ACK>"]
    bare = arrive(under(syn_received(), stray_ack_goes_on=True), "<SEQ=301><ACK=999><CTL=ACK>")
    assert (bare.end.state, sent(bare)) == (State.SYN_RECEIVED, ["<SEQ=999><CTL=RST>"])
    end = under(syn_received(), stray_ack_goes_on=True)
    text = arrive(end, "<SEQ=301><ACK=999><CTL=FIN,ACK><DATA=5>")  # the FIN is behind a gap
    assert (text.end, sent(text)) == (end, ["<SEQ=999><CTL=RST>"])


@pytest.mark.parametrize("beyond", [0, 5, 65534, 65535, 1 << 30])
def test_rule_reopen_from_time_wait(beyond: int) -> None:
    """MAY-2: a SYN beyond RCV.NXT opens anew with an ISS beyond SND.NXT; else an ACK answers it."""
    syn = f"<SEQ={302 + beyond}><CTL=SYN>"
    closed = arrive(time_wait(), syn)
    assert (closed.end, sent(closed)) == (time_wait(), ["<SEQ=102><ACK=302><CTL=ACK>"])
    reopened = arrive(under(time_wait(), reopen_from_time_wait=True), syn)
    assert reopened.end.state is State.SYN_RECEIVED
    assert sent(reopened) == [f"<SEQ=65639><ACK={303 + beyond}><CTL=SYN,ACK>"]


def test_an_old_syn_does_not_reopen_time_wait() -> None:
    """MAY-2 wants a number beyond all that was received; the FIN's own is not."""
    end = under(time_wait(), reopen_from_time_wait=True)
    for text in ("<SEQ=301><CTL=SYN>", "<SEQ=310><ACK=102><CTL=SYN,ACK>"):
        assert arrive(end, text).end.state is State.TIME_WAIT


def test_a_syn_that_proves_old_leads_back_to_time_wait() -> None:
    """MAY-2: the RST of a peer that did not mean it restores the numbers and the wait."""
    end = arrive(under(time_wait(), reopen_from_time_wait=True), "<SEQ=900><CTL=SYN>").end
    back = arrive(end, "<SEQ=901><CTL=RST>", now=7 * S).end
    assert back.state is State.TIME_WAIT
    assert back.variables == time_wait().variables
    assert back.deadlines == (Timer("2MSL", 7 * S, 67 * S),)


def test_a_connection_out_of_time_wait_opens_and_closes_like_any_other() -> None:
    """MAY-2: after the third segment nothing of the old connection is left."""
    end = arrive(under(time_wait(), reopen_from_time_wait=True), "<SEQ=900><CTL=SYN>").end
    end = arrive(end, "<SEQ=901><ACK=65640><CTL=ACK>").end
    assert end.state is State.ESTABLISHED
    assert arrive(end, "<SEQ=901><CTL=RST>").end.state is State.CLOSED


@pytest.mark.parametrize(("wait", "opens"), [(999 * MS, False), (1 * S, True)])
def test_rule_reuse_after(wait: int, opens: bool) -> None:
    """An active OPEN in TIME-WAIT is an error, or cuts it short once it has lasted so long."""
    early = time_wait().call(Event.ACTIVE_OPEN, wait)
    assert (early.end, early.says) == (time_wait(), "error: connection already exists")
    reusing = under(time_wait(), reuse_after=1 * S)
    outcome = reusing.call(Event.ACTIVE_OPEN, wait)
    assert (outcome.end.state is State.SYN_SENT) is opens
    assert sent(outcome) == (["<SEQ=65639><CTL=SYN>"] if opens else [])  # 102 and 65537
    passive = reusing.call(Event.PASSIVE_OPEN, wait)
    assert passive.says == "error: connection already exists"


def test_a_port_is_reused_and_the_old_time_wait_at_the_peer_lets_the_syn_in() -> None:
    """A second connection out of TIME-WAIT: the peer is CLOSED, and listens again."""
    trace = run(
        calls=[*OPEN, At(200 * MS, "client", "CLOSE"), At(2 * S, "client", "active OPEN")],
        reactions=[
            On("server", "CLOSE-WAIT", "CLOSE"),
            On("server", "CLOSED", "passive OPEN"),
        ],
        rules=LINUX._replace(reuse_after=1 * S),
        until=5 * S,
    )
    assert {final(trace, end)[0] for end in ("client", "server")} == {"ESTABLISHED"}
    assert [f.segment.seq for f in trace.flights if f.segment.control == "SYN"] == [100, 65639]


def test_rule_time_wait_minisocket() -> None:
    """Linux: any ACK restarts TIME-WAIT, a RST beside RCV.NXT is unheard, RCV.NXT is no new SYN."""
    kept = under(time_wait(), time_wait_minisocket=True, reopen_from_time_wait=True)
    began, restarted = (Timer("2MSL", 0, 60 * S),), (Timer("2MSL", 5 * S, 65 * S),)
    bare, old = "<SEQ=302><ACK=102><CTL=ACK>", "<SEQ=290><ACK=102><CTL=ACK><DATA=5>"
    for text in (bare, old):
        assert arrive(time_wait(), text, now=5 * S).end.deadlines == began
        assert arrive(kept, text, now=5 * S).end.deadlines == restarted
    assert sent(arrive(kept, bare)) == []
    beside, at = "<SEQ=310><ACK=102><CTL=RST,ACK>", "<SEQ=302><CTL=RST>"
    assert sent(arrive(time_wait(), beside)) == ["<SEQ=102><ACK=302><CTL=ACK>"]
    assert arrive(kept, beside, now=5 * S) == Outcome(kept)
    assert arrive(kept, at).end.state is State.CLOSED
    plain = under(time_wait(), reopen_from_time_wait=True)
    assert arrive(plain, "<SEQ=302><CTL=SYN>").end.state is State.SYN_RECEIVED
    assert arrive(kept, "<SEQ=302><CTL=SYN>", now=5 * S).end == kept
    assert arrive(kept, "<SEQ=303><CTL=SYN>").end.state is State.SYN_RECEIVED


def test_rule_syn_received_minisocket() -> None:
    """Linux: a wrong ACK draws a RST even outside the window; a RST in the window counts."""
    kept = under(syn_received(), syn_received_minisocket=True)
    outside, ack = "<SEQ=100000><ACK=777><CTL=ACK>", ["<SEQ=101><ACK=301><CTL=ACK>"]
    assert sent(arrive(syn_received(), outside)) == ack
    assert (arrive(kept, outside).end, sent(arrive(kept, outside))) == (
        kept,
        ["<SEQ=777><CTL=RST>"],
    )
    assert arrive(kept, "<SEQ=301><ACK=777><CTL=RST,ACK>") == Outcome(kept)
    beside = "<SEQ=400><CTL=RST>"
    assert sent(arrive(syn_received(), beside)) == ack
    assert arrive(kept, beside).end.state is State.LISTEN
    assert arrive(kept, "<SEQ=301><ACK=101><CTL=ACK>").end.state is State.ESTABLISHED
    crossing = under(syn_received_active(), syn_received_minisocket=True)
    assert sent(arrive(crossing, outside)) == ack  # it was opened actively: a full socket
    assert arrive(crossing, beside).end == crossing


def test_rule_fin_wait_2_minisocket() -> None:
    """Linux, nobody left to read: a RST, SYN or data anywhere in the window ends FIN-WAIT-2."""
    end = call(fin_wait_2(), "half-duplex CLOSE").end
    kept = under(end, fin_wait_2_minisocket=True)
    ack = ["<SEQ=102><ACK=301><CTL=ACK>"]
    for text, last in (
        ("<SEQ=400><CTL=RST>", []),
        ("<SEQ=305><CTL=SYN>", ["<SEQ=0><ACK=306><CTL=RST,ACK>"]),
        ("<SEQ=305><ACK=102><CTL=ACK><DATA=3>", ["<SEQ=102><CTL=RST>"]),
        ("<SEQ=303><ACK=102><CTL=FIN,ACK>", ["<SEQ=102><CTL=RST>"]),
    ):
        plain, gone = arrive(end, text), arrive(kept, text)
        assert (plain.end.state, sent(plain)) == (State.FIN_WAIT_2, ack)
        assert (gone.end.state, sent(gone)) == (State.CLOSED, last)
    assert arrive(kept, "<SEQ=301><ACK=102><CTL=FIN,ACK>").end.state is State.TIME_WAIT
    for quiet in ("<SEQ=301><ACK=102><CTL=ACK>", "<SEQ=290><ACK=102><CTL=ACK><DATA=5>"):
        assert arrive(kept, quiet).end == kept
    still_read = under(fin_wait_2(), fin_wait_2_minisocket=True)
    assert arrive(still_read, "<SEQ=305><ACK=102><CTL=ACK><DATA=3>").end == still_read


def test_rule_listen_drops_syn_fin() -> None:
    """A SYN with a FIN opens a connection, or is dropped by Linux."""
    assert arrive(listen(), "<SEQ=300><CTL=SYN,FIN>").end.state is State.SYN_RECEIVED
    drops = under(listen(), listen_drops_syn_fin=True)
    assert arrive(drops, "<SEQ=300><CTL=SYN,FIN>") == Outcome(drops)
    assert arrive(drops, "<SEQ=300><CTL=SYN>").end.state is State.SYN_RECEIVED


# == what is sent, and when ====================================================================


def test_rule_reset_carries_ack() -> None:
    """The RST of an ABORT has SND.NXT only, or Linux's ACK beside it."""
    assert sent(call(established(), "ABORT")) == ["<SEQ=101><CTL=RST>"]
    linux = under(established(), reset_carries_ack=True)
    assert sent(call(linux, "ABORT")) == ["<SEQ=101><ACK=301><CTL=RST,ACK>"]


def test_rule_syn_after_reset() -> None:
    """After the RST for a wrong SYN,ACK the SYN waits for its RTO, or goes again soon."""
    wrong = "<SEQ=300><ACK=91><CTL=SYN,ACK>"
    assert arrive(syn_sent(), wrong, now=100 * MS).end.deadlines == (Timer("RTO", 0, 1 * S),)
    soon = arrive(under(syn_sent(), syn_after_reset=8 * MS), wrong, now=100 * MS)
    assert soon.end.deadlines == (Timer("RTO", 100 * MS, 108 * MS),)


@pytest.mark.parametrize(("talked", "wait"), [(False, 4 * MS), (True, 40 * MS)])
def test_rule_fin_ack_delays(talked: bool, wait: int) -> None:
    """The ACK of a FIN leaves at once, or waits, and longer where data was exchanged."""
    for delays, after in (((0, 0), 0), ((4 * MS, 40 * MS), wait)):
        trace = run(
            calls=[*OPEN, *([At(200 * MS, "client", "SEND", 10)] if talked else [])],
            reactions=[On("client", "ESTABLISHED", "CLOSE", 900 * MS)],
            rules=RFC9293._replace(fin_ack_delays=delays),
        )
        assert left(trace, "server")[-1] == 1050 * MS + after


def test_rule_rto_floor() -> None:
    """The RTO stays the initial one, or becomes the round trip of the handshake plus the floor."""
    for floor, rto in ((0, 1 * S), (200 * MS, 200 * MS + ROUND_TRIP)):
        trace = run(
            calls=[*OPEN, At(500 * MS, "client", "CLOSE")],
            network=[Lose("client", "FIN")],
            rules=RFC9293._replace(rto_floor=floor),
        )
        assert left(trace, "client")[-1] - 500 * MS == rto


def test_rule_rto_most() -> None:
    """RFC 6298 (2.5): the RTO doubles without end, or up to a maximum of 60 s or more."""
    for most, gaps in ((0, [32, 64, 128, 256]), (120 * S, [32, 64, 120, 120])):
        trace = run(
            network=[Lose("client", "SYN", None)],
            rules=RFC9293._replace(rto_most=most),
            until=512 * S,
        )
        assert [(b - a) // S for a, b in pairwise(left(trace, "client"))][5:9] == gaps


def test_karn_no_round_trip_is_measured_of_a_syn_that_was_sent_again() -> None:
    """MUST-18: which of the two SYNs was answered is not known, so the RTO stays the initial."""
    trace = run(
        calls=[*OPEN, At(1500 * MS, "client", "CLOSE")],
        network=[Lose("client", "SYN"), Lose("client", "FIN")],
        rules=RFC9293._replace(rto_floor=200 * MS),
        reactions=[On("client", "FIN-WAIT-2", "ABORT")],
    )
    fins = [f.sent for f in trace.flights if "FIN" in f.segment.control]
    assert fins == [1500 * MS, 2500 * MS]


def test_rule_tail_loss_probe() -> None:
    """MUST-19: each retransmission doubles the RTO, save Linux's probe, the first of them."""
    lost = [Lose("client", "FIN", number) for number in (1, 2, 3)]
    for probe, gaps in ((False, [1, 2, 4]), (True, [1, 1, 2])):
        trace = run(
            calls=[*OPEN, At(500 * MS, "client", "CLOSE")],
            network=lost,
            rules=RFC9293._replace(tail_loss_probe=probe),
        )
        fins = [f.sent for f in trace.flights if "FIN" in f.segment.control]
        assert [(b - a) // S for a, b in pairwise(fins)] == gaps


def test_rule_linear_syn_timeouts() -> None:
    """The RTO of a SYN doubles from the first retransmission on, or from the one after these."""
    for linear, times in ((0, [0, 1, 3, 7, 15, 31]), (4, [0, 1, 2, 3, 4, 5, 7, 11, 19, 35])):
        trace = run(
            network=[Lose("client", "SYN", None)],
            rules=RFC9293._replace(linear_syn_timeouts=linear),
            until=40 * S,
        )
        assert [time // S for time in left(trace, "client")] == times


def test_rule_r1() -> None:
    """SHLD-9, SHLD-10, MUST-47: the user is told of trouble after R1 retransmissions."""
    assert RFC9293.r1 >= 3
    for r1 in (3, 5):
        trace = run(
            calls=[*OPEN, At(200 * MS, "client", "SEND", 10)],
            network=[Lose("client", "data", None)],
            rules=RFC9293._replace(r1=r1),
            until=60 * S,
        )
        told = [s.time for s in trace.steps if s.says == "trouble: no answer yet (R1)"]
        assert told == [200 * MS + (2**r1 - 1) * S]


def test_rule_r2_syn() -> None:
    """MUST-22: a SYN has an R2 of its own; 0 never gives up."""
    lost = [Lose("client", "SYN", None)]
    assert final(run(network=lost), "client") == ("SYN-SENT", 0)
    trace = run(network=lost, rules=RFC9293._replace(r2_syn=2))
    assert final(trace, "client") == ("CLOSED", 7 * S)
    assert trace.steps[-1].says == "error: connection aborted, no answer (R2)"


@pytest.mark.parametrize(("rules", "tries"), [(RFC9293._replace(r2_syn=3), 3), (LINUX, 6)])
def test_r2_syn_holds_where_the_syns_crossed(rules: Rules, tries: int) -> None:
    """MUST-22: SYN-RECEIVED after an active OPEN gives up too; Linux there without linear ones."""
    trace = run(
        calls=[At(0, "server", "active OPEN"), At(0, "client", "active OPEN")],
        network=[Lose("client", "SYN,ACK", None), Lose("server", "SYN,ACK", None)],
        rules=rules,
    )
    for end in ("client", "server"):
        assert final(trace, end)[0] == "CLOSED"
        assert len(left(trace, end)) == 1 + 1 + tries  # SYN, SYN,ACK, and that again
    assert not trace.notes


def test_rule_r2_syn_ack() -> None:
    """A passive opener gives up on its SYN,ACK after R2; 0 never does."""
    lost = [Lose("server", "SYN,ACK", None), Lose("client", "SYN", 2), Lose("client", "SYN", 3)]
    calls = [*OPEN, At(3500 * MS, "client", "CLOSE")]
    assert final(run(calls=calls, network=lost), "server") == ("SYN-RECEIVED", 50 * MS)
    trace = run(calls=calls, network=lost, rules=RFC9293._replace(r2_syn_ack=2))
    assert final(trace, "server") == ("CLOSED", 7050 * MS)


def test_rule_r2() -> None:
    """MUST-20, MUST-21: after R2 retransmissions of data the connection is closed; 0 never."""
    fields = {
        "calls": [*OPEN, At(200 * MS, "client", "SEND", 10)],
        "network": [Lose("client", "data", None)],
    }
    assert final(run(**fields), "client") == ("ESTABLISHED", 100 * MS)
    trace = run(**fields, rules=RFC9293._replace(r2=4))
    assert final(trace, "client") == ("CLOSED", 200 * MS + 31 * S)


def test_rule_r2_orphan() -> None:
    """What a user leaves behind is given up sooner, and nobody is told; 0: as R2."""
    for orphan, seconds in ((0, 31), (2, 7)):
        trace = run(
            calls=[*OPEN, At(200 * MS, "client", "half-duplex CLOSE")],
            network=[Lose("client", "FIN", None)],
            rules=RFC9293._replace(r2=4, r2_orphan=orphan),
        )
        assert final(trace, "client") == ("CLOSED", 200 * MS + seconds * S)
        assert not [s for s in trace.of("client") if s.says]


@pytest.mark.parametrize(("r2", "seconds"), [(3, 3.0), (8, 102.2), (15, 924.6)])
def test_rule_r2_as_time(r2: int, seconds: float) -> None:
    """Linux gives up data when the RTO expires after the time of so many tries from 200 ms on."""
    fields = {
        "calls": [*OPEN, At(1 * S, "client", "SEND", 10)],
        "network": [Lose("client", "data", None)],
    }
    for as_time in (False, True):
        rules = LINUX._replace(r2=r2, r2_as_time=as_time)
        trace = run(**fields, rules=rules)
        sends, (state, over) = left(trace, "client")[2:], final(trace, "client")
        assert state == "CLOSED"
        if as_time:  # sends[1] is the probe
            assert sends[-1] - sends[2] < seconds * S <= over - sends[2]
        else:
            assert len(sends) == 1 + 1 + r2


def test_linux_gives_up_data_after_a_quarter_of_an_hour_and_a_fin_after_161_s() -> None:
    """The R2s of Linux at a round trip of 100 ms; the FIN as it was measured."""
    lost = [Lose("client", "data", None), Lose("client", "FIN", None)]
    data = run(calls=[*OPEN, At(1 * S, "client", "SEND", 9)], network=lost[:1], rules=LINUX)
    assert final(data, "client") == ("CLOSED", 994_600 * MS)
    trace = run(
        calls=[*OPEN, At(1 * S, "client", "half-duplex CLOSE")], network=lost[1:], rules=LINUX
    )
    assert 150 * S < final(trace, "client")[1] - 1 * S < 161 * S


@pytest.mark.parametrize("rules", [{"r2_syn": 4}, {"r2_syn": -1}, {"r2": -1}, {"r2_syn_ack": -1}])
def test_an_r2_below_0_allows_no_retransmission(rules: dict[str, int]) -> None:
    """The first expiry gives up; of Linux's SYNs what is over the linear ones counts."""
    end = syn_received_active() if "r2_syn" in rules else syn_received()
    if "r2" in rules:
        end = call(established(), "SEND", octets=5).end
    end = end._replace(settings=end.settings._replace(rules=LINUX._replace(**rules)))
    over = expire(end)
    assert (over.sent, [edge.event for edge in over.edges]) == ((), [Event.R2_TIMEOUT])


def test_rule_fin_wait_2() -> None:
    """FIN-WAIT-2 lasts for ever, or after a half-duplex CLOSE as long as the rule says."""
    for limit, how, end in (
        (0, "half-duplex CLOSE", ("FIN-WAIT-2", 300 * MS)),
        (60 * S, "half-duplex CLOSE", ("CLOSED", 60_300 * MS)),
        (60 * S, "CLOSE", ("FIN-WAIT-2", 300 * MS)),
    ):
        trace = run(
            calls=[*OPEN, At(200 * MS, "client", how)], rules=RFC9293._replace(fin_wait_2=limit)
        )
        assert final(trace, "client") == end


def test_rule_no_room_for_time_wait() -> None:
    """A host keeps TIME-WAIT for 2MSL, or forgets at once; and FIN-WAIT-2 of a user who left."""
    last = "<SEQ=301><ACK=102><CTL=FIN,ACK>"
    assert arrive(fin_wait_2(), last).end.state is State.TIME_WAIT
    forgets = arrive(under(fin_wait_2(), no_room_for_time_wait=True), last)
    assert (forgets.end.state, sent(forgets)) == (State.CLOSED, ["<SEQ=102><ACK=302><CTL=ACK>"])
    left_behind = call(under(established(), no_room_for_time_wait=True), "half-duplex CLOSE").end
    assert arrive(left_behind, "<SEQ=301><ACK=102><CTL=ACK>").end.state is State.CLOSED
    stays = call(under(established(), no_room_for_time_wait=True), "CLOSE").end
    assert arrive(stays, "<SEQ=301><ACK=102><CTL=ACK>").end.state is State.FIN_WAIT_2


@pytest.mark.parametrize(("interval", "probes"), [(75 * S, 9), (1 * S, 2)])
def test_rule_keepalive_interval(interval: int, probes: int) -> None:
    """MUST-29: not one keep-alive without an answer, but all of them end a connection."""
    trace = run(
        calls=[*OPEN, At(200 * MS, "server", "crash")],
        rules=RFC9293._replace(keepalive_interval=interval, keepalive_probes=probes),
        keepalive=10 * S,
    )
    sends = left(trace, "client")[2:]
    assert sends == [10_100 * MS + n * interval for n in range(probes)]
    assert final(trace, "client") == ("CLOSED", 10_100 * MS + probes * interval)


test_rule_keepalive_probes = test_rule_keepalive_interval


def test_a_keep_alive_that_is_answered_keeps_the_connection() -> None:
    """MAY-5: its number is not expected, so the peer's ACK answers it; the idle time runs anew."""
    trace = run(keepalive=10 * S, until=25 * S)
    probes = [f for f in trace.flights if f.sender == "client"][2:]
    assert [str(f.segment) for f in probes[:1]] == ["<SEQ=100><ACK=301><CTL=ACK>"]
    assert {final(trace, end)[0] for end in ("client", "server")} == {"ESTABLISHED"}


def test_keep_alives_are_off_unless_asked_for() -> None:
    """MUST-24, MUST-25: a scenario asks for them."""
    assert Scenario().keepalive == 0
    assert run().duration == 150 * MS


# == handshakes for showing ====================================================================


def test_rule_two_way_handshake() -> None:
    """Broken: the listener does not wait for the third segment; with three it does."""
    assert arrive(listen(), "<SEQ=300><CTL=SYN>").end.state is State.SYN_RECEIVED
    two = arrive(under(listen(), two_way_handshake=True), "<SEQ=300><CTL=SYN>")
    assert (two.end.state, sent(two)) == (State.ESTABLISHED, ["<SEQ=100><ACK=301><CTL=SYN,ACK>"])
    trace = run(rules=RFC9293._replace(two_way_handshake=True))
    assert len(trace.flights) == 2


def test_a_lost_syn_ack_of_two_is_sent_again_for_the_syn_that_comes_again() -> None:
    """Two segments work where nothing is old: only the client's RTO can repeat them."""
    trace = run(network=[Lose("server", "SYN,ACK")], rules=RFC9293._replace(two_way_handshake=True))
    assert final(trace, "client") == ("ESTABLISHED", 1100 * MS)


def test_rule_four_segment_handshake() -> None:
    """Needless: an ACK and a SYN instead of a SYN,ACK; without its rule SYN-SENT drops that ACK."""
    trace = run(rules=RFC9293._replace(four_segment_handshake=True))
    assert [f.segment.control for f in trace.flights] == ["SYN", "ACK", "SYN", "ACK"]
    assert {final(trace, end)[0] for end in ("client", "server")} == {"ESTABLISHED"}
    ack = "<SEQ=300><ACK=101><CTL=ACK>"
    assert arrive(syn_sent(), ack) == Outcome(syn_sent())
    assert arrive(under(syn_sent(), four_segment_handshake=True), ack).end.snd_una == 101


@pytest.mark.parametrize(
    "lost", [("client", "SYN"), ("server", "SYN"), ("server", "ACK"), ("client", "ACK")]
)
def test_four_segments_survive_a_loss(lost: tuple[Any, str]) -> None:
    """Each of the four is sent again."""
    trace = run(
        rules=RFC9293._replace(four_segment_handshake=True), network=[Lose(*lost)], until=10 * S
    )
    assert {final(trace, end)[0] for end in ("client", "server")} == {"ESTABLISHED"}


# == the two sets ==============================================================================


def test_the_default_is_what_the_standard_says_and_never_gives_up() -> None:
    """RFC9293 is Rules() itself; its R2s are off, so above every minimum (SHLD-11, MUST-23)."""
    assert Rules() == RFC9293
    assert RFC9293.differences() == {}
    assert (RFC9293.r2_syn, RFC9293.r2_syn_ack, RFC9293.r2, RFC9293.fin_wait_2) == (0, 0, 0, 0)
    assert set(LINUX.differences()) <= set(Rules._fields)


def test_linux_tries_a_syn_for_131_s_and_forgets_a_syn_ack_after_63() -> None:
    """The schedules of Linux's default sysctls."""
    trace = simulate(SCENARIOS["linux_syn_timeouts"])
    assert [t // S for t in left(trace, "client")] == [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
    assert final(trace, "client") == ("CLOSED", 131 * S)
    calls = [*OPEN, At(60 * MS, "client", "crash")]
    trace = run(calls=calls, rules=LINUX)
    assert [(t - 50 * MS) // S for t in left(trace, "server")] == [0, 1, 3, 7, 15, 31]
    assert final(trace, "server") == ("CLOSED", 63_050 * MS)


def test_the_ends_may_have_different_rules() -> None:
    """`server_rules` are the server's; without them both ends have `rules`."""
    both = Scenario(rules=LINUX)
    assert both.settings("client").rules == both.settings("server").rules == LINUX
    mixed = Scenario(rules=LINUX, server_rules=RFC9293)
    assert (mixed.settings("client").rules, mixed.settings("server").rules) == (LINUX, RFC9293)


# == rules in a file ===========================================================================


@pytest.mark.parametrize(
    ("rules", "data"),
    [
        (LINUX, "LINUX"),
        (RFC9293._replace(r2=3), {"r2": 3}),
        (RFC9293._replace(fin_ack_delays=(1, 2)), {"fin_ack_delays": [1, 2]}),
    ],
)
def test_rules_are_stored_by_name_or_by_what_differs(rules: Rules, data: Any) -> None:
    """And read back the same; the standard's are not stored at all."""
    scenario = Scenario(rules=rules, server_rules=rules)
    stored = json.loads(json.dumps(scenario.to_json()))
    assert (stored["rules"], stored["server_rules"]) == (data, data)
    assert Scenario.from_json(stored) == scenario
    assert "rules" not in Scenario(rules=RFC9293).to_json()
    named = {"schema": "tcpviz.scenario/1", "server_rules": "RFC9293"}
    assert Scenario.from_json(named).server_rules == RFC9293


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"rules": "BSD"}, "rules: 'BSD' is not one of RFC9293, LINUX"),
        ({"rules": 5}, "rules: 5 is not a set of Rules, such as RFC9293, LINUX"),
        ({"rules": None}, "rules: None is not a set of Rules"),
        ({"rules": {"r3": 1}}, "rules.r3: 'r3' is not the name of a rule"),
        ({"rules": {"r2": -2}}, "rules.r2: -2 is not a whole number"),
        ({"rules": {"r2": True}}, "rules.r2: True is not a whole number"),
        ({"rules": {"challenge_acks": 1}}, "rules.challenge_acks: 1 is not True or False"),
        ({"rules": {"fin_ack_delays": [1]}}, "rules.fin_ack_delays: (1,) is not two durations"),
        ({"server_rules": {"r2": "many"}}, "server_rules.r2: 'many' is not a whole number"),
        ({"server_rules": ["LINUX"]}, "server_rules: ['LINUX'] is not a set of Rules"),
        ({"receivers": ["clint"]}, "receivers[0]: 'clint' is not one of client, server"),
        ({"options": ["MSS"]}, "options[0]: 'MSS' is not an option"),
        ({"options": [["MSS", 0]]}, "options[0].MSS: 0 is not 1 to 65535 octets"),
        ({"options": [["MSS", True]]}, "options[0].MSS: True is not 1 to 65535 octets"),
        ({"options": [["MSS", "x"]]}, "options[0].MSS: 'x' is not 1 to 65535 octets"),
        ({"options": [["WS", 15]]}, "options[0].WS: 15 is not a shift of 0 to 14"),
        ({"options": [["SACK-permitted", 1]]}, "options[0].SACK-permitted: 1 is not True"),
        ({"options": [["TS", [1]]]}, "options[0].TS: (1,) is not two numbers of 32 bits"),
        ({"options": [["TS", [1, 1 << 32]]]}, "options[0].TS: (1, 4294967296) is not two"),
        ({"options": [["FOO", 1]]}, "options[0]: 'FOO' is not one of MSS, WS, SACK-permitted, TS"),
        ({"server_options": [["MSS", 9], ["MSS", 9]]}, "server_options[1]: 'MSS' is not one of"),
        ({"server_options": 5}, "server_options: 5 is not a list"),
        ({"keepalive": -1}, "keepalive: -1 is not a duration"),
        ({"user_timeout": "5 min"}, "user_timeout: '5 min' is not a duration"),
    ],
)
def test_a_bad_rule_gets_one_sentence_that_names_it(data: dict[str, Any], complaint: str) -> None:
    """Wherever it stands, the field is named with what was expected."""
    with pytest.raises(ScenarioError) as refused:
        Scenario.from_json({"schema": "tcpviz.scenario/1", **data})
    assert str(refused.value).startswith(complaint)
    assert "\n" not in str(refused.value)


# == calls and fields of a scenario ============================================================


def test_receive_hands_over_what_has_come() -> None:
    """§3.10.3: in CLOSE-WAIT the rest is had by RECEIVE, and then the peer's FIN is told."""
    trace = simulate(SCENARIOS["receive_later"])
    said = [s.says for s in trace.of("server") if s.text == "RECEIVE"]
    assert said == ["", "error: connection closing"]


def test_a_half_duplex_close_tells_the_peer_what_is_lost() -> None:
    """MAY-1, SHLD-3: data unread at the CLOSE, or arriving after it, is answered by a RST."""
    for name, rst in (
        ("close_with_data_unread", "<SEQ=101><CTL=RST>"),
        ("data_after_close", "<SEQ=102><CTL=RST>"),
    ):
        trace = simulate(SCENARIOS[name])
        assert str(trace.flights[-1].segment) == rst
        assert trace.steps[-1].says == "error: connection reset"


def test_a_half_duplex_close_of_one_who_has_read_all_is_a_fin() -> None:
    """MAY-1: without loss it closes like any other, and lasts as long."""
    quiet = run(
        calls=[*OPEN, At(200 * MS, "client", "half-duplex CLOSE")],
        reactions=[On("server", "CLOSE-WAIT", "CLOSE", 60 * MS)],
    )
    assert final(quiet, "client") == ("CLOSED", 60_360 * MS)
    assert not [f for f in quiet.flights if "RST" in f.segment.control]


def test_a_fin_after_a_half_duplex_close_is_not_data() -> None:
    """SHLD-3 is about data: TIME-WAIT is reached, not a RST."""
    left_behind = call(established(), "half-duplex CLOSE").end
    half = arrive(left_behind, "<SEQ=301><ACK=102><CTL=ACK>").end
    assert arrive(half, "<SEQ=301><ACK=102><CTL=FIN,ACK>").end.state is State.TIME_WAIT


def test_the_user_timeout_counts_from_what_is_not_acknowledged() -> None:
    """§3.9.1.1: it starts with the first such octet, starts again with progress, and then stops."""
    end = established()
    end = end._replace(settings=end.settings._replace(user_timeout=5 * MIN))
    end = end.call(Event.SEND, 1 * S, 10).end
    end = end.call(Event.SEND, 2 * S, 10).end
    assert Timer("USER TIMEOUT", 1 * S, 301 * S) in end.deadlines
    half = arrive(end, "<SEQ=301><ACK=111><CTL=ACK>", now=3 * S).end
    assert Timer("USER TIMEOUT", 3 * S, 303 * S) in half.deadlines
    assert arrive(half, "<SEQ=301><ACK=121><CTL=ACK>", now=4 * S).end.deadlines == ()


@pytest.mark.parametrize("state", [s for s in State if s is not State.CLOSED])
def test_a_crash_forgets_everything_and_tells_nobody(state: State) -> None:
    """§3.5.1: no segment, no error; the next ISS is another one."""
    outcome = call(MAKERS[state](), "crash")
    assert (outcome.end.state, outcome.sent, outcome.says) == (State.CLOSED, (), "")
    assert outcome.end == Endpoint(outcome.end.settings, opens=outcome.end.opens)


def test_a_host_that_is_down_hears_nothing_and_calls_nothing() -> None:
    """Between crash and restart segments to it are lost; after it CLOSED answers again."""
    trace = run(
        calls=[
            *OPEN,
            At(300 * MS, "client", "crash"),
            At(350 * MS, "client", "active OPEN"),
            At(400 * MS, "server", "SEND", 10),
            At(1 * S, "client", "restart"),
        ]
    )
    data = [f for f in trace.flights if f.segment.length]
    assert [f.fate for f in data] == ["lost", "delivered"]
    assert str(trace.flights[-1].segment) == "<SEQ=101><CTL=RST>"
    assert [s.text for s in trace.of("client") if s.kind is Kind.CALL][1:] == ["crash", "restart"]


def test_without_time_wait_a_lost_last_ack_is_answered_by_a_rst() -> None:
    """`msl=0`: the orderly close of the server ends with a RST."""
    trace = simulate(SCENARIOS["no_time_wait"])
    assert trace.steps[-1].edges == ("LAST-ACK: rcv RST",)


def test_options_are_agreed_by_offering_them_on_both_syns() -> None:
    """MUST-14, MUST-65: the MSS is on every SYN; the others only where the peer offers them too."""
    offers = (("MSS", 1460), ("WS", 7), ("SACK-permitted", True), ("TS", (1, 0)))
    trace = run(options=offers, calls=[*OPEN, At(200 * MS, "client", "SEND", 10)])
    for flight in trace.flights:
        assert flight.segment.options == (offers if flight.segment.ctl & SYN else ())
    end = listen()._replace(settings=listen().settings._replace(options=offers))
    peer = Segment(300, 0, SYN, options=(("MSS", 536), ("TS", (9, 0)), ("kind-99", "")))
    answer = end.arrive(peer, 0)
    assert answer.sent[0].options == (("MSS", 1460), ("TS", (1, 0)))
    assert answer.end.options == answer.sent[0].options


def test_the_peers_mss_limits_what_is_sent() -> None:
    """MUST-15, MUST-16: each direction has the MSS that its receiver offers, 536 without one."""
    for theirs, sizes in (((("MSS", 536),), [536, 364]), ((), [536, 364]), (None, [900])):
        trace = run(
            calls=[*OPEN, At(1 * S, "client", "SEND", 900), At(2 * S, "server", "SEND", 900)],
            options=[("MSS", 1460), ("WS", 7)],
            server_options=theirs,
            rules=LINUX,
            until=5 * S,
        )
        data = [(f.sender, f.segment.length) for f in trace.flights if f.segment.length]
        assert data == [*(("client", n) for n in sizes), ("server", 900)]
        answer = trace.flights[1].segment.options
        assert answer == (theirs if theirs is not None else (("MSS", 1460), ("WS", 7)))


def test_an_active_opener_agrees_to_what_the_syn_ack_offers() -> None:
    """MUST-6: a kind it has not offered is none of its business."""
    offers = (("MSS", 1460), ("WS", 7))
    end = Endpoint(established().settings._replace(options=offers)).call(Event.ACTIVE_OPEN, 0).end
    syn_ack = Segment(300, 101, SYN | ACK, options=(("MSS", 536), ("kind-99", "")))
    opened = end.arrive(syn_ack, 0)
    assert (opened.end.state, opened.end.options) == (State.ESTABLISHED, (("MSS", 1460),))
    assert opened.end.mss == 536  # and sends no more in a segment than the peer takes
    assert opened.sent[0].options == ()


def test_text_and_fin_on_a_syn_wait_for_established() -> None:
    """§3.10.7.2: they are held, not delivered, and taken with the ACK of our SYN."""
    syn = arrive(listen(), "<SEQ=300><CTL=SYN,FIN><DATA=5>")
    assert (syn.end.state, syn.text, syn.end.rcv_nxt) == (State.SYN_RECEIVED, 0, 301)
    opened = arrive(syn.end, "<SEQ=301><ACK=101><CTL=ACK>")
    assert (opened.end.state, opened.text, opened.end.rcv_nxt) == (State.CLOSE_WAIT, 5, 307)
    assert sent(opened) == ["<SEQ=101><ACK=307><CTL=ACK>"]
    both = arrive(syn_sent(), "<SEQ=300><ACK=101><CTL=SYN,ACK><DATA=5>")
    assert (both.end.state, both.text, sent(both)) == (
        State.ESTABLISHED,
        5,
        ["<SEQ=101><ACK=306><CTL=ACK>"],
    )


def test_what_rode_on_a_syn_is_taken_after_a_close_in_syn_received() -> None:
    """§3.10.7.2: CLOSE in SYN-RECEIVED leads to FIN-WAIT-1, where text and FIN are read as well."""
    end = arrive(listen(), "<SEQ=300><CTL=SYN,FIN><DATA=5>").end
    end = call(end, "CLOSE").end
    assert end.state is State.FIN_WAIT_1
    half = arrive(end, "<SEQ=306><ACK=101><CTL=ACK>")
    assert (half.end.state, half.text, half.end.rcv_nxt) == (State.CLOSING, 5, 307)
    whole = arrive(end, "<SEQ=306><ACK=102><CTL=ACK>")
    assert (whole.end.state, whole.text, whole.end.rcv_nxt) == (State.TIME_WAIT, 5, 307)
    assert sent(whole) == ["<SEQ=102><ACK=307><CTL=ACK>"]


@pytest.mark.parametrize(
    ("how", "told"),
    [("CLOSE", "error: connection closing"), ("ABORT", "error: connection reset")],
)
def test_the_user_is_told_of_sends_that_never_left(how: str, told: str) -> None:
    """§3.10.4, §3.10.5: SENDs that still wait in SYN-SENT are answered when the TCB is deleted."""
    assert call(syn_sent(), how).says == ""
    waiting = call(syn_sent(), "SEND", octets=5).end
    outcome = call(waiting, how)
    assert (outcome.end.state, outcome.says) == (State.CLOSED, told)
    assert call(waiting, "half-duplex CLOSE").says == ""  # nobody is there to be told


def test_the_longest_send_is_cut_into_segments() -> None:
    """Each of 31 301 is in its place and waits for its ACK; anything quadratic would not end."""
    end = call(linux(established()), "SEND", octets=(1 << 24) - 1)
    assert len(end.sent) == len(end.end.unacked) == 31_301
    assert all(b.seq == a.seq + a.length for a, b in pairwise(end.sent))
    assert (end.sent[0].seq, end.end.snd_nxt) == (101, 101 + (1 << 24) - 1)
    last = end.sent[-1].seq
    assert arrive(end.end, f"<SEQ=301><ACK={last}><CTL=ACK>").end.unacked == end.sent[-1:]


def test_a_stray_ack_at_a_listener_draws_a_rst_and_no_more() -> None:
    """§3.10.7.2: the listener stays; whoever sent it learns that there is no connection."""
    trace = run(
        calls=OPEN[:1], network=[Inject(20 * MS, "server", "<SEQ=7><ACK=9><CTL=ACK><DATA=3>")]
    )
    assert [str(f.segment) for f in trace.flights][1:] == ["<SEQ=9><CTL=RST>"]
    assert final(trace, "server") == ("LISTEN", 0)


def test_an_option_may_come_with_any_segment() -> None:
    """MUST-5: data with a timestamp is data; what is agreed was agreed by the SYNs."""
    data = Segment(301, 101, ACK, 5, options=(("TS", (1, 0)), ("kind-99", "")))
    outcome = established().arrive(data, 0)
    assert (outcome.text, outcome.end.options) == (5, ())


def test_a_rst_may_carry_data() -> None:
    """SHLD-2: it is a RST all the same, and its data is nobody's."""
    outcome = arrive(established(), "<SEQ=301><CTL=RST><DATA=5>")
    assert (outcome.end.state, outcome.text) == (State.CLOSED, 0)


def test_the_user_can_tell_a_close_from_an_abort() -> None:
    """MUST-12: after the peer's FIN RECEIVE says closing; a RST says reset."""
    assert call(close_wait(), "RECEIVE").says == "error: connection closing"
    assert arrive(established(), "<SEQ=301><CTL=RST>").says == "error: connection reset"


def test_a_keep_alive_carries_no_data_and_waits_for_silence() -> None:
    """MUST-26, MUST-27, SHLD-12: whatever arrives starts the idle time again; it is set freely."""
    end = call(Endpoint(established().settings._replace(keepalive=10 * S)), "active OPEN").end
    end = arrive(end, "<SEQ=300><ACK=101><CTL=SYN,ACK>").end
    assert end.deadlines == (Timer("keep-alive", 0, 10 * S),)
    end = arrive(end, "<SEQ=301><ACK=101><CTL=ACK>", now=7 * S).end
    assert end.deadlines == (Timer("keep-alive", 7 * S, 17 * S),)
    probe = end.expire(end.deadlines[0], 17 * S)
    assert sent(probe) == ["<SEQ=100><ACK=301><CTL=ACK>"]


def test_only_keep_alives_in_a_row_count() -> None:
    """MUST-29: what is answered begins the count anew."""
    trace = run(
        calls=[*OPEN, At(25 * S, "server", "crash")],
        rules=RFC9293._replace(keepalive_interval=1 * S, keepalive_probes=2),
        server_rules=RFC9293,
        keepalive=10 * S,
    )
    assert [f.fate for f in trace.flights if f.sender == "client"][-3:] == [
        "delivered",
        "lost",
        "lost",
    ]


def test_only_retransmissions_in_a_row_count() -> None:
    """R2 is about one segment: what is acknowledged begins the count anew."""
    end = under(established(), r2=2)
    end = end.call(Event.SEND, 0, 10).end.call(Event.SEND, 0, 10).end
    for _ in range(2):
        end = end.expire(end.deadlines[0], 1 * S).end
    end = arrive(end, "<SEQ=301><ACK=111><CTL=ACK>", now=2 * S).end
    for _ in range(2):
        end = end.expire(end.deadlines[0], 3 * S).end
        assert end.state is State.ESTABLISHED
    assert end.expire(end.deadlines[0], 9 * S).end.state is State.CLOSED


def test_rule_ack_throttle() -> None:
    """Within half a second one old ACK is answered; old data, or a FIN again, is each time."""
    end = linux(established())
    first = arrive(end, "<SEQ=200><ACK=101><CTL=ACK>", 1 * S)
    assert sent(first) == ["<SEQ=101><ACK=301><CTL=ACK>"]
    assert sent(arrive(first.end, "<SEQ=200><ACK=101><CTL=ACK>", 1 * S + 499 * MS)) == []
    assert sent(arrive(first.end, "<SEQ=500><CTL=RST>", 1 * S + 499 * MS)) == []
    assert len(arrive(first.end, "<SEQ=200><ACK=101><CTL=ACK><DATA=5>", 1 * S).sent) == 1
    assert len(arrive(first.end, "<SEQ=200><ACK=101><CTL=ACK>", 1 * S + 500 * MS).sent) == 1
    unthrottled = arrive(established(), "<SEQ=200><ACK=101><CTL=ACK>").end
    assert len(arrive(unthrottled, "<SEQ=200><ACK=101><CTL=ACK>").sent) == 1


def test_rule_syn_resets_syn_received() -> None:
    """A passive end returns to LISTEN either way; Linux says so to the peer."""
    reset = arrive(linux(syn_received()), "<SEQ=310><CTL=SYN>")
    assert (reset.end.state, sent(reset)) == (State.LISTEN, ["<SEQ=0><ACK=311><CTL=RST,ACK>"])
    silent = arrive(syn_received(), "<SEQ=310><CTL=SYN>")
    assert (silent.end.state, sent(silent)) == (State.LISTEN, [])


def test_rule_nagle() -> None:
    """Nagle: the second SEND waits, the third joins it. Without, each SEND leaves at once."""
    end = call(linux(established()), "SEND", octets=10).end
    for octets in (20, 30):
        waiting = call(end, "SEND", octets=octets)
        assert sent(waiting) == []
        end = waiting.end
    freed = arrive(end, "<SEQ=301><ACK=111><CTL=ACK>")
    assert sent(freed) == ["<SEQ=111><ACK=301><CTL=ACK><DATA=50>"]
    whole = call(end, "SEND", octets=600)  # 650 octets wait: a segment of 536, and the rest
    assert sent(whole) == ["<SEQ=111><ACK=301><CTL=ACK><DATA=536>"]
    assert whole.end.queued == (114,)
    plain = call(established(), "SEND", octets=10).end
    assert sent(call(plain, "SEND", octets=20)) == ["<SEQ=111><ACK=301><CTL=ACK><DATA=20>"]


def test_a_fin_takes_along_what_nagle_held_back() -> None:
    """CLOSE pushes: data and FIN leave as one segment, at once."""
    end = call(call(linux(established()), "SEND", octets=10).end, "SEND", octets=20).end
    closed = call(end, "CLOSE")
    assert sent(closed) == ["<SEQ=111><ACK=301><CTL=FIN,ACK><DATA=20>"]
    assert closed.end.snd_nxt == 132
    assert arrive(closed.end, "<SEQ=301><ACK=132><CTL=ACK>").end.state is State.FIN_WAIT_2


def expire(end: Endpoint) -> Outcome:
    """The timer that is due first expires."""
    timer = end.deadline
    assert timer
    return end.expire(timer, timer.until)


@pytest.mark.parametrize(("rules", "resets"), [(RFC9293, []), (LINUX, ["RST,ACK"])])
def test_rule_keepalive_resets(rules: Rules, resets: list[str]) -> None:
    """After the last probe the end is CLOSED; Linux tells the peer, the standard does not."""
    settings = SETTINGS._replace(rules=rules._replace(keepalive_probes=1), keepalive=5 * S)
    end = arrive(call(Endpoint(settings), "active OPEN").end, "<SEQ=300><ACK=101><CTL=SYN,ACK>").end
    probed = expire(end)
    assert sent(probed) == ["<SEQ=100><ACK=301><CTL=ACK>"]
    over = expire(probed.end)
    assert over.end.state is State.CLOSED
    assert [segment.control for segment in over.sent] == resets


def test_rule_user_timeout_late() -> None:
    """The tail loss probe does not start it, the retransmission after it does."""
    settings = SETTINGS._replace(rules=LINUX, user_timeout=2 * S)
    end = call(Endpoint(settings), "active OPEN").end
    assert Timer("USER TIMEOUT", 0, 2 * S) in end.deadlines
    end = arrive(end, "<SEQ=300><ACK=101><CTL=SYN,ACK>", 100 * MS).end
    end = end.call(Event.SEND, 1 * S, 5).end
    probed = expire(end).end
    assert [timer.name for timer in probed.deadlines] == ["RTO"]
    again = expire(probed).end
    assert Timer("USER TIMEOUT", 1600 * MS, 3600 * MS) in again.deadlines
    plain = SETTINGS._replace(user_timeout=2 * S)
    end = arrive(call(Endpoint(plain), "active OPEN").end, "<SEQ=300><ACK=101><CTL=SYN,ACK>").end
    assert Timer("USER TIMEOUT", 1 * S, 3 * S) in end.call(Event.SEND, 1 * S, 5).end.deadlines
