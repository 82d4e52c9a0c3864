"""The step contract: what a strategy sees (``Day``), how it speaks (``Book``), what it must not do.

A strategy is ``step(state, params, day, i, book) -> None``, called once a bar when bar ``i`` has closed:

1. It reads ``day`` at ``<= i`` only. Beyond ``i`` live sessions hold missing values, and the no-look-ahead law
   replaces them with garbage.
2. It keeps its memory in ``state`` (a one-element record, carried from session to session; what is intraday is
   reset at ``i == 0``) and reads its settings from ``params`` (a one-element record).
3. It speaks through the free functions below: :func:`enter`, :func:`enter_at_fill`, :func:`place`, :func:`close`,
   :func:`cancel`, and asks :func:`position`, :func:`is_open`, :func:`is_waiting`, :func:`is_leaving`,
   :func:`is_done`.

A *leg* is one position from its first fill until it is flat: what a trade table shows in one line. Orders belong to a
leg; when a leg becomes flat its other orders are cancelled. Prices are integer ticks, quantities signed units.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record

MAX_ORDERS: Final = 64
MAX_LEGS: Final = 64
"""Room for ten legs re-entered several times a day; a fuller book sets a flag and the run stops with an error."""

MARKET: Final = 1
LIMIT: Final = 2
STOP: Final = 3

REASONS: Final = ("entry", "stop", "target", "time", "session_end", "signal", "incomplete")
"""Why an order was placed; the text of ``exit_reason``."""
ENTRY: Final = 0
STOPPED: Final = 1
TARGET: Final = 2
TIME: Final = 3
SESSION_END: Final = 4
SIGNAL: Final = 5
INCOMPLETE: Final = 6

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
            "leg", "kind", "instrument", "price", "quantity", "bar", "reason", "live",
            "late", "expiry", "right", "steps", "stop_ppm", "target_ppm", "whole",
        )
    ]
)  # fmt: skip
"""One order. ``late`` orders carry a strike rule (expiry, right, steps from the money) instead of an instrument,
``whole`` ones leave whatever their leg then holds."""

LEG: Final = np.dtype(
    [(name, np.int64) for name in ("state", "instrument", "mark", "entry_price", "quantity", "cash", "charges")]
)
"""One leg: units held, last traded close, first opening price (ticks), cash flow and charges (paise)."""

PLACED: Final = np.dtype([(name, np.int64) for name in ORDER.names or () if name != "live"])
"""The record of an order at the moment it was placed, kept by replay."""

N_ORDERS: Final = 0
N_LEGS: Final = 1
N_OPEN: Final = 2
N_PLACED: Final = 3
FLAGS: Final = 4
N_CONTRACTS: Final = 5
N_REALISED: Final = 6
N_COUNTS: Final = 7

ORDERS_FULL: Final = 1
LEGS_FULL: Final = 2
LOG_FULL: Final = 4
FILLS_FULL: Final = 8
BAD_INSTRUMENT: Final = 16
BAD_QUANTITY: Final = 32
LEG_IS_OVER: Final = 64
"""What can be wrong with what a step says; the host stops the run and says so."""


class Day(NamedTuple):
    """One session as a step sees it; see :class:`algomaster.market.ChainDay` for shapes and units."""

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


@kernel
def new_book(log_size: int) -> Book:
    """Give an empty book; ``log_size`` is the room for records of placed orders."""
    return Book(
        np.zeros(MAX_ORDERS, ORDER),
        np.zeros(MAX_LEGS, LEG),
        np.zeros(MAX_LEGS, np.int64),
        np.zeros(N_COUNTS, np.int64),
        np.zeros(log_size, PLACED),
    )


@kernel(lean=True, inner=True)
def clear(book: Book, contracts: int) -> None:
    """Empty the book at the start of a session that has so many contracts."""
    for leg in range(book.counts[N_LEGS]):
        _blank(book.legs[leg])
    book.counts[:] = 0
    book.counts[N_CONTRACTS] = contracts


@kernel(inline=True, lean=True, inner=True)
def realised(book: Book) -> int:
    """Paise netted, after charges, by all legs that were closed since the run began."""
    return int(book.counts[N_REALISED])


# --- what a step asks --------------------------------------------------------------------------------------------


@kernel(inline=True, lean=True, inner=True)
def position(book: Book, leg: int) -> int:
    """Signed units a leg holds."""
    return book.legs[leg]["quantity"]


@kernel(inline=True, lean=True, inner=True)
def is_open(book: Book, leg: int) -> bool:
    """Whether a leg holds a position."""
    return book.legs[leg]["state"] == OPEN


@kernel(inline=True, lean=True, inner=True)
def is_waiting(book: Book, leg: int) -> bool:
    """Whether a leg's entry order is still resting."""
    return book.legs[leg]["state"] == WAITING


@kernel(lean=True, inner=True)
def is_leaving(book: Book, leg: int) -> bool:
    """Whether a market order on an open leg still waits for its price."""
    for slot in range(book.counts[N_ORDERS]):
        order = book.orders[slot]
        if order["leg"] == leg and order["kind"] == MARKET and order["live"] == 1:
            return True
    return False


@kernel(inline=True, lean=True, inner=True)
def is_done(book: Book) -> bool:
    """Whether nothing is held and nothing rests."""
    return book.counts[N_OPEN] == 0 and book.counts[N_ORDERS] == 0


@kernel(lean=True, inner=True)
def instrument_of(day: Day, expiry: int, strike: int, right: int) -> int:
    """Index of a contract, or NO_INSTRUMENT where the session has no such strike.

    ``expiry`` is the index on the expiries axis, ``strike`` in paise, ``right`` 0 for the call, 1 for the put.
    """
    low, high = 0, day.strikes.size
    while low < high:
        middle = (low + high) // 2
        if day.strikes[middle] < strike:
            low = middle + 1
        else:
            high = middle
    if low >= day.strikes.size or day.strikes[low] != strike or expiry >= day.expiries.size:
        return NO_INSTRUMENT
    return (expiry * day.strikes.size + low) * 2 + right


@kernel(lean=True, inner=True)
def at_the_money(day: Day, expiry: int, spot: int) -> int:
    """Strike (paise) nearest to ``spot`` (paise) on the expiry's strike step; halfway goes up."""
    step = day.strike_step[expiry]
    return (2 * spot + step) // (2 * step) * step


@kernel(inline=True, lean=True, inner=True)
def close_of(day: Day, instrument: int, i: int) -> int:
    """Close (ticks) of a contract's bar ``i``."""
    right = instrument % 2
    row = instrument // 2
    strikes = day.strikes.size
    return int(np.int64(day.close[row // strikes, row % strikes, right, i]))


# --- what a step says --------------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def open_leg(book: Book) -> int:
    """Take the next free leg; -1 and a flag when the book is full."""
    leg = book.counts[N_LEGS]
    if leg >= book.legs.size:
        book.counts[FLAGS] |= LEGS_FULL
        return -1
    book.counts[N_LEGS] = leg + 1
    book.legs[leg]["instrument"] = NO_INSTRUMENT
    book.legs[leg]["mark"] = MISSING
    book.legs[leg]["entry_price"] = MISSING
    return leg


@kernel(lean=True, inner=True)
def _blank(leg: Any) -> None:
    """Make a leg what a new book has, so that a reused book is read alike."""
    leg["state"] = NEW
    leg["instrument"] = 0
    leg["mark"] = 0
    leg["entry_price"] = 0
    leg["quantity"] = 0
    leg["cash"] = 0
    leg["charges"] = 0


@kernel(lean=True, inner=True)
def put(
    book: Book, i: int, leg: int, kind: int, quantity: int, price: int, reason: int,
    late: int, expiry: int, right: int, steps: int, stop_ppm: int, target_ppm: int, whole: int,
) -> int:  # fmt: skip
    """Write an order into the book and the log. Gives its slot, or -1 and a flag for an order that cannot be."""
    slot = book.counts[N_ORDERS]
    wrong = _wrong(book, leg, quantity, late)
    if wrong != 0:
        book.counts[FLAGS] |= wrong
        return -1
    book.counts[N_ORDERS] = slot + 1
    order = book.orders[slot]
    order["leg"] = leg
    order["kind"] = kind
    order["instrument"] = book.legs[leg]["instrument"]
    order["price"] = price
    order["quantity"] = quantity
    order["bar"] = i
    order["reason"] = reason
    order["live"] = 1
    order["late"] = late
    order["expiry"] = expiry
    order["right"] = right
    order["steps"] = steps
    order["stop_ppm"] = stop_ppm
    order["target_ppm"] = target_ppm
    order["whole"] = whole
    _log(book, order)
    return slot


@kernel(lean=True, inner=True)
def _wrong(book: Book, leg: int, quantity: int, late: int) -> int:
    if leg < 0:
        return LEGS_FULL
    if book.counts[N_ORDERS] >= book.orders.size:
        return ORDERS_FULL
    if book.legs[leg]["state"] >= CLOSED:
        return LEG_IS_OVER
    instrument = book.legs[leg]["instrument"]
    if late == 0 and (instrument < 0 or instrument >= book.counts[N_CONTRACTS]):
        return BAD_INSTRUMENT
    return BAD_QUANTITY if quantity == 0 else 0


@kernel(lean=True, inner=True)
def place(book: Book, i: int, leg: int, kind: int, quantity: int, price: int, reason: int) -> int:
    """Place an order on a waiting or open leg; it meets the market after bar ``i``. Gives its slot, or -1.

    ``kind`` is MARKET, LIMIT or STOP, ``price`` the limit or trigger in ticks (ignored for MARKET). An order never
    takes a leg through zero: at most what is held is left.
    """
    return put(book, i, leg, kind, quantity, price, reason, 0, 0, 0, 0, 0, 0, 0)


@kernel(lean=True, inner=True)
def enter(book: Book, i: int, instrument: int, quantity: int, stop_ppm: int, target_ppm: int) -> int:
    """Open a new leg at the market; its stop and target (parts per million, 0 for none) live from its fill.

    Gives the leg, or -1 when the book is full.
    """
    leg = open_leg(book)
    if leg >= 0:
        book.legs[leg]["instrument"] = instrument
        book.legs[leg]["state"] = WAITING
        put(book, i, leg, MARKET, quantity, 0, ENTRY, 0, 0, 0, 0, stop_ppm, target_ppm, 0)
    return leg


@kernel(lean=True, inner=True)
def enter_at_fill(
    book: Book, i: int, expiry: int, right: int, steps: int, quantity: int, stop_ppm: int, target_ppm: int
) -> int:
    """Open a new leg whose strike is chosen at the moment of the fill: ``steps`` strikes from the money then.

    Late orders that wait bind together: at a moment when one of them finds no contract, all of them are called off.
    """
    leg = open_leg(book)
    if leg >= 0:
        book.legs[leg]["state"] = WAITING
        put(book, i, leg, MARKET, quantity, 0, ENTRY, 1, expiry, right, steps, stop_ppm, target_ppm, 0)
    return leg


@kernel(lean=True, inner=True)
def close(book: Book, i: int, leg: int, reason: int) -> None:
    """Leave a leg at the market, once; a leg that still waits for its entry is called off instead."""
    if is_waiting(book, leg):
        cancel(book, leg)
        book.legs[leg]["state"] = UNFILLED
    elif is_open(book, leg) and not is_leaving(book, leg):
        put(book, i, leg, MARKET, -book.legs[leg]["quantity"], 0, reason, 0, 0, 0, 0, 0, 0, 1)


@kernel(lean=True, inner=True)
def cancel(book: Book, leg: int) -> None:
    """Cancel every resting order of a leg."""
    drop(book, leg)
    compact(book)


@kernel(lean=True, inner=True)
def drop(book: Book, leg: int) -> None:
    """Mark every resting order of a leg as gone; its slots are freed by :func:`compact`."""
    for slot in range(book.counts[N_ORDERS]):
        if book.orders[slot]["leg"] == leg:
            book.orders[slot]["live"] = 0


@kernel(lean=True, inner=True)
def compact(book: Book) -> None:
    """Close the gaps that filled and cancelled orders leave, keeping the order of arrival."""
    keep = 0
    for slot in range(book.counts[N_ORDERS]):
        if book.orders[slot]["live"] == 1:
            if keep != slot:
                book.orders[keep] = book.orders[slot]
            keep += 1
    book.counts[N_ORDERS] = keep


@kernel(lean=True, inner=True)
def call_off(book: Book, state: int) -> int:
    """Note an entry that came to nothing (NO_CONTRACT, TOO_LATE) as a leg, which the result reports."""
    leg = open_leg(book)
    if leg >= 0:
        book.legs[leg]["state"] = state
    return leg


@kernel(lean=True, inner=True)
def _log(book: Book, order: Any) -> None:
    if book.log.size == 0:
        return
    n = book.counts[N_PLACED]
    if n >= book.log.size:
        book.counts[FLAGS] |= LOG_FULL
        return
    book.counts[N_PLACED] = n + 1
    entry = book.log[n]
    entry["bar"] = order["bar"]
    entry["leg"] = order["leg"]
    entry["kind"] = order["kind"]
    entry["instrument"] = order["instrument"]
    entry["price"] = order["price"]
    entry["quantity"] = order["quantity"]
    entry["reason"] = order["reason"]
    entry["late"] = order["late"]
    entry["expiry"] = order["expiry"]
    entry["right"] = order["right"]
    entry["steps"] = order["steps"]
    entry["stop_ppm"] = order["stop_ppm"]
    entry["target_ppm"] = order["target_ppm"]
    entry["whole"] = order["whole"]


def new_state(dtype: np.dtype[Any]) -> Record:
    """Give a zeroed one-element record: the state of a strategy that has seen nothing."""
    return np.zeros(1, dtype)
