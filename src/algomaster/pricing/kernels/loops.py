"""Loops of prices and Greeks over options, one pass each, so that memory is read once.

Each is a :class:`~algomaster.pricing.kernels.blocks.Loops`; the rows of ``out`` are named in :data:`ROWS`. With
``on_forward`` the spot is a forward, and rho is that at constant forward.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.bachelier import bachelier_greeks, bachelier_price
from algomaster.pricing.kernels.blocks import Loops, over
from algomaster.pricing.kernels.carry import carry, growth_and_discount
from algomaster.pricing.kernels.higher import bachelier_higher, black_higher
from algomaster.pricing.kernels.vanilla import black_greeks, black_price_on_spot

__all__ = ["GREEKS", "PRICES", "ROWS"]

_FIRST: Final = ("price", "delta", "gamma", "vega", "theta", "rho")
_SECOND: Final = ("vanna", "volga", "charm", "veta", "dual_delta", "dual_gamma", "elasticity")
_THIRD: Final = ("speed", "zomma", "color", "ultima")
ROWS: Final = {1: _FIRST, 2: _FIRST + _SECOND, 3: _FIRST + _SECOND + _THIRD}
"""Rows of ``out`` by order."""

# Columns are counted without a sign: of a number that could be negative numba asks in every turn whether it counts
# from the end, and then nothing becomes vector code.


@kernel(inner=True)
def _black_price(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, on_forward: bool, out: FloatArray, first: int,
) -> None:  # fmt: skip
    for j in range(t.size):
        years, r, q = float(t[j]), float(rate[j]), float(dividend[j])
        growth, discount = growth_and_discount(years, r, q)
        value = black_price_on_spot(
            right[j], float(spot[j]), float(strike[j]), years, float(vol[j]), (r - q) * years, growth, discount
        )
        out[0, np.uint64(first + j)] = value


@kernel(inner=True)
def _bachelier_price(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, on_forward: bool, out: FloatArray, first: int,
) -> None:  # fmt: skip
    for j in range(t.size):
        years = float(t[j])
        forward, discount = carry(float(spot[j]), years, float(rate[j]), float(dividend[j]))
        value = bachelier_price(right[j], forward, float(strike[j]), years, float(vol[j]), discount)
        out[0, np.uint64(first + j)] = value


@kernel(inner=True)
def _black_greeks(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, on_forward: bool, out: FloatArray, first: int,
) -> None:  # fmt: skip
    for j in range(t.size):
        i = np.uint64(first + j)
        years, r, q = float(t[j]), float(rate[j]), float(dividend[j])
        growth, discount = growth_and_discount(years, r, q)
        value, delta, gamma, vega, theta, rho = black_greeks(
            right[j], float(spot[j]), float(strike[j]), years, float(vol[j]), r, q, growth, discount
        )
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i] = value, delta, gamma, vega, theta
        out[5, i] = -years * value if on_forward else rho


@kernel(inner=True)
def _bachelier_greeks(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, on_forward: bool, out: FloatArray, first: int,
) -> None:  # fmt: skip
    for j in range(t.size):
        i = np.uint64(first + j)
        years, r, q = float(t[j]), float(rate[j]), float(dividend[j])
        forward, discount = carry(float(spot[j]), years, r, q)
        growth, _ = growth_and_discount(years, r, q)
        value, delta, gamma, vega, theta, rho = bachelier_greeks(
            right[j], float(strike[j]), years, float(vol[j]), r, q, forward, growth, discount
        )
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i] = value, delta, gamma, vega, theta
        out[5, i] = -years * value if on_forward else rho


_SHORT: Final = 256
"""Options whose Greeks of all orders are held near the processor before they are written row by row."""


@kernel(inner=True)
def _write_rows(held: FloatArray, out: FloatArray, first: int, count: int) -> None:
    for row in range(out.shape[0]):
        for j in range(count):  # as slices it takes twice as long
            out[row, np.uint64(first + j)] = held[np.uint64(row * _SHORT + j)]


def _higher(model: str, order: int) -> Loops:
    """Make the loop of all Greeks up to ``order``, for "black" or "bachelier".

    Rows of ``out`` lie an unknown distance apart, and with so many of them the compiler gives up proving that they do
    not overlap; rows of ``held`` lie :data:`_SHORT` apart.
    """
    normal, third_too, rows = model == "bachelier", order == 3, len(ROWS[order])

    @kernel(inner=True)
    def short(
        right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
        dividend: FloatArray, on_forward: bool, held: FloatArray,
    ) -> None:  # fmt: skip
        for j in range(t.size):
            years, r, q = float(t[j]), float(rate[j]), float(dividend[j])
            s, k, v = float(spot[j]), float(strike[j]), float(vol[j])
            growth, discount = growth_and_discount(years, r, q)
            if normal:
                forward, _ = carry(s, years, r, q)
                first, second, third = bachelier_higher(right[j], s, k, years, v, r, q, forward, growth, discount)
            else:
                first, second, third = black_higher(right[j], s, k, years, v, r, q, growth, discount)
            i = np.uint64(j)
            held[i] = first[0]
            for row in range(1, 5):
                held[np.uint64(row * _SHORT + j)] = first[row]
            held[np.uint64(5 * _SHORT + j)] = -years * first[0] if on_forward else first[5]
            for row in range(7):
                held[np.uint64((6 + row) * _SHORT + j)] = second[row]
            if third_too:
                for row in range(4):
                    held[np.uint64((13 + row) * _SHORT + j)] = third[row]

    @kernel(inner=True)
    def higher(
        right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
        dividend: FloatArray, on_forward: bool, out: FloatArray, start: int,
    ) -> None:  # fmt: skip
        held = np.empty(rows * _SHORT)
        for a in range(0, t.size, _SHORT):
            b = min(t.size, a + _SHORT)
            short(right[a:b], spot[a:b], strike[a:b], t[a:b], vol[a:b], rate[a:b], dividend[a:b], on_forward, held)
            _write_rows(held, out, start + a, b - a)

    return over(higher)


PRICES: Final = {"black": over(_black_price), "bachelier": over(_bachelier_price)}
GREEKS: Final = {
    ("black", 1): over(_black_greeks),
    ("bachelier", 1): over(_bachelier_greeks),
    **{(model, order): _higher(model, order) for model in ("black", "bachelier") for order in (2, 3)},
}
