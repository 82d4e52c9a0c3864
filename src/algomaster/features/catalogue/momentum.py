"""Family C: oscillators, ranks, shares of rises and falls."""

from __future__ import annotations

import math
from typing import Any, Final

from algomaster.features import series as s
from algomaster.features.definition import MEMORY, Feature
from algomaster.features.kernels import windows
from algomaster.features.series import Series
from algomaster.features.series_bars import (
    change_rate,
    gap_over,
    log_return,
    money_flow,
    strength,
    true_range,
    typical_price,
)

__all__ = ["FEATURES"]

_h, _l, _c = (s.given(name) for name in ("high", "low", "close"))
_none = s.number_like(_c, 0.0)
_change = _c - s.earlier(_c, 1)
_typical = typical_price()


def _feature(name: str, formula: str, expression: Series, parameters: dict[str, float], **more: Any) -> Feature:
    return Feature(name=name, family="momentum", formula=formula, expression=expression, parameters=parameters, **more)


def _share(name: str, formula: str, expression: Series, parameters: dict[str, float], **more: Any) -> Feature:
    return _feature(name, formula, expression, parameters, low=0.0, high=1.0, **more)


def _signed(name: str, formula: str, expression: Series, parameters: dict[str, float], **more: Any) -> Feature:
    return _feature(name, formula, expression, parameters, low=-1.0, high=1.0, **more)


def _percent(name: str, formula: str, expression: Series, parameters: dict[str, float], **more: Any) -> Feature:
    return _feature(name, formula, expression, parameters, unit="percent", low=0.0, high=100.0, **more)


def _strength(bars: int) -> Feature:
    return _percent(
        f"rsi_{bars}", "100 RMA(max(dc,0))/RMA(|dc|), NaN where no close has changed", strength(_c, bars), {"n": bars},
        nan_rule=MEMORY, source="Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib, RSI (0 for our NaN)",
    )  # fmt: skip


def _raw_stochastic(bars: int) -> Series:
    low = s.lowest(_l, bars)
    return s.divide_range(_c, low, s.highest(_h, bars), low)


def _commodity_channel(bars: int) -> Series:
    centre = s.moments(_typical, bars)[0]  # equal prices give exactly that price, so a flat window is 0/0, not noise
    spread = s.node(windows.mean_deviation, _typical, centre, numbers=(bars,), back=(bars - 1, 0))
    bound = bars / 2 / 0.015  # of deviations that sum to 0 none is more than half of all
    return s.clip(gap_over(_typical, centre, spread, 0.015), -bound, bound)


def _true_strength(slow: int, fast: int) -> Series:
    change, size = s.ema_pair(_change, slow, s.absolute(_change), slow)
    change, size = s.ema_pair(change, fast, size, fast)
    return change / size


def _ultimate(short: int, middle: int, long: int) -> Series:
    pressure = _c - s.smaller(_l, s.earlier(_c, 1))
    share = [s.total(pressure, bars) / s.total(true_range(), bars) for bars in (short, middle, long)]
    return s.clip((share[0] * 4.0 + share[1] * 2.0 + share[2]) * (100.0 / 7.0), 0.0, 100.0)


def _balance(bars: int) -> Series:
    return s.share(s.total(_change, bars), s.total(s.absolute(_change), bars))


def _volatility_adjusted(bars: int) -> Series:
    squares = s.total(log_return() * log_return(), bars)
    bound = math.sqrt(bars)  # Cauchy and Schwarz: no sum of n returns is larger
    return s.clip(log_return(bars) / s.root(squares), -bound, bound)


def _autocorrelation(bars: int) -> Series:
    return s.correlation(log_return(), s.earlier(log_return(), 1), bars)


_k = s.mean(_raw_stochastic(14), 3)
_ranks = s.rank(_c, 20, 60)
_LANE: Final = "Lane, stochastics; TA-Lib, STOCH/100 (0 where ours is NaN)"

FEATURES: Final = (
    _strength(14),
    _strength(5),
    _share("stoch_k_14_3", "SMA3((c-min(l,14))/(max(h,14)-min(l,14)))", _k, {"n": 14, "smooth": 3}, source=_LANE),
    _share("stoch_d_3", "SMA3(stoch_k_14_3)", s.mean(_k, 3), {"n": 14, "smooth": 3, "signal": 3}, source=_LANE),
    _feature(
        "willr_14",
        "-100 (max(h,14)-c)/(max(h,14)-min(l,14))",
        s.divide_range(s.highest(_h, 14), _c, s.highest(_h, 14), s.lowest(_l, 14)) * -100.0,
        {"n": 14},
        unit="percent",
        low=-100.0,
        high=0.0,
        source="Williams, %R; TA-Lib, WILLR (0 where ours is NaN)",
    ),
    _feature(
        "cci_20",
        "(tp-SMA20(tp))/(0.015 MAD20(tp)), tp = (h+l+c)/3",
        _commodity_channel(20),
        {"n": 20},
        unit="number",
        low=-20 / 0.03,
        high=20 / 0.03,
        source="Lambert 1980; TA-Lib, CCI (0 where ours is NaN)",
    ),
    _feature(
        "roc_10",
        "100 (c/c10-1)",
        change_rate(_c, 10, 100.0),
        {"n": 10},
        unit="percent",
        low=-100.0,
        source="TA-Lib, ROC",
    ),
    _percent(
        "mfi_14",
        "100 sum(tp v where tp rose)/sum(tp v where tp rose or fell)",
        money_flow(14),
        {"n": 14},
        nan_rule="NaN until its window is full, while a missing price or volume is in it, and if no money has flowed",
        source="Quong and Soudack 1989; TA-Lib, MFI (0 where ours is NaN)",
    ),
    _signed(
        "tsi_25_13",
        "EMA13(EMA25(dc))/EMA13(EMA25(|dc|))",
        _true_strength(25, 13),
        {"slow": 25, "fast": 13},
        nan_rule=MEMORY,
        source="Blau 1991; Skender.Stock.Indicators, TSI/100",
    ),
    _signed(
        "cmo_14",
        "sum(dc,14)/sum(|dc|,14)",
        _balance(14),
        {"n": 14},
        source="Chande and Kroll 1994, The New Technical Trader; Tulip, CMO/100; TA-Lib's has Wilder's averages for "
        "the sums and is 2 rsi_14 - 100",
    ),
    _percent(
        "ult_osc_7_14_28",
        "100 (4 a7+2 a14+a28)/7, a_n = sum(c-min(l,c1),n)/sum(TR,n)",
        _ultimate(7, 14, 28),
        {"short": 7, "middle": 14, "long": 28},
        source="Williams 1985, The Ultimate Oscillator; TA-Lib, ULTOSC",
    ),
    _share(
        "rank_c_20",
        "average rank of c in the last 20, over 20",
        _ranks[0],
        {"n": 20},
        wait=19,
        source="Qlib, Alpha158, RANK20",
    ),
    _share(
        "rank_c_60", "average rank of c in the last 60, over 60", _ranks[1], {"n": 60}, source="Qlib, Alpha158, RANK60"
    ),
    _share(
        "rsv_20", "(c-min(l,20))/(max(h,20)-min(l,20))", _raw_stochastic(20), {"n": 20}, source="Qlib, Alpha158, RSV20"
    ),
    _signed("cntd_20", "mean(sign(dc),20)", s.mean(s.sign(_change), 20), {"n": 20}, source="Qlib, Alpha158, CNTD20"),
    _signed("sumd_20", "sum(dc,20)/sum(|dc|,20)", _balance(20), {"n": 20}, source="Qlib, Alpha158, SUMD20"),
    _feature(
        "mom_vol_adj_30",
        "ln(c/c30)/(rv sqrt(30)), rv = sqrt(mean(r^2,30)) of a bar",
        _volatility_adjusted(30),
        {"n": 30},
        unit="standard deviations",
        low=-math.sqrt(30),
        high=math.sqrt(30),
        source="Moskowitz, Ooi and Pedersen 2012",
    ),
    _signed(
        "autocorr_1_60", "corr(r,r1;60)", _autocorrelation(60), {"n": 60, "lag": 1}, source="Pearson's correlation"
    ),
)
