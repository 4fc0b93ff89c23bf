"""One SQLite file: its changes are on the disk when we say so, and its marked rows are believed only as they were put."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from winay.core.problems import At, Problem, WinayError
from winay.core.text import say
from winay.workspace import disk

Row = tuple[Any, ...]
DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
}
"""What the disk did, not what the file says."""


class Database:
    """One file. It is opened for each use: threads may share a Database. `thing`: what people call it."""

    def __init__(self, path: Path, thing: str) -> None:
        self.path = path
        self.thing = thing

    def create(self, schema: str) -> None:
        """Make the tables that are not there."""
        with self.writing("rwc") as db:
            db.executescript(schema)
        disk.sync(self.path.parent)

    @contextmanager
    def open(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        """The file, to read; a damaged one is a problem."""
        try:
            db = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=60)
            try:
                db.execute("pragma synchronous = full")
                yield db
            finally:
                db.close()
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in DISK and self.path.exists():
                raise OSError(0, str(error)) from error
            raise WinayError(self._problem(str(error))) from error

    @contextmanager
    def writing(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        """The file, to change: all of it or nothing, on the disk at the end."""
        with disk.writing(say(self.thing), self.path), self.open(mode) as db, db:
            yield db

    def rows(self, db: sqlite3.Connection, sql: str, *values: object) -> Iterator[Row]:
        """Marked rows, whole and without their mark; a row whose mark does not fit is a problem that names it."""
        for *row, mark in db.execute(sql, values):
            if mark != _mark(row):
                raise WinayError(self._problem(", ".join(map(str, row[:3]))))
            yield tuple(row)

    def problems(self, marked: Iterable[str] = ()) -> list[Problem]:
        """What SQLite says of the file, and the marks of these tables: empty when all is sound."""
        try:
            with self.open() as db:
                told = [line for (line,) in db.execute("pragma integrity_check") if line != "ok"]
                for table in marked:
                    for _ in self.rows(db, f"select * from {table}"):
                        pass
        except WinayError as error:
            return error.problems
        return [self._problem(line) for line in told]

    def _problem(self, what: str) -> Problem:
        hint = "bring the file back from a copy; winay doctor tells what else is sound"
        facts = {"thing": say(self.thing), "what": what}
        return Problem(At(str(self.path)), "{thing} cannot be trusted: {what}", "", hint, facts)


def put(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert whole rows with their marks, in the place of those with the same key."""
    marked = ((*row, _mark(row)) for row in rows)
    first = next(marked, None)
    if first:
        sql = f"insert or replace into {table} values ({', '.join('?' * len(first))})"
        db.execute(sql, first)
        db.executemany(sql, marked)


def _mark(row: Sequence[object]) -> str:
    """A digest of the values: SQLite alone does not notice a changed byte of one."""
    return hashlib.sha256(repr(tuple(row)).encode("utf-8", "backslashreplace")).hexdigest()[:16]
