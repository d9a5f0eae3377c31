"""A TCP segment as connection management sees it, its notation, and 32-bit sequence arithmetic.

RFC 9293 §3.1 (header), §3.4 (sequence numbers) and the notation of its figures. Data is an octet
count: what the octets are never matters here.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10
URG: Final = 0x20
ECE: Final = 0x40
CWR: Final = 0x80

CONTROL_BITS: Final = {
    "FIN": FIN,
    "SYN": SYN,
    "RST": RST,
    "PSH": PSH,
    "ACK": ACK,
    "URG": URG,
    "ECE": ECE,
    "CWR": CWR,
}
NUMBERS: Final = 1 << 32
"""Sequence numbers are counted modulo this (§3.4)."""

Option = tuple[str, int | bool | str | tuple[int, ...]]


def add(number: int, count: int) -> int:
    """The sequence number `count` after `number`, modulo 2**32.

    >>> add(0xFFFFFFFF, 1)
    0
    """
    return (number + count) % NUMBERS


def distance(later: int, earlier: int) -> int:
    """How far `later` is ahead of `earlier`, signed: the shorter way round (§3.4).

    >>> distance(3, 0xFFFFFFFF), distance(90, 100)
    (4, -10)
    """
    return (later - earlier + NUMBERS // 2) % NUMBERS - NUMBERS // 2


@lru_cache(maxsize=256)
def names(ctl: int) -> tuple[str, ...]:
    """The control bits that are set, by name.

    >>> names(SYN | ACK)
    ('SYN', 'ACK')
    """
    return tuple(name for name, bit in CONTROL_BITS.items() if ctl & bit)


def bits(text: str) -> int:
    """The control bits named in `text`, as CTL prints them. ValueError for any other word.

    >>> bits("SYN,ACK") == SYN | ACK
    True
    """
    try:
        return sum({CONTROL_BITS[name] for name in text.split(",") if name})
    except KeyError as unknown:
        raise ValueError(
            f"unknown control bit {unknown}: expected one of {', '.join(CONTROL_BITS)}"
        ) from None


class Segment(NamedTuple):
    """One segment: SEG.SEQ, SEG.ACK (meaningful with the ACK bit), control bits, octets of data.

    Prints in the notation of RFC 9293's figures. `options` are (name, value) pairs in header
    order; `window` is the field as sent, unscaled. `incarnation` is not in the header: it tells
    which of its sender's connections, from 0, a simulated segment belongs to.

    >>> print(Segment(300, 101, SYN | ACK))
    <SEQ=300><ACK=101><CTL=SYN,ACK>
    """

    seq: int
    ack: int = 0
    ctl: int = 0
    length: int = 0
    window: int = 65535
    options: tuple[Option, ...] = ()
    incarnation: int = 0

    @property
    def span(self) -> int:
        """SEG.LEN: the sequence numbers it occupies, SYN and FIN counting one each (§3.4)."""
        return self.length + bool(self.ctl & SYN) + bool(self.ctl & FIN)

    @property
    def control(self) -> str:
        """The control bits as CTL prints them, `SYN,ACK`."""
        return ",".join(names(self.ctl))

    def __str__(self) -> str:
        return self.notation()

    def notation(self, seq_from: int = 0, ack_from: int = 0) -> str:
        """The segment in the notation of the RFC's figures, numbers counted from these two.

        >>> Segment(101, 301, ACK, length=5).notation(100, 300)
        '<SEQ=1><ACK=1><CTL=ACK><DATA=5>'
        """
        seq = relative(self.seq, seq_from)
        ack = f"<ACK={relative(self.ack, ack_from)}>" if self.ctl & ACK else ""
        data = f"<DATA={self.length}>" if self.length else ""
        return f"<SEQ={seq}>{ack}<CTL={self.control}>{data}"

    @classmethod
    def parse(cls, text: str) -> "Segment":
        """Read the notation back. ValueError says what could not be read.

        >>> Segment.parse("<SEQ=100><CTL=SYN>")
        Segment(seq=100, ack=0, ctl=2, length=0, window=65535, options=(), incarnation=0)
        """
        found = _NOTATION.fullmatch(text.replace(" ", ""))
        if not found:
            raise ValueError(f"not a segment in RFC notation, <SEQ=100><ACK=301><CTL=ACK>: {text}")
        ctl = bits(found["ctl"])
        if bool(ctl & ACK) != bool(found["ack"]):
            raise ValueError(f"<ACK=...> goes with the ACK bit in <CTL=...>: {text}")
        seq, ack = int(found["seq"]), int(found["ack"] or 0)
        if max(seq, ack) >= NUMBERS:
            raise ValueError(f"a sequence number has 32 bits: {text}")
        return cls(seq, ack, ctl, int(found["data"] or 0))


_NOTATION: Final = re.compile(
    r"<SEQ=(?P<seq>\d+)>(<ACK=(?P<ack>\d+)>)?<CTL=(?P<ctl>[A-Z,]+)>(<DATA=(?P<data>\d+)>)?"
)


def relative(number: int, base: int) -> int:
    """`number` counted from `base`, as pictures print it.

    A number a little before the base is an old one and comes out negative; everything else counts
    forward, so that a long transfer never turns negative.

    >>> relative(301, 300), relative(90, 100), relative(5, 0xFFFFFFFF)
    (1, -10, 6)
    """
    forward = (number - base) % NUMBERS
    return forward - NUMBERS if base and forward >= NUMBERS - _OLD else forward


_OLD: Final = 1 << 24
