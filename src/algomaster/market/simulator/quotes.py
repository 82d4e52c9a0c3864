"""Option bars from the path and the surface: mids, quotes, trades, volume and open interest.

For every expiry, strike and minute:

1. At each point of the minute the out-of-the-money option is priced from the smile, the other one by parity
   (:func:`pair_mids`).
2. Its quotes lie around the mid on the tick grid, at least one tick apart and never below one tick
   (:func:`quote`, :func:`spread`).
3. Whether the contract trades in the minute depends on its expected volume (:func:`expected_lots`); a trade happens at
   the minute's last point and by chance at the others, anywhere from bid to ask. Open, high, low and close are those
   of the trades; a minute without any is MISSING with volume 0.
4. Open interest moves towards its target for the session's hour, never by more than what was traded.

During a halt nothing is quoted or traded.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.market.simulator.model import MarketModel
from algomaster.market.simulator.surface import otm_price, smile_variance
from algomaster.pricing.kernels.elementary import exp, log_ratio

__all__ = ["Bars", "MarketPoints", "QuoteParams", "option_bars", "pair_mids", "quote_params"]

_NEAR_EXPIRY = 30.0
_OPENING = 5.0
_SMALLEST_MOVE = 0.008
"""Moves below this count as this in the reach of volume: on an expiry afternoon contracts a few strikes off trade."""


class QuoteParams(NamedTuple):
    """What the bars read of a :class:`~algomaster.market.simulator.model.MarketModel`, which documents it."""

    curvature: float
    spread_share: float
    spread_term: float
    itm_spread: float
    itm_spread_term: float
    open_spread: float
    expiry_spread: float
    lots_a_minute: float
    lots_a_trade: float
    otm_decay: float
    itm_decay: float


class MarketPoints(NamedTuple):
    """The market at N = M x P points of a session (P points a minute)."""

    forward: FloatArray
    """(E, N) paise."""
    theta: FloatArray
    """(E, N) at-the-money total variance."""
    years: FloatArray
    """(E, N) business time to expiry."""
    minutes_left: FloatArray
    """(E, N) minutes of the clock to expiry."""
    discount: FloatArray
    """(E, N)."""
    rho: FloatArray
    """(N,) smile correlation."""
    since_open: FloatArray
    """(N,) minutes."""


class Bars(NamedTuple):
    """Where the bars go: the arrays of a ``ChainDay``."""

    open: NDArray[np.int32]
    high: NDArray[np.int32]
    low: NDArray[np.int32]
    close: NDArray[np.int32]
    bid: NDArray[np.int32]
    ask: NDArray[np.int32]
    volume: IntArray
    oi: IntArray


def quote_params(model: MarketModel) -> QuoteParams:
    """Take the quotes' parameters out of a model."""
    return QuoteParams(*(float(getattr(model, name)) for name in QuoteParams._fields))


@kernel
def pair_mids(
    forward: float, strike: float, theta: float, rho: float, eta: float, discount: float
) -> tuple[float, float, float]:
    """Give call mid, put mid (in the forward's unit) and total variance of a strike."""
    k = log_ratio(strike, forward)
    total = smile_variance(k, theta, rho, eta)
    otm = otm_price(forward, strike, k, total, discount)
    intrinsic = discount * (forward - strike)
    if k >= 0.0:
        return otm, otm - intrinsic, total
    return otm + intrinsic, otm, total


@kernel
def spread(mid: float, out_by: float, move: float, years: float, urgency: float, p: QuoteParams) -> float:
    """Give the bid-ask spread in paise before it is widened to the tick grid.

    Parameters
    ----------
    mid : paise
    out_by : how far out of the money, paise; negative in the money
    move : standard deviation of the underlying until expiry, paise
    years : business time to expiry
    urgency : multiple for the open and the last minutes
    p : QuoteParams
    """
    width = p.spread_share * (1.0 + p.spread_term * years) * mid
    if out_by < 0.0 and move > 0.0:
        depth = out_by / move
        deep = p.itm_spread * (1.0 + p.itm_spread_term * years) * move * depth * depth
        width += min(deep, 0.02 * mid)  # the deepest quotes of the snapshots are 2 to 3 percent wide
    return width * urgency


@kernel
def quote(mid: float, width: float, tick: float) -> tuple[int, int]:
    """Give bid and ask in ticks around a mid in paise: at least a tick apart, the bid at least one tick."""
    bid = max(math.floor((mid - 0.5 * width) / tick), 1)
    ask = max(math.ceil((mid + 0.5 * width) / tick), bid + 1)
    return int(bid), int(ask)


@kernel
def expected_lots(out_by: float, reach: float, base: float, p: QuoteParams) -> float:
    """Give the volume in lots to expect of a contract ``out_by`` out of the money (any unit, as ``reach``)."""
    depth = out_by / reach
    return base * exp(-p.otm_decay * depth if depth > 0.0 else p.itm_decay * depth)


@kernel
def option_bars(
    points: MarketPoints,
    strikes: IntArray,
    traded: NDArray[np.bool_],
    activity: FloatArray,
    near: float,
    tick: int,
    lots: IntArray,
    popularity: FloatArray,
    weights: FloatArray,
    oi_targets: FloatArray,
    draws: NDArray[np.float32],
    p: QuoteParams,
    bars: Bars,
) -> None:
    """Fill the bars of all contracts of a session.

    Parameters
    ----------
    points : MarketPoints
    strikes : (K,) paise
    traded : (M,) False in a halt
    activity : (M,) volume of the minute relative to the session's mean
    near : distance from the forward, paise, within which every minute trades
    tick : paise
    lots : (E,) units in a lot
    popularity : (E,) volume at the money on a plain strike relative to ``lots_a_minute``
    weights : (K,) popularity of each strike
    oi_targets : (E, K, 2, 2) open interest in units before the first minute and after the last
    draws : (E, K, 2, M, P + 2) uniform in [0, 1): does it trade, how much, and the trades' places between bid and ask
    p : QuoteParams
    bars : Bars of (E, K, 2, M)
    """
    E, K, M = lots.size, strikes.size, activity.size
    P = points.rho.size // M
    bid, ask = np.zeros((2, P), np.int64), np.zeros((2, P), np.int64)
    units = np.zeros(2, np.int64)
    for e in range(E):
        base = p.lots_a_minute * popularity[e]
        for k in range(K):
            strike = float(strikes[k])
            for r in range(2):
                units[r] = _whole_lots(oi_targets[e, k, r, 0], lots[e])
            for i in range(M):
                if not traded[i]:
                    for r in range(2):
                        bars.volume[e, k, r, i] = 0
                        bars.oi[e, k, r, i] = units[r]
                    continue
                out_by = _quote_minute(points, e, i, P, strike, float(tick), p, bid, ask)
                last = (i + 1) * P - 1
                reach = points.forward[e, last] * math.sqrt(points.theta[e, last] + _SMALLEST_MOVE * _SMALLEST_MOVE)
                for r in range(2):
                    bars.bid[e, k, r, i] = bid[r, P - 1]
                    bars.ask[e, k, r, i] = ask[r, P - 1]
                    expected = expected_lots(out_by if r == 0 else -out_by, reach, base * weights[k] * activity[i], p)
                    volume = lots[e] * _lots(expected, abs(out_by) <= near, draws[e, k, r, i], p.lots_a_trade)
                    if volume > 0:
                        _trade(bid[r], ask[r], expected / p.lots_a_trade, draws[e, k, r, i], e, k, r, i, bars)
                    target = oi_targets[e, k, r, 0] + (oi_targets[e, k, r, 1] - oi_targets[e, k, r, 0]) * (i + 1) / M
                    change = _whole_lots(target, lots[e]) - units[r]
                    units[r] += min(max(change, -volume), volume)
                    bars.volume[e, k, r, i] = volume
                    bars.oi[e, k, r, i] = units[r]


@kernel
def _quote_minute(
    points: MarketPoints,
    e: int,
    i: int,
    P: int,
    strike: float,
    tick: float,
    p: QuoteParams,
    bid: IntArray,
    ask: IntArray,
) -> float:
    """Quote call and put at the minute's points; give how far the call is out of the money at the last."""
    forward = 0.0
    for s in range(P):
        j = i * P + s
        forward = points.forward[e, j]
        call, put, total = pair_mids(
            forward, strike, points.theta[e, j], points.rho[j], p.curvature, points.discount[e, j]
        )
        move = forward * math.sqrt(total)
        urgency = 1.0 + p.open_spread * exp(-points.since_open[j] / _OPENING)
        urgency += p.expiry_spread * exp(-points.minutes_left[e, j] / _NEAR_EXPIRY)
        years = points.years[e, j]
        width = spread(call, strike - forward, move, years, urgency, p)
        bid[0, s], ask[0, s] = quote(call, width, tick)
        width = spread(put, forward - strike, move, years, urgency, p)
        bid[1, s], ask[1, s] = quote(put, width, tick)
    return float(strike - forward)


@kernel
def _lots(expected: float, near: bool, draws: NDArray[np.float32], lots_a_trade: float) -> int:
    """Draw the lots of a minute: 0 with the chance that no trade arrives, else about their mean given some."""
    none = exp(-expected / lots_a_trade)
    if float(draws[0]) < none and not near:
        return 0
    mean = expected / max(1.0 - none, 1e-9)
    size = 0.25 - 0.75 * log_ratio(1.0 - float(draws[1]), 1.0)
    return max(1, math.floor(mean * size))


@kernel
def _trade(
    bid: IntArray,
    ask: IntArray,
    trades: float,
    draws: NDArray[np.float32],
    e: int,
    k: int,
    r: int,
    i: int,
    bars: Bars,
) -> None:
    """Trade at the last point, and at each other one if a draw says so; ``trades`` is their expected number."""
    P = bid.size
    chance = 1.0 - exp(-trades / P)
    opened = False
    first, high, low, price = 0, 0, 0, 0
    for s in range(P):
        place = float(draws[2 + s])
        if s < P - 1:
            if place >= chance:
                continue
            place /= chance
        price = bid[s] + min(int(place * (ask[s] - bid[s] + 1)), ask[s] - bid[s])
        if not opened:
            opened, first, high, low = True, price, price, price
        high, low = max(high, price), min(low, price)
    bars.open[e, k, r, i] = first
    bars.high[e, k, r, i] = high
    bars.low[e, k, r, i] = low
    bars.close[e, k, r, i] = price


@kernel
def _whole_lots(units: float, lot: int) -> int:
    return int(units / lot + 0.5) * lot
