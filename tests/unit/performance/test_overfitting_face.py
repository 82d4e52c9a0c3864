"""What goes into :func:`performance.overfitting`, what is refused, what comes out and is shown."""

import json
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster.performance import Overfitting, compact_daily, daily_stride, overfitting

DAYS = np.random.default_rng(1).integers(-100, 101, (40, 5)) * 1.0
NAMES = ["a", "b", "c", "d", "e"]


def test_every_kind_of_matrix_gives_the_same() -> None:
    of_array = overfitting(DAYS)
    for given in (
        pl.DataFrame(DAYS, schema=NAMES), pd.DataFrame(DAYS, columns=NAMES),
        pl.DataFrame(DAYS.astype(int), schema=NAMES),
        DAYS.astype(np.int32), np.asfortranarray(DAYS), DAYS.tolist(),
    ):  # fmt: skip
        found = overfitting(given)
        assert (found.logits == of_array.logits).all()
        same = found.to_dict() | {"name": str(found.best)}
        assert same == of_array.to_dict()
        assert found.name == (NAMES[found.best] if hasattr(given, "columns") else found.best)


def test_what_was_given_stays_as_it_is() -> None:
    given = DAYS.copy()
    overfitting(given)
    assert (given == DAYS).all()
    given.flags.writeable = False
    overfitting(given)


@pytest.mark.parametrize(
    ("given", "settings", "error", "message"),
    [
        (DAYS[0], {}, ValueError, r"\(days, strategies\) .* got shape \(5,\)"),
        (DAYS[:1], {}, ValueError, "two days at least"),
        (np.empty((40, 0)), {}, ValueError, "got shape"),
        (np.where(DAYS > 90, np.nan, DAYS), {}, ValueError, "that are not; a day without a trade is a 0"),
        ([["x", "y"]] * 20, {}, TypeError, "numbers"),
        (pl.DataFrame({"date": ["2024-01-01"] * 20, "a": [1.0] * 20}), {}, TypeError, "date is not"),
        (pd.DataFrame({"day": ["x"] * 20}), {}, TypeError, "day is not"),
        (DAYS, {"blocks": 5}, ValueError, "even number from 2 to 16, got 5"),
        (DAYS, {"blocks": 18}, ValueError, "even number"),
        (DAYS[:12], {"blocks": 14}, ValueError, "from 2 to 12"),
        (DAYS, {"trials": 4}, ValueError, "at least the 5 columns"),
        (DAYS, {"resamples": 0}, ValueError, "resamples"),
        (DAYS, {"block_length": 0.5}, ValueError, "1 to 40 days"),
        (DAYS, {"block_length": 41}, ValueError, "1 to 40 days"),
    ],
)
def test_refused(given, settings, error, message) -> None:
    with pytest.raises(error, match=message):
        overfitting(given, **settings)


def test_too_few_days_leave_most_undefined_and_say_why() -> None:
    found = overfitting(DAYS[:9])
    assert (found.best, found.name) == (None, None)
    for name in ("pbo", "reality_check_p", "spa_p", "deflated_sharpe", "sharpe", "loss_probability"):
        assert math.isnan(getattr(found, name)), name
    assert "9 days are too few" in repr(found)
    assert found.to_dict()["pbo"] is None
    assert found.plot() is not None


def test_one_strategy_has_no_rank() -> None:
    found = overfitting(DAYS[:, :1])
    assert math.isnan(found.pbo)
    assert found.logits.size == 0
    assert 0.0 < found.reality_check_p <= 1.0
    assert 0.0 < found.deflated_sharpe < 1.0


def test_strategies_that_never_trade() -> None:
    nothing = overfitting(np.zeros((40, 3)))
    assert nothing.best is None
    assert (nothing.reality_check_p, nothing.spa_p, nothing.pbo) == (1.0, 1.0, 1.0)
    some = overfitting(np.column_stack([np.zeros(40), DAYS]))
    assert some.name != 0
    assert np.isfinite(some.logits).all()


def test_days_all_alike_are_the_best_there_is() -> None:
    """A fixed income without risk has no Sharpe ratio, and ranks above all that has one."""
    found = overfitting(np.column_stack([DAYS, np.full(40, 5.0)]))
    assert set(found.chosen.tolist()) == {5}
    assert found.pbo == 0.0
    assert np.isnan(found.in_sample).all()
    assert math.isnan(found.degradation[0])
    assert found.best != 5


def test_shown() -> None:
    found = overfitting(DAYS, trials=50)
    assert isinstance(found, Overfitting)
    text = repr(found)
    for words in (
        "50 trials",
        "5 of them looked at",
        "PBO",
        "of 12,870 splits",
        "Reality Check p",
        "SPA p",
        "shuffled",
    ):
        assert words in text, words
    assert "Deflated Sharpe" in found._repr_html_()
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert {"pbo", "deflated_sharpe", "reality_check_p", "spa_p", "trials", "drawdown"} <= record.keys()
    figure = found.plot()
    assert [part.type for part in figure.data] == ["bar", "scatter", "scatter"]
    assert sum(figure.data[0].y) == 12_870
    assert len(figure.data[1].x) <= 2000
    with pytest.raises(AttributeError):
        found.pbo = 0.0  # type: ignore[misc]


def test_what_a_sweep_keeps() -> None:
    assert daily_stride(10_000, 2_500) == 1
    assert daily_stride(10_001, 2_500) == 2
    assert daily_stride(1_000_000, 250) == 10
    assert daily_stride(0, 250) == daily_stride(5, 0) == 1
    for sets in (1, 7, 99, 100, 101, 5000):
        stride = daily_stride(sets, 10, most=1000)
        assert len(range(0, sets, stride)) * 10 <= 1000 or sets == 1
    small, large = np.array([[-5, 2**31 - 1]]), np.array([[-(2**31), 5]])
    assert compact_daily(small).dtype == np.int32
    assert (compact_daily(small) == small).all()
    assert compact_daily(large).dtype == np.int64
    assert compact_daily(np.empty((0, 5), np.int64)).shape == (0, 5)
