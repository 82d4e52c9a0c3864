"""Momentum: every so many minutes rank the contracts around the money and trade the best of them.

The step, bar by bar:

1. At each *moment* (``start``, ``start + every``, ... up to ``end``): call off entries that still wait, rank
   (:mod:`~algomaster.strategy.steps.ranking`), and open the best that are not held, as many as there is room for
   (:func:`_pick`). What is opened at one moment is one round of the sizing.
2. Stop and target rest in the market from the fill on; a trailing stop follows the close (:func:`_trail`); a leg that
   has been held long enough is left (:func:`_watch`).
3. At ``exit`` everything is left.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.contract import (
    MARKET,
    N_LEGS,
    N_OPEN,
    N_ORDERS,
    OPEN,
    PPM,
    STOP,
    TIME,
    TRAIL,
    WAITING,
    Book,
    Day,
    at_the_money,
    close,
    close_of,
    enter_with,
    is_done,
    is_waiting,
    move_stop,
    sleep,
)
from algomaster.strategy.steps.ranking import RANK_PARAMS, WIDTH, best, drive, full_score, measure, score_all
from algomaster.strategy.steps.sizing import SIZING_PARAMS, SIZING_STATE, lots_short

MOST_REACH: Final = 15
MOST_CONTRACTS: Final = 2 * (2 * MOST_REACH + 1)
"""Contracts that are ranked together: both rights of so many strikes to each side of the money."""

BOTH: Final = -1

PARAMS: Final = np.dtype(
    [
        *[
            (name, np.int64)
            for name in (
                "start", "end", "exit", "every", "side", "expiry", "reach", "rights", "picks", "positions", "lots",
                "least_score_ppm", "stop_ppm", "target_ppm", "stop_ticks", "target_ticks", "trail_ppm", "trail_ticks",
                "hold",
            )
        ],
        *RANK_PARAMS,
        *SIZING_PARAMS,
    ]
)  # fmt: skip
"""Times in minutes of the day; ``side`` +1 buys, -1 sells; ``rights`` BOTH, 0 calls, 1 puts; 0 for a rule not used."""

STATE: Final = np.dtype(
    [
        *SIZING_STATE,
        ("contracts", np.int64, (MOST_CONTRACTS,)),
        ("scores", np.int64, (MOST_CONTRACTS,)),
        ("measures", np.float64, (MOST_CONTRACTS * WIDTH,)),
    ]
)
"""The last three are room to rank in and say nothing from one bar to the next."""


@kernel(inline=True, lean=True, inner=True)
def step(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    """Decide on bar ``i``, which has just closed."""
    now = day.first_minute + i + 1
    if now >= params[0]["exit"]:
        if is_done(book):
            sleep(book, day.ts.size)
        else:
            _leave(book, i)
        return
    since = now - params[0]["start"]
    watched = params[0]["trail_ppm"] + params[0]["trail_ticks"] + params[0]["hold"] > 0
    if watched and book.counts[N_OPEN] > 0:
        _watch(params, day, i, book)
    if since >= 0 and now <= params[0]["end"] and since % params[0]["every"] == 0:
        _pick(state, params, day, i, book)
    if not watched or is_done(book):
        sleep(book, _next_moment(params, now) - day.first_minute - 1)


@kernel(inline=True, lean=True, inner=True)
def _next_moment(params: Record, now: int) -> int:
    start, every = params[0]["start"], params[0]["every"]
    following = start if now < start else start + ((now - start) // every + 1) * every
    return min(following, params[0]["exit"]) if following <= params[0]["end"] else params[0]["exit"]


@kernel(lean=True, inner=True)
def _leave(book: Book, i: int) -> None:
    for leg in range(book.counts[N_LEGS]):
        close(book, i, leg, TIME)


# --- entries -----------------------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def _pick(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    """Rank, and open the best that are not held."""
    for leg in range(book.counts[N_LEGS]):
        if is_waiting(book, leg):
            close(book, i, leg, TIME)
    room = min(params[0]["picks"], params[0]["positions"] - book.counts[N_OPEN])
    expiry = params[0]["expiry"]
    if room <= 0 or expiry >= day.expiries.size or day.spot[i] == MISSING:
        return
    n = _rank(state, params, day, i)
    least = params[0]["least_score_ppm"] * (full_score(params[0]["rank_weights"]) // PPM)
    lots = -1
    while room > 0:
        a = best(state[0]["scores"], n)
        if a < 0 or state[0]["scores"][a] < least:
            return
        state[0]["scores"][a] = -1
        contract = state[0]["contracts"][a]
        if _held(book, contract):
            continue
        if lots < 0:
            short = room * day.lot[expiry] if params[0]["side"] < 0 else 0  # all picks may be calls
            lots = lots_short(state, params, day, i, book, params[0]["lots"], short)
        if lots == 0:
            return
        enter_with(
            book, i, contract, params[0]["side"] * lots * day.lot[expiry], MARKET, 0,
            params[0]["stop_ppm"], params[0]["target_ppm"], params[0]["stop_ticks"], params[0]["target_ticks"],
        )  # fmt: skip
        room -= 1


@kernel(lean=True, inner=True)
def _rank(state: Record, params: Record, day: Day, i: int) -> int:
    """Write contracts, measures and scores of what can be ranked around the money; give how many."""
    expiry, reach = params[0]["expiry"], params[0]["reach"]
    money = at_the_money(day, expiry, day.spot[i])
    middle = 0
    while middle < day.strikes.size - 1 and day.strikes[middle] < money:
        middle += 1
    index = drive(day.spot, i, params[0]["rank_minutes"])
    n = 0
    for k in range(max(middle - reach, 0), min(middle + reach + 1, day.strikes.size)):
        for right in range(2):
            if params[0]["rights"] not in (BOTH, right):
                continue
            contract = (expiry * day.strikes.size + k) * 2 + right
            if measure(day, params, i, contract, index, state[0]["measures"], n * WIDTH):
                state[0]["contracts"][n] = contract
                n += 1
    score_all(state[0]["measures"], params[0]["rank_weights"], n, state[0]["scores"])
    return n


@kernel(lean=True, inner=True)
def _held(book: Book, contract: int) -> bool:
    for leg in range(book.counts[N_LEGS]):
        kept = book.legs[leg]
        if kept["instrument"] == contract and (kept["state"] == OPEN or kept["state"] == WAITING):
            return True
    return False


# --- exits -------------------------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def _watch(params: Record, day: Day, i: int, book: Book) -> None:
    hold = params[0]["hold"]
    for j in range(book.counts[N_OPEN]):
        leg = book.open_legs[j]
        if hold > 0 and i + 1 - book.legs[leg]["entry_bar"] >= hold:
            close(book, i, leg, TIME)
        elif params[0]["trail_ppm"] + params[0]["trail_ticks"] > 0:
            _trail(params, day, i, book, leg)


@kernel(lean=True, inner=True)
def _trail(params: Record, day: Day, i: int, book: Book, leg: int) -> None:
    """Bring the stop as near to the close as the setting says, never further away than it is."""
    last = close_of(day, book.legs[leg]["instrument"], i)
    if last == MISSING:
        return
    ppm, ticks, long = params[0]["trail_ppm"], params[0]["trail_ticks"], book.legs[leg]["quantity"] > 0
    if long:
        level = last * (PPM - ppm) // PPM - ticks
    else:
        level = -((-last * (PPM + ppm)) // PPM) + ticks
    stop = _stop_of(book, leg)
    nearer = stop == MISSING or (level > stop if long else level < stop)
    if nearer and level > 0:
        move_stop(book, i, leg, level, TRAIL)


@kernel(lean=True, inner=True)
def _stop_of(book: Book, leg: int) -> int:
    for slot in range(book.counts[N_ORDERS]):
        order = book.orders[slot]
        if order["leg"] == leg and order["kind"] == STOP and order["live"] == 1:
            return order["price"]
    return MISSING
