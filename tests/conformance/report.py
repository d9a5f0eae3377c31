"""How both commands report: a line per case that differs, a last line that counts."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Verdict = Literal["agree", "documented", "out of scope", "differ"]


class Note(NamedTuple):
    """One difference: what it is, and the reason that covers it, if one does."""

    text: str
    reason: str = ""
    out_of_scope: bool = False


class Result(NamedTuple):
    """What came of one case: its name and the differences found."""

    name: str
    notes: tuple[Note, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of its differences, a difference without a reason first."""
        if any(not note.reason for note in self.notes):
            return "differ"
        if not self.notes:
            return "agree"
        return "out of scope" if all(n.out_of_scope for n in self.notes) else "documented"


def report(results: Iterable[Result]) -> int:
    """Print the report; the exit status: 1 if any case differs without a reason, else 0."""
    counts = dict.fromkeys(("agree", "documented", "out of scope", "differ"), 0)
    for result in results:
        counts[result.verdict] += 1
        if result.notes:
            notes = (n.text + (f" [{n.reason}]" if n.reason else "") for n in result.notes)
            print(f"{result.name}: {result.verdict}: {'; '.join(notes)}")
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return 1 if counts["differ"] else 0
