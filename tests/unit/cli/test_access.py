"""Tokens for the API and sign-in addresses from the command line."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.store import tables
from shared.domain import signing
from tests.unit.cli.console import Console, lines


@pytest.fixture
def acme(console: Console) -> Console:
    """Return a console at which an organization was created."""
    console.create()
    return console


def token_of(acme: Console, *options: str) -> tables.ApiToken | None:
    """Make a token and return what is stored of it."""
    (printed,) = lines(acme.done("token", "create", "--org=acme", *options).stdout)
    with acme.found() as work:
        return work.tokens.by_hash(signing.hash_secret(printed), now=now())


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


def code_of(acme: Console, *options: str) -> str:
    """Make a sign-in address and return the code in it."""
    (printed,) = lines(acme.done("login-link", "--org=acme", *options).stdout)
    before, _, code = printed.partition("?code=")
    assert before == "http://localhost:8123/login"
    return code


@pytest.mark.parametrize("role", ["admin", "operator"])
def test_a_token_is_printed_once_and_kept_as_a_hash(acme: Console, role: str) -> None:
    stored = token_of(acme, f"--role={role}")

    assert stored is not None
    assert (stored.role, stored.crm_user_id, stored.expires_at) == (role, None, None)


def test_a_token_of_a_user_names_the_user(acme: Console) -> None:
    stored = token_of(acme, "--role=user", "--user=u1")

    assert stored is not None
    assert (stored.role, stored.crm_user_id) == ("user", "u1")


def test_a_token_can_expire(acme: Console) -> None:
    stored = token_of(acme, "--role=admin", "--expires=30")

    assert stored is not None
    assert stored.expires_at is not None
    left = stored.expires_at - now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


def test_two_tokens_differ(acme: Console) -> None:
    first, second = (
        acme.done("token", "create", "--org=acme", "--role=admin").stdout
        for _ in range(2)
    )

    assert first != second


@pytest.mark.parametrize("command", [["token", "create"], ["login-link"]])
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--org=acme", "--role=user"], "--user: is required with the role user"),
        (["--org=acme", "--role=user", "--user="], "is required with the role user"),
        (["--org=acme", "--role=boss"], "'boss' is not one of"),
        (["--org=acme"], "Missing option '--role'"),
        (["--role=admin"], "Missing option '--org'"),
        (["--org=nobody", "--role=admin"], "there is no organization nobody"),
        (["--org=acme", "--role=user", "--user=u9"], "has no user u9"),
    ],
)
def test_whoever_is_not_there_gets_nothing(
    acme: Console, command: list[str], options: list[str], complaint: str
) -> None:
    result = acme.run(*command, *options)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert complaint in result.stderr


@pytest.mark.parametrize("days", ["0", "-1", "soon", "1.5"])
def test_days_are_a_whole_number_from_one(acme: Console, days: str) -> None:
    result = acme.run(
        "token", "create", "--org=acme", "--role=admin", f"--expires={days}"
    )

    assert result.exit_code == 2
    assert "--expires" in result.stderr


def test_a_user_is_taken_on_trust_while_the_crm_has_not_been_read(
    console: Console,
) -> None:
    console.crm.answer(status=401)
    console.done("org", "create", "acme", *console.crm_options())

    result = console.done("login-link", "--org=acme", "--role=user", "--user=u9")

    assert "have not been read yet" in result.stderr
    assert len(lines(result.stdout)) == 1


def test_a_sign_in_address_works_for_five_minutes(acme: Console) -> None:
    key = signing.hash_secret(code_of(acme, "--role=user", "--user=u1"))

    with acme.begin() as work:
        late = work.login_codes.redeem(key, now=now() + timedelta(minutes=5))
        in_time = work.login_codes.redeem(
            key, now=now() + timedelta(minutes=4, seconds=30)
        )

    assert late is None
    assert in_time is not None
    assert (in_time.role, in_time.crm_user_id) == ("user", "u1")
