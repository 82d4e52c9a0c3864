"""Array aliases, shape letters and the few constants all layers share.

Shape letters: T bars, N assets, K strikes, E expiries, F features, P parameter sets, D days (sessions),
M minutes of one session. Times are ``int64`` nanoseconds UTC; a bar is stamped with its start.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
TickArray = NDArray[np.int32]
Record = NDArray[Any]
"""A structured numpy array; kernels take states and parameters as one-element records."""

MISSING: Final = -2147483648
"""What stands for "no value" in integer arrays (the smallest int32, in int64 arrays too). Never a price."""

CALL: Final = 1
PUT: Final = -1
RIGHTS: Final = ("CE", "PE")
"""Order of the rights axis of a chain tensor: index 0 is the call, index 1 the put."""

MINUTE_NS: Final = 60_000_000_000
DAY_NS: Final = 86_400_000_000_000
IST_OFFSET_NS: Final = 19_800_000_000_000
"""India has kept UTC+05:30 without daylight saving since 1945 (tz database, Asia/Kolkata)."""

PAISE: Final = 100
"""Paise in a rupee."""
