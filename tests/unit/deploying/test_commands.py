"""Every command line of the deployment files is one of the product's."""

from collections.abc import Sequence

import pytest

from shared.adapters.broker_rabbitmq import topology
from shared.domain.messages import Queue
from tests import deployment

LINES = list(deployment.command_lines())


@pytest.mark.parametrize(("_where", "line"), LINES)
def test_a_command_line_is_understood(_where: str, line: Sequence[str]) -> None:
    deployment.parsed(line)


@pytest.mark.parametrize("where", ["systemd", "compose", "kubernetes"])
def test_each_way_runs_every_process_and_works_on_every_queue(where: str) -> None:
    lines = [line for found, line in LINES if found == where]

    queues = {
        queue
        for line in lines
        if line[0] == "work"
        for queue in deployment.parsed(line).params["queues"] or map(str, Queue)
    }

    assert {line[0] for line in lines} == {"migrate", "serve", "work", "periodic"}
    assert queues == set(map(str, Queue))


def test_what_runs_in_a_container_can_be_reached_from_outside_it() -> None:
    lines = [
        line for where, line in LINES if where != "systemd" and line[0] != "migrate"
    ]

    assert {deployment.parsed(line).params["host"] for line in lines} == {"0.0.0.0"}  # noqa: S104 - of a container


def test_workers_are_scaled_by_the_queues_that_they_work_on() -> None:
    containers = deployment.containers()

    for one in deployment.of_kind("ScaledObject").values():
        target = one["spec"]["scaleTargetRef"]["name"]
        worker = containers[target.removeprefix("calendar-sync-")]
        # Dead letters are only filed, and never wait for that.
        live = {*deployment.parsed(worker["args"]).params["queues"]} - {
            Queue.DEAD_LETTERS
        }
        watched = [
            trigger["metadata"]["queueName"] for trigger in one["spec"]["triggers"]
        ]
        assert sorted(watched) == sorted(topology.queue_name(Queue(q)) for q in live)
