"""How long 100 000 connections take: ours against SimPy, the same workload in one run.

    python benchmarks/population.py [connections]

The workload: clients connect to one server at random times over ten minutes (seeded), the server
accepts at once, the client closes, the server closes, TIME-WAIT. The client's host has 65 535
ports. Asked for: how many are in CLOSE-WAIT and in TIME-WAIT, and how many ports are in use, over
time. Theirs is written as SimPy's documentation writes it: generator processes, timeouts, a Store
each way for segments, a Store for the accept queue, a Container for the ports; each state is noted
where it is entered. Both must give the same counts. Ours also has the Trace of every connection at
hand; a row says what opening all of them costs. Another row loses 1 % of all segments. CPU time is
printed, which a busy machine blurs less.
"""

import gc
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

import simpy

from tcpviz.listener import Listener
from tcpviz.population import Member, Population, lossy, populate
from tcpviz.scenario import Scenario
from tcpviz.scenarios import SCENARIOS
from tcpviz.timeline import Timeline
from tcpviz.units import MS, S

LONG = 600 * S
PORTS = 65_535
BACKLOG = 4096
OPEN_AND_CLOSE = SCENARIOS["open_and_close"]


def ours(starts: list[int], scenarios: list[Scenario]) -> tuple[Population, list[Timeline]]:
    """The population and the three timelines."""
    members = (Member(start, one) for start, one in zip(starts, scenarios, strict=True))
    found = populate(members, Listener(BACKLOG, BACKLOG), PORTS)
    lines = [found.count("CLOSE-WAIT", "server"), found.count("TIME-WAIT", "client")]
    return found, [*lines, found.ports_in_use]


class Theirs:
    """The same in SimPy: a process for each end of each connection, and one that accepts."""

    def __init__(self, starts: list[int]) -> None:
        self.env = simpy.Environment()
        self.ports = simpy.Container(self.env, PORTS, PORTS)
        self.backlog = simpy.Store(self.env, BACKLOG + 1)
        self.changes: list[tuple[int, str, int]] = []
        self.env.process(self.accepting())
        self.env.process(self.arriving(starts))
        self.env.run()

    def timelines(self) -> list[tuple[tuple[int, int], ...]]:
        """The three step functions, counted from what was noted."""
        found = []
        for what in ("CLOSE-WAIT", "TIME-WAIT", "port"):
            change: Counter[int] = Counter()
            for now, name, by in self.changes:
                if name == what:
                    change[now] += by
            times = sorted(at for at, by in change.items() if by)
            levels = accumulate(change[at] for at in times)
            found.append(tuple(zip(times, levels, strict=True)))
        return found

    def note(self, what: str, by: int) -> None:
        """Write down that one more, or one less, is there."""
        self.changes.append((self.env.now, what, by))

    def arriving(self, starts: list[int]) -> Iterator[simpy.Event]:
        """Start each connection at its time."""
        for start in starts:
            yield self.env.timeout(start - self.env.now)
            to_server, to_client = simpy.Store(self.env), simpy.Store(self.env)
            self.env.process(self.client(to_server, to_client))
            self.env.process(self.server(to_server, to_client))

    def send(self, wire: simpy.Store, segment: str) -> None:
        """Let a process carry the segment."""
        self.env.process(self.carry(wire, segment))

    def carry(self, wire: simpy.Store, segment: str) -> Iterator[simpy.Event]:
        """Bring the segment over after the delay."""
        yield self.env.timeout(50 * MS)
        wire.put(segment)

    def client(self, wire: simpy.Store, inbox: simpy.Store) -> Iterator[simpy.Event]:
        """The active opener and closer."""
        yield self.ports.get(1)
        self.note("port", 1)
        self.send(wire, "SYN")
        yield inbox.get()  # SYN,ACK
        self.send(wire, "ACK")
        yield self.env.timeout(150 * MS)
        self.send(wire, "FIN")
        yield inbox.get()  # ACK
        yield inbox.get()  # FIN
        self.send(wire, "ACK")
        self.note("TIME-WAIT", 1)
        yield self.env.timeout(60 * S)
        self.note("TIME-WAIT", -1)
        self.note("port", -1)
        yield self.ports.put(1)

    def server(self, inbox: simpy.Store, wire: simpy.Store) -> Iterator[simpy.Event]:
        """The passive opener and closer."""
        yield inbox.get()  # SYN
        self.send(wire, "SYN,ACK")
        yield inbox.get()  # ACK
        yield self.backlog.put(self)
        yield inbox.get()  # FIN
        self.note("CLOSE-WAIT", 1)
        self.send(wire, "ACK")
        yield self.env.timeout(60 * MS)
        self.note("CLOSE-WAIT", -1)
        self.send(wire, "FIN")
        yield inbox.get()  # ACK

    def accepting(self) -> Iterator[simpy.Event]:
        """The application accepts at once, for ever."""
        while True:
            yield self.backlog.get()


def megabytes() -> float:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def start_clock() -> float:
    """The time now; what is there already is no work for anybody's garbage collection."""
    gc.collect()
    gc.freeze()
    return time.process_time()


def main(count: int) -> None:
    """Print a row for each."""
    dice = random.Random(1)
    starts = sorted(dice.randrange(LONG) for _ in range(count))
    print(f"{count} connections over {LONG // S} s: handshake, close, TIME-WAIT\n")
    print(f"{'':34} {'CPU s':>8} {'us each':>8} {'MB so far':>10}")

    def row(name: str, began: float) -> float:
        took = time.process_time() - began
        print(f"{name:34} {took:8.2f} {took / count * 1e6:8.1f} {megabytes():10.0f}", flush=True)
        return took

    before = start_clock()
    found, lines = ours(starts, [OPEN_AND_CLOSE] * count)
    mine = row("ours", before)
    before = start_clock()
    segments = sum(len(trace.steps) for trace in found)
    row("  opening every Trace besides", before)
    assert segments == found.steps
    before = start_clock()
    losing = [lossy(OPEN_AND_CLOSE, 0.01, dice) for _ in range(count)]
    row("  throwing the dice for 1 % loss", before)
    before = start_clock()
    lost, _ = ours(starts, losing)
    row("  ours with 1 % loss", before)
    ways = len(set(map(id, lost.runs)))
    before = start_clock()
    theirs = Theirs(starts)
    points = theirs.timelines()
    his = row("SimPy, processes", before)
    assert points == [line.points for line in lines], "the two do not agree"
    print(f"\nBoth give the same counts; ours takes {mine / his:.2f} of SimPy's time.")
    print(f"With 1 % loss the connections go {ways} different ways.\n\n{found}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
