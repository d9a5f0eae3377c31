"""What docs/ shows is what the code draws today."""

from pathlib import Path

import pytest

from tcpviz.__main__ import main

ROOT = Path(__file__).parents[1]
PICTURES = {"lost_fin.chart.svg": "chart", "lost_fin.states.svg": "states"}


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_of_the_readme_are_drawn_by_this_version(name, tmp_path, monkeypatch):
    """CONTRIBUTING.md says with which command to draw them again."""
    monkeypatch.setenv("TCPVIZ_ENGINE", "wasm")
    capture = ROOT / "notebooks" / "captures" / "lost_fin.pcapng"
    drawn = tmp_path / name
    assert main(["draw", str(capture), "-o", str(drawn), "--view", PICTURES[name]]) == 0
    assert drawn.read_bytes() == (ROOT / "docs" / name).read_bytes()


def test_docs_holds_no_other_picture():
    """Each generated picture is compared with a fresh one."""
    assert {path.name for path in (ROOT / "docs").glob("*.svg")} == set(PICTURES)
