"""A workspace opened for work: its programme read, its canonical tables declared."""

from pathlib import Path

from winay.programme.load import Programme
from winay.programme.locate import programme
from winay.workspace import Workspace, open_workspace


def opened(path: Path | None = None) -> Workspace:
    """The workspace in `path`, or around the current folder. Raises WinayError when there is none."""
    from winay.records.tables import schemas

    ws = open_workspace(path)
    ws.lake.declare(schemas(promised(ws)))
    return ws


def promised(ws: Workspace) -> Programme:
    """The programme of a workspace, read once a process."""
    return programme(ws.programme, ws.path)
