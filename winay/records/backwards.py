"""Declarations read backwards: facts -> the lines of a file, a service -> items of a contact that prove it."""

import gzip
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from winay.programme.load import Programme
from winay.programme.services import Matcher
from winay.programme.sources import ABSENT, PRESENT, Cell, Source, SourceColumn

Facts = Mapping[str, pa.Array]
"""Columns of equal length: canonical fields by name, identifiers by their kind, and whatever `fill` asks for."""


def by_word(values: pa.Array, write: Callable[[Any], str | None]) -> pa.Array:
    """Text for each value, `write` being called once a distinct value; blank stays blank."""
    coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    words = pa.array(
        [None if word in (None, "") else write(word) for word in coded.dictionary.to_pylist()], pa.string()
    )
    return pa.DictionaryArray.from_arrays(coded.indices, words).dictionary_decode()


def lines(source: Source, facts: Facts, fill: Mapping[str, str], codes: Mapping[str, Mapping[str, str]]) -> pa.Table:
    """The lines of a file, all text: one column for each the source declares.

    facts: see `Facts`; fill: column -> text, or `{fact}` with a format; codes: system -> our place code -> its own.
    """
    size = len(next(iter(facts.values())))
    cells: dict[str, pa.Array] = {}
    for write in source.writes:
        for field, cell in write.row.items():
            for name, values in _written(source, field, cell, facts, codes):
                cells.setdefault(name, values)
    cells |= {name: _filled(text, facts, size) for name, text in fill.items()}
    blank = pa.nulls(size, pa.string())
    return pa.table({column.name: cells.get(column.name, blank) for column in source.columns})


def _written(
    source: Source, field: str, cell: Cell, facts: Facts, codes: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, pa.Array]]:
    """The columns that a canonical cell was read from."""
    known = facts.get(field)
    if cell.column and known is not None:
        yield cell.column, _in_file(source.by_name[cell.column], known)
    elif cell.identifier and cell.identifier in facts and len(cell.of) == 1:
        yield cell.of[0], by_word(facts[cell.identifier], str)
    elif cell.identifier_from and "document_kind" in facts:
        yield cell.identifier_from, _in_file(source.by_name[cell.identifier_from], facts["document_kind"])
        yield cell.of[0], by_word(facts["document_number"], str)
    elif cell.constant and known is not None:
        said = pc.fill_null(pc.equal(known, cell.constant), False)
        for name, values in cell.when.items():
            if values[0] not in (PRESENT, ABSENT):
                yield name, pc.if_else(said, pa.scalar(values[0]), pa.scalar(None, pa.string()))
    elif cell.place and cell.place.join and known is not None:
        theirs = by_word(known, codes.get(cell.system or "", {}).get)
        parts = cell.place.join
        width = pc.max(pc.utf8_length(theirs)).as_py() // len(parts)
        for number, name in enumerate(parts):
            yield name, pc.utf8_slice_codeunits(theirs, number * width, (number + 1) * width)
    for inner in cell.first_of or []:
        yield from _written(source, field, inner, facts, codes)


def _in_file(column: SourceColumn, values: pa.Array) -> pa.Array:
    """Values as the column writes them: its first date format, its own codes for ours."""
    if column.values is None and pa.types.is_integer(values.type):
        return values.cast(pa.string())
    theirs = {ours: code for code, ours in reversed((column.values or {}).items())}

    def write(value: Any) -> str | None:
        if column.type == "date":
            return str(value.strftime(column.formats[0]))
        if column.values is None:
            return f"{value:g}" if isinstance(value, float) else str(value)
        parts = [theirs.get(part) for part in str(value).split(column.separator or "\0")]
        return (column.separator or "").join(part for part in parts if part) or None

    return by_word(values, write)


def _filled(text: str, facts: Facts, size: int) -> pa.Array:
    names = [name for _, name, _, _ in string.Formatter().parse(text) if name]
    if not names:
        return pa.repeat(pa.scalar(text), size)
    return by_word(facts[names[0]], lambda value: text.format(**{names[0]: value}))


def save(table: pa.Table, path: Path, delimiter: str = ",", mark: bool = False) -> None:
    """Write the lines, quoted only in files that need it, compressed where the name ends in .gz. No clock in the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        text = _text(table, delimiter, "none")
    except pa.ArrowInvalid:  # a cell holds the delimiter or a quote
        text = _text(table, delimiter, "needed")
    with path.open("wb") as raw:
        out = gzip.GzipFile("", "wb", 4, raw, mtime=0) if path.suffix == ".gz" else raw
        out.write(("\ufeff" if mark else "").encode() + (delimiter.join(table.column_names) + "\n").encode())
        out.write(text)
        out.close()


def _text(table: pa.Table, delimiter: str, quoting: str) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style=quoting))
    return sink.getvalue()


@dataclass(frozen=True)
class Proof:
    """An item that satisfies a matcher. In the contact, `beside` must be there too and the codes `absent` must not."""

    codes: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    labs: tuple[str, ...] = ()
    lab_not: tuple[str, ...] = ()
    beside: tuple["Proof", ...] = ()
    absent: tuple[str, ...] = ()


def proofs(programme: Programme, service: str) -> list[Proof]:
    """The ways to prove a service, in the order its matcher writes them."""
    counted = tuple(programme.head.counted_types)
    return [
        replace(way, types=way.types or counted) for way in _ways(programme, programme.services[service]) if way.codes
    ]


def _ways(programme: Programme, matcher: Matcher) -> list[Proof]:
    own = Proof(
        tuple(matcher.code or ()),
        tuple(matcher.type or ()),
        tuple(matcher.lab or ()),
        tuple(matcher.lab_not or ()),
        tuple(_ways(programme, other)[0] for other in matcher.with_ or []),
        tuple(code for other in matcher.without or [] for way in _ways(programme, other) for code in way.codes),
    )
    groups = [[own]]
    groups += [_ways(programme, programme.services[matcher.is_])] if matcher.is_ else []
    groups += [_ways(programme, part) for part in matcher.all_ or []]
    groups += [[way for part in matcher.any_ for way in _ways(programme, part)]] if matcher.any_ else []
    merged = (_merged(ways) for ways in product(*groups))
    return [way for way in merged if way is not None]


def _merged(ways: tuple[Proof, ...]) -> Proof | None:
    """One item that satisfies all of them; None if none can."""
    chosen: dict[str, tuple[str, ...]] = {}
    for key in ("codes", "types", "labs"):
        lists = [getattr(way, key) for way in ways if getattr(way, key)]
        chosen[key] = tuple(value for value in (lists[0] if lists else ()) if all(value in other for other in lists))
        if lists and not chosen[key]:
            return None
    together = {
        key: tuple(dict.fromkeys(x for way in ways for x in getattr(way, key)))
        for key in ("lab_not", "beside", "absent")
    }
    chosen["labs"] = tuple(lab for lab in chosen["labs"] if lab not in together["lab_not"])
    return Proof(**chosen, **together)  # type: ignore[arg-type]
