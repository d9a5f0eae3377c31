"""Every human word that tcpviz prints in a picture, transcript or widget, in one place.

English now; a language is one more dictionary with the same keys. The RFC's own words (state names,
calls, control bits) are notation and are never translated; they do not stand here.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, ParamSpec, TypeVar, cast

from tcpviz.diagram_words import DIAGRAMS
from tcpviz.handout_words import HANDOUTS
from tcpviz.lab_words import LABS
from tcpviz.player_words import PLAYER
from tcpviz.question_words import QUESTIONS
from tcpviz.reason_words import REASONS
from tcpviz.shell_words import SHELL
from tcpviz.table_words import TABLES

_P = ParamSpec("_P")
_T = TypeVar("_T")

ENGLISH: Final = {
    **TABLES,
    # transcript
    "arrives": "arrives at {time}",
    "lost": "lost",
    "lost_short": "lost unseen",
    "lost_unseen": "never seen to arrive: lost",
    "unsent": "old: nobody was seen to send it",
    "again": "retransmission",
    "copy": "a duplicate made by the network",
    "expired": "{timer} expires",
    "before": "before",
    "inferred": "(STATE): nobody saw the state, it is inferred from the segments.",
    "old_data": "old data of {end} accepted",
    "old_data_injected": "old data accepted",
    # full queues of a listener
    "queue_SYN": "SYN queue",
    "queue_accept": "accept queue",
    "full_nothing": "dropped: the {queue} is full",
    "full_RST": "reset: the {queue} is full",
    "full_cookie": "{queue} full: answered with a SYN cookie",
    # many connections
    "line_peak": "{count} at most, at {time}",
    "line_title": "Counts over time",
    "line_time": "time →",
    "line_limit": "{name}: {count}",
    "line_limit_told": "Limit: {name}, {count}.",
    "line_unsure": "≤: the segments do not tell whether anything is kept of all: after a SYN cookie"
    " nothing is.",
    "line_none": "none",
    "line_told": "{name}: {peak}; {count} at the end.",
    "line_alt": "{title}: counts over time, to scale from left to right.",
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
    "ack_unsure": "nobody saw whether this ACK is taken",
    "gone_before": "it was gone before, unseen",
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
    "endless": "stopped at {time} in an endless exchange of ACKs: {client} of the client and"
    " {server} of the server have answered each other {rounds} times",
    "stopped": "stopped at {time}, with timers still running or segments on the way",
    **DIAGRAMS,
    **PLAYER,
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
    "panel_segment": "{control} of the {end}",
    "panel_segment_nth": "{control} of the {end}, number {nth}",
    "panel_never": "never",
    "panel_off": "off",
    "panel_cannot": "These settings do not go together: {problem}.",
    "panel_no_control": "A panel has no control {name!r}: it has {known}.",
    "panel_twice": "A panel has each control once: {name} is there twice.",
    "control_rtt": "Round trip",
    "control_rtt_long": "Round-trip time: twice the one-way delay",
    "control_lose": "Lose",
    "control_lose_long": "The segment that the network loses, once",
    "control_msl": "MSL",
    "control_msl_long": "Maximum segment lifetime; TIME-WAIT lasts twice as long",
    "control_delayed_ack": "Delayed ACK",
    "control_delayed_ack_long": "How long an ACK may wait for company",
    "control_closer": "Closes first",
    "control_closer_long": "Whose application calls CLOSE first",
    "control_closes_after": "... after ESTABLISHED by",
    "control_closes_after_long": "How long after ESTABLISHED the first application closes",
    "control_answers_after": "The other closes after",
    "control_answers_after_long": "How long after CLOSE-WAIT the other application closes",
    "control_rules": "Rules",
    "control_rules_long": "The rules that both ends follow",
    "closer_client": "client",
    "closer_server": "server",
    "closer_both": "both",
    "closer_nobody": "nobody",
    "rules_own": "of this scenario",
    "rules_rfc": "RFC 9293",
    "rules_linux": "Linux",
    "rules_two": "a handshake of two (broken)",
    "rules_four": "a handshake of four (needless)",
    "rules_reopen": "RFC 9293, reopening from TIME-WAIT (MAY-2)",
    "rules_1337": "RFC 9293, no RST ends TIME-WAIT (RFC 1337)",
    "rules_793": "RFC 9293 without RFC 5961",
    # sequence chart
    "chart_title": "Sequence chart",
    "chart_alt": "Sequence chart, time to scale from top to bottom. {told}",
    "chart_until": "Sequence chart of what happens before the question. {told}",
    "active_opener": "active opener",
    "passive_opener": "passive opener",
    "active_closer": "active closer",
    "not_observed": "not observed",
    "octets": "{count} octets",
    "octet": "{count} octet",
    "time_nth_1": "{count}st time",
    "time_nth_2": "{count}nd time",
    "time_nth_3": "{count}rd time",
    "time_nth": "{count}th time",
    "after_timer": "after {timer}",
    "old_short": "old duplicate",
    "dropped_short": "dropped",
    "first_sent": "first sent at {time}",
    "host_down": "host down",
    "half_open": "half-open",
    "variables_of": "variables of {end}:",
    "options_of": "options of {segment} from {end}:",
    "key_one_way": "the only direction still open for data",
    "no_control": "no control bits",
    "copy_short": "duplicate",
    "more": "and {count} more",
    "unsent_short": "old or forged",
    "unsent_seen": "not seen to leave",
    "key_hollow": "of an earlier connection, or forged",
    "key_unsent": "nobody was seen to send it: no slope is known",
    "on_the_way": "on its way",
    "timer_stopped": "stopped",
    "not_drawn": "{time} not drawn",
    "key_expired": "timer expired",
    "key_stopped": "timer stopped before it expired",
    "key_running": "timer still running at the end",
    "key_isses": "seq and ack count from the ISS of their connection; several ISSs: {ends}",
    "key_lives": "2MSL {timer} reckons with an MSL of {msl}; here a segment lives for {life}",
    "key_lasts": "open at its foot: nothing in this run ends the state",
    "key_goes_on": "open at its foot: the state goes on where the chart ends",
    "key_inferred": "states in italics: concluded from the segments",
    # many connections on one axis
    "view_title": "{count} connections at the {end}",
    "view_title_one": "One connection at the {end}",
    "view_alt": "{what}: time to scale, a bar of states each.",
    "view_peak": "{state}: {count} at most, at {time}.",
    "view_stay": "{state} at the end: {count}.",
    "view_dropped": "segment dropped",
    "view_connections": "connections",
    "view_counts": "how many are in",
    "view_at_most": "≤ {count}",
    "view_cookies": "≤: {count} were answered by one SYN,ACK and then nothing. The segments do not "
    "tell whether the server keeps anything of them: it keeps nothing after a SYN cookie.",
    "view_nothing": "nothing",
    "view_inferred": "dashed: concluded from the segments",
    # two charts on one axis
    "picture_part": "Part {number} of {count}.",
    "compare_title": "{one} beside {other}",
    "compare_alt": "Two sequence charts on one time axis, to scale. {told}",
    "compare_same": "No difference.",
    "compare_count": "Differences: {count}.",
    "compare_left": "left",
    "compare_right": "right",
    "compare_one": "left: {title}",
    "compare_other": "right: {title}",
    "compare_only": "only {side}: {segment} from {end}, at {time}",
    "compare_after": "{side}, after {other} ends",
    "compare_fate": "{segment} from {end}, at {time}: {one} left, {other} right",
    "compare_later": "{segment} from {end} leaves {by} later right, and so on from here",
    "compare_earlier": "{segment} from {end} leaves {by} earlier right, and so on from here",
    "compare_together": "{segment} from {end} leaves at the same time again, and so on from here",
    "compare_longer": "{segment} from {end} is {by} longer on its way right",
    "compare_shorter": "{segment} from {end} is {by} shorter on its way right",
    "compare_numbers": "{segment} from {end} is {other} right",
    "compare_iss": "{end} takes ISS {one} left, {other} right",
    "compare_options": "options of the SYN from {end}: {one} left, {other} right",
    "compare_no_options": "none",
    "compare_state": "only {side}: {end} is in {state}, from {time}",
    "compare_more": "and {count} more: see the text",
    "fate_delivered": "delivered",
    "fate_lost": "lost",
    "fate_twice": "delivered {count} times",
    # a trace in one paragraph
    "list_comma": ", ",
    "list_and": "{first} and {last}",
    "sum_segments": "{ends} exchange {count} segments in {time}.",
    "sum_segment": "{ends} exchange one segment in {time}.",
    "sum_silence": "No segment passes between {ends}, for {time}.",
    "sum_not_observed": "What happened at {end} was not observed.",
    "sum_inferred": "Nobody saw the states: they are inferred from the segments.",
    "sum_listens": "{end} listens.",
    "sum_opens": "{end} opens actively at {times}.",
    "sum_open_both": "{ends} open actively at the same time.",
    "sum_was_open": "The connection is open from the start.",
    "sum_established": "{end} becomes ESTABLISHED at {times}.",
    "sum_never": "{end} never becomes ESTABLISHED.",
    "sum_data": "Data: {data}.",
    "sum_octets": "{count} octets from {end}",
    "sum_octet": "1 octet from {end}",
    "sum_lost": "Lost on the way: {segments}.",
    "sum_copied": "Delivered more than once: {segments}.",
    "sum_again": "Sent again: {segments}.",
    "sum_unsent": "Old, and not sent by anybody here: {segments}.",
    "sum_of": "{segment} of {end}",
    "sum_at": "{what} at {times}",
    "sum_more": "{list} and {count} more",
    "sum_call": "{end}: {call} at {time}.",
    "sum_told": "Users are told: {told}.",
    "sum_says": "{end}, “{words}”",
    "sum_closes_first": "{end} closes first: it sends FIN at {times}.",
    "sum_closes": "{end} sends FIN at {times}.",
    "sum_close_both": "Both close before they hear of each other: they send FIN, {ends}.",
    "sum_resets": "RST is sent: {ends}.",
    "sum_never_closes": "{end} never closes.",
    "sum_time_wait": "{end} waits in TIME-WAIT for {time}, from {since} on.",
    "sum_ends_in": "{ends} ends in {state}.",
    "sum_end_in": "{ends} end in {state}.",
    "sum_timer": "{timer} of {end}",
    "sum_running": "Timers still running at the end: {timers}.",
    "sum_under_way": "Still on the way at the end: {segments}.",
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
    "explore_orderly_is": "Orderly: both SYNs were acknowledged, and CLOSE called; no ABORT, "
    "crash, giving up or timeout.",
    "explore_round": "The connection can no longer end. How it goes on is shown by {count} more "
    "moves: from there all is as it was before, for ever.",
    "explore_time_wait_lasts": "A RST ends TIME-WAIT",
    **HANDOUTS,
    **LABS,
    **QUESTIONS,
    **REASONS,
    **SHELL,
}

LANGUAGES: Final[dict[str, Mapping[str, str]]] = {"en": ENGLISH}
"""The dictionaries there are, by the language's code."""
_spoken = "en"
_kept: Final[list[Any]] = []


def use(language: str) -> None:
    """Speak this language from now on, in all threads; pictures made before may speak the old one.

    ValueError names the languages there are.
    """
    global _spoken  # noqa: PLW0603  # one process speaks one language
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is not one of {', '.join(LANGUAGES)}")
    _spoken = language
    for function in _kept:
        function.cache_clear()


def kept(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Cache what a function that says words gives, as long as the same language is spoken."""
    cached = cache(function)
    _kept.append(cached)
    return cast("Callable[_P, _T]", cached)


def language() -> str:
    """The code of the language that is spoken now."""
    return _spoken


def spoken(prefix: str) -> dict[str, str]:
    """All words whose keys begin so, by the rest of their keys."""
    words = LANGUAGES[_spoken].items()
    return {key.removeprefix(prefix): text for key, text in words if key.startswith(prefix)}


def say(key: str, **values: object) -> str:
    """The words under `key`, with `values` filled in.

    >>> say("expired", timer="RTO")
    'RTO expires'
    """
    words = LANGUAGES[_spoken][key]
    return words.format(**values) if values else words
