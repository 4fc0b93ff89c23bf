"""Invented people: who they are, where they live, and on which day they received what. No file is written here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from winay.core.ages import Age, after, days_of
from winay.programme.load import Programme
from winay.programme.schedule import Schedule
from winay.programme.standards import Anchor
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
    """Subjects of one kind. `family`: how much a household seeks care; `last`: no record after this day."""

    kind: str
    birth: Days
    place: Ints
    family: Floats
    last: Days
    options: dict[str, tuple[Ints, list[str]]] = field(default_factory=dict)
    numbers: dict[str, Floats] = field(default_factory=dict)
    given: dict[str, list[Days]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.birth)

    def day_of(self, path: str) -> Days:
        """The day of `standard/k`, NEVER where it was not given."""
        name, _, number = path.partition("/")
        return self.given[name][int(number or 1) - 1]


@dataclass
class World:
    """The districts asked for, their facilities, and the people; `on` and all days count from 1970-01-01."""

    programme: Programme
    plan: Plan
    on: int
    seed: int
    places: pd.DataFrame
    providers: pd.DataFrame
    scores: dict[str, Floats]
    children: People = field(init=False)
    pregnancies: People = field(init=False)
    mother: Ints = field(init=False)

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

    lowest = (tree["level"] == programme.head.levels[-1]) & (tree["until"] == "")
    places = tree[lowest & tree["code"].map(inside)].merge(
        reference(programme, "population"), left_on="code", right_on="place"
    )
    number = {code: index for index, code in enumerate(places["code"])}
    providers = reference(programme, "providers").query("ambito != ''")
    providers = providers[providers["place"].isin(number)].reset_index(drop=True)
    providers = providers.assign(at=providers["place"].map(number))
    measured = [
        name for name, a in programme.attributes.items() if a.of == "place" and a.type in ("integer", "decimal")
    ]
    scores = {name: _score(places[name]) for name in measured if name in places} | {"chance": np.zeros(len(places))}
    world = World(programme, plan, days_of(on), seed, places, providers, scores)
    world.scores["chance"] = world.dice("places").normal(size=len(places))
    _born(world, on)
    return world


def _score(column: pd.Series) -> Floats:
    values = pd.to_numeric(column, errors="coerce")
    return np.asarray(((values - values.mean()) / (values.std() or 1)).fillna(0))


def _born(world: World, on: date) -> None:
    """Children by district from the estimates (age k for those born k years ago), and the pregnancies that ended so."""
    plan, dice = world.plan, world.dice("births")
    born: list[Days] = []
    homes: list[Ints] = []
    for year in range(plan.months // 12):
        expected = world.places[f"age_{year}"].astype(float).to_numpy()
        counts = np.floor(expected + dice.random(len(expected))).astype(int)
        first, last = (days_of(Age(-12 * (year + back)).after(on)) for back in (1, 0))
        homes.append(np.repeat(np.arange(len(counts)), counts))
        born.append((first + 1 + dice.integers(0, last - first, counts.sum())).astype(np.int32))
    birth, place = np.concatenate(born), np.concatenate(homes)
    order = np.lexsort((place, birth))
    birth, place = birth[order], place[order]
    second = np.flatnonzero(dice.random(len(birth)) < plan.twins)
    second = second[(second > 0) & ~np.isin(second - 1, second)]
    birth[second], place[second] = birth[second - 1], place[second - 1]
    single = np.ones(len(birth), bool)
    single[second] = False
    world.mother = np.cumsum(single) - 1
    family = dice.normal(size=int(single.sum()))
    world.pregnancies = People("pregnancy", birth[single], place[single], family, birth[single].copy())
    for name, draw in plan.draws.items():
        _draw(world, world.pregnancies, name, draw)
    children = People("child", birth, place, family[world.mother], np.full(len(birth), world.on, np.int32))
    shared = world.pregnancies
    children.options = {name: (codes[world.mother], words) for name, (codes, words) in shared.options.items()}
    children.numbers = {name: values[world.mother] for name, values in shared.numbers.items()}
    for name, draw in plan.draws.items():
        if draw.own:
            _draw(world, children, name, draw)
    died = dice.random(len(birth)) < plan.deaths
    lived = np.minimum(dice.exponential(60, len(birth)), 700).astype(np.int32)
    children.last = np.where(died & (birth + lived < world.on), birth + lived, world.on).astype(np.int32)
    world.children = children


def _draw(world: World, people: People, name: str, draw: Draw) -> None:
    dice = world.dice("draw", people.kind, name)
    if not draw.shares:
        people.numbers[name] = np.round(measured(world, people, np.arange(len(people)), draw, dice, people.birth))
        return
    odds = np.tile(np.log(np.array(list(draw.shares.values()))), (len(people), 1))
    for column, option in enumerate(draw.shares):
        odds[:, column] += _moved(world, people, draw.effects.get(option, {}))
    picked = np.argmax(odds + dice.gumbel(size=odds.shape), axis=1)
    people.options[name] = (picked, list(draw.shares))


def measured(world: World, people: People, who: Ints, number: Number, dice: np.random.Generator, day: Days) -> Floats:
    """A value for each of `who` on its `day`: the mean or the curve at that age, slopes, and chance."""
    value = np.full(len(who), number.mean)
    if number.curve:
        ages = [float(age) for age in number.curve]
        value = np.interp(day - people.birth[who], ages, list(number.curve.values()))
    for name, slope in number.per.items():
        of_place = pd.to_numeric(world.places[name], errors="coerce").to_numpy() if name in world.scores else None
        known = people.numbers[name][who] if of_place is None else of_place[people.place[who]]
        value = value + slope.add * (np.nan_to_num(known, nan=slope.around) - slope.around)
    value = value + dice.normal(0, number.sd, len(who)) if number.sd else value
    return np.clip(value, number.from_, number.to) if number.from_ is not None or number.to is not None else value


def _moved(world: World, people: People, effects: dict[str, float]) -> Floats:
    return sum((size * world.scores[name][people.place] for name, size in effects.items()), np.zeros(len(people)))


def concerned(people: People, chance: Chance) -> Flags:
    """Whom a chance is about: the options and limits it names."""
    about = np.ones(len(people), bool)
    for name, wanted in chance.only.items():
        codes, options = people.options[name]
        about &= np.isin(codes, [number for number, option in enumerate(options) if option in wanted])
    for name, limit in chance.under.items():
        about &= people.numbers[name] < limit
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
    odds = np.clip(np.asarray(chance.share if share is None else share), 1e-9, 1 - 1e-9)
    logit = np.log(odds / (1 - odds)) + _moved(world, people, chance.effects) + family * people.family
    happened: Flags = concerned(people, chance) & (dice.random(len(people)) < 1 / (1 + np.exp(-logit)))
    return happened


def late(dice: np.random.Generator, delay: Delay, size: int) -> Days:
    return np.minimum(delay.median * np.exp(dice.normal(0, delay.sigma, size)), 3000).astype(np.int32)


def cared_for(world: World) -> list[tuple[People, Care, int, str, Days]]:
    """All care of the plan, in its order: people, care, number of the delivery, service proved, day (NEVER: not)."""
    tempo = {}
    for people in (world.children, world.pregnancies):
        chance = world.dice("tempo", people.kind).normal(size=(len(people), BLOCKS))
        tempo[people.kind] = 0.9 * chance - 0.4 * people.family[:, None]
    given = []
    for number, care in enumerate(world.plan.care):
        standard = care.standard or care.on[0].partition("/")[0]
        schedule = world.programme.schedules[standard]
        people = world.children if schedule.subject == world.children.kind else world.pregnancies
        dice = world.dice("care", number)
        if care.standard:
            days = _followed(world, people, care, schedule, tempo[people.kind], dice)
            earlier = people.given.get(standard, days)
            people.given[standard] = [np.minimum(one, other) for one, other in zip(earlier, days, strict=True)]
        else:
            days = _beside(world, people, care, dice)
        services = [delivery.service for delivery in schedule.deliveries] if care.standard else []
        for k, day in enumerate(days):
            service = care.service or services[k]
            given.append((people, care, k, service, day))
    return given


def _beside(world: World, people: People, care: Care, dice: np.random.Generator) -> list[Days]:
    days = [people.day_of(path) for path in care.on]
    return [
        np.where(happens(world, people, care, dice, family=care.family), day, NEVER).astype(np.int32) for day in days
    ]


def _followed(
    world: World, people: People, care: Care, schedule: Schedule, tempo: Floats, dice: np.random.Generator
) -> list[Days]:
    anchor = _anchored(people, care, schedule)
    about = anchor < NEVER
    if care.needs:
        about &= people.day_of(care.needs) < NEVER
    before = np.full(len(people), NEVER, np.int32)
    result: list[Days] = []
    for k, delivery in enumerate(schedule.deliveries):
        start = after(delivery.age.from_, anchor, schedule.month_end)
        if k < len(care.planned):
            start = np.maximum(start, after(care.planned[k], anchor, schedule.month_end))
        for gap in delivery.gaps:
            start = np.where(before < NEVER, np.maximum(start, after(gap.clock.from_, before)), start).astype(np.int32)
        keep = care.share if care.keep is None else care.keep
        share = care.share if k == 0 else np.where(result[-1] < NEVER, keep, care.back)
        got = about & happens(world, people, care, dice, share, care.family)
        block = np.abs(start - people.birth) // 30 % BLOCKS
        pace = tempo[np.arange(len(people)), block] * care.delay.sigma
        day = start + (care.delay.median * np.exp(pace)).astype(np.int32)
        day = np.where(dice.random(len(people)) < care.early, start - dice.integers(1, 6, len(people)), day)
        got &= (day <= people.last) & (day >= people.birth - 300) & (day - start < 300)
        result.append(np.where(got, day, NEVER).astype(np.int32))
        before = np.where(got, result[-1], before)
    return result


def _anchored(people: People, care: Care, schedule: Schedule) -> Days:
    """The day ages are counted from: birth, a delivery named by the plan, or so many weeks before the birth."""
    anchor = schedule.anchor
    if care.since:
        return people.day_of(care.since)
    if not isinstance(anchor, Anchor) or anchor.back is None:
        return people.birth
    day = (people.birth - anchor.back.days * people.numbers[anchor.times or ""]).astype(np.int32)
    weekday = WEEKDAYS.index(anchor.to_weekday) if anchor.to_weekday else None
    return day if weekday is None else (day - (day + 3 - weekday) % 7).astype(np.int32)  # 1970-01-01 was a Thursday
