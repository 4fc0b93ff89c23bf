"""Who is in an indicator's cohort, and who meets it, as month masks: one row a subject and place of residence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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
    programme: Programme,
    units: Units,
    masks: pa.Table,
    around: Surroundings,
    judge: Judge,
    place: str,
    indicators: Sequence[Indicator] = (),
) -> pa.Table:
    """Everything criteria can ask, beside each other: one row a subject and spell of residence (design 4.2, `who`).

    Columns: subject, person, place, here (the masks of the spell), attributes as `A`, `place__A` or `provider__A`, fold
    masks, `followed`, `n__PROGRAMME`, `born_in_year`, and the cohort of each indicator as `cohort__KEY`.
    """
    asked_for = dict(asked(programme))
    names = ["subject", "person", *asked_for.pop("", []), *(of for of in asked_for if of != "place")]
    table = units.table.select(list(dict.fromkeys(names)))
    for column in masks.column_names[1:]:
        table = table.append_column(column, masks[column])
    for column, values in _dated(programme, units, around, judge, indicators).items():
        table = table.append_column(column, pa.array(values))
    table, homes = _placed(units, table, around, judge, place)
    for of, attributes in asked_for.items():
        side, key = (around.places, "place") if of == "place" else (around.providers, "provider")
        at = pc.index_in(homes if of == "place" else table[of], side[key].combine_chunks())
        for attribute in attributes:
            table = table.append_column(f"{of}__{attribute}", side[attribute].take(at))
    return table


def _placed(units: Units, table: pa.Table, around: Surroundings, judge: Judge, place: str) -> tuple[pa.Table, Any]:
    """(the rows with `place` and `here`, one a spell or one a subject; their places)."""
    every = judge.calendar.all
    if place == "residence":
        spells = _spells(units, around.residences, judge)
        at = units.at(spells["subject"].to_numpy())
        housed = np.zeros(len(units), bool)
        housed[at] = True
        homeless = np.flatnonzero(~housed)
        places = pa.concat_arrays([spells["place"].combine_chunks(), pa.nulls(len(homeless), pa.string())])
        here = np.concatenate([spells["here"].to_numpy(), np.full(len(homeless), every, np.int32)])
        if len(homeless) or len(at) != len(units):
            table = table.take(pa.array(np.concatenate([at, homeless])))
    else:
        homes = around.providers["place"]
        named = pc.index_in(units.table[place.removeprefix("provider:")], around.providers["provider"].combine_chunks())
        places, here = homes.take(named), np.full(len(units), every, np.int32)
    return table.append_column("place", places).append_column("here", pa.array(here)), places


@lru_cache(maxsize=4)
def asked(programme: Programme) -> dict[str, list[str]]:
    """The attributes criteria ask for, by whose they are: `{"": [...], "place": [...], "birth_facility": [...]}`."""
    result: dict[str, dict[str, None]] = {}
    for criterion in criteria_of(programme):
        if criterion.attribute:
            of, _, attribute = criterion.attribute.rpartition(".")
            result.setdefault(of, {})[attribute] = None
    return {of: list(attributes) for of, attributes in result.items()}


def _spells(units: Units, residences: pa.Table, judge: Judge) -> pa.Table:
    """subject, place, here: the judging days of each spell; the first known spell reaches back to the beginning.

    residences: in order of subject and since.
    """
    mine = _of(units, residences)
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
        own = own[units.at(subjects)]
    masks: Mask = spell_masks(starts, ends.astype(np.int32), own, *judge.calendar.before, judge.calendar.all)
    return masks


def _dated(
    programme: Programme, units: Units, around: Surroundings, judge: Judge, indicators: Sequence[Indicator]
) -> dict[str, Mask]:
    """Masks that come from days: still followed, enrolled, born in the year, the episode chosen, in which cohort."""
    result = {"followed": np.full(len(units), judge.calendar.all, np.int32)}
    exits = _of(units, around.exits)
    gone = _days(exits["day"], FAR)
    wrong = np.asarray(pc.equal(exits["kind"], "wrong").to_numpy(zero_copy_only=False), bool)
    ends = np.where(wrong, -FAR, gone).astype(np.int32)
    masks = _spell_masks(np.full(len(ends), -FAR, np.int32), ends, exits["subject"].to_numpy(), units, judge)
    np.bitwise_and.at(result["followed"], units.at(exits["subject"].to_numpy()), masks)
    enrolments = _of(units, around.enrolments)
    for name in sorted({c.enrolled for c in criteria_of(programme) if c.enrolled}):
        spells = enrolments.filter(pc.equal(enrolments["programme"], name))
        owners = spells["subject"].to_numpy()
        open_ = _spell_masks(_days(spells["since"], -FAR), _days(spells["until"], FAR - 1) + 1, owners, units, judge)
        result[f"n__{name}"] = np.zeros(len(units), np.int32)
        np.bitwise_or.at(result[f"n__{name}"], units.at(owners), open_)
    result["born_in_year"] = born_in_year(units.births, judge.judged, judge.calendar, programme.head.month_end)
    chosen = _chosen(units, judge.calendar) if programme.head.subjects[units.kind].episodes else {}
    for indicator in indicators:
        inside = cohort(indicator, units.births, judge.calendar, programme.head.month_end) & result["followed"]
        result[f"cohort__{indicator.key}"] = inside & chosen.get(indicator.episode, inside)
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
    return {"last": bits.astype(np.int32), "first": np.where(first, calendar.all, 0).astype(np.int32)}


def verdicts(programme: Programme, indicator: Indicator, table: Table, every: int) -> Table:
    """One row a subject and place: `cohort`, `denominator`, `met`, `excluded` and a mask a component (`c__NAME`).

    table: `wide` on a backend. excluded: of the cohort's age or episode, but outside `who` or taken out. Rows never in
    the cohort are left out.
    """
    conditions = Conditions(programme, table, every)
    inside = table[f"cohort__{indicator.key}"] & table.here
    owed = conditions.holds(indicator.who) & conditions.negated(conditions.holds(indicator.exclude, otherwise=False))
    parts = components(indicator.met, programme)
    rows = table.select(
        "subject",
        "person",
        "place",
        cohort=inside,
        denominator=inside & owed,
        met=inside & owed & conditions.holds(indicator.met),
        excluded=inside & conditions.negated(owed),
        **{f"c__{part}": conditions.holds(criterion) & inside for part, criterion in parts.items()},
    )
    return rows.filter(rows.cohort != 0)


def lay_out(con: Any, name: str, rows: pa.Table) -> None:
    """Make Arrow rows a table of a backend; DuckDB reads them where they lie."""
    if con.name == "duckdb":
        con.con.register(name, rows)
    else:
        con.create_table(name, rows, overwrite=True)


def judging(indicators: Iterable[Indicator]) -> dict[JudgingDay, list[Indicator]]:
    """Indicators by the day they judge on: each such group shares its masks."""
    result: dict[JudgingDay, list[Indicator]] = {}
    for indicator in indicators:
        result.setdefault(judging_day(indicator), []).append(indicator)
    return result
