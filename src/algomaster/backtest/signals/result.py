"""What a signal backtest gives back: trades, orders, curves, metrics, and what a reader should know of them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import polars as pl

import algomaster
from algomaster.backtest.signals.curves import WIDTH, group_numbers
from algomaster.backtest.signals.inputs import BarInput, day_ends
from algomaster.backtest.signals.notes import ASSUMED, notes_of
from algomaster.backtest.signals.numbers import metric_rows, together, write_row
from algomaster.backtest.signals.records import orders_frame, trades_frame
from algomaster.core.errors import DataError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray, IntArray, Record
from algomaster.execution.bars_trades import HOLDING, TRADE, tell_trades, value_curves

__all__ = ["SignalResult", "result_of"]

_SHOWN: Final = (
    "final_value", "total_return", "costs", "trades", "win_rate", "max_drawdown_share", "exposure", "sharpe",
)  # fmt: skip
_FRAMES: Final = ("trades", "orders", "by_group", "equity", "cash")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SignalResult:
    """One run of signals or orders over bars.

    Attributes
    ----------
    symbols, groups : tuple of str
        Columns, and the groups that have a cash each (by default every column is its own).
    trades : polars.DataFrame
        One row a closing (or what is still open at the end), by symbol and entry: symbol, direction ("long"/"short"),
        status ("closed"/"open"), size, entry_bar, entry_time, entry_price (average), exit_bar, exit_time, exit_price,
        entry_fees, exit_fees, pnl (after fees), return (of the entry value), exit_reason ("signal", "stop", "trail",
        "target", "opposite", "order", "open"). An open trade is marked at the last close. Times are null where none
        are known.
    orders : polars.DataFrame
        One row a fill as they went: symbol, decided_bar, bar, time, moment ("open", "range", "close"), size (signed),
        price, fees, reason. A reversal is two rows: what it closes and what it opens.
    by_group : polars.DataFrame
        One row a group: its name and every metric.
    metrics : dict
        Metrics of all groups together (:func:`algomaster.performance.summarize`), with final_value, total_return,
        max_drawdown_share, exposure (share of bars at whose close something is held), orders. Sharpe, its error,
        Sortino, skewness and kurtosis are those of daily returns here, as an account with capital has them.
    notes : tuple of str
        What a reader should know: no costs, orders that were refused, what is still open, ...
    assumptions : dict
    digest : str
        SHA-256 over the fills.
    """

    symbols: tuple[str, ...]
    groups: tuple[str, ...]
    trades: pl.DataFrame
    orders: pl.DataFrame
    by_group: pl.DataFrame
    metrics: dict[str, float | int]
    notes: tuple[str, ...]
    assumptions: dict[str, Any]
    digest: str
    _curves: Any = dataclasses.field(repr=False)

    @property
    def equity(self) -> pl.DataFrame:
        """Value of each group at every close: time (or bar), a column a group. Made when first asked for."""
        return self._both[0]

    @property
    def cash(self) -> pl.DataFrame:
        """Cash of each group at every close; negative where a short cost more than there was."""
        return self._both[1]

    @functools.cached_property
    def _both(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        found: tuple[pl.DataFrame, pl.DataFrame] = self._curves()
        return found

    def plot(self, symbol: str | None = None) -> Any:
        """Give a plotly figure: equity and drawdown of the account, or of the group of ``symbol`` with its trades."""
        from algomaster.backtest.signals.plots import account_figure

        if symbol is not None and symbol not in self.symbols:
            raise ValueError(f"symbol: expected one of {', '.join(self.symbols[:8])}, got {symbol!r}")
        return account_figure(self.equity, self.trades, symbol=symbol)

    def to_frame(self, kind: str = "trades", *, pandas: bool = False) -> Any:
        """Give trades, orders, by_group, equity or cash as polars, or as pandas where that is installed."""
        if kind not in _FRAMES:
            raise ValueError(f"kind: expected one of {', '.join(_FRAMES)}, got {kind!r}")
        frame: pl.DataFrame = getattr(self, kind)
        return frame.to_pandas() if pandas else frame

    def to_dict(self) -> dict[str, Any]:
        """Give trades, metrics, notes and assumptions as plain values for JSON; NaN becomes null, times ISO 8601."""
        text = self.trades.with_columns(
            pl.selectors.float().fill_nan(None), pl.selectors.datetime().dt.to_string("iso:strict")
        )
        return {
            "symbols": list(self.symbols),
            "groups": list(self.groups),
            "trades": text.to_dicts(),
            "metrics": _finite(self.metrics),
            "notes": list(self.notes),
            "assumptions": self.assumptions,
            "digest": self.digest,
        }

    def save(self, path: str | Path) -> Path:
        """Write a folder: a Parquet file a frame and ``signals.json``."""
        path = Path(path)
        if path.exists() and not (path / "signals.json").is_file():
            raise DataError(f"{path} exists and is not a saved signal backtest.", hint="Choose another path.")
        path.mkdir(parents=True, exist_ok=True)
        for name in _FRAMES:
            getattr(self, name).write_parquet(path / f"{name}.parquet")
        header = {
            "symbols": self.symbols, "groups": self.groups, "metrics": _finite(self.metrics), "notes": self.notes,
            "assumptions": self.assumptions, "digest": self.digest,
        }  # fmt: skip
        (path / "signals.json").write_text(json.dumps(header, indent=2, allow_nan=False), encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote."""
        path = Path(path)
        try:
            header = json.loads((path / "signals.json").read_text(encoding="utf-8"))
            frames: dict[str, Any] = {name: pl.read_parquet(path / f"{name}.parquet") for name in _FRAMES}
        except (OSError, ValueError, pl.exceptions.PolarsError) as problem:
            raise DataError(f"{path} is not a saved signal backtest ({problem}).", hint="Save it again.") from None
        for name in ("symbols", "groups", "notes"):
            header[name] = tuple(header[name])
        header["metrics"] = {k: math.nan if value is None else value for k, value in header["metrics"].items()}
        both = frames.pop("equity"), frames.pop("cash")
        return cls(**header, **frames, _curves=lambda: both)

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        what = self.symbols[0] if len(self.symbols) == 1 else f"{len(self.symbols)} symbols"
        cash = "" if len(self.groups) == len(self.symbols) else f" on {len(self.groups)} cash"
        title = f"{self.assumptions['kind']} on {what}{cash}, {self.assumptions['data']['bars']:,} bars"
        rows = [write_row(self.metrics, name) for name in _SHOWN]
        return title, [*rows, *(("Note", note) for note in self.notes), ("Digest", self.digest[:16])]


def _finite(metrics: dict[str, float | int]) -> dict[str, float | int | None]:
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def tell_all(fills: Record, rooms: IntArray, close: FloatArray, starts: IntArray) -> tuple[Record, IntArray]:
    """Give the trades of every group, one group after the other, and where each begins."""
    holdings = np.zeros(close.shape[1], HOLDING)
    parts, ends = [], [0]
    for g in range(starts.size - 1):
        some = fills[rooms[g] : rooms[g + 1]]
        trades = np.empty(some.size + int(starts[g + 1] - starts[g]), TRADE)
        n = tell_trades(some, close, holdings, starts[g], starts[g + 1], trades)
        parts.append(trades[:n])
        ends.append(ends[-1] + n)
    return np.concatenate(parts), np.array(ends, np.int64)


def result_of(
    bars: BarInput, fills: Record, rooms: IntArray, accounts: Record, *, starts: IntArray, groups: list[str],
    cash: FloatArray, terms: Record, step: int, said: dict[str, Any],
) -> SignalResult:  # fmt: skip
    """Make the result of a run from its fills."""
    trades, trade_rooms = tell_all(fills, rooms, bars.close, starts)
    ends = day_ends(bars.times, len(bars.close))
    shape = cash.size
    money, returns = np.empty((shape, WIDTH)), np.empty((shape, WIDTH))
    totals, extras = np.zeros((shape, 6), np.int64), np.zeros((shape, 5))
    group_numbers(
        fills, rooms, trades, trade_rooms, bars.close, starts, cash, ends, money, returns, totals, extras
    )  # fmt: skip
    length = len(bars.close)
    rows = metric_rows(money, returns, totals, extras, bars=length, orders=accounts["fills"], trials=1)
    by_group = pl.DataFrame({"group": groups} | {name: pl.Series(column) for name, column in rows.items()})

    def curves() -> tuple[pl.DataFrame, pl.DataFrame]:
        equity, free = np.empty((shape, length)), np.empty((shape, length))
        scratch = np.zeros(bars.close.shape[1]), np.zeros(bars.close.shape[1])
        value_curves(fills, rooms, bars.close, starts, cash, *scratch, equity, free)
        clock = pl.Series("bar", np.arange(length))
        if bars.times is not None:
            clock = bars.times + pl.Series([step]).cast(pl.Duration("ns"))
        frames = [pl.DataFrame([clock, *(pl.Series(n, v) for n, v in zip(groups, one))]) for one in (equity, free)]
        return frames[0], frames[1]

    metrics = together(fills, rooms, bars.close, starts, cash, ends, totals, rows)
    notes = notes_of(bars, fills, trades, accounts, terms, said)
    return SignalResult(
        symbols=bars.symbols,
        groups=tuple(groups),
        trades=trades_frame(trades, bars, step),
        orders=orders_frame(fills, bars, step),
        by_group=by_group,
        metrics=metrics,
        notes=notes,
        assumptions=_assumptions(bars, cash, terms, said),
        digest=hashlib.sha256(fills.tobytes()).hexdigest(),
        _curves=curves,
    )


def _assumptions(bars: BarInput, cash: FloatArray, terms: Record, said: dict[str, Any]) -> dict[str, Any]:
    prices = hashlib.sha256()
    for values in (bars.open, bars.high, bars.low, bars.close):
        prices.update(values.tobytes())
    known = bars.times is not None
    return said | {
        "fills": ASSUMED[int(terms[0]["fill"])],
        "init_cash": [float(value) for value in cash] if np.ptp(cash) else float(cash[0]),
        "data": {
            "bars": len(bars.close),
            "first": str(bars.times[0]) if known and bars.times is not None else None,
            "last": str(bars.times[-1]) if known and bars.times is not None else None,
            "fingerprint": prices.hexdigest(),
        },
        "version": algomaster.__version__,
    }
