"""The house as it is meant to stand: what imports what, what is public, what ships."""

import importlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "algomaster"
CEILING = 450  # lines; a file that needs more holds more than one idea

PACKAGES = ["pricing", "market", "features", "strategy", "performance", "backtest"]
KERNEL_ZONES = ["pricing/kernels", "features/kernels", "strategy/steps", "execution"]
_NOT_IN_KERNELS = "pandas polars pydantic sklearn torch xgboost mlflow fastapi typer pyarrow plotly rich"
FRAMES_AND_MODELS = frozenset(_NOT_IN_KERNELS.split())


def loaded_after(code):
    """Names of the top-level modules loaded by ``code`` in a fresh process."""
    script = f"import sys\n{code}\nprint('\\n'.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_importing_algomaster_loads_nothing_heavy():
    assert not loaded_after("import algomaster") & {"numba", "torch", "pandas", "polars", "numpy", "pydantic"}


def test_lazy_packages_load_nothing_heavy():
    code = "\n".join(f"import algomaster.{package}" for package in PACKAGES)
    assert not loaded_after(code) & {"numba", "polars", "numpy", "pydantic", "plotly"}


def test_numbers_only_zones_never_reach_frames_or_models():
    modules = [
        "algomaster." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for zone in KERNEL_ZONES
        for path in (PACKAGE / zone).rglob("*.py")
        if path.name != "__init__.py"
    ]
    assert len(modules) >= 8
    loaded = loaded_after("\n".join(f"import {module}" for module in modules))
    assert "numba" in loaded
    assert not loaded & FRAMES_AND_MODELS


def test_facts_need_the_standard_library_only():
    assert not loaded_after("import algomaster.market.facts") & {"numpy", "numba", "polars", "pydantic"}


@pytest.mark.parametrize("name", PACKAGES)
def test_the_public_surface_is_all(name):
    package = importlib.import_module(f"algomaster.{name}")
    assert list(package.__all__) == sorted(
        package.__all__, key=lambda word: (not word.isupper(), word[0].islower(), word)
    )
    assert dir(package) == sorted(package.__all__)
    for public in package.__all__:
        found = getattr(package, public)
        assert not isinstance(found, type(sys)), f"{name}.{public} is a module: rename the file"
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", PACKAGES)
def test_no_module_is_called_like_a_public_name(name):
    package = importlib.import_module(f"algomaster.{name}")
    assert not {path.stem for path in (PACKAGE / name).glob("*.py")} & set(package.__all__)


def sources():
    return [*PACKAGE.rglob("*.py"), *(ROOT / "cli").rglob("*.py")]


def test_files_hold_one_idea():
    long = {str(path.relative_to(ROOT)): n for path in sources() if (n := len(path.read_text().splitlines())) > CEILING}
    assert not long


def test_plotly_lives_in_files_named_plots():
    imported = re.compile(r"^\s*(?:import|from) plotly", re.MULTILINE)
    users = {path.name for path in sources() if imported.search(path.read_text())}
    assert users <= {"plots.py"}


def test_the_wheel_holds_both_packages_with_their_data_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"algo", "algomaster", "algomaster-0.1.0.dist-info"}
    shipped = {name for name in names if not name.endswith(".py")}
    data = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    assert data <= shipped
    assert any(name.endswith("charges.toml") for name in data)
