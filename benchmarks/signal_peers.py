"""Trade by trade against vectorbt, backtrader and raptorbt on public bars.

``python benchmarks/signal_peers.py [PYTHON]`` runs every case of ``tests/signal_corpus.py`` through the peers that the
Python in ``PYTHON`` (or ``$SIGNAL_PEERS_PYTHON``) has, prints how their trades differ from ours, and writes
``tests/reference/signal_peers.json``: a number, sums and a hash a case. No row of the data or of a peer is kept.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
RECORD = HERE.parent / "tests" / "reference" / "signal_peers.json"
sys.path.insert(0, str(HERE.parent / "tests"))

import signal_corpus as corpus  # noqa: E402


def ask(python, peer, cases, arrays):
    """Run a peer on cases in its own Python; gives its trades, an array a case."""
    packed = {"cases": np.array(json.dumps(cases))}
    for number, one in enumerate(arrays):
        packed |= {f"{number}/{name}": values for name, values in one.items()}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "cases.npz", Path(folder) / "found.npz"
        np.savez(source, **packed)
        command = [python, "-W", "ignore", str(HERE / "signal_oracle.py"), peer, str(source), str(target)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": ""})
        with np.load(target) as found:
            return {name: found[name] for name in found.files}


def trades_of(python, peer, names):
    """A peer's trades of the corpus' cases by name."""
    cases = [corpus.DEFAULTS | corpus.CASES[name] for name in names]
    for case in cases:
        if "value" in case:
            case |= {"size": case["value"], "vectorbt": {"size_type": "value"}}
        if "targets" in case:
            case["size_type"] = "targetpercent"
    found = ask(python, peer, cases, [corpus.arrays_of(name) for name in names])
    return {name: found[f"{number}/trades"] for number, name in enumerate(names)}


def main(python):
    record = {}
    for peer in ("vectorbt", "raptorbt", "backtrader"):
        names = [name for name, case in corpus.CASES.items() if peer in case["peers"]]
        for name, rows in trades_of(python, peer, names).items():
            mine = corpus.table(corpus.ours(name))
            found = corpus.difference(mine, rows)
            far = ", ".join(f"{key} {value:.1e}" for key, value in found["far"].items())
            print(f"{peer:10} {name:18} {found['both']:6} in both, {found['only_ours']:4} only ours,", end=" ")
            print(f"{found['only_theirs']:4} only theirs; {far}; first {found['first']}", flush=True)
            record.setdefault(name, {})[peer] = corpus.facts(rows)
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    print(f"written: {RECORD}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ["SIGNAL_PEERS_PYTHON"])
