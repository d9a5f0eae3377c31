"""A table: a caption, columns with names, rows of text; and the HTML of it.

Knows how a table is written so that it can be read aloud. Must not know what it tells.
"""

import html
from typing import NamedTuple


class Table(NamedTuple):
    """A caption, the names of the columns, and rows of as many cells; the first names its row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def html(self) -> str:
        """The table as HTML with headers of columns and rows; all text comes out as text."""
        head = "".join([f'<th scope="col">{html.escape(column)}</th>' for column in self.columns])
        lines = [f"<table><caption>{html.escape(self.caption)}</caption>", f"<tr>{head}</tr>"]
        for first, *others in self.rows:
            cells = "".join([f"<td>{html.escape(cell)}</td>" for cell in others])
            lines.append(f'<tr><th scope="row">{html.escape(first)}</th>{cells}</tr>')
        return "\n".join([*lines, "</table>"])
