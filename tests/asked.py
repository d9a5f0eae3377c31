"""Questions to predict, made by hand, as a course author would pin them."""

from typing import NamedTuple

from tcpviz import SCENARIOS, simulate
from tcpviz.player import Player


class Choice(NamedTuple):
    """An answer."""

    text: str
    why: str
    right: bool = False
    refutation: object = None


class Question(NamedTuple):
    """What is asked before a step."""

    step: int
    prompt: str
    choices: tuple[Choice, ...]


WHAT_IS_SENT = Question(
    4,
    "What does the server send?",
    (
        Choice("ACK", "Two segments are not enough.", refutation="two_way_ghost"),
        Choice("SYN,ACK", "It acknowledges, and sends its own SYN.", right=True),
        Choice("RST", "That is for where nobody listens.", refutation=SCENARIOS["refused"]),
    ),
)
WHICH_STATE = Question(
    5,
    "Which state is the client in now?",
    (
        Choice("ESTABLISHED", "Its SYN is acknowledged.", right=True),
        Choice("SYN-RECEIVED", "That is the passive opener's."),
    ),
)


def asking_player() -> Player:
    """The handshake with both questions."""
    return Player(simulate(SCENARIOS["handshake"]), questions=(WHICH_STATE, WHAT_IS_SENT))
