"""What nbval compares in a notebook: the text of every output.

Pictures are left out, because another version of Graphviz draws the same picture with other bytes;
their text twins, compared here, say the same. Nor is it compared whether a lab was run here or its
recording was shown (sanitize.cfg): what it found is.
"""

from pathlib import Path
from typing import Any


def pytest_configure(config: Any) -> None:
    """Name the file of what is left out, wherever pytest was started."""
    option = "nbval_sanitize_with"
    if hasattr(config.option, option) and not getattr(config.option, option):
        setattr(config.option, option, str(Path(__file__).with_name("sanitize.cfg")))


def pytest_collectstart(collector: Any) -> None:
    """Take pictures out of the comparison, wherever nbval compares."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("image/svg+xml", "text/html")
