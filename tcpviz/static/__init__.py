"""The scripts and the look of the Player, as text. Knows only where the files are."""

from pathlib import Path
from typing import Final

BRIDGE: Final = (Path(__file__).parent / "bridge.js").read_text("utf-8")
CONTROLS: Final = (Path(__file__).parent / "controls.js").read_text("utf-8")
SCRIPT: Final = (Path(__file__).parent / "player.js").read_text("utf-8")
STYLE: Final = (Path(__file__).parent / "player.css").read_text("utf-8")
