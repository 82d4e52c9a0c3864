"""Option pricing as it stands in the books, with 80 digits: the specification of the kernels."""

from collections.abc import Callable

import mpmath

MP = mpmath.mp.clone()
MP.dps = 80
Number = mpmath.mpf | float


def otm_right(forward: float, strike: float) -> int:
    return 1 if strike >= forward else -1


def black(right: int, forward: Number, strike: Number, t: Number, vol: Number, discount: Number = 1) -> mpmath.mpf:
    f, k, s = MP.mpf(forward), MP.mpf(strike), MP.mpf(vol) * MP.sqrt(t)
    d1 = MP.log(f / k) / s + s / 2
    return MP.mpf(discount) * right * (f * MP.ncdf(right * d1) - k * MP.ncdf(right * (d1 - s)))


def bachelier(right: int, forward: Number, strike: Number, t: Number, vol: Number, discount: Number = 1) -> mpmath.mpf:
    gap, s = right * (MP.mpf(forward) - MP.mpf(strike)), MP.mpf(vol) * MP.sqrt(t)
    return MP.mpf(discount) * (gap * MP.ncdf(gap / s) + s * MP.npdf(gap / s))


MODELS = {"black": black, "bachelier": bachelier}


def on_spot(
    model: str, right: int, spot: Number, strike: Number, t: Number, vol: Number, rate: Number, dividend: Number
) -> mpmath.mpf:
    r, years = MP.mpf(rate), MP.mpf(t)
    forward = MP.mpf(spot) * MP.exp((r - MP.mpf(dividend)) * years)
    return MODELS[model](right, forward, strike, years, vol, MP.exp(-r * years))


def greeks(
    model: str, right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float
) -> dict[str, mpmath.mpf]:
    """Derivatives of the price by numerical differentiation with 80 digits: no formula that could be wrong twice."""

    def price(s: Number = spot, v: Number = vol, years: Number = t, r: Number = rate) -> mpmath.mpf:
        return on_spot(model, right, s, strike, years, v, r, dividend)

    return {
        "price": price(),
        "delta": _slope(lambda x: price(s=x), spot),
        "gamma": _bend(lambda x: price(s=x), spot),
        "vega": _slope(lambda x: price(v=x), vol),
        "theta": -_slope(lambda x: price(years=x), t),
        "rho": _slope(lambda x: price(r=x), rate),
    }


def _step(x: float) -> mpmath.mpf:
    return MP.mpf(10) ** -15 * (abs(MP.mpf(x)) or 1)


def _slope(f: Callable[[Number], mpmath.mpf], x: float) -> mpmath.mpf:
    """Central difference; its error is of the order 1e-30."""
    h = _step(x)
    return (f(x + h) - f(x - h)) / (2 * h)


def _bend(f: Callable[[Number], mpmath.mpf], x: float) -> mpmath.mpf:
    h = _step(x)
    return (f(x + h) - 2 * f(MP.mpf(x)) + f(x - h)) / h**2


def implied(model: str, right: int, price: float, forward: float, strike: float, t: float, near: float) -> mpmath.mpf:
    """Bisection from a factor 1000 around ``near``, in the logarithm, until 50 digits of the volatility stand."""
    low, high = MP.log(near) - 7, MP.log(near) + 7
    target = MP.mpf(price)
    while high - low > MP.mpf(10) ** -20:
        middle = (low + high) / 2
        if MODELS[model](right, forward, strike, t, MP.exp(middle)) < target:
            low = middle
        else:
            high = middle
    vol = MP.exp((low + high) / 2)
    for _ in range(2):  # Newton doubles the 20 digits, then the 40
        excess = MODELS[model](right, forward, strike, t, vol) - target
        vol -= excess / _slope(lambda x: MODELS[model](right, forward, strike, t, x), vol)
    return vol


ORDERS = {  # how often by spot, strike, t, vol; and the sign, as calendar time runs against t
    "delta": ((1, 0, 0, 0), 1), "gamma": ((2, 0, 0, 0), 1), "vega": ((0, 0, 0, 1), 1), "theta": ((0, 0, 1, 0), -1),
    "vanna": ((1, 0, 0, 1), 1), "volga": ((0, 0, 0, 2), 1), "charm": ((1, 0, 1, 0), -1), "veta": ((0, 0, 1, 1), -1),
    "dual_delta": ((0, 1, 0, 0), 1), "dual_gamma": ((0, 2, 0, 0), 1),
    "speed": ((3, 0, 0, 0), 1), "zomma": ((2, 0, 0, 1), 1), "color": ((2, 0, 1, 0), -1), "ultima": ((0, 0, 0, 3), 1),
}  # fmt: skip


def all_greeks(
    model: str, right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float
) -> dict[str, mpmath.mpf]:
    """Derivatives up to the third by mpmath's differentiation of the price, rho apart."""
    point = tuple(MP.mpf(x) for x in (spot, strike, t, vol))

    def price(s: Number, k: Number, years: Number, v: Number) -> mpmath.mpf:
        return on_spot(model, right, s, k, years, v, rate, dividend)

    found = {name: sign * MP.diff(price, point, times) for name, (times, sign) in ORDERS.items()}
    value = price(*point)
    return {"price": value, **found, "elasticity": found["delta"] * point[0] / value}
