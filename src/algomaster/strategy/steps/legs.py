"""Legs by the clock: sell (or buy) a table of option legs at one time, leave at another, each leg with its own stop.

The step, bar by bar:

1. ``WAIT`` until the entry minute: then choose the strikes and place every leg at once (:func:`_enter`). Where the
   index that the choice needs is missing, wait for it, ``patience`` minutes at most.
2. ``ENTERING`` until every leg has traded (:func:`_complete`); an entry that is not whole after ``patience`` minutes,
   or of which a leg finds no contract, is undone: half a straddle is another trade than the one that was asked for.
3. ``HELD``: at the exit minute leave what is open; before it watch stops and targets on the close, where the settings
   ask for that (:func:`_watch`); stops and targets on the range rest in the market as attached orders.
4. ``DONE`` for the session.

Everything a leg is (right, side, strike rule, lots, stop, target) stands in the parameters' leg table, so a straddle, a
strangle or an iron condor are rows, not code.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.contract import (
    CLOSED,
    INCOMPLETE,
    NO_CONTRACT,
    NO_INSTRUMENT,
    PPM,
    STOPPED,
    TARGET,
    TIME,
    TOO_LATE,
    Book,
    Day,
    at_the_money,
    call_off,
    close,
    close_of,
    enter,
    enter_at_fill,
    instrument_of,
    is_done,
    is_open,
    is_waiting,
    sleep,
)
from algomaster.strategy.steps.sizing import SIZING_PARAMS, SIZING_STATE, lots_short

MAX_LEGS: Final = 10
"""Legs a straddle manager holds at once; what commercial option backtesters offer."""

WAIT: Final = 0
ENTERING: Final = 1
HELD: Final = 2
DONE: Final = 3

AT_DECISION: Final = 0
AT_FILL: Final = 1

ON_RANGE: Final = 0
ON_CLOSE: Final = 1

PARAMS: Final = np.dtype(
    [
        ("entry", np.int64),
        ("exit", np.int64),
        ("patience", np.int64),
        ("strike_at", np.int64),
        ("stop_on", np.int64),
        ("n_legs", np.int64),
        ("lots", np.int64),
        ("expiry", np.int64, (MAX_LEGS,)),
        ("right", np.int64, (MAX_LEGS,)),
        ("side", np.int64, (MAX_LEGS,)),
        ("steps", np.int64, (MAX_LEGS,)),
        ("strike", np.int64, (MAX_LEGS,)),
        ("stop_ppm", np.int64, (MAX_LEGS,)),
        ("target_ppm", np.int64, (MAX_LEGS,)),
        *SIZING_PARAMS,
    ]
)
"""Times in minutes of the day; ``side`` +1 buys, -1 sells; ``strike`` in paise, 0 for ``steps`` from the money."""

STATE: Final = np.dtype([("phase", np.int64), ("since", np.int64), ("legs", np.int64, (MAX_LEGS,)), *SIZING_STATE])
"""``since`` is the minute of the decision to enter."""


@kernel(inline=True, lean=True, inner=True)
def step(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    """Decide on bar ``i``, which has just closed."""
    if i == 0:
        state[0]["phase"] = WAIT
    phase = state[0]["phase"]
    if phase == DONE:
        sleep(book, day.ts.size)
        return
    now = day.first_minute + i + 1
    if phase == WAIT:
        if now >= params[0]["exit"]:
            state[0]["phase"] = DONE
        elif now >= params[0]["entry"]:
            _enter(state, params, day, i, now, book)
        else:
            sleep(book, min(params[0]["entry"], params[0]["exit"]) - day.first_minute - 1)
    elif now >= params[0]["exit"]:
        _leave(state, params, i, book, TIME)
    elif is_done(book):
        state[0]["phase"] = DONE
    elif phase == ENTERING and not _complete(state, params, now, book):
        _leave(state, params, i, book, INCOMPLETE)
    elif params[0]["stop_on"] == ON_CLOSE:
        _watch(state, params, day, i, book)
    elif state[0]["phase"] == HELD:
        sleep(book, params[0]["exit"] - day.first_minute - 1)


@kernel(lean=True, inner=True)
def _enter(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    if now > params[0]["entry"] + params[0]["patience"]:
        call_off(book, TOO_LATE)
        state[0]["phase"] = DONE
        return
    if day.spot[i] == MISSING and _needs_index(params):
        return
    state[0]["since"] = now
    if not _all_listed(params, day, i):
        call_off(book, NO_CONTRACT)
        state[0]["phase"] = DONE
        return
    lots = lots_short(state, params, day, i, book, params[0]["lots"], _short(params, day))
    if lots <= 0:
        state[0]["phase"] = DONE
        return
    for j in range(params[0]["n_legs"]):
        expiry = params[0]["expiry"][j]
        stop, target = params[0]["stop_ppm"][j], params[0]["target_ppm"][j]
        if params[0]["stop_on"] == ON_CLOSE:
            stop, target = 0, 0
        quantity = params[0]["side"][j] * lots * day.lot[expiry]
        if _late(params, j):
            steps = params[0]["steps"][j]
            leg = enter_at_fill(book, i, expiry, params[0]["right"][j], steps, quantity, stop, target)
        else:
            leg = enter(book, i, _contract(params, day, i, j), quantity, stop, target)
        state[0]["legs"][j] = leg
    state[0]["phase"] = ENTERING


@kernel(lean=True, inner=True)
def _short(params: Record, day: Day) -> int:
    """Units that one lot of each leg has short, of calls or of puts, whichever are more."""
    calls, puts = 0, 0
    for j in range(params[0]["n_legs"]):
        if params[0]["side"][j] < 0:
            if params[0]["right"][j] == 0:
                calls += day.lot[params[0]["expiry"][j]]
            else:
                puts += day.lot[params[0]["expiry"][j]]
    return max(calls, puts)


@kernel(lean=True, inner=True)
def _late(params: Record, j: int) -> bool:
    """Whether the strike is chosen at the fill; a given strike never is."""
    return params[0]["strike_at"] == AT_FILL and params[0]["strike"][j] == 0


@kernel(lean=True, inner=True)
def _needs_index(params: Record) -> bool:
    """Whether a strike is chosen from the index now."""
    for j in range(params[0]["n_legs"]):
        if params[0]["strike"][j] == 0 and not _late(params, j):
            return True
    return False


@kernel(lean=True, inner=True)
def _all_listed(params: Record, day: Day, i: int) -> bool:
    """Whether the session has every contract that is chosen now."""
    for j in range(params[0]["n_legs"]):
        if params[0]["expiry"][j] >= day.expiries.size:
            return False
        if not _late(params, j) and _contract(params, day, i, j) == NO_INSTRUMENT:
            return False
    return True


@kernel(lean=True, inner=True)
def _contract(params: Record, day: Day, i: int, j: int) -> int:
    expiry = params[0]["expiry"][j]
    strike = params[0]["strike"][j]
    if strike == 0:
        strike = at_the_money(day, expiry, day.spot[i]) + params[0]["steps"][j] * day.strike_step[expiry]
    return instrument_of(day, expiry, strike, params[0]["right"][j])


@kernel(lean=True, inner=True)
def _complete(state: Record, params: Record, now: int, book: Book) -> bool:
    """Whether the entry may stand: every leg has traded, or still has time to."""
    waiting = False
    for j in range(params[0]["n_legs"]):
        leg = state[0]["legs"][j]
        if is_waiting(book, leg):
            waiting = True
        elif book.legs[leg]["state"] > CLOSED:
            return False
    if not waiting:
        state[0]["phase"] = HELD
    return not waiting or now <= state[0]["since"] + params[0]["patience"]


@kernel(lean=True, inner=True)
def _leave(state: Record, params: Record, i: int, book: Book, reason: int) -> None:
    for j in range(params[0]["n_legs"]):
        close(book, i, state[0]["legs"][j], reason)
    state[0]["phase"] = DONE


@kernel(lean=True, inner=True)
def _watch(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    for j in range(params[0]["n_legs"]):
        leg = state[0]["legs"][j]
        if not is_open(book, leg):
            continue
        last = close_of(day, book.legs[leg]["instrument"], i)
        if last == MISSING:
            continue
        entry = book.legs[leg]["entry_price"]
        moved = params[0]["side"][j] * (last - entry) * PPM
        stop, target = params[0]["stop_ppm"][j], params[0]["target_ppm"][j]
        if stop > 0 and moved <= -entry * stop:
            close(book, i, leg, STOPPED)
        elif target > 0 and moved >= entry * target:
            close(book, i, leg, TARGET)
