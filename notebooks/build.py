"""Run the notebooks of this folder from top to bottom and store what came out.

The notebooks are their own sources: this replaces outputs and metadata, never a word or a line of
code. Same notebook, same bytes: what a run makes up (ids, times, the version of Python) is replaced
or left out. Knows nothing of TCP.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

FOLDER: Final = Path(__file__).resolve().parent
KERNEL: Final = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET_STATE: Final = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"
LIVE: Final = '<script type="module">'
TIMEOUT: Final = 60  # seconds for one cell


class Problem(Exception):
    """A notebook that cannot be built; the message is one line that says where and why."""


def build(path: Path) -> str:
    """Run the notebook in its folder, in a kernel of its own, and give the text of the new file.

    Problem if it is not a notebook, or if a cell raises, takes too long or writes to stderr.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise Problem(f"{path.name}: not a notebook: {_one_line(error)}") from None
    _tidy(notebook)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name=KERNEL["name"],
        resources=resources,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # how the kernel talks to us is no news
    )
    try:
        # The engine that draws the same bytes on every machine.
        client.execute(env={**os.environ, "TCPVIZ_ENGINE": "wasm"})
    except CellExecutionError as error:
        raise Problem(f"{path.name}: {_failed(notebook)}{error.ename}: {error.evalue}") from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise Problem(f"{path.name}: {_one_line(error)}") from None
    if complaint := _complaint(notebook):
        raise Problem(f"{path.name}: {complaint}")
    notebook.metadata.language_info.pop("version", None)
    _still(notebook)
    text = _number_widgets(nbformat.writes(notebook), notebook)
    return text.rstrip("\n") + "\n"


def _tidy(notebook: Any) -> None:
    """Leave what a person wrote: sources and tags. Outputs, counts and machines' notes go."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    notebook.nbformat_minor = 5  # the first with ids of cells
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number:02}"
        kept = {key: cell.metadata[key] for key in ("jupyter", "tags") if key in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def _failed(notebook: Any) -> str:
    """Which cell it was that raised."""
    for cell in notebook.cells:
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            return f"{cell.id}: "
    return ""


def _complaint(notebook: Any) -> str:
    """What a cell wrote to stderr, if one did: a reader should meet no warning."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                return f"{cell.id} writes to stderr: {_one_line(output.text)}"
    return ""


def _still(notebook: Any) -> None:
    """Where an output is live as HTML alone, it is stored so, and not as a widget as well.

    A widget shows nothing where there is no kernel, and an exported page shows none; run again,
    the cell gives the widget.
    """
    kept = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if WIDGET_VIEW in data and LIVE in data.get("text/html", ""):
                del data[WIDGET_VIEW]
            elif WIDGET_VIEW in data:
                kept.append(data[WIDGET_VIEW]["model_id"])
    widgets = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    needed: set[str] = set()
    while kept:  # these, and what they are made of
        if (model := kept.pop()) not in needed:
            needed.add(model)
            kept += re.findall(r"IPY_MODEL_(\w+)", json.dumps(widgets.get(model, {})))
    for model in set(widgets) - needed:
        del widgets[model]
    if not widgets:
        notebook.metadata.pop("widgets", None)


def _number_widgets(text: str, notebook: Any) -> str:
    """Replace the ids of widgets, which are random, by the order in which the widgets were made."""
    models = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    numbers = {model: f"{number:032x}" for number, model in enumerate(models, start=1)}
    if not numbers:
        return text
    text = re.sub("|".join(numbers), lambda found: numbers[found[0]], text)
    return nbformat.writes(nbformat.reads(text, as_version=4))  # sorted by the new ids


def _chosen(names: list[str]) -> list[Path]:
    """The notebooks of these names, written `03-close`, or else all. Problem for an unknown one."""
    found = {path.stem: path for path in sorted(FOLDER.glob("*.ipynb"))}
    if unknown := [name for name in names if name not in found]:
        raise Problem(f"no notebook {unknown[0]!r}; there are: {', '.join(found) or 'none'}")
    return [path for name, path in found.items() if name in names or not names]


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split())[:300] or type(reason).__name__


def main(arguments: list[str] | None = None) -> int:
    """Rebuild the notebooks, or say which are not as a rebuild makes them. Return the exit code."""
    parser = argparse.ArgumentParser(prog="build.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="03-close; without one, all")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a notebook would change"
    )
    wish = parser.parse_args(arguments)
    stale = 0
    try:
        for path in _chosen(wish.names):
            new = build(path)
            same = path.read_bytes() == new.encode()
            if not (same or wish.check):
                path.write_text(new, encoding="utf-8", newline="\n")
            stale += not same
            done = "unchanged" if same else "would change" if wish.check else "rebuilt"
            print(f"{path.name}: {done}", flush=True)
    except Problem as problem:
        print(f"tcpviz: {problem}", file=sys.stderr)
        return 1
    return 1 if stale and wish.check else 0


if __name__ == "__main__":
    sys.exit(main())
