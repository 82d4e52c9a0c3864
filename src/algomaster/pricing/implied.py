"""Implied volatility of European options, for anything that broadcasts."""

from __future__ import annotations

import dataclasses
import enum
import warnings
from typing import Any, Final

import numpy as np

from algomaster.core.errors import DataWarning, PricingError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.inputs import Inputs, choose
from algomaster.pricing.kernels import implied as codes
from algomaster.pricing.kernels import implied_loops
from algomaster.pricing.threads import run

__all__ = ["ImpliedStatus", "ImpliedVol", "implied_vol"]

_LOOPS: Final = {"black": implied_loops.black_implied_loop, "bachelier": implied_loops.bachelier_implied_loop}
_PARALLEL: Final = {
    "black": implied_loops.black_implied_parallel,
    "bachelier": implied_loops.bachelier_implied_parallel,
}
PARALLEL_FROM: Final = 16_384
"""Options from which several threads help: starting them costs some 10 us a call, at times 1000 times that."""

_FIRST: Final = 5  # offending quotes that an error names


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
    start: Any = None,
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
    start : float, optional
        Volatilities that may be near, such as those of a moment ago; model "black". Right ones save a fifth of the
        time, wrong and missing ones (NaN) cost some. The result is as precise as without, but not to the bit the same.

    Returns
    -------
    ImpliedVol
        ``vol`` to the precision that the quote allows; ``status`` says why where there is none.

    Raises
    ------
    PricingError
        With ``on_error="raise"``, if any status is not 0. Its ``facts`` count the quotes by status; ``facts["first"]``
        has the positions (in the flattened input) of the first of them.
    ValueError, TypeError
        As for :func:`~algomaster.pricing.price`; unknown ``on_error``; a start for "bachelier".

    Notes
    -----
    Every option is computed by itself: alone, in an array and by any number of threads the bits are the same. Relative
    errors are below 4e-15, or what the rounding of the quote, of the spot's growth and of t makes of it where that is
    more: repriced at ``vol`` an option comes within a few units in the last place of the quote.

    Examples
    --------
    >>> round(implied_vol(7.9656, "CE", 100, 100, 1.0).vol, 4)
    0.2
    """
    choose("model", model, _LOOPS)
    choose("on_error", on_error, ("nan", "raise", "warn"))
    if start is not None and model != "black":
        raise ValueError(f'start: expected none beside model {model!r}, it is of use to "black" only')
    extra = {} if start is None else {"start": start}
    inputs = Inputs.gather(right, spot, forward, dividend, rate, price=price, strike=strike, t=t, **extra)
    vol = np.empty(inputs.right.size)
    status = np.empty(inputs.right.size, np.int64)
    _find(model, inputs, vol, status)
    if on_error != "nan":
        _tell(status, raising=on_error == "raise")
    return ImpliedVol(inputs.back(vol, "vol"), inputs.back(status, "status"))


def _find(model: str, inputs: Inputs, vol: FloatArray, status: IntArray) -> None:
    given: dict[str, Any] = {**inputs.values, "vol": vol, "status": status}
    if "start" in given:
        implied_loops.black_improved_loop(inputs.right, **given)
    else:
        run(_LOOPS[model], _PARALLEL[model], vol.size >= PARALLEL_FROM, inputs.right, **given)


def _tell(status: IntArray, *, raising: bool) -> None:
    bad = np.flatnonzero(status)
    if not bad.size:
        return
    counts = {name: count for name, count in _counts(status).items() if name != ImpliedStatus.OK.name}
    listed = ", ".join(f"{count} {name}" for name, count in counts.items())
    first = bad[:_FIRST].tolist()
    named = ", ".join(f"{i} ({ImpliedStatus(status[i]).name})" for i in first)
    problem = f"{bad.size} of {status.size} quotes have no volatility ({listed}); "
    problem += f"the first {'are numbers' if len(first) > 1 else 'is number'} {named}."
    if raising:
        raise PricingError(problem, hint='Use on_error="nan" and look at status.', **counts, first=first)
    warnings.warn(problem, DataWarning, stacklevel=3)
