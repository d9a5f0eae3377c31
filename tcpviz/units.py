"""Time as tcpviz keeps it: integer nanoseconds, written with units and printed in ms and s."""

from functools import lru_cache
from typing import Final

US: Final = 1_000
MS: Final = 1_000_000
S: Final = 1_000_000_000
MIN: Final = 60 * S


@lru_cache(maxsize=4096)
def readable(time: int, decimals: int = 3) -> str:
    """A time or duration in nanoseconds as a person reads it: ms below one second, else s.

    Rounded to `decimals` places; zeros at the end are dropped, so that whole numbers stay whole.

    >>> readable(50 * MS), readable(1050 * MS), readable(60 * S), readable(150_387)
    ('50 ms', '1.05 s', '60 s', '0.15 ms')
    """
    unit, name = (MS, "ms") if abs(round(time / MS, decimals)) < 1000 else (S, "s")
    number = f"{time / unit:.{decimals}f}"
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{'0' if number == '-0' else number} {name}"
