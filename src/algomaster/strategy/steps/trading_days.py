"""Trading days between two dates, for kernels: a running count of sessions by calendar day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import IntArray
from algomaster.market.calendar import sessions
from algomaster.market.data.tables import COVERED

_EPOCH: Final = date(1970, 1, 1)
_FIRST: Final = (date(2000, 1, 1) - _EPOCH).days
_LAST: Final = (date(2039, 12, 31) - _EPOCH).days


def _running() -> IntArray:
    """Count sessions up to each day from 2000 to 2039: by the calendar where it speaks, by weekdays elsewhere.

    An evening of Muhurat trading is no trading day here: nothing expires on it.
    """
    known = {session.date for session in sessions(*COVERED) if session.kind != "muhurat"}
    count = np.zeros(_LAST - _FIRST + 1, np.int64)
    for k in range(count.size):
        day = _EPOCH + timedelta(days=_FIRST + k)
        traded = day in known if COVERED[0] <= day <= COVERED[1] else day.weekday() < 5
        count[k] = (count[k - 1] if k else 0) + traded
    return count


_COUNT: Final = _running()


@kernel(lean=True, inner=True)
def trading_days(start: int, end: int) -> int:
    """Sessions after day ``start`` up to and including day ``end`` (days since 1970; 0 where they are one day)."""
    a = min(max(start - _FIRST, 0), _LAST - _FIRST)
    b = min(max(end - _FIRST, 0), _LAST - _FIRST)
    return _COUNT[b] - _COUNT[a]
