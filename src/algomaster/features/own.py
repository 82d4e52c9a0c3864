"""Features of your own: one function, and it has batch, online, store, laws and a page like any other."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from algomaster.core.jit import kernel
from algomaster.features import library
from algomaster.features.definition import BAR_END, Feature
from algomaster.features.series import Series, given, node

__all__ = ["define", "feature"]


def feature(
    *,
    formula: str,
    begin: Sequence[float] = (),
    name: str | None = None,
    family: str = "own",
    warm_up: int = 0,
    parameters: Mapping[str, Any] | None = None,
    unit: str = "ratio",
    low: float = -math.inf,
    high: float = math.inf,
    nan_rule: str = "as its function returns",
    knowable: str = BAR_END,
    source: str = "",
    sessions: int = 5,
    same_under: Sequence[str] = (),
) -> Callable[[Callable[..., float]], Feature]:
    """Make a feature of a function that advances by one bar.

    Parameters
    ----------
    formula : str
        What it is, for people.
    begin : sequence of float
        Its state before the first bar; the function gets it as an array and may change it.
    name : str, optional
        By default the function's.
    warm_up : int
        Bars it gives NaN for at the beginning.
    parameters, unit, low, high, nan_rule, knowable, source, sessions, same_under
        See :class:`~algomaster.features.Feature`.

    Returns
    -------
    callable
        Decorator; it gives the :class:`~algomaster.features.Feature`. Decorating a function of the same name again
        takes the earlier one's place.

    Raises
    ------
    CatalogueError
        The name is that of a built-in feature.
    TypeError
        The function does not take ``state`` and then inputs by name.

    Examples
    --------
    >>> from algomaster import features
    >>> @features.feature(begin=(float("nan"),), formula="ln(c/c1)", unit="log return", warm_up=1)
    ... def my_return(state, close):
    ...     before = state[0]
    ...     state[0] = close
    ...     return math.log(close / before)

    Notes
    -----
    The function is compiled: numbers, arrays and :mod:`math` may be used in it, other functions if they are kernels
    (:func:`algomaster.core.jit.kernel`). It must not keep anything outside its state.
    """

    def decorate(function: Callable[..., float]) -> Feature:
        inputs = _inputs(function)
        step = _step(function, inputs, len(begin))
        expression = node(step, *(given(each) for each in inputs), begin=tuple(begin), wait=warm_up)
        return define(
            name or function.__name__, expression, formula=formula, family=family, parameters=dict(parameters or {}),
            unit=unit, low=low, high=high, nan_rule=nan_rule, knowable=knowable, source=source, sessions=sessions,
            same_under=frozenset(same_under),
        )  # fmt: skip

    return decorate


def define(name: str, expression: Series, *, formula: str, family: str = "own", **about: Any) -> Feature:
    """Enter a feature written in the language of :mod:`algomaster.features.series`.

    Parameters
    ----------
    name : str
    expression : Series
        Such as ``mean(given("close"), 20) / given("close") - 1.0``.
    formula : str
        The same for people.
    family, about
        See :class:`~algomaster.features.Feature`.

    Raises
    ------
    CatalogueError
        The name is that of a built-in feature.
    """
    made = Feature(name=name, family=family, formula=formula, expression=expression, **about)
    library.enter_own(made)
    return made


def _inputs(function: Callable[..., float]) -> tuple[str, ...]:
    names = tuple(inspect.signature(function).parameters)
    if len(names) < 2 or names[0] != "state":
        raise TypeError(
            f"{function.__name__}: expected a function of state and inputs by name, such as (state, close, volume), "
            f"got ({', '.join(names)})"
        )
    return names[1:]


def _step(function: Callable[..., float], inputs: tuple[str, ...], states: int) -> Callable[..., None]:
    """Write the kernel that takes the function over the columns of the tape."""
    values = ", ".join(f"tape[line[{n + 2}] + i]" for n in range(len(inputs)))
    text = f"""
def step(tape, line, start, stop, stride):
    for each in range(stride):
        first = line[1] + each * {states}
        state = tape[first:first + {states}]
        for i in range(start + each, stop, stride):
            tape[line[{len(inputs) + 2}] + i] = update(state, {values})
"""
    names: dict[str, Any] = {"update": kernel(inner=True)(function), "__name__": __name__}
    exec(compile(text, __file__, "exec"), names)
    made: Callable[..., None] = kernel(inner=True)(names["step"])
    return made
