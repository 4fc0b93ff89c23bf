"""A workbook's one sheet with the declared columns, as the delimited reader would give it."""

import csv
import datetime as dt
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from winay.programme.sources import Source
from winay.records.readers import header
from winay.records.readers.delimited import Delivered
from winay.records.readers.opening import Limits, refuse


@dataclass
class Sheet:
    """All records of a sheet; `line` is the row number that the spreadsheet shows."""

    names: list[str]
    numbers: list[int]
    rows: list[list[str]]
    wanted: list[str]

    @property
    def lines(self) -> NDArray[np.int32]:
        return np.array(self.numbers, np.int32)

    @property
    def count(self) -> int:
        return len(self.rows)

    def columns(self) -> dict[str, Any]:
        kind = pa.dictionary(pa.int32(), pa.string())
        at = {name: self.names.index(name) for name in self.wanted}
        return {
            name: pa.array([row[i] for row in self.rows], pa.string()).dictionary_encode().cast(kind)
            for name, i in at.items()
        }

    def misshapen(self) -> list[tuple[int, str, str, bytes]]:
        return []

    def raw(self, keep: Any) -> list[bytes]:
        return [line(row) for row, wanted in zip(self.rows, keep.tolist(), strict=True) if wanted]


def line(cells: list[str]) -> bytes:
    """The cells as one line of CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue().encode()


def read(path: Path, source: Source, limits: Limits = Limits()) -> Delivered:  # noqa: B008
    """Open a workbook. Numbers are written plainly (a code that lost its zeros is refused later, not guessed), dates in
    the first declared format; formulas are never run: what they last said is read."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        sheets = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in book.sheet_names]
    except CalamineError as error:
        hint = "open it in a spreadsheet and save it again, or save the sheet as CSV UTF-8"
        raise refuse(path, "the workbook cannot be read: {why}", hint=hint, why=str(error)) from error
    full = [(name, rows) for name, rows in sheets if any(cell != "" for row in rows for cell in row)]
    if not full:
        raise refuse(path, "the workbook is empty", hint="ask for the file again")
    known = {header.plain(name) for column in source.columns for name in column.names}
    fitting = [(name, rows) for name, rows in full if any(header.plain(str(cell)) in known for cell in _first(rows)[1])]
    if len(fitting) != 1:
        hint = "leave the one sheet with the records"
        raise refuse(path, "{count} sheets have columns of this source", "exactly one", hint, count=len(fitting))
    start, cells = _first(fitting[0][1])
    names, strange = header.columns(path, [str(cell) for cell in cells], source, limits)
    wanted = [name for name in names if name in source.used or name.startswith(header.EXTRA)]
    forms = [source.by_name[name].formats[0] if name in source.by_name else "%Y-%m-%d" for name in names]
    body = [(n, row) for n, row in enumerate(fitting[0][1][start + 1 :], start + 2) if any(cell != "" for cell in row)]
    rows = [[_text(cell, form) for cell, form in zip(row, forms, strict=False)] for _, row in body]
    sheet = Sheet(names, [n for n, _ in body], rows, wanted)
    return Delivered(names, "", ",", iter([sheet] if rows else []), strange)


def _first(rows: list[list[Any]]) -> tuple[int, list[Any]]:
    """The first row that is not blank, and its number from 0."""
    return next((n, row) for n, row in enumerate(rows) if any(cell != "" for cell in row))


def _text(cell: Any, form: str) -> str:
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime | dt.date):
        return cell.strftime(form)
    return str(cell)


def is_sheet(file: io.BytesIO) -> bool:
    """Are these the bytes of a workbook?"""
    start = file.getvalue()[:4]
    if not start.startswith(b"PK\x03\x04"):
        return start == b"\xd0\xcf\x11\xe0"
    with zipfile.ZipFile(file) as archive:
        return any(name.startswith("xl/") for name in archive.namelist())


def row(file: io.BytesIO, number: int) -> bytes:
    """One row of the workbook's first sheet that is not empty, by the number the spreadsheet shows."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(file)
    sheets = (book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names)
    rows = next(rows for rows in sheets if any(cell != "" for cells in rows for cell in cells))
    start = _first(rows)[0] + 1 if number == 1 else number
    return line([_text(cell, "%Y-%m-%d") for cell in rows[start - 1]])
