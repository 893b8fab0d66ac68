"""Who may call what: every route, every role, and other people's things."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import Direction
from shared.domain.messages import Trigger
from tests import store_rows
from tests.unit.receiver.house import API, NOW, House, csrf_token

ALL = {"admin", "user", "operator"}
ROUTES: list[tuple[str, str, set[str]]] = [
    ("GET", "/google-app", {"admin"}),
    ("PUT", "/google-app", {"admin"}),
    ("POST", "/google-app/connect", {"admin"}),
    ("POST", "/google-app/check", {"admin"}),
    ("GET", "/crm", {"admin"}),
    ("PUT", "/crm", {"admin"}),
    ("POST", "/crm/check", {"admin"}),
    ("POST", "/crm/test-delivery", {"admin"}),
    ("POST", "/crm/webhook-secret", {"admin"}),
    ("POST", "/crm/webhook-secret/finish", {"admin"}),
    ("GET", "/settings", {"admin"}),
    ("PUT", "/settings", {"admin"}),
    ("GET", "/connections", {"admin", "user"}),
    ("POST", "/connections", {"admin", "user"}),
    ("GET", "/connections/<int:connection_id>", {"admin", "user"}),
    ("PATCH", "/connections/<int:connection_id>", {"admin", "user"}),
    ("DELETE", "/connections/<int:connection_id>", {"admin", "user"}),
    ("GET", "/connections/<int:connection_id>/move", {"admin", "user"}),
    ("GET", "/connections/<int:connection_id>/calendars", {"admin", "user"}),
    ("POST", "/connections/<int:connection_id>/sync", {"admin", "user"}),
    ("GET", "/connections/<int:connection_id>/preview", {"admin", "user"}),
    ("POST", "/connections/<int:connection_id>/preview", {"admin", "user"}),
    ("GET", "/jobs", ALL),
    ("GET", "/jobs/<int:job_id>", ALL),
    ("GET", "/jobs/<int:job_id>/items", ALL),
    ("POST", "/jobs/<int:job_id>/retry", {"admin", "user"}),
    ("GET", "/conflicts", {"admin", "user"}),
    ("POST", "/conflicts/<int:conflict_id>/resolve", {"admin", "user"}),
    ("GET", "/held-deletions", {"admin"}),
    ("POST", "/held-deletions/<int:held_deletion_id>/approve", {"admin"}),
    ("POST", "/held-deletions/<int:held_deletion_id>/reject", {"admin"}),
    ("GET", "/links", {"admin", "user"}),
    ("POST", "/links/retry", {"admin", "user"}),
    ("GET", "/dead-letters", {"admin", "operator"}),
    ("GET", "/dead-letters/<int:dead_letter_id>", {"admin", "operator"}),
    ("POST", "/dead-letters/replay", {"admin", "operator"}),
    ("POST", "/dead-letters/discard", {"admin", "operator"}),
    ("GET", "/health", {"admin", "operator"}),
    ("GET", "/orphans", {"admin"}),
    ("POST", "/orphans/search", {"admin"}),
    ("POST", "/orphans/repair", {"admin"}),
    ("GET", "/activity", {"admin", "operator"}),
    ("GET", "/users", {"admin"}),
    ("POST", "/users/<user_id>/invite", {"admin"}),
    ("GET", "/connections/<int:connection_id>/removal", {"admin", "user"}),
]
"""The contract's table."""

BODIES: Mapping[str, dict[str, Any]] = {
    "PUT /google-app": {"client_id": "c", "client_secret": "s"},
    "PUT /crm": {"api_key": "k"},
    "POST /crm/webhook-secret/finish": {"keep": "new"},
    "PUT /settings": {"merge_disjoint_edits": True},
    "POST /connections": {"crm_user_id": "u1"},
    "PATCH /connections/<int:connection_id>": {"calendar_id": "ann@example.com"},
    "POST /conflicts/<int:conflict_id>/resolve": {"keep": "crm"},
    "POST /links/retry": {"task_id": "t1"},
    "POST /orphans/repair": {"kind": "dead-links"},
    "POST /dead-letters/replay": {"all": True},
    "POST /dead-letters/discard": {"all": True},
}
ONE_THING = [(m, path, roles) for m, path, roles in ROUTES if "<" in path]
OWN_THING = [(m, path, roles) for m, path, roles in ONE_THING if "user" in roles]


class Town:
    """An organization with a connected user, who has a job and a conflict."""

    def __init__(self, house: House, name: str) -> None:
        """Store all of it."""
        self.house = house
        self.organization = house.organization(name)
        self.user_id = "u1"
        house.user(self.organization, self.user_id)
        house.user(self.organization, f"guest-of-{name}")
        self.connection = house.connection(self.organization, self.user_id)
        with house.store.begin() as work:
            store_rows.add_calendar(work, self.connection)
            self.job = work.jobs.start(
                organization_id=self.organization.id,
                connection_id=self.connection.id,
                trigger=Trigger.SCHEDULE,
                direction=Direction.BOTH,
                now=NOW,
            )
            work.items.record(
                tables.JobItem(
                    job_id=self.job.id,
                    organization_id=self.organization.id,
                    connection_id=self.connection.id,
                    delivery_id=f"{name}-1",
                    task_id="t1",
                    action="none",
                    outcome="failed",
                    reason="remote_rejected",
                    attempts=1,
                    at=NOW,
                )
            )
            self.held = work.held_deletions.add(
                tables.HeldDeletion(
                    organization_id=self.organization.id,
                    connection_id=self.connection.id,
                    side="crm",
                    created_at=NOW,
                )
            )
            work.previews.request(self.connection.id, NOW)
            work.orphans.replace(
                self.organization.id,
                [
                    tables.Orphan(
                        organization_id=self.organization.id,
                        kind="dead-links",
                        crm_user_id=self.user_id,
                        repair="forget the link",
                    )
                ],
            )
            self.dead_letter = work.dead_letters.file(
                tables.DeadLetter(
                    organization_id=self.organization.id,
                    delivery_id=f"{name}-dead",
                    queue="records",
                    reason="mapping",
                    error="no start",
                    task_id="t1",
                    event_id=None,
                    attempts=1,
                    message="{}",
                    created_at=NOW,
                )
            )
            known = {"id": "t1", "owner_id": self.user_id}
            link = store_rows.add_link(
                work, self.organization, task_id="t1", task=known
            )
            self.conflict = work.conflicts.add(
                tables.Conflict(
                    organization_id=self.organization.id,
                    link_id=link.id,
                    crm_user_id=self.user_id,
                    fields=["title"],
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
            work.commit()

    def path(self, rule: str) -> str:
        """Return the address of this town's things."""
        filled = rule.replace("<int:connection_id>", str(self.connection.id))
        filled = filled.replace("<int:job_id>", str(self.job.id))
        filled = filled.replace("<int:conflict_id>", str(self.conflict.id))
        filled = filled.replace("<int:held_deletion_id>", str(self.held.id))
        filled = filled.replace("<int:dead_letter_id>", str(self.dead_letter.id))
        filled = filled.replace("<user_id>", f"guest-of-{self.organization.name}")
        if filled.endswith("/move"):
            return f"{filled}?calendar_id=ann@example.com"
        return f"{filled}?task_id=t1" if filled == "/links" else filled


def ask(caller: Any, method: str, rule: str, path: str) -> int:  # noqa: ANN401 - a Caller
    """Make a call that has nothing wrong but perhaps its caller; return the status."""
    body = BODIES.get(f"{method} {rule}")
    status: int = caller.ask(
        method, path, **({"json": body} if body else {})
    ).status_code
    return status


@pytest.fixture
def acme_town(house: House) -> Town:
    """Return the callers' own organization."""
    return Town(house, "acme")


def test_the_table_has_every_route_of_the_api(house: House) -> None:
    served = {
        (method, rule.rule.removeprefix(API))
        for rule in house.app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert served == {(method, path) for method, path, _ in ROUTES}


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize(("method", "rule", "roles"), ROUTES)
def test_a_role_makes_the_calls_of_the_contract_and_no_others(
    acme_town: Town, method: str, rule: str, roles: set[str], role: str
) -> None:
    caller = acme_town.house.caller(acme_town.organization, role, "u1")
    if rule == "/google-app/check":
        acme_town.house.google.answer({"error": "invalid_grant"}, status=400)

    status = ask(caller, method, rule, acme_town.path(rule))

    assert status == 403 if role not in roles else status in {200, 202, 204}


@pytest.mark.parametrize(("method", "rule", "roles"), ROUTES)
def test_nobody_makes_no_call(
    acme_town: Town, method: str, rule: str, roles: set[str]
) -> None:
    house, path = acme_town.house, acme_town.path(rule)
    expired = house.caller(acme_town.organization, max(roles), expires_at=NOW)

    anonymous = house.browser().open(API + path, method=method)
    unknown = house.browser().open(
        API + path, method=method, headers={"Authorization": "Bearer guess"}
    )

    assert (anonymous.status_code, unknown.status_code) == (401, 401)
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"
    assert anonymous.content_type == "application/problem+json"
    assert ask(expired, method, rule, path) == 401


@pytest.mark.parametrize("scheme", ["Basic dTpw", "Bearer", "bearer  ", "Token x"])
def test_other_kinds_of_authorization_are_refused(house: House, scheme: str) -> None:
    answer = house.browser().get(f"{API}/jobs", headers={"Authorization": scheme})

    assert answer.status_code == 401


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize(("method", "rule", "roles"), ONE_THING)
def test_another_organizations_things_are_not_there(
    acme_town: Town, method: str, rule: str, roles: set[str], role: str
) -> None:
    other = Town(acme_town.house, "other")
    caller = acme_town.house.caller(acme_town.organization, role, "u1")

    status = ask(caller, method, rule, other.path(rule))

    assert status == (404 if role in roles else 403)


@pytest.mark.parametrize("user_id", ["u2", None])
@pytest.mark.parametrize(("method", "rule", "roles"), OWN_THING)
def test_another_users_things_are_not_there(
    acme_town: Town, method: str, rule: str, roles: set[str], user_id: str | None
) -> None:
    assert "user" in roles
    caller = acme_town.house.caller(acme_town.organization, "user", user_id)

    assert ask(caller, method, rule, acme_town.path(rule)) == 404


@pytest.mark.parametrize("user_id", ["u2", None])
@pytest.mark.parametrize("path", ["/connections", "/jobs", "/conflicts"])
def test_lists_leave_out_what_is_another_users(
    acme_town: Town, path: str, user_id: str | None
) -> None:
    caller = acme_town.house.caller(acme_town.organization, "user", user_id)

    assert caller.get(path).json == {"items": [], "next_cursor": None}


def test_an_unknown_role_may_do_nothing(acme_town: Town) -> None:
    caller = acme_town.house.caller(acme_town.organization, "auditor")

    assert caller.get("/jobs").status_code == 403


def test_things_that_never_were_are_not_there(acme_town: Town) -> None:
    caller = acme_town.house.caller(acme_town.organization)

    for wrong in ("999", "0", "-1", "x", str(2**63), "9" * 40):
        assert caller.get(f"/connections/{wrong}").status_code == 404
        assert caller.post(f"/connections/{wrong}/sync").status_code == 404
        assert caller.delete(f"/connections/{wrong}").status_code == 404


class TestSessions:
    """The API from a page."""

    def test_a_session_reads_without_more(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme, "admin")

        assert browser.get(f"{API}/settings").status_code == 200

    @pytest.mark.parametrize("given", [None, "", "guess", "g\xfcess"])
    def test_a_session_changes_nothing_without_its_token(
        self, house: House, acme: tables.Organization, given: str | None
    ) -> None:
        browser = house.signed_in(acme, "admin")

        answer = browser.put(
            f"{API}/settings",
            json={"include_all_day": True},
            headers={} if given is None else {"X-CSRF-Token": given},
        )

        assert answer.status_code == 403
        assert browser.get(f"{API}/settings").get_json()["include_all_day"] is False

    def test_a_session_changes_things_with_its_token(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme, "admin")

        answer = browser.put(
            f"{API}/settings",
            json={"include_all_day": True},
            headers={"X-CSRF-Token": csrf_token(browser)},
        )

        assert answer.status_code == 200

    def test_the_token_of_another_session_does_not_fit(
        self, house: House, acme: tables.Organization
    ) -> None:
        other = csrf_token(house.signed_in(acme, "admin"))
        browser = house.signed_in(acme, "admin")

        answer = browser.put(
            f"{API}/settings", json={}, headers={"X-CSRF-Token": other}
        )

        assert answer.status_code == 403

    def test_a_bad_token_is_not_made_good_by_a_session(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme, "admin")

        answer = browser.get(
            f"{API}/settings", headers={"Authorization": "Bearer guess"}
        )

        assert answer.status_code == 401

    def test_a_session_of_an_organization_that_is_gone_ends(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme, "admin")
        with house.store.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM login_codes")
            connection.exec_driver_sql("DELETE FROM organizations")

        assert browser.get(f"{API}/settings").status_code == 401
        assert browser.get("/me").status_code == 401

    def test_a_token_that_will_expire_is_good_until_then(
        self, house: House, acme: tables.Organization
    ) -> None:
        caller = house.caller(acme, expires_at=NOW + timedelta(days=1))
        before = caller.get("/settings").status_code
        house.clock.moment = NOW + timedelta(days=1)

        assert (before, caller.get("/settings").status_code) == (200, 401)
