"""Multi-leg profit: textbook positions, several expiries, chances, forms of legs, refusals, pictures."""

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster.core.errors import DataWarning, PricingError
from algomaster.pricing import greeks, price
from algomaster.pricing.positions import Leg, payoff
from naive.flow import profit

INF = math.inf


@pytest.mark.parametrize(
    ("legs", "breakevens", "most", "least", "premium"),
    [
        # J. Hull, Options, Futures and Other Derivatives, chapter on trading strategies: butterfly of 55, 60, 65
        ([("CE", 55, 1, 10), ("CE", 60, -2, 7), ("CE", 65, 1, 5)], [56, 64], 4, -1, -1),
        # the same chapter: bull spread, bought at 30 for 3, sold at 35 for 1
        ([("CE", 30, 1, 3), ("CE", 35, -1, 1)], [32], 3, -2, -2),
        # short straddle: strike plus and minus the premium; straddle on puts alone is bounded by a spot of 0
        ([("CE", 24000, -75, 210), ("PE", 24000, -75, 190)], [23600, 24400], 30000, -INF, 30000),
        ([("CE", 24000, 75, 210), ("PE", 24000, 75, 190)], [23600, 24400], INF, -30000, -30000),
        # iron condor
        (
            [("PE", 90, 1, 0.5), ("PE", 95, -1, 1.5), ("CE", 105, -1, 1.25), ("CE", 110, 1, 0.25)],
            [93, 107], 2, -3, 2,
        ),
        # one by two ratio spread: no bound above
        ([("CE", 100, 1, 5), ("CE", 110, -2, 2)], [101, 119], 9, -INF, -1),
        # backspread: the other way round
        ([("CE", 100, -1, 5), ("CE", 110, 2, 2)], [101, 119], INF, -9, 1),
        # synthetic future: bought at 100 + 4 - 3
        ([("CE", 100, 1, 4), ("PE", 100, -1, 3)], [101], INF, -101, -1),
        # naked options: a put can lose its strike less the premium, not more
        ([("PE", 100, -1, 3)], [97], 3, -97, 3),
        ([("PE", 100, 1, 3)], [97], 97, -3, -3),
        ([("CE", 100, -1, 3)], [103], 3, -INF, 3),
        # covered call and a future alone
        ([("FUT", None, 1, 100), ("CE", 110, -1, 2)], [98], 12, -98, 2),
        ([("FUT", None, -2, 100)], [100], 200, -INF, 0),
        # conversion: locked in, nowhere 0
        ([("FUT", None, 1, 100), ("PE", 100, 1, 3), ("CE", 100, -1, 4)], [], 1, 1, 1),
        # a zero-cost ratio is 0 up to its lower strike: the ends of the flat part are breakevens
        ([("CE", 100, 1, 0.5), ("CE", 110, -2, 0.25)], [100, 120], 10, -INF, 0),
        # butterfly for nothing: 0 outside, touches from inside
        ([("CE", 55, 1, 9), ("CE", 60, -2, 7), ("CE", 65, 1, 5)], [55, 65], 5, 0, 0),
        # the same sold: never makes anything
        ([("CE", 55, -1, 10), ("CE", 60, 2, 7.5), ("CE", 65, -1, 5)], [55, 65], 0, -5, 0),
        # a butterfly at the price of its best case touches 0 at the middle strike
        ([("CE", 95, 1, 6), ("CE", 100, -2, 3), ("CE", 105, 1, 5)], [100], 0, -5, -5),
        # free money
        ([("CE", 100, 1, 0)], [100], INF, 0, 0),
    ],
)  # fmt: skip
def test_textbook(legs: Any, breakevens: list[float], most: float, least: float, premium: float) -> None:
    found = payoff(legs)
    np.testing.assert_allclose(found.breakevens, breakevens, rtol=1e-13)
    assert found.max_profit == pytest.approx(most, rel=1e-12, abs=1e-12)
    assert found.max_loss == pytest.approx(least, rel=1e-12, abs=1e-12)
    assert found.net_premium == premium
    np.testing.assert_allclose(found.at_expiry, [profit(legs, s) for s in found.spots], rtol=1e-12, atol=1e-9)
    assert set(breakevens) <= set(np.round(found.spots, 9))
    assert np.isnan(found.now).all()
    assert math.isnan(found.pop)


def test_profitable_stretches() -> None:
    straddle = [("CE", 100, 1, 6), ("PE", 100, 1, 4)]
    assert payoff(straddle).profitable == ((0.0, 90.0), (110.0, INF))
    assert payoff([(r, k, -q, p) for r, k, q, p in straddle]).profitable == ((90.0, 110.0),)
    assert payoff([("CE", 100, 1, 0)]).profitable == ((100.0, INF),)
    assert payoff([("FUT", None, 1, 100), ("PE", 100, 1, 3), ("CE", 100, -1, 4)]).profitable == ((0.0, INF),)


def test_costs_and_lots() -> None:
    legs = [("CE", 24000, -1, 210), ("PE", 24000, -1, 190)]
    found = payoff(legs, lot=75, costs=150.0)
    assert found.max_profit == 30000 - 150
    np.testing.assert_allclose(found.breakevens, [23602, 24398], rtol=1e-13)
    assert found.legs[0].quantity == -75
    assert found.net_premium == 30000
    assert found.profit(24000.0) == 30000 - 150


def test_now_is_the_model() -> None:
    """Each leg at its own volatility, by the public price; greeks by the public Greeks."""
    legs = [("CE", 24200, -75, 150.0, None, 0.12), ("PE", 23800, -75, 120.0, None, 0.15), ("FUT", None, 30, 24050.0)]
    terms: dict[str, Any] = {"rate": 0.065, "dividend": 0.01}
    spot, t = 24000.0, 9 / 365
    found = payoff(legs, spot=spot, t=t, at=[2 / 365, 5 / 365], vol_shifts=[-0.02, 0.0, 0.03], **terms)

    def value(s: Any, elapsed: float, shift: float) -> Any:
        left = t - elapsed
        call = price("CE", s, 24200, left, 0.12 + shift, **terms)
        put = price("PE", s, 23800, left, 0.15 + shift, **terms)
        return -75 * (call - 150) - 75 * (put - 120) + 30 * (s * np.exp(0.055 * left) - 24050)

    np.testing.assert_allclose(found.now, value(found.spots, 0.0, 0.0), rtol=1e-9, atol=1e-7)
    assert found.between.shape == (2, 3, found.spots.size)
    np.testing.assert_allclose(found.between[1, 2], value(found.spots, 5 / 365, 0.03), rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(found.profit(np.array([spot]), elapsed=0.01, vol_shift=0.01), value(spot, 0.01, 0.01))
    call = greeks("CE", spot, 24200, t, 0.12, **terms)
    put = greeks("PE", spot, 23800, t, 0.15, **terms)
    grown = math.exp(0.055 * t)
    assert found.delta == pytest.approx(-75 * (call.delta + put.delta) + 30 * grown, rel=1e-12)
    assert found.gamma == pytest.approx(-75 * (call.gamma + put.gamma), rel=1e-12)
    assert found.vega == pytest.approx(-75 * (call.vega + put.vega), rel=1e-12)
    assert found.theta == pytest.approx(-75 * (call.theta + put.theta) - 30 * 0.055 * spot * grown, rel=1e-12)
    traders = payoff(legs, spot=spot, t=t, units="trader", **terms)
    assert traders.vega == pytest.approx(found.vega / 100)
    assert traders.theta == pytest.approx(found.theta / 365)


def test_forward_given() -> None:
    legs = [("CE", 100, 1, 3.0)]
    given = payoff(legs, spot=100.0, t=0.25, vol=0.2, rate=0.05, forward=101.0)
    implied = payoff(legs, spot=100.0, t=0.25, vol=0.2, rate=0.05, dividend=0.05 - math.log(1.01) / 0.25)
    assert given.pop == pytest.approx(implied.pop, rel=1e-12)
    np.testing.assert_allclose(given.now, implied.now, rtol=1e-9, atol=1e-12)
    model = price("CE", 100.0, 100, 0.25, 0.2, forward=101.0, rate=0.05)
    assert given.profit(100.0, elapsed=0.0) == pytest.approx(model - 3.0, rel=1e-12)


def test_implied_from_the_prices_paid() -> None:
    paid = price("CE", 100.0, 105, 0.1, 0.23, rate=0.05)
    found = payoff([("CE", 105, 1, paid)], spot=100.0, t=0.1, vol="implied", rate=0.05)
    assert found.position.vol[0] == pytest.approx(0.23, rel=1e-10)
    assert found.vol == pytest.approx(0.23, rel=1e-10)
    assert found.profit(100.0, elapsed=0.0) == pytest.approx(0.0, abs=1e-12)


CALENDAR = [Leg("CE", 24000, -1, 210.0, 5 / 365, 0.14), Leg("CE", 24000, 1, 400.0, 33 / 365, 0.13)]


def test_calendar() -> None:
    """At the first expiry the second leg is worth its model value; extremes and breakevens by brute force beside."""
    found = payoff(CALENDAR, spot=24010.0, rate=0.06, lot=75)

    def value(s: Any) -> Any:
        return 75 * (price("CE", s, 24000, 28 / 365, 0.13, rate=0.06) - 400 - (np.maximum(s - 24000, 0) - 210))

    dense = np.linspace(20000.0, 28000.0, 400_001)
    values = value(dense)
    assert found.horizon == 5 / 365
    assert found.max_profit == pytest.approx(values.max(), rel=1e-12)  # at the strike, where there is a kink
    assert found.max_loss == pytest.approx(-14250.0, rel=1e-9)  # far below the call is worth nothing
    np.testing.assert_allclose(value(found.breakevens), 0.0, atol=1e-6)
    crossings = dense[1:][np.sign(values[1:]) != np.sign(values[:-1])]
    np.testing.assert_allclose(found.breakevens, crossings, atol=0.03)
    np.testing.assert_allclose(found.at_expiry, value(found.spots), rtol=1e-9, atol=1e-6)


def test_diagonal_without_bound() -> None:
    """Two near calls against one far: above, the loss has no bound; below, the best is between the strikes."""
    legs = [("CE", 105, -2, 1.0, 0.1, 0.2), ("CE", 100, 1, 5.0, 0.5, 0.2)]
    found = payoff(legs, spot=100.0)
    assert found.max_loss == -INF
    assert found.breakevens.size == 2
    for x in found.breakevens:
        assert abs(found.profit(x)) < 1e-9
    dense = found.profit(np.linspace(50, 200, 150_001))
    assert dense.max() <= found.max_profit * (1 + 1e-12)
    assert found.max_profit == pytest.approx(dense.max(), rel=1e-8)
    # the other way round there is no bound above; below, all that can be lost is found between samples too
    turned = payoff([(r, k, -q, p, t, v) for r, k, q, p, t, v in legs], spot=100.0)
    assert (turned.max_profit, turned.max_loss) == (INF, -found.max_profit)
    np.testing.assert_allclose(turned.breakevens, found.breakevens, rtol=1e-12)


def test_calendar_of_puts_at_zero() -> None:
    """At a spot of 0 the far put is worth its discounted strike: the loss there is exact."""
    legs = [("PE", 100, -1, 2.0, 0.1, 0.2), ("PE", 100, 1, 4.0, 0.6, 0.2)]
    found = payoff(legs, spot=100.0, rate=0.08)
    at_zero = 100 * math.exp(-0.08 * 0.5) - 100 - 2.0
    assert found.profit(0.0) == pytest.approx(at_zero, rel=1e-12)
    assert found.max_loss == pytest.approx(min(at_zero, -2.0), rel=1e-9)


def test_later_legs_need_a_volatility() -> None:
    with pytest.raises(PricingError, match="expires after the first"):
        payoff([("CE", 100, -1, 2.0, 0.1), ("CE", 100, 1, 4.0, 0.6)], spot=100.0)


def test_future_of_a_later_month() -> None:
    """It is worth its forward when the option expires; the underlying itself (t = 0) just the spot."""
    found = payoff([("CE", 110, -1, 2.0, 0.1), ("FUT", None, 1, 101.0, 0.35)], spot=100.0, rate=0.08)
    assert found.profit(105.0) == pytest.approx(105 * math.exp(0.08 * 0.25) - 101 + 2)
    held = payoff([("CE", 110, -1, 2.0, 0.1), ("underlying", None, 1, 101.0, 0.0)], spot=100.0, rate=0.08)
    assert held.profit(105.0) == pytest.approx(105 - 101 + 2)
    assert held.profit(105.0, elapsed=0.0) != held.profit(105.0)
    assert held.horizon == 0.1


# --- chances -----------------------------------------------------------------------------------------------------


def test_chances_of_a_straddle_in_closed_form() -> None:
    """P(90 < S < 110) and the mean under the lognormal law, written out with erf."""
    legs = [("CE", 100, -1, 6.0), ("PE", 100, -1, 4.0)]
    found = payoff(legs, spot=100.0, t=0.25, vol=0.2, rate=0.05)
    forward, s = 100 * math.exp(0.0125), 0.1

    def below(x: float) -> float:
        return 0.5 * (1 + math.erf((math.log(x / forward) / s + s / 2) / math.sqrt(2)))

    assert found.pop == pytest.approx(below(110) - below(90), rel=1e-12)
    undiscounted = sum(price(r, forward, 100, 0.25, 0.2) for r in (1, -1))
    assert found.expected == pytest.approx(10 - undiscounted, rel=1e-12)
    assert found.vol == 0.2


@pytest.mark.parametrize(
    "legs",
    [
        [("CE", 24200, -75, 150), ("PE", 23800, -75, 120), ("PE", 23500, 75, 40)],
        [("CE", 24000, 75, 210), ("CE", 24500, -150, 60), ("FUT", None, 20, 24100)],
    ],
)
def test_chances_against_simulation_and_quadrature(legs: Any) -> None:
    spot, t, vol, rate = 24000.0, 12 / 365, 0.14, 0.06
    found = payoff(legs, spot=spot, t=t, vol=vol, rate=rate)
    forward, s = spot * math.exp(rate * t), vol * math.sqrt(t)
    z = np.random.default_rng(7).standard_normal(400_000)
    z = np.concatenate([z, -z])
    ends = np.array([profit(legs, x) for x in np.sort(forward * np.exp(s * z - s * s / 2))[::16]])
    assert found.pop == pytest.approx((ends > 0).mean(), abs=4 * 0.5 / math.sqrt(ends.size))
    assert found.expected == pytest.approx(ends.mean(), abs=5 * ends.std() / math.sqrt(ends.size))

    def density(x: Any) -> Any:
        d = np.log(x / forward) / s + s / 2
        return np.exp(-d * d / 2) / (x * s * math.sqrt(2 * math.pi))

    integrated = payoff(legs, spot=spot, t=t, vol=vol, rate=rate, density=density)
    assert integrated.pop == pytest.approx(found.pop, rel=1e-11)
    assert integrated.expected == pytest.approx(found.expected, rel=1e-9, abs=1e-8)
    assert math.isnan(integrated.vol)
    assert "the density" in repr(integrated)


def test_fair_prices_promise_nothing() -> None:
    """At model prices grown to expiry every position has the mean 0, a calendar too."""
    spot, rate = 100.0, 0.05
    terms = {"rate": rate}
    legs = []
    for right, strike, quantity, t in [("CE", 105, -2, 0.1), ("PE", 95, 1, 0.1), ("CE", 100, 1, 0.4)]:
        worth = price(right, spot, strike, t, 0.2, **terms)
        legs.append((right, strike, quantity, worth * math.exp(rate * 0.1), t, 0.2))
    found = payoff(legs, spot=spot, **terms)
    assert found.expected == pytest.approx(0.0, abs=1e-10)
    assert payoff(legs[:2], spot=spot, **terms).expected == pytest.approx(0.0, abs=1e-13)
    assert 0 < found.pop < 1


def test_a_density_that_is_not_one() -> None:
    with pytest.warns(DataWarning, match="integrates to 0"):
        found = payoff([("CE", 100, 1, 3)], spot=100.0, t=0.1, density=lambda s: 0.5 * (np.abs(s - 100) < 1) * 0.5)
    assert found.pop == 0.0
    with pytest.raises(TypeError, match="density: expected a function"):
        payoff([("CE", 100, 1, 3)], density=3)
    with pytest.raises(ValueError, match="as many values as spots"):
        payoff([("CE", 100, 1, 3)], spot=100.0, t=0.1, density=lambda s: 1.0)


class FlatSurface:
    """A surface as payoff() sees it: constant volatility, rate and yield."""

    spot, vol_, rate, dividend = 100.0, 0.2, 0.05, 0.02

    def vol(self, k: Any, t: Any) -> Any:
        return np.full(np.broadcast_shapes(np.shape(k), np.shape(t)), self.vol_)

    def forward_at(self, t: Any) -> Any:
        return self.spot * np.exp((self.rate - self.dividend) * np.asarray(t))

    def discount_at(self, t: Any) -> Any:
        return np.exp(-self.rate * np.asarray(t))

    def density(self, strike: Any, t: float) -> Any:
        s = self.vol_ * math.sqrt(t)
        d = np.log(strike / self.forward_at(t)) / s + s / 2
        return np.exp(-d * d / 2) / (strike * s * math.sqrt(2 * math.pi))


def test_surface() -> None:
    legs = [("CE", 105, -1, 2.0, 0.1), ("PE", 95, -1, 1.5, 0.1), ("CE", 110, 1, 1.0, 0.4)]
    flat: Any = FlatSurface()
    found = payoff(legs, surface=flat)
    plain = payoff(legs, spot=100.0, vol=0.2, rate=0.05, dividend=0.02)
    np.testing.assert_allclose(found.now, payoff(legs, surface=flat, spots=found.spots).now)
    assert found.profit(103.0, elapsed=0.0) == pytest.approx(plain.profit(103.0, elapsed=0.0), rel=1e-11)
    assert found.profit(103.0) == pytest.approx(plain.profit(103.0), rel=1e-11)
    assert found.pop == pytest.approx(plain.pop, rel=1e-10)
    assert found.expected == pytest.approx(plain.expected, rel=1e-9)
    assert found.delta == pytest.approx(plain.delta, rel=1e-11)


def test_seconds_to_expiry() -> None:
    """A calendar whose first leg has a second to go: the distribution is a needle, and is found."""
    t = 1 / 365 / 86_400
    found = payoff([("CE", 100, -1, 0.1, t, 0.2), ("CE", 100, 1, 1.5, 0.1, 0.2)], spot=100.0, forward=100.0)
    later = price("CE", 100.0, 100, 0.1 - t, 0.2) - 1.5
    assert found.expected == pytest.approx(later + 0.1, abs=2e-3)
    assert found.pop == 1.0


def test_a_density_of_nothing() -> None:
    with pytest.raises(PricingError, match="positive somewhere near the forward"):
        payoff([("CE", 100, 1, 3)], spot=100.0, t=0.1, density=lambda s: 0.0 * s)


def test_expiring_now_is_certain() -> None:
    found = payoff([("CE", 100, 1, 3.0)], spot=104.0, t=0.0, vol=0.2)
    assert (found.pop, found.expected) == (1.0, 1.0)


# --- forms and refusals --------------------------------------------------------------------------------------------


def test_legs_in_every_form() -> None:
    rows = [("CE", 24000.0, -75, 210.0), ("PE", 24000.0, -75, 190.0), ("FUT", None, 10, 24050.0)]
    names = ["right", "strike", "quantity", "price"]
    columns = dict(zip(names, (list(column) for column in zip(*rows))))
    forms = [
        rows,
        [list(row) for row in rows],
        [Leg(*row) for row in rows],
        [{name: value for name, value in zip(names, row) if value is not None} for row in rows],
        pl.DataFrame({**columns, "symbol": ["a", "b", "c"]}),
        pd.DataFrame(columns),
        (Leg(*row) for row in rows),
    ]
    expected = payoff(rows)
    for form in forms:
        found = payoff(form)
        assert found.legs == expected.legs
        np.testing.assert_array_equal(found.at_expiry, expected.at_expiry)
    assert payoff(("PE", 24000, -75, 112.4)).legs == (Leg("PE", 24000, -75, 112.4),)
    assert (
        payoff({"right": "p", "strike": 24000, "quantity": -75, "price": 112.4}).legs
        == payoff(
            Leg(-1, 24000, -75, 112.4)  # type: ignore[arg-type]
        ).legs
    )
    framed = payoff(pl.DataFrame({**columns, "t": [0.1, 0.1, None], "vol": [0.2, 0.2, None]}), spot=24000.0)
    assert framed.horizon == 0.1
    assert framed.pop > 0


@pytest.mark.parametrize(
    ("legs", "error", "words"),
    [
        ([], ValueError, "at least one"),
        ("CE", TypeError, "a list of legs or a frame"),
        (3.0, TypeError, "a list of legs or a frame"),
        ([("CE", 100, 1)], ValueError, "leg 0: expected .right, strike, quantity, price"),
        ([("CE", 100, 1, 2), ("XX", 100, 1, 2)], ValueError, 'leg 1: right: expected "CE", "PE" or "FUT"'),
        ([(0, 100, 1, 2)], ValueError, "leg 0: right"),
        ([(None, 100, 1, 2)], ValueError, "leg 0: right"),
        ([("CE", None, 1, 2)], ValueError, "leg 0: strike: expected a number"),
        ([("CE", float("nan"), 1, 2)], ValueError, "leg 0: strike"),
        ([("CE", -5, 1, 2)], ValueError, "strike: expected a number from 1e-09"),
        ([("FUT", 24000, 1, 2)], ValueError, "expected None for a future"),
        ([("CE", 100, "1", 2)], TypeError, "quantity: expected a number"),
        ([("CE", 100, True, 2)], TypeError, "quantity: expected a number"),
        ([("CE", 100, float("inf"), 2)], ValueError, "quantity: expected a finite"),
        ([("CE", 100, 1e300, 2)], ValueError, "quantity: expected 0 or a number between"),
        ([("CE", 100, 1, None)], ValueError, "price: expected a number"),
        ([("CE", 100, 1, -2)], ValueError, "price: expected a number from 0"),
        ([("CE", 100, 1, 2, -0.1)], ValueError, "t: expected a number from 0 to 100"),
        ([{"right": "CE", "strike": 1, "qty": 1, "price": 1}], ValueError, "got no quantity"),
        ([{"right": "CE", "strike": 1, "quantity": 1, "price": 1, "iv": 0.2}], ValueError, "got unknown iv"),
        ([7], TypeError, "leg 0: expected a Leg"),
        (pl.DataFrame({"strike": [1.0]}), ValueError, "got no right, quantity, price"),
        ([("CE", 100, 1, 2, 0.1), ("CE", 100, 1, 2)], ValueError, "some options have a time"),
    ],
)
def test_bad_legs(legs: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        payoff(legs)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"spot": -1}, ValueError, "spot: expected a number from 1e-09"),
        ({"spot": 0}, ValueError, "spot: expected a number from 1e-09"),
        ({"spot": math.inf}, ValueError, "spot: expected a finite"),
        ({"vol": "smile"}, ValueError, 'vol: expected a number or "implied"'),
        ({"vol": -0.2}, ValueError, "vol: expected a number from 0 to 50"),
        ({"rate": math.nan}, ValueError, "rate: expected a finite"),
        ({"rate": 6.5}, ValueError, "1 is 100 %"),
        ({"forward": 101.0}, ValueError, "spot: expected a number beside a forward"),
        ({"forward": 101.0, "spot": 100.0}, ValueError, "t: expected a time to expiry beside a forward"),
        ({"lot": 0}, ValueError, "lot: expected a positive"),
        ({"costs": math.nan}, ValueError, "costs: expected a finite"),
        ({"units": "rupees"}, ValueError, "units"),
        ({"at": [0.2], "t": 0.1}, ValueError, "between 0 and the first expiry"),
        ({"at": [0.2]}, ValueError, "between 0 and the first expiry"),
        ({"vol_shifts": [-0.3], "vol": 0.2, "t": 0.1}, ValueError, "vol_shifts"),
        ({"spots": [[1.0]]}, ValueError, "spots: expected one dimension"),
    ],
)
def test_bad_settings(settings: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        payoff([("CE", 100, 1, 2)], **settings)


def test_profit_in_the_callers_kind() -> None:
    found = payoff([("CE", 100, 1, 2)], spot=100.0, t=0.1, vol=0.2)
    spots = [90.0, 103.0]
    assert isinstance(found.profit(103), float)
    np.testing.assert_array_equal(found.profit(spots), [-2.0, 1.0])
    assert found.profit(pl.Series(spots)).to_list() == [-2.0, 1.0]
    series = found.profit(pd.Series(spots, index=["a", "b"]))
    assert series["b"] == 1.0
    assert math.isnan(found.profit(-1.0))
    with pytest.raises(ValueError, match="between 0 and the first expiry"):
        found.profit(100.0, elapsed=0.11)


def test_tables_and_pictures() -> None:
    found = payoff(CALENDAR, spot=24010.0, rate=0.06, at=[2 / 365], vol_shifts=[0.0, 0.02], costs=20.0)
    frame = found.to_frame()
    assert frame.columns[:3] == ["spot", "at_expiry", "now"]
    assert len(frame.columns) == 5
    for text in (repr(found), found._repr_html_()):
        assert "margin is not included" in text
        assert "-1 CE 24000 @ 210" in text
    figure = found.plot()
    names = [trace.name for trace in figure.data if trace.name]
    assert names == ["At expiry", "Now", "In 2 days", "In 2 days, vol +2 points", "Breakeven"]
    assert {note.text for note in figure.layout.annotations} == {"spot 24,010.00", "±1σ"}
    bare = payoff([("CE", 100.0 + k, 1, 2) for k in range(8)])
    assert "and 2 more" in repr(bare)
    assert "unlimited" in repr(bare)
    assert [trace.name for trace in bare.plot().data if trace.name] == ["At expiry", "Breakeven"]
    payoff([("FUT", None, 1, 0.0)]).plot()
