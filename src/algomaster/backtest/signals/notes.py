"""What a reader of a signal backtest should know beside its numbers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from algomaster.backtest.signals.inputs import BarInput
from algomaster.core.types import Record
from algomaster.execution.bars_account import STILL_OPEN
from algomaster.execution.bars_engine import CLOSE, NEXT_CLOSE, NEXT_OPEN, PRICE

__all__ = ["ASSUMED", "notes_of"]

ASSUMED: Final = {
    NEXT_OPEN: "a signal fills at the open of the next bar",
    NEXT_CLOSE: "a signal fills at the close of the next bar",
    CLOSE: "a signal fills at the close it was decided on",
    PRICE: "a signal fills on its own bar at the price given",
}
"""Fill rules in words, by their number."""


def notes_of(
    bars: BarInput, fills: Record, trades: Record, accounts: Record, terms: Record, said: dict[str, Any]
) -> tuple[str, ...]:
    """Say what went on: costs that were not charged, orders that were not filled as asked, what is still open."""
    notes = []
    if all(isinstance(said[name], int | float) and said[name] == 0 for name in ("fees", "fixed_fees", "slippage")):
        notes.append("no costs: fees, fixed_fees and slippage are 0")
    mode = int(terms[0]["fill"])
    if mode == NEXT_CLOSE and not bars.has_open:
        notes.append("no open was given: signals fill at the next close")
    if mode == CLOSE:
        notes.append("filled at the close they were decided on: a price that was known only when it was gone")
    if mode == PRICE:
        notes.append("filled at prices of your own on the bar of the signal")
    if terms[0]["stops"] and not bars.has_range:
        notes.append("no high and low were given: stops and targets see only " + _seen(bars))
    counts = {name: int(accounts[name].sum()) for name in ("refused", "partial", "unfilled")}
    words = {
        "refused": "refused for want of cash",
        "partial": "filled in part for want of cash",
        "unfilled": "still waiting at the end",
    }
    notes += [f"{number:,} order{'s' * (number > 1)} {words[name]}" for name, number in counts.items() if number]
    still = int(np.count_nonzero(trades["reason"] == STILL_OPEN))
    if still:
        notes.append(f"{still:,} position{'s' * (still > 1)} still open, marked at the last close")
    if np.any(accounts["cash"] < -1e-6):
        notes.append("cash is negative at the end: a short cost more to buy back than there was")
    if bars.times is None:
        notes.append("no times were given: no daily statistics")
    return tuple(notes)


def _seen(bars: BarInput) -> str:
    return "opens and closes" if bars.has_open else "closes"
