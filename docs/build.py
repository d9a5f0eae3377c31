"""Make the pages of docs/ again: `python docs/build.py`. Each page is a function.

The pictures are drawn from captures and named scenarios, the tables come from tcpviz/rules.py and
tests/data.
"""

import ast
import json
import os
import re
import sys
from collections.abc import Callable
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Final

import tcpviz.rules
from tcpviz import SCENARIOS, read, sequence_chart, simulate, state_diagram
from tcpviz.edge_scenarios import EDGE_SCENARIOS
from tcpviz.pictures import Picture
from tcpviz.rules import LINUX, RFC9293, Rules
from tcpviz.scenario_text import python
from tcpviz.trace import Trace
from tcpviz.units import readable
from tcpviz.words import say

ROOT: Final = Path(__file__).resolve().parents[1]
_REQUIREMENTS: Final = ROOT / "tests" / "data" / "requirements.json"
_MADE: Final = "<!-- Made by docs/build.py; change what it reads, not this page. -->"

ISSUES: Final = {
    "I-1": "Figure 7 takes a SYN,ACK whose number the first check turns away",
    "I-2": "the FIN that comes again in TIME-WAIT fails the first check, and should restart 2MSL",
    "I-3": "whether the side that sends a RST waits in TIME-WAIT",
    "I-4": "in SYN-SENT a RST should carry RCV.NXT, which is not known there",
    "I-5": "the answer to the same SYN again in SYN-RECEIVED",
    "I-6": "whether a listener stays when a connection is made of it",
    "I-7": "where CLOSE in CLOSE-WAIT leads",
    "I-8": "how long MSL is",
    "I-9": "where SND.WND is set when the connection opens",
    "I-10": "whether Figure 5 alone can be run",
    "I-11": "a duplicate of the last ACK draws a RST that ends TIME-WAIT",
    "I-12": "two ends in TIME-WAIT that acknowledge each other's ACKs",
    "I-13": "whether a segment is dropped after the RST for its ACK in SYN-RECEIVED",
    "I-14": "which reading gives Figure 7",
}
"""Where RFC 9293 leaves room or contradicts itself."""

LINUX_LEAVES_OUT: Final = (
    "Timestamps decide nothing: Linux also reopens TIME-WAIT for a SYN of a lower number whose"
    " timestamp is newer, answers a segment whose timestamp is old by an ACK (PAWS), and reuses a"
    " TIME-WAIT (tcp_tw_reuse) only where both ends have them.",
    "tcp_tw_reuse is 2, for loopback alone, so that `reuse_after` is off; 1 s is its delay.",
    "A minisocket has the window of the moment when it was made; here windows never change.",
    "FIN-WAIT-2 of a user who has left becomes a minisocket only for its last 60 s; here for all"
    " of a longer tcp_fin_timeout.",
    "TIME-WAIT restarts also for a segment in order that has no ACK and carries nothing; here only"
    " what has an ACK counts.",
    "The limit on challenge ACKs of a whole host (tcp_challenge_ack_limit); only that of one"
    " connection is kept, `ack_throttle`.",
    "TCP_USER_TIMEOUT does not shorten the RTO before it; the connection ends at the timeout.",
    "Data that comes out of order is not kept, and there is no congestion window.",
)
"""Where LINUX is simpler than Linux, as far as is known."""

NO_RULE: Final = {
    "I-6": "No rule: the listener of the RFC turns into the connection. A server that goes on"
    ' listening is a reaction, `On("server", "CLOSED", "passive OPEN")`.',
    "I-7": "No choice is left: RFC 1122 corrected it, and RFC 9293 has LAST-ACK.",
    "I-8": "No rule but a number of the scenario: `msl`, 30 s unless given, because 2MSL is 60 s on"
    " Linux; the RFC takes 2 minutes.",
    "I-9": "Out of scope: the model has no send window.",
    "I-10": "No choice is left: the figure is a summary. The model runs the text of §3.10, and its"
    " table of moves holds those that the figure omits.",
}

TRACE_JSON: Final = {
    "trace": {
        "schema": "`tcpviz.trace/1`",
        "title": "what the trace is called",
        "source": "who wrote it: `simulation`, `capture` or `kernel`",
        "start_ns": "the time of the first step since the epoch, 0 where it happened nowhere",
        "ends": "both ends",
        "segments": "every segment's way, in order of departure",
        "steps": "what happened, in order of time",
        "notes": "sentences that a reader must know to read it right",
        "rules": "only where there are any: the rules of a simulation that are not the standard's,"
        " in words",
        "until_ns": "only where a simulation was stopped with something still to come: when",
    },
    "end": {
        "name": "as `from` and `end` have it",
        "address": "address and port, empty in a simulation",
        "iss": "its initial sequence number; null where its SYN was not seen",
        "counted_from": "only where `iss` is null: the number that the transcript counts from, one"
        " before the first that was seen; 0 where none was",
        "syn_seen": "whether its SYN was seen",
        "observed": "false where nobody watched this end (the far end of a one-sided capture)",
    },
    "segment": {
        "from": "the end that sent it, or that it claims to come from",
        "flags": "the control bits by name",
        "seq": "SEG.SEQ, counted from the sender's ISS; null where that is not known",
        "ack": "SEG.ACK, counted from the other's ISS; null without ACK, or where that is not"
        " known",
        "seq_absolute": "SEG.SEQ",
        "ack_absolute": "SEG.ACK, null without the flag ACK",
        "length": "octets of data",
        "window": "SEG.WND, not scaled",
        "options": "the options as pairs of name and value, in order",
        "sent_ns": "when it left; null where nobody saw it leave: see `unsent`",
        "arrived_ns": "when it arrived; null where nobody saw it arrive: see `fate`",
        "duplicates_arrived_ns": "when further copies arrived, which the network made",
        "unsent": "true where the end it claims to come from was watched and not seen to send it:"
        " an old duplicate of an earlier connection, a forgery, or octets that a network card cut"
        " up anew. False with `sent_ns` null: that end was not watched",
        "fate": "`delivered`, `lost` or `unknown`: not seen, or still on its way",
        "retransmission": "whether its numbers were sent before",
        "incarnation": "only where it is not 0: which of its sender's connections, counted from 0,"
        " a simulated segment belongs to",
    },
    "step": {
        "at_ns": "when",
        "end": "at which end; empty in the network. What dies and was not seen to leave is at"
        " the end that it was meant for",
        "kind": "`call` (of the user of TCP), `depart`, `arrive`, `lose` or `timeout`. A capture"
        " has no `call`: nobody saw one",
        "segment": "the index in `segments` of what departs, arrives or is lost",
        "state": "the state of that end after the step; missing where it is not known",
        "inferred": "true where nobody saw the state (or the loss): it follows from the segments",
        "edges": "the moves taken, each as `state before: event`. The state before the first move"
        " of an end is known from it, as LISTEN in `LISTEN: rcv SYN`",
        "text": "the call, or the name of the timer",
        "says": "what the user of TCP is told",
        "timers": "the timers that run after the step: `name`, `since` and `until`, in ns",
        "variables": "SND.UNA, SND.NXT and RCV.NXT, absolute, where they are known",
    },
}
"""What each field of the JSON of a trace means."""


def lost_fin_chart() -> str:
    """The README's sequence chart."""
    return sequence_chart(_lost_fin()).svg


def lost_fin_states() -> str:
    """The README's state diagram."""
    return state_diagram(_lost_fin()).svg


def _lost_fin() -> Trace:
    return read(ROOT / "notebooks" / "captures" / "lost_fin.pcapng")[0]


def rules() -> str:
    """Every rule with both choices, and which rule settles which known issue."""
    says = _documented()
    lines = [
        "# The rules where RFC 9293 leaves room",
        _MADE,
        "Each rule is a field of `tcpviz.rules.Rules`; its text says what holds with it and"
        " without it, or what its number means (0 is off; an R2 of -1 is no retransmission)."
        " `RFC9293` is the default, `LINUX` describes Linux 6.18. A scenario gives the rules of"
        " both ends as `rules`, those of the server alone as `server_rules`.",
        "\n".join(
            [
                "| rule | both choices | RFC9293 | LINUX |",
                "|---|---|---|---|",
                *(
                    f"| `{name}` | {_cell(says[name])} | {_value(name, RFC9293)} |"
                    f" {_value(name, LINUX)} |"
                    for name in Rules._fields
                ),
            ]
        ),
        "## The known issues",
        "\n".join(["| issue | what is open | settled by |", "|---|---|---|", *map(_issue, ISSUES)]),
        "## What LINUX does not do",
        "\n".join(f"- {each}" for each in LINUX_LEAVES_OUT),
    ]
    return "\n\n".join(lines) + "\n"


def _documented() -> dict[str, str]:
    """What stands below each field of Rules."""
    tree = ast.parse(Path(tcpviz.rules.__file__).read_text("utf-8"))
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Rules").body
    return {
        field.target.id: ast.literal_eval(text.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr)
    }


def settles(issue: str) -> list[str]:
    """The rules whose text names the issue."""
    return [name for name, text in _documented().items() if re.search(rf"\b{issue}\b", text)]


def _issue(issue: str) -> str:
    by = ", ".join(f"`{name}`" for name in settles(issue)) or NO_RULE[issue]
    return f"| {issue} | {_cell(ISSUES[issue])} | {_cell(by)} |"


def _value(name: str, rules: Rules) -> str:
    """A rule's value as a person says it: on and off, times with units."""
    value = getattr(rules, name)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(readable, value))
    return readable(value) if value >= 1000 else str(value)


def trace_json() -> str:
    """Every field that a trace's JSON has, and one of each kind of object."""
    data = read("handshake")[0].to_json()
    examples = {
        "end": data["ends"][0],
        "segment": data["segments"][1],
        "step": data["steps"][3],
    }
    parts = [
        "# The JSON of a trace",
        _MADE,
        "`tcpviz draw SOURCE -o trace.json` and `Trace.dumps()` write one trace. `tcpviz show"
        " SOURCE --json` writes all of a source: an object with `schema` (`tcpviz.traces/1`),"
        " `source`, `warnings` and `connections`, which are traces with a `number` each. `tcpviz`"
        " reads both back.",
        "Times are whole nanoseconds from the first step. A step leaves out the fields that have no"
        " value; elsewhere a field is always there, unless its line says `only where`.",
    ]
    for thing, fields in TRACE_JSON.items():
        rows = [f"| `{name}` | {_cell(means)} |" for name, means in fields.items()]
        parts += [f"## {thing}", "\n".join(["| field | is |", "|---|---|", *rows])]
        if thing in examples:
            parts.append(f"```json\n{json.dumps(examples[thing])}\n```")
    return "\n\n".join(parts) + "\n"


def conformance() -> str:
    """What the cases of others show, and every documented reason for a difference."""
    sys.path.insert(0, str(ROOT))
    from tests.conformance.document import recordings_section, section

    return f"# The model against others\n\n{_MADE}\n\n{section()}\n{recordings_section()}"


def requirements() -> str:
    """Which requirements of RFC 9293 the model holds, and which test shows it."""
    entries = json.loads(_REQUIREMENTS.read_text("utf-8"))["requirements"]
    counts = ", ".join(
        f"{sum(each['verdict'] == verdict for each in entries)} {verdict}"
        for verdict in ("held", "not held", "out of scope")
    )
    parts = [
        "# What RFC 9293 requires of connection management",
        _MADE,
        f"By default, that is with `rules=RFC9293`: {counts}. Labels are those of the RFC's"
        " Appendix B; where it gives none, a name of our own begins with the RFC's.",
    ]
    for topic, group in groupby(entries, key=lambda each: each["topic"]):
        header = "| requirement | § | says | verdict | note | test |\n|---|---|---|---|---|---|"
        parts += [f"## {topic}", "\n".join([header, *map(_requirement, group)])]
    return "\n\n".join(parts) + "\n"


def _requirement(entry: dict[str, Any]) -> str:
    cells = (
        entry["id"],
        ", ".join(entry["sections"]),
        entry["says"],
        entry["verdict"],
        entry["note"],
        f"`{entry['test']}`" if entry["test"] else "",
    )
    return f"| {' | '.join(map(_cell, cells))} |"


def gallery() -> str:
    """The named scenarios of the course: what each shows, its picture, its lines and its text."""
    return _gallery(
        "# Gallery",
        "Every named scenario: what it shows, its sequence chart, and the lines that make it."
        ' `simulate(SCENARIOS["handshake"])` runs the first; `tcpviz draw handshake -o'
        " handshake.svg` draws it (also as .pdf or .png, and for print). Those that are there for"
        " one move that Figure 5 leaves out have [a page of their own](gallery-edges.md).",
        _TAUGHT,
    )


def gallery_edges() -> str:
    """The same for the scenarios of one move each."""
    return _gallery(
        "# Gallery: the moves that Figure 5 leaves out",
        "A named scenario for each move in the table of `tcpviz/states.py` that the scenarios of"
        " the [gallery](gallery.md) do not take: resets, ABORT, timeouts, crashes, and segments"
        " that come when nobody expects them.",
        _EDGES,
    )


def _gallery(heading: str, about: str, names: list[str]) -> str:
    lines = [
        heading,
        _MADE,
        f"{about} The lines want `from tcpviz import *`.",
        " · ".join(f"[{name}](#{name})" for name in names),
    ]
    for name in names:
        picture = _chart(name)
        lines += [
            f"## {name}",
            _text(SCENARIOS[name].describe),
            f"![{_text(picture.alt)}](gallery/{name}.svg)",
            _code("python", python(SCENARIOS[name])),
            f"<details><summary>{name} in text</summary>",
            _code("", picture.text),
            "</details>",
        ]
    return "\n\n".join(lines) + "\n"


def gallery_chart(name: str) -> str:
    """The picture of a named scenario."""
    return _chart(name).svg


def _chart(name: str) -> Picture:
    return sequence_chart(simulate(SCENARIOS[name]))


def _code(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _text(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]<>&#|])", r"\\\1", " ".join(text.split()))


def _cell(text: str) -> str:
    """Text that fits a cell of a table: on one line, and without what Markdown takes for HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


_EDGES: Final = [scenario.name for scenario in EDGE_SCENARIOS]
_TAUGHT: Final = [name for name in SCENARIOS if name not in _EDGES]

CONTEXTS: Final = {
    "JupyterLab, the cell run": "test_lab_run",
    "JupyterLab, trusted, reopened, nothing run": "test_lab_trusted_and_reopened",
    "JupyterLab, run, saved by the reader, reopened": "test_lab_saved_and_reopened",
    'JupyterLab, trusted, "No Kernel"': "test_lab_no_kernel",
    "the same, asked what if": "test_lab_fork_without_a_kernel",
    "JupyterLab, the kernel shut down, asked what if": (
        "test_lab_fork_where_the_kernel_was_shut_down"
    ),
    "JupyterLab, not trusted (a fresh clone)": "test_lab_untrusted",
    "JupyterLab's dark theme": "test_lab_dark",
    "`jupyter nbconvert --to html`, offline": "test_nbconvert_offline",
    "`jupyter nbconvert --execute --to html`, offline": "test_nbconvert_executed_offline",
    "Voila": "test_voila",
    "JupyterLab, a panel whose runs are all ready, no kernel": (
        "test_a_ready_panel_changes_without_a_kernel"
    ),
    "JupyterLab, a panel that asks the kernel": "test_a_live_panel_is_turned_by_keys",
    "paper": "test_print",
}
"""Where a Player may be shown, and the test that tries it there."""


def player() -> str:
    """What a Player shows where, in the words of the tests that tried it."""
    claims = {
        node.name: ast.get_docstring(node) or ""
        for name in ("test_player_browser", "test_panels_browser")
        for node in ast.parse((ROOT / "tests" / f"{name}.py").read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    rows = (f"| {where} | {_cell(claims[test])} | `{test}` |" for where, test in CONTEXTS.items())
    parts = [
        "# The Player: where it is shown, and as what",
        _MADE,
        "A Player displays as HTML: the two pictures with their text, and the script that puts the"
        " player in their place where scripts may run. It needs no kernel and no network.",
        "\n".join(["| where | what was seen in Chromium | by |", "|---|---|---|", *rows]),
        "A Player of a Scenario can be asked what would happen if this segment were lost. For that"
        " the page asks the kernel that showed it; where none answers, it says so. A panel whose"
        " settings are few has all their runs in the page; one with more is an ipywidget, which"
        " shows nothing without its kernel, and a notebook that is saved by hand keeps only its"
        " picture. With questions, the pictures of an untrusted clone are folded under the"
        " questions.",
        "The tests run JupyterLab 4.6. Tried by hand, and not by a test: JupyterLab 4.4.10 and"
        " Notebook 7.6.5, where it steps, goes through the segments and asks the kernel, and where"
        " keys turn the slider of a panel. VS Code shows `text/html` with its scripts in the same"
        " frame as widgets, and Colab shows each cell's output in a frame of its own, so by their"
        " documentation the Player steps in both; it was seen in neither.",
    ]
    parts += ["## Keys", say("player_keys"), "## How fast it is", *MEASURED]
    return "\n\n".join(parts) + "\n"


MEASURED: Final = (
    "By `benchmarks/player.py` in JupyterLab 4.6 on 23 November 2026, in headless Chromium"
    " without a graphics processor, on a virtual machine of two cores that did nothing else. Times"
    " are ms from the key: the median until the page has changed, its 95th percentile, and the"
    " median until that is painted, whose 95th percentile for a step was 20, 19, 21 and 19 ms in"
    " the four columns; (12 x) is how many times a step's median. The server is as it"
    " is shipped, with Nagle's algorithm, and then has TCP_NODELAY set; keys are the first four"
    " after a pause, or come one upon the other.",
    "| | after a pause | key upon key | TCP_NODELAY, after a pause | and key upon key |\n"
    "|---|--:|--:|--:|--:|\n"
    "| a step of the Player | 1.2, 2.4, 10 | 1.1, 1.7, 9 | 1.3, 1.8, 10 | 1.2, 1.6, 10 |\n"
    "| a slider, only echoed by the kernel | 15 (12 x), 28, 28 | 48 (43 x), 54, 54"
    " | 17 (13 x), 27, 28 | 16 (13 x), 23, 28 |\n"
    "| a slider, and its run drawn anew | 26 (22 x), 41, 44 | 54 (49 x), 63, 66"
    " | 26 (20 x), 37, 44 | 27 (22 x), 40, 47 |\n"
    "| a panel with a Player | 41 (35 x), 69, 61 | 39 (35 x), 53, 61 | 47 (36 x), 76, 69"
    " | 43 (36 x), 67, 68 |",
    "Key upon key, the echo waits for the browser's delayed ACK, 40 ms, before the server sends"
    " the second half of its answer; after a pause Linux acknowledges at once. A notebook of ten"
    " players opens as fast as one of one, and steps as fast. One more step of a long run adds 182"
    " bytes to the data that a page plays: its states, its TCB, its segment's header and its lines"
    " of the transcript; its caption is made in the page. The HTML beside its pictures grows by"
    " 275, since their text for who cannot see them has the transcript once more, as a table.",
)
"""What was seen when the benchmark was last run, with the date and the kind of machine."""

PAGES: Final[dict[str, Callable[[], str]]] = {
    "conformance.md": conformance,
    "gallery.md": gallery,
    "gallery-edges.md": gallery_edges,
    **{f"gallery/{name}.svg": partial(gallery_chart, name) for name in SCENARIOS},
    "lost_fin.chart.svg": lost_fin_chart,
    "lost_fin.states.svg": lost_fin_states,
    "player.md": player,
    "requirements.md": requirements,
    "rules.md": rules,
    "trace-json.md": trace_json,
}


def page(name: str) -> str:
    """The text of a page, ending in one newline."""
    return PAGES[name]().rstrip("\n") + "\n"


if __name__ == "__main__":
    os.environ["TCPVIZ_ENGINE"] = "wasm"  # the same bytes everywhere
    for name in PAGES:
        path = Path(__file__).parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(page(name), encoding="utf-8", newline="\n")
        print(f"docs/{name}")
