"""Which contract a row trades when it enters now: the strike rules of option backtesters, on this minute's closes.

A contract that did not trade in the minute is no candidate. Of equally good candidates the lowest strike is taken.
"""

from __future__ import annotations

from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.pricing.kernels.implied import OK, black_implied
from algomaster.pricing.kernels.vanilla import black_greeks
from algomaster.strategy.steps.contract import NO_INSTRUMENT, PPM, Day, at_the_money, close_of, instrument_of
from algomaster.strategy.steps.manager_table import (
    AT_LEAST,
    AT_MOST,
    BETWEEN,
    BY_INDEX,
    CASH,
    CLOSEST,
    DELTA,
    DELTA_BETWEEN,
    EXACT,
    FUTURE,
    NEXT_MONTHLY,
    NEXT_WEEKLY,
    STEPS,
    WEEKLY,
    WIDTH,
)

NOT_YET: Final = -2
"""The index or a price that the choice needs is missing this minute, or no premium lies where it should."""


@kernel(lean=True, inner=True)
def expiry_of(params: Record, day: Day, j: int) -> int:
    """Index of the row's expiry in the session, or -1."""
    by = params[0]["expiry_by"][j]
    if by in (BY_INDEX, WEEKLY, NEXT_WEEKLY):
        e = params[0]["expiry"][j] if by == BY_INDEX else by - WEEKLY
        return e if e < day.expiries.size else -1
    wanted = 1 if by == NEXT_MONTHLY else 0
    for e in range(day.expiries.size):
        if day.monthly[e] == 1:
            if wanted == 0:
                return e
            wanted -= 1
    return -1


@kernel(lean=True, inner=True)
def choose(params: Record, day: Day, i: int, j: int, side: int) -> int:
    """Instrument of row ``j``, NO_INSTRUMENT where the session has none such, or NOT_YET."""
    e = expiry_of(params, day, j)
    if e < 0:
        return NO_INSTRUMENT
    right, rule, low = params[0]["right"][j], params[0]["rule"][j], params[0]["rule_low"][j]
    if rule == EXACT:
        return instrument_of(day, e, low, right)
    if rule in (CLOSEST, BETWEEN, AT_LEAST, AT_MOST):
        return _by_premium(day, i, e, right, rule, side, low, params[0]["rule_high"][j])
    money = _money(params, day, i, e, j)
    if money == MISSING:
        return NOT_YET
    atm = at_the_money(day, e, money)
    if rule == STEPS:
        return instrument_of(day, e, atm + low * day.strike_step[e], right)
    if rule in (DELTA, DELTA_BETWEEN):
        return _by_delta(day, i, e, right, rule, side, low, params[0]["rule_high"][j])
    worth = _straddle(day, i, e, atm)
    if worth == MISSING:
        return NOT_YET
    if rule == WIDTH:
        return instrument_of(day, e, at_the_money(day, e, atm + low * worth // PPM), right)
    return _by_premium(day, i, e, right, CLOSEST, side, worth * low // PPM, 0)


@kernel(lean=True, inner=True)
def _money(params: Record, day: Day, i: int, e: int, j: int) -> int:
    """Where the underlying stands, in paise: cash, future or synthetic future; MISSING where not known now."""
    source = params[0]["money_from"][j]
    if source == FUTURE:
        return int(day.future[i])
    if source == CASH:
        return int(day.spot[i])
    return synthetic(day, i, e)


@kernel(lean=True, inner=True)
def synthetic(day: Day, i: int, e: int) -> int:
    """Synthetic future in paise: strike + call - put at the strike nearest to the cash index."""
    if day.spot[i] == MISSING:
        return MISSING
    strike = at_the_money(day, e, day.spot[i])
    call, put = _closes_at(day, i, e, strike)
    if call == MISSING or put == MISSING:
        return MISSING
    return strike + (call - put) * day.tick


@kernel(lean=True, inner=True)
def _closes_at(day: Day, i: int, e: int, strike: int) -> tuple[int, int]:
    call = instrument_of(day, e, strike, 0)
    if call == NO_INSTRUMENT:
        return MISSING, MISSING
    return close_of(day, call, i), close_of(day, call + 1, i)


@kernel(lean=True, inner=True)
def _straddle(day: Day, i: int, e: int, strike: int) -> int:
    """Price of the straddle at a strike in paise, MISSING where a side did not trade."""
    call, put = _closes_at(day, i, e, strike)
    return MISSING if call == MISSING or put == MISSING else (call + put) * day.tick


@kernel(lean=True, inner=True)
def _by_premium(day: Day, i: int, e: int, right: int, rule: int, side: int, low: int, high: int) -> int:
    """Contract whose premium (paise) suits; all kinds look for the least ``distance`` among those allowed."""
    found, least = NOT_YET, 0
    for k in range(day.strikes.size):
        instrument = (e * day.strikes.size + k) * 2 + right
        last = close_of(day, instrument, i)
        if last == MISSING:
            continue
        premium = last * day.tick
        if rule == CLOSEST:
            distance = abs(premium - low)
        elif rule == BETWEEN:
            if premium < low or premium > high:
                continue
            distance = premium * side  # who sells takes the higher, who buys the lower
        elif rule == AT_LEAST:
            if premium < low:
                continue
            distance = premium
        else:
            if premium > low:
                continue
            distance = -premium
        if found == NOT_YET or distance < least:
            found, least = instrument, distance
    return found


@kernel(lean=True, inner=True)
def _by_delta(day: Day, i: int, e: int, right: int, rule: int, side: int, low: int, high: int) -> int:
    """Contract whose delta (without its sign, parts per million) suits, as :func:`_by_premium` does for premiums."""
    forward = synthetic(day, i, e)
    if forward == MISSING:
        return NOT_YET
    found, least = NOT_YET, 0.0
    for k in range(day.strikes.size):
        instrument = (e * day.strikes.size + k) * 2 + right
        last = close_of(day, instrument, i)
        if last == MISSING:
            continue
        delta = delta_of(1 - 2 * right, last * day.tick, forward, day.strikes[k], day.years[e, i]) * PPM
        if delta < 0.0:
            continue
        if rule == DELTA:
            distance = abs(delta - low)
        else:
            if delta < low or delta > high:
                continue
            distance = delta * side
        if found == NOT_YET or distance < least:
            found, least = instrument, distance
    return found


@kernel(lean=True, inner=True)
def delta_of(right: int, premium: int, forward: int, strike: int, years: float) -> float:
    """Black-76 delta without its sign from a premium's own implied volatility; -1 where it has none.

    Prices in any one unit; nothing is discounted.
    """
    if years <= 0.0:
        return -1.0
    vol, status = black_implied(right, float(premium), float(forward), float(strike), years, 1.0)
    if status != OK:
        return -1.0
    greeks = black_greeks(right, float(forward), float(strike), years, vol, 0.0, 0.0, 1.0, 1.0)
    return abs(greeks[1])
