"""The sheet: what lies below what, and text in the ground that is never anything but text."""

import xml.etree.ElementTree as ET

import any_text
import pytest
from hypothesis import example, given, settings

from tcpviz.pictures import engine
from tcpviz.pictures.drawing import Box, Drawing, Pen
from tcpviz.pictures.engine import EngineError
from tcpviz.pictures.marks import marked

SVG = "{http://www.w3.org/2000/svg}"
BOX = Box(10, 10, 90, 30)


def drawn(drawing: Drawing) -> list[ET.Element]:
    """What a sheet of 100 by 100 pt shows, from the bottom up, without the paper itself."""
    lines = engine.svg(drawing.source(100, 100)).split("\n")
    (graph,) = ET.fromstringlist(marked(lines, drawing.marks)).findall(f"{SVG}g")
    return [element for element in graph if element.tag != f"{SVG}title"][1:]


def test_the_ground_lies_below_the_parts_in_order() -> None:
    """Whatever was asked for first: lines, papers, texts; then edges; then nodes."""
    drawing = Drawing()
    drawing.text(BOX, ["a node"], classes="s1")
    drawing.line([[(0, 20), (100, 20)]], Pen(head="normal"), classes="s1")
    drawing.text(BOX, ["ground"])
    drawing.paper(BOX)
    drawing.line([[(0, 20), (100, 20)]], Pen())
    assert [element.tag.removeprefix(SVG) for element in drawn(drawing)] == [
        "polyline",
        "polyline",
        "text",
        "g",
        "g",
    ]
    assert [element.get("class") for element in drawn(drawing)[3:]] == ["edge s1", "node s1"]


@pytest.mark.parametrize(("align", "x"), [("left", 10), ("centre", 50), ("right", 90)])
def test_text_stands_in_its_box(align: str, x: float) -> None:
    """Ground and parts put the same text to the same place."""
    drawing = Drawing()
    drawing.text(BOX, ["one", "two"], align=align)
    drawing.text(BOX, ["one", "two"], align=align, classes="part")
    *ground, part = drawn(drawing)
    for below, above in zip(ground, part.iter(f"{SVG}text"), strict=True):
        assert (below.text, below.get("text-anchor")) == (above.text, above.get("text-anchor"))
        assert float(below.get("x", "")) == float(above.get("x", "")) == x
        assert float(below.get("y", "")) == pytest.approx(float(above.get("y", "")), abs=0.5)


def test_a_line_with_a_text_is_one_part() -> None:
    """They are lit up together."""
    drawing = Drawing()
    drawing.line([[(10, 10), (10, 90)]], Pen(), name="wait", text=((10, 50), ["RTO", "1 s"]))
    (part,) = drawn(drawing)
    assert part.get("id") == "wait"
    assert [text.text for text in part.iter(f"{SVG}text")] == ["RTO", "1 s"]


@example("a  b")
@settings(deadline=None, max_examples=200)
@given(any_text.DRAWABLE)
def test_no_text_of_the_ground_is_read_as_anything_else(text: str) -> None:
    """Whatever it holds, it is drawn, and so is what comes after it.

    Of blanks in a row, all but the first do not break: so the engine keeps them.
    """
    drawing = Drawing()
    drawing.text(BOX, [text, "after"])
    drawing.text(BOX, ["last"])
    texts = [element for each in drawn(drawing) for element in each.iter(f"{SVG}text")]
    shown = [(element.text or "").replace("\N{NO-BREAK SPACE}", " ") for element in texts]
    assert sorted(shown) == sorted([text, "after", "last"])


def test_nothing_off_the_sheet_spoils_the_picture() -> None:
    """What lies beside, above or below is left out with its marks; the rest keeps its own."""
    drawing = Drawing()
    for number, (x, y) in enumerate([(50, 50), (50, 900), (50, -300), (-200, 50), (400, 50)]):
        there = Box.around(x, y, 60, 12)
        drawing.line([[(x - 9, y), (x + 9, y)]], Pen(head="normal"), name=f"line_{number}")
        drawing.line([[(x - 9, y), (x + 9, y)]], Pen())
        drawing.box(there, "#ffffff", Pen(), text=(["box"], 10, "#000000"), name=f"box_{number}")
        drawing.text(there, ["part"], name=f"text_{number}")
        drawing.text(there, ["ground"])
        drawing.paper(there)
    names = [element.get("id") for element in drawn(drawing) if element.tag == f"{SVG}g"]
    assert names == ["line_0", "box_0", "text_0"]


@pytest.mark.parametrize("change", [1, -1])
def test_marks_that_do_not_fit_the_shapes_are_an_error(change: int) -> None:
    """A picture never shows a thing under the name of another."""
    drawing = Drawing()
    drawing.text(BOX, ["one", "two"], classes="s1", name="both")
    marks = (*drawing.marks, (None, 1)) if change > 0 else drawing.marks[:-1]
    with pytest.raises(EngineError, match="shapes it was given"):
        marked(engine.svg(drawing.source(100, 100)).split("\n"), marks)


@pytest.mark.parametrize("name", ["wasm", "dot"])
def test_both_engines_draw_every_shape(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads, dashes and any text: each is one shape, and has its mark."""
    monkeypatch.setenv("TCPVIZ_ENGINE", name)
    drawing = Drawing()
    for head in ("none", "normal", "vee", "dot", "odot"):
        pen = Pen(style="dashed", head=head)
        drawing.line([[(10, 10), (10, 90)]], pen, classes="s1", name=head, text=((9, 9), [head]))
    text = (["é <&>"], 9.5, "#000000")
    drawing.box(BOX, "#ffffff", Pen(style="dashed"), text=text, name="box")
    try:
        parts = {part.get("id"): part for part in drawn(drawing)}
    except EngineError as missing:
        pytest.skip(str(missing))
    assert list(parts) == ["none", "normal", "vee", "dot", "odot", "box"]
    assert [len(part) for part in parts.values()] == [2, 3, 3, 3, 3, 2]
    assert [text.text for text in parts["box"].iter(f"{SVG}text")] == ["é <&>"]
