"""The HTML page that reports stand on: one file that needs no network.

A figure's JSON stands in the page and ``report.js`` draws it with plotly.js, which stands inline, once.
"""

from __future__ import annotations

import html
import os
import tempfile
from collections.abc import Collection, Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from algomaster.core.render import rupees
from algomaster.performance.plots import plotly_script

__all__ = ["Money", "figure_html", "page", "scroll_list", "section", "sign", "table", "write_page"]


def write_page(path: str | Path, text: str) -> Path:
    """Write a page in one move; its folder is made if need be, a file of that name is replaced."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(fresh, 0o644)
    os.replace(fresh, path)
    return path


def page(title: str, body: Iterable[str]) -> str:
    """Put a page around its parts."""
    css, js = ((files("algomaster.performance") / name).read_text("utf-8") for name in ("report.css", "report.js"))
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<meta name='color-scheme' content='light dark'><title>{html.escape(title)}</title>"
        f"<style>{css}</style></head>\n"
        f"<body><main>{''.join(body)}</main>\n<script>{plotly_script()}</script>\n<script>{js}</script></body></html>\n"
    )


def section(title: str, content: str) -> str:
    """Give a part of the page; without content it says so."""
    return f"<section><h2>{html.escape(title)}</h2>{content or '<p class=none>None.</p>'}</section>\n"


def figure_html(figure: Any) -> str:
    """Leave a figure in the page for ``report.js`` to draw."""
    height = int(figure.layout.height)
    # plotly writes "<" as \u003c, so that no text of the data can close the script element.
    return (
        f"<div class='figure' style='height:{height}px'></div>"
        f"<script type='application/json'>{figure.to_json()}</script>"
    )


def scroll_list(
    heads: Sequence[str], rows: Iterable[Sequence[Any]], height: int, *, numbers: Collection[int] = ()
) -> str:
    """Give a table to scroll; where it has the first rows only, it says of how many (``height``)."""
    shown = list(rows)
    cut = f"<p>The first {len(shown):,} of {height:,} rows.</p>" if len(shown) < height else ""
    return f"{cut}<div class='scroll'>{table(heads, shown, numbers=numbers)}</div>"


class Money(float):
    """An amount shown in the colour of its sign."""


def sign(amount: float) -> str:
    """Give the class of an amount's colour."""
    return "gain" if amount > 0.0 else "loss" if amount < 0.0 else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Collection[int] = ()) -> str:
    """Give a table: a tuple is a name with a smaller text under it; columns in ``numbers`` stand to the right."""

    def cell(value: Any, column: int) -> str:
        tone = "n" if column in numbers else ""
        if isinstance(value, tuple):
            return f"<td>{html.escape(value[0])}<small>{html.escape(value[1])}</small></td>"
        if isinstance(value, Money):
            return f"<td class='{tone} {sign(value)}'>{rupees(value)}</td>"
        return f"<td class='{tone}'>{html.escape(str(value))}</td>"

    head = "".join(
        f"<th class='{'n' if at in numbers else ''}'>{html.escape(name)}</th>" for at, name in enumerate(heads)
    )
    lines = "".join("<tr>" + "".join(cell(value, at) for at, value in enumerate(row)) + "</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if heads else ''}<tbody>{lines}</tbody></table>"
