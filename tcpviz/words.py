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
    "unsent": "nobody was seen to send it",
    "again": "retransmission",
    "copy": "a duplicate made by the network",
    "expired": "{timer} expires",
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
