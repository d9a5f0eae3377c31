"""Ways of Linux in which a recording may part from the model, each decided by the situation."""

from collections.abc import Callable
from typing import Final, NamedTuple

from tcpviz.states import Event, State
from tcpviz.steps import Kind
from tcpviz.units import MS

from .compare import Difference
from .recorded import Recording, Seen, Sent


class Way(NamedTuple):
    """A named way of Linux, or of the recorder: a sentence, and whether it explains a difference."""

    name: str
    sentence: str
    explains: Callable[[Difference, Recording], bool]


def _reset_of_crash(difference: Difference, recording: Recording) -> bool:
    sent = difference.recorded
    return isinstance(sent, Sent) and recording.crashed(sent)


def _through_fin_wait_2(difference: Difference, recording: Recording) -> bool:
    seen = difference.recorded
    if not isinstance(seen, Seen) or seen.state is not State.FIN_WAIT_2:
        return False
    return any(
        step.end == difference.end
        and step.kind is Kind.ARRIVE
        and f"{State.FIN_WAIT_1}: {Event.RCV_FIN_ACK_OF_FIN}" in step.edges
        and abs(step.time - seen.time) < 5 * MS
        for step in difference.trace.steps
    )


WAYS: Final = (
    Way(
        "reset-of-crash",
        "the recorder crashes a host by ending its sockets and loses the RST that this sends",
        _reset_of_crash,
    ),
    Way(
        "through-fin-wait-2",
        "Linux goes through FIN-WAIT-2 when one segment is FIN and ACK of FIN",
        _through_fin_wait_2,
    ),
)
