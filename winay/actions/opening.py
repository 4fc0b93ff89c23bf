"""A workspace made, or opened for work: its programme read, its tables declared; what is owed to it, and what came."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def sources(ws: Workspace, on: date) -> list[dict[str, Any]]:
    """One row a source: source, name, owed_by, every, by_day, file, loads, records, last, late (periods), columns."""
    from winay.records.arrivals import arrivals

    programme, done = promised(ws), ws.ledger.loads()
    awaited = [a for a in arrivals(ws, programme, on) if not a.loads and a.late]
    rows = []
    for name, source in programme.sources.items():
        loads = [load for load in done if load.source == name]
        entity = programme.head.entities.get(source.owed_by or "")
        rows.append({
            "source": name, "name": str(source.name), "owed_by": str(entity.name) if entity else None,
            "every": source.every, "by_day": source.by_day, "file": source.file, "loads": len(loads),
            "records": sum(load.counts.get("accepted", 0) for load in loads),
            "last": max((load.known for load in loads), default=None),
            "late": [str(a.period) for a in awaited if a.source == name and loads],
            "columns": [column.name for column in source.columns],
        })  # fmt: skip
    return rows


def month(text: str) -> Month:
    """A month as typed. Raises WinayError (wrong use) for anything but YYYY-MM."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise wrong_use('"{text}" is not a month', "expected a month such as 2026-05", text=text) from error
