"""Statistics of daily profit and loss: compiled, numbers only.

Sums run from the first day to the last, so a replay (one curve) and a sweep (thousands of curves) get the same bits.
The Sharpe ratio here is that of rupees a day: mean over standard deviation of the daily P&L. It needs no capital,
because capital would divide both alike; what it leaves out is the interest on that capital.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["DAILY_STATISTICS", "SESSIONS_A_YEAR", "daily_statistics", "sharpe_standard_error"]

SESSIONS_A_YEAR: Final = 252
"""Days by which daily figures are annualised, the custom of the literature; NSE held 244 to 252 sessions a year."""

DAILY_STATISTICS: Final = (
    "sessions", "total", "mean", "sd", "skewness", "kurtosis", "sharpe", "sharpe_se", "sortino", "winners",
    "losers", "best", "worst", "max_drawdown", "drawdown_days", "profit_factor", "peak",
)  # fmt: skip
"""Columns that :func:`daily_statistics` writes, in this order."""

_ANNUAL: Final = math.sqrt(SESSIONS_A_YEAR)
_NAN: Final = math.nan


FEWEST_DAYS: Final = 10
"""Sessions below which no Sharpe ratio is given: its standard error holds for many days, and two days of equal profit
would show a ratio in the hundreds with a narrow error."""


@kernel
def sharpe_standard_error(sharpe: float, observations: int, skewness: float, kurtosis: float) -> float:
    """Give the standard error of a Sharpe ratio measured over independent periods, in the unit of one period.

    ``sqrt((1 - skewness S + (kurtosis - 1)/4 S^2) / (n - 1))``: Mertens, "Comments on variance of the IID estimator in
    Lo (2002)", 2002, which frees Lo, "The Statistics of Sharpe Ratios", FAJ 58(4), 2002, from normality; with
    ``n - 1`` as in Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15(2), 2012.
    Days that depend on one another make it larger than this says (Lo 2002).

    Parameters
    ----------
    sharpe : float
        Mean over standard deviation of one period.
    observations : int
        Number of periods n; below 2 the result is NaN.
    skewness, kurtosis : float
        Third and fourth standardised moments; 0 and 3 for the normal distribution.
    """
    if observations < 2:
        return _NAN
    # Never negative, for kurtosis >= skewness^2 + 1; only rounding could make it so.
    variance = 1.0 - skewness * sharpe + (kurtosis - 1.0) * 0.25 * sharpe * sharpe
    if variance < 0.0:
        variance = 0.0
    return math.sqrt(variance / (observations - 1.0))


@kernel
def _moments(daily: IntArray, mean: float, out: FloatArray) -> None:
    """Write sd, skewness, kurtosis, Sharpe ratio and its standard error to ``out[3:8]``; the days are not all alike."""
    days = daily.size
    second = 0.0
    third = 0.0
    fourth = 0.0
    for i in range(days):
        away = daily[i] - mean
        square = away * away
        second += square
        third += square * away
        fourth += square * square
    variance = second / days
    out[3] = math.sqrt(second / (days - 1.0))
    out[4] = third / days / (variance * math.sqrt(variance))
    out[5] = fourth / days / (variance * variance)
    if days < FEWEST_DAYS:
        return
    sharpe = mean / out[3]
    out[6] = sharpe * _ANNUAL
    out[7] = sharpe_standard_error(sharpe, days, out[4], out[5]) * _ANNUAL


@kernel
def _drawdown(daily: IntArray, out: FloatArray) -> None:
    """Write the deepest fall below an earlier high and its sessions to ``out[13:15]``, the peak to ``out[16]``."""
    level = 0
    peak = 0
    peak_at = -1
    deepest = 0
    deepest_peak_at = -2
    length = 0
    for i in range(daily.size):
        level += daily[i]
        if level >= peak:
            peak = level
            peak_at = i
            continue
        if peak - level > deepest:
            deepest = peak - level
            deepest_peak_at = peak_at
        if peak_at == deepest_peak_at:
            length = i - peak_at
    out[13] = float(deepest)
    out[14] = float(length)
    out[16] = float(peak)


@kernel
def daily_statistics(daily: IntArray, out: FloatArray) -> None:
    """Write the statistics of one curve of daily P&L into ``out``.

    Parameters
    ----------
    daily : (D,) int64
        Net P&L of each session in paise; a session without a trade is a 0 and counts as a day.
    out : (17,) float64
        Receives :data:`DAILY_STATISTICS`. Amounts are in paise.

        - ``sd`` divides by D - 1; ``skewness`` and ``kurtosis`` are the standardised third and fourth moments about
          the mean (divisor D, kurtosis 3 for the normal distribution).
        - ``sharpe`` and its standard error are annualised by ``sqrt(252)``; see :func:`sharpe_standard_error`.
        - ``sortino``: mean over the root mean square of the losing side, target 0, all days counted, annualised
          (Sortino and van der Meer, "Downside Risk", 1991).
        - ``max_drawdown`` is positive: the deepest fall of the cumulated curve, which starts at 0, below an earlier
          high; ``drawdown_days`` are the sessions it spent below that high, to recovery or to the last day.
        - ``peak``: the highest level of the cumulated curve, at least the 0 it starts from.
        - ``profit_factor``: sum of winning days over minus the sum of losing days.

    Notes
    -----
    NaN where undefined: mean, best and worst without a day; sd, skewness, kurtosis and Sortino with fewer than two
    days; the Sharpe ratio with fewer than :data:`FEWEST_DAYS`; skewness, kurtosis and Sharpe with all days alike (the
    sd is then 0); Sortino and profit factor without a losing day.
    """
    out[:] = _NAN
    days = daily.size
    total = 0
    won = 0
    lost = 0
    winning = 0
    losing = 0
    squares = 0.0
    for i in range(days):
        amount = daily[i]
        total += amount
        if amount > 0:
            winning += 1
            won += amount
        elif amount < 0:
            losing += 1
            lost -= amount
            loss = float(amount)
            squares += loss * loss
    out[0] = float(days)
    out[1] = float(total)
    out[9] = float(winning)
    out[10] = float(losing)
    _drawdown(daily, out)
    if days == 0:
        return
    out[2] = total / days
    out[11] = float(daily.max())
    out[12] = float(daily.min())
    if losing > 0:
        out[15] = won / lost
        if days > 1:
            out[8] = out[2] / math.sqrt(squares / days) * _ANNUAL
    if days > 1 and out[11] > out[12]:
        _moments(daily, out[2], out)
    elif days > 1:
        out[3] = 0.0
