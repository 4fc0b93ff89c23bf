"""Down to the delivered line: which records stand behind a service, and what the file said, byte by byte."""

import datetime as dt
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from winay.core.problems import wrong_use
from winay.programme.load import Programme
from winay.records import matching
from winay.records.as_of import Reader
from winay.records.readers import excel
from winay.records.readers.opening import is_workbook, unpacked
from winay.workspace.folder import Workspace

LONGEST = 200
"""A record is at most so many physical lines long when it is shown."""


@dataclass(frozen=True)
class Line:
    """One canonical item and where it was written. proves: the services that its item of the contact proves."""

    file: str
    line: int
    load: int
    source: str
    fields: dict[str, Any]
    proves: tuple[str, ...]


def lines(
    ws: Workspace,
    programme: Programme,
    persons: Collection[int],
    known: dt.date,
    service: str | None = None,
    day: dt.date | None = None,
) -> list[Line]:
    """The items of a person's identifiers that were in force on `known`, by day and line: all, or those of one day or
    that prove one service. What proves nothing is there too, so that an absence can be explained."""
    rows = Reader(ws, known, ws.ledger.finished()).rows("items")
    rows = rows.filter(rows.person.isin([int(person) for person in persons]))
    if day:
        rows = rows.filter(rows.day == day)
    table = rows.order_by("day", "contact", "code", "line").to_pyarrow()
    proves = _proves(ws, programme, table)
    loads = {load.id: load for load in ws.ledger.loads()}
    made = []
    for row, services in zip(table.to_pylist(), proves, strict=True):
        if service is None or service in services:
            fields = {name: row[name] for name in matching.COLUMNS[2:] if row[name] is not None}
            made.append(Line(loads[row["load"]].name, row["line"], row["load"], row["source"], fields, services))
    return made


def registry(ws: Workspace, persons: Collection[int], known: dt.date) -> list[dict[str, Any]]:
    """The registry rows that say who a person is: file, line, load, source; best ranked first."""
    rows = Reader(ws, known, ws.ledger.finished()).rows("people")
    rows = rows.filter(rows.person.isin([int(person) for person in persons])).order_by("rank", "known", "line")
    names = {load.id: load.name for load in ws.ledger.loads()}
    found = rows.select("load", "line", "source").to_pyarrow().to_pylist()
    return [{"file": names[row["load"]], **row} for row in found]


def _proves(ws: Workspace, programme: Programme, table: pa.Table) -> list[tuple[str, ...]]:
    state = {"known": pa.array(np.zeros(len(table), np.int32)), "gone": pa.array(np.ones(len(table), np.int32))}
    rows = table.select(matching.COLUMNS)
    for name, column in state.items():
        rows = rows.append_column(name, column)
    items = matching.Items(programme, rows, matching.providers(ws, programme))
    found: list[list[str]] = [[] for _ in range(len(table))]
    item_of_row = np.repeat(np.arange(len(items.starts)), np.diff(np.r_[items.starts, len(items.rows)]))
    for name in sorted(programme.services):
        right = items.holds(programme.services[name])
        for row in items.rows[right[item_of_row]].tolist():
            found[row].append(name)
    return [tuple(names) for names in found]


def raw(ws: Workspace, load: int, line: int) -> bytes:
    """The delivered record that starts on a physical line, from the sealed copy. Only for who may see names."""
    path, file = _delivered(ws, load)
    if is_workbook(file):
        return excel.row(file, line)
    with unpacked(path, file) as stream:
        for number, text in enumerate(stream, 1):
            if number < line:
                continue
            if number >= line + LONGEST or (number == line and text.count(b'"') % 2 == 0):
                return text
            whole = text
            for more in stream:
                whole += more
                if whole.count(b'"') % 2 == 0 or whole.count(b"\n") > LONGEST:
                    break
            return whole if whole.count(b'"') % 2 == 0 else text
    raise wrong_use("load {load} has no line {line}", load=load, line=line)


def header(ws: Workspace, load: int) -> bytes:
    """The first line of what was delivered."""
    return raw(ws, load, 1).removeprefix(b"\xef\xbb\xbf")


def _delivered(ws: Workspace, load: int) -> tuple[Path, io.BytesIO]:
    found = ws.ledger.load(load)
    if found is None:
        raise wrong_use("there is no load {load}", load=load)
    return Path(found.name), io.BytesIO(b"".join(ws.vault.delivered(found.sha256)))
