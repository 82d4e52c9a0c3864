"""Microseconds for the margin of one position, and for those of 10,000 positions of four legs beside plain numpy."""

import numpy as np
from scipy.special import ndtr

import measure
from algomaster.pricing import MarginRates, margin
from algomaster.pricing.kernels.span import COLUMNS, COVERED, LOOK_AHEAD, MOVES, SCENARIOS, VOLS, margin_rows, rates_row

P, LEGS, SPOT, RATE = 10_000, 4, 24_000.0, 0.06


def positions():
    """Iron condors around the money, of one week."""
    rng = np.random.default_rng(1)
    right = np.tile([1, -1, 1, -1], P).astype(np.int64)
    centre = SPOT + 50.0 * rng.integers(-10, 11, P)
    strike = (centre[:, None] + np.array([200.0, -200.0, 500.0, -500.0])).ravel()
    quantity = np.tile([-75.0, -75.0, 75.0, 75.0], P)
    t, vol = np.full(P * LEGS, 5 / 365), rng.uniform(0.1, 0.2, P * LEGS)
    return right, strike, quantity, priced(right, SPOT, strike, t, vol), t, vol


def priced(right, spot, strike, t, vol):
    forward, discount, deviation = spot * np.exp(RATE * t), np.exp(-RATE * t), vol * np.sqrt(t)
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    return discount * right * (forward * ndtr(right * d1) - strike * ndtr(right * (d1 - deviation)))


def by_hand(right, strike, quantity, price, t, vol, rates):
    """SPAN and exposure of positions of one expiry as one writes them in numpy, all scenarios at once."""
    moves, vols, covered = (np.array(values)[:, None] for values in (MOVES, VOLS, COVERED))
    then = priced(right, SPOT * (1 + moves * rates.scan), strike, t - LOOK_AHEAD, vol + vols * rates.vol_scan)
    losses = (quantity * covered * (price - then)).reshape(SCENARIOS, P, LEGS).sum(axis=2)
    value = (quantity * price).reshape(P, LEGS).sum(axis=1)
    span = np.maximum(np.maximum(losses.max(axis=0), 0.0) - value, 0.0)
    return span + rates.exposure * SPOT * np.maximum(-quantity, 0.0).reshape(P, LEGS).sum(axis=1)


def run():
    rates = MarginRates()
    legs = positions()
    right, strike, quantity, price, t, vol = legs
    start = np.arange(0, P * LEGS + 1, LEGS, dtype=np.int64)
    table = np.tile(rates_row(rates, *rates.ranges()), (P, 1))
    out, losses = np.empty((P, len(COLUMNS))), np.empty((P, SCENARIOS))
    none, spots = np.zeros(P * LEGS, np.int64), np.full(P, SPOT)

    def kernel():
        margin_rows(
            start, right, strike, quantity, price, t, vol, none, spots, RATE, 0.0, table, out, losses,
        )  # fmt: skip

    kernel()
    np.testing.assert_allclose(out[:, 0], by_hand(*legs, rates), rtol=1e-9)
    one = [("CE" if r > 0 else "PE", k, q, p) for r, k, q, p in zip(right[:4], strike, quantity, price)]
    ours, theirs = measure.fastest_of_each([kernel, lambda: by_hand(*legs, rates)], repeats=7)
    single = measure.median_seconds(lambda: margin(one, spot=SPOT, t=5 / 365), repeats=51)
    return [
        measure.row("margins of 10,000 condors", ours / P * 1e6, "us a position", 20.0),
        measure.row("the same against numpy", theirs / ours, "x", 1.0),
        measure.row("pricing.margin of one condor, from Python", single * 1e6, "us", 1000.0),
    ]


if __name__ == "__main__":
    for line in run():
        print(line)
