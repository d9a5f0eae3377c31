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
            if segment["data_len"] == "unspecified":
                assert step.segment is not None
                assert step.segment.length > 0
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


def test_the_comparison_notices_a_wrong_state() -> None:
    """A simultaneous close is not the normal close of Figure 12."""
    with pytest.raises((AssertionError, StopIteration)):
        _compare(simulate(SCENARIOS["13"]), FIGURES["12"]["lines"], {})
