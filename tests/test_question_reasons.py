"""Reasons and prompts of all questions of all named runs: true of the run, and enough to answer."""

import re
from collections import defaultdict

import pytest
from test_questions import everything

from tcpviz.questions import questions
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.sources import read
from tcpviz.words import say

EVENTS = {
    "rcv SYN": "SYN",
    "rcv SYN,ACK": "SYN,ACK",
    "rcv ACK of SYN": "ACK",
    "rcv ACK of FIN": "ACK",
    "rcv FIN": "FIN,ACK",
    "rcv FIN,ACK of FIN": "FIN,ACK",
    "rcv RST": "RST",
}
SAYS_WHY = re.compile(
    r"§|Figure|RFC|Linux|two generals|TCP|queue|rule|cookie|needless", re.IGNORECASE
)


@pytest.fixture(scope="module")
def asked():
    """Each named run with all its questions."""
    runs = {name: simulate(scenario) for name, scenario in SCENARIOS.items()}
    return [(name, trace, q) for name, trace in runs.items() for q in everything(trace)]


def test_a_prompt_tells_enough(asked):
    """Where two runs ask alike, the right answer is the same: what decides is in the question."""
    answers = defaultdict(dict)
    for name, _, question in asked:
        answers[question.prompt].setdefault(question.right.text, (name, question.step))
    assert {prompt: given for prompt, given in answers.items() if len(given) > 1} == {}


def test_no_reason_speaks_against_itself(asked):
    """What comes is not called another event, nor a SYN an ACK, nor a thing a RST that is none."""
    for name, trace, question in asked:
        step = trace.steps[question.step]
        control = step.segment.control if step.segment and step.kind == "arrive" else ""
        bits = {bit for bit in control.split(",") if bit in ("SYN", "ACK", "FIN", "RST")}
        for choice in question.choices:
            event = re.match(r"That takes another event: (.+?) \(", choice.why)
            if event and event[1] in EVENTS:
                wanted = set(EVENTS[event[1]].split(","))
                assert bits != wanted, (name, question.step, choice)
            elif event:
                assert event[1] != step.text, (name, question.step, choice)
            if "Not every RST" in choice.why or "RST is never" in choice.why:
                assert "RST" in bits, (name, question.step, choice)
            if "bare ACK occupies" in choice.why or "All that came is an ACK" in choice.why:
                assert bits == {"ACK"}, (name, question.step, choice)
            if "SYNs cross" in choice.why and "do not" not in choice.why:
                syns = [f for f in trace.flights if f.segment.ctl == 2]
                assert len({f.sender for f in syns}) == 2, (name, question.step, choice)
            if question.kind == "time-wait" and "FINs cross:" in choice.why:
                fins = [f for f in trace.flights if f.segment.ctl & 1]
                assert fins[0].arrived[0] > fins[1].sent, (name, question.step, choice)
            assert choice.text.removeprefix("error: connection ") not in ("reset", "refused") or (
                choice.right or f"that is {choice.text}" not in choice.why
            )


def test_a_reason_says_why(asked):
    """Each names a section, a figure or whose rule it is; none says only that it is so."""
    for name, _, question in asked:
        for choice in question.choices:
            assert SAYS_WHY.search(choice.why), (name, question.step, choice)
            assert not re.search(r"does that|§[A-Z]|\{", choice.why), (name, choice)


def test_the_user_is_told_in_the_words_of_the_rfc(asked):
    """After a RST in SYN-SENT nobody is asked to tell reset from refused: both are said of it."""
    told = [
        q for name, _, q in asked if q.kind == "user" and name in ("refused", "listener_closes")
    ]
    assert len(told) == 2
    for question in told:
        assert all("refused" not in choice.text for choice in question.choices)
        assert "refused" in question.right.why
        assert "RFC 9293" in question.prompt


def test_what_was_sent_again_is_no_ack(asked):
    """Data is called data; an ACK is never said to be sent again."""
    kinds = {
        question.prompt.split(" has sent ")[1].split(",")[0]
        for _, _, question in asked
        if question.kind == "retransmission"
    }
    assert kinds == {"SYN", "FIN", "10 octets of data"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two_way_ghost", "a handshake of two segments"),
        ("four_segment_handshake", "a handshake of four segments"),
        ("time_wait_ignores_rst", "RFC 1337"),
        ("linux_close_wait", "Linux"),
        ("close_in_three", "ACKs are delayed by 40 ms"),
    ],
)
def test_the_rules_in_force_are_named(name, words):
    """A run of other rules says so in each question; one of the standard's says nothing."""
    for question in questions(simulate(SCENARIOS[name])):
        assert question.prompt.startswith("By the rules of this run (")
        assert words in question.prompt
    assert simulate(SCENARIOS["handshake"]).rules == ()


def test_a_broken_rule_leaves_the_right_one_to_choose():
    """Where two segments open, SYN-RECEIVED is offered, and refused for this rule alone."""
    question = questions(simulate(SCENARIOS["two_way_ghost"]), pin=["state"])[0]
    (other,) = [choice for choice in question.choices if choice.text == "SYN-RECEIVED"]
    assert other.why == say("away_two_way")


def test_unread_data_is_told():
    """Of two closes alike but for what was read, each question says which it is."""
    prompts = [
        next(
            q.prompt
            for q in questions(simulate(SCENARIOS[name]), pin=["sends"])
            if text in q.prompt
        )
        for name, text in (
            ("close_with_data_unread", "not read yet"),
            ("data_after_close", "All that"),
        )
    ]
    assert "10 octets not read yet" in prompts[0]


def test_a_number_before_the_syn_is_absolute(request):
    """An old duplicate of a capture, older than what numbers are counted from, is not negative."""
    recordings = request.path.parent / "data" / "recordings"
    for path in sorted(recordings.glob("*.pcapng")):
        for trace in read(path):
            for question in everything(trace):
                assert "=-" not in question.prompt, (path.name, question.prompt)
