"""Named scenarios, in teaching order: the RFC's figures, classroom cases, broken rules.

Data only; those about TIME-WAIT stand in a file of their own. After them come those of
edge_scenarios, so that every move of the table is taken.
Times are ns from the start; the server opens first, as in the RFC's figures.
"""

from typing import Final

from tcpviz.edge_scenarios import EDGE_SCENARIOS
from tcpviz.rules import LINUX, RFC9293
from tcpviz.scenario import RESTART, At, Delay, Duplicate, Inject, Lose, On, Scenario
from tcpviz.states import Event, State
from tcpviz.time_wait_scenarios import TIME_WAIT_SCENARIOS
from tcpviz.units import MIN, MS, S

_PASSIVE: Final = At(0, "server", Event.PASSIVE_OPEN)
_ACTIVE: Final = At(0, "client", Event.ACTIVE_OPEN)
_OPEN: Final = (_PASSIVE, _ACTIVE)
_CLIENT_CLOSES: Final = On("client", State.ESTABLISHED, Event.CLOSE, 150 * MS)
_SERVER_CLOSES: Final = On("server", State.CLOSE_WAIT, Event.CLOSE, 60 * MS)
_CLOSE: Final = (_CLIENT_CLOSES, _SERVER_CLOSES)
_BOTH_OPEN: Final = (_ACTIVE, At(10 * MS, "server", Event.ACTIVE_OPEN))
_BOTH_CLOSE: Final = (
    At(300 * MS, "client", Event.CLOSE),
    At(310 * MS, "server", Event.CLOSE),
)
_LISTENS_AGAIN: Final = On("server", State.CLOSED, Event.PASSIVE_OPEN, 100 * MS)
_SENDS: Final = At(200 * MS, "client", Event.SEND, 10)
_LEAVES: Final = At(400 * MS, "client", Event.CLOSE_HALF_DUPLEX)
_ABORTS_AND_SENDS: Final = (
    At(300 * MS, "client", Event.ABORT),
    At(1 * S, "client", Event.ACTIVE_OPEN),
    At(1720 * MS, "client", Event.SEND, 10),
)
_CRASHES: Final = (
    *_OPEN,
    At(300 * MS, "client", Event.CRASH),
    At(400 * MS, "client", RESTART),
)

_ALL: Final = (
    Scenario(
        "handshake",
        "The three-way handshake (RFC 9293, Figure 6).",
        calls=_OPEN,
    ),
    Scenario(
        "normal",
        "A whole connection: handshake, data each way, four segments to close, TIME-WAIT.",
        calls=_OPEN,
        reactions=(
            On("client", State.ESTABLISHED, Event.SEND, 50 * MS, 100),
            On("server", State.ESTABLISHED, Event.SEND, 100 * MS, 2000),
            On("client", State.ESTABLISHED, Event.CLOSE, 300 * MS),
            _SERVER_CLOSES,
        ),
    ),
    Scenario(
        "open_and_close",
        "The smallest whole life: three segments to open, four to close (Figures 6 and 12).",
        calls=_OPEN,
        reactions=_CLOSE,
    ),
    Scenario(
        "server_closes_first",
        "The server closes first: it is the server that waits in TIME-WAIT.",
        calls=_OPEN,
        reactions=(
            On("server", State.ESTABLISHED, Event.CLOSE, 100 * MS),
            On("client", State.CLOSE_WAIT, Event.CLOSE, 60 * MS),
        ),
    ),
    Scenario(
        "close_in_three",
        "The server closes within the delay of its ACK: FIN and ACK travel together.",
        calls=_OPEN,
        reactions=(_CLIENT_CLOSES, On("server", State.CLOSE_WAIT, Event.CLOSE, 10 * MS)),
        delayed_ack=40 * MS,
    ),
    Scenario(
        "close_in_four",
        "The same server is slower than its delayed ACK: ACK and FIN travel apart.",
        calls=_OPEN,
        reactions=(_CLIENT_CLOSES, On("server", State.CLOSE_WAIT, Event.CLOSE, 100 * MS)),
        delayed_ack=40 * MS,
    ),
    Scenario(
        "half_close",
        "The client has finished; the server goes on sending before it closes (§3.6).",
        calls=_OPEN,
        reactions=(
            _CLIENT_CLOSES,
            On("server", State.CLOSE_WAIT, Event.SEND, 60 * MS, 500),
            On("server", State.CLOSE_WAIT, Event.SEND, 160 * MS, 500),
            On("server", State.CLOSE_WAIT, Event.CLOSE, 260 * MS),
        ),
    ),
    Scenario(
        "simultaneous_open",
        "Both ends open actively and their SYNs cross (RFC 9293, Figure 7).",
        calls=_BOTH_OPEN,
    ),
    Scenario(
        "simultaneous_close",
        "Both ends close and their FINs cross: CLOSING, then TIME-WAIT at both (Figure 13).",
        calls=(*_OPEN, *_BOTH_CLOSE),
    ),
    Scenario("lost_syn", "The SYN is lost.", _OPEN, _CLOSE, (Lose("client", "SYN"),)),
    Scenario("lost_syn_ack", "The SYN,ACK is lost.", _OPEN, _CLOSE, (Lose("server", "SYN,ACK"),)),
    Scenario(
        "lost_ack",
        "The third segment is lost: the ends disagree until the SYN,ACK is sent again.",
        _OPEN,
        (On("client", State.ESTABLISHED, Event.CLOSE, 1500 * MS), _SERVER_CLOSES),
        (Lose("client", "ACK"),),
    ),
    Scenario("lost_fin", "The first FIN is lost.", _OPEN, _CLOSE, (Lose("client", "FIN"),)),
    Scenario(
        "lost_ack_of_fin",
        "The ACK of the first FIN is lost; the peer's FIN repeats what it said (Note 2).",
        _OPEN,
        _CLOSE,
        (Lose("server", "ACK"),),
    ),
    Scenario(
        "lost_last_ack",
        "The last ACK is lost: TIME-WAIT answers the FIN that comes again.",
        _OPEN,
        _CLOSE,
        (Lose("client", "ACK", 2),),
    ),
    Scenario("refused", "Nobody listens: the SYN is answered by a RST.", (_ACTIVE,)),
    Scenario(
        "no_answer",
        "Every SYN is lost: the RTO doubles each time (RFC 6298).",
        _OPEN,
        network=(Lose("client", "SYN", None),),
        until=20_000 * MS,
    ),
    Scenario(
        "close_wait",
        "The server never closes: it stays in CLOSE-WAIT, the client in FIN-WAIT-2.",
        _OPEN,
        (_CLIENT_CLOSES,),
    ),
    Scenario(
        "old_duplicate_syn",
        "An old SYN arrives before the new one; the client's RST sorts it out (Figure 8).",
        _OPEN,
        network=(Delay("client", "SYN", 150 * MS), Inject(20 * MS, "server", "<SEQ=90><CTL=SYN>")),
        server_iss=(300, 400),
    ),
    Scenario(
        "abort",
        "The client aborts: a RST ends both ends at once, and nobody waits in TIME-WAIT (§3.10.5).",
        _OPEN,
        (On("client", State.ESTABLISHED, Event.ABORT, 150 * MS),),
    ),
    Scenario(
        "close_before_established",
        "The server closes in SYN-RECEIVED; its SYN is acknowledged only in FIN-WAIT-1.",
        _OPEN,
        (
            On("server", State.SYN_RECEIVED, Event.CLOSE, 20 * MS),
            On("client", State.CLOSE_WAIT, Event.CLOSE, 60 * MS),
        ),
    ),
    Scenario(
        "connect_abandoned",
        "The client closes in SYN-SENT; the SYN,ACK that comes later is answered by a RST.",
        (*_OPEN, At(40 * MS, "client", Event.CLOSE)),
    ),
    Scenario(
        "listener_closes",
        "The server stops listening before anyone connects, and refuses.",
        (_PASSIVE, At(10 * MS, "server", Event.CLOSE), At(20 * MS, "client", Event.ACTIVE_OPEN)),
    ),
    Scenario(
        "send_opens",
        "SEND in LISTEN turns the passive open into an active one (§3.10.2; sockets cannot).",
        (
            At(0, "client", Event.PASSIVE_OPEN),
            _PASSIVE,
            At(20 * MS, "client", Event.SEND, 10),
        ),
    ),
    Scenario(
        "duplicated_fin",
        "The server's FIN arrives twice, so the last ACK leaves twice; the second one meets CLOSED,"
        " and the RST that answers it ends TIME-WAIT early (RFC 1337).",
        _OPEN,
        _CLOSE,
        (Duplicate("server", "FIN"),),
    ),
    # A host forgets, a peer falls silent.
    Scenario(
        "half_open",
        "The client crashes and opens again: its SYN finds the half-open connection (Figure 9).",
        (*_CRASHES, At(400 * MS, "client", Event.ACTIVE_OPEN)),
        (_LISTENS_AGAIN,),
        client_iss=(99, 400),
        server_iss=(299, 700),
    ),
    Scenario(
        "half_open_data",
        "The client crashes; the server's data meets CLOSED, and a RST ends it (Figure 10).",
        (*_CRASHES, At(500 * MS, "server", Event.SEND, 10)),
        client_iss=(99,),
        server_iss=(299,),
    ),
    Scenario(
        "keep_alive",
        "Nothing is sent, so only keep-alives find out that the server's host is gone (§3.8.4).",
        (*_OPEN, At(200 * MS, "server", Event.CRASH)),
        keepalive=120 * MIN,
        until=180 * MIN,
    ),
    Scenario(
        "user_timeout",
        "Data is not acknowledged for five minutes: the user timeout ends the attempt (§3.9.1.1).",
        (*_OPEN, _SENDS),
        network=(Lose("client", "data", None),),
        user_timeout=5 * MIN,
    ),
    Scenario(
        "given_up",
        "Data is sent again and again; after R1 the user is told, after R2 TCP gives up (§3.8.3).",
        (*_OPEN, _SENDS),
        network=(Lose("client", "data", None),),
        rules=RFC9293._replace(r2=7),
    ),
    Scenario(
        "receive_later",
        "The server's user has the data only when it calls RECEIVE, and learns of the FIN so.",
        (
            *(*_OPEN, _SENDS, At(300 * MS, "client", Event.CLOSE)),
            *(At(time * MS, "server", Event.RECEIVE) for time in (500, 600)),
        ),
        receivers=("server",),
    ),
    Scenario(
        "close_with_data_unread",
        "The client leaves with data unread: instead of a FIN a RST says that it is lost (§3.6.1).",
        (*_OPEN, At(200 * MS, "server", Event.SEND, 10), _LEAVES),
        receivers=("client",),
    ),
    Scenario(
        "data_after_close",
        "Data arrives after the client has left for good: a RST says that it is lost (§3.6.1).",
        (*_OPEN, _LEAVES),
        (On("server", State.CLOSE_WAIT, Event.SEND, 60 * MS, 10),),
    ),
    # Linux's ways.
    Scenario(
        "linux_syn_timeouts",
        "Every SYN is lost: Linux waits 1 s four times before the RTO doubles, gives up at 131 s.",
        _OPEN,
        network=(Lose("client", "SYN", None),),
        rules=LINUX,
    ),
    Scenario(
        "linux_lost_fin",
        "Two FINs are lost: Linux sends the first again as a probe, and doubles the RTO after it.",
        _OPEN,
        _CLOSE,
        (Lose("client", "FIN"), Lose("client", "FIN", 2)),
        rules=LINUX,
    ),
    Scenario(
        "linux_simultaneous_open",
        "Linux acknowledges the SYN,ACK of a simultaneous open, where Figure 7 ends.",
        _BOTH_OPEN,
        rules=LINUX,
    ),
    Scenario(
        "linux_close_wait",
        "The server closes late: FIN-WAIT-2 has ended after 60 s, and a RST answers its FIN.",
        (*_OPEN, _LEAVES, At(90 * S, "server", Event.CLOSE)),
        rules=LINUX,
    ),
    # The numbers of a simultaneous open, read to the letter.
    Scenario(
        "literal_simultaneous_open",
        "The first check turns the crossing SYN,ACKs away, and two ACKs open the connection (I-1).",
        _BOTH_OPEN,
        rules=RFC9293._replace(crossing_syn_ack=False),
    ),
    *TIME_WAIT_SCENARIOS,
    # Initial numbers, and handshakes that are broken or needless.
    Scenario(
        "same_iss",
        "Both ends use the same ISS each time: in the next connection old data replaces new.",
        (*_OPEN, _SENDS, *_ABORTS_AND_SENDS),
        (_LISTENS_AGAIN,),
        (Delay("client", "data", 1500 * MS),),
        client_iss=(100, 100),
        server_iss=(300, 300),
    ),
    Scenario(
        "clocked_iss",
        "The same with an ISS from the clock: the old data lies outside the window (§3.4.1).",
        (*_OPEN, _SENDS, *_ABORTS_AND_SENDS),
        (_LISTENS_AGAIN,),
        (Delay("client", "data", 1500 * MS),),
    ),
    Scenario(
        "two_way_ghost",
        "With two segments an old SYN makes the server ESTABLISHED with nobody, and take old data.",
        (_PASSIVE,),
        network=(
            Inject(20 * MS, "server", "<SEQ=90><CTL=SYN>"),
            Inject(40 * MS, "server", "<SEQ=91><ACK=250><CTL=ACK><DATA=10>"),
        ),
        rules=RFC9293._replace(two_way_handshake=True),
    ),
    Scenario(
        "three_way_no_ghost",
        "The same old segments with three: the data is refused, a RST sends the server to LISTEN.",
        (_PASSIVE,),
        network=(
            Inject(20 * MS, "server", "<SEQ=90><CTL=SYN>"),
            Inject(40 * MS, "server", "<SEQ=91><ACK=250><CTL=ACK><DATA=10>"),
        ),
    ),
    Scenario(
        "four_segment_handshake",
        "The server sends ACK and SYN apart: it works, with a rule more and a segment more.",
        _OPEN,
        rules=RFC9293._replace(four_segment_handshake=True),
    ),
)


SCENARIOS: Final[dict[str, Scenario]] = {
    scenario.name: scenario for scenario in (*_ALL, *EDGE_SCENARIOS)
}
"""Every named scenario, in teaching order."""
