"""A book that is full at the end of a session stops the run with an error instead of hanging it."""

import dataclasses

import pytest

from algomaster import backtest, strategy
from algomaster.core.errors import StrategyError
from algomaster.strategy.steps import contract as desk
from hand_made import random_day


class Keep(strategy.Params):
    overnight: int = 1


@strategy.step
def fill_the_book(state, params, day, i, book):
    """Sell one contract and rest as many limits on it as the book takes."""
    if i == 1:
        leg = desk.enter(book, i, 0, -50, 0, 0)
        if params[0]["overnight"] == 1:
            desk.hold_overnight(book, leg)
    if i == 5:
        for _ in range(desk.MAX_ORDERS):
            desk.place(book, i, 0, desk.LIMIT, 50, 1, desk.TARGET)


@pytest.mark.parametrize("overnight", [0, 1])
def test_a_full_book_is_an_error(overnight):
    day = random_day(5, minutes=20)
    day = dataclasses.replace(day, expiries=day.expiries - 3)  # today
    full = strategy.Strategy("full", step=fill_the_book, params=Keep)
    if overnight == 0:  # its orders do not stay: the square-off has room
        assert backtest.replay(full, day, params={"overnight": 0}).trades["exit_reason"].to_list() == ["session_end"]
        return
    with pytest.raises(StrategyError, match="orders resting at once"):
        backtest.replay(full, day, params={"overnight": 1})
