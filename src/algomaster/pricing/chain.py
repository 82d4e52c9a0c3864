"""An option chain: one underlying's quotes at one moment, with forwards, volatilities and Greeks beside them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from algomaster.core.errors import PricingError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.chain_table import Quotes, add_columns, read_quotes
from algomaster.pricing.european import Greeks, greeks
from algomaster.pricing.forwards import Forwards, find_forwards
from algomaster.pricing.implied import ImpliedStatus, implied_vol
from algomaster.pricing.inputs import choose

if TYPE_CHECKING:
    import polars as pl

    from algomaster.pricing.surface.surface import Surface

__all__ = ["Chain"]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Chain:
    """One underlying's options at one moment: n quotes in the caller's row order, E expiries ascending in time.

    Every method gives a new chain; nothing is changed in place.

    Attributes
    ----------
    right : (n,) int64
        +1 call, -1 put.
    strike, t : (n,)
        Strike, and years to expiry.
    price : (n,)
        What is taken as the price: the column ``price`` if there is one, else the middle of bid and ask. NaN where
        there is none: one side is missing, or the bid is above the ask.
    bid, ask, oi, volume : (n,)
        NaN where missing; a bid or ask of 0 is none.
    expiry : (n,) int64
        Which expiry, 0 to E - 1.
    spot : float
        NaN if unknown.
    years, forward, discount : (E,)
        Forward is NaN where none could be found.
    labels : tuple of str
        The expiries by name: ISO date, or years where only those were given.
    forwards : Forwards
        Where forwards and rates came from, and their errors; :meth:`forward_table` shows them.
    vol, status : (n,), after :meth:`implied_vols`
        As of :func:`~algomaster.pricing.implied_vol`.
    sensitivities : Greeks, after :meth:`greeks`
    """

    right: IntArray
    strike: FloatArray
    t: FloatArray
    price: FloatArray
    bid: FloatArray
    ask: FloatArray
    oi: FloatArray
    volume: FloatArray
    expiry: IntArray
    spot: float
    years: FloatArray
    labels: tuple[str, ...]
    forwards: Forwards
    frame: Any
    vol: FloatArray | None = None
    status: IntArray | None = None
    sensitivities: Greeks | None = None

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        spot: float | None = None,
        at: Any = None,
        forward: Any = None,
        rate: Any = None,
        dividend: float = 0.0,
        expiry_time: str = "15:30",
        zone: str = "Asia/Kolkata",
    ) -> Self:
        """Read a table of quotes and find the forward and discount of each expiry.

        Parameters
        ----------
        frame : polars or pandas DataFrame, or a dict of arrays
            Columns ``strike``; ``right`` ("CE"/"PE", "c"/"p", "call"/"put", +1/-1); ``t`` (years) or ``expiry`` (dates
            or moments), or both; ``price`` or ``bid`` and ``ask``; optionally ``oi``, ``volume``, ``spot``, and per
            expiry ``forward`` and ``discount``. Other columns are carried along.
        spot : float, optional
            Otherwise the median of the column ``spot``, if there is one.
        at : date, datetime or text, optional
            Moment of the quotes; needed to count from ``expiry`` where there is no ``t``. Years are of 365 days.
        forward : float or (E,), optional
            Otherwise found by put-call parity, see :mod:`algomaster.pricing.forwards`.
        rate : float or (E,), optional
            Continuously compounded; otherwise read from the box where the quotes allow, else 0.
        dividend : float
            Yield; used only for an expiry without a pair of call and put, whose forward comes from the spot.
        expiry_time, zone : str
            At which time of day a date expires, and where times without a zone are.

        Raises
        ------
        ValueError
            A column is lacking, a strike, right, time or expiry is missing, a contract comes twice, or an argument is
            out of range; nothing is dropped silently.
        TypeError
            Not a table, or not numbers.

        Examples
        --------
        >>> quotes = {"right": ["c", "p"], "strike": [100, 100], "t": [0.5, 0.5], "price": [6.0, 5.0]}
        >>> Chain.from_frame(quotes, rate=0.0).forward.tolist()
        [101.0]
        """
        quotes = read_quotes(frame, spot=spot, at=at, expiry_time=expiry_time, zone=zone)
        forwards = _forwards(quotes, forward=forward, rate=rate, dividend=dividend)
        fields = {field.name for field in dataclasses.fields(cls)}
        kept = {name: value for name, value in vars(quotes).items() if name in fields}
        return cls(**kept, forwards=forwards, frame=frame)

    @property
    def forward(self) -> FloatArray:
        """Forward of each expiry, (E,)."""
        return self.forwards.forward

    @property
    def discount(self) -> FloatArray:
        """Discount factor of each expiry, (E,)."""
        return self.forwards.discount

    @property
    def rate(self) -> FloatArray:
        """Continuously compounded rate of each expiry, (E,)."""
        return self.forwards.rate

    def implied_vols(self) -> Self:
        """Give the chain with ``vol`` and ``status``: those of :func:`~algomaster.pricing.implied_vol`, to the bit."""
        found = implied_vol(
            self.price, self.right, None, self.strike, self.t, rate=self.rate[self.expiry],
            forward=self.forward[self.expiry],
        )  # fmt: skip
        return dataclasses.replace(self, vol=found.vol, status=found.status)

    def greeks(self, *, order: int = 1, units: str = "raw", by: str = "forward") -> Self:
        """Give the chain with ``sensitivities``: those of :func:`~algomaster.pricing.greeks`, to the bit.

        Parameters
        ----------
        order, units
            As for :func:`~algomaster.pricing.greeks`.
        by : "forward" or "spot"
            What delta and gamma are taken by. "spot" needs a spot; the yield is then the one that the forward implies.

        Raises
        ------
        PricingError
            ``by="spot"`` without a spot.
        """
        choose("by", by, ("forward", "spot"))
        chain = self if self.vol is not None else self.implied_vols()
        rate, forward = self.rate[self.expiry], self.forward[self.expiry]
        if by == "spot":
            if not self.spot > 0.0:
                raise PricingError("Greeks by spot: this chain has no spot.", hint="Give spot= to Chain.from_frame.")
            carry = np.log(self.forward / self.spot) / np.where(self.years > 0.0, self.years, np.nan)
            under: dict[str, Any] = {"spot": self.spot, "dividend": rate - carry[self.expiry]}
        else:
            under = {"spot": None, "forward": forward}
        found = greeks(
            self.right, strike=self.strike, t=self.t, vol=chain.vol, rate=rate, order=order, units=units, **under
        )
        return dataclasses.replace(chain, sensitivities=found)

    def surface(self, method: str = "essvi", **settings: Any) -> Surface:
        """Fit a volatility surface; see :meth:`algomaster.pricing.Surface.fit`."""
        from algomaster.pricing.surface.surface import Surface

        chain = self if self.vol is not None else self.implied_vols()
        return Surface.fit(chain, method=method, **settings)

    def to_frame(self) -> Any:
        """Give the caller's table with t, price, forward, discount and what has been computed, in its kind."""
        new: dict[str, Any] = {
            "t": self.t,
            "price": self.price,
            "forward": self.forward[self.expiry],
            "discount": self.discount[self.expiry],
        }
        if self.vol is not None:
            new |= {"vol": self.vol, "status": self.status}
        if self.sensitivities is not None:
            new |= _columns_of(self.sensitivities)
        return add_columns(self.frame, new)

    def forward_table(self) -> pl.DataFrame:
        """Give a row an expiry: years, forward, rate, where they came from, their standard errors, pairs used."""
        import polars as pl

        found = self.forwards
        return pl.DataFrame(
            {
                "expiry": self.labels,
                "t": self.years,
                "forward": found.forward,
                "forward_error": found.forward_error,
                "forward_from": found.forward_from,
                "discount": found.discount,
                "rate": found.rate,
                "rate_error": found.rate_error,
                "rate_from": found.rate_from,
                "pairs": found.pairs,
                "quotes": np.bincount(self.expiry, minlength=self.years.size),
            }
        )

    def _rows(self) -> list[tuple[str, str]]:
        priced = int(np.count_nonzero(~np.isnan(self.price)))
        rows = [
            ("quotes", f"{self.strike.size} ({priced} with a price)"),
            ("expiries", f"{len(self.labels)} ({self.labels[0]} to {self.labels[-1]})"),
            ("spot", f"{self.spot:g}"),
            ("forward", f"{self.forward[0]:g} ({self.forwards.forward_from[0]}) of the first expiry"),
        ]
        if self.status is not None:
            bad = {s.name: int(np.count_nonzero(self.status == s)) for s in ImpliedStatus}
            rows.append(("vols", ", ".join(f"{count} {name}" for name, count in bad.items() if count)))
        if self.sensitivities is not None:
            rows.append(("greeks", ", ".join(_columns_of(self.sensitivities))))
        return rows

    def __repr__(self) -> str:
        return text_table("Chain", self._rows())

    def _repr_html_(self) -> str:
        return html_table("Chain", self._rows())


def _columns_of(sensitivities: Greeks) -> dict[str, Any]:
    values = {field.name: getattr(sensitivities, field.name) for field in dataclasses.fields(sensitivities)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray) and name != "price"}


def _forwards(quotes: Quotes, *, forward: Any, rate: Any, dividend: float) -> Forwards:
    years = quotes.years
    order = quotes.order
    starts = np.searchsorted(quotes.expiry[order], np.arange(years.size + 1)).astype(np.int64)
    given_forward = _by_expiry(forward, quotes.forward, quotes.expiry, years.size, "forward")
    given_discount = _by_expiry(None, quotes.discount, quotes.expiry, years.size, "discount")
    with np.errstate(divide="ignore", invalid="ignore"):
        from_discount = -np.log(given_discount) / years
    given_rate = from_discount if rate is None else _by_expiry(rate, None, quotes.expiry, years.size, "rate")
    quoted = not (np.isnan(quotes.bid).all() or np.isnan(quotes.ask).all())
    width = 0.5 * (quotes.ask - quotes.bid) if quoted else np.zeros(order.size)
    width = np.where(width >= 0.0, width, np.nan)
    return find_forwards(
        quotes.right[order], quotes.strike[order], quotes.price[order], width[order], starts, years,
        spot=quotes.spot, dividend=dividend, forward=given_forward, rate=given_rate,
    )  # fmt: skip


def _by_expiry(given: Any, column: FloatArray | None, expiry: IntArray, count: int, name: str) -> FloatArray:
    """Give one number an expiry: the argument, else the median of the column; NaN where there is neither."""
    if given is not None:
        values = np.asarray(given, np.float64)
        if values.ndim > 1 or values.size not in (1, count) or not np.isfinite(values).all():
            raise ValueError(f"{name}: expected a number, or one for each of {count} expiries, got {given!r}")
        if name == "forward" and not (values > 0.0).all():
            raise ValueError(f"forward: expected positive numbers, got {given!r}")
        return np.broadcast_to(values.reshape(-1), (count,)).copy()
    out = np.full(count, np.nan)
    if column is not None and not np.isnan(column).all():
        for e in range(count):
            known = column[(expiry == e) & (column > 0.0) & (column < np.inf)]
            out[e] = np.median(known) if known.size else np.nan
    return out
