"""What a feature is: a series with everything a person needs to know before using it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from algomaster.core.jit import identity
from algomaster.core.render import html_table, text_table
from algomaster.features.program import nodes_of
from algomaster.features.series import Series

__all__ = ["Feature"]

WINDOW: Final = "NaN until its window is full and while a missing value is in it"
MEMORY: Final = "NaN until it has begun and on bars whose input is missing; the memory passes over those"
SESSION: Final = "NaN until the session has a known value"
SAME_BAR: Final = "NaN where an input of the bar is missing"
BAR_END: Final = "at the bar's end"


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Feature:
    """One feature of the catalogue.

    Attributes
    ----------
    name : str
    family : str
    formula : str
        In the symbols of the feature list: o, h, l, c, v of the bar, c1 the close before, n bars.
    expression : Series
        The same in the language of :mod:`algomaster.features.series`.
    parameters : mapping
        The numbers in it a person might change.
    unit : str
        "ratio", "log return", "minutes", ...
    low, high : float
        Values never lie outside.
    nan_rule : str
        When it is NaN although the bar has come.
    knowable : str
        When it can be used.
    source : str
        Paper, book or library that defines it.
    sessions : int
        Sessions whose bars it depends on, today's included; what reaches over midnight through a window or an average
        of bars counts 5, as many as hold the longest (beyond them an exponential average has nothing left to remember).
    same_under : frozenset of str
        "price" if it does not change when all prices are scaled by one factor, "volume" likewise.
    wait : int, optional
        Warm-up where it is not the sum of what the kernels wait for.
    """

    name: str
    family: str
    formula: str
    expression: Series
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    unit: str = "ratio"
    low: float = -math.inf
    high: float = math.inf
    nan_rule: str = WINDOW
    knowable: str = BAR_END
    source: str = ""
    sessions: int = 5
    same_under: frozenset[str] = frozenset({"price", "volume"})
    wait: int | None = None

    @functools.cached_property
    def inputs(self) -> tuple[str, ...]:
        """Series of the bar that it reads."""
        return tuple(node.name for node in nodes_of([self.expression]) if node.kernel is None)

    @functools.cached_property
    def kernels(self) -> frozenset[Callable[..., None]]:
        """Kernels that it uses."""
        return frozenset(node.kernel for node in nodes_of([self.expression]) if node.kernel is not None)

    @property
    def warm_up(self) -> int:
        """Bars without a value at the beginning."""
        return self.expression.node.warm_up if self.wait is None else self.wait

    @functools.cached_property
    def identity(self) -> str:
        """SHA-256 of what it computes: the kernels, their numbers and how they hang together."""
        order = nodes_of([self.expression])
        place = {id(node): n for n, node in enumerate(order)}
        lines = [
            [
                node.name if node.kernel is None else identity(node.kernel),
                [(place[id(each.node)], each.output) for each in node.inputs],
                [number.hex() for number in node.numbers],
                [value.hex() for value in node.begin],
            ]
            for node in order
        ]
        return hashlib.sha256(json.dumps([lines, self.expression.output]).encode()).hexdigest()

    def row(self) -> dict[str, Any]:
        """Give what there is to know, for a table or JSON (infinite bounds are None)."""
        return {
            "name": self.name,
            "family": self.family,
            "formula": self.formula,
            "inputs": list(self.inputs),
            "parameters": dict(self.parameters),
            "warm_up": self.warm_up,
            "sessions": self.sessions,
            "unit": self.unit,
            "low": self.low if math.isfinite(self.low) else None,
            "high": self.high if math.isfinite(self.high) else None,
            "nan_rule": self.nan_rule,
            "knowable": self.knowable,
            "source": self.source,
            "identity": self.identity,
        }

    def page(self) -> str:
        """Give a page about it in Markdown."""
        said = self.row()
        lines = [f"## {self.name}", "", f"`{self.formula}`", ""]
        lines += [f"- **{key.replace('_', ' ')}**: {_told(value)}" for key, value in said.items() if key not in _TITLE]
        return "\n".join(lines) + "\n"

    def _table(self) -> list[tuple[str, str]]:
        return [(key.replace("_", " "), _told(value)) for key, value in self.row().items() if key != "name"]

    def __repr__(self) -> str:
        return text_table(f"Feature {self.name}", self._table())

    def _repr_html_(self) -> str:
        return html_table(f"Feature {self.name}", self._table())


_TITLE: Final = {"name", "formula"}


def _told(value: Any) -> str:
    if value is None:
        return "unbounded"
    if isinstance(value, dict):
        return ", ".join(f"{key} = {number}" for key, number in value.items()) or "none"
    return ", ".join(value) if isinstance(value, list) else str(value)
