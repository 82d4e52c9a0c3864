"""Frozen settings with a content hash: what a person or a file says, checked at the edge."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from algomaster.core.errors import ConfigError

__all__ = ["Config"]


class Config(BaseModel):
    """Base of every settings object: frozen, unknown fields refused, hashed by content."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @classmethod
    def of(cls, values: Mapping[str, Any] | Self | None = None, *, what: str = "setting") -> Self:
        """Build from a mapping, turning pydantic's report into one clear :class:`ConfigError`.

        Parameters
        ----------
        values : mapping, config or None
            Field values; text is parsed as on the command line.
        what : str
            What the fields are called in the message ("parameter of straddle").
        """
        if isinstance(values, cls):
            return values
        if values is not None and not isinstance(values, Mapping):
            raise ConfigError(f"Expected each {what} by its name, such as {{'name': value}}, got {values!r}.")
        try:
            return cls.model_validate(dict(values or {}))
        except ValidationError as report:
            raise ConfigError(*_explain(cls, report, what)) from None

    def content_hash(self) -> str:
        """SHA-256 of the values, equal for equal settings in every process."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _explain(cls: type[BaseModel], report: ValidationError, what: str) -> tuple[str]:
    lines = []
    for problem in report.errors():
        name = ".".join(str(part) for part in problem["loc"]) or "(all)"
        if problem["type"] == "extra_forbidden":
            lines.append(f"there is no {what} {name!r}; there are: {', '.join(cls.model_fields)}")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{what} {name!r} = {problem['input']!r}: {message}")
    return ("; ".join(lines) + ".",)
