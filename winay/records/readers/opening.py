"""A delivered path -> its bytes, unpacked, within limits. The content decides what it is, never the extension."""

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from winay.core.problems import At, Problem, WinayError

BLOCK = 1 << 26  # bytes read and translated at a time


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


def is_workbook(file: IO[bytes]) -> bool:
    """Are these the bytes of an Excel file, whatever it is called? Leaves the file at its start."""
    start = file.read(4)
    file.seek(0)
    if start == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(file) as archive:
                return any(name.startswith("xl/") for name in archive.namelist())
        except zipfile.BadZipFile:
            return False
        finally:
            file.seek(0)
    return start == b"\xd0\xcf\x11\xe0"


def check_file(path: Path, limits: Limits) -> None:
    """Raise unless it is an ordinary, readable, not empty file within the limit."""
    if path.is_symlink():
        raise refuse(path, "this is a link, not a file", hint="name the file it points to")
    if path.is_dir():
        raise refuse(
            path, "this is a folder", "a file", hint="name the files in it, for example {folder}/*.csv", folder=path
        )
    if not path.exists():
        raise refuse(path, "there is no such file", hint="check the name and the folder")
    if not path.is_file():
        raise refuse(path, "this is not an ordinary file", "a file on the disk")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise refuse(
            path, "the file cannot be read: {why}", hint="ask its owner for permission to read it", why=error.strerror
        ) from error
    if size == 0:
        raise refuse(path, "the file is empty", hint="ask for the file again")
    if size > limits.bytes:
        raise refuse(
            path,
            "the file has {size} bytes",
            "at most {limit}",
            hint="deliver it in parts",
            size=size,
            limit=limits.bytes,
        )


@contextmanager
def unpacked(path: Path, file: IO[bytes]) -> Iterator[IO[bytes]]:
    """The bytes of the file, out of gzip or of a zip with one file in it. `file` is at its start and can seek."""
    start = file.read(4)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=file) as stream:
            yield cast(IO[bytes], stream)
    elif start.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(file) as archive:
                members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
                if len(members) != 1:
                    hint = "load its files one by one"
                    raise refuse(path, "the zip has {count} files", "exactly one", hint, count=len(members))
                if members[0].flag_bits & 1:
                    raise refuse(path, "the zip is locked with a password", hint="unpack it and load the file inside")
                with archive.open(members[0]) as inside:
                    yield inside
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise refuse(path, "the zip is damaged: {why}", hint="ask for the file again", why=str(error)) from error
    else:
        yield file


def blocks(path: Path, limits: Limits, block: int = BLOCK) -> Iterator[bytes]:
    """The unpacked bytes in blocks. Raises when the packing is cut, damaged or explodes."""
    size, total = path.stat().st_size, 0
    with path.open("rb") as file, unpacked(path, file) as stream:
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
                expected = "at most {limit}, and {ratio} times its packed size"
                facts = {"total": total, "limit": limits.unpacked, "ratio": limits.ratio}
                raise Rejected(
                    Problem(At(path.name), "unpacked, the file has more than {total} bytes", expected, facts=facts)
                )
            yield piece
