"""Ranks contracts against one another at one bar: what ``algo scan`` shows and the momentum strategy trades.

1. :func:`measure` looks at one contract over the last ``rank_minutes`` bars and writes its measures, or says that it is
   out: it has hardly traded, is too cheap, or is quoted too widely.
2. :func:`score_all` gives each contract its place among all in every measure (0 for the lowest, a million for the
   highest, equals share the middle of their places) and adds the places up by weight.
3. :func:`best` names the highest score; of equals, the one that comes first.

Places, weights and scores are integers, so that a tie is a tie. A measure that is not known (NaN) gets the middle
place: it neither helps nor harms.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.pricing.kernels.implied import OK, black_implied
from algomaster.strategy.steps.contract import PPM, Day

CRITERIA: Final = ("momentum", "volume", "interest", "iv", "strength", "liquidity")
"""What contracts are ranked by, in the order of weights and of the first columns of the measures."""
N_CRITERIA: Final = len(CRITERIA)

MOMENTUM: Final = 0
VOLUME: Final = 1
INTEREST: Final = 2
IV: Final = 3
STRENGTH: Final = 4
LIQUIDITY: Final = 5
CHANGE: Final = 6
OI_CHANGE: Final = 7
WIDTH: Final = 8
"""Columns of the measures; the last two are shown, not ranked: percent that premium and open interest have moved."""

IN_VOLATILITY: Final = 0
IN_PERCENT: Final = 1

WEIGHT_UNIT: Final = 1000
"""Weights travel as thousandths."""

QUIET: Final = 0
LONG_BUILDUP: Final = 1
SHORT_BUILDUP: Final = 2
SHORT_COVERING: Final = 3
LONG_UNWINDING: Final = 4
BUILDUPS: Final = ("", "long_buildup", "short_buildup", "short_covering", "long_unwinding")

RANK_PARAMS: Final[list[Any]] = [
    ("rank_minutes", np.int64),
    ("rank_terms", np.int64),
    ("rank_least_price", np.int64),
    ("rank_least_value", np.int64),
    ("rank_most_spread_ppm", np.int64),
    ("rank_iv", np.int64),
    ("rank_weights", np.int64, (N_CRITERIA,)),
]
"""Price and value in paise, 0 for no floor; spread in millionths of the mid, 0 for no ceiling; ``rank_iv`` 1 where
implied volatilities are wanted."""


@kernel(lean=True, inner=True)
def measure(day: Day, params: Record, i: int, instrument: int, index: float, out: Any, at: int) -> bool:
    """Write the measures of a contract at bar ``i`` into ``out[at : at + WIDTH]``; whether it is to be ranked.

    ``index`` is the index's own :func:`drive`. A contract that is not ranked has undefined measures.
    """
    minutes = params[0]["rank_minutes"]
    strikes = day.strikes.size
    e, k, right = instrument // 2 // strikes, instrument // 2 % strikes, instrument % 2
    closes = day.close[e, k, right]
    first, last = _first_known(closes, i - minutes, i), _last_known(closes, i - minutes, i)
    if i < minutes or first == last:
        return False
    then, now = int(np.int64(closes[first])), int(np.int64(closes[last]))
    value = _value(closes, day.volume[e, k, right], i, minutes) * day.tick
    if now * day.tick < params[0]["rank_least_price"] or value < params[0]["rank_least_value"]:
        return False
    if params[0]["rank_most_spread_ppm"] > 0:
        bid, ask = int(np.int64(day.bid[e, k, right, i])), int(np.int64(day.ask[e, k, right, i]))
        if bid > 0 and ask >= bid and 2 * (ask - bid) * PPM > (ask + bid) * params[0]["rank_most_spread_ppm"]:
            return False
    push = drive(closes, i, minutes)
    out[at + CHANGE] = 100 * (now - then) / then
    out[at + MOMENTUM] = push if params[0]["rank_terms"] == IN_VOLATILITY else out[at + CHANGE]
    out[at + VOLUME] = _burst(day.volume[e, k, right], i, minutes, day.lot[e])
    out[at + OI_CHANGE] = _growth(day.oi[e, k, right], i, minutes)
    out[at + INTEREST] = _interest(now - then, out[at + OI_CHANGE])
    out[at + IV] = math.nan
    if params[0]["rank_iv"] == 1:
        out[at + IV] = 100.0 * (_vol(day, e, k, right, last) - _vol(day, e, k, right, first))
    out[at + STRENGTH] = push - index if right == 0 else push + index
    out[at + LIQUIDITY] = value / 100
    return True


@kernel(lean=True, inner=True)
def drive(prices: Any, i: int, minutes: int) -> float:
    """Give the move over the last so many bars in units of its own volatility, NaN where nothing is known.

    The sum of the moves over the root of the sum of their squares: a straight run of n equal moves gives the root of n,
    a walk without direction about 1 in size, whatever the price. Bars without a trade are passed over.
    """
    squares, before, begin, known = 0, 0, 0, 0
    for j in range(max(i - minutes, 0), i + 1):
        price = int(np.int64(prices[j]))
        if price == MISSING:
            continue
        if known == 0:
            begin = price
        else:
            squares += (price - before) * (price - before)
        before = price
        known += 1
    if known < 2:
        return math.nan
    return (before - begin) / math.sqrt(float(squares)) if squares > 0 else 0.0


@kernel(lean=True, inner=True)
def buildup(change: float, oi_change: float) -> int:
    """Name what open interest did as the premium moved."""
    if change == 0.0 or oi_change == 0.0 or math.isnan(change) or math.isnan(oi_change):
        return QUIET
    if oi_change > 0.0:
        return LONG_BUILDUP if change > 0.0 else SHORT_BUILDUP
    return SHORT_COVERING if change > 0.0 else LONG_UNWINDING


@kernel(lean=True, inner=True)
def _first_known(values: Any, low: int, high: int) -> int:
    for j in range(max(low, 0), high + 1):
        if values[j] != MISSING:
            return j
    return -1


@kernel(lean=True, inner=True)
def _last_known(values: Any, low: int, high: int) -> int:
    for j in range(high, max(low, 0) - 1, -1):
        if values[j] != MISSING:
            return j
    return -1


@kernel(lean=True, inner=True)
def _value(closes: Any, volumes: Any, i: int, minutes: int) -> int:
    """Ticks times units traded in the last so many bars."""
    total = 0
    for j in range(max(i - minutes + 1, 0), i + 1):
        if closes[j] != MISSING and volumes[j] != MISSING:
            total += int(np.int64(closes[j])) * volumes[j]
    return total


@kernel(lean=True, inner=True)
def _burst(volumes: Any, i: int, minutes: int, lot: int) -> float:
    """Units a minute in the last fifth of the window over those before, the largest of which is left out.

    A lot is added below, so that a first trade after silence is no infinite burst. NaN where either is not known.
    """
    lately = max(minutes // 5, 1)
    recent, n_recent, earlier, n_earlier, largest = 0, 0, 0, 0, 0
    for j in range(max(i - minutes + 1, 0), i + 1):
        units = volumes[j]
        if units == MISSING:
            continue
        if j > i - lately:
            recent += units
            n_recent += 1
        else:
            earlier += units
            n_earlier += 1
            largest = max(largest, units)
    if n_recent == 0 or n_earlier < 2:
        return math.nan
    return recent / n_recent / ((earlier - largest) / (n_earlier - 1) + lot)


@kernel(lean=True, inner=True)
def _growth(oi: Any, i: int, minutes: int) -> float:
    """Percent by which open interest moved, of the larger of both ends; NaN where it is not known."""
    first, last = _first_known(oi, i - minutes, i), _last_known(oi, i - minutes, i)
    if first == last:
        return math.nan
    return 100 * (oi[last] - oi[first]) / max(oi[last], oi[first], 1)


@kernel(inline=True, lean=True, inner=True)
def _interest(move: int, growth: float) -> float:
    """Give new positions the direction of the premium: above 0 for longs built up, below for shorts, else 0."""
    if math.isnan(growth):
        return growth
    if growth <= 0.0 or move == 0:
        return 0.0
    return growth if move > 0 else -growth


@kernel(lean=True, inner=True)
def _vol(day: Day, e: int, k: int, right: int, j: int) -> float:
    """Implied volatility of a close, on the forward of that bar; NaN where there is none."""
    forward = _forward(day, e, j)
    if math.isnan(forward):
        return math.nan
    price = int(np.int64(day.close[e, k, right, j])) * day.tick
    vol, status = black_implied(
        1 if right == 0 else -1, float(price), forward, float(day.strikes[k]), day.years[e, j], 1.0
    )
    return vol if status == OK else math.nan


@kernel(lean=True, inner=True)
def _forward(day: Day, e: int, j: int) -> float:
    """Forward in paise by put-call parity at the strike nearest the index where both rights traded; else the index."""
    spot = day.spot[j]
    if spot == MISSING:
        return math.nan
    nearest = -1
    for k in range(day.strikes.size):
        both = day.close[e, k, 0, j] != MISSING and day.close[e, k, 1, j] != MISSING
        if both and (nearest < 0 or abs(day.strikes[k] - spot) < abs(day.strikes[nearest] - spot)):
            nearest = k
    if nearest < 0 or abs(day.strikes[nearest] - spot) > 2 * day.strike_step[e]:
        return float(spot)
    gap = int(np.int64(day.close[e, nearest, 0, j])) - int(np.int64(day.close[e, nearest, 1, j]))
    return float(day.strikes[nearest] + gap * day.tick)


# --- places ------------------------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def score_all(measures: Any, weights: Any, n: int, scores: Any) -> None:
    """Write the weighted sum of each of ``n`` contracts' places: of millionths times thousandths of weight.

    ``measures`` (n * WIDTH,), ``weights`` (N_CRITERIA,); a negative weight wants a low place.
    """
    for a in range(n):
        total = 0
        for c in range(N_CRITERIA):
            weight = weights[c]
            if weight != 0:
                place = place_of(measures, n, a, c)
                total += weight * place if weight > 0 else -weight * (PPM - place)
        scores[a] = total


@kernel(lean=True, inner=True)
def place_of(measures: Any, n: int, a: int, c: int) -> int:
    """Place of contract ``a`` among all by criterion ``c`` in millionths."""
    value = measures[a * WIDTH + c]
    if math.isnan(value):
        return PPM // 2
    below, equal, known = 0, 0, 0
    for b in range(n):
        other = measures[b * WIDTH + c]
        if other < value:
            below += 1
        elif other == value:
            equal += 1
        if not math.isnan(other):
            known += 1
    if known < 2:
        return PPM // 2
    return (2 * below + equal - 1) * PPM // (2 * (known - 1))


@kernel(inline=True, lean=True, inner=True)
def full_score(weights: Any) -> int:
    """Give the score of a contract that has the best place in everything."""
    total = 0
    for c in range(N_CRITERIA):
        total += abs(weights[c])
    return total * PPM


@kernel(lean=True, inner=True)
def best(scores: Any, n: int) -> int:
    """Index of the highest score, the first of equals; -1 where all are gone (negative)."""
    found = -1
    for a in range(n):
        if scores[a] >= 0 and (found < 0 or scores[a] > scores[found]):
            found = a
    return found


# --- all of a session, for hosts ---------------------------------------------------------------------------------


@kernel
def measure_all(day: Day, params: Record, i: int, room: int, contracts: Any, measures: Any) -> int:
    """Write number and measures of each of the first ``room`` contracts that is to be ranked; give how many.

    ``contracts`` (room,) int64, ``measures`` (room * WIDTH,) float64.
    """
    index = drive(day.spot, i, params[0]["rank_minutes"])
    n = 0
    for contract in range(room):
        if measure(day, params, i, contract, index, measures, n * WIDTH):
            contracts[n] = contract
            n += 1
    return n


@kernel
def place_all(measures: Any, weights: Any, n: int, scores: Any, places: Any, kinds: Any) -> None:
    """Write scores (n,), places by each criterion (n, N_CRITERIA) and what open interest says (n,), all int64."""
    score_all(measures, weights, n, scores)
    for a in range(n):
        kinds[a] = buildup(measures[a * WIDTH + CHANGE], measures[a * WIDTH + OI_CHANGE])
        for c in range(N_CRITERIA):
            places[a, c] = place_of(measures, n, a, c)
