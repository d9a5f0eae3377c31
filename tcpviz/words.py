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
    "diagram_inferred": "White: nobody saw the state, it is inferred from segments.",
    "diagram_inferred_move": "(inferred)",
    "diagram_not_in_figure": "(not in Figure 5)",
    "diagram_opened": "(opened {how})",
    "diagram_unknown": "{end}: its states are not known",
    "diagram_ends_in": "{end} ends in {state}",
    "diagram_alt": "State diagram of a TCP connection in the arrangement of RFC 9293, Figure 5:"
    " eleven states as boxes, {drawn} moves as arrows.",
    "diagram_alt_path": "{end}: {states}.",
    "diagram_alt_now": "{end}: {states}; it is in {state} when the trace ends.",
    # forks
    "fork_name": "{name}: {what}",
    "fork_lose": "{control} of {time} lost",
    "fork_delay": "{control} of {time} late",
    "fork_duplicate": "{control} of {time} twice",
    "fork_close": "{end} closes at {time}",
    "fork_abort": "{end} aborts at {time}",
    "fork_crash": "{end} crashes at {time}",
    "fork_recorded": "This was recorded, not simulated: what has happened cannot happen in another"
    " way. Fork a scenario that resembles it.",
    "fork_no_scenario": "A trace does not know the scenario it came from: fork the scenario.",
    "fork_what": "{what!r} is none of {known}.",
    "fork_no_step": "There is no step {step}: the run has {count}, counted from 0.",
    "fork_no_end": "This step is in the network: say at which end to {what}.",
    "fork_no_segment": "There is no segment to {what} at {time}: choose a step that has one.",
    "fork_unsent": "Nobody sends this {control} in this run, so there is nothing to {what}:"
    " it is an old one.",
    "fork_lost_already": "This {control} is lost already: there is nothing to {what}.",
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
    # questions to predict: what is about to happen
    "ask_arrive": "{segment} arrives at {end}, which is in {state}.",
    "ask_call": "{end}, in {state}: its user calls {text}.",
    "ask_timeout": "{end}, in {state}: its timer {text} expires.",
    "ask_unknown_state": "a state nobody saw",
    "ask_full": "The {queue} is full.",
    # ... what is asked
    "ask_state": "{told} In which state is {end} then?",
    "ask_sends": "{told} What does {end} send at once?",
    "ask_sends_next": "{told} What does {end} send next?",
    "ask_number": "{told} Which ACK number does the answer of {end} carry?",
    "ask_user": "{told} What does the user of {end} hear?",
    "ask_retransmission": "{end} has sent {control}, and no ACK of it comes. {history} How long"
    " after its last try does it send it again?",
    "ask_waited": "The last wait was {waits}.",
    "ask_first_wait": "It was sent once so far.",
    "ask_handshake": "The client opens, the server listens. How many segments travel until both"
    " ends are ESTABLISHED?",
    "ask_handshake_both": "Both ends open actively. How many segments travel until both are"
    " ESTABLISHED?",
    "ask_established": "{told} Which end is ESTABLISHED first?",
    "ask_time_wait": "{told} Who waits in TIME-WAIT in the end?",
    "ask_duration": "{told} The MSL is {msl}. How long does it wait in TIME-WAIT, if nothing more"
    " arrives?",
    "ask_timer": "{told} What becomes of its 2MSL timer?",
    "ask_close_wait": "{told} What will bring {end} out of CLOSE-WAIT?",
    "ask_silence": "The host of {end} crashes, and nothing is on its way."
    " What does {other}, in {state}, notice?",
    "ask_data_fate": "{told} What becomes of the data?",
    # ... choices
    "ask_then": " and ",
    "ask_nothing": "nothing",
    "ask_silent": "nothing",
    "ask_data": "{control} with {octets} octets",
    "ask_reads_no_more": "FIN,ACK, and a segment that says it reads no more",
    "ask_never": "never, unless the application tries again",
    "ask_segments": "{count} segments",
    "ask_together": "both at the same moment",
    "ask_both": "both",
    "ask_nobody": "neither",
    "ask_two_msl": "{time}: two MSL",
    "ask_msl": "{time}: one MSL",
    "ask_trip": "{time}: one round trip",
    "ask_rfc_msl": "{time}: always",
    "ask_until_close": "until the application closes its descriptor",
    "ask_timer_restarts": "it starts again",
    "ask_timer_runs_on": "it runs on",
    "ask_timer_stops": "it stops",
    "ask_own_close": "a CLOSE by its own application",
    "ask_after_two_msl": "a timer, after 2MSL",
    "ask_peer_gone": "the end of the peer's FIN-WAIT-2",
    "ask_sysctl": "a sysctl, such as a shorter tcp_fin_timeout",
    "ask_notices_nothing": "nothing for now: it stays in {state}",
    "ask_notices_rst": "a RST that the crash sends",
    "ask_notices_fin": "a FIN that the crash sends",
    "ask_notices_soon": "after some seconds without segments its TCP closes",
    "ask_data_taken": "the user gets it, as data of this connection",
    "ask_data_dropped": "it is dropped; the connection goes on",
    "ask_data_reset": "it is lost, and a RST says so",
    # ... why the answer is right
    "why_state": "{event} does that (§{section}).",
    "why_stays": "Nothing here moves the state (§3.10.7).",
    "why_not_drawn": "Figure 5 is a summary and does not draw this move.",
    "why_delayed": "Its ACK is delayed: the application may give it a ride (§3.8.6.3).",
    "why_full": "A full queue is met with silence: the sender will try again.",
    "why_full_cookie": "Only a full queue makes it answer with a cookie and keep nothing.",
    "why_half_close": "The FIN that came ended one direction; this one is open still (§3.6).",
    "why_unread": "Data that its user will never read is lost, and a RST says so (§3.6.1).",
    "why_call": "That is what the call does in this state (§3.10).",
    "why_call_silent": "The call sends nothing in this state (§3.10).",
    "why_silent": "Nothing that came must be acknowledged: a bare ACK occupies no number (§3.4).",
    "why_rst_silent": "A RST is never answered by a segment here (§3.10.7).",
    "why_closed": "CLOSED is no TCB, and still answers what reaches it by a RST (§3.10.7.1).",
    "why_reset": "The segment cannot belong to this connection, or comes too late (§3.5.2).",
    "why_challenge": "An ACK says what is expected; only its RST could end the connection"
    " (§3.5.1, Figure 9).",
    "why_reopens": "The new SYN lies beyond the old numbers: it may open from TIME-WAIT (MAY-2,"
    " §3.6.1).",
    "why_syn_ack": "TCP sends its SYN and its ACK at the same instant, so they travel together"
    " (§3.5).",
    "why_rides": "The third segment may carry data, and what waited is sent with it (§3.4).",
    "why_ack": "What occupies a sequence number, or is not expected, is acknowledged (§3.10.7.4).",
    "why_answer": "What it has to say and its ACK travel together (§3.10.7.4).",
    "why_number_control": "SYN and FIN occupy one sequence number each (§3.4).",
    "why_number_data": "The next octet expected: {octets} came (§3.4).",
    "why_told": "That is what its user is told, in this state, by this event (§3.10).",
    "why_doubled": "The RTO doubles each time (RFC 6298 §5.5).",
    "why_rto": "That is its RTO now (RFC 6298; some systems wait alike a few times first).",
    "why_three": "SYN, SYN,ACK, ACK: each side's number is sent and acknowledged (§3.5).",
    "why_four_segments": "Each side's SYN and each side's ACK travel apart here (§3.5).",
    "why_first": "It has the other's SYN, and the ACK of its own, before the other end has (§3.5).",
    "why_together": "What happens to one happens to the other at the same time here (§3.5).",
    "why_time_wait": "{end} closes first, so it must answer if its last ACK is lost (§3.6).",
    "why_both": "The FINs cross: each end is an active closer (§3.6, Figure 13).",
    "why_two_msl": "One for its last ACK to arrive or die, one for the peer's FIN to come again"
    " (§3.4.2, §3.6.1).",
    "why_timer_restarts": "The last ACK may be lost, and the one sent now too (§3.10.7.4).",
    "why_timer_runs_on": "This end answers the FIN and lets the time run on.",
    "why_timer_stops": "This end leaves TIME-WAIT.",
    "why_own_close": "No timer ends CLOSE-WAIT: TCP waits for its user to call CLOSE (§3.10.4).",
    "why_notices_nothing": "Silence is legal. Only data, a keep-alive or a user timeout finds out"
    " (§3.8.4).",
    "why_data_taken": "It lies in the window and is the next expected (§3.10.7.4).",
    "why_data_old": "Its numbers lie in the window: nothing tells old data from new (§3.4.1).",
    "why_data_dropped": "Its numbers are not those expected now (§3.10.7.4, first check).",
    "why_data_reset": "Nobody is there to take it (§3.6.1, §3.10.7.1).",
    # ... why the others are wrong, by the table and the state
    "why_other_event": "That takes another event: {event} (§{section}).",
    "why_moves": "It does not stay: what comes moves it (§3.10).",
    "why_no_edge": "No single event leads from {state} to {other} (§3.3.2).",
    "why_not_nothing": "This is answered, or sends something of its own (§3.10).",
    "why_not_ack": "A bare ACK is not what this asks for (§3.10).",
    "why_not_rst": "A RST answers what cannot belong here; this can (§3.5.2).",
    "why_not_fin": "A FIN leaves when its user calls CLOSE (§3.10.4).",
    "why_not_silent": "Its user is told when the connection or the attempt ends, or stays without"
    " an answer (§3.8.3, §3.10).",
    "why_nobody_reset": "No RST came: it gave up by itself (§3.8.3).",
    "why_not_r1": "That is told earlier, at R1 (§3.8.3).",
    "why_not_r2": "Giving up comes later, at R2 (§3.8.3).",
    "why_not_reset": "That is for a connection that a RST ends (§3.10.7.4).",
    "why_not_refused": "That is for an attempt that was never ESTABLISHED (§3.10.7.4).",
    "why_not_closing": "That answers a call made after CLOSE (§3.10.4).",
    "why_not_so_long": "The RTO at most doubles from one try to the next (RFC 6298 §5.5).",
    "why_not_first": "Its own SYN is acknowledged later than the other's (§3.5).",
    "why_not_both": "Both wait only where the FINs cross; here one closes first (§3.6).",
    "why_not_alone": "The FINs cross: the other has sent its FIN first too (§3.6, Figure 13).",
    "why_closed_last": "Who closes last has its FIN acknowledged and may forget (§3.6).",
    "why_timer_not_restarts": "Not by the rule in force here.",
    "why_timer_not_runs_on": "The ACK sent now may be lost like the last one: the time must be"
    " whole again (§3.10.7.4).",
    "why_timer_not_stops": "TIME-WAIT ends by its timer, not by a FIN (§3.10.8).",
    "why_data_not_taken": "Its numbers are not expected, or nobody is left to take it (§3.10.7).",
    "why_data_not_dropped": "It is not dropped quietly: its numbers fit (§3.10.7.4).",
    "why_data_not_silent": "The sender must learn that it is lost: a RST says so (§3.6.1).",
    "why_data_not_reset": "A RST is for a connection that is gone, or a reader (§3.6.1).",
    # ... what people believe
    "myth_two": "Who gets a SYN cannot know that it is not an old duplicate: it must ask the"
    " sender, and that takes a third segment (§3.4.1).",
    "myth_four": "Possible and needless: it keeps ACK and SYN apart that could travel together"
    " (§3.5).",
    "myth_three_only": "The SYNs cross, so that neither can carry the ACK of the other (Figure 7).",
    "myth_certain": "No number of ACKs makes both ends certain (the Two Generals); three are what"
    " agreeing on numbers needs (§3.4.1).",
    "myth_crossing": "A SYN without an ACK does not say that ours arrived (§3.5, Figure 7).",
    "myth_accept": "TCP finishes the handshake; accept() only fetches what is ESTABLISHED already.",
    "myth_listener": "A listener is not a connection: a RST sends it back to LISTEN, and its user"
    " is not told (§3.10.7.4).",
    "myth_close_ends": "CLOSE says that this side has no more to send; the rest goes on (§3.6).",
    "myth_fin_both": "A FIN ends one direction; who gets it may go on sending (§3.6).",
    "myth_passive_waits": "TIME-WAIT is for the end that closed first, not for this one (§3.6).",
    "myth_merged": "Every FIN carries an ACK; this one acknowledges our FIN. In a simultaneous"
    " close the FINs cross (Figure 13).",
    "myth_no_closing": "Our own FIN is not acknowledged yet: CLOSING waits for that (§3.6).",
    "myth_no_time_wait": "Nobody would be left to acknowledge a FIN that comes again (§3.6.1).",
    "myth_fin_timeout": "This timer (Linux: tcp_fin_timeout) limits FIN-WAIT-2 of an orphan;"
    " it is not the length of TIME-WAIT.",
    "myth_any_rst": "Not every RST kills: its number and the state decide (RFC 5961, RFC 1337).",
    "myth_backlog": "The backlog counts completed connections, and an overflow drops in silence;"
    " it refuses nobody.",
    "myth_cookies": "This is what the cookie is for: it is sent when the queue is full, and only"
    " then (Linux: tcp_syncookies = 1).",
    "myth_rst_answered": "A RST is never answered with a RST (§3.10.7).",
    "myth_tw_recycle": "No RST, and no sysctl is needed: tcp_tw_recycle is gone since Linux 4.12,"
    " tcp_tw_reuse is for who opens actively.",
    "myth_syn_resets": "The end that still knows the connection answers with an ACK; the RST comes"
    " from the one that forgot (Figure 9).",
    "myth_syn_opens": "Here a connection exists; a SYN,ACK would begin another (§3.10.7.4).",
    "myth_third_bare": "The third segment, and a SYN, may carry data (§3.4).",
    "myth_kernel_fin": "The ACK is TCP's own, at once; the FIN waits for the application's CLOSE"
    " (§3.6).",
    "myth_ack_of_ack": "A bare ACK occupies no number; else ACKs would be acknowledged for ever"
    " (§3.4).",
    "myth_always_four": "The ACK was still delayed, so it rides on the FIN: three segments close"
    " (§3.8.6.3).",
    "myth_close_fin": "With data unread a close sends a RST: the peer must learn that data was"
    " lost (§3.6.1).",
    "myth_shut_rd": "Reading no more, as by shutdown(SHUT_RD), tells the peer nothing (§3.6.1).",
    "myth_same_number": "That number was taken by what came: it would ask for it again (§3.4).",
    "myth_one_more": "One too far: it would acknowledge what was not sent (§3.4).",
    "myth_control_free": "The FIN occupies a number too (§3.4).",
    "myth_counts_segments": "Numbers count octets, not segments (§3.4).",
    "myth_own_number": "That is the number of the other direction (§3.4).",
    "myth_same_wait": "The RTO has doubled (RFC 6298 §5.5).",
    "myth_always_doubles": "Not here: Linux repeats a SYN some times before it doubles the RTO.",
    "myth_round_trip": "The RTO leaves room: a late answer is not a lost one (RFC 6298).",
    "myth_three_seconds": "That was the first RTO of RFC 1122; RFC 6298 says 1 s.",
    "myth_application_retries": "TCP itself sends again; the application does nothing (§3.8.1).",
    "myth_together": "One end is half a round trip ahead (§3.5).",
    "myth_role": "Not the role decides, but who closes first (§3.6).",
    "myth_one_msl": "One MSL lets our ACK die, a second is for the peer's FIN to come back"
    " (§3.6.1).",
    "myth_round_trip_wait": "The MSL is how long a segment may live, no round trip (§3.4.2).",
    "myth_leak": "TIME-WAIT holds no descriptor and ends by itself: a cure, no leak. It holds the"
    " four-tuple, not the port.",
    "myth_four_minutes": "The RFC's MSL is 2 minutes, an engineering choice (§3.4.2); here it is"
    " another.",
    "myth_close_wait_timer": "2MSL is for TIME-WAIT; CLOSE-WAIT has no timer (§3.10.8).",
    "myth_peer_gone": "The peer may forget; nobody tells this end, which stays (§3.6).",
    "myth_sysctl": "It is no matter of the network: the application forgot to close.",
    "myth_notices_rst": "A crash sends nothing; a RST comes only when something arrives after the"
    " restart (§3.5.1).",
    "myth_notices_fin": "A FIN needs a TCP that is alive (§3.5.1).",
    "myth_notices_soon": "A quiet connection may stay for ever; nothing watches it unless asked to"
    " (§3.8.4).",
    "ask_no_pin": "nothing can be asked at {pin!r} in this trace: a pin is one of {kinds}, if the"
    " trace has it, or one of its steps {steps}",
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
