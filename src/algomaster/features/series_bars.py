"""Words of the feature language for bars: true range, directional movement, supertrend, session price, shape."""

from __future__ import annotations

from algomaster.features import series as s
from algomaster.features.kernels import directional, momentum, powers
from algomaster.features.kernels import session_price as prices
from algomaster.features.series import NAN, Series

__all__ = [
    "atr", "bar_price", "change_rate", "directional_averages", "directional_index", "log_return", "money_flow",
    "session_price", "shape", "strength", "supertrend", "true_range", "typical_price",
]  # fmt: skip

_h, _l, _c, _v = (s.given(name) for name in ("high", "low", "close", "volume"))


def log_return(bars: int = 1) -> Series:
    """Give ln(c / c_n)."""
    return s.log_ratio(_c, s.earlier(_c, bars))


def typical_price() -> Series:
    """Give (h + l + c) / 3."""
    return (_h + _l + _c) / 3.0


def bar_price() -> Series:
    """Give the bar's volume-weighted price, or the typical price where there is none."""
    return s.first_known(s.given("vwap"), typical_price())


def true_range() -> Series:
    """Give max(h, c1) - min(l, c1)."""
    return s.node(directional.true_range, _h, _l, _c, back=(0, 0, 1))


def atr(bars: int) -> Series:
    """Give Wilder's average of the true range (Wilder 1978)."""
    return s.rma(true_range(), bars)


def directional_averages(bars: int) -> tuple[Series, Series, Series]:
    """Give Wilder's averages of +DM, -DM and the true range."""
    moved = s.node(directional.movement, _h, _l, _c, outputs=3, back=1)
    first = s.node(
        directional.movement_averages, *s.outputs_of(moved), numbers=(bars,), outputs=3, begin=(0.0,) * 4, wait=bars - 1
    )
    plus, minus, reach = s.outputs_of(first)
    return plus, minus, reach


def directional_index(bars: int) -> tuple[Series, Series]:
    """Give (DI+ - DI-) / 100 and DX = 100 abs(DI+ - DI-) / (DI+ + DI-)."""
    balance, index = s.outputs_of(s.node(directional.directional, *directional_averages(bars), outputs=2))
    return balance, index


def supertrend(bars: int, width: float) -> tuple[Series, Series]:
    """Give side (1 or -1) and line of the supertrend ``width`` average ranges off the middle of the bar."""
    begin = (NAN, NAN, NAN, NAN)
    first = s.node(directional.supertrend, _h, _l, _c, atr(bars), numbers=(width,), outputs=2, begin=begin)
    side, line = s.outputs_of(first)
    return side, line


def strength(a: Series, bars: int) -> Series:
    """Give Wilder's relative strength index of a, 0 to 100 (Wilder 1978)."""
    return s.node(momentum.strength, a, numbers=(bars,), back=1, begin=(0.0, 0.0, 0.0), wait=bars)


def change_rate(a: Series, bars: int, scale: float = 1.0) -> Series:
    """Give (a / a_n - 1) times ``scale``."""
    return s.node(momentum.change_rate, a, numbers=(bars, scale), back=bars)


def money_flow(bars: int) -> Series:
    """Give the money of bars whose typical price rose as a share of that of bars where it rose or fell, in percent."""
    rising, both = s.outputs_of(s.node(momentum.money_flow, typical_price(), _v, outputs=2, back=(1, 0)))
    return s.total(rising, bars) / s.total(both, bars) * 100.0


def session_price(price: Series, volume: Series) -> tuple[Series, Series]:
    """Give the volume-weighted mean and variance of the price since the session began."""
    first = s.node(prices.session_price, price, volume, s.fresh(), outputs=2, begin=(0.0, NAN, NAN))
    mean, variance = s.outputs_of(first)
    return mean, variance


def shape(a: Series, bars: int) -> tuple[Series, Series]:
    """Give skewness and excess kurtosis of the last ``bars`` (moments over n, no correction for small samples)."""
    first = s.node(powers.shape, s.moments(a, bars)[1], *_powers(a, bars), numbers=(bars,), outputs=2)
    skew, excess = s.outputs_of(first)
    return skew, excess


def _powers(a: Series, bars: int) -> tuple[Series, Series]:
    if bars == 1:
        none = s.moments(a, 1)[1]
        return none, none
    late, early = (bars // 2, bars // 2) if bars % 2 == 0 else (bars - 1, 1)
    first = s.node(
        powers.join_powers, *s.moments(a, late), *_powers(a, late), *s.moments(a, early), *_powers(a, early),
        numbers=(late, early), outputs=2, back=(0,) * 4 + (late,) * 4,
    )  # fmt: skip
    three, four = s.outputs_of(first)
    return three, four
