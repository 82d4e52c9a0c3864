"""Bachelier's normal model on numbers: price, first-order Greeks and implied volatility of one European option.

With s = vol sqrt(t), d = abs(forward - strike) / s and u = d / sqrt(2) the option out of the money is worth
s phi(d) (1 - sqrt(pi) u erfcx(u)), and the bracket is -sqrt(pi)/2 erfcx'(u), which
:func:`~algomaster.pricing.kernels.elementary.erfcx_pair` gives without cancellation. Forwards and strikes may have
either sign.

The volatility is found in units of the distance to the strike: a guess for d from the price (a fit, good to 0.5 %),
then two Householder steps of fourth order on ln(price). There is no upper bound to a price in this model.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.elementary import erfcx_pair, exact_difference, exp, log_ratio
from algomaster.pricing.kernels.implied_guess import LIFT, lift, series
from algomaster.pricing.kernels.implied_market import ABOVE_MAX, BAD_INPUT, BELOW_INTRINSIC, EXPIRED, OK
from algomaster.pricing.kernels.vanilla import HIGHEST, MOVING

__all__ = ["bachelier_first", "bachelier_greeks", "bachelier_implied", "bachelier_price"]

_INF: Final = math.inf
_INV_SQRT2: Final = math.sqrt(0.5)
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)
_SQRT_2PI: Final = math.sqrt(2.0 * math.pi)
_HALF_SQRT_PI: Final = 0.5 * math.sqrt(math.pi)
_FAR: Final = 1e10
_SMALL: Final = 2.0**-1000
_SMALLEST: Final = 2.0**-1022
_LIFT_BELOW: Final = 2.0**-400
_LN_LIFT: Final = 600.0 * math.log(2.0)
_AT_MONEY: Final = 1e-9  # distance over price below which vol = sqrt(2 pi) (price + distance / 2) is exact
_NEAR: Final = 1e-5  # of the last step; what is left is below its fourth power
_GUESS: Final = (1.043124, -1.837632, 1.80005, -1.009541, 1.00015)  # by least squares over 1e-4 < d < 54


@kernel(inline=True)
def _parts(gap: float, deviation: float) -> tuple[float, float, float, float]:
    """Give the undiscounted price out of the money, N(-d), phi(d) and d for the distance ``gap`` to the strike."""
    moving = deviation > 0.0
    d = gap / (deviation if moving else 1.0)
    d = d if d < _FAR else _FAR
    d = d if moving or gap == 0.0 else _FAR
    u = d * _INV_SQRT2
    at_u, _, fall = erfcx_pair(u, u, 1.0)
    g = exp(-u * u)
    return deviation * g * (_DENSITY * _HALF_SQRT_PI) * fall, 0.5 * g * at_u, _DENSITY * g, d


@kernel(inline=True)
def _usable(right: int, forward: float, strike: float, t: float, vol: float, discount: float) -> bool:
    market = (forward >= -HIGHEST) & (forward <= HIGHEST) & (strike >= -HIGHEST) & (strike <= HIGHEST)
    terms = (t >= 0.0) & (t <= HIGHEST) & (vol >= 0.0) & (vol <= HIGHEST) & (discount > 0.0) & (discount < _INF)
    return market & terms & ((right == 1) | (right == -1))


@kernel(inline=True)
def bachelier_price(right: int, forward: float, strike: float, t: float, vol: float, discount: float) -> float:
    """Give the price of one option; ``vol`` is in units of the forward per square root of a year.

    Parameters and NaN rule are those of :func:`~algomaster.pricing.kernels.vanilla.black_price`, except that forward
    and strike may have either sign.
    """
    usable = _usable(right, forward, strike, t, vol, discount)
    moneyness = (float(forward) - float(strike)) * float(right) if usable else 1.0
    deviation = float(vol) * math.sqrt(float(t)) if usable else 1.0
    otm, _, _, _ = _parts(abs(moneyness), deviation)
    return float(discount) * (otm + (moneyness if moneyness > 0.0 else 0.0)) if usable else math.nan


@kernel(inline=True)
def bachelier_greeks(
    right: int, strike: float, t: float, vol: float, rate: float, dividend: float, forward: float, growth: float,
    discount: float,
) -> tuple[float, float, float, float, float, float]:  # fmt: skip
    """Give price, delta, gamma, vega, theta and rho; see :func:`~algomaster.pricing.kernels.vanilla.black_greeks`.

    The forward is normal with constant ``vol`` and is ``growth`` = exp((rate - dividend) * t) times the spot.
    """
    first, _ = bachelier_first(right, strike, t, vol, rate, dividend, forward, growth, discount)
    return first


@kernel(inline=True)
def bachelier_first(
    right: int, strike: float, t: float, vol: float, rate: float, dividend: float, forward: float, growth: float,
    discount: float,
) -> tuple[
    tuple[float, float, float, float, float, float], tuple[float, float, float, float, float, float]
]:  # fmt: skip
    """Give what :func:`bachelier_greeks` gives, and of what the higher orders are made.

    The second tuple is N(d) (with the sign of the right) and n(d) discounted, 1/deviation, 1/sqrt(t), sqrt(t), and
    d = (forward - strike) / deviation. Reciprocals of nothing are 0, or NaN where forward and strike are equal.
    """
    usable = _usable(right, forward, strike, t, vol, discount)
    gap = float(forward) - float(strike) if usable else 1.0
    years = float(t) if usable else 1.0
    sigma = float(vol) if usable else 1.0
    discount = float(discount) if usable else math.nan
    moneyness = gap * float(right)
    root = math.sqrt(years)
    deviation = sigma * root
    otm, tail, density, d = _parts(abs(gap), deviation)
    moving = deviation >= MOVING
    per_deviation = 1.0 / (deviation if moving else 1.0)
    still = math.nan if gap == 0.0 else 0.0
    per_deviation = per_deviation if moving else still
    per_root = sigma * per_deviation
    per_root = per_root if moving or root == 0.0 else 0.0
    exercised = discount * (1.0 - tail if moneyness > 0.0 else tail) * float(right)
    density = discount * density
    price = discount * (otm + (moneyness if moneyness > 0.0 else 0.0))
    drift = (rate - dividend) * exercised * forward
    first = (
        price,
        exercised * growth,
        (density * growth) * (growth * per_deviation),
        density * root,
        rate * price - drift - 0.5 * density * (sigma * per_root),
        years * (exercised * forward - price),
    )
    return first, (exercised, density, per_deviation, per_root, root, -d if gap < 0.0 else d)


@kernel(inline=True)
def _improve(s: float, target: float) -> tuple[float, float]:
    """Take a Householder step of fourth order on ln(price) from ``s``; ``target`` is the lifted price.

    All in units of the distance; Newton's relative step, which tells how far off ``s`` was, is given too. No
    exponential is needed: ln(price) = -d**2 / 2 + ln(s) + ln(-erfcx') + a constant.
    """
    d = 1.0 / s
    u = d * _INV_SQRT2
    _, _, fall = erfcx_pair(u, u, 1.0)
    mills = _HALF_SQRT_PI * fall  # price over (s phi(d))
    square = u * u
    factor, deeper = lift(square)
    model = _DENSITY * s * mills * factor
    gap = log_ratio(target, model if model > _SMALL else _SMALL) + (square - deeper)
    e = gap * mills
    second, third = series(e, gap, d, 0.0)
    return s + s * e * (1.0 + 0.5 * second) / (1.0 + second + third * (1.0 / 6.0)), e


@kernel(inline=True)
def _solve(gap: float, value: float) -> tuple[float, bool]:
    """Give vol sqrt(t) for an option out of the money by ``gap`` >= 0 and worth ``value`` > 0, and if it is right."""
    at_money = gap <= _AT_MONEY * value
    unit = value if at_money else gap
    tiny = value < unit * _LIFT_BELOW
    b = value * (LIFT if tiny else 1.0) / unit
    price = b * (1.0 / LIFT if tiny else 1.0)
    eta = log_ratio(price + _DENSITY, b) + (_LN_LIFT if tiny else 0.0)
    x = eta / (eta + 2.0)
    fit = _GUESS[0]
    for i in range(1, 5):
        fit = fit * x + _GUESS[i]
    s = math.sqrt(1.0 + 0.5 * eta) / (eta * fit)
    target = b * (1.0 if tiny else LIFT)
    s, _ = _improve(s, target)
    s, e = _improve(s, target)
    found = at_money | (abs(e) <= _NEAR)
    return _SQRT_2PI * (value + 0.5 * gap) if at_money else s * unit, found


@kernel(inline=True)
def bachelier_implied(
    right: int, price: float, forward: float, strike: float, t: float, discount: float
) -> tuple[float, int]:
    """Give the normal volatility behind ``price`` and a status.

    Parameters and statuses are those of :func:`~algomaster.pricing.kernels.implied.black_implied`; ABOVE_MAX only where
    the volatility would pass :data:`~algomaster.pricing.kernels.vanilla.HIGHEST`.
    """
    market = (forward >= -HIGHEST) & (forward <= HIGHEST) & (strike >= -HIGHEST) & (strike <= HIGHEST)
    terms = (discount > 0.0) & (discount < _INF) & ((right == 1) | (right == -1)) & (price > -_INF) & (price < _INF)
    undiscounted = float(price) / (float(discount) if discount > 0.0 else 1.0)
    good = market & terms & (t > -_INF) & (t <= HIGHEST) & (undiscounted <= HIGHEST)
    live = t > 0.0
    f = float(forward) if good else 1.0
    k = float(strike) if good else 1.0
    low = f if f < k else k
    high = k if f < k else f
    gap, lost = exact_difference(high, low)
    inside = (f - k) * float(right) > 0.0
    value = (undiscounted - gap) - lost if inside else undiscounted
    seen = value > 0.0
    solvable = good & live & seen
    s, found = _solve(gap if solvable else 1.0, value if solvable else 1.0)
    vol = s / math.sqrt(float(t) if good & live else 1.0)
    status = OK if vol <= HIGHEST else ABOVE_MAX
    status = status if seen & found & (vol >= _SMALLEST) else BELOW_INTRINSIC
    status = status if live else EXPIRED
    status = status if good else BAD_INPUT
    return vol if status == OK else math.nan, status
