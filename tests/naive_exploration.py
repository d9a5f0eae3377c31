"""An exploration written as plainly as can be: whole values, no numbers for them, no memory.

It follows the rules that `explore` states, in its own words, and asks the Endpoint anew each time.
Only as many joint states as a test or a comparison needs.
"""

from collections import deque

from tcpviz.endpoint import Endpoint
from tcpviz.segment import ACK, FIN, RST, SYN, Segment
from tcpviz.states import Event, State
from tcpviz.tcb import RTO

OLD = {  # of an earlier connection from 90 to 290 whose ends sent one octet each
    0: ((290, 91, SYN | ACK, 0), (291, 91, ACK, 0), (291, 91, ACK, 1), (292, 91, FIN | ACK, 0)),
    1: ((90, 0, SYN, 0), (91, 291, ACK, 0), (91, 291, ACK, 1), (92, 291, FIN | ACK, 0)),
}
RESETS = {0: (291, 0, RST), 1: (91, 0, RST)}


def forget_time(end):
    """The end, with the names of its timers only."""
    names = sorted(timer.name for timer in end.deadlines)
    return end._replace(rto=0, first_rto=0, timed=-1, tries=0, probes=0, deadlines=tuple(names))


def recall(end):
    """The end, with timers of some time or other."""
    armed = Endpoint().call(Event.ACTIVE_OPEN, 0).end.deadlines[0]
    return end._replace(deadlines=tuple(armed._replace(name=name) for name in end.deadlines))


def visit(settings, losses, duplicates, old, spurious, most=10**9):
    """Joint states of a server that opens and closes, and a client that opens and closes.

    A joint state is, for both ends: Endpoint, calls left, what is in flight to it; then budgets.
    """
    programs = (
        (Event.ACTIVE_OPEN, Event.CLOSE),
        (Event.PASSIVE_OPEN, Event.CLOSE),
    )
    ends = tuple((Endpoint(s), p, (), None) for s, p in zip(settings, programs, strict=True))
    start = (*ends, (losses, duplicates, old, spurious))
    seen, todo = {start}, deque([start])
    while todo and len(seen) < most:
        for after in successors(todo.popleft()):
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return seen


def successors(joint):
    """Every joint state one move later."""
    budgets = joint[2]
    quiet = not joint[0][2] and not joint[1][2]
    for me in (0, 1):
        end, calls, wire, peer = joint[me]
        other = joint[1 - me]

        def then(
            outcome,
            calls=calls,
            wire=wire,
            cost=None,
            me=me,
            other=other,
            peer=peer,
        ):
            after = forget_time(outcome.end)
            while calls and calls[0] is Event.CLOSE and after.state not in OPEN:
                calls = calls[1:]
            if after.state in (State.CLOSED, State.LISTEN):
                peer = None
            flying = tuple(sorted((*other[2], *((s, after.opens) for s in outcome.sent))))
            pair = [None, None]
            pair[me] = after, calls, wire, peer
            pair[1 - me] = other[0], other[1], flying, other[3]
            left = tuple(n - (i == cost) for i, n in enumerate(budgets))
            return (*pair, left)

        real = recall(end)
        for each in set(wire):
            rest = list(wire)
            rest.remove(each)
            rest = tuple(rest)
            outcome = real.arrive(each[0], 0)
            whose = took(outcome, peer, each[1])
            yield then(outcome, wire=rest, peer=whose)
            if budgets[1]:
                yield then(outcome, cost=1, peer=whose)
            if budgets[0]:
                pair = [None, None]
                pair[me], pair[1 - me] = (end, calls, rest, peer), other
                yield (*pair, (budgets[0] - 1, *budgets[1:]))
        if calls:
            outcome = real.call(calls[0], 0)
            if not outcome.says:
                yield then(outcome, calls=calls[1:])
        if budgets[2]:
            for seq, ack, ctl, *octets in (*OLD[me], RESETS[me]):
                outcome = real.arrive(Segment(seq, ack, ctl, *octets), 0)
                yield then(outcome, cost=2, peer=took(outcome, peer, 0))
        for timer in real.deadlines:
            if timer.name == RTO:
                if quiet:
                    yield then(real.expire(timer, 0))
                elif budgets[3]:
                    yield then(real.expire(timer, 0), cost=3)
            elif quiet and RTO not in other[0].deadlines:
                yield then(real.expire(timer, 0))


def took(outcome, peer, incarnation):
    """The incarnation of the peer whose SYN the end has."""
    syn = {edge.event for edge in outcome.edges} & {Event.RCV_SYN, Event.RCV_SYN_ACK}
    return incarnation if syn else peer


OPEN = (
    State.LISTEN,
    State.SYN_SENT,
    State.SYN_RECEIVED,
    State.ESTABLISHED,
    State.CLOSE_WAIT,
)
