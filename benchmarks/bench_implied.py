"""Nanoseconds an option for implied volatility: kernels, the public call, chains, starts, AVX2 code, and the peers.

Two books: a wide one (three deviations either way, a day to two years, 5 % to 80 %) and one like NSE's (strikes in
steps of 50 within 10 % of the spot, an hour to 60 days, 8 % to 30 %, prices on the 0.05 grid). Every result is checked
before it is timed: ours by repricing to 1e-12, the peers' against ours to their own poor digits (1e-3 in the median).
Each peer has a process of its own (py_vollib_vectorized changes vollib) and as many options as take about a second;
it is measured over one thread of ours.

volfi (C++) is not on the package index and could not be had.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from algomaster.pricing import implied_vol, price
from algomaster.pricing.kernels import implied_loops

N = 100_000  # short enough to run undisturbed now and then, long enough to leave the caches
RATE = 0.06
Book = dict[str, np.ndarray]
Row = tuple[str, float | None, str, float]
AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+popcnt,+sse4.2"}


def wide_book(n: int = N) -> Book:
    rng = np.random.default_rng(1)
    t, vol, spot = rng.uniform(1 / 365, 2.0, n), rng.uniform(0.05, 0.8, n), rng.uniform(90.0, 110.0, n)
    strike = spot * np.exp(rng.uniform(-3, 3, n) * vol * np.sqrt(t))
    return quoted({"right": rng.choice([-1, 1], n), "spot": spot, "strike": strike, "t": t}, vol)


def nse_book(n: int = N) -> Book:
    """Quotes on the tick grid; those that no volatility explains are what they are in a real chain, and stay in."""
    rng = np.random.default_rng(2)
    spot = np.round(rng.uniform(20_000, 26_000, n), 2)
    strike = np.round(spot * rng.uniform(0.9, 1.1, n) / 50) * 50
    t, vol = np.exp(rng.uniform(math.log(1 / 24 / 365), math.log(60 / 365), n)), rng.uniform(0.08, 0.30, n)
    options = quoted({"right": rng.choice([-1, 1], n), "spot": spot, "strike": strike, "t": t}, vol)
    options["price"] = np.round(np.maximum(options["price"], 0.05) * 20) / 20
    return options


def quoted(options: Book, vol: np.ndarray) -> Book:
    n = vol.size
    options |= {"rate": np.full(n, RATE), "dividend": np.zeros(n)}
    return options | {"price": price(**options, vol=vol), "vol": vol}


def arrays(options: Book) -> list[np.ndarray]:
    return [options[name] for name in ("right", "price", "spot", "strike", "t", "rate", "dividend")]


def best(work: Callable[[], object], n: int, repeats: int = 101) -> float:
    """Least time of one option in ns: what disturbs on a shared machine only adds."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) / n * 1e9


def solved(options: Book) -> tuple[np.ndarray, np.ndarray]:
    """Solve a book, having seen that what comes out reprices and is the volatility that went in."""
    vol, status = np.empty(options["vol"].size), np.empty(options["vol"].size, np.int64)
    implied_loops.black_implied_loop(*arrays(options), vol, status)
    np.testing.assert_array_equal(status != 0, np.isnan(vol))
    known = {name: values[status == 0] for name, values in options.items()}
    quote = known.pop("price")
    back = price(**{**known, "vol": vol[status == 0]})
    scale = quote + np.abs(known["spot"] - known["strike"])
    assert np.max(np.abs(back - quote) / scale) < 1e-12
    return vol, status


def our_rows(name: str, options: Book, targets: tuple[float, float]) -> Iterator[Row]:
    n = options["vol"].size
    vol, status = solved(options)
    cold, given = vol.copy(), arrays(options)
    yield (
        f"{name}: kernel, one thread",
        targets[0],
        "ns/option",
        best(lambda: implied_loops.black_implied_loop(*given, vol, status), n),
    )
    implied_loops.black_implied_parallel(*given, vol, status)
    np.testing.assert_array_equal(vol, cold)
    yield (
        f"{name}: kernel, {os.cpu_count()} threads",
        None,
        "ns/option",
        best(lambda: implied_loops.black_implied_parallel(*given, vol, status), n),
    )
    quotes = {key: values for key, values in options.items() if key not in {"vol", "rate", "dividend"}}
    yield (
        f"{name}: implied_vol()",
        targets[1],
        "ns/option",
        best(lambda: implied_vol(**quotes, rate=RATE), n),
    )
    start = np.where(status == 0, cold, 0.2) * (1 + np.random.default_rng(3).normal(size=n) / 100)
    implied_loops.black_improved_loop(*given, start, vol, status)
    off = np.nanmax(np.abs(vol / cold - 1))
    assert off < 1e-12
    yield f"{name}: farthest from the cold result, from starts 1 % off", 1e-12, "relative", float(off)
    yield (
        f"{name}: kernel from starts 1 % off",
        19.0,
        "ns/option",
        best(lambda: implied_loops.black_improved_loop(*given, start, vol, status), n),
    )
    start[:] = cold * (1 + 1e-3)
    yield (
        f"{name}: kernel from starts 0.1 % off",
        19.0,
        "ns/option",
        best(lambda: implied_loops.black_improved_loop(*given, start, vol, status), n),
    )


def chain_rows(options: Book) -> Iterator[Row]:
    few = {name: values[:200].copy() for name, values in options.items()}
    vol, status = np.empty(200), np.empty(200, np.int64)
    given = arrays(few)
    work = lambda: implied_loops.black_implied_loop(*given, vol, status)  # noqa: E731
    yield "chain of 200: kernel", 12.0, "us/call", best(work, 1000, 501)
    quotes = {key: values for key, values in few.items() if key not in {"vol", "rate", "dividend"}}
    yield "chain of 200: implied_vol()", None, "us/call", best(lambda: implied_vol(**quotes, rate=RATE), 1000, 501)
    one = {key: values[0].item() for key, values in quotes.items()}
    yield "one option: implied_vol()", None, "us/call", best(lambda: implied_vol(**one, rate=RATE), 1000, 501)


def kernel_ns() -> float:
    options = wide_book()
    vol, status = solved(options)
    return best(lambda: implied_loops.black_implied_loop(*arrays(options), vol, status), N)


def bachelier_rows() -> Iterator[Row]:
    options = wide_book()
    vol, status = np.empty(N), np.empty(N, np.int64)
    terms = {key: values for key, values in options.items() if key not in {"price", "vol"}}
    options["price"] = price(**terms, vol=options["vol"] * options["spot"], model="bachelier")
    implied_loops.bachelier_implied_loop(*arrays(options), vol, status)
    known = {key: values[status == 0] for key, values in terms.items()}
    back = price(**known, vol=vol[status == 0], model="bachelier")
    np.testing.assert_allclose(back, options["price"][status == 0], rtol=1e-11, atol=1e-11)
    work = lambda: implied_loops.bachelier_implied_loop(*arrays(options), vol, status)  # noqa: E731
    yield "bachelier, wide book: kernel, one thread", None, "ns/option", best(work, N)


# --- peers -----------------------------------------------------------------------------------------------------

Peer = Callable[[Book], np.ndarray]


def _py_vollib_vectorized(o: Book) -> Callable[[], np.ndarray]:
    from py_vollib_vectorized import vectorized_implied_volatility

    flags = np.where(o["right"] > 0, "c", "p")
    return lambda: vectorized_implied_volatility(
        o["price"], o["spot"], o["strike"], o["t"], o["rate"], flags, q=0.0, return_as="numpy", on_error="ignore"
    )


def _vollib(o: Book) -> Callable[[], np.ndarray]:
    from vollib.black_scholes.implied_volatility import implied_volatility

    rows = list(zip(*(o[name].tolist() for name in ("price", "spot", "strike", "t", "rate", "right"))))

    def one(row: tuple[float, ...]) -> float:
        try:
            return float(implied_volatility(*row[:5], "c" if row[5] > 0 else "p"))
        except Exception:  # every peer has errors of its own for what it cannot solve: no answer is an answer here
            return math.nan

    return lambda: np.array([one(row) for row in rows])


def _quantlib(o: Book) -> Callable[[], np.ndarray]:
    import QuantLib as ql  # noqa: N813

    growth, discount = np.exp(o["rate"] * o["t"]), np.exp(-o["rate"] * o["t"])
    rights = [ql.Option.Call if right > 0 else ql.Option.Put for right in o["right"].tolist()]
    rows = list(zip(rights, *(x.tolist() for x in (o["strike"], o["spot"] * growth, o["price"], discount))))

    def one(row: tuple[Any, ...]) -> float:
        try:
            return float(ql.blackFormulaImpliedStdDev(*row))
        except Exception:  # every peer has errors of its own for what it cannot solve: no answer is an answer here
            return math.nan

    root = np.sqrt(o["t"])
    return lambda: np.array([one(row) for row in rows]) / root


def _opengreeks(o: Book) -> Callable[[], np.ndarray]:
    import opengreeks

    flags = np.where(o["right"] > 0, "c", "p")
    return lambda: np.asarray(
        opengreeks.vectorized.implied_volatility(o["price"], o["spot"], o["strike"], o["t"], o["rate"], flags)
    )


def _polars_vol(o: Book) -> Callable[[], np.ndarray]:
    import polars as pl
    import polars_vol

    frame = pl.DataFrame(
        {**{name: o[name] for name in ("price", "strike", "spot", "t", "rate")}, "call": o["right"] > 0}
    )
    solve = polars_vol.implied_vol("price", "strike", "spot", "t", "rate", "call")
    return lambda: frame.select(vol=solve)["vol"].to_numpy()


def _fast_vollib(o: Book) -> Callable[[], np.ndarray]:
    from fast_vollib import fast_implied_volatility

    flags = np.where(o["right"] > 0, "c", "p")
    return lambda: np.asarray(
        fast_implied_volatility(
            o["price"],
            o["spot"],
            o["strike"],
            o["t"],
            o["rate"],
            flags,
            backend="numba",
            return_as="numpy",
            on_error="ignore",
        )
    )


PEERS: dict[str, tuple[Callable[[Book], Callable[[], np.ndarray]], int]] = {
    "py_vollib_vectorized": (_py_vollib_vectorized, 200_000),
    "vollib": (_vollib, 5_000),
    "QuantLib": (_quantlib, 50_000),
    "opengreeks": (_opengreeks, 200_000),
    "polars_vol": (_polars_vol, 200_000),
    "fast_vollib": (_fast_vollib, 200_000),
}


BOOKS = {"wide book": wide_book, "NSE-like book": nse_book}


def in_process(expression: str, **environment: str) -> str:
    code = f"import bench_implied as b; print({expression})"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=os.environ | environment, cwd=Path(__file__).parent,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip().splitlines()[-1])
    return ran.stdout


def peer_rows(name: str) -> Iterator[Row]:
    for peer in PEERS:
        try:
            yield f"{name}: {peer} over kernel", 10.0, "x", float(in_process(f"b.peer_ratio({peer!r}, {name!r})"))
        except RuntimeError as reason:  # built for another Python, or for another numba
            print(f"    {peer}: {reason}")
            yield f"{name}: {peer} (does not run here)", None, "x", math.nan


def peer_ratio(peer: str, name: str) -> float:
    prepare, n = PEERS[peer]
    options = BOOKS[name](n)
    vol, status = solved(options)
    work = prepare(options)
    theirs = work()
    taken = best(work, n, 3)
    both = (status == 0) & np.isfinite(theirs)
    assert np.median(np.abs(theirs[both] / vol[both] - 1)) < 1e-3, peer
    return taken / best(lambda: implied_loops.black_implied_loop(*arrays(options), vol, status), n, 31)


def cases() -> Iterator[Row]:
    """Give (name, target, unit, measured)."""
    yield from our_rows("wide book", wide_book(), (40.0, 45.0))
    yield from our_rows("NSE-like book", nse_book(), (40.0, 45.0))
    yield from chain_rows(nse_book(200))
    yield "wide book: kernel, one thread, AVX2 code", 65.0, "ns/option", float(in_process("b.kernel_ns()", **AVX2))
    yield from bachelier_rows()
    for name in BOOKS:
        yield from peer_rows(name)


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
        target = "" if row["target"] is None else f"target {row['target']:g}"
        print(f"{row['name']:<75}{row['measured']:>10.3g} {row['unit']:<10}{target:<14}{'' if row['ok'] else 'MISS'}")
