"""The paragraph that tells a trace to those who do not see its picture."""

from pathlib import Path

import pytest

from tcpviz import MS, At, On, Scenario, read
from tcpviz.pictures.summary import summary
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.steps import End
from tcpviz.trace import Trace

ROOT = Path(__file__).parents[1]
OPENS = (
    "server listens. client opens actively at 0 ms. client becomes ESTABLISHED at 100 ms. "
    "server becomes ESTABLISHED at 150 ms."
)


def told(name: str) -> str:
    return summary(simulate(SCENARIOS[name]))


def test_a_whole_connection_in_one_paragraph() -> None:
    """Who opened, what was exchanged, who closed first, who waited, how it ended: all of it."""
    assert told("normal") == (
        f"client and server exchange 11 segments in 60.56 s. {OPENS} "
        "Data: 100 octets from client and 2000 octets from server. "
        "client closes first: it sends FIN at 400 ms. server sends FIN at 510 ms. "
        "client waits in TIME-WAIT for 60 s, from 560 ms on. client and server end in CLOSED."
    )


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        (
            "lost_syn",
            "Lost on the way: SYN of client at 0 ms. Sent again: SYN of client at 1 s.",
        ),
        (
            "no_answer",
            "client never becomes ESTABLISHED. "
            "Lost on the way: SYN of client at 0 ms, 1 s, 3 s, 7 s and 15 s.",
        ),
        (
            "simultaneous_open",
            "client and server open actively at the same time.",
        ),
        (
            "simultaneous_close",
            "Both close before they hear of each other: they send FIN, client at 300 ms and "
            "server at 310 ms.",
        ),
        (
            "close_wait",
            "server never closes. client ends in FIN-WAIT-2.",
        ),
        ("duplicated_fin", "Delivered more than once: FIN,ACK of server at 360 ms."),
        ("old_duplicate_syn", "Old, and not sent by anybody here: SYN of client at 20 ms."),
        ("abort", "client: ABORT at 250 ms."),
        ("abort", "Users are told: server, “error: connection reset” at 300 ms."),
        ("half_open", "client: crash at 300 ms. client: restart at 400 ms."),
        ("half_open", "client opens actively at 0 ms and 400 ms."),
        (
            "keep_alive",
            "7200.1 s, 7275.1 s, 7350.1 s, 7425.1 s, 7500.1 s and 4 more.",
        ),
        (
            "user_timeout",
            "10 octets from client at 1.2 s, 3.2 s, 7.2 s, 15.2 s, 31.2 s and",
        ),
        ("port_reuse", "server waits in TIME-WAIT for 1.64 s, from 410 ms on."),
        ("no_answer", "Timers still running at the end: RTO of client."),
    ],
)
def test_what_went_another_way_is_told(name: str, sentences: str) -> None:
    """Losses, crossings, old segments, crashes, leaks: each with its times."""
    assert sentences in told(name)


def test_what_is_left_running_is_told() -> None:
    """A run that stops early leaves a timer, and a segment on its way."""
    calls = [At(0, "server", "passive OPEN"), At(0, "client", "active OPEN")]
    assert summary(simulate(Scenario(calls=calls, until=120 * MS))).endswith(
        "client ends in ESTABLISHED. server ends in SYN-RECEIVED. "
        "Timers still running at the end: RTO of server. "
        "Still on the way at the end: ACK of client at 100 ms."
    )


def test_one_octet_and_one_segment_are_singular() -> None:
    """A count of one is told as one."""
    calls = [At(0, "server", "passive OPEN"), At(0, "client", "active OPEN")]
    sends = Scenario(calls=calls, reactions=[On("client", "ESTABLISHED", "SEND", octets=1)])
    assert "Data: 1 octet from client." in summary(simulate(sends))
    nobody = Scenario(calls=calls[1:], until=10 * MS)
    assert summary(simulate(nobody)).startswith("client and server exchange one segment in")


def test_a_recording_says_what_nobody_saw() -> None:
    """States are inferred, and of the other end of a one-sided recording nothing is said."""
    both = summary(read(ROOT / "notebooks" / "captures" / "lost_fin.pcapng")[0])
    assert "Nobody saw the states: they are inferred from the segments." in both
    assert "Lost on the way: FIN,ACK of client" in both
    one = ROOT / "tests" / "data" / "recordings" / "lost_fin.client.pcapng"
    alone = summary(read(one)[0])
    assert "What happened at server was not observed." in alone
    assert "Lost on the way" not in alone
    assert "server ends" not in alone


def test_an_empty_trace_is_told() -> None:
    """Nothing happened."""
    silence = summary(Trace((End("a"), End("b")), ()))
    assert silence == "No segment passes between a and b, for 0 ms."
