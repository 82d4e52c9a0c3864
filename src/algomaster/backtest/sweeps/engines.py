"""Where the chunks of a sweep run: on threads of this process, on worker processes, on a Ray cluster.

Every engine runs the same function on the same chunks and gives the parts back in the order of their sets, so no number
depends on it. Work is handed out as it is asked for: at most a few chunks are done and not yet taken.
"""

from __future__ import annotations

import functools
import importlib
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

from algomaster.backtest.sweeps.chunks import Job, Part, Ready, run_chunk, sessions_of
from algomaster.backtest.sweeps.sharing import arrays_of, day_from, open_days, save_days
from algomaster.core.errors import ConfigError
from algomaster.market.chain_day import Days

__all__ = ["ENGINES", "Engine", "cores"]

Chunk = tuple[int, int]
_AHEAD: Final = 2
"""Chunks a worker may be ahead of what has been taken."""


class Engine(NamedTuple):
    """Where to run: its name, how many workers, a Ray cluster's address, a folder for what processes share."""

    name: str
    workers: int
    address: str | None
    shared: Path | None

    def run(self, job: Job, days: Days, chunks: Sequence[Chunk]) -> Iterator[Part]:
        """Run chunks; the parts come in their order."""
        if not chunks:
            return iter(())
        return ENGINES[self.name](self, job, days, chunks)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _on_threads(engine: Engine, job: Job, days: Days, chunks: Sequence[Chunk]) -> Iterator[Part]:
    sessions = sessions_of(days, job.rules)
    if engine.workers == 1:
        yield from (run_chunk(job, sessions, *chunk) for chunk in chunks)
        return
    _compile(job, sessions)
    waiting: deque[Future[Part]] = deque()
    with ThreadPoolExecutor(engine.workers) as pool:
        try:
            for chunk in chunks:
                waiting.append(pool.submit(run_chunk, job, sessions, *chunk))
                if len(waiting) > _AHEAD * engine.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def _compile(job: Job, sessions: list[Ready]) -> None:
    """Compile everything once, into the cache that workers read, before they all ask for it at the same time."""
    run_chunk(job, sessions[:1], 0, 1)


# --- worker processes --------------------------------------------------------------------------------------------


def _on_processes(engine: Engine, job: Job, days: Days, chunks: Sequence[Chunk]) -> Iterator[Part]:
    joblib = _needed("joblib", "joblib")
    cloudpickle = importlib.import_module("cloudpickle")  # joblib brings it
    _compile(job, sessions_of(days[:1], job.rules))
    with tempfile.TemporaryDirectory(prefix="algo-sweep-") as temporary:
        folder = engine.shared or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        save_days(days, folder)
        work = Path(temporary) / "job.pkl"
        work.write_bytes(cloudpickle.dumps(_portable(job)))
        pool = joblib.Parallel(
            n_jobs=engine.workers, backend="loky", return_as="generator", batch_size=1,
            pre_dispatch=_AHEAD * engine.workers,
        )  # fmt: skip
        yield from pool(joblib.delayed(_in_process)(str(work), str(folder), *chunk) for chunk in chunks)


def _in_process(work: str, folder: str, start: int, stop: int) -> Part:
    job, sessions = _opened(work, folder)
    return run_chunk(job, sessions, start, stop)


@functools.lru_cache(maxsize=1)
def _opened(work: str, folder: str) -> tuple[Job, list[Ready]]:
    cloudpickle = importlib.import_module("cloudpickle")  # joblib brings it
    job = _at_home(cloudpickle.loads(Path(work).read_bytes()))
    return job, sessions_of(open_days(Path(folder)), job.rules)


# --- a Ray cluster -----------------------------------------------------------------------------------------------


def _on_ray(engine: Engine, job: Job, days: Days, chunks: Sequence[Chunk]) -> Iterator[Part]:
    ray = _needed("ray", "ray")
    cloudpickle = importlib.import_module("ray.cloudpickle")
    _compile(job, sessions_of(days[:1], job.rules))
    ours = not ray.is_initialized()
    if ours:
        local: dict[str, Any] = {} if engine.address else {"num_cpus": engine.workers, "include_dashboard": False}
        ray.init(address=engine.address, log_to_driver=False, **local)
    try:
        work = cloudpickle.dumps(_portable(job))
        shared = ray.put([arrays_of(day) for day in days])  # once; every process of a machine reads the same memory
        runner = ray.remote(num_cpus=1)(_Runner)
        actors = [runner.remote(work, shared) for _ in range(min(engine.workers, len(chunks)))]
        yield from _in_order(ray, actors, chunks)
    finally:
        if ours:
            ray.shutdown()


class _Runner:
    """A worker of a cluster, with the sessions ready."""

    def __init__(self, work: bytes, shared: list[Any]) -> None:
        cloudpickle = importlib.import_module("ray.cloudpickle")
        self._job = _at_home(cloudpickle.loads(work))
        self._sessions = sessions_of(Days([day_from(*one) for one in shared]), self._job.rules)

    def run(self, start: int, stop: int) -> Part:
        return run_chunk(self._job, self._sessions, start, stop)


def _in_order(ray: Any, actors: list[Any], chunks: Sequence[Chunk]) -> Iterator[Part]:
    """Give each worker the next chunk as it is free; a slow one does not hold up the others by much."""
    free, running, done = deque(actors), {}, {}
    asked = taken = 0
    while taken < len(chunks):
        while free and asked < len(chunks) and asked - taken < (_AHEAD + 1) * len(actors):
            actor = free.popleft()
            running[actor.run.remote(*chunks[asked])] = (asked, actor)
            asked += 1
        for reference in ray.wait(list(running))[0]:
            number, actor = running.pop(reference)
            done[number] = ray.get(reference)
            free.append(actor)
        while taken in done:
            yield done.pop(taken)
            taken += 1


# --- what travels ------------------------------------------------------------------------------------------------


def _portable(job: Job) -> Job:
    """Send a strategy of the catalogue by its name: the worker has its own, compiled in the cache."""
    from algomaster.strategy import catalogue

    name = job.strategy.name
    known = name in catalogue.names() and catalogue.get(name) == job.strategy
    return job._replace(strategy=name) if known else job  # type: ignore[arg-type]


def _at_home(job: Job) -> Job:
    from algomaster.strategy import catalogue

    given: Any = job.strategy
    return job._replace(strategy=catalogue.get(given)) if isinstance(given, str) else job


def _needed(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigError(
            f"The engine {module!r} needs the package {package}, which is not installed.",
            hint=f"Install it (pip install {package}), or use the engine 'threads'.",
        ) from None


ENGINES: Final[dict[str, Callable[[Engine, Job, Days, Sequence[Chunk]], Iterator[Part]]]] = {
    "threads": _on_threads,
    "joblib": _on_processes,
    "ray": _on_ray,
}
"""Engines by name."""
