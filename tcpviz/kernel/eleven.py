"""The eleven states as this machine's kernel shows them, each under its three names."""

from tcpviz.kernel.holds import hold
from tcpviz.kernel.observation import Observation, lab, seen
from tcpviz.kernel.sockets import Unavailable, sockets
from tcpviz.kernel.table import LINUX_NAMES, Socket
from tcpviz.states import State
from tcpviz.words import say


@lab
def every_state() -> Observation:
    """Hold a real socket in each state, one after the other, and look at it in two ways.

    sock_diag is what `ss` asks; /proc/net/tcp is the second way and has numbers for the states.
    """
    codes = {state: f"{number:02X}" for number, state in enumerate(LINUX_NAMES, 1)}
    rows: list[Socket] = []
    says = [say("eleven_one", state="RFC 9293", ss="ss", code="/proc/net/tcp")]
    for state in State:
        if state is State.CLOSED:
            continue
        with hold(state) as held:
            row = held.look()
            found = sockets(held.local.port, way="/proc/net/tcp", owners=False)
            if row is None or state not in found.states:
                raise Unavailable(f"the two ways of looking disagree about {state}")
            rows.append(row)
            says.append(say("eleven_one", state=state, ss=row.linux, code=codes[state]))
    says.append(say("eleven_closed", state=State.CLOSED))
    table = seen(rows, "sock_diag")
    numbers = {"states": [row.state for row in rows]}
    return Observation("every_state", tuple(says), ((say("eleven_table"), table),), numbers)
