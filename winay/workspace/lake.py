"""The lake: what sources delivered, in append-only Delta tables of which only finished loads are read.

deltalake syncs nothing to the disk, so the order is ours: data file written and synced, then named in the table's log,
then the log and the folders synced, then, with the whole load, the ledger's line. What the ledger does not know does
not exist: it is never read, and the next append to the table removes it.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from winay.core.problems import At, Problem, WinayError, unknown_name
from winay.core.text import say
from winay.workspace import disk
from winay.workspace.ledger import LakeFile, Ledger

ROWS_A_GROUP = 122_880  # DuckDB's own unit of work
SETTINGS = {"delta.checkpointInterval": "50", "delta.enableExpiredLogCleanup": "false"}


class Lake:
    """The tables under one folder. `schemas`: table -> Arrow schema, declared by the room that knows the tables."""

    def __init__(self, path: Path, ledger: Ledger, schemas: Mapping[str, pa.Schema] | None = None) -> None:
        self.path = path
        self.ledger = ledger
        self._schemas: dict[str, pa.Schema] = dict(schemas or {})

    def declare(self, schemas: Mapping[str, pa.Schema]) -> None:
        """Add the schemas of canonical tables (a programme's attributes are columns)."""
        self._schemas.update(schemas)

    def schema(self, table: str) -> pa.Schema:
        """The columns of a table as declared."""
        if table not in self._schemas:
            raise WinayError(unknown_name(None, "table", table, self._schemas))
        return self._schemas[table]

    def append(self, table: str, rows: pa.Table | pa.RecordBatchReader, load: int) -> None:
        """Put the rows of the open load on the disk; a second time, for the same load and table, does nothing.

        A missing column is null; an unknown one, or a value that does not fit its type, is pyarrow's error. A reader
        is written as it comes, one batch in memory. The rows are read once the ledger finishes the load.
        """
        folder, done = self.path / table, self.ledger.files(table)
        if load in {file.load for file in done}:
            return
        written, schema = self.ledger.written(load), self.schema(table)
        tables = _fitted(rows, schema)
        first = next(tables, None)
        if first is None or table in {file.table for file in written}:
            return
        with disk.writing(say("table {table}", table=table), self.path, getattr(rows, "nbytes", None)):
            known = {folder / file.name for file in done}
            for left_by_a_dead_run in _inside(folder) - known:
                left_by_a_dead_run.unlink()
            _write(folder / f"{load:06d}.parquet", chain([first], tables), schema)
            new = sorted(_inside(folder) - known)
            for path in (*new, *sorted({path.parent for path in new}), self.path):
                disk.sync(path)
            for path in new:
                name = path.relative_to(folder).as_posix()
                written.append(LakeFile(load=load, table=table, name=name, sha256=disk.digest(path)))

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
        data = [file for file in self.ledger.files(table) if file.is_data and (loads is None or file.load in loads)]
        if problems := [problem for file in data if (problem := self._damage(file))]:
            raise WinayError(problems)
        return [self._place(file) for file in data]

    def verify(self) -> Iterator[Problem | None]:
        """Read every file again, newest first: one item a file, None when it is as it was written."""
        _digest.cache_clear()
        return map(self._damage, reversed(self.ledger.files()))

    def orphans(self) -> list[Path]:
        """Files that the ledger does not know: left by a run that was killed. A problem while another run is writing."""
        with self.ledger.lock("doctor", wait=0):
            return sorted(_inside(self.path) - {self._place(file) for file in self.ledger.files()})

    def _place(self, file: LakeFile) -> Path:
        return self.path / file.table / file.name

    def _damage(self, file: LakeFile) -> Problem | None:
        """What is wrong with a file, if anything is."""
        path, what = self._place(file), "is missing"
        if path.is_file():
            if _digest(path, path.stat().st_mtime_ns, path.stat().st_size) == file.sha256:
                return None
            what = "has other bytes than when it was written"
        load = self.ledger.load(file.load)
        facts = {"load": file.load, "delivery": load.name if load else "?", "table": file.table, "what": say(what)}
        found = "a file of load {load} ({delivery}), table {table}, {what}"
        hint = "bring the file back from a copy; until then nothing should be computed from this table"
        return Problem(At(str(path)), found, "", hint, facts)


def _fitted(rows: pa.Table | pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows, lent the columns they lack; one too many, or a value of another type, does not cast."""
    for batch in rows.to_batches() if isinstance(rows, pa.Table) else rows:
        if batch.num_rows:
            some = [schema.empty_table(), pa.Table.from_batches([batch])]
            yield pa.concat_tables(some, promote_options="permissive").cast(schema)


def _write(path: Path, rows: Iterable[pa.Table], schema: pa.Schema) -> None:
    """One more data file, whole and on the disk, and then named in the table's log."""
    from deltalake import DeltaTable, Schema
    from deltalake.exceptions import DeltaError
    from deltalake.transaction import AddAction, create_table_with_add_actions

    count, log = 0, path.parent / "_delta_log"
    with disk.staged(path) as draft, pq.ParquetWriter(draft, schema, compression="zstd") as writer:
        for table in rows:
            writer.write_table(table, row_group_size=ROWS_A_GROUP)
            count += table.num_rows
    uri, fields = path.parent.as_uri(), Schema.from_arrow(schema)
    add = [AddAction(path.name, path.stat().st_size, {}, 0, True, json.dumps({"numRecords": count}))]
    try:
        if not any(log.glob("*")):
            create_table_with_add_actions(uri, fields, add, "error", [], configuration=SETTINGS)
            return
        delta = DeltaTable(uri)
        have = {field.name for field in delta.schema().fields}
        if new := [field for field in fields.fields if field.name not in have]:
            delta.alter.add_columns(new)
        delta.create_write_transaction([*add], "append", delta.schema(), [])
    except DeltaError as error:
        raise OSError(0, str(error)) from error
    (log / "_last_checkpoint").unlink(missing_ok=True)  # a hint: the only file of a log that changes


def _inside(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@cache
def _digest(path: Path, written: int, size: int) -> str:
    """Of the file as it was last written, then and so long."""
    return disk.digest(path)
