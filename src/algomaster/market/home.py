"""The folder or object-store URL that everything imported lives under: whole files in, whole files out, one lock.

A file appears whole or not at all: locally it is written aside, flushed and renamed; an object store gets a single
PUT. A writer holds :meth:`Home.lock`; on local paths that keeps two processes apart (the operating system releases
it when a process dies). On URLs nothing is locked: have one writer at a time there, readers are always safe.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import fsspec
import platformdirs

from algomaster.core.errors import DataError

__all__ = ["Home"]


class Home:
    """Where the store, the rejects and the manifest live.

    Parameters
    ----------
    where : str, Path or None
        A folder or an fsspec URL ("s3://bucket/algo", "memory://test"); by default ``$ALGO_HOME``, else the
        platform's folder for user data.
    """

    def __init__(self, where: str | Path | None = None) -> None:
        chosen = where or os.environ.get("ALGO_HOME") or platformdirs.user_data_dir("algomaster", appauthor=False)
        text = os.path.expanduser(str(chosen))
        try:
            self._fs, self._root = fsspec.core.url_to_fs(text if "://" in text else os.path.abspath(text))
        except (ValueError, ImportError) as problem:
            raise DataError(
                f"Cannot open the home {text!r}: {problem}.", hint="Give a folder or an fsspec URL."
            ) from None
        self.is_local = "file" in ([self._fs.protocol] if isinstance(self._fs.protocol, str) else self._fs.protocol)
        self.where = self._root if self.is_local else text

    def __repr__(self) -> str:
        return f"Home({self.where})"

    def path(self, name: str) -> str:
        """Give the full path or URL of a file for people and other engines."""
        return f"{self.where.rstrip('/')}/{name}"

    def list(self, folder: str, suffix: str = ".parquet") -> dict[str, int]:
        """Names (relative to the home, sorted) and sizes in bytes of the files below ``folder``."""
        root = self._inside("")
        found = self._fs.find(self._inside(folder), detail=True)
        sizes = {path[len(root) :].lstrip("/"): int(info["size"] or 0) for path, info in found.items()}
        return {name: sizes[name] for name in sorted(sizes) if name.endswith(suffix)}

    def exists(self, name: str) -> bool:
        """Say whether there is such a file."""
        return bool(self._fs.isfile(self._inside(name)))

    def read(self, name: str) -> bytes:
        """Give a file's bytes."""
        return bytes(self._fs.cat_file(self._inside(name)))

    def write(self, name: str, data: bytes) -> None:
        """Put a whole file in place of what was there; after a crash the old one is still whole."""
        target = self._inside(name)
        if not self.is_local:
            self._fs.pipe_file(target, data)
            return
        folder = os.path.dirname(target)
        os.makedirs(folder, exist_ok=True)
        aside = os.path.join(folder, f".{os.path.basename(target)}.{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            with open(aside, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.remove(aside)
            raise

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes and threads that write here waiting (local homes only)."""
        if not self.is_local:
            yield
            return
        os.makedirs(self._root, exist_ok=True)
        with open(os.path.join(self._root, ".lock"), "a+b") as file:
            _take(file)
            try:
                yield
            finally:
                _release(file)

    def _inside(self, name: str) -> str:
        return f"{str(self._root).rstrip('/')}/{name}" if name else str(self._root).rstrip("/")


def _take(file: IO[Any]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX)


def _release(file: IO[Any]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
