"""What a sweep gives back: one row a parameter set, and what all of them rest on."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.backtest.sweeps.trade_files import KeptTrades
from algomaster.core.errors import DataError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import PAISE
from algomaster.performance.deflation import deflated_sharpes, trial_variance
from algomaster.performance.metrics import LESS_IS_BETTER, METRICS
from algomaster.performance.result import write_metric
from algomaster.performance.trials.overfit import overfitting
from algomaster.performance.trials.verdict import Overfitting

__all__ = ["SweepResult"]

_MOST_JUDGED: Final = 10_000
_KINDS: Final = ("heatmap", "interaction", "parallel")
_ROW: Final = "row.number"
_DAILY: Final = "daily.paise"
"""Columns that a saved file has beside: the daily P&L of a set."""

_SHOWN = ("pnl", "trades", "win_rate", "max_drawdown", "sharpe", "sharpe_se")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SweepResult:
    """Many parameter sets of one strategy over the same sessions.

    Attributes
    ----------
    strategy, underlying : str
    parameters : tuple of str
        Names of the settings that the sets give.
    frame : polars.DataFrame
        One row a set, in the order of the grid: its settings, every metric, ``fingerprint``, ``digest`` if asked for.
    assumptions : dict
    digest : str
        SHA-256 over the sets' digests, or over their fingerprints where no digests were asked for.
    daily : (P, D) int32 or int64
        Net P&L of each session in paise, of the sets 0, k, 2k ... with k = ``daily_stride`` (1: of all sets).
    kept_trades : KeptTrades or None
        Where the trades are, if asked for; see :attr:`trades` and :meth:`scan_trades`.
    """

    strategy: str
    underlying: str
    parameters: tuple[str, ...]
    frame: pl.DataFrame
    assumptions: dict[str, Any]
    digest: str
    daily: NDArray[np.int32] | NDArray[np.int64]
    daily_stride: int = 1
    kept_trades: KeptTrades | None = None

    @functools.cached_property
    def trades(self) -> pl.DataFrame | None:
        """Every set's trades with a column ``set`` (row number), if asked for; from a file they are read now."""
        return self.kept_trades.frame() if self.kept_trades else None

    def overfitting(self, **settings: Any) -> Overfitting:
        """Say how much of the best set is luck; settings are those of :func:`algomaster.performance.overfitting`.

        At most 10,000 curves are looked at, every so many of ``daily`` (8 kB each); all sets count as trials. Column c
        is set ``judged_stride`` times c.
        """
        curves = self.daily[:: self.judged_stride // self.daily_stride]
        return overfitting(curves.T / PAISE, trials=self.frame.height, **settings)

    @property
    def judged_stride(self) -> int:
        """Sets from one that :meth:`overfitting` looks at to the next."""
        return self.daily_stride * max(1, -(-len(self.daily) // _MOST_JUDGED))

    @functools.cached_property
    def _verdict(self) -> Overfitting:
        return self.overfitting()

    def with_assumptions(self, **said: Any) -> Self:
        """Give the same result that says more of what it rests on."""
        return dataclasses.replace(self, assumptions=self.assumptions | said)

    def scan_trades(self) -> pl.LazyFrame:
        """Give the trades lazily: of those in a file only what is asked for is read."""
        if self.kept_trades is None:
            raise ValueError("expected a sweep that kept its trades; give trades=True or a file")
        return self.kept_trades.scan()

    def best(self, metric: str = "sharpe", *, count: int = 1) -> pl.DataFrame:
        """Give the sets that are best by ``metric`` (of a drawdown or a cost the lowest), undefined ones last.

        The best of many is the luckiest too: read it with ``deflated_sharpe``, which knows how many were tried.
        """
        if metric not in self.frame.columns:
            raise ValueError(f"metric: expected one of {', '.join(self.frame.columns)}, got {metric!r}")
        keys = [pl.col(metric), pl.col("pnl")]  # where it is undefined for all, the profit decides
        keys = [key.fill_nan(None) if self.frame.schema[key.meta.output_name()].is_float() else key for key in keys]
        upside_down = metric not in LESS_IS_BETTER
        return self.frame.sort(keys, descending=[upside_down, True], nulls_last=True, maintain_order=True).head(count)

    def plot(self, x: str | None = None, y: str | None = None, *, metric: str = "pnl", kind: str = "heatmap") -> Any:
        """Give a plotly figure of ``metric`` over the settings.

        Parameters
        ----------
        x, y : str, optional
            Two settings; by default the first two that vary. Of "parallel" they go first.
        metric : str
        kind : "heatmap", "interaction" or "parallel"
            A heatmap over ``x`` and ``y``; a line over ``x`` for every ``y``, parallel where the two do not act on each
            other; or one line a set through all settings that vary. Where more than two vary, the first two show the
            median of the rest.
        """
        from algomaster.backtest.sweeps.plots import interaction_figure, parallel_figure
        from algomaster.performance.plots import sweep_figure

        if kind not in _KINDS:
            raise ValueError(f"kind: expected one of {', '.join(_KINDS)}, got {kind!r}")
        if metric not in self.frame.columns:
            raise ValueError(f"metric: expected one of {', '.join(self.frame.columns)}, got {metric!r}")
        varied = [name for name in self.parameters if self.frame[name].n_unique() > 1]
        asked = [name for name in (x, y) if name]
        names = list(dict.fromkeys([*asked, *varied]))
        if kind == "parallel":
            return parallel_figure(self.frame, settings=names, metric=metric)
        if len(names) < 2:
            raise ValueError(f"expected two settings that vary, got {', '.join(names) or 'none'}")
        draw = interaction_figure if kind == "interaction" else sweep_figure
        return draw(self.frame, x=names[0], y=names[1], metric=metric)

    def to_frame(self, *, pandas: bool = False) -> Any:
        """Give the rows as polars, or as pandas where that is installed."""
        return self.frame.to_pandas() if pandas else self.frame

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values for JSON; NaN becomes null."""
        rows = self.frame.with_columns(pl.selectors.float().fill_nan(None), pl.col("fingerprint").cast(pl.String))
        return {
            "strategy": self.strategy,
            "underlying": self.underlying,
            "parameters": list(self.parameters),
            "sets": rows.to_dicts(),
            "overfitting": self._verdict.to_dict() | {"daily_stride": self.judged_stride},
            "assumptions": self.assumptions,
            "digest": self.digest,
        }

    def save(self, path: str | Path) -> Path:
        """Write a Parquet file with the rows; what they rest on goes into its metadata, ``daily`` beside the rows.

        Trades in a file stay where they are, those in memory are not kept.
        """
        path = Path(path)
        file = self.kept_trades.path if self.kept_trades else None
        header = {
            "strategy": self.strategy,
            "underlying": self.underlying,
            "parameters": list(self.parameters),
            "assumptions": self.assumptions,
            "digest": self.digest,
            "daily_stride": self.daily_stride,
            "trades": None if file is None else str(file.absolute()),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = pl.Series(_ROW, range(0, self.frame.height, self.daily_stride), dtype=pl.UInt32)
        curves = pl.DataFrame([rows, pl.Series(_DAILY, self.daily)])
        frame = self.frame.with_row_index(_ROW).join(curves, on=_ROW, how="left", maintain_order="left").drop(_ROW)
        frame.write_parquet(path, metadata={"algomaster.sweep": json.dumps(header)})
        return path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote."""
        header = pl.read_parquet_metadata(path).get("algomaster.sweep")
        if header is None:
            raise DataError(f"{path} was not written by a sweep.")
        values = json.loads(header)
        values["parameters"] = tuple(values["parameters"])
        file = values.pop("trades", None)
        frame = pl.read_parquet(path)
        daily = frame[_DAILY].drop_nulls().to_numpy()
        frame = frame.drop(_DAILY)
        return cls(frame=frame, daily=daily, kept_trades=KeptTrades(path=Path(file)) if file else None, **values)

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        title = f"{self.strategy} on {self.underlying}: {self.frame.height} parameter sets"
        best = self.best().row(0, named=True)
        units = {metric.name: (metric.label, metric.unit) for metric in METRICS}
        settings = ", ".join(f"{name}={best[name]}" for name in self.parameters)
        rows = [("Best by Sharpe", settings)]
        rows += [(units[name][0], write_metric(best[name], units[name][1])) for name in _SHOWN]
        return title, [*rows, *self._verdict.rows(), ("Digest", self.digest[:16])]


def digest_of(frame: pl.DataFrame) -> str:
    """Digest of all sets: over their digests where they have one, else over their fingerprints."""
    column = "digest" if "digest" in frame.columns else "fingerprint"
    return hashlib.sha256("\n".join(map(str, frame[column].to_list())).encode()).hexdigest()


def joined_results(parts: Sequence[SweepResult]) -> SweepResult:
    """Put the sets of several sweeps over the same sessions together; the trials of all count for each."""
    frame = pl.concat([part.frame for part in parts], how="vertical_relaxed")
    sharpe, error = frame["sharpe"].to_numpy(), frame["sharpe_se"].to_numpy()
    deflated = deflated_sharpes(sharpe, error, trials=frame.height, trial_variance=trial_variance(sharpe))
    frame = frame.with_columns(
        pl.lit(frame.height, dtype=pl.Int64).alias("trials"), pl.Series("deflated_sharpe", deflated)
    )
    hashes = "".join(part.assumptions["params_hash"] for part in parts)
    said = parts[0].assumptions | {
        "trials": frame.height,
        "params_hash": hashlib.sha256(hashes.encode()).hexdigest(),
    }
    return dataclasses.replace(
        parts[0],
        frame=frame,
        daily=np.concatenate([part.daily for part in parts]),
        assumptions=said,
        digest=digest_of(frame),
    )
