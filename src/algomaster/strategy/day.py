"""From a :class:`~algomaster.market.ChainDay` to what steps and matching read."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from algomaster.core.errors import DataError, FactError
from algomaster.core.types import MINUTE_NS, FloatArray, IntArray
from algomaster.market import facts
from algomaster.market.chain_day import ChainDay
from algomaster.market.clock import expiry_ns, t_business
from algomaster.strategy.steps.contract import Day

__all__ = ["day_of"]

_EPOCH = date(1970, 1, 1)
_COMPUTED = ("session", "years", "monthly")


def day_of(chain: ChainDay) -> Day:
    """Give the arrays of a session as the NamedTuple that compiled steps take (its arrays are not copied).

    The session is frozen.
    """
    chain.freeze()
    fields = {name: _plain(chain, name) for name in Day._fields if name not in _COMPUTED}
    return Day(**fields, session=(chain.session - _EPOCH).days, years=_years(chain), monthly=_monthly(chain))


def _plain(chain: ChainDay, name: str) -> Any:
    value = getattr(chain, name)
    # A memory-mapped array is a subclass of ndarray; kernels are compiled for the plain kind.
    return value.view(np.ndarray) if isinstance(value, np.ndarray) else int(value)


def _years(chain: ChainDay) -> FloatArray:
    """Give the business time from each bar's end to each expiry; NaN where the calendar does not reach."""
    years = np.full((chain.expiries.size, chain.ts.size), np.nan)
    for e, expiry in enumerate(chain.expiry_dates):
        try:
            years[e] = t_business(chain.ts + MINUTE_NS, expiry_ns(expiry))
        except (DataError, FactError):  # an expiry that is no session, or a year that is not on record
            continue
    return years


def _monthly(chain: ChainDay) -> IntArray:
    """Mark the expiries of the month by the exchange's rule; where that is not on record, the month's last here."""
    dates = chain.expiry_dates
    last = {(day.year, day.month): day for day in dates}
    found = np.zeros(len(dates), np.int64)
    for e, day in enumerate(dates):
        try:
            found[e] = day == facts.monthly_expiry(chain.underlying, day.year, day.month)
        except FactError:
            found[e] = day == last[day.year, day.month]
    return found
