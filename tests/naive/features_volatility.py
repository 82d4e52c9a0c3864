"""Volatility features from their formulas: the twin of the fourth family."""

import numpy as np
import pandas as pd

from naive.wilder import ema, rma, true_range

__all__ = ["volatility"]

YEAR = np.sqrt(252 * 375)


def volatility(bars: pd.DataFrame) -> pd.DataFrame:
    """Features of bars with ts (UTC), open, high, low, close."""
    o, h, l, c = (bars[name] for name in ("open", "high", "low", "close"))  # noqa: E741
    r, night = np.log(c / c.shift(1)), np.log(o / c.shift(1))
    centre, std = c.rolling(20).mean(), c.rolling(20).std(ddof=0)
    reach = rma(true_range(bars), 14)
    top, bottom = h.rolling(20).max().shift(1), l.rolling(20).min().shift(1)
    rv = np.sqrt((r**2).rolling(20).mean()) * YEAR
    rs = np.log(h / c) * np.log(h / o) + np.log(l / c) * np.log(l / o)
    gk = 0.5 * np.log(h / l) ** 2 - (2 * np.log(2) - 1) * np.log(c / o) ** 2
    k = 0.34 / (1.34 + 21 / 19)
    yz = night.rolling(20).var() + k * np.log(c / o).rolling(20).var() + (1 - k) * rs.rolling(20).mean()
    bipower = np.pi / 2 * (r.abs() * r.abs().shift(1)).rolling(60).mean()
    squares = (r**2).rolling(60).sum()
    return pd.DataFrame({
        "rv_20": rv,
        "rv_60": np.sqrt(squares / 60) * YEAR,
        "rv_day": since_open(bars, r, np.log(c / o)),
        "atr_14_pct": reach / c,
        "parkinson_20": np.sqrt((np.log(h / l) ** 2).rolling(20).mean() / (4 * np.log(2))),
        "garman_klass_20": np.sqrt(gk.rolling(20).mean()),
        "rogers_satchell_20": np.sqrt(rs.rolling(20).mean()),
        "yang_zhang_20": np.sqrt(yz),
        "bipower_60": bipower,
        "jump_ratio_60": (1 - bipower / (squares / 60)).clip(lower=0),
        "semivar_ratio_60": (r.clip(upper=0) ** 2).rolling(60).sum() / squares,
        "bb_width_20": 4 * std / centre,
        "bb_pctb_20": (c - (centre - 2 * std)) / (4 * std),
        "keltner_pos_20": (c - ema(c, 20)) / (2 * reach),
        "donch_pos_20": (c - bottom) / (top - bottom),
        "vol_of_vol_60": rv.rolling(60).std(),
        "skew_60": r.rolling(60).apply(skewness, raw=True),
        "kurt_60": r.rolling(60).apply(kurtosis, raw=True),
    })  # fmt: skip


def skewness(x: np.ndarray) -> float:
    return float(((x - x.mean()) ** 3).mean() / ((x - x.mean()) ** 2).mean() ** 1.5)


def kurtosis(x: np.ndarray) -> float:
    return float(((x - x.mean()) ** 4).mean() / ((x - x.mean()) ** 2).mean() ** 2 - 3)


def since_open(bars: pd.DataFrame, r: pd.Series, inside: pd.Series) -> pd.Series:
    day = bars["ts"].dt.tz_convert("Asia/Kolkata").dt.date
    own = r.where(day == day.shift(1), inside)
    return np.sqrt((own**2).groupby(day).cumsum().groupby(day).ffill())
