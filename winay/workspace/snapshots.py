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
from winay.workspace import disk
from winay.workspace.ledger import Ledger

MANIFEST = "manifest.json"
NEEDED = ("programme", "ledger", "on", "known", "engine")  # hash, digest, judging day, known day, version
DIGITS = 12  # of the manifest's SHA-256


@dataclass(frozen=True)
class Snapshot:
    """One snapshot. `manifest["files"]`: name -> SHA-256; `official`: the period it is the official cut of."""

    id: str
    path: Path
    manifest: Mapping[str, Any]
    official: str | None = None

    def read(self, con: Any, name: str) -> Any:
        """A Parquet file of the snapshot, once found to be as frozen, as an Ibis table; `figures` is `figures.parquet`."""
        file = f"{name}.parquet"
        if file not in self.manifest["files"]:
            raise WinayError(unknown_name(At(str(self.path)), "file", file, self.manifest["files"]))
        if problems := self.damage([file]):
            raise WinayError(problems)
        return con.read_parquet(disk.literal(self.path / file))

    def damage(self, names: Collection[str] = ()) -> list[Problem]:
        """What is missing, too much or changed among these files (none named: all)."""
        frozen: Mapping[str, str] = self.manifest["files"]
        there = {path.name for path in self.path.iterdir()} - {MANIFEST}
        asked = set(names or there | frozen.keys())
        sound = {name for name in asked & there if disk.digest(self.path / name) == frozen.get(name)}
        found = "this file of snapshot {id} is missing, or not as it was frozen"
        hint = "evaluate again, or bring the snapshot back from a copy"
        return [Problem(At(str(self.path / name)), found, "", hint, {"id": self.id}) for name in sorted(asked - sound)]


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of a workspace; which is official, and for which period, is written in its ledger."""

    path: Path
    ledger: Ledger

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
        if missing := [name for name in NEEDED if name not in manifest]:
            raise KeyError(f"a snapshot's manifest needs {', '.join(missing)}")
        with disk.writing(say("a snapshot"), self.path):
            files = {path.name: disk.digest(path) for path in sorted(folder.iterdir())}
            for name in files:
                disk.sync(folder / name)
            text = json.dumps({**manifest, "files": files}, sort_keys=True, ensure_ascii=False, indent=1).encode()
            number = _number(text)
            with disk.staged(folder / MANIFEST) as draft:
                draft.write_bytes(text)
            if not (self.path / number).exists():
                folder.rename(self.path / number)
                disk.sync(self.path)
        return number

    def ids(self) -> list[str]:
        """Every snapshot, oldest first."""
        made = self.path.glob(f"[0-9a-f]*/{MANIFEST}")
        return [file.parent.name for file in sorted(made, key=lambda file: (file.stat().st_mtime_ns, file))]

    def open_snapshot(self, name: str = "latest") -> Snapshot:
        """By its id, the beginning of its id, `latest`, or the period it is official for."""
        ids, officials = self.ids(), dict(self.ledger.officials())
        name = officials.get(name, name)
        if name == "latest" and not ids:
            raise wrong_use("there is no snapshot yet", hint="make one with: winay evaluate")
        fits = ids[-1:] if name == "latest" else [number for number in ids if number.startswith(name)]
        if len(fits) != 1:
            raise WinayError(unknown_name(At(str(self.path)), "snapshot", name, ids), status=2)
        file = self.path / fits[0] / MANIFEST
        if _number(text := file.read_bytes()) != fits[0]:
            found = "the manifest of snapshot {id} has other bytes than when it was written"
            raise WinayError(Problem(At(str(file)), found, facts={"id": fits[0]}))
        period = next((period for period, number in officials.items() if number == fits[0]), None)
        return Snapshot(fits[0], file.parent, json.loads(text), period)

    def official(self, name: str, period: str, replace: bool = False) -> Snapshot:
        """Make a sound snapshot the official one of a period; another one there already is replaced only if asked."""
        snapshot = self.open_snapshot(name)
        if damage := snapshot.damage():
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
                shutil.rmtree((self.path / number).rename(self.path / f".draft-{number}"))  # all of it at once
        return gone

    def verify(self) -> list[Problem]:
        """Everything that is not as it was frozen, official snapshots that are missing included."""
        problems, ids = [], self.ids()
        for number in ids:
            try:
                problems += self.open_snapshot(number).damage()
            except WinayError as error:
                problems += error.problems
        found = "the official snapshot of {period}, {id}, is missing"
        gone = [{"period": period, "id": id} for period, id in self.ledger.officials() if id not in ids]
        return problems + [Problem(At(str(self.path)), found, facts=facts) for facts in gone]

    def leftovers(self) -> list[Path]:
        """Drafts and half-deleted snapshots of runs that were killed."""
        return list(self.path.glob(".draft-*"))


def _number(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()[:DIGITS]
