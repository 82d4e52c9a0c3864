"""``algo strategies``: what the catalogue holds, and the parameters of each."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import options
from algo.console import emit, emit_json, rows_table

if TYPE_CHECKING:
    from algomaster.strategy import Params, Strategy

__all__ = ["strategies"]


def strategies(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", autocompletion=options.strategy_names, show_default=False, help="Only this one, in full."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the strategies; with a name, its parameters with their defaults and meaning.

    Example: algo strategies straddle
    """
    from algomaster import strategy

    if name is None:
        shown = [_described(strategy.get(one)) for one in strategy.names()]
        if as_json:
            emit_json({"strategies": shown})
        else:
            emit(rows_table("Strategies", ["name", "what it does"], [(one["name"], one["summary"]) for one in shown]))
        return
    one = _described(strategy.get(name))
    if as_json:
        emit_json(one)
        return
    rows = [("none" if p["default"] is None else str(p["default"]), p) for p in one["parameters"]]
    emit(
        f"{one['name']}: {one['summary']}", "",
        rows_table(
            "Parameters (--set KEY=VALUE)", ["key", "default", "values", "meaning"],
            [(p["name"], default, p["values"], p["meaning"]) for default, p in rows],
        ),
    )  # fmt: skip


def _described(strategy: Strategy) -> dict[str, Any]:
    defaults = strategy.configure().model_dump(mode="json")
    meanings = _meanings(strategy.params)
    parameters = [
        {"name": name, "default": value, "values": meanings[name][0], "meaning": meanings[name][1]}
        for name, value in defaults.items()
    ]
    return {"name": strategy.name, "summary": strategy.summary, "parameters": parameters}


def _meanings(params: type[Params]) -> dict[str, tuple[str, str]]:
    """Read values and meaning of each parameter from the "Attributes" of the settings' docstrings.

    A class inherits what it does not describe itself; a parameter nobody describes has empty texts.
    """
    found = {name: ("", "") for name in params.model_fields}
    for cls in reversed(params.__mro__):
        _, _, attributes = inspect.cleandoc(cls.__dict__.get("__doc__") or "").partition("Attributes\n----------\n")
        for entry in re.split(r"\n(?=\S)", attributes):
            head, _, meaning = entry.partition("\n")
            names, _, values = head.partition(" : ")
            known = {name.strip() for name in names.split(",")} & found.keys()
            found |= {name: (values, " ".join(meaning.split())) for name in known}
    return found
