"""Build ``reference/black_greeks.c`` into a temporary folder and call it."""

import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from algomaster.pricing.kernels import elementary

SOURCE = Path(__file__).resolve().parent / "reference" / "black_greeks.c"
FLAGS = ("-O3", "-march=native", "-ffast-math")
TABLES = {"EXP": "EXP_COEFFICIENTS", "ATANH": "ATANH_COEFFICIENTS", "ERFCX": "ERFCX_COEFFICIENTS"}


def build():
    """Give ``prepare(arrays, out)``, which gives a call that fills ``out`` (6, n) from the arguments (n,)."""
    with tempfile.TemporaryDirectory() as folder:
        tables = {name: getattr(elementary, attribute) for name, attribute in TABLES.items()}
        lines = [f"static const double {n}[] = {{{', '.join(map(repr, v))}}};\n" for n, v in tables.items()]
        (Path(folder) / "coefficients.h").write_text("".join(lines))
        target = Path(folder) / "black_greeks.so"
        command = ["gcc", *FLAGS, f"-I{folder}", "-shared", "-fPIC", str(SOURCE), "-o", str(target), "-lm"]
        subprocess.run(command, check=True)
        function = ctypes.CDLL(str(target)).black_greeks

    def prepare(arrays, out):
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (*arrays, *out)]
        count, missing = ctypes.c_long(out.shape[1]), ctypes.c_double(np.nan)
        return lambda: function(count, missing, *pointers)

    return prepare
