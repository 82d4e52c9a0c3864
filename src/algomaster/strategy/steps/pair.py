"""A straddle as two legs that are opened and left together, and what a book has made so far.

The state of a strategy that uses it has the field ``legs`` (2,): the call's leg and the put's, -1 for none.
"""

from __future__ import annotations

from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.strategy.steps.contract import (
    CLOSED,
    N_OPEN,
    NO_INSTRUMENT,
    Book,
    close,
    enter,
    is_open,
    is_waiting,
    realised,
)

__all__ = ["HOPELESS", "PARTLY", "WHOLE", "leave_pair", "marked", "open_pair", "paid", "profit", "standing_of"]

WHOLE = 0
PARTLY = 1
HOPELESS = 2
"""How an entry stands: both legs hold a position; one still waits for a trade; one will never have one."""


@kernel(lean=True, inner=True)
def open_pair(state: Record, book: Book, i: int, pair: int, quantity: int) -> None:
    """Open the call ``pair`` and its put at the market, ``quantity`` units each (negative sells)."""
    state[0]["legs"][0] = enter(book, i, pair, quantity, 0, 0)
    state[0]["legs"][1] = enter(book, i, pair + 1, quantity, 0, 0)


@kernel(lean=True, inner=True)
def standing_of(state: Record, book: Book) -> int:
    """Say how the entry stands: WHOLE, PARTLY or HOPELESS."""
    standing = WHOLE
    for j in range(2):
        leg = state[0]["legs"][j]
        if leg < 0 or book.legs[leg]["state"] >= CLOSED:
            return HOPELESS
        if is_waiting(book, leg):
            standing = PARTLY
    return standing


@kernel(lean=True, inner=True)
def leave_pair(state: Record, i: int, book: Book, reason: int) -> None:
    """Leave both legs at the market; what still waits for its entry is called off. Saying it again changes nothing."""
    for j in range(2):
        leg = state[0]["legs"][j]
        if leg >= 0 and book.legs[leg]["instrument"] != NO_INSTRUMENT:  # after a night the data may lack a contract
            close(book, i, leg, reason)


@kernel(lean=True, inner=True)
def marked(state: Record, book: Book) -> int:
    """Last traded closes of the legs that are open, together (ticks)."""
    total = 0
    for j in range(2):
        leg = state[0]["legs"][j]
        if leg >= 0 and is_open(book, leg):
            total += book.legs[leg]["mark"]
    return total


@kernel(lean=True, inner=True)
def paid(state: Record, book: Book) -> int:
    """Entry prices of the legs that are open, together (ticks)."""
    total = 0
    for j in range(2):
        leg = state[0]["legs"][j]
        if leg >= 0 and is_open(book, leg):
            total += book.legs[leg]["entry_price"]
    return total


@kernel(lean=True, inner=True)
def profit(book: Book, base: int) -> int:
    """Paise made since the closed legs had netted ``base``: what was netted since, and the open legs at their marks."""
    total = realised(book) - base
    for j in range(book.counts[N_OPEN]):
        leg = book.legs[book.open_legs[j]]
        total += leg["cash"] - leg["charges"] + leg["quantity"] * leg["mark"] * leg["unit"]
    return total
