"""Greeks of second and third order: what holds for every option and every float64 that anybody can pass."""

import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algomaster.pricing import greeks, price
from algomaster.pricing.kernels.loops import ROWS

MODELS = ["black", "bachelier"]
ALWAYS = ("price", "delta", "vega", "rho", "dual_delta")
SAME = ("gamma", "vega", "vanna", "volga", "veta", "dual_gamma", "speed", "zomma", "color", "ultima")

spots = st.floats(1e-3, 1e6)
deviations = st.floats(-8.0, 8.0)
times = st.floats(1e-7, 30.0)
vols = st.floats(0.005, 4.0)
rates = st.floats(-0.1, 0.3)
rights = st.sampled_from([1, -1])
models = st.sampled_from(MODELS)
nasty = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-300, 1e300, 1.7e308, math.inf, -math.inf, math.nan]),
    st.floats(0.0, 200.0),
)
EXAMPLES = settings(deadline=None, max_examples=300)


def near(model: str, spot: float, deviation: float, t: float, vol: float) -> tuple[float, float]:
    """A strike so many standard deviations away and the volatility in the model's units."""
    depth = max(-40.0, min(40.0, deviation * vol * math.sqrt(t)))
    return (spot * math.exp(depth), vol) if model == "black" else (spot * (1.0 + depth), vol * spot)


@settings(deadline=None, max_examples=1500)
@given(nasty, nasty, nasty, nasty, nasty, nasty, rights, models)
@example(1.0, 0.0, 1.0, 0.0, 0.0, math.inf, 1, "bachelier")
@example(100.0, 100.0, 0.0, 0.2, 0.0, 0.0, 1, "black")
@example(100.0, 90.0, 5e-324, 1e300, 0.0, 0.0, 1, "black")
def test_any_float_at_any_order(
    spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, right: int, model: str
) -> None:
    inputs = (spot, strike, t, vol)
    terms: dict[str, Any] = {"rate": rate, "dividend": dividend, "model": model}
    alone = price(right, *inputs, **terms)
    bad = any(math.isnan(x) or math.isinf(x) for x in (*inputs, rate, dividend)) or t < 0 or vol < 0
    bad |= model == "black" and (spot <= 0 or strike <= 0)
    found = {order: greeks(right, *inputs, **terms, order=order) for order in ROWS}
    for order, names in ROWS.items():
        values = [getattr(found[order], name) for name in names]
        assert all(isinstance(value, float) for value in values)
        assert values[0] == alone or (math.isnan(values[0]) and math.isnan(alone))
        if bad or math.isnan(alone):
            assert all(math.isnan(value) for value in values)
        elif abs(spot) < 1e150:
            assert not any(math.isnan(getattr(found[order], name)) for name in ALWAYS if name in names)
        assert str(values) == str([getattr(found[3], name) for name in names])  # whatever the order, the same bits


@EXAMPLES
@given(spots, deviations, times, vols, rates, rates, rights, models)
def test_an_option_that_lives_has_every_greek(
    spot: float, deviation: float, t: float, vol: float, rate: float, dividend: float, right: int, model: str
) -> None:
    strike, vol = near(model, spot, deviation, t, vol)
    found = greeks(right, spot, strike, t, vol, rate=rate, dividend=dividend, model=model, order=3)
    for name in ROWS[3]:
        assert math.isfinite(getattr(found, name)) or (name == "elasticity" and found.price < 1e-290), name


@EXAMPLES
@given(spots, deviations, times, vols, rates, rates, models)
def test_call_and_put_differ_by_a_forward(
    spot: float, deviation: float, t: float, vol: float, rate: float, dividend: float, model: str
) -> None:
    """Parity, differentiated: what is left of delta, charm and dual delta, and nothing of the others."""
    strike, vol = near(model, spot, deviation, t, vol)
    call, put = (
        greeks(right, spot, strike, t, vol, rate=rate, dividend=dividend, model=model, order=3) for right in (1, -1)
    )
    for name in SAME:
        assert getattr(call, name) == getattr(put, name), name
    carried = math.exp(-dividend * t)
    assert call.delta - put.delta == pytest.approx(carried, rel=1e-13)
    size = abs(call.charm) + abs(put.charm) + abs(dividend) * carried
    assert call.charm - put.charm == pytest.approx(dividend * carried, rel=0, abs=1e-14 * size + 1e-300)
    assert call.dual_delta - put.dual_delta == pytest.approx(-math.exp(-rate * t), rel=2e-13)


@EXAMPLES
@given(spots, st.floats(-3.0, 3.0), st.floats(0.01, 5.0), st.floats(0.05, 1.0), rates, rates, rights, models)
def test_each_is_the_difference_of_a_lower_one(
    spot: float, deviation: float, t: float, vol: float, rate: float, dividend: float, right: int, model: str
) -> None:
    """Central differences; as coarse as those are, they would see a wrong sign or factor."""
    strike, vol = near(model, spot, deviation, t, vol)
    width = vol * math.sqrt(t) * (spot if model == "black" else 1.0)

    def at(s: float = 0.0, v: float = 0.0, years: float = 0.0, k: float = 0.0) -> Any:
        return greeks(
            right, spot + s, strike + k, t + years, vol + v, rate=rate, dividend=dividend, model=model, order=3
        )  # fmt: skip

    here = at()
    steps = {"s": 1e-5 * min(width, spot), "v": 1e-5 * vol, "years": 1e-5 * t, "k": 1e-5 * min(width, strike, spot)}
    if model == "bachelier":
        steps |= {"s": 1e-5 * width, "k": 1e-5 * width}
    of = {
        "s": {"delta": "price", "gamma": "delta", "vanna": "vega", "charm": "theta", "speed": "gamma"},
        "v": {"vega": "price", "vanna": "delta", "volga": "vega", "zomma": "gamma", "ultima": "volga"},
        "years": {"theta": "price", "charm": "delta", "veta": "vega", "color": "gamma"},
        "k": {"dual_delta": "price", "dual_gamma": "dual_delta"},
    }
    for argument, pairs in of.items():
        h = steps[argument]
        if h == 0.0 or (argument == "k" and strike <= h and model == "black"):
            continue
        up, down = at(**{argument: h}), at(**{argument: -h})
        for higher, lower in pairs.items():
            slope = (getattr(up, lower) - getattr(down, lower)) / (2 * h) * (-1 if argument == "years" else 1)
            scale = max(abs(getattr(here, lower)), abs(getattr(up, lower)), _size(here, lower, spot, strike))
            assert getattr(here, higher) == pytest.approx(slope, rel=1e-4, abs=1e-9 * scale / h), higher


def _size(here: Any, name: str, spot: float, strike: float) -> float:
    """What the terms of a Greek come to before they cancel."""
    return {"price": spot + abs(strike), "delta": 1.0, "dual_delta": 1.0}.get(name, abs(getattr(here, name)))
