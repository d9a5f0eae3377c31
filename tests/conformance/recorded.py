"""Read a recording of two real TCPs: calls, segments, what the wire did, states, sysctls.

It knows the notation of the recordings and nothing of the model's behaviour. Times become integer
nanoseconds. What it cannot read is a BadRecording, what it has no word for an UnknownWord.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from tcpviz.scenario import ENDS, Name
from tcpviz.segment import ACK, CWR, ECE, NUMBERS, PSH, RST, SYN, Segment, bits
from tcpviz.states import State
from tcpviz.units import MS

from .shape import BadRecording, UnknownWord, check, shown
from .sysctls import check_option, checked

OPS: Final = (
    "listen",
    "connect",
    "connect returns",
    "accept",
    "send",
    "receive",
    "shutdown",
    "close",
    "kill process",
    "crash",
    "restart",
    "option",
)
_STATES: Final = {
    "CLOSE": State.CLOSED,
    "LISTEN": State.LISTEN,
    "SYN_SENT": State.SYN_SENT,
    "SYN_RECV": State.SYN_RECEIVED,
    "NEW_SYN_RECV": State.SYN_RECEIVED,
    "ESTABLISHED": State.ESTABLISHED,
    "FIN_WAIT1": State.FIN_WAIT_1,
    "FIN_WAIT2": State.FIN_WAIT_2,
    "CLOSE_WAIT": State.CLOSE_WAIT,
    "CLOSING": State.CLOSING,
    "LAST_ACK": State.LAST_ACK,
    "TIME_WAIT": State.TIME_WAIT,
}
_STALE: Final = 5 * MS
"""A dump of the sockets may be that much older than it says."""

_REQUESTS: Final = (State.SYN_RECEIVED, State.SYN_SENT)
"""The states of which the trace may tell too late, or under another port."""

Pair = tuple[str, str]
"""The four-tuple of a connection: the client's address and the server's, `10.9.1.1:40000`."""


class Call(NamedTuple):
    """A call of an application, or what befell a host; `values` are its arguments."""

    time: int
    end: Name
    op: str
    connection: int | None
    values: dict[str, Any]


class Sent(NamedTuple):
    """A segment on the wire. `left` is None for one that the wire injected.

    `seq` and `ack` are the numbers relative to the first SYN, as the recording prints them.
    """

    pair: Pair
    sender: Name
    injected: bool
    segment: Segment
    seq: int | None
    ack: int | None
    left: int | None
    arrived: tuple[int, ...]
    fate: str
    options: tuple[tuple[str, Any], ...]

    @property
    def data(self) -> bool:
        """Whether it carries octets."""
        return self.segment.length > 0

    @property
    def time(self) -> int:
        """When it was first there."""
        return self.left if self.left is not None else min(self.arrived)


class Seen(NamedTuple):
    """A state that one end of a connection entered."""

    time: int
    state: State


class Recording(NamedTuple):
    """One recording. `states` are those of each end of each connection; `last` its last instant."""

    name: str
    delay: int
    sysctls: dict[Name, dict[str, int]]
    calls: tuple[Call, ...]
    sent: tuple[Sent, ...]
    states: dict[tuple[Pair, Name], tuple[Seen, ...]]
    pairs: dict[int, Pair]
    last: int

    def crashed(self, sent: Sent) -> bool:
        """Whether it is the RST that the recorder's way of crashing a host made and lost."""
        return any(
            call.op == "crash" and call.end == sent.sender and abs(call.time - sent.time) < 5 * MS
            for call in self.calls
            if sent.segment.ctl & RST and not sent.arrived
        )


def recordings(folder: Path) -> Iterator[Recording | UnknownWord | BadRecording]:
    """The recordings in a folder, in order of name; other JSON files are passed over.

    In the place of one that cannot be read comes the error, which names the file and the field.
    """
    try:
        paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    except OSError as problem:
        raise BadRecording(f"{folder}: {problem.strerror}") from None
    if not paths:
        raise BadRecording(f"{folder}: no folder with recordings, NAME.json")
    found = False
    for path in paths:
        try:
            data = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as problem:
            found = True
            yield BadRecording(f"{path}: {problem}")
            continue
        if not isinstance(data, dict) or not {"calls", "segments"} & set(data):
            continue
        found = True
        try:
            yield read(data, path.stem)
        except UnknownWord as word:
            yield UnknownWord(f"{path.stem}: {word}")
        except BadRecording as problem:
            yield BadRecording(f"{path}: {problem}")
    if not found:
        raise BadRecording(f"{folder}: none of its JSON files is a recording")


def read(data: dict[str, Any], name: str) -> Recording:
    """One recording from its JSON; BadRecording or UnknownWord says which field is in the way."""
    check(data)
    calls = tuple(_call(f"calls[{i}]", entry) for i, entry in enumerate(data["calls"]))
    hosts: dict[str, Name] = {}
    for end in ENDS:
        hosts[data["addresses"][end].rsplit(":", 1)[0]] = end
    sent = [_sent(f"segments[{i}]", e, hosts) for i, e in enumerate(data["segments"])]
    sent.sort(key=lambda each: each.time)
    trace, poll = data.get("trace", []), data.get("poll", [])
    times = [call.time for call in calls]
    times += [time for each in sent for time in (each.time, *each.arrived)]
    times += [_ns(entry["t"]) for entry in (*trace, *poll)]
    return Recording(
        name,
        _ns(data["one_way_delay_s"]),
        {end: checked(f"sysctls.{end}", data.get("sysctls", {}).get(end, {})) for end in ENDS},
        tuple(sorted(calls, key=lambda call: call.time)),
        tuple(sent),
        _states(trace, poll),
        _pairs(calls, sent),
        max(times, default=0),
    )


def _ns(seconds: float) -> int:
    return round(seconds * 1_000_000_000)


def _call(where: str, entry: dict[str, Any]) -> Call:
    op = entry["op"]
    if op not in OPS:
        raise BadRecording(f"{where}.op: {shown(op)} is not one of {', '.join(OPS)}")
    values = {k: v for k, v in entry.items() if k not in ("t", "end", "op", "connection", "app")}
    if op == "option":
        check_option(where, values)
    if op == "shutdown" and values.get("how") not in ("WR", "RDWR"):
        raise BadRecording(f"{where}.how: {shown(values.get('how'))} is not one of WR, RDWR")
    if op == "connect" and values.get("data_in_syn"):
        raise UnknownWord(f"{where}.data_in_syn: TCP Fast Open (RFC 7413) is not in the model")
    connection = entry.get("connection")
    return Call(_ns(entry["t"]), entry["end"], op, connection, values)


def _sent(where: str, entry: dict[str, Any], hosts: dict[str, Name]) -> Sent:
    src, dst = entry["src"], entry["dst"]
    to = hosts.get(dst.rsplit(":", 1)[0])
    sender: Name = hosts.get(src.rsplit(":", 1)[0]) or ("server" if to == "client" else "client")
    if entry["from"] != "injected":
        sender = entry["from"]
    pair = (src, dst) if sender == "client" else (dst, src)
    ctl = bits(",".join(entry["flags"])) & ~(PSH | ECE | CWR)
    seq = (entry.get("seq_raw", entry["seq"]) or 0) % NUMBERS
    ack = (entry.get("ack_raw", entry["ack"]) or 0) % NUMBERS
    segment = Segment(seq, ack if ctl & ACK else 0, ctl, entry["len"])
    arrived = entry.get("t_rx_all") or ([entry["t_rx"]] if entry["t_rx"] is not None else [])
    left = entry["t_tx"]
    return Sent(
        pair,
        sender,
        entry["from"] == "injected",
        segment,
        entry["seq"],
        entry["ack"] if ctl & ACK else None,
        None if left is None else _ns(left),
        tuple(_ns(time) for time in arrived),
        entry["fate"],
        tuple((name, value) for name, value in entry.get("opts", ())),
    )


def _pairs(calls: tuple[Call, ...], sent: list[Sent]) -> dict[int, Pair]:
    """The four-tuple of each connection: the first SYN that its connect put on the wire."""
    pairs: dict[int, Pair] = {}
    taken: set[tuple[Pair, Name, int]] = set()
    for call in sorted(calls, key=lambda call: call.time):
        if call.op != "connect" or call.connection is None:
            continue
        for each in sent:
            key = (each.pair, each.sender, each.segment.seq)
            fresh = each.segment.ctl & (SYN | ACK) == SYN and not each.injected
            ours = each.sender == call.end and each.time >= call.time - 1 * MS
            if fresh and ours and key not in taken:
                taken.add(key)
                pairs.setdefault(call.connection, each.pair)
                break
    return pairs


def _states(
    trace: list[dict[str, Any]], poll: list[dict[str, Any]]
) -> dict[tuple[Pair, Name], tuple[Seen, ...]]:
    """What each end of each connection went through.

    The trace has the changes of whole sockets; the dumps are the only place where a connection
    request (SYN-RECEIVED) and a minisock (TIME-WAIT, and FIN-WAIT-2 after close()) show.
    """
    changes: dict[tuple[Pair, Name], list[tuple[int, State, State]]] = {}
    dumps: dict[tuple[Pair, Name], list[tuple[int, State | None, bool]]] = {}
    for entry in trace:
        if "newstate" not in entry or entry["dport"] == "0" or entry["sport"] == "0":
            continue
        end = entry["side"]
        local = f"{entry['saddr']}:{entry['sport']}", f"{entry['daddr']}:{entry['dport']}"
        old, new = _state(entry["oldstate"][4:]), _state(entry["newstate"][4:])
        changes.setdefault((_pair(end, *local), end), []).append((_ns(entry["t"]), old, new))
    for entry in poll:
        if entry["remote"].endswith(":0"):
            continue
        end = entry["side"]
        state = _state(entry["state"]) if entry["state"] else None
        dump = (_ns(entry["t"]), state, entry.get("timer") == "timewait")
        dumps.setdefault((_pair(end, entry["local"], entry["remote"]), end), []).append(dump)
    return {
        key: _merged(changes.get(key, []), dumps.get(key, [])) for key in sorted({*changes, *dumps})
    }


def _state(name: str) -> State:
    if name not in _STATES:
        raise UnknownWord(f"{name!r} is not a state: {', '.join(_STATES)}")
    return _STATES[name]


def _pair(end: Name, local: str, remote: str) -> Pair:
    return (local, remote) if end == "client" else (remote, local)


def _nothing(known: list[State]) -> bool:
    """Whether the trace, up to here, knows of no socket."""
    return not known or known[-1] is State.CLOSED


def _merged(
    changes: list[tuple[int, State, State]], dumps: list[tuple[int, State | None, bool]]
) -> tuple[Seen, ...]:
    """One sequence of states out of trace and dumps."""
    found: list[tuple[int, int, State]] = []
    for time, old, new in changes:
        after = [dump for dump in dumps if dump[0] >= time]
        lives_on = new is State.CLOSED and after and after[0][2]
        unseen = new is State.CLOSED and not after and old in (State.FIN_WAIT_2, State.CLOSING)
        if not lives_on and not unseen:
            found.append((time, 0, new))
    for time, state, minisock in dumps:
        known = [new for at, _, new in changes if at <= time]
        if state is None:
            recent = any(time - _STALE < at <= time for at, *_ in changes)
            if not recent or known[-1] is State.CLOSED:
                found.append((time, 1, State.CLOSED))
        elif minisock or not changes or (state in _REQUESTS and _nothing(known)):
            found.append((time, 1, state))
    sequence: list[Seen] = []
    for time, _, state in sorted(found):
        before = sequence[-1].state if sequence else State.CLOSED
        if state is not before:
            sequence.append(Seen(time, state))
    return tuple(sequence)
