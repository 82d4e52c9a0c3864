"""What a run gives back: its records, its metrics and what it assumed, in one frozen object."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

import polars as pl

from algomaster.core.errors import ConfigError, DataError
from algomaster.core.render import html_table, rupees, text_table
from algomaster.performance.breakdowns import REPORTED, VIX_EDGES, breakdown
from algomaster.performance.drawdowns import ShuffledDrawdowns, drawdown_table, shuffled_drawdowns
from algomaster.performance.imported import read_trades
from algomaster.performance.metrics import METRICS, Metric
from algomaster.performance.older_results import FORMAT, OLDEST, frames_of, modernised
from algomaster.performance.run_statistics import STATISTICS, run_statistics

__all__ = ["FRAMES", "Result", "span_of", "write_interval", "write_metric"]

FRAMES: Final = ("trades", "fills", "orders", "skipped", "notes", "equity", "daily", "prices")
"""The frames a result carries, by name."""

_HEADLINE: Final = (
    "pnl", "gross", "costs", "costs_share", "trades", "win_rate", "winners_share", "expectancy", "mean_day",
    "mean_day_se", "peak", "max_drawdown", "drawdown_days", "longest_drawdown", "shuffled_drawdown_95", "sharpe",
    "sharpe_se", "deflated_sharpe", "sortino", "return_on_capital", "cagr", "calmar", "tail_ratio",
    "common_sense_ratio", "var_day", "es_day", "exposure", "turnover", "turnover_ratio",
)  # fmt: skip
_OF_CAPITAL: Final = frozenset(("return_on_capital", "cagr", "calmar", "turnover_ratio"))
_HEADER: Final = "result.json"


def _no_notes() -> pl.DataFrame:
    return pl.DataFrame(schema={"session": pl.Date, "note": pl.String})


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Result:
    """One run of a strategy, or an imported log of trades.

    Attributes
    ----------
    strategy, underlying : str
    trades : polars.DataFrame
        One row a closed leg: session, leg, expiry, right ("CE"/"PE"), strike, quantity (short negative), entry_time,
        entry_price, exit_time, exit_price, exit_reason, pnl (of prices alone), costs, net_pnl, lots. Rupees; times are
        nanoseconds in Asia/Kolkata.
    fills : polars.DataFrame
        session, ts, leg, expiry, right, strike, quantity (signed), price, reason, costs.
    orders : polars.DataFrame
        What the strategy placed, as its host recorded it.
    skipped : polars.DataFrame
        session, reason: sessions without a trade, and why there was none.
    notes : polars.DataFrame
        session, note: what a reader should know of a session that was traded, such as an entry that waited or was
        undone; may be empty.
    equity : polars.DataFrame
        ts (end of the bar), equity: cumulated rupees net of costs, from 0.
    daily : polars.DataFrame
        date, gross, costs, pnl (net), trades, vix (the first known level of the session, in points; null where there
        is none).
    prices : polars.DataFrame
        ts, spot; may be empty.
    metrics : dict
        See :func:`algomaster.performance.summarize`.
    assumptions : dict
        What the numbers rest on (costs, fill rule, data range and fingerprint, version, seed), ready for JSON;
        ``capital`` (rupees) where one was given.
    digest : str
        SHA-256 over fills and equity.
    fingerprint : int
        64-bit fingerprint of the same, as compiled loops keep it.
    """

    strategy: str
    underlying: str
    trades: pl.DataFrame
    fills: pl.DataFrame
    orders: pl.DataFrame
    skipped: pl.DataFrame
    notes: pl.DataFrame = dataclasses.field(default_factory=_no_notes)
    equity: pl.DataFrame
    daily: pl.DataFrame
    prices: pl.DataFrame
    metrics: dict[str, float | int]
    assumptions: dict[str, Any]
    digest: str
    fingerprint: int

    @classmethod
    def from_trades(
        cls, trades: Any, *, underlying: str, strategy: str = "imported", skipped: pl.DataFrame | None = None
    ) -> Self:
        """Take somebody else's log of trades with its own unrounded prices.

        Parameters
        ----------
        trades : polars or pandas DataFrame, or path of a CSV file
            One row a closed leg. Needed: right ("CE"/"PE"), strike, quantity (units, short negative), entry_time,
            entry_price, exit_time, exit_price. Times are datetimes (without a zone: Asia/Kolkata) or ISO 8601 text.
            Used if there: session (else the date of the exit, when the money is booked), leg, expiry, exit_reason,
            lots, costs (rupees; else 0).
        underlying, strategy : str
            Names for the report.
        skipped : polars DataFrame, optional
            session, reason: sessions without a trade, and why; they are listed and do not count as days.

        Returns
        -------
        Result
            P&L of a trade is ``(exit - entry) * quantity``, exact in decimal and rounded once to a paisa, half away
            from zero. Equity is known at the exits only; so is its drawdown.

        Raises
        ------
        DataError
            Columns are missing, or rows cannot be used; all of them are named.
        """
        return cls(**read_trades(trades, underlying=underlying, strategy=strategy, skipped=skipped))

    def with_capital(self, rupees: float) -> Self:
        """Give the same run with a capital, for CAGR, Calmar, return on capital and turnover over capital."""
        if not (math.isfinite(rupees) and rupees > 0.0):
            raise ValueError(f"capital: expected a positive amount in rupees, got {rupees}")
        return dataclasses.replace(self, assumptions=self.assumptions | {"capital": float(rupees)})

    def statistics(self) -> dict[str, float | int]:
        """Give what the records say beyond the metrics (:data:`algomaster.performance.STATISTICS`), NaN if undefined.

        Exposure, turnover, tails, the longest drawdown and those of shuffled sessions; with a capital
        (:meth:`with_capital`) also CAGR, Calmar and return.
        """
        return run_statistics(self)

    def by(self, key: str, *, vix: Any = None, edges: Sequence[float] = VIX_EDGES) -> pl.DataFrame:
        """Break the net P&L down.

        Parameters
        ----------
        key : str
            "weekday", "month", "year" or "vix" (of a session); "dte" (calendar days from the session to the expiry),
            "entry" (time; half hours if there are more than 12), "right" or "reason" (of a trade).
        vix : mapping of dates to levels or frame with date and vix, optional
            For "vix", where the run does not know them: levels known when the session began.
        edges : sequence of float
            Bounds of the "vix" groups, in points; a level on a bound belongs above it.

        Returns
        -------
        frame
            group, sessions, trades, pnl, hit_rate (share of the sessions with a profit), mean and mean_se (of a
            session's P&L within the group, in rupees; NaN for one session). Sessions without a trade are left out;
            what is not known is in the group "unknown". The sums of ``pnl`` are the run's.
        """
        return breakdown(self, key, vix=vix, edges=edges)

    def drawdowns(self, count: int | None = None) -> pl.DataFrame:
        """Give the deepest drawdowns at session ends: depth, peak, trough, recovered, to_trough, sessions."""
        return drawdown_table(self.daily).head(count if count is not None else self.daily.height)

    def shuffled_drawdowns(self, *, simulations: int = 1000, seed: int = 0) -> ShuffledDrawdowns:
        """Give the deepest drawdowns that the sessions would have had in random orders."""
        return shuffled_drawdowns(self.daily["pnl"], simulations=simulations, seed=seed)

    def __repr__(self) -> str:
        return text_table(self._title(), self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._rows())

    def _title(self) -> str:
        what = " on ".join(filter(None, (self.strategy, self.underlying)))
        return f"{what}, {span_of(self.daily['date'].to_list())}"

    def _rows(self) -> list[tuple[str, str]]:
        values = self.metrics | self.statistics()
        known = {metric.name: metric for metric in (*METRICS, *STATISTICS)}
        rows = [(known[name].label, _with_error(values, known[name])) for name in _HEADLINE if name in values]
        skipped = f", {self.skipped.height} skipped" if self.skipped.height else ""
        notes = [("Notes", f"{self.notes.height}, see .notes")] if self.notes.height else []
        return [
            ("Sessions", f"{self.daily.height}{skipped}"),
            *notes,
            *rows,
            *_ruin(values),
            ("Digest", self.digest[:16]),
        ]

    def plot(self) -> Any:
        """Give the plotly figure of equity and drawdown."""
        from algomaster.performance.plots import equity_figure

        return equity_figure(self.equity)

    def to_frame(self, kind: str = "trades", *, pandas: bool = False) -> Any:
        """Give one of the frames (:data:`FRAMES`) as polars, or as pandas where that is installed."""
        if kind not in FRAMES:
            raise ValueError(f"kind: expected one of {', '.join(FRAMES)}, got {kind!r}")
        frame: pl.DataFrame = getattr(self, kind)
        if not pandas:
            return frame
        try:
            return frame.to_pandas()
        except ModuleNotFoundError as missing:
            raise ConfigError(f"pandas frames need {missing.name}.", hint=f"pip install {missing.name}") from None

    def to_dict(self) -> dict[str, Any]:
        """Give strategy, underlying, trades, metrics, statistics, breakdowns, assumptions, digest and more for JSON.

        Times are ISO 8601 with +05:30, dates ISO, NaN is None.
        """
        return {
            "strategy": self.strategy,
            "underlying": self.underlying,
            "trades": _records(self.trades),
            "metrics": _finite(self.metrics),
            "statistics": _finite(self.statistics()),
            "breakdowns": {key: _records(self.by(key)) for key in REPORTED},
            "drawdowns": _records(self.drawdowns()),
            "shuffled_drawdowns": self.shuffled_drawdowns().to_dict(),
            "assumptions": self.assumptions,
            "skipped": _records(self.skipped),
            "notes": _records(self.notes),
            "digest": self.digest,
            "fingerprint": f"{self.fingerprint:016x}",
        }

    def report(self, path: str | Path) -> Path:
        """Write the self-contained HTML report and give its path."""
        from algomaster.performance.report import write_report

        return write_report(self, path)

    def save(self, path: str | Path) -> Path:
        """Write the result into a folder: one Parquet file a frame and ``result.json``; a result there is replaced.

        Raises
        ------
        DataError
            The path holds something else than a result.
        """
        path = Path(path)
        if path.exists() and not (path / _HEADER).is_file() and not (path.is_dir() and not any(path.iterdir())):
            raise DataError(f"{path} exists and is not a saved result.", hint="Choose another path.", path=str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            for name in FRAMES:
                getattr(self, name).write_parquet(fresh / f"{name}.parquet")
            (fresh / _HEADER).write_text(self._header(), encoding="utf-8")
            fresh.chmod(0o755)  # mkdtemp gives a folder that nobody else may read
            if path.exists():
                shutil.rmtree(path)
            os.replace(fresh, path)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        return path

    def _header(self) -> str:
        header = {
            "format": FORMAT,
            "strategy": self.strategy,
            "underlying": self.underlying,
            "metrics": _finite(self.metrics),
            "assumptions": self.assumptions,
            "digest": self.digest,
            "fingerprint": self.fingerprint,
        }
        return json.dumps(header, indent=2, allow_nan=False)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote, equal in every value and column type.

        A result of an earlier version gets the names of this one; what it did not know stays unknown.

        Raises
        ------
        DataError
            There is no result, a file of it is missing or broken, or a newer version wrote it.
        """
        path = Path(path)
        try:
            header = json.loads((path / _HEADER).read_text(encoding="utf-8"))
            written = header.pop("format")
            if not OLDEST <= written <= FORMAT:
                raise DataError(
                    f"{path} is a result of format {written}, expected {OLDEST} to {FORMAT}.", hint="Run it again."
                )
            frames = {name: pl.read_parquet(path / f"{name}.parquet") for name in frames_of(FRAMES, written)}
            metrics = {name: math.nan if value is None else value for name, value in header.pop("metrics").items()}
        except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as problem:
            raise DataError(
                f"{path} is not a complete saved result ({problem}).", hint="Save it again.", path=str(path)
            ) from None
        metrics, frames = modernised(metrics, frames, written)
        known: dict[str, Any] = frames
        return cls(**header, metrics=metrics, **known)


def span_of(sessions: list[date]) -> str:
    """Write the first and the last of ascending sessions."""
    if not sessions:
        return "no session"
    return str(sessions[0]) if len(sessions) == 1 else f"{sessions[0]} to {sessions[-1]}"


def write_metric(value: float, unit: str) -> str:
    """Write a metric for people: rupees the Indian way, shares in percent, a dash for what is undefined."""
    if not math.isfinite(value):
        return "–"
    if unit == "rupees":
        return rupees(value)
    if unit == "count":
        return f"{value:,.0f}"
    return f"{100.0 * value:.1f} %" if unit == "share" else f"{value:.2f}"


def write_interval(metrics: dict[str, float | int], name: str, unit: str) -> str:
    """Write the 95 % interval of a metric for people; nothing where it is not known."""
    low, high = (metrics.get(f"{name}_{end}", math.nan) for end in ("low", "high"))
    known = math.isfinite(low) and math.isfinite(high)
    return f"{write_metric(low, unit)} to {write_metric(high, unit)}" if known else ""


def _ruin(values: dict[str, float | int]) -> list[tuple[str, str]]:
    """Give the line on the risk of ruin, which runs with a martingale have."""
    if "risk_of_ruin" not in values:
        return []
    return [("Risk of ruin", f"{100 * values['risk_of_ruin']:.2f} % ± {100 * values['risk_of_ruin_se']:.2f}")]


def _with_error(metrics: dict[str, float | int], metric: Metric) -> str:
    if metric.name in _OF_CAPITAL and not math.isfinite(metrics[metric.name]):
        return "– (needs a capital)"
    interval = write_interval(metrics, metric.name, metric.unit)
    return write_metric(metrics[metric.name], metric.unit) + (f"  ({interval})" if interval else "")


def _finite(values: dict[str, float | int]) -> dict[str, float | int | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Give rows ready for JSON; nanosecond times keep what digits they need."""
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if isinstance(dtype, pl.Datetime):
            column = column.dt.to_string("%Y-%m-%dT%H:%M:%S%.f%:z")
        elif dtype == pl.Date:
            column = column.dt.to_string("%Y-%m-%d")
        elif dtype.is_float():
            column = pl.when(column.is_finite()).then(column)
        columns.append(column)
    return frame.select(columns).to_dicts()
