"""A vendor's file opened: its content digest, a look at its head, and its rows as text with their numbers.

Row numbers count from 1 as a person would: lines of a text file (the header is line 1), rows of a Parquet file,
entries of a JSON list.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import zipfile
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from algomaster.core.errors import DataError

__all__ = ["Head", "Raw", "Source"]

_HEAD_BYTES = 65_536
_HEAD_LINES = 6


@dataclasses.dataclass(frozen=True)
class Head:
    """What a loader may look at to say whether a file is of its format.

    Attributes
    ----------
    kind : {"parquet", "json", "text"}
    columns : tuple of str
        Column names of a Parquet file, top-level keys of a JSON object, fields of the first line of a text.
    rows : tuple of tuple of str
        The next few rows as text (of a text file without a header, the first line is ``columns``).
    """

    kind: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()

    def has(self, *names: str) -> bool:
        """Say whether all these columns are there."""
        return set(names) <= set(self.columns)


@dataclasses.dataclass(frozen=True)
class Raw:
    """Rows as they came.

    Attributes
    ----------
    frame : DataFrame
        ``_row`` and the file's columns (text files: all as text).
    broken : DataFrame
        ``_row``, ``kind``, ``reason`` of lines that do not even have the right number of fields.
    """

    frame: pl.DataFrame
    broken: pl.DataFrame

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return self.frame.height + self.broken.height


class Source:
    """One file of a vendor, unpacked if it is a ``.gz`` or a ``.zip`` with a single member.

    Raises
    ------
    DataError
        The file cannot be read or unpacked, or is empty.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            packed = self.path.read_bytes()
        except OSError as problem:
            raise DataError(f"Cannot read {self.path}: {problem.strerror}.", hint="Check the path.") from None
        self.sha256 = hashlib.sha256(packed).hexdigest()
        self.data = _unpacked(self.path, packed)
        if not self.data.strip():
            raise DataError(f"{self.path} is empty.", hint="Fetch it again.")

    @cached_property
    def head(self) -> Head:
        """The first rows, whatever the file is called."""
        if self.data[:4] == b"PAR1":
            frame = self._parquet(rows=_HEAD_LINES)
            return Head("parquet", tuple(frame.columns), tuple(tuple(map(str, row)) for row in frame.rows()))
        if self.data.lstrip()[:1] in (b"{", b"["):
            found = self.json
            return Head("json", tuple(found) if isinstance(found, dict) else ())
        text = self.data[:_HEAD_BYTES].decode("utf-8-sig", errors="replace")
        lines = [_fields(line) for line in text.splitlines()[:_HEAD_LINES] if line.strip()]
        return Head("text", lines[0], tuple(lines[1:]))

    @cached_property
    def json(self) -> Any:
        """The parsed JSON."""
        try:
            return json.loads(self.data)
        except ValueError as problem:
            raise DataError(f"{self.path} is not valid JSON: {problem}.", hint="Fetch it again.") from None

    def table(self, *columns: str) -> Raw:
        """Rows of a Parquet file, or of a text file with a header; of these columns, or of all without any named.

        What else a file has can then neither stand in the way of a column made later nor be taken for one.
        """
        if self.head.kind == "parquet":
            bare = pl.col(pl.String).str.strip_chars().str.strip_chars("\"'").str.strip_chars()
            raw = Raw(self._numbered().with_columns(bare), _no_rows())
        else:
            raw = self.text(self.head.columns, header=True)
        return Raw(raw.frame.select("_row", *columns), raw.broken) if columns else raw

    def text(self, columns: tuple[str, ...], *, header: bool, optional: int = 0) -> Raw:
        """Rows of a text file with these columns; lines with another number of fields are broken.

        The last ``optional`` columns may be absent from a line and are null then. Values hold no commas in any format
        read here; quotes are dropped. A trailing comma makes a last column "".
        """
        lines = self.lines.slice(1) if header else self.lines
        lines = lines.filter(pl.col("line").str.strip_chars() != "")
        count = pl.col("line").str.count_matches(",", literal=True) + 1
        fits = count.is_between(len(columns) - optional, len(columns))
        good = lines.filter(fits)
        broken = lines.filter(~fits).select(
            "_row",
            kind=pl.lit("broken_line"),
            reason=pl.format("expected {} fields, got {}", pl.lit(len(columns)), count),
        )
        names = [
            name if name not in ("", "_row", "_values", *columns[:place]) else f"_unnamed{place}"
            for place, name in enumerate(columns)
        ]
        values = pl.col("line").str.replace_all('"', "", literal=True).str.split_exact(",", len(columns) - 1)
        frame = good.select("_row", values.struct.rename_fields(names).alias("_values")).unnest("_values")
        return Raw(frame.with_columns(pl.col(names).str.strip_chars()), broken)

    @cached_property
    def lines(self) -> pl.DataFrame:
        """All lines of a text file: ``_row``, ``line``."""
        text = self.data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        lines = pl.DataFrame({"line": text.rstrip("\n").split("\n")}, schema={"line": pl.String})
        return lines.with_row_index("_row", offset=1).cast({"_row": pl.Int64})

    def originals(self, rows: pl.Series) -> pl.DataFrame:
        """Text of some rows as they stand in the file: ``_row``, ``raw``."""
        wanted = pl.DataFrame({"_row": rows.cast(pl.Int64)}).unique().sort("_row")
        if self.head.kind == "text":
            return wanted.join(self.lines, on="_row", how="left").rename({"line": "raw"})
        if self.head.kind == "json":
            entries = self.json["records"]["data"]
            raw = [json.dumps(entries[row - 1]) for row in wanted["_row"]]
            return wanted.with_columns(pl.Series("raw", raw, dtype=pl.String))
        frame = self._numbered().join(wanted, on="_row", how="semi").sort("_row")
        return frame.select("_row", raw=pl.struct(pl.exclude("_row")).struct.json_encode())

    def _parquet(self, rows: int | None = None) -> pl.DataFrame:
        try:
            frame = pl.read_parquet(io.BytesIO(self.data), n_rows=rows)
        except pl.exceptions.PolarsError as problem:
            first = str(problem).splitlines()[0]
            raise DataError(f"{self.path} is not readable Parquet: {first}.", hint="Fetch it again.") from None
        coded = [name for name, kind in frame.schema.items() if kind in (pl.Categorical, pl.Enum, pl.Binary, pl.Null)]
        return frame.with_columns(pl.col(coded).cast(pl.String, strict=False))

    def _numbered(self) -> pl.DataFrame:
        """Give the rows of a Parquet file with their numbers (a column of that name in the file gives way)."""
        frame = self._parquet().drop("_row", strict=False)
        return frame.with_row_index("_row", offset=1).cast({"_row": pl.Int64})


def _unpacked(path: Path, packed: bytes) -> bytes:
    try:
        if packed[:2] == b"\x1f\x8b":
            return gzip.decompress(packed)
        if packed[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                members = [name for name in archive.namelist() if not name.endswith("/")]
                if len(members) != 1:
                    raise DataError(f"{path} holds {len(members)} files, expected one.", hint="Unpack it first.")
                return archive.read(members[0])
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as problem:
        raise DataError(f"{path} cannot be unpacked: {problem}.", hint="Fetch it again.") from None
    return packed


def _fields(line: str) -> tuple[str, ...]:
    return tuple(field.strip().strip('"').strip() for field in line.split(","))


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"_row": pl.Int64, "kind": pl.String, "reason": pl.String})
