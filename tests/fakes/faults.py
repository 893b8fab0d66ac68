"""Failures on order, and a record of the calls, for doubles of remote services."""

import copy
import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Remote")


class Remote:
    """Counts calls and fails those that a test wants to fail."""

    def __init__(self) -> None:
        """Start without calls and failures."""
        self.calls: list[str] = []
        """The names of the methods called so far, oldest first."""
        self._refusals: list[Exception] = []
        self._lost_answers: list[Exception] = []

    def fail_next(self, *failures: Exception) -> None:
        """Make the next calls raise these, one each, without doing anything."""
        self._refusals += failures

    def apply_then_fail(self, *failures: Exception) -> None:
        """Make the next writes raise these, one each, after they were carried out."""
        self._lost_answers += failures

    def _begin(self, name: str) -> None:
        self.calls.append(name)
        if self._refusals:
            raise self._refusals.pop(0)

    def _end(self) -> None:
        if self._lost_answers:
            raise self._lost_answers.pop(0)


def read(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method a call that only reads; it answers with copies."""

    @functools.wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._begin(method.__name__)
        return copy.deepcopy(method(self, *args, **kwargs))

    return call


def write(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method a call whose answer may be lost after it took effect."""

    @functools.wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._begin(method.__name__)
        answer = copy.deepcopy(method(self, *args, **kwargs))
        self._end()
        return answer

    return call
