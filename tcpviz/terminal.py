"""What a terminal can be shown: text without control characters, and how far long work is.

Must not know what the text says or what the work is.
"""

import sys
import time
from typing import Self


def printable(line: str) -> str:
    r"""The line with escapes for what a terminal would obey, or could not show.

    >>> print(printable("a title that \x1b[2J clears the screen"))
    a title that \x1b[2J clears the screen
    """
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )


class Progress:
    """How far long work is, on standard error: one line that changes, or a new one now and then.

    Work that is done within a second passes without a word.
    """

    def __init__(self, doing: str) -> None:
        self.doing = printable(doing)
        self.terminal = sys.stderr is not None and sys.stderr.isatty()
        self.due = time.monotonic() + 1
        self.width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.terminal and self.width:
            print(f"\r{' ' * self.width}\r", end="", file=sys.stderr, flush=True)

    def __call__(self, done: int, size: int | None) -> None:
        """Take note of octets (or, with a size, of anything) done, and perhaps tell of them."""
        if sys.stderr is None or time.monotonic() < self.due:
            return
        self.due = time.monotonic() + (0.2 if self.terminal else 5)
        far = f"{min(done / size, 1):.0%}" if size else f"{done >> 20} MiB"
        line = f"tcpviz: {self.doing}: {far}"
        self.width = len(line)
        start, end = ("\r", "") if self.terminal else ("", "\n")
        print(f"{start}{line}", end=end, file=sys.stderr, flush=True)
