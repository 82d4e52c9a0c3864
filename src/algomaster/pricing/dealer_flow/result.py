"""Exposure of a chain's open interest: what dealers must trade as spot, volatility and time move.

1. :class:`~algomaster.pricing.dealer_flow.quotes.Quotes` takes the quotes that count, in one order.
2. Their delta, gamma, vanna and charm by spot, times sign, interest and lot, are summed by right, expiry and strike.
3. Walls, max pain and put-call ratios are read from those sums (``levels``), the profile and its flips are computed
   anew at every spot (``profile``).

Spot cancels out of the exposures: spot**2 * gamma by spot is forward**2 * gamma by forward, so hedging with the future
or with the underlying makes no difference but in charm, which here is that of a hedge in the underlying.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.arrays import as_array, as_vector, kind_of
from algomaster.core.errors import PricingError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import CALL, FloatArray
from algomaster.pricing.dealer_flow.levels import max_pain, payouts, ratio, wall
from algomaster.pricing.dealer_flow.profile import Profile, Terms, flips, profile_of
from algomaster.pricing.dealer_flow.quotes import Quotes, cells, total
from algomaster.pricing.inputs import choose

if TYPE_CHECKING:
    from algomaster.pricing.chain import Chain

__all__ = ["Exposure", "exposure"]

_SIGNS: Final = {"dealer": (1.0, -1.0), "reversed": (-1.0, 1.0), "short": (-1.0, -1.0), "gross": (1.0, 1.0)}
_OI_UNITS: Final = ("contracts", "units")
_PER_POINT: Final = 0.01
_DAYS: Final = 365.0
_SPOTS: Final = 201
_MEASURES: Final = ("gex", "dex", "vex", "chex")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Exposure:
    """Dealer flow of one chain; amounts in the currency of the spot.

    Attributes
    ----------
    gex : float
        Underlying to trade against a move of 1 %: sum of sign * gamma * oi * lot * spot**2 * 0.01.
    dex : float
        Delta of the open interest as its holders have it: sum of delta * oi * lot * spot (no sign).
    vex : float
        Change of the hedge with a point of volatility: sum of sign * vanna * oi * lot * spot * 0.01.
    chex : float
        Change of the hedge with a calendar day: sum of sign * charm * oi * lot * spot / 365; charm by calendar time (as
        theta is) at constant spot.
    flip : float
        Spot nearest to the current at which net gex, all gammas computed anew, is zero; NaN if there is none among the
        profile's spots.
    flips : (n,) float64
        All of them, ascending.
    call_wall, put_wall : float
        Strike of the calls' and of the puts' largest gex in size.
    max_pain : float
        Listed strike at which all holders together are paid least, over the chosen expiries.
    pcr, pcr_volume : float
        Put over call, by open interest and by volume.
    frame : polars or pandas frame
        One row a strike: strike, gex, dex, vex, chex, call_gex, put_gex, call_oi, put_oi, call_volume, put_volume,
        payout (what all holders are paid if the underlying settles there). NaN where nothing is known.
    by_expiry : polars or pandas frame
        One row an expiry: expiry, t, forward, the four measures, open interest, ratios, max pain, walls, counts.
    profile : Profile
        Net gex at other spots.
    grids : dict of (E, K) float64
        Each measure by expiry and strike.
    strikes : (K,) float64
    labels : tuple of str
        The expiries (E,).
    spot : float
    spot_from : "chain" or "forward"
        Where the chain has no spot, the nearest forward stands for it.
    sign : (float, float)
        Of calls and of puts.
    quotes, counted, no_oi, no_vol : int
        Listed quotes of the chosen expiries; those in the exposures; those left out because interest is unknown, or
        because it is known and volatility, forward or time is not. Max pain and ratios use all with open interest.
    """

    gex: float
    dex: float
    vex: float
    chex: float
    flip: float
    flips: FloatArray
    call_wall: float
    put_wall: float
    max_pain: float
    pcr: float
    pcr_volume: float
    frame: Any
    by_expiry: Any
    profile: Profile
    grids: dict[str, FloatArray]
    strikes: FloatArray
    labels: tuple[str, ...]
    spot: float
    spot_from: str
    sign: tuple[float, float]
    quotes: int
    counted: int
    no_oi: int
    no_vol: int

    def plot(self, kind: str = "flow", *, value: str = "gex") -> Any:
        """Draw the exposure as a plotly figure.

        Parameters
        ----------
        kind : "flow" or "heatmap"
            Bars by strike beside the profile, or a map of strike by expiry.
        value : "gex", "dex", "vex" or "chex"
            What bars and map show.
        """
        choose("kind", kind, ("flow", "heatmap"))
        choose("value", value, _MEASURES)
        plots = importlib.import_module("algomaster.pricing.dealer_flow.plots")
        return plots.flow_figure(self, value) if kind == "flow" else plots.heatmap_figure(self, value)

    def to_frame(self) -> Any:
        """Give the table by strike as a polars frame."""
        return _framed("polars", {name: np.asarray(self.frame[name]) for name in self.frame.columns})

    def _rows(self) -> list[tuple[str, str]]:
        span = f"{self.profile.spots[0]:,.2f} to {self.profile.spots[-1]:,.2f}"
        others = (
            f"  (also {', '.join(f'{x:,.2f}' for x in self.flips if x != self.flip)})" if self.flips.size > 1 else ""
        )
        flip = f"none from {span}" if math.isnan(self.flip) else f"{self.flip:,.2f}{others}"
        missing = [f"{n} {why}" for n, why in ((self.no_oi, "without OI"), (self.no_vol, "without volatility")) if n]
        left_out = f"  (left out: {', '.join(missing)})" if missing else ""
        return [
            ("spot", _level(self.spot) + ("" if self.spot_from == "chain" else "  (the nearest forward)")),
            ("sign", f"calls {self.sign[0]:+g}, puts {self.sign[1]:+g}"),
            ("GEX per 1 %", _amount(self.gex)),
            ("DEX", _amount(self.dex)),
            ("VEX per point", _amount(self.vex)),
            ("CHEX per day", _amount(self.chex)),
            ("flip", flip),
            ("call wall, put wall", f"{_level(self.call_wall)}, {_level(self.put_wall)}"),
            ("max pain", _level(self.max_pain)),
            ("PCR (OI, volume)", f"{self.pcr:.3f}, {self.pcr_volume:.3f}"),
            ("expiries", f"{self.labels[0]} to {self.labels[-1]}" if len(self.labels) > 1 else self.labels[0]),
            ("quotes", f"{self.counted} of {self.quotes}{left_out}"),
        ]

    def __repr__(self) -> str:
        return text_table("Exposure", self._rows())

    def _repr_html_(self) -> str:
        return html_table("Exposure", self._rows())


def exposure(
    chain: Chain,
    *,
    lot: Any = 1.0,
    sign: str | tuple[float, float] = "dealer",
    oi_unit: str = "contracts",
    expiries: Any = None,
    spots: Any = None,
    reach: float = 0.2,
) -> Exposure:
    """Measure what dealers who are on the other side of a chain's open interest must trade.

    Parameters
    ----------
    chain : Chain
        With open interest; volatilities are implied if it has none yet. Its forwards and discounts are used.
    lot : float or (n,)
        Units of the underlying in one contract, for all quotes or for each.
    sign : "dealer", "reversed", "short", "gross" or (call, put)
        How dealers are assumed to stand in calls and in puts, for gex, vex and chex; nobody publishes it, sources
        disagree. "dealer" (+1, -1): customers overwrite calls and buy puts (SqueezeMetrics, "Gamma Exposure", 2016, and
        most dashboards, also as "naive GEX"); "reversed" (-1, +1): the other way round, or the customers' side of
        "dealer"; "short" (-1, -1): dealers wrote every option; "gross" (+1, +1): how much gamma there is at all.
    oi_unit : "contracts" or "units"
        What the chain's open interest counts; in units (as in NSE's bhavcopies) the lot is in it already and not used.
        For NSE's website chain, which counts lots, give the lot of the day.
    expiries : label, place or several of them, optional
        Which expiries to take, as ``["2025-08-28"]`` or ``[0, 1]``; all if left out.
    spots : (M,), optional
        Ascending spots of the profile; flips are looked for between them. Otherwise 201 from ``1 - reach`` to
        ``1 + reach`` times the spot.
    reach : float
        Between 0 and 1.

    Returns
    -------
    Exposure
        Open interest that is NaN is unknown, never 0: such quotes are left out and counted, as are quotes without a
        volatility. Where nothing counts, results are NaN.

    Raises
    ------
    PricingError
        The chain has neither a spot nor a forward.
    ValueError, TypeError
        Unknown sign, unit, expiry; a lot or spots that are not positive.

    Examples
    --------
    >>> exposure(chain, lot=75, sign="dealer").max_pain  # doctest: +SKIP
    24500.0
    """
    choose("oi_unit", oi_unit, _OI_UNITS)
    chain = _priced(chain)
    lots = _lots(lot, chain.strike.size)
    quotes = Quotes.of(chain, expiries=expiries, lot=lots if oi_unit == "contracts" else np.array(1.0))
    if math.isnan(quotes.spot):
        raise PricingError(
            "expected a chain with a spot or a forward, got neither.", hint="Give Chain.from_frame a spot."
        )
    signs = _signs(sign)
    signed = np.where(quotes.right == CALL, *signs)
    held = np.where(quotes.counted, quotes.oi, np.nan) * quotes.lot
    delta, gamma, vanna, charm = quotes.hedges()
    spot = quotes.spot
    amounts = {
        "gex": signed * gamma * held * (spot * spot * _PER_POINT),
        "dex": delta * held * spot,
        "vex": signed * vanna * held * (spot * _PER_POINT),
        "chex": signed * charm * held * (spot / _DAYS),
    }
    weight = np.where(quotes.counted, signed * held, 0.0) * _PER_POINT
    terms = Terms.of(quotes, weight)
    profile = profile_of(terms, _grid(spots, reach, spot), quotes.labels)
    turns = flips(terms, profile)
    if not quotes.counted.any():
        profile.gex[:] = profile.by_expiry[:] = np.nan
    sums = {name: cells(quotes, values) for name, values in amounts.items()}
    sums["oi"] = cells(quotes, np.where(quotes.has_oi, quotes.oi, np.nan))
    sums["units"] = cells(quotes, np.where(quotes.has_oi, quotes.oi * quotes.lot, np.nan))
    sums["volume"] = cells(quotes, quotes.volume)
    by_strike = _table(quotes.strikes, {name: total(values, axis=1) for name, values in sums.items()})
    kind = kind_of(chain.frame)
    has_oi = int(quotes.has_oi.sum())
    return Exposure(
        **{name: _sum(values) for name, values in amounts.items()},
        flip=float(turns[np.abs(turns - spot).argmin()]) if turns.size else math.nan,
        flips=turns,
        call_wall=wall(quotes.strikes, by_strike["call_gex"]),
        put_wall=wall(quotes.strikes, by_strike["put_gex"]),
        max_pain=max_pain(quotes.strikes, by_strike["payout"], np.full(quotes.strikes.size, True)),
        pcr=ratio(by_strike["put_oi"], by_strike["call_oi"]),
        pcr_volume=ratio(by_strike["put_volume"], by_strike["call_volume"]),
        frame=_framed(kind, by_strike),
        by_expiry=_framed(kind, _by_expiry(quotes, sums)),
        profile=profile,
        grids={name: total(sums[name], axis=0) for name in _MEASURES},
        strikes=quotes.strikes,
        labels=quotes.labels,
        spot=spot,
        spot_from=quotes.spot_from,
        sign=signs,
        quotes=quotes.listed,
        counted=int(quotes.counted.sum()),
        no_oi=quotes.listed - has_oi,
        no_vol=has_oi - int(quotes.counted.sum()),
    )  # fmt: skip


def _priced(chain: Chain) -> Chain:
    if not hasattr(chain, "implied_vols"):
        raise TypeError(f"chain: expected a Chain, got {type(chain).__name__}; Chain.from_frame makes one from a frame")
    return chain if chain.vol is not None else chain.implied_vols()


def _lots(lot: Any, n: int) -> FloatArray:
    lots = as_array(lot, "lot")
    if lots.shape not in {(), (n,)}:
        raise ValueError(f"lot: expected a number or one for each of the {n} quotes, got shape {lots.shape}")
    wrong = ~((lots >= 1e-9) & (lots <= 1e15))
    if wrong.any():
        raise ValueError(f"lot: expected positive numbers from 1e-9 to 1e15, got {lots[wrong].flat[0]:g}")
    return lots


def _signs(sign: Any) -> tuple[float, float]:
    if isinstance(sign, str):
        choose("sign", sign, _SIGNS)
        return _SIGNS[sign]
    pair = as_array(sign, "sign")
    if pair.shape != (2,) or not np.isfinite(pair).all():
        known = ", ".join(map(repr, _SIGNS))
        raise ValueError(f"sign: expected one of {known} or a pair (call, put) of numbers, got {sign!r}")
    return float(pair[0]), float(pair[1])


def _grid(spots: Any, reach: float, spot: float) -> FloatArray:
    if spots is None:
        if not 0.0 < reach < 1.0:
            raise ValueError(f"reach: expected a share of the spot between 0 and 1, got {reach!r}")
        return spot * np.linspace(1.0 - reach, 1.0 + reach, _SPOTS)
    grid = as_vector(spots, "spots")
    if grid.size < 2 or not (np.isfinite(grid).all() and grid[0] > 0.0 and (np.diff(grid) > 0.0).all()):
        raise ValueError("spots: expected at least two positive numbers in ascending order")
    return grid


def _sum(values: FloatArray) -> float:
    """Give the correctly rounded sum, which no order can change."""
    known = values[~np.isnan(values)]
    return math.fsum(known.tolist()) if known.size else math.nan


def _table(strikes: FloatArray, sums: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Give the columns by strike from sums (2, K) by right."""
    sides = {
        f"{side}_{name}": sums[name][i] for name in ("gex", "oi", "volume") for i, side in enumerate(("call", "put"))
    }
    measures = {name: total(sums[name], axis=0) for name in _MEASURES}
    return {"strike": strikes, **measures, **sides, "payout": payouts(strikes, *sums["units"])}


def _by_expiry(quotes: Quotes, sums: dict[str, FloatArray]) -> dict[str, Any]:
    """Give the columns by expiry from sums (2, E, K)."""
    rows: dict[str, Any] = {"expiry": list(quotes.labels), "t": quotes.years, "forward": quotes.forwards}
    rows |= {name: total(sums[name], axis=(0, 2)) for name in _MEASURES}
    rows |= {f"{side}_oi": total(sums["oi"][i], axis=1) for i, side in enumerate(("call", "put"))}
    levels = []
    for e in range(len(quotes.labels)):
        calls, puts = sums["units"][:, e]
        listed = np.bincount(quotes.at[quotes.expiry == e], minlength=quotes.strikes.size) > 0
        levels.append(
            (
                ratio(sums["oi"][1, e], sums["oi"][0, e]),
                ratio(sums["volume"][1, e], sums["volume"][0, e]),
                max_pain(quotes.strikes, payouts(quotes.strikes, calls, puts), listed),
                wall(quotes.strikes, sums["gex"][0, e]),
                wall(quotes.strikes, sums["gex"][1, e]),
            )
        )
    names = ("pcr", "pcr_volume", "max_pain", "call_wall", "put_wall")
    rows |= {name: np.array(column) for name, column in zip(names, zip(*levels))}
    count = len(quotes.labels)
    rows["counted"] = np.bincount(quotes.expiry[quotes.counted], minlength=count)
    rows["quotes"] = np.bincount(quotes.expiry, minlength=count)
    return rows


def _framed(kind: str, columns: dict[str, Any]) -> Any:
    """Give a frame of the kind that the caller works with."""
    return importlib.import_module("pandas" if kind == "pandas" else "polars").DataFrame(columns)


def _level(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:,.2f}".removesuffix(".00")


def _amount(value: float) -> str:
    """Write an amount with four digits and the power of ten in words that fit all markets."""
    if math.isnan(value):
        return "unknown"
    for size, unit in ((1e12, " tn"), (1e9, " bn"), (1e6, " mn"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:+,.4g}{unit}"
    return f"{value:+.4g}"
