"""What a run's records say beyond its metrics: exposure, turnover, tails, shuffled days, and all that needs a capital.

A sweep keeps no records, so these are of single runs (:meth:`algomaster.performance.Result.statistics`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from algomaster.core.errors import DataError
from algomaster.core.types import FloatArray, IntArray
from algomaster.market import calendar
from algomaster.performance.drawdowns import drawdown_table, shuffled_drawdowns
from algomaster.performance.metrics import Metric
from algomaster.performance.statistics import SESSIONS_A_YEAR

if TYPE_CHECKING:
    from algomaster.performance.result import Result

__all__ = ["STATISTICS", "run_statistics"]

STATISTICS: Final = (
    Metric("capital", "Capital", "rupees", "what the run was given; ratios to it are undefined without"),
    Metric("return_on_capital", "Return on capital", "share", "net P&L over capital"),
    Metric("cagr", "CAGR", "share", "yearly growth of the capital, 252 sessions a year"),
    Metric("max_drawdown_share", "Max drawdown, share", "share", "deepest fall of capital and P&L, over its high"),
    Metric("calmar", "Calmar", "ratio", "CAGR over the deepest drawdown's share"),
    Metric("exposure", "Exposure", "share", "of session minutes with a position"),
    Metric("turnover", "Turnover", "rupees", "price times quantity of all fills, both sides"),
    Metric("turnover_ratio", "Turnover over capital", "ratio", "how often the capital was traded"),
    Metric("tail_ratio", "Tail ratio", "ratio", "95th percentile of a session's P&L over minus the 5th"),
    Metric("common_sense_ratio", "Common sense ratio", "ratio", "profit factor of sessions times tail ratio"),
    Metric("var_day", "VaR of a session", "rupees", "loss that 95 % of sessions stay within; historical"),
    Metric("es_day", "ES of a session", "rupees", "average loss of the worst 5 % of sessions"),
    Metric("longest_drawdown", "Longest drawdown", "count", "most sessions in a row below an earlier high"),
    Metric("shuffled_drawdown", "Drawdown, shuffled", "rupees", "median of 1,000 random orders of the sessions"),
    Metric("shuffled_drawdown_95", "Drawdown, shuffled 95 %", "rupees", "95 % of those orders stay within"),
)  # fmt: skip
"""Every statistic of a run beyond its metrics."""

_TAIL: Final = 0.05
_DAY_NS: Final = 86_400_000_000_000


def run_statistics(result: Result) -> dict[str, float | int]:
    """Compute :data:`STATISTICS`; NaN where undefined.

    Tails: percentiles interpolate linearly between sessions (tail ratio as in Zakamulin's and QuantStats' use); VaR is
    minus the 5th, ES the mean of the worst 5 % with the last session counted in part (Acerbi and Tasche, "On the
    coherence of expected shortfall", JBF 26, 2002). Calmar: Young, "Calmar ratio", Futures 20(1), 1991, here over the
    whole run. Capital does not grow with the P&L; CAGR is -1 once it is used up.
    """
    capital = float(result.assumptions.get("capital") or math.nan)
    pnl = result.daily["pnl"].to_numpy()
    shuffled = shuffled_drawdowns(pnl)
    drawdowns = drawdown_table(result.daily)
    turnover = float((result.fills["quantity"] * result.fills["price"]).abs().sum())
    values = _tails(pnl) | _of_capital(pnl, capital)
    values |= {
        "capital": capital,
        "exposure": _exposure(result),
        "turnover": turnover,
        "turnover_ratio": turnover / capital,
        "longest_drawdown": max(drawdowns["sessions"].to_list(), default=0),
        "shuffled_drawdown": shuffled.quantiles[0.5],
        "shuffled_drawdown_95": shuffled.quantiles[0.95],
    }
    return {statistic.name: values[statistic.name] for statistic in STATISTICS}


def _tails(pnl: FloatArray) -> dict[str, float]:
    if not pnl.size:
        return dict.fromkeys(("tail_ratio", "common_sense_ratio", "var_day", "es_day"), math.nan)
    low, high = np.quantile(pnl, (_TAIL, 1.0 - _TAIL)).tolist()
    ratio = high / -low if low < 0.0 else math.nan
    lost = float(-pnl[pnl < 0.0].sum())
    factor = float(pnl[pnl > 0.0].sum()) / lost if lost > 0.0 else math.nan
    share = _TAIL * pnl.size
    whole = math.floor(share + 1e-9)
    ordered = np.sort(pnl)
    worst = float(ordered[:whole].sum())
    if share - whole > 1e-9:
        worst += (share - whole) * float(ordered[whole])
    return {"tail_ratio": ratio, "common_sense_ratio": factor * ratio, "var_day": -low, "es_day": -worst / share}


def _of_capital(pnl: FloatArray, capital: float) -> dict[str, float]:
    names = ("return_on_capital", "cagr", "max_drawdown_share", "calmar")
    if not capital > 0.0 or not pnl.size:
        return dict.fromkeys(names, math.nan)
    levels = capital + np.concatenate([[0.0], np.cumsum(pnl)])
    growth = float(levels[-1]) / capital
    rate = growth ** (SESSIONS_A_YEAR / pnl.size) - 1.0 if growth > 0.0 else -1.0
    peaks = np.maximum.accumulate(levels)
    deepest = float(((peaks - levels) / peaks).max())
    return dict(zip(names, (growth - 1.0, rate, deepest, rate / deepest if deepest > 0.0 else math.nan)))


def _exposure(result: Result) -> float:
    """Share of the minutes of all sessions in which some position was open."""
    windows = _hours(result.daily["date"]) if _imported(result) else _bars(result.equity["ts"])
    if windows is None or not windows[0].size:
        return math.nan
    starts, ends = windows
    held = _merged(result.trades.select(pl.col("entry_time", "exit_time").to_physical()).rows())
    edges = np.array([0, *(moment for pair in held for moment in pair), np.iinfo(np.int64).max])
    # Time in a position up to each edge: grows by an interval's length over it, stands still between two.
    covered = np.concatenate([[0], np.cumsum([0, *_alternate(held)])])[: edges.size]
    inside = _held_until(ends, edges, covered) - _held_until(starts, edges, covered)
    return float(inside.sum()) / float((ends - starts).sum())


def _alternate(held: list[tuple[int, int]]) -> Iterable[int]:
    for enter, leave in held:
        yield leave - enter
        yield 0


def _held_until(moments: IntArray, edges: IntArray, covered: IntArray) -> IntArray:
    at = np.searchsorted(edges, moments, side="right") - 1
    within = at % 2 == 1  # an odd edge opens a position
    return np.asarray(covered[at] + np.where(within, moments - edges[at], 0))


def _merged(trades: list[tuple[Any, ...]]) -> list[tuple[int, int]]:
    """Join the times of trades that overlap or touch."""
    held: list[tuple[int, int]] = []
    for enter, leave in sorted(trades):
        if held and enter <= held[-1][1]:
            held[-1] = held[-1][0], max(held[-1][1], leave)
        else:
            held.append((enter, leave))
    return held


def _imported(result: Result) -> bool:
    return result.assumptions.get("source") == "imported trades"


def _bars(ts: pl.Series) -> tuple[IntArray, IntArray] | None:
    """Give start and end of the bars of an equity curve, stamped with their ends."""
    ends = ts.to_physical().to_numpy()
    if ends.size < 2:
        return None
    return ends - int(np.diff(ends).min()), ends


def _hours(sessions: pl.Series) -> tuple[IntArray, IntArray] | None:
    """Give open and close of sessions; none where the calendar does not know them all."""
    days: list[date] = sessions.to_list()
    try:
        known = [calendar.session(day) for day in days]
    except DataError:
        return None
    return np.array([one.open_ns for one in known], np.int64), np.array([one.close_ns for one in known], np.int64)
