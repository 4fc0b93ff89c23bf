"""The load ledger: which deliveries are done, in which files of the lake, and what was refused.

One SQLite file, `synchronous=FULL`, no Django. A load is *done* when its line here says so and not before. Every row
carries a mark (a digest of its values), so that a damaged byte is found and not believed.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from winay.core.problems import At, Problem, WinayError
from winay.core.text import say
from winay.workspace import disk, faults

STARTED, DONE, ABANDONED = "started", "done", "abandoned"
_SCHEMA = """
create table if not exists loads (id integer primary key autoincrement, source text, name text, sha256 text,
    size integer, known text, mode text, replaces text, programme text, state text, started text, finished text,
    counts text, mark text);
create table if not exists files (load integer, lake_table text, part integer, kind text, name text, rows integer,
    version integer, size integer, sha256 text, mark text, primary key (lake_table, name));
create table if not exists refused (id integer primary key autoincrement, load integer, file text, line integer,
    field text, reason text, expected text, sealed blob, accepted_by integer, mark text);
create table if not exists officials (period text, snapshot text, since text, mark text);
create index if not exists refused_load on refused (load);
"""


@dataclass(frozen=True)
class Load:
    """One delivery. `known`: the day it was delivered; `counts`: accepted, refused, duplicate, created, …"""

    id: int
    source: str
    name: str
    sha256: str
    size: int
    known: date
    mode: str
    replaces: str
    programme: str
    state: str
    started: str
    finished: str
    counts: Mapping[str, int] = field(default_factory=dict)
    resumed: bool = False


@dataclass(frozen=True)
class LakeFile:
    """A file of the lake as it was when it was acknowledged. `kind`: data or log; `version`: of the table after it."""

    load: int
    table: str
    part: int
    kind: str
    name: str
    rows: int
    version: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Refused:
    """A refused record: where it starts (physical line), why, and, for whoever may see it, what it said."""

    file: str
    line: int
    column: str
    reason: str
    expected: str
    found: str = ""
    raw: str = ""
    load: int = 0
    id: int = 0


class Ledger:
    """The ledger of one workspace. Every method opens the file for itself: threads may share a Ledger."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(str(path.with_name(".lock")))
        self._holder = path.with_name(".lock.holder")

    def create(self) -> None:
        """Make the tables (an existing ledger is left as it is)."""
        with disk.writing(say("the ledger"), self.path), self._db("rwc") as db:
            db.executescript(_SCHEMA)
        disk.sync(self.path.parent)

    @contextmanager
    def lock(self, doing: str, wait: float = 600, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
        """One writer a workspace. Waits `wait` seconds, telling `waiting` who writes; then refuses, saying so."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            if wait and waiting:
                waiting(say("waiting: {holder}", holder=self.holder()))
            try:
                self._lock.acquire(timeout=wait)
            except Timeout as error:
                problem = Problem(
                    At(str(self.path.parent)),
                    "another run is writing in this workspace ({holder}); waited {wait:.0f} s",
                    hint="wait until it ends and run the same command again; nothing was changed",
                    facts={"holder": self.holder(), "wait": wait},
                )
                raise WinayError(problem) from error
        try:
            if self._lock.lock_counter == 1:
                self._holder.write_text(f"{os.getpid()} {doing}", "utf-8")
            yield
        finally:
            self._lock.release()

    def holder(self) -> str:
        """Who has, or last had, the lock: process and what it does."""
        try:
            process, _, doing = self._holder.read_text("utf-8").partition(" ")
        except OSError:
            return say("unknown")
        return say("process {process}: {doing}", process=process, doing=doing)

    def begin(
        self,
        source: str,
        name: str,
        sha256: str,
        size: int,
        known: date,
        mode: str = "delivered",
        *,
        replaces: str = "",
        programme: str = "",
    ) -> Load:
        """Open a load. The same delivery left unfinished is taken up again under its number (`resumed`), so that
        what it had written is not written twice; unfinished with other terms, it is abandoned and never read."""
        name = os.fsencode(name).decode("utf-8", "replace")
        terms = (known, mode, replaces, programme)
        with self.lock("begin"), self._writing() as db:
            for load in self._loads(db, "state = ? and source = ? and sha256 = ?", STARTED, source, sha256):
                if (load.known, load.mode, load.replaces, load.programme) == terms:
                    db.execute("delete from refused where load = ?", (load.id,))
                    return Load(**{**vars(load), "resumed": True})
                self._update(db, load, state=ABANDONED)
            row = dict(source=source, name=name, sha256=sha256, size=size, known=known.isoformat(), mode=mode)
            row |= dict(replaces=replaces, programme=programme, state=STARTED, started=_now(), finished="", counts="{}")
            row["id"] = _next(db, "loads")
            _insert(db, "loads", row)
            faults.point("ledger.begin")
            return _load(row)

    def finish(self, load: int, counts: Mapping[str, int], corrected: Collection[int] = ()) -> Load:
        """Done: from this commit on the load's rows are read. `corrected`: refused rows that this load accepted.

        ValueError when `records` is counted and accepted + refused + duplicate do not add up to it.
        """
        if "records" in counts and counts["records"] != sum(
            counts.get(k, 0) for k in ("accepted", "refused", "duplicate")
        ):
            raise ValueError(f"the counts of load {load} do not add up: {dict(counts)}")
        with self.lock("finish"), self._writing() as db:
            (found,) = self._loads(db, "id = ?", load)
            for row in corrected:
                self._accepted(db, row, load)
            done = self._update(db, found, state=DONE, finished=_now(), counts=json.dumps(dict(sorted(counts.items()))))
            faults.point("ledger.finish")
            return done

    def find(self, sha256: str, source: str | None = None) -> Load | None:
        """The finished load of these bytes, if there is one."""
        with self._db() as db:
            loads = self._loads(db, "state = ? and sha256 = ? and source = coalesce(?, source)", DONE, sha256, source)
        return next(iter(loads), None)

    def loads(self, state: str | None = DONE) -> list[Load]:
        """The loads in this state (None: all), oldest first."""
        with self._db() as db:
            return self._loads(db, "state = coalesce(?, state)", state)

    def load(self, number: int) -> Load | None:
        """The load of this number."""
        with self._db() as db:
            return next(iter(self._loads(db, "id = ?", number)), None)

    def finished(self) -> frozenset[int]:
        """The numbers of the loads that are done."""
        return frozenset(load.id for load in self.loads())

    def digest(self, loads: Collection[int] | None = None) -> str:
        """What was delivered, as one SHA-256: equal for equal deliveries, whatever the order of the loads."""
        chosen = [load for load in self.loads() if loads is None or load.id in loads]
        lines = sorted(f"{x.source} {x.sha256} {x.known} {x.mode} {x.replaces}\n" for x in chosen)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def record(self, files: Iterable[LakeFile]) -> None:
        """Acknowledge files of the lake; the caller has synced them. `_last_checkpoint` is the one that may change."""
        with self._writing() as db:
            for file in files:
                row = {"lake_table" if key == "table" else key: value for key, value in vars(file).items()}
                _insert(db, "files", row, "insert or replace")
            faults.point("ledger.append")

    def files(self, table: str | None = None) -> list[LakeFile]:
        """The acknowledged files of the lake (of one table), in order of load and name."""
        sql = "select * from files where lake_table = coalesce(?, lake_table) order by load, part, name"
        with self._db() as db:
            rows = [dict(row) for row in db.execute(sql, (table,))]
        return [LakeFile(table=_sound(self.path, "files", row).pop("lake_table"), **_bare(row)) for row in rows]

    def refuse(self, load: int, rows: Iterable[Refused], seal: Callable[[bytes], bytes]) -> int:
        """Keep refused records of a load, what they said sealed (`vault.seal`). Returns how many."""
        with self._writing() as db:
            number = first = _next(db, "refused")
            for row in rows:
                sealed = seal(json.dumps([row.found, row.raw]).encode())
                values = dict(id=number, load=load, file=row.file, line=row.line, field=row.column, reason=row.reason)
                _insert(db, "refused", values | dict(expected=row.expected, sealed=sealed, accepted_by=None))
                number += 1
            faults.point("ledger.refuse")
        return number - first

    def refused(
        self,
        *,
        load: int | None = None,
        source: str | None = None,
        unseal: Callable[[bytes], bytes] | None = None,
        also_accepted: bool = False,
    ) -> Iterator[Refused]:
        """The refused records of finished loads that no later load accepted; `found` and `raw` only with `unseal`."""
        sql = """select refused.* from refused join loads on loads.id = load where state = 'done'
            and load = coalesce(?, load) and source = coalesce(?, source) and (accepted_by is null or ?)
            order by load, file, line, refused.id"""
        with self._db() as db:
            for row in map(dict, db.execute(sql, (load, source, also_accepted))):
                _sound(self.path, "refused", row)
                found, raw = json.loads(unseal(row["sealed"])) if unseal else ("", "")
                at = (row["file"], row["line"], row["field"], row["reason"], row["expected"])
                yield Refused(*at, found, raw, row["load"], row["id"])

    def problems(self) -> list[Problem]:
        """What SQLite and the rows' marks say of the file: empty when all is sound."""
        try:
            with self._db() as db:
                told = [row[0] for row in db.execute("pragma integrity_check") if row[0] != "ok"]
                for table in ("loads", "files", "refused", "officials"):
                    for row in map(dict, db.execute(f"select * from {table}")):
                        _sound(self.path, table, row)
        except WinayError as error:
            return error.problems
        return [Problem(At(str(self.path)), "the ledger is damaged: {what}", facts={"what": what}) for what in told]

    def official(self, period: str, snapshot: str) -> None:
        """Remember that this snapshot is the official one of a period (the last one said counts)."""
        with self.lock("official"), self._writing() as db:
            _insert(db, "officials", dict(period=period, snapshot=snapshot, since=_now()))

    def officials(self) -> list[tuple[str, str]]:
        """(period, snapshot) in the order in which they were made official."""
        with self._db() as db:
            rows = [
                _sound(self.path, "officials", dict(row))
                for row in db.execute("select * from officials order by rowid")
            ]
        return [(row["period"], row["snapshot"]) for row in rows]

    @contextmanager
    def _db(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        try:
            db = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=60)
            try:
                db.row_factory = sqlite3.Row
                db.execute("pragma synchronous = full")
                yield db
            finally:
                db.close()
        except sqlite3.DatabaseError as error:
            hint = "run winay doctor; nothing was changed"
            raise WinayError(Problem(At(str(self.path)), "the ledger: {what}", "", hint, {"what": error})) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing, on the disk at the end."""
        with disk.writing(say("the ledger"), self.path), self._db() as db, db:
            yield db

    def _loads(self, db: sqlite3.Connection, where: str, *values: object) -> list[Load]:
        rows = map(dict, db.execute(f"select * from loads where {where} order by id", values))
        return [_load(_sound(self.path, "loads", row)) for row in rows]

    def _update(self, db: sqlite3.Connection, load: Load, **changes: object) -> Load:
        (row,) = map(dict, db.execute("select * from loads where id = ?", (load.id,)))
        row = _bare(row) | changes
        _insert(db, "loads", row, "insert or replace")
        return _load(row)

    def _accepted(self, db: sqlite3.Connection, number: int, load: int) -> None:
        row = dict(db.execute("select * from refused where id = ?", (number,)).fetchone())
        _insert(db, "refused", _bare(row) | {"accepted_by": load}, "insert or replace")


def _insert(db: sqlite3.Connection, table: str, row: Mapping[str, object], verb: str = "insert") -> None:
    marked = {**row, "mark": _mark(row)}
    holes = ", ".join("?" * len(marked))
    db.execute(f"{verb} into {table} ({', '.join(marked)}) values ({holes})", tuple(marked.values()))


def _next(db: sqlite3.Connection, table: str) -> int:
    """The next number of a table whose numbers are never given twice."""
    last = db.execute("select max(seq) from sqlite_sequence where name = ?", (table,)).fetchone()[0]
    return int(last or 0) + 1


def _mark(row: Mapping[str, object]) -> str:
    return hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()[:16]


def _bare(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "mark"}


def _sound(path: Path, table: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row, or a problem that names it when its mark does not fit its values."""
    if _mark(_bare(row)) == row["mark"]:
        return row
    facts = {
        "table": table,
        "row": row.get("id") or row.get("name") or row.get("period"),
        "load": row.get("load", row.get("id")),
    }
    raise WinayError(
        Problem(At(str(path)), "the ledger is damaged: table {table}, row {row} (load {load})", facts=facts)
    )


def _load(row: Mapping[str, Any]) -> Load:
    values = {key: value for key, value in row.items() if key != "mark"}
    return Load(**values | {"known": date.fromisoformat(row["known"]), "counts": json.loads(row["counts"])})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
