"""Places and providers: what was loaded, over what the programme ships; codes of other systems turned into our own."""

import datetime as dt
from typing import Any

import pyarrow as pa
from pyarrow import csv

from winay.programme.load import Programme
from winay.records import tables

KEYS = {"places": "place", "providers": "provider"}


def shipped(programme: Programme, table: str) -> pa.Table:
    """The programme's own reference table (`reference/<table>.csv.gz`), with the columns of the canonical one."""
    schema = tables.schema(programme, table)
    path = programme.path / "reference" / f"{table}.csv.gz"
    if not path.is_file():
        return schema.empty_table()
    key = KEYS.get(table)
    kinds = {"code" if f.name == key else f.name: f.type for f in schema}
    options = csv.ConvertOptions(column_types=kinds, true_values=["yes"], false_values=["no"], strings_can_be_null=True)
    rows = csv.read_csv(path, convert_options=options)
    rows = rows.rename_columns([key if name == "code" else name for name in rows.column_names])
    return tables.fitted(rows, schema)


def known(programme: Programme, table: str, loaded: pa.Table) -> pa.Table:
    """One row a code, in order of code: each column from the latest loaded row that has it, else as shipped."""
    key, own = KEYS[table], [f.name for f in tables.schema(programme, table) if f.name not in tables.BOOKKEEPING]
    rows = pa.concat_tables([shipped(programme, table).select(own), loaded.sort_by("known").select(own)])
    last = rows.group_by(key, use_threads=False).aggregate([(name, "last") for name in own if name != key])
    return last.rename_columns([name.removesuffix("_last") for name in last.column_names]).select(own).sort_by(key)


def own_codes(places: pa.Table, systems: list[str], day: dt.date) -> dict[str, str]:
    """`system:code` -> our code; where several places share it, the one in force on `day`."""

    def in_force(row: dict[str, Any]) -> bool:
        return (row["since"] or day) <= day <= (row["until"] or day)

    rows = sorted(places.to_pylist(), key=in_force)  # the last one is kept
    return {f"{system}:{row[system]}": row["place"] for row in rows for system in systems if row[system]}
