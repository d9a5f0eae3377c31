"""Links in Markdown: where they lead, and whether that is there."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import mistune
import nbformat

BINDER = "mybinder.org"


class _Html(HTMLParser):
    """The addresses and the names in a piece of HTML."""

    def __init__(self, html):
        super().__init__()
        self.urls, self.names = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src"):
                self.urls.append(value)
            if name in ("id", "name"):
                self.names.append(value)


def _walk(tokens):
    for token in tokens:
        yield token
        yield from _walk(token.get("children", ()))


def _tree(markdown):
    return list(_walk(mistune.create_markdown(renderer="ast", plugins=["table"])(markdown)))


def _texts(path):
    """The Markdown of a file: of a page, or of a notebook's cells."""
    if path.suffix != ".ipynb":
        return [path.read_text("utf-8")]
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def links(path):
    """Every address that a file leads to, in order."""
    for text in _texts(path):
        for token in _tree(text):
            if token["type"] in ("link", "image"):
                yield token["attrs"]["url"]
            elif token["type"] in ("block_html", "inline_html"):
                yield from _Html(token["raw"]).urls


@cache
def anchors(path):
    """What can stand after # in a link to that file: as GitHub names headings, or JupyterLab."""
    found = set()
    for text in _texts(path):
        for token in _tree(text):
            if token["type"] == "heading":
                words = "".join(each.get("raw", "") for each in _walk(token["children"]))
                if path.suffix == ".ipynb":
                    found.add(words.replace(" ", "-"))
                else:
                    found.add(re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-"))
            elif token["type"] in ("block_html", "inline_html"):
                found |= set(_Html(token["raw"]).names)
    return found


def faults(path, root):
    """Which links of a file lead nowhere."""
    for url in links(path):
        parts = urlsplit(url)
        if parts.netloc == BINDER:
            yield from (f"{url}: {fault}" for fault in _binder(parts, root))
        elif parts.scheme:
            if parts.scheme != "https" or "." not in parts.netloc:
                yield f"{url}: not an address of the net"
        else:
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists() or not target.is_relative_to(root):
                yield f"{url}: there is no such file"
            elif parts.fragment and unquote(parts.fragment) not in anchors(target):
                yield f"{url}: there is no such heading"


def _binder(parts, root):
    """What is wrong with the address of a notebook on Binder; a badge has none."""
    if not parts.path.startswith("/v2/"):
        return
    if not re.fullmatch(r"/v2/gh/[\w.-]+/[\w.-]+/[\w.-]+", parts.path):
        yield "no repository and branch"
    [place] = parse_qs(parts.query).get("urlpath", [""])
    notebook = Path(place.removeprefix("lab/tree/"))
    if not place.startswith("lab/tree/") or not (root / notebook).exists():
        yield "there is no such notebook"
