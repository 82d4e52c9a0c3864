"""A home with made-up index minutes, and views over it."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from algomaster.features.store import View
from algomaster.market import calendar
from algomaster.market.schemas import TIMESTAMP
from algomaster.market.store import Store

FEATURES = ["KMID", "ROC5", "MA60", "STD20", "RSQR10", "IMAX30"]
START = date(2024, 1, 1)


def probe(name: str = "probe", underlying: str | list[str] = "NIFTY", **more: object) -> View:
    return View(name, underlying=underlying, features=FEATURES, **more)


def days(count: int) -> list[date]:
    return [session.date for session in calendar.sessions_from(START, count)]


def minutes(underlying: str, day: date, seed: int = 0) -> pl.DataFrame:
    """Give a session of a random walk, the same for the same arguments."""
    random = np.random.default_rng([seed, day.toordinal(), len(underlying)])
    ts = calendar.session(day).bar_starts()
    close = np.round(20_000 * np.exp(np.cumsum(random.normal(0, 4e-4, ts.size))), 2)
    opened = np.concatenate([[20_000.0], close[:-1]])
    high = np.maximum(opened, close) + np.round(random.uniform(0, 5, ts.size), 2)
    low = np.minimum(opened, close) - np.round(random.uniform(0, 5, ts.size), 2)
    return pl.DataFrame({"ts": ts, "open": opened, "high": high, "low": low, "close": close}).select(
        pl.lit(underlying).alias("underlying"),
        pl.lit(day).alias("session"),
        pl.col("ts").cast(TIMESTAMP),
        pl.col("open", "high", "low", "close"),
    )


def fill(folder: Path, sessions: int, *, underlyings: tuple[str, ...] = ("NIFTY",), seed: int = 0) -> Path:
    """Fill a home with so many sessions."""
    store = Store(folder)
    for name in underlyings:
        store.write("index_minute", pl.concat([minutes(name, day, seed) for day in days(sessions)]))
    return folder


def same_bits(left: pl.DataFrame, right: pl.DataFrame, names: list[str] = FEATURES) -> bool:
    """Say whether two frames hold the same bits in these columns (any NaN is NaN)."""

    def bits(frame: pl.DataFrame) -> np.ndarray:
        values = np.stack([frame[name].to_numpy() for name in names])
        return np.where(np.isnan(values), np.nan, values).view(np.int64)

    return left.height == right.height and bool((bits(left) == bits(right)).all())
