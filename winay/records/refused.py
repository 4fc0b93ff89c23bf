"""Refused records: listed, exported with their reasons, corrected, and loaded again."""

import csv
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

from winay.core.text import say
from winay.programme.load import Programme
from winay.records import witness
from winay.records.cells import REASONS
from winay.records.load import Report, load
from winay.records.readers.delimited import EXTRA, delimiter, split
from winay.records.translate import RETRIED
from winay.workspace import disk
from winay.workspace.folder import Workspace
from winay.workspace.ledger import Refused

SHOWN = ("file", "line", "column", "reason", "found", "expected")


def listed(ws: Workspace, source: str | None = None, load: int | None = None, names: bool = False) -> Iterator[Refused]:
    """The refused records nobody corrected yet. `names`: with what they said (only for who may see people)."""
    return ws.ledger.refused(load=load, source=source, unseal=ws.vault.unseal if names else None)


def export(ws: Workspace, programme: Programme, source: str, path: Path) -> int:
    """Write the refused records of a source as CSV: their own cells under the declared names, and behind them which
    refused row it is, where it came from and why. Returns how many. Only for who may see people."""
    declared = programme.sources[source]
    columns = [*(column.name for column in declared.columns), RETRIED, *(EXTRA + name for name in SHOWN)]
    headers: dict[int, tuple[list[str], str]] = {}
    rows = list(listed(ws, source, names=True))
    with disk.staged(path) as draft, draft.open("w", newline="", encoding="utf-8-sig") as file:
        out = csv.DictWriter(file, columns, restval="", extrasaction="ignore", delimiter=declared.delimiters[0])
        out.writeheader()
        for row in rows:
            if row.load not in headers:
                first = witness.header(ws, row.load, declared).decode("utf-8", "replace").rstrip("\r\n")
                mark = delimiter(Path(row.file), first, declared)
                called = [(cell, declared.called(cell)) for cell in split(first, mark)]
                headers[row.load] = [column.name if column else cell for cell, column in called], mark
            names, mark = headers[row.load]
            cells = dict(zip(names, split(row.raw, mark), strict=False))
            why = {EXTRA + name: str(getattr(row, name)) for name in SHOWN}
            out.writerow(cells | why | {EXTRA + "reason": say(REASONS[row.reason]), RETRIED: row.id})
    return len(rows)


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
