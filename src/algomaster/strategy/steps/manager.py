"""The straddle manager: a table of up to ten legs, each with rules of its own, and rules over all of them.

The step, bar by bar:

1. ``WAIT`` for the entry minute; then look at the filters and choose every contract (:mod:`manager_strikes`), all or
   none. ``COMBINED`` waits for the combined premium where the settings ask for that.
2. ``RUNNING``: note what the market did (:func:`manager_rows.see`); leave at the exit, undo an entry that is not whole
   in time, obey the rules over all legs (:func:`manager_round.overall`), square off the rest where one leg's exit ends
   all; then answer stops and targets (:func:`manager_rows.answer`) and look after rows (:func:`manager_rows.watch`).
3. ``LEAVING`` until everything is flat, where the round is entered again.
4. ``DONE`` for the session.

What each rule acts on, the minute's range or its close, is said in ``docs/strategies/legs.md``.
"""

from __future__ import annotations

from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.strategy.steps.contract import INCOMPLETE, SQUARE_OFF, TIME, Book, Day, leg_of, sleep
from algomaster.strategy.steps.manager_entry import last_spot
from algomaster.strategy.steps.manager_round import (
    again,
    combined,
    end_of_round,
    has_overall,
    overall,
    ready_for_a_session,
    wait,
)
from algomaster.strategy.steps.manager_rows import answer, leave_all, nobody, see, watch
from algomaster.strategy.steps.manager_table import (
    BTST,
    COMBINED,
    DONE,
    ENTERING,
    HELD,
    INTRADAY,
    LEAVING,
    OFF,
    RESTING,
    RUNNING,
    STATE,
    WAIT,
)
from algomaster.strategy.steps.trading_days import trading_days

__all__ = ["STATE", "step"]


@kernel(inline=True, lean=True, inner=True)
def step(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    """Decide on bar ``i``, which has just closed."""
    if i == 0:
        _begin_session(state, params, day, book)
    if state[0]["phase"] != DONE:
        _act(state, params, day, i, book)
    if params[0]["use_gap"] == 1 and i == day.ts.size - 1:
        state[0]["before"] = last_spot(day, i)
    _rest(state, params, day, i, book)


@kernel(lean=True, inner=True)
def _begin_session(state: Record, params: Record, day: Day, book: Book) -> None:
    """Start afresh, or find the legs again that were held overnight."""
    row = state[0]
    held = False
    if params[0]["holding"] != INTRADAY and row["phase"] == RUNNING:
        for j in range(params[0]["n_rows"]):
            mode = row["mode"][j]
            leg = leg_of(book, row["tag"][j]) if mode in (HELD, ENTERING) else -1
            if leg >= 0:
                held = True
                row["leg"][j] = leg
                row["instrument"][j] = book.legs[leg]["instrument"]
            else:
                if mode == HELD:  # settled, or squared off because its exit found no trade
                    row["banked"] += row["worth"][j]
                row["mode"][j] = OFF
            row["rested"][j] = 0
    if not held:
        ready_for_a_session(state, params)


@kernel(lean=True, inner=True)
def _act(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    now = day.first_minute + i + 1
    phase = state[0]["phase"]
    if phase == WAIT:
        wait(state, params, day, i, now, book)
        return
    if phase == COMBINED:
        combined(state, params, day, i, now, book)
        return
    see(state, params, day, i, now, book)
    if _exit_is_due(state, params, day, now):
        leave_all(state, params, i, book, TIME)
        end_of_round(state, params, now)
    elif phase == LEAVING:
        if nobody(state, params):
            again(state, params, day, i, now, book)
    elif not _is_whole(state, params, now):
        leave_all(state, params, i, book, INCOMPLETE)
        end_of_round(state, params, now)
    elif not (has_overall(params) and overall(state, params, day, i, now, book)):
        _go_on(state, params, day, i, now, book)


@kernel(lean=True, inner=True)
def _go_on(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    if params[0]["square_off"] == 1:
        for j in range(params[0]["n_rows"]):
            if state[0]["event"][j] != 0:
                leave_all(state, params, i, book, SQUARE_OFF)
                end_of_round(state, params, now)
                return
    answer(state, params, i, now, book, day)
    watch(state, params, day, i, now, book)
    if nobody(state, params):
        end_of_round(state, params, now)


@kernel(lean=True, inner=True)
def _is_whole(state: Record, params: Record, now: int) -> bool:
    """Whether the round's entry may stand: every leg sent to the market has traded, or still has time to."""
    if state[0]["whole"] == 1:
        return True
    for j in range(params[0]["n_legs"]):
        if state[0]["mode"][j] == ENTERING and state[0]["repeat"][j] == 0 and state[0]["begun"][j] == state[0]["since"]:
            return now <= state[0]["since"] + params[0]["patience"]
    state[0]["whole"] = 1
    return True


@kernel(lean=True, inner=True)
def _leaves_today(state: Record, params: Record, day: Day) -> bool:
    """Whether the exit time counts in this session."""
    if params[0]["holding"] == INTRADAY:
        return True
    if params[0]["holding"] == BTST:
        return day.session > state[0]["session"]
    if params[0]["settle"] == 1:
        return False
    return trading_days(day.session, state[0]["expiry"]) <= params[0]["exit_days"]


@kernel(lean=True, inner=True)
def _exit_is_due(state: Record, params: Record, day: Day, now: int) -> bool:
    return now >= params[0]["exit"] and _leaves_today(state, params, day)


@kernel(lean=True, inner=True)
def _rest(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    """Sleep where nothing but a fill or a known minute can change anything."""
    phase = state[0]["phase"]
    until = i
    if phase == DONE:
        until = day.ts.size
    elif phase == WAIT:
        until = state[0]["begin"] - day.first_minute - 1
    elif phase == RUNNING and params[0]["quiet"] == 1 and state[0]["whole"] == 1 and _at_rest(state, params):
        until = params[0]["exit"] - day.first_minute - 1 if _leaves_today(state, params, day) else day.ts.size
    if params[0]["use_gap"] == 1:
        until = min(until, day.ts.size - 1)
    if until > i + 1:
        sleep(book, until)


@kernel(lean=True, inner=True)
def _at_rest(state: Record, params: Record) -> bool:
    for j in range(params[0]["n_rows"]):
        mode = state[0]["mode"][j]
        if mode != OFF and mode != HELD and not (mode == RESTING and state[0]["repeat"][j] == 0):
            return False
    return True
