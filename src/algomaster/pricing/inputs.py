"""From what a caller has (scalars, arrays, Series, rights as words) to the arrays that kernels take, and back."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from algomaster.core.arrays import as_array, kind_of, like
from algomaster.core.types import CALL, PUT, FloatArray, IntArray
from algomaster.pricing.kernels.blocks import Options

__all__ = ["Inputs", "as_right", "choose"]

_WORDS: Final = {"ce": CALL, "c": CALL, "call": CALL, "pe": PUT, "p": PUT, "put": PUT}
_PLAIN: Final = (float, int, str, list, np.ndarray, type(None))  # what is no Series, seen at once
_NO_RIGHT: Final = 0  # what kernels answer with NaN


def choose(name: str, value: object, known: Iterable[object]) -> None:
    """Refuse a ``value`` that is not among ``known``, saying what is."""
    known = tuple(known)
    if isinstance(value, bool) or value not in known:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, known))}, got {value!r}")


def as_right(right: Any) -> IntArray:
    """Give rights as an array of +1 (call) and -1 (put), 0 where one is missing.

    Parameters
    ----------
    right : scalar, sequence, numpy array, pandas or polars Series
        "CE"/"PE", "c"/"p", "call"/"put" in any case, or +1/-1.

    Raises
    ------
    ValueError
        Something else is among them.
    """
    if isinstance(right, str):
        return np.array(_code(right))
    values = right.to_numpy() if kind_of(right) != "numpy" else np.asarray(right)
    if values.dtype.kind in "iu":
        codes = np.require(values, np.int64, ["C", "A", "W"])  # see core.arrays
        if np.count_nonzero(np.abs(codes) == CALL) == codes.size:
            return codes
    elif values.dtype.kind == "f":
        codes = np.where(np.isnan(values), _NO_RIGHT, values)
    else:
        known: dict[Any, int] = {}
        listed = values.ravel().tolist()
        for value in listed:
            if value not in known:
                known[value] = _code(value)
        return np.array([known[value] for value in listed], np.int64).reshape(values.shape)
    wrong = (codes != CALL) & (codes != PUT)
    if values.dtype.kind == "f":
        wrong &= ~np.isnan(values)
    if wrong.any():
        _code(values[wrong].flat[0].item())
    return codes.astype(np.int64)


def _code(value: Any) -> int:
    if value is None or value != value:
        return _NO_RIGHT
    if isinstance(value, str):
        code = _WORDS.get(value.strip().lower())
    else:
        code = int(value) if value in (CALL, PUT) and not isinstance(value, bool) else None
    if code is None:
        raise ValueError(f'right: expected "CE"/"PE", "c"/"p", "call"/"put" or +1/-1, got {value!r}')
    return code


@dataclasses.dataclass(frozen=True, eq=False)
class Inputs:
    """Arguments of one call, brought to one shape.

    Attributes
    ----------
    flat : dict of (n,) or (1,) float64 ("right": int64)
        By argument name; one element where the caller gave one for all.
    shape : tuple of int
        What the results are shaped to.
    size : int
        n, the product of the shape.
    sources : tuple
        What the caller passed that may be a Series, for the kind of the results.
    """

    flat: dict[str, Any]
    shape: tuple[int, ...]
    size: int
    sources: tuple[Any, ...]

    @classmethod
    def gather(cls, right: Any, spot: Any, forward: Any, dividend: Any, rate: Any, **others: Any) -> Inputs:
        """Broadcast the arguments; with a ``forward`` that is the spot, and its yield is the rate.

        Raises
        ------
        ValueError
            Shapes or pandas indexes do not fit; neither spot nor forward is given; dividend and forward are.
        TypeError
            Something is not a number.
        """
        if spot is None and forward is None:
            raise ValueError("spot: expected a number or an array, got None (only a forward makes it superfluous)")
        given = {"spot": spot, **others, "rate": rate, "dividend": dividend}
        arrays: dict[str, Any] = {name: _array(value, name) for name, value in given.items() if value is not None}
        if forward is not None:
            arrays |= _on_forward(arrays, _array(forward, "forward"))
        arrays["right"] = as_right(right)
        sources = tuple(source for source in (*given.values(), forward, right) if type(source) not in _PLAIN)
        _check_indexes(sources)
        shape = _common_shape({name: array.shape for name, array in arrays.items()})
        size = math.prod(shape)
        flat = {name: _flat(array, shape) for name, array in arrays.items()}
        return cls(flat, shape, size, sources)

    @functools.cached_property
    def right(self) -> IntArray:
        """(n,) int64."""
        return np.broadcast_to(self.flat["right"], self.size).copy()

    @functools.cached_property
    def values(self) -> dict[str, FloatArray]:
        """(n,) float64 by argument name, ``right`` apart."""
        rest = ((name, array) for name, array in self.flat.items() if name != "right")
        return {name: array if array.size == self.size else np.full(self.size, array[0]) for name, array in rest}

    def options(self) -> Options:
        """Give the arguments as the loops of prices and Greeks take them."""
        flat = self.flat
        return Options(*(flat[name] for name in Options._fields))

    def back(self, result: Any, name: str) -> Any:
        """Give one result in the caller's shape and kind; a Series is called ``name``, an integer stays one."""
        if not self.shape:
            return result.item()
        shaped = result if len(self.shape) == 1 else result.reshape(self.shape)
        if not self.sources:
            return shaped
        kept = like(shaped, *self.sources)
        return kept if kept is shaped else kept.rename(name)


def _array(value: Any, name: str) -> FloatArray:
    kind = type(value)
    if kind is float or kind is int:
        return np.array(value, np.float64)
    if kind is np.ndarray and value.dtype == np.float64 and value.flags.carray:
        return value  # type: ignore[no-any-return]
    return as_array(value, name)


def _common_shape(shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    different = {shape for shape in shapes.values() if shape}
    if len(different) < 2:
        return different.pop() if different else ()
    try:
        return np.broadcast_shapes(*different)
    except ValueError:
        order = ("right", *(name for name in shapes if name != "right"))
        listed = ", ".join(f"{name} {shapes[name]}" for name in order if shapes[name])
        raise ValueError(f"expected shapes that broadcast, got {listed}") from None


def _flat(array: Any, shape: tuple[int, ...]) -> Any:
    if array.shape != shape and array.size != 1:
        array = np.ascontiguousarray(np.broadcast_to(array, shape))
    return array.reshape(-1)


def _on_forward(arrays: dict[str, FloatArray], forward: FloatArray) -> dict[str, FloatArray]:
    if np.any(arrays["dividend"] != 0.0):
        raise ValueError("dividend: expected none beside a forward, which contains it; give one of the two")
    spot = arrays.get("spot")
    if spot is not None:  # not used, but a missing input gives a missing result
        forward = np.where(np.isnan(spot), np.nan, forward)
    return {"spot": forward, "dividend": arrays["rate"]}


def _check_indexes(sources: Iterable[Any]) -> None:
    indexed = [source for source in sources if kind_of(source) == "pandas"]
    for other in indexed[1:]:
        if other.index is not indexed[0].index and not other.index.equals(indexed[0].index):
            raise ValueError("expected pandas Series of one index, got different ones; align them first")
