"""Exhaustive loss: whatever the network loses, nobody is stranded and TIME-WAIT is waited out."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from tcpviz import MS, At, Lose, On, S, Scenario, simulate
from tcpviz.steps import Kind
from tcpviz.trace import Trace

DEPTH = 12  # each of the first twelve segments is lost or not


def _runs(closer: str, delayed_ack: int) -> Iterator[Trace]:
    """One trace for every pattern of loss among the first segments sent.

    Losing segment k changes only what is sent after k, so each pattern extends a shorter one by a
    later segment, and none is met twice.
    """
    other = "server" if closer == "client" else "client"
    waiting: list[tuple[int, tuple[Lose, ...]]] = [(0, ())]
    while waiting:
        first, losses = waiting.pop()
        trace = simulate(
            Scenario(
                calls=(At(0, "server", "passive OPEN"), At(0, "client", "active OPEN")),
                reactions=(
                    On(closer, "ESTABLISHED", "CLOSE", 100 * MS),
                    On(other, "CLOSE-WAIT", "CLOSE", 60 * MS),
                ),
                network=losses,
                delayed_ack=delayed_ack,
                until=100_000 * S,
            )
        )
        yield trace
        nth: Counter[str] = Counter()
        for flight in trace.flights[:DEPTH]:
            nth[flight.sender] += 1
            if flight.number >= first:
                lose = Lose(flight.sender, "any", nth[flight.sender])
                waiting.append((flight.number + 1, (*losses, lose)))


@pytest.mark.parametrize("closer", ["client", "server"])
@pytest.mark.parametrize("delayed_ack", [0, 40 * MS])
def test_nobody_is_stranded_and_the_active_closer_waits_2msl(closer: str, delayed_ack: int) -> None:
    """Whatever is lost both ends reach CLOSED, the active closer 2MSL after its last FIN."""
    patterns = 0
    for trace in _runs(closer, delayed_ack):
        patterns += 1
        assert trace.notes == ()
        assert {trace.spans(end)[-1].state for end in ("client", "server")} == {"CLOSED"}
        fins = [
            step.time
            for step in trace.of(closer)
            if step.kind is Kind.ARRIVE
            and step.segment
            and "FIN" in step.segment.control
            and step.state == "TIME-WAIT"  # a FIN lost for a minute may come after it
        ]
        waits = [wait for wait in trace.waits(closer) if wait.timer.name == "2MSL"]
        assert waits[-1].expired
        assert waits[-1].until == fins[-1] + 60 * S
        assert [s.state for s in trace.spans(closer)][-2:] == ["TIME-WAIT", "CLOSED"]
    assert patterns > 2**DEPTH / 2  # a run without loss has only seven segments to lose


def test_every_loss_is_written_down_and_followed_by_a_retransmission() -> None:
    """A SYN or FIN lost at its first try leaves again, told apart as a retransmission."""
    for trace in islice(_runs("client", 0), 500):
        flights = trace.flights
        for flight in flights:
            if flight.fate == "lost" and flight.segment.span and not flight.again:
                later = flights[flight.number + 1 :]
                assert any(f.again and f.segment.seq == flight.segment.seq for f in later), str(
                    trace
                )
