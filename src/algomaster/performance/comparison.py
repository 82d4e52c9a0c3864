"""Runs side by side: their metrics, and how sure the difference of their days is."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray
from algomaster.performance.metrics import METRICS
from algomaster.performance.result import Result, write_metric
from algomaster.performance.run_statistics import STATISTICS

__all__ = ["COMPARED", "Comparison", "Pair", "compare"]

COMPARED: Final = (*METRICS, *STATISTICS)
"""Every figure of the table, in order."""

_TAKEN: Final = frozenset(("date", "metric", "label", "unit"))
_SHOWN: Final = ("pnl", "trades", "win_rate", "max_drawdown", "mean_day", "sharpe", "sharpe_se")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pair:
    """A run's days less those of the first run, over the sessions that both have.

    Attributes
    ----------
    name, base : str
    sessions : int
        Sessions in both.
    difference, difference_se : float
        Mean of the daily difference in rupees, and its standard error (sd over root n).
    t : float
        Their ratio; NaN with fewer than two sessions or where all differences are alike.
    correlation : float
        Pearson's, of the daily P&L; NaN where one never varies.
    """

    name: str
    base: str
    sessions: int
    difference: float
    difference_se: float
    t: float
    correlation: float


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Comparison:
    """Several runs side by side; the first is what the others are compared with.

    Attributes
    ----------
    names : tuple of str
    metrics : polars.DataFrame
        One row a figure: metric, label, unit, one column a run called by its name, and ``NAME - FIRST`` for each
        further one.
    pairs : tuple of Pair
        Every further run against the first.
    daily : polars.DataFrame
        date, and the P&L of each run that day (null where a run does not have the session).
    correlation : (R, R) float64
        Of the daily P&L, over the sessions that each two have in common.
    """

    names: tuple[str, ...]
    metrics: pl.DataFrame
    pairs: tuple[Pair, ...]
    daily: pl.DataFrame
    correlation: FloatArray

    def to_dict(self) -> dict[str, Any]:
        """Give everything ready for JSON; NaN is None."""
        rows = self.metrics.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()
        pairs = [{k: _finite(v) for k, v in dataclasses.asdict(pair).items()} for pair in self.pairs]
        table = [[_finite(value) for value in row] for row in self.correlation.tolist()]
        return {"runs": list(self.names), "metrics": rows, "pairs": pairs, "correlation": table}

    def plot(self) -> Any:
        """Give the plotly figure: cumulated P&L of each run and the cumulated differences to the first."""
        from algomaster.performance.plots import comparison_figure

        return comparison_figure(self)

    def report(self, path: str | Path) -> Path:
        """Write the self-contained HTML page and give its path."""
        from algomaster.performance.comparison_page import write_comparison

        return write_comparison(self, path)

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        known = self.metrics.filter(pl.col("metric").is_in(_SHOWN))
        rows = [
            (row["label"], " | ".join(write_metric(row[name], row["unit"]) for name in self.names))
            for row in known.iter_rows(named=True)
        ]
        return " | ".join(self.names), rows + [
            (f"{pair.name} less {pair.base}", write_pair(pair)) for pair in self.pairs
        ]


def write_pair(pair: Pair) -> str:
    """Say a paired difference for people."""
    if not math.isfinite(pair.difference):
        return "no session in common"
    mean, error = write_metric(pair.difference, "rupees"), write_metric(pair.difference_se, "rupees")
    t, together = write_metric(pair.t, "ratio"), write_metric(pair.correlation, "ratio")
    return f"{mean} ± {error} a session over {pair.sessions}, t {t}, correlation {together}"


def compare(runs: Mapping[str, Result] | Sequence[Result]) -> Comparison:
    """Put runs side by side.

    Parameters
    ----------
    runs : mapping of names to results, or sequence of results
        Two at least; without names they are called by their strategies, with a number where that is not enough.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        There are fewer than two runs.
    """
    named = dict(runs) if isinstance(runs, Mapping) else dict(zip(_names([run.strategy for run in runs]), runs))
    if len(named) < 2:
        raise ValueError(f"runs: expected two at least, got {len(named)}")
    for name, run in named.items():
        if name in _TAKEN:
            raise ValueError(f"a run may not be called {name!r}: a column of the comparison is")
        if not isinstance(run, Result):
            raise TypeError(f"{name}: expected a Result, got {type(run).__name__}")
    names = tuple(named)
    daily = _daily(named)
    days = daily.drop("date").to_numpy().astype(np.float64)
    return Comparison(
        names=names,
        metrics=_metrics(named),
        pairs=tuple(_pair(names[at], names[0], days[:, at], days[:, 0]) for at in range(1, len(names))),
        daily=daily,
        correlation=np.array([[_correlation(one, other) for other in days.T] for one in days.T]),
    )


def _names(wanted: Sequence[str]) -> list[str]:
    """Tell runs of one name apart by a number."""
    return [
        name if wanted.count(name) == 1 else f"{name} {wanted[: at + 1].count(name)}" for at, name in enumerate(wanted)
    ]


def _metrics(runs: Mapping[str, Result]) -> pl.DataFrame:
    values = {name: run.metrics | run.statistics() for name, run in runs.items()}
    columns: dict[str, Any] = {
        "metric": [m.name for m in COMPARED], "label": [m.label for m in COMPARED], "unit": [m.unit for m in COMPARED],
    }  # fmt: skip
    for name, found in values.items():
        columns[name] = pl.Series([float(found.get(m.name, math.nan)) for m in COMPARED], dtype=pl.Float64)
    first = next(iter(runs))
    for name in list(runs)[1:]:
        columns[f"{name} - {first}"] = columns[name] - columns[first]
    return pl.DataFrame(columns)


def _daily(runs: Mapping[str, Result]) -> pl.DataFrame:
    whole: pl.DataFrame | None = None
    for name, run in runs.items():
        part = run.daily.select("date", pl.col("pnl").alias(name))
        whole = part if whole is None else whole.join(part, on="date", how="full", coalesce=True)
    assert whole is not None
    return whole.sort("date")


def _pair(name: str, base: str, days: FloatArray, base_days: FloatArray) -> Pair:
    less = days - base_days
    less = less[np.isfinite(less)]
    mean = float(less.mean()) if less.size else math.nan
    error = float(less.std(ddof=1)) / math.sqrt(less.size) if less.size > 1 else math.nan
    return Pair(
        name=name, base=base, sessions=less.size, difference=mean, difference_se=error,
        t=mean / error if error > 0.0 and np.ptp(less) > 0.0 else math.nan,
        correlation=_correlation(days, base_days),
    )  # fmt: skip


def _correlation(one: FloatArray, other: FloatArray) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    x, y = one[both], other[both]
    if x.size < 2 or not np.ptp(x) > 0.0 or not np.ptp(y) > 0.0:
        return math.nan
    x, y = x - x.mean(), y - y.mean()
    return float((x @ y) / math.sqrt(float(x @ x) * float(y @ y)))


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
