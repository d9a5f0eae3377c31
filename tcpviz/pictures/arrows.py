"""Drawing what is between the lifelines of a sequence chart: arrows, and labels that keep clear.

Knows the ways of the segments. Must not know what stands outside the lifelines.
"""

from typing import Final

from tcpviz.pictures import theme
from tcpviz.pictures.arrow_labels import BEGINS, TAIL, Label, along, mark
from tcpviz.pictures.drawing import Box, Drawing, Pen, Point
from tcpviz.pictures.placement import Stroke
from tcpviz.pictures.ways import Space, Way

_ELBOW: Final = 30.0
_PENS: Final = {
    "delivered": Pen(width=1.25, head="normal"),
    "lost": Pen(theme.RED, 1.25, "dashed"),
    "copy": Pen(width=1.25, style="dotted", head="normal"),
    "old": Pen(theme.QUIET, 3, head="normal", size=0.8),
    "unsent": Pen(theme.QUIET, 3, head="normal", size=0.8),
    "dropped": Pen(width=1.25),
    "on the way": Pen(width=1.25, style="dotted"),
    "departure": Pen(width=1.25, head="vee"),
    "arrival": Pen(width=1.25, head="normal"),
}
_FATED: Final = ("lost", "copy", "old", "dropped")
"""Fashions that tell what becomes of a segment."""
_GUESS: Final = Pen(theme.QUIET, 1, "dotted")
_HOLLOW: Final = Pen(theme.PAPER, 1.5)  # along the middle of what comes from another time
_HEAD: Final = 13.0  # pt of such a way that its head covers
_LEADER: Final = Pen(theme.QUIET, 0.6)
_CROSSING: Final = Pen(theme.RED, 1.75)


def draw_sample(drawing: Drawing, x: float, y: float, *, unsent: bool = False) -> None:
    """Draw a hollow arrow to explain it, or the end of one that nobody was seen to send."""
    if unsent:
        drawing.line([[(x, y), (x + 9, y)]], _GUESS)
        x += 10
    name = "key_unsent" if unsent else "key_old"
    drawing.line([[(x, y), (x + 14, y)]], _PENS["old"]._replace(size=0.6), name=name)
    drawing.line([[(x, y), (x + 4, y)]], _HOLLOW, name=f"{name}_hollow")


def draw_arrows(drawing: Drawing, space: Space, labels: dict[str, Label]) -> None:
    """Draw all arrows and their labels, which lie over all arrows."""
    two_sided = all(end.observed for end in space.trace.ends)
    for way in space.ways:
        name, classes, tip = way.name, _classes(way), space.tip(way.flight)
        label = labels.get(name)
        if two_sided:
            _draw_way(drawing, way, name, classes, tip="" if label else tip)
        else:
            _draw_half(drawing, way, label, classes, tip)
        for each in (name, name + BEGINS):
            label = labels.get(each)
            if not label:
                continue
            color = theme.RED if way.fashion in ("lost", "dropped") else theme.INK
            if label.leader:
                pen = _LEADER if color == theme.INK else _LEADER._replace(color=color)
                pen = _GUESS if way.fashion == "unsent" and _level(label.leader) else pen
                drawing.line([label.leader], pen, classes=classes, name=f"{each}_leader")
            drawing.text(
                label.box,
                label.lines,
                size=theme.FONT_SIZE,
                color=color,
                classes=classes,
                name=f"{each}_label",
                tip=tip,
            )


def _level(stroke: Stroke) -> bool:
    (_, y0), (_, y1) = stroke
    return y0 == y1


def _classes(way: Way) -> str:
    steps = "".join([f" s{number}" for number in way.steps])
    fated = " fated" if way.fashion in _FATED else ""
    return f"flight f{way.flight.number}{steps}{fated}"


def _draw_way(drawing: Drawing, way: Way, name: str, classes: str, tip: str) -> None:
    drawing.line(way.strokes, _PENS[way.fashion], classes=classes, name=name, tip=tip)
    if way.fashion in ("old", "unsent"):
        drawing.line(_inside(way), _HOLLOW, classes=classes, name=f"{name}_hollow")
    if way.fashion == "unsent":
        drawing.line([_before(way)], _GUESS, classes=classes, name=f"{name}_tail")
    if way.fashion in ("lost", "dropped"):
        box = mark(way)
        cross = [
            [(box.left, box.top), (box.right, box.bottom)],
            [(box.left, box.bottom), (box.right, box.top)],
        ]
        drawing.line(cross, _CROSSING, classes=classes, name=f"{name}_cross")


def _before(way: Way) -> list[Point]:
    """Dots before what was seen: it came from there, nobody knows when."""
    (x0, y), (x1, _) = way.strokes[0]
    return [(x0 - (TAIL if x1 > x0 else -TAIL), y), (x0, y)]


def _inside(way: Way) -> list[list[Point]]:
    """The middle of a way, without what its head covers."""
    strokes = [list(stroke) for stroke in way.strokes]
    strokes[-1][1] = along(way.strokes[-1], -_HEAD)
    return strokes


def _draw_half(drawing: Drawing, way: Way, label: Label | None, classes: str, tip: str) -> None:
    """One end saw it: a line up to the label, and dots without a slope where nobody knows.

    It bends where its label had to give way.
    """
    (start, y), (stop, _) = way.strokes[0]
    near, far = (start, stop) if way.fashion == "departure" else (stop, start)
    inward = 1 if far > near else -1
    box = label.box if label else Box.around((near + far) / 2, y, 0, 0)
    row = (box.top + box.bottom) / 2
    before, beyond = (box.left, box.right) if inward > 0 else (box.right, box.left)
    known = [(near, y), (near + inward * _ELBOW, row), (before - inward * 2, row)]
    if abs(row - y) < 0.5:
        del known[1]
    if way.fashion == "arrival":
        known.reverse()
    drawing.line([known], _PENS[way.fashion], classes=classes, name=way.name, tip=tip)
    guess = [(beyond, row), (far + inward * 6, row)]
    drawing.line([guess], _GUESS, classes=classes, name=f"{way.name}_far")
