"""How a row of the straddle manager gets into the market: at once, at a trigger, or after a range is broken."""

from __future__ import annotations

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.contract import (
    LIMIT,
    MARKET,
    NO_INSTRUMENT,
    PPM,
    STOP,
    Book,
    Day,
    close_of,
    enter_with,
    hold_overnight,
    tag,
)
from algomaster.strategy.steps.manager_strikes import NOT_YET, choose
from algomaster.strategy.steps.manager_table import (
    AT_ONCE,
    CHOOSING,
    ENTERING,
    FRESH,
    GATHERING,
    INTRADAY,
    NO_RULE,
    OFF,
    ON_CLOSES,
    ON_PREMIUM,
    ON_RANGE,
    ON_SPOT,
    PERCENT,
    POINTS,
    RESTING,
    SPOT_PERCENT,
    SPOT_POINTS,
)


@kernel(lean=True, inner=True)
def last_spot(day: Day, i: int) -> int:
    """Index (paise) at its last known close of the session, MISSING before the first."""
    k = i
    while k >= 0 and day.spot[k] == MISSING:
        k -= 1
    return int(day.spot[k]) if k >= 0 else MISSING


@kernel(lean=True, inner=True)
def last_of(day: Day, instrument: int, i: int) -> int:
    """Close of bar ``i``; MISSING also for a contract that the session's data lacks."""
    return MISSING if instrument < 0 else close_of(day, instrument, i)


@kernel(lean=True, inner=True)
def moved(price: int, kind: int, amount: int, unit: int) -> int:
    """``price`` moved up (``amount`` > 0) or down by parts per million or paise, rounded away from where it was."""
    size = abs(amount)
    if kind in (PERCENT, SPOT_PERCENT):
        up = -((-price * (PPM + size)) // PPM)
        down = price * (PPM - size) // PPM
    else:
        steps = -((-size) // unit)
        up, down = price + steps, price - steps
    return up if amount > 0 else down


@kernel(lean=True, inner=True)
def level(entry: int, side: int, kind: int, amount: int, tick: int, favour: bool) -> int:
    """Price of a row's stop, or target in its ``favour``; MISSING where none stands on the premium."""
    if kind != PERCENT and kind != POINTS:
        return MISSING
    up = (side > 0) == favour
    return moved(entry, kind, amount if up else -amount, tick)


@kernel(lean=True, inner=True)
def is_ready(params: Record, day: Day, i: int, j: int, manner: int, instrument: int) -> bool:
    """Whether what the row's way of entering refers to is known this minute."""
    kind = params[0]["momentum_kind"][j]
    if manner == AT_ONCE or kind == NO_RULE:
        return True
    if kind in (SPOT_PERCENT, SPOT_POINTS):
        return day.spot[i] != MISSING
    return last_of(day, instrument, i) != MISSING


@kernel(lean=True, inner=True)
def start(state: Record, params: Record, day: Day, i: int, now: int, book: Book, j: int, instrument: int) -> None:
    """Begin to enter row ``j`` on its contract; :func:`is_ready` has said that it can."""
    row = state[0]
    row["instrument"][j] = instrument
    row["begun"][j] = now
    row["leaving"][j] = 0
    manner = row["manner"][j]
    kind = params[0]["momentum_kind"][j]
    if manner != AT_ONCE and kind != NO_RULE:
        amount = params[0]["momentum"][j]
        row["up"][j] = 1 if amount > 0 else -1
        if kind in (SPOT_PERCENT, SPOT_POINTS):
            row["trigger"][j] = moved(int(day.spot[i]), kind, amount, 1)
            row["mode"][j] = ON_SPOT
            return
        row["trigger"][j] = moved(last_of(day, instrument, i), kind, amount, day.tick)
        if manner == ON_CLOSES:
            row["mode"][j] = ON_PREMIUM
        else:
            rest(state, params, day, i, book, j)
    elif manner == FRESH and params[0]["range_until"][j] > 0:
        row["mode"][j] = GATHERING if now < params[0]["range_until"][j] else OFF
        row["high"][j], row["low"][j] = MISSING, MISSING
    else:
        at_market(state, params, day, i, now, book, j)


@kernel(lean=True, inner=True)
def at_market(state: Record, params: Record, day: Day, i: int, now: int, book: Book, j: int) -> None:
    """Send the row's entry to the market."""
    state[0]["begun"][j] = now
    state[0]["spot_at"][j] = last_spot(day, i)
    state[0]["mode"][j] = ENTERING
    state[0]["rested"][j] = 0
    _send(state, params, day, i, book, j, MARKET, 0)


@kernel(lean=True, inner=True)
def rest(state: Record, params: Record, day: Day, i: int, book: Book, j: int) -> None:
    """Let the row's entry rest in the market at its trigger."""
    buys = state[0]["side"][j] > 0
    rises = state[0]["up"][j] > 0
    state[0]["mode"][j] = RESTING
    state[0]["rested"][j] = 1
    _send(state, params, day, i, book, j, STOP if buys == rises else LIMIT, state[0]["trigger"][j])


@kernel(lean=True, inner=True)
def _send(state: Record, params: Record, day: Day, i: int, book: Book, j: int, kind: int, price: int) -> None:
    row, rule = state[0], params[0]
    instrument = row["instrument"][j]
    units = row["side"][j] * row["lots"] * rule["ratio"][j] * day.lot[instrument // 2 // day.strikes.size]
    stop_ppm, stop_ticks = _attached(rule["stop_on"], rule["stop_kind"][j], rule["stop"][j], day.tick)
    target_ppm, target_ticks = _attached(rule["stop_on"], rule["target_kind"][j], rule["target"][j], day.tick)
    leg = enter_with(book, i, instrument, units, kind, price, stop_ppm, target_ppm, stop_ticks, target_ticks)
    row["leg"][j] = leg
    row["units"][j] = units
    if leg < 0:  # the book is full: the host stops the run
        row["mode"][j] = OFF
        return
    row["serial"] += 1
    row["tag"][j] = row["serial"]
    tag(book, leg, row["serial"])
    if rule["holding"] != INTRADAY:
        hold_overnight(book, leg)


@kernel(lean=True, inner=True)
def _attached(stop_on: int, kind: int, amount: int, tick: int) -> tuple[int, int]:
    """Parts per million and ticks of an order that rests in the market from the fill on."""
    if stop_on != ON_RANGE:
        return 0, 0
    ppm = amount if kind == PERCENT else 0
    ticks = -((-amount) // tick) if kind == POINTS else 0
    return ppm, ticks


@kernel(lean=True, inner=True)
def try_to_choose(state: Record, params: Record, day: Day, i: int, now: int, book: Book, j: int) -> None:
    """Choose the contract of a row that enters again, and begin; without one wait for ``patience`` minutes at most."""
    if state[0]["repeat"][j] == 1 and now > params[0]["no_reentry_after"]:
        state[0]["mode"][j] = OFF
        return
    instrument = choose(params, day, i, j, state[0]["side"][j])
    if instrument == NO_INSTRUMENT:
        state[0]["mode"][j] = OFF
    elif instrument != NOT_YET and is_ready(params, day, i, j, state[0]["manner"][j], instrument):
        start(state, params, day, i, now, book, j, instrument)
    elif now >= state[0]["begun"][j] + params[0]["patience"]:
        state[0]["mode"][j] = OFF


@kernel(lean=True, inner=True)
def await_choice(state: Record, now: int, j: int, side: int, manner: int) -> None:
    """Let a row choose its contract as soon as it can."""
    row = state[0]
    row["mode"][j] = CHOOSING
    row["side"][j] = side
    row["manner"][j] = manner
    row["repeat"][j] = 1
    row["begun"][j] = now


@kernel(lean=True, inner=True)
def gather(state: Record, params: Record, day: Day, i: int, now: int, book: Book, j: int) -> None:
    """Take a bar into the row's range; when the range is complete, wait for its break."""
    row = state[0]
    on_spot = params[0]["range_on_spot"][j] == 1
    if on_spot:
        high, low = int(day.spot_high[i]), int(day.spot_low[i])
    else:
        high, low = _range_of(day, row["instrument"][j], i)
    if high != MISSING and low != MISSING:
        row["high"][j] = high if row["high"][j] == MISSING else max(high, row["high"][j])
        row["low"][j] = low if row["low"][j] == MISSING else min(low, row["low"][j])
    if now < params[0]["range_until"][j]:
        return
    if row["high"][j] == MISSING:
        row["mode"][j] = OFF
        return
    up = params[0]["range_end"][j]
    row["up"][j] = up
    row["trigger"][j] = row["high"][j] + 1 if up > 0 else row["low"][j] - 1  # beyond the range, not at its edge
    if on_spot:
        row["mode"][j] = ON_SPOT
    else:
        rest(state, params, day, i, book, j)


@kernel(lean=True, inner=True)
def _range_of(day: Day, instrument: int, i: int) -> tuple[int, int]:
    row = instrument // 2
    strikes = day.strikes.size
    e, k, right = row // strikes, row % strikes, instrument % 2
    return int(np.int64(day.high[e, k, right, i])), int(np.int64(day.low[e, k, right, i]))


@kernel(lean=True, inner=True)
def await_price(state: Record, params: Record, day: Day, i: int, now: int, book: Book, j: int) -> None:
    """Enter a row at the market once a close has reached its trigger."""
    row = state[0]
    last = int(day.spot[i]) if row["mode"][j] == ON_SPOT else last_of(day, row["instrument"][j], i)
    if last == MISSING or (last - row["trigger"][j]) * row["up"][j] < 0:
        return
    if row["repeat"][j] == 1 and now > params[0]["no_reentry_after"]:
        row["mode"][j] = OFF
    else:
        at_market(state, params, day, i, now, book, j)
