"""A delivered path -> its bytes, unpacked, within limits. The content decides what it is, never the extension."""

import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from winay.core.problems import At, Problem, WinayError
from winay.programme.sources import Source

BLOCK = 1 << 24  # bytes read and translated at a time


@dataclass(frozen=True)
class Limits:
    """What a delivery may not exceed; checked before the work, or while unpacking."""

    bytes: int = 20 * 10**9
    unpacked: int = 40 * 10**9
    ratio: int = 300
    columns: int = 500
    cell: int = 32_767


class Rejected(WinayError):
    """The file as a whole cannot be loaded; the others of its delivery can."""


def refuse(
    file: Path, told: str, expected: str = "", hint: str = "", line: int | None = None, **facts: object
) -> Rejected:
    """The whole file is rejected, with one remedy; nothing of it is loaded."""
    return Rejected(Problem(At(file.name, line), told, expected, hint, facts))


def check_file(path: Path, limits: Limits) -> None:
    """Raise unless it is an ordinary, readable, not empty file within the limit."""
    if path.is_symlink():
        raise refuse(path, "this is a link, not a file", hint="name the file it points to")
    if path.is_dir():
        hint = "name the files in it, for example {folder}/*.csv"
        raise refuse(path, "this is a folder", "a file", hint, folder=path)
    if not path.exists():
        raise refuse(path, "there is no such file", hint="check the name and the folder")
    if not path.is_file():
        raise refuse(path, "this is not an ordinary file", "a file on the disk")
    try:
        size = path.stat().st_size
        path.open("rb").close()
    except OSError as error:
        hint = "ask its owner for permission to read it"
        raise refuse(path, "the file cannot be read: {why}", hint=hint, why=error.strerror) from error
    if size == 0:
        raise refuse(path, "the file is empty", hint="ask for the file again")
    if size > limits.bytes:
        found, hint = "the file has {size} bytes", "deliver it in parts"
        raise refuse(path, found, "at most {limit}", hint, size=size, limit=limits.bytes)


@contextmanager
def unpacked(path: Path, file: IO[bytes], source: Source | None = None) -> Iterator[IO[bytes]]:
    """The text of the file, out of gzip, of a zip with one file in it, or of a workbook. `file` is at its start and
    can seek; `source` says how the workbook's dates are written."""
    start = file.read(4)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=file) as stream:
            yield cast(IO[bytes], stream)
    elif start == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(file) as archive:
                members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
                if any(member.filename.startswith("xl/") for member in members):
                    file.seek(0)
                    yield _workbook(path, file, source)
                    return
                if len(members) != 1:
                    hint = "load its files one by one"
                    raise refuse(path, "the zip has {count} files", "exactly one", hint, count=len(members))
                if members[0].flag_bits & 1:
                    raise refuse(path, "the zip is locked with a password", hint="unpack it and load the file inside")
                with archive.open(members[0]) as inside:
                    yield inside
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise refuse(path, "the zip is damaged: {why}", hint="ask for the file again", why=str(error)) from error
    elif start == b"\xd0\xcf\x11\xe0":
        yield _workbook(path, file, source)
    else:
        yield file


def _workbook(path: Path, file: IO[bytes], source: Source | None) -> IO[bytes]:
    from python_calamine import CalamineError

    from winay.records.readers import excel

    try:
        text = excel.as_text(file, source)
    except CalamineError as error:
        hint = "open it in a spreadsheet and save it again, or save the sheet as CSV UTF-8"
        raise refuse(path, "the workbook cannot be read: {why}", hint=hint, why=str(error)) from error
    if not text.strip():
        raise refuse(path, "the workbook is empty", hint="ask for the file again")
    return io.BytesIO(codecs.BOM_UTF8 + text)


def blocks(path: Path, source: Source, limits: Limits, block: int = BLOCK) -> Iterator[bytes]:
    """The unpacked bytes in blocks. Raises when the packing is cut, damaged or explodes."""
    size, total = path.stat().st_size, 0
    with path.open("rb") as file, unpacked(path, file, source) as stream:
        while True:
            try:
                piece = stream.read(block)
            except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError) as error:
                hint = "nothing of it was loaded; ask for the file again"
                raise refuse(path, "the packed file is cut or damaged: {why}", hint=hint, why=str(error)) from error
            if not piece:
                return
            total += len(piece)
            if total > limits.unpacked or (total > 10**7 and total > size * limits.ratio):
                told = "unpacked, the file has more than {total} bytes"
                expected = "at most {limit}, and {ratio} times its packed size"
                raise refuse(path, told, expected, total=total, limit=limits.unpacked, ratio=limits.ratio)
            yield piece
