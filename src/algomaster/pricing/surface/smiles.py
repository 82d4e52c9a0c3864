"""From a chain to fitted smiles: which quotes, with which weights, from which start."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np

from algomaster.core.arrays import as_array
from algomaster.core.errors import PricingError
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.inputs import choose
from algomaster.pricing.kernels import smile_eval, smile_fit
from algomaster.pricing.kernels import smile_quotes as weighting
from algomaster.pricing.kernels.essvi_fit import fit_essvi_surface

__all__ = [
    "CODES",
    "WIDTH",
    "SmileQuotes",
    "check_settings",
    "fit_smiles",
    "read_smiles",
    "refit",
    "start_from",
]

CODES: Final = {"svi": smile_eval.SVI, "essvi": smile_eval.ESSVI, "sabr": smile_eval.SABR}
WIDTH: Final = {"svi": 5, "essvi": 3, "sabr": 6}
"""Numbers in a row of parameters."""
_WEIGHTS: Final = {"equal": weighting.EQUAL, "vega": weighting.VEGA, "spread": weighting.SPREAD}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class SmileQuotes:
    """The quotes that a surface is fitted to, by expiry and ascending in strike.

    Attributes
    ----------
    k, variance : (q,)
        ln(strike/forward) and total implied variance.
    weight : (q,)
        Of the squared residual of total variance; 0 where a quote was left out as not belonging.
    half : (q,)
        Half the spread in volatility; NaN without a bid and an ask.
    row : (q,) int64
        Row of the chain.
    right : (q,) int64
    strike, bid, ask : (q,)
    first : (E + 1,) int64
        The quotes of expiry e stand from first[e] up to first[e + 1].
    """

    k: FloatArray
    variance: FloatArray
    weight: FloatArray
    half: FloatArray
    row: IntArray
    right: IntArray
    strike: FloatArray
    bid: FloatArray
    ask: FloatArray
    first: IntArray

    def of(self, expiries: IntArray) -> SmileQuotes:
        """Give the quotes of some expiries only."""
        spans = [slice(self.first[e], self.first[e + 1]) for e in expiries]
        names = [field.name for field in dataclasses.fields(self) if field.name != "first"]
        kept = {name: np.concatenate([getattr(self, name)[span] for span in spans]) for name in names}
        sizes = [span.stop - span.start for span in spans]
        return SmileQuotes(**kept, first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


def read_smiles(chain: Any, weights: Any) -> SmileQuotes:
    """Take the usable quotes of a chain.

    Parameters
    ----------
    chain : Chain
        With volatilities.
    weights : "auto", "equal", "vega", "spread" or (n,)

    Raises
    ------
    ValueError
        Unknown ``weights``, or not one a quote.
    """
    size, expiries = chain.strike.size, chain.years.size
    vol, given = chain.vol, chain.vol
    if isinstance(weights, str):
        choose("weights", weights, ("auto", *_WEIGHTS))
        kind = _WEIGHTS["spread"] if weights == "auto" else _WEIGHTS[weights]
    else:
        given = as_array(weights, "weights")
        if given.shape != (size,):
            raise ValueError(f"weights: expected one a quote, {size}, got shape {given.shape}")
        if np.any(given < 0.0):
            raise ValueError(f"weights: expected none below 0, got {np.min(given[given < 0.0]):g}")
        kind = weighting.GIVEN
        vol = np.where(given > 0.0, vol, np.nan)
    k, share, row = np.empty(size), np.empty(size), np.empty(size, np.int64)
    first = np.empty(expiries + 1, np.int64)
    weighting.smile_quotes(
        chain.right, chain.strike, vol, chain.expiry, chain.years, chain.forward, k, share, row, first,
        np.empty(expiries, np.int64),
    )  # fmt: skip
    used = int(first[-1])
    k, share, row = k[:used], share[:used], row[:used]
    w, omega, half = np.empty(used), np.empty(used), np.empty(used)
    discount = np.where(chain.discount > 0.0, chain.discount, 1.0)
    while True:
        weighting.smile_weights(
            kind, k, share, row, first, vol, chain.bid, chain.ask, given, chain.years, chain.forward, discount, w,
            omega, half,
        )  # fmt: skip
        two_sided = 2 * np.count_nonzero(half >= 0.0)
        if not isinstance(weights, str) or weights != "auto" or kind == weighting.VEGA or two_sided >= used:
            break
        kind = weighting.VEGA
    return SmileQuotes(
        k=k, variance=w, weight=omega, half=half, row=row, right=chain.right[row], strike=chain.strike[row],
        bid=chain.bid[row], ask=chain.ask[row], first=first,
    )  # fmt: skip


def fit_smiles(
    method: str, quotes: SmileQuotes, years: FloatArray, forward: FloatArray, labels: tuple[str, ...], *,
    beta: float | None, trim: float | None, start: FloatArray,
) -> tuple[FloatArray, IntArray, dict[str, str]]:  # fmt: skip
    """Fit every expiry that can be; give parameters (E', p), which expiries (E',) they are of, and why not the others.

    ``quotes.weight`` is set to 0 where a quote is left out. ``start`` (E, p) holds fits to start from, NaN elsewhere.

    Raises
    ------
    PricingError
        No expiry can be fitted.
    """
    least = {"svi": 5, "essvi": 3, "sabr": 3 if beta is not None else 4}[method]
    size, expiries = quotes.k.size, years.size
    parameters = start.copy()
    status = np.empty(expiries, np.int64)
    warm = np.asarray(~np.isnan(start).any(axis=1), dtype=np.int64)
    smile_fit.fit_expiries(
        CODES[method], quotes.k, quotes.variance, quotes.weight, quotes.half, quotes.first, years, forward,
        np.nan if beta is None else beta, np.inf if trim is None else trim, least, warm, parameters, status,
        np.empty((18, 10)), np.empty(size), np.empty(size),
    )  # fmt: skip
    kept = np.flatnonzero(status == smile_fit.FITTED)
    counts = np.diff(quotes.first)
    reasons = {
        smile_fit.NO_FORWARD: "no forward",
        smile_fit.NO_FIT: "no fit was found",
        smile_fit.TOO_FEW: f"fewer than {least} strikes with a volatility",
    }
    skipped = {labels[e]: f"{reasons[int(status[e])]} ({counts[e]} quotes)" for e in range(expiries) if status[e] != 0}
    if not kept.size:
        listed = "; ".join(f"{label}: {reason}" for label, reason in skipped.items())
        raise PricingError(f"No expiry of the chain can be fitted ({listed or 'it has none'}).",
                           hint="See chain.status for what became of the quotes.", skipped=skipped)  # fmt: skip
    return parameters[kept], kept, skipped


def refit(quotes: SmileQuotes, years: FloatArray, parameters: FloatArray) -> int:
    """Free extended SSVI of calendar arbitrage, in place; give the number of joint steps."""
    expiries = years.size
    size = 3 * expiries
    least = 1e-6 * parameters[:, 0]
    shape = (expiries, 3)
    return int(
        fit_essvi_surface(
            quotes.k, quotes.variance, quotes.weight, quotes.first, parameters, least, np.empty(shape), np.empty(shape),
            np.empty(shape), np.empty((size + 6, size)), np.empty((size, size)), np.empty((18, 10)),
        )
    )  # fmt: skip


def check_settings(trim: float | None, beta: float | None) -> None:
    """Refuse settings that are out of range."""
    if trim is not None and not trim > 0.0:
        raise ValueError(f"trim: expected a positive number or None, got {trim!r}")
    if beta is not None and not 0.0 <= beta <= 1.0:
        raise ValueError(f"beta: expected a number from 0 to 1 or None, got {beta!r}")


def start_from(old: tuple[str, ...], parameters: FloatArray, labels: tuple[str, ...], start: FloatArray) -> None:
    """Write the ``parameters`` of the expiries called ``old`` into those rows of ``start`` that have the same label."""
    known = {label: e for e, label in enumerate(old)}
    for e, label in enumerate(labels):
        if label in known:
            start[e] = parameters[known[label]]
