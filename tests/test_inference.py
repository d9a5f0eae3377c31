"""The states that are concluded from the segments passing one end, case by case."""

import re
from pathlib import Path

import pytest

from tcpviz import read
from tcpviz.captures.inference import Passing, conclude, first_state
from tcpviz.segment import Segment
from tcpviz.states import State
from tcpviz.steps import Variables

OPEN_ACTIVELY = [
    "> <SEQ=100><CTL=SYN>",
    "< <SEQ=300><ACK=101><CTL=SYN,ACK>",
    "> <SEQ=101><ACK=301><CTL=ACK>",
]
OPEN_PASSIVELY = [
    "< <SEQ=100><CTL=SYN>",
    "> <SEQ=300><ACK=101><CTL=SYN,ACK>",
    "< <SEQ=101><ACK=301><CTL=ACK>",
]


def passings(lines):
    """Segments that leave (>) and arrive (<)."""
    return [Passing(line[0] == "<", Segment.parse(line[2:])) for line in lines]


def states(*lines):
    """The state after each segment, in short."""
    return [conclusion.state for conclusion in conclude(passings(lines))]


def after(*lines):
    """The last conclusion."""
    return conclude(passings(lines))[-1]


def listened(found):
    """Whether the end must have been in LISTEN before its first segment."""
    return first_state(found) is State.LISTEN


def test_an_active_opener():
    """SYN-SENT with its SYN, ESTABLISHED with the SYN,ACK."""
    assert states(*OPEN_ACTIVELY) == [State.SYN_SENT, State.ESTABLISHED, State.ESTABLISHED]
    assert not listened(passings(OPEN_ACTIVELY))


def test_a_passive_opener():
    """It must have been in LISTEN; SYN-RECEIVED until its SYN is acknowledged."""
    assert states(*OPEN_PASSIVELY) == [State.SYN_RECEIVED, State.SYN_RECEIVED, State.ESTABLISHED]
    assert listened(passings(OPEN_PASSIVELY))


def test_a_syn_that_is_not_answered_tells_nothing():
    """A SYN without an answer may have met LISTEN or CLOSED: no state is claimed."""
    assert states("< <SEQ=100><CTL=SYN>") == [None]
    assert not listened(passings(["< <SEQ=100><CTL=SYN>"]))


def test_a_syn_answered_only_when_it_came_again():
    """The end is in LISTEN until the SYN that it answers."""
    answered = states("< <SEQ=100><CTL=SYN>", "< <SEQ=100><CTL=SYN>", OPEN_PASSIVELY[1])
    assert answered == [State.LISTEN, State.SYN_RECEIVED, State.SYN_RECEIVED]


def test_a_syn_that_is_not_answered_leaves_a_listener_in_listen():
    """After an RST took it back to LISTEN, a SYN without an answer moves nothing."""
    lines = [*OPEN_PASSIVELY[:2], "< <SEQ=101><CTL=RST>", "< <SEQ=200><CTL=SYN>"]
    assert after(*lines).state is State.LISTEN


def test_a_syn_answered_by_rst_met_no_listener():
    """§3.10.7.1: the answer of CLOSED."""
    assert states("< <SEQ=100><CTL=SYN>", "> <SEQ=0><ACK=101><CTL=RST,ACK>") == [State.CLOSED] * 2


def test_syn_sent_is_refused_only_by_an_rst_that_acknowledges_the_syn():
    """§3.10.7.3: an RST with another ACK, or none, is dropped."""
    syn = OPEN_ACTIVELY[0]
    assert after(syn, "< <SEQ=0><ACK=101><CTL=RST,ACK>").state is State.CLOSED
    assert after(syn, "< <SEQ=0><ACK=99><CTL=RST,ACK>").state is State.SYN_SENT
    assert after(syn, "< <SEQ=0><CTL=RST>").state is State.SYN_SENT


def test_syn_sent_answers_a_wrong_ack_with_rst_and_stays():
    """RFC 9293 Figure 8, line 4."""
    lines = [OPEN_ACTIVELY[0], "< <SEQ=300><ACK=91><CTL=SYN,ACK>", "> <SEQ=91><CTL=RST>"]
    assert states(*lines) == [State.SYN_SENT] * 3


def test_an_ack_without_syn_moves_nothing_in_syn_sent():
    """RFC 9293 Figure 9: the challenge ACK of a half-open connection."""
    assert after(OPEN_ACTIVELY[0], "< <SEQ=300><ACK=101><CTL=ACK>").state is State.SYN_SENT


@pytest.mark.parametrize("lines", [OPEN_ACTIVELY, OPEN_PASSIVELY])
def test_only_an_rst_with_the_next_number_ends_a_connection(lines):
    """§3.10.7.4: an RST that is merely in the window is challenged."""
    number = 301 if lines is OPEN_ACTIVELY else 101
    assert after(*lines, f"< <SEQ={number}><CTL=RST>").state is State.CLOSED
    assert after(*lines, f"< <SEQ={number + 100}><CTL=RST>").state is State.ESTABLISHED
    assert after(*lines, f"< <SEQ={number - 1}><CTL=RST>").state is State.ESTABLISHED


def test_an_rst_takes_a_passive_opener_back_to_listen():
    """§3.10.7.4: SYN-RECEIVED after a passive OPEN returns to LISTEN, after an active one not."""
    assert after(*OPEN_PASSIVELY[:2], "< <SEQ=101><CTL=RST>").state is State.LISTEN
    simultaneous = ["> <SEQ=300><CTL=SYN>", *OPEN_PASSIVELY[:2]]
    assert after(*simultaneous).state is State.SYN_RECEIVED
    assert after(*simultaneous, "< <SEQ=101><CTL=RST>").state is State.CLOSED


def test_an_rst_that_leaves_is_an_abort():
    """§3.10.5; an RST of an older number only answers something old."""
    assert after(*OPEN_ACTIVELY, "> <SEQ=101><ACK=301><CTL=RST,ACK>").edges == (
        "ESTABLISHED: ABORT",
    )
    assert after(*OPEN_ACTIVELY, "> <SEQ=91><CTL=RST>").state is State.ESTABLISHED


def test_an_acceptance_queue_that_is_full_keeps_syn_received():
    """An end that sends its SYN,ACK again had not taken the ACK before it.

    Nor is it known to take the next ACK, until it sends what only a connection does.
    """
    lines = [*OPEN_PASSIVELY, OPEN_PASSIVELY[1], OPEN_PASSIVELY[2]]
    assert states(*lines)[2:] == [State.SYN_RECEIVED] * 3
    assert "nobody saw" in after(*lines).says
    data = "> <SEQ=301><ACK=101><CTL=ACK><DATA=5>"
    assert states(*lines, data)[2:] == [
        State.SYN_RECEIVED, State.SYN_RECEIVED, State.ESTABLISHED, State.ESTABLISHED
    ]  # fmt: skip
    assert after(*lines, data).says == ""


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # The SYN,ACK is missing: our ACK, our FIN or the other's data tells that it came.
        ([OPEN_ACTIVELY[0], OPEN_ACTIVELY[2]], ["SYN-SENT", "ESTABLISHED"]),
        ([OPEN_ACTIVELY[0], "> <SEQ=101><ACK=301><CTL=FIN,ACK>"], ["SYN-SENT", "FIN-WAIT-1"]),
        (
            [OPEN_ACTIVELY[0], "< <SEQ=301><ACK=101><CTL=ACK><DATA=5>"],
            ["SYN-SENT", "ESTABLISHED"],
        ),
        ([OPEN_ACTIVELY[0], "> <SEQ=101><CTL=FIN>"], ["SYN-SENT", "SYN-SENT"]),
        # Our SYN,ACK is missing.
        ([OPEN_PASSIVELY[0], OPEN_PASSIVELY[2]], [None, None]),
        (
            [*OPEN_PASSIVELY[::2], "> <SEQ=301><ACK=101><CTL=ACK><DATA=5>"],
            ["SYN-RECEIVED", "ESTABLISHED", "ESTABLISHED"],
        ),
        # A challenge to an end that refuses it later is no answer to the SYN.
        (
            [OPEN_PASSIVELY[0], "> <SEQ=7><ACK=9><CTL=ACK>", "> <SEQ=9><CTL=RST>"],
            [None, None, None],
        ),
        # The ACK of our SYN,ACK is missing; a challenge ACK does not tell of it, data does.
        ([*OPEN_PASSIVELY[:2], "> <SEQ=301><ACK=101><CTL=ACK>"], ["SYN-RECEIVED"] * 3),
        (
            [*OPEN_PASSIVELY[:2], "> <SEQ=301><ACK=106><CTL=ACK>"],
            ["SYN-RECEIVED", "SYN-RECEIVED", "ESTABLISHED"],
        ),
        # Simultaneous open of which only our side was seen.
        (
            ["> <SEQ=300><CTL=SYN>", OPEN_PASSIVELY[1], "> <SEQ=301><ACK=101><CTL=ACK>"],
            ["SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"],
        ),
        # An end that goes on sending was not closed, whatever an RST seemed to say.
        (
            [*OPEN_ACTIVELY, "< <SEQ=301><CTL=RST>", "> <SEQ=101><ACK=301><CTL=ACK><DATA=5>"],
            ["SYN-SENT", "ESTABLISHED", "ESTABLISHED", "ESTABLISHED", "ESTABLISHED"],
        ),
        # One that challenges a SYN was not CLOSED, although it opens later.
        (
            [OPEN_PASSIVELY[0], "> <SEQ=7><ACK=9><CTL=ACK>", "> <SEQ=300><CTL=SYN>"],
            ["CLOSED", None, None],
        ),
    ],
)
def test_what_an_end_sends_proves_what_it_has_received(lines, expected):
    """Where the capture missed a segment, what was sent after it tells that it had come."""
    assert states(*lines) == expected


FIN_SENT = [*OPEN_ACTIVELY, "> <SEQ=101><ACK=301><CTL=FIN,ACK>"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["< <SEQ=301><ACK=102><CTL=ACK>"], ["FIN-WAIT-2"]),
        (["< <SEQ=301><ACK=102><CTL=FIN,ACK>"], ["TIME-WAIT"]),
        (["< <SEQ=301><ACK=101><CTL=FIN,ACK>"], ["CLOSING"]),
        (
            ["< <SEQ=301><ACK=101><CTL=FIN,ACK>", "< <SEQ=302><ACK=102><CTL=ACK>"],
            ["CLOSING", "TIME-WAIT"],
        ),
        (["< <SEQ=301><ACK=101><CTL=ACK>"], ["FIN-WAIT-1"]),
        (["> <SEQ=101><ACK=301><CTL=FIN,ACK>"], ["FIN-WAIT-1"]),
    ],
)
def test_an_active_closer(more, expected):
    """What follows FIN-WAIT-1 depends on which of the two FINs is acknowledged first."""
    assert states(*FIN_SENT, *more)[3:] == ["FIN-WAIT-1", *expected]


def test_a_passive_closer():
    """CLOSE-WAIT with the FIN, LAST-ACK with its own, CLOSED with the ACK of that."""
    lines = [
        *OPEN_PASSIVELY,
        "< <SEQ=101><ACK=301><CTL=FIN,ACK>",
        "> <SEQ=301><ACK=102><CTL=FIN,ACK>",
        "< <SEQ=102><ACK=302><CTL=ACK>",
    ]
    assert states(*lines)[3:] == [State.CLOSE_WAIT, State.LAST_ACK, State.CLOSED]


def test_a_fin_after_a_gap_waits_for_the_gap():
    """A FIN is taken only when all before it has arrived."""
    lines = [*OPEN_PASSIVELY, "< <SEQ=111><ACK=301><CTL=FIN,ACK>"]
    assert after(*lines).state is State.ESTABLISHED
    filled = after(
        *lines, "< <SEQ=101><ACK=301><CTL=ACK><DATA=10>", "> <SEQ=301><ACK=112><CTL=ACK>"
    )
    assert filled.state is State.CLOSE_WAIT


def test_a_fin_again_in_time_wait_is_answered_again():
    """§3.10.7.4: the retransmitted FIN takes the edge from TIME-WAIT to itself."""
    lines = [*FIN_SENT, "< <SEQ=301><ACK=102><CTL=FIN,ACK>", "> <SEQ=102><ACK=302><CTL=ACK>"]
    assert after(*lines, lines[4]).edges == ("TIME-WAIT: rcv FIN",)


def test_a_connection_that_was_gone_unseen():
    """An RST as CLOSED sends it tells that the connection was deleted before, without a segment."""
    lines = [*FIN_SENT, "< <SEQ=301><ACK=102><CTL=ACK>", "< <SEQ=301><ACK=102><CTL=FIN,ACK>"]
    gone = conclude(passings([*lines, "> <SEQ=102><CTL=RST>"]))[-2]
    assert gone.edges == ("FIN-WAIT-2: USER TIMEOUT",)
    assert gone.says
    assert after(*lines).state is State.TIME_WAIT


def test_a_syn_in_a_connection_moves_nothing():
    """An old or new SYN is challenged."""
    assert after(*OPEN_PASSIVELY, "< <SEQ=90><CTL=SYN>").state is State.ESTABLISHED


def test_a_capture_that_begins_in_the_middle():
    """Without a SYN the end is taken to be in ESTABLISHED; after a lone RST nothing is claimed."""
    assert states("> <SEQ=5><ACK=7><CTL=ACK>", "< <SEQ=7><ACK=5><CTL=FIN,ACK>") == [
        State.ESTABLISHED,
        State.CLOSE_WAIT,
    ]
    assert states("< <SEQ=5><CTL=RST>") == [None]
    assert states(*OPEN_ACTIVELY[1:]) == [State.ESTABLISHED] * 2
    assert states(*OPEN_PASSIVELY[1:]) == [State.SYN_RECEIVED, State.ESTABLISHED]


def test_the_variables_are_those_that_the_segments_show():
    """SND.UNA, SND.NXT and RCV.NXT after each segment, once all three are known."""
    known = [conclusion.variables for conclusion in conclude(passings(OPEN_ACTIVELY))]
    assert known == [None, Variables(101, 101, 301), Variables(101, 101, 301)]
    data = after(*OPEN_ACTIVELY, "> <SEQ=101><ACK=301><CTL=ACK><DATA=5>")
    assert data.variables == Variables(101, 106, 301)
    assert after(*OPEN_ACTIVELY[::2]).variables == Variables(101, 101, 301)


def test_the_recording_of_a_full_accept_queue_ends_as_the_kernel_did():
    """The server of the 4th connection was in SYN-RECEIVED to the end, as its host told."""
    trace = read(Path(__file__).parents[1] / "notebooks" / "captures" / "acceptq_overflow.pcapng")[
        3
    ]
    assert [span.state for span in trace.spans("server")] == [State.SYN_RECEIVED]
    truth = Path(__file__).parent / "data" / "recordings" / "acceptq_overflow.json"
    seen = re.findall(r'"server".*"remote": "\S+:40003", "state": "(\w+)"', truth.read_text())
    assert seen[-1] == "SYN_RECV"
