"""The workspace: one folder with everything, found from where you stand, and its winay.toml."""

import json
import os
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from winay.core.problems import At, Problem, WinayError, wrong_use
from winay.core.text import say
from winay.workspace import disk
from winay.workspace.connect import connect
from winay.workspace.lake import Lake
from winay.workspace.ledger import Ledger
from winay.workspace.snapshots import Snapshots
from winay.workspace.vault import Vault, key_mark, new_key, read_key

NAME = "winay.toml"
FORMAT = 1
FOLDERS = ("lake", "vault", "snapshots", "derived")
_TOML = """# A Wiñay workspace: everything of it is in this folder, but the key.
format = 1
id = {id}
programme = {programme}
time_zone = {time_zone}

[key]
# Without this file nobody, you included, can say who the people are: keep a copy in a safe place.
file = {key_file}
mark = {mark}
"""


@dataclass(unsafe_hash=True)  # what is said of it never changes: answers about it can be kept by it
class Workspace:
    """One workspace. Opening it reads winay.toml only; its rooms open when they are used."""

    path: Path
    id: str
    programme: str
    time_zone: str
    key_file: Path
    key_mark: str

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.path / "ledger.sqlite")
        self.lake = Lake(self.path / "lake", self.ledger)  # who knows the canonical tables declares them to it
        self.vault = Vault(self.path / "vault", self.key_file, self.key_mark)
        self.snapshots = Snapshots(self.path / "snapshots", self.ledger)
        self.derived = self.path / "derived"  # what can be made again from the lake; may be deleted at any time
        self.decisions = self.path / "decisions.sqlite"  # the application's database: its room makes it

    def connect(self, threads: int | None = None) -> Any:
        """An Ibis backend on DuckDB for this workspace; what does not fit in memory is spilled into `derived`."""
        return connect(threads, spill=self.derived / "spill")


def create(path: Path | str, programme: str = "pe-dit", key: Path | None = None, time_zone: str = "UTC") -> Workspace:
    """Make a workspace in a new or empty folder. `key`: where its key file is, or is to be made (never inside).

    winay.toml is written last: a folder without it is no workspace, and can be made again.
    """
    path = Path(path).absolute()
    _refuse_place(path)
    number = uuid.uuid4().hex[:12]
    usual = user_config_path("winay") / "keys" / f"{number}.key"
    key_file = Path(key or os.environ.get("WINAY_KEY_FILE") or usual).absolute()
    if key_file.is_relative_to(path):
        raise wrong_use("the key would be inside the workspace: {key}", hint="choose a place outside it", key=key_file)
    with disk.writing(say("the workspace"), path):
        if not key_file.exists():
            new_key(key_file)
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in FOLDERS:
            (path / name).mkdir(exist_ok=True)
        made = Workspace(path, number, programme, time_zone, key_file, key_mark(read_key(key_file)))
        made.ledger.create()
        made.vault.create()
        facts = dict(id=number, programme=programme, time_zone=time_zone, key_file=str(key_file), mark=made.key_mark)
        text = _TOML.format(**{name: json.dumps(value, ensure_ascii=False) for name, value in facts.items()})
        with disk.staged(path / NAME) as draft:
            draft.write_text(text, "utf-8")
        disk.sync(path.parent)
    return open_workspace(path)


def open_workspace(path: Path | str | None = None) -> Workspace:
    """The workspace in this folder, or, without one named, the one around the current folder."""
    start = Path(path or ".").absolute()
    found = next((place for place in ([start] if path else [start, *start.parents]) if (place / NAME).is_file()), None)
    if found is None:
        hint = "make one with: winay init DIR, or name one with: -w DIR"
        raise wrong_use("there is no workspace in {place}", hint=hint, place=start)
    file = found / NAME
    try:
        told = tomllib.loads(file.read_text("utf-8"))
        number, programme, time_zone, key = told["id"], told["programme"], told["time_zone"], told["key"]
        key_file, mark, version = Path(os.environ.get("WINAY_KEY_FILE") or key["file"]), key["mark"], told["format"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        facts = {"why": repr(error)}
        raise WinayError(Problem(At(str(file)), "this file cannot be understood: {why}", facts=facts)) from error
    if version != FORMAT:
        facts, hint = {"found": version, "known": str(FORMAT)}, "use the version of winay that made it, or a newer one"
        raise WinayError(Problem(At(str(file)), "format {found}; this winay reads format {known}", "", hint, facts))
    return Workspace(found, number, programme, time_zone, key_file.absolute(), mark)


def _refuse_place(path: Path) -> None:
    if (path / NAME).exists():
        raise wrong_use("there is a workspace in {place} already", hint="open it with: -w {place}", place=path)
    left = {*FOLDERS, "ledger.sqlite", "ledger.sqlite-journal"}  # by a `create` that was interrupted
    if path.exists() and (not path.is_dir() or {inside.name for inside in path.iterdir()} - left):
        raise wrong_use("{place} is not an empty folder", hint="choose a new one", place=path)
    if "%" in str(path):
        raise wrong_use('the name of the folder has a "%": {place}', hint="choose a name without it", place=path)
