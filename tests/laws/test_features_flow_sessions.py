"""The sessions a feature says it depends on give what the whole history gives, to the bit: a restart needs no more."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from algomaster import features
from algomaster.features import library
from algomaster.features.companion_columns import companions
from algomaster.market import calendar

FAMILIES = ("volume", "microstructure", "clock", "cross")
NAMES = [name for name in library.names() if library.get(name).family in FAMILIES]
LAST = 28


@pytest.fixture(scope="module")
def history():
    found = calendar.sessions_from(date(2024, 4, 1), LAST)
    ts = np.concatenate([session.bar_starts() for session in found])
    rng = np.random.default_rng(11)
    close = 20_000 * np.exp(np.cumsum(rng.normal(0, 4e-4, ts.size)))
    frame = pl.DataFrame({
        "ts": ts, "open": close, "high": close * np.exp(abs(rng.normal(0, 2e-4, ts.size))),
        "low": close * np.exp(-abs(rng.normal(0, 2e-4, ts.size))), "close": close,
        "volume": rng.lognormal(8, 1, ts.size),
    })  # fmt: skip
    frame = companions(frame, seed=12).filter(pl.Series(rng.random(ts.size) > 0.01))
    return frame, features.compute(frame, NAMES), calendar.session_ids(frame["ts"].to_numpy())


@pytest.mark.parametrize("count", sorted({library.get(name).sessions for name in NAMES}))
def test_no_session_before_those_matters(history, count):
    frame, whole, days = history
    chosen = [name for name in NAMES if library.get(name).sessions == count]
    late = days > np.unique(days)[-1 - count]
    today = days == days[-1]
    found = features.compute(frame.filter(pl.Series(late)), chosen)
    for name in chosen:
        np.testing.assert_array_equal(
            found[name].to_numpy()[today[late]], whole[name].to_numpy()[today], err_msg=name, strict=True
        )
