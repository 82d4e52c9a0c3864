"""The volatility of the next thirty days as an index: by the rules of Cboe or NSE from a chain, or from a surface."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.arrays import as_array, as_vector, like
from algomaster.core.errors import PricingError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import CALL, PUT, FloatArray
from algomaster.pricing.inputs import choose
from algomaster.pricing.measures.integrals import REACH, swap_variance_between, total_swap_variance
from algomaster.pricing.measures.sources import SurfaceLike, is_surface
from algomaster.pricing.measures.strips import Strip, cboe_strip, nse_strip

if TYPE_CHECKING:
    import polars as pl

    from algomaster.pricing.chain import Chain

__all__ = ["VarianceIndex", "swap_vol", "variance_index"]

DAYS_A_YEAR: Final = 365.0
_METHODS: Final = ("cboe", "nse", "smooth")
_NSE_ROLL: Final = 5.0
"""Calendar days. Of 22 published values this alone fits 20 February 2026 (four days left); see the tests."""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class VarianceIndex:
    """A volatility index and what it was made of.

    Attributes
    ----------
    value : float
        Volatility in percent per year (13.93 is 13.93 %); NaN where a strip's ``problem`` says why.
    days : float
        Horizon in calendar days.
    method : str
    strips : tuple of Strip
        Near and next expiry; empty for "smooth".
    extrapolated : bool
        The horizon is not between the two expiries.
    """

    value: float
    days: float
    method: str
    strips: tuple[Strip, ...]
    extrapolated: bool

    def to_frame(self) -> pl.DataFrame:
        """Give every strike that counts: expiry, strike, quote, width, contribution (empty for "smooth")."""
        import polars as pl

        if not self.strips:
            return pl.DataFrame(schema={"expiry": pl.String, **dict.fromkeys(_STRIP_COLUMNS, pl.Float64)})
        return pl.concat([strip.to_frame() for strip in self.strips])

    def plot(self) -> Any:
        """Draw what each strike contributes to the variance of its expiry; a plotly figure."""
        from algomaster.pricing.measures.plots import strips_figure

        return strips_figure(self)

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("index", f"{self.value:.4f}"), ("days", f"{self.days:g}" + " (extrapolated)" * self.extrapolated)]
        for strip in self.strips:
            vol = 100.0 * np.sqrt(strip.variance) if strip.variance > 0.0 else np.nan
            filled = f", {strip.filled} by spline" if strip.filled else ""
            note = strip.problem or f"{strip.strikes.size} strikes{filled}, forward {strip.forward:.2f}"
            rows.append((strip.label, f"{vol:.4f}  ({DAYS_A_YEAR * strip.t:.2f} days, {note})"))
        return rows

    def __repr__(self) -> str:
        return text_table(f"VarianceIndex ({self.method})", self._rows())

    def _repr_html_(self) -> str:
        return html_table(f"VarianceIndex ({self.method})", self._rows())


_STRIP_COLUMNS: Final = ("strike", "quote", "width", "contribution")


def variance_index(
    source: Chain | SurfaceLike,
    *,
    days: float = 30.0,
    method: str = "cboe",
    expiries: Sequence[str] | None = None,
    forward: Any = None,
    least_days: float | None = None,
    max_spread: float = 0.3,
) -> VarianceIndex:
    """Give the index of expected volatility over the next ``days`` calendar days.

    Parameters
    ----------
    source : Chain, or Surface with method "smooth"
        Times must be calendar years of 365 days (525,600 minutes), as both exchanges count them.
    days : float
    method : "cboe", "nse" or "smooth"
        "cboe": forward from the strike where call and put are nearest in price; mids of out-of-the-money quotes with a
        bid, until two strikes in a row have none; both expiries next to the horizon. "nse": forward of the chain (NSE
        takes the future's); quotes missing or wider than ``max_spread`` replaced by a natural cubic spline; near and
        next month. "smooth": the replication integral of a log contract over the fitted surface; of a chain's own
        surface from the lowest to the highest strike that is quoted in the expiries next to the horizon, and with
        flat wings beyond (what a fit makes of the far wings is not in any quote).
    expiries : two labels, optional
        Near and next expiry. Otherwise for "cboe" the last at or before the horizon and the first after it (the two
        nearest to it where it is outside); for "nse" the first two months, a month being the last of the chain's
        expiries in it.
    forward : (E,), optional
        Forwards to use instead, one for each expiry of the chain; NaN for none.
    least_days : float, optional
        Expiries with so many days or fewer left are passed over; by default 0 for "cboe" and 5 for "nse" (NSE rolls
        some three trading days before expiry; five days are those around a weekend).
    max_spread : float
        For "nse": the widest good quote, (ask - bid) / mid.

    Returns
    -------
    VarianceIndex
        ``value`` is NaN where the quotes do not suffice.

    Raises
    ------
    ValueError
        Unknown method or expiry, ``days`` not positive, ``forward`` of another length, NSE's months asked of a chain
        whose labels are no dates.
    TypeError
        A surface with another method than "smooth".
    PricingError
        There are no two expiries.

    Notes
    -----
    In an expiry without any bid or ask the prices stand for the mids. Total variances of the two expiries are
    interpolated linearly to the horizon. Sources: Cboe, "Volatility Index Methodology: Cboe Volatility Index"; NSE,
    "India VIX" white paper and "Computation methodology of India VIX"; Demeterfi et al. (1999) for the integral.
    """
    choose("method", method, _METHODS)
    if not 0.0 < days < np.inf:
        raise ValueError(f"days: expected a positive number, got {days!r}")
    if method == "smooth":
        surface: SurfaceLike = source if is_surface(source) else source.surface()  # type: ignore
        quoted = None if is_surface(source) else _quoted_strikes(source, days)  # type: ignore
        vol = float(swap_vol(surface, days / DAYS_A_YEAR, strikes=quoted))
        first, last = float(surface.years[0]), float(surface.years[-1])
        outside = not first <= days / DAYS_A_YEAR <= last
        return VarianceIndex(value=100.0 * vol, days=days, method=method, strips=(), extrapolated=outside)
    if is_surface(source):
        raise TypeError(f'source: expected a Chain for method "{method}", got a surface; use method="smooth"')
    chain: Chain = source  # type: ignore[assignment]
    forwards = np.full(chain.years.size, np.nan) if forward is None else as_vector(forward, "forward")
    if forwards.size != chain.years.size:
        raise ValueError(f"forward: expected one for each of the {chain.years.size} expiries, got {forwards.size}")
    numbers = _pick(chain, days, method, expiries, least_days)
    if method == "cboe":
        strips = tuple(cboe_strip(chain, n, float(forwards[n])) for n in numbers)
    else:
        strips = tuple(nse_strip(chain, n, float(forwards[n]), max_spread) for n in numbers)
    near, next_ = strips
    horizon = days / DAYS_A_YEAR
    share = (next_.t - horizon) / (next_.t - near.t)
    total = near.t * near.variance * share + next_.t * next_.variance * (1.0 - share)
    value = 100.0 * np.sqrt(total / horizon) if total > 0.0 else np.nan
    outside = not near.t <= horizon <= next_.t
    return VarianceIndex(value=float(value), days=days, method=method, strips=strips, extrapolated=outside)


def _pick(
    chain: Chain, days: float, method: str, expiries: Sequence[str] | None, least_days: float | None
) -> tuple[int, int]:
    """Give the numbers of near and next expiry."""
    if expiries is not None:
        unknown = [label for label in expiries if label not in chain.labels]
        if unknown or len(expiries) != 2 or expiries[0] == expiries[1]:
            raise ValueError(f"expiries: expected two of {', '.join(chain.labels)}, got {list(expiries)!r}")
        near, next_ = sorted(chain.labels.index(label) for label in expiries)
        return near, next_
    least = least_days if least_days is not None else {"cboe": 0.0, "nse": _NSE_ROLL}[method]
    candidates = _months(chain) if method == "nse" else range(chain.years.size)
    left = [n for n in candidates if DAYS_A_YEAR * chain.years[n] > least + 1e-9]
    if len(left) < 2:
        raise PricingError(
            f"A volatility index needs two expiries with more than {least:g} days left, the chain has {len(left)}.",
            hint="Name them by expiries=(near, next) if the chain has others that will do.",
        )
    if method == "nse":
        return left[0], left[1]
    later = sum(1 for n in left if DAYS_A_YEAR * chain.years[n] <= days)
    place = min(max(later, 1), len(left) - 1)
    return left[place - 1], left[place]


def _months(chain: Chain) -> list[int]:
    """Give the number of the last expiry of each calendar month in the chain, by the labels."""
    last: dict[tuple[int, int], int] = {}
    for number, label in enumerate(chain.labels):
        try:
            day = datetime.date.fromisoformat(label[:10])
        except ValueError:
            raise ValueError(
                f'expiries: expected labels that are dates to find the months of "nse", got {label!r}; '
                "name them by expiries=(near, next)"
            ) from None
        last[day.year, day.month] = number
    return sorted(last.values())


def _quoted_strikes(chain: Chain, days: float) -> tuple[float, float]:
    """Give the lowest put and the highest call with a price in the two expiries next to the horizon."""
    horizon = days / DAYS_A_YEAR
    after = min(max(int(np.searchsorted(chain.years, horizon)), 1), max(chain.years.size - 1, 0))
    near = np.isin(chain.expiry, [after - 1, after]) & (chain.price > 0.0)
    puts, calls = (chain.strike[near & (chain.right == right)] for right in (PUT, CALL))
    return (float(puts.min()) if puts.size else 0.0), (float(calls.max()) if calls.size else np.inf)


def swap_vol(surface: SurfaceLike, t: Any, *, strikes: tuple[float, float] | None = None) -> Any:
    """Give the fair volatility of a variance swap, sqrt(E[-2 ln(S/F)] / t), read off a surface.

    Parameters
    ----------
    surface : Surface
    t : float, array or Series
        Years.
    strikes : (low, high), optional
        Beyond them the smile is taken as flat: the wings of a fit can be far steeper than any quote says. By default
        the surface is believed as far as e**60 times the forward to either side.

    Returns
    -------
    float, numpy array or Series
        Per 1.00; NaN where the surface has no smile or t is not positive. Where a smile ends it is continued flat.

    Raises
    ------
    ValueError
        ``strikes`` do not lie around the forwards.

    Notes
    -----
    E[-2 ln(S/F)] is the integral of phi(d2) w over d2 (Gatheral 2006, equation 11.4), which equals the replication by
    2/K**2 puts and calls of each strike (Demeterfi et al. 1999). A swap on realized variance is worth that if there are
    no jumps.
    """
    times = as_array(t, "t")
    flat: FloatArray = np.atleast_1d(times).ravel()
    good = (flat > 0.0) & (flat < np.inf)
    found = np.full(flat.size, np.nan)
    if good.any():
        some = flat[good]
        if strikes is None:
            total = total_swap_variance(surface, some)
        else:
            total = swap_variance_between(surface, some, *_bounds(surface, some, strikes))
        with np.errstate(invalid="ignore"):
            found[good] = np.sqrt(total / some)
    return like(found.reshape(times.shape), t)


def _bounds(surface: SurfaceLike, t: FloatArray, strikes: Any) -> tuple[FloatArray, FloatArray]:
    """Give the log-moneyness of both strikes at each time.

    Raises
    ------
    ValueError
        The forwards are not between the strikes.
    """
    low, high = (float(strike) for strike in strikes)
    forward = np.broadcast_to(np.asarray(surface.forward_at(t), np.float64), t.shape)
    if not (0.0 <= low < high and (low < forward).all() and (forward < high).all()):
        raise ValueError(f"strikes: expected (low, high) around the forward, got {strikes!r}")
    with np.errstate(divide="ignore"):
        ends = np.log(low / forward), np.log(high / forward)
    return np.maximum(ends[0], -REACH), np.minimum(ends[1], REACH)
