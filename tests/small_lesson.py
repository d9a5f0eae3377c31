"""A small chapter in the form of the course, with the outputs that its cells would have."""

from functools import cache

import nbformat
from lesson_form import FOLD
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tcpviz import SCENARIOS, sequence_chart, simulate
from tcpviz.exercise import EXERCISES
from tcpviz.player import Player

WIDGET = "application/vnd.jupyter.widget-view+json"
SOLUTION = {"jupyter": {"source_hidden": True, "outputs_hidden": True}, "tags": ["solution"]}
INSTRUCTOR = {"tags": ["instructor"]}
EXERCISE = EXERCISES["both_time_wait"]
SECRET = "SCENARIOS['simultaneous_close']"
FOR_TEACHERS = """**For the teacher**: what to answer to whom.

<details><summary>open</summary>

*the client closes twice*. One end only.

</details>"""
PLAYERS = (
    ("handshake", "established"),
    ("open_and_close", "time-wait"),
    ("lost_fin", "retransmission"),
)

FIRST = """# Who closes first?

*A small chapter. About 30 minutes.*

A close takes two halves, as [the RFC](https://www.rfc-editor.org/rfc/rfc9293) says.

At the end you can

- **read** a close;
- **explain** who waits in `TIME-WAIT`;
- **predict** what a lost FIN does."""

LAST = """## Summary

You have

- **read** a close;
- **explained** who waits;
- **predicted** a loss.

Next: [what comes then](02-handshake.ipynb)."""


def text(source, **metadata):
    """A cell of text."""
    return new_markdown_cell(source, metadata=metadata)


def run(source, shown, **metadata):
    """A cell of code, and the data that it showed."""
    if not isinstance(shown, dict):
        drawn = {"text/html": shown.html()} if hasattr(shown, "html") else {}
        shown = {**drawn, "text/plain": str(shown)}
    output = new_output("execute_result", shown)
    return new_code_cell(source, metadata=metadata, outputs=[output])


def player(name, question):
    """A cell with a Player that asks once."""
    made = Player(simulate(SCENARIOS[name]), questions=[question])
    return run(f'Player(SCENARIOS["{name}"], questions=["{question}"])', made)


@cache
def _cells():
    """The cells; drawing them takes a second, so they are made once."""
    cells = [text(FIRST)]
    for number, (name, question) in enumerate(PLAYERS, start=1):
        cells += [
            text(f"## Run {number}\n\nRead it.\n\n**Predict**: what happens in {name}?"),
            player(name, question),
            text(
                f"{FOLD}\n\n**Observe**: what the run of {name} shows.\n\n"
                f"**Explain**: §3.{number}.\n\n</details>"
            ),
        ]
    chart = sequence_chart(simulate(SCENARIOS["handshake"]))._repr_mimebundle_()
    cells += [
        text(
            "## Try\n\n| term | `ss` |\n|---|---|\n| SYN-RECEIVED | &lt;SYN-RECV&gt; |\n\nTurn it."
        ),
        run("panel(scenario)", {WIDGET: {"model_id": "1" * 32}, **chart}),
        text("## Make it\n\nBoth ends wait."),
        run("answer = ...\nEXERCISE.check(answer)", EXERCISE.check(...)),
        run(
            f"# A solution: look when you have yours.\nanswer = {SECRET}\nEXERCISE.check(answer)",
            EXERCISE.check(SCENARIOS["simultaneous_close"]),
            **SOLUTION,
        ),
        text(FOR_TEACHERS, **INSTRUCTOR),
        text(LAST),
    ]
    return cells


def lesson():
    """The chapter, numbered as the builder does it; to be changed at will."""
    notebook = new_notebook(cells=nbformat.from_dict([dict(cell) for cell in _cells()]))
    notebook = nbformat.reads(nbformat.writes(notebook), as_version=4)
    count = 0
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number:02}"
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                output.execution_count = count
    return notebook
