"""Milliseconds for the gamma profile of 2,000 options at 201 spots beside numpy, and for whole exposures."""

import math

import numpy as np
from scipy.special import ndtr

import measure
from algomaster.pricing import price
from algomaster.pricing.chain import Chain
from algomaster.pricing.dealer_flow import exposure
from algomaster.pricing.kernels.dealer_flow import gamma_profile, gamma_terms, hedge_greeks_loop
from algomaster.pricing.positions import payoff

N, M, SPOT, RATE, REPEATS = 2000, 201, 24_500.0, 0.06, 51


def quotes():
    """A book like NIFTY's: ten expiries, a hundred strikes, both rights."""
    rng = np.random.default_rng(1)
    days = np.array([1.0, 4.0, 11.0, 18.0, 25.0, 32.0, 60.0, 90.0, 180.0, 360.0])
    strikes = SPOT + 100.0 * np.arange(-50, 50)
    right, t, strike = (a.ravel() for a in np.meshgrid([1, -1], days / 365.0, strikes, indexing="ij"))
    vol = 0.12 + 0.8 * np.log(strike / SPOT) ** 2 / np.sqrt(t / t.max()) ** 0.5 + 0.01 * rng.random(t.size)
    return right.astype(np.int64), strike, t, vol, rng.integers(0, 50_000, t.size) * 1.0


def profile_by_hand(spots, strike, t, vol, forward, discount, weight):
    """The sum over options of weight * spot**2 * gamma as one writes it in numpy, one row a spot."""
    moved = np.multiply.outer(spots, forward / SPOT)
    deviation = vol * np.sqrt(t)
    d1 = np.log(moved / strike) / deviation + 0.5 * deviation
    density = np.exp(-0.5 * d1**2) / np.sqrt(2.0 * np.pi)
    gamma = discount * (forward / SPOT) * density / (spots[:, None] * deviation)
    return (gamma * weight * spots[:, None] ** 2).sum(axis=1)


def hedges_by_hand(right, strike, t, vol, forward, discount):
    deviation = vol * np.sqrt(t)
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    d2 = d1 - deviation
    rate, carry = -np.log(discount) / t, np.log(forward / SPOT) / t
    grown = discount * forward / SPOT
    density = grown * np.exp(-0.5 * d1**2) / math.sqrt(2 * math.pi)
    delta = right * grown * ndtr(right * d1)
    vanna = -density * d2 / vol
    charm = (rate - carry) * delta - density * (carry / deviation - d2 / (2 * t))
    return np.array([delta, density / (SPOT * deviation), vanna, charm])


def run():
    right, strike, t, vol, oi = quotes()
    forward, discount = SPOT * np.exp(RATE * t), np.exp(-RATE * t)
    weight = right * oi * 75 * 0.01
    spots, x, out = np.linspace(0.8, 1.2, M) * SPOT, np.empty(M), np.empty((1, M))
    slope, offset, height = (np.empty(N) for _ in range(3))
    one = np.zeros(N, np.int64)

    def profile():
        gamma_terms(SPOT, strike, t, vol, forward, discount, weight, slope, offset, height)
        gamma_profile(SPOT, slope, offset, height, one, spots, x, out)

    def by_hand():
        return profile_by_hand(spots, strike, t, vol, forward, discount, weight)

    profile()
    expected = by_hand()
    np.testing.assert_allclose(out[0], expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())
    rows = np.empty((4, N))
    hedge_greeks_loop(right, SPOT, strike, t, vol, forward, discount, rows)
    hand = hedges_by_hand(right, strike, t, vol, forward, discount)
    for ours, theirs in zip(rows, hand):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-10 * np.abs(theirs).max())

    table = {"right": right, "strike": strike, "t": t, "oi": oi, "price": price(right, SPOT, strike, t, vol, rate=RATE)}
    chain = Chain.from_frame(table, spot=SPOT, rate=RATE).implied_vols()
    found = exposure(chain, lot=75)
    assert abs(found.profile.gex[M // 2] / found.gex - 1.0) < 1e-9
    legs = [("CE", 25_000, -75, 150.0), ("PE", 24_000, -75, 140.0), ("CE", 25_500, 75, 60.0), ("PE", 23_500, 75, 55.0)]

    profile_ms = 1e3 * measure.median_seconds(profile, repeats=REPEATS)
    numpy_ms = 1e3 * measure.median_seconds(by_hand, repeats=11)
    hedges_us = 1e6 * measure.median_seconds(
        lambda: hedge_greeks_loop(right, SPOT, strike, t, vol, forward, discount, rows), repeats=REPEATS
    )
    whole_ms = 1e3 * measure.median_seconds(lambda: exposure(chain, lot=75), repeats=REPEATS)
    payoff_ms = 1e3 * measure.median_seconds(
        lambda: payoff(legs, spot=SPOT, t=7 / 365, vol=0.13, rate=RATE, lot=1), repeats=REPEATS
    )
    ratio = numpy_ms / profile_ms
    return [
        measure.row("gamma profile, 2,000 options x 201 spots, kernel", profile_ms, "ms", 1.0),
        measure.row("the same in numpy by hand", numpy_ms, "ms"),
        {"name": "numpy over kernel", "target": 5.0, "measured": ratio, "unit": "x", "ok": ratio >= 5.0},
        measure.row("delta, gamma, vanna, charm of 2,000 options, kernel", hedges_us, "us", 100.0),
        measure.row("exposure() of 2,000 quotes, all levels, flips and tables", whole_ms, "ms", 6.0),
        measure.row("payoff() of an iron condor, all of it", payoff_ms, "ms", 2.0),
    ]


if __name__ == "__main__":
    for row in run():
        target = "" if row["target"] is None else f"target {row['target']:<8g}{'ok' if row['ok'] else 'MISS'}"
        print(f"{row['name']:<70}{row['measured']:>10.3f} {row['unit']:<6}{target}")
