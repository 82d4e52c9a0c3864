"""Compiled kernels: the one place where numba's flags are chosen and its disk cache is made safe.

numba's own cache watches only the file of the function itself (an edited callee or imported constant goes on
giving the old answer) and never hits for a function that closes over another (its identity is new in every
process). So the cache here is addressed by content:

1. The folder is named by a digest of all kernel sources of the package and of the compiler's versions
   (:func:`kernel_digest`): any edit anywhere starts a fresh folder.
2. A kernel of the package is known by its name (:func:`identity`); a driver that closes over a step by its name
   and the identity of the step.
3. A user's function is known by its source and, recursively, by everything it refers to: functions by source,
   constants by value, modules by their file (:func:`identity`). Without a source (code read from standard input)
   it is compiled afresh in every process, and a :class:`KernelCacheWarning` says so.

``fastmath`` is off everywhere: two hosts must agree to the bit. With ``NUMBA_DISABLE_JIT=1`` kernels are plain Python.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib.metadata
import inspect
import os
import platform
import re
import shutil
import sys
import textwrap
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, overload

import numba
import numpy as np
import platformdirs
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError
from numba.core.registry import CPUDispatcher

from algomaster.core.errors import KernelCacheWarning

__all__ = ["CompileError", "cache_dir", "compiling", "identity", "kernel", "kernel_digest", "prange", "python_of"]

prange = numba.prange
CompileError = NumbaError
"""What compiling a kernel raises."""

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
    try:
        key = _function_identity(function, ())
    except _UnidentifiableError as reason:
        warnings.warn(
            f"{function.__qualname__} is compiled anew in every process: {reason}. "
            "Put it into a file or a notebook to have it cached.",
            KernelCacheWarning,
            stacklevel=2,
        )
        return dispatcher
    dispatcher._cache = _ContentCache(function, key)
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
        return _function_identity(python_of(function), ())
    except _UnidentifiableError as reason:
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
    queue = [path for path, text in sources.items() if mentions.search(text)]
    found = {*queue, Path(__file__).resolve()}
    while queue:
        for path in _imports(sources[queue.pop()]):
            if path in sources and path not in found:
                found.add(path)
                queue.append(path)
    return sorted(found)


def _imports(text: str) -> Iterator[Path]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == _ROOT:
                stem = _PACKAGE.joinpath(*parts[1:])
                yield from (stem.with_suffix(".py"), stem / "__init__.py")


class _Locator(_CacheLocator):  # type: ignore[misc]
    """Tells numba to keep a kernel's files in our folder, whatever file it was written in."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get_cache_path(self) -> str:
        return str(cache_dir())

    def ensure_cache_path(self) -> None:
        folder = cache_dir()
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _prune(folder)
        super().ensure_cache_path()

    def get_source_stamp(self) -> str:
        return self._key

    def get_disambiguator(self) -> str:
        return self._key[:12]

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> None:
        return None


class _Impl(CompileResultCacheImpl):  # type: ignore[misc]
    """numba's way of storing a compiled function, addressed by content instead of file and line."""

    def __init__(self, py_func: Callable[..., Any], key: str) -> None:
        self._lineno = py_func.__code__.co_firstlineno
        self._locator = _Locator(key)
        self._filename_base = f"{py_func.__module__.rsplit('.', 1)[-1]}.{py_func.__name__}-{_digest(key)[:24]}"


class _ContentCache(FunctionCache):  # type: ignore[misc]
    """Per-function cache whose key is the content identity."""

    def __init__(self, py_func: Callable[..., Any], key: str) -> None:
        self._name = repr(py_func)
        self._py_func = py_func
        self._key = key
        self._impl = _Impl(py_func, key)
        self._cache_path = self._impl.locator.get_cache_path()
        self._cache_file = IndexDataCacheFile(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )
        self.enable()

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return sig, codegen.magic_tuple(), self._key

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)
        if found is None:
            for tell in _listeners:
                tell(self._py_func.__name__)
        return found


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


# --- content identity ------------------------------------------------------------------------------------------


class _UnidentifiableError(Exception):
    """Something a function refers to cannot be named by its content."""


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _function_identity(function: Any, above: tuple[int, ...]) -> str:
    name = f"{function.__module__}.{function.__qualname__}"
    if id(function) in above:  # recursion: the name is enough, the source is already part of the digest
        return name
    above = (*above, id(function))
    cells = zip(function.__code__.co_freevars, function.__closure__ or ())
    closed = [f"{cell_name}={_value_identity(cell.cell_contents, above)}" for cell_name, cell in cells]
    if function.__module__.split(".")[0] == _ROOT:
        return _digest(name, *closed)
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise _UnidentifiableError(f"the source of {name} cannot be found") from None
    referred = [
        f"{global_name}={_value_identity(function.__globals__[global_name], above)}"
        for global_name in sorted(_global_names(function.__code__))
        if global_name in function.__globals__
    ]
    return _digest(name, source, repr(function.__defaults__), *closed, *referred)


def _global_names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _global_names(constant)
    return names


def _value_identity(value: Any, above: tuple[int, ...]) -> str:
    if isinstance(value, Dispatcher):
        return _function_identity(value.py_func, above)
    if isinstance(value, types.FunctionType):
        return _function_identity(value, above)
    if isinstance(value, types.ModuleType):
        return _module_identity(value)
    if isinstance(value, (np.ndarray, np.generic)):
        data = np.ascontiguousarray(value)
        return _digest("array", str(data.dtype.descr), str(data.shape), data.tobytes().hex())
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, np.dtype)):
        return _digest(type(value).__name__, repr(value))
    if isinstance(value, (tuple, frozenset)):
        items = sorted(map(repr, value)) if isinstance(value, frozenset) else None
        return _digest(type(value).__qualname__, *(items or (_value_identity(item, above) for item in value)))
    if isinstance(value, type) or callable(value):
        module, qualname = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if module and qualname:
            return _digest("named", module, qualname, repr(getattr(value, "_fields", "")), _version(module))
    raise _UnidentifiableError(f"it refers to {type(value).__name__} {value!r}, which has no stable content")


def _module_identity(module: types.ModuleType) -> str:
    file = getattr(module, "__file__", None)
    top = module.__name__.split(".")[0]
    if file is None or top == _ROOT or top in sys.stdlib_module_names or "site-packages" in Path(file).parts:
        return _digest(module.__name__, _version(module.__name__))
    return _digest(module.__name__, hashlib.sha256(Path(file).read_bytes()).hexdigest())


def _version(module: str) -> str:
    return str(getattr(sys.modules.get(module.split(".")[0]), "__version__", ""))
