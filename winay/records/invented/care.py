"""What invented people received: the standards followed, more or less in time, each service by an item that proves it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from winay.core.ages import Age, after
from winay.programme.load import Programme
from winay.programme.services import Matcher
from winay.programme.standards import Anchor
from winay.programme.written_age import END
from winay.records.invented import growth
from winay.records.invented.lines import NEVER
from winay.records.invented.people import Days, World
from winay.records.invented.plan import Care

MONTHS = 30
"""Visits of one month of age share their lateness, so that what is owed together is given together."""
LINE = ["day", "person", "code", "type", "lab"]


class Proof(NamedTuple):
    """An item that proves a service: any code, any type, a LAB value if any is listed, none of `lab_not`; and the rest."""

    code: list[str]
    type: list[str]
    lab: list[str]
    lab_not: list[str]
    beside: list[Matcher]


def proof(programme: Programme, matcher: Matcher) -> Proof:
    """A service's matcher read backwards: the first way in which it lets the service be proved."""
    named = [programme.services[matcher.is_]] if matcher.is_ else []
    parts = [proof(programme, part) for part in (*named, *(matcher.all_ or []), *(matcher.any_ or [])[:1])]
    lab_not = [*(matcher.lab_not or []), *(lab for part in parts for lab in part.lab_not)]
    return Proof(
        _common(matcher.code, *(part.code for part in parts)),
        _common(matcher.type or programme.head.counted_types, *(part.type for part in parts)),
        [lab for lab in _common(matcher.lab, *(part.lab for part in parts)) if lab not in lab_not],
        lab_not,
        [*(matcher.with_ or []), *(other for part in parts for other in part.beside)],
    )


def _common(*lists: Sequence[str] | None) -> list[str]:
    """What all of the lists have that say anything."""
    said = [one for one in lists if one]
    return [x for x in said[0] if all(x in other for other in said)] if said else []


def care_lines(world: World) -> dict[str, pd.DataFrame]:
    """By role of the file that tells of it, one row a line, by day and person.

    person, day, keyed, code, type, lab, the values measured, and the numbers of contact, item and LAB value.
    """
    said: dict[str, dict[tuple[str, str, str], list[pd.DataFrame]]] = {care.file: {} for care in world.plan.care}
    for care, k, service, days in _cared_for(world):
        items, way = said[care.file], proof(world.programme, world.programme.services[service])
        rows = pd.DataFrame({"person": np.flatnonzero(days < NEVER), "day": days[days < NEVER]})
        for name, (mean, sd) in care.values.items():
            rows[name] = mean + sd * np.clip(world.dice.normal(size=len(rows)), -2.5, 2.5)
        if "haemoglobin" in rows:
            metres = pd.to_numeric(world.places["altitude"])
            rows["haemoglobin"] += (
                world.plan.altitude * metres.fillna(metres.median()).to_numpy()[world.facts(rows)("at")]
            )
        if care.grown:
            rows["height"], rows["weight"] = growth.measures(
                *map(world.facts(rows), ("sex", "birth", *care.grown, "day"))
            )
        rows = rows.round(1)
        code = care.codes[k - 1] if care.codes else way.code[0]
        lab = (*way.lab, str(k) if care.lab == "number" else care.lab)[0]
        wrong = world.dice.random(len(rows)) < care.wrong
        for kind, some in ((way.type[0], rows[~wrong]), (world.plan.uncounted, rows[wrong])):
            items.setdefault((code, kind, "" if lab in way.lab_not else lab), []).append(some)
        for other in () if care.bare else (proof(world.programme, beside) for beside in way.beside):
            items.setdefault((other.code[0], other.type[0], ""), []).append(rows[["person", "day"]])
    return {
        role: _in_contacts(world, {item: pd.concat(rows) for item, rows in items.items()})
        for role, items in said.items()
    }


def _in_contacts(world: World, said: Mapping[tuple[str, str, str], pd.DataFrame]) -> pd.DataFrame:
    """The lines in order, equal ones once, numbered inside their contacts: a person's day."""
    table = pd.concat(said, names=LINE[2:]).reset_index(LINE[2:]).astype(dict.fromkeys(LINE[2:], "category"))
    table = table.sort_values(LINE, kind="stable").drop_duplicates(LINE, ignore_index=True)
    table["contact"] = table.groupby(["day", "person"], sort=False).ngroup() + 1
    table["item"] = table["code"].cat.codes.groupby(table["contact"]).rank("dense").astype(int)
    table["lab_number"] = table.groupby(["contact", "item"]).cumcount() + 1
    late = world.plan.keyed * np.exp(world.plan.spread * world.dice.normal(size=table["contact"].nunique()))
    table["keyed"] = (table["day"] + np.minimum(late, 30)[table["contact"] - 1]).astype(np.int32)
    return table


def _cared_for(world: World) -> Iterator[tuple[Care, int, str, Days]]:
    """All care in the order of the plan: which, the number of the delivery, the service it proves, a day for each person.

    The day is NEVER where it was not given.
    """
    people = world.people
    given: dict[str, Days] = {name: days.to_numpy() for name, days in people.select_dtypes(np.int32).items()}
    pace = world.dice.normal(size=(len(people), MONTHS)) - 0.5 * people["family"].to_numpy()[:, None]
    for care in world.plan.care:
        for k, path in enumerate(care.on, start=1):
            got = world.happens(people, care) & (given[path] <= people["last"])
            yield care, k, care.service, np.where(got, given[path], NEVER)
        if not care.standard:
            continue
        schedule = world.programme.schedules[care.standard]
        mine = np.flatnonzero(people["kind"] == schedule.subject)
        some, said, anchor = people.iloc[mine], schedule.anchor, given[care.since or "birth"][mine]
        if isinstance(said, Anchor) and said.back:
            anchor = anchor - np.int32(said.back.days) * some[said.times or ""].astype(np.int32).to_numpy()
        before = np.full(len(mine), -NEVER)
        for k, delivery in enumerate(schedule.deliveries, start=1):
            age = care.planned[k - 1] if k <= len(care.planned) else delivery.age.from_
            gap = min((gap.clock.from_ for gap in delivery.gaps), default=Age())
            start = np.maximum(after(age, anchor, schedule.month_end), after(gap, before))
            month = np.abs(start - some["birth"].to_numpy()) // 30 % MONTHS
            day = (start + care.late * np.exp(world.plan.spread * pace[mine, month])).astype(np.int32)
            ends = np.minimum(some["last"], some["birth"] if delivery.age.until == END else NEVER)
            got = world.happens(some, care) & (day <= ends)
            path, before = f"{care.standard}/{k}", np.where(got, day, before)
            days = np.full(len(people), NEVER)
            days[mine] = np.where(got, day, NEVER)
            given[path] = np.minimum(days, given.get(path, NEVER))
            yield care, k, care.service or delivery.service, days
