"""Alpha158 by pandas, straight from the definitions of Qlib's operators, with full windows only."""

import numpy as np
import pandas as pd

WINDOWS = (5, 10, 20, 30, 60)


def alpha158(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the 158 columns for columns open, high, low, close, volume and, if there, vwap."""
    o, h, lo, c, v = (frame[name].astype(float) for name in ("open", "high", "low", "close", "volume"))
    vwap = frame["vwap"] if "vwap" in frame else (h + lo + c) / 3
    width = h - lo
    out = {
        "KMID": (c - o) / o,
        "KLEN": width / o,
        "KMID2": (c - o) / width,
        "KUP": (h - np.maximum(o, c)) / o,
        "KUP2": (h - np.maximum(o, c)) / width,
        "KLOW": (np.minimum(o, c) - lo) / o,
        "KLOW2": (np.minimum(o, c) - lo) / width,
        "KSFT": (2 * c - h - lo) / o,
        "KSFT2": (2 * c - h - lo) / width,
        "OPEN0": o / c,
        "HIGH0": h / c,
        "LOW0": lo / c,
        "VWAP0": vwap / c,
    }
    lagged, lagged_v = c.shift(1), v.shift(1)
    up, down = (c > lagged).where(lagged.notna()), (c < lagged).where(lagged.notna())
    turmoil = (c / lagged - 1).abs() * v
    columns: dict[str, list[pd.Series]] = {}

    def put(name: str, series: pd.Series) -> None:
        columns.setdefault(name, []).append(series)

    for n in WINDOWS:
        roll = c.rolling(n)
        put("ROC", c.shift(n) / c)
        put("MA", roll.mean() / c)
        put("STD", roll.std() / c)
        lines = _lines(c.to_numpy(), n)
        put("BETA", pd.Series(lines[0]) / c)
        put("RSQR", pd.Series(lines[1]))
        put("RESI", pd.Series(lines[2]) / c)
        put("MAX", h.rolling(n).max() / c)
        put("MIN", lo.rolling(n).min() / c)
        put("QTLU", roll.quantile(0.8) / c)
        put("QTLD", roll.quantile(0.2) / c)
        put("RANK", roll.rank(pct=True))
        put("RSV", (c - lo.rolling(n).min()) / (h.rolling(n).max() - lo.rolling(n).min()))
        put("IMAX", h.rolling(n).apply(lambda x: x.argmax() + 1, raw=True) / n)
        put("IMIN", lo.rolling(n).apply(lambda x: x.argmin() + 1, raw=True) / n)
        put("IMXD", columns["IMAX"][-1] - columns["IMIN"][-1])
        put("CORR", c.rolling(n).corr(np.log(v + 1)))
        put("CORD", (c / lagged).rolling(n).corr(np.log(v / lagged_v + 1)))
        put("CNTP", up.astype(float).rolling(n).mean())
        put("CNTN", down.astype(float).rolling(n).mean())
        put("CNTD", columns["CNTP"][-1] - columns["CNTN"][-1])
        for name, change in (("SUM", c - lagged), ("VSUM", v - lagged_v)):
            whole = change.abs().rolling(n).sum()
            put(f"{name}P", change.clip(lower=0).rolling(n).sum() / whole)
            put(f"{name}N", (-change).clip(lower=0).rolling(n).sum() / whole)
            put(f"{name}D", change.rolling(n).sum() / whole)
        put("VMA", v.rolling(n).mean() / v)
        put("VSTD", v.rolling(n).std() / v)
        put("WVMA", turmoil.rolling(n).std() / turmoil.rolling(n).mean())
    for name, series in columns.items():
        out |= {f"{name}{n}": each for n, each in zip(WINDOWS, series)}
    return pd.DataFrame(out)


def _lines(x: np.ndarray, n: int) -> np.ndarray:
    found = np.full((3, x.size), np.nan)
    time = np.arange(1.0, n + 1)
    for i in range(n - 1, x.size):
        y = x[i - n + 1 : i + 1]
        slope, level = np.polyfit(time, y, 1)
        fitted = level + slope * time
        found[:, i] = slope, 1 - ((y - fitted) ** 2).sum() / ((y - y.mean()) ** 2).sum(), y[-1] - fitted[-1]
    return found
