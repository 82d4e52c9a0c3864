"""A strategy as the hosts see it: a name, a compiled step, its settings and its memory.

Anyone can write one, in a file or a notebook::

    from algomaster import strategy
    from algomaster.strategy.steps import contract as desk

    class Settings(strategy.Params):
        entry: int = 575          # minute of the day
        lots: int = 1

    @strategy.step
    def sell_the_call(state, params, day, i, book):
        if day.first_minute + i + 1 == params[0]["entry"]:
            contract = desk.instrument_of(day, 0, desk.at_the_money(day, 0, day.spot[i]), 0)
            if contract >= 0:  # -1 where the session has no such strike
                desk.enter(book, i, contract, -params[0]["lots"] * day.lot[0], 0, 0)

    mine = strategy.Strategy("sell_the_call", step=sell_the_call, params=Settings)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

import numpy as np

from algomaster.core.config import Config
from algomaster.core.errors import ConfigError
from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.strategy.steps.contract import new_state

__all__ = ["Params", "Strategy", "step"]

P = ParamSpec("P")

NO_MEMORY = np.dtype([("unused", np.int64)])


def step(function: Callable[P, None]) -> Callable[P, None]:
    """Decorate a strategy's step; see :mod:`algomaster.strategy.steps.contract` for what a step may do.

    It is compiled into the loop of its host. It may use numbers, records and arrays, not Python objects.
    """
    return kernel(inline=True, inner=True)(function)


class Params(Config):
    """Base of a strategy's settings; :meth:`pack` gives the record that its step reads."""

    def pack(self) -> Record:
        """Give the settings as a one-element record: whole numbers and yes/no as int64, other numbers as float64.

        A strategy with settings of other kinds (times, lists, choices) writes its own.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields}
        for name, value in values.items():
            if not isinstance(value, (bool, int, float)):
                raise ConfigError(
                    f"Parameter {name!r} = {value!r} is not a number.",
                    hint=f"Give {type(self).__name__} a pack() method that turns it into numbers.",
                )
        record = np.zeros(1, [(name, np.float64 if isinstance(v, float) else np.int64) for name, v in values.items()])
        for name, value in values.items():
            record[0][name] = value
        return record


@dataclasses.dataclass(frozen=True)
class Strategy:
    """A strategy: a pure step, the settings it reads and the memory it keeps.

    Attributes
    ----------
    name : str
    step : kernel
        ``step(state, params, day, i, book) -> None``.
    params : type of Params
        Settings with defaults; unknown names are refused.
    state : numpy dtype
        Record layout of the memory; it starts zeroed.
    summary : str
        One line for lists.
    """

    name: str
    step: Any
    params: type[Params]
    state: np.dtype[Any] = NO_MEMORY
    summary: str = ""

    def configure(self, params: Mapping[str, Any] | Params | None = None) -> Params:
        """Check settings and fill in defaults.

        Raises
        ------
        ConfigError
            An unknown name or an impossible value; the message lists what there is.
        """
        return self.params.of(params, what=f"parameter of {self.name}")

    def init(self, params: Record) -> Record:
        """Give the memory of a strategy that has seen nothing."""
        del params  # part of the contract; a zeroed memory needs no settings
        return new_state(self.state)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={field.default!r}" for name, field in self.params.model_fields.items())
        return f"Strategy({self.name}: {fields})"
