"""The words of the reasons that a choice is right or wrong: part of `words`, as `question_words`.

Each says what is wrong with a choice, with the section of RFC 9293 where one says so.
"""

from typing import Final

REASONS: Final = {
    # why an end is in its new state
    "moves_open": "Its SYN leaves, and it waits for a SYN,ACK (§3.10.1).",
    "moves_listener_opens": "An active OPEN turns the listener into a client: its SYN leaves"
    " (§3.10.1).",
    "moves_send_opens": "Data needs a connection, so that SEND opens one: a SYN leaves (§3.10.2).",
    "moves_syn": "It answers by its own SYN, and is ESTABLISHED only when that is acknowledged"
    " (§3.10.7.2).",
    "moves_crossing": "The SYNs cross: the peer's has come, its own is not acknowledged yet"
    " (§3.10.7.3).",
    "moves_syn_ack": "It has the peer's SYN and the ACK of its own: nothing is missing"
    " (§3.10.7.3).",
    "moves_ack_of_syn": "Its own SYN is acknowledged, which was all that it waited for"
    " (§3.10.7.4).",
    "moves_second_syn": "Another SYN in the window: the attempt is dropped in silence, and the"
    " listener listens again (§3.10.7.4, fourth check).",
    "moves_stray_fin": "Read to the letter, the eighth check takes the FIN although the fifth has"
    " refused its ACK (§3.10.7.4).",
    "moves_two_way": "By this rule a listener does not wait for the ACK of its SYN: a SYN alone,"
    " new or old, is enough.",
    "moves_cookie": "The ACK brings the cookie back: it stands for the SYN that was not kept, and"
    " acknowledges the SYN,ACK.",
    "moves_close_first": "Its FIN leaves; it waits for the ACK of it and for the peer's FIN"
    " (§3.10.4).",
    "moves_close_last": "The peer's FIN has come before: only the ACK of its own is missing"
    " (§3.10.4).",
    "moves_close_early": "No connection exists yet: there is nothing to close but the TCB"
    " (§3.10.4).",
    "moves_fin": "The peer has no more to send; this direction is open until its own user closes"
    " (§3.10.7.4).",
    "moves_fins_cross": "The peer's FIN does not acknowledge its own: the FINs cross, and the ACK"
    " is still to come (§3.10.7.4).",
    "moves_half_closed": "Its FIN is acknowledged; the peer's is still to come (§3.10.7.4).",
    "moves_merged": "One segment acknowledges its FIN and brings the peer's: nothing is left to"
    " come (§3.10.7.4, Note 2).",
    "moves_both_closed": "Both FINs have come; but its last ACK may be lost, so that it waits"
    " (§3.6.1).",
    "moves_no_wait": "Both FINs have come, and here nothing makes it wait: 2MSL is nought"
    " (§3.6.1).",
    "moves_closing_over": "Its own FIN is acknowledged too; its ACK of the peer's may be lost, so"
    " that it waits (§3.6.1).",
    "moves_last_ack": "Both FINs are acknowledged: it has nothing to wait for (§3.10.7.4).",
    "moves_fin_again": "The FIN came again: it is acknowledged again, and the wait begins anew"
    " (§3.10.7.4, eighth check).",
    "moves_reopens": "The SYN lies beyond the old numbers: it begins a new connection (MAY-2,"
    " §3.6.1).",
    "moves_time_wait_over": "After 2MSL whatever was on its way is dead (§3.4.2).",
    "moves_refused": "The RST acknowledges its SYN, so it answers that: the attempt is over"
    " (§3.10.7.3).",
    "moves_rst": "The number of the RST is the one expected: it ends the connection at once"
    " (§3.10.7.4, second check).",
    "moves_rst_crossing": "It opened actively, so no listener is behind it: the attempt is over"
    " (§3.10.7.4, second check).",
    "moves_rst_listener": "The RST ends the attempt, not the listener (§3.10.7.4, second check).",
    "moves_rst_reopened": "The SYN was old: the wait that it cut short goes on (MAY-2, §3.6.1).",
    "moves_abort": "ABORT deletes the TCB at once and waits for nothing (§3.10.5).",
    "moves_abort_and_wait": "By this rule who sends the RST waits, lest it meets the next"
    " connection (§3.5.2).",
    "moves_user_timeout": "The time that its user has set is over: all is given up (§3.10.8).",
    "moves_given_up": "After so many tries in vain it gives up, R2 (§3.8.3).",
    "moves_unanswered": "After so many keep-alives without an answer it takes the connection for"
    " dead (§3.8.4).",
    "moves_orphan": "Its user has left, and Linux limits how long such an end waits for a FIN.",
    "moves_syn_in_window": "Before RFC 5961 a SYN in the window was an error that a RST ended;"
    " now an ACK challenges it (§3.10.7.4, fourth check).",
    # ... why it stays, or does not
    "why_moves": "{event} leads from {state} to {target} ({section}).",
    "not_stays_cookie": "Without a cookie the ACK would get a RST, and the end stay in LISTEN"
    " (§3.10.7.2); here the cookie in it stands for the SYN.",
    "not_stays_after_close": "It would if its user read on; after a half-duplex CLOSE data that"
    " comes ends the connection (§3.6.1).",
    "not_stays_unanswered": "It stays while keep-alives are left to send; the last one has gone"
    " without an answer (§3.8.4).",
    "not_stays_stray": "It does where the segment is dropped with its ACK; read to the letter, the"
    " eighth check still takes the FIN (§3.10.7.4).",
    "not_stays_reopens": "Without MAY-2 it does; with it a SYN beyond the old numbers opens anew"
    " (§3.6.1).",
    "not_stays_before_5961": "By RFC 9293 it does, and sends a challenge ACK (§3.10.7.4, fourth"
    " check); by the rule of this run the SYN ends it.",
    "stays_full": "The queue is full: the segment is dropped unread.",
    "stays_cookie": "With a cookie it keeps nothing of the SYN, no TCB and so no state.",
    "stays_1337": "In TIME-WAIT a RST is not heeded (RFC 1337).",
    "stays_beside": "The RST lies in the window, but beside RCV.NXT: an ACK challenges it"
    " (§3.10.7.4, second check).",
    "stays_outside": "The RST lies outside the window, or finds nothing to end (§3.10.7).",
    "stays_unknown_ack": "It acknowledges a number that this end did not send (§3.10.7.3).",
    "stays_syn_sent": "It is nothing that an attempt waits for (§3.10.7.3).",
    "stays_syn_ack_again": "Its number was taken before: it is not acceptable, and an ACK says so"
    " (§3.10.7.4, first check).",
    "stays_syn_again": "The same SYN once more is old: its number was taken before (§3.10.7.4,"
    " first check).",
    "stays_challenge": "A SYN ends no connection: an ACK challenges who sent it (§3.10.7.4, fourth"
    " check).",
    "stays_syn_dropped": "Nothing is answered, and nothing changes (§3.10.7).",
    "away_two_way": "With three segments, yes. This rule does not wait for the ACK of its SYN.",
    "away_abort_waits": "By RFC 9293 an ABORT leads there (§3.10.5); by the rule of this run who"
    " sends its RST waits.",
    "away_crossing": "In Figure 7 it is then; read to the letter, the first check turns the SYN,ACK"
    " away, whose number was taken before (§3.10.7.4).",
    "away_four": "By this rule the listener's ACK and its SYN travel apart.",
    "away_syn_after_ack": "Its own SYN is acknowledged already, so the SYNs do not cross (§3.5).",
    "away_reopens": "That takes MAY-2, and a SYN beyond the old numbers (§3.6.1).",
    "away_fin_too": "An ACK alone would do that; here the peer's FIN comes with it (§3.10.7.4).",
    "away_not_acceptable": "It would, but its numbers are not acceptable here (§3.10.7.4).",
    # ... why the answer is right
    "why_unread": "Data that its user has not read is lost, and a RST says so (§3.6.1).",
    "why_after_close": "Its user has left for good: data that comes now is lost, and a RST says so"
    " (§3.6.1).",
    "why_syn": "An active OPEN begins by a SYN with its own initial number (§3.10.1).",
    "why_fin": "CLOSE says that it has no more to send: by a FIN (§3.10.4).",
    "why_fin_with_ack": "The ACK was still delayed, so that it rides on the FIN (§3.8.6.3).",
    "why_data": "In this state what is sent leaves at once (§3.10.2).",
    "why_half_close": "The FIN that came ended one direction; this one is open still (§3.6).",
    "why_abort": "ABORT ends it without a farewell: a RST tells the peer (§3.10.5).",
    "why_abort_silent": "In this state ABORT only deletes the TCB (§3.10.5).",
    "why_close_silent": "No connection exists yet, so nobody is to be told (§3.10.4).",
    "why_receive_silent": "RECEIVE takes what has come already (§3.10.3).",
    "why_call_silent": "In this state the call changes nothing that the peer must know (§3.10).",
    "why_silent": "All that came is an ACK, which occupies no number: it is not acknowledged"
    " (§3.4).",
    "why_silent_otherwise": "It asks for no answer (§3.10.7).",
    "why_figure_7": "It acknowledges the SYN and is itself what both ends have sent: Figure 7 ends"
    " here (§3.5).",
    "why_stray_read": "The stray ACK draws a RST (fifth check); read to the letter, the eighth"
    " check acknowledges the FIN still (§3.10.7.4).",
    "why_answers_crossing": "It ends the handshake; by the rule of this run it is acknowledged too,"
    " where Figure 7 sends nothing (§3.5).",
    "why_third": "The SYN of the peer occupies a number, and must be acknowledged (§3.10.7.3).",
    "why_ack": "SYN, FIN and data occupy sequence numbers, which are acknowledged (§3.4).",
    "why_not_expected": "Its number is not the one expected: an ACK says which is (§3.10.7.4, first"
    " check).",
    "why_challenges_rst": "A RST beside RCV.NXT may be forged: an ACK asks whether it is meant"
    " (§3.10.7.4, second check).",
    "why_reset_unknown": "It acknowledges what this end never sent: it belongs to another"
    " connection (§3.5.2).",
    "why_told_reset": "A RST has ended it (§3.10.7.4, second check).",
    "why_told_syn_sent": "So says RFC 9293 of a RST in SYN-SENT (§3.10.7.3); who uses sockets reads"
    " “connection refused”.",
    "why_told_refused": "So says RFC 9293 of an active OPEN in SYN-RECEIVED (§3.10.7.4, second"
    " check).",
    "why_told_syn": "Before RFC 5961 a SYN in the window reset the connection.",
    "why_told_given_up": "R2 is reached: TCP gives up, and says so (§3.8.3).",
    "why_told_unanswered": "No keep-alive that it may send was answered: TCP gives up, and says so"
    " as at R2 (§3.8.4).",
    "why_told_timeout": "The time that its user has set is over (§3.10.8).",
    "why_told_trouble": "R1 is reached: TCP goes on, and says that nobody answers (§3.8.3).",
    "why_not_drawn": "Figure 5 is a summary and does not draw this move.",
    "why_delayed": "Its ACK is delayed: the application may give it a ride (§3.8.6.3).",
    "why_full": "A full queue is met with silence: the sender will try again.",
    "why_full_cookie": "Only a full queue makes it answer with a cookie and keep nothing.",
    "why_rst_silent": "A RST is never answered by a segment here (§3.10.7).",
    "why_closed": "CLOSED is no TCB, and still answers what reaches it by a RST (§3.10.7.1).",
    "why_challenge": "An ACK says what is expected; only its RST could end the connection"
    " (§3.5.1, Figure 9).",
    "why_reopens": "The new SYN lies beyond the old numbers: it may open from TIME-WAIT (MAY-2,"
    " §3.6.1).",
    "why_syn_ack": "TCP sends its SYN and its ACK at the same instant, so they travel together"
    " (§3.5).",
    "why_rides": "The third segment may carry data, and what waited is sent with it (§3.4).",
    "why_answer": "What it has to say and its ACK travel together (§3.10.7.4).",
    "why_number_control": "SYN and FIN occupy one sequence number each (§3.4).",
    "why_number_data": "The next octet expected: {octets} came (§3.4).",
    "why_doubled": "The RTO doubles each time (RFC 6298 §5.5).",
    "why_rto": "That is its RTO now (RFC 6298; some systems wait alike a few times first).",
    "why_three": "SYN, SYN,ACK, ACK: each side's number is sent and acknowledged (§3.5).",
    "why_four_segments": "Each side's SYN and each side's ACK travel apart here (§3.5).",
    "why_came": "Nothing in it answers {end}, and no number tells its own age: it may be an old"
    " duplicate (§3.4.1).",
    "why_heard": "It names the number that {end} has just chosen for itself: who did not get it"
    " would have to guess (§3.4.1, §3.5).",
    "why_six": "The SYNs cross, and neither end takes the SYN,ACK of the other: two bare ACKs must"
    " follow (§3.10.7.4, first check).",
    "why_not_four_crossing": "Four are enough in Figure 7; by the rule of this run the crossing"
    " SYN,ACKs are not let in (§3.10.7.4, first check).",
    "why_not_three_apart": "Three are enough where the SYN and the ACK travel together (§3.5); by"
    " the rule of this run they do not.",
    "why_crossing": "The SYNs cross, so each end acknowledges the other's with a SYN,ACK (§3.5,"
    " Figure 7).",
    "why_first": "It has the other's SYN, and the ACK of its own, before the other end has (§3.5).",
    "why_together": "What happens to one happens to the other at the same time here (§3.5).",
    "why_time_wait": "{end} closes first, so it must answer if its last ACK is lost (§3.6).",
    "why_both": "The FINs cross: each end is an active closer (§3.6, Figure 13).",
    "why_two_msl": "One for its last ACK to arrive or die, one for the peer's FIN to come again"
    " (§3.4.2, §3.6.1).",
    "why_timer_restarts": "The last ACK may be lost, and the one sent now too (§3.10.7.4).",
    "why_timer_runs_on": "This end answers the FIN and lets the time run on: its rule.",
    "why_timer_stops": "This end leaves TIME-WAIT: its rule.",
    "why_own_close": "No timer ends CLOSE-WAIT: TCP waits for its user to call CLOSE (§3.10.4).",
    "why_notices_nothing": "Silence is legal. Only data, a keep-alive or a user timeout finds out"
    " (§3.8.4).",
    "why_data_taken": "It lies in the window and is the next expected (§3.10.7.4).",
    "why_data_old": "Its numbers lie in the window: nothing tells old data from new (§3.4.1).",
    "why_data_dropped": "Its numbers are not those expected now (§3.10.7.4, first check).",
    "why_data_reset": "Its user has left: nobody reads it any more (§3.6.1).",
    "why_data_closed": "In CLOSED nobody is there to take it (§3.10.7.1).",
    # ... why the others are wrong, by the table and the state
    "why_not_nothing": "Until it is acknowledged, the peer sends it again (§3.8.1).",
    "why_not_nothing_call": "Only a segment tells the peer of the call (§3.10).",
    "why_not_nothing_crossing": "Figure 7 ends so (§3.5); by the rule of this run an ACK answers.",
    "why_not_nothing_rst": "Silence would leave the peer in its belief (§3.5.2).",
    "why_not_nothing_challenge": "In the window it might be meant, and is not passed over"
    " (§3.10.7.4, second check).",
    "why_not_nothing_stray": "Who sends what is not expected must hear what is (§3.10.7.4, first"
    " check).",
    "why_not_ack_call": "An ACK answers what came; this call is no answer (§3.10).",
    "why_not_ack_closed": "In CLOSED there is no TCB, and so no number to acknowledge (§3.10.7.1).",
    "why_not_ack_of_rst": "Only a RST in the window but beside RCV.NXT is met by an ACK"
    " (§3.10.7.4).",
    "why_not_ack_before_5961": "By RFC 9293 a challenge ACK is the answer (§3.10.7.4, fourth"
    " check); the rule of this run is older than RFC 5961 and answers by a RST.",
    "why_not_ack_reopens": "Without MAY-2 an ACK is the answer (§3.10.7.4, fourth check); with it"
    " the SYN opens anew (§3.6.1).",
    "why_not_ack_after_close": "Data in order gets an ACK where its user reads; here its user has"
    " left, and it is lost (§3.6.1).",
    "why_not_ack_stray": "The FIN is acknowledged by this reading, but a RST for the stray ACK goes"
    " before (§3.10.7.4, fifth check).",
    "why_not_ack_figure_7": "To the letter of the first check an ACK is the answer (§3.10.7.4);"
    " Figure 7 ends without it (§3.5).",
    "why_not_ack_full": "The queue is full: what is dropped unread is not acknowledged.",
    "why_not_ack_rst": "An ACK would say that all is well with it (§3.5.2).",
    "why_not_ack_silent": "Nothing that came is to be acknowledged here (§3.10.7).",
    "why_not_ack_alone": "An ACK alone says too little: something of its own goes with it"
    " (§3.10.7).",
    "why_not_rst": "A RST answers what cannot belong here; this can (§3.5.2).",
    "why_not_rst_call": "A RST would end all at once; the call does not ask for that (§3.10).",
    "why_not_rst_abort": "ABORT sends a RST only where a peer still counts on the connection"
    " (§3.10.5).",
    "why_not_fin": "A FIN leaves when its user calls CLOSE (§3.10.4).",
    "why_not_fin_again": "Its FIN has left before; only the RTO sends it again (§3.8.1).",
    "why_not_reset": "That is for an end that was ESTABLISHED, or in SYN-SENT (§3.10.7).",
    "why_not_refused": "That is for an active OPEN in SYN-RECEIVED (§3.10.7.4, second check).",
    "why_data_not_dropped": "What is dropped lies outside what is expected; this does not"
    " (§3.10.7.4).",
    "why_timer_not_runs_on": "The ACK sent now may be lost too: the time must be whole again"
    " (§3.10.7.4).",
    "why_other_event": "That takes another event: {event} ({section}).",
    "why_no_edge": "No single event leads from {state} to {other} (§3.3.2).",
    "why_not_silent": "Its user is told when the connection or the attempt ends, or stays without"
    " an answer (§3.8.3, §3.10).",
    "why_nobody_reset": "No RST came: it gave up by itself (§3.8.3).",
    "why_somebody": "Nobody waited in vain here: a segment came (§3.10.8).",
    "why_not_r1_first": "R1 is said by who goes on; by the rule of this run R2 comes first"
    " (§3.8.3).",
    "why_not_r1_timeout": "R1 counts retransmissions; here a time is over, whatever their count"
    " (§3.8.3, §3.10.8).",
    "why_not_r1_probes": "R1 counts retransmissions, and a keep-alive is none (§3.8.3, §3.8.4).",
    "why_not_r1": "That is told earlier, at R1 (§3.8.3).",
    "why_not_r2": "Giving up comes later, at R2 (§3.8.3).",
    "why_not_closing": "That answers a call made after CLOSE (§3.10.4).",
    "why_not_so_long": "The RTO at most doubles from one try to the next (RFC 6298 §5.5).",
    "why_not_came": "It is more than that: it names the number that {end} has just chosen, and so"
    " it is an answer (§3.5).",
    "why_not_first": "Its own SYN is acknowledged later than the other's (§3.5).",
    "why_not_both": "Both wait only where the FINs cross; here one closes first (§3.6).",
    "why_not_alone": "The FINs cross: the other has sent its FIN first too (§3.6, Figure 13).",
    "why_closed_last": "Who closes last has its FIN acknowledged and may forget (§3.6).",
    "why_timer_not_restarts": "Not by the rule in force here.",
    "why_timer_not_stops": "TIME-WAIT ends by its timer, not by a FIN (§3.10.8).",
    "why_data_stray": "Its ACK names a number that this end never sent, so it belongs to another"
    " connection (§3.10.7.4, fifth check).",
    "why_data_stray_told": "An ACK of what was never sent is answered by a RST (§3.10.7.4).",
    "why_data_not_taken": "It arrives, but its user reads no more (§3.6.1).",
    "why_data_not_taken_closed": "In CLOSED there is no connection, and no user of it (§3.10.7.1).",
    "why_data_not_expected": "Its numbers are not those expected now (§3.10.7.4, first check).",
    "why_data_not_silent": "The sender must learn that it is lost: a RST says so (§3.5.2, §3.6.1).",
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
    "myth_any_rst_waiting": "By RFC 9293 one with the number expected does; by RFC 1337, or with"
    " another number, it does not (§3.10.7.4).",
    "myth_backlog": "The backlog counts completed connections, and an overflow drops in silence;"
    " it refuses nobody (Linux: tcp_abort_on_overflow = 0).",
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
    "myth_leak": "TIME-WAIT holds no descriptor and ends by itself: a cure, no leak. It keeps its"
    " four-tuple from connect() (§3.4.2); on Linux also its local address and port from a bind()"
    " without SO_REUSEADDR.",
    "myth_four_minutes": "The RFC's MSL is 2 minutes, an engineering choice (§3.4.2); here it is"
    " another.",
    "myth_close_wait_timer": "2MSL is for TIME-WAIT; CLOSE-WAIT has no timer (§3.10.8).",
    "myth_peer_gone": "The peer may forget; nobody tells this end, which stays (§3.6).",
    "myth_sysctl": "It is no matter of the network: the application forgot to close (§3.10.4).",
    "myth_notices_rst": "A crash sends nothing; a RST comes only when something arrives after the"
    " restart (§3.5.1).",
    "myth_notices_fin": "A FIN needs a TCP that is alive (§3.5.1).",
    "myth_notices_soon": "A quiet connection may stay for ever; nothing watches it unless asked to"
    " (§3.8.4).",
}
