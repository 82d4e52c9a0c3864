"""What holds for every American and digital option and every float64 that anybody can pass."""

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

from algomaster.pricing import greeks, price
from algomaster.pricing.americans import american, american_greeks, exercise_boundary
from algomaster.pricing.digitals import digital

FIRST_ORDER = ("price", "delta", "gamma", "vega", "theta", "rho")
EXAMPLES = settings(deadline=None, max_examples=300)
NOISE = 2e-5  # of the strike: twice the largest error of "fast"

deviations = st.floats(-3.0, 3.0)
times = st.floats(0.01, 5.0)
vols = st.floats(0.05, 1.0)
rates = st.floats(0.0, 0.12)
rights = st.sampled_from([1, -1])
payments = st.sampled_from(["cash", "asset"])
nasty = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-300, 1e-12, 1e300, 1.7e308, math.inf, math.nan]),
    st.floats(0.0, 200.0),
    st.floats(-0.2, 0.5),
)


def near(deviation: float, t: float, vol: float) -> float:
    """A spot so many deviations from a strike of 100."""
    return 100.0 * math.exp(deviation * vol * math.sqrt(t))


@EXAMPLES
@given(deviations, times, vols, st.floats(-0.05, 0.15), st.floats(-0.05, 0.15), rights)
def test_an_american_option_is_worth_no_less(
    deviation: float, t: float, vol: float, rate: float, dividend: float, right: int
) -> None:
    spot = near(deviation, t, vol)
    terms: dict[str, Any] = {"rate": rate, "dividend": dividend}
    found, european = american(right, spot, 100, t, vol, **terms), price(right, spot, 100, t, vol, **terms)
    first, second = (rate, dividend) if right < 0 else (dividend, rate)
    if second < first < 0:
        assert math.isnan(found)
    else:
        assert found >= max(european, right * (spot - 100.0), 0.0)
        assert found <= (spot * math.exp(max(-dividend * t, 0)) if right > 0 else 100 * math.exp(max(-rate * t, 0)))
    if first <= 0 and second >= first:
        assert found == european
        never = 0.0 if right < 0 else math.inf
        assert exercise_boundary(right, 100, t, vol, **terms) == never


@EXAMPLES
@given(deviations, times, vols, rates, rates, rights, st.floats(0.0, 1.0))
def test_it_rises_with_volatility_and_time(
    deviation: float, t: float, vol: float, rate: float, dividend: float, right: int, more: float
) -> None:
    spot = near(deviation, t, vol)
    base, risky, long = (
        american(right, spot, 100, years, v, rate=rate, dividend=dividend)
        for years, v in ((t, vol), (t, vol * (1 + more)), (t * (1 + more), vol))
    )
    assert risky >= base - 100 * NOISE
    assert long >= base - 100 * NOISE


@EXAMPLES
@given(deviations, times, vols, rates, rates, rights, st.integers(-30, 30))
def test_scaling_the_currency(
    deviation: float, t: float, vol: float, rate: float, dividend: float, right: int, power: int
) -> None:
    """By a power of two: to the bit."""
    spot, factor = near(deviation, t, vol), 2.0**power
    terms: dict[str, Any] = {"rate": rate, "dividend": dividend, "accuracy": "fast"}
    one, other = (american_greeks(right, spot * f, 100 * f, t, vol, **terms) for f in (1.0, factor))
    assert other.price == one.price * factor
    assert (other.delta, other.vega, other.gamma) == (one.delta, one.vega * factor, one.gamma / factor)
    bounds = [exercise_boundary(right, 100 * f, t, vol, **terms) for f in (1.0, factor)]
    assert bounds[1] == bounds[0] * factor


@EXAMPLES
@given(deviations, times, vols, rates, rates)
def test_put_call_symmetry(deviation: float, t: float, vol: float, rate: float, dividend: float) -> None:
    """P(S, K, r, q) = C(K, S, q, r), and the boundaries multiply to the square of the strike."""
    spot = near(deviation, t, vol)
    put = american("PE", spot, 100, t, vol, rate=rate, dividend=dividend)
    call = american("CE", 100, spot, t, vol, rate=dividend, dividend=rate)
    assert put == pytest.approx(call, rel=1e-10, abs=1e-11)
    low = exercise_boundary("PE", 100, t, vol, rate=rate, dividend=dividend)
    high = exercise_boundary("CE", 100, t, vol, rate=dividend, dividend=rate)
    if rate * t > 1e-9:  # else it is as good as never exercised
        assert low * high == pytest.approx(1e4, rel=1e-12)


@EXAMPLES
@given(times, vols, st.floats(0.001, 0.12), rates, rights)
def test_at_the_boundary_exercise_is_fair(t: float, vol: float, rate: float, dividend: float, right: int) -> None:
    """There the price is the intrinsic value, its slope too; beyond there is nothing but the intrinsic value."""
    first, second = (rate, dividend) if right < 0 else (dividend, rate)
    terms: dict[str, Any] = {"rate": first, "dividend": second, "accuracy": "accurate"}
    edge = exercise_boundary(right, 100, t, vol, **terms)
    assert right * (edge - 100) > 0 or edge == 100
    if edge < 1e6 and edge > 1e-2:
        at, beyond = (american_greeks(right, edge * (1 - right * s), 100, t, vol, **terms) for s in (1e-7, -1e-7))
        assert at.price == pytest.approx(right * (edge - 100), abs=max(edge, 100) * 3e-6)
        assert at.delta == pytest.approx(right, abs=3e-4)
        if vol * math.sqrt(t) < 1:
            assert at.theta == pytest.approx(0.0, abs=0.05)
            gain = right * (second * edge - first * 100)  # of holding on, per year: what gamma pays for
            assert at.gamma == pytest.approx(2 * gain / (vol * edge) ** 2, rel=2e-3)
        assert (beyond.price, beyond.delta) == (right * (edge * (1 + right * 1e-7) - 100), right)
        assert (beyond.gamma, beyond.vega, beyond.theta, beyond.rho) == (0, 0, 0, 0)


@settings(deadline=None, max_examples=1000)
@given(nasty, nasty, nasty, nasty, nasty, nasty, rights)
@example(0.05, 100.0, 1e-8, 0.0076, 0.01, 0.1, -1)
@example(1e150, 5.0, 3e-4, 1e5, 0.3, 0.1, -1)
def test_american_prices_and_greeks_of_any_float(
    spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, right: int
) -> None:
    found = american_greeks(right, spot, strike, t, vol, rate=rate, dividend=dividend, accuracy="fast")
    european = price(right, spot, strike, t, vol, rate=rate, dividend=dividend)
    first, second = (rate, dividend) if right < 0 else (dividend, rate)
    refused = second * t < first * t < 0 or abs(rate * t) > 50 or abs(dividend * t) > 50
    wild = vol * math.sqrt(max(t, 0.0)) > 5  # where the boundary is sometimes not found
    assert math.isnan(found.price) == (math.isnan(european) or refused) or wild
    if not math.isnan(found.price):
        assert found.price >= max(european, right * (spot - strike), 0.0)
        assert wild or not any(math.isnan(getattr(found, name)) for name in ("delta", "vega", "rho"))
        assert found.price == american(right, spot, strike, t, vol, rate=rate, dividend=dividend)
    else:
        assert all(math.isnan(getattr(found, name)) for name in FIRST_ORDER)


@EXAMPLES
@given(deviations, times, vols, st.floats(-0.05, 0.15), rates, payments, st.floats(-0.002, 0.002))
def test_digital_parity(
    deviation: float, t: float, vol: float, rate: float, dividend: float, pays: str, skew: float
) -> None:
    """Call and put together are a bond or the underlying, with a smile too; the vanilla call is both kinds together."""
    spot = near(deviation, t, vol)
    terms: dict[str, Any] = {"rate": rate, "dividend": dividend}
    call, put = (digital(right, spot, 100, t, vol, pays=pays, skew=skew, **terms) for right in ("CE", "PE"))
    whole = spot * math.exp(-dividend * t) if pays == "asset" else math.exp(-rate * t)
    assert call.price + put.price == pytest.approx(whole, rel=1e-13)
    assert call.gamma + put.gamma == pytest.approx(0.0, abs=1e-12 * abs(call.gamma))
    asset, cash = (digital("CE", spot, 100, t, vol, pays=kind, skew=skew, **terms) for kind in ("asset", "cash"))
    vanilla = greeks("CE", spot, 100, t, vol, **terms)
    for name in FIRST_ORDER:
        size = abs(getattr(asset, name)) + 100 * abs(getattr(cash, name))
        parts = getattr(asset, name) - 100 * getattr(cash, name)
        assert getattr(vanilla, name) == pytest.approx(parts, abs=3e-13 * size), name


@settings(deadline=None, max_examples=1000)
@given(nasty, nasty, nasty, nasty, nasty, nasty, rights, payments)
def test_digitals_of_any_float(
    spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, right: int, pays: str
) -> None:
    found = digital(right, spot, strike, t, vol, rate=rate, dividend=dividend, pays=pays)
    if math.isnan(price(right, spot, strike, t, vol, rate=rate, dividend=dividend)):
        assert all(math.isnan(getattr(found, name)) for name in FIRST_ORDER)
    else:
        forward, discount = spot * math.exp((rate - dividend) * t), math.exp(-rate * t)
        assert 0 <= found.price <= discount * (forward if pays == "asset" else 1.0) * (1 + 1e-12)
        if vol * math.sqrt(t) > 0 or forward != strike:
            assert not any(math.isnan(getattr(found, name)) for name in ("delta", "vega", "rho"))


BITS = """
import json, sys
import numpy as np
from algomaster.pricing.americans import american, american_greeks, exercise_boundary
from algomaster.pricing.digitals import digital
rng = np.random.default_rng(3)
n = 400
odd = np.array([0.0, -0.0, 5e-324, 1e-310, 1e-124, 2.0**-500, 1e-12, 1e-8, 0.05, 1.0, 100.0, 1e150, 1e308, -1.0, -0.05,
                np.inf, -np.inf, np.nan])
mix = lambda plain: np.where(rng.random(n) < 0.2, rng.choice(odd, n), plain)
terms = dict(
    right=rng.choice([-1, 1], n), strike=mix(np.full(n, 100.0)), t=mix(10 ** rng.uniform(-6, 1.5, n)),
    vol=mix(10 ** rng.uniform(-2, 0.3, n)), rate=mix(rng.uniform(-0.05, 0.2, n)),
    dividend=mix(rng.choice([0, 0.02, 0.1, -0.05], n)),
)
spot = mix(100 * np.exp(rng.normal(size=n) * 0.4))
one_nan = lambda values: np.where(np.isnan(values), np.nan, values).tobytes().hex()
names = ("price", "delta", "gamma", "vega", "theta", "rho")
found = {"american": american_greeks(spot=spot, **terms, accuracy="fast")}
for pays in ("cash", "asset"):
    found[pays] = digital(spot=spot, **terms, pays=pays, skew=mix(np.full(n, -0.001)))
bits = {f"{key} {name}": one_nan(getattr(value, name)) for key, value in found.items() for name in names}
bits["price"] = one_nan(american(spot=spot, **terms))
bits["boundary"] = one_nan(exercise_boundary(**terms))
assert bits["price"] == bits["american price"]
few = {name: values[:12] for name, values in terms.items()}
bits["high"] = one_nan(american(spot=spot[:12], **few, accuracy="high"))
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
    compiled, plain = _bits(jit=True), _bits(jit=False)
    assert compiled == plain


def test_one_by_one_and_together_the_same_bits() -> None:
    """Though neighbours that differ only in spot and strike share a boundary."""
    rng = np.random.default_rng(12)
    n = 60
    options: dict[str, Any] = {
        "right": np.repeat(rng.choice([-1, 1], n // 4), 4), "spot": 100.0, "strike": rng.uniform(80, 120, n),
        "t": np.repeat(rng.uniform(0.001, 2, n // 4), 4), "vol": np.repeat(rng.uniform(0.05, 0.9, n // 4), 4),
    }  # fmt: skip
    together = american(**options, rate=0.06, dividend=0.02)
    one = [
        american(**{name: np.broadcast_to(values, n)[i] for name, values in options.items()}, rate=0.06, dividend=0.02)
        for i in range(n)
    ]
    assert together.tobytes() == np.array(one).tobytes()
