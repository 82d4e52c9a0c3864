"""Momentum features from their formulas: the twin of the third family."""

import numpy as np
import pandas as pd

from naive.wilder import ema, rma, true_range

__all__ = ["momentum"]


def momentum(bars: pd.DataFrame) -> pd.DataFrame:
    """Features of bars with high, low, close, volume."""
    h, l, c, v = (bars[name] for name in ("high", "low", "close", "volume"))  # noqa: E741
    change, r = c.diff(), np.log(c / c.shift(1))
    price = (h + l + c) / 3
    k = stochastic(h, l, c, 14).rolling(3).mean()
    top, bottom = h.rolling(14).max(), l.rolling(14).min()
    spread = price.rolling(20).apply(lambda x: np.abs(x - x.mean()).mean(), raw=True)
    side = np.sign((price.diff()).where(price.diff().abs() > 1e-9 * price, price.diff() * 0))
    money = price * v + 0 * side
    return pd.DataFrame({
        "rsi_14": strength(change, 14),
        "rsi_5": strength(change, 5),
        "stoch_k_14_3": k,
        "stoch_d_3": k.rolling(3).mean(),
        "willr_14": -100 * (top - c) / (top - bottom),
        "cci_20": (price - price.rolling(20).mean()) / (0.015 * spread),
        "roc_10": 100 * (c / c.shift(10) - 1),
        "mfi_14": 100 * money.where(side > 0, 0 * money).rolling(14).sum()
        / money.where(side != 0, 0 * money).rolling(14).sum(),
        "tsi_25_13": ema(ema(change, 25), 13) / ema(ema(change.abs(), 25), 13),
        "cmo_14": change.rolling(14).sum() / change.abs().rolling(14).sum(),
        "ult_osc_7_14_28": ultimate(bars),
        "rank_c_20": c.rolling(20).rank(pct=True),
        "rank_c_60": c.rolling(60).rank(pct=True),
        "rsv_20": stochastic(h, l, c, 20),
        "cntd_20": np.sign(change).rolling(20).mean(),
        "sumd_20": change.rolling(20).sum() / change.abs().rolling(20).sum(),
        "mom_vol_adj_30": np.log(c / c.shift(30)) / (np.sqrt((r**2).rolling(30).mean()) * np.sqrt(30)),
        "autocorr_1_60": r.rolling(60).corr(r.shift(1)),
    })  # fmt: skip


def strength(change: pd.Series, n: int) -> pd.Series:
    up, down = rma(change.clip(lower=0), n), rma(-change.clip(upper=0), n)
    return 100 * up / (up + down)


def stochastic(h: pd.Series, l: pd.Series, c: pd.Series, n: int) -> pd.Series:  # noqa: E741
    low, high = l.rolling(n).min(), h.rolling(n).max()
    return (c - low) / (high - low)


def ultimate(bars: pd.DataFrame) -> pd.Series:
    before, low = bars["close"].shift(1), bars["low"]
    bottom = pd.concat([low, before], axis=1).min(axis=1).where(low.notna() & before.notna())
    pressure, reach = bars["close"] - bottom, true_range(bars)
    short, middle, long = (pressure.rolling(n).sum() / reach.rolling(n).sum() for n in (7, 14, 28))
    return 100 * (4 * short + 2 * middle + long) / 7
