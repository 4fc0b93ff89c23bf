"""Every delivery of a few subjects on one day: for lists of what is due, for one child's story, for proofs."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from winay.core.ages import days_of
from winay.engine.conditions import Conditions, leaves
from winay.engine.fold import Fold, Judge, masks
from winay.engine.hands import statuses
from winay.engine.judging import Calendar, JudgingDay
from winay.engine.plan import Plan
from winay.engine.units import Units, anchors_of, plan_for
from winay.engine.verdicts import HERE, Surroundings, wide
from winay.programme.criteria import Criterion
from winay.programme.load import Programme

Holds = NDArray[np.bool_]


def holding(
    programme: Programme, units: Units, around: Surroundings, on: date, criteria: Mapping[Any, Criterion]
) -> dict[Any, Holds]:
    """For each named criterion whether it holds for each unit on a day, in the order of the units."""
    calendar, asked = Calendar.back_from(on, 1), leaves(criteria.values(), programme)
    plan, folds = plan_for(programme, units, days_of(on)), [name for name in asked if isinstance(name, Fold)]
    judge = Judge(plan, calendar, JudgingDay("months"), programme.head.month_end, folds)
    received = masks(units, plan, [judge])[0] if folds else {}
    rows = wide(programme, units, received, around, judge, "residence", asked)
    conditions, now = Conditions(programme, rows.masks, calendar.all), rows.masks[HERE] == calendar.all
    result = {}
    for name, criterion in criteria.items():
        result[name] = np.zeros(len(units), bool)
        result[name][rows.unit[now]] = conditions.holds(criterion)[now] == calendar.all
    return result


def deliveries(programme: Programme, units: Units, around: Surroundings, on: date) -> pa.Table:
    """One row a subject and delivery, as of engine.hands.statuses, exempt where a standard's `who` leaves somebody out."""
    if not len(units):
        return pa.table({})
    plan, cut = plan_for(programme, units, days_of(on)), np.full(len(units), days_of(on), np.int32)
    fits = routes_fit(programme, plan, units, around, on)
    whos = {t.number: t.schedule.who for t in plan.tracks if t.schedule.who}
    applies = _by_track(plan, units, holding(programme, units, around, on, whos))
    records = units.offsets, units.services, units.days
    anchors = anchors_of(plan, units)
    return statuses(plan, units.births, anchors, *records, cut, fits, applies, units.numbers)


def routes_fit(programme: Programme, plan: Plan, units: Units, around: Surroundings, on: date) -> Holds | None:
    """[unit, track]: whom the `who` of each variant fits, by what is known of it on a day; None where none has a `who`."""
    whos = {track.number: track.route.who for track in plan.tracks if track.route.who}
    return _by_track(plan, units, holding(programme, units, around, on, whos)) if whos else None


def _by_track(plan: Plan, units: Units, known: dict[int, Holds]) -> Holds:
    """[unit, track]: true where nothing is said."""
    result = np.ones((len(units), len(plan.tracks)), bool)
    for track, held in known.items():
        result[:, track] = held
    return result
