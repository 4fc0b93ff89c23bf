"""From nothing to a workspace that is known to be well: init, sources, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from winay.cli import show
from winay.cli.command import DayOpt, arg, here, opt, verb, workspace
from winay.core.text import say

FolderArg = Annotated[Path, arg("a new folder", "DIR")]
ProgrammeOpt = Annotated[str, opt("its programme: a name, or a folder", "--programme", "NAME")]
KeyOpt = Annotated[Path | None, opt("where its key is, or is to be made", "--key", "FILE")]
FixOpt = Annotated[bool, opt("do what is safe: remove what killed runs left behind", "--fix")]
FullOpt = Annotated[bool, opt("read every file again, however long it takes", "--full")]


def register(app: typer.Typer) -> None:
    for command in (init, sources, doctor):
        verb(app)(command)


def init(folder: FolderArg, programme: ProgrammeOpt = "pe-dit", key: KeyOpt = None) -> None:
    """Make a workspace: what is delivered, computed and decided, and who people are, in one folder; its key outside it.

    Example: winay init data
    """
    from winay.actions.opening import made

    ws = made(folder, programme, key)
    show.facts({"workspace": ws.path, "programme": ws.programme, "key": ws.key_file})
    show.note(say("Keep a copy of the key in a safe place: without it nobody can say who the people are."))


def sources(on: DayOpt = None) -> None:
    """The declared sources: who owes each and by which day, what came and what is late. With --json also their columns.

    Example: winay sources
    """
    from winay.actions.sources import sources

    ws, _, now = here()
    names = ["source", "name", "owed_by", "every", "by_day", "loads", "records", "last", "late"]
    show.rows(sources(ws, on or now), names=names)


def doctor(fix: FixOpt = False, full: FullOpt = False) -> int:
    """Is everything all right? Disk, key, programme, ledger, lake, vault, snapshots, looks: what is wrong, and what to do.

    Example: winay doctor
    """
    from winay.actions.doctor import doctor

    checks = list(doctor(workspace(), fix, full))
    show.rows(checks)
    return int(any(check["state"] == "bad" for check in checks))
