import os
from pathlib import Path

import pytest

from algo.options import can_write
from algomaster.core.errors import DataError


def test_what_can_be_made_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    can_write(None, "--report")
    can_write(tmp_path / "run.html", "--report")
    can_write(tmp_path / "new" / "deep" / "run.html", "--report")
    monkeypatch.chdir(tmp_path)
    can_write(Path("run.html"), "--report")
    assert not any(tmp_path.iterdir())


def test_a_path_below_a_file_is_refused_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"Cannot write file/deep/run.html: .*file is a file. Give --report another"):
        can_write(Path("file/deep/run.html"), "--report")


def test_a_folder_nobody_may_write_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may write anywhere
    with pytest.raises(DataError, match="may not be written to"):
        can_write(tmp_path / "new" / "run.html", "--save")
