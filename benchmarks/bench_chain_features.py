"""Features of a chain: microseconds a minute, with and without implied volatilities, and a live bar."""

import numpy as np
import polars as pl

from algomaster import features, market
from algomaster.features.catalogue import chain, surface
from measure import fastest_seconds, row

NAMES = [feature.name for feature in (*chain.FEATURES, *surface.FEATURES)]
SESSIONS = 250


def run():
    rows = []
    for expiries in (1, 2):
        (day,) = market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=101, expiries=expiries, seed=3)
        for volatility in (False, True):
            known = "with implied volatilities and Greeks" if volatility else "without"
            name = f"a minute of a chain ({expiries} expiries x 101 strikes), {known}"
            rows.append(row(name, 1e6 * minute(day, volatility), "us", 25.0 if volatility else 10.0))
    rows.append(row("the same live, from Python: a bar with the chain's columns", 1e6 * live(day), "us"))
    one = features.chain_inputs(day)
    bars = pl.concat([one.with_columns(pl.col("ts") + pl.duration(days=n)) for n in range(SESSIONS)])
    found = fastest_seconds(lambda: features.compute(bars, NAMES), repeats=9)
    rows.append(row("the 47 features of given columns, a bar of history", 1e9 * found / bars.height, "ns"))
    return rows


def minute(day, volatility):
    """Seconds a minute of a session read once from its first to its last minute."""
    columns = features.Snapshots(day, volatility=volatility).rows(0, day.ts.size)
    assert np.isfinite(columns).any(axis=0).sum() > 20
    return fastest_seconds(lambda: features.Snapshots(day, volatility=volatility).rows(0, day.ts.size)) / day.ts.size


def live(day):
    """Seconds a minute asked for one after the other, as a service does."""

    def session():
        reader = features.Snapshots(day)
        for i in range(day.ts.size):
            reader.row(i)

    return fastest_seconds(session) / day.ts.size
