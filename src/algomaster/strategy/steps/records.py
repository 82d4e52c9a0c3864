"""The plain data of the step contract: numbers that name things, records of orders and legs, ``Day`` and ``Book``."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

MAX_ORDERS: Final = 64
MAX_LEGS: Final = 512
"""Room for ten legs re-entered twenty times for a stop and twenty for a target; a fuller book sets a flag and the run
stops with an error."""
MAX_OVERNIGHT: Final = 16
"""Legs that a book takes over a night, each with its resting orders (as many as two a leg)."""

MARKET: Final = 1
LIMIT: Final = 2
STOP: Final = 3

REASONS: Final = (
    "entry", "stop", "target", "time", "session_end", "signal", "incomplete", "trail", "lock", "overall_stop",
    "overall_target", "square_off", "settled", "momentum", "reentry", "hedge", "loss_limit", "crush",
)  # fmt: skip
"""Why an order was placed; the text of ``exit_reason``."""
ENTRY: Final = 0
STOPPED: Final = 1
TARGET: Final = 2
TIME: Final = 3
SESSION_END: Final = 4
SIGNAL: Final = 5
INCOMPLETE: Final = 6
TRAIL: Final = 7
LOCK: Final = 8
OVERALL_STOP: Final = 9
OVERALL_TARGET: Final = 10
SQUARE_OFF: Final = 11
SETTLED: Final = 12
MOMENTUM: Final = 13
REENTRY: Final = 14
HEDGE: Final = 15
LOSS_LIMIT: Final = 16
CRUSH: Final = 17

NEW: Final = 0
WAITING: Final = 1
OPEN: Final = 2
CLOSED: Final = 3
UNFILLED: Final = 4
NO_CONTRACT: Final = 5
TOO_LATE: Final = 6
"""States of a leg; the last three are entries that came to nothing."""

NO_INSTRUMENT: Final = -1
PPM: Final = 1_000_000
"""Percentages travel as parts per million, so that 20 % of an integer price is exact."""

ORDER: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            "leg", "kind", "instrument", "price", "quantity", "bar", "since", "reason", "live", "whole", "late",
            "expiry", "right", "steps", "stop_ppm", "target_ppm", "stop_ticks", "target_ticks",
        )
    ]
)  # fmt: skip
"""One order, placed on ``bar``; the first bar whose range counts for it is ``since``. ``late`` orders carry a strike
rule (expiry, right, steps from the money) instead of an instrument, ``whole`` ones leave whatever their leg then holds.
Stop and target of the leg it opens stand a part (ppm) or a number of price units (ticks) from its fill."""

LEG: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            "state", "instrument", "mark", "entry_price", "entry_bar", "quantity", "cash", "charges", "unit", "tag",
            "trade", "overnight", "expiry", "strike", "right",
        )
    ]
)  # fmt: skip
"""One leg: units held, last traded close, first opening price and its bar, cash flow and charges (paise), paise in a
price unit (a tick for options, 1 for futures), the strategy's own number, the run's number of the trade. Expiry (days),
strike (paise) and right are written when it is taken over a night."""

PLACED: Final = np.dtype([(name, np.int64) for name in ORDER.names or () if name not in ("live", "since")])
"""The record of an order at the moment it was placed, kept by replay."""

N_ORDERS: Final = 0
N_LEGS: Final = 1
N_OPEN: Final = 2
N_PLACED: Final = 3
FLAGS: Final = 4
N_CONTRACTS: Final = 5
N_REALISED: Final = 6
N_WAKE: Final = 7
N_TICK: Final = 8
N_COUNTS: Final = 9

ORDERS_FULL: Final = 1
LEGS_FULL: Final = 2
LOG_FULL: Final = 4
FILLS_FULL: Final = 8
BAD_INSTRUMENT: Final = 16
BAD_QUANTITY: Final = 32
LEG_IS_OVER: Final = 64
NIGHT_FULL: Final = 128
"""What can be wrong with what a step says; the host stops the run and says so."""


class Day(NamedTuple):
    """One session as a step sees it; see :class:`algomaster.market.ChainDay` for shapes and units.

    Beside its fields: ``years`` (E, M) float64, business time from each bar's end to the expiry, and ``monthly`` (E,)
    int64, 1 where the expiry is the month's.
    """

    session: Any
    first_minute: Any
    tick: Any
    ts: Any
    expiries: Any
    strikes: Any
    strike_step: Any
    lot: Any
    open: Any
    high: Any
    low: Any
    close: Any
    bid: Any
    ask: Any
    volume: Any
    oi: Any
    spot_open: Any
    spot_high: Any
    spot_low: Any
    spot: Any
    future_open: Any
    future_high: Any
    future_low: Any
    future: Any
    vix: Any
    score: Any
    features: Any
    years: Any
    monthly: Any


class Book(NamedTuple):
    """Orders and legs of one strategy on one account.

    ``orders`` (MAX_ORDERS,) and ``legs`` (MAX_LEGS,) are filled from the front, ``open_legs`` lists the legs that hold
    a position, ``counts`` says how many of each there are, ``log`` (any length) records orders as they are placed.
    """

    orders: Any
    legs: Any
    open_legs: Any
    counts: Any
    log: Any
