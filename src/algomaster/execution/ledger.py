"""Fills become cash, positions and profit: integer paise, nothing lost.

``cash + value of positions - charges = equity`` holds after every fill, and a 64-bit fingerprint takes in every fill
and every change of equity, so that two hosts can be compared without keeping their records.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.execution.costs import charges_of
from algomaster.strategy.steps.contract import (
    CLOSED,
    FILLS_FULL,
    FLAGS,
    LIMIT,
    N_OPEN,
    N_REALISED,
    OPEN,
    PPM,
    STOP,
    STOPPED,
    TARGET,
    WAITING,
    Book,
    drop,
    put,
)

ACCOUNT: Final = np.dtype(
    [
        ("cash", np.int64),
        ("charges", np.int64),
        ("equity", np.int64),
        ("peak", np.int64),
        ("drawdown", np.int64),
        ("fills", np.int64),
        ("trades", np.int64),
        ("wins", np.int64),
        ("losses", np.int64),
        ("won", np.int64),
        ("lost", np.int64),
        ("flags", np.int64),
        ("fingerprint", np.uint64),
    ]
)
"""One account in paise: cash flow of fills, charges, equity and its worst fall, round trips and what they netted."""

FILL: Final = np.dtype(
    [(name, np.int64) for name in ("bar", "moment", "leg", "instrument", "quantity", "price", "reason", "costs")]
)
"""One fill: price in ticks, costs in paise, ``moment`` one of AT_OPEN, IN_RANGE, AT_CLOSE."""

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
    """Execute the order in ``slot`` at ``price`` ticks on bar ``i`` (``moment`` AT_OPEN, IN_RANGE or AT_CLOSE)."""
    order = book.orders[slot]
    order["live"] = 0
    leg = book.legs[order["leg"]]
    held = leg["quantity"]
    if order["whole"] == 1 or (held * order["quantity"] < 0 and abs(order["quantity"]) > abs(held)):
        order["quantity"] = -held
    quantity = order["quantity"]
    value = quantity * price * terms[0]["tick"]
    costs = charges_of(terms, abs(value), quantity < 0)
    account[0]["cash"] -= value
    account[0]["charges"] += costs
    account[0]["fills"] += 1
    leg["cash"] -= value
    leg["charges"] += costs
    leg["quantity"] += quantity
    leg["mark"] = price
    mix(account, i)
    mix(account, leg["instrument"])
    mix(account, quantity)
    mix(account, price)
    _log(book, log, slot, price, costs, i, moment)
    if leg["state"] == WAITING:
        _open(book, slot, price, i)
    elif leg["quantity"] == 0:
        _close(book, account, order["leg"])


@kernel(lean=True, inner=True)
def _open(book: Book, slot: int, price: int, i: int) -> None:
    order = book.orders[slot]
    number = order["leg"]
    book.legs[number]["state"] = OPEN
    book.legs[number]["entry_price"] = price
    book.open_legs[book.counts[N_OPEN]] = number
    book.counts[N_OPEN] += 1
    quantity, stop, target = order["quantity"], order["stop_ppm"], order["target_ppm"]
    if stop > 0:
        put(book, i, number, STOP, -quantity, adverse(price, quantity, stop), STOPPED, 0, 0, 0, 0, 0, 0, 1)
    if target > 0:
        put(book, i, number, LIMIT, -quantity, favourable(price, quantity, target), TARGET, 0, 0, 0, 0, 0, 0, 1)


@kernel(lean=True, inner=True)
def adverse(price: int, quantity: int, ppm: int) -> int:
    """Stop price of a position: ``ppm`` against it, rounded to the grid away from the market."""
    if quantity < 0:
        return -((-price * (PPM + ppm)) // PPM)
    return price * (PPM - ppm) // PPM


@kernel(lean=True, inner=True)
def favourable(price: int, quantity: int, ppm: int) -> int:
    """Target price of a position: ``ppm`` in its favour, rounded to the grid away from the market."""
    if quantity < 0:
        return price * (PPM - ppm) // PPM
    return -((-price * (PPM + ppm)) // PPM)


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
    account[0]["trades"] += 1
    book.counts[N_REALISED] += net
    if net > 0:
        account[0]["wins"] += 1
        account[0]["won"] += net
    elif net < 0:
        account[0]["losses"] += 1
        account[0]["lost"] -= net


@kernel(lean=True, inner=True)
def _log(book: Book, log: Log, slot: int, price: int, costs: int, i: int, moment: int) -> None:
    if log.fills.size == 0:
        return
    n = log.n_fills[0]
    if n >= log.fills.size:
        book.counts[FLAGS] |= FILLS_FULL
        return
    log.n_fills[0] = n + 1
    order = book.orders[slot]
    entry = log.fills[n]
    entry["bar"] = i
    entry["moment"] = moment
    entry["leg"] = order["leg"]
    entry["instrument"] = book.legs[order["leg"]]["instrument"]
    entry["quantity"] = order["quantity"]
    entry["price"] = price
    entry["reason"] = order["reason"]
    entry["costs"] = costs


@kernel(inline=True, lean=True, inner=True)
def mark(legs: Any, open_legs: Any, counts: Any, closes: Any, i: int) -> int:
    """Mark the open legs at the close of bar ``i`` and give their worth in ticks x units.

    A leg that did not trade keeps its last traded close.
    """
    held = 0
    for j in range(counts[N_OPEN]):
        leg = legs[open_legs[j]]
        last = int(np.int64(closes[leg["instrument"], i]))
        if last != MISSING:
            leg["mark"] = last
        held += leg["quantity"] * leg["mark"]
    return held


@kernel(lean=True, inner=True)
def worth(book: Book) -> int:
    """Give the worth of the open legs at their marks in ticks x units."""
    held = 0
    for j in range(book.counts[N_OPEN]):
        leg = book.legs[book.open_legs[j]]
        held += leg["quantity"] * leg["mark"]
    return held


@kernel(inline=True, lean=True, inner=True)
def value(account: Record, terms: Record, held: int, i: int) -> None:
    """Take the equity at the end of bar ``i`` into the account; ``held`` is the worth of what is open."""
    equity = account[0]["cash"] - account[0]["charges"] + held * terms[0]["tick"]
    if equity == account[0]["equity"]:
        return
    account[0]["equity"] = equity
    mix(account, (equity << 11) + i)  # no session has 2,048 bars; one step of the fingerprint is felt here
    if equity > account[0]["peak"]:
        account[0]["peak"] = equity
    elif account[0]["peak"] - equity > account[0]["drawdown"]:
        account[0]["drawdown"] = account[0]["peak"] - equity
