"""The forward and the volatility at the money, and what a straddle costs at a given volatility.

Prices are the last trades of a bar, so a contract that did not trade in it gives NaN. Money is in paise. There is no
discounting: the forward by put-call parity takes in the carry of the few days that such options live. A *pair* is the
call and the put of one strike, named by the call's instrument; the put's is the next.

Source: F. Black, "The pricing of commodity contracts" (1976), by the kernels of :mod:`algomaster.pricing.kernels`.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import CALL, MISSING, PUT
from algomaster.pricing.kernels.implied import black_implied
from algomaster.pricing.kernels.vanilla import black_greeks, black_price
from algomaster.strategy.steps.contract import NO_INSTRUMENT, Day, at_the_money, close_of, instrument_of

__all__ = ["expiry_of", "forward_of", "premium_of", "straddle_delta", "straddle_worth", "strike_of", "vol_at", "vol_of"]


@kernel(inline=True, lean=True, inner=True)
def expiry_of(day: Day, pair: int) -> int:
    """Place of a pair's expiry on the expiries axis."""
    return pair // (2 * day.strikes.size)


@kernel(inline=True, lean=True, inner=True)
def strike_of(day: Day, pair: int) -> int:
    """Strike of a pair (paise)."""
    return int(day.strikes[pair // 2 % day.strikes.size])


@kernel(lean=True, inner=True)
def premium_of(day: Day, pair: int, i: int) -> int:
    """Give the closes (ticks) of call and put together; MISSING unless both traded in bar ``i``."""
    call, put = close_of(day, pair, i), close_of(day, pair + 1, i)
    return MISSING if call == MISSING or put == MISSING else call + put


@kernel(lean=True, inner=True)
def forward_of(day: Day, expiry: int, i: int) -> float:
    """Forward (paise) by put-call parity at the strike nearest to the index: strike + call - put.

    NaN without the index, the strike or a trade of its call and its put in bar ``i``.
    """
    if day.spot[i] == MISSING:
        return math.nan
    strike = at_the_money(day, expiry, day.spot[i])
    pair = instrument_of(day, expiry, strike, 0)
    if pair == NO_INSTRUMENT or premium_of(day, pair, i) == MISSING:
        return math.nan
    return float(strike + (close_of(day, pair, i) - close_of(day, pair + 1, i)) * day.tick)


@kernel(lean=True, inner=True)
def vol_of(day: Day, pair: int, forward: float, i: int) -> float:
    """Volatility at which the pair's option out of the money trades; NaN without a forward, a trade or a solution."""
    strike = strike_of(day, pair)
    call = strike >= forward
    last = close_of(day, pair if call else pair + 1, i)
    if last == MISSING:
        return math.nan
    years = day.years[expiry_of(day, pair), i]
    vol, _ = black_implied(CALL if call else PUT, float(last * day.tick), forward, float(strike), years, 1.0)
    return vol


@kernel(lean=True, inner=True)
def vol_at(day: Day, expiry: int, i: int) -> float:
    """Volatility of the strike nearest to the index; NaN where :func:`forward_of` is."""
    forward = forward_of(day, expiry, i)
    if not forward > 0.0:
        return math.nan
    return vol_of(day, instrument_of(day, expiry, at_the_money(day, expiry, day.spot[i]), 0), forward, i)


@kernel(lean=True, inner=True)
def straddle_worth(day: Day, pair: int, forward: float, vol: float, i: int) -> float:
    """Price (paise) of call and put together at a volatility, with the business time that is left after bar ``i``."""
    strike = float(strike_of(day, pair))
    right = CALL if strike >= forward else PUT
    years = day.years[expiry_of(day, pair), i]
    return 2.0 * black_price(right, forward, strike, years, vol, 1.0) + abs(forward - strike)


@kernel(lean=True, inner=True)
def straddle_delta(day: Day, pair: int, forward: float, i: int) -> float:
    """Delta by the forward of one call and one put at the volatility that :func:`vol_of` gives; NaN where that is."""
    vol = vol_of(day, pair, forward, i)
    years = day.years[expiry_of(day, pair), i]
    greeks = black_greeks(CALL, forward, float(strike_of(day, pair)), years, vol, 0.0, 0.0, 1.0, 1.0)
    return 2.0 * greeks[1] - 1.0
