"""The same prices and Greeks by other libraries, each in the form in which it is fastest for arrays.

A peer is ``(n, call, tolerance)``: how many of the options it is given (the slow ones few), what gives its (price,
delta, gamma, vega, theta, rho) in raw units, and how closely they are to agree, in parts of the spot or of the Greek.
"""

import numpy as np

DAYS, POINT = 1 / 365, 0.01


def peers(book):
    """Yield (name, n, call, tolerance) one by one, or (name, why it does not run here).

    py_vollib_vectorized comes last: it replaces functions of vollib, and where it does not compile they are broken.
    """
    for make in (numpy_scipy, polars_vol, fast_vollib, opengreeks, quantlib, vollib, py_vollib_vectorized):
        try:
            n, call, tolerance = make(book)
            call()
        except Exception as problem:  # whatever keeps a peer from running here becomes a row that says so
            yield make.__name__, f"{type(problem).__name__}: {problem}".splitlines()[0]
        else:
            yield make.__name__, n, call, tolerance


def first(book, n):
    return {name: values[:n] for name, values in book.items()}


def letters(right):
    return np.where(right > 0, "c", "p")


def scaled(price, delta, gamma, vega, theta, rho):
    """From vollib's units to raw ones."""
    return price, delta, gamma, np.asarray(vega) / POINT, np.asarray(theta) / DAYS, np.asarray(rho) / POINT


def numpy_scipy(book):
    from scipy.special import ndtr

    n = 100_000
    o = first(book, n)

    def call():
        right, spot, strike, t, vol = (o[name] for name in ("right", "spot", "strike", "t", "vol"))
        rate, dividend = o["rate"], o["dividend"]
        root = np.sqrt(t)
        d1 = (np.log(spot / strike) + (rate - dividend + 0.5 * vol * vol) * t) / (vol * root)
        d2 = d1 - vol * root
        held, owed = spot * np.exp(-dividend * t), strike * np.exp(-rate * t)
        n1, n2 = ndtr(right * d1), ndtr(right * d2)
        density = np.exp(-0.5 * d1 * d1) / np.sqrt(2 * np.pi)
        theta = -0.5 * held * density * vol / root + right * (dividend * held * n1 - rate * owed * n2)
        return (
            right * (held * n1 - owed * n2),
            right * np.exp(-dividend * t) * n1,
            np.exp(-dividend * t) * density / (spot * vol * root),
            held * density * root,
            theta,
            right * t * owed * n2,
        )

    return n, call, 1e-9


def polars_vol(book):
    import polars as pl
    import polars_vol as library

    n = 200_000
    o = first(book, n)
    frame = pl.DataFrame({"call": o["right"] > 0, **{name: o[name] for name in ("spot", "strike", "t", "vol", "rate")}})
    asked = library.black_scholes_with_greeks("strike", "spot", "vol", "t", "rate", "call").alias("g")

    def call():
        table = frame.select(asked).unnest("g")
        return tuple(table[name].to_numpy() for name in ("model_price", "delta", "gamma", "vega", "theta", "rho"))

    return n, call, 1e-3  # its normal distribution is good to 1e-7


def fast_vollib(book):
    import fast_vollib as library

    n = 200_000
    o = first(book, n)
    flags = letters(o["right"])
    terms = o["spot"], o["strike"], o["t"], o["rate"], o["vol"]

    def call():
        value = library.fast_black_scholes(flags, *terms, return_as="numpy")
        table = library.get_all_greeks(flags, *terms, model="black_scholes", return_as="dict")
        names = ("delta", "gamma", "vega", "theta", "rho")
        return scaled(np.ravel(value), *(np.ravel(table[name]) for name in names))

    return n, call, 1e-6


def opengreeks(book):
    from opengreeks import black_scholes as library

    n = 100_000
    o = first(book, n)
    flags = letters(o["right"])

    def call():
        table = library.greeks(flags, o["spot"], o["strike"], o["t"], o["rate"], o["vol"])
        return scaled(*(np.asarray(table[name]) for name in ("price", "delta", "gamma", "vega", "theta", "rho")))

    return n, call, 1e-6


def py_vollib_vectorized(book):
    import py_vollib_vectorized as library

    n = 20_000
    o = first(book, n)
    flags = letters(o["right"])
    terms = o["spot"], o["strike"], o["t"], o["rate"], o["vol"]

    def call():
        value = library.vectorized_black_scholes(flags, *terms, return_as="numpy")
        table = library.get_all_greeks(flags, *terms, model="black_scholes", return_as="dict")
        names = ("delta", "gamma", "vega", "theta", "rho")
        return scaled(np.ravel(value), *(np.ravel(table[name]) for name in names))

    return n, call, 1e-4  # its Greeks are finite differences


def quantlib(book):
    import math

    import QuantLib as ql  # noqa: N813

    n = 2_000
    o = first(book, n)
    rows = list(zip(*(o[name].tolist() for name in ("right", "spot", "strike", "t", "vol", "rate", "dividend"))))

    def one(right, spot, strike, t, vol, rate, dividend):
        kind = ql.Option.Call if right > 0 else ql.Option.Put
        forward = spot * math.exp((rate - dividend) * t)
        c = ql.BlackCalculator(ql.PlainVanillaPayoff(kind, strike), forward, vol * math.sqrt(t), math.exp(-rate * t))
        return c.value(), c.delta(spot), c.gamma(spot), c.vega(t), c.theta(spot, t), c.rho(t)

    return n, lambda: tuple(np.array([one(*row) for row in rows]).T), 1e-7


def vollib(book):
    from vollib.black_scholes import black_scholes
    from vollib.black_scholes.greeks import analytical

    n = 500
    o = first(book, n)
    rows = list(
        zip(letters(o["right"]).tolist(), *(o[name].tolist() for name in ("spot", "strike", "t", "rate", "vol")))
    )
    greeks = [getattr(analytical, name) for name in ("delta", "gamma", "vega", "theta", "rho")]

    def call():
        return scaled(*np.array([(black_scholes(*row), *(greek(*row) for greek in greeks)) for row in rows]).T)

    return n, call, 1e-6
