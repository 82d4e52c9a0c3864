"""Loops of the implied volatilities over arrays of one length; one pass each, so that memory is read once.

Every array is one-dimensional, float64 and C-contiguous (``right`` and ``status`` int64), all of one length; ``vol``
and ``status`` are written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, ParamSpec

from algomaster.core.jit import kernel, prange
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.bachelier import bachelier_implied
from algomaster.pricing.kernels.carry import carry
from algomaster.pricing.kernels.implied import UNSETTLED, black_implied_on_spot, black_improved

__all__ = [
    "bachelier_implied_loop",
    "bachelier_implied_parallel",
    "black_implied_loop",
    "black_implied_parallel",
    "black_improved_loop",
]

BLOCK: Final = 4096
"""Options that one thread takes at a time."""

P = ParamSpec("P")


@kernel
def black_implied_loop(
    right: IntArray, price: FloatArray, spot: FloatArray, strike: FloatArray, t: FloatArray, rate: FloatArray,
    dividend: FloatArray, vol: FloatArray, status: IntArray,
) -> None:  # fmt: skip
    """Write volatilities into ``vol`` (n,) and what happened into ``status`` (n,)."""
    for i in range(vol.size):
        vol[i], status[i] = black_implied_on_spot(
            right[i], price[i], spot[i], strike[i], t[i], rate[i], dividend[i]
        )  # fmt: skip


@kernel
def black_improved_loop(
    right: IntArray, price: FloatArray, spot: FloatArray, strike: FloatArray, t: FloatArray, rate: FloatArray,
    dividend: FloatArray, start: FloatArray, vol: FloatArray, status: IntArray,
) -> None:  # fmt: skip
    """Do as :func:`black_implied_loop` from volatilities ``start`` (n,), without them where they do not help."""
    for i in range(vol.size):
        vol[i], status[i] = black_improved(
            right[i], price[i], spot[i], strike[i], t[i], rate[i], dividend[i], start[i]
        )  # fmt: skip
    for i in range(vol.size):
        if status[i] == UNSETTLED:
            j = i + 1
            black_implied_loop(
                right[i:j], price[i:j], spot[i:j], strike[i:j], t[i:j], rate[i:j], dividend[i:j], vol[i:j], status[i:j]
            )  # fmt: skip


@kernel
def bachelier_implied_loop(
    right: IntArray, price: FloatArray, spot: FloatArray, strike: FloatArray, t: FloatArray, rate: FloatArray,
    dividend: FloatArray, vol: FloatArray, status: IntArray,
) -> None:  # fmt: skip
    """Write volatilities into ``vol`` (n,) and what happened into ``status`` (n,)."""
    for i in range(vol.size):
        forward, discount = carry(float(spot[i]), float(t[i]), float(rate[i]), float(dividend[i]))
        vol[i], status[i] = bachelier_implied(right[i], price[i], forward, strike[i], t[i], discount)


def _in_parallel(loop: Callable[P, None]) -> Callable[P, None]:
    """Give the loop over blocks by several threads: the same function of every option, so the same bits."""
    one: Any = loop

    @kernel(parallel=True)
    def blocks(
        right: IntArray, price: FloatArray, spot: FloatArray, strike: FloatArray, t: FloatArray, rate: FloatArray,
        dividend: FloatArray, vol: FloatArray, status: IntArray,
    ) -> None:  # fmt: skip
        for block in prange((vol.size + BLOCK - 1) // BLOCK):
            i = block * BLOCK
            j = min(vol.size, i + BLOCK)
            one(
                right[i:j], price[i:j], spot[i:j], strike[i:j], t[i:j], rate[i:j], dividend[i:j], vol[i:j], status[i:j]
            )  # fmt: skip

    parallel: Any = blocks
    return parallel  # type: ignore[no-any-return]


black_implied_parallel: Final = _in_parallel(black_implied_loop)
bachelier_implied_parallel: Final = _in_parallel(bachelier_implied_loop)
