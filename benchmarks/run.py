"""Run every ``bench_*.py`` beside this file and write ``results.md``: target, measured, ok or MISS.

Each module has ``run() -> list[dict]`` with keys ``name, target, measured, unit, ok`` (target a number, or None where a
row only informs; smaller is better). Give names to run only some: ``python benchmarks/run.py backtest cli``; the
sections of the others stay as they were, each says of which revision it is.
"""

import importlib
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBRARIES = ("numba", "llvmlite", "numpy", "polars", "pyarrow", "pydantic", "typer", "plotly")


def main(names):
    sys.path.insert(0, str(HERE))
    wanted = names or sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    path = HERE / "results.md"
    sections = kept(path.read_text()) if names and path.exists() else {}
    for name in wanted:
        print(f"{name} ...", flush=True)
        rows = importlib.import_module(f"bench_{name}").run()
        for row in rows:
            print("   ", " | ".join(cells(row)), flush=True)
        sections[name] = section(rows)
        path.write_text(page(sections))
    print(f"written: {path}")


def kept(text):
    """Sections of an earlier page by name."""
    parts = (part.partition("\n") for part in text.split("\n## ")[1:])
    return {name: body.strip() for name, _, body in parts}


def page(sections):
    lines = [
        "# Measured figures",
        "",
        "Written by `make bench`. Medians; smaller is better, but for x.",
        "The machines are shared, so ratios say more than seconds.",
        "",
        f"- Machine: {cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        f"- Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    ]
    for name in sorted(sections):
        lines += ["", f"## {name}", "", sections[name]]
    return "\n".join(lines) + "\n"


def section(rows):
    lines = [f"Revision {revision()}, {datetime.now(UTC):%Y-%m-%d}.", ""]
    lines += ["| what | target | measured | unit | |", "|---|---|---|---|---|"]
    return "\n".join(lines + ["| " + " | ".join(cells(row)) + " |" for row in rows])


def cells(row):
    target = "" if row["target"] is None else f"{row['target']:g}"
    verdict = "" if row["target"] is None else "ok" if row["ok"] else "MISS"
    return row["name"], target, f"{row['measured']:.4g}", row["unit"], verdict


def cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


def revision():
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main(sys.argv[1:])
