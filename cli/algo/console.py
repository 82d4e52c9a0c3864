"""Where output goes: results to standard output, everything about the work to standard error.

With ``--json`` standard output holds one object and nothing else (:func:`emit_json`). Progress bars
(:func:`working`) are drawn only where standard error is a terminal.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import typer

from algomaster.core.errors import AlgoWarning

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "Work", "complain", "emit", "emit_json", "note", "number", "records", "rows_table", "show_warnings", "signed",
    "toned", "working",
]  # fmt: skip

_PLAIN_WIDTH = 160
"""Columns for a file or a pipe, where nobody is squeezed by a window."""

_BROKEN_PIPE = 141
"""What a shell shows for a program whose reader has gone away (128 + SIGPIPE)."""


def emit_json(value: Any) -> None:
    """Print one JSON object, and nothing else, to standard output."""
    _write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def emit(*parts: Any) -> None:
    """Print texts and tables to standard output."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal or "COLUMNS" in os.environ else _PLAIN_WIDTH, highlight=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part, markup=False)
    _write(captured.get())


def note(text: str) -> None:
    """Print a line about the work to standard error."""
    print(text, file=sys.stderr)  # noqa: T201


def complain(text: str) -> None:
    """Print an error as one line on standard error."""
    note(f"error: {' '.join(text.split())}")


def number(value: float | None, digits: int = 2) -> str:
    """Write a number with so many decimals; nothing where there is none."""
    return "" if value is None or value != value else f"{value:,.{digits}f}"


def signed(value: float | None, digits: int = 0) -> Text:
    """Write a change with its sign: green above 0, red below."""
    if value is None or value != value:
        return toned("", "")
    return toned(f"{value:+,.{digits}f}", "green" if value > 0 else "red" if value < 0 else "")


def records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a frame as JSON knows them: what is missing is null, times are India's, days and names text."""
    import polars as pl

    plain = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if isinstance(kind, pl.Datetime):
            column = column.dt.convert_time_zone("Asia/Kolkata").dt.strftime("%Y-%m-%dT%H:%M:%S%:z")
        elif kind.is_float():
            column = pl.when(column.is_finite()).then(column)
        elif not kind.is_numeric() and kind != pl.Boolean:
            column = column.cast(pl.String)
        plain.append(column.alias(name))
    return frame.select(plain).to_dicts()


def toned(text: str, style: str) -> Text:
    """Give a text that is coloured where output is a terminal."""
    from rich.text import Text

    return Text(text, style=style)


def rows_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, numbers: Collection[str] = ()
) -> Table:
    """Give a table for :func:`emit`; columns named in ``numbers`` stand to the right."""
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", no_wrap=column in numbers)
    for row in rows:
        table.add_row(*row)
    return table


def show_warnings() -> None:
    """Show warnings of ours as one line on standard error, others as Python does."""
    usual = warnings.showwarning

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int,
        file: TextIO | None = None, line: str | None = None,
    ) -> None:  # fmt: skip
        if issubclass(category, AlgoWarning):
            note(f"warning: {' '.join(str(message).split())}")
        else:
            usual(message, category, filename, lineno, file, line)

    warnings.showwarning = show
    warnings.simplefilter("always", AlgoWarning)


class Work:
    """Progress of one command; from :func:`working`."""

    def __init__(self, bars: Progress, *, say_compiling: bool) -> None:
        self._bars = bars
        self._say_compiling = say_compiling
        self._compiling: Any = None

    def track(self, what: str, *, total: int | None = None) -> Callable[..., None]:
        """Give a callback ``(done)``, ``(done, total)`` or ``(done, total, item)`` that moves a bar called ``what``."""
        task = self._bars.add_task(what, total=total)

        def moved(done: int, of: int | None = total, item: str = "") -> None:
            self._bars.update(task, completed=done, total=of, description=f"{what} {item}".rstrip())

        return moved

    @contextlib.contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Show a bar without a length while the block runs."""
        task = self._bars.add_task(what, total=None)
        yield
        self._bars.remove_task(task)

    def compiling(self, kernel: str) -> None:
        """Tell that a kernel is being compiled, because the disk cache lacks it."""
        if self._compiling is None:
            self._compiling = self._bars.add_task("compiling", total=None)
            if self._say_compiling:
                note("compiling kernels (first run only) ...")
        self._bars.update(self._compiling, description=f"compiling kernels (first run only): {kernel}")


@contextlib.contextmanager
def working(*, as_json: bool) -> Iterator[Work]:
    """Show progress on standard error while the block runs; nothing but a line on compiling if it is no terminal."""
    from algomaster.core import jit

    with _bars() as bars:
        work = Work(bars, say_compiling=not sys.stderr.isatty() and not as_json)
        with jit.compiling(work.compiling):
            yield work


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(_BROKEN_PIPE) from None
