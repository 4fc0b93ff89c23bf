"""A workspace opened for work: its programme read, its canonical tables declared."""

from pathlib import Path

from winay.programme.load import Programme
from winay.programme.locate import find, programme
from winay.workspace import Workspace, create, open_workspace


def made(path: Path, name: str, key: Path | None = None) -> Workspace:
    """A new workspace for a programme, by its name or its folder. Raises WinayError when either is not right."""
    folder = find(name)
    head = programme(name).head
    named = str(folder.absolute()) if Path(name).exists() else name
    return create(path, named, key, head.time_zone)


def opened(path: Path | None = None) -> Workspace:
    """The workspace in `path`, or around the current folder. Raises WinayError when there is none."""
    from winay.records.tables import schemas

    ws = open_workspace(path)
    ws.lake.declare(schemas(promised(ws)))
    return ws


def promised(ws: Workspace) -> Programme:
    """The programme of a workspace, read once a process."""
    return programme(ws.programme, ws.path)
