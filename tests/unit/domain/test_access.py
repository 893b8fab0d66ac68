"""Why Google does not let us in: what each refusal says, and the texts."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain import access, errors
from shared.domain.access import Problem

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WEEK = access.TESTING_LIFETIME


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (errors.GrantRevokedError(), Problem.REVOKED),
        (errors.AccountGoneError(), Problem.ACCOUNT_GONE),
        (errors.AdminPolicyError(), Problem.ADMIN_POLICY),
        (errors.MissingScopesError(), Problem.MISSING_SCOPES),
        (errors.CalendarMissingError(), Problem.CALENDAR_MISSING),
        (errors.ApiDisabledError(), Problem.API_DISABLED),
        (errors.ClientRefusedError(), Problem.CLIENT_REFUSED),
        (errors.CalendarOffError(), Problem.CALENDAR_OFF),
        (errors.AccessRefusedError(), Problem.ACCESS_REFUSED),
        (errors.RemoteAuthError(), Problem.ACCESS_REFUSED),
    ],
)
def test_each_refusal_is_a_problem_of_its_own(
    error: errors.RemoteAuthError, problem: Problem
) -> None:
    assert access.problem_of(error, consented_at=None, now=NOW) is problem


@pytest.mark.parametrize(
    ("age", "problem"),
    [
        (WEEK - timedelta(hours=2), Problem.REVOKED),
        (WEEK - timedelta(hours=1), Problem.TESTING_EXPIRED),
        (WEEK, Problem.TESTING_EXPIRED),
        (WEEK + timedelta(days=1), Problem.TESTING_EXPIRED),
        (WEEK + timedelta(days=1, seconds=1), Problem.REVOKED),
    ],
)
def test_a_grant_that_ends_after_a_week_was_of_an_app_in_testing(
    age: timedelta, problem: Problem
) -> None:
    error = errors.GrantRevokedError()

    assert access.problem_of(error, consented_at=NOW - age, now=NOW) is problem


def test_an_account_that_is_gone_after_a_week_is_gone() -> None:
    error = errors.AccountGoneError()

    found = access.problem_of(error, consented_at=NOW - WEEK, now=NOW)

    assert found is Problem.ACCOUNT_GONE


@pytest.mark.parametrize("problem", Problem)
def test_each_problem_says_what_to_do_in_its_own_words(problem: Problem) -> None:
    details = [other.detail for other in Problem]

    assert details.count(problem.detail) == 1
    assert 0 < len(problem.heading) <= 200  # the CRM takes no more
    assert any(
        what in problem.detail.lower()
        for what in (
            "connect again",
            "another account",
            "has to",
            "administrator",
            "start",
        )
    )


def test_the_text_about_testing_names_the_limit_and_the_remedy() -> None:
    detail = Problem.TESTING_EXPIRED.detail

    assert "seven days" in detail
    assert "publish the app" in detail


def test_the_app_is_the_organizations() -> None:
    of_app = {problem for problem in Problem if problem.is_of_app}

    assert of_app == {Problem.API_DISABLED, Problem.CLIENT_REFUSED}
