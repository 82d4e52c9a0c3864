"""Qlib's Alpha158: nine shapes of the candle, four prices, twenty-nine measures over five windows.

The set, its names and its order are those of Qlib (Yang et al. 2020, ``Alpha158DL``); formulas are written in its
operators below. Three things are ours:

- Qlib gives a value from the first bar of a window on; here a window is full or the value is NaN.
- VWAP is the bar's own column ``vwap``; where there is none it is the typical price (h + l + c) / 3.
- Qlib adds 1e-12 to bases that may be 0, in units of money or shares; here a base of 0 gives NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from algomaster.features import series as s
from algomaster.features.definition import SAME_BAR, Feature
from algomaster.features.series import Series

__all__ = ["FEATURES", "WINDOWS"]

WINDOWS: Final = (5, 10, 20, 30, 60)
_SOURCE: Final = "Qlib, Alpha158 (Yang et al. 2020, Qlib: An AI-oriented Quantitative Investment Platform)"

_o, _h, _l, _c, _v = (s.given(name) for name in ("open", "high", "low", "close", "volume"))
_vwap = s.first_known(s.given("vwap"), (_h + _l + _c) / 3.0)
_change = _c - s.earlier(_c, 1)
_volume_change = _v - s.earlier(_v, 1)
_log_volume = s.log(_v, 1.0)
_return = _c / s.earlier(_c, 1)
_log_volume_ratio = s.log(_v / s.earlier(_v, 1), 1.0)
_turmoil = s.absolute(s.ratio_less_one(_c, s.earlier(_c, 1))) * _v
_none = s.number_like(_c, 0.0)


def _shapes() -> Iterator[tuple[str, str, Series]]:
    body, top, bottom = _c - _o, s.larger(_o, _c), s.smaller(_o, _c)
    yield "KMID", "(c-o)/o", body / _o
    yield "KLEN", "(h-l)/o", (_h - _l) / _o
    yield "KMID2", "(c-o)/(h-l)", body / (_h - _l)
    yield "KUP", "(h-max(o,c))/o", (_h - top) / _o
    yield "KUP2", "(h-max(o,c))/(h-l)", (_h - top) / (_h - _l)
    yield "KLOW", "(min(o,c)-l)/o", (bottom - _l) / _o
    yield "KLOW2", "(min(o,c)-l)/(h-l)", (bottom - _l) / (_h - _l)
    yield "KSFT", "(2c-h-l)/o", (_c * 2.0 - _h - _l) / _o
    yield "KSFT2", "(2c-h-l)/(h-l)", (_c * 2.0 - _h - _l) / (_h - _l)
    for name, price in (("OPEN", _o), ("HIGH", _h), ("LOW", _l), ("VWAP", _vwap)):
        yield f"{name}0", f"{name.lower()}/c", price / _c


def _windows() -> Iterator[tuple[str, str, Any, dict[str, Any]]]:
    """Give name, formula, what gives the series for a window, and its bounds."""
    share: dict[str, Any] = {"low": 0.0, "high": 1.0}
    signed: dict[str, Any] = {"low": -1.0, "high": 1.0}
    positive: dict[str, Any] = {"low": 0.0}
    yield "ROC", "Ref(c,n)/c", lambda n: s.earlier(_c, n) / _c, positive
    yield "MA", "Mean(c,n)/c", lambda n: s.mean(_c, n) / _c, positive
    yield "STD", "Std(c,n)/c", lambda n: s.deviation(_c, n) / _c, positive
    yield "BETA", "Slope(c,n)/c", lambda n: s.trend(_c, n).slope / _c, {}
    yield "RSQR", "Rsquare(c,n)", lambda n: s.trend(_c, n).r2, share
    yield "RESI", "Resi(c,n)/c", lambda n: s.trend(_c, n).residual / _c, {}
    yield "MAX", "Max(h,n)/c", lambda n: s.highest(_h, n) / _c, positive
    yield "MIN", "Min(l,n)/c", lambda n: s.lowest(_l, n) / _c, positive
    yield "QTLU", "Quantile(c,n,0.8)/c", lambda n: _quantiles(n)[0] / _c, positive
    yield "QTLD", "Quantile(c,n,0.2)/c", lambda n: _quantiles(n)[1] / _c, positive
    yield "RANK", "Rank(c,n)", lambda n: s.rank(_c, *WINDOWS)[WINDOWS.index(n)], share
    yield "RSV", "(c-Min(l,n))/(Max(h,n)-Min(l,n))", _raw_stochastic, share
    yield "IMAX", "IdxMax(h,n)/n", lambda n: s.bars_since_highest(_h, n, latest=False).under(n, n), share
    yield "IMIN", "IdxMin(l,n)/n", lambda n: s.bars_since_lowest(_l, n, latest=False).under(n, n), share
    yield "IMXD", "(IdxMax(h,n)-IdxMin(l,n))/n", _between_extremes, signed
    yield "CORR", "Corr(c,ln(v+1),n)", lambda n: s.correlation(_c, _log_volume, n), signed
    yield "CORD", "Corr(c/Ref(c,1),ln(v/Ref(v,1)+1),n)", lambda n: s.correlation(_return, _log_volume_ratio, n), signed
    yield "CNTP", "Mean(c>Ref(c,1),n)", lambda n: s.mean(s.above(_change, _none), n), share
    yield "CNTN", "Mean(c<Ref(c,1),n)", lambda n: s.mean(s.below(_change, _none), n), share
    yield "CNTD", "CNTP-CNTN", lambda n: s.mean(s.sign(_change), n), signed
    yield from _gains("SUM", "c", _change)
    yield "VMA", "Mean(v,n)/v", lambda n: s.mean(_v, n) / _v, positive
    yield "VSTD", "Std(v,n)/v", lambda n: s.deviation(_v, n) / _v, positive
    yield "WVMA", "Std(|c/Ref(c,1)-1|v,n)/Mean(|c/Ref(c,1)-1|v,n)", _turmoil_ratio, positive
    yield from _gains("VSUM", "v", _volume_change)


def _gains(name: str, symbol: str, change: Series) -> Iterator[tuple[str, str, Any, dict[str, Any]]]:
    up, down, both = s.larger(change, _none), s.larger(-change, _none), s.absolute(change)
    share = f"Sum(|{symbol}-Ref({symbol},1)|,n)"

    def part(top: Series) -> Any:
        return lambda n: s.share(s.total(top, n), s.total(both, n))

    yield f"{name}P", f"Sum(max({symbol}-Ref({symbol},1),0),n)/{share}", part(up), {"low": 0.0, "high": 1.0}
    yield f"{name}N", f"Sum(max(Ref({symbol},1)-{symbol},0),n)/{share}", part(down), {"low": 0.0, "high": 1.0}
    yield f"{name}D", f"{name}P-{name}N", part(change), {"low": -1.0, "high": 1.0}


def _raw_stochastic(n: int) -> Series:
    low, high = s.lowest(_l, n), s.highest(_h, n)
    return s.divide_range(_c, low, high, low)


def _between_extremes(n: int) -> Series:
    since_high, since_low = s.bars_since_highest(_h, n, latest=False), s.bars_since_lowest(_l, n, latest=False)
    return (since_low - since_high) / n


def _quantiles(n: int) -> tuple[Series, ...]:
    return s.quantiles(_c, WINDOWS, (0.8, 0.2))[WINDOWS.index(n)]


def _turmoil_ratio(n: int) -> Series:
    return s.deviation(_turmoil, n) / s.mean(_turmoil, n)


def _entries() -> Iterator[Feature]:
    for name, formula, expression in _shapes():
        yield Feature(
            name=name, family="alpha158", formula=formula, expression=expression, source=_SOURCE, nan_rule=SAME_BAR,
            sessions=1, low=-math.inf,
        )  # fmt: skip
    for name, formula, make, bounds in _windows():
        for n in WINDOWS:
            wait = n - 1 if name in {"RANK", "QTLU", "QTLD"} else None  # one kernel serves all windows
            changed = {"price"} if name in {"CORR", "CORD"} else {"price", "volume"}
            yield Feature(
                name=f"{name}{n}", family="alpha158", formula=formula, expression=make(n), parameters={"n": n},
                source=_SOURCE, same_under=frozenset(changed), wait=wait, **bounds,
            )  # fmt: skip


FEATURES: Final = tuple(_entries())
