"""What is owed by which day, and what is late."""

import datetime as dt
from collections.abc import Callable

from tests.rooms.records.conftest import visit
from winay.programme.load import Programme
from winay.records.arrivals import arrivals
from winay.records.load import Report
from winay.workspace.folder import Workspace


def test_a_month_is_owed_by_its_day_and_late_after_it(
    deliver: Callable[..., Report], ws: Workspace, peru: Programme
) -> None:
    """June came in time, July four days late, August is owed since 10 September."""
    for month, on in (("06", "2026-07-08"), ("07", "2026-08-14")):
        deliver("his", [visit(month, f"2026-{month}-10", "90723")], on=on, name=f"NOMINAL_TRAMA_NUEVO_2026_{month}.csv")
    told = [a for a in arrivals(ws, peru, dt.date(2026, 9, 15)) if a.source == "his"]
    assert [(str(a.period), str(a.due), a.late, len(a.loads)) for a in told] == [
        ("2026-06", "2026-07-10", 0, 1),
        ("2026-07", "2026-08-10", 4, 1),
        ("2026-08", "2026-09-10", 5, 0),
    ]
