"""TCP options as a handshake agrees on them (RFC 9293 §3.2, §3.7.1; RFC 7323, RFC 2018).

It knows the four kinds that matter here, and values that their fields can hold; no state, no time.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from tcpviz.segment import NUMBERS, Option, Segment

DEFAULT_MSS: Final = 536


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _stamps(value: Any) -> bool:
    pair = isinstance(value, tuple) and len(value) == 2
    return pair and all(_whole(each, 0, NUMBERS - 1) for each in value)


_KINDS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "MSS": (lambda mss: _whole(mss, 1, 65535), "1 to 65535 octets"),
    "WS": (lambda shift: _whole(shift, 0, 14), "a shift of 0 to 14"),
    "SACK-permitted": (lambda value: value is True, "True"),
    "TS": (_stamps, "two numbers of 32 bits"),
}


def complaint(options: Iterable[Any]) -> str:
    """What is wrong with the first option that cannot be offered, and where; or nothing.

    >>> complaint([("MSS", 1460), ("WS", 15)])
    '[1].WS: 15 is not a shift of 0 to 14'
    """
    seen: set[str] = set()
    for index, option in enumerate(options):
        pair = isinstance(option, tuple) and len(option) == 2 and isinstance(option[0], str)
        if not pair:
            return f"[{index}]: {option!r} is not an option, a name with a value"
        name, value = option
        if name not in _KINDS or name in seen:
            return f"[{index}]: {name!r} is not one of {', '.join(_KINDS)}, each once"
        seen.add(name)
        fine, wanted = _KINDS[name]
        if not fine(value):
            return f"[{index}].{name}: {value!r} is not {wanted}"
    return ""


def agreed(ours: tuple[Option, ...], theirs: tuple[Option, ...]) -> tuple[Option, ...]:
    """What a SYN,ACK may offer: our MSS, and of the rest what the peer offered too."""
    names = {"MSS"} | {name for name, _ in theirs}
    return tuple(option for option in ours if option[0] in names)


def mss_of(syn: Segment) -> int:
    """The largest segment that the sender of this SYN takes; 536 if it does not say (§3.7.1)."""
    offered = (value for name, value in syn.options if name == "MSS")
    return next((value for value in offered if isinstance(value, int) and value > 0), DEFAULT_MSS)
