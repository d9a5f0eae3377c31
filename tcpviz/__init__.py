"""Teach TCP connection management: one checked trace, seen as diagram, chart and real capture.

tcpviz models what RFC 9293 says about opening, closing and refusing connections, and about the
timers that keep them honest. It is not a TCP stack: congestion control, SACK processing, window
management, reassembly and urgent data are left out, and data is an octet count, there only as far
as connection management needs it.

Time is integer nanoseconds, written with units: `50 * MS`, `60 * S`.
"""

from tcpviz.explore import explore
from tcpviz.fork import fork
from tcpviz.listener import Listener
from tcpviz.pictures import (
    beside,
    compare,
    joint_state_map,
    sequence_chart,
    server_view,
    state_diagram,
    timelines,
)
from tcpviz.player import Player
from tcpviz.population import Member, populate
from tcpviz.questions import questions
from tcpviz.rules import LINUX, RFC9293
from tcpviz.scenario import (
    At,
    Delay,
    Duplicate,
    Inject,
    Lose,
    On,
    Refuse,
    Scenario,
    ScenarioError,
)
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.sources import SourceError, read
from tcpviz.trace import Trace
from tcpviz.units import MS, S

__all__ = [
    "LINUX",
    "MS",
    "RFC9293",
    "SCENARIOS",
    "At",
    "Delay",
    "Duplicate",
    "Inject",
    "Listener",
    "Lose",
    "Member",
    "On",
    "Player",
    "Refuse",
    "S",
    "Scenario",
    "ScenarioError",
    "SourceError",
    "Trace",
    "beside",
    "compare",
    "explore",
    "fork",
    "joint_state_map",
    "populate",
    "questions",
    "read",
    "sequence_chart",
    "server_view",
    "simulate",
    "state_diagram",
    "timelines",
]


def _as_chart(trace: Trace) -> dict[str, str]:
    """How a notebook shows a Trace: as its sequence chart, with the transcript for its text."""
    return sequence_chart(trace)._repr_mimebundle_()


Trace.display = staticmethod(_as_chart)
