"""Pictures cut for paper: a chart that is too high to be read on one page becomes more than one.

Knows the marks in the SVG (classes and ids), and the room that a page has. Must not know what the
chart shows.
"""

import copy
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Final, NamedTuple

from tcpviz.pictures import theme

WIDTH: Final = 538.0  # pt of A4 between margins of 10 mm
HEIGHT: Final = 617.0  # pt of A4 below a heading and the line that leads to a picture
PAGE: Final = (549.0, 796.0)  # pt of A4 between margins of 8 mm, all of it
LETTERS: Final = 6.5  # pt: the smallest lettering that is read on paper

_SVG: Final = "http://www.w3.org/2000/svg"
_TEXT: Final = f"{{{_SVG}}}text"
_HEAD: Final = 26.0  # pt for the names of the ends over a part
_NAME: Final = 10.0  # pt from their foot to what is below
_EDGE: Final = 0.5  # pt: half a line of a band, and more than a drawing is moved
_FULL: Final = 0.5  # of a page, at least, is filled before a cut
_LEAST: Final = 0.2  # of one, at least, is on the last part
_AGAIN: Final = 16.0  # pt that are on both parts where a line of text may be cut
_FREE: Final = 3.0  # pt that a cut keeps from what it must not touch
_CLOSE: Final = 60.0  # pt: a part that has a break so soon looks torn

ET.register_namespace("", _SVG)
ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")


class _Span(NamedTuple):
    """From one height to another, in pt."""

    top: float
    foot: float


def is_wide(svg: str, width: float = WIDTH) -> bool:
    """Whether a picture must be turned by a quarter to be read in so many pt of a page."""
    across, least = _measured(ET.fromstring(svg))  # noqa: S314  # our own
    return across * least > width


def sheets(svg: str, width: float = WIDTH, height: float = HEIGHT) -> list[str]:
    """The picture, or where it is too high to be read in this room of a page, its parts, in pt.

    It is cut below a break of time, or else where there is no text and where the fewest arrows are
    under way; where there is text everywhere, what is cut stands whole on the next part. Over each
    part stand the names of the ends. A wide picture is turned by a quarter.
    """
    root = ET.fromstring(svg)  # noqa: S314  # our own, out of a notebook that the user has run
    ground = root.find(f"{{{_SVG}}}g[@class='graph']")
    down = float(root.get("viewBox", "0 0 1 1").split()[3])
    across, least = _measured(root)
    most = (height if across * least <= width else width) / least
    if ground is None or down <= most:
        return [svg]
    bands = [_extent(part) for part in ground.iter() if part.get("id", "").startswith("break_")]
    spans, start, room = [], 0.0, most
    while down - start > room:
        end = min(start + room, down - _LEAST * most)
        foot = _cut(ground, bands, start, end)
        spans.append(_Span(start, foot))
        start = foot - (_AGAIN if foot == end else 0.0)
        room = most - _HEAD
    return [_part(root, span) for span in (*spans, _Span(start, down))]


def _measured(root: ET.Element) -> tuple[float, float]:
    """The width of a picture, and the smallest scale at which its lettering can be read."""
    sizes = [float(each.get("font-size", "0")) for each in root.iter(_TEXT)]
    width = float(root.get("viewBox", "0 0 1 1").split()[2])
    return width, LETTERS / min(sizes, default=LETTERS)


def _cut(ground: ET.Element, bands: list[_Span], start: float, end: float) -> float:
    """Where what begins at `start` is best cut, before `end`."""
    first = start + _FULL * (end - start)
    if found := [band.foot - _EDGE for band in bands if first <= band.foot <= end]:
        return max(found)
    shut = [*bands, *(_line(text) for text in ground.iter(_TEXT))]
    arrows = [_extent(p) for p in ground if "flight" in p.get("class", "").split()]
    tried = [(0, end)]  # where there is text everywhere
    for below in range(int(end - first)):
        y = int(end) - below
        if not any(each.top - _FREE < y < each.foot + _FREE for each in shut):
            crossed = sum(each.top - _FREE < y < each.foot + _FREE for each in arrows)
            crossed += sum(y < band.top < y + _CLOSE for band in bands)
            tried.append((crossed, y))
    return min(tried[1:] or tried, key=lambda each: each[0])[1]


def _part(root: ET.Element, span: _Span) -> str:
    """What lies between two heights, under the names of the ends."""
    whole = copy.deepcopy(root)
    ground = whole.find(f"{{{_SVG}}}g[@class='graph']")
    assert ground is not None
    names = [copy.deepcopy(text) for text in ground.findall(_TEXT) if _is_name(text)]
    for part in list(ground):
        lies = _extent(part)
        if lies.foot < span.top or lies.top > span.foot:
            ground.remove(part)
    for parent in list(ground.iter()):  # what a part has only the edge of, says nothing there
        for text in parent.findall(_TEXT):
            if _line(text).foot < span.top or _line(text).top > span.foot:
                parent.remove(text)
    head = _HEAD if span.top else 0.0
    _, _, width, _ = whole.get("viewBox", "0 0 1 1").split()
    if head:
        over = [-_EDGE, span.top - 2 * head, float(width) + 2 * _EDGE, 2 * head]
        veil = dict(zip(("x", "y", "width", "height"), (f"{each:g}" for each in over), strict=True))
        ground.append(ET.Element(f"{{{_SVG}}}rect", {**veil, "fill": theme.PAPER}))
        for name in names:
            name.set("y", f"{span.top - _NAME:g}")
            ground.append(name)
    height = f"{span.foot - span.top + head:g}"
    whole.set("height", f"{height}pt")
    whole.set("viewBox", f"0 {span.top - head:g} {width} {height}")
    return ET.tostring(whole, encoding="unicode")


def _is_name(text: ET.Element) -> bool:
    """Whether it is the name of an end, over its bar."""
    return text.get("font-weight") == "bold" and text.get("text-anchor") == "middle"


def _line(text: ET.Element) -> _Span:
    """The upper and the lower edge of a line of text."""
    y, size = float(text.get("y", "0")), float(text.get("font-size", "0"))
    return _Span(y - size, y + 0.25 * size)


def _extent(part: ET.Element) -> _Span:
    """The upper and the lower edge of what is drawn."""
    heights = [*_heights(part)]
    return _Span(min(heights, default=0.0), max(heights, default=0.0))


def _heights(part: ET.Element) -> Iterator[float]:
    for each in part.iter():
        if each.tag == _TEXT:
            yield from _line(each)
        elif points := each.get("points") or each.get("d"):
            numbers = points.replace("M", " ").replace("C", " ").split()
            yield from (float(number.split(",")[1]) for number in numbers)
        elif each.get("cy"):
            yield float(each.get("cy", "0"))
