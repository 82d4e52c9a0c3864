"""What a run is asked to do: the command line over the config file, checked before any work."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from algomaster.core.errors import ConfigError

if TYPE_CHECKING:
    from algo.console import Work
    from algomaster.market import Days
    from algomaster.strategy import Strategy

__all__ = ["Job", "Source", "assignments", "job_of"]

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "strategy": (str,),
    "underlying": (str,),
    "from": (date, str),
    "to": (date, str),
    "fills": (str,),
    "costs": (bool,),
    "slippage": (int, dict),
    "params": (dict,),
}
"""Settings of a config file and what each may be."""

_WORDS: Final = {str: "text", date: "a date", bool: "true or false", int: "a whole number", dict: "a table"}
_SIMULATED_START: Final = date(2024, 1, 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Where the sessions come from: a range of the store, or the simulator."""

    underlying: str | None = None
    first: date | None = None
    last: date | None = None
    home: str | None = None
    simulate: int | None = None
    seed: int | None = None
    start: date | None = None

    def checked(self) -> Source:
        """Refuse options that would do nothing, and ranges that cannot be."""
        if self.simulate is None:
            idle = {"--seed": self.seed, "--start": self.start}
            _refuse_idle(idle, "with --simulate only")
        else:
            _refuse_idle({"--from": self.first, "--to": self.last, "--home": self.home}, "without --simulate only")
        return self

    def days(self, work: Work) -> Days:
        """Load or make up the sessions."""
        from algomaster import market

        if self.underlying is None:
            raise ConfigError("Expected an underlying, got none.", hint="Give one, such as --underlying NIFTY.")
        if self.simulate is not None:
            return market.simulate(
                self.underlying,
                sessions=self.simulate,
                start=self.start or _SIMULATED_START,
                seed=self.seed or 0,
                progress=work.track("simulating", total=self.simulate),
            )
        if self.first is None or self.last is None:
            raise ConfigError(
                "Expected a first and a last session, got none.",
                hint="Give --from and --to for the store, or --simulate SESSIONS for the simulator.",
            )
        if self.last < self.first:
            raise ConfigError(f"Expected --to not before --from {self.first}, got {self.last}.", hint="Swap them.")
        with work.busy("loading"):
            return market.load(self.underlying, self.first, self.last, home=self.home)

    def absent(self) -> list[dict[str, str]]:
        """Give the sessions asked for that lack minutes in the store, and which, ready for JSON."""
        from algomaster.market.loading import absent_sessions

        if self.simulate is not None or self.underlying is None or self.first is None or self.last is None:
            return []
        found = absent_sessions(self.underlying, self.first, self.last, home=self.home)
        return [{"session": str(session), "reason": reason} for session, reason in found]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """A strategy, its parameters, the sessions and the rules of one run."""

    strategy: Strategy
    params: dict[str, Any]
    source: Source
    rules: dict[str, Any]
    """``fills``, ``costs`` and ``slippage`` where given; what is not takes the library's default."""


def job_of(
    name: str | None,
    *,
    config: Path | None,
    assigned: Sequence[str],
    source: Source,
    fills: str | None,
    costs: bool | None,
    slippage: str | None = None,
) -> Job:
    """Put the command line over the config file.

    Raises
    ------
    ConfigError
        A setting is unknown, missing or of the wrong kind.
    CatalogueError
        There is no such strategy.
    """
    from algomaster import strategy

    source = source.checked()
    file = {} if config is None else _read(config)
    wanted = name or file.get("strategy")
    if wanted is None:
        raise ConfigError("Expected a strategy, got none.", hint=f"There are: {', '.join(strategy.names())}.")
    if source.simulate is None:
        source = dataclasses.replace(source, first=source.first or file.get("from"), last=source.last or file.get("to"))
    rules = {
        "fills": file.get("fills") if fills is None else fills,
        "costs": file.get("costs") if costs is None else costs,
        "slippage": file.get("slippage") if slippage is None else _slippage(slippage),
    }
    return Job(
        strategy=strategy.get(wanted),
        params=file.get("params", {}) | assignments(assigned, "--set"),
        source=dataclasses.replace(source, underlying=source.underlying or file.get("underlying")),
        rules={key: value for key, value in rules.items() if value is not None},
    )


def _slippage(text: str) -> int | dict[str, str]:
    """Read ticks an order, or settings such as "ticks=1,spread=0.5"."""
    return int(text) if text.strip().isdigit() else assignments(text.split(","), "--slippage")


def assignments(pairs: Sequence[str], option: str) -> dict[str, str]:
    """Read ``key=value`` texts; a key given twice takes the last value."""
    found = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise typer.BadParameter(f"expected KEY=VALUE, got {pair!r}", param_hint=option)
        found[key.strip()] = value.strip()
    return found


def _refuse_idle(options: Mapping[str, object], when: str) -> None:
    idle = [name for name, value in options.items() if value is not None]
    if idle:
        raise typer.BadParameter(f"works {when}", param_hint=", ".join(idle))


def _read(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path} is not TOML: {problem}.", hint="Mend the file.") from None
    unknown = [key for key in values if key not in _KINDS]
    if unknown:
        raise ConfigError(f"{path}: there is no setting {', '.join(unknown)}; there are: {', '.join(_KINDS)}.")
    for key, value in values.items():
        if not isinstance(value, _KINDS[key]):
            kinds = " or ".join(_WORDS[kind] for kind in _KINDS[key])
            raise ConfigError(f"{path}: expected {key} to be {kinds}, got {value!r}.")
    for key in ("from", "to"):
        if key in values:
            values[key] = _date(values[key], f"{path}: {key}")
    if "params" in values:
        values["params"] = {key: _plain(value) for key, value in values["params"].items()}
    return values


def _date(value: date | str, what: str) -> date:
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if found is None or isinstance(found, datetime):
        raise ConfigError(f"{what}: expected a date such as 2021-06-11, got {value}.")
    return found


def _plain(value: Any) -> Any:
    """Give TOML's times as the text strategies read."""
    return value.isoformat() if isinstance(value, time) else value
