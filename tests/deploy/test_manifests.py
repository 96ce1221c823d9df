from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest
from typer.testing import CliRunner

from leapstream.cli.app import app as command
from leapstream.serving import app, server
from leapstream.serving.server import ServeOptions
from leapstream.serving.settings import TOKEN_VARIABLE
from tests.deploy.manifests import Manifest, instructions, manifests
from tests.serving.asgi import ask

PODS = manifests("Deployment", "ServingRuntime")
OF_KUBERNETES = manifests("Deployment", "Service", "PodDisruptionBudget")


@pytest.mark.parametrize("version", ["1.29", "1.34"])
@pytest.mark.parametrize("manifest", OF_KUBERNETES, ids=str)
@pytest.mark.slow
def test_manifests_fit_the_schemas_of_kubernetes(manifest: Manifest, version: str) -> None:
    kubernetes_validate.validate(manifest.content, version, strict=True)


def test_all_kinds_of_manifests_are_looked_at() -> None:
    kinds = {manifest.content["kind"] for manifest in manifests()}
    # tests/clients has those of KServe; the PodMonitor was compared with the operator's own type by hand.
    assert kinds == {m.content["kind"] for m in OF_KUBERNETES} | {"ServingRuntime", "InferenceService", "PodMonitor"}


def options(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> ServeOptions:
    """The options that the command takes from a container's arguments."""
    taken: list[ServeOptions] = []
    monkeypatch.setattr(server, "serve", taken.append)
    arguments = [argument.replace("{{.Name}}", "loans") for argument in manifest.container["args"]]
    answer = CliRunner().invoke(command, arguments)
    assert answer.exit_code == 0, answer.output
    return taken[0]


@pytest.mark.parametrize("manifest", PODS, ids=str)
def test_the_command_takes_the_arguments_and_listens_on_the_ports(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = options(manifest, monkeypatch)
    assert [spec.name for spec in taken.models] == ["loans"]
    ports = [port["containerPort"] for port in manifest.container["ports"]]
    assert ports[0] == taken.port and set(ports) <= {taken.port, taken.grpc_port}
    exposed = [int(port) for text in instructions("EXPOSE") for port in text.split()]
    assert set(ports) <= set(exposed)


@pytest.mark.parametrize("manifest", PODS, ids=str)
def test_probes_ask_paths_that_need_no_token(manifest: Manifest) -> None:
    application = app({})
    probes = [part for name, part in manifest.container.items() if name.endswith("Probe")]
    assert len(probes) >= 2
    names = {port.get("name"): port["containerPort"] for port in manifest.container["ports"]}
    for probe in probes:
        route, _ = application._router.find("GET", probe["httpGet"]["path"])
        assert route.open
        port = probe["httpGet"]["port"]
        assert names.get(port, port) == 8080


def test_metrics_are_scraped_where_they_are() -> None:
    (monitor,) = manifests("PodMonitor")
    (deployment,) = manifests("Deployment")
    (runtime,) = manifests("ServingRuntime")
    (endpoint,) = monitor.content["spec"]["podMetricsEndpoints"]
    names = {port["name"]: port["containerPort"] for port in deployment.container["ports"]}
    annotations = runtime.content["spec"]["annotations"]
    assert annotations["prometheus.kserve.io/port"] == str(names[endpoint["port"]])
    for path in (endpoint["path"], annotations["prometheus.kserve.io/path"]):
        assert ask(app({}), "GET", path).body.startswith(b"# HELP")


def test_selectors_select_the_pods() -> None:
    (deployment,) = manifests("Deployment")
    labels = deployment.content["spec"]["template"]["metadata"]["labels"]
    selectors: list[dict[str, Any]] = [
        manifest.content["spec"]["selector"].get("matchLabels", manifest.content["spec"]["selector"])
        for manifest in manifests("Deployment", "Service", "PodDisruptionBudget", "PodMonitor")
    ]
    assert len(selectors) == 4 and all(selector.items() <= labels.items() for selector in selectors)
    (service,) = manifests("Service")
    ports = {port["name"] for port in deployment.container["ports"]}
    assert {port["targetPort"] for port in service.content["spec"]["ports"]} == ports


def test_a_pod_has_the_time_that_it_needs_to_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    (deployment,) = manifests("Deployment")
    pause = int(re.search(r"sleep\((\d+)\)", str(deployment.container["lifecycle"])).group(1))  # type: ignore[union-attr]
    assert pause + options(deployment, monkeypatch).drain < deployment.pod["terminationGracePeriodSeconds"]


def test_the_environment_is_one_that_the_server_reads() -> None:
    (deployment,) = manifests("Deployment")
    assert [variable["name"] for variable in deployment.container["env"]] == [TOKEN_VARIABLE]


def test_the_service_of_kserve_asks_for_what_the_runtime_offers() -> None:
    (runtime,), (service,) = manifests("ServingRuntime"), manifests("InferenceService")
    model = service.content["spec"]["predictor"]["model"]
    formats = {of["name"] for of in runtime.content["spec"]["supportedModelFormats"] if of["autoSelect"]}
    assert model["modelFormat"]["name"] in formats
    assert model["protocolVersion"] in runtime.content["spec"]["protocolVersions"]


@pytest.mark.parametrize("manifest", PODS, ids=str)
def test_containers_may_do_no_more_than_they_need(manifest: Manifest) -> None:
    context = {**manifest.pod.get("securityContext", {}), **manifest.container["securityContext"]}
    assert context["runAsNonRoot"] and context["runAsUser"] == 10001 and not context["allowPrivilegeEscalation"]
    assert context["capabilities"] == {"drop": ["ALL"]}
