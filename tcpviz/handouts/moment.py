"""A sequence chart as it stands before a step: for paper, what the Player does with a veil.

Knows the marks in the SVG (classes s<number>, f<number>; ids), as static/player.js does. Must not
know what the chart shows.
"""

import re
import xml.etree.ElementTree as ET
from typing import Final

from tcpviz.words import say

_SVG: Final = "http://www.w3.org/2000/svg"
_BELOW: Final = 2  # pt: what happens at the very height is drawn
_DESCENT: Final = 6  # pt from the foot of a label's last line to the edge

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
    labels = []
    for part in list(ground):
        if _since(part, lost) >= step:
            ground.remove(part)
        elif (part.get("id") or "").endswith("_label"):
            ground.remove(part)
            labels.append(part)
        elif _tells_a_role(part):
            ground.remove(part)
    width = float(root.get("viewBox", "0 0 0 0").split()[2])
    cut = height + _BELOW
    lowest = max([cut, *(_lowest(label) for label in labels)])
    veil = {"x": "0", "y": f"{cut:g}", "width": f"{width:g}", "height": "20000", "fill": "#ffffff"}
    ground.append(ET.Element(f"{{{_SVG}}}rect", veil))
    ground.extend(labels)
    root.set("height", f"{lowest:g}pt")
    root.set("viewBox", f"0 0 {width:g} {lowest:g}")
    return ET.tostring(root, encoding="unicode")


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
    return part.tag == f"{{{_SVG}}}text" and words <= told


def _lowest(label: ET.Element) -> float:
    return max(float(text.get("y", "0")) for text in label.iter(f"{{{_SVG}}}text")) + _DESCENT
