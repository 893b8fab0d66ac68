"""The manifests fit each other, and are what Kubernetes takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import deployment

BASE = deployment.KUBERNETES / "base"
EXAMPLE = deployment.KUBERNETES / "example"
CUSTOM = {"RabbitmqCluster", "ScaledObject", "TriggerAuthentication"}
"""What is no part of Kubernetes itself; its schemas come with its operators."""


def test_the_kinds_of_kubernetes_itself_are_valid() -> None:
    files = [BASE / name for name in deployment.kustomization("base")["resources"]]
    validate = Path(sys.executable).with_name("kubernetes-validate")

    done = subprocess.run(  # noqa: S603 - a tool of ours
        [validate, "--strict", *files], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    kinds = [one["kind"] for one in deployment.manifests()]
    assert done.stdout.count(" passed for resource ") == len(
        [kind for kind in kinds if kind not in CUSTOM]
    )


def test_every_file_of_the_base_is_a_resource_of_it() -> None:
    files = {path.name for path in BASE.iterdir()} - {"kustomization.yaml"}

    assert sorted(files) == deployment.kustomization("base")["resources"]


def test_the_example_adds_what_the_base_lacks() -> None:
    example = deployment.kustomization("example")
    generated = example["configMapGenerator"] + example["secretGenerator"]
    names = {one["name"] for one in generated}

    for name, container in deployment.containers().items():
        wanted = [ref["name"] for one in container["envFrom"] for ref in one.values()]
        assert set(wanted) == names, name
        assert [container["image"]] == [one["name"] for one in example["images"]]
    assert all((EXAMPLE / file).exists() for one in generated for file in one["envs"])
    assert [(EXAMPLE / path).resolve() for path in example["resources"]] == [BASE]


def test_what_the_example_changes_is_there() -> None:
    (patch,) = deployment.kustomization("example")["patches"]
    ingress = deployment.of_kind("Ingress")[patch["target"]["name"]]["spec"]

    assert ingress["tls"][0]["hosts"] == [ingress["rules"][0]["host"]]
    assert "ingressClassName" not in ingress


@pytest.mark.parametrize("name", sorted(deployment.pods()))
def test_a_pod_may_do_no_more_than_it_must(name: str) -> None:
    pod, container = deployment.pods()[name], deployment.containers()[name]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    user = pod["securityContext"]["runAsUser"]
    assert f"USER {user}:" in deployment.DOCKERFILE.read_text()
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


def test_every_selector_finds_the_pods_of_its_owner() -> None:
    labels = {
        name: one["spec"]["template"]["metadata"]["labels"]
        for name, one in deployment.of_kind("Deployment").items()
    }

    for name, one in deployment.of_kind("Deployment").items():
        assert one["spec"]["selector"]["matchLabels"] == labels[name]
        (spread,) = one["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"] == labels[name]
        budget = deployment.of_kind("PodDisruptionBudget")[name]
        assert budget["spec"]["selector"]["matchLabels"] == labels[name]
    service = deployment.of_kind("Service")["calendar-sync"]
    assert service["spec"]["selector"] == labels["calendar-sync-serve"]


def test_what_is_scaled_has_no_number_of_its_own() -> None:
    scalers = deployment.of_kind("ScaledObject") | deployment.of_kind(
        "HorizontalPodAutoscaler"
    )
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in scalers.values()}

    fixed = {
        name
        for name, one in deployment.of_kind("Deployment").items()
        if "replicas" in one["spec"]
    }

    assert scaled.isdisjoint(fixed)
    assert scaled | fixed == set(deployment.of_kind("Deployment"))


def test_the_broker_is_a_cluster_whose_address_everybody_takes_from_its_secret() -> (
    None
):
    ((name, cluster),) = deployment.of_kind("RabbitmqCluster").items()
    reference = {"name": f"{name}-default-user", "key": "connection_string"}
    ((login, authentication),) = deployment.of_kind("TriggerAuthentication").items()

    assert cluster["spec"]["replicas"] == 3
    for container in deployment.containers().values():
        (variable,) = container["env"]
        assert variable["valueFrom"] == {"secretKeyRef": reference}
    (given,) = authentication["spec"]["secretTargetRef"]
    assert given == {"parameter": "host", **reference}
    for one in deployment.of_kind("ScaledObject").values():
        for trigger in one["spec"]["triggers"]:
            assert trigger["authenticationRef"] == {"name": login}
    budget = deployment.of_kind("PodDisruptionBudget")[name]
    assert budget["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": name}
