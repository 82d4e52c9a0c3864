"""Compiled kernels: the one place where numba's flags are chosen and its disk cache is made safe.

numba's own cache watches only the file of the function itself (an edited callee or imported constant goes on
giving the old answer) and never hits for a function that closes over another (its identity is new in every
process). So the cache here is addressed by content:

1. The folder is named by a digest of all kernel sources of the package and of the compiler's versions
   (:func:`kernel_digest`): after an edit the files of older sources can be thrown away together.
2. Inside it a kernel is known by what it is compiled from, as it is in memory when it is about to be compiled: its own
   bytecode and, recursively, everything it refers to (:mod:`algomaster.core.identity`).
3. If that has changed by the time the machine code is there, the code is not stored.
4. What cannot be known so (code read from standard input, a global without stable content) is compiled afresh in every
   process, and a :class:`KernelCacheWarning` says so.
5. A cache that cannot be read or written is as good as an empty one: the kernel is compiled, one warning is given, and
   broken files are replaced.
6. Machine code is linked by name, and numba tells functions of one name apart by a number that every process counts
   from 1. Stored code of two processes then takes each other's place where a kernel calls a closure, without a word;
   so the count starts somewhere else in every process (:func:`_count_from_anywhere`).

``fastmath`` is off everywhere: two hosts must agree to the bit. With ``NUMBA_DISABLE_JIT=1`` kernels are plain Python.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import itertools
import os
import platform
import re
import secrets
import shutil
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, overload

import numba
import platformdirs
from numba.core.bytecode import FunctionIdentity
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.core.errors import NumbaError
from numba.core.registry import CPUDispatcher

from algomaster.core.errors import KernelCacheWarning
from algomaster.core.identity import UnidentifiableError, compiled, identity_of, ours

__all__ = ["CompileError", "cache_dir", "compiling", "identity", "kernel", "kernel_digest", "prange", "python_of"]

prange = numba.prange
CompileError = NumbaError
"""What compiling a kernel raises."""


def _count_from_anywhere() -> None:
    FunctionIdentity._unique_ids = itertools.count(secrets.randbits(60))


_count_from_anywhere()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_from_anywhere)

P = ParamSpec("P")
R = TypeVar("R")
_PACKAGE = Path(__file__).resolve().parents[1]
_ROOT = _PACKAGE.name
_FOLDERS_KEPT = 8


@overload
def kernel(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def kernel(
    *, parallel: bool = ..., inline: bool = ..., lean: bool = ..., inner: bool = ...
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def kernel(
    function: Any = None,
    /,
    *,
    parallel: bool = False,
    inline: bool = False,
    lean: bool = False,
    inner: bool = False,
) -> Any:
    """Compile a function with the project's flags and the content-addressed cache.

    Parameters
    ----------
    function : callable
        The Python function; it may close over other kernels (a driver over a step).
    parallel : bool
        Allow ``prange``. Never where a parallel reduction could change bits.
    inline : bool
        Force LLVM to inline it into its callers (needed for a loop over it to vectorise).
    lean : bool
        Leave out reference counting: such a kernel may read and write arrays but not create any. What runs once a bar
        is lean; counting references to the arrays of a session took some eighteen times as long as the work itself.
    inner : bool
        Leave out the door from Python, which costs more compilation than most kernels themselves. Other kernels call
        it compiled; called from Python it runs as Python.

    Returns
    -------
    callable
        The compiled function, or the function itself when ``NUMBA_DISABLE_JIT=1``.
    """
    if function is None:
        return functools.partial(kernel, parallel=parallel, inline=inline, lean=lean, inner=inner)
    if numba.config.DISABLE_JIT:
        return function
    dispatcher = numba.njit(
        nogil=True,
        error_model="numpy",
        fastmath=False,
        parallel=parallel,
        forceinline=inline,
        no_cpython_wrapper=inner,
        no_cfunc_wrapper=True,
        _nrt=not lean,
    )(function)
    if inner:
        dispatcher.__class__ = _Inner
    if function.__module__.split(".")[0] != _ROOT:
        try:
            identity_of(dispatcher)
        except UnidentifiableError as reason:
            _warn_uncached(function, reason, stacklevel=3)
            return dispatcher
    ours(dispatcher)
    dispatcher._cache = _ContentCache(dispatcher)
    return dispatcher


class _Inner(CPUDispatcher):  # type: ignore[misc]
    """A kernel without a door from Python: compiled for its callers, plain Python for everybody else."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.py_func(*args, **kwargs)


def python_of(function: Callable[P, R]) -> Callable[P, R]:
    """Give the Python function behind a kernel (the kernel itself when the JIT is off)."""
    return getattr(function, "py_func", function)


def identity(function: Callable[..., Any]) -> str:
    """Name a kernel by its content: equal in every process as long as nothing it is compiled from changes.

    Raises
    ------
    ValueError
        No source can be found for the function or for something it calls.
    """
    try:
        return identity_of(function)
    except UnidentifiableError as reason:
        raise ValueError(str(reason)) from None


# --- the cache -------------------------------------------------------------------------------------------------


def cache_dir() -> Path:
    """Folder of compiled kernels: ``$ALGO_CACHE`` or the user's cache folder, then the digest of the sources."""
    base = os.environ.get("ALGO_CACHE") or platformdirs.user_cache_dir("algomaster", appauthor=False)
    return Path(base) / "kernels" / kernel_digest()[:20]


@functools.cache
def kernel_digest() -> str:
    """Digest of every source a kernel of the package can be compiled from, and of the compiler's versions."""
    digest = hashlib.sha256()
    for name in ("numba", "llvmlite", "numpy"):
        digest.update(f"{name}={importlib.metadata.version(name)};".encode())
    digest.update(f"{platform.python_implementation()}{sys.version_info[:3]}".encode())
    for path in kernel_sources():
        digest.update(str(path.relative_to(_PACKAGE)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def kernel_sources() -> list[Path]:
    """Files that use this module and, transitively, the files of the package that they import."""
    sources = {path: path.read_text("utf-8") for path in _PACKAGE.rglob("*.py")}
    mentions = re.compile(rf"{_ROOT}\.core\.jit|{_ROOT}\.core import .*\bjit\b")
    queue = [path for path, text in sources.items() if mentions.search(text) or path == Path(__file__).resolve()]
    found = set(queue)
    while queue:
        for path in _imports(sources[queue.pop()]):
            if path in sources and path not in found:
                found.add(path)
                queue.append(path)
    return sorted(found)


_IMPORT = re.compile(
    rf"^\s*(?:from\s+({_ROOT}[\w.]*)\s+import\s+(\([^)]*\)|[^\n]*)|import\s+({_ROOT}[\w.]*))", re.MULTILINE
)


def _imports(text: str) -> Iterator[Path]:
    """Give the files that the text may import; read by pattern, as parsing all sources took a third of a second."""
    for home, names, module in _IMPORT.findall(text):
        for name in [module or home, *(f"{home}.{part}" for part in re.findall(r"\w+", names))]:
            stem = _PACKAGE.joinpath(*name.split(".")[1:])
            yield from (stem.with_suffix(".py"), stem / "__init__.py")


class _Locator(_CacheLocator):  # type: ignore[misc]
    """Tells numba to keep a kernel's files in our folder, whatever file it was written in."""

    def __init__(self, py_func: Callable[..., Any]) -> None:
        self._py_file = py_func.__code__.co_filename

    def get_cache_path(self) -> str:
        return str(cache_dir())

    def ensure_cache_path(self) -> None:
        folder = cache_dir()
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _prune(folder)
        super().ensure_cache_path()

    def get_source_stamp(self) -> str:
        return kernel_digest()

    def get_disambiguator(self) -> str:
        return ""

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> None:
        return None


class _Impl(CompileResultCacheImpl):  # type: ignore[misc]
    """numba's way of storing a compiled function, in our folder."""

    def __init__(self, py_func: Callable[..., Any]) -> None:
        self._lineno = py_func.__code__.co_firstlineno
        self._locator = _Locator(py_func)


class _ContentCache(FunctionCache):  # type: ignore[misc]
    """Per-function cache whose key is the content identity at the time of compilation."""

    def __init__(self, dispatcher: Any) -> None:
        self._py_func = dispatcher.py_func
        self._dispatcher = weakref.ref(dispatcher)
        self._impl = _Impl(self._py_func)
        self._keys: dict[Any, str] = {}
        self.enable()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._py_func.__qualname__}>"

    @property
    def cache_path(self) -> str:
        return str(cache_dir())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        found = None
        key = self._name(compiled)
        if key is not None:
            self._keys[sig] = key
            with _harmless("read"):
                stored = self._file(key).load((sig, target_context.codegen().magic_tuple(), key))
                found = None if stored is None else self._impl.rebuild(target_context, stored)
        if found is None:
            for tell in _listeners:
                tell(self._py_func.__name__)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        key = self._keys.pop(sig, None)
        if key is None or self._name(identity_of) != key or not self._impl.check_cachable(data):
            return
        with _harmless("written"):
            self._impl.locator.ensure_cache_path()
            file = self._file(key)
            entry = (sig, data.codegen.magic_tuple(), key), self._impl.reduce(data)
            try:
                file.save(*entry)
            except Exception:  # a broken index raises whatever unpickling raises
                file.flush()
                file.save(*entry)

    def flush(self) -> None:
        """Do nothing: what is stored under its content cannot become stale."""

    def _name(self, naming: Callable[[Any], str]) -> str | None:
        try:
            return naming(self._dispatcher())
        except UnidentifiableError as reason:
            _warn_uncached(self._py_func, reason, stacklevel=2)
            return None

    def _file(self, key: str) -> Any:
        module = (self._py_func.__module__ or "").rsplit(".", 1)[-1]
        name = f"{module}.{self._py_func.__name__}-{key[:24]}"
        return IndexDataCacheFile(cache_path=self.cache_path, filename_base=name, source_stamp=key)


_told_broken: list[str] = []


@contextlib.contextmanager
def _harmless(done: str) -> Iterator[None]:
    """Turn whatever goes wrong with the files of the cache into a miss and, once a process, a warning."""
    try:
        yield
    except Exception as problem:
        if not _told_broken:
            _told_broken.append(done)
            warnings.warn(
                f"The cache of compiled kernels could not be {done} ({type(problem).__name__}: {problem}); kernels are "
                "compiled instead. If this comes again, name a folder that can be written in ALGO_CACHE.",
                KernelCacheWarning,
                stacklevel=4,
            )


def _warn_uncached(function: Callable[..., Any], reason: Exception, *, stacklevel: int) -> None:
    warnings.warn(
        f"{function.__qualname__} is compiled anew in every process: {reason}. "
        "Functions in a file or a notebook that refer to numbers, arrays and kernels are cached.",
        KernelCacheWarning,
        stacklevel=stacklevel + 1,
    )


_listeners: list[Callable[[str], None]] = []


@contextlib.contextmanager
def compiling(tell: Callable[[str], None]) -> Iterator[None]:
    """Call ``tell(name)`` whenever a kernel is about to be compiled because the disk cache lacks it."""
    _listeners.append(tell)
    try:
        yield
    finally:
        _listeners.remove(tell)


def _prune(newest: Path) -> None:
    """Forget the folders of old sources; a process that still uses one merely compiles again."""
    folders = sorted(newest.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[_FOLDERS_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
