"""Every delivery of a few subjects on one day: for lists of what is due, for one child's story, for proofs."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.ages import days_of
from winay.engine.conditions import Conditions, fold_of, walk
from winay.engine.hands import statuses
from winay.engine.judging import Calendar, JudgingDay
from winay.engine.plan import Plan
from winay.engine.state import Judge, Units, anchors_of, plan_for, state
from winay.engine.verdicts import Surroundings, lay_out, wide
from winay.programme.criteria import Criterion
from winay.programme.load import Programme

TODAY = JudgingDay("months")


def few(subjects: pa.Table, services: pa.Table, numbers: Sequence[int], kind: str) -> Units:
    """The units of some subjects."""
    wanted = pa.array(sorted(numbers), pa.int32())
    return Units.of(kind, subjects.filter(pc.is_in(subjects["subject"], wanted)), services)


def holding(
    con: Any, programme: Programme, units: Units, around: Surroundings, on: date, criteria: dict[str, Criterion]
) -> dict[str, NDArray[np.bool_]]:
    """For each named criterion whether it holds for each unit on a day, in the order of the units."""
    calendar = Calendar.back_from(on, 1)
    plan = plan_for(programme, units, days_of(on))
    judge = Judge(plan, calendar, TODAY, programme.head.month_end)
    parts = [part for criterion in criteria.values() for part in walk(criterion, programme)]
    folds = list(dict.fromkeys(fold for part in parts if (fold := fold_of(part))))
    masks = state(units, plan, {TODAY: judge}, {TODAY: folds})[TODAY]
    lay_out(con, "few", wide(programme, units, masks, around, judge, "residence"))
    table = con.table("few").filter(con.table("few").here == calendar.all)
    conditions = Conditions(programme, table, calendar.all)
    asked = {f"holds_{i}": conditions.holds(criterion) for i, criterion in enumerate(criteria.values())}
    rows = table.select("subject", **asked).to_pyarrow()
    at = units.at(rows["subject"].to_numpy())
    result = {}
    for i, name in enumerate(criteria):
        result[name] = np.zeros(len(units), bool)
        result[name][at] = rows[f"holds_{i}"].to_numpy() == calendar.all
    return result


def deliveries(con: Any, programme: Programme, units: Units, around: Surroundings, on: date) -> pa.Table:
    """One row a subject and delivery, as of engine.hands.statuses, exempt where a standard's `who` leaves somebody out."""
    if not len(units):
        return pa.table({})
    plan = plan_for(programme, units, days_of(on))
    whos = {t.name: w for t in plan.tracks if (s := programme.standards.get(t.name)) and (w := s.who)}
    held = holding(con, programme, units, around, on, whos) if whos else {}
    cut = np.full(len(units), days_of(on), np.int32)
    return statuses(
        plan, units.births, anchors_of(plan, units), units.offsets, units.services, units.days, cut,
        routes_fit(con, programme, units, around, on),
        _columns(plan, units, {t.number: held[t.name] for t in plan.tracks if t.name in whos}),
        units.table["subject"].to_numpy().astype(np.int32),
    )  # fmt: skip


def routes_fit(
    con: Any, programme: Programme, units: Units, around: Surroundings, on: date
) -> NDArray[np.bool_] | None:
    """[unit, track]: whom the `who` of each variant fits, by what is known of it on a day; None where none has a `who`."""
    plan = plan_for(programme, units, days_of(on))
    routes = {str(track.number): track.route.who for track in plan.tracks if track.route.who}
    if not routes or not len(units):
        return None
    held = holding(con, programme, units, around, on, routes)
    return _columns(plan, units, {int(number): fits for number, fits in held.items()})


def _columns(plan: Plan, units: Units, known: dict[int, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """[unit, track]: true where nothing is said."""
    result = np.ones((len(units), len(plan.tracks)), bool)
    for track, held in known.items():
        result[:, track] = held
    return result
