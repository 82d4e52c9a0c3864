"""Family D: realised volatility by several estimators, jumps and asymmetry, bands and channels."""

from __future__ import annotations

import math
from typing import Any, Final

from algomaster.features import series as s
from algomaster.features.definition import MEMORY, WINDOW, Feature
from algomaster.features.series import Series
from algomaster.features.series_bars import atr, gap_over, log_return, ranges, shape

__all__ = ["FEATURES"]

_MINUTES: Final = 252 * 375
"""Bars of a minute in a year, as the list says."""

_o, _h, _l, _c = (s.given(name) for name in ("open", "high", "low", "close"))
_none = s.number_like(_c, 0.0)
_r = log_return()
_squares = _r * _r
_body, _parkinson, _garman_klass, _rogers_satchell = ranges()
_A_BAR: Final = "volatility a bar"


def _feature(name: str, formula: str, expression: Series, parameters: dict[str, float], **more: Any) -> Feature:
    return Feature(
        name=name, family="volatility", formula=formula, expression=expression, parameters=parameters, **more
    )


def _estimator(name: str, formula: str, expression: Series, parameters: dict[str, float], **more: Any) -> Feature:
    return _feature(name, formula, expression, parameters, low=0.0, **more)


def _realised(bars: int) -> Series:
    return s.root(s.total(_squares, bars) * (_MINUTES / bars))


def _realised_feature(bars: int) -> Feature:
    return _estimator(
        f"rv_{bars}", f"sqrt(mean(r^2,{bars})) sqrt(252*375)", _realised(bars), {"n": bars}, unit="volatility a year",
        source="Andersen and Bollerslev 1998; a year has 252 sessions of 375 minutes",
    )  # fmt: skip


def _since_open() -> Series:
    own = s.choose(s.fresh(), _body, _r)  # the night's gap is not the session's: its first return begins at its open
    return s.root(s.sum_since(own * own))


def _yang_zhang(bars: int) -> Series:
    gap = _r - _body  # ln(o/c1): what of the change was not inside the bar
    weight = 0.34 / (1.34 + (bars + 1) / (bars - 1))
    inside = s.moments(_body, bars)[1] * (weight / (bars - 1)) + s.total(_rogers_satchell, bars) * (
        (1.0 - weight) / bars
    )
    return s.root(s.moments(gap, bars)[1] / (bars - 1) + inside)


def _bipower(bars: int) -> Series:
    size = s.absolute(_r)
    return s.total(size * s.earlier(size, 1), bars) * (math.pi / 2.0 / bars)


def _jump(bars: int) -> Series:
    return s.clip(1.0 - _bipower(bars) / (s.total(_squares, bars) / bars), 0.0, 1.0)


def _bad_share(bars: int) -> Series:
    fall = s.smaller(_r, _none)
    return s.total(fall * fall, bars) / s.total(_squares, bars)


_centre, _spread = s.moments(_c, 20)
_deviation = s.deviation(_c, 20, ddof=0)
_half = math.sqrt(19.0) / 4.0
_low_before, _high_before = s.earlier(s.lowest(_l, 20), 1), s.earlier(s.highest(_h, 20), 1)
_skew, _kurtosis = shape(_r, 60)

FEATURES: Final = (
    _realised_feature(20),
    _realised_feature(60),
    _estimator(
        "rv_day",
        "sqrt(sum r^2 since open), r = ln(c/o) at the session's first bar",
        _since_open(),
        {},
        wait=0,
        unit="volatility of the session so far",
        sessions=1,
        source="Andersen and Bollerslev 1998",
        nan_rule="NaN until the session has a known return; missing ones are passed over",
    ),
    _estimator(
        "atr_14_pct",
        "ATR14/c",
        atr(14) / _c,
        {"n": 14},
        nan_rule=MEMORY,
        unit="share of the price",
        source="Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib, ATR over the close",
    ),
    _estimator(
        "parkinson_20",
        "sqrt(mean(ln(h/l)^2,20)/(4 ln 2))",
        s.root(s.total(_parkinson, 20) * (1.0 / (20 * 4.0 * math.log(2.0)))),
        {"n": 20},
        unit=_A_BAR,
        source="Parkinson 1980, The extreme value method for estimating the variance of the rate of return",
    ),
    _estimator(
        "garman_klass_20",
        "sqrt(mean(ln(h/l)^2/2-(2 ln 2-1)ln(c/o)^2,20))",
        s.root(s.mean(_garman_klass, 20)),
        {"n": 20},
        unit=_A_BAR,
        source="Garman and Klass 1980, On the estimation of security price volatilities from historical data",
    ),
    _estimator(
        "rogers_satchell_20",
        "sqrt(mean(ln(h/o)ln(h/c)+ln(l/o)ln(l/c),20))",
        s.root(s.mean(_rogers_satchell, 20)),
        {"n": 20},
        unit=_A_BAR,
        source="Rogers and Satchell 1991, Estimating variance from high, low and closing prices",
    ),
    _estimator(
        "yang_zhang_20",
        "sqrt(var(ln(o/c1),20)+k var(ln(c/o),20)+(1-k)rs,20), k = 0.34/(1.34+21/19)",
        _yang_zhang(20),
        {"n": 20},
        unit=_A_BAR,
        source="Yang and Zhang 2000, Drift-independent volatility estimation based on high, low, open and close prices",
    ),
    _estimator(
        "bipower_60",
        "pi/2 mean(|r||r1|,60)",
        _bipower(60),
        {"n": 60},
        unit="variance a bar",
        source="Barndorff-Nielsen and Shephard 2004, Power and bipower variation with stochastic volatility and jumps",
    ),
    _feature(
        "jump_ratio_60",
        "max(0,1-bipower_60/mean(r^2,60))",
        _jump(60),
        {"n": 60},
        low=0.0,
        high=1.0,
        source="Barndorff-Nielsen and Shephard 2004; Huang and Tauchen 2005, the relative jump",
    ),
    _feature(
        "semivar_ratio_60",
        "sum(min(r,0)^2,60)/sum(r^2,60)",
        _bad_share(60),
        {"n": 60},
        low=0.0,
        high=1.0,
        source="Barndorff-Nielsen, Kinnebrock and Shephard 2010, Measuring downside risk: realised semivariance",
    ),
    _estimator(
        "bb_width_20",
        "4 std(c,20)/SMA20, divisor of std 20",
        _deviation * 4.0 / _centre,
        {"n": 20, "width": 2},
        source="Bollinger 2001, Bollinger on Bollinger Bands; TA-Lib, BBANDS",
    ),
    _feature(
        "bb_pctb_20",
        "(c-SMA20+2 std)/(4 std)",
        s.clip(gap_over(_c, _centre, _deviation, 4.0, 0.5), 0.5 - _half, 0.5 + _half),
        {"n": 20, "width": 2},
        low=0.5 - _half,
        high=0.5 + _half,
        source="Bollinger 2001; TA-Lib, BBANDS",
    ),
    _feature(
        "keltner_pos_20",
        "(c-EMA20)/(2 ATR14)",
        gap_over(_c, s.ema(_c, 20), atr(14), 2.0),
        {"n": 20, "atr": 14, "width": 2},
        nan_rule=MEMORY,
        source="Keltner 1960; Raschke's channel of average ranges around an exponential average",
    ),
    _feature(
        "donch_pos_20",
        "(c-min l)/(max h-min l) of the 20 bars before",
        s.divide_range(_c, _low_before, _high_before, _low_before),
        {"n": 20},
        nan_rule=WINDOW,
        source="Donchian's channel: the bars before this one, so that above 1 is a breakout (with it, it is rsv_20)",
    ),
    _estimator(
        "vol_of_vol_60",
        "std(rv_20,60), divisor 59",
        s.deviation(_realised(20), 60),
        {"n": 60, "rv": 20},
        unit="volatility a year",
        source="as rv_20",
    ),
    _feature(
        "skew_60",
        "mean((r-mean)^3)/mean((r-mean)^2)^1.5 over 60",
        _skew,
        {"n": 60},
        unit="number",
        source="Fisher's g1, as scipy.stats.skew; Pébay 2008 for joining windows",
    ),
    _feature(
        "kurt_60",
        "mean((r-mean)^4)/mean((r-mean)^2)^2-3 over 60",
        _kurtosis,
        {"n": 60},
        unit="number",
        source="Fisher's g2, as scipy.stats.kurtosis; Pébay 2008 for joining windows",
    ),
)
