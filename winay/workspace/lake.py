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
from winay.workspace.ledger import STARTED, LakeFile, Ledger

ROWS_A_GROUP = 122_880  # DuckDB's own unit of work
LOG = "_delta_log"
CHECKPOINT_EVERY = 50  # versions; opening a table reads the small files since the last


class Lake:
    """The tables under one folder. `schemas`: table -> Arrow schema, declared by the room that knows the tables."""

    def __init__(self, path: Path, ledger: Ledger, schemas: Mapping[str, pa.Schema] | None = None) -> None:
        self.path = path
        self.ledger = ledger
        self._schemas: dict[str, pa.Schema] = dict(schemas or {})
        self._sound: set[tuple[Path, int]] = set()

    def declare(self, schemas: Mapping[str, pa.Schema]) -> None:
        """Add the schemas of canonical tables (a programme's attributes are columns)."""
        self._schemas.update(schemas)

    def schema(self, table: str) -> pa.Schema:
        """The columns of a table as declared."""
        if table not in self._schemas:
            raise WinayError(unknown_name(None, "table", table, self._schemas))
        return self._schemas[table]

    def append(self, table: str, rows: pa.Table | pa.RecordBatchReader, load: int, part: int = 0) -> None:
        """Put the rows of an open load on the disk; again with the same (load, table, part) does nothing.

        A missing column is null; an unknown one is a KeyError, a value that does not fit its type pyarrow's error.
        A reader is written as it comes, one batch in memory. The rows are read once the ledger finishes the load.
        """
        if isinstance(rows, pa.Table) and not rows.num_rows:
            return
        with self.ledger.lock(say("load {load}, table {table}", load=load, table=table)):
            known = {file.name for file in self.ledger.files(table)}
            name = f"{load:06d}-{part:04d}.parquet"
            if name in known:
                return
            begun = self.ledger.load(load)
            if begun is None or begun.state != STARTED:
                raise ValueError(f"load {load} is not open")
            with disk.writing(say("table {table}", table=table), self.path, getattr(rows, "nbytes", None)):
                self._drop_torn(table, known)
                if not self._in_log(table, name):
                    count = self._write(table, name, rows)
                    self._log(table, name, count)
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
        kinds = ibis.Schema.from_pyarrow(schema).items()
        return rows.select(
            [(rows[name] if name in rows.columns else ibis.null()).cast(kind).name(name) for name, kind in kinds]
        )

    def files(self, table: str, loads: Collection[int] | None = None) -> list[Path]:
        """The Parquet files of finished loads (or of `loads`), in order of load, each found to be as it was written (its
        bytes are read once a process). One that is missing or damaged is a problem, never a smaller answer."""
        chosen = self.ledger.finished() if loads is None else loads
        data = [file for file in self.ledger.files(table) if file.kind == "data"]
        wanted = [file for file in data if file.load in chosen]
        problems = [*self._unlogged(table, data), *(found for file in wanted if (found := self._damage(file)))]
        if problems:
            raise WinayError(problems)
        return [self.path / table / file.name for file in wanted]

    def unlogged(self) -> list[Problem]:
        """Acknowledged data files that their table's log does not name."""
        files = [file for file in self.ledger.files() if file.kind == "data"]
        tables = {table: [file for file in files if file.table == table] for table in {file.table for file in files}}
        return [problem for table, data in sorted(tables.items()) for problem in self._unlogged(table, data)]

    def verify(self, tables: Collection[str] | None = None) -> Iterator[Problem | None]:
        """Read every acknowledged file again, newest first: one item a file, None when it is as it was written."""
        for file in reversed(self.ledger.files()):
            if tables is None or file.table in tables:
                yield self._damage(file, again=True)

    def orphans(self) -> list[Path]:
        """Data files that neither ledger nor log names: left by a run that was killed, and never read."""
        known = {(file.table, file.name) for file in self.ledger.files()}
        strange = [path for path in self.path.glob("*/*.parquet") if (path.parent.name, path.name) not in known]
        return [path for path in strange if not self._in_log(path.parent.name, path.name)]

    def _delta(self, table: str, version: int | None = None) -> Any:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        folder = (self.path / table).absolute()
        try:
            return DeltaTable(folder.as_uri(), version=version)
        except DeltaError as error:
            hint = "run winay doctor: it names the load, the table and the file"
            facts = {"table": table, "why": str(error)}
            raise WinayError(
                Problem(At(str(folder)), "table {table} cannot be read: {why}", "", hint, facts)
            ) from error

    def _logged(self, table: str, version: int) -> set[str]:
        """The data files in the table's log at a version."""
        delta = self._delta(table, version)
        features = ", ".join(delta.protocol().reader_features or ())
        if features:  # deletion vectors: a list of files would bring deleted rows back
            found = "table {table} uses features that winay does not read: {features}"
            facts = {"table": table, "features": features}
            raise WinayError(Problem(At(str(self.path / table)), found, facts=facts))
        return {unquote(uri).rpartition("/")[2] for uri in delta.file_uris()}

    def _in_log(self, table: str, name: str) -> bool:
        """Was this part already committed by a run that died before the ledger heard of it?"""
        if not any((self.path / table / LOG).glob("*.json")):
            return False
        return self._delta(table).transaction_version(name) is not None

    def _write(self, table: str, name: str, rows: pa.Table | pa.RecordBatchReader) -> int:
        """The data file, synced with its folder; nothing when it fails. Returns its rows."""
        path, schema, count = self.path / table / name, self.schema(table), 0
        path.parent.mkdir(parents=True, exist_ok=True)
        batches = [rows] if isinstance(rows, pa.Table) else (pa.Table.from_batches([batch]) for batch in rows)
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

    def _log(self, table: str, name: str, rows: int) -> None:
        """Name the data file in the table's log, with the application transaction that says it is there."""
        from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
        from deltalake import Schema as DeltaSchema
        from deltalake.exceptions import DeltaError
        from deltalake.transaction import AddAction

        folder, schema = (self.path / table).absolute(), self.schema(table)
        try:
            if not any((folder / LOG).glob("*.json")):
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
            delta = self._delta(table)
            if delta.version() % CHECKPOINT_EVERY == 0:
                delta.create_checkpoint()
        except DeltaError as error:
            raise OSError(0, str(error)) from error

    def _acknowledge(self, table: str, load: int, part: int, name: str, known: Collection[str]) -> None:
        """Sync the log and its folders, then tell the ledger every file that is new."""
        folder, version = self.path / table, self._delta(table).version()
        (folder / LOG / "_last_checkpoint").unlink(missing_ok=True)  # a hint: the only file of a log that changes
        logs = sorted(f"{LOG}/{path.name}" for path in (folder / LOG).iterdir() if path.is_file())
        new = [log for log in logs if log not in known]
        for path in (*(folder / label for label in (*new, name)), folder / LOG, folder, self.path):
            disk.sync(path)
        rows = pq.read_metadata(folder / name).num_rows
        labels = [("data", name, rows), *(("log", log, 0) for log in new)]
        self.ledger.record(
            LakeFile(load, table, part, kind, label, count, version, path.stat().st_size, disk.digest(path))
            for kind, label, count in labels
            for path in [folder / label]
        )

    def _drop_torn(self, table: str, known: Collection[str]) -> None:
        """Remove what a loss of power left half-written in the log: unknown to the ledger, and not readable."""
        log = self.path / table / LOG
        for path in log.iterdir() if log.is_dir() else ():
            if path.is_file() and f"{LOG}/{path.name}" not in known and not _is_commit(path):
                path.unlink()

    def _unlogged(self, table: str, data: Collection[LakeFile]) -> Iterator[Problem]:
        """Those of the table's data files that its log, at the acknowledged version, does not name."""
        if data:
            logged = self._logged(table, max(file.version for file in data))
            yield from (self._problem(file, "is not in the table's log") for file in data if file.name not in logged)

    def _damage(self, file: LakeFile, again: bool = False) -> Problem | None:
        """What is wrong with a file. `again`: read it even if this process found it sound before."""
        path = self.path / file.table / file.name
        if not path.is_file():
            return self._problem(file, "is missing")
        if path.stat().st_size != file.size:
            return self._problem(file, "has another size than when it was written")
        as_it_is = (path, path.stat().st_mtime_ns)
        if again or as_it_is not in self._sound:
            if disk.digest(path) != file.sha256:
                return self._problem(file, "has other bytes than when it was written")
            self._sound.add(as_it_is)
        return None

    def _problem(self, file: LakeFile, what: str) -> Problem:
        load = self.ledger.load(file.load)
        facts = {"load": file.load, "delivery": load.name if load else "?", "table": file.table, "what": say(what)}
        found = "a file of load {load} ({delivery}), table {table}, {what}"
        hint = "bring the file back from a copy; until then nothing should be computed from this table"
        return Problem(At(str(self.path / file.table / file.name)), found, "", hint, facts)


def _fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with exactly the declared columns, in their order and types."""
    have = set(rows.column_names)
    if not have <= set(schema.names):
        raise KeyError(f"columns that the table does not have: {', '.join(sorted(have - set(schema.names)))}")
    kinds = zip(schema.names, schema.types, strict=True)
    columns = [rows[name].cast(kind) if name in have else pa.nulls(rows.num_rows, kind) for name, kind in kinds]
    return pa.table(columns, schema=schema)


def _is_commit(path: Path) -> bool:
    """Is this a whole commit of a Delta log? (A checkpoint only repeats commits, so it may go.)"""
    try:
        lines = path.read_text("utf-8").splitlines() if path.suffix == ".json" else []
        return bool(lines) and all(isinstance(json.loads(line), dict) for line in lines)
    except ValueError:
        return False
