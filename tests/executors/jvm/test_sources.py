from __future__ import annotations

import re
from pathlib import Path

import pytest

import leapstream
from leapstream import BackendError
from leapstream.executors.jvm.sources import DRIFT, FUNCTIONS, KERNELS, LIVE, PROVIDERS, java_sources

PROJECT = Path(__file__).parents[3] / "java"
PACKAGES = (KERNELS, FUNCTIONS, LIVE, DRIFT, PROVIDERS)


@pytest.mark.parametrize("package", PACKAGES)
def test_classes_are_of_the_package_of_their_folder(package: str) -> None:
    sources = java_sources(package)
    assert sources
    for name, source in sources.items():
        assert source.startswith(f"package {package};\n"), name
        assert re.search(rf"\bclass {name.rpartition('.')[2]}\b", source), name


def test_every_source_of_the_maven_project_is_of_a_known_package() -> None:
    root = PROJECT / "src" / "main" / "java"
    files = {".".join(file.relative_to(root).with_suffix("").parts) for file in root.rglob("*.java")}
    assert files == {name for package in PACKAGES for name in java_sources(package)}


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [(KERNELS, r"org\.apache\.flink|leapstream\.flink"), ("leapstream.flink", r"leapstream\.flink\.ml|ModelProvider")],
)
def test_packages_depend_downwards_only(package: str, forbidden: str) -> None:
    assert [name for name, source in java_sources(package).items() if re.search(forbidden, source)] == []


def test_package_that_the_installation_lacks_is_named() -> None:
    with pytest.raises(BackendError, match=r"leapstream\.nowhere"):
        java_sources("leapstream.nowhere")


def test_no_private_method_is_synchronized() -> None:
    """Janino makes it static, and it would lock the class in place of the object."""
    sources = {name: source for package in PACKAGES for name, source in java_sources(package).items()}
    assert [name for name, source in sources.items() if re.search(r"private .*synchronized .*\(", source)] == []


def test_no_line_of_java_is_longer_than_130() -> None:
    for file in (PROJECT / "src").rglob("*.java"):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            assert len(line) <= 130, f"{file.name}:{number}"


def test_the_maven_project_has_the_version_of_the_package() -> None:
    found = re.search(r"<version>(.*?)</version>", (PROJECT / "pom.xml").read_text(encoding="utf-8"))
    assert found is not None
    assert found[1] == leapstream.__version__
