"""One look: every text can be read, on screen and in print, and no module paints on its own."""

import ast
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from itertools import chain, combinations
from pathlib import Path

import every_picture
import pytest

from tcpviz import read
from tcpviz.pictures import Picture, sequence_chart, state_diagram, theme
from tcpviz.pictures.lettering import text_width
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.states import DIRECT, FIGURE_5

ROOT = Path(__file__).parents[1]
CAPTURES = sorted((ROOT / "notebooks" / "captures").glob("*.pcapng"))
VARIANTS = {"screen": lambda picture: picture, "print": Picture.for_print}
LITERAL = re.compile(r"#[0-9a-fA-F]{3,8}\b|Helvetica|Arial|Liberation|DejaVu|sans|serif|Courier")
SVG = "{http://www.w3.org/2000/svg}"


@cache
def pictures() -> list[Picture]:
    """Both pictures of every scenario and of the recordings' first connections; all others."""
    traces = [*map(simulate, SCENARIOS.values()), *(read(path)[0] for path in CAPTURES)]
    plain = [draw(t) for t in traces for draw in (sequence_chart, state_diagram)]
    others = [every_picture.of_trace(t, traces[0]).values() for t in (traces[1], traces[-1])]
    more = (picture for _, picture in every_picture.of_nothing())
    return [state_diagram(), *plain, *chain(*others), *more]


def contrast(some: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    dark, light = sorted((theme.lightness(some), theme.lightness(other)))
    return (light + 0.05) / (dark + 0.05)


def covered(shape: ET.Element) -> tuple[float, float, float, float] | None:
    """The box that a filled shape hides, or a level line that is as thick as a text is high."""
    kind, thick = shape.tag.removeprefix(SVG), float(shape.get("stroke-width", 1))
    if kind == "ellipse":
        x, y, rx, ry = (float(shape.get(name, "")) for name in ("cx", "cy", "rx", "ry"))
        return x - rx, y - ry, x + rx, y + ry
    if shape.get("fill") == "none" and thick <= 5:
        return None
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", shape.get("points") or shape.get("d", ""))]
    half = thick / 2 if shape.get("fill") == "none" else 0
    xs, ys = numbers[::2], numbers[1::2]
    return min(xs), min(ys) - half, max(xs), max(ys) + half


def written(svg: str) -> Iterator[tuple[str, str, str]]:
    """Each text of a picture with its colour and that of what lies behind its middle."""
    behind: list[tuple[tuple[float, float, float, float], str]] = []
    for shape in ET.fromstring(svg).iter():
        kind = shape.tag.removeprefix(SVG)
        if kind in ("polygon", "polyline", "path", "ellipse"):
            box, fill = covered(shape), shape.get("fill", "")
            if box:
                behind.append((box, shape.get("stroke", "") if fill == "none" else fill))
        elif kind == "text" and (shape.text or "").strip():
            size = float(shape.get("font-size", ""))
            half = text_width(shape.text, size) / 2
            side = {"start": half, "middle": 0, "end": -half}[shape.get("text-anchor", "start")]
            x, y = float(shape.get("x", "")) + side, float(shape.get("y", "")) - 0.35 * size
            under = next(c for (l, t, r, b), c in reversed(behind) if l <= x <= r and t <= y <= b)
            yield shape.text or "", shape.get("fill", "black"), under


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_text_has_contrast(variant: str) -> None:
    """At least 4.5 : 1 against what lies behind it: paper, boxes, circles around numbers."""
    pairs: dict[tuple[str, str], str] = {}
    for picture in pictures():
        for text, color, under in written(VARIANTS[variant](picture).svg):
            pairs.setdefault((color, under), text)
    assert len(pairs) > 12  # not on paper alone
    assert {pair: text for pair, text in pairs.items() if contrast(*pair) < 4.5} == {}


def test_the_check_of_contrast_finds_what_is_planted() -> None:
    """White in a state's box, and grey on paper."""
    svg = sequence_chart(simulate(SCENARIOS["normal"])).svg
    planted = svg.replace(f'fill="{theme.QUIET}">', f'fill="{theme.LINE}">')
    low = [contrast(color, under) for _, color, under in written(planted)]
    assert min(low) < 4.5 <= min(contrast(color, under) for _, color, under in written(svg))


def test_print_is_grey() -> None:
    """Every colour of a picture for print is a grey, in its SVG and in its DOT."""
    for picture in pictures():
        for text in (picture.for_print().svg, picture.for_print().dot):
            used = set(re.findall("#[0-9a-f]{6}", text.replace(picture.title, "")))
            assert used
            assert {
                color for color in used if len({color[1:3], color[3:5], color[5:]}) > 1
            } == set()


@pytest.mark.parametrize("variant", VARIANTS)
def test_states_that_follow_each_other_differ(variant: str) -> None:
    """By 1.1 : 1 at least in lightness alone: in a bar there is also a line between them."""
    grey = theme.grey if variant == "print" else str
    tints = {state: grey(color) for state, color in theme.TINTS.items()}
    moves = {(edge.source, edge.target) for edge in (*FIGURE_5, *DIRECT)}
    close = [move for move in moves if contrast(*(tints[state] for state in move)) < 1.1]
    assert close == []


def test_print_tells_apart_what_colour_told_apart() -> None:
    """The two ends, quiet text and plain text are four greys."""
    greys = [theme.grey(color) for color in (theme.BLUE, theme.ORANGE, theme.QUIET, theme.PAPER)]
    assert min(contrast(*pair) for pair in combinations(greys, 2)) > 1.5


def literals(path: Path) -> Iterator[str]:
    """Texts of a module that are not docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_colours_and_fonts_stand_in_the_theme_alone() -> None:
    """No other module of the pictures names one; the theme does."""
    rooms = [*(ROOT / "tcpviz" / "pictures").glob("*.py"), ROOT / "tcpviz" / "panels.py"]
    found = {path.name for path in rooms for text in literals(path) if LITERAL.search(text)}
    assert found == {"theme.py"}
