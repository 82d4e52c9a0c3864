"""How far the market expects the underlying to move until an expiry, by every reading that traders call so."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.render import html_table, text_table
from algomaster.core.types import CALL, PUT, FloatArray
from algomaster.pricing.european import price
from algomaster.pricing.implied import implied_vol
from algomaster.pricing.measures.distribution import density
from algomaster.pricing.measures.sources import SurfaceLike, is_surface, smile_at, years_of

if TYPE_CHECKING:
    import polars as pl

    from algomaster.pricing.chain import Chain

__all__ = ["ExpectedMove", "expected_move"]

RULE: Final = 0.85
"""What retail platforms multiply the straddle with. It has no derivation; for a flat smile it is 0.68 deviations."""

ONE_SIGMA: Final = (0.15865525393145707, 0.8413447460685429)
"""N(-1) and N(1)."""

_MEANING: Final = {
    "straddle": "mean absolute move",
    "rule": "0.85 x straddle, as platforms show it",
    "one_sigma": "at-the-money volatility x sqrt(t)",
    "density": "16 % to 84 % quantile of the distribution",
}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ExpectedMove:
    """Expected move to one expiry; all amounts in units of the underlying, around the forward.

    Attributes
    ----------
    label : str
    t, spot, forward : float
    atm_vol : float
    straddle_price : float
        Discounted price of call and put struck at the forward.
    straddle : float
        The same undiscounted: exactly E|S - F|, whatever the distribution. For a normal one 0.8 of a deviation.
    rule : float
        0.85 times the straddle's price, the traders' rule of thumb.
    one_sigma : float
        F vol sqrt(t).
    density : float
        Half the width of the band from ``low`` to ``high``; NaN if there is no surface.
    low, high : float
        The 15.87 % and 84.13 % quantiles of the risk-neutral distribution.
    """

    label: str
    t: float
    spot: float
    forward: float
    atm_vol: float
    straddle_price: float
    straddle: float
    rule: float
    one_sigma: float
    density: float
    low: float
    high: float

    def to_frame(self) -> pl.DataFrame:
        """Give a row a method: points, percent (of the spot, or of the forward if unknown), low, high, meaning."""
        import polars as pl

        names = list(_MEANING)
        points = np.array([getattr(self, name) for name in names])
        low, high = self.forward - points, self.forward + points
        low[-1], high[-1] = self.low, self.high
        percent = 100.0 * points / self._unit
        columns = {"method": names, "points": points, "percent": percent, "low": low, "high": high}
        return pl.DataFrame({**columns, "meaning": list(_MEANING.values())})

    @property
    def _unit(self) -> float:
        return self.spot if self.spot > 0.0 else self.forward

    def plot(self) -> Any:
        """Draw the band of each method around the forward; a plotly figure."""
        from algomaster.pricing.measures.plots import move_figure

        return move_figure(self)

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("forward", f"{self.forward:.6g}"), ("atm vol", f"{self.atm_vol:.2%}")]
        for name, meaning in _MEANING.items():
            points = getattr(self, name)
            rows.append((name, f"{points:.5g}  ({points / self._unit:.2%}; {meaning})"))
        return rows

    def __repr__(self) -> str:
        return text_table(f"ExpectedMove {self.label}", self._rows())

    def _repr_html_(self) -> str:
        return html_table(f"ExpectedMove {self.label}", self._rows())


def expected_move(source: Chain | SurfaceLike, t: float | str, *, surface: SurfaceLike | None = None) -> ExpectedMove:
    """Read the expected move to an expiry off a chain or a surface.

    Parameters
    ----------
    source : Chain or Surface
        From a chain the straddle is that of its quotes: the volatilities of the straddles at the strikes on both sides
        of the forward, interpolated to it. From a surface it is the surface's.
    t : float or str
        Years, or the label of an expiry; of a chain one of its own.
    surface : Surface, optional
        What to take the quantiles from if ``source`` is a chain; without it ``density``, ``low`` and ``high`` are NaN.

    Returns
    -------
    ExpectedMove
        From a chain NaN where the strikes around the forward are not quoted.

    Raises
    ------
    PricingError
        The surface has no smile at ``t``.
    ValueError
        ``t`` is not positive or no expiry.

    Notes
    -----
    The four readings differ by construction, not by error: for a flat smile straddle : rule : one sigma is
    0.80 : 0.68 : 1. Brenner and Subrahmanyam (1988) for the straddle as a volatility.
    """
    if is_surface(source):
        smiles: SurfaceLike = source  # type: ignore[assignment]
        years, label = years_of(smiles, t)
        forward, w = smile_at(smiles, years)
        discount, total, spot, surface = float(smiles.discount_at(years)), w, float(smiles.spot), smiles
    else:
        chain: Chain = source  # type: ignore[assignment]
        years, label = years_of(chain, t)
        if label not in chain.labels:
            raise ValueError(f"t: expected an expiry of the chain ({', '.join(chain.labels)}), got {t!r}")
        number = chain.labels.index(label)
        forward, discount, spot = float(chain.forward[number]), float(chain.discount[number]), float(chain.spot)
        total = _straddle_variance(chain, number)
    vol = float(np.sqrt(total / years))
    straddle = 2.0 * price(CALL, None, forward, years, vol, forward=forward) if total > 0.0 else np.nan
    low, high = np.full(2, np.nan) if surface is None else density(surface, years).quantile(np.array(ONE_SIGMA))
    return ExpectedMove(
        label=label, t=years, spot=spot, forward=forward, atm_vol=vol, straddle_price=discount * straddle,
        straddle=straddle, rule=RULE * discount * straddle, one_sigma=forward * vol * years**0.5,
        density=0.5 * float(high - low), low=float(low), high=float(high),
    )  # fmt: skip


def _straddle_variance(chain: Chain, number: int) -> float:
    """Give the total variance at the forward that the straddles around it are worth."""
    forward, discount, t = float(chain.forward[number]), float(chain.discount[number]), float(chain.years[number])
    rows = np.flatnonzero((chain.expiry == number) & np.isfinite(chain.price))
    ladders = [_ladder(chain, rows[chain.right[rows] == right]) for right in (CALL, PUT)]
    strikes, calls, puts = np.intersect1d(ladders[0][0], ladders[1][0], return_indices=True)
    above = int(np.searchsorted(strikes, forward))
    if not forward > 0.0 or above == strikes.size or (above == 0 and strikes[0] != forward):
        return np.nan
    near = slice(above, above + 1) if strikes[above] == forward else slice(above - 1, above + 1)
    straddle = ladders[0][1][calls][near] + ladders[1][1][puts][near]
    # C + P is the quote, C - P is certain: what the forward does to one of them it undoes in the other
    call = 0.5 * (straddle + discount * (forward - strikes[near]))
    rate = -np.log(discount) / t
    vol = implied_vol(call, CALL, None, strikes[near], t, forward=forward, rate=rate).vol
    return float(np.interp(forward, strikes[near], vol * vol * t))


def _ladder(chain: Chain, rows: Any) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(chain.strike[rows], kind="stable")
    return chain.strike[rows][order], chain.price[rows][order]
