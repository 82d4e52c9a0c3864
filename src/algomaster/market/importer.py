"""Vendor files into the store: every row ends up stored, unchanged, replaced or rejected, and the report says which.

For each file (:func:`import_path`):

1. Its format is recognised by content (:func:`~algomaster.market.loaders.table.choose`) and its rows are read.
2. The rules for usable rows are applied (:mod:`algomaster.market.rules`).
3. The store merges what is left (:meth:`~algomaster.market.store.Store.write`).
4. Rejected rows are kept with their number, reason and text; what is odd goes into the quality report.

A file that cannot be used never stops the others. A row of a file that gives several rows of the store (a snapshot's
call and put) counts once: as stored if any of them is, then replaced, then unchanged; it is rejected whole.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.core.errors import AlgoError, DataError
from algomaster.core.render import html_table, text_table
from algomaster.market import facts
from algomaster.market.loaders import choose
from algomaster.market.loaders.parse import Parsed
from algomaster.market.loaders.source import Source
from algomaster.market.quality import Finding, Quality, of_judged, survey, tell
from algomaster.market.rules import judge
from algomaster.market.schemas import validate
from algomaster.market.store import REPLACED, STORED, UNCHANGED, Store

__all__ = ["FileReport", "ImportReport", "import_path"]

_DATA = {".csv", ".txt", ".parquet", ".json", ".gz", ".zip"}
_REJECTS = pl.Schema(
    {"file": pl.String(), "row": pl.Int64(), "kind": pl.String(), "reason": pl.String(), "raw": pl.String()}
)
_AROUND = timedelta(days=12)
_NO_ROWS: NDArray[np.int64] = np.empty(0, np.int64)
_COUNTS = ("rows_read", "rows_stored", "rows_unchanged", "rows_replaced", "rows_rejected")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileReport:
    """What became of one file.

    Attributes
    ----------
    path : str
    status : {"imported", "skipped", "failed"}
        Skipped files are no data (a README); failed ones could not be used.
    format : str
        The loader's name.
    datasets : tuple of str
        Where its rows went.
    rows_read, rows_stored, rows_unchanged, rows_replaced, rows_rejected : int
    reason : str
        Why it was skipped or failed.
    sha256 : str
    """

    path: str
    status: str
    format: str = ""
    datasets: tuple[str, ...] = ()
    rows_read: int = 0
    rows_stored: int = 0
    rows_unchanged: int = 0
    rows_replaced: int = 0
    rows_rejected: int = 0
    reason: str = ""
    sha256: str = ""


@dataclasses.dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    files : tuple of FileReport
    quality : Quality
    rejects_path : str or None
        The file of rejected rows (file, row, kind, reason, raw text), None without any.
    """

    files: tuple[FileReport, ...]
    quality: Quality
    rejects_path: str | None = None

    @property
    def rows_read(self) -> int:
        """Rows of all files; each is stored, unchanged, replaced or rejected."""
        return sum(file.rows_read for file in self.files)

    @property
    def rows_stored(self) -> int:
        """Rows that were new to the store."""
        return sum(file.rows_stored for file in self.files)

    @property
    def rows_unchanged(self) -> int:
        """Rows that the store held already, or that repeat another row."""
        return sum(file.rows_unchanged for file in self.files)

    @property
    def rows_replaced(self) -> int:
        """Rows that took the place of other values of their key."""
        return sum(file.rows_replaced for file in self.files)

    @property
    def rows_rejected(self) -> int:
        """Rows that cannot be used and lie in the rejects file."""
        return sum(file.rows_rejected for file in self.files)

    @property
    def clean(self) -> bool:
        """Whether no row was rejected and no file failed."""
        return not self.rows_rejected and all(file.status != "failed" for file in self.files)

    def to_frame(self) -> pl.DataFrame:
        """Give one row a file."""
        rows = [dataclasses.asdict(file) | {"datasets": ", ".join(file.datasets)} for file in self.files]
        return pl.DataFrame(rows, infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Give everything ready for JSON."""
        return {
            **{name: getattr(self, name) for name in _COUNTS},
            "rejects_path": self.rejects_path,
            "files": [dataclasses.asdict(file) | {"datasets": list(file.datasets)} for file in self.files],
            "quality": self.quality.to_dict(),
        }

    def _rows(self) -> list[tuple[str, str]]:
        rows = [(name.replace("_", " "), f"{getattr(self, name):,}") for name in _COUNTS]
        rows += [(file.status, f"{file.path}: {file.reason}") for file in self.files if file.status != "imported"]
        return rows + ([("rejects", self.rejects_path)] if self.rejects_path else [])

    def __repr__(self) -> str:
        title = f"Import of {sum(file.status == 'imported' for file in self.files)} files"
        return text_table(title, self._rows()) + f"\n{self.quality!r}"

    def _repr_html_(self) -> str:
        return html_table(f"Import of {len(self.files)} files", self._rows()) + self.quality._repr_html_()


def import_path(
    path: str | Path,
    *,
    home: str | Path | None = None,
    format: str = "auto",
    progress: Callable[[int, int, str], None] | None = None,
) -> ImportReport:
    """Import a file, or every file below a folder.

    Parameters
    ----------
    path : str or Path
    home : str, Path, optional
        Where the store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.
    format : str
        A loader's name, or "auto" to recognise each file by its content.
    progress : callable, optional
        Called as ``progress(done, all, name)`` before each file and once at the end.

    Raises
    ------
    DataError
        There is nothing at the path, or a single file given cannot be used, for whatever reason. (Inside a folder
        such files are told in the report and never stop the others.)
    CatalogueError
        There is no format of that name.
    """
    root = Path(path)
    if not root.exists():
        raise DataError(f"There is no file or folder {root}.", hint="Check the path.", path=str(root))
    paths = sorted(file for file in root.rglob("*") if file.is_file()) if root.is_dir() else [root]
    store = Store(home)
    files: list[FileReport] = []
    findings: list[Finding] = []
    rejects: list[pl.DataFrame] = []
    try:
        for place, file in enumerate(paths):
            if progress:
                progress(place, len(paths), file.name)
            outcome = _guarded(store, file, format, alone=not root.is_dir())
            files.append(outcome.report)
            findings += outcome.findings
            rejects.append(outcome.rejects)
        if progress:
            progress(len(paths), len(paths), "")
    finally:  # an import that is broken off leaves word of what it did
        kept = _keep_rejects(store, rejects)
        _keep_manifest(store, files)
    return ImportReport(tuple(files), Quality(tuple(findings)), kept)


@dataclasses.dataclass(frozen=True)
class _Outcome:
    report: FileReport
    findings: list[Finding] = dataclasses.field(default_factory=list)
    rejects: pl.DataFrame = dataclasses.field(default_factory=lambda: pl.DataFrame(schema=_REJECTS))


def _guarded(store: Store, path: Path, format: str, *, alone: bool) -> _Outcome:
    """Import one file; in a folder, tell instead of raising when it cannot be used."""
    if not alone and path.suffix.lower() not in _DATA:
        kinds = ", ".join(sorted(_DATA))
        return _Outcome(FileReport(path=str(path), status="skipped", reason=f"not a data file (those end in {kinds})"))
    try:
        return _import_file(store, path, format)
    except AlgoError as problem:
        if alone or not isinstance(problem, DataError):
            raise
        reason = str(problem)
    except Exception as problem:  # whatever one file brings about, the others are still to be imported
        said = f"{path} could not be imported: {type(problem).__name__}: {problem}."
        failure = DataError(said, hint="This is a defect of the reader or of the store: please report it.")
        if alone:
            raise failure from problem
        reason = str(failure)
    return _Outcome(FileReport(path=str(path), status="failed", reason=reason))


def _import_file(store: Store, path: Path, format: str) -> _Outcome:
    source = Source(path)
    loader = choose(source, format)
    try:
        parsed = loader.read(source)
    except pl.exceptions.PolarsError as problem:
        said = str(problem).splitlines()[0]
        raise DataError(f"{path}: a column is not as {loader.name} has it ({said}).", hint=loader.about) from None
    rejects, findings = [parsed.rejects], _findings_of_parsed(parsed, loader.datasets)
    unchanged = [_NO_ROWS]
    usable: list[tuple[str, pl.DataFrame]] = []
    for name, frame in parsed.frames:
        judged = judge(name, frame, _known_levels(store, name, frame))
        rejects.append(judged.rejects.select("_row", "kind", "reason"))
        unchanged.append(judged.repeats["_row"].to_numpy())
        findings += of_judged(name, judged)
        usable.append((name, judged.frame))
    rejected = pl.concat(rejects).unique("_row", keep="first").sort("_row")
    usable = [(name, frame.join(rejected, on="_row", how="anti", maintain_order="left")) for name, frame in usable]
    placed = [rejected["_row"].to_numpy(), *unchanged, *(frame["_row"].to_numpy() for _, frame in usable)]
    _none_lost(path, parsed.rows, placed)
    for name, frame in usable:
        validate(frame.drop("_row"), name)
        findings += _unknown_indices(name, frame)
        findings += survey(name, frame.drop("_row"))
    kept = _with_text(source, rejected)
    stored, replaced = [_NO_ROWS], [_NO_ROWS]
    for name, frame in usable:  # nothing is written before all there is to find fault with has been looked at
        written = store.write(name, frame.drop("_row"))
        rows = frame["_row"].to_numpy()
        for outcome, into in ((STORED, stored), (REPLACED, replaced), (UNCHANGED, unchanged)):
            into.append(rows[written.outcome == outcome])
    counts = _each_row_once(parsed.rows, [rejected["_row"].to_numpy()], stored, replaced, unchanged)
    report = FileReport(
        path=str(path), status="imported", format=loader.name, datasets=tuple(name for name, _ in parsed.frames),
        rows_read=counts[0], rows_stored=counts[1], rows_unchanged=counts[2], rows_replaced=counts[3],
        rows_rejected=counts[4], sha256=source.sha256,
    )  # fmt: skip
    return _Outcome(report, tell(findings, path.name), kept)


def _none_lost(path: Path, rows: int, placed: list[NDArray[np.int64]]) -> None:
    """Check that each row of the file has a place: a loader that loses one is broken and its file not to be used."""
    came_out = np.unique(np.concatenate(placed)).size
    if came_out != rows:
        raise RuntimeError(f"{path}: {rows} rows were read and {came_out} came out: the loader lost some")


def _each_row_once(rows: int, *ranked: list[NDArray[np.int64]]) -> tuple[int, ...]:
    """Count each row of the file under the first of (rejected, stored, replaced, unchanged) that holds it."""
    last = max((int(part.max()) for parts in ranked for part in parts if part.size), default=0)
    rank = np.zeros(last + 1, np.int64)
    for place in reversed(range(len(ranked))):
        for part in ranked[place]:
            rank[part] = place + 1
    rejected, stored, replaced, unchanged = (int(count) for count in np.bincount(rank, minlength=5)[1:])
    return rows, stored, unchanged, replaced, rejected


def _findings_of_parsed(parsed: Parsed, datasets: tuple[str, ...]) -> list[Finding]:
    name = datasets[0] if len(datasets) == 1 else ""
    counts = parsed.rejects.group_by("kind", maintain_order=True).agg(count=pl.len(), detail=pl.col("reason").first())
    found = [Finding(rejected=True, dataset=name, **row) for row in counts.iter_rows(named=True)]
    found += [Finding(kind="normalised", dataset=name, count=n, detail=what) for what, n in parsed.changed.items()]
    found += [Finding(kind=kind, dataset=name, count=n, detail=what) for kind, (n, what) in parsed.kept.items()]
    return found + [
        Finding(kind="zero_is_none", dataset=name, count=n, detail=what) for what, n in parsed.notes.items()
    ]


def _unknown_indices(name: str, frame: pl.DataFrame) -> list[Finding]:
    """Tell minutes of what is taken for an index by its letters, but is none on record (a contract cut short?)."""
    if name != "index_minute":
        return []
    strange = frame.filter(~pl.col("underlying").is_in(facts.underlyings()))
    counts = strange.group_by("underlying", maintain_order=True).agg(
        count=pl.len(), first=pl.col("session").min(), last=pl.col("session").max()
    )
    detail = f"stored as an index, but none of those on record ({', '.join(facts.underlyings())})"
    return [Finding(kind="unknown_index", dataset=name, detail=detail, **row) for row in counts.iter_rows(named=True)]


def _known_levels(store: Store, name: str, frame: pl.DataFrame) -> pl.DataFrame | None:
    """Give typical prices of the sessions the store holds just around a file's, to judge its scale by."""
    if name not in ("index_minute", "future_minute") or not frame.height:
        return None
    sessions: list[date] = frame["session"].unique().sort().to_list()
    near = [
        store.scan(name, underlying=underlying, start=sessions[0] - _AROUND, end=sessions[-1] + _AROUND)
        for underlying in frame["underlying"].unique().sort()
    ]
    levels = pl.concat(near).group_by("underlying", "session").agg(level=pl.col("close").median())
    return levels.filter(pl.col("level").is_not_null()).collect()


def _with_text(source: Source, rejected: pl.DataFrame) -> pl.DataFrame:
    if not rejected.height:
        return pl.DataFrame(schema=_REJECTS)
    full = rejected.join(source.originals(rejected["_row"]), on="_row", how="left", maintain_order="left")
    return full.select(pl.lit(source.path.name).alias("file"), row="_row", kind="kind", reason="reason", raw="raw")


def _keep_rejects(store: Store, rejects: list[pl.DataFrame]) -> str | None:
    """Write the rejects under the digest of their content, so that the same import again writes nothing new."""
    frame = pl.concat([part.cast(_REJECTS) for part in rejects]) if rejects else pl.DataFrame(schema=_REJECTS)
    if not frame.height:
        return None
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    name = f"rejects/{hashlib.sha256(buffer.getvalue()).hexdigest()[:20]}.parquet"
    if not store.home.exists(name):
        store.home.write(name, buffer.getvalue())
    return store.home.path(name)


def _keep_manifest(store: Store, files: list[FileReport]) -> None:
    """Write one line of JSON for each file that changed the store; importing the same again adds nothing."""
    told = [file for file in files if file.rows_stored or file.rows_replaced]
    if not told:
        return
    now = datetime.now(UTC)
    lines = [json.dumps({"time": now.isoformat(), **dataclasses.asdict(file)}) for file in told]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
    store.home.write(f"imports/{now:%Y%m%dT%H%M%S}-{digest}.jsonl", ("\n".join(lines) + "\n").encode())
