"""Indicators in TA-Lib's own units, written in the language of features, and what TA-Lib says of the same bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from algomaster.features import library
from algomaster.features import series as s
from algomaster.features import series_bars as bars
from algomaster.features.kernels import windows
from algomaster.features.program import build
from algomaster.features.series import Series
from algomaster.features.tapes import Tape

Columns = Mapping[str, np.ndarray]
H, L, C, V = (s.given(name) for name in ("high", "low", "close", "volume"))
TYPICAL = bars.typical_price()


@dataclasses.dataclass(frozen=True)
class Form:
    """One indicator: our series, TA-Lib's call, from which of TA-Lib's bars on they agree and how closely.

    ``settles`` is 0 where both begin alike; else they begin differently and forget it in so many bars.
    """

    ours: tuple[Series, ...]
    theirs: Callable[[Any, Columns], Any]
    settles: int = 0
    within: float = 1e-9


def evaluate(wanted: Sequence[Series], columns: Columns) -> np.ndarray:
    """Values of series over whole columns, (F, T)."""
    program = build(wanted, library.kernels())
    given = np.array([columns[name] for name in program.inputs])
    out = np.empty((len(wanted), given.shape[1]))
    Tape(program).advance(given, out, 0, given.shape[1])
    return out


def stochastic(n: int) -> Series:
    low = s.lowest(L, n)
    return s.divide_range(C, low, s.highest(H, n), low) * 100.0


def commodity_channel(n: int) -> Series:
    centre = s.moments(TYPICAL, n)[0]
    spread = s.node(windows.mean_deviation, TYPICAL, centre, numbers=(n,), back=(n - 1, 0))
    return (TYPICAL - centre) / (spread * 0.015)


def bands(n: int, width: float) -> tuple[Series, Series, Series]:
    centre, half = s.moments(C, n)[0], s.deviation(C, n, ddof=0) * width
    return centre + half, centre, centre - half


def moving_difference(fast: int, slow: int, signal: int) -> tuple[Series, Series, Series]:
    quick, late = s.ema_pair(C, fast, C, slow)
    line = quick - late
    average = s.ema(line, signal)
    return line, average, line - average


def ultimate(short: int, middle: int, long: int) -> Series:
    pressure = C - s.smaller(L, s.earlier(C, 1))
    a, b, c = (s.total(pressure, n) / s.total(bars.true_range(), n) for n in (short, middle, long))
    return (a * 4.0 + b * 2.0 + c) * (100.0 / 7.0)


def aroon(n: int) -> tuple[Series, Series]:
    """Down and up, each 100 (1 - bars since / n) over n + 1 bars."""
    low, high = s.bars_since_lowest(L, n + 1), s.bars_since_highest(H, n + 1)
    return (low - float(n)) * (-100.0 / n), (high - float(n)) * (-100.0 / n)


def aroon_difference(n: int) -> Series:
    return (s.bars_since_lowest(L, n + 1) - s.bars_since_highest(H, n + 1)) * (100.0 / n)


def movement_index(n: int) -> tuple[Series, Series]:
    plus, minus, reach = bars.directional_averages(n)
    return plus / reach * 100.0, minus / reach * 100.0


def forms() -> dict[str, Form]:
    """By TA-Lib's name."""
    return {
        "SMA": Form((s.mean(C, 20),), lambda ta, x: ta.SMA(x["close"], 20)),
        "EMA": Form((s.ema(C, 21),), lambda ta, x: ta.EMA(x["close"], 21)),
        "RSI": Form((bars.strength(C, 14),), lambda ta, x: ta.RSI(x["close"], 14)),
        "CMO": Form((bars.strength(C, 14) * 2.0 + -100.0,), lambda ta, x: ta.CMO(x["close"], 14)),
        "MACD": Form(moving_difference(12, 26, 9), lambda ta, x: ta.MACD(x["close"], 12, 26, 9), settles=200),
        "TRANGE": Form((bars.true_range(),), lambda ta, x: ta.TRANGE(x["high"], x["low"], x["close"])),
        "ATR": Form((bars.atr(14),), lambda ta, x: ta.ATR(x["high"], x["low"], x["close"], 14)),
        "NATR": Form((bars.atr(14) / C * 100.0,), lambda ta, x: ta.NATR(x["high"], x["low"], x["close"], 14)),
        "PLUS_DI": Form(movement_index(14)[:1], lambda ta, x: ta.PLUS_DI(x["high"], x["low"], x["close"], 14)),
        "MINUS_DI": Form(movement_index(14)[1:], lambda ta, x: ta.MINUS_DI(x["high"], x["low"], x["close"], 14)),
        "DX": Form((bars.directional_index(14)[1],), lambda ta, x: ta.DX(x["high"], x["low"], x["close"], 14)),
        "ADX": Form(
            (s.rma(bars.directional_index(14)[1], 14),), lambda ta, x: ta.ADX(x["high"], x["low"], x["close"], 14)
        ),
        "BBANDS": Form(bands(20, 2.0), lambda ta, x: ta.BBANDS(x["close"], 20, 2.0, 2.0)),
        "STOCH": Form(
            (s.mean(stochastic(14), 3), s.mean(s.mean(stochastic(14), 3), 3)),
            lambda ta, x: ta.STOCH(x["high"], x["low"], x["close"], 14, 3, 0, 3, 0),
        ),
        "CCI": Form((commodity_channel(20),), lambda ta, x: ta.CCI(x["high"], x["low"], x["close"], 20), within=1e-6),
        "MFI": Form((bars.money_flow(14),), lambda ta, x: ta.MFI(x["high"], x["low"], x["close"], x["volume"], 14)),
        "AROON": Form(aroon(25), lambda ta, x: ta.AROON(x["high"], x["low"], 25)),
        "AROONOSC": Form((aroon_difference(25),), lambda ta, x: ta.AROONOSC(x["high"], x["low"], 25)),
        "WILLR": Form(
            (s.divide_range(s.highest(H, 14), C, s.highest(H, 14), s.lowest(L, 14)) * -100.0,),
            lambda ta, x: ta.WILLR(x["high"], x["low"], x["close"], 14),
        ),
        "ROC": Form((bars.change_rate(C, 10, 100.0),), lambda ta, x: ta.ROC(x["close"], 10)),
        "ULTOSC": Form((ultimate(7, 14, 28),), lambda ta, x: ta.ULTOSC(x["high"], x["low"], x["close"], 7, 14, 28)),
        "CORREL": Form((s.correlation(C, V, 60),), lambda ta, x: ta.CORREL(x["close"], x["volume"], 60), within=1e-6),
        "LINEARREG": Form((C - s.trend(C, 20).residual,), lambda ta, x: ta.LINEARREG(x["close"], 20)),
        "LINEARREG_SLOPE": Form(
            (s.trend(C, 60).slope,), lambda ta, x: ta.LINEARREG_SLOPE(x["close"], 60), within=1e-8
        ),
        "MAX": Form((s.highest(H, 20),), lambda ta, x: ta.MAX(x["high"], 20)),
        "MIN": Form((s.lowest(L, 20),), lambda ta, x: ta.MIN(x["low"], 20)),
        "STDDEV": Form((s.deviation(C, 20, ddof=0),), lambda ta, x: ta.STDDEV(x["close"], 20), within=1e-5),
    }  # fmt: skip


def difference(ours: np.ndarray, theirs: np.ndarray, settles: int) -> float:
    """Largest difference over the largest value from the bar on from which both are known and settled."""
    known = np.isfinite(theirs)
    first = int(np.argmax(known)) + settles
    gap = np.abs(ours[first:] - theirs[first:])
    return float(np.max(gap) / max(1.0, np.nanmax(np.abs(theirs))))


def begins(values: np.ndarray) -> int:
    """The first bar with a value."""
    return int(np.argmax(np.isfinite(values)))
