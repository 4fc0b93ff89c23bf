"""A workspace made, or opened for work: its programme read, its canonical tables declared; what is asked, understood."""

from pathlib import Path
from typing import TYPE_CHECKING

from winay.core.periods import Month
from winay.core.problems import wrong_use
from winay.workspace import Workspace, create, open_workspace

if TYPE_CHECKING:
    from winay.programme.load import Programme


def made(path: Path, name: str, key: Path | None = None) -> Workspace:
    """A new workspace for a programme, by its name or its folder. Raises WinayError when either is not right."""
    from winay.programme.locate import find, programme

    named = str(find(name).absolute()) if Path(name).exists() else name
    return create(path, named, key, programme(name).head.time_zone)


def opened(path: Path | None = None) -> Workspace:
    """The workspace in `path`, or around the current folder. Raises WinayError when there is none."""
    from winay.records.tables import schemas

    ws = open_workspace(path)
    ws.lake.declare(schemas(promised(ws)))
    return ws


def promised(ws: Workspace) -> "Programme":
    """The programme of a workspace, read once a process."""
    from winay.programme.locate import programme

    return programme(ws.programme, ws.path)


def month(text: str) -> Month:
    """A month as typed. Raises WinayError (wrong use) for anything but YYYY-MM."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise wrong_use('"{text}" is not a month', "expected a month such as 2026-05", text=text) from error
