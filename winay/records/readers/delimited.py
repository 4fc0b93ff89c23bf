"""Delimited text, in blocks: its columns, the cells of those that are needed, and where each record starts in the file."""

import codecs
import csv
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from winay.core.problems import nearest
from winay.programme.sources import Source
from winay.records.readers import scan
from winay.records.readers.opening import BLOCK, Limits, blocks, refuse

EXTRA = "_"
"""Columns of our own (exports of refused records) begin with this and are never unknown."""
WRONG = ("", "fields", "nul", "carriage_return", "open_quote", "long_cell")
"""The reason for each verdict of the scan."""
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DELIMITERS = [",", ";", "\t", "|"]


@dataclass
class Delivered:
    """An open delivery. names: of its columns; wanted: those that are read; unknown: those not declared."""

    names: list[str]
    wanted: list[str]
    unknown: list[str]
    chunks: Iterator["Chunk"]


class Chunk:
    """Records of one block (blank lines left out). `lines`: the physical line of each whole record; `count`: of all."""

    def __init__(
        self, block: bytes, line: int, names: list[str], wanted: list[str], delimiter: str, longest: int, final: bool
    ) -> None:
        self.text = np.frombuffer(block, np.uint8)
        self.names, self.wanted, self.final = names, wanted, final
        most = block.count(b"\n") + 1
        spans, lines, wrong = np.empty((most, 2), np.int64), np.empty(most, np.int32), np.empty((most, 2), np.int32)
        stops = np.empty((most, len(names)), np.int32)
        self.count, self.read, self.breaks = scan.scan(
            self.text, ord(delimiter), longest, final, spans, lines, wrong, stops
        )
        self._spans, self._wrong = spans[: self.count], wrong[: self.count]
        self._whole = np.flatnonzero(self._wrong[:, 0] == scan.FINE)
        self._stops = stops[: self.count]
        self._lines = lines[: self.count] + np.int32(line)

    @property
    def lines(self) -> NDArray[np.int32]:
        lines: NDArray[np.int32] = self._lines[self._whole]
        return lines

    def columns(self) -> dict[str, Any]:
        """name -> the cells as delivered (pyarrow dictionary array of text), one a whole record."""
        made = {}
        for name in self.wanted:
            place = self.names.index(name)
            begins = self._stops[self._whole, place - 1] + 1 if place else self._spans[self._whole, 0]
            data, offsets = scan.texts(self.text, begins, self._stops[self._whole, place])
            cells = pa.StringArray.from_buffers(len(begins), pa.py_buffer(offsets), pa.py_buffer(data))
            made[name] = cells.dictionary_encode()
        return made

    def misshapen(self) -> Iterator[tuple[int, str, tuple[str, str]]]:
        """(line, reason, (number of cells found, raw)) of the records that are not whole."""
        for index in np.flatnonzero(self._wrong[:, 0]).tolist():
            verdict, cells = self._wrong[index].tolist()
            cut = verdict == scan.FIELDS and self.final and self._spans[index, 1] == len(self.text)
            yield int(self._lines[index]), "cut" if cut else WRONG[verdict], (str(cells), self._raw(index))

    def raw(self, number: int) -> str:
        """What a whole record says, by its number among them."""
        return self._raw(self._whole[number])

    def _raw(self, index: int) -> str:
        start, end = self._spans[index]
        return self.text[start:end].tobytes().decode()


def read(path: Path, source: Source, limits: Limits = Limits(), block: int = BLOCK) -> Delivered:  # noqa: B008
    """Open a delivery. Raises when the file as a whole cannot be read; its records are judged one by one."""
    pieces = _utf8(path, source, limits, block)
    line, _, rest = next(pieces).partition(b"\n")
    if b"\0" in line:
        raise refuse(path, "this is not a text file", "text with one record a line", line=1)
    text = line.decode().rstrip("\r")
    if not text.strip():
        raise refuse(path, "the first line is blank", "the names of the columns", line=1)
    if "\r" in text:
        found, hint = "lines end in a way that is not read (CR alone)", "save the file again as CSV"
        raise refuse(path, found, "LF or CRLF", hint, 1)
    mark = delimiter(path, text, source)
    names, unknown = _columns(path, split(text, mark), source, limits)
    wanted = [name for name in names if name in source.used or name.startswith(EXTRA)]
    return Delivered(names, wanted, unknown, _chunks(rest, pieces, names, wanted, mark, limits))


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a record."""
    return next(csv.reader([line], delimiter=delimiter), [])


def delimiter(path: Path, line: str, source: Source) -> str:
    """The declared delimiter under which most columns are found. Raises when another one fits better."""
    marks = dict.fromkeys([*source.delimiters, *_DELIMITERS])
    scores = {mark: sum(source.called(cell) is not None for cell in split(line, mark)) for mark in marks}
    best = max(scores, key=lambda mark: scores[mark])
    if best not in source.delimiters and scores[best] > 1:
        expected = " ".join(map(repr, source.delimiters))
        hint = "save the file again with that separator, or add it to `delimiters` of the source"
        facts = {"mark": repr(best), "declared": expected}
        raise refuse(path, "columns are separated by {mark}", "one of {declared}", hint, 1, **facts)
    return max(source.delimiters, key=lambda mark: scores[mark])


def _columns(path: Path, cells: list[str], source: Source, limits: Limits) -> tuple[list[str], list[str]]:
    """The declared name of each column of the file (an unknown one gets a name of its own), and the unknown ones.

    Raises for doubled columns, and for one that is needed and not there, with the nearest name that is.
    """
    if len(cells) > limits.columns:
        count, limit = len(cells), limits.columns
        raise refuse(path, "the file has {count} columns", "at most {limit}", "", 1, count=count, limit=limit)
    names, unknown = [], []
    for number, cell in enumerate(cells):
        column = source.called(cell)
        names.append(column.name if column else cell if cell.startswith(EXTRA) else f"\0{number}")
        unknown += [cell] if names[-1][0] == "\0" else []
    missing = [name for name in source.used if name not in names and not source.by_name[name].optional]
    if missing:
        close = nearest(missing[0], unknown)
        facts: dict[str, object] = {"all": ", ".join(missing), "name": missing[0], "close": close}
        hint = 'is "{close}" meant? call it {name}' if close else "the first line must have the names of the columns"
        raise refuse(path, "these columns are missing: {all}", "", hint, 1, **facts)
    if doubled := [name for name in names if names.count(name) > 1]:
        hint = "delete the one that is not it"
        raise refuse(path, 'the column "{name}" is there twice', "", hint, 1, name=doubled[0])
    return names, unknown


def _chunks(
    rest: bytes, pieces: Iterator[bytes], names: list[str], wanted: list[str], mark: str, limits: Limits
) -> Iterator[Chunk]:
    line, final = 2, False
    while not final:
        piece = next(pieces, b"")
        block, final = rest + piece, not piece
        chunk = Chunk(block, line, names, wanted, mark, limits.cell, final)
        rest = block[chunk.read :]
        line += chunk.breaks
        if chunk.count:
            yield chunk


def _utf8(path: Path, source: Source, limits: Limits, block: int) -> Iterator[bytes]:
    """The bytes as UTF-8, without byte-order mark, whatever declared encoding they came in; the last piece is empty."""
    encoding, line = _encoding(path, source, limits), 1
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
    for piece in chain(blocks(path, source, limits, block), [b""]):
        try:
            yield decoder.decode(piece, final=not piece).encode()
        except UnicodeDecodeError as error:
            if not piece:
                hint = "ask for the file again"
                raise refuse(path, "the text ends in the middle of a letter", "UTF-8", hint, line) from error
            hint = "save the file as CSV UTF-8, or declare its `encodings` in the source"
            line += piece.count(b"\n", 0, error.start)
            raise refuse(path, "the text is not UTF-8", "UTF-8", hint, line) from error
        line += piece.count(b"\n")


def _encoding(path: Path, source: Source, limits: Limits) -> str:
    """The declared encoding that the byte-order mark, or else the whole text, fits."""
    start = next(blocks(path, source, limits, 4), b"")
    found = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if found and found not in ("utf-8", *source.encodings):
        hint = "save the file as CSV UTF-8, or declare its `encodings` in the source"
        facts = {"encoding": found, "declared": ", ".join(source.encodings)}
        raise refuse(path, "the text is written in {encoding}", "{declared}", hint, 1, **facts)
    for name in source.encodings[:-1] if not found else ():
        with suppress(UnicodeDecodeError):
            for _ in codecs.iterdecode(blocks(path, source, limits), name):
                pass
            return name
    return found or source.encodings[-1]
