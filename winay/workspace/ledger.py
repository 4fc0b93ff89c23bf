"""The load ledger: which deliveries are done, in which files of the lake, and what was refused.

One SQLite file, no Django. A load is *done* when its line here says so and not before; the same line names its files.
What the ledger does not know does not exist.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel

from winay.core.problems import At, Problem, WinayError
from winay.core.text import say
from winay.workspace import disk
from winay.workspace.sqlite import Database, next_number, put

_SCHEMA = """
create table if not exists loads (id integer primary key autoincrement, said text, mark text);
create table if not exists refused (id integer primary key autoincrement, load integer, said text, sealed blob,
    mark text);
create table if not exists officials (id integer primary key autoincrement, said text, mark text);
"""


class LakeFile(BaseModel, frozen=True):
    """A file of the lake, data or the table's log, as it was when its load was done. `name`: below the table's folder."""

    load: int
    table: str
    name: str
    sha256: str

    @property
    def is_data(self) -> bool:
        return "/" not in self.name


class Load(BaseModel, frozen=True):
    """One delivery. `known`: the day it was delivered; `finished`: when it was done, empty before; `counts`: records,
    accepted, refused, duplicate, created, …"""

    id: int
    source: str
    name: str
    sha256: str
    size: int
    known: date
    mode: str
    started: str
    replaces: str = ""
    programme: str = ""
    finished: str = ""
    counts: dict[str, int] = {}
    files: tuple[LakeFile, ...] = ()


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
        self._open: Load | None = None
        self._written: list[LakeFile] = []

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
        self, source: str, name: str, sha256: str, size: int, known: date, mode: str = "delivered", **more: str
    ) -> Load:
        """Open a load. The same delivery left unfinished by a run that died is forgotten and begun anew.

        more: `replaces`, what this is now everything of; `programme`, the hash of the rules it was read under.
        """
        name = os.fsencode(name).decode("utf-8", "replace")
        with self.lock("begin"), self._file.writing() as db:
            for dead in self._loads(db):
                if not dead.finished and (dead.source, dead.sha256) == (source, sha256):
                    db.execute("delete from loads where id = ?", (dead.id,))
                    db.execute("delete from refused where load = ?", (dead.id,))
            told = {"source": source, "name": name, "sha256": sha256, "size": size, "known": known, "mode": mode}
            load = Load.model_validate({**told, **more, "id": next_number(db, "loads"), "started": _now()})
            put(db, "loads", load.id, load.model_dump_json())
        self._open, self._written = load, []
        return load

    def written(self, load: int) -> list[LakeFile]:
        """The files written so far for the open load, to add to. ValueError for any other, or without the lock."""
        if not self._open or self._open.id != load or not self._lock.is_locked:
            raise ValueError(f"load {load} is not open")
        return self._written

    def finish(self, load: int, counts: Mapping[str, int], corrected: Collection[int] = ()) -> Load:
        """Done: from this commit on the load's rows are read. `corrected`: refused rows that this load accepted; they
        leave the store. ValueError when `records` is counted and accepted + refused + duplicate do not add up to it."""
        total = sum(counts.get(name, 0) for name in ("accepted", "refused", "duplicate"))
        if counts.get("records", total) != total:
            raise ValueError(f"the counts of load {load} do not add up: {dict(counts)}")
        with self.lock("finish"), self._file.writing() as db:
            files = self.written(load)
            assert self._open
            done = self._open.model_copy(update={"finished": _now(), "counts": dict(counts), "files": tuple(files)})
            db.executemany("delete from refused where id = ?", ((number,) for number in corrected))
            put(db, "loads", load, done.model_dump_json())
        self._open = None
        return done

    def loads(self, done: bool = True) -> list[Load]:
        """The loads that are done, oldest first; or those that are not: being written, or left by a run that died."""
        with self._file.open() as db:
            return [load for load in self._loads(db) if bool(load.finished) is done]

    def find(self, sha256: str, source: str) -> Load | None:
        """The finished load of these bytes, if there is one."""
        return next((load for load in self.loads() if (load.sha256, load.source) == (sha256, source)), None)

    def load(self, number: int) -> Load | None:
        """The finished load of this number."""
        return next((load for load in self.loads() if load.id == number), None)

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
        return [file for load in self.loads() for file in load.files if table in (None, file.table)]

    def refuse(self, load: int, rows: Iterable[Refused], seal: Callable[[bytes], bytes]) -> None:
        """Keep refused records of a load, in order of line, what they said sealed (`vault.seal`)."""
        with self._file.writing() as db:
            for number, x in enumerate(rows, start=next_number(db, "refused")):
                said = json.dumps([x.file, x.line, x.column, x.reason, x.expected])
                put(db, "refused", number, load, said, seal(json.dumps([x.found, x.raw]).encode()))

    def refused(
        self, *, load: int | None = None, source: str | None = None, unseal: Callable[[bytes], bytes] | None = None
    ) -> Iterator[Refused]:
        """The refused records of finished loads that no later load accepted; `found` and `raw` only with `unseal`."""
        asked = [x.id for x in self.loads() if load in (None, x.id) and source in (None, x.source)]
        of_these = "where load in (select value from json_each(?))"
        with self._file.open() as db:
            rows = list(self._file.rows(db, "refused", of_these, json.dumps(asked)))  # its reader may write here
        for number, of, said, sealed in rows:
            file, line, column, reason, expected = json.loads(said)
            found, raw = json.loads(unseal(sealed)) if unseal else ("", "")
            yield Refused(file, line, column, reason, expected, found, raw, of, number)

    def official(self, period: str, snapshot: str) -> None:
        """Remember that this snapshot is the official one of a period (the last one said counts)."""
        with self.lock("official"), self._file.writing() as db:
            put(db, "officials", next_number(db, "officials"), json.dumps([period, snapshot, _now()]))

    def officials(self) -> list[tuple[str, str]]:
        """(period, snapshot) in the order in which they were made official."""
        with self._file.open() as db:
            told = [json.loads(said) for _, said in self._file.rows(db, "officials")]
        return [(period, snapshot) for period, snapshot, _ in told]

    def problems(self) -> list[Problem]:
        """What is wrong with the file or a row of it: empty when all is sound."""
        return self._file.problems(["loads", "refused", "officials"])

    def _loads(self, db: sqlite3.Connection) -> Iterator[Load]:
        return (Load.model_validate_json(said) for _, said in self._file.rows(db, "loads"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
