"""Anything may happen to an end, in any order and under any mix of rules; what must always hold."""

import random
from typing import Any

import pytest

from tcpviz.endpoint import Endpoint, Outcome
from tcpviz.rules import RFC9293, Rules
from tcpviz.segment import ACK, FIN, NUMBERS, RST, SYN, Segment, distance
from tcpviz.states import Event, State
from tcpviz.tcb import Settings
from tcpviz.units import MS, S

SWITCHES = [name for name, value in RFC9293._asdict().items() if isinstance(value, bool)]
CALLS = (
    *[Event.PASSIVE_OPEN, Event.ACTIVE_OPEN, Event.SEND, Event.RECEIVE] * 4,
    *[Event.CLOSE, Event.CLOSE_HALF_DUPLEX, Event.ABORT] * 4,
    *[Event.USER_TIMEOUT, Event.CRASH],
)
CONTROLS = (
    SYN,
    SYN | ACK,
    ACK,
    ACK,
    FIN | ACK,
    FIN | ACK,
    RST,
    RST | ACK,
    SYN | FIN,
    SYN | FIN | ACK,
)


def some_rules(chance: random.Random) -> Rules:
    mixed: dict[str, Any] = {
        name: getattr(RFC9293, name) != (chance.random() < 0.25) for name in SWITCHES
    }
    mixed |= {name: chance.choice([0, 2]) for name in ("r2", "r2_syn", "r2_syn_ack", "r2_orphan")}
    mixed |= {
        "fin_wait_2": chance.choice([0, 1 * S]),
        "fin_ack_delays": chance.choice([(0, 0), (4 * MS, 40 * MS)]),
        "syn_after_reset": chance.choice([0, 8 * MS]),
        "rto_floor": chance.choice([0, 200 * MS]),
    }
    return Rules(**mixed)


def some_settings(chance: random.Random) -> Settings:
    return Settings(
        (chance.choice([100, NUMBERS - 3]),),
        msl=chance.choice([0, 1 * S]),
        delayed_ack=chance.choice([0, 40 * MS]),
        rules=some_rules(chance),
        user_timeout=chance.choice([0, 20 * S]),
        keepalive=chance.choice([0, 5 * S]),
        reads=chance.random() < 0.5,
    )


def some_segment(chance: random.Random, end: Endpoint) -> Segment:
    """Mostly one that fits: the numbers lie on and beside those that the end expects."""
    nxt, una, after = end.rcv_nxt, end.snd_una, end.snd_nxt
    seq = chance.choice([nxt, nxt, nxt, end.irs, nxt - 1, nxt + 5, nxt - 6, nxt + 100_000])
    ack = chance.choice([after, after, una, una + 1, after + 1, una - 1])
    ctl = chance.choice(CONTROLS)
    length = chance.choice([0, 0, 0, 5, 20])
    return Segment(seq % NUMBERS, ack % NUMBERS if ctl & ACK else 0, ctl, length)


def something(chance: random.Random, end: Endpoint, now: int) -> tuple[int, Outcome]:
    """A call, a timer or a segment."""
    what = chance.random()
    if what < 0.3:
        event = chance.choice(CALLS)
        return now, end.call(event, now, 10 if event is Event.SEND else 0)
    if what < 0.45 and end.deadline:
        now = max(now, end.deadline.until)
        return now, end.expire(end.deadline, now)
    return now, end.arrive(some_segment(chance, end), now)


def must_hold(before: Endpoint, outcome: Outcome) -> None:
    end, state = outcome.end, before.state
    for edge in outcome.edges:  # the moves are one path
        assert edge.source is state
        state = edge.target
    assert state is end.state
    if end.state is State.CLOSED:  # the absence of a TCB
        assert end == Endpoint(end.settings, opens=end.opens)
    if end.state is State.LISTEN:
        assert end == Endpoint(end.settings, State.LISTEN, "passive", end.opens)
    names = [timer.name for timer in end.deadlines]
    assert len(names) == len(set(names))
    assert ("RTO" in names) == bool(end.unacked)
    if end.state is State.TIME_WAIT:
        assert names == ["2MSL"]
    elif end.variables:  # what is not acknowledged is what waits to be sent again
        octets = sum(segment.span for segment in end.unacked)
        first = end.unacked[0].seq if end.unacked else end.snd_nxt
        assert distance(end.snd_nxt, first) == octets
        assert 0 <= distance(end.snd_una, first) <= octets
    for segment in outcome.sent:  # whatever follows a SYN acknowledges or resets
        assert segment.ctl & (SYN | ACK | RST)


@pytest.mark.parametrize("seed", range(8))
def test_an_end_stays_whole_whatever_happens(seed: int) -> None:
    """No event finds an end without an answer: moves are of the table, timers have their cause."""
    for number in range(60):
        chance = random.Random(1000 * seed + number)
        end, now = Endpoint(some_settings(chance)), 0
        for _ in range(60):
            now, outcome = something(chance, end, now + chance.randrange(500) * MS)
            must_hold(end, outcome)
            end = outcome.end
