"""Legs of a position, in whatever form a caller has them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, Final

from algomaster.core.arrays import kind_of
from algomaster.core.types import CALL, PUT
from algomaster.pricing.inputs import as_right

__all__ = ["FUTURE", "RANGES", "Leg", "as_legs", "check_range"]

RANGES: Final = {
    "strike": (1e-9, 1e15), "spot": (1e-9, 1e15), "forward": (1e-9, 1e15), "price": (0.0, 1e15), "t": (0.0, 100.0),
    "vol": (0.0, 50.0),
}  # fmt: skip
"""Wide enough for any market, and narrow enough that no product of them leaves the numbers."""

FUTURE: Final = 0
"""Code of a future (or the underlying itself) beside +1 and -1."""

_CODES: Final = {"CE": CALL, "PE": PUT, "FUT": FUTURE}
_NAMES: Final = {code: name for name, code in _CODES.items()}
_FUTURES: Final = ("fut", "future", "f", "underlying", "spot", "stock")
_NEEDED: Final = ("right", "quantity", "price")


@dataclasses.dataclass(frozen=True)
class Leg:
    """One option, future or holding of the underlying.

    Attributes
    ----------
    right : str
        "CE", "PE" or "FUT"; other spellings of calls and puts, +1/-1, "future" and "underlying" are read too.
    strike : float or None
        None for a future.
    quantity : float
        Units (or lots, with ``payoff(..., lot=)``): positive bought, negative sold.
    price : float
        What one unit was dealt at.
    t : float, optional
        Years to expiry from now. A future without one expires with the first option; one with 0 is the underlying.
    vol : float, optional
        Volatility it is valued with.

    Raises
    ------
    ValueError, TypeError
        Something is missing, out of range or not a number.
    """

    right: str
    strike: float | None
    quantity: float
    price: float
    t: float | None = None
    vol: float | None = None

    def __post_init__(self) -> None:
        right = _right(self.right)
        strike = _number("strike", self.strike, optional=right == "FUT")
        if right == "FUT" and strike is not None:
            raise ValueError(f"strike: expected None for a future, got {strike:g}; its entry level is its price")
        quantity = _number("quantity", self.quantity)
        if quantity and not 1e-9 <= abs(quantity) <= 1e15:
            raise ValueError(f"quantity: expected 0 or a number between 1e-9 and 1e15 in size, got {quantity:g}")
        price = _number("price", self.price)
        t, vol = (_number(name, getattr(self, name), optional=True) for name in ("t", "vol"))
        for name, value in (("strike", strike), ("price", price), ("t", t), ("vol", vol)):
            check_range(name, value)
        values = {"right": right, "strike": strike, "quantity": quantity, "price": price, "t": t, "vol": vol}
        for name, kept in values.items():
            object.__setattr__(self, name, kept)

    @property
    def code(self) -> int:
        """+1 call, -1 put, 0 future."""
        return _CODES[self.right]

    def __str__(self) -> str:
        strike = "" if self.strike is None else f" {self.strike:g}"
        return f"{self.quantity:+g} {self.right}{strike} @ {self.price:g}"


def check_range(name: str, value: float | None) -> None:
    """Refuse a number outside of :data:`RANGES`; None passes."""
    low, high = RANGES[name]
    if value is not None and not low <= value <= high:
        raise ValueError(f"{name}: expected a number from {low:g} to {high:g}, got {value:g}")


def _right(value: Any) -> str:
    if isinstance(value, str) and value.strip().lower() in _FUTURES:
        return "FUT"
    try:
        code = int(as_right(value))
    except (ValueError, TypeError):
        code = 0
    if code not in (CALL, PUT):
        raise ValueError(f'right: expected "CE", "PE" or "FUT", got {value!r}')
    return _NAMES[code]


def _number(name: str, value: Any, *, optional: bool = False) -> float | None:
    if value is None or (isinstance(value, Real) and math.isnan(float(value))):
        if optional:
            return None
        raise ValueError(f"{name}: expected a number, got {value!r}")
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    if not math.isfinite(float(value)):
        raise ValueError(f"{name}: expected a finite number, got {value!r}")
    return float(value)


def as_legs(legs: Any, *, lot: float = 1.0) -> tuple[Leg, ...]:
    """Read legs from a list of legs, tuples or dicts, one of these alone, or a polars or pandas frame.

    Parameters
    ----------
    legs
        Tuples are (right, strike, quantity, price, t, vol), the last two optional; dicts have these keys; frames these
        columns and perhaps others, which are not read.
    lot : float
        Units in one of ``quantity``.

    Raises
    ------
    ValueError, TypeError
        No legs, or a leg that is not one, saying which.
    """
    if isinstance(legs, (Leg, Mapping)) or (isinstance(legs, tuple) and legs and isinstance(legs[0], str)):
        legs = [legs]
    elif kind_of(legs) != "numpy":
        legs = _rows(legs)
    elif isinstance(legs, str) or not isinstance(legs, Iterable):
        raise TypeError(f"legs: expected a list of legs or a frame, got {type(legs).__name__}")
    found = []
    for place, one in enumerate(legs):
        try:
            leg = _leg(one)
        except (ValueError, TypeError) as problem:
            raise type(problem)(f"leg {place}: {problem}") from None
        found.append(dataclasses.replace(leg, quantity=leg.quantity * lot))
    if not found:
        raise ValueError("legs: expected at least one, got none")
    return tuple(found)


def _leg(one: Any) -> Leg:
    if isinstance(one, Leg):
        return one
    if isinstance(one, Mapping):
        fields = [field.name for field in dataclasses.fields(Leg)]
        missing = [name for name in _NEEDED if name not in one]
        unknown = [str(name) for name in one if name not in fields]
        if missing or unknown:
            what = f"no {', '.join(missing)}" if missing else f"unknown {', '.join(unknown)}"
            raise ValueError(f"expected the keys {', '.join(fields)}, got {what}")
        return Leg(**{"strike": None, **one})
    if isinstance(one, (tuple, list)):
        if not 4 <= len(one) <= 6:
            raise ValueError(f"expected (right, strike, quantity, price[, t[, vol]]), got {len(one)} values")
        return Leg(*one)
    raise TypeError(f"expected a Leg, a tuple or a dict, got {type(one).__name__}")


def _rows(frame: Any) -> list[dict[str, Any]]:
    columns = list(getattr(frame, "columns", ()))
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise ValueError(f"legs: expected the columns right, strike, quantity, price, got no {', '.join(missing)}")
    known = [field.name for field in dataclasses.fields(Leg) if field.name in columns]
    values = [frame[name].to_list() for name in known]
    return [dict(zip(known, row)) for row in zip(*values)]
