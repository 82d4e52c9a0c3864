"""Pictures by strike: any Greek, volatility, open interest or volume over strike and expiry; a Greek over the spot.

Signed quantities are coloured around 0 (red below, green above), others from pale to blue. A cell without a value is
empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.errors import PricingError
from algomaster.core.figures import DIVERGING, GAIN, GREY, LINE, LOSS, NEUTRAL, dress
from algomaster.core.types import CALL, PUT, FloatArray
from algomaster.pricing.european import greeks
from algomaster.pricing.inputs import as_right, choose
from algomaster.pricing.measures.plots import FOURTH, SECOND, THIRD

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from algomaster.pricing.chain import Chain

__all__ = ["chain_heatmap", "greek_profile"]

_QUOTED: Final = ("vol", "price", "bid", "ask", "oi", "volume")
_FIRST_ORDER: Final = ("price", "delta", "gamma", "vega", "theta", "rho")
_RIGHTS: Final = ("call", "put", "otm", "sum", "net")
_RISING: Final = [[0.0, NEUTRAL], [1.0, LINE]]
_LINES: Final = (LINE, SECOND, GAIN, LOSS, THIRD, FOURTH)
_DEVIATIONS: Final = 2.5
_FALLBACK_WINDOW: Final = 0.10
_EXTREME: Final = 0.99
"""The colours end at this quantile, so that one absurd cell does not bleach the rest."""

_WORDS: Final = {"vol": "Implied volatility", "oi": "Open interest"}
_UNITS: Final = {
    "vol": "per year", "oi": "as in the chain", "volume": "as in the chain", "delta": "per point",
    "gamma": "per point²",
    "vega": "per 1.00 vol", "theta": "per year", "rho": "per 1.00 rate", "vanna": "per point and 1.00 vol",
    "volga": "per 1.00 vol²", "charm": "per year",
}  # fmt: skip
_TRADER_UNITS: Final = {
    **_UNITS, "vega": "per vol point", "theta": "per day", "rho": "per rate point", "vanna": "in trader units",
    "volga": "in trader units", "charm": "in trader units",
}  # fmt: skip


def chain_heatmap(
    chain: Chain,
    what: str,
    *,
    right: str | None = None,
    window: tuple[float, float] | None = None,
    expiries: Sequence[str] | int = 8,
) -> go.Figure:
    """Draw one quantity of a chain over strike (across) and expiry (down).

    Parameters
    ----------
    chain : Chain
        With volatilities for "vol", with Greeks for a Greek.
    what : str
        "vol", "price", "bid", "ask", "oi", "volume", or a name of ``chain.sensitivities``.
    right : "call", "put", "otm", "sum" or "net", optional
        Which side: one, the one out of the money, both together, or call less put. By default "sum" for open interest
        and volume, otherwise "otm".
    window : (low, high), optional
        Strikes to show; by default 2.5 deviations around the forward at the middle one of the expiries shown (10 %
        where there are no volatilities).
    expiries : list of labels or int
        Which expiries, or how many of the first.

    Returns
    -------
    plotly Figure

    Raises
    ------
    ValueError
        Unknown quantity, side or expiry, or no strike in the window.
    PricingError
        The chain has no Greeks or volatilities yet.
    """
    values = _values(chain, what)
    side = right if right is not None else ("sum" if what in ("oi", "volume") else "otm")
    choose("right", side, _RIGHTS)
    rows = list(chain.labels[:expiries]) if isinstance(expiries, int) else list(expiries)
    unknown = [label for label in rows if label not in chain.labels]
    if unknown or not rows:
        raise ValueError(f"expiries: expected some of {', '.join(chain.labels)}, got {expiries!r}")
    numbers = [chain.labels.index(label) for label in rows]
    low, high = window if window is not None else _window(chain, numbers)
    shown = np.isin(chain.expiry, numbers) & (chain.strike >= low) & (chain.strike <= high)
    if not shown.any():
        raise ValueError(f"window: no strike of the chain lies between {low:g} and {high:g}")
    strikes = np.unique(chain.strike[shown])
    calls, puts = (_grid(chain, values, numbers, strikes, code) for code in (CALL, PUT))
    return _heat(chain, what, side, strikes, rows, _sided(side, calls, puts, strikes, chain.forward[numbers]))


def _values(chain: Chain, what: str) -> FloatArray:
    if what in _QUOTED:
        found = getattr(chain, what)
        if found is None:
            raise PricingError("This chain has no volatilities yet.", hint="Call .implied_vols() on it.")
        return np.asarray(found, np.float64)
    if chain.sensitivities is None:
        raise PricingError(f"This chain has no {what!r} yet.", hint="Call .greeks(order=...) on it for Greeks.")
    names = [name for name, value in vars(chain.sensitivities).items() if isinstance(value, np.ndarray)]
    choose("what", what, [*_QUOTED, *names])
    return np.asarray(getattr(chain.sensitivities, what), np.float64)


def _window(chain: Chain, numbers: list[int]) -> tuple[float, float]:
    middle = numbers[len(numbers) // 2]
    centre = chain.forward[middle] if chain.forward[middle] > 0.0 else chain.spot
    if not centre > 0.0:
        return -np.inf, np.inf
    reach = _FALLBACK_WINDOW
    if chain.vol is not None:
        here = np.flatnonzero((chain.expiry == middle) & np.isfinite(chain.vol))
        if here.size:
            nearest = here[np.argmin(np.abs(chain.strike[here] - centre))]
            reach = max(_DEVIATIONS * float(chain.vol[nearest]) * float(chain.years[middle]) ** 0.5, 0.02)
    return float(centre * np.exp(-reach)), float(centre * np.exp(reach))


def _grid(chain: Chain, values: FloatArray, numbers: list[int], strikes: FloatArray, code: int) -> FloatArray:
    """Give the values of one right on a grid (expiries, strikes); NaN where there is no such contract."""
    grid = np.full((len(numbers), strikes.size), np.nan)
    for row, number in enumerate(numbers):
        here = np.flatnonzero((chain.expiry == number) & (chain.right == code) & np.isin(chain.strike, strikes))
        grid[row, np.searchsorted(strikes, chain.strike[here])] = values[here]
    return grid


def _sided(side: str, calls: FloatArray, puts: FloatArray, strikes: FloatArray, forward: FloatArray) -> FloatArray:
    if side in ("call", "put"):
        return calls if side == "call" else puts
    if side == "otm":
        return np.where(strikes >= forward[:, None], calls, puts)
    both = np.nan_to_num(calls) + (1.0 if side == "sum" else -1.0) * np.nan_to_num(puts)
    return np.where(np.isnan(calls) & np.isnan(puts), np.nan, both)


def _heat(chain: Chain, what: str, side: str, strikes: FloatArray, rows: list[str], grid: FloatArray) -> go.Figure:
    import plotly.graph_objects as go

    known = grid[np.isfinite(grid)]
    signed = bool(known.size) and bool((known < 0.0).any())
    top = float(np.quantile(np.abs(known), _EXTREME)) if known.size else 1.0
    lowest = float(np.quantile(known, 1.0 - _EXTREME)) if known.size and not signed and what == "vol" else 0.0
    top = top if top > lowest else lowest + 1.0
    percent = what == "vol"
    trader = chain.sensitivities is not None and chain.sensitivities.units == "trader"
    unit = (_TRADER_UNITS if trader else _UNITS).get(what, "")
    number = "%{z:.2%}" if percent else "%{z:,.4~g}"
    names = [f"{strike:,.10g}" for strike in strikes]
    figure = go.Figure(
        go.Heatmap(
            z=grid, x=names, y=rows, colorscale=DIVERGING if signed else _RISING, zmin=-top if signed else lowest,
            zmax=top, xgap=1, ygap=2, hoverongaps=False,
            hovertemplate="Strike %{x}, %{y}<br>" + f"{what} {number} {unit}<extra>{_SIDES[side]}</extra>",
            colorbar={"thickness": 10, "tickformat": ".0%" if percent else _ticks(top), "title": {"text": what}},
        )
    )  # fmt: skip
    title = f"{_WORDS.get(what, what.capitalize())}, {_SIDES[side]}, {unit}".rstrip(", ")
    dress(figure, height=150 + 34 * len(rows), title=title)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_xaxes(type="category", showgrid=False, nticks=12, tickangle=0, title_text="Strike")
    if strikes[0] <= chain.spot <= strikes[-1]:
        place = float(np.interp(chain.spot, strikes, np.arange(strikes.size)))  # categories stand at 0, 1, 2 ...
        figure.add_vline(x=place, line={"color": GREY, "width": 1.5, "dash": "dot"})
        figure.add_annotation(
            x=place, y=1.0, yref="paper", yanchor="bottom", text=f"Spot {chain.spot:,.1f}", showarrow=False,
            font={"size": 11},
        )  # fmt: skip
    return figure


def _ticks(top: float) -> str:
    """Give plotly's number format for a colour bar up to ``top``."""
    return "~s" if top >= 1e4 else "~g" if top >= 1e-2 else "~e"


_SIDES: Final = {
    "call": "calls", "put": "puts", "otm": "out of the money", "sum": "calls and puts", "net": "calls less puts",
}  # fmt: skip


def greek_profile(
    what: str,
    strike: float,
    t: float | Sequence[float],
    vol: float,
    *,
    right: Any = "call",
    spots: tuple[float, float] | None = None,
    rate: float = 0.0,
    dividend: float = 0.0,
    model: str = "black",
    units: str = "raw",
) -> go.Figure:
    """Draw a Greek of one option over the spot, a line for each time to expiry.

    Parameters
    ----------
    what : str
        "price" or the name of a Greek of any order, as in :func:`~algomaster.pricing.greeks`.
    strike, vol, rate, dividend, model, units
        As there.
    t : float or sequence
        Years to expiry.
    right : "call" or "put", or as in :func:`~algomaster.pricing.greeks`
    spots : (low, high), optional
        By default three deviations of the longest time around the strike.

    Returns
    -------
    plotly Figure

    Raises
    ------
    ValueError
        Unknown Greek, or an empty range of spots.
    """
    import plotly.graph_objects as go

    times = np.sort(np.atleast_1d(np.asarray(t, np.float64)))
    ends = 3.0 * vol * float(times[-1]) ** 0.5 * np.array([-1.0, 1.0])
    low, high = spots or (strike + ends if model == "bachelier" else strike * np.exp(ends)).tolist()
    if not low < high:
        raise ValueError(f"spots: expected a range (low, high), got {(low, high)!r}")
    at = np.linspace(low, high, 301)
    figure = go.Figure()
    for years, colour in zip(times, np.resize(np.array(_LINES, dtype=object), times.size)):
        found = _greek(what, right, at, strike, float(years), vol, rate, dividend, model, units)
        figure.add_scatter(
            x=at, y=found, name=f"{365.0 * years:.4g} days", mode="lines", line={"color": colour, "width": 1.8},
            hovertemplate="%{y:.5g}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    side = "call" if int(as_right(right)) == CALL else "put"
    unit = (_TRADER_UNITS if units == "trader" else _UNITS).get(what, "")
    level = f"{vol:,g} points" if model == "bachelier" else f"{vol:.1%}"
    title = f"{what.capitalize()} of the {strike:,g} {side}, volatility {level}"
    dress(figure, height=380, hovermode="x unified", title=title)
    figure.add_vline(x=strike, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="Spot")
    figure.update_yaxes(title_text=f"{what} {unit}".strip())
    return figure


def _greek(
    what: str, right: Any, spot: FloatArray, strike: float, t: float, vol: float, rate: float, dividend: float,
    model: str, units: str,
) -> FloatArray:  # fmt: skip
    order = 1 if what in _FIRST_ORDER else 3
    found = greeks(right, spot, strike, t, vol, rate=rate, dividend=dividend, model=model, order=order, units=units)
    choose("what", what, [name for name, value in vars(found).items() if isinstance(value, np.ndarray)])
    return np.asarray(getattr(found, what), np.float64)
