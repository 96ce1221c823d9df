from __future__ import annotations

import inspect
import re
from pathlib import Path

import leapstream.executors
from leapstream.executors import failures


def test_numbers_in_texts_are_written_as_java_writes_them() -> None:
    assert failures.outside_of_bounds(1e-5, -0.0, 1e7) == "1.0E-5 is outside of [-0.0, 1.0E7]"
    assert failures.wrong_size(3, expected=1024) == "the vector has 3 elements, and 1024 are expected"


def test_every_text_is_used_by_an_executor() -> None:
    folder = Path(inspect.getfile(leapstream.executors)).parent
    source = "".join(path.read_text() for path in folder.rglob("*.py"))
    used = set(re.findall(r"failures\.(\w+)\(", source))
    assert {text.name for text in failures.texts()} - used <= {"too_deep"}
