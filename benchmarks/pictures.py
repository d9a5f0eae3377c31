"""How long a picture takes: ours against the graphviz package calling `dot`, in one run.

    python benchmarks/pictures.py

Both draw the same connection, from a copy of its Trace that nothing was read off before. Ours: from
the Trace to the finished SVG, every position computed, drawn in process. Theirs: a plain chart of
the same messages (a row for each event, an arrow for each message) written with the graphviz
package and laid out by a `dot` process, as everybody draws one; and, where `mscgen` is on PATH, its
chart of them in equal rows. Two more rows give our own DOT text to the engine alone, and to `neato
-n2`: what computing the positions costs, and what drawing in process saves. The last gives it the
plain chart, pinned where `dot` put each node and edge: ours is written as background, which takes
the engine less, so that the engine alone is a hard measure. Rounds are interleaved; the fastest of
each is printed, for all that is slower is what else the machine did, how many times ours each
takes, and how many times the engine alone ours takes.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import graphviz

from tcpviz import MS, At, On, Scenario, simulate
from tcpviz.pictures import engine
from tcpviz.pictures.sequence_chart import sequence_chart
from tcpviz.pictures.state_diagram import state_diagram
from tcpviz.states import FIGURE_5
from tcpviz.trace import Trace

ROUNDS = 15


def conversation(messages: int) -> Trace:
    """A connection of about so many messages: handshake, requests, close."""
    requests = [
        At((200 + 100 * number) * MS, "client", "SEND", 10) for number in range((messages - 7) // 2)
    ]
    closes = At((300 + 100 * len(requests)) * MS, "client", "CLOSE")
    opens = (At(0, "server", "passive OPEN"), At(0, "client", "active OPEN"))
    reactions = (On("server", "CLOSE-WAIT", "CLOSE", 60 * MS),)
    return simulate(Scenario(calls=(*opens, *requests, closes), reactions=reactions))


def plain_chart(trace: Trace) -> graphviz.Digraph:
    """The chart as it is usually drawn: two columns of nodes, one rank for each message."""
    graph = graphviz.Digraph(node_attr={"shape": "point"}, edge_attr={"fontname": "Helvetica"})
    last: dict[str, str] = {}
    for end in trace.ends:
        graph.node(last.setdefault(end.name, end.name), shape="box")
    for flight in trace.flights:
        names = {end: f"{end}{flight.number}" for end in (flight.sender, flight.receiver)}
        with graph.subgraph() as row:
            row.attr(rank="same")
            for name in names.values():
                row.node(name)
        for end, name in names.items():
            graph.edge(last[end], name, arrowhead="none")
            last[end] = name
        label = graphviz.nohtml(graphviz.escape(str(flight.segment)))
        graph.edge(names[flight.sender], names[flight.receiver], label, constraint="false")
    return graph


def equal_rows(trace: Trace) -> str:
    """The SVG of mscgen for the same messages."""
    ends = ", ".join(f'"{end.name}"' for end in trace.ends)
    rows = [
        f'"{flight.sender}" => "{flight.receiver}" [label="{flight.segment}"];'
        for flight in trace.flights
    ]
    text = "\n".join(["msc {", f"{ends};", *rows, "}"])
    command = ["mscgen", "-T", "svg", "-i", "-", "-o", "-"]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def measure(candidates: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The fastest round of each in ms, rounds interleaved."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, draw in candidates.items():
            before = time.perf_counter()
            draw()
            times[name].append((time.perf_counter() - before) * 1e3)
    return {name: min(found) for name, found in times.items()}


def main() -> None:
    """Measure and print."""
    if not shutil.which("dot"):
        sys.exit("this benchmark needs Graphviz's own `dot` on PATH to compare with")
    os.environ["TCPVIZ_ENGINE"] = "wasm"
    print(f"fastest of {ROUNDS} interleaved rounds, ms (and how many times ours)")
    for messages in (7, 11, 19, 101, 1001):
        trace = conversation(messages)
        ours = sequence_chart(trace)
        pinned = graphviz.Source(ours.dot, engine="neato")
        plain = plain_chart(trace).pipe("dot", encoding="utf-8")
        others: dict[str, Callable[[], object]] = {}
        if shutil.which("mscgen"):
            others["mscgen"] = lambda trace=trace: equal_rows(replace(trace))
        times = measure(
            {
                "tcpviz, sequence chart": lambda trace=trace: sequence_chart(replace(trace)).svg,
                "graphviz package -> dot": lambda trace=trace: plain_chart(replace(trace)).pipe(
                    "svg"
                ),
                "our DOT -> engine alone": lambda ours=ours: engine.svg(ours.dot),
                "our DOT -> neato -n2": lambda pinned=pinned: pinned.pipe(
                    "svg", neato_no_op=2, quiet=True
                ),
                "plain chart, pinned -> engine": lambda plain=plain: engine.svg(plain),
                **others,
            }
        )
        report(f"{len(trace.flights)} messages", times)
    trace = conversation(7)
    source = graphviz.Source(state_diagram(trace).dot, engine="neato")
    plain = graphviz.Digraph()
    for edge in FIGURE_5:
        plain.edge(edge.source, edge.target, f"{edge.event}\n{edge.sends}")
    times = measure(
        {
            "tcpviz, state diagram": lambda: state_diagram(replace(trace)).svg,
            "graphviz package -> dot": lambda: plain.pipe("svg"),
            "our DOT -> engine alone": lambda: engine.svg(source.source),
            "our DOT -> neato -n2": lambda: source.pipe("svg", neato_no_op=2, quiet=True),
        }
    )
    report("state diagram", times)


def report(what: str, times: dict[str, float]) -> None:
    """One block of the table."""
    ours = next(iter(times.values()))
    for name, fastest in times.items():
        print(f"{what:14} {name:29} {fastest:9.2f}  {fastest / ours:6.1f}x")
    print(f"{what:14} ours takes {ours / times['our DOT -> engine alone']:.1f}x the engine alone")


if __name__ == "__main__":
    main()
