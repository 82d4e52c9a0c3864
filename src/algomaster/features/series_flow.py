"""Series of volume, order flow, the calendar and regimes: what :mod:`algomaster.features.series` is too general for."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

from algomaster.features import series as s
from algomaster.features import trading_days
from algomaster.features.kernels import calendar, microstructure, regimes, volume, volume_profile
from algomaster.features.series import NAN, Series, node

__all__ = [
    "TradingDay", "alarm", "angle", "climb", "hurst", "imbalance", "normal_share", "path_score", "spread_of_ranges",
    "trading_day", "turbulence", "usual_at_minute", "value_area",
]  # fmt: skip


def climb(a: Series, bars: int) -> Series:
    """Slope by least squares of the running total of a over the last ``bars``."""
    return node(volume.climb, a, numbers=(bars,), back=bars - 2)


def usual_at_minute(a: Series, *, first: int, minutes: int, sessions: int, least: int) -> Series:
    """Mean of a at this minute of the day over the ``sessions`` before, of which ``least`` must have had it."""
    begin = (0.0, 0.0) + (NAN,) * minutes + (0.0,) * minutes + (NAN,) * ((sessions + 1) * minutes)
    inputs = (a, s.session_minute(), s.fresh())
    return node(volume.usual_at_minute, *inputs, numbers=(first, minutes, sessions, least), begin=begin)


def value_area(price: Series, traded: Series, *, step: float, steps: int, share: float) -> tuple[Series, Series]:
    """Fullest price of the session, and the width of the area around it that holds ``share`` of the volume."""
    begin = (0.0,) * (2 * steps + 10)
    inputs = (price, traded, s.fresh())
    first = node(volume_profile.value_area, *inputs, numbers=(step, steps, share), outputs=2, begin=begin)
    return Series(first.node, 0), Series(first.node, 1)


def normal_share(a: Series) -> Series:
    """N(a), the standard normal distribution."""
    return node(microstructure.normal_share, a)


def imbalance(traded: Series, bought: Series, *, parts: int, buckets: int, sessions: int) -> Series:
    """Mean imbalance of the last ``buckets``, each 1/``parts`` of the mean volume of the last ``sessions``."""
    begin = (NAN, 0.0, 0.0, NAN, 0.0, -1.0, 0.0, 0.0, 0.0) + (0.0,) * (2 * (sessions + buckets))
    inputs = (traded, bought, s.fresh())
    return node(microstructure.order_imbalance, *inputs, numbers=(parts, buckets, sessions), begin=begin)


def spread_of_ranges(high: Series, low: Series, close: Series) -> Series:
    """Spread from the ranges of this bar and the one before (Corwin and Schultz 2012), never negative."""
    return node(microstructure.high_low_spread, high, low, close, back=1)


def hurst(price: Series, bars: int) -> Series:
    """ln(R/S) / ln(bars) of the last ``bars`` log returns (Hurst 1951; Mandelbrot and Wallis 1969)."""
    reach = node(microstructure.detrended_range, s.log(price), numbers=(bars,), outputs=3, back=bars)
    spread = s.deviation(s.log_ratio(price, s.earlier(price, 1)), bars, ddof=0)
    return s.clip(s.log_ratio(reach, spread) / math.log(bars), 0.0, 1.0)


def _path(a: Series, bars: int) -> tuple[Series, Series, Series]:
    if bars == 1:
        return a, a, s.moments(a, 1)[1]
    late, early = (bars // 2, bars // 2) if bars % 2 == 0 else (bars - 1, 1)
    inputs = (*_path(a, late), *_path(a, early))
    first = node(regimes.join_paths, *inputs, numbers=(late, early), outputs=3, back=(0, 0, 0, late, late, late))
    return Series(first.node, 0), Series(first.node, 1), Series(first.node, 2)


def path_score(a: Series, bars: int) -> Series:
    """Give the standard score of the running total of a among its last ``bars`` values, wherever it began."""
    total, mean, spread = _path(a, bars)
    return (total - mean) / s.root(spread / (bars - 1.0))


def turbulence(a: Series, *, calm: float, wild: float, spread: float, stay: float) -> Series:
    """Probability that ln a comes from N(ln wild, spread) and not N(ln calm, spread), states that change with 1 - stay.

    Both densities are normal with one variance, so that the log of their ratio is a straight line in ln a.
    """
    slope = math.log(wild / calm) / spread**2
    numbers = (slope, 0.5 * math.log(wild * calm), stay, stay)
    return node(regimes.two_states, s.log(a), numbers=numbers, begin=(0.5,))


def alarm(a: Series, threshold: float) -> Series:
    """Give the further of the two one-sided sums of a over the threshold (Page 1954), between -1 and 1."""
    return node(regimes.cumulative_sum_alarm, a, numbers=(threshold,), begin=(0.0, 0.0))


class TradingDay(NamedTuple):
    """Where the end of a bar stands: all NaN for a bar outside the hours of a session on record.

    Attributes
    ----------
    since_open, to_close : Series
        Minutes; the close is the one scheduled in the morning, after which 0 minutes are left.
    to_expiry : Series
        Sessions after today up to the expiry.
    minutes_to_expiry : Series
        Minutes of sessions.
    nights_to_monthly : Series
        Calendar days to the monthly expiry.
    after_holiday : Series
        1 in the first session after a weekday without a day session, else 0.
    """

    since_open: Series
    to_close: Series
    to_expiry: Series
    minutes_to_expiry: Series
    nights_to_monthly: Series
    after_holiday: Series


@functools.cache
def trading_day() -> TradingDay:
    """Read the calendar at the end of each bar of a minute.

    Expiries are those of ``expiry_day`` and ``monthly_expiry_day`` where the bar brings them (days since 1970-01-01),
    else those of NIFTY.
    """
    inputs = (s.session_day(), s.session_minute(), s.given("expiry_day"), s.given("monthly_expiry_day"))
    first = node(calendar.trading_day, *inputs, numbers=(1.0, *trading_days.table()), outputs=6)
    return TradingDay(*(Series(first.node, each) for each in range(6)))


def angle(a: Series, around: float, plus: float = 0.0) -> tuple[Series, Series]:
    """Sine and cosine of a + plus on a circle that is ``around`` once around."""
    first = node(calendar.angle, a, numbers=(around, plus), outputs=2)
    return Series(first.node, 0), Series(first.node, 1)
