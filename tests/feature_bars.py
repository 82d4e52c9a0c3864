"""Bars for tests of features: simulated sessions of minutes, plain or with gaps and missing values."""

import datetime as dt

import numpy as np
import polars as pl

__all__ = ["bars"]


def bars(sessions: int = 3, minutes: int = 375, *, seed: int = 0, holes: bool = False) -> pl.DataFrame:
    """Give minutes of made-up sessions, the first on 2024-01-01; with holes, bars are missing and some values too."""
    rng = np.random.default_rng(seed)
    count = sessions * minutes
    close = 20_000.0 * np.exp(np.cumsum(rng.normal(0.0, 3e-4, count)))
    open_ = np.concatenate([[20_000.0], close[:-1]]) * np.exp(rng.normal(0.0, 2e-5, count))
    high = np.maximum(open_, close) * np.exp(rng.exponential(1e-4, count))
    low = np.minimum(open_, close) * np.exp(-rng.exponential(1e-4, count))
    volume = np.floor(rng.lognormal(9.0, 1.0, count))
    prices = np.round(np.stack([open_, high, low, close]) * 20.0) / 20.0
    first = dt.datetime(2024, 1, 1, 9, 15, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))
    start = int(first.timestamp())
    at = start + np.repeat(np.arange(sessions), minutes) * 86_400 + np.tile(np.arange(minutes), sessions) * 60
    frame = pl.DataFrame({
        "ts": pl.Series(at * 1_000_000_000).cast(pl.Datetime("ns", "UTC")),
        **dict(zip(("open", "high", "low", "close"), prices)),
        "volume": volume,
    })  # fmt: skip
    if not holes:
        return frame
    for name in ("close", "high", "volume"):
        frame = frame.with_columns(
            pl.when(pl.Series(rng.random(count) < 0.01)).then(None).otherwise(pl.col(name)).alias(name)
        )
    frame = frame.with_columns(
        pl.when(pl.Series(rng.random(count) < 0.01)).then(0.0).otherwise(pl.col("volume")).alias("volume")
    )
    return frame.filter(pl.Series(rng.random(count) < 0.98))
