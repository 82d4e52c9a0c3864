"""What holds for the dealer flow of every chain."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.pricing.chain import Chain
from algomaster.pricing.dealer_flow import Exposure, exposure
from naive import flow as naive

EXAMPLES = settings(deadline=None, max_examples=60)
MEASURES = ("gex", "dex", "vex", "chex")
SPOT = 24_500.0


def chain(seed: int, n: int = 60, *, missing: float = 0.0) -> Chain:
    """Random quotes of three expiries with given volatilities; a share lacks open interest or volatility."""
    rng = np.random.default_rng(seed)
    listed = [(r, k, t) for r in (1, -1) for k in np.arange(23_000.0, 26_001.0, 100.0) for t in (0.003, 0.03, 0.3)]
    chosen = rng.permutation(len(listed))[:n]
    right, strike, t = (np.array(column) for column in zip(*(listed[i] for i in chosen)))
    vol = rng.uniform(0.08, 0.4, n)
    status = np.zeros(n, np.int64)
    oi = np.round(rng.exponential(2000.0, n))
    oi[rng.random(n) < missing] = np.nan
    status[rng.random(n) < missing] = 1
    vol[status > 0] = np.nan
    table = {"right": right, "strike": strike, "t": t, "price": np.full(n, 1.0), "oi": oi, "volume": oi + 1.0}
    years = np.unique(t)
    base = Chain.from_frame(table, spot=SPOT, rate=0.06, forward=SPOT * np.exp(0.05 * years))
    return dataclasses.replace(base, vol=vol, status=status)


def shuffled(whole: Chain, seed: int) -> Chain:
    order = np.random.default_rng(seed).permutation(whole.strike.size)
    names = ("right", "strike", "t", "price", "bid", "ask", "oi", "volume", "expiry", "vol", "status")
    return dataclasses.replace(whole, **{name: getattr(whole, name)[order] for name in names})


def listed(whole: Chain) -> list[naive.Quote]:
    assert whole.vol is not None
    names = {"right": whole.right, "strike": whole.strike, "t": whole.t, "vol": whole.vol, "oi": whole.oi}
    names |= {"forward": whole.forward[whole.expiry], "discount": whole.discount[whole.expiry]}
    return [dict(zip(names, row)) for row in zip(*names.values())]


def same(a: Exposure, b: Exposure) -> None:
    """Equal to the bit, tables included."""
    for name in (*MEASURES, "flip", "call_wall", "put_wall", "max_pain", "pcr", "pcr_volume"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for x, y in ((a.frame, b.frame), (a.by_expiry, b.by_expiry), (a.profile.to_frame(), b.profile.to_frame())):
        assert x.equals(y, null_equal=True)
    np.testing.assert_array_equal(a.flips, b.flips)


seeds = st.integers(0, 10_000)


@EXAMPLES
@given(seeds, seeds)
def test_order_of_rows_changes_no_bit(seed: int, order: int) -> None:
    whole = chain(seed, missing=0.1)
    same(exposure(whole, lot=75), exposure(shuffled(whole, order), lot=75))


@EXAMPLES
@given(seeds, st.sampled_from([2.0, 0.5, 75.0, 1e-3]))
def test_linear_in_open_interest_and_lot(seed: int, factor: float) -> None:
    whole = chain(seed, missing=0.1)
    one = exposure(whole)
    more = exposure(dataclasses.replace(whole, oi=whole.oi * factor))
    lots = exposure(whole, lot=factor)
    size = exposure(whole, sign="gross")
    for name in MEASURES:
        slack = 1e-12 * factor * (abs(size.gex) + abs(size.dex) + abs(size.vex) + abs(size.chex))
        assert getattr(more, name) == pytest.approx(factor * getattr(one, name), rel=1e-12, abs=slack)
        assert getattr(lots, name) == pytest.approx(factor * getattr(one, name), rel=1e-12, abs=slack)
    for other in (more, lots):
        np.testing.assert_allclose(other.flips, one.flips, rtol=1e-12)
        assert (other.max_pain, other.call_wall, other.put_wall) == (one.max_pain, one.call_wall, one.put_wall)
        assert other.pcr == pytest.approx(one.pcr, rel=1e-12)


@EXAMPLES
@given(seeds)
def test_sign_flips(seed: int) -> None:
    whole = chain(seed)
    ours, theirs = exposure(whole, sign="dealer"), exposure(whole, sign="reversed")
    for name in ("gex", "vex", "chex"):
        assert getattr(theirs, name) == -getattr(ours, name)
    np.testing.assert_array_equal(theirs.profile.gex, -ours.profile.gex)
    np.testing.assert_array_equal(theirs.flips, ours.flips)
    assert exposure(whole, sign="gross").gex >= abs(ours.gex) * (1 - 1e-12)
    assert exposure(whole, sign="gross").gex == -exposure(whole, sign="short").gex


@EXAMPLES
@given(seeds)
def test_calls_and_puts_swapped(seed: int) -> None:
    """Gamma and vanna do not know the right: swapping all rights turns gex and vex around."""
    whole = chain(seed)
    swapped = dataclasses.replace(whole, right=-whole.right)
    ours, theirs = exposure(whole), exposure(swapped)
    size = exposure(whole, sign="gross")
    assert theirs.gex == pytest.approx(-ours.gex, rel=1e-9, abs=1e-12 * size.gex)
    assert theirs.vex == pytest.approx(-ours.vex, rel=1e-9, abs=1e-9 * size.gex)
    np.testing.assert_allclose(theirs.profile.gex, -ours.profile.gex, rtol=1e-9, atol=1e-12 * size.gex)


@EXAMPLES
@given(seeds)
def test_the_naive_sums(seed: int) -> None:
    whole = chain(seed)
    found = exposure(whole, lot=15)
    quotes = listed(whole)
    size = naive.flow(quotes, SPOT, 15, (1, 1))["gex"]
    for name, value in naive.flow(quotes, SPOT, 15, (1, -1)).items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-9, abs=1e-10 * size)
    place = seed % 201
    moved = naive.gex_at(quotes, float(found.profile.spots[place]), SPOT, 15, (1, -1))
    assert found.profile.gex[place] == pytest.approx(moved, rel=1e-9, abs=1e-11 * size)


@EXAMPLES
@given(seeds)
def test_max_pain_is_least_and_walls_are_largest(seed: int) -> None:
    whole = chain(seed, missing=0.2)
    found = exposure(whole)
    known = [quote for quote in listed(whole) if not np.isnan(quote["oi"])]
    _, least = naive.pain(known)

    def paid(level: float) -> float:
        return sum(q["oi"] * max(q["right"] * (level - q["strike"]), 0.0) for q in known)

    assert paid(found.max_pain) == pytest.approx(min(least, min(paid(k) for k in whole.strike)), rel=1e-12)
    by_strike = {row["strike"]: row for row in found.frame.to_dicts()}
    for side, wall in (("call", found.call_wall), ("put", found.put_wall)):
        sizes = [abs(row[f"{side}_gex"]) for row in by_strike.values() if not np.isnan(row[f"{side}_gex"])]
        assert abs(by_strike[wall][f"{side}_gex"]) == max(sizes)


@EXAMPLES
@given(seeds)
def test_flips_are_roots_and_all_of_them(seed: int) -> None:
    whole = chain(seed)
    found = exposure(whole)
    quotes = listed(whole)
    size = np.abs(found.profile.gex).max()
    for flip in found.flips:
        beside = [naive.gex_at(quotes, float(flip) * (1 + e), SPOT, 1, (1, -1)) for e in (-1e-9, 1e-9)]
        assert beside[0] * beside[1] < 0 or max(map(abs, beside)) < 1e-9 * size
    dense = exposure(whole, spots=SPOT * np.linspace(0.8, 1.2, 4001))
    np.testing.assert_allclose(dense.flips, found.flips, rtol=1e-11)


@settings(deadline=None, max_examples=40)
@given(seeds, st.floats(0.0, 1.0))
def test_what_is_left_out_is_counted(seed: int, missing: float) -> None:
    whole = chain(seed, missing=missing)
    found = exposure(whole)
    assert found.counted + found.no_oi + found.no_vol == found.quotes == whole.strike.size
    assert found.no_oi == int(np.isnan(whole.oi).sum())
    if not found.counted:
        assert np.isnan([getattr(found, name) for name in MEASURES]).all()


def test_frames_hold_what_the_totals_sum() -> None:
    found: Any = exposure(chain(5, missing=0.3))
    for name in MEASURES:
        assert np.nansum(found.frame[name].to_numpy()) == pytest.approx(getattr(found, name), rel=1e-9)
