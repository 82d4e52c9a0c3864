"""What a portfolio gives back: profit, margin, correlation and what the capital could not carry, in one object."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final, Self

import polars as pl

from algomaster.backtest.margin_use import plain
from algomaster.core.errors import DataError
from algomaster.core.render import html_table, rupees, text_table
from algomaster.performance.result import span_of, write_metric

__all__ = ["Portfolio"]

FRAMES: Final = ("daily", "equity", "margin", "correlation", "parts", "breaches", "trades")
_HEADER: Final = "portfolio.json"
_FORMAT: Final = 1


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Portfolio:
    """Several runs on one capital. Amounts are rupees after costs.

    Attributes
    ----------
    names : tuple of str
        The parts, in order of priority; a strategy that comes twice is numbered.
    capital : float
    rule : str
        "refuse" or "allow", see :func:`algomaster.backtest.portfolio`.
    sessions : list of date
    daily : polars.DataFrame
        date, a column a part, pnl (their sum), margin (the peak of the session).
    equity : polars.DataFrame
        ts (end of the minute), a column a part, equity (their sum): cumulated, from 0.
    margin : polars.DataFrame
        ts, session, contracts, margin, span, exposure, expiry_exposure, premium: whenever a fill changes what is held.
    correlation : polars.DataFrame
        a, b, sessions, correlation, se, low, high: of daily P&L, a row a pair.
    parts : polars.DataFrame
        part, lots, sessions, refused, pnl, sd, risk_share, margin_peak, return_on_margin, margin_share.
    breaches : polars.DataFrame
        session (of the largest need), block (its first session), part, needed, available, action.
    trades : polars.DataFrame
        Those of accepted sessions, with a column part; quantities and amounts are multiplied by the part's lots.
    metrics : dict
        Those of :func:`algomaster.performance.summarize` for the sum; and margin_peak, margin_mean, return_on_margin,
        return_on_margin_se, return_on_margin_year, capital, return_on_capital, margin_share (peak over capital),
        margin_saved (share of the parts' own peaks that holding them together saves), breaches.
    assumptions : dict
    """

    names: tuple[str, ...]
    capital: float
    rule: str
    sessions: list[dt.date]
    daily: pl.DataFrame
    equity: pl.DataFrame
    margin: pl.DataFrame
    correlation: pl.DataFrame
    parts: pl.DataFrame
    breaches: pl.DataFrame
    trades: pl.DataFrame
    metrics: dict[str, float | int]
    assumptions: dict[str, Any]

    def plot(self) -> Any:
        """Give the plotly figure: equity together and apart, margin against the capital, correlation."""
        from algomaster.backtest.plots import portfolio_figure

        return portfolio_figure(self)

    def to_frame(self, kind: str = "daily") -> pl.DataFrame:
        """Give one of the frames: daily, equity, margin, correlation, parts, breaches or trades."""
        if kind not in FRAMES:
            raise ValueError(f"kind: expected one of {', '.join(FRAMES)}, got {kind!r}")
        frame: pl.DataFrame = getattr(self, kind)
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Give everything but the minutes and the trades as plain values for JSON; NaN is None."""
        shown = ("daily", "margin", "correlation", "parts", "breaches")
        return self._header() | {name: plain(getattr(self, name)) for name in shown}

    def _header(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "capital": self.capital,
            "rule": self.rule,
            "metrics": {name: value if math.isfinite(value) else None for name, value in self.metrics.items()},
            "assumptions": self.assumptions,
        }

    def save(self, path: str | Path) -> Path:
        """Write a folder with one Parquet file a frame and ``portfolio.json``; a portfolio there is replaced.

        Raises
        ------
        DataError
            The path holds something else.
        """
        path = Path(path)
        if path.exists() and not (path / _HEADER).is_file() and not (path.is_dir() and not any(path.iterdir())):
            raise DataError(f"{path} exists and is not a saved portfolio.", hint="Choose another path.", path=str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            fresh = Path(folder) / "portfolio"
            fresh.mkdir()
            for name in FRAMES:
                getattr(self, name).write_parquet(fresh / f"{name}.parquet")
            header = json.dumps({"format": _FORMAT, **self._header()}, indent=2, allow_nan=False)
            (fresh / _HEADER).write_text(header, encoding="utf-8")
            if path.exists():
                shutil.rmtree(path)
            os.replace(fresh, path)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        DataError
            There is no portfolio, or a file of it is missing or broken.
        """
        path = Path(path)
        try:
            header = json.loads((path / _HEADER).read_text(encoding="utf-8"))
            if header.pop("format") != _FORMAT:
                raise ValueError("another format")
            frames: dict[str, Any] = {name: pl.read_parquet(path / f"{name}.parquet") for name in FRAMES}
            header["metrics"] = {n: math.nan if value is None else value for n, value in header["metrics"].items()}
            header["names"] = tuple(header["names"])
        except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as problem:
            raise DataError(
                f"{path} is not a complete saved portfolio ({problem}).", hint="Save it again.", path=str(path)
            ) from None
        return cls(**header, sessions=frames["daily"]["date"].to_list(), **frames)

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        found = self.metrics

        def share(name: str) -> str:
            return write_metric(found[name], "share")

        rows = [
            ("Capital", rupees(self.capital)),
            ("P&L", f"{rupees(sum(self.daily['pnl'].to_list()))}  ({found['return_on_capital']:.2%} of the capital)"),
            ("Sharpe", f"{write_metric(found['sharpe'], 'ratio')}  ± {write_metric(found['sharpe_se'], 'ratio')}"),
            ("Peak margin", f"{rupees(found['margin_peak'])}  ({found['margin_share']:.0%} of the capital)"),
            ("Return on it", f"{share('return_on_margin')}  ± {share('return_on_margin_se')}"),
            ("Saved by holding together", f"{share('margin_saved')} of the parts' own peaks"),
        ]
        for row in self.parts.iter_rows(named=True):
            refused = f", {row['refused']} refused" if row["refused"] else ""
            risk, margin = write_metric(row["risk_share"], "share"), rupees(row["margin_peak"])
            said = f"{rupees(row['pnl'])}, risk {risk}, margin {margin}, {row['sessions']} sessions{refused}"
            rows.append((f"{row['part']} × {row['lots']:g}", said))
        for row in self.correlation.iter_rows(named=True):
            rows.append(
                (
                    f"{row['a']} ~ {row['b']}",
                    f"{write_metric(row['correlation'], 'ratio')} ± {write_metric(row['se'], 'ratio')}",
                )
            )
        told = "refused" if self.rule == "refuse" else "only reported"
        rows.append(("Beyond the capital", f"{self.breaches.height} ({told})" if self.breaches.height else "never"))
        return f"Portfolio of {len(self.names)}, {span_of(self.sessions)}", rows

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())
