"""Open interest and the option chain: features 100 to 123.

What belongs to one moment of the chain is a column of the bar, computed by
:mod:`algomaster.features.kernels.snapshot`; here are the features that read it, and what they make of it in time.
Changes over minutes stay within a session and an expiry, else they are NaN.
"""

from __future__ import annotations

from typing import Any, Final

from algomaster.features import series as s
from algomaster.features import series_chain as chain
from algomaster.features.definition import SAME_BAR, Feature
from algomaster.features.series import Series

__all__ = ["FEATURES"]

ADV_SESSIONS: Final = 20
_OF_CHAIN: Final = "feature list v1, G; nearest expiry alive at the bar's end, see algomaster.features.chain_inputs"
_WITHIN: Final = "NaN in the session's first bars, after a change of expiry, and where an input is missing"

_close, _volume, _future_oi = s.given("close"), s.given("volume"), s.given("oi")
_level, _max_pain = s.given("chain_level"), s.given("max_pain")
_all = s.given("oi_c") + s.given("oi_p")
_net_change = s.given("doi_p") - s.given("doi_c")
_turnover = chain.mean_of_sessions(_close * _volume, ADV_SESSIONS)
_up = s.sign(chain.change_in_session(_close, 1))
_building = s.sign(chain.change_in_session(_future_oi, 1))


def _build_up() -> Series:
    """1 to 4 by the signs of both changes; their product is 0 where one is."""
    return s.absolute(_up * _building) * (2.5 - _building - _up * 0.5)


def _feature(name: str, formula: str, expression: Series, **more: Any) -> Feature:
    said: dict[str, Any] = {"sessions": 1, "nan_rule": SAME_BAR, "source": _OF_CHAIN}
    return Feature(name=name, family="chain", formula=formula, expression=expression, **(said | more))


def _column(name: str, formula: str, *, column: str = "", low: float, high: float, **more: Any) -> Feature:
    """Give a feature that is a column of the bar, held within its bounds."""
    expression = s.clip(s.given(column or name), low, high)
    return _feature(name, formula, expression, low=low, high=high, **more)


_INF: Final = float("inf")
_POSITIVE: Final[dict[str, Any]] = {"low": 0.0, "high": _INF}
_SHARE: Final[dict[str, Any]] = {"low": 0.0, "high": 1.0}
_CHANGE: Final[dict[str, Any]] = {"low": -_INF, "high": 1.0}
_ADV: Final = "NaN until 20 sessions are over, where the bar's exposure is missing, and without volume"

FEATURES: Final = (
    _column("pcr_oi", "sum poi / sum coi", **_POSITIVE),
    _column("pcr_vol", "sum pv / sum cv since the open", **_POSITIVE),
    _column("pcr_oi_atm5", "sum poi / sum coi over ATM+-5 strikes", parameters={"strikes": 5}, **_POSITIVE),
    _feature(
        "d_pcr_15m", "pcr_oi - pcr_oi 15 bars before", chain.change(s.given("pcr_oi"), 15), parameters={"n": 15},
        nan_rule=_WITHIN,
    ),
    _feature(
        "max_pain_dist", "(MP-S)/S, MP = argmin_K sum coi_i (K-K_i)+ + poi_i (K_i-K)+",
        s.ratio_less_one(_max_pain, _level), low=-1.0,
    ),
    _feature(
        "d_max_pain_30m", "(MP - MP 30 bars before)/S", chain.change(_max_pain, 30) / _level, parameters={"n": 30},
        nan_rule=_WITHIN,
    ),
    _column("doi_c_atm", "sum dcoi at ATM+-2 / sum coi", parameters={"strikes": 2}, **_CHANGE),
    _column("doi_p_atm", "sum dpoi at ATM+-2 / sum poi", parameters={"strikes": 2}, **_CHANGE),
    _column("doi_c_otm", "sum dcoi at ATM+3..+10 / sum coi", parameters={"from": 3, "to": 10}, **_CHANGE),
    _column("doi_p_otm", "sum dpoi at ATM-3..-10 / sum poi", parameters={"from": 3, "to": 10}, **_CHANGE),
    _feature(
        "doi_net_5m", "(change of sum dpoi - change of sum dcoi over 5 bars) / (sum coi + sum poi)",
        chain.change(_net_change, 5) / _all, parameters={"n": 5}, nan_rule=_WITHIN,
    ),
    _column("oi_wall_up", "(argmax_{K>S} coi - S)/S", **_POSITIVE),
    _column("oi_wall_dn", "(S - argmax_{K<S} poi)/S", **_SHARE),
    _column("oi_wall_str", "max_{K>S} coi / mean coi", **_POSITIVE),
    _column("oi_com_c", "(sum K coi / sum coi - S)/S", low=-1.0, high=_INF),
    _column("oi_com_p", "(sum K poi / sum poi - S)/S", low=-1.0, high=_INF),
    _column("oi_hhi_c", "sum (coi/sum coi)^2", **_SHARE),
    _column("oi_entropy_p", "-sum p ln p / ln(strikes with poi), p = poi/sum poi", **_SHARE),
    _feature(
        "buildup_state",
        "of the signs of c - c1 and oi - oi1 of the front future: 1 long build-up (+, +), 2 short build-up (-, +), "
        "3 short covering (+, -), 4 long unwinding (-, -), 0 where one stands still",
        _build_up(), unit="code", low=0.0, high=4.0,
        nan_rule="NaN in the session's first bar and without the future's oi",
        source="feature list v1, G",
    ),
    _feature(
        "fut_doi_15m", "ln(oi / oi 15 bars before) of the front future",
        chain.change_in_session(s.log(_future_oi), 15), parameters={"n": 15},
        unit="log change", source="feature list v1, G",
        nan_rule="NaN in the session's first bars and without the future's oi",
    ),
    _feature(
        "gex", "sum (coi-poi) gamma S^2 0.01 / ADV, ADV = mean of sum c v over 20 sessions",
        s.given("gex_net") / _turnover, parameters={"sign": (1.0, -1.0), "adv_sessions": ADV_SESSIONS},
        sessions=ADV_SESSIONS + 1, wait=0, nan_rule=_ADV,
        same_under=frozenset({"price"}), unit="share of a day's turnover for a move of 1 %",
        source="SqueezeMetrics (2016), Gamma Exposure; algomaster.pricing.exposure; coi and poi are units, so the lot "
        "is in them; the sign is that of chain_inputs(sign=)",
    ),
    _feature(
        "gex_flip_dist", "(S-S*)/S, S* the nearest spot where gex is 0, within 5 %",
        -s.ratio_less_one(s.given("gex_flip"), _level), parameters={"sign": (1.0, -1.0), "reach": 0.05}, low=-0.0513,
        high=0.0488, nan_rule=SAME_BAR + " and where gex does not change its sign within reach",
        source="algomaster.pricing.exposure; volatilities stay with their strikes, the forward moves with the spot",
    ),
    _feature(
        "dex", "sum (coi delta_c + poi delta_p) S / ADV", s.given("dex_net") / _turnover,
        parameters={"adv_sessions": ADV_SESSIONS}, sessions=ADV_SESSIONS + 1, wait=0, nan_rule=_ADV,
        same_under=frozenset({"price"}), unit="days' turnovers", source="algomaster.pricing.exposure; units as for gex",
    ),
    _feature("straddle_atm_pct", "(C_atm+P_atm)/S", s.given("straddle_atm") / _level, low=0.0),
)  # fmt: skip
