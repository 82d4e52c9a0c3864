"""The margin that a run tied up, moment by moment, and what it made on it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from algomaster.backtest.holdings import Book, Moment, daily_of, moments_of, moves_of, session_of
from algomaster.backtest.session import days_of
from algomaster.core.render import html_table, rupees, text_table
from algomaster.core.types import FloatArray
from algomaster.market.chain_day import ChainDay, Days
from algomaster.performance.result import Result, span_of, write_metric
from algomaster.pricing.kernels.span import COLUMNS
from algomaster.pricing.margin_rates import MarginRates

__all__ = ["MarginUse", "margin_of", "openings_of", "return_on"]

_YEAR = 252


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MarginUse:
    """Margin of one run over time.

    Attributes
    ----------
    strategy, underlying : str
    at : polars.DataFrame
        One row a moment at which a fill changed the position (and the start of a session with some carried over): ts,
        session, contracts, margin, and what it is the sum of: span, exposure, expiry_exposure, premium (net value of
        the options where more is bought than sold: it was paid in full). Rupees; holds until the next row.
    daily : polars.DataFrame
        date, margin (the peak), pnl, return_on_margin (NaN without a position).
    metrics : dict
        margin_peak (of all sessions), margin_mean (of the peaks of sessions with a position), return_on_margin (P&L
        over margin_peak), return_on_margin_se, return_on_margin_year (a year of 252 sessions).
    """

    strategy: str
    underlying: str
    at: pl.DataFrame
    daily: pl.DataFrame
    metrics: dict[str, float]

    def plot(self) -> Any:
        """Give the plotly figure of the margin over time and of the return on it by session."""
        from algomaster.backtest.plots import margin_figure

        return margin_figure(self.at, self.daily)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values for JSON; NaN is None."""
        return {
            "strategy": self.strategy,
            "underlying": self.underlying,
            "metrics": {name: value if math.isfinite(value) else None for name, value in self.metrics.items()},
            "daily": plain(self.daily),
            "at": plain(self.at),
        }

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        found = self.metrics
        error, made = found["return_on_margin_se"], found["return_on_margin"]
        rows = [
            ("Peak margin", rupees(found["margin_peak"])),
            ("Mean of sessions' peaks", rupees(found["margin_mean"])),
            (
                "Return on peak margin",
                f"{write_metric(made, 'share')}  (standard error {write_metric(error, 'share')})",
            ),
            ("The same a year", write_metric(found["return_on_margin_year"], "share")),
            ("Accuracy", "an approximation: see docs/margin.md"),
        ]
        return f"Margin of {self.strategy} on {self.underlying}, {span_of(self.daily['date'].to_list())}", rows

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())


def margin_of(
    run: Result,
    days: Days | ChainDay | Sequence[ChainDay] | None = None,
    *,
    rates: MarginRates | None = None,
    daily_vol: float | None = None,
) -> MarginUse:
    """Work out the margin of a run from its fills: whenever they change the position, and the peak of each session.

    SPAN-like and approximate, see :func:`algomaster.pricing.margin`. The order in which the legs of one minute are
    filled is not looked at: a broker may ask for more for a moment if the sold legs go first.

    Parameters
    ----------
    run : Result
        Of a replay, loaded or imported.
    days : Days, optional
        Its sessions, for premiums and the index at each moment. Without them the index is the run's own, and options
        are valued with the volatility that their last fill implied.
    rates : MarginRates, optional
        Instead of those of each day (:func:`algomaster.market.facts.margin_rates`).
    daily_vol : float, optional
        Daily volatility of the index, to widen the scan ranges in wild markets; see
        :func:`algomaster.pricing.margin`.

    Returns
    -------
    MarginUse

    Raises
    ------
    DataError
        The run has no prices of the index and no days are given.
    FactError
        No margin rates are on record for a session.

    Examples
    --------
    >>> from algomaster import backtest, market
    >>> days = market.simulate("NIFTY", sessions=2, start="2024-01-01", strikes=11, seed=7)
    >>> use = backtest.margin_of(backtest.replay("straddle", days), days)
    >>> use.daily.height, use.metrics["margin_peak"] > 50_000
    (2, True)
    """
    book = Book([run], days=() if days is None else (days_of(days),), rates=rates, daily_vol=daily_vol)
    moments = moments_of(moves_of(run), openings=openings_of(run))
    at = moments_frame(moments, book.margins(moments))
    dates, pnl = daily_of(run)
    peak = peaks(at, dates)
    with np.errstate(divide="ignore", invalid="ignore"):
        daily = pl.DataFrame(
            {"date": dates, "margin": peak, "pnl": pnl, "return_on_margin": np.where(peak > 0, pnl / peak, np.nan)},
            schema_overrides={"date": pl.Date},
        )
    return MarginUse(strategy=run.strategy, underlying=run.underlying, at=at, daily=daily, metrics=return_on(pnl, peak))


def openings_of(run: Result) -> list[int]:
    """Give when the first bar of each session ends, in nanoseconds UTC."""
    if not run.equity.height:
        return []
    ts = run.equity["ts"].dt.timestamp("ns").to_list()
    first: dict[dt.date, int] = {}
    for moment in ts:
        first.setdefault(session_of(moment), moment)
    return list(first.values())


def moments_frame(moments: Sequence[Moment], margins: FloatArray) -> pl.DataFrame:
    """Give positions' margins as a frame in rupees and Indian time."""
    column = {name: margins[:, COLUMNS.index(name)] for name in COLUMNS}
    return pl.DataFrame(
        {
            "ts": pl.Series([moment.ts for moment in moments], dtype=pl.Int64),
            "session": pl.Series([session_of(moment.ts) for moment in moments], dtype=pl.Date),
            "contracts": pl.Series([len(moment.held) for moment in moments], dtype=pl.Int64),
            "margin": needed(margins),
            **{name: column[name] for name in ("span", "exposure", "expiry_exposure")},
            "premium": np.maximum(column["option_value"], 0.0),
        }
    ).with_columns(pl.col("ts").cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone("Asia/Kolkata"))


def needed(margins: FloatArray) -> FloatArray:
    """Give what positions tie up: their margin, and the net value of options bought, which were paid in full."""
    return np.asarray(margins[:, COLUMNS.index("total")] + np.maximum(margins[:, COLUMNS.index("option_value")], 0.0))


def peaks(at: pl.DataFrame, sessions: Sequence[dt.date]) -> FloatArray:
    """Give the largest margin of each session; 0 where nothing was held."""
    found = dict(at.group_by("session").agg(pl.col("margin").max()).iter_rows())
    return np.array([found.get(session, 0.0) for session in sessions], dtype=np.float64)


def return_on(pnl: FloatArray, peak: FloatArray) -> dict[str, float]:
    """Give margin and return on it; the return's standard error is that of a sum of independent sessions."""
    most = float(peak.max(initial=0.0))
    held = peak[peak > 0.0]
    total, n = float(pnl.sum()), pnl.size
    error = float(pnl.std(ddof=1)) * math.sqrt(n) if n > 1 else math.nan
    return {
        "margin_peak": most,
        "margin_mean": float(held.mean()) if held.size else 0.0,
        "return_on_margin": total / most if most else math.nan,
        "return_on_margin_se": error / most if most else math.nan,
        "return_on_margin_year": total / most * _YEAR / n if most and n else math.nan,
    }


def plain(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Give rows ready for JSON: times as ISO 8601 with +05:30, NaN as None."""
    columns = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if isinstance(kind, pl.Datetime):
            column = column.dt.to_string("%Y-%m-%dT%H:%M:%S%:z")
        elif kind == pl.Date:
            column = column.dt.to_string("%Y-%m-%d")
        elif kind.is_float():
            column = pl.when(column.is_finite()).then(column)
        columns.append(column.alias(name))
    return frame.select(columns).to_dicts()
