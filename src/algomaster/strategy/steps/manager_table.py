"""What the straddle manager reads and remembers: its table of legs, the numbers of its rules, its memory.

A *row* is a leg of the table, or a lazy leg behind them. It holds one position at a time, over all its re-entries.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from algomaster.strategy.steps.sizing import SIZING_PARAMS, SIZING_STATE

MAX_ROWS: Final = 20
"""Ten legs and ten lazy ones."""

# --- how far a price must move -----------------------------------------------------------------------------------
NO_RULE: Final = 0
PERCENT: Final = 1
POINTS: Final = 2
SPOT_PERCENT: Final = 3
SPOT_POINTS: Final = 4
RUPEES: Final = 5
"""Amounts: parts per million of a premium, paise of it, parts per million of the index, paise of it, paise of money."""

# --- how a strike is chosen --------------------------------------------------------------------------------------
STEPS: Final = 0
EXACT: Final = 1
CLOSEST: Final = 2
BETWEEN: Final = 3
AT_LEAST: Final = 4
AT_MOST: Final = 5
DELTA: Final = 6
DELTA_BETWEEN: Final = 7
WIDTH: Final = 8
SHARE: Final = 9

CASH: Final = 0
FUTURE: Final = 1
SYNTHETIC: Final = 2

BY_INDEX: Final = 0
WEEKLY: Final = 1
NEXT_WEEKLY: Final = 2
MONTHLY: Final = 3
NEXT_MONTHLY: Final = 4

# --- what follows a stop or a target -----------------------------------------------------------------------------
NOTHING: Final = 0
ASAP: Final = 1
COST: Final = 2
BY_MOMENTUM: Final = 3
LAZY: Final = 4

INTRADAY: Final = 0
BTST: Final = 1
POSITIONAL: Final = 2

ON_RANGE: Final = 0
ON_CLOSE: Final = 1

BREAK_EVEN_ALL: Final = 1
BREAK_EVEN_STOPS: Final = 2

# --- phases of the strategy and of a row -------------------------------------------------------------------------
WAIT: Final = 0
COMBINED: Final = 1
RUNNING: Final = 2
LEAVING: Final = 3
DONE: Final = 4

OFF: Final = 0
CHOOSING: Final = 1
RESTING: Final = 2
ON_PREMIUM: Final = 3
ON_SPOT: Final = 4
GATHERING: Final = 5
ENTERING: Final = 6
HELD: Final = 7

AT_ONCE: Final = 0
FRESH: Final = 1
ON_CLOSES: Final = 2
"""How a row enters: at the market, by its own momentum or breakout, or by its momentum watched on closes."""

EVENT_STOP: Final = 1
EVENT_TARGET: Final = 2

_SETTINGS: Final = (
    "entry", "exit", "patience", "holding", "exit_days", "settle", "stop_on", "square_off", "break_even",
    "no_reentry_after", "lots", "n_legs", "n_rows", "quiet",
    "overall_stop_kind", "overall_stop", "overall_target_kind", "overall_target",
    "overall_trail_kind", "overall_trail_every", "overall_trail_by",
    "lock_at", "lock_keep", "lock_every", "lock_by",
    "overall_momentum_kind", "overall_momentum",
    "on_overall_stop", "on_overall_stop_reverse", "on_overall_stop_times",
    "on_overall_target", "on_overall_target_reverse", "on_overall_target_times",
    "weekdays", "dte", "dte_calendar", "vix_low", "vix_high", "use_gap", "gap_low", "gap_high",
    "use_budget", "budget_low", "budget_high",
)  # fmt: skip

_ROW: Final = (
    "right", "side", "ratio", "expiry_by", "expiry", "rule", "money_from", "rule_low", "rule_high",
    "stop_kind", "stop", "target_kind", "target", "trail_kind", "trail_every", "trail_by",
    "momentum_kind", "momentum", "range_until", "range_end", "range_on_spot",
    "on_stop", "on_stop_reverse", "on_stop_touch", "on_stop_times", "on_stop_lazy",
    "on_target", "on_target_reverse", "on_target_touch", "on_target_times", "on_target_lazy",
)  # fmt: skip

PARAMS: Final = np.dtype(
    [(name, np.int64) for name in _SETTINGS] + [(name, np.int64, (MAX_ROWS,)) for name in _ROW] + SIZING_PARAMS
)
"""Times in minutes of the day; ``side`` +1 buys, -1 sells; ``lots`` times
the whole table, ``ratio`` lots of a leg in it; filters of days are bit masks (-1 lets all pass); strike rules
in paise, steps, or parts per million (deltas, multipliers, shares); ``range_end`` +1 the high, -1 the low."""

_MEMORY: Final = (
    "phase", "begin", "since", "lots", "session", "serial", "flip", "first", "plan", "whole", "opened", "banked",
    "premium", "peak", "spot", "combined", "expiry", "before", "stops", "targets",
)  # fmt: skip

_ROW_MEMORY: Final = (
    "mode", "leg", "tag", "side", "units", "instrument", "cost", "first_stop", "stop_at", "target_at", "spot_at",
    "trigger", "up", "high", "low", "best", "stopped", "won", "leaving", "event", "begun", "repeat", "manner",
    "rested", "worth",
)  # fmt: skip

STATE: Final = np.dtype(
    [(name, np.int64) for name in _MEMORY] + [(name, np.int64, (MAX_ROWS,)) for name in _ROW_MEMORY] + SIZING_STATE
)
"""Of the round: ``begin`` the minute to enter from, ``since`` that of the entry, ``flip`` -1 while sides are reversed,
``plan`` how rows enter, ``opened`` entries that have traded, ``banked`` cash of closed legs and ``premium`` taken
(paise), ``peak`` the best profit, ``combined`` the reference of the combined premium, ``before`` the last index of the
session before, ``stops`` and ``targets`` rounds entered again. Of a row: the leg in the book and its tag, what is held
and since when (``begun``), ``first_stop`` and ``stop_at`` its stop at the entry and now, ``spot_at`` the index at its
entry, ``trigger`` and ``up`` the price it waits for and from where, ``stopped`` and ``won`` re-entries used,
``leaving`` the reason it was told to leave, ``worth`` its profit when it was last looked at."""
