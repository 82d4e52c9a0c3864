"""Implied volatility of European options, for anything that broadcasts."""

from __future__ import annotations

import dataclasses
import enum
import warnings
from typing import Any, Final

import numpy as np

from algomaster.core.errors import DataWarning, PricingError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import IntArray
from algomaster.pricing.inputs import Inputs, choose
from algomaster.pricing.kernels import implied as codes
from algomaster.pricing.kernels import implied_loops

__all__ = ["ImpliedStatus", "ImpliedVol", "implied_vol"]

_LOOPS: Final = {"black": implied_loops.black_implied_loop, "bachelier": implied_loops.bachelier_implied_loop}


class ImpliedStatus(enum.IntEnum):
    """What became of one quote."""

    OK = codes.OK
    BELOW_INTRINSIC = codes.BELOW_INTRINSIC
    """At or below the discounted intrinsic value: no volatility can be seen in it."""
    ABOVE_MAX = codes.ABOVE_MAX
    """At or above the discounted forward (call) or strike (put): no volatility gives it."""
    EXPIRED = codes.EXPIRED
    """The time to expiry is zero or negative."""
    BAD_INPUT = codes.BAD_INPUT
    """Something is NaN, infinite or out of range, or the right is missing."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ImpliedVol:
    """Volatilities and what became of each quote.

    Attributes
    ----------
    vol : float, numpy array or Series
        NaN exactly where ``status`` is not 0.
    status : int, numpy array (int64) or Series
        :class:`ImpliedStatus`.
    """

    vol: Any
    status: Any

    def _rows(self) -> list[tuple[str, str]]:
        counts = _counts(np.asarray(self.status))
        return [("options", str(np.size(self.status))), *((status, str(count)) for status, count in counts.items())]

    def __repr__(self) -> str:
        return text_table("ImpliedVol", self._rows())

    def _repr_html_(self) -> str:
        return html_table("ImpliedVol", self._rows())


def _counts(status: IntArray) -> dict[str, int]:
    found = {member.name: int(np.count_nonzero(status == member)) for member in ImpliedStatus}
    return {name: count for name, count in found.items() if count}


def implied_vol(
    price: Any,
    right: Any,
    spot: Any,
    strike: Any,
    t: Any,
    *,
    rate: Any = 0.0,
    dividend: Any = 0.0,
    forward: Any = None,
    model: str = "black",
    on_error: str = "nan",
) -> ImpliedVol:
    """Find the volatility at which :func:`~algomaster.pricing.price` gives the quoted price.

    Parameters
    ----------
    price : float
        Quoted (discounted) price; like all arguments but ``model`` and ``on_error`` a scalar or an array or a pandas
        or polars Series of any broadcastable shape.
    right, spot, strike, t, rate, dividend, forward, model
        As for :func:`~algomaster.pricing.price`.
    on_error : "nan", "raise" or "warn"
        What to do about quotes without a volatility: leave NaN and a status, raise, or warn as well.

    Returns
    -------
    ImpliedVol
        ``vol`` to the precision that the quote allows; ``status`` says why where there is none.

    Raises
    ------
    PricingError
        With ``on_error="raise"``, if any status is not 0.
    ValueError, TypeError
        As for :func:`~algomaster.pricing.price`; unknown ``on_error``.

    Examples
    --------
    >>> round(implied_vol(7.9656, "CE", 100, 100, 1.0).vol, 4)
    0.2
    """
    choose("model", model, _LOOPS)
    choose("on_error", on_error, ("nan", "raise", "warn"))
    inputs = Inputs.gather(right, spot, forward, dividend, rate, price=price, strike=strike, t=t)
    vol = np.empty(inputs.right.size)
    status = np.empty(inputs.right.size, np.int64)
    _LOOPS[model](inputs.right, **inputs.values, vol=vol, status=status)
    if on_error != "nan":
        _tell(status, raising=on_error == "raise")
    return ImpliedVol(inputs.back(vol, "vol"), inputs.back(status, "status"))


def _tell(status: IntArray, *, raising: bool) -> None:
    bad = np.flatnonzero(status)
    if not bad.size:
        return
    counts = {name: count for name, count in _counts(status).items() if name != ImpliedStatus.OK.name}
    listed = ", ".join(f"{count} {name}" for name, count in counts.items())
    problem = f"{bad.size} of {status.size} quotes have no volatility ({listed}); the first is number {bad[0]}."
    if raising:
        raise PricingError(problem, hint='Use on_error="nan" and look at status.', **counts)
    warnings.warn(problem, DataWarning, stacklevel=3)
