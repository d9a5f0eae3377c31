"""How long one connection takes to simulate, with its trace.

    python benchmarks/simulating.py

Named scenarios, from the call of `simulate` to the finished Trace; medians of interleaved rounds.
The first row, a handshake and close, is the one that is to stay below 0.2 ms.
"""

import statistics
import time

from tcpviz import SCENARIOS, simulate

ROUNDS, TIMES = 41, 20
NAMES = ("open_and_close", "handshake", "normal", "lost_last_ack", "no_answer")


def main() -> None:
    """Print a row for each scenario."""
    took: dict[str, list[float]] = {name: [] for name in NAMES}
    for _ in range(ROUNDS):
        for name in NAMES:
            before = time.perf_counter()
            for _ in range(TIMES):
                simulate(SCENARIOS[name])
            took[name].append((time.perf_counter() - before) / TIMES)
    print(f"{'scenario':18} {'steps':>6} {'ms':>8} {'us a step':>10}")
    for name in NAMES:
        median = statistics.median(took[name])
        steps = len(simulate(SCENARIOS[name]).steps)
        print(f"{name:18} {steps:6} {median * 1e3:8.3f} {median / steps * 1e6:10.1f}")


if __name__ == "__main__":
    main()
