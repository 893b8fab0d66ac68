"""How a publisher wakes the consumers of its own process."""

import threading


class Bell:
    """Counts how often it rang, so that no listener misses a ring."""

    def __init__(self) -> None:
        """Begin in silence."""
        self._condition = threading.Condition()
        self.rings = 0

    def ring(self) -> None:
        """Wake all who wait."""
        with self._condition:
            self.rings += 1
            self._condition.notify_all()

    def wait(self, rings: int, seconds: float) -> None:
        """Return when it has rung more often than `rings`, or when the time is over."""
        with self._condition:
            self._condition.wait_for(lambda: self.rings != rings, seconds)
