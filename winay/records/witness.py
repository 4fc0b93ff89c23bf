"""Down to the delivered line: which records stand behind a service, and what the file said, byte by byte."""

import datetime as dt
import io
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa

from winay.core.problems import wrong_use
from winay.programme.load import Programme
from winay.programme.sources import Source
from winay.records import matching
from winay.records.as_of import in_force
from winay.records.readers.opening import unpacked
from winay.workspace.folder import Workspace

LONGEST = 200
"""A record is at most so many physical lines long when it is shown."""
ITEM = itemgetter("contact", "person", "day", "code")
"""What the rows of one item have in common."""


@dataclass(frozen=True)
class Line:
    """One canonical item and where it was written. proves: the services that its item of the contact proves."""

    file: str
    line: int
    load: int
    source: str
    fields: dict[str, Any]
    proves: tuple[str, ...]


def lines(ws: Workspace, programme: Programme, persons: Collection[int], known: dt.date) -> list[Line]:
    """The items of a person's identifiers that were in force on `known`, by day and line. What proves nothing is there
    too, so that an absence can be explained."""
    items = _rows(ws, "items", persons, known, ("day", "contact", "code", "line"))
    proves = _proves(ws, programme, items)
    names = {load.id: load.name for load in ws.ledger.loads()}
    made = []
    for row in items.to_pylist():
        fields = {name: row[name] for name in matching.COLUMNS[2:] if row[name] is not None}
        proved = tuple(proves[ITEM(row)])
        made.append(Line(names[row["load"]], row["line"], row["load"], row["source"], fields, proved))
    return made


def registry(ws: Workspace, persons: Collection[int], known: dt.date) -> list[dict[str, Any]]:
    """The registry rows that say who a person is: file, line, load, source; best ranked first."""
    names = {load.id: load.name for load in ws.ledger.loads()}
    rows = _rows(ws, "people", persons, known, ("rank", "known", "load", "line")).select(["load", "line", "source"])
    return [{"file": names[row["load"]], **row} for row in rows.to_pylist()]


def _rows(ws: Workspace, table: str, persons: Collection[int], known: dt.date, order: Sequence[str]) -> pa.Table:
    con = ws.connect()
    rows = in_force(ws, con, table, known, ws.ledger.finished())
    return con.to_pyarrow(rows.filter(rows.person.isin([int(person) for person in persons])).order_by(order))


def _proves(ws: Workspace, programme: Programme, rows: pa.Table) -> dict[Any, list[str]]:
    """The services that each ITEM proves."""
    given = rows.select(matching.COLUMNS)
    for name, day in (("known", 0), ("gone", 1)):  # whatever is in force makes one state
        given = given.append_column(name, pa.array([day] * len(rows), pa.int32()))
    items = matching.Items(programme, given, matching.providers(ws, programme))
    found, written = defaultdict(list), given.to_pylist()
    for name, service in sorted(programme.services.items()):
        for row in items.first[items.holds(service)].tolist():
            found[ITEM(written[row])].append(name)
    return found


def raw(ws: Workspace, load: int, line: int, source: Source | None = None) -> bytes:
    """The delivered record that starts on a physical line, from the sealed copy. Only for who may see names. `source`:
    how a workbook is written as text."""
    found = ws.ledger.load(load)
    if found is None:
        raise wrong_use("there is no load {load}", load=load)
    file = io.BytesIO(b"".join(ws.vault.delivered(found.sha256)))
    with unpacked(Path(found.name), file, source) as stream:
        following = list(islice(stream, line - 1, line - 1 + LONGEST))
    if not following:
        raise wrong_use("load {load} has no line {line}", load=load, line=line)
    whole = (text for text in accumulate(following) if text.count(b'"') % 2 == 0)  # a quoted cell may have line breaks
    return next(whole, following[0])


def header(ws: Workspace, load: int, source: Source) -> bytes:
    """The first line of what was delivered."""
    return raw(ws, load, 1, source).removeprefix(b"\xef\xbb\xbf")
