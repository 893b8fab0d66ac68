"""The simulated Calendar API: who may do what, and the calendars and settings."""

from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from deploy.demo.google import grants
from tests.contract.google_simulator import (
    ANNA,
    BEN,
    Google,
    Row,
    done,
    hour,
    refusal,
)

SCOPE = "https://www.googleapis.com/auth/calendar"


@pytest.fixture
def google() -> Google:
    return Google()


def _share(google: Google, role: str) -> str:
    """Give Ben a role on a calendar of Anna's."""
    shared = google.order("calendars", account=ANNA, summary="Team", id="team@g")
    google.order("calendars", account=BEN, id=shared["id"], access_role=role)
    return str(shared["id"])


def _grant(google: Google, *scopes: str) -> str:
    google.tokens["token-1"] = grants.Grant(
        account=ANNA,
        scopes=frozenset(f"{SCOPE}.{scope}" for scope in scopes),
        client_id="4711-client",
    )
    return "token-1"


@pytest.mark.parametrize("token", ["demo-nobody@example.com", "dead", "demo-"])
def test_a_dead_token_is_a_401(google: Google, token: str) -> None:
    answer = google.send("GET", "users/me/calendarList", token=token)

    assert refusal(answer) == (HTTPStatus.UNAUTHORIZED, "authError")
    row = answer.get_json()["error"]["errors"][0]
    assert (row["locationType"], row["location"]) == ("header", "Authorization")


def test_no_token_is_a_401(google: Google) -> None:
    answer = google.client.get("/calendar/v3/users/me/calendarList")

    assert refusal(answer) == (HTTPStatus.UNAUTHORIZED, "required")


def test_a_granted_token_acts_for_its_account(google: Google) -> None:
    token = _grant(google, "events")

    answer = google.send("GET", "calendars/primary/events", token=token)

    assert done(answer)["summary"] == ANNA


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("events", "calendars/primary/events", 200),
        ("events", "users/me/calendarList", 403),
        ("events", "users/me/settings/timezone", 403),
        ("events", "calendars/primary", 403),
        ("calendarlist.readonly", "users/me/calendarList", 200),
        ("settings.readonly", "users/me/settings/timezone", 200),
        ("settings.readonly", "calendars/primary/events", 403),
        ("events.readonly", "calendars/primary/events", 200),
    ],
)
def test_a_scope_opens_what_googles_description_says(
    google: Google, scope: str, path: str, status: int
) -> None:
    answer = google.send("GET", path, token=_grant(google, scope))

    assert answer.status_code == status
    if status == HTTPStatus.FORBIDDEN:
        assert refusal(answer)[1] == "insufficientPermissions"
        details = answer.get_json()["error"]["details"]
        assert details[0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_a_token_of_the_oauth_server_opens_what_was_ticked() -> None:
    redirect_uri = "https://app.example.com/callback"
    scopes = [f"{SCOPE}.events", f"{SCOPE}.calendarlist.readonly"]
    client = {"client_id": "4711-tests", "client_secret": "tests"}
    query = {
        "client_id": client["client_id"],
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(["openid", *scopes]),
    }
    simulator = Google(with_oauth=True)
    simulator.order("clients", **client, redirect_uris=[redirect_uri])
    redirected = simulator.order(
        "consent",
        authorization_url=f"https://google/o/oauth2/v2/auth?{urlencode(query)}",
        account=ANNA,
        untick=[scopes[1]],
    )
    code = dict(parse_qsl(urlsplit(redirected["redirect_to"]).query))["code"]
    form = {"code": code, "redirect_uri": redirect_uri, **client}

    answer = simulator.client.post(
        "/token", data={"grant_type": "authorization_code", **form}
    )

    token = done(answer)["access_token"]
    events = simulator.send("GET", "calendars/primary/events", token=token)
    calendars = simulator.send("GET", "users/me/calendarList", token=token)
    assert done(events)["summary"] == ANNA
    assert refusal(calendars) == (HTTPStatus.FORBIDDEN, "insufficientPermissions")


def test_one_who_writes_for_another_answers_for_them(google: Google) -> None:
    google.order("calendars", account=BEN, id=ANNA, access_role="writer")
    made = google.insert("cara@example.org", attendees=[{"email": ANNA}])
    accepted = [{"email": ANNA, "responseStatus": "accepted"}]

    answer = google.call(
        "PATCH", made["id"], {"attendees": accepted}, account=BEN, calendar=ANNA
    )

    assert answer.status_code == HTTPStatus.OK
    seen = google.get(made["id"], "cara@example.org")["attendees"]
    assert seen[0]["responseStatus"] == "accepted"


def test_reading_scopes_do_not_write(google: Google) -> None:
    answer = google.send(
        "POST",
        "calendars/primary/events",
        body=hour("2026-12-01T10:00"),
        token=_grant(google, "events.readonly"),
    )

    assert refusal(answer) == (HTTPStatus.FORBIDDEN, "insufficientPermissions")


def test_an_unshared_calendar_is_a_404(google: Google) -> None:
    answer = google.call("GET", calendar=BEN)

    assert refusal(answer) == (HTTPStatus.NOT_FOUND, "notFound")


def test_a_reader_reads_and_does_not_write(google: Google) -> None:
    team = _share(google, "reader")
    made = google.insert(calendar=team)

    seen = google.call("GET", made["id"], account=BEN, calendar=team)
    refused = google.call(
        "PATCH", made["id"], {"summary": "New"}, account=BEN, calendar=team
    )

    assert done(seen)["summary"] == "Kick-off"
    assert refusal(refused) == (HTTPStatus.FORBIDDEN, "requiredAccessLevel")


def test_a_writer_writes(google: Google) -> None:
    team = _share(google, "writer")

    made = google.insert(BEN, calendar=team)

    assert made["creator"] == {"email": BEN}
    assert made["organizer"] == {"email": team, "displayName": "Team", "self": True}


def test_who_sees_only_busy_times_sees_no_words_and_no_series(google: Google) -> None:
    team = _share(google, "freeBusyReader")
    google.insert(
        calendar=team,
        description="Secret",
        recurrence=["RRULE:FREQ=DAILY;COUNT=2"],
    )

    page = done(google.call("GET", account=BEN, calendar=team))

    assert page["accessRole"] == "freeBusyReader"
    assert len(page["items"]) == 2
    for row in page["items"]:
        assert row["visibility"] == "private"
        assert not {"summary", "description", "recurrence", "creator"} & row.keys()


@pytest.mark.parametrize("role", ["reader", "writerWithoutPrivateAccess"])
def test_private_events_are_busy_times_to_others(google: Google, role: str) -> None:
    team = _share(google, role)
    made = google.insert(calendar=team, visibility="private")

    seen = done(google.call("GET", made["id"], account=BEN, calendar=team))
    refused = google.call(
        "PATCH", made["id"], {"summary": "New"}, account=BEN, calendar=team
    )

    assert "summary" not in seen
    assert refused.status_code == HTTPStatus.FORBIDDEN
    own = done(google.call("GET", made["id"], calendar=team))
    assert own["summary"] == "Kick-off"


def test_another_role_kills_the_calendars_sync_tokens(google: Google) -> None:
    team = _share(google, "reader")
    token = done(google.call("GET", calendar=team))["nextSyncToken"]

    google.order("calendars", account=BEN, id=team, access_role="writer")

    answer = google.call("GET", calendar=team, syncToken=token)
    assert refusal(answer) == (HTTPStatus.GONE, "fullSyncRequired")


def _listed(google: Google, account: str = ANNA, **query: object) -> Row:
    return done(
        google.send(
            "GET", "users/me/calendarList", token=f"demo-{account}", query=query
        )
    )


def test_the_calendar_list_has_the_primary_calendar_and_the_others(
    google: Google,
) -> None:
    team = _share(google, "reader")

    page = _listed(google, BEN)

    primary, other = page["items"]
    assert (primary["id"], primary["primary"]) == (BEN, True)
    assert (primary["accessRole"], primary["timeZone"]) == ("owner", "Europe/Berlin")
    assert (other["id"], other["accessRole"]) == (team, "reader")
    assert "primary" not in other


def test_the_calendar_list_can_be_narrowed_to_what_one_may_write(
    google: Google,
) -> None:
    _share(google, "reader")

    page = _listed(google, BEN, minAccessRole="writer")

    assert [entry["id"] for entry in page["items"]] == [BEN]


def test_the_calendar_list_comes_in_pages_and_deltas(google: Google) -> None:
    team = _share(google, "reader")
    first = _listed(google, BEN, maxResults=1)
    last = _listed(google, BEN, maxResults=1, pageToken=first["nextPageToken"])
    unchanged = _listed(google, BEN, syncToken=last["nextSyncToken"])

    google.client.delete(f"/_admin/calendars/{team}?account={BEN}")
    delta = _listed(google, BEN, syncToken=last["nextSyncToken"])

    assert "nextSyncToken" not in first
    assert unchanged["items"] == []
    (entry,) = delta["items"]
    assert (entry["id"], entry["deleted"]) == (team, True)


def test_a_removed_calendar_is_gone_for_its_user(google: Google) -> None:
    team = _share(google, "writer")

    answer = google.client.delete(f"/_admin/calendars/{team}")

    assert answer.status_code == HTTPStatus.OK
    for account in (ANNA, BEN):
        found = google.call("GET", account=account, calendar=team)
        assert refusal(found) == (HTTPStatus.NOT_FOUND, "notFound")
    assert len(_listed(google, BEN)["items"]) == 1


def test_one_calendar_can_be_read(google: Google) -> None:
    entry = done(google.send("GET", f"users/me/calendarList/{ANNA}"))
    calendar = done(google.send("GET", "calendars/primary"))

    assert entry["primary"] is True
    assert (calendar["id"], calendar["timeZone"]) == (ANNA, "Europe/Berlin")
    assert calendar["kind"] == "calendar#calendar"


def test_settings_tell_zone_and_locale(google: Google) -> None:
    page = done(google.send("GET", "users/me/settings"))
    zone = done(google.send("GET", "users/me/settings/timezone"))
    unknown = google.send("GET", "users/me/settings/colour")

    values = {row["id"]: row["value"] for row in page["items"]}
    assert values["timezone"] == zone["value"] == "Europe/Berlin"
    assert values["locale"] == "en"
    assert refusal(unknown) == (HTTPStatus.NOT_FOUND, "notFound")


def test_a_new_zone_moves_settings_calendar_and_rendering(google: Google) -> None:
    made = google.insert()
    token = done(google.send("GET", "users/me/settings"))["nextSyncToken"]

    google.order("accounts", address=ANNA, time_zone="Asia/Tokyo")

    delta = done(google.send("GET", "users/me/settings", query={"syncToken": token}))
    assert "timezone" in {row["id"] for row in delta["items"]}
    shown = google.get(made["id"])["start"]
    assert shown == {
        "dateTime": "2026-12-01T18:00:00+09:00",
        "timeZone": "Europe/Berlin",
    }
