"""Reads the files in deploy/watching, and what the product says of its metrics."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import prometheus_client
import yaml
from prometheus_client.metrics_core import Metric

from shared import metrics
from tests import deployment
from webhook_receiver import gauges

FOLDER = deployment.DEPLOY / "watching"
README = (FOLDER / "README.md").read_text()
_METRIC = re.compile(r"\bcalendar_sync_[a-z_]+")


def alerts() -> Mapping[str, Mapping[str, Any]]:
    """Return the alert rules by name."""
    document = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules}


def panels() -> list[Mapping[str, Any]]:
    """Return the panels of the dashboard, rows left out."""
    document = json.loads((FOLDER / "dashboard.json").read_text())
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """Yield what alerts and panels ask Prometheus for."""
    for rule in alerts().values():
        yield rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"]


def series() -> set[str]:
    """Return the names of the series that alerts and panels need."""
    return {name for text in expressions() for name in _METRIC.findall(text)}


def families() -> list[Metric]:
    """Return the metrics that the product has, read ones and counted ones."""
    counted = [
        family
        for each in vars(metrics).values()
        if isinstance(each, prometheus_client.metrics.MetricWrapperBase)
        for family in each.describe()
    ]
    return [*counted, *gauges.families().values()]


def names_of(family: Metric) -> set[str]:
    """Return the names of the series of a metric."""
    endings = {
        "counter": ("_total",),
        "gauge": ("",),
        "histogram": ("_bucket", "_count", "_sum"),
    }
    return {family.name + ending for ending in endings[family.type]}


def table() -> Mapping[str, tuple[str, list[str]]]:
    """Return the metrics that the README describes: by name, type and labels."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|(.*?)\|", README, re.MULTILINE)
    return {name: (kind, re.findall(r"`(\w+)`", rest)) for name, kind, rest in rows}


def headline_of(family: Metric) -> str:
    """Return the name that people know a metric by."""
    return f"{family.name}_total" if family.type == "counter" else family.name
