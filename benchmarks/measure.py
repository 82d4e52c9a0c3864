"""Times of calls, and rows of the results table."""

import statistics
import time


def median_seconds(call, *, repeats=5):
    """Median wall time of ``call()``."""
    return statistics.median(_taken(call, repeats))


def fastest_seconds(call, *, repeats=25, seconds=1.0):
    """Shortest wall time of ``call()`` in so many repeats, or as many as go into so many seconds (three at least).

    For short calls on a machine that others use too: what they take away only ever adds.
    """
    call()
    best, begun = float("inf"), time.perf_counter()
    for done in range(repeats):
        best = min(best, *_taken(call, 1))
        if done >= 2 and time.perf_counter() - begun > seconds:
            break
    return best


def fastest_of_each(calls, *, repeats=25):
    """Shortest wall time of each of several calls that take turns, so that their ratios share the machine's moods."""
    best = [float("inf")] * len(calls)
    for call in calls:
        call()
    for _ in range(repeats):
        best = [min(before, *_taken(call, 1)) for before, call in zip(best, calls)]
    return best


def _taken(call, repeats):
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return taken


def row(name, measured, unit, target=None):
    """Give a row of the results: a ratio (unit "x") must reach its target, anything else stay below."""
    reached = target is None or (measured >= target if unit == "x" else measured <= target)
    return {"name": name, "target": target, "measured": measured, "unit": unit, "ok": reached}
