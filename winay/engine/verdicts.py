"""Who is in an indicator's cohort, and who meets it, as month masks: one row a subject and place of residence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from winay.engine.conditions import Conditions, Fold, components, fold_of, walk
from winay.engine.fold import spell_masks
from winay.engine.judging import FAR, Calendar, Days, JudgingDay, Mask, born_in_year, cohort, judging_day
from winay.engine.state import Judge, Units
from winay.programme.check import criteria_of
from winay.programme.indicators import Indicator
from winay.programme.load import Programme

Table = Any
"""An Ibis table."""


@dataclass(frozen=True)
class Surroundings:
    """What is known beside services, as Arrow tables (columns as in records.as_of.Known)."""

    residences: pa.Table
    enrolments: pa.Table
    exits: pa.Table
    providers: pa.Table
    places: pa.Table


def wanted_folds(programme: Programme, indicators: Sequence[Indicator]) -> list[Fold]:
    """The masks of what was received that these indicators are made of."""
    found: dict[Fold, None] = {}
    for indicator in indicators:
        for root in (indicator.who, indicator.exclude, indicator.met):
            for criterion in walk(root, programme):
                if fold := fold_of(criterion):
                    found[fold] = None
    return list(found)


def wide(
    con: Any,
    programme: Programme,
    units: Units,
    masks: pa.Table,
    around: Surroundings,
    judge: Judge,
    place: str,
    name: str,
) -> Table:
    """Everything criteria can ask, beside each other: one row a subject and spell of residence (design 4.2, `who`).

    Columns: subject, person, place, here (the masks of the spell), attributes, `place__*`, `provider__*`, fold masks.
    """
    extra = _dated(programme, units, around, judge)
    by_subject = con.create_table(
        f"units_{name}", _beside(units.table.drop_columns(["kind"]), masks, extra), overwrite=True
    )
    if place == "residence":
        spells = con.create_table(f"spells_{name}", _spells(units, around.residences, judge), overwrite=True)
        table = by_subject.left_join(spells, "subject").drop("subject_right")
        everywhere = ibis.literal(judge.calendar.all, "int32")
        table = table.mutate(here=ibis.coalesce(table.here, everywhere))
    else:
        of = place.removeprefix("provider:")
        homes = con.create_table(f"homes_{name}", around.providers.select(["provider", "place"]), overwrite=True)
        table = by_subject.left_join(homes, by_subject[of] == homes.provider).drop("provider")
        table = table.mutate(here=ibis.literal(judge.calendar.all, "int32"))
    for of, attributes in asked(programme).items():
        side, key = (around.places, "place") if of == "place" else (around.providers, "provider")
        table = _joined(con, table, side.select([key, *attributes]), key, of, f"{of}_{name}")
    return table


def asked(programme: Programme) -> dict[str, list[str]]:
    """What criteria ask of places and providers: `{"place": [...], "birth_facility": [...]}`."""
    result: dict[str, dict[str, None]] = {}
    for criterion in criteria_of(programme):
        of, _, attribute = (criterion.attribute or "").rpartition(".")
        if of:
            result.setdefault(of, {})[attribute] = None
    return {of: list(attributes) for of, attributes in result.items()}


def _beside(subjects: pa.Table, masks: pa.Table, extra: dict[str, Mask]) -> pa.Table:
    for column in masks.column_names[1:]:
        subjects = subjects.append_column(column, masks[column])
    for column, values in extra.items():
        subjects = subjects.append_column(column, pa.array(values))
    return subjects


def _joined(con: Any, table: Table, side: pa.Table, key: str, column: str, name: str) -> Table:
    """The attributes of the place or provider that a column names, as `column__attribute`."""
    names = [f"{name}_key" if c == key else f"{column}__{c}" for c in side.column_names]
    right = con.create_table(name, side.rename_columns(names), overwrite=True)
    return table.left_join(right, table[column] == right[names[0]]).drop(names[0])


def _spells(units: Units, residences: pa.Table, judge: Judge) -> pa.Table:
    """subject, place, here: the judging days of each spell; the first known spell reaches back to the beginning."""
    mine = _of(units, residences).sort_by([("subject", "ascending"), ("since", "ascending")])
    subjects = mine["subject"].to_numpy()
    starts = _days(mine["since"], -FAR)
    first = np.concatenate([[True], subjects[1:] != subjects[:-1]]) if len(subjects) else np.empty(0, bool)
    starts = np.where(first, -FAR, starts).astype(np.int32)
    here = _spell_masks(starts, _days(mine["until"], FAR - 1) + 1, subjects, units, judge)
    return pa.table({"subject": mine["subject"], "place": mine["place"], "here": here})


def _of(units: Units, rows: pa.Table) -> pa.Table:
    """The rows that belong to these subjects."""
    return rows.filter(pc.is_in(rows["subject"], units.table["subject"].combine_chunks()))


def _days(column: Any, missing: int) -> Days:
    return column.cast(pa.int32()).fill_null(missing).to_numpy().astype(np.int32)  # type: ignore[no-any-return]


def _spell_masks(starts: Days, ends: Days, subjects: Any, units: Units, judge: Judge) -> Mask:
    """The judging days in [start, end) of spells that belong to subjects."""
    own = judge.own(units.births)
    if own.size:
        own = own[np.searchsorted(units.table["subject"].to_numpy(), subjects)]
    masks: Mask = spell_masks(starts, ends.astype(np.int32), own, *judge.calendar.before(), judge.calendar.all)
    return masks


def _dated(programme: Programme, units: Units, around: Surroundings, judge: Judge) -> dict[str, Mask]:
    """Masks that come from days: still followed, enrolled, born in the year, the episode chosen."""
    numbers = units.table["subject"].to_numpy()
    result = {"followed": np.full(len(units), judge.calendar.all, np.int32)}
    exits = _of(units, around.exits)
    gone = _days(exits["day"], FAR)
    wrong = np.asarray(pc.equal(exits["kind"], "wrong").to_numpy(zero_copy_only=False), bool)
    ends = np.where(wrong, -FAR, gone).astype(np.int32)
    masks = _spell_masks(np.full(len(ends), -FAR, np.int32), ends, exits["subject"].to_numpy(), units, judge)
    np.bitwise_and.at(result["followed"], np.searchsorted(numbers, exits["subject"].to_numpy()), masks)
    enrolments = _of(units, around.enrolments)
    for name in sorted({c.enrolled for c in criteria_of(programme) if c.enrolled}):
        spells = enrolments.filter(pc.equal(enrolments["programme"], name))
        owners = spells["subject"].to_numpy()
        open_ = _spell_masks(_days(spells["since"], -FAR), _days(spells["until"], FAR - 1) + 1, owners, units, judge)
        result[f"n__{name}"] = np.zeros(len(units), np.int32)
        np.bitwise_or.at(result[f"n__{name}"], np.searchsorted(numbers, owners), open_)
    result["born_in_year"] = born_in_year(units.births, judge.judged, judge.calendar, programme.head.month_end)
    if programme.head.subjects[units.kind].episodes:
        result |= _chosen(units, judge.calendar)
    return result


def _chosen(units: Units, calendar: Calendar) -> dict[str, Mask]:
    """Masks of the months at whose end an episode is its person's last (first) one that has ended."""
    persons = units.table["person"].to_numpy()
    order = np.lexsort((units.births, persons))
    same = persons[order][1:] == persons[order][:-1]
    following = np.full(len(units), FAR, np.int64)
    following[order[:-1]] = np.where(same, units.births[order[1:]], FAR)
    ends = calendar.days
    bits = (ends[None, :] < following[:, None]) @ (1 << np.arange(len(ends), dtype=np.int64))
    first = np.ones(len(units), bool)
    first[order[1:]] = ~same
    return {"last_episode": bits.astype(np.int32), "first_episode": np.where(first, calendar.all, 0).astype(np.int32)}


def verdicts(con: Any, programme: Programme, indicator: Indicator, table: Table, judge: Judge, name: str) -> Table:
    """One row a subject and place: `cohort`, `denominator`, `met`, `excluded` and a mask a component (`c__NAME`).

    excluded: of the cohort's age or episode, but outside `who` or taken out. Rows never in the cohort are left out.
    """
    conditions = Conditions(programme, table, judge.calendar.all)
    cohorts = con.create_table(f"cohorts_{name}", _cohorts(programme, indicator, table, judge), overwrite=True)
    table = table.left_join(cohorts, "birth").drop("birth_right")
    inside = table.cohort & table.here & table.followed
    if indicator.episode != "each":
        inside = inside & table[f"{indicator.episode}_episode"]
    parts = components(indicator.met, programme)
    table = table.mutate(
        cohort=inside,
        owed=conditions.holds(indicator.who) & conditions.negated(conditions.holds(indicator.exclude, otherwise=False)),
        holds=conditions.holds(indicator.met),
        **{f"c__{part}": conditions.holds(criterion) for part, criterion in parts.items()},
    )
    table = table.filter(table.cohort != 0)
    return table.select(
        "subject",
        "person",
        "place",
        "cohort",
        denominator=table.cohort & table.owed,
        met=table.cohort & table.owed & table.holds,
        excluded=table.cohort & conditions.negated(table.owed),
        **{f"c__{part}": table[f"c__{part}"] & table.cohort for part in parts},
    )


def _cohorts(programme: Programme, indicator: Indicator, table: Table, judge: Judge) -> pa.Table:
    """birth, cohort: calendar arithmetic once a birth day, not once a subject."""
    births = table.select("birth").distinct().to_pyarrow()["birth"]
    days = births.cast(pa.int32()).to_numpy()
    return pa.table({"birth": births, "cohort": cohort(indicator, days, judge.calendar, programme.head.month_end)})


def judging(indicators: Iterable[Indicator]) -> dict[JudgingDay, list[Indicator]]:
    """Indicators by the day they judge on: each such group shares its masks."""
    result: dict[JudgingDay, list[Indicator]] = {}
    for indicator in indicators:
        result.setdefault(judging_day(indicator), []).append(indicator)
    return result
