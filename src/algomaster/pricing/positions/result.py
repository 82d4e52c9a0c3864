"""Profit and loss of a position of several legs: now, at expiry, and between; breakevens, extremes, chances."""

from __future__ import annotations

import dataclasses
import importlib
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.arrays import as_array, as_vector, like
from algomaster.core.errors import PricingError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray
from algomaster.pricing.inputs import choose
from algomaster.pricing.positions.chances import chances
from algomaster.pricing.positions.legs import Leg, as_legs, check_range
from algomaster.pricing.positions.position import Market, Position
from algomaster.pricing.positions.shape import Shape, curved, straight

if TYPE_CHECKING:
    import polars as pl

    from algomaster.pricing.surface.surface import Surface

__all__ = ["Payoff", "payoff"]

_UNITS: Final = {"raw": (1.0, 1.0), "trader": (0.01, 1.0 / 365.0)}
_SPOTS: Final = 401
_SHOWN: Final = 6
_HIGHEST_RATE: Final = 3.0
_WIDEST: Final = 300.0  # in logarithms, so that what is searched stays within the numbers
_WIDEST_SHOWN: Final = 2.0


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Payoff:
    """What a position can make and lose. All amounts are after costs, none contains margin or interest on premium.

    Attributes
    ----------
    legs : tuple of Leg
        Quantities in units.
    spots : (M,) float64
        Ascending; the strikes and breakevens among them are included.
    at_expiry : (M,) float64
        Profit when the first option expires; options that expire later are worth their model value then.
    now : (M,) float64
        Profit at model values now; NaN if time or volatility are unknown.
    at, vol_shifts : (A,), (V,) float64
        Years from now, and shifts of all volatilities, of ``between``.
    between : (A, V, M) float64
    breakevens : (b,) float64
        Spots above 0 at the horizon where profit is 0 and changes sign, touches 0 or ends to be 0; ascending.
    profitable : tuple of (low, high)
        Stretches of the spot with a profit at the horizon; high may be infinite.
    max_profit, max_loss : float
        Largest and smallest profit at the horizon over all spots from 0 up; inf and -inf where there is no bound. A
        loss is negative.
    pop : float
        Risk-neutral probability of profit at the horizon.
    expected : float
        Mean of the profit at the horizon under the same distribution.
    net_premium : float
        Cash from dealing in the options: positive received, negative paid.
    delta, gamma, vega, theta : float
        Of the whole position now, by spot; see ``units``.
    spot, horizon, vol : float
        Spot; years to the first expiry; volatility of the lognormal distribution behind ``pop`` (NaN if a density was
        used or none is known).
    costs : float
    units : str
        "raw" (vega per 1.00, theta per year) or "trader" (per point, per day of 365).
    """

    legs: tuple[Leg, ...]
    spots: FloatArray
    at_expiry: FloatArray
    now: FloatArray
    at: FloatArray
    vol_shifts: FloatArray
    between: FloatArray
    breakevens: FloatArray
    profitable: tuple[tuple[float, float], ...]
    max_profit: float
    max_loss: float
    pop: float
    expected: float
    net_premium: float
    delta: float
    gamma: float
    vega: float
    theta: float
    spot: float
    horizon: float
    forward: float
    vol: float
    costs: float
    units: str
    position: Position = dataclasses.field(repr=False)

    def profit(self, spots: Any, *, elapsed: float | None = None, vol_shift: float = 0.0) -> Any:
        """Give the profit at other spots.

        Parameters
        ----------
        spots : float, array or Series
        elapsed : float, optional
            Years from now, at most the horizon; the horizon if left out.
        vol_shift : float
            Added to all volatilities.
        """
        _check_times(np.array([] if elapsed is None else [elapsed]), self.horizon)
        values = self.position.profit(as_array(spots, "spots"), elapsed, vol_shift) - self.costs
        return like(values, spots)

    def plot(self) -> Any:
        """Draw profit at expiry and now (and between) over the spot as a plotly figure."""
        return importlib.import_module("algomaster.pricing.positions.plots").payoff_figure(self)

    def to_frame(self) -> pl.DataFrame:
        """Give polars columns spot, at_expiry, now, and one for each time and shift asked for."""
        import polars as pl

        columns = {"spot": self.spots, "at_expiry": self.at_expiry, "now": self.now}
        for a, elapsed in enumerate(self.at):
            for v, shift in enumerate(self.vol_shifts):
                columns[f"after {elapsed:.6g} y, vol {shift:+.6g}"] = self.between[a, v]
        return pl.DataFrame(columns)

    def _rows(self) -> list[tuple[str, str]]:
        shown = [(f"leg {i}", str(leg)) for i, leg in enumerate(self.legs[:_SHOWN])]
        if len(self.legs) > _SHOWN:
            shown.append(("", f"and {len(self.legs) - _SHOWN} more"))
        of = "the density" if math.isnan(self.vol) and not math.isnan(self.pop) else f"vol {self.vol:.4g}"
        pop = "unknown: needs spot, t and a vol" if math.isnan(self.pop) else f"{self.pop:.2%}  ({of})"
        net = "paid" if self.net_premium < 0.0 else "received"
        per = "per 1.00, per year" if self.units == "raw" else "per point, per day"
        return [
            *shown,
            ("net premium", f"{abs(self.net_premium):,.2f} {net}"),
            ("max profit", _bound(self.max_profit)),
            ("max loss", _bound(self.max_loss)),
            ("breakevens", ", ".join(f"{x:,.2f}" for x in self.breakevens) or "none"),
            ("chance of profit", pop),
            ("expected profit", "unknown" if math.isnan(self.expected) else f"{self.expected:,.2f}"),
            ("delta, gamma", f"{self.delta:,.4g}, {self.gamma:,.4g}"),
            ("vega, theta", f"{self.vega:,.6g}, {self.theta:,.6g}  ({per})"),
            ("costs", f"{self.costs:,.2f}  (margin is not included)"),
        ]

    def __repr__(self) -> str:
        return text_table("Payoff", self._rows())

    def _repr_html_(self) -> str:
        return html_table("Payoff", self._rows())


def payoff(
    legs: Any,
    *,
    spot: float | None = None,
    t: float | None = None,
    vol: float | str | None = None,
    rate: float = 0.0,
    dividend: float = 0.0,
    forward: float | None = None,
    surface: Surface | None = None,
    density: Any = None,
    lot: float = 1.0,
    costs: float = 0.0,
    spots: Any = None,
    at: Any = None,
    vol_shifts: Any = None,
    units: str = "raw",
) -> Payoff:
    """Work out what a position of options and futures makes and loses.

    Parameters
    ----------
    legs : list of Leg, tuples or dicts, or a frame
        (right, strike, quantity, price[, t[, vol]]); see :class:`~algomaster.pricing.Leg`. Bought is positive. Options
        may expire at different times; the horizon of the results is the first expiry.
    spot : float, optional
        Price of the underlying now; without it there are no values before expiry and no chances.
    t : float, optional
        Years to expiry of options that carry none.
    vol : float or "implied", optional
        Volatility of legs that carry none, and of the distribution behind the chances; "implied" takes each leg's from
        the price it was dealt at, right for a position just entered. Without it, the distribution takes that of the
        option of the first expiry nearest to the money.
    rate, dividend : float
        Continuously compounded.
    forward : float, optional
        Of the underlying to the first expiry; the yield that it implies then holds for all.
    surface : Surface, optional
        Gives volatilities to legs that carry none (unless ``vol`` does), rates and forwards, and its density for the
        chances.
    density : callable, optional
        Probability density of the underlying at the first expiry, given spots (M,); used for the chances instead.
    lot : float
        Units in one of the legs' quantity.
    costs : float
        Charges of the whole position in money, subtracted everywhere.
    spots : (M,), optional
        Where to give the curves.
    at, vol_shifts : sequence, optional
        Years from now, and shifts of all volatilities, at which to give more curves (all pairs of them).
    units : "raw" or "trader"

    Returns
    -------
    Payoff

    Raises
    ------
    ValueError, TypeError
        A bad leg (which is named), or a market number out of range.
    PricingError
        Options expire at different times and the later ones cannot be valued.

    Examples
    --------
    >>> short = payoff([("CE", 24000, -75, 210.0), ("PE", 24000, -75, 190.0)])
    >>> short.breakevens.tolist(), short.max_profit, short.max_loss
    ([23600.0, 24400.0], 30000.0, -inf)
    """
    choose("units", units, _UNITS)
    if density is not None and not callable(density):
        raise TypeError(f"density: expected a function of spots, got {type(density).__name__}")
    market = _market(spot, t, vol, rate, dividend, forward, surface)
    if not (_finite("lot", lot) > 0.0 and math.isfinite(_finite("costs", costs))):
        raise ValueError(f"lot: expected a positive number, got {lot!r}")
    read = as_legs(legs, lot=lot)
    position = Position.of(read, market)
    shape = _shape(position, costs)
    times, shifts = _scenarios(at, vol_shifts, position)
    atm = _atm(position, vol)
    pdf = density
    if pdf is None and surface is not None and position.horizon > 0.0:
        pdf, atm = lambda s: surface.density(s, position.horizon), math.nan
    pop, expected = chances(
        position, shape, lambda s: position.profit(s) - costs, atm, pdf
    )  # fmt: skip
    grid = _grid(position, shape, atm) if spots is None else as_vector(spots, "spots")
    vega_unit, theta_unit = _UNITS[units]
    net = position.greeks()
    options = position.options
    return Payoff(
        legs=read,
        spots=grid,
        at_expiry=position.profit(grid) - costs,
        now=position.profit(grid, 0.0) - costs,
        at=times,
        vol_shifts=shifts,
        between=np.array([[position.profit(grid, a, v) - costs for v in shifts] for a in times]).reshape(
            times.size, shifts.size, grid.size
        ),
        breakevens=shape.breakevens,
        profitable=shape.profitable,
        max_profit=shape.max_profit,
        max_loss=shape.max_loss,
        pop=pop,
        expected=expected,
        net_premium=-math.fsum((position.quantity * position.price)[options]),
        delta=net["delta"],
        gamma=net["gamma"],
        vega=net["vega"] * vega_unit,
        theta=net["theta"] * theta_unit,
        spot=position.spot,
        horizon=position.horizon,
        forward=position.forward,
        vol=atm if density is None else math.nan,
        costs=float(costs),
        units=units,
        position=position,
    )


def _bound(amount: float) -> str:
    return f"{amount:,.2f}" if math.isfinite(amount) else "unlimited"


def _finite(name: str, value: Any) -> float:
    number = float(as_array(value, name))
    if not math.isfinite(number):
        raise ValueError(f"{name}: expected a finite number, got {value!r}")
    return number


def _market(spot: Any, t: Any, vol: Any, rate: Any, dividend: Any, forward: Any, surface: Any) -> Market:
    if spot is None and surface is not None:
        spot = surface.spot
    numbers = {"spot": spot, "t": t, "forward": forward, "vol": None if vol == "implied" else vol}
    if isinstance(vol, str) and vol != "implied":
        raise ValueError(f'vol: expected a number or "implied", got {vol!r}')
    known = {name: None if value is None else _finite(name, value) for name, value in numbers.items()}
    for name, value in known.items():
        check_range(name, value)
    rates = _finite("rate", rate), _finite("dividend", dividend)
    if max(map(abs, rates)) > _HIGHEST_RATE:
        raise ValueError(f"rate, dividend: expected at most {_HIGHEST_RATE:g} in size (1 is 100 %), got {rates}")
    return Market(
        spot=math.nan if known["spot"] is None else known["spot"],
        t=math.nan if known["t"] is None else known["t"],
        vol="implied" if vol == "implied" else known["vol"],
        rate=rates[0],
        dividend=rates[1],
        forward=known["forward"],
        surface=surface,
    )


def _shape(position: Position, costs: float) -> Shape:
    """Find breakevens and extremes at the horizon."""
    options = position.options

    def profit(spots: FloatArray) -> FloatArray:
        return position.profit(spots) - costs

    if position.single:
        strikes = np.unique(position.strike[options])
        top = float(strikes[-1]) if strikes.size else 0.0
        scale = float(np.abs(position.quantity) @ (position.price + top)) + abs(costs)
        return straight(profit, strikes, position.limit()[0], scale)
    later = options & (position.t > position.horizon)
    if np.isnan(position.vol[later]).any():
        raise PricingError(
            "expected a volatility for every option that expires after the first, got none.",
            hint="Give payoff(..., vol=) or a leg's vol.",
        )
    slope, level = position.limit()
    left = position.left(None)
    width = min(_WIDEST, 8.0 * float((position.vol * np.sqrt(left))[later].max()) + 0.1)
    strikes = position.strike[options]
    span = float(strikes.min() * math.exp(-width)), float(strikes.max() * math.exp(width))
    return curved(profit, np.unique(strikes), (slope, level - costs), span)


def _scenarios(at: Any, vol_shifts: Any, position: Position) -> tuple[FloatArray, FloatArray]:
    times = as_vector(np.atleast_1d(at), "at") if at is not None else np.zeros(0 if vol_shifts is None else 1)
    shifts = as_vector(np.atleast_1d(vol_shifts), "vol_shifts") if vol_shifts is not None else np.zeros(1)
    if at is not None:
        _check_times(times, position.horizon)
    lowest = np.nanmin(position.vol[position.options], initial=np.inf)
    if not np.isfinite(shifts).all() or (shifts < -lowest).any():
        raise ValueError(
            f"vol_shifts: expected finite numbers above -{lowest:g}, the lowest volatility, got {vol_shifts}"
        )
    return times, shifts


def _check_times(times: FloatArray, horizon: float) -> None:
    bad = ~((times >= 0.0) & (times <= horizon))
    if bad.any():
        raise ValueError(
            f"at: expected years from now between 0 and the first expiry ({horizon:g}), got {times[bad][0]:g}"
        )


def _atm(position: Position, vol: float | str | None) -> float:
    """Give the volatility of the distribution: as given, else that of the first expiry nearest to the money."""
    if vol is not None and not isinstance(vol, str):
        return float(vol)
    first = position.options & (position.t == position.horizon) & ~np.isnan(position.vol)
    if not first.any() or math.isnan(position.forward):
        return math.nan
    nearest = np.abs(np.log(position.strike[first] / position.forward)).argmin()
    return float(position.vol[first][nearest])


def _grid(position: Position, shape: Shape, vol: float) -> FloatArray:
    """Choose spots around strikes, breakevens and spot, at least three deviations wide, and these among them."""
    points = np.concatenate([position.strike[position.options], shape.breakevens, [position.spot]])
    points = points[np.isfinite(points)]
    if not points.size:
        points = position.price[position.price > 0.0]
    low, high = (float(points.min()), float(points.max())) if points.size else (0.0, 1.0)
    margin = max(0.3 * (high - low), 0.03 * high)
    low, high = low - margin, high + margin
    if position.spot * vol * position.horizon > 0.0:
        wide = min(_WIDEST_SHOWN, 3.0 * vol * math.sqrt(position.horizon))
        low, high = min(low, position.spot * math.exp(-wide)), max(high, position.spot * math.exp(wide))
    return np.union1d(np.linspace(max(low, 0.0), high, _SPOTS), points)
