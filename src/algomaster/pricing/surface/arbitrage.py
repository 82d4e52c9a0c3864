"""Where a surface can be arbitraged: butterflies (a negative density) and calendars (total variance that falls)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike

from algomaster.core.arrays import as_vector
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray

if TYPE_CHECKING:
    import polars as pl

    from algomaster.pricing.surface.surface import Surface

__all__ = ["ArbitragePlace", "ArbitrageReport", "find_arbitrage"]

_DEVIATIONS: Final = 8.0
_ROUNDING: Final = 1e-12
"""Of g, and of variance against itself: what lies above it is not rounding."""


@dataclasses.dataclass(frozen=True)
class ArbitragePlace:
    """One stretch of one expiry where there is arbitrage.

    Attributes
    ----------
    kind : "butterfly" or "calendar"
    expiry : str
        Its label; of a calendar that of the later expiry. "a | b" is half-way between two expiries.
    k_low, k_high : float
        Log-moneyness from and to which it reaches (points of the grid).
    size : float
        Butterfly: the lowest g (below 0). Calendar: by how much total variance falls at most, as a share of the
        earlier.
    """

    kind: str
    expiry: str
    k_low: float
    k_high: float
    size: float


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ArbitrageReport:
    """What was found, and how closely it was looked for.

    Attributes
    ----------
    places : tuple of ArbitragePlace
        Empty where there is no arbitrage.
    points : int
        How many (k, t) were looked at.
    """

    places: tuple[ArbitragePlace, ...]
    points: int

    def __bool__(self) -> bool:
        return bool(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def of(self, kind: str) -> tuple[ArbitragePlace, ...]:
        """Give the places of one kind, "butterfly" or "calendar"."""
        return tuple(place for place in self.places if place.kind == kind)

    def to_frame(self) -> pl.DataFrame:
        """Give a row a place: kind, expiry, k_low, k_high, size."""
        import polars as pl

        schema = {"kind": pl.String, "expiry": pl.String, "k_low": pl.Float64, "k_high": pl.Float64, "size": pl.Float64}
        return pl.DataFrame([dataclasses.astuple(place) for place in self.places], schema=schema, orient="row")

    def _rows(self) -> list[tuple[str, str]]:
        if not self.places:
            return [("none", f"on {self.points} points")]
        return [
            (f"{place.kind} {place.expiry}", f"k {place.k_low:+.4f} to {place.k_high:+.4f}, size {place.size:.3g}")
            for place in self.places
        ]

    def __repr__(self) -> str:
        return text_table("Arbitrage", self._rows())

    def _repr_html_(self) -> str:
        return html_table("Arbitrage", self._rows())


def find_arbitrage(surface: Surface, k: ArrayLike | Any | None, points: int) -> ArbitrageReport:
    """Look on a grid at every expiry, and half-way between them for butterflies."""
    years = surface.years
    times = np.empty(2 * years.size - 1)
    times[::2], times[1::2] = years, 0.5 * (years[1:] + years[:-1])
    grid = _grid(surface, times, points) if k is None else np.tile(as_vector(k, "k"), (times.size, 1))
    g = surface.durrleman(grid, times[:, None])
    now = surface.variance(grid[2::2], years[1:, None])
    change = now / surface.variance(grid[2::2], years[:-1, None]) - 1.0
    places: list[ArbitragePlace] = []
    for number in np.flatnonzero(~(g >= -_ROUNDING).all(axis=1)):
        e = int(number) // 2
        label = surface.labels[e] if number % 2 == 0 else f"{surface.labels[e]} | {surface.labels[e + 1]}"
        places += _stretches("butterfly", label, grid[number], g[number])
    for later in np.flatnonzero(~(change >= -_ROUNDING).all(axis=1)):
        places += _stretches("calendar", surface.labels[later + 1], grid[2 * later + 2], change[later])
    return ArbitrageReport(tuple(places), grid.size)


def _grid(surface: Surface, times: FloatArray, points: int) -> FloatArray:
    """Give a row of log-moneyness for each time."""
    reach = _DEVIATIONS * np.sqrt(surface.variance(np.zeros(times.size), times))
    low, high = -reach, reach
    if surface.quotes is not None and surface.quotes.k.size:
        low, high = np.minimum(low, surface.quotes.k.min()), np.maximum(high, surface.quotes.k.max())
    return np.asarray(low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, points))


def _stretches(kind: str, label: str, k: FloatArray, size: FloatArray) -> list[ArbitragePlace]:
    """Give one place for every unbroken run of points that are below 0."""
    size = np.where(np.isnan(size), -np.inf, size)
    bad = np.concatenate([[False], size < -_ROUNDING, [False]])
    edges = np.flatnonzero(bad[1:] != bad[:-1])
    return [
        ArbitragePlace(kind, label, float(k[start]), float(k[stop - 1]), float(size[start:stop].min()))
        for start, stop in zip(edges[::2], edges[1::2])
    ]
