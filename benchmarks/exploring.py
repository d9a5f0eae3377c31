"""Joint states explored in a second: `explore`, and a plain search that asks the Endpoint anew.

    python benchmarks/exploring.py [rounds]

Both visit the same two ends: the server opens and waits, the client opens, each closes when it
likes. The plain search keeps whole values and remembers no answer of an Endpoint; it is held to the
budgets that it can finish. Rounds are interleaved; medians are printed.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tcpviz.explore import OPEN_AND_CLOSE, explore
from tcpviz.exploring.side import host
from tests.naive_exploration import visit

BUDGETS = ("losses", "duplicates", "old", "spurious")


def ours(budgets: tuple[int, ...]) -> int:
    """Joint states that `explore` visits."""
    return explore(**dict(zip(BUDGETS, budgets, strict=True))).states


def plain(budgets: tuple[int, ...]) -> int:
    """Joint states that the plain search visits."""
    settings = [host(OPEN_AND_CLOSE, name).settings for name in ("client", "server")]
    return len(visit(settings, *budgets))


def measure(
    search: Callable[[tuple[int, ...]], int], budgets: tuple[int, ...]
) -> tuple[int, float]:
    """How many joint states, and how many seconds."""
    begin = time.perf_counter()
    states = search(budgets)
    return states, time.perf_counter() - begin


def main(rounds: int = 3) -> None:
    """Measure and print."""
    print(f"{', '.join(BUDGETS)}: medians of {rounds} interleaved rounds")
    for budgets in ((0, 0, 0, 0), (1, 1, 0, 0), (1, 1, 0, 1), (1, 1, 1, 1)):
        searches = (ours, plain) if sum(budgets) < 4 else (ours,)
        results = [[measure(search, budgets) for search in searches] for _ in range(rounds)]
        for search, found in zip(searches, zip(*results, strict=True), strict=True):
            assert len({states for states, _ in found}) == 1
            seconds = statistics.median(taken for _, taken in found)
            states = found[0][0]
            print(
                f"{budgets}  {search.__name__:6} {states:>9,} joint states"
                f" {seconds:8.3f} s {states / seconds:10,.0f} a second"
            )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
