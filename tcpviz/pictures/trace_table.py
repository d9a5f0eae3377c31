"""A Trace of two ends as a table, for those who read a picture by its rows and columns.

Knows the rows of a transcript and the words. Must not know any picture.
"""

from tcpviz.pictures.table import Table
from tcpviz.trace import Row, Trace
from tcpviz.words import say


def trace_table(trace: Trace, *, absolute: bool) -> Table:
    """The transcript with headers; who sends and who receives is said in words, not by arrows."""
    left, right = (end.name for end in trace.ends)
    return Table(
        "\n".join((trace.title or say("chart_title"), *trace.notes)),
        (
            say("column_at"),
            say("column_state", end=left),
            say("column_segment"),
            say("column_state", end=right),
            say("column_remarks"),
        ),
        tuple(
            (row.at, row.left, _sent(row, left, right), row.right, row.remarks)
            for row in trace.table(absolute=absolute)
        ),
    )


def _sent(row: Row, left: str, right: str) -> str:
    """Whose segment it is, and at which end it is seen."""
    if not row.segment:
        return ""
    near, far = row.near, row.far
    if near == "-->" or far == "<--":
        return say("table_sends", end=left if near == "-->" else right, segment=row.segment)
    if near == "<--" or far == "-->":
        return say("table_receives", end=left if near == "<--" else right, segment=row.segment)
    return say("sum_of", segment=row.segment, end=left if far == "X" else right)
