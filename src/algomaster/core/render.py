"""Small helpers for ``repr`` and ``_repr_html_``: a two-column table as text and as HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence

__all__ = ["html_table", "rupees", "text_table"]

Rows = Sequence[tuple[str, str]]


def text_table(title: str, rows: Rows) -> str:
    """Give a title and aligned ``name  value`` lines."""
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows)])


def html_table(title: str, rows: Rows) -> str:
    """Give the same table as HTML."""
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td><td style='text-align:right'>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table><caption><b>{html.escape(title)}</b></caption>{cells}</table>"


def rupees(amount: float) -> str:
    """Write an amount the Indian way: ₹12,34,567.50 (last three digits, then pairs)."""
    sign = "-" if amount < 0 else ""
    whole, paise = f"{abs(amount):.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    groups: list[str] = []
    while len(head) > 2:
        groups.insert(0, head[-2:])
        head = head[:-2]
    if head:
        groups.insert(0, head)
    return f"{sign}₹{','.join([*groups, tail])}.{paise}"
