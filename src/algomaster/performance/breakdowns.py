"""Where the money came from: a run by weekday, days to expiry, month, entry time, volatility and more.

The unit is a session's net P&L within a group, not a trade: the legs of one straddle win and lose together, so counting
them as independent would make every standard error too small.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from algomaster.core.arrays import to_rupees
from algomaster.core.types import PAISE

if TYPE_CHECKING:
    from algomaster.performance.result import Result

__all__ = ["KEYS", "REPORTED", "VIX_EDGES", "breakdown"]

VIX_EDGES: Final = (10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 25.0)
_MOST_TIMES: Final = 12
"""Entry times that get a row each; of more, half hours do."""

_UNKNOWN: Final = "unknown"
_SCHEMA: Final = {
    "group": pl.String, "sessions": pl.Int64, "trades": pl.Int64, "pnl": pl.Float64, "hit_rate": pl.Float64,
    "mean": pl.Float64, "mean_se": pl.Float64,
}  # fmt: skip


def breakdown(result: Result, key: str, *, vix: Any = None, edges: Sequence[float] = VIX_EDGES) -> pl.DataFrame:
    """Give one row a group; see :meth:`algomaster.performance.Result.by`."""
    if key not in KEYS:
        raise ValueError(f"key: expected one of {', '.join(KEYS)}, got {key!r}")
    if key in _SESSION_KEYS:
        rows = _sessions(result, _vix_of(vix) if vix is not None else None)
        place = _vix(edges) if key == "vix" else _SESSION_KEYS[key]
    else:
        rows, place = _trades(result), _TRADE_KEYS[key]
    if not rows.height:
        return pl.DataFrame(schema=_SCHEMA)
    order, label = place(rows)
    return _table(rows.with_columns(order.alias("order"), label.cast(pl.String).fill_null(_UNKNOWN).alias("group")))


def _table(rows: pl.DataFrame) -> pl.DataFrame:
    by_session = rows.group_by("order", "group", "date").agg(pl.col("paise", "trades").sum())
    found = (
        by_session.sort("date")
        .group_by("order", "group")
        .agg(
            pl.len().cast(pl.Int64).alias("sessions"),
            pl.col("trades").sum(),
            pl.col("paise").sum().alias("pnl"),
            (pl.col("paise") > 0).mean().alias("hit_rate"),
            (pl.col("paise").mean() / PAISE).alias("mean"),
            (pl.col("paise").std() / pl.len().sqrt() / PAISE).fill_null(float("nan")).alias("mean_se"),
        )
        .sort("order", "group", nulls_last=True)
    )
    return found.with_columns(pl.Series("pnl", to_rupees(found["pnl"].to_numpy()))).select(
        pl.col(name).cast(dtype) for name, dtype in _SCHEMA.items()
    )


def _paise(column: pl.Series) -> pl.Series:
    return pl.Series("paise", np.rint(column.to_numpy() * PAISE).astype(np.int64))


def _sessions(result: Result, vix: dict[date, float] | None) -> pl.DataFrame:
    """Give the sessions that traded or whose held positions moved, with the volatility index where it is known."""
    daily = result.daily.with_columns(_paise(result.daily["pnl"]), pl.col("trades").cast(pl.Int64))
    if vix is not None:
        daily = daily.with_columns(pl.Series("vix", [vix.get(day) for day in daily["date"]], dtype=pl.Float64))
    return daily.filter((pl.col("trades") > 0) | (pl.col("paise") != 0))


def _trades(result: Result) -> pl.DataFrame:
    clock = pl.col("entry_time").dt.convert_time_zone("Asia/Kolkata")
    minute = clock.dt.hour().cast(pl.Int64) * 60 + clock.dt.minute()
    return result.trades.select(
        pl.col("session").alias("date"), "right", "exit_reason", (pl.col("expiry") - pl.col("session")).alias("left"),
        minute.alias("minute"), _paise(result.trades["net_pnl"]), pl.lit(1, dtype=pl.Int64).alias("trades"),
    )  # fmt: skip


_Place = Callable[[pl.DataFrame], tuple[pl.Series, pl.Series]]
"""Gives the order and the label of each row's group."""


def _weekday(rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    return rows["date"].dt.weekday(), rows["date"].dt.strftime("%A")


def _month(rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    return rows["date"].dt.truncate("1mo"), rows["date"].dt.strftime("%Y-%m")


def _year(rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    return rows["date"].dt.year(), rows["date"].dt.strftime("%Y")


def _dte(rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    days = rows["left"].dt.total_days()
    return days, days


def _entry(rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    minute = rows["minute"]
    if minute.n_unique() <= _MOST_TIMES:
        return minute, pl.Series([_clock(at) for at in minute])
    start = minute // 30 * 30
    return start, pl.Series([f"{_clock(at)} to {_clock(at + 30)}" for at in start])


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _text(name: str) -> _Place:
    return lambda rows: (rows[name], rows[name])


def _vix(edges: Sequence[float]) -> _Place:
    cuts = np.asarray(edges, dtype=np.float64)
    if cuts.ndim != 1 or not cuts.size or not np.isfinite(cuts).all() or (np.diff(cuts) <= 0.0).any():
        raise ValueError(f"edges: expected ascending numbers, got {list(edges)}")
    labels = [
        f"below {cuts[0]:g}",
        *(f"{low:g} to {high:g}" for low, high in itertools.pairwise(cuts)),
        f"{cuts[-1]:g} and above",
    ]

    def place(rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        levels = rows["vix"].to_list()
        at = [None if v is None or v != v else int(np.searchsorted(cuts, v, side="right")) for v in levels]
        return pl.Series(at, dtype=pl.Int64), pl.Series([None if a is None else labels[a] for a in at], dtype=pl.String)

    return place


def _vix_of(vix: Any) -> dict[date, float]:
    """Take levels by date: a mapping, or a frame with date and vix."""
    if isinstance(vix, Mapping):
        return dict(vix)
    if "date" not in getattr(vix, "columns", ()) or "vix" not in vix.columns:
        raise ValueError("vix: expected a mapping of dates to levels, or a frame with columns date and vix")
    frame = vix if isinstance(vix, pl.DataFrame) else pl.from_pandas(vix)
    return dict(frame.select(pl.col("date").cast(pl.Date), pl.col("vix").cast(pl.Float64)).iter_rows())


_SESSION_KEYS: Final[Mapping[str, _Place]] = {
    "weekday": _weekday, "month": _month, "year": _year, "vix": _vix(VIX_EDGES),
}  # fmt: skip
_TRADE_KEYS: Final[Mapping[str, _Place]] = {
    "dte": _dte, "entry": _entry, "right": _text("right"), "reason": _text("exit_reason"),
}  # fmt: skip
KEYS: Final = ("weekday", "dte", "month", "year", "entry", "vix", "right", "reason")
"""What a run can be broken down by."""

REPORTED: Final = ("weekday", "dte", "month", "entry", "vix")
"""Breakdowns that a report and ``--json`` have."""
