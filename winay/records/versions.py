"""The same again, and newer versions: which new records are duplicates, and what they withdraw."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.ages import days_of
from winay.programme.load import Programme
from winay.programme.sources import Source
from winay.records import tables
from winay.records.tables import DAY_MAX
from winay.workspace.folder import Workspace


@dataclass
class Accounts:
    """One entry a record, in the order of the file: its hashes, stamp, known day, and whether it is the same again."""

    row: NDArray[np.int64]
    key: NDArray[np.int64]
    version: Any
    known: NDArray[np.int32]
    duplicate: NDArray[np.bool_]
    updated: int = 0


def judge(ws: Workspace, programme: Programme, source: Source, made: Accounts, load: int) -> pa.Table:
    """Mark duplicates in `made`, and return the rows to withdraw (table, gone, of, from).

    The later of two versions of a key, by (version, known day), withdraws the other from its own known day, whichever
    was loaded first; two that tie both stand.
    """
    _, first = np.unique(made.row, return_index=True)
    made.duplicate[:] = True
    made.duplicate[first] = False
    keys, counts = np.unique(made.key, return_counts=True)
    there = _there(ws, source, keys)
    made.duplicate |= _known_already(ws, there, made)
    old = np.isin(made.key, np.asarray(there["key"]))
    fresh = ~made.duplicate & (old | np.isin(made.key, keys[counts > 1]))
    made.updated = int((fresh & old).sum())
    key = np.concatenate([np.asarray(there["key"]), made.key[fresh]])
    row = np.concatenate([np.asarray(there["row"]), made.row[fresh]])
    of = np.concatenate([np.asarray(there["load"]), np.full(int(fresh.sum()), load, np.int32)])
    known = np.concatenate([np.asarray(there["known"].cast(pa.int32())), made.known[fresh]])
    stamp = pa.chunked_array([*there["version"].chunks, *made.version.filter(pa.array(fresh)).chunks], pa.string())
    order = np.lexsort((known, rank := _ranked(stamp), key))
    until = _superseded(key[order], rank[order], known[order])
    gone = until < DAY_MAX
    return withdrawals(source, row[order][gone], of[order][gone], until[gone])


def withdrawals(source: Source, row: Any, of: Any, since: Any, history: bool = False) -> pa.Table:
    """One row for each table that the source writes (with `history`: also those whose older versions stay in force)."""
    written = dict.fromkeys(w.table for w in source.writes if w.table != "identities")
    names = [name for name in written if history or name not in source.history]
    day = pa.array(np.asarray(since, np.int32)).cast(pa.date32())
    one = pa.table({"gone": np.asarray(row, np.int64), "of": np.asarray(of, np.int32), "from": day})
    parts = [one.append_column("table", pa.array([name] * len(one), pa.string())) for name in names]
    return pa.concat_tables(parts)


def replaced(ws: Workspace, source: Source, asked: str, known: dt.date, kept: NDArray[np.int64]) -> pa.Table:
    """The rows of this source, of a month (`2026-10`) or of a place, that are not among the hashes `kept`."""
    what = "month" if len(asked) == 7 and asked[4] == "-" else "place"
    table, _, column = source.replaces[what].partition(".")
    con = ws.connect()
    loads = [load.id for load in ws.ledger.loads() if load.source == source.source]
    rows = ws.lake.read(con, table, loads)
    text = rows[column].cast("string")
    rows = rows.filter(text.startswith(asked)).select("row", "load").distinct().to_pyarrow()
    rows = rows.filter(pa.array(~np.isin(np.asarray(rows["row"]), kept)))
    return withdrawals(source, rows["row"], rows["load"], np.full(len(rows), days_of(known), np.int32), history=True)


def _there(ws: Workspace, source: Source, keys: NDArray[np.int64]) -> pa.Table:
    """What the lake has under these keys: row, key, version, known, load."""
    import ibis

    con = ws.connect()
    rows = ws.lake.read(con, source.writes[0].table)
    keyed = rows.semi_join(ibis.memtable(pa.table({"key": keys})), "key")
    return keyed.select("row", "key", "version", "known", "load").to_pyarrow()


def _known_already(ws: Workspace, there: pa.Table, made: Accounts) -> NDArray[np.bool_]:
    """Is the same content in the lake, known by then and not withdrawn by then?"""
    if not len(there):
        return np.zeros(len(made.row), bool)
    gone = ws.lake.read(ws.connect(), "withdrawn").select("gone", "of", "from").to_pyarrow()
    until = {}
    for row, of, day in zip(gone["gone"].to_pylist(), gone["of"].to_pylist(), gone["from"].cast(pa.int32()).to_pylist(), strict=True):
        until[row, of] = min(day, until.get((row, of), DAY_MAX))
    known = np.asarray(there["known"].cast(pa.int32()))
    rows, loads = np.asarray(there["row"]), there["load"].to_pylist()
    ends = np.array([until.get(pair, DAY_MAX) for pair in zip(rows.tolist(), loads, strict=True)]) if until else np.full(len(rows), DAY_MAX)
    order = np.lexsort((known, rows))
    rows, known, ends = rows[order], known[order], ends[order]
    lo, hi = np.searchsorted(rows, made.row), np.searchsorted(rows, made.row, "right")
    same = np.zeros(len(made.row), bool)
    for step in range(int((hi - lo).max(initial=0))):
        at = np.minimum(lo + step, len(rows) - 1)
        same |= (lo + step < hi) & (known[at] <= made.known) & (made.known < ends[at])
    return same


def _ranked(stamps: Any) -> NDArray[np.int64]:
    """The place of each version's text among all, in order; none comes first."""
    coded = stamps.combine_chunks().dictionary_encode() if len(stamps) else None
    if coded is None:
        return np.zeros(0, np.int64)
    place = np.empty(len(coded.dictionary) + 1, np.int64)
    place[np.asarray(pc.sort_indices(coded.dictionary))] = np.arange(1, len(coded.dictionary) + 1)
    place[-1] = 0
    return place[np.asarray(pc.fill_null(coded.indices, len(coded.dictionary)))]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _superseded(key: Any, version: Any, known: Any) -> Any:
    """For rows sorted by key, version, known: the first known day of a strictly later one of the key, or never."""
    until = np.full(len(key), 2**31 - 1, np.int64)
    later = here = 2**31 - 1
    for i in range(len(key) - 1, -1, -1):
        if i + 1 == len(key) or key[i] != key[i + 1]:
            later = here = 2**31 - 1
        elif version[i] != version[i + 1] or known[i] != known[i + 1]:
            later, here = min(later, here), 2**31 - 1
        until[i] = later
        here = min(here, known[i])
    return until


def schemas(ws: Workspace, programme: Programme) -> None:
    """Tell the lake which canonical tables this programme has."""
    ws.lake.declare(tables.schemas(programme))
