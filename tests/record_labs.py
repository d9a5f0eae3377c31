"""Record the labs of tcpviz.kernel for machines that cannot run them.

    python tests/record_labs.py

runs each lab with its defaults on this machine and writes tcpviz/kernel/recordings/NAME.json.
"""

import json

from tcpviz import kernel
from tcpviz.kernel.observation import RECORDINGS

LABS = (
    kernel.before_accept,
    kernel.accept_queue_full,
    kernel.refused,
    kernel.to_itself,
    kernel.who_waits,
    kernel.countdown,
    kernel.address_in_use,
    kernel.exhaustion,
    kernel.every_state,
    kernel.udp_nobody,
    kernel.udp_wire,
)
HANDLERS = (kernel.forgets, kernel.raises, kernel.closes)


def main():
    """Write them all."""
    RECORDINGS.mkdir(exist_ok=True)
    seen = [lab() for lab in LABS] + [kernel.leak(handler) for handler in HANDLERS]
    for observation in seen:
        assert not observation.recorded
        text = json.dumps(observation.to_json(), indent=1)
        path = RECORDINGS / f"{observation.name}.json"
        path.write_text(text + "\n", encoding="utf-8", newline="\n")
        print(path.name)


if __name__ == "__main__":
    main()
