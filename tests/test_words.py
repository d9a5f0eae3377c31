"""Every human word of a picture or a widget comes from words.py, in whatever language is spoken."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from string import Formatter, ascii_letters

import every_picture
import pytest

from tcpviz import read, words
from tcpviz.panels import handshake_panel
from tcpviz.pictures import Picture, sequence_chart, state_diagram
from tcpviz.scenario import CALLS
from tcpviz.scenarios import SCENARIOS
from tcpviz.segment import CONTROL_BITS
from tcpviz.simulate import simulate
from tcpviz.states import TRANSITIONS, Event, State
from tcpviz.trace import Trace
from tcpviz.words import ENGLISH, LANGUAGES, say, use

ROOT = Path(__file__).parents[1]
CAPTURES = [
    *sorted((ROOT / "notebooks" / "captures").glob("*.pcapng")),
    *sorted((ROOT / "tests" / "data" / "recordings").glob("*.pcapng")),
]
WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
NOTATION = {
    *("RFC", "SND", "UNA", "NXT", "RCV", "ISS", "MSL", "Timeout"),
    *("SEQ", "CTL", "DATA", "seq", "ack", "snd", "rcv", "of", "ms", "s", "RTO", "R"),
    *("delayed", "keep-alive", "X", "Linux"),  # timers, where a segment dies, whose rule it is
}
"""What is written as the RFC writes it, and units."""
SHORT = {"SS", "SR", "E", "F", "CW", "CG", "LA", "TW"}  # states, in bars that are too narrow
GIVEN = re.compile("client|server|[nqhA-M]+")  # ends, and the marks of the map
HALVES = {half for state in State for part in state.split("-") for half in (part, f"{part}-")}


def strange(text: str) -> str:
    """A text in a language without Latin letters; what is filled in stays as it is."""
    letters = str.maketrans({letter: chr(0x400 + ord(letter)) for letter in ascii_letters})
    return "".join(
        before.translate(letters) + (f"{{{field}}}" if field is not None else "")
        for before, field, _spec, _conversion in Formatter().parse(text)
    )


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak a language that nobody knows."""
    monkeypatch.setitem(LANGUAGES, "xx", {key: strange(text) for key, text in ENGLISH.items()})
    use("xx")
    yield
    use("en")


def latin(text: str) -> set[str]:
    return set(WORD.findall(text))


def known(trace: Trace | None = None) -> set[str]:
    """The RFC's words, and what came with the trace: names, titles, what users were told."""
    given = {*NOTATION, *latin(" ".join((*State, *Event, *CALLS, *CONTROL_BITS)))}
    given |= {word for edge in TRANSITIONS for word in latin(edge.id + str(edge.opened))}
    if trace:
        texts = [trace.title, *(f"{end.name} {end.address}" for end in trace.ends)]
        texts += [f"{step.text} {step.says}" for step in trace.steps]
        given |= latin(" ".join([*texts, *trace.notes]))
    return given


def shown(picture: Picture) -> str:
    """All text of a picture: written on it, for who points at it, for who does not see it."""
    written = re.findall(r"<text[^>]*>([^<]*)</text>", picture.svg)
    tips = re.findall(r'xlink:title="([^"]*)"', picture.svg)
    table = re.sub("<[^>]*>", " ", picture.table)
    parts = (*written, *tips, table, html.escape(picture.alt), html.escape(picture.text))
    return html.unescape(" ".join(parts))


def foreign(trace: Trace | None, picture: Picture) -> set[str]:
    """Words of a picture that stand neither in words.py nor in the RFC nor in the trace."""
    return latin(shown(picture)) - known(trace)


@pytest.mark.parametrize("name", SCENARIOS)
def test_pictures_of_scenarios_say_nothing_of_their_own(name: str, pseudo: None) -> None:
    """Spoken in another language, no English is left but the RFC's."""
    trace = simulate(SCENARIOS[name])
    trace = Trace(trace.ends, trace.steps, "")
    for picture in (
        sequence_chart(trace),
        state_diagram(trace),
        state_diagram(trace, omitted=True),
    ):
        assert foreign(trace, picture) == set()


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_pictures_of_recordings_say_nothing_of_their_own(path: Path, pseudo: None) -> None:
    """The same for what was seen on a wire."""
    for trace in read(path)[:3]:
        for picture in (sequence_chart(trace), state_diagram(trace)):
            assert foreign(trace, picture) == set()


@pytest.mark.parametrize("name", ["lost_last_ack", "half_open", "stray_ack"])
def test_every_other_picture_of_a_trace_says_nothing_of_its_own(name: str, pseudo: None) -> None:
    """With options and variables, beside another, of a part, of a focus, of a server."""
    trace = replace(simulate(SCENARIOS[name]), title="")
    for kind, picture in every_picture.of_trace(trace, trace).items():
        assert foreign(trace, picture) - SHORT - HALVES == set(), kind


def test_maps_counts_and_crowds_say_nothing_of_their_own(pseudo: None) -> None:
    """What is drawn of an exploration and of a population."""
    every_picture.explored.cache_clear()  # it may have been told in English
    for kind, picture in every_picture.of_nothing():
        left = foreign(None, picture) - SHORT - HALVES
        assert {word for word in left if not GIVEN.fullmatch(word)} == set(), kind
    every_picture.explored.cache_clear()


def test_the_bare_figure_says_nothing_of_its_own(pseudo: None) -> None:
    """The figure without a trace."""
    assert foreign(None, state_diagram()) == set()


def test_panels_say_nothing_of_their_own(pseudo: None) -> None:
    """Descriptions and options of every control."""
    panel = handshake_panel()
    told = [control.description for control in panel.controls.values()]
    told += [name for name, _value in panel.controls["lose"].options]
    assert latin(" ".join(told)) - known() == set()


def test_the_check_finds_a_word(pseudo: None) -> None:
    """A check that cannot fail says nothing."""
    trace = simulate(SCENARIOS["handshake"])
    picture = sequence_chart(trace)
    assert latin(say("lost")) == set()
    dot = picture.dot.replace("5 -50 ms ", "11 -50 ms later ")
    planted = replace(picture, dot=dot, alt="Nobody knows.")
    assert foreign(trace, planted) == {"later", "Nobody", "knows"}


def test_a_language_is_one_more_dictionary(pseudo: None) -> None:
    """It is spoken from `use` on; one that is not there is an error that names those that are."""
    assert not latin(say("expired", timer=2))
    use("en")
    assert say("expired", timer=2) == "2 expires"
    with pytest.raises(ValueError, match="'tlh' is not one of en, xx"):
        use("tlh")
    assert words.language() == "en"


def fields(text: str) -> set[str]:
    """What is filled into a text."""
    return {field for _before, field, *_ in Formatter().parse(text) if field is not None}


def test_languages_fill_in_the_same_values() -> None:
    """Every dictionary has every key, and each text the same fields."""
    for language in LANGUAGES.values():
        assert language.keys() == ENGLISH.keys()
        for key, text in language.items():
            fields = [
                {field for _, field, *_ in Formatter().parse(t)} for t in (text, ENGLISH[key])
            ]
            assert fields[0] - {None} == fields[1] - {None}, key
