"""Every reason, and every kind of failure, tells a user what it means."""

import pytest

from shared.domain import errors, reasons
from shared.domain.reasons import Reason


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_a_sentence(reason: Reason) -> None:
    assert reasons.explain(reason) == reason.explanation
    assert reason.explanation[0].isupper()
    assert reason.explanation.endswith(".")


def test_a_reason_is_its_code() -> None:
    assert Reason("unchanged") is Reason.UNCHANGED
    assert f"{Reason.UNCHANGED}" == "unchanged"


@pytest.mark.parametrize("error", [errors.RateLimitError(), errors.MappingError()])
def test_a_failure_is_explained_by_its_kind(error: errors.SyncError) -> None:
    assert reasons.explain(error.reason) == str(error)


def test_a_code_that_nobody_knows_has_no_explanation() -> None:
    assert reasons.explain("from_a_later_release") == ""
