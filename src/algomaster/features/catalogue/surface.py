"""The implied-volatility surface and Greeks: features 124 to 146; see :mod:`algomaster.features.catalogue.chain`."""

from __future__ import annotations

import math
from typing import Any, Final

from algomaster.features import series as s
from algomaster.features import series_chain as chain
from algomaster.features.definition import SAME_BAR, SESSION, WINDOW, Feature
from algomaster.features.series import Series

__all__ = ["FEATURES"]

BARS_A_YEAR: Final = 252 * 375
DAYS: Final = 252
_OF_SURFACE: Final = (
    "feature list v1, H; volatilities of Black-76 out of the money, forwards by put-call parity, see "
    "algomaster.features.chain_inputs"
)
_WITHIN: Final = "NaN in the session's first bars, after a change of expiry, and where an input is missing"
_INF: Final = math.inf

_close, _high, _low = s.given("close"), s.given("high"), s.given("low")
_level = s.given("chain_level")
_iv, _iv_next = s.given("iv_near"), s.given("iv_next")
_t, _t_next = s.given("t_near"), s.given("t_next")
_return = s.log_ratio(_close, s.earlier(_close, 1))
_realised = s.root(s.mean(_return * _return, 60)) * math.sqrt(BARS_A_YEAR)
_move = _iv - chain.vol_before(_iv, _iv_next)
_implied_move = s.given("straddle_atm") * 0.8 / _level
_rank, _share = chain.rank_among_sessions(s.given("iv_month"), DAYS)


def _range() -> Series:
    before = s.earlier(_close, 1)
    return s.larger(_high, before) - s.smaller(_low, before)


def _forward_vol() -> Series:
    return s.root((_iv_next * _iv_next * _t_next - _iv * _iv * _t) / (_t_next - _t))


def _feature(name: str, formula: str, expression: Series, **more: Any) -> Feature:
    said: dict[str, Any] = {"sessions": 1, "nan_rule": SAME_BAR, "source": _OF_SURFACE, "unit": "per 1.00 a year"}
    return Feature(name=name, family="surface", formula=formula, expression=expression, **(said | more))


def _column(name: str, formula: str, column: str, *, low: float = -_INF, high: float = _INF, **more: Any) -> Feature:
    """Give a feature that is a column of the bar, held within its bounds."""
    return _feature(name, formula, s.clip(s.given(column), low, high), low=low, high=high, **more)


_SHARE: Final[dict[str, Any]] = {"low": 0.0, "high": 1.0, "unit": "share"}
_DAILY: Final[dict[str, Any]] = {
    "sessions": DAYS + 1, "wait": 0, "parameters": {"sessions": DAYS, "maturity": "21 sessions"},
    "nan_rule": "NaN until 252 sessions with a value are over, and where the bar has none",
}  # fmt: skip
_NEXT: Final[dict[str, Any]] = {"nan_rule": SAME_BAR + " or there is no later expiry"}
_SIZE: Final[dict[str, Any]] = {"low": -1.0, "high": 1.0, "unit": "share"}

FEATURES: Final = (
    _column("iv_atm", "iv at K = F of the nearest expiry, by straight line in ln K", "iv_near", low=0.0),
    _feature(
        "d_iv_atm_5m", "iv_atm - iv_atm 5 bars before", chain.change(_iv, 5), parameters={"n": 5}, nan_rule=_WITHIN
    ),
    _feature(
        "d_iv_atm_day", "iv_atm - the session's first iv_atm", chain.change_since_open(_iv),
        nan_rule=SESSION + ", and after a change of expiry",
    ),
    _feature(
        "iv_rank_252", "(iv-min)/(max-min) of the last 252 daily iv_atm and today's, constant maturity", _rank,
        **(_DAILY | _SHARE),
    ),
    _feature(
        "iv_pctile_252", "share of the last 252 daily iv_atm below today's, equal ones half; constant maturity", _share,
        **(_DAILY | _SHARE),
    ),
    _column("rr_25d", "iv(N(d1) = 0.25) - iv(N(d1) = 0.75)", "rr_25d", parameters={"delta": 0.25}),
    _column("bf_25d", "mean of both - iv_atm", "bf_25d", parameters={"delta": 0.25}),
    _column(
        "skew_slope", "d iv/d ln(K/F) at K = F / iv_atm, parabola through ATM+-5 strikes", "skew_slope", unit="ratio",
        parameters={"strikes": 5},
    ),
    _column(
        "smile_curv", "d2 iv/d ln(K/F)2 at K = F, parabola through ATM+-5 strikes", "smile_curv",
        parameters={"strikes": 5},
    ),
    _feature(
        "term_slope", "(iv_atm(next) - iv_atm(near)) / (sqrt T_next - sqrt T_near)",
        (_iv_next - _iv) / (s.root(_t_next) - s.root(_t)), unit="per 1.00 a year, per root of a year", **_NEXT,
    ),
    _feature("fwd_vol", "sqrt((iv2^2 T2 - iv1^2 T1)/(T2-T1))", _forward_vol(), low=0.0, **_NEXT),
    _feature("vrp", "iv_atm - rv_60", _iv - _realised, sessions=5, parameters={"n": 60}, nan_rule=WINDOW),
    _feature(
        "iv_rv_ratio", "iv_atm / rv_60", _iv / _realised, sessions=5, parameters={"n": 60}, nan_rule=WINDOW, low=0.0,
        unit="ratio",
    ),
    _feature(
        "parity_gap_bps", "(C-P-(F-K)e^{-rT})/S at the money, F the median of the two pairs on either side",
        s.given("parity_gap") * 1e4, unit="basis points",
    ),
    _feature("implied_move", "0.8 (C_atm+P_atm)/S", _implied_move, low=0.0, unit="ratio"),
    _feature(
        "used_move", "|ln(c/day_open)| / implied_move at the open",
        s.absolute(s.log_ratio(_close, s.first_of_session(s.given("open")))) / s.first_of_session(_implied_move),
        low=0.0, unit="ratio", nan_rule=SESSION,
    ),
    _column("atm_gamma_norm", "gamma S^2 0.01 / premium of the straddle at the money", "atm_gamma", low=0.0,
            unit="ratio"),
    _feature(
        "atm_theta_ratio", "|theta per minute| / ATR14 of the straddle at the money",
        s.absolute(s.given("atm_theta")) / s.rma(_range(), 14), parameters={"n": 14}, low=0.0, sessions=5, unit="ratio",
        nan_rule=WINDOW,
    ),
    _feature(
        "atm_vega_ratio", "vega std_60(d iv_atm) / premium of the straddle at the money",
        s.given("atm_vega") * s.deviation(_move, 60), parameters={"n": 60}, low=0.0, sessions=5, unit="ratio",
        nan_rule=WINDOW,
    ),
    _column("vanna_net", "sum (coi+poi) vanna / sum (coi+poi) |vanna|", "vanna_net", **_SIZE),
    _column("charm_net", "sum coi charm_c + poi charm_p / sum of sizes", "charm_net", **_SIZE),
    _feature(
        "corr_s_iv_60", "corr(r, d iv_atm; 60), d of one expiry", s.correlation(_return, _move, 60),
        parameters={"n": 60}, low=-1.0, high=1.0, sessions=5, unit="correlation", nan_rule=WINDOW,
    ),
    _feature("vix_basis", "VIX/100 - iv_atm", s.given("vix") / 100.0 - _iv),
)  # fmt: skip
