"""What stands beside our figures and changes none: series that others published, and what happened where they arose."""

from datetime import date
from typing import Any

from winay.programme.load import Programme
from winay.records import as_of, places
from winay.records.tables import TABLES
from winay.workspace.folder import Workspace

Row = dict[str, Any]


def published(ws: Workspace, programme: Programme, day: date) -> list[Row]:
    """Every published value as known on a day, in order of series, place, period; a loaded one wins over the shipped one.

    Keys: those of the table `series`, and `known`: the day it was loaded (null: it ships with the programme).
    """
    rows = [*places.shipped(programme, "series").to_pylist(), *_in_force(ws, "series", day)]
    latest = {(row["series"], row["place"], row["period"]): row for row in rows}
    return [_own(latest[key], "series") | {"known": latest[key]["known"]} for key in sorted(latest)]


def happened(ws: Workspace, programme: Programme, day: date) -> list[Row]:
    """Strikes, floods, stock-outs… as known on a day, the first to begin first; a facility's stand where it lies.

    Keys: those of the table `context`.
    """
    rows = [_own(row, "context") for row in _in_force(ws, "context", day)]
    if any(row["provider"] and not row["place"] for row in rows):
        known = places.known(programme, "providers", _table(ws, "providers", day)).to_pylist()
        where = {row["provider"]: row["place"] for row in known}
        rows = [row | {"place": row["place"] or where.get(row["provider"])} for row in rows]
        # of a facility that nobody knows yet nobody can say where it lies
        rows = [row for row in rows if row["place"] or not row["provider"]]
    return sorted(rows, key=lambda row: (row["since"], row["place"] or "", row["kind"]))


def places_on(ws: Workspace, programme: Programme, day: date) -> list[Row]:
    """All places ever in force, as known on a day: rows for a tree."""
    rows: list[Row] = places.known(programme, "places", _table(ws, "places", day)).to_pylist()
    return rows


def _in_force(ws: Workspace, table: str, day: date) -> list[Row]:
    """The loaded rows of a table in force on a day, the latest last."""
    rows: list[Row] = _table(ws, table, day).to_pylist()
    return sorted(rows, key=lambda row: (row["known"], row["load"], row["line"]))


def _table(ws: Workspace, table: str, day: date) -> Any:
    con = ws.connect()
    return con.to_pyarrow(as_of.in_force(ws, con, table, day, ws.ledger.finished()))


def _own(row: Row, table: str) -> Row:
    return {name: row[name] for name in TABLES[table]}
