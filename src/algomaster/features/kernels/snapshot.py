"""One minute of a chain: everything that features of open interest and of the surface need, O(strikes).

1. :func:`_remember` takes in open interest and volume of the minutes that have closed since the last call.
2. :func:`_nearest` finds the nearest expiry that is still alive at the bar's end: whose last minute has not closed.
3. Prices are the middle of bid and ask where both stand, else the close of the bar, else missing; forwards follow from
   put-call parity (:mod:`~algomaster.features.kernels.snapshot_prices`).
4. Where the index has not been seen at all yet the nearest forward stands for it; once it has been, a minute without it
   has no level (:func:`_level`).
5. Sums, walls and maximum pain of the nearest expiry's open interest (``snapshot_interest``); if wanted its
   implied volatilities and smile (``snapshot_smile``), and what they make of the open interest (``snapshot_flow``).

The session is read at the bars up to ``i`` and no further. Missing is NaN.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, FloatArray, IntArray
from algomaster.features.kernels.snapshot_arrays import (
    CHAIN_LEVEL,
    FORWARD,
    FORWARD_NEXT,
    HELD,
    IV_MONTH,
    IV_NEAR,
    IV_NEXT,
    MINUTES_A_YEAR,
    NEAR_EXPIRY,
    NEXT_EXPIRY,
    PARITY_GAP,
    STRADDLE_ATM,
    T_NEAR,
    T_NEXT,
    Memory,
    Session,
    Work,
    work_in,
)
from algomaster.features.kernels.snapshot_flow import at_the_money, flow
from algomaster.features.kernels.snapshot_interest import interest
from algomaster.features.kernels.snapshot_prices import around, imply, parity_forward, prices, vol_at_forward
from algomaster.features.kernels.snapshot_smile import smile
from algomaster.pricing.kernels.elementary import exp

__all__ = ["MONTH", "snapshots"]

MONTH: Final = 21.0 / 252.0
"""Years of the constant maturity: 21 sessions."""

_PAISE: Final = 100.0


@kernel
def snapshots(
    session: Session, memory: Memory, room: FloatArray, whole: IntArray, few: FloatArray, first: int, last: int,
    rate: float, sign_call: float, sign_put: float, volatility: bool, out: FloatArray,
) -> None:  # fmt: skip
    """Write minutes ``first`` to ``last - 1`` into the rows of ``out`` (T, columns).

    Parameters
    ----------
    session : Session
    memory : Memory
        Of the minutes before ``first``, or of nothing: it is brought up to date.
    room, whole, few
        Of :func:`~algomaster.features.kernels.snapshot_arrays.room_for`.
    first, last : int
    rate : float
        Continuously compounded, per year.
    sign_call, sign_put : float
        How dealers are assumed to stand in calls and in puts.
    volatility : bool
        Whether to imply volatilities; else what needs them stays NaN.
    out : (T, columns)
    """
    work = work_in(room, whole, few)
    for i in range(first, last):
        _snapshot(session, memory, work, i, rate, sign_call, sign_put, volatility, out[i - first])


@kernel(inner=True)
def _snapshot(
    session: Session, memory: Memory, work: Work, i: int, rate: float, sign_call: float, sign_put: float,
    volatility: bool, row: FloatArray,
) -> None:  # fmt: skip
    for c in range(row.size):
        row[c] = math.nan
    _remember(session, memory, i)
    near = _nearest(session, i)
    if near < 0:
        return
    t = _years(session, near, i)
    discount = exp(-rate * t)
    prices(session, near, i, work.calls, work.puts)
    centre, forward, gap = parity_forward(session.strikes, work.calls, work.puts, discount, work.few)
    level = _level(session, i, forward)
    row[CHAIN_LEVEL], row[NEAR_EXPIRY], row[T_NEAR], row[FORWARD] = level, session.expiries[near], t, forward
    row[PARITY_GAP] = gap / level
    if centre >= 0:
        row[STRADDLE_ATM] = work.calls[centre] + work.puts[centre]
    interest(session, memory, work, near, level, row)
    if near + 1 < session.expiries.size:
        row[NEXT_EXPIRY], row[T_NEXT] = session.expiries[near + 1], _years(session, near + 1, i)
    if volatility and centre >= 0:
        step = session.step[near]
        smile(session.strikes, work, centre, forward, t, discount, step, row)
        if level == level:
            flow(session.strikes, work, level, forward, t, discount, sign_call, sign_put, row)
            at_the_money(session.strikes, work, centre, level, forward, t, rate, discount, row)
    if volatility or near + 1 < session.expiries.size:
        _later(session, work, near, i, rate, volatility, row)


@kernel(lean=True, inner=True)
def _remember(session: Session, memory: Memory, i: int) -> None:
    """Take in the minutes after the last one known, ``i`` included."""
    begin = memory.upto[0] + 1
    if begin > i:
        return
    for e in range(min(HELD, session.expiries.size)):
        for k in range(session.strikes.size):
            for r in range(2):
                oi, volume = session.oi[e, k, r], session.volume[e, k, r]
                first, held, traded = memory.first[e, k, r], memory.held[e, k, r], memory.traded[e, k, r]
                for m in range(begin, i + 1):
                    if oi[m] != MISSING:
                        held = float(oi[m])
                        first = held if first != first else first
                    if volume[m] != MISSING:
                        traded = float(volume[m]) if traded != traded else traded + float(volume[m])
                memory.first[e, k, r], memory.held[e, k, r], memory.traded[e, k, r] = first, held, traded
    memory.upto[0] = i


@kernel(lean=True, inner=True)
def _years(session: Session, e: int, i: int) -> float:
    """Years of trading from the end of bar ``i`` to the expiry."""
    return float(session.after[e] + (session.spot.size - 1 - i)) / MINUTES_A_YEAR


@kernel(lean=True, inner=True)
def _nearest(session: Session, i: int) -> int:
    for e in range(min(HELD, session.expiries.size)):
        if _years(session, e, i) > 0.0:
            return e
    return -1


@kernel(lean=True, inner=True)
def _level(session: Session, i: int, forward: float) -> float:
    if session.spot[i] != MISSING:
        return float(session.spot[i]) / _PAISE
    for m in range(i):
        if session.spot[m] != MISSING:
            return math.nan
    return forward


@kernel(inner=True)
def _later(session: Session, work: Work, near: int, i: int, rate: float, volatility: bool, row: FloatArray) -> None:
    """Write the next expiry's forward and volatility, and the volatility of a constant month.

    Total variance at the money is a straight line in time between the expiries around :data:`MONTH`; where all are on
    one side, the volatility of the nearest of them stands. Prices and volatilities in
    ``work`` are overwritten.
    """
    t_low, low, t_high, high = math.nan, math.nan, math.nan, math.nan
    for e in range(near, session.expiries.size):
        t = _years(session, e, i)
        if e > near:
            discount = exp(-rate * t)
            prices(session, e, i, work.calls, work.puts)
            centre, forward, _ = parity_forward(session.strikes, work.calls, work.puts, discount, work.few)
            vol = math.nan
            if volatility and centre >= 0:
                below, above = around(session.strikes, work, forward, session.step[e])
                if above >= 0:
                    first = below if below >= 0 else above
                    imply(session.strikes, work, forward, t, discount, first, above + 1)
                    vol = vol_at_forward(session.strikes, work.vol, forward, below, above)
            if e == near + 1:
                row[FORWARD_NEXT], row[IV_NEXT] = forward, vol
        else:
            vol = row[IV_NEAR]
        if vol == vol:
            if t < MONTH:
                t_low, low = t, vol
            elif t_high != t_high:
                t_high, high = t, vol
        if e > near and (t_high == t_high or not volatility):
            break
    if t_low != t_low or t_high != t_high:
        row[IV_MONTH] = high if t_low != t_low else low
    else:
        w_low, w_high = low * low * t_low, high * high * t_high
        row[IV_MONTH] = math.sqrt((w_low + (w_high - w_low) * ((MONTH - t_low) / (t_high - t_low))) / MONTH)
