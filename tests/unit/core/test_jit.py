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
