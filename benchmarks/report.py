"""Writes ``docs/performance.md`` and its plots from the results of the benchmarks.

Run it with ``.venv-bench/bin/python benchmarks/report.py [--quick]`` after the benchmarks; with ``--quick`` it writes to
``build/bench`` instead, since figures of short measurements are not precise enough for the documentation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import matplotlib
from measure import PARALLEL, RESULTS, WHOLE, Figure, Result

matplotlib.use("Agg")
from matplotlib import pyplot

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
BASE = "no function"
_SOURCES = {"airbnb-lr": "airbnb", "airbnb-rf": "airbnb", "text-lr": "texts"}
_AXES = {
    "trees": "trees of depth 6 over 10 features",
    "features": "features of 50 trees of depth 6",
    "categories": "categories of a one-hot encoded column, linear model",
    "rows in a batch": "rows in a batch, linear pipeline of 13 columns",
    "rows of a job": "rows of a Flink job",
}

INTRODUCTION = {
    "flink": """## In Flink

A job of datagen, the function and a blackhole sink, parallelism 1, beside MLeap's runtime in a scalar function of the same job.
The numbers are slopes between a job of few rows and one of many, so that starting and stopping are not in them. *Whole job* has
the source and the sink; *function* is the whole job less the job without a function, of the same round, which reads the same
columns and adds them up (strings by their lengths). The last column is how many times as much MLeap's quickest form takes for the
function.
""",
    "boosted": """## Boosted trees on the JVM

Row by row in one JVM, by turns, in CPU time: leapstream's function as Flink calls it, with a boxed number for each of 20 columns;
xgboost-predictor, by which MLeap's op of XGBoost predicts, with a vector of its own; xgboost4j and lightgbmlib, which call
the C++ libraries, with arrays. What each takes is made beforehand.
""",
    "scaling": """## How a job grows

forest3-20x5 on the JVM backend; seconds of a whole job, from `INSERT` to its end, after one of a tenth of the rows. *Least heap
in use* is what is left after collections of garbage. *Whole jobs* of datagen and a blackhole sink, with a function and without,
are compared over 16 million rows, as the difference of two jobs. For *parallelism* the jobs read a sequence of numbers in the
thread that also predicts and writes, since a table of datagen has threads of its own; they are of 96 million rows
(forest3-20x5) and 16 million (forest3-100x8), as shorter ones vary by a factor of two.
""",
    "vectorized": """## Batches of 10,000 rows

The vectorized executor, one thread, beside MLeap on whole leap frames of as many rows. pandas frames hold strings as objects.
""",
    "single": """## One record

`model.predict(dict)` from Python, beside MLeap on one row at a time in Java.
""",
    "loading": """## Loading

Seconds from the start of a process; the first prediction is one of a single row. *Cold* is the first ever after an installation,
with numba's cache empty: few rows do without numba, and the first batch of many has it compile a kernel, which it keeps.
""",
    "python_peers": """## Beside Python libraries

Models trained by scikit-learn, batches of 10,000 rows, one thread each. ONNX Runtime computes in single precision, the others in
double. treelite is measured as interpreted by GTIL and as compiled by tl2cgen. Pipelines get pandas frames; *ONNX Runtime* and
*leapstream, Arrow* get the arrays and the record batch that they like best, made beforehand.
""",
    "libraries": """## Beside the library that trained the model

One record, and batches of 10,000 rows (1,000 texts), in CPU time, one thread; the libraries of a line take turns in one process.
leapstream takes a dict for a record, and what its peer takes for a batch: an array, or a pandas frame where there are texts.
""",
}
"""The text about each benchmark, in the order of the report."""


# ---- figures ----------------------------------------------------------------------------------------------------------


def samples_of(result: Result, figure: Figure) -> list[float]:
    """A figure's samples; for Flink jobs, minus those of the job without a function in the same rounds."""
    if result.benchmark != "flink" or figure.variant == BASE:
        return figure.samples
    base = result.find(_SOURCES.get(figure.work, "three numbers"), BASE)
    assert base is not None, "the job without a function was not measured"
    return [a - b for a, b in zip(figure.samples, base.samples, strict=False)]


def ours(figure: Figure) -> bool:
    """True for a figure of leapstream."""
    return figure.variant.startswith("leapstream")


def strongest_peer(result: Result, figure: Figure) -> float | None:
    """The least median among the peers of a figure's work."""
    found = [
        median(samples_of(result, f))
        for f in result.figures
        if (f.work, f.x) == (figure.work, figure.x) and not ours(f) and f.variant != BASE
    ]
    return min(found, default=None)


def spread(samples: list[float]) -> str:
    """Median, least and greatest as cells of a table."""
    return " | ".join(f"{number:.3g}" for number in (median(samples), min(samples), max(samples)))


def ratio(peer: float | None, own: float) -> str:
    """The peer's time as a multiple of ``own``; empty if the difference is within the noise."""
    return "–" if peer is None or own <= 0.0 or peer <= 0.0 else f"{peer / own:.1f} ×"


# ---- targets ----------------------------------------------------------------------------------------------------------


ALL = ""
"""The prefix of the names of all peers."""


@dataclass(frozen=True)
class Target:
    """The target for a variant, compared with its peers.

    Attributes:
        benchmark, work, variant: the figure.
        factor: the least multiple of the variant's time that the fastest peer takes.
        peers: prefix of the names of the peers; :data:`ALL` for everything but leapstream.
    """

    benchmark: str
    work: str
    variant: str
    factor: float
    peers: str = "MLeap"


TARGETS = (
    Target("flink", "airbnb-lr", "leapstream, jvm", 10),
    Target("flink", "airbnb-rf", "leapstream, jvm", 6),
    Target("flink", "forest3-20x5", "leapstream, jvm", 5),
    Target("flink", "forest3-100x8", "leapstream, jvm", 12),
    Target("flink", "text-lr", "leapstream, jvm", 2),
    *(
        Target("boosted", work, "leapstream", 3, peer)
        for work, peer in (
            ("XGBoost 100 x 6", "xgboost"),
            ("XGBoost 1000 x 6", "xgboost"),
            ("LightGBM 300 x 63 leaves", "lightgbm"),
        )
    ),
    Target("flink", "airbnb-lr", "leapstream, python", 3, "MLeap, one-row frame"),
    Target("flink", "airbnb-rf", "leapstream, python", 3, "MLeap, one-row frame"),
    Target("vectorized", "airbnb-lr", "leapstream, Arrow", 40),
    Target("vectorized", "airbnb-rf", "leapstream, Arrow", 10),
    Target("vectorized", "airbnb-lr", "leapstream, pandas", 20),
    Target("vectorized", "airbnb-rf", "leapstream, pandas", 6),
    Target("single", "airbnb-lr", "leapstream, predict(dict)", 1, "MLeap, one-row frame"),
    Target("single", "airbnb-rf", "leapstream, predict(dict)", 1, "MLeap, one-row frame"),
    *(
        Target("single", work, "leapstream, predict(dict)", factor, "MLeap, prepared row")
        for work, factor in (("airbnb-rf", 1.2), ("forest3-20x5", 2), ("forest3-100x8", 2))
    ),
    *(
        Target("loading", work, "leapstream, bundle loaded", 1, "MLeap, bundle loaded")
        for work in ("airbnb-lr", "airbnb-rf", "linear3", "forest3-20x5", "forest3-100x8")
    ),
    *(
        Target("python_peers", work, "leapstream", 1, peer)
        for work in ("forest, 20 trees of depth 5", "forest, 100 trees of depth 8")
        for peer in ("scikit-learn", "ONNX Runtime", "treelite")
    ),
    *(
        Target("python_peers", work, variant, 1, peer)
        for work in ("pipeline, linear", "pipeline, forest")
        for variant, peer in (
            ("leapstream", "scikit-learn"),
            ("leapstream", "ONNX Runtime, pandas"),
            ("leapstream, Arrow", "ONNX Runtime"),
        )
    ),
    *(
        Target("libraries", f"{work}, batch", "leapstream", factor, peer)
        for work, factor, peer in (
            ("forest 100, any depth", 4, "scikit-learn"),
            ("histogram boosting 100", 4, "scikit-learn"),
            ("XGBoost 1000 x 6", 4, "XGBoost"),
            ("LightGBM 300 x 63 leaves", 4, "LightGBM"),
            ("text imputer + one-hot + logistic", 3, "scikit-learn"),
        )
    ),
)
OVERVIEW = {
    name: Target(*figure, 1, ALL)
    for name, figure in {
        "SQL function in Flink: linear pipeline of 13 columns": ("flink", "airbnb-lr", "leapstream, jvm"),
        "SQL function in Flink: 100 trees of depth 8": ("flink", "forest3-100x8", "leapstream, jvm"),
        "batch from Arrow: linear pipeline of 13 columns": ("vectorized", "airbnb-lr", "leapstream, Arrow"),
        "batch: 100 trees of depth 8": ("python_peers", "forest, 100 trees of depth 8", "leapstream"),
        "batch: histogram boosting, 100 trees": ("libraries", "histogram boosting 100, batch", "leapstream"),
        "batch: XGBoost, 1,000 trees of depth 6": ("libraries", "XGBoost 1000 x 6, batch", "leapstream"),
        "one record in Python: linear pipeline of 13 columns": ("single", "airbnb-lr", "leapstream, predict(dict)"),
    }.items()
}
"""The comparisons that the report begins with, and their names for readers who know none of the workloads."""

WHOLE_JOBS = {"linear3": 1.25, "forest3-20x5": 1.25}
"""The greatest time of a whole job, as a multiple of the job without a function."""

IMPORT_SECONDS = 0.3
SPEED_UP = 1.7


def compared(results: dict[str, Result], target: Target) -> tuple[float, float, str] | None:
    """The median of a target's variant, and that of its fastest peer with its name; ``None`` where they were not measured."""
    result = results.get(target.benchmark)
    figure = result.find(target.work, target.variant) if result else None
    if result is None or figure is None:
        return None
    others = [f for f in result.figures if f.work == target.work and f.x is None and not ours(f)]
    named = [f for f in others if f.variant.startswith(target.peers)]
    if not named:
        return None
    best, peer = min((median(samples_of(result, f)), f.variant) for f in named)
    return median(samples_of(result, figure)), best, peer


def judged(results: dict[str, Result]) -> Iterator[tuple[str, str, str]]:
    """For each target: its text, the result, and the verdict."""
    for target in TARGETS:
        found = compared(results, target)
        if found is None:
            continue
        own, best, peer = found
        wanted = f"{target.benchmark}: {target.work}, {target.variant}: {target.factor:g} × {peer}"
        if own <= 0 or best <= 0:
            yield wanted, "lost in the cost of the job", "not established"
        else:
            yield wanted, ratio(best, own), _verdict(best >= target.factor * own)
    scaling = results.get("scaling")
    base = scaling.find(WHOLE, BASE) if scaling else None
    for work, limit in WHOLE_JOBS.items():
        job = scaling.find(WHOLE, work) if scaling else None
        if base and job:
            whole = median(a / b for a, b in zip(job.samples, base.samples, strict=False))
            wanted = f"scaling: {work}, whole job within {limit} × of the job without a function"
            yield wanted, f"{whole:.2f} ×", _verdict(whole <= limit)
    for one in [f for f in scaling.figures if f.variant.endswith("parallelism 1")] if scaling else ():
        two = scaling.find(PARALLEL, one.variant[:-1] + "2") if scaling else None
        if two:
            wanted = f"scaling: {one.variant[:-1]}2 at least {SPEED_UP} × as fast as 1"
            yield wanted, f"{one.median / two.median:.2f} ×", _verdict(one.median >= SPEED_UP * two.median)
    loading = results.get("loading")
    imported = loading.find("import leapstream", "leapstream") if loading else None
    if imported:
        wanted = f"loading: import leapstream below {IMPORT_SECONDS} s"
        yield wanted, f"{imported.median:.2f} s", _verdict(imported.median < IMPORT_SECONDS)


def _verdict(enough: bool) -> str:
    return "met" if enough else "**missed**"


# ---- pages ------------------------------------------------------------------------------------------------------------


def table(result: Result) -> list[str]:
    """The figures of a benchmark that are on no curve."""
    flat = [figure for figure in result.figures if figure.x is None]
    if result.benchmark == "flink":
        lines = [
            "| work | variant | whole job: median | min | max | function: median | min | max | strongest MLeap |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
    else:
        lines = [
            f"| work | variant | {result.unit}: median | min | max | strongest peer |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
    for figure in flat:
        own = samples_of(result, figure)
        compared = ""
        if ours(figure) and result.benchmark not in ("loading", "scaling"):
            compared = ratio(strongest_peer(result, figure), median(own))
        cells = spread(figure.samples)
        if result.benchmark == "flink":
            cells += " | | | " if figure.variant == BASE else f" | {spread(own)}"
        lines.append(f"| {figure.work} | {figure.variant} | {cells} | {compared} |")
    return lines


def bars(result: Result, path: Path) -> None:
    """Medians of each work's variants as bars, on a logarithmic axis."""
    names = list(dict.fromkeys(figure.work for figure in result.figures if figure.x is None))
    figure, axes = pyplot.subplots(1, len(names), figsize=(2.6 * len(names), 3.2), layout="constrained")
    for axis, name in zip([axes] if len(names) == 1 else axes, names, strict=True):
        shown = [f for f in result.figures if f.work == name and f.x is None]
        colours = ["#1a7f5a" if ours(f) else "#9aa5b1" for f in shown]
        axis.bar([f.variant.replace(", ", "\n") for f in shown], [f.median for f in shown], color=colours)
        axis.set_yscale("log")
        axis.set_title(name, fontsize=9)
        axis.tick_params(axis="x", labelrotation=90, labelsize=7)
        axis.tick_params(axis="y", which="both", labelsize=7)
    figure.supylabel(result.unit, fontsize=9)
    _write(path)


def overview(results: dict[str, Result], path: Path) -> list[str]:
    """Draws how many times as fast leapstream is as the fastest peer, and returns the same as a table."""
    rows = [(says, target, found) for says, target in OVERVIEW.items() if (found := compared(results, target))]
    _, axis = pyplot.subplots(figsize=(8, 0.55 * len(rows) + 0.8), layout="constrained")
    bars_drawn = axis.barh(
        [says for says, _, _ in rows], [best / own for _, _, (own, best, _) in rows], color="#1a7f5a"
    )
    labels = [f"{best / own:.1f} × {peer}" for _, _, (own, best, peer) in rows]
    axis.bar_label(bars_drawn, labels=labels, padding=3, fontsize=8)
    axis.axvline(1.0, color="#9aa5b1")
    axis.set_xscale("log")
    axis.set_xlim(right=axis.get_xlim()[1] * 12)
    axis.invert_yaxis()
    axis.set_xlabel("times as fast as the fastest peer", fontsize=9)
    axis.tick_params(labelsize=8)
    _write(path)
    return [
        "| | leapstream | fastest peer | |",
        "| --- | --- | --- | --- |",
        *(
            f"| {says} | {own:.3g} {results[target.benchmark].unit} | {peer}: {best:.3g} | **{best / own:.1f} ×** |"
            for says, target, (own, best, peer) in rows
        ),
    ]


def curve(result: Result, name: str, path: Path) -> None:
    """The cost of each library along a curve."""
    pyplot.figure(figsize=(6, 3.6), layout="constrained")
    points = [figure for figure in result.figures if figure.work == name and figure.x is not None]
    for variant in dict.fromkeys(figure.variant for figure in points):
        line = sorted((f.x or 0.0, f.median) for f in points if f.variant == variant)
        pyplot.plot([x for x, _ in line], [y for _, y in line], marker="o", label=variant)
    pyplot.xscale("log")
    pyplot.yscale("log")
    pyplot.xlabel(_AXES[name])
    pyplot.ylabel(result.unit)
    pyplot.legend(fontsize=8)
    _write(path)


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyplot.savefig(path, metadata={"Date": None})
    pyplot.close("all")


def sections(results: dict[str, Result], plots: Path) -> Iterator[str]:
    """The report's lines on each benchmark; its plots are written."""

    def plot(draw: Callable[[Path], None], name: str, says: str) -> Iterator[str]:
        draw(plots / f"{name}.svg")
        yield from (f"![{says}](performance/{name}.svg)", "")

    for name, introduction in INTRODUCTION.items():
        result = results.get(name)
        if result is None:
            continue
        yield from (introduction, *table(result), "")
        if result.about:
            yield from (", ".join(f"{key} {value}" for key, value in result.about.items()) + ".", "")
        if name in ("flink", "vectorized", "python_peers"):
            yield from plot(lambda path, r=result: bars(r, path), name, f"{name}: {result.unit}")  # type: ignore[misc]
        for axis in dict.fromkeys(figure.work for figure in result.figures if figure.x is not None):
            file = f"{axis.replace(' ', '-')}"
            says = f"Cost against {axis}"
            yield from plot(lambda path, r=result, a=axis: curve(r, a, path), file, says)  # type: ignore[misc]


def main() -> None:
    """Write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="write to build/bench")
    given = parser.parse_args()
    matplotlib.rcParams["svg.hashsalt"] = "leapstream"
    target = RESULTS if given.quick else DOCS
    results: dict[str, Result] = {}
    machines: dict[str, str] = {}
    times: list[str] = []
    for name in INTRODUCTION:
        path = RESULTS / f"{name}.json"
        if path.is_file():
            results[name], machine, time = Result.load(path)
            # The peers' environment has other versions: those of leapstream's own come from the others.
            machines = machine | machines
            times.append(time)
    described = "; ".join(f"{key} {value}" for key, value in machines.items())
    lines = [
        "# Performance",
        "",
        f"Written by `benchmarks/report.py` from what `make bench`, or a part of it, has measured, {min(times)} to {max(times)}.",
        "Compare figures of the same run; the numbers themselves are those of one machine.",
        "",
        f"{described}.",
        "",
        "![Times as fast as the fastest peer](performance/overview.svg)",
        "",
        *overview(results, target / "performance" / "overview.svg"),
        "",
        "A peer is MLeap's own runtime, in the same job or on the same machine, or the model's library, with one thread.",
        "",
        "## Targets",
        "",
        "| wanted | found | |",
        "| --- | --- | --- |",
        *(f"| {wanted} | {found} | {verdict} |" for wanted, found, verdict in judged(results)),
        "",
        (HERE / "profiles.md").read_text().rstrip(),
        "",
        *sections(results, target / "performance"),
    ]
    (target / "performance.md").write_text("\n".join(lines).rstrip() + "\n")
    print(f"{target / 'performance.md'} is written")


if __name__ == "__main__":
    main()
