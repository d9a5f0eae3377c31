"""The Trace: queries, transcript, JSON both ways."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tcpviz import (
    MS,
    SCENARIOS,
    At,
    Inject,
    Player,
    S,
    Trace,
    compare,
    read,
    sequence_chart,
    simulate,
    state_diagram,
)
from tcpviz.pictures import server_view
from tcpviz.questions import questions
from tcpviz.segment import ACK, SYN, Segment
from tcpviz.states import State
from tcpviz.steps import End, Kind, Step, Timer
from tcpviz.trace import transcript

HANDSHAKE = """\
        at        client                                           server
      0 ms                                                         LISTEN        server: \
passive OPEN
      0 ms      SYN-SENT                                           LISTEN        client: \
active OPEN
      0 ms      SYN-SENT  --> <SEQ=100><CTL=SYN>              -->  SYN-RECEIVED  arrives at 50 ms
     50 ms   ESTABLISHED  <-- <SEQ=300><ACK=101><CTL=SYN,ACK> <--  SYN-RECEIVED  arrives at \
100 ms
    100 ms   ESTABLISHED  --> <SEQ=101><ACK=301><CTL=ACK>     -->  ESTABLISHED   arrives at \
150 ms"""


def trace(name: str) -> Trace:
    return simulate(SCENARIOS[name])


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_trace_survives_json(name: str) -> None:
    """Written and read back it is equal, step for step."""
    original = trace(name)
    assert Trace.from_json(json.loads(original.dumps())) == original


def test_the_transcript_reads_like_the_rfcs_figures() -> None:
    """Between the states of both ends stands the segment; calls and arrivals are named."""
    assert str(trace("handshake")) == HANDSHAKE


def test_the_transcript_marks_loss_duplication_and_old_segments() -> None:
    """Lost, duplicated and old are three different remarks."""
    assert any(line.endswith("lost") and "X" in line for line in transcript(trace("lost_fin")))
    assert "duplicate" in str(trace("duplicated_fin"))
    assert "nobody was seen to send it" in str(trace("old_duplicate_syn"))
    assert "lost" not in str(trace("duplicated_fin"))


def test_the_transcript_marks_states_that_nobody_saw() -> None:
    """Inferred states stand in parentheses, seen ones do not; a line at the end says so."""
    steps = (
        Step(0, "client", Kind.DEPART, State.SYN_SENT, Segment(1, 0, SYN), 0, inferred=True),
        Step(1 * MS, "server", Kind.ARRIVE, State.SYN_RECEIVED, Segment(1, 0, SYN), 0),
        Step(2 * MS, "client", Kind.DEPART, State.SYN_SENT, Segment(1, 0, SYN), 1),
    )
    assert str(Trace((End("client"), End("server")), steps, notes=("a note",))).splitlines() == [
        "        at          client                            server",
        "    before      (SYN-SENT)",
        "      0 ms      (SYN-SENT)  --> <SEQ=1><CTL=SYN> -->  SYN-RECEIVED    arrives at 1 ms",
        "      2 ms        SYN-SENT  --> <SEQ=1><CTL=SYN> ...  SYN-RECEIVED    retransmission",
        "(STATE): nobody saw the state, it is inferred from the segments.",
        "a note",
    ]
    assert "(STATE)" not in str(trace("handshake"))


def test_the_columns_of_inferred_states_are_as_straight_as_the_others() -> None:
    """The longest state fits in its parentheses, at either end."""
    inferred = replace(
        trace("lost_ack"),
        steps=tuple(step._replace(inferred=True) for step in trace("lost_ack").steps),
    )
    lines = [line for line in str(inferred).splitlines() if "SYN-RECEIVED" in line]
    assert {line.index("(SYN-RECEIVED)") for line in lines} == {lines[0].index("(SYN-RECEIVED)")}
    assert {line[: line.index(")")][-1] for line in lines} <= {"D", "T"}
    assert {line.index(")") for line in lines} == {25}


def test_an_iss_that_nobody_saw_is_null() -> None:
    """Where the SYN was not seen there is no ISS in the JSON; the text still counts the same."""
    unseen = Trace((End("client", "", 700, syn_seen=False), End("server", "", 300)), ())
    first, second = unseen.to_json()["ends"]
    assert (first["iss"], first["counted_from"], second["iss"]) == (None, 700, 300)
    assert "counted_from" not in second
    assert Trace.from_json(unseen.to_json()) == unseen


def test_a_segment_that_nobody_sent_says_so() -> None:
    """An old duplicate has no sender; of an end that nobody watched that is not known."""
    old = trace("old_duplicate_syn")
    assert [each["unsent"] for each in old.to_json()["segments"]].count(True) == 1
    ends = tuple(end._replace(observed=False) for end in old.ends)
    assert not any(each["unsent"] for each in replace(old, ends=ends).to_json()["segments"])


def test_relative_numbers_are_counted_from_the_isss() -> None:
    """On request the SYNs have number 0."""
    text = "\n".join(transcript(trace("handshake"), absolute=False))
    assert "<SEQ=0><CTL=SYN>" in text
    assert "<SEQ=1><ACK=1><CTL=ACK>" in text


def test_spans_are_the_states_one_after_another() -> None:
    """Each span ends where the next begins; the last one is open."""
    spans = trace("open_and_close").spans("client")
    assert [span.state for span in spans] == [
        "SYN-SENT",
        "ESTABLISHED",
        "FIN-WAIT-1",
        "FIN-WAIT-2",
        "TIME-WAIT",
        "CLOSED",
    ]
    assert [a.until for a in spans[:-1]] == [b.since for b in spans[1:]]
    assert spans[-1].until is None
    assert spans[4].since == 410 * MS
    assert spans[4].until == 410 * MS + 60 * S


def test_waits_tell_an_expired_timer_from_a_stopped_one() -> None:
    """The lost SYN's RTO expires; the second one is stopped by the SYN,ACK."""
    rtos = [wait for wait in trace("lost_syn").waits("client") if wait.timer.name == "RTO"]
    assert [(w.timer.since, w.until, w.expired) for w in rtos[:2]] == [
        (0, 1 * S, True),
        (1 * S, 1100 * MS, False),
    ]


def test_a_timer_still_running_at_the_end_is_neither() -> None:
    """The last RTO of an unanswered client has not expired."""
    waits = trace("no_answer").waits("client")
    assert [wait.expired for wait in waits] == [True, True, True, True, None]


def test_a_timer_that_another_ones_expiry_stops_has_not_expired() -> None:
    """Two run; at one's TIMEOUT both are gone."""
    rto, delayed = Timer("RTO", 0, 9), Timer("delayed ACK", 0, 5)
    steps = (
        Step(0, "client", Kind.CALL, State.ESTABLISHED, text="SEND", timers=(rto, delayed)),
        Step(5, "client", Kind.TIMEOUT, State.ESTABLISHED, text="delayed ACK"),
    )
    waits = Trace((End("client"), End("server")), steps).waits("client")
    assert [(wait.timer.name, wait.expired) for wait in waits] == [
        ("delayed ACK", True),
        ("RTO", False),
    ]


def test_lost_and_delivered_are_told_apart_and_retransmissions_named() -> None:
    """A flight knows when it left, arrived or died, and whether it was sent before."""
    flights = trace("lost_syn").flights
    assert [(f.fate, f.again, f.sent) for f in flights[:2]] == [
        ("lost", False, 0),
        ("delivered", True, 1 * S),
    ]
    assert flights[0].lost == 25 * MS


def test_a_retransmission_cut_into_other_pieces_is_one() -> None:
    """Two segments of 100 octets, then 200 octets from the first number on."""
    steps = tuple(
        Step(time, "client", Kind.DEPART, None, Segment(seq, 1, ACK, octets), flight)
        for flight, (time, seq, octets) in enumerate([(0, 1, 100), (1, 101, 100), (9, 1, 200)])
    )
    flights = Trace((End("client"), End("server")), steps).flights
    assert [flight.again for flight in flights] == [False, False, True]


def test_the_json_has_what_other_programs_need() -> None:
    """Per segment: from, flags, relative seq and ack, length, times, fate."""
    first, second = trace("handshake").to_json()["segments"][:2]
    assert first == {
        "from": "client",
        "flags": ["SYN"],
        "seq": 0,
        "ack": None,
        "seq_absolute": 100,
        "ack_absolute": None,
        "length": 0,
        "window": 65535,
        "options": [],
        "sent_ns": 0,
        "arrived_ns": 50 * MS,
        "duplicates_arrived_ns": [],
        "unsent": False,
        "fate": "delivered",
        "retransmission": False,
    }
    assert (second["seq"], second["ack"], second["flags"]) == (0, 1, ["SYN", "ACK"])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d.clear(), "not a trace: expected"),
        (lambda d: d.update(schema="tcpviz.trace/0"), 'expected "schema": "tcpviz.trace/1"'),
        (lambda d: d.pop("ends"), "ends"),
        (lambda d: d["segments"][1].pop("seq_absolute"), r"segments\[1\]"),
        (lambda d: d["segments"][0].update(flags=["SIN"]), r"segments\[0\].*SIN"),
        (lambda d: d["steps"][2].update(state="OPEN"), r"steps\[2\].*OPEN"),
        (lambda d: d["steps"][3].update(segment=99), r"steps\[3\]"),
    ],
)
def test_a_damaged_trace_file_says_where(change: Any, complaint: str) -> None:
    """What cannot be read is named by its place."""
    data = trace("handshake").to_json()
    change(data)
    with pytest.raises(ValueError, match=complaint):
        Trace.from_json(data)


def test_an_unknown_end_is_named() -> None:
    """Asking for an end that is not there says which ends there are."""
    with pytest.raises(KeyError, match=r"client.*server"):
        trace("handshake").end("alice")


def down(name: str, end: str, crash: int, *injected: Inject) -> Trace:
    """A scenario in which the host of an end crashes for good, and strangers call on it later."""
    scenario = SCENARIOS[name]
    calls = [*scenario.calls, At(crash, end, "crash")]
    return simulate(replace(scenario, calls=calls, network=[*scenario.network, *injected]))


@pytest.mark.parametrize("end", ["client", "server"])
def test_a_stranger_that_meets_a_host_that_is_down_is_of_the_other_end(end: str) -> None:
    """Nobody saw it leave, and it has one step alone; every view of the trace still knows it."""
    found = down("handshake", end, 400 * MS, Inject(1 * S, end, "<SEQ=90><CTL=SYN>"))
    last = found.flights[-1]
    assert (last.receiver, last.fate, last.seen) == (end, "lost", 1 * S)
    assert (last.sent, last.arrived) == (None, ())
    assert found.of(end)[-1].text == "crash", "it did not reach the end"
    arrow = "X   <SEQ=90><CTL=SYN>" if end == "client" else "<SEQ=90><CTL=SYN>               X"
    assert arrow in str(found).splitlines()[-1]


def test_any_stranger_at_a_host_that_is_down_can_be_told_and_drawn(tmp_path: Path) -> None:
    """Text, JSON both ways, chart, table, comparison, diagram, server's view and Player."""
    random = Random(4)
    for number in range(20):
        end = random.choice(["client", "server"])
        segments = [
            f"<SEQ={random.randrange(1 << 32)}><CTL={random.choice(['SYN', 'FIN', 'RST'])}>",
            "<SEQ=101><ACK=301><CTL=ACK><DATA=7>",
        ]
        strangers = [
            Inject(random.randrange(1, 3000) * MS, end, random.choice(segments)) for _ in range(3)
        ]
        name = random.choice(["handshake", "normal", "half_open_data", "simultaneous_close"])
        found = down(name, end, random.randrange(400) * MS, *strangers)
        assert len(str(found).splitlines()) > 2
        file = tmp_path / f"{number}.json"
        file.write_text(found.dumps(), encoding="utf-8")
        assert list(read(file)) == [found], "what is written can be read"
        plain = simulate(SCENARIOS[name])
        for picture in (
            sequence_chart(found),
            state_diagram(found),
            compare(found, plain),
            server_view([found, plain], end=end),
        ):
            assert "</svg>" in picture.svg
            assert picture.text
            assert picture.table is not None
        assert (
            "</figure>"
            in Player(found, questions=questions(found))._repr_mimebundle_()["text/html"]
        )
