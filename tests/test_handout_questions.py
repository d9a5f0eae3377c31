"""What a student's sheet tells before a question is answered: nothing that answers it."""

import json
import re
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from small_lesson import run, text

from tcpviz import SCENARIOS, sequence_chart, simulate
from tcpviz.handouts.chapter import read
from tcpviz.handouts.sheet import document
from tcpviz.panels import panel
from tcpviz.player import Player
from tcpviz.scenario import Lose
from tcpviz.steps import Kind

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
DATA = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)
TOLD = re.compile(r"<title>.*?</desc>", re.DOTALL)


def chapter_of(folder, *cells):
    """The chapter of these cells, as if they had been run."""
    code = (cell for cell in cells if cell.cell_type == "code")
    for number, cell in enumerate(code, start=1):
        cell.execution_count = cell.outputs[0].execution_count = number
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), folder / "a.ipynb")
    return read(folder / "a.ipynb")


def played(chapter):
    """The data of each Player that asks."""
    for cell in chapter.notebook.cells:
        for output in cell.get("outputs", ()):
            for script in DATA.findall(output.get("data", {}).get("text/html", "")):
                data = json.loads(script).get("data", {})
                if "questions" in data:
                    yield data


def later(data, number):
    """The segments that a run sends from a step on, and not before, as the text has them."""
    sent = {step["f"]: n for n, step in reversed([*enumerate(data["steps"])]) if "f" in step}
    before = {data["flights"][flight]["n"] for flight, n in sent.items() if n <= number}
    return {data["flights"][flight]["n"] for flight, n in sent.items() if n > number} - before


def rounds(made):
    """The blocks of each round: its questions before the runs, and then its run."""
    asked = []
    for block in made["blocks"]:
        if block["kind"] == "code":
            asked = []
        asked.append(block)
        if block["kind"] == "see":
            yield [*asked, *made["runs"][block["run"] - 1]["blocks"]]
            asked = []


def answers_given_away(chapter, made):
    """Each question before which its round tells of a segment that the run sends only then."""
    asked = [blocks for blocks in rounds(made) if any(b["kind"] == "question" for b in blocks)]
    found = []
    for data, blocks in zip(played(chapter), asked, strict=True):
        for each in data["questions"]:
            shown = [b.get("prompt") for b in blocks]
            place = shown.index(each["prompt"])
            ends = [n for n, b in enumerate(blocks) if n > place and b["kind"] in ("see", "turn")]
            told = TOLD.sub("", json.dumps(blocks[: [*ends, len(blocks)][0]], ensure_ascii=False))
            if any(segment in told for segment in later(data, each["step"])):
                found.append(each["prompt"])
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_question_is_answered_before_it_is_asked(path):
    """Nor on its own page: what a run sends at the moment of a question is told on a later one."""
    chapter = read(path)
    assert answers_given_away(chapter, document(chapter, {}, teacher=False)) == []


@pytest.fixture
def twice(tmp_path):
    """A chapter whose one Player asks two questions, the second of which tells of the first."""
    asks = Player(SCENARIOS["half_open"], questions=[12, 14])
    cells = [text("# A?\n\n**Predict**: who?"), run("Player(...)", asks), text("**Observe**: so.")]
    return chapter_of(tmp_path, *cells)


def test_one_question_of_a_run_is_asked_at_a_time(twice):
    """The first before the runs; the next one at the run, and the run on the page after it."""
    made = document(twice, {}, teacher=False)
    asked = ["pictures", "question", "room"]
    assert [each["kind"] for each in made["blocks"]] == ["prose", "code", *asked, "see"]
    [only] = made["runs"]
    rest = ["turn", "pictures", "pictures", "prose"]
    assert [each["kind"] for each in only["blocks"]] == [*asked, *rest]
    assert answers_given_away(twice, made) == []


def test_a_planted_answer_is_found(twice):
    """The check above sees a later question that stands where the first one does."""
    made = document(twice, {}, teacher=False)
    wrong = deepcopy(made)
    wrong["blocks"][-1:-1] = wrong["runs"][0]["blocks"][:3]
    del wrong["runs"][0]["blocks"][:3]
    assert answers_given_away(twice, wrong)


def test_the_chart_before_a_question_is_what_had_happened(twice):
    """It is drawn of the run stopped there, and has a picture for each question."""
    trace = simulate(SCENARIOS["half_open"])
    [_, output] = twice.cells[:2]
    [shown] = output.shown
    for each, step in zip(shown.asked, (12, 14), strict=True):
        assert each.question.step == step
        assert each.before.svg == sequence_chart(trace, until=step).svg
    assert shown.images[0].svg == sequence_chart(trace).svg


def seen(scenario, until):
    """What a chart shows before a step, without its title."""
    trace = replace(simulate(SCENARIOS[scenario]), title="run")
    svg = sequence_chart(trace, until=until).svg
    return re.sub(r"<title>run</title>", "", svg)


@pytest.mark.parametrize(
    ("one", "other"),
    [("handshake", "lost_ack"), ("open_and_close", "lost_last_ack"), ("handshake", "lost_syn_ack")],
)
def test_a_chart_before_a_step_does_not_know_what_comes(one, other):
    """Runs that are alike so far are drawn alike: no fate, role, stop or scale is told early."""
    runs = [simulate(SCENARIOS[name]).steps for name in (one, other)]
    same = next(n for n, (a, b) in enumerate(zip(*runs, strict=False)) if a != b)
    assert same >= 4
    assert runs[0][same].kind is not runs[1][same].kind or runs[0][same] != runs[1][same]
    for until in (same - 2, same):
        assert seen(one, until) == seen(other, until)
    assert seen(one, same + 1) != seen(other, same + 1)


def test_before_the_first_step_both_ends_are_closed():
    """Nothing has happened yet, and nothing is unknown of a simulation; no bar is said to last."""
    chart = sequence_chart(simulate(SCENARIOS["handshake"]), until=0)
    assert len(re.findall(r">CLOSED<", chart.svg)) == 2
    one = sequence_chart(simulate(SCENARIOS["handshake"]), until=1)
    assert "nothing in this run ends" not in one.svg
    assert "the state goes on" in one.svg
    assert "never" not in one.alt


def test_a_chart_before_a_question_has_no_title():
    """A run's name may tell how it ends: none of it is drawn, said or in the text."""
    for name in SCENARIOS:
        chart = sequence_chart(simulate(SCENARIOS[name]), until=3)
        assert name not in (*re.findall(r"<text[^>]*>([^<]*)<", chart.svg), chart.title)


def test_a_panel_is_printed_for_the_choices_that_the_text_names(tmp_path):
    """In italics, before or after it; where it stands first, and then each, with its name."""
    cells = [
        text("# A?\n\n**Predict**: *SYN of the client*, or *nothing*? Say *why*."),
        run("panel", panel(SCENARIOS["handshake"], "lose")),
        text("**Observe**: with *ACK of the client*, the server repeats."),
    ]
    chapter = chapter_of(tmp_path, *cells)
    for teacher in (False, True):
        made = document(chapter, {}, teacher=teacher)
        blocks = made["blocks"] if teacher else made["runs"][0]["blocks"]
        shown = [each for each in blocks if each["kind"] in ("caption", "pictures")]
        named = [each["text"].rpartition(": ")[2] for each in shown if each["kind"] == "caption"]
        options = [control[2] for control in played_panel(chapter)]
        assert set(named) <= set(options[0])
        assert named[0] == options[0][0]
        assert len(named) == 3
        assert [each["kind"] for each in shown][-2:] == ["caption", "pictures"]
        for name, each in zip(named[1:], shown[-3::2], strict=True):
            lost = replace(SCENARIOS["handshake"], network=[losses()[name]])
            assert each["pictures"][0]["svg"].count("<polyline") == (
                sequence_chart(simulate(lost)).svg.count("<polyline")
            )


def losses():
    """What the panel loses, by the name of its choice."""
    return {f"{name} of the client": Lose("client", name) for name in ("SYN", "ACK")}


def played_panel(chapter):
    """The controls of the one panel of a chapter."""
    html = chapter.notebook.cells[1].outputs[0].data["text/html"]
    return json.loads(DATA.findall(html)[-1])["panel"]


def test_steps_are_counted_as_the_player_counts_them():
    """A question's number is that of a step in the trace."""
    trace = simulate(SCENARIOS["lost_ack"])
    [question] = Player(SCENARIOS["lost_ack"], questions=["retransmission"]).questions
    assert trace.steps[question.step].kind is Kind.TIMEOUT


def test_code_that_is_to_run_is_no_answer(tmp_path):
    """Below a prediction it stands with what it shows; a Player's, with its question."""
    cells = [text("# A?\n\n**Predict**: how many?"), run("print(63 << 10)", "64512")]
    made = document(chapter_of(tmp_path, *cells), {}, teacher=False)
    assert "63 <<" not in json.dumps(made["blocks"])
    assert "63 <<" in json.dumps(made["runs"])


def test_a_function_that_is_to_be_read_stands_at_the_question(tmp_path):
    """What it gives is in the runs."""
    read = run("def many():\n    return 63 << 10\n\n\nprint(many())", "64512")
    cells = [text("# A?\n\n**Predict**: read the function; how many?"), read]
    made = document(chapter_of(tmp_path, *cells), {}, teacher=False)
    assert "63 <<" in json.dumps(made["blocks"])
    assert "64512" not in json.dumps(made["blocks"])
    assert "64512" in json.dumps(made["runs"])


def test_a_table_that_answers_stands_in_the_run(tmp_path):
    """A section without code tells, and may tell what the question before it asks."""
    table = text("## Words\n\n| CLOSED | nothing to show |\n|---|---|\n| A | B |")
    asks = text("# A?\n\n**Predict**: how many?")
    ends = [text("**Observe**: ten."), table, text("## B\n\nGo."), run("2", "2")]
    made = document(chapter_of(tmp_path, asks, run("1", "ten"), *ends), {}, teacher=False)
    assert "nothing to show" not in json.dumps(made["blocks"])
    assert "nothing to show" in json.dumps(made["runs"])
    assert "Go." in json.dumps(made["blocks"])
