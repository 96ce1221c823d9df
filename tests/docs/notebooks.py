"""The notebooks of the documentation: their cells of code, run in order, and the outputs that they show.

``python -m tests.docs.notebooks`` runs them and writes the outputs into them.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"


def notebooks() -> list[Path]:
    """All of them."""
    return sorted(FOLDER.glob("*.ipynb"))


def cells(notebook: Path) -> list[dict[str, Any]]:
    """The cells of code of a notebook."""
    read = json.loads(notebook.read_text(encoding="utf-8"))
    return [cell for cell in read["cells"] if cell["cell_type"] == "code"]


def run(cell: dict[str, Any], names: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a cell, as Jupyter does; returns its outputs: what it prints, and the value of its last expression."""
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "notebook", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "notebook", "eval"), names)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        lines = printed.getvalue().splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": lines})
    if value is not None:
        data = {"text/plain": repr(value).splitlines(keepends=True)}
        outputs.append(
            {
                "data": data,
                "execution_count": cell["execution_count"],
                "metadata": {},
                "output_type": "execute_result",
            }
        )
    return outputs


def main() -> None:
    """Write the outputs of all notebooks."""
    for notebook in notebooks():
        read = json.loads(notebook.read_text(encoding="utf-8"))
        names: dict[str, Any] = {"__name__": "notebook"}
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            codes = (cell for cell in read["cells"] if cell["cell_type"] == "code")
            for number, cell in enumerate(codes, 1):
                cell["execution_count"] = number
                cell["outputs"] = run(cell, names)
            os.chdir(FOLDER)
        notebook.write_text(json.dumps(read, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
