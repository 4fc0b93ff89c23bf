"""Snapshots: what the engine computed, immutable, named by the digest of all that it is and was made from."""

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winay.core.problems import At, Problem, WinayError, unknown_name, wrong_use
from winay.core.text import say
from winay.workspace import disk, faults
from winay.workspace.ledger import Ledger

MANIFEST = "manifest.json"
NEEDED = ("programme", "ledger", "on", "known", "engine")  # hash, digest, judging day, known day, version
DIGITS = 12  # of the manifest's SHA-256


@dataclass(frozen=True)
class Snapshot:
    """One snapshot. `manifest["files"]`: name -> {size, sha256}; `official`: the period it is the official cut of."""

    id: str
    path: Path
    manifest: Mapping[str, Any]
    official: str | None = None

    def file(self, name: str) -> Path:
        """A file of the snapshot, once its bytes were found to be what was frozen."""
        if name not in self.manifest["files"]:
            raise WinayError(unknown_name(At(str(self.path)), "file", name, self.manifest["files"]))
        problem = self._damage(name)
        if problem:
            raise WinayError(problem)
        return self.path / name

    def read(self, con: Any, name: str) -> Any:
        """A Parquet file of the snapshot as an Ibis table; `figures` is `figures.parquet`."""
        return con.read_parquet(disk.literal(self.file(f"{name}.parquet")))

    def damage(self) -> list[Problem]:
        """What is missing or not as it was frozen."""
        strange = {path.name for path in self.path.iterdir()} - {MANIFEST, *self.manifest["files"]}
        found = [self._problem(name, "was not frozen with the snapshot") for name in sorted(strange)]
        return found + [problem for name in self.manifest["files"] if (problem := self._damage(name))]

    def _damage(self, name: str) -> Problem | None:
        path = self.path / name
        if not path.is_file():
            return self._problem(name, "is missing")
        if disk.digest(path) != self.manifest["files"][name]["sha256"]:
            return self._problem(name, "has other bytes than when it was written")
        return None

    def _problem(self, name: str, what: str) -> Problem:
        hint = "evaluate again, or bring the snapshot back from a copy"
        facts = {"id": self.id, "what": say(what)}
        return Problem(At(str(self.path / name)), "a file of snapshot {id} {what}", "", hint, facts)


class Snapshots:
    """The snapshots of a workspace; which is official, and for which period, is written in its ledger."""

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path = path
        self.ledger = ledger

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A folder to write a snapshot's files into, for `freeze`; gone at the end if it was not frozen."""
        folder = self.path / f".draft-{os.getpid()}-{os.urandom(4).hex()}"
        with disk.writing(say("a snapshot"), self.path):
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def freeze(self, folder: Path, manifest: Mapping[str, Any]) -> str:
        """Keep the files of `folder` for ever. The same files and manifest give the same id, and one snapshot.

        folder: made by `draft`, which it ends. manifest: at least NEEDED, plain values.
        """
        missing = [name for name in NEEDED if name not in manifest]
        if missing:
            raise KeyError(f"a snapshot's manifest needs {', '.join(missing)}")
        with disk.writing(say("a snapshot"), self.path):
            files = {}
            for path in sorted(folder.iterdir()):
                faults.point("snapshots.file")
                disk.sync(path)
                files[path.name] = {"size": path.stat().st_size, "sha256": disk.digest(path)}
            text = json.dumps({**manifest, "files": files}, sort_keys=True, ensure_ascii=False, indent=1).encode()
            number = _number(text)
            disk.write(folder / MANIFEST, text)
            faults.point("snapshots.name")
            if not (self.path / number).exists():
                folder.rename(self.path / number)
                disk.sync(self.path)
        return number

    def ids(self) -> list[str]:
        """Every snapshot, oldest first."""
        made = [path for path in self.path.glob("[0-9a-f]*") if (path / MANIFEST).is_file()]
        return [path.name for path in sorted(made, key=lambda path: ((path / MANIFEST).stat().st_mtime_ns, path.name))]

    def open_snapshot(self, name: str = "latest") -> Snapshot:
        """By its id, the beginning of its id, `latest`, or the period it is official for."""
        ids, officials = self.ids(), dict(self.ledger.officials())
        name = officials.get(name, name)
        if name == "latest" and not ids:
            raise wrong_use("there is no snapshot yet", hint="make one with: winay evaluate")
        fits = ids[-1:] if name == "latest" else [number for number in ids if number.startswith(name)]
        if len(fits) != 1:
            raise WinayError(unknown_name(At(str(self.path)), "snapshot", name, ids), status=2)
        folder = self.path / fits[0]
        text = (folder / MANIFEST).read_bytes()
        if _number(text) != fits[0]:
            found = "the manifest of snapshot {id} has other bytes than when it was written"
            raise WinayError(Problem(At(str(folder / MANIFEST)), found, facts={"id": fits[0]}))
        period = next((period for period, number in officials.items() if number == fits[0]), None)
        return Snapshot(fits[0], folder, json.loads(text), period)

    def official(self, name: str, period: str, replace: bool = False) -> Snapshot:
        """Make a sound snapshot the official one of a period; another one there already is replaced only if asked."""
        snapshot = self.open_snapshot(name)
        damage = snapshot.damage()
        if damage:
            raise WinayError(damage)
        before = dict(self.ledger.officials()).get(period)
        if before not in (None, snapshot.id) and not replace:
            hint = "what was published stays published; say so if a new cut replaces it"
            found = "{period} has an official snapshot already: {before}"
            raise wrong_use(found, hint=hint, period=period, before=before)
        if before != snapshot.id:
            self.ledger.official(period, snapshot.id)
        return self.open_snapshot(snapshot.id)

    def prune(self, cited: Collection[str] = (), keep: int = 1) -> list[str]:
        """Delete provisional snapshots, but the newest `keep`, the cited ones, and any that ever was official."""
        with self.ledger.lock(say("snapshots")):
            spared = {*cited, *(number for _, number in self.ledger.officials()), *self.ids()[-keep:]}
            gone = [number for number in self.ids() if number not in spared]
            for number in gone:
                (self.path / number).rename(self.path / f".gone-{number}")  # all of it at once
                shutil.rmtree(self.path / f".gone-{number}")
        return gone

    def verify(self) -> list[Problem]:
        """Everything that is not as it was frozen, official snapshots that are missing included."""
        problems: list[Problem] = []
        for number in self.ids():
            try:
                problems += self.open_snapshot(number).damage()
            except WinayError as error:
                problems += error.problems
        found = "the official snapshot of {period}, {id}, is missing"
        for period, number in self.ledger.officials():
            if not (self.path / number / MANIFEST).is_file():
                problems.append(Problem(At(str(self.path)), found, facts={"id": number, "period": period}))
        return problems

    def leftovers(self) -> list[Path]:
        """Drafts and half-deleted snapshots of runs that were killed."""
        return [*self.path.glob(".draft-*"), *self.path.glob(".gone-*")]


def _number(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()[:DIGITS]
