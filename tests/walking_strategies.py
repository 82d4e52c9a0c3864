"""Strategies that use what the catalogue's plain ones leave out: nights, futures, moved stops, late strikes."""

import numpy as np

from algomaster import strategy
from algomaster.core.types import MISSING
from algomaster.strategy.steps import contract as desk


class Nothing(strategy.Params):
    lots: int = 1


@strategy.step
def over_nights(state, params, day, i, book):
    """Sell the call at the money in each session and hold it and a future over the night; trail the call's stop."""
    if i == 0:
        state[0]["sessions"] += 1
    if i == 3 and day.spot[i] != MISSING:
        contract = desk.instrument_of(day, 0, desk.at_the_money(day, 0, day.spot[i]), 0)
        if contract >= 0:
            leg = desk.enter_with(book, i, contract, -params[0]["lots"] * day.lot[0], desk.MARKET, 0, 0, 0, 60, 90)
            desk.tag(book, leg, state[0]["sessions"])
            desk.hold_overnight(book, leg)
        leg = desk.enter_with(book, i, desk.future(book), 10, desk.MARKET, 0, 200_000, 0, 0, 0)
        desk.hold_overnight(book, leg)
    if i > 10 and i % 7 == 0:
        leg = desk.leg_of(book, state[0]["sessions"])
        if leg >= 0 and desk.is_open(book, leg) and book.legs[leg]["mark"] != MISSING:
            desk.move_stop(book, i, leg, book.legs[leg]["mark"] + 40 + i % 5, desk.TRAIL)
    if i > 5 and i % 11 == 0:
        desk.enter_at_fill(book, i, 0, i % 2, i % 3 - 1, -params[0]["lots"] * day.lot[0], 50_000, 60_000)


OVER_NIGHTS = strategy.Strategy(
    "over_nights", step=over_nights, params=Nothing, state=np.dtype([("sessions", np.int64)])
)


@strategy.step
def busy(state, params, day, i, book):
    """Sell a little at every bar."""
    if i < 60:
        desk.enter(book, i, desk.instrument_of(day, 0, day.strikes[i % 5], i % 2), -(i + 1), 30_000, 30_000)


BUSY = strategy.Strategy("busy", step=busy, params=Nothing)
