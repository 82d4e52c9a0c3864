"""Drawdowns of a history, by hand, and what is shown of those of shuffled days."""

import json
import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from algomaster.performance import ShuffledDrawdowns, shuffled_drawdowns
from algomaster.performance.drawdowns import drawdown_table

START = date(2024, 1, 1)


def table_of(*pnl: float) -> list[tuple[object, ...]]:
    days = [START + timedelta(days=n) for n in range(len(pnl))]
    frame = pl.DataFrame({"date": days, "pnl": pl.Series(pnl, dtype=pl.Float64)}, schema_overrides={"date": pl.Date})
    return [
        (depth, *(None if day is None else (day - START).days for day in days), *counts)
        for depth, *rest in drawdown_table(frame).iter_rows()
        for days, counts in [(rest[:3], rest[3:])]
    ]


def test_by_hand() -> None:
    # Levels 10, 7, 8, 12, 2, 5, 12, 11.
    assert table_of(10, -3, 1, 4, -10, 3, 7, -1) == [
        (10.0, 3, 4, 6, 1, 2), (3.0, 0, 1, 3, 1, 2), (1.0, 6, 7, None, 1, 1),
    ]  # fmt: skip


def test_from_the_start_and_none_at_all() -> None:
    assert table_of(-5, 2, -1) == [(5.0, None, 0, None, 1, 3)]
    assert table_of(-5, 5) == [(5.0, None, 0, 1, 1, 1)]
    assert table_of(1, 0, 2) == []
    assert table_of() == []


def test_of_equal_troughs_the_first_and_of_equal_depths_the_earlier() -> None:
    assert table_of(5, -2, 1, -1, 3, -2) == [(2.0, 0, 1, 4, 1, 3), (2.0, 4, 5, None, 1, 1)]


def test_a_seed_is_an_answer() -> None:
    pnl = np.random.default_rng(1).normal(size=40)
    one, same, other = (shuffled_drawdowns(pnl, simulations=300, seed=seed) for seed in (1, 1, 2))
    assert (one.simulated == same.simulated).all()
    assert (one.simulated != other.simulated).any()
    # Drawn in several parts or at once: a history of many days goes in parts.
    assert shuffled_drawdowns(np.ones(2_000_000), simulations=2).simulated.tolist() == [0.0, 0.0]


def test_shown() -> None:
    found = shuffled_drawdowns([100.0, -50.0, 20.0], simulations=500)
    assert isinstance(found, ShuffledDrawdowns)
    assert "As it was" in repr(found)
    assert "₹50.00" in found._repr_html_()
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["observed"] == 50.0
    assert set(record["quantiles"]) == {"5", "25", "50", "75", "95", "99"}
    figure = found.plot()
    assert figure.data[0].type == "histogram"
    assert [note.text for note in figure.layout.annotations] == ["as it was", "95 %"]


def test_none_and_wrong() -> None:
    empty = shuffled_drawdowns([])
    assert math.isnan(empty.observed)
    assert empty.to_dict()["observed"] is None
    assert "–" in repr(empty)
    assert empty.plot().data
    with pytest.raises(ValueError, match="1 that are not"):
        shuffled_drawdowns([1.0, math.nan])
    with pytest.raises(ValueError, match="simulations"):
        shuffled_drawdowns([1.0], simulations=0)
