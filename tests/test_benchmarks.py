"""The benchmarks run, and say what they are doing while they do it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_benchmark_of_captures_tells_what_is_under_way():
    """Each reading is announced on stderr, scapy's once; stdout has the result alone."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "captures.py", "1000", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rounds = [line.split(" ...")[0] for line in done.stderr.splitlines() if "round" in line]
    assert rounds == [
        "round 1 of 2: tcpviz",
        "round 1 of 2: dpkt",
        "round 1 of 2: scapy",
        "round 2 of 2: tcpviz",
        "round 2 of 2: dpkt",
    ]
    assert done.stdout.startswith("1000 packets, 100 connections, median of 2 rounds (scapy: 1)")
    assert "round 1" not in done.stdout
