"""Things that are kept while they are used, up to a number."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The most recently used values by key; safe to use from any thread."""

    def __init__(self, most: int) -> None:
        """Take how many to keep."""
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._mutex = threading.Lock()

    def find(self, key: Key) -> Value | None:
        """Return the value of a key, if it is kept."""
        with self._mutex:
            return self._find(key)

    def keep(self, key: Key, value: Value) -> None:
        """Keep a value; the one used longest ago gives way to it."""
        with self._mutex:
            self._keep(key, value)

    def drop(self, key: Key) -> None:
        """Keep the value of a key no longer, if it is kept."""
        with self._mutex:
            self._values.pop(key, None)

    def get(
        self, key: Key, *, is_good: Callable[[Value], bool], make: Callable[[], Value]
    ) -> Value:
        """Return the value of a key; make it anew unless the known one is still good.

        Of threads that come at once, all get the same value. Neither call may block.
        """
        with self._mutex:
            known = self._find(key)
            if known is not None and is_good(known):
                return known
            value = make()
            self._keep(key, value)
            return value

    def _find(self, key: Key) -> Value | None:
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def _keep(self, key: Key, value: Value) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)
