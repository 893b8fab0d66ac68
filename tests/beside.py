"""Something that goes on while a block runs."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def beside(run: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run it in a thread, with the event that ends it; raises what it raised."""
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(run, ended)
        try:
            yield
        finally:
            ended.set()
    future.result()
