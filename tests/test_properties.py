"""Properties that hold whatever the network and the users do, tried on random ones."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tcpviz import LINUX, MS, RFC9293, At, Delay, Duplicate, Lose, On, S, Scenario, simulate
from tcpviz.scenario import ENDS
from tcpviz.segment import NUMBERS, add, distance
from tcpviz.states import TRANSITIONS
from tcpviz.steps import Kind
from tcpviz.trace import Trace

numbers = st.integers(0, NUMBERS - 1)
nth = st.integers(1, 14)
faults = st.one_of(
    st.builds(Lose, st.sampled_from(ENDS), st.just("any"), nth),
    st.builds(Duplicate, st.sampled_from(ENDS), st.just("any"), st.integers(0, 3000 * MS), nth),
    st.builds(Delay, st.sampled_from(ENDS), st.just("any"), st.integers(0, 3000 * MS), nth),
)
moments = st.integers(0, 2000 * MS)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A client and a server that open, perhaps talk, and close; a network that has its moods.

    Each fault befalls one segment, so that what is sent again gets through in the end. A fault may
    wait for a segment that is never sent: the run says so, and is made again without it.
    """
    openings = [At(0, "server", "passive OPEN"), At(draw(moments), "client", "active OPEN")]
    if draw(st.booleans()):
        openings[0] = At(draw(moments), "server", "active OPEN")
    sends = [
        On(end, "ESTABLISHED", "SEND", draw(moments), draw(st.integers(1, 5000)))
        for end in draw(st.sets(st.sampled_from(ENDS)))
    ]
    closes = [On(end, "CLOSE-WAIT", "CLOSE", draw(moments)) for end in ENDS]
    closer = draw(st.sampled_from([("client",), ("server",), ENDS]))
    closes += [On(end, "ESTABLISHED", "CLOSE", draw(moments)) for end in closer]
    chosen = draw(st.lists(faults, max_size=10, unique_by=lambda fault: (fault.end, fault.nth)))
    return Scenario(
        calls=openings,
        reactions=(*sends, *closes),
        network=tuple(chosen),
        delay=draw(st.integers(0, 300 * MS)),
        delayed_ack=draw(st.sampled_from([0, 40 * MS, 200 * MS])),
        client_iss=(draw(numbers),),
        server_iss=(draw(numbers),),
        rules=draw(st.sampled_from([RFC9293, LINUX])),
        until=1_000_000 * S,
    )


def run(scenario: Scenario) -> Trace:
    """The trace, faults that never found their segment left out."""
    quiet = Scenario(**{**vars(scenario), "network": ()})
    sent = len(simulate(quiet).flights)
    assert sent
    found = scenario.network
    while True:
        try:
            return simulate(Scenario(**{**vars(scenario), "network": found}))
        except ValueError as missed:
            index = int(str(missed).split("[")[1].split("]")[0])
            found = (*found[:index], *found[index + 1 :])


@settings(max_examples=150, deadline=None)
@given(scenarios())
def test_whatever_a_fair_network_does_both_ends_come_to_rest(scenario: Scenario) -> None:
    """With users that close in the end, both ends end CLOSED or in LISTEN, and nothing is left."""
    trace = run(scenario)
    assert trace.notes == ()
    for end in ENDS:
        assert trace.spans(end)[-1].state in ("CLOSED", "LISTEN")
        assert not trace.of(end)[-1].timers


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_the_same_scenario_gives_the_same_trace(scenario: Scenario) -> None:
    """Byte for byte, also after a round trip through JSON."""
    trace = run(scenario)
    kept = Scenario(**{**vars(scenario), "network": ()})
    assert run(scenario).dumps() == trace.dumps()
    again = Scenario.from_json(kept.to_json())
    assert again == kept
    assert simulate(again).dumps() == simulate(kept).dumps()
    assert Trace.from_json(trace.to_json()) == trace


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_every_step_keeps_to_the_table_and_to_the_clock(scenario: Scenario) -> None:
    """Moves are edges of the table, end to end; time never runs back; a timer is never early."""
    trace = run(scenario)
    edges = {edge.id: edge for edge in TRANSITIONS}
    times = [step.time for step in trace.steps]
    assert times == sorted(times)
    for end in ENDS:
        state = "CLOSED"
        armed = {}
        for step in trace.of(end):
            for name in step.edges if step.kind is not Kind.DEPART else ():
                assert edges[name].source == state
                state = edges[name].target
            assert step.state == state
            if step.kind is Kind.TIMEOUT:
                assert armed[step.text] == step.time
            armed = {timer.name: timer.until for timer in step.timers}
            assert all(until >= step.time for until in armed.values())


@given(numbers, st.integers(-(2**31), 2**31 - 1))
def test_distance_undoes_add(number: int, count: int) -> None:
    """Modulo 2**32, half the numbers are ahead and half behind."""
    assert distance(add(number, count), number) == count


@given(numbers, numbers)
def test_distance_is_antisymmetric(one: int, other: int) -> None:
    """Who is ahead of whom does not depend on who asks, but half way round."""
    if (one - other) % NUMBERS != NUMBERS // 2:
        assert distance(one, other) == -distance(other, one)
