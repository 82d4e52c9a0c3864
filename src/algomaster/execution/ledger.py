"""Fills become cash, positions and profit: integer paise, nothing lost.

``cash + value of positions - charges = equity`` holds after every fill, and a 64-bit fingerprint takes in every fill
and the equity at the end of every session, so that two hosts can be compared without keeping their records. Where a
host keeps the equity of every minute, the deepest fall within sessions is known too.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.execution.costs import FUTURE, OPTION, charges_of, exercise_charges
from algomaster.strategy.steps.book import drop, note, put
from algomaster.strategy.steps.records import (
    CLOSED,
    FILLS_FULL,
    FLAGS,
    LIMIT,
    MARKET,
    N_CONTRACTS,
    N_OPEN,
    N_REALISED,
    OPEN,
    PPM,
    SETTLED,
    STOP,
    STOPPED,
    TARGET,
    WAITING,
    Book,
)

ACCOUNT: Final = np.dtype(
    [
        ("cash", np.int64),
        ("charges", np.int64),
        ("equity", np.int64),
        ("realised", np.int64),
        ("peak", np.int64),
        ("drawdown", np.int64),
        ("fills", np.int64),
        ("opened", np.int64),
        ("trades", np.int64),
        ("wins", np.int64),
        ("losses", np.int64),
        ("won", np.int64),
        ("lost", np.int64),
        ("flags", np.int64),
        ("fingerprint", np.uint64),
    ]
)
"""One account in paise: cash flow of fills, charges, equity, what closed trades netted; peak and worst fall of the
equity by the minute, where that is kept; round trips and what they netted."""

FILL: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            "bar",
            "moment",
            "leg",
            "trade",
            "instrument",
            "quantity",
            "price",
            "reason",
            "costs",
            "expiry",
            "strike",
            "right",
        )
    ]
)
"""One fill: price and costs in paise, ``moment`` one of AT_OPEN, IN_RANGE, AT_CLOSE. Expiry, strike and right are those
of a leg out of the night, whose contract the session may lack (``instrument`` -1)."""

AT_OPEN: Final = 0
IN_RANGE: Final = 1
AT_CLOSE: Final = 2


class Log(NamedTuple):
    """What a host keeps: fills (any length, 0 for none), their count (1,), and equity at each bar's end (M or 0)."""

    fills: Any
    n_fills: Any
    equity: Any


def new_account(count: int = 1) -> Record:
    """Give ``count`` accounts that have never traded."""
    accounts = np.zeros(count, ACCOUNT)
    accounts["fingerprint"] = 0x9E3779B97F4A7C15  # any non-zero start; this is 2^64 over the golden ratio
    return accounts


def new_log(fills: int, minutes: int) -> Log:
    """Give an empty log with room for ``fills`` fills and ``minutes`` equity values."""
    return Log(np.zeros(fills, FILL), np.zeros(1, np.int64), np.zeros(minutes, np.int64))


@kernel(inline=True, lean=True, inner=True)
def mix(account: Record, number: int) -> None:
    """Take one integer into the fingerprint (Marsaglia's xorshift64 step: no multiplication, so no overflow)."""
    x = account[0]["fingerprint"] ^ np.uint64(number)
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    account[0]["fingerprint"] = x


@kernel(lean=True, inner=True)
def fill(book: Book, account: Record, terms: Record, log: Log, slot: int, price: int, i: int, moment: int) -> None:
    """Execute the order in ``slot`` at ``price`` (ticks or paise) on bar ``i`` (AT_OPEN, IN_RANGE or AT_CLOSE)."""
    order = book.orders[slot]
    leg = book.legs[order["leg"]]
    held = leg["quantity"]
    if order["whole"] == 1 or (held * order["quantity"] < 0 and abs(order["quantity"]) > abs(held)):
        order["quantity"] = -held
    quantity = order["quantity"]
    row = FUTURE if leg["instrument"] == book.counts[N_CONTRACTS] else OPTION
    costs = charges_of(terms, row, quantity, abs(quantity) * price * leg["unit"])
    execute(book, account, log, slot, price, costs, i, moment)
    if leg["state"] == WAITING:
        _open(book, account, slot, price, i, moment)
    elif leg["quantity"] == 0:
        _close(book, account, order["leg"])


@kernel(lean=True, inner=True)
def execute(book: Book, account: Record, log: Log, slot: int, price: int, costs: int, i: int, moment: int) -> None:
    """Book one execution: cash, charges, units, fingerprint, record."""
    order = book.orders[slot]
    order["live"] = 0
    leg = book.legs[order["leg"]]
    quantity = order["quantity"]
    value = quantity * price * leg["unit"]
    account[0]["cash"] -= value
    account[0]["charges"] += costs
    account[0]["fills"] += 1
    if leg["state"] == WAITING:
        leg["trade"] = account[0]["opened"]
        account[0]["opened"] += 1
    leg["cash"] -= value
    leg["charges"] += costs
    leg["quantity"] += quantity
    leg["mark"] = price
    mix(account, i)
    mix(account, leg["instrument"])
    mix(account, quantity)
    mix(account, price)
    if log.fills.size > 0:
        _log(book, log, slot, price, costs, i, moment)


@kernel(lean=True, inner=True)
def settle(book: Book, account: Record, terms: Record, log: Log, number: int, worth: int, i: int) -> None:
    """Settle an open option leg in cash at ``worth`` paise a unit, at the close of bar ``i``."""
    leg = book.legs[number]
    slot = put(book, i, number, MARKET, -leg["quantity"], 0, SETTLED, 1, 0)
    note(book, slot)
    if slot >= 0:
        costs = exercise_charges(terms, leg["quantity"], abs(leg["quantity"]) * worth)
        leg["unit"] = 1  # a settlement price lies on no tick grid
        execute(book, account, log, slot, worth, costs, i, AT_CLOSE)
        _close(book, account, number)


@kernel(lean=True, inner=True)
def _open(book: Book, account: Record, slot: int, price: int, i: int, moment: int) -> None:
    order = book.orders[slot]
    number = order["leg"]
    leg = book.legs[number]
    leg["state"] = OPEN
    leg["entry_price"] = price
    leg["entry_bar"] = i
    book.open_legs[book.counts[N_OPEN]] = number
    book.counts[N_OPEN] += 1
    quantity = order["quantity"]
    stop = adverse(price, quantity, order["stop_ppm"], order["stop_ticks"])
    target = favourable(price, quantity, order["target_ppm"], order["target_ticks"])
    stops, targets = order["stop_ppm"] + order["stop_ticks"] > 0, order["target_ppm"] + order["target_ticks"] > 0
    since = i if moment == AT_OPEN else i + 1  # what of a bar comes after a price inside it is not known
    if stops:
        _attach(book, i, number, STOP, -quantity, stop, STOPPED, since)
    if targets:
        _attach(book, i, number, LIMIT, -quantity, target, TARGET, since)


@kernel(lean=True, inner=True)
def _attach(book: Book, i: int, number: int, kind: int, quantity: int, price: int, reason: int, since: int) -> None:
    slot = put(book, i, number, kind, quantity, price, reason, 1, 0)
    if slot >= 0:
        book.orders[slot]["since"] = since
        note(book, slot)


@kernel(lean=True, inner=True)
def adverse(price: int, quantity: int, ppm: int, ticks: int) -> int:
    """Stop price of a position: ``ppm`` and ``ticks`` against it, rounded to the grid away from the market."""
    if quantity < 0:
        return -((-price * (PPM + ppm)) // PPM) + ticks
    return price * (PPM - ppm) // PPM - ticks


@kernel(lean=True, inner=True)
def favourable(price: int, quantity: int, ppm: int, ticks: int) -> int:
    """Target price of a position: ``ppm`` and ``ticks`` in its favour, rounded to the grid away from the market."""
    if quantity < 0:
        return price * (PPM - ppm) // PPM - ticks
    return -((-price * (PPM + ppm)) // PPM) + ticks


@kernel(lean=True, inner=True)
def _close(book: Book, account: Record, number: int) -> None:
    leg = book.legs[number]
    leg["state"] = CLOSED
    drop(book, number)
    keep = 0
    for j in range(book.counts[N_OPEN]):
        if book.open_legs[j] != number:
            book.open_legs[keep] = book.open_legs[j]
            keep += 1
    book.counts[N_OPEN] = keep
    net = leg["cash"] - leg["charges"]
    account[0]["realised"] += net
    book.counts[N_REALISED] = account[0]["realised"]
    account[0]["trades"] += 1
    if net > 0:
        account[0]["wins"] += 1
        account[0]["won"] += net
    elif net < 0:
        account[0]["losses"] += 1
        account[0]["lost"] -= net


@kernel(lean=True, inner=True)
def _log(book: Book, log: Log, slot: int, price: int, costs: int, i: int, moment: int) -> None:
    n = log.n_fills[0]
    if n >= log.fills.size:
        book.counts[FLAGS] |= FILLS_FULL
        return
    log.n_fills[0] = n + 1
    order = book.orders[slot]
    leg = book.legs[order["leg"]]
    entry = log.fills[n]
    entry["bar"] = i
    entry["moment"] = moment
    entry["leg"] = order["leg"]
    entry["trade"] = leg["trade"]
    entry["instrument"] = leg["instrument"]
    entry["quantity"] = order["quantity"]
    entry["price"] = price * leg["unit"]
    entry["reason"] = order["reason"]
    entry["costs"] = costs
    entry["expiry"] = leg["expiry"]
    entry["strike"] = leg["strike"]
    entry["right"] = leg["right"]


@kernel(inline=True, lean=True, inner=True)
def mark(book: Book, closes: Any, future: Any, i: int) -> int:
    """Mark the open legs at the close of bar ``i`` and give their worth in paise.

    A leg that did not trade keeps its last traded close.
    """
    held = 0
    for j in range(book.counts[N_OPEN]):
        leg = book.legs[book.open_legs[j]]
        last = price_of(closes, future, leg["instrument"], i)
        if last != MISSING:
            leg["mark"] = last
        held += leg["quantity"] * leg["mark"] * leg["unit"]
    return held


@kernel(inline=True, lean=True, inner=True)
def price_of(options: Any, future: Any, instrument: int, i: int) -> int:
    """Price of an instrument on bar ``i``: options in ticks (C, M), the future behind them in paise (M,)."""
    if instrument < 0:  # a contract held overnight that the session's data lacks
        return MISSING
    if instrument < options.shape[0]:
        return int(np.int64(options[instrument, i]))
    return int(future[i])


@kernel(lean=True, inner=True)
def worth(book: Book) -> int:
    """Give the worth of the open legs at their marks in paise."""
    held = 0
    for j in range(book.counts[N_OPEN]):
        leg = book.legs[book.open_legs[j]]
        held += leg["quantity"] * leg["mark"] * leg["unit"]
    return held


@kernel(inline=True, lean=True, inner=True)
def watch(account: Record, log: Log, held: int, i: int) -> None:
    """Keep the equity at the end of bar ``i`` and its deepest fall; ``held`` is the worth of what is open."""
    equity = account[0]["cash"] - account[0]["charges"] + held
    log.equity[i] = equity
    if equity > account[0]["peak"]:
        account[0]["peak"] = equity
    elif account[0]["peak"] - equity > account[0]["drawdown"]:
        account[0]["drawdown"] = account[0]["peak"] - equity


@kernel(lean=True, inner=True)
def value(account: Record, held: int) -> None:
    """Take the equity at the end of a session into the account."""
    account[0]["equity"] = account[0]["cash"] - account[0]["charges"] + held
    mix(account, account[0]["equity"])
