"""Fitting a surface to 20 expiries of 100 strikes, beside QuantLib and fast_vollib in the same run; one thread.

The truth is SABR with noise of 0.3 % of volatility, seeds fixed. Each fit says how far it is from the quotes and from
the truth without noise, in hundredths of a point of volatility (root mean square, all quotes equal); medians of many
runs.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from algomaster.pricing import price
from algomaster.pricing.surface import Surface, SurfaceStream

EXPIRIES, STRIKES, NOISE = 20, 100, 0.003
FORWARD = 100.0
Row = tuple[str, float | None, str, float]


def sabr(k: Any, t: float, alpha: float, rho: float, nu: float) -> Any:
    """Hagan's formula for beta = 1."""
    z = -nu / alpha * k
    x = np.log((np.sqrt(1 - 2 * rho * z + z * z) + z - rho) / (1 - rho))
    ratio = np.where(np.abs(z) < 1e-7, 1 - 0.5 * rho * z, z / np.where(x == 0.0, 1.0, x))
    return alpha * ratio * (1 + t * (rho * nu * alpha / 4 + (2 - 3 * rho * rho) * nu * nu / 24))


def quotes(seed: int = 1) -> dict[str, Any]:
    """(E, K) arrays: log-moneyness, volatility with noise, and the truth; years of each expiry."""
    rng = np.random.default_rng(seed)
    years = np.linspace(0.05, 2.0, EXPIRIES)
    k = np.linspace(-2.0, 1.5, STRIKES) * 0.15 * np.sqrt(years)[:, None]
    truth = np.stack([sabr(x, t, 0.14 + 0.01 * t, -0.45, 0.75 / (1 + t) + 0.2) for x, t in zip(k, years)])
    return {"k": k, "years": years, "truth": truth, "vol": truth * (1 + NOISE * rng.standard_normal(truth.shape))}


def chain(book: dict[str, Any]) -> Any:
    """The quotes as a chain with volatilities, out of the money."""
    k, years = book["k"].ravel(), book["years"]
    expiry = np.repeat(np.arange(EXPIRIES), STRIKES)
    missing = np.full(k.size, np.nan)
    return types.SimpleNamespace(
        right=np.where(k >= 0, 1, -1), strike=FORWARD * np.exp(k), t=years[expiry], price=missing, bid=missing,
        ask=missing, oi=missing, volume=missing, expiry=expiry, spot=FORWARD, years=years, vol=book["vol"].ravel(),
        forward=np.full(EXPIRIES, FORWARD), discount=np.ones(EXPIRIES), labels=tuple(f"{t:.3f} y" for t in years),
    )  # fmt: skip


def milliseconds(work: Callable[[], object], repeats: int = 41) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def misses(fit: Any, book: dict[str, Any]) -> tuple[float, float]:
    """Give the root mean square distance to quotes and truth, in bp of volatility."""
    fit = np.asarray(fit).reshape(book["vol"].shape)
    return tuple(1e4 * float(np.sqrt(np.mean((fit - book[name]) ** 2))) for name in ("vol", "truth"))


def ours(book: dict[str, Any]) -> Iterator[Row]:
    given = chain(book)
    targets = {"svi": 1.0, "essvi": 0.5, "sabr": None}
    for method, target in targets.items():
        surface = Surface.fit(given, method, weights="equal")
        by_quotes, by_truth = misses(surface.vol(book["k"], book["years"][:, None]), book)
        assert by_quotes < 15.0, (method, by_quotes)
        if method == "essvi":
            assert not surface.arbitrage()
        yield f"{method}, cold", target, "ms", milliseconds(lambda m=method: Surface.fit(given, m, weights="equal"))
        warm = milliseconds(lambda m=method, s=surface: Surface.fit(given, m, weights="equal", previous=s))
        yield f"{method}, from the minute before", target, "ms", warm
        yield f"{method}: from the quotes", None, "bp", by_quotes
        yield f"{method}: from the truth", None, "bp", by_truth
    stream = SurfaceStream(Surface.fit(given, "essvi", weights="equal"))
    k, t, vol = book["k"][5, 40], book["years"][5], book["vol"][5, 40]
    yield "essvi, one quote into a stream", None, "ms", milliseconds(lambda: stream.update(k, t, vol))
    points = np.linspace(-0.3, 0.2, 2000)
    at = np.linspace(0.03, 2.2, 2000)
    yield "essvi, vol(k, t) of 2,000 points", None, "ms", milliseconds(lambda: stream.surface.vol(points, at))


def quantlib(book: dict[str, Any]) -> Iterator[Row]:
    import QuantLib as ql  # noqa: N813

    today = ql.Date(1, 1, 2026)
    ql.Settings.instance().evaluationDate = today

    def svi() -> Any:
        fit = []
        for k, vol, t in zip(book["k"], book["vol"], book["years"]):
            days = round(365 * t)
            strikes = [float(x) for x in FORWARD * np.exp(k)]
            atm = float(np.interp(0.0, k, vol))
            section = ql.SviInterpolatedSmileSection(
                today + days, FORWARD, strikes, False, atm, [float(v) for v in vol], 0.5 * atm * atm * t, 0.1, 0.1,
                -0.3, 0.0, False, False, False, False, False, False,
            )  # fmt: skip
            fit.append([section.volatility(x) for x in strikes])
        return fit

    def one_sabr(k: Any, vol: Any, t: float) -> tuple[float, ...]:
        strikes = [float(x) for x in FORWARD * np.exp(k)]
        found = ql.SABRInterpolation(
            strikes, [float(v) for v in vol], float(t), FORWARD, 0.15, 1.0, 0.5, -0.3, False, True, False, False, False
        )
        return found.alpha(), found.beta(), found.nu(), found.rho()

    def sabr_fits() -> Any:
        return [one_sabr(*expiry) for expiry in zip(book["k"], book["vol"], book["years"])]

    for name, work, few in (("svi", svi, 5), ("sabr", sabr_fits, 11)):
        fit = work()
        if name == "sabr":
            fit = [
                [ql.sabrVolatility(float(x), FORWARD, float(t), *row) for x in FORWARD * np.exp(k)]
                for row, k, t in zip(fit, book["k"], book["years"])
            ]
        by_quotes, by_truth = misses(fit, book)
        yield f"QuantLib {name}", None, "ms", milliseconds(work, few)
        yield f"QuantLib {name}: from the quotes", None, "bp", by_quotes
        yield f"QuantLib {name}: from the truth", None, "bp", by_truth


def fast_vollib(book: dict[str, Any]) -> Iterator[Row]:
    from fast_vollib.surface import SurfaceObservations
    from fast_vollib.surface.fitting.parametric import SSVICalibrator, SVICalibrator

    k, t = book["k"].ravel(), np.repeat(book["years"], STRIKES)
    seen = SurfaceObservations(k, t, book["vol"].ravel())
    for name, calibrator in (("ssvi", SSVICalibrator()), ("svi", SVICalibrator())):
        start = time.perf_counter()
        found = calibrator.fit(seen)
        taken = 1e3 * (time.perf_counter() - start)
        by_quotes, by_truth = misses(np.sqrt(found.total_variance(k, t) / t), book)
        yield f"fast_vollib {name}", None, "ms", taken
        yield f"fast_vollib {name}: from the quotes", None, "bp", by_quotes
        yield f"fast_vollib {name}: from the truth", None, "bp", by_truth


def whole_way(book: dict[str, Any]) -> Iterator[Row]:
    """Prices of 1,000 calls and 1,000 puts: forwards, volatilities, Greeks and the surface."""
    from algomaster.pricing.chain import Chain

    k, years = book["k"][:, ::2], book["years"]
    strike, t = (FORWARD * np.exp(k)).ravel(), np.repeat(years, STRIKES // 2)
    vol = book["vol"][:, ::2].ravel()
    columns = {"strike": np.concatenate([strike] * 2), "t": np.concatenate([t] * 2)}
    columns["right"] = np.repeat([1, -1], strike.size)
    columns["price"] = price(columns["right"], None, columns["strike"], columns["t"], np.tile(vol, 2), forward=FORWARD)

    def work() -> Any:
        return Chain.from_frame(columns, rate=0.0).implied_vols().greeks().surface()

    surface = work()
    assert np.max(np.abs(surface.forward / FORWARD - 1)) < 1e-9
    assert not surface.arbitrage()
    yield "2,000 quotes: table, forwards, volatilities, Greeks, essvi", 3.0, "ms", milliseconds(work)


def cases() -> Iterator[Row]:
    book = quotes()
    yield from ours(book)
    if importlib.util.find_spec("algomaster.pricing.chain"):
        yield from whole_way(book)
    for peer in (quantlib, fast_vollib):
        if importlib.util.find_spec({"quantlib": "QuantLib"}.get(peer.__name__, peer.__name__)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield from peer(book)


def run() -> list[dict[str, Any]]:
    """Give one row a case: name, target, measured, unit, ok."""
    return [
        {"name": name, "target": target, "measured": measured, "unit": unit, "ok": target is None or measured <= target}
        for name, target, unit, measured in cases()
    ]


if __name__ == "__main__":
    for row in run():
        goal = "" if row["target"] is None else f"target {row['target']:<6g}" + ("ok" if row["ok"] else "MISS")
        print(f"{row['name']:<62}{row['measured']:>10.3f} {row['unit']:<4}{goal}")
