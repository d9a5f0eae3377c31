"""Questions to predict: one right answer each, read off the run, and never two."""

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from test_properties import run, scenarios

from tcpviz.questions import KINDS, QuestionError, questions
from tcpviz.scenarios import SCENARIOS
from tcpviz.segment import ACK, FIN, RST, SYN, add
from tcpviz.simulate import simulate
from tcpviz.sources import read
from tcpviz.states import State
from tcpviz.steps import Kind
from tcpviz.words import ENGLISH, say

RECORDINGS = Path(__file__).parent / "data" / "recordings"
CAPTURES = sorted(RECORDINGS.glob("*.pcapng"))
ONE_SIDED = [path for path in CAPTURES if path.name.count(".") == 2 and len(read(path))]
HARM = {"two_way_ghost", "no_time_wait"}
"""Runs that show what a wrong answer would do; the others show it wrong."""

MISCONCEPTIONS = {
    "the handshake only shows that both can send and receive": ("handshake", "myth_two"),
    "a SYN shows that its receiver is heard": ("handshake", "myth_heard"),
    "a receiver knows that a SYN is old": ("old_duplicate_syn", "myth_two"),
    "four segments cannot open": ("simultaneous_open", "myth_three_only"),
    "four segments are needed to open": ("handshake", "myth_four"),
    "the ACK number is arbitrary": ("handshake", "myth_same_number"),
    "an ACK is acknowledged": ("open_and_close", "myth_ack_of_ack"),
    "the third segment cannot carry data": ("send_opens", "myth_third_bare"),
    "accept() performs the handshake": ("handshake", "myth_accept"),
    "an overflow of the backlog refuses": ("accept_queue_full", "myth_backlog"),
    "CLOSED answers nothing": ("refused", "why_not_nothing_rst"),
    "a listener is the connection": ("old_duplicate_syn", "myth_listener"),
    "FIN: I neither talk nor listen": ("half_close", "myth_fin_both"),
    "a close takes four": ("close_in_three", "myth_always_four"),
    "the kernel sends the FIN": ("close_in_four", "myth_kernel_fin"),
    "the ACK of a FIN leaves at once": ("close_in_three", "myth_never_delayed"),
    "FIN,ACK of a FIN is simultaneous close": ("close_in_three", "myth_merged"),
    "the client gets TIME-WAIT": ("server_closes_first", "myth_role"),
    "the server keeps TIME-WAIT": ("open_and_close", "myth_role"),
    "one end alone waits": ("simultaneous_close", "why_not_alone"),
    "TIME-WAIT is not needed": ("open_and_close", "myth_no_time_wait"),
    "TIME-WAIT runs on": ("lost_last_ack", "why_timer_not_runs_on"),
    "old data is told from new": ("short_time_wait", "why_data_not_dropped"),
    "2MSL is a round trip": ("open_and_close", "myth_round_trip_wait"),
    "Linux waits four minutes": ("open_and_close", "myth_four_minutes"),
    "tcp_fin_timeout is TIME-WAIT": ("linux_close_wait", "myth_fin_timeout"),
    "tcp_tw_recycle": ("port_reuse", "myth_tw_recycle"),
    "TIME-WAIT is a leak, a connection a port": ("open_and_close", "myth_leak"),
    "SYNs always double": ("linux_syn_timeouts", "myth_always_doubles"),
    "SYNs are sent evenly": ("no_answer", "myth_same_wait"),
    "a timer ends CLOSE-WAIT": ("close_wait", "myth_close_wait_timer"),
    "a sysctl ends CLOSE-WAIT": ("close_wait", "myth_sysctl"),
    "the peer ends CLOSE-WAIT": ("linux_close_wait", "myth_peer_gone"),
    "close() sends FIN": ("close_with_data_unread", "myth_close_fin"),
    "SHUT_RD tells the peer": ("data_after_close", "myth_shut_rd"),
    "any RST kills: TIME-WAIT": ("time_wait_ignores_rst", "myth_any_rst_waiting"),
    "any RST kills: the window": ("reset_beside_the_number", "myth_any_rst"),
    "a RST is answered": ("abort", "myth_rst_answered"),
    "a SYN resets a half-open peer": ("half_open", "myth_syn_resets"),
    "both are ESTABLISHED at once": ("handshake", "myth_together"),
    "a cable pulled closes": ("keep_alive", "myth_notices_soon"),
    "a crash says goodbye": ("half_open", "myth_notices_fin"),
    "cookies are always on": ("syn_cookie", "myth_cookies"),
    "more ACKs make certain": ("handshake", "myth_certain"),
    "an orderly close loses nothing": ("data_after_close", "why_data_not_taken"),
    "one MSL would do": ("open_and_close", "myth_one_msl"),
    "crossing SYNs establish": ("simultaneous_open", "myth_crossing"),
}
FIGURE_5_OMITS = "Figure 5 is a summary"


def everything(trace):
    """All that can be asked of a trace."""
    found = []
    for kind in KINDS:
        try:
            found += questions(trace, pin=[kind])
        except QuestionError:
            continue
    return found


@cache
def of_scenarios():
    """Each named scenario's trace with all its questions."""
    runs = {name: simulate(scenario) for name, scenario in SCENARIOS.items()}
    return {name: (trace, everything(trace)) for name, trace in runs.items()}


@pytest.fixture(scope="module")
def asked():
    """What can be asked of the named scenarios."""
    return of_scenarios()


@pytest.fixture(scope="module")
def captured():
    """The first connection of each recording with all its questions."""
    traces = {path.name: read(path)[0] for path in CAPTURES if len(read(path))}
    return {name: (trace, everything(trace)) for name, trace in traces.items()}


def fits(trace, question, text):
    """Whether an answer is what happened, found out anew from the steps alone."""
    step = trace.steps[question.step]
    later = trace.steps[question.step + 1 :]
    match question.kind:
        case "state":
            now = [s.state for s in trace.of(step.end) if s.time == step.time]
            passed = {part.split(": ")[0] for part in step.edges[1:]}
            if step.state == "ESTABLISHED" and step.segment and step.segment.ctl == SYN:
                passed.discard("SYN-RECEIVED")  # by the broken rule it does not stop there
            return text == step.state or (text != now[-1] and text in passed)
        case "sends":
            left = [s for s in later if s.end == step.end and s.kind is Kind.DEPART]
            if trace.source == "simulation":
                left = [s for s in left if s.time == step.time]
            else:
                left = left[:1]
            sent = []
            for each in left:
                control = ",".join(
                    n for n in each.segment.control.split(",") if n in "SYNACKFINRST"
                )
                octets = each.segment.length
                sent.append(f"{control} with {octets} octets" if octets else control)
            return text == (" + ".join(sent) or "nothing")
        case "number":
            answer = next(s for s in later if s.kind is Kind.DEPART and s.end == step.end)
            ack = answer.segment.ack
            base = (
                0 if trace.source == "simulation" else trace.base(trace.other(step.end).name, ack)
            )
            return int(text) == (ack - base) % 2**32
        case "user":
            return text == (step.says or "nothing")
        case "retransmission":
            seq = next(s for s in later if s.end == step.end and s.segment).segment.seq
            sent = [s for s in trace.steps[: question.step] if s.kind is Kind.DEPART]
            last = max(
                s.time
                for s in sent
                if s.end == step.end and s.segment.seq == seq and s.segment.span
            )
            return text == seconds(step.time - last)
        case "handshake":
            spans = [span for end in trace.ends for span in trace.spans(end.name)]
            done = sorted(s.since for s in spans if s.state is State.ESTABLISHED)[1]
            came = [s for s in trace.steps if s.kind is Kind.ARRIVE and s.time <= done]
            return text == f"{len(came)} segments"
        case "proof":
            peer = trace.other(step.end).name
            before = [s for s in trace.steps[: question.step] if s.end == step.end and s.segment]
            syns = [s.segment.seq for s in before if s.kind is Kind.DEPART and s.segment.ctl & SYN]
            answers = step.segment.ctl & ACK and any(
                0 < (step.segment.ack - seq) % 2**32 < 2**31 for seq in syns
            )
            return text == (
                f"that {peer} hears it now, and it hears {peer}"
                if answers
                else f"that {peer} has sent this, now or long ago"
            )
        case "established":
            since = {}
            for each in trace.steps:
                if each.state is State.ESTABLISHED:
                    since.setdefault(each.end, each.time)
            first = [end for end in since if since[end] == min(since.values())]
            return text == (first[0] if len(first) == 1 else "both at the same moment")
        case "time-wait":
            begin = ("CLOSED: active OPEN", "LISTEN: rcv SYN", "TIME-WAIT: rcv SYN")
            opens = (i for i, s in enumerate(later) if set(begin) & set(s.edges))
            here = later[: next(opens, None)]
            ends = {s.end for s in here if s.state is State.TIME_WAIT}
            return text == ("both" if len(ends) == 2 else next(iter(ends), "neither"))
        case "duration":
            timer = next(t for t in step.timers if t.name == "2MSL")
            return text.startswith(f"{seconds(timer.until - timer.since)}:")
        case "timer":
            timers = [t for t in step.timers if t.name == "2MSL"]
            again = any(t.since == step.time for t in timers)
            return text == (
                "it stops" if not timers else "it starts again" if again else "it runs on"
            )
        case "close-wait":
            left = next((s for s in later if s.end == step.end and s.state != "CLOSE-WAIT"), None)
            assert (
                left is None or left.text in ("CLOSE", "half-duplex CLOSE") or left.kind == "depart"
            )
            return text == say("ask_own_close")
        case "silence":
            after = next((s for s in later if s.end != step.end and s.kind is not Kind.CALL), None)
            assert after is None or after.time > step.time
            return text.startswith("nothing for now")
        case "data":
            reset = any(
                s.time == step.time and s.end == step.end and s.segment and s.segment.ctl & RST
                for s in later
            )
            number = add(step.segment.seq, step.segment.length)
            wanted = step.variables.rcv_nxt if step.variables else None
            fin = bool(step.segment.ctl & FIN)
            before = [s for s in trace.steps[: question.step] if s.end == step.end and s.variables]
            known = before[-1].variables.rcv_nxt if before else None
            taken = wanted in (number, add(number, fin)) and wanted != known
            if reset:
                return "RST" in text
            return ("gets" if taken else "dropped") in text
    raise AssertionError(question.kind)


def seconds(time):
    """A duration as choices print it."""
    text = f"{time / 1e9:.3f}".rstrip("0").rstrip(".") if time >= 1e9 else ""
    return f"{text} s" if text else f"{time / 1e6:.3f}".rstrip("0").rstrip(".") + " ms"


@pytest.mark.parametrize("name", SCENARIOS)
def test_exactly_one_choice_is_what_happened(asked, name):
    """Read off the steps anew, the right choice is true of the run and no distractor is."""
    trace, found = asked[name]
    for question in found:
        true = [choice for choice in question.choices if fits(trace, question, choice.text)]
        assert [choice.text for choice in true] == [question.right.text], question
        assert [choice for choice in question.choices if choice.right] == true


@settings(max_examples=100, deadline=None)
@given(scenarios())
def test_exactly_one_choice_is_what_happened_on_any_network(scenario):
    """The same for random users on a network that loses, delays and duplicates."""
    trace = run(scenario)
    for question in everything(trace):
        true = [choice.text for choice in question.choices if fits(trace, question, choice.text)]
        assert true == [question.right.text], question


def test_exactly_one_choice_is_what_a_capture_saw(captured):
    """The same for recordings: every answer lies in the file."""
    assert sum(len(found) for _, found in captured.values()) > len(CAPTURES)
    for trace, found in captured.values():
        for question in found:
            true = [
                choice.text for choice in question.choices if fits(trace, question, choice.text)
            ]
            assert true == [question.right.text], question


def test_the_choices_are_a_few_and_differ(asked, captured):
    """Three to five choices, no two alike, each with a reason in a sentence."""
    for trace, found in (*asked.values(), *captured.values()):
        for question in found:
            texts = [choice.text for choice in question.choices]
            assert 3 <= len(set(texts)) == len(texts) <= 5
            assert all(choice.why.endswith(".") for choice in question.choices)
            assert question.prompt.endswith("?")
            assert 0 <= question.step < len(trace.steps)


@pytest.mark.parametrize("claim", MISCONCEPTIONS)
def test_each_misconception_can_be_met(asked, claim):
    """A named scenario has a question with that belief among its wrong answers, or corrected."""
    name, why = MISCONCEPTIONS[claim]
    _, found = asked[name]
    given = {choice.why for question in found for choice in question.choices}
    words = [ENGLISH[why].format(end=end) for end in ("client", "server")]
    assert not given.isdisjoint(words)


def test_what_figure_5_omits_is_said(asked):
    """A move that the RFC's diagram does not draw is called so where it is the answer."""
    _, found = asked["close_in_three"]
    assert any(FIGURE_5_OMITS in question.right.why for question in found)


def test_what_each_segment_proves_is_asked_where_it_is_pinned(asked):
    """A SYN proves least; only an answer proves that one is heard. Unpinned, nobody is asked."""
    trace, _ = asked["handshake"]
    rights = [question.right.text for question in questions(trace, pin=["proof"])]
    assert rights == [
        "that client has sent this, now or long ago",
        "that server hears it now, and it hears server",
        "that client hears it now, and it hears client",
    ]
    assert all(q.kind != "proof" for t, _ in asked.values() for q in questions(t))


@pytest.mark.parametrize(
    ("name", "old"),
    [("same_iss", 1), ("clocked_iss", 1), ("two_way_ghost", 1), ("normal", 0), ("lost_ack", 0)],
)
def test_old_data_is_called_so(asked, name, old):
    """Two segments may look alike: the question says which of them is not of this connection."""
    trace, found = asked[name]
    told = [q for q in found if q.kind == "data" and "not sent on this connection" in q.prompt]
    assert len(told) == old
    for question in told:
        flight = trace.flights[trace.steps[question.step].flight]
        arrived = trace.steps[question.step].time
        assert flight.sent is None or arrived - flight.sent > 1e9


def situation(trace, step):
    """What a reader sees to be the same: where the end is, and what comes or is called there."""
    step_ = trace.steps[step]
    before = [s.state for s in trace.steps[:step] if s.end == step_.end]
    what = step_.text
    if step_.kind is Kind.ARRIVE:
        what = f"{step_.segment.control} {bool(step_.segment.length)}"
    return before[-1] if before else State.CLOSED, step_.kind, what


def test_a_refutation_refutes(asked):
    """The run that a wrong answer names comes to the same situation, and goes on as this one does.

    Or it does what the wrong answer says, and harm comes of it. It is never the run itself.
    """
    named = set()
    for name, (trace, found) in asked.items():
        for question in found:
            for choice in question.choices:
                if choice.refutation is None:
                    continue
                named.add(choice.refutation)
                assert not choice.right
                assert choice.refutation != name
                there, at = asked[choice.refutation][0], choice.refuted_at
                assert choice.run == there
                assert situation(there, at) == situation(trace, question.step), (name, choice)
                if choice.refutation in HARM:
                    continue
                rights = [
                    other.right.text
                    for other in asked[choice.refutation][1]
                    if (other.step, other.kind) == (at, question.kind)
                ]
                assert rights == [question.right.text], (name, question, choice)
    assert len(named) > 12


def test_a_run_that_does_not_come_to_the_same_refutes_nothing(asked):
    """Of crossing FINs no run without them tells; a play of the run itself tells nothing more."""
    for name, kind in (("simultaneous_close", "time-wait"), ("open_and_close", "time-wait")):
        (question,) = questions(asked[name][0], pin=[kind])
        named = {choice.text: choice.refutation for choice in question.choices}
        assert named["client"] is None
        assert named["server"] is None


def test_a_run_by_another_name_refutes_nothing_about_itself():
    """A lesson may rename a run whose name tells the answer; then too it is not played again."""
    named = SCENARIOS["close_in_three"]
    trace = simulate(replace(named, name="a race"))
    wrong = [choice for question in questions(trace, pin=[11, 13]) for choice in question.choices]
    assert {choice.refutation for choice in wrong} == {None}


def test_a_run_under_other_rules_that_does_no_harm_refutes_nothing(asked):
    """Four segments are possible: the words say why they are needless, and no run is offered."""
    for _, made in asked.values():
        for question in made:
            assert "four_segment_handshake" not in {c.refutation for c in question.choices}
    (question,) = questions(asked["handshake"][0], pin=["handshake"])
    assert {choice.refutation for choice in question.choices} == {None}


def test_the_harm_is_done(asked):
    """The runs of the broken rules do what the words against them say."""
    ghost, none = (asked[name][0] for name in ("two_way_ghost", "no_time_wait"))
    assert State.ESTABLISHED in {span.state for span in ghost.spans("server")}
    assert State.ESTABLISHED not in {span.state for span in ghost.spans("client")}
    assert any(flight.segment.ctl & RST for flight in none.flights)


def test_questions_are_few_and_in_order(asked):
    """About five, one a step, in the order of the steps; every classroom case has some."""
    counts = Counter()
    for name, (trace, _) in asked.items():
        chosen = questions(trace)
        steps = [question.step for question in chosen]
        assert steps == sorted(set(steps))
        counts[len(chosen)] += 1
        assert len(chosen) >= 3 or "_in_" in name or len(trace.steps) < 12, name
    assert max(counts) <= 6


@pytest.mark.parametrize(
    ("name", "kind", "right"),
    [
        ("server_closes_first", "time-wait", "server"),
        ("open_and_close", "time-wait", "client"),
        ("simultaneous_close", "time-wait", "both"),
        ("close_wait", "close-wait", "a CLOSE by its own application"),
        ("lost_last_ack", "timer", "it starts again"),
        ("close_with_data_unread", "sends", "RST"),
        ("close_in_three", "state", "TIME-WAIT"),
        ("half_open", "sends", "ACK"),
        ("keep_alive", "silence", "nothing for now: it stays in ESTABLISHED"),
        ("no_answer", "retransmission", "2 s"),
        ("refused", "user", "error: connection reset"),
        ("short_time_wait", "data", "the user gets it, as data of this connection"),
    ],
)
def test_what_a_scenario_is_about_is_asked(asked, name, kind, right):
    """The question that decides a classroom case is among those chosen without a pin."""
    trace, _ = asked[name]
    assert (kind, right) in [(q.kind, q.right.text) for q in questions(trace)]


def test_the_right_answer_has_no_place_of_its_own(asked):
    """Over all questions each of the first three places has a fair share of the right answers."""
    found = {question for _, questions in asked.values() for question in questions}
    places = Counter(question.choices.index(question.right) for question in found)
    assert all(places[place] > len(found) / 6 for place in range(3))


def test_the_same_trace_asks_the_same():
    """Order and words follow from the trace alone."""
    first, second = (questions(simulate(SCENARIOS["normal"])) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("path", ONE_SIDED, ids=lambda path: path.name)
def test_a_one_sided_capture_is_asked_nothing_about_the_far_end(path):
    """Each question is about a step at the end that was watched, and about no other end."""
    trace = read(path)[0]
    far = next(end for end in trace.ends if not end.observed)
    for question in everything(trace):
        assert trace.steps[question.step].end == trace.other(far.name).name
        assert far.name not in question.prompt
        assert question.kind in ("state", "sends", "number", "close-wait")


def test_pins_choose(asked):
    """A step gives one question there, a kind all of its kind, a pair the one; all go together."""
    trace, _ = asked["open_and_close"]
    (one,) = questions(trace, pin=[5])
    assert one.step == 5
    kinds = {question.kind for question in questions(trace, pin=["number"])}
    assert kinds == {"number"}
    both = questions(trace, pin=["time-wait", 5])
    assert sorted(question.step for question in both) == [5, *[q.step for q in both if q.step != 5]]
    assert len(both) == 2
    (pair,) = questions(trace, pin=[(10, "sends")])
    assert (pair.step, pair.kind) == (10, "sends")


def test_a_pin_that_asks_nothing_is_told(asked):
    """A kind or a step at which nothing can be asked is one sentence with what there is."""
    trace, _ = asked["handshake"]
    with pytest.raises(QuestionError, match=r"'time-wait'.*one of handshake, .*steps 1, 3"):
        questions(trace, pin=["time-wait"])
    with pytest.raises(QuestionError, match="nothing can be asked at 99"):
        questions(trace, pin=[99])


def test_nothing_is_asked_of_nothing():
    """A trace without steps has no questions."""
    trace = simulate(SCENARIOS["handshake"])
    empty = type(trace)(trace.ends, ())
    assert questions(empty) == ()


def test_the_player_gets_small_data(asked):
    """The data of a question is JSON, and the questions of a trace are less than its chart."""
    for trace, _ in asked.values():
        data = [question.as_data() for question in questions(trace)]
        assert len(json.dumps(data)) < 6000
        for entry, question in zip(data, questions(trace), strict=True):
            assert entry["choices"][entry["right"]]["text"] == question.right.text
            assert json.loads(json.dumps(entry)) == entry


def test_every_kind_is_asked_somewhere(asked):
    """No kind of question is idle."""
    assert {question.kind for _, found in asked.values() for question in found} == set(KINDS)
