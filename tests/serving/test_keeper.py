from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from leapstream.errors import ConfigError, LeapstreamError, SourceError
from leapstream.serving import Application, ModelRegistry, Settings, app
from leapstream.serving.agreement import Agreement
from leapstream.serving.failures import ForbiddenError
from leapstream.serving.keeper import Keeper
from leapstream.serving.loading import ModelSpec
from leapstream.serving.sources import ConfigFolder, Source, StoreModels
from leapstream.store import ModelStore
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH
from tests.serving.versions import adding, contract_of, saved

IDLE = ModelSpec("idle", str(BENCH / "linear3.zip"), memory_timeout=0.05)
KEPT = ModelSpec("kept", str(BENCH / "linear3.zip"))


def names_after(keeper: Keeper, models: ModelRegistry, seconds: float) -> list[str]:
    """The names of the models that are served some time after the start."""
    keeper.start()
    try:
        time.sleep(seconds)
        return [served.name for served in models]
    finally:
        keeper.stop()


@pytest.mark.slow
def test_idle_models_are_unloaded() -> None:
    models = ModelRegistry()
    keeper = Keeper(models, Settings(), [IDLE, KEPT])
    assert names_after(keeper, models, 0.5) == ["kept"]
    assert keeper.spec("idle") is None


@pytest.mark.slow
def test_a_model_that_is_in_use_is_not_idle() -> None:
    models = ModelRegistry()
    keeper = Keeper(models, Settings(), [IDLE])
    keeper.in_use = lambda name: name == "idle"
    assert names_after(keeper, models, 0.5) == ["idle"]


@pytest.mark.slow
def test_an_idle_model_is_not_loaded_again() -> None:
    models = ModelRegistry()
    keeper = Keeper(models, Settings(), [IDLE])
    names_after(keeper, models, 0.5)
    keeper.reload()
    assert len(models) == 0


# ---- versions that change -----------------------------------------------------------------------------------------------

X = {"x": [1.0]}


class Server:
    """A server without a web server, whose keeper looks for changes when it is told to."""

    def __init__(self, *sources: Source, specs: Sequence[ModelSpec] = (), agreement: Agreement | None = None) -> None:
        self.models = ModelRegistry()
        settings = Settings(allow_load=("/",))
        self.keeper = Keeper(self.models, settings, specs, sources=sources, agreement=agreement)
        self.application: Application = app(self.models, settings=settings, keeper=self.keeper)

    def started(self) -> Server:
        self.keeper.start()
        return self

    def sum(self, name: str = "m") -> Any:
        """The answer of a model for 1."""
        answer = ask(self.application, "POST", f"/v1/models/{name}:predict", X)
        return answer.json()["sum"] if answer.status == 200 else answer.status

    def rejected(self, name: str = "m") -> str:
        """The reason why a version of a model did not go live."""
        return str(self.keeper.rejected()[name].error)

    def metrics(self) -> str:
        return ask(self.application, "GET", "/metrics").body.decode()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A store with a version of a model, which is live."""
    store = ModelStore(tmp_path / "store")
    store.publish("m", adding(1), aliases=["live"])
    return store


@pytest.fixture
def server(store: ModelStore) -> Server:
    """A server that follows the store."""
    return Server(StoreModels(store.uri, alias="live")).started()


def test_the_version_of_an_alias_that_moves_goes_live(store: ModelStore, server: Server) -> None:
    store.publish("m", adding(2))
    server.keeper.reload()
    assert server.sum() == 2.0
    store.set_alias("m", "live", "2")
    server.keeper.reload()
    assert server.sum() == 3.0
    store.rollback("m", "live")
    server.keeper.reload()
    assert server.sum() == 2.0
    assert 'changes_total{model="m",result="loaded"} 3.0' in server.metrics()


def test_models_come_and_go_with_the_store(store: ModelStore, server: Server) -> None:
    store.publish("other", adding(5), aliases=["live"])
    server.keeper.reload()
    assert (server.sum(), server.sum("other")) == (2.0, 6.0)
    store.remove_alias("other", "live")
    server.keeper.reload()
    assert (server.sum(), server.sum("other")) == (2.0, 404)


def rejected_version(store: ModelStore, tmp_path: Path, kind: str) -> str:
    """Let the alias stand for a version that cannot go live; returns the reason."""
    folder = tmp_path / "store" / "m" / "2"
    if kind == "signature":
        store.publish("m", BENCH / "linear3.zip", aliases=["live"])
        return "version 2 has the signature"
    if kind == "contract":
        store.publish("m", adding(2), contract=contract_of(2, tmp_path / "contract"))
        # The rows of another version, with the right checksums: as if another leapstream had recorded them.
        manifest = json.loads((folder / "manifest.json").read_text())
        other = ModelStore(tmp_path / "other").publish("m", adding(3), contract=contract_of(3, tmp_path / "contract"))
        shutil.copy(f"{other.uri}/contract/expected.json", folder / "contract" / "expected.json")
        file = other.files["contract/expected.json"]
        manifest["files"]["contract/expected.json"] = {"sha256": file.sha256, "size": file.size}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        ModelStore(store.uri).set_alias("m", "live", "2")
        return "differs from its contract"
    store.publish("m", adding(2), aliases=["live"])
    if kind == "checksum":
        with (folder / "bundle.zip").open("ab") as stream:
            stream.write(b"x")
        return "sha256 is"
    (folder / "bundle.zip").unlink()
    return "no such file"


@pytest.mark.parametrize("kind", ["signature", "contract", "checksum", "missing"])
def test_a_version_that_cannot_go_live_is_told_and_the_one_before_goes_on(
    store: ModelStore, server: Server, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    reason = rejected_version(store, tmp_path, kind)
    server.keeper.reload()
    assert server.sum() == 2.0
    assert reason in server.rejected()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["model not reloaded"]
    assert 'changes_total{model="m",result="rejected"} 1.0' in server.metrics()
    assert ask(server.application, "GET", "/readyz").json() == {"ready": True, "rejected": {"m": "2"}}
    shown = ask(server.application, "GET", "/v1/models/m").json()
    assert shown["version"] == "1" and shown["rejected"]["version"] == "2" and reason in shown["rejected"]["error"]
    store.rollback("m", "live")
    server.keeper.reload()
    assert ask(server.application, "GET", "/readyz").json() == {"ready": True}


def test_a_rejected_version_is_tried_again_later_and_later(store: ModelStore, tmp_path: Path) -> None:
    models = ModelRegistry()
    keeper = Keeper(models, Settings(), sources=[StoreModels(store.uri, alias="live")], reload_seconds=1000)
    keeper.start()
    tries: list[str] = []
    keeper.when_rejected = tries.append
    rejected_version(store, tmp_path, "signature")
    for _ in range(3):
        keeper.reload()
    keeper.stop()
    assert tries == ["m"] and "m" in keeper.rejected()


def test_a_store_that_cannot_be_read_changes_nothing(store: ModelStore, server: Server, tmp_path: Path) -> None:
    (tmp_path / "store").rename(tmp_path / "away")
    server.keeper.reload()
    (tmp_path / "store").mkdir()
    server.keeper.reload()
    assert server.sum() == 2.0
    assert 'changes_total{model="",result="rejected"} 2.0' in server.metrics()


def test_a_server_starts_with_what_is_good_alone(store: ModelStore, tmp_path: Path) -> None:
    rejected_version(store, tmp_path, "checksum")
    with pytest.raises(SourceError, match="sha256 is"):
        Server(StoreModels(store.uri, alias="live")).started()


def test_a_folder_of_configurations_is_followed(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    for number in (1, 2):
        saved(number, tmp_path / f"{number}.zip")
    (folder / "m.conf").write_text('bundle = "../1.zip"')
    server = Server(ConfigFolder(folder)).started()
    (folder / "n.conf").write_text('bundle = "../2.zip"')
    server.keeper.reload()
    assert (server.sum("m"), server.sum("n")) == (2.0, 3.0)
    (folder / "m.conf").write_text('bundle = "../2.zip"')
    (folder / "n.conf").unlink()
    server.keeper.reload()
    assert (server.sum("m"), server.sum("n")) == (3.0, 404)
    (folder / "m.conf").write_text("bundle = [")
    server.keeper.reload()
    assert server.sum("m") == 3.0 and "m.conf" in server.rejected()


def test_a_bundle_that_breaks_the_contract_of_its_configuration_does_not_go_live(tmp_path: Path) -> None:
    contract_of(1, tmp_path / "contract")
    saved(1, tmp_path / "m.zip")
    (tmp_path / "m.conf").write_text('bundle = "m.zip", contract = "contract"')
    server = Server(ConfigFolder(tmp_path)).started()
    saved(2, tmp_path / "m.zip")
    server.keeper.reload()
    assert server.sum() == 2.0 and "differs from its contract" in server.rejected()


def test_a_bundle_that_is_replaced_is_loaded_and_one_that_is_not_is_left_alone(tmp_path: Path) -> None:
    server = Server(specs=[ModelSpec("m", saved(1, tmp_path / "m.zip"))]).started()
    first = server.models.get("m")
    server.keeper.reload()
    assert server.models.get("m") is first
    saved(2, tmp_path / "m.zip")
    server.keeper.reload()
    assert server.sum() == 3.0


def test_two_sources_cannot_have_one_name(store: ModelStore, tmp_path: Path) -> None:
    spec = ModelSpec("m", saved(1, tmp_path / "m.zip"))
    with pytest.raises(ConfigError, match="two models have the name 'm'"):
        Server(StoreModels(store.uri), specs=[spec]).started()
    server = Server(StoreModels(store.uri, alias="later"), specs=[spec]).started()
    store.set_alias("m", "later", "1")
    server.keeper.reload()
    assert server.sum() == 2.0 and "another model 'm'" in server.rejected()


def test_requests_go_before_sources(store: ModelStore, server: Server, tmp_path: Path) -> None:
    server.keeper.load(ModelSpec("m", saved(8, tmp_path / "m.zip")))
    server.keeper.reload()
    assert server.sum() == 9.0
    server.keeper.unload("m")
    server.keeper.reload()
    assert server.sum() == 404


def test_a_stream_ends_on_the_version_that_it_began_with(store: ModelStore, server: Server) -> None:
    def parts() -> Iterator[bytes]:
        yield b'{"x": [1.0]}\n'
        store.publish("m", adding(2), aliases=["live"])
        server.keeper.reload()
        yield b'{"x": [2.0]}\n'

    headers = {"content-type": "application/jsonl"}
    answer = ask(server.application, "POST", "/v1/models/m:predict", parts(), headers)
    assert answer.body.splitlines() == [b'{"sum":2.0}', b'{"sum":3.0}']
    assert server.sum() == 3.0


# ---- several workers ----------------------------------------------------------------------------------------------------


@pytest.fixture
def workers(store: ModelStore, tmp_path: Path) -> list[Server]:
    """Two workers of a server, as they would be in two processes."""
    shared = tmp_path / "shared"
    shared.mkdir()
    made = [Server(StoreModels(store.uri, alias="live"), agreement=Agreement(shared)) for _ in range(3)]
    made[0].keeper.prepare()
    return made[1:]


def follow(workers: list[Server]) -> None:
    for worker in workers:
        worker.keeper.follow()


@pytest.fixture
def started(workers: list[Server], monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    """Two workers that follow each other when they are told to."""
    monkeypatch.setattr(Keeper, "_watch", lambda *arguments: None)
    return [worker.started() for worker in workers]


def test_one_worker_looks_for_changes_and_the_others_follow(store: ModelStore, started: list[Server]) -> None:
    store.publish("m", adding(2), aliases=["live"])
    for worker in started:
        worker.keeper.reload()
    assert [worker.sum() for worker in started] == [3.0, 2.0]
    follow(started)
    assert [worker.sum() for worker in started] == [3.0, 3.0]


def test_a_worker_that_is_started_again_has_the_live_version(
    store: ModelStore, started: list[Server], tmp_path: Path
) -> None:
    store.publish("m", adding(2), aliases=["live"])
    started[0].keeper.reload()
    rejected_version(store, tmp_path, "signature")
    shutil.rmtree(tmp_path / "store")
    again = Server(StoreModels(store.uri, alias="live"), agreement=Agreement(tmp_path / "shared")).started()
    assert again.sum() == 3.0


def test_a_model_that_a_worker_was_asked_for_is_served_by_all(started: list[Server], tmp_path: Path) -> None:
    body = {"modelName": "new", "uri": saved(4, tmp_path / "new.zip")}
    assert ask(started[0].application, "POST", "/models", body).status == 202
    assert [worker.sum("new") for worker in reversed(started)] == [5.0, 5.0]
    assert ask(started[1].application, "POST", "/models", body).status == 400
    assert ask(started[1].application, "DELETE", "/models/new").status == 200
    follow(started)
    assert [worker.sum("new") for worker in started] == [404, 404]


def test_a_model_that_a_worker_could_not_load_is_served_by_none(started: list[Server], tmp_path: Path) -> None:
    ask(started[0].application, "POST", "/models", {"modelName": "new", "uri": str(tmp_path / "no.zip")})
    assert [worker.sum("new") for worker in reversed(started)] == [404, 404]


def test_nobody_waits_for_a_worker_that_was_killed(started: list[Server], tmp_path: Path) -> None:
    path = tmp_path / "shared" / "models.json"
    state = json.loads(path.read_text())
    state["announced"] = {"new": {"spec": {"name": "new", "uri": "x.zip"}, "process": 2**22 + 1}}
    path.write_text(json.dumps(state))
    assert started[0].sum("new") == 404


def test_copies_of_old_versions_are_removed(store: ModelStore, started: list[Server], tmp_path: Path) -> None:
    for number in range(2, 12):
        store.publish("m", adding(number), aliases=["live"])
        started[0].keeper.reload()
    follow(started)
    assert started[1].sum() == 12.0
    assert len(list((tmp_path / "shared" / "bundles").iterdir())) < 7


def test_loading_needs_to_be_allowed(store: ModelStore) -> None:
    keeper = Keeper(ModelRegistry(), Settings())
    for work in (lambda: keeper.load(KEPT), lambda: keeper.announce(KEPT)):
        with pytest.raises(ForbiddenError):
            work()
    with pytest.raises(LeapstreamError):
        keeper.unload("kept")


def test_what_tidies_temporary_files_takes_no_model_away(
    store: ModelStore, started: list[Server], tmp_path: Path
) -> None:
    store.publish("n", adding(2), aliases=["live"])
    shutil.rmtree(tmp_path / "shared")
    started[0].keeper.reload()
    follow(started)
    assert [worker.sum() for worker in started] == [2.0, 2.0]
    assert [worker.sum("n") for worker in started] == [3.0, 3.0]


@pytest.mark.slow
def test_a_model_is_idle_if_no_worker_has_used_it(tmp_path: Path) -> None:
    spec = ModelSpec("idle", str(BENCH / "linear3.zip"), memory_timeout=0.4)
    workers = [Server(specs=[spec], agreement=Agreement(tmp_path)).started() for _ in range(2)]
    try:
        for _ in range(8):
            workers[1].models.get("idle").used = time.monotonic()
            time.sleep(0.1)
        assert [len(worker.models) for worker in workers] == [1, 1]
        time.sleep(1)
        assert [len(worker.models) for worker in workers] == [0, 0]
    finally:
        for worker in workers:
            worker.keeper.stop()


def test_a_model_of_a_source_that_is_unloaded_and_loaded_again_follows_its_source(
    store: ModelStore, server: Server
) -> None:
    server.keeper.unload("m")
    spec = server.keeper.known("m")
    assert spec is not None
    server.keeper.load(spec)
    store.publish("m", adding(2), aliases=["live"])
    server.keeper.reload()
    assert server.sum() == 3.0


def test_a_worker_starts_again_although_the_copies_of_bundles_were_tidied_away(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    spec = ModelSpec("m", saved(1, tmp_path / "m.zip"))
    first = Server(specs=[spec], agreement=Agreement(shared)).started()
    for change in (lambda: None, lambda: saved(2, tmp_path / "m.zip")):
        shutil.rmtree(shared / "bundles", ignore_errors=True)
        change()
        again = Server(specs=[spec], agreement=Agreement(shared)).started()
    first.keeper.follow()
    for worker in (first, again):
        worker.keeper.stop()
        assert worker.sum() == 3.0


def test_a_worker_that_cannot_load_what_others_have_says_so_and_tries_again(
    store: ModelStore, started: list[Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(tmp_path / "shared" / "bundles", tmp_path / "away")
    shutil.move(tmp_path / "store", tmp_path / "gone")
    again = Server(StoreModels(store.uri, alias="live"), agreement=Agreement(tmp_path / "shared")).started()
    assert again.keeper.ready and again.sum() == 503
    shutil.move(tmp_path / "gone", tmp_path / "store")
    follow([again])
    assert again.sum() == 503
    monkeypatch.setattr(again.keeper, "_retry_at", 0.0)
    follow([again])
    assert [worker.sum() for worker in (*started, again)] == [2.0, 2.0, 2.0]
