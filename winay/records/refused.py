"""Refused records: listed, exported with their reasons, corrected, and loaded again."""

import csv
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

from winay.core.text import say
from winay.programme.load import Programme
from winay.records import witness
from winay.records.load import Report, load
from winay.records.readers.header import EXTRA, delimiter, plain
from winay.records.translate import RETRIED
from winay.workspace import disk
from winay.workspace.folder import Workspace
from winay.workspace.ledger import Refused

REASONS = {
    "blank": "it is blank",
    "pattern": "it is not written as declared",
    "unknown_code": "it is not one of the declared codes",
    "not_a_date": "it is not a date of the declared format",
    "too_early": "the day is too early",
    "future": "the day is later than the file's",
    "not_a_number": "it is not a number",
    "out_of_range": "it is outside the plausible range",
    "fields": "the record has another number of cells than the header",
    "cut": "the last line is cut",
    "nul": "the record has a NUL byte",
    "carriage_return": "a carriage return stands inside the record",
    "open_quote": "a quote is opened and not closed",
    "long_cell": "a cell is too long",
}
"""reason code -> what is wrong, for people."""
SHOWN = ("file", "line", "column", "reason", "found", "expected")


def listed(ws: Workspace, source: str | None = None, load: int | None = None, names: bool = False) -> Iterator[Refused]:
    """The refused records nobody corrected yet. `names`: with what they said (only for who may see people)."""
    return ws.ledger.refused(load=load, source=source, unseal=ws.vault.unseal if names else None)


def export(ws: Workspace, programme: Programme, source: str, path: Path) -> int:
    """Write the refused records of a source as CSV: their own cells under the declared names, and behind them which
    refused row it is, where it came from and why. Returns how many. Only for who may see people."""
    declared = programme.sources[source]
    known = {plain(name): column.name for column in declared.columns for name in column.names}
    columns = [column.name for column in declared.columns]
    extra = [RETRIED, *(EXTRA + name for name in SHOWN)]
    headers: dict[int, tuple[list[str], str]] = {}
    count = 0
    with disk.staged(path) as draft, draft.open("w", newline="", encoding="utf-8-sig") as file:
        out = csv.DictWriter(
            file, [*columns, *extra], delimiter=declared.delimiters[0], extrasaction="ignore", restval=""
        )
        out.writeheader()
        for row in listed(ws, source, names=True):
            if row.load not in headers:
                first = witness.header(ws, row.load).decode("utf-8", "replace").rstrip("\r\n")
                mark = delimiter(Path(row.file), first, declared)
                headers[row.load] = (
                    [known.get(plain(cell), cell) for cell in next(csv.reader([first], delimiter=mark))],
                    mark,
                )
            names, mark = headers[row.load]
            cells = next(csv.reader([row.raw], delimiter=mark), [])
            why = {EXTRA + name: str(getattr(row, name)) for name in SHOWN} | {
                EXTRA + "reason": say(REASONS[row.reason])
            }
            out.writerow(dict(zip(names, cells, strict=False)) | why | {RETRIED: row.id})
            count += 1
    return count


def retry(
    ws: Workspace,
    programme: Programme,
    source: str,
    path: Path,
    known_on: dt.date,
    progress: Callable[[str, int], None] | None = None,
) -> Report:
    """Load a corrected export; the refused rows that its accepted lines name leave the store."""
    return load(ws, programme, source, [path], known_on, progress=progress, mode="retry")
