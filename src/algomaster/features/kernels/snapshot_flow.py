"""What open interest and volatilities of one expiry make together: exposures, the flip, Greeks at the money.

Definitions are those of :func:`algomaster.pricing.exposure`, of which the kernels are used; both rights of a strike
have the volatility of the option out of the money, and open interest counts units. What is unknown is left out.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import CALL, PUT, FloatArray
from algomaster.features.kernels.snapshot_arrays import (
    ATM_GAMMA,
    ATM_THETA,
    ATM_VEGA,
    CHARM_NET,
    DEX_NET,
    GEX_FLIP,
    GEX_NET,
    MINUTES_A_YEAR,
    STRADDLE_ATM,
    VANNA_NET,
    Work,
)
from algomaster.pricing.kernels.dealer_flow import gamma_root, gamma_terms, hedge_greeks_loop
from algomaster.pricing.kernels.elementary import exp, log_ratio
from algomaster.pricing.kernels.vanilla import black_greeks

__all__ = ["REACH", "at_the_money", "flow"]

REACH: Final = 0.05
"""ln(spot / level) to either side in which the flip is looked for."""
FINEST: Final = 0.001
COARSEST: Final = 0.005
_PERCENT: Final = 0.01
_INV_SQRT2: Final = math.sqrt(0.5)


@kernel(inner=True)
def flow(
    strikes: FloatArray, work: Work, level: float, forward: float, t: float, discount: float, sign_call: float,
    sign_put: float, row: FloatArray,
) -> None:  # fmt: skip
    """Write net gamma exposure, its flip, delta exposure, and net vanna and charm over their sizes."""
    hedge_greeks_loop(work.ones, level, strikes, work.t, work.vol, work.forward, work.discount, work.greeks)
    whole = discount * forward / level  # delta of a call less that of the put
    drift = -(log_ratio(discount, 1.0) + log_ratio(forward, level)) / t  # rate less carry: the yield
    gex, dex, vanna, vanna_size, charm, charm_size = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    known = 0
    for k in range(strikes.size):
        delta, gamma, by_vol, by_time = work.greeks[0, k], work.greeks[1, k], work.greeks[2, k], work.greeks[3, k]
        call = work.call_oi[k] if work.call_oi[k] == work.call_oi[k] else 0.0
        put = work.put_oi[k] if work.put_oi[k] == work.put_oi[k] else 0.0
        if delta == delta and gamma == gamma and call + put > 0.0:
            known += 1
            gex += (sign_call * call + sign_put * put) * gamma
            dex += call * delta + put * (delta - whole)
            vanna += (call + put) * by_vol
            vanna_size += (call + put) * abs(by_vol)
            put_by_time = by_time - drift * whole
            charm += call * by_time + put * put_by_time
            charm_size += call * abs(by_time) + put * abs(put_by_time)
    if known == 0:
        return
    row[GEX_NET] = gex * (level * level * _PERCENT)
    row[DEX_NET] = dex * level
    row[VANNA_NET] = vanna / vanna_size if vanna_size > 0.0 else math.nan
    row[CHARM_NET] = charm / charm_size if charm_size > 0.0 else math.nan
    row[GEX_FLIP] = _flip(strikes, work, level, sign_call, sign_put)


@kernel(inner=True)
def at_the_money(
    strikes: FloatArray, work: Work, centre: int, level: float, forward: float, t: float, rate: float,
    discount: float, row: FloatArray,
) -> None:  # fmt: skip
    """Write gamma, theta and vega of the straddle at the money, the strike where call and put cost most nearly equal.

    Gamma is that for a move of 1 % and vega that for 1.00 of volatility, both over the straddle's price; theta is in
    rupees for a minute of trading.
    """
    carry = log_ratio(forward, level) / t
    growth = forward / level
    vol, strike = work.vol[centre], strikes[centre]
    _, _, gamma, vega, theta, _ = black_greeks(CALL, level, strike, t, vol, rate, rate - carry, growth, discount)
    _, _, _, _, put_theta, _ = black_greeks(PUT, level, strike, t, vol, rate, rate - carry, growth, discount)
    premium = row[STRADDLE_ATM]
    row[ATM_GAMMA] = 2.0 * gamma * (level * level * _PERCENT) / premium
    row[ATM_THETA] = (theta + put_theta) / MINUTES_A_YEAR
    row[ATM_VEGA] = 2.0 * vega / premium


@kernel(inner=True)
def _flip(strikes: FloatArray, work: Work, level: float, sign_call: float, sign_put: float) -> float:
    """Give the nearest spot at which net gamma, computed anew there, changes its sign; NaN without one within reach.

    The search goes outward on both sides in steps of half a deviation, and narrows down where the sign has changed.
    """
    count = 0
    for k in range(strikes.size):
        call = work.call_oi[k] if work.call_oi[k] == work.call_oi[k] else 0.0
        put = work.put_oi[k] if work.put_oi[k] == work.put_oi[k] else 0.0
        weight = sign_call * call + sign_put * put
        if weight != 0.0 and work.greeks[1, k] == work.greeks[1, k]:
            work.strike[count], work.price[count], work.weight[count] = strikes[k], work.vol[k], weight
            count += 1
    slope, offset, height = work.slope[:count], work.offset[:count], work.height[:count]
    gamma_terms(
        level, work.strike[:count], work.t[:count], work.price[:count], work.forward[:count], work.discount[:count],
        work.weight[:count], slope, offset, height,
    )  # fmt: skip
    steepest = 0.0
    for k in range(count):
        steepest = max(steepest, slope[k])
    step = min(max(0.5 * _INV_SQRT2 / steepest, FINEST), COARSEST) if count else REACH
    part = work.part[:count]
    here = _net(0.0, slope, offset, height, part)
    up, down, x_up, x_down = here, here, 0.0, 0.0
    for n in range(1, int(REACH / step) + 1):
        x = n * step
        above, below = _net(x, slope, offset, height, part), _net(-x, slope, offset, height, part)
        found_up, found_down = above * up < 0.0, below * down < 0.0
        if found_up or found_down:
            root_up = gamma_root(x_up, x, slope, offset, height) if found_up else math.inf
            root_down = gamma_root(-x, -x_down, slope, offset, height) if found_down else -math.inf
            spot_up, spot_down = exp(root_up), exp(root_down)
            return level * (spot_up if spot_up - 1.0 <= 1.0 - spot_down else spot_down)
        if above != 0.0:
            up, x_up = above, x
        if below != 0.0:
            down, x_down = below, x
    return math.nan


@kernel(lean=True, inner=True)
def _net(x: float, slope: FloatArray, offset: FloatArray, height: FloatArray, part: FloatArray) -> float:
    """Net gamma in proportion at ln(spot / level) = x; the terms by vector code, their sum in their order."""
    for k in range(slope.size):
        u = slope[k] * x + offset[k]
        part[k] = height[k] * exp(-u * u)
    total = 0.0
    for k in range(slope.size):
        total += part[k]
    return total
