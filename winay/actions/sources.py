"""The declared sources: who owes each, until when, what came, what is late."""

from datetime import date
from typing import Any

from winay.actions.opening import promised
from winay.workspace import Workspace


def sources(ws: Workspace, on: date) -> list[dict[str, Any]]:
    """One row a source: source, name, owed_by, every, by_day, file, loads, records, last, late (periods), columns."""
    from winay.records.arrivals import arrivals

    programme, done = promised(ws), ws.ledger.loads()
    awaited = [a for a in arrivals(ws, programme, on) if not a.loads and a.late]
    rows = []
    for name, source in programme.sources.items():
        loads = [load for load in done if load.source == name]
        entity = programme.head.entities.get(source.owed_by or "")
        row: dict[str, Any] = {"source": name, "name": str(source.name)}
        row |= {"owed_by": str(entity.name) if entity else None}
        row |= {"every": source.every, "by_day": source.by_day, "file": source.file, "loads": len(loads)}
        row |= {"records": sum(load.counts.get("accepted", 0) for load in loads)}
        row |= {"last": max((load.known for load in loads), default=None)}
        row |= {"late": [str(a.period) for a in awaited if a.source == name and loads]}
        rows.append(row | {"columns": [column.name for column in source.columns]})
    return rows
