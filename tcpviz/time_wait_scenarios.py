"""Scenarios about TIME-WAIT: reused, ended early, kept, absent, too short, forgotten.

Data only, a part of `scenarios`. Times are ns from the start.
"""

from typing import Any, Final

from tcpviz.rules import RFC9293
from tcpviz.scenario import RESTART, At, Delay, Duplicate, Inject, Lose, On, Scenario
from tcpviz.states import Event, State
from tcpviz.units import MS, S

_ACTIVE: Final = At(0, "client", Event.ACTIVE_OPEN)
_OPEN: Final = (At(0, "server", Event.PASSIVE_OPEN), _ACTIVE)
_SECOND: Final = At(2 * S, "client", Event.ACTIVE_OPEN)
_SENDS: Final = At(200 * MS, "client", Event.SEND, 10)
_SERVER_CLOSES: Final = On("server", State.CLOSE_WAIT, Event.CLOSE, 60 * MS)
_CLOSE: Final = (On("client", State.ESTABLISHED, Event.CLOSE, 150 * MS), _SERVER_CLOSES)
_SERVER_FIRST: Final = (
    On("server", State.ESTABLISHED, Event.CLOSE, 100 * MS),
    On("client", State.CLOSE_WAIT, Event.CLOSE, 60 * MS),
)
_LISTENS_AGAIN: Final = On("server", State.CLOSED, Event.PASSIVE_OPEN, 100 * MS)

_LATE_FIN: Final = (
    Delay("client", "ACK", 2950 * MS, 2),
    Lose("server", "FIN", 2),
    Delay("server", "FIN", 2900 * MS, 3),
)
"""The last ACK lives for 3 s, and so does the FIN that was sent again just before it came."""
_OLD_DATA: Final[dict[str, Any]] = {  # on its way for 4 s; each connection has the same numbers
    "network": (Delay("client", "data", 4 * S),),
    "client_iss": (100, 100),
    "server_iss": (300, 300),
}
_CRASHES: Final = (
    *(*_OPEN, _SENDS, At(1600 * MS, "client", Event.CLOSE)),
    *(At(2 * S, "client", Event.CRASH), At(3900 * MS, "client", RESTART)),
)


def _opens_and_sends(time: int) -> tuple[At, ...]:
    return _ACTIVE._replace(time=time), _SENDS._replace(time=time + 220 * MS)


TIME_WAIT_SCENARIOS: Final = (
    Scenario(
        "port_reuse",
        "A new SYN is taken straight out of TIME-WAIT; the new ISS lies beyond the old (MAY-2).",
        (*_OPEN, _SECOND),
        _SERVER_FIRST,
        rules=RFC9293._replace(reopen_from_time_wait=True),
    ),
    Scenario(
        "port_reuse_refused",
        "Without MAY-2 an ACK answers the new SYN, a RST ends TIME-WAIT, and the next SYN opens.",
        (*_OPEN, _SECOND),
        (*_SERVER_FIRST, _LISTENS_AGAIN),
    ),
    Scenario(
        "port_reuse_old_duplicate",
        "The SYN that reopened TIME-WAIT was an old duplicate: back to TIME-WAIT (MAY-2).",
        _OPEN,
        _SERVER_FIRST,
        (Inject(2 * S, "server", "<SEQ=5000><CTL=SYN>"),),
        rules=RFC9293._replace(reopen_from_time_wait=True),
    ),
    Scenario(
        "time_wait_ignores_rst",
        "The duplicated FIN again, with RFC 1337: the RST does not end TIME-WAIT.",
        _OPEN,
        _CLOSE,
        (Duplicate("server", "FIN"),),
        rules=RFC9293._replace(time_wait_ignores_rst=True),
    ),
    Scenario(
        "no_time_wait",
        "Without TIME-WAIT nobody is left to send a lost last ACK again: a RST ends a good close.",
        _OPEN,
        _CLOSE,
        (Lose("client", "ACK", 2),),
        msl=0,
    ),
    Scenario(
        "two_msl",
        "A segment lives for 3 s: the last ACK and then a FIN take that long, and TIME-WAIT hears.",
        _OPEN,
        _CLOSE,
        _LATE_FIN,
        msl=3 * S,
    ),
    Scenario(
        "one_msl",
        "The same, but TIME-WAIT lasts 3 s in all: the FIN finds nobody, and a RST answers it.",
        _OPEN,
        _CLOSE,
        _LATE_FIN,
        msl=1500 * MS,
    ),
    Scenario(
        "short_time_wait",
        "The network's memory outlasts TIME-WAIT: in the next connection old data replaces new.",
        (*_OPEN, _SENDS, *_opens_and_sends(4 * S)),
        (On("client", State.ESTABLISHED, Event.CLOSE, 1500 * MS), _SERVER_CLOSES, _LISTENS_AGAIN),
        msl=500 * MS,
        **_OLD_DATA,
    ),
    Scenario(
        "no_quiet_time",
        "A crash forgets TIME-WAIT and numbers: in the next connection old data replaces new.",
        (*_CRASHES, *_opens_and_sends(4 * S)),
        (_SERVER_CLOSES, _LISTENS_AGAIN),
        msl=5 * S,
        **_OLD_DATA,
    ),
    Scenario(
        "quiet_time",
        "After the same crash the client is quiet for an MSL: the old data meets no connection.",
        (*_CRASHES, *_opens_and_sends(8900 * MS)),
        (_SERVER_CLOSES, _LISTENS_AGAIN),
        msl=5 * S,
        **_OLD_DATA,
    ),
)
