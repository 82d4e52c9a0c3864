"""Dealer flow and multi-leg profit as one would write them on a slip of paper: the specification of the kernels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

Quote = dict[str, Any]
"""right (+1/-1), strike, t, vol, forward, discount, oi."""


def density(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def chance(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def hedges(quote: Quote, spot: float, forward: float) -> dict[str, float]:
    """Black-Scholes by spot with rate and carry; formulas of Haug (2007), section 2, written out."""
    t, vol, strike, right = quote["t"], quote["vol"], quote["strike"], quote["right"]
    rate, carry = -math.log(quote["discount"]) / t, math.log(forward / spot) / t
    deviation = vol * math.sqrt(t)
    d1 = (math.log(spot / strike) + (carry + 0.5 * vol * vol) * t) / deviation
    d2 = d1 - deviation
    grown = math.exp((carry - rate) * t)
    inside = density(d1) * (carry / deviation - d2 / (2.0 * t))
    tail = (carry - rate) * chance(right * d1) * right
    return {
        "delta": right * grown * chance(right * d1),
        "gamma": grown * density(d1) / (spot * deviation),
        "vanna": -grown * density(d1) * d2 / vol,
        "charm": -grown * (inside + tail),
    }


def flow(quotes: Iterable[Quote], spot: float, lot: float, sign: tuple[float, float]) -> dict[str, float]:
    """The four exposures, one quote after the other."""
    total = dict.fromkeys(("gex", "dex", "vex", "chex"), 0.0)
    for quote in quotes:
        found = hedges(quote, spot, quote["forward"])
        side = sign[0] if quote["right"] > 0 else sign[1]
        held = quote["oi"] * lot
        total["gex"] += side * found["gamma"] * held * spot**2 * 0.01
        total["dex"] += found["delta"] * held * spot
        total["vex"] += side * found["vanna"] * held * spot * 0.01
        total["chex"] += side * found["charm"] * held * spot / 365.0
    return total


def gex_at(quotes: Iterable[Quote], moved: float, spot: float, lot: float, sign: tuple[float, float]) -> float:
    """Net GEX with the spot moved: forwards in proportion, volatilities where they were."""
    there = [{**quote, "forward": quote["forward"] * moved / spot} for quote in quotes]
    return flow(there, moved, lot, sign)["gex"]


def pain(quotes: Sequence[Quote]) -> tuple[float, float]:
    """The strike of least payout, and that payout, by trying all."""
    best = (math.nan, math.inf)
    for level in sorted({quote["strike"] for quote in quotes}):
        paid = sum(quote["oi"] * max(quote["right"] * (level - quote["strike"]), 0.0) for quote in quotes)
        if paid < best[1]:
            best = level, paid
    return best


def profit(legs: Iterable[tuple[Any, ...]], spot: float) -> float:
    """Profit at expiry of (right, strike, quantity, price)."""
    total = 0.0
    for right, strike, quantity, price in legs:
        worth = {"CE": lambda k: max(spot - k, 0.0), "PE": lambda k: max(k - spot, 0.0), "FUT": lambda _: spot}[right]
        total += quantity * (worth(strike) - price)
    return total
