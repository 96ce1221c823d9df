"""The recipes of CONTRIBUTING.md are true: their paths exist, and the files that they name are all that is needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FOLDERS = ("src", "tests", "docs", "java", "scripts", "examples", "benchmarks")
COPIED = ("src", "java/src/main", "tests", "pyproject.toml")

EXECUTOR = '''
"""An executor like the default one, under another name."""

from leapstream.executors.vectorized import Vectorized


class Another(Vectorized):
    name = "another"


EXECUTOR = Another()
'''


def recipe(title: str) -> str:
    """The section of the page with a title."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(text: str) -> dict[str, str]:
    """The blocks of Python of a recipe, each by the path in the sentence before it."""
    return dict(
        re.findall(r"\n`(src/\S+\.py|tests/\S+\.py)` [^`]*(?:`[^`\n]+`[^`]*)*\n```python\n(.*?)```", text, re.DOTALL)
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the sources and of the tests, without recorded data."""
    for name in COPIED:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name,
                target,
                ignore=shutil.ignore_patterns("__pycache__", "golden", "bench", "recorded", "target"),
            )
        else:
            shutil.copy(ROOT / name, target)
    return tmp_path


def run_cases(project: Path, *options: str) -> str:
    """Run the cases of primitives in a copy of the project; returns pytest's output."""
    environment = {**os.environ, "PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:xdist", *options]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_path_of_the_page_exists() -> None:
    paths = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[^`\s*]+)`", PAGE)
    assert len(paths) > 30
    missing = sorted({path for path in paths if not (ROOT / path).exists()})
    assert not missing


@pytest.mark.parametrize(
    ("marker", "names"),
    [
        ("not flink", {"vectorized", "rowwise"}),
        pytest.param("flink", {"jvm"}, marks=pytest.mark.flink),
    ],
)
@pytest.mark.slow
def test_a_primitive_runs_on_every_executor_after_five_files_of_its_family(
    project: Path, marker: str, names: set[str]
) -> None:
    found = blocks(recipe("Add a primitive"))
    assert len(found) == 5
    assert {Path(path).stem.removeprefix("test_") for path in found} == {"numbers"}
    for path, code in found.items():
        cases = "\n\n@pytest.mark.parametrize"
        text = (project / path).read_text("utf-8")
        before, mark, after = text.partition(cases) if cases in text else (text, "", "")
        (project / path).write_text(f"{before}\n\n{code}{mark}{after}", "utf-8")
    named = "tests/primitives/test_coverage.py::test_every_primitive_is_named_by_a_case_of_its_family"
    output = run_cases(project, "tests/primitives/test_numbers.py", named, "-m", marker)
    for name in names:
        assert re.search(rf"{name}.*midpoint.* PASSED|midpoint.*{name}.* PASSED", output)


@pytest.mark.slow
def test_an_executor_needs_nothing_outside_of_its_folder(project: Path) -> None:
    folder = project / "src" / "leapstream" / "executors" / "another"
    folder.mkdir()
    (folder / "__init__.py").write_text(EXECUTOR, "utf-8")
    output = run_cases(project, "tests/primitives/test_numbers.py", "-m", "not flink")
    assert re.search(r"another.* PASSED", output)
    assert "SKIPPED" not in output
