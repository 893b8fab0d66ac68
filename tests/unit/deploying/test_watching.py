"""Alerts, dashboard and runbook are about metrics and things that there are."""

import itertools
import re

import pytest

from tests import watching

_PARAGRAPHS = ("What people notice", "Confirm", "Do")


def runbook() -> dict[str, str]:
    """Return the paragraphs of the runbook by the alerts that they are for."""
    _, _, text = watching.README.partition("\n## Runbook\n")
    parts = re.split(r"^### (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_series_of_alerts_and_dashboard_is_one_of_ours() -> None:
    there = {name for each in watching.families() for name in watching.names_of(each)}

    assert watching.series() - there == set()


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    used = watching.series()

    unused = [
        family.name
        for family in watching.families()
        if not watching.names_of(family) & used
    ]

    assert unused == []


def test_every_metric_is_in_the_table_with_its_type() -> None:
    assert {name: kind for name, (kind, _) in watching.table().items()} == {
        watching.headline_of(family): family.type for family in watching.families()
    }


def test_every_alert_has_its_paragraph_and_the_other_way_round() -> None:
    assert list(runbook()) == list(watching.alerts())


@pytest.mark.parametrize("name", watching.alerts())
def test_an_alert_leads_to_what_people_notice_and_what_to_do(name: str) -> None:
    rule = watching.alerts()[name]
    headings = re.findall(r"^\*\*(.*?)\.\*\* ", runbook()[name], re.MULTILINE)

    assert rule["annotations"]["runbook_url"] == (
        f"deploy/watching/README.md#{name.lower()}"
    )
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert tuple(headings) == _PARAGRAPHS


def test_no_link_of_the_readme_leads_nowhere() -> None:
    headings = re.findall(r"^##+ (.*)$", watching.README, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([^)]*)\)", watching.README)) <= anchors


def test_a_panel_says_what_it_shows_and_hides_no_other() -> None:
    panels = watching.panels()
    places = [panel["gridPos"] for panel in panels]

    assert all(panel["title"] and panel["description"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in itertools.combinations(places, 2):
        is_beside = abs(one["x"] - other["x"]) >= one["w"]
        assert is_beside or abs(one["y"] - other["y"]) >= one["h"]
