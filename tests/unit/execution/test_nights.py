"""A leg out of the night whose contract the next session's data lacks: it can be settled, not traded."""

import dataclasses
from datetime import date

import numpy as np
import pytest

from leg_goldens import call, run, session

EXPIRY = date(2024, 1, 4)
HELD = call(strike={"strike": 1000})
NAMES = ("exit_price", "exit_reason")


def without(day, strike):
    """The same session without a strike."""
    keep = np.flatnonzero(day.strikes != strike * 100)
    columns = {
        field.name: getattr(day, field.name)[:, keep]
        for field in dataclasses.fields(day)
        if getattr(getattr(day, field.name), "ndim", 0) == 4
    }
    return dataclasses.replace(day, strikes=day.strikes[keep], **columns)


def ends(found):
    return [(f"{row['exit_time']:%d %H:%M}", *(row[name] for name in NAMES)) for row in found.trades.to_dicts()]


def test_it_is_settled_on_its_expiry():
    """The index closes at 1050: a call of 1000 is worth 50."""
    days = [session(on=date(2024, 1, 2)), without(session(on=EXPIRY, spot=1050), 1000)]
    assert ends(run(days, HELD, holding="positional", settle=True)) == [("04 09:35", 50, "settled")]


def test_it_is_settled_after_an_expiry_without_a_session():
    """The last index that is known is 1030, of the session before."""
    days = [session(on=date(2024, 1, 2), spot=1030), session(on=date(2024, 1, 5), expiry=date(2024, 1, 11))]
    found = run(days, HELD, holding="positional", settle=True)
    assert ends(found)[0][1:] == (30, "settled")


@pytest.mark.parametrize("holding", ["btst", "positional"])
def test_an_exit_on_its_expiry_becomes_the_settlement(holding):
    days = [session(on=date(2024, 1, 2)), without(session(on=EXPIRY, spot=1050), 1000)]
    assert ends(run(days, HELD, holding=holding)) == [("04 09:35", 50, "settled")]


def test_it_stays_until_a_session_has_it():
    """It should leave on the 3rd, which lacks it; the 4th has it, at 120 at the end, before it would be settled."""
    later = date(2024, 1, 11)
    days = [session(on=date(2024, 1, 2 + k), expiry=later) for k in range(3)]
    days[1] = without(days[1], 1000)
    k = int(np.flatnonzero(days[2].strikes == 100_000)[0])
    for name in ("open", "high", "low", "close"):
        getattr(days[2], name)[0, k, 0] = 120 * 100 // days[2].tick
    found = run(days, HELD, entry="09:25", exit="09:20", holding="btst", weekdays=["tue"])
    assert ends(found) == [("04 09:35", 120, "session_end")]
    assert found.daily["pnl"].sum() == found.trades["pnl"].sum() == -20 * 50
