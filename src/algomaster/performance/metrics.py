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
from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics

__all__ = [
    "LESS_IS_BETTER",
    "METRICS",
    "TRADE_TOTALS",
    "Metric",
    "deflated_sharpe",
    "expected_best_sharpe",
    "summarize",
    "table",
    "trade_totals",
    "trial_variance",
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
    Metric("net_pnl", "Net P&L", "rupees", "after costs"),
    Metric("gross_pnl", "Gross P&L", "rupees", "before costs"),
    Metric("costs", "Costs", "rupees", "brokerage, taxes, charges"),
    Metric("days", "Sessions", "count", "sessions of the test, with a trade or without"),
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
    Metric("max_drawdown", "Max drawdown", "rupees", "deepest fall of the intraday equity below an earlier high"),
    Metric("max_drawdown_daily", "Max drawdown, daily", "rupees", "the same at the ends of sessions"),
    Metric("drawdown_days", "Drawdown length", "count", "sessions under the high of the deepest daily drawdown"),
    Metric("mean_day", "Average day", "rupees", "net P&L of an average session"),
    Metric("mean_day_se", "Average day, s.e.", "rupees", "standard error of the average day"),
    Metric("sd_day", "S.d. of a day", "rupees", "standard deviation of the sessions' net P&L"),
    Metric("skewness", "Skewness", "ratio", "of the sessions' net P&L; 0 for the normal distribution"),
    Metric("kurtosis", "Kurtosis", "ratio", "of the sessions' net P&L; 3 for the normal distribution"),
    Metric("winning_days", "Winning days", "count", "sessions with a net profit"),
    Metric("losing_days", "Losing days", "count", "sessions with a net loss"),
    Metric("winning_days_share", "Winning days", "share", "of all sessions"),
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
    ("costs", "losses", "losing_days", "max_drawdown", "max_drawdown_daily", "drawdown_days", "sd_day", "mean_day_se",
     "sharpe_se")
)  # fmt: skip
"""Metrics of which a lower value is the better one."""

TRADE_TOTALS: Final = ("trades", "wins", "losses", "won", "lost", "costs")
"""What metrics need to know of the closed trades: how many, and sums in paise, both ``won`` and ``lost`` positive.

A trade wins or loses by what is left after its costs; one that comes out at exactly 0 does neither.
"""

_INTEGERS: Final = frozenset(metric.name for metric in METRICS if metric.unit == "count")
_NORMAL: Final = NormalDist()
_Z95: Final = _NORMAL.inv_cdf(0.975)


def summarize(
    daily_paise: ArrayLike,
    *,
    totals: ArrayLike,
    max_drawdown_paise: int,
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
    max_drawdown_paise : int
        Deepest fall of the intraday equity (net of costs, from 0) below an earlier high, positive.
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
    >>> summary = summarize([10_000, -4_000], totals=[2, 1, 1, 10_000, 4_000, 500], max_drawdown_paise=5_000)
    >>> summary["net_pnl"], summary["gross_pnl"], summary["win_rate"], summary["max_drawdown"]
    (60.0, 65.0, 0.5, 50.0)
    """
    statistics = np.empty(len(DAILY_STATISTICS))
    daily_statistics(_integers(daily_paise, "daily_paise", 1), statistics)
    columns = table(
        statistics[np.newaxis],
        totals=np.asarray(totals)[np.newaxis],
        max_drawdown_paise=[max_drawdown_paise],
        trials=trials,
        trial_variance=trial_variance,
    )
    return {name: column[0].item() for name, column in columns.items()}


def table(
    statistics: FloatArray,
    *,
    totals: ArrayLike,
    max_drawdown_paise: ArrayLike,
    trials: int | None = None,
    trial_variance: float | None = None,
) -> dict[str, NDArray[Any]]:
    """Compute every metric of many runs; each row is what :func:`summarize` gives, to the bit.

    Parameters
    ----------
    statistics : (P, 16) float64
        What ``daily_statistics`` wrote for each parameter set.
    totals : (P, 6) int64
        See :data:`TRADE_TOTALS`.
    max_drawdown_paise : (P,) int64
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
    deepest = _integers(max_drawdown_paise, "max_drawdown_paise", 1)
    expected = (rows, len(DAILY_STATISTICS)), (rows, len(TRADE_TOTALS)), (rows,)
    if (statistics.shape, counts.shape, deepest.shape) != expected:
        raise ValueError(
            f"expected statistics, totals and max_drawdown_paise of shapes {expected}, "
            f"got {(statistics.shape, counts.shape, deepest.shape)}"
        )
    trials = max(rows, 1) if trials is None else trials
    if trials < 1:
        raise ValueError(f"trials: expected at least 1, got {trials}")
    day = dict(zip(DAILY_STATISTICS, statistics.T))
    trade = dict(zip(TRADE_TOTALS, counts.T))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = _from_trades(trade) | _from_days(day)
    values["gross_pnl"] = (day["total"] + trade["costs"]) / PAISE
    values["max_drawdown"] = deepest / PAISE
    variance = trial_variance
    if variance is None:
        variance = _variance(day["sharpe"])
    values["trials"] = np.full(rows, trials)
    values["deflated_sharpe"] = np.array(
        [
            deflated_sharpe(sharpe, error, trials=trials, trial_variance=variance)
            for sharpe, error in zip(day["sharpe"], day["sharpe_se"])
        ],
        dtype=np.float64,
    )
    return {m.name: values[m.name].astype(np.int64 if m.name in _INTEGERS else np.float64) for m in METRICS}


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
        "net_pnl": day["total"] / PAISE,
        "days": day["days"],
        "max_drawdown_daily": day["max_drawdown"] / PAISE,
        "drawdown_days": day["drawdown_days"],
        "mean_day": day["mean"] / PAISE,
        "mean_day_se": day["sd"] / np.sqrt(day["days"]) / PAISE,
        "sd_day": day["sd"] / PAISE,
        "skewness": day["skewness"],
        "kurtosis": day["kurtosis"],
        "winning_days": day["winning_days"],
        "losing_days": day["losing_days"],
        "winning_days_share": day["winning_days"] / day["days"],
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


def trial_variance(sharpes: ArrayLike) -> float:
    """Variance (divisor n - 1) of the trials' Sharpe ratios, undefined ones left out; NaN for fewer than two."""
    return _variance(np.asarray(sharpes, dtype=np.float64))


def _variance(sharpes: FloatArray) -> float:
    known = sharpes[np.isfinite(sharpes)]
    return float(known.var(ddof=1)) if known.size > 1 else math.nan


def expected_best_sharpe(trials: int, variance: float) -> float:
    """Sharpe ratio to expect from the best of so many worthless, independent trials.

    Bailey and Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40(5), 2014, eq. 1:
    ``sqrt(V) ((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e)))``, with g the Euler-Mascheroni constant, Z the normal quantile.

    Parameters
    ----------
    trials : int
        N; for one trial the result is 0.
    variance : float
        V, the variance of the trials' Sharpe ratios, in the square of the unit wanted (a day's or annualised).
    """
    if trials == 1:
        return 0.0
    gamma = float(np.euler_gamma)
    quantiles = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - gamma) * quantiles[0] + gamma * quantiles[1])


def deflated_sharpe(
    sharpe: float, standard_error: float, *, trials: int = 1, trial_variance: float = math.nan
) -> float:
    """Probability that the true Sharpe ratio is above what the best of so many worthless trials would show.

    Bailey and Lopez de Prado 2014, eq. 2. With one trial it is the probabilistic Sharpe ratio against 0 (their
    paper of 2012).

    Parameters
    ----------
    sharpe, standard_error : float
        As measured; with ``trial_variance`` all three of one unit (a day's or annualised).
    trials : int
    trial_variance : float
        Variance of the trials' Sharpe ratios; not used for one trial.

    Returns
    -------
    float
        0 to 1. NaN if the ratio or its standard error is undefined or 0, or the variance is missing.
    """
    if not standard_error > 0.0 or math.isnan(sharpe):
        return math.nan
    excess = (sharpe - expected_best_sharpe(trials, trial_variance)) / standard_error
    return 0.5 * math.erfc(-excess / math.sqrt(2.0))


def _integers(values: ArrayLike | Sequence[Any], name: str, dimensions: int) -> IntArray:
    array = np.asarray(values)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu" or array.ndim != dimensions:
        raise ValueError(f"{name}: expected {dimensions}-dimensional integers, got {array.dtype} of {array.shape}")
    return np.ascontiguousarray(array, dtype=np.int64)
