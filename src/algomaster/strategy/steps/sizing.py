"""How many lots the next round gets: fixed, martingale, anti-martingale, fixed fraction, volatility target, Kelly.

A strategy takes part by splicing :data:`SIZING_PARAMS` into its parameters and :data:`SIZING_STATE` into its memory and
calling :func:`lots_now` when it opens a *round*: whatever it opens at one decision. The result of the round before is
what legs have netted since the last call (:func:`~algomaster.strategy.steps.contract.realised`); a result of exactly
nothing, such as that of an entry that found no trade, is neither a win nor a loss.

1. :func:`_settle`: the result of the round before moves the step of a progression and what is known of a lot.
2. :func:`_wanted`: lots by the policy.
3. :func:`_allowed`: not above the caps in lots, margin and loss. 0 lots means: do not trade.

Money is integer paise, shares are parts per million. Only volatility and Kelly use floating point, in one fixed order.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.contract import CLOSED, N_LEGS, N_OPEN, PPM, Book, Day, realised

FIXED: Final = 0
MARTINGALE: Final = 1
ANTIMARTINGALE: Final = 2
FRACTION: Final = 3
VOLATILITY: Final = 4
KELLY: Final = 5

ON_WIN: Final = 0
ON_RECOVERY: Final = 1
ON_DAY: Final = 2
ON_WEEK: Final = 3
NEVER: Final = 4

MOST_LOTS: Final = 10_000
"""No policy asks for more; it also keeps products of lots and rates inside 64 bits."""

SIZING_PARAMS: Final[list[Any]] = [
    (name, np.int64)
    for name in (
        "size_plain", "size_kind", "size_multiplier_ppm", "size_steps", "size_restart", "size_reset", "size_most_lots",
        "size_margin", "size_margin_ppm", "size_day_loss", "size_loss", "size_capital", "size_fraction_ppm",
        "size_risk", "size_target", "size_target_ppm", "size_lookback", "size_kelly_ppm",
    )
]  # fmt: skip
"""Amounts in paise, 0 for a cap that is switched off; ``size_steps`` -1 for no end; ``size_plain`` 1 where nothing but
the base counts."""

SIZING_STATE: Final[list[Any]] = [
    ("size_begun", np.int64),
    ("size_seen", np.int64),
    ("size_lots", np.int64),
    ("size_step", np.int64),
    ("size_run", np.int64),
    ("size_session", np.int64),
    ("size_day_start", np.int64),
    ("size_traded", np.int64),
    ("size_day_pnl", np.float64),
    ("size_weight", np.float64),
    ("size_mean", np.float64),
    ("size_spread", np.float64),
]
"""``size_seen``: paise netted at the last call; ``size_lots``: lots of the last round; ``size_step``: how often the
base is multiplied; ``size_run``: what rounds have netted since the last base; the last four: a lot's result in this
session, and weight, mean and weighted squares of those before."""


@kernel(lean=True, inner=True)
def lots_now(state: Record, params: Record, day: Day, i: int, book: Book, base: int) -> int:
    """Lots of a round that is opened on bar ``i``; ``base`` are those of the fixed policy. 0: do not trade.

    Call it once a round, before its orders are placed. For the margin a lot of the round is one lot short, of the
    nearest expiry; where it is something else, call :func:`lots_short`.
    """
    return lots_short(state, params, day, i, book, base, day.lot[0])


@kernel(lean=True, inner=True)
def lots_short(state: Record, params: Record, day: Day, i: int, book: Book, base: int, short: int) -> int:
    """Do what :func:`lots_now` does for a round of which each lot has ``short`` units short (of calls or of puts)."""
    if params[0]["size_plain"] == 1:
        return base
    room = MOST_LOTS
    if params[0]["size_margin"] > 0 and short > 0:
        room = _room(params, day, i, book, short)
    return _lots(state, params, day.session, realised(book), _at_the_start(book), room, base)


@kernel(lean=True, inner=True)
def lots_for(state: Record, params: Record, session: int, netted: int, room: int, base: int) -> int:
    """Lots of the next round, from the paise netted so far and the lots that the margin has room for.

    Nothing has been netted in a session before its first round.
    """
    if params[0]["size_plain"] == 1:
        return base
    return _lots(state, params, session, netted, netted, room, base)


@kernel(lean=True, inner=True)
def _at_the_start(book: Book) -> int:
    """Paise that had been netted when the session began: legs of a night may have been closed since."""
    netted = realised(book)
    for j in range(book.counts[N_LEGS]):
        leg = book.legs[j]
        if leg["state"] == CLOSED:
            netted -= leg["cash"] - leg["charges"]
    return netted


@kernel(lean=True, inner=True)
def _lots(state: Record, params: Record, session: int, netted: int, start: int, room: int, base: int) -> int:
    _settle(state, params, session, netted, start)
    lots = min(_wanted(state, params, netted, base), room, MOST_LOTS)
    lots = _allowed(state, params, netted, lots)
    if lots > 0:
        state[0]["size_lots"] = lots
        state[0]["size_traded"] = 1
    return lots


# --- the round before --------------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def _settle(state: Record, params: Record, session: int, netted: int, start: int) -> None:
    if state[0]["size_begun"] == 0:
        state[0]["size_begun"] = 1
        state[0]["size_seen"] = netted
        state[0]["size_session"] = session
        state[0]["size_day_start"] = start
    result = netted - state[0]["size_seen"]
    state[0]["size_seen"] = netted
    if result != 0 and state[0]["size_lots"] > 0:
        state[0]["size_day_pnl"] += result / state[0]["size_lots"]
        _climb(state, params, result)
    if session != state[0]["size_session"]:
        _new_session(state, params, session, start)


@kernel(lean=True, inner=True)
def _climb(state: Record, params: Record, result: int) -> None:
    """Move the step of a progression; an anti-martingale reads wins as losses and losses as wins."""
    kind = params[0]["size_kind"]
    if kind not in (MARTINGALE, ANTIMARTINGALE):
        return
    against = result if kind == ANTIMARTINGALE else -result
    state[0]["size_run"] -= against
    reset = params[0]["size_reset"]
    if against > 0:
        state[0]["size_step"] += 1
        if params[0]["size_steps"] >= 0 and state[0]["size_step"] > params[0]["size_steps"]:
            state[0]["size_step"] -= 1
            if params[0]["size_restart"] == 1:
                _to_base(state)
    elif reset == ON_RECOVERY:
        if state[0]["size_run"] >= 0:
            _to_base(state)
    elif reset != NEVER:
        _to_base(state)


@kernel(inline=True, lean=True, inner=True)
def _to_base(state: Record) -> None:
    state[0]["size_step"] = 0
    state[0]["size_run"] = 0


@kernel(lean=True, inner=True)
def _new_session(state: Record, params: Record, session: int, start: int) -> None:
    """Close the accounts of the session before: resets by the calendar, and one more session of a lot's results."""
    reset = params[0]["size_reset"]
    if reset == ON_DAY or (reset == ON_WEEK and week_of(session) != week_of(state[0]["size_session"])):
        _to_base(state)
    fade = 1.0 - 2.0 / (params[0]["size_lookback"] + 1.0)
    state[0]["size_weight"] *= fade
    state[0]["size_spread"] *= fade
    if state[0]["size_traded"] == 1:
        # West, "Updating mean and variance estimates", CACM 22(9), 1979, with weights that fade.
        value = state[0]["size_day_pnl"]
        away = value - state[0]["size_mean"]
        state[0]["size_weight"] += 1.0
        state[0]["size_mean"] += away / state[0]["size_weight"]
        state[0]["size_spread"] += away * (value - state[0]["size_mean"])
    state[0]["size_session"] = session
    state[0]["size_day_start"] = start
    state[0]["size_day_pnl"] = 0.0
    state[0]["size_traded"] = 0


@kernel(inline=True, lean=True, inner=True)
def week_of(session: int) -> int:
    """Give the number of the week (from Monday) that a day since 1970-01-01, a Thursday, lies in."""
    return (session + 3) // 7


# --- lots by the policy ------------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def _wanted(state: Record, params: Record, netted: int, base: int) -> int:
    kind = params[0]["size_kind"]
    if kind in (MARTINGALE, ANTIMARTINGALE):
        return grown(base, params[0]["size_multiplier_ppm"], state[0]["size_step"])
    if kind == FIXED:
        return base
    capital = max(params[0]["size_capital"] + netted, 0)
    if kind == FRACTION:
        return capital * params[0]["size_fraction_ppm"] // PPM // params[0]["size_risk"]
    weight = state[0]["size_weight"]
    if weight < 0.25 * (params[0]["size_lookback"] + 1.0):  # half of what the weights add up to in the long run
        return base
    variance = state[0]["size_spread"] / weight
    if variance <= 0.0:
        return base
    if kind == VOLATILITY:
        target = params[0]["size_target"]
        if target == 0:
            target = capital * params[0]["size_target_ppm"] // PPM
        return _whole(target / math.sqrt(variance))
    # n lots of a result X on a capital C: E ln(1 + nX/C) is largest near n = C mean / variance.
    return _whole(params[0]["size_kelly_ppm"] / PPM * capital * state[0]["size_mean"] / variance)


@kernel(lean=True, inner=True)
def grown(base: int, multiplier_ppm: int, steps: int) -> int:
    """Multiply ``base`` so often, in millionths of a lot, then round half up; at most MOST_LOTS."""
    size = base * PPM
    for _ in range(steps):
        if multiplier_ppm == PPM or size >= MOST_LOTS * PPM:
            break
        size = size * multiplier_ppm // PPM
    return min((size + PPM // 2) // PPM, MOST_LOTS)


@kernel(inline=True, lean=True, inner=True)
def _whole(lots: float) -> int:
    """Whole lots, none below zero."""
    return int(min(max(lots, 0.0), float(MOST_LOTS)))


# --- caps --------------------------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def _allowed(state: Record, params: Record, netted: int, lots: int) -> int:
    """Lots within the caps; with a known risk a lot, no more than the loss limits can still bear."""
    if params[0]["size_most_lots"] > 0:
        lots = min(lots, params[0]["size_most_lots"])
    risk = params[0]["size_risk"]
    if params[0]["size_day_loss"] > 0:
        lots = _borne(lots, params[0]["size_day_loss"] + netted - state[0]["size_day_start"], risk)
    if params[0]["size_loss"] > 0:
        lots = _borne(lots, params[0]["size_loss"] + netted, risk)
    return lots


@kernel(inline=True, lean=True, inner=True)
def _borne(lots: int, left: int, risk: int) -> int:
    """Lots when so many paise may still be lost."""
    if left <= 0:
        return 0
    return min(lots, left // risk) if risk > 0 else lots


@kernel(lean=True, inner=True)
def _room(params: Record, day: Day, i: int, book: Book, units: int) -> int:
    """Lots of so many short units whose margin fits beside that of the open short legs; 0 before an index is seen.

    What is short takes a share of its notional. Calls and puts short together take the larger side's margin, for
    the index cannot rise and fall at once.
    """
    spot = MISSING
    for j in range(i, -1, -1):
        if day.spot[j] != MISSING:
            spot = day.spot[j]
            break
    if spot == MISSING:
        return 0
    calls, puts = 0, 0
    for j in range(book.counts[N_OPEN]):
        leg = book.legs[book.open_legs[j]]
        short = max(-leg["quantity"], 0)
        right = leg["right"] if leg["instrument"] < 0 else leg["instrument"] % 2  # a future is on the calls' side
        if right == 0:
            calls += short
        else:
            puts += short
    left = params[0]["size_margin"] - max(calls, puts) * spot * params[0]["size_margin_ppm"] // PPM
    return max(left // max(units * spot * params[0]["size_margin_ppm"] // PPM, 1), 0)
