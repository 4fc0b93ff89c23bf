"""A source's declaration read backwards: facts -> the lines of a file as it is delivered."""

import gzip
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from winay.core.ages import day_of
from winay.programme.sources import Cell, Source, SourceColumn

NEVER = np.int32(2**24)
"""A day that never comes: later than any other, and far from the end of int32."""
Facts = Callable[[str], Any]
"""A column of facts by its name: a canonical field, kind of identifier or system of places. None: unknown. int32: days."""


def lines(source: Source, fact: Facts, size: int, fill: Mapping[str, str]) -> pa.Table:
    """The lines of a file, all text: one column for each the source declares. fill: column -> text, see `written`."""
    cells: dict[str, pa.Array] = {}
    for write in source.writes:
        for field, cell in write.row.items():
            for name, values in _cells(source, field, cell, fact):
                cells.setdefault(name, values)
    cells |= {name: written(text, fact, size) for name, text in fill.items()}
    blank = pa.nulls(size, pa.string())
    return pa.table({column.name: cells.get(column.name, blank) for column in source.columns})


def written(text: str, fact: Facts, size: int) -> pa.Array:
    """The text for each row, with each `{fact}` in it; blank where one of them is."""
    parts = [pa.repeat("", size)]
    for words, name, how, _ in string.Formatter().parse(text):
        parts += (
            [pa.repeat(words, size), _told(fact(name), partial(_formatted, how))] if name else [pa.repeat(words, size)]
        )
    return pc.binary_join_element_wise(*parts, "")


def _formatted(how: str | None, value: Any) -> str:
    return format(value, how or "")


def _cells(source: Source, field: str, cell: Cell, fact: Facts) -> Iterator[tuple[str, pa.Array]]:
    """The columns that a canonical cell was read from, where its fact is known."""
    if cell.identifier_from:
        pairs = [(cell.identifier_from, "document_kind"), (cell.of[0], "document_number")]
    else:
        pairs = [(cell.column or (*cell.of, "")[0], cell.identifier or field)]
    for name, said in pairs:
        if name and (values := fact(said)) is not None:
            yield name, _told(values, _writer(source.by_name[name]))
    if cell.place and cell.place.join and (values := fact(cell.system or "")) is not None:
        theirs, parts = _told(values, str), cell.place.join
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


def _told(values: Any, write: Callable[[Any], str | None]) -> pa.Array:
    """Text for each value, `write` being called once a distinct value; blank stays blank."""
    numbers, distinct = pd.factorize(values)
    known = (
        [day_of(day) if day < NEVER else None for day in distinct] if values.dtype == np.int32 else distinct.tolist()
    )
    words = pa.array([None if word in (None, "") else write(word) for word in known], pa.string())
    return words.take(pa.array(numbers, mask=numbers < 0))


def save(table: pa.Table, path: Path, delimiter: str, mark: bool) -> None:
    """Write the lines, compressed where the name ends in .gz, quoted only where a cell needs it. No clock in the bytes."""
    for quoting in ("none", "needed"):
        text = pa.BufferOutputStream()
        with suppress(pa.ArrowInvalid):  # a cell holds the delimiter or a quote
            csv.write_csv(
                table, text, csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style=quoting)
            )
            break
    head = ("\ufeff" if mark else "") + delimiter.join(table.column_names) + "\n"
    written = head.encode() + text.getvalue().to_pybytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(written, 4, mtime=0) if path.suffix == ".gz" else written)
