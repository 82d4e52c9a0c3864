"""Risk of ruin: what comes in, what comes out, blocks and sessions."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from algomaster.core.errors import ConfigError, DataError
from algomaster.performance import risk_of_ruin
from algomaster.strategy.sizing import Sized

ROUNDS = np.random.default_rng(4).normal(40, 900, 120).round(2)


def test_equal_seeds_equal_answers_whatever_the_container():
    one = risk_of_ruin(ROUNDS, {"sizing": "martingale"}, capital=20_000, runs=500, seed=2)
    assert one == risk_of_ruin(pl.Series(ROUNDS), Sized(sizing="martingale"), capital=20_000, runs=500, seed=2)
    assert one != risk_of_ruin(ROUNDS, {"sizing": "martingale"}, capital=20_000, runs=500, seed=3)
    assert one.sessions == one.rounds == 120
    assert one.block == 5


def test_one_path_of_all_sessions_in_order_is_the_history_itself():
    """With one block as long as the history a path is the history from some session on, round the circle."""
    found = risk_of_ruin(ROUNDS, capital=1e9, runs=50, block=120)
    assert found.expected == pytest.approx(ROUNDS.sum())
    assert found.expected_error == pytest.approx(0.0, abs=1e-9)
    assert found.probability == 0.0
    assert 0.0 < found.high < 0.1


def test_rounds_of_a_session_stay_together():
    """A win and a loss of each session cancel out in every path."""
    numbers, days = [500.0, -500.0] * 10, [date(2024, 1, 1 + k) for k in range(10) for _ in range(2)]
    found = risk_of_ruin(numbers, capital=10_000, sessions=days, horizon=300, runs=100)
    assert (found.expected, found.median_drawdown, found.probability) == (0.0, 500.0, 0.0)
    assert found.sessions == 300


def test_the_daily_limit_ends_the_session():
    numbers, days = [-500.0, -500.0, -500.0], [1, 1, 1]
    limits = {"daily_loss_limit": 600.0}
    assert risk_of_ruin(numbers, limits, sessions=days, horizon=4, runs=10).expected == -4 * 1000.0
    assert risk_of_ruin(numbers, sessions=days, horizon=4, runs=10).expected == -4 * 1500.0


def test_the_margin_keeps_lots_down():
    policy = {"sizing": "martingale", "max_margin": 450_000.0}
    assert risk_of_ruin([-1.0], policy, horizon=9, runs=2).largest == 16
    assert risk_of_ruin([-1.0], policy, horizon=9, runs=2, margin_per_lot=150_000).largest == 3


def test_it_is_told():
    found = risk_of_ruin(ROUNDS, {"sizing": "martingale", "max_lots": 8}, capital=20_000, runs=400)
    assert "martingale x 2, 4 steps, at most 8 lots" in repr(found)
    assert "Probability" in found._repr_html_()
    assert found.told().startswith("risk of ruin ")
    never = risk_of_ruin(ROUNDS, capital=1e9, runs=400)
    assert "0.00 % (s.e. 0.00; 95 %: 0.00 to 0.95" in never.told()


@pytest.mark.parametrize(
    ("numbers", "given", "error", "said"),
    [
        ([], {}, DataError, "at least one round"), ([1.0, np.nan], {}, DataError, "finite"),
        ([1.0, 2.0], {"sessions": [2, 1]}, DataError, "ascending"), ([1.0], {"sessions": [1, 2]}, DataError, "got 2"),
        ([1.0], {"runs": 0}, ConfigError, "runs to be at least 1"), ([1.0], {"capital": -5.0}, ConfigError, "capital"),
        ([1.0], {"sizing": {"sizing": "hope"}}, ConfigError, "setting of sizing 'sizing'"),
    ],
)  # fmt: skip
def test_refused(numbers, given, error, said):
    with pytest.raises(error, match=said):
        risk_of_ruin(numbers, **given)
