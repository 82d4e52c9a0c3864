"""Family J: other assets and regimes. The other index, ``peer``, is BANKNIFTY where the bars are NIFTY's."""

from __future__ import annotations

import math
from typing import Final

from algomaster.features import series as s
from algomaster.features import series_flow as flow
from algomaster.features.definition import SAME_BAR, Feature
from algomaster.features.series import Series
from algomaster.features.series_bars import log_return

__all__ = ["FEATURES"]

_peer = s.given("peer")
_own = log_return()
_other = s.log_ratio(_peer, s.earlier(_peer, 1))
_breadth = s.given("breadth")
_YEAR: Final = 252 * 375
_CALM: Final = 0.09
_WILD: Final = 0.18
_SPREAD: Final = 0.4
_STAY: Final = 0.99
_THRESHOLD: Final = 5.0


def _change_of(name: str, bars: int) -> Series:
    return s.log_ratio(s.given(name), s.earlier(s.given(name), bars))


def _realised(n: int) -> Series:
    """Give rv_n, as the family of volatility does."""
    return s.root(s.total(_own * _own, n) * (_YEAR / n))


_beta = s.comoment(_other, _own, 60) / s.moments(_own, 60)[1]
_apart = _other - s.earlier(_beta, 1) * _own

FEATURES: Final = (
    Feature(
        name="beta_bn_60", family="cross", formula="cov(r_bn,r;60)/var(r;60)", expression=_beta, parameters={"n": 60},
        source="OLS slope of BANKNIFTY's return on NIFTY's",
    ),
    Feature(
        name="resid_bn_60", family="cross", formula="z_60 of sum(r_bn - beta_bn_60[1]*r)",
        expression=flow.path_score(_apart, 60), parameters={"n": 60}, unit="standard deviations", low=-7.7, high=7.7,
        source=(
            "spread of a pair as in Gatev, Goetzmann and Rouwenhorst 2006; each residual by the beta of the bar "
            "before. 7.7 > 59/sqrt(60), the most a score of 60 values can be"
        ),
    ),
    Feature(
        name="corr_bn_60", family="cross", formula="corr(r,r_bn;60)", expression=s.correlation(_own, _other, 60),
        parameters={"n": 60}, low=-1.0, high=1.0, source="TA-Lib CORREL of returns",
    ),
    Feature(
        name="lead_lag_5", family="cross", formula="corr(r,r_bn[1];60)",
        expression=s.correlation(_own, s.earlier(_other, 1), 60), parameters={"n": 60, "lag": 1}, low=-1.0, high=1.0,
        source="does BANKNIFTY lead NIFTY by a bar; the 5 in the name is the list's, the formula has none",
    ),
    Feature(
        name="breadth", family="cross", formula="share of constituents above their VWAP", expression=_breadth + 0.0,
        low=0.0, high=1.0, sessions=1, nan_rule=SAME_BAR, source="given with the bar",
    ),
    Feature(
        name="breadth_d15", family="cross", formula="breadth - breadth[15]",
        expression=_breadth - s.earlier(_breadth, 15), parameters={"n": 15}, low=-1.0, high=1.0,
        source="given with the bar", nan_rule="NaN where either of the two is missing",
    ),
    Feature(
        name="vix_ret_15", family="cross", formula="ln(vix/vix[15])", expression=_change_of("vix", 15),
        parameters={"n": 15}, unit="log return", source="India VIX", nan_rule="NaN where either of the two is missing",
    ),
    Feature(
        name="usdinr_ret_15", family="cross", formula="ln(usdinr/usdinr[15])", expression=_change_of("usdinr", 15),
        parameters={"n": 15}, unit="log return", source="rupees for a dollar",
        nan_rule="NaN where either of the two is missing",
    ),
    Feature(
        name="regime_vol", family="cross", formula="P(turbulent | rv_20 up to now), two states of ln rv_20",
        expression=flow.turbulence(_realised(20), calm=_CALM, wild=_WILD, spread=_SPREAD, stay=_STAY),
        parameters={"calm": _CALM, "turbulent": _WILD, "spread": _SPREAD, "stay": _STAY, "n": 20}, unit="probability",
        low=0.0, high=1.0, sessions=6,
        nan_rule="NaN until rv_20 has begun, and on bars where it is missing or 0; the memory passes over those",
        source=(
            "Hamilton 1989, A New Approach to the Economic Analysis of Nonstationary Time Series: filter, never the "
            "smoother. Calm 9 %, turbulent 18 %: rv_20 of NIFTY's minutes of 2013, the first year on record, was below "
            "9 % on four bars of ten and above 18 % on one and a half; spread of ln rv_20 in both 0.4"
        ),
    ),
    Feature(
        name="cusum_state", family="cross", formula="signed CUSUM of r/sqrt(mean(r^2;60))[1], over 5",
        expression=flow.alarm(_own / s.earlier(_realised(60), 1), _THRESHOLD / math.sqrt(_YEAR)),
        parameters={"threshold": 5, "n": 60},
        unit="share of the threshold", low=-1.0, high=1.0,
        nan_rule="NaN until it has begun and on bars whose input is missing; the memory passes over those",
        source=(
            "Page 1954, Continuous Inspection Schemes; symmetric and begun anew after an alarm as in Lopez de Prado "
            "2018, 2.5.2.1. Returns count in units of their root mean square of the 60 bars before"
        ),
    ),
)  # fmt: skip
