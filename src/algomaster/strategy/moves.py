"""How far a price, the index or a profit must go, as a trader writes it: "25%", "30 points", "spot 0.5%", 5000."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_serializer, model_validator

from algomaster.core.config import Config
from algomaster.core.types import PAISE
from algomaster.strategy.steps import manager_table as table
from algomaster.strategy.words import NONE_WORDS, to_ppm

__all__ = ["Distance", "Limit", "Money", "Move", "PremiumDistance", "PremiumMove", "SignedMove", "packed"]

_TEXT = re.compile(r"(spot\s+)?([+-]?\d+(?:\.\d+)?)\s*(%|pts?|points?|rupees)?", re.IGNORECASE)
_KINDS = {
    "percent": table.PERCENT,
    "points": table.POINTS,
    "spot_percent": table.SPOT_PERCENT,
    "spot_points": table.SPOT_POINTS,
    "rupees": table.RUPEES,
}
_WORDS = {
    "percent": "{:g}%",
    "points": "{:g} points",
    "spot_percent": "spot {:g}%",
    "spot_points": "spot {:g} points",
    "rupees": "{:g} rupees",
}


class Move(Config):
    """A distance and what it is measured in.

    Written as text, as a table of one entry (``{percent = 25}``, ``{points = 30}``, ``{spot_percent = 0.5}``,
    ``{spot_points = 50}``, ``{rupees = 5000}``) or as a plain number of rupees.
    """

    unit: Literal["percent", "points", "spot_percent", "spot_points", "rupees"]
    amount: Annotated[float, Field(ge=-1e8, le=1e8, allow_inf_nan=False)]

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return {"unit": "rupees", "amount": value}
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _KINDS:
            ((unit, amount),) = value.items()
            return {"unit": unit, "amount": amount}
        if not isinstance(value, str):
            return value
        match = _TEXT.fullmatch(value.strip())
        if not match:
            raise ValueError('expected a distance such as "25%", "30 points", "spot 0.5%" or "5000 rupees"')
        sign = (match[3] or "rupees").lower()
        unit = "percent" if sign == "%" else "rupees" if sign == "rupees" else "points"
        if match[1]:
            if unit == "rupees":
                raise ValueError('expected a distance of the index such as "spot 0.5%" or "spot 50 points"')
            unit = f"spot_{unit}"
        return {"unit": unit, "amount": match[2]}

    @model_serializer
    def _shown(self) -> str:
        return _WORDS[self.unit].format(self.amount) if self.amount == float(f"{self.amount:g}") else self._exactly()

    def _exactly(self) -> str:
        return _WORDS[self.unit].replace("{:g}", "{!r}").format(self.amount)


def packed(move: Move | None) -> tuple[int, int]:
    """Give kind and amount as the step reads them: parts per million or paise; (0, 0) for None."""
    if move is None:
        return table.NO_RULE, 0
    share = move.unit.endswith("percent")
    return _KINDS[move.unit], to_ppm(move.amount) if share else round(move.amount * PAISE)


def _none(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() in NONE_WORDS else value


def _only(*units: str, signed: bool = False) -> Callable[[Move | None], Move | None]:
    def check(move: Move | None) -> Move | None:
        if move is None:
            return None
        if move.unit not in units:
            wanted = ", ".join(f'"{_WORDS[unit].format(5)}"' for unit in units)
            raise ValueError(f"expected a distance such as {wanted}")
        if packed(move)[1] == 0 or (move.amount < 0 and not signed):
            raise ValueError(f"expected {'anything but' if signed else 'more than'} 0")
        if move.amount < 0 and move.unit.endswith("percent") and move.amount <= -100:
            raise ValueError("expected a fall of less than 100%")
        return move

    return check


_PREMIUM = ("percent", "points")
_INDEX = ("spot_percent", "spot_points")
_MAYBE = BeforeValidator(_none)

Distance = Annotated[Move | None, _MAYBE, AfterValidator(_only(*_PREMIUM, *_INDEX))]
"""Of a leg's premium or of the index."""
PremiumDistance = Annotated[Move | None, _MAYBE, AfterValidator(_only(*_PREMIUM))]
SignedMove = Annotated[Move | None, _MAYBE, AfterValidator(_only(*_PREMIUM, *_INDEX, signed=True))]
"""Up (+) or down (-)."""
PremiumMove = Annotated[Move | None, _MAYBE, AfterValidator(_only(*_PREMIUM, signed=True))]
Limit = Annotated[Move | None, _MAYBE, AfterValidator(_only("rupees", "percent", *_INDEX))]
"""Of the profit in rupees or percent of the premium taken, or of the index."""
Money = Annotated[Move | None, _MAYBE, AfterValidator(_only("rupees", "percent"))]
