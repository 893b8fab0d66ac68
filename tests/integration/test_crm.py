"""The CRM adapter over HTTP: what it sends, and what it makes of answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters import crm
from shared.domain import errors, model, ports
from tests import clocks, stub_server

TASK = {"id": "t1", "version": 3, "title": "Kick-off"}
MESSAGE = ports.Notification(
    title="Reconnect", body="", link="https://sync.example.com/me", key="k"
)


@pytest.fixture
def client(stub: stub_server.StubServer, pauses: list[float]) -> crm.CrmClient:
    """Return the CRM as the stub serves it."""
    return crm.CrmClient(
        f"{stub.url}/api/v1",
        "key-1",
        clocks.SystemClock(),
        timeout_seconds=1.0,
        sleep=pauses.append,
    )


# -- what is sent -----------------------------------------------------------------


def test_tasks_are_asked_for_by_what_is_given(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.answer({"items": [TASK], "next_cursor": "c2"})

    page = client.list_tasks(
        updated_since=datetime(2026, 11, 1, 8, 30, tzinfo=UTC), cursor="c1"
    )

    [request] = stub.received
    assert (request.method, request.path) == ("GET", "/api/v1/tasks")
    assert request.headers["authorization"] == "Bearer key-1"
    assert request.query == {
        "updated_since": ["2026-11-01T08:30:00.000+00:00"],
        "cursor": ["c1"],
        "limit": ["200"],
    }
    assert page == ports.TaskPage(tasks=[TASK], next_cursor="c2")


def test_a_change_names_the_version_it_is_meant_for(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.answer({**TASK, "version": 4})

    changed = client.update_task("t/1", {"title": "New", "location": None}, version=3)

    [request] = stub.received
    assert (request.method, request.path) == ("PATCH", "/api/v1/tasks/t%2F1")
    assert request.headers["if-match"] == '"3"'
    assert request.json == {"title": "New", "location": None}
    assert changed["version"] == 4


def test_a_creation_carries_its_key(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.answer(TASK, status=201)

    client.create_task({"title": "Kick-off"}, idempotency_key="once")

    [request] = stub.received
    assert (request.method, request.path) == ("POST", "/api/v1/tasks")
    assert request.headers["idempotency-key"] == "once"
    assert request.json == {"title": "Kick-off"}


def test_users_are_read_from_all_pages(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    ann = {"id": "ann", "email": "Ann@Example.com", "active": True, "name": None}
    bob = {"id": "bob", "email": "bob@example.com", "active": False}
    stub.answer({"items": [ann], "next_cursor": "c2"})
    stub.answer({"items": [{**bob, "time_zone": "Asia/Tokyo"}], "next_cursor": None})

    users = client.list_users()

    assert users == [
        model.User(id="ann", email=model.Address("ann@example.com")),
        model.User(
            id="bob",
            email=model.Address("bob@example.com"),
            time_zone="Asia/Tokyo",
            active=False,
        ),
    ]
    assert [request.query for request in stub.received] == [{}, {"cursor": ["c2"]}]


def test_a_message_goes_to_its_user(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.answer(status=202)

    client.notify("ann", MESSAGE)

    [request] = stub.received
    assert request.path == "/api/v1/users/ann/notifications"
    assert request.json == {
        "title": "Reconnect",
        "body": "",
        "link": "https://sync.example.com/me",
        "key": "k",
    }


# -- what is made of refusals -----------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.RemoteRejectedError),
        (401, errors.RemoteAuthError),
        (403, errors.RemoteRejectedError),
        (404, errors.RecordNotFoundError),
        (409, errors.DuplicateRecordError),
        (410, errors.RecordDeletedError),
        (412, errors.VersionMismatchError),
        (422, errors.RemoteRejectedError),
        (429, errors.RateLimitError),
        (500, errors.RemoteUnavailableError),
        (503, errors.RemoteUnavailableError),
        (302, errors.RemoteUnavailableError),
        (405, errors.RemoteUnavailableError),
    ],
)
def test_each_refusal_has_its_own_error(
    stub: stub_server.StubServer,
    client: crm.CrmClient,
    status: int,
    expected: type[errors.SyncError],
) -> None:
    stub.answer_raw(b"<html>no problem body</html>", status=status)

    with pytest.raises(errors.SyncError) as refusal:
        client.update_task("t1", {}, version=3)

    assert type(refusal.value) is expected
    assert str(refusal.value) == f"the CRM answered changing task t1 with {status}"
    assert len(stub.received) == 1


@pytest.mark.parametrize(
    "complaints",
    [
        [{"field": "due_at", "message": "not 'Salary talk'"}, {"field": "title"}],
        [{"pointer": "/due_at", "detail": "not 'Salary talk'"}, "?", {"field": 7}],
        {"due_at": ["not 'Salary talk'"]},
    ],
)
def test_a_rejection_names_the_fields_but_not_their_values(
    stub: stub_server.StubServer, client: crm.CrmClient, complaints: object
) -> None:
    stub.answer({"title": "Invalid", "errors": complaints}, status=422)

    with pytest.raises(errors.RemoteRejectedError, match="because of") as refusal:
        client.update_task("t1", {}, version=3)

    assert "due_at" in str(refusal.value)
    assert "Salary" not in str(refusal.value)


def test_a_newer_version_comes_with_the_refusal(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.answer({"title": "Moved on", "current": {**TASK, "version": 9}}, status=412)

    with pytest.raises(errors.VersionMismatchError) as refusal:
        client.update_task("t1", {}, version=3)

    assert refusal.value.current == {**TASK, "version": 9}


def test_a_duplicate_names_the_task_that_was_first(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.answer({"title": "Taken", "existing_id": "t7"}, status=409)

    with pytest.raises(errors.DuplicateRecordError) as refusal:
        client.create_task({}, idempotency_key="once")

    assert refusal.value.existing_id == "t7"


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (lambda client: client.get_task("t1"), b"<html>Sign in</html>"),
        (lambda client: client.get_task("t1"), b""),
        (lambda client: client.get_task("t1"), b'{"id": "t1"}'),
        (lambda client: client.list_tasks(), b"[]"),
        (lambda client: client.list_tasks(), b'{"items": []}'),
        (lambda client: client.list_tasks(), b'{"items": [7], "next_cursor": null}'),
        (lambda client: client.list_users(), b'{"items": [{}], "next_cursor": null}'),
    ],
)
def test_an_answer_that_is_not_the_crms_counts_as_an_outage(
    stub: stub_server.StubServer,
    client: crm.CrmClient,
    call: Callable[[ports.Crm], object],
    body: bytes,
) -> None:
    for _ in range(3):
        stub.answer_raw(body)

    with pytest.raises(errors.RemoteUnavailableError, match="is not readable"):
        call(client)


def test_a_list_that_is_not_there_counts_as_an_outage(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.answer(status=404)

    with pytest.raises(errors.RemoteUnavailableError, match="with 404"):
        client.list_tasks()


# -- trying again -----------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_task("t1"),
        lambda client: client.create_task({}, idempotency_key="once"),
        lambda client: client.notify("ann", MESSAGE),
    ],
)
def test_what_is_safe_to_repeat_is_repeated(
    stub: stub_server.StubServer,
    client: crm.CrmClient,
    pauses: list[float],
    call: Callable[[ports.Crm], object],
) -> None:
    stub.answer(status=503, retry_after="2")
    stub.drop()
    stub.answer(TASK)

    call(client)

    assert len(stub.received) == 3
    assert len({request.body for request in stub.received}) == 1
    assert pauses[0] >= 2


def test_repeating_ends_after_three_tries(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    for _ in range(4):
        stub.answer(status=500)

    with pytest.raises(errors.RemoteUnavailableError):
        client.get_task("t1")

    assert len(stub.received) == 3


def test_a_change_is_never_repeated(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.drop()

    with pytest.raises(errors.RemoteUnavailableError):
        client.update_task("t1", {}, version=3)

    assert len(stub.received) == 1


def test_a_long_wish_for_patience_is_left_to_the_queues(
    stub: stub_server.StubServer, client: crm.CrmClient, pauses: list[float]
) -> None:
    stub.answer(status=429, retry_after="60")

    with pytest.raises(errors.RateLimitError) as refusal:
        client.get_task("t1")

    assert refusal.value.retry_after == 60
    assert pauses == []


# -- the network ------------------------------------------------------------------


def test_silence_counts_as_an_outage(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.stall()

    with pytest.raises(errors.RemoteUnavailableError, match="changing task t1"):
        client.update_task("t1", {}, version=3)


def test_the_key_is_not_replaced_by_one_for_the_host(
    stub: stub_server.StubServer,
    client: crm.CrmClient,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    stub.answer(TASK)

    client.get_task("t1")

    assert stub.received[0].headers["authorization"] == "Bearer key-1"


def test_the_skew_is_measured_even_on_refusals(
    stub: stub_server.StubServer, client: crm.CrmClient
) -> None:
    stub.answer(status=404, date="Tue, 01 Jan 2030 00:00:00 GMT")
    ahead = datetime(2030, 1, 1, tzinfo=UTC) - datetime.now(UTC)

    with pytest.raises(errors.RecordNotFoundError):
        client.get_task("t1")

    skew = client.clock_skew()
    assert skew is not None
    assert abs(skew - ahead) < timedelta(seconds=5)
