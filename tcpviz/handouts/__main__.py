"""`python -m tcpviz.handouts`: the handouts of the chapters, in a folder of their own."""

import argparse
import sys
from pathlib import Path

from tcpviz.handouts import Problem, handouts
from tcpviz.pictures.engine import EngineError


def main(arguments: list[str] | None = None) -> int:
    """Make them, and say the name of each. Return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python3 lab.py handouts",
        description="For each chapter a student's and an instructor's version, as HTML and PDF, "
        "made of the notebooks as they are stored.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="03-close; without one, all")
    parser.add_argument("--notebooks", type=Path, default=Path("notebooks"), metavar="FOLDER")
    parser.add_argument("--into", type=Path, default=Path("handouts"), metavar="FOLDER")
    wish = parser.parse_args(arguments)
    try:
        for path in handouts(wish.notebooks, wish.into, wish.names):
            print(path, flush=True)
    except (Problem, EngineError, OSError) as problem:
        print(f"tcpviz: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
