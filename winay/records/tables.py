"""The canonical tables: column, type, unit and meaning of each, whatever source brought the row.

Every row also carries the bookkeeping that it came with. Text codes are never numbers; days have no time.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from winay.core.problems import Problem, unknown_name
from winay.programme.load import Programme

DAY_MAX = 2**31 - 1
"""Days since 1970 for "not yet": a row that nothing withdrew."""
ARROW = {
    "hash": pa.int64(),  # keyed
    "person": pa.int64(),  # pseudonym
    "text": pa.string(),
    "integer": pa.int32(),
    "decimal": pa.float64(),
    "date": pa.date32(),
    "yes_no": pa.bool_(),
}
BOOKKEEPING = {
    "row": "hash",  # content of the source's record: the same again is a duplicate
    "key": "hash",  # what names the record in its source: another content is another version
    "version": "text",  # the source's own stamp of the version
    "load": "integer",  # the load that brought it
    "line": "integer",  # physical line of the delivered file where the record starts
    "known": "date",  # the day from which it is known
}

TABLES: dict[str, dict[str, str]] = {
    "people": {
        "person": "person",  # an identifier that a registry row names somebody by
        "kind": "text",  # kind of subject
        "birth": "date",  # birth; of an episode, the day it ended
        "rank": "integer",  # which row is preferred, lowest first; empty: it only describes somebody a ranked row lists
        "source": "text",  # who said so
    },
    "same_as": {
        "a": "person",  # an identifier
        "b": "person",  # another identifier of the same person
    },
    "residences": {
        "person": "person",  # who
        "place": "text",  # code; `system:code` where the code is of another system
        "settlement": "text",  # village or neighbourhood
        "since": "date",  # the day it is said to begin; empty: the known day
    },
    "items": {
        "person": "person",  # who was attended
        "contact": "hash",  # one person, one day, one place
        "day": "date",  # day of the service
        "provider": "text",  # facility
        "code": "text",  # what was done or found
        "type": "text",  # kind of entry
        "lab": "text",  # complement of the code
        "haemoglobin": "decimal",  # observed haemoglobin (g/dL)
        "weight": "decimal",  # weight (kg)
        "height": "decimal",  # length or height (cm)
        "source": "text",  # who said so
    },
    "enrolments": {
        "person": "person",  # who
        "programme": "text",  # in which programme
        "since": "date",  # first day
        "until": "date",  # last day; empty: still in
    },
    "exits": {
        "person": "person",  # who
        "day": "date",  # from this day on no list
        "kind": "text",  # died, left or wrong
    },
    "providers": {
        "provider": "text",  # code
        "name": "text",  # name
        "place": "text",  # where it is
    },
    "places": {
        "place": "text",  # code
        "name": "text",  # name
        "level": "text",  # level of the tree
        "parent": "text",  # code of the place it lies in
        "since": "date",  # first day in force; empty: always
        "until": "date",  # last day in force; empty: still
        "predecessors": "text",  # codes it was made from, separated by `;`
    },
    "series": {
        "series": "text",  # key of a published series
        "place": "text",  # code
        "period": "text",  # year, or month as 2026-05
        "value": "decimal",  # as published, in the unit of the series
        "low": "decimal",  # lower end of its interval
        "high": "decimal",  # upper end of its interval
        "numerator": "decimal",  # of a share
        "denominator": "decimal",  # of a share; of a survey its cases
        "published": "date",  # the day it was published
    },
    "context": {
        "place": "text",  # where it happened; empty, and no facility named: everywhere
        "provider": "text",  # the one facility that it touched
        "product": "text",  # the one product that it touched
        "since": "date",  # first day
        "until": "date",  # last day; empty: still
        "kind": "text",  # strike, stock-out, flood, epidemic, system-down or no-staff
        "note": "text",  # in the words of whoever told it
    },
    "withdrawn": {
        "table": "text",  # the table of the row
        "gone": "hash",  # `row` of the withdrawn row
        "of": "integer",  # `load` of the withdrawn row
        "from": "date",  # from this known day it is not in force
    },
}
OF = {"people": "subject", "places": "place", "providers": "provider"}
SAID = {"set": "text", "provider": "text", "place": "text"}
"""How a programme's attribute is kept, where not by its own type."""


def columns(programme: Programme, table: str) -> dict[str, str]:
    """The types of the table's own columns, the programme's attributes, other codes of places, and the bookkeeping."""
    said = sorted((name, a.type) for name, a in programme.attributes.items() if a.of == OF.get(table))
    attributes = {name: SAID.get(kind, kind) for name, kind in said}
    systems = dict.fromkeys(code_systems(programme) if table == "places" else [], "text")
    own = TABLES[table]
    return own | {name: kind for name, kind in attributes.items() if name not in own} | systems | BOOKKEEPING


def code_systems(programme: Programme) -> list[str]:
    """The other systems of place codes that a source of this programme writes in."""
    cells = [cell for s in programme.sources.values() for w in s.writes for cell in w.row.values()]
    return sorted({cell.system for cell in cells if cell.system})


def schema(programme: Programme, table: str) -> pa.Schema:
    """The table as Arrow sees it."""
    return pa.schema([(name, ARROW[kind]) for name, kind in columns(programme, table).items()])


def schemas(programme: Programme) -> dict[str, pa.Schema]:
    return {table: schema(programme, table) for table in TABLES}


def days(numbers: Any) -> pa.Array:
    """Days since 1970 as dates of Arrow."""
    return pa.array(np.asarray(numbers, np.int32)).cast(pa.date32())


def fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with exactly the columns of the schema, in their types; what is not there is null."""
    have = set(rows.column_names)
    columns = [rows[f.name].cast(f.type) if f.name in have else pa.nulls(len(rows), f.type) for f in schema]
    return pa.table(columns, schema=schema)


def check(programme: Programme) -> list[Problem]:
    """Tables and canonical columns that a source names and that do not exist."""
    problems = []
    for source in programme.sources.values():
        named = [*source.history, *(path.partition(".")[0] for path in source.replaces.values())]
        problems += [unknown_name(source.at, "table", table, TABLES) for table in named if table not in TABLES]
    for write in (write for source in programme.sources.values() for write in source.writes):
        if write.table in TABLES:
            known = columns(programme, write.table)
            problems += [unknown_name(write.at, "column", name, known) for name in write.row if name not in known]
        elif write.table != "identities":
            problems.append(unknown_name(write.at, "table", write.table, [*TABLES, "identities"]))
    return problems
