"""The words of tables, also of transcripts, in their heads and cells. Part of `words`."""

from typing import Final

TABLES: Final = {
    "column_at": "at",
    "column_state": "state of {end}",
    "column_segment": "segment",
    "column_remarks": "remarks",
    "column_number": "number",
    "column_end": "end",
    "column_from": "from",
    "column_to": "to",
    "column_move": "event, what is sent",
    "table_sends": "{end} sends {segment}",
    "table_receives": "{end} receives {segment}",
    "column_difference": "difference",
    "column_connection": "connection",
    "table_stay": "{since} to {until}",
    "table_from": "from {since}",
    "table_counts": "How many connections are in a state at a time.",
    "table_inferred": "(TIME): nobody saw the state, it is inferred from the segments.",
}
