"""Every human word that tcpviz prints in a picture, transcript or widget, in one place.

English now; a language is one more dictionary with the same keys. The RFC's own words (state names,
calls, control bits) are notation and are never translated; they do not stand here.
"""

from typing import Final

ENGLISH: Final = {
    # transcript
    "column_at": "at",
    "arrives": "arrives at {time}",
    "lost": "lost",
    "lost_unseen": "never seen to arrive: lost",
    "unsent": "old: nobody was seen to send it",
    "again": "retransmission",
    "copy": "a duplicate made by the network",
    "expired": "{timer} expires",
    "inferred": "(STATE): nobody saw the state, it is inferred from the segments.",
    "old_data": "old data: from incarnation {number} of {end}",
    "old_data_injected": "old data: sent before this run",
    # full queues of a listener
    "queue_SYN": "SYN queue",
    "queue_accept": "accept queue",
    "full_nothing": "dropped: the {queue} is full",
    "full_RST": "reset: the {queue} is full",
    "full_cookie": "{queue} full: a cookie answers",
    # many connections
    "line_peak": "{count} at most, at {time}",
    "pop_member": "connection {number}",
    "pop_members": "{count} connections",
    "pop_all": "connections",
    "pop_admitted": "got in",
    "pop_refused": "met a full queue",
    "pop_no_port": "found no free port",
    "pop_state": "most in {state} at the {end}",
    "pop_queue": "most in the accept queue",
    "pop_ports": "most ports in use",
    "pop_at": "at {time}",
    # capture
    "opened_handshake": "handshake",
    "opened_simultaneous": "simultaneous open",
    "opened_unfinished": "handshake not finished",
    "opened_refused": "refused",
    "opened_unanswered": "no answer",
    "opened_before": "before the capture",
    "closed_both": "both",
    "closed_unknown": "?",
    "ended_fin": "FIN from both",
    "ended_reset": "reset by {end}",
    "ended_half": "half-closed by {end}",
    "ended_half_unknown": "one FIN seen, by {end}",
    "ended_open": "open",
    "ended_never": "never open",
    "gone_before": "the connection was gone before, unseen",
    "vantage_unknown": "The capture does not tell at which end it was taken: "
    "the active opener's is assumed.",
    "opener_unseen": "No SYN was seen: which end opened is a guess by the port numbers.",
    "established_assumed": "It was open before the capture: "
    "that it began in ESTABLISHED is an assumption.",
    "clocks": "The clocks of the two ends disagree: times at one end were shifted "
    "so that the shortest delays are equal both ways.",
    "seen_elsewhere": "A third interface saw it on its way: that is left out.",
    "captured_twice": "The capture holds packets twice within 1 ms: each is taken for one packet.",
    "clock_set": "Some segments still arrive before they leave: a clock was set during the "
    "capture. They are drawn as arriving at once.",
    "fate_unknown": "Some segments were not seen to arrive, but the other end acknowledged them, "
    "saw them cut up, or may not have been watched then: their fate is unknown.",
    "near": "Two interfaces less than 1 ms apart saw the same packets: "
    "they are taken for the two ends.",
    "stopped": "stopped at {time}, with timers still running or segments on the way",
    # state diagram
    "diagram": "The states of a TCP connection (RFC 9293, Figure 5)",
    "diagram_of": "{title}: the states of {ends}",
    "diagram_active": "usual way of an active opener and closer",
    "diagram_passive": "usual way of a passive opener and closer",
    "diagram_numbers": "Numbers: the order of the moves.",
    "diagram_inferred": "White number: nobody saw the move, it is inferred from the segments.",
    "diagram_inferred_move": "(inferred)",
    "diagram_not_in_figure": "(not in Figure 5)",
    "diagram_opened": "(opened {how})",
    "diagram_unknown": "{end}: its states are not known",
    "diagram_ends_in": "{end} ends in {state}",
    "diagram_alt": "State diagram of a TCP connection in the arrangement of RFC 9293, Figure 5:"
    " eleven states as boxes, {drawn} moves as arrows.",
    "diagram_alt_path": "{end}: {states}.",
    "diagram_alt_now": "{end}: {states}; it is in {state} when the trace ends.",
    # panels
    "panel_lose": "Lose",
    "panel_nothing": "nothing",
    "panel_delay": "One-way delay, ms",
    "panel_whole": "handshake",
    "panel_lost": "handshake, its {segment} lost",
    # sequence chart
    "chart_title": "Sequence chart",
    "chart_alt": "Sequence chart, time to scale from top to bottom. {told}",
    "active_opener": "active opener",
    "passive_opener": "passive opener",
    "active_closer": "active closer",
    "not_observed": "not observed",
    "octets": "{count} octets",
    "no_control": "no control bits",
    "copy_short": "duplicate",
    "more": "and {count} more",
    "unsent_short": "not sent by {end}",
    "on_the_way": "on its way",
    "timer_stopped": "stopped",
    "not_drawn": "{time} not drawn",
    "key_expired": "timer expired",
    "key_stopped": "timer stopped before",
    "key_inferred": "states in italics: concluded from the segments",
    # a trace in one paragraph
    "list_comma": ", ",
    "list_and": "{first} and {last}",
    "sum_segments": "{ends} exchange {count} segments in {time}.",
    "sum_not_observed": "What happened at {end} was not observed.",
    "sum_opens": "{ends} opens.",
    "sum_open_both": "{ends} open at the same time.",
    "sum_lost": "Lost: {segments}.",
    "sum_more": "{list} and {count} more",
    "sum_again": "Retransmissions: {count}.",
    "sum_time_wait": "{end} waits in TIME-WAIT.",
    "sum_ends_in": "{end} ends in {state}.",
    # exploration
    "explore_complete": "{states} joint states, complete. Allowed: {budgets}.",
    "explore_stopped": "{states} joint states, not complete: {bound}. Allowed: {budgets}.",
    "explore_losses": "losses {count}",
    "explore_duplicates": "duplicates {count}",
    "explore_old": "old segments {count}",
    "explore_spurious": "spurious timeouts {count}",
    "explore_holds": "holds",
    "explore_unseen": "not seen to fail",
    "explore_fails": "fails, after {count} moves at the earliest",
    "explore_cells": "Of {cells} pairs of states {never} never meet; {quiet} can be quiet.",
    "explore_allowed": "{name} {count}",
    "explore_faultless": "no fault",
    "explore_within": "A shortest run. What was allowed: {budgets}.",
    "explore_late": "A timer expires later than it should: no lengths of timers gave this order.",
    "explore_no_ghost": "An end is ESTABLISHED with a peer that did not open in this incarnation",
    "explore_no_old_data": "Data of an earlier incarnation is delivered",
    "explore_nobody_stranded": "An end cannot reach CLOSED or LISTEN any more",
    "explore_quiet_agreement": "All is quiet, and one end alone is ESTABLISHED",
    "explore_orderly_close": "A RST ends an orderly close",
    "explore_time_wait_lasts": "A RST ends TIME-WAIT",
}


def say(key: str, **values: object) -> str:
    """The words under `key`, with `values` filled in.

    >>> say("expired", timer="RTO")
    'RTO expires'
    """
    words = ENGLISH[key]
    return words.format(**values) if values else words
