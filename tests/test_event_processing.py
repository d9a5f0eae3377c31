"""RFC 9293 §3.10 line by line: each event in each state, from a data file.

The file says what is sent, which state follows, which numbers change, what the user is told and
what the timers do. The user of the model is told of errors and of trouble; that a connection is
open, that the peer is closing and that data is there a Step shows by its state and its variables.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_endpoint import MAKERS, syn_received, syn_received_active

from tcpviz.endpoint import Endpoint, Outcome
from tcpviz.rules import RFC9293
from tcpviz.segment import Segment, add
from tcpviz.states import Event, State
from tcpviz.steps import Timer
from tcpviz.units import S

EVENTS = json.loads((Path(__file__).parent / "data" / "event_processing.json").read_text())[
    "events"
]
NOW = 5 * S
OCTETS = 10
WINDOW = 65535

OUT_OF_SCOPE = {
    "OPEN-2": "a scenario has two ends, so the peer is always given",
    "OPEN-5": "a scenario has two ends, so the peer is always given",
    "SEND-3": "a scenario has two ends, so the peer is always given",
    "STATUS-1": "there is no STATUS call: every Step carries the state",
    "STATUS-2": "there is no STATUS call: every Step carries the state",
    "SEG-ACK-ok/FIN-WAIT-2": "cannot be: in FIN-WAIT-2 everything sent is acknowledged",
    "SEG-FIN-drop/CLOSED": "cannot be: §3.10.7.1 has answered it before the eighth check",
}
"""Entries that are not run, by their id or what it begins with, and why."""

ANSWERED_BEFORE = {"SEG-TEXT-ignored/TIME-WAIT": "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>"}
"""The fifth check acknowledges what occupies numbers (I-12) before the seventh ignores its text."""

Build = Callable[[Endpoint], list[str]]
SEGMENTS: dict[str, Build] = {
    "RST": lambda e: ["<SEQ=7><CTL=RST>", "<SEQ=7><ACK=9><CTL=RST,ACK>"],
    "neither RST nor ACK": lambda e: ["<SEQ=7><CTL=SYN>", "<SEQ=7><CTL=FIN><DATA=5>"],
    "ACK, no RST": lambda e: ["<SEQ=7><ACK=9><CTL=ACK>", "<SEQ=7><ACK=9><CTL=SYN,ACK>"],
    "SYN alone": lambda e: ["<SEQ=300><CTL=SYN>", "<SEQ=0><CTL=SYN>", "<SEQ=300><CTL=SYN><DATA=5>"],
    "no RST, ACK or SYN": lambda e: ["<SEQ=7><CTL=FIN>", "<SEQ=7><CTL=PSH><DATA=5>"],
    "ACK of what was not sent": lambda e: [
        f"<SEQ={_seq(e)}><ACK={ack}><CTL={ctl}>"
        for ack in (e.iss - 1, e.iss, e.snd_nxt + 1)
        for ctl in (["SYN,ACK", "ACK"] if e.state is State.SYN_SENT else ["ACK", "FIN,ACK"])
    ],
    "RST with an ACK of what was not sent": lambda e: [
        f"<SEQ=300><ACK={ack}><CTL=RST,ACK>" for ack in (e.iss, e.snd_nxt + 1)
    ],
    "RST that acknowledges the SYN": lambda e: [f"<SEQ=0><ACK={e.snd_nxt}><CTL=RST,ACK>"],
    "RST without ACK": lambda e: ["<SEQ=0><CTL=RST>", "<SEQ=300><CTL=RST>"],
    "SYN,ACK": lambda e: [f"<SEQ=300><ACK={e.snd_nxt}><CTL=SYN,ACK>"],
    "neither SYN nor RST": lambda e: [f"<SEQ=300><ACK={e.snd_nxt}><CTL=ACK>", "<SEQ=3><CTL=FIN>"],
    "outside the window, no RST": lambda e: [
        f"<SEQ={e.rcv_nxt - 1}><ACK={e.snd_una}><CTL=ACK>",
        f"<SEQ={e.rcv_nxt - 5}><ACK={e.snd_una}><CTL=ACK><DATA=5>",
        f"<SEQ={e.rcv_nxt + WINDOW}><ACK={e.snd_una}><CTL=ACK><DATA=5>",
        f"<SEQ={e.rcv_nxt + WINDOW}><CTL=SYN>",
    ],
    "outside the window, RST": lambda e: [
        f"<SEQ={seq}><CTL=RST>" for seq in (e.rcv_nxt - 1, e.rcv_nxt + WINDOW)
    ],
    "RST in the window beside RCV.NXT": lambda e: [
        f"<SEQ={seq}><CTL=RST>" for seq in (e.rcv_nxt + 1, e.rcv_nxt + WINDOW - 1)
    ],
    "RST at RCV.NXT": lambda e: [
        f"<SEQ={e.rcv_nxt}><CTL=RST>",
        f"<SEQ={e.rcv_nxt}><ACK=7><CTL=RST,ACK>",
        f"<SEQ={e.rcv_nxt}><CTL=RST><DATA=5>",  # SHLD-2: a RST may carry data
    ],
    "SYN in the window": lambda e: [
        f"<SEQ={e.rcv_nxt}><CTL=SYN>",
        f"<SEQ={e.rcv_nxt + 5}><ACK={e.snd_nxt}><CTL=SYN,ACK>",
    ],
    "SYN beyond RCV.NXT, MAY-2": lambda e: [
        f"<SEQ={e.rcv_nxt + more}><CTL=SYN>" for more in (0, 5, WINDOW, 1 << 30)
    ],
    "no ACK": lambda e: [f"<SEQ={e.rcv_nxt}><CTL=FIN>", f"<SEQ={e.rcv_nxt}><CTL=PSH><DATA=5>"],
    "ACK of the SYN": lambda e: [f"<SEQ={e.rcv_nxt}><ACK={e.snd_nxt}><CTL=ACK>"],
    "ACK beyond SND.NXT": lambda e: [
        f"<SEQ={e.rcv_nxt}><ACK={e.snd_nxt + more}><CTL=ACK><DATA=5>" for more in (1, 5000)
    ],
    "ACK of data": lambda e: [f"<SEQ={e.rcv_nxt}><ACK={e.snd_una + OCTETS}><CTL=ACK>"],
    "ACK of the FIN": lambda e: [f"<SEQ={e.rcv_nxt}><ACK={e.snd_nxt}><CTL=ACK>"],
    "ACK of nothing new": lambda e: [f"<SEQ={e.rcv_nxt}><ACK={e.snd_nxt}><CTL=ACK>"],
    "the FIN again": lambda e: [f"<SEQ={e.rcv_nxt - 1}><ACK={e.snd_una}><CTL=FIN,ACK>"],
    "text": lambda e: [f"<SEQ={e.rcv_nxt}><ACK={e.snd_una}><CTL=ACK><DATA=5>"],
    "FIN alone": lambda e: ["<SEQ=7><CTL=FIN>"],
    "FIN": lambda e: [f"<SEQ={e.rcv_nxt}><ACK={_una(e)}><CTL=FIN,ACK>"],
    "FIN with an ACK of the FIN": lambda e: [f"<SEQ={e.rcv_nxt}><ACK={e.snd_nxt}><CTL=FIN,ACK>"],
}


def _seq(end: Endpoint) -> int:
    return end.rcv_nxt or 300


def _una(end: Endpoint) -> int:
    """An ACK that leaves our FIN unacknowledged, but not our SYN."""
    return end.snd_nxt if end.state is State.SYN_RECEIVED else end.snd_una


def _before(entry: dict[str, Any]) -> Endpoint:
    """An end in the entry's state, as its condition wants it."""
    state, when = State(entry["state"]), entry["when"]
    if state is State.SYN_RECEIVED:
        end = (syn_received_active if "actively" in when else syn_received)()
    elif when == "ACK of data" or (entry["event"] == "Timeout=RTO" and state in _QUIET):
        end = _with_data(state)
    elif when == "data on hand":
        patient = MAKERS[State.ESTABLISHED]()
        patient = patient._replace(settings=patient.settings._replace(reads=False))
        end = _arrive(patient, "<SEQ=301><ACK=101><CTL=ACK><DATA=5>").end
        end = _arrive(end, "<SEQ=306><ACK=101><CTL=FIN,ACK>").end
    else:
        end = MAKERS[state]()
    if when == "data to send":
        end = end.call(Event.SEND, 0, OCTETS).end
    if "MAY-2" in when:
        rules = RFC9293._replace(reopen_from_time_wait=True)
        end = end._replace(settings=end.settings._replace(rules=rules))
    assert end.state is state
    return end


_QUIET = (State.ESTABLISHED, State.CLOSE_WAIT)


def _with_data(state: State) -> Endpoint:
    """An end in this state whose data is not acknowledged yet."""
    end = MAKERS[State.CLOSE_WAIT if state is State.CLOSE_WAIT else State.ESTABLISHED]()
    end = end.call(Event.SEND, 0, OCTETS).end
    if state not in _QUIET:
        end = end.call(Event.CLOSE, 0).end
    if state is State.CLOSING:
        end = _arrive(end, f"<SEQ={end.rcv_nxt}><ACK={end.snd_una}><CTL=FIN,ACK>").end
    return end


def _arrive(end: Endpoint, text: str, now: int = 0) -> Outcome:
    return end.arrive(Segment.parse(text), now)


def _outcomes(entry: dict[str, Any], end: Endpoint) -> list[tuple[Segment | None, Outcome]]:
    """What comes of each stimulus that fits the entry."""
    event, when = entry["event"], entry["when"]
    if event == "SEGMENT ARRIVES":
        texts = SEGMENTS[re.sub(r", opened \w+", "", when)](end)
        return [(Segment.parse(text), _arrive(end, text, NOW)) for text in texts]
    if event.startswith("Timeout="):
        (timer,) = (t for t in end.deadlines if t.name == event.removeprefix("Timeout="))
        return [(None, end.expire(timer, NOW))]
    octets = OCTETS if event == "SEND" else 0
    return [(None, end.call(Event(event), NOW, octets))]


def _number(text: str, end: Endpoint, after: Endpoint, segment: Segment | None) -> int:
    """The value of `RCV.NXT+1` and the like, before the event; an ISS is chosen in it."""
    known = {
        "ISS": after.iss,
        "SND.NXT": end.snd_nxt,
        "RCV.NXT": end.rcv_nxt,
        "LEN": OCTETS,
        "SEG.SEQ": segment.seq if segment else 0,
        "SEG.ACK": segment.ack if segment else 0,
        "SEG.LEN": segment.span if segment else 0,
    }
    value = 0
    for part in text.split("+"):
        value = add(value, known[part] if part in known else int(part))
    return value


def _sent(template: str, end: Endpoint, after: Endpoint, segment: Segment | None) -> str:
    """The segment that a template means; RCV.NXT is what it is when the segment leaves."""
    template = template.replace("RCV.NXT", str(after.rcv_nxt))
    return re.sub(
        r"=([A-Z.]+(\+[A-Z.0-9]+)*)(?=>)",
        lambda m: (
            m[0]
            if "CTL" in template[m.start() - 3 : m.start()]
            else f"={_number(m[1], end, after, segment)}"
        ),
        template,
    )


def _check_timers(wanted: str, end: Endpoint, after: Endpoint) -> None:
    named = {timer.name: timer for timer in after.deadlines}
    if wanted == "none":
        assert named == {}
    elif wanted in ("", "RTO goes on"):
        assert after.deadlines == end.deadlines
    elif wanted == "RTO starts":
        assert after.deadlines == (Timer("RTO", NOW, NOW + after.settings.rto),)
    elif wanted == "2MSL starts":
        assert after.deadlines == (Timer("2MSL", NOW, NOW + 2 * after.settings.msl),)
    elif wanted == "RTO doubles":
        assert named["RTO"] == Timer("RTO", NOW, NOW + 2 * end.rto)
    else:
        assert wanted == "RTO restarts or stops"
        assert ("RTO" in named) == bool(after.unacked)
        assert all(timer.since == NOW for timer in named.values())


def _why_not(entry: dict[str, Any]) -> str:
    keys = (entry["id"], entry["id"].split("/")[0])
    return next((OUT_OF_SCOPE[key] for key in keys if key in OUT_OF_SCOPE), "")


RUN = [entry for entry in EVENTS if not _why_not(entry)]


@pytest.mark.parametrize("entry", RUN, ids=lambda entry: entry["id"])
def test_the_event_does_what_the_standard_says(entry: dict[str, Any]) -> None:
    """The answer, the next state, the numbers, the word to the user and the timers."""
    end = _before(entry)
    outcomes = _outcomes(entry, end)
    assert outcomes
    for segment, outcome in outcomes:
        after = outcome.end
        assert after.state == entry["next"], segment
        template = ANSWERED_BEFORE.get(entry["id"], entry["send"])
        if template == "oldest":
            assert [s.seq for s in outcome.sent] == [end.unacked[0].seq]
            assert outcome.sent[0].span == end.unacked[0].span
        else:
            wanted = [_sent(template, end, after, segment)] if template else []
            assert [str(s) for s in outcome.sent] == wanted, segment
        told = entry["user"] if entry["user"].startswith("error") else ""
        assert outcome.says == told
        if after.variables:
            changed = {
                name: _number(text, end, after, segment) for name, text in entry["numbers"].items()
            }
            found = dict(zip(("SND.UNA", "SND.NXT", "RCV.NXT"), after.variables, strict=True))
            kept = {"SND.UNA": end.snd_una, "SND.NXT": end.snd_nxt, "RCV.NXT": end.rcv_nxt}
            assert found == {**kept, **changed}, segment
        _check_timers(entry["timers"], end, after)


def test_what_is_out_of_scope_is_named_and_little() -> None:
    """Every reason belongs to an entry; a line of §3.10 that is not run is on the list."""
    out = [entry for entry in EVENTS if _why_not(entry)]
    assert len(RUN) + len(out) == len(EVENTS)
    for key in OUT_OF_SCOPE:
        assert any(entry["id"] == key or entry["id"].startswith(key + "/") for entry in out), key
    assert len(out) == 16


@pytest.mark.parametrize("what", ["next", "send", "user", "timers"])
def test_the_comparison_notices_a_wrong_line(what: str) -> None:
    """With another entry's word in it, no line of the file comes out."""
    wrong = {"next": "nowhere", "send": "<SEQ=0><CTL=URG>", "user": "error: no", "timers": "?"}
    for entry in RUN:
        if entry["id"] in ANSWERED_BEFORE:
            continue
        with pytest.raises(AssertionError):
            test_the_event_does_what_the_standard_says({**entry, what: wrong[what]})
