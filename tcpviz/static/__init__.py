"""The script and the look of the Player, as text. Knows only where the files are."""

from pathlib import Path
from typing import Final

SCRIPT: Final = (Path(__file__).parent / "player.js").read_text("utf-8")
STYLE: Final = (Path(__file__).parent / "player.css").read_text("utf-8")
