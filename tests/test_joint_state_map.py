"""The joint-state map: true to the exploration, legible, and its walk that of the trace."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest

from tcpviz.explore import explore
from tcpviz.pictures.joint_state_map import WIDTH, joint_state_map
from tcpviz.pictures.lettering import text_width
from tcpviz.pictures.walks import walk
from tcpviz.scenarios import SCENARIOS
from tcpviz.simulate import simulate
from tcpviz.states import State
from tcpviz.steps import End, Kind, Step
from tcpviz.trace import Trace

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def plain():
    """No fault at all."""
    return explore(losses=0, duplicates=0, old=0, spurious=0)


@pytest.fixture(scope="module")
def misfortune():
    """Crashes and losses: half-open connections, and properties that fail."""
    return explore(duplicates=0, old=0, spurious=0, allow=["crash"])


def groups(svg, *classes):
    """The groups that have these classes."""
    found = ET.fromstring(svg).iter(f"{SVG}g")
    return [g for g in found if {*classes} <= {*g.get("class", "").split()}]


def words(group):
    return ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]


def boxes(svg):
    """Every line of text with the rectangle it takes."""
    for text in ET.fromstring(svg).iter(f"{SVG}text"):
        line, size = "".join(text.itertext()), float(text.get("font-size"))
        face = "bold" if text.get("font-weight") == "bold" else ""
        width, x, y = text_width(line, size, face), float(text.get("x")), float(text.get("y"))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
        yield line, (left, y - 0.78 * size, left + width, y + 0.2 * size)


def test_every_pair_has_a_cell_of_its_kind(misfortune):
    """121 cells; the class is what was found, the number that of the moves of a shortest run."""
    svg = joint_state_map(misfortune).svg
    cells = {g.get("id"): g.get("class").split() for g in groups(svg, "cell")}
    numbers = {g.get("id"): words(g) for g in groups(svg, "moves")}
    assert len(cells) == 121
    for (client, server), cell in misfortune.map.items():
        name = f"{client.name}_{server.name}"
        assert cell.kind in cells[f"cell_{name}"]
        shown = [] if cell.kind == "never" else [str(len(cell.moves))]
        assert numbers.get(f"moves_{name}", []) == shown


def test_kinds_differ_in_more_than_colour(misfortune):
    """A quiet cell is hatched and a cell that is never met has no number."""
    svg = joint_state_map(misfortune).svg
    hatched = {g.get("id").removeprefix("hatch_") for g in groups(svg, "hatch")} - {"key"}
    quiet = {p for p, cell in misfortune.map.items() if cell.kind == "quiet"}
    assert hatched == {f"{client.name}_{server.name}" for client, server in quiet}


def test_cells_stand_in_rows_of_the_client_and_columns_of_the_server(plain):
    """Below each other is another state of the client, beside each other one of the server."""
    svg = joint_state_map(plain).svg

    def corner(group):
        x, y = next(group.iter(f"{SVG}polygon")).get("points").split()[0].split(",")
        return float(x), float(y)

    at = {g.get("id"): corner(g) for g in groups(svg, "cell")}
    for state in State:
        column = [at[f"cell_{client.name}_{state.name}"] for client in State]
        assert len({x for x, _ in column}) == 1
        assert [y for _, y in column] == sorted({y for _, y in column})
        row = [at[f"cell_{state.name}_{server.name}"] for server in State]
        assert len({y for _, y in row}) == 1
        assert [x for x, _ in row] == sorted({x for x, _ in row})


def test_no_text_touches_another(plain, misfortune):
    """Names, numbers, letters and the legend keep clear of each other and of the rim."""
    walks = (None, simulate(SCENARIOS["lost_fin"]), simulate(SCENARIOS["simultaneous_close"]))
    for exploration in (plain, misfortune):
        for path in walks:
            picture = joint_state_map(exploration, path=path)
            placed = list(boxes(picture.svg))
            height = float(re.search(r'height="(\d+)pt"', picture.svg).group(1))
            for (one, a), (other, b) in combinations(placed, 2):
                apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
                assert apart, f"{one} touches {other}"
            for line, (left, top, right, bottom) in placed:
                assert left >= 0, line
                assert top >= 0, line
                assert right <= WIDTH, line
                assert bottom <= height, line


@pytest.mark.parametrize("name", ["open_and_close", "simultaneous_close", "refused", "abort"])
def test_the_walk_crosses_no_text(misfortune, name):
    """Lines and dots of a walk leave numbers, letters and names readable."""
    svg = joint_state_map(misfortune, path=simulate(SCENARIOS[name])).svg
    placed = list(boxes(svg))
    for group in groups(svg, "walk"):
        points = next(group.iter(f"{SVG}polyline")).get("points").split()
        for (x0, y0), (x1, y1) in pairwise(tuple(map(float, p.split(","))) for p in points):
            left, right = sorted((x0, x1))
            top, bottom = sorted((y0, y1))
            for line, box in placed:
                apart = (
                    box[2] < left - 2
                    or right + 2 < box[0]
                    or box[3] < top - 2
                    or bottom + 2 < box[1]
                )
                assert apart, f"{group.get('id')} crosses {line}"


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_walk_is_that_of_the_trace(name):
    """Each stop is one move of one end, and the last pair is where the trace ends."""
    trace = simulate(SCENARIOS[name])
    stops = walk(trace)
    for before, after in pairwise(stops):
        changed = [a is not b for a, b in zip(before.pair, after.pair, strict=True)]
        assert sum(changed) == 1
        assert trace.ends[changed.index(True)].name == after.end
    for nth, end in enumerate(trace.ends):
        spans = trace.spans(end.name)
        assert stops[-1].pair[nth] is (spans[-1].state if spans else State.CLOSED)
        assert sum(stop.end == end.name for stop in stops) >= len(spans) - 1


def test_a_handshake_is_a_walk(plain):
    """CLOSED / CLOSED to ESTABLISHED / ESTABLISHED in five moves, drawn leg by leg."""
    picture = joint_state_map(plain, path=simulate(SCENARIOS["handshake"]))
    way = [
        "CLOSED / CLOSED",
        "CLOSED / LISTEN",
        "SYN-SENT / LISTEN",
        "SYN-SENT / SYN-RECEIVED",
        "ESTABLISHED / SYN-RECEIVED",
        "ESTABLISHED / ESTABLISHED",
    ]
    assert ", ".join(way) in picture.alt
    assert len(groups(picture.svg, "walk")) == 5
    assert len(groups(picture.svg, "stop")) == 6
    assert len(walk(simulate(SCENARIOS["handshake"]))) == 6
    told = [line for line in picture.text.splitlines() if " / " in line]
    assert [line.split("  ")[-1] for line in told] == way


def test_where_a_walk_leaves_what_was_found_the_text_says_so(plain):
    """A reset was not among what was allowed here: its pairs are marked."""
    strays = joint_state_map(plain, path=simulate(SCENARIOS["simultaneous_open"]))
    assert "(never met)" in strays.text
    stays = joint_state_map(plain, path=simulate(SCENARIOS["handshake"]))
    assert "(never met)" not in stays.text
    for told in ("svg", "text", "alt"):
        assert "pairs that this search never met" in getattr(strays, told)
        assert "pairs that this search never met" not in getattr(stays, told)


def test_failures_have_letters(misfortune):
    """Each broken property has a letter, in the cell where a shortest run ends and in the key."""
    picture = joint_state_map(misfortune)
    assert misfortune.failures
    shown = {g.get("id"): words(g) for g in groups(picture.svg, "failure") if g.get("id")}
    for letter, failure in zip("ABC", misfortune.failures.values(), strict=False):
        pair = walk(failure.trace)[-1].pair
        assert letter in shown["failure_" + "_".join(s.name for s in pair)][0]
        assert f"{letter}  {failure.trace.title}" in picture.text
        assert failure.trace.title in picture.alt


def test_half_open_pairs_are_named(plain, misfortune):
    """After a crash one end may go on alone; no pair is called so where none can be met."""
    svg = joint_state_map(misfortune).svg
    named = {g.get("id").removeprefix("half_") for g in groups(svg, "half_open")}
    assert {"ESTABLISHED_CLOSED", "CLOSED_ESTABLISHED"} <= named
    assert "SYN_SENT_FIN_WAIT_1" not in named, "the server closed early"
    reachable = {f"{c.name}_{s.name}" for (c, s), x in misfortune.map.items() if x.kind != "never"}
    assert named <= reachable
    faultless = {g.get("id") for g in groups(joint_state_map(plain).svg, "half_open")}
    assert "half_ESTABLISHED_CLOSED" not in faultless


def test_the_text_is_the_map_as_a_table(misfortune):
    """Each row of the table has what was found for a state of the client."""
    lines = joint_state_map(misfortune).text.splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines[5:16]}
    assert list(rows) == list(State)
    for (client, server), cell in misfortune.map.items():
        written = rows[client][list(State).index(server)]
        if cell.kind == "never":
            assert written == "."
        else:
            assert re.match(r"\d+", written).group() == str(len(cell.moves))
            assert ("q" in written) == (cell.kind == "quiet")


def test_a_path_that_nobody_saw_is_one_clear_error(plain):
    """The far end of a one-sided capture has no known states."""
    step = Step(0, "client", Kind.CALL, State.SYN_SENT)
    trace = Trace((End("client"), End("server", observed=False)), (step,))
    with pytest.raises(ValueError, match="path: server: its states are not known"):
        joint_state_map(plain, path=trace)


def test_same_exploration_same_bytes():
    """A picture is a function of what was found."""
    one, two = (joint_state_map(explore(duplicates=0, old=0, spurious=0)) for _ in range(2))
    assert (one.dot, one.text, one.alt) == (two.dot, two.text, two.alt)
    assert one.svg == two.svg


@pytest.mark.parametrize("length", [1, 60, 121, 400])
@pytest.mark.parametrize("letter", ["W", "i", "\u4e2d"])
def test_long_names_and_titles_stay_on_the_sheet(plain, length, letter):
    """Of ends and of the trace, whatever letters they are of; nothing is written on another."""
    trace = simulate(SCENARIOS["handshake"])
    names = [letter * length + mark for mark in "cs"]
    ends = tuple(end._replace(name=name) for end, name in zip(trace.ends, names, strict=True))
    new = dict(zip(("client", "server", ""), (*names, ""), strict=True))
    steps = tuple(step._replace(end=new[step.end]) for step in trace.steps)
    svg = joint_state_map(plain, path=Trace(ends, steps, " ".join([letter * 30] * 20))).svg
    for line, (left, _, right, _) in boxes(svg):
        assert left >= 0, line
        assert right <= WIDTH, line
    heads = [box for line, box in boxes(svg) if letter * 2 in line]
    for one, other in combinations(heads, 2):
        assert one[3] <= other[1] or other[3] <= one[1] or one[2] <= other[0]
