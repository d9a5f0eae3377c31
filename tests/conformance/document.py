"""`python -m tests.conformance document`: write what the state-event cases showed into the docs."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tcpviz.units import MS

from .host import ACTIVE_WINDOW, PASSIVE_WINDOW
from .notation import TOLERANCE, load
from .reasons import FAST_OPEN, REASONS, RETRANSMISSION
from .state_event import results

ROOT: Final = Path(__file__).parents[2]
CASES: Final = ROOT / "tests" / "data" / "state_event" / "cases.json"
DOCUMENT: Final = ROOT / "docs" / "conformance.md"
_FROM: Final = "<!-- state-event cases: written by `python -m tests.conformance document` -->"
_TO: Final = "<!-- end of the state-event cases -->"

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
- A connect or accept that blocks is left out of a case. A SYN that nothing else explains, or the
  use of the next descriptor, shows it. When a connect began is then not known: the first absolute
  time after it sets the clock.

A difference counts as documented only where one of the following reasons knows the situation, by
the end, the segment and what the model did, and where what the reason says instead is exactly what
the case asks. The case then goes on from there and the rest of its steps are compared as before.

| Reason | What the suite's TCP does, and the RFC | Given cases |
| --- | --- | --- |
{rows}
"""


def section() -> str:
    """The section of docs/conformance.md, from the given cases."""
    found = results(load(str(CASES)))
    verdicts = Counter(result.verdict for result in found)
    covers = Counter(name for r in found for name in {note.reason for note in r.notes})
    rows = {r.name: r.text for r in (*REASONS, FAST_OPEN, RETRANSMISSION)}
    return _TEXT.format(
        total=len(found),
        counts=", ".join(
            f"{verdicts[verdict]} {verdict}"
            for verdict in ("agree", "documented", "out of scope", "differ")
        ),
        active=ACTIVE_WINDOW,
        passive=PASSIVE_WINDOW,
        tolerance=TOLERANCE // MS,
        rows="\n".join(f"| {name} | {text} | {covers[name]} |" for name, text in rows.items()),
    )


def written(before: str) -> str:
    """The document with the section in its place, or at the end where it has none."""
    whole = f"{_FROM}\n{section()}{_TO}\n"
    if _FROM not in before:
        return f"{before.rstrip()}\n\n{whole}" if before.strip() else f"# Conformance\n\n{whole}"
    head, rest = before.split(_FROM, 1)
    return head + whole + rest.split(_TO, 1)[1].lstrip("\n")


def main(argv: Sequence[str]) -> int:
    """Write the document; the exit status."""
    if argv:
        print("usage: python -m tests.conformance document", file=sys.stderr)
        return 2
    before = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    DOCUMENT.write_text(written(before), encoding="utf-8")
    return 0
