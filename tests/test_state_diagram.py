"""The state diagram: complete against the table, legible, still, and true to the trace."""

import re
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tcpviz.captures import read_capture
from tcpviz.pictures import engine, theme
from tcpviz.pictures.figure_5 import (
    BOXES,
    HALF_WIDTH,
    SHEETS,
    WIDTH,
    box_at,
    edges_on,
    labels,
    lines,
    places,
)
from tcpviz.pictures.lettering import text_width
from tcpviz.pictures.paths import paths_of
from tcpviz.pictures.routes import along, beside
from tcpviz.pictures.state_diagram import _LOOKS, state_diagram
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.states import DIRECT, FIGURE_5, TRANSITIONS, State
from tcpviz.steps import End, Kind, Step
from tcpviz.trace import Trace

TEXT = "{http://www.w3.org/2000/svg}text"
PATH = "{http://www.w3.org/2000/svg}path"
GROUP = "{http://www.w3.org/2000/svg}g"


def everything() -> Trace:
    """A trace no connection makes: both ends take every edge of the table."""
    steps = [
        Step(n, end, Kind.TIMEOUT, edge.target, edges=(edge.id,))
        for n, edge in enumerate(TRANSITIONS)
        for end in ("client", "server")
    ]
    return Trace((End("client"), End("server")), tuple(steps), "everything")


def elements(svg, *classes):
    """The groups of a drawn picture that have these classes."""
    groups = ET.fromstring(svg).iter(GROUP)
    return [g for g in groups if {*classes} <= {*g.get("class", "").split()}]


def arrows(svg):
    """The groups of the drawn moves."""
    return [g for g in elements(svg, "edge") if g.get("id").startswith("edge_")]


def ground(svg):
    """The lines of text that belong to no part."""
    (sheet,) = elements(svg, "graph")
    return ["".join(text.itertext()) for text in sheet.findall(TEXT)]


def texts(group):
    """The lines of text in a group."""
    return ["".join(text.itertext()) for text in group.iter(TEXT)]


# ---- where things stand --------------------------------------------------------------------------


@pytest.mark.parametrize("edge", TRANSITIONS, ids=lambda edge: edge.id)
def test_every_edge_runs_from_its_source_to_its_target(edge):
    """Each edge of the table has a place, and it leads from the one state to the other."""
    for part in SHEETS:
        route = places(part)[edge.id].route
        assert BOXES[box_at(route[0])].state is edge.source
        assert BOXES[box_at(route[-1])].state is edge.target
        for a, b in pairwise(route):
            assert a != b
            assert a.real == b.real or a.imag == b.imag


def test_there_are_no_places_without_an_edge():
    """Nothing is placed that the table does not have."""
    assert set(places()) == {edge.id for edge in (*TRANSITIONS, *DIRECT)}


USUAL = [edge for edge in TRANSITIONS if not edge.rare]
LAYERS = {"all but rare": (USUAL, None)} | {
    event: (
        [edge for edge in TRANSITIONS if edge.drawn or (edge.rare and edge.event is event)],
        None,
    )
    for event in dict.fromkeys(edge.event for edge in TRANSITIONS if edge.rare)
}
LAYERS |= {
    part: ([edge for edge in USUAL if edge.id in edges_on(part)], part)
    for part in ("open", "close")
}
LAYERS |= {
    f"all but rare, {edge.id}, {part}": (
        [e for e in [edge, *USUAL] if e.id in edges_on(part)],
        part,
    )
    for part in SHEETS
    for edge in TRANSITIONS
    if edge.rare and edge.id in edges_on(part)
}
layers = pytest.mark.parametrize(("edges", "part"), LAYERS.values(), ids=LAYERS)


def places_of(edges):
    """The centre of each edge's label, its width and its height, where these edges are drawn."""
    return {
        name: (complex(left + right, top + bottom) / 2, right - left, bottom - top)
        for name, (left, top, right, bottom) in labels(
            tuple(e.id for e in edges), notes=True
        ).items()
    }


def rectangles(edges, part):
    """All that must not touch: labels, boxes with their outer frames."""
    found = {f"label {name}": place for name, place in places_of(edges).items()}
    for name in sorted(SHEETS[part].boxes):
        box = BOXES[name]
        found[name] = (complex(box.x, box.y), 2 * HALF_WIDTH + 8, 2 * box.half + 8)
    return found


@layers
def test_no_label_touches_another_or_a_box(edges, part):
    """Labels of all edges together keep clear of each other, of boxes and of the canvas' rim."""
    placed = rectangles(edges, part)
    for (one, (a, w, h)), (other, (b, v, k)) in combinations(placed.items(), 2):
        apart = abs(a.real - b.real) >= (w + v) / 2 or abs(a.imag - b.imag) >= (h + k) / 2 - 0.01
        assert apart, f"{one} touches {other}"
    _, top, bottom = SHEETS[part]
    title = 44  # with the legend
    for name, (at, w, h) in placed.items():
        inside = w / 2 <= at.real <= WIDTH - w / 2
        assert inside, f"{name} leaves the canvas"
        assert top + title <= at.imag - h / 2, f"{name} reaches into the legend"
        assert at.imag + h / 2 <= bottom, f"{name} leaves the canvas"


@layers
def test_no_line_runs_through_a_label(edges, part):
    """Even where both ends run beside each other, no route touches a label of any edge."""
    for edge in edges:
        for other, (at, width, height) in places_of(edges).items():
            for a, b in pairwise(places(part)[edge.id].route):
                left, right = sorted((a.real, b.real))
                top, bottom = sorted((a.imag, b.imag))
                thick = 4.6  # beside the middle, and half a line
                apart = (
                    at.real + width / 2 < left - thick
                    or at.real - width / 2 > right + thick
                    or at.imag + height / 2 < top - thick
                    or at.imag - height / 2 > bottom + thick
                )
                assert apart, f"{edge.id} runs through the label of {other}"


@layers
def test_a_number_covers_no_label(edges, part):
    """A number of two digits on any route, of either end, leaves all labels readable."""
    for edge in edges:
        middle = places(part)[edge.id].route
        for look in _LOOKS:
            for route in (middle, beside(middle, look.aside)):
                number = along(route, *look.spot)
                for other, (at, width, height) in places_of(edges).items():
                    apart = (
                        abs(at.real - number.real) >= width / 2 + 7
                        or abs(at.imag - number.imag) >= height / 2 + 5
                    )
                    assert apart, f"a number of {edge.id} covers the label of {other}"


def test_only_labels_of_what_nobody_took_are_ever_left_out():
    """All of a layer have their label; one more that a trace takes has its own in any case."""
    assert set(labels(tuple(e.id for e in USUAL), notes=True)) == {e.id for e in USUAL}
    for edge in TRANSITIONS:
        others = [e.id for e in USUAL if e is not edge]
        assert edge.id in labels((edge.id, *others), notes=True)


@pytest.mark.parametrize("part", SHEETS)
def test_no_line_runs_through_a_box(part):
    """A route touches the boxes it joins, at their borders, and no other."""
    for edge in TRANSITIONS:
        route = places(part)[edge.id].route
        for a, b in pairwise(route):
            for share in (0.25, 0.5, 0.75):
                point = a + (b - a) * share
                inside = [name for name, box in BOXES.items() if box.touches(point)]
                assert not inside or edge.id not in edges_on(part), f"{edge.id} through {inside}"


# ---- the figure ----------------------------------------------------------------------------------


def test_the_bare_figure_draws_figure_5_and_nothing_else():
    """Twenty arrows, twelve boxes (CLOSED twice), each arrow labelled as the table says."""
    svg = state_diagram().svg
    assert len(arrows(svg)) == len(FIGURE_5) == 20
    assert len(elements(svg, "state")) == 12
    written = ground(svg)
    for line in {line for edge in FIGURE_5 for line in lines(edge)}:
        assert written.count(line) == sum(lines(edge).count(line) for edge in FIGURE_5)


def test_omitted_moves_are_an_optional_layer():
    """With `omitted` every edge of the table is drawn but rare ones, and told in the text."""
    picture = state_diagram(omitted=True)
    assert len(arrows(picture.svg)) == len(USUAL)
    assert picture.text.count("(not in Figure 5)") == len(USUAL) - len(FIGURE_5)
    assert "(not in Figure 5)" not in state_diagram().text


def lines_of_text(svg):
    """Each line of text that belongs to no part, with the rectangle it takes."""
    (sheet,) = elements(svg, "graph")
    for text in sheet.findall(TEXT):
        words, size = "".join(text.itertext()), float(text.get("font-size"))
        width, x, y = text_width(words, size), float(text.get("x")), float(text.get("y"))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
        yield words, (left, y - 0.8 * size, left + width, y + 0.2 * size)


@pytest.mark.parametrize("part", SHEETS)
def test_the_layer_says_what_figure_5_says_in_notes(part):
    """The notes stand below the figure with the sections of its moves, none on another."""
    picture = state_diagram(part=part, omitted=True)
    height = float(re.search(r'height="(\d+)pt"', picture.svg).group(1))
    assert height > SHEETS[part].bottom - SHEETS[part].top
    written = list(lines_of_text(picture.svg))
    for (one, a), (other, b) in combinations(written, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] + 0.5 or b[3] <= a[1] + 0.5
        assert apart, f"{one} touches {other}"
    for words, (left, _, right, _) in written:
        assert left >= 0, words
        assert right <= WIDTH, words
    notes = [words[:7] for words, _ in written if words.startswith("Note ")]
    shown = {"open": (1, 3), "close": (2, 3), None: (1, 2, 3)}[part]
    assert notes == [f"Note {number}:" for number in shown]
    assert all(f"Note {number}:" in picture.text for number in shown)
    sections = {words for words, _ in written if re.fullmatch(r"3\.[\d.]+", words)}
    assert sections == {e.section for e in USUAL if e.id in edges_on(part)}
    assert "Note" not in state_diagram(part=part).dot


def test_the_usual_ways_of_both_ends_are_marked():
    """The active opener and closer goes through TIME-WAIT, the passive one through LAST-ACK."""
    picture = state_diagram()
    assert len(elements(picture.svg, "edge", "usual")) == 12  # six moves each
    assert "FIN-WAIT-2, TIME-WAIT, CLOSED" in picture.alt
    assert "CLOSE-WAIT, LAST-ACK, CLOSED" in picture.alt


def test_state_ids_are_one_each_and_without_hyphens():
    """The player finds each box by its id."""
    ids = [g.get("id") for g in elements(state_diagram().svg, "state")]
    assert set(ids) == set(BOXES)
    assert len(ids) == len(set(ids))
    assert "state_SYN_SENT" in ids
    assert "state_CLOSED_again" in ids


# ---- a trace in the figure -----------------------------------------------------------------------


def test_nothing_moves_a_box():
    """Canvas and boxes are at the same place, whatever the trace; a layer only adds below."""

    def still(picture):
        frame = re.search(r'viewBox="[^"]*"', picture.svg).group()
        frame = frame if "Note 1" not in picture.dot else 'viewBox="0.00 0.00 640.00 734.00"'
        states = elements(picture.svg, "state")
        boxes = [(g.get("id"), g.find(f".//{PATH}").get("d")) for g in states]
        assert {name for name, _ in boxes} == set(BOXES)
        return frame, boxes

    pictures = [state_diagram(), state_diagram(omitted=True), state_diagram(everything())]
    pictures += [state_diagram(simulate(SCENARIOS[name])) for name in ("handshake", "refused")]
    pictures += [state_diagram(simulate(SCENARIOS["handshake"]), focus="client", at=0)]
    assert len({str(still(picture)) for picture in pictures}) == 1


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_path_is_that_of_the_trace(name):
    """Taken arrows are the trace's moves, each with the class of its step and of its end."""
    trace = simulate(SCENARIOS[name])
    svg = state_diagram(trace).svg
    drawn = set()
    for group in arrows(svg):
        classes = group.get("class").split()
        ends = [c.removeprefix("end_") for c in classes if c.startswith("end_")]
        drawn |= {(end, int(c[1:])) for end in ends for c in classes if re.fullmatch(r"s\d+", c)}
        assert bool(ends) == ("taken" in classes)
    assert drawn == {(step.end, n) for n, step in enumerate(trace.steps) if step.edges}
    ids = [g.get("id") for g in ET.fromstring(svg).iter(GROUP)]
    assert len(ids) == len(set(ids))


def test_an_end_stands_where_it_is_when_the_trace_ends():
    """After the handshake both ends are named in ESTABLISHED, and nowhere else."""
    svg = state_diagram(simulate(SCENARIOS["handshake"])).svg
    assert [g.get("id") for g in elements(svg, "current")] == ["state_ESTABLISHED"]
    assert [texts(g) for g in elements(svg, "names")] == [["client"], ["server"]]


def test_an_end_that_closed_stands_in_the_lower_closed():
    """CLOSED has two boxes; an end is in the one that its last move led to."""
    svg = state_diagram(simulate(SCENARIOS["open_and_close"])).svg
    assert [g.get("id") for g in elements(svg, "current")] == ["state_CLOSED_again"]
    svg = state_diagram(simulate(SCENARIOS["listener_closes"]), end="server").svg
    assert [g.get("id") for g in elements(svg, "current")] == ["state_CLOSED"]


def test_one_end_alone():
    """With `end` only that end's way is drawn and told, numbered from 1."""
    trace = simulate(SCENARIOS["open_and_close"])
    picture = state_diagram(trace, end="server")
    assert not elements(picture.svg, "end_client")
    assert elements(picture.svg, "end_server")
    numbers = [line.split()[0] for line in picture.text.splitlines() if " -> " in line]
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    assert theme.ORANGE in picture.dot
    assert theme.BLUE not in picture.dot


def test_an_edge_both_ends_take_is_drawn_for_both():
    """In a simultaneous open both ways can be seen: two curves, neither on the other."""
    svg = state_diagram(simulate(SCENARIOS["simultaneous_open"])).svg
    pair = [g for g in arrows(svg) if g.get("id").startswith("edge_SYN_SENT_rcv_SYN_end")]
    assert len(pair) == 2
    curves = [g.find(".//{http://www.w3.org/2000/svg}path").get("d") for g in pair]
    assert curves[0] != curves[1]


def test_ways_that_share_a_rail_do_not_lie_on_each_other():
    """An ABORT and the RST it sends leave ESTABLISHED by the same exit; both can be seen."""
    svg = state_diagram(simulate(SCENARIOS["abort"])).svg
    taken = elements(svg, "edge", "taken")
    paths = [g.find(".//{http://www.w3.org/2000/svg}path").get("d") for g in taken]
    assert len(paths) == len(set(paths))


# ---- focus, instant, part ------------------------------------------------------------------------


def drawn_as(picture, kind):
    """The ids of the arrows of a class, without the end that took them."""
    ids = {g.get("id") for g in elements(picture.svg, "edge", kind)}
    return {name.removeprefix("edge_").split("_end_")[0] for name in ids}


def arrow_id(edge):
    return re.sub(r"\W+", "_", edge.id).strip("_")


def test_at_shows_the_ends_at_an_instant():
    """What comes after `at` is not shown, what happens at that very time is."""
    trace = simulate(SCENARIOS["open_and_close"])
    times = [step.time for step in trace.steps if step.edges]
    for time in sorted({0, *times, *(t - 1 for t in times if t)}):
        picture = state_diagram(trace, at=time)
        told = [line for line in picture.text.splitlines() if " -> " in line]
        assert len(told) == sum(len(s.edges) for s in trace.steps if s.time <= time)
        for name in ("client", "server"):
            states = [s.state for s in trace.of(name) if s.time <= time and s.state]
            if states:
                assert f"{name} is in {states[-1]}" in picture.text
    assert "at 0 ms" in state_diagram(trace, at=0).title


@pytest.mark.parametrize("name", ["open_and_close", "simultaneous_open", "lost_fin", "refused"])
def test_focus_shows_how_it_came_and_where_it_can_go(name):
    """Taken moves of one end, every next move of the table, and all else without a label."""
    trace = simulate(SCENARIOS[name])
    for end in ("client", "server"):
        for time in {step.time for step in trace.of(end)} | {None}:
            picture = state_diagram(trace, focus=end, at=time)
            steps = [step for step in trace.of(end) if time is None or step.time <= time]
            state = [step.state for step in steps if step.state][-1]
            taken = {arrow_id(e) for e in TRANSITIONS for s in steps if e.id in s.edges}
            ahead = [e for e in USUAL if e.source is state]
            if state is State.SYN_RECEIVED:
                came = "passive" if any("LISTEN: rcv SYN" in s.edges for s in steps) else "active"
                ahead = [e for e in ahead if e.opened in (None, came)]
            assert drawn_as(picture, "taken") == taken
            again = {f"{arrow_id(e)}_again" for e in ahead if arrow_id(e) in taken}
            assert drawn_as(picture, "ahead") == {arrow_id(e) for e in ahead} - taken | again
            labelled = [line for line in ground(picture.svg) if line in {"rcv FIN", "CLOSE"}]
            shown = [e for e in TRANSITIONS if e in ahead or arrow_id(e) in taken]
            assert len(labelled) == sum(e.event in ("rcv FIN", "CLOSE") for e in shown)
            assert f"{end} is in {state}" in picture.title
            for edge in ahead:
                assert str(edge.event) in picture.alt


def test_an_end_in_closed_can_open_either_way_from_the_box_where_it_began():
    """The dots leave a box that is marked as where it is, also beside a way that it took."""
    picture = state_diagram(simulate(SCENARIOS["open_and_close"]), focus="server")
    assert [g.get("id") for g in elements(picture.svg, "current")] == [
        "state_CLOSED",
        "state_CLOSED_again",
    ]
    assert drawn_as(picture, "ahead") == {
        "CLOSED_active_OPEN",
        "CLOSED_passive_OPEN_again",
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_end_that_skips_a_state_is_not_drawn_in_it(name):
    """The diagram draws the states that the chart draws: a direct move is a direct move."""
    trace = simulate(SCENARIOS[name])
    for path in paths_of(trace):
        drawn = {move.edge.target for move in path.moves} | {m.edge.source for m in path.moves}
        passed = {span.state for span in trace.spans(path.name)} | {trace.before(path.name)}
        skipped = drawn - passed
        assert not skipped or any(  # one segment can bring two events, which TCP takes in turn
            len(step.moves) > 1 and step.segment is not None for step in trace.of(path.name)
        )
    pairs = {
        "no_time_wait": "FIN-WAIT-2: rcv FIN, to CLOSED",
        "two_way_ghost": "LISTEN: rcv SYN, to ESTABLISHED",
        "syn_cookie": "LISTEN: rcv ACK of SYN, to ESTABLISHED",
    }
    moves = [move for step in trace.steps for move in step.moves]
    assert [move for move in moves if ", to " in move] == [pairs[n] for n in pairs if n == name]


def test_focus_on_a_state_needs_no_trace():
    """For a lesson: from SYN-RECEIVED, with the side conditions, and how one gets there."""
    picture = state_diagram(focus="SYN-RECEIVED")
    source = [e for e in USUAL if e.source is State.SYN_RECEIVED]
    assert drawn_as(picture, "ahead") == {arrow_id(edge) for edge in source}
    reached = [e for e in FIGURE_5 if e.target is State.SYN_RECEIVED]
    assert drawn_as(picture, "quiet") == {arrow_id(edge) for edge in reached}
    assert "(opened passive)" in ground(picture.svg)
    assert [g.get("id") for g in elements(picture.svg, "current")] == ["state_SYN_RECEIVED"]
    for state in State:
        assert state_diagram(focus=state).svg


@pytest.mark.parametrize("part", ["open", "close"])
def test_a_part_is_the_same_figure_cropped(part):
    """Its boxes and arrows are drawn exactly where the whole figure has them."""
    trace = simulate(SCENARIOS["open_and_close"])
    for source in (None, trace):
        whole, cropped = state_diagram(source), state_diagram(source, part=part)

        def paths(picture):
            groups = elements(picture.svg, "state") + arrows(picture.svg)
            return {g.get("id"): g.find(f".//{PATH}").get("d") for g in groups}

        assert paths(cropped).items() < paths(whole).items()
        assert {n for n in paths(cropped) if n.startswith("state_")} == SHEETS[part].boxes
        height = float(re.search(r'height="(\d+)pt"', cropped.svg).group(1))
        assert height == SHEETS[part].bottom - SHEETS[part].top < 500
        assert str({"open": "five", "close": "eight"}[part]) in cropped.alt


def test_both_parts_together_are_figure_5_but_for_one_arrow():
    """Only CLOSE in SYN-RECEIVED leads from the opening part into the closing one."""
    both = {e.id for e in FIGURE_5 if e.id in edges_on("open") | edges_on("close")}
    assert {e.id for e in FIGURE_5} - both == {"SYN-RECEIVED: CLOSE"}
    shared = SHEETS["open"].boxes & SHEETS["close"].boxes
    assert shared == {"state_ESTABLISHED"}


def test_text_is_the_moves_in_order():
    """The text twin tells each move with its time, end, states, event and section."""
    trace = simulate(SCENARIOS["open_and_close"])
    told = [line.split() for line in state_diagram(trace).text.splitlines() if " -> " in line]
    moves = [(step, name) for step in trace.steps for name in step.edges]
    assert len(told) == len(moves)
    known = {edge.id: edge for edge in TRANSITIONS}
    for words, (step, name) in zip(told, moves, strict=True):
        assert step.end in words
        arrow = words.index("->")
        assert (words[arrow - 1], words[arrow + 1]) == (known[name].source, known[name].target)
        assert words[-2:] == ["9293", known[name].section]
    assert "TIME-WAIT" in state_diagram(trace).alt


def test_a_run_without_a_syn_ack_is_not_told_as_one_with_it():
    """Moves 3 and 4 of the handshake of four segments say what was sent, SYN and ACK apart."""
    picture = state_diagram(simulate(SCENARIOS["four_segment_handshake"]))
    moves = picture.text.splitlines()[3:5]
    assert "rcv SYN, snd ACK, snd SYN " in moves[0]
    assert "rcv SYN, snd ACK " in moves[1]
    assert "<td>rcv SYN, snd ACK, snd SYN</td>" in picture.table
    assert ">snd ACK, snd SYN<" in picture.svg
    assert picture.svg.count(">snd SYN,ACK<") == 1, "that of SYN-SENT, which no end took"
    usual = state_diagram(simulate(SCENARIOS["handshake"]))
    assert "rcv SYN, snd SYN,ACK " in usual.text


def test_inferred_moves_are_told_apart():
    """What a capture concludes is marked in the text, in the numbers and in a note."""
    edge = next(e for e in TRANSITIONS if e.id == "CLOSED: active OPEN")
    ends = (End("client"), End("server", observed=False))

    def drawn(*, inferred):
        step = Step(0, "client", Kind.DEPART, edge.target, edges=(edge.id,), inferred=inferred)
        return state_diagram(Trace(ends, (step,)))

    assert "(inferred)" in drawn(inferred=True).text
    assert "(inferred)" not in drawn(inferred=False).text
    notes = [" ".join(ground(drawn(inferred=i).svg)) for i in (True, False)]
    assert "White number: nobody saw the move" in notes[0]
    assert "inferred" not in notes[1]
    assert "server: its states are not known" in drawn(inferred=True).text


def test_hostile_names_are_only_text():
    """Names and titles of any kind are drawn as they are, cut where they would not fit."""
    name = '<b>"\\N & 服务器' + "x" * 90
    step = Step(0, name, Kind.CALL, State.LISTEN, edges=("CLOSED: passive OPEN",))
    picture = state_diagram(Trace((End(name), End("[2001:db8::1]:443")), (step,), 'a\\n"b<i>'))
    (shown,) = texts(elements(picture.svg, "names")[0])
    assert shown.startswith('<b>"\\N & 服')
    assert shown.endswith("…")
    assert text_width(shown, theme.TINY) <= 2 * HALF_WIDTH - 10


def test_an_end_that_takes_a_move_again_has_all_its_numbers():
    """Numbers of one arrow stand together; many are shortened."""
    again = ("TIME-WAIT: rcv FIN",)
    steps = tuple(Step(n, "client", Kind.ARRIVE, State.TIME_WAIT, edges=again) for n in range(5))
    ends = (End("client"), End("server"))
    one, two, five = (state_diagram(Trace(ends, steps[:n])).svg for n in (1, 2, 5))
    assert [texts(elements(svg, "number")[0]) for svg in (one, two, five)] == [
        ["1"],
        ["1,2"],
        ["1 +4"],
    ]


def test_an_empty_trace_is_drawn_too():
    """Where nothing is known, the figure stays quiet and says so."""
    picture = state_diagram(Trace((End("client"), End("server")), ()))
    assert "client: its states are not known" in picture.text
    assert not elements(picture.svg, "current")


def test_what_cannot_be_drawn_is_one_clear_error():
    """An end that is not there, an end without a trace, an edge that TCP does not have."""
    trace = simulate(SCENARIOS["handshake"])
    with pytest.raises(KeyError, match="no end 'bob'"):
        state_diagram(trace, end="bob")
    with pytest.raises(ValueError, match="without a trace"):
        state_diagram(end="client")
    with pytest.raises(KeyError, match="no end 'bob'"):
        state_diagram(trace, focus="bob")
    with pytest.raises(ValueError, match="focus='client' shows one end alone"):
        state_diagram(trace, end="server", focus="client")
    with pytest.raises(ValueError, match="focus='client': without a trace it is one of CLOSED"):
        state_diagram(focus="client")
    with pytest.raises(ValueError, match="at=0: there are no ends and no times"):
        state_diagram(at=0)
    with pytest.raises(ValueError, match="part: 'middle' is not"):
        state_diagram(part="middle")
    wrong = Trace(trace.ends, (Step(0, "client", Kind.CALL, edges=("CLOSED: magic",)),))
    with pytest.raises(ValueError, match=r"steps\[0\] takes an edge .*'CLOSED: magic'"):
        state_diagram(wrong)


def test_same_trace_same_bytes():
    """A picture is a function of the trace."""
    one, two = (state_diagram(simulate(SCENARIOS["lost_fin"])) for _ in range(2))
    assert (one.dot, one.text, one.alt) == (two.dot, two.text, two.alt)
    assert engine.svg(one.dot) == engine.svg(two.dot)


def luminance(colour):
    """Relative luminance of #rrggbb (WCAG)."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(c * w for c, w in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_text_can_be_read():
    """Every text reaches a contrast of 4.5 on what is behind it, and lines 3."""
    dot = state_diagram(everything()).dot + state_diagram().dot
    assert set(re.findall(r"color=\"?(#?\w+)", dot)) <= {*re.findall(r"#[0-9a-f]{6}", dot)}, (
        "colours are #rrggbb"
    )

    def contrast(one, other):
        dark, light = sorted((luminance(one), luminance(other)))
        return (light + 0.05) / (dark + 0.05)

    for ink in (theme.INK, theme.QUIET, theme.BLUE, theme.ORANGE):
        assert contrast(ink, theme.PAPER) >= 4.5
    for tint in theme.TINTS.values():
        assert contrast(theme.INK, tint) >= 4.5
    assert contrast(theme.LINE, theme.PAPER) >= 3


def test_a_half_duplex_close_that_resets_is_told_as_the_call_it_was() -> None:
    """The user did not call ABORT, though what follows is the same."""
    text = state_diagram(simulate(SCENARIOS["close_with_data_unread"])).text
    assert "half-duplex CLOSE, snd RST" in text
    assert "ABORT" not in text
    assert "ABORT, snd RST" in state_diagram(simulate(SCENARIOS["abort"])).text


def test_an_end_that_listens_again_unseen_is_told():
    """The server crashed and came back: the capture saw no call between its moves 7 and 8."""
    path = Path(__file__).parents[1] / "notebooks" / "captures" / "halfopen_syn.pcapng"
    lines = state_diagram(read_capture(path).connections[0].trace()).text.splitlines()
    (at,) = (n for n, line in enumerate(lines) if "nobody saw its passive OPEN" in line)
    assert "-> CLOSED" in lines[at - 1]
    assert "LISTEN        -> SYN-RECEIVED" in lines[at + 1]
