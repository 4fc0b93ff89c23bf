"""Invented people: who they are, where they live, and on which day they received what. No file is written here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from winay.core.ages import Age, after, days_of
from winay.programme.load import Programme
from winay.programme.schedule import Schedule
from winay.programme.standards import END, Anchor
from winay.records.plan import Care, Chance, Delay, Draw, Number, Plan

Days = NDArray[np.int32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
NEVER = np.int32(2**24)
"""A day that never comes: later than any other, and far from the end of int32."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BLOCKS = 30
"""Visits of one month of age share their lateness, so that what is owed together is given together."""


@dataclass
class People:
    """Subjects of one kind: one row each, with `birth`, `at` (the number of its district), `family` (how much the
    household seeks care), `last` (no record after this day) and what was drawn; `given`: standard -> days by delivery."""

    kind: str
    table: pd.DataFrame
    given: dict[str, list[Days]] = field(default_factory=dict)

    def days(self, name: str) -> Days:
        days: Days = self.table[name].to_numpy(np.int32)
        return days

    def day_of(self, path: str) -> Days:
        """The day of `standard/k`, NEVER where it was not given."""
        name, _, number = path.partition("/")
        return self.given[name][int(number) - 1]


@dataclass
class World:
    """The districts asked for, their facilities, and the people; `on` and all days count from 1970-01-01."""

    programme: Programme
    plan: Plan
    on: int
    seed: int
    places: pd.DataFrame
    providers: pd.DataFrame
    scores: pd.DataFrame
    children: People = field(init=False)
    pregnancies: People = field(init=False)

    def dice(self, *topic: object) -> np.random.Generator:
        """A stream of its own for each topic: a new draw leaves the others as they were."""
        return np.random.default_rng([self.seed, crc32("/".join(map(str, topic)).encode())])


def reference(programme: Programme, name: str) -> pd.DataFrame:
    """A table that ships with the programme, as text; blank where it says nothing."""
    return pd.read_csv(programme.path / "reference" / f"{name}.csv.gz", dtype=str, keep_default_na=False)


def settle(programme: Programme, plan: Plan, on: date, seed: int, regions: Sequence[str]) -> World:
    """The world with its people born and nothing given yet. `regions` are codes of places at any level."""
    tree = reference(programme, "places")
    parent = dict(zip(tree["code"], tree["parent"], strict=True))

    def inside(code: str) -> bool:
        return code in regions or (code != "" and inside(parent.get(code, "")))

    lowest = tree[(tree["level"] == programme.head.levels[-1]) & (tree["until"] == "") & tree["code"].map(inside)]
    places = lowest.merge(reference(programme, "population").rename(columns={"place": "code"}), on="code")
    number = {code: index for index, code in enumerate(places["code"])}
    providers = reference(programme, "providers").query("place in @number")
    for name, wanted in plan.facilities.items():
        providers = providers[providers[name].isin(wanted)]
    providers = providers.reset_index(drop=True)
    numeric = [name for name, a in programme.attributes.items() if a.of == "place" and a.type in ("integer", "decimal")]
    measured = places.reindex(columns=numeric).apply(pd.to_numeric, errors="coerce")
    places[numeric] = measured
    scores = ((measured - measured.mean()) / measured.std().replace(0, 1)).fillna(0)
    world = World(
        programme, plan, days_of(on), seed, places, providers.assign(at=providers["place"].map(number)), scores
    )
    world.scores["chance"] = world.dice("places").normal(size=len(places))
    _born(world, on)
    return world


def _born(world: World, on: date) -> None:
    """Children by district from the estimates (age k for those born k years ago), and the pregnancies that ended so."""
    plan, dice, born = world.plan, world.dice("births"), []
    for year in range(plan.months // 12):
        expected = world.places[f"age_{year}"].astype(float).to_numpy()
        counts = np.floor(expected + dice.random(len(expected))).astype(int)
        first, last = (days_of(Age(-12 * (year + back)).after(on)) for back in (1, 0))
        days = first + 1 + dice.integers(0, last - first, counts.sum())
        born.append(pd.DataFrame({"birth": days.astype(np.int32), "at": np.repeat(np.arange(len(counts)), counts)}))
    table = pd.concat(born).sort_values(["birth", "at"], kind="stable", ignore_index=True)
    second = np.flatnonzero(dice.random(len(table)) < plan.twins)
    second = second[(second > 0) & ~np.isin(second - 1, second)]
    table.iloc[second] = table.iloc[second - 1]
    mother = np.cumsum(~np.isin(np.arange(len(table)), second)) - 1
    mothers = table.drop(index=second).reset_index(drop=True)
    mothers = mothers.assign(family=dice.normal(size=len(mothers)), last=mothers["birth"])
    world.pregnancies, world.children = (
        People("pregnancy", mothers),
        People("child", mothers.iloc[mother].reset_index(drop=True)),
    )
    for name, draw in plan.draws.items():
        mothers[name] = _drawn(world, world.pregnancies, name, draw)
        own = _drawn(world, world.children, name, draw) if draw.own else mothers[name].to_numpy()[mother]
        world.children.table[name] = own
    died = np.minimum(table["birth"] + dice.exponential(60, len(table)), table["birth"] + 700).astype(np.int32)
    died = died.where(dice.random(len(table)) < plan.deaths, NEVER)
    world.children.table = world.children.table.assign(mother_number=mother, last=np.minimum(died, np.int32(world.on)))


def _drawn(world: World, people: People, name: str, draw: Draw) -> Any:
    dice, size = world.dice("draw", people.kind, name), len(people.table)
    if not draw.shares:
        return np.round(measured(world, people, np.arange(size), draw, dice, people.days("birth"))).astype(int)
    odds = [np.log(share) + moved(world, people, draw.effects.get(option, {})) for option, share in draw.shares.items()]
    chosen = np.argmax(np.column_stack(odds) + dice.gumbel(size=(size, len(odds))), axis=1)
    return np.array(list(draw.shares), object)[chosen]


def measured(world: World, people: People, who: Ints, number: Number, dice: np.random.Generator, day: Days) -> Floats:
    """A value for each of `who` on its `day`: the mean or the curve at that age, slopes, and chance."""
    value = np.full(len(who), number.mean)
    if number.curve:
        value = np.interp(
            day - people.days("birth")[who], [float(age) for age in number.curve], list(number.curve.values())
        )
    for name, slope in number.per.items():
        local = name in world.scores
        known = world.places[name].to_numpy()[people.table["at"]] if local else people.table[name].to_numpy(float)
        value = value + slope.add * np.nan_to_num(known[who] - slope.around)
    value = value + dice.normal(0, number.sd, len(who))
    low, high = (edge if edge is not None else far for edge, far in ((number.from_, -np.inf), (number.to, np.inf)))
    clipped: Floats = np.clip(value, low, high)
    return clipped


def moved(world: World, people: People, effects: dict[str, float]) -> Floats:
    """How much the log-odds of each are moved by its place."""
    by_place = (
        (world.scores[list(effects)] * list(effects.values())).sum(axis=1) if effects else world.scores["chance"] * 0
    )
    shift: Floats = by_place.to_numpy()[people.table["at"]]
    return shift


def concerned(people: People, chance: Chance) -> Flags:
    """Whom a chance is about: the options and limits it names."""
    about = np.ones(len(people.table), bool)
    for name, wanted in chance.only.items():
        about &= people.table[name].isin(wanted).to_numpy()
    for name, limit in chance.under.items():
        about &= (people.table[name] < limit).to_numpy()
    return about


def happens(
    world: World,
    people: People,
    chance: Chance,
    dice: np.random.Generator,
    share: Floats | float | None = None,
    family: float = 0,
) -> Flags:
    """Who it happens to: the share, moved by place and family, among those concerned."""
    odds = np.clip(chance.share if share is None else share, 1e-9, 1 - 1e-9)
    odds = np.log(odds / (1 - odds)) + moved(world, people, chance.effects) + family * people.table["family"].to_numpy()
    happened: Flags = concerned(people, chance) & (dice.random(len(people.table)) < 1 / (1 + np.exp(-odds)))
    return happened


def late(dice: np.random.Generator, delay: Delay, size: int) -> Days:
    return np.minimum(delay.median * np.exp(dice.normal(0, delay.sigma, size)), 3000).astype(np.int32)


def cared_for(world: World) -> Iterator[tuple[People, Care, int, str, Days]]:
    """All care of the plan, in its order: people, care, number of the delivery, service proved, day (NEVER: not)."""
    tempo = {}
    for people in (world.children, world.pregnancies):
        chance = world.dice("tempo", people.kind).normal(size=(len(people.table), BLOCKS))
        tempo[people.kind] = 0.9 * chance - 0.4 * people.table["family"].to_numpy()[:, None]
    for number, care in enumerate(world.plan.care):
        name = care.standard or care.on[0].partition("/")[0]
        schedule, dice = world.programme.schedules[name], world.dice("care", number)
        people = world.children if schedule.subject == world.children.kind else world.pregnancies
        if care.standard:
            days = _followed(world, people, care, schedule, tempo[people.kind], dice)
            earlier = people.given.get(name, days)
            people.given[name] = [np.minimum(one, other) for one, other in zip(earlier, days, strict=True)]
        else:
            given = [people.day_of(path) for path in care.on]
            days = [np.where(happens(world, people, care, dice, family=care.family), day, NEVER) for day in given]
        for k, day in enumerate(days):
            yield people, care, k, care.service or schedule.deliveries[k].service, day.astype(np.int32)


def _followed(
    world: World, people: People, care: Care, schedule: Schedule, tempo: Floats, dice: np.random.Generator
) -> list[Days]:
    size, birth, anchor = len(people.table), people.days("birth"), _anchored(people, care, schedule)
    about = (anchor < NEVER) & (people.day_of(care.needs) < NEVER if care.needs else True)
    before, result = np.full(size, NEVER, np.int32), list[Days]()
    for k, delivery in enumerate(schedule.deliveries):
        start = after(delivery.age.from_, anchor, schedule.month_end)
        if k < len(care.planned):
            start = np.maximum(start, after(care.planned[k], anchor, schedule.month_end))
        for gap in delivery.gaps:
            low, high = gap.ages or (Age(), END)
            binds = (before < NEVER) & (start >= after(low, anchor)) & (high == END or start <= after(high, anchor))
            start = np.where(binds, np.maximum(start, after(gap.clock.from_, before)), start).astype(np.int32)
        keep = care.share if care.keep is None else care.keep
        share = care.share if k == 0 else np.where(result[-1] < NEVER, keep, care.back)
        got = about & happens(world, people, care, dice, share, care.family)
        pace = tempo[np.arange(size), np.abs(start - birth) // 30 % BLOCKS] * care.delay.sigma
        day = start + (care.delay.median * np.exp(pace)).astype(np.int32)
        day = np.where(dice.random(size) < care.early, start - dice.integers(1, 6, size), day)
        got &= (day <= people.days("last")) & (day - start < 300)
        result.append(np.where(got, day, NEVER).astype(np.int32))
        before = np.where(got, result[-1], before)
    return result


def _anchored(people: People, care: Care, schedule: Schedule) -> Days:
    """The day ages are counted from: birth, a delivery named by the plan, or so many weeks before the birth."""
    anchor, birth = schedule.anchor, people.days("birth")
    if care.since:
        return people.day_of(care.since)
    if not isinstance(anchor, Anchor) or anchor.back is None:
        return birth
    day: Days = (birth - anchor.back.days * people.table[anchor.times or ""].to_numpy()).astype(np.int32)
    if anchor.to_weekday:
        day -= (day + 3 - WEEKDAYS.index(anchor.to_weekday)) % 7  # 1970-01-01 was a Thursday
    return day
