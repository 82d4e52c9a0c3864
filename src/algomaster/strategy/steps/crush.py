"""Crush recovery: a short straddle that a volatility spike has stopped is sold again when the spike falls back.

The step, bar by bar (``docs/strategies/crush.md`` has the picture):

1. ``WAIT`` until the entry minute, then sell the straddle at the money (:func:`_sell`); ``ENTERING`` until it is whole.
2. ``HELD``: leave at the exit minute, at the target or at the day's loss limit, and the session is over. Where the
   combined premium reaches the stop, leave too, and start to measure the spike.
3. ``LEAVING`` until both legs are gone, then ``WATCHING``: measure the spike (:mod:`algomaster.strategy.steps.spike`),
   give up at a time, at a second spike or when the loss is too large; where the spike has fallen back, sell again
   (:func:`_sell_again`), as many lots as bring back the loss when volatility is what it was before (:func:`_lots`).
4. ``RESELLING``, ``RECOVERING``: hold it until the loss is back, the exit, its stop, the loss limit or a second spike.
5. ``DONE`` for the session.

With events the straddle is sold on the session before one (and held over the night) or on its day, and nothing is done
on other sessions; what the night cost is recovered on the event's session.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.atm_vol import (
    expiry_of,
    forward_of,
    premium_of,
    straddle_worth,
    strike_of,
    vol_at,
)
from algomaster.strategy.steps.contract import (
    CRUSH,
    INCOMPLETE,
    LOSS_LIMIT,
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
    hold_overnight,
    instrument_of,
    is_done,
    is_open,
    leg_of,
    realised,
    sleep,
    tag,
)
from algomaster.strategy.steps.pair import (
    HOPELESS,
    PARTLY,
    WHOLE,
    leave_pair,
    marked,
    open_pair,
    paid,
    profit,
    standing_of,
)
from algomaster.strategy.steps.sizing import MOST_LOTS, SIZING_PARAMS, SIZING_STATE, lots_short
from algomaster.strategy.steps.spike import FALLEN, SECOND, SPIKE_PARAMS, SPIKE_STATE, follow, look_back

MAX_EVENTS: Final = 128

WAIT: Final = 0
ENTERING: Final = 1
HELD: Final = 2
LEAVING: Final = 3
WATCHING: Final = 4
RESELLING: Final = 5
RECOVERING: Final = 6
DONE: Final = 7

AT_MONEY: Final = 0
SAME: Final = 1
"""Which strike is sold again."""

CALL_TAG: Final = 1

PARAMS: Final = np.dtype(
    [
        *(
            (name, np.int64)
            for name in (
                "entry", "exit", "give_up", "patience", "expiry", "lots", "stop_ppm", "target_ppm", "resell",
                "recover_ppm", "recover_stop_ppm", "n_events",
            )
        ),
        *SPIKE_PARAMS,
        *SIZING_PARAMS,
        ("sell_on", np.int64, (MAX_EVENTS,)),
        ("event_on", np.int64, (MAX_EVENTS,)),
    ]
)  # fmt: skip
"""Times in minutes of the day, sessions in days since 1970; 0 for "not used". The caps are those of sizing."""

STATE: Final = np.dtype(
    [
        *((name, np.int64) for name in ("phase", "since", "until", "strike", "expires", "base", "loss")),
        ("legs", np.int64, (2,)),
        *SPIKE_STATE,
        *SIZING_STATE,
    ]
)
"""``since`` minute of the last decision to enter, ``until`` session at whose exit all ends, ``strike`` (paise) and
``expires`` (days) of what was sold first, ``base`` what had been netted before and ``loss`` what was lost (paise)."""


@kernel(inline=True, lean=True, inner=True)
def step(state: Record, params: Record, day: Day, i: int, book: Book) -> None:
    """Decide on bar ``i``, which has just closed."""
    if i == 0:
        _begin(state, params, day, book)
    phase = state[0]["phase"]
    now = day.first_minute + i + 1
    if phase == WAIT:
        _wait(state, params, day, i, now, book)
    elif phase in (ENTERING, HELD):
        _hold(state, params, day, i, now, book)
    elif phase in (LEAVING, WATCHING):
        _watch(state, params, day, i, now, book)
    elif phase != DONE:
        _recover(state, params, day, i, now, book)
    if state[0]["phase"] == DONE:
        sleep(book, day.ts.size)


@kernel(lean=True, inner=True)
def _begin(state: Record, params: Record, day: Day, book: Book) -> None:
    """Take up what the last session left: a straddle held over the night, a spike that is watched, or nothing."""
    carried = False
    for j in range(2):
        leg = leg_of(book, CALL_TAG + j)
        state[0]["legs"][j] = leg
        if leg >= 0 and is_open(book, leg):
            carried = True
            book.legs[leg]["overnight"] = 0  # one night is enough
    state[0]["sold"] = -1
    if carried:
        state[0]["phase"] = HELD if standing_of(state, book) == WHOLE else LEAVING
        _find_pair(state, day)
        return
    phase = state[0]["phase"]
    if day.session == state[0]["until"] and phase in (LEAVING, WATCHING):
        _find_pair(state, day)
        return
    state[0]["base"] = realised(book)
    state[0]["until"] = day.session
    state[0]["phase"] = WAIT
    if params[0]["n_events"] > 0:
        state[0]["phase"] = DONE
        for k in range(params[0]["n_events"]):
            if params[0]["sell_on"][k] == day.session:
                state[0]["until"] = params[0]["event_on"][k]
                state[0]["phase"] = WAIT


@kernel(lean=True, inner=True)
def _find_pair(state: Record, day: Day) -> None:
    """Name the stopped straddle by this session's instruments; NO_INSTRUMENT where the session lacks it."""
    expiry = 0
    while expiry < day.expiries.size and day.expiries[expiry] != state[0]["expires"]:
        expiry += 1
    state[0]["pair"] = instrument_of(day, expiry, state[0]["strike"], 0)


@kernel(lean=True, inner=True)
def _over(state: Record, params: Record, day: Day, now: int, minute: int) -> bool:
    """Whether the time has come: it does not on the session before an event."""
    return now >= minute and day.session >= state[0]["until"]


@kernel(lean=True, inner=True)
def _wait(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    if now < params[0]["entry"]:
        sleep(book, params[0]["entry"] - day.first_minute - 1)
    elif _over(state, params, day, now, params[0]["exit"]):
        state[0]["phase"] = DONE
    elif now > params[0]["entry"] + params[0]["patience"]:
        call_off(book, TOO_LATE)
        state[0]["phase"] = DONE
    elif day.spot[i] != MISSING:
        _sell(state, params, day, i, now, book)


@kernel(lean=True, inner=True)
def _sell(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    expiry = 0
    while expiry < day.expiries.size and day.expiries[expiry] < state[0]["until"]:
        expiry += 1  # the first that counts is the first that lives to see the event
    expiry += params[0]["expiry"]
    pair = NO_INSTRUMENT
    if expiry < day.expiries.size:
        pair = instrument_of(day, expiry, at_the_money(day, expiry, day.spot[i]), 0)
    if pair == NO_INSTRUMENT:
        call_off(book, NO_CONTRACT)
        state[0]["phase"] = DONE
        return
    lots = lots_short(state, params, day, i, book, params[0]["lots"], day.lot[expiry])
    if lots <= 0:
        state[0]["phase"] = DONE
        return
    state[0]["pair"] = pair
    state[0]["strike"] = strike_of(day, pair)
    state[0]["expires"] = day.expiries[expiry]
    state[0]["vol"] = vol_at(day, expiry, i)
    state[0]["sold"] = i
    state[0]["since"] = now
    state[0]["phase"] = ENTERING
    open_pair(state, book, i, pair, -lots * day.lot[expiry])
    for j in range(2):
        tag(book, state[0]["legs"][j], CALL_TAG + j)


@kernel(lean=True, inner=True)
def _hold(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    """Hold the first straddle."""
    reason = -1
    standing = standing_of(state, book)
    if _over(state, params, day, now, params[0]["exit"]):
        reason = TIME
    elif standing == HOPELESS or (standing == PARTLY and now > state[0]["since"] + params[0]["patience"]):
        reason = INCOMPLETE
    elif standing == PARTLY:
        return
    else:
        state[0]["phase"] = HELD
        reason = _why_leave(state, params, params[0]["stop_ppm"], book)
        value, cost, target = marked(state, book), paid(state, book), params[0]["target_ppm"]
        if reason < 0 and target > 0 and value * PPM <= cost * (PPM - target):
            reason = TARGET
    if reason >= 0:
        leave_pair(state, i, book, reason)
        state[0]["phase"] = DONE
        if reason == STOPPED:
            state[0]["phase"] = LEAVING
            look_back(state, params, day, i)
    elif day.session < state[0]["until"]:
        for j in range(2):
            hold_overnight(book, state[0]["legs"][j])


@kernel(lean=True, inner=True)
def _why_leave(state: Record, params: Record, stop: int, book: Book) -> int:
    """Say whether the loss limit or the stop of a straddle that is held has been reached: the reason, or -1."""
    limit = params[0]["size_day_loss"]
    if limit > 0 and -profit(book, state[0]["base"]) >= limit:
        return LOSS_LIMIT
    if stop > 0 and marked(state, book) * PPM >= paid(state, book) * (PPM + stop):
        return STOPPED
    return -1


@kernel(lean=True, inner=True)
def _watch(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    seen = follow(state, params, day, i)
    if state[0]["phase"] == LEAVING:
        leave_pair(state, i, book, STOPPED)
        if not is_done(book):
            return
        state[0]["phase"] = WATCHING
    loss, limit = state[0]["base"] - realised(book), params[0]["size_day_loss"]
    state[0]["loss"] = loss
    late = _over(state, params, day, now, params[0]["give_up"])
    if late or seen == SECOND or loss <= 0 or (limit > 0 and loss >= limit):
        state[0]["phase"] = DONE
    elif seen == FALLEN and day.session >= state[0]["until"]:
        _sell_again(state, params, day, i, now, book)


@kernel(lean=True, inner=True)
def _sell_again(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    """Sell what the loss asks for; wait where a price is missing, give up where nothing is left to come back."""
    pair = state[0]["pair"]
    expiry = expiry_of(day, pair)
    if day.spot[i] == MISSING:
        return
    if params[0]["resell"] == AT_MONEY:
        pair = instrument_of(day, expiry, at_the_money(day, expiry, day.spot[i]), 0)
    if pair == NO_INSTRUMENT or premium_of(day, pair, i) == MISSING:
        return
    premium = premium_of(day, pair, i) * day.tick
    edge = float(premium) - straddle_worth(day, pair, forward_of(day, expiry, i), state[0]["vol"], i)
    if edge != edge:
        return
    lots = _lots(state, params, edge * float(day.lot[expiry]), premium * day.lot[expiry], day.spot[i] * day.lot[expiry])
    state[0]["phase"] = DONE
    if lots > 0:
        state[0]["phase"] = RESELLING
        state[0]["since"] = now
        open_pair(state, book, i, pair, -lots * day.lot[expiry])


@kernel(lean=True, inner=True)
def _lots(state: Record, params: Record, edge: float, premium: int, notional: int) -> int:
    """Lots whose return to the volatility before the spike brings back the loss, within the caps.

    ``edge``, ``premium`` and ``notional`` are those of one lot, in paise.
    """
    if edge <= 0.0:
        return 0
    loss = state[0]["loss"]
    wanted = float(loss)
    if params[0]["recover_ppm"] > 0:
        wanted = float(loss * params[0]["recover_ppm"]) / float(PPM)
    lots = params[0]["size_most_lots"] if params[0]["size_most_lots"] > 0 else MOST_LOTS
    if edge * float(lots) > wanted:
        lots = int(wanted / edge)
        if edge * float(lots) < wanted:
            lots += 1
    if params[0]["size_margin"] > 0:
        lots = min(lots, params[0]["size_margin"] // max(notional * params[0]["size_margin_ppm"] // PPM, 1))
    risk = premium * params[0]["recover_stop_ppm"] // PPM
    if params[0]["size_day_loss"] > 0 and risk > 0:
        lots = min(lots, (params[0]["size_day_loss"] - loss) // risk)
    return lots


@kernel(lean=True, inner=True)
def _recover(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    """Hold the straddle that is to bring the loss back."""
    seen = follow(state, params, day, i)
    standing = standing_of(state, book)
    reason = -1
    if _over(state, params, day, now, params[0]["exit"]):
        reason = TIME
    elif standing == HOPELESS or (standing == PARTLY and now > state[0]["since"] + params[0]["patience"]):
        reason = INCOMPLETE
    elif seen == SECOND:
        reason = CRUSH
    elif standing != PARTLY:
        state[0]["phase"] = RECOVERING
        reason = _why_leave(state, params, params[0]["recover_stop_ppm"], book)
        loss, part = state[0]["loss"], params[0]["recover_ppm"]
        if reason < 0 and part > 0 and (profit(book, state[0]["base"]) + loss) * PPM >= loss * part:
            reason = TARGET
    if reason >= 0:
        leave_pair(state, i, book, reason)
        state[0]["phase"] = DONE
