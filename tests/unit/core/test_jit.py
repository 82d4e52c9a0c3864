import importlib.util
import linecache
import os
import sys

import numba
import numpy as np
import pytest

from algomaster.core import jit

SCALE = 2.0
TABLE = np.array([1, 2, 3])


@jit.kernel
def scaled(x):
    return x * SCALE + TABLE[1]


@jit.kernel
def outer(x):
    return scaled(x) + 1.0


def test_identity_follows_values_and_callees(monkeypatch):
    before, callee = jit.identity(outer), jit.identity(scaled)
    assert before == jit.identity(outer)
    monkeypatch.setitem(jit.python_of(scaled).__globals__, "SCALE", 3.0)
    assert jit.identity(scaled) != callee
    assert jit.identity(outer) != before
    monkeypatch.setitem(jit.python_of(scaled).__globals__, "SCALE", 2.0)
    monkeypatch.setitem(jit.python_of(scaled).__globals__, "TABLE", np.array([1, 2, 4]))
    assert jit.identity(outer) != before


def test_a_closure_is_known_by_what_it_closes_over():
    def factory(step):
        def driver(x):
            return step(x)

        return driver

    assert jit.identity(factory(scaled)) == jit.identity(factory(scaled))
    assert jit.identity(factory(scaled)) != jit.identity(factory(outer))


def test_what_has_no_content_has_no_identity(monkeypatch):
    monkeypatch.setitem(jit.python_of(scaled).__globals__, "SCALE", object())
    with pytest.raises(ValueError, match="no stable content"):
        jit.identity(scaled)


def test_kernel_sources_hold_what_kernels_import():
    names = {path.name for path in jit.kernel_sources()}
    assert {"jit.py", "types.py", "contract.py", "legs.py", "ledger.py", "matching.py", "drivers.py"} <= names


def test_the_cache_folder_is_named_by_the_digest(monkeypatch, tmp_path):
    monkeypatch.setenv("ALGO_CACHE", str(tmp_path))
    assert jit.cache_dir() == tmp_path / "kernels" / jit.kernel_digest()[:20]


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write a module into a file, import it, and forget it afterwards."""
    monkeypatch.syspath_prepend(tmp_path)

    def load(text, name="written", folder=tmp_path):
        file = folder / f"{name}.py"
        folder.mkdir(exist_ok=True)
        file.write_text(text)
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        linecache.checkcache()
        return module

    return load


STEP = """
import enum
from typing import NamedTuple
import numba

class Side(enum.IntEnum):
    BUY = 1
    SELL = -1

class Terms(NamedTuple):
    lots: int = 2
    fee: int = 7

class Refused(ValueError):
    limit = 3

@numba.vectorize
def doubled(x):
    return x * 2 + 9

def plain(x):
    return x - 4

PAIRS = {"a": 5}

def step(x, y=11, *, z=13):
    def inner(u):
        return u + 17
    if x > 19:
        raise Refused("too much")
    return inner(x) + Side.SELL + Terms().lots + doubled(x) + plain(x) + y + z
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SELL = -1", "SELL = -2"),
        ("lots: int = 2", "lots: int = 3"),
        ("fee: int = 7", "cost: int = 7"),
        ("limit = 3", "limit = 4"),
        ("x * 2 + 9", "x * 2 + 8"),
        ("@numba.vectorize", "@numba.vectorize(fastmath=True)"),
        ("x - 4", "x - 5"),
        ("y=11", "y=12"),
        ("z=13", "z=14"),
        ("u + 17", "u + 18"),
        ("u + 17", "u - 17"),
        ("x > 19", "x > 19.0"),
        ("x > 19", "y > 19"),
        ("+ y + z", "+ z + y"),
        ("Refused(ValueError)", "Refused(TypeError)"),
    ],
)
def test_every_part_of_what_is_compiled_belongs_to_the_identity(load, old, new):
    assert STEP.count(old) == 1
    before = jit.identity(load(STEP).step)
    assert jit.identity(load(STEP.replace(old, new)).step) != before
    assert jit.identity(load(STEP).step) == before


def test_comments_and_what_is_not_used_do_not_compile_again(load):
    before = jit.identity(load(STEP).step)
    assert jit.identity(load("# a remark\n\n" + STEP.replace('"a": 5', '"a": 6')).step) == before


def test_an_attribute_of_an_argument_is_not_a_global(load):
    text = "def step(day):\n    return day.close\n"
    assert jit.identity(load(text + "close = object()\n").step) == jit.identity(load(text).step)


def test_an_edit_of_the_file_after_its_import_changes_nothing(load, tmp_path):
    step = load(STEP).step
    before = jit.identity(step)
    (tmp_path / "written.py").write_text(STEP.replace("x - 4", "x - 5"))
    linecache.checkcache()
    assert jit.identity(step) == before


def test_a_module_is_known_by_the_attributes_that_are_used(load):
    step = "import rules\n\ndef step(x):\n    return rules.wants(x) + rules.deep.LEVEL\n"
    rules = "import deep\nfrom deep import bound\nlog = object()\n\ndef wants(x):\n    return bound(x)\n"
    deep = "import rules\nLEVEL = 1\n\ndef bound(x):\n    return x > 5\n"

    def known(rules=rules, deep=deep):
        load("", "rules")  # they import each other
        load(deep, "deep")
        load(rules, "rules")
        sys.modules["deep"].rules = sys.modules["rules"]
        return jit.identity(load(step).step)

    before = known()
    assert known() == before
    assert known(rules=rules + "OTHER = 3\n") == before
    assert known(rules=rules.replace("return bound(x)", "return not bound(x)")) != before
    assert known(deep=deep.replace("x > 5", "x > 6")) != before
    assert known(deep=deep.replace("LEVEL = 1", "LEVEL = 2")) != before


def test_an_installed_module_is_known_by_its_version_else_by_its_bytes(load, tmp_path):
    def known(name, text):
        identities = importlib.import_module("algomaster.core.identity")
        identities._release.cache_clear()  # a process sees one version
        load(text, name, tmp_path / "site-packages")
        return jit.identity(load(f"import {name}\n\ndef step(x):\n    return {name}.f(x)\n").step)

    versioned = "__version__ = '1'\n\ndef f(x):\n    return x\n"
    before = known("with_version", versioned)
    assert known("with_version", versioned + "# more\n") == before
    assert known("with_version", versioned.replace("'1'", "'2'")) != before
    without = "def f(x):\n    return x\n"
    before = known("without_version", without)
    assert known("without_version", without) == before
    assert known("without_version", without + "# more\n") != before


@pytest.mark.parametrize(
    "unknowable",
    [
        "G = object()",
        "import functools\nG = functools.partial(max, 1)",
        "import numpy as np\nG = np.array([object()])",
        "import numpy as np\nG = np.frompyfunc(lambda x: x, 1, 1)",
        "class Meta(type): pass\nclass G(metaclass=Meta): pass",
        "class G:\n    @property\n    def p(self): return 1",
        "exec('def G(x): return x')",
    ],
)
def test_what_cannot_be_known_is_refused(load, unknowable):
    step = load(unknowable + "\n\ndef step(x):\n    return G\n").step
    with pytest.raises(ValueError, match=r"no stable content|metaclass|cannot be found|array of objects"):
        jit.identity(step)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1", "True"),
        ("0.0", "-0.0"),
        ("(1, 2)", "(1, (2,))"),
        ("('a', 'b')", "('a,b',)"),
        ("frozenset({1, 2})", "frozenset({1, 3})"),
        ("np.zeros(2)", "np.zeros((2, 1))"),
        ("np.zeros(2)", "np.zeros(2, 'f4')"),
        ("np.zeros((2, 2))", "np.zeros((2, 2), order='F')"),
        ("np.float64(1)", "1.0"),
        ("np.dtype('f8')", "np.dtype('f4')"),
        ("numba.int64", "numba.int32"),
        ("math.sqrt", "math.cbrt"),
        ("np.sqrt", "np.cbrt"),
        ("np.minimum", "np.maximum"),
        ("min", "max"),
    ],
)
def test_values_that_compile_differently_differ(load, one, other):
    text = "import math, numba\nimport numpy as np\nG = {}\n\ndef step(x):\n    return G\n"
    first = jit.identity(load(text.format(one)).step)
    assert jit.identity(load(text.format(other)).step) != first
    assert jit.identity(load(text.format(one)).step) == first


compiled = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")

KERNELS = """
from algomaster.core.jit import kernel
LOTS = 1

@kernel
def callee(x):
    return x * LOTS

@kernel
def caller(x):
    return callee(x) + 1
"""


@compiled
def test_the_flags_of_a_kernel_belong_to_its_identity(load):
    before = jit.identity(load(KERNELS).caller)
    assert (
        jit.identity(load(KERNELS.replace("@kernel\ndef callee", "@kernel(inline=True)\ndef callee")).caller) != before
    )


@compiled
def test_a_callee_compiled_with_an_older_global_gives_its_callers_another_name(load, monkeypatch, tmp_path):
    monkeypatch.setenv("ALGO_CACHE", str(tmp_path / "cache"))
    clean = jit.identity(load(KERNELS.replace("LOTS = 1", "LOTS = 2")).caller)
    module = load(KERNELS)
    assert module.callee(5) == 5
    module.LOTS = 2
    assert module.caller(5) == 6  # numba goes on with the callee as it was compiled
    assert jit.identity(module.caller) != clean
    assert load(KERNELS.replace("LOTS = 1", "LOTS = 2")).caller(5) == 11


@compiled
def test_a_callee_that_numba_compiled_by_itself_before_is_refused(load, monkeypatch, tmp_path):
    monkeypatch.setenv("ALGO_CACHE", str(tmp_path / "cache"))
    text = KERNELS.replace("@kernel\ndef callee", "@numba.njit\ndef callee").replace("from", "import numba\nfrom", 1)
    module = load(text)
    assert module.caller(5) == 6
    assert jit.identity(module.caller) == jit.identity(load(text).caller)
    early = load(text)
    assert early.callee(5) == 5
    early.LOTS = 2
    with pytest.raises(ValueError, match="numba compiled before"):
        jit.identity(early.caller)


@compiled
def test_the_identity_is_taken_when_the_kernel_is_compiled(load, monkeypatch, tmp_path):
    monkeypatch.setenv("ALGO_CACHE", str(tmp_path / "cache"))
    module = load(KERNELS)
    module.LOTS = 3
    assert module.callee(5) == 15
    assert load(KERNELS).callee(5) == 5
    names = []
    with jit.compiling(names.append):
        assert load(KERNELS.replace("LOTS = 1", "LOTS = 3")).callee(5) == 15
    assert names == []


@compiled
def test_code_whose_globals_change_while_it_is_compiled_is_not_stored(load, monkeypatch, tmp_path):
    monkeypatch.setenv("ALGO_CACHE", str(tmp_path / "cache"))
    module = load(KERNELS)
    with jit.compiling(lambda name: setattr(module, "LOTS", 2)):
        assert module.callee(5) == 10
    assert not list(tmp_path.rglob("*.nbc"))
    assert load(KERNELS).callee(5) == 5
    assert list(tmp_path.rglob("*.nbc"))


@compiled
def test_the_newest_folders_of_older_sources_stay(load, monkeypatch, tmp_path):
    monkeypatch.setenv("ALGO_CACHE", str(tmp_path / "cache"))
    for age in range(20):
        folder = tmp_path / "cache" / "kernels" / f"sources{age:02}"
        folder.mkdir(parents=True)
        (folder / "some.nbc").write_bytes(b"")
        os.utime(folder, (1e9 - age, 1e9 - age))
    assert load(KERNELS).callee(5) == 5
    left = {folder.name for folder in (tmp_path / "cache" / "kernels").iterdir()}
    assert left == {jit.cache_dir().name, *(f"sources{age:02}" for age in range(7))}
    assert list(jit.cache_dir().glob("*.nbc"))
