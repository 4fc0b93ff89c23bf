"""Who is in an indicator's cohort, and who meets it, as month masks: one row a subject and place of residence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.engine.conditions import Asked, Column, Conditions, components, leaves, tested
from winay.engine.fold import Fold, Judge
from winay.engine.judging import FAR, Calendar, Days, Mask, When
from winay.engine.masks import between, born_in_year, cohort
from winay.engine.seen import months_counted, months_of
from winay.engine.units import Units
from winay.programme.criteria import Criterion
from winay.programme.indicators import Indicator
from winay.programme.load import Programme

HERE = ("here",)
"""The column of the months in which a row's spell of residence counts."""


@dataclass(frozen=True)
class Surroundings:
    """What is known beside services, as Arrow tables (columns as in records.as_of.Known), in order of their subjects."""

    residences: pa.Table
    enrolments: pa.Table
    exits: pa.Table
    providers: pa.Table
    places: pa.Table


@dataclass(frozen=True)
class Rows:
    """One row a subject and spell of residence (or a subject), in order: which of `units` it is, its place, its masks."""

    units: Units
    unit: NDArray[np.int64]
    place: Any
    masks: Mapping[Asked, Mask]


@lru_cache(maxsize=1024)
def asked_by(programme: Programme, indicators: tuple[str, ...]) -> dict[Asked, Criterion]:
    """The leaves of some indicators, given by their keys."""
    chosen = [programme.indicators[key] for key in indicators]
    return leaves([root for i in chosen for root in (i.who, i.exclude, i.met)], programme)


def wide(
    programme: Programme, units: Units, folds: Mapping[Fold, Mask], around: Surroundings, judge: Judge, place: str,
    wanted: Mapping[Asked, Criterion], indicators: Sequence[Indicator] = (),
) -> Rows:  # fmt: skip
    """The masks of every leaf wanted, and of each indicator's cohort as `("cohort", KEY)`.

    folds: [unit], those leaves that come from what was received. place: `residence`, or `provider:NAME` of a service.
    """
    when = judge.when(units)
    unit, places, here = _placed(units, around, when, place)
    own: dict[Asked, Mask] = dict(folds.items())
    of_place: dict[Asked, Mask] = {}
    for name, leaf in wanted.items():
        if leaf.attribute:
            passes = _passes(programme, leaf, units, around, places)
            masks = of_place if leaf.attribute.startswith("place.") else own
            masks[name] = np.where(passes, when.every, 0).astype(np.int32)
        elif leaf.enrolled:
            own[name] = _enrolled(units, around, when, leaf.enrolled)
        elif asked := leaf.seen or leaf.latest:
            own[name] = months_of(asked, programme, units, when)
        elif leaf.born_in:
            own[name] = born_in_year(units.births, when)
    followed = _followed(units, around, when) if indicators else when.every
    for indicator in indicators:
        inside = cohort(indicator, units.births, judge.calendar, when, judge.month_end)
        if indicator.count:
            counted = enumerate(months_counted(indicator.count, programme, units, when), start=1)
            own |= {("count", indicator.key, str(n)): mask for n, mask in counted}
        own["cohort", indicator.key] = inside & followed & units.chosen.get(indicator.episode, when.every)
    if len(unit) != len(units):  # somebody has several spells
        own = {name: mask[unit] for name, mask in own.items()}
    return Rows(units, unit, places, own | of_place | {HERE: here})


def _placed(units: Units, around: Surroundings, when: When, place: str) -> tuple[NDArray[np.int64], Any, Mask]:
    """(unit, place, the months it counts there) of each row; the first spell known reaches back to the beginning."""
    every = np.arange(len(units))
    if place != "residence":
        named = pc.index_in(units.table[place.removeprefix("provider:")], around.providers["provider"])
        places = around.providers["place"].take(named).combine_chunks()
        return every, places, np.full(len(units), when.every, np.int32)
    spells, unit = units.mine(around.residences)
    first = np.append(True, unit[1:] != unit[:-1])[: len(unit)]
    starts = np.where(first, -FAR, _days(spells["since"], -FAR)).astype(np.int32)
    here = between(starts, _days(spells["until"], FAR - 1) + np.int32(1), unit, when)
    housed = np.zeros(len(units), bool)
    housed[unit] = True
    homeless = np.flatnonzero(~housed)
    unit, here = np.append(unit, homeless), np.append(here, np.full(len(homeless), when.every, np.int32))
    places = pa.concat_arrays([spells["place"].combine_chunks(), pa.nulls(len(homeless), pa.string())])
    if (unit[1:] > unit[:-1]).all():
        return unit, places, here
    rows = pa.table({"unit": unit, "place": places})
    order = pc.sort_indices(rows, [("unit", "ascending"), ("place", "ascending")])
    return unit[order], places.take(order), here[order]


def _passes(
    programme: Programme, leaf: Criterion, units: Units, around: Surroundings, places: Any
) -> NDArray[np.bool_]:
    """Whether an attribute passes: of each unit (`A`), of the provider it names (`P.A`), of each row's place (`place.A`)."""
    of, _, attribute = str(leaf.attribute).rpartition(".")
    kind = programme.attributes[attribute].type
    if not of:
        return tested(leaf, units.table[attribute], kind)[:-1]
    side, key = (around.places, "place") if of == "place" else (around.providers, "provider")
    at = pc.index_in(places if of == "place" else units.table[of].combine_chunks(), side[key])
    passes: NDArray[np.bool_] = tested(leaf, side[attribute], kind)[at.fill_null(-1).to_numpy()]
    return passes


def _followed(units: Units, around: Surroundings, when: When) -> Mask:
    """The months judged before anybody said that a subject has left; of a wrong record, none."""
    exits, unit = units.mine(around.exits)
    if not len(exits):
        return np.full(len(units), when.every, np.int32)
    wrong = np.asarray(pc.equal(exits["kind"], "wrong").fill_null(False))
    ends = np.where(wrong, -FAR, _days(exits["day"], FAR)).astype(np.int32)
    result = np.full(len(units), when.every, np.int32)
    np.bitwise_and.at(result, unit, between(np.full_like(ends, -FAR), ends, unit, when))
    return result


def _enrolled(units: Units, around: Surroundings, when: When, programme: str) -> Mask:
    """The months in which a spell of a programme is open."""
    spells, unit = units.mine(around.enrolments.filter(pc.field("programme") == programme))
    result = np.zeros(len(units), np.int32)
    starts, ends = _days(spells["since"], -FAR), _days(spells["until"], FAR - 1) + np.int32(1)
    np.bitwise_or.at(result, unit, between(starts, ends, unit, when))
    return result


def _days(column: Any, missing: int) -> Days:
    return np.array(column.cast(pa.int32()).fill_null(missing), np.int32)


def chosen(units: Units, calendar: Calendar) -> dict[str, Mask]:
    """Masks of the months at whose end an episode is its person's last (first) one that has ended."""
    persons = units.table["person"].to_numpy()
    order = np.lexsort((units.births, persons))
    same = persons[order][1:] == persons[order][:-1]
    following = np.full(len(units), FAR, np.int32)
    following[order[:-1]] = np.where(same, units.births[order[1:]], FAR)
    first = np.ones(len(units), bool)
    first[order[1:]] = ~same
    last = between(np.full_like(following, -FAR), following, np.arange(len(units)), calendar.shared)
    return {"last": last, "first": np.where(first, calendar.all, 0).astype(np.int32)}


def verdicts(
    programme: Programme, indicator: Indicator, columns: Mapping[Asked, Column], every: int
) -> dict[str, Column]:
    """`cohort`, `denominator`, `met`, `excluded` and a mask a component (`c__NAME`), from the masks of `Rows`.

    excluded: of the cohort's age or episode, but outside `who` or taken out.
    """
    conditions = Conditions(programme, columns, every)
    inside = columns["cohort", indicator.key] & columns[HERE]
    owed = conditions.holds(indicator.who) & (conditions.holds(indicator.exclude, otherwise=False) ^ every)
    denominator = inside & owed
    parts = components(indicator.met, programme)
    met = columns["count", indicator.key, "1"] if indicator.count else conditions.holds(indicator.met)
    return {
        "cohort": inside,
        "denominator": denominator,
        "met": denominator & met,
        "excluded": inside & (owed ^ every),
        **{f"c__{part}": inside & conditions.holds(criterion) for part, criterion in parts.items()},
    }


def judged(programme: Programme, indicator: Indicator, rows: Rows, every: int, con: Any = None) -> pa.Table:
    """The verdicts on those who are ever in the cohort, in order: `subject`, `person`, `place` and those of `verdicts`.

    con: an Ibis connection that works them out; without it they are here. A ratio has another row for each record counted
    after somebody's first: its `met` counts in the numerator, and it is in no cohort.
    """
    key, counted = ("cohort", indicator.key), _counted(indicator, rows)
    kept = np.flatnonzero(rows.masks[key] & rows.masks[HERE])
    wanted = (key, HERE, *counted[:1], *asked_by(programme, (indicator.key,)))
    columns = {name: rows.masks[name][kept] for name in wanted}
    who = {name: rows.units.table[name].to_numpy()[rows.unit[kept]] for name in ("subject", "person")}
    who["place"] = rows.place.take(kept)
    if con is None:
        found = pa.table(who | verdicts(programme, indicator, columns, every))
    else:
        numbered = {f"mask_{n}": mask for n, mask in enumerate(columns.values())}
        table = con.create_table("cohort", pa.table(who | numbered), overwrite=True)
        there = dict(zip(columns, (table[name] for name in numbered), strict=True))
        made = {name: mask.cast("int32") for name, mask in verdicts(programme, indicator, there, every).items()}
        found = table.select(*who, **made).to_pyarrow().sort_by([("subject", "ascending"), ("place", "ascending")])
    again = [_again(found, rows.masks[name][kept]) for name in counted[1:]]
    return pa.concat_tables([found, *again]).sort_by([("subject", "ascending")]) if again else found


def nobody(programme: Programme, indicator: Indicator, units: Units) -> pa.Table:
    """The verdicts of `judged` when none of the units is in the cohort."""
    who = [units.table.schema.field(name) for name in ("subject", "person")]
    parts = (f"c__{part}" for part in components(indicator.met, programme))
    masks = [(name, pa.int32()) for name in ("cohort", "denominator", "met", "excluded", *parts)]
    return pa.schema([*who, ("place", pa.string()), *masks]).empty_table()


def _counted(indicator: Indicator, rows: Rows) -> list[Asked]:
    """The masks of the first, second… record that a ratio counts."""
    return [name for name in rows.masks if name[:2] == ("count", indicator.key)] if indicator.count else []


def _again(found: pa.Table, counted: Mask) -> pa.Table:
    """Rows of those of the cohort of whom another record was counted: `met` alone."""
    met = found["denominator"].to_numpy() & counted
    some = found.filter(pa.array(met != 0))
    masks = {name: np.zeros(len(some), np.int32) for name in found.column_names[3:]}
    return pa.table({name: some[name] for name in found.column_names[:3]} | masks | {"met": met[met != 0]})
