"""Resting orders meet one bar: the open first, then the range, stops before targets.

1. Late orders get their contract from the index at the moment they can fill (:func:`bind`).
2. At the open (:func:`meet`): market orders fill; a stop or limit that the open has passed fills at the open.
3. In the range: stops fill at their trigger, then limits at their price; with ``algotest`` fills a target comes before
   the stop of its leg where its end of the range lies nearer the open.
4. At the close, for hosts that fill there (:func:`meet_close`): market orders of this very bar.

An order whose contract did not trade waits for the next bar.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.execution.costs import ALGOTEST, OPTION
from algomaster.execution.ledger import AT_CLOSE, AT_OPEN, IN_RANGE, Log, fill, price_of
from algomaster.execution.slippage import slipped, slips
from algomaster.strategy.steps.book import compact
from algomaster.strategy.steps.contract import at_the_money, instrument_of
from algomaster.strategy.steps.records import (
    LIMIT,
    MARKET,
    N_ORDERS,
    NO_CONTRACT,
    NO_INSTRUMENT,
    STOP,
    Book,
    Day,
)

BLOCK: Final = 16
"""Bars in a block of the skip lists."""


class Tape(NamedTuple):
    """Prices of a session by contract: ``(E * K * 2, M)`` views of the chain arrays, in ticks; the future's in paise.

    ``top`` and ``bottom`` (E * K * 2, M / BLOCK) hold the highest high and the lowest low of each block of bars; where
    they are empty (0, 0) no bar is skipped.
    """

    open: Any
    high: Any
    low: Any
    close: Any
    bid: Any
    ask: Any
    volume: Any
    future_open: Any
    future_high: Any
    future_low: Any
    future: Any
    top: Any
    bottom: Any


@kernel(inline=True, lean=True, inner=True)
def touched(order: Any, tape: Tape, i: int) -> bool:
    """Whether bar ``i`` can fill the order; a market order always may."""
    if order["kind"] == MARKET:
        return True
    if (order["kind"] == STOP) == (order["quantity"] > 0):
        return price_of(tape.high, tape.future_high, order["instrument"], i) >= order["price"]
    bottom = price_of(tape.low, tape.future_low, order["instrument"], i)
    return bottom <= order["price"] and bottom != MISSING


@kernel(inline=True, lean=True, inner=True)
def any_touched(orders: Any, counts: Any, tape: Tape, i: int) -> bool:
    """Whether bar ``i`` can fill any resting order."""
    found = False
    for slot in range(counts[N_ORDERS]):
        found |= touched(orders[slot], tape, i)
    return found


@kernel(lean=True, inner=True)
def meet(tape: Tape, book: Book, account: Record, terms: Record, log: Log, i: int) -> None:
    """Let every resting order meet bar ``i``; late orders are bound before."""
    # A decided exit outranks a stop that the same open has passed: the price is one, and so is the reason.
    _at_open(tape, book, account, terms, log, i, False)
    _at_open(tape, book, account, terms, log, i, True)
    unbind(book)
    _in_range(tape, book, account, terms, log, i, STOP)
    _in_range(tape, book, account, terms, log, i, LIMIT)
    compact(book)


@kernel(lean=True, inner=True)
def _at_open(tape: Tape, book: Book, account: Record, terms: Record, log: Log, i: int, passed: bool) -> None:
    for slot in range(book.counts[N_ORDERS]):  # orders attached by a fill at this open are beyond the range
        order = book.orders[slot]
        if order["live"] == 0 or order["instrument"] == NO_INSTRUMENT or (order["kind"] == MARKET) == passed:
            continue
        first = price_of(tape.open, tape.future_open, order["instrument"], i)
        if first != MISSING and (not passed or _beyond(order, first)):
            trade(tape, book, account, terms, log, slot, first, i, AT_OPEN)


@kernel(lean=True, inner=True)
def trade(
    tape: Tape, book: Book, account: Record, terms: Record, log: Log, slot: int, price: int, i: int, moment: int
) -> None:
    """Fill an order where the bar says ``price``, as much worse as the terms have it."""
    order = book.orders[slot]
    if order["kind"] != LIMIT and slips(terms):
        # the quotes of the bar before are no price for a stop that this open has passed: it is what the stop is for
        when = moment if order["kind"] == MARKET else IN_RANGE
        price = slipped(tape, terms, order["instrument"], order["quantity"], price, i, when)
    fill(book, account, terms, log, slot, price, i, moment)


@kernel(lean=True, inner=True)
def _beyond(order: Any, price: int) -> bool:
    """Whether ``price`` lies at or beyond the order's own price."""
    if (order["kind"] == STOP) == (order["quantity"] > 0):
        return price >= order["price"]
    return price <= order["price"]


@kernel(lean=True, inner=True)
def _in_range(tape: Tape, book: Book, account: Record, terms: Record, log: Log, i: int, kind: int) -> None:
    for slot in range(book.counts[N_ORDERS]):
        order = book.orders[slot]
        if order["live"] == 0 or order["kind"] != kind or order["since"] > i or not touched(order, tape, i):
            continue
        if kind == STOP and terms[OPTION]["fill"] == ALGOTEST and _target_first(tape, book, order, i):
            continue
        trade(tape, book, account, terms, log, slot, order["price"], i, IN_RANGE)


@kernel(lean=True, inner=True)
def _target_first(tape: Tape, book: Book, stop: Any, i: int) -> bool:
    """Whether the bar touches the target of the stop's leg too, and its end of the range lies nearer the open."""
    instrument = stop["instrument"]
    first = price_of(tape.open, tape.future_open, instrument, i)
    up = price_of(tape.high, tape.future_high, instrument, i) - first
    down = first - price_of(tape.low, tape.future_low, instrument, i)
    nearer = down < up if stop["quantity"] > 0 else up < down
    if first == MISSING or not nearer:
        return False
    for slot in range(book.counts[N_ORDERS]):
        order = book.orders[slot]
        if order["leg"] == stop["leg"] and order["kind"] == LIMIT and order["live"] == 1 and order["since"] <= i:
            return touched(order, tape, i)
    return False


@kernel(lean=True, inner=True)
def meet_close(tape: Tape, book: Book, account: Record, terms: Record, log: Log, i: int) -> None:
    """Fill the market orders decided on bar ``i`` at its close; one whose contract did not trade waits."""
    for slot in range(book.counts[N_ORDERS]):
        order = book.orders[slot]
        if order["live"] == 0 or order["kind"] != MARKET or order["bar"] != i or order["instrument"] == NO_INSTRUMENT:
            continue
        last = price_of(tape.close, tape.future, order["instrument"], i)
        if last != MISSING:
            trade(tape, book, account, terms, log, slot, last, i, AT_CLOSE)
    unbind(book)
    compact(book)


@kernel(lean=True, inner=True)
def bind(day: Day, book: Book, spot: int) -> None:
    """Give late orders their contracts from the index at ``spot`` (paise), for this moment: all that wait, or none.

    Where one finds no contract, all are called off; without an index they wait.
    """
    if spot == MISSING:
        return
    listed = True
    for slot in range(book.counts[N_ORDERS]):
        order = book.orders[slot]
        if order["late"] == 1 and order["live"] == 1:
            listed &= contract_for(day, order, spot) != NO_INSTRUMENT
    for slot in range(book.counts[N_ORDERS]):
        order = book.orders[slot]
        if order["late"] == 1 and order["live"] == 1:
            leg = book.legs[order["leg"]]
            if listed:
                order["instrument"] = contract_for(day, order, spot)
                leg["instrument"] = order["instrument"]
            else:
                order["live"] = 0
                leg["state"] = NO_CONTRACT


@kernel(lean=True, inner=True)
def unbind(book: Book) -> None:
    """Take the contracts from late orders that found no trade: the next moment chooses anew."""
    for slot in range(book.counts[N_ORDERS]):
        order = book.orders[slot]
        if order["late"] == 1 and order["live"] == 1:
            order["instrument"] = NO_INSTRUMENT
            book.legs[order["leg"]]["instrument"] = NO_INSTRUMENT


@kernel(lean=True, inner=True)
def contract_for(day: Day, order: Any, spot: int) -> int:
    """Contract that a late order's strike rule names when the index stands at ``spot``."""
    expiry = order["expiry"]
    if expiry >= day.expiries.size:
        return NO_INSTRUMENT
    strike = at_the_money(day, expiry, spot) + order["steps"] * day.strike_step[expiry]
    return instrument_of(day, expiry, strike, order["right"])
