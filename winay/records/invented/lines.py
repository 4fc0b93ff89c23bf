"""A source's declaration read backwards: rows of facts -> the lines of a file as it is delivered."""

import gzip
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from winay.core.ages import day_of
from winay.programme.sources import Cell, Source, SourceColumn
from winay.records.invented.people import NEVER

Codes = Mapping[str, Mapping[str, str]]
"""System of place codes -> our code -> its own."""


def lines(source: Source, rows: pd.DataFrame, fill: Mapping[str, str], codes: Codes) -> pa.Table:
    """The lines of a file, all text: one column for each the source declares.

    rows: facts under the names of canonical fields and kinds of identifier; int32 are days. fill: column -> text, or one
    `{fact}` with a format.
    """
    cells: dict[str, pa.Array] = {}
    for write in source.writes:
        for field, cell in write.row.items():
            for name, values in _cells(source, field, cell, rows, codes):
                cells.setdefault(name, values)
    for name, text in fill.items():
        facts = [fact for _, fact, _, _ in string.Formatter().parse(text) if fact]
        if facts:
            cells[name] = _told(rows[facts[0]], lambda value: text.format(**{facts[0]: value}))  # noqa: B023
        else:
            cells[name] = pa.repeat(text, len(rows))
    blank = pa.nulls(len(rows), pa.string())
    return pa.table({column.name: cells.get(column.name, blank) for column in source.columns})


def _cells(source: Source, field: str, cell: Cell, rows: pd.DataFrame, codes: Codes) -> Iterator[tuple[str, pa.Array]]:
    """The columns that a canonical cell was read from."""
    if cell.column and field in rows:
        yield cell.column, _told(rows[field], _writer(source.by_name[cell.column]))
    elif cell.identifier and cell.identifier in rows:
        yield cell.of[0], _told(rows[cell.identifier], str)
    elif cell.identifier_from and "document_kind" in rows:
        yield cell.identifier_from, _told(rows["document_kind"], _writer(source.by_name[cell.identifier_from]))
        yield cell.of[0], _told(rows["document_number"], str)
    elif cell.place and cell.place.join and field in rows:
        theirs, parts = _told(rows[field], codes[cell.system or ""].get), cell.place.join
        width = pc.max(pc.utf8_length(theirs)).as_py() // len(parts)
        for number, name in enumerate(parts):
            yield name, pc.utf8_slice_codeunits(theirs, number * width, (number + 1) * width)


def _writer(column: SourceColumn) -> Callable[[Any], str | None]:
    """How the column writes a value: its first date format, its own codes for ours."""
    if column.type == "date":
        return lambda day: str(day.strftime(column.formats[0]))
    if column.values is None:
        return lambda value: f"{value:g}" if isinstance(value, float) else str(value)
    theirs = {ours: code for code, ours in reversed(column.values.items())}

    def coded(value: str) -> str | None:
        parts = value.split(column.separator) if column.separator else [value]
        return (column.separator or "").join(theirs[part] for part in parts if part in theirs) or None

    return coded


def _told(values: pd.Series, write: Callable[[Any], str | None]) -> pa.Array:
    """Text for each value, `write` being called once a distinct value; blank stays blank."""
    coded = pd.Categorical(values)
    known = coded.categories.tolist()
    if values.dtype == np.int32:
        known = [day_of(day) if day < NEVER else None for day in known]
    words = pa.array([None if word in (None, "") else write(word) for word in known], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(coded.codes, mask=coded.codes < 0), words).dictionary_decode()


def save(table: pa.Table, path: Path, delimiter: str, mark: bool) -> None:
    """Write the lines, compressed where the name ends in .gz, quoted only where a cell needs it. No clock in the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for quoting in ("none", "needed"):
        text = pa.BufferOutputStream()
        with suppress(pa.ArrowInvalid):  # a cell holds the delimiter or a quote
            how = csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style=quoting)
            csv.write_csv(table, text, how)
            break
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 4, raw, mtime=0) if path.suffix == ".gz" else raw as out:
        out.write((("\ufeff" if mark else "") + delimiter.join(table.column_names) + "\n").encode())
        out.write(text.getvalue())
