"""One pass over everything known, frozen as a snapshot; or some indicators, as they were known on another day."""

import os
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from winay.actions import gate
from winay.actions.opening import promised
from winay.engine.judging import Calendar
from winay.engine.tree import Tree
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.workspace import Workspace
from winay.workspace.snapshots import Snapshot

if TYPE_CHECKING:  # what brings Numba is read when it is needed: a snapshot's figures do without
    from winay.engine.verdicts import Surroundings
    from winay.records.as_of import Known

ENGINE = "1"
"""Changes when the same rules and records would give other figures."""
FIGURE = ("indicator", "rules", "place", "month")
"""What names a figure."""
MONTHS = 24
Advance = Callable[[float], None]


def evaluated(
    programme: Programme,
    known: "Known",
    on: date,
    indicators: Sequence[Indicator],
    con: Any = None,
    advance: Advance | None = None,
) -> dict[str, pa.Table]:
    """The tables of a snapshot as of a day: figures at every level, verdicts of each indicator, and whom and where of.

    Rows are in order, so that the same knowledge and rules give the same tables, on whatever computed them.
    """
    from winay.engine import figures as counts
    from winay.engine.evaluate import evaluate

    calendar, tree = Calendar.back_from(on, MONTHS), Tree.of(known.places.to_pylist())
    tables = known.subjects, known.services, around(known)
    asked: dict[str, Any] = {"indicators": indicators, "months": MONTHS, "on_block": advance, "con": con}
    verdicts = list(evaluate(programme, *tables, on, **asked))
    figures = counts.plain(counts.figures(verdicts, calendar, tree))
    figures = counts.with_reporting(figures, known.reported, known.providers, calendar, tree)
    figures = counts.with_history(figures, programme, known.subjects, known.reported, calendar)
    kept = {verdicts_name(indicator): rows for indicator, rows in verdicts}
    kept |= {"figures": figures.sort_by([(name, "ascending") for name in FIGURE])}
    kept |= {"subjects": known.subjects, "members": known.members, "places": known.places}
    return kept


def around(known: "Known") -> "Surroundings":
    """What verdicts read beside services."""
    from winay.engine.verdicts import Surroundings

    return Surroundings(known.residences, known.enrolments, known.exits, known.providers, known.places)


def evaluate(ws: Workspace, caller: gate.Caller, on: date, known_on: date, advance: Advance | None = None) -> Snapshot:
    """Every indicator of the programme for the months up to `on`, as known on a day, kept as a new snapshot."""
    programme = promised(ws)
    with gate.tables(ws, caller, "evaluate", what=f"on {on} known {known_on}") as people, ws.snapshots.draft() as draft:
        loads = ws.ledger.finished()
        known = people.known(known_on)
        tables = evaluated(programme, known, on, list(programme.indicators.values()), backend(), advance)
        for name, table in tables.items():
            pq.write_table(table.combine_chunks(), draft / f"{name}.parquet", compression="zstd")
        manifest = {
            "programme": programme.hash, "name": programme.name, "ledger": ws.ledger.digest(loads), "on": on.isoformat(),
            "known": known_on.isoformat(), "engine": ENGINE, "months": MONTHS, "subjects": len(known.subjects),
            "records": len(known.services),
        }  # fmt: skip
        return ws.snapshots.open_snapshot(ws.snapshots.freeze(draft, manifest))


def backend() -> Any:
    """Spark where WINAY_SPARK names a master (`local[2]`, `spark://host:7077`); None: this process."""
    if not (master := os.environ.get("WINAY_SPARK")):
        return None
    from winay.workspace.spark import connect

    return connect(master)


def verdicts_name(indicator: Indicator) -> str:
    """The file of an indicator's verdicts in a snapshot."""
    return f"verdicts-{indicator.key}"
