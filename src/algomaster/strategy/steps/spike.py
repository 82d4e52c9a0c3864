"""A spike of volatility: what there was before it, how high it is, whether it has fallen back or comes a second time.

A spike is measured twice, each time as a part of what there was before it: by the volatility at the money, and by the
premium of the stopped straddle over what Black-76 makes of it at the volatility before the spike, the forward and the
business time of now. So neither the passing of time nor a move of the index looks like a crush.

The state of a strategy that uses it has the fields :data:`SPIKE_STATE`, its parameters :data:`SPIKE_PARAMS`.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.atm_vol import expiry_of, forward_of, premium_of, straddle_worth, vol_at, vol_of
from algomaster.strategy.steps.contract import NO_INSTRUMENT, Day, at_the_money, instrument_of

IV: Final = 0
PREMIUM: Final = 1
EITHER: Final = 2
BOTH: Final = 3
"""What tells a spike and its crush."""

CALM: Final = 0
FALLEN: Final = 1
SECOND: Final = 2
"""What :func:`follow` sees: nothing to act on, the spike fallen back, a second spike."""

SPIKE_PARAMS: Final[list[Any]] = [
    ("before", np.int64),
    ("watch", np.int64),
    ("spike", np.float64),
    ("fall", np.float64),
    ("again", np.float64),
]
"""``before`` in minutes, the last three parts of 1; 0 for "not used"."""

SPIKE_STATE: Final[list[Any]] = [
    ("sold", np.int64),
    ("pair", np.int64),
    ("vol", np.float64),
    ("peak", np.float64, (2,)),
    ("dipped", np.int64, (2,)),
]
"""``sold`` bar of the sale (-1 on an earlier session), ``pair`` what was sold, ``vol`` at the sale, after the stop that
before the spike, ``peak`` of the spike by IV and by PREMIUM, ``dipped`` whether it has come off that."""


@kernel(lean=True, inner=True)
def look_back(state: Record, params: Record, day: Day, i: int) -> None:
    """Start to measure at bar ``i``; volatility before was that of some minutes ago, at the earliest of the sale."""
    pair = state[0]["pair"]
    if params[0]["before"] > 0 and pair != NO_INSTRUMENT:
        j = i - params[0]["before"]
        vol = math.nan
        while j > state[0]["sold"] and not vol > 0.0:
            vol = vol_at(day, expiry_of(day, pair), j)
            j -= 1
        if vol > 0.0:
            state[0]["vol"] = vol
    for m in range(2):
        state[0]["peak"][m] = 0.0
        state[0]["dipped"][m] = 0
    follow(state, params, day, i)


@kernel(lean=True, inner=True)
def _level(state: Record, day: Day, forward: float, i: int, measure: int) -> float:
    """How far the volatility at the money, or the premium, is above that before the spike, as a part of it; or NaN."""
    pair, vol = state[0]["pair"], state[0]["vol"]
    if measure == IV:
        expiry = expiry_of(day, pair)
        nearest = instrument_of(day, expiry, at_the_money(day, expiry, day.spot[i]), 0)
        return vol_of(day, nearest, forward, i) / vol - 1.0
    premium = premium_of(day, pair, i)
    usual = straddle_worth(day, pair, forward, vol, i)
    if premium == MISSING or not usual > 0.0:
        return math.nan
    return float(premium * day.tick) / usual - 1.0


@kernel(lean=True, inner=True)
def follow(state: Record, params: Record, day: Day, i: int) -> int:
    """Take bar ``i`` into what is known of the spike; say FALLEN, SECOND or CALM. A bar without prices says nothing."""
    if state[0]["pair"] == NO_INSTRUMENT:
        return CALM
    forward = forward_of(day, expiry_of(day, state[0]["pair"]), i)
    if not forward > 0.0:
        return CALM
    watch = params[0]["watch"]
    fallen, watched = 0, 0
    second = False
    for m in range(2):
        if watch < EITHER and watch != m:
            continue
        watched += 1
        level, peak = _level(state, day, forward, i, m), state[0]["peak"][m]
        if level > peak:
            second = second or state[0]["dipped"][m] == 1
            state[0]["peak"][m] = level
        elif peak >= params[0]["spike"] and level == level:
            if params[0]["again"] > 0.0 and level <= peak * (1.0 - params[0]["again"]):
                state[0]["dipped"][m] = 1
            if level <= peak * (1.0 - params[0]["fall"]):
                fallen += 1
    if second:
        return SECOND
    return FALLEN if fallen > 0 and (watch != BOTH or fallen == watched) else CALM
