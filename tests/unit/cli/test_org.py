"""Setting up organizations from the command line."""

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import CrmState
from shared.domain import signing
from tests import store_rows
from tests.unit.cli.console import API_KEY, SECRET, Console, lines

SECRETS = ["launch-secret", "google-secret", API_KEY, SECRET]
GOOGLE = ("--google-client-id=the-client", "--google-client-secret=google-secret")
OTHER = "whsec_b3RoZXItb3RoZXItb3RoZXI="


def stored(console: Console, name: str = "acme") -> tables.Organization:
    """Return what is stored of an organization."""
    with console.found() as work:
        row = work.organizations.by_name(name)
    assert row is not None
    return row


def secrets_of(console: Console) -> list[str]:
    """Return the webhook secrets that are valid, newest first."""
    return stored(console).crm_webhook_secrets


# -- create -----------------------------------------------------------------------


def test_an_organization_keeps_how_to_reach_its_crm(console: Console) -> None:
    result = console.create("acme", "--launch-secret=launch-secret")

    row = stored(console)
    assert result.exit_code == 0
    assert row.crm_url == f"{console.crm.url}/api/v1"
    assert row.crm_api_key == API_KEY
    assert row.crm_webhook_secrets == [SECRET]
    assert row.launch_secret == "launch-secret"  # noqa: S105 - made up
    assert row.google_client_id is None


def test_creating_an_organization_reads_the_users_of_its_crm(console: Console) -> None:
    console.create()

    with console.found() as work:
        users = [work.users.of(stored(console).id, id_) for id_ in ("u1", "u2")]
    assert [user and (user.email, user.active) for user in users] == [
        ("ann@acme.example", True),
        ("ben@acme.example", False),
    ]
    assert stored(console).users_read_at is not None
    assert stored(console).crm_state == CrmState.VERIFIED
    (asked,) = console.crm.received
    assert asked.path == "/api/v1/users"
    assert asked.headers["authorization"] == f"Bearer {API_KEY}"


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_crm_that_does_not_answer_leaves_its_users_for_later(
    console: Console, status: int
) -> None:
    for _ in range(3):
        console.crm.answer(status=status)

    result = console.run("org", "create", "acme", *console.crm_options())

    assert result.exit_code == 0
    assert "users of the CRM were not read" in result.stderr
    assert stored(console).users_read_at is None
    assert stored(console).crm_state == CrmState.UNCHECKED


def test_a_google_app_can_be_given_at_once_and_is_unchecked(console: Console) -> None:
    console.create("acme", *GOOGLE)

    row = stored(console)
    assert row.google_client_id == "the-client"
    assert row.google_client_secret == "google-secret"  # noqa: S105 - made up
    assert row.google_app_state == "unchecked"


@pytest.mark.parametrize("name", ["a", "acme", "acme-2", "2-acme", "a" * 63])
def test_a_name_has_small_letters_digits_and_hyphens(
    console: Console, name: str
) -> None:
    assert console.create(name).exit_code == 0


@pytest.mark.parametrize("name", ["", "Acme", "acme_2", "ac me", "a" * 64, "ä", "a\n"])
def test_any_other_name_is_refused(console: Console, name: str) -> None:
    result = console.create(name)

    assert result.exit_code == 2
    assert lines(result.stderr) == [
        "Error: NAME: must be 1 to 63 characters of a-z, 0-9 and -"
    ]


def test_all_that_is_wrong_is_told_at_once(console: Console) -> None:
    result = console.run(
        "org",
        "create",
        "Acme",
        "--crm-url=http://crm.example/api/v1",
        "--crm-api-key= ",
        "--crm-webhook-secret=guess",
        "--google-client-id=the-client",
    )

    assert result.exit_code == 2
    assert [line.split(": ")[1] for line in lines(result.stderr)] == [
        "NAME",
        "--crm-api-key",
        "--crm-url",
        "--crm-webhook-secret",
        "--google-client-id, --google-client-secret",
    ]
    assert console.read("org", "list") == []


def test_a_name_that_is_taken_is_refused_and_nothing_changes(console: Console) -> None:
    console.create()

    result = console.create("acme", "--launch-secret=launch-secret")

    assert result.exit_code == 2
    assert lines(result.stderr) == ["Error: NAME: acme exists already"]
    assert stored(console).launch_secret is None


def test_the_first_command_makes_the_database_in_embedded_mode(
    console: Console,
) -> None:
    url = f"sqlite:///{console.folder}/new/other.db"

    result = console.run("org", "list", "--json", DATABASE_URL=url, SECRET_KEYS="")

    assert (result.exit_code, result.stdout) == (0, "[]\n")
    assert (console.folder / "new" / "secret-key").stat().st_mode & 0o777 == 0o600


# -- list, show -------------------------------------------------------------------


def test_a_list_has_one_line_for_each_organization(console: Console) -> None:
    console.create("beta")
    console.create("acme")

    heading, *rows = lines(console.done("org", "list").stdout)

    assert heading.split()[:2] == ["NAME", "CRM"]
    assert [row.split()[0] for row in rows] == ["acme", "beta"]


def test_an_organization_can_be_shown_in_full(console: Console) -> None:
    console.create("acme", *GOOGLE)

    shown = console.read("org", "show", "acme")

    assert shown["name"] == "acme"
    assert shown["google_client_id"] == "the-client"
    assert shown["webhook_url"] == "http://localhost:8123/webhooks/crm/acme"
    assert shown["settings"]["conflict_policy"] == "last_modified_wins"
    assert shown["connections"] == {}


def test_no_command_shows_a_secret(console: Console) -> None:
    shown = console.create("acme", "--launch-secret=launch-secret", *GOOGLE).output
    shown += console.done("org", "update", "acme", "--launch-secret=more").output
    for arguments in (["list"], ["show", "acme"]):
        shown += console.done("org", *arguments).output
        shown += console.done("org", *arguments, "--json").output

    assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "nobody"],
        ["update", "nobody", "--launch-secret=x"],
        ["rotate-webhook-secret", "nobody"],
    ],
)
def test_an_organization_that_is_not_there_is_wrong_usage(
    console: Console, arguments: list[str]
) -> None:
    result = console.run("org", *arguments)

    assert result.exit_code == 2
    assert "there is no organization nobody" in result.stderr


# -- update -----------------------------------------------------------------------


def test_an_update_changes_what_is_given_and_leaves_the_rest(console: Console) -> None:
    console.create("acme", "--launch-secret=launch-secret", *GOOGLE)

    console.done("org", "update", "acme", "--launch-secret=newer")

    row = stored(console)
    assert row.launch_secret == "newer"  # noqa: S105 - made up
    assert (row.crm_api_key, row.google_client_id) == (API_KEY, "the-client")


def test_a_new_google_app_has_those_who_wait_for_it_probed_at_once(
    console: Console,
) -> None:
    console.create("acme", *GOOGLE)
    with console.begin() as work:
        acme = work.organizations.by_id(stored(console).id)
        acme.probed_at = store_rows.NOW
        waiting = store_rows.add_connection(
            work,
            acme,
            state="paused",
            problem="client_refused",
            probed_at=store_rows.NOW,
        )
        work.commit()

    console.done("org", "update", "acme", *GOOGLE)

    with console.found() as work:
        assert work.connections.by_id(waiting.id).probed_at is None
    assert stored(console).probed_at is None


def test_a_new_google_app_is_unchecked_again(console: Console) -> None:
    console.create("acme", *GOOGLE)
    with console.begin() as work:
        row = work.organizations.by_name("acme")
        assert row is not None
        row.google_app_state = "verified"
        row.google_connected_as = "admin@acme.example"
        work.commit()

    console.done("org", "update", "acme", *GOOGLE)

    assert stored(console).google_app_state == "unchecked"
    assert stored(console).google_connected_as is None


def test_a_new_key_of_the_crm_reads_the_users_with_it(console: Console) -> None:
    console.create(users=[])
    console.crm.answer(
        {"items": [{"id": "u9", "email": "z@x.example", "active": True}]}
        | {"next_cursor": None}
    )

    console.done("org", "update", "acme", "--crm-api-key=newer")

    assert console.crm.received[-1].headers["authorization"] == "Bearer newer"
    with console.found() as work:
        assert work.users.of(stored(console).id, "u9") is not None


def test_a_crm_that_moved_to_where_nothing_answers_is_unchecked(
    console: Console,
) -> None:
    console.create()
    console.crm.answer(status=401)

    console.done("org", "update", "acme", "--crm-api-key=newer")

    assert stored(console).crm_state == CrmState.UNCHECKED


def test_a_webhook_secret_that_was_mistyped_can_be_set_anew(console: Console) -> None:
    console.create()
    console.done("org", "rotate-webhook-secret", "acme")

    console.done("org", "update", "acme", f"--crm-webhook-secret={SECRET}")

    assert stored(console).crm_webhook_secrets == [SECRET]


def test_an_update_of_something_else_leaves_the_crm_alone(console: Console) -> None:
    console.create()

    console.done("org", "update", "acme", "--launch-secret=newer")

    assert len(console.crm.received) == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "nothing to change was given"),
        (["--crm-url=ftp://crm"], "--crm-url: must be an http or https address"),
        (["--crm-url=https://crm.example/api/v1?a=b"], "--crm-url: must name no user"),
        (["--crm-api-key="], "--crm-api-key: must not be empty"),
        (["--crm-webhook-secret=short"], "--crm-webhook-secret: must be whsec_"),
        (["--google-client-id=x"], "must be given together"),
    ],
)
def test_an_update_that_makes_no_sense_is_refused(
    console: Console, options: list[str], complaint: str
) -> None:
    console.create()

    result = console.run("org", "update", "acme", *options)

    assert result.exit_code == 2
    assert complaint in result.stderr


# -- rotate-webhook-secret --------------------------------------------------------


def test_a_rotated_secret_is_printed_and_valid_beside_the_one_before(
    console: Console,
) -> None:
    console.create()

    result = console.done("org", "rotate-webhook-secret", "acme")

    (printed,) = lines(result.stdout)
    assert len(signing.secret_key(printed)) == 32
    assert secrets_of(console) == [printed, SECRET]
    assert "--finish" in result.stderr


def test_a_second_rotation_has_to_wait_for_the_end_of_the_first(
    console: Console,
) -> None:
    console.create()
    printed = console.done("org", "rotate-webhook-secret", "acme").stdout.strip()

    result = console.run("org", "rotate-webhook-secret", "acme")

    assert result.exit_code == 2
    assert "end that with --finish" in result.stderr
    assert result.stdout == ""
    # The CRM may still sign with the one before.
    assert secrets_of(console) == [printed, SECRET]


def test_a_rotation_that_is_cancelled_leaves_the_former_secret(
    console: Console,
) -> None:
    console.create()
    console.done("org", "rotate-webhook-secret", "acme")

    console.done("org", "rotate-webhook-secret", "acme", "--cancel")

    assert secrets_of(console) == [SECRET]


@pytest.mark.parametrize("step", ["--finish", "--cancel"])
def test_without_a_rotation_there_is_nothing_to_end(
    console: Console, step: str
) -> None:
    console.create()

    result = console.done("org", "rotate-webhook-secret", "acme", step)

    assert secrets_of(console) == [SECRET]
    assert lines(result.stderr) == [
        "No secret of acme was being rotated: the only one stays."
    ]


def test_finishing_a_rotation_leaves_the_newest_secret_alone(console: Console) -> None:
    console.create()
    printed = console.done("org", "rotate-webhook-secret", "acme").stdout.strip()

    result = console.done("org", "rotate-webhook-secret", "acme", "--finish")

    assert secrets_of(console) == [printed]
    assert result.stdout == ""


def test_a_secret_that_the_crm_made_can_be_rotated_in(console: Console) -> None:
    console.create()

    console.done("org", "rotate-webhook-secret", "acme", "--secret", OTHER)
    console.done("org", "rotate-webhook-secret", "acme", "--secret", OTHER)

    assert secrets_of(console) == [OTHER, SECRET]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--secret=guess"], "--secret: must be whsec_"),
        (["--finish", "--cancel"], "--secret, --finish and --cancel are steps"),
        (
            ["--finish", f"--secret={OTHER}"],
            "--secret, --finish and --cancel are steps",
        ),
    ],
)
def test_a_rotation_that_makes_no_sense_changes_nothing(
    console: Console, options: list[str], complaint: str
) -> None:
    console.create()

    result = console.run("org", "rotate-webhook-secret", "acme", *options)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert secrets_of(console) == [SECRET]
