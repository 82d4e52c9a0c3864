"""Ranks and quantiles of a window."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["quantiles", "rank"]


@kernel(lean=True, inner=True)
def rank(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Average rank of a among its last n values over n, for each window of params (ascending): one pass serves all.

    Below counts 1 and equal a half, exact in float64, so the order of counting cannot change a bit.
    """
    a = tape[ins[0], start:stop]
    back = 0
    for window in range(params.size):
        y = tape[outs[window], start:stop]
        bars = int(params[window])
        if window == 0:
            for i in range(stop - start):
                y[i] = 0.5
        else:
            before = tape[outs[window - 1], start:stop]
            for i in range(stop - start):
                y[i] = before[i]
        if stop - start == 1:
            count, value, missing = y[0], a[0], 0.0
            for lag in range(back, bars):
                other = tape[ins[0], start - lag]
                count += 1.0 if other < value else (0.5 if other == value else 0.0)
                missing = missing if other == other else math.nan
            y[0] = count + missing
        else:
            for lag in range(back, bars):
                past = tape[ins[0], start - lag : stop - lag]
                for i in range(stop - start):
                    other = past[i]
                    more = 1.0 if other < a[i] else (0.5 if other == a[i] else 0.0)
                    y[i] += more if other == other else math.nan
        back = bars
    for window in range(params.size):
        y = tape[outs[window], start:stop]
        bars = params[window]
        for i in range(stop - start):
            y[i] = (y[i] if a[i] == a[i] else math.nan) / bars


@kernel(lean=True, inner=True)
def quantiles(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Quantiles params[1:] of a's last params[0] values, between neighbours by straight line (Hyndman and Fan 1996, 7).

    ``state`` holds the window in order, n values, then the number of missing ones, which stand as infinity.
    """
    bars = int(params[0])
    a, leaving = tape[ins[0], start:stop], tape[ins[0], start - bars : stop - bars]
    missing = state[bars]
    for i in range(stop - start):
        new, old = a[i], leaving[i]
        if new != new:
            missing += 1.0
            new = math.inf
        if old != old:
            missing -= 1.0
            old = math.inf
        _replace(state, bars, old, new)
        for q in range(1, params.size):
            place = params[q] * (bars - 1)
            low = int(place)
            high = low + 1 if low + 1 < bars else low
            value = state[low] + (state[high] - state[low]) * (place - low)
            tape[outs[q - 1], start + i] = value if missing == 0.0 else math.nan
    state[bars] = missing


@kernel(lean=True, inner=True)
def _replace(ordered: FloatArray, bars: int, old: float, new: float) -> None:
    """Take one value out of the ordered window and put another in."""
    if new >= old:
        place = _below(ordered, bars, old)
        while place + 1 < bars and ordered[place + 1] < new:
            ordered[place] = ordered[place + 1]
            place += 1
    else:
        place = _below(ordered, bars, old)
        while place > 0 and ordered[place - 1] > new:
            ordered[place] = ordered[place - 1]
            place -= 1
    ordered[place] = new


@kernel(lean=True, inner=True)
def _below(ordered: FloatArray, bars: int, value: float) -> int:
    """Count the values below ``value``: the place of its first equal."""
    low, high = 0, bars
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low if low < bars else bars - 1
