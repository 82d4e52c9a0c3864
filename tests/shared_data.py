"""Where the tests find real market data that must not be part of the project."""

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared"


def shared_path(*parts: str) -> Path:
    """Path below the shared folder; skips where there is none, fails if ALGO_SHARED names one that lacks it."""
    named = os.environ.get("ALGO_SHARED")
    path = Path(named or _DEFAULT).joinpath(*parts)
    if path.exists():
        return path
    if named:
        pytest.fail(f"ALGO_SHARED={named} lacks {Path(*parts)}")
    pytest.skip(f"real market data is not part of the project: no {path} (set ALGO_SHARED to the folder that has it)")
