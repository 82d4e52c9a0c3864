"""What a kernel is compiled from, as a name: equal in every process, different as soon as the machine code could be.

The name comes from what is in memory when the disk cache is asked (numba freezes globals when it compiles, not at the
decorator), never from a file that may have been edited since it was imported:

1. A function is its bytecode, constants and names, its defaults, what it closes over, and the globals it loads.
2. Numbers, text, arrays, tuples, enums and named tuples go by value, other classes by their members.
3. A module of the package or of the user goes by those of its attributes that the function names; what is installed
   (standard library, site-packages) by name and version, without a version by the bytes of its file.
4. Anything else has no stable content and raises :class:`UnidentifiableError`. Only for globals of the package's own
   files its type will do, because the folder of the cache covers those sources.
5. A kernel compiled with other globals than today's goes on inside its callers as it was compiled, so their name
   tells that too (:func:`compiled`).
"""

from __future__ import annotations

import dis
import enum
import functools
import hashlib
import importlib.metadata
import inspect
import secrets
import sys
import sysconfig
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc.dufunc import DUFunc

__all__ = ["UnidentifiableError", "compiled", "identity_of", "ours"]

_ROOT = __name__.split(".")[0]
_SYSTEM = {Path(path) for name, path in sysconfig.get_paths().items() if name in {"stdlib", "platstdlib"}}
_LIBRARIES = {"site-packages", "dist-packages"}
_DECORATION = {
    "__annotations__", "__dict__", "__doc__", "__firstlineno__", "__module__", "__qualname__",
    "__static_attributes__", "__weakref__",
}  # fmt: skip


class UnidentifiableError(Exception):
    """Something a function refers to cannot be named by its content."""


_compiled_as: weakref.WeakKeyDictionary[Dispatcher, set[str]] = weakref.WeakKeyDictionary()
"""Contents that the overloads of a kernel were compiled from in this process."""


def ours(dispatcher: Any) -> None:
    """Note a kernel whose compilations will be told with :func:`compiled`."""
    _compiled_as[dispatcher] = set()


def compiled(dispatcher: Any) -> str:
    """Name a kernel that takes on machine code now, and note that it and what it calls go on with today's content.

    Raises
    ------
    UnidentifiableError
        As :func:`identity_of`.
    """
    try:
        walk = _Walk(dispatcher)
        name = _name(walk)
    except UnidentifiableError:
        _compiled_as[dispatcher].add(secrets.token_hex())  # callers must never be found under a name that ignores it
        raise
    _compiled_as[dispatcher].add(walk.digest())
    for callee in walk.dispatchers:
        if callee not in _compiled_as:
            _compiled_as[callee] = {_Walk(callee).digest()}
    return name


def identity_of(function: Any) -> str:
    """Name a function or kernel by its content as of now.

    Raises
    ------
    UnidentifiableError
        It has no findable source, or refers to something without stable content.
    """
    return _name(_Walk(function))


def _name(walk: _Walk) -> str:
    older = []
    for callee in walk.dispatchers:
        known = _compiled_as.get(callee)
        if known:
            older += sorted(known - {_Walk(callee).digest()})
        elif known is None and callee.overloads:
            raise UnidentifiableError(
                f"it calls {callee.__qualname__}, which numba compiled before; decorate that with kernel, not with njit"
            )
    return _digest(walk.digest(), *older)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


class _Code(NamedTuple):
    """What a code object says, without its file and line numbers."""

    content: str
    loaded: tuple[str, ...]
    names: frozenset[str]


@functools.lru_cache(maxsize=4096)
def _read(code: types.CodeType) -> _Code:
    nested = [_read(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    constants = (c for c in code.co_consts if not isinstance(c, types.CodeType))
    content = _digest(
        hashlib.sha256(code.co_code + b"\x1f" + code.co_exceptiontable).hexdigest(),
        repr((code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)),
        repr((code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)),
        *(_constant(constant) for constant in constants),
        *(inner.content for inner in nested),
    )
    loaded = set(_loaded(code)).union(*(inner.loaded for inner in nested))
    spoken = (c for c in code.co_consts if isinstance(c, str))  # getattr(module, "name")
    return _Code(content, tuple(sorted(loaded)), frozenset(code.co_names).union(spoken, *(i.names for i in nested)))


def _loaded(code: types.CodeType) -> Iterator[str]:
    """Globals that the code loads; ``co_names`` alone would mix them with the attributes of its arguments."""
    high, load, extended = 0, dis.opmap["LOAD_GLOBAL"], dis.opmap["EXTENDED_ARG"]
    raw = code.co_code
    for operation, low in zip(raw[::2], raw[1::2]):
        argument = high | low
        high = argument << 8 if operation == extended else 0
        if operation == load:
            yield code.co_names[argument >> 1]


def _constant(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({','.join(map(_constant, value))})"
    if isinstance(value, frozenset):
        return f"{{{','.join(sorted(map(_constant, value)))}}}"
    return f"{type(value).__name__}:{value!r}"


@functools.lru_cache(maxsize=4096)
def _has_source(code: types.CodeType) -> bool:
    try:
        inspect.getsource(code)
    except (OSError, TypeError, SyntaxError):
        return False
    return True


class _Walk:
    """One walk over everything a function refers to, in an order that depends on nothing but the content."""

    def __init__(self, root: Any) -> None:
        self.dispatchers: list[Any] = []
        self._met: dict[int, tuple[int, Any]] = {}  # with the object, so that no other gets its id meanwhile
        self._parts: list[str] = []
        self._open: set[int] = set()
        # numba compiles the root itself even where it sits in an installed package
        self._once(root, self._dispatcher if isinstance(root, Dispatcher) else self._function)

    def digest(self) -> str:
        return _digest(*self._parts)

    def _once(self, value: Any, describe: Callable[[Any], str]) -> str:
        if id(value) not in self._met:
            self._met[id(value)] = len(self._met), value
            text = describe(value)
            self._parts.append(f"{self._met[id(value)][0]}={text}")
        return f"#{self._met[id(value)][0]}"

    def _dispatcher(self, dispatcher: Any) -> str:
        self.dispatchers.append(dispatcher)
        options = sorted(dispatcher.targetoptions.items())
        typed = sorted((k, str(v)) for k, v in dispatcher.locals.items())
        plain = all(isinstance(v, (bool, str, types.NoneType)) for _, v in options)
        flags = repr(options + typed) if plain else self.value((*options, *typed))
        return f"kernel {flags} {self._once(dispatcher.py_func, self._function)}"

    def _function(self, function: Any) -> str:
        name = f"{function.__module__}.{function.__qualname__}"
        package = _root(function.__module__) == _ROOT
        code = function.__code__
        if not package and not _has_source(code):
            raise UnidentifiableError(f"the source of {name} cannot be found")
        read = _read(code)
        cells = zip(code.co_freevars, function.__closure__ or ())
        closed = {cell_name: cell.cell_contents for cell_name, cell in cells if cell != types.CellType()}
        known = function.__globals__
        referred = {k: known[k] for k in read.loaded if k in known}
        return " ".join((
            name,
            read.content,
            self.value(function.__defaults__),
            self.value(function.__kwdefaults__),
            *(f"{k}={self.value(v, read.names)}" for k, v in closed.items()),
            *(f"{k}={self.value(v, read.names, lenient=package)}" for k, v in referred.items()),
        ))  # fmt: skip

    def value(self, value: Any, names: frozenset[str] = frozenset(), *, lenient: bool = False) -> str:
        kind = type(value)
        if value is None or value is Ellipsis or kind in (bool, int, float, complex, str, bytes):
            return _constant(value)
        if isinstance(value, enum.Enum):
            return f"{self.value(kind)}.{value.name}"
        if isinstance(value, (tuple, list, set, frozenset)):
            items: Iterable[str] = [self.value(item, names, lenient=lenient) for item in value]
            ordered = sorted(items) if isinstance(value, (set, frozenset)) else items
            return f"{self.value(kind)}({','.join(ordered)})"
        if kind is dict:
            return self.value(tuple(value.items()), names, lenient=lenient)
        if isinstance(value, types.ModuleType):
            return self._module(value, names, lenient=lenient)
        if id(value) in self._met:
            return f"#{self._met[id(value)][0]}"
        if (named := _named(value)) is not None:
            return self._once(value, lambda _: named)
        for what, describe in self._describers:
            if isinstance(value, what):
                return self._once(value, functools.partial(describe, self))
        if lenient:
            return f"{kind.__module__}.{kind.__qualname__} {getattr(value, '__qualname__', '')}"
        raise UnidentifiableError(f"it refers to {kind.__name__} {value!r}, which has no stable content")

    def _module(self, module: types.ModuleType, names: frozenset[str], *, lenient: bool) -> str:
        if _installed(module):
            return f"{module.__name__} {_release(module.__name__)}"
        if id(module) in self._open:  # modules that import each other
            return module.__name__
        self._open.add(id(module))
        try:
            used = {name: getattr(module, name) for name in sorted(names) if hasattr(module, name)}
            values = (f"{k}={self.value(v, names, lenient=lenient)}" for k, v in used.items())
            return f"{module.__name__}{{{' '.join(values)}}}"
        finally:
            self._open.remove(id(module))

    def _array(self, value: Any) -> str:
        if value.dtype.hasobject:
            raise UnidentifiableError(f"it refers to an array of objects {value!r}, which has no stable content")
        layout = (value.dtype, value.shape, value.flags.c_contiguous, value.flags.f_contiguous)
        return f"array {layout!r} {hashlib.sha256(value.tobytes()).hexdigest()}"

    def _class(self, kind: type) -> str:
        name = f"class {kind.__module__}.{kind.__qualname__}"
        if issubclass(kind, enum.Enum):
            members = {member_name: member.value for member_name, member in kind.__members__.items()}
            return f"{name} {self.value(kind.__bases__)} {self.value(members)}"
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return f"{name} {kind._fields!r} {self.value(getattr(kind, '_field_defaults', {}))}"
        if type(kind) is not type:
            raise UnidentifiableError(f"it refers to {kind!r}, whose metaclass may mean anything")
        lenient = _root(kind.__module__) == _ROOT
        members = {k: v for k, v in sorted(vars(kind).items()) if k not in _DECORATION}
        return f"{name} {self.value(kind.__bases__, lenient=lenient)} {self.value(members, lenient=lenient)}"

    def _vectorised(self, value: Any) -> str:
        return f"ufunc {value.identity!r} {self._once(value._dispatcher, self._dispatcher)}"

    _describers: tuple[tuple[Any, Callable[[_Walk, Any], str]], ...] = (
        (Dispatcher, _dispatcher),
        (types.FunctionType, _function),
        (type, _class),
        ((np.ndarray, np.generic), _array),
        (np.dtype, lambda _, dtype: repr(dtype)),
        ((numba.types.Number, numba.types.Boolean), lambda _, kind: f"type {kind.name}"),
        (DUFunc, _vectorised),
    )


# --- what is installed, and which version ------------------------------------------------------------------------


def _root(module: str | None) -> str:
    return (module or "").split(".")[0]


def _named(value: Any) -> str | None:
    """Name of something an installed module offers, or None."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    name = getattr(value, "__qualname__", None)
    if module is None or not isinstance(name, str) or not _installed(module):
        return None
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module.__name__}.{name} {_release(module.__name__)}" if found is value else None


def _installed(module: types.ModuleType) -> bool:
    if _root(module.__name__) in {_ROOT, "__main__"}:  # a notebook's __main__ has the file of the kernel launcher
        return False
    file = getattr(module, "__file__", None)
    if file is None:  # part of the interpreter; else made by hand or a folder without __init__
        return module.__name__ in sys.builtin_module_names or getattr(module.__spec__, "origin", None) == "frozen"
    return _in_libraries(file)


@functools.cache
def _in_libraries(file: str) -> bool:
    path = Path(file)
    return not _LIBRARIES.isdisjoint(path.parts) or not _SYSTEM.isdisjoint(path.parents)


@functools.cache
def _release(name: str) -> str:
    """Version of an installed module; the standard library's is Python's, which the cache's folder covers."""
    file = getattr(sys.modules[name], "__file__", None)
    if file is None or _LIBRARIES.isdisjoint(Path(file).parts):
        return ""
    version = getattr(sys.modules.get(_root(name)), "__version__", None)
    if isinstance(version, str):
        return version
    try:
        return importlib.metadata.version(_root(name))
    except importlib.metadata.PackageNotFoundError:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
