"""Lines of the log: their context, their forms, and who is heard."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest

from shared import log
from shared.domain import errors
from shared.log import bound
from tests import logs

OURS = "workers.example"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Leave the loggers of this process as they were."""
    with logs.kept():
        yield


def test_a_line_has_the_context_of_the_work_in_hand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("info", "json")

    with bound(trace="t1", task=None), bound(attempt=2):
        logging.getLogger(OURS).info("Did %s", "it")
    logging.getLogger(OURS).info("Went home")

    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    del first["at"], second["at"]
    assert first == {
        "level": "info",
        "logger": OURS,
        "message": "Did it",
        "trace": "t1",
        "attempt": 2,
    }
    assert second == {"level": "info", "logger": OURS, "message": "Went home"}


def test_a_line_of_text_ends_with_its_context(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("info", "text")

    with bound(trace="t1", attempt=2):
        logging.getLogger(OURS).info("Did it")

    assert capsys.readouterr().err.endswith(f"{OURS}: Did it trace=t1 attempt=2\n")


@pytest.mark.parametrize("level", ["debug", "info"])
def test_what_libraries_narrate_is_never_heard(
    level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(level, "text")

    logging.getLogger("requests_oauthlib").debug("Response was %s", "a token")
    logging.getLogger("urllib3").info("Sent %s", "a text")
    logging.getLogger("urllib3").warning("Retrying")
    logging.getLogger(OURS).debug("Looked")

    heard = capsys.readouterr().err
    assert "token" not in heard
    assert "text" not in heard
    assert "Retrying" in heard
    assert ("Looked" in heard) is (level == "debug")


def test_a_traceback_does_not_quote_what_may_be_from_outside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("info", "json")
    quoted = "Dinner with ann@example.com"

    try:
        try:
            datetime.fromisoformat(quoted)
        except ValueError as error:
            message = "task t1 has no time"
            raise errors.MappingError(message) from error
    except errors.MappingError:
        logging.getLogger(OURS).exception("Gave up")

    line = json.loads(capsys.readouterr().err)
    assert quoted not in line["traceback"]
    first, second = line["traceback"].split("which led to:")
    assert "in test_a_traceback" in first
    assert first.endswith("ValueError\n")
    assert second.endswith("MappingError: task t1 has no time")


def test_the_traceback_of_an_answer_to_an_error_leaves_that_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("info", "text")

    try:
        try:
            datetime.fromisoformat("x")
        except ValueError:
            raise errors.MappingError from None
    except errors.MappingError:
        logging.getLogger(OURS).exception("Gave up")

    told = capsys.readouterr().err
    assert "MappingError: " in told
    assert "ValueError" not in told


def test_at_a_higher_level_nobody_is_heard_below_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("error", "text")

    logging.getLogger("urllib3").warning("Retrying")
    logging.getLogger(OURS).warning("Hesitated")
    logging.getLogger(OURS).error("Gave up")

    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Gave up")
