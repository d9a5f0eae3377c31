"""The words of the state diagram and of the joint-state map: a part of words.py."""

from typing import Final

DIAGRAMS: Final = {
    # state diagram
    "diagram": "The states of a TCP connection (RFC 9293, Figure 5)",
    "diagram_open": "Opening a TCP connection (RFC 9293, Figure 5)",
    "diagram_close": "Closing a TCP connection (RFC 9293, Figure 5)",
    "diagram_from": "From {state}: what can happen next (RFC 9293)",
    "diagram_on": "{title}: {end} is in {state}",
    "diagram_is_in": "{end} is in {state}",
    "diagram_alt_then": "{end}: {states}; it is in {state} at {time}.",
    "diagram_at": "{title} at {time}",
    "diagram_came": "{end}: how it came here",
    "diagram_ahead": "where it can go",
    "diagram_ahead_of": "{end} can go:",
    "diagram_behind": "how it is reached",
    "diagram_behind_of": "{state} is reached by:",
    "diagram_left_out": "left out of Figure 5",
    "diagram_see_note": "(note {number})",
    "diagram_note_1": "Note 1: a RST takes SYN-RECEIVED back to LISTEN where the end opened "
    "passively, and to CLOSED where it opened actively.",
    "diagram_note_2": "Note 2: a segment that brings a FIN may acknowledge ours too; FIN-WAIT-1 "
    "then goes straight to TIME-WAIT.",
    "diagram_note_3": "Note 3: a RST ends the connection in every state: the end is then CLOSED, "
    "or where note 1 says. Who sends one may also wait in TIME-WAIT; that is not drawn: by 3.10.5, "
    "ABORT leads to CLOSED.",
    "diagram_note_3_close": "Note 3: a RST ends the connection in any of these states. Who sends "
    "one may also wait in TIME-WAIT; that is not drawn: by 3.10.5, ABORT leads to CLOSED.",
    "diagram_sections": "Sections of RFC 9293:",
    "diagram_of": "{title}: the states of {ends}",
    "diagram_active": "usual way of an active opener and closer",
    "diagram_passive": "usual way of a passive opener and closer",
    "diagram_numbers": "Numbers: the order of the moves.",
    "diagram_inferred": "White number: nobody saw the move, it is inferred from the segments.",
    "diagram_inferred_move": "(inferred)",
    "diagram_opened_unseen": "{end} is in LISTEN again: nobody saw its passive OPEN",
    "diagram_no_rule": "no rule of TCP",
    "diagram_rule_of": "a rule of {whose}",
    "diagram_not_in_figure": "(not in Figure 5)",
    "diagram_opened": "(opened {how})",
    "diagram_reopened": "(reopened)",
    "diagram_unknown": "{end}: its states are not known",
    "diagram_ends_in": "{end} ends in {state}",
    "diagram_alt": "State diagram of a TCP connection in the arrangement of RFC 9293, Figure 5:"
    " eleven states as boxes, {drawn} moves as arrows.",
    "diagram_alt_open": "State diagram of the opening of a TCP connection in the arrangement of"
    " RFC 9293, Figure 5: five states as boxes, {drawn} moves as arrows.",
    "diagram_alt_close": "State diagram of the closing of a TCP connection in the arrangement of"
    " RFC 9293, Figure 5: eight states as boxes, {drawn} moves as arrows.",
    "diagram_alt_ahead": "From {state} it can go {ways}; everything else is faded.",
    "diagram_alt_nowhere": "From {state} no move of this part leads on.",
    "diagram_alt_way": "to {state} ({what})",
    "diagram_alt_path": "{end}: {states}.",
    "diagram_alt_now": "{end}: {states}; it is in {state} when the trace ends.",
    # joint-state map
    "map": "Which states the two ends can be in at the same time",
    "map_path": "Which states the two ends can be in at the same time, and a way through: {title}",
    "map_columns": "server →",
    "map_rows": "client ↓",
    "map_never": "never met",
    "map_reachable": "reachable",
    "map_quiet": "reachable and quiet: nothing in flight, no timer running",
    "map_number": "n",
    "map_moves": "n: moves of a shortest run",
    "map_half_open": "half-open",
    "map_half_open_is": "half-open: one end takes the connection for open, the other knows nothing "
    "of it (RFC 9293, 3.5.1)",
    "map_failure": "{sentence}: a shortest run has {count} moves and ends here.",
    "map_strays": "The way passes pairs that this search never met: it begins with a listening "
    "server and an opening client; this run makes other calls, or meets other segments.",
    "map_walks": "{end} moves",
    "map_table": "client down, server across; n: moves of a shortest run, . never met, q quiet, "
    "h half-open",
    "map_way": "The way:",
    "map_alt": "Map of the pairs of states of client and server, eleven by eleven. {summary} "
    "{never} pairs are never met, {reachable} are reachable, {quiet} more can be quiet.",
    "map_alt_quiet": "Quiet, client / server: {pairs}.",
    "map_alt_half": "Half-open: {pairs}.",
    "map_alt_way": "A way through the map: {pairs}.",
}
