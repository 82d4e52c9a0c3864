"""The one place that decides whether a loop may use several threads.

Not every threading layer of numba bears two callers at once (its own ends the process), and none bears a forked child
that asks for the threads of its parent. So one call at a time has the threads, others meanwhile and all calls of a
forked child do with their own; the bits are the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Final

__all__ = ["run"]

_taken: Final = threading.Lock()
if hasattr(os, "register_at_fork"):  # in a child the threads stay taken
    os.register_at_fork(after_in_child=lambda: _taken.acquire(blocking=False))


def run(serial: Callable[..., None], parallel: Callable[..., None], many: bool, /, *args: Any, **kwargs: Any) -> None:
    """Call ``parallel`` if there are ``many`` options and the threads are free, else ``serial``."""
    if many and _taken.acquire(blocking=False):
        try:
            parallel(*args, **kwargs)
        finally:
            _taken.release()
    else:
        serial(*args, **kwargs)
