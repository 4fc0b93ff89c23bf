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

from winay.core.problems import Problem, WinayError, unknown_name, wrong_use
from winay.core.text import say
from winay.programme.load import Programme
from winay.programme.sources import Source
from winay.records import as_of, matching, tables, versions
from winay.records.readers import delimited, excel
from winay.records.readers.opening import Limits, Rejected, check_file, is_workbook, refuse
from winay.records.translate import Refusals, Translated, Translator, identities
from winay.workspace import disk
from winay.workspace.folder import Workspace
from winay.workspace.ledger import Refused

THREADS = 2
USUAL, FEW = 6, 20
"""The usual size of a delivery is the median of the last USUAL; of fewer records than FEW nobody is asked."""
WAITING = {"person": ("items", "enrolments", "exits"), "provider": ("items",), "place": ("residences", "providers")}
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
        for path in map(Path, paths):
            try:
                check_file(path, limits)
                report.files.append(_one(terms, path, dry_run, usual, confirm, progress))
            except Rejected as error:
                report.rejected += error.problems
        if not dry_run:
            matching.derive(ws, programme)
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
    made, refusals, notes = _read(terms, path, progress)
    accounts = versions.Accounts.of(made)
    records = len(accounts.row) + len(refusals.line)
    if terms.mode == "delivered" and records * 2 < usual:
        question = "it has {records} records; a delivery of this source usually has {usual}"
        if not (confirm and confirm(say(question, records=records, usual=usual))):
            raise refuse(path, question, hint="if it is whole, load it again with --yes", records=records, usual=usual)
    number = 0
    if not dry_run:
        mode, size = "keyed" if terms.keyed else terms.mode, path.stat().st_size
        more = {"replaces": terms.replaces, "programme": terms.programme.hash}
        number = ws.ledger.begin(source.source, path.name, sha256, size, terms.known, mode, **more).id
    gone = versions.judge(ws, source, accounts, number)
    report = FileReport(path.name, records=records, refused=len(refusals.line), notes=notes)
    report.duplicate, report.updated = int(accounts.duplicate.sum()), accounts.updated
    report.accepted = records - report.refused - report.duplicate
    report.created = report.accepted - report.updated
    report.reasons = dict(Counter(refusals.reason).most_common())
    report.waiting = _waiting(terms, made)
    if terms.replaces:
        replaced = versions.replaced(ws, source, terms.replaces, terms.known, accounts.row)
        report.withdrawn = pc.count_distinct(replaced["gone"]).as_py()
        gone = pa.concat_tables([gone, replaced])
    if not dry_run:
        _write(terms, path, number, made, accounts, gone, refusals, {name: getattr(report, name) for name in COUNTS})
        report.load, report.status = number, "loaded"
    return report


def _read(terms: Terms, path: Path, progress: Progress | None) -> tuple[list[Translated], Refusals, list[str]]:
    """Every chunk, translated by two threads; what is refused, in order of line; what to tell."""
    with path.open("rb") as file:
        reader = excel.read if is_workbook(file) else delimited.read
    delivered = reader(path, terms.source, terms.limits)
    translator = Translator(terms.programme, terms.source, terms.ws.vault.pseudonyms, terms.known, terms.keyed)
    made, refusals, done = [], Refusals(), 0
    for chunk, good in _in_order(delivered.chunks, lambda c: translator.translate(c.columns(), c.lines, c.raw)):
        made.append(good)
        refusals.extend(good.refusals)
        for line, reason, found, raw in chunk.misshapen():
            refusals.add("", [line], found=[found], expected=[str(len(delivered.names))], reason=[reason], raw=[raw])
        done += chunk.count
        if progress:
            progress(path.name, done)
    if not done:
        raise refuse(path, "the file has a header and no records", hint="ask for the file again")
    notes = [say('the column "{name}" is not declared and was not read', name=name) for name in delivered.notes]
    for name in made[0].formats:  # of a column of dates written in more than one declared way
        counts = np.sum([part.formats[name] for part in made], axis=0)
        if (counts > 0).sum() > 1:
            told = ", ".join(
                f"{form}: {count}" for form, count in zip(terms.source.by_name[name].formats, counts, strict=True)
            )
            notes.append(say('dates of "{name}" are written in several formats ({told})', name=name, told=told))
    return made, refusals, notes


def _usual(terms: Terms) -> int:
    """How many records a delivery of this source usually has; 0 while that says nothing."""
    loads = [x for x in terms.ws.ledger.loads() if x.source == terms.source.source and x.mode == "delivered"]
    sizes = [x.counts.get("records", 0) for x in loads[-USUAL:]]
    middle = int(np.median(sizes)) if sizes else 0
    return middle if middle >= FEW else 0


def _waiting(terms: Terms, made: list[Translated]) -> dict[str, int]:
    """Rows whose person, facility or place has not arrived yet: they join by themselves when it does."""
    found = {}
    for kind, of in WAITING.items():
        rows = [rows[kind] for part in made for table, rows in part.rows if table in of and kind in rows.column_names]
        type_ = pa.int64() if kind == "person" else pa.string()
        values = pa.chunked_array([chunk for column in rows for chunk in column.cast(type_).chunks], type_).drop_null()
        if len(values):
            missing = as_of.missing(terms.ws, terms.programme, kind, values.unique())
            if count := pc.sum(pc.is_in(values, missing)).as_py():
                found[kind] = count
    return found


def _write(
    terms: Terms,
    path: Path,
    number: int,
    made: list[Translated],
    accounts: versions.Accounts,
    gone: pa.Table,
    refusals: Refusals,
    counts: dict[str, int],
) -> None:
    ws = terms.ws
    for table in dict.fromkeys(table for table, _ in made[0].rows if table != "identities"):
        schema = ws.lake.schema(table)
        batches = _batches(made, accounts, table, number, schema)
        ws.lake.append(table, pa.RecordBatchReader.from_batches(schema, batches), number)
    stamp = {"load": pa.scalar(number, pa.int32()), "known": pa.scalar(terms.known, pa.date32())}
    for name, value in stamp.items():
        gone = gone.append_column(name, pa.array([value.as_py()] * len(gone), value.type))
    ws.lake.append("withdrawn", gone, number)
    people = (row for part in made for table, rows in part.rows if table == "identities" for row in identities(rows))
    ws.vault.put(people, terms.known)
    said = zip(
        *(getattr(refusals, name) for name in ("line", "column", "reason", "expected", "found", "raw")), strict=True
    )
    refused = (Refused(path.name, a, b, c, d, e, raw.decode("utf-8", "surrogateescape")) for a, b, c, d, e, raw in said)
    ws.ledger.refuse(number, refused, ws.vault.seal)
    ws.vault.keep(path)
    ws.ledger.finish(number, counts, corrected=[row for part in made for row in part.retried])


def _batches(
    made: list[Translated], accounts: versions.Accounts, table: str, number: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The canonical rows of accepted records, chunk by chunk, with their bookkeeping."""
    at = 0
    for part in made:
        fresh = ~accounts.duplicate[at : at + len(part.row)]
        at += len(part.row)
        for (name, rows), of in zip(part.rows, part.of, strict=True):
            if name != table:
                continue
            mine, record = fresh[of], of[fresh[of]]
            columns = {n: rows[n].filter(pa.array(mine)) for n in rows.column_names}
            columns |= {"row": pa.array(part.row[record]), "key": pa.array(part.key[record])}
            columns |= {"line": pa.array(part.lines[record]), "load": pa.array(np.full(len(record), number, np.int32))}
            columns |= {"version": part.version.take(pa.array(record)), "known": tables.days(part.known[record])}
            yield from tables.fitted(pa.table(columns), schema).combine_chunks().to_batches()


def _in_order(chunks: Iterator[Any], work: Callable[[Any], Any]) -> Iterator[tuple[Any, Any]]:
    """(chunk, work(chunk)) in order, a few of them worked on at once."""
    waiting: deque[tuple[Any, Future[Any]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for chunk in chunks:
            waiting.append((chunk, pool.submit(work, chunk)))
            if len(waiting) > THREADS:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
