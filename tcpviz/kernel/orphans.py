"""An experiment on this machine's kernel: what a short tcp_fin_timeout ends, and what it does not.

Unprivileged, on loopback: the lab sets the same time for its own sockets, by TCP_LINGER2.
"""

import contextlib
import socket
import time

from tcpviz.kernel.holds import PATIENCE, address, missing_is_unavailable, pair, until
from tcpviz.kernel.observation import Observation, lab, seen
from tcpviz.kernel.sockets import Asking, asking
from tcpviz.kernel.table import Address, Socket
from tcpviz.states import State
from tcpviz.units import S
from tcpviz.words import say


@lab
def fin_timeout(seconds: int = 1, *, wait: bool = True) -> Observation:
    """Leave FIN-WAIT-2 to the kernel, and TIME-WAIT, from sockets whose tcp_fin_timeout is short.

    The first client closes and its server does not; of the second pair both close. With `wait` it
    waits until FIN-WAIT-2 is gone. ValueError for more than 2 s.
    """
    if seconds not in (1, 2):
        raise ValueError(f"seconds: {seconds!r} is not from 1 to 2")
    with contextlib.ExitStack() as stack, missing_is_unavailable():
        diag = stack.enter_context(asking())
        client, server = _impatient(stack, seconds)
        ends = address(client), address(server)
        client.close()
        orphan = _in(diag, ends, State.FIN_WAIT_2)
        if wait:
            time.sleep(seconds)
            until(lambda: True if diag.lookup(*ends) is None else None, "the end of FIN-WAIT-2")
        forgotten = _in(diag, ends[::-1], State.CLOSE_WAIT)
        client, server = _impatient(stack, seconds)
        ends = address(client), address(server)
        client.close()
        server.settimeout(PATIENCE)
        server.recv(1)
        server.close()
        waiting = _in(diag, ends, State.TIME_WAIT)
        left = round((waiting.left or 0) / S)
        says = (
            say("orphan_gone" if wait else "orphan_there", state=orphan.state, seconds=seconds),
            say("orphan_peer", state=forgotten.state),
            say("orphan_waits", state=waiting.state, left=left),
        )
        tables = ((say("orphan_table"), seen([orphan, forgotten, waiting], diag.way)),)
        numbers = {"fin_wait_2": orphan.left, "peer": forgotten.state, "time_wait": waiting.left}
        return Observation("fin_timeout", says, tables, numbers)


def _impatient(stack: contextlib.ExitStack, seconds: int) -> tuple[socket.socket, socket.socket]:
    """An established connection whose client will not stay long in FIN-WAIT-2."""
    client, server = pair(stack)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, seconds)
    return client, server


def _in(diag: Asking, ends: tuple[Address, ...], state: State) -> Socket:
    """The socket of that four-tuple as soon as it is in the state."""

    def shown() -> Socket | None:
        row = diag.lookup(ends[0], ends[1])
        return row if row and row.state is state else None

    return until(shown, str(state))
