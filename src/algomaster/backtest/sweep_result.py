"""What a sweep gives back: one row a parameter set, and what all of them rest on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Self

import polars as pl

from algomaster.core.errors import DataError
from algomaster.core.render import html_table, text_table
from algomaster.performance.metrics import LESS_IS_BETTER, METRICS
from algomaster.performance.result import write_metric

__all__ = ["SweepResult"]

_SHOWN = ("pnl", "trades", "win_rate", "max_drawdown", "sharpe", "sharpe_se", "deflated_sharpe")


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
    trades : polars.DataFrame or None
        Every set's trades with a column ``set`` (row number), if asked for.
    assumptions : dict
    digest : str
        SHA-256 over the sets' digests, or over their fingerprints where no digests were asked for.
    """

    strategy: str
    underlying: str
    parameters: tuple[str, ...]
    frame: pl.DataFrame
    trades: pl.DataFrame | None
    assumptions: dict[str, Any]
    digest: str

    def best(self, metric: str = "sharpe", *, count: int = 1) -> pl.DataFrame:
        """Give the sets that are best by ``metric`` (of a drawdown or a cost the lowest), undefined ones last.

        The best of many is the luckiest too: read it with ``deflated_sharpe``, which knows how many were tried.
        """
        if metric not in self.frame.columns:
            raise ValueError(f"metric: expected one of {', '.join(self.frame.columns)}, got {metric!r}")
        keys = [pl.col(metric), pl.col("pnl")]  # where it is undefined for all, the profit decides
        keys = [key.fill_nan(None) if self.frame.schema[key.meta.output_name()].is_float() else key for key in keys]
        upside_down = metric not in LESS_IS_BETTER
        return self.frame.sort(keys, descending=[upside_down, True], nulls_last=True).head(count)

    def plot(self, x: str | None = None, y: str | None = None, *, metric: str = "pnl") -> Any:
        """Give a plotly heatmap of ``metric`` over two settings (by default the first two that vary)."""
        from algomaster.performance.plots import sweep_figure

        varied = [name for name in self.parameters if self.frame[name].n_unique() > 1]
        names = [name for name in (x, y) if name] or varied[:2]
        if len(names) < 2:
            raise ValueError(f"expected two settings that vary, got {', '.join(names) or 'none'}")
        return sweep_figure(self.frame, x=names[0], y=names[1], metric=metric)

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
            "assumptions": self.assumptions,
            "digest": self.digest,
        }

    def save(self, path: str | Path) -> Path:
        """Write a Parquet file with the rows; what they rest on goes into its metadata."""
        path = Path(path)
        header = {
            "strategy": self.strategy,
            "underlying": self.underlying,
            "parameters": list(self.parameters),
            "assumptions": self.assumptions,
            "digest": self.digest,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        self.frame.write_parquet(path, metadata={"algomaster.sweep": json.dumps(header)})
        return path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote (the trades are not kept)."""
        header = pl.read_parquet_metadata(path).get("algomaster.sweep")
        if header is None:
            raise DataError(f"{path} was not written by a sweep.")
        values = json.loads(header)
        values["parameters"] = tuple(values["parameters"])
        return cls(frame=pl.read_parquet(path), trades=None, **values)

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
        return title, [*rows, ("Digest", self.digest[:16])]


def digest_of(frame: pl.DataFrame) -> str:
    """Digest of all sets: over their digests where they have one, else over their fingerprints."""
    column = "digest" if "digest" in frame.columns else "fingerprint"
    return hashlib.sha256("\n".join(map(str, frame[column].to_list())).encode()).hexdigest()
