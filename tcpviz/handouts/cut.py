"""Sequence charts cut for paper: before a step, as the Player veils them, and into sheets.

Knows the marks in the SVG (classes s<number>, f<number>, break; ids), as static/player.js does.
Must not know what the chart shows.
"""

import re
import xml.etree.ElementTree as ET
from typing import Final

from tcpviz.words import say

_SVG: Final = "http://www.w3.org/2000/svg"
_TEXT: Final = f"{{{_SVG}}}text"
_BELOW: Final = 6  # pt: what stands at the very height is drawn
_DESCENT: Final = 2.5  # pt of a line of text below its foot
_WIDE: Final = 1000  # pt: a wider picture is turned
_UPRIGHT: Final = 1.2  # height to width of what fills a page
_TURNED: Final = 0.8
_SPARE: Final = 1.3  # so much too high, it is made smaller; beyond, it is cut
_EDGE: Final = 0.5  # pt: half a line of a band, and no more of what is on the other sheet

ET.register_namespace("", _SVG)
ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def before(svg: str, step: int, height: float, lost: frozenset[int] = frozenset()) -> str:
    """The chart down to `height`, in pt, without what comes with `step` or later.

    The label of a segment that is under way stays, below the cut. That a segment is lost is told
    at its end: `lost` are the numbers of those.
    """
    root = ET.fromstring(svg)  # noqa: S314  # our own, out of a notebook that the user has run
    ground = root.find(f"{{{_SVG}}}g[@class='graph']")
    assert ground is not None
    cut = height + _BELOW
    for told in (root.find(f"{{{_SVG}}}{name}") for name in ("title", "desc")):
        if told is not None:  # they tell the whole run
            root.remove(told)
    labels = []
    for part in list(ground):
        if _since(part, lost) >= step or _tells_a_role(part):
            ground.remove(part)
        elif (part.get("id") or "").endswith("_label"):
            ground.remove(part)
            labels.append(part)
    for parent in list(ground.iter()):
        for text in parent.findall(_TEXT):
            if float(text.get("y", "0")) + _DESCENT > cut:  # no line is cut in two
                parent.remove(text)
    width, _ = _size(root)
    feet = [float(text.get("y", "0")) for label in labels for text in label.iter(_TEXT)]
    lowest = max([cut, *(foot + 2 * _DESCENT for foot in feet)])
    veil = {"x": "0", "y": f"{cut:g}", "width": f"{width:g}", "height": "20000", "fill": "#ffffff"}
    ground.append(ET.Element(f"{{{_SVG}}}rect", veil))
    ground.extend(labels)
    return _part(root, 0, lowest)


def sheets(svg: str) -> list[str]:
    """The picture, or where it is too high to be read on one page, its parts.

    It is cut where it has a break of time already; the band stands on both parts.
    """
    root = ET.fromstring(svg)  # noqa: S314  # as above
    width, height = _size(root)
    most = width * (_TURNED if width > _WIDE else _UPRIGHT)
    if height <= _SPARE * most:
        return [svg]
    bands = [_band(part) for part in root.iter() if _is_break(part)]
    parts, start = [], 0.0
    while height - start > most:
        later = [(top, foot) for top, foot in bands if top > start + _EDGE]
        fitting = [(top, foot) for top, foot in later if foot - start <= most]
        if not later or later[0][1] >= height:
            break
        top, foot = fitting[-1] if fitting else later[0]
        parts.append((start, foot + _EDGE))
        start = top - _EDGE
    return [_part(root, top, foot) for top, foot in [*parts, (start, height)]] if parts else [svg]


def _size(root: ET.Element) -> tuple[float, float]:
    """Width and height of a picture in pt; it begins at 0, 0."""
    _, _, width, height = map(float, root.get("viewBox", "0 0 1 1").split())
    return width, height


def _part(root: ET.Element, top: float, foot: float) -> str:
    """What lies between two heights, in pt."""
    box = root.get("viewBox", "0 0 1 1")
    width, _ = _size(root)
    changed = {"height": f"{foot - top:g}pt", "viewBox": f"0 {top:g} {width:g} {foot - top:g}"}
    kept = {"height": root.get("height", ""), "viewBox": box}
    root.attrib.update(changed)
    try:
        return ET.tostring(root, encoding="unicode")
    finally:
        root.attrib.update(kept)


def _is_break(part: ET.Element) -> bool:
    return part.get("id", "").startswith("break_")


def _band(part: ET.Element) -> tuple[float, float]:
    """The upper and the lower edge of a break."""
    shape = next(each for each in part.iter() if each.get("points"))
    heights = [float(point.split(",")[1]) for point in shape.get("points", "").split()]
    return min(heights), max(heights)


def _since(part: ET.Element, lost: frozenset[int]) -> int:
    """The step that a part comes with; -1 for what is there from the beginning."""
    classes = part.get("class", "")
    steps = [int(number) for number in re.findall(r"\bs(\d+)\b", classes)]
    flight = re.search(r"\bf(\d+)\b", classes)
    waits = flight is not None and int(flight[1]) in lost
    return (max if waits else min)(steps, default=-1)


def _tells_a_role(part: ET.Element) -> bool:
    """Whether it is one of the lines under the ends' names: who closes first is yet to come."""
    told = {say(role) for role in ("active_opener", "passive_opener", "active_closer")}
    words = set((part.text or "").split(", "))
    return part.tag == _TEXT and words <= told
