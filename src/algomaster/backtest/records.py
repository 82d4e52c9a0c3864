"""From what the compiled loops keep to the frames a result shows, and to its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import polars as pl

from algomaster.backtest.session import FILL_COLUMNS, KINDS
from algomaster.core.arrays import to_rupees
from algomaster.core.types import MINUTE_NS, MISSING, PAISE, IntArray, Record
from algomaster.market.chain_day import ChainDay, Days
from algomaster.strategy.steps.contract import NO_INSTRUMENT, REASONS

__all__ = [
    "Digest",
    "daily_frame",
    "equity_frame",
    "fills_frame",
    "orders_frame",
    "prices_frame",
    "trades_frame",
]

IST = pl.Datetime("ns", "Asia/Kolkata")
_KINDS = ("", "market", "limit", "stop")


class Digest:
    """SHA-256 over fills and equity, session by session: equal for equal runs on any machine."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def take(self, rows: IntArray, equity: IntArray) -> None:
        """Take one session's fill rows (n, 12) and equity (M,) in paise."""
        self._hash.update(np.ascontiguousarray(rows).data)
        self._hash.update(np.ascontiguousarray(equity).data)

    def hex(self) -> str:
        """Give the digest as text."""
        return self._hash.hexdigest()


def _times(ns: pl.Expr) -> pl.Expr:
    return ns.cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone("Asia/Kolkata")


def _text(column: str, words: Sequence[str]) -> pl.Expr:
    return pl.col(column).replace_strict(dict(enumerate(words)), return_dtype=pl.String)


def _rupees(paise: IntArray) -> pl.Series:
    return pl.Series(to_rupees(paise))


def fills_frame(rows: IntArray) -> pl.DataFrame:
    """Give fill rows (n, 12) as a frame in rupees and Indian time."""
    frame = pl.DataFrame({name: rows[:, j] for j, name in enumerate(FILL_COLUMNS)})
    return frame.with_columns(
        strike=_rupees(frame["strike"].to_numpy()),
        price=_rupees(frame["price"].to_numpy()),
        costs=_rupees(frame["costs"].to_numpy()),
    ).select(
        pl.col("session").cast(pl.Int32).cast(pl.Date),
        _times(pl.col("ts")),
        pl.col("leg").cast(pl.Int32),
        pl.col("expiry").cast(pl.Int32).cast(pl.Date),
        _text("right", KINDS),
        "strike",
        "quantity",
        "price",
        _text("reason", REASONS),
        "costs",
    )


def trades_frame(rows: IntArray, *, lots: dict[tuple[int, int], int]) -> pl.DataFrame:
    """Give one row a leg: from its first fill until it was flat; prices are averages where it was filled in parts.

    The session of a trade is that of its exit, when the money is booked; what is still open has no row. ``lots`` maps
    (session, expiry) in days to the units in a lot.
    """
    frame = pl.DataFrame({name: rows[:, j] for j, name in enumerate(FILL_COLUMNS)})
    opens = pl.col("quantity").sign() == pl.col("quantity").first().sign()
    size, worth = pl.col("quantity").abs(), (pl.col("quantity") * pl.col("price")).abs()
    legs = (
        frame.group_by("trade", maintain_order=True)
        .agg(
            pl.col("leg", "expiry", "right", "strike").first(),
            entered=pl.col("session").first(),
            session=pl.col("session").last(),
            left=pl.col("quantity").sum(),
            quantity=pl.col("quantity").filter(opens).sum(),
            entry_time=pl.col("ts").first(),
            entry_worth=worth.filter(opens).sum(),
            exit_time=pl.col("ts").last(),
            exit_worth=worth.filter(~opens).sum(),
            exit_size=size.filter(~opens).sum(),
            exit_reason=pl.col("reason").last(),
            pnl=-(pl.col("quantity") * pl.col("price")).sum(),
            costs=pl.col("costs").sum(),
        )
        .filter(pl.col("left") == 0)
        .sort("session", "entry_time", "leg")
    )
    units = np.array([lots[key] for key in zip(legs["entered"].to_list(), legs["expiry"].to_list())], np.int64)
    values = {name: legs[name].to_numpy() for name in legs.columns}
    size_of_entry = np.abs(values["quantity"])
    return legs.with_columns(
        strike=_rupees(values["strike"]),
        entry_price=pl.Series(values["entry_worth"] / (size_of_entry * PAISE)),
        exit_price=pl.Series(values["exit_worth"] / (values["exit_size"] * PAISE)),
        net_pnl=_rupees(values["pnl"] - values["costs"]),
        pnl=_rupees(values["pnl"]),
        costs=_rupees(values["costs"]),
        lots=pl.Series(size_of_entry // units, dtype=pl.Int64),
    ).select(
        pl.col("session").cast(pl.Int32).cast(pl.Date),
        pl.col("leg").cast(pl.Int32),
        pl.col("expiry").cast(pl.Int32).cast(pl.Date),
        _text("right", KINDS),
        "strike",
        "quantity",
        _times(pl.col("entry_time")),
        "entry_price",
        _times(pl.col("exit_time")),
        "exit_price",
        _text("exit_reason", REASONS),
        "pnl",
        "costs",
        "net_pnl",
        "lots",
    )


def orders_frame(placed: Sequence[tuple[ChainDay, Record]]) -> pl.DataFrame:
    """Give the orders as they were placed, session by session; a late-bound one shows its steps and no strike."""
    return pl.concat([_session_orders(chain, log) for chain, log in placed])


def _session_orders(chain: ChainDay, log: Record) -> pl.DataFrame:
    strikes = chain.strikes.size
    future = log["instrument"] == chain.expiries.size * strikes * 2
    known = (log["instrument"] != NO_INSTRUMENT) & ~future
    contract = np.where(known, log["instrument"], 0) // 2
    expiry = np.where(known, contract // strikes, np.minimum(log["expiry"], chain.expiries.size - 1))
    right = np.where(future, 2, np.where(known, log["instrument"] % 2, log["right"]))
    frame = pl.DataFrame(
        {
            "bar": log["bar"],
            "ts": chain.ts[log["bar"]] + MINUTE_NS,
            "leg": log["leg"],
            "kind": log["kind"],
            "expiry": chain.expiries[expiry],
            "right": right,
            "strike": to_rupees(chain.strikes[contract % strikes]),
            "steps": log["steps"],
            "late": log["late"],
            "quantity": log["quantity"],
            "price": to_rupees(log["price"] * np.where(future, 1, chain.tick)),
            "reason": log["reason"],
        }
    )
    return frame.select(
        pl.lit(chain.session).alias("session"),
        pl.col("bar").cast(pl.Int32),
        _times(pl.col("ts")),
        pl.col("leg").cast(pl.Int32),
        _text("kind", _KINDS),
        pl.col("expiry").cast(pl.Date),
        _text("right", KINDS),
        pl.when((pl.col("late") == 0) & (pl.col("right") < 2)).then("strike").alias("strike"),
        pl.when(pl.col("late") == 1).then("steps").alias("steps"),
        "quantity",
        pl.when(pl.col("kind") > 1).then("price").alias("price"),
        _text("reason", REASONS),
    )


def equity_frame(days: Days, equity: Sequence[IntArray]) -> pl.DataFrame:
    """Give the equity at the end of every bar in rupees."""
    ts = np.concatenate([day.ts + MINUTE_NS for day in days])
    return pl.DataFrame({"ts": ts, "equity": to_rupees(np.concatenate(equity))}).with_columns(_times(pl.col("ts")))


def daily_frame(days: Days, net: IntArray, costs: IntArray, trades: IntArray) -> pl.DataFrame:
    """Give what each session made (paise, paise, count) in rupees, and the first volatility index seen in it."""
    return pl.DataFrame(
        {
            "date": [day.session for day in days],
            "gross": to_rupees(net + costs),
            "costs": to_rupees(costs),
            "pnl": to_rupees(net),
            "trades": trades,
            "vix": [_first_vix(day) for day in days],
        },
        schema_overrides={"vix": pl.Float64},
    )


def _first_vix(day: ChainDay) -> float | None:
    known = day.vix[day.vix != MISSING]
    return float(known[0] / PAISE) if known.size else None


def prices_frame(days: Days) -> pl.DataFrame:
    """Give the index at the end of every bar in rupees, leaving out bars without one."""
    ts = np.concatenate([day.ts + MINUTE_NS for day in days])
    spot = np.concatenate([day.spot for day in days])
    known = spot != MISSING
    return pl.DataFrame({"ts": ts[known], "spot": to_rupees(spot[known])}).with_columns(_times(pl.col("ts")))
