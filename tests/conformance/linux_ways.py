"""Ways of Linux in which a recording may part from the model, each decided by the situation.

A way is a sentence and a predicate on one difference; it knows no recording by name.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from tcpviz.segment import ACK, FIN, RST, SYN, add, distance
from tcpviz.states import Event, State
from tcpviz.steps import Kind, Variables
from tcpviz.trace import Trace
from tcpviz.units import MS

from .compare import NOISE, Difference, Left
from .recorded import Recording, Seen, Sent

_DELAYED_ACK: Final = 200 * MS
"""No ACK waits longer (TCP_DELACK_MAX)."""
_ATO: Final = 40 * MS
"""How long an ACK waits at first (TCP_ATO_MIN)."""


class Way(NamedTuple):
    """A named way of Linux or of the recorder, and whether it explains a difference.

    A difference that is not about managing the connection puts the recording out of scope.
    """

    name: str
    sentence: str
    explains: Callable[[Difference, Recording], bool]
    in_scope: bool = True


def _reset_of_crash(difference: Difference, recording: Recording) -> bool:
    """Exactly the RST that an ABORT would send there and then, which never arrived."""
    sent = difference.recorded
    if not isinstance(sent, Sent) or not recording.crashed(sent):
        return False
    known = [
        step.variables
        for step in difference.trace.steps
        if step.end == difference.end and step.variables and step.time < sent.time + NOISE
    ]
    segment = sent.segment
    if not known or segment.ctl & ~ACK != RST or segment.length:
        return False
    acked = not segment.ctl & ACK or segment.ack == known[-1].rcv_nxt
    return segment.seq == known[-1].snd_nxt and acked


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
    """An ACK of data and nothing else, at an end that has begun to answer data with data.

    Linux sends the first ACKs at once. It delays them after it has sent data within 40 ms of data
    that came (ping-pong mode): until data or a FIN takes them along, more data comes, or 40 ms.
    """
    left = difference.model
    if difference.kind != "segment" or not isinstance(left, Left):
        return False
    cause = left.cause.segment
    if left.segment.ctl != ACK or left.segment.length or not cause or not cause.length:
        return False
    ours = [s for s in recording.sent if s.pair == left.pair and not s.injected]
    mine = [s for s in ours if s.sender == left.sender]
    came = [min(s.arrived) for s in ours if s.sender != left.sender and s.arrived and s.data]
    talks = any(
        sent.data and sent.time < left.time and any(0 <= sent.time - at < _ATO for at in came)
        for sent in mine
    )
    return talks and any(
        left.time - NOISE <= sent.time <= left.time + _DELAYED_ACK
        and sent.segment.ctl & ACK
        and (
            distance(sent.segment.ack, left.segment.ack) > 0
            or (sent.segment.ack == left.segment.ack and _rides(sent, left))
        )
        for sent in mine
    )


def _rides(sent: Sent, left: Left) -> bool:
    """Whether a segment takes an ACK along, or is that ACK when its time had come."""
    return bool(sent.segment.span) or sent.time >= left.time + _ATO - NOISE


def _out_of_order(difference: Difference, recording: Recording) -> bool:
    """Bare ACKs and what is sent again, while something that came early waits for what is missing.

    Nothing that opens or resets a connection, nothing new, and no state.
    """
    since = _first_out_of_order(difference.trace)
    about = difference.recorded or difference.model
    if since is None or not isinstance(about, (Sent, Left)) or about.time < since - NOISE:
        return False
    if about.segment.ctl & (SYN | RST) or difference.kind != "segment":
        return False
    known = [
        (step.end, step.variables)
        for step in difference.trace.steps
        if step.variables and step.time <= about.time
    ]
    sent = [v.snd_nxt for end, v in known if end == difference.end]
    received = [v.snd_nxt for end, v in known if end != difference.end]
    if not sent or not received:
        return False
    new = distance(add(about.segment.seq, about.segment.span), sent[-1]) > 0
    return not new and distance(about.segment.ack, received[-1]) <= 0


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
        "the recorder crashes a host by ending its sockets and loses the RST at SND.NXT",
        _reset_of_crash,
    ),
    Way(
        "through-fin-wait-2",
        "Linux goes through FIN-WAIT-2 when one segment is FIN and ACK of FIN",
        _through_fin_wait_2,
    ),
    Way(
        "out-of-order",
        "the model drops what arrives out of order: ACKs and what is sent again differ until then",
        _out_of_order,
        in_scope=False,
    ),
    Way(
        "delayed-ack",
        "an end that has answered data with data delays its ACKs, for a ride (§3.8.6.3)",
        _delayed_ack,
    ),
)
