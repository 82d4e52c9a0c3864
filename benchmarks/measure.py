"""Medians, and rows of the results table."""

import statistics
import time


def median_seconds(call, *, repeats=5):
    """Median wall time of ``call()``."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def row(name, measured, unit, target=None):
    return {
        "name": name,
        "target": target,
        "measured": measured,
        "unit": unit,
        "ok": target is None or measured <= target,
    }
