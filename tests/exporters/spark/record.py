"""Record what Spark saves and what it answers, for the tests that run without Spark.

    .venv-spark3/bin/python -m tests.exporters.spark.record
    .venv-spark4/bin/python -m tests.exporters.spark.record

writes ``spark-<version>.zip`` beside this file: the frame ``input.leap`` that all stages are fitted on, and for each case a
folder with the saved ``model`` and the frame ``expected.leap`` of the columns that Spark adds.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import pyspark

from tests.exporters.spark import stages
from tests.exporters.spark.cases import REJECTED
from tests.exporters.spark.frames import leap_frame

HERE = Path(__file__).parent
_EPOCH = (1980, 1, 1, 0, 0, 0)


def record() -> Path:
    """Write the archive of the installed version."""
    files: dict[str, bytes] = {}
    with stages.session() as spark, tempfile.TemporaryDirectory() as folder:
        frame = stages.rows(spark).cache()
        files["input.leap"] = leap_frame(frame, frame.columns).to_bytes("binary")
        for number, name in enumerate(stages.names()):
            model = stages.fitted(name, frame)
            # Some of Spark's code takes a path for a URI, others do not: this one is the same for both.
            path = Path(folder) / str(number)
            model.write().save(str(path))
            files.update((f"{name}/model/{part}", data) for part, data in _saved(path).items())
            if name not in REJECTED:
                result = model.transform(frame)
                added = [column for column in result.columns if column not in frame.columns]
                # A join changes the order of the rows.
                files[f"{name}/expected.leap"] = leap_frame(result, added, order="n").to_bytes("binary")
    target = HERE / f"spark-{'.'.join(pyspark.__version__.split('.')[:2])}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED, 9)
    return target


def _saved(path: Path) -> dict[str, bytes]:
    """The files of a saved model, without checksums and markers."""
    parts = [part for part in path.rglob("*") if part.is_file() and not part.name.startswith((".", "_"))]
    return {str(part.relative_to(path)): part.read_bytes() for part in parts}


if __name__ == "__main__":
    print(record())
