"""The model against recordings of Linux: `python -m tests.conformance recordings DIR`.

Compared per four-tuple: the segments of each end in the order of leaving (flags without PSH, which
the model does not set, relative and absolute numbers, length), their order across ends and
connections, and the states of each end. Order and number of what timers send are compared, their
times are not: a kernel's timer is never early but may be late. Of two segments that leave less than
1 ms apart at different ends, either may come first.
"""

import sys
from pathlib import Path

from tcpviz.scenario import ScenarioError

from .compare import compare
from .linux_ways import TIME_WAIT_REPLACED, WAYS, Way
from .recorded import Recording, recordings
from .replay import Change, replay
from .report import Note, Result, report
from .shape import BadRecording, UnknownWord


def judge(recording: Recording, change: Change = lambda rules: rules) -> Result:
    """Run a recording in the model and compare."""
    try:
        traces, replaced = replay(recording, change)
    except ScenarioError as problem:
        return Result(recording.name, (Note(str(problem)),))
    notes = [_note("a connect ended a TIME-WAIT", TIME_WAIT_REPLACED)] if replaced else []
    for difference in compare(recording, traces):
        way = next((way for way in WAYS if way.explains(difference, recording)), None)
        notes.append(_note(str(difference), way))
    return Result(recording.name, tuple(notes))


def _note(text: str, way: Way | None) -> Note:
    """A difference, with the way of Linux that explains it."""
    return Note(text, f"{way.name}: {way.sentence}", not way.in_scope) if way else Note(text)


def run(
    folder: Path, change: Change = lambda rules: rules
) -> tuple[list[Result], list[BadRecording]]:
    """What came of each recording in a folder, and what could not be read."""
    results: list[Result] = []
    unread: list[BadRecording] = []
    for each in recordings(folder):
        if isinstance(each, BadRecording):
            unread.append(each)
        elif isinstance(each, UnknownWord):
            name, _, text = str(each).partition(": ")
            results.append(Result(name, (Note(text, "what no rule of the model follows", True),)))
        else:
            results.append(judge(each, change))
    return results, unread


def main(argv: list[str]) -> int:
    """Print one line per recording that does not simply agree, and the counts.

    What cannot be read is a line on the other channel and status 2; the rest is judged all the
    same.
    """
    if len(argv) != 1:
        print("usage: python -m tests.conformance recordings DIR", file=sys.stderr)
        return 2
    try:
        results, unread = run(Path(argv[0]))
    except BadRecording as problem:
        print(problem, file=sys.stderr)
        return 2
    for each in unread:
        print(each, file=sys.stderr)
    status = report(results)
    return 2 if unread else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
