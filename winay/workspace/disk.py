"""Files that are on the disk when we say so: synced, digested, put under their name in one step."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from winay.core.problems import At, Problem, WinayError


def step() -> None:
    """Called before each sync of a file or folder and each commit: where tests fill the disk or kill the process."""


def sync(path: Path) -> None:
    """Return when the file or folder is on the disk (a folder: its list of names)."""
    step()
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """A draft beside `path` to write to; synced and renamed onto it at the end, gone if anything fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def writing(thing: str, path: Path, needed: int | None = None) -> Iterator[None]:
    """Tell a failing write as a problem: what could not be written, why, what was needed and what there was."""
    try:
        yield
    except OSError as error:
        free = shutil.disk_usage(next(place for place in (path, *path.parents) if place.exists())).free
        facts = {"thing": thing, "why": error.strerror or str(error), "free": free / 1e6, "needed": (needed or 0) / 1e6}
        there = "{needed:,.1f} MB were needed, {free:,.1f} MB are free" if needed else "{free:,.1f} MB are free"
        hint = "nothing was changed; see to the disk, then run the same command again"
        raise WinayError(Problem(At(str(path)), "could not write {thing}: {why}", there, hint, facts)) from error


def literal(path: Path) -> str:
    """The path for DuckDB, which takes `*`, `?` and `[` as a pattern: only this very file."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path.absolute()))
