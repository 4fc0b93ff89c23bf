"""Making a workspace, knowing its sources, seeing that all is well: init, sources, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from winay.actions import opening
from winay.cli import show
from winay.cli.command import DayOpt, arg, opt, today, verb, workspace
from winay.core.text import say


def register(app: typer.Typer) -> None:
    verb(app)(init)
    verb(app)(sources)
    verb(app)(doctor)


def init(
    folder: Annotated[Path, arg("a new folder", "DIR")],
    programme: Annotated[str, opt("its programme: a name, or a folder", "--programme", "NAME")] = "pe-dit",
    key: Annotated[Path | None, opt("where its key is, or is to be made", "--key", "FILE")] = None,
) -> None:
    """Make a workspace: what is delivered, computed and decided, and who people are, in one folder; its key outside it.

    Example: winay init data
    """
    ws = opening.made(folder, programme, key)
    show.facts({"workspace": ws.path, "programme": ws.programme, "key": ws.key_file})
    show.note(say("Keep a copy of the key in a safe place: without it nobody can say who the people are."))


def sources(on: DayOpt = None) -> None:
    """The declared sources: who owes each and by which day, what came and what is late. With --json also their columns.

    Example: winay sources
    """
    from winay.actions.sources import sources

    ws = workspace()
    names = ["source", "name", "owed_by", "every", "by_day", "loads", "records", "last", "late"]
    show.rows(sources(ws, on or today(ws)), names=names)


def doctor(fix: Annotated[bool, opt("remove what killed runs left behind", "--fix")] = False) -> int:
    """Is everything all right? Disk, key, programme, ledger, lake, vault, snapshots, looks: what is wrong, and what to do.

    Example: winay doctor
    """
    from winay.actions.doctor import BAD, doctor

    checks = [vars(check) for check in doctor(workspace(), fix)]
    show.rows(checks)
    return int(any(check["state"] == BAD for check in checks))
