"""What a signal sweep gives back: a row a set, all trades, and what both rest on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.backtest.signals.numbers import write_row
from algomaster.core.render import html_table, text_table
from algomaster.core.types import IntArray, Record
from algomaster.execution.bars_account import REASONS, STILL_OPEN
from algomaster.performance.metrics import LESS_IS_BETTER

__all__ = ["SignalSweep", "columns_of", "sweep_trades"]

_SHOWN: Final = ("total_return", "trades", "win_rate", "max_drawdown_share", "sharpe", "deflated_sharpe")
_BETTER_LOW: Final = LESS_IS_BETTER | {"max_drawdown_share"}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SignalSweep:
    """Many settings of one signal step over the same bars.

    Attributes
    ----------
    step, symbol : str
    parameters : tuple of str
        Names of the settings that the sets give.
    frame : polars.DataFrame
        One row a set, in the order of the grid: its settings, every metric (those of
        :class:`~algomaster.backtest.SignalResult`; ``deflated_sharpe`` knows of all sets).
    trades : polars.DataFrame or None
        set (row number), direction, status, size, entry_bar, entry_price, exit_bar, exit_price, entry_fees, exit_fees,
        pnl, exit_reason, by set and exit.
    assumptions : dict
    digest : str
        SHA-256 over all trades, or over the metrics' inputs where they were not kept.
    """

    step: str
    symbol: str
    parameters: tuple[str, ...]
    frame: pl.DataFrame
    trades: pl.DataFrame | None
    assumptions: dict[str, Any]
    digest: str

    def best(self, metric: str = "sharpe", *, count: int = 1) -> pl.DataFrame:
        """Give the sets that are best by ``metric``, undefined ones last; where it is undefined for all, by profit.

        The best of many is the luckiest too: read it with ``deflated_sharpe``, which knows how many were tried.
        """
        if metric not in self.frame.columns:
            raise ValueError(f"metric: expected one of {', '.join(self.frame.columns)}, got {metric!r}")
        keys = [pl.col(metric), pl.col("pnl")]
        keys = [key.fill_nan(None) if self.frame.schema[key.meta.output_name()].is_float() else key for key in keys]
        return self.frame.sort(keys, descending=[metric not in _BETTER_LOW, True], nulls_last=True).head(count)

    def plot(self, x: str | None = None, y: str | None = None, *, metric: str = "total_return") -> Any:
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
        """Give rows and assumptions as plain values for JSON; NaN becomes null."""
        rows = self.frame.with_columns(pl.selectors.float().fill_nan(None))
        return {
            "step": self.step,
            "symbol": self.symbol,
            "parameters": list(self.parameters),
            "sets": rows.to_dicts(),
            "assumptions": self.assumptions,
            "digest": self.digest,
        }

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        title = f"{self.step} on {self.symbol}: {self.frame.height:,} sets, {self.assumptions['data']['bars']:,} bars"
        best = self.best().row(0, named=True)
        rows = [("Best by Sharpe", ", ".join(f"{name}={best[name]}" for name in self.parameters))]
        rows += [write_row(best, name) for name in _SHOWN]
        return title, [*rows, ("Digest", self.digest[:16])]


_NUMBERS: Final = ("size", "entry_bar", "entry_price", "exit_bar", "exit_price", "entry_fees", "exit_fees", "pnl")


def columns_of(trades: Record) -> dict[str, NDArray[Any]]:
    """Give the columns of trades that a sweep keeps; taken apart chunk by chunk, while they are in the cache."""
    return {name: trades[name].copy() for name in (*_NUMBERS, "reason")}


def sweep_trades(parts: Sequence[dict[str, NDArray[Any]]], counts: IntArray) -> pl.DataFrame:
    """Give the trades of all sets as one frame."""
    columns = {name: np.concatenate([part[name] for part in parts]) for name in (*_NUMBERS, "reason")}
    return pl.DataFrame(
        {
            "set": np.repeat(np.arange(counts.size, dtype=np.int32), counts),
            "direction": _enum(columns["size"] < 0, ("long", "short")),
            "status": _enum(columns["reason"] == STILL_OPEN, ("closed", "open")),
            **{name: np.abs(columns[name]) if name == "size" else columns[name] for name in _NUMBERS},
            "exit_reason": _enum(columns["reason"], REASONS),
        }
    )


def _enum(codes: Any, words: tuple[str, ...]) -> pl.Series:
    return pl.Series(np.asarray(codes, dtype=np.uint32)).cat.to(pl.Enum(words))
