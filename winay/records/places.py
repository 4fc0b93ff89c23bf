"""Places and providers as known on a day, and every place code brought to the tree in force."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from winay.programme.load import Programme
from winay.records import tables
from winay.records.tables import BOOKKEEPING
from winay.workspace.folder import Workspace

KEYS = {"places": "place", "providers": "provider"}
_OWN = {column.name for column in BOOKKEEPING}


def shipped(programme: Programme, table: str) -> pa.Table:
    """The programme's own reference table (`reference/<table>.csv.gz`), with the columns of the canonical one."""
    schema = tables.schema(programme, table)
    path = programme.path / "reference" / f"{table}.csv.gz"
    if not path.is_file():
        return schema.empty_table()
    kinds = {"code" if f.name == KEYS[table] else f.name: f.type for f in schema}
    options = csv.ConvertOptions(column_types=kinds, true_values=["yes"], false_values=["no"], strings_can_be_null=True)
    rows = csv.read_csv(path, convert_options=options)
    rows = rows.rename_columns([KEYS[table] if name == "code" else name for name in rows.column_names])
    return pa.table(
        [rows[f.name].cast(f.type) if f.name in rows.column_names else pa.nulls(len(rows), f.type) for f in schema],
        schema=schema,
    )


def known(programme: Programme, table: str, loaded: pa.Table) -> pa.Table:
    """One row a code, in order of code: each column from the latest loaded row that has it, else as shipped."""
    rows = pa.concat_tables([loaded.cast(tables.schema(programme, table)), shipped(programme, table)])
    key = KEYS[table]
    age = pc.fill_null(rows["known"].cast(pa.int32()), -(2**31))
    rank = np.concatenate([np.arange(len(loaded)), np.full(len(rows) - len(loaded), 2**31 - 1)])
    order = np.lexsort((rank, -np.asarray(age).astype(np.int64), _codes(rows[key])))
    return first_valid(rows.take(pa.array(order)).drop_columns(sorted(_OWN & set(rows.column_names))), key)


def first_valid(rows: pa.Table, key: str) -> pa.Table:
    """One row for each run of equal `key`; in each column the first value of the run that is not null."""
    codes = _codes(rows[key])
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]]) if len(codes) else np.zeros(0, np.int64)
    return first_of_runs(rows, starts)


def first_of_runs(rows: pa.Table, starts: Any) -> pa.Table:
    """The same for runs given by their first rows."""
    made = {}
    for name in rows.column_names:
        column = rows[name].combine_chunks()
        if column.null_count and len(starts):
            at = np.where(np.asarray(column.is_valid()), np.arange(len(column)), len(column))
            first = np.minimum.reduceat(at, starts)
            ends = np.r_[starts[1:], len(column)]
            made[name] = column.take(pa.array(first, mask=first >= ends))
        else:
            made[name] = column.take(pa.array(starts))
    return pa.table(made)


def _codes(column: Any) -> Any:
    coded = (
        column.combine_chunks().dictionary_encode()
        if isinstance(column, pa.ChunkedArray)
        else column.dictionary_encode()
    )
    place = np.empty(len(coded.dictionary), np.int64)
    place[np.asarray(pc.sort_indices(coded.dictionary))] = np.arange(len(coded.dictionary))
    return place[np.asarray(coded.indices)] if len(coded.dictionary) else np.zeros(0, np.int64)


def bridge(places: pa.Table, systems: list[str], day: dt.date) -> dict[str, str]:
    """Every code that is not of the tree in force on `day`, to the one that is: totals are conserved.

    `system:code` becomes the own code (where several places share it, the one in force). An older code becomes its
    successor (of several, the one of the same name, else the first); a newer one its predecessor.
    """
    rows = {row["place"]: row for row in places.to_pylist()}
    force = {code for code, row in rows.items() if in_force(row, day)}
    successors: dict[str, list[str]] = {}
    for code, row in sorted(rows.items()):
        for old in (row["predecessors"] or "").split(";"):
            successors.setdefault(old, []).append(code)

    def placed(code: str, seen: frozenset[str] = frozenset()) -> str | None:
        if code in force or code in seen:
            return code if code in force else None
        row = rows[code]
        later = sorted(successors.get(code, []), key=lambda new: (rows[new]["name"] != row["name"], new))
        older = [old for old in (row["predecessors"] or "").split(";") if old in rows]
        ways = later if row["until"] and row["until"] < day else older
        return next((end for way in ways if (end := placed(way, seen | {code}))), None)

    made = {code: end for code in rows if code not in force and (end := placed(code))}
    for system in systems:
        for code, row in sorted(rows.items(), key=lambda item: item[0] in force):
            if row[system]:
                made[f"{system}:{row[system]}"] = made.get(code, code)
    return made


def in_force(row: dict[str, Any], day: dt.date) -> bool:
    return (row["since"] is None or row["since"] <= day) and (row["until"] is None or day <= row["until"])


def missing(ws: Workspace, programme: Programme, kind: str, values: pa.Array) -> pa.Array:
    """Those of the codes (kind: place or provider) that neither a load nor the programme has."""
    table = f"{kind}s"
    loaded = ws.lake.read(ws.connect(), table)
    names = [kind, *(tables.code_systems(programme) if kind == "place" else [])]
    rows = pa.concat_tables(
        [
            loaded.select(*names).to_pyarrow().cast(pa.schema([(n, pa.string()) for n in names])),
            shipped(programme, table).select(names),
        ]
    )
    there = [rows[kind], *(pc.binary_join_element_wise(f"{s}:", rows[s], "") for s in names[1:])]
    return values.filter(pc.invert(pc.is_in(values, pa.chunked_array([c for column in there for c in column.chunks]))))
