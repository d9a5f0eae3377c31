"""What the sysctls of a Linux and the options of its sockets say, as rules of the model.

It knows their names, units and bounds; a setting that changes what the model would do and has no
rule here is told, never passed over.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from tcpviz.rules import LINUX, Rules
from tcpviz.units import MS, S

from .shape import BadRecording, UnknownWord, shown

NO_LIMIT: Final = 1 << 31
NEVER_AGAIN: Final = -1
"""A limit of the model below its 0, which is none at all: the first timeout gives up."""

_US: Final = 1000

BOUNDS: Final = {
    "tcp_syn_retries": (1, 127),
    "tcp_synack_retries": (0, 255),
    "tcp_syn_linear_timeouts": (0, 127),
    "tcp_retries1": (0, 255),
    "tcp_retries2": (0, NO_LIMIT),
    "tcp_orphan_retries": (0, NO_LIMIT),
    "tcp_fin_timeout": (0, NO_LIMIT),
    "tcp_keepalive_time": (0, NO_LIMIT),
    "tcp_keepalive_intvl": (1, NO_LIMIT),
    "tcp_keepalive_probes": (1, 255),
    "tcp_rfc1337": (0, 1),
    "tcp_max_tw_buckets": (0, NO_LIMIT),
    "tcp_early_retrans": (0, 4),
    "tcp_invalid_ratelimit": (0, NO_LIMIT),
    "tcp_rto_min_us": (1, NO_LIMIT),
    "tcp_rto_max_ms": (1000, 120_000),
    "tcp_max_syn_backlog": (0, NO_LIMIT),
    "tcp_syncookies": (0, 2),
    "tcp_abort_on_overflow": (0, 1),
    "somaxconn": (0, NO_LIMIT),
}
"""The sysctls that are followed, with what Linux lets them be."""

UNRULED: Final = {"tcp_syncookies": 2}
"""A value that no rule says anything of: a cookie for every SYN."""

USUAL: Final = {
    "tcp_max_orphans": None,
    "tcp_thin_linear_timeouts": 0,
    "tcp_frto": 2,
    "tcp_migrate_req": 0,
    "tcp_retrans_collapse": 1,
    "tcp_mtu_probing": 0,
    "tcp_shrink_window": 0,
    "tcp_challenge_ack_limit": NO_LIMIT - 1,
}
"""What changes something that no rule says, with the value at which it changes nothing: at any
other a recording is out of scope. None: it matters only where it runs out, by itself."""

IDLE: Final = re.compile(
    r"""
    # the calls and the wire tell what came of it
    tcp_timestamps | tcp_tw_reuse(_delay)? | tcp_base_mss | tcp_min_snd_mss | ip_local_.*
    # what a connection carries, when and how fast, and how losses of data are repaired
    | tcp_( .*congestion_control | .*rmem | .*wmem | mem | plb_.* | comp_sack_.* | pacing_.*
    | fastopen.* | ecn.* | .*ssthresh.* | .*metrics_save | .*reordering | probe_.* | .*_entries
    | adv_win_scale | app_win | autocorking | available_ulp | backlog_ack_defer | dsack | fack
    | early_demux | fwmark_accept | l3mdev_accept | limit_output_bytes | low_latency
    | min_rtt_wlen | min_tso_segs | moderate_rcvbuf | mtu_probe_floor | notsent_lowat
    | pingpong_thresh | rcvbuf_low_rtt | recovery | reflect_tos | sack | slow_start_after_idle
    | stdurg | tso_.* | window_scaling | workaround_signed_windows )
    """,
    re.VERBOSE,
)
"""What changes nothing that is compared. (A SYN that carries data is told by its call.)"""


def checked(where: str, given: dict[str, Any]) -> dict[str, int]:
    """The sysctls that are followed; the errors name the one that cannot be, or has no rule."""
    found: dict[str, int] = {}
    for full, value in given.items():
        name = re.sub(r"^net[./](ipv4|core)[./]", "", full)
        if IDLE.fullmatch(name):
            continue
        number = int(value) if re.fullmatch(r"-?\d{1,12}", str(value).strip()) else None
        if name in BOUNDS:
            least, most = BOUNDS[name]
            if number is None or not least <= number <= most:
                words = f"{shown(value)} is not a whole number from {least} to {most}"
                raise BadRecording(f"{where}.{full}: {words}")
            found[name] = number
            if number == UNRULED.get(name):
                raise UnknownWord(f"{where}.{full}: no rule says what {number} changes")
        elif name not in USUAL:
            raise UnknownWord(f"{where}.{full}: no such sysctl is known here")
        elif USUAL[name] not in (None, number):
            raise UnknownWord(f"{where}.{full}: no rule says what {shown(value)} changes")
    return found


def rules_of(sysctls: dict[str, int]) -> Rules:
    """The rules that a Linux with these sysctls follows; LINUX where it keeps the defaults."""

    def told(name: str, default: int, unit: int = 1) -> int:
        return sysctls[name] * unit if name in sysctls else default

    linear = told("tcp_syn_linear_timeouts", LINUX.linear_syn_timeouts)
    retries = told("tcp_syn_retries", LINUX.r2_syn - LINUX.linear_syn_timeouts)
    return LINUX._replace(
        linear_syn_timeouts=linear,
        r1=told("tcp_retries1", LINUX.r1),
        r2_syn=retries + linear,
        r2_syn_ack=told("tcp_synack_retries", LINUX.r2_syn_ack) or NEVER_AGAIN,
        # Data is always sent once more: the limit is a time, counted from the first time again.
        r2=told("tcp_retries2", LINUX.r2) or 1,
        r2_orphan=told("tcp_orphan_retries", 0) or LINUX.r2_orphan,
        fin_wait_2=told("tcp_fin_timeout", LINUX.fin_wait_2, S),
        time_wait_ignores_rst=bool(told("tcp_rfc1337", 0)),
        no_room_for_time_wait=told("tcp_max_tw_buckets", 1) == 0,
        tail_loss_probe=told("tcp_early_retrans", 3) >= 3,
        ack_throttle=told("tcp_invalid_ratelimit", LINUX.ack_throttle, MS),
        rto_floor=told("tcp_rto_min_us", LINUX.rto_floor, _US),
        rto_most=told("tcp_rto_max_ms", LINUX.rto_most, MS),
        keepalive_interval=told("tcp_keepalive_intvl", LINUX.keepalive_interval, S),
        keepalive_probes=told("tcp_keepalive_probes", LINUX.keepalive_probes),
    )


# -- options of sockets ----------------------------------------------------------------------------


class Option(NamedTuple):
    """A socket option: the unit of a value that names none, and what Linux lets it be."""

    unit: str
    least: int
    most: int


_FREE: Final = Option("", -NO_LIMIT, NO_LIMIT)
OPTIONS: Final = {
    "SO_LINGER": Option("_s", 0, NO_LIMIT),
    "TCP_USER_TIMEOUT": Option("_ms", 0, NO_LIMIT),
    "SO_KEEPALIVE": _FREE,
    "TCP_KEEPIDLE": Option("_s", 1, 32767),
    "TCP_KEEPINTVL": Option("_s", 1, 32767),
    "TCP_KEEPCNT": Option("", 1, 127),
    "TCP_LINGER2": Option("_s", -NO_LIMIT, NO_LIMIT),
    "TCP_SYNCNT": Option("", 1, 127),
    "TCP_NODELAY": _FREE,
    "TCP_QUICKACK": _FREE,
    "SO_REUSEADDR": _FREE,
    "SO_REUSEPORT": _FREE,
    "SO_RCVBUF": _FREE,
    "SO_SNDBUF": _FREE,
    "IP_BIND_ADDRESS_NO_PORT": _FREE,
    "IP_LOCAL_PORT_RANGE": _FREE,
}
"""The socket options that are understood."""
_UNITS: Final = {"_ns": 1, "_us": 1_000, "_ms": MS, "_s": S}
_LONGEST_LINGER2: Final = 120 * S


def check_option(where: str, values: dict[str, Any]) -> None:
    """BadRecording or UnknownWord if the model cannot follow this option."""
    name = values.get("name")
    if name not in OPTIONS:
        raise UnknownWord(f"{where}.name: {shown(name)} is not one of {', '.join(OPTIONS)}")
    unit, least, most = OPTIONS[name]
    value = option_value(values)
    scale = _UNITS.get(unit, 1)
    if not least * scale <= value <= most * scale:
        raise BadRecording(f"{where}: {name} is not from {least} to {most}{unit.replace('_', ' ')}")
    if name == "TCP_LINGER2" and value < 0:
        raise UnknownWord(f"{where}: no rule says that a TCP_LINGER2 below 0 resets FIN-WAIT-2")


def option_value(values: dict[str, Any]) -> int:
    """The value of an option: a duration in ns where it is one, else the number."""
    unit = OPTIONS[values["name"]].unit
    for key, value in values.items():
        own = next((each for each in _UNITS if key.endswith(each)), "")
        if (own or key == "value") and type(value) in (int, float):
            number: float = value * _UNITS.get(own or unit, 1)
            return round(number)
    return int(values.get("onoff", 1))


def with_options(rules: Rules, options: Iterable[dict[str, Any]]) -> Rules:
    """The rules of an end whose socket was told these options, in their order."""
    for values in options:
        name, value = values["name"], option_value(values)
        if name == "TCP_NODELAY":
            rules = rules._replace(nagle=not value)
        elif name == "TCP_LINGER2" and value:  # 0: as the sysctl says
            rules = rules._replace(fin_wait_2=min(value, _LONGEST_LINGER2))
        elif name == "TCP_KEEPINTVL":
            rules = rules._replace(keepalive_interval=value)
        elif name == "TCP_KEEPCNT":
            rules = rules._replace(keepalive_probes=value)
        elif name == "TCP_SYNCNT":
            rules = rules._replace(r2_syn=value + rules.linear_syn_timeouts)
    return rules
