"""A workbook's one sheet with the declared columns, as the delimited reader would give it."""

import csv
import datetime as dt
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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
    """Open a workbook: its first sheet that is not empty. Numbers are written plainly (a code that lost its zeros is
    refused later, not guessed), dates in the first declared format; of formulas, what they last said is read."""
    from python_calamine import CalamineError

    try:
        with path.open("rb") as file:
            sheet = _sheet(file)
    except CalamineError as error:
        hint = "open it in a spreadsheet and save it again, or save the sheet as CSV UTF-8"
        raise refuse(path, "the workbook cannot be read: {why}", hint=hint, why=str(error)) from error
    if not sheet:
        raise refuse(path, "the workbook is empty", hint="ask for the file again")
    (_, cells), *body = sheet
    names, strange = header.columns(path, [_text(cell, "") for cell in cells], source, limits)
    wanted = [name for name in names if name in source.used or name.startswith(header.EXTRA)]
    forms = [source.by_name[name].formats[0] if name in source.by_name else "%Y-%m-%d" for name in names]
    rows = [[_text(cell, form) for cell, form in zip(cells, forms, strict=False)] for _, cells in body]
    records = Sheet(names, [number for number, _ in body], rows, wanted)
    return Delivered(names, "", ",", iter([records] if rows else []), strange)


def row(file: IO[bytes], number: int) -> bytes:
    """One row, by the number the spreadsheet shows; 1 is the header, wherever it stands."""
    sheet = _sheet(file)
    cells = sheet[0][1] if number == 1 else dict(sheet)[number]
    return line([_text(cell, "%Y-%m-%d") for cell in cells])


def _sheet(file: IO[bytes]) -> list[tuple[int, list[Any]]]:
    """(number, cells) of the rows that are not blank, of the first sheet that has any."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        if full := [(n, cells) for n, cells in enumerate(rows, 1) if any(cell != "" for cell in cells)]:
            return full
    return []


def _text(cell: Any, form: str) -> str:
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime | dt.date):
        return cell.strftime(form)
    return str(cell)
