"""A handout as a page of HTML that needs nothing else: its Players step with no kernel, offline.

Knows how nbconvert is run. A Player judges answers by itself, so it carries them; a student's page
carries no cell that is for teachers.
"""

import copy
import html
from pathlib import Path
from typing import Any, Final

from tcpviz.handouts.chapter import FOR_TEACHERS, Chapter
from tcpviz.words import language, say

_STYLE: Final = (Path(__file__).parent / "page.css").read_text("utf-8")
_WIDGETS: Final = "application/vnd.jupyter.widget"


def page(chapter: Chapter, links: dict[str, str], *, teacher: bool) -> str:
    """The page; `links` say by the name of a notebook's file where its handout is."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    dropped = set() if teacher else set(FOR_TEACHERS)
    exporter = HTMLExporter(
        config=Config(
            {"TagRemovePreprocessor": {"enabled": True, "remove_cell_tags": dropped}},
        ),
        template_name="basic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    body, resources = exporter.from_notebook_node(_without_widgets(chapter))
    for notebook, handout in links.items():
        body = body.replace(f'href="{notebook}', f'href="{handout}')
    named = f':root {{ --solution: "{say("handout_solution")}"; }}'
    style = "\n".join([*resources["inlining"]["css"], named, _STYLE])
    reader = say("handout_teacher" if teacher else "handout_student")
    return (
        f'<!DOCTYPE html>\n<html lang="{language()}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(chapter.title)} ({html.escape(reader)})</title>\n"
        f"<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header>{html.escape(reader)}</header>\n<main>\n{body}\n</main>\n"
        f"<footer>{html.escape(say('handout_licence'))}</footer>\n</body>\n</html>\n"
    )


def _without_widgets(chapter: Chapter) -> Any:
    """The notebook with a panel's picture in the place of its widgets, which need a kernel."""
    notebook = copy.deepcopy(chapter.notebook)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            for kind in [kind for kind in data if kind.startswith(_WIDGETS)]:
                del data[kind]
    return notebook
