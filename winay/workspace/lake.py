"""The lake: what sources delivered, in append-only Delta tables of which only finished loads are read.

deltalake syncs nothing to the disk, so the order is ours: data file written and synced, then named in the table's log,
then the log synced, then the ledger's line. What the ledger does not know does not exist.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from winay.core.problems import At, Problem, WinayError, unknown_name
from winay.core.text import say
from winay.workspace import disk, faults
from winay.workspace.ledger import LakeFile, Ledger

ROWS_A_GROUP = 122_880  # DuckDB's own unit of work
LOG = "_delta_log"
CHECKPOINT_EVERY = 50  # versions; between two, opening a table reads that many small files


class Lake:
    """The tables under one folder. `schemas`: table -> Arrow schema, declared by the room that knows the tables."""

    def __init__(self, path: Path, ledger: Ledger, schemas: Mapping[str, pa.Schema] | None = None) -> None:
        self.path = path
        self.ledger = ledger
        self._schemas: dict[str, pa.Schema] = dict(schemas or {})

    def declare(self, schemas: Mapping[str, pa.Schema]) -> None:
        """Add the schemas of canonical tables (a programme's attributes are columns)."""
        self._schemas.update(schemas)

    def tables(self) -> list[str]:
        """The declared tables."""
        return sorted(self._schemas)

    def schema(self, table: str) -> pa.Schema:
        """The columns of a table as declared."""
        if table not in self._schemas:
            raise WinayError(unknown_name(None, "table", table, self._schemas))
        return self._schemas[table]

    def append(self, table: str, rows: pa.Table | pa.RecordBatchReader, load: int, part: int = 0) -> None:
        """Put the rows of an open load on the disk; again with the same (load, table, part) does nothing.

        A missing column is null; an unknown one, or a value that does not fit its type, is an error (pyarrow's).
        A reader is written as it comes, one batch in memory. The rows are read once the ledger finishes the load.
        """
        if isinstance(rows, pa.Table) and not rows.num_rows:
            return
        with self.ledger.lock(say("load {load}, table {table}", load=load, table=table)):
            known = {file.name: file for file in self.ledger.files(table)}
            name = f"{load:06d}-{part:04d}.parquet"
            if name in known:
                return
            self._drop_torn(table, known)
            schema = self.schema(table)
            with disk.writing(say("table {table}", table=table), self.path, getattr(rows, "nbytes", None)):
                if not self._in_log(table, name):
                    count = self._write(self._folder(table) / name, schema, rows)
                    self._log(table, name, schema, count)
                faults.point("lake.append.sync")
                self._acknowledge(table, load, part, name, known)

    def read(self, con: Any, table: str, loads: Collection[int] | None = None) -> Any:
        """The rows of finished loads (or of `loads`) as an Ibis table on `con`; empty, with its columns, when none."""
        import ibis

        schema = self.schema(table)
        paths = self.files(table, loads)
        if not paths:
            return ibis.memtable(schema.empty_table())
        rows = con.read_parquet([disk.literal(path) for path in paths], union_by_name=True)
        wanted = ibis.Schema.from_pyarrow(schema)
        return rows.select(
            [
                (rows[name] if name in rows.columns else ibis.null()).cast(kind).name(name)
                for name, kind in wanted.items()
            ]
        )

    def files(self, table: str, loads: Collection[int] | None = None) -> list[Path]:
        """The Parquet files of finished loads (or of `loads`), in order of load: those of the table's log at its
        acknowledged version that the ledger knows. A file missing or cut short is a problem, never a smaller answer."""
        chosen = self.ledger.finished() if loads is None else loads
        data = [file for file in self.ledger.files(table) if file.kind == "data"]
        if not data:
            return []
        logged = self._logged(table, max(file.version for file in data))
        wanted = [file for file in data if file.load in chosen]
        problems = [self._problem(file, "is not in the table's log") for file in wanted if file.name not in logged]
        problems += [found for file in wanted for found in self._wrong_size(file)]
        if problems:
            raise WinayError(problems)
        return [self._folder(table) / file.name for file in wanted]

    def verify(self, tables: Collection[str] | None = None) -> Iterator[Problem | None]:
        """Read every acknowledged file again: one item a file, None when it is as it was written."""
        for file in self.ledger.files():
            if tables is None or file.table in tables:
                yield next(self._wrong_size(file), None) or self._wrong_bytes(file)

    def orphans(self) -> list[Path]:
        """Data files that no ledger line names: left by a run that was killed, and not read."""
        known = {(file.table, file.name) for file in self.ledger.files()}
        return [path for path in self.path.glob("*/*.parquet") if (path.parent.name, path.name) not in known]

    def _folder(self, table: str) -> Path:
        return self.path / table

    def _delta(self, table: str, version: int | None = None) -> Any:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        folder = self._folder(table).absolute()
        try:
            return DeltaTable(folder.as_uri(), version=version)
        except DeltaError as error:
            facts = {"table": table, "why": error}
            hint = "run winay doctor: it names the load, the table and the file"
            raise WinayError(
                Problem(At(str(folder)), "table {table} cannot be read: {why}", "", hint, facts)
            ) from error

    def _logged(self, table: str, version: int) -> set[str]:
        """The data files in the table's log at a version."""
        delta = self._delta(table, version)
        if delta.protocol().reader_features:
            facts = {"table": table, "features": ", ".join(delta.protocol().reader_features)}
            found = "table {table} uses features that winay does not read: {features}"
            raise WinayError(Problem(At(str(self._folder(table))), found, facts=facts))
        return {unquote(uri).rpartition("/")[2] for uri in delta.file_uris()}

    def _in_log(self, table: str, name: str) -> bool:
        """Was this part already committed by a run that died before the ledger heard of it?"""
        if not (self._folder(table) / LOG).is_dir():
            return False
        return self._delta(table).transaction_version(name) is not None

    def _write(self, path: Path, schema: pa.Schema, rows: pa.Table | pa.RecordBatchReader) -> int:
        """The data file, synced with its folder; nothing when it fails. Returns its rows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        batches = [rows] if isinstance(rows, pa.Table) else (pa.Table.from_batches([batch]) for batch in rows)
        count = 0
        try:
            with path.open("wb") as file:
                with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                    for batch in batches:
                        writer.write_table(_fitted(batch, schema), row_group_size=ROWS_A_GROUP)
                        count += batch.num_rows
                faults.point("lake.append.data")
            disk.sync(path)
            disk.sync(path.parent)
            faults.point("lake.append.log")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return count

    def _log(self, table: str, name: str, schema: pa.Schema, rows: int) -> None:
        """Name the data file in the table's log, with the application transaction that says it is there."""
        from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
        from deltalake import Schema as DeltaSchema
        from deltalake.exceptions import DeltaError
        from deltalake.transaction import AddAction

        folder = self._folder(table).absolute()
        try:
            if not (folder / LOG).is_dir():
                DeltaTable.create(folder.as_uri(), schema)
            delta = self._delta(table)
            have = {field.name for field in delta.schema().fields}
            new = [field for field in DeltaSchema.from_arrow(schema).fields if field.name not in have]
            if new:
                delta.alter.add_columns(new)
            size = (folder / name).stat().st_size
            delta.create_write_transaction(
                [AddAction(name, size, {}, 0, True, json.dumps({"numRecords": rows}))],
                mode="append",
                schema=delta.schema(),
                partition_by=[],
                commit_properties=CommitProperties(app_transactions=[Transaction(name, 1)]),
                post_commithook_properties=PostCommitHookProperties(False, False),
            )
            if delta.version() % CHECKPOINT_EVERY == 0:
                delta.create_checkpoint()
        except DeltaError as error:
            raise OSError(0, str(error)) from error

    def _acknowledge(self, table: str, load: int, part: int, name: str, known: Mapping[str, LakeFile]) -> None:
        """Sync the log and its folders, then tell the ledger what is new (a checkpoint's hint may change)."""
        folder, version = self._folder(table), self._delta(table).version()
        logs = sorted(path for path in (folder / LOG).iterdir() if path.is_file())
        new = [path for path in logs if f"{LOG}/{path.name}" not in known or path.name == "_last_checkpoint"]
        for path in (*new, folder / name, folder / LOG, folder, self.path):
            disk.sync(path)
        rows = pq.read_metadata(folder / name).num_rows
        files = [(folder / name, name, "data", rows), *((path, f"{LOG}/{path.name}", "log", 0) for path in new)]
        self.ledger.record(
            LakeFile(load, table, part, kind, label, count, version, path.stat().st_size, disk.digest(path))
            for path, label, kind, count in files
        )

    def _drop_torn(self, table: str, known: Mapping[str, LakeFile]) -> None:
        """Remove what a loss of power left half-written in the log: unknown to the ledger, and not readable."""
        log = self._folder(table) / LOG
        for path in log.iterdir() if log.is_dir() else ():
            file = known.get(f"{LOG}/{path.name}")
            if (file is None and not _is_log(path)) or (path.name == "_last_checkpoint" and file is None):
                path.unlink()

    def _wrong_size(self, file: LakeFile) -> Iterator[Problem]:
        path = self._folder(file.table) / file.name
        if not path.is_file():
            yield self._problem(file, "is missing")
        elif path.stat().st_size != file.size:
            yield self._problem(file, "has another size than when it was written")

    def _wrong_bytes(self, file: LakeFile) -> Problem | None:
        if disk.digest(self._folder(file.table) / file.name) == file.sha256:
            return None
        return self._problem(file, "has other bytes than when it was written")

    def _problem(self, file: LakeFile, what: str) -> Problem:
        load = self.ledger.load(file.load)
        facts = {"load": file.load, "delivery": load.name if load else "?", "table": file.table, "what": say(what)}
        found = "a file of load {load} ({delivery}), table {table}, {what}"
        hint = "bring the file back from a copy; until then nothing is computed from this table"
        return Problem(At(str(self._folder(file.table) / file.name)), found, "", hint, facts)


def _fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with exactly the declared columns, in their order and types."""
    unknown = set(rows.column_names) - set(schema.names)
    if unknown:
        raise KeyError(f"columns that the table does not have: {', '.join(sorted(unknown))}")
    have = set(rows.column_names)
    columns = [
        rows[field.name].cast(field.type) if field.name in have else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _is_log(path: Path) -> bool:
    """Is this a whole commit of a Delta log? (A checkpoint only repeats commits, so it may go.)"""
    if path.suffix != ".json":
        return False
    try:
        return all(isinstance(json.loads(line), dict) for line in path.read_text("utf-8").splitlines() or ["?"])
    except ValueError:
        return False
