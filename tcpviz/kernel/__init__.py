"""The room of the real kernel: sockets as tables, watched over time, and labs on loopback.

`sockets` and `watch` look at what is there; `hold`, `serve` and the labs make something to look
at, on loopback, without privileges, and leave nothing behind. Linux; elsewhere the labs show
recordings.
"""

from tcpviz.kernel.datagrams import udp_nobody, udp_wire
from tcpviz.kernel.eleven import every_state
from tcpviz.kernel.holds import Held, hold
from tcpviz.kernel.labs import (
    accept_queue_full,
    address_in_use,
    before_accept,
    countdown,
    exhaustion,
    refused,
    to_itself,
    who_waits,
)
from tcpviz.kernel.observation import Observation, recording
from tcpviz.kernel.server import Server, closes, forgets, leak, raises, serve
from tcpviz.kernel.sockets import Unavailable, sockets
from tcpviz.kernel.table import Address, Owner, Socket, Table
from tcpviz.kernel.watch import Watch, watch

__all__ = [
    "Address",
    "Held",
    "Observation",
    "Owner",
    "Server",
    "Socket",
    "Table",
    "Unavailable",
    "Watch",
    "accept_queue_full",
    "address_in_use",
    "before_accept",
    "closes",
    "countdown",
    "every_state",
    "exhaustion",
    "forgets",
    "hold",
    "leak",
    "raises",
    "recording",
    "refused",
    "serve",
    "sockets",
    "to_itself",
    "udp_nobody",
    "udp_wire",
    "watch",
    "who_waits",
]
