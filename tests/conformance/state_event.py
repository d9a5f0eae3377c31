"""State-event cases: one end is driven by calls and segments, and must answer as the case says."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from tcpviz.segment import FIN, PSH, SYN, bits, names
from tcpviz.states import State

from .host import Host, Sent
from .notation import TOLERANCE, Case, NotationError, load, state
from .reasons import FAST_OPEN, REASONS, RETRANSMISSION, Reason, rules_of
from .report import Note, Result, report


class DifferenceError(Exception):
    """What the end did, where the case asks for something else.

    `place` tells how far the case had come; `cause` is the step of the last segment given to it.
    """

    def __init__(self, text: str, place: int, cause: int | None) -> None:
        super().__init__(text)
        self.place = place
        self.cause = cause


class _OutOfScopeError(Exception):
    """The case is about what the model leaves out."""


class Attempt:
    """One run of a case; `choices` says at which steps the end follows another TCP's way."""

    def __init__(self, case: Case, choices: dict[int, Reason]) -> None:
        self.case = case
        self.choices = choices
        self.host = Host(rules_of(case.mode, case.variant), case.variant)
        self.due = 0
        self.moved = 0  # when something was last done to the end
        self.origin: int | None = 0  # None: the connect that is left out began at no known time
        self.number = 0
        self.cause: int | None = None
        self.notes: list[Note] = []

    def run(self) -> None:
        """All steps; DifferenceError where one does not come out."""
        for number, step in enumerate(self.case.steps):
            self.number = number
            if step.get("dir") == "out":
                self._expect(step)
                continue
            self._wait(step)
            self._silence()
            self.moved = self.due
            if "call" in step:
                self._call(step)
            elif "dir" in step:
                self.cause = self.number
                chosen = self.choices.get(self.number)
                instead = chosen.instead if chosen else None
                self.host.arrive(step, instead, shown=self._asks_later())
            else:
                self._look(step)
        self.number = len(self.case.steps)
        self._silence()
        for socket in self.host.files.values():
            self._connected(socket.opening, self.host.connected(socket))
        if self.case.state not in self.host.visited:
            self._differ(f"was never in {self.case.state}")

    def _asks_later(self) -> bool:
        """Whether a segment must still leave after this step."""
        return any(step.get("dir") == "out" for step in self.case.steps[self.number + 1 :])

    def _differ(self, text: str) -> None:
        place = self.number * 2 + (not text.startswith("sent, unasked"))
        where = f"step {self.number}" if self.number < len(self.case.steps) else "at the end"
        raise DifferenceError(f"{where}: {text}", place, self.cause)

    def _wait(self, step: dict[str, Any]) -> None:
        """Let the time pass until a call, a segment or a look."""
        relative, time = step["t"]
        if relative:
            self.due += time
        elif self.origin is None:
            self.origin = self.due - time
            if self.origin > 0:
                self._differ("its time is over before it")
        else:
            self.due = max(self.due, self.origin + time)
        self.host.wait(self.due)

    def _silence(self) -> None:
        """Nothing may have left that no step asked for."""
        for sent in self.host.sent:
            if not _timed_out(sent):
                self._differ(f"sent, unasked, {_shown(sent)}")
            self._out_of_scope(f"sent again {_shown(sent)}")
        self.host.sent.clear()

    def _out_of_scope(self, text: str) -> None:
        note = Note(f"step {self.number}: {text}", RETRANSMISSION.name, out_of_scope=True)
        self.notes.append(note)

    def _call(self, step: dict[str, Any]) -> None:
        socket = self.host.files.get(step.get("fd", -1))
        if socket and socket.opening:
            self._connected(socket.opening, self.host.connected(socket))
            socket.opening = ""
        result = self.host.call(step)
        if result != step["result"].replace("EAGAIN", "EWOULDBLOCK"):
            self._differ(f"{step['call']} returned {result}, expected {step['result']}")
        if self.host.fast_open:
            raise _OutOfScopeError

    def _connected(self, wanted: str, result: str) -> None:
        if wanted and wanted != result:
            self._differ(f"connect came to {result}, expected {wanted}")

    def _look(self, step: dict[str, Any]) -> None:
        socket = self.host.files.get(step["fd"]) if "fd" in step else self.host.main()
        if socket is None:
            self._differ(f"no socket {step['fd']}")
        elif "assert_count" in step:
            found = self.host.count(_known(step["assert_count"]))
            if found != step["n"]:
                self._differ(f"{found} in {step['assert_count']}, expected {step['n']}")
        elif "assert_state" in step:
            wanted = _known(step["assert_state"])
            if socket.end.state is not wanted:
                self._differ(f"in {socket.end.state}, expected {wanted}")
        else:
            error, wanted_error = self.host.so_error(socket), str(step["assert_so_error"])
            if error != wanted_error:
                self._differ(f"SO_ERROR {error}, expected {wanted_error}")

    def _expect(self, step: dict[str, Any]) -> None:
        """A segment must leave, now."""
        self._open_as_implied(step)
        due = self._due(step)
        while True:
            if not self.host.sent:
                self.host.wait(due + TOLERANCE, stop=True)
            if not self.host.sent and self._owes(step, due):
                self._out_of_scope(f"not sent again in time: {_wanted(step)}")
                break
            if not self.host.sent:
                self._differ(f"silent, expected {_wanted(step)}")
            sent = self.host.sent[0]
            alike = _alike(sent, step)
            if alike and abs(sent.at - due) <= TOLERANCE:
                self.host.sent.pop(0)
                break
            if not _timed_out(sent):
                late = f" after {sent.at / 1e9:.2f} s, not {due / 1e9:.2f} s" if alike else ""
                self._differ(f"sent {_shown(sent)}{late}, expected {_wanted(step)}")
            self._out_of_scope(f"sent again {_shown(sent)}")
            self.host.sent.pop(0)
            if alike:
                break
        self.due = due
        self.host.now = max(self.host.now, due)

    def _due(self, step: dict[str, Any]) -> int:
        """When a segment must leave; after a connect that is left out the clock is set by it."""
        relative: bool
        time: int
        relative, time = step["t"]
        if relative:
            return self.due + time
        if self.origin is None:
            at = self.host.sent[0].at if self.host.sent else self.host.next_deadline()
            at = self.due if at is None else at
            self.origin = min(0, at - time)
        return self.origin + time

    def _open_as_implied(self, step: dict[str, Any]) -> None:
        """A connect that blocks is left out of a case: a SYN that nothing else explains shows it.

        Its time is counted from the step before. A SYN at an absolute time is one sent again.
        """
        relative, after = step["t"]
        fresh = self.host.unopened()
        if fresh and relative and not self.host.sent and _flags(step) == SYN:
            self._wait(step)
            self._silence()
            self.host.open(fresh)
            self.origin = None
            self.due -= after

    def _owes(self, step: dict[str, Any], due: int) -> bool:
        """Whether a timer might send the segment: data or a FIN which is not acknowledged yet."""
        wanted = _flags(step)
        return due > self.moved + TOLERANCE and any(
            (segment.seq - socket.end.iss, segment.length) == (step["seq"], step["len"])
            and segment.ctl & FIN == wanted & FIN
            and not (segment.ctl | wanted) & SYN
            for socket in self.host.sockets
            for segment in socket.end.unacked
        )


def _known(name: str) -> State:
    found = state(name)
    assert found
    return found


def _timed_out(sent: Sent) -> bool:
    """Whether data or a FIN was sent again by a timer."""
    return sent.timer and bool(sent.segment.span) and not sent.segment.ctl & SYN


def _flags(step: dict[str, Any]) -> int:
    return bits(",".join(step["flags"])) & ~PSH


def _alike(sent: Sent, step: dict[str, Any]) -> bool:
    """Flags (PSH aside), numbers and length are those asked for; null asks for nothing."""
    ctl = sent.segment.ctl & ~PSH
    number = step["seq"] is None or (step["seq"] - sent.seq) % (1 << 32) == 0
    ack = step["ack"] if step["ack"] is None else step["ack"] % (1 << 32)
    return ctl == _flags(step) and number and ack == sent.ack and step["len"] == sent.segment.length


def _wanted(step: dict[str, Any]) -> str:
    return _text(tuple(step["flags"]), step["seq"], step["ack"], step["len"])


def _shown(sent: Sent) -> str:
    return _text(names(sent.segment.ctl), sent.seq, sent.ack, sent.segment.length)


def _text(flags: Sequence[str], seq: int | None, ack: int | None, length: int) -> str:
    number = "" if seq is None else f"<SEQ={seq}>"
    acked = "" if ack is None else f"<ACK={ack}>"
    return f"{number}{acked}<CTL={','.join(flags)}>" + (f"<DATA={length}>" if length else "")


def run(case: Case) -> Result:
    """Run a case; where it differs, go on from what a documented reason says instead."""
    choices: dict[int, Reason] = {}
    covered: list[Note] = []
    while True:
        attempt, difference = _attempt(case, choices)
        if difference is None:
            break
        better = _excuse(case, choices, difference)
        if better is None:
            covered.append(Note(str(difference)))
            break
        assert difference.cause is not None
        choices = {**choices, difference.cause: better}
        covered.append(Note(str(difference), better.name, better.out_of_scope))
    notes = (*covered, *attempt.notes)
    if attempt.host.fast_open:
        notes = (Note("uses TCP Fast Open", FAST_OPEN.name, out_of_scope=True),)
    return Result(case.id, notes)


def _attempt(case: Case, choices: dict[int, Reason]) -> tuple[Attempt, DifferenceError | None]:
    attempt = Attempt(case, choices)
    try:
        attempt.run()
    except DifferenceError as difference:
        return attempt, difference
    except _OutOfScopeError:
        pass
    return attempt, None


def _excuse(case: Case, choices: dict[int, Reason], found: DifferenceError) -> Reason | None:
    """The reason with which the case comes further than it came, if there is one."""
    if found.cause is None or found.cause in choices:
        return None
    for reason in REASONS:
        _, difference = _attempt(case, {**choices, found.cause: reason})
        if difference is None or difference.place > found.place:
            return reason
    return None


def results(cases: Iterable[Case]) -> list[Result]:
    """What came of each case."""
    return [run(case) for case in cases]


def main(argv: Sequence[str]) -> int:
    """`python -m tests.conformance state_event FILE`; the exit status."""
    if len(argv) != 1:
        print("usage: python -m tests.conformance state_event FILE", file=sys.stderr)
        return 2
    try:
        cases = load(argv[0])
    except NotationError as error:
        print(error, file=sys.stderr)
        return 2
    return report(results(cases))
