"""Jupyter's servers for browsers to meet: JupyterLab and Voila, for a user who is new here."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from random import randrange

SECOND = 1000  # Playwright counts milliseconds
KERNEL_IS_READY = "jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"


def environment(home):
    """The variables of a user who is new here: nothing configured, nothing trusted."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")}
    places = {
        "HOME": home,
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
    }
    return {**kept, **{name: str(place) for name, place in places.items()}}


def free_port():
    """A port nobody listens on, and none that a lab beside us could be given meanwhile."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", randrange(20_000, 30_000)))  # below those that systems give
            return probe.getsockname()[1]


@contextmanager
def jupyterlab(folder, home, name, program=("-m", "jupyterlab")):
    """That user's JupyterLab on a free port; give the address of the notebook of that name."""
    token = secrets.token_hex(16)
    port = free_port()
    options = {
        "ServerApp.root_dir": folder,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.log_level": "ERROR",
        "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True,
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
    }
    command = [sys.executable, *program]
    command += [f"--{name}={value}" for name, value in options.items()]
    with served(command, f"http://127.0.0.1:{port}/api", folder, home):
        yield f"http://127.0.0.1:{port}/lab/tree/{name}?reset&token={token}"


@contextmanager
def voila(notebook, home):
    """Voila with that notebook on a free port; give its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "voila", notebook.name, f"--port={port}", "--no-browser"]
    with served(command, address, notebook.parent, home):
        yield address


@contextmanager
def served(command, address, folder, home):
    """That server in that folder, once it answers at the address."""
    log = home / "server.log"
    with log.open("w") as told:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
        )
    try:
        wait_for(address, server, log)
        yield
    finally:
        server.terminate()  # its kernels end with it
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_for(address, server, log):
    """Wait until the server answers, whatever it answers."""
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no answer: {log.read_text()}")
