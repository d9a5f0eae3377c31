"""Many connections of one server: queues, ports and counts, against runs of every event."""

import dataclasses
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpviz import MS, SCENARIOS, At, Inject, Lose, On, S, Scenario, ScenarioError, simulate
from tcpviz.listener import Listener
from tcpviz.population import Member, Population, lossy, populate
from tcpviz.rules import LINUX, RFC9293
from tcpviz.runs import NO_PORT
from tcpviz.scenario import Refuse
from tcpviz.steps import Kind
from tcpviz.timeline import Timeline, count
from tests.one_by_one import World

OPEN = (At(0, "server", "passive OPEN"), At(0, "client", "active OPEN"))
HANDSHAKE = SCENARIOS["handshake"]
OPEN_AND_CLOSE = SCENARIOS["open_and_close"]
LEAK = SCENARIOS["close_wait"]
FLOOD = Scenario(
    "SYN of a forged sender",
    calls=OPEN[:1],
    network=(Inject(50 * MS, "server", "<SEQ=100><CTL=SYN>"), Lose("server", "SYN,ACK", None)),
    until=20 * S,
)
"""Nobody is behind the SYN: the SYN,ACKs go nowhere."""


def states(population: Population, member: int, end: str) -> list[tuple[str, int]]:
    """The states an end of a member went through, and since when in ms."""
    return [(span.state, span.since // MS) for span in population[member].spans(end)]


def says(population: Population, member: int) -> list[tuple[int, str]]:
    """What a member's steps say, and when in ms."""
    return [(step.time // MS, step.says) for step in population[member].steps if step.says]


# -- the queues --------------------------------------------------------------------------------


def test_the_accept_queue_holds_one_more_than_the_backlog() -> None:
    """Of five connections 1 s apart that nobody accepts, a backlog of 2 lets three in."""
    members = [Member(k * S, dataclasses.replace(HANDSHAKE, until=9 * S)) for k in range(5)]
    crowd = populate(members, Listener(backlog=2, accepts=None))
    assert crowd.admitted == {0: 150 * MS, 1: 1150 * MS, 2: 2150 * MS}
    assert crowd.refused == (3, 4)
    assert crowd.accept_queue.points == ((150 * MS, 1), (1150 * MS, 2), (2150 * MS, 3))
    assert crowd.count("ESTABLISHED", "client").peak == 3
    # the fourth: its SYN is dropped each time it comes, 1, 2 and 4 s after one another
    full = "dropped: the accept queue is full"
    assert [time for time, text in says(crowd, 3) if text == full] == [3050, 4050, 6050, 10050]
    assert states(crowd, 3, "server") == [("LISTEN", 3000)]


def test_an_ack_that_finds_the_accept_queue_full_is_dropped() -> None:
    """Two SYNs come in together for the last place; the client that loses thinks it is open."""
    listener = Listener(1, accepts=(3500 * MS,))
    crowd = populate([Member(start, HANDSHAKE) for start in (0, 1 * S, 1 * S)], listener)
    assert states(crowd, 2, "client") == [("SYN-SENT", 1000), ("ESTABLISHED", 1100)]
    # its server end sends its SYN,ACK again after 1 s and 2 s; by then there is room
    assert states(crowd, 2, "server") == [
        ("LISTEN", 1000),
        ("SYN-RECEIVED", 1050),
        ("ESTABLISHED", 4150),
    ]
    full = "dropped: the accept queue is full"
    assert says(crowd, 2) == [(1150, full), (2150, full)]
    assert crowd.scenario(2).network == (Refuse("server", "ACK", 1), Refuse("server", "ACK", 2))
    assert crowd.accepted == {0: 3500 * MS}


def test_abort_on_overflow_answers_the_ack_with_a_reset() -> None:
    """With abort_on_overflow the client that loses is told at once that it is not open."""
    listener = Listener(1, abort_on_overflow=True, accepts=None)
    crowd = populate([Member(start, HANDSHAKE) for start in (0, 1 * S, 1 * S)], listener)
    assert says(crowd, 2) == [
        (1150, "reset: the accept queue is full"),
        (1200, "error: connection reset"),
    ]
    assert crowd.count("SYN-RECEIVED", "server").points == (
        (50 * MS, 1),
        (150 * MS, 0),
        (1050 * MS, 2),
        (1150 * MS, 0),
    )


def test_the_syn_queue_holds_one_more_than_the_backlog() -> None:
    """Four SYNs without a sender, a backlog of 1: two are kept, and an honest client waits."""
    members = [*(Member(k * 10 * MS, FLOOD) for k in range(4)), Member(1 * S, HANDSHAKE)]
    crowd = populate(members, Listener(backlog=1))
    assert crowd.count("SYN-RECEIVED", "server").peak == 2
    assert crowd.refused == (2, 3, 4)
    assert says(crowd, 4)[0] == (1050, "dropped: the SYN queue is full")
    assert 4 not in crowd.admitted


@pytest.mark.parametrize(("syn_backlog", "kept"), [(128, 97), (8, 7), (4, 4), (0, 1)])
def test_without_cookies_the_last_quarter_is_kept_for_known_peers(
    syn_backlog: int, kept: int
) -> None:
    """A SYN is dropped when less than a quarter of syn_backlog is left."""
    members = [Member(k * MS, FLOOD) for k in range(150)]
    crowd = populate(members, Listener(4096, syn_backlog))
    assert crowd.count("SYN-RECEIVED", "server").peak == kept
    assert len(crowd.refused) == 150 - kept


def test_with_cookies_the_honest_client_gets_in() -> None:
    """Beyond the SYN queue nothing is kept or sent again, and the ACK brings it all back."""
    members = [*(Member(k * 20 * MS, FLOOD) for k in range(12)), Member(360 * MS, OPEN_AND_CLOSE)]
    crowd = populate(members, Listener(backlog=4, cookies=True))
    assert crowd.refused == tuple(range(5, 13))
    assert [len(crowd[k].flights) for k in (4, 5)] == [6, 2]  # sent at 0, 1, 3, 7, 15 s; once
    assert list(crowd.admitted) == [12]
    assert states(crowd, 12, "server")[:2] == [("LISTEN", 360), ("ESTABLISHED", 510)]
    opening = next(s for s in crowd[12].steps if s.end == "server" and s.state == "ESTABLISHED")
    assert opening.edges == ("LISTEN: rcv SYN", "SYN-RECEIVED: rcv ACK of SYN")


def test_a_cookie_finds_the_accept_queue_full() -> None:
    """The ACK that brings a cookie is dropped, also where the listener aborts on overflow.

    The client's next segment brings the cookie again.
    """
    asks = dataclasses.replace(
        HANDSHAKE, reactions=(On("client", "ESTABLISHED", "SEND", 500 * MS, 10),), until=9 * S
    )
    members = [Member(0, FLOOD), Member(0, asks), Member(10 * MS, asks)]
    crowd = populate(members, Listener(0, 128, True, True, (300 * MS,)))
    assert says(crowd, 2) == [
        (60, "SYN queue full: answered with a SYN cookie"),
        (160, "dropped: the accept queue is full"),
    ]
    assert states(crowd, 2, "server") == [("LISTEN", 10), ("ESTABLISHED", 660)]
    assert crowd.accepted == {1: 300 * MS}


def test_a_syn_that_meets_syn_received_is_not_the_listeners() -> None:
    """An old SYN is let in, the new one finds SYN-RECEIVED, and comes again for a cookie."""
    old = dataclasses.replace(
        HANDSHAKE, network=(Inject(20 * MS, "server", "<SEQ=90><CTL=SYN>"),), server_iss=(300, 400)
    )
    crowd = populate([Member(0, old), Member(500 * MS, FLOOD)], Listener(0, cookies=True))
    assert refusals(crowd, 0) == [Refuse("server", "SYN", 2, "SYN", "cookie")]
    assert says(crowd, 0) == [(1050, "SYN queue full: answered with a SYN cookie")]
    assert crowd.accepted == {0: 1150 * MS}


def test_the_application_accepts_the_oldest_first() -> None:
    """An application that is busy for 400 ms after each accept takes them in order of arrival."""
    members = [Member(start, HANDSHAKE) for start in (20 * MS, 0, 10 * MS)]
    crowd = populate(members, Listener(accepts=400 * MS))
    assert crowd.accepted == {1: 150 * MS, 2: 550 * MS, 0: 950 * MS}
    assert crowd.accept_queue.points == (
        (160 * MS, 1),
        (170 * MS, 2),
        (550 * MS, 1),
        (950 * MS, 0),
    )


# -- the same as Linux -------------------------------------------------------------------------


TURNED_AWAY = """
    0.586 client SYN 0     0.636 server SYN,ACK 0  0.686 client ACK 0     0.986 client ACK 5
    1.300 client ACK 5     1.620 client ACK 5      1.652 server SYN,ACK 0 1.702 client ACK 0
    2.260 client ACK 5     3.512 client ACK 5      3.672 server SYN,ACK 0 3.722 client ACK 0
"""
"""What Linux 6.18 sent on the fourth of four connections when its accept queue was full: time in s,
end, control bits (but PSH), octets. Recorded between two network namespaces, 50 ms each way."""


def test_linux_overflows_its_accept_queue_the_same_way() -> None:
    """listen(2), four clients, nobody accepts: the same four connections, segment by segment.

    In the recording three got in at 0.4346, 0.5351 and 0.7365 s, and ss showed Recv-Q 3, Send-Q 2.
    """
    starts = [0.283974, 0.384718, 0.58599, 0.58604]
    members = [
        Member(
            round(start * S),
            Scenario(
                calls=(*OPEN, At(round((0.9862 - start) * S), "client", "SEND", 5)),
                until=round((3.8 - start) * S),
                rules=LINUX,
            ),
        )
        for start in starts
    ]
    crowd = populate(members, Listener(backlog=2, accepts=None))
    assert crowd.accept_queue.peak == 3
    assert [len(crowd[k].flights) for k in range(4)] == [5, 5, 5, 12]
    got_in = [time / S for time in crowd.admitted.values()]
    assert got_in == pytest.approx([0.4346, 0.5351, 0.7365], abs=0.002)
    fourth = crowd[3]
    assert [s.state for s in fourth.spans("client")] == ["SYN-SENT", "ESTABLISHED"]
    assert [s.state for s in fourth.spans("server")] == ["LISTEN", "SYN-RECEIVED"]
    words = TURNED_AWAY.split()
    recorded = [tuple(words[n + 1 : n + 4]) for n in range(0, len(words), 4)]
    times = [float(word) for word in words[::4]]
    flights = fourth.flights
    assert [(f.sender, f.segment.control, str(f.segment.length)) for f in flights] == recorded
    sent = [f.sent / S for f in flights if f.sent is not None]
    assert sent == pytest.approx(times, abs=0.14)  # a kernel's timers are late, never early
    # all but the SYN were dropped as they arrived
    assert sum(bool(s.says) for s in fourth.steps if s.end == "server") == 8


def test_linux_answers_a_flood_with_cookies_the_same_way() -> None:
    """listen(4), twelve forged SYNs and an honest client at a recording's times.

    There five SYN,ACKs were sent again, 1 s after their SYNs, eight answers were cookies, and the
    client became ESTABLISHED at the server at 0.7749 s and was accepted then.
    """
    flood = [Member(round((0.231643 + k * 0.0202) * S), FLOOD) for k in range(12)]
    honest = Member(round(0.624365 * S), dataclasses.replace(HANDSHAKE, rules=LINUX))
    crowd = populate([*flood, honest], Listener(4, 8, cookies=True))
    cookies = [k for k in range(13) if any(f.answer == "cookie" for f in refusals(crowd, k))]
    assert cookies == [5, 6, 7, 8, 9, 10, 11, 12]
    assert crowd.refused == tuple(cookies)
    again = sorted(
        s.time / S
        for trace in crowd
        for s in trace.steps
        if s.kind is Kind.TIMEOUT and s.time < 2 * S
    )
    assert again == pytest.approx([1.2936, 1.3256, 1.3256, 1.3576, 1.3896], abs=0.03)
    assert crowd.accepted[12] / S == pytest.approx(0.7749, abs=0.002)


def refusals(crowd: Population, index: int) -> list[Refuse]:
    return [fault for fault in crowd.scenario(index).network if isinstance(fault, Refuse)]


# -- ports -------------------------------------------------------------------------------------


def test_a_port_is_held_through_time_wait() -> None:
    """Two ports: the third OPEN fails, and the fourth, as the first TIME-WAIT ends, does not."""
    end = OPEN_AND_CLOSE
    life = simulate(end).duration
    members = [Member(0, end), Member(10 * S, end), Member(20 * S, end), Member(life, end)]
    crowd = populate(members, ports=(40_000, 40_001))
    assert crowd.without_port == (2,)
    assert crowd.ports_in_use.points == (
        (0, 1),
        (10 * S, 2),
        (life + 10 * S, 1),
        (2 * life, 0),
    )
    assert says(crowd, 2) == [(20_000, NO_PORT)]
    assert states(crowd, 2, "client") == [("CLOSED", 20_000)]
    assert len(crowd[2].flights) == 0


def test_a_client_that_opens_again_keeps_its_port() -> None:
    """The port is given back when the client is closed for good."""
    twice = Scenario(
        calls=(
            At(0, "client", "active OPEN"),
            At(300 * MS, "server", "passive OPEN"),
            At(400 * MS, "client", "active OPEN"),
            At(900 * MS, "client", "ABORT"),
        )
    )
    crowd = populate([Member(0, twice), Member(200 * MS, twice), Member(1 * S, twice)], ports=1)
    assert crowd.without_port == (1,)
    assert crowd.ports_in_use.points == ((0, 1), (900 * MS, 0), (1 * S, 1), (1900 * MS, 0))
    crowd = populate([Member(0, dataclasses.replace(twice, calls=twice.calls[:3]))], ports=1)
    assert crowd.ports_in_use.points == ((0, 1),)


# -- traces ------------------------------------------------------------------------------------


def test_a_member_is_the_trace_that_simulate_gives() -> None:
    """Only later: steps and timers are moved by the member's start, nothing else differs."""
    dice = Random(3)
    members = [Member(dice.randrange(2 * S), lossy(OPEN_AND_CLOSE, 0.1, dice)) for _ in range(60)]
    crowd = populate(members, Listener(2, 8, cookies=True, accepts=300 * MS))
    assert len(crowd.refused) > 10
    for k, member in enumerate(members):
        alone, trace = simulate(crowd.scenario(k)), crowd[k]
        assert trace.ends == alone.ends
        assert trace.title == f"connection {k}: open_and_close"
        for mine, its in zip(trace.steps, alone.steps, strict=True):
            assert mine.time == its.time + member.start
            assert mine._replace(time=0, timers=()) == its._replace(time=0, timers=())
            for timer, other in zip(mine.timers, its.timers, strict=True):
                assert timer.since - other.since == timer.until - other.until == member.start
        assert Scenario.from_json(crowd.scenario(k).to_json()) == crowd.scenario(k)
    assert crowd.steps == sum(len(trace.steps) for trace in crowd)
    assert crowd[-1].steps == crowd[59].steps
    with pytest.raises(IndexError):
        crowd[60]


SHORT = [
    dataclasses.replace(scenario, msl=500 * MS, until=6 * S)
    for scenario in (
        *(SCENARIOS[name] for name in ("handshake", "open_and_close", "server_closes_first")),
        *(SCENARIOS[name] for name in ("abort", "connect_abandoned", "close_wait", "half_close")),
        Scenario("early close", calls=(*OPEN, At(120 * MS, "server", "CLOSE"))),
        Scenario("early abort", calls=(*OPEN, At(120 * MS, "client", "ABORT"))),
        FLOOD,
    )
]


@st.composite
def crowds(draw: st.DrawFn) -> tuple[list[Member], Listener, int | None]:
    """A few connections that are likely to meet, some in a lossy network."""
    members = []
    for _ in range(draw(st.integers(1, 6))):
        rules = draw(st.sampled_from([RFC9293, LINUX, RFC9293._replace(two_way_handshake=True)]))
        scenario = dataclasses.replace(draw(st.sampled_from(SHORT)), rules=rules)
        if draw(st.booleans()) and scenario.name != FLOOD.name:
            scenario = lossy(scenario, 0.25, Random(draw(st.integers(0, 50))))
        start = draw(st.integers(0, 8)) * draw(st.sampled_from([50, 100])) * MS
        members.append(Member(start, scenario))
    times = st.lists(st.integers(0, 60).map(lambda n: n * 50 * MS), max_size=4).map(tuple)
    accepts = draw(st.one_of(st.none(), st.just(0), st.just(70 * MS), st.just(600 * MS), times))
    backlogs = st.integers(0, 3)
    listener = Listener(
        draw(backlogs), draw(backlogs) * 3, draw(st.booleans()), draw(st.booleans()), accepts
    )
    return members, listener, draw(st.sampled_from([None, 1, 2, 4]))


@settings(max_examples=250, deadline=None)
@given(crowds())
def test_nothing_is_approximated(crowd: tuple[list[Member], Listener, int | None]) -> None:
    """Every connection goes as where all ends are moved by one clock, event by event."""
    members, listener, ports = crowd
    world = World(members, listener, ports)
    found = populate(members, listener, ports)
    for one, trace in zip(world.all, found, strict=True):
        assert one.lines == [(s.time, s.end, s.kind, s.state, s.segment) for s in trace.steps]
    accepted: dict[int, int] = {}
    for member, time in world.accepted:
        accepted.setdefault(member, time)
    assert found.accepted == accepted


@settings(max_examples=50, deadline=None)
@given(crowds())
def test_a_count_is_what_the_traces_say(crowd: tuple[list[Member], Listener, int | None]) -> None:
    """The counts over time are those of all traces, looked through one by one."""
    found = populate(*crowd)
    traces = list(found)
    for state, end in (("SYN-RECEIVED", "server"), ("TIME-WAIT", "client"), ("LISTEN", "server")):
        line = found.count(state, end)
        assert line == count(traces, state, end)
        for time, many in line.points:
            now = [
                [s.state for s in trace.steps if s.time <= time and s.end == end][-1:]
                for trace in traces
            ]
            assert many == now.count([state])
        assert all(a[0] < b[0] and a[1] != b[1] for a, b in pairwise(line.points))


def test_a_count_starts_with_the_first_trace() -> None:
    """Traces that know their time of day are counted from the start of the first."""
    trace = dataclasses.replace(simulate(LEAK), start=7 * S)
    line = count([dataclasses.replace(trace, start=9 * S), trace], "CLOSE-WAIT", "server")
    assert line.points == ((300 * MS, 1), (2300 * MS, 2))
    assert count([], "CLOSE-WAIT", "server") == Timeline()
    with pytest.raises(KeyError, match="no end 'proxy'"):
        count([trace], "CLOSE-WAIT", "proxy")


def test_equal_members_are_simulated_once() -> None:
    """A thousand equal connections that meet nobody share one run; equal losses share theirs."""
    copies = [dataclasses.replace(OPEN_AND_CLOSE) for _ in range(1000)]
    crowd = populate(Member(k * 10 * MS, scenario) for k, scenario in enumerate(copies))
    assert len({id(run) for run in crowd.runs}) == 1
    assert crowd.count("TIME-WAIT", "client").peak == 1000


def test_loss_is_the_dice() -> None:
    """The same seed loses the same; at rate 0 nothing; at 0.2 about a fifth of all segments."""
    assert lossy(OPEN_AND_CLOSE, 0, Random(1)) == OPEN_AND_CLOSE
    assert lossy(OPEN_AND_CLOSE, 0.5, Random(1)) == lossy(OPEN_AND_CLOSE, 0.5, Random(1))
    dice = Random(1)
    flights = [f for _ in range(300) for f in simulate(lossy(OPEN_AND_CLOSE, 0.2, dice)).flights]
    share = sum(flight.fate == "lost" for flight in flights) / len(flights)
    assert 0.17 < share < 0.23


# -- words and mistakes ------------------------------------------------------------------------


def test_a_population_is_a_table_in_words() -> None:
    """Who got in and who did not, and how many at most were where."""
    members = [Member(0, LEAK), Member(10 * MS, LEAK), Member(20 * MS, OPEN_AND_CLOSE)]
    crowd = populate(members, Listener(0, accepts=None), ports=2)
    assert repr(crowd) == f"<Population 3 connections, {crowd.steps} steps>"
    assert repr(crowd.ports_in_use) == "<Timeline 2 at most, at 10 ms>"
    assert [" ".join(line.split()) for line in str(crowd).splitlines()] == [
        "connections 3",
        "got in 1",
        "met a full queue 1",
        "found no free port 1",
        "most in SYN-RECEIVED at the server 1 at 50 ms",
        "most in CLOSE-WAIT at the server 1 at 300 ms",
        "most in TIME-WAIT at the client 0",
        "most in TIME-WAIT at the server 0",
        "most in the accept queue 1 at 150 ms",
        "most ports in use 2 at 10 ms",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([Member(0, HANDSHAKE), Member(-1, HANDSHAKE)],), r"members\[1\].start: -1 is not a time"),
        (([HANDSHAKE],), r"members\[0\]: .* is not a Member"),
        (([Member(0, "handshake")],), r"members\[0\].scenario: 'handshake' is not a Scenario"),
        (
            ([Member(0, dataclasses.replace(HANDSHAKE, network=(Lose("client", "FIN"),)))],),
            r"members\[0\].scenario: network\[0\]: client never sends FIN",
        ),
        ((None,), "members: None is not a list of Members"),
        (([], Listener(cookies=3)), "listener.cookies: 3 is not True or False"),
        (([], Listener(backlog=-1)), "listener.backlog: -1 is not a number, 0 or more"),
        (([], Listener(syn_backlog=0.5)), "listener.syn_backlog: 0.5 is not a number"),
        (([], Listener(accepts=(1, -1))), r"listener.accepts: \(1, -1\) is not None, a duration"),
        (([], Listener(accepts="never")), "listener.accepts: 'never' is not None"),
        (([], 128), "listener: 128 is not a Listener"),
        (([], Listener(), -1), "ports: -1 is not a count, or the first and last port"),
        (([], Listener(), (2, 1)), r"ports: \(2, 1\) is not a count"),
    ],
)
def test_a_mistake_is_named(given: tuple, message: str) -> None:
    """What cannot be run gets one error that says where and what was expected."""
    with pytest.raises(ScenarioError, match=message):
        populate(*given)


def test_a_question_that_makes_no_sense_is_named() -> None:
    """A count of a state that there is not, or at an end that there is not."""
    crowd = populate([Member(0, HANDSHAKE)])
    with pytest.raises(ValueError, match="state: 'OPEN' is not one of CLOSED, LISTEN"):
        crowd.count("OPEN", "server")
    with pytest.raises(ValueError, match="end: 'proxy' is not one of client, server"):
        crowd.count("LISTEN", "proxy")
    with pytest.raises(ValueError, match="rate: 1 is not a probability"):
        lossy(HANDSHAKE, 1, Random(1))


def test_nobody_is_a_population_too() -> None:
    """Without members everything is 0."""
    crowd = populate([])
    assert (len(crowd), crowd.steps, crowd.ports_in_use.peak) == (0, 0, 0)
    assert list(crowd) == []
