"""One pass over everything known, frozen as a snapshot; or some indicators, as they were known on another day."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
Advance = Callable[[float], None]


@dataclass(frozen=True)
class Evaluated:
    """One indicator: its figures at every level, and the verdict on every subject of its cohort."""

    indicator: Indicator
    figures: "pa.Table"
    verdicts: Any


def evaluated(
    ws: Workspace, known: "Known", on: date, indicators: Sequence[Indicator], con: Any, months: int = 24,
    advance: Advance = lambda done: None,
) -> Iterator[Evaluated]:  # fmt: skip
    """Figures and verdicts of each indicator, as of a day, from what is known."""
    from winay.engine import evaluate as engine
    from winay.engine.figures import with_reporting
    from winay.engine.judging import Calendar
    from winay.engine.tree import Tree

    programme, calendar = promised(ws), Calendar.back_from(on, months)
    tree = Tree.of(known.places.to_pylist())
    found = engine.evaluate(
        con,
        programme,
        known.subjects,
        known.services,
        around(known),
        on,
        indicators=indicators,
        months=months,
        on_block=advance,
    )
    for indicator, rows in found:
        rows = rows.cache()
        figures = engine.figures(indicator, rows, calendar, tree)
        figures = with_reporting(figures, known.reported, known.providers, calendar, tree)
        yield Evaluated(indicator, engine.with_history(figures, programme, indicator, known, calendar), rows)


def around(known: "Known") -> "Surroundings":
    """What verdicts read beside services."""
    from winay.engine.verdicts import Surroundings

    return Surroundings(known.residences, known.enrolments, known.exits, known.providers, known.places)


def evaluate(
    ws: Workspace, caller: gate.Caller, on: date, known_on: date, months: int = 24, advance: Advance = lambda done: None
) -> "Snapshot":
    """Every indicator of the programme for the months up to `on`, as known on a day, kept as a new snapshot."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from winay.workspace import disk

    programme = promised(ws)
    with gate.tables(ws, caller, "evaluate", what=f"on {on} known {known_on}") as people, ws.snapshots.draft() as draft:
        loads = ws.ledger.finished()
        known = people.known(known_on)
        con = ws.connect()
        figures = []
        for one in evaluated(ws, known, on, list(programme.indicators.values()), con, months, advance):
            figures.append(one.figures)
            one.verdicts.to_parquet(disk.literal(draft / f"{verdicts_name(one.indicator)}.parquet"))
        pq.write_table(pa.concat_tables(figures), draft / "figures.parquet")
        pq.write_table(known.subjects, draft / "subjects.parquet")
        pq.write_table(known.members, draft / "members.parquet")
        pq.write_table(known.places, draft / "places.parquet")
        manifest = {
            "programme": programme.hash, "name": programme.name, "ledger": ws.ledger.digest(loads), "on": on.isoformat(),
            "known": known_on.isoformat(), "engine": ENGINE, "months": months, "subjects": len(known.subjects),
            "records": len(known.services),
        }  # fmt: skip
        return ws.snapshots.open_snapshot(ws.snapshots.freeze(draft, manifest))


def verdicts_name(indicator: Indicator) -> str:
    """The file of an indicator's verdicts in a snapshot."""
    return f"verdicts-{indicator.key}"


def judged(snapshot: "Snapshot") -> tuple[date, int]:
    """The judging day of a snapshot, and how many months it goes back."""
    return date.fromisoformat(snapshot.manifest["on"]), int(snapshot.manifest["months"])
