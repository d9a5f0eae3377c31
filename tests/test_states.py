"""The table of moves against a second, hand-typed copy of Figure 5 and a list of what it omits."""

import pytest

from tcpviz.states import FIGURE_5, TRANSITIONS, Event, State, transition

# Read off RFC 9293 Figure 5, box by box: from, event, segment sent, to.
FIGURE_5_BY_HAND = """
CLOSED        | passive OPEN   |         | LISTEN
CLOSED        | active OPEN    | SYN     | SYN-SENT
LISTEN        | CLOSE          |         | CLOSED
LISTEN        | SEND           | SYN     | SYN-SENT
LISTEN        | rcv SYN        | SYN,ACK | SYN-RECEIVED
SYN-SENT      | CLOSE          |         | CLOSED
SYN-SENT      | rcv SYN        | SYN,ACK | SYN-RECEIVED
SYN-SENT      | rcv SYN,ACK    | ACK     | ESTABLISHED
SYN-RECEIVED  | rcv ACK of SYN |         | ESTABLISHED
SYN-RECEIVED  | CLOSE          | FIN     | FIN-WAIT-1
SYN-RECEIVED  | rcv RST        |         | LISTEN
ESTABLISHED   | CLOSE          | FIN     | FIN-WAIT-1
ESTABLISHED   | rcv FIN        | ACK     | CLOSE-WAIT
FIN-WAIT-1    | rcv ACK of FIN |         | FIN-WAIT-2
FIN-WAIT-1    | rcv FIN        | ACK     | CLOSING
FIN-WAIT-2    | rcv FIN        | ACK     | TIME-WAIT
CLOSING       | rcv ACK of FIN |         | TIME-WAIT
CLOSE-WAIT    | CLOSE          | FIN     | LAST-ACK
LAST-ACK      | rcv ACK of FIN |         | CLOSED
TIME-WAIT     | Timeout=2MSL   |         | CLOSED
"""

OMITTED_BY_HAND = {
    ("FIN-WAIT-1", "rcv FIN,ACK of FIN", "TIME-WAIT"),  # Note 2
    ("TIME-WAIT", "rcv FIN", "TIME-WAIT"),  # the 2MSL timeout starts again
    ("TIME-WAIT", "rcv SYN", "SYN-RECEIVED"),  # MAY-2
    ("LISTEN", "active OPEN", "SYN-SENT"),
    ("SYN-RECEIVED", "rcv SYN", "LISTEN"),  # fourth check, passive
    ("SYN-RECEIVED", "rcv FIN", "CLOSE-WAIT"),  # eighth check, after an ACK for something else
    ("SYN-RECEIVED", "rcv RST", "TIME-WAIT"),  # MAY-2: the SYN was an old duplicate
    ("FIN-WAIT-2", "Timeout=FIN-WAIT-2", "CLOSED"),  # Linux
    # Note 3: a RST leads from any state to LISTEN or CLOSED
    ("SYN-SENT", "rcv RST", "CLOSED"),
    ("SYN-RECEIVED", "rcv RST", "CLOSED"),
    ("ESTABLISHED", "rcv RST", "CLOSED"),
    ("FIN-WAIT-1", "rcv RST", "CLOSED"),
    ("FIN-WAIT-2", "rcv RST", "CLOSED"),
    ("CLOSE-WAIT", "rcv RST", "CLOSED"),
    ("CLOSING", "rcv RST", "CLOSED"),
    ("LAST-ACK", "rcv RST", "CLOSED"),
    ("TIME-WAIT", "rcv RST", "CLOSED"),
}
ALIVE = [
    "LISTEN",
    "SYN-SENT",
    "SYN-RECEIVED",
    "ESTABLISHED",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "CLOSE-WAIT",
    "CLOSING",
    "LAST-ACK",
    "TIME-WAIT",
]
SYNCHRONIZED = ALIVE[3:]
ANSWERED = ["SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT"]


def test_figure_5_is_drawn_from_exactly_its_twenty_arrows() -> None:
    """The drawn edges are Figure 5's, with the segment each sends."""
    by_hand = {
        tuple(cell.strip() for cell in line.split("|"))
        for line in FIGURE_5_BY_HAND.strip().splitlines()
    }
    assert {(e.source, e.event, e.sends, e.target) for e in FIGURE_5} == by_hand
    assert len(FIGURE_5) == len(by_hand) == 20
    assert [edge for edge in TRANSITIONS if edge.drawn] == list(FIGURE_5)


def test_the_omitted_moves_are_the_named_ones_and_no_others() -> None:
    """What Figure 5 leaves out: its notes, MAY-2, ABORT, timeouts and crashes."""
    omitted = {(e.source, e.event, e.target) for e in TRANSITIONS if not e.drawn}
    anywhere = {(s, e, "CLOSED") for s in ALIVE for e in ("ABORT", "USER TIMEOUT", "crash")}
    unanswered = {(state, "Timeout=R2", "CLOSED") for state in set(ALIVE) - {"LISTEN", "TIME-WAIT"}}
    strays = {(state, "rcv stray SYN", "CLOSED") for state in SYNCHRONIZED}  # RFC 793
    waits = {(state, "ABORT, wait", "TIME-WAIT") for state in ANSWERED}  # note 3
    assert omitted == OMITTED_BY_HAND | anywhere | unanswered | strays | waits


def test_abort_sends_a_rst_only_where_the_peer_may_hold_a_connection() -> None:
    """§3.10.5 sends the RST from the five states between SYN-RECEIVED and CLOSE-WAIT."""
    sending = {e.source for e in TRANSITIONS if e.event is Event.ABORT and e.sends == "RST"}
    assert sending == set(ANSWERED)


def test_every_edge_has_a_name_of_its_own() -> None:
    """Edge ids are unique, so a Step can name the moves it took."""
    assert len({edge.id for edge in TRANSITIONS}) == len(TRANSITIONS)


def test_every_state_can_be_entered_and_left() -> None:
    """No state is a dead end, and none is unreachable."""
    assert {edge.source for edge in TRANSITIONS} == set(State)
    assert {edge.target for edge in TRANSITIONS} == set(State)


@pytest.mark.parametrize(("opened", "target"), [("passive", "LISTEN"), ("active", "CLOSED")])
def test_a_rst_in_syn_received_leads_back_to_where_the_open_came_from(opened, target) -> None:
    """Note 1: only an end that opened passively returns to LISTEN."""
    edge = transition(State.SYN_RECEIVED, Event.RCV_RST, opened)
    assert edge is not None
    assert edge.target == target


def test_an_event_without_an_edge_moves_nothing() -> None:
    """CLOSE-WAIT has no move on another FIN."""
    assert transition(State.CLOSE_WAIT, Event.RCV_FIN) is None
