"""What the cases and the recordings showed, in words: the sections of docs/conformance.md."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

from tcpviz.units import MS

from .host import ACTIVE_WINDOW, PASSIVE_WINDOW
from .linux_ways import TIME_WAIT_REPLACED, WAYS
from .notation import TOLERANCE, load
from .reasons import FAST_OPEN, REASONS, RETRANSMISSION
from .recordings import run
from .report import Result, Verdict
from .shape import BULK
from .state_event import results
from .sysctls import BOUNDS

ROOT: Final = Path(__file__).parents[2]
DATA: Final = ROOT / "tests" / "data"
CASES: Final = DATA / "state_event" / "cases.json"

_TEXT: Final = """\
## State-event cases

    python -m tests.conformance state_event tests/data/state_event/cases.json

Each case puts one end into a state by calls and segments, gives it a stimulus, and says what it
must answer and what its socket must then show. The given {total} cases are facts derived from the
TCP test suite of FreeBSD. Result: {counts}.

How a case is read:

- `mode` rfc793 is the model with the rule `challenge_acks` off. `variant` FreeBSD is the model with
  `time_wait_ignores_rst` and `reopen_from_time_wait`. Everything else runs with RFC 9293's rules.
- A listener stays beside its children, as with sockets. `close` is the half-duplex CLOSE,
  `shutdown` of the sending side is the RFC's CLOSE.
- SO_ERROR shows the RFC's user errors: "connection reset" is ECONNRESET, "connection refused" is
  ECONNREFUSED, and so is a reset in SYN-SENT, where sockets call it so; a user timeout or R2 is
  ETIMEDOUT.
- The receive window, which the notation leaves out, is {active} octets after an active OPEN and
  {passive} after a passive one: there lie the right edges that the stimuli aim at.
- A segment must leave within {tolerance} ms of its time, the suite's own tolerance, and whatever
  leaves unasked is a difference, after the last step too.
- A connect or accept that blocks is left out of a case. A SYN that nothing else explains, its time
  counted from the step before, or the use of the next descriptor, shows it. When a connect began is
  then not known: the first absolute time after it sets the clock.
- The end must have been in the state that the case is about.

A difference counts as documented only where one of the following reasons knows the situation, by
the end, the segment and what the model did, and where what the reason says instead is exactly what
the case asks. The case then goes on from there and the rest of its steps are compared as before.

| Reason | What the suite's TCP does, and the RFC | Given cases |
| --- | --- | --- |
{rows}
"""


_RECORDINGS: Final = """\
## Recordings of Linux

    python -m tests.conformance recordings tests/data/recordings

A recording holds what two Linux 6.18 did: calls, segments, what the wire did to them, states,
sysctls. The model's two ends, with the rules that the sysctls and socket options imply, are given
the same calls and the same wire; what they send and which states they enter is compared. Result
for the given {total} recordings: {counts}; for {more} others, of what these do not show: {others}.

How a recording is read:

- What is input: calls, ISNs, which segment was lost, late, doubled or injected (named as the nth of
  its kind of an end), and the one-way delay: as written, unless the fastest segment shows another.
- What is compared: each segment's end, flags (without PSH), numbers and length, the order of
  segments, and the states of each end. Of what timers do, order and number are compared, times are
  not: a kernel's timer is never early but may be late.
- Sysctls that are followed: {sysctls}. Of an option, a call that failed changes nothing. A setting
  that no rule follows puts the recording out of scope, in one line that names it; one that changes
  nothing that is compared does not. So does a send of more than {bulk:,} octets: there is no send
  window in the model.
- Every field is checked first. What cannot be is one line that names the file and the field; the
  other recordings are judged all the same, and the exit status is 2.

A difference counts as documented only where one of the following ways knows the situation.

| Way | What Linux or the recorder does | covers | Given and other recordings |
| --- | --- | --- | --- |
{ways}
"""

_COVERS: Final = {
    TIME_WAIT_REPLACED.name: "the connect, which otherwise would be an error",
    "reset-of-crash": "a RST that never arrived, at SND.NXT and without data, within 5 ms of the"
    " crash",
    "through-fin-wait-2": "FIN-WAIT-2, within 5 ms of the segment that leads the model from"
    " FIN-WAIT-1 straight to TIME-WAIT",
    "out-of-order": "bare ACKs and what is sent again, once something came early; out of scope,"
    " as the timing of data's retransmission is",
    "delayed-ack": "a bare ACK of data in the model, where the end has sent data within 40 ms of"
    " data that came, and the ACK then rides on data or a FIN, covers more, or is 40 ms late",
}
"""What a difference must be, for each way, in words."""


def recordings_section() -> str:
    """The section of docs/conformance.md about recordings, from those in tests/data."""
    given, more = (run(DATA / folder)[0] for folder in ("recordings", "recordings_more"))
    covers = Counter(
        name
        for result in (*given, *more)
        for name in {note.reason.partition(":")[0] for note in result.notes}
    )
    ways = (
        f"| {way.name} | {way.sentence} | {_COVERS[way.name]} | {covers[way.name]} |"
        for way in (TIME_WAIT_REPLACED, *WAYS)
    )
    return _RECORDINGS.format(
        total=len(given),
        counts=_counted(given),
        more=len(more),
        others=_counted(more),
        sysctls=", ".join(f"`{name}`" for name in BOUNDS),
        bulk=BULK,
        ways="\n".join(ways),
    )


def _counted(found: Sequence[Result]) -> str:
    verdicts = Counter(result.verdict for result in found)
    return ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in get_args(Verdict))


def section() -> str:
    """The section of docs/conformance.md, from the given cases."""
    found = results(load(str(CASES)))
    covers = Counter(name for r in found for name in {note.reason for note in r.notes})
    rows = {r.name: r.text for r in (*REASONS, FAST_OPEN, RETRANSMISSION)}
    return _TEXT.format(
        total=len(found),
        counts=_counted(found),
        active=ACTIVE_WINDOW,
        passive=PASSIVE_WINDOW,
        tolerance=TOLERANCE // MS,
        rows="\n".join(f"| {name} | {text} | {covers[name]} |" for name, text in rows.items()),
    )
