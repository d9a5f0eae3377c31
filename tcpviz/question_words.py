"""The words of the questions to predict: part of `words`, which is where everybody gets them.

A choice's words say what is wrong with it, with the section of RFC 9293 where one says so.
"""

from typing import Final

QUESTIONS: Final = {
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
    "ask_proves": "{told} What may {end} conclude, at the most?",
    "ask_time_wait": "{told} Who waits in TIME-WAIT in the end?",
    "ask_duration": "{told} The MSL is {msl}. How long does it wait in TIME-WAIT, if nothing more"
    " arrives?",
    "ask_timer": "{told} What becomes of its 2MSL timer?",
    "ask_close_wait": "{told} What will bring {end} out of CLOSE-WAIT?",
    "ask_silence": "The host of {end} crashes, and nothing is on its way."
    " What does {other}, in {state}, notice?",
    "ask_data_fate": "{told} What becomes of the data?",
    "ask_data_old": "{told} It was not sent on this connection. What becomes of its data?",
    # ... choices
    "ask_then": " and ",
    "ask_nothing": "nothing",
    "ask_silent": "nothing",
    "ask_data": "{control} with {octets} octets",
    "ask_reads_no_more": "FIN,ACK, and a segment that says it reads no more",
    "ask_never": "never, unless the application tries again",
    "ask_segments": "{count} segments",
    "ask_proves_came": "that {peer} has sent this, now or long ago",
    "ask_proves_heard": "that {peer} hears it now, and it hears {peer}",
    "ask_proves_certain": "that each of the two knows that the other hears it",
    "ask_proves_user": "that the application of {peer} is there and ready",
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
    "why_state": "{event} does that ({section}).",
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
    "why_came": "Nothing in it answers {end}, and no number tells its own age: it may be an old"
    " duplicate (§3.4.1).",
    "why_heard": "It names the number that {end} has just chosen for itself: who did not get it"
    " would have to guess (§3.4.1, §3.5).",
    "why_crossing": "The SYNs cross, so each end acknowledges the other's with a SYN,ACK (§3.5,"
    " Figure 7).",
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
    "why_other_event": "That takes another event: {event} ({section}).",
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
    "why_not_refused": "RFC 9293 says that in SYN-RECEIVED, after an active OPEN (§3.10.7.4).",
    "why_not_closing": "That answers a call made after CLOSE (§3.10.4).",
    "why_not_so_long": "The RTO at most doubles from one try to the next (RFC 6298 §5.5).",
    "why_not_came": "It is more than that: it names the number that {end} has just chosen, and so"
    " it is an answer (§3.5).",
    "why_not_first": "Its own SYN is acknowledged later than the other's (§3.5).",
    "why_not_both": "Both wait only where the FINs cross; here one closes first (§3.6).",
    "why_not_alone": "The FINs cross: the other has sent its FIN first too (§3.6, Figure 13).",
    "why_closed_last": "Who closes last has its FIN acknowledged and may forget (§3.6).",
    "why_timer_not_restarts": "Not by the rule in force here.",
    "why_timer_not_runs_on": "The ACK sent now may be lost like the last one: the time must be"
    " whole again (§3.10.7.4).",
    "why_timer_not_stops": "TIME-WAIT ends by its timer, not by a FIN (§3.10.8).",
    "why_data_stray": "Its ACK names a number that this end never sent, so it belongs to another"
    " connection (§3.10.7.4, fifth check).",
    "why_data_stray_told": "An ACK of what was never sent is answered by a RST (§3.10.7.4).",
    "why_data_not_taken": "Its numbers are not expected, or nobody is left to take it (§3.10.7).",
    "why_data_not_dropped": "It is not dropped quietly: its numbers fit (§3.10.7.4).",
    "why_data_not_silent": "The sender must learn that it is lost: a RST says so (§3.6.1).",
    "why_data_not_reset": "A RST is for a connection that is gone, or a reader (§3.6.1).",
    # ... what people believe
    "myth_two": "Who gets a SYN cannot know that it is not an old duplicate: it must ask the"
    " sender, and that takes a third segment (§3.4.1).",
    "myth_four": "Possible and needless: it keeps ACK and SYN apart that could travel together"
    " (§3.5).",
    "myth_heard": "Nothing of {end} is in it, so it does not show that {end} is heard; nor that it"
    " is new (§3.4.1).",
    "myth_certain_now": "Who sends the last segment cannot know that it arrives; no number of"
    " segments changes that (the Two Generals).",
    "myth_asks_user": "A TCP has sent it; whether an application is there, it does not tell"
    " (§3.10.7).",
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
    "myth_never_delayed": "That is allowed. This end waits a little first, so that the ACK may"
    " ride on something else (§3.8.6.3).",
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
}
