"""From a folder of notebooks to a folder of handouts. Knows their names, and how typst is run."""

import functools
import importlib.util
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tcpviz.handouts.chapter import Chapter, Problem, read
from tcpviz.handouts.page import page
from tcpviz.handouts.sheet import document
from tcpviz.pictures import paper
from tcpviz.words import say

_SHEET: Final = (Path(__file__).parent / "sheet.typ").read_bytes()
_READERS: Final = {"student": False, "instructor": True}


def handouts(notebooks: Path, into: Path, names: Sequence[str] = ()) -> Iterator[Path]:
    """Write the handouts of these notebooks, or of all in the folder, and give each that is there.

    `03-close.student.html`, `.student.pdf`, `.instructor.html`, `.instructor.pdf`; the same bytes
    each time. Problem where there is no notebook of a name, one that has not been run, or no typst.
    """
    found = {path.stem: path for path in sorted(notebooks.glob("*.ipynb"))}
    if not found:
        raise Problem(say("handout_no_folder", folder=notebooks))
    if unknown := [name for name in names if name not in found]:
        raise Problem(say("handout_unknown", name=unknown[0], names=", ".join(found)))
    _needed("nbconvert", "mistune", "typst")
    chapters = [read(path) for name, path in found.items() if name in names or not names]
    into.mkdir(parents=True, exist_ok=True)
    for chapter in chapters:
        for reader, teacher in _READERS.items():
            for suffix, make in _WRITERS.items():
                links = {path.name: f"{name}.{reader}{suffix}" for name, path in found.items()}
                path = into / f"{chapter.name}.{reader}{suffix}"
                path.write_bytes(make(chapter, links, teacher=teacher))
                yield path


def html(chapter: Chapter, links: dict[str, str], *, teacher: bool) -> bytes:
    """The handout as a page; `links` say by the name of a notebook's file where its handout is."""
    return page(chapter, links, teacher=teacher).encode()


def pdf(chapter: Chapter, links: dict[str, str], *, teacher: bool) -> bytes:
    """The handout on paper."""
    given = json.dumps(document(chapter, links, teacher=teacher), ensure_ascii=False)
    made: bytes = paper.compiled(_SHEET, {"document": given}, fonts, format="pdf")
    return made


@functools.cache
def fonts() -> Any:
    """Those that come with tcpviz and typst, and none of the system: the same bytes everywhere."""
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[paper.FONTS])


def _needed(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise Problem(say("handout_needs", package=package))


_WRITERS: Final = {".html": html, ".pdf": pdf}
