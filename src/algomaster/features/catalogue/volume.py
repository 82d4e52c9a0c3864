"""Family E: volume.

The volume of an index's bars is that of its front future. Windows reach over midnight as windows of bars; what belongs
to the session (VWAP, the volume profile) begins anew with it. Three conventions:

- A bar without range closes in its middle: (2c-h-l)/(h-l) counts as 0, as in TA-Lib's AD.
- Slopes of running totals (OBV, AD) are those of TA-Lib's running totals; where they began does not matter, so they are
  computed from the steps inside the window.
- ln v of a bar without volume is missing, ln(1+v) is 0.
"""

from __future__ import annotations

from typing import Final

from algomaster.features import series as s
from algomaster.features import series_flow as flow
from algomaster.features.definition import Feature
from algomaster.features.series import Series
from algomaster.features.series_bars import atr, bar_price, log_return, session_price, typical_price

__all__ = ["FEATURES"]

_h, _l, _c, _v = (s.given(name) for name in ("high", "low", "close", "volume"))
_change = _c - s.earlier(_c, 1)
_return = log_return()
_usual = s.mean(_v, 20)
_log_volume = s.log(_v, 1.0)
_NO_RANGE: Final = 1e-300  # added to a range it changes nothing but 0
_flow_in = s.divide_range(_c - _l, _h - _c, _h, _l, _NO_RANGE) * _v
_BOTH: Final = frozenset({"price", "volume"})
_PRICE: Final = frozenset({"price"})
_TRADED_NAN: Final = "NaN until its window is full, while a missing value is in it and where no volume is in it"


def _score(a: Series, n: int) -> Series:
    return (a - s.moments(a, n)[0]) / s.deviation(a, n)


def _vwap_slope(n: int) -> Series:
    """Give the slope of the session's VWAP over n bars; where they reach into the session before the base is 0."""
    vwap, _ = session_price(bar_price(), _v)
    return s.trend(vwap, n).slope / (_c * (1.0 - s.highest(s.fresh(), n - 1)))


def _turmoil(n: int) -> Series:
    moved = s.absolute(_return) * _v
    return s.deviation(moved, n) / s.mean(moved, n)


def _volume_balance(n: int) -> Series:
    step = _v - s.earlier(_v, 1)
    return s.share(s.total(step, n), s.total(s.absolute(step), n))


def _value_area_pos() -> Series:
    middle, width = flow.value_area(typical_price(), _v, step=0.001, steps=100, share=0.7)
    return (_c - middle) / width


FEATURES: Final = (
    Feature(
        name="vol_z_20", family="volume", formula="z_20(ln(1+v)), divisor 19", expression=_score(_log_volume, 20),
        parameters={"n": 20}, unit="standard deviations", low=-4.25, high=4.25, same_under=_PRICE,
        nan_rule="NaN until its window is full, while a missing value is in it and where all its volumes are equal",
        source="standard score; 4.25 > 19/sqrt(20), the most a score of 20 values can be",
    ),
    Feature(
        name="vol_tod_ratio", family="volume", formula="v/mean(v at this minute, last 20 sessions)",
        expression=_v / flow.usual_at_minute(_v, first=555, minutes=385, sessions=20, least=10),
        parameters={"sessions": 20, "least": 10}, low=0.0, sessions=21, wait=20,
        nan_rule="NaN until 20 sessions have gone by, at minutes that fewer than 10 of them had, outside 09:15-15:40",
        source="relative volume by time of day; evening and Saturday sessions count among the 20",
    ),
    Feature(
        name="vma_ratio_20", family="volume", formula="v/SMA20(v)", expression=_v / _usual, parameters={"n": 20},
        low=0.0, high=20.001, nan_rule=_TRADED_NAN, source="TA-Lib SMA",
    ),
    Feature(
        name="obv_slope_20", family="volume", formula="OLS slope(OBV,20)/SMA20(v)",
        expression=flow.climb(s.sign(_change) * _v, 20) / _usual, parameters={"n": 20}, low=-1.51, high=1.51,
        nan_rule=_TRADED_NAN, source="Granville 1963; TA-Lib OBV, LINEARREG_SLOPE",
    ),
    Feature(
        name="cmf_20", family="volume", formula="sum(v*clv)/sum(v), clv=(2c-h-l)/(h-l), 0 where h=l",
        expression=s.share(s.total(_flow_in, 20), s.total(_v, 20)), parameters={"n": 20}, low=-1.0, high=1.0,
        nan_rule=_TRADED_NAN, source="Chaikin money flow; Tulip CMF",
    ),
    Feature(
        name="ad_slope_20", family="volume", formula="OLS slope(AD,20)/SMA20(v)",
        expression=flow.climb(_flow_in, 20) / _usual, parameters={"n": 20}, low=-1.51, high=1.51,
        nan_rule=_TRADED_NAN, source="Chaikin; TA-Lib AD, LINEARREG_SLOPE",
    ),
    Feature(
        name="vwap_slope_15", family="volume", formula="OLS slope(VWAP since open,15)/c", expression=_vwap_slope(15),
        parameters={"n": 15}, unit="ratio a bar", sessions=1, wait=14,
        nan_rule="NaN on the first 14 bars of a session and until it has had volume",
        source="VWAP of the session; price of a bar: its vwap, else (h+l+c)/3",
    ),
    Feature(
        name="corr_c_v_20", family="volume", formula="corr(c,ln v;20)", expression=s.correlation(_c, s.log(_v), 20),
        parameters={"n": 20}, low=-1.0, high=1.0, source="TA-Lib CORREL",
        nan_rule="NaN until its window is full, while a missing value or a bar without volume is in it",
    ),
    Feature(
        name="corr_r_dv_20", family="volume", formula="corr(r,ln(v/v1);20)",
        expression=s.correlation(_return, s.log_ratio(_v, s.earlier(_v, 1)), 20), parameters={"n": 20}, low=-1.0,
        high=1.0, source="TA-Lib CORREL",
        nan_rule="NaN until its window is full, while a missing value or a bar without volume is in it",
    ),
    Feature(
        name="wvma_20", family="volume", formula="std(|r|v;20)/mean(|r|v;20), divisor 19", expression=_turmoil(20),
        parameters={"n": 20}, low=0.0, high=4.4722, nan_rule=_TRADED_NAN,
        source="Qlib WVMA, with log returns; at most sqrt(20)",
    ),
    Feature(
        name="force_13", family="volume", formula="EMA13(v*(c-c1))/(ATR14*SMA20(v))",
        expression=s.ema(_v * _change, 13) / (atr(14) * _usual), parameters={"n": 13, "atr": 14, "sma": 20},
        nan_rule="NaN until all three averages have begun, and while a missing value is in the last 20 bars",
        source="Elder 1993, Trading for a Living: force index, here by the usual range times the usual volume",
    ),
    Feature(
        name="vsumd_20", family="volume", formula="(sum up - sum dn)/sum|dv| over 20 steps of v",
        expression=_volume_balance(20), parameters={"n": 20}, low=-1.0, high=1.0, source="Qlib VSUMD",
        nan_rule="NaN until its window is full, while a missing value is in it and where all its volumes are equal",
    ),
    Feature(
        name="value_area_pos", family="volume", formula="(c-POC)/(VAH-VAL) of the session's volume by price",
        expression=_value_area_pos(), parameters={"step": 0.001, "steps": 100, "share": 0.7}, sessions=1, wait=0,
        nan_rule="NaN until the session has had volume and on bars whose volume is missing",
        source=(
            "Steidlmayer 1984, CBOT Market Profile: 70 % of the volume around the fullest price, two steps at a time "
            "on the fuller side. Steps are 0.1 % of the session's first price, the outermost at +-10 %; a bar's "
            "volume stands at (h+l+c)/3; VAH and VAL are the outer edges; of equally full prices the first to be so"
        ),
    ),
)  # fmt: skip
