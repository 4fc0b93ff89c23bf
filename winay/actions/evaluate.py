"""One pass over everything known, frozen as a snapshot; or some indicators, as they were known on another day."""

import os
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from winay.actions import gate
from winay.actions.opening import promised
from winay.programme.indicators import Indicator
from winay.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from winay.engine.verdicts import Surroundings
    from winay.records.as_of import Known
    from winay.workspace.snapshots import Snapshot

ENGINE = "1"
"""Changes when the same rules and records would give other figures."""
FIGURE = ("indicator", "rules", "place", "month")
"""What names a figure."""
Advance = Callable[[float], None]


Verdicts = Callable[[Indicator, Any], None]
"""Called with each indicator and its verdicts, an Ibis table."""


def figures_of(
    ws: Workspace, known: "Known", on: date, indicators: Sequence[Indicator], con: Any, keep: Verdicts, months: int = 24,
    advance: Advance = lambda done: None,
) -> "pa.Table":  # fmt: skip
    """The figures of indicators at every level, as of a day, from what is known; the verdicts are handed to `keep`."""
    from winay.engine import evaluate as engine
    from winay.engine.figures import with_reporting
    from winay.engine.judging import Calendar
    from winay.engine.tree import Tree

    programme, calendar = promised(ws), Calendar.back_from(on, months)
    tree, counts = Tree.of(known.places.to_pylist()), []
    for indicator, rows in engine.evaluate(
        con,
        programme,
        known.subjects,
        known.services,
        around(known),
        on,
        indicators=indicators,
        months=months,
        on_block=advance,
    ):
        rows = rows.cache()
        counts.append(engine.counted_as(indicator, rows, calendar))
        keep(indicator, rows)
    figures = engine.figures(counts, calendar, tree)
    figures = with_reporting(figures, known.reported, known.providers, calendar, tree)
    return engine.with_history(figures, programme, known, calendar)


def around(known: "Known") -> "Surroundings":
    """What verdicts read beside services."""
    from winay.engine.verdicts import Surroundings

    return Surroundings(known.residences, known.enrolments, known.exits, known.providers, known.places)


def evaluate(
    ws: Workspace, caller: gate.Caller, on: date, known_on: date, months: int = 24, advance: Advance = lambda done: None
) -> "Snapshot":
    """Every indicator of the programme for the months up to `on`, as known on a day, kept as a new snapshot.

    Rows are in order, so that the same knowledge and rules give the same snapshot, on whatever computed it.
    """
    import pyarrow.parquet as pq


    programme = promised(ws)
    with gate.tables(ws, caller, "evaluate", what=f"on {on} known {known_on}") as people, ws.snapshots.draft() as draft:
        loads = ws.ledger.finished()
        known = people.known(known_on)
        con = backend(ws)

        def keep(indicator: Indicator, rows: Any) -> None:
            table = rows.order_by("subject", "place").to_pyarrow().combine_chunks()
            pq.write_table(table, draft / f"{verdicts_name(indicator)}.parquet")

        wanted = list(programme.indicators.values())
        figures = figures_of(ws, known, on, wanted, con, keep, months, advance)
        figures = figures.sort_by([(name, "ascending") for name in FIGURE]).combine_chunks()
        pq.write_table(figures, draft / "figures.parquet")
        pq.write_table(known.subjects, draft / "subjects.parquet")
        pq.write_table(known.members, draft / "members.parquet")
        pq.write_table(known.places, draft / "places.parquet")
        manifest = {
            "programme": programme.hash, "name": programme.name, "ledger": ws.ledger.digest(loads), "on": on.isoformat(),
            "known": known_on.isoformat(), "engine": ENGINE, "months": months, "subjects": len(known.subjects),
            "records": len(known.services),
        }  # fmt: skip
        return ws.snapshots.open_snapshot(ws.snapshots.freeze(draft, manifest))


def backend(ws: Workspace) -> Any:
    """Spark where WINAY_SPARK names a master (`local[2]`, `spark://host:7077`), else DuckDB in this process."""
    from winay.workspace.connect import spark

    master = os.environ.get("WINAY_SPARK")
    return spark(master) if master else ws.connect()


def verdicts_name(indicator: Indicator) -> str:
    """The file of an indicator's verdicts in a snapshot."""
    return f"verdicts-{indicator.key}"


def judged(snapshot: "Snapshot") -> tuple[date, int]:
    """The judging day of a snapshot, and how many months it goes back."""
    return date.fromisoformat(snapshot.manifest["on"]), int(snapshot.manifest["months"])
