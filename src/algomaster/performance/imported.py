"""Somebody else's log of trades, turned into the parts of a result by the arithmetic of the ledger.

1. :func:`_columns` brings the columns to the types of a trades frame; what is missing is named.
2. :func:`_check` names every row that cannot be used.
3. :func:`_paise` computes price P&L and costs of each trade, exact in decimal, rounded once.
4. :func:`read_trades` adds them up by session and in order of the exits.
"""

from __future__ import annotations

import hashlib
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

import algomaster
from algomaster.core.arrays import kind_of, to_rupees
from algomaster.core.errors import DataError
from algomaster.core.types import PAISE, IntArray
from algomaster.performance.metrics import summarize, trade_totals

__all__ = ["TIME", "TRADES", "read_trades"]

TIME: Final = pl.Datetime("ns", "Asia/Kolkata")
TRADES: Final = {
    "session": pl.Date(), "leg": pl.Int32(), "expiry": pl.Date(), "right": pl.String(), "strike": pl.Float64(),
    "quantity": pl.Int64(), "entry_time": TIME, "entry_price": pl.Float64(), "exit_time": TIME,
    "exit_price": pl.Float64(), "exit_reason": pl.String(), "pnl": pl.Float64(), "costs": pl.Float64(),
    "net_pnl": pl.Float64(), "lots": pl.Int64(),
}  # fmt: skip
"""Columns and types of a trades frame."""

_NEEDED: Final = ("right", "strike", "quantity", "entry_time", "entry_price", "exit_time", "exit_price")
_ORDER: Final = ("exit_time", "entry_time", "leg", "expiry", "right", "strike", "quantity", "entry_price", "exit_price")
_COMPUTED: Final = ("pnl", "net_pnl")
_RIGHTS: Final = {"CE": "CE", "PE": "PE", "C": "CE", "P": "PE"}
_SHOWN: Final = 10


def read_trades(trades: Any, *, underlying: str, strategy: str, skipped: pl.DataFrame | None) -> dict[str, Any]:
    """Give the fields of a result; see :meth:`algomaster.performance.Result.from_trades`."""
    frame = _columns(_polars(trades))
    _check(frame)
    frame = frame.sort(_ORDER, maintain_order=True)
    pnl, costs = _paise(frame)
    frame = frame.with_columns(
        pl.Series("pnl", to_rupees(pnl)),
        pl.Series("costs", to_rupees(costs)),
        pl.Series("net_pnl", to_rupees(pnl - costs)),
    ).select(list(TRADES))
    money = pl.DataFrame({"session": frame["session"], "gross": pnl, "costs": costs, "pnl": pnl - costs})
    daily = (
        money.group_by("session")
        .agg(pl.col("gross", "costs", "pnl").sum(), pl.len().cast(pl.Int64).alias("trades"))
        .sort("session")
        .rename({"session": "date"})
        .with_columns(vix=pl.lit(None, dtype=pl.Float64))
    )
    curve = np.cumsum(pnl - costs)
    equity = _equity(frame["exit_time"], curve)
    deepest = int((np.maximum.accumulate(np.maximum(equity[1], 0)) - equity[1]).max(initial=0))
    digest = _digest(frame, pnl, costs)
    return {
        "strategy": strategy,
        "underlying": underlying,
        "trades": frame,
        "fills": _fills(frame),
        "orders": pl.DataFrame(schema={"session": pl.Date(), "ts": TIME, "leg": pl.Int32()}),
        "skipped": _skipped(skipped),
        "equity": equity[0],
        "daily": daily.with_columns(
            pl.Series(name, to_rupees(daily[name].to_numpy())) for name in ("gross", "costs", "pnl")
        ),
        "prices": pl.DataFrame(schema={"ts": TIME, "spot": pl.Float64()}),
        "metrics": summarize(daily["pnl"].to_numpy(), totals=trade_totals(pnl, costs), intraday_drawdown_paise=deepest),
        "assumptions": _assumptions(frame),
        "digest": digest,
        "fingerprint": int(digest[:16], 16),
    }


def _polars(trades: Any) -> pl.DataFrame:
    if isinstance(trades, (str, Path)):
        try:
            return pl.read_csv(trades, infer_schema_length=None)
        except (OSError, pl.exceptions.PolarsError) as problem:
            raise DataError(f"{trades} is not a CSV of trades: {problem}.", hint="Mend the file.") from None
    if kind_of(trades) == "pandas":
        trades = pl.from_pandas(trades)
    if not isinstance(trades, pl.DataFrame):
        raise TypeError(f"trades: expected a polars or pandas DataFrame or a path, got {type(trades).__name__}")
    return trades


def _columns(frame: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise DataError(
            f"The trades lack {', '.join(missing)}; they have {', '.join(frame.columns) or 'no columns'}.",
            hint="Rename the columns.", missing=missing,
        )  # fmt: skip
    columns = []
    unreadable = []
    for name, dtype in TRADES.items():
        if name in _COMPUTED or name not in frame.columns:
            columns.append(pl.Series(name, [None] * frame.height, dtype=dtype))
            continue
        column = _cast(frame[name], dtype)
        lost = (column.is_null() & frame[name].is_not_null()).arg_true().to_list()
        unreadable += [f"row {row}: {name} {frame[name][row]!r} is not a {_said(dtype)}" for row in lost]
        columns.append(column)
    _refuse(unreadable)
    whole = pl.DataFrame(columns)
    return whole.with_columns(
        pl.col("session").fill_null(pl.col("exit_time").dt.date()),
        pl.col("leg").fill_null(0),
        pl.col("right").str.to_uppercase().replace(_RIGHTS),
        pl.col("costs").fill_null(0.0),
        pl.col("exit_reason").fill_null("exit"),
    )


def _cast(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Bring a column to its type; what cannot be read becomes null."""
    if column.dtype == pl.String and dtype == TIME:
        return _times(column)
    if column.dtype == pl.String and dtype == pl.Date():
        return column.str.to_date("%Y-%m-%d", strict=False)
    if isinstance(column.dtype, pl.Datetime) and dtype == TIME:
        zoned = column.dt.replace_time_zone("Asia/Kolkata") if column.dtype.time_zone is None else column
        return zoned.cast(TIME)
    if dtype == pl.Int64() and column.dtype.is_float():
        return pl.select(pl.when(column == column.round()).then(column)).to_series().cast(dtype, strict=False)
    return column.cast(dtype, strict=False)


def _times(column: pl.Series) -> pl.Series:
    text = column.str.strip_chars().str.replace(" ", "T", literal=True).str.replace(r"Z$", "+00:00")
    text = text.str.replace(r"(T\d\d:\d\d)($|[+-])", "${1}:00${2}")  # seconds may be left out
    zoned = text.str.contains(r"T.*[+-]\d\d:?\d\d$")
    local = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ns", strict=False)
    abroad = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="ns", strict=False)
    return (
        pl.select(
            pl.when(zoned)
            .then(abroad.dt.convert_time_zone("Asia/Kolkata"))
            .otherwise(local.dt.replace_time_zone("Asia/Kolkata"))
        )
        .to_series()
        .rename(column.name)
    )


def _check(frame: pl.DataFrame) -> None:
    """Refuse rows that are no trade, naming each."""
    rules = {
        "a needed value is missing": pl.any_horizontal(pl.col(*_NEEDED).is_null()),
        "right is neither CE nor PE": ~pl.col("right").is_in(["CE", "PE"]),
        "quantity is 0": pl.col("quantity") == 0,
        "a price is negative or not a number": ~pl.all_horizontal(
            pl.col("entry_price", "exit_price").is_finite() & (pl.col("entry_price", "exit_price") >= 0.0)
        ),
        "the strike is not positive": ~(pl.col("strike").is_finite() & (pl.col("strike") > 0.0)),
        "costs are not a number": ~pl.col("costs").is_finite(),
        "the exit comes before the entry": pl.col("exit_time") < pl.col("entry_time"),
    }
    broken = frame.with_row_index("row").select(
        "row", pl.concat_list([pl.when(rule.fill_null(False)).then(pl.lit(what)) for what, rule in rules.items()])
        .list.drop_nulls().list.join(", ").alias("why")
    ).filter(pl.col("why") != "")  # fmt: skip
    _refuse([f"row {row}: {why}" for row, why in broken.iter_rows()])


def _refuse(problems: list[str]) -> None:
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise DataError(
            f"{len(problems)} of the trades' rows or values cannot be used: {'; '.join(problems[:_SHOWN])}{more}.",
            hint="Mend or leave out these rows (counted from 0).", problems=problems,
        )  # fmt: skip


def _said(dtype: pl.DataType) -> str:
    if dtype == TIME:
        return "time"
    return "date" if dtype == pl.Date() else "text" if dtype == pl.String() else "number of that kind"


def _paise(frame: pl.DataFrame) -> tuple[IntArray, IntArray]:
    """Give price P&L and costs of each trade in paise, half away from zero, so that both sides of a deal agree."""
    rows = frame.select("entry_price", "exit_price", "quantity", "costs").iter_rows()
    # The shortest decimal that reads back as the float is what the log said: 0.1 is a tenth, not the float near it.
    pairs = [
        ((Decimal(repr(leave)) - Decimal(repr(enter))) * quantity, Decimal(repr(costs)))
        for enter, leave, quantity, costs in rows
    ]
    paise = [[int((amount * PAISE).to_integral_value(ROUND_HALF_UP)) for amount in pair] for pair in pairs]
    both = np.array(paise, dtype=np.int64).reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()


def _equity(exits: pl.Series, curve: IntArray) -> tuple[pl.DataFrame, IntArray]:
    """Give cumulated net P&L after the last exit of each moment, as a frame in rupees and as paise."""
    steps = pl.DataFrame({"ts": exits, "equity": curve}).group_by("ts", maintain_order=True).last()
    paise = steps["equity"].to_numpy()
    return steps.with_columns(pl.Series("equity", to_rupees(paise))), paise


def _fills(frame: pl.DataFrame) -> pl.DataFrame:
    """Give two fills a trade, its costs with the exit."""
    same = ["session", "leg", "expiry", "right", "strike"]
    entry = frame.select(
        *same, pl.col("entry_time").alias("ts"), "quantity", pl.col("entry_price").alias("price"),
        pl.lit("entry").alias("reason"), pl.lit(0.0).alias("costs"),
    )  # fmt: skip
    leave = frame.select(
        *same, pl.col("exit_time").alias("ts"), -pl.col("quantity"), pl.col("exit_price").alias("price"),
        pl.col("exit_reason").alias("reason"), "costs",
    )  # fmt: skip
    names = ["session", "ts", "leg", "expiry", "right", "strike", "quantity", "price", "reason", "costs"]
    return pl.concat([entry, leave]).sort("ts", maintain_order=True).select(names)


def _skipped(skipped: pl.DataFrame | None) -> pl.DataFrame:
    schema = {"session": pl.Date(), "reason": pl.String()}
    if skipped is None:
        return pl.DataFrame(schema=schema)
    if not {"session", "reason"} <= set(skipped.columns):
        raise DataError(f"skipped: expected session and reason, got {', '.join(skipped.columns) or 'no columns'}.")
    return skipped.select([_cast(skipped[name], dtype) for name, dtype in schema.items()])


def _assumptions(frame: pl.DataFrame) -> dict[str, Any]:
    sessions = frame["session"]
    return {
        "source": "imported trades",
        "prices": "as imported, unrounded",
        "costs": "as imported, a trade",
        "rounding": "P&L of a trade to a paisa, half away from zero",
        "drawdown": "at exits only: open positions are not marked",
        "from": str(sessions.min()) if len(sessions) else None,
        "to": str(sessions.max()) if len(sessions) else None,
        "version": algomaster.__version__,
    }


def _digest(frame: pl.DataFrame, pnl: IntArray, costs: IntArray) -> str:
    digest = hashlib.sha256()
    order = frame.select(pl.exclude("pnl", "costs", "net_pnl")).with_columns(
        pl.col("session", "expiry").cast(pl.Int32), pl.col("entry_time", "exit_time").to_physical()
    )
    for row, amounts in zip(order.iter_rows(), zip(pnl.tolist(), costs.tolist())):
        digest.update(json.dumps([*row, *amounts]).encode() + b"\n")
    return digest.hexdigest()
