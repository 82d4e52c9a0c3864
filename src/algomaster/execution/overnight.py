"""The two ends of a session: what is held overnight comes in, what may not stay is squared off or settled.

1. :func:`begin` empties the book and takes in the legs of the night, with their resting orders, in their old order.
2. :func:`finish` lets waiting entries expire, settles what expires today, squares off at the last traded close what is
   not to be held overnight, and takes the rest out for the next session. A leg out of the night whose contract the
   session's data lacks has no price to be squared off at: it stays until a session has it, or until its expiry.

Options settle in cash at their intrinsic value against the mean of the index over the last minutes of the expiry
(``terms["settle"]``): the exchange settles at the close of the index, which is such a mean of its members.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.execution.costs import OPTION
from algomaster.execution.ledger import AT_CLOSE, Log, fill, settle, value, watch, worth
from algomaster.strategy.steps.book import clear, compact, note, put
from algomaster.strategy.steps.contract import instrument_of
from algomaster.strategy.steps.records import (
    FLAGS,
    LEG,
    MARKET,
    MAX_OVERNIGHT,
    N_CONTRACTS,
    N_LEGS,
    N_OPEN,
    N_ORDERS,
    N_REALISED,
    NIGHT_FULL,
    NO_INSTRUMENT,
    OPEN,
    ORDER,
    SESSION_END,
    UNFILLED,
    WAITING,
    Book,
    Day,
)


class Held(NamedTuple):
    """What a night keeps: ``legs`` (L,), ``orders`` (2 L,), ``counts`` (3,): legs, orders, settlement price (paise)."""

    legs: Any
    orders: Any
    counts: Any


def new_held(count: int = 1) -> Held:
    """Give ``count`` empty nights, one a row."""
    return Held(
        np.zeros((count, MAX_OVERNIGHT), LEG),
        np.zeros((count, 2 * MAX_OVERNIGHT), ORDER),
        np.zeros((count, 3), np.int64),
    )


@kernel(lean=True, inner=True)
def begin(day: Day, terms: Record, book: Book, account: Record, held: Held, log: Log) -> None:
    """Open a session."""
    clear(book, day.expiries.size * day.strikes.size * 2, terms[OPTION]["tick"])
    book.counts[N_REALISED] = account[0]["realised"]
    if held.counts[0] > 0:
        _take_in(day, terms, book, account, held, log)


@kernel(lean=True, inner=True)
def _take_in(day: Day, terms: Record, book: Book, account: Record, held: Held, log: Log) -> None:
    for number in range(held.counts[0]):
        book.legs[number] = held.legs[number]
        leg = book.legs[number]
        leg["instrument"] = _instrument(day, leg, book.counts[N_CONTRACTS])
        book.open_legs[number] = number
    book.counts[N_LEGS] = held.counts[0]
    book.counts[N_OPEN] = held.counts[0]
    for slot in range(held.counts[1]):
        book.orders[slot] = held.orders[slot]
        order = book.orders[slot]
        order["bar"] = -1
        order["since"] = 0
        order["instrument"] = book.legs[order["leg"]]["instrument"]
    book.counts[N_ORDERS] = held.counts[1]
    last = held.counts[2]
    held.counts[0] = 0
    held.counts[1] = 0
    for number in range(book.counts[N_LEGS]):  # expired on a session that is not in the data
        leg = book.legs[number]
        if leg["right"] < 2 and leg["expiry"] < day.session:
            settle(book, account, terms, log, number, _intrinsic(leg, last), 0)
    compact(book)


@kernel(lean=True, inner=True)
def _instrument(day: Day, leg: Any, contracts: int) -> int:
    if leg["right"] == 2:
        return contracts
    for expiry in range(day.expiries.size):
        if day.expiries[expiry] == leg["expiry"]:
            return instrument_of(day, expiry, leg["strike"], leg["right"])
    return NO_INSTRUMENT


@kernel(lean=True, inner=True)
def _intrinsic(leg: Any, index: int) -> int:
    if index == MISSING:
        return leg["mark"] * leg["unit"]
    return max(index - leg["strike"] if leg["right"] == 0 else leg["strike"] - index, 0)


@kernel(lean=True, inner=True)
def settlement(day: Day, minutes: int) -> int:
    """Mean of the index (paise) over the last minutes of the session, half up; MISSING where none is known."""
    total, count = 0, 0
    for i in range(max(day.ts.size - minutes, 0), day.ts.size):
        if day.spot[i] != MISSING:
            total += day.spot[i]
            count += 1
    return (2 * total + count) // (2 * count) if count > 0 else MISSING


@kernel(lean=True, inner=True)
def finish(day: Day, book: Book, account: Record, terms: Record, held: Held, log: Log, last: int) -> None:
    """End a session."""
    for slot in range(book.counts[N_ORDERS]):
        leg = book.legs[book.orders[slot]["leg"]]
        order = book.orders[slot]
        if leg["overnight"] == 0 or leg["state"] != OPEN or order["kind"] == MARKET:
            order["live"] = 0
        if leg["state"] == WAITING:
            leg["state"] = UNFILLED
    compact(book)
    staying = 0
    while book.counts[N_OPEN] > staying:
        number = book.open_legs[staying]
        leg = book.legs[number]
        if leg["overnight"] == 0 and leg["instrument"] != NO_INSTRUMENT:
            slot = put(book, last, number, MARKET, -leg["quantity"], 0, SESSION_END, 1, 0)
            note(book, slot)
            if slot < 0:  # the book is full: its flag stops the run
                staying += 1
                continue
            fill(book, account, terms, log, slot, leg["mark"], last, AT_CLOSE)
            compact(book)
        elif not _stays(day, book, account, terms, held, log, number, last):
            compact(book)
        else:
            staying += 1
    if staying > 0:
        _take_out(day, book, held, terms)
    value(account, worth(book))
    if log.equity.size > 0:
        watch(account, log, worth(book), last)
    account[0]["flags"] |= book.counts[FLAGS]


@kernel(lean=True, inner=True)
def _stays(day: Day, book: Book, account: Record, terms: Record, held: Held, log: Log, number: int, last: int) -> bool:
    """Whether a leg goes into the night; one that expires today is settled."""
    leg = book.legs[number]
    _name(day, book, leg)
    if leg["right"] < 2 and leg["expiry"] <= day.session:
        settle(book, account, terms, log, number, _intrinsic(leg, settlement(day, terms[OPTION]["settle"])), last)
    return leg["state"] == OPEN  # also where a full book could not take the settlement: its flag stops the run


@kernel(lean=True, inner=True)
def _name(day: Day, book: Book, leg: Any) -> None:
    """Write into a leg what names its contract in the next session."""
    instrument = leg["instrument"]
    if instrument == NO_INSTRUMENT:
        return  # it came out of a night and this session's data lacks it: it keeps its name
    if instrument == book.counts[N_CONTRACTS]:
        leg["right"] = 2
        return
    leg["expiry"] = day.expiries[instrument // 2 // day.strikes.size]
    leg["strike"] = day.strikes[instrument // 2 % day.strikes.size]
    leg["right"] = instrument % 2


@kernel(lean=True, inner=True)
def _take_out(day: Day, book: Book, held: Held, terms: Record) -> None:
    if book.counts[N_OPEN] > held.legs.size or book.counts[N_ORDERS] > held.orders.size:
        book.counts[FLAGS] |= NIGHT_FULL
        return
    for j in range(book.counts[N_OPEN]):
        held.legs[j] = book.legs[book.open_legs[j]]
    for slot in range(book.counts[N_ORDERS]):
        held.orders[slot] = book.orders[slot]
        for j in range(book.counts[N_OPEN]):
            if book.open_legs[j] == book.orders[slot]["leg"]:
                held.orders[slot]["leg"] = j
    held.counts[0] = book.counts[N_OPEN]
    held.counts[1] = book.counts[N_ORDERS]
    held.counts[2] = settlement(day, terms[OPTION]["settle"])
