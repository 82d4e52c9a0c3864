"""Trend features from their formulas: the twin of the second family."""

import numpy as np
import pandas as pd

from naive.wilder import ema, rma, true_range

__all__ = ["trend"]


def trend(bars: pd.DataFrame) -> pd.DataFrame:
    """Features of bars with ts (UTC), open, high, low, close, volume, their index counting from 0."""
    h, l, c = (bars[name] for name in ("high", "low", "close"))  # noqa: E741
    reach = rma(true_range(bars), 14)
    macd = (ema(c, 12) - ema(c, 26)) / reach
    plus, minus = directional(bars, 14)
    side, line = supertrend(bars, 10, 3.0)
    price = (h + l + c) / 3
    vwap, spread = session_moments(bars, price)
    slope20, r20, left20 = straight_line(c, 20)
    signal = ema(macd, 9)
    age_high = h.rolling(26).apply(lambda x: x[::-1].argmax(), raw=True)
    age_low = l.rolling(26).apply(lambda x: x[::-1].argmin(), raw=True)
    both = plus + minus
    return pd.DataFrame({
        "sma_ratio_20": c.rolling(20).mean() / c - 1,
        "sma_ratio_60": c.rolling(60).mean() / c - 1,
        "ema_ratio_9": ema(c, 9) / c - 1,
        "ema_ratio_21": ema(c, 21) / c - 1,
        "ema_cross_9_21": (ema(c, 9) - ema(c, 21)) / reach,
        "ema_slope_21": (ema(c, 21) - ema(c, 21).shift(5)) / reach,
        "macd_12_26": macd,
        "macd_sig_9": signal,
        "macd_hist": macd - signal,
        "adx_14": rma(100 * (plus - minus).abs() / both.where(both > 0), 14),
        "di_diff_14": plus - minus,
        "supertrend_dir_10_3": side,
        "supertrend_dist": (c - line) / rma(true_range(bars), 10),
        "aroon_osc_25": (age_low - age_high) / 25,
        "lr_slope_20": slope20 / c,
        "lr_r2_20": r20,
        "lr_resid_20": left20 / c,
        "lr_slope_60": straight_line(c, 60)[0] / c,
        "vwap_dist": (c - vwap) / reach,
        "vwap_z": (c - vwap) / np.sqrt(spread.where(spread > 0)),
        "kama_er_10": (c - c.shift(10)).abs() / c.diff().abs().rolling(10).sum(),
    })  # fmt: skip


def directional(bars: pd.DataFrame, n: int) -> tuple[pd.Series, pd.Series]:
    """Wilder's DI+ and DI- (as shares), begun at the sum of n - 1 movements."""
    sums, seen, out = np.zeros(3), 0, []
    rows = bars[["high", "low", "close"]].to_numpy()
    for i in range(len(rows)):
        found = (np.nan, np.nan)
        if i and not np.isnan(rows[i, :2]).any() and not np.isnan(rows[i - 1]).any():
            (high, low, _), (high1, low1, close1) = rows[i], rows[i - 1]
            up, down = high - high1, low1 - low
            today = np.array([
                up if up > max(down, 0) else 0.0,
                down if down > max(up, 0) else 0.0,
                max(high, close1) - min(low, close1),
            ])  # fmt: skip
            seen += 1
            sums = sums + today if seen < n else sums * (1 - 1 / n) + today
            if seen >= n and sums[2] > 0:
                found = sums[0] / sums[2], sums[1] / sums[2]
        out.append(found)
    plus, minus = zip(*out)
    return pd.Series(plus), pd.Series(minus)


def supertrend(bars: pd.DataFrame, n: int, width: float) -> tuple[pd.Series, pd.Series]:
    reach = rma(true_range(bars), n)
    sides, lines = [], []
    upper = lower = last = up = None
    for high, low, close, wide in zip(bars["high"], bars["low"], bars["close"], reach):
        if np.isnan([high, low, close, wide]).any():
            sides.append(np.nan)
            lines.append(np.nan)
            continue
        top, bottom = (high + low) / 2 + width * wide, (high + low) / 2 - width * wide
        if up is None:
            up, upper, lower = close >= (high + low) / 2, top, bottom
        else:
            if top < upper or last > upper:
                upper = top
            if bottom > lower or last < lower:
                lower = bottom
        up = close > (lower if up else upper)
        last = close
        sides.append(1.0 if up else -1.0)
        lines.append(lower if up else upper)
    return pd.Series(sides), pd.Series(lines)


def session_moments(bars: pd.DataFrame, price: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Volume-weighted mean and variance since the open, from all bars of the session so far."""
    day = bars["ts"].dt.tz_convert("Asia/Kolkata").dt.date
    means, spreads = [], []
    for i in range(len(bars)):
        so_far = (day == day[i]) & (bars.index <= i) & price.notna() & (bars["volume"] > 0)
        weight, value = bars["volume"][so_far].to_numpy(), price[so_far].to_numpy()
        mean = np.average(value, weights=weight) if len(value) else np.nan
        means.append(mean)
        spreads.append(np.average((value - mean) ** 2, weights=weight) if len(set(value)) > 1 else 0.0)
    return pd.Series(means), pd.Series(spreads)


def straight_line(values: pd.Series, n: int) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Slope, explained share and what is left of the newest value, by least squares."""
    found = np.full((3, len(values)), np.nan)
    time = np.arange(n) - (n - 1) / 2
    for i in range(n - 1, len(values)):
        y = values.to_numpy()[i - n + 1 : i + 1]
        if np.isnan(y).any():
            continue
        slope = (time * (y - y.mean())).sum() / (time**2).sum()
        line = y.mean() + slope * time
        found[:, i] = slope, 1 - ((y - line) ** 2).sum() / ((y - y.mean()) ** 2).sum(), y[-1] - line[-1]
    slope, share, left = (pd.Series(row) for row in found)
    return slope, share, left
