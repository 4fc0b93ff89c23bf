"""The load ledger: which deliveries are done, in which files of the lake, and what was refused.

One SQLite file, no Django. A load is *done* when its line here says so and not before; one commit says it together with
all its files. What the ledger does not know does not exist.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from winay.core.problems import At, Problem, WinayError
from winay.core.text import say
from winay.workspace import disk, faults
from winay.workspace.sqlite import Database, Row, put

STARTED, DONE = "started", "done"
_SCHEMA = """
create table if not exists loads (id integer primary key autoincrement, source text, name text, sha256 text,
    size integer, known text, mode text, replaces text, programme text, state text, started text, finished text,
    counts text, mark text);
create table if not exists files (load integer, "table" text, name text, kind text, sha256 text, mark text,
    primary key ("table", name));
create table if not exists refused (id integer primary key autoincrement, load integer, file text, line integer,
    "column" text, reason text, expected text, sealed blob, accepted_by integer, mark text);
create table if not exists officials (period text, snapshot text, since text, mark text);
"""


@dataclass(frozen=True)
class Load:
    """One delivery. `known`: the day it was delivered; `counts`: records, accepted, refused, duplicate, created, …"""

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


@dataclass(frozen=True)
class LakeFile:
    """A file of the lake as it was when its load was done. `kind`: data or log."""

    load: int
    table: str
    name: str
    kind: str
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
    """The ledger of one workspace. One load at a time is written: hold the `lock` from `begin` to `finish`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = Database(path, "the ledger")
        self._lock = FileLock(str(path.with_name(".lock")))
        self._holder = path.with_name(".lock.holder")
        self._open: tuple[int, list[LakeFile]] = (0, [])

    def create(self) -> None:
        """Make the tables (an existing ledger is left as it is)."""
        self._file.create(_SCHEMA)

    @contextmanager
    def lock(self, doing: str, wait: float = 600) -> Iterator[None]:
        """One writer a workspace. Waits `wait` seconds for another to end; then refuses, saying who it is."""
        with disk.writing(say("the lock of the workspace"), self.path):
            try:
                self._lock.acquire(timeout=wait)
            except Timeout as error:
                found = "another run is writing in this workspace ({holder}); waited {wait:.0f} s"
                hint = "wait until it ends and run the same command again; nothing was changed"
                facts = {"holder": self._holder.read_text("utf-8") if self._holder.exists() else "?", "wait": wait}
                raise WinayError(Problem(At(str(self.path.parent)), found, "", hint, facts)) from error
        try:
            if self._lock.lock_counter == 1:
                with suppress(OSError):  # only to be told to others
                    self._holder.write_text(f"{os.getpid()}: {doing}", "utf-8")
            yield
        finally:
            self._lock.release()

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
        """Open a load. The same delivery left unfinished by a run that died is forgotten and begun anew."""
        name = os.fsencode(name).decode("utf-8", "replace")
        with self.lock("begin"), self._file.writing() as db:
            dead = "delete from loads where state = ? and source = ? and sha256 = ?"
            db.execute(dead, (STARTED, source, sha256))
            db.execute("delete from refused where load not in (select id from loads)")
            terms = (size, known, mode, replaces, programme)
            load = Load(_next(db, "loads"), source, name, sha256, *terms, STARTED, _now(), "")
            put(db, "loads", [_row(load)])
            faults.point("ledger.begin")
        self._open = (load.id, [])
        return load

    def written(self, load: int) -> list[LakeFile]:
        """The files written so far for the open load, to add to. ValueError for any other, or without the lock."""
        if load != self._open[0] or not self._lock.is_locked:
            raise ValueError(f"load {load} is not open")
        return self._open[1]

    def finish(self, load: int, counts: Mapping[str, int], corrected: Collection[int] = ()) -> Load:
        """Done: from this commit on the load's rows are read. `corrected`: refused rows that this load accepted.

        ValueError when `records` is counted and accepted + refused + duplicate do not add up to it.
        """
        total = sum(counts.get(name, 0) for name in ("accepted", "refused", "duplicate"))
        if counts.get("records", total) != total:
            raise ValueError(f"the counts of load {load} do not add up: {dict(counts)}")
        with self.lock("finish"), self._file.writing() as db:
            files = self.written(load)
            begun = next(x for x in self._loads(db) if x.id == load)
            done = replace(begun, state=DONE, finished=_now(), counts=dict(sorted(counts.items())))
            for number in corrected:
                found = list(self._file.rows(db, "select * from refused where id = ?", number))
                put(db, "refused", ((*row[:-1], load) for row in found))
            put(db, "files", map(astuple, files))
            put(db, "loads", [_row(done)])
            faults.point("ledger.finish")
        self._open = (0, [])
        return done

    def find(self, sha256: str, source: str | None = None) -> Load | None:
        """The finished load of these bytes, if there is one."""
        fits = (load for load in self.loads() if load.sha256 == sha256 and source in (None, load.source))
        return next(fits, None)

    def loads(self, state: str | None = DONE) -> list[Load]:
        """The loads in this state (None: all), oldest first."""
        with self._file.open() as db:
            return [load for load in self._loads(db) if state in (None, load.state)]

    def load(self, number: int) -> Load | None:
        """The load of this number."""
        return next((load for load in self.loads(None) if load.id == number), None)

    def finished(self) -> frozenset[int]:
        """The numbers of the loads that are done."""
        return frozenset(load.id for load in self.loads())

    def digest(self, loads: Collection[int] | None = None) -> str:
        """What was delivered, as one SHA-256: equal for equal deliveries, whatever the order of the loads."""
        chosen = [load for load in self.loads() if loads is None or load.id in loads]
        lines = sorted(f"{x.source} {x.sha256} {x.known} {x.mode} {x.replaces}\n" for x in chosen)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def files(self, table: str | None = None) -> list[LakeFile]:
        """The files of finished loads in the lake (of one table), in order of load and name."""
        sql = 'select * from files where "table" = coalesce(?, "table") order by load, name'
        with self._file.open() as db:
            return [LakeFile(*row) for row in self._file.rows(db, sql, table)]

    def refuse(self, load: int, rows: Iterable[Refused], seal: Callable[[bytes], bytes]) -> None:
        """Keep refused records of a load, what they said sealed (`vault.seal`)."""

        def row(number: int, x: Refused) -> Row:
            said = seal(json.dumps([x.found, x.raw]).encode())
            return number, load, x.file, x.line, x.column, x.reason, x.expected, said, None

        with self._file.writing() as db:
            put(db, "refused", map(row, count(_next(db, "refused")), rows))
            faults.point("ledger.refuse")

    def refused(
        self, *, load: int | None = None, source: str | None = None, unseal: Callable[[bytes], bytes] | None = None
    ) -> Iterator[Refused]:
        """The refused records of finished loads that no later load accepted; `found` and `raw` only with `unseal`."""
        sql = """select refused.* from refused join loads on loads.id = load
            where state = 'done' and accepted_by is null and load = coalesce(?, load) and source = coalesce(?, source)
            order by load, file, line, refused.id"""
        with self._file.open() as db:
            rows = list(self._file.rows(db, sql, load, source))  # so that whoever goes through them may write here
        for number, of, file, line, column, reason, expected, sealed, _ in rows:
            found, raw = json.loads(unseal(sealed)) if unseal else ("", "")
            yield Refused(file, line, column, reason, expected, found, raw, of, number)

    def official(self, period: str, snapshot: str) -> None:
        """Remember that this snapshot is the official one of a period (the last one said counts)."""
        with self.lock("official"), self._file.writing() as db:
            put(db, "officials", [(period, snapshot, _now())])

    def officials(self) -> list[tuple[str, str]]:
        """(period, snapshot) in the order in which they were made official."""
        with self._file.open() as db:
            return [row[:2] for row in self._file.rows(db, "select * from officials order by rowid")]

    def problems(self) -> list[Problem]:
        """What is wrong with the file or a row of it: empty when all is sound."""
        return self._file.problems(["loads", "files", "refused", "officials"])

    def _loads(self, db: sqlite3.Connection) -> list[Load]:
        loads = (Load(*row) for row in self._file.rows(db, "select * from loads order by id"))
        return [replace(x, known=date.fromisoformat(str(x.known)), counts=json.loads(str(x.counts))) for x in loads]


def _row(load: Load) -> Row:
    return astuple(replace(load, known=load.known.isoformat(), counts=json.dumps(load.counts)))  # type: ignore[arg-type]


def _next(db: sqlite3.Connection, table: str) -> int:
    """The next number of a table whose numbers are never given twice."""
    last = db.execute("select max(seq) from sqlite_sequence where name = ?", (table,)).fetchone()[0]
    return int(last or 0) + 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
