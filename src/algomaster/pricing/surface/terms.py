"""What lies between the expiries: forwards, discount factors and the clock."""

from __future__ import annotations

from typing import Any

import numpy as np

from algomaster.core.arrays import as_array
from algomaster.core.types import FloatArray

__all__ = ["business_times", "clock_at", "discount_between", "forward_between"]


def business_times(clock: Any, years: FloatArray) -> FloatArray:
    """Give the clock time of each expiry.

    Raises
    ------
    ValueError
        The clock does not rise, or gives not one time an expiry.
    """
    if clock is None:
        return years.copy()
    times = as_array(clock(years) if callable(clock) else clock, "clock")
    if times.shape != years.shape:
        raise ValueError(f"clock: expected one time for each of {years.size} expiries, got shape {times.shape}")
    live = times[years > 0.0]
    if not (np.all(np.isfinite(live)) and np.all(live > 0.0) and np.all(np.diff(live) > 0.0)):
        raise ValueError(f"clock: expected positive and ascending times, got {times}")
    return times


def clock_at(t: FloatArray, years: FloatArray, clock: FloatArray, function: Any) -> FloatArray:
    """Give clock time at ``t`` years: of the function, else linear through (0, 0) and the expiries, and beyond."""
    if callable(function):
        return np.ascontiguousarray(as_array(function(t), "clock"))
    if clock is years or np.array_equal(clock, years):
        return t
    knots, times = np.concatenate([[0.0], years]), np.concatenate([[0.0], clock])
    inside = np.interp(t, knots, times)
    pace = (times[-1] - times[-2]) / (knots[-1] - knots[-2])
    return np.where(t > knots[-1], times[-1] + pace * (t - knots[-1]), np.where(t < 0.0, np.nan, inside))


def forward_between(t: FloatArray, years: FloatArray, forward: FloatArray, spot: float) -> FloatArray:
    """Give the forward at ``t``, its logarithm linear in time; NaN before today."""
    knots, logs = years, np.log(forward)
    if spot > 0.0:
        knots, logs = np.concatenate([[0.0], years]), np.concatenate([[np.log(spot)], logs])
    carry = (logs[-1] - logs[-2]) / (knots[-1] - knots[-2]) if knots.size > 1 else 0.0
    inside = np.interp(t, knots, logs)
    beyond = np.where(t > knots[-1], logs[-1] + carry * (t - knots[-1]), inside)
    at = np.exp(np.where(t >= 0.0, beyond, np.nan))
    for e in range(years.size):  # exp(log) may be off by a bit: an expiry's own forward is given as it is
        at = np.where(t == years[e], forward[e], at)
    return np.asarray(at)


def discount_between(t: FloatArray, years: FloatArray, discount: FloatArray) -> FloatArray:
    """Give the discount factor at ``t``, its logarithm linear in time; NaN before today."""
    knots, logs = np.concatenate([[0.0], years]), np.concatenate([[0.0], np.log(discount)])
    inside = np.interp(t, knots, logs)
    beyond = np.where(t > knots[-1], logs[-1] / knots[-1] * t, inside)
    at = np.exp(np.where(t >= 0.0, beyond, np.nan))
    for e in range(years.size):
        at = np.where(t == years[e], discount[e], at)
    return np.asarray(at)
