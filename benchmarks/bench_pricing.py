"""Nanoseconds an option for prices, Greeks and implied volatility, beside numpy and scipy by hand; one thread.

Targets are for a machine with AVX-512; results are checked equal before anything is timed; medians of several runs.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.special import ndtr

from algomaster.pricing import greeks, implied_vol, price
from algomaster.pricing.kernels import implied_loops, loops

N = 1_000_000
REPEATS = 11
Row = tuple[str, float, str, float]


def book(n: int = N) -> dict[str, np.ndarray]:
    """Options like those of a wide book: within three deviations, a day to two years, 5 % to 80 %."""
    rng = np.random.default_rng(1)
    t, vol = rng.uniform(1 / 365, 2.0, n), rng.uniform(0.05, 0.8, n)
    spot = rng.uniform(90.0, 110.0, n)
    return {
        "right": rng.choice(np.array([-1, 1]), n),
        "spot": spot,
        "strike": spot * np.exp(rng.uniform(-3, 3, n) * vol * np.sqrt(t)),
        "t": t,
        "vol": vol,
        "rate": np.full(n, 0.06),
        "dividend": np.zeros(n),
    }


def by_hand(right: Any, spot: Any, strike: Any, t: Any, vol: Any, rate: Any, dividend: Any) -> dict[str, np.ndarray]:
    """Price and Greeks as one writes them in numpy."""
    root = np.sqrt(t)
    d1 = (np.log(spot / strike) + (rate - dividend + 0.5 * vol * vol) * t) / (vol * root)
    d2 = d1 - vol * root
    held, owed = spot * np.exp(-dividend * t), strike * np.exp(-rate * t)
    n1, n2 = ndtr(right * d1), ndtr(right * d2)
    density = np.exp(-0.5 * d1 * d1) / math.sqrt(2 * math.pi)
    return {
        "price": right * (held * n1 - owed * n2),
        "delta": right * np.exp(-dividend * t) * n1,
        "gamma": np.exp(-dividend * t) * density / (spot * vol * root),
        "vega": held * density * root,
        "theta": -0.5 * held * density * vol / root + right * (dividend * held * n1 - rate * owed * n2),
        "rho": right * t * owed * n2,
    }


def price_by_hand(right: Any, spot: Any, strike: Any, t: Any, vol: Any, rate: Any, dividend: Any) -> np.ndarray:
    deviation = vol * np.sqrt(t)
    d1 = (np.log(spot / strike) + (rate - dividend) * t) / deviation + 0.5 * deviation
    held, owed = spot * np.exp(-dividend * t), strike * np.exp(-rate * t)
    return right * (held * ndtr(right * d1) - owed * ndtr(right * (d1 - deviation)))


def vols_by_hand(quote: Any, options: dict[str, np.ndarray]) -> np.ndarray:
    """Newton from the inflection point, six steps for all."""
    forward = options["spot"] * np.exp((options["rate"] - options["dividend"]) * options["t"])
    vol = np.sqrt(2 * np.abs(np.log(forward / options["strike"])) / options["t"]) + 0.05
    for _ in range(6):
        now = by_hand(**{**options, "vol": vol})
        vol = np.maximum(vol + (quote - now["price"]) / np.maximum(now["vega"], 1e-12), 1e-4)
    return vol


def nanoseconds(work: Callable[[], object], n: int = N, repeats: int = REPEATS) -> float:
    """Median time of one option."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) / n * 1e9


def cases() -> Iterator[Row]:
    """Give (name, target, unit, measured)."""
    options = book()
    arrays = [options[name] for name in ("right", "spot", "strike", "t", "vol", "rate", "dividend")]
    out, rows = np.empty(N), np.empty((6, N))
    vol, status = np.empty(N), np.empty(N, np.int64)
    hand = by_hand(**options)
    loops.black_greeks_loop(*arrays, rows)
    for row, (name, expected) in zip(rows, hand.items()):
        np.testing.assert_allclose(row, expected, rtol=1e-7, atol=1e-9, err_msg=name)
    loops.black_price_loop(*arrays, out)
    np.testing.assert_array_equal(out, rows[0])
    implied = [arrays[0], out, *arrays[1:4], *arrays[5:], vol, status]
    implied_loops.black_implied_loop(*implied)
    good = (status == 0) & (rows[3] > 1e-4 * options["spot"])
    assert good.mean() > 0.8
    np.testing.assert_allclose(vol[good], options["vol"][good], rtol=1e-8)

    price_ns = nanoseconds(lambda: loops.black_price_loop(*arrays, out))
    greeks_ns = nanoseconds(lambda: loops.black_greeks_loop(*arrays, rows))
    implied_ns = nanoseconds(lambda: implied_loops.black_implied_loop(*implied))
    yield "price, kernel", 8.0, "ns/option", price_ns
    yield "price + 5 Greeks, kernel", 10.0, "ns/option", greeks_ns
    yield "implied volatility, kernel", 40.0, "ns/option", implied_ns
    quote = options.pop("right"), out
    given = {**options, "rate": 0.06, "dividend": 0.0}
    yield "price()", 12.0, "ns/option", nanoseconds(lambda: price(quote[0], **given))
    yield "greeks()", 14.0, "ns/option", nanoseconds(lambda: greeks(quote[0], **given))
    unknown = {name: value for name, value in given.items() if name != "vol"}
    yield "implied_vol()", 45.0, "ns/option", nanoseconds(lambda: implied_vol(out, quote[0], **unknown))

    all_options = {"right": quote[0], **options}
    few = 3
    yield (
        "price: numpy + scipy over kernel",
        8.0,
        "x",
        nanoseconds(lambda: price_by_hand(**all_options), repeats=few) / price_ns,
    )
    yield (
        "Greeks: numpy + scipy over kernel",
        10.0,
        "x",
        nanoseconds(lambda: by_hand(**all_options), repeats=few) / greeks_ns,
    )
    tenth = {name: values[: N // 10].copy() for name, values in all_options.items()}
    hand_vols = vols_by_hand(out[: N // 10], tenth)
    near = good[: N // 10] & (np.abs(np.log(tenth["spot"] / tenth["strike"])) < tenth["vol"] * np.sqrt(tenth["t"]))
    assert np.median(np.abs(hand_vols[near] / vol[: N // 10][near] - 1)) < 1e-8
    yield (
        "implied volatility: six Newton steps in numpy + scipy over kernel",
        10.0,
        "x",
        nanoseconds(lambda: vols_by_hand(out[: N // 10], tenth), N // 10, few) / implied_ns,
    )
    chain = {name: values[:200].copy() for name, values in all_options.items()}
    yield (
        "price + 5 Greeks of a 200-option chain, greeks()",
        200.0,
        "us/call",
        nanoseconds(lambda: greeks(**chain), 1000, 51),
    )
    yield "one scalar price()", 100.0, "us/call", nanoseconds(lambda: price("CE", 100.0, 100.0, 0.1, 0.2), 1000, 51)


def run() -> list[dict[str, Any]]:
    """Give one row a case: name, target, measured, unit, ok (a ratio must reach its target, a time stay below)."""
    return [
        {
            "name": name,
            "target": target,
            "measured": measured,
            "unit": unit,
            "ok": measured >= target if unit == "x" else measured <= target,
        }
        for name, target, unit, measured in cases()
    ]


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<70}{row['measured']:>10.2f} {row['unit']:<10}target {row['target']:<8g}", end="")
        print("ok" if row["ok"] else "MISS")
