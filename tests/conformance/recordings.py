"""The model against recordings of Linux: `python -m tests.conformance recordings DIR`.

Compared per four-tuple: the segments of each end in the order of leaving (flags without PSH, which
the model does not set, relative and absolute numbers, length), their order across ends and
connections, and the states of each end. Order and number of what timers send are compared, their
times are not: a kernel's timer is never early but may be late. Of two segments that leave less than
1 ms apart at different ends, either may come first.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from tcpviz.scenario import ScenarioError

from .compare import Difference, compare
from .linux_ways import TIME_WAIT_REPLACED, WAYS, Way
from .recorded import BadRecording, Recording, UnknownWord, recordings
from .replay import Change, replay


class Verdict(NamedTuple):
    """What came of one recording: agree, documented, out of scope or differ; and why."""

    name: str
    what: str
    reasons: tuple[str, ...] = ()


def judge(recording: Recording, change: Change = lambda rules: rules) -> Verdict:
    """Run a recording in the model and compare."""
    try:
        traces, replaced = replay(recording, change)
    except ScenarioError as problem:
        return Verdict(recording.name, "differ", (str(problem),))
    ways: list[Way] = [TIME_WAIT_REPLACED] if replaced else []
    unexplained: list[Difference] = []
    for difference in compare(recording, traces):
        way = next((way for way in WAYS if way.explains(difference, recording)), None)
        if way:
            ways.append(way)
        else:
            unexplained.append(difference)
    if unexplained:
        return Verdict(recording.name, "differ", tuple(str(each) for each in unexplained))
    reasons = tuple(dict.fromkeys(f"{way.name}: {way.sentence}" for way in ways))
    if ways:
        what = "documented" if all(way.in_scope for way in ways) else "out of scope"
        return Verdict(recording.name, what, reasons)
    return Verdict(recording.name, "agree")


def run(folder: Path, change: Change = lambda rules: rules) -> list[Verdict]:
    """The verdict on each recording in a folder."""
    verdicts: list[Verdict] = []
    for each in recordings(folder):
        if isinstance(each, UnknownWord):
            name, _, reason = str(each).partition(": ")
            verdicts.append(Verdict(name, "out of scope", (reason,)))
        else:
            verdicts.append(judge(each, change))
    return verdicts


def main(argv: list[str]) -> int:
    """Print one line per recording that does not simply agree, and the counts."""
    if len(argv) != 1:
        print("usage: python -m tests.conformance recordings DIR", file=sys.stderr)
        return 2
    try:
        verdicts = run(Path(argv[0]))
    except BadRecording as problem:
        print(problem, file=sys.stderr)
        return 2
    return report(verdicts)


def report(verdicts: list[Verdict]) -> int:
    """The lines, and the exit status."""
    for each in verdicts:
        if each.what != "agree":
            print(f"{each.name}: {each.what}: {'; '.join(each.reasons)}")
    kinds = ("agree", "documented", "out of scope", "differ")
    counts = {kind: sum(each.what == kind for each in verdicts) for kind in kinds}
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if counts["differ"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
