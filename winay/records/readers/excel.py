"""A workbook's first sheet that is not empty, as the text that a spreadsheet would save as CSV."""

import csv
import datetime as dt
import io
from typing import IO, Any

from winay.programme.sources import Source


def as_text(file: IO[bytes], source: Source | None = None) -> bytes:
    """One line a row, with the number that the spreadsheet shows; the header, wherever it stands, is line 1.

    Numbers are written plainly (a code that lost its zeros is refused later, not guessed), dates in the first declared
    format of their column; of formulas, what they last said is read. Raises CalamineError when it cannot be read.
    """
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
    rows: list[list[Any]] = []
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        if any(map(_filled, rows)):
            break
    out = io.StringIO()
    writer = csv.writer(out, delimiter=source.delimiters[0] if source else ",", lineterminator="\n")
    top = next((number for number, row in enumerate(rows) if _filled(row)), 0)
    forms = [_form(str(cell), source) for cell in rows[top]] if rows else []
    for row in (*rows[top : top + 1], *[[]] * top, *rows[top + 1 :]):
        writer.writerow([_text(cell, form) for cell, form in zip(row, forms, strict=False)] if _filled(row) else [])
    return out.getvalue().encode()


def _filled(row: list[Any]) -> bool:
    return any(cell != "" for cell in row)


def _form(name: str, source: Source | None) -> str:
    column = source.called(name) if source else None
    return column.formats[0] if column else "%Y-%m-%d"


def _text(cell: Any, form: str) -> str:
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime | dt.date):
        return cell.strftime(form)
    return " ".join(str(cell).splitlines())  # a row is one line
