#!/usr/bin/env python3
"""Set up tcpviz in .venv; open its notebooks, run its tests, rebuild notebooks or make handouts.

Knows how .venv is made from requirements.lock and what can go wrong on the way; knows nothing of
TCP. Standard library only, in the grammar of Python 3.6, so that an old Python says one sentence
and not SyntaxError.
"""

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
    # An early Ctrl-C finds nothing to tidy up, and shall print no traceback.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import argparse
import contextlib
import hashlib
import http.client
import importlib.util
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PINS = ROOT / "requirements.lock"
STAMP = VENV / "tcpviz.json"

OLDEST_PYTHON = (3, 11)
FIRST_PORT = 8888
MB = 10**6

# The extras of pyproject.toml that a command needs, and the disk space they take (rounded up).
EXTRAS = {
    "lab": ("lab",),
    "test": ("lab", "test"),
    "notebooks": ("lab",),
    "handouts": ("handout",),
}
DISK_SPACE = {"lab": 400 * MB, "test": 300 * MB, "handout": 300 * MB}

# Test files run beside each other, in the order of tests/conftest.py, which says in how many
# processes.
SHARED_OUT = ["--numprocesses=auto", "--dist=loadfile", "--no-loadscope-reorder"]

# What pip prints, and what it means. The first cause that fits wins: a full disk breaks much else.
CAUSES = {
    "no disk space is left for .venv or for the temporary folder (set TMPDIR to use another)": (
        ("No space left on device", "[Errno 28]", "Disk quota exceeded")
    ),
    "a folder that the installation must write is not writable": (
        ("Permission denied", "[Errno 13]", "Read-only file system", "[Errno 30]")
    ),
    "the package index shows a certificate that is not trusted "
    "(behind a proxy, set PIP_CERT to the proxy's certificate file)": (
        ("CERTIFICATE_VERIFY_FAILED", "SSLError")
    ),
    "no network: the package index cannot be reached (the first start needs it, later ones not)": (
        ("connection broken by", "Failed to establish a new connection", "ConnectTimeoutError")
        + ("Read timed out", "ProxyError", "Name or service not known", "name resolution")
        + ("getaddrinfo failed", "Network is unreachable", "from versions: none")
    ),
}

# The commands that bring the venv module, by ID or ID_LIKE of /etc/os-release.
VENV_PACKAGE = {
    "debian": "{sudo}apt update && {sudo}apt install -y python{version}-venv",
    "fedora": "{sudo}dnf install -y python3-libs python3-pip",
    "suse": "{sudo}zypper install -y python3-base python3-pip",
}

# No question about news lies over a lesson.
SETTINGS = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}

# However this program is ended, by a person, a service manager or a closed window.
ENDINGS = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

# What pip would take for installed, or would run as another Python.
STRAY = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")


class Problem(Exception):
    """Something the user can mend; the message is the one line that says what and where."""


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print("tcpviz: " + text, flush=True)


def newer_python() -> str:
    """Name a suitable Python of this machine, or else where to get one."""
    for minor in range(14, OLDEST_PYTHON[1] - 1, -1):
        path = shutil.which(f"python3.{minor}")
        if path and not subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL):
            return f"run: python3.{minor} lab.py"
    return "get one from https://www.python.org/downloads/"


def check_python() -> None:
    """Refuse a Python that the package does not run on."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        oldest, this = "{}.{}".format(*OLDEST_PYTHON), sys.version.split()[0]
        raise Problem(
            f"Python {oldest} or newer is needed, this is {this} ({sys.executable}); "
            + newer_python()
        )


def venv_remedy(os_release: str) -> str:
    """Say which command brings the venv module on the system that `os_release` describes."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = " ".join(fields.get(key, "").strip("\"'") for key in ("ID", "ID_LIKE")).split()
    for name, command in VENV_PACKAGE.items():
        if name in names and sys.base_prefix == "/usr":  # the Python of that system
            sudo, version = "" if is_root() else "sudo ", "{}.{}".format(*sys.version_info[:2])
            return "run: " + command.format(sudo=sudo, version=version)
    return "install the venv module of " + sys.executable


def is_root() -> bool:
    """Tell whether this user may do everything (never on Windows)."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def check_machine(extras: Tuple[str, ...]) -> None:
    """Find what would stop the set-up, before anything is written."""
    if not os.access(str(ROOT), os.W_OK | os.X_OK):
        raise Problem(f"the folder {ROOT} is not writable, .venv cannot be made in it")
    if VENV.is_symlink() or ((VENV / "pyvenv.cfg").exists() and not STAMP.exists()):
        raise Problem(f"{VENV} was not made by lab.py; move it away")
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        try:
            os_release = Path("/etc/os-release").read_text(encoding="utf-8")
        except OSError:
            os_release = ""
        raise Problem("this Python has no venv module; " + venv_remedy(os_release))
    free, needed = shutil.disk_usage(str(ROOT)).free, sum(DISK_SPACE[name] for name in extras)
    if free < needed:
        raise Problem(
            f"not enough disk space in {ROOT}: "
            f"{needed // MB} MB are needed, {free // MB} MB are free"
        )


def home() -> Dict[str, str]:
    """Name what a .venv cannot survive the change of: its Python and its folder."""
    return {"python": "{}.{}".format(*sys.version_info[:2]), "folder": str(ROOT)}


def ingredients() -> str:
    """Digest the files that say what is installed."""
    digest = hashlib.sha256()
    for path in (PINS, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def read_stamp() -> Dict[str, Any]:
    """Read what .venv was made of; empty where it is missing, moved or was never finished."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        known = {key: stamp[key] for key in home()} == home() and PYTHON.exists()
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return stamp if known else {}


def write_stamp(extras: List[str]) -> None:
    """Record that .venv is whole, in one step, so that no half-written record can exist."""
    stamp = dict(home(), ingredients=ingredients(), extras=extras)
    draft = STAMP.with_suffix(".new")
    draft.write_text(json.dumps(stamp, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(str(draft), str(STAMP))


def missing(extras: Tuple[str, ...]) -> bool:
    """Tell whether anything has to be installed."""
    stamp = read_stamp()
    return stamp.get("ingredients") != ingredients() or not set(extras) <= set(stamp["extras"])


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the lock of this file, so that two first starts do not make one .venv."""
    with open(__file__, "rb") as handle:
        waiting = False
        while not try_lock(handle.fileno()):
            if not waiting:
                say("another start is under way; waiting for it")
            waiting = True
            time.sleep(0.5)
        yield


def try_lock(descriptor: int) -> bool:
    """Take the lock if nobody has it. Where a file system knows no locks, everybody has it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 2**30, os.SEEK_SET)  # a byte past the end, which nobody has to read
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
    else:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return True


def set_up(extras: Tuple[str, ...]) -> None:
    """Make .venv hold the package and `extras` at the pinned versions, where it does not yet."""
    if not missing(extras):
        return
    with one_at_a_time():
        if not missing(extras):
            return
        check_machine(extras)
        stamp = read_stamp()
        if stamp:
            wanted = sorted(set(extras) | set(stamp["extras"]))
            install(wanted)
        else:
            wanted = sorted(extras)
            try:
                make_venv()
                install(wanted)
            except BaseException:
                shutil.rmtree(str(VENV), ignore_errors=True)
                raise
        write_stamp(wanted)


def make_venv() -> None:
    """Make an empty .venv with pip; one that was moved or not finished goes first."""
    if VENV.exists():
        say(".venv is not finished, or not made for this folder and this Python: making it anew")
        shutil.rmtree(str(VENV))
    say("making .venv with Python {}".format(sys.version.split()[0]))
    VENV.mkdir()
    STAMP.write_text("{}", encoding="utf-8")  # ours, and not finished
    # In two steps, because venv keeps to itself what ensurepip complained of.
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(VENV)],
        [str(PYTHON), "-m", "ensurepip", "--default-pip"],
    ):
        code, output = follow(command)
        if code:
            raise Problem(explain(output))


def install(extras: List[str]) -> None:
    """Let pip install the package (editable) with `extras`, every version from the pinned list."""
    size = sum(DISK_SPACE[name] for name in extras) // MB
    say("installing tcpviz with its {} packages (up to {} MB)".format(" and ".join(extras), size))
    began = time.monotonic()
    # As variables, because pip hands these on to the build of the package itself; by name and not
    # by path, because pip splits them at spaces. A user's own PIP_USER would not work in a venv.
    pins = {"PIP_CONSTRAINT": PINS.name, "PIP_BUILD_CONSTRAINT": PINS.name, "PIP_USER": "0"}
    code, output = follow(
        [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        + ["--editable", ".[{}]".format(",".join(extras))],
        **pins,
    )
    if code:
        raise Problem(explain(output))
    SETTINGS.parent.mkdir(parents=True, exist_ok=True)
    SETTINGS.write_text(json.dumps(QUIET, indent=1) + "\n", encoding="utf-8")
    say(f"installed in {time.monotonic() - began:.0f} s")


def explain(output: List[str]) -> str:
    """Turn what pip printed into the one line that says what to mend; else into its last lines."""
    for meaning, signs in CAUSES.items():
        if any(sign in line for line in output for sign in signs):
            return meaning
    tail = "\n  ".join(output[-12:])
    return f"the installation failed; its last words were:\n  {tail}"


def follow(command: List[str], **extra: str) -> Tuple[int, List[str]]:
    """Run `command`, show that it moves, and return its exit code and its lines."""
    output = []  # type: List[str]
    width = shutil.get_terminal_size().columns - 1
    with child(command, extra, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            output.append(line)
            if line and sys.stdout.isatty():
                print("\r" + ("  " + line.strip())[:width].ljust(width), end="", flush=True)
            elif line.startswith("Installing collected packages") and "tcpviz" in line:
                say("everything is downloaded; unpacking it")
        if sys.stdout.isatty():
            print("\r" + " " * width, end="\r", flush=True)
        return process.wait(), output


def environment() -> Dict[str, str]:
    """Give the children .venv's commands first, and no modules of elsewhere."""
    kept = {key: value for key, value in os.environ.items() if key not in STRAY}
    if os.name != "nt" and not os.access(os.path.expanduser("~"), os.W_OK):
        # A container's user may own no home, and Jupyter wants one.
        home = Path(tempfile.gettempdir(), f"tcpviz-home-{os.getuid()}")
        home.mkdir(mode=0o700, exist_ok=True)
        kept["HOME"] = str(home)
    path = os.pathsep.join([str(PYTHON.parent), kept.get("PATH", os.defpath)])
    return dict(kept, PATH=path, VIRTUAL_ENV=str(VENV))


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Postpone what ends this program until a child is started, or ended, as a whole."""
    came = []  # type: List[int]
    usual = {}  # type: Dict[int, Any]
    for name in ENDINGS:
        handler = signal.getsignal(getattr(signal, name))
        if callable(handler):  # and not one that is ignored
            usual[getattr(signal, name)] = handler
    for number in usual:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        for number in came[:1]:
            usual[number](number, None)


@contextlib.contextmanager
def child(
    command: List[str],
    extra: Dict[str, str],
    end: "Optional[Callable[[subprocess.Popen[bytes]], None]]" = None,
    **streams: Any,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `command` in ROOT; it has ended when this ends, however this ends; `end` may end it."""
    settings = dict(environment(), **extra)
    process = None  # type: Optional[subprocess.Popen[bytes]]
    try:
        with undisturbed():
            process = subprocess.Popen(
                command, cwd=str(ROOT), env=settings, stdin=subprocess.DEVNULL, **streams
            )
        yield process
    except KeyboardInterrupt:
        # A child in the terminal's session has had the Ctrl-C too: let it tidy up.
        if process and not end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
        raise
    finally:
        if process:
            with undisturbed():
                if process.poll() is None:
                    (end or subprocess.Popen.terminate)(process)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(timeout=10)
                if process.poll() is None:
                    process.kill()
                    process.wait()


def free_port(wanted: int) -> int:
    """Find the first port from `wanted` on that nobody listens on, and say so if it is another."""
    for port in range(wanted, min(wanted + 100, 2**16)):
        with socket.socket() as probe:
            if os.name != "nt":  # there the option would let two programs share a port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except PermissionError:
                raise Problem(f"this user may not open port {port}; try --port 8888") from None
            except OSError:
                continue
        if port != wanted:
            say(f"port {wanted} is taken; using {port}")
        return port
    raise Problem(f"no free port from {wanted} on; try --port with another number")


def open_lab(wanted: int, browser: bool) -> int:
    """Run JupyterLab on the notebooks until Ctrl-C, and print its address when it answers."""
    token = secrets.token_hex(16)
    options = {
        "Application.log_level": "ERROR",
        "ServerApp.root_dir": str(ROOT / "notebooks"),
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.base_url": "/",
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": browser,
        "ServerApp.allow_root": is_root(),
        "ServerApp.answer_yes": True,
        # Neither news nor look-ups in the network at each start.
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        # The tests install Voila, whose extension has the server complain about itself.
        "ServerApp.jpserver_extensions": "voila.server_extension=False",
    }
    ready = []  # type: List[bool]

    def end(server: "subprocess.Popen[bytes]") -> None:
        """End the server without a word of its own."""
        if os.name == "nt":
            server.kill()
        elif ready:
            server.send_signal(signal.SIGINT)  # SIGTERM would get a line of its log
        else:
            # In the midst of its start it would answer with a traceback, and has nothing to save.
            os.killpg(server.pid, signal.SIGKILL)

    with contextlib.ExitStack() as open_until_the_end:
        with one_at_a_time():  # or two starts would find the same port free
            port = options["ServerApp.port"] = free_port(wanted)
            say("starting JupyterLab")
            command = [str(PYTHON), "-m", "jupyterlab"]
            command += [f"--{name}={value}" for name, value in options.items()]
            # In a session of its own, so that a Ctrl-C comes to us alone.
            jupyter = child(command, {"JUPYTER_TOKEN": token}, end, start_new_session=True)
            server = open_until_the_end.enter_context(jupyter)
            while not answers(port, token):
                if server.poll() is not None:
                    raise Problem(f"JupyterLab ended with code {server.returncode} at its start")
                time.sleep(0.05)
            ready.append(True)
        say(f"JupyterLab is at http://127.0.0.1:{port}/lab?token={token}")
        say("Ctrl-C ends it")
        return server.wait()


def answers(port: int, token: str) -> bool:
    """Tell whether it is our JupyterLab that answers on `port`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/status", headers={"Authorization": "token " + token})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def run(command: List[str]) -> int:
    """Run one of .venv's programs to its end."""
    with child([str(PYTHON)] + command, {}) as process:
        return process.wait()


def port_number(text: str) -> int:
    """Read a TCP port from the command line."""
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number (1 to 65535)")
    return int(text)


def parse(arguments: Optional[List[str]]) -> argparse.Namespace:
    """Read the command line; what a command does not know goes on to its program."""
    parser = argparse.ArgumentParser(
        prog="lab.py",
        description="Set up tcpviz in .venv (once), then open its notebooks in JupyterLab.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=sorted(EXTRAS),
        default="lab",
        help="lab: open JupyterLab (the default); test: run every test, further arguments go to "
        "pytest; notebooks: rebuild the notebooks, or those named; handouts: make the handouts of "
        "all notebooks, or of those named",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument(
        "--port", type=port_number, default=FIRST_PORT, help="where to listen (default: 8888)"
    )
    known, rest = parser.parse_known_args(arguments)
    if rest and known.command == "lab":
        parser.error("unknown argument: " + rest[0])
    known.rest = rest
    return known


def main(arguments: Optional[List[str]] = None) -> int:
    """Set up what the command needs, then do it. Return the exit code."""
    wish = parse(arguments)
    try:
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        check_python()
        for name in ENDINGS:  # its children end with it
            if name != "SIGINT":
                signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))
        set_up(EXTRAS[wish.command])
        if wish.command == "test":
            return run(["-m", "pytest"] + SHARED_OUT + wish.rest)
        if wish.command == "notebooks":
            return run([str(ROOT / "notebooks" / "build.py")] + wish.rest)
        if wish.command == "handouts":
            return run(["-m", "tcpviz.handouts"] + wish.rest)
        return open_lab(wish.port, not wish.no_browser)
    except Problem as problem:
        print(f"tcpviz: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is all over, a second one says nothing
        print()
        return 130


if __name__ == "__main__":
    sys.exit(main())
