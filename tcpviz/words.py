"""Every human word that tcpviz prints in a picture, transcript or widget, by language.

A language is one more dictionary with the same keys. The RFC's own words (state names, calls,
control bits) are notation and are never translated; they do not stand here.
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
    "stopped": "stopped at {time}, with timers still running or segments on the way",
    # state diagram
    "diagram": "The states of a TCP connection (RFC 9293, Figure 5)",
    "diagram_of": "{title}: the states of {ends} (RFC 9293, Figure 5)",
    "diagram_usual_active": "active opener and closer, usually",
    "diagram_usual_passive": "passive opener and closer, usually",
    "diagram_numbers": "Numbers: the order of the moves.",
    "diagram_inferred": "White numbers: inferred from segments.",
    "diagram_inferred_all": "White numbers: inferred from segments, nobody saw the state.",
    "diagram_opened": "(opened {how})",
    "diagram_unknown": "{end} (not observed)",
    "diagram_alt": "State diagram of a TCP connection in the arrangement of RFC 9293, Figure 5:"
    " eleven states as boxes, {drawn} moves as arrows.",
    "diagram_alt_path": "{end}: {states}.",
    "diagram_alt_now": "{end}: {states}; it is in {state} when the trace ends.",
    "diagram_alt_unknown": "{end}: its states are not known.",
    "diagram_column_move": "move",
    "diagram_column_end": "end",
    "diagram_column_event": "event / sends",
    "diagram_inferred_move": "(inferred)",
    "diagram_omitted_move": "(not in Figure 5)",
    "diagram_ends_in": "{end} ends in {state}",
    "diagram_no_moves": "nobody moves",
}

LANGUAGES: Final = {"en": ENGLISH}

_current = ENGLISH


def speak(language: str) -> None:
    """Print from now on in this language. ValueError names the languages there are."""
    global _current  # noqa: PLW0603 - the language is a setting of the whole process
    if language not in LANGUAGES:
        raise ValueError(f"no words for language {language!r}: there are {', '.join(LANGUAGES)}")
    _current = LANGUAGES[language]


def say(key: str, **values: object) -> str:
    """The words under `key` in the current language, with `values` filled in.

    >>> say("expired", timer="RTO")
    'RTO expires'
    """
    return _current[key].format(**values)
