"""The load ledger: which deliveries are done, in which files of the lake, and what was refused.

One SQLite file, `synchronous=FULL`, no Django. A load is *done* when its line here says so and not before. Every row
carries a mark (a digest of its values), so that a damaged byte is found and not believed.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from winay.core.problems import At, Problem, WinayError
from winay.core.text import say
from winay.workspace import disk, faults

STARTED, DONE, ABANDONED = "started", "done", "abandoned"
TABLES = ("loads", "files", "refused", "officials")
_SCHEMA = """
create table if not exists loads (id integer primary key autoincrement, source text, name text, sha256 text,
    size integer, known text, mode text, replaces text, programme text, after integer, state text, started text,
    finished text, counts text, mark text);
create table if not exists files (load integer, "table" text, part integer, kind text, name text, rows integer,
    version integer, size integer, sha256 text, mark text, primary key ("table", name));
create table if not exists refused (id integer primary key autoincrement, load integer, file text, line integer,
    "column" text, reason text, expected text, sealed blob, accepted_by integer, mark text);
create table if not exists officials (id integer primary key, period text, snapshot text, since text, mark text);
create index if not exists refused_load on refused (load);
"""


@dataclass(frozen=True)
class Load:
    """One delivery. `known`: the day it was delivered; `after`: how many loads were done when it began;
    `counts`: records, accepted, refused, duplicate, created, …"""

    id: int
    source: str
    name: str
    sha256: str
    size: int
    known: date
    mode: str
    replaces: str
    programme: str
    after: int
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
        if not self._acquired(0):
            if waiting:
                told = "another run is writing in this workspace ({holder}); waiting for it"
                waiting(say(told, holder=self.holder()))
            if not self._acquired(wait):
                found = "another run is writing in this workspace ({holder}); waited {wait:.0f} s"
                hint = "wait until it ends and run the same command again; nothing was changed"
                facts = {"holder": self.holder(), "wait": wait}
                raise WinayError(Problem(At(str(self.path.parent)), found, "", hint, facts))
        try:
            if self._lock.lock_counter == 1:
                with suppress(OSError):  # only to be told to others
                    self._holder.write_text(f"{os.getpid()} {doing}", "utf-8")
            yield
        finally:
            self._lock.release()

    def _acquired(self, wait: float) -> bool:
        with disk.writing(say("the lock of the workspace"), self.path):
            try:
                self._lock.acquire(timeout=wait)
            except Timeout:
                return False
        return True

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
        what it had written is not written twice. If its terms, or what was loaded before it, are others now, its rows
        might be: then it is abandoned, never read, and begun anew."""
        name = os.fsencode(name).decode("utf-8", "replace")
        with self.lock("begin"), self._writing() as db:
            terms = (known, mode, replaces, programme, len(self._loads(db, "state = ?", DONE)))
            for load in self._loads(db, "state = ? and source = ? and sha256 = ?", STARTED, source, sha256):
                if (load.known, load.mode, load.replaces, load.programme, load.after) == terms:
                    db.execute("delete from refused where load = ?", (load.id,))
                    return replace(load, resumed=True)
                _put(db, "loads", _row(replace(load, state=ABANDONED)))
            load = Load(_next(db, "loads"), source, name, sha256, size, *terms, STARTED, _now(), "")
            _put(db, "loads", _row(load))
            faults.point("ledger.begin")
            return load

    def finish(self, load: int, counts: Mapping[str, int], corrected: Collection[int] = ()) -> Load:
        """Done: from this commit on the load's rows are read. `corrected`: refused rows that this load accepted.

        ValueError when `records` is counted and accepted + refused + duplicate do not add up to it.
        """
        total = sum(counts.get(name, 0) for name in ("accepted", "refused", "duplicate"))
        if counts.get("records", total) != total:
            raise ValueError(f"the counts of load {load} do not add up: {dict(counts)}")
        with self.lock("finish"), self._writing() as db:
            (open_load,) = self._loads(db, "id = ?", load)
            for number in corrected:
                for row in self._rows(db, "select * from refused where id = ?", number):
                    _put(db, "refused", row | {"accepted_by": load})
            done = replace(open_load, state=DONE, finished=_now(), counts=dict(sorted(counts.items())))
            _put(db, "loads", _row(done))
            faults.point("ledger.finish")
            return done

    def find(self, sha256: str, source: str | None = None) -> Load | None:
        """The finished load of these bytes, if there is one."""
        fits = (load for load in self.loads() if load.sha256 == sha256 and source in (None, load.source))
        return next(fits, None)

    def loads(self, state: str | None = DONE) -> list[Load]:
        """The loads in this state (None: all), oldest first."""
        with self._db() as db:
            return self._loads(db, "state = coalesce(?, state)", state)

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

    def record(self, files: Iterable[LakeFile]) -> None:
        """Acknowledge files of the lake; the caller has synced them."""
        with self._writing() as db:
            for file in files:
                _put(db, "files", asdict(file))
            faults.point("ledger.append")

    def files(self, table: str | None = None) -> list[LakeFile]:
        """The acknowledged files of the lake (of one table), in order of load and name."""
        sql = 'select * from files where "table" = coalesce(?, "table") order by load, part, name'
        with self._db() as db:
            return [LakeFile(**row) for row in self._rows(db, sql, table)]

    def refuse(self, load: int, rows: Iterable[Refused], seal: Callable[[bytes], bytes]) -> int:
        """Keep refused records of a load, what they said sealed (`vault.seal`). Returns how many."""
        with self._writing() as db:
            number = first = _next(db, "refused")
            for number, row in enumerate(rows, start=first):
                values = {name: value for name, value in vars(row).items() if name not in ("found", "raw")}
                sealed = seal(json.dumps([row.found, row.raw]).encode())
                _put(db, "refused", values | {"id": number, "load": load, "sealed": sealed, "accepted_by": None})
            faults.point("ledger.refuse")
            return _next(db, "refused") - first

    def refused(
        self, *, load: int | None = None, source: str | None = None, unseal: Callable[[bytes], bytes] | None = None
    ) -> Iterator[Refused]:
        """The refused records of finished loads that no later load accepted; `found` and `raw` only with `unseal`."""
        sql = """select refused.* from refused join loads on loads.id = load
            where state = 'done' and accepted_by is null and load = coalesce(?, load) and source = coalesce(?, source)
            order by load, file, line, refused.id"""
        with self._db() as db:
            rows = list(self._rows(db, sql, load, source))  # so that whoever goes through them may write here
        for row in rows:
            found, raw = json.loads(unseal(row["sealed"])) if unseal else ("", "")
            plain = {name: value for name, value in row.items() if name not in ("sealed", "accepted_by")}
            yield Refused(**plain, found=found, raw=raw)

    def official(self, period: str, snapshot: str) -> None:
        """Remember that this snapshot is the official one of a period (the last one said counts)."""
        with self.lock("official"), self._writing() as db:
            number = len(list(self._rows(db, "select * from officials"))) + 1
            _put(db, "officials", {"id": number, "period": period, "snapshot": snapshot, "since": _now()})

    def officials(self) -> list[tuple[str, str]]:
        """(period, snapshot) in the order in which they were made official."""
        with self._db() as db:
            return [(row["period"], row["snapshot"]) for row in self._rows(db, "select * from officials order by id")]

    def problems(self) -> list[Problem]:
        """What SQLite and the rows' marks say of the file: empty when all is sound."""
        try:
            with self._db() as db:
                told = [row[0] for row in db.execute("pragma integrity_check") if row[0] != "ok"]
                for table in TABLES:
                    for _ in self._rows(db, f"select * from {table}"):
                        pass
        except WinayError as error:
            return error.problems
        return [self._problem(what) for what in told]

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
            raise WinayError(self._problem(str(error))) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing, on the disk at the end."""
        with disk.writing(say("the ledger"), self.path), self._db() as db, db:
            yield db

    def _rows(self, db: sqlite3.Connection, sql: str, *values: object) -> Iterator[dict[str, Any]]:
        """Rows without their mark; a row whose mark does not fit its values is a problem that names it."""
        for found in db.execute(sql, values):
            row = dict(found)
            if row.pop("mark") != _mark(row):
                what = ", ".join(
                    f"{name} {row[name]}" for name in ("id", "load", "table", "name", "period") if name in row
                )
                raise WinayError(self._problem(what))
            yield row

    def _loads(self, db: sqlite3.Connection, where: str, *values: object) -> list[Load]:
        rows = self._rows(db, f"select * from loads where {where} order by id", *values)
        typed = ({**x, "known": date.fromisoformat(x["known"]), "counts": json.loads(x["counts"])} for x in rows)
        return [Load(**row) for row in typed]

    def _problem(self, what: str) -> Problem:
        hint = "bring the ledger back from a copy; winay doctor tells what else is sound"
        return Problem(At(str(self.path)), "the ledger cannot be trusted: {what}", "", hint, {"what": what})


def _row(load: Load) -> dict[str, Any]:
    row = asdict(load) | {"known": load.known.isoformat(), "counts": json.dumps(load.counts)}
    del row["resumed"]
    return row


def _put(db: sqlite3.Connection, table: str, row: Mapping[str, object]) -> None:
    marked = {**row, "mark": _mark(row)}
    names, holes = ", ".join(f'"{name}"' for name in marked), ", ".join("?" * len(marked))
    db.execute(f"insert or replace into {table} ({names}) values ({holes})", tuple(marked.values()))


def _mark(row: Mapping[str, object]) -> str:
    return hashlib.sha256(repr(sorted(row.items())).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _next(db: sqlite3.Connection, table: str) -> int:
    """The next number of a table whose numbers are never given twice."""
    last = db.execute("select max(seq) from sqlite_sequence where name = ?", (table,)).fetchone()[0]
    return int(last or 0) + 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
