"""RFC 9293's own figures, line by line: each state and each SEQ, ACK and CTL."""

import json
from pathlib import Path

import pytest

from tcpviz import MS, At, Delay, Inject, On, Scenario, simulate
from tcpviz.segment import ACK
from tcpviz.steps import Kind, Step
from tcpviz.trace import Trace

FIGURES = json.loads((Path(__file__).parent / "data" / "rfc9293_figures.json").read_text())[
    "figures"
]
OPEN = (At(0, "server", "passive OPEN"), At(0, "client", "active OPEN"))
CRASH = (*OPEN, At(300 * MS, "client", "crash"), At(400 * MS, "client", "restart"))
ENDS = {"A": "client", "B": "server"}

SCENARIOS = {
    "6": Scenario(calls=OPEN, reactions=[On("client", "ESTABLISHED", "SEND", 60 * MS, 10)]),
    # A's segments travel slower, so that they arrive in the figure's order.
    "7": Scenario(
        calls=[At(0, "client", "active OPEN"), At(10 * MS, "server", "active OPEN")],
        network=[Delay("client", "SYN", 40 * MS), Delay("client", "SYN,ACK", 40 * MS)],
    ),
    "8": Scenario(
        calls=OPEN,
        network=[Delay("client", "SYN", 150 * MS), Inject(20 * MS, "server", "<SEQ=90><CTL=SYN>")],
        server_iss=[300, 400],
    ),
    # The figures of §3.5.1 begin with a crash of A, while B expects 100 and sends from 300.
    "9": Scenario(
        calls=[*CRASH, At(400 * MS, "client", "active OPEN")],
        client_iss=[99, 400],
        server_iss=[299],
        until=2000 * MS,
    ),
    "10": Scenario(
        calls=[*CRASH, At(500 * MS, "server", "SEND", 10)],
        client_iss=[99],
        server_iss=[299],
    ),
    "11": Scenario(
        calls=[At(0, "client", "passive OPEN"), At(0, "server", "passive OPEN")],
        network=[Inject(20 * MS, "server", "<SEQ=90><CTL=SYN>")],
    ),
    # The figures of §3.6 begin ESTABLISHED at SND.NXT 100 and 300.
    "12": Scenario(
        calls=OPEN,
        reactions=[
            On("client", "ESTABLISHED", "CLOSE", 90 * MS),
            On("server", "CLOSE-WAIT", "CLOSE", 60 * MS),
        ],
        client_iss=[99],
        server_iss=[299],
    ),
    "13": Scenario(
        calls=[*OPEN, At(300 * MS, "client", "CLOSE"), At(300 * MS, "server", "CLOSE")],
        client_iss=[99],
        server_iss=[299],
    ),
}


def _numbers(step: Step) -> tuple[object, ...]:
    assert step.segment is not None
    ack = step.segment.ack if step.segment.ctl & ACK else None
    return step.segment.seq, ack, step.segment.control


def _wanted(segment: dict, symbols: dict[str, int]) -> tuple[object, ...]:
    def number(value: object) -> object:
        if not isinstance(value, str):
            return value
        name, _, more = value.partition("+")
        return symbols[name] + int(more or 0)

    return number(segment["seq"]), number(segment["ack"]), ",".join(segment["ctl"])


def _compare(trace: Trace, lines: list[dict], symbols: dict[str, int]) -> int:
    """Compare line after line; how many segments were found."""
    at = trace.steps[0].time
    used: set[tuple[Kind, int]] = set()
    found = 0
    if lines[0].get("a_state") == "ESTABLISHED":  # a figure of §3.6 begins here
        at = max(s.time for s in trace.steps if s.state == "ESTABLISHED" and s.edges)
    if lines[0].get("a_note") == "(REBOOT)":
        at = next(s.time for s in trace.steps if s.text == "crash")
    if at:
        used |= {(s.kind, i) for i, s in enumerate(trace.steps) if s.time <= at}
    for line in lines:
        segment = line.get("segment")
        for kind, wanted in ((Kind.DEPART, "depart"), (Kind.ARRIVE, "arrive")):
            if not segment or not line[wanted]:
                continue
            end = ENDS[segment["from" if kind is Kind.DEPART else "to"]]
            index, step = next(
                (index, step)
                for index, step in enumerate(trace.steps)
                if step.kind is kind and step.end == end and (kind, index) not in used
            )
            used.add((kind, index))
            at, found = step.time, found + 1
            assert _numbers(step) == _wanted(segment, symbols), line
            assert step.segment is not None
            if segment["data_len"] == "unspecified":
                assert step.segment.length > 0
            else:
                assert step.segment.length == segment["data_len"], line
        if not segment and line is lines[-1]:
            at = trace.duration
        for column, end in (("a_state", "client"), ("b_state", "server")):
            if line.get(column):
                state = "CLOSED"
                for step in trace.steps:
                    if step.end == end and step.time <= at and step.state:
                        state = step.state
                if line["line"] == 1 and at == 0:  # the figures begin before anything is sent
                    opened = next(s.text for s in trace.steps if s.end == end)
                    state = "LISTEN" if opened == "passive OPEN" else "CLOSED"
                assert state == line[column], line
    return found


def test_every_figure_of_the_file_is_compared() -> None:
    """Figures 6 to 13, all eight."""
    assert set(SCENARIOS) == set(FIGURES) == {str(number) for number in range(6, 14)}


@pytest.mark.parametrize("figure", SCENARIOS)
def test_the_figure_comes_out_line_by_line(figure: str) -> None:
    """Each state and each SEQ, ACK and CTL of the figure is the simulation's."""
    lines = FIGURES[figure]["lines"]
    trace = simulate(SCENARIOS[figure])
    found = _compare(trace, lines, {"Z": 90, "X": 300})
    drawn = [wanted for line in lines if "segment" in line for wanted in ("depart", "arrive")]
    assert found == sum(
        line[w] for line in lines if "segment" in line for w in ("depart", "arrive")
    )
    assert len(drawn) >= found > 0


def test_the_comparison_notices_a_wrong_number() -> None:
    """With another ISS, Figure 6 does not come out."""
    wrong = Scenario(calls=OPEN, client_iss=[200])
    with pytest.raises((AssertionError, StopIteration)):
        _compare(simulate(wrong), FIGURES["6"]["lines"], {})


def test_the_comparison_notices_data_of_another_length() -> None:
    """The ten octets of Figure 10 are ten."""
    eleven = Scenario(
        calls=[*CRASH, At(500 * MS, "server", "SEND", 11)], client_iss=[99], server_iss=[299]
    )
    with pytest.raises(AssertionError):
        _compare(simulate(eleven), FIGURES["10"]["lines"], {})


def test_the_comparison_notices_a_wrong_state() -> None:
    """A simultaneous close is not the normal close of Figure 12."""
    with pytest.raises((AssertionError, StopIteration)):
        _compare(simulate(SCENARIOS["13"]), FIGURES["12"]["lines"], {})
