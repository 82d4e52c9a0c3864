"""Which curves of daily P&L a sweep keeps for the tests over all its sets, within a stated memory."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from algomaster.core.types import IntArray

__all__ = ["MOST_DAILY", "compact_daily", "daily_stride"]

MOST_DAILY: Final = 25_000_000
"""Values kept at most: 10,000 sets over 2,500 sessions, 100 MB as int32."""

_LARGEST: Final = np.iinfo(np.int32).max


def daily_stride(sets: int, sessions: int, *, most: int = MOST_DAILY) -> int:
    """Give k so that the curves of every k-th set (numbers 0, k, 2k, ...) hold at most so many values; 1 keeps all.

    Every k-th, because a choice by success would make the tests see what they are to judge.
    """
    return max(1, -(-sets * sessions // most))


def compact_daily(daily: IntArray) -> NDArray[np.int32] | IntArray:
    """Give daily P&L in paise (P, D) as int32 where every day fits (21 million rupees), else as it is."""
    if daily.size and max(int(daily.max()), -int(daily.min())) > _LARGEST:
        return daily
    return daily.astype(np.int32)
