"""Ways of Linux in which a recording may part from the model, each decided by the situation.

A way is a sentence and a predicate on one difference; it knows no recording by name.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from tcpviz.segment import ACK, FIN, SYN, add, distance
from tcpviz.states import Event, State
from tcpviz.steps import Kind, Variables
from tcpviz.trace import Trace
from tcpviz.units import MS

from .compare import NOISE, Difference, Left
from .recorded import Recording, Seen, Sent

_DELAYED_ACK: Final = 200 * MS
"""No ACK waits longer (TCP_DELACK_MAX)."""


class Way(NamedTuple):
    """A named way of Linux or of the recorder, and whether it explains a difference.

    A difference that is not about managing the connection puts the recording out of scope.
    """

    name: str
    sentence: str
    explains: Callable[[Difference, Recording], bool]
    in_scope: bool = True


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


def _delayed_ack(difference: Difference, recording: Recording) -> bool:
    left = difference.model
    if difference.kind != "segment" or not isinstance(left, Left):
        return False
    cause = left.cause.segment
    if left.segment.ctl != ACK or left.segment.length or not cause or not cause.length:
        return False
    return any(
        (sent.pair, sent.sender) == (left.pair, left.sender)
        and not sent.injected
        and sent.segment.ctl & ACK
        and distance(sent.segment.ack, left.segment.ack) >= 0
        and left.time - NOISE <= sent.time <= left.time + _DELAYED_ACK
        for sent in recording.sent
    )


def _out_of_order(difference: Difference, recording: Recording) -> bool:
    since = _first_out_of_order(difference.trace)
    about = difference.recorded or difference.model
    return since is not None and about is not None and about.time >= since - NOISE


def _first_out_of_order(trace: Trace) -> int | None:
    """When data or a FIN first came beyond what was expected next."""
    known: dict[str, Variables] = {}
    for step in trace.steps:
        segment, before = step.segment, known.get(step.end)
        ahead = segment and before and distance(segment.seq, before.rcv_nxt) > 0
        if step.kind is Kind.ARRIVE and segment and ahead and not segment.ctl & SYN:
            far = distance(segment.seq, add(before.rcv_nxt, 65535)) > 0 if before else True
            if not far and (segment.length or segment.ctl & FIN):
                return step.time
        if step.variables:
            known[step.end] = step.variables
    return None


TIME_WAIT_REPLACED: Final = Way(
    "time-wait-replaced",
    "a connect from the bound port of a TIME-WAIT ends it, where an OPEN is an error (§3.10.1)",
    lambda difference, recording: False,
)
"""It changes the calls, so that nothing differs afterwards."""

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
    Way(
        "out-of-order",
        "the model drops what arrives out of order and does not recover losses of data by SACK",
        _out_of_order,
        in_scope=False,
    ),
    Way(
        "delayed-ack",
        "in a dialogue Linux delays the ACK of data, which then rides on the answer (§3.8.6.3)",
        _delayed_ack,
    ),
)
