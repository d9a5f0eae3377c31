"""Drive one end through state-event cases: calls and segments in, segments and looks out."""

from collections import deque
from typing import Any

from tcpviz.endpoint import Endpoint
from tcpviz.rules import RFC9293
from tcpviz.segment import ACK, NUMBERS, Segment, bits, names
from tcpviz.states import Event, State
from tcpviz.tcb import Settings
from tcpviz.units import MS

ISS, IRS = 1_000_000, 5_000_000


class Difference(Exception):
    """What the end did, where the case asks for something else."""


class Bench:
    """The end under test, its clock and what it has sent."""

    def __init__(self, rules: Any = None) -> None:
        settings = Settings(iss=(ISS,))
        if rules is not None:
            settings = settings._replace(rules=rules)
        self.end = Endpoint(settings)
        self.now = 0
        self.sent: deque[Segment] = deque()
        self.listener = False
        self.error = ""
        self.received = 0

    def take(self, outcome: Any) -> None:
        self.end = outcome.end
        self.sent.extend(outcome.sent)
        if outcome.says:
            self.error = outcome.says

    def wait(self, delta: int) -> None:
        until = self.now + delta
        while (timer := self.end.deadline) and timer.until <= until:
            self.now = timer.until
            self.take(self.end.expire(timer, self.now))
        self.now = until

    def call(self, step: dict[str, Any]) -> None:
        name, fd = step["call"], step.get("fd")
        if name == "listen":
            self.listener = True
            self.take(self.end.call(Event.PASSIVE_OPEN, self.now))
        elif name == "connect":
            self.take(self.end.call(Event.ACTIVE_OPEN, self.now))
        elif name == "shutdown":
            self.take(self.end.call(Event.CLOSE, self.now))
        elif name == "close":
            connection = not (self.listener and fd == 3) or self.end.state is State.LISTEN
            if connection and self.end.state in (
                State.LISTEN,
                State.SYN_SENT,
                State.SYN_RECEIVED,
                State.ESTABLISHED,
                State.CLOSE_WAIT,
            ):
                self.take(self.end.call(Event.CLOSE, self.now))

    def arrive(self, step: dict[str, Any]) -> None:
        ctl = bits(",".join(step["flags"]))
        segment = Segment(
            (step["seq"] + IRS) % NUMBERS,
            (step["ack"] + ISS) % NUMBERS if step["ack"] is not None else 0,
            ctl,
            step["len"],
        )
        self.take(self.end.arrive(segment, self.now))

    def expect(self, step: dict[str, Any]) -> None:
        if not self.sent:
            raise Difference(f"silent, expected {_text(step)}")
        segment = self.sent.popleft()
        got = {
            "flags": list(names(segment.ctl)),
            "seq": (segment.seq - ISS) % NUMBERS if segment.seq else 0,
            "ack": (segment.ack - IRS) % NUMBERS if segment.ctl & ACK else None,
            "len": segment.length,
        }
        wanted = {k: step[k] for k in got}
        if got != wanted:
            raise Difference(f"sent {_text(got)}, expected {_text(step)}")


def _text(step: dict[str, Any]) -> str:
    return f"{','.join(step['flags'])} {step['seq']} {step['ack']} {step['len']}"


def run(case: dict[str, Any]) -> str:
    bench = Bench(RFC9293._replace(challenge_acks=case["mode"] != "rfc793"))
    if not any(step.get("call") in ("connect", "listen") for step in case["steps"]):
        first = next(step for step in case["steps"] if "dir" in step)
        if first["dir"] == "out":  # a connect that blocks is left out of the case
            bench.take(bench.end.call(Event.ACTIVE_OPEN, 0))
    for number, step in enumerate(case["steps"]):
        try:
            t = step.get("t", "+0.00")
            if step.get("dir") != "out":
                if bench.sent:
                    raise Difference(f"sent {bench.sent[0]}, expected silence")
            after = round(float(t) * 1000) * MS
            bench.wait(after if t.startswith("+") else max(0, after - bench.now))
            if "call" in step:
                bench.call(step)
            elif step.get("dir") == "in":
                bench.arrive(step)
            elif step.get("dir") == "out":
                bench.expect(step)
            elif "assert_so_error" in step:
                pass
        except Difference as difference:
            return f"step {number}: {difference}"
    return ""
