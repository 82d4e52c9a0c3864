"""Results made by hand: given fills on a flat index, with whatever P&L each session is said to have made."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from algomaster.performance import Result

IST = ZoneInfo("Asia/Kolkata")
EXPIRY = date(2024, 7, 4)
SPOT = 24_000.0
TIME = pl.Datetime("ns", "Asia/Kolkata")


def at(day, clock):
    """Give a moment in India."""
    hour, minute = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=IST)


def minutes_of(dates):
    """Give the ends of the minutes of each session."""
    return [at(day, "09:15") + timedelta(minutes=i + 1) for day in dates for i in range(375)]


def run_of(fills, *, pnl=None, dates=None, strategy="made", underlying="NIFTY", expiry=EXPIRY, spot=SPOT, costs=0.0):
    """Make a result of fills (ts, leg, right, strike, quantity, price); each session's P&L comes at its last minute."""
    dates = dates or [date(2024, 7, 1)]
    pnl = pnl or [0.0] * len(dates)
    ts = minutes_of(dates)
    steps = [pnl[i // 375] if i % 375 == 374 else 0.0 for i in range(len(ts))]
    equity = pl.Series(steps, dtype=pl.Float64).cum_sum()
    rows = [(f[0].date(), f[0], f[1], expiry, f[2], f[3], f[4], f[5], "entry", costs) for f in fills]
    schema = {
        "session": pl.Date, "ts": TIME, "leg": pl.Int32, "expiry": pl.Date, "right": pl.String, "strike": pl.Float64,
        "quantity": pl.Int64, "price": pl.Float64, "reason": pl.String, "costs": pl.Float64,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    traded = [day for day, made in zip(dates, pnl) if made]
    trades = pl.DataFrame(
        {
            "session": traded,
            "expiry": [expiry] * len(traded),
            "right": ["CE"] * len(traded),
            "strike": [24000.0] * len(traded),
            "entry_time": [at(day, "09:20") for day in traded],
            "entry_price": [100.0] * len(traded),
            "exit_time": [at(day, "15:30") for day in traded],
            "exit_price": [100.0] * len(traded),
            "quantity": [-50] * len(traded),
            "pnl": [made for made in pnl if made],
            "costs": [0.0] * len(traded),
            "net_pnl": [made for made in pnl if made],
            "lots": [1] * len(traded),
        },
        schema={
            "session": pl.Date, "expiry": pl.Date, "right": pl.String, "strike": pl.Float64, "entry_time": TIME,
            "entry_price": pl.Float64, "exit_time": TIME, "exit_price": pl.Float64, "quantity": pl.Int64,
            "pnl": pl.Float64, "costs": pl.Float64, "net_pnl": pl.Float64, "lots": pl.Int64,
        },
    )  # fmt: skip
    return Result(
        strategy=strategy,
        underlying=underlying,
        trades=trades,
        fills=frame,
        orders=pl.DataFrame(),
        skipped=pl.DataFrame(schema={"session": pl.Date, "reason": pl.String}),
        equity=pl.DataFrame({"ts": ts, "equity": equity}, schema_overrides={"ts": TIME}),
        daily=pl.DataFrame(
            {"date": dates, "gross": pnl, "costs": [0.0] * len(dates), "pnl": pnl, "trades": [1] * len(dates)}
        ),
        prices=pl.DataFrame({"ts": ts, "spot": [spot] * len(ts)}, schema_overrides={"ts": TIME}),
        metrics={},
        assumptions={},
        digest="0" * 64,
        fingerprint=0,
    )
