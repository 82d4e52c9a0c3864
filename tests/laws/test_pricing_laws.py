"""What holds for every option and every float64 that anybody can pass."""

import json
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algomaster.pricing import ImpliedStatus, greeks, implied_vol, price

FIRST_ORDER = ("price", "delta", "gamma", "vega", "theta", "rho")
MODELS = ["black", "bachelier"]

spots = st.floats(1e-3, 1e6)
deviations = st.floats(-8.0, 8.0)
times = st.floats(1e-7, 30.0)
vols = st.floats(0.005, 4.0)
rates = st.floats(-0.1, 0.3)
rights = st.sampled_from([1, -1])
nasty = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-300, 1e300, 1.7e308, math.inf, -math.inf, math.nan]),
    st.floats(0.0, 200.0),
)
EXAMPLES = settings(deadline=None, max_examples=300)


def near(spot: float, deviation: float, t: float, vol: float) -> float:
    """A strike so many standard deviations away, kept within sane numbers."""
    return spot * math.exp(max(-40.0, min(40.0, deviation * vol * math.sqrt(t))))


@EXAMPLES
@given(spots, deviations, times, vols, rates, rates, st.sampled_from(MODELS))
def test_put_call_parity(
    spot: float, deviation: float, t: float, vol: float, rate: float, dividend: float, model: str
) -> None:
    strike = near(spot, deviation, t, vol)
    terms: dict[str, Any] = {"rate": rate, "dividend": dividend, "model": model}
    call, put = (greeks(right, spot, strike, t, vol, **terms) for right in ("CE", "PE"))
    grown, discount = spot * math.exp(-dividend * t), math.exp(-rate * t)
    # unless the option is a lottery ticket on its own terms, the difference is all rounding of these two
    size = grown + strike * discount + call.price + put.price
    assert call.price - put.price == pytest.approx(grown - strike * discount, abs=1e-14 * size * (1 + abs(rate * t)))
    assert call.delta - put.delta == pytest.approx(math.exp(-dividend * t), rel=1e-13)
    assert (call.gamma, call.vega) == (put.gamma, put.vega)


@EXAMPLES
@given(spots, deviations, times, vols, rights)
def test_bounds(spot: float, deviation: float, t: float, vol: float, right: int) -> None:
    strike = near(spot, deviation, t, vol)
    found = greeks(right, spot, strike, t, vol)
    assert max(right * (spot - strike), 0.0) <= found.price <= (spot if right > 0 else strike)
    assert 0.0 <= right * found.delta <= 1.0
    assert found.gamma >= 0.0
    assert found.vega >= 0.0
    assert found.theta <= 0.0  # without carry time only costs


@EXAMPLES
@given(spots, deviations, times, vols, st.floats(1e-9, 0.5), rights, st.sampled_from(MODELS))
def test_price_rises_with_volatility(
    spot: float, deviation: float, t: float, vol: float, more: float, right: int, model: str
) -> None:
    """Of options out of the money strictly, beyond the rounding; in the money the rounding of parity is allowed."""
    strike = near(spot, deviation, t, vol)
    low, high = (price(right, spot, strike, t, v, model=model) for v in (vol, vol * (1 + more)))
    if right * (spot - strike) > 0:
        assert high >= low
    elif low > 1e-290:
        assert high >= low * (1 - 4e-14)
        assert high > low or more < 1e-6 or high > 0.99 * min(spot, strike)


@EXAMPLES
@given(spots, deviations, times, vols, rights, st.integers(-30, 30))
def test_scaling_the_currency_scales_the_price(
    spot: float, deviation: float, t: float, vol: float, right: int, power: int
) -> None:
    """By a power of two: to the bit, and volatility does not notice."""
    strike, factor = near(spot, deviation, t, vol), 2.0**power
    one, other = (greeks(right, spot * f, strike * f, t, vol) for f in (1.0, factor))
    assert other.price == one.price * factor
    assert (other.delta, other.vega) == (one.delta, one.vega * factor)
    assert implied_vol(one.price, right, spot, strike, t).status == implied_vol(
        other.price, right, spot * factor, strike * factor, t
    ).status  # fmt: skip


@EXAMPLES
@given(spots, deviations, times, vols, rates, rates, rights, st.sampled_from(MODELS))
def test_greeks_carry_the_price_to_the_bit(
    spot: float, deviation: float, t: float, vol: float, rate: float, dividend: float, right: int, model: str
) -> None:
    strike = near(spot, deviation, t, vol)
    terms: dict[str, Any] = {"rate": rate, "dividend": dividend, "model": model}
    assert greeks(right, spot, strike, t, vol, **terms).price == price(right, spot, strike, t, vol, **terms)


@EXAMPLES
@given(spots, st.floats(0.0, 30.0), times, vols, rights, st.sampled_from(MODELS))
def test_round_trip_out_of_the_money(spot: float, depth: float, t: float, vol: float, right: int, model: str) -> None:
    """price -> volatility -> the same volatility, unless its digits are below the rounding of the price."""
    unit = 1.0 if model == "black" else spot
    shift = right * depth * vol * math.sqrt(t)
    strike = near(spot, right * depth, t, vol) if model == "black" else spot * (1 + shift)
    found = greeks(right, spot, strike, t, vol * unit, model=model)
    if found.price > 1e-280 and found.vega > 0.0:
        attainable = 2.0**-53 * found.price / (found.vega * vol * unit) + 2.0**-52
        back = implied_vol(found.price, right, spot, strike, t, model=model)
        if attainable < 1e-3:
            assert back.status == 0
            # the price itself is rounded more coarsely far out, by d**2, which the volatility does not feel
            assert back.vol == pytest.approx(vol * unit, rel=12 * attainable)


@settings(deadline=None, max_examples=1500)
@given(nasty, nasty, nasty, nasty, nasty, nasty, rights, st.sampled_from(MODELS))
@example(1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1, "bachelier")
@example(5e-324, 0.0, 0.0, 1.0, 0.0, 0.0, 1, "bachelier")
@example(5e-324, 2.0, 2.0, 1.0, 0.0, 0.0, 1, "black")
@example(1e-300, 0.0, 4046651956790.0, 1231866340012165.0, 4.5e-32, 0.0, 1, "bachelier")
@example(2.2e-308, 0.0, -88269.0, 1.0, -25.0, -733.0, -1, "bachelier")
def test_no_float_brings_garbage_or_an_exception(
    quote: float, spot: float, strike: float, t: float, rate: float, dividend: float, right: int, model: str
) -> None:
    found = implied_vol(quote, right, spot, strike, t, rate=rate, dividend=dividend, model=model)
    assert (found.status == 0) == (not math.isnan(found.vol))
    if any(math.isnan(x) or math.isinf(x) for x in (quote, spot, strike, t, rate, dividend)):
        assert found.status == ImpliedStatus.BAD_INPUT
    elif found.status == 0:
        back = greeks(right, spot, strike, t, found.vol, rate=rate, dividend=dividend, model=model)
        forward, discount = spot * math.exp((rate - dividend) * t), math.exp(-rate * t)
        rounding = 2.0**-50 * discount * (abs(forward) + abs(strike)) * (quote > discount * abs(forward - strike))
        size = 2.0**-53 * back.vega * found.vol * 64
        vanishing = 1e-306 * (1.0 + discount * (abs(forward) + abs(strike) + 1.0))  # a price may be 0 below this
        assert back.price == pytest.approx(quote, rel=1e-11, abs=rounding + size + vanishing)


@settings(deadline=None, max_examples=1000)
@given(nasty, nasty, nasty, nasty, nasty, nasty, rights, st.sampled_from(MODELS))
@example(1.0, 0.0, 1.0, 0.0, 0.0, math.inf, 1, "bachelier")
@example(1.427744071283841e-124, 1.0, 1.0, 1.427744071283841e-124, 0.0, 0.0, 1, "black")
def test_prices_and_greeks_of_any_float(
    spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, right: int, model: str
) -> None:
    found = greeks(right, spot, strike, t, vol, rate=rate, dividend=dividend, model=model)
    inputs = (spot, strike, t, vol, rate, dividend)
    bad = any(math.isnan(x) or math.isinf(x) for x in inputs) or t < 0 or vol < 0
    bad |= model == "black" and (spot <= 0 or strike <= 0)
    if bad:
        assert all(math.isnan(getattr(found, name)) for name in FIRST_ORDER)
    elif not math.isnan(found.price):
        assert found.price >= 0.0
        assert not any(math.isnan(getattr(found, name)) for name in ("delta", "vega", "rho"))
    assert found.price == price(right, *inputs[:4], rate=rate, dividend=dividend, model=model) or math.isnan(
        found.price
    )


BITS = """
import json, sys
import numpy as np
from algomaster.pricing import greeks, implied_vol
rng = np.random.default_rng(11)
n = 700
right = rng.choice([-1, 1], n)
spot = 10.0 ** rng.uniform(-3, 6, n)
t = 10.0 ** rng.uniform(-8, 1, n)
vol = 10.0 ** rng.uniform(-2, 0.7, n)
strike = spot * np.exp(rng.normal(size=n) * 6 * vol * np.sqrt(t))
strike[:50] = spot[:50]
t[50:60], vol[60:70], spot[70:75], strike[75:80], vol[80:85] = 0.0, 0.0, np.inf, -1.0, np.nan
odd = np.array([0.0, -0.0, 5e-324, 1e-124, 2.0**-500, 1.0, 2.0, 100.0, 1e150, 1e308, -1.0, np.inf, -np.inf, np.nan])
m = 1500
spot, strike, t, vol, rate, dividend = (
    np.concatenate([plain, rng.choice(odd, m)])
    for plain in (spot, strike, t, vol, np.full(n, 0.05), np.full(n, 0.01))
)
right = np.concatenate([right, rng.choice([-1, 1], m)])
rate[-m // 2:] = dividend[-m // 2:] = 0.0
one_nan = lambda values: np.where(np.isnan(values), np.nan, values)  # there are many NaNs, all the same to us
bits = {}
for model in ("black", "bachelier"):
    terms = dict(rate=rate, dividend=dividend, model=model)
    found = greeks(right, spot, strike, t, vol, **terms)
    for name in ("price", "delta", "gamma", "vega", "theta", "rho"):
        bits[model + name] = one_nan(getattr(found, name)).tobytes().hex()
    quote = found.price.copy()
    quote[100:120] *= 0.5
    quote[-m // 2:] = rng.choice(odd, m // 2)
    back = implied_vol(quote, right, spot, strike, t, **terms)
    bits[model + "vol"], bits[model + "status"] = one_nan(back.vol).tobytes().hex(), back.status.tobytes().hex()
json.dump(bits, sys.stdout)
"""


def _bits(*, jit: bool) -> dict[str, str]:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0" if jit else "1"}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", BITS], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


def test_without_the_compiler_the_same_bits() -> None:
    """Plain Python has no vector units, no fused operations and no libm of ours: nothing may depend on them."""
    compiled, plain = _bits(jit=True), _bits(jit=False)
    assert compiled == plain
    assert len({value for value in compiled.values()}) == len(compiled)


@pytest.mark.parametrize("model", MODELS)
def test_one_by_one_and_together_the_same_bits(model: str) -> None:
    rng = np.random.default_rng(12)
    n = 137  # not a multiple of any vector length
    right, spot = rng.choice([-1, 1], n), rng.uniform(90, 110, n)
    strike, t, vol = rng.uniform(80, 120, n), rng.uniform(0.001, 2, n), rng.uniform(0.05, 0.9, n)
    together = greeks(right, spot, strike, t, vol, rate=0.06, model=model)
    for name in FIRST_ORDER:
        one = [
            getattr(greeks(int(right[i]), spot[i], strike[i], t[i], vol[i], rate=0.06, model=model), name)
            for i in range(n)
        ]
        assert getattr(together, name).tobytes() == np.array(one).tobytes()
    quotes = together.price
    vols_together = implied_vol(quotes, right, spot, strike, t, rate=0.06, model=model).vol
    vols_alone = [
        implied_vol(quotes[i], int(right[i]), spot[i], strike[i], t[i], rate=0.06, model=model).vol for i in range(n)
    ]
    assert vols_together.tobytes() == np.array(vols_alone).tobytes()
