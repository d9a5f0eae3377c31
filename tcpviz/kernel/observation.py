"""What a lab saw: sentences that come out the same each time, real rows, measured numbers.

Also the way back to a recording where a machine cannot show it. It knows no socket.
"""

import functools
import json
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, ParamSpec

from tcpviz.kernel.sockets import Unavailable, require_linux
from tcpviz.kernel.table import Socket, Table, from_json, to_json
from tcpviz.words import say

SCHEMA: Final = "tcpviz.observation/1"
RECORDINGS: Final = Path(__file__).parent / "recordings"
_P = ParamSpec("_P")


@dataclass(frozen=True, repr=False)
class Observation:
    """What one run of a lab showed.

    `says` are the findings, without what differs from run to run (ports, processes, moments).
    `tables` are the rows behind them, each with its caption; `numbers` what was counted and
    measured, times in ns, read as `observation["close_wait"]`. `recorded` is empty for what was
    seen on this machine just now, and otherwise says where it was recorded and why that is shown.
    """

    name: str
    says: tuple[str, ...]
    tables: tuple[tuple[str, Table], ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    recorded: str = ""

    def __getitem__(self, key: str) -> Any:
        return self.numbers[key]

    def table(self, caption: str | None = None) -> Table:
        """The rows under a caption; without one, the last."""
        if caption is None:
            return self.tables[-1][1]
        return dict(self.tables)[caption]

    def __str__(self) -> str:
        return "\n".join([self.recorded or say("lab_seen"), *self.says])

    def __repr__(self) -> str:
        return f"<Observation {self.name}{' (recorded)' if self.recorded else ''}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self)}

    def to_json(self) -> dict[str, Any]:
        """The observation as plain JSON data, with the kernel it was made on."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
            "says": list(self.says),
            "tables": [[caption, to_json(table)] for caption, table in self.tables],
            "numbers": dict(self.numbers),
        }


def recording(name: str, why: str) -> Observation:
    """The observation that comes with the package; Unavailable where there is none of that name."""
    try:
        data = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    except FileNotFoundError:
        raise Unavailable(f"{why}; and there is no recording of {name!r}") from None
    tables = tuple((caption, from_json(table)) for caption, table in data["tables"])
    label = say("lab_recorded", kernel=data["kernel"], why=why)
    return Observation(data["name"], tuple(data["says"]), tables, data["numbers"], label)


def lab(run: Callable[_P, Observation]) -> Callable[_P, Observation]:
    """Run it on this machine's kernel, or show its recording where that cannot be."""

    @functools.wraps(run)
    def shown(*args: _P.args, **kwargs: _P.kwargs) -> Observation:
        try:
            require_linux()
            return run(*args, **kwargs)
        except Unavailable as reason:
            asked = args or kwargs  # the recording is of the lab as it runs by itself
            why = say("lab_not_used", why=reason) if asked else str(reason)
            return recording(run.__name__, why)

    return shown


def seen(rows: Iterable[Socket | None], way: str) -> Table:
    """A table of what was looked up."""
    return Table(tuple(row for row in rows if row), way)
