"""Without compilation the same features to the bit, over history and bar by bar."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from algomaster import features
from feature_bars import bars

SCRIPT = """
import sys
import numpy as np
from algomaster import features
from feature_bars import bars

names = features.names()
frame = bars(2, 35, holes=True)
whole = features.compute(frame, names).select(names).to_numpy()
live = features.online(names)
stepped = np.array([live.update(bar) for bar in frame.rows(named=True)])
np.save(sys.argv[1], np.stack([whole, stepped]))
"""


def test_the_interpreter_agrees(tmp_path: Path) -> None:
    tests = Path(__file__).resolve().parents[1]
    path = os.pathsep.join([str(tests), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": path}
    file = tmp_path / "values.npy"
    subprocess.run([sys.executable, "-c", SCRIPT, str(file)], env=environment, check=True)
    plain = np.load(file)
    names = features.names()
    compiled = features.compute(bars(2, 35, holes=True), names).select(names).to_numpy()
    for values in plain:
        same = (values.view(np.int64) == compiled.view(np.int64)) | (np.isnan(values) & np.isnan(compiled))
        wrong = [names[n] for n in np.flatnonzero(~same.all(axis=0))]
        assert not wrong, wrong
