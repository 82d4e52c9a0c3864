"""A straddle whose delta is hedged: sold for the decay, or bought for the swings (gamma scalping).

The step, bar by bar (``docs/strategies/delta-hedge.md`` has the picture):

1. ``WAIT`` until the entry minute, then open the straddle; ``ENTERING`` until it is whole.
2. ``HELD``: leave everything at the exit minute, or where the whole book has lost (made) the stop's (target's) part of
   the premium. Else, where no order is waiting and the net delta is beyond the band or the interval is over, trade the
   whole lots that bring it nearest to zero (:func:`_hedge`), in the nearest future or in a synthetic one: a call bought
   and a put sold at the strike that was at the money at the first hedge.
3. ``LEAVING`` until everything is gone; ``DONE`` for the session.

Delta is Black-76's by the forward of put-call parity, at the volatility at which the strike's option out of the money
trades; a unit of the future, or of the synthetic one, counts 1. A bar without these prices changes nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.atm_vol import expiry_of, forward_of, premium_of, straddle_delta
from algomaster.strategy.steps.contract import (
    HEDGE,
    INCOMPLETE,
    MARKET,
    N_LEGS,
    N_ORDERS,
    NO_CONTRACT,
    NO_INSTRUMENT,
    OVERALL_STOP,
    OVERALL_TARGET,
    PPM,
    TIME,
    TOO_LATE,
    Book,
    Day,
    at_the_money,
    call_off,
    cancel,
    close,
    close_of,
    enter,
    future,
    instrument_of,
    is_done,
    is_open,
    is_waiting,
    place,
    position,
    realised,
    sleep,
)
from algomaster.strategy.steps.pair import HOPELESS, PARTLY, open_pair, paid, profit, standing_of
from algomaster.strategy.steps.sizing import SIZING_PARAMS, SIZING_STATE, lots_short

WAIT: Final = 0
ENTERING: Final = 1
HELD: Final = 2
LEAVING: Final = 3
DONE: Final = 4

FUTURE: Final = 0
SYNTHETIC: Final = 1

PARAMS: Final = np.dtype(
    [
        *(
            (name, np.int64)
            for name in (
                "entry", "exit", "patience", "expiry", "side", "lots", "hedge_with", "every", "stop_ppm", "target_ppm",
            )
        ),
        ("band", np.float64),
        *SIZING_PARAMS,
    ]
)  # fmt: skip
"""``side`` +1 buys, -1 sells; ``every`` in minutes and ``band`` in lots, 0 for "not used"."""

STATE: Final = np.dtype(
    [
        *((name, np.int64) for name in ("phase", "since", "lots", "pair", "base", "synthetic", "reason")),
        ("legs", np.int64, (2,)),
        ("hedge", np.int64, (2,)),
        *SIZING_STATE,
    ]
)
"""``since`` minute of the decision to enter, then of the last look at the delta by interval; ``synthetic`` the pair of
the synthetic future, -1 until the first hedge; ``hedge`` legs of the future, or of its call and put, -1 for none."""


@kernel(inline=True, lean=True, inner=True)
def step(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    """Decide on bar ``i``, which has just closed."""
    if i == 0:
        state[0]["phase"] = WAIT
        state[0]["base"] = realised(book)
        state[0]["synthetic"] = NO_INSTRUMENT
        state[0]["hedge"][0] = -1
        state[0]["hedge"][1] = -1
    phase = state[0]["phase"]
    now = day.first_minute + i + 1
    if phase == WAIT:
        _wait(state, params, day, i, now, book)
    elif phase in (ENTERING, HELD):
        _hold(state, params, day, i, now, book)
    elif phase == LEAVING:
        _leave(state, i, book)
    if state[0]["phase"] == DONE:
        sleep(book, day.ts.size)


@kernel(lean=True, inner=True)
def _wait(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    if now < params[0]["entry"]:
        sleep(book, params[0]["entry"] - day.first_minute - 1)
    elif now >= params[0]["exit"]:
        state[0]["phase"] = DONE
    elif now > params[0]["entry"] + params[0]["patience"]:
        call_off(book, TOO_LATE)
        state[0]["phase"] = DONE
    elif day.spot[i] != MISSING:
        pair = _at_money(day, params[0]["expiry"], i)
        if pair == NO_INSTRUMENT:
            call_off(book, NO_CONTRACT)
            state[0]["phase"] = DONE
            return
        lot = day.lot[params[0]["expiry"]]
        lots = lots_short(state, params, day, i, book, params[0]["lots"], lot if params[0]["side"] < 0 else 0)
        if lots <= 0:
            state[0]["phase"] = DONE
            return
        state[0]["lots"] = lots
        state[0]["pair"] = pair
        state[0]["since"] = now
        state[0]["phase"] = ENTERING
        open_pair(state, book, i, pair, params[0]["side"] * lots * lot)


@kernel(lean=True, inner=True)
def _at_money(day: Day, expiry: int, i: int) -> int:
    """Pair at the money; needs the index. NO_INSTRUMENT where the session has none."""
    if expiry >= day.expiries.size:
        return NO_INSTRUMENT
    return instrument_of(day, expiry, at_the_money(day, expiry, day.spot[i]), 0)


@kernel(lean=True, inner=True)
def _hold(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    standing = standing_of(state, book)
    reason = -1
    if now >= params[0]["exit"]:
        reason = TIME
    elif standing == HOPELESS or (standing == PARTLY and now > state[0]["since"] + params[0]["patience"]):
        reason = INCOMPLETE
    elif standing == PARTLY:
        return
    else:
        reason = _result(state, params, day, book)
    if reason >= 0:
        state[0]["phase"] = LEAVING
        state[0]["reason"] = reason
        for leg in range(book.counts[N_LEGS]):
            if is_open(book, leg):
                cancel(book, leg)  # a hedge that still waits
        _leave(state, i, book)
        return
    if state[0]["phase"] == ENTERING:
        state[0]["phase"] = HELD
        state[0]["since"] = now
    _hedge(state, params, day, i, now, book)


@kernel(lean=True, inner=True)
def _result(state: Record, params: Record, day: Day, book: Book) -> int:
    """Say whether the whole book has reached its stop or target: the reason, or -1."""
    premium = paid(state, book) * day.tick * state[0]["lots"] * day.lot[params[0]["expiry"]]
    made = profit(book, state[0]["base"])
    stop, target = params[0]["stop_ppm"], params[0]["target_ppm"]
    if stop > 0 and -made * PPM >= premium * stop:
        return OVERALL_STOP
    if target > 0 and made * PPM >= premium * target:
        return OVERALL_TARGET
    return -1


@kernel(lean=True, inner=True)
def _leave(state: Record, i: int, book: Book) -> None:
    for leg in range(book.counts[N_LEGS]):
        if is_open(book, leg) or is_waiting(book, leg):
            close(book, i, leg, state[0]["reason"])
    if is_done(book):
        state[0]["phase"] = DONE


@kernel(lean=True, inner=True)
def _hedge(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    due = params[0]["every"] > 0 and now >= state[0]["since"] + params[0]["every"]
    if book.counts[N_ORDERS] > 0 or not (due or params[0]["band"] > 0.0):
        return
    pair = state[0]["pair"]
    expiry = expiry_of(day, pair)
    lot = day.lot[expiry]
    delta = straddle_delta(day, pair, forward_of(day, expiry, i), i)
    if delta != delta:
        return
    held = 0
    if state[0]["hedge"][0] >= 0:
        held = position(book, state[0]["hedge"][0])
    net = float(params[0]["side"] * state[0]["lots"]) * delta + float(held // lot)
    if due:
        state[0]["since"] = now
    elif abs(net) <= params[0]["band"]:
        return
    lots = int(abs(net) + 0.5)
    if lots > 0:
        _trade(state, params, day, i, book, held + (-lots if net > 0.0 else lots) * lot)


@kernel(lean=True, inner=True)
def _trade(state: Record, params: Record, day: Day, i: int, book: Book, units: int) -> None:
    """Bring the hedge to so many units, where what it is made of traded in this bar."""
    if params[0]["hedge_with"] == FUTURE:
        if close_of(day, future(book), i) != MISSING:
            _bring(state, book, i, 0, future(book), units)
        return
    if state[0]["synthetic"] == NO_INSTRUMENT:
        state[0]["synthetic"] = _at_money(day, params[0]["expiry"], i)
    pair = state[0]["synthetic"]
    if pair != NO_INSTRUMENT and premium_of(day, pair, i) != MISSING:
        _bring(state, book, i, 0, pair, units)
        _bring(state, book, i, 1, pair + 1, -units)


@kernel(lean=True, inner=True)
def _bring(state: Record, book: Book, i: int, j: int, instrument: int, units: int) -> None:
    """Bring one leg of the hedge to so many units; through zero it is left and another one opened."""
    leg = state[0]["hedge"][j]
    held = 0
    if leg >= 0:
        held = position(book, leg)
    if held * units > 0:
        place(book, i, leg, MARKET, units - held, 0, HEDGE)
        return
    if held != 0:
        close(book, i, leg, HEDGE)
    if units != 0:
        state[0]["hedge"][j] = enter(book, i, instrument, units, 0, 0)
