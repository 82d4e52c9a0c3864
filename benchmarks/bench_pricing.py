"""Nanoseconds an option for prices and Greeks, beside our C reference and other libraries.

Targets are for one thread of a machine with AVX-512, the AVX2 row for code made for one without it. Results are checked
equal before anything is timed; times are the fastest of many turns, ratios those of turns taken alternately.
"""

import os
import subprocess
import sys
import tempfile

import numba
import numpy as np

import c_reference
import pricing_peers
from algomaster.pricing import greeks, price
from algomaster.pricing.kernels.blocks import Options
from algomaster.pricing.kernels.loops import GREEKS, PRICES, ROWS
from measure import fastest_of_each, fastest_seconds, row

N = 1_000_000
MANY = 5_000  # arguments and results fit the processor's own memory: the kernel itself, whoever else uses the machine
CHAIN = 200
NAMES = ("price", "delta", "gamma", "vega", "theta", "rho")
AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi2"}


def book(n=N):
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


def kernel_call(loops, options, order=None, *, parallel=False):
    """Give (call, out) of a loop over the options."""
    arguments = Options(**options)
    out = np.empty((1 if order is None else len(ROWS[order]), arguments.t.size))
    loop = loops.parallel if parallel else loops.serial
    return (lambda: loop(arguments, False, out)), out


def nanoseconds(call, n):
    return fastest_seconds(call, repeats=1000 if n < N else 25) / n * 1e9


def kernels(many):
    n = many["t"].size
    yield row("price, kernel", nanoseconds(kernel_call(PRICES["black"], many)[0], n), "ns/option", 8.0)
    for order, target in ((1, 10.0), (2, None), (3, 15.0)):
        call, _ = kernel_call(GREEKS["black", order], many, order)
        name = f"price + {len(ROWS[order]) - 1} Greeks, kernel"
        yield row(name, nanoseconds(call, n), "ns/option", target)
    call, _ = kernel_call(GREEKS["bachelier", 1], {**many, "vol": many["vol"] * 100}, 1)
    yield row("Bachelier: price + 5 Greeks, kernel", nanoseconds(call, n), "ns/option")


def through_memory(options):
    for order in (1, 3):
        call, _ = kernel_call(GREEKS["black", order], options, order)
        yield row(f"price + {len(ROWS[order]) - 1} Greeks of {N:,}, kernel", nanoseconds(call, N), "ns/option")
    arrays = [options[name] for name in ("spot", "strike", "t", "vol", "rate", "dividend")]
    copies = [np.empty(N) for _ in arrays]
    yield row("copy of 6 arrays into 6", nanoseconds(lambda: list(map(np.copyto, copies, arrays)), N), "ns/option")


def against_c(many):
    n = many["t"].size
    call, ours = kernel_call(GREEKS["black", 1], many, 1)
    arrays, theirs = Options(**many), np.empty((6, n))
    reference = c_reference.build()(arrays, theirs)
    call(), reference()
    for name, found, expected in zip(NAMES, ours, theirs):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11, err_msg=name)
    mine, c = fastest_of_each([call, reference], repeats=2000)
    yield row("price + 5 Greeks: C (gcc -O3 -march=native -ffast-math)", c / n * 1e9, "ns/option")
    yield row("price + 5 Greeks: C over kernel", c / mine, "x", 0.9)


def against_peers(options):
    best = float("inf")
    for name, *rest in pricing_peers.peers(options):
        if len(rest) == 1:
            print(f"    {name} does not run here: {rest[0]}")
            continue
        n, call, tolerance = rest
        part = {key: values[:n] for key, values in options.items()}
        mine, out = kernel_call(GREEKS["black", 1], part, 1)
        mine()
        for greek, found, expected in zip(NAMES, out, call()):
            scale = np.abs(found) + 1e-3 * part["spot"]
            assert np.max(np.abs(found - expected) / scale) < tolerance, f"{name} {greek}"
        kernel = fastest_seconds(mine)
        ratio = fastest_seconds(call, repeats=7, seconds=2.0) / kernel
        best = min(best, ratio) if name != "numpy_scipy" else best
        yield row(f"price + 5 Greeks: {name} over kernel", ratio, "x", 9.0)
    yield row("price + 5 Greeks: best other library over kernel", best, "x", 9.0)


def at_the_door(options, few):
    given = {**options, "rate": 0.06, "dividend": 0.0}
    threads = numba.get_num_threads()
    for count in sorted({1, min(2, threads)}):
        numba.set_num_threads(count)
        many = f" of {N:,}, {count} thread(s)"
        call, _ = kernel_call(GREEKS["black", 1], options, 1, parallel=True)
        yield row("price + 5 Greeks, parallel kernel" + many, nanoseconds(call, N), "ns/option")
        yield row("price()" + many, nanoseconds(lambda: price(**given), N), "ns/option", 12.0)
        yield row("greeks()" + many, nanoseconds(lambda: greeks(**given), N), "ns/option", 14.0)
    numba.set_num_threads(threads)
    call, _ = kernel_call(GREEKS["black", 1], few, 1)
    turns = {"repeats": 5000}
    yield row(f"price + 5 Greeks of a chain of {CHAIN}, kernel", fastest_seconds(call, **turns) * 1e6, "us/call", 5.0)
    terms = {**few, "rate": 0.06, "dividend": 0.0}
    yield row("the same, greeks()", fastest_seconds(lambda: greeks(**terms), **turns) * 1e6, "us/call", 30.0)
    one = fastest_seconds(lambda: price("CE", 100.0, 100.0, 0.1, 0.2), **turns)
    yield row("one scalar price()", one * 1e6, "us/call", 30.0)


def without_avx512():
    """The same kernel as code for a machine with AVX2 only, in a process of its own."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | AVX2 | {"ALGO_CACHE": cache}
        done = subprocess.run([sys.executable, __file__, "--avx2"], env=environment, capture_output=True, text=True)
    done.check_returncode()
    yield row("price + 5 Greeks, kernel as AVX2 code", float(done.stdout), "ns/option", 18.0)


def run():
    """Give one row a case: name, target, measured, unit, ok."""
    options = book()
    many, few = ({name: values[:n].copy() for name, values in options.items()} for n in (MANY, CHAIN))
    parts = (
        kernels(many), against_c(many), without_avx512(), through_memory(options), at_the_door(options, few),
        against_peers(options),
    )  # fmt: skip
    return [one for part in parts for one in part]


if __name__ == "__main__":
    if sys.argv[1:] == ["--avx2"]:
        print(nanoseconds(kernel_call(GREEKS["black", 1], book(MANY), 1)[0], MANY))
    else:
        for one in run():
            target = "" if one["target"] is None else f"target {one['target']:<6g}{'ok' if one['ok'] else 'MISS'}"
            print(f"{one['name']:<70}{one['measured']:>10.2f} {one['unit']:<10}{target}")
