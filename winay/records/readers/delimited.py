"""Delimited text, in blocks: the columns that are needed, and where each record starts in the file."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from winay.programme.sources import Source
from winay.records.readers import header, scan
from winay.records.readers.opening import BLOCK, Limits, blocks, refuse

REASONS = {
    scan.FIELDS: "fields",
    scan.NUL: "nul",
    scan.RETURN: "carriage_return",
    scan.QUOTE: "open_quote",
    scan.CELL: "long_cell",
}


@dataclass
class Chunk:
    """Records of one block. `lines`: physical line of each whole record; `columns`: their cells as delivered
    (dictionary-encoded text, blank is ""), for the columns asked; `misshapen`: (line, reason, found, raw) of the others."""

    records: scan.Records
    first_line: int
    names: list[str]
    delimiter: str
    wanted: list[str]

    @property
    def lines(self) -> NDArray[np.int32]:
        keep = self.records.wrong == scan.FINE
        lines: NDArray[np.int32] = self.records.lines[keep] + np.int32(self.first_line)
        return lines

    @property
    def count(self) -> int:
        return len(self.records.starts)

    def columns(self) -> dict[str, Any]:
        """name -> pyarrow dictionary array of text, one value a whole record."""
        kinds = {name: pa.dictionary(pa.int32(), pa.string()) for name in self.wanted}
        good = self.records.good()
        if not len(good):
            return {name: pa.array([], kind) for name, kind in kinds.items()}
        table = csv.read_csv(
            pa.py_buffer(good),
            csv.ReadOptions(column_names=self.names, use_threads=False, block_size=len(good) + 1),
            csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True, ignore_empty_lines=False),
            csv.ConvertOptions(column_types=kinds, include_columns=self.wanted, strings_can_be_null=False),
        ).combine_chunks()
        return {name: table[name].chunk(0) for name in self.wanted}

    def misshapen(self) -> list[tuple[int, str, str, bytes]]:
        bad = (self.records.wrong != scan.FINE).nonzero()[0]
        found = []
        for index in bad.tolist():
            code, line = int(self.records.wrong[index]), int(self.records.lines[index]) + self.first_line
            cut = self.records.cut and index == self.count - 1 and code == scan.FIELDS
            found.append(
                (line, "cut" if cut else REASONS[code], str(self.records.cells[index]), self.records.raw(index))
            )
        return found

    def raw(self, keep: Any) -> list[bytes]:
        """The bytes of whole records, by their number among the whole ones."""
        whole = (self.records.wrong == scan.FINE).nonzero()[0]
        return [self.records.raw(int(index)) for index in whole[keep]]


@dataclass
class Delivered:
    """An open delivery: its columns, and its chunks in order. `notes`: what to tell about it."""

    names: list[str]
    header: str
    delimiter: str
    chunks: Iterator[Any]
    notes: list[str] = field(default_factory=list)


def read(path: Path, source: Source, limits: Limits = Limits(), block: int = BLOCK) -> Delivered:  # noqa: B008
    """Open a delivery of text. Raises when the file as a whole cannot be read; its records are judged one by one."""
    pieces = _utf8(path, source, limits, block)
    first = next(pieces, b"")
    cut = first.find(b"\n")
    line = first[:cut] if cut >= 0 else first
    if b"\0" in line:
        raise refuse(path, "this is not a text file", "text with one record a line", line=1)
    text = line.decode().rstrip("\r")
    if not text.strip():
        raise refuse(path, "the first line is blank", "the names of the columns", line=1)
    if "\r" in text:
        raise refuse(
            path, "lines end in a way that is not read (CR alone)", "LF or CRLF", "save the file again as CSV", 1
        )
    mark = header.delimiter(path, text, source)
    names, strange = header.columns(path, header.split(text, mark), source, limits)
    if cut < 0 or not first[cut:].strip():
        if next(pieces, b"") == b"":
            raise refuse(path, "the file has a header and no records", hint="ask for the file again")
        pieces = _utf8(path, source, limits, block)
        first = next(pieces)
    wanted = [name for name in names if name in source.used or name.startswith(header.EXTRA)]
    chunks = _chunks(first[cut + 1 :], pieces, names, mark, wanted, limits)
    return Delivered(names, text, mark, chunks, strange)


def _chunks(
    rest: bytes, pieces: Iterator[bytes], names: list[str], mark: str, wanted: list[str], limits: Limits
) -> Iterator[Chunk]:
    line, final = 2, False
    while not final:
        piece = next(pieces, b"")
        final = not piece
        records = scan.Records(rest + piece, mark, len(names), limits.cell, final)
        if records.starts.size:
            yield Chunk(records, line, names, mark, wanted)
        rest = (rest + piece)[records.used :]
        line += records.breaks


def _utf8(path: Path, source: Source, limits: Limits, block: int) -> Iterator[bytes]:
    """The bytes as UTF-8, without byte-order mark, whatever declared encoding they came in."""
    encoding = _encoding(path, source, limits)
    if encoding not in ("utf-8", "utf8"):
        decoder = codecs.getincrementaldecoder(encoding)()
        for piece in blocks(path, limits, block):
            yield decoder.decode(piece).removeprefix("\ufeff").encode()
        return
    checker, line, start = codecs.getincrementaldecoder("utf-8")(), 1, True
    for piece in blocks(path, limits, block):
        if start:
            piece, start = piece.removeprefix(codecs.BOM_UTF8), False
        if not piece.isascii() or checker.getstate()[0]:
            try:
                checker.decode(piece)
            except UnicodeDecodeError as error:
                at = line + piece[: error.start].count(b"\n")
                hint = "save the file as CSV UTF-8, or declare its `encodings` in the source"
                raise refuse(path, "the text is not UTF-8", "UTF-8", hint, at) from error
        line += piece.count(b"\n")
        if piece:
            yield piece
    if checker.getstate()[0]:
        raise refuse(path, "the text ends in the middle of a letter", "UTF-8", "ask for the file again", line)


def _encoding(path: Path, source: Source, limits: Limits) -> str:
    """The declared encoding that the byte-order mark, or else the whole text, fits."""
    start = next(blocks(path, limits, 4), b"")
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if start.startswith(mark):
            if name not in source.encodings:
                hint = "save the file as CSV UTF-8, or declare its `encodings` in the source"
                raise refuse(
                    path,
                    "the text is written in {encoding}",
                    "{declared}",
                    hint,
                    1,
                    encoding=name,
                    declared=", ".join(source.encodings),
                )
            return name
    for name in source.encodings[:-1]:
        decoder = codecs.getincrementaldecoder(name)()
        try:
            for piece in blocks(path, limits):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return name
    return source.encodings[-1]
