"""Named scenarios: the RFC's figures, classroom cases, and one for every move of the table.

Data only. Times are ns from the start; the server opens first, as in the RFC's figures.
"""

from typing import Final

from tcpviz.scenario import At, Delay, Duplicate, Inject, Lose, On, Scenario
from tcpviz.states import Event, State
from tcpviz.units import MS

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
)


SCENARIOS: Final[dict[str, Scenario]] = {scenario.name: scenario for scenario in _ALL}
"""Every named scenario, in teaching order."""
