"""Trade a score: one position while it is high, another while it is low, another in between.

The step, bar by bar (``docs/strategies/threshold.md`` has the picture):

1. ``FLAT``: between the first and the last entry minute, after the cool-down and while trades are left, a score at or
   above ``above`` (at or below ``below``, between the exit levels) opens what is to be traded on that side.
2. ``ENTERING`` until every leg has traded; an entry that is not whole after the patience is undone.
3. ``HELD``: left at the exit minute, or when the score has come back through the side's exit level; the legs' own stops
   and targets rest in the market.
4. ``LEAVING`` until everything is gone; then ``FLAT`` again, at once where there is nothing to cool down.
5. ``DONE`` for the session.

A score that is NaN is no opinion: nothing is opened, and what is held stays, stops, targets and exit minute in force.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.contract import (
    CLOSED,
    INCOMPLETE,
    NO_CONTRACT,
    NO_INSTRUMENT,
    SIGNAL,
    TIME,
    Book,
    Day,
    at_the_money,
    call_off,
    close,
    enter,
    instrument_of,
    is_done,
    is_waiting,
    sleep,
)
from algomaster.strategy.steps.sizing import SIZING_PARAMS, SIZING_STATE, lots_short

FLAT: Final = 0
ENTERING: Final = 1
HELD: Final = 2
LEAVING: Final = 3
DONE: Final = 4

HIGH: Final = 0
LOW: Final = 1
MIDDLE: Final = 2
SIDES: Final = 3
NONE: Final = -1

SCORE: Final = -1
"""Column number of the day's score; others are feature columns."""

PARAMS: Final = np.dtype(
    [
        *(
            (name, np.int64)
            for name in (
                "column", "first_entry", "last_entry", "exit", "cool_down", "max_trades", "patience", "lots", "width",
                "expiry", "stop_ppm", "target_ppm",
            )
        ),
        *((name, np.float64) for name in ("above", "below", "exit_above", "exit_below")),
        ("side", np.int64, (SIDES, 2)),
        *SIZING_PARAMS,
    ]
)  # fmt: skip
"""``side`` says for each of HIGH, LOW, MIDDLE whether the call and the put are bought (+1), sold (-1) or left (0)."""

STATE: Final = np.dtype(
    [
        *((name, np.int64) for name in ("phase", "since", "rest", "trades", "opinion")),
        ("legs", np.int64, (2,)),
        *SIZING_STATE,
    ]
)
"""``rest`` is the minute until which it cools down, ``legs`` the leg of the call and of the put, -1 for none."""


@kernel(inline=True, lean=True, inner=True)
def step(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    """Decide on bar ``i``, which has just closed."""
    if i == 0:
        state[0]["phase"] = FLAT
        state[0]["trades"] = 0
        state[0]["rest"] = 0
    phase = state[0]["phase"]
    now = day.first_minute + i + 1
    if phase in (ENTERING, HELD):
        _hold(state, params, day, i, now, book)
    elif phase == LEAVING:
        _rest_when_done(state, params, now, book)
    if state[0]["phase"] == FLAT:
        _flat(state, params, day, i, now, book)
    if state[0]["phase"] == DONE:
        sleep(book, day.ts.size)


@kernel(lean=True, inner=True)
def _score(params: Record, day: Day, i: int) -> float:
    column = params[0]["column"]
    if column == SCORE:
        return float(day.score[i])
    return float(day.features[i, column]) if column < day.features.shape[1] else math.nan


@kernel(lean=True, inner=True)
def _opinion(params: Record, score: float) -> int:
    """Side that a score speaks for when nothing is held; NONE between entry and exit levels and for NaN."""
    if score >= params[0]["above"]:
        return HIGH
    if score <= params[0]["below"]:
        return LOW
    if params[0]["exit_below"] <= score <= params[0]["exit_above"]:
        return MIDDLE
    return NONE


@kernel(lean=True, inner=True)
def _turned(params: Record, score: float, opinion: int) -> bool:
    """Whether the score has come back through the exit level of the side that is held."""
    if opinion == HIGH:
        return score < params[0]["exit_above"]
    if opinion == LOW:
        return score > params[0]["exit_below"]
    return score >= params[0]["above"] or score <= params[0]["below"]


@kernel(lean=True, inner=True)
def _flat(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    if now > params[0]["last_entry"] or state[0]["trades"] >= params[0]["max_trades"]:
        state[0]["phase"] = DONE
        return
    earliest = max(params[0]["first_entry"], state[0]["rest"])
    if now < earliest:
        sleep(book, earliest - day.first_minute - 1)
        return
    opinion = _opinion(params, _score(params, day, i))
    if opinion == NONE or day.spot[i] == MISSING:
        return
    if params[0]["side"][opinion][0] == 0 and params[0]["side"][opinion][1] == 0:
        return
    if _listed(params, day, i, opinion):
        _enter(state, params, day, i, now, opinion, book)
    else:
        call_off(book, NO_CONTRACT)
        state[0]["phase"] = DONE


@kernel(lean=True, inner=True)
def _contract(params: Record, day: Day, i: int, right: int) -> int:
    """Contract ``width`` steps out of the money."""
    expiry = params[0]["expiry"]
    if expiry >= day.expiries.size:
        return NO_INSTRUMENT
    away = params[0]["width"] * day.strike_step[expiry]
    return instrument_of(day, expiry, at_the_money(day, expiry, day.spot[i]) + (away if right == 0 else -away), right)


@kernel(lean=True, inner=True)
def _listed(params: Record, day: Day, i: int, opinion: int) -> bool:
    for right in range(2):
        if params[0]["side"][opinion][right] != 0 and _contract(params, day, i, right) == NO_INSTRUMENT:
            return False
    return True


@kernel(lean=True, inner=True)
def _enter(state: Record, params: Record, day: Day, i: int, now: int, opinion: int, book: Book) -> None:
    sides = params[0]["side"][opinion]
    short = day.lot[params[0]["expiry"]] if min(sides[0], sides[1]) < 0 else 0
    lots = lots_short(state, params, day, i, book, params[0]["lots"], short)
    if lots <= 0:
        state[0]["phase"] = DONE
        return
    stop, target = params[0]["stop_ppm"], params[0]["target_ppm"]
    for right in range(2):
        quantity = params[0]["side"][opinion][right] * lots * day.lot[params[0]["expiry"]]
        state[0]["legs"][right] = -1
        if quantity != 0:
            state[0]["legs"][right] = enter(book, i, _contract(params, day, i, right), quantity, stop, target)
    state[0]["opinion"] = opinion
    state[0]["since"] = now
    state[0]["trades"] += 1
    state[0]["phase"] = ENTERING


@kernel(lean=True, inner=True)
def _hold(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    if is_done(book):
        _rest_when_done(state, params, now, book)
        return
    reason = -1
    if now >= params[0]["exit"]:
        reason = TIME
    elif state[0]["phase"] == ENTERING and not _stands(state, params, now, book):
        reason = INCOMPLETE
    elif _turned(params, _score(params, day, i), state[0]["opinion"]):
        reason = SIGNAL
    if reason >= 0:
        for right in range(2):
            if state[0]["legs"][right] >= 0:
                close(book, i, state[0]["legs"][right], reason)
        state[0]["phase"] = LEAVING
        _rest_when_done(state, params, now, book)


@kernel(lean=True, inner=True)
def _stands(state: Record, params: Record, now: int, book: Book) -> bool:
    """Whether the entry may stand: every leg has traded, or still has time to."""
    waiting = False
    for right in range(2):
        leg = state[0]["legs"][right]
        if leg >= 0 and is_waiting(book, leg):
            waiting = True
        elif leg >= 0 and book.legs[leg]["state"] > CLOSED:
            return False
    if not waiting:
        state[0]["phase"] = HELD
    return not waiting or now <= state[0]["since"] + params[0]["patience"]


@kernel(lean=True, inner=True)
def _rest_when_done(state: Record, params: Record, now: int, book: Book) -> None:
    if is_done(book):
        state[0]["rest"] = now + params[0]["cool_down"]
        state[0]["phase"] = FLAT
