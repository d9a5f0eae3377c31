"""A picture: how it is shown, saved, and put beside another."""

import re

from tcpviz.pictures import beside
from tcpviz.pictures.sequence_chart import sequence_chart
from tcpviz.pictures.state_diagram import state_diagram
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate


def test_pictures_side_by_side_have_one_scale() -> None:
    """The room that each takes is in proportion to its own width."""
    trace = simulate(SCENARIOS["handshake"])
    pictures = (sequence_chart(trace), state_diagram(trace))
    shown = beside(pictures)._repr_mimebundle_()["text/html"]
    for picture in pictures:
        width = re.search(r'viewBox="0\.00 0\.00 (\d+)\.00', picture.svg)
        assert width
        assert f"flex:{width[1]} 1 0" in shown


def test_nothing_internal_is_shown_as_a_title() -> None:
    """A reader who hovers meets the picture's title and tooltips, no names of nodes."""
    picture = sequence_chart(simulate(SCENARIOS["handshake"]))
    assert re.findall(r"<title>(.*?)</title>", picture.svg) == ["handshake"]
    assert "<!--" not in picture.svg
