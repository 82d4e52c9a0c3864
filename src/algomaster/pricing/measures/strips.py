"""Which quotes of an expiry a volatility index counts, and the variance they give."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import numpy as np

from algomaster.core.types import CALL, PUT, FloatArray
from algomaster.pricing.kernels.variance_index import between_quotes, live_strip, strip_variance

if TYPE_CHECKING:
    import polars as pl

    from algomaster.pricing.chain import Chain

__all__ = ["Strip", "cboe_strip", "nse_strip"]

_ZEROS: Final = 2
"""So many strikes in a row without a bid end a wing (Cboe)."""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Strip:
    """The quotes of one expiry that count, and their variance.

    Attributes
    ----------
    label : str
    t, forward : float
    at_strike : float
        K0, the last strike not above the forward.
    variance : float
        Per year; NaN if ``problem`` says why.
    strikes, quotes, widths, contributions : (m,)
        K, Q(K), dK and dK/K**2 exp(R T) Q(K) of the strikes that count.
    filled : int
        How many of the quotes come from the spline.
    problem : str
        Why there is no variance; empty if there is one.
    """

    label: str
    t: float
    forward: float
    at_strike: float
    variance: float
    strikes: FloatArray
    quotes: FloatArray
    widths: FloatArray
    contributions: FloatArray
    filled: int
    problem: str

    def to_frame(self) -> pl.DataFrame:
        """Give expiry, strike, quote, width and contribution as a polars frame."""
        import polars as pl

        columns = {"strike": self.strikes, "quote": self.quotes, "width": self.widths}
        frame = pl.DataFrame({**columns, "contribution": self.contributions})
        return frame.select(pl.lit(self.label).alias("expiry"), pl.all())


@dataclasses.dataclass(frozen=True, eq=False)
class _Board:
    """Quotes of one expiry on a common ladder of strikes: (m,) each, NaN where there is none."""

    strikes: FloatArray
    call: FloatArray
    put: FloatArray
    call_spread: FloatArray
    put_spread: FloatArray

    @classmethod
    def of(cls, chain: Chain, number: int) -> _Board:
        """Mids count where there is a bid; in an expiry without any bid or ask the prices do, as without a spread."""
        rows = np.flatnonzero((chain.expiry == number) & np.isfinite(chain.strike))
        bid, ask, price = chain.bid[rows], chain.ask[rows], chain.price[rows]
        unquoted = bool(np.isnan(bid).all() and np.isnan(ask).all())
        live = (bid > 0.0) & (ask >= bid)
        mid = np.where(live, 0.5 * (bid + ask), np.where(unquoted & (price > 0.0), price, np.nan))
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.where(live, (ask - bid) / mid, 0.0)
        strikes, place = np.unique(chain.strike[rows], return_inverse=True)
        ladders = []
        for right in (CALL, PUT):
            side = chain.right[rows] == right
            for values in (mid, spread):
                ladder = np.full(strikes.size, np.nan)
                ladder[place[side]] = values[side]
                ladders.append(ladder)
        return cls(strikes, ladders[0], ladders[2], ladders[1], ladders[3])

    def parity_forward(self, discount: float) -> float:
        """Give K + (C - P) / D at the strike where call and put are nearest in price; NaN without any."""
        gap = np.abs(self.call - self.put)
        if not np.isfinite(gap).any():
            return np.nan
        at = int(np.nanargmin(gap))
        return float(self.strikes[at] + (self.call[at] - self.put[at]) / discount)

    def strike_at(self, forward: float) -> int:
        """Give the number of the last strike not above the forward, -1 if there is none."""
        return int(np.searchsorted(self.strikes, forward, side="right")) - 1


def cboe_strip(chain: Chain, number: int, forward: float) -> Strip:
    """Give the strip of expiry ``number`` by Cboe's rules; the forward is that of parity unless one is given."""
    board = _Board.of(chain, number)
    discount = float(chain.discount[number])
    if np.isnan(forward):
        forward = board.parity_forward(discount)
    at = board.strike_at(forward)
    quotes = np.full(board.strikes.size, np.nan)
    if at >= 0 and forward > 0.0:
        live_strip(board.call, board.put, at, _ZEROS, quotes)
    return _strip(chain, number, board.strikes, quotes, quotes, at, forward)


def nse_strip(chain: Chain, number: int, forward: float, max_spread: float) -> Strip:
    """Give the strip of expiry ``number`` by NSE's rules.

    Quotes wider than ``max_spread`` of their mid, or missing, are replaced by a natural cubic spline through the others
    of the same side; beyond the outermost good quote nothing counts. The forward is the given one, else the chain's
    (NSE takes the future's last price), else that of parity.
    """
    board = _Board.of(chain, number)
    if np.isnan(forward):
        forward = float(chain.forward[number])
    if np.isnan(forward):
        forward = board.parity_forward(float(chain.discount[number]))
    at = board.strike_at(forward)
    quoted, quotes = np.full((2, board.strikes.size), np.nan)
    if at >= 0 and forward > 0.0:
        with np.errstate(invalid="ignore"):
            call = np.where(board.call_spread <= max_spread, board.call, np.nan)
            put = np.where(board.put_spread <= max_spread, board.put, np.nan)
        call[:at], put[at + 1 :] = np.nan, np.nan
        full = np.empty((2, call.size))
        between_quotes(board.strikes, call, full[0])
        between_quotes(board.strikes, put, full[1])
        quoted, quotes = _otm(call, put, at), _otm(full[0], full[1], at)
    return _strip(chain, number, board.strikes, quoted, quotes, at, forward)


def _otm(call: FloatArray, put: FloatArray, at: int) -> FloatArray:
    return np.concatenate([put[:at], [0.5 * (call[at] + put[at])], call[at + 1 :]])


def _strip(
    chain: Chain, number: int, strikes: FloatArray, quoted: FloatArray, quotes: FloatArray, at: int, forward: float
) -> Strip:
    t, discount = float(chain.years[number]), float(chain.discount[number])
    widths, contributions = np.zeros((2, strikes.size))
    known = np.isfinite(quotes)
    variance = np.nan
    if not forward > 0.0:
        problem = "no strike has both a call and a put"
    elif at < 0:
        problem = f"all strikes are above the forward {forward:.6g}"
    elif not known[at]:
        problem = f"call and put at {strikes[at]:g} are not both quoted"
    elif known.sum() < 2 or not t > 0.0 or not discount > 0.0:
        problem = "fewer than two strikes are quoted" if known.sum() < 2 else "time or discount is not positive"
    else:
        problem = ""
        variance = strip_variance(strikes, quotes, at, forward, 1.0 / discount, t, widths, contributions)
    return Strip(
        label=chain.labels[number], t=t, forward=forward, at_strike=float(strikes[at]) if at >= 0 else np.nan,
        variance=float(variance), strikes=strikes[known], quotes=quotes[known], widths=widths[known],
        contributions=contributions[known], filled=int((known & ~np.isfinite(quoted)).sum()), problem=problem,
    )  # fmt: skip
