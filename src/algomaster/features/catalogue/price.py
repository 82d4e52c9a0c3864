"""Family A: returns, the shape of the candle, where the price stands in its day."""

from __future__ import annotations

from typing import Any, Final

from algomaster.features import series as s
from algomaster.features.definition import SAME_BAR, SESSION, WINDOW, Feature
from algomaster.features.series import Series
from algomaster.features.series_bars import candle, log_return

__all__ = ["FEATURES"]

_DAY_BEFORE: Final = "NaN in the first session, and where an input of the bar is missing"
_RETURN: Final = "Campbell, Lo and MacKinlay 1997, The Econometrics of Financial Markets, section 1.4: log returns"
_CANDLE: Final = "Qlib, Alpha158 (Yang et al. 2020, Qlib: An AI-oriented Quantitative Investment Platform)"

_o, _h, _l, _c = (s.given(name) for name in ("open", "high", "low", "close"))
_middle, _length, _body, _upper, _lower, _shift = candle()
_day_open = s.first_of_session(_o)
_day_high, _day_low = s.highest_since(_h), s.lowest_since(_l)
_close_before = s.previous_session(_c)


def _feature(name: str, formula: str, expression: Series, **more: Any) -> Feature:
    more.setdefault("source", _RETURN)
    return Feature(name=name, family="price", formula=formula, expression=expression, **more)


def _return(bars: int) -> Feature:
    return _feature(
        f"ret_{bars}", f"ln(c/c{bars})" if bars == 1 else f"ln(c/c_{bars})", log_return(bars), parameters={"n": bars},
        unit="log return", nan_rule=WINDOW,
    )  # fmt: skip


def _candle(name: str, formula: str, expression: Series, *, low: float, high: float = float("inf")) -> Feature:
    return _feature(name, formula, expression, low=low, high=high, sessions=1, nan_rule=SAME_BAR, source=_CANDLE)


def _against_day_before(name: str, formula: str, price: Series, level: Series) -> Feature:
    return _feature(name, formula, s.log_ratio(price, level), unit="log return", sessions=2, nan_rule=_DAY_BEFORE)


FEATURES: Final = (
    _return(1),
    _return(5),
    _return(15),
    _return(60),
    _feature("ret_open", "ln(c/day_open)", s.log_ratio(_c, _day_open), unit="log return", sessions=1, nan_rule=SESSION),
    _against_day_before("ret_gap", "ln(day_open/prev_day_close)", _day_open, _close_before),
    _against_day_before("ret_prevclose", "ln(c/prev_day_close)", _c, _close_before),
    _candle("k_mid", "(c-o)/o", _middle, low=-1.0),
    _candle("k_len", "(h-l)/o", _length, low=0.0),
    _candle("k_body", "(c-o)/(h-l), NaN where h = l", _body, low=-1.0, high=1.0),
    _candle("k_upsh", "(h-max(o,c))/(h-l), NaN where h = l", _upper, low=0.0, high=1.0),
    _candle("k_losh", "(min(o,c)-l)/(h-l), NaN where h = l", _lower, low=0.0, high=1.0),
    _candle("k_shift", "(2c-h-l)/(h-l), NaN where h = l", _shift, low=-1.0, high=1.0),
    _feature(
        "pos_day",
        "(c-day_low)/(day_high-day_low), NaN where they are equal",
        # a close counts as part of the day although its high or low may be missing
        s.clip(s.divide_range(_c, _day_low, _day_high, _day_low), 0.0, 1.0),
        low=0.0,
        high=1.0,
        sessions=1,
        nan_rule=SESSION,
    ),
    _against_day_before("dist_pdh", "ln(c/prev_day_high)", _c, s.previous_session(_day_high)),
    _against_day_before("dist_pdl", "ln(c/prev_day_low)", _c, s.previous_session(_day_low)),
)
