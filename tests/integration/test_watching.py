"""The files for Prometheus, as Prometheus reads them."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests import watching
from tests.services import tools


def promtool(*arguments: str) -> None:
    """Let promtool look at files, and fail with what it finds."""
    done = subprocess.run(  # noqa: S603 - a tool that we chose
        [tools.PROMTOOL.path(), *arguments],
        cwd=watching.FOLDER,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alert_rules_are_rules() -> None:
    promtool("check", "rules", "alerts.yaml")


def test_what_to_scrape_is_a_configuration() -> None:
    promtool("check", "config", "prometheus.yml")


def test_alerts_say_what_they_should_and_nothing_while_all_is_well() -> None:
    promtool("test", "rules", "alerts_test.yaml")


@pytest.mark.parametrize("name", watching.alerts())
def test_every_alert_is_seen_to_fire_and_to_keep_silent(name: str) -> None:
    document = yaml.safe_load((watching.FOLDER / "alerts_test.yaml").read_text())
    cases = [
        bool(case["exp_alerts"])
        for test in document["tests"]
        for case in test["alert_rule_test"]
        if case["alertname"] == name
    ]

    assert set(cases) == {True, False}


def test_the_questions_of_the_dashboard_can_be_asked(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": text.replace("$__rate_interval", "5m")}
        for number, text in enumerate(watching.expressions())
    ]
    document = {"groups": [{"name": "dashboard", "rules": rules}]}
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(document))

    promtool("check", "rules", str(path))
