"""What begins anew with each session: the mark of its first bar, totals and extremes since, the day before."""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["clock", "day_before", "first_of_session", "highest_since", "lowest_since", "sum_since"]

_DAY: Final = 86_400.0
_INDIA: Final = 19_800.0
"""Seconds from UTC to Asia/Kolkata, the whole year."""


@kernel(lean=True, inner=True)
def clock(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """From a, seconds UTC: the day's number and minute in Asia/Kolkata, 1 at the first bar of a day. state: the day."""
    ts, day, minute, fresh = (
        tape[ins[0], start:stop],
        tape[outs[0], start:stop],
        tape[outs[1], start:stop],
        tape[outs[2], start:stop],
    )
    last = state[0]
    for i in range(stop - start):
        local = ts[i] + _INDIA
        number = math.floor(local / _DAY)
        day[i] = number
        minute[i] = (local - number * _DAY) / 60.0
        fresh[i] = 0.0 if number == last else 1.0
        last = number
    state[0] = last


@kernel(lean=True, inner=True)
def sum_since(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Sum of a since the session began (b is 1 at its first bar); NaN until a value is known. state: the sum."""
    x, fresh, y = tape[ins[0], start:stop], tape[ins[1], start:stop], tape[outs[0], start:stop]
    total = state[0]
    for i in range(stop - start):
        if fresh[i] == 1.0:
            total = math.nan
        value = x[i]
        if value == value:
            total = value if total != total else total + value
        y[i] = total
    state[0] = total


@kernel(lean=True, inner=True)
def highest_since(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Highest a since the session began (b is 1 at its first bar), NaN passed over. state: that value."""
    x, fresh, y = tape[ins[0], start:stop], tape[ins[1], start:stop], tape[outs[0], start:stop]
    top = state[0]
    for i in range(stop - start):
        top = x[i] if fresh[i] == 1.0 or top != top or x[i] > top else top
        y[i] = top
    state[0] = top


@kernel(lean=True, inner=True)
def lowest_since(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Lowest a since the session began (b is 1 at its first bar), NaN passed over. state: that value."""
    x, fresh, y = tape[ins[0], start:stop], tape[ins[1], start:stop], tape[outs[0], start:stop]
    low = state[0]
    for i in range(stop - start):
        low = x[i] if fresh[i] == 1.0 or low != low or x[i] < low else low
        y[i] = low
    state[0] = low


@kernel(lean=True, inner=True)
def first_of_session(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """The session's first known a (b is 1 at its first bar). state: that value."""
    x, fresh, y = tape[ins[0], start:stop], tape[ins[1], start:stop], tape[outs[0], start:stop]
    first = state[0]
    for i in range(stop - start):
        first = x[i] if fresh[i] == 1.0 or first != first else first
        y[i] = first
    state[0] = first


@kernel(lean=True, inner=True)
def day_before(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """The last known a of the session before (b is 1 at a session's first bar). state: that value, today's last."""
    x, fresh, y = tape[ins[0], start:stop], tape[ins[1], start:stop], tape[outs[0], start:stop]
    before, last = state[0], state[1]
    for i in range(stop - start):
        if fresh[i] == 1.0:
            before = last
            last = math.nan
        last = x[i] if x[i] == x[i] else last
        y[i] = before
    state[0], state[1] = before, last
