"""The same again, and newer versions: which new records are duplicates, and what they withdraw."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.ages import days_of
from winay.programme.sources import Source
from winay.records.tables import DAY_MAX, days
from winay.records.translate import Translated
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

    @classmethod
    def of(cls, made: Sequence[Translated]) -> "Accounts":
        row, key, known = (np.concatenate([getattr(part, n) for part in made]) for n in ("row", "key", "known"))
        return cls(
            row, key, pa.chunked_array([part.version for part in made], pa.string()), known, np.zeros(len(row), bool)
        )


def judge(ws: Workspace, source: Source, made: Accounts, load: int) -> pa.Table:
    """Mark duplicates in `made`, and return the rows to withdraw (table, gone, of, from).

    The later of two versions of a key, by (version, known day), withdraws the other from its own known day, whichever
    was loaded first; two that tie both stand.
    """
    _, first = np.unique(made.row, return_index=True)
    made.duplicate[:] = True
    made.duplicate[first] = False
    keys, counts = np.unique(made.key, return_counts=True)
    there = _there(ws, source, keys)
    made.duplicate |= _known_already(there, made)
    old = np.isin(made.key, np.asarray(there["key"]))
    fresh = ~made.duplicate & (old | np.isin(made.key, keys[counts > 1]))
    made.updated = int((fresh & old).sum())
    whole = {
        name: np.concatenate([np.asarray(there[name]), getattr(made, name)[fresh]]) for name in ("key", "row", "known")
    }
    of = np.concatenate([np.asarray(there["load"]), np.full(int(fresh.sum()), load, np.int32)])
    stamp = pa.chunked_array([*there["version"].chunks, *made.version.filter(pa.array(fresh)).chunks], pa.string())
    rank = _ranked(stamp)
    order = np.lexsort((whole["known"], rank, whole["key"]))
    until = _superseded(whole["key"][order], rank[order], whole["known"][order])
    gone = until < DAY_MAX
    return withdrawals(source, whole["row"][order][gone], of[order][gone], until[gone])


def withdrawals(source: Source, row: Any, of: Any, since: Any, history: bool = False) -> pa.Table:
    """One row for each table that the source writes (with `history`: also those whose older versions stay in force)."""
    written = dict.fromkeys(w.table for w in source.writes if w.table != "identities")
    names = [name for name in written if history or name not in source.history]
    one = pa.table({"gone": np.asarray(row, np.int64), "of": np.asarray(of, np.int32), "from": days(since)})
    return pa.concat_tables([one.append_column("table", pa.array([name] * len(one), pa.string())) for name in names])


def span(asked: str) -> str:
    """Is it a month (2026-10) or the code of a place?"""
    return "month" if asked[4:5] == "-" else "place"


def replaced(ws: Workspace, source: Source, asked: str, known: dt.date, kept: NDArray[np.int64]) -> pa.Table:
    """The rows of this source, of a month (`2026-10`) or of a place, that are not among the hashes `kept`."""
    table, _, column = source.replaces[span(asked)].partition(".")
    loads = [load.id for load in ws.ledger.loads() if load.source == source.source]
    rows = ws.lake.read(ws.connect(), table, loads)
    rows = rows.filter(rows[column].cast("string").startswith(asked)).select("row", "load").distinct().to_pyarrow()
    rows = rows.filter(pa.array(~np.isin(np.asarray(rows["row"]), kept)))
    return withdrawals(source, rows["row"], rows["load"], np.full(len(rows), days_of(known)), history=True)


def _there(ws: Workspace, source: Source, keys: NDArray[np.int64]) -> pa.Table:
    """What the lake has under these keys: row, key, version, load, and the days `known` and `gone` (int32)."""
    con, table = ws.connect(), source.writes[0].table
    rows = ws.lake.read(con, table).semi_join(ibis.memtable(pa.table({"key": keys})), "key")
    withdrawn = ws.lake.read(con, "withdrawn")
    gone = withdrawn.filter(withdrawn.table == table).group_by(["gone", "of"]).aggregate(ended=withdrawn["from"].min())
    made = rows.left_join(gone, [("row", "gone"), ("load", "of")]).select(
        "row", "key", "version", "load", "known", "ended"
    )
    made = made.to_pyarrow()
    known, ended = made["known"].cast(pa.int32()), pc.fill_null(made["ended"].cast(pa.int32()), DAY_MAX)
    return made.drop_columns(["known", "ended"]).append_column("known", known).append_column("gone", ended)


def _known_already(there: pa.Table, made: Accounts) -> NDArray[np.bool_]:
    """Is the same content in the lake, known by then and not withdrawn by then?"""
    same = np.zeros(len(made.row), bool)
    there = there.sort_by("row")
    rows, known, gone = (np.asarray(there[name]) for name in ("row", "known", "gone"))
    first, last = np.searchsorted(rows, made.row), np.searchsorted(rows, made.row, "right")
    for step in range(int((last - first).max(initial=0))):  # hardly ever more than two
        at = np.minimum(first + step, len(rows) - 1)
        same |= (first + step < last) & (known[at] <= made.known) & (made.known < gone[at])
    return same


def _ranked(stamps: Any) -> NDArray[np.int64]:
    """The place of each version's text among all, in order; none comes first."""
    if not len(stamps):
        return np.zeros(0, np.int64)
    coded = stamps.combine_chunks().dictionary_encode()
    place = np.zeros(len(coded.dictionary) + 1, np.int64)
    place[np.asarray(pc.sort_indices(coded.dictionary))] = np.arange(1, len(coded.dictionary) + 1)
    ranked: NDArray[np.int64] = place[np.asarray(pc.fill_null(coded.indices, len(coded.dictionary)))]
    return ranked


@numba.njit(cache=True, nogil=True)
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
