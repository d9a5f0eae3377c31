"""The order of the house: who may import whom, and who may move a state."""

import ast
import sys
from functools import cache
from pathlib import Path

import tcpviz

PACKAGE = Path(tcpviz.__file__).parent
FLOORS = [
    {
        *("diagram_words", "handout_words", "question_words", "lab_words", "player_words"),
        *("reason_words", "shell_words", "table_words", "static"),
    },
    {"units", "mistake", "words", "states", "segment", "listener"},
    {"steps", "rules", "options"},
    {"tcb"},
    {"judge", "trace_json"},
    {"trace"},
    {"endpoint"},
    {"scenario", "trace_shape", "timeline"},
    {"edge_scenarios", "time_wait_scenarios", "moments", "scenario_text", "simulate"},
    {"scenarios", "runs"},
    {"choices", "fork", "population"},
    {"asking_why"},
    {"asking", "asking_whole"},
    {"questions"},
    # the room of explorations
    {"exploring.side"},
    {"exploring.search", "exploring.replay"},
    {"exploring"},
    {"explore"},
    # the room of capture files
    {"captures.packets"},
    {"captures.headers", "captures.inference"},
    {"captures.vantage"},
    {"captures.incarnations", "captures.outcome"},
    {"captures.read"},
    {"captures"},
    # the room of the real kernel
    {"kernel.table"},
    {"kernel.sockets", "kernel.live"},
    {"kernel.holds", "kernel.observation", "kernel.watch"},
    {
        *("kernel.server", "kernel.labs", "kernel.closing", "kernel.orphans"),
        *("kernel.datagrams", "kernel.eleven"),
    },
    {"kernel"},
    # the room of pictures; what makes traces knows none of it
    {
        "pictures.engine",
        "pictures.theme",
        "pictures.time_axis",
        "pictures.backoff",
        "pictures.summary",
        "pictures.remarks",
        "pictures.conditions",
        "pictures.differences",
    },
    {"pictures.lettering", "pictures.marks", "pictures.cut", "pictures.table"},
    {"pictures.xdot", "pictures.paper", "pictures.routes", "pictures.trace_table"},
    {"pictures.drawing", "pictures.picture"},
    {"pictures.placement", "pictures.figure_5", "pictures.bars", "pictures.sheet"},
    {"pictures.ways", "pictures.variables", "pictures.notes"},
    {"pictures.brackets"},
    {"pictures.arrow_labels", "pictures.margins", "pictures.paths"},
    {"pictures.arrows"},
    {"pictures.panel", "pictures.diagram_view", "pictures.walks"},
    {"pictures.diagram_text", "pictures.joint_states"},
    {
        "pictures.server_view",
        "pictures.comparison",
        "pictures.sequence_chart",
        "pictures.state_diagram",
    },
    {"pictures.joint_state_map", "pictures.timelines"},
    {"pictures"},
    # where both meet
    {"player_data", "player_widget"},
    {"player"},
    {"controls"},
    {"arguments", "sources", "panels", "terminal", "goals"},
    {"exercise", "views"},
    # the room of handouts
    {"handouts.chapter"},
    {"handouts.page", "handouts.sheet"},
    {"handouts.make"},
    {"handouts"},
    {"handouts.__main__"},
    {""},  # the package's public names
    {"__main__"},
]
STANDARD_LIBRARY_ONLY = {"captures", "kernel", "simulate"}  # up to the floors of these


@cache
def _modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name below it; the package itself is ''."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def _imports(module: str) -> set[str]:
    """Full names of what a module imports, wherever the import stands."""
    found = set()
    for node in ast.walk(_modules()[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                is_module = full.removeprefix("tcpviz.") in _modules()
                found.add(full if is_module else str(node.module))
    return found


def _inside(module: str) -> set[str]:
    """The modules of the package that a module imports, by their names below it."""
    mine = {name for name in _imports(module) if name.split(".")[0] == "tcpviz"}
    return {name.removeprefix("tcpviz").removeprefix(".") for name in mine}


def _floor(module: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if module in floor)


def test_every_module_lives_on_one_floor() -> None:
    """The list of floors and the package name the same modules, each once."""
    assert sorted(name for floor in FLOORS for name in floor) == sorted(_modules())


def test_a_module_imports_only_lower_floors() -> None:
    """Data flows one way: producers know no picture and pictures know no producer."""
    wrong = [(m, i) for m in _modules() for i in _inside(m) if _floor(i) >= _floor(m)]
    assert wrong == []


def test_producers_and_pictures_meet_only_at_the_top() -> None:
    """A picture reads a Trace and no producer; a producer knows no other and no picture."""
    allowed = {"units", "words", "states", "segment", "steps", "trace", "timeline"}
    for module in _modules():
        room = module.split(".")[0]
        if room in ("captures", "kernel", "pictures"):
            strangers = {i for i in _inside(module) if i.split(".")[0] != room} - allowed
            strangers -= {"timeline"} if room == "kernel" else set()
            assert strangers == set(), module


def test_the_model_and_the_captures_need_only_the_standard_library() -> None:
    """The floors below the pictures import nothing that has to be installed."""
    top = max(map(_floor, STANDARD_LIBRARY_ONLY))
    known = {*sys.stdlib_module_names, "tcpviz"}
    foreign = [
        (module, name)
        for floor in FLOORS[: top + 1]
        for module in floor
        for name in _imports(module)
        if name.split(".")[0] not in known
    ]
    assert foreign == []


def test_no_module_is_too_long_to_read() -> None:
    """A module that passes 400 lines holds two ideas."""
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: count for name, count in lines.items() if count > 400} == {}


def test_only_take_moves_a_state() -> None:
    """One function of the endpoint gives an end another state, and it reads it from the table."""
    movers = set()
    functions = [
        node
        for module in ("tcb", "judge", "endpoint")
        for node in ast.walk(_modules()[module])
        if isinstance(node, ast.FunctionDef)
    ]
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and any(k.arg == "state" for k in node.keywords):
                movers.add(function.name)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                movers.add(function.name)
    assert movers == {"take"}


def test_the_endpoint_has_no_clock_no_randomness_and_no_io() -> None:
    """What an Endpoint does follows from its value, the event and `now`."""
    names = ("judge", "options", "segment", "states", "steps", "tcb")
    within = {f"tcpviz.{name}" for name in names}
    assert _imports("endpoint") == {"itertools", "typing", *within}
