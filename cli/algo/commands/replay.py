"""``algo replay``: one session in the terminal, bar by bar."""

from __future__ import annotations

import dataclasses
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import options
from algo.chains import write_figure
from algo.commands.backtest import result_parts
from algo.console import emit, emit_json, working
from algo.job import Job, Source, job_of
from algo.player import Player, change_of

if TYPE_CHECKING:
    from algo.console import Work
    from algomaster.backtest import Stepper, WhatIf
    from algomaster.market import Days

__all__ = ["replay"]

_MOMENTS = "Moments"
_STRIDE = 15
"""Bars between two snapshots where there is no live view."""


def replay(
    session: Annotated[
        date,
        typer.Argument(metavar="DATE", parser=options.day, show_default=False, help="The session, such as 2021-06-11."),
    ],
    strategy: options.StrategyName = None,
    config: options.Config = None,
    assigned: options.Set = None,
    fills: options.Fills = None,
    costs: options.Costs = None,
    underlying: options.Underlying = None,
    first: Annotated[
        date | None,
        typer.Option(
            "--from", metavar="DATE", parser=options.day, rich_help_panel="Data", show_default=False,
            help="Run the sessions since then first, so that what they leave (legs held overnight, P&L) is there.",
        ),
    ] = None,
    home: options.Home = None,
    simulate: Annotated[
        bool,
        typer.Option("--simulate", rich_help_panel="Data", help="A session of the market simulator, not of the store."),
    ] = False,
    seed: options.Seed = None,
    speed: Annotated[
        float | None,
        typer.Option(
            "--speed", min=0, rich_help_panel=_MOMENTS, show_default=False,
            help="How many times faster than the market; 60 is a bar a second (live), 0 as fast as can be (else).",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", rich_help_panel=_MOMENTS, show_default=False,
            help="Begin there, such as 10:15; alone without a live view: only that moment.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="TIME", rich_help_panel=_MOMENTS, show_default=False, help="Stop there, not at the end."
        ),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(
            "--step", metavar="BARS", min=1, rich_help_panel=_MOMENTS, show_default=False,
            help="Bars between two snapshots (15); in the live view bars a key steps (1).",
        ),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if", metavar="KEY=VALUE", rich_help_panel=_MOMENTS, show_default=False,
            help="Change a parameter in mid-session, or leave legs by hand (close=all, close=CE, close=0,1), and "
            "compare; repeatable.",
        ),
    ] = None,
    what_if_at: Annotated[
        str | None,
        typer.Option(
            "--what-if-at", metavar="TIME", rich_help_panel=_MOMENTS, show_default=False, help="When that happens."
        ),
    ] = None,
    plot: options.Plot = None,
    live: Annotated[
        bool, typer.Option("--live/--no-live", rich_help_panel="Output", help="Live view, where there is a terminal.")
    ] = True,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Replay a session bar by bar: live in a terminal, else as snapshots; and ask what if.

    Example: algo replay 2024-01-02 straddle -u NIFTY --simulate --speed 60
    """
    if bool(what_if) != bool(what_if_at):
        raise typer.BadParameter("both are needed, or neither", param_hint="--what-if, --what-if-at")
    if plot is not None and not what_if:
        raise typer.BadParameter("works with --what-if only", param_hint="--plot")
    options.can_write(plot, "--plot")
    with working(as_json=as_json) as work:
        source = _source(session, underlying, first, home, simulate=simulate, seed=seed)
        job = _job(strategy, config, assigned or [], source, fills, costs)
        days = _days(job, session, work)
        from algomaster.backtest import Stepper
        from algomaster.backtest.playback.clock import position_of

        stepper = Stepper(job.strategy, days[-1], params=job.params, earlier=days[:-1], **job.rules)
        if at is not None:
            stepper.seek(at)
        end = stepper.bars if until is None else position_of(stepper.chain, until)
        changed = _changed(stepper, what_if, what_if_at)
    if changed is not None and plot is not None:
        write_figure(changed.plot(), plot)
    if live and not as_json and changed is None and sys.stdin.isatty() and sys.stdout.isatty():
        _play(Player(stepper, speed=60.0 if speed is None else speed, stride=step or 1, until=end))
        return
    if changed is not None and at is None:
        stepper.seek(changed.bar)
    alone = (at is not None or changed is not None) and until is None and step is None
    moments = [stepper.at] if alone else _moments(stepper.at, end, step or _STRIDE)
    if as_json:
        emit_json(_as_json(stepper, moments, changed))
    else:
        _print(stepper, moments, changed, speed or 0.0)


def _source(
    session: date, underlying: str | None, first: date | None, home: str | None, *, simulate: bool, seed: int | None
) -> Source:
    if first is not None and first > session:
        raise typer.BadParameter(f"expected a date up to {session}, got {first}", param_hint="--from")
    if not simulate:
        return Source(underlying=underlying, first=first or session, last=session, home=home, seed=seed)
    if home is not None:
        raise typer.BadParameter("works without --simulate only", param_hint="--home")
    from algomaster.market import calendar

    count = len(calendar.sessions(first or session, session))
    return Source(underlying=underlying, simulate=max(count, 1), start=first or session, seed=seed)


def _job(
    strategy: str | None,
    config: Path | None,
    assigned: list[str],
    source: Source,
    fills: str | None,
    costs: bool | None,
) -> Job:
    """Put the command line over the config file; where neither names a strategy or an underlying there is one."""
    name = strategy if strategy or config else "straddle"
    job = job_of(name, config=config, assigned=assigned, source=source, fills=fills, costs=costs)
    job.strategy.configure(job.params)  # a wrong parameter is told before data is loaded
    return dataclasses.replace(job, source=dataclasses.replace(job.source, underlying=job.source.underlying or "NIFTY"))


def _days(job: Job, session: date, work: Work) -> Days:
    from algomaster.core.errors import DataError

    days = job.source.days(work)
    if days[-1].session != session:
        raise DataError(f"There is no session on {session}; the nearest is {days[-1].session}.")
    return days


def _changed(stepper: Stepper, texts: list[str] | None, at: str | None) -> WhatIf | None:
    if not texts:
        return None
    change, close = change_of(texts)
    return stepper.what_if(change, close=close, at=at)


def _moments(start: int, end: int, stride: int) -> list[int]:
    """Give the bars to stop at: every ``stride`` from the start, and the end."""
    return [*range(start or stride, end, stride), end]


def _as_json(stepper: Stepper, moments: list[int], changed: WhatIf | None) -> dict[str, Any]:
    shown, since = [], 0
    for moment in moments:
        stepper.seek(moment)
        shown.append(stepper.snapshot(since=since).to_dict(series=moment == moments[-1]))
        since = moment
    return {
        "strategy": stepper.strategy.name,
        "underlying": stepper.chain.underlying,
        "session": str(stepper.chain.session),
        "params": stepper.settings.model_dump(mode="json"),
        "snapshots": shown,
        "result": stepper.result().to_dict() if stepper.done else None,
        "what_if": changed.to_dict() if changed else None,
    }


def _print(stepper: Stepper, moments: list[int], changed: WhatIf | None, speed: float) -> None:
    from algo.screen import snapshot_parts, what_if_parts

    since = 0
    for moment in moments:
        if speed and moment > stepper.at:
            time.sleep((moment - stepper.at) * 60.0 / speed)
        stepper.seek(moment)
        emit(*snapshot_parts(stepper.snapshot(since=since)))
        since = moment
    if changed is not None:
        emit(*what_if_parts(changed), "")
    if stepper.done:
        emit(*result_parts(stepper.result()))


def _play(player: Player) -> None:
    """Play on this terminal until the player is over."""
    from rich.console import Console
    from rich.live import Live

    from algo.keyboard import keyboard
    from algo.screen import Playing, screen

    console = Console()
    with keyboard(sys.stdin.fileno()) as keys, Live(console=console, screen=True, auto_refresh=False) as view:
        while not player.over:
            playing = Playing(
                player.speed, not player.running, player.stepper.done, player.asking, player.typed, player.message,
                player.what_if,
            )  # fmt: skip
            width, height = console.size
            snapshot = player.stepper.snapshot(around=max(1, height // 2))
            view.update(screen(snapshot, playing, width=width, height=height), refresh=True)
            for key in keys.read(player.wait):
                player.press(key)
            player.advance()
