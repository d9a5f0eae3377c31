"""Reasons and prompts of all questions of all named runs: true of the run, and enough to answer."""

import re
from collections import defaultdict
from dataclasses import replace

import pytest
from test_questions import everything, of_scenarios

from tcpviz.questions import questions
from tcpviz.rules import LINUX, RFC9293, Rules
from tcpviz.scenarios import SCENARIOS
from tcpviz.segment import add
from tcpviz.simulate import simulate
from tcpviz.sources import read
from tcpviz.steps import Kind
from tcpviz.words import ENGLISH, LANGUAGES, say, use

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
    return [
        (name, trace, q) for name, (trace, all_of_it) in of_scenarios().items() for q in all_of_it
    ]


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


def arrived(trace, question):
    """The control bits of the segment that arrives, none where none does."""
    step = trace.steps[question.step]
    return set(step.segment.control.split(",")) if step.kind is Kind.ARRIVE else set()


def test_what_moves_an_end_is_what_comes(asked):
    """Of a state that is left it is never said that what leads away is what did not happen."""
    for name, trace, question in asked:
        for choice in question.choices:
            event = re.match(r"(.+?) leads from", choice.why)
            if not event or "No single" in event[1]:
                continue
            step = trace.steps[question.step]
            if step.kind is Kind.ARRIVE:
                assert event[1] in EVENTS, (name, question.step, choice)
                assert set(EVENTS[event[1]].split(",")) <= arrived(trace, question), choice
            else:
                assert not event[1].startswith("rcv"), (name, question.step, choice)
            assert step.text != "keep-alive", (name, question.step, choice)


def test_an_ack_takes_no_other_event(asked):
    """Too many segments are answered by an ACK to say that only a certain other one is."""
    for name, _, question in asked:
        for choice in question.choices:
            if question.kind == "sends" and choice.text == "ACK":
                assert not choice.why.startswith("That takes another"), (name, question.step)


def test_what_only_a_rule_makes_wrong_is_said_so():
    """Where the standard's rules would make a choice right, its reason names the rule."""
    found = 0
    for scenario in SCENARIOS.values():
        if scenario.rules == RFC9293:  # the same run with the same questions
            continue
        trace, plain = (simulate(s) for s in (scenario, replace(scenario, rules=RFC9293)))
        rights = {(q.step, q.kind): q.right.text for q in everything(plain)}
        for question in everything(trace):
            same = trace.steps[: question.step] == plain.steps[: question.step]
            right = rights.get((question.step, question.kind))
            if not same or right == question.right.text or question.kind == "established":
                continue
            for choice in question.choices:
                if choice.text == right:
                    found += 1
                    assert re.search(r"RFC 9293|\brule\b|to the letter|Without", choice.why), (
                        scenario.name,
                        question.step,
                        question.kind,
                        choice,
                    )
    assert found > 10


def test_a_prompt_tells_what_decides_beside_the_numbers(asked):
    """How much data comes decides nothing about its fate: runs that differ by it answer alike."""
    answers = defaultdict(dict)
    for name, trace, question in asked:
        if question.kind not in ("data", "state") or "<DATA=" not in question.prompt:
            continue
        numbers = re.search(r"SEQ=(\d+)>.*expected is (\d+)", question.prompt)
        prompt = re.sub(r"<[SA][EC][QK]=\d+>|DATA=\d+|\d+\.", "", question.prompt)
        ahead = numbers and int(numbers[1]) - int(numbers[2])
        answers[prompt, ahead].setdefault(question.right.text, (name, question.step))
        assert trace.steps[question.step].segment.length
    assert {prompt: given for prompt, given in answers.items() if len(given) > 1} == {}


def test_the_reason_for_lost_data_cites_where_it_arrives(asked):
    """§3.10.7.1 is of CLOSED: it is cited there alone."""
    for name, _, question in asked:
        if question.kind == "data":
            for choice in question.choices:
                assert ("§3.10.7.1" not in choice.why) or "in CLOSED" in question.prompt, name


def test_only_the_words_of_the_rfc_are_called_so(asked):
    """What is said at R1 and R2 the RFC does not word: such a question does not name it."""
    words = {
        "nothing",
        "error: connection reset",
        "error: connection refused",
        "error: connection closing",
        "error: connection aborted due to user timeout",
    }
    called = 0
    for name, trace, question in asked:
        if question.kind == "user" and "in the words of RFC 9293" in question.prompt:
            called += 1
            assert {choice.text for choice in question.choices} <= words, (name, question)
        elif question.kind == "user":
            assert trace.steps[question.step].kind is not Kind.ARRIVE, (name, question)
    assert called > 10


def test_a_keep_alive_is_no_retransmission(asked):
    """Who gives up after keep-alives is asked with their number; R1 and R2 do not count them."""
    told = [
        (trace, q) for _, trace, q in asked if trace.steps[q.step].text == "keep-alive"
    ]  # state and user, of two runs
    assert len(told) == 4
    for trace, question in told:
        end = trace.steps[question.step].end
        sent = [s for s in trace.steps[: question.step] if (s.end, s.text) == (end, "keep-alive")]
        assert f"after {len(sent)} keep-alives in a row without an answer" in question.prompt
        for choice in question.choices:
            assert "§3.8.3)" not in choice.why or "No RST came" in choice.why, choice


def test_only_calls_are_called(asked):
    """A user calls what §3.10 lists; a time that is over nobody calls."""
    calls = ("active OPEN", "SEND", "RECEIVE", "CLOSE", "half-duplex CLOSE", "ABORT")
    for name, _, question in asked:
        call = re.search(r"its user calls (.+?)(?: with \d+ octets)?\. ", question.prompt)
        assert call is None or call[1] in calls, (name, question.prompt)


def test_an_ack_that_came_is_not_said_to_be_missing(asked):
    """What was dropped at a full queue came: the end takes it not, which is another thing."""
    turned_off = set()
    for name, trace, question in asked:
        if question.kind != "retransmission":
            continue
        end = trace.steps[question.step].end
        before = [s for s in trace.steps[: question.step] if s.end == end and s.segment]
        sent = next(s for s in trace.steps[question.step + 1 :] if s.end == end and s.segment)
        number = add(sent.segment.seq, sent.segment.span)
        came = any(s.kind is Kind.ARRIVE and s.segment.ack == number for s in before)
        assert ("takes no ACK of it" in question.prompt) == came, (name, question.step)
        assert ("no ACK of it comes" in question.prompt) != came, (name, question.step)
        turned_off |= {name} if came else set()
    assert turned_off == {"accept_queue_full"}


def test_rules_are_told_in_words(asked):
    """Every rule has words, and no prompt shows the name that it has in Python."""
    assert {name for name in Rules._fields if f"rule_{name}" not in ENGLISH} == set()
    for name, _, question in asked:
        assert not re.search(r"_| = ", question.prompt), (name, question.prompt)
    told = {name: simulate(SCENARIOS[name]).rules for name in SCENARIOS if "given_up" in name}
    assert told.pop("given_up_in_fin_wait_2") == ("an end gives up after 2 keep-alives",)
    assert told.pop("given_up") == ("data and FIN are given up after 7 retransmissions",)
    assert set(told.values()) == {("an end gives up after 2 retransmissions",)}
    odd = LINUX._replace(r2=-1, r2_syn=3).told()
    assert "data and FIN are given up after 0 retransmissions" in odd
    assert "an RTO of 120 s at most" in odd


def test_a_debatable_reading_is_called_one(asked):
    """I-13: that SYN-RECEIVED takes a FIN whose ACK it refused is asked as one reading."""
    for name, trace, question in asked:
        if name == "stray_ack" and {"FIN", "ACK"} == arrived(trace, question):
            assert "§3.10.7.4 to the letter" in question.prompt
            if question.kind == "state":
                whys = {choice.text: choice.why for choice in question.choices}
                assert "letter" in whys["CLOSE-WAIT"]
                assert "letter" in whys["SYN-RECEIVED"]


def test_a_run_against_closing_in_silence_does_not_close_so(asked):
    """Where no segment comes the end stays: the run that shows it ends with the end as it was."""
    named = 0
    for name, _, question in asked:
        for choice in question.choices:
            if question.kind == "silence" and choice.text == say("ask_notices_soon"):
                named += choice.run is not None
                if choice.run:
                    run = choice.run
                    other = run.other(run.steps[choice.refuted_at].end).name
                    assert run.of(other)[-1].state == "ESTABLISHED", name
    assert named


def test_old_data_is_refuted_by_old_data(asked):
    """A run refutes an answer about old data only where old data comes, and of new where new."""
    prompts = {(name, q.step, q.kind): q.prompt for name, _, q in asked}
    named = 0
    for name, _, question in asked:
        if question.kind != "data":
            continue
        old = "not sent on this connection" in question.prompt
        for choice in question.choices:
            if choice.refutation:
                named += old
                there = prompts[choice.refutation, choice.refuted_at, "data"]
                assert ("not sent on this connection" in there) == old, (name, choice)
    assert named


def test_another_language_leaves_the_refutations(monkeypatch):
    """What is known of the other runs is kept in the language that is spoken, and in no other."""
    trace = simulate(SCENARIOS["same_iss"])
    before = questions(trace)
    monkeypatch.setitem(LANGUAGES, "xx", {key: f"~{text}" for key, text in ENGLISH.items()})
    use("xx")
    try:
        assert questions(trace) != before
    finally:
        use("en")
    assert questions(trace) == before
    assert any(choice.refutation for question in before for choice in question.choices)
