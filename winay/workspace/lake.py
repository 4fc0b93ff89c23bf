"""The lake: what sources delivered, in append-only Delta tables of which only finished loads are read.

deltalake syncs nothing to the disk, so the order is ours: data file written and synced, then named in the table's log,
then the log synced, then, with the whole load, the ledger's lines. What the ledger does not know does not exist: in a
folder of data it is never read, and in a log, where it would stand in the way, the next append removes it.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from winay.core.problems import At, Problem, WinayError, unknown_name
from winay.core.text import say
from winay.workspace import disk, faults
from winay.workspace.ledger import LakeFile, Ledger

ROWS_A_GROUP = 122_880  # DuckDB's own unit of work
LOG = "_delta_log"
SETTINGS = {"delta.checkpointInterval": "50", "delta.enableExpiredLogCleanup": "false"}


class Lake:
    """The tables under one folder. `schemas`: table -> Arrow schema, declared by the room that knows the tables."""

    def __init__(self, path: Path, ledger: Ledger, schemas: Mapping[str, pa.Schema] | None = None) -> None:
        self.path = path
        self.ledger = ledger
        self._schemas: dict[str, pa.Schema] = dict(schemas or {})
        self._tables: dict[Path, Any] = {}
        self._sound: set[tuple[Path, int, int]] = set()

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
        folder, name = self.path / table, f"{load:06d}.parquet"
        done = {file.name for file in self.ledger.files(table)}
        if name in done:
            return
        written = self.ledger.written(load)
        if any((file.table, file.name) == (table, name) for file in written):
            return
        with disk.writing(say("table {table}", table=table), self.path, getattr(rows, "nbytes", None)):
            for path in folder.glob(f"{LOG}/*"):
                if f"{LOG}/{path.name}" not in done:
                    path.unlink()
                    self._tables.pop(folder, None)
            count = _write(folder / name, rows, self.schema(table))
            if count:
                faults.point("lake.append.log")
                self._commit(folder, name, count, self.schema(table))
                faults.point("lake.append.sync")
                logs = {f"{LOG}/{path.name}" for path in (folder / LOG).iterdir()} - done
                new = () if done else (folder, self.path)
                for path in (*(folder / log for log in sorted(logs)), folder / LOG, *new):
                    disk.sync(path)
                kinds = {name: "data", **dict.fromkeys(sorted(logs), "log")}
                written += [LakeFile(load, table, x, kind, disk.digest(folder / x)) for x, kind in kinds.items()]

    def read(self, con: Any, table: str, loads: Collection[int] | None = None) -> Any:
        """The rows of finished loads (or of `loads`) as an Ibis table on `con`; empty, with its columns, when none."""
        import ibis

        schema = self.schema(table)
        paths = self.files(table, loads)
        if not paths:
            return ibis.memtable(schema.empty_table())
        differ = len({_columns(path, path.stat().st_mtime_ns) for path in paths}) > 1  # else DuckDB looks into each
        rows = con.read_parquet([disk.literal(path) for path in paths], union_by_name=differ)
        kinds = ibis.Schema.from_pyarrow(schema).items()
        return rows.select(
            [(rows[name] if name in rows.columns else ibis.null()).cast(kind).name(name) for name, kind in kinds]
        )

    def files(self, table: str, loads: Collection[int] | None = None) -> list[Path]:
        """The Parquet files of finished loads (or of `loads`), in order of load, each found to be as it was written (its
        bytes are read once a process). One that is missing or damaged is a problem, never a smaller answer."""
        data = [file for file in self.ledger.files(table) if file.kind == "data"]
        wanted = [file for file in data if loads is None or file.load in loads]
        problems = [problem for file in wanted if (problem := self._damage(file))]
        if problems:
            raise WinayError(problems)
        return [self._place(file) for file in wanted]

    def verify(self) -> Iterator[Problem | None]:
        """Read every file again, newest first: one item a file, None when it is as it was written."""
        self._sound.clear()
        return map(self._damage, reversed(self.ledger.files()))

    def orphans(self) -> list[Path]:
        """Files that the ledger does not know: left by a run that was killed. A problem while another run is writing."""
        with self.ledger.lock("doctor", wait=0):
            known = {self._place(file) for file in self.ledger.files()}
            files = (path for path in self.path.rglob("[!.]*") if path.is_file())
            return sorted(path for path in files if path not in known)

    def _commit(self, folder: Path, name: str, rows: int, schema: pa.Schema) -> None:
        """Name the data file in the table's log."""
        from deltalake import DeltaTable, Schema
        from deltalake.exceptions import DeltaError
        from deltalake.transaction import AddAction, create_table_with_add_actions

        uri, fields = folder.absolute().as_uri(), Schema.from_arrow(schema)
        add = [AddAction(name, (folder / name).stat().st_size, {}, 0, True, json.dumps({"numRecords": rows}))]
        delta = self._tables.pop(folder, None)  # put back when all went well
        try:
            if not any(folder.glob(f"{LOG}/*")):
                create_table_with_add_actions(uri, fields, add, "error", [], configuration=SETTINGS)
                return
            delta = delta or DeltaTable(uri)
            delta.update_incremental()
            have = {field.name for field in delta.schema().fields}
            new = [field for field in fields.fields if field.name not in have]
            if new:
                delta.alter.add_columns(new)
            delta.create_write_transaction([*add], "append", delta.schema(), [])
            (folder / LOG / "_last_checkpoint").unlink(missing_ok=True)  # a hint: the only file of a log that changes
            self._tables[folder] = delta
        except DeltaError as error:
            raise OSError(0, str(error)) from error

    def _place(self, file: LakeFile) -> Path:
        return self.path / file.table / file.name

    def _damage(self, file: LakeFile) -> Problem | None:
        """What is wrong with a file, if anything is."""
        path, what = self._place(file), "is missing"
        if path.is_file():
            as_it_is = (path, path.stat().st_mtime_ns, path.stat().st_size)
            if as_it_is in self._sound:
                return None
            if disk.digest(path) == file.sha256:
                self._sound.add(as_it_is)
                return None
            what = "has other bytes than when it was written"
        load = self.ledger.load(file.load)
        facts = {"load": file.load, "delivery": load.name if load else "?", "table": file.table, "what": say(what)}
        found = "a file of load {load} ({delivery}), table {table}, {what}"
        hint = "bring the file back from a copy; until then nothing should be computed from this table"
        return Problem(At(str(path)), found, "", hint, facts)


def _write(path: Path, rows: pa.Table | pa.RecordBatchReader, schema: pa.Schema) -> int:
    """The data file, whole and on the disk; no file for no rows. Returns how many."""
    tables = iter([rows]) if isinstance(rows, pa.Table) else (pa.Table.from_batches([batch]) for batch in rows)
    some = (table for table in tables if table.num_rows)
    first, count = next(some, None), 0
    if first is not None:
        with disk.staged(path) as draft, pq.ParquetWriter(draft, schema, compression="zstd") as writer:
            for table in chain([first], some):
                if table.schema != schema:  # lent the columns it lacks; one it has too many does not cast
                    table = pa.concat_tables([schema.empty_table(), table], promote_options="permissive").cast(schema)
                writer.write_table(table, row_group_size=ROWS_A_GROUP)
                count += table.num_rows
            faults.point("lake.append.data")
    return count


@cache
def _columns(path: Path, written: int) -> str:
    """Names and types of a data file as it was written then."""
    return str(pq.read_schema(path).remove_metadata())
