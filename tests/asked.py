"""Questions to predict, made by hand, as a course author would pin them."""

from tcpviz import SCENARIOS, simulate
from tcpviz.choices import Choice, Question
from tcpviz.player import Player

WHAT_IS_SENT = Question(
    4,
    "sends",
    "What does the server send?",
    (
        Choice("ACK", "Two segments are not enough.", refutation="two_way_ghost"),
        Choice("SYN,ACK", "It acknowledges, and sends its own SYN.", right=True),
        Choice("RST", "That is for where nobody listens.", refutation="refused"),
    ),
)
WHICH_STATE = Question(
    5,
    "state",
    "Which state is the client in now?",
    (
        Choice("ESTABLISHED", "Its SYN is acknowledged.", right=True),
        Choice("SYN-RECEIVED", "That is the passive opener's."),
    ),
)


def asking_player() -> Player:
    """The handshake with both questions."""
    return Player(simulate(SCENARIOS["handshake"]), questions=(WHICH_STATE, WHAT_IS_SENT))
