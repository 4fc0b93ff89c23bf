"""Load a delivery: read, translate, check, code, append. The same again changes nothing; nothing is half done."""

import datetime as dt
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.problems import Problem, WinayError, unknown_name, wrong_use
from winay.core.text import say
from winay.programme.load import Programme
from winay.programme.sources import Source
from winay.records import as_of, matching, tables, versions
from winay.records.readers import delimited
from winay.records.readers.opening import Limits, Rejected, check_file, refuse
from winay.records.translate import Translated, Translator, identities
from winay.workspace import disk
from winay.workspace.folder import Workspace

THREADS = 2
USUAL, FEW = 6, 20
"""The usual size of a delivery is the median of the last USUAL; of fewer records than FEW nobody is asked."""
WAITING = {
    "person": ("items", "enrolments", "exits"),
    "provider": ("items", "context"),
    "place": ("residences", "providers", "series", "context"),
}
"""What may arrive later, and the tables whose rows wait for it."""
COUNTS = ("records", "accepted", "refused", "duplicate", "created", "updated", "withdrawn")
Progress = Callable[[str, int], None]
"""Told after each block: the file, and how many of its records are read."""
Confirm = Callable[[str], bool]


@dataclass
class FileReport:
    """What became of one file. status: loaded, already (these bytes are in a finished load), or dry-run."""

    file: str
    status: str = "dry-run"
    load: int | None = None
    records: int = 0
    accepted: int = 0
    refused: int = 0
    duplicate: int = 0
    created: int = 0
    updated: int = 0
    withdrawn: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class Report:
    """What became of a delivery, file by file; a file that was rejected as a whole has its problem instead."""

    source: str
    known: dt.date
    files: list[FileReport] = field(default_factory=list)
    rejected: list[Problem] = field(default_factory=list)

    def total(self, count: str) -> int:
        return sum(getattr(file, count) for file in self.files)


@dataclass(frozen=True)
class Terms:
    """On which terms a delivery is loaded (see `load`)."""

    ws: Workspace
    programme: Programme
    source: Source
    known: dt.date
    keyed: bool = False
    replaces: str = ""
    mode: str = "delivered"
    limits: Limits = field(default_factory=Limits)


def load(
    ws: Workspace,
    programme: Programme,
    source: str,
    paths: Iterable[Path],
    known_on: dt.date,
    *,
    known_by_keyed: bool = False,
    dry_run: bool = False,
    replaces: str | None = None,
    progress: Progress | None = None,
    confirm: Confirm | None = None,
    mode: str = "delivered",
    limits: Limits = Limits(),  # noqa: B008
) -> Report:
    """Load files of one source. Each file is one load: whole, or rejected and told in the report, the others going on.

    known_on: the day they were delivered. known_by_keyed: history, each record known from the day the source registered
    it. replaces: a month or place of which this is now everything. confirm: asked before a file of less than half the
    usual size (without it such a file is rejected). A full disk, or a wrong question, is raised and stops.
    """
    if source not in programme.sources:
        raise WinayError(unknown_name(None, "source", source, programme.sources), status=2)
    declared = programme.sources[source]
    if known_by_keyed and not declared.registered:
        raise wrong_use('"{source}" does not say when a record was keyed in', hint="use --known-on DAY", source=source)
    if replaces and versions.span(replaces) not in declared.replaces:
        by = ", ".join(declared.replaces) or "-"
        raise wrong_use(
            '"{source}" cannot be replaced by {what}', "it can by: {by}", source=source, what=replaces, by=by
        )
    ws.lake.declare(tables.schemas(programme))
    terms = Terms(ws, programme, declared, known_on, known_by_keyed, replaces or "", mode, limits)
    report = Report(source, known_on)
    with ws.ledger.lock(say("loading {source}", source=source)):
        usual = _usual(terms)
        with ThreadPoolExecutor(1) as beside:  # the services of one file are derived while the next is read
            derived = []
            for path in map(Path, paths):
                try:
                    check_file(path, limits)
                    report.files.append(_one(terms, path, dry_run, usual, confirm, progress))
                except Rejected as error:
                    report.rejected += error.problems
                if not dry_run:
                    derived.append(beside.submit(matching.derive, ws, programme))
            for future in derived:
                future.result()
    return report


def _one(
    terms: Terms, path: Path, dry_run: bool, usual: int, confirm: Confirm | None, progress: Progress | None
) -> FileReport:
    ws, source = terms.ws, terms.source
    sha256 = disk.digest(path)
    before = ws.ledger.find(sha256, source.source)
    if before and not terms.replaces:
        records = before.counts.get("records", 0)
        return FileReport(path.name, "already", before.id, records, duplicate=records)
    read, notes = _read(terms, path, progress)
    accounts, records = pa.concat_tables(read.accounts), read.count
    if terms.mode == "delivered" and records * 2 < usual:
        question = "it has {records} records; a delivery of this source usually has {usual}"
        if not (confirm and confirm(say(question, records=records, usual=usual))):
            raise refuse(path, question, hint="if it is whole, load it again with --yes", records=records, usual=usual)
    number = 0
    if not dry_run:
        mode, size = "keyed" if terms.keyed else terms.mode, path.stat().st_size
        more = {"replaces": terms.replaces, "programme": terms.programme.hash}
        number = ws.ledger.begin(source.source, path.name, sha256, size, terms.known, mode, **more).id
    judged = versions.judge(ws, source, accounts, number)
    report = FileReport(path.name, records=records, accepted=judged.count, refused=len(read.refused), notes=notes)
    report.duplicate = len(accounts) - judged.count
    report.updated, report.created = judged.updated, judged.count - judged.updated
    report.reasons = dict(Counter(row.reason for row in read.refused).most_common())
    report.waiting = _waiting(terms, read)
    gone = judged.gone
    if terms.replaces:
        replaced = versions.replaced(ws, source, terms.replaces, terms.known, accounts)
        report.withdrawn = pc.count_distinct(replaced["gone"]).as_py()
        gone = pa.concat_tables([gone, replaced])
    if not dry_run:
        _write(terms, path, number, read, judged.fresh, gone)
        ws.ledger.finish(number, {name: getattr(report, name) for name in COUNTS}, read.retried)
        report.load, report.status = number, "loaded"
    return report


def _read(terms: Terms, path: Path, progress: Progress | None) -> tuple[Translated, list[str]]:
    """Every chunk, translated by two threads; and what to tell about the file."""
    source, pseudonyms = terms.source, terms.ws.vault.pseudonyms
    delivered = delimited.read(path, source, terms.limits)
    translator = Translator(terms.programme, source, pseudonyms, path.name, terms.known, terms.keyed)
    read = Translated()
    for part in _in_order(delivered.chunks, translator.translate):
        read.add(part)
        if progress:
            progress(path.name, read.count)
    if not read.count:
        raise refuse(path, "the file has a header and no records", hint="ask for the file again")
    notes = [say('the column "{name}" is not declared and was not read', name=name) for name in delivered.unknown]
    for name in source.used:
        forms = [form for form in source.by_name[name].formats if (name, form) in translator.formats]
        if len(forms) > 1:
            told = ", ".join(forms)
            notes.append(say('dates of "{name}" are written in several formats ({told})', name=name, told=told))
    return read, notes


def _usual(terms: Terms) -> int:
    """How many records a delivery of this source usually has; 0 while that says nothing."""
    loads = [x for x in terms.ws.ledger.loads() if x.source == terms.source.source and x.mode == "delivered"]
    sizes = [x.counts.get("records", 0) for x in loads[-USUAL:]]
    middle = int(np.median(sizes)) if sizes else 0
    return middle if middle >= FEW else 0


def _waiting(terms: Terms, read: Translated) -> dict[str, int]:
    """Rows whose person, facility or place has not arrived yet: they join by themselves when it does."""
    found = {}
    for kind, tables_of in WAITING.items():
        parts = [rows for table in tables_of for rows in read.rows.get(table, []) if kind in rows.column_names]
        if parts:
            values = pa.chunked_array([chunk for rows in parts for chunk in rows[kind].chunks]).drop_null()
            missing = as_of.missing(terms.ws, terms.programme, kind, values.unique())
            if count := pc.sum(pc.is_in(values, missing)).as_py():
                found[kind] = count
    return found


def _write(terms: Terms, path: Path, number: int, read: Translated, fresh: NDArray[np.bool_], gone: pa.Table) -> None:
    """Everything of the open load on the disk, except that it is done. fresh: is the record of a line no duplicate?"""
    ws = terms.ws
    people = (row for rows in read.rows.pop("identities", []) for row in identities(rows))
    for table in list(read.rows):
        schema = ws.lake.schema(table)
        batches = _batches(read.rows.pop(table), fresh, number, schema)
        ws.lake.append(table, pa.RecordBatchReader.from_batches(schema, batches), number)
    gone = gone.append_column("load", pa.array(np.full(len(gone), number, np.int32)))
    gone = gone.append_column("known", pa.array([terms.known] * len(gone), pa.date32()))
    ws.lake.append("withdrawn", gone, number)
    ws.vault.put(people, terms.known)
    ws.ledger.refuse(number, read.refused, ws.vault.seal)
    ws.vault.keep(path)


def _batches(
    parts: list[pa.Table], fresh: NDArray[np.bool_], number: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The rows of accepted records, with the number of their load, as the lake has them."""
    for rows in parts:
        rows = rows.filter(pa.array(fresh[np.asarray(rows["line"])]))
        rows = rows.append_column("load", pa.array(np.full(len(rows), number, np.int32)))
        yield from tables.fitted(rows, schema).combine_chunks().to_batches()


def _in_order(chunks: Iterator[Any], work: Callable[[Any], Any]) -> Iterator[Any]:
    """work(chunk) of each, in order, a few of them worked on at once."""
    waiting: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for chunk in chunks:
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
