"""Implied volatility for every float64 and every right that can reach a kernel: a volatility that reprices, or NaN."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algomaster.pricing import ImpliedStatus
from algomaster.pricing.kernels import implied_loops
from naive import black as naive

MP = naive.MP
ULP = 2.0**-53
LOOPS = {"black": implied_loops.black_implied_loop, "bachelier": implied_loops.bachelier_implied_loop}
Terms = tuple[int, float, float, float, float, float, float]  # right, price, spot, strike, t, rate, dividend

corners = [0.0, 5e-324, 2.2e-308, 2.0**-500, 1e-300, 1e-16, 1.0, 100.0, 2.0**500, 1e300, 1.7e308, math.inf, math.nan]
anything = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True),
    st.sampled_from([*corners, *(-x for x in corners)]),
    st.floats(0.0, 200.0),
)
any_right = st.one_of(st.sampled_from([1, -1]), st.integers(-(2**63), 2**63 - 1))


@st.composite
def nearly_market(draw: st.DrawFn) -> Terms:
    """A quote in or beside the range where a volatility exists, often by a few units in the last place."""
    spot = draw(st.floats(2.0**-490, 2.0**490))
    rate, dividend = draw(st.sampled_from([0.0, -0.0, 0.06, -3.0])), draw(st.sampled_from([0.0, 0.02, 50.0]))
    t = draw(st.one_of(st.floats(1e-8, 10.0), st.floats(5e-324, 1e-300), st.floats(1e3, 1e12)))
    exponent = draw(st.one_of(st.just(0.0), st.floats(-1e-12, 1e-12), st.floats(-3.0, 3.0), st.floats(-300.0, 300.0)))
    forward = spot * math.exp(max(-300.0, min(300.0, (rate - dividend) * t)))
    strike = forward * math.exp(exponent)
    right = draw(st.sampled_from([1, -1]))
    discount = math.exp(max(-300.0, min(300.0, -rate * t)))
    intrinsic = max(right * (forward - strike), 0.0)
    share = draw(st.one_of(st.floats(0.0, 1.0), st.floats(0.0, 1e-12), st.floats(1e-310, 1e-290), st.floats(-1.0, 2.0)))
    price = discount * (intrinsic + share * min(forward, strike))
    for _ in range(draw(st.integers(0, 3))):
        price = math.nextafter(price, draw(st.sampled_from([-math.inf, math.inf])))
    return right, price, spot, strike, t, rate, dividend


def solve(model: str, terms: Terms) -> tuple[float, int]:
    arrays = [np.array([terms[0]]), *(np.array([value]) for value in terms[1:])]
    vol, status = np.full(1, 7.0), np.full(1, 9)
    LOOPS[model](*arrays, vol, status)
    return float(vol[0]), int(status[0])


def reprice(model: str, right: int, forward: mpmath.mpf, strike: float, t: float, vol: float) -> mpmath.mpf:
    gap = right * (forward - MP.mpf(strike))
    deviation = MP.mpf(vol) * MP.sqrt(MP.mpf(t))
    distance = abs(MP.log(forward / strike) if model == "black" else gap) / deviation
    if distance > 1000 + deviation:  # beyond what a price can be, and what mpmath can do
        return max(gap, MP.mpf(0))
    return naive.MODELS[model](right, forward, strike, t, vol)


def check(model: str, terms: Terms) -> None:
    """Status and NaN go together; a volatility reprices with as many digits as it takes to the quote.

    The forward may be off by as much as eight roundings of the drift and of ln(S/K) make ("bachelier": eight roundings
    of itself), the quote by eight of the undiscounted quote and of the intrinsic value, the volatility by 32.
    """
    right, price, spot, strike, t, rate, dividend = terms
    vol, status = solve(model, terms)
    assert status in set(ImpliedStatus)
    assert (status == 0) == (not math.isnan(vol))
    if right not in (1, -1) or not all(math.isfinite(x) for x in terms[1:]):
        assert status == ImpliedStatus.BAD_INPUT
        return
    if status in (ImpliedStatus.EXPIRED, ImpliedStatus.BAD_INPUT):
        assert t <= 0.0 if status == ImpliedStatus.EXPIRED else out_of_range(terms)
        return
    undiscounted = MP.mpf(price) * MP.exp(MP.mpf(rate) * MP.mpf(t))
    size = abs(MP.mpf(spot)) * MP.exp((MP.mpf(rate) - MP.mpf(dividend)) * MP.mpf(t)) + abs(MP.mpf(strike))
    lost = int(MP.log10(1 + size / undiscounted)) if undiscounted > 0 else 0
    with MP.workdps(80 + lost):  # a price is a difference of large numbers
        if status == 0:
            assert vol > 0.0
            check_repriced(model, terms, vol)
        else:
            check_outside(model, terms, status)


def out_of_range(terms: Terms) -> bool:
    """Something is, or the forward or the discount that it makes."""
    _, price, spot, strike, t, rate, dividend = terms
    drift = (MP.mpf(rate) - MP.mpf(dividend)) * MP.mpf(t)
    forward, discount = MP.mpf(spot) * MP.exp(drift), MP.exp(-MP.mpf(rate) * MP.mpf(t))
    least, most = 2.0**-500 * (1 + 1e-9), 2.0**500 * (1 - 1e-9)
    sizes = [abs(x) for x in (price, spot, strike, t, forward, price / discount) if x != 0.0]
    extreme = any(not least <= x <= most for x in sizes) or not 1e-300 < discount < 1e300
    return extreme or spot <= 0.0 or strike <= 0.0


def check_outside(model: str, terms: Terms, status: int) -> None:
    """A quote without a volatility is at or beyond what it is said to be beyond, or the volatility is too small."""
    right, price, spot, strike, t, rate, dividend = terms
    years, yearly = MP.mpf(t), MP.mpf(rate)
    drift, discount = (yearly - MP.mpf(dividend)) * years, MP.exp(-yearly * years)
    forward, quote = MP.mpf(spot) * MP.exp(drift), MP.mpf(price) / discount
    carried = 1 + abs(yearly * years) + abs(MP.mpf(dividend) * years)
    intrinsic = max(right * (forward - MP.mpf(strike)), 0)
    slack = 8 * ULP * (abs(quote) + intrinsic + (forward if model == "black" else abs(forward))) * carried
    if status == ImpliedStatus.ABOVE_MAX:
        black = forward if right > 0 else strike
        assert quote + slack >= (black if model == "black" else reprice(model, right, forward, strike, t, 2.0**499))
    else:
        least = 2.0**-239 * (max(forward, MP.mpf(strike)) if model == "black" else 2.0**-700 / MP.sqrt(years))
        assert quote <= intrinsic + slack + least


def check_repriced(model: str, terms: Terms, vol: float) -> None:
    right, price, spot, strike, t, rate, dividend = terms
    years, yearly = MP.mpf(t), MP.mpf(rate)
    drift, discount = (yearly - MP.mpf(dividend)) * years, MP.exp(-yearly * years)
    forward, quote = MP.mpf(spot) * MP.exp(drift), MP.mpf(price) / discount
    carried = 1 + abs(yearly * years) + abs(MP.mpf(dividend) * years)
    intrinsic = max(right * (forward - MP.mpf(strike)), 0)
    if model == "black":
        off = forward * MP.expm1(8 * ULP * (abs(drift) + abs(MP.log(MP.mpf(spot) / strike))))
    else:
        off = 8 * ULP * abs(forward) * carried
    low, high = (
        reprice(model, right, forward + side * right * off, strike, t, vol * (1 + 32 * ULP * side)) for side in (-1, 1)
    )
    vanishing = 2 * MP.mpf(5e-324) * (1 + 1 / discount)  # a quote or an undiscounted quote may be as small as that
    slack = 8 * ULP * (quote * carried + intrinsic) + vanishing
    assert low - slack <= quote <= high + slack, (vol, float(low / quote - 1), float(high / quote - 1))


SEARCH = settings(deadline=None, max_examples=700)
SOAK = settings(deadline=None, max_examples=70_000)
models = st.sampled_from(list(LOOPS))


@SEARCH
@given(models, st.tuples(any_right, anything, anything, anything, anything, anything, anything))
@example("black", (1, 5e-324, 2.0, 2.0, 1e-10, 0.0, 0.0))
@example("black", (1, 1.0, 1.0, 1.0, 1.0, 2000.0, 0.0))
@example("bachelier", (1, 5e-324, 0.0, 0.0, 1.0, 0.0, 0.0))
def test_any_float(model: str, terms: Terms) -> None:
    check(model, terms)


@SEARCH
@given(models, nearly_market())
def test_nearly_a_market(model: str, terms: Terms) -> None:
    check(model, terms)


@pytest.mark.soak
@SOAK
@given(models, st.tuples(any_right, anything, anything, anything, anything, anything, anything))
def test_any_float_for_long(model: str, terms: Terms) -> None:
    check(model, terms)


@pytest.mark.soak
@SOAK
@given(models, nearly_market())
def test_nearly_a_market_for_long(model: str, terms: Terms) -> None:
    check(model, terms)


@SEARCH
@given(nearly_market(), anything, st.floats(-0.3, 0.3))
def test_any_start_leads_to_the_same(terms: Terms, start: float, off: float) -> None:
    """To the same status, and to the same volatility but for rounding errors."""
    vol, status = solve("black", terms)
    for given_start in (start, vol * (1 + off), vol):
        arrays = [np.array([terms[0]]), *(np.array([value]) for value in (*terms[1:], given_start))]
        other, after = np.full(1, 7.0), np.full(1, 9)
        implied_loops.black_improved_loop(*arrays, other, after)
        assert after[0] == status
        assert other[0] == pytest.approx(vol, rel=1e-14, nan_ok=True)
