"""Every way of deploying gives the product the configuration that it needs."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from shared.config import Config
from tests import deployment

KEY = Fernet.generate_key().decode()
KNOWN = {name.upper() for name in Config.model_fields}
RABBITMQ = "amqp://user:password@calendar-sync-rabbitmq.namespace.svc:5672/"
"""As the cluster operator writes it."""


def file_of(*path: str) -> Mapping[str, str]:
    """Return the variables in a file of the deployment."""
    return deployment.assignments(deployment.DEPLOY.joinpath(*path).read_text())


def of_systemd() -> Mapping[str, str]:
    """Return what an operator has filled in."""
    return file_of("systemd", "env.example")


def of_compose() -> Mapping[str, str]:
    """Return what reaches a process, with the passwords filled in."""
    given = file_of("compose", "env.example")
    written = deployment.processes()["receiver"]["environment"]
    for name, value in given.items():
        place = f"${{{name}:?is missing in .env}}"
        filled = value or "password"
        written = {key: text.replace(place, filled) for key, text in written.items()}
    return {**given, **written}


def of_kubernetes() -> Mapping[str, str]:
    """Return what reaches a process from the generated objects, and from RabbitMQ's."""
    example = ("kubernetes", "example")
    given = {**file_of(*example, "settings.env"), **file_of(*example, "secrets.env")}
    names = {one["name"] for one in deployment.containers()["serve"]["env"]}
    return {**given, **dict.fromkeys(names, RABBITMQ)}


WAYS = {"systemd": of_systemd, "compose": of_compose, "kubernetes": of_kubernetes}


@pytest.mark.parametrize("way", WAYS)
def test_a_filled_in_file_is_a_configuration_for_production(
    way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in KNOWN:
        monkeypatch.delenv(name, raising=False)
    for name, value in WAYS[way]().items():
        monkeypatch.setenv(name, value or KEY)

    config = Config.from_environment()

    assert config.database_url.startswith("postgresql+psycopg2://")
    assert "$" not in config.database_url
    assert config.amqp_url is not None
    assert config.public_url == "https://calendar-sync.example.com"
    assert [key.get_secret_value() for key in config.secret_keys] == [KEY]


@pytest.mark.parametrize("way", ["systemd", "kubernetes"])
def test_every_variable_is_one_of_the_products(way: str) -> None:
    assert set(WAYS[way]()) <= KNOWN


def test_every_variable_of_compose_is_the_products_or_used_by_its_file() -> None:
    used = deployment.COMPOSE.read_text()

    unknown = set(file_of("compose", "env.example")) - KNOWN

    assert [name for name in unknown if f"${{{name}:" not in used] == []


def test_no_secret_is_filled_in_already() -> None:
    written = [*of_systemd().items(), *file_of("compose", "env.example").items()]
    written += file_of("kubernetes", "example", "secrets.env").items()

    secrets = [value for name, value in written if name == "SECRET_KEYS"]

    assert secrets == ["", "", ""]


def test_processes_on_one_machine_have_metrics_ports_of_their_own() -> None:
    units = deployment.units()

    ports = {
        name: unit.settings["Environment"].removeprefix("METRICS_PORT=")
        for name, unit in units.items()
        if "Environment" in unit.settings
    }

    assert ports == {"work@": "910%i", "periodic": "9100"}
    assert "METRICS_PORT" not in of_systemd()
