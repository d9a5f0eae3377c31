"""The two commands: what lab.py says and does when something is missing, taken, moved or broken."""

import ast
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LAB = ROOT / "lab.py"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PYPROJECT["project"]["optional-dependencies"]


@pytest.fixture
def lab(tmp_path):
    """A copy of lab.py, as a module, in a checkout of its own that holds no .venv yet."""
    for name in ("lab.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    spec = importlib.util.spec_from_file_location("lab_copy", tmp_path / "lab.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def calls(lab, monkeypatch):
    """What lab.py would have started, every program of it a success that leaves a Python behind."""
    seen = []

    def follow(command, **_):
        seen.append(" ".join(command[1:4]))
        lab.PYTHON.parent.mkdir(parents=True, exist_ok=True)
        lab.PYTHON.touch()
        return 0, []

    monkeypatch.setattr(lab, "follow", follow)
    return seen


VENV, PIP, INSTALL = "-m venv --without-pip", "-m ensurepip --default-pip", "-m pip install"


def test_old_pythons_can_read_it():
    """lab.py is in the grammar of Python 3.6, so that an old Python says what it lacks."""
    ast.parse(LAB.read_text(encoding="utf-8"), feature_version=(3, 6))


def run_with(preparation, *arguments, folder):
    """Run the lab.py of `folder` in a Python that was first prepared so."""
    start = f"import runpy, sys; {preparation}; sys.argv = ['lab.py', *sys.argv[1:]]; "
    start += "runpy.run_path('lab.py', run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("preparation", "said"),
    [
        ("sys.version_info = (3, 10, 4)", "Python 3.11 or newer is needed"),
        ("sys.modules['ensurepip'] = None", "this Python has no venv module"),
        ("import os; os.access = lambda *_: False", "is not writable"),
        (
            "import shutil; shutil.disk_usage = lambda _: shutil._ntuple_diskusage(9, 9, 10**6)",
            "400 MB are needed, 1 MB are free",
        ),
    ],
    ids=["old-python", "no-venv", "unwritable", "disk-full"],
)
def test_what_stops_the_set_up_is_one_line_and_leaves_nothing(lab, preparation, said):
    """Each obstacle is named in one line, with exit code 1, and no .venv is begun."""
    done = run_with(preparation, folder=lab.ROOT)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert not lab.VENV.exists()


@pytest.mark.parametrize(
    ("os_release", "remedy"),
    [
        ("ID=debian\nVERSION_ID=12", "apt install -y python3."),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"', "apt install -y python3."),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf install"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "zypper install"),
        ("", "install the venv module of"),
    ],
)
def test_the_command_that_brings_venv_is_the_systems_own(lab, monkeypatch, os_release, remedy):
    """The remedy for a missing venv module is the command of the system at hand."""
    monkeypatch.setattr(lab.sys, "base_prefix", "/usr")
    assert remedy in lab.venv_remedy(os_release)


def test_a_python_that_is_not_the_systems_is_not_mended_by_the_system(lab, monkeypatch):
    """A Python from elsewhere does not get its venv module from the system's packages."""
    monkeypatch.setattr(lab.sys, "base_prefix", "/opt/python")
    assert lab.venv_remedy("ID=debian") == f"install the venv module of {sys.executable}"


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        (
            "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, "
            "status=None)) after connection broken by 'NewConnectionError('<HTTPSConnection>: "
            "Failed to establish a new connection: [Errno -3] Temporary failure in name "
            "resolution')': /simple/graphviz/",
            "no network",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement flit_core<5,>=3.12 "
            "(from versions: none)",
            "no network",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on "
            "device",
            "no disk space",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: "
            "'/x/.venv/lib'",
            "not writable",
        ),
        (
            "Could not fetch URL /simple/: There was a problem confirming the ssl certificate: "
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))",
            "certificate",
        ),
    ],
    ids=["no-route", "empty-index", "disk-full", "unwritable", "certificate"],
)
def test_what_pip_says_is_translated(lab, line, meaning):
    """pip's words for a lost network, a full disk and the like become one line that names it."""
    told = lab.explain(["Collecting graphviz", line, "ERROR: No matching distribution found"])
    assert meaning in told
    assert "\n" not in told


def test_what_is_not_known_is_shown(lab):
    """A failure without a translation is told in pip's own last words."""
    assert "error: metadata-generation-failed" in lab.explain(["error: metadata-generation-failed"])


def test_a_second_start_installs_nothing(lab, calls):
    """The first set-up makes .venv and installs, the second does nothing."""
    lab.set_up(("lab",))
    assert calls == [VENV, PIP, INSTALL]
    lab.set_up(("lab",))
    assert calls == [VENV, PIP, INSTALL]


def test_the_tests_extra_is_added_to_what_is_there(lab, calls):
    """`test` after `lab` installs into the same .venv, and `lab` after it has nothing to do."""
    lab.set_up(("lab",))
    lab.set_up(("lab", "test"))
    lab.set_up(("lab",))
    assert calls == [VENV, PIP, INSTALL, INSTALL]


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_list_is_installed(lab, calls, name):
    """A change of the pins or of pyproject.toml is installed at the next start."""
    lab.set_up(("lab",))
    (lab.ROOT / name).write_text("changed\n", encoding="utf-8")
    lab.set_up(("lab",))
    assert calls == [VENV, PIP, INSTALL, INSTALL]


@pytest.mark.parametrize("key", ["python", "folder"])
def test_a_venv_of_another_place_or_python_is_made_anew(lab, calls, key, capsys):
    """A .venv that came along with a moved checkout, or was made for another Python, goes."""
    lab.set_up(("lab",))
    stamp = json.loads(lab.STAMP.read_text(encoding="utf-8"))
    lab.STAMP.write_text(json.dumps(stamp | {key: "elsewhere"}), encoding="utf-8")
    (lab.VENV / "stale").touch()
    lab.set_up(("lab",))
    assert calls == 2 * [VENV, PIP, INSTALL]
    assert not (lab.VENV / "stale").exists()
    assert "making it anew" in capsys.readouterr().out


def test_a_vanished_python_is_noticed(lab, calls):
    """A .venv whose Python was removed from the machine is made anew."""
    lab.set_up(("lab",))
    lab.PYTHON.unlink()
    lab.set_up(("lab",))
    assert calls == 2 * [VENV, PIP, INSTALL]


def test_a_killed_set_up_is_repaired(lab, calls, monkeypatch):
    """A .venv that was left in the middle, with no time to tidy up, is made anew."""
    with monkeypatch.context() as killed:
        killed.setattr(lab.shutil, "rmtree", lambda *_, **__: None)
        killed.setattr(lab, "install", lambda _: sys.exit("killed"))
        with pytest.raises(SystemExit):
            lab.set_up(("lab",))
    assert lab.VENV.exists()
    (lab.VENV / "stale").touch()
    lab.set_up(("lab",))
    assert not (lab.VENV / "stale").exists()
    assert not lab.missing(("lab",))


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
def test_a_failed_first_set_up_leaves_nothing(lab, calls, monkeypatch, failure):
    """A first set-up that fails or is interrupted takes its .venv away."""

    def fail(_):
        raise failure

    monkeypatch.setattr(lab, "install", fail)
    with pytest.raises(failure):
        lab.set_up(("lab",))
    assert calls == [VENV, PIP]
    assert not lab.VENV.exists()


def test_a_failed_addition_leaves_the_lab_usable(lab, calls, monkeypatch):
    """When the tests' packages cannot be added, JupyterLab still starts without a set-up."""
    lab.set_up(("lab",))
    monkeypatch.setattr(lab, "follow", lambda *_, **__: (1, ["from versions: none"]))
    with pytest.raises(lab.Problem, match="no network"):
        lab.set_up(("lab", "test"))
    assert not lab.missing(("lab",))


def test_a_venv_of_somebody_else_is_not_touched(lab, calls):
    """A .venv that lab.py has not made is left alone, and said to be in the way."""
    lab.VENV.mkdir()
    (lab.VENV / "pyvenv.cfg").touch()
    with pytest.raises(lab.Problem, match=r"was not made by lab\.py"):
        lab.set_up(("lab",))
    assert [path.name for path in lab.VENV.iterdir()] == ["pyvenv.cfg"]
    assert calls == []


@pytest.mark.skipif(os.name == "nt", reason="uses flock")
def test_two_first_starts_make_one_venv(lab, calls, monkeypatch, capsys):
    """A start that meets another one's set-up waits for it and then has nothing to do."""
    import fcntl

    holder = (lab.ROOT / "lab.py").open("rb")
    fcntl.flock(holder, fcntl.LOCK_EX)

    def the_other_finishes(_):
        lab.VENV.mkdir()
        lab.PYTHON.parent.mkdir()
        lab.PYTHON.touch()
        lab.write_stamp(["lab"])
        holder.close()

    monkeypatch.setattr(lab.time, "sleep", the_other_finishes)
    lab.set_up(("lab",))
    assert calls == []
    assert "waiting" in capsys.readouterr().out


def test_a_taken_port_gives_the_next_free_one(lab, capsys):
    """With the wanted port taken, the next free one is used, and that is said."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        port = lab.free_port(wanted)
    assert port > wanted
    assert f"port {wanted} is taken; using {port}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--port", "x"], ["--wide"], ["fly"]])
def test_a_mistyped_command_line_is_refused(lab, arguments, capsys):
    """A wrong argument ends with exit code 2 and one line that names it."""
    with pytest.raises(SystemExit) as ended:
        lab.main(arguments)
    assert ended.value.code == 2
    assert arguments[-1] in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("code", [0, 1, 5])
def test_the_exit_code_is_pytests(lab, monkeypatch, code):
    """`lab.py test` hands its further arguments to pytest, and pytest's exit code back."""
    ran = []
    monkeypatch.setattr(lab, "set_up", ran.append)
    monkeypatch.setattr(lab, "run", lambda command: ran.append(command) or code)
    assert lab.main(["test", "-k", "handshake", "-x"]) == code
    assert ran == [("lab", "test"), ["-m", "pytest", *lab.SHARED_OUT, "-k", "handshake", "-x"]]


@pytest.mark.parametrize(
    ("name", "extras", "program"),
    [
        ("notebooks", ("lab",), ["{root}/notebooks/build.py"]),
        ("handouts", ("handout",), ["-m", "tcpviz.handouts"]),
    ],
)
def test_names_go_on_to_what_makes_them(lab, monkeypatch, name, extras, program):
    """`lab.py handouts 03-close` installs what that needs, and names no other chapter."""
    ran = []
    monkeypatch.setattr(lab, "set_up", ran.append)
    monkeypatch.setattr(lab, "run", lambda command: ran.append(command) or 0)
    assert lab.main([name, "03-close"]) == 0
    assert ran == [extras, [*(part.format(root=lab.ROOT) for part in program), "03-close"]]


def set_up_here():
    """Tell whether this checkout has a .venv that is up to date."""
    spec = importlib.util.spec_from_file_location("lab_here", LAB)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return not module.missing(("lab",))


@pytest.mark.skipif(os.name == "nt" or not set_up_here(), reason="no .venv made by lab.py")
def test_a_second_start_answers_without_a_network_and_ends_quietly():
    """From a set-up .venv, with no way to a package index, the printed address answers 200."""
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "PIP_NO_INDEX": "1"}
    with subprocess.Popen(
        [sys.executable, str(LAB), "--no-browser"],
        env=os.environ | nowhere,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as start:
        said = []
        for line in start.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                address = re.search(r"http://\S+", "".join(said))[0]
                with urllib.request.urlopen(address, timeout=30) as answer:
                    status = answer.status
                start.send_signal(signal.SIGINT)
        assert start.wait(timeout=60) == 130
    assert status == 200
    assert all(line.startswith("tcpviz: ") for line in said[:-1])
    assert said[-1] == "\n"
    assert not any("installing" in line for line in said)


STARTING = """
import os, time
from pathlib import Path
Path("server").write_text(str(os.getpid()))
print("a word", flush=True)
time.sleep(600)  # an interrupt here is a KeyboardInterrupt, as in the midst of an import
"""


def gone(number):
    """Tell whether there is no process of that number."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.skipif(os.name == "nt", reason="uses signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
@pytest.mark.parametrize("again", [0, 1])
def test_an_end_in_the_midst_of_the_start_says_nothing_and_leaves_nothing(lab, number, code, again):
    """While JupyterLab is still being imported, Ctrl-C is a clean end, and so is a second one."""
    lab.PYTHON.parent.mkdir(parents=True)
    (lab.ROOT / "starting.py").write_text(STARTING, encoding="utf-8")
    lab.PYTHON.write_text(f'#!/bin/sh\nexec "{sys.executable}" starting.py\n', encoding="utf-8")
    lab.PYTHON.chmod(0o755)
    lab.write_stamp(["lab"])
    with subprocess.Popen(
        [sys.executable, "lab.py", "--no-browser"],
        cwd=lab.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as start:
        said = []
        for line in start.stdout:
            said.append(line)
            if line == "a word\n":
                for _ in range(1 + again):
                    start.send_signal(number)
        assert start.wait(timeout=60) == code
    server = (lab.ROOT / "server").read_text(encoding="utf-8")
    assert gone(int(server))
    assert [line for line in said if line.strip() and "port" not in line] == [
        "tcpviz: starting JupyterLab\n",
        "a word\n",
    ]


@pytest.mark.skipif(os.name == "nt", reason="uses signals")
def test_a_child_is_started_as_a_whole(lab, monkeypatch):
    """A Ctrl-C between the start of a program and the first look at it still ends the program."""
    started = []

    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **streams):
            super().__init__(*arguments, **streams)
            started.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(lab.subprocess, "Popen", Popen)
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(KeyboardInterrupt), lab.child(sleep, {}, subprocess.Popen.kill):
        pytest.fail("it was interrupted before")
    assert [process.returncode for process in started] == [-signal.SIGKILL]


def pins():
    """The pinned list: each name, in canonical form, with its pins (more than one by marker)."""
    listed = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            pin = Requirement(line)
            listed.setdefault(canonicalize_name(pin.name), []).append(pin)
    return listed


def test_the_list_holds_names_and_versions_only():
    """Every line is one name at one exact version, in order; no address, no hash, no option."""
    names = list(pins())
    assert names == sorted(names)
    for name, choices in pins().items():
        for pin in choices:
            assert pin.url is None, name
            assert re.fullmatch(r"==[0-9][0-9a-z.+]*", str(pin.specifier)), name
        assert len(choices) == 1 or all(pin.marker for pin in choices), name


def test_every_range_has_a_pin_in_it():
    """Each range of pyproject.toml, of the build too, holds the pinned version."""
    ranges = [
        *PYPROJECT["build-system"]["requires"],
        *PYPROJECT["project"]["dependencies"],
        *(requirement for extra in EXTRAS.values() for requirement in extra),
    ]
    for requirement in map(Requirement, ranges):
        for pin in pins()[canonicalize_name(requirement.name)]:
            version = str(pin.specifier).removeprefix("==")
            assert requirement.specifier.contains(version), requirement


def test_the_list_is_the_whole_closure():
    """Whatever the package, its lab, handouts and tests need here, at any depth, is in the list."""
    todo = [
        Requirement(text)
        for texts in (PYPROJECT["project"]["dependencies"], *EXTRAS.values())
        for text in texts
    ]
    reached = set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        environments = [{"extra": extra} for extra in requirement.extras] or [{"extra": ""}]
        if (name, str(requirement.extras)) in reached:
            continue
        reached.add((name, str(requirement.extras)))
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            pytest.fail(f"{name} is needed and not installed")
        todo += [
            need
            for need in map(Requirement, needs)
            if need.marker is None or any(need.marker.evaluate(e) for e in environments)
        ]
    assert {name for name, _ in reached} <= set(pins())
    assert len(reached) > 80


def test_lab_py_needs_no_other_extras_than_there_are():
    """The extras that a command installs exist, and their disk space is known."""
    spec = importlib.util.spec_from_file_location("lab_here", LAB)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    used = {name for extras in module.EXTRAS.values() for name in extras}
    assert used <= set(EXTRAS)
    assert used == set(module.DISK_SPACE)
