"""Models that Spark saved, read and written as bundles, in MLeap's JVM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.exporters.spark.recorded import READABLE, given, ids, restricted
from tests.exporters.test_spark import read
from tests.mleap.judging import judge, settle
from tests.mleap.jvm import MLeap, require_runner

require_runner()


@pytest.mark.parametrize(("path", "name"), READABLE, ids=ids(READABLE))
def test_mleap_answers_as_leapstream_does(
    path: Path, name: str, mleap: MLeap, tmp_path: Path, record_property: Any
) -> None:
    model = read(path, name, tmp_path)
    frame = restricted(given(path), model.schema.inputs.names)
    settle(judge(mleap, model, frame, tmp_path), path.stem, name, record_property)
