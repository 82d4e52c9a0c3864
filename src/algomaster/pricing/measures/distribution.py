"""The risk-neutral distribution of the price at an expiry, read off a surface or off a chain's own quotes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.arrays import as_array, as_vector
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray
from algomaster.pricing.measures.integrals import nodes, refine, smile_rows
from algomaster.pricing.measures.sources import SurfaceLike, is_surface, smile_at, years_of

if TYPE_CHECKING:
    import polars as pl

    from algomaster.pricing.chain import Chain

__all__ = ["Density", "density"]

_POINTS: Final = 401
_SHOWN: Final = 1e-4
"""The default strikes run from this quantile to its mirror image."""

_NOTICEABLE: Final = 1e-9
"""Below zero by this share of the peak is arbitrage and not rounding."""

_UNSEEN: Final = 1e-6
"""With more probability than this beyond the ends of a smile nothing is said about deviation, skewness and kurtosis."""

_GREGORY: Final = np.array([3.0 / 8.0, 7.0 / 6.0, 23.0 / 24.0])
"""The first weights of a sum whose integrand does not vanish at its end, for an error of the fourth order in the step
(Press et al. 2007, equation 4.1.14): wings so heavy that there is density at the last node, smiles that end within the
nodes. Of an integrand that does vanish they change nothing."""

_STEPS: Final = 200
_LISTED: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Density:
    """Risk-neutral distribution of the underlying at one expiry.

    Attributes
    ----------
    label : str
        The expiry.
    t : float
        Years to it.
    spot, forward : float
    strikes, density, cumulative : (n,)
        Density per unit of the underlying, and probability of ending below the strike. NaN where the surface is not
        defined. Negative where the surface has a butterfly arbitrage: nothing is clipped.
    negative : tuple of (low, high)
        Ranges of strikes over which the density is negative; empty for a smile without butterfly arbitrage.
    mass, mean : float
        Integrals of the density itself over all strikes. They must be 1 and the forward; where they are not, the smile
        is no distribution (or its derivatives are not those of its variance).
    std : float
        Standard deviation of the price; infinite if the right wing is too steep for one.
    skewness, kurtosis : float
        Of ln(price/forward); the kurtosis is in excess of the normal's 0. Like std NaN if the surface ends where more
        than a millionth of the probability is still to come.
    surface
        What it was read off.
    """

    label: str
    t: float
    spot: float
    forward: float
    strikes: FloatArray
    density: FloatArray
    cumulative: FloatArray
    negative: tuple[tuple[float, float], ...]
    mass: float
    mean: float
    std: float
    skewness: float
    kurtosis: float
    surface: SurfaceLike

    def prob_below(self, level: Any) -> Any:
        """Give the probability of ending below ``level`` (scalar or array), from the smile's slope, no integral."""
        levels = as_array(level, "level")
        if np.any(levels <= 0.0):
            raise ValueError("level: expected positive prices")
        found = self._rows_at(np.log(levels / self.forward))[2]
        return float(found) if levels.ndim == 0 else found

    def prob_between(self, low: Any, high: Any) -> Any:
        """Give the probability of ending between ``low`` and ``high`` (scalars or arrays that broadcast).

        Raises
        ------
        ValueError
            ``low`` is above ``high``, or one is not positive.
        """
        lows, highs = as_array(low, "low"), as_array(high, "high")
        if np.any(lows > highs):
            raise ValueError(f"low, high: expected low <= high, got {low!r} and {high!r}")
        return self.prob_below(high) - self.prob_below(low)

    def quantile(self, q: Any) -> Any:
        """Give the price below which the underlying ends with probability ``q`` (scalar or array).

        NaN where the surface is not defined so far out, or the price is beyond e**60 times the forward. Where the
        probability falls with the strike (arbitrage) it is one of the prices at which it is ``q``.

        Raises
        ------
        ValueError
            ``q`` is not strictly between 0 and 1.
        """
        levels = as_array(q, "q")
        if not np.all((levels > 0.0) & (levels < 1.0)):
            raise ValueError(f"q: expected probabilities strictly between 0 and 1, got {q!r}")
        k = _quantiles(self.surface, self.t, np.atleast_1d(levels).ravel())
        found = (self.forward * np.exp(k)).reshape(levels.shape)
        return float(found) if levels.ndim == 0 else found

    def _rows_at(self, k: FloatArray) -> FloatArray:
        flat = np.atleast_1d(k).ravel()
        rows: FloatArray = smile_rows(self.surface, flat, self.t).reshape(6, *k.shape)
        return rows

    def to_frame(self) -> pl.DataFrame:
        """Give strike, density and cumulative as a polars frame."""
        import polars as pl

        return pl.DataFrame({"strike": self.strikes, "density": self.density, "cumulative": self.cumulative})

    def plot(self) -> Any:
        """Draw density and cumulative probability over the strike; a plotly figure."""
        from algomaster.pricing.measures.plots import density_figure

        return density_figure(self)

    def _table(self) -> list[tuple[str, str]]:
        ends = self.quantile(np.array(_LISTED))
        wrong = ", ".join(f"{low:.6g} to {high:.6g}" for low, high in self.negative)
        return [
            ("forward", f"{self.forward:.6g}"),
            ("mean", f"{self.mean:.6g}"),
            ("mass", f"{self.mass:.9g}"),
            ("std", f"{self.std:.6g}"),
            ("skewness, kurtosis", f"{self.skewness:+.3f}, {self.kurtosis:+.3f} (of the log)"),
            *((f"{q:.0%}", f"{price:.6g}") for q, price in zip(_LISTED, ends)),
            ("negative", wrong or "nowhere"),
        ]

    def __repr__(self) -> str:
        return text_table(f"Density {self.label}", self._table())

    def _repr_html_(self) -> str:
        return html_table(f"Density {self.label}", self._table())


def density(source: SurfaceLike | Chain, t: float | str, *, strikes: Any = None) -> Density:
    """Read the risk-neutral density of the underlying at one time off a surface, or off the quotes of an expiry.

    Parameters
    ----------
    source : Surface or Chain
        Of a chain the quotes of the expiry alone are smoothed in variance
        (:func:`~algomaster.pricing.measures.quoted.smile_of_quotes`): the density may have any shape, such as two
        peaks around an event, which no family of smiles has.
    t : float or str
        Years, or the label of an expiry; of a chain one of its expiries.
    strikes : (n,), optional
        Where to give the density; otherwise 401 strikes from the 0.01 % to the 99.99 % quantile.

    Returns
    -------
    Density
        NaN at strikes for which the surface is not defined.

    Raises
    ------
    PricingError
        The surface has no smile at ``t``, or too few strikes of the chain have a volatility.
    ValueError
        ``t`` is not positive or no expiry; a strike is not positive.
    TypeError
        Neither a surface nor a chain.

    Notes
    -----
    By total variance and its analytic derivatives, never by differences of prices (Breeden and Litzenberger 1978;
    Gatheral and Jacquier 2014, section 2.2): p(k) = g(k) phi(d2) / sqrt(w) in k = ln(strike/forward).
    """
    surface = _surface_of(source, t)
    years, label = years_of(surface, t)
    forward, w = smile_at(surface, years)
    at = _default_strikes(surface, years, forward, w) if strikes is None else as_vector(strikes, "strikes")
    if not np.all(at > 0.0):
        raise ValueError("strikes: expected positive numbers")
    rows = smile_rows(surface, np.log(at / forward), years)
    mass, mean, std, skewness, kurtosis = _moments(surface, years, w)
    return Density(
        label=label, t=years, spot=float(surface.spot), forward=forward, strikes=at, density=rows[1] / at,
        cumulative=rows[2], negative=_negative(surface, years, forward, w), mass=mass, mean=forward * mean,
        std=forward * std, skewness=skewness, kurtosis=kurtosis, surface=surface,
    )  # fmt: skip


def _surface_of(source: SurfaceLike | Chain, t: float | str) -> SurfaceLike:
    from algomaster.pricing.chain import Chain
    from algomaster.pricing.measures.quoted import smile_of_quotes

    if isinstance(source, Chain):
        return smile_of_quotes(source, t)
    if not is_surface(source):
        raise TypeError(f"source: expected a Surface or a Chain, got {type(source).__name__}")
    return source


def _default_strikes(surface: SurfaceLike, t: float, forward: float, w: float) -> FloatArray:
    ends = _quantiles(surface, t, np.array([_SHOWN, 1.0 - _SHOWN]))
    ends = np.where(np.isnan(ends), 4.0 * np.sqrt(w) * np.array([-1.0, 1.0]), ends)
    return np.linspace(forward * np.exp(ends[0]), forward * np.exp(ends[1]), _POINTS)


def _moments(surface: SurfaceLike, t: float, w: float) -> tuple[float, float, float, float, float]:
    """Give mass, mean and deviation (of price/forward), skewness and kurtosis (of its logarithm)."""
    scale = np.array([np.sqrt(w)])

    def integral(count: int) -> FloatArray:
        grid, weights = nodes(scale, count)
        k = grid[0]
        rows = smile_rows(surface, k, t)
        known = np.flatnonzero(np.isfinite(rows[1]))
        first, last = known[0], known[-1]
        inside = slice(first, last + 1)
        k, rows, mass = k[inside], rows[:, inside], rows[1, inside] * weights[0, inside]
        ends = _GREGORY if mass.size >= 2 * _GREGORY.size else np.array([0.5])
        mass[: ends.size] *= ends
        mass[-ends.size :] *= ends[::-1]
        price = np.exp(k)
        share = price * mass
        log = np.array([(k**n * mass).sum() for n in range(1, 5)])
        total = mass.sum() + rows[2, 0] + rows[3, -1]
        second = (np.expm1(k) ** 2 * mass).sum()
        if abs(price[-1] * share[-1]) > _NOTICEABLE * (1.0 + second):
            second = np.inf
        if abs(rows[2, 0]) + abs(rows[3, -1]) > _UNSEEN:
            second, log = np.nan, np.full(4, np.nan)
        return np.array([total, share.sum() + rows[4, 0] + rows[5, -1], second, *log])

    with np.errstate(over="ignore", invalid="ignore"):
        mass, mean, second, m1, m2, m3, m4 = refine(integral).tolist()
    variance = m2 - m1 * m1
    third = m3 - 3.0 * m1 * m2 + 2.0 * m1**3
    fourth = m4 - 4.0 * m1 * m3 + 6.0 * m1 * m1 * m2 - 3.0 * m1**4
    spread = second - (mean - 1.0) ** 2
    std = float(np.sqrt(spread)) if spread >= 0.0 else np.nan
    if not variance > 0.0:
        return mass, mean, std, np.nan, np.nan
    return mass, mean, std, third / variance**1.5, fourth / variance**2 - 3.0


def _negative(surface: SurfaceLike, t: float, forward: float, w: float) -> tuple[tuple[float, float], ...]:
    """Give the ranges of strikes with negative density, from twelve deviations below the forward to twelve above."""
    k = 12.0 * np.sqrt(w) * np.linspace(-1.0, 1.0, 4801)
    p = smile_rows(surface, k, t)[1]
    below = p < -_NOTICEABLE * np.nanmax(p)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], below, [False]]).astype(np.int8)))
    at = forward * np.exp(k)
    return tuple((float(at[low]), float(at[high - 1])) for low, high in zip(edges[::2], edges[1::2]))


def _quantiles(surface: SurfaceLike, t: float, q: FloatArray) -> FloatArray:
    """Give the log-moneyness below which probability ``q`` (n,) lies: Newton's steps kept within a bracket."""
    w = float(np.asarray(surface.derivatives(0.0, t)[0]))
    grid, _ = nodes(np.array([np.sqrt(w)]), 640)
    seen = smile_rows(surface, grid[0], t)[2]
    known = np.isfinite(seen)
    grid, seen = grid[0][known], seen[known]
    place = np.searchsorted(np.maximum.accumulate(seen), q)
    inside = (place > 0) & (place < seen.size)
    place = np.clip(place, 1, max(seen.size - 1, 1))
    low, high = grid[place - 1], grid[place]
    k = 0.5 * (low + high)
    for _ in range(_STEPS):
        rows = smile_rows(surface, k, t)
        gap = rows[2] - q
        low, high = np.where(gap < 0.0, k, low), np.where(gap < 0.0, high, k)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = k - gap / rows[1]
        step = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        done = np.abs(step - k) <= 1e-15 * (np.abs(k) + np.sqrt(w))
        k = step
        if done.all():
            break
    return np.where(inside, k, np.nan)
