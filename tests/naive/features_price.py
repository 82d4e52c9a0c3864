"""Price features as one would work them out session by session: the twin of the first family."""

import numpy as np
import pandas as pd

__all__ = ["price"]


def price(bars: pd.DataFrame) -> pd.DataFrame:
    """Features of bars with ts (UTC), open, high, low, close."""
    o, h, l, c = (bars[name] for name in ("open", "high", "low", "close"))  # noqa: E741
    day = bars["ts"].dt.tz_convert("Asia/Kolkata").dt.date
    days = list(dict.fromkeys(day))
    first_open, high, low, last_close, last_high, last_low = (pd.Series(np.nan, c.index) for _ in range(6))
    close_before = high_before = low_before = np.nan
    for each in days:
        here = day == each
        known_open = o[here].dropna()
        if len(known_open):
            first_open[here & (c.index >= known_open.index[0])] = known_open.iloc[0]
        high[here], low[here] = h[here].cummax().ffill(), l[here].cummin().ffill()
        last_close[here], last_high[here], last_low[here] = close_before, high_before, low_before
        close_before, high_before, low_before = _last(c[here]), h[here].max(), l[here].min()
    width = (h - l).where(h > l)
    return pd.DataFrame({
        **{f"ret_{n}": np.log(c / c.shift(n)) for n in (1, 5, 15, 60)},
        "ret_open": np.log(c / first_open),
        "ret_gap": np.log(first_open / last_close),
        "ret_prevclose": np.log(c / last_close),
        "k_mid": (c - o) / o,
        "k_len": (h - l) / o,
        "k_body": (c - o) / width,
        "k_upsh": (h - np.maximum(o, c)) / width,
        "k_losh": (np.minimum(o, c) - l) / width,
        "k_shift": (2 * c - h - l) / width,
        "pos_day": ((c - low) / (high - low).where(high > low)).clip(0, 1),
        "dist_pdh": np.log(c / last_high),
        "dist_pdl": np.log(c / last_low),
    })  # fmt: skip


def _last(values: pd.Series) -> float:
    known = values.dropna()
    return float(known.iloc[-1]) if len(known) else np.nan
