"""Records of a file -> canonical rows, as the source declares; what does not fit is refused, with its line and reason."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.programme.load import Programme
from winay.programme.sources import ABSENT, PRESENT, Cell, Source, Write
from winay.records import cells, tables
from winay.records.readers.delimited import EXTRA, Chunk
from winay.workspace.ledger import Refused

Pseudonyms = Callable[[str, Sequence[str]], NDArray[np.int64]]
RETRIED = EXTRA + "refused"
"""In an export of refused records: which refused row a line corrects."""
ACCOUNTS = ("row", "key", "version", "line", "known")


@dataclass
class Translated:
    """Records of a file (count: of all), in parts by chunk. accounts: ACCOUNTS of each good record; rows: table -> its
    rows, with the accounts of their record; refused: the others; retried: refused rows that are corrected here."""

    count: int = 0
    accounts: list[pa.Table] = field(default_factory=list)
    rows: dict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    refused: list[Refused] = field(default_factory=list)
    retried: list[int] = field(default_factory=list)

    def add(self, more: "Translated") -> None:
        self.count += more.count
        self.accounts += more.accounts
        self.refused += more.refused
        self.retried += more.retried
        for table, parts in more.rows.items():
            self.rows[table] += parts


class Translator:
    """The source's declaration, ready to be applied to the chunks of a file by several threads. It keeps nothing between
    them but `formats`: (column, format) of dates that may be written in several."""

    def __init__(
        self, programme: Programme, source: Source, pseudonyms: Pseudonyms, file: str, known: dt.date, keyed: bool
    ) -> None:
        self.source, self.pseudonyms, self.file, self.known, self.keyed = source, pseudonyms, file, known, keyed
        self.kinds = {table: tables.columns(programme, table) for table in tables.TABLES}
        self.formats: set[tuple[str, str]] = set()
        # what is hashed stays secret as long as the key of the vault does
        self.secret = pseudonyms("content", [source.source, "second half of the key"]).tobytes()

    def translate(self, chunk: Chunk) -> Translated:
        """The whole records of a chunk; of one with several wrong cells the first column is told."""
        given, lines, asked = chunk.columns(), chunk.lines, str(len(chunk.names))
        shapes = (Refused(self.file, line, "", why, asked, *said) for line, why, said in chunk.misshapen())
        made = Translated(chunk.count, refused=list(shapes))
        blank = pa.DictionaryArray.from_arrays(np.zeros(len(lines), np.int32), pa.array([""]))
        good, values = np.ones(len(lines), bool), {}
        for name in self.source.used:
            column, delivered = self.source.by_name[name], given.get(name, blank)  # an optional one may be missing
            said, verdict = cells.judge(column, delivered.dictionary, self.known)
            at = np.asarray(delivered.indices)
            values[name] = pa.DictionaryArray.from_arrays(pa.array(at, mask=np.asarray(said.is_null())[at]), said)
            for number in np.flatnonzero((verdict[at] > 0) & good).tolist():
                reason, found = cells.CODES[verdict[at[number]]], delivered[number].as_py()
                why = (name, reason, cells.expected(column, reason, self.known), found, chunk.raw(number))
                made.refused.append(Refused(self.file, int(lines[number]), *why))
            good &= verdict[at] == 0
            for form in column.formats if column.type == "date" and len(column.formats) > 1 else ():
                if cells.days(delivered.dictionary, form).is_valid().true_count:
                    self.formats.add((name, form))
        records = pa.RecordBatch.from_pydict(values).filter(pa.array(good))
        if RETRIED in given:
            numbers = given[RETRIED].filter(pa.array(good)).to_pylist()
            made.retried = [int(number) for number in numbers if number.isdigit()]
        accounts = self._accounts(records, lines[good])
        made.accounts.append(accounts)
        for write in self.source.writes:
            where = _holds(write.when, records)
            made.rows[write.table].append(self._rows(write, records.filter(where), accounts.filter(where)))
        return made

    def _accounts(self, records: pa.RecordBatch, lines: NDArray[np.int32]) -> pa.Table:
        source, size = self.source, len(records)
        hashed = {name: self._hashed(records[name]) for name in source.used}
        row, key = (_mixed([hashed[name] for name in names], size) for names in (source.used, source.key))
        version = _text(records[source.version]) if source.version else pa.nulls(size, pa.string())
        known = pa.array([self.known]).take(pa.array(np.zeros(size, np.int8)))
        if self.keyed and source.registered:
            known = pc.min_element_wise(known, _plain(records[source.registered]))
        return pa.table([row, key, version, lines, known], ACCOUNTS)

    def _rows(self, write: Write, records: pa.RecordBatch, accounts: pa.Table) -> pa.Table:
        """One pyarrow table with the columns that the entry writes (identities: all of them text), and the accounts."""
        kinds = self.kinds.get(write.table, {})
        made = {n: self._typed(self._cell(cell, records), kinds.get(n, "text")) for n, cell in write.row.items()}
        if "source" in kinds:
            made["source"] = _constant(self.source.source, len(records))
        return pa.table(made | {name: accounts[name] for name in ACCOUNTS})

    def _typed(self, array: Any, kind: str) -> Any:
        if kind == "hash":
            return pa.array(_mixed([self._hashed(array)], len(array)))
        if kind == "yes_no":
            return pc.equal(_text(array), "yes")
        return _plain(array).cast(tables.ARROW[kind])

    def _cell(self, cell: Cell, records: pa.RecordBatch) -> Any:
        """The values of one cell of every row; null where it is blank or its conditions do not hold."""
        form = cell.form
        if form == "column":
            made = records[cell.column]
        elif form == "constant":
            made = _constant(str(cell.constant), len(records))
        elif form in ("identifier", "identifier_from"):
            made = self._persons(cell, records)
        elif form == "join":
            made = _joined([records[name] for name in cell.join or []], cell.between)
        elif form == "prefix":
            made = pc.utf8_slice_codeunits(_text(records[cell.prefix]), 0, cell.length)
        elif form == "place":
            assert cell.place is not None
            made = pc.binary_join_element_wise(f"{cell.system}:", _text(self._cell(cell.place, records)), "")
        else:
            made = pc.coalesce(*(_plain(self._cell(part, records)) for part in cell.first_of or []))
        return pc.if_else(_holds(cell.when, records), _plain(made), None) if cell.when else made

    def _persons(self, cell: Cell, records: pa.RecordBatch) -> Any:
        """Pseudonyms: an HMAC for each distinct value, null where it is blank."""
        value = _joined([records[name] for name in cell.of], "") if len(cell.of) > 1 else records[cell.of[0]]
        if cell.identifier:
            return self._named(cell.identifier, value)
        kinds, made = _text(records[cell.identifier_from]), pa.nulls(len(value), pa.int64())
        for kind in kinds.unique().drop_null().to_pylist():
            mine = pc.equal(kinds, kind)
            made = pc.coalesce(made, self._named(kind, pc.if_else(mine, _text(value), None)))
        return made

    def _named(self, kind: str, value: Any) -> Any:
        coded = _coded(value)
        used = coded.indices.unique().drop_null()  # a filtered column keeps words that no row has any more
        numbers = np.zeros(len(coded.dictionary), np.int64)
        numbers[np.asarray(used)] = self.pseudonyms(kind, coded.dictionary.take(used).to_pylist())
        return pa.array(numbers).take(coded.indices)

    def _hashed(self, array: Any) -> NDArray[np.uint64]:
        """A keyed 64-bit hash of each value (SipHash), of the text it is written as; blank is 0."""
        import pandas as pd

        coded = _coded(array)
        words = pc.fill_null(coded.dictionary.cast(pa.string()), "").to_numpy(zero_copy_only=False).astype(object)
        hashes = pd.util.hash_array(words, hash_key=self.secret.hex()[:16], categorize=False)
        hashed: NDArray[np.uint64] = np.append(hashes, np.uint64(0))[np.asarray(pc.fill_null(coded.indices, -1))]
        return hashed  # where there was none, -1 took the 0 at the end


def _mixed(parts: list[NDArray[np.uint64]], size: int) -> NDArray[np.int64]:
    """One hash of several columns; the order of the columns counts (finaliser of SplitMix64 after each)."""
    total = np.full(size, 0x9E3779B97F4A7C15, np.uint64)
    for part in parts:
        total ^= part
        total = (total ^ (total >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        total = (total ^ (total >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        total ^= total >> np.uint64(31)
    return total.view(np.int64)


def _constant(word: str, size: int) -> Any:
    return pa.array([word]).take(pa.array(np.zeros(size, np.int8)))


def _coded(array: Any) -> Any:
    return array if pa.types.is_dictionary(array.type) else array.dictionary_encode()


def _plain(array: Any) -> Any:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _text(array: Any) -> Any:
    return _plain(array).cast(pa.string())


def _joined(arrays: list[Any], between: str) -> Any:
    """The texts in one; blank where all are blank."""
    whole, *others = map(_text, arrays)
    for text in others:
        whole = pc.coalesce(pc.binary_join_element_wise(whole, text, between), whole, text)
    return whole


def _holds(when: dict[str, list[str]], records: pa.RecordBatch) -> Any:
    holds = pa.array(np.ones(len(records), bool))
    for name, wanted in when.items():
        if wanted in ([PRESENT], [ABSENT]):
            right = records[name].is_valid() if wanted == [PRESENT] else records[name].is_null()
        else:
            right = pc.is_in(_text(records[name]), pa.array(wanted))
        holds = pc.and_(holds, right)
    return holds


def identities(rows: pa.Table) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(kind, value, facts) of each row written for the vault; blank facts are left out."""
    for row in rows.drop_columns(ACCOUNTS).to_pylist():
        kind, value = row.pop("kind"), row.pop("value")
        row.pop("person", None)
        if kind and value:
            yield kind, value, {name: said for name, said in row.items() if said}
