"""What holds for every position of options and futures."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.pricing.positions import payoff
from naive.flow import profit

EXAMPLES = settings(deadline=None, max_examples=150)
strikes = st.integers(1, 400).map(lambda k: 50.0 * k)
quantities = st.integers(-20, 20).map(lambda q: 25.0 * q)
prices = st.integers(0, 20_000).map(lambda p: p / 20.0)
options = st.tuples(st.sampled_from(["CE", "PE"]), strikes, quantities, prices)
futures = st.tuples(st.just("FUT"), st.none(), quantities, st.integers(1, 20_000).map(float))
positions = st.lists(st.one_of(options, options, futures), min_size=1, max_size=6)
grids = st.lists(st.floats(0.0, 60_000.0), min_size=1, max_size=20)


def stake(legs: Any) -> float:
    """Size of the amounts whose difference the profit is."""
    return sum(abs(quantity) * (price + (strike or 0.0) + 60_000.0) for _, strike, quantity, price in legs) + 1.0


@EXAMPLES
@given(positions, grids)
def test_expiry_is_the_sum_of_intrinsic_values(legs: Any, grid: list[float]) -> None:
    expected = [profit(legs, spot) for spot in grid]
    np.testing.assert_allclose(payoff(legs).profit(np.array(grid)), expected, rtol=0, atol=1e-14 * stake(legs))


@EXAMPLES
@given(positions, grids, st.floats(0, 500))
def test_bounds_hold_every_profit_and_breakevens_have_none(legs: Any, grid: list[float], costs: float) -> None:
    found = payoff(legs, costs=costs)
    slack = 1e-11 * stake(legs)
    sampled = np.concatenate([found.profit(np.array(grid)), found.at_expiry])
    assert sampled.max() <= found.max_profit + slack
    assert sampled.min() >= found.max_loss - slack
    assert (np.diff(found.breakevens) > 0).all()
    at_zero = found.profit(found.breakevens)
    assert (np.abs(at_zero) <= slack * (1 + found.breakevens / 60_000)).all()


@EXAMPLES
@given(positions, grids)
def test_profit_is_positive_exactly_on_the_profitable_stretches(legs: Any, grid: list[float]) -> None:
    found = payoff(legs)
    slack = 1e-11 * stake(legs)
    for spot in [*grid, 0.0, *found.spots[::25]]:
        value = profit(legs, spot)
        inside = any(low <= spot <= high for low, high in found.profitable)
        assert value >= -slack if inside else value <= slack


@EXAMPLES
@given(positions)
def test_bounds_are_reached(legs: Any) -> None:
    """A finite bound is the profit at 0 or at a strike; an infinite one shows in the slope above all strikes."""
    found = payoff(legs)
    knots = [0.0] + [strike for _, strike, _, _ in legs if strike]
    values = [profit(legs, knot) for knot in knots]
    slope = sum(quantity for right, _, quantity, _ in legs if right != "PE")
    assert found.max_profit == (math.inf if slope > 0 else pytest.approx(max(values), abs=1e-11 * stake(legs)))
    assert found.max_loss == (-math.inf if slope < 0 else pytest.approx(min(values), abs=1e-11 * stake(legs)))


@EXAMPLES
@given(positions)
def test_the_other_side_loses_what_one_makes(legs: Any) -> None:
    terms: dict[str, Any] = {"spot": 10_000.0, "t": 0.1, "vol": 0.2, "rate": 0.05}
    ours = payoff(legs, **terms)
    theirs = payoff([(r, k, -q, p) for r, k, q, p in legs], **terms)
    assert theirs.max_profit == -ours.max_loss
    assert theirs.max_loss == -ours.max_profit
    np.testing.assert_array_equal(theirs.breakevens, ours.breakevens)
    for name in ("expected", "delta", "gamma", "vega", "theta", "net_premium"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert other == pytest.approx(-mine, abs=1e-12 * stake(legs), rel=1e-12)
    assert ours.pop + theirs.pop <= 1.0 + 1e-12  # nobody makes anything where the profit is 0


@EXAMPLES
@given(positions, st.sampled_from([1.0, 2.0, 75.0]))
def test_lots_scale(legs: Any, lot: float) -> None:
    one, many = payoff(legs), payoff(legs, lot=lot)
    np.testing.assert_allclose(many.at_expiry, lot * one.profit(many.spots), rtol=0, atol=1e-12 * lot * stake(legs))
    np.testing.assert_allclose(many.breakevens, one.breakevens, rtol=1e-9, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.lists(options, min_size=1, max_size=4), st.floats(0.01, 1.0), st.floats(0.05, 0.8), st.floats(-0.05, 0.1))
def test_chance_of_profit_is_the_integral(legs: Any, t: float, vol: float, rate: float) -> None:
    """mpmath's integral of the lognormal density over where the naive profit is positive."""
    spot = 10_000.0
    found = payoff(legs, spot=spot, t=t, vol=vol, rate=rate)
    s, forward = vol * math.sqrt(t), spot * math.exp(rate * t)
    whole = mpmath.mpf(0)
    for ends in found.profitable:
        a, b = (-15.0 if x == 0 else 15.0 if x == math.inf else (math.log(x / forward) + s * s / 2) / s for x in ends)
        cuts = [x for x in range(-14, 15, 2) if a < x < b]  # panels that the rule is good on
        whole += mpmath.quad(mpmath.npdf, [max(a, -15.0), *cuts, min(b, 15.0)]) if a < 15 and b > -15 else 0
    assert found.pop == pytest.approx(float(whole), abs=1e-9)
    assert 0.0 <= found.pop <= 1.0


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["CE", "PE"]), st.sampled_from([90.0, 95.0, 100.0, 105.0, 110.0]),
                       st.sampled_from([-3.0, -2.0, -1.0, 1.0, 2.0]), st.sampled_from([1.0, 2.5, 4.0, 7.0]),
                       st.sampled_from([0.05, 0.3]), st.sampled_from([0.15, 0.3])), min_size=2, max_size=5)
)  # fmt: skip
def test_calendars(legs: Any) -> None:
    """Several expiries: the same bounds and breakevens hold for what is searched instead of solved."""
    found = payoff(legs, spot=100.0, rate=0.05)
    grid = np.concatenate([np.linspace(0.0, 400.0, 4001), np.geomspace(400.0, 1e5, 500)])
    values = found.profit(grid)
    assert values.max() <= found.max_profit + 1e-8
    assert values.min() >= found.max_loss - 1e-8
    assert (np.abs(found.profit(found.breakevens)) < 1e-9).all()
    turns = np.flatnonzero((values[:-1] * values[1:] < 0) & (np.abs(values[:-1]) > 1e-9) & (np.abs(values[1:]) > 1e-9))
    for i in turns:
        assert ((found.breakevens >= grid[i]) & (found.breakevens <= grid[i + 1])).any()
