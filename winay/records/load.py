"""Load a delivery: read, translate, check, code, link, append. The same again changes nothing; nothing is half done."""

import datetime as dt
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from winay.core.ages import days_of
from winay.core.problems import Problem, WinayError, unknown_name, wrong_use
from winay.core.text import say
from winay.programme.load import Programme
from winay.programme.sources import Source
from winay.records import as_of, matching, versions
from winay.records.readers import delimited, excel
from winay.records.readers.opening import Limits, check_file, is_workbook, refuse
from winay.records.translate import Refusals, Translated, Translator, identities
from winay.workspace import disk
from winay.workspace.folder import Workspace
from winay.workspace.ledger import Refused

THREADS = 2
USUAL, FEW = 6, 20
"""The usual size of a delivery is the median of this many; below so many records nobody is asked."""
WAITING = ("items", "enrolments", "exits")
"""Tables whose rows wait for a person that another source names."""
Progress = Callable[[str, int], None]
"""Told after each block: what is being done, and how many records of it are done."""


@dataclass
class FileReport:
    """What became of one file. status: loaded, already (these bytes are in a finished load), or dry-run."""

    file: str
    status: str
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


@dataclass
class Staged:
    """A file read and judged, not written yet."""

    made: list[Translated]
    refusals: Refusals
    accounts: versions.Accounts
    withdrawn: pa.Table | None = None
    notes: list[str] = field(default_factory=list)


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
    confirm: Callable[[str], bool] | None = None,
    mode: str = "delivered",
    limits: Limits = Limits(),  # noqa: B008
) -> Report:
    """Load files of one source. Each file is one load: whole, or rejected and told in the report, the others going on.

    known_on: the day they were delivered. known_by_keyed: history, each record known from the day the source registered
    it. replaces: a month or place of which this is now everything. confirm: asked before a file of less than half the
    usual size (without it such a file is rejected). Raises for what is no fault of the data.
    """
    if source not in programme.sources:
        raise WinayError(unknown_name(None, "source", source, programme.sources), status=2)
    declared = programme.sources[source]
    if known_by_keyed and not declared.registered:
        raise wrong_use('the source "{source}" does not say when a record was keyed in', hint="use --known-on DAY", source=source)
    if replaces and ("month" if replaces[4:5] == "-" else "place") not in declared.replaces:
        raise wrong_use('"{source}" cannot be replaced by {what}', hint="it can by: {known}", source=source, what=replaces, known=", ".join(declared.replaces) or "-")
    versions.schemas(ws, programme)
    report = Report(source, known_on)
    with ws.ledger.lock(say("loading {source}", source=source)):
        usual = [sum(x.counts.get(k, 0) for k in ("accepted", "refused", "duplicate")) for x in ws.ledger.loads() if x.source == source and x.mode == "delivered"]
        for path in paths:
            try:
                work = _Work(ws, programme, declared, Path(path), known_on, known_by_keyed, replaces or "", mode, limits)
                report.files.append(work.run(dry_run, usual[-USUAL:], confirm, progress))
            except WinayError as error:
                report.rejected += error.problems
        if not dry_run:
            matching.derive(ws, programme)
    return report


@dataclass
class _Work:
    """One file on its way; what every step needs to know."""

    ws: Workspace
    programme: Programme
    source: Source
    path: Path
    known: dt.date
    keyed: bool
    replaces: str
    mode: str
    limits: Limits

    def run(self, dry_run: bool, usual: list[int], confirm: Callable[[str], bool] | None, progress: Progress | None) -> FileReport:
        check_file(self.path, self.limits)
        sha256, size = disk.digest(self.path), self.path.stat().st_size
        before = self.ws.ledger.find(sha256, self.source.source)
        if before and not self.replaces:
            records = before.counts.get("records", 0)
            return FileReport(self.path.name, "already", before.id, records, duplicate=records)
        translated, refusals, notes = self._read(progress)
        staged = Staged(translated, refusals, _accounts(translated), notes=notes)
        records = len(staged.accounts.row) + len(refusals.line)
        self._ask(records, usual, confirm)
        begun = None
        if not dry_run:
            terms: dict[str, Any] = {"replaces": self.replaces, "programme": self.programme.hash}
            begun = self.ws.ledger.begin(self.source.source, self.path.name, sha256, size, self.known, "keyed" if self.keyed else self.mode, **terms)
        report = self._judge(staged, begun.id if begun else 0, records)
        if begun:
            report.load, report.status = begun.id, "loaded"
            self._write(staged, begun.id, report)
        return report

    def _read(self, progress: Progress | None) -> tuple[list[Translated], Refusals, list[str]]:
        """Every chunk, translated by two threads; what is refused, in order of line."""
        reader = excel.read if is_workbook(self.path) else delimited.read
        delivered = reader(self.path, self.source, self.limits)
        translator = Translator(self.programme, self.source, self.ws.vault.pseudonyms, self.known, self.keyed)
        made, refusals, done = [], Refusals(), 0
        for chunk, (good, refused) in _in_order(delivered.chunks, lambda c: translator.translate(c.columns(), c.lines, c.raw)):
            made.append(good)
            for line, reason, found, raw in chunk.misshapen():
                refused.add([line], "", [found], [str(len(delivered.names))], [reason], [raw])
            for name in refused.__dataclass_fields__:
                getattr(refusals, name).extend(getattr(refused, name))
            done += chunk.count
            if progress:
                progress(self.path.name, done)
        if not done:
            raise refuse(self.path, "the file has a header and no records", hint="ask for the file again")
        notes = [say('the column "{name}" is not declared and was not read', name=name) for name in delivered.notes]
        return made, refusals, notes + _formats(self.source, made)

    def _ask(self, records: int, usual: list[int], confirm: Callable[[str], bool] | None) -> None:
        middle = int(np.median(usual)) if usual else 0
        if self.mode != "delivered" or middle < FEW or records * 2 >= middle:
            return
        facts = {"records": records, "usual": middle}
        question = "it has {records} records; a delivery of this source usually has {usual}"
        if not (confirm and confirm(say(question, **facts))):
            raise refuse(self.path, question, hint="if it is whole, load it again with --yes", **facts)

    def _judge(self, staged: Staged, number: int, records: int) -> FileReport:
        accounts = staged.accounts
        gone = [versions.judge(self.ws, self.programme, self.source, accounts, number)]
        if self.replaces:
            gone.append(versions.replaced(self.ws, self.source, self.replaces, self.known, accounts.row))
        staged.withdrawn = pa.concat_tables(gone)
        accepted = int((~accounts.duplicate).sum())
        report = FileReport(self.path.name, "dry-run", None, records, accepted, len(staged.refusals.line), int(accounts.duplicate.sum()))
        report.updated, report.created = accounts.updated, accepted - accounts.updated
        report.withdrawn = len(gone[1]) if self.replaces else 0
        report.reasons = dict(Counter(staged.refusals.reason).most_common())
        report.waiting = self._waiting(staged)
        report.notes = staged.notes
        return report

    def _write(self, staged: Staged, number: int, report: FileReport) -> None:
        ws = self.ws
        names = dict.fromkeys(table for table, _ in staged.made[0].rows if table != "identities")
        for table in names:
            schema = ws.lake.schema(table)
            ws.lake.append(table, pa.RecordBatchReader.from_batches(schema, self._batches(staged, table, number, schema)), number)
        if staged.withdrawn is not None and len(staged.withdrawn):
            stamp = {"load": np.full(len(staged.withdrawn), number, np.int32), "known": _days(np.full(len(staged.withdrawn), days_of(self.known)))}
            rows = staged.withdrawn
            for name, column in stamp.items():
                rows = rows.append_column(name, pa.array(column) if name == "load" else column)
            ws.lake.append("withdrawn", rows, number)
        people = (identities(rows) for made in staged.made for table, rows in made.rows if table == "identities")
        ws.vault.put(chain.from_iterable(people), self.known)
        said = staged.refusals
        parts = zip(said.line, said.column, said.reason, said.expected, said.found, said.raw, strict=True)
        refused = (Refused(self.path.name, *part[:5], part[5].decode("utf-8", "surrogateescape")) for part in parts)
        ws.ledger.refuse(number, refused, ws.vault.seal)
        ws.vault.keep(self.path)
        counts = {n: getattr(report, n) for n in ("records", "accepted", "refused", "duplicate", "created", "updated", "withdrawn")}
        ws.ledger.finish(number, counts, corrected=[n for made in staged.made for n in made.retried])

    def _batches(self, staged: Staged, table: str, number: int, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The canonical rows of accepted records, chunk by chunk, with their bookkeeping."""
        at = 0
        for made in staged.made:
            fresh = ~staged.accounts.duplicate[at : at + len(made.row)]
            at += len(made.row)
            for (name, rows), of in zip(made.rows, made.of, strict=True):
                if name == table:
                    mine = fresh[of]
                    chosen = of[mine]
                    stamp = {"row": made.row[chosen], "key": made.key[chosen], "line": made.lines[chosen], "load": np.full(len(chosen), number, np.int32)}
                    columns = {n: rows[n].filter(pa.array(mine)) for n in rows.column_names}
                    columns |= {n: pa.array(v) for n, v in stamp.items()} | {"known": _days(made.known[chosen]), "version": made.version.take(pa.array(chosen))}
                    whole = [columns[f.name].cast(f.type) if f.name in columns else pa.nulls(len(chosen), f.type) for f in schema]
                    yield from pa.table(whole, schema=schema).combine_chunks().to_batches()

    def _waiting(self, staged: Staged) -> dict[str, int]:
        """Rows whose person, facility or place has not arrived yet: they join by themselves when it does."""
        found = {}
        for kind, of in (("person", WAITING), ("provider", ("items",)), ("place", ("residences", "providers"))):
            parts = [rows[kind] for made in staged.made for table, rows in made.rows if table in of and kind in rows.column_names]
            if parts:
                kinds = pa.int64() if kind == "person" else pa.string()
                values = pa.chunked_array([chunk for part in parts for chunk in part.cast(kinds).chunks], kinds).drop_null()
                missing = as_of.missing(self.ws, self.programme, kind, values.unique())
                if count := pc.sum(pc.is_in(values, missing)).as_py():
                    found[kind] = count
        return found


def _accounts(made: list[Translated]) -> versions.Accounts:
    row = np.concatenate([m.row for m in made])
    version = pa.chunked_array([m.version for m in made], pa.string())
    return versions.Accounts(row, np.concatenate([m.key for m in made]), version, np.concatenate([m.known for m in made]), np.zeros(len(row), bool))


def _days(days: Any) -> Any:
    return pa.array(np.asarray(days, np.int32)).cast(pa.date32())


def _formats(source: Source, made: list[Translated]) -> list[str]:
    """Tell of columns whose dates are written in more than one declared format."""
    notes = []
    for name in made[0].formats:
        counts = np.sum([m.formats[name] for m in made], axis=0)
        if (counts > 0).sum() > 1:
            told = ", ".join(f"{form}: {count}" for form, count in zip(source.by_name[name].formats, counts, strict=True))
            notes.append(say('dates of "{name}" are written in several formats ({told})', name=name, told=told))
    return notes


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
