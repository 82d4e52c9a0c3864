"""Family B: averages and their crossings, directional movement, straight lines, the session's VWAP."""

from __future__ import annotations

from typing import Any, Final

from algomaster.features import series as s
from algomaster.features.definition import MEMORY, SESSION, WINDOW, Feature
from algomaster.features.series import Series
from algomaster.features.series_bars import atr, bar_price, directional_index, gap_over, session_price, supertrend

__all__ = ["FEATURES"]

_h, _l, _c, _v = (s.given(name) for name in ("high", "low", "close", "volume"))
_atr = atr(14)
_ema9, _ema21 = s.ema_pair(_c, 9, _c, 21)
_ema12, _ema26 = s.ema_pair(_c, 12, _c, 26)
_macd = gap_over(_ema12, _ema26, _atr)
_signal = s.ema(_macd, 9)
_balance, _dx = directional_index(14)
_side, _line = supertrend(10, 3.0)
_vwap, _variance = session_price(bar_price(), _v)
_TALIB: Final = "TA-Lib"
_VWAP_NAN: Final = f"{SESSION} with volume and a second price, and where the bar's close is missing"


def _feature(name: str, formula: str, expression: Series, parameters: dict[str, float], **more: Any) -> Feature:
    return Feature(name=name, family="trend", formula=formula, expression=expression, parameters=parameters, **more)


def _remembers(name: str, formula: str, expression: Series, parameters: dict[str, float], **more: Any) -> Feature:
    return _feature(name, formula, expression, parameters, nan_rule=MEMORY, **more)


def _simple(bars: int) -> Feature:
    expression = s.ratio_less_one(s.mean(_c, bars), _c)
    return _feature(f"sma_ratio_{bars}", f"SMA{bars}/c-1", expression, {"n": bars}, low=-1.0, source=f"{_TALIB}, SMA")


def _exponential(bars: int, average: Series) -> Feature:
    return _remembers(
        f"ema_ratio_{bars}", f"EMA{bars}/c-1", s.ratio_less_one(average, _c), {"n": bars}, low=-1.0, wait=bars - 1,
        source=f"{_TALIB}, EMA: begun at the mean of the first n closes, as there",
    )  # fmt: skip


def _slope(bars: int) -> Feature:
    expression = s.trend(_c, bars).slope / _c
    return _feature(
        f"lr_slope_{bars}", f"OLS slope(c,{bars})/c", expression, {"n": bars}, unit="share of the price a bar",
        source=f"{_TALIB}, LINEARREG_SLOPE over the close",
    )  # fmt: skip


FEATURES: Final = (
    _simple(20),
    _simple(60),
    _exponential(9, _ema9),
    _exponential(21, _ema21),
    _remembers(
        "ema_cross_9_21",
        "(EMA9-EMA21)/ATR14",
        gap_over(_ema9, _ema21, _atr),
        {"fast": 9, "slow": 21, "atr": 14},
        unit="ATR",
        source="TA-Lib, EMA and ATR",
    ),
    _remembers(
        "ema_slope_21",
        "(EMA21-EMA21[5])/ATR14",
        gap_over(_ema21, s.earlier(_ema21, 5), _atr),
        {"n": 21, "bars": 5, "atr": 14},
        unit="ATR",
        source="TA-Lib, EMA and ATR",
    ),
    _remembers(
        "macd_12_26",
        "(EMA12-EMA26)/ATR14",
        _macd,
        {"fast": 12, "slow": 26, "atr": 14},
        unit="ATR",
        source="Appel 2005, Technical Analysis: Power Tools for Active Investors; TA-Lib's MACD begins EMA12 at "
        "the mean of the last 12 of 26 closes, ours at the first 12: equal to 1e-9 after some 140 bars; over ATR14",
    ),
    _remembers(
        "macd_sig_9",
        "EMA9(macd_12_26)",
        _signal,
        {"fast": 12, "slow": 26, "signal": 9, "atr": 14},
        unit="ATR",
        source="Appel 2005; TA-Lib averages the MACD in money, ours is in ATR14",
    ),
    _remembers(
        "macd_hist",
        "macd_12_26-macd_sig_9",
        _macd - _signal,
        {"fast": 12, "slow": 26, "signal": 9, "atr": 14},
        unit="ATR",
        source="Appel 2005",
    ),
    _remembers(
        "adx_14",
        "RMA14(100|DI+-DI-|/(DI++DI-))",
        s.rma(_dx, 14),
        {"n": 14},
        unit="percent",
        low=0.0,
        high=100.0,
        source="Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib, ADX, begun as there; without movement "
        "on either side DX is missing and the average stays",
    ),
    _remembers(
        "di_diff_14",
        "(DI+-DI-)/100",
        _balance,
        {"n": 14},
        low=-1.0,
        high=1.0,
        source="Wilder 1978; TA-Lib, PLUS_DI and MINUS_DI, begun as there",
    ),
    _remembers(
        "supertrend_dir_10_3",
        "1 where the supertrend lies below the close, else -1",
        _side,
        {"n": 10, "width": 3},
        unit="side",
        low=-1.0,
        high=1.0,
        source="Seban, supertrend; Skender.Stock.Indicators, SuperTrend",
    ),
    _remembers(
        "supertrend_dist",
        "(c-ST)/ATR10",
        gap_over(_c, _line, atr(10)),
        {"n": 10, "width": 3},
        unit="ATR",
        source="Seban, supertrend; Skender.Stock.Indicators, SuperTrend",
    ),
    _feature(
        "aroon_osc_25",
        "(idxmax h - idxmin l)/25 over 26 bars, the latest of equal ones",
        (s.bars_since_lowest(_l, 26) - s.bars_since_highest(_h, 26)) / 25.0,
        {"n": 25},
        low=-1.0,
        high=1.0,
        source="Chande 1995; TA-Lib, AROONOSC/100",
    ),
    _slope(20),
    _feature(
        "lr_r2_20",
        "R2 of the OLS line through the last 20 closes",
        s.trend(_c, 20).r2,
        {"n": 20},
        low=0.0,
        high=1.0,
        source="Qlib, Alpha158, RSQR20",
    ),
    _feature(
        "lr_resid_20",
        "(c-fit)/c, fit the OLS line through the last 20 closes at the newest",
        s.trend(_c, 20).residual / _c,
        {"n": 20},
        source="TA-Lib, LINEARREG; Qlib, Alpha158, RESI20",
    ),
    _slope(60),
    _remembers(
        "vwap_dist",
        "(c-VWAP since open)/ATR14",
        gap_over(_c, _vwap, _atr),
        {"atr": 14},
        unit="ATR",
        source="VWAP of the bars' own vwap, or (h+l+c)/3 where there is none",
    ),
    _feature(
        "vwap_z",
        "(c-VWAP since open)/sqrt(volume-weighted variance since open)",
        gap_over(_c, _vwap, s.root(_variance)),
        {},
        unit="standard deviations",
        sessions=1,
        nan_rule=_VWAP_NAN,
        wait=1,
        source="West 1979, Updating mean and variance estimates",
    ),
    _feature(
        "kama_er_10",
        "|c-c10|/sum|dc|, NaN where all closes are equal",
        s.share(s.absolute(_c - s.earlier(_c, 10)), s.total(s.absolute(_c - s.earlier(_c, 1)), 10)),
        {"n": 10},
        low=0.0,
        high=1.0,
        nan_rule=WINDOW,
        source="Kaufman 1995, Smarter Trading: the efficiency ratio",
    ),
)
