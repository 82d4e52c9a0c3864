"""Microseconds and errors of American prices, beside QuantLib's engines of the same method; one thread.

Errors are in units of a strike of 100, over options like those of the paper of Andersen, Lake and Offengenden, against
QuantLib's scheme of the highest precision. QuantLib's time is that of its own C++ with the engine built once and the
quotes changed: calculation only, as far as Python can see it.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from algomaster.pricing import price
from algomaster.pricing.americans import american, american_greeks
from algomaster.pricing.digitals import digital

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import QuantLib as ql  # noqa: N813  (its own documentation calls it so)

N = 1000
REPEATS = 7
Row = tuple[str, float | None, str, float]
PEERS = {"fast": "fastScheme", "accurate": "accurateScheme", "high": "highPrecisionScheme"}


def book(n: int = N) -> dict[str, np.ndarray]:
    """A day to three years (whole days), 10 % to 60 %, rates and yields up to 10 %, spots of 25 to 150."""
    rng = np.random.default_rng(3)
    return {
        "right": rng.choice(np.array([-1, 1]), n),
        "spot": rng.choice(np.array([25.0, 50.0, 80.0, 90.0, 100.0, 110.0, 120.0, 150.0]), n),
        "strike": np.full(n, 100.0),
        "t": rng.integers(30, 3 * 365, n) / 365,
        "vol": rng.uniform(0.1, 0.6, n),
        "rate": rng.uniform(0.02, 0.1, n),
        "dividend": rng.choice(np.array([0.0, 0.02, 0.04, 0.06, 0.08, 0.1]), n),
    }


def quantlib(options: dict[str, np.ndarray], scheme: str) -> tuple[np.ndarray, float]:
    """Give prices and the microseconds of one NPV(), of the fastest of several runs over the book."""
    today, day = ql.Date(2, 1, 2025), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    quotes = {name: ql.SimpleQuote(1.0) for name in ("spot", "vol", "rate", "dividend")}
    handles = {name: ql.QuoteHandle(quote) for name, quote in quotes.items()}
    rate, dividend = (
        ql.YieldTermStructureHandle(ql.FlatForward(today, handles[name], day)) for name in ("rate", "dividend")
    )
    vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), handles["vol"], day))
    process = ql.BlackScholesMertonProcess(handles["spot"], dividend, rate, vol)
    engine = ql.QdFpAmericanEngine(process, getattr(ql.QdFpAmericanEngine, scheme)())
    found, runs = np.empty(options["spot"].size), []
    for _ in range(1 if scheme == PEERS["high"] else REPEATS):
        taken = 0.0
        for i in range(found.size):
            for name, quote in quotes.items():
                quote.setValue(float(options[name][i]))
            kind = ql.Option.Call if options["right"][i] > 0 else ql.Option.Put
            exercise = ql.AmericanExercise(today, today + round(float(options["t"][i]) * 365))
            option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, 100.0), exercise)
            option.setPricingEngine(engine)
            start = time.perf_counter()
            found[i] = option.NPV()
            taken += time.perf_counter() - start
        runs.append(taken)
    return found, min(runs) / found.size * 1e6


def microseconds(work: Callable[[], object], n: int = N) -> float:
    """Time of one option, of the fastest of several runs: others use the machine too."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) / n * 1e6


def error(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    gap = np.abs(found - true)
    return float(np.sqrt(np.mean(gap**2))), float(gap.max())


def cases() -> Iterator[Row]:
    """Give (name, target, unit, measured)."""
    options = book()
    true, _ = quantlib(options, PEERS["high"])
    assert (true >= price(**options) - 1e-9).all()
    ours = {accuracy: american(**options, accuracy=accuracy) for accuracy in PEERS}
    assert np.abs(ours["high"] - true).max() < 2e-5  # of 100: QuantLib's own error
    for accuracy, scheme in PEERS.items():
        theirs, peer = quantlib(options, scheme)
        spent = microseconds(lambda accuracy=accuracy: american(**options, accuracy=accuracy))
        # against ours of the highest accuracy where QuantLib's is itself the judge
        judge = ours["high"] if accuracy == "high" else true
        peer_rms, peer_max = error(theirs, judge)
        rms, largest = error(ours[accuracy], true)
        yield f"american(), {accuracy}", None, "us/option", spent
        yield f"american(), {accuracy}: rms error, strike 100", None, "", rms
        yield f"american(), {accuracy}: largest error", max(peer_max, 2e-5), "", largest
        yield f"QuantLib {scheme}", None, "us/option", peer
        yield f"QuantLib {scheme}: rms error", None, "", peer_rms
        yield f"QuantLib {scheme}: largest error", None, "", peer_max
        yield f"QuantLib {scheme} over american(), {accuracy}", 1.0, "x", peer / spent
    same = options | {"right": np.full(N, -1), "t": np.full(N, 0.5), "vol": np.full(N, 0.2)}
    same |= {"rate": np.full(N, 0.05), "dividend": np.zeros(N)}
    yield "american(), fast, all of one boundary", None, "us/option", microseconds(lambda: american(**same))
    yield "american_greeks(), accurate", None, "us/option", microseconds(lambda: american_greeks(**options))
    yield "digital(), price + 5 Greeks", None, "us/option", microseconds(lambda: digital(**options))


def run() -> list[dict[str, Any]]:
    """Give one row a case: name, target, measured, unit, ok (a ratio must reach its target, the rest stay below)."""
    return [
        {
            "name": name,
            "target": target,
            "measured": measured,
            "unit": unit,
            "ok": target is None or (measured >= target if unit == "x" else measured <= target),
        }
        for name, target, unit, measured in cases()
    ]


if __name__ == "__main__":
    for row in run():
        target = "" if row["target"] is None else f"target {row['target']:<8g}{'ok' if row['ok'] else 'MISS'}"
        print(f"{row['name']:<60}{row['measured']:>12.4g} {row['unit']:<10}{target}")
