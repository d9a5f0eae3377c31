"""Every human word of a picture or a widget comes from words.py, in whatever language is spoken."""

import base64
import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter, ascii_letters
from typing import Any

import every_picture
import pytest

from tcpviz import read, words
from tcpviz.__main__ import main
from tcpviz.exercise import (
    EXERCISES,
    Exercise,
    check_segments,
    check_state_at,
    check_states,
    predict,
)
from tcpviz.kernel import Observation, labs
from tcpviz.panels import handshake_panel
from tcpviz.pictures import Picture, sequence_chart, state_diagram
from tcpviz.pictures.notes import in_two
from tcpviz.player import Player
from tcpviz.questions import questions
from tcpviz.scenario import CALLS
from tcpviz.scenarios import SCENARIOS
from tcpviz.segment import CONTROL_BITS, Segment
from tcpviz.simulate import simulate
from tcpviz.states import TRANSITIONS, Event, State
from tcpviz.trace import Trace
from tcpviz.units import MS
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
    *("MSS", "SACK-permitted", "TS", "WS"),
    *("error", "connection", "refused", "closing"),  # what users are told
    *("delayed", "keep-alive", "X", "Linux"),  # timers, where a segment dies, whose rule it is
}
"""What is written as the RFC writes it, and units."""
SHORT = {"SS", "SR", "E", "F", "CW", "CG", "LA", "TW"}  # states, in bars that are too narrow
GIVEN = re.compile("client|server|[nqhA-M]+")  # ends, and the marks of the map
HALVES = {
    half
    for state in State
    for part in (*state.split("-"), *in_two(state))
    for half in (part, f"{part}-")
}


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


class _Page(HTMLParser):
    """All text of a page that somebody reads, sees in a picture, or is read aloud."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inside = ""
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        given = dict(attrs)
        self.found += [given.get(name) or "" for name in ("alt", "title", "aria-label", "label")]
        source = given.get("src") or ""
        if source.startswith("data:image/svg+xml;base64,"):
            svg = base64.b64decode(source.split(",", 1)[1]).decode()
            self.found += of_svg(svg)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.found += of_data(json.loads(data)) if data.startswith("{") else ()
        elif self.inside != "style":
            self.found.append(data)


def of_svg(svg: str) -> Iterator[str]:
    """Titles, descriptions, texts and tooltips."""
    for element in ET.fromstring(svg).iter():
        yield element.text or ""
        yield from (value for name, value in element.attrib.items() if name.endswith("}title"))


PLAYED = ("words", "prompt", "choices", "text", "why", "title", "x", "u", "n", "alt")


def of_data(data: Any, name: str = "") -> Iterator[str]:
    """What a Player's script writes: words, questions, segments, calls, what users are told."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from of_data(value, name or key)
            if name not in PLAYED:
                yield from of_data(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from of_data(value, name)
    elif isinstance(data, str) and name in PLAYED:
        yield re.sub(r"\{\w+\}", "", data)


def shown(picture: Picture) -> str:
    """All text of a picture: of its page, its SVG and its text twin."""
    return " ".join((*_Page(picture.page()).found, *of_svg(picture.svg), picture.text))


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


@pytest.mark.parametrize("name", ["normal", "two_way_ghost", "half_open", "lost_last_ack"])
def test_a_player_says_nothing_of_its_own(name: str, pseudo: None) -> None:
    """Its page, its script's words, its questions, and the runs that refute an answer."""
    trace = replace(simulate(SCENARIOS[name]), title="")
    player = Player(trace, questions=questions(trace))
    page = " ".join((*_Page(player._repr_mimebundle_()["text/html"]).found, str(player)))
    assert len(latin(page)) > 20, "it has been read"
    assert latin(page) - known(trace) - refuting(player) == set()


def refuting(player: Player) -> set[str]:
    """The names of the scenarios that refute a choice, which are their titles."""
    names = {choice.refutation or "" for each in player.questions for choice in each.choices}
    traces = [simulate(SCENARIOS[name]) for name in names if name]
    return set().union(*(known(trace) for trace in traces))


def test_panels_say_nothing_of_their_own(pseudo: None) -> None:
    """Descriptions and options of every control, and the page of a panel."""
    panel = handshake_panel()
    told = [control.description for control in panel.controls.values()]
    told += [name for name, _value in panel.controls["lose"].options]
    told += _Page(panel.html()).found
    assert latin(" ".join(told)) - known(panel.trace) == set()


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_exercises_say_nothing_of_their_own(exercise: Exercise, pseudo: None) -> None:
    """What is asked, and every verdict on every named scenario, on nothing and on nonsense."""
    told = [str(exercise.check(answer)) for answer in (..., 5, *map(SCENARIOS.get, TRIED))]
    traces = [simulate(SCENARIOS[name]) for name in TRIED]
    given = set().union(*(known(trace) for trace in traces), {"int"})
    assert latin(" ".join((repr(exercise), *told))) - given == set()


def test_predictions_say_nothing_of_their_own(pseudo: None) -> None:
    """Verdicts on segments, states and numbers, right, wrong, half and not given."""
    scenario = SCENARIOS["handshake"]
    trace = simulate(scenario)
    sent = [str(flight.segment) for flight in trace.flights]
    client, server = State.SYN_SENT, State.ESTABLISHED
    verdicts = [
        *(
            check_segments(scenario, given)
            for given in (..., sent, sent[:1], sent[::-1], [*sent, sent[0]], "<5>", 5)
        ),
        *(check_segments(scenario, [f"server: {each}" for each in sent]) for _ in "1"),
        *(
            check_states(scenario, "client", given)
            for given in (..., [client], [client, server], [server], 5, ["X"])
        ),
        *(
            check_state_at(scenario, 60 * MS, given)
            for given in (..., {"client": client}, 5, (client, client))
        ),
        *(predict(scenario, lambda run: len(run.flights), given) for given in (..., 3, 4)),
    ]
    with pytest.raises(ValueError, match="notation") as error:
        Segment.parse("<5>")  # errors are English, as those of Python are
    told = " ".join(map(repr, verdicts)).replace(str(error.value), "")
    assert latin(told) - known(trace) == set()


TRIED = ("handshake", "normal", "simultaneous_close", "close_wait", "refused", "lost_last_ack")


@pytest.mark.parametrize(
    "lab", [labs.before_accept, labs.accept_queue_full, labs.refused, labs.to_itself]
)
@pytest.mark.skipif(
    sys.platform != "linux", reason="a recording speaks the language it was made in"
)
def test_labs_say_nothing_of_their_own(lab: Callable[[], Observation], pseudo: None) -> None:
    """What one saw, and the table of sockets; the kernel's words stay."""
    seen = lab()
    captions = [caption for caption, _ in seen.tables]
    left = latin(" ".join((str(seen), *captions))) - known()
    assert left <= {"ECONNREFUSED", seen.recorded}


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "lost_syn"),
        ("show", str(CAPTURES[0])),
        ("connections", str(CAPTURES[0])),
        ("connections", str(ROOT / "notebooks" / "captures" / "acceptq_overflow.pcapng")),
    ],
)
def test_the_command_line_prints_nothing_of_its_own(
    arguments: tuple[str, ...], pseudo: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Results; help and errors are English, as those of Python are."""
    assert main(arguments) == 0
    out, _ = capsys.readouterr()
    given = set().union(*(known(trace) for trace in read(arguments[1])), latin(arguments[1]))
    assert len(latin(out)) > 1
    assert latin(out) - given - {"UTC"} == set()


@pytest.mark.parametrize("file", [".html", ".txt", ".json", ".svg"])
@pytest.mark.parametrize("view", ["chart", "states", "compare", "server", "timelines", "map"])
def test_exports_say_nothing_of_their_own(
    view: str, file: str, pseudo: None, tmp_path: Path
) -> None:
    """What `tcpviz draw` writes is what was read above, and a page around it."""
    if file == ".json" and view not in ("chart", "states"):
        return
    path = tmp_path / f"x{file}"
    sources = ["lost_syn"] * (2 if view == "compare" else 1)
    assert main(["draw", *sources, "--view", view, "-o", str(path)]) == 0
    text = path.read_text("utf-8")
    if file == ".json":
        assert list(read(path)) == list(read("lost_syn"))
        return
    told = text if file == ".txt" else " ".join(_Page(text).found)
    left = latin(told) - known(simulate(SCENARIOS["lost_syn"])) - SHORT - HALVES
    assert {word for word in left if not GIVEN.fullmatch(word)} == set()


def test_the_check_finds_a_word(pseudo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that cannot fail says nothing: in the picture, its text, its figure and its page."""
    trace = simulate(SCENARIOS["handshake"])
    picture = sequence_chart(trace)
    assert latin(say("lost")) == set()
    dot = picture.dot.replace("5 -50 ms ", "11 -50 ms later ")
    planted = replace(picture, dot=dot, alt="Nobody knows.")
    assert foreign(trace, planted) == {"later", "Nobody", "knows"}
    figure, page = Picture.html, Picture.page
    with monkeypatch.context() as patch:
        patch.setattr(
            Picture, "html", lambda self: figure(self).replace("<summary>", "<summary>Details of ")
        )
        assert foreign(trace, picture) == {"Details"}
    with monkeypatch.context() as patch:
        patch.setattr(
            Picture, "page", lambda self: page(self).replace("<title>", "<title>Picture: ", 1)
        )
        assert foreign(trace, picture) == {"Picture"}


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
