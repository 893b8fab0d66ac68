"""Who may open which page: every route, every role, and other people's things."""

import pytest
from werkzeug.test import TestResponse

from tests.unit.receiver.house import House, csrf_token
from tests.unit.receiver.test_access import ALL, Town

ADMIN, OWN, OPERATION = {"admin"}, {"admin", "user"}, {"admin", "operator"}
PAGES: list[tuple[str, str, set[str]]] = [
    ("GET", "/admin", OPERATION),
    ("GET", "/admin/conflicts", ADMIN),
    ("POST", "/admin/conflicts/<int:conflict_id>/settle", ADMIN),
    ("POST", "/admin/conflicts/settle", ADMIN),
    ("GET", "/admin/dead-letters", OPERATION),
    ("GET", "/admin/dead-letters/<int:dead_letter_id>", OPERATION),
    ("POST", "/admin/dead-letters/discard", OPERATION),
    ("POST", "/admin/dead-letters/replay", OPERATION),
    ("GET", "/admin/held-deletions", ADMIN),
    ("POST", "/admin/held-deletions/<int:held_deletion_id>/approve", ADMIN),
    ("POST", "/admin/held-deletions/<int:held_deletion_id>/reject", ADMIN),
    ("GET", "/admin/history", ALL),
    ("GET", "/admin/history/<int:job_id>", ALL),
    ("POST", "/admin/history/<int:job_id>/retry", OWN),
    ("GET", "/admin/orphans", ADMIN),
    ("POST", "/admin/orphans/repair", ADMIN),
    ("POST", "/admin/orphans/search", ADMIN),
    ("GET", "/admin/settings", ADMIN),
    ("POST", "/admin/settings", ADMIN),
    ("GET", "/admin/setup", ADMIN),
    ("GET", "/admin/setup/connect", ADMIN),
    ("POST", "/admin/setup/crm", ADMIN),
    ("POST", "/admin/setup/crm/check", ADMIN),
    ("POST", "/admin/setup/google-app", ADMIN),
    ("POST", "/admin/setup/google-app/check", ADMIN),
    ("POST", "/admin/setup/test-delivery", ADMIN),
    ("POST", "/admin/setup/webhook-secret", ADMIN),
    ("POST", "/admin/setup/webhook-secret/finish", ADMIN),
    ("GET", "/admin/users", ADMIN),
    ("POST", "/admin/users/<int:connection_id>/disconnect", ADMIN),
    ("POST", "/admin/users/<int:connection_id>/sync", ADMIN),
    ("POST", "/admin/users/<user_id>/invite", ADMIN),
    ("GET", "/help", ALL),
    ("GET", "/me", ALL),
    ("POST", "/me/calendar", OWN),
    ("GET", "/me/conflicts", OWN),
    ("POST", "/me/conflicts/<int:conflict_id>/settle", OWN),
    ("POST", "/me/conflicts/settle", OWN),
    ("POST", "/me/disconnect", OWN),
    ("GET", "/me/history", ALL),
    ("POST", "/me/preview", OWN),
    ("POST", "/me/sync", OWN),
    ("GET", "/record", OWN),
    ("POST", "/record/retry", OWN),
    ("GET", "/reference", ALL),
]
ONE_THING = [(method, rule) for method, rule, _ in PAGES if "<" in rule]


@pytest.fixture
def town(house: House) -> Town:
    """Return an organization in which there is one of everything."""
    return Town(house, "acme")


def visit(town: Town, method: str, path: str, role: str) -> TestResponse:
    """Open a page, or send one of its forms, as somebody of a town."""
    browser = town.house.signed_in(town.organization, role, town.user_id)
    if method == "GET":
        return browser.get(path)
    fields = {"csrf_token": csrf_token(browser), "keep": "crm", "version": "1"}
    return browser.post(path, data=fields)


def test_the_table_has_every_page(house: House) -> None:
    open_to_strangers = {"/", "/static/<path:filename>"}

    served = {
        (method, rule.rule)
        for rule in house.app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and rule.rule not in open_to_strangers
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert served == {(method, rule) for method, rule, _ in PAGES}


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize(("method", "rule", "roles"), PAGES)
def test_a_role_opens_its_pages_and_no_others(
    town: Town, method: str, rule: str, roles: set[str], role: str
) -> None:
    path = town.path(rule)

    answer = visit(town, method, path, role)

    assert (answer.status_code == 403) == (role not in roles)


@pytest.mark.parametrize(("method", "rule", "roles"), PAGES)
def test_strangers_open_none(
    town: Town, method: str, rule: str, roles: set[str]
) -> None:
    path = town.path(rule)

    answer = town.house.browser().open(path, method=method)

    assert roles
    assert answer.status_code == 401


@pytest.mark.parametrize(("method", "rule"), ONE_THING)
def test_another_organizations_things_are_not_there(
    town: Town, method: str, rule: str
) -> None:
    path = Town(town.house, "other").path(rule)

    assert visit(town, method, path, "admin").status_code == 404


@pytest.mark.parametrize("path", ["/record?task_id=t1", "/record?event_id=e1"])
def test_another_organizations_records_are_not_there(
    house: House, town: Town, path: str
) -> None:
    stranger = house.organization("other")

    answer = house.signed_in(stranger, "admin", None).get(path)

    assert town.organization.id != stranger.id
    assert answer.status_code == 404


def test_no_form_is_taken_that_another_site_may_have_sent(town: Town) -> None:
    for method, rule, _ in PAGES:
        if method == "POST":
            path = town.path(rule)
            browser = town.house.signed_in(town.organization, "admin", town.user_id)
            assert browser.post(path).status_code == 403, rule
