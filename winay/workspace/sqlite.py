"""One SQLite file: its changes are on the disk when we say so, and its marked rows are believed only as they were put."""

import hashlib
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import SQLITE_BUSY, SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY
from typing import Any

from winay.core.problems import At, Problem, WinayError
from winay.core.text import say
from winay.workspace import disk

DISK = {SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_BUSY}
"""What the disk did, not what the file says."""


@dataclass(frozen=True)
class Database:
    """One file. It is opened for each use: threads may share a Database. `thing`: what people call it."""

    path: Path
    thing: str

    def create(self, schema: str) -> None:
        """Make the tables that are not there."""
        with self.writing("rwc") as db:
            db.executescript(schema)
        disk.sync(self.path.parent)

    @contextmanager
    def open(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        """The file, to read; a damaged one is a problem."""
        try:
            uri = f"{self.path.absolute().as_uri()}?mode={mode}"
            with closing(sqlite3.connect(uri, uri=True, timeout=60)) as db:
                db.execute("pragma synchronous = full")
                yield db
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in DISK and self.path.exists():
                raise OSError(0, str(error)) from error
            raise WinayError(self._problem(str(error))) from error

    @contextmanager
    def writing(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        """The file, to change: all of it or nothing, on the disk at the end."""
        with disk.writing(say(self.thing), self.path), self.open(mode) as db, db:
            yield db
            disk.step()

    def rows(self, db: sqlite3.Connection, table: str, where: str = "", *values: object) -> Iterator[tuple[Any, ...]]:
        """Rows that were `put`, without their mark; one whose mark does not fit is a problem that names it."""
        for *row, mark in db.execute(f"select * from {table} {where} order by id", values):
            if mark != _mark(row):
                raise WinayError(self._problem(f"{table}, {row[0]}"))
            yield tuple(row)

    def problems(self, marked: Iterable[str] = ()) -> list[Problem]:
        """What SQLite says of the file, and the marks of these tables: empty when all is sound."""
        try:
            with self.open() as db:
                for table in marked:
                    deque(self.rows(db, table), maxlen=0)  # each is looked at, none is kept
                return [self._problem(line) for (line,) in db.execute("pragma integrity_check") if line != "ok"]
        except WinayError as error:
            return error.problems

    def _problem(self, what: str) -> Problem:
        hint = "bring the file back from a copy; winay doctor tells what else is sound"
        facts = {"thing": say(self.thing), "what": what}
        return Problem(At(str(self.path)), "{thing} cannot be trusted: {what}", "", hint, facts)


def put(db: sqlite3.Connection, table: str, *row: object) -> None:
    """Insert a whole row, its number first, with its mark, in the place of the one with that number."""
    db.execute(f"insert or replace into {table} values ({'?, ' * len(row)}?)", (*row, _mark(row)))


def next_number(db: sqlite3.Connection, table: str) -> int:
    """The number of the next row of a table; none is given twice."""
    (last,) = db.execute("select max(seq) from sqlite_sequence where name = ?", (table,)).fetchone()
    return (last or 0) + 1


def _mark(row: Iterable[object]) -> str:
    """A digest of the values: SQLite alone does not notice a changed byte of one."""
    return hashlib.sha256(repr(tuple(row)).encode("utf-8", "backslashreplace")).hexdigest()[:16]
