"""Failures on order, and a record of the calls, for doubles of remote services."""

import copy
import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Remote")

_Order = tuple[str | None, BaseException]
_Act = tuple[str, Callable[[], object]]


class Remote:
    """Counts calls and fails those that a test wants to fail.

    Failures are ordered for the next calls of any kind, or of those called `on`.
    """

    def __init__(self) -> None:
        """Start without calls and failures."""
        self.calls: list[str] = []
        """The names of the methods called so far, oldest first."""
        self._refusals: list[_Order] = []
        self._lost_answers: list[_Order] = []
        self._before: list[_Act] = []
        self._after: list[_Act] = []

    def fail_next(self, *failures: BaseException, on: str | None = None) -> None:
        """Make the next calls raise these, one each, without doing anything."""
        self._refusals += [(on, failure) for failure in failures]

    def apply_then_fail(self, *failures: BaseException, on: str | None = None) -> None:
        """Make the next writes raise these, one each, after they were carried out."""
        self._lost_answers += [(on, failure) for failure in failures]

    def before_next(self, on: str, act: Callable[[], object]) -> None:
        """Let something happen just before the next call of `on` is carried out."""
        self._before.append((on, act))

    def after_next(self, on: str, act: Callable[[], object]) -> None:
        """Let something happen just before the next call of `on` is answered."""
        self._after.append((on, act))

    def work_again(self) -> None:
        """Take back the failures that were ordered and did not happen yet."""
        self._refusals.clear()
        self._lost_answers.clear()

    def _begin(self, name: str) -> None:
        self.calls.append(name)
        _raise_first(self._refusals, name)
        _do_first(self._before, name)

    def _end(self, name: str) -> None:
        _do_first(self._after, name)
        _raise_first(self._lost_answers, name)


def _raise_first(orders: list[_Order], name: str) -> None:
    for order in orders:
        on, failure = order
        if on in {None, name}:
            orders.remove(order)
            raise failure


def _do_first(acts: list[_Act], name: str) -> None:
    for ordered in acts:
        on, act = ordered
        if on == name:
            acts.remove(ordered)
            act()
            return


def read(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method a call that only reads; it answers with copies."""

    @functools.wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._begin(method.__name__)
        answer = copy.deepcopy(method(self, *args, **kwargs))
        _do_first(self._after, method.__name__)
        return answer

    return call


def write(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method a call whose answer may be lost after it took effect."""

    @functools.wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._begin(method.__name__)
        answer = copy.deepcopy(method(self, *args, **kwargs))
        self._end(method.__name__)
        return answer

    return call
