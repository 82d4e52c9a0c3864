"""``algo warmup``: compile every kernel now."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from algo import options
from algo.console import emit, emit_json, working

__all__ = ["warmup"]


def warmup(
    only: Annotated[
        str | None, typer.Option(help="Only a part: pricing, chains, features or backtests.", metavar="PART")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compile every kernel into the cache, so that no later command or first order has to wait.

    Example: algo warmup --only features
    """
    start = time.perf_counter()
    compiled: list[str] = []
    with working(as_json=as_json) as work:
        from algomaster.backtest import warm
        from algomaster.core import jit

        with jit.compiling(compiled.append):
            warm(work.track("warming up"), only=only)
        folder = str(jit.cache_dir())
    seconds = time.perf_counter() - start
    if as_json:
        emit_json({"compiled": len(compiled), "seconds": seconds, "cache": folder})
    else:
        emit(f"{len(compiled)} kernels compiled in {seconds:.0f} s; they lie in {folder}.")
