"""Open interest of one expiry at one minute: ratios, maximum pain, changes by moneyness, walls, concentration.

Open interest that is not known adds nothing. At the money is the strike nearest to the level, of equals the lower;
distances are counted in steps of the expiry. Of equal walls the lowest strike stands.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.features.kernels.snapshot_arrays import (
    DOI_C,
    DOI_C_ATM,
    DOI_C_OTM,
    DOI_P,
    DOI_P_ATM,
    DOI_P_OTM,
    MAX_PAIN,
    OI_C,
    OI_COM_C,
    OI_COM_P,
    OI_ENTROPY_P,
    OI_HHI_C,
    OI_P,
    OI_WALL_DN,
    OI_WALL_STR,
    OI_WALL_UP,
    PCR_OI,
    PCR_OI_ATM5,
    PCR_VOL,
    Memory,
    Session,
    Work,
)
from algomaster.pricing.kernels.dealer_flow import total_payouts
from algomaster.pricing.kernels.elementary import log_ratio

__all__ = ["interest"]

AT_MONEY: Final = 2.5
AROUND: Final = 5.5
OUTSIDE: Final = 10.5
"""Steps from the money: up to 2, up to 5, from 3 to 10; half a step more, as strikes are rounded numbers."""


@kernel(inner=True)
def interest(session: Session, memory: Memory, work: Work, e: int, level: float, row: FloatArray) -> None:
    """Write the columns of open interest and volume of expiry ``e``; those that need a level are NaN without one."""
    calls, puts = work.call_oi, work.put_oi
    for k in range(session.strikes.size):
        calls[k], puts[k] = memory.held[e, k, 0], memory.held[e, k, 1]
    total_c, total_p = _sum(calls), _sum(puts)
    row[OI_C], row[OI_P] = total_c, total_p
    row[PCR_OI] = _ratio(total_p, total_c)
    row[PCR_VOL] = _ratio(_sum(memory.traded[e, :, 1]), _sum(memory.traded[e, :, 0]))
    row[MAX_PAIN] = _max_pain(session.strikes, work)
    row[OI_HHI_C] = _herfindahl(calls, total_c)
    row[OI_ENTROPY_P] = _entropy(puts, total_p)
    row[OI_COM_C] = _centre(session.strikes, calls, total_c) / level - 1.0
    row[OI_COM_P] = _centre(session.strikes, puts, total_p) / level - 1.0
    _changes(session, memory, e, level, total_c, total_p, row)
    _walls(session.strikes, calls, puts, level, row)


@kernel(lean=True, inner=True)
def _sum(values: FloatArray) -> float:
    """Sum of what is known; NaN where nothing is."""
    total = math.nan
    for k in range(values.size):
        if values[k] == values[k]:
            total = values[k] if total != total else total + values[k]
    return total


@kernel(lean=True, inner=True)
def _ratio(above: float, below: float) -> float:
    return above / below if below > 0.0 else math.nan


@kernel(inner=True)
def _max_pain(strikes: FloatArray, work: Work) -> float:
    """Give the strike at which least is paid to the holders of all options; NaN without open interest."""
    calls, puts = work.weight, work.part
    total = 0.0
    for k in range(strikes.size):
        call, put = work.call_oi[k], work.put_oi[k]
        calls[k] = call if call == call else 0.0
        puts[k] = put if put == put else 0.0
        total += calls[k] + puts[k]
    if not total > 0.0:
        return math.nan
    total_payouts(strikes, calls, puts, work.height)
    best, least = math.nan, math.inf
    for k in range(strikes.size):
        listed = work.call_oi[k] == work.call_oi[k] or work.put_oi[k] == work.put_oi[k]
        if listed and work.height[k] < least:
            best, least = strikes[k], work.height[k]
    return best


@kernel(lean=True, inner=True)
def _herfindahl(values: FloatArray, total: float) -> float:
    if not total > 0.0:
        return math.nan
    found = 0.0
    for k in range(values.size):
        share = values[k] / total
        found += share * share if share == share else 0.0
    return found


@kernel(lean=True, inner=True)
def _entropy(values: FloatArray, total: float) -> float:
    """Sum of -p ln p over the ln of the number of strikes that hold any; 0 where one holds all."""
    if not total > 0.0:
        return math.nan
    found, count = 0.0, 0
    for k in range(values.size):
        share = values[k] / total
        if share > 0.0:
            found -= share * log_ratio(share, 1.0)
            count += 1
    return found / log_ratio(float(count), 1.0) if count > 1 else 0.0


@kernel(lean=True, inner=True)
def _centre(strikes: FloatArray, values: FloatArray, total: float) -> float:
    found = 0.0
    for k in range(strikes.size):
        weighted = strikes[k] * values[k]
        found += weighted if weighted == weighted else 0.0
    return _ratio(found, total)


@kernel(lean=True, inner=True)
def _changes(
    session: Session, memory: Memory, e: int, level: float, total_c: float, total_p: float, row: FloatArray
) -> None:
    """Write changes since the open, in all and by moneyness; and the put-call ratio around the money.

    A contract's change counts from when its open interest was first known in this session.
    """
    strikes, step = session.strikes, session.step[e]
    money = _nearest(strikes, level)
    every_c, every_p, near_c, near_p, out_c, out_p, calls, puts = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(strikes.size):
        call = memory.held[e, k, 0] - memory.first[e, k, 0]
        put = memory.held[e, k, 1] - memory.first[e, k, 1]
        call = call if call == call else 0.0
        put = put if put == put else 0.0
        every_c += call
        every_p += put
        away = (strikes[k] - money) / step
        if abs(away) < AT_MONEY:
            near_c += call
            near_p += put
        out_c += call if AT_MONEY < away < OUTSIDE else 0.0
        out_p += put if AT_MONEY < -away < OUTSIDE else 0.0
        if abs(away) < AROUND:
            held_c, held_p = memory.held[e, k, 0], memory.held[e, k, 1]
            calls += held_c if held_c == held_c else 0.0
            puts += held_p if held_p == held_p else 0.0
    row[DOI_C] = every_c if total_c == total_c else math.nan
    row[DOI_P] = every_p if total_p == total_p else math.nan
    if level == level:
        row[PCR_OI_ATM5] = _ratio(puts, calls)
        row[DOI_C_ATM], row[DOI_P_ATM] = _ratio(near_c, total_c), _ratio(near_p, total_p)
        row[DOI_C_OTM], row[DOI_P_OTM] = _ratio(out_c, total_c), _ratio(out_p, total_p)


@kernel(lean=True, inner=True)
def _nearest(strikes: FloatArray, level: float) -> float:
    best = math.nan
    for k in range(strikes.size):
        if best != best or abs(strikes[k] - level) < abs(best - level):
            best = strikes[k]
    return best


@kernel(lean=True, inner=True)
def _walls(strikes: FloatArray, calls: FloatArray, puts: FloatArray, level: float, row: FloatArray) -> None:
    most_c, most_p, wall_c, wall_p = 0.0, 0.0, math.nan, math.nan
    total, count = 0.0, 0
    for k in range(strikes.size):
        if calls[k] == calls[k]:
            total += calls[k]
            count += 1
        if strikes[k] > level and calls[k] > most_c:
            most_c, wall_c = calls[k], strikes[k]
        if strikes[k] < level and puts[k] > most_p:
            most_p, wall_p = puts[k], strikes[k]
    row[OI_WALL_UP] = wall_c / level - 1.0
    row[OI_WALL_DN] = 1.0 - wall_p / level
    row[OI_WALL_STR] = most_c / (total / count) if most_c > 0.0 else math.nan
