"""Scenarios for the moves that Figure 5 leaves out: one for each event in each state.

Data only, most of it made alike: a way into a state, and what befalls the end there at 400 ms.
Times are ns from the start.
"""

from typing import Final, NamedTuple

from tcpviz.rules import RFC9293
from tcpviz.scenario import At, Fault, Inject, Lose, Name, Refuse, Scenario
from tcpviz.states import Event, State
from tcpviz.units import MS, S

_PASSIVE: Final = At(0, "server", Event.PASSIVE_OPEN)
_ACTIVE: Final = At(0, "client", Event.ACTIVE_OPEN)
_OPEN: Final = (_PASSIVE, _ACTIVE)
_CLOSE: Final = At(200 * MS, "client", Event.CLOSE)
_BOTH_CLOSE: Final = (_CLOSE, At(200 * MS, "server", Event.CLOSE))
_SERVER_TOO: Final = (_CLOSE, At(310 * MS, "server", Event.CLOSE))
_WHEN: Final = 400 * MS


class _Way(NamedTuple):
    """How `end` comes to a state before 400 ms and stays; `rcv_nxt` is what it expects then."""

    end: Name
    calls: tuple[At, ...]
    network: tuple[Fault, ...] = ()
    rcv_nxt: int = 0


_WAYS: Final = {
    State.LISTEN: _Way("server", (_PASSIVE, At(0, "client", Event.PASSIVE_OPEN))),
    State.SYN_SENT: _Way("client", _OPEN, (Lose("client", "SYN", None),)),
    State.SYN_RECEIVED: _Way("server", _OPEN, (Lose("client", "ACK"),), 101),
    State.ESTABLISHED: _Way("client", _OPEN, (), 301),
    State.FIN_WAIT_1: _Way("client", (*_OPEN, _CLOSE), (Lose("client", "FIN"),), 301),
    State.FIN_WAIT_2: _Way("client", (*_OPEN, _CLOSE), (), 301),
    State.CLOSE_WAIT: _Way("server", (*_OPEN, _CLOSE), (), 102),
    State.CLOSING: _Way("client", (*_OPEN, *_BOTH_CLOSE), (Lose("server", "ACK"),), 302),
    State.LAST_ACK: _Way("server", (*_OPEN, *_SERVER_TOO), (Lose("client", "ACK", 2),), 102),
    State.TIME_WAIT: _Way("client", (*_OPEN, *_SERVER_TOO), (), 302),
}
_SYNCHRONIZED: Final = tuple(_WAYS)[3:]
_HOLDS_A_PEER: Final = (State.SYN_RECEIVED, *_SYNCHRONIZED[:4])
"""Where ABORT sends a RST (§3.10.5)."""


def _named(what: str, state: State) -> str:
    return f"{what}_in_{state.name.lower()}"


def _called(state: State, what: str, call: str, describe: str) -> Scenario:
    """At 400 ms the user calls, or something befalls it."""
    way = _WAYS[state]
    calls = (*way.calls, At(_WHEN, way.end, call))
    return Scenario(_named(what, state), describe, calls, network=way.network)


def _abort(state: State) -> Scenario:
    rst = "a RST tells the peer" if state in _HOLDS_A_PEER else "no RST is sent"
    return _called(state, "abort", Event.ABORT, f"ABORT in {state}: {rst} (§3.10.5).")


def _abort_and_wait(state: State) -> Scenario:
    way = _WAYS[state]
    return Scenario(
        _named("abort_and_wait", state),
        f"ABORT in {state}, and the side that sent the RST waits in TIME-WAIT (§3.5.2).",
        (*way.calls, At(_WHEN, way.end, Event.ABORT)),
        network=way.network,
        rules=RFC9293._replace(time_wait_after_abort=True),
    )


def _user_timeout(state: State) -> Scenario:
    describe = f"The user timeout comes in {state}: the TCB is deleted (§3.10.8)."
    return _called(state, "user_timeout", Event.USER_TIMEOUT, describe)


def _crash(state: State) -> Scenario:
    describe = f"The host of an end in {state} crashes and forgets everything (§3.5.1)."
    return _called(state, "crash", Event.CRASH, describe)


def _arrives(state: State, what: str, ctl: str, describe: str) -> Scenario:
    """At 400 ms a segment comes that has just the number that is expected."""
    way = _WAYS[state]
    stranger = Inject(_WHEN, way.end, f"<SEQ={way.rcv_nxt}><CTL={ctl}>")
    return Scenario(_named(what, state), describe, way.calls, network=(*way.network, stranger))


def _reset(state: State) -> Scenario:
    describe = f"A RST with the number RCV.NXT ends a connection in {state} (§3.10.7.4)."
    return _arrives(state, "reset", "RST", describe)


def _syn_in_window(state: State) -> Scenario:
    describe = f"Before RFC 5961 a SYN in the window ended a connection in {state} by a RST."
    without = RFC9293._replace(challenge_acks=False)
    scenario = _arrives(state, "syn_in_window", "SYN", describe)
    return Scenario(**{**vars(scenario), "rules": without})


_PEER_DIES: Final = {  # when the peer's host crashes, and what is sent to it in vain
    State.SYN_SENT: (0, ()),
    State.SYN_RECEIVED: (60 * MS, ()),
    State.ESTABLISHED: (200 * MS, (At(_WHEN, "client", Event.SEND, 10),)),
    State.FIN_WAIT_1: (200 * MS, ()),
    State.FIN_WAIT_2: (310 * MS, ()),
    State.CLOSE_WAIT: (310 * MS, (At(_WHEN, "server", Event.SEND, 10),)),
    State.CLOSING: (240 * MS, ()),
    State.LAST_ACK: (305 * MS, ()),
}


def _given_up(state: State) -> Scenario:
    """After R2 the end gives up; in FIN-WAIT-2 only a keep-alive can find the peer gone."""
    way, (when, more) = _WAYS[state], _PEER_DIES[state]
    peer: Name = "server" if way.end == "client" else "client"
    probes = state is State.FIN_WAIT_2
    retries = RFC9293._replace(r2_syn=2, r2_syn_ack=2, r2=2)
    return Scenario(
        _named("given_up", state),
        f"The peer's host is gone: an end in {state} gives up after R2 (§3.8.3).",
        (*way.calls, At(when, peer, Event.CRASH), *more),
        rules=RFC9293._replace(keepalive_probes=2) if probes else retries,
        keepalive=10 * S if probes else 0,
    )


EDGE_SCENARIOS: Final = (
    Scenario(
        "open_a_listener",
        "An active OPEN in LISTEN turns the passive open into an active one (§3.10.1).",
        (At(0, "client", Event.PASSIVE_OPEN), _PASSIVE, At(20 * MS, "client", Event.ACTIVE_OPEN)),
    ),
    Scenario(
        "second_syn",
        "Another SYN in the window sends a passive SYN-RECEIVED back to LISTEN (§3.10.7.4).",
        _OPEN,
        network=(Inject(100 * MS, "server", "<SEQ=200><CTL=SYN>"),),
    ),
    Scenario(
        "stray_ack",
        "After the RST for an ACK of what it never sent, SYN-RECEIVED still takes the FIN (I-13).",
        (_PASSIVE,),
        network=(
            Inject(20 * MS, "server", "<SEQ=100><CTL=SYN>"),
            Inject(60 * MS, "server", "<SEQ=101><ACK=999><CTL=FIN,ACK>"),
        ),
        rules=RFC9293._replace(stray_ack_goes_on=True),
    ),
    Scenario(
        "refused_while_crossing",
        "One side of a simultaneous open aborts: the other was refused, and is told (§3.10.7.4).",
        (_ACTIVE, At(10 * MS, "server", Event.ACTIVE_OPEN), At(70 * MS, "server", Event.ABORT)),
        network=(Lose("server", "SYN,ACK"),),
    ),
    Scenario(
        "syn_in_window_while_crossing",
        "Before RFC 5961 a SYN in the window ended a simultaneous open too (§3.10.7.4).",
        (_ACTIVE, At(10 * MS, "server", Event.ACTIVE_OPEN)),
        network=(Inject(80 * MS, "client", "<SEQ=301><CTL=SYN>"),),
        rules=RFC9293._replace(challenge_acks=False),
    ),
    Scenario(
        "accept_queue_full",
        "The third segment meets a full accept queue and is dropped: the SYN,ACK comes again.",
        _OPEN,
        network=(Refuse("server", "ACK"),),
    ),
    Scenario(
        "syn_cookie",
        "The SYN queue is full, and a cookie answers: the ACK brings back all that was kept.",
        _OPEN,
        network=(Refuse("server", "SYN", queue="SYN", answer="cookie"),),
    ),
    Scenario(
        "reset_beside_the_number",
        "A RST in the window but beside RCV.NXT ends nothing: an ACK answers it (RFC 5961).",
        _OPEN,
        network=(Inject(_WHEN, "client", "<SEQ=311><CTL=RST>"),),
    ),
    *map(_abort, _WAYS),
    *map(_abort_and_wait, _HOLDS_A_PEER),
    *map(_reset, _SYNCHRONIZED),
    *map(_syn_in_window, _SYNCHRONIZED),
    *map(_user_timeout, _WAYS),
    *map(_given_up, _PEER_DIES),
    *map(_crash, _WAYS),
)
"""One for each move that Figure 5 leaves out and no classroom case takes."""
