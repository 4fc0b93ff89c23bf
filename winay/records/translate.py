"""Records of a file -> canonical rows, as the source declares; what does not fit is refused, with its line and reason."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.ages import days_of
from winay.programme.load import Programme
from winay.programme.sources import ABSENT, PRESENT, Cell, Source, Write
from winay.records import cells, tables
from winay.records.readers.header import EXTRA

Pseudonyms = Callable[[str, Sequence[str]], NDArray[np.int64]]
RETRIED = EXTRA + "refused"
"""In an export of refused records: which refused row a line corrects."""


@dataclass
class Refusals:
    """Columns of equal length: a refused record has one place here, never an object. `raw` is what was delivered."""

    line: list[int] = field(default_factory=list)
    column: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    reason: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def extend(self, other: "Refusals") -> None:
        for name in self.__dataclass_fields__:
            getattr(self, name).extend(getattr(other, name))

    def add(self, column: str, lines: list[int], **said: list[Any]) -> None:
        for name, values in {"line": lines, "column": [column] * len(lines), **said}.items():
            getattr(self, name).extend(values)


@dataclass
class Translated:
    """Good records of one chunk: their lines, hashes, and the canonical rows of each entry of `writes`.

    rows: (table, one pyarrow table) in the order of `writes`; of: which record (by number) each row came from;
    formats: how many dates of a column were written in each declared format; retried: refused rows they correct.
    """

    lines: NDArray[np.int32]
    row: NDArray[np.int64]
    key: NDArray[np.int64]
    version: Any
    known: NDArray[np.int32]
    rows: list[tuple[str, pa.Table]]
    of: list[NDArray[np.int64]]
    refusals: Refusals
    formats: dict[str, list[int]] = field(default_factory=dict)
    retried: list[int] = field(default_factory=list)


class Translator:
    """The source's declaration, ready to be applied to chunk after chunk (it keeps nothing between them)."""

    def __init__(
        self, programme: Programme, source: Source, pseudonyms: Pseudonyms, known: dt.date, keyed: bool
    ) -> None:
        self.source, self.pseudonyms, self.known, self.keyed = source, pseudonyms, known, keyed
        self.columns = {table: tables.columns(programme, table) for table in tables.TABLES}
        # what is hashed stays secret as long as the key of the vault does
        self.secret = pseudonyms("content", [source.source, "second half of the key"]).tobytes()

    def translate(
        self, columns: dict[str, Any], lines: NDArray[np.int32], raw: Callable[[Any], list[bytes]]
    ) -> Translated:
        """columns: cells as delivered, by declared name (dictionary arrays of text), one a record."""
        declared, blank = (
            self.source.by_name,
            pa.DictionaryArray.from_arrays(np.zeros(len(lines), np.int32), pa.array([""])),
        )
        given = {name: columns.get(name, blank) for name in self.source.used}  # an optional column may be missing
        judged = {name: cells.judge(declared[name], given[name], self.known) for name in self.source.used}
        refusals, bad = Refusals(), np.zeros(len(lines), bool)
        for name, column in judged.items():
            new = (column.wrong > 0) & ~bad
            if new.any():
                reasons = [cells.REASONS[code] for code in column.wrong[new].tolist()]
                asked = {reason: cells.expected(declared[name], reason, self.known) for reason in set(reasons)}
                found, expected = given[name].filter(pa.array(new)).to_pylist(), [asked[reason] for reason in reasons]
                refusals.add(name, lines[new].tolist(), found=found, expected=expected, reason=reasons, raw=raw(new))
                bad |= new
        keep = pa.array(~bad)
        values = {name: column.values.filter(keep) if bad.any() else column.values for name, column in judged.items()}
        good = self._canonical(values, lines[~bad], refusals)
        for name, column in judged.items():
            if column.formats is not None:
                counts = np.bincount(column.formats[column.formats >= 0], minlength=len(declared[name].formats))
                good.formats[name] = counts.tolist()
        if RETRIED in columns:
            good.retried = [int(number) for number in columns[RETRIED].filter(keep).to_pylist() if number.isdigit()]
        return good

    def _canonical(self, values: dict[str, Any], lines: NDArray[np.int32], refusals: Refusals) -> Translated:
        size, source = len(lines), self.source
        known = np.full(size, days_of(self.known), np.int32)
        if self.keyed and source.registered:
            keyed = pc.fill_null(_plain(values[source.registered]).cast(pa.int32()), days_of(self.known))
            known = np.minimum(np.asarray(keyed), known)
        hashes = {name: self._hashed(values[name]) for name in source.used}
        row, key = _mixed([hashes[n] for n in source.used], size), _mixed([hashes[n] for n in source.key], size)
        version = _text(values[source.version]) if source.version else pa.nulls(size, pa.string())
        made = Translated(lines, row, key, version, known, [], [], refusals)
        for write in source.writes:
            where = _holds(write.when, values, size)
            chosen = np.flatnonzero(where)
            here = {n: v.filter(pa.array(where)) for n, v in values.items()} if len(chosen) < size else values
            made.rows.append((write.table, self._rows(write, here, len(chosen))))
            made.of.append(chosen)
        return made

    def _rows(self, write: Write, values: dict[str, Any], size: int) -> pa.Table:
        """One pyarrow table with the columns that the entry writes (identities: all of them text)."""
        known = self.columns.get(write.table, {})
        made = {}
        for name, cell in write.row.items():
            kind = known.get(name, "text")
            made[name] = self._typed(self._cell(cell, values, size), kind)
        if "source" in known:
            made["source"] = _constant(self.source.source, size)
        return pa.table(made)

    def _typed(self, array: Any, kind: str) -> Any:
        if kind == "person":
            return array
        if kind == "hash":
            return pa.array(_mixed([self._hashed(array)], len(array)))
        if kind == "text":
            coded = pa.types.is_dictionary(array.type) and pa.types.is_string(array.type.value_type)
            return array if coded else _text(array)
        if kind == "yes_no":
            return pc.equal(_text(array), "yes")
        wanted = {"integer": pa.int32(), "decimal": pa.float64(), "date": pa.date32()}[kind]
        return _plain(array).cast(wanted)

    def _cell(self, cell: Cell, values: dict[str, Any], size: int) -> Any:
        """The values of one cell of every row; null where it is blank or its conditions do not hold."""
        form = cell.form
        if form == "column":
            made = values[str(cell.column)]
        elif form == "constant":
            made = _constant(str(cell.constant), size)
        elif form in ("identifier", "identifier_from"):
            made = self._persons(cell, values)
        elif form == "join":
            made = _joined([values[name] for name in cell.join or []], cell.between)
        elif form == "prefix":
            made = pc.utf8_slice_codeunits(_text(values[str(cell.prefix)]), 0, cell.length)
        elif form == "place":
            assert cell.place is not None
            code = _text(self._cell(cell.place, values, size))
            made = pc.binary_join_element_wise(f"{cell.system}:", code, "")
        else:
            made = pc.coalesce(*(_plain(self._cell(part, values, size)) for part in cell.first_of or []))
        if cell.when:
            made = pc.if_else(pa.array(_holds(cell.when, values, size)), _plain(made), None)
        return made

    def _persons(self, cell: Cell, values: dict[str, Any]) -> Any:
        """Pseudonyms: an HMAC for each distinct value, null where it is blank."""
        value = _joined([values[name] for name in cell.of], "") if len(cell.of) > 1 else values[cell.of[0]]
        if cell.identifier:
            return self._named(cell.identifier, value)
        kinds = values[str(cell.identifier_from)]
        made = pa.nulls(len(value), pa.int64())
        for kind in pc.unique(_text(kinds)).drop_null().to_pylist():
            mine = pc.fill_null(pc.equal(_text(kinds), kind), False)
            made = pc.if_else(mine, self._named(kind, pc.if_else(mine, _text(value), None)), made)
        return made

    def _named(self, kind: str, value: Any) -> Any:
        coded = _coded(value)
        used = pc.unique(coded.indices).drop_null()  # a filtered column keeps words that no row has any more
        words = coded.dictionary.take(used)
        real = np.asarray(words.is_valid())
        numbers = np.zeros(len(coded.dictionary), np.int64)
        numbers[np.asarray(used)[real]] = self.pseudonyms(kind, words.drop_null().to_pylist())
        return pa.array(numbers, mask=~np.asarray(coded.dictionary.is_valid())).take(coded.indices)

    def _hashed(self, array: Any) -> NDArray[np.uint64]:
        """A keyed 64-bit hash of each value (SipHash), of the text it is written as; blank is 0."""
        import pandas as pd

        coded = _coded(array)
        text = coded.dictionary.cast(pa.string())
        words = np.append(pc.fill_null(text, "").to_numpy(zero_copy_only=False).astype(object), "")
        hashes = pd.util.hash_array(words, hash_key=self.secret.hex()[:16], categorize=False)
        hashes[np.append(~np.asarray(text.is_valid()), True)] = 0
        return np.asarray(hashes[np.asarray(pc.fill_null(coded.indices, len(text)))])


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
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([word]))


def _coded(array: Any) -> Any:
    """The array as a dictionary array (one chunk)."""
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array if pa.types.is_dictionary(array.type) else array.dictionary_encode()


def _plain(array: Any) -> Any:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _text(array: Any) -> Any:
    return _plain(array).cast(pa.string())


def _joined(arrays: list[Any], between: str) -> Any:
    """The texts in one; blank where all are blank."""
    whole, *others = [_text(array) for array in arrays]
    for text in others:
        whole = pc.coalesce(pc.binary_join_element_wise(whole, text, between), whole, text)
    return whole


def _holds(when: dict[str, list[str]], values: dict[str, Any], size: int) -> NDArray[np.bool_]:
    holds = np.ones(size, bool)
    for name, wanted in when.items():
        there = np.asarray(pc.is_valid(_plain(values[name])))
        if wanted == [PRESENT]:
            holds &= there
        elif wanted == [ABSENT]:
            holds &= ~there
        else:
            holds &= np.asarray(pc.fill_null(pc.is_in(_text(values[name]), value_set=pa.array(wanted)), False))
    return holds


def identities(rows: pa.Table) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(kind, value, facts) of each row written for the vault; blank facts are left out."""
    for row in rows.to_pylist():
        kind, value = row.pop("kind"), row.pop("value")
        row.pop("person", None)
        if kind and value:
            yield kind, value, {name: said for name, said in row.items() if said}
