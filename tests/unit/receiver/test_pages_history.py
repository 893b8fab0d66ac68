"""The sync history, as people read it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Direction
from shared.domain.messages import Queue, Trigger
from tests import store_rows
from tests.store_rows import NOW
from tests.unit.receiver.house import House, csrf_token

HISTORY = "/admin/history"


class Office:
    """An organization in which Ann and Ben are connected."""

    def __init__(self, house: House, acme: tables.Organization) -> None:
        """Store both."""
        self.house = house
        self.acme = acme
        house.user(acme, "u1", name="Ann Lee", email="ann@acme.example")
        house.user(acme, "u2", name="Ben Roy", email="ben@acme.example")
        self.ann = house.connection(acme, "u1", google_sub="1")
        self.ben = house.connection(acme, "u2", google_sub="2")

    def job(
        self,
        connection: tables.Connection | None,
        *items: dict[str, Any],
        days_ago: int = 0,
        direction: Direction = Direction.BOTH,
    ) -> tables.Job:
        """Store a job that has ended, unless it has no items."""
        began_at = NOW - timedelta(days=days_ago)
        with self.house.store.begin() as work:
            job = work.jobs.start(
                organization_id=self.acme.id,
                connection_id=connection.id if connection else None,
                trigger=Trigger.SCHEDULE,
                direction=direction,
                now=began_at,
                expected=len(items) or None,
            )
            for number, item in enumerate(items):
                self._record(work, job, number, item)
            work.commit()
        return job

    def _record(
        self, work: UnitOfWork, job: tables.Job, number: int, item: dict[str, Any]
    ) -> None:
        plain = {
            "connection_id": job.connection_id,
            "task_id": "t1",
            "action": "update_event",
            "outcome": "applied",
            "reason": "task_edited",
            "attempts": 1,
            "at": job.started_at + timedelta(seconds=90),
        }
        work.items.record(
            tables.JobItem(
                job_id=job.id,
                organization_id=self.acme.id,
                delivery_id=f"d{number}",
                **(plain | item),
            )
        )

    def admin(self) -> FlaskClient:
        """Return the browser of an admin who is no user."""
        return self.house.signed_in(self.acme, "admin", None)


@pytest.fixture
def office(house: House, acme: tables.Organization) -> Office:
    return Office(house, acme)


def test_an_empty_history_says_what_will_begin_it(office: Office) -> None:
    assert "Nothing has been synced yet" in office.admin().get(HISTORY).text


def test_a_job_is_told_in_words(office: Office) -> None:
    job = office.job(office.ann, {}, {"outcome": "failed"})

    text = office.admin().get(HISTORY).text

    assert f'href="/admin/history/{job.id}"' in text
    for words in (
        "Partly failed",
        "Ann Lee",
        "Both ways",
        "The schedule",
        "1 min 30 s",
    ):
        assert words in text


def test_times_are_the_viewers(office: Office) -> None:
    office.job(office.ann, {})
    browser = office.admin()
    browser.set_cookie("time_zone", "Asia/Tokyo")

    text = browser.get(HISTORY).text

    assert "2 Mar 2026, 18:30" in text
    assert "Times are those of Asia/Tokyo" in text


def test_a_zone_that_there_is_not_is_not_taken(office: Office) -> None:
    office.job(office.ann, {})
    browser = office.admin()
    browser.set_cookie("time_zone", "../../etc/passwd")

    assert "Times are those of UTC" in browser.get(HISTORY).text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Ann Lee", "Ben Roy"}),
        ("?user=ann", {"Ann Lee"}),
        ("?user=ben@acme.example", {"Ben Roy"}),
        ("?state=succeeded", {"Ann Lee"}),
        ("?direction=crm_to_google", {"Ben Roy"}),
        ("?first=2026-03-01", {"Ann Lee"}),
        ("?last=2026-03-01", {"Ben Roy"}),
        ("?first=2026-03-02&last=2026-03-02&state=", {"Ann Lee"}),
    ],
)
def test_the_history_is_filtered(office: Office, query: str, names: set[str]) -> None:
    office.job(office.ann, {})
    office.job(
        office.ben, {"outcome": "failed"}, days_ago=3, direction=Direction.CRM_TO_GOOGLE
    )

    text = office.admin().get(HISTORY + query).text

    assert {name for name in ("Ann Lee", "Ben Roy") if name in text} == names


def test_where_no_job_fits_all_can_be_shown(office: Office) -> None:
    office.job(office.ann, {})

    text = office.admin().get(f"{HISTORY}?state=failed").text

    assert "No sync fits" in text
    assert f'href="{HISTORY}"' in text


def test_a_filter_that_there_is_not_is_refused(office: Office) -> None:
    assert office.admin().get(f"{HISTORY}?state=odd").status_code == 400


def test_a_long_history_is_paged(office: Office) -> None:
    first = office.job(office.ann, {})
    office.job(office.ann, {})

    text = office.admin().get(f"{HISTORY}?limit=1").text

    older = f"{HISTORY}?limit=1&amp;cursor={first.id + 1}"
    assert f'href="{older}"' in text
    assert f"/{first.id}" in office.admin().get(older.replace("&amp;", "&")).text


def test_a_user_sees_the_own_history_only(office: Office) -> None:
    office.job(office.ann, {})
    office.job(office.ben, {})

    for path in (HISTORY, "/me/history"):
        text = office.house.signed_in(office.acme, "user", "u1").get(path).text
        assert "Ann Lee" in text.partition("<main")[2]
        assert "Ben Roy" not in text


def test_an_admin_has_an_own_history_too(office: Office) -> None:
    office.job(office.ben, {})
    browser = office.house.signed_in(office.acme, "admin", "u1")

    assert "Nothing has been synced yet" in browser.get("/me/history").text


# -- a job ------------------------------------------------------------------------


def test_a_record_says_why_it_came_out_as_it_did(office: Office) -> None:
    changes = {"title": {"before": "Plan", "after": "Plan <B>"}}
    job = office.job(office.ann, {"changes": changes})

    text = office.admin().get(f"{HISTORY}/{job.id}").text

    assert "The task was edited: the event followed." in text
    assert "Update event" in text
    assert "Plan &lt;B&gt;" in text
    assert 'href="/record?task_id=t1"' in text


def test_what_is_new_has_a_value_but_no_past(office: Office) -> None:
    new = {"title": {"before": None, "after": "Plan"}}
    edited = {"title": {"before": "Plan", "after": "Plan B"}}
    pages = [
        office.admin().get(f"{HISTORY}/{office.job(office.ann, each).id}").text
        for each in ({"changes": new}, {"changes": edited})
    ]

    assert ["Value" in page for page in pages] == [True, False]
    assert ["Before" in page for page in pages] == [False, True]


def test_that_only_syncs_with_errors_are_shown_can_be_seen(office: Office) -> None:
    every, with_errors = (
        office.admin().get(path).text
        for path in (HISTORY, f"{HISTORY}?has_errors=true")
    )

    assert 'name="has_errors" value="true">' in every
    assert 'name="has_errors" value="true" checked>' in with_errors


def test_a_record_is_called_as_it_was_seen_or_as_it_is_now(office: Office) -> None:
    with office.house.store.begin() as work:
        for task_id in ("t1", "t2"):
            known = {"title": f"Now {task_id}"}
            store_rows.add_link(work, office.acme, task_id=task_id, task=known)
        work.commit()
    unseen = {"task_id": "t1"}
    seen = {"task_id": "t2", "crm": {"title": "Then"}}
    unknown = {"task_id": None, "event_id": "e9"}
    job = office.job(office.ann, unseen, seen, unknown)

    text = office.admin().get(f"{HISTORY}/{job.id}").text

    assert re.findall("<h3>(.*)</h3>", text) == ["A record", "Then", "Now t1"]


def test_an_error_is_told_in_words_and_raw(office: Office) -> None:
    failed = {
        "outcome": "failed",
        "reason": "rate_limit",
        "error": "403 rateLimitExceeded",
        "attempts": 3,
        "next_attempt_at": NOW + timedelta(hours=1),
    }
    job = office.job(office.ann, failed)

    text = office.admin().get(f"{HISTORY}/{job.id}").text

    for words in ("403 rateLimitExceeded", "3 attempts", "Next attempt", "10:30"):
        assert words in text


def test_a_running_job_shows_how_far_it_has_come(office: Office) -> None:
    job = office.job(office.ann)
    with office.house.store.begin() as work:
        work.jobs.note_found(job.id, 40)
        work.commit()

    text = office.admin().get(f"{HISTORY}/{job.id}").text

    assert f'data-job="{job.id}"' in text
    assert "0 of 40 found so far" in text


def test_failed_records_are_tried_again(office: Office) -> None:
    job = office.job(office.ann, {"outcome": "failed"})
    browser = office.admin()

    answer = browser.post(
        f"{HISTORY}/{job.id}/retry", data={"csrf_token": csrf_token(browser)}
    )

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{HISTORY}/{job.id + 1}"
    (due,) = office.house.queued()
    assert (due.queue, due.trigger) == (Queue.RECORDS, Trigger.RETRY)


def test_a_form_that_another_site_sends_is_refused(office: Office) -> None:
    job = office.job(office.ann, {"outcome": "failed"})

    answer = office.admin().post(f"{HISTORY}/{job.id}/retry", data={})

    assert answer.status_code == 403
    assert office.house.queued() == []


def test_an_operator_reads_but_does_not_retry(office: Office) -> None:
    job = office.job(office.ann, {"outcome": "failed"})
    browser = office.house.signed_in(office.acme, "operator", None)

    assert "Retry" not in browser.get(f"{HISTORY}/{job.id}").text
    token = csrf_token(browser)
    answer = browser.post(f"{HISTORY}/{job.id}/retry", data={"csrf_token": token})
    assert answer.status_code == 403
