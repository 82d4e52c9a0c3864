"""Averages with a memory, one value after the other; missing values are passed over."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

__all__ = ["average", "ema", "rma", "true_range"]


def average(values: Iterable[float], n: int, weight: float) -> pd.Series:
    """Exponential average begun at the mean of the first n values."""
    out, first, now = [], [], np.nan
    for value in values:
        if np.isnan(value):
            out.append(np.nan)
            continue
        if len(first) < n:
            first.append(value)
            now = float(np.mean(first)) if len(first) == n else np.nan
        else:
            now = now + weight * (value - now)
        out.append(now)
    return pd.Series(out)


def ema(values: Iterable[float], n: int) -> pd.Series:
    return average(values, n, 2.0 / (n + 1))


def rma(values: Iterable[float], n: int) -> pd.Series:
    return average(values, n, 1.0 / n)


def true_range(bars: pd.DataFrame) -> pd.Series:
    h, l, before = bars["high"], bars["low"], bars["close"].shift(1)  # noqa: E741
    parts = pd.concat([h - l, (h - before).abs(), (l - before).abs()], axis=1)
    return parts.max(axis=1).where(parts.notna().all(axis=1))
