"""Options that several commands share, described once."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from algomaster.core.errors import DataError

__all__ = [
    "At",
    "Clock",
    "Config",
    "Costs",
    "Dividend",
    "Fills",
    "First",
    "Forward",
    "Home",
    "Json",
    "Last",
    "Model",
    "Plot",
    "Prices",
    "Rate",
    "Right",
    "Seed",
    "Set",
    "Simulate",
    "Slippage",
    "Spot",
    "Start",
    "StrategyName",
    "Strike",
    "Underlying",
    "Years",
    "can_write",
    "day",
    "strategy_names",
    "time_left",
]  # fmt: skip

_DATA = "Data"
_RULES = "Strategy and rules"
_OUTPUT = "Output"


def day(text: str | date) -> date:
    """Read a date."""
    try:
        return text if isinstance(text, date) else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"expected a date such as 2021-06-11, got {text!r}") from None


def _moment(text: str | datetime) -> datetime:
    try:
        return text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f'expected a moment such as "2025-08-29 10:15", got {text!r}') from None


def time_left(text: str | float) -> float:
    """Read years: a number, or a number with a unit (7d, 5h, 30m; years of 365 days)."""
    if isinstance(text, float):
        return text
    units = {"y": 1.0, "d": 365.0, "h": 365.0 * 24, "m": 365.0 * 24 * 60}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "y")
    try:
        return float(number) / units[unit]
    except ValueError:
        raise typer.BadParameter(
            f"expected years (0.25), or a number with a unit (7d, 5h, 30m), got {text!r}"
        ) from None


def can_write(path: Path | None, option: str) -> None:
    """Check before the work that a file or folder can be made where an option says.

    Raises
    ------
    DataError
        It cannot; the message has the path as it was given.
    """
    if path is None:
        return
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        why = f"{above} is a file"
    elif not os.access(above, os.W_OK | os.X_OK):
        why = f"the folder {above} may not be written to"
    else:
        return
    raise DataError(f"Cannot write {path}: {why}.", hint=f"Give {option} another path.", path=str(path))


def strategy_names(incomplete: str) -> list[str]:
    """Complete the name of a strategy."""
    from algomaster import strategy

    return [name for name in strategy.names() if name.startswith(incomplete)]


def _fill_modes(incomplete: str) -> list[str]:
    from algomaster.execution.costs import FILL_MODES

    return [mode for mode in FILL_MODES if mode.startswith(incomplete)]


StrategyName = Annotated[
    str | None,
    typer.Argument(
        metavar="STRATEGY",
        help="Name in the catalogue; see algo strategies.",
        autocompletion=strategy_names,
        show_default=False,
    ),
]  # fmt: skip
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", exists=True, dir_okay=False, rich_help_panel=_RULES, show_default=False,
        help="TOML file: strategy, underlying, from, to, fills, costs, a table params. The command line wins.",
    ),
]  # fmt: skip
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", rich_help_panel=_RULES, show_default=False,
        help="A parameter of the strategy, such as entry=09:20, stop_pct=25, strike=ATM+1; repeatable.",
    ),
]  # fmt: skip
Fills = Annotated[
    str | None,
    typer.Option(
        "--fills", metavar="MODE", autocompletion=_fill_modes, rich_help_panel=_RULES, show_default=False,
        help="Where market orders fill: next_open (the default, also named strict), decision_close or algotest.",
    ),
]  # fmt: skip
Costs = Annotated[
    bool | None,
    typer.Option(
        "--costs/--no-costs", rich_help_panel=_RULES, show_default=False,
        help="Charge brokerage and the taxes and charges of the date (the default), or not.",
    ),
]  # fmt: skip
Slippage = Annotated[
    str | None,
    typer.Option(
        "--slippage", metavar="TICKS|SETTINGS", rich_help_panel=_RULES, show_default=False,
        help="How much worse market orders and stops fill: ticks, or settings such as ticks=1,spread=0.5,impact=0.1, "
        "quotes=true.",
    ),
]  # fmt: skip
Underlying = Annotated[
    str | None,
    typer.Option(
        "--underlying",
        "-u",
        metavar="NAME",
        rich_help_panel=_DATA,
        show_default=False,
        help="Such as NIFTY, BANKNIFTY.",
    ),
]
First = Annotated[
    date | None,
    typer.Option(
        "--from", metavar="DATE", parser=day, rich_help_panel=_DATA, show_default=False,
        help="First session, such as 2021-06-11.",
    ),
]  # fmt: skip
Last = Annotated[
    date | None,
    typer.Option(
        "--to", metavar="DATE", parser=day, rich_help_panel=_DATA, show_default=False, help="Last session, included."
    ),
]
Home = Annotated[
    str | None,
    typer.Option(
        "--home", metavar="PATH", rich_help_panel=_DATA, show_default=False,
        help="Folder or URL of the store; by default $ALGO_HOME, else the user's data folder.",
    ),
]  # fmt: skip
Simulate = Annotated[
    int | None,
    typer.Option(
        "--simulate", metavar="SESSIONS", min=1, rich_help_panel=_DATA, show_default=False,
        help="Run on so many sessions of the market simulator instead of the store.",
    ),
]  # fmt: skip
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="NUMBER", min=0, rich_help_panel=_DATA, show_default=False,
        help="Seed of the simulated market; the same seed gives the same market (0).",
    ),
]  # fmt: skip
Start = Annotated[
    date | None,
    typer.Option(
        "--start", metavar="DATE", parser=day, rich_help_panel=_DATA, show_default=False,
        help="First day of the simulated market (2024-01-01).",
    ),
]  # fmt: skip
Capital = Annotated[
    float | None,
    typer.Option(
        "--capital", metavar="RUPEES", min=1, rich_help_panel=_RULES, show_default=False,
        help="Capital of the run, for CAGR, Calmar and return on capital.",
    ),
]  # fmt: skip
Json = Annotated[
    bool, typer.Option("--json", rich_help_panel=_OUTPUT, help="Print one JSON object to standard output.")
]

_OPTION = "Option"
Right = Annotated[str, typer.Argument(metavar="RIGHT", help="CE or PE (c, p, call, put).", show_default=False)]
Spot = Annotated[float, typer.Argument(metavar="SPOT", help="Price of the underlying.", show_default=False)]
Strike = Annotated[float, typer.Argument(metavar="STRIKE", help="Strike.", show_default=False)]
Years = Annotated[
    float,
    typer.Argument(
        metavar="TIME", parser=time_left, show_default=False,
        help="Time to expiry: years (0.25), or with a unit: 7d, 5h, 30m (years of 365 days).",
    ),
]  # fmt: skip
Dividend = Annotated[
    float, typer.Option("--dividend", help="Dividend yield, continuously compounded.", rich_help_panel=_OPTION)
]
Forward = Annotated[
    float | None,
    typer.Option(
        "--forward", show_default=False, rich_help_panel=_OPTION,
        help="Forward of the underlying to the expiry; the spot is then not used.",
    ),
]  # fmt: skip
Model = Annotated[
    str, typer.Option("--model", help="black (lognormal) or bachelier (normal).", rich_help_panel=_OPTION)
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate", show_default=False,
        help="Interest rate, continuously compounded (0.065 is 6.5 %); a chain without it reads it from boxes.",
    ),
]  # fmt: skip
At = Annotated[
    datetime | None,
    typer.Option(
        "--at", metavar="MOMENT", parser=_moment, rich_help_panel=_DATA, show_default=False,
        help='Moment in Indian time, such as "2025-08-29 10:15"; of a file, its last snapshot by default.',
    ),
]  # fmt: skip
Clock = Annotated[str, typer.Option("--clock", help="Time to expiry: calendar or business.", rich_help_panel=_RULES)]
Prices = Annotated[
    str,
    typer.Option(
        "--prices", rich_help_panel=_RULES,
        help="best: middle of the quotes, else the last price; quotes or last: only those.",
    ),
]  # fmt: skip
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", dir_okay=False, rich_help_panel=_OUTPUT, show_default=False,
        help="Write the picture there, as one HTML page.",
    ),
]  # fmt: skip
