"""The language features are written in: a series is what some kernel writes, given the series it reads.

    close = given("close")
    ratio = mean(close, 20) / close - 1

builds nodes (:mod:`algomaster.features.nodes`).
"""

from __future__ import annotations

import dataclasses
import math

from algomaster.features.kernels import elementwise as one
from algomaster.features.kernels import fours, orders, recursions, sessions, windows
from algomaster.features.kernels import fours_of_two as pairs
from algomaster.features.nodes import NAN, Kernel, Node, Series, given, node, outputs_of

__all__ = [
    "NAN", "Kernel", "Node", "Series", "Trend", "above", "absolute", "bars_since_highest",
    "bars_since_lowest", "below", "choose", "clip", "comoment", "correlation", "deviation", "divide_range",
    "earlier", "ema", "ema_pair", "equal", "first_known", "first_of_session", "fresh", "given", "highest",
    "highest_since", "larger", "log", "log_ratio", "lowest", "lowest_since",
    "mean", "mean_deviation", "moments", "node", "number_like", "outputs_of", "previous_session", "quantiles",
    "rank", "ratio_less_one", "rma", "root", "running", "session_day", "session_minute", "share", "sign",
    "smaller", "sum_since", "total", "trend",
]  # fmt: skip

# --- one bar ---------------------------------------------------------------------------------------------------


def log(a: Series, plus: float = 0.0) -> Series:
    """ln(a + plus); NaN unless positive."""
    return node(one.log_of, a, numbers=(plus,))


def log_ratio(a: Series, b: Series) -> Series:
    """ln(a / b); NaN unless both are positive."""
    return node(one.log_of_ratio, a, b)


def ratio_less_one(a: Series, b: Series) -> Series:
    """a / b - 1."""
    return node(one.ratio_less_one, a, b)


def share(a: Series, b: Series) -> Series:
    """a / b for a part of a whole, within -1 and 1; NaN where the whole is 0."""
    return node(one.share, a, b)


def divide_range(a: Series, b: Series, c: Series, d: Series, eps: float = 0.0) -> Series:
    """(a - b) / (c - d + eps); NaN where the base is 0."""
    return node(one.relative, a, b, c, d, numbers=(eps,))


def absolute(a: Series) -> Series:
    """abs(a)."""
    return node(one.absolute, a)


def root(a: Series) -> Series:
    """Square root; NaN below 0."""
    return node(one.root, a)


def sign(a: Series) -> Series:
    """-1, 0 or 1."""
    return node(one.sign, a)


def larger(a: Series, b: Series) -> Series:
    """The larger; NaN if either is."""
    return node(one.larger, a, b)


def smaller(a: Series, b: Series) -> Series:
    """The smaller; NaN if either is."""
    return node(one.smaller, a, b)


def clip(a: Series, low: float, high: float) -> Series:
    """a held between two numbers."""
    return node(one.clip, a, numbers=(low, high))


def above(a: Series, b: Series) -> Series:
    """1 where a > b, else 0."""
    return node(one.above, a, b)


def below(a: Series, b: Series) -> Series:
    """1 where a < b, else 0."""
    return node(one.below, a, b)


def equal(a: Series, b: Series) -> Series:
    """1 where a = b, else 0."""
    return node(one.equal, a, b)


def choose(condition: Series, a: Series, b: Series) -> Series:
    """a where the condition is not 0, b where it is."""
    return node(one.choose, condition, a, b)


def first_known(a: Series, b: Series) -> Series:
    """a, or b where a is missing."""
    return node(one.first_known, a, b)


def number_like(a: Series, value: float) -> Series:
    """A constant wherever a is known."""
    return node(one.number, a, numbers=(value,))


# --- windows ---------------------------------------------------------------------------------------------------


def earlier(a: Series, bars: int) -> Series:
    """a as it was ``bars`` before."""
    return node(windows.earlier, a, numbers=(bars,), back=bars) if bars else a


def _parts(bars: int) -> tuple[int, int, bool]:
    """How a window is put together: so many windows, one after the other, of so many bars, and perhaps one bar more."""
    if bars < 2:
        raise ValueError(f"window: expected at least one bar, got {bars}")
    even = bars - bars % 2
    count = 4 if even % 4 == 0 else 2
    return count, even // count, bars % 2 == 1


def total(a: Series, bars: int) -> Series:
    """Sum over the last ``bars``."""
    if bars == 1:
        return a
    count, each, more = _parts(bars)
    part = total(a, each)
    if more:
        kernel = fours.sum_of_four_and_one if count == 4 else fours.sum_of_two_and_one
        return node(kernel, part, a, numbers=(each,), back=((count - 1) * each, count * each))
    if count == 4:
        return node(fours.sum_of_four, part, numbers=(each,), back=3 * each)
    return node(windows.join_sums, part, part, numbers=(each,), back=(0, each))


def mean(a: Series, bars: int) -> Series:
    """Mean over the last ``bars``."""
    return total(a, bars) / float(bars)


def _extreme(two: Kernel, four: Kernel, a: Series, bars: int) -> Series:
    if bars == 1:
        return a
    if bars == 2 or (bars > 16 and bars % 4 == 2):
        return node(two, _extreme(two, four, a, bars // 2), numbers=(bars // 2,), back=bars // 2)
    part = (bars + 3) // 4
    places = (part, min(2 * part, bars - part), bars - part)
    return node(four, _extreme(two, four, a, part), numbers=places, back=bars - part)


def highest(a: Series, bars: int) -> Series:
    """Highest of the last ``bars``."""
    return _extreme(windows.join_highest, fours.highest_of_four, a, _whole(bars))


def lowest(a: Series, bars: int) -> Series:
    """Lowest of the last ``bars``."""
    return _extreme(windows.join_lowest, fours.lowest_of_four, a, _whole(bars))


def _whole(bars: int) -> int:
    if bars < 1:
        raise ValueError(f"window: expected at least one bar, got {bars}")
    return bars


def _since(kernel: Kernel, a: Series, bars: int, latest: bool) -> tuple[Series, Series]:
    if bars == 1:
        return a, node(windows.zero, a)
    half = (bars + 1) // 2
    value, age = _since(kernel, a, half, latest)
    first = node(kernel, value, age, numbers=(bars - half, float(latest)), outputs=2, back=bars - half)
    return Series(first.node, 0), Series(first.node, 1)


def bars_since_highest(a: Series, bars: int, *, latest: bool = True) -> Series:
    """Bars since the highest of the last ``bars``; of equal ones the latest, or the earliest."""
    return _since(windows.where_highest, a, bars, latest)[1]


def bars_since_lowest(a: Series, bars: int, *, latest: bool = True) -> Series:
    """Bars since the lowest of the last ``bars``; of equal ones the latest, or the earliest."""
    return _since(windows.where_lowest, a, bars, latest)[1]


def moments(a: Series, bars: int) -> tuple[Series, Series]:
    """Mean and sum of squared deviations of the last ``bars``."""
    if bars == 1:
        return a, node(windows.zero, a)
    count, each, more = _parts(bars)
    part = moments(a, each)
    last = (count - 1) * each
    if more:
        kernel = fours.moments_of_four_and_one if count == 4 else fours.moments_of_two_and_one
        first = node(kernel, *part, a, numbers=(each,), outputs=2, back=(last, last, count * each))
    elif count == 4:
        first = node(fours.moments_of_four, *part, numbers=(each,), outputs=2, back=last)
    else:
        first = node(windows.join_moments, *part, *part, numbers=(each, each), outputs=2, back=(0, 0, each, each))
    return Series(first.node, 0), Series(first.node, 1)


def deviation(a: Series, bars: int, *, ddof: int = 1) -> Series:
    """Standard deviation of the last ``bars``, divisor ``bars - ddof``."""
    return node(windows.deviation, moments(a, bars)[1], numbers=(bars - ddof,))


def comoment(a: Series, b: Series, bars: int) -> Series:
    """Sum of the products of the deviations of two series over the last ``bars``."""
    if bars == 1:
        return node(windows.zero, a * b)
    count, each, more = _parts(bars)
    part = (comoment(a, b, each), moments(a, each)[0], moments(b, each)[0])
    last = (count - 1) * each
    if more:
        kernel = pairs.comoment_of_four_and_one if count == 4 else pairs.comoment_of_two_and_one
        return node(kernel, *part, a, b, numbers=(each,), back=(last, last, last, count * each, count * each))
    if count == 4:
        return node(pairs.comoment_of_four, *part, numbers=(each,), back=last)
    return node(windows.join_comoment, *part, *part, numbers=(each, each), back=(0, 0, 0, each, each, each))


def _time_comoment(a: Series, bars: int) -> Series:
    if bars == 1:
        return node(windows.zero, a)
    count, each, more = _parts(bars)
    part = (_time_comoment(a, each), moments(a, each)[0])
    last = (count - 1) * each
    if more:
        kernel = pairs.trend_of_four_and_one if count == 4 else pairs.trend_of_two_and_one
        return node(kernel, *part, a, numbers=(each,), back=(last, last, count * each))
    if count == 4:
        return node(pairs.trend_of_four, *part, numbers=(each,), back=last)
    return node(windows.join_trend, *part, *part, numbers=(each, each), back=(0, 0, each, each))


@dataclasses.dataclass(frozen=True)
class Trend:
    """Straight line through the last bars by least squares.

    Attributes
    ----------
    slope : Series
        Per bar.
    residual : Series
        What the line leaves of the newest value.
    r2 : Series
        Share of the squared deviations that it explains; NaN where all values are equal.
    """

    slope: Series
    residual: Series
    r2: Series


def trend(a: Series, bars: int) -> Trend:
    """Fit a straight line to the last ``bars``."""
    both = _time_comoment(a, bars)
    centre, spread = moments(a, bars)
    time = bars * (bars * bars - 1) / 12.0
    return Trend(
        slope=both / time,
        residual=node(windows.residual, a, centre, both, numbers=((bars - 1) / 2.0 / time,)),
        r2=node(windows.explained, both, spread, numbers=(time,)),
    )


def correlation(a: Series, b: Series, bars: int) -> Series:
    """Correlation of two series over the last ``bars``; NaN where one does not move."""
    return node(windows.correlation, comoment(a, b, bars), moments(a, bars)[1], moments(b, bars)[1])


def mean_deviation(a: Series, bars: int) -> Series:
    """Mean absolute deviation of the last ``bars`` from their mean."""
    return node(windows.mean_deviation, a, mean(a, bars), numbers=(bars,), back=(bars - 1, 0))


def rank(a: Series, *bars: int) -> tuple[Series, ...]:
    """Average rank of the newest among the last n over n, for each n (ascending) of ``bars``."""
    first = node(orders.rank, a, numbers=(len(bars), *bars), outputs=len(bars), back=bars[-1] - 1)
    return outputs_of(first)


def quantiles(a: Series, windows: tuple[int, ...], shares: tuple[float, ...]) -> tuple[tuple[Series, ...], ...]:
    """Quantiles ``shares`` of the last n bars for each n of ``windows``, between neighbours by straight line."""
    begin: list[float] = []
    numbers: list[float] = [len(windows), len(shares), *shares]
    for bars in windows:
        room = -(-bars // 8) * 8
        window = (-math.inf, *([math.inf] * (room + 1)))
        begin += [*window, *window, 0.0, float(bars)]
        numbers += [bars, 2 * (room + 2) + 2]
    first = node(
        orders.quantiles, a, numbers=tuple(numbers), outputs=len(windows) * len(shares), back=windows[-1],
        begin=tuple(begin), wait=windows[-1] - 1,
    )  # fmt: skip
    found = outputs_of(first)
    return tuple(found[n * len(shares) : (n + 1) * len(shares)] for n in range(len(windows)))


# --- memory ----------------------------------------------------------------------------------------------------


def _exponential(a: Series, bars: int, weight: float) -> Series:
    return node(recursions.exponential, a, numbers=(bars, weight), begin=(0.0, 0.0), wait=bars - 1)


def ema(a: Series, bars: int) -> Series:
    """Exponential average with weight 2 / (bars + 1), begun at the mean of the first ``bars`` values."""
    return _exponential(a, bars, 2.0 / (bars + 1))


def rma(a: Series, bars: int) -> Series:
    """Wilder's average with weight 1 / bars, begun at the mean of the first ``bars`` values (Wilder 1978)."""
    return _exponential(a, bars, 1.0 / bars)


def ema_pair(a: Series, bars: int, b: Series, bars_b: int) -> tuple[Series, Series]:
    """:func:`ema` of a and of b in the time of one; the warm-up said of both is that of the longer."""
    numbers = (bars, 2.0 / (bars + 1), bars_b, 2.0 / (bars_b + 1))
    wait = max(bars, bars_b) - 1
    first = node(recursions.exponential_pair, a, b, numbers=numbers, outputs=2, begin=(0.0,) * 4, wait=wait)
    return Series(first.node, 0), Series(first.node, 1)


def running(a: Series) -> Series:
    """Sum since the very beginning."""
    return node(recursions.running, a, begin=(0.0, 0.0))


# --- sessions --------------------------------------------------------------------------------------------------


def _clock() -> tuple[Series, ...]:
    return outputs_of(node(sessions.clock, given("ts"), outputs=3, begin=(NAN,)))


def session_day() -> Series:
    """Days since 1970-01-01 in Asia/Kolkata."""
    return _clock()[0]


def session_minute() -> Series:
    """Minute of the day in Asia/Kolkata at the start of the bar."""
    return _clock()[1]


def fresh() -> Series:
    """1 at the first bar of a session, else 0."""
    return _clock()[2]


def sum_since(a: Series) -> Series:
    """Sum since the session began."""
    return node(sessions.sum_since, a, fresh(), begin=(NAN,))


def highest_since(a: Series) -> Series:
    """Highest since the session began."""
    return node(sessions.highest_since, a, fresh(), begin=(NAN,))


def lowest_since(a: Series) -> Series:
    """Lowest since the session began."""
    return node(sessions.lowest_since, a, fresh(), begin=(NAN,))


def first_of_session(a: Series) -> Series:
    """The session's first known value."""
    return node(sessions.first_of_session, a, fresh(), begin=(NAN,))


def previous_session(a: Series) -> Series:
    """The last known value of the session before."""
    return node(sessions.day_before, a, fresh(), begin=(NAN, NAN))
