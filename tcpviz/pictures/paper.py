"""SVG in, PDF or PNG out: typst, a wheel without system libraries, with a font of our own.

Knows how typst is run. Must not know what a picture shows. The font has the widths of Helvetica, by
which the pictures are laid out, so text keeps its place on every machine; what it lacks (Han, say)
is taken from a font of the system, if there is one.
"""

import functools
import re
from pathlib import Path
from typing import Any, Final

from tcpviz.pictures import theme
from tcpviz.pictures.engine import EngineError

FONTS: Final = Path(__file__).parent / "fonts"
_FAMILIES: Final = re.compile('(?<=font-family=")[^"]*')
_PAGE: Final = b"""\
#set document(title: sys.inputs.title, date: none)
#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", alt: sys.inputs.alt)
"""
_POINTS: Final = 72  # to an inch


def pdf(svg: str, title: str, alt: str) -> bytes:
    """One page of the picture's size, its text as text and `alt` for those who do not see it."""
    return _drawn(svg, title, alt, format="pdf")


def png(svg: str, scale: float) -> bytes:
    """The picture in pixels, `scale` of them to a point. ValueError for a scale that is not so."""
    if not isinstance(scale, int | float) or isinstance(scale, bool) or not 0.1 <= scale <= 20:
        raise ValueError(f"scale: {scale!r} is not a number between 0.1 and 20")
    return _drawn(svg, "", "", format="png", ppi=_POINTS * scale)


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


def _drawn(svg: str, title: str, alt: str, **how: Any) -> bytes:
    given = {"svg": printable(svg), "title": title, "alt": alt}
    drawn: bytes = compiled(_PAGE, given, _fonts, **how)
    return drawn


@functools.cache
def _fonts() -> Any:
    """Ours and those of the system; to look for them takes some 0.1 s."""
    import typst

    return typst.Fonts(include_embedded_fonts=False, font_paths=[FONTS])
