"""Net gamma exposure at other spots, and the spots where it turns.

1. Every option keeps its volatility (sticky strike) and its forward moves in proportion to the spot.
2. :func:`profile_of` sums spot**2 * gamma at each spot of a grid, by expiry.
3. :func:`flips` brackets the sign changes of the sum on that grid, cut finer where options are so short-lived that
   their gamma changes within a step, and narrows each bracket to the last place. A sign that is smaller than what
   rounding leaves of the cancelled terms is no sign. Where the sum comes near 0 and turns back the grid is cut finer
   still (:func:`_dips`).
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np

from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.dealer_flow.quotes import Quotes
from algomaster.pricing.kernels.dealer_flow import gamma_profile, gamma_root, gamma_terms

__all__ = ["Profile", "Terms", "flips", "profile_of"]

_NOISE: Final = 1e-12  # of the sum of sizes; rounding leaves up to 1e-16 a term, of which there are thousands
_STEP_OF_DEVIATION: Final = 0.5
_CLOSER: Final = 81
"""Spots over the two steps around a dip: a pair of flips further apart than a fortieth of a step is seen."""
_FINEST: Final = 16


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Profile:
    """Net gamma exposure of the open interest as the spot moves.

    Attributes
    ----------
    spots : (M,) float64
        Ascending.
    gex : (M,) float64
        Net exposure per 1 % of move at each of them, all gammas computed anew there.
    by_expiry : (E, M) float64
    labels : tuple of str
        The expiries (E,).
    """

    spots: FloatArray
    gex: FloatArray
    by_expiry: FloatArray
    labels: tuple[str, ...]

    def to_frame(self) -> Any:
        """Give polars columns spot, gex and one for each expiry."""
        import polars as pl

        rows = dict(zip(self.labels, self.by_expiry))
        return pl.DataFrame({"spot": self.spots, "gex": self.gex, **rows})

    def _rows(self) -> list[tuple[str, str]]:
        known = self.gex[~np.isnan(self.gex)]
        spread = f"{known.min():,.6g} to {known.max():,.6g}" if known.size else "unknown"
        return [
            ("spots", f"{self.spots.size} from {self.spots[0]:,.2f} to {self.spots[-1]:,.2f}"),
            ("GEX per 1 %", spread),
            ("expiries", str(len(self.labels))),
        ]

    def __repr__(self) -> str:
        return text_table("Profile", self._rows())

    def _repr_html_(self) -> str:
        return html_table("Profile", self._rows())


@dataclasses.dataclass(frozen=True, eq=False)
class Terms:
    """The options that count as the kernel takes them; ``deviation`` is the smallest vol * sqrt(t) that has weight."""

    reference: float
    slope: FloatArray
    offset: FloatArray
    height: FloatArray
    expiry: IntArray
    deviation: float

    @classmethod
    def of(cls, quotes: Quotes, weight: FloatArray) -> Terms:
        """Prepare the counted quotes, each with its weight (n,): sign * open interest * lot * 0.01."""
        kept = quotes.counted & (weight != 0.0)
        slope, offset, height = (np.empty(int(kept.sum())) for _ in range(3))
        gamma_terms(
            quotes.spot, quotes.strike[kept], quotes.t[kept], quotes.vol[kept], quotes.forward[kept],
            quotes.discount[kept], weight[kept], slope, offset, height,
        )  # fmt: skip
        deviation = float(np.sqrt(0.5) / slope.max()) if slope.size else np.inf
        return cls(quotes.spot, slope, offset, height, quotes.expiry[kept], deviation)

    def sums(self, spots: FloatArray, height: FloatArray, expiry: IntArray, rows: int) -> FloatArray:
        """Give the sum of each expiry's options (rows, M)."""
        out = np.empty((rows, spots.size))
        gamma_profile(self.reference, self.slope, self.offset, height, expiry, spots, np.empty(spots.size), out)
        return out


def profile_of(terms: Terms, spots: FloatArray, labels: tuple[str, ...]) -> Profile:
    """Sum the options' gamma at every spot (M,)."""
    rows = terms.sums(spots, terms.height, terms.expiry, len(labels))
    return Profile(spots=spots, gex=rows.sum(axis=0), by_expiry=rows, labels=labels)


def flips(terms: Terms, profile: Profile) -> FloatArray:
    """Give every spot between the first and the last of the profile where the net sum changes its sign, ascending."""
    if not terms.slope.size:
        return np.empty(0)
    grid = _cut(profile.spots, terms.deviation)
    one = np.zeros(terms.expiry.size, np.int64)
    net = profile.gex.copy() if grid is profile.spots else terms.sums(grid, terms.height, one, 1)[0]
    closer = _dips(grid, net)
    if closer.size:
        grid, place = np.unique(np.concatenate([grid, closer]), return_index=True)
        net = np.concatenate([net, terms.sums(closer, terms.height, one, 1)[0]])[place]
    beside = np.flatnonzero(np.sign(net[1:]) != np.sign(net[:-1]))
    doubtful = np.union1d(beside, beside + 1)
    if doubtful.size:
        size = terms.sums(grid[doubtful], np.abs(terms.height), one, 1)[0]
        net[doubtful[np.abs(net[doubtful]) <= _NOISE * size]] = 0.0
    signed = np.flatnonzero(net)
    turns = np.flatnonzero(np.sign(net[signed][1:]) != np.sign(net[signed][:-1]))
    x = np.log(grid / terms.reference)
    roots = [gamma_root(x[signed[i]], x[signed[i + 1]], terms.slope, terms.offset, terms.height) for i in turns]
    return terms.reference * np.exp(np.array(roots, dtype=np.float64))


def _dips(grid: FloatArray, net: FloatArray) -> FloatArray:
    """Give further spots around those where the sum comes nearest to 0 without a change of sign on the grid.

    Between such a spot and its neighbours the sum may go through 0 and back.
    """
    size, sign = np.abs(net), np.sign(net)
    least = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:])
    same = (sign[1:-1] == sign[:-2]) & (sign[1:-1] == sign[2:]) & (sign[1:-1] != 0.0)
    dips = np.flatnonzero(least & same) + 1
    return np.unique(np.linspace(grid[dips - 1], grid[dips + 1], _CLOSER)[1:-1])


def _cut(spots: FloatArray, deviation: float) -> FloatArray:
    """Cut the steps of a grid into equal parts, so that gamma does not rise and fall again within one."""
    widest = float(np.diff(np.log(spots)).max())
    parts = int(np.clip(np.ceil(widest / (_STEP_OF_DEVIATION * deviation)), 1, _FINEST))
    if parts == 1:
        return spots
    places = np.arange((spots.size - 1) * parts + 1) / parts
    return np.interp(places, np.arange(spots.size), spots)
