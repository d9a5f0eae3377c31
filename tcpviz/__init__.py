"""Teach TCP connection management: one checked trace, seen as diagram, chart and real capture.

tcpviz models what RFC 9293 says about opening, closing and refusing connections, and about the
timers that keep them honest. It is not a TCP stack: congestion control, SACK processing, window
management, reassembly and urgent data are left out, and data is an octet count, there only as far
as connection management needs it.

Time is integer nanoseconds, written with units: `50 * MS`, `60 * S`.
"""

from tcpviz.scenario import At, Delay, Duplicate, Inject, Lose, On, Scenario, ScenarioError
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.trace import Trace
from tcpviz.units import MS, S

__all__ = [
    "MS",
    "SCENARIOS",
    "At",
    "Delay",
    "Duplicate",
    "Inject",
    "Lose",
    "On",
    "S",
    "Scenario",
    "ScenarioError",
    "Trace",
    "simulate",
]
