"""The simulated Calendar API: lists, pages, sync tokens and tombstones."""

from http import HTTPStatus

import pytest

from tests.contract.google_simulator import (
    ANNA,
    BEN,
    Google,
    Row,
    hour,
    refusal,
)

BARE = {"kind", "etag", "id", "status"}


@pytest.fixture
def google() -> Google:
    return Google()


def _ids(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


def test_a_list_says_what_it_is_a_list_of(google: Google) -> None:
    made = google.insert()

    (page,) = google.pages()

    assert page["kind"] == "calendar#events"
    assert page["summary"] == ANNA
    assert page["timeZone"] == "Europe/Berlin"
    assert page["accessRole"] == "owner"
    assert page["updated"] == made["updated"]
    assert page["items"] == [made]


def test_a_sync_token_gives_what_changed_since_once_per_event(google: Google) -> None:
    untouched, edited, deleted = (google.insert() for _ in range(3))
    token = google.sync_token()
    google.patch(edited["id"], {"summary": "One"})
    google.patch(edited["id"], {"summary": "Two"})
    google.delete(deleted["id"])
    made = google.insert()

    rows = google.rows(syncToken=token)

    assert _ids(rows) == [edited["id"], deleted["id"], made["id"]]
    assert untouched["id"] not in _ids(rows)
    assert rows[0]["summary"] == "Two"


def test_an_old_token_stays_usable(google: Google) -> None:
    token = google.sync_token()
    made = google.insert()

    first, second = google.rows(syncToken=token), google.rows(syncToken=token)

    assert _ids(first) == _ids(second) == [made["id"]]


def test_a_deletion_is_stripped_in_a_delta_unless_details_are_asked_for(
    google: Google,
) -> None:
    token = google.sync_token()
    made = google.insert()
    google.delete(made["id"])

    (bare,) = google.rows(syncToken=token)
    (detailed,) = google.rows(syncToken=token, showDeleted="true")

    assert bare.keys() == BARE
    assert bare["status"] == detailed["status"] == "cancelled"
    assert detailed["summary"] == "Kick-off"


def test_a_full_list_hides_what_was_deleted_unless_asked(google: Google) -> None:
    made = google.insert()
    google.delete(made["id"])

    hidden, shown = google.rows(), google.rows(showDeleted="true")

    assert hidden == []
    assert _ids(shown) == [made["id"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iCalUID", "abc@google.com"),
        ("orderBy", "updated"),
        ("privateExtendedProperty", "a=1"),
        ("q", "kick"),
        ("sharedExtendedProperty", "a=1"),
        ("timeMin", "2026-12-01T00:00:00Z"),
        ("timeMax", "2026-12-02T00:00:00Z"),
        ("updatedMin", "2026-11-24T00:00:00Z"),
        ("showDeleted", "false"),
    ],
)
def test_a_sync_token_goes_with_no_filter(
    google: Google, name: str, value: str
) -> None:
    token = google.sync_token()

    answer = google.call("GET", syncToken=token, **{name: value})

    assert refusal(answer) == (
        HTTPStatus.BAD_REQUEST,
        "syncTokenWithRequestRestrictions",
    )


def test_a_sync_token_belongs_to_the_selection_it_was_given_for(
    google: Google,
) -> None:
    token = google.sync_token(singleEvents="true")

    other = google.call("GET", syncToken=token)
    same = google.call("GET", syncToken=token, singleEvents="true")

    assert other.status_code == HTTPStatus.BAD_REQUEST
    assert same.status_code == HTTPStatus.OK


def test_a_window_may_open_a_sync_and_later_deltas_reach_beyond_it(
    google: Google,
) -> None:
    google.insert(**hour("2026-01-01T10:00"))
    near = google.insert(**hour("2026-12-01T10:00"))
    (page,) = google.pages(timeMin="2026-11-01T00:00:00Z")
    far = google.insert(**hour("2026-01-02T10:00"))

    rows = google.rows(syncToken=page["nextSyncToken"])

    assert _ids(page["items"]) == [near["id"]]
    assert _ids(rows) == [far["id"]]


def _dead(google: Google, token: str) -> None:
    answer = google.call("GET", syncToken=token)
    error = answer.get_json()["error"]
    assert refusal(answer) == (HTTPStatus.GONE, "fullSyncRequired")
    assert error["errors"][0]["domain"] == "calendar"
    assert error["errors"][0]["location"] == "syncToken"
    assert "full sync is required" in error["message"]


def test_tokens_die_on_demand(google: Google) -> None:
    token, other = google.sync_token(), google.sync_token(BEN)

    google.order("expire-sync-tokens", calendar=ANNA)

    _dead(google, token)
    assert google.rows(BEN, syncToken=other) == []
    assert google.rows(syncToken=google.sync_token()) == []


def test_tokens_die_of_age(google: Google) -> None:
    token = google.sync_token()

    google.clock.advance(days=31)

    _dead(google, token)


@pytest.mark.parametrize("change", ["prefix", "other calendar", "made up"])
def test_a_token_that_is_not_this_lists_is_dead(google: Google, change: str) -> None:
    token = {
        "prefix": "x" + google.sync_token(),
        "other calendar": google.sync_token(BEN),
        "made up": "CPDAlvWDx70CEPDAlvWDx70CGAU=",
    }[change]

    _dead(google, token)


def test_a_page_has_a_page_token_or_a_sync_token_never_both(google: Google) -> None:
    made = [google.insert()["id"] for _ in range(5)]

    pages = google.pages(maxResults="2")

    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert [_ids(page["items"]) for page in pages] == [made[:2], made[2:4], made[4:]]
    assert [("nextPageToken" in p, "nextSyncToken" in p) for p in pages] == [
        (True, False),
        (True, False),
        (False, True),
    ]


def test_tombstones_make_pages_empty_but_not_last(google: Google) -> None:
    for _ in range(4):
        google.delete(google.insert()["id"])
    alive = google.insert()

    pages = google.pages(maxResults="2")

    assert [_ids(page["items"]) for page in pages] == [[], [], [alive["id"]]]


def test_a_filter_makes_pages_empty_but_not_last(google: Google) -> None:
    for _ in range(3):
        google.insert(summary="Lunch")
    wanted = google.insert(summary="Kick-off with Ben")

    pages = google.pages(maxResults="2", q="ben KICK")

    assert [_ids(page["items"]) for page in pages] == [[], [wanted["id"]]]


def test_empty_pages_come_on_demand(google: Google) -> None:
    made = google.insert()
    google.order("empty-pages", on=True)

    pages = google.pages()
    google.order("empty-pages", on=False)
    after = google.pages()

    assert [_ids(page["items"]) for page in pages] == [[], [made["id"]]]
    assert len(after) == 1


def test_a_paged_delta_repeats_the_sync_token_and_misses_nothing(
    google: Google,
) -> None:
    token = google.sync_token()
    first, second, third = (google.insert() for _ in range(3))
    page = google.call("GET", syncToken=token, maxResults="2").get_json()
    google.patch(first["id"], {"summary": "Changed while paging"})

    last = google.call(
        "GET", syncToken=token, maxResults="2", pageToken=page["nextPageToken"]
    ).get_json()
    after = google.rows(syncToken=last["nextSyncToken"])

    assert _ids(page["items"]) == [first["id"], second["id"]]
    assert third["id"] in _ids(last["items"])
    assert _ids(after) == [first["id"]]


def test_a_page_token_belongs_to_its_query(google: Google) -> None:
    google.insert()
    google.insert()
    page = google.call("GET", maxResults="1").get_json()

    answer = google.call("GET", q="kick", pageToken=page["nextPageToken"])

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "invalid")
