"""`python -m tests.conformance state_event FILE` and `... recordings DIR`."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence

_COMMANDS = ("state_event", "recordings", "document")


def main(argv: Sequence[str]) -> int:
    """Run one of the commands; the exit status."""
    name = argv[0] if argv else ""
    known = [c for c in _COMMANDS if importlib.util.find_spec(f"{__package__}.{c}")]
    if name not in known:
        print(f"usage: python -m tests.conformance {{{','.join(known)}}} ...", file=sys.stderr)
        return 2
    status: int = importlib.import_module(f".{name}", __package__).main(argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
