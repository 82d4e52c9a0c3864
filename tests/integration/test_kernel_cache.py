"""The disk cache of compiled kernels: hit when nothing changed, missed when anything did."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import algomaster

PACKAGE = Path(algomaster.__file__).parent


def run(code, *, cache, path=(), check=True):
    """Run Python code in a new process and give its output lines; kernels compiled there come as "compiled NAME"."""
    env = {**os.environ, "ALGO_CACHE": str(cache), "PYTHONPATH": os.pathsep.join(map(str, (*path, PACKAGE.parent)))}
    env.pop("NUMBA_DISABLE_JIT", None)
    done = subprocess.run([sys.executable, *code], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1] if check else done


TELL = "from algomaster.core import jit; jit._listeners.append(lambda name: print('compiled', name))\n"

REPLAY = """
import numpy as np
from algomaster import backtest, strategy
from hand_made import random_day
print(backtest.replay(STRATEGY, random_day(1), params=PARAMS).digest)
"""

MY_STEP = """
from algomaster import strategy
from algomaster.strategy.steps import contract as desk
from my_numbers import LOTS
from my_rules import wants

class Settings(strategy.Params):
    entry: int = 565

@strategy.step
def sell_a_call(state, params, day, i, book):
    if wants(day.first_minute + i + 1, params[0]["entry"]):
        contract = desk.instrument_of(day, 0, desk.at_the_money(day, 0, day.spot[i]), 0)
        desk.enter(book, i, contract, -LOTS * day.lot[0], 0, 0)

mine = strategy.Strategy("mine", step=sell_a_call, params=Settings)
"""


@pytest.fixture
def tests_folder():
    return Path(__file__).resolve().parents[1]


def test_a_second_process_loads_the_driver_and_edits_elsewhere_reach_it(tmp_path, tests_folder):
    (tmp_path / "my_step.py").write_text(MY_STEP)
    (tmp_path / "my_numbers.py").write_text("LOTS = 1\n")
    rule = (
        "from algomaster.core.jit import kernel\n\n"
        "@kernel(lean=True)\ndef wants(now, entry):\n    return now == entry\n"
    )
    (tmp_path / "my_rules.py").write_text(rule)
    path = (tmp_path, tests_folder)
    code = "from my_step import mine\n" + TELL + REPLAY.replace("STRATEGY", "mine").replace("PARAMS", "None")

    def answer():
        lines = run(["-c", code], cache=tmp_path / "cache", path=path)
        return lines[-1], [line.split()[1] for line in lines[:-1]]

    first, compiled = answer()
    assert "run" in compiled
    second, compiled = answer()
    assert second == first
    assert compiled == []

    (tmp_path / "my_rules.py").write_text(rule.replace("now == entry", "now == entry + 9"))
    edited_callee, compiled = answer()
    assert edited_callee != first
    assert "run" in compiled

    (tmp_path / "my_numbers.py").write_text("LOTS = 3\n")
    edited_constant, compiled = answer()
    assert edited_constant not in {first, edited_callee}
    assert "run" in compiled

    (tmp_path / "my_numbers.py").write_text("LOTS = 1\n")
    (tmp_path / "my_rules.py").write_text(rule)
    back, compiled = answer()
    assert (back, compiled) == (first, [])


@pytest.fixture
def small_package(tmp_path):
    """Copy of the package's core with three kernel files of its own, so that sources may be edited."""
    package = tmp_path / "algomaster"
    package.mkdir()
    shutil.copy(PACKAGE / "__init__.py", package)
    shutil.copytree(PACKAGE / "core", package / "core", ignore=shutil.ignore_patterns("__pycache__"))
    probe = package / "probe"
    probe.mkdir()
    (probe / "__init__.py").write_text("")
    (probe / "numbers.py").write_text("TEN = 10\n")
    (probe / "callee.py").write_text(
        "from algomaster.core.jit import kernel\n\n@kernel\ndef twice(x):\n    return 2 * x\n"
    )
    (probe / "caller.py").write_text(
        "from algomaster.core.jit import kernel\nfrom algomaster.probe.callee import twice\n"
        "from algomaster.probe.numbers import TEN\n\n@kernel\ndef answer(x):\n    return twice(x) + TEN\n"
    )
    (tmp_path / "unrelated.txt").write_text("")
    return tmp_path


def test_an_edit_inside_the_package_reaches_kernels_of_other_files(small_package):
    code = TELL + "from algomaster.probe.caller import answer\nprint(answer(1))"
    probe = small_package / "algomaster" / "probe"

    def answer():
        lines = run(["-S", "-c", "import site; site.main()\n" + code], cache=small_package / "c", path=(small_package,))
        return lines[-1], lines[:-1]

    assert answer() == ("12", ["compiled answer", "compiled twice"])
    assert answer() == ("12", [])
    (probe / "callee.py").write_text((probe / "callee.py").read_text().replace("2 * x", "3 * x"))
    assert answer()[0] == "13"
    (probe / "numbers.py").write_text("TEN = 20\n")
    assert answer()[0] == "23"
    assert answer() == ("23", [])


NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
cells = [
    "from algomaster import backtest, strategy\\nfrom algomaster.strategy.steps import contract as desk",
    "LOTS = 2",
    '''class Settings(strategy.Params):
    entry: int = 565

@strategy.step
def cell_step(state, params, day, i, book):
    if day.first_minute + i + 1 == params[0]["entry"]:
        contract = desk.instrument_of(day, 0, desk.at_the_money(day, 0, day.spot[i]), 1)
        desk.enter(book, i, contract, -LOTS * day.lot[0], 0, 0)
''',
    "from hand_made import random_day",
    "run = backtest.replay(strategy.Strategy('cell', step=cell_step, params=Settings), random_day(1))",
    "print(run.trades['quantity'].to_list())",
]
for cell in cells:
    assert shell.run_cell(cell).success
"""


def test_a_step_written_in_a_notebook_cell_runs_and_is_cached(tmp_path, tests_folder):
    def answer():
        return run(["-c", TELL + NOTEBOOK], cache=tmp_path, path=(tests_folder,))

    first = answer()
    assert first[-1] == "[-100]"
    assert "compiled run" in first
    assert answer() == ["[-100]"]


def test_a_step_without_source_runs_and_says_that_it_is_not_cached(tests_folder, tmp_path):
    code = "from algomaster.core.jit import kernel\n@kernel\ndef triple(x):\n    return 3 * x\nprint(triple(14))\n"
    done = run(["-W", "default", "-c", code], cache=tmp_path, check=False)
    assert done.returncode == 0
    assert done.stdout == "42\n"
    assert "KernelCacheWarning" in done.stderr
    assert "triple is compiled anew in every process" in done.stderr
    assert not list(tmp_path.rglob("*.nbc"))


def test_a_package_file_edited_between_two_imports_leaves_no_wrong_code_behind(small_package):
    probe = small_package / "algomaster" / "probe"
    clean = (probe / "callee.py").read_text()
    imports = "from algomaster.core import jit; jit.kernel_digest()\nimport algomaster.probe.numbers\n"
    edited = clean.replace("2 * x", "3 * x")
    edit = f"from pathlib import Path\nPath({str(probe / 'callee.py')!r}).write_text({edited!r})\n"
    use = "from algomaster.probe.caller import answer\nprint(answer(1))\n"

    def answer(code):
        start = "import site, sys; site.main(); sys.dont_write_bytecode = True\n"
        return run(["-S", "-c", start + code], cache=small_package / "c", path=(small_package,))

    assert answer(imports + edit + use) == ["13"]
    (probe / "callee.py").write_text(clean)
    assert answer(use) == ["12"]


MY_KERNEL = """
import enum
import my_package.deep
import my_rules
from algomaster.core.jit import kernel

class Side(enum.IntEnum):
    SELL = -1

@kernel
def answer(x):
    return my_rules.wants(x) * Side.SELL + my_package.deep.LEVEL

def make():
    @kernel
    def driver(x):
        return answer(x)
    return driver
"""


@pytest.fixture
def my_files(tmp_path):
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").write_text("")
    (tmp_path / "my_package" / "deep.py").write_text("LEVEL = 100\n")
    (tmp_path / "my_numbers.py").write_text("TEN = 10\n")
    (tmp_path / "my_rules.py").write_text(
        "from numba import njit\nfrom my_numbers import TEN\n\n@njit\ndef wants(x):\n    return x * TEN\n"
    )
    (tmp_path / "my_kernel.py").write_text(MY_KERNEL)
    return tmp_path


USE = TELL + "import my_kernel\nprint(my_kernel.answer(2))\n"


def test_a_file_edited_before_the_first_call_leaves_no_wrong_code_behind(my_files):
    file = my_files / "my_kernel.py"
    edit = MY_KERNEL.replace("x) *", "x) * 5 *")
    code = f"import my_kernel, pathlib\npathlib.Path({str(file)!r}).write_text({edit!r})\n"
    use = "print(my_kernel.make()(2))\n"
    path = {"cache": my_files / "cache", "path": (my_files,)}
    assert run(["-B", "-c", code + use], **path) == ["80"]
    fresh = TELL + "import my_kernel\n" + use
    assert run(["-B", "-c", fresh], **path) == ["compiled driver", "compiled answer", "0"]
    file.write_text(MY_KERNEL)
    assert run(["-B", "-c", fresh], **path) == ["80"]


def test_edits_of_what_a_module_imports_and_of_enum_members_are_seen(my_files):
    def answer():
        return run(["-B", "-c", USE], cache=my_files / "cache", path=(my_files,))

    def edit(name, old, new):
        (my_files / name).write_text((my_files / name).read_text().replace(old, new))

    assert answer() == ["compiled answer", "80"]
    assert answer() == ["80"]
    edit("my_numbers.py", "TEN = 10", "TEN = 20")
    assert answer()[-1] == "60"
    edit("my_package/deep.py", "LEVEL = 100", "LEVEL = 200")
    assert answer()[-1] == "160"
    edit("my_kernel.py", "SELL = -1", "SELL = -2")
    assert answer()[-1] == "120"
    edit("my_kernel.py", "import enum\n", "import enum  # for the side\n\n\n")
    edit("my_rules.py", "\n\n@njit", "\nUNUSED = 1\n\n@njit")
    assert answer() == ["120"]


@pytest.mark.parametrize(
    ("pattern", "broken"),
    [
        ("*.nbc", lambda data: data[: len(data) // 2]),
        ("*.nbi", lambda data: b""),
        ("*.nb?", lambda data: b"\x00rubbish"),
    ],
    ids=["data cut short", "index empty", "both rubbish"],
)
def test_broken_files_are_replaced(my_files, pattern, broken):
    cache = my_files / "cache"
    options = {"cache": cache, "path": (my_files,)}
    assert run(["-c", USE], **options) == ["compiled answer", "80"]
    files = list(cache.rglob(pattern))
    assert files
    for file in files:
        file.write_bytes(broken(file.read_bytes()))
    done = run(["-W", "default", "-c", USE], **options, check=False)
    assert (done.returncode, done.stdout) == (0, "compiled answer\n80\n")
    assert done.stderr.count("KernelCacheWarning") == 1
    assert "could not be read" in done.stderr
    assert run(["-W", "error::UserWarning", "-c", USE], **options) == ["80"]


@pytest.mark.parametrize("cache", ["/dev/null", "/proc/nowhere", "a file"])
def test_a_cache_that_cannot_be_used_stops_nothing(my_files, cache):
    if cache.startswith("/") and not Path(cache).parent.is_dir():
        pytest.skip(f"this system has no {cache}")
    if cache == "a file":
        cache = my_files / "cache"
        cache.write_text("")
    two = USE + "print(my_kernel.answer(True))\n"
    done = run(["-W", "default", "-c", two], cache=cache, path=(my_files,), check=False)
    assert (done.returncode, done.stdout) == (0, "compiled answer\n80\ncompiled answer\n90\n")
    assert done.stderr.count("KernelCacheWarning") == 1


CLOSURES = """
import numpy as np
from algomaster.core.jit import kernel

def scaled(by):
    @kernel(inner=True)
    def scale(x):
        for i in range(x.size):
            x[i] = np.sin(x[i]) * by
            if x[i] > 1e9:
                rarely(x)

    @kernel
    def twice(x):
        scale(x)
        scale(x)
        return x[0]

    return twice

@kernel(inner=True)
def rarely(x):
    for i in range(x.size):
        x[i] = np.cos(x[i])
"""


def test_closures_of_one_name_compiled_by_two_processes_stay_apart(tmp_path):
    """Machine code is linked by name: the inner closure of the first must not serve the second."""
    (tmp_path / "closures.py").write_text(CLOSURES)
    code = "import numpy as np\nfrom closures import scaled\n" + TELL + "for by in {}: print(scaled(by)(np.ones(3)))"
    alone = [run(["-c", code.format([by])], cache=tmp_path / "cache", path=(tmp_path,))[-1] for by in (2.0, 3.0)]
    together = run(["-c", code.format([2.0, 3.0])], cache=tmp_path / "cache", path=(tmp_path,))
    assert together == alone
    assert len(set(alone)) == 2
