"""The volatility surface of one underlying at one moment."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from algomaster.core.arrays import as_array, like
from algomaster.core.errors import PricingError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray
from algomaster.pricing.inputs import choose
from algomaster.pricing.kernels import smile_eval
from algomaster.pricing.surface.arbitrage import ArbitrageReport, find_arbitrage
from algomaster.pricing.surface.smiles import (
    CODES,
    WIDTH,
    SmileQuotes,
    check_settings,
    fit_smiles,
    read_smiles,
    refit,
    start_from,
)
from algomaster.pricing.surface.terms import business_times, clock_at, discount_between, forward_between

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Surface"]

Clock = Callable[[FloatArray], ArrayLike] | ArrayLike | None


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Surface:
    """Volatility by log-moneyness and time, E expiries ascending.

    Between expiries total variance is linear in the clock at constant k. Before the first expiry volatility is that of
    the first; after the last, total variance grows by the same amount at every k: the forward variance at the money of
    the last interval. Beyond the quoted strikes SVI and extended SSVI go on as they are (their wings obey Lee's bound
    by construction); SABR goes on with total variance as a straight line, of the slope it has at the last quote.

    Attributes
    ----------
    method : "essvi", "svi" or "sabr"
    years : (E,)
        Years to each expiry.
    clock : (E,)
        The same on the surface's own clock: business years, or ``years``.
    forward, discount : (E,)
    labels : tuple of str
    spot : float
        NaN if unknown.
    parameters : (E, p)
        "svi": a, b, rho, m, sigma of total variance; "essvi": theta, rho, psi; "sabr": alpha (a volatility: Hagan's
        times forward**(beta - 1)), beta, rho, nu, and the k between which the formula holds.
    quotes : SmileQuotes or None
        What it was fitted to; None for a surface from parameters.
    skipped : dict
        Why an expiry of the chain was not fitted, by label.
    settings : dict
        What it was fitted with.
    """

    method: str
    years: FloatArray
    clock: FloatArray
    forward: FloatArray
    discount: FloatArray
    labels: tuple[str, ...]
    spot: float
    parameters: FloatArray
    quotes: SmileQuotes | None = None
    skipped: dict[str, str] = dataclasses.field(default_factory=dict)
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        chain: Any,
        method: str = "essvi",
        *,
        previous: Surface | None = None,
        weights: Any = "auto",
        trim: float | None = 6.0,
        beta: float | None = 1.0,
        clock: Clock = None,
    ) -> Self:
        """Fit a surface to a chain.

        Parameters
        ----------
        chain : Chain
            Quotes without a volatility are not used; of a strike the option out of the money is (near the forward
            both).
        method : "essvi", "svi" or "sabr"
            "essvi" is free of butterfly and calendar arbitrage by construction; "svi" follows a smile most closely;
            "sabr" needs the fewest strikes. See :meth:`arbitrage` for the latter two.
        previous : Surface, optional
            Of the minute before: the fit starts from it where method and expiry are the same.
        weights : "auto", "equal", "vega", "spread" or (n,)
            How much a quote's residual in volatility counts: equally; by the square of vega; by the inverse square of
            half its spread in volatility; or given. "auto" is "spread" where at least half the quotes have two sides,
            else "vega".
        trim : float or None
            A quote is left out if its weighted residual is more than so many usual ones of its expiry, unless the fit
            lies within its bid and ask; see :meth:`residuals`. None leaves none out.
        beta : float or None
            SABR's, held; None to fit it.
        clock : callable or (E,), optional
            Time in which total variance is linear: business years of each of the chain's expiries, or a function that
            gives them for an array of years (0 at 0, rising).

        Raises
        ------
        PricingError
            No expiry can be fitted; the message says why.
        ValueError, TypeError
            An argument is out of range.
        """
        choose("method", method, CODES)
        check_settings(trim, beta)
        if chain.vol is None:
            if not hasattr(chain, "implied_vols"):
                raise ValueError("chain: expected volatilities (vol), got None; call chain.implied_vols() first")
            chain = chain.implied_vols()
        times = business_times(clock, chain.years)
        quotes = read_smiles(chain, weights)
        start = np.full((chain.years.size, WIDTH[method]), np.nan)
        if previous is not None and previous.method == method:
            start_from(previous.labels, previous.parameters, chain.labels, start)
        parameters, kept, skipped = fit_smiles(
            method, quotes, chain.years, chain.forward, chain.labels, beta=beta, trim=trim, start=start
        )
        if skipped:
            quotes = quotes.of(kept)
        years = chain.years[kept]
        if method == "essvi":
            refit(quotes, years, parameters)
        settings = {"weights": weights, "trim": trim, "beta": beta, "clock": clock if callable(clock) else None}
        return cls(
            method=method, years=years, clock=times[kept], forward=chain.forward[kept],
            discount=np.where(chain.discount[kept] > 0.0, chain.discount[kept], 1.0),
            labels=tuple(chain.labels[e] for e in kept), spot=float(chain.spot), parameters=parameters, quotes=quotes,
            skipped=skipped, settings=settings,
        )  # fmt: skip

    @classmethod
    def from_parameters(
        cls,
        method: str,
        years: ArrayLike,
        parameters: ArrayLike,
        *,
        forward: ArrayLike = 1.0,
        discount: ArrayLike = 1.0,
        labels: tuple[str, ...] | None = None,
        spot: float = np.nan,
        clock: Clock = None,
    ) -> Self:
        """Make a surface of known parameters: (E, p) for E ascending ``years``; see the class for their meaning."""
        choose("method", method, CODES)
        at = as_array(years, "years").reshape(-1)
        rows = np.atleast_2d(as_array(parameters, "parameters")).copy()
        if method == "sabr" and rows.shape[1] == 4:
            rows = np.hstack([rows, np.full((rows.shape[0], 1), -np.inf), np.full((rows.shape[0], 1), np.inf)])
        if rows.shape != (at.size, WIDTH[method]):
            raise ValueError(f"parameters: expected shape {(at.size, WIDTH[method])} for {method}, got {rows.shape}")
        if not (at.size and np.all(at > 0.0) and np.all(np.diff(at) > 0.0) and np.all(np.isfinite(at))):
            raise ValueError(f"years: expected positive and ascending numbers, got {at}")
        named = labels or tuple(f"{year:.4f} y" for year in at)
        if len(named) != at.size:
            raise ValueError(f"labels: expected {at.size}, got {len(named)}")
        return cls(
            method=method, years=at, clock=business_times(clock, at), labels=named, spot=float(spot), parameters=rows,
            forward=np.broadcast_to(as_array(forward, "forward"), at.shape).copy(),
            discount=np.broadcast_to(as_array(discount, "discount"), at.shape).copy(),
            settings={"clock": clock if callable(clock) else None},
        )  # fmt: skip

    # --- what it says ------------------------------------------------------------------------------------------

    def _rows_at(self, k: Any, t: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give k and t broadcast, and w, dw/dk, d2w/dk2 as rows (3, ...)."""
        ks, ts = np.broadcast_arrays(as_array(k, "k"), as_array(t, "t"))
        flat_k, flat_t = np.ascontiguousarray(ks).reshape(-1), np.ascontiguousarray(ts).reshape(-1)
        now = clock_at(flat_t, self.years, self.clock, self.settings.get("clock"))
        out = np.empty((3, flat_k.size))
        smile_eval.surface_loop(CODES[self.method], self.parameters, self.years, self.clock, flat_k, now, out)
        return ks, ts, out.reshape(3, *ks.shape)

    def variance(self, k: Any, t: Any) -> Any:
        """Give total implied variance, vol**2 t, in the shape and kind of the input.

        Parameters
        ----------
        k : float, array or Series
            ln(strike / forward(t)).
        t : float, array or Series
            Years; anything that broadcasts with ``k``. NaN, and times that are not positive, give NaN.
        """
        _, _, rows = self._rows_at(k, t)
        return like(rows[0], k, t)

    def vol(self, k: Any, t: Any) -> Any:
        """Give implied volatility per square root of a (calendar) year; arguments as for :meth:`variance`."""
        _, years, rows = self._rows_at(k, t)
        with np.errstate(invalid="ignore", divide="ignore"):
            return like(np.sqrt(rows[0] / years), k, t)

    def derivatives(self, k: Any, t: Any) -> tuple[Any, Any, Any]:
        """Give total variance and its first two derivatives by k, from the formula; as :meth:`variance` otherwise."""
        _, _, rows = self._rows_at(k, t)
        w, w1, w2 = (like(np.asarray(row), k, t) for row in rows)
        return w, w1, w2

    def durrleman(self, k: Any, t: Any) -> Any:
        """Give Durrleman's g(k), negative exactly where a butterfly costs less than nothing."""
        ks, _, rows = self._rows_at(k, t)
        out = np.empty(ks.size)
        smile_eval.butterfly_loop(np.ascontiguousarray(ks).reshape(-1), rows.reshape(3, -1), out)
        return like(out.reshape(ks.shape), k, t)

    def forward_at(self, t: Any) -> Any:
        """Give the forward: its logarithm linear in time, from the spot (if known) through every expiry's forward.

        Before the first expiry without a spot it is the first forward; after the last it grows as in the last interval.
        """
        at = as_array(t, "t")
        return like(forward_between(at, self.years, self.forward, self.spot), t)

    def discount_at(self, t: Any) -> Any:
        """Give the discount factor: its logarithm linear in time, 1 at 0; after the last expiry at its zero rate."""
        at = as_array(t, "t")
        return like(discount_between(at, self.years, self.discount), t)

    def price(self, right: Any, strike: Any, t: Any) -> Any:
        """Price European options at the surface's volatility, forward and discount.

        Parameters
        ----------
        right : "CE"/"PE", "c"/"p", "call"/"put" or +1/-1
            Like the others a scalar, an array or a Series of any broadcastable shape.
        strike, t : float
            t in years.
        """
        from algomaster.pricing.european import price

        forward, vol = self._at_strike(strike, t)
        years = as_array(t, "t")
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = -np.log(discount_between(years, self.years, self.discount)) / years
        return price(right, None, strike, t, vol, rate=rate, forward=forward)

    def _at_strike(self, strike: Any, t: Any) -> tuple[FloatArray, FloatArray]:
        years = as_array(t, "t")
        forward = forward_between(years, self.years, self.forward, self.spot)
        with np.errstate(invalid="ignore", divide="ignore"):
            k = np.log(as_array(strike, "strike") / forward)
        return forward, self.vol(k, years)

    def density(self, strike: Any, t: Any) -> Any:
        """Give the risk-neutral density of the underlying at ``strike`` and time ``t``, per unit of price.

        Negative where the surface has butterfly arbitrage. It integrates to 1 over all strikes.
        """
        strikes, years = np.broadcast_arrays(as_array(strike, "strike"), as_array(t, "t"))
        forward = forward_between(years, self.years, self.forward, self.spot)
        with np.errstate(invalid="ignore", divide="ignore"):
            k = np.log(strikes / forward)
        _, _, rows = self._rows_at(k, years)
        out = np.empty(k.size)
        smile_eval.density_loop(
            np.ascontiguousarray(strikes).reshape(-1), np.ascontiguousarray(k).reshape(-1), rows.reshape(3, -1), out
        )
        return like(out.reshape(k.shape), strike, t)

    def vol_error(self, k: Any, t: Any) -> Any:
        """Give the standard error of :meth:`vol`, from the fit's residuals and its Jacobian.

        The error of a smile whose shape the method can follow; how far the method itself is from the market is not in
        it beyond what the residuals show.

        Raises
        ------
        PricingError
            The surface was not fitted to quotes.
        """
        from algomaster.pricing.surface.uncertainty import variance_errors

        ks, years, rows = self._rows_at(k, t)
        now = clock_at(years.reshape(-1), self.years, self.clock, self.settings.get("clock"))
        error = variance_errors(self, ks.reshape(-1), now, self._covariances).reshape(ks.shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            return like(error / (2.0 * np.sqrt(rows[0] * years)), k, t)

    @functools.cached_property
    def _covariances(self) -> list[FloatArray]:
        from algomaster.pricing.surface.uncertainty import covariances

        return covariances(self)

    @property
    def covariance(self) -> list[FloatArray]:
        """Covariance of each expiry's parameters, E times (p, p); rows of held parameters are 0."""
        return [matrix.copy() for matrix in self._covariances]

    # --- what it is worth --------------------------------------------------------------------------------------

    def arbitrage(self, k: ArrayLike | None = None, *, points: int = 401) -> ArbitrageReport:
        """Look for butterfly and calendar arbitrage on a grid.

        Parameters
        ----------
        k : (n,), optional
            Log-moneyness to look at, ascending; otherwise ``points`` from 8 deviations below to 8 above each expiry's
            forward, and all quoted strikes' range.
        """
        return find_arbitrage(self, k, points)

    def residuals(self) -> pl.DataFrame:
        """Give a row a quote: expiry, t, right, strike, k, vol, fit, residual (in vol), weight (on vol), kept.

        Quotes with ``kept`` false were left out as not belonging; ``row`` is the chain's.
        """
        import polars as pl

        quotes, expiry = self._quotes(), self.quote_expiries
        years = self.years[expiry]
        vol, fit = np.sqrt(quotes.variance / years), self.vol(quotes.k, years)
        return pl.DataFrame(
            {
                "expiry": [self.labels[e] for e in expiry],
                "t": years,
                "right": quotes.right,
                "strike": quotes.strike,
                "k": quotes.k,
                "vol": vol,
                "fit": fit,
                "residual": vol - fit,
                "half_spread": quotes.half,
                "weight": quotes.weight * 4.0 * quotes.variance * years,
                "kept": quotes.weight > 0.0,
                "row": quotes.row,
            }
        )

    @property
    def quote_expiries(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Which expiry each of the quotes belongs to, (q,)."""
        return np.repeat(np.arange(self.years.size), np.diff(self._quotes().first))

    @functools.cached_property
    def rmse(self) -> FloatArray:
        """Root of the weighted mean square of the residuals in volatility of each expiry, (E,)."""
        quotes, expiry = self._quotes(), self.quote_expiries
        years = self.years[expiry]
        gap = np.sqrt(quotes.variance / years) - self.vol(quotes.k, years)
        weight = quotes.weight * 4.0 * quotes.variance * years
        count = self.years.size
        total = np.bincount(expiry, weight * gap * gap, minlength=count)
        return np.asarray(np.sqrt(total / np.bincount(expiry, weight, minlength=count)))

    def _quotes(self) -> SmileQuotes:
        if self.quotes is None:
            raise PricingError(
                "This surface was made of parameters and knows no quotes.", hint="Use Surface.fit(chain)."
            )
        return self.quotes

    def plot(self, kind: str = "surface") -> Any:
        """Give a plotly figure: the "surface" in 3-D, "smiles" with bid and ask, "residuals" or "density"."""
        from algomaster.pricing.surface.plots import FIGURES

        choose("kind", kind, FIGURES)
        return FIGURES[kind](self)

    def to_frame(self) -> pl.DataFrame:
        """Give a row an expiry: label, t, forward, discount, vol at the money, the parameters, quotes and rmse."""
        import polars as pl

        names = {"svi": "a b rho m sigma", "essvi": "theta rho psi", "sabr": "alpha beta rho nu k_low k_high"}
        columns: dict[str, Any] = {"expiry": list(self.labels), "t": self.years, "forward": self.forward}
        columns |= {"discount": self.discount, "atm": self.vol(0.0, self.years)}
        columns |= dict(zip(names[self.method].split(), self.parameters.T))
        if self.quotes is not None:
            columns |= {"quotes": np.diff(self.quotes.first), "rmse": self.rmse}
        return pl.DataFrame(columns)

    def _rows(self) -> list[tuple[str, str]]:
        vols = self.vol(0.0, self.years)
        rows = [
            ("expiries", f"{self.years.size} ({self.labels[0]} to {self.labels[-1]})"),
            ("vol at the money", f"{vols[0]:.2%} to {vols[-1]:.2%}"),
        ]
        if self.quotes is not None:
            out = int(np.count_nonzero(self.quotes.weight <= 0.0))
            rows += [
                ("quotes", f"{self.quotes.k.size} ({out} left out)"),
                ("residual", f"{self.rmse.max():.2%} at most"),
            ]
        rows += [("skipped", f"{label}: {reason}") for label, reason in self.skipped.items()]
        return rows

    def __repr__(self) -> str:
        return text_table(f"Surface ({self.method})", self._rows())

    def _repr_html_(self) -> str:
        return html_table(f"Surface ({self.method})", self._rows())
