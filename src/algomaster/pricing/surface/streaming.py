"""A surface kept up to date: whole chains or single quotes come in, warm fits go out, in bounded time.

1. The stream holds the last quote of every (expiry, strike); a new one takes its place.
2. An expiry that has news is fitted again from where it was (a descent of at most as many steps as a cold fit's last
   one, from one start instead of eight); the others keep their parameters. Extended SSVI is then freed of calendar
   arbitrage as after any fit.
3. If the residual of an expiry jumps, to more than ``jump`` times its usual one (a running mean), the warm fit may sit
   in the wrong valley: that expiry is fitted again from the eight starts.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from algomaster.core.arrays import as_array
from algomaster.core.errors import PricingError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.surface.smiles import SmileQuotes, fit_smiles, refit
from algomaster.pricing.surface.surface import Surface

__all__ = ["SurfaceStream"]

_MEMORY = 0.1
"""Share of the newest residual in the running mean."""
_SAME = 1e-9
"""Two log-moneynesses nearer than this are one strike."""


class SurfaceStream:
    """The newest surface of one underlying.

    Parameters
    ----------
    surface : Surface
        Fitted to a chain; the stream begins with its quotes and goes on with its settings.
    jump : float
        How many usual residuals an expiry may have before it is fitted from scratch.

    Attributes
    ----------
    surface : Surface
        The newest.
    restarts : int
        How many fits from scratch jumps have caused.
    """

    def __init__(self, surface: Surface, *, jump: float = 3.0) -> None:
        if surface.quotes is None:
            raise PricingError("A stream begins with a surface fitted to quotes.", hint="Use Surface.fit(chain).")
        if not jump > 1.0:
            raise ValueError(f"jump: expected a number above 1, got {jump!r}")
        self.surface = surface
        self.jump = jump
        self.restarts = 0
        self._usual = {label: float(rmse) for label, rmse in zip(surface.labels, surface.rmse)}

    def update(
        self, chain_or_k: Any, t: Any = None, vol: Any = None, weight: Any = 1.0, *, now: float | None = None
    ) -> Surface:
        """Take a whole chain, or quotes (k, t, vol, weight), and give the new surface.

        Parameters
        ----------
        chain_or_k : Chain, or float or (n,)
            A chain with volatilities; or ln(strike/forward) of quotes, by the surface's forwards.
        t : float or (n,)
            Years to an expiry of the surface, as it counts them.
        vol : float or (n,)
            NaN, or not above 0, takes the quote at that strike away.
        weight : float or (n,)
            Of the squared residual in volatility; the quotes of an expiry have weight 1 on average.
        now : float, optional
            Not with a chain: years that have passed since the surface's moment; all its expiries come nearer by it.

        Raises
        ------
        ValueError
            A time is no expiry of the surface, a weight is negative, shapes do not fit.
        PricingError
            No expiry of the chain can be fitted. The stream then keeps the surface that it had.
        """
        if t is None and vol is None:
            return self._take_chain(chain_or_k)
        if t is None or vol is None:
            raise ValueError("update: expected a chain, or k, t and vol together")
        arrays = (
            as_array(value, name) for name, value in (("k", chain_or_k), ("t", t), ("vol", vol), ("weight", weight))
        )
        k, years, vols, weights = (np.ascontiguousarray(a).reshape(-1) for a in np.broadcast_arrays(*arrays))
        if np.any(~(weights >= 0.0)) or not np.all(np.isfinite(k)):
            raise ValueError("update: expected finite k, and weights that are not negative")
        if now is not None:
            self._grow_older(now)
        return self._take_quotes(k, years, vols, weights)

    def _take_chain(self, chain: Any) -> Surface:
        old = self.surface
        settings = {name: old.settings[name] for name in ("weights", "trim", "beta", "clock")}
        if not isinstance(settings["weights"], str):
            settings["weights"] = "auto"
        new = Surface.fit(chain, old.method, previous=old, **settings)
        jumped = [label for label, rmse in zip(new.labels, new.rmse) if self._jumps(label, rmse)]
        if jumped:
            self.restarts += 1
            cold = Surface.fit(chain, old.method, **settings)
            new = cold if float(np.nansum(cold.rmse)) <= float(np.nansum(new.rmse)) else new
        return self._keep(new)

    def _jumps(self, label: str, rmse: float) -> bool:
        return label in self._usual and bool(rmse > self.jump * self._usual[label] + 1e-12)

    def _keep(self, surface: Surface) -> Surface:
        for label, rmse in zip(surface.labels, surface.rmse):
            usual = self._usual.get(label, float(rmse))
            self._usual[label] = usual + _MEMORY * (float(rmse) - usual)
        self.surface = surface
        return surface

    def _grow_older(self, passed: float) -> None:
        """Bring all expiries nearer; total variance shrinks in proportion, so that volatilities stay."""
        old = self.surface
        if not 0.0 <= passed < old.years[0]:
            raise ValueError(f"now: expected from 0 up to the first expiry, {old.years[0]:g} years, got {passed!r}")
        raise_if = old.clock is not old.years and not np.array_equal(old.clock, old.years)
        if raise_if:
            raise ValueError("now: a surface with a clock of its own cannot grow older by itself; give a chain")
        years = old.years - passed
        share = years / old.years
        quotes = old._quotes()
        by_quote = np.repeat(share, np.diff(quotes.first))
        parameters = old.parameters.copy()
        if old.method == "svi":
            parameters[:, :2] *= share[:, None]
        elif old.method == "essvi":
            parameters[:, (0, 2)] *= share[:, None]
        quotes = dataclasses.replace(
            quotes, variance=quotes.variance * by_quote, weight=quotes.weight / (by_quote * by_quote)
        )
        self.surface = dataclasses.replace(old, years=years, clock=years.copy(), parameters=parameters, quotes=quotes)

    def _take_quotes(self, k: FloatArray, t: FloatArray, vol: FloatArray, weight: FloatArray) -> Surface:
        old = self.surface
        nearest = np.abs(t[:, None] - old.years[None, :]).argmin(axis=1)
        wrong = ~(np.abs(t - old.years[nearest]) <= 1e-6)
        if wrong.any():
            raise ValueError(f"t: expected an expiry of the surface ({old.years}), got {t[wrong][0]!r}")
        quotes = _merged(old._quotes(), nearest.astype(np.int64), k, vol, weight, old)
        touched = np.unique(nearest)
        start = old.parameters.copy()
        parameters = old.parameters.copy()
        for e in touched:
            one = quotes.of(np.array([e]))
            parameters[e] = self._fit_one(int(e), one, start[e : e + 1])
            quotes.weight[quotes.first[e] : quotes.first[e + 1]] = one.weight
        if old.method == "essvi":
            refit(quotes, old.years, parameters)
        return self._keep(dataclasses.replace(old, parameters=parameters, quotes=quotes))

    def _fit_one(self, e: int, quotes: SmileQuotes, start: FloatArray) -> FloatArray:
        old = self.surface
        label = old.labels[e]
        terms: dict[str, Any] = {"beta": old.settings["beta"], "trim": old.settings["trim"]}
        cold = np.full_like(start, np.nan)
        place = (old.years[e : e + 1], old.forward[e : e + 1], (label,))
        before = quotes.weight.copy()
        row, _, _ = fit_smiles(old.method, quotes, *place, start=start, **terms)
        if self._jumps(label, _rmse(old, e, row, quotes)):
            self.restarts += 1
            quotes.weight[:] = before
            other, _, _ = fit_smiles(old.method, quotes, *place, start=cold, **terms)
            row = other
        return np.asarray(row[0])

    def __repr__(self) -> str:
        return text_table("SurfaceStream", self._rows())

    def _repr_html_(self) -> str:
        return html_table("SurfaceStream", self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        return [("method", self.surface.method), ("restarts", str(self.restarts)), *self.surface._rows()]


def _rmse(surface: Surface, e: int, row: FloatArray, quotes: SmileQuotes) -> float:
    one = dataclasses.replace(
        surface, years=surface.years[e : e + 1], clock=surface.clock[e : e + 1], parameters=row, quotes=quotes,
        labels=surface.labels[e : e + 1],
    )  # fmt: skip
    return float(one.rmse[0])


def _merged(
    old: SmileQuotes, expiry: IntArray, k: FloatArray, vol: FloatArray, weight: FloatArray, surface: Surface
) -> SmileQuotes:
    """Put quotes in the place of those at the same strike, or between their neighbours."""
    at = np.repeat(np.arange(surface.years.size), np.diff(old.first))
    keep = np.ones(old.k.size, bool)
    for e, x in zip(expiry, k):
        keep &= ~((at == e) & (np.abs(old.k - x) <= _SAME))
    _, last = np.unique(np.stack([expiry[::-1], np.round(k[::-1] / _SAME)]), axis=1, return_index=True)
    chosen = np.sort(k.size - 1 - last)
    chosen = chosen[(vol[chosen] > 0.0) & (vol[chosen] < np.inf) & (weight[chosen] > 0.0)]
    e_new, k_new, v_new = expiry[chosen], k[chosen], vol[chosen]
    years = surface.years[e_new]
    w_new = v_new * v_new * years
    nothing = np.full(k_new.size, np.nan)
    new = {
        "k": k_new, "variance": w_new, "weight": weight[chosen] / (4.0 * w_new * years), "half": nothing,
        "row": np.full(k_new.size, -1), "right": np.where(k_new >= 0.0, 1, -1),
        "strike": surface.forward[e_new] * np.exp(k_new), "bid": nothing, "ask": nothing,
    }  # fmt: skip
    all_expiries = np.concatenate([at[keep], e_new])
    order = np.lexsort((np.concatenate([old.k[keep], k_new]), all_expiries))
    joined = {name: np.concatenate([getattr(old, name)[keep], values])[order] for name, values in new.items()}
    first = np.searchsorted(all_expiries[order], np.arange(surface.years.size + 1)).astype(np.int64)
    return SmileQuotes(**joined, first=first)
