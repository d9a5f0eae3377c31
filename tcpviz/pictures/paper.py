"""SVG in, PDF or PNG out: typst, a wheel without system libraries, with a font of our own.

Knows how typst is run. Must not know what a picture shows. The font has the widths of Helvetica, by
which the pictures are laid out, so text keeps its place on every machine; what it lacks (Han, say)
is taken from a font of the system, if there is one.
"""

import functools
import json
import re
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any, Final

from tcpviz.pictures import theme
from tcpviz.pictures.cut import PAGE, is_wide, sheets
from tcpviz.pictures.engine import EngineError
from tcpviz.words import say

FONTS: Final = Path(__file__).parent / "fonts"
_FAMILIES: Final = re.compile('(?<=font-family=")[^"]*')
_SIZE: Final = re.compile(
    r'width="[\d.]+pt" height="[\d.]+pt"\s+viewBox="0.00 0.00 ([\d.]+) ([\d.]+)"'
)
_PAGE: Final = b"""\
#set document(title: sys.inputs.title, date: none)
#let parts = json(bytes(sys.inputs.parts))
#let drawn(part, ..how) = image(bytes(part.svg), format: "svg", alt: part.alt, ..how)
#if parts.len() == 1 {
  set page(width: auto, height: auto, margin: 0pt)
  drawn(parts.first())
} else {
  set page(
    paper: "a4",
    flipped: sys.inputs.turned != "",
    margin: 8mm,
    footer: context align(center, text(
      font: "tcpviz Sans",
      size: 8pt,
      sys.inputs.title + ". " + parts.at(here().page() - 1).told,
    )),
    footer-descent: 25%,
  )
  layout(size => {
    let sizes = parts.map(part => measure(drawn(part)))
    let fit = calc.min(1, ..sizes.map(s => calc.min(size.width / s.width, size.height / s.height)))
    for (part, s) in parts.zip(sizes) {
      align(center, drawn(part, width: s.width * fit, height: s.height * fit))
    }
  })
}
"""
_POINTS: Final = 72  # to an inch


def pdf(svg: str, title: str, alt: str) -> bytes:
    """One page of the picture's size, its text as text and `alt` for those who do not see it.

    What is so large that it could not be read on A4 is cut into pages of A4, the wide ones turned.
    """
    return _drawn(sheets(svg, *PAGE), title, alt, format="pdf")


def png(svg: str, scale: float) -> bytes:
    """The picture in pixels, `scale` of them to a point. ValueError for a scale that is not so."""
    if not isinstance(scale, int | float) or isinstance(scale, bool) or not 0.1 <= scale <= 20:
        raise ValueError(f"scale: {scale!r} is not a number between 0.1 and 20")
    return _drawn([whole(svg, scale)], "", "", format="png", ppi=_POINTS * scale)


def whole(svg: str, scale: float) -> str:
    """The picture on a sheet of whole pixels: of another, some rows would be left out."""

    def grown(size: re.Match[str]) -> str:
        wide, high = (f"{ceil(float(each) * scale) / scale:.6f}" for each in size.groups())
        return f'width="{wide}pt" height="{high}pt"\n viewBox="0 0 {wide} {high}"'

    return _SIZE.sub(grown, svg, count=1)


def printable(svg: str) -> str:
    """The picture with its text in a font that is there on every machine."""
    return _FAMILIES.sub(theme.PRINTED, svg)


def compiled(source: bytes, given: dict[str, str], fonts: Any, **how: Any) -> Any:
    """What typst makes of a source. EngineError, one line, if it is missing or cannot."""
    try:
        import typst
    except ImportError:
        raise EngineError(
            "PDF and PNG are made by typst, which is not installed (pip install typst)"
        ) from None
    try:
        return typst.compile(source, sys_inputs=given, font_paths=fonts(), **how)
    except RuntimeError as error:
        raise EngineError(f"typst cannot draw this: {error}") from None


def _drawn(sheets: Sequence[str], title: str, alt: str, **how: Any) -> bytes:
    parts = []
    for number, svg in enumerate(sheets, 1):
        told = say("picture_part", number=number, count=len(sheets)) if sheets[1:] else ""
        parts.append({"svg": printable(svg), "alt": f"{alt} {told}".rstrip(), "told": told})
    turned = "turned" if is_wide(sheets[0], PAGE[0]) else ""
    given = {"parts": json.dumps(parts), "title": title, "turned": turned}
    drawn: bytes = compiled(_PAGE, given, _fonts, **how)
    return drawn


@functools.cache
def _fonts() -> Any:
    """Ours and those of the system; to look for them takes some 0.1 s."""
    import typst

    return typst.Fonts(include_embedded_fonts=False, font_paths=[FONTS])
