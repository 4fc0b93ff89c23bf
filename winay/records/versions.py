"""The same again, and newer versions: which new records are duplicates, and what they withdraw."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.programme.sources import Source
from winay.workspace.folder import Workspace

NEVER = dt.date(9999, 12, 31)


@dataclass
class Judged:
    """fresh: is the record of this line of the file no duplicate? count: of those; updated: how many of them are
    another version of a record that was there; gone: the rows to withdraw (table, gone, of, from)."""

    fresh: NDArray[np.bool_]
    count: int
    updated: int
    gone: pa.Table


def judge(ws: Workspace, source: Source, records: pa.Table, load: int) -> Judged:
    """`records`: the accounts of each. A duplicate says what a line before it says, or what is known and in force.

    The later of two versions of a key, by (version, known day), withdraws the other from its own known day, whichever
    was loaded first; two that tie both stand.
    """
    con = ws.connect()
    given = ibis.memtable(records)
    there = ibis.memtable(con.to_pyarrow(_there(ws, con, source, given)))
    first = given.group_by("row").aggregate(line=given.line.min())
    same = [given.row == there.row, there.known <= given.known, given.known < there.gone]
    lines = con.to_pyarrow(given.semi_join(first, "line").anti_join(given.semi_join(there, same), "line").line)
    fresh = np.zeros(int(pc.max(records["line"]).as_py() or 0) + 1, bool)
    fresh[np.asarray(lines)] = True
    mine = records.filter(pa.array(fresh[np.asarray(records["line"])])).select(["row", "key", "version", "known"])
    new = ibis.memtable(mine.append_column("load", pa.array(np.full(len(mine), load, np.int32))))
    updated = int(con.execute(new.semi_join(there, "key").count()))
    whole = there.drop("gone").union(new).mutate(version=ibis._.version.fill_null(""))
    later = whole.view()
    after = (later.version > whole.version) | ((later.version == whole.version) & (later.known > whole.known))
    replaced = whole.join(later, [whole.key == later.key, after]).select("row", "load", since=later.known)
    gone = replaced.group_by(gone="row", of="load").aggregate(**{"from": replaced.since.min()})
    return Judged(fresh, len(mine), updated, withdrawals(source, con.to_pyarrow(gone)))


def withdrawals(source: Source, gone: pa.Table, history: bool = False) -> pa.Table:
    """One row for each table that the source writes (with `history`: also those whose older versions stay in force)."""
    written = dict.fromkeys(w.table for w in source.writes if w.table != "identities")
    names = [name for name in written if history or name not in source.history]
    return pa.concat_tables([gone.append_column("table", pa.array([name] * len(gone), pa.string())) for name in names])


def span(asked: str) -> str:
    """Is it a month (2026-10) or the code of a place?"""
    return "month" if asked[4:5] == "-" else "place"


def replaced(ws: Workspace, source: Source, asked: str, known: dt.date, records: pa.Table) -> pa.Table:
    """The rows of this source, of a month (`2026-10`) or of a place, that are not among these records."""
    table, _, column = source.replaces[span(asked)].partition(".")
    loads = [load.id for load in ws.ledger.loads() if load.source == source.source]
    con = ws.connect()
    rows = ws.lake.read(con, table, loads)
    rows = rows.filter(rows[column].cast("string").startswith(asked)).anti_join(ibis.memtable(records), "row")
    gone = rows.select(gone="row", of="load").distinct().mutate(**{"from": ibis.literal(known)})
    return withdrawals(source, con.to_pyarrow(gone), history=True)


def _there(ws: Workspace, con: Any, source: Source, records: Any) -> Any:
    """What the lake has under the keys of the records: row, key, version, load, and the days `known` and `gone`."""
    table = source.writes[0].table
    rows = ws.lake.read(con, table).semi_join(records, "key")
    withdrawn = ws.lake.read(con, "withdrawn")
    ended = withdrawn.filter(withdrawn.table == table).group_by(["gone", "of"]).aggregate(ended=withdrawn["from"].min())
    rows = rows.left_join(ended, [("row", "gone"), ("load", "of")])
    return rows.select("row", "key", "version", "known", "load", gone=rows.ended.fill_null(ibis.literal(NEVER)))
