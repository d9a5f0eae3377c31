"""The Python of a Scenario makes that Scenario."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcpviz
from tcpviz import MS, S, scenario
from tcpviz.rules import LINUX, RFC9293
from tcpviz.scenario import At, Inject, Lose, On, Refuse, Scenario
from tcpviz.scenario_text import python
from tcpviz.scenarios import SCENARIOS

NAMES = {**vars(scenario), **vars(tcpviz)}


def evaluated(text: str) -> Scenario:
    """What the lines give, with the names that tcpviz and its scenarios offer."""
    made = eval(text, dict(NAMES))
    assert isinstance(made, Scenario)
    return made


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_lines_of_a_named_scenario_give_it_back(name: str) -> None:
    """Equal, to every field."""
    assert evaluated(python(SCENARIOS[name])) == SCENARIOS[name]


def test_it_is_written_as_a_person_writes_it() -> None:
    """Units, names of rules, keywords only for what has a default; short lists on one line."""
    assert python(
        Scenario(
            'a "name"',
            calls=[At(0, "client", "active OPEN"), At(1500 * MS, "client", "SEND", 10)],
            reactions=[
                On("client", "ESTABLISHED", "CLOSE", 150 * MS),
                On("server", "CLOSE-WAIT", "CLOSE"),
            ],
            network=[Lose("client", "SYN", None), Refuse("server", "SYN", answer="cookie")],
            rto=2 * S,
            rules=LINUX,
            server_rules=RFC9293._replace(r2=7),
            options=[("MSS", 1460), ("SACK-permitted", True)],
        )
    ).splitlines() == [
        "Scenario(",
        """    name='a "name"',""",
        '    calls=[At(0, "client", "active OPEN"), At(1500 * MS, "client", "SEND", octets=10)],',
        "    reactions=[",
        '        On("client", "ESTABLISHED", "CLOSE", after=150 * MS),',
        '        On("server", "CLOSE-WAIT", "CLOSE"),',
        "    ],",
        '    network=[Lose("client", "SYN", nth=None), Refuse("server", "SYN", answer="cookie")],',
        "    rto=2 * S,",
        "    rules=LINUX,",
        "    server_rules=RFC9293._replace(r2=7),",
        '    options=[("MSS", 1460), ("SACK-permitted", True)],',
        ")",
    ]


@given(st.text(), st.integers(0, 10**15), st.sampled_from([(), ("client", "server")]))
def test_any_text_and_time_comes_back(text: str, time: int, receivers: tuple[str, ...]) -> None:
    """Quotes, backslashes and line breaks among them; times that no unit divides."""
    made = Scenario(
        text,
        text[::-1],
        calls=[At(time, "server", "CLOSE")],
        network=[Inject(time, "client", "<SEQ=90><CTL=SYN>")],
        receivers=receivers,
        delay=time,
    )
    assert evaluated(python(made)) == made
