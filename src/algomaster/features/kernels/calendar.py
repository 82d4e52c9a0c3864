"""Where a bar stands in its session and in the life of its options, from a table of days; and angles of the clock.

A table of days is written row by row, one for each calendar day, behind its first day and its number of days::

    open, close, close as scheduled, sessions so far, minutes so far, next expiry, next monthly expiry, after a holiday

Times are minutes of the day in Asia/Kolkata, days are counted from 1970-01-01, "so far" includes the day; a day
without a session has no open (NaN). :mod:`algomaster.features.trading_days` writes it.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span

__all__ = ["DAY_FIELDS", "angle", "trading_day"]

DAY_FIELDS: Final = 8

_ROUNDER: Final = 6755399441055744.0  # 1.5 * 2**52: adding and subtracting it leaves the nearest whole number
_SINE: Final = tuple(
    (-1.0) ** k * (2.0 * math.pi) ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(11, -1, -1)
)
"""sin(2 pi x) in odd powers of x, highest first; up to a quarter turn what is left out is below 1e-20."""


@kernel(lean=True, inner=True)
def trading_day(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Minutes since the open and to the close, sessions and minutes to expiry, nights to the monthly, holiday.

    Reads day, minute of the bar's start, and the next expiry and monthly expiry, of which those of the table count
    where they are NaN. Numbers: minutes a bar lasts, first day, days, then the table. All counts are those at the
    bar's end; NaN for a bar outside the hours of a session.
    """
    at = start
    while at < stop:
        day, expiry, monthly = tape[line[2] + at], tape[line[4] + at], tape[line[5] + at]
        end = at + 1
        while (
            end < stop
            and tape[line[2] + end] == day
            and _same(tape[line[4] + end], expiry)
            and _same(tape[line[5] + end], monthly)
        ):
            end += 1
        _one_day(tape, line, at, end, day, expiry, monthly)
        at = end


@kernel(lean=True, inner=True)
def _same(a: float, b: float) -> bool:
    """Say whether two numbers are equal or both missing."""
    return a == b or (a != a and b != b)


@kernel(lean=True, inner=True)
def _one_day(
    tape: FloatArray, line: IntArray, start: int, stop: int, day: float, expiry: float, monthly: float
) -> None:
    """Write the bars of one day, whose rows of the table are looked up once."""
    length, first, days = tape[line[0]], tape[line[0] + 1], tape[line[0] + 2]
    table = line[0] + 3
    inside = (day >= first) & (day < first + days)
    row = table + int(day - first) * DAY_FIELDS if inside else table
    opened, closed = tape[row] if inside else math.nan, tape[row + 1]
    scheduled, after_holiday = tape[row + 2], tape[row + 7]
    expiry = expiry if expiry == expiry else tape[row + 5]
    monthly = monthly if monthly == monthly else tape[row + 6]
    ahead = inside & (expiry >= day) & (expiry < first + days)
    last = table + int(expiry - first) * DAY_FIELDS if ahead else row
    sessions = tape[last + 3] - tape[row + 3] if ahead else math.nan
    minutes = tape[last + 4] - tape[row + 4] if ahead else math.nan
    nights = monthly - day if monthly >= day else math.nan
    begins = span(tape, line[3] + start, stop - start)
    since, left = span(tape, line[6] + start, stop - start), span(tape, line[7] + start, stop - start)
    to_expiry, until = span(tape, line[8] + start, stop - start), span(tape, line[9] + start, stop - start)
    to_monthly, holiday = span(tape, line[10] + start, stop - start), span(tape, line[11] + start, stop - start)
    for i in range(stop - start):
        good = (begins[i] >= opened) & (begins[i] + length <= closed)
        missing = 0.0 if good else math.nan
        rest = scheduled - (begins[i] + length)
        rest = (rest if rest > 0.0 else 0.0) + missing
        since[i] = begins[i] + length - opened + missing
        left[i] = rest
        to_expiry[i] = sessions + missing
        until[i] = minutes + rest
        to_monthly[i] = nights + missing
        holiday[i] = after_holiday + missing


@kernel(lean=True, inner=True)
def angle(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sine and cosine of a on a circle: the first number is once around, the second what is added to a.

    With u the turns from the nearest whole one both are the sine of at most a quarter turn:
    cos(2 pi u) = sin(2 pi (1/4 - abs(u))).
    """
    a = span(tape, line[2] + start, stop - start)
    sine, cosine = span(tape, line[3] + start, stop - start), span(tape, line[4] + start, stop - start)
    around, shift = tape[line[0]], tape[line[0] + 1]
    for i in range(stop - start):
        value = a[i] + shift
        whole = (value / around + _ROUNDER) - _ROUNDER
        u = (value - around * whole) / around
        size = abs(u)
        near = size if size <= 0.25 else 0.5 - size
        sine[i] = _quarter(near if u >= 0.0 else -near)
        cosine[i] = _quarter(0.25 - size)


@kernel(inline=True)
def _quarter(x: float) -> float:
    """Give sin(2 pi x) for abs(x) <= 1/4."""
    square = x * x
    value = _SINE[0]
    for k in range(1, 12):
        value = value * square + _SINE[k]
    return value * x
