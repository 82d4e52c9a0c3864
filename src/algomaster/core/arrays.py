"""The one door between numpy, pandas and polars and the float64 arrays that kernels take.

``as_vector`` lets values in, ``like`` gives a result back in the kind that came. Neither pandas nor polars is
imported here: an object of theirs is recognised by its module, so a caller who has only numpy pays for nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from algomaster.core.types import PAISE, FloatArray, IntArray

__all__ = ["as_array", "as_vector", "kind_of", "like", "to_rupees"]


def kind_of(values: object) -> str:
    """Say which library an object belongs to: "polars", "pandas" or "numpy" (anything else, scalars included)."""
    module = type(values).__module__.split(".")[0]
    return module if module in {"polars", "pandas"} else "numpy"


def as_array(values: ArrayLike | Any, name: str) -> FloatArray:
    """Give ``values`` as a float64 C-contiguous array of any shape; missing values become NaN.

    What is read-only (a polars column, a frozen session) is copied: to numba a read-only array is of another type, and
    a kernel would be compiled anew for every mixture of the two.

    Parameters
    ----------
    values : scalar, sequence, numpy array, pandas or polars Series
    name : str
        What the argument is called, for the message.

    Raises
    ------
    TypeError
        The values are not numbers.
    """
    try:
        if kind_of(values) == "polars":
            values = values.cast(float).to_numpy()  # type: ignore[union-attr]
        elif kind_of(values) == "pandas":
            values = values.to_numpy(dtype=np.float64, na_value=np.nan)  # type: ignore[union-attr]
        array = np.asarray(values)
        if array.dtype.kind not in "fiub" and not (array.dtype.kind == "O" and array.size):
            raise ValueError(f"dtype {array.dtype}")
        return np.require(array, dtype=np.float64, requirements=["C", "A", "W"])
    except Exception as problem:
        if type(problem).__module__.split(".")[0] not in {"builtins", "polars", "pandas", "numpy"}:
            raise
        raise TypeError(f"{name}: expected numbers, got {type(values).__name__} ({problem})") from None


def as_vector(values: ArrayLike | Any, name: str) -> FloatArray:
    """Give ``values`` as a float64 vector (T,).

    Raises
    ------
    ValueError
        The values are not one-dimensional.
    TypeError
        The values are not numbers.
    """
    array = as_array(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected one dimension, got shape {array.shape}")
    return array


def like(result: FloatArray, *sources: Any) -> Any:
    """Give ``result`` in the kind of the first source that is a pandas or polars Series.

    Parameters
    ----------
    result : (T,) or scalar-shaped float64
    sources
        What the caller passed. A Series gives its index and name back; all-scalar input gives a float.
    """
    for source in sources:
        kind = kind_of(source)
        if kind == "polars" and result.shape == (len(source),):
            return type(source)(source.name, result)
        if kind == "pandas" and result.shape == (len(source),):
            return type(source)(result, index=source.index, name=source.name)
    return float(result) if result.ndim == 0 else result


def to_rupees(paise: IntArray) -> FloatArray:
    """Give whole paise as rupees, each the float nearest to the true quotient.

    polars divides a column by multiplying with 1/100, which is off by one bit for one amount in seven; amounts that
    are compared or shown therefore come through here.
    """
    return np.asarray(paise / PAISE)
