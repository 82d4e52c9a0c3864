"""Metrics of accounts with capital: the table of :mod:`algomaster.performance`, and what needs the capital."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from algomaster.backtest.signals.curves import WIDTH, curve_numbers, day_numbers
from algomaster.core.types import FloatArray, IntArray, Record
from algomaster.execution.bars_trades import value_curve
from algomaster.performance.metrics import METRICS, table
from algomaster.performance.statistics import DAILY_STATISTICS

__all__ = ["CAPITAL_METRICS", "metric_rows", "together", "write_row"]

CAPITAL_METRICS: Final = {
    "final_value": "Final value", "total_return": "Total return", "max_drawdown_share": "Max drawdown, share",
    "exposure": "Exposure", "orders": "Orders",
}  # fmt: skip
"""What is told beside :data:`~algomaster.performance.METRICS`."""

_OF_RETURNS: Final = ("skewness", "kurtosis", "sharpe", "sharpe_se", "sortino")


def metric_rows(
    money: FloatArray, returns: FloatArray, totals: IntArray, extras: FloatArray, *, bars: int, orders: Any,
    trials: int | None,
) -> dict[str, Any]:  # fmt: skip
    """Give every metric as columns (G,): of money as everywhere, ratios of daily returns, and those of capital."""
    both = money.copy()
    for name in _OF_RETURNS:
        j = DAILY_STATISTICS.index(name)
        both[:, j] = returns[:, j]
    fallen = np.rint(extras[:, 2] * 100).astype(np.int64)
    rows = table(both, totals=totals, intraday_drawdown_paise=fallen, trials=trials)
    rows["final_value"] = extras[:, 1].copy()
    rows["total_return"] = extras[:, 1] / extras[:, 0] - 1.0
    rows["max_drawdown_share"] = extras[:, 3].copy()
    rows["exposure"] = extras[:, 4] / bars
    rows["orders"] = np.asarray(orders, dtype=np.int64)
    return rows


def together(
    fills: Record, rooms: IntArray, close: FloatArray, starts: IntArray, cash: FloatArray, ends: IntArray,
    totals: IntArray, rows: dict[str, Any],
) -> dict[str, float | int]:  # fmt: skip
    """Give the metrics of all groups as one account: their curves are added up, first to last."""
    if cash.size == 1:
        return {name: column[0].item() for name, column in rows.items()}
    bars, columns = close.shape
    total, one = np.zeros(bars), np.empty(bars)
    scratch = np.zeros(columns), np.zeros(columns)
    for g in range(cash.size):
        value_curve(
            fills[rooms[g] : rooms[g + 1]], close, starts[g], starts[g + 1], cash[g], *scratch, one, one[:0]
        )  # fmt: skip
        total += one
    money, returns, extras = np.empty((1, WIDTH)), np.empty((1, WIDTH)), np.zeros((1, 5))
    start = float(cash.sum())
    day_numbers(total[ends], start, np.empty(ends.size, np.int64), money[0], returns[0])
    curve_numbers(total, start, extras[0])
    extras[0, 4] = float(np.mean(rows["exposure"])) * bars
    found = metric_rows(
        money, returns, totals.sum(axis=0, keepdims=True), extras, bars=bars, orders=[rows["orders"].sum()], trials=1
    )
    return {name: column[0].item() for name, column in found.items()}


def write_row(metrics: dict[str, float | int], name: str) -> tuple[str, str]:
    """Write a metric for a table of a result; the Sharpe ratio with its error."""
    value = metrics[name]
    unit = {metric.name: metric.unit for metric in METRICS}.get(name, "ratio")
    label = {metric.name: metric.label for metric in METRICS}.get(name) or CAPITAL_METRICS[name]
    if not math.isfinite(value):
        return label, "–"
    if name == "sharpe":
        return label, f"{value:.2f} ± {metrics['sharpe_se']:.2f} (s.e.)"
    if unit == "count" or name == "orders":
        return label, f"{value:,.0f}"
    if unit == "share" or name in {"total_return", "max_drawdown_share", "exposure"}:
        return label, f"{100.0 * value:.2f} %"
    return label, f"{value:,.2f}"
