"""How orders and legs get into a book and out of it: what the words of the contract and the ledger are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.records import (
    BAD_INSTRUMENT,
    BAD_QUANTITY,
    CLOSED,
    FLAGS,
    LEG,
    LEG_IS_OVER,
    LEGS_FULL,
    LOG_FULL,
    MAX_LEGS,
    MAX_ORDERS,
    N_CONTRACTS,
    N_COUNTS,
    N_LEGS,
    N_ORDERS,
    N_PLACED,
    N_TICK,
    NEW,
    NO_INSTRUMENT,
    OPEN,
    ORDER,
    ORDERS_FULL,
    PLACED,
    Book,
)


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
def clear(book: Book, contracts: int, tick: int) -> None:
    """Empty the book at the start of a session that has so many option contracts, priced in ticks of so many paise."""
    for leg in range(book.counts[N_LEGS]):
        _blank(book.legs[leg])
    book.counts[:] = 0
    book.counts[N_CONTRACTS] = contracts
    book.counts[N_TICK] = tick


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
    book.legs[leg]["unit"] = book.counts[N_TICK]
    return leg


@kernel(lean=True, inner=True)
def _blank(leg: Any) -> None:
    """Make a leg what a new book has, so that a reused book is read alike."""
    leg["state"] = NEW
    leg["instrument"] = 0
    leg["mark"] = 0
    leg["entry_price"] = 0
    leg["entry_bar"] = 0
    leg["quantity"] = 0
    leg["cash"] = 0
    leg["charges"] = 0
    leg["unit"] = 0
    leg["tag"] = 0
    leg["trade"] = 0
    leg["overnight"] = 0
    leg["expiry"] = 0
    leg["strike"] = 0
    leg["right"] = 0


@kernel(lean=True, inner=True)
def put(book: Book, i: int, leg: int, kind: int, quantity: int, price: int, reason: int, whole: int, late: int) -> int:
    """Write an order into the book. Gives its slot, or -1 and a flag for an order that cannot be.

    Who calls it writes what is more than that into the slot, then :func:`note`.
    """
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
    order["since"] = i + 1
    order["reason"] = reason
    order["live"] = 1
    order["whole"] = whole
    order["late"] = late
    order["expiry"] = 0
    order["right"] = 0
    order["steps"] = 0
    order["stop_ppm"] = 0
    order["target_ppm"] = 0
    order["stop_ticks"] = 0
    order["target_ticks"] = 0
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
    # A leg that is open without one came out of a night into a session that lacks its contract: it still has an end.
    named = 0 <= instrument <= book.counts[N_CONTRACTS] or book.legs[leg]["state"] == OPEN
    if late == 0 and not named:
        return BAD_INSTRUMENT
    return BAD_QUANTITY if quantity == 0 else 0


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


@kernel(inline=True, lean=True, inner=True)
def note(book: Book, slot: int) -> None:
    """Record an order that was placed or moved, where the host keeps a record."""
    if book.log.size > 0 and slot >= 0:
        _record(book, book.orders[slot])


@kernel(lean=True, inner=True)
def _record(book: Book, order: Any) -> None:
    n = book.counts[N_PLACED]
    if n >= book.log.size:
        book.counts[FLAGS] |= LOG_FULL
        return
    book.counts[N_PLACED] = n + 1
    entry = book.log[n]
    entry["leg"] = order["leg"]
    entry["kind"] = order["kind"]
    entry["instrument"] = order["instrument"]
    entry["price"] = order["price"]
    entry["quantity"] = order["quantity"]
    entry["bar"] = order["bar"]
    entry["reason"] = order["reason"]
    entry["whole"] = order["whole"]
    entry["late"] = order["late"]
    entry["expiry"] = order["expiry"]
    entry["right"] = order["right"]
    entry["steps"] = order["steps"]
    entry["stop_ppm"] = order["stop_ppm"]
    entry["target_ppm"] = order["target_ppm"]
    entry["stop_ticks"] = order["stop_ticks"]
    entry["target_ticks"] = order["target_ticks"]


def new_state(dtype: np.dtype[Any]) -> Record:
    """Give a zeroed one-element record: the state of a strategy that has seen nothing."""
    return np.zeros(1, dtype)
