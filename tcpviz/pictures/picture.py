"""A picture: DOT text, the SVG that Graphviz makes of it, and its text twin.

Knows how a picture is shown in a notebook, printed, saved and put beside another. Must not know
what it shows.
"""

import base64
import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any, Final

from tcpviz.pictures import engine, paper, theme
from tcpviz.pictures.marks import Mark, marked
from tcpviz.pictures.table import Table
from tcpviz.words import language

_STYLE: Final = (
    f"body{{font-family:{theme.FONT}}}"
    "caption{text-align:left;white-space:pre-line;padding:1.5em 0 .5em}"
    "th,td{text-align:left;vertical-align:top;padding:.1em 1em .1em 0}"
)
"""Of a page on its own: tables that can be read by columns."""


_LETTERS: Final = re.compile(r'font-size="([\d.]+)"')
_READ: Final = 9.0  # px: the smallest lettering that is read on a screen


@dataclass(frozen=True)
class Picture:
    """A drawn picture: `dot` is its source, `text` its twin for reading, `alt` says what it shows.

    In a notebook it shows itself: an image with `alt`, and under it, to unfold, its table, or else
    its text. Rendering and telling happen when first asked for; EngineError says when there is
    nothing to draw with.
    """

    title: str
    dot: str
    tell: Callable[[], str] = field(repr=False, compare=False)
    alt: str
    marks: tuple[tuple[Mark | None, int], ...] = field(default=(), repr=False)
    tabulate: Callable[[], Table | list[Table]] | None = field(
        default=None, repr=False, compare=False
    )
    dumps: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Replace what SVG and UTF-8 cannot hold: a trace may carry any text."""
        for name in ("title", "alt"):
            object.__setattr__(self, name, engine.drawable(getattr(self, name)))

    @cached_property
    def text(self) -> str:
        """The picture told in lines of text."""
        return engine.drawable(self.tell())

    @cached_property
    def table(self) -> str:
        """The picture told in HTML tables with headers; "" where it has none."""
        made = self.tabulate() if self.tabulate else []
        tables = [made] if isinstance(made, Table) else made
        return engine.drawable("\n".join([each.html() for each in tables]))

    def for_print(self) -> "Picture":
        """The same picture in greys."""
        return replace(self, dot=theme.printed(self.dot))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Picture {self.title}>"

    @cached_property
    def svg(self) -> str:
        """The picture as one `<svg>` element, with its title and description in it."""
        head, rest = engine.svg(self.dot).split(">", 1)
        rest = "\n".join(marked(rest.split("\n"), self.marks))
        rest = rest.replace(f' font-family="{theme.WRITTEN}"', "")  # of each text: once is enough
        title, description = html.escape(self.title), html.escape(self.alt)
        return (
            f'{head} role="img" font-family="{theme.FONT}"><title>{title}</title>'
            f"<desc>{description}</desc>{rest}"
        )

    @property
    def least(self) -> int:
        """The width in pixels at which its lettering can just be read."""
        smallest = min(map(float, _LETTERS.findall(self.svg)), default=theme.FONT_SIZE)
        return ceil(float(_width(self.svg)) * _READ / smallest)

    def html(self) -> str:
        """A figure that shows where scripts and SVG elements are not trusted: an image with `alt`.

        It is as wide as there is room, but never so small that it cannot be read: then it scrolls.
        Its table follows, or else its text, folded.
        """
        return (
            f'<figure style="margin:0;overflow-x:auto">{self.image()}'
            f"<details><summary>{html.escape(self.title)}</summary>"
            f"{self.table or f'<pre>{html.escape(self.text)}</pre>'}</details></figure>"
        )

    def image(self) -> str:
        """The picture as an image with `alt`, and nothing else."""
        data = base64.b64encode(self.svg.encode()).decode()
        return (
            f'<img alt="{html.escape(self.alt)}" src="data:image/svg+xml;base64,{data}" '
            f'style="max-width:100%;min-width:{self.least}px">'
        )

    def page(self) -> str:
        """A page of HTML that holds the figure and needs nothing else."""
        title = html.escape(self.title)
        return (
            f'<!DOCTYPE html>\n<html lang="{language()}"><head><meta charset="utf-8">'
            f"<title>{title}</title><style>{_STYLE}</style></head>\n"
            f"<body>{self.html()}</body></html>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.text}

    def save(self, path: str | Path, *, scale: float = 2) -> Path:
        """Write the picture, the same bytes each time; the suffix says how.

        `.svg`, `.pdf` and `.png` are the picture (`scale` is the pixels to a point; a PDF of what
        could not be read on A4 has pages of A4), `.html` is the picture and its table on a page,
        `.txt` its text twin, `.dot` its Graphviz source, `.json` the trace that it shows. PDF and PNG need the package typst: EngineError where it is
        missing. ValueError for another suffix, for a scale that is none, and for the `.json` of a
        picture that does not show one trace.
        """
        path = Path(path)
        write = _WRITERS.get(path.suffix.lower())
        if write is None:
            raise ValueError(f"{path}: a picture is saved as {', '.join(_WRITERS)}")
        if write is _WRITERS[".json"] and self.dumps is None:
            raise ValueError(f"{path}: .json holds a trace, and this picture is not that of one")
        written = write(self, scale)
        if isinstance(written, str):
            written = (written.rstrip("\n") + "\n").encode()
        path.write_bytes(written)
        return path


_WRITERS: Final[dict[str, Callable[[Picture, float], str | bytes]]] = {
    ".svg": lambda picture, _: picture.svg,
    ".pdf": lambda picture, _: paper.pdf(picture.svg, picture.title, picture.alt),
    ".png": lambda picture, scale: paper.png(picture.svg, scale),
    ".html": lambda picture, _: picture.page(),
    ".txt": lambda picture, _: picture.text,
    ".dot": lambda picture, _: picture.dot,
    ".json": lambda picture, _: picture.dumps() if picture.dumps else "",
}
SUFFIXES: Final = tuple(_WRITERS)


@dataclass(frozen=True)
class Row:
    """Pictures side by side, to be compared."""

    pictures: tuple[Picture, ...]

    def __str__(self) -> str:
        return "\n\n".join(f"{picture.title}\n{picture.text}" for picture in self.pictures)

    def __repr__(self) -> str:
        return f"<{len(self.pictures)} pictures: {', '.join(p.title for p in self.pictures)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        # What grows by its own width is drawn to one scale with what stands beside it; where there
        # is no room to read both, one stands below the other.
        cells = "".join(
            f'<div style="flex:{_width(each.svg)} 1 0;min-width:min(100%,{each.least}px)">'
            f"{each.html()}</div>"
            for each in self.pictures
        )
        style = "display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start"
        return {"text/html": f'<div style="{style}">{cells}</div>', "text/plain": str(self)}


def _width(svg: str) -> str:
    """The width of a picture in pt, as Graphviz writes it at the beginning."""
    return svg.split('width="', 1)[1].split("pt", 1)[0]


def beside(pictures: Iterable[Picture]) -> Row:
    """Put pictures side by side."""
    return Row(tuple(pictures))
