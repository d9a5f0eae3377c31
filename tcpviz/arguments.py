"""What the arguments of the command line may be; what one may not be is told in one line.

Must not know what they are for.
"""

import contextlib
import os
import re
from argparse import ArgumentTypeError
from fractions import Fraction
from pathlib import Path
from typing import Final

from tcpviz.units import MS, US, S

__all__ = ["file", "interval", "part", "port", "scale", "time"]

_UNITS: Final = {"ns": 1, "us": US, "ms": MS, "s": S}
_TIME: Final = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(_UNITS)})", re.ASCII)


def file(text: str) -> Path:
    """A path to write to; Path alone would forget a slash at its end, and take "" for a folder."""
    if not text:
        raise ArgumentTypeError("'' is no name of a file")
    if text.endswith(tuple(filter(None, (os.sep, os.altsep)))):
        raise ArgumentTypeError(f"{text} is a folder; name a file")
    return Path(text)


def scale(text: str) -> float:
    """A number that a PNG can be scaled by."""
    with contextlib.suppress(ValueError):
        scale = float(text)
        if 0.1 <= scale <= 20:
            return scale
    raise ArgumentTypeError(f"{text} is not a number between 0.1 and 20")


def interval(text: str) -> float:
    """Seconds from look to look."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.05 <= seconds <= 86400:
        raise ArgumentTypeError(f"{text!r} is not from 0.05 to 86400 seconds")
    return seconds


def port(text: str) -> int:
    """The number of a port."""
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise ArgumentTypeError(f"{text!r} is not a port (1 to 65535)")
    return int(text)


def part(text: str) -> str:
    """A part of Figure 5."""
    if text not in ("open", "close"):
        raise ArgumentTypeError(f"{text!r} is not open or close")
    return text


def time(text: str) -> int:
    """A time with its unit, in ns."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ArgumentTypeError(f"{text!r} is not a time such as 250ms or 1.5s")
    return round(Fraction(found[1]) * _UNITS[found[2]])
