"""The answers of guests: they go to the CRM, and are no edit of anything."""

import pytest

from shared.domain.model import Response, Responses
from shared.domain.reasons import Reason
from shared.domain.settings import Settings
from tests.unit.domain.deciding import (
    AGREED,
    ALL_POLICIES,
    BY_EVENT,
    BY_TASK,
    agreed,
    decide,
    live,
    situation,
)
from tests.unit.domain.records import EVE, FAY

ASKED: Responses = {EVE: Response.NEEDS_ACTION, FAY: Response.DECLINED}
ANSWERED: Responses = {EVE: Response.ACCEPTED, FAY: Response.DECLINED}
EVERY_POLICY = pytest.mark.parametrize("settings", ALL_POLICIES)


@EVERY_POLICY
def test_an_answer_alone_goes_to_the_crm(settings: Settings) -> None:
    found = situation(baseline=agreed(AGREED, ASKED), responses=ANSWERED)

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.GUESTS_ANSWERED, AGREED)
    assert decision.responses == ANSWERED


@EVERY_POLICY
def test_an_answer_beside_an_edit_in_the_crm_is_no_conflict(settings: Settings) -> None:
    found = situation(
        live(BY_TASK), live(), baseline=agreed(AGREED, ASKED), responses=ANSWERED
    )

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.TASK_EDITED, BY_TASK)
    assert decision.responses == ANSWERED


def test_an_answer_beside_an_edit_in_google_goes_along() -> None:
    found = situation(
        live(), live(BY_EVENT), baseline=agreed(AGREED, ASKED), responses=ANSWERED
    )

    decision = decide(found)

    assert (decision.reason, decision.responses) == (Reason.EVENT_EDITED, ANSWERED)


def test_answers_that_are_known_are_no_news() -> None:
    found = situation(baseline=agreed(AGREED, ANSWERED), responses=dict(ANSWERED))

    assert decide(found).reason is Reason.UNCHANGED
