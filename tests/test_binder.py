"""binder/: the Dockerfile that repo2docker makes of this repository, without Docker."""

import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BINDER = ROOT / "binder"


def lines(path):
    """The lines of a file, without comments and empty ones."""
    text = path.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def dockerfile(tmp_path_factory):
    """What repo2docker would hand to Docker for this repository's binder/ folder."""
    checkout = tmp_path_factory.mktemp("checkout")
    (checkout / "binder").mkdir()
    for path in BINDER.iterdir():
        (checkout / "binder" / path.name).write_bytes(path.read_bytes())
        (checkout / "binder" / path.name).chmod(path.stat().st_mode)
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(checkout)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "conda environment for python=3.12" in done.stderr
    return done.stdout


def test_the_packages_are_installed_before_our_sources_are_copied(dockerfile):
    """A change of ours does not make Binder install the third-party packages again."""
    install = dockerfile.index('--no-cache-dir -r "binder/requirements.txt"')
    sources = re.search(r"COPY --chown=\d+:\d+ src/ \$\{REPO_DIR\}", dockerfile).start()
    build = dockerfile.index("RUN ./binder/postBuild")
    assert install < sources < build


def test_only_files_that_binder_knows_are_there():
    """There is no file in binder/ that repo2docker would ignore, nor one that changes the base."""
    assert {path.name for path in BINDER.iterdir()} == {
        "postBuild",
        "requirements.txt",
        "runtime.txt",
    }
    assert lines(BINDER / "runtime.txt") == ["python-3.12"]


def test_the_ranges_are_those_of_the_package():
    """Binder installs the package with the ranges that pyproject.toml states, no more, no less."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(lines(BINDER / "requirements.txt")) == set(project["dependencies"])


def test_the_package_itself_is_installed_last():
    """postBuild can be run, installs the package alone and trusts its notebooks."""
    post_build = BINDER / "postBuild"
    assert os.access(post_build, os.X_OK)
    assert post_build.read_text(encoding="utf-8").startswith("#!/bin/bash\n")
    subprocess.run(["bash", "-n", str(post_build)], check=True)
    assert lines(post_build)[:3] == [
        "set -euo pipefail",
        "pip install --no-cache-dir --no-deps -e .",
        "jupyter trust notebooks/*.ipynb",
    ]


def test_jupyterlab_does_not_ask_about_news(tmp_path):
    """postBuild's last lines set what lab.py sets."""
    post_build = (BINDER / "postBuild").read_text(encoding="utf-8")
    settings = post_build[post_build.index("settings=") :].replace("sys.prefix", f'"{tmp_path}"')
    subprocess.run(["bash", "-euc", settings], check=True)
    path = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert json.loads(path.read_text()) == runpy.run_path(str(ROOT / "lab.py"))["QUIET"]
