"""leapstream without the packages of the extra ``batch``, in a process where they cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from leapstream.demo import FOLDER, bundle
from leapstream.installation import BATCH_PACKAGES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
WITHOUT = f"import sys; sys.modules.update(dict.fromkeys({BATCH_PACKAGES!r}))\n"
FIX = "numba, pyarrow, scipy: pip install 'leapstream[batch]'"


def run(code: str) -> list[object]:
    """The values that the code prints as JSON, a line each."""
    done = subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"{WITHOUT}from leapstream.cli import main; sys.argv = ['leapstream', *{arguments!r}]; main()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)


def test_records_are_predicted_without_the_packages_for_batches() -> None:
    found = run(f"""
import csv, json, leapstream
model = leapstream.load({bundle("loans")!r})
with open({str(FOLDER / "loans.csv")!r}, newline="") as lines:
    for i, state, home, *numbers, flag in csv.reader(lines):
        names = ("amount", "income", "age", "late")
        loan = {{"state": state, "home": home, "flag": float(flag == "true"), **dict(zip(names, map(float, numbers)))}}
        print(json.dumps(model.predict(loan)["prediction"]))
""")
    expected = json.loads((FOLDER / "loans.expected.json").read_text(encoding="utf-8"))
    assert found == [record["prediction"] for record in expected]


def test_a_forest_predicts_without_numba_for_as_many_records_as_would_pay_for_it() -> None:
    first, last = run("""
import json, leapstream
model = leapstream.load("tests/bench/forest3-100x8.zip")
records = [model.predict({"features": [1.0, 2.0, 0.5]}) for _ in range(500)]
print(json.dumps(records[0])); print(json.dumps(records[-1]))
""")
    assert first == last


@pytest.mark.parametrize(
    "what", ["model.predict({'feature1': None})", "model.transform([{'feature1': 1.0}])", "leapstream.from_sklearn"]
)
def test_what_needs_batches_names_the_packages_and_the_command(what: str) -> None:
    (message,) = run(f"""
import json, leapstream
model = leapstream.load({bundle("example-2")!r})
try:
    {what}
except leapstream.MissingPackageError as error:
    print(json.dumps(str(error)))
""")
    assert str(message).endswith(FIX)


def test_a_command_that_needs_batches_names_the_packages_and_exits_with_3() -> None:
    done = command("verify", "tests/golden/binarizer", "--backend", "rowwise")
    assert done.returncode == 3
    assert done.stderr.strip() == f"error: verify needs {FIX}"


def test_inspect_says_which_backend_lacks_packages() -> None:
    done = command("inspect", bundle("loans"), "--json")
    backends = {found["name"]: found["reason"] for found in json.loads(done.stdout)["backends"]}
    assert backends["vectorized"] == f"it needs {FIX}"
    assert backends["rowwise"] is None
