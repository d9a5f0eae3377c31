"""How wide text is, and where a line of it ends.

Knows the widths of Helvetica. Must not know how anything is drawn. Measures are points.
"""

import textwrap
import unicodedata
from functools import lru_cache
from typing import Final, Literal

Face = Literal["", "bold", "italic"]


class _Widths(dict[str, float]):
    """How wide a character is, in sizes."""

    def __missing__(self, char: str) -> float:
        return 1.0 if unicodedata.east_asian_width(char) in "WF" else 0.7


_WIDTHS: Final = _Widths(
    {
        char: width
        for width, chars in {
            0.222: "ijl'",
            0.278: " !,./:;I[]\\ft",
            0.333: "()-`r|{}",
            0.389: '*"^',
            0.5: "ckszvxyJ",
            0.556: "0123456789abdeghnopqu#$?_L",
            0.611: "FTZ+<=>~",
            0.667: "&ABEKPSVXY",
            0.722: "wCDHNRU",
            0.778: "GOQ",
            0.833: "Mm",
            1.0: "W%@",
        }.items()
        for char in chars
    }
)
_WIDER: Final = {"": 1.0, "bold": 1.07, "italic": 1.12}  # often another family stands in
_SLACK: Final = 1.06  # a reader's font may be a little wider than Helvetica
LINE: Final = 1.2  # the height of a line, in sizes


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, face: Face = "") -> float:
    """About how wide a line is in Helvetica or a font of its widths, in pt, with some slack.

    >>> round(text_width("SYN,ACK", 10))
    47
    """
    return sum(map(_WIDTHS.__getitem__, text)) * size * _SLACK * _WIDER[face]


def wrapped(text: str, width: float, size: float) -> list[str]:
    """The text in lines of at most this width; no text is one empty line.

    >>> wrapped("error: connection reset", 100, 10)
    ['error: connection', 'reset']
    >>> wrapped("half-duplex CLOSE", 50, 9.5), wrapped("half-duplex CLOSE", 45, 9.5)
    (['half-duplex', 'CLOSE'], ['half-', 'duplex', 'CLOSE'])
    """
    if text == " ".join(text.split()) and text_width(text, size) <= width:
        return [text]
    letters = len(text)
    words = text.split()
    hyphens = any(text_width(word, size) > width for word in words)
    longest = 0 if hyphens else max(map(len, words), default=0)
    while True:
        lines = textwrap.wrap(text, max(letters, 1), break_on_hyphens=hyphens) or [""]
        widest = max(text_width(line, size) for line in lines)
        if widest <= width or letters <= 1:
            return lines
        less = int(letters * width / widest)
        letters = max(less, longest) if letters > longest else less


def shortened(text: str, width: float, size: float, face: Face = "") -> str:
    """The text, cut where it would be wider than that.

    >>> shortened("connection reset", 50, 10)
    'connecti…'
    """
    if text_width(text, size, face) <= width:
        return text
    while text and text_width(text + "…", size, face) > width:
        text = text[:-1].rstrip()
    return text + "…"
