"""The one place that names metrics and computes them, for one run (:func:`summarize`) or a sweep (:func:`table`).

1. :func:`~algomaster.performance.statistics.daily_statistics` gives the statistics of each curve of daily P&L; a
   sweep calls it from its own compiled loop and keeps no curve.
2. :func:`table` adds what follows from counts of trades, in rupees, elementwise: a row does not depend on its
   neighbours, except for the two inputs of the deflated Sharpe ratio.
3. :func:`summarize` is both for one run: a table of one row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from algomaster.core.types import PAISE, FloatArray, IntArray
from algomaster.performance import deflation
from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics

__all__ = [
    "LESS_IS_BETTER",
    "METRICS",
    "TRADE_TOTALS",
    "Metric",
    "summarize",
    "table",
    "trade_totals",
    "wilson_interval",
]


class Metric(NamedTuple):
    """How a metric is written and what it means."""

    name: str
    label: str
    unit: str
    """``rupees``, ``count``, ``share`` (0 to 1) or ``ratio``."""
    meaning: str


METRICS: Final = (
    Metric("pnl", "Net P&L", "rupees", "after costs"),
    Metric("gross", "Gross P&L", "rupees", "before costs"),
    Metric("costs", "Costs", "rupees", "brokerage, taxes, charges"),
    Metric("costs_share", "Costs' share", "share", "costs over gross P&L; undefined without a gross profit"),
    Metric("sessions", "Sessions", "count", "sessions of the test, with a trade or without"),
    Metric("trades", "Trades", "count", "closed trades, one a leg"),
    Metric("wins", "Winning trades", "count", "trades with something left after costs"),
    Metric("losses", "Losing trades", "count", "trades that lost after costs"),
    Metric("win_rate", "Win rate", "share", "winning trades over all trades"),
    Metric("win_rate_low", "Win rate, low", "share", "lower end of the 95 % Wilson interval"),
    Metric("win_rate_high", "Win rate, high", "share", "upper end of the 95 % Wilson interval"),
    Metric("average_win", "Average win", "rupees", "net, of winning trades"),
    Metric("average_loss", "Average loss", "rupees", "net, of losing trades; negative"),
    Metric("profit_factor", "Profit factor", "ratio", "net sum of winning over that of losing trades"),
    Metric("expectancy", "Expectancy", "rupees", "net P&L of an average trade"),
    Metric("peak", "Peak", "rupees", "highest cumulated session P&L, at least the 0 it starts from"),
    Metric("max_drawdown", "Max drawdown", "rupees", "deepest fall of cumulated session P&L below an earlier high"),
    Metric("max_drawdown_intraday", "Max drawdown, intraday", "rupees", "the same of the equity within sessions; a "
           "sweep without records does not know it"),
    Metric("drawdown_days", "Drawdown length", "count", "sessions under the high of the deepest drawdown"),
    Metric("mean_day", "Average day", "rupees", "net P&L of an average session"),
    Metric("mean_day_se", "Average day, s.e.", "rupees", "standard error of the average day"),
    Metric("sd_day", "S.d. of a day", "rupees", "standard deviation of the sessions' net P&L"),
    Metric("skewness", "Skewness", "ratio", "of the sessions' net P&L; 0 for the normal distribution"),
    Metric("kurtosis", "Kurtosis", "ratio", "of the sessions' net P&L; 3 for the normal distribution"),
    Metric("winners", "Winning sessions", "count", "sessions with a net profit"),
    Metric("losers", "Losing sessions", "count", "sessions with a net loss"),
    Metric("winners_share", "Winning sessions, share", "share", "of all sessions"),
    Metric("best_day", "Best day", "rupees", "net"),
    Metric("worst_day", "Worst day", "rupees", "net"),
    Metric("profit_factor_days", "Profit factor, days", "ratio", "sum of winning over that of losing sessions"),
    Metric("sharpe", "Sharpe", "ratio", "annualised, of net P&L a session (needs no capital)"),
    Metric("sharpe_se", "Sharpe, s.e.", "ratio", "standard error (Mertens 2002)"),
    Metric("sharpe_low", "Sharpe, low", "ratio", "lower end of the 95 % interval"),
    Metric("sharpe_high", "Sharpe, high", "ratio", "upper end of the 95 % interval"),
    Metric("sortino", "Sortino", "ratio", "annualised, of net P&L a session, target 0"),
    Metric("trials", "Trials", "count", "parameter sets tried to find this one"),
    Metric("deflated_sharpe", "Deflated Sharpe", "share", "probability that the true Sharpe is above the best of "
           "so many worthless trials; above 0 for one trial"),
)  # fmt: skip
"""Every metric, in the order of the summary."""

LESS_IS_BETTER: Final = frozenset(
    ("costs", "costs_share", "losses", "losers", "max_drawdown", "max_drawdown_intraday", "drawdown_days", "sd_day",
     "mean_day_se", "sharpe_se")
)  # fmt: skip
"""Metrics of which a lower value is the better one."""

TRADE_TOTALS: Final = ("trades", "wins", "losses", "won", "lost", "costs")
"""What metrics need to know of the closed trades: how many, and sums in paise, both ``won`` and ``lost`` positive.

A trade wins or loses by what is left after its costs; one that comes out at exactly 0 does neither.
"""

_INTEGERS: Final = frozenset(metric.name for metric in METRICS if metric.unit == "count")
_Z95: Final = NormalDist().inv_cdf(0.975)


def summarize(
    daily_paise: ArrayLike,
    *,
    totals: ArrayLike,
    intraday_drawdown_paise: int | None = None,
    trials: int = 1,
    trial_variance: float = math.nan,
) -> dict[str, float | int]:
    """Name and compute every metric of one run.

    Parameters
    ----------
    daily_paise : (D,) int64
        Net P&L of each session in paise; a session without a trade is a 0.
    totals : (6,) int64
        Counts and sums of the trades, see :data:`TRADE_TOTALS`.
    intraday_drawdown_paise : int, optional
        Deepest fall of the intraday equity (net of costs, from 0) below an earlier high, positive; NaN without it.
    trials : int
        Parameter sets that were tried before this one was chosen, itself included.
    trial_variance : float
        Variance of the annualised Sharpe ratios of those trials; needed with more than one (NaN gives NaN).

    Returns
    -------
    dict
        Metric names (:data:`METRICS`) to rupees, shares, ratios (float) and counts (int). NaN where undefined:
        whatever divides by trades, wins, losses, or a standard deviation that is 0 or cannot be had from one day.

    Examples
    --------
    >>> summary = summarize([10_000, -4_000], totals=[2, 1, 1, 10_000, 4_000, 500])
    >>> summary["pnl"], summary["gross"], summary["peak"], summary["max_drawdown"], summary["win_rate"]
    (60.0, 65.0, 100.0, 40.0, 0.5)
    """
    statistics = np.empty(len(DAILY_STATISTICS))
    daily_statistics(_integers(daily_paise, "daily_paise", 1), statistics)
    columns = table(
        statistics[np.newaxis],
        totals=np.asarray(totals)[np.newaxis],
        intraday_drawdown_paise=None if intraday_drawdown_paise is None else [intraday_drawdown_paise],
        trials=trials,
        trial_variance=trial_variance,
    )
    return {name: column[0].item() for name, column in columns.items()}


def table(
    statistics: FloatArray,
    *,
    totals: ArrayLike,
    intraday_drawdown_paise: ArrayLike | None = None,
    trials: int | None = None,
    trial_variance: float | None = None,
) -> dict[str, NDArray[Any]]:
    """Compute every metric of many runs; each row is what :func:`summarize` gives, to the bit.

    Parameters
    ----------
    statistics : (P, 17) float64
        What ``daily_statistics`` wrote for each parameter set.
    totals : (P, 6) int64
        See :data:`TRADE_TOTALS`.
    intraday_drawdown_paise : (P,) int64, optional
        Without it ``max_drawdown_intraday`` is NaN.
    trials : int, optional
        By default the rows are the trials: their number is P.
    trial_variance : float, optional
        By default the variance of the rows' own Sharpe ratios.

    Returns
    -------
    dict
        Metric names (:data:`METRICS`) to columns (P,), int64 for counts and float64 for the rest.
    """
    rows = len(statistics)
    counts = _integers(totals, "totals", 2)
    expected = (rows, len(DAILY_STATISTICS)), (rows, len(TRADE_TOTALS))
    if (statistics.shape, counts.shape) != expected:
        raise ValueError(f"expected statistics and totals of shapes {expected}, got {(statistics.shape, counts.shape)}")
    trials = max(rows, 1) if trials is None else trials
    if trials < 1:
        raise ValueError(f"trials: expected at least 1, got {trials}")
    day = dict(zip(DAILY_STATISTICS, statistics.T))
    trade = dict(zip(TRADE_TOTALS, counts.T))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = _from_trades(trade) | _from_days(day)
        gross = day["total"] + trade["costs"]
        values["gross"] = gross / PAISE
        values["costs_share"] = np.where(gross > 0, trade["costs"] / gross, np.nan)
    values["max_drawdown_intraday"] = _intraday(intraday_drawdown_paise, rows)
    variance = deflation.trial_variance(day["sharpe"]) if trial_variance is None else trial_variance
    values["trials"] = np.full(rows, trials)
    values["deflated_sharpe"] = deflation.deflated_sharpes(
        day["sharpe"], day["sharpe_se"], trials=trials, trial_variance=variance
    )
    return {m.name: values[m.name].astype(np.int64 if m.name in _INTEGERS else np.float64) for m in METRICS}


def _intraday(paise: ArrayLike | None, rows: int) -> FloatArray:
    if paise is None:
        return np.full(rows, np.nan)
    deepest = _integers(paise, "intraday_drawdown_paise", 1)
    if deepest.shape != (rows,):
        raise ValueError(f"intraday_drawdown_paise: expected shape {(rows,)}, got {deepest.shape}")
    return np.asarray(deepest / PAISE)


def _from_trades(trade: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
    number, wins, losses, won, lost = (trade[name] for name in ("trades", "wins", "losses", "won", "lost"))
    low, high = wilson_interval(wins, number)
    return {
        "costs": trade["costs"] / PAISE,
        "trades": number,
        "wins": wins,
        "losses": losses,
        "win_rate": wins / number,
        "win_rate_low": low,
        "win_rate_high": high,
        "average_win": won / wins / PAISE,
        "average_loss": -(lost / losses) / PAISE,
        "profit_factor": np.where(losses > 0, won / lost, np.nan),
        "expectancy": (won - lost) / number / PAISE,
    }


def _from_days(day: dict[str, FloatArray]) -> dict[str, NDArray[Any]]:
    margin = _Z95 * day["sharpe_se"]
    return {
        "pnl": day["total"] / PAISE,
        "sessions": day["sessions"],
        "peak": day["peak"] / PAISE,
        "max_drawdown": day["max_drawdown"] / PAISE,
        "drawdown_days": day["drawdown_days"],
        "mean_day": day["mean"] / PAISE,
        "mean_day_se": day["sd"] / np.sqrt(day["sessions"]) / PAISE,
        "sd_day": day["sd"] / PAISE,
        "skewness": day["skewness"],
        "kurtosis": day["kurtosis"],
        "winners": day["winners"],
        "losers": day["losers"],
        "winners_share": day["winners"] / day["sessions"],
        "best_day": day["best"] / PAISE,
        "worst_day": day["worst"] / PAISE,
        "profit_factor_days": day["profit_factor"],
        "sharpe": day["sharpe"],
        "sharpe_se": day["sharpe_se"],
        "sharpe_low": day["sharpe"] - margin,
        "sharpe_high": day["sharpe"] + margin,
        "sortino": day["sortino"],
    }


def trade_totals(pnl_paise: IntArray, costs_paise: IntArray) -> IntArray:
    """Count closed trades: (N,) price P&L before costs and (N,) costs to the (6,) :data:`TRADE_TOTALS`."""
    net = pnl_paise - costs_paise
    won, lost = net[net > 0], net[net < 0]
    return np.array([net.size, won.size, lost.size, won.sum(), -lost.sum(), costs_paise.sum()], dtype=np.int64)


def wilson_interval(wins: ArrayLike, number: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """95 % score interval of a share (Wilson, "Probable inference", JASA 22, 1927); NaN without a trade.

    Parameters
    ----------
    wins, number : integers of one shape
        Successes and tries.
    """
    n = np.asarray(number, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.asarray(wins, dtype=np.float64) / n
        square = _Z95 * _Z95
        centre = (share + square / (2.0 * n)) / (1.0 + square / n)
        margin = _Z95 / (1.0 + square / n) * np.sqrt((share * (1.0 - share) + square / (4.0 * n)) / n)
        # The ends are exactly 0 without and 1 with nothing but successes; rounding would leave them a hair off.
        low = np.where(share == 0.0, 0.0, centre - margin)
        high = np.where(share == 1.0, 1.0, centre + margin)
    return low, high


def _integers(values: ArrayLike | Sequence[Any], name: str, dimensions: int) -> IntArray:
    array = np.asarray(values)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu" or array.ndim != dimensions:
        raise ValueError(f"{name}: expected {dimensions}-dimensional integers, got {array.dtype} of {array.shape}")
    return np.ascontiguousarray(array, dtype=np.int64)
