"""The words of the handouts. Part of `words`."""

from typing import Final

HANDOUTS: Final = {
    "handout_student": "For students",
    "handout_teacher": "For the teacher",
    "handout_name": "Name",
    "handout_page": "{number} of {count}",
    "handout_licence": "tcpviz: text and pictures CC BY 4.0, code BSD 3-Clause",
    "handout_because": "because",
    "handout_runs": "The runs",
    "handout_runs_first": "Write down what you predict before you look here.",
    "handout_see_run": "Then look at run {run}, on page ",
    "handout_run": "Run {run}: {title}",
    "handout_asked_on": "asked on page ",
    "handout_happens": "This happens.",
    "handout_refuted": "A run that refutes it:",
    "handout_solution": "Solution",
    "handout_turned": "{control}: {choice}",
    "handout_no_folder": "{folder}: no notebooks there",
    "handout_unknown": "no notebook {name!r}; there are: {names}",
    "handout_no_notebook": "{file}: not a notebook: {reason}",
    "handout_not_run": "{file}: cell {number} has not been run (python3 lab.py notebooks runs all)",
    "handout_error": "{file}: cell {number} has ended in an error",
    "handout_needs": "handouts are made by {package}, which is not installed "
    "(python3 lab.py handouts brings it)",
}
