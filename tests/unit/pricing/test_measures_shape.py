"""Shape of smiles and term structure against their definitions."""

import math
import statistics

import numpy as np
import pandas as pd
import pytest

from algomaster.pricing import greeks
from algomaster.pricing.measures import (
    constant_vol,
    delta_moneyness,
    event_move,
    smile_measures,
    swap_vol,
    term_measures,
)
from smiles import SKEWED, SviSurface, flat

YEARS = np.array([7, 30, 91]) / 365
SLICES = [(0.0005, 0.006, -0.5, 0.005, 0.03), SKEWED, (0.008, 0.03, -0.5, 0.02, 0.12)]
SURFACE = SviSurface(SLICES, YEARS, spot=25_000.0, rate=0.06)


def vol(k: float, t: float) -> float:
    return math.sqrt(float(SURFACE.derivatives(k, t)[0]) / t)


@pytest.mark.parametrize("delta", [0.25, -0.25, 0.1, -0.1, 0.5, -0.5, 0.01, -0.99])
def test_strikes_have_their_delta(delta: float) -> None:
    """By our own Greeks of an undiscounted option on the forward."""
    for t, k in zip(YEARS, delta_moneyness(SURFACE, delta, YEARS)):
        right = "call" if delta > 0 else "put"
        assert greeks(right, None, math.exp(k), t, vol(k, t), forward=1.0).delta == pytest.approx(delta, abs=2e-15)


def test_delta_of_a_flat_smile_in_closed_form() -> None:
    s, z = 0.2 * math.sqrt(0.5), statistics.NormalDist().inv_cdf(0.25)
    assert delta_moneyness(flat(0.2, 0.5), 0.25, 0.5) == pytest.approx(s * s / 2 - z * s, rel=1e-15)
    assert delta_moneyness(flat(0.2, 0.5), [0.25, -0.75], 0.5)[0] == delta_moneyness(flat(0.2, 0.5), -0.75, 0.5)


def test_no_strike_is_nan() -> None:
    near = SviSurface(SLICES, YEARS, reach=0.02)
    found = smile_measures(near)
    assert np.isnan(found["put_10"].to_numpy()).all()
    assert np.isfinite(found["atm_vol"].to_numpy()).all()
    assert np.isnan(delta_moneyness(near, -0.1, YEARS)).all()
    # a wing so steep that d1 rises again with the strike: the call's delta never falls to 1 %
    steep = SviSurface([(0.04, 1.9, 0.0, 0.0, 0.1)], 1.0)
    assert np.isnan(delta_moneyness(steep, 0.01, 1.0))
    with pytest.raises(ValueError, match="between -1 and 1 other than 0"):
        delta_moneyness(SURFACE, 25, 0.1)


def test_smile_measures_by_definition() -> None:
    found = smile_measures(SURFACE)
    assert found["expiry"].to_list() == list(SURFACE.labels)
    h = 1e-4
    for row in found.iter_rows(named=True):
        t = row["t"]
        assert row["forward"] == pytest.approx(25_000 * math.exp(0.06 * t), rel=1e-15)
        assert row["atm_vol"] == vol(0.0, t)
        assert row["slope"] == pytest.approx((vol(h, t) - vol(-h, t)) / (2 * h), rel=1e-4)
        assert row["curvature"] == pytest.approx((vol(h, t) - 2 * vol(0.0, t) + vol(-h, t)) / h**2, rel=1e-4)
        assert row["slope_root_t"] == row["slope"] * math.sqrt(t)
        assert row["curvature_t"] == row["curvature"] * t
        for delta in (25, 10):
            call, put = (vol(float(delta_moneyness(SURFACE, sign * delta / 100, t)), t) for sign in (1, -1))
            assert row[f"call_{delta}"] == pytest.approx(call, rel=1e-14)
            assert row[f"put_{delta}"] == pytest.approx(put, rel=1e-14)
            assert row[f"risk_reversal_{delta}"] == pytest.approx(call - put, abs=1e-15)
            assert row[f"butterfly_{delta}"] == pytest.approx((call + put) / 2 - row["atm_vol"], abs=1e-15)
        assert row["put_skew"] == pytest.approx(row["put_25"] - row["atm_vol"], abs=1e-15)
        assert row["call_skew"] == pytest.approx(row["call_25"] - row["atm_vol"], abs=1e-15)
        assert row["skew_90_110"] == pytest.approx(vol(math.log(0.9), t) - vol(math.log(1.1), t), abs=1e-14)
        assert row["swap_vol"] == swap_vol(SURFACE, t)
        assert row["convexity"] == row["swap_vol"] - row["atm_vol"]
        assert row["risk_reversal_25"] < 0 < row["put_skew"]
    assert "swap_vol" not in smile_measures(SURFACE, swap=False).columns


def test_a_flat_smile_has_no_shape() -> None:
    found = smile_measures(flat(0.2, YEARS))
    shape = ["slope", "curvature", "risk_reversal_25", "butterfly_10", "put_skew", "skew_90_110", "convexity"]
    assert found.select(shape).to_numpy() == pytest.approx(0.0, abs=1e-14)


def test_term_measures_by_definition() -> None:
    found = term_measures(SURFACE)
    assert found["near"].to_list() == list(SURFACE.labels[:-1])
    assert found["next"].to_list() == list(SURFACE.labels[1:])
    for row, first, second in zip(found.iter_rows(named=True), YEARS[:-1], YEARS[1:]):
        near, far = vol(0.0, first), vol(0.0, second)
        w = near**2 * first, far**2 * second
        assert row["slope"] == pytest.approx((far - near) / (second - first), rel=1e-12)
        assert row["slope_root_t"] == pytest.approx((far - near) / (second**0.5 - first**0.5), rel=1e-12)
        assert row["ratio"] == pytest.approx(near / far, rel=1e-14)
        assert row["forward_vol"] == pytest.approx(math.sqrt((w[1] - w[0]) / (second - first)), rel=1e-12)
    assert term_measures(flat(0.2, 0.5)).is_empty()


def test_falling_total_variance_has_no_forward_volatility() -> None:
    surface = SviSurface([(0.01, 0, 0, 0, 1), (0.009, 0, 0, 0, 1)], [0.1, 0.2])
    assert np.isnan(term_measures(surface)["forward_vol"][0])


def test_event_between_two_expiries() -> None:
    """15 % on ordinary days, and a jump of 2 % after the first expiry."""
    t = np.array([2, 9]) / 365
    w = 0.15**2 * t + np.array([0.0, 0.02**2])
    surface = SviSurface([(total, 0, 0, 0, 1) for total in w], t)
    assert event_move(surface, t[0], t[1]) == pytest.approx(0.02, rel=1e-12)
    assert term_measures(surface)["event_move"][0] == pytest.approx(0.02, rel=1e-12)
    assert event_move(surface, t[0], t[1], base_vol=0.15) == pytest.approx(0.02, rel=1e-12)
    assert np.isnan(event_move(surface, t[0], t[1], base_vol=0.9))
    assert event_move(flat(0.2, t), t[0], t[1]) == 0.0


def test_event_before_both_expiries() -> None:
    t = np.array([9, 37]) / 365
    w = 0.15**2 * t + 0.03**2
    surface = SviSurface([(total, 0, 0, 0, 1) for total in w], t)
    assert event_move(surface, *surface.labels, event="before") == pytest.approx(0.03, rel=1e-12)
    with pytest.raises(ValueError, match="a time after near"):
        event_move(surface, t[1], t[0])
    with pytest.raises(ValueError, match="event: expected one of"):
        event_move(surface, t[0], t[1], event="during")


def test_constant_maturity() -> None:
    found = constant_vol(SURFACE, [7, 30, 60])
    assert found[:2] == pytest.approx([vol(0, YEARS[0]), vol(0, YEARS[1])], rel=1e-14)
    w = np.interp(60 / 365, YEARS, [vol(0, t) ** 2 * t for t in YEARS])
    assert found[2] == pytest.approx(math.sqrt(w / (60 / 365)), rel=1e-14)
    assert constant_vol(SURFACE, 30) == found[1]
    assert isinstance(constant_vol(SURFACE, 30), float)
    series = constant_vol(SURFACE, pd.Series([7.0, -1.0], index=["week", "wrong"]))
    assert series["week"] == found[0]
    assert np.isnan(series["wrong"])
