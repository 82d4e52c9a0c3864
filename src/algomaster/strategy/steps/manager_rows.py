"""A row of the straddle manager while it is held: what its bars did to it, its trailing stop, what follows its exit."""

from __future__ import annotations

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.contract import (
    CLOSED,
    OPEN,
    PPM,
    STOPPED,
    TARGET,
    TRAIL,
    WAITING,
    Book,
    Day,
    close,
    move_stop,
)
from algomaster.strategy.steps.manager_entry import (
    await_choice,
    await_price,
    gather,
    last_of,
    last_spot,
    level,
    rest,
    try_to_choose,
)
from algomaster.strategy.steps.manager_table import (
    ASAP,
    AT_ONCE,
    BREAK_EVEN_ALL,
    CHOOSING,
    COST,
    ENTERING,
    EVENT_STOP,
    EVENT_TARGET,
    FRESH,
    GATHERING,
    HELD,
    LAZY,
    NO_RULE,
    NOTHING,
    OFF,
    ON_CLOSE,
    ON_CLOSES,
    ON_PREMIUM,
    ON_RANGE,
    ON_SPOT,
    PERCENT,
    RESTING,
    SPOT_PERCENT,
    SPOT_POINTS,
)


@kernel(lean=True, inner=True)
def see(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    """Take note of what the market did to every row since the last call."""
    for j in range(params[0]["n_rows"]):
        mode = state[0]["mode"][j]
        if mode in (RESTING, ENTERING):
            _see_entry(state, params, day, i, now, book, j)
        if state[0]["mode"][j] == HELD and book.legs[state[0]["leg"][j]]["state"] == CLOSED:
            _see_exit(state, book, j)


@kernel(lean=True, inner=True)
def _see_entry(state: Record, params: Record, day: Day, i: int, now: int, book: Book, j: int) -> None:
    row = state[0]
    leg = book.legs[row["leg"][j]]
    if leg["state"] == WAITING:
        again = row["repeat"][j] == 1
        resting = row["mode"][j] == RESTING
        late = now >= params[0]["no_reentry_after"] if resting else now > row["begun"][j] + params[0]["patience"]
        if again and late:
            close(book, i, row["leg"][j], STOPPED)  # calls the waiting entry off
            row["mode"][j] = OFF
        return
    if leg["state"] != OPEN and leg["state"] != CLOSED:
        row["mode"][j] = OFF
        return
    entry, side = leg["entry_price"], row["side"][j]
    if row["mode"][j] == RESTING:
        row["spot_at"][j] = last_spot(day, i)
    row["mode"][j] = HELD
    row["cost"][j] = entry
    row["best"][j] = 0
    row["first_stop"][j] = level(entry, side, params[0]["stop_kind"][j], params[0]["stop"][j], day.tick, False)
    row["stop_at"][j] = row["first_stop"][j]
    row["target_at"][j] = level(entry, side, params[0]["target_kind"][j], params[0]["target"][j], day.tick, True)
    row["opened"] += 1
    if row["repeat"][j] == 0:
        row["premium"] -= entry * row["units"][j] * day.tick


@kernel(lean=True, inner=True)
def _see_exit(state: Record, book: Book, j: int) -> None:
    """Note a row's exit: by what it was told, else by which of its resting orders the price belongs to."""
    row = state[0]
    leg = book.legs[row["leg"][j]]
    row["mode"][j] = OFF
    row["banked"] += leg["cash"]
    reason = row["leaving"][j]
    if reason == 0:
        target, side = row["target_at"][j], row["side"][j]
        reason = TARGET if target != MISSING and (leg["mark"] - target) * side >= 0 else STOPPED
    row["event"][j] = EVENT_STOP if reason == STOPPED else EVENT_TARGET if reason == TARGET else 0


@kernel(lean=True, inner=True)
def leave(state: Record, i: int, book: Book, j: int, reason: int) -> None:
    """Tell a row to leave at the market, or to wait no longer."""
    mode = state[0]["mode"][j]
    if mode == HELD:
        if state[0]["leaving"][j] == 0:
            close(book, i, state[0]["leg"][j], reason)
            state[0]["leaving"][j] = reason
            book.legs[state[0]["leg"][j]]["overnight"] = 0  # an exit that finds no trade does not wait over a night
        return
    if mode in (RESTING, ENTERING):
        close(book, i, state[0]["leg"][j], reason)
    state[0]["mode"][j] = OFF


@kernel(lean=True, inner=True)
def leave_all(state: Record, params: Record, i: int, book: Book, reason: int) -> None:
    """Tell every row to leave."""
    for j in range(params[0]["n_rows"]):
        leave(state, i, book, j, reason)
        state[0]["event"][j] = 0


@kernel(lean=True, inner=True)
def nobody(state: Record, params: Record) -> bool:
    """Whether no row holds or waits for anything."""
    for j in range(params[0]["n_rows"]):
        if state[0]["mode"][j] != OFF:
            return False
    return True


@kernel(lean=True, inner=True)
def answer(state: Record, params: Record, i: int, now: int, book: Book, day: Day) -> None:
    """Do what follows the stops and targets of this bar: break-even for the others, re-entries, lazy legs."""
    for j in range(params[0]["n_rows"]):
        event = state[0]["event"][j]
        if event == 0:
            continue
        state[0]["event"][j] = 0
        if event == EVENT_STOP and params[0]["break_even"] != 0:
            _to_break_even(state, params, i, book)
        if now > params[0]["no_reentry_after"]:
            continue
        if event == EVENT_STOP:
            kind, lazy = params[0]["on_stop"][j], params[0]["on_stop_lazy"][j]
        else:
            kind, lazy = params[0]["on_target"][j], params[0]["on_target_lazy"][j]
        if kind == LAZY:
            if state[0]["mode"][lazy] == OFF and state[0]["event"][lazy] == 0:
                _start_lazy(state, params, now, lazy)
        elif kind != NOTHING:
            _again(state, params, day, i, now, book, j, kind, event)


@kernel(lean=True, inner=True)
def _start_lazy(state: Record, params: Record, now: int, j: int) -> None:
    state[0]["stopped"][j] = 0
    state[0]["won"][j] = 0
    await_choice(state, now, j, params[0]["side"][j] * state[0]["flip"], FRESH)


@kernel(lean=True, inner=True)
def _again(
    state: Record, params: Record, day: Day, i: int, now: int, book: Book, j: int, kind: int, event: int
) -> None:
    row, rule = state[0], params[0]
    if event == EVENT_STOP:
        reverse, touch = rule["on_stop_reverse"][j], rule["on_stop_touch"][j]
        if row["stopped"][j] >= rule["on_stop_times"][j]:
            return
        row["stopped"][j] += 1
    else:
        reverse, touch = rule["on_target_reverse"][j], rule["on_target_touch"][j]
        if row["won"][j] >= rule["on_target_times"][j]:
            return
        row["won"][j] += 1
    before = row["side"][j]
    side = -before if reverse == 1 else before
    if kind != COST:
        await_choice(state, now, j, side, AT_ONCE if kind == ASAP else ON_CLOSES)
        return
    row["side"][j] = side
    row["manner"][j] = AT_ONCE
    row["repeat"][j] = 1
    row["leaving"][j] = 0
    row["begun"][j] = now
    row["trigger"][j] = row["cost"][j]
    row["up"][j] = before if event == EVENT_STOP else -before  # a stopped seller's price must fall back
    if touch == 1:
        rest(state, params, day, i, book, j)
    else:
        row["mode"][j] = ON_PREMIUM


@kernel(lean=True, inner=True)
def _to_break_even(state: Record, params: Record, i: int, book: Book) -> None:
    """Bring the stops of held rows to their own entry prices, where that is nearer."""
    for j in range(params[0]["n_rows"]):
        if params[0]["break_even"] == BREAK_EVEN_ALL or params[0]["stop_kind"][j] != NO_RULE:
            _tighten(state, params, i, book, j, state[0]["cost"][j])


@kernel(lean=True, inner=True)
def _tighten(state: Record, params: Record, i: int, book: Book, j: int, price: int) -> None:
    row = state[0]
    if row["mode"][j] != HELD or row["leaving"][j] != 0:
        return
    if row["stop_at"][j] != MISSING and (price - row["stop_at"][j]) * row["side"][j] <= 0:
        return
    row["stop_at"][j] = price
    if params[0]["stop_on"] == ON_RANGE:
        move_stop(book, i, row["leg"][j], price, TRAIL)


@kernel(lean=True, inner=True)
def watch(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    """Look after every row at the close of bar ``i``."""
    for j in range(params[0]["n_rows"]):
        mode = state[0]["mode"][j]
        if mode == CHOOSING:
            try_to_choose(state, params, day, i, now, book, j)
        elif mode == GATHERING:
            gather(state, params, day, i, now, book, j)
        elif mode in (ON_PREMIUM, ON_SPOT):
            await_price(state, params, day, i, now, book, j)
        elif mode == HELD and state[0]["leaving"][j] == 0:
            if params[0]["trail_kind"][j] != NO_RULE:
                _trail(state, params, day, i, book, j)
            _on_closes(state, params, day, i, book, j)


@kernel(lean=True, inner=True)
def _trail(state: Record, params: Record, day: Day, i: int, book: Book, j: int) -> None:
    """Move the stop by ``trail_by`` for every ``trail_every`` that the best price has gone in favour."""
    row, rule = state[0], params[0]
    best = _best_price(state, params, day, i, book, j)
    if best == MISSING:
        return
    entry, side = row["cost"][j], row["side"][j]
    row["best"][j] = max(row["best"][j], (best - entry) * side)
    every, by = rule["trail_every"][j], rule["trail_by"][j]
    if rule["trail_kind"][j] == PERCENT:
        shift = row["best"][j] * PPM // (entry * every) * by * entry // PPM
    else:
        shift = row["best"][j] * day.tick // every * by // day.tick
    if shift > 0:
        _tighten(state, params, i, book, j, row["first_stop"][j] + side * shift)


@kernel(lean=True, inner=True)
def _best_price(state: Record, params: Record, day: Day, i: int, book: Book, j: int) -> int:
    """Best price of the bar that was surely seen while the row was held."""
    row = state[0]
    instrument = row["instrument"][j]
    inside = row["rested"][j] == 1 and book.legs[row["leg"][j]]["entry_bar"] == i
    if params[0]["stop_on"] == ON_CLOSE or inside or instrument < 0:
        return last_of(day, instrument, i)
    place = instrument // 2
    e, k, right = place // day.strikes.size, place % day.strikes.size, instrument % 2
    if row["side"][j] > 0:
        return int(np.int64(day.high[e, k, right, i]))
    return int(np.int64(day.low[e, k, right, i]))


@kernel(lean=True, inner=True)
def _on_closes(state: Record, params: Record, day: Day, i: int, book: Book, j: int) -> None:
    """Watch what acts on one-minute closes: rules on the underlying, and all stops where the settings say so."""
    row, rule = state[0], params[0]
    side = row["side"][j]
    reason = 0
    if rule["stop_on"] == ON_CLOSE:
        last = last_of(day, row["instrument"][j], i)
        if last != MISSING:
            if row["stop_at"][j] != MISSING and (last - row["stop_at"][j]) * side <= 0:
                reason = STOPPED
            elif row["target_at"][j] != MISSING and (last - row["target_at"][j]) * side >= 0:
                reason = TARGET
    if reason == 0 and day.spot[i] != MISSING and row["spot_at"][j] != MISSING:
        lean = side * (1 - 2 * rule["right"][j])
        gain = (int(day.spot[i]) - row["spot_at"][j]) * lean
        if _reached(-gain, rule["stop_kind"][j], rule["stop"][j], row["spot_at"][j]):
            reason = STOPPED
        elif _reached(gain, rule["target_kind"][j], rule["target"][j], row["spot_at"][j]):
            reason = TARGET
    if reason != 0:
        leave(state, i, book, j, reason)


@kernel(lean=True, inner=True)
def _reached(gain: int, kind: int, amount: int, reference: int) -> bool:
    """Whether the underlying has gone as far as a rule on it says."""
    if kind == SPOT_POINTS:
        return gain >= amount
    return kind == SPOT_PERCENT and gain * PPM >= reference * amount
